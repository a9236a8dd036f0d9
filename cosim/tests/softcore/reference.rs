//! The architectural reference: `rrs-lib` for RV32IM, and machine mode around it.
//!
//! `rrs-lib` knows neither CSRs nor traps, and takes a few reserved encodings for instructions; both are handled here, from the
//! privileged specification alone.

use crate::encode::{csrs::*, EBREAK, ECALL, MRET, WFI};
use baton_abi::mmio::{MMIO_BASE, RAM_BASE};
use rrs_lib::instruction_executor::{InstructionException, InstructionExecutor};
use rrs_lib::{process_instruction, HartState, MemAccessSize, Memory};

/// Device registers of the test bench: plain memory.
pub const DEVICE_WORDS: usize = 256;

/// A register and the value read from it or written to it; all zero if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operand {
    pub register: u32,
    pub value: u32,
}

/// An access to a word: its address, the byte lanes read and written, and the data in these lanes. All zero
/// if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    pub addr: u32,
    pub rmask: u32,
    pub wmask: u32,
    pub rdata: u32,
    pub wdata: u32,
}

/// An instruction as it leaves the pipeline: the RISC-V Formal Interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    pub insn: u32,
    pub trap: bool,
    pub intr: bool,
    pub pc: u32,
    pub next_pc: u32,
    pub rs1: Operand,
    pub rs2: Operand,
    pub rd: Operand,
    pub mem: Access,
}

impl Retired {
    /// Address and data of a store.
    pub fn store(&self) -> Option<(u32, u32)> {
        (self.mem.wmask != 0).then_some((self.mem.addr, self.mem.wdata))
    }
}

pub struct Bus {
    pub ram: Vec<u32>,
    pub devices: Vec<u32>,
    access: Access,
}

/// The bits of the bytes that a mask selects.
pub fn lanes(mask: u32) -> u32 {
    (0..4).filter(|lane| mask >> lane & 1 == 1).map(|lane| 0xFF << (8 * lane)).sum()
}

impl Bus {
    fn word(&mut self, addr: u32, word_access: bool) -> Option<&mut u32> {
        if addr >= RAM_BASE && ((addr - RAM_BASE) as usize) < self.ram.len() * 4 {
            return self.ram.get_mut((addr - RAM_BASE) as usize / 4);
        }
        let offset = addr.wrapping_sub(MMIO_BASE);
        (offset < 0x1_0000 && word_access).then(|| &mut self.devices[offset as usize / 4 % DEVICE_WORDS])
    }
}

impl Memory for Bus {
    fn read_mem(&mut self, addr: u32, size: MemAccessSize) -> Option<u32> {
        let word = *self.word(addr, matches!(size, MemAccessSize::Word))?;
        let (bytes, mask) = match size {
            MemAccessSize::Byte => (1, 0xFF),
            MemAccessSize::HalfWord => (3, 0xFFFF),
            MemAccessSize::Word => (15, !0),
        };
        let rmask: u32 = bytes << (addr % 4);
        self.access = Access { addr: addr & !3, rmask, rdata: word & lanes(rmask), ..Default::default() };
        Some(word >> (8 * (addr % 4)) & mask)
    }

    fn write_mem(&mut self, addr: u32, size: MemAccessSize, data: u32) -> bool {
        let (bytes, mask) = match size {
            MemAccessSize::Byte => (1, 0xFF),
            MemAccessSize::HalfWord => (3, 0xFFFF),
            MemAccessSize::Word => (15, !0),
        };
        let wmask: u32 = bytes << (addr % 4);
        let wdata = (data & mask) << (8 * (addr % 4));
        let Some(word) = self.word(addr, matches!(size, MemAccessSize::Word)) else { return false };
        *word = *word & !lanes(wmask) | wdata;
        self.access = Access { addr: addr & !3, wmask, wdata, ..Default::default() };
        true
    }
}

pub struct Reference {
    pub hart: HartState,
    pub bus: Bus,
    mie_global: bool,
    mpie: bool,
    meie: bool,
    mtvec: u32,
    mepc: u32,
    mscratch: u32,
    mcause: u32,
    mtval: u32,
    instret: u64,
    /// The last instruction trapped, so that the next is the first of the handler.
    trapped: bool,
}

struct Trap {
    cause: u32,
    tval: u32,
}

impl Reference {
    pub fn new(ram: Vec<u32>) -> Self {
        let mut hart = HartState::new();
        hart.pc = RAM_BASE;
        Reference {
            hart,
            bus: Bus { ram, devices: vec![0; DEVICE_WORDS], access: Access::default() },
            mie_global: false,
            mpie: false,
            meie: false,
            mtvec: 0,
            mepc: 0,
            mscratch: 0,
            mcause: 0,
            mtval: 0,
            instret: 0,
            trapped: false,
        }
    }

    /// State that a hold of the core does not clear, from a run before this one.
    pub fn keep(&mut self, registers: [u32; 32], devices: Vec<u32>) {
        self.hart.registers = registers;
        self.bus.devices = devices;
    }

    /// Where the instruction that `dut` claims to have executed comes from: the handler, if it is the first after an
    /// interrupt, which may be taken before any instruction.
    pub fn fetches(&self, dut: &Retired) -> u32 {
        if self.interrupted(dut) {
            self.mtvec
        } else {
            self.hart.pc
        }
    }

    fn interrupted(&self, dut: &Retired) -> bool {
        dut.intr && !self.trapped && self.mie_global && self.meie
    }

    /// Executes the instruction that `dut` claims to have executed. Interrupts and the values of what depends on time are
    /// taken from `dut` where they are possible; everything else is computed.
    pub fn step(&mut self, dut: &Retired) -> Retired {
        let interrupted = self.interrupted(dut);
        let mut out = Retired { intr: self.trapped || interrupted, ..Default::default() };
        if interrupted {
            self.enter(0x8000_000B, 0);
        }
        let pc = self.hart.pc;
        out.pc = pc;
        let fetched = match self.bus.read_mem(pc, MemAccessSize::Word) {
            Some(insn) if (RAM_BASE..MMIO_BASE).contains(&pc) => Some(insn),
            _ => None,
        };
        // What is fetched where there is no memory means nothing.
        let insn = fetched.unwrap_or(dut.insn);
        out.insn = insn;
        (out.rs1, out.rs2) = self.operands(insn);
        self.bus.access = Access::default();
        let result = if fetched.is_none() {
            Err(Trap { cause: 1, tval: pc })
        } else if insn & 0x7F == 0x73 {
            self.system(insn, dut, &mut out)
        } else if insn & 0x707F == 0x100F {
            self.hart.pc = pc.wrapping_add(4);
            Ok(())
        } else {
            self.plain(insn, &mut out)
        };
        match result {
            Ok(()) => {
                out.mem = self.bus.access;
                if !self.wrote_instret(insn) {
                    self.instret = self.instret.wrapping_add(1);
                }
            }
            Err(trap) => {
                out.rd = Operand::default();
                out.trap = true;
                self.enter(trap.cause, trap.tval);
            }
        }
        self.trapped = out.trap;
        out.next_pc = self.hart.pc;
        out
    }

    /// What the formats of the instruction's major opcode read: R, S and B two registers, I one, U and J none.
    fn operands(&self, insn: u32) -> (Operand, Operand) {
        let read = |at: u32, used: bool| {
            let register = insn >> at & 31;
            let value = self.hart.registers[register as usize];
            if used {
                Operand { register, value }
            } else {
                Operand::default()
            }
        };
        let csr_of_register = matches!(insn >> 12 & 7, 1..=3);
        let (one, two) = match insn >> 2 & 31 {
            0b01100 | 0b01000 | 0b11000 => (true, true),
            0b00000 | 0b00100 | 0b11001 => (true, false),
            0b11100 => (csr_of_register, false),
            _ => (false, false),
        };
        (read(15, one), read(20, two))
    }

    fn enter(&mut self, cause: u32, tval: u32) {
        self.mepc = self.hart.pc;
        self.mcause = cause;
        self.mtval = tval;
        self.mpie = self.mie_global;
        self.mie_global = false;
        self.hart.pc = self.mtvec;
    }

    fn plain(&mut self, insn: u32, out: &mut Retired) -> Result<(), Trap> {
        let illegal = Err(Trap { cause: 2, tval: insn });
        let (f3, f7) = (insn >> 12 & 7, insn >> 25);
        let reserved = (insn & 0x7F == 0x13 && f3 == 1 && f7 != 0) || (insn & 0x7F == 0x67 && f3 != 0);
        if reserved {
            return illegal;
        }
        let pc = self.hart.pc;
        let registers = self.hart.registers;
        self.hart.last_register_write = None;
        let mut executor = InstructionExecutor { mem: &mut self.bus, hart_state: &mut self.hart };
        match process_instruction(&mut executor, insn) {
            Some(Ok(jumped)) => {
                let target = self.hart.pc;
                if jumped && !target.is_multiple_of(4) {
                    self.hart.pc = pc;
                    self.hart.registers = registers;
                    return Err(Trap { cause: 0, tval: target });
                }
                if !jumped {
                    self.hart.pc = pc.wrapping_add(4);
                }
                if let Some(rd) = self.hart.last_register_write {
                    out.rd = Operand { register: rd as u32, value: self.hart.registers[rd] };
                }
                Ok(())
            }
            Some(Err(exception)) => {
                let stores = insn & 0x7F == 0x23;
                Err(match exception {
                    InstructionException::AlignmentFault(tval) => {
                        Trap { cause: if stores { 6 } else { 4 }, tval }
                    }
                    InstructionException::LoadAccessFault(tval) => Trap { cause: 5, tval },
                    InstructionException::StoreAccessFault(tval) => Trap { cause: 7, tval },
                    other => unreachable!("{other:?} of an instruction that was fetched"),
                })
            }
            None => illegal,
        }
    }

    fn system(&mut self, insn: u32, dut: &Retired, out: &mut Retired) -> Result<(), Trap> {
        let pc = self.hart.pc;
        self.hart.pc = pc.wrapping_add(4);
        let f3 = insn >> 12 & 7;
        let result = match insn {
            ECALL => Err(Trap { cause: 11, tval: 0 }),
            EBREAK => Err(Trap { cause: 3, tval: 0 }),
            WFI => Ok(()),
            MRET => {
                self.hart.pc = self.mepc;
                self.mie_global = self.mpie;
                self.mpie = true;
                Ok(())
            }
            _ if !f3.is_multiple_of(4) => self.csr(insn, dut, out),
            _ => Err(Trap { cause: 2, tval: insn }),
        };
        if result.is_err() {
            self.hart.pc = pc;
        }
        result
    }

    fn wrote_instret(&self, insn: u32) -> bool {
        let addr = insn >> 20;
        insn & 0x7F == 0x73
            && insn >> 12 & 3 != 0
            && (addr == MINSTRET || addr == MINSTRETH)
            && (insn >> 12 & 3 == 1 || insn >> 15 & 31 != 0)
    }

    fn csr(&mut self, insn: u32, dut: &Retired, out: &mut Retired) -> Result<(), Trap> {
        let (addr, f3, rs1, rd) = (insn >> 20, insn >> 12 & 7, insn >> 15 & 31, insn >> 7 & 31);
        let writes = f3 % 4 == 1 || rs1 != 0;
        let operand = if f3 >= 4 { rs1 } else { self.hart.registers[rs1 as usize] };
        let old = match addr {
            MSTATUS => 0x1800 | u32::from(self.mie_global) << 3 | u32::from(self.mpie) << 7,
            MISA => 0x4000_1100,
            MIE => u32::from(self.meie) << 11,
            MTVEC => self.mtvec,
            MSCRATCH => self.mscratch,
            MEPC => self.mepc,
            MCAUSE => self.mcause,
            MTVAL => self.mtval,
            // The pins and the clock decide; the bench only sees the result if there is one.
            MIP => dut.rd.value & 0x800,
            MCYCLE | CYCLE | MCYCLEH | CYCLEH => dut.rd.value,
            MINSTRET | INSTRET => self.instret as u32,
            MINSTRETH | INSTRETH => (self.instret >> 32) as u32,
            MSTATUSH | MVENDORID..=MCONFIGPTR => 0,
            _ => return Err(Trap { cause: 2, tval: insn }),
        };
        if writes && addr >> 10 == 3 {
            return Err(Trap { cause: 2, tval: insn });
        }
        if writes {
            let new = match f3 % 4 {
                1 => operand,
                2 => old | operand,
                _ => old & !operand,
            };
            match addr {
                MSTATUS => (self.mie_global, self.mpie) = (new >> 3 & 1 == 1, new >> 7 & 1 == 1),
                MIE => self.meie = new >> 11 & 1 == 1,
                MTVEC => self.mtvec = new & !3,
                MSCRATCH => self.mscratch = new,
                MEPC => self.mepc = new & !3,
                MCAUSE => self.mcause = new & 0x8000_000F,
                MTVAL => self.mtval = new,
                MINSTRET => self.instret = self.instret & !0xFFFF_FFFF | u64::from(new),
                MINSTRETH => self.instret = self.instret & 0xFFFF_FFFF | u64::from(new) << 32,
                _ => {}
            }
        }
        if rd != 0 {
            self.hart.registers[rd as usize] = old;
            out.rd = Operand { register: rd, value: old };
        }
        Ok(())
    }
}

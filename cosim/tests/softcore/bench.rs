//! The softcore in Verilator beside the reference.

use crate::encode::FENCE_I;
use crate::reference::{lanes, Access, Operand, Reference, Retired, DEVICE_WORDS};
use crate::stream::Dice;
use baton_cosim::block::{Model, Port};
use baton_cosim::netlist::of_cells;
use baton_hdl::softcore::{verilog_rvfi, System};

/// 64 KiB of memory.
const WORDS: usize = 1 << 14;
/// Cycles in which some instruction must leave the pipeline, asleep or not.
const PATIENCE: u32 = 400;

struct Pins {
    reset: Port,
    run: Port,
    wake: Port,
    pause: Port,
    ld: [Port; 3],
    mmio_rdata: Port,
    mmio: [Port; 4],
    asleep: Port,
    rvfi: Rvfi,
}

/// The ports of the RISC-V Formal Interface.
struct Rvfi {
    valid: Port,
    order: Port,
    insn: Port,
    trap: Port,
    intr: Port,
    /// halt, mode and ixl: the same at every time.
    fixed: [Port; 3],
    pc: [Port; 2],
    rs1: [Port; 2],
    rs2: [Port; 2],
    rd: [Port; 2],
    mem: [Port; 5],
}

/// When the core stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    Never,
    /// In so many of a hundred cycles, at random.
    Percent(u32),
    /// In all cycles but every so manieth.
    AllBut(u64),
}

pub struct Bench {
    dut: Model,
    pins: Pins,
    pub reference: Reference,
    devices: Vec<u32>,
    /// Instructions since the start of the program.
    pub count: u64,
    /// Instructions that RVFI showed since then, and where the last of them leads.
    order: u64,
    next_pc: Option<u32>,
    /// How often `wake` is high.
    pub wake_percent: u32,
    /// When `pause` is high.
    pub pause: Pause,
    /// Cycle in which the program was started.
    began: u64,
    /// Words of the last stores, which the next two instructions may have been fetched without.
    stale: [u32; 2],
    /// The reference no longer knows the state of memory and devices.
    lost: bool,
}

impl Bench {
    /// A core with 64 KiB of memory, all zero.
    pub fn new() -> Self {
        let mut bench = Bench::with_words(WORDS);
        bench.load(&[0; WORDS]);
        bench
    }

    /// A core with memory of any size, whose contents are not defined before they are written.
    pub fn with_words(words: usize) -> Self {
        let mut system = System::new(words);
        system.set_paced();
        Bench::of(&verilog_rvfi(system), words)
    }

    /// The core with `words` words of memory, all zero, as yosys makes it of an ECP5's cells, which have models.
    pub fn of_cells(words: usize) -> Self {
        let cells = of_cells("softcore", &verilog_rvfi(System::new(words))).unwrap();
        let mut bench = Bench::of(&cells, words);
        bench.load(&vec![0; words]);
        bench
    }

    /// A core with so many words of memory, as text.
    fn of(text: &str, words: usize) -> Self {
        let mut dut = Model::build("softcore", text).unwrap();
        let port = |name: &str| dut.port(name).unwrap();
        let pins = Pins {
            reset: port("reset"),
            run: port("run"),
            wake: port("wake"),
            pause: port("pause"),
            ld: ["ld_write", "ld_addr", "ld_data"].map(port),
            mmio_rdata: port("mmio_rdata"),
            mmio: ["mmio_addr", "mmio_read", "mmio_write", "mmio_wdata"].map(port),
            asleep: port("asleep"),
            rvfi: Rvfi {
                valid: port("rvfi_valid"),
                order: port("rvfi_order"),
                insn: port("rvfi_insn"),
                trap: port("rvfi_trap"),
                intr: port("rvfi_intr"),
                fixed: ["rvfi_halt", "rvfi_mode", "rvfi_ixl"].map(port),
                pc: ["rvfi_pc_rdata", "rvfi_pc_wdata"].map(port),
                rs1: ["rvfi_rs1_addr", "rvfi_rs1_rdata"].map(port),
                rs2: ["rvfi_rs2_addr", "rvfi_rs2_rdata"].map(port),
                rd: ["rvfi_rd_addr", "rvfi_rd_wdata"].map(port),
                mem: ["addr", "rmask", "wmask", "rdata", "wdata"]
                    .map(|name| port(&format!("rvfi_mem_{name}"))),
            },
        };
        dut.reset(2);
        Bench {
            dut,
            pins,
            reference: Reference::new(vec![0; words]),
            devices: vec![0; DEVICE_WORDS],
            count: 0,
            order: 0,
            next_pc: None,
            wake_percent: 0,
            pause: Pause::Never,
            began: 0,
            stale: [0; 2],
            lost: false,
        }
    }

    fn load(&mut self, words: &[u32]) {
        let [write, addr, data] = self.pins.ld;
        self.dut.set(write, 1);
        for (index, word) in words.iter().enumerate() {
            self.dut.set(addr, 4 * index as u64);
            self.dut.set(data, u64::from(*word));
            self.dut.cycle();
        }
        self.dut.set(write, 0);
    }

    /// Loads a program over what is in memory, and starts it.
    pub fn start(&mut self, program: &[u32]) {
        self.dut.set(self.pins.run, 0);
        self.dut.set(self.pins.pause, 0);
        self.dut.set(self.pins.wake, 0);
        // What is in the commit stage still completes; nothing else may leave a trace.
        for _ in 0..4 {
            if let Some(retired) = self.cycle() {
                self.compare(retired).unwrap();
            }
        }
        let mut ram = std::mem::take(&mut self.reference.bus.ram);
        ram[..program.len()].copy_from_slice(program);
        let registers = self.reference.hart.registers;
        let mut devices = std::mem::take(&mut self.reference.bus.devices);
        if std::mem::take(&mut self.lost) {
            self.load(&ram);
            devices.clone_from(&self.devices);
        } else {
            self.load(program);
        }
        assert_eq!(devices, self.devices, "device registers at the end of the last program");
        self.reference = Reference::new(ram);
        self.reference.keep(registers, devices);
        self.dut.set(self.pins.run, 1);
        (self.count, self.order, self.next_pc) = (0, 0, None);
        self.stale = [0; 2];
        self.began = self.dut.cycles();
    }

    /// Resets the core in whatever it does, and starts the program in memory again. What leaves the pipeline in the first
    /// cycle of the reset still counts; a store behind it may or may not happen, so the program must have none.
    pub fn reset(&mut self, cycles: u32) {
        self.dut.set(self.pins.reset, 1);
        for cycle in 0..cycles {
            if let Some(retired) = self.cycle() {
                assert_eq!(cycle, 0, "an instruction leaves the pipeline in a reset");
                self.compare(retired).unwrap();
            }
        }
        self.dut.set(self.pins.reset, 0);
        let ram = std::mem::take(&mut self.reference.bus.ram);
        let registers = self.reference.hart.registers;
        self.reference = Reference::new(ram);
        self.reference.keep(registers, self.devices.clone());
        (self.count, self.order, self.next_pc) = (0, 0, None);
        self.stale = [0; 2];
    }

    pub fn cycles(&self) -> u64 {
        self.dut.cycles()
    }

    pub fn asleep(&self) -> bool {
        self.dut.is_high(self.pins.asleep)
    }

    /// One cycle: the devices, and the instruction that leaves the pipeline.
    fn cycle(&mut self) -> Option<Retired> {
        self.dut.eval();
        let retired = self.dut.is_high(self.pins.rvfi.valid).then(|| self.retired());
        let get = |port| self.dut.get(port) as u32;
        let [addr, read, write, data] = self.pins.mmio;
        let index = get(addr) as usize / 4 % DEVICE_WORDS;
        let (read, write, data) = (self.dut.is_high(read), self.dut.is_high(write), get(data));
        if write {
            self.devices[index] = data;
        }
        // Rubbish unless there was a read.
        let answer = if read { self.devices[index] } else { 0xDEAD_0000 | index as u32 };
        self.dut.cycle();
        self.dut.set(self.pins.mmio_rdata, u64::from(answer));
        if let Some(retired) = retired {
            self.order += 1;
            self.next_pc = Some(retired.next_pc);
        }
        retired
    }

    /// What RVFI shows in this cycle. The rules that need no reference are checked here.
    fn retired(&self) -> Retired {
        let get = |port| self.dut.get(port) as u32;
        let pins = &self.pins.rvfi;
        let operand = |[register, value]: [Port; 2]| {
            let operand = Operand { register: get(register), value: get(value) };
            assert!(operand.register != 0 || operand.value == 0, "x0 is {:#x}", operand.value);
            operand
        };
        let [addr, rmask, wmask, rdata, wdata] = pins.mem.map(get);
        assert!(
            addr.is_multiple_of(4) && (rmask == 0 || wmask == 0),
            "access of {addr:#x}, {rmask:#x}, {wmask:#x}"
        );
        let mem = Access {
            addr: if rmask | wmask == 0 { 0 } else { addr },
            rmask,
            wmask,
            rdata: rdata & lanes(rmask),
            wdata: wdata & lanes(wmask),
        };
        let [pc, next_pc] = pins.pc.map(get);
        let retired = Retired {
            insn: get(pins.insn),
            trap: self.dut.is_high(pins.trap),
            intr: self.dut.is_high(pins.intr),
            pc,
            next_pc,
            rs1: operand(pins.rs1),
            rs2: operand(pins.rs2),
            rd: operand(pins.rd),
            mem,
        };
        assert_eq!(self.dut.get(pins.order), self.order, "order of {retired:x?}");
        assert_eq!(pins.fixed.map(get), [0, 3, 1], "halt, mode and ixl of {retired:x?}");
        if let Some(expected) = self.next_pc {
            assert!(retired.intr || pc == expected, "no way from {expected:#x} to {retired:x?}");
        }
        retired
    }

    /// Runs until one instruction left the pipeline and compares it with the reference. `None` when the program
    /// fetched what it has just written without saying so, which has no defined outcome.
    pub fn lockstep(&mut self, dice: &mut Dice) -> Result<Option<Retired>, String> {
        for _ in 0..PATIENCE {
            if self.wake_percent > 0 {
                let wake = dice.percent(self.wake_percent);
                self.dut.set(self.pins.wake, u64::from(wake));
            } else {
                // Without interrupts about; WFI must end all the same.
                let asleep = self.asleep();
                self.dut.set(self.pins.wake, u64::from(asleep));
            }
            let pause = match self.pause {
                Pause::Never => false,
                Pause::Percent(percent) => dice.percent(percent),
                Pause::AllBut(nth) => !(self.dut.cycles() - self.began).is_multiple_of(nth),
            };
            self.dut.set(self.pins.pause, u64::from(pause));
            if let Some(retired) = self.cycle() {
                return self.compare(retired);
            }
        }
        Err(format!("no instruction in {PATIENCE} cycles after pc {:#010x}", self.reference.hart.pc))
    }

    fn compare(&mut self, retired: Retired) -> Result<Option<Retired>, String> {
        let fetched = self.reference.fetches(&retired) & !3;
        self.lost |= self.stale.contains(&fetched);
        if self.lost {
            return Ok(None);
        }
        let expected = self.reference.step(&retired);
        if retired != expected {
            return Err(format!("the core did\n  {retired:x?}\nand the reference\n  {expected:x?}"));
        }
        self.count += 1;
        let stored = retired.store().map_or(0, |(addr, _)| addr);
        self.stale = if retired.insn == FENCE_I && !retired.trap { [0; 2] } else { [stored, self.stale[0]] };
        Ok(Some(retired))
    }

    /// So many cycles with `wake` as given, in lockstep.
    pub fn run_cycles(&mut self, cycles: u32, wake: bool) {
        for _ in 0..cycles {
            self.dut.set(self.pins.wake, u64::from(wake));
            if let Some(retired) = self.cycle() {
                self.compare(retired).unwrap();
            }
        }
        self.dut.eval();
    }
}

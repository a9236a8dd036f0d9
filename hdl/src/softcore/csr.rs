//! The control and status registers of machine mode, and the counters.
//!
//! An access reads, computes and writes in the commit stage, in one cycle; the interlock keeps the next instruction away until
//! then. `mtvec` is direct mode only. `mie` and `mip` have the machine external interrupt, whose pending bit
//! is the `wake` input. Writing a counter takes the place of its increment in that cycle.

use super::bundles::{CsrCommandIn, CsrStateOut};
use crate::kit::{Cr, Reg, Ticker};
use crate::module;
use rust_hdl::prelude::*;

/// `misa`: RV32IM.
const MISA: u64 = 0x4000_1100;

#[derive(Clone, Debug, LogicBlock)]
pub struct Csr {
    pub cr: Cr,
    /// Low puts every register at its reset value.
    pub run: Signal<In, Bit>,
    pub wake: Signal<In, Bit>,
    /// A CSR instruction is being executed and comes in the next cycle.
    pub ahead: Signal<In, Bit>,
    pub command: CsrCommandIn,
    pub out: CsrStateOut,
    mie_global: Reg<Bit>,
    mpie: Reg<Bit>,
    meie: Reg<Bit>,
    mtvec: Reg<Bits<30>>,
    mepc: Reg<Bits<30>>,
    mscratch: Reg<Bits<32>>,
    mcause: Reg<Bits<4>>,
    mcause_irq: Reg<Bit>,
    mtval: Reg<Bits<32>>,
    mcycle: Ticker<Bits<64>>,
    /// `mcycle` as a CSR instruction finds it; it changes only ahead of one, so that nothing else follows the count.
    mcycle_shown: Reg<Bits<64>>,
    minstret: Reg<Bits<64>>,
    key: Signal<Local, Bits<7>>,
    write_instret: Signal<Local, Bit>,
    counted: Signal<Local, Bits<64>>,
    wide: Signal<Local, Bits<64>>,
    cycles: Signal<Local, Bits<64>>,
    instructions: Signal<Local, Bits<64>>,
    read: Signal<Local, Bits<32>>,
    updated: Signal<Local, Bits<32>>,
    write: Signal<Local, Bit>,
    misa: Constant<Bits<32>>,
}

impl Default for Csr {
    fn default() -> Self {
        Csr {
            cr: Default::default(),
            run: Default::default(),
            wake: Default::default(),
            ahead: Default::default(),
            command: Default::default(),
            out: Default::default(),
            mie_global: Default::default(),
            mpie: Default::default(),
            meie: Default::default(),
            mtvec: Default::default(),
            mepc: Default::default(),
            mscratch: Default::default(),
            mcause: Default::default(),
            mcause_irq: Default::default(),
            mtval: Default::default(),
            mcycle: Default::default(),
            mcycle_shown: Default::default(),
            minstret: Default::default(),
            key: Default::default(),
            write_instret: Default::default(),
            counted: Default::default(),
            wide: Default::default(),
            cycles: Default::default(),
            instructions: Default::default(),
            read: Default::default(),
            updated: Default::default(),
            write: Default::default(),
            misa: Constant::new(MISA.into()),
        }
    }
}

module! {
    impl [] Logic for Csr;
    regs: mie_global, mpie, meie, mtvec, mepc, mscratch, mcause, mcause_irq, mtval, mcycle, mcycle_shown, minstret;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.out.mtvec.next = bit_cast::<32, 30>(self.mtvec.q.val()) << 2;
        self.out.mepc.next = bit_cast::<32, 30>(self.mepc.q.val()) << 2;
        self.out.irq.next = self.mie_global.q.val() & self.meie.q.val() & self.wake.val();

        // Address bits 11, 7, 6, 4 and 2:0 tell apart what exists; the execute stage let nothing else pass. The
        // counters and their read-only views differ in others.
        self.key.next = (bit_cast::<7, 1>(self.command.insn.val().get_bits::<1>(31)) << 6)
            | (bit_cast::<7, 2>(self.command.insn.val().get_bits::<2>(26)) << 4)
            | (bit_cast::<7, 1>(self.command.insn.val().get_bits::<1>(24)) << 3)
            | bit_cast::<7, 3>(self.command.insn.val().get_bits::<3>(20));
        self.read.next = bits::<32>(0);
        match self.key.val().index() {
            // mstatus: MPP is always machine mode.
            0 => {
                self.read.next = bits::<32>(0x1800);
                if self.mie_global.q.val() {
                    self.read.next = self.read.val() | 0x8;
                }
                if self.mpie.q.val() {
                    self.read.next = self.read.val() | 0x80;
                }
            }
            1 => { self.read.next = self.misa.val(); }
            // mie
            4 => {
                if self.meie.q.val() {
                    self.read.next = bits::<32>(0x800);
                }
            }
            5 => { self.read.next = bit_cast::<32, 30>(self.mtvec.q.val()) << 2; }
            16 => { self.read.next = self.mscratch.q.val(); }
            17 => { self.read.next = bit_cast::<32, 30>(self.mepc.q.val()) << 2; }
            // mcause
            18 => {
                self.read.next = bit_cast::<32, 4>(self.mcause.q.val());
                if self.mcause_irq.q.val() {
                    self.read.next = (bits::<32>(1) << 31) | bit_cast::<32, 4>(self.mcause.q.val());
                }
            }
            19 => { self.read.next = self.mtval.q.val(); }
            // mip
            20 => {
                if self.wake.val() {
                    self.read.next = bits::<32>(0x800);
                }
            }
            // mcycle, minstret and their upper halves
            64 => { self.read.next = self.mcycle_shown.q.val().get_bits::<32>(0); }
            66 => { self.read.next = self.minstret.q.val().get_bits::<32>(0); }
            96 => { self.read.next = self.mcycle_shown.q.val().get_bits::<32>(32); }
            98 => { self.read.next = self.minstret.q.val().get_bits::<32>(32); }
            _ => {}
        }
        self.out.rdata.next = self.read.val();

        self.write.next = self.command.access.val()
            & ((self.command.insn.val().get_bits::<2>(12) == 1) | (self.command.insn.val().get_bits::<5>(15) != 0));
        // A trap writes its operand to mtval, as CSRRW would.
        self.updated.next = self.command.operand.val();
        if !self.command.trap.val() & (self.command.insn.val().get_bits::<2>(12) == 2) {
            self.updated.next = self.read.val() | self.command.operand.val();
        }
        if !self.command.trap.val() & (self.command.insn.val().get_bits::<2>(12) == 3) {
            self.updated.next = self.read.val() & !self.command.operand.val();
        }

        self.write_instret.next = self.write.val() & ((self.key.val() == 66) | (self.key.val() == 98));
        self.counted.next = bits::<64>(0);
        if self.command.retired.val() & !self.write_instret.val() {
            self.counted.next = bits::<64>(1);
        }
        self.instructions.next = self.minstret.q.val() + self.counted.val();
        self.cycles.next = self.mcycle.q.val() + 1;
        self.mcycle.d.next = self.cycles.val();
        self.minstret.d.next = self.instructions.val();
        self.wide.next = bit_cast::<64, 32>(self.updated.val());
        if self.write.val() {
            match self.key.val().index() {
                0 => {
                    self.mie_global.d.next = self.updated.val().get_bit(3);
                    self.mpie.d.next = self.updated.val().get_bit(7);
                }
                4 => { self.meie.d.next = self.updated.val().get_bit(11); }
                5 => { self.mtvec.d.next = self.updated.val().get_bits::<30>(2); }
                16 => { self.mscratch.d.next = self.updated.val(); }
                17 => { self.mepc.d.next = self.updated.val().get_bits::<30>(2); }
                18 => {
                    self.mcause.d.next = self.updated.val().get_bits::<4>(0);
                    self.mcause_irq.d.next = self.updated.val().get_bit(31);
                }
                19 => { self.mtval.d.next = self.updated.val(); }
                64 => { self.mcycle.d.next = ((self.cycles.val() >> 32) << 32) | self.wide.val(); }
                66 => { self.minstret.d.next = ((self.instructions.val() >> 32) << 32) | self.wide.val(); }
                96 => {
                    self.mcycle.d.next = (self.wide.val() << 32) | bit_cast::<64, 32>(self.cycles.val().get_bits::<32>(0));
                }
                98 => {
                    self.minstret.d.next =
                        (self.wide.val() << 32) | bit_cast::<64, 32>(self.instructions.val().get_bits::<32>(0));
                }
                _ => {}
            }
        }
        if self.command.mret.val() {
            self.mie_global.d.next = self.mpie.q.val();
            self.mpie.d.next = true;
        }
        if self.command.trap.val() {
            self.mpie.d.next = self.mie_global.q.val();
            self.mie_global.d.next = false;
            self.mepc.d.next = self.command.epc.val().get_bits::<30>(2);
            self.mcause.d.next = self.command.cause.val();
            self.mcause_irq.d.next = self.command.irq.val();
            self.mtval.d.next = self.updated.val();
        }
        if !self.run.val() {
            self.mie_global.d.next = false;
            self.mpie.d.next = false;
            self.meie.d.next = false;
            self.mcause.d.next = bits::<4>(0);
            self.mcause_irq.d.next = false;
            self.mcycle.d.next = bits::<64>(0);
            self.minstret.d.next = bits::<64>(0);
        }
        if self.ahead.val() {
            self.mcycle_shown.d.next = self.mcycle.d.val();
        }
    }
}

//! The control and status registers of machine mode, and the counters.
//!
//! An access reads, computes and writes in the commit stage, in one cycle; the interlock keeps the next instruction away until
//! then. `mtvec` is direct mode only. `mie` and `mip` have the machine external interrupt, whose pending bit
//! is the `wake` input. Writing a counter takes the place of its increment in that cycle.

use super::bundles::{CsrCommandIn, CsrStateOut};
use crate::kit::{Cr, Reg};
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
    mcycle: Reg<Bits<64>>,
    minstret: Reg<Bits<64>>,
    addr: Signal<Local, Bits<12>>,
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
            minstret: Default::default(),
            addr: Default::default(),
            read: Default::default(),
            updated: Default::default(),
            write: Default::default(),
            misa: Constant::new(MISA.into()),
        }
    }
}

module! {
    impl [] Logic for Csr;
    regs: mie_global, mpie, meie, mtvec, mepc, mscratch, mcause, mcause_irq, mtval, mcycle, minstret;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.out.mtvec.next = bit_cast::<32, 30>(self.mtvec.q.val()) << 2;
        self.out.mepc.next = bit_cast::<32, 30>(self.mepc.q.val()) << 2;
        self.out.irq.next = self.mie_global.q.val() & self.meie.q.val() & self.wake.val();

        self.addr.next = self.command.insn.val().get_bits::<12>(20);
        self.read.next = bits::<32>(0);
        match self.addr.val().index() {
            // mstatus: MPP is always machine mode.
            768 => {
                self.read.next = bits::<32>(0x1800);
                if self.mie_global.q.val() {
                    self.read.next = self.read.val() | 0x8;
                }
                if self.mpie.q.val() {
                    self.read.next = self.read.val() | 0x80;
                }
            }
            769 => { self.read.next = self.misa.val(); }
            // mie
            772 => {
                if self.meie.q.val() {
                    self.read.next = bits::<32>(0x800);
                }
            }
            773 => { self.read.next = bit_cast::<32, 30>(self.mtvec.q.val()) << 2; }
            832 => { self.read.next = self.mscratch.q.val(); }
            833 => { self.read.next = bit_cast::<32, 30>(self.mepc.q.val()) << 2; }
            // mcause
            834 => {
                self.read.next = bit_cast::<32, 4>(self.mcause.q.val());
                if self.mcause_irq.q.val() {
                    self.read.next = (bits::<32>(1) << 31) | bit_cast::<32, 4>(self.mcause.q.val());
                }
            }
            835 => { self.read.next = self.mtval.q.val(); }
            // mip
            836 => {
                if self.wake.val() {
                    self.read.next = bits::<32>(0x800);
                }
            }
            // mcycle, minstret, their upper halves, and the same for reading
            2816 => { self.read.next = self.mcycle.q.val().get_bits::<32>(0); }
            2818 => { self.read.next = self.minstret.q.val().get_bits::<32>(0); }
            2944 => { self.read.next = self.mcycle.q.val().get_bits::<32>(32); }
            2946 => { self.read.next = self.minstret.q.val().get_bits::<32>(32); }
            3072 => { self.read.next = self.mcycle.q.val().get_bits::<32>(0); }
            3074 => { self.read.next = self.minstret.q.val().get_bits::<32>(0); }
            3200 => { self.read.next = self.mcycle.q.val().get_bits::<32>(32); }
            3202 => { self.read.next = self.minstret.q.val().get_bits::<32>(32); }
            _ => {}
        }
        self.out.rdata.next = self.read.val();

        self.write.next = self.command.access.val()
            & ((self.command.insn.val().get_bits::<2>(12) == 1) | (self.command.insn.val().get_bits::<5>(15) != 0));
        self.updated.next = self.command.operand.val();
        if self.command.insn.val().get_bits::<2>(12) == 2 {
            self.updated.next = self.read.val() | self.command.operand.val();
        }
        if self.command.insn.val().get_bits::<2>(12) == 3 {
            self.updated.next = self.read.val() & !self.command.operand.val();
        }

        self.mcycle.d.next = self.mcycle.q.val() + 1;
        if self.command.retired.val() {
            self.minstret.d.next = self.minstret.q.val() + 1;
        }
        if self.write.val() {
            match self.addr.val().index() {
                768 => {
                    self.mie_global.d.next = self.updated.val().get_bit(3);
                    self.mpie.d.next = self.updated.val().get_bit(7);
                }
                772 => { self.meie.d.next = self.updated.val().get_bit(11); }
                773 => { self.mtvec.d.next = self.updated.val().get_bits::<30>(2); }
                832 => { self.mscratch.d.next = self.updated.val(); }
                833 => { self.mepc.d.next = self.updated.val().get_bits::<30>(2); }
                834 => {
                    self.mcause.d.next = self.updated.val().get_bits::<4>(0);
                    self.mcause_irq.d.next = self.updated.val().get_bit(31);
                }
                835 => { self.mtval.d.next = self.updated.val(); }
                2816 => {
                    self.mcycle.d.next = (bit_cast::<64, 32>(self.mcycle.q.val().get_bits::<32>(32)) << 32)
                        | bit_cast::<64, 32>(self.updated.val());
                }
                2818 => {
                    self.minstret.d.next = (bit_cast::<64, 32>(self.minstret.q.val().get_bits::<32>(32)) << 32)
                        | bit_cast::<64, 32>(self.updated.val());
                }
                2944 => {
                    self.mcycle.d.next = (bit_cast::<64, 32>(self.updated.val()) << 32)
                        | bit_cast::<64, 32>(self.mcycle.q.val().get_bits::<32>(0));
                }
                2946 => {
                    self.minstret.d.next = (bit_cast::<64, 32>(self.updated.val()) << 32)
                        | bit_cast::<64, 32>(self.minstret.q.val().get_bits::<32>(0));
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
            self.mtval.d.next = self.command.operand.val();
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
    }
}

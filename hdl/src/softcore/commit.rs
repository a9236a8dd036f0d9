//! The commit stage: the last one. Results become visible here, in order, and traps are taken.
//!
//! Load data, products and CSR values arrive in this stage and are chosen here; the register file and the
//! CSRs take them at the end of the cycle. The observer's ports show each instruction in the cycle in which it is here.

use super::bundles::{CheckedIn, CommitOut, CsrCommandOut, CsrStateIn, ExecutedIn};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Commit {
    pub cr: Cr,
    pub executed: ExecutedIn,
    pub checked: CheckedIn,
    /// Answers to the access that was in the execute stage in the cycle before.
    pub ram_data: Signal<In, Bits<32>>,
    pub mmio_rdata: Signal<In, Bits<32>>,
    pub product: Signal<In, Bits<64>>,
    pub csr_state: CsrStateIn,
    pub csr_command: CsrCommandOut,
    pub out: CommitOut,
    /// An instruction completed.
    pub retired: Signal<Out, Bit>,
    /// For an observer: the instruction that is here, and what memory or a device answered.
    pub here: Signal<Out, Bit>,
    pub pc_here: Signal<Out, Bits<32>>,
    pub insn_here: Signal<Out, Bits<32>>,
    pub word_here: Signal<Out, Bits<32>>,

    valid: Reg<Bit>,
    pc: Reg<Bits<32>>,
    insn: Reg<Bits<32>>,
    wen: Reg<Bit>,
    result: Reg<Bits<32>>,
    aux: Reg<Bits<32>>,
    plain: Reg<Bit>,
    ram_load: Reg<Bit>,
    device_load: Reg<Bit>,
    mul_low: Reg<Bit>,
    mul_high: Reg<Bit>,
    csr: Reg<Bit>,
    mret: Reg<Bit>,
    trap: Reg<Bit>,
    irq: Reg<Bit>,
    cause: Reg<Bits<4>>,

    access_trap: Signal<Local, Bit>,
    traps: Signal<Local, Bit>,
    from_execute: Signal<Local, Bits<32>>,
    from_mul: Signal<Local, Bits<32>>,
    from_csr: Signal<Local, Bits<32>>,
    lane0: Signal<Local, Bits<8>>,
    lane1: Signal<Local, Bits<8>>,
    upper: Signal<Local, Bits<16>>,
    byte_load: Signal<Local, Bit>,
    half_load: Signal<Local, Bit>,
    word_load: Signal<Local, Bit>,
    at0: Signal<Local, Bit>,
    at1: Signal<Local, Bit>,
    at2: Signal<Local, Bit>,
    at3: Signal<Local, Bit>,
    low_half: Signal<Local, Bit>,
    high_half: Signal<Local, Bit>,
    signed_load: Signal<Local, Bit>,
    negative: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Commit;
    regs: valid, pc, insn, wen, result, aux, plain, ram_load, device_load, mul_low, mul_high, csr, mret, trap, irq, cause;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.access_trap.next = (self.executed.load.val() | self.executed.store.val())
            & (self.checked.misaligned.val() | self.checked.fault.val());
        self.traps.next = self.executed.trap.val() | self.access_trap.val();
        self.valid.d.next = self.executed.live.val();
        self.trap.d.next = self.executed.live.val() & self.traps.val();
        self.wen.d.next = self.executed.live.val() & self.executed.wen.val() & !self.traps.val();
        self.csr.d.next = self.executed.live.val() & self.executed.csr.val() & !self.traps.val();
        self.mret.d.next = self.executed.live.val() & self.executed.mret.val() & !self.traps.val();
        self.pc.d.next = self.executed.pc.val();
        self.insn.d.next = self.executed.insn.val();
        self.result.d.next = self.executed.result.val();
        self.aux.d.next = self.executed.aux.val();
        self.ram_load.d.next = self.executed.load.val() & !self.checked.device.val();
        self.device_load.d.next = self.executed.load.val() & self.checked.device.val();
        self.mul_low.d.next = self.executed.mul.val() & (self.executed.insn.val().get_bits::<3>(12) == 0);
        self.mul_high.d.next = self.executed.mul.val() & (self.executed.insn.val().get_bits::<3>(12) != 0);
        self.plain.d.next = !self.executed.load.val() & !self.executed.mul.val() & !self.executed.csr.val();
        self.irq.d.next = self.executed.irq.val();
        self.cause.d.next = self.executed.cause.val();
        if !self.executed.trap.val() & self.access_trap.val() {
            // 4 and 5 for loads, 6 and 7 for stores: misaligned, access fault.
            self.cause.d.next = bits::<4>(5);
            if self.checked.misaligned.val() {
                self.cause.d.next = bits::<4>(4);
            }
            if self.executed.store.val() {
                self.cause.d.next = bits::<4>(7);
                if self.checked.misaligned.val() {
                    self.cause.d.next = bits::<4>(6);
                }
            }
        }

        // Which bytes of the word go where, and which bit of it is the sign, is known before memory answers.
        self.byte_load.next = self.ram_load.q.val() & (self.insn.q.val().get_bits::<2>(12) == 0);
        self.half_load.next = self.ram_load.q.val() & (self.insn.q.val().get_bits::<2>(12) == 1);
        self.word_load.next = self.ram_load.q.val() & (self.insn.q.val().get_bits::<2>(12) == 2);
        self.at0.next = self.ram_load.q.val() & (self.aux.q.val().get_bits::<2>(0) == 0);
        self.at1.next = self.ram_load.q.val() & (self.aux.q.val().get_bits::<2>(0) == 1);
        self.at2.next = self.ram_load.q.val() & (self.aux.q.val().get_bits::<2>(0) == 2);
        self.at3.next = self.ram_load.q.val() & (self.aux.q.val().get_bits::<2>(0) == 3);
        self.low_half.next = (self.half_load.val() | self.word_load.val()) & self.at0.val();
        self.high_half.next = self.half_load.val() & self.at2.val();
        self.signed_load.next = !self.insn.q.val().get_bit(14);
        self.negative.next = (self.ram_data.val().get_bit(7)
            & self.byte_load.val()
            & self.at0.val()
            & self.signed_load.val())
            | (self.ram_data.val().get_bit(15)
                & ((self.byte_load.val() & self.at1.val()) | (self.half_load.val() & self.at0.val()))
                & self.signed_load.val())
            | (self.ram_data.val().get_bit(23)
                & self.byte_load.val()
                & self.at2.val()
                & self.signed_load.val())
            | (self.ram_data.val().get_bit(31)
                & ((self.byte_load.val() & self.at3.val()) | (self.half_load.val() & self.at2.val()))
                & self.signed_load.val());
        self.lane0.next = bits::<8>(0);
        if self.at0.val() {
            self.lane0.next = self.ram_data.val().get_bits::<8>(0);
        }
        if self.at1.val() {
            self.lane0.next = self.lane0.val() | self.ram_data.val().get_bits::<8>(8);
        }
        if self.at2.val() {
            self.lane0.next = self.lane0.val() | self.ram_data.val().get_bits::<8>(16);
        }
        if self.at3.val() {
            self.lane0.next = self.lane0.val() | self.ram_data.val().get_bits::<8>(24);
        }
        self.lane1.next = bits::<8>(0);
        if self.low_half.val() {
            self.lane1.next = self.ram_data.val().get_bits::<8>(8);
        }
        if self.high_half.val() {
            self.lane1.next = self.lane1.val() | self.ram_data.val().get_bits::<8>(24);
        }
        if self.negative.val() & self.byte_load.val() {
            self.lane1.next = bits::<8>(0xFF);
        }
        self.upper.next = bits::<16>(0);
        if self.word_load.val() {
            self.upper.next = self.ram_data.val().get_bits::<16>(16);
        }
        if self.negative.val() {
            self.upper.next = bits::<16>(0xFFFF);
        }

        // At most one of the four sources is not zero. What memory answers is the latest, and has one choice behind it.
        self.from_execute.next = bits::<32>(0);
        if self.plain.q.val() {
            self.from_execute.next = self.result.q.val();
        }
        if self.device_load.q.val() {
            self.from_execute.next = self.mmio_rdata.val();
        }
        self.from_mul.next = bits::<32>(0);
        if self.mul_low.q.val() {
            self.from_mul.next = self.product.val().get_bits::<32>(0);
        }
        if self.mul_high.q.val() {
            self.from_mul.next = self.product.val().get_bits::<32>(32);
        }
        self.from_csr.next = bits::<32>(0);
        if self.csr.q.val() {
            self.from_csr.next = self.csr_state.rdata.val();
        }
        self.out.result.next = self.from_execute.val()
            | self.from_mul.val()
            | self.from_csr.val()
            | bit_cast::<32, 8>(self.lane0.val())
            | (bit_cast::<32, 8>(self.lane1.val()) << 8)
            | (bit_cast::<32, 16>(self.upper.val()) << 16);
        self.out.trap.next = self.trap.q.val();
        self.out.wen.next = self.wen.q.val();
        self.out.rd.next = self.insn.q.val().get_bits::<5>(7);

        self.csr_command.access.next = self.csr.q.val();
        self.csr_command.insn.next = self.insn.q.val();
        self.csr_command.operand.next = self.aux.q.val();
        self.csr_command.mret.next = self.mret.q.val();
        self.csr_command.trap.next = self.trap.q.val();
        self.csr_command.irq.next = self.irq.q.val();
        self.csr_command.cause.next = self.cause.q.val();
        self.csr_command.epc.next = self.pc.q.val();
        self.csr_command.retired.next = self.valid.q.val() & !self.trap.q.val();
        self.retired.next = self.valid.q.val() & !self.trap.q.val();

        self.here.next = self.valid.q.val();
        self.pc_here.next = self.pc.q.val();
        self.insn_here.next = self.insn.q.val();
        self.word_here.next = self.ram_data.val();
        if self.device_load.q.val() {
            self.word_here.next = self.mmio_rdata.val();
        }
    }
}

//! The divider: DIV, DIVU, REM and REMU by restoring division, one quotient bit a cycle.
//!
//! Starts when an instruction with `operands.div` stands in the execute stage and holds it there for 34 cycles: one to
//! take the magnitudes, 32 steps, one in which `out.done` is high and `out.result` valid. `abort` returns it to
//! rest. Division by zero and overflow give what the specification asks for without special
//! cases: restoring division by zero yields an all-ones quotient and the dividend as remainder.

use super::bundles::{DivOut, OperandsIn};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Div {
    pub cr: Cr,
    pub operands: OperandsIn,
    pub abort: Signal<In, Bit>,
    /// Nothing moves in this cycle, but for `abort`.
    pub pause: Signal<In, Bit>,
    pub out: DivOut,
    busy: Reg<Bit>,
    done: Reg<Bit>,
    count: Reg<Bits<5>>,
    divisor: Reg<Bits<32>>,
    remainder: Reg<Bits<32>>,
    quotient: Reg<Bits<32>>,
    negate: Reg<Bit>,
    a_negative: Signal<Local, Bit>,
    b_negative: Signal<Local, Bit>,
    shifted: Signal<Local, Bits<33>>,
    trial: Signal<Local, Bits<34>>,
    shifted_wide: Signal<Local, Bits<34>>,
    divisor_wide: Signal<Local, Bits<34>>,
    quotient_shifted: Signal<Local, Bits<32>>,
    chosen: Signal<Local, Bits<32>>,
    a_sign: Signal<Local, Bits<32>>,
    b_sign: Signal<Local, Bits<32>>,
    sign: Signal<Local, Bits<32>>,
    a_magnitude: Signal<Local, Bits<32>>,
    b_magnitude: Signal<Local, Bits<32>>,
}

module! {
    impl [] Logic for Div;
    regs: busy, done, count, divisor, remainder, quotient, negate;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        // Even funct3 are the signed ones; REM and REMU have bit 1 set.
        self.a_negative.next = self.operands.a.val().get_bit(31) & !self.operands.op.val().get_bit(0);
        self.b_negative.next = self.operands.b.val().get_bit(31) & !self.operands.op.val().get_bit(0);
        // A number is negated by its sign, in every bit and added: were the negative itself there to be chosen, synthesis would take the ALU's
        // negative of a shift's distance from it, behind a carry chain.
        self.a_sign.next = bits::<32>(0);
        if self.a_negative.val() {
            self.a_sign.next = bits::<32>(0xFFFF_FFFFu64);
        }
        self.b_sign.next = bits::<32>(0);
        if self.b_negative.val() {
            self.b_sign.next = bits::<32>(0xFFFF_FFFFu64);
        }
        self.sign.next = bits::<32>(0);
        if self.negate.q.val() {
            self.sign.next = bits::<32>(0xFFFF_FFFFu64);
        }
        self.a_magnitude.next =
            (self.operands.a.val() ^ self.a_sign.val()) + bit_cast::<32, 1>(self.a_negative.val().into());
        self.b_magnitude.next =
            (self.operands.b.val() ^ self.b_sign.val()) + bit_cast::<32, 1>(self.b_negative.val().into());
        self.shifted.next = (bit_cast::<33, 32>(self.remainder.q.val()) << 1)
            | bit_cast::<33, 1>(self.quotient.q.val().get_bits::<1>(31));
        self.shifted_wide.next = bit_cast::<34, 33>(self.shifted.val());
        self.divisor_wide.next = bit_cast::<34, 32>(self.divisor.q.val());
        self.trial.next = self.shifted_wide.val() - self.divisor_wide.val();
        self.quotient_shifted.next = self.quotient.q.val() << 1;

        self.done.d.next = self.done.q.val() & self.pause.val();
        if self.abort.val() {
            self.busy.d.next = false;
            self.done.d.next = false;
        } else if self.pause.val() {
        } else if self.busy.q.val() {
            self.count.d.next = self.count.q.val() + 1;
            if self.trial.val().get_bit(33) {
                self.remainder.d.next = self.shifted.val().get_bits::<32>(0);
                self.quotient.d.next = self.quotient_shifted.val();
            } else {
                self.remainder.d.next = self.trial.val().get_bits::<32>(0);
                self.quotient.d.next = self.quotient_shifted.val() | 1;
            }
            if self.count.q.val() == 31 {
                self.busy.d.next = false;
                self.done.d.next = true;
            }
        } else if self.operands.div.val() & !self.done.q.val() {
            self.busy.d.next = true;
            self.count.d.next = bits::<5>(0);
            self.remainder.d.next = bits::<32>(0);
            self.quotient.d.next = self.a_magnitude.val();
            self.divisor.d.next = self.b_magnitude.val();
            if self.operands.op.val().get_bit(1) {
                self.negate.d.next = self.a_negative.val();
            } else {
                self.negate.d.next = (self.a_negative.val() != self.b_negative.val()) & (self.operands.b.val() != 0);
            }
        }

        self.chosen.next = self.quotient.q.val();
        if self.operands.op.val().get_bit(1) {
            self.chosen.next = self.remainder.q.val();
        }
        self.out.done.next = self.done.q.val();
        self.out.result.next =
            (self.chosen.val() ^ self.sign.val()) + bit_cast::<32, 1>(self.negate.q.val().into());
    }
}

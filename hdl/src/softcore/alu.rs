//! The arithmetic unit: additions, comparisons, logic and shifts of RV32I, in one cycle.

use super::bundles::{AluOut, OperandsIn};
use rust_hdl::prelude::*;

/// Combinational. `out.result` is what OP and OP-IMM of funct3 `op` give; `out.taken` is the condition of the
/// BRANCH of funct3 `op`.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Alu {
    pub operands: OperandsIn,
    pub out: AluOut,
    sum: Signal<Local, Bits<32>>,
    a_wide: Signal<Local, Bits<33>>,
    b_wide: Signal<Local, Bits<33>>,
    difference: Signal<Local, Bits<33>>,
    shamt: Signal<Local, Bits<6>>,
    funnel_in: Signal<Local, Bits<64>>,
    funnel: Signal<Local, Bits<64>>,
    fill: Signal<Local, Bits<64>>,
    left: Signal<Local, Bits<32>>,
    equal: Signal<Local, Bit>,
    below: Signal<Local, Bit>,
    less: Signal<Local, Bit>,
}

impl Logic for Alu {
    #[hdl_gen]
    fn update(&mut self) {
        self.sum.next = self.operands.a.val() + self.operands.b.val();
        self.a_wide.next = bit_cast::<33, 32>(self.operands.a.val());
        self.b_wide.next = bit_cast::<33, 32>(self.operands.b.val());
        self.difference.next = self.a_wide.val() - self.b_wide.val();
        self.equal.next = self.operands.a.val() == self.operands.b.val();
        self.below.next = self.difference.val().get_bit(32);
        // Of different signs, the negative one is less; of equal signs, unsigned order is the signed one.
        self.less.next = self.below.val();
        if self.operands.a.val().get_bit(31) != self.operands.b.val().get_bit(31) {
            self.less.next = self.operands.a.val().get_bit(31);
        }

        self.shamt.next = bit_cast::<6, 5>(self.operands.b.val().get_bits::<5>(0));
        self.fill.next = bits::<64>(0);
        if self.operands.alt.val() & self.operands.a.val().get_bit(31) {
            self.fill.next = !bits::<64>(0);
        }
        self.funnel_in.next = (self.fill.val() << 32) | bit_cast::<64, 32>(self.operands.a.val());
        self.funnel.next = self.funnel_in.val() >> self.shamt.val();
        self.left.next = self.operands.a.val() << self.shamt.val();

        self.out.result.next = self.sum.val();
        self.out.taken.next = self.equal.val();
        match self.operands.op.val().index() {
            0 => {
                if self.operands.alt.val() {
                    self.out.result.next = self.difference.val().get_bits::<32>(0);
                }
            }
            1 => {
                self.out.result.next = self.left.val();
                self.out.taken.next = !self.equal.val();
            }
            2 => {
                self.out.result.next = bits::<32>(0);
                if self.less.val() {
                    self.out.result.next = bits::<32>(1);
                }
            }
            3 => {
                self.out.result.next = bits::<32>(0);
                if self.below.val() {
                    self.out.result.next = bits::<32>(1);
                }
            }
            4 => {
                self.out.result.next = self.operands.a.val() ^ self.operands.b.val();
                self.out.taken.next = self.less.val();
            }
            5 => {
                self.out.result.next = self.funnel.val().get_bits::<32>(0);
                self.out.taken.next = !self.less.val();
            }
            6 => {
                self.out.result.next = self.operands.a.val() | self.operands.b.val();
                self.out.taken.next = self.below.val();
            }
            _ => {
                self.out.result.next = self.operands.a.val() & self.operands.b.val();
                self.out.taken.next = !self.below.val();
            }
        }
    }
}

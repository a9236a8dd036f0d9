//! The arithmetic unit: additions, comparisons, logic and shifts of RV32I, in one cycle.

use super::bundles::{AluOut, OperandsIn};
use rust_hdl::prelude::*;

/// Combinational. `out.result` is what OP and OP-IMM of funct3 `op` give, or zero without `alu`; `out.taken` is the condition of the
/// BRANCH of funct3 `op`.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Alu {
    pub operands: OperandsIn,
    pub out: AluOut,
    sum: Signal<Local, Bits<32>>,
    a_wide: Signal<Local, Bits<33>>,
    b_wide: Signal<Local, Bits<33>>,
    difference: Signal<Local, Bits<33>>,
    left: Signal<Local, Bit>,
    rotation: Signal<Local, Bits<5>>,
    by1: Signal<Local, Bits<32>>,
    by2: Signal<Local, Bits<32>>,
    by4: Signal<Local, Bits<32>>,
    by8: Signal<Local, Bits<32>>,
    by16: Signal<Local, Bits<32>>,
    around: Signal<Local, Bits<64>>,
    outside: Signal<Local, Bits<32>>,
    fill: Signal<Local, Bits<32>>,
    shifted: Signal<Local, Bits<32>>,
    added: Signal<Local, Bits<32>>,
    bitwise: Signal<Local, Bits<32>>,
    moved: Signal<Local, Bits<32>>,
    compared: Signal<Local, Bits<32>>,
    flip: Signal<Local, Bits<33>>,
    equal: Signal<Local, Bit>,
    less: Signal<Local, Bit>,
}

impl Logic for Alu {
    #[hdl_gen]
    fn update(&mut self) {
        self.sum.next = self.operands.a.val() + self.operands.b.val();
        // BLTU and BGEU compare unsigned numbers, as SLTU does; the others signed ones, whose order is the unsigned
        // one once both sign bits are inverted. That leaves the difference itself as it is.
        self.flip.next = bits::<33>(1) << 31;
        if (self.operands.op.val() == 3) | (self.operands.op.val() >= 6) {
            self.flip.next = bits::<33>(0);
        }
        self.a_wide.next = bit_cast::<33, 32>(self.operands.a.val()) ^ self.flip.val();
        self.b_wide.next = bit_cast::<33, 32>(self.operands.b.val()) ^ self.flip.val();
        self.difference.next = self.a_wide.val() - self.b_wide.val();
        self.less.next = self.difference.val().get_bit(32);
        self.equal.next = self.operands.a.val() == self.operands.b.val();
        // One level of logic behind the carry: a branch waits for it.
        self.out.taken.next = self.equal.val();
        if self.operands.op.val().get_bit(2) {
            self.out.taken.next = self.less.val();
        }
        if self.operands.op.val().get_bit(0) {
            self.out.taken.next = !self.out.taken.val();
        }

        // Every shift is a rotation to the right, of which the bits that came around are replaced.
        self.left.next = self.operands.left.val() & (self.operands.b.val().get_bits::<5>(0) != 0);
        self.rotation.next = self.operands.b.val().get_bits::<5>(0);
        // The negative of zero is zero, so `left` need not be waited for.
        if self.operands.left.val() {
            // The negative: bits above the lowest that is set are inverted.
            self.rotation.next = self.rotation.val()
                ^ ((self.rotation.val() << 1)
                    | (self.rotation.val() << 2)
                    | (self.rotation.val() << 3)
                    | (self.rotation.val() << 4));
        }
        self.by1.next = self.operands.a.val();
        if self.rotation.val().get_bit(0) {
            self.by1.next = (self.operands.a.val() >> 1) | (self.operands.a.val() << 31);
        }
        self.by2.next = self.by1.val();
        if self.rotation.val().get_bit(1) {
            self.by2.next = (self.by1.val() >> 2) | (self.by1.val() << 30);
        }
        self.by4.next = self.by2.val();
        if self.rotation.val().get_bit(2) {
            self.by4.next = (self.by2.val() >> 4) | (self.by2.val() << 28);
        }
        self.by8.next = self.by4.val();
        if self.rotation.val().get_bit(3) {
            self.by8.next = (self.by4.val() >> 8) | (self.by4.val() << 24);
        }
        self.by16.next = self.by8.val();
        if self.rotation.val().get_bit(4) {
            self.by16.next = (self.by8.val() >> 16) | (self.by8.val() << 16);
        }
        // Upper bits came around in a shift to the right, lower bits in one to the left.
        self.around.next = (bits::<64>(0xFFFF_FFFF_0000_0000u64)) >> self.rotation.val();
        self.outside.next = self.around.val().get_bits::<32>(0);
        if self.left.val() {
            self.outside.next = !self.around.val().get_bits::<32>(0);
        }
        self.fill.next = bits::<32>(0);
        if self.operands.alt.val() & self.operands.a.val().get_bit(31) {
            self.fill.next = self.outside.val();
        }
        self.shifted.next = (self.by16.val() & !self.outside.val()) | self.fill.val();

        // At most one of the four is not zero, so that the choice between them costs one level of logic.
        self.added.next = bits::<32>(0);
        if self.operands.alu.val() & (self.operands.op.val() == 0) {
            self.added.next = self.sum.val();
            if self.operands.alt.val() {
                self.added.next = self.difference.val().get_bits::<32>(0);
            }
        }
        self.bitwise.next = bits::<32>(0);
        if self.operands.alu.val() {
            match self.operands.op.val().index() {
                4 => {
                    self.bitwise.next = self.operands.a.val() ^ self.operands.b.val();
                }
                6 => {
                    self.bitwise.next = self.operands.a.val() | self.operands.b.val();
                }
                7 => {
                    self.bitwise.next = self.operands.a.val() & self.operands.b.val();
                }
                _ => {}
            }
        }
        self.moved.next = bits::<32>(0);
        if self.operands.alu.val() & (self.operands.op.val().get_bits::<2>(0) == 1) {
            self.moved.next = self.shifted.val();
        }
        self.compared.next = bits::<32>(0);
        if self.less.val() & self.operands.alu.val() & (self.operands.op.val().get_bits::<2>(1) == 1) {
            self.compared.next = bits::<32>(1);
        }
        self.out.result.next = self.added.val() | self.bitwise.val() | self.moved.val() | self.compared.val();
    }
}

//! One's complement sums of the IPv4 header and of the TCP segment with its pseudo-header (RFC 1071).
//!
//! The parser says which words count for which sum; a word that does not count is given as zero. `restart`
//! comes with a frame's first word and throws away the sums before it.
//!
//! Core clock, synchronous reset. One word for each sum a cycle; `header_ok` and `body_ok` include the
//! words of four cycles before, and stay until the words after them arrive there. Verified in
//! `cosim/tests/rx_path.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Two one's complement sums over a stream of 32-bit words.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Checksum {
    pub cr: Cr,
    pub restart: Signal<In, Bit>,
    pub header: Signal<In, Bits<32>>,
    pub body: Signal<In, Bits<32>>,
    pub header_ok: Signal<Out, Bit>,
    pub body_ok: Signal<Out, Bit>,

    restart1: Reg<Bit>,
    restart2: Reg<Bit>,
    header1: Reg<Bits<32>>,
    body1: Reg<Bits<32>>,
    /// The two halves of a word added.
    header2: Reg<Bits<17>>,
    body2: Reg<Bits<17>>,
    /// Sums without their carries folded: 15 words of header, 2255 words of body.
    header_sum: Reg<Bits<21>>,
    body_sum: Reg<Bits<29>>,
    /// Sums with the carries added once.
    header_fold: Reg<Bits<17>>,
    body_fold: Reg<Bits<17>>,

    header_base: Signal<Local, Bits<21>>,
    body_base: Signal<Local, Bits<29>>,
    header_high: Signal<Local, Bits<17>>,
    header_low: Signal<Local, Bits<17>>,
    body_high: Signal<Local, Bits<17>>,
    body_low: Signal<Local, Bits<17>>,
    header_carry: Signal<Local, Bits<17>>,
    header_rest: Signal<Local, Bits<17>>,
    body_carry: Signal<Local, Bits<17>>,
    body_rest: Signal<Local, Bits<17>>,
}

module! {
    impl [] Logic for Checksum;
    regs: restart1, restart2, header1, body1, header2, body2, header_sum, body_sum, header_fold, body_fold;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.restart1.d.next = self.restart.val();
        self.header1.d.next = self.header.val();
        self.body1.d.next = self.body.val();

        self.restart2.d.next = self.restart1.q.val();
        self.header_high.next = bit_cast::<17, 16>(self.header1.q.val().get_bits::<16>(16));
        self.header_low.next = bit_cast::<17, 16>(self.header1.q.val().get_bits::<16>(0));
        self.header2.d.next = self.header_high.val() + self.header_low.val();
        self.body_high.next = bit_cast::<17, 16>(self.body1.q.val().get_bits::<16>(16));
        self.body_low.next = bit_cast::<17, 16>(self.body1.q.val().get_bits::<16>(0));
        self.body2.d.next = self.body_high.val() + self.body_low.val();

        self.header_base.next = self.header_sum.q.val();
        self.body_base.next = self.body_sum.q.val();
        if self.restart2.q.val() {
            self.header_base.next = 0.into();
            self.body_base.next = 0.into();
        }
        self.header_sum.d.next = self.header_base.val() + bit_cast::<21, 17>(self.header2.q.val());
        self.body_sum.d.next = self.body_base.val() + bit_cast::<29, 17>(self.body2.q.val());

        self.header_carry.next = bit_cast::<17, 5>(self.header_sum.q.val().get_bits::<5>(16));
        self.header_rest.next = bit_cast::<17, 16>(self.header_sum.q.val().get_bits::<16>(0));
        self.header_fold.d.next = self.header_carry.val() + self.header_rest.val();
        self.body_carry.next = bit_cast::<17, 13>(self.body_sum.q.val().get_bits::<13>(16));
        self.body_rest.next = bit_cast::<17, 16>(self.body_sum.q.val().get_bits::<16>(0));
        self.body_fold.d.next = self.body_carry.val() + self.body_rest.val();

        // 0x1FFFE folds once more to 0xFFFF, the sum of a good packet.
        self.header_ok.next = (self.header_fold.q.val() == 0xFFFF) || (self.header_fold.q.val() == 0x1FFFE);
        self.body_ok.next = (self.body_fold.q.val() == 0xFFFF) || (self.body_fold.q.val() == 0x1FFFE);
    }
}

//! Moves bytes from their lanes in the source to their lanes in host memory.
//!
//! Source words arrive in order; the word of the destination is made of the last bytes of one source word
//! and the first bytes of the next, `shift` bytes apart (source offset less destination offset, modulo 4).
//! Bytes that belong to no request come out undefined and are masked by the strobes.
//!
//! Core clock, synchronous reset. No latency: `beat` belongs to the `word` of the same cycle. A word enters
//! the history when `load` is high. Verified in `cosim/tests/dma_write`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Byte rotator with one word of history.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Rotator {
    pub cr: Cr,
    pub load: Signal<In, Bit>,
    pub word: Signal<In, Bits<32>>,
    pub shift: Signal<In, Bits<2>>,
    pub beat: Signal<Out, Bits<32>>,

    previous: Reg<Bits<32>>,
}

module! {
    impl [] Logic for Rotator;
    regs: previous;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        if self.load.val() {
            self.previous.d.next = self.word.val();
        }
        self.beat.next = self.word.val();
        match self.shift.val().index() {
            1 => { self.beat.next = (self.word.val() << 24) | (self.previous.q.val() >> 8); }
            2 => { self.beat.next = (self.word.val() << 16) | (self.previous.q.val() >> 16); }
            3 => { self.beat.next = (self.word.val() << 8) | (self.previous.q.val() >> 24); }
            _ => {}
        }
    }
}

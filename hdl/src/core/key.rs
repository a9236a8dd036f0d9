//! The key of a lookup operation: the last words that firmware wrote, the first of them the most significant.
//!
//! Core clock. `key` shows a word in the cycle behind its write. Verified by `cosim/tests/mmio.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// A key of `N` bits, whole words.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct KeyRegister<const N: usize> {
    pub cr: Cr,
    pub write: Signal<In, Bit>,
    pub word: Signal<In, Bits<32>>,
    pub key: Signal<Out, Bits<N>>,
    words: Reg<Bits<N>>,
}

module! {
    impl [const N: usize] Logic for KeyRegister<N>;
    regs: words;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        if self.write.val() {
            self.words.d.next = (self.words.q.val() << 32) | bit_cast::<N, 32>(self.word.val());
        }
        self.key.next = self.words.q.val();
    }
}

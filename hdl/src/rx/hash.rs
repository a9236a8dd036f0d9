//! HalfSipHash-1-3: a keyed hash of 96 bits to 32, so that no one who lacks the key can aim collisions.
//!
//! Aumasson and Bernstein, "SipHash: a fast short-input PRF", in the 32-bit variant, with one compression
//! round a word and three finalization rounds. The message is three words, least significant byte first;
//! with the word that carries its length that makes seven rounds.
//!
//! Core clock, synchronous reset. One round a cycle: `digest` is valid eight cycles after `start` and until
//! the next `start`, `busy` is high in the seven cycles between. `message*` must hold from `start` until
//! `busy` falls. The longest path is two 32-bit additions. Verified against a Rust model in
//! `cosim/tests/rx_lookup.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// A HalfSipHash-1-3 engine for messages of three words.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Hash {
    pub cr: Cr,
    pub key0: Signal<In, Bits<32>>,
    pub key1: Signal<In, Bits<32>>,
    pub message0: Signal<In, Bits<32>>,
    pub message1: Signal<In, Bits<32>>,
    pub message2: Signal<In, Bits<32>>,
    pub start: Signal<In, Bit>,
    pub busy: Signal<Out, Bit>,
    pub digest: Signal<Out, Bits<32>>,

    v0: Reg<Bits<32>>,
    v1: Reg<Bits<32>>,
    v2: Reg<Bits<32>>,
    v3: Reg<Bits<32>>,
    /// Rounds left.
    left: Reg<Bits<3>>,

    /// The message word that this round ends with, and the one that the next begins with.
    closing: Signal<Local, Bits<32>>,
    opening: Signal<Local, Bits<32>>,
    a0: Signal<Local, Bits<32>>,
    a1: Signal<Local, Bits<32>>,
    a2: Signal<Local, Bits<32>>,
    a3: Signal<Local, Bits<32>>,
    b0: Signal<Local, Bits<32>>,
    b1: Signal<Local, Bits<32>>,
    b2: Signal<Local, Bits<32>>,
    b3: Signal<Local, Bits<32>>,
    c2: Signal<Local, Bits<32>>,
}

module! {
    impl [] Logic for Hash;
    regs: v0, v1, v2, v3, left;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        // The first half of the round, then the second, which crosses the two lanes.
        self.a0.next = self.v0.q.val() + self.v1.q.val();
        self.a1.next = ((self.v1.q.val() << 5) | (self.v1.q.val() >> 27)) ^ self.a0.val();
        self.a2.next = self.v2.q.val() + self.v3.q.val();
        self.a3.next = ((self.v3.q.val() << 8) | (self.v3.q.val() >> 24)) ^ self.a2.val();
        self.b0.next = ((self.a0.val() << 16) | (self.a0.val() >> 16)) + self.a3.val();
        self.b3.next = ((self.a3.val() << 7) | (self.a3.val() >> 25)) ^ self.b0.val();
        self.b2.next = self.a2.val() + self.a1.val();
        self.b1.next = ((self.a1.val() << 13) | (self.a1.val() >> 19)) ^ self.b2.val();
        self.c2.next = (self.b2.val() << 16) | (self.b2.val() >> 16);

        self.closing.next = 0.into();
        self.opening.next = 0.into();
        if self.left.q.val() == 7 {
            self.closing.next = self.message0.val();
            self.opening.next = self.message1.val();
        }
        if self.left.q.val() == 6 {
            self.closing.next = self.message1.val();
            self.opening.next = self.message2.val();
        }
        // The last word holds the message's length, 12 bytes.
        if self.left.q.val() == 5 {
            self.closing.next = self.message2.val();
            self.opening.next = 0x0C000000.into();
        }
        if self.left.q.val() == 4 {
            self.closing.next = 0x0C000000.into();
        }

        if self.left.q.val() != 0 {
            self.left.d.next = self.left.q.val() - 1;
            self.v0.d.next = self.b0.val() ^ self.closing.val();
            self.v1.d.next = self.b1.val();
            self.v2.d.next = self.c2.val();
            self.v3.d.next = self.b3.val() ^ self.opening.val();
            if self.left.q.val() == 4 {
                self.v2.d.next = self.c2.val() ^ 0xFF;
            }
        }
        if self.start.val() {
            self.left.d.next = 7.into();
            self.v0.d.next = self.key0.val();
            self.v1.d.next = self.key1.val();
            self.v2.d.next = self.key0.val() ^ 0x6C796765;
            self.v3.d.next = (self.key1.val() ^ 0x74656462) ^ self.message0.val();
        }
        self.busy.next = self.left.q.val() != 0;
        self.digest.next = self.v1.q.val() ^ self.v3.q.val();
    }
}

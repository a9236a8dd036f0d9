//! HalfSipHash-1-3: a keyed hash to 32 bits, so that no one who lacks the key can aim collisions.
//!
//! Aumasson and Bernstein, "SipHash: a fast short-input PRF", in the 32-bit variant, with one compression
//! round a word and three finalization rounds. The message is `N / 32` words, the first in the least significant
//! bits, each least significant byte first; with the word that carries its length that makes four rounds more
//! than words.
//!
//! Core clock, synchronous reset. One round a cycle: `digest` is valid five cycles and one a word after `start` and until
//! the next `start`, `busy` is high in the cycles between. `message` counts with `start`. The longest path is
//! two 32-bit additions. Verified against a Rust model in `cosim/tests/rx_lookup.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// A HalfSipHash-1-3 engine for messages of `N` bits: one to ten words of 32.
#[derive(Clone, Debug, LogicBlock)]
pub struct Hash<const N: usize> {
    pub cr: Cr,
    pub key0: Signal<In, Bits<32>>,
    pub key1: Signal<In, Bits<32>>,
    pub message: Signal<In, Bits<N>>,
    pub start: Signal<In, Bit>,
    pub busy: Signal<Out, Bit>,
    pub digest: Signal<Out, Bits<32>>,

    v0: Reg<Bits<32>>,
    v1: Reg<Bits<32>>,
    v2: Reg<Bits<32>>,
    v3: Reg<Bits<32>>,
    /// Rounds left.
    left: Reg<Bits<4>>,
    /// The message word that this round ends with, and those that follow, the next in the least significant bits: the
    /// next round begins with it.
    closing: Reg<Bits<32>>,
    rest: Reg<Bits<N>>,

    rounds: Constant<Bits<4>>,
    /// The message's length in bytes in the most significant eight bits.
    length: Constant<Bits<N>>,
    first: Signal<Local, Bits<32>>,
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

impl<const N: usize> Default for Hash<N> {
    fn default() -> Self {
        assert!(N.is_multiple_of(32) && (32..=320).contains(&N), "a key of {N} bits");
        let words = N as u64 / 32;
        Hash {
            cr: Default::default(),
            key0: Default::default(),
            key1: Default::default(),
            message: Default::default(),
            start: Default::default(),
            busy: Default::default(),
            digest: Default::default(),
            v0: Default::default(),
            v1: Default::default(),
            v2: Default::default(),
            v3: Default::default(),
            left: Default::default(),
            closing: Default::default(),
            rest: Default::default(),
            rounds: Constant::new((words + 4).into()),
            length: Constant::new(Bits::<N>::from((4 * words) << 24) << (N as u64 - 32)),
            first: Default::default(),
            opening: Default::default(),
            a0: Default::default(),
            a1: Default::default(),
            a2: Default::default(),
            a3: Default::default(),
            b0: Default::default(),
            b1: Default::default(),
            b2: Default::default(),
            b3: Default::default(),
            c2: Default::default(),
        }
    }
}

module! {
    impl [const N: usize] Logic for Hash<N>;
    regs: v0, v1, v2, v3, left, closing, rest;
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

        self.first.next = self.message.val().get_bits::<32>(0);
        self.opening.next = self.rest.q.val().get_bits::<32>(0);
        if self.left.q.val() != 0 {
            self.left.d.next = self.left.q.val() - 1;
            self.v0.d.next = self.b0.val() ^ self.closing.q.val();
            self.v1.d.next = self.b1.val();
            self.v2.d.next = self.c2.val();
            self.v3.d.next = self.b3.val() ^ self.opening.val();
            self.closing.d.next = self.opening.val();
            self.rest.d.next = self.rest.q.val() >> 32;
            if self.left.q.val() == 4 {
                self.v2.d.next = self.c2.val() ^ 0xFF;
            }
        }
        if self.start.val() {
            self.left.d.next = self.rounds.val();
            self.closing.d.next = self.first.val();
            self.rest.d.next = (self.message.val() >> 32) | self.length.val();
            self.v0.d.next = self.key0.val();
            self.v1.d.next = self.key1.val();
            self.v2.d.next = self.key0.val() ^ 0x6C796765;
            self.v3.d.next = (self.key1.val() ^ 0x74656462) ^ self.first.val();
        }
        self.busy.next = self.left.q.val() != 0;
        self.digest.next = self.v1.q.val() ^ self.v3.q.val();
    }
}

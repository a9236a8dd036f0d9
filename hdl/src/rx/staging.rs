//! Store and forward: holds frames until they are known to be whole and their way is decided.
//!
//! Words of a frame are written as they come. With the last one the frame is committed or taken back: a
//! damaged frame, one shorter than an Ethernet header or longer than 1518 bytes, and one that found no room
//! leave no trace but a pulse. The first reason in this order counts: check sequence, length, overflow.
//!
//! Core clock, synchronous reset. One word a cycle, no backpressure. `commit` and the drop pulses come one
//! cycle after the last word; `commit_*` hold from `commit` to the next. The read side is that of [`Ring`].
//! Verified in `cosim/tests/rx_path.rs` and `cosim/tests/rx_staging.rs`.

use super::ring::Ring;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Staging memory of `2^A` words, `A1 = A + 1`.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Staging<const A: usize, const A1: usize> {
    pub cr: Cr,
    pub word: Signal<In, Bits<32>>,
    pub valid: Signal<In, Bit>,
    pub last: Signal<In, Bit>,
    pub len: Signal<In, Bits<12>>,
    pub bad_fcs: Signal<In, Bit>,
    pub from_wire: Signal<In, Bit>,
    /// The frame's information will find a place; without it the frame is dropped as an overflow.
    pub room: Signal<In, Bit>,
    /// Cycle counter.
    pub now: Signal<In, Bits<32>>,
    /// A frame was committed the cycle before.
    pub commit: Signal<Out, Bit>,
    pub commit_len: Signal<Out, Bits<11>>,
    pub commit_arrival: Signal<Out, Bits<32>>,
    pub commit_from_wire: Signal<Out, Bit>,
    pub read_addr: Signal<In, Bits<12>>,
    pub read_data: Signal<Out, Bits<32>>,
    pub free: Signal<In, Bit>,
    pub free_words: Signal<In, Bits<9>>,
    pub drop_fcs: Signal<Out, Bit>,
    pub drop_length: Signal<Out, Bit>,
    pub drop_overflow: Signal<Out, Bit>,

    ring: Ring<A, A1>,
    /// The frame met a full ring.
    spilled: Reg<Bit>,
    committed: Reg<Bit>,
    committed_len: Reg<Bits<11>>,
    committed_arrival: Reg<Bits<32>>,
    committed_wire: Reg<Bit>,
    dropped_fcs: Reg<Bit>,
    dropped_length: Reg<Bit>,
    dropped_overflow: Reg<Bit>,

    spill: Signal<Local, Bit>,
    too_long: Signal<Local, Bit>,
    too_short: Signal<Local, Bit>,
    ended: Signal<Local, Bit>,
    whole: Signal<Local, Bit>,
}

module! {
    impl [const A: usize, const A1: usize] Logic for Staging<A, A1>;
    regs: spilled, committed, committed_len, committed_arrival, committed_wire, dropped_fcs, dropped_length,
        dropped_overflow;
    children: ring;
    #[hdl_gen]
    fn update(&mut self) {
        // Stored lengths: 2 bytes of padding, 14 bytes of header at least, 1518 bytes of frame at most.
        self.too_long.next = self.len.val() > 1520;
        self.too_short.next = self.len.val() < 16;
        self.spill.next = self.spilled.q.val() || self.ring.full.val();
        self.ended.next = self.valid.val() && self.last.val();
        self.whole.next = self.ended.val()
            && !self.bad_fcs.val()
            && !self.too_long.val()
            && !self.too_short.val()
            && !self.spill.val()
            && self.room.val();

        // An endless frame must not fill the ring.
        self.ring.write.next = self.valid.val() && !self.spill.val() && !self.too_long.val();
        self.ring.write_data.next = self.word.val();
        self.ring.commit.next = self.whole.val();
        self.ring.rollback.next = self.ended.val() && !self.whole.val();
        if self.valid.val() {
            self.spilled.d.next = self.spill.val() && !self.last.val();
        }

        self.committed.d.next = self.whole.val();
        if self.whole.val() {
            self.committed_len.d.next = self.len.val().get_bits::<11>(0);
            self.committed_arrival.d.next = self.now.val();
            self.committed_wire.d.next = self.from_wire.val();
        }
        self.dropped_fcs.d.next = self.ended.val() && self.bad_fcs.val();
        self.dropped_length.d.next =
            self.ended.val() && !self.bad_fcs.val() && (self.too_long.val() || self.too_short.val());
        self.dropped_overflow.d.next = self.ended.val()
            && !self.bad_fcs.val()
            && !self.too_long.val()
            && !self.too_short.val()
            && !self.whole.val();

        self.commit.next = self.committed.q.val();
        self.commit_len.next = self.committed_len.q.val();
        self.commit_arrival.next = self.committed_arrival.q.val();
        self.commit_from_wire.next = self.committed_wire.q.val();
        self.drop_fcs.next = self.dropped_fcs.q.val();
        self.drop_length.next = self.dropped_length.q.val();
        self.drop_overflow.next = self.dropped_overflow.q.val();

        self.ring.read_addr.next = self.read_addr.val();
        self.read_data.next = self.ring.read_data.val();
        self.ring.free.next = self.free.val();
        self.ring.free_words.next = self.free_words.val();
    }
}

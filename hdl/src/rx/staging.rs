//! Store and forward: holds frames until they are known to be whole and their way is decided.
//!
//! Words of a frame are written as they come. With the last one the frame is committed or taken back. The first
//! reason in this order counts, and is a pulse; nothing else is left of such a frame:
//! 1. a bad check sequence;
//! 2. a length (without check sequence) below 14 bytes, or above 1514, 1518 with a VLAN tag, 9014 with `jumbo`;
//! 3. a destination that is refused;
//! 4. no room, in this memory or for the frame's place before the lookup.
//!
//! Core clock, synchronous reset. One word a cycle, no backpressure. `commit` and the drop pulses come one cycle after
//! the last word; `commit_*` hold from `commit` to the next. `jumbo` counts at a frame's last word. The read side is
//! that of [`Ring`]. The memory must hold the longest frame and what comes while the one before it leaves: 512 words at
//! least, 4096 for jumbo frames. Verified in `cosim/tests/rx_path.rs` and `cosim/tests/rx_staging.rs`.

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
    pub len: Signal<In, Bits<15>>,
    pub bad_fcs: Signal<In, Bit>,
    pub from_wire: Signal<In, Bit>,
    /// From [`super::Admission`], for the frame whose words pass.
    pub refuse: Signal<In, Bit>,
    pub vlan: Signal<In, Bit>,
    pub jumbo: Signal<In, Bit>,
    /// The frame's information will find a place; without it the frame is dropped as an overflow.
    pub room: Signal<In, Bit>,
    /// Cycle counter.
    pub now: Signal<In, Bits<32>>,
    /// A frame was committed the cycle before.
    pub commit: Signal<Out, Bit>,
    pub commit_len: Signal<Out, Bits<14>>,
    pub commit_arrival: Signal<Out, Bits<32>>,
    pub commit_from_wire: Signal<Out, Bit>,
    pub read_addr: Signal<In, Bits<12>>,
    pub read_data: Signal<Out, Bits<32>>,
    pub free: Signal<In, Bit>,
    pub free_words: Signal<In, Bits<12>>,
    pub drop_fcs: Signal<Out, Bit>,
    pub drop_length: Signal<Out, Bit>,
    pub drop_filter: Signal<Out, Bit>,
    pub drop_overflow: Signal<Out, Bit>,

    ring: Ring<A, A1>,
    /// The frame met a full ring.
    spilled: Reg<Bit>,
    committed: Reg<Bit>,
    committed_len: Reg<Bits<14>>,
    committed_arrival: Reg<Bits<32>>,
    committed_wire: Reg<Bit>,
    dropped_fcs: Reg<Bit>,
    dropped_length: Reg<Bit>,
    dropped_filter: Reg<Bit>,
    dropped_overflow: Reg<Bit>,

    spill: Signal<Local, Bit>,
    limit: Signal<Local, Bits<15>>,
    too_long: Signal<Local, Bit>,
    too_short: Signal<Local, Bit>,
    ended: Signal<Local, Bit>,
    sound: Signal<Local, Bit>,
    whole: Signal<Local, Bit>,
}

module! {
    impl [const A: usize, const A1: usize] Logic for Staging<A, A1>;
    regs: spilled, committed, committed_len, committed_arrival, committed_wire, dropped_fcs, dropped_length,
        dropped_filter, dropped_overflow;
    children: ring;
    #[hdl_gen]
    fn update(&mut self) {
        // Stored lengths count 2 bytes of padding.
        self.limit.next = 1516.into();
        if self.vlan.val() {
            self.limit.next = 1520.into();
        }
        if self.jumbo.val() {
            self.limit.next = 9016.into();
        }
        self.too_long.next = self.len.val() > self.limit.val();
        self.too_short.next = self.len.val() < 16;
        self.spill.next = self.spilled.q.val() || self.ring.full.val();
        self.ended.next = self.valid.val() && self.last.val();
        self.sound.next =
            self.ended.val() && !self.bad_fcs.val() && !self.too_long.val() && !self.too_short.val();
        self.whole.next = self.sound.val() && !self.refuse.val() && !self.spill.val() && self.room.val();

        // An endless frame must not fill the ring, nor one for someone else.
        self.ring.write.next =
            self.valid.val() && !self.spill.val() && !self.too_long.val() && !self.refuse.val();
        self.ring.write_data.next = self.word.val();
        self.ring.commit.next = self.whole.val();
        self.ring.rollback.next = self.ended.val() && !self.whole.val();
        if self.valid.val() {
            self.spilled.d.next = self.spill.val() && !self.last.val();
        }

        self.committed.d.next = self.whole.val();
        if self.whole.val() {
            self.committed_len.d.next = self.len.val().get_bits::<14>(0);
            self.committed_arrival.d.next = self.now.val();
            self.committed_wire.d.next = self.from_wire.val();
        }
        self.dropped_fcs.d.next = self.ended.val() && self.bad_fcs.val();
        self.dropped_length.d.next =
            self.ended.val() && !self.bad_fcs.val() && (self.too_long.val() || self.too_short.val());
        self.dropped_filter.d.next = self.sound.val() && self.refuse.val();
        self.dropped_overflow.d.next = self.sound.val() && !self.refuse.val() && !self.whole.val();

        self.commit.next = self.committed.q.val();
        self.commit_len.next = self.committed_len.q.val();
        self.commit_arrival.next = self.committed_arrival.q.val();
        self.commit_from_wire.next = self.committed_wire.q.val();
        self.drop_fcs.next = self.dropped_fcs.q.val();
        self.drop_length.next = self.dropped_length.q.val();
        self.drop_filter.next = self.dropped_filter.q.val();
        self.drop_overflow.next = self.dropped_overflow.q.val();

        self.ring.read_addr.next = self.read_addr.val();
        self.read_data.next = self.ring.read_data.val();
        self.ring.free.next = self.free.val();
        self.ring.free_words.next = self.free_words.val();
    }
}

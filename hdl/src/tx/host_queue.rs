//! The host transmit queue: descriptors in memory of the NIC, granted one by one.
//!
//! A descriptor is *pending* from the time when it has been fetched until `go` grants it; a granted one moves on to the planner
//! on its own. Up to eight wait here, up to four of them granted. `go` while nothing is pending is ignored.
//!
//! **Order of arrival.** A descriptor has arrived when its doorbell is rung, not when it is fetched: what an overloaded NIC leaves in
//! host memory does not wait behind what came later. Times are noted for 512 descriptors that wait, or as [`HostQueue::set_noted_log2`] says;
//! those beyond are noted when there is room for them.
//!
//! Core clock, synchronous reset. Four cycles a descriptor; one descriptor of a doorbell is noted in each cycle. `stamp` is that of
//! the oldest descriptor from the second cycle after a grant on. A descriptor that could not be read comes out with
//! length zero, which the planner refuses. Verified in `cosim/tests/tx`.

use crate::kit::{Cr, RamRw, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Unpacks transmit descriptors and keeps their time of arrival.
#[derive(Clone, Debug, LogicBlock)]
pub struct HostQueue {
    pub cr: Cr,
    pub now: Signal<In, Bits<32>>,
    pub prod: Signal<In, Bits<16>>,
    /// The fetcher's word stream.
    pub word: Signal<In, Bits<32>>,
    pub valid: Signal<In, Bit>,
    pub bad: Signal<In, Bit>,
    pub last: Signal<In, Bit>,
    pub pop: Signal<Out, Bit>,
    pub arrived: Signal<In, Bit>,
    /// A descriptor waits for its grant, and may have it.
    pub pending: Signal<Out, Bit>,
    /// Cycle in which its doorbell was rung.
    pub stamp: Signal<Out, Bits<32>>,
    pub go: Signal<In, Bit>,
    /// Descriptors posted and not yet granted.
    pub qlen: Signal<Out, Bits<16>>,
    /// A granted descriptor: address, length, whether a checksum is inserted, the frame injected, or cut into
    /// segments, its third word, and its fourth.
    pub frame_addr: Signal<Out, Bits<32>>,
    pub frame_length: Signal<Out, Bits<16>>,
    pub frame_checksum: Signal<Out, Bit>,
    pub frame_inject: Signal<Out, Bit>,
    pub frame_segment: Signal<Out, Bit>,
    pub frame_csum: Signal<Out, Bits<32>>,
    pub frame_cut: Signal<Out, Bits<32>>,
    pub frame_valid: Signal<Out, Bit>,
    pub frame_take: Signal<In, Bit>,

    stamps: RamRw<32, NOTED_LOG2>,
    /// Index of the next descriptor to be noted.
    noted: Reg<Bits<16>>,
    /// Descriptors that have been fetched and not granted.
    here: Reg<Bits<4>>,
    granted_index: Reg<Bits<16>>,
    waiting: Reg<Bits<16>>,
    granted: Reg<Bits<3>>,
    pos: Reg<Bits<2>>,
    held: Reg<Bit>,
    addr: Reg<Bits<32>>,
    length: Reg<Bits<16>>,
    checksum: Reg<Bit>,
    inject: Reg<Bit>,
    segment: Reg<Bit>,
    csum: Reg<Bits<32>>,
    cut: Reg<Bits<32>>,
    /// Descriptors noted and not granted, and the most that there may be.
    stamps_held: Signal<Local, Bits<16>>,
    most_noted: Constant<Bits<16>>,
    may: Signal<Local, Bit>,
    grant: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    done: Signal<Local, Bit>,
}

/// log2 of the descriptors whose arrival is noted.
const NOTED_LOG2: usize = 9;

impl Default for HostQueue {
    fn default() -> Self {
        HostQueue {
            cr: Default::default(),
            now: Default::default(),
            prod: Default::default(),
            word: Default::default(),
            valid: Default::default(),
            bad: Default::default(),
            last: Default::default(),
            pop: Default::default(),
            arrived: Default::default(),
            pending: Default::default(),
            stamp: Default::default(),
            go: Default::default(),
            qlen: Default::default(),
            frame_addr: Default::default(),
            frame_length: Default::default(),
            frame_checksum: Default::default(),
            frame_inject: Default::default(),
            frame_segment: Default::default(),
            frame_csum: Default::default(),
            frame_cut: Default::default(),
            frame_valid: Default::default(),
            frame_take: Default::default(),
            stamps: Default::default(),
            noted: Default::default(),
            here: Default::default(),
            granted_index: Default::default(),
            waiting: Default::default(),
            granted: Default::default(),
            pos: Default::default(),
            held: Default::default(),
            addr: Default::default(),
            length: Default::default(),
            checksum: Default::default(),
            inject: Default::default(),
            segment: Default::default(),
            csum: Default::default(),
            cut: Default::default(),
            stamps_held: Default::default(),
            most_noted: Constant::new(bits(1 << NOTED_LOG2)),
            may: Default::default(),
            grant: Default::default(),
            take: Default::default(),
            done: Default::default(),
        }
    }
}

impl HostQueue {
    /// Notes the arrival of at most `2^noted_log2` descriptors that wait.
    ///
    /// # Panics
    /// When they are fewer than two, or more than 512.
    pub fn set_noted_log2(&mut self, noted_log2: usize) {
        self.stamps.set_words_log2(noted_log2);
        self.most_noted = Constant::new(bits(1 << noted_log2));
    }
}

module! {
    impl [] Logic for HostQueue;
    regs: noted, here, granted_index, waiting, granted, pos, held, addr, length, checksum, inject, segment, csum, cut;
    children: stamps;
    #[hdl_gen]
    fn update(&mut self) {
        self.stamps_held.next = self.noted.q.val() - self.granted_index.q.val();
        self.stamps.write_enable.next = (self.noted.q.val() != self.prod.val()) && (self.stamps_held.val() < self.most_noted.val());
        self.stamps.write_addr.next = self.noted.q.val().get_bits::<NOTED_LOG2>(0);
        self.stamps.write_data.next = self.now.val();
        if self.stamps.write_enable.val() {
            self.noted.d.next = self.noted.q.val() + 1;
        }
        self.stamps.read_addr.next = self.granted_index.q.val().get_bits::<NOTED_LOG2>(0);
        self.stamp.next = self.stamps.read_data.val();

        self.may.next = (self.here.q.val() != 0) && !self.granted.q.val().get_bit(2);
        self.grant.next = self.may.val() && self.go.val();
        if self.arrived.val() && !self.grant.val() {
            self.here.d.next = self.here.q.val() + 1;
        }
        if self.grant.val() && !self.arrived.val() {
            self.here.d.next = self.here.q.val() - 1;
        }
        self.pending.next = self.may.val();
        self.waiting.d.next = self.prod.val() - self.granted_index.q.val();
        self.qlen.next = self.waiting.q.val();
        if self.grant.val() {
            self.granted_index.d.next = self.granted_index.q.val() + 1;
        }

        // A grant stands for a whole descriptor in the fetcher: its time was noted when its last word came.
        self.take.next = (self.granted.q.val() != 0) && !self.held.q.val();
        self.done.next = self.take.val() && self.last.val();
        self.pop.next = self.take.val() && self.valid.val();
        if self.grant.val() && !self.done.val() {
            self.granted.d.next = self.granted.q.val() + 1;
        }
        if self.done.val() && !self.grant.val() {
            self.granted.d.next = self.granted.q.val() - 1;
        }
        if self.take.val() {
            self.pos.d.next = self.pos.q.val() + 1;
            match self.pos.q.val().index() {
                0 => {
                    self.addr.d.next = self.word.val();
                }
                1 => {
                    self.length.d.next = self.word.val().get_bits::<16>(0);
                    if self.bad.val() {
                        self.length.d.next = 0.into();
                    }
                    self.checksum.d.next = self.word.val().get_bit(16);
                    self.inject.d.next = self.word.val().get_bit(17);
                    self.segment.d.next = self.word.val().get_bit(18);
                }
                2 => {
                    self.csum.d.next = self.word.val();
                }
                _ => {
                    self.cut.d.next = self.word.val();
                    self.held.d.next = true;
                }
            }
        }
        if self.frame_take.val() {
            self.held.d.next = false;
        }
        self.frame_valid.next = self.held.q.val();
        self.frame_addr.next = self.addr.q.val();
        self.frame_length.next = self.length.q.val();
        self.frame_checksum.next = self.checksum.q.val();
        self.frame_inject.next = self.inject.q.val();
        self.frame_segment.next = self.segment.q.val();
        self.frame_csum.next = self.csum.q.val();
        self.frame_cut.next = self.cut.q.val();
    }
}

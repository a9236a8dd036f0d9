//! The lookup table of the connections on the NIC.
//!
//! An exact match on remote address, local address and both ports. The low bits of a keyed hash choose a
//! bucket of four entries in block RAM; a bucket that is full refuses an insertion, nothing is ever
//! evicted. Frames and the firmware's operations share one engine, which takes a frame first whenever it is
//! free.
//!
//! Core clock, synchronous reset. A frame that may have a connection takes 15 cycles, another one cycle;
//! both come out in order. An operation takes as long, once no frame waits or seven have gone before it, so
//! that it ends within 130 cycles. It sees the frames before it looked up in the old table and those after
//! it in the new. After reset the table is cleared for `2^A` cycles, in which frames miss and operations
//! wait. `room` falls when the queue of frames is nearly full; a push beyond is lost. Verified against a
//! Rust model in `cosim/tests/rx_lookup.rs`.

use super::hash::Hash;
use super::info::{FrameInfo, RoutedFrame};
use crate::kit::{Cr, LutFifo, RamRw, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// A hash table of `2^A` entries in `2^(A-2)` buckets, from 2^6 to 2^16.
#[derive(Clone, Debug, LogicBlock)]
pub struct Lookup<const A: usize> {
    pub cr: Cr,
    pub hash_key0: Signal<In, Bits<32>>,
    pub hash_key1: Signal<In, Bits<32>>,
    /// A frame to look up.
    pub push: Signal<In, Bit>,
    pub info: Signal<In, FrameInfo>,
    /// Four more frames find a place.
    pub room: Signal<Out, Bit>,
    /// The oldest frame that was looked up.
    pub routed_valid: Signal<Out, Bit>,
    pub routed: Signal<Out, RoutedFrame>,
    pub take: Signal<In, Bit>,
    /// An operation of `abi::mmio::lookup`: everything holds from `lk_start` until `lk_busy` falls.
    pub lk_key0: Signal<In, Bits<32>>,
    pub lk_key1: Signal<In, Bits<32>>,
    pub lk_key2: Signal<In, Bits<32>>,
    pub lk_value: Signal<In, Bits<16>>,
    pub lk_op: Signal<In, Bits<2>>,
    pub lk_start: Signal<In, Bit>,
    pub lk_busy: Signal<Out, Bit>,
    pub lk_outcome: Signal<Out, Bits<2>>,
    pub lk_found: Signal<Out, Bits<16>>,

    frames: LutFifo<FrameInfo, 4, 5>,
    results: LutFifo<RoutedFrame, 4, 5>,
    hash: Hash,
    /// Key in the low 96 bits, then the value, then whether the entry stands.
    entries: RamRw<113, A>,
    /// 0 clearing, 1 idle, 2 start of the hash, 3 hash, 4 scan of the bucket, 5 end.
    state: Reg<Bits<3>>,
    /// The entry to clear next.
    sweep: Reg<Bits<A>>,
    /// The engine works on an operation.
    serves_op: Reg<Bit>,
    pending: Reg<Bit>,
    /// Frames that went before the pending operation.
    passed: Reg<Bits<3>>,
    key0: Reg<Bits<32>>,
    key1: Reg<Bits<32>>,
    key2: Reg<Bits<32>>,
    /// The way whose address is out.
    way: Reg<Bits<3>>,
    found: Reg<Bit>,
    found_value: Reg<Bits<16>>,
    found_way: Reg<Bits<2>>,
    free: Reg<Bit>,
    free_way: Reg<Bits<2>>,
    outcome: Reg<Bits<2>>,
    op_found: Reg<Bits<16>>,

    head: Signal<Local, FrameInfo>,
    routed_frame: Signal<Local, RoutedFrame>,
    needs_lookup: Signal<Local, Bit>,
    op_overdue: Signal<Local, Bit>,
    finish_frame: Signal<Local, Bit>,
    bucket: Signal<Local, Bits<A>>,
    entry: Signal<Local, Bits<113>>,
    same: Signal<Local, Bit>,
    way_before: Signal<Local, Bits<2>>,
    write_way: Signal<Local, Bits<2>>,
    new_entry: Signal<Local, Bits<113>>,
    end_op: Signal<Local, Bit>,
}

impl<const A: usize> Default for Lookup<A> {
    fn default() -> Self {
        assert!((6..=16).contains(&A), "a table of 2^{A} entries");
        Lookup {
            cr: Default::default(),
            hash_key0: Default::default(),
            hash_key1: Default::default(),
            push: Default::default(),
            info: Default::default(),
            room: Default::default(),
            routed_valid: Default::default(),
            routed: Default::default(),
            take: Default::default(),
            lk_key0: Default::default(),
            lk_key1: Default::default(),
            lk_key2: Default::default(),
            lk_value: Default::default(),
            lk_op: Default::default(),
            lk_start: Default::default(),
            lk_busy: Default::default(),
            lk_outcome: Default::default(),
            lk_found: Default::default(),
            frames: Default::default(),
            results: Default::default(),
            hash: Default::default(),
            entries: Default::default(),
            state: Default::default(),
            sweep: Default::default(),
            serves_op: Default::default(),
            pending: Default::default(),
            passed: Default::default(),
            key0: Default::default(),
            key1: Default::default(),
            key2: Default::default(),
            way: Default::default(),
            found: Default::default(),
            found_value: Default::default(),
            found_way: Default::default(),
            free: Default::default(),
            free_way: Default::default(),
            outcome: Default::default(),
            op_found: Default::default(),
            head: Default::default(),
            routed_frame: Default::default(),
            needs_lookup: Default::default(),
            op_overdue: Default::default(),
            finish_frame: Default::default(),
            bucket: Default::default(),
            entry: Default::default(),
            same: Default::default(),
            way_before: Default::default(),
            write_way: Default::default(),
            new_entry: Default::default(),
            end_op: Default::default(),
        }
    }
}

module! {
    impl [const A: usize] Logic for Lookup<A>;
    regs: state, sweep, serves_op, pending, passed, key0, key1, key2, way, found, found_value, found_way, free,
        free_way, outcome, op_found;
    children: frames, results, hash, entries;
    #[hdl_gen]
    fn update(&mut self) {
        self.frames.push.next = self.push.val();
        self.frames.data.next = self.info.val();
        // Two frames may be on their way through the parser when the count shows 12.
        self.room.next = self.frames.count.val() < 12;
        self.routed_valid.next = self.results.valid.val();
        self.routed.next = self.results.head.val();
        self.results.pop.next = self.take.val();

        self.hash.key0.next = self.hash_key0.val();
        self.hash.key1.next = self.hash_key1.val();
        self.hash.message0.next = self.key0.q.val();
        self.hash.message1.next = self.key1.q.val();
        self.hash.message2.next = self.key2.q.val();
        self.hash.start.next = self.state.q.val() == 2;

        self.head.next = self.frames.head.val();
        self.needs_lookup.next = self.head.val().candidate && (self.state.q.val() != 0);
        self.op_overdue.next =
            self.pending.q.val() && self.passed.q.val().all() && (self.state.q.val() != 0);
        // A frame leaves: at once when it needs no lookup, else when its scan has ended.
        self.finish_frame.next = (self.frames.valid.val()
            && !self.results.full.val()
            && ((self.state.q.val() == 0) || (self.state.q.val() == 1))
            && !self.needs_lookup.val()
            && !self.op_overdue.val())
            || ((self.state.q.val() == 5) && !self.serves_op.q.val());
        self.routed_frame.next.facts = self.head.val().facts;
        self.routed_frame.next.hit = (self.state.q.val() == 5) && self.found.q.val();
        self.routed_frame.next.value = self.found_value.q.val();
        self.results.data.next = self.routed_frame.val();
        self.results.push.next = self.finish_frame.val();
        self.frames.pop.next = self.finish_frame.val();

        if self.lk_start.val() {
            self.pending.d.next = true;
        }
        if self.finish_frame.val() && self.pending.q.val() && !self.passed.q.val().all() {
            self.passed.d.next = self.passed.q.val() + 1;
        }
        if self.end_op.val() {
            self.pending.d.next = false;
            self.passed.d.next = 0.into();
        }

        // The engine.
        if self.state.q.val() == 0 {
            self.sweep.d.next = self.sweep.q.val() + 1;
            if self.sweep.q.val().all() {
                self.state.d.next = 1.into();
            }
        }
        if self.state.q.val() == 1 {
            if self.frames.valid.val()
                && self.needs_lookup.val()
                && !self.results.full.val()
                && !self.op_overdue.val()
            {
                self.state.d.next = 2.into();
                self.serves_op.d.next = false;
                self.key0.d.next = self.head.val().remote_ip;
                self.key1.d.next = self.head.val().local_ip;
                self.key2.d.next = self.head.val().ports;
            } else if self.pending.q.val() && !self.finish_frame.val() {
                self.state.d.next = 2.into();
                self.serves_op.d.next = true;
                self.key0.d.next = self.lk_key0.val();
                self.key1.d.next = self.lk_key1.val();
                self.key2.d.next = self.lk_key2.val();
            }
        }
        if self.state.q.val() == 2 {
            self.state.d.next = 3.into();
        }
        if (self.state.q.val() == 3) && !self.hash.busy.val() {
            self.state.d.next = 4.into();
        }
        if (self.state.q.val() == 4) && (self.way.q.val() == 4) {
            self.state.d.next = 5.into();
        }
        if self.state.q.val() == 5 {
            self.state.d.next = 1.into();
        }

        // The scan: the address of one way goes out while the way before is compared. The address of way 0
        // is out since the hash ended.
        self.bucket.next = self.hash.digest.val().get_bits::<A>(0) << 2;
        self.entries.read_addr.next = self.bucket.val() | bit_cast::<A, 2>(self.way.q.val().get_bits::<2>(0));
        self.entry.next = self.entries.read_data.val();
        self.same.next = self.entry.val().get_bit(112)
            && (self.entry.val().get_bits::<32>(0) == self.key0.q.val())
            && (self.entry.val().get_bits::<32>(32) == self.key1.q.val())
            && (self.entry.val().get_bits::<32>(64) == self.key2.q.val());
        self.way_before.next = self.way.q.val().get_bits::<2>(0) - 1;
        self.way.d.next = 0.into();
        if (self.state.q.val() == 4) || ((self.state.q.val() == 3) && !self.hash.busy.val()) {
            self.way.d.next = self.way.q.val() + 1;
        }
        if self.state.q.val() == 2 {
            self.found.d.next = false;
            self.free.d.next = false;
        }
        if self.state.q.val() == 4 {
            if self.same.val() {
                self.found.d.next = true;
                self.found_value.d.next = self.entry.val().get_bits::<16>(96);
                self.found_way.d.next = self.way_before.val();
            }
            if !self.entry.val().get_bit(112) && !self.free.q.val() {
                self.free.d.next = true;
                self.free_way.d.next = self.way_before.val();
            }
        }

        // The end of an operation: 1 insert, 2 delete, 3 find.
        self.end_op.next = (self.state.q.val() == 5) && self.serves_op.q.val();
        if self.end_op.val() {
            self.op_found.d.next = self.found_value.q.val();
            if self.lk_op.val() == 1 {
                self.outcome.d.next = 0.into();
                if !self.free.q.val() {
                    self.outcome.d.next = 1.into();
                }
                if self.found.q.val() {
                    self.outcome.d.next = 3.into();
                }
            } else if self.found.q.val() {
                self.outcome.d.next = 0.into();
            } else {
                self.outcome.d.next = 2.into();
            }
        }
        self.entries.write_enable.next = (self.state.q.val() == 0)
            || (self.end_op.val() && (self.lk_op.val() == 1) && !self.found.q.val() && self.free.q.val())
            || (self.end_op.val() && (self.lk_op.val() == 2) && self.found.q.val());
        self.write_way.next = self.free_way.q.val();
        self.new_entry.next = 0.into();
        if self.lk_op.val() == 2 {
            self.write_way.next = self.found_way.q.val();
        } else {
            self.new_entry.next = bit_cast::<113, 32>(self.key0.q.val())
                | (bit_cast::<113, 32>(self.key1.q.val()) << 32)
                | (bit_cast::<113, 32>(self.key2.q.val()) << 64)
                | (bit_cast::<113, 16>(self.lk_value.val()) << 96)
                | (bit_cast::<113, 1>(1.into()) << 112);
        }
        self.entries.write_addr.next = self.bucket.val() | bit_cast::<A, 2>(self.write_way.val());
        self.entries.write_data.next = self.new_entry.val();
        if self.state.q.val() == 0 {
            self.entries.write_addr.next = self.sweep.q.val();
            self.entries.write_data.next = 0.into();
        }
        self.lk_busy.next = self.pending.q.val();
        self.lk_outcome.next = self.outcome.q.val();
        self.lk_found.next = self.op_found.q.val();
    }
}

//! The lookup table of the connections on the NIC.
//!
//! An exact match on the key that the P4 program makes of a frame, or of what the firmware writes. A keyed hash names two buckets of four entries, one
//! in each half of the table; a new entry goes to the bucket with more room, the left one of equals. An insertion is
//! refused when both are full, or if the program or the build has no table; nothing is ever evicted. The table has two entries for each connection that it is made
//! for, and two choices leave it so even that at that load fewer than one insertion in ten thousand is refused, one in
//! five hundred when connections come and go. Which buckets a connection has, no one can tell who lacks the hash key.
//!
//! Frames and the firmware's operations share one engine, which takes a frame first whenever it is free.
//!
//! Core clock, synchronous reset. A frame that may have a connection takes 11 cycles and one for each word of the key,
//! another one cycle; both come out in order. An operation takes as long, once no frame waits or
//! [`FRAMES_BEFORE_OPERATION`] have gone before it: seven, or 31 with keys of eight or nine words, the longest that there are. So 8 times 18 cycles
//! do for what comes in seven times 21, and 32 times 20 for what comes in 31 times 21: the queue of
//! frames never grows by more than what comes during one operation. It sees the frames before it looked up in the old table and those after
//! it in the new. After reset the table is cleared for `2^A` cycles, in which frames miss and operations
//! wait. `room` falls when the queue of frames is nearly full; a push beyond is lost. Verified against a
//! Rust model in `cosim/tests/rx_lookup.rs`; a table of sixteen entries is proven, for any hash function, in
//! `hdl/formal/lookup.sv`.

use super::hash::Hash;
use super::info::{FrameFacts, RoutedFrame};
use super::lookup_side::LookupSide;
use super::program::{Resolver, HAS_TABLE, KEY_BITS};
use crate::kit::{Cr, LutFifo, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// As many frames as may go before an operation that waits.
pub const FRAMES_BEFORE_OPERATION: u64 = if KEY_BITS <= 7 * 32 { 7 } else { 31 };

/// A table made for `2^A` connections, from 2^3 to 2^16: two halves of `2^A` entries. `2^R` frames that were looked up
/// find a place; `R1 = R + 1`.
#[derive(Clone, Debug, LogicBlock)]
pub struct Lookup<const A: usize, const R: usize, const R1: usize> {
    pub cr: Cr,
    pub hash_key0: Signal<In, Bits<32>>,
    pub hash_key1: Signal<In, Bits<32>>,
    /// A frame to look up.
    pub push: Signal<In, Bit>,
    pub facts: Signal<In, FrameFacts>,
    pub key: Signal<In, Bits<KEY_BITS>>,
    /// Four more frames find a place.
    pub room: Signal<Out, Bit>,
    /// The oldest frame that was looked up.
    pub routed_valid: Signal<Out, Bit>,
    pub routed: Signal<Out, RoutedFrame>,
    /// The host's queue and, above it, the class that the program chose for it.
    pub sort: Signal<Out, Bits<11>>,
    pub take: Signal<In, Bit>,
    /// An operation of `abi::mmio::lookup`: everything holds from `lk_start` until `lk_busy` falls.
    pub lk_key: Signal<In, Bits<KEY_BITS>>,
    pub lk_value: Signal<In, Bits<16>>,
    pub lk_op: Signal<In, Bits<2>>,
    pub lk_start: Signal<In, Bit>,
    pub lk_busy: Signal<Out, Bit>,
    pub lk_outcome: Signal<Out, Bits<2>>,
    pub lk_found: Signal<Out, Bits<16>>,

    frames: LutFifo<FrameFacts, 4, 5>,
    /// The keys of the frames.
    frame_keys: LutFifo<Bits<KEY_BITS>, 4, 5>,
    results: LutFifo<RoutedFrame, R, R1>,
    sorts: LutFifo<Bits<11>, R, R1>,
    resolver: Resolver,
    hash: Hash<KEY_BITS>,
    left: LookupSide<A>,
    right: LookupSide<A>,
    /// 0 clearing, 1 idle, 3 hash, 4 scan of the buckets, 5 end.
    state: Reg<Bits<3>>,
    /// The entry to clear next.
    sweep: Reg<Bits<A>>,
    /// The engine works on an operation.
    serves_op: Reg<Bit>,
    pending: Reg<Bit>,
    /// Frames that went before the pending operation.
    passed: Reg<Bits<5>>,
    /// What the engine works on.
    engine_key: Reg<Bits<KEY_BITS>>,
    /// The way whose address is out.
    way: Reg<Bits<3>>,
    outcome: Reg<Bits<2>>,
    op_found: Reg<Bits<16>>,

    head: Signal<Local, FrameFacts>,
    routed_frame: Signal<Local, RoutedFrame>,
    clearing: Signal<Local, Bit>,
    needs_lookup: Signal<Local, Bit>,
    /// As many frames as may go before an operation.
    most_passed: Constant<Bits<5>>,
    passed_all: Signal<Local, Bit>,
    op_overdue: Signal<Local, Bit>,
    finish_frame: Signal<Local, Bit>,
    restart: Signal<Local, Bit>,
    start_frame: Signal<Local, Bit>,
    start_op: Signal<Local, Bit>,
    next_key: Signal<Local, Bits<KEY_BITS>>,
    sorted: Signal<Local, Bits<11>>,
    scan: Signal<Local, Bit>,
    found: Signal<Local, Bit>,
    found_value: Signal<Local, Bits<16>>,
    /// There is no table, so nothing that is entered would be found: every insertion is refused, and no frame is looked up.
    tableless: Constant<Bit>,
    oldest: Signal<Local, RoutedFrame>,
    to_right: Signal<Local, Bit>,
    no_room: Signal<Local, Bit>,
    end_op: Signal<Local, Bit>,
    insert: Signal<Local, Bit>,
    remove: Signal<Local, Bit>,
}

impl<const A: usize, const R: usize, const R1: usize> Default for Lookup<A, R, R1> {
    fn default() -> Self {
        assert!((3..=16).contains(&A), "a table for 2^{A} connections");
        Lookup {
            cr: Default::default(),
            hash_key0: Default::default(),
            hash_key1: Default::default(),
            push: Default::default(),
            facts: Default::default(),
            key: Default::default(),
            room: Default::default(),
            routed_valid: Default::default(),
            routed: Default::default(),
            sort: Default::default(),
            take: Default::default(),
            lk_key: Default::default(),
            lk_value: Default::default(),
            lk_op: Default::default(),
            lk_start: Default::default(),
            lk_busy: Default::default(),
            lk_outcome: Default::default(),
            lk_found: Default::default(),
            frames: Default::default(),
            frame_keys: Default::default(),
            results: Default::default(),
            sorts: Default::default(),
            resolver: Default::default(),
            hash: Default::default(),
            left: Default::default(),
            right: Default::default(),
            state: Default::default(),
            sweep: Default::default(),
            serves_op: Default::default(),
            pending: Default::default(),
            passed: Default::default(),
            engine_key: Default::default(),
            way: Default::default(),
            outcome: Default::default(),
            op_found: Default::default(),
            head: Default::default(),
            routed_frame: Default::default(),
            clearing: Default::default(),
            needs_lookup: Default::default(),
            most_passed: Constant::new(bits(FRAMES_BEFORE_OPERATION)),
            passed_all: Default::default(),
            op_overdue: Default::default(),
            finish_frame: Default::default(),
            restart: Default::default(),
            start_frame: Default::default(),
            start_op: Default::default(),
            next_key: Default::default(),
            sorted: Default::default(),
            scan: Default::default(),
            found: Default::default(),
            found_value: Default::default(),
            tableless: Constant::new(!HAS_TABLE),
            oldest: Default::default(),
            to_right: Default::default(),
            no_room: Default::default(),
            end_op: Default::default(),
            insert: Default::default(),
            remove: Default::default(),
        }
    }
}

impl<const A: usize, const R: usize, const R1: usize> Lookup<A, R, R1> {
    /// For a build without handoff: as if the program had no table.
    pub fn set_tableless(&mut self) {
        self.tableless = Constant::new(true);
    }
}

module! {
    impl [const A: usize, const R: usize, const R1: usize] Logic for Lookup<A, R, R1>;
    regs: state, sweep, serves_op, pending, passed, engine_key, way, outcome, op_found;
    children: frames, frame_keys, results, sorts, hash, left, right;
    #[hdl_gen]
    fn update(&mut self) {
        self.frames.push.next = self.push.val();
        self.frames.data.next = self.facts.val();
        self.frame_keys.push.next = self.push.val();
        self.frame_keys.data.next = self.key.val();
        // Two frames may be on their way through the parser when the count shows 12.
        self.room.next = self.frames.count.val() < 12;
        self.routed_valid.next = self.results.valid.val();
        self.oldest.next = self.results.head.val();
        self.routed.next = self.oldest.val();
        self.routed.next.hit = self.oldest.val().hit && !self.tableless.val();
        self.results.pop.next = self.take.val();
        self.sort.next = self.sorts.head.val();
        self.sorts.pop.next = self.take.val();

        self.hash.key0.next = self.hash_key0.val();
        self.hash.key1.next = self.hash_key1.val();

        self.clearing.next = self.state.q.val() == 0;
        self.head.next = self.frames.head.val();
        self.needs_lookup.next =
            self.head.val().candidate && !self.clearing.val() && !self.tableless.val();
        self.passed_all.next = self.passed.q.val() == self.most_passed.val();
        self.op_overdue.next = self.pending.q.val() && self.passed_all.val() && !self.clearing.val();
        self.found.next = !self.tableless.val() && (self.left.found.val() || self.right.found.val());
        self.found_value.next = self.left.value.val();
        if self.right.found.val() {
            self.found_value.next = self.right.value.val();
        }
        // A frame leaves: at once when it needs no lookup, else when its scan has ended.
        self.finish_frame.next = (self.frames.valid.val()
            && !self.results.full.val()
            && (self.clearing.val() || (self.state.q.val() == 1))
            && !self.needs_lookup.val()
            && !self.op_overdue.val())
            || ((self.state.q.val() == 5) && !self.serves_op.q.val());
        self.routed_frame.next.facts = self.head.val();
        // What the program makes of the answer. The firmware's entries have the first action of the table.
        self.resolver.carry.next = self.head.val().carry;
        self.resolver.found.next = (self.state.q.val() == 5) && self.found.val();
        self.resolver.action.next = 0.into();
        self.resolver.value.next = self.found_value.val();
        self.routed_frame.next.hit = self.resolver.hit.val() && self.head.val().candidate;
        self.routed_frame.next.value = self.resolver.connection.val();
        self.routed_frame.next.drop = self.resolver.drop.val();
        self.sorted.next = bit_cast::<11, 8>(self.resolver.queue.val())
            | (bit_cast::<11, 3>(self.resolver.class_of_service.val()) << 8);
        self.sorts.data.next = self.sorted.val();
        self.sorts.push.next = self.finish_frame.val();
        self.results.data.next = self.routed_frame.val();
        self.results.push.next = self.finish_frame.val();
        self.frames.pop.next = self.finish_frame.val();
        self.frame_keys.pop.next = self.finish_frame.val();

        if self.lk_start.val() {
            self.pending.d.next = true;
        }
        if self.finish_frame.val() && self.pending.q.val() && !self.passed_all.val() {
            self.passed.d.next = self.passed.q.val() + 1;
        }
        if self.end_op.val() {
            self.pending.d.next = false;
            self.passed.d.next = 0.into();
        }

        // The engine.
        if self.clearing.val() {
            self.sweep.d.next = self.sweep.q.val() + 1;
            if self.sweep.q.val().all() {
                self.state.d.next = 1.into();
            }
        }
        self.start_frame.next = (self.state.q.val() == 1)
            && self.frames.valid.val()
            && self.needs_lookup.val()
            && !self.results.full.val()
            && !self.op_overdue.val();
        self.start_op.next = (self.state.q.val() == 1)
            && self.pending.q.val()
            && !self.finish_frame.val()
            && !self.start_frame.val();
        self.next_key.next = self.frame_keys.head.val();
        if self.start_op.val() {
            self.next_key.next = self.lk_key.val();
        }
        self.hash.message.next = self.next_key.val();
        self.hash.start.next = self.start_frame.val() || self.start_op.val();
        if self.start_frame.val() || self.start_op.val() {
            self.state.d.next = 3.into();
            self.serves_op.d.next = self.start_op.val();
            self.engine_key.d.next = self.next_key.val();
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

        // The scan, of both halves at once: the address of one way goes out while the way before is compared. The
        // address of way 0 is out since the hash ended. The digest stands until the next hash starts.
        self.way.d.next = 0.into();
        if (self.state.q.val() == 4) || ((self.state.q.val() == 3) && !self.hash.busy.val()) {
            self.way.d.next = self.way.q.val() + 1;
        }
        self.restart.next = self.start_frame.val() || self.start_op.val();
        self.scan.next = self.state.q.val() == 4;
        self.left.key.next = self.engine_key.q.val();
        self.left.bucket.next = self.hash.digest.val().get_bits::<A>(0) << 2;
        self.left.way.next = self.way.q.val().get_bits::<2>(0);
        self.left.restart.next = self.restart.val();
        self.left.scan.next = self.scan.val();
        self.right.key.next = self.engine_key.q.val();
        self.right.bucket.next = self.hash.digest.val().get_bits::<A>(16) << 2;
        self.right.way.next = self.way.q.val().get_bits::<2>(0);
        self.right.restart.next = self.restart.val();
        self.right.scan.next = self.scan.val();

        // The end of an operation: 1 insert, 2 delete, 3 find.
        self.end_op.next = (self.state.q.val() == 5) && self.serves_op.q.val();
        self.to_right.next = self.right.free.val() > self.left.free.val();
        self.no_room.next =
            self.tableless.val() || ((self.left.free.val() == 0) && (self.right.free.val() == 0));
        self.insert.next =
            self.end_op.val() && (self.lk_op.val() == 1) && !self.found.val() && !self.no_room.val();
        self.remove.next = self.end_op.val() && (self.lk_op.val() == 2);
        self.left.insert.next = self.insert.val() && !self.to_right.val();
        self.left.remove.next = self.remove.val() && self.left.found.val();
        self.left.new_value.next = self.lk_value.val();
        self.left.clear.next = self.clearing.val();
        self.left.clear_addr.next = self.sweep.q.val();
        self.right.insert.next = self.insert.val() && self.to_right.val();
        self.right.remove.next = self.remove.val() && self.right.found.val();
        self.right.new_value.next = self.lk_value.val();
        self.right.clear.next = self.clearing.val();
        self.right.clear_addr.next = self.sweep.q.val();
        if self.end_op.val() {
            self.op_found.d.next = self.found_value.val();
            if self.lk_op.val() == 1 {
                self.outcome.d.next = 0.into();
                if self.no_room.val() {
                    self.outcome.d.next = 1.into();
                }
                if self.found.val() {
                    self.outcome.d.next = 3.into();
                }
            } else if self.found.val() {
                self.outcome.d.next = 0.into();
            } else {
                self.outcome.d.next = 2.into();
            }
        }
        self.lk_busy.next = self.pending.q.val();
        self.lk_outcome.next = self.outcome.q.val();
        self.lk_found.next = self.op_found.q.val();
    }
}

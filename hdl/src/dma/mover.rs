//! Carries out the sequencer's operations: reads a source word by word, turns bytes into place, and feeds the
//! AXI writer.
//!
//! Core clock, synchronous reset. Three stages: a source word is requested, arrives, and is rotated and
//! pushed. Throughput is one word a cycle, and the first word of an operation is requested in the cycle
//! after the last of the one before; an operation from a queue whose bytes lie in a later lane than their
//! destination's takes one word more. Backpressure: `room` of the writer stops the requests, with at most
//! three words on their way. An operation with neither `write` nor `drain` only frees packets.
//!
//! A packet is freed in the cycle in which its last word is requested. Queue memories are addressed in words
//! from the start of the oldest packet and answer in the next cycle; words past the packet's end may be
//! requested, and are masked. Verified in `cosim/tests/dma_write`.

use super::op::{source, OpIn};
use super::rotator::Rotator;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The data path from the sources to the AXI writer.
#[derive(Clone, Debug, LogicBlock)]
pub struct Mover {
    pub cr: Cr,
    pub now: Signal<In, Bits<32>>,
    pub op: OpIn,
    pub hq_addr: Signal<Out, Bits<12>>,
    pub hq_data: Signal<In, Bits<32>>,
    pub hq_pop: Signal<Out, Bit>,
    pub nq_addr: Signal<Out, Bits<12>>,
    pub nq_data: Signal<In, Bits<32>>,
    pub nq_pop: Signal<Out, Bit>,
    pub evt_word: Signal<In, Bits<32>>,
    pub evt_pop: Signal<Out, Bit>,
    /// The four words of the index block; steady while an operation on them is under way.
    pub index0: Signal<In, Bits<16>>,
    pub index1: Signal<In, Bits<16>>,
    pub index2: Signal<In, Bits<16>>,
    pub index3: Signal<In, Bits<16>>,
    /// To the writer.
    pub go: Signal<Out, Bit>,
    pub word_addr: Signal<Out, Bits<30>>,
    pub words: Signal<Out, Bits<15>>,
    /// Where the run's words come from: one of [`source`].
    pub source: Signal<Out, Bits<3>>,
    pub ready: Signal<In, Bit>,
    pub push: Signal<Out, Bit>,
    pub data: Signal<Out, Bits<32>>,
    pub strobe: Signal<Out, Bits<4>>,
    pub last: Signal<Out, Bit>,
    pub room: Signal<In, Bit>,
    /// Eight words or more are still to be requested.
    pub long: Signal<Out, Bit>,
    /// A host packet has been completed, `delay` cycles after it arrived.
    pub delay_valid: Signal<Out, Bit>,
    pub delay: Signal<Out, Bits<32>>,

    // The operation under way.
    active: Reg<Bit>,
    from: Reg<Bits<3>>,
    write: Reg<Bit>,
    pop_host: Reg<Bit>,
    pop_nic: Reg<Bit>,
    /// Words still to be requested.
    left: Reg<Bits<15>>,
    /// The next word requested fills the history and makes no beat.
    prime: Reg<Bit>,
    opening: Reg<Bit>,
    first_strobe: Reg<Bits<4>>,
    last_strobe: Reg<Bits<4>>,
    shift: Reg<Bits<2>>,
    source_word: Reg<Bits<12>>,
    line: Reg<Bits<6>>,
    word0: Reg<Bits<32>>,
    word1: Reg<Bits<32>>,
    stamp: Reg<Bits<32>>,
    elapsed: Reg<Bits<32>>,
    timed: Reg<Bit>,

    // The word that arrives: its flags, and its value unless it comes from a queue memory.
    arrive_load: Reg<Bit>,
    arrive_push: Reg<Bit>,
    arrive_strobe: Reg<Bits<4>>,
    arrive_last: Reg<Bit>,
    arrive_shift: Reg<Bits<2>>,
    arrive_from: Reg<Bits<3>>,
    arrive_word: Reg<Bits<32>>,

    // The word that is rotated.
    turn_push: Reg<Bit>,
    turn_strobe: Reg<Bits<4>>,
    turn_last: Reg<Bit>,
    turn_shift: Reg<Bits<2>>,
    turn_load: Reg<Bit>,
    turn_word: Reg<Bits<32>>,
    rotator: Rotator,

    is_host: Constant<Bits<3>>,
    is_nic: Constant<Bits<3>>,
    is_completion: Constant<Bits<3>>,
    is_event: Constant<Bits<3>>,
    is_index: Constant<Bits<3>>,
    // Geometry of the operation that is offered.
    lane: Signal<Local, Bits<2>>,
    source_lane: Signal<Local, Bits<2>>,
    reach: Signal<Local, Bits<17>>,
    beats: Signal<Local, Bits<15>>,
    tail: Signal<Local, Bits<2>>,
    primed: Signal<Local, Bit>,
    reads: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    // The word that is requested.
    request: Signal<Local, Bit>,
    only: Signal<Local, Bit>,
    finish: Signal<Local, Bit>,
    mask: Signal<Local, Bits<4>>,
    other: Signal<Local, Bits<32>>,
}

impl Default for Mover {
    fn default() -> Self {
        Mover {
            cr: Default::default(),
            now: Default::default(),
            op: Default::default(),
            hq_addr: Default::default(),
            hq_data: Default::default(),
            hq_pop: Default::default(),
            nq_addr: Default::default(),
            nq_data: Default::default(),
            nq_pop: Default::default(),
            evt_word: Default::default(),
            evt_pop: Default::default(),
            index0: Default::default(),
            index1: Default::default(),
            index2: Default::default(),
            index3: Default::default(),
            go: Default::default(),
            word_addr: Default::default(),
            words: Default::default(),
            source: Default::default(),
            ready: Default::default(),
            push: Default::default(),
            data: Default::default(),
            strobe: Default::default(),
            last: Default::default(),
            room: Default::default(),
            long: Default::default(),
            delay_valid: Default::default(),
            delay: Default::default(),
            active: Default::default(),
            from: Default::default(),
            write: Default::default(),
            pop_host: Default::default(),
            pop_nic: Default::default(),
            left: Default::default(),
            prime: Default::default(),
            opening: Default::default(),
            first_strobe: Default::default(),
            last_strobe: Default::default(),
            shift: Default::default(),
            source_word: Default::default(),
            line: Default::default(),
            word0: Default::default(),
            word1: Default::default(),
            stamp: Default::default(),
            elapsed: Default::default(),
            timed: Default::default(),
            arrive_load: Default::default(),
            arrive_push: Default::default(),
            arrive_strobe: Default::default(),
            arrive_last: Default::default(),
            arrive_shift: Default::default(),
            arrive_from: Default::default(),
            arrive_word: Default::default(),
            turn_push: Default::default(),
            turn_strobe: Default::default(),
            turn_last: Default::default(),
            turn_shift: Default::default(),
            turn_load: Default::default(),
            turn_word: Default::default(),
            rotator: Default::default(),
            is_host: Constant::new(source::HOST.into()),
            is_nic: Constant::new(source::NIC.into()),
            is_completion: Constant::new(source::COMPLETION.into()),
            is_event: Constant::new(source::EVENT.into()),
            is_index: Constant::new(source::INDEX.into()),
            lane: Default::default(),
            source_lane: Default::default(),
            reach: Default::default(),
            beats: Default::default(),
            tail: Default::default(),
            primed: Default::default(),
            reads: Default::default(),
            take: Default::default(),
            request: Default::default(),
            only: Default::default(),
            finish: Default::default(),
            mask: Default::default(),
            other: Default::default(),
        }
    }
}

module! {
    impl [] Logic for Mover;
    regs: active, from, write, pop_host, pop_nic, left, prime, opening, first_strobe, last_strobe, shift,
        source_word, line, word0, word1, stamp, elapsed, timed, arrive_load, arrive_push, arrive_strobe,
        arrive_last, arrive_shift, arrive_from, arrive_word, turn_push, turn_strobe, turn_last, turn_shift,
        turn_load, turn_word;
    children: rotator;
    #[hdl_gen]
    fn update(&mut self) {
        // Geometry: `reach` counts from the start of the destination's first word.
        self.lane.next = self.op.addr.val().get_bits::<2>(0);
        self.source_lane.next = self.op.offset.val().get_bits::<2>(0);
        self.reach.next = bit_cast::<17, 16>(self.op.len.val()) + bit_cast::<17, 2>(self.lane.val());
        self.beats.next = self.reach.val().get_bits::<15>(2);
        if self.reach.val().get_bits::<2>(0).any() {
            self.beats.next = self.reach.val().get_bits::<15>(2) + 1;
        }
        self.tail.next = bits::<2>(0) - self.reach.val().get_bits::<2>(0);
        self.primed.next = self.source_lane.val() > self.lane.val();
        self.reads.next = self.op.write.val() || self.op.drain.val();

        // The word that is requested, and the end of an operation.
        self.request.next = self.active.q.val() && self.left.q.val().any() && self.room.val();
        self.only.next = self.left.q.val() == 1;
        self.finish.next =
            self.active.q.val() && (!self.left.q.val().any() || (self.only.val() && self.room.val()));
        self.take.next = self.op.valid.val()
            && (!self.active.q.val() || self.finish.val())
            && (!self.op.write.val() || self.ready.val());
        self.op.take.next = self.take.val();

        self.hq_addr.next = self.source_word.q.val();
        self.nq_addr.next = self.source_word.q.val();
        self.evt_pop.next = self.request.val() && (self.from.q.val() == self.is_event.val());
        self.hq_pop.next = self.finish.val() && self.pop_host.q.val();
        self.nq_pop.next = self.finish.val() && self.pop_nic.q.val();

        if self.finish.val() {
            self.active.d.next = false;
        }
        if self.request.val() {
            self.left.d.next = self.left.q.val() - 1;
            self.source_word.d.next = self.source_word.q.val() + 1;
            self.prime.d.next = false;
        }
        if self.request.val() && !self.prime.q.val() {
            self.opening.d.next = false;
            self.line.d.next = self.line.q.val() + 1;
        }
        if self.take.val() {
            self.active.d.next = true;
            self.from.d.next = self.op.source.val();
            self.write.d.next = self.op.write.val();
            self.pop_host.d.next = self.op.pop_host.val();
            self.pop_nic.d.next = self.op.pop_nic.val();
            self.left.d.next = 0.into();
            self.prime.d.next = self.primed.val();
            self.opening.d.next = true;
            self.first_strobe.d.next = bits::<4>(15) << self.lane.val();
            self.last_strobe.d.next = bits::<4>(15) >> self.tail.val();
            self.shift.d.next = self.source_lane.val() - self.lane.val();
            self.source_word.d.next = self.op.offset.val().get_bits::<12>(2);
            self.line.d.next = self.op.addr.val().get_bits::<6>(2);
        }
        if self.take.val() && self.reads.val() {
            self.left.d.next = self.beats.val() + bit_cast::<15, 1>(self.primed.val().into());
        }
        self.go.next = self.take.val() && self.op.write.val();
        self.word_addr.next = self.op.addr.val().get_bits::<30>(2);
        self.words.next = self.beats.val();
        self.source.next = self.op.source.val();
        self.long.next = self.active.q.val() && self.left.q.val().get_bits::<12>(3).any();

        // A completion carries its own words; its delay is known when it starts.
        self.timed.d.next = false;
        if self.take.val() && (self.op.source.val() == self.is_completion.val()) {
            self.word0.d.next = self.op.word0.val();
            self.word1.d.next = self.op.word1.val();
            self.stamp.d.next = self.now.val();
            self.elapsed.d.next = self.now.val() - self.op.word1.val();
            self.timed.d.next = self.op.timed.val();
        }
        self.delay_valid.next = self.timed.q.val();
        self.delay.next = self.elapsed.q.val();

        self.mask.next = bits::<4>(15);
        if self.opening.q.val() && self.only.val() {
            self.mask.next = self.first_strobe.q.val() & self.last_strobe.q.val();
        } else if self.opening.q.val() {
            self.mask.next = self.first_strobe.q.val();
        } else if self.only.val() {
            self.mask.next = self.last_strobe.q.val();
        }
        self.other.next = self.evt_word.val();
        if self.from.q.val() == self.is_completion.val() {
            match self.source_word.q.val().get_bits::<2>(0).index() {
                0 => { self.other.next = self.word0.q.val(); }
                1 => { self.other.next = self.word1.q.val(); }
                2 => { self.other.next = self.stamp.q.val(); }
                _ => { self.other.next = 0.into(); }
            }
        }
        if self.from.q.val() == self.is_index.val() {
            match self.source_word.q.val().get_bits::<2>(0).index() {
                0 => { self.other.next = bit_cast::<32, 16>(self.index0.val()); }
                1 => { self.other.next = bit_cast::<32, 16>(self.index1.val()); }
                2 => { self.other.next = bit_cast::<32, 16>(self.index2.val()); }
                _ => { self.other.next = bit_cast::<32, 16>(self.index3.val()); }
            }
        }

        self.arrive_load.d.next = self.request.val();
        self.arrive_push.d.next = self.request.val() && self.write.q.val() && !self.prime.q.val();
        self.arrive_strobe.d.next = self.mask.val();
        self.arrive_last.d.next = self.only.val() || self.line.q.val().all();
        self.arrive_shift.d.next = self.shift.q.val();
        self.arrive_from.d.next = self.from.q.val();
        self.arrive_word.d.next = self.other.val();

        self.turn_load.d.next = self.arrive_load.q.val();
        self.turn_push.d.next = self.arrive_push.q.val();
        self.turn_strobe.d.next = self.arrive_strobe.q.val();
        self.turn_last.d.next = self.arrive_last.q.val();
        self.turn_shift.d.next = self.arrive_shift.q.val();
        self.turn_word.d.next = self.arrive_word.q.val();
        if self.arrive_from.q.val() == self.is_host.val() {
            self.turn_word.d.next = self.hq_data.val();
        }
        if self.arrive_from.q.val() == self.is_nic.val() {
            self.turn_word.d.next = self.nq_data.val();
        }

        self.rotator.load.next = self.turn_load.q.val();
        self.rotator.word.next = self.turn_word.q.val();
        self.rotator.shift.next = self.turn_shift.q.val();
        self.push.next = self.turn_push.q.val();
        self.data.next = self.rotator.beat.val();
        self.strobe.next = self.turn_strobe.q.val();
        self.last.next = self.turn_last.q.val();
    }
}

//! Steering: moves each staged frame to the queue where it belongs, or drops it.
//!
//! A frame whose checksums or lengths are wrong is dropped, and so is one that the P4 program drops. One with a connection on the NIC goes to the
//! NIC's queue, with a descriptor made from its headers on the way; every other one goes to the host's
//! queue. A frame that does not fit its queue is dropped. Each outcome is a pulse.
//!
//! Host frames do not wait behind a NIC frame: while one is copied, a host frame that has been judged passes it, and
//! the copy goes on where it was. It is left to come after if it is a jumbo frame or if 128 words have passed the same
//! frame already, which bounds how long staging keeps what has been copied. Each queue gets its frames in order.
//!
//! Core clock, synchronous reset. A frame of `n` stored words takes `n + 2` cycles: it is judged in the first, unless another is copied
//! then, and starts in the second, which costs the other nothing if it passes one; a dropped frame takes two. A frame has
//! two words at least. The staging memory holds the frame from offset 0 and answers reads a cycle later; each word is freed
//! as it leaves, so that the memory need not hold two of the longest frames, and the words of frames that passed are
//! freed with the last word of the frame that they passed. Verified in `cosim/tests/rx_path.rs` and
//! `cosim/tests/rx_blocks.rs`.

use super::info::{FrameFacts, Packet, RoutedFrame};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Steers to a host queue of `2^(H1-1)` words and a NIC queue of `2^(N1-1)` words.
#[derive(Clone, Debug, LogicBlock)]
pub struct Steer<const H1: usize, const N1: usize> {
    pub cr: Cr,
    pub routed_valid: Signal<In, Bit>,
    pub routed: Signal<In, RoutedFrame>,
    /// Cycle at which the last word of the routed frame arrived.
    pub arrival: Signal<In, Bits<32>>,
    /// Its queue and class, if it is the host's.
    pub sort: Signal<In, Bits<11>>,
    pub take: Signal<Out, Bit>,
    /// Staging memory.
    pub read_addr: Signal<Out, Bits<12>>,
    pub read_data: Signal<In, Bits<32>>,
    pub free: Signal<Out, Bit>,
    pub free_words: Signal<Out, Bits<12>>,
    /// Queues.
    pub host_used: Signal<In, Bits<H1>>,
    pub host_room: Signal<In, Bit>,
    pub host_write: Signal<Out, Bit>,
    pub host_push: Signal<Out, Bit>,
    pub nic_used: Signal<In, Bits<N1>>,
    pub nic_room: Signal<In, Bit>,
    pub nic_write: Signal<Out, Bit>,
    pub nic_push: Signal<Out, Bit>,
    pub write_data: Signal<Out, Bits<32>>,
    pub packet: Signal<Out, Packet>,
    pub desc_write: Signal<Out, Bit>,
    pub desc_index: Signal<Out, Bits<4>>,
    pub desc_data: Signal<Out, Bits<32>>,
    /// Connection and payload bytes of the frame that `to_nic` speaks of.
    pub nic_value: Signal<Out, Bits<16>>,
    pub nic_payload: Signal<Out, Bits<14>>,
    /// Outcomes: a bad frame, and where the good ones went.
    pub bad: Signal<Out, Bit>,
    pub refused: Signal<Out, Bit>,
    pub to_host: Signal<Out, Bit>,
    pub host_drop: Signal<Out, Bit>,
    pub to_nic: Signal<Out, Bit>,
    pub nic_drop: Signal<Out, Bit>,

    /// The frame at the head is being copied to the host's queue, with this word of it on `read_data`.
    host_busy: Reg<Bit>,
    host_place: Reg<Bits<12>>,
    /// A frame that has left the head is being copied to the NIC's queue; unless a host frame passes it, this word of it
    /// is on `read_data`.
    nic_busy: Reg<Bit>,
    place: Reg<Bits<12>>,
    nic_words: Reg<Bits<12>>,
    nic_frame: Reg<RoutedFrame>,
    nic_arrival: Reg<Bits<32>>,
    /// The word that is copied next of either is its last.
    host_ends: Reg<Bit>,
    nic_ends: Reg<Bit>,
    /// Of the frame at the head, from its second cycle there on: its words, and whether its queues had room for them.
    judged: Reg<Bit>,
    words: Reg<Bits<12>>,
    host_fits: Reg<Bit>,
    nic_fits: Reg<Bit>,
    /// Words of host frames that have passed it, and where the next word of such a frame lies.
    passed: Reg<Bits<12>>,
    ahead: Reg<Bits<12>>,

    capacity_host: Constant<Bits<H1>>,
    capacity_nic: Constant<Bits<N1>>,
    frame: Signal<Local, RoutedFrame>,
    facts: Signal<Local, FrameFacts>,
    rounded: Signal<Local, Bits<14>>,
    /// Of the frame at the head.
    words_stored: Signal<Local, Bits<12>>,
    host_free: Signal<Local, Bits<H1>>,
    nic_free: Signal<Local, Bits<N1>>,
    decide: Signal<Local, Bit>,
    is_good: Signal<Local, Bit>,
    drop: Signal<Local, Bit>,
    nic_facts: Signal<Local, FrameFacts>,
    start_host: Signal<Local, Bit>,
    start_nic: Signal<Local, Bit>,
    pass: Signal<Local, Bit>,
    nic_turn: Signal<Local, Bit>,
    host_next: Signal<Local, Bits<12>>,
    nic_next: Signal<Local, Bits<12>>,
    host_last: Signal<Local, Bit>,
    nic_last: Signal<Local, Bit>,
    behind: Signal<Local, Bits<12>>,
    big: Signal<Local, Bits<32>>,
    payload_offset: Signal<Local, Bits<32>>,
    /// Of the word that is copied, counted from the TCP header's first.
    segment_place: Signal<Local, Bits<12>>,
    option_index: Signal<Local, Bits<4>>,
    field_index: Signal<Local, Bits<4>>,
}

impl<const H1: usize, const N1: usize> Default for Steer<H1, N1> {
    fn default() -> Self {
        assert!(H1 >= 12 && N1 >= 12, "queues of {H1} and {N1} bits to count their words");
        Steer {
            cr: Default::default(),
            routed_valid: Default::default(),
            routed: Default::default(),
            arrival: Default::default(),
            sort: Default::default(),
            take: Default::default(),
            read_addr: Default::default(),
            read_data: Default::default(),
            free: Default::default(),
            free_words: Default::default(),
            host_used: Default::default(),
            host_room: Default::default(),
            host_write: Default::default(),
            host_push: Default::default(),
            nic_used: Default::default(),
            nic_room: Default::default(),
            nic_write: Default::default(),
            nic_push: Default::default(),
            write_data: Default::default(),
            packet: Default::default(),
            desc_write: Default::default(),
            desc_index: Default::default(),
            desc_data: Default::default(),
            nic_value: Default::default(),
            nic_payload: Default::default(),
            bad: Default::default(),
            refused: Default::default(),
            to_host: Default::default(),
            host_drop: Default::default(),
            to_nic: Default::default(),
            nic_drop: Default::default(),
            host_busy: Default::default(),
            host_place: Default::default(),
            nic_busy: Default::default(),
            place: Default::default(),
            nic_words: Default::default(),
            nic_frame: Default::default(),
            nic_arrival: Default::default(),
            host_ends: Default::default(),
            nic_ends: Default::default(),
            judged: Default::default(),
            words: Default::default(),
            host_fits: Default::default(),
            nic_fits: Default::default(),
            passed: Default::default(),
            ahead: Default::default(),
            capacity_host: Constant::new(bits(1 << (H1 - 1))),
            capacity_nic: Constant::new(bits(1 << (N1 - 1))),
            frame: Default::default(),
            facts: Default::default(),
            rounded: Default::default(),
            words_stored: Default::default(),
            host_free: Default::default(),
            nic_free: Default::default(),
            decide: Default::default(),
            is_good: Default::default(),
            drop: Default::default(),
            nic_facts: Default::default(),
            start_host: Default::default(),
            start_nic: Default::default(),
            pass: Default::default(),
            nic_turn: Default::default(),
            host_next: Default::default(),
            nic_next: Default::default(),
            host_last: Default::default(),
            nic_last: Default::default(),
            behind: Default::default(),
            big: Default::default(),
            payload_offset: Default::default(),
            segment_place: Default::default(),
            option_index: Default::default(),
            field_index: Default::default(),
        }
    }
}

module! {
    impl [const H1: usize, const N1: usize] Logic for Steer<H1, N1>;
    regs: host_busy, host_place, nic_busy, place, nic_words, nic_frame, nic_arrival, host_ends, nic_ends, judged, words, host_fits, nic_fits, passed, ahead;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.frame.next = self.routed.val();
        self.facts.next = self.frame.val().facts;
        self.rounded.next = self.facts.val().stored_len + 3;
        self.words_stored.next = self.rounded.val().get_bits::<12>(2);
        self.host_free.next = self.capacity_host.val() - self.host_used.val();
        self.nic_free.next = self.capacity_nic.val() - self.nic_used.val();
        // The sums stand in registers: what they decide reaches every queue.
        self.words.d.next = self.words_stored.val();
        self.host_fits.d.next = self.host_room.val()
            && (self.host_free.val() >= bit_cast::<H1, 12>(self.words_stored.val()));
        self.nic_fits.d.next = self.nic_room.val()
            && (self.nic_free.val() >= bit_cast::<N1, 12>(self.words_stored.val()));

        // The decision, while nothing is being copied.
        self.decide.next = self.judged.q.val() && !self.host_busy.q.val() && !self.nic_busy.q.val();
        self.is_good.next = self.decide.val() && !self.facts.val().bad && !self.frame.val().drop;
        self.refused.next = self.decide.val() && !self.facts.val().bad && self.frame.val().drop;
        self.bad.next = self.decide.val() && self.facts.val().bad;
        self.nic_drop.next = self.is_good.val() && self.frame.val().hit && !self.nic_fits.q.val();
        self.host_drop.next = self.is_good.val() && !self.frame.val().hit && !self.host_fits.q.val();
        self.drop.next = (self.decide.val() && (self.facts.val().bad || self.frame.val().drop))
            || (self.is_good.val() && self.frame.val().hit && !self.nic_fits.q.val())
            || (self.is_good.val() && !self.frame.val().hit && !self.host_fits.q.val());
        self.start_nic.next = self.is_good.val() && self.frame.val().hit && self.nic_fits.q.val();

        // A host frame passes the NIC frame that is being copied, unless that is just about to end.
        self.nic_turn.next = self.nic_busy.q.val() && !self.host_busy.q.val();
        self.nic_next.next = self.place.q.val() + 1;
        self.nic_last.next = self.nic_turn.val() && self.nic_ends.q.val();
        self.pass.next = self.nic_turn.val()
            && !self.nic_ends.q.val()
            && self.judged.q.val()
            && !self.facts.val().bad
            && !self.frame.val().drop
            && !self.frame.val().hit
            && self.host_fits.q.val()
            && !self.words.q.val().get_bits::<3>(9).any()
            && !self.passed.q.val().get_bits::<5>(7).any();
        self.start_host.next =
            (self.is_good.val() && !self.frame.val().hit && self.host_fits.q.val()) || self.pass.val();
        self.host_next.next = self.host_place.q.val() + 1;
        self.host_last.next = self.host_busy.q.val() && self.host_ends.q.val();

        // What is read. Word 0 is read during the decision; then the oldest word is the one that is on `read_data`,
        // and leaves, so that the one after it is at place 1. A frame that passes lies behind what is left of the NIC
        // frame and those that passed before, and nothing leaves meanwhile.
        self.behind.next = self.nic_words.q.val() - self.place.q.val() + self.passed.q.val();
        self.read_addr.next = 0.into();
        self.free.next = self.drop.val();
        self.free_words.next = self.words.q.val();
        if self.host_busy.q.val() {
            self.host_place.d.next = self.host_next.val();
            self.host_ends.d.next = self.host_next.val() + 1 == self.words.q.val();
            if self.nic_busy.q.val() {
                self.ahead.d.next = self.ahead.q.val() + 1;
                if !self.host_last.val() {
                    self.read_addr.next = self.ahead.q.val();
                }
            } else {
                self.read_addr.next = 1.into();
                self.free.next = true;
                self.free_words.next = 1.into();
            }
        }
        if self.nic_turn.val() {
            self.place.d.next = self.nic_next.val();
            self.nic_ends.d.next = self.nic_next.val() + 1 == self.nic_words.q.val();
            self.read_addr.next = 1.into();
            self.free.next = true;
            self.free_words.next = 1.into();
            if self.nic_last.val() {
                self.free_words.next = self.passed.q.val() + 1;
            }
            if self.pass.val() {
                self.read_addr.next = self.behind.val();
                self.ahead.d.next = self.behind.val();
            }
        }

        // From frame to frame.
        if self.host_last.val() {
            self.host_busy.d.next = false;
            if self.nic_busy.q.val() {
                self.passed.d.next = self.passed.q.val() + self.words.q.val();
            }
        }
        if self.nic_last.val() {
            self.nic_busy.d.next = false;
        }
        if self.start_host.val() {
            self.host_busy.d.next = true;
            self.host_place.d.next = 0.into();
            self.host_ends.d.next = false;
        }
        if self.start_nic.val() {
            self.nic_busy.d.next = true;
            self.place.d.next = 0.into();
            self.nic_ends.d.next = false;
            self.passed.d.next = 0.into();
            self.nic_words.d.next = self.words.q.val();
            self.nic_frame.d.next = self.frame.val();
            self.nic_arrival.d.next = self.arrival.val();
        }
        self.take.next = self.drop.val() || self.host_last.val() || self.start_nic.val();
        // With a frame's last word its queue has less room than was seen.
        self.judged.d.next = self.routed_valid.val() && !self.take.val() && !self.nic_last.val();

        self.write_data.next = self.read_data.val();
        self.host_write.next = self.host_busy.q.val();
        self.nic_write.next = self.nic_turn.val();
        self.host_push.next = self.host_last.val();
        self.nic_push.next = self.nic_last.val();
        self.to_host.next = self.host_last.val();
        self.to_nic.next = self.nic_last.val();
        self.nic_facts.next = self.nic_frame.q.val().facts;
        self.nic_value.next = self.nic_frame.q.val().value;
        self.nic_payload.next = self.nic_facts.val().payload_len;
        self.packet.next.stored_len = self.facts.val().stored_len;
        self.packet.next.arrival = self.arrival.val();
        self.packet.next.verified = self.facts.val().verified;
        self.packet.next.sort = self.sort.val();
        if self.nic_turn.val() {
            self.packet.next.stored_len = self.nic_facts.val().stored_len;
            self.packet.next.arrival = self.nic_arrival.q.val();
            self.packet.next.verified = self.nic_facts.val().verified;
        }

        // The descriptor: three words of findings with the first words of the frame, then the TCP header's
        // own words as they pass. A segment has at least the 14 words up to its window, so all are written
        // before the push; the words after a shorter header are payload, and nobody's business.
        self.big.next = bit_cast::<32, 8>(self.read_data.val().get_bits::<8>(0)) << 24
            | bit_cast::<32, 8>(self.read_data.val().get_bits::<8>(8)) << 16
            | bit_cast::<32, 8>(self.read_data.val().get_bits::<8>(16)) << 8
            | bit_cast::<32, 8>(self.read_data.val().get_bits::<8>(24));
        self.payload_offset.next = (bit_cast::<32, 4>(self.nic_facts.val().data_offset) << 2)
            + (bit_cast::<32, 5>(self.nic_facts.val().segment_word) << 2);
        self.segment_place.next = self.place.q.val() - bit_cast::<12, 5>(self.nic_facts.val().segment_word);
        self.option_index.next = self.segment_place.val().get_bits::<4>(0) + 1;
        self.field_index.next = self.segment_place.val().get_bits::<4>(0) + 2;
        self.desc_write.next = false;
        self.desc_index.next = self.option_index.val();
        self.desc_data.next = self.big.val();
        if (self.segment_place.val() >= 5) && (self.segment_place.val() < 15) {
            self.desc_write.next = self.nic_turn.val();
        }
        if (self.segment_place.val() >= 1) && (self.segment_place.val() < 4) {
            self.desc_write.next = self.nic_turn.val();
            self.desc_index.next = self.field_index.val();
        }
        if self.place.q.val() == 0 {
            self.desc_write.next = self.nic_turn.val();
            self.desc_index.next = 0.into();
            self.desc_data.next = bit_cast::<32, 16>(self.nic_frame.q.val().value)
                | (bit_cast::<32, 14>(self.nic_facts.val().payload_len) << 16);
        }
        if self.place.q.val() == 1 {
            self.desc_write.next = self.nic_turn.val();
            self.desc_index.next = 1.into();
            self.desc_data.next = self.payload_offset.val()
                | (bit_cast::<32, 2>(self.nic_facts.val().ecn) << 14)
                | (bit_cast::<32, 14>(self.nic_facts.val().payload_len) << 16);
        }
        if self.place.q.val() == 2 {
            self.desc_write.next = self.nic_turn.val();
            self.desc_index.next = 2.into();
            self.desc_data.next = self.nic_arrival.q.val();
        }
    }
}

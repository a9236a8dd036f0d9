//! Steering: moves each staged frame to the queue where it belongs, or drops it.
//!
//! A frame whose checksums or lengths are wrong is dropped. One with a connection on the NIC goes to the
//! NIC's queue, with a descriptor made from its headers on the way; every other one goes to the host's
//! queue. A frame that does not fit its queue is dropped. Each outcome is a pulse.
//!
//! Core clock, synchronous reset. A frame of `n` stored words takes `n + 1` cycles, a dropped one takes
//! one. The staging memory holds the frame from offset 0 and answers reads a cycle later; each word is freed as it
//! leaves, so that the memory need not hold two of the longest frames. Verified in `cosim/tests/rx_path.rs`.

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
    /// Outcomes: a bad frame, and where the good ones went.
    pub bad: Signal<Out, Bit>,
    pub to_host: Signal<Out, Bit>,
    pub host_drop: Signal<Out, Bit>,
    pub to_nic: Signal<Out, Bit>,
    pub nic_drop: Signal<Out, Bit>,

    copying: Reg<Bit>,
    to_nic_queue: Reg<Bit>,
    /// The word that is on `read_data`.
    place: Reg<Bits<12>>,

    capacity_host: Constant<Bits<H1>>,
    capacity_nic: Constant<Bits<N1>>,
    frame: Signal<Local, RoutedFrame>,
    facts: Signal<Local, FrameFacts>,
    rounded: Signal<Local, Bits<14>>,
    words: Signal<Local, Bits<12>>,
    host_free: Signal<Local, Bits<H1>>,
    nic_free: Signal<Local, Bits<N1>>,
    host_fits: Signal<Local, Bit>,
    nic_fits: Signal<Local, Bit>,
    decide: Signal<Local, Bit>,
    is_good: Signal<Local, Bit>,
    drop: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    next_place: Signal<Local, Bits<12>>,
    big: Signal<Local, Bits<32>>,
    payload_offset: Signal<Local, Bits<32>>,
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
            bad: Default::default(),
            to_host: Default::default(),
            host_drop: Default::default(),
            to_nic: Default::default(),
            nic_drop: Default::default(),
            copying: Default::default(),
            to_nic_queue: Default::default(),
            place: Default::default(),
            capacity_host: Constant::new(bits(1 << (H1 - 1))),
            capacity_nic: Constant::new(bits(1 << (N1 - 1))),
            frame: Default::default(),
            facts: Default::default(),
            rounded: Default::default(),
            words: Default::default(),
            host_free: Default::default(),
            nic_free: Default::default(),
            host_fits: Default::default(),
            nic_fits: Default::default(),
            decide: Default::default(),
            is_good: Default::default(),
            drop: Default::default(),
            last: Default::default(),
            next_place: Default::default(),
            big: Default::default(),
            payload_offset: Default::default(),
            option_index: Default::default(),
            field_index: Default::default(),
        }
    }
}

module! {
    impl [const H1: usize, const N1: usize] Logic for Steer<H1, N1>;
    regs: copying, to_nic_queue, place;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.frame.next = self.routed.val();
        self.facts.next = self.frame.val().facts;
        self.rounded.next = self.facts.val().stored_len + 3;
        self.words.next = self.rounded.val().get_bits::<12>(2);
        self.host_free.next = self.capacity_host.val() - self.host_used.val();
        self.nic_free.next = self.capacity_nic.val() - self.nic_used.val();
        self.host_fits.next =
            self.host_room.val() && (self.host_free.val() >= bit_cast::<H1, 12>(self.words.val()));
        self.nic_fits.next =
            self.nic_room.val() && (self.nic_free.val() >= bit_cast::<N1, 12>(self.words.val()));

        // The decision, while nothing is being copied.
        self.decide.next = self.routed_valid.val() && !self.copying.q.val();
        self.is_good.next = self.decide.val() && !self.facts.val().bad;
        self.bad.next = self.decide.val() && self.facts.val().bad;
        self.nic_drop.next = self.is_good.val() && self.frame.val().hit && !self.nic_fits.val();
        self.host_drop.next = self.is_good.val() && !self.frame.val().hit && !self.host_fits.val();
        self.drop.next = (self.decide.val() && self.facts.val().bad)
            || (self.is_good.val() && self.frame.val().hit && !self.nic_fits.val())
            || (self.is_good.val() && !self.frame.val().hit && !self.host_fits.val());

        // The copy. Word 0 is read during the decision; then the oldest word is the one that is on `read_data`, and
        // leaves, so that the one after it is at place 1.
        self.last.next = self.copying.q.val() && (self.place.q.val() + 1 == self.words.val());
        self.next_place.next = self.place.q.val() + 1;
        self.read_addr.next = 0.into();
        if self.copying.q.val() {
            self.read_addr.next = 1.into();
            self.place.d.next = self.next_place.val();
        }
        if self.decide.val() && !self.drop.val() {
            self.copying.d.next = true;
            self.to_nic_queue.d.next = self.frame.val().hit;
            self.place.d.next = 0.into();
        }
        if self.last.val() {
            self.copying.d.next = false;
        }
        self.take.next = self.drop.val() || self.last.val();
        self.free.next = self.drop.val() || self.copying.q.val();
        self.free_words.next = self.words.val();
        if self.copying.q.val() {
            self.free_words.next = 1.into();
        }

        self.write_data.next = self.read_data.val();
        self.host_write.next = self.copying.q.val() && !self.to_nic_queue.q.val();
        self.nic_write.next = self.copying.q.val() && self.to_nic_queue.q.val();
        self.host_push.next = self.last.val() && !self.to_nic_queue.q.val();
        self.nic_push.next = self.last.val() && self.to_nic_queue.q.val();
        self.to_host.next = self.last.val() && !self.to_nic_queue.q.val();
        self.to_nic.next = self.last.val() && self.to_nic_queue.q.val();
        self.packet.next.stored_len = self.facts.val().stored_len;
        self.packet.next.arrival = self.arrival.val();
        self.packet.next.verified = self.facts.val().verified;

        // The descriptor: three words of findings with the first words of the frame, then the TCP header's
        // own words as they pass. A segment has at least the 14 words up to its window, so all are written
        // before the push; the words after a shorter header are payload, and nobody's business.
        self.big.next = bit_cast::<32, 8>(self.read_data.val().get_bits::<8>(0)) << 24
            | bit_cast::<32, 8>(self.read_data.val().get_bits::<8>(8)) << 16
            | bit_cast::<32, 8>(self.read_data.val().get_bits::<8>(16)) << 8
            | bit_cast::<32, 8>(self.read_data.val().get_bits::<8>(24));
        self.payload_offset.next = (bit_cast::<32, 4>(self.facts.val().data_offset) << 2) + 36;
        self.option_index.next = self.place.q.val().get_bits::<4>(0) - 8;
        self.field_index.next = self.place.q.val().get_bits::<4>(0) - 7;
        self.desc_write.next = false;
        self.desc_index.next = self.option_index.val();
        self.desc_data.next = self.big.val();
        if (self.place.q.val() >= 14) && (self.place.q.val() < 24) {
            self.desc_write.next = self.copying.q.val() && self.to_nic_queue.q.val();
        }
        if (self.place.q.val() >= 10) && (self.place.q.val() < 13) {
            self.desc_write.next = self.copying.q.val() && self.to_nic_queue.q.val();
            self.desc_index.next = self.field_index.val();
        }
        if self.place.q.val() == 0 {
            self.desc_write.next = self.copying.q.val() && self.to_nic_queue.q.val();
            self.desc_index.next = 0.into();
            self.desc_data.next = bit_cast::<32, 16>(self.frame.val().value)
                | (bit_cast::<32, 14>(self.facts.val().payload_len) << 16);
        }
        if self.place.q.val() == 1 {
            self.desc_write.next = self.copying.q.val() && self.to_nic_queue.q.val();
            self.desc_index.next = 1.into();
            self.desc_data.next = self.payload_offset.val()
                | (bit_cast::<32, 2>(self.facts.val().ecn) << 12)
                | (bit_cast::<32, 14>(self.facts.val().stored_len) << 16);
        }
        if self.place.q.val() == 2 {
            self.desc_write.next = self.copying.q.val() && self.to_nic_queue.q.val();
            self.desc_index.next = 2.into();
            self.desc_data.next = self.arrival.val();
        }
    }
}

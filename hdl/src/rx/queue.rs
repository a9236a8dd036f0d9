//! Queues of received packets.
//!
//! A packet in a queue is seen from two sides. The *waiting* side counts and orders the packets that no one
//! has looked at yet; the *memory* side gives access to the bytes of the oldest packet and frees it.
//! [`PacketQueue`] has both; [`HostQueue`] and [`NicQueue`] add what is special to each.
//!
//! Core clock, synchronous reset. A packet is written a word a cycle and pushed with its last word; it
//! appears on both sides in the next cycle. Every read answers one cycle after its address. The writer asks
//! `used_words` and `room` before it starts: a push without room would be lost. `advance` and `pop` of an
//! empty side are ignored. Verified in `cosim/tests/rx_path.rs` and
//! `cosim/tests/rx_blocks.rs`.

use super::info::Packet;
use super::ring::Ring;
use crate::kit::{Cr, LutFifo, RamRw, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// `2^A` words for at most `2^D` packets; `A1 = A + 1`, `D1 = D + 1`.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct PacketQueue<const A: usize, const A1: usize, const D: usize, const D1: usize> {
    pub cr: Cr,
    pub write: Signal<In, Bit>,
    pub write_data: Signal<In, Bits<32>>,
    /// With the last word of a packet.
    pub push: Signal<In, Bit>,
    pub packet: Signal<In, Packet>,
    pub used_words: Signal<Out, Bits<A1>>,
    /// One more packet may be pushed.
    pub room: Signal<Out, Bit>,
    /// Waiting side: there is a packet, its arrival cycle, how many wait, and on to the next.
    pub wait_valid: Signal<Out, Bit>,
    pub wait_stamp: Signal<Out, Bits<32>>,
    pub wait_count: Signal<Out, Bits<D1>>,
    pub advance: Signal<In, Bit>,
    /// Memory side: the oldest packet that has not been freed.
    pub head_valid: Signal<Out, Bit>,
    pub head: Signal<Out, Packet>,
    pub read_addr: Signal<In, Bits<12>>,
    pub read_data: Signal<Out, Bits<32>>,
    pub pop: Signal<In, Bit>,

    ring: Ring<A, A1>,
    waiting: LutFifo<Bits<32>, D, D1>,
    packets: LutFifo<Packet, D, D1>,

    oldest: Signal<Local, Packet>,
    rounded: Signal<Local, Bits<14>>,
}

module! {
    impl [const A: usize, const A1: usize, const D: usize, const D1: usize] Logic for PacketQueue<A, A1, D, D1>;
    regs: ;
    children: ring, waiting, packets;
    #[hdl_gen]
    fn update(&mut self) {
        self.ring.write.next = self.write.val();
        self.ring.write_data.next = self.write_data.val();
        self.ring.commit.next = self.push.val();
        self.ring.rollback.next = false;
        self.used_words.next = self.ring.used.val();
        self.ring.read_addr.next = self.read_addr.val();
        self.read_data.next = self.ring.read_data.val();

        self.waiting.push.next = self.push.val();
        self.waiting.data.next = self.packet.val().arrival;
        self.waiting.pop.next = self.advance.val();
        self.wait_valid.next = self.waiting.valid.val();
        self.wait_stamp.next = self.waiting.head.val();
        self.wait_count.next = self.waiting.count.val();

        self.packets.push.next = self.push.val();
        self.packets.data.next = self.packet.val();
        self.packets.pop.next = self.pop.val();
        self.room.next = !self.packets.full.val() && !self.waiting.full.val();
        self.head_valid.next = self.packets.valid.val();
        self.oldest.next = self.packets.head.val();
        self.head.next = self.oldest.val();
        self.rounded.next = self.oldest.val().stored_len + 3;
        self.ring.free.next = self.pop.val() && self.packets.valid.val();
        self.ring.free_words.next = self.rounded.val().get_bits::<12>(2);
    }
}

impl<const A: usize, const A1: usize, const D: usize, const D1: usize> PacketQueue<A, A1, D, D1> {
    fn set_packets_log2(&mut self, packets_log2: usize) {
        self.waiting.set_depth_log2(packets_log2);
        self.packets.set_depth_log2(packets_log2);
    }
}

impl<const A: usize, const A1: usize, const D: usize, const D1: usize> HostQueue<A, A1, D, D1> {
    /// For at most `2^packets_log2` packets.
    pub fn set_packets_log2(&mut self, packets_log2: usize) {
        self.queue.set_packets_log2(packets_log2);
    }
}

impl<const A: usize, const A1: usize, const D: usize, const D1: usize, const DA: usize>
    NicQueue<A, A1, D, D1, DA>
{
    /// For at most `2^packets_log2` packets.
    pub fn set_packets_log2(&mut self, packets_log2: usize) {
        self.queue.set_packets_log2(packets_log2);
        self.descriptors.set_words_log2(packets_log2 + 4);
    }
}

/// The host's queue: a waiting packet is *granted* to the mover, in order, up to four at a time.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct HostQueue<const A: usize, const A1: usize, const D: usize, const D1: usize> {
    pub cr: Cr,
    pub write: Signal<In, Bit>,
    pub write_data: Signal<In, Bits<32>>,
    pub push: Signal<In, Bit>,
    pub packet: Signal<In, Packet>,
    pub used_words: Signal<Out, Bits<A1>>,
    pub room: Signal<Out, Bit>,
    /// A packet waits and may be granted.
    pub pending: Signal<Out, Bit>,
    pub pending_stamp: Signal<Out, Bits<32>>,
    pub qlen: Signal<Out, Bits<16>>,
    pub go: Signal<In, Bit>,
    /// A packet is granted.
    pub valid: Signal<Out, Bit>,
    pub head: Signal<Out, Packet>,
    pub read_addr: Signal<In, Bits<12>>,
    pub read_data: Signal<Out, Bits<32>>,
    pub pop: Signal<In, Bit>,

    queue: PacketQueue<A, A1, D, D1>,
    /// Packets granted and not freed.
    granted: Reg<Bits<3>>,
    grant: Signal<Local, Bit>,
    free: Signal<Local, Bit>,
}

module! {
    impl [const A: usize, const A1: usize, const D: usize, const D1: usize] Logic for HostQueue<A, A1, D, D1>;
    regs: granted;
    children: queue;
    #[hdl_gen]
    fn update(&mut self) {
        self.queue.write.next = self.write.val();
        self.queue.write_data.next = self.write_data.val();
        self.queue.push.next = self.push.val();
        self.queue.packet.next = self.packet.val();
        self.used_words.next = self.queue.used_words.val();
        self.room.next = self.queue.room.val();

        self.pending.next = self.queue.wait_valid.val() && !self.granted.q.val().get_bit(2);
        self.pending_stamp.next = self.queue.wait_stamp.val();
        self.qlen.next = bit_cast::<16, D1>(self.queue.wait_count.val());
        self.grant.next = self.go.val() && self.queue.wait_valid.val() && !self.granted.q.val().get_bit(2);
        self.queue.advance.next = self.grant.val();

        self.valid.next = self.granted.q.val() != 0;
        self.head.next = self.queue.head.val();
        self.queue.read_addr.next = self.read_addr.val();
        self.read_data.next = self.queue.read_data.val();
        self.free.next = self.pop.val() && (self.granted.q.val() != 0);
        self.queue.pop.next = self.free.val();

        if self.grant.val() && !self.free.val() {
            self.granted.d.next = self.granted.q.val() + 1;
        }
        if self.free.val() && !self.grant.val() {
            self.granted.d.next = self.granted.q.val() - 1;
        }
    }
}

/// The NIC's queue: beside the bytes of a packet stands a descriptor of 16 words, laid out as
/// `abi::mmio::nic_rx`. `DA = D + 4`. The descriptor of the packet under way is written in any order before
/// the push.
#[derive(Clone, Debug, LogicBlock)]
pub struct NicQueue<const A: usize, const A1: usize, const D: usize, const D1: usize, const DA: usize> {
    pub cr: Cr,
    pub write: Signal<In, Bit>,
    pub write_data: Signal<In, Bits<32>>,
    pub desc_write: Signal<In, Bit>,
    pub desc_index: Signal<In, Bits<4>>,
    pub desc_data: Signal<In, Bits<32>>,
    pub push: Signal<In, Bit>,
    pub packet: Signal<In, Packet>,
    pub used_words: Signal<Out, Bits<A1>>,
    pub room: Signal<Out, Bit>,
    /// Descriptor side, for the firmware.
    pub valid: Signal<Out, Bit>,
    pub stamp: Signal<Out, Bits<32>>,
    pub qlen: Signal<Out, Bits<16>>,
    pub word_index: Signal<In, Bits<4>>,
    pub word: Signal<Out, Bits<32>>,
    pub advance: Signal<In, Bit>,
    /// Memory side, for the mover.
    pub head_valid: Signal<Out, Bit>,
    pub head: Signal<Out, Packet>,
    pub read_addr: Signal<In, Bits<12>>,
    pub read_data: Signal<Out, Bits<32>>,
    pub pop: Signal<In, Bit>,

    queue: PacketQueue<A, A1, D, D1>,
    descriptors: RamRw<32, DA>,
    /// The descriptor under way, and the oldest one.
    tail: Reg<Bits<D>>,
    oldest: Reg<Bits<D>>,
    write_base: Signal<Local, Bits<DA>>,
    read_base: Signal<Local, Bits<DA>>,
}

impl<const A: usize, const A1: usize, const D: usize, const D1: usize, const DA: usize> Default
    for NicQueue<A, A1, D, D1, DA>
{
    fn default() -> Self {
        assert_eq!(DA, D + 4, "2^{D} descriptors of 16 words");
        NicQueue {
            cr: Default::default(),
            write: Default::default(),
            write_data: Default::default(),
            desc_write: Default::default(),
            desc_index: Default::default(),
            desc_data: Default::default(),
            push: Default::default(),
            packet: Default::default(),
            used_words: Default::default(),
            room: Default::default(),
            valid: Default::default(),
            stamp: Default::default(),
            qlen: Default::default(),
            word_index: Default::default(),
            word: Default::default(),
            advance: Default::default(),
            head_valid: Default::default(),
            head: Default::default(),
            read_addr: Default::default(),
            read_data: Default::default(),
            pop: Default::default(),
            queue: Default::default(),
            descriptors: Default::default(),
            tail: Default::default(),
            oldest: Default::default(),
            write_base: Default::default(),
            read_base: Default::default(),
        }
    }
}

module! {
    impl [const A: usize, const A1: usize, const D: usize, const D1: usize, const DA: usize] Logic
        for NicQueue<A, A1, D, D1, DA>;
    regs: tail, oldest;
    children: queue, descriptors;
    #[hdl_gen]
    fn update(&mut self) {
        self.queue.write.next = self.write.val();
        self.queue.write_data.next = self.write_data.val();
        self.queue.push.next = self.push.val();
        self.queue.packet.next = self.packet.val();
        self.used_words.next = self.queue.used_words.val();
        self.room.next = self.queue.room.val();

        self.write_base.next = bit_cast::<DA, D>(self.tail.q.val()) << 4;
        self.descriptors.write_enable.next = self.desc_write.val();
        self.descriptors.write_addr.next =
            self.write_base.val() | bit_cast::<DA, 4>(self.desc_index.val());
        self.descriptors.write_data.next = self.desc_data.val();
        if self.push.val() {
            self.tail.d.next = self.tail.q.val() + 1;
        }

        self.valid.next = self.queue.wait_valid.val();
        self.stamp.next = self.queue.wait_stamp.val();
        self.qlen.next = bit_cast::<16, D1>(self.queue.wait_count.val());
        self.queue.advance.next = self.advance.val();
        if self.advance.val() && self.queue.wait_valid.val() {
            self.oldest.d.next = self.oldest.q.val() + 1;
        }
        self.read_base.next = bit_cast::<DA, D>(self.oldest.q.val()) << 4;
        self.descriptors.read_addr.next = self.read_base.val() | bit_cast::<DA, 4>(self.word_index.val());
        self.word.next = self.descriptors.read_data.val();

        self.head_valid.next = self.queue.head_valid.val();
        self.head.next = self.queue.head.val();
        self.queue.read_addr.next = self.read_addr.val();
        self.read_data.next = self.queue.read_data.val();
        self.queue.pop.next = self.pop.val();
    }
}

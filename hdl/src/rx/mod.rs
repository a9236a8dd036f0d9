//! The receive path: from frame streams to the host's queue and the NIC's queue.
//!
//! ```text
//!  wire ──┐         ┌─ Admission ─ Staging ─────────────────┐
//!         ├─ Align ─┤ (behind the Window)                   │
//!  loopb.─┘         ├─ Verifier, Checksum ─┬─ Lookup, Hash ─ Steer ─┬─ HostQueue ─ mover
//!                   └─ Classifier (P4) ────┘                        └─ NicQueue ── mover, firmware
//! ```
//!
//! A frame is stored whole; as it passes, its checksums are verified, and the P4 program that this NIC is made by (`program.rs`) reads its headers. Every frame takes the
//! first of these paths that fits it; a drop is a pulse, and counted (`abi::regs`).
//!
//! | frame | path | module |
//! | --- | --- | --- |
//! | bad check sequence | drop, `st_bad_fcs` | [`Staging`] |
//! | runt (below 14 bytes); over 1514 bytes, 1518 with a VLAN tag, 9014 with `jumbo` | drop, `st_bad_length` | [`Staging`] |
//! | from the wire, with a destination that is not taken | drop, `st_filtered` | [`Admission`] |
//! | no room in staging | drop, `st_overflow` | [`Staging`] |
//! | IPv4 cut off, with a bad header checksum or contradictory lengths; IPv6 cut off, with `ipv6` | drop, `st_bad_checksum` | [`Verifier`] |
//! | TCP with a bad checksum or an impossible data offset | drop, `st_bad_checksum` | [`Verifier`] |
//! | the program drops it | drop, `st_program_drop` | [`Classifier`], [`Steer`] |
//! | TCP of a connection that the program finds in the table | NIC queue | [`Classifier`], [`Lookup`], [`Steer`] |
//! | other TCP over IPv4, not fragmented; over IPv6 without extension headers, with `ipv6` | host, verified | [`Verifier`] |
//! | anything else | host, unverified | [`Verifier`] |
//!
//! A frame for a full queue is dropped (`st_host_drop`, `st_nic_drop`). Where the queues are made to count as one (`set_one_queue`) they do while `in_order` is
//! high: both are full when 128 packets wait in them. Loopback frames take the same way; between frames the wire goes first.
//!
//! Core clock, synchronous reset. Throughput: a word a cycle, and one frame of minimum size every 18 cycles, all of
//! them looked up and operations on the table without a pause, so that back-to-back minimum frames, one every 21
//! cycles, pass without loss; what longer keys cost stands with [`Lookup`]. Latency of a minimum frame from its last
//! stream word to its place in a queue: 26 cycles, and 13 more when it is looked up by a key of three words; each word more of the frame adds one, and a program that looks ahead
//! as many as it looks at and one. Backpressure: `wire_in.tready` falls for one
//! cycle after a frame and while a loopback frame passes. Settings change between frames. Verified in
//! `cosim/tests/rx_path.rs` (all of the above), `cosim/tests/rx_lookup.rs` and `cosim/tests/rx_blocks.rs`.

mod align;
mod checksum;
mod filter;
mod hash;
mod info;
mod lookup;
mod lookup_side;
mod program;
mod queue;
mod ring;
mod staging;
mod steer;
mod verify;

pub use align::Align;
pub use checksum::Checksum;
pub use filter::Admission;
pub use hash::Hash;
pub use info::{FrameFacts, Packet, RoutedFrame};
pub use lookup::{Lookup, FRAMES_BEFORE_OPERATION};
pub use lookup_side::LookupSide;
pub use program::{
    Classifier, Resolver, Window, CARRY_BITS, CONTROL_PLANE, HAS_IPV6, HAS_TABLE, KEY_BITS, KEY_LAYOUT,
    PROGRAM, PROGRAM_PATH,
};
pub use queue::{HostQueue, NicQueue, PacketQueue};
pub use ring::Ring;
pub use staging::Staging;
pub use steer::Steer;
pub use verify::Verifier;

use crate::kit::{Cr, LutFifo, StreamIn};
use crate::module;
use rust_hdl::prelude::*;

/// The receive path with a lookup table for `2^L` connections, places for `2^F` frames between parser and queues,
/// staging memory of `2^S` words, a host queue of `2^H` words and at most 128 packets, and a NIC queue of `2^N` words and at
/// most `2^P` packets, whose descriptors take `2^W` words, 16 each; `F1 = F + 1`, `S1 = S + 1`, `H1 = H + 1`, `N1 = N + 1`,
/// `P1 = P + 1`. As many frames of minimum size must find a place as come while the longest frame is copied: 18, or 107 with jumbo frames.
#[derive(Clone, Debug, LogicBlock)]
pub struct RxPath<
    const L: usize,
    const F: usize,
    const F1: usize,
    const S: usize,
    const S1: usize,
    const H: usize,
    const H1: usize,
    const N: usize,
    const N1: usize,
    const P: usize,
    const P1: usize,
    const W: usize,
> {
    pub cr: Cr,
    pub wire_in: StreamIn,
    pub loopback: StreamIn,
    /// Cycle counter, for arrival stamps.
    pub now: Signal<In, Bits<32>>,
    /// Key of the lookup's hash; it changes only while the table is empty.
    pub hash_key0: Signal<In, Bits<32>>,
    pub hash_key1: Signal<In, Bits<32>>,
    /// Jumbo frames are taken; only where the memories hold them.
    /// Both queues are served in the order of arrival.
    pub in_order: Signal<In, Bit>,
    pub jumbo: Signal<In, Bit>,
    /// IPv6 is verified too: a constant of the program.
    pub ipv6: Signal<In, Bit>,
    /// Which destinations are taken; see [`Admission`].
    pub promiscuous: Signal<In, Bit>,
    pub broadcast: Signal<In, Bit>,
    pub multicast: Signal<In, Bit>,
    pub station_low: Signal<In, Bits<32>>,
    pub station_high: Signal<In, Bits<16>>,

    /// Lookup operations; see [`Lookup`].
    pub lk_key: Signal<In, Bits<KEY_BITS>>,
    pub lk_value: Signal<In, Bits<16>>,
    pub lk_op: Signal<In, Bits<2>>,
    pub lk_start: Signal<In, Bit>,
    pub lk_busy: Signal<Out, Bit>,
    pub lk_outcome: Signal<Out, Bits<2>>,
    pub lk_found: Signal<Out, Bits<16>>,

    /// Host queue, waiting side: a frame waits and may be granted; `hq_go` grants it.
    pub hq_pending: Signal<Out, Bit>,
    pub hq_pending_stamp: Signal<Out, Bits<32>>,
    pub hq_go: Signal<In, Bit>,
    pub hq_qlen: Signal<Out, Bits<16>>,
    /// Host queue, granted side. `hq_data` is the word at the `hq_addr` of the cycle before, counted from
    /// the oldest granted frame's start; `hq_pop` frees that frame.
    pub hq_valid: Signal<Out, Bit>,
    pub hq_len: Signal<Out, Bits<16>>,
    pub hq_arrival: Signal<Out, Bits<32>>,
    pub hq_flags: Signal<Out, Bits<16>>,
    pub hq_addr: Signal<In, Bits<12>>,
    pub hq_data: Signal<Out, Bits<32>>,
    pub hq_pop: Signal<In, Bit>,

    /// NIC queue, descriptor side. `nq_word` is the descriptor's word at the `nq_index` of the cycle before.
    pub nq_valid: Signal<Out, Bit>,
    pub nq_stamp: Signal<Out, Bits<32>>,
    pub nq_index: Signal<In, Bits<4>>,
    pub nq_word: Signal<Out, Bits<32>>,
    pub nq_next: Signal<In, Bit>,
    pub nq_qlen: Signal<Out, Bits<16>>,
    /// NIC queue, memory side: the oldest packet that was not freed.
    pub nq_mem_valid: Signal<Out, Bit>,
    pub nq_mem_len: Signal<Out, Bits<16>>,
    pub nq_mem_arrival: Signal<Out, Bits<32>>,
    pub nq_addr: Signal<In, Bits<12>>,
    pub nq_data: Signal<Out, Bits<32>>,
    pub nq_pop: Signal<In, Bit>,

    /// A segment entered the NIC queue (`st_nic`): its connection's value, and its bytes of payload.
    pub ct_conn: Signal<Out, Bits<16>>,
    pub ct_bytes: Signal<Out, Bits<16>>,

    /// Pulses for the statistics; the counters of `abi::regs` with these names say what they mean.
    pub st_frames: Signal<Out, Bit>,
    pub st_bad_fcs: Signal<Out, Bit>,
    pub st_bad_length: Signal<Out, Bit>,
    pub st_bad_checksum: Signal<Out, Bit>,
    pub st_overflow: Signal<Out, Bit>,
    /// The P4 program dropped a frame.
    pub st_program_drop: Signal<Out, Bit>,
    pub st_filtered: Signal<Out, Bit>,
    pub st_host: Signal<Out, Bit>,
    pub st_host_drop: Signal<Out, Bit>,
    pub st_nic: Signal<Out, Bit>,
    pub st_nic_drop: Signal<Out, Bit>,

    align: Align,
    window: Window,
    admission: Admission,
    staging: Staging<S, S1>,
    verifier: Verifier,
    classifier: Classifier,
    lookup: Lookup<L, F, F1>,
    /// Arrival times of the frames between parser and queue, and so the count of those frames.
    arrivals: LutFifo<Bits<32>, F, F1>,
    steer: Steer<H1, N1>,
    host: HostQueue<H, H1, 7, 8>,
    nic: NicQueue<N, N1, P, P1, W>,

    /// Above this count there is no room: four frames may be on their way through the parser.
    most_frames: Constant<Bits<F1>>,
    /// The queues count as one while `in_order` is high, for so many packets.
    one_queue: Constant<Bit>,
    one_queue_packets: Constant<Bits<16>>,
    has_place: Signal<Local, Bit>,
    routed: Signal<Local, RoutedFrame>,
    /// The verifier's, and with the classifier's.
    facts_before: Signal<Local, FrameFacts>,
    facts: Signal<Local, FrameFacts>,
    transport: Signal<Local, Bits<16>>,
    at_segment: Signal<Local, Bit>,
    sort: Signal<Local, Bits<11>>,
}

/// Words of staging and of each queue, as powers of two, that jumbo frames take.
pub const JUMBO_WORDS_LOG2: [usize; 3] = [12, 13, 13];

/// The receive path of the NIC as it is simulated: 4096 connections, jumbo frames, 32 KiB for the host's queue, 512 KiB and 2048 packets
/// for the NIC's.
pub type DefaultRxPath = RxPath<12, 7, 8, 12, 13, 13, 14, 17, 18, 11, 12, 15>;

impl<
        const L: usize,
        const F: usize,
        const F1: usize,
        const S: usize,
        const S1: usize,
        const H: usize,
        const H1: usize,
        const N: usize,
        const N1: usize,
        const P: usize,
        const P1: usize,
        const W: usize,
    > RxPath<L, F, F1, S, S1, H, H1, N, N1, P, P1, W>
{
    /// At most `2^packets_log2` packets in each of the two queues, where that is less than they could hold.
    pub fn set_queue_packets_log2(&mut self, packets_log2: usize) {
        self.host.set_packets_log2(packets_log2);
        self.nic.set_packets_log2(packets_log2);
    }

    /// The queues count as one wherever they are served in the order of arrival.
    pub fn set_one_queue(&mut self) {
        self.one_queue = Constant::new(true);
    }

    /// For a build without handoff: no frame is looked up, all of them are the host's.
    pub fn set_host_only(&mut self) {
        self.lookup.set_tableless();
    }
}

impl<
        const L: usize,
        const F: usize,
        const F1: usize,
        const S: usize,
        const S1: usize,
        const H: usize,
        const H1: usize,
        const N: usize,
        const N1: usize,
        const P: usize,
        const P1: usize,
        const W: usize,
    > Default for RxPath<L, F, F1, S, S1, H, H1, N, N1, P, P1, W>
{
    fn default() -> Self {
        RxPath {
            cr: Default::default(),
            wire_in: Default::default(),
            loopback: Default::default(),
            now: Default::default(),
            hash_key0: Default::default(),
            hash_key1: Default::default(),
            in_order: Default::default(),
            jumbo: Default::default(),
            ipv6: Default::default(),
            promiscuous: Default::default(),
            broadcast: Default::default(),
            multicast: Default::default(),
            station_low: Default::default(),
            station_high: Default::default(),
            lk_key: Default::default(),
            lk_value: Default::default(),
            lk_op: Default::default(),
            lk_start: Default::default(),
            lk_busy: Default::default(),
            lk_outcome: Default::default(),
            lk_found: Default::default(),
            hq_pending: Default::default(),
            hq_pending_stamp: Default::default(),
            hq_go: Default::default(),
            hq_qlen: Default::default(),
            hq_valid: Default::default(),
            hq_len: Default::default(),
            hq_arrival: Default::default(),
            hq_flags: Default::default(),
            hq_addr: Default::default(),
            hq_data: Default::default(),
            hq_pop: Default::default(),
            nq_valid: Default::default(),
            nq_stamp: Default::default(),
            nq_index: Default::default(),
            nq_word: Default::default(),
            nq_next: Default::default(),
            nq_qlen: Default::default(),
            nq_mem_valid: Default::default(),
            nq_mem_len: Default::default(),
            nq_mem_arrival: Default::default(),
            nq_addr: Default::default(),
            nq_data: Default::default(),
            nq_pop: Default::default(),
            ct_conn: Default::default(),
            ct_bytes: Default::default(),
            st_frames: Default::default(),
            st_bad_fcs: Default::default(),
            st_bad_length: Default::default(),
            st_bad_checksum: Default::default(),
            st_overflow: Default::default(),
            st_program_drop: Default::default(),
            st_filtered: Default::default(),
            st_host: Default::default(),
            st_host_drop: Default::default(),
            st_nic: Default::default(),
            st_nic_drop: Default::default(),
            align: Default::default(),
            window: Default::default(),
            admission: Default::default(),
            staging: Default::default(),
            verifier: Default::default(),
            classifier: Default::default(),
            transport: Default::default(),
            at_segment: Default::default(),
            sort: Default::default(),
            facts_before: Default::default(),
            lookup: Default::default(),
            arrivals: Default::default(),
            steer: Default::default(),
            host: Default::default(),
            nic: Default::default(),
            most_frames: Constant::new(bits((1 << F) - 4)),
            one_queue: Constant::new(false),
            one_queue_packets: Constant::new(bits(128)),
            has_place: Default::default(),
            routed: Default::default(),
            facts: Default::default(),
        }
    }
}

module! {
    impl [const L: usize, const F: usize, const F1: usize, const S: usize, const S1: usize, const H: usize, const H1: usize, const N: usize, const N1: usize, const P: usize, const P1: usize, const W: usize]
        Logic for RxPath<L, F, F1, S, S1, H, H1, N, N1, P, P1, W>;
    regs: ;
    children: align, window, admission, staging, verifier, classifier, lookup, arrivals, steer, host, nic;
    #[hdl_gen]
    fn update(&mut self) {
        StreamIn::link(&mut self.wire_in, &mut self.align.wire_in);
        StreamIn::link(&mut self.loopback, &mut self.align.loopback);

        self.window.word.next = self.align.word.val();
        self.window.valid.next = self.align.valid.val();
        self.window.last.next = self.align.last.val();
        self.window.len.next = self.align.len.val();
        self.window.bad_fcs.next = self.align.bad_fcs.val();
        self.window.from_wire.next = self.align.from_wire.val();

        self.staging.word.next = self.window.head_word.val();
        self.staging.valid.next = self.window.head_valid.val();
        self.staging.last.next = self.window.head_last.val();
        self.staging.len.next = self.window.head_len.val();
        self.staging.bad_fcs.next = self.window.head_bad_fcs.val();
        self.staging.from_wire.next = self.window.head_from_wire.val();
        self.staging.room.next =
            self.lookup.room.val() && (self.arrivals.count.val() < self.most_frames.val());
        self.staging.jumbo.next = self.jumbo.val();
        self.staging.refuse.next = self.admission.refuse.val();
        self.staging.vlan.next = self.admission.vlan.val();
        self.admission.word.next = self.window.head_word.val();
        self.admission.valid.next = self.window.head_valid.val();
        self.admission.last.next = self.window.head_last.val();
        self.admission.from_wire.next = self.window.head_from_wire.val();
        self.admission.promiscuous.next = self.promiscuous.val();
        self.admission.broadcast.next = self.broadcast.val();
        self.admission.multicast.next = self.multicast.val();
        self.admission.station_low.next = self.station_low.val();
        self.admission.station_high.next = self.station_high.val();
        self.staging.now.next = self.now.val();

        self.verifier.word.next = self.window.head_word.val();
        self.verifier.ipv6.next = self.ipv6.val();
        self.verifier.valid.next = self.window.head_valid.val();
        self.verifier.last.next = self.window.head_last.val();
        self.verifier.commit.next = self.staging.commit.val();
        self.verifier.commit_len.next = self.staging.commit_len.val();

        self.classifier.word.next = self.window.head_word.val();
        self.classifier.valid.next = self.window.head_valid.val();
        self.classifier.last.next = self.window.head_last.val();
        self.classifier.len.next = self.window.head_len.val();
        self.classifier.from_wire.next = self.window.head_from_wire.val();
        self.classifier.ahead.next = self.window.ahead.val();

        self.lookup.hash_key0.next = self.hash_key0.val();
        self.lookup.hash_key1.next = self.hash_key1.val();
        self.lookup.push.next = self.verifier.push.val();
        self.facts_before.next = self.verifier.facts.val();
        // A segment is the firmware's only where the program says that it is, and if all of it is verified.
        self.transport.next = self.classifier.transport_offset.val() + 2;
        self.at_segment.next =
            self.transport.val() == (bit_cast::<16, 5>(self.facts_before.val().segment_word) << 2);
        self.facts.next = self.verifier.facts.val();
        self.facts.next.candidate =
            self.classifier.lookup.val() && self.facts_before.val().verified && self.at_segment.val();
        self.facts.next.carry = self.classifier.carry.val();
        self.lookup.facts.next = self.facts.val();
        self.lookup.key.next = self.classifier.key.val();
        // What staging knows of a frame holds until the parser's verdict on it.
        self.arrivals.push.next = self.verifier.push.val();
        self.arrivals.data.next = self.staging.commit_arrival.val();
        self.arrivals.pop.next = self.steer.take.val();
        self.lookup.lk_key.next = self.lk_key.val();
        self.lookup.lk_value.next = self.lk_value.val();
        self.lookup.lk_op.next = self.lk_op.val();
        self.lookup.lk_start.next = self.lk_start.val();
        self.lk_busy.next = self.lookup.lk_busy.val();
        self.lk_outcome.next = self.lookup.lk_outcome.val();
        self.lk_found.next = self.lookup.lk_found.val();

        self.steer.routed_valid.next = self.lookup.routed_valid.val();
        self.routed.next = self.lookup.routed.val();
        self.steer.routed.next = self.routed.val();
        self.steer.sort.next = self.lookup.sort.val();
        self.steer.arrival.next = self.arrivals.head.val();
        self.ct_conn.next = self.steer.nic_value.val();
        self.ct_bytes.next = bit_cast::<16, 14>(self.steer.nic_payload.val());
        self.lookup.take.next = self.steer.take.val();
        self.staging.read_addr.next = self.steer.read_addr.val();
        self.steer.read_data.next = self.staging.read_data.val();
        self.staging.free.next = self.steer.free.val();
        self.staging.free_words.next = self.steer.free_words.val();

        self.steer.host_used.next = self.host.used_words.val();
        self.has_place.next = !self.one_queue.val()
            || !self.in_order.val()
            || (self.host.qlen.val() + self.nic.qlen.val() < self.one_queue_packets.val());
        self.steer.host_room.next = self.host.room.val() && self.has_place.val();
        self.host.write.next = self.steer.host_write.val();
        self.host.write_data.next = self.steer.write_data.val();
        self.host.push.next = self.steer.host_push.val();
        self.host.packet.next = self.steer.packet.val();
        self.hq_pending.next = self.host.pending.val();
        self.hq_pending_stamp.next = self.host.pending_stamp.val();
        self.host.go.next = self.hq_go.val();
        self.hq_qlen.next = self.host.qlen.val();
        self.hq_valid.next = self.host.valid.val();
        self.hq_len.next = bit_cast::<16, 14>(self.host.head.val().stored_len);
        self.hq_arrival.next = self.host.head.val().arrival;
        // Bit 0 is RX_FLAG_CHECKSUM_OK; class and queue as abi::ring has them.
        self.sort.next = self.host.head.val().sort;
        self.hq_flags.next = bit_cast::<16, 1>(self.host.head.val().verified.into())
            | (bit_cast::<16, 3>(self.sort.val().get_bits::<3>(8)) << 4)
            | (bit_cast::<16, 8>(self.sort.val().get_bits::<8>(0)) << 8);
        self.host.read_addr.next = self.hq_addr.val();
        self.hq_data.next = self.host.read_data.val();
        self.host.pop.next = self.hq_pop.val();

        self.steer.nic_used.next = self.nic.used_words.val();
        self.steer.nic_room.next = self.nic.room.val() && self.has_place.val();
        self.nic.write.next = self.steer.nic_write.val();
        self.nic.write_data.next = self.steer.write_data.val();
        self.nic.desc_write.next = self.steer.desc_write.val();
        self.nic.desc_index.next = self.steer.desc_index.val();
        self.nic.desc_data.next = self.steer.desc_data.val();
        self.nic.push.next = self.steer.nic_push.val();
        self.nic.packet.next = self.steer.packet.val();
        self.nq_valid.next = self.nic.valid.val();
        self.nq_stamp.next = self.nic.stamp.val();
        self.nic.word_index.next = self.nq_index.val();
        self.nq_word.next = self.nic.word.val();
        self.nic.advance.next = self.nq_next.val();
        self.nq_qlen.next = self.nic.qlen.val();
        self.nq_mem_valid.next = self.nic.head_valid.val();
        self.nq_mem_len.next = bit_cast::<16, 14>(self.nic.head.val().stored_len);
        self.nq_mem_arrival.next = self.nic.head.val().arrival;
        self.nic.read_addr.next = self.nq_addr.val();
        self.nq_data.next = self.nic.read_data.val();
        self.nic.pop.next = self.nq_pop.val();

        self.st_frames.next =
            self.verifier.push.val() && !self.facts.val().bad && self.staging.commit_from_wire.val();
        self.st_bad_fcs.next = self.staging.drop_fcs.val();
        self.st_bad_length.next = self.staging.drop_length.val();
        self.st_bad_checksum.next = self.steer.bad.val();
        self.st_filtered.next = self.staging.drop_filter.val();
        self.st_overflow.next = self.staging.drop_overflow.val();
        self.st_program_drop.next = self.steer.refused.val();
        self.st_host.next = self.steer.to_host.val();
        self.st_host_drop.next = self.steer.host_drop.val();
        self.st_nic.next = self.steer.to_nic.val();
        self.st_nic_drop.next = self.steer.nic_drop.val();
    }
}

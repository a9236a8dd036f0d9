//! The receive path: from frame streams to the host's queue and the NIC's queue.
//!
//! ```text
//!  wire ──┐
//!         ├─ Align ─┬─ Staging ─────────────────────────┐
//!  loopb.─┘         └─ Parser, Checksum ─ Lookup, Hash ─ Steer ─┬─ HostQueue ─ mover
//!                                                               └─ NicQueue ── mover, firmware
//! ```
//!
//! A frame is stored whole; its headers are parsed and its checksums verified as it passes. Bad frames are
//! dropped and counted, segments of connections in the lookup table go to the NIC's queue, everything else
//! to the host's. Loopback frames take the same way; between frames the wire goes first.
//!
//! Core clock, synchronous reset. Throughput: a word a cycle, and one frame of minimum size every 17
//! cycles, so that back-to-back minimum frames, one every 21 cycles, pass without loss. Latency of a
//! minimum frame from its last stream word to its place in a queue: 25 cycles, and 14 more when it is
//! looked up; each word more of the frame adds one. Backpressure: `wire_in.tready` falls for one cycle
//! after a frame and while a loopback frame passes. When staging or a queue is full, frames are dropped and
//! counted. Verified in `cosim/tests/rx_path.rs` and `cosim/tests/rx_lookup.rs`.

mod align;
mod checksum;
mod hash;
mod info;
mod lookup;
mod parser;
mod queue;
mod ring;
mod staging;
mod steer;

pub use align::Align;
pub use checksum::Checksum;
pub use hash::Hash;
pub use info::{FrameFacts, FrameInfo, Packet, RoutedFrame};
pub use lookup::Lookup;
pub use parser::Parser;
pub use queue::{HostQueue, NicQueue, PacketQueue};
pub use ring::Ring;
pub use staging::Staging;
pub use steer::Steer;

use crate::kit::{Cr, StreamIn};
use crate::module;
use rust_hdl::prelude::*;

/// The receive path with a lookup table of `2^L` entries, a host queue of `2^H` words and a NIC queue of
/// `2^N` words; `H1 = H + 1`, `N1 = N + 1`. Both queues hold at most 64 packets; the staging memory has
/// 1024 words.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct RxPath<const L: usize, const H: usize, const H1: usize, const N: usize, const N1: usize> {
    pub cr: Cr,
    pub wire_in: StreamIn,
    pub loopback: StreamIn,
    /// Cycle counter, for arrival stamps.
    pub now: Signal<In, Bits<32>>,
    /// Key of the lookup's hash; it changes only while the table is empty.
    pub hash_key0: Signal<In, Bits<32>>,
    pub hash_key1: Signal<In, Bits<32>>,

    /// Lookup operations; see [`Lookup`].
    pub lk_key0: Signal<In, Bits<32>>,
    pub lk_key1: Signal<In, Bits<32>>,
    pub lk_key2: Signal<In, Bits<32>>,
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

    /// Pulses for the statistics; the counters of `abi::regs` with these names say what they mean.
    pub st_frames: Signal<Out, Bit>,
    pub st_bad_fcs: Signal<Out, Bit>,
    pub st_bad_length: Signal<Out, Bit>,
    pub st_bad_checksum: Signal<Out, Bit>,
    pub st_overflow: Signal<Out, Bit>,
    pub st_host: Signal<Out, Bit>,
    pub st_host_drop: Signal<Out, Bit>,
    pub st_nic: Signal<Out, Bit>,
    pub st_nic_drop: Signal<Out, Bit>,

    align: Align,
    staging: Staging<10, 11>,
    parser: Parser,
    lookup: Lookup<L>,
    steer: Steer<H1, N1>,
    host: HostQueue<H, H1, 6, 7>,
    nic: NicQueue<N, N1, 6, 7, 10>,
}

/// The receive path as it is built: 4096 lookup entries, 8 KiB for the host's frames, 16 KiB for the NIC's.
pub type DefaultRxPath = RxPath<12, 11, 12, 12, 13>;

module! {
    impl [const L: usize, const H: usize, const H1: usize, const N: usize, const N1: usize] Logic
        for RxPath<L, H, H1, N, N1>;
    regs: ;
    children: align, staging, parser, lookup, steer, host, nic;
    #[hdl_gen]
    fn update(&mut self) {
        StreamIn::link(&mut self.wire_in, &mut self.align.wire_in);
        StreamIn::link(&mut self.loopback, &mut self.align.loopback);

        self.staging.word.next = self.align.word.val();
        self.staging.valid.next = self.align.valid.val();
        self.staging.last.next = self.align.last.val();
        self.staging.len.next = self.align.len.val();
        self.staging.bad_fcs.next = self.align.bad_fcs.val();
        self.staging.from_wire.next = self.align.from_wire.val();
        self.staging.room.next = self.lookup.room.val();
        self.staging.now.next = self.now.val();

        self.parser.word.next = self.align.word.val();
        self.parser.valid.next = self.align.valid.val();
        self.parser.last.next = self.align.last.val();
        self.parser.commit.next = self.staging.commit.val();
        self.parser.commit_len.next = self.staging.commit_len.val();
        self.parser.commit_arrival.next = self.staging.commit_arrival.val();
        self.parser.commit_from_wire.next = self.staging.commit_from_wire.val();

        self.lookup.hash_key0.next = self.hash_key0.val();
        self.lookup.hash_key1.next = self.hash_key1.val();
        self.lookup.push.next = self.parser.push.val();
        self.lookup.info.next = self.parser.info.val();
        self.lookup.lk_key0.next = self.lk_key0.val();
        self.lookup.lk_key1.next = self.lk_key1.val();
        self.lookup.lk_key2.next = self.lk_key2.val();
        self.lookup.lk_value.next = self.lk_value.val();
        self.lookup.lk_op.next = self.lk_op.val();
        self.lookup.lk_start.next = self.lk_start.val();
        self.lk_busy.next = self.lookup.lk_busy.val();
        self.lk_outcome.next = self.lookup.lk_outcome.val();
        self.lk_found.next = self.lookup.lk_found.val();

        self.steer.routed_valid.next = self.lookup.routed_valid.val();
        self.steer.routed.next = self.lookup.routed.val();
        self.lookup.take.next = self.steer.take.val();
        self.staging.read_addr.next = self.steer.read_addr.val();
        self.steer.read_data.next = self.staging.read_data.val();
        self.staging.free.next = self.steer.free.val();
        self.staging.free_words.next = self.steer.free_words.val();

        self.steer.host_used.next = self.host.used_words.val();
        self.steer.host_room.next = self.host.room.val();
        self.host.write.next = self.steer.host_write.val();
        self.host.write_data.next = self.steer.write_data.val();
        self.host.push.next = self.steer.host_push.val();
        self.host.packet.next = self.steer.packet.val();
        self.hq_pending.next = self.host.pending.val();
        self.hq_pending_stamp.next = self.host.pending_stamp.val();
        self.host.go.next = self.hq_go.val();
        self.hq_qlen.next = self.host.qlen.val();
        self.hq_valid.next = self.host.valid.val();
        self.hq_len.next = bit_cast::<16, 11>(self.host.head.val().stored_len);
        self.hq_arrival.next = self.host.head.val().arrival;
        // Bit 0 is RX_FLAG_CHECKSUM_OK.
        self.hq_flags.next = bit_cast::<16, 1>(self.host.head.val().verified.into());
        self.host.read_addr.next = self.hq_addr.val();
        self.hq_data.next = self.host.read_data.val();
        self.host.pop.next = self.hq_pop.val();

        self.steer.nic_used.next = self.nic.used_words.val();
        self.steer.nic_room.next = self.nic.room.val();
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
        self.nq_mem_len.next = bit_cast::<16, 11>(self.nic.head.val().stored_len);
        self.nq_mem_arrival.next = self.nic.head.val().arrival;
        self.nic.read_addr.next = self.nq_addr.val();
        self.nq_data.next = self.nic.read_data.val();
        self.nic.pop.next = self.nq_pop.val();

        self.st_frames.next = self.steer.good.val();
        self.st_bad_fcs.next = self.staging.drop_fcs.val();
        self.st_bad_length.next = self.staging.drop_length.val();
        self.st_bad_checksum.next = self.steer.bad.val();
        self.st_overflow.next = self.staging.drop_overflow.val();
        self.st_host.next = self.steer.to_host.val();
        self.st_host_drop.next = self.steer.host_drop.val();
        self.st_nic.next = self.steer.to_nic.val();
        self.st_nic_drop.next = self.steer.nic_drop.val();
    }
}

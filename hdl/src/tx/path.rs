//! The transmit path from granted descriptors and pushed bursts to frames.
//!
//! A frame passes `planner` (order, segments, lengths, read request), `intake` (payload into memory, summed),
//! `finish` (what differs in its header, checksums), `sender` and `merger` (header and payload joined, patches in
//! place) and `output`. A frame is stored whole before its first byte goes out. Payload memory holds 4096 words, of
//! which 1024 are used unless jumbo frames are on (a build without jumbo frames has no more), so the next frames are read while
//! one is sent; up to eleven are on their way.
//!
//! Core clock, synchronous reset. Verified in `cosim/tests/tx`.

use super::{
    finish::Finish,
    host_queue::HostQueue,
    intake::Intake,
    loader::Loader,
    merger::Merger,
    output::Output,
    planner::Planner,
    records::{IntakeNote, Job, Ready},
    sender::Sender,
    staging::HeaderStage,
};
use crate::dma::read_bus::{ReadData, ReadRequestSource};
use crate::kit::{Cr, Fact, LutFifo, LutRam, RamRw, StreamOut};
use crate::module;
use rust_hdl::prelude::*;

/// Transmission, except for the reading of host memory.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct TxPath {
    pub cr: Cr,
    pub now: Signal<In, Bits<32>>,
    pub jumbo: Signal<In, Bit>,
    /// Headers may be those of IPv6; steady.
    pub ipv6: Signal<In, Bit>,
    pub request: ReadRequestSource,
    pub data: ReadData,

    pub tx_prod: Signal<In, Bits<16>>,
    pub tx_cons: Signal<Out, Bits<16>>,
    pub tx_word: Signal<In, Bits<32>>,
    pub tx_valid: Signal<In, Bit>,
    pub tx_bad: Signal<In, Bit>,
    pub tx_last: Signal<In, Bit>,
    pub tx_pop: Signal<Out, Bit>,
    pub tx_arrived: Signal<In, Bit>,
    pub htx_pending: Signal<Out, Bit>,
    pub htx_stamp: Signal<Out, Bits<32>>,
    pub htx_go: Signal<In, Bit>,
    pub htx_qlen: Signal<Out, Bits<16>>,

    pub th_write: Signal<In, Bit>,
    pub th_index: Signal<In, Bits<5>>,
    pub th_data: Signal<In, Bits<32>>,
    pub tp_go: Signal<In, Bit>,
    pub tp_header_len: Signal<In, Bits<8>>,
    pub tp_conn: Signal<In, Bits<16>>,
    pub tp_addr: Signal<In, Bits<32>>,
    pub tp_len: Signal<In, Bits<17>>,
    pub tp_cut: Signal<In, Bits<17>>,
    pub tp_rest: Signal<In, Bits<32>>,
    pub tp_mss: Signal<In, Bits<14>>,
    pub tp_ready: Signal<Out, Bit>,
    pub quiet_nic: Signal<Out, Bit>,
    pub sent_valid: Signal<Out, Bit>,
    pub sent_conn: Signal<Out, Bits<16>>,
    pub sent_bytes: Signal<Out, Bits<16>>,
    pub lost: Signal<Out, Bit>,

    pub wire_out: StreamOut,
    pub loopback: StreamOut,
    pub st_frames: Signal<Out, Bit>,
    pub st_host: Signal<Out, Bit>,
    pub st_nic: Signal<Out, Bit>,
    pub st_bad_desc: Signal<Out, Bit>,
    pub st_abandoned: Signal<Out, Bit>,

    queue: HostQueue,
    header: HeaderStage,
    planner: Planner,
    intake: Intake,
    loader: Loader,
    finish: Finish,
    sender: Sender,
    merger: Merger,
    exit: Output,
    payload: RamRw<32, 12>,
    jobs: LutFifo<Job, 3, 4>,
    notes: LutFifo<IntakeNote, 3, 4>,
    readies: LutFifo<Ready, 1, 2>,
    /// Words that the finisher computed, four a frame.
    patches: LutRam<32, 3>,

    /// Frames are all plain ones of the host.
    plain_only: Fact,
    job: Signal<Local, Job>,
    ready: Signal<Local, Ready>,
}

impl TxPath {
    /// For a board, which has no jumbo frames: payload memory of the 1024 words that the planner then uses, and arrivals of 64 host
    /// descriptors, which lie in distributed memory.
    pub fn set_board_sized(&mut self) {
        self.payload.set_words_log2(10);
        self.queue.set_noted_log2(6);
    }

    /// For a build that segments nothing: bursts of the firmware are ignored, descriptors of bursts refused, and synthesis drops what only
    /// segments need.
    pub fn set_plain_only(&mut self) {
        self.plain_only = Fact::new(true);
        self.planner.set_plain_only();
        self.finish.set_plain_only();
        // The blocks of the headers are free: arrivals have one of them, and not distributed memory.
        self.queue.set_noted_log2(7);
    }
}

module! {
    impl [] Logic for TxPath;
    regs: ;
    children: queue, header, planner, intake, loader, finish, sender, merger, exit, payload, jobs, notes, readies,
        patches;
    #[hdl_gen]
    fn update(&mut self) {
        ReadRequestSource::link(&mut self.request, &mut self.planner.request);
        ReadData::link(&mut self.data, &mut self.intake.data);
        StreamOut::link(&mut self.wire_out, &mut self.exit.wire_out);
        StreamOut::link(&mut self.loopback, &mut self.exit.loopback);

        self.queue.now.next = self.now.val();
        self.queue.prod.next = self.tx_prod.val();
        self.queue.word.next = self.tx_word.val();
        self.queue.valid.next = self.tx_valid.val();
        self.queue.bad.next = self.tx_bad.val();
        self.queue.last.next = self.tx_last.val();
        self.queue.arrived.next = self.tx_arrived.val();
        self.queue.go.next = self.htx_go.val();
        self.tx_pop.next = self.queue.pop.val();
        self.htx_pending.next = self.queue.pending.val();
        self.htx_stamp.next = self.queue.stamp.val();
        self.htx_qlen.next = self.queue.qlen.val();

        self.header.write.next = self.th_write.val();
        self.header.index.next = self.th_index.val();
        self.header.data.next = self.th_data.val();
        self.header.go.next = self.tp_go.val();
        self.header.pushed.next.addr = self.tp_addr.val();
        self.header.pushed.next.length = self.tp_len.val();
        self.header.pushed.next.cut = self.tp_cut.val();
        self.header.pushed.next.rest = self.tp_rest.val();
        self.header.pushed.next.header = self.tp_header_len.val();
        self.header.pushed.next.mss = self.tp_mss.val();
        self.header.conn.next = self.tp_conn.val();
        self.tp_ready.next = self.header.ready.val();
        self.quiet_nic.next = self.header.idle.val();

        self.planner.jumbo.next = self.jumbo.val();
        self.planner.ipv6.next = self.ipv6.val();
        self.finish.ipv6.next = self.ipv6.val();
        self.planner.frame_addr.next = self.queue.frame_addr.val();
        self.planner.frame_length.next = self.queue.frame_length.val();
        self.planner.frame_checksum.next = self.queue.frame_checksum.val();
        self.planner.frame_inject.next = self.queue.frame_inject.val();
        self.planner.frame_segment.next = self.queue.frame_segment.val();
        self.planner.frame_csum.next = self.queue.frame_csum.val();
        self.planner.frame_cut.next = self.queue.frame_cut.val();
        self.planner.frame_valid.next = self.queue.frame_valid.val();
        self.queue.frame_take.next = self.planner.frame_take.val();
        self.planner.burst.next = self.header.burst.val();
        self.planner.burst_valid.next = self.header.burst_valid.val() && !self.plain_only.holds.val();
        self.header.burst_take.next = self.planner.burst_take.val();
        self.planner.failed.next = self.finish.failed.val();
        self.planner.host_freed.next = self.sender.host_freed.val();
        self.planner.read_index.next = self.sender.read_index.val();

        self.jobs.data.next = self.planner.job.val();
        self.jobs.push.next = self.planner.job_push.val();
        self.planner.job_full.next = self.jobs.full.val();
        self.notes.data.next = self.planner.note.val();
        self.notes.push.next = self.planner.note_push.val();
        self.planner.note_full.next = self.notes.full.val();

        self.intake.note.next = self.notes.head.val();
        self.notes.pop.next = self.intake.note_take.val();
        self.payload.write_enable.next = self.intake.write_enable.val();
        self.payload.write_addr.next = self.intake.write_addr.val();
        self.payload.write_data.next = self.intake.write_data.val();
        self.loader.data.next = self.intake.write_data.val();
        self.loader.valid.next = self.intake.header_valid.val();
        self.loader.last.next = self.intake.header_last.val();
        self.loader.lane.next = self.intake.header_lane.val();
        self.loader.slot.next = self.intake.header_slot.val();
        self.header.host_write.next = self.loader.write.val();
        self.header.host_addr.next = self.loader.write_addr.val();
        self.header.host_data.next = self.loader.write_data.val();

        self.job.next = self.jobs.head.val();
        self.finish.job.next = self.job.val();
        self.finish.job.next.host = self.job.val().host || self.plain_only.holds.val();
        self.finish.job.next.plain = self.job.val().plain || self.plain_only.holds.val();
        self.finish.job_valid.next = self.jobs.valid.val();
        self.jobs.pop.next = self.finish.job_take.val();
        self.finish.payload.next = self.intake.payload.val();
        self.finish.payload_valid.next = self.intake.payload_valid.val();
        self.intake.payload_take.next = self.finish.payload_take.val();
        self.header.scan_addr.next = self.finish.scan_addr.val();
        self.finish.scan_data.next = self.header.scan_data.val();
        self.patches.write_enable.next = self.finish.patch_write.val();
        self.patches.write_addr.next = self.finish.patch_addr.val();
        self.patches.write_data.next = self.finish.patch_data.val();
        self.tx_cons.next = self.finish.tx_cons.val();
        self.st_bad_desc.next = self.finish.bad.val();
        self.st_abandoned.next = self.finish.abandoned.val();

        self.readies.data.next = self.finish.ready.val();
        self.readies.push.next = self.finish.ready_push.val();
        self.finish.ready_full.next = self.readies.full.val();
        self.ready.next = self.readies.head.val();
        self.sender.ready.next = self.ready.val();
        self.sender.ready.next.host = self.ready.val().host || self.plain_only.holds.val();
        self.sender.ready.next.plain = self.ready.val().plain || self.plain_only.holds.val();
        self.sender.ready_valid.next = self.readies.valid.val();
        self.readies.pop.next = self.sender.ready_take.val();
        self.sender.room.next = self.exit.room.val();
        self.header.send_addr.next = self.sender.header_addr.val();
        self.header.freed.next = self.sender.freed.val();
        self.payload.read_addr.next = self.sender.payload_addr.val();
        self.patches.read_addr.next = self.sender.patch_addr.val();
        self.sender.patch.next = self.patches.read_data.val();
        self.sender.conn.next = self.header.send_conn.val();
        self.st_host.next = self.sender.sent_host.val();
        self.sent_valid.next = self.sender.sent_valid.val();
        self.sent_conn.next = self.sender.sent_conn.val();
        self.sent_bytes.next = self.sender.sent_bytes.val();
        self.st_nic.next = self.sender.sent_valid.val();
        self.lost.next = self.sender.lost.val();

        self.merger.tag_valid.next = self.sender.word_valid.val();
        self.merger.tag_header.next = self.sender.word_header.val() && !self.plain_only.holds.val();
        self.merger.tag_inject.next = self.sender.word_inject.val();
        self.merger.tag_last.next = self.sender.word_last.val();
        self.merger.tag_lane.next = self.sender.word_lane.val();
        self.merger.tag_count.next = self.sender.word_count.val();
        self.merger.tag_mask.next = self.sender.word_mask.val();
        self.merger.tag_patch.next = self.sender.word_patch.val();
        self.merger.header.next = self.header.send_data.val();
        self.merger.payload.next = self.payload.read_data.val();
        self.exit.word.next = self.merger.word.val();
        self.exit.valid.next = self.merger.valid.val();
        self.st_frames.next = self.exit.sent.val();
    }
}

//! The transmit path from granted descriptors and pushed segments to frames.
//!
//! A frame passes `planner` (order, lengths, read request), `intake` (payload into memory, summed), `finish`
//! (checksums), `sender` and `merger` (header and payload joined, checksums in place) and `output`. A frame is
//! stored whole before its first byte goes out. Payload memory holds 1024 words, two of the largest frames, so the
//! next frames are read while one is sent; up to eight are on their way.
//!
//! Core clock, synchronous reset. Verified in `cosim/tests/tx.rs`.

use super::{
    finish::Finish,
    header::HeaderStage,
    host_queue::HostQueue,
    intake::Intake,
    merger::Merger,
    output::Output,
    planner::Planner,
    records::{IntakeNote, Job, Ready},
    sender::Sender,
};
use crate::dma::read_bus::{ReadData, ReadRequestSource};
use crate::kit::{Cr, LutFifo, RamRw, StreamOut};
use crate::module;
use rust_hdl::prelude::*;

/// Transmission, except for the reading of host memory.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct TxPath {
    pub cr: Cr,
    pub now: Signal<In, Bits<32>>,
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
    pub tp_ip_csum: Signal<In, Bit>,
    pub tp_tcp_csum: Signal<In, Bit>,
    pub tp_addr: Signal<In, Bits<32>>,
    pub tp_len: Signal<In, Bits<16>>,
    pub tp_ready: Signal<Out, Bit>,
    pub quiet_nic: Signal<Out, Bit>,

    pub wire_out: StreamOut,
    pub loopback: StreamOut,
    pub st_frames: Signal<Out, Bit>,
    pub st_host: Signal<Out, Bit>,
    pub st_nic: Signal<Out, Bit>,
    pub st_bad_desc: Signal<Out, Bit>,

    queue: HostQueue,
    header: HeaderStage,
    planner: Planner,
    intake: Intake,
    finish: Finish,
    sender: Sender,
    merger: Merger,
    exit: Output,
    payload: RamRw<32, 10>,
    jobs: LutFifo<Job, 3, 4>,
    notes: LutFifo<IntakeNote, 3, 4>,
    readies: LutFifo<Ready, 2, 3>,
}

module! {
    impl [] Logic for TxPath;
    regs: ;
    children: queue, header, planner, intake, finish, sender, merger, exit, payload, jobs, notes, readies;
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
        self.header.pushed.next.header = self.tp_header_len.val();
        self.header.pushed.next.ip_checksum = self.tp_ip_csum.val();
        self.header.pushed.next.tcp_checksum = self.tp_tcp_csum.val();
        self.tp_ready.next = self.header.ready.val();
        self.quiet_nic.next = self.header.idle.val();

        self.planner.frame.next = self.queue.frame.val();
        self.planner.frame_valid.next = self.queue.frame_valid.val();
        self.queue.frame_take.next = self.planner.frame_take.val();
        self.planner.segment.next = self.header.segment.val();
        self.planner.segment_valid.next = self.header.segment_valid.val();
        self.header.segment_take.next = self.planner.segment_take.val();
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

        self.finish.job.next = self.jobs.head.val();
        self.finish.job_valid.next = self.jobs.valid.val();
        self.jobs.pop.next = self.finish.job_take.val();
        self.finish.payload.next = self.intake.payload.val();
        self.finish.payload_valid.next = self.intake.payload_valid.val();
        self.intake.payload_take.next = self.finish.payload_take.val();
        self.finish.sums.next = self.header.sums.val();
        self.finish.sums_valid.next = self.header.sums_valid.val();
        self.header.sums_take.next = self.finish.sums_take.val();
        self.tx_cons.next = self.finish.tx_cons.val();
        self.st_bad_desc.next = self.finish.bad.val();

        self.readies.data.next = self.finish.ready.val();
        self.readies.push.next = self.finish.ready_push.val();
        self.finish.ready_full.next = self.readies.full.val();
        self.sender.ready.next = self.readies.head.val();
        self.sender.ready_valid.next = self.readies.valid.val();
        self.readies.pop.next = self.sender.ready_take.val();
        self.sender.room.next = self.exit.room.val();
        self.header.read_addr.next = self.sender.header_addr.val();
        self.header.freed.next = self.sender.freed.val();
        self.payload.read_addr.next = self.sender.payload_addr.val();
        self.st_host.next = self.sender.sent_host.val();
        self.st_nic.next = self.sender.sent_segment.val();

        self.merger.tag.next = self.sender.tag.val();
        self.merger.header.next = self.header.read_data.val();
        self.merger.payload.next = self.payload.read_data.val();
        self.exit.word.next = self.merger.word.val();
        self.exit.valid.next = self.merger.valid.val();
        self.st_frames.next = self.exit.sent.val();
    }
}

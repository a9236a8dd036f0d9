//! The write side of the DMA engine: received packets, event messages and ring indices into host memory.
//!
//! [`Sequencer`] chooses and checks an operation, [`Mover`] streams it, [`AxiWriter`] puts it on the bus,
//! [`Publisher`] announces the indices once everything before them has been acknowledged, [`FaultReport`]
//! tells of what was refused or failed; this module only wires them.
//!
//! Core clock, synchronous reset. Throughput one word a cycle within an operation. A stream of smallest frames
//! (62 bytes stored) takes 23 cycles a frame: 16 words of frame, 4 of completion, 2 for its share of the index
//! block, and one between operations. From a granted packet to its first beat on the bus: about ten cycles.
//! Backpressure: packets wait in their queues for a receive descriptor and for the bus; event jobs wait for room
//! in the event ring. Errors never stop anything: see [`Sequencer`] for what a refusal does, and an error
//! response is only reported. Verified in `cosim/tests/dma_write`.

use super::axi_writer::AxiWriter;
use super::fault::FaultReport;
use super::mover::Mover;
use super::op::{source, OpOut};
use super::publish::Publisher;
use super::range::RangeCheck;
use super::sequencer::Sequencer;
use crate::kit::Cr;
use crate::module;
use rust_hdl::prelude::*;

// Told by number below.
const _: () = assert!(source::INDEX == 4);

/// Writes into host memory.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct WriteSide {
    pub cr: Cr,
    /// Core clock cycles since reset.
    pub now: Signal<In, Bits<32>>,

    // The granted frames of the host receive queue. `hq_addr` counts words from the start of the oldest; its
    // data comes in the next cycle.
    pub hq_valid: Signal<In, Bit>,
    /// Stored length: with two bytes of padding in front.
    pub hq_len: Signal<In, Bits<16>>,
    pub hq_arrival: Signal<In, Bits<32>>,
    pub hq_flags: Signal<In, Bits<16>>,
    pub hq_addr: Signal<Out, Bits<12>>,
    pub hq_data: Signal<In, Bits<32>>,
    pub hq_pop: Signal<Out, Bit>,

    // The packets of the NIC receive queue that have not been freed, in the same way.
    pub nq_mem_valid: Signal<In, Bit>,
    pub nq_mem_len: Signal<In, Bits<16>>,
    pub nq_mem_arrival: Signal<In, Bits<32>>,
    pub nq_addr: Signal<Out, Bits<12>>,
    pub nq_data: Signal<In, Bits<32>>,
    pub nq_pop: Signal<Out, Bit>,

    // The job queue's head (`baton_abi::mmio::job`).
    pub job_valid: Signal<In, Bit>,
    pub job_op: Signal<In, Bits<3>>,
    pub job_src: Signal<In, Bits<16>>,
    pub job_len: Signal<In, Bits<16>>,
    pub job_addr: Signal<In, Bits<32>>,
    pub job_pop: Signal<Out, Bit>,

    /// At least eight event words wait. The words of a message are pushed before its job.
    pub evt_valid: Signal<In, Bit>,
    pub evt_word: Signal<In, Bits<32>>,
    pub evt_pop: Signal<Out, Bit>,

    // Receive descriptors, fetched ahead.
    pub rxd_valid: Signal<In, Bit>,
    pub rxd_addr: Signal<In, Bits<32>>,
    pub rxd_len: Signal<In, Bits<32>>,
    pub rxd_pop: Signal<Out, Bit>,

    // Rings; addresses are taken as multiples of 4.
    pub rx_base: Signal<In, Bits<32>>,
    pub rx_size_log2: Signal<In, Bits<4>>,
    pub evt_base: Signal<In, Bits<32>>,
    pub evt_size_log2: Signal<In, Bits<4>>,
    pub evt_cons: Signal<In, Bits<16>>,
    pub index_addr: Signal<In, Bits<32>>,
    pub tx_cons: Signal<In, Bits<16>>,
    pub cmd_cons: Signal<In, Bits<16>>,
    /// Indices whose entries are in memory.
    pub rx_cons: Signal<Out, Bits<16>>,
    pub evt_prod: Signal<Out, Bits<16>>,

    // Registered memory: first byte, and one past the last.
    pub range_base0: Signal<In, Bits<32>>,
    pub range_base1: Signal<In, Bits<32>>,
    pub range_base2: Signal<In, Bits<32>>,
    pub range_base3: Signal<In, Bits<32>>,
    pub range_limit0: Signal<In, Bits<32>>,
    pub range_limit1: Signal<In, Bits<32>>,
    pub range_limit2: Signal<In, Bits<32>>,
    pub range_limit3: Signal<In, Bits<32>>,

    // Pulses, after the index block that announces the cause has been acknowledged.
    pub irq_event: Signal<Out, Bit>,
    pub irq_rx: Signal<Out, Bit>,
    pub irq_tx: Signal<Out, Bit>,
    pub irq_cmd: Signal<Out, Bit>,
    /// Pulse: an access was refused or failed, at `fault_addr`.
    pub dma_error: Signal<Out, Bit>,
    pub fault_addr: Signal<Out, Bits<32>>,
    /// Kind and source of the access; see [`FaultReport`].
    pub fault_info: Signal<Out, Bits<7>>,
    /// Pulse: a host packet was completed, `delay` cycles after it arrived.
    pub delay_valid: Signal<Out, Bit>,
    pub delay: Signal<Out, Bits<32>>,
    /// No job waits here or is unfinished, and all that jobs wrote has been acknowledged.
    pub quiet: Signal<Out, Bit>,

    // AXI4, write channels.
    pub awaddr: Signal<Out, Bits<32>>,
    pub awlen: Signal<Out, Bits<8>>,
    pub awvalid: Signal<Out, Bit>,
    pub awready: Signal<In, Bit>,
    pub wdata: Signal<Out, Bits<32>>,
    pub wstrb: Signal<Out, Bits<4>>,
    pub wlast: Signal<Out, Bit>,
    pub wvalid: Signal<Out, Bit>,
    pub wready: Signal<In, Bit>,
    pub bresp: Signal<In, Bits<2>>,
    pub bvalid: Signal<In, Bit>,
    pub bready: Signal<Out, Bit>,

    sequencer: Sequencer,
    mover: Mover,
    writer: AxiWriter,
    publisher: Publisher,
    fault: FaultReport,
    check: RangeCheck,
}

module! {
    impl [] Logic for WriteSide;
    regs: ;
    children: sequencer, mover, writer, publisher, fault, check;
    #[hdl_gen]
    fn update(&mut self) {
        OpOut::join(&mut self.sequencer.op, &mut self.mover.op);

        self.sequencer.hq_valid.next = self.hq_valid.val();
        self.sequencer.hq_len.next = self.hq_len.val();
        self.sequencer.hq_arrival.next = self.hq_arrival.val();
        self.sequencer.hq_flags.next = self.hq_flags.val();
        self.sequencer.nq_valid.next = self.nq_mem_valid.val();
        self.sequencer.nq_len.next = self.nq_mem_len.val();
        self.sequencer.nq_arrival.next = self.nq_mem_arrival.val();
        self.sequencer.hq_pop.next = self.mover.hq_pop.val();
        self.sequencer.nq_pop.next = self.mover.nq_pop.val();
        self.sequencer.job_valid.next = self.job_valid.val();
        self.sequencer.job_op.next = self.job_op.val();
        self.sequencer.job_src.next = self.job_src.val();
        self.sequencer.job_len.next = self.job_len.val();
        self.sequencer.job_addr.next = self.job_addr.val();
        self.job_pop.next = self.sequencer.job_pop.val();
        self.sequencer.evt_valid.next = self.evt_valid.val();
        self.sequencer.rxd_valid.next = self.rxd_valid.val();
        self.sequencer.rxd_addr.next = self.rxd_addr.val();
        self.sequencer.rxd_len.next = self.rxd_len.val();
        self.rxd_pop.next = self.sequencer.rxd_pop.val();
        self.sequencer.rx_base.next = self.rx_base.val();
        self.sequencer.rx_size_log2.next = self.rx_size_log2.val();
        self.sequencer.evt_base.next = self.evt_base.val();
        self.sequencer.evt_size_log2.next = self.evt_size_log2.val();
        self.sequencer.evt_cons.next = self.evt_cons.val();
        self.sequencer.index_addr.next = self.index_addr.val();
        self.sequencer.index_request.next = self.publisher.request.val();
        self.sequencer.check_allowed.next = self.check.allowed.val();
        self.sequencer.check_allowed_next.next = self.check.allowed_next.val();
        self.sequencer.report_busy.next = self.fault.busy.val();
        self.sequencer.ack.next = self.writer.done.val();
        self.quiet.next = self.sequencer.quiet.val();

        self.check.start.next = self.sequencer.check_start.val();
        self.check.length.next = self.sequencer.check_length.val();
        self.check.base0.next = self.range_base0.val();
        self.check.base1.next = self.range_base1.val();
        self.check.base2.next = self.range_base2.val();
        self.check.base3.next = self.range_base3.val();
        self.check.limit0.next = self.range_limit0.val();
        self.check.limit1.next = self.range_limit1.val();
        self.check.limit2.next = self.range_limit2.val();
        self.check.limit3.next = self.range_limit3.val();

        self.mover.now.next = self.now.val();
        self.hq_addr.next = self.mover.hq_addr.val();
        self.mover.hq_data.next = self.hq_data.val();
        self.hq_pop.next = self.mover.hq_pop.val();
        self.nq_addr.next = self.mover.nq_addr.val();
        self.mover.nq_data.next = self.nq_data.val();
        self.nq_pop.next = self.mover.nq_pop.val();
        self.mover.evt_word.next = self.evt_word.val();
        self.evt_pop.next = self.mover.evt_pop.val();
        self.mover.index0.next = self.publisher.index0.val();
        self.mover.index1.next = self.publisher.index1.val();
        self.mover.index2.next = self.publisher.index2.val();
        self.mover.index3.next = self.publisher.index3.val();
        self.delay_valid.next = self.mover.delay_valid.val();
        self.delay.next = self.mover.delay.val();

        self.writer.go.next = self.mover.go.val();
        self.writer.word_addr.next = self.mover.word_addr.val();
        self.writer.words.next = self.mover.words.val();
        self.writer.source.next = self.mover.source.val();
        self.sequencer.mover_long.next = self.mover.long.val();
        self.mover.ready.next = self.writer.ready.val();
        self.writer.push.next = self.mover.push.val();
        self.writer.data.next = self.mover.data.val();
        self.writer.strobe.next = self.mover.strobe.val();
        self.writer.last.next = self.mover.last.val();
        self.mover.room.next = self.writer.room.val();

        self.publisher.tx_cons.next = self.tx_cons.val();
        self.publisher.cmd_cons.next = self.cmd_cons.val();
        self.publisher.rx_cons.next = self.sequencer.rx_cons.val();
        self.publisher.evt_prod.next = self.sequencer.evt_prod.val();
        self.publisher.issued.next = self.sequencer.issued.val();
        self.publisher.acked.next = self.sequencer.acked.val();
        self.publisher.accepted.next = self.sequencer.index_accepted.val();
        self.publisher.refused.next = self.sequencer.index_refused.val();
        self.publisher.done.next = self.writer.done.val() && (self.writer.answered_source.val() == 4);
        self.rx_cons.next = self.publisher.rx_seen.val();
        self.evt_prod.next = self.publisher.evt_seen.val();
        self.irq_event.next = self.publisher.irq_event.val();
        self.irq_rx.next = self.publisher.irq_rx.val();
        self.irq_tx.next = self.publisher.irq_tx.val();
        self.irq_cmd.next = self.publisher.irq_cmd.val();

        self.fault.refused.next = self.sequencer.refused.val();
        self.fault.refused_addr.next = self.sequencer.refused_addr.val();
        self.fault.failed.next = self.writer.failed.val();
        self.fault.refused_source.next = self.sequencer.refused_source.val();
        self.fault.failed_addr.next = self.writer.failed_addr.val();
        self.fault.failed_source.next = self.writer.answered_source.val();
        self.fault.failed_decode.next = self.writer.failed_decode.val();
        self.dma_error.next = self.fault.dma_error.val();
        self.fault_addr.next = self.fault.fault_addr.val();
        self.fault_info.next = self.fault.fault_info.val();

        self.awaddr.next = self.writer.awaddr.val();
        self.awlen.next = self.writer.awlen.val();
        self.awvalid.next = self.writer.awvalid.val();
        self.writer.awready.next = self.awready.val();
        self.wdata.next = self.writer.wdata.val();
        self.wstrb.next = self.writer.wstrb.val();
        self.wlast.next = self.writer.wlast.val();
        self.wvalid.next = self.writer.wvalid.val();
        self.writer.wready.next = self.wready.val();
        self.writer.bresp.next = self.bresp.val();
        self.writer.bvalid.next = self.bvalid.val();
        self.bready.next = self.writer.bready.val();
    }
}

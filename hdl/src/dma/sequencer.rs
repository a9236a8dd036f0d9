//! Decides what is written next: host packets, jobs, the index block.
//!
//! At every boundary between operations a granted host packet goes first, then the next piece of a job
//! ([`Jobs`]), then the index block. A request of the index block that has let four operations pass goes before
//! anything else, so it waits for at most four.
//!
//! An operation is formed while the one before it is moving: its range is checked (and for a packet the range
//! of its completion), then it waits to be taken. All but host packets are formed only when the mover has nothing
//! before it but the last seven words of the operation under way, so that a host packet waits for one piece of a job
//! at most, which is 64 words long. A packet cannot be looked at before the one ahead of it in the same queue has been freed, which the mover reports.
//!
//! On malformed input: a packet whose buffer is too small or no DMA memory is freed and completed with
//! `RX_FLAG_ERROR` and no length; a refused completion still consumes its descriptor, a refused event slot
//! its place in the ring, a refused copy is dropped whole; each refusal is reported. An event job waits while its
//! ring lacks room for all its slots, and while it waits so do the jobs behind it, but not host packets.
//!
//! Core clock, synchronous reset. One operation takes five cycles, a packet with its completion six, all of
//! them hidden while the mover is at work for that long. Verified in `cosim/tests/dma_write`.

use super::jobs::Jobs;
use super::ledger::Ledger;
use super::op::{source, OpOut};
use crate::kit::{Cr, Reg};
use crate::module;
use baton_abi::ring;
use rust_hdl::prelude::*;

// Sources are told apart by number below.
const _: () = assert!(source::HOST == 0 && source::NIC == 1 && source::COMPLETION == 2);
const _: () = assert!(source::EVENT == 3 && source::INDEX == 4);

/// The choice of operations, with the NIC's side of the receive ring.
#[derive(Clone, Debug, LogicBlock)]
pub struct Sequencer {
    pub cr: Cr,
    pub op: OpOut,
    pub hq_valid: Signal<In, Bit>,
    pub hq_len: Signal<In, Bits<16>>,
    pub hq_arrival: Signal<In, Bits<32>>,
    pub hq_flags: Signal<In, Bits<16>>,
    pub nq_valid: Signal<In, Bit>,
    pub nq_len: Signal<In, Bits<16>>,
    pub nq_arrival: Signal<In, Bits<32>>,
    /// The mover frees the packet.
    pub hq_pop: Signal<In, Bit>,
    pub nq_pop: Signal<In, Bit>,
    /// The mover has eight words or more to request.
    pub mover_long: Signal<In, Bit>,
    pub job_valid: Signal<In, Bit>,
    pub job_op: Signal<In, Bits<3>>,
    pub job_src: Signal<In, Bits<16>>,
    pub job_len: Signal<In, Bits<16>>,
    pub job_addr: Signal<In, Bits<32>>,
    pub job_pop: Signal<Out, Bit>,
    /// All words of a slot wait.
    pub evt_valid: Signal<In, Bit>,
    pub rxd_valid: Signal<In, Bit>,
    pub rxd_addr: Signal<In, Bits<32>>,
    pub rxd_len: Signal<In, Bits<32>>,
    pub rxd_pop: Signal<Out, Bit>,
    pub rx_base: Signal<In, Bits<32>>,
    pub rx_size_log2: Signal<In, Bits<4>>,
    pub evt_base: Signal<In, Bits<32>>,
    pub evt_size_log2: Signal<In, Bits<4>>,
    pub evt_cons: Signal<In, Bits<16>>,
    pub index_addr: Signal<In, Bits<32>>,
    /// Indices of what has been issued.
    pub rx_cons: Signal<Out, Bits<16>>,
    pub evt_prod: Signal<Out, Bits<16>>,
    /// The index block's request, and what became of it.
    pub index_request: Signal<In, Bit>,
    pub index_accepted: Signal<Out, Bit>,
    pub index_refused: Signal<Out, Bit>,
    /// To the range check and back.
    pub check_start: Signal<Out, Bits<32>>,
    pub check_length: Signal<Out, Bits<16>>,
    pub check_allowed: Signal<In, Bit>,
    pub check_allowed_next: Signal<In, Bit>,
    /// A refused access; never while `report_busy`.
    pub refused: Signal<Out, Bit>,
    pub refused_addr: Signal<Out, Bits<32>>,
    /// One of [`source`].
    pub refused_source: Signal<Out, Bits<3>>,
    pub report_busy: Signal<In, Bit>,
    /// A write has been acknowledged.
    pub ack: Signal<In, Bit>,
    /// Writes issued and acknowledged since reset, wrapping.
    pub issued: Signal<Out, Bits<8>>,
    pub acked: Signal<Out, Bits<8>>,
    /// No job waits or is unfinished, acknowledgements included.
    pub quiet: Signal<Out, Bit>,

    jobs: Jobs,
    ledger: Ledger,
    /// 0 pick, 1 check the first address, 2 the second, 3 verdict on the first, 4 emit, 5 emit the
    /// completion.
    state: Reg<Bits<3>>,
    /// 1 to 4 as the operations of a job, 0 host packet, 5 index block.
    what: Reg<Bits<3>>,
    /// The first address, and the bytes that must be allowed from there.
    target: Reg<Bits<32>>,
    reach: Reg<Bits<16>>,
    /// The packet exceeds its buffer.
    oversize: Reg<Bit>,
    allowed: Reg<Bit>,
    /// Operations since the index block asked.
    turns: Reg<Bits<3>>,
    /// The packet at the head of the queue has been issued and not yet freed.
    host_taken: Reg<Bit>,
    nic_taken: Reg<Bit>,
    rx_index: Reg<Bits<16>>,
    rx_slot: Reg<Bits<32>>,

    op_valid: Reg<Bit>,
    op_source: Reg<Bits<3>>,
    op_write: Reg<Bit>,
    op_drain: Reg<Bit>,
    op_addr: Reg<Bits<32>>,
    op_len: Reg<Bits<16>>,
    op_offset: Reg<Bits<16>>,
    op_pop_host: Reg<Bit>,
    op_pop_nic: Reg<Bit>,
    op_word0: Reg<Bits<32>>,
    op_word1: Reg<Bits<32>>,
    op_timed: Reg<Bit>,

    flag_error: Constant<Bits<32>>,
    flags_from_nic: Constant<Bits<32>>,

    host_ready: Signal<Local, Bit>,
    /// The mover has nothing before it, and will be done before an operation is formed.
    mover_soon: Signal<Local, Bit>,
    is_packet: Signal<Local, Bit>,
    frame_len_wide: Signal<Local, Bits<32>>,
    frame_net: Signal<Local, Bits<16>>,
    frame_flags: Signal<Local, Bits<32>>,
    first_start: Signal<Local, Bits<32>>,
    first_length: Signal<Local, Bits<16>>,
    free: Signal<Local, Bit>,
    emit: Signal<Local, Bit>,
    complete: Signal<Local, Bit>,
    emit_write: Signal<Local, Bit>,
    count_up: Signal<Local, Bit>,
    rx_start: Signal<Local, Bits<32>>,
    rx_size: Signal<Local, Bits<17>>,
    rx_mask: Signal<Local, Bits<17>>,
    rx_place: Signal<Local, Bits<16>>,
    one: Signal<Local, Bits<17>>,
}

impl Default for Sequencer {
    fn default() -> Self {
        let flags = |flags: u16| Constant::new((u64::from(flags) << 16).into());
        Sequencer {
            flag_error: flags(ring::RX_FLAG_ERROR),
            flags_from_nic: flags(ring::RX_FLAG_FROM_NIC | ring::RX_FLAG_CHECKSUM_OK),
            cr: Default::default(),
            op: Default::default(),
            hq_valid: Default::default(),
            hq_len: Default::default(),
            hq_arrival: Default::default(),
            hq_flags: Default::default(),
            nq_valid: Default::default(),
            nq_len: Default::default(),
            nq_arrival: Default::default(),
            hq_pop: Default::default(),
            nq_pop: Default::default(),
            mover_long: Default::default(),
            job_valid: Default::default(),
            job_op: Default::default(),
            job_src: Default::default(),
            job_len: Default::default(),
            job_addr: Default::default(),
            job_pop: Default::default(),
            evt_valid: Default::default(),
            rxd_valid: Default::default(),
            rxd_addr: Default::default(),
            rxd_len: Default::default(),
            rxd_pop: Default::default(),
            rx_base: Default::default(),
            rx_size_log2: Default::default(),
            evt_base: Default::default(),
            evt_size_log2: Default::default(),
            evt_cons: Default::default(),
            index_addr: Default::default(),
            rx_cons: Default::default(),
            evt_prod: Default::default(),
            index_request: Default::default(),
            index_accepted: Default::default(),
            index_refused: Default::default(),
            check_start: Default::default(),
            check_length: Default::default(),
            check_allowed: Default::default(),
            check_allowed_next: Default::default(),
            refused: Default::default(),
            refused_addr: Default::default(),
            refused_source: Default::default(),
            report_busy: Default::default(),
            ack: Default::default(),
            issued: Default::default(),
            acked: Default::default(),
            quiet: Default::default(),
            jobs: Default::default(),
            ledger: Default::default(),
            state: Default::default(),
            what: Default::default(),
            target: Default::default(),
            reach: Default::default(),
            oversize: Default::default(),
            allowed: Default::default(),
            turns: Default::default(),
            host_taken: Default::default(),
            nic_taken: Default::default(),
            rx_index: Default::default(),
            rx_slot: Default::default(),
            op_valid: Default::default(),
            op_source: Default::default(),
            op_write: Default::default(),
            op_drain: Default::default(),
            op_addr: Default::default(),
            op_len: Default::default(),
            op_offset: Default::default(),
            op_pop_host: Default::default(),
            op_pop_nic: Default::default(),
            op_word0: Default::default(),
            op_word1: Default::default(),
            op_timed: Default::default(),
            host_ready: Default::default(),
            mover_soon: Default::default(),
            is_packet: Default::default(),
            frame_len_wide: Default::default(),
            frame_net: Default::default(),
            frame_flags: Default::default(),
            first_start: Default::default(),
            first_length: Default::default(),
            free: Default::default(),
            emit: Default::default(),
            complete: Default::default(),
            emit_write: Default::default(),
            count_up: Default::default(),
            rx_start: Default::default(),
            rx_size: Default::default(),
            rx_mask: Default::default(),
            rx_place: Default::default(),
            one: Default::default(),
        }
    }
}

module! {
    impl [] Logic for Sequencer;
    regs: state, what, target, reach, oversize, allowed, turns, host_taken, nic_taken, rx_index, rx_slot, op_valid,
        op_source, op_write, op_drain, op_addr, op_len, op_offset, op_pop_host, op_pop_nic, op_word0, op_word1, op_timed;
    children: jobs, ledger;
    #[hdl_gen]
    fn update(&mut self) {
        self.jobs.job_valid.next = self.job_valid.val();
        self.jobs.job_op.next = self.job_op.val();
        self.jobs.job_src.next = self.job_src.val();
        self.jobs.job_len.next = self.job_len.val();
        self.jobs.job_addr.next = self.job_addr.val();
        self.job_pop.next = self.jobs.job_pop.val();
        self.jobs.packet_ready.next = self.nq_valid.val() && !self.nic_taken.q.val();
        self.jobs.buffer_ready.next = self.rxd_valid.val();
        self.jobs.evt_valid.next = self.evt_valid.val();
        self.jobs.evt_base.next = self.evt_base.val();
        self.jobs.evt_size_log2.next = self.evt_size_log2.val();
        self.jobs.evt_cons.next = self.evt_cons.val();
        self.evt_prod.next = self.jobs.evt_prod.val();

        // The addresses to check: the first is chosen in state 1, with that of the receive descriptor, and checked from state 2
        // on, the descriptor's from state 3 on.
        self.is_packet.next = (self.what.q.val() == 0) || (self.what.q.val() == 3);
        self.first_start.next = self.rxd_addr.val();
        self.first_length.next = 16.into();
        self.frame_len_wide.next = 0.into();
        self.one.next = 1.into();
        self.rx_start.next = 0.into();
        self.rx_size.next = 0.into();
        self.rx_mask.next = 0.into();
        self.rx_place.next = 0.into();
        if self.state.q.val() == 1 {
            match self.what.q.val().index() {
                0 => {
                    self.first_length.next = self.hq_len.val();
                }
                3 => {
                    self.first_length.next = self.nq_len.val();
                }
                5 => {
                    self.first_start.next = bit_cast::<32, 30>(self.index_addr.val().get_bits::<30>(2)) << 2;
                }
                _ => {
                    self.first_start.next = self.jobs.addr.val();
                    self.first_length.next = self.jobs.reach.val();
                }
            }
            self.frame_len_wide.next = bit_cast::<32, 16>(self.first_length.val());
            self.target.d.next = self.first_start.val();
            self.reach.d.next = self.first_length.val();
            self.oversize.d.next = self.is_packet.val() && (self.rxd_len.val() < self.frame_len_wide.val());
            self.rx_start.next = bit_cast::<32, 30>(self.rx_base.val().get_bits::<30>(2)) << 2;
            self.rx_size.next = self.one.val() << self.rx_size_log2.val();
            self.rx_mask.next = self.rx_size.val() - 1;
            self.rx_place.next = self.rx_index.q.val() & self.rx_mask.val().get_bits::<16>(0);
            self.rx_slot.d.next = self.rx_start.val() + (bit_cast::<32, 16>(self.rx_place.val()) << 4);
        }
        self.check_start.next = self.rx_slot.q.val();
        self.check_length.next = 16.into();
        if self.state.q.val() == 2 {
            self.check_start.next = self.target.q.val();
            self.check_length.next = self.reach.q.val();
        }

        // The steps of an operation.
        self.host_ready.next = self.hq_valid.val() && self.rxd_valid.val() && !self.host_taken.q.val();
        self.free.next = (!self.op_valid.q.val() || self.op.take.val()) && !self.report_busy.val();
        self.emit.next = (self.state.q.val() == 4) && self.free.val();
        self.complete.next = (self.state.q.val() == 5) && self.free.val();
        self.mover_soon.next = !self.op_valid.q.val() && !self.mover_long.val();
        self.index_accepted.next = false;
        self.index_refused.next = false;
        match self.state.q.val().index() {
            0 => {
                if self.index_request.val() && self.turns.q.val().get_bit(2) && self.mover_soon.val() {
                    self.what.d.next = 5.into();
                    self.state.d.next = 1.into();
                } else if self.host_ready.val() {
                    self.what.d.next = 0.into();
                    self.state.d.next = 1.into();
                } else if self.jobs.ready.val() && self.mover_soon.val() {
                    self.what.d.next = self.jobs.operation.val();
                    self.state.d.next = 1.into();
                } else if self.index_request.val() && self.mover_soon.val() {
                    self.what.d.next = 5.into();
                    self.state.d.next = 1.into();
                }
            }
            1 => {
                self.state.d.next = 2.into();
                if self.index_request.val() && !self.turns.q.val().get_bit(2) {
                    self.turns.d.next = self.turns.q.val() + 1;
                }
            }
            2 => { self.state.d.next = 3.into(); }
            3 => {
                self.allowed.d.next = self.check_allowed_next.val() || (self.what.q.val() == 2);
                self.state.d.next = 4.into();
            }
            4 => {
                if self.emit.val() {
                    self.state.d.next = 0.into();
                    if self.is_packet.val() {
                        self.state.d.next = 5.into();
                    }
                    if self.what.q.val() == 5 {
                        self.index_accepted.next = self.allowed.q.val();
                        self.index_refused.next = !self.allowed.q.val();
                    }
                }
            }
            _ => {
                if self.complete.val() {
                    self.state.d.next = 0.into();
                    self.rx_index.d.next = self.rx_index.q.val() + 1;
                }
            }
        }
        if !self.index_request.val() {
            self.turns.d.next = 0.into();
        }
        self.rxd_pop.next = self.complete.val();
        self.jobs.refused.next = !self.allowed.q.val();
        self.jobs.issued.next = (self.what.q.val() != 0)
            && ((self.emit.val() && (self.what.q.val() != 3) && (self.what.q.val() != 5)) || self.complete.val());

        // The operation itself. A packet or slot that may not be written still has to leave its queue.
        self.emit_write.next = false;
        self.frame_net.next = 0.into();
        self.frame_flags.next = 0.into();
        if self.op.take.val() {
            self.op_valid.d.next = false;
        }
        if self.emit.val() {
            self.emit_write.next = self.allowed.q.val() && !self.oversize.q.val() && (self.what.q.val() != 2);
            self.op_valid.d.next = true;
            self.op_write.d.next = self.emit_write.val();
            self.op_drain.d.next = false;
            self.op_addr.d.next = self.target.q.val();
            self.op_len.d.next = self.reach.q.val();
            self.op_offset.d.next = 0.into();
            self.op_pop_host.d.next = false;
            self.op_pop_nic.d.next = false;
            self.op_source.d.next = 1.into();
            self.op_word1.d.next = self.nq_arrival.val();
            self.frame_flags.next = self.flags_from_nic.val();
            match self.what.q.val().index() {
                0 => {
                    self.op_source.d.next = 0.into();
                    self.op_pop_host.d.next = true;
                    self.host_taken.d.next = true;
                    self.op_word1.d.next = self.hq_arrival.val();
                    self.frame_flags.next = bit_cast::<32, 16>(self.hq_flags.val()) << 16;
                }
                1 => {
                    self.op_len.d.next = self.jobs.length.val();
                    self.op_offset.d.next = self.jobs.offset.val();
                    self.op_valid.d.next = self.allowed.q.val();
                }
                4 => {
                    self.op_source.d.next = 3.into();
                    self.op_drain.d.next = !self.allowed.q.val();
                }
                5 => {
                    self.op_source.d.next = 4.into();
                    self.op_valid.d.next = self.allowed.q.val();
                }
                _ => {
                    self.op_pop_nic.d.next = true;
                    self.nic_taken.d.next = true;
                }
            }
            self.frame_net.next = self.reach.q.val() - 2;
            self.op_word0.d.next = self.frame_flags.val() | bit_cast::<32, 16>(self.frame_net.val());
            if !self.emit_write.val() {
                self.op_word0.d.next = self.frame_flags.val() | self.flag_error.val();
            }
        }
        if self.complete.val() {
            self.op_valid.d.next = self.check_allowed.val();
            self.op_source.d.next = 2.into();
            self.op_write.d.next = true;
            self.op_drain.d.next = false;
            self.op_addr.d.next = self.rx_slot.q.val();
            self.op_len.d.next = 16.into();
            self.op_offset.d.next = 0.into();
            self.op_pop_host.d.next = false;
            self.op_pop_nic.d.next = false;
            self.op_timed.d.next = self.what.q.val() == 0;
        }
        if self.hq_pop.val() {
            self.host_taken.d.next = false;
        }
        if self.nq_pop.val() {
            self.nic_taken.d.next = false;
        }
        self.op.valid.next = self.op_valid.q.val();
        self.op.source.next = self.op_source.q.val();
        self.op.write.next = self.op_write.q.val();
        self.op.drain.next = self.op_drain.q.val();
        self.op.addr.next = self.op_addr.q.val();
        self.op.len.next = self.op_len.q.val();
        self.op.offset.next = self.op_offset.q.val();
        self.op.pop_host.next = self.op_pop_host.q.val();
        self.op.pop_nic.next = self.op_pop_nic.q.val();
        self.op.word0.next = self.op_word0.q.val();
        self.op.word1.next = self.op_word1.q.val();
        self.op.timed.next = self.op_timed.q.val();

        // Refusals. A buffer that is too small is the driver's mistake, not an access.
        self.refused.next = (self.emit.val() && !self.allowed.q.val() && !self.oversize.q.val())
            || (self.complete.val() && !self.check_allowed.val());
        self.refused_addr.next = self.target.q.val();
        self.refused_source.next = 1.into();
        if self.state.q.val() == 5 {
            self.refused_addr.next = self.rx_slot.q.val();
            self.refused_source.next = 2.into();
        } else {
            match self.what.q.val().index() {
                0 => { self.refused_source.next = 0.into(); }
                4 => { self.refused_source.next = 3.into(); }
                5 => { self.refused_source.next = 4.into(); }
                _ => {}
            }
        }

        // Acknowledgements.
        self.count_up.next = self.emit_write.val() || (self.complete.val() && self.check_allowed.val());
        self.ledger.issue.next = self.count_up.val();
        self.ledger.of_job.next = (self.what.q.val() != 0) && (self.what.q.val() != 5);
        self.ledger.ack.next = self.ack.val();
        self.quiet.next = !self.job_valid.val()
            && !self.jobs.held.val()
            && !self.ledger.open.val()
            && !self.nic_taken.q.val();
        self.issued.next = self.ledger.issued.val();
        self.acked.next = self.ledger.acked.val();
        self.rx_cons.next = self.rx_index.q.val();
    }
}

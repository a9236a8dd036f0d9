//! Decides what is written next: host packets, jobs, the index block.
//!
//! At every boundary between operations a granted host packet goes first, then the next job, then the index
//! block. A request of the index block that has let four operations pass goes before anything else, so it
//! waits for at most four. An event message is one job but as many operations as it has slots, so host
//! packets slip in between; its slots are announced together.
//!
//! An operation is formed while the one before it is moving: its range is checked (and for a packet the range
//! of its completion), then it waits to be taken. A packet cannot be looked at before the one ahead of it
//! in the same queue has been freed, which the mover reports.
//!
//! On malformed input: a packet whose buffer is too small or no DMA memory is freed and completed with
//! `RX_FLAG_ERROR` and no length; a refused completion still consumes its descriptor, a refused event slot
//! its place in the ring, a refused copy is dropped; each refusal is reported. Jobs of unknown operation and
//! of no length are dropped. An event job waits while its ring lacks room for all its slots, and while it
//! waits so do the jobs behind it, but not host packets.
//!
//! Core clock, synchronous reset. One operation takes five cycles, a packet with its completion six, all of
//! them hidden while the mover is at work for that long. Verified in `cosim/tests/dma_write`.

use super::op::{source, OpOut};
use crate::kit::{Cr, Reg};
use crate::module;
use baton_abi::{mmio::job, ring};
use rust_hdl::prelude::*;

// The operations below are told apart by number where a pattern needs a literal.
const _: () = assert!(job::COPY == 1 && job::POP == 2 && job::TO_HOST == 3 && job::EVENT == 4);
const _: () = assert!(source::HOST == 0 && source::NIC == 1 && source::EVENT == 3 && source::INDEX == 4);

/// The choice of operations, with the NIC's side of the receive and event rings.
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
    /// A refused access; never while `report_busy`.
    pub refused: Signal<Out, Bit>,
    pub refused_addr: Signal<Out, Bits<32>>,
    pub report_busy: Signal<In, Bit>,
    /// A write has been acknowledged.
    pub ack: Signal<In, Bit>,
    /// Writes issued and acknowledged since reset, wrapping.
    pub issued: Signal<Out, Bits<8>>,
    pub acked: Signal<Out, Bits<8>>,
    /// No job waits or is unfinished, acknowledgements included.
    pub quiet: Signal<Out, Bit>,

    /// 0 pick, 1 check the first address, 2 the second, 3 verdict on the first, 4 emit, 5 emit the
    /// completion.
    state: Reg<Bits<3>>,
    /// 1 to 4 as the operations of a job, 0 host packet, 5 index block.
    what: Reg<Bits<3>>,
    /// The packet exceeds its buffer.
    oversize: Reg<Bit>,
    allowed: Reg<Bit>,
    /// Operations since the index block asked.
    turns: Reg<Bits<3>>,
    job_held: Reg<Bit>,
    operation: Reg<Bits<3>>,
    job_offset: Reg<Bits<16>>,
    job_count: Reg<Bits<16>>,
    job_target: Reg<Bits<32>>,
    /// The packet at the head of the queue has been issued and not yet freed.
    host_taken: Reg<Bit>,
    nic_taken: Reg<Bit>,
    rx_index: Reg<Bits<16>>,
    rx_slot: Reg<Bits<32>>,
    /// The next slot to write, and the end of the last complete message.
    evt_index: Reg<Bits<16>>,
    evt_message: Reg<Bits<16>>,
    evt_slot: Reg<Bits<32>>,
    slots_done: Reg<Bits<16>>,
    /// Free slots of the event ring, negative when its indices make no sense.
    evt_free: Reg<Bits<17>>,
    issue_count: Reg<Bits<8>>,
    ack_count: Reg<Bits<8>>,
    job_open: Reg<Bit>,
    job_mark: Reg<Bits<8>>,

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

    job_copy: Constant<Bits<3>>,
    job_pop_packet: Constant<Bits<3>>,
    job_to_host: Constant<Bits<3>>,
    job_event: Constant<Bits<3>>,
    from_completion: Constant<Bits<3>>,
    flag_error: Constant<Bits<32>>,
    flags_from_nic: Constant<Bits<32>>,

    room_host: Signal<Local, Bit>,
    room_nic: Signal<Local, Bit>,
    evt_fits: Signal<Local, Bit>,
    job_void: Signal<Local, Bit>,
    job_ready: Signal<Local, Bit>,
    index_due: Signal<Local, Bit>,
    is_packet: Signal<Local, Bit>,
    frame_len: Signal<Local, Bits<16>>,
    frame_len_wide: Signal<Local, Bits<32>>,
    frame_net: Signal<Local, Bits<16>>,
    frame_flags: Signal<Local, Bits<32>>,
    first_start: Signal<Local, Bits<32>>,
    first_length: Signal<Local, Bits<16>>,
    free: Signal<Local, Bit>,
    report_free: Signal<Local, Bit>,
    emit: Signal<Local, Bit>,
    complete: Signal<Local, Bit>,
    emit_write: Signal<Local, Bit>,
    emit_op: Signal<Local, Bit>,
    count_up: Signal<Local, Bit>,
    job_done: Signal<Local, Bit>,
    last_slot: Signal<Local, Bit>,
    slots_next: Signal<Local, Bits<16>>,
    rx_base_words: Signal<Local, Bits<32>>,
    evt_base_words: Signal<Local, Bits<32>>,
    index_addr_words: Signal<Local, Bits<32>>,
    rx_size: Signal<Local, Bits<17>>,
    rx_mask: Signal<Local, Bits<17>>,
    rx_place: Signal<Local, Bits<16>>,
    evt_size: Signal<Local, Bits<17>>,
    evt_mask: Signal<Local, Bits<17>>,
    evt_place: Signal<Local, Bits<16>>,
    evt_used: Signal<Local, Bits<16>>,
    one: Constant<Bits<17>>,
}

impl Default for Sequencer {
    fn default() -> Self {
        Sequencer {
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
            refused: Default::default(),
            refused_addr: Default::default(),
            report_busy: Default::default(),
            ack: Default::default(),
            issued: Default::default(),
            acked: Default::default(),
            quiet: Default::default(),
            state: Default::default(),
            what: Default::default(),
            oversize: Default::default(),
            allowed: Default::default(),
            turns: Default::default(),
            job_held: Default::default(),
            operation: Default::default(),
            job_offset: Default::default(),
            job_count: Default::default(),
            job_target: Default::default(),
            host_taken: Default::default(),
            nic_taken: Default::default(),
            rx_index: Default::default(),
            rx_slot: Default::default(),
            evt_index: Default::default(),
            evt_message: Default::default(),
            evt_slot: Default::default(),
            slots_done: Default::default(),
            evt_free: Default::default(),
            issue_count: Default::default(),
            ack_count: Default::default(),
            job_open: Default::default(),
            job_mark: Default::default(),
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
            job_copy: Constant::new((job::COPY as u64).into()),
            job_pop_packet: Constant::new((job::POP as u64).into()),
            job_to_host: Constant::new((job::TO_HOST as u64).into()),
            job_event: Constant::new((job::EVENT as u64).into()),
            from_completion: Constant::new(source::COMPLETION.into()),
            flag_error: Constant::new(((ring::RX_FLAG_ERROR as u64) << 16).into()),
            flags_from_nic: Constant::new(
                (((ring::RX_FLAG_FROM_NIC | ring::RX_FLAG_CHECKSUM_OK) as u64) << 16).into(),
            ),
            room_host: Default::default(),
            room_nic: Default::default(),
            evt_fits: Default::default(),
            job_void: Default::default(),
            job_ready: Default::default(),
            index_due: Default::default(),
            is_packet: Default::default(),
            frame_len: Default::default(),
            frame_len_wide: Default::default(),
            frame_net: Default::default(),
            frame_flags: Default::default(),
            first_start: Default::default(),
            first_length: Default::default(),
            free: Default::default(),
            report_free: Default::default(),
            emit: Default::default(),
            complete: Default::default(),
            emit_write: Default::default(),
            emit_op: Default::default(),
            count_up: Default::default(),
            job_done: Default::default(),
            last_slot: Default::default(),
            slots_next: Default::default(),
            rx_base_words: Default::default(),
            evt_base_words: Default::default(),
            index_addr_words: Default::default(),
            rx_size: Default::default(),
            rx_mask: Default::default(),
            rx_place: Default::default(),
            evt_size: Default::default(),
            evt_mask: Default::default(),
            evt_place: Default::default(),
            evt_used: Default::default(),
            one: Constant::new(1.into()),
        }
    }
}

module! {
    impl [] Logic for Sequencer;
    regs: state, what, oversize, allowed, turns, job_held, operation, job_offset, job_count, job_target, host_taken,
        nic_taken, rx_index, rx_slot, evt_index, evt_message, evt_slot, slots_done, evt_free, issue_count,
        ack_count, job_open, job_mark, op_valid, op_source, op_write, op_drain, op_addr, op_len, op_offset,
        op_pop_host, op_pop_nic, op_word0, op_word1, op_timed;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        // Rings: addresses of the next slots, and the room in the event ring. One cycle behind the
        // indices, which change at least two cycles before these are used.
        self.rx_base_words.next = bit_cast::<32, 30>(self.rx_base.val().get_bits::<30>(2)) << 2;
        self.evt_base_words.next = bit_cast::<32, 30>(self.evt_base.val().get_bits::<30>(2)) << 2;
        self.index_addr_words.next = bit_cast::<32, 30>(self.index_addr.val().get_bits::<30>(2)) << 2;
        self.rx_size.next = self.one.val() << self.rx_size_log2.val();
        self.rx_mask.next = self.rx_size.val() - 1;
        self.rx_place.next = self.rx_index.q.val() & self.rx_mask.val().get_bits::<16>(0);
        self.rx_slot.d.next =
            self.rx_base_words.val() + (bit_cast::<32, 16>(self.rx_place.val()) << 4);
        self.evt_size.next = self.one.val() << self.evt_size_log2.val();
        self.evt_mask.next = self.evt_size.val() - 1;
        self.evt_place.next = self.evt_index.q.val() & self.evt_mask.val().get_bits::<16>(0);
        self.evt_slot.d.next =
            self.evt_base_words.val() + (bit_cast::<32, 16>(self.evt_place.val()) << 5);
        self.evt_used.next = self.evt_index.q.val() - self.evt_cons.val();
        self.evt_free.d.next = self.evt_size.val() - bit_cast::<17, 16>(self.evt_used.val());
        self.evt_fits.next = !self.evt_free.q.val().get_bit(16)
            && (self.job_count.q.val() <= self.evt_free.q.val().get_bits::<16>(0));

        // Jobs are taken from their queue one ahead.
        self.job_pop.next = self.job_valid.val() && !self.job_held.q.val();
        if self.job_done.val() {
            self.job_held.d.next = false;
        }
        if self.job_valid.val() && !self.job_held.q.val() {
            self.job_held.d.next = true;
        }
        if self.job_valid.val() && !self.job_held.q.val() {
            self.operation.d.next = self.job_op.val();
            self.job_offset.d.next = self.job_src.val();
            self.job_count.d.next = self.job_len.val();
            self.job_target.d.next = self.job_addr.val();
        }

        // What could go next.
        self.room_host.next = self.hq_valid.val() && self.rxd_valid.val() && !self.host_taken.q.val();
        self.room_nic.next = self.nq_valid.val() && !self.nic_taken.q.val();
        self.job_void.next = false;
        self.job_ready.next = false;
        if self.job_held.q.val() {
            if self.operation.q.val() == self.job_copy.val() {
                self.job_void.next = !self.job_count.q.val().any();
                self.job_ready.next = self.room_nic.val();
            } else if self.operation.q.val() == self.job_pop_packet.val() {
                self.job_ready.next = self.room_nic.val();
            } else if self.operation.q.val() == self.job_to_host.val() {
                self.job_ready.next = self.room_nic.val() && self.rxd_valid.val();
            } else if self.operation.q.val() == self.job_event.val() {
                self.job_void.next = !self.job_count.q.val().any();
                self.job_ready.next =
                    self.evt_valid.val() && (self.evt_fits.val() || self.slots_done.q.val().any());
            } else {
                self.job_void.next = true;
            }
        }
        self.index_due.next = self.index_request.val() && self.turns.q.val().get_bit(2);

        // The packet in question, and the addresses to check: its buffer first, then its descriptor.
        self.is_packet.next = !self.what.q.val().any() || (self.what.q.val() == self.job_to_host.val());
        self.frame_len.next = self.nq_len.val();
        self.frame_flags.next = self.flags_from_nic.val();
        if !self.what.q.val().any() {
            self.frame_len.next = self.hq_len.val();
            self.frame_flags.next = bit_cast::<32, 16>(self.hq_flags.val()) << 16;
        }
        self.frame_len_wide.next = bit_cast::<32, 16>(self.frame_len.val());
        self.frame_net.next = self.frame_len.val() - 2;
        self.first_start.next = self.rxd_addr.val();
        self.first_length.next = self.frame_len.val();
        if self.what.q.val() == self.job_copy.val() {
            self.first_start.next = self.job_target.q.val();
            self.first_length.next = self.job_count.q.val();
        }
        if self.what.q.val() == self.job_event.val() {
            self.first_start.next = self.evt_slot.q.val();
            self.first_length.next = 32.into();
        }
        if self.what.q.val() == 5 {
            self.first_start.next = self.index_addr_words.val();
            self.first_length.next = 16.into();
        }
        self.check_start.next = self.rx_slot.q.val();
        self.check_length.next = 16.into();
        if self.state.q.val() == 1 {
            self.check_start.next = self.first_start.val();
            self.check_length.next = self.first_length.val();
        }

        // The steps of an operation.
        self.free.next = !self.op_valid.q.val() || self.op.take.val();
        self.report_free.next = !self.report_busy.val();
        self.emit.next = (self.state.q.val() == 4) && self.free.val() && self.report_free.val();
        self.complete.next = (self.state.q.val() == 5) && self.free.val() && self.report_free.val();
        self.slots_next.next = self.slots_done.q.val() + 1;
        self.last_slot.next = self.slots_next.val() == self.job_count.q.val();
        self.job_done.next = false;
        self.index_accepted.next = false;
        self.index_refused.next = false;
        self.rxd_pop.next = false;
        if !self.index_request.val() {
            self.turns.d.next = 0.into();
        }
        match self.state.q.val().index() {
            0 => {
                self.state.d.next = 1.into();
                if self.index_due.val() {
                    self.what.d.next = 5.into();
                } else if self.room_host.val() {
                    self.what.d.next = 0.into();
                } else if self.job_void.val() {
                    self.job_done.next = true;
                    self.state.d.next = 0.into();
                } else if self.job_ready.val() {
                    self.what.d.next = self.operation.q.val();
                } else if self.index_request.val() {
                    self.what.d.next = 5.into();
                } else {
                    self.state.d.next = 0.into();
                }
            }
            1 => {
                self.oversize.d.next = self.is_packet.val() && (self.rxd_len.val() < self.frame_len_wide.val());
                self.state.d.next = 2.into();
                if self.index_request.val() && !self.turns.q.val().get_bit(2) {
                    self.turns.d.next = self.turns.q.val() + 1;
                }
            }
            2 => { self.state.d.next = 3.into(); }
            3 => {
                self.allowed.d.next = self.check_allowed.val() || (self.what.q.val() == self.job_pop_packet.val());
                self.state.d.next = 4.into();
            }
            4 => {
                if self.emit.val() {
                    self.state.d.next = 0.into();
                    if self.is_packet.val() {
                        self.state.d.next = 5.into();
                    } else if self.what.q.val() == 5 {
                        self.index_accepted.next = self.allowed.q.val();
                        self.index_refused.next = !self.allowed.q.val();
                    } else if self.what.q.val() == self.job_event.val() {
                        self.job_done.next = self.last_slot.val();
                    } else {
                        self.job_done.next = true;
                    }
                }
            }
            _ => {
                if self.complete.val() {
                    self.state.d.next = 0.into();
                    self.rxd_pop.next = true;
                    self.job_done.next = self.what.q.val().any();
                }
            }
        }

        if self.emit.val() && (self.what.q.val() == self.job_event.val()) {
            self.evt_index.d.next = self.evt_index.q.val() + 1;
            self.slots_done.d.next = self.slots_next.val();
            if self.last_slot.val() {
                self.evt_message.d.next = self.evt_index.q.val() + 1;
                self.slots_done.d.next = 0.into();
            }
        }
        if self.complete.val() {
            self.rx_index.d.next = self.rx_index.q.val() + 1;
        }

        // The operation itself.
        self.emit_write.next =
            self.allowed.q.val() && !self.oversize.q.val() && (self.what.q.val() != self.job_pop_packet.val());
        self.emit_op.next = self.emit.val()
            && (self.emit_write.val()
                || self.is_packet.val()
                || (self.what.q.val() == self.job_pop_packet.val())
                || (self.what.q.val() == self.job_event.val()));
        if self.op.take.val() {
            self.op_valid.d.next = false;
        }
        if self.emit_op.val() || (self.complete.val() && self.check_allowed.val()) {
            self.op_valid.d.next = true;
        }
        if self.emit.val() {
            self.op_write.d.next = self.emit_write.val();
            self.op_drain.d.next = !self.emit_write.val() && (self.what.q.val() == self.job_event.val());
            self.op_addr.d.next = self.first_start.val();
            self.op_len.d.next = self.first_length.val();
            self.op_offset.d.next = 0.into();
            self.op_pop_host.d.next = !self.what.q.val().any();
            self.op_pop_nic.d.next = (self.what.q.val() == self.job_to_host.val())
                || (self.what.q.val() == self.job_pop_packet.val());
            if self.what.q.val() == self.job_copy.val() {
                self.op_offset.d.next = self.job_offset.q.val();
            }
            match self.what.q.val().index() {
                0 => { self.op_source.d.next = 0.into(); }
                4 => { self.op_source.d.next = 3.into(); }
                5 => { self.op_source.d.next = 4.into(); }
                _ => { self.op_source.d.next = 1.into(); }
            }
            self.op_word0.d.next = self.frame_flags.val() | bit_cast::<32, 16>(self.frame_net.val());
            if !self.emit_write.val() {
                self.op_word0.d.next = self.frame_flags.val() | self.flag_error.val();
            }
            self.op_word1.d.next = self.nq_arrival.val();
            if !self.what.q.val().any() {
                self.op_word1.d.next = self.hq_arrival.val();
            }
        }
        if self.complete.val() {
            self.op_source.d.next = self.from_completion.val();
            self.op_write.d.next = true;
            self.op_addr.d.next = self.rx_slot.q.val();
            self.op_len.d.next = 16.into();
            self.op_offset.d.next = 0.into();
            self.op_pop_host.d.next = false;
            self.op_pop_nic.d.next = false;
            self.op_timed.d.next = !self.what.q.val().any();
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
        self.refused_addr.next = self.first_start.val();
        if self.state.q.val() == 5 {
            self.refused_addr.next = self.rx_slot.q.val();
        }

        // Packets on their way out of their queues.
        if self.hq_pop.val() {
            self.host_taken.d.next = false;
        }
        if self.emit.val() && !self.what.q.val().any() {
            self.host_taken.d.next = true;
        }
        if self.nq_pop.val() {
            self.nic_taken.d.next = false;
        }
        if self.emit.val()
            && ((self.what.q.val() == self.job_to_host.val()) || (self.what.q.val() == self.job_pop_packet.val()))
        {
            self.nic_taken.d.next = true;
        }

        // Acknowledgements.
        self.count_up.next =
            (self.emit.val() && self.emit_write.val()) || (self.complete.val() && self.check_allowed.val());
        if self.count_up.val() {
            self.issue_count.d.next = self.issue_count.q.val() + 1;
        }
        if self.ack.val() {
            self.ack_count.d.next = self.ack_count.q.val() + 1;
        }
        if self.ack_count.q.val() == self.job_mark.q.val() {
            self.job_open.d.next = false;
        }
        if self.count_up.val() && self.what.q.val().any() && (self.what.q.val() != 5) {
            self.job_open.d.next = true;
        }
        if self.count_up.val() && self.what.q.val().any() && (self.what.q.val() != 5) {
            self.job_mark.d.next = self.issue_count.q.val() + 1;
        }
        self.quiet.next = !self.job_valid.val()
            && !self.job_held.q.val()
            && !self.job_open.q.val()
            && !self.nic_taken.q.val();
        self.issued.next = self.issue_count.q.val();
        self.acked.next = self.ack_count.q.val();
        self.rx_cons.next = self.rx_index.q.val();
        self.evt_prod.next = self.evt_message.q.val();
    }
}

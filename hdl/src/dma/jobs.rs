//! The firmware's job under way: what is left of it, and where its next piece goes.
//!
//! A job is taken from its queue one ahead of its use and given out in pieces: a copy ends a piece where a 256-byte
//! line of its destination ends, an event message has one for each slot, the others have one. Between pieces the
//! sequencer may do something else. `ready` says that the next piece can be carried out: its packet is there, and for
//! `TO_HOST` a receive buffer, for an event its words and room in the ring for all its slots that are still to
//! come. Copies and events of no length and jobs of unknown operation are dropped, a cycle each.
//!
//! Core clock, synchronous reset. A piece shows two cycles after its job was at the queue's head, the next piece the
//! cycle after `issued`; the slot's address follows the ring's indices by one cycle more, and is steady from the
//! cycle after that in which `ready` rose. Verified in `cosim/tests/dma_write`.

use crate::kit::{Cr, Reg};
use crate::module;
use baton_abi::mmio::job;
use rust_hdl::prelude::*;

// Told apart by number below.
const _: () = assert!(job::COPY == 1 && job::POP == 2 && job::TO_HOST == 3 && job::EVENT == 4);

/// The job under way and the NIC's side of the event ring.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Jobs {
    pub cr: Cr,
    /// The job queue's head (`baton_abi::mmio::job`).
    pub job_valid: Signal<In, Bit>,
    pub job_op: Signal<In, Bits<3>>,
    pub job_src: Signal<In, Bits<16>>,
    pub job_len: Signal<In, Bits<16>>,
    pub job_addr: Signal<In, Bits<32>>,
    pub job_pop: Signal<Out, Bit>,
    /// The oldest packet of the NIC queue can be read.
    pub packet_ready: Signal<In, Bit>,
    /// A receive buffer is at hand.
    pub buffer_ready: Signal<In, Bit>,
    /// All words of a slot wait.
    pub evt_valid: Signal<In, Bit>,
    pub evt_base: Signal<In, Bits<32>>,
    pub evt_size_log2: Signal<In, Bits<4>>,
    pub evt_cons: Signal<In, Bits<16>>,
    /// End of the last message whose slots have all been issued.
    pub evt_prod: Signal<Out, Bits<16>>,
    /// A job is under way.
    pub held: Signal<Out, Bit>,
    /// The next piece can be carried out.
    pub ready: Signal<Out, Bit>,
    pub operation: Signal<Out, Bits<3>>,
    /// Where the piece goes: of copies and events.
    pub addr: Signal<Out, Bits<32>>,
    pub length: Signal<Out, Bits<16>>,
    /// Bytes of the piece and all that follow it in one go; what must be allowed for it to be.
    pub reach: Signal<Out, Bits<16>>,
    /// Offset of the piece in its packet.
    pub offset: Signal<Out, Bits<16>>,
    /// The piece has been dealt with; the rest of a copy too, if it was refused.
    pub issued: Signal<In, Bit>,
    pub refused: Signal<In, Bit>,

    busy: Reg<Bit>,
    what: Reg<Bits<3>>,
    from: Reg<Bits<16>>,
    count: Reg<Bits<16>>,
    target: Reg<Bits<32>>,
    /// The next slot to write, and the end of the last complete message.
    evt_index: Reg<Bits<16>>,
    evt_message: Reg<Bits<16>>,
    evt_slot: Reg<Bits<32>>,
    /// Free slots of the event ring, negative when its indices make no sense.
    evt_free: Reg<Bits<17>>,
    /// Slots of this message that have been issued.
    slots_done: Reg<Bits<16>>,

    line_room: Signal<Local, Bits<16>>,
    copy_ends: Signal<Local, Bit>,
    piece: Signal<Local, Bits<16>>,
    slots_next: Signal<Local, Bits<16>>,
    fits: Signal<Local, Bit>,
    is_void: Signal<Local, Bit>,
    over: Signal<Local, Bit>,
    one: Signal<Local, Bits<17>>,
    evt_size: Signal<Local, Bits<17>>,
    evt_mask: Signal<Local, Bits<17>>,
    evt_place: Signal<Local, Bits<16>>,
    evt_used: Signal<Local, Bits<16>>,
    evt_start: Signal<Local, Bits<32>>,
}

module! {
    impl [] Logic for Jobs;
    regs: busy, what, from, count, target, evt_index, evt_message, evt_slot, evt_free, slots_done;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        // The ring, one cycle behind its indices; only while a job may need it.
        self.one.next = 1.into();
        self.evt_size.next = 0.into();
        self.evt_mask.next = 0.into();
        self.evt_place.next = 0.into();
        self.evt_start.next = 0.into();
        self.evt_used.next = 0.into();
        if self.job_valid.val() || self.busy.q.val() {
            self.evt_size.next = self.one.val() << self.evt_size_log2.val();
            self.evt_mask.next = self.evt_size.val() - 1;
            self.evt_place.next = self.evt_index.q.val() & self.evt_mask.val().get_bits::<16>(0);
            self.evt_start.next = bit_cast::<32, 30>(self.evt_base.val().get_bits::<30>(2)) << 2;
            self.evt_slot.d.next = self.evt_start.val() + (bit_cast::<32, 16>(self.evt_place.val()) << 5);
            self.evt_used.next = self.evt_index.q.val() - self.evt_cons.val();
            self.evt_free.d.next = self.evt_size.val() - bit_cast::<17, 16>(self.evt_used.val());
        }

        // The next piece.
        self.line_room.next = 0.into();
        self.copy_ends.next = false;
        self.piece.next = 0.into();
        self.slots_next.next = 0.into();
        self.fits.next = false;
        self.is_void.next = false;
        self.ready.next = false;
        self.over.next = true;
        self.addr.next = self.target.q.val();
        self.reach.next = self.count.q.val();
        self.length.next = 0.into();
        if self.busy.q.val() {
            match self.what.q.val().index() {
                1 => {
                    self.line_room.next = bits::<16>(256) - bit_cast::<16, 8>(self.target.q.val().get_bits::<8>(0));
                    self.copy_ends.next = self.count.q.val() <= self.line_room.val();
                    self.piece.next = self.line_room.val();
                    if self.copy_ends.val() {
                        self.piece.next = self.count.q.val();
                    }
                    self.length.next = self.piece.val();
                    self.over.next = self.copy_ends.val() || self.refused.val();
                    self.is_void.next = !self.count.q.val().any();
                    self.ready.next = self.packet_ready.val() && self.count.q.val().any();
                }
                2 => {
                    self.ready.next = self.packet_ready.val();
                }
                3 => {
                    self.ready.next = self.packet_ready.val() && self.buffer_ready.val();
                }
                4 => {
                    self.addr.next = self.evt_slot.q.val();
                    self.length.next = 32.into();
                    self.reach.next = 32.into();
                    self.slots_next.next = self.slots_done.q.val() + 1;
                    self.over.next = self.slots_next.val() == self.count.q.val();
                    self.fits.next = !self.evt_free.q.val().get_bit(16)
                        && (self.count.q.val() <= self.evt_free.q.val().get_bits::<16>(0));
                    self.is_void.next = !self.count.q.val().any();
                    self.ready.next = self.evt_valid.val()
                        && self.count.q.val().any()
                        && (self.fits.val() || self.slots_done.q.val().any());
                }
                _ => {
                    self.is_void.next = true;
                }
            }
        }

        // From piece to piece, and from job to job.
        if self.issued.val() {
            self.from.d.next = self.from.q.val() + self.piece.val();
            self.count.d.next = self.count.q.val() - self.piece.val();
            self.target.d.next = self.target.q.val() + bit_cast::<32, 16>(self.piece.val());
            if self.what.q.val() == 4 {
                self.evt_index.d.next = self.evt_index.q.val() + 1;
                self.slots_done.d.next = self.slots_next.val();
                if self.over.val() {
                    self.evt_message.d.next = self.evt_index.q.val() + 1;
                    self.slots_done.d.next = 0.into();
                }
            }
        }
        if self.is_void.val() || (self.issued.val() && self.over.val()) {
            self.busy.d.next = false;
        }
        if self.job_valid.val() && !self.busy.q.val() {
            self.busy.d.next = true;
            self.what.d.next = self.job_op.val();
            self.from.d.next = self.job_src.val();
            self.count.d.next = self.job_len.val();
            self.target.d.next = self.job_addr.val();
        }
        self.job_pop.next = self.job_valid.val() && !self.busy.q.val();
        self.held.next = self.busy.q.val();
        self.operation.next = self.what.q.val();
        self.offset.next = self.from.q.val();
        self.evt_prod.next = self.evt_message.q.val();
    }
}

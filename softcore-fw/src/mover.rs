//! Jobs for the receive mover, and events, within the room that the hardware has.
//!
//! The scheduler shows a segment or a command only while [`JOB_ROOM`] jobs have room, which is more than either can need:
//! a payload touches each span of the receive buffer once at most, and one more job frees the packet. So those push
//! jobs without asking. Events are written when `STATUS` has said that there is room for nine slots and for the job that
//! delivers them; no batch of events takes more.
//!
//! Events are words pushed into the NIC, followed by one job that delivers them. Jobs are carried out in
//! order, hence an event that announces received bytes follows their copies.

use baton_abi::{
    at_most,
    handoff::RECEIVE_SPANS,
    mmio::{job, JOB_ROOM, NIC_RX_COPY, NIC_RX_POP, STATUS, STATUS_EVENT_ROOM, STATUS_JOB_ROOM},
    msg::Header,
    ring::SLOT_WORDS,
};

use crate::hardware::{Hardware, HardwareExt};

/// Event slots that `STATUS_EVENT_ROOM` promises.
const EVENT_CREDITS: u8 = 9;
// A copy for each span of the receive buffer, and the packet's release.
const _: () = assert!((RECEIVE_SPANS as u32) < JOB_ROOM);

#[derive(Debug, Default)]
pub struct Mover {
    /// Event slots that may be written.
    credits: u8,
    /// Event slots written and not yet delivered by a job.
    slots: u8,
}

impl Mover {
    /// Asks for the room that events have. False: not even what is written may be delivered, for want of a job.
    pub fn begin<H: Hardware>(&mut self, hw: &H) -> bool {
        const ROOM: u32 = STATUS_EVENT_ROOM | STATUS_JOB_ROOM;
        let status = hw.read(STATUS);
        self.credits = if status & ROOM == ROOM { EVENT_CREDITS } else { 0 };
        status & STATUS_JOB_ROOM != 0
    }

    /// Whether an item that needs this many event slots may be taken.
    #[inline]
    pub fn has_event_room(&self, slots: u8) -> bool {
        slots <= self.credits
    }

    /// Copies bytes of the oldest packet of the NIC queue to host memory.
    pub fn copy<H: Hardware>(hw: &mut H, src: u16, len: u16, addr: u32) {
        hw.job(job::COPY, src, len, addr);
    }

    /// Ends with the segment in the window and copies its payload, all of it; `place` is its descriptor's word `OFFSET`.
    #[inline]
    pub fn take_text<H: Hardware>(hw: &mut H, place: u32, addr: u32) {
        hw.source(place);
        hw.write(NIC_RX_COPY, addr);
    }

    /// Ends with the segment in the window, of which nothing more is wanted.
    #[inline]
    pub fn take<H: Hardware>(hw: &mut H) {
        hw.write(NIC_RX_POP, 0);
    }

    /// Passes the oldest packet of the NIC queue, which has left the window, to the host.
    pub fn to_host<H: Hardware>(hw: &mut H) {
        hw.job(job::TO_HOST, 0, 0, 0);
    }

    /// Writes an event whose words from the second on are `body`, padded to `header.slots`. It needs that
    /// many event credits, and goes out with [`Mover::deliver_events`].
    pub fn event<H: Hardware>(&mut self, hw: &mut H, header: Header, body: &[u32]) {
        debug_assert!(header.slots <= self.credits);
        debug_assert!(body.len() < usize::from(header.slots) * SLOT_WORDS);
        hw.event_word(header.to_word());
        let turns = at_most!(SLOT_WORDS);
        for &word in body {
            turns.take();
            hw.event_word(word);
        }
        let turns = at_most!(SLOT_WORDS);
        for _ in body.len() + 1..usize::from(header.slots) * SLOT_WORDS {
            turns.take();
            hw.event_word(0);
        }
        self.credits = self.credits.saturating_sub(header.slots);
        self.slots += header.slots;
    }

    /// Writes an event likewise, with `cookie` as its second word, whose other words `body` writes itself, and says how many.
    #[inline(always)]
    pub fn long_event<H: Hardware>(
        &mut self,
        hw: &mut H,
        header: Header,
        cookie: u32,
        body: impl FnOnce(&mut H) -> usize,
    ) {
        debug_assert!(header.slots <= self.credits);
        hw.event_word(header.to_word());
        hw.event_word(cookie);
        let words = 2 + body(hw);
        debug_assert!(words <= usize::from(header.slots) * SLOT_WORDS);
        let turns = at_most!(SLOT_WORDS);
        for _ in words..usize::from(header.slots) * SLOT_WORDS {
            turns.take();
            hw.event_word(0);
        }
        self.credits = self.credits.saturating_sub(header.slots);
        self.slots += header.slots;
    }

    /// Whether events were written and not delivered.
    #[inline]
    pub fn has_events(&self) -> bool {
        self.slots > 0
    }

    /// Delivers the events written since the last call, in one job, for which [`Mover::begin`] has found room.
    pub fn deliver_events<H: Hardware>(&mut self, hw: &mut H) {
        if self.slots > 0 {
            let len = u16::from(core::mem::take(&mut self.slots));
            hw.job(job::EVENT, 0, len, 0);
        }
    }
}

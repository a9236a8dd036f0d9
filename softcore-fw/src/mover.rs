//! Jobs for the receive mover, and events, within the room that the hardware has.
//!
//! `STATUS` promises room for four jobs and eight event slots. A turn of the event loop begins with
//! that many credits. A segment whose payload crosses several spans of the receive buffer may need more
//! jobs than that; the rest waits in a short list here, and the loop takes no further item until it is
//! empty. So nothing is ever lost and nothing waits in place.
//!
//! Events are words pushed into the NIC, followed by one job that delivers them. Jobs are carried out in
//! order, hence an event that announces received bytes follows their copies.

use baton_abi::{
    mmio::{job, STATUS, STATUS_EVENT_ROOM, STATUS_JOB_ROOM},
    msg::Header,
    ring::SLOT_WORDS,
};

use crate::hardware::{Hardware, HardwareExt};

#[derive(Clone, Copy, Debug, Default)]
struct Job {
    op: u32,
    src: u16,
    len: u16,
    addr: u32,
}

/// Most jobs that a turn can add: four copies and a pop, the reply to a command, a batch of reports.
const BACKLOG: usize = 8;
/// Jobs that `STATUS_JOB_ROOM` promises.
const JOB_CREDITS: u8 = 4;
/// Jobs that nearly every segment needs: a copy and a pop.
const JOBS_OF_A_SEGMENT: u8 = 2;
/// Event slots that `STATUS_EVENT_ROOM` promises.
const EVENT_CREDITS: u8 = 8;

#[derive(Debug, Default)]
pub struct Mover {
    backlog: [Job; BACKLOG],
    waiting: u8,
    job_credits: u8,
    event_credits: u8,
    /// Event slots written and not yet delivered by a job.
    slots: u8,
}

impl Mover {
    /// Begins a turn with the credits of a fresh `STATUS`.
    pub fn begin<H: Hardware>(&mut self, hw: &mut H, status: u32) {
        self.job_credits = if status & STATUS_JOB_ROOM != 0 { JOB_CREDITS } else { 0 };
        self.event_credits = if status & STATUS_EVENT_ROOM != 0 { EVENT_CREDITS } else { 0 };
        if self.waiting == 0 || self.job_credits == 0 {
            return;
        }
        let ready = self.waiting.min(self.job_credits);
        for job in &self.backlog[..usize::from(ready)] {
            hw.job(job.op, job.src, job.len, job.addr);
        }
        self.backlog.copy_within(usize::from(ready).., 0);
        self.waiting -= ready;
        self.job_credits -= ready;
    }

    /// Whether an item that needs jobs may be taken; asks for new credits when the old ones are spent.
    #[inline]
    pub fn ready<H: Hardware>(&mut self, hw: &mut H) -> bool {
        if self.waiting == 0 && self.job_credits >= JOBS_OF_A_SEGMENT {
            return true;
        }
        let status = hw.read(STATUS);
        self.begin(hw, status);
        self.waiting == 0 && self.job_credits >= JOBS_OF_A_SEGMENT
    }

    /// Whether an item that needs jobs may be taken.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.waiting == 0 && self.job_credits > 0
    }

    /// Whether jobs wait for room.
    #[inline]
    pub fn has_backlog(&self) -> bool {
        self.waiting > 0
    }

    /// Whether an item that needs this many event slots may be taken.
    #[inline]
    pub fn has_event_room(&self, slots: u8) -> bool {
        self.has_room() && slots <= self.event_credits
    }

    /// Copies bytes of the oldest packet of the NIC queue to host memory.
    pub fn copy<H: Hardware>(&mut self, hw: &mut H, src: u16, len: u16, addr: u32) {
        self.push(hw, Job { op: job::COPY, src, len, addr });
    }

    /// Copies bytes of the oldest packet, all that is wanted of it, and frees it. [`Mover::ready`] has said that there is room.
    #[inline]
    pub fn copy_and_pop<H: Hardware>(&mut self, hw: &mut H, src: u16, len: u16, addr: u32) {
        debug_assert!(self.waiting == 0 && self.job_credits >= JOBS_OF_A_SEGMENT);
        self.job_credits -= JOBS_OF_A_SEGMENT;
        hw.job(job::COPY, src, len, addr);
        hw.job(job::POP, 0, 0, 0);
    }

    /// Frees the oldest packet, of which nothing is wanted. [`Mover::ready`] has said that there is room.
    #[inline]
    pub fn pop_at_once<H: Hardware>(&mut self, hw: &mut H) {
        debug_assert!(self.waiting == 0 && self.job_credits > 0);
        self.job_credits -= 1;
        hw.job(job::POP, 0, 0, 0);
    }

    /// Frees the oldest packet of the NIC queue.
    pub fn pop<H: Hardware>(&mut self, hw: &mut H) {
        self.push(hw, Job { op: job::POP, ..Job::default() });
    }

    /// Passes the oldest packet of the NIC queue to the host.
    pub fn to_host<H: Hardware>(&mut self, hw: &mut H) {
        self.push(hw, Job { op: job::TO_HOST, ..Job::default() });
    }

    /// Writes an event whose words from the second on are `body`, padded to `header.slots`. It needs that
    /// many event credits, and goes out with [`Mover::deliver_events`].
    pub fn event<H: Hardware>(&mut self, hw: &mut H, header: Header, body: &[u32]) {
        debug_assert!(header.slots <= self.event_credits);
        debug_assert!(body.len() < usize::from(header.slots) * SLOT_WORDS);
        hw.event_word(header.to_word());
        for &word in body {
            hw.event_word(word);
        }
        for _ in body.len() + 1..usize::from(header.slots) * SLOT_WORDS {
            hw.event_word(0);
        }
        self.event_credits = self.event_credits.saturating_sub(header.slots);
        self.slots += header.slots;
    }

    /// Whether events were written and not delivered.
    pub fn has_events(&self) -> bool {
        self.slots > 0
    }

    /// Delivers the events written since the last call, in one job.
    pub fn deliver_events<H: Hardware>(&mut self, hw: &mut H) {
        if self.slots > 0 {
            let len = u16::from(core::mem::take(&mut self.slots));
            self.push(hw, Job { op: job::EVENT, len, ..Job::default() });
        }
    }

    #[inline]
    fn push<H: Hardware>(&mut self, hw: &mut H, job: Job) {
        if self.waiting == 0 && self.job_credits > 0 {
            self.job_credits -= 1;
            hw.job(job.op, job.src, job.len, job.addr);
        } else {
            self.backlog[usize::from(self.waiting)] = job;
            self.waiting += 1;
        }
    }
}

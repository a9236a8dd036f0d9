//! What makes a client host play the sessions of a workload, one connection after another.

use std::cell::RefCell;
use std::rc::Rc;

use crate::client::http::Expect;
use crate::client::FetchId;
use crate::policy::Future;
use crate::workload::{packets, Workload};

/// A workload that all clients of an experiment draw from.
pub type SharedWorkload = Rc<RefCell<Box<dyn Workload>>>;

/// Plays sessions on a client host: the next one opens when the one before has ended.
pub struct Player {
    workload: SharedWorkload,
    future: Future,
    pub(super) pace_bps: Option<u64>,
    time_scale: u64,
    /// When the next session may open.
    pub(super) next_ps: u64,
    /// No request goes before this time.
    pub(super) quiet_ps: u64,
    pub(super) current: Option<FetchId>,
}

impl Player {
    /// The first session opens at `start_ps` of simulated time. What each connection will carry is noted in `future`.
    /// `time_scale`: how many times faster than the simulation the client's clock runs.
    pub fn new(workload: SharedWorkload, future: Future, start_ps: u64, time_scale: u64) -> Self {
        let pace_bps = workload.borrow().pace_bps().map(|bps| bps / time_scale);
        Player {
            workload,
            future,
            pace_bps,
            time_scale,
            next_ps: start_ps * time_scale,
            quiet_ps: 0,
            current: None,
        }
    }

    /// The first request goes at `ps` of simulated time or later, though the session may be open before.
    pub fn quiet_until(mut self, ps: u64) -> Self {
        self.quiet_ps = ps * self.time_scale;
        self
    }

    /// The requests of the next session.
    pub(super) fn next(&mut self, ip: [u8; 4], port: u16) -> Vec<Expect> {
        let session = self.workload.borrow_mut().next_session();
        self.future.set(u32::from_be_bytes(ip), port, session.iter().map(packets));
        session.into_iter().map(|r| Expect { seed: r.file, len: r.bytes, made: r.dynamic }).collect()
    }
}

/// Bytes that a client which reads at a pace takes at a time, so that it need not run for each segment.
const TAKE_BYTES: u64 = 8192;

/// A client's reading of one response: no faster than its rate, so that what the server has sent waits in the receive
/// buffer and TCP's window holds the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    since_ps: u64,
    taken: u64,
}

impl Reading {
    /// Of the response to a request sent at `since_ps`.
    pub fn of(since_ps: u64) -> Self {
        Reading { since_ps, taken: 0 }
    }

    /// When the next bytes are taken, of which `waiting` are there.
    pub fn due_ps(&self, bps: u64, waiting: usize) -> u64 {
        let upto = self.taken + TAKE_BYTES.min(waiting as u64);
        self.since_ps + (u128::from(upto) * 8 * 1_000_000_000_000).div_ceil(u128::from(bps.max(1))) as u64
    }

    /// How many bytes may be taken at that time or later.
    pub fn allowance(&self, bps: u64, now_ps: u64) -> usize {
        let elapsed_ps = u128::from(now_ps.saturating_sub(self.since_ps));
        ((elapsed_ps * u128::from(bps) / 8_000_000_000_000) as u64 - self.taken) as usize
    }

    pub fn took(&mut self, bytes: usize) {
        self.taken += bytes as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_keeps_to_its_rate() {
        const BPS: u64 = 400_000;
        let mut reading = Reading::of(1_000);
        // What is there waits until its last byte is due, but no more than a little of it.
        assert_eq!(reading.due_ps(BPS, 50), 1_000 + 1_000_000_000);
        assert_eq!(reading.due_ps(BPS, 60_000), 1_000 + 163_840_000_000);
        assert_eq!(reading.allowance(BPS, reading.due_ps(BPS, 60_000)), 8192);
        reading.took(8192);
        assert_eq!(reading.due_ps(BPS, 8), 1_000 + 164_000_000_000);
        // It may make up for bytes that came late.
        assert_eq!(reading.allowance(BPS, 1_000 + 1_000_000_000_000), 50_000 - 8192);
    }
}

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
    /// When the next session may open.
    pub(super) next_ps: u64,
    pub(super) current: Option<FetchId>,
}

impl Player {
    /// The first session opens at `start_ps` of simulated time. What each connection will carry is noted in `future`.
    /// `time_scale`: how many times faster than the simulation the client's clock runs.
    pub fn new(workload: SharedWorkload, future: Future, start_ps: u64, time_scale: u64) -> Self {
        let pace_bps = workload.borrow().pace_bps().map(|bps| bps / time_scale);
        Player { workload, future, pace_bps, next_ps: start_ps * time_scale, current: None }
    }

    /// The requests of the next session.
    pub(super) fn next(&mut self, ip: [u8; 4], port: u16) -> Vec<Expect> {
        let session = self.workload.borrow_mut().next_session();
        self.future.set(u32::from_be_bytes(ip), port, session.iter().map(packets).sum());
        session.into_iter().map(|r| Expect { seed: r.file, len: r.bytes, made: r.dynamic }).collect()
    }
}

/// When a client that holds itself to `pace_bps` may ask again after a response of `bytes` to a request sent at
/// `since_ps`.
pub(super) fn hold_until_ps(pace_bps: Option<u64>, since_ps: u64, bytes: u32) -> u64 {
    pace_bps.map_or(0, |bps| {
        since_ps + (u128::from(bytes) * 8 * 1_000_000_000_000 / u128::from(bps.max(1))) as u64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paced_client_waits_out_its_rate() {
        assert_eq!(hold_until_ps(Some(400_000), 1_000, 50_000), 1_000 + 1_000_000_000_000);
        assert_eq!(hold_until_ps(None, 1_000, 50_000), 0);
    }
}

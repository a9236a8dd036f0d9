//! Congestion control behind one trait: how far the window falls at a loss, and how it grows in congestion avoidance.
//!
//! Slow start, fast recovery and the pipe are the same for all algorithms and live in `congestion.rs`. What differs
//! is a [`CongestionControl`]; its state is a part of the TCB and of the handoff record, which names the algorithm,
//! so that a connection keeps its own wherever it goes.

use crate::{config::CongestionAlgorithm, cubic::Cubic};

/// What an algorithm may look at.
pub(crate) struct Window {
    pub cwnd: u32,
    pub ssthresh: u32,
    pub smss: u32,
    pub srtt_us8: u32,
    /// The timestamp clock, in ticks of 1024 us.
    pub tick: u32,
}

pub(crate) trait CongestionControl {
    /// A loss was detected with `flight` bytes outstanding. Returns `ssthresh`, before its lower bound.
    fn reduce(&mut self, window: &Window, flight: u32) -> u32;

    /// The retransmission timer expired; [`CongestionControl::reduce`] was called for the first timeout of a row.
    fn timed_out(&mut self);

    /// `acked` bytes were acknowledged in congestion avoidance. Returns the new `cwnd`.
    fn avoid(&mut self, window: &Window, acked: u32) -> u32;

    /// The sender was not held back by the congestion window, or was idle.
    fn unused(&mut self);

    /// What was acknowledged so far does not count for the next growth: recovery has ended.
    fn restart(&mut self);
}

/// RFC 5681: half at a loss, a segment a round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewReno {
    /// Bytes acknowledged since the last growth.
    pub acked: u32,
}

impl NewReno {
    /// As [`CongestionControl::avoid`].
    #[inline]
    pub fn grown(&mut self, cwnd: u32, smss: u32, acked: u32) -> u32 {
        self.acked += acked.min(cwnd);
        if self.acked < cwnd {
            return cwnd;
        }
        self.acked -= cwnd;
        cwnd + smss
    }
}

impl CongestionControl for NewReno {
    /// RFC 5681 Section 3.1, equation 4.
    fn reduce(&mut self, _: &Window, flight: u32) -> u32 {
        self.acked = 0;
        flight / 2
    }

    fn timed_out(&mut self) {
        self.acked = 0;
    }

    /// RFC 5681 Section 3.1, by counting bytes, with no division.
    #[inline]
    fn avoid(&mut self, window: &Window, acked: u32) -> u32 {
        self.grown(window.cwnd, window.smss, acked)
    }

    fn unused(&mut self) {}

    fn restart(&mut self) {
        self.acked = 0;
    }
}

/// The algorithm of a connection with its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Congestion {
    NewReno(NewReno),
    Cubic(Cubic),
}

impl Congestion {
    pub fn new(algorithm: CongestionAlgorithm) -> Self {
        match algorithm {
            CongestionAlgorithm::NewReno => Congestion::NewReno(NewReno { acked: 0 }),
            CongestionAlgorithm::Cubic => Congestion::Cubic(Cubic::new()),
        }
    }

    pub fn algorithm(&self) -> CongestionAlgorithm {
        match self {
            Congestion::NewReno(_) => CongestionAlgorithm::NewReno,
            Congestion::Cubic(_) => CongestionAlgorithm::Cubic,
        }
    }
}

/// To the algorithm at hand; a branch where a table of functions would be a load and an indirect call.
macro_rules! dispatch {
    ($self:ident, $control:ident => $call:expr) => {
        match $self {
            Congestion::NewReno($control) => $call,
            Congestion::Cubic($control) => $call,
        }
    };
}

impl CongestionControl for Congestion {
    fn reduce(&mut self, window: &Window, flight: u32) -> u32 {
        dispatch!(self, control => control.reduce(window, flight))
    }

    fn timed_out(&mut self) {
        dispatch!(self, control => control.timed_out());
    }

    #[inline]
    fn avoid(&mut self, window: &Window, acked: u32) -> u32 {
        dispatch!(self, control => control.avoid(window, acked))
    }

    #[inline]
    fn unused(&mut self) {
        dispatch!(self, control => control.unused());
    }

    fn restart(&mut self) {
        dispatch!(self, control => control.restart());
    }
}

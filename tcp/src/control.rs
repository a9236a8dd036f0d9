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

/// An algorithm, of whose connections this is the state.
pub(crate) trait CongestionControl {
    /// A loss was detected with `flight` bytes outstanding. Returns `ssthresh`, before its lower bound.
    fn reduce(state: &mut Congestion, window: &Window, flight: u32) -> u32;

    /// The retransmission timer expired; [`CongestionControl::reduce`] was called for the first timeout of a row.
    fn timed_out(state: &mut Congestion);

    /// `acked` bytes were acknowledged in congestion avoidance. Returns the new `cwnd`.
    fn avoid(state: &mut Congestion, window: &Window, acked: u32) -> u32;

    /// The sender was not held back by the congestion window, or was idle.
    fn unused(state: &mut Congestion);

    /// What was acknowledged so far does not count for the next growth: recovery has ended.
    fn restart(state: &mut Congestion);
}

/// The algorithm of a connection and its state, one layout for both: fields of which an algorithm knows nothing are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Congestion {
    /// Bytes acknowledged since `cwnd` last grew.
    pub acked: u32,
    /// CUBIC: W_est in bytes, what Reno would have (RFC 9438 Section 4.3).
    pub w_est: u32,
    /// CUBIC: W_max in segments.
    pub w_max: u16,
    /// CUBIC: sixteenths of a segment to be acknowledged for each segment of growth; 0: no epoch has begun.
    pub step: u16,
    /// CUBIC: low half of the tick at which the curve reaches `w_max`: the start of the epoch and K.
    pub origin: u16,
    /// CUBIC: bits of the clock at the last update.
    pub beat: u8,
    pub algorithm: CongestionAlgorithm,
}

/// RFC 5681: half at a loss, a segment a round trip.
pub(crate) struct NewReno;

impl CongestionControl for NewReno {
    /// RFC 5681 Section 3.1, equation 4.
    fn reduce(state: &mut Congestion, _: &Window, flight: u32) -> u32 {
        state.acked = 0;
        flight / 2
    }

    fn timed_out(state: &mut Congestion) {
        state.acked = 0;
    }

    /// RFC 5681 Section 3.1, by counting bytes, with no division.
    #[inline]
    fn avoid(state: &mut Congestion, window: &Window, acked: u32) -> u32 {
        state.grown(window.cwnd, window.smss, acked)
    }

    fn unused(_: &mut Congestion) {}

    fn restart(state: &mut Congestion) {
        state.acked = 0;
    }
}

/// To the algorithm at hand; a branch where a table of functions would be a load and an indirect call.
macro_rules! dispatch {
    ($self:ident, $function:ident($($argument:expr),*)) => {
        match $self.algorithm {
            CongestionAlgorithm::NewReno => NewReno::$function($self, $($argument),*),
            CongestionAlgorithm::Cubic => Cubic::$function($self, $($argument),*),
        }
    };
}

impl Congestion {
    pub const fn new(algorithm: CongestionAlgorithm) -> Self {
        Congestion { acked: 0, w_est: 0, w_max: 0, step: 0, origin: 0, beat: 0, algorithm }
    }

    /// The window of NewReno's [`CongestionControl::avoid`].
    #[inline]
    pub fn grown(&mut self, cwnd: u32, smss: u32, acked: u32) -> u32 {
        self.acked += acked.min(cwnd);
        if self.acked < cwnd {
            return cwnd;
        }
        self.acked -= cwnd;
        cwnd + smss
    }

    pub fn reduce(&mut self, window: &Window, flight: u32) -> u32 {
        dispatch!(self, reduce(window, flight))
    }

    pub fn timed_out(&mut self) {
        dispatch!(self, timed_out());
    }

    #[inline]
    pub fn avoid(&mut self, window: &Window, acked: u32) -> u32 {
        dispatch!(self, avoid(window, acked))
    }

    #[inline]
    pub fn unused(&mut self) {
        dispatch!(self, unused());
    }

    pub fn restart(&mut self) {
        dispatch!(self, restart());
    }
}

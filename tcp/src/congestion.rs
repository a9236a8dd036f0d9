//! Slow start and loss recovery: RFC 5681, NewReno (RFC 6582), SACK recovery (RFC 6675). How far the window falls and
//! how it grows afterwards is the business of `control.rs`.
//!
//! One set of variables serves three ways of recovery. `rtx_nxt` walks from `snd_una` through what has to be
//! sent again; `recover` marks where the trouble began. Without SACK the window is inflated by duplicate
//! acknowledgements (RFC 6582); with SACK the pipe is counted (RFC 6675 Section 4); after a timeout
//! everything up to `recover` counts as lost.
//!
//! DEVIATION: rescue retransmission (RFC 6675 Section 4, NextSeg rule 4) is left out: the retransmission timer
//! does its work. RFC 2018 Section 8: the scoreboard is dropped at a timeout, in case the peer reneged.

use baton_abi::{at_most, handoff::SACKED_RANGES};

use crate::{
    control::Window,
    tcb::{flag, Phase, Tcb, BUFFER_MAX},
    CongestionAlgorithm, Instant, Parameters, SeqNumber,
};

/// Duplicate acknowledgements that mean a loss (RFC 5681 Section 3.2).
const DUP_THRESH: u8 = 3;

impl<C: Parameters> Tcb<C> {
    pub(crate) fn initial_cwnd(&self) -> u32 {
        u32::from(self.snd_mss) * u32::from(self.config().initial_window)
    }

    #[inline]
    fn smss(&self) -> u32 {
        u32::from(self.snd_mss)
    }

    /// What the algorithm may look at.
    #[inline]
    fn window(&self) -> Window {
        Window {
            cwnd: self.cwnd,
            ssthresh: self.ssthresh,
            smss: self.smss(),
            srtt_us8: self.srtt_us8,
            tick: self.ts_val,
        }
    }

    /// A loss: the algorithm says how far the window falls, and RFC 5681 Section 3.1, equation 4, that it keeps two segments.
    fn reduce(&mut self) {
        let (window, flight) = (self.window(), self.flight());
        self.ssthresh = self.control.reduce(&window, flight).max(2 * window.smss);
    }

    /// Slow start (RFC 5681 Section 3.1) and congestion avoidance, with `flight` bytes outstanding before the
    /// acknowledgement, and `unsent` after it. `by_clock` is [`Tcb::grows_by_clock`], which a caller that knows it passes as a
    /// constant.
    #[inline(always)]
    pub(crate) fn grow(
        &mut self,
        now: impl FnOnce() -> Instant,
        acked: u32,
        flight: u32,
        unsent: u32,
        by_clock: bool,
    ) {
        let slow_start = self.cwnd < self.ssthresh;
        // A window that is not used says nothing about the path (RFC 7661 Section 4.3, RFC 9438 Section 5.8). It is not when
        // it had room left and neither the room nor the text was merely waiting for this acknowledgement.
        let used = flight + if slow_start { flight } else { self.smss() };
        if used <= self.cwnd && (flight + self.smss() > self.snd_wnd || unsent == 0) {
            if by_clock {
                self.control.unused();
            }
            return;
        }
        if slow_start {
            self.cwnd += acked.min(self.smss());
        } else {
            if by_clock {
                self.grow_by_clock(now(), acked);
            } else {
                // The fields that it looks at, and not a whole `Window`, on the path of every acknowledgement.
                self.cwnd = self.control.grown(self.cwnd, u32::from(self.snd_mss), acked);
            }
        }
        if self.cwnd > BUFFER_MAX {
            self.cwnd = BUFFER_MAX;
        }
    }

    /// Whether the algorithm looks at the clock.
    #[inline]
    pub fn grows_by_clock(&self) -> bool {
        self.control.algorithm == CongestionAlgorithm::Cubic
    }

    /// Congestion avoidance of an algorithm that looks at the clock.
    #[inline(never)]
    fn grow_by_clock(&mut self, now: Instant, acked: u32) {
        self.tick(now);
        let window = self.window();
        self.cwnd = self.control.avoid(&window, acked);
    }

    /// `acked` of `flight` numbers were acknowledged; `snd_una` has advanced.
    #[inline]
    pub(crate) fn cc_acknowledged(&mut self, now: Instant, acked: u32, flight: u32) {
        if self.phase() == Phase::Open {
            self.dup_acks = 0;
            self.grow(|| now, acked, flight, self.unsent(), self.grows_by_clock());
        } else {
            self.cc_acknowledged_in_recovery(now, acked, flight);
        }
        if self.has(flag::RECOVER) && self.snd_una.gt(self.recover) {
            self.flags &= !flag::RECOVER;
        }
    }

    #[inline(never)]
    fn cc_acknowledged_in_recovery(&mut self, now: Instant, acked: u32, flight: u32) {
        match self.phase() {
            Phase::Open => {}
            Phase::Recovery if self.snd_una.ge(self.recover) => {
                // RFC 6582 Section 3.2, full acknowledgement, option 1; RFC 6675 has cwnd = ssthresh already.
                self.cwnd = self.ssthresh.min(self.flight().max(self.smss()) + self.smss());
                self.control.restart();
                self.set_phase(Phase::Open);
                self.dup_acks = 0;
            }
            Phase::Recovery => {
                if !self.has(flag::SACK) {
                    // RFC 6582 Section 3.2, partial acknowledgement: deflate by what was acknowledged, and
                    // add back one segment if that was one or more.
                    let smss = self.smss();
                    self.cwnd -= acked.min(self.cwnd - smss.min(self.cwnd));
                    if acked >= smss {
                        self.cwnd += smss;
                    }
                }
                if !self.has(flag::SACK) || self.gaps().sacked.is_empty() {
                    // The next hole starts here. A peer that gives no blocks is treated as one without SACK.
                    self.rtx_nxt = self.snd_una;
                    self.flags |= flag::RTX_NOW;
                }
            }
            Phase::Loss => {
                self.dup_acks = 0;
                self.grow(|| now, acked, flight, self.unsent(), self.grows_by_clock());
                if self.snd_una.ge(self.recover) {
                    self.set_phase(Phase::Open);
                }
            }
        }
    }

    /// A duplicate acknowledgement arrived (RFC 5681 Section 2), or one with new SACK blocks.
    pub(crate) fn cc_duplicate(&mut self) {
        match self.phase() {
            Phase::Open => {
                self.dup_acks = (self.dup_acks + 1).min(DUP_THRESH);
                let lost = self.dup_acks >= DUP_THRESH
                    || (!self.gaps().sacked.is_empty() && self.snd_una.lt(self.lost_end(false)));
                // RFC 6582 Section 3.2 step 2: not twice for one window. With SACK there is no such doubt.
                if lost && (self.has(flag::SACK) || !self.has(flag::RECOVER)) {
                    self.enter_recovery();
                }
            }
            // RFC 5681 Section 3.2 step 4: a segment has left the network.
            Phase::Recovery if !self.has(flag::SACK) => {
                self.cwnd = (self.cwnd + self.smss()).min(BUFFER_MAX);
            }
            _ => {}
        }
    }

    fn enter_recovery(&mut self) {
        self.reduce();
        self.set_phase(Phase::Recovery);
        self.recover = self.snd_nxt;
        self.rtx_nxt = self.snd_una;
        // RFC 5681 Section 3.2 step 3 inflates by the three segments that have left; RFC 6675 counts a pipe.
        self.cwnd = if self.has(flag::SACK) { self.ssthresh } else { self.ssthresh + 3 * self.smss() };
        self.flags |= flag::RTX_NOW | flag::RECOVER;
        // Karn: the measured segment may be the one sent again.
        self.flags &= !flag::RTT_RUNNING;
    }

    /// The retransmission timer expired with data outstanding (RFC 5681 Section 3.1, RFC 6298 Section 5.4).
    pub(crate) fn cc_timeout(&mut self) {
        // "When the given segment has not yet been resent by way of the retransmission timer."
        if self.retransmits == 0 {
            self.reduce();
        }
        self.control.timed_out();
        self.cwnd = self.smss();
        self.set_phase(Phase::Loss);
        self.dup_acks = 0;
        self.recover = self.snd_nxt;
        self.rtx_nxt = self.snd_una;
        self.gaps().sacked.clear();
        self.flags |= flag::RTX_NOW | flag::RECOVER;
        self.flags &= !flag::RTT_RUNNING;
    }

    /// A router said that segments of more than `mss` bytes do not pass (RFC 1191 Section 6.4): what is outstanding is sent
    /// again in slow start, at once, but the loss was not congestion, so the window comes back to what it was.
    pub(crate) fn cc_path_mtu(&mut self) {
        self.ssthresh = self.cwnd.max(2 * self.smss());
        self.cwnd = self.smss();
        self.control.restart();
        self.set_phase(Phase::Loss);
        self.dup_acks = 0;
        self.recover = self.snd_nxt;
        self.rtx_nxt = self.snd_una;
        self.flags |= flag::RTX_NOW;
        // Karn: the measured segment is sent again.
        self.flags &= !flag::RTT_RUNNING;
    }

    /// This side's own queue was full, as if a source quench had come (RFC 1122 Section 4.2.3.9): slow start, to where it was.
    pub(crate) fn cc_quench(&mut self) {
        self.cwnd = self.smss();
        self.control.restart();
    }

    /// RFC 5681 Section 4.1: after an idle time longer than the timeout, start from the initial window.
    pub(crate) fn cc_restart_after_idle(&mut self) {
        let idle_ticks = self.ts_val.wrapping_sub(self.last_send_tick);
        if idle_ticks > self.rto_us() >> 10 {
            self.cwnd = self.cwnd.min(self.initial_cwnd());
            self.control.unused();
        }
    }

    /// End of what counts as lost by IsLost (RFC 6675 Section 4): numbers with three ranges, or more than two
    /// segments' bytes, selectively acknowledged above them. With `eager`, by NextSeg rule 3: every hole.
    fn lost_end(&self, eager: bool) -> SeqNumber {
        let mut bytes = 0;
        let turns = at_most!(SACKED_RANGES);
        for (n, range) in self.gaps().sacked.iter_back().enumerate() {
            turns.take();
            bytes += range.end.since(range.start);
            if eager || n + 1 >= usize::from(DUP_THRESH) || bytes > 2 * self.smss() {
                return range.start;
            }
        }
        self.snd_una
    }

    /// Numbers that are presumably in the network, when those below `lost_end` are lost unless sent again.
    fn pipe(&self, lost_end: SeqNumber) -> u32 {
        self.gaps().sacked.missing(self.snd_una, self.rtx_nxt.min(lost_end))
            + self.gaps().sacked.missing(lost_end, self.snd_nxt)
    }

    /// Bytes that the congestion window lets go now.
    pub(crate) fn cwnd_room(&self) -> u32 {
        match self.phase() {
            // RFC 3042: the first two duplicate acknowledgements each let one new segment go.
            Phase::Open => {
                let extra = u32::from(self.dup_acks.min(2)) * self.smss();
                (self.cwnd + extra).saturating_sub(self.flight())
            }
            Phase::Recovery if self.has(flag::SACK) => {
                self.cwnd.saturating_sub(self.pipe(self.lost_end(false).max(self.snd_una)))
            }
            Phase::Recovery => self.cwnd.saturating_sub(self.flight()),
            Phase::Loss => self.cwnd.saturating_sub(self.pipe(self.recover)),
        }
    }

    /// The next numbers to retransmit, as start and end: not selectively acknowledged, and allowed by the
    /// phase. Moves `rtx_nxt` over what the peer has.
    pub(crate) fn next_retransmit(&mut self) -> Option<(SeqNumber, SeqNumber)> {
        let forced = self.has(flag::RTX_NOW);
        if self.phase() == Phase::Open && !forced {
            return None;
        }
        let start = self.gaps().sacked.skip(self.rtx_nxt);
        self.rtx_nxt = start;
        let end = match self.phase() {
            _ if forced => self.snd_nxt,
            Phase::Open => return None,
            Phase::Loss => self.recover,
            Phase::Recovery if self.has(flag::SACK) => self.lost_end(self.unsent() == 0),
            Phase::Recovery => return None,
        };
        if end.le(start) {
            self.flags &= !flag::RTX_NOW;
            return None;
        }
        let end = self.gaps().sacked.next_start(start).map_or(end, |s| s.min(end));
        if !forced {
            let room = self.cwnd_room();
            // RFC 6675 Section 5 step C: at least one segment of room.
            if room < self.smss().min(end.since(start)) {
                return None;
            }
        }
        Some((start, end))
    }
}

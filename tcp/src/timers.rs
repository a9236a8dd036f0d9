//! Timeouts (RFC 9293 Section 3.10.8).
//!
//! A connection has two timers: that of the delayed acknowledgement, and one that retransmits, probes a
//! closed window, probes an idle peer or ends FIN-WAIT-2 or TIME-WAIT, which never happen together.

use crate::{
    rtt::BACKOFF_MAX,
    tcb::{flag, State, Tcb, Timer},
    Instant, Parameters,
};

/// What a timeout meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum TimerOutcome {
    /// No timer was due.
    None,
    /// There may be something to send.
    Transmit,
    /// TIME-WAIT is over; the state is CLOSED.
    Closed,
    /// The peer did not answer (RFC 9293 Section 3.8.3); the state is CLOSED.
    TimedOut,
}

impl<C: Parameters> Tcb<C> {
    /// Longest time between two probes of an idle peer.
    const KEEP_ALIVE_INTERVAL_US: u32 = 75_000_000;

    /// When [`Tcb::on_timer`] is due. Work for [`Tcb::poll_transmit`] is not counted: poll that after every
    /// call that changes the TCB, until it returns nothing.
    pub fn poll_at(&self) -> Option<Instant> {
        let long = (self.timer != Timer::Off).then_some(self.timer_at);
        let ack = self.has(flag::ACK_DELAYED).then_some(self.ack_at);
        match (long, ack) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    #[inline]
    pub(crate) fn start_timer(&mut self, now: Instant, timer: Timer, after_us: u32) {
        self.timer = timer;
        self.timer_at = now + after_us;
    }

    pub(crate) fn start_time_wait(&mut self, now: Instant) {
        self.state = State::TimeWait;
        self.start_timer(now, Timer::TimeWait, self.config().time_wait_us);
    }

    /// Nothing is in flight and the peer was just heard: the next probe is far away, or the end.
    ///
    /// DEVIATION: RFC 9293 Section 3.6 lets FIN-WAIT-2 last for ever. A peer that never closes must not hold a place on a
    /// NIC, so there is a limit on its silence where the configuration sets one.
    pub(crate) fn keep_alive(&mut self, now: Instant) {
        if self.config().fin_wait_2_us > 0 && self.state == State::FinWait2 {
            self.start_timer(now, Timer::FinWait2, self.config().fin_wait_2_us);
        } else if self.config().keepalive_us > 0 && self.state != State::TimeWait {
            self.retransmits = 0;
            self.start_timer(now, Timer::KeepAlive, self.config().keepalive_us);
        }
    }

    /// Acts on the timers that are due at `now`; early calls do nothing.
    pub fn on_timer(&mut self, now: Instant) -> TimerOutcome {
        let outcome = self.run_timers(now);
        self.settle();
        debug_assert!(self.consistent());
        outcome
    }

    fn run_timers(&mut self, now: Instant) -> TimerOutcome {
        self.tick(now);
        let mut outcome = TimerOutcome::None;
        if self.has(flag::ACK_DELAYED) && now.reached(self.ack_at) {
            self.flags &= !flag::ACK_DELAYED;
            self.flags |= flag::ACK_NOW;
            outcome = TimerOutcome::Transmit;
        }
        if self.timer == Timer::Off || !now.reached(self.timer_at) {
            return outcome;
        }
        match self.timer {
            Timer::Off => {}
            Timer::TimeWait => {
                self.enter_closed();
                return TimerOutcome::Closed;
            }
            Timer::FinWait2 => {
                self.enter_closed();
                return TimerOutcome::TimedOut;
            }
            _ if self.retransmits >= self.config().max_retransmits => {
                self.enter_closed();
                return TimerOutcome::TimedOut;
            }
            Timer::Retransmit => {
                if self.syn_unacked() {
                    self.rtx_nxt = self.snd_una;
                    self.flags |= flag::RTX_NOW;
                    self.flags &= !flag::RTT_RUNNING;
                } else {
                    self.cc_timeout();
                }
                self.back_off();
                self.start_timer(now, Timer::Retransmit, self.rto_us());
            }
            Timer::Persist => {
                self.flags |= flag::PROBE_NOW;
                self.back_off();
                self.start_timer(now, Timer::Persist, self.rto_us());
            }
            Timer::KeepAlive => {
                self.flags |= flag::PROBE_NOW;
                self.retransmits += 1;
                let interval = self.config().keepalive_us.min(Self::KEEP_ALIVE_INTERVAL_US);
                self.start_timer(now, Timer::KeepAlive, interval);
            }
        }
        TimerOutcome::Transmit
    }

    /// RFC 6298 Section 5.5.
    fn back_off(&mut self) {
        self.retransmits += 1;
        self.backoff = (self.backoff + 1).min(BACKOFF_MAX);
    }
}

//! Round-trip time and the retransmission timeout (RFC 6298).

use baton_abi::at_most;

use crate::{
    tcb::{flag, Tcb},
    Instant, Parameters, SeqNumber,
};

/// Most times that the timeout doubles; it reaches its longest before that.
pub(crate) const BACKOFF_MAX: u8 = 15;

impl<C: Parameters> Tcb<C> {
    /// RFC 6298 Section 2.1: one second until there is a sample.
    const INITIAL_RTO_US: u32 = 1_000_000;
    /// Largest sample that is believed; keeps the arithmetic within 32 bits.
    const SAMPLE_MAX_US: u32 = 1 << 26;

    /// Takes a sample (RFC 6298 Sections 2.2 and 2.3, alpha 1/8 and beta 1/4), which ends any backoff.
    #[inline(always)]
    pub(crate) fn rtt_sample(&mut self, sample_us: u32) {
        let r = sample_us.clamp(1, Self::SAMPLE_MAX_US);
        if self.srtt_us8 == 0 {
            self.srtt_us8 = r * 8;
            self.rttvar_us4 = r * 2;
        } else {
            let deviation = (self.srtt_us8 >> 3).abs_diff(r);
            self.rttvar_us4 = self.rttvar_us4 - (self.rttvar_us4 >> 2) + deviation;
            self.srtt_us8 = self.srtt_us8 - (self.srtt_us8 >> 3) + r;
        }
        self.backoff = 0;
    }

    /// The timeout now, with backoff (RFC 6298 Sections 2.3 to 2.5 and 5.5).
    #[inline(always)]
    pub(crate) fn rto_us(&self) -> u32 {
        let base =
            if self.srtt_us8 == 0 { Self::INITIAL_RTO_US } else { (self.srtt_us8 >> 3) + self.rttvar_us4 };
        let rto = base.max(self.config().min_rto_us);
        let rto = if self.backoff == 0 { rto } else { self.backed_off(rto) };
        rto.min(self.config().max_rto_us)
    }

    #[inline(never)]
    fn backed_off(&self, mut rto: u32) -> u32 {
        let turns = at_most!(BACKOFF_MAX);
        for _ in 0..self.backoff.min(BACKOFF_MAX) {
            turns.take();
            if rto >= self.config().max_rto_us {
                break;
            }
            rto <<= 1;
        }
        rto
    }

    /// Starts a measurement that ends when `end` is acknowledged, unless one runs.
    pub(crate) fn rtt_begin(&mut self, now: Instant, end: SeqNumber) {
        if !self.has(flag::RTT_RUNNING) {
            self.flags |= flag::RTT_RUNNING;
            self.rtt_seq = end;
            self.rtt_start = now;
        }
    }

    /// New data up to `snd_una` was acknowledged; `echo` is the segment's TSecr.
    ///
    /// One sample a round trip, as RFC 6298 Section 3 wants at least. Karn's algorithm (Section 3): what was
    /// retransmitted is not measured, unless timestamps tell the transmissions apart.
    #[inline]
    pub(crate) fn rtt_acknowledged(&mut self, now: Instant, echo: Option<u32>) {
        if self.has(flag::RTT_RUNNING) {
            if self.rtt_seq.le(self.snd_una) {
                self.flags &= !flag::RTT_RUNNING;
                self.rtt_sample(now.since(self.rtt_start));
            }
        } else if let Some(echo) = echo.filter(|_| self.backoff > 0) {
            // Ticks are coarse, so this is for when nothing better can be had: after a timeout.
            let ticks = self.ts_val.wrapping_sub(echo);
            // An echo from the future or of long ago is not ours.
            if ticks <= Self::SAMPLE_MAX_US >> 10 {
                self.rtt_sample(ticks << 10);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn estimator_follows_the_rfc() {
        let config = Config { min_rto_us: 1000, ..Config::default() };
        let mut tcb = Tcb::connect(config, SeqNumber(1), 1000, Instant(0));
        assert_eq!(tcb.rto_us(), 1_000_000);
        tcb.rtt_sample(80_000);
        // SRTT = R, RTTVAR = R/2, RTO = R + 4 * R/2.
        assert_eq!(tcb.rto_us(), 240_000);
        tcb.rtt_sample(80_000);
        assert_eq!(tcb.rto_us(), 80_000 + 120_000);
        tcb.backoff = 3;
        assert_eq!(tcb.rto_us(), 1_600_000);
        tcb.backoff = 100;
        assert_eq!(tcb.rto_us(), 60_000_000);
        for sample in [u32::MAX, 0, u32::MAX, 1] {
            tcb.rtt_sample(sample);
        }
        assert!(tcb.rto_us() <= 60_000_000);
    }
}

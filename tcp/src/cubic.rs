//! CUBIC (RFC 9438) in integers: no floating point, no 64-bit division, a few words of state.
//!
//! `cwnd` follows W_cubic(t) = C (t - K)^3 + W_max. Only t - K enters it, so the state holds the moment `origin` at
//! which the curve reaches W_max, on the timestamp clock (ticks of 1024 us), and neither t nor K. The curve
//! is looked at when a segment's worth of growth has come together and at least every 32 ticks, not with every
//! acknowledgement: in between, `step` says how many bytes must be acknowledged for each segment of growth, and the
//! usual acknowledgement costs an addition and two comparisons.
//!
//! Figures: [`cubic_bytes`] is within 2 bytes and 5 millionths of C t^3; K is at most 0.2 % and 2 ticks too small. Both are
//! tested against floating point.
//!
//! DEVIATION: K is limited to 32 s and W_max with it, which binds only when a window has lost more than 13,000 segments;
//! growth is then slower than the RFC's. There is no HyStart++ (an option in Section 4.10) and no undo of a spurious
//! reduction (Section 4.9: SHOULD, needs a detector such as RFC 3522 that is not here).

use baton_abi::at_most;

use crate::{
    control::{Congestion, CongestionControl, Window},
    tcb::BUFFER_MAX,
    CongestionAlgorithm,
};

/// Most ticks between `origin` and now that count, either way.
const TICKS_MAX: u32 = 32_000;
/// The curve is looked at again when this many low bits of the clock have run through.
const BEAT_SHIFT: u32 = 5;
/// Bits of the beat that are kept. More than 128 ticks between two acknowledgements may look like none, which
/// delays an update by an acknowledgement.
pub(crate) const BEAT_MASK: u8 = 3;
/// Least `step`, in sixteenths of a segment: two segments for one, since the target is at most 1.5 cwnd (Section 4.2).
pub(crate) const STEP_MIN: u32 = 32;
/// Bytes acknowledged since an update that are counted at most.
pub(crate) const ACKED_MAX: u32 = 1 << 27;
/// alpha = 3 (1 - beta) / (1 + beta) with beta = 0.7 (Section 4.3), in units of 2^-16; then 1.
const ALPHA: u32 = 34_695;
const ONE: u32 = 1 << 16;

/// RFC 9438.
pub(crate) struct Cubic;

impl Congestion {
    /// How many ticks after `origin` a tick is. Both ways that is less than half of what 16 bits hold: K is at most [`TICKS_MAX`], an
    /// origin further back is brought up when the curve is looked at, and a flow that rests for longer ends its epoch.
    fn ahead(&self, tick: u32) -> i32 {
        i32::from((tick as u16).wrapping_sub(self.origin) as i16)
    }

    /// W_cubic at `tick`, in bytes (Section 4.2, equation 1).
    fn at(&self, tick: u32, smss: u32) -> u32 {
        let w_max = u32::from(self.w_max) * smss;
        let ahead = self.ahead(tick);
        let distance = cubic_bytes(ahead.unsigned_abs().min(TICKS_MAX), smss);
        if ahead < 0 {
            w_max.saturating_sub(distance)
        } else {
            (w_max + distance).min(BUFFER_MAX)
        }
    }

    /// Congestion avoidance begins, for the first time or after a reduction, a timeout or a pause.
    fn begin_epoch(&mut self, window: &Window) {
        let Window { cwnd, smss, tick, .. } = *window;
        self.w_est = cwnd;
        self.acked = 0;
        let w_max = u32::from(self.w_max) * smss;
        let mut k = 0;
        if w_max <= cwnd {
            // Section 4.8 and equation 2: nothing is known of a larger window.
            self.w_max = segments(cwnd, smss);
        } else {
            k = ticks_to_gain(w_max - cwnd, smss);
            if k > TICKS_MAX {
                k = TICKS_MAX;
                self.w_max = segments(cwnd + cubic_bytes(k, smss), smss);
            }
        }
        self.origin = tick.wrapping_add(k) as u16;
        self.aim(window);
    }

    /// Brings `cwnd` up to what the acknowledgements since the last update were worth, and looks at the curve.
    fn update(&mut self, window: &Window) -> u32 {
        let Window { cwnd, ssthresh, smss, .. } = *window;
        let grown = cwnd + (self.acked << 4) / u32::from(self.step);
        // Section 4.3, equation 4; cwnd_prior, at which alpha becomes 1, is what ssthresh is 0.7 of.
        let prior = ssthresh + ssthresh / 7 * 3;
        let alpha = if self.w_est < prior { ALPHA } else { ONE };
        self.w_est = (self.w_est + share(smss * alpha, self.acked, cwnd)).min(BUFFER_MAX);
        self.acked = 0;
        let window = Window { cwnd: grown.min(BUFFER_MAX), ..*window };
        self.aim(&window)
    }

    /// Sets the growth until the next update. Returns `cwnd`, which is never below the Reno-friendly estimate.
    fn aim(&mut self, window: &Window) -> u32 {
        let Window { mut cwnd, smss, srtt_us8, tick, .. } = *window;
        self.beat = beat(tick);
        if self.ahead(tick) > TICKS_MAX as i32 {
            // No higher on the curve than this.
            self.origin = tick.wrapping_sub(TICKS_MAX) as u16;
        }
        let step = if self.at(tick, smss) < self.w_est {
            // Section 4.3: the Reno-friendly region.
            cwnd = cwnd.max(self.w_est);
            u32::from(u16::MAX)
        } else {
            // Sections 4.4 and 4.5: (target - cwnd) / cwnd segments for each one acknowledged, with the target
            // a round trip ahead. Eighths of microseconds in 2^13 are ticks.
            let target = self.at(tick.wrapping_add(srtt_us8 >> 13), smss).min(cwnd + cwnd / 2);
            match target.saturating_sub(cwnd) {
                0 => u32::from(u16::MAX),
                gain if cwnd < 1 << 28 => (cwnd << 4) / gain,
                gain => cwnd / (gain >> 4).max(1),
            }
        };
        self.step = step.clamp(STEP_MIN, u32::from(u16::MAX)) as u16;
        cwnd
    }
}

impl CongestionControl for Cubic {
    /// Sections 4.6 and 4.7: beta is 0.7, and a flow that loses before it was back at W_max leaves room to others.
    fn reduce(state: &mut Congestion, window: &Window, flight: u32) -> u32 {
        let now = segments(window.cwnd, window.smss);
        state.w_max = if now < state.w_max { (u32::from(now) * 17 / 20) as u16 } else { now };
        Self::restart(state);
        flight / 10 * 7
    }

    /// Section 4.8: the next epoch starts with K = 0 and W_max = cwnd.
    fn timed_out(state: &mut Congestion) {
        state.w_max = 0;
        Self::restart(state);
    }

    #[inline]
    fn avoid(state: &mut Congestion, window: &Window, acked: u32) -> u32 {
        if state.step == 0 {
            state.begin_epoch(window);
            return window.cwnd;
        }
        state.acked = (state.acked + acked).min(ACKED_MAX);
        // A segment of growth has come together, or two windows went by in which W_est has grown.
        let enough = ((u32::from(state.step) * window.smss) >> 4).min(2 * window.cwnd);
        if state.acked < enough && beat(window.tick) == state.beat {
            return window.cwnd;
        }
        state.update(window)
    }

    /// Section 5.8: t does not include times in which the application, or the peer's window, was the limit. A new
    /// epoch starts from the window that there is, when that is the limit again.
    fn unused(state: &mut Congestion) {
        Self::restart(state);
    }

    /// Leaves nothing but W_max.
    fn restart(state: &mut Congestion) {
        *state = Congestion { w_max: state.w_max, ..Congestion::new(CongestionAlgorithm::Cubic) };
    }
}

#[inline]
fn beat(tick: u32) -> u8 {
    (tick >> BEAT_SHIFT) as u8 & BEAT_MASK
}

fn segments(bytes: u32, smss: u32) -> u16 {
    (bytes / smss).min(u32::from(u16::MAX)) as u16
}

/// C t^3 in bytes: 0.4 segments a cubic second (Section 5.1), for at most [`TICKS_MAX`] ticks.
///
/// 0.4 (1.024e-3)^3 = 2^-31 * 0.92233720, and 60446 / 65536 = 0.92233276.
fn cubic_bytes(ticks: u32, smss: u32) -> u32 {
    let cube = u64::from(ticks * ticks) * u64::from(ticks);
    ((((cube * u64::from(smss)) >> 31) * 60_446) >> 16) as u32
}

/// K: the ticks in which the curve climbs `deficit` bytes, more than none (Section 4.2, equation 2).
fn ticks_to_gain(deficit: u32, smss: u32) -> u32 {
    // Segments times 2^shift, as precisely as 32 bits hold them.
    let shift = deficit.leading_zeros();
    let segments = (deficit << shift) / smss;
    // K^3 = segments * 2^31 / 0.92233720; 71054 / 65536 = 1.0842.
    let cube = u64::from(segments) * 71_054;
    cube_root(if shift <= 15 { cube << (15 - shift) } else { cube >> (shift - 15) })
}

/// The cube root of the leading 30 to 32 bits of `x`, digit by digit, in 32-bit arithmetic: at most one part in 800 and
/// one unit too small.
fn cube_root(x: u64) -> u32 {
    let bits = 64 - x.leading_zeros();
    let dropped = bits.saturating_sub(32).div_ceil(3);
    let mut rest = (x >> (3 * dropped)) as u32;
    let mut root = 0u32;
    let turns = at_most!(11);
    for shift in (0..=30).rev().step_by(3) {
        turns.take();
        root <<= 1;
        let next = 3 * root * (root + 1) + 1;
        if rest >> shift >= next {
            rest -= next << shift;
            root += 1;
        }
    }
    root << dropped
}

/// `what * part / whole / 2^16` for a `what` below 2^30, with one 32-bit division.
fn share(what: u32, part: u32, whole: u32) -> u32 {
    let part = part.max(1);
    let shift = part.leading_zeros();
    let ratio = (part << shift) / whole;
    ((u64::from(what) * u64::from(ratio)) >> (16 + shift)) as u32
}

#[cfg(test)]
mod tests;

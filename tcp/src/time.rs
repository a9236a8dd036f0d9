//! Time as the engine knows it: microseconds on a 32-bit counter that wraps every 71 minutes.
//!
//! Two instants are compared by their signed difference, so all timers are shorter than 35 minutes
//! ([`Instant::HORIZON_US`]). The counter may start anywhere and each owner of a TCB has its own.

use core::ops::Add;

/// A point in time, in microseconds modulo 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Instant(pub u32);

impl Instant {
    /// Longest duration that can be told from its opposite.
    pub const HORIZON_US: u32 = i32::MAX as u32;

    /// Whether `self` is at or after `other`.
    #[inline]
    pub const fn reached(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) >= 0
    }

    /// Microseconds from `earlier` to `self`.
    #[inline]
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// Microseconds from `now` to `self`; zero when `self` has passed.
    #[inline]
    pub const fn remaining(self, now: Self) -> u32 {
        if now.reached(self) {
            0
        } else {
            self.since(now)
        }
    }

    /// The earlier of two.
    #[inline]
    pub const fn min(self, other: Self) -> Self {
        if self.reached(other) {
            other
        } else {
            self
        }
    }
}

impl Add<u32> for Instant {
    type Output = Self;
    #[inline]
    fn add(self, us: u32) -> Self {
        Instant(self.0.wrapping_add(us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_hold_across_the_wrap() {
        let now = Instant(0xFFFF_FF00);
        let deadline = now + 0x200;
        assert!(!now.reached(deadline));
        assert_eq!(deadline.remaining(now), 0x200);
        assert_eq!(now.remaining(deadline), 0);
        assert_eq!(now.min(deadline), now);
        assert!((now + 0x200).reached(deadline));
    }
}

//! Sequence numbers: 32 bits, compared modulo 2^32 (RFC 9293 Section 3.4).

use core::ops::{Add, AddAssign, Sub};

/// A sequence or acknowledgement number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// `self < other` in the window of 2^31 numbers around them.
    #[inline]
    pub const fn lt(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// `self <= other`.
    #[inline]
    pub const fn le(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) <= 0
    }

    /// `self > other`.
    #[inline]
    pub const fn gt(self, other: Self) -> bool {
        other.lt(self)
    }

    /// `self >= other`.
    #[inline]
    pub const fn ge(self, other: Self) -> bool {
        other.le(self)
    }

    /// Numbers from `earlier` to `self`.
    #[inline]
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// The later of two.
    #[inline]
    pub const fn max(self, other: Self) -> Self {
        if self.lt(other) {
            other
        } else {
            self
        }
    }

    /// The earlier of two.
    #[inline]
    pub const fn min(self, other: Self) -> Self {
        if self.lt(other) {
            self
        } else {
            other
        }
    }
}

impl Add<u32> for SeqNumber {
    type Output = Self;
    #[inline]
    fn add(self, n: u32) -> Self {
        SeqNumber(self.0.wrapping_add(n))
    }
}

impl AddAssign<u32> for SeqNumber {
    #[inline]
    fn add_assign(&mut self, n: u32) {
        *self = *self + n;
    }
}

impl Sub<u32> for SeqNumber {
    type Output = Self;
    #[inline]
    fn sub(self, n: u32) -> Self {
        SeqNumber(self.0.wrapping_sub(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_holds_across_the_wrap() {
        let a = SeqNumber(0xFFFF_FFF0);
        let b = a + 0x20;
        assert_eq!(b.0, 0x10);
        assert!(a.lt(b) && b.gt(a) && a.le(a) && a.ge(a) && !b.le(a));
        assert_eq!(b.since(a), 0x20);
        assert_eq!((a.max(b), a.min(b), b - 0x20), (b, a, a));
    }
}

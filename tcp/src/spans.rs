//! Buffers as lists of spans of host memory.
//!
//! A send or receive buffer is a short list of spans, in stream order. The engine counts bytes; this
//! tells where they are. The firmware and the host use the same type, and a handoff copies it.

use baton_abi::{
    handoff::{RecordError, Span, RECEIVE_SPANS, SEND_SPANS},
    work::Turns,
};

/// The list has no room for another span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Up to `N` spans, none of them empty. Places without one are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans<const N: usize> {
    spans: [Span; N],
}

const NONE: Span = Span { addr: 0, len: 0 };

/// The spans of a send buffer and those of a receive buffer, as a handoff record has them.
pub type SendSpans = Spans<SEND_SPANS>;
pub type ReceiveSpans = Spans<RECEIVE_SPANS>;

/// Most spans of any list, for the longest path through the firmware.
const LONGEST: usize = SEND_SPANS;
/// Stands for the loops over lists.
const LINE: u32 = line!();

impl<const N: usize> Default for Spans<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> Spans<N> {
    pub const EMPTY: Self = Spans { spans: [NONE; N] };
    /// Most bytes in a list; keeps sums of lengths and sequence numbers unambiguous.
    pub const LEN_MAX: u32 = 1 << 30;

    pub fn new() -> Self {
        Self::default()
    }

    /// For a loop over the list.
    #[inline(always)]
    fn turns() -> Turns<{ LONGEST as u32 }, LINE> {
        const { assert!(N <= LONGEST) }
        Turns::new()
    }

    /// Bytes in all spans. Counted when asked: what comes and goes all the time shall have one number to keep, not two.
    pub fn len(&self) -> u32 {
        self.spans.iter().map(|span| span.len).sum()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.spans.first().is_none_or(|first| first.len == 0)
    }

    /// The spans in stream order.
    pub fn spans(&self) -> &[Span] {
        let turns = Self::turns();
        let ends = |span: &Span| {
            turns.take();
            span.len == 0
        };
        let count = self.spans.iter().position(ends).unwrap_or(N);
        self.spans.get(..count).unwrap_or(&self.spans)
    }

    /// Whether [`Spans::push`] of this span would succeed.
    pub fn accepts(&self, addr: u32, len: u32) -> bool {
        let mut copy = *self;
        copy.push(addr, len).is_ok()
    }

    /// Appends `len` bytes at `addr`, lengthening the last span when they follow it. An empty span
    /// changes nothing; one that wraps the address space, or makes the list too long, is refused.
    pub fn push(&mut self, addr: u32, len: u32) -> Result<(), Full> {
        if len == 0 {
            return Ok(());
        }
        if len > Self::LEN_MAX - self.len() || addr.checked_add(len - 1).is_none() {
            return Err(Full);
        }
        let count = self.spans().len();
        if let Some(last) = count.checked_sub(1).and_then(|i| self.spans.get_mut(i)) {
            if last.addr.checked_add(last.len) == Some(addr) {
                last.len += len;
                return Ok(());
            }
        }
        let slot = self.spans.get_mut(count).ok_or(Full)?;
        *slot = Span { addr, len };
        Ok(())
    }

    /// Removes the first `n` bytes, at least one, when they lie in the first span and do not finish it. Returns their address.
    #[inline]
    pub fn take_within_first(&mut self, n: u32) -> Option<u32> {
        // Spans that are not there are empty.
        let first = self.spans.first_mut().filter(|first| first.len > n)?;
        let addr = first.addr;
        first.addr = addr.wrapping_add(n);
        first.len -= n;
        Some(addr)
    }

    /// Removes the first `n` bytes, or all when there are fewer.
    #[inline(never)]
    pub fn consume(&mut self, n: u32) {
        let len = self.len();
        if n >= len {
            // The end of a response, as a rule.
            self.spans = [NONE; N];
            return;
        }
        let mut left = n;
        // Nothing is left when the spans are through: `left` is less than their sum.
        let turns = Self::turns();
        while let Some(first) = self.spans.first_mut().filter(|_| left > 0) {
            turns.take();
            if first.len > left {
                first.addr = first.addr.wrapping_add(left);
                first.len -= left;
                return;
            }
            left -= first.len;
            // Not `rotate_left`, which calls a function that moves any number of bytes.
            let [_, rest @ ..] = self.spans.as_slice() else { return };
            let mut moved = [NONE; N];
            for (place, span) in moved.iter_mut().zip(rest) {
                *place = *span;
            }
            self.spans = moved;
        }
    }

    /// Address of the byte at `offset`, and how many bytes lie together from there on.
    #[inline]
    pub fn at(&self, offset: u32) -> Option<(u32, u32)> {
        match self.spans.first() {
            Some(first) if offset < first.len => Some((first.addr.wrapping_add(offset), first.len - offset)),
            _ => self.at_later(offset),
        }
    }

    #[inline(never)]
    fn at_later(&self, mut offset: u32) -> Option<(u32, u32)> {
        let turns = Self::turns();
        for span in &self.spans {
            turns.take();
            if offset < span.len {
                return Some((span.addr.wrapping_add(offset), span.len - offset));
            }
            offset -= span.len;
        }
        None
    }

    /// Where the byte at `offset` lies, with those behind it in its span, and the span after that, which may be empty: what a device can send
    /// that gathers two.
    #[inline]
    pub fn two_from(&self, offset: u32) -> Option<[Span; 2]> {
        match *self.spans.as_slice() {
            [Span { addr, len }, then, ..] if offset < len => {
                Some([Span { addr: addr.wrapping_add(offset), len: len - offset }, then])
            }
            _ => self.two_from_later(offset),
        }
    }

    #[inline(never)]
    fn two_from_later(&self, offset: u32) -> Option<[Span; 2]> {
        let (addr, len) = self.at(offset)?;
        let (then, then_len) = self.at(offset + len).unwrap_or((0, 0));
        Some([Span { addr, len }, Span { addr: then, len: then_len }])
    }

    /// Bytes that lie together from `offset` on: the closure that `Tcb::poll_transmit` takes.
    #[inline]
    pub fn contiguous(&self, offset: u32) -> u32 {
        self.at(offset).map_or(0, |(_, len)| len)
    }

    /// The list without its first `n` bytes.
    pub fn skip(&self, n: u32) -> Self {
        let mut rest = *self;
        rest.consume(n);
        rest
    }
}

impl<const N: usize> Spans<N> {
    /// For a handoff record.
    pub fn to_record(&self) -> [Span; N] {
        self.spans
    }

    /// From a handoff record: spans that are not empty, from the first on.
    pub fn from_record(spans: &[Span; N]) -> Result<Self, RecordError> {
        let mut list = Self::EMPTY;
        list.refill(|index| spans[index])?;
        Ok(list)
    }

    /// Takes what [`Spans::from_record`] would in place of its spans; some of it where that would fail.
    #[inline]
    pub fn refill(&mut self, span: impl Fn(usize) -> Span) -> Result<(), RecordError> {
        *self = Self::EMPTY;
        let turns = Self::turns();
        for index in 0..N {
            turns.take();
            let Span { addr, len } = span(index);
            if len > 0 {
                self.push(addr, len).map_err(|Full| RecordError::Buffer)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contiguous_spans_merge() {
        let mut list = Spans::<2>::new();
        list.push(100, 10).unwrap();
        list.push(110, 5).unwrap();
        list.push(200, 5).unwrap();
        assert_eq!(list.spans().len(), 2);
        assert_eq!(list.push(300, 1), Err(Full));
        list.push(205, 1).unwrap();
        assert_eq!(list.len(), 21);
        assert_eq!(list.at(14), Some((114, 1)));
        assert_eq!(list.at(15), Some((200, 6)));
        assert_eq!(list.at(21), None);
        list.consume(16);
        assert_eq!(list.at(0), Some((201, 5)));
        list.push(300, 1).unwrap();
        list.consume(100);
        assert!(list.is_empty() && list.spans().is_empty());
    }

    #[test]
    fn two_spans_follow_each_offset() {
        let mut list = Spans::<3>::new();
        for (addr, len) in [(100, 10), (200, 5), (300, 2)] {
            list.push(addr, len).unwrap();
        }
        let span = |addr, len| Span { addr, len };
        assert_eq!(list.two_from(0), Some([span(100, 10), span(200, 5)]));
        assert_eq!(list.two_from(9), Some([span(109, 1), span(200, 5)]));
        assert_eq!(list.two_from(10), Some([span(200, 5), span(300, 2)]));
        assert_eq!(list.two_from(16), Some([span(301, 1), span(0, 0)]));
        assert_eq!(list.two_from(17), None);
        assert_eq!(
            Spans::<1>::from_record(&[span(7, 2)]).unwrap().two_from(1),
            Some([span(8, 1), span(0, 0)])
        );
    }

    #[test]
    fn hostile_spans_are_refused() {
        let mut list = Spans::<4>::new();
        assert_eq!(list.push(0xFFFF_FFFF, 2), Err(Full));
        assert_eq!(list.push(0, u32::MAX), Err(Full));
        list.push(0xFFFF_FFFF, 1).unwrap();
        list.push(0, 1).unwrap();
        assert_eq!(list.spans().len(), 2);
        let huge = Span { addr: 0, len: 1 << 30 };
        assert!(Spans::from_record(&[huge; 4]).is_err());
    }
}

//! A short sorted list of ranges of sequence numbers.
//!
//! Two of them belong to a TCB ([`crate::gaps`]): what arrived out of order, and what the peer selectively acknowledged
//! (RFC 2018). All ranges lie within half the sequence space, so their order is that of the numbers.

use baton_abi::{handoff::RecordError, work::Turns};
use core::cell::Cell;

use crate::{segment::Range, SeqNumber};

/// Up to `N` disjoint ranges that do not touch, in ascending order, none empty. Places without one are zero. They are cells, because
/// a list may lie where a TCB can but point to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ranges<const N: usize>([Cell<Range>; N]);

/// Most ranges of any list, for the longest path through the firmware.
const LONGEST: usize = if cfg!(test) { 4 } else { 3 };
/// Stands for the loops over lists.
const LINE: u32 = line!();

/// No range.
const NONE: Range = Range { start: SeqNumber(0), end: SeqNumber(0) };

impl<const N: usize> Ranges<N> {
    pub const fn new() -> Self {
        Ranges([const { Cell::new(NONE) }; N])
    }

    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Range> + '_ {
        self.0.iter().map(Cell::get).take_while(|range| range.start != range.end)
    }

    /// From the last one to the first.
    #[inline]
    pub fn iter_back(&self) -> impl Iterator<Item = Range> + '_ {
        let turns = Self::turns();
        let all = self.0.iter().rev().map(Cell::get).inspect(move |_| turns.take());
        all.filter(|range| range.start != range.end)
    }

    #[inline]
    pub fn len(&self) -> usize {
        let turns = Self::turns();
        self.iter().inspect(|_| turns.take()).count()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.first().is_none_or(|first| first.get().start == first.get().end)
    }

    #[inline]
    pub fn last(&self) -> Option<Range> {
        let turns = Self::turns();
        self.iter().inspect(|_| turns.take()).last()
    }

    /// Whether all ranges are so.
    pub fn all(&self, is_so: impl Fn(Range) -> bool) -> bool {
        let turns = Self::turns();
        self.iter().all(|range| {
            turns.take();
            is_so(range)
        })
    }

    /// For a loop over the list.
    #[inline(always)]
    fn turns() -> Turns<{ LONGEST as u32 }, LINE> {
        const { assert!(N <= LONGEST) }
        Turns::new()
    }

    pub fn clear(&self) {
        self.put([NONE; N]);
    }

    /// Puts these in place of what there is.
    #[inline]
    fn put(&self, list: [Range; N]) {
        let turns = Self::turns();
        for (place, range) in self.0.iter().zip(list) {
            turns.take();
            place.set(range);
        }
    }

    /// Adds `start..end` and says how many numbers are new. `None`: the list is full and the range
    /// touches none in it; nothing was changed.
    pub fn insert(&self, start: SeqNumber, end: SeqNumber) -> Option<u32> {
        let mut list = [NONE; N];
        let mut places = list.iter_mut();
        let mut push = |range: Range| places.next().map(|place| *place = range);
        let mut merged = Range { start, end };
        let mut known = 0;
        let mut placed = false;
        let turns = Self::turns();
        for range in self.iter() {
            turns.take();
            if range.end.lt(start) {
                push(range)?;
            } else if range.start.gt(end) {
                if !placed {
                    push(merged)?;
                    placed = true;
                }
                push(range)?;
            } else {
                merged.start = merged.start.min(range.start);
                merged.end = merged.end.max(range.end);
                known += range.end.since(range.start);
            }
        }
        if !placed {
            push(merged)?;
        }
        self.put(list);
        Some(merged.end.since(merged.start) - known)
    }

    /// Forgets everything below `seq`. Returns how many ranges are gone.
    pub fn remove_below(&self, seq: SeqNumber) -> usize {
        let mut removed = 0;
        if self.is_empty() {
            return removed;
        }
        let mut list = [NONE; N];
        let mut places = list.iter_mut();
        let turns = Self::turns();
        for range in self.iter() {
            turns.take();
            if range.end.gt(seq) {
                let start = range.start.max(seq);
                // There is room for as many as there were.
                if let Some(place) = places.next() {
                    *place = Range { start, end: range.end };
                }
            } else {
                removed += 1;
            }
        }
        self.put(list);
        removed
    }

    /// The end of the range that holds `seq`, or `seq` itself.
    pub fn skip(&self, seq: SeqNumber) -> SeqNumber {
        let turns = Self::turns();
        for range in self.iter() {
            turns.take();
            if range.start.le(seq) && seq.lt(range.end) {
                return range.end;
            }
        }
        seq
    }

    /// Which range holds `seq`, or how many there are.
    pub fn position(&self, seq: SeqNumber) -> usize {
        let turns = Self::turns();
        let before = |range: &Range| {
            turns.take();
            range.end.le(seq)
        };
        self.iter().take_while(before).count()
    }

    /// Start of the first range above `seq`.
    pub fn next_start(&self, seq: SeqNumber) -> Option<SeqNumber> {
        let turns = Self::turns();
        let above = |r: &Range| {
            turns.take();
            r.start.gt(seq)
        };
        self.iter().find(above).map(|r| r.start)
    }

    /// How many numbers of `from..to` are in no range.
    pub fn missing(&self, from: SeqNumber, to: SeqNumber) -> u32 {
        if to.le(from) {
            return 0;
        }
        let mut missing = to.since(from);
        let turns = Self::turns();
        for range in self.iter() {
            turns.take();
            let (start, end) = (range.start.max(from), range.end.min(to));
            if start.lt(end) {
                missing -= end.since(start);
            }
        }
        missing
    }

    /// Writes a record's words, start and end of each place.
    #[inline(always)]
    pub fn write(&self, mut put: impl FnMut(usize, u32)) {
        let turns = Self::turns();
        for (index, range) in self.0.iter().map(Cell::get).enumerate() {
            turns.take();
            put(2 * index, range.start.0);
            put(2 * index + 1, range.end.0);
        }
    }

    /// How many ranges a record's words are, and where the last one ends; they must be in order and within `low..=high`.
    #[inline(always)]
    pub fn check(
        word: impl Fn(usize) -> u32,
        low: SeqNumber,
        high: SeqNumber,
    ) -> Result<(usize, SeqNumber), RecordError> {
        let (mut count, mut edge) = (0, low);
        let turns = Self::turns();
        for index in 0..N {
            turns.take();
            let (start, end) = (SeqNumber(word(2 * index)), SeqNumber(word(2 * index + 1)));
            if (Range { start, end }) == NONE {
                continue;
            }
            let room = high.since(edge);
            let ended = count < index;
            if ended || start == edge || start.since(edge) > room || end.since(edge) > room || end.le(start) {
                return Err(RecordError::Ranges);
            }
            (count, edge) = (index + 1, end);
        }
        Ok((count, edge))
    }

    /// Takes the ranges of a record's words, which were checked.
    #[inline(always)]
    pub fn read(&self, word: impl Fn(usize) -> u32) {
        let turns = Self::turns();
        for (index, place) in self.0.iter().enumerate() {
            turns.take();
            place.set(Range { start: SeqNumber(word(2 * index)), end: SeqNumber(word(2 * index + 1)) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a bitmap: insert, trim and the queries, at any place of the sequence space.
        #[test]
        fn behaves_as_a_set(base: u32, ops in proptest::collection::vec((0u32..60, 1u32..12, any::<bool>()), 1..40)) {
            let base = SeqNumber(base);
            let list = Ranges::<4>::new();
            let mut set = [false; 80];
            let mut low = 0;
            for (start, len, trim) in ops {
                if trim {
                    low = low.max(start / 4);
                    list.remove_below(base + low);
                    set[..low as usize].fill(false);
                } else if start > low {
                    let span = &mut set[start as usize..(start + len) as usize];
                    let new = span.iter().filter(|x| !**x).count() as u32;
                    match list.insert(base + start, base + start + len) {
                        Some(n) => {
                            prop_assert_eq!(n, new);
                            span.fill(true);
                        }
                        None => prop_assert_eq!(list.len(), 4),
                    }
                }
                for (i, x) in set.iter().enumerate() {
                    let seq = base + i as u32;
                    prop_assert_eq!(list.missing(seq, seq + 1) == 0, *x);
                    prop_assert_eq!(list.skip(seq) != seq, *x);
                }
                for (range, next) in list.iter().zip(list.iter().skip(1)) {
                    prop_assert!(range.end.lt(next.start));
                }
                prop_assert_eq!(list.last(), list.iter_back().next());
                prop_assert_eq!(list.len(), list.iter_back().count());
                let mut words = [0; 8];
                list.write(|index, word| words[index] = word);
                let copy = Ranges([const { Cell::new(Range { start: SeqNumber(7), end: SeqNumber(8) }) }; 4]);
                let checked = Ranges::<4>::check(|index| words[index], base - 1, base + 100);
                let end = list.last().map_or(base - 1, |last| last.end);
                prop_assert_eq!(checked, Ok((list.len(), end)));
                copy.read(|index| words[index]);
                prop_assert_eq!(&copy, &list);
            }
        }
    }
}

//! Allocation in host memory: a bump allocator for what lives as long as the server, and pools of equal
//! buffers that are lent and returned.
//!
//! A pool knows which of its buffers are out. Returning one twice, or one that was never lent, is a bug
//! of the caller and panics: invariant 5 of the design, *every buffer given is returned exactly once*.

use std::ops::Range;

/// Hands out a range of addresses from its start to its end.
#[derive(Clone, Debug)]
pub struct Arena {
    next: u32,
    limit: u32,
}

impl Arena {
    pub fn new(range: Range<u32>) -> Self {
        assert!(range.start <= range.end);
        Arena { next: range.start, limit: range.end }
    }

    /// Reserves `len` bytes at a multiple of `align`, a power of two. `None` when the arena is exhausted.
    pub fn alloc(&mut self, len: u32, align: u32) -> Option<u32> {
        assert!(align.is_power_of_two());
        let start = self.next.checked_add(align - 1)? & !(align - 1);
        let end = start.checked_add(len)?;
        if end > self.limit {
            return None;
        }
        self.next = end;
        Some(start)
    }

    /// Reserves a sub-arena of `len` bytes, page-aligned.
    pub fn carve(&mut self, len: u32) -> Option<Arena> {
        let start = self.alloc(len, 4096)?;
        Some(Arena::new(start..start + len))
    }

    /// What is left.
    pub fn remaining(&self) -> u32 {
        self.limit - self.next
    }

    /// The addresses that have not been handed out yet.
    pub fn range(&self) -> Range<u32> {
        self.next..self.limit
    }
}

/// Buffers of one size.
#[derive(Clone, Debug)]
pub struct Pool {
    name: &'static str,
    base: u32,
    stride: u32,
    free: Vec<u32>,
    lent: Vec<bool>,
}

impl Pool {
    /// `count` buffers of `stride` bytes, a multiple of 4. `None` when the arena is exhausted.
    pub fn new(name: &'static str, arena: &mut Arena, stride: u32, count: u32) -> Option<Self> {
        assert!(stride.is_multiple_of(4) && stride > 0);
        let base = arena.alloc(stride.checked_mul(count)?, 64)?;
        // The lowest address is lent first: what a short run touches stays small.
        Some(Pool { name, base, stride, free: (0..count).rev().collect(), lent: vec![false; count as usize] })
    }

    /// Address of a free buffer.
    pub fn take(&mut self) -> Option<u32> {
        let index = self.free.pop()?;
        assert!(!std::mem::replace(&mut self.lent[index as usize], true), "{}: lent twice", self.name);
        Some(self.base + index * self.stride)
    }

    /// Takes back a buffer that [`Pool::take`] gave.
    #[track_caller]
    pub fn give(&mut self, addr: u32) {
        let offset = addr.checked_sub(self.base).expect("an address of this pool");
        assert!(offset.is_multiple_of(self.stride), "{}: {addr:#x} is not a buffer's address", self.name);
        let index = offset / self.stride;
        let lent = self.lent.get_mut(index as usize).expect("an address of this pool");
        assert!(std::mem::replace(lent, false), "{}: buffer {addr:#x} returned twice", self.name);
        self.free.push(index);
    }

    /// Buffers that are not lent.
    pub fn available(&self) -> usize {
        self.free.len()
    }

    /// Buffers that are lent.
    pub fn lent(&self) -> usize {
        self.lent.len() - self.free.len()
    }

    /// Bytes of a buffer.
    pub fn stride(&self) -> u32 {
        self.stride
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arena_aligns_and_ends() {
        let mut arena = Arena::new(0x1004..0x3000);
        assert_eq!(arena.alloc(4, 64), Some(0x1040));
        assert_eq!(arena.alloc(4, 4), Some(0x1044));
        assert_eq!(arena.carve(0x1000).map(|a| a.range()), Some(0x2000..0x3000));
        assert_eq!(arena.alloc(1, 1), None);
        assert_eq!(Arena::new(0..10).alloc(u32::MAX, 4096), None);
    }

    #[test]
    #[should_panic(expected = "returned twice")]
    fn a_pool_refuses_a_buffer_twice() {
        let mut pool = Pool::new("test", &mut Arena::new(0..4096), 16, 2).unwrap();
        let (a, b) = (pool.take().unwrap(), pool.take().unwrap());
        assert!(a != b && pool.take().is_none() && pool.lent() == 2);
        pool.give(a);
        assert_eq!(pool.take(), Some(a));
        pool.give(b);
        pool.give(b);
    }
}

//! Set-associative caches at the grain of lines: which level an access is served from, nothing else.
//!
//! Replacement is least recently used. A miss in the second level also brings the line that follows, as the
//! paper's Table 2 says. Levels are neither inclusive nor exclusive: an eviction from one leaves the other as it
//! is. Written lines go back to memory at no cost to the processor, which has a write buffer. DMA writes
//! invalidate lines in both levels; DMA reads leave them, since the bus snoops dirty ones.

/// Geometry of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// Capacity; a multiple of `ways * LINE_BYTES` that makes the number of sets a power of two.
    pub bytes: u32,
    /// Lines in a set, at least 1.
    pub ways: u32,
}

/// Bytes of a line (the paper, Table 2).
pub const LINE_BYTES: u32 = 64;

/// One cache. Lines are named by their number: address over [`LINE_BYTES`].
#[derive(Clone, Debug)]
pub struct Cache {
    ways: usize,
    set_mask: u64,
    /// Line numbers plus one, 0 for an empty place; in each set the most recently used comes first.
    lines: Vec<u64>,
}

impl Cache {
    /// # Panics
    /// When the geometry is none; see [`CacheConfig`].
    pub fn new(config: CacheConfig) -> Self {
        assert!(config.ways >= 1, "a cache has at least one way");
        let set_bytes = config.ways * LINE_BYTES;
        let sets = config.bytes / set_bytes;
        assert!(
            config.bytes.is_multiple_of(set_bytes) && sets.is_power_of_two(),
            "a cache of {} bytes and {} ways has no power of two of sets",
            config.bytes,
            config.ways
        );
        Cache {
            ways: config.ways as usize,
            set_mask: u64::from(sets) - 1,
            lines: vec![0; (sets * config.ways) as usize],
        }
    }

    fn set(&mut self, line: u64) -> &mut [u64] {
        let start = (line & self.set_mask) as usize * self.ways;
        &mut self.lines[start..start + self.ways]
    }

    /// Looks a line up and makes it the most recently used of its set. Returns whether it was there.
    #[inline]
    pub fn access(&mut self, line: u64) -> bool {
        let set = self.set(line);
        let Some(at) = set.iter().position(|&l| l == line + 1) else { return false };
        set[..=at].rotate_right(1);
        true
    }

    /// Brings a line in as the most recently used; the least recently used of its set leaves. A line that is
    /// there already stays once.
    pub fn fill(&mut self, line: u64) {
        if !self.access(line) {
            let set = self.set(line);
            // Empty places are the last ones, so none is passed over.
            set.rotate_right(1);
            set[0] = line + 1;
        }
    }

    /// Removes a line, if it is there.
    pub fn invalidate(&mut self, line: u64) {
        let set = self.set(line);
        if let Some(at) = set.iter().position(|&l| l == line + 1) {
            set[at..].rotate_left(1);
            set[set.len() - 1] = 0;
        }
    }

    /// Whether a line is there; does not count as a use.
    pub fn contains(&self, line: u64) -> bool {
        let start = (line & self.set_mask) as usize * self.ways;
        self.lines[start..start + self.ways].contains(&(line + 1))
    }
}

/// Where an access was served from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    L1,
    L2,
    Dram,
}

/// Both levels.
#[derive(Clone, Debug)]
pub struct Hierarchy {
    l1: Cache,
    l2: Cache,
    prefetch: bool,
}

impl Hierarchy {
    /// `prefetch`: a miss in the second level brings the next line there too.
    pub fn new(l1: CacheConfig, l2: CacheConfig, prefetch: bool) -> Self {
        Hierarchy { l1: Cache::new(l1), l2: Cache::new(l2), prefetch }
    }

    /// The processor reads or writes in a line.
    #[inline]
    pub fn access(&mut self, line: u64) -> Level {
        if self.l1.access(line) {
            return Level::L1;
        }
        self.l1.fill(line);
        if self.l2.access(line) {
            return Level::L2;
        }
        self.l2.fill(line);
        if self.prefetch && !self.l2.contains(line + 1) {
            self.l2.fill(line + 1);
        }
        Level::Dram
    }

    /// A device writes `len` bytes at `addr`.
    pub fn invalidate(&mut self, addr: u64, len: u64) {
        let line_bytes = u64::from(LINE_BYTES);
        if len == 0 {
            return;
        }
        for line in addr / line_bytes..=(addr + len - 1) / line_bytes {
            self.l1.invalidate(line);
            self.l2.invalidate(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::{RngCore, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// A cache as its definition says: lines with the time of their last use.
    struct Naive {
        sets: u64,
        ways: usize,
        clock: u64,
        lines: Vec<(u64, u64)>,
    }

    impl Naive {
        fn access(&mut self, line: u64) -> bool {
            self.clock += 1;
            match self.lines.iter_mut().find(|l| l.0 == line) {
                Some(found) => {
                    found.1 = self.clock;
                    true
                }
                None => false,
            }
        }

        fn fill(&mut self, line: u64) {
            if self.access(line) {
                return;
            }
            let set = |l: u64| l % self.sets;
            if self.lines.iter().filter(|l| set(l.0) == set(line)).count() == self.ways {
                let oldest =
                    self.lines.iter().filter(|l| set(l.0) == set(line)).min_by_key(|l| l.1).unwrap().0;
                self.lines.retain(|l| l.0 != oldest);
            }
            self.lines.push((line, self.clock));
        }
    }

    /// Every sequence of `n` operations out of access-or-fill and invalidate over four lines.
    #[test]
    fn all_short_sequences_agree_with_the_definition() {
        for (ways, sets) in [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2)] {
            const LENGTH: u32 = 6;
            for code in 0..8u32.pow(LENGTH) {
                let config = CacheConfig { bytes: ways * sets * LINE_BYTES, ways };
                let mut cache = Cache::new(config);
                let mut naive =
                    Naive { sets: u64::from(sets), ways: ways as usize, clock: 0, lines: Vec::new() };
                for step in 0..LENGTH {
                    let op = code >> (3 * step) & 7;
                    let line = u64::from(op & 3);
                    if op & 4 == 0 {
                        assert_eq!(cache.access(line), naive.access(line), "{ways}x{sets} {code:o} {step}");
                        cache.fill(line);
                        naive.fill(line);
                    } else {
                        cache.invalidate(line);
                        naive.lines.retain(|l| l.0 != line);
                    }
                }
                for line in 0..4 {
                    let there = naive.lines.iter().any(|l| l.0 == line);
                    assert_eq!(cache.contains(line), there, "{ways}x{sets} {code:o}");
                }
            }
        }
    }

    #[test]
    fn long_random_runs_agree_at_the_papers_associativity() {
        for (seed, ways, sets) in [(1, 2, 8), (2, 16, 4)] {
            let mut cache = Cache::new(CacheConfig { bytes: ways * sets * LINE_BYTES, ways });
            let mut naive = Naive { sets: u64::from(sets), ways: ways as usize, clock: 0, lines: Vec::new() };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut hits = 0;
            for step in 0..20_000 {
                let line = u64::from(rng.next_u32() % (ways * sets * 2));
                if rng.next_u32() % 16 == 0 {
                    cache.invalidate(line);
                    naive.lines.retain(|l| l.0 != line);
                } else {
                    let hit = cache.access(line);
                    assert_eq!(hit, naive.access(line), "seed {seed} step {step}");
                    hits += u32::from(hit);
                    cache.fill(line);
                    naive.fill(line);
                }
            }
            assert!((2_000..18_000).contains(&hits), "{hits} hits test nothing");
        }
    }

    #[test]
    fn levels_prefetch_and_dma() {
        let l1 = CacheConfig { bytes: 4 * LINE_BYTES, ways: 2 };
        let l2 = CacheConfig { bytes: 64 * LINE_BYTES, ways: 4 };
        let mut caches = Hierarchy::new(l1, l2, true);
        assert_eq!(caches.access(10), Level::Dram);
        assert_eq!(caches.access(10), Level::L1);
        assert_eq!(caches.access(11), Level::L2, "the next line was fetched with the one before");
        assert_eq!(caches.access(12), Level::Dram, "a hit on a fetched line fetches no further");
        // Lines 10, 12 and 14 share a set of the first level, which has two places.
        assert_eq!(caches.access(14), Level::Dram);
        assert_eq!(caches.access(10), Level::L2);
        caches.invalidate(10 * 64 + 63, 2);
        assert_eq!(caches.access(10), Level::Dram);
        assert_eq!(caches.access(11), Level::L2, "invalidated with line 10, then fetched again after it");
        caches.invalidate(14 * 64, 0);
        assert_ne!(caches.access(14), Level::Dram, "a write of no bytes invalidates nothing");
    }
}

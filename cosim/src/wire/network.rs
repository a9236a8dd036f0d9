//! What may happen to a frame between the two ends: propagation, and faults from a seed.

use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::{cmp::Reverse, collections::BinaryHeap};

/// Chances in a million for each frame. All zero is a perfect network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub loss_ppm: u32,
    /// A bit is flipped, so that the check sequence is wrong.
    pub corrupt_ppm: u32,
    /// The frame arrives twice.
    pub duplicate_ppm: u32,
    /// The frame is held back for up to `delay_ps`, while later ones pass it.
    pub reorder_ppm: u32,
    /// The frame and all that follow are held back for up to `delay_ps`.
    pub delay_ppm: u32,
    pub delay_ps: u64,
}

impl Faults {
    fn any(&self) -> bool {
        let chances = [self.loss_ppm, self.corrupt_ppm, self.duplicate_ppm, self.reorder_ppm, self.delay_ppm];
        chances.iter().any(|&chance| chance > 0)
    }
}

/// What one direction has carried and done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameStats {
    /// Frames that one end sent, and their bytes before padding.
    pub frames: u64,
    pub bytes: u64,
    pub lost: u64,
    pub corrupted: u64,
    pub duplicated: u64,
    pub reordered: u64,
    pub delayed: u64,
}

/// A frame under way.
#[derive(Debug, PartialEq, Eq)]
pub struct Travelling {
    pub ready_ps: u64,
    pub frame: Vec<u8>,
    pub bad_fcs: bool,
}

/// Ordered by time of arrival, then by order of departure.
#[derive(Debug, PartialEq, Eq)]
struct Entry(u64, u64, Travelling);

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// One direction of the network.
#[derive(Debug)]
pub struct Network {
    faults: Faults,
    propagation_ps: u64,
    rng: ChaCha8Rng,
    queue: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
    /// No frame in order arrives before this.
    in_order_ps: u64,
    pub stats: FrameStats,
}

impl Network {
    /// `stream` keeps the randomness of several networks of one seed apart.
    pub fn new(faults: Faults, propagation_ps: u64, seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Network {
            faults,
            propagation_ps,
            rng,
            queue: BinaryHeap::new(),
            sequence: 0,
            in_order_ps: 0,
            stats: FrameStats::default(),
        }
    }

    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Takes a frame that leaves one end now.
    pub fn send(&mut self, now_ps: u64, mut frame: Vec<u8>) {
        self.stats.frames += 1;
        self.stats.bytes += frame.len() as u64;
        let mut ready_ps = now_ps + self.propagation_ps;
        if !self.faults.any() {
            ready_ps = ready_ps.max(self.in_order_ps);
            self.in_order_ps = ready_ps;
            return self.push(ready_ps, frame, false);
        }
        if self.chance(self.faults.loss_ppm) {
            self.stats.lost += 1;
            return;
        }
        let corrupt = self.chance(self.faults.corrupt_ppm);
        if corrupt {
            self.stats.corrupted += 1;
            let bit = self.rng.next_u32() as usize % (frame.len() * 8);
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        let copy = self.chance(self.faults.duplicate_ppm).then(|| frame.clone());
        if self.chance(self.faults.reorder_ppm) {
            self.stats.reordered += 1;
            ready_ps = ready_ps.max(self.in_order_ps) + self.delay();
        } else {
            if self.chance(self.faults.delay_ppm) {
                self.stats.delayed += 1;
                ready_ps += self.delay();
            }
            ready_ps = ready_ps.max(self.in_order_ps);
            self.in_order_ps = ready_ps;
        }
        self.push(ready_ps, frame, corrupt);
        if let Some(copy) = copy {
            self.stats.duplicated += 1;
            self.push(ready_ps, copy, corrupt);
        }
    }

    /// Frames under way.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// When the next frame arrives; the end of time if there is none.
    pub fn next_ps(&self) -> u64 {
        self.queue.peek().map_or(u64::MAX, |Reverse(entry)| entry.0)
    }

    /// The next frame, if it has arrived.
    pub fn receive(&mut self, now_ps: u64) -> Option<Travelling> {
        if self.next_ps() > now_ps {
            return None;
        }
        self.queue.pop().map(|Reverse(Entry(_, _, travelling))| travelling)
    }

    fn push(&mut self, ready_ps: u64, frame: Vec<u8>, bad_fcs: bool) {
        self.sequence += 1;
        self.queue.push(Reverse(Entry(ready_ps, self.sequence, Travelling { ready_ps, frame, bad_fcs })));
    }

    fn chance(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.rng.next_u32() % 1_000_000 < ppm
    }

    fn delay(&mut self) -> u64 {
        match self.faults.delay_ps {
            0 => 0,
            most => self.rng.next_u64() % most,
        }
    }
}

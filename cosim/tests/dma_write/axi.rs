//! The memory at the other end: an AXI4 write slave that stalls where it may, performs writes in any order it
//! likes before it answers them, with a monitor of the rules of AXI4 in front.

use baton_cosim::axi::{WriteMaster, WriteMemory};
use baton_cosim::monitor::WriteMonitor;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::collections::VecDeque;

/// Uniform in `0..n`.
pub fn below(rng: &mut ChaCha8Rng, n: u32) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(n)) >> 32) as u32
}

/// True in `percent` of a hundred cases.
pub fn chance(rng: &mut ChaCha8Rng, percent: u32) -> bool {
    below(rng, 100) < percent
}

/// What memory there is.
#[derive(Clone)]
pub struct Memory {
    regions: Vec<(u32, Vec<u8>)>,
    /// Writes into these addresses are lost.
    pub broken: std::ops::Range<u32>,
}

impl Memory {
    /// Memory in the given places, of random contents.
    pub fn new(places: &[(u32, usize)], broken: std::ops::Range<u32>, rng: &mut ChaCha8Rng) -> Self {
        let regions = places
            .iter()
            .map(|&(base, len)| {
                let mut bytes = vec![0; len];
                rng.fill_bytes(&mut bytes);
                (base, bytes)
            })
            .collect();
        Memory { regions, broken }
    }

    fn at(&self, addr: u32) -> (usize, usize) {
        let place = |(base, bytes): &(u32, Vec<u8>)| (addr.wrapping_sub(*base) as usize) < bytes.len();
        let region = self.regions.iter().position(place).unwrap_or_else(|| panic!("no memory at {addr:#x}"));
        (region, (addr - self.regions[region].0) as usize)
    }

    pub fn write(&mut self, addr: u32, bytes: &[u8]) {
        for (i, byte) in bytes.iter().enumerate() {
            let addr = addr + i as u32;
            if !self.broken.contains(&addr) {
                let (region, offset) = self.at(addr);
                self.regions[region].1[offset] = *byte;
            }
        }
    }

    pub fn read(&self, addr: u32, len: usize) -> &[u8] {
        let (region, offset) = self.at(addr);
        &self.regions[region].1[offset..offset + len]
    }

    pub fn word(&self, addr: u32) -> u32 {
        u32::from_le_bytes(self.read(addr, 4).try_into().unwrap())
    }

    /// The first address at which two memories differ.
    pub fn difference(&self, other: &Memory) -> Option<u32> {
        for ((base, a), (_, b)) in self.regions.iter().zip(&other.regions) {
            if let Some(offset) = (0..a.len()).find(|&i| a[i] != b[i]) {
                return Some(base + offset as u32);
            }
        }
        None
    }
}

/// How often, in percent of the cycles, the slave is ready, performs a write, and answers; and the least
/// latency of an answer in cycles.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub awready: u32,
    pub wready: u32,
    pub perform: u32,
    pub answer: u32,
    pub latency: u64,
}

impl Pace {
    pub const IDEAL: Pace = Pace { awready: 100, wready: 100, perform: 100, answer: 100, latency: 8 };
}

/// A burst whose data has arrived.
struct Burst {
    addr: u32,
    beats: Vec<(u32, u8)>,
    arrived: u64,
    performed: bool,
}

/// The slave.
pub struct AxiSlave {
    pub memory: Memory,
    pub pace: Pace,
    rng: ChaCha8Rng,
    cycle: u64,
    monitor: WriteMonitor,
    addresses: VecDeque<(u32, u32)>,
    beats: Vec<(u32, u8)>,
    /// Data whose address has not been accepted yet.
    early: VecDeque<Vec<(u32, u8)>>,
    finished: VecDeque<Burst>,
    last: Option<(WriteMaster, WriteMemory)>,
    pins: WriteMemory,
    /// Addresses of bursts as they were accepted, with their beats.
    pub issued: Vec<(u32, u32)>,
    /// Addresses of bursts that were answered with an error.
    pub errors: Vec<u32>,
    /// Answers given.
    pub answered: usize,
}

impl AxiSlave {
    pub fn new(memory: Memory, pace: Pace, seed: u64) -> Self {
        AxiSlave {
            memory,
            pace,
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0xA51),
            cycle: 0,
            monitor: WriteMonitor::default(),
            addresses: VecDeque::new(),
            beats: Vec::new(),
            early: VecDeque::new(),
            finished: VecDeque::new(),
            last: None,
            pins: WriteMemory::default(),
            issued: Vec::new(),
            errors: Vec::new(),
            answered: 0,
        }
    }

    /// Everything that was accepted has been answered.
    pub fn idle(&self) -> bool {
        self.addresses.is_empty()
            && self.beats.is_empty()
            && self.early.is_empty()
            && self.finished.is_empty()
    }

    /// Performs what is due and chooses this cycle's pins.
    pub fn drive(&mut self) -> WriteMemory {
        let (pace, rng) = (self.pace, &mut self.rng);
        // Any write may overtake any other until it is answered.
        if !self.finished.is_empty() && chance(rng, pace.perform) {
            let which = below(rng, self.finished.len() as u32) as usize;
            perform(&mut self.memory, &mut self.finished[which]);
        }
        let held = self.last.is_some_and(|(master, slave)| slave.bvalid && !master.bready);
        let due = self.finished.front().is_some_and(|b| self.cycle >= b.arrived + pace.latency);
        let bvalid = held || (due && chance(rng, pace.answer));
        let mut bresp = 0;
        if bvalid {
            let burst = &mut self.finished[0];
            perform(&mut self.memory, burst);
            let lost = (burst.addr..burst.addr + 4 * burst.beats.len() as u32)
                .any(|addr| self.memory.broken.contains(&addr));
            bresp = if lost { error_kind(burst.addr) } else { 0 };
        }
        self.pins = WriteMemory {
            awready: self.addresses.len() < 8 && chance(rng, pace.awready),
            wready: chance(rng, pace.wready),
            bvalid,
            bresp,
        };
        self.pins
    }

    /// Takes what the master showed in the cycle of the last [`AxiSlave::drive`].
    pub fn take(&mut self, master: WriteMaster) {
        if let Err(rule) = self.monitor.check(false, &master, &self.pins) {
            panic!("cycle {}: {rule}\n{master:x?}\n{:x?}", self.cycle, self.pins);
        }
        self.last = Some((master, self.pins));
        if master.awvalid && self.pins.awready {
            let beats = u32::from(master.awlen) + 1;
            self.addresses.push_back((master.awaddr, beats));
            self.issued.push((master.awaddr, beats));
        }
        if master.wvalid && self.pins.wready {
            self.beats.push((master.wdata, master.wstrb));
            if master.wlast {
                self.early.push_back(std::mem::take(&mut self.beats));
            }
        }
        while !self.early.is_empty() && !self.addresses.is_empty() {
            let (beats, (addr, _)) = (self.early.pop_front().unwrap(), self.addresses.pop_front().unwrap());
            self.finished.push_back(Burst { addr, beats, arrived: self.cycle, performed: false });
        }
        assert!(self.early.len() <= 1, "data far ahead of its address");
        if self.pins.bvalid && master.bready {
            let burst = self.finished.pop_front().unwrap();
            if self.pins.bresp != 0 {
                self.errors.push(burst.addr);
            }
            self.answered += 1;
        }
        self.cycle += 1;
    }
}

/// The response to a burst that is lost: SLVERR or DECERR.
pub fn error_kind(addr: u32) -> u8 {
    2 + (addr >> 8 & 1) as u8
}

fn perform(memory: &mut Memory, burst: &mut Burst) {
    if !burst.performed {
        burst.performed = true;
        for (i, &(data, strobe)) in burst.beats.iter().enumerate() {
            for lane in (0..4).filter(|lane| strobe >> lane & 1 == 1) {
                memory.write(burst.addr + 4 * i as u32 + lane, &[(data >> (8 * lane)) as u8]);
            }
        }
    }
}

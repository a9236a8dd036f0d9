//! Host memory as an AXI4 subordinate: what the NIC's DMA talks to.
//!
//! A model is a Moore machine: what it drives in a cycle ([`AxiMemory::write`], [`AxiMemory::read`]) follows from
//! the cycles before, so there is no path from the master's outputs to its inputs within one. After each
//! cycle, [`AxiMemory::clock`] is told what the master drove in it.
//!
//! Bursts are served in order, one queue for reads and one for writes, several outstanding in each. Written
//! data reaches memory at the moment its response is given, and not before: a master that announces data
//! before it has the response will be found out. An access outside memory is answered with SLVERR.

use crate::port::HostMemory;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::collections::VecDeque;

/// Response code: done.
pub const OKAY: u8 = 0;
/// Response code: the subordinate has no such address.
pub const SLVERR: u8 = 2;

/// Timing of host memory as the NIC sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AxiConfig {
    /// From a read address to the first word of data, in picoseconds.
    pub read_latency_ps: u64,
    /// From the last word written to the response, in picoseconds.
    pub write_latency_ps: u64,
    /// Most data in each direction, in bits a second; 0 takes a word each cycle.
    pub bandwidth_bps: u64,
    /// Most bursts accepted and not answered, for reads and for writes; at least 1.
    pub outstanding: usize,
    /// Chance in a thousand, for each channel and cycle, that the model stalls; below 1000.
    pub stall_permille: u32,
    /// Of the stalls.
    pub seed: u64,
}

impl Default for AxiConfig {
    /// About what a NIC sees over PCI Express: half a microsecond to read, posted writes, 32 Gb/s.
    fn default() -> Self {
        AxiConfig {
            read_latency_ps: 500_000,
            write_latency_ps: 250_000,
            bandwidth_bps: 32_000_000_000,
            outstanding: 16,
            stall_permille: 0,
            seed: 1,
        }
    }
}

/// What the master drives on the write channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteMaster {
    pub awaddr: u32,
    pub awlen: u8,
    pub awvalid: bool,
    pub wdata: u32,
    pub wstrb: u8,
    pub wlast: bool,
    pub wvalid: bool,
    pub bready: bool,
}

/// What memory drives on the write channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteMemory {
    pub awready: bool,
    pub wready: bool,
    pub bresp: u8,
    pub bvalid: bool,
}

/// What the master drives on the read channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadMaster {
    pub araddr: u32,
    pub arlen: u8,
    pub arvalid: bool,
    pub rready: bool,
}

/// What memory drives on the read channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadMemory {
    pub arready: bool,
    pub rdata: u32,
    pub rresp: u8,
    pub rlast: bool,
    pub rvalid: bool,
}

/// A finished burst, as an observer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst<'a> {
    /// Address of the first word.
    pub addr: u32,
    pub words: &'a [u32],
    /// Byte strobes of each word; all ones for a read.
    pub strobes: &'a [u8],
    /// The response was not OKAY.
    pub error: bool,
}

#[derive(Debug, Default)]
struct Pending {
    addr: u32,
    beats: usize,
    words: Vec<u32>,
    strobes: Vec<u8>,
    due_ps: u64,
    error: bool,
}

/// The memory model. The memory itself is passed to [`AxiMemory::clock`], since software shares it.
pub struct AxiMemory {
    /// Driven in the present cycle.
    pub write: WriteMemory,
    /// Driven in the present cycle.
    pub read: ReadMemory,
    config: AxiConfig,
    rng: ChaCha8Rng,
    /// Write bursts whose data is incomplete, and those that wait for their response.
    filling: VecDeque<Pending>,
    landing: VecDeque<Pending>,
    reading: VecDeque<Pending>,
    spare: Vec<Pending>,
    write_pace: Pace,
    read_pace: Pace,
}

impl AxiMemory {
    /// # Panics
    /// When the configuration is out of the ranges that [`AxiConfig`] gives.
    pub fn new(config: AxiConfig) -> Self {
        assert!(config.outstanding >= 1, "at least one burst is outstanding");
        assert!(config.stall_permille < 1000, "a channel that always stalls never moves");
        AxiMemory {
            write: WriteMemory::default(),
            read: ReadMemory::default(),
            config,
            rng: ChaCha8Rng::seed_from_u64(config.seed),
            filling: VecDeque::new(),
            landing: VecDeque::new(),
            reading: VecDeque::new(),
            spare: Vec::new(),
            write_pace: Pace::new(config.bandwidth_bps),
            read_pace: Pace::new(config.bandwidth_bps),
        }
    }

    /// No burst is under way.
    pub fn is_idle(&self) -> bool {
        self.filling.is_empty() && self.landing.is_empty() && self.reading.is_empty() && !self.write.bvalid
    }

    /// The clock edge that ends a cycle in which the master drove these. `now_ps` is the time of the next
    /// cycle. `wrote` and `read` are called with each burst when its response is given.
    pub fn clock(
        &mut self,
        now_ps: u64,
        write: &WriteMaster,
        read: &ReadMaster,
        memory: &mut HostMemory,
        observe: &mut dyn FnMut(Access, Burst<'_>),
    ) {
        let stalls = self.stalls();
        self.clock_write(now_ps, write, memory, stalls, &mut |burst| observe(Access::Write, burst));
        self.clock_read(now_ps, read, memory, stalls, &mut |burst| observe(Access::Read, burst));
    }

    /// Until when [`AxiMemory::clock_write`] will change nothing as long as the master drives these: zero if something is
    /// about to be transferred, and while the model stalls at random.
    pub fn write_rests_until_ps(&self, master: &WriteMaster) -> u64 {
        let transfers = (master.awvalid & self.write.awready)
            | (master.wvalid & self.write.wready)
            | (self.write.bvalid & master.bready);
        if transfers || self.config.stall_permille > 0 {
            return 0;
        }
        let response =
            self.landing.front().filter(|_| !self.write.bvalid).map_or(u64::MAX, |burst| burst.due_ps);
        match self.filling.is_empty() || self.write.wready {
            true => response,
            false => response.min(self.write_pace.next_ps),
        }
    }

    /// The same of [`AxiMemory::clock_read`].
    pub fn read_rests_until_ps(&self, master: &ReadMaster) -> u64 {
        let transfers = (master.arvalid & self.read.arready) | (self.read.rvalid & master.rready);
        if transfers || self.config.stall_permille > 0 {
            return 0;
        }
        let data = self.reading.front().filter(|_| !self.read.rvalid);
        data.map_or(u64::MAX, |burst| burst.due_ps.max(self.read_pace.next_ps))
    }

    /// The channels that stall in the next cycle, one bit each: AW, W, B, AR, R. To be drawn once a cycle.
    #[inline]
    pub fn stalls(&mut self) -> u32 {
        match self.config.stall_permille {
            0 => 0,
            chance => self.random_stalls(chance),
        }
    }

    fn random_stalls(&mut self, chance: u32) -> u32 {
        let mut bits = self.rng.next_u64();
        (0..5).fold(0, |stalls, channel| {
            let stalled = (bits & 0xFFF) * 1000 < u64::from(chance) << 12;
            bits >>= 12;
            stalls | u32::from(stalled) << channel
        })
    }

    /// [`AxiMemory::clock`] for the write channels alone.
    pub fn clock_write(
        &mut self,
        now_ps: u64,
        master: &WriteMaster,
        memory: &mut HostMemory,
        stalls: u32,
        observe: &mut dyn FnMut(Burst<'_>),
    ) {
        if master.awvalid && self.write.awready {
            let mut burst = self.spare.pop().unwrap_or_default();
            burst.start(master.awaddr, master.awlen);
            burst.error = !memory.contains(burst.addr, burst.beats * 4);
            self.filling.push_back(burst);
        }
        if master.wvalid && self.write.wready {
            let burst = self.filling.front_mut().expect("wready is high only while a burst is open");
            burst.words.push(master.wdata);
            burst.strobes.push(master.wstrb);
            self.write_pace.used(now_ps);
            if burst.words.len() == burst.beats {
                burst.due_ps = now_ps + self.config.write_latency_ps;
                self.landing.extend(self.filling.pop_front());
            }
        }
        if self.write.bvalid && master.bready {
            self.write.bvalid = false;
        }
        if !self.write.bvalid && stalls & 4 == 0 && self.landing.front().is_some_and(|b| b.due_ps <= now_ps) {
            let burst = self.landing.pop_front().expect("it was there");
            if !burst.error {
                burst.store(memory);
            }
            observe(burst.view());
            self.write.bvalid = true;
            self.write.bresp = if burst.error { SLVERR } else { OKAY };
            self.spare.push(burst);
        }
        let accepted = self.filling.len() + self.landing.len() + usize::from(self.write.bvalid);
        self.write.awready = accepted < self.config.outstanding && stalls & 1 == 0;
        self.write.wready = !self.filling.is_empty() && self.write_pace.allows(now_ps) && stalls & 2 == 0;
    }

    /// [`AxiMemory::clock`] for the read channels alone.
    pub fn clock_read(
        &mut self,
        now_ps: u64,
        master: &ReadMaster,
        memory: &HostMemory,
        stalls: u32,
        observe: &mut dyn FnMut(Burst<'_>),
    ) {
        if master.arvalid && self.read.arready {
            let mut burst = self.spare.pop().unwrap_or_default();
            burst.start(master.araddr, master.arlen);
            burst.error = !memory.contains(burst.addr, burst.beats * 4);
            burst.due_ps = now_ps + self.config.read_latency_ps;
            self.reading.push_back(burst);
        }
        if self.read.rvalid && master.rready {
            self.read.rvalid = false;
            self.read_pace.used(now_ps);
            if self.read.rlast {
                let burst = self.reading.pop_front().expect("the last word belongs to a burst");
                observe(burst.view());
                self.spare.push(burst);
            }
        }
        if !self.read.rvalid && !self.reading.is_empty() {
            let burst = self.reading.front_mut().expect("it is not empty");
            if burst.due_ps <= now_ps && stalls & 16 == 0 && self.read_pace.allows(now_ps) {
                let addr = burst.addr + 4 * burst.words.len() as u32;
                let word = if burst.error { 0 } else { memory.read_word(addr) };
                burst.words.push(word);
                burst.strobes.push(0xF);
                self.read = ReadMemory {
                    arready: false,
                    rdata: word,
                    rresp: if burst.error { SLVERR } else { OKAY },
                    rlast: burst.words.len() == burst.beats,
                    rvalid: true,
                };
            }
        }
        self.read.arready = self.reading.len() < self.config.outstanding && stalls & 8 == 0;
    }
}

/// Direction of a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

impl Pending {
    fn start(&mut self, addr: u32, len: u8) {
        self.addr = addr & !3;
        self.beats = usize::from(len) + 1;
        self.words.clear();
        self.strobes.clear();
    }

    fn store(&self, memory: &mut HostMemory) {
        let bytes = memory.slice_mut(self.addr, self.beats * 4);
        for ((bytes, word), strobe) in bytes.chunks_exact_mut(4).zip(&self.words).zip(&self.strobes) {
            let word = word.to_le_bytes();
            if *strobe == 0xF {
                bytes.copy_from_slice(&word);
                continue;
            }
            for (lane, byte) in bytes.iter_mut().enumerate() {
                if strobe >> lane & 1 == 1 {
                    *byte = word[lane];
                }
            }
        }
    }

    fn view(&self) -> Burst<'_> {
        Burst { addr: self.addr, words: &self.words, strobes: &self.strobes, error: self.error }
    }
}

/// Spaces words out to a bandwidth, exactly on average: a word late by less than its own time is made up for.
#[derive(Debug)]
struct Pace {
    word_ps: u64,
    next_ps: u64,
}

impl Pace {
    fn new(bandwidth_bps: u64) -> Self {
        Pace { word_ps: 32_000_000_000_000u64.checked_div(bandwidth_bps).unwrap_or(0), next_ps: 0 }
    }

    fn allows(&self, now_ps: u64) -> bool {
        now_ps >= self.next_ps
    }

    fn used(&mut self, now_ps: u64) {
        if self.word_ps > 0 {
            self.next_ps = (self.next_ps + self.word_ps).max(now_ps);
        }
    }
}

#[cfg(test)]
#[path = "axi_tests.rs"]
mod tests;

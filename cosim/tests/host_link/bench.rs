//! The host link with a NIC's AXI ports on one side and a PC behind a bad wire on the other.

use crate::support::Chance;
use baton_abi::link::FRAME_BYTES_MIN;
use baton_cosim::{
    axi::{ReadMaster, ReadMemory, WriteMaster, WriteMemory, OKAY, SLVERR},
    axil::{LiteManager, LiteRegisters},
    block::{Model, Port},
    hostlink::{LinkConfig, PcLink},
    monitor::{LiteMonitor, ReadMonitor, WriteMonitor},
    port::HostMemory,
};
use baton_hdl::{emit, link::HostLink};
use std::collections::{HashMap, VecDeque};

pub const MEMORY: u32 = 0x1000_0000;
/// Reads are from the first half of memory, writes go to the second: what a read finds does not depend on when.
pub const HALF: u32 = 0x8000;
const CYCLES_PER_US: u64 = 100;
const STATION: [u8; 6] = [0x02, 0xBA, 0x70, 0x0E, 0, 9];
/// Registers of the model; accesses from here on fail.
pub const REGISTERS: u16 = 0x100;

/// Chances in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub lose: u32,
    pub damage: u32,
    pub double: u32,
    /// A frame waits for up to 3000 cycles while others pass.
    pub delay: u32,
    /// Of each channel in each cycle.
    pub stall: u32,
}

struct Burst {
    addr: u32,
    words: Vec<(u32, u8)>,
    fails: bool,
}

/// What the NIC's side does and has under way.
#[derive(Default)]
struct Dma {
    write: WriteMaster,
    read: ReadMaster,
    issued: VecDeque<Burst>,
    to_send: VecDeque<(u32, u8, bool)>,
    reads: VecDeque<(u32, u32, bool)>,
    word: u32,
}

pub struct Bench {
    dut: Model,
    ports: HashMap<&'static str, Port>,
    pub chance: Chance,
    pub faults: Faults,
    pub pc: PcLink,
    pub memory: HostMemory,
    pub cycle: u64,
    to_board: VecDeque<(u64, Vec<u8>, bool)>,
    to_pc: VecDeque<(u64, Vec<u8>)>,
    sending: Option<(Vec<u8>, usize, bool)>,
    gap: u32,
    frame: Vec<u8>,
    dma: Dma,
    /// Whether new bursts are begun, and how many have ended.
    pub dma_on: bool,
    pub writes_done: u64,
    pub reads_done: u64,
    lite: LiteRegisters,
    lite_address: Option<u16>,
    lite_word: Option<u32>,
    pub registers: Vec<u32>,
    pub irq: bool,
    /// The cycle before was one of reset: nothing may be offered in this one.
    was_reset: bool,
    monitors: (WriteMonitor, ReadMonitor, LiteMonitor),
}

const PINS: &[&str] = &[
    "rx$tdata",
    "rx$tkeep",
    "rx$tlast",
    "rx$tuser",
    "rx$tvalid",
    "tx$tdata",
    "tx$tkeep",
    "tx$tlast",
    "tx$tvalid",
    "tx$tready",
    "linked",
    "nic_reset",
    "irq",
    "s_axi_awaddr",
    "s_axi_awlen",
    "s_axi_awvalid",
    "s_axi_awready",
    "s_axi_wdata",
    "s_axi_wstrb",
    "s_axi_wvalid",
    "s_axi_wready",
    "s_axi_bresp",
    "s_axi_bvalid",
    "s_axi_bready",
    "s_axi_araddr",
    "s_axi_arlen",
    "s_axi_arvalid",
    "s_axi_arready",
    "s_axi_rdata",
    "s_axi_rresp",
    "s_axi_rlast",
    "s_axi_rvalid",
    "s_axi_rready",
    "m_axil_awaddr",
    "m_axil_awvalid",
    "m_axil_awready",
    "m_axil_wdata",
    "m_axil_wstrb",
    "m_axil_wvalid",
    "m_axil_wready",
    "m_axil_bresp",
    "m_axil_bvalid",
    "m_axil_bready",
    "m_axil_araddr",
    "m_axil_arvalid",
    "m_axil_arready",
    "m_axil_rdata",
    "m_axil_rresp",
    "m_axil_rvalid",
    "m_axil_rready",
];

pub fn pc(session: u32, cycle: u64) -> PcLink {
    let config = LinkConfig { session, retry_us: 40, tries: 30, idle_us: 200, ..LinkConfig::default() };
    PcLink::new(config, cycle / CYCLES_PER_US)
}

impl Bench {
    pub fn new(seed: u64, faults: Faults) -> Self {
        println!("seed {seed}, {faults:?}");
        let mut dut =
            Model::build("host_link", &emit::verilog("host_link", HostLink::<11>::default())).unwrap();
        let ports = PINS.iter().map(|pin| (*pin, dut.port(pin).unwrap())).collect();
        let station = STATION.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        dut.reset(2);
        dut.poke("station", station);
        let mut memory = HostMemory::new(MEMORY, 2 * HALF);
        let mut chance = Chance::new(seed);
        chance.fill(memory.slice_mut(MEMORY, 2 * HALF as usize));
        Bench {
            dut,
            ports,
            chance,
            faults,
            pc: pc(0x1000 + seed as u32, 0),
            memory,
            cycle: 0,
            to_board: VecDeque::new(),
            to_pc: VecDeque::new(),
            sending: None,
            gap: 0,
            frame: Vec::new(),
            dma: Dma::default(),
            dma_on: false,
            writes_done: 0,
            reads_done: 0,
            lite: LiteRegisters::default(),
            lite_address: None,
            lite_word: None,
            registers: vec![0; usize::from(REGISTERS) / 4],
            irq: false,
            was_reset: true,
            monitors: Default::default(),
        }
    }

    fn set(&mut self, pin: &'static str, value: u64) {
        self.dut.set(self.ports[pin], value);
    }

    fn get(&self, pin: &'static str) -> u32 {
        self.dut.get(self.ports[pin]) as u32
    }

    fn high(&self, pin: &'static str) -> bool {
        self.dut.is_high(self.ports[pin])
    }

    fn stalls(&mut self) -> bool {
        self.chance.permille(self.faults.stall)
    }

    /// Puts a frame on the wire to the board as it is.
    pub fn inject(&mut self, frame: Vec<u8>) {
        self.to_board.push_back((self.cycle, frame, false));
    }

    /// The fate of a frame: when it arrives, if at all, and whether it is damaged.
    fn fate(&mut self) -> Vec<(u64, bool)> {
        let f = self.faults;
        if self.chance.permille(f.lose) {
            return Vec::new();
        }
        let copies = 1 + u64::from(self.chance.permille(f.double));
        (0..copies)
            .map(|_| {
                let late = self.chance.permille(f.delay);
                let delay = if late { u64::from(self.chance.below(3000)) } else { 60 };
                (self.cycle + delay, self.chance.permille(f.damage))
            })
            .collect()
    }

    fn wire(&mut self) {
        let now_us = self.cycle / CYCLES_PER_US;
        while let Some(frame) = self.pc.frame_out(now_us) {
            for (due, damaged) in self.fate() {
                self.to_board.push_back((due, frame.clone(), damaged));
            }
        }
        while let Some(at) = self.to_pc.iter().position(|(due, _)| *due <= self.cycle) {
            let (_, frame) = self.to_pc.remove(at).unwrap();
            self.pc.frame_in(now_us, &frame, &mut self.memory);
        }
        if self.sending.is_none() && self.gap == 0 {
            if let Some(at) = self.to_board.iter().position(|(due, _, _)| *due <= self.cycle) {
                let (_, frame, damaged) = self.to_board.remove(at).unwrap();
                self.sending = Some((frame, 0, damaged));
                self.gap = 5;
            }
        }
    }

    fn drive_stream(&mut self) {
        let pause = self.stalls();
        self.set("rx$tvalid", 0);
        if let Some((frame, at, damaged)) = self.sending.take() {
            if pause {
                self.sending = Some((frame, at, damaged));
            } else {
                let rest = &frame[at..];
                let bytes = rest.len().min(4);
                let mut word = [0; 4];
                word[..bytes].copy_from_slice(&rest[..bytes]);
                let last = rest.len() <= 4;
                self.set("rx$tvalid", 1);
                self.set("rx$tdata", u32::from_le_bytes(word).into());
                self.set("rx$tkeep", (1 << bytes) - 1);
                self.set("rx$tlast", last.into());
                self.set("rx$tuser", (last && damaged).into());
                self.sending = (!last).then_some((frame, at + 4, damaged));
            }
        } else {
            self.gap = self.gap.saturating_sub(1);
        }
        let ready = !self.stalls();
        self.set("tx$tready", ready.into());
    }

    fn new_bursts(&mut self) {
        let stall = self.stalls();
        if !self.dma_on || stall || self.was_reset {
            return;
        }
        if !self.dma.write.awvalid && self.dma.to_send.len() < 80 && self.chance.permille(150) {
            let words = if self.chance.permille(300) { 64 } else { 1 + self.chance.below(64) };
            let outside = self.chance.permille(30);
            let sparse = words > 2 && self.chance.permille(30);
            let line = self.chance.below(HALF / 256) * 256 + 4 * self.chance.below(65 - words);
            let addr = if outside { MEMORY + 2 * HALF + line } else { MEMORY + HALF + line };
            // A burst that waits for its response keeps its place to itself.
            if self.dma.issued.iter().any(|other| other.addr / 256 == addr / 256) {
                return;
            }
            let mut burst = Burst { addr, words: Vec::new(), fails: outside || sparse };
            for index in 0..words {
                let ends = index == 0 || index + 1 == words;
                let strobe = match (ends, sparse && index == 1) {
                    (true, _) => self.chance.below(16) as u8,
                    (_, true) => 5,
                    _ => 15,
                };
                burst.words.push((self.chance.below(u32::MAX), strobe));
            }
            let count = burst.words.len();
            let beats = burst.words.iter().enumerate();
            self.dma.to_send.extend(beats.map(|(i, (word, strobe))| (*word, *strobe, i + 1 == count)));
            let write = &mut self.dma.write;
            (write.awvalid, write.awaddr, write.awlen) = (true, addr, (words - 1) as u8);
            self.dma.issued.push_back(burst);
        }
        if !self.dma.read.arvalid && self.chance.permille(150) {
            let words = 1 + self.chance.below(64);
            let outside = self.chance.permille(30);
            let base = if outside { MEMORY - HALF } else { MEMORY };
            let addr = base + self.chance.below(HALF / 256) * 256 + 4 * self.chance.below(65 - words);
            let read = &mut self.dma.read;
            (read.arvalid, read.araddr, read.arlen) = (true, addr, (words - 1) as u8);
            self.dma.reads.push_back((addr, words, outside));
        }
    }

    fn drive_axi(&mut self) {
        self.new_bursts();
        if !self.dma.write.wvalid && !self.stalls() {
            if let Some((word, strobe, last)) = self.dma.to_send.pop_front() {
                let write = &mut self.dma.write;
                (write.wvalid, write.wdata, write.wstrb, write.wlast) = (true, word, strobe, last);
            }
        }
        self.dma.write.bready = !self.stalls();
        self.dma.read.rready = !self.stalls();
        let (w, r) = (self.dma.write, self.dma.read);
        for (pin, value) in [
            ("s_axi_awaddr", w.awaddr),
            ("s_axi_awlen", w.awlen.into()),
            ("s_axi_awvalid", w.awvalid.into()),
            ("s_axi_wdata", w.wdata),
            ("s_axi_wstrb", w.wstrb.into()),
            ("s_axi_wvalid", w.wvalid.into()),
            ("s_axi_bready", w.bready.into()),
            ("s_axi_araddr", r.araddr),
            ("s_axi_arlen", r.arlen.into()),
            ("s_axi_arvalid", r.arvalid.into()),
            ("s_axi_rready", r.rready.into()),
            ("irq", self.irq.into()),
        ] {
            self.set(pin, value.into());
        }
    }

    fn drive_lite(&mut self) {
        let l = self.lite;
        for (pin, value) in [
            ("m_axil_awready", l.awready.into()),
            ("m_axil_wready", l.wready.into()),
            ("m_axil_bresp", l.bresp.into()),
            ("m_axil_bvalid", l.bvalid.into()),
            ("m_axil_arready", l.arready.into()),
            ("m_axil_rdata", l.rdata),
            ("m_axil_rresp", l.rresp.into()),
            ("m_axil_rvalid", u32::from(l.rvalid)),
        ] {
            self.set(pin, value.into());
        }
    }

    /// One core clock cycle.
    pub fn step(&mut self) {
        self.wire();
        self.drive_stream();
        self.drive_axi();
        self.drive_lite();
        self.dut.eval();
        let reset = self.high("nic_reset");
        self.was_reset = reset;
        self.check(reset);
        if reset {
            self.nic_was_reset();
        } else {
            self.clock_write();
            self.clock_read();
            self.clock_lite();
        }
        self.clock_stream();
        self.dut.cycle();
        self.cycle += 1;
    }

    /// The NIC's side forgets everything, as the NIC does.
    fn nic_was_reset(&mut self) {
        self.dma = Dma::default();
        self.lite = LiteRegisters::default();
        (self.lite_address, self.lite_word) = (None, None);
    }

    fn memory_pins(&self) -> (WriteMemory, ReadMemory) {
        let write = WriteMemory {
            awready: self.high("s_axi_awready"),
            wready: self.high("s_axi_wready"),
            bresp: self.get("s_axi_bresp") as u8,
            bvalid: self.high("s_axi_bvalid"),
        };
        let read = ReadMemory {
            arready: self.high("s_axi_arready"),
            rdata: self.get("s_axi_rdata"),
            rresp: self.get("s_axi_rresp") as u8,
            rlast: self.high("s_axi_rlast"),
            rvalid: self.high("s_axi_rvalid"),
        };
        (write, read)
    }

    fn lite_pins(&self) -> LiteManager {
        LiteManager {
            awaddr: self.get("m_axil_awaddr") as u16,
            awvalid: self.high("m_axil_awvalid"),
            wdata: self.get("m_axil_wdata"),
            wstrb: self.get("m_axil_wstrb") as u8,
            wvalid: self.high("m_axil_wvalid"),
            bready: self.high("m_axil_bready"),
            araddr: self.get("m_axil_araddr") as u16,
            arvalid: self.high("m_axil_arvalid"),
            rready: self.high("m_axil_rready"),
        }
    }

    fn check(&mut self, reset: bool) {
        let (write, read) = self.memory_pins();
        let lite = self.lite_pins();
        let results = [
            self.monitors.0.check(reset, &self.dma.write, &write),
            self.monitors.1.check(reset, &self.dma.read, &read),
            self.monitors.2.check(reset, &lite, &self.lite),
        ];
        if let Some(rule) = results.into_iter().find_map(Result::err) {
            panic!("cycle {}: {rule}\n{write:x?}\n{read:x?}\n{lite:x?}\n{:x?}", self.cycle, self.lite);
        }
    }

    fn clock_write(&mut self) {
        let (memory, _) = self.memory_pins();
        let write = &mut self.dma.write;
        write.awvalid &= !memory.awready;
        write.wvalid &= !memory.wready;
        if memory.bvalid && write.bready {
            let burst = self.dma.issued.pop_front().expect("a response to a burst");
            assert_eq!(memory.bresp, if burst.fails { SLVERR } else { OKAY }, "burst at {:#x}", burst.addr);
            self.writes_done += 1;
            if burst.fails {
                return;
            }
            // With the response, the data is in memory.
            for (index, (word, strobe)) in burst.words.iter().enumerate() {
                let addr = burst.addr + 4 * index as u32;
                let mask =
                    (0..4).fold(0, |mask, lane| mask | (u32::from(strobe >> lane & 1) * 0xFF) << (8 * lane));
                assert_eq!(
                    self.memory.read_word(addr) & mask,
                    word & mask,
                    "word {index} at {:#x}",
                    burst.addr
                );
            }
        }
    }

    fn clock_read(&mut self) {
        let (_, memory) = self.memory_pins();
        self.dma.read.arvalid &= !memory.arready;
        if memory.rvalid && self.dma.read.rready {
            let (addr, words, fails) = *self.dma.reads.front().expect("words of a burst");
            let want = match fails {
                true => (0, SLVERR),
                false => (self.memory.read_word(addr + 4 * self.dma.word), OKAY),
            };
            assert_eq!((memory.rdata, memory.rresp), want, "word {} of {words} at {addr:#x}", self.dma.word);
            self.dma.word += 1;
            assert_eq!(memory.rlast, self.dma.word == words);
            if memory.rlast {
                self.dma.word = 0;
                self.dma.reads.pop_front();
                self.reads_done += 1;
            }
        }
    }

    fn clock_lite(&mut self) {
        let m = self.lite_pins();
        if m.awvalid && self.lite.awready {
            self.lite_address = Some(m.awaddr);
        }
        if m.wvalid && self.lite.wready {
            assert_eq!(m.wstrb, 15);
            self.lite_word = Some(m.wdata);
        }
        self.lite.bvalid &= !m.bready;
        self.lite.rvalid &= !m.rready;
        if let (Some(address), Some(word)) = (self.lite_address, self.lite_word) {
            if !self.stalls() {
                self.lite.bvalid = true;
                self.lite.bresp = if address < REGISTERS { 0 } else { 2 };
                if address < REGISTERS {
                    self.registers[usize::from(address / 4)] = word;
                }
                (self.lite_address, self.lite_word) = (None, None);
            }
        }
        if m.arvalid && self.lite.arready {
            let value = self.registers.get(usize::from(m.araddr / 4)).copied();
            self.lite.rvalid = true;
            (self.lite.rdata, self.lite.rresp) = (value.unwrap_or(0), if value.is_some() { 0 } else { 2 });
        }
        self.lite.awready = self.lite_address.is_none() && !self.stalls();
        self.lite.wready = self.lite_word.is_none() && !self.stalls();
        self.lite.arready = !self.lite.rvalid && !self.stalls();
    }

    fn clock_stream(&mut self) {
        if !self.high("tx$tvalid") || !self.high("tx$tready") {
            return;
        }
        let word = self.get("tx$tdata");
        assert_eq!(self.get("tx$tkeep"), 15);
        self.frame.extend(word.to_le_bytes());
        if self.high("tx$tlast") {
            let mut frame = std::mem::take(&mut self.frame);
            frame.resize(frame.len().max(FRAME_BYTES_MIN), 0);
            for (due, damaged) in self.fate() {
                if !damaged {
                    self.to_pc.push_back((due, frame.clone()));
                }
            }
        }
    }

    /// A reset of the whole board, and of the NIC with it.
    pub fn reset_board(&mut self) {
        self.nic_was_reset();
        self.frame.clear();
        self.sending = None;
        self.drive_axi();
        self.drive_lite();
        for pin in ["rx$tvalid", "tx$tready", "s_axi_bready", "s_axi_rready"] {
            self.set(pin, 0);
        }
        self.dma = Dma::default();
        self.was_reset = true;
        for _ in 0..2 {
            self.dut.reset(1);
            self.dut.eval();
            self.check(true);
        }
    }

    /// Steps until `done`, at most so many cycles.
    #[track_caller]
    pub fn until(&mut self, most: u64, what: &str, done: impl Fn(&Bench) -> bool) {
        let end = self.cycle + most;
        while !done(self) {
            assert!(
                self.cycle < end,
                "not within {most} cycles: {what}; {:?} {:?}",
                self.pc.state(),
                self.pc.stats()
            );
            self.step();
        }
    }

    pub fn dma_is_quiet(&self) -> bool {
        self.dma.issued.is_empty() && self.dma.reads.is_empty()
    }

    pub fn is_linked(&self) -> bool {
        self.high("linked")
    }
}

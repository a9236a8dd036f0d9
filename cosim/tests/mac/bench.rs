//! The MAC with clocks, a line at each side, and the core's streams.

use baton_cosim::{
    block::{Model, Port},
    clocks::{ClockId, Clocks},
    gmii::{LineFrame, Receiver, Sender, Symbol},
};
use baton_hdl::{
    emit,
    mac::{Mac, MacConfig},
};
use std::collections::VecDeque;

pub use crate::support::Chance;

/// Line rates, by the value of their speed field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    Mb10 = 0,
    Mb100 = 1,
    Mb1000 = 2,
}

impl Speed {
    /// Period of the PHY's receive clock.
    pub fn rx_period_ps(self) -> u64 {
        [400_000, 40_000, 8_000][self as usize]
    }

    pub fn nibbles(self) -> bool {
        self != Speed::Mb1000
    }
}

/// A frame that reached the core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoreFrame {
    pub bytes: Vec<u8>,
    /// `tuser` with its last word.
    pub bad: bool,
    /// When its first and its last word were transferred.
    pub first_ps: u64,
    pub last_ps: u64,
}

pub struct Options {
    pub config: MacConfig,
    pub speed: Speed,
    pub core_ps: u64,
    pub rx_ps: u64,
    pub tx_ps: u64,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            config: MacConfig::default(),
            speed: Speed::Mb1000,
            core_ps: 8_000,
            rx_ps: 8_000,
            tx_ps: 8_000,
            seed: 1,
        }
    }
}

struct Ports {
    rx_dv: Port,
    rx_er: Port,
    rxd: Port,
    tx_en: Port,
    tx_er: Port,
    txd: Port,
    line_clock: Port,
    out: [Port; 5],
    out_ready: Port,
    into: [Port; 4],
    into_ready: Port,
    bus: [Port; 6],
}

pub struct Bench {
    pub dut: Model,
    pub clocks: Clocks,
    pub core: ClockId,
    pub rx_clock: ClockId,
    pub tx_clock: ClockId,
    ports: Ports,
    pub chance: Chance,
    pub seed: u64,
    /// The line towards the MAC.
    pub sender: Sender,
    /// What the MAC sends goes back to it.
    pub loopback: bool,
    receiver: Receiver,
    line_before: u64,
    /// Frames that the MAC sent.
    pub sent: Vec<LineFrame>,
    /// When the carrier of the last one rose.
    pub carrier_ps: u64,
    carrier: bool,
    /// Frames that reached the core.
    pub received: Vec<CoreFrame>,
    current: CoreFrame,
    /// Frames that the core sends, and how far it is in the first.
    pub to_send: VecDeque<Vec<u8>>,
    offset: usize,
    /// When the first word of the last frame was transferred.
    pub first_word_ps: u64,
    offered: bool,
    /// In a thousand cycles: how often the core takes a word, and offers the next word of a frame.
    pub ready: u32,
    pub offer: u32,
    held: Option<[u64; 4]>,
    core_in_reset: bool,
}

impl Bench {
    pub fn new(options: &Options) -> Bench {
        let text = emit::verilog("mac", Mac::new(&options.config));
        let dut = Model::build("mac", &text).unwrap();
        let mut clocks = Clocks::default();
        let core = clocks.add(&dut, "cr$clock", options.core_ps, 0).unwrap();
        let rx_ps = if options.speed == Speed::Mb1000 { options.rx_ps } else { options.speed.rx_period_ps() };
        let rx_clock = clocks.add(&dut, "rx_cr$clock", rx_ps, 1_234).unwrap();
        let tx_clock = clocks.add(&dut, "tx_cr$clock", options.tx_ps, 3_210).unwrap();
        let port = |name: &str| dut.port(name).unwrap();
        let ports = Ports {
            rx_dv: port("gmii_rx_dv"),
            rx_er: port("gmii_rx_er"),
            rxd: port("gmii_rxd"),
            tx_en: port("gmii_tx_en"),
            tx_er: port("gmii_tx_er"),
            txd: port("gmii_txd"),
            line_clock: port("gmii_line_clock"),
            out: ["rx$tvalid", "rx$tdata", "rx$tkeep", "rx$tlast", "rx$tuser"].map(port),
            out_ready: port("rx$tready"),
            into: ["tx$tvalid", "tx$tdata", "tx$tkeep", "tx$tlast"].map(port),
            into_ready: port("tx$tready"),
            bus: ["write", "write_addr", "write_data", "read_addr", "read_data", "read_hit"]
                .map(|name| port(&format!("bus${name}"))),
        };
        let nibbles = options.speed.nibbles();
        let mut bench = Bench {
            dut,
            clocks,
            core,
            rx_clock,
            tx_clock,
            ports,
            chance: Chance::new(options.seed),
            seed: options.seed,
            sender: Sender::new(nibbles),
            loopback: false,
            receiver: Receiver::new(nibbles),
            line_before: 0,
            sent: Vec::new(),
            carrier_ps: 0,
            carrier: false,
            received: Vec::new(),
            current: CoreFrame::default(),
            to_send: VecDeque::new(),
            offset: 0,
            first_word_ps: 0,
            offered: false,
            ready: 1000,
            offer: 1000,
            held: None,
            core_in_reset: false,
        };
        for reset in ["cr$reset", "rx_cr$reset", "tx_cr$reset"] {
            bench.dut.poke(reset, 1);
        }
        bench.run_ns(20 * options.speed.rx_period_ps() / 1000);
        for reset in ["cr$reset", "rx_cr$reset", "tx_cr$reset"] {
            bench.dut.poke(reset, 0);
        }
        bench.write(0x1000, 0x47 | (options.speed as u32) << 4);
        bench.run_ns(40 * options.speed.rx_period_ps() / 1000);
        assert!(bench.sent.is_empty() && bench.received.is_empty());
        bench
    }

    pub fn now_ps(&self) -> u64 {
        self.clocks.now_ps()
    }

    pub fn run_ns(&mut self, ns: u64) {
        let end = self.now_ps() + ns * 1000;
        while self.now_ps() < end {
            self.step();
        }
    }

    /// Runs until `done`, at most so long.
    #[track_caller]
    pub fn run_until(&mut self, limit_ns: u64, done: impl Fn(&Bench) -> bool) {
        let end = self.now_ps() + limit_ns * 1000;
        while !done(self) {
            assert!(
                self.now_ps() < end,
                "seed {}: not done after {limit_ns} ns; {} received, {} sent, {} to send",
                self.seed,
                self.received.len(),
                self.sent.len(),
                self.to_send.len()
            );
            self.step();
        }
    }

    /// To the next edge of any clock, and through it.
    pub fn step(&mut self) {
        let rising = self.clocks.before_edge(&mut self.dut);
        let now = self.clocks.now_ps();
        let p = &self.ports;
        let mut symbol = None;
        if rising.has(self.tx_clock) {
            let line = self.dut.get(p.line_clock);
            // The line's clock rises with this cycle.
            if line & 1 == 1 && self.line_before & 2 == 0 {
                symbol = Some(Symbol {
                    valid: self.dut.is_high(p.tx_en),
                    error: self.dut.is_high(p.tx_er),
                    data: self.dut.get(p.txd) as u8,
                });
            }
            self.line_before = line;
        }
        let mut taken = false;
        if rising.has(self.core) && !self.core_in_reset {
            taken = self.offered && self.dut.is_high(p.into_ready);
            self.take_word(now);
        }
        self.clocks.edge(&mut self.dut);
        if let Some(symbol) = symbol {
            if symbol.valid && !self.carrier {
                self.carrier_ps = now;
            }
            self.carrier = symbol.valid;
            self.sent.extend(self.receiver.cycle(symbol));
            if self.loopback {
                self.sender.symbol(symbol);
            }
        }
        if rising.has(self.rx_clock) {
            let symbol = self.sender.cycle();
            self.dut.set(self.ports.rx_dv, symbol.valid.into());
            self.dut.set(self.ports.rx_er, symbol.error.into());
            self.dut.set(self.ports.rxd, symbol.data.into());
        }
        if rising.has(self.core) {
            if taken {
                self.word_taken(now);
            }
            self.offer_word();
            let ready = self.chance.permille(self.ready);
            self.dut.set(self.ports.out_ready, ready.into());
        }
    }

    /// The receive stream, before a core edge; its rules are checked on the way.
    fn take_word(&mut self, now: u64) {
        let [valid, data, keep, last, user] = self.ports.out.map(|port| self.dut.get(port));
        if let Some(held) = self.held {
            assert_eq!((valid, held), (1, [data, keep, last, user]), "a word changed before tready");
        }
        let transfer = valid == 1 && self.dut.is_high(self.ports.out_ready);
        self.held = (valid == 1 && !transfer).then_some([data, keep, last, user]);
        if !transfer {
            return;
        }
        let bytes = match (last, keep) {
            (_, 15) => 4,
            (1, 1) => 1,
            (1, 3) => 2,
            (1, 7) => 3,
            _ => panic!("tkeep {keep:#b} with tlast {last}"),
        };
        if self.current.bytes.is_empty() {
            self.current.first_ps = now;
        }
        self.current.bytes.extend(&(data as u32).to_le_bytes()[..bytes]);
        if last == 1 {
            let mut frame = std::mem::take(&mut self.current);
            frame.bad = user == 1;
            frame.last_ps = now;
            self.received.push(frame);
        }
    }

    fn word_taken(&mut self, now: u64) {
        if self.offset == 0 {
            self.first_word_ps = now;
        }
        self.offset += 4;
        self.offered = false;
        if self.offset >= self.to_send[0].len() {
            self.to_send.pop_front();
            self.offset = 0;
        }
    }

    fn offer_word(&mut self) {
        let offer = self.offer;
        if !self.offered && !self.to_send.is_empty() && self.chance.permille(offer) {
            let frame = &self.to_send[0];
            let bytes = &frame[self.offset..frame.len().min(self.offset + 4)];
            // Bytes that `tkeep` leaves out are anything.
            let mut word = [0xEE; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            let last = self.offset + 4 >= frame.len();
            let values = [1, u32::from_le_bytes(word).into(), (1 << bytes.len()) - 1, last.into()];
            for (port, value) in self.ports.into.into_iter().zip(values) {
                self.dut.set(port, value);
            }
            self.offered = true;
        } else if !self.offered {
            self.dut.set(self.ports.into[0], 0);
        }
    }

    /// Resets a domain by its port for so long. The core then forgets the frame that it was sending and the
    /// one that it was receiving, and takes part in no transfer meanwhile.
    pub fn reset(&mut self, port: &str, ns: u64) {
        self.core_in_reset = port == "cr$reset";
        self.dut.poke(port, 1);
        self.run_ns(ns);
        self.dut.poke(port, 0);
        if std::mem::take(&mut self.core_in_reset) {
            self.offset = 0;
            self.offered = false;
            self.current = CoreFrame::default();
            self.held = None;
            self.dut.set(self.ports.into[0], 0);
        }
    }

    /// One core cycle of the register bus.
    pub fn write(&mut self, address: u32, value: u32) {
        let [write, addr, data, ..] = self.ports.bus;
        self.dut.set(write, 1);
        self.dut.set(addr, address.into());
        self.dut.set(data, value.into());
        self.core_cycle();
        self.dut.set(write, 0);
    }

    pub fn read(&mut self, address: u32) -> u32 {
        let [.., read_addr, read_data, hit] = self.ports.bus;
        self.dut.set(read_addr, address.into());
        self.dut.eval();
        assert!(self.dut.is_high(hit), "no register at {address:#x}");
        self.dut.get(read_data) as u32
    }

    fn core_cycle(&mut self) {
        while {
            let passed = self.clocks.rising().has(self.core);
            self.step();
            !passed
        } {}
    }

    /// A frame of random bytes; the destination is an individual address of some other station.
    pub fn random_frame(&mut self, length: usize) -> Vec<u8> {
        let mut frame = vec![0; length];
        self.chance.fill(&mut frame);
        // Neither multicast nor MAC control.
        if let Some(first) = frame.first_mut() {
            *first &= 0xFE;
        }
        if length > 13 {
            frame[12] = 0x08;
            frame[13] = 0x00;
        }
        frame
    }

    /// The counters, by address.
    pub fn counts(&mut self) -> Vec<(u32, u32)> {
        (0x1040..0x1080)
            .step_by(4)
            .map(|address| (address, self.read(address)))
            .filter(|c| c.1 != 0)
            .collect()
    }
}

//! The connection counters against a log of every event, with readers that read and clear at any time.

use baton_abi::regs;
use baton_cosim::block::{Model, Port};
use baton_hdl::{emit, regs::counters::ConnCounters};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::collections::VecDeque;

/// 16 connections.
const LOG2: usize = 4;
/// Cycles between two events of one direction, and the longest reading, as the module's header has them.
const EVENT_GAP: u32 = 12;
const READING_MAX: u32 = 24;

/// The payload lengths of a direction's events, those that were cleared left out.
type Log = VecDeque<u32>;

struct Bench {
    dut: Model,
    rng: ChaCha8Rng,
    /// Of each connection, received and sent.
    logs: Vec<[Log; 2]>,
    /// Cycles until the next event of each direction may come.
    wait: [u32; 2],
    event: [[Port; 3]; 2],
    core_start: Port,
    core_busy: Port,
    bus_write: Port,
    /// Connection, whether it is cleared, and cycles so far.
    core: Option<(usize, bool, u32)>,
    host: Option<(usize, u32)>,
    readings: [u32; 2],
    /// Longest reading so far.
    longest: u32,
}

impl Bench {
    fn new(seed: u64) -> Bench {
        let text = emit::verilog("counters", ConnCounters::<LOG2, { LOG2 + 1 }>::default());
        let dut = Model::build("counters", &text).unwrap();
        let port = |name: &str| dut.port(name).unwrap();
        let event = ["rx", "tx"].map(|side| ["valid", "conn", "bytes"].map(|n| port(&format!("{side}_{n}"))));
        let (core_start, core_busy, bus_write) = (port("core_start"), port("core_busy"), port("bus$write"));
        let mut bench = Bench {
            dut,
            rng: ChaCha8Rng::seed_from_u64(seed),
            logs: vec![],
            wait: [0; 2],
            event,
            core_start,
            core_busy,
            bus_write,
            core: None,
            host: None,
            readings: [0; 2],
            longest: 0,
        };
        bench.reset();
        bench
    }

    /// A reset, and the time in which the counters are cleared.
    fn reset(&mut self) {
        for port in [self.event[0][0], self.event[1][0], self.core_start, self.bus_write] {
            self.dut.set(port, 0);
        }
        self.dut.reset(1);
        for _ in 0..2 << LOG2 {
            self.dut.cycle();
        }
        self.logs = vec![Default::default(); 1 << LOG2];
        (self.core, self.host) = (None, None);
    }

    fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.rng.next_u32()) * u64::from(n)) >> 32) as u32
    }

    fn word(&mut self, address: u32) -> u32 {
        self.dut.poke("bus$read_addr", address.into());
        self.dut.eval();
        assert_eq!(self.dut.peek("bus$read_hit"), 1);
        self.dut.peek("bus$read_data") as u32
    }

    /// What a reading says, against the log; `exact` when no event is under way. Returns the packets of each direction.
    fn check(&self, conn: usize, words: [u32; 4], exact: bool) -> [usize; 2] {
        let mut packets = [0; 2];
        for (side, log) in self.logs[conn].iter().enumerate() {
            let (count, bytes) = (words[2 * side] as usize, words[2 * side + 1]);
            // Events of the last cycles, and of those since the word was read, may be missing.
            let least = log.len().saturating_sub(if exact { 0 } else { 4 });
            assert!((least..=log.len()).contains(&count), "{count} packets of {conn}, {} came", log.len());
            let sum = log.iter().take(count).fold(0u32, |sum, amount| sum.wrapping_add(*amount));
            assert_eq!(bytes, sum, "bytes of {count} packets of {conn}");
            packets[side] = count;
        }
        packets
    }

    fn core_words(&self) -> [u32; 4] {
        ["core_rx_packets", "core_rx_bytes", "core_tx_packets", "core_tx_bytes"]
            .map(|n| self.dut.peek(n) as u32)
    }

    fn host_words(&mut self) -> [u32; 4] {
        [regs::COUNTER_RX_PACKETS, regs::COUNTER_RX_BYTES, regs::COUNTER_TX_PACKETS, regs::COUNTER_TX_BYTES]
            .map(|address| self.word(address))
    }

    /// One cycle with perhaps an event in each direction (chance in 256 once one may come) and readers that start
    /// again as soon as they have ended (chance in 256).
    fn step(&mut self, events: u32, readers: u32) {
        for side in 0..2 {
            let now = self.wait[side] == 0 && self.below(256) < events;
            self.wait[side] = if now { EVENT_GAP - 1 } else { self.wait[side].saturating_sub(1) };
            let [valid, conn_port, bytes_port] = self.event[side];
            self.dut.set(valid, now.into());
            if now {
                // Few connections, so that both directions and the readers meet; bits above the table are noise.
                let (conn, bytes) = (self.below(3), self.below(1 << 16));
                let noise = self.below(1 << 12) << LOG2;
                self.dut.set(conn_port, (conn | noise).into());
                self.dut.set(bytes_port, bytes.into());
                self.logs[conn as usize][side].push_back(bytes);
            }
        }
        // A reader leaves alone what the other one is about to clear.
        let conn = self.below(4) as usize;
        let taken = self.core.map(|(conn, ..)| conn).or(self.host.map(|(conn, _)| conn));
        if self.core.is_none() && taken != Some(conn) && self.below(256) < readers {
            let clear = self.below(3) == 0;
            self.dut.set(self.core_start, 1);
            self.dut.poke("core_conn", conn as u64 | 0x50);
            self.dut.poke("core_clear", clear.into());
            self.core = Some((conn, clear, 0));
        } else if self.host.is_none() && taken != Some(conn) && self.below(256) < readers {
            self.dut.set(self.bus_write, 1);
            self.dut.poke("bus$write_addr", regs::COUNTER_SELECT.into());
            self.dut.poke("bus$write_data", conn as u64 | 0xab_cd60);
            self.host = Some((conn, 0));
        }
        self.dut.cycle();
        self.dut.set(self.core_start, 0);
        self.dut.set(self.bus_write, 0);
        self.dut.eval();
        if let Some((conn, clear, cycles)) = self.core.as_mut() {
            *cycles += 1;
            self.longest = self.longest.max(*cycles);
            if !self.dut.is_high(self.core_busy) {
                let (conn, clear) = (*conn, *clear);
                let packets = self.check(conn, self.core_words(), false);
                if clear {
                    for (log, count) in self.logs[conn].iter_mut().zip(packets) {
                        log.drain(..count);
                    }
                }
                self.core = None;
                self.readings[0] += 1;
            }
        }
        if let Some((conn, cycles)) = self.host {
            self.host = Some((conn, cycles + 1));
            self.longest = self.longest.max(cycles + 1);
            if self.word(regs::COUNTER_STATUS) == 0 {
                let words = self.host_words();
                self.check(conn, words, false);
                assert_eq!(self.word(regs::COUNTER_SELECT), (conn as u32 | 0xab_cd60) & 0xffff);
                self.host = None;
                self.readings[1] += 1;
            }
        }
    }

    /// Lets everything end, and reads all counters by both ways.
    fn settle(&mut self) {
        for _ in 0..100 {
            self.step(0, 0);
        }
        for conn in 0..1 << LOG2 {
            self.dut.set(self.core_start, 1);
            self.dut.poke("core_conn", conn as u64);
            self.dut.poke("core_clear", 0);
            self.dut.set(self.bus_write, 1);
            self.dut.poke("bus$write_addr", regs::COUNTER_SELECT.into());
            self.dut.poke("bus$write_data", conn as u64);
            for _ in 0..READING_MAX {
                self.dut.cycle();
                self.dut.set(self.core_start, 0);
                self.dut.set(self.bus_write, 0);
            }
            self.check(conn, self.core_words(), true);
            let words = self.host_words();
            self.check(conn, words, true);
        }
    }
}

#[test]
fn nothing_is_lost_or_counted_twice() {
    for (seed, events, readers) in [(1, 256, 256), (2, 256, 20), (3, 40, 256), (4, 20, 20)] {
        let mut bench = Bench::new(seed);
        for _ in 0..30_000 {
            bench.step(events, readers);
        }
        bench.settle();
        assert!(bench.readings.iter().all(|n| *n > 400), "seed {seed}: {:?} readings", bench.readings);
        assert!(bench.longest <= READING_MAX, "seed {seed}: a reading took {} cycles", bench.longest);
    }
}

#[test]
fn a_reset_at_any_time_clears_every_counter() {
    let mut bench = Bench::new(5);
    for _ in 0..30 {
        for _ in 0..bench.below(400) {
            bench.step(128, 64);
        }
        bench.reset();
        for _ in 0..bench.below(100) {
            bench.step(128, 64);
        }
        bench.settle();
    }
}

#[test]
fn bytes_wrap() {
    let mut bench = Bench::new(6);
    let [valid, conn, bytes] = bench.event[1];
    bench.dut.set(conn, 3);
    bench.dut.set(bytes, 0xffff);
    for _ in 0..66_000 {
        bench.dut.set(valid, 1);
        bench.dut.cycle();
        bench.dut.set(valid, 0);
        for _ in 1..EVENT_GAP {
            bench.dut.cycle();
        }
    }
    bench.logs[3][1] = std::iter::repeat_n(0xffff, 66_000).collect();
    bench.settle();
}

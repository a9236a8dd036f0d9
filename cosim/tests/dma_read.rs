//! The read side of the DMA engine: bursts, rings, refusals and failures.

mod support;

use baton_abi::regs;
use baton_cosim::{
    axi::AxiConfig,
    block::{Model, Port},
    port::HostMemory,
};
use baton_hdl::{dma::ReadSide, emit};
use std::collections::VecDeque;
use support::{timing, Chance, ReadPins};

const MEMORY: u32 = 0x1000_0000;
const MEMORY_BYTES: u32 = 0x4_0000;
/// One past the registered range, which reaches beyond memory.
const RANGE_LIMIT: u32 = MEMORY + MEMORY_BYTES + 0x8000;

struct Bench {
    dut: Model,
    pins: ReadPins,
    chance: Chance,
    cycle: u64,
    errors: u32,
    /// Payload requests to make, and those that wait for their words.
    requests: VecDeque<(u32, u32)>,
    answers: VecDeque<(u32, u32)>,
    got: Vec<(u32, bool)>,
    answered: usize,
    request: [Port; 4],
    data: [Port; 4],
    error: Port,
    rx: [Port; 4],
    cmd: [Port; 3],
    buffers: Vec<(u32, u32)>,
    commands: Vec<u32>,
    /// Chance in a thousand that a consumer takes what it is offered.
    take_permille: u32,
}

impl Bench {
    fn new(config: AxiConfig, take_permille: u32, seed: u64) -> Self {
        println!("seed {seed}");
        let mut dut = Model::build("read_side", &emit::verilog("read_side", ReadSide::default())).unwrap();
        let mut memory = HostMemory::new(MEMORY, MEMORY_BYTES);
        let mut chance = Chance::new(seed);
        chance.fill(memory.slice_mut(MEMORY, MEMORY_BYTES as usize));
        dut.reset(2);
        dut.poke("ranges$base3", MEMORY.into());
        dut.poke("ranges$limit3", RANGE_LIMIT.into());
        let port = |name: &str| dut.port(name).unwrap();
        let request = ["addr", "length", "valid", "ready"].map(|s| port(&format!("payload_request${s}")));
        let data = ["data", "error", "last", "valid"].map(|s| port(&format!("payload_data${s}")));
        let error = port("dma_error");
        let rx = ["rxd_valid", "rxd_addr", "rxd_len", "rxd_pop"].map(port);
        let cmd = ["cmd_valid", "cmd_word", "cmd_ready"].map(port);
        let pins = ReadPins::new(&dut, config, memory);
        Bench {
            dut,
            pins,
            chance,
            cycle: 0,
            errors: 0,
            requests: VecDeque::new(),
            answers: VecDeque::new(),
            got: Vec::new(),
            answered: 0,
            request,
            data,
            error,
            rx,
            cmd,
            buffers: Vec::new(),
            commands: Vec::new(),
            take_permille,
        }
    }

    /// What memory has at a word address: zero and an error where there is none.
    fn word(memory: &HostMemory, addr: u32) -> (u32, bool) {
        match memory.contains(addr, 4) {
            true => (memory.read_word(addr), false),
            false => (0, true),
        }
    }

    fn step(&mut self) {
        let Bench { dut, .. } = self;
        let [addr, length, valid, ready] = self.request;
        let offer = self.requests.front().copied();
        dut.set(valid, offer.is_some().into());
        if let Some((a, l)) = offer {
            dut.set(addr, a.into());
            dut.set(length, l.into());
        }
        let [rxd_valid, rxd_addr, rxd_len, rxd_pop] = self.rx;
        let pop = dut.is_high(rxd_valid) && self.chance.permille(self.take_permille);
        dut.set(rxd_pop, pop.into());
        if pop {
            self.buffers.push((dut.get(rxd_addr) as u32, dut.get(rxd_len) as u32));
        }
        let [cmd_valid, cmd_word, cmd_ready] = self.cmd;
        let take = self.chance.permille(self.take_permille);
        dut.set(cmd_ready, take.into());
        self.pins.drive(dut);
        dut.eval();
        if take && dut.is_high(cmd_valid) {
            self.commands.push(dut.get(cmd_word) as u32);
        }
        if offer.is_some() && dut.is_high(ready) {
            self.answers.extend(self.requests.pop_front());
        }
        let [data, error, last, valid] = self.data;
        if dut.is_high(valid) {
            self.got.push((dut.get(data) as u32, dut.is_high(error)));
            let (a, l) = *self.answers.front().expect("a word nobody asked for");
            let words = (a % 4 + l).div_ceil(4);
            assert_eq!(dut.is_high(last), self.got.len() as u32 == words, "last of {l} bytes at {a:#x}");
            if dut.is_high(last) {
                let inside = a >= MEMORY && u64::from(a) + u64::from(l) <= u64::from(RANGE_LIMIT);
                for (i, got) in self.got.drain(..).enumerate() {
                    let expected = match inside {
                        true => Self::word(&self.pins.memory, (a & !3) + 4 * i as u32),
                        false => (0, true),
                    };
                    assert_eq!(got, expected, "word {i} of {l} bytes at {a:#x}");
                }
                self.answers.pop_front();
                self.answered += 1;
            }
        }
        self.errors += u32::from(dut.is_high(self.error));
        self.pins.clock(dut);
        dut.cycle();
        self.cycle += 1;
    }

    fn reset(&mut self) {
        self.requests.clear();
        self.answers.clear();
        self.got.clear();
        self.dut.set(self.request[2], 0);
        self.pins.reset(&mut self.dut);
    }

    fn run(&mut self, cycles: u64) {
        for _ in 0..cycles {
            self.step();
        }
    }
}

#[test]
fn payload_of_any_address_and_length() {
    for (seed, config) in [(1, timing(10, 0, 1)), (2, timing(30, 300, 2))] {
        let mut bench = Bench::new(config, 1000, seed);
        let mut errors = 0;
        for _ in 0..400 {
            let length = match bench.chance.below(4) {
                0 => 1 + bench.chance.below(16),
                _ => 1 + bench.chance.below(1600),
            };
            let addr = match bench.chance.below(10) {
                0 => bench.chance.below(MEMORY),
                1 => RANGE_LIMIT - length + bench.chance.below(3),
                2 => MEMORY + MEMORY_BYTES - bench.chance.below(1600),
                3 => 0u32.wrapping_sub(1 + bench.chance.below(1600)),
                _ => MEMORY + bench.chance.below(MEMORY_BYTES - length),
            };
            if addr < MEMORY || u64::from(addr) + u64::from(length) > u64::from(MEMORY + MEMORY_BYTES) {
                errors += 1;
            }
            bench.requests.push_back((addr, length));
        }
        let limit = 400 * 3000;
        while bench.answered < 400 {
            assert!(bench.cycle < limit, "no progress after {} requests", bench.answered);
            bench.step();
        }
        bench.run(10);
        assert_eq!(bench.errors, errors);
        assert!(bench.pins.outstanding_max() >= 2, "bursts never overlapped");
    }
}

#[test]
fn the_fault_address_is_that_of_the_failing_burst() {
    let mut bench = Bench::new(timing(5, 0, 1), 1000, 3);
    bench.requests.push_back((0x123, 5));
    bench.run(60);
    let kind_and_source = |kind: u32, source: u64| u64::from(kind) | source << 4;
    assert_eq!((bench.errors, bench.dut.peek("fault_addr")), (1, 0x120));
    assert_eq!(bench.dut.peek("fault_info"), kind_and_source(regs::DMA_FAULT_REFUSED, 0));
    bench.requests.push_back((MEMORY + MEMORY_BYTES - 300, 600));
    bench.run(400);
    assert_eq!((bench.errors, bench.dut.peek("fault_addr")), (2, u64::from(MEMORY + MEMORY_BYTES)));
    assert_eq!(bench.dut.peek("fault_info"), kind_and_source(regs::DMA_FAULT_SLVERR, 0));
    // The receive ring is client 2, the command ring client 3.
    for (ring, source) in [("rx", 2), ("cmd", 3)] {
        bench.dut.poke(&format!("{ring}_base"), 0x40);
        bench.dut.poke(&format!("{ring}_prod"), 1);
        bench.run(60);
        assert_eq!(bench.dut.peek("fault_addr"), 0x40);
        assert_eq!(bench.dut.peek("fault_info"), kind_and_source(regs::DMA_FAULT_REFUSED, source));
    }
    assert_eq!(bench.errors, 4);
}

#[test]
fn largest_request_fills_the_bus() {
    let mut bench = Bench::new(timing(40, 0, 1), 1000, 4);
    for i in 0..20 {
        bench.requests.push_back((MEMORY + 2048 * i, 1460));
    }
    while bench.answered < 20 {
        assert!(bench.cycle < 20_000);
        bench.step();
    }
    println!("{} cycles for {} words", bench.cycle, bench.pins.words);
    assert!(bench.cycle < bench.pins.words + 200, "{} cycles for {} words", bench.cycle, bench.pins.words);
}

/// Resets in the middle of everything: what was under way is forgotten, and the rest is as if nothing had been.
#[test]
fn resets_at_any_time() {
    let mut bench = Bench::new(timing(20, 200, 3), 900, 10);
    bench.dut.poke("rx_base", (MEMORY + 0x1000).into());
    bench.dut.poke("rx_size_log2", 6);
    for round in 0..60 {
        for _ in 0..8 {
            let length = 1 + bench.chance.below(1600);
            let addr = MEMORY + bench.chance.below(MEMORY_BYTES - length);
            bench.requests.push_back((addr, length));
        }
        bench.dut.poke("rx_prod", u64::from(bench.chance.below(20)));
        let cycles = u64::from(bench.chance.below(600));
        bench.run(cycles);
        bench.reset();
        // A request after reset is answered as the first was.
        bench.dut.poke("rx_prod", 0);
        bench.answered = 0;
        bench.requests.push_back((MEMORY + 64 * round, 300));
        while bench.answered == 0 {
            bench.step();
            assert!(bench.cycle < 200_000, "no answer in round {round}");
        }
    }
}

/// Memory that answers after 200 cycles is read at a word a cycle: addresses run far enough ahead of data. The same
/// for the largest requests, for those of a full segment, and with other clients in between.
#[test]
fn distant_memory_is_read_at_line_rate() {
    const LATENCY: u64 = 200;
    for (length, count) in [(60_000, 8), (1460, 100)] {
        let mut bench = Bench::new(timing(LATENCY, 0, 1), 1000, 8);
        bench.dut.poke("rx_base", (MEMORY + 0x1000).into());
        bench.dut.poke("rx_size_log2", 6);
        for i in 0..count {
            bench.requests.push_back((MEMORY + 64 * i, length));
        }
        while bench.answered < count as usize {
            assert!(bench.cycle < 200_000, "{} requests of {length} bytes", bench.answered);
            bench.dut.poke("rx_prod", (bench.cycle / 100).min(32));
            bench.step();
        }
        let (cycles, words) = (bench.cycle - LATENCY, bench.pins.words);
        println!(
            "{length} bytes: {cycles} cycles for {words} words, {} outstanding",
            bench.pins.outstanding_max()
        );
        assert!(cycles * 98 <= words * 100, "{length} bytes: {cycles} cycles for {words} words");
        assert!(bench.pins.outstanding_max() >= 8, "{} bursts outstanding", bench.pins.outstanding_max());
    }
}

/// A driver that keeps a ring full, and checks what comes of it.
fn ring_of_buffers(log2: u32, count: u32, take_permille: u32, seed: u64) {
    let mut bench = Bench::new(timing(8, 100, seed), take_permille, seed);
    let base = MEMORY + 0x1000;
    bench.dut.poke("rx_base", base.into());
    bench.dut.poke("rx_size_log2", log2.into());
    let entry = |index: u32| (index.wrapping_mul(0x9E37_79B9), index ^ 0x5555);
    let mut posted = 0;
    while (bench.buffers.len() as u32) < count {
        assert!(bench.cycle < u64::from(count) * 1000, "no progress after {}", bench.buffers.len());
        // An entry may be written again when the one before it has been given out.
        while posted < count && posted - (bench.buffers.len() as u32) < 1 << log2 {
            let (addr, len) = entry(posted);
            bench.pins.memory.write_words(base + posted % (1 << log2) * 16, &[addr, len, 7, 8]);
            posted += 1;
        }
        bench.dut.poke("rx_prod", u64::from(posted & 0xFFFF));
        bench.step();
    }
    for (index, buffer) in bench.buffers.iter().enumerate() {
        assert_eq!(*buffer, entry(index as u32), "seed {seed}: entry {index} of a ring of {}", 1 << log2);
    }
}

#[test]
fn rings_of_every_size_wrap() {
    for log2 in [0, 1, 2, 3, 7] {
        ring_of_buffers(log2, 300, 1000, u64::from(log2));
    }
    ring_of_buffers(4, 300, 30, 9);
}

#[test]
fn indices_wrap_at_16_bits() {
    ring_of_buffers(8, 66_000, 1000, 1);
}

#[test]
fn unreadable_descriptors_keep_their_place() {
    let mut bench = Bench::new(timing(8, 0, 5), 1000, 5);
    // The second half of the ring lies beyond memory.
    let base = MEMORY + MEMORY_BYTES - 64;
    bench.dut.poke("rx_base", base.into());
    bench.dut.poke("rx_size_log2", 3);
    for i in 0..4 {
        bench.pins.memory.write_words(base + 16 * i, &[0x100 + i, 2048, 0, 0]);
    }
    bench.dut.poke("rx_prod", 12);
    bench.run(500);
    let good = |i: u32| (0x100 + i, 2048);
    let bad = (0, 0);
    let expected =
        [good(0), good(1), good(2), good(3), bad, bad, bad, bad, good(0), good(1), good(2), good(3)];
    assert_eq!(bench.buffers, expected);
    assert_eq!(bench.errors, 1);
}

#[test]
fn unreadable_commands_are_dropped() {
    for take_permille in [1000, 100] {
        let mut bench = Bench::new(timing(8, 50, 6), take_permille, 6);
        let base = MEMORY + MEMORY_BYTES - 128;
        bench.dut.poke("cmd_base", base.into());
        bench.dut.poke("cmd_size_log2", 3);
        let words: Vec<u32> = (0..32).map(|i| i * 0x0101_0101).collect();
        bench.pins.memory.write_words(base, &words);
        bench.dut.poke("cmd_prod", 20);
        bench.run(5000);
        let expected: Vec<u32> = [&words[..], &words[..], &words[..]].concat();
        assert_eq!(bench.commands, expected);
        assert_eq!(bench.dut.peek("cmd_cons"), 20);
        assert!(bench.errors >= 4, "{} errors", bench.errors);
    }
}

#[test]
fn no_client_starves() {
    let mut bench = Bench::new(timing(2, 0, 7), 1000, 7);
    let base = MEMORY + 0x1000;
    for ring in ["rx", "cmd", "tx"] {
        bench.dut.poke(&format!("{ring}_base"), base.into());
        bench.dut.poke(&format!("{ring}_size_log2"), 6);
    }
    bench.dut.poke("tx_pop", 0);
    for i in 0..200 {
        bench.requests.push_back((MEMORY + i, 1460));
    }
    bench.run(100);
    for ring in ["rx", "cmd", "tx"] {
        bench.dut.poke(&format!("{ring}_prod"), 8);
    }
    bench.run(6000);
    assert!(!bench.requests.is_empty(), "the payload client was to keep the bus busy");
    assert_eq!(bench.buffers.len(), 8);
    assert_eq!(bench.commands.len(), 64);
    assert!(bench.dut.peek("tx_valid") == 1, "the transmit ring was not read");
}

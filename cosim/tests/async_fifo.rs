//! `kit::AsyncFifo` and the other crossings between clock domains, at several ratios of the clocks.

mod support;

use baton_cosim::{
    block::{Model, Port},
    clocks::{ClockId, Clocks, Rising},
};
use baton_hdl::{
    emit,
    kit::{AsyncFifo, EventCounter},
};
use rust_hdl::prelude::*;
use std::collections::VecDeque;
use support::Chance;

/// Periods of the write and the read clock in picoseconds: equal, equal but for a drift, 25:75, 125:75 and
/// 75:125 MHz, and the 2.5 MHz of a 10 Mb/s line on either side.
const RATIOS: &[(u64, u64)] = &[
    (8_000, 8_000),
    (8_000, 7_998),
    (8_000, 8_002),
    (40_000, 13_333),
    (8_000, 13_333),
    (13_333, 8_000),
    (400_000, 8_000),
    (8_000, 400_000),
];

const DEPTH: u64 = 16;

struct Bench {
    dut: Model,
    clocks: Clocks,
    write: ClockId,
    read: ClockId,
    push: Port,
    data: Port,
    commit: Port,
    full: Port,
    level: Port,
    write_stop: Port,
    pop: Port,
    head: Port,
    valid: Port,
    read_stop: Port,
}

impl Bench {
    fn new((write_ps, read_ps): (u64, u64), phase_ps: u64) -> Self {
        let text = emit::verilog("async_fifo", AsyncFifo::<Bits<16>, 4, 5>::default());
        let mut dut = Model::build("async_fifo", &text).unwrap();
        let mut clocks = Clocks::default();
        let write = clocks.add(&dut, "write_cr$clock", write_ps, 0).unwrap();
        let read = clocks.add(&dut, "read_cr$clock", read_ps, phase_ps).unwrap();
        let [push, data, commit, full, level, write_stop, pop, head, valid, read_stop] =
            ["push", "data", "commit", "full", "level", "write_stop", "pop", "head", "valid", "read_stop"]
                .map(|name| dut.port(name).unwrap());
        dut.poke("commit", 1);
        Bench {
            dut,
            clocks,
            write,
            read,
            push,
            data,
            commit,
            full,
            level,
            write_stop,
            pop,
            head,
            valid,
            read_stop,
        }
    }

    /// Goes to the next edge; what a domain's edge transfers is then taken from the pins.
    fn before(&mut self) -> Rising {
        self.clocks.before_edge(&mut self.dut)
    }

    fn after(&mut self) {
        self.clocks.edge(&mut self.dut);
    }

    fn high(&self, port: Port) -> bool {
        self.dut.is_high(port)
    }
}

/// What the reader must see, entry by entry, while neither side is reset.
#[test]
fn nothing_is_lost_repeated_or_reordered_at_any_ratio() {
    for (case, &ratio) in RATIOS.iter().enumerate() {
        for round in 0..4 {
            let seed = (case * 4 + round) as u64;
            let mut chance = Chance::new(seed);
            let mut bench = Bench::new(ratio, u64::from(chance.below(ratio.1 as u32)));
            // How busy each side is, and how often entries become visible.
            let [pushing, popping, committing] =
                [[1000, 1000, 1000], [300, 1000, 1000], [1000, 300, 500], [700, 600, 200]][round];
            // Entries on their way, those not yet committed among them.
            let (mut model, mut hidden) = (VecDeque::new(), 0usize);
            let (mut pushed, mut popped, mut fullest) = (0u64, 0u64, 0);
            let mut edges = 0;
            while popped < 2_000 {
                edges += 1;
                assert!(edges < 3_000_000, "seed {seed}: stuck after {popped} entries");
                let rising = bench.before();
                // Both sides act on what the pins show before the edge.
                let (mut take, mut give) = (None, None);
                if rising.has(bench.read) && bench.high(bench.valid) {
                    assert!(model.len() > hidden, "seed {seed}: an entry came out that is not committed");
                    let head = bench.dut.get(bench.head);
                    assert_eq!(Some(&head), model.front(), "seed {seed} ratio {ratio:?} after {popped}");
                    take = bench.high(bench.pop).then_some(());
                }
                if rising.has(bench.write) {
                    let level = bench.dut.get(bench.level);
                    assert!(level >= model.len() as u64 && level <= DEPTH, "seed {seed}: level {level}");
                    fullest = fullest.max(level);
                    if bench.high(bench.push) && !bench.high(bench.full) {
                        give = Some(bench.dut.get(bench.data));
                    }
                    hidden += usize::from(give.is_some());
                    if bench.high(bench.commit) {
                        hidden = 0;
                    }
                }
                bench.after();
                if give.is_some() {
                    pushed += 1;
                    model.extend(give);
                }
                if take.is_some() {
                    popped += 1;
                    model.pop_front();
                }
                if rising.has(bench.write) {
                    bench.dut.set(bench.push, chance.permille(pushing).into());
                    bench.dut.set(bench.data, (pushed * 40503 + 7) & 0xFFFF);
                    // A full queue of hidden entries would wait for ever.
                    let commit = chance.permille(committing) || hidden as u64 >= DEPTH - 1;
                    bench.dut.set(bench.commit, commit.into());
                }
                if rising.has(bench.read) {
                    bench.dut.set(bench.pop, chance.permille(popping).into());
                }
            }
            // The slow side decides whether the queue fills.
            assert!(pushed - popped <= DEPTH && fullest > 0);
            if ratio.0 * 2 < ratio.1 && pushing == 1000 {
                assert_eq!(fullest, DEPTH, "seed {seed}: the queue never filled");
            }
        }
    }
}

/// One entry a cycle, sustained, and the cycles that the header states.
#[test]
fn throughput_and_latency_are_as_documented() {
    for ratio in [(8_000, 8_000), (8_000, 7_998), (8_000, 8_002)] {
        let mut bench = Bench::new(ratio, 1_000);
        bench.dut.set(bench.push, 1);
        bench.dut.set(bench.pop, 1);
        let (mut written, mut read) = (0u64, 0u64);
        while written < 10_000 {
            let rising = bench.before();
            written += u64::from(rising.has(bench.write) && !bench.high(bench.full));
            read += u64::from(rising.has(bench.read) && bench.high(bench.valid));
            bench.after();
        }
        // The faster side waits for the slower; nothing else costs a cycle.
        let elapsed = bench.clocks.now_ps() / ratio.0.max(ratio.1);
        assert!(elapsed.abs_diff(written) <= 4, "{written} of {elapsed} cycles, {ratio:?}");
        assert!(written - read <= 8, "{written} written, {read} read");
    }

    // From the push: its own edge, one more of the write clock, then the third read edge.
    for phase_ps in [100, 2_000, 4_000, 6_000, 7_900] {
        let mut bench = Bench::new((8_000, 8_000), phase_ps);
        bench.dut.set(bench.push, 1);
        let (mut writes, mut reads) = (0, 0);
        loop {
            let rising = bench.before();
            bench.after();
            if rising.has(bench.read) && writes >= 2 {
                reads += 1;
            }
            if rising.has(bench.write) {
                writes += 1;
                bench.dut.set(bench.push, 0);
            }
            if bench.high(bench.valid) {
                break;
            }
            assert!(reads < 10);
        }
        assert_eq!(reads, 3, "phase {phase_ps}");

        // And a pop shows in the level at the fifth write edge after its own.
        assert_eq!(bench.dut.get(bench.level), 1);
        bench.dut.set(bench.pop, 1);
        let (mut popped, mut writes) = (false, 0);
        while bench.dut.get(bench.level) != 0 {
            let rising = bench.before();
            let pops = rising.has(bench.read) && bench.high(bench.valid);
            bench.after();
            writes += u32::from(rising.has(bench.write) && popped);
            popped |= pops;
            assert!(writes < 10);
        }
        assert_eq!(writes, 5, "phase {phase_ps}");
    }
}

/// Reset of either side, at any moment and of any length, empties the queue: what comes out afterwards went
/// in afterwards, and both sides run again in bounded time.
#[test]
fn a_reset_of_either_side_empties_both() {
    for (case, &ratio) in RATIOS.iter().enumerate() {
        let seed = 100 + case as u64;
        let mut chance = Chance::new(seed);
        let mut bench = Bench::new(ratio, u64::from(chance.below(ratio.1 as u32)));
        let (write_reset, read_reset) =
            (bench.dut.port("write_cr$reset").unwrap(), bench.dut.port("read_cr$reset").unwrap());
        let mut model: VecDeque<u64> = VecDeque::new();
        let (mut pushed, mut resets, mut after_reset) = (0u64, 0, 0);
        // Cycles that each reset still lasts, and when both sides must run again.
        let mut left = [0u32; 2];
        let settling_ps = 9 * (ratio.0 + ratio.1);
        let mut settled_ps = settling_ps;
        for _ in 0..60_000 {
            let rising = bench.before();
            let stopped = [bench.high(bench.write_stop), bench.high(bench.read_stop)];
            let settled = left == [0, 0] && bench.clocks.now_ps() > settled_ps;
            if settled {
                assert_eq!(stopped, [false, false], "seed {seed}: still stopped");
            }
            if stopped[0] {
                assert!(bench.high(bench.full));
            }
            if stopped[1] {
                assert!(!bench.high(bench.valid));
            }
            let take = rising.has(bench.read) && bench.high(bench.valid) && bench.high(bench.pop);
            if rising.has(bench.read) && bench.high(bench.valid) {
                let head = bench.dut.get(bench.head);
                if settled {
                    assert_eq!(Some(&head), model.front(), "seed {seed} ratio {ratio:?}");
                    after_reset += 1;
                } else {
                    // While a reset spreads, the reader may still see old entries, in order, and never an
                    // invented one.
                    assert!(model.contains(&head), "seed {seed}: {head:#x} was never here");
                }
            }
            let give = (rising.has(bench.write) && bench.high(bench.push) && !bench.high(bench.full))
                .then(|| bench.dut.get(bench.data));
            bench.after();
            if take {
                model.pop_front();
            }
            if let Some(word) = give {
                pushed += 1;
                model.push_back(word);
            }
            // Both sides stopped: whatever was in the queue is gone.
            if bench.high(bench.write_stop) && bench.high(bench.read_stop) {
                model.clear();
            }
            for (side, clock) in [bench.write, bench.read].into_iter().enumerate() {
                if rising.has(clock) {
                    left[side] = left[side].saturating_sub(1);
                }
            }
            if left != [0, 0] {
                settled_ps = bench.clocks.now_ps() + settling_ps;
            } else if bench.clocks.now_ps() > settled_ps + 4 * settling_ps && chance.permille(10) {
                let side = chance.below(3);
                let length = 1 + chance.below(3);
                left = [if side != 1 { length } else { 0 }, if side != 0 { length } else { 0 }];
                settled_ps = bench.clocks.now_ps() + settling_ps;
                resets += 1;
            }
            // A reset input follows its own clock; it is raised here and lowered when its cycles are over.
            if rising.has(bench.write) || left[0] > 0 {
                bench.dut.set(write_reset, (left[0] > 0).into());
            }
            if rising.has(bench.read) || left[1] > 0 {
                bench.dut.set(read_reset, (left[1] > 0).into());
            }
            if rising.has(bench.write) {
                bench.dut.set(bench.push, chance.permille(600).into());
                bench.dut.set(bench.data, (pushed * 40503 + 7) & 0xFFFF);
            }
            if rising.has(bench.read) {
                bench.dut.set(bench.pop, chance.permille(500).into());
            }
        }
        assert!(
            resets >= 10 && after_reset > 100,
            "seed {seed}: {resets} resets, {after_reset} entries checked"
        );
    }
}

/// A queue whose other side has no clock stays stopped after a reset, and works once the clock is there.
#[test]
fn a_side_without_a_clock_holds_the_queue_empty() {
    let mut bench = Bench::new((8_000, 40_000), 0);
    bench.clocks.run(bench.write, false);
    bench.dut.poke("read_cr$reset", 1);
    for _ in 0..20 {
        bench.before();
        bench.after();
    }
    bench.dut.poke("read_cr$reset", 0);
    for _ in 0..40 {
        bench.before();
        bench.after();
        assert!(!bench.high(bench.valid) && bench.high(bench.read_stop));
    }
    bench.clocks.run(bench.write, true);
    for _ in 0..200 {
        bench.before();
        bench.after();
    }
    assert!(!bench.high(bench.read_stop) && !bench.high(bench.write_stop));
}

/// Every event is counted once, in bursts of adjacent cycles too, whichever clock is the faster.
#[test]
fn events_of_another_domain_are_counted_exactly() {
    let text = emit::verilog("event_counter", EventCounter::default());
    for (case, &(source_ps, here_ps)) in RATIOS.iter().enumerate().filter(|(_, r)| r.1 < 50 * r.0) {
        let mut dut = Model::build("event_counter", &text).unwrap();
        let mut clocks = Clocks::default();
        let source = clocks.add(&dut, "source_cr$clock", source_ps, 0).unwrap();
        let here = clocks.add(&dut, "cr$clock", here_ps, 777).unwrap();
        let [pulse, total, reset] = ["pulse", "total", "cr$reset"].map(|name| dut.port(name).unwrap());
        let mut chance = Chance::new(case as u64);
        let (mut events, mut before) = (0u64, 0u64);
        for edge in 0..40_000u32 {
            let busy = edge < 39_000 && !(20_000..20_400).contains(&edge);
            let rising = clocks.before_edge(&mut dut);
            if rising.has(source) {
                events += u64::from(dut.is_high(pulse));
            }
            clocks.edge(&mut dut);
            if rising.has(source) {
                dut.set(pulse, (busy && chance.permille(500)).into());
            }
            if rising.has(here) {
                assert!(dut.get(total) + before <= events, "case {case}");
                // In the pause: the count is exact, and a reset clears it without a trace.
                if edge > 20_300 && before == 0 {
                    assert_eq!(dut.get(total), events, "case {case}");
                    before = events;
                    dut.set(reset, 1);
                } else {
                    dut.set(reset, 0);
                }
            }
        }
        assert!(events > 100);
        assert_eq!(dut.get(total) + before, events, "case {case}");
    }
}

//! The scheduler against its Rust reference, in every mode, with queues that fill and drain and resets at random.

use baton_abi::mmio::work;
use baton_cosim::block::{Model, Port};
use baton_hdl::core::DefaultScheduler;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Cycles from a queue's new head to the scheduler's answer.
const LATENCY: u64 = 2;
/// Cycles of silence after an item was consumed.
const HUSH: u64 = 6;
/// Host packets that pass a waiting command in host-first mode, and the cycles for which its turn lasts.
const PASSES: u32 = 16;
const TURN: u32 = 4096;

const FCFS: u64 = 0;
const HOST_FIRST: u64 = 1;
const DIRECT: u64 = 2;

const HOST_RX: usize = 0;
const NIC_RX: usize = 2;
const COMMAND: usize = 3;
const NAMES: [&str; 4] = ["host_rx", "host_tx", "nic_rx", "command"];

/// What the core is to be given, by the definition of the mode. `heads`: arrival of each queue's head. Of equals, the
/// one with the lower number goes first.
fn expected(mode: u64, heads: [Option<u64>; 4]) -> u32 {
    let oldest = |items: &[usize]| items.iter().filter_map(|i| heads[*i].map(|at| (at, *i))).min();
    let chosen = match mode {
        FCFS => oldest(&[0, 1, 2, 3]).map(|(_, i)| i),
        HOST_FIRST => (0..2).find(|i| heads[*i].is_some()).or_else(|| oldest(&[2, 3]).map(|(_, i)| i)),
        _ => oldest(&[2, 3]).map(|(_, i)| i),
    };
    chosen.map_or(work::NONE, |i| i as u32 + 1)
}

/// A command's claim in host-first mode.
#[derive(Default)]
struct Claim {
    passes: u32,
    turn: u32,
}

impl Claim {
    fn due(&self) -> bool {
        self.passes == PASSES
    }

    /// Ends a cycle: whether a command could claim, whether the core took it, and whether it moved a host packet.
    fn clock(&mut self, claims: bool, taken: bool, passed: bool) {
        if !claims || taken || self.turn == TURN - 1 {
            *self = Claim::default();
        } else if self.due() {
            self.turn += 1;
        } else {
            self.passes += u32::from(passed);
        }
    }
}

struct Bench {
    dut: Model,
    waits: [Port; 4],
    stamps: [Port; 4],
    core_go: [Port; 2],
    go: [Port; 2],
    consumed: Port,
    command_taken: Port,
    item: Port,
    mode: u64,
    /// Arrivals in each queue, in cycles since the start; a stamp is the low half of `first + arrival`.
    queues: [VecDeque<u64>; 4],
    first: u64,
    cycle: u64,
    /// Queue and arrival of everything served, in order.
    served: Vec<(usize, u64)>,
    /// Cycles since the heads last changed.
    steady: u64,
    hush: u64,
    claim: Claim,
    due_before: bool,
    context: String,
}

impl Bench {
    fn new(mode: u64, first: u64, context: String) -> Self {
        println!("{context}");
        let text = baton_hdl::emit::verilog("scheduler", DefaultScheduler::default());
        let mut dut = Model::build("scheduler", &text).unwrap();
        let port = |name: &str| dut.port(name).unwrap();
        let waits = NAMES.map(|n| port(&format!("{n}_waits")));
        let stamps = NAMES.map(|n| port(&format!("{n}_stamp")));
        let core_go = ["core_host_rx_go", "core_host_tx_go"].map(port);
        let go = ["host_rx_go", "host_tx_go"].map(port);
        let [consumed, command_taken, item] = ["consumed", "command_taken", "item"].map(port);
        dut.poke("mode", mode);
        dut.reset(2);
        Bench {
            dut,
            waits,
            stamps,
            core_go,
            go,
            consumed,
            command_taken,
            item,
            mode,
            queues: Default::default(),
            first,
            cycle: 0,
            served: Vec::new(),
            steady: 0,
            hush: 0,
            claim: Claim::default(),
            due_before: false,
            context,
        }
    }

    fn arrive(&mut self, queue: usize) {
        if self.queues[queue].is_empty() {
            self.steady = 0;
        }
        self.queues[queue].push_back(self.cycle);
    }

    fn reset(&mut self) {
        self.dut.reset(1);
        (self.steady, self.hush, self.claim, self.due_before) = (0, 0, Claim::default(), false);
    }

    /// One cycle; the core takes the item that it is given if it `wants` to.
    fn step(&mut self, wants: impl FnOnce(u32) -> bool) {
        let Bench { dut, queues, .. } = self;
        for (i, queue) in queues.iter().enumerate() {
            dut.set(self.waits[i], u64::from(!queue.is_empty()));
            let stamp = queue.front().map_or(0, |at| self.first + at);
            dut.set(self.stamps[i], stamp & 0xFFFF_FFFF);
        }
        for port in self.core_go.into_iter().chain([self.consumed, self.command_taken]) {
            dut.set(port, 0);
        }
        dut.eval();
        let heads: [Option<u64>; 4] = std::array::from_fn(|i| queues[i].front().copied());
        let got = dut.get(self.item) as u32;
        let context = format!("{} cycle {} heads {heads:?}", self.context, self.cycle);
        let mut take = None;
        if self.hush > 0 {
            assert_eq!(got, work::NONE, "silence after an item: {context}");
        } else if self.steady >= LATENCY {
            let expected = if self.due_before { work::COMMAND } else { expected(self.mode, heads) };
            assert_eq!(got, expected, "{context}");
            if got != work::NONE && wants(got) {
                take = Some(got as usize - 1);
            }
        }
        self.hush = self.hush.saturating_sub(1);
        if let Some(queue) = take {
            dut.set(self.consumed, 1);
            if queue < 2 {
                dut.set(self.core_go[queue], 1);
            }
            dut.set(self.command_taken, u64::from(queue == COMMAND));
            dut.eval();
            self.hush = HUSH;
        }
        self.due_before = self.claim.due();
        let claims = self.mode == HOST_FIRST && !queues[COMMAND].is_empty();
        self.claim.clock(claims, take == Some(COMMAND), take.is_some_and(|queue| queue < 2));
        for i in 0..4 {
            let moved = i < 2 && dut.is_high(self.go[i]);
            if i < 2 {
                let expect = !queues[i].is_empty() && (self.mode == DIRECT || take == Some(i));
                assert_eq!(moved, expect, "host packets move: {context}");
            }
            if moved || (i >= 2 && take == Some(i)) {
                let at = queues[i].pop_front().expect("what is served waits");
                self.served.push((i, at));
                self.steady = 0;
            }
        }
        dut.cycle();
        self.steady += 1;
        self.cycle += 1;
    }
}

fn run(mode: u64, seed: u64, first: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut bench = Bench::new(mode, first, format!("mode {mode} seed {seed}"));
    while bench.cycle < 30_000 {
        // Often several arrive in one cycle.
        if rng.next_u32() % 40 == 0 {
            let which = rng.next_u32() % 16;
            (0..4).filter(|i| which >> i & 1 == 1).for_each(|i| bench.arrive(i));
        }
        if rng.next_u32() % 2000 == 0 {
            bench.reset();
        }
        let eager = rng.next_u32() % 3 == 0;
        bench.step(|_| eager);
    }
    for (queue, name) in NAMES.iter().enumerate() {
        let count = bench.served.iter().filter(|(i, _)| *i == queue).count();
        assert!(
            count > 20 || (queue == NIC_RX && mode == HOST_FIRST),
            "{name}: {count}, mode {mode} seed {seed}"
        );
    }
}

#[test]
fn every_mode_chooses_as_defined() {
    for mode in 0..3 {
        for seed in 0..4 {
            run(mode, seed, 0);
        }
    }
}

#[test]
fn stamps_may_wrap() {
    for mode in 0..3 {
        run(mode, 99, u64::from(u32::MAX) - 10_000);
    }
}

/// Over all four queues, whatever their lengths; of those that arrived in one cycle, the lower number first.
#[test]
fn fcfs_is_the_exact_order_of_arrival() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut bench = Bench::new(FCFS, u64::from(u32::MAX) - 5_000, "seed 5".into());
    let mut ties = 0;
    while bench.cycle < 40_000 {
        if bench.cycle < 30_000 && rng.next_u32() % 30 == 0 {
            let which = rng.next_u32() % 16;
            ties += u32::from(which.count_ones() > 1);
            (0..4).filter(|i| which >> i & 1 == 1).for_each(|i| bench.arrive(i));
        }
        bench.step(|_| true);
    }
    assert!(bench.queues.iter().all(VecDeque::is_empty), "everything was served");
    assert!(bench.served.len() > 1500 && ties > 500, "{} served, {ties} ties", bench.served.len());
    for pair in bench.served.windows(2) {
        assert!((pair[0].1, pair[0].0) < (pair[1].1, pair[1].0), "{:?} before {:?}", pair[0], pair[1]);
    }
}

/// Both host queues never run dry; each command is served after exactly the packets that may pass, and no NIC packet
/// ever is.
#[test]
fn saturating_host_traffic_does_not_starve_commands() {
    let mut bench = Bench::new(HOST_FIRST, 0, "saturated".into());
    for queue in [NIC_RX, COMMAND, COMMAND] {
        bench.arrive(queue);
    }
    while bench.cycle < 50_000 {
        for queue in [HOST_RX, 1, COMMAND] {
            if bench.queues[queue].len() < 2 {
                bench.arrive(queue);
            }
        }
        bench.step(|_| true);
    }
    let mut row = 0;
    let mut commands = 0;
    for (queue, _) in &bench.served {
        match *queue {
            COMMAND => {
                assert_eq!(row, PASSES, "host packets before command {commands}");
                (row, commands) = (0, commands + 1);
            }
            NIC_RX => panic!("a NIC packet went before host packets"),
            _ => row += 1,
        }
        assert!(row <= PASSES, "{row} host packets passed a command");
    }
    assert!(commands > 300, "{commands} commands");
}

/// A command that the core never takes holds up host packets for its turn and no longer.
#[test]
fn a_command_that_cannot_be_taken_loses_its_turn() {
    let mut bench = Bench::new(HOST_FIRST, 0, "refused".into());
    bench.arrive(COMMAND);
    let mut gaps = Vec::new();
    let (mut served, mut since) = (0, 0);
    while bench.cycle < 50_000 {
        if bench.queues[HOST_RX].len() < 2 {
            bench.arrive(HOST_RX);
        }
        bench.step(|item| item != work::COMMAND);
        since += 1;
        if bench.served.len() > served {
            gaps.push(since);
            (served, since) = (bench.served.len(), 0);
        }
    }
    let longest = *gaps.iter().max().expect("packets were served");
    let turns = gaps.iter().filter(|gap| **gap > u64::from(TURN)).count();
    assert!(longest <= u64::from(TURN) + HUSH + LATENCY, "{longest} cycles without a host packet");
    assert!(turns >= 10, "{turns} turns");
    assert_eq!(served, bench.served.len());
    assert!(served >= turns * PASSES as usize, "{served} packets in {turns} turns");
}

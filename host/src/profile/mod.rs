//! What the firmware's work costs: instructions and cycles by kind of work and by function, counted on the RTL.
//!
//! The retired instructions of the softcore are watched on the NIC's pins. The firmware's executable says where
//! which work begins (`Hardware::mark`), at no cost to the firmware. Work counts from the look at the scheduler
//! that found it, so that the event loop around it is part of its price; only looks that found nothing, before
//! the core goes to sleep, stand alone.
//!
//! The loads are [`Workload`]: for what is frequent, with all connections active, and for what is rare, each event that costs
//! much. [`figures`] makes the figures of them that have a name.

mod bound;
mod code;
pub mod counted;
pub mod figures;
mod program;
mod stack;
pub mod worst;

use crate::latency::{LatencyConfig, Load, Machine, Messages};
use anyhow::{ensure, Result};
use baton_abi::{mmio::RAM_BASE, regs::SchedMode, work};
use baton_cosim::{nic::Nic, pins::NicOut};
pub use program::Program;
use worst::{LoopCounter, LoopTurns};

/// Instructions and cycles; cycles in which the core slept do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Cost {
    pub instructions: u64,
    pub cycles: u64,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        self.instructions += other.instructions;
        self.cycles += other.cycles;
    }
}

/// A kind of work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kind {
    /// How often it was done.
    pub times: u64,
    pub cost: Cost,
    /// The most that one time took.
    pub most: Cost,
}

/// What one load cost.
#[derive(Clone, Debug)]
pub struct Profile {
    /// By the numbers of `baton_abi::work`.
    pub kinds: [Kind; work::NAMES.len()],
    /// By function, the dearest first.
    pub functions: Vec<(String, Cost)>,
    /// By address of the instruction, those that ran.
    pub addresses: Vec<(u32, Cost)>,
    /// Everything that was done while the core was awake.
    pub all: Cost,
    /// Segments with payload that the peers have received.
    pub segments_sent: u64,
    /// How often each loop turned.
    pub loops: Vec<LoopTurns>,
    /// What passed between host and NIC.
    pub messages: Messages,
    /// Cycles measured, asleep or not.
    pub cycles: u64,
}

impl Profile {
    /// Instructions of all pieces of these kinds.
    pub fn instructions(&self, kinds: &[u32]) -> f64 {
        kinds.iter().map(|&kind| self.kinds[kind as usize].cost.instructions as f64).sum()
    }

    /// How often this kind was done.
    pub fn times(&self, kind: u32) -> f64 {
        self.kinds[kind as usize].times as f64
    }
}

/// Which load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// The NIC sends without end, and is acknowledged.
    Send,
    /// The NIC receives without end.
    Receive,
    /// Host packets, moved by the core.
    HostPackets,
    /// A few connections send and receive, and the host gives buffers in pieces, as a driver does.
    Messages,
    /// Everything that is dear: connections are handed off, lose, repeat and reorder frames, and are recalled. Counted from the
    /// first handoff on.
    Turnover,
}

impl Workload {
    /// In the order in which they are shown, with what is said of them.
    pub const ALL: [(Workload, &str); 5] = [
        (Workload::Send, "the NIC sends"),
        (Workload::Receive, "the NIC receives"),
        (Workload::HostPackets, "host packets"),
        (Workload::Messages, "a few connections in both directions"),
        (Workload::Turnover, "handoff, faults on the wire, restore"),
    ];

    fn config(self, connections: u32) -> LatencyConfig {
        let config = LatencyConfig { connections, ..LatencyConfig::default() };
        match self {
            Workload::Send => LatencyConfig { peers_send: false, ..config },
            Workload::Receive => LatencyConfig { nic_sends: false, ..config },
            Workload::HostPackets => LatencyConfig { connections: 0, mode: SchedMode::HostFirst, ..config },
            Workload::Messages => {
                LatencyConfig { connections: connections.min(FEW), command_bytes: 16 << 10, ..config }
            }
            Workload::Turnover => LatencyConfig {
                connections: connections.min(MANY_ENOUGH),
                command_bytes: 4 << 10,
                faults_ppm: 20_000,
                ..config
            },
        }
    }
}

/// Connections of [`Workload::Messages`] and [`Workload::Turnover`] at most.
const FEW: u32 = 16;
const MANY_ENOUGH: u32 = 64;

/// Counts what goes on in the core.
pub struct Counter<'a> {
    program: &'a Program,
    kinds: [Kind; work::NAMES.len()],
    functions: Vec<Cost>,
    /// By word of the image.
    words: Vec<Cost>,
    loops: LoopCounter,
    current: usize,
    /// What the current piece of work has cost so far.
    open: Cost,
    waiting_cycles: u64,
}

impl<'a> Counter<'a> {
    /// # Errors
    /// When the program says nothing of its loops.
    pub fn new(program: &'a Program) -> Result<Self> {
        Ok(Counter {
            program,
            kinds: Default::default(),
            functions: vec![Cost::default(); program.functions.len()],
            words: vec![Cost::default(); program.words()],
            loops: LoopCounter::new(program)?,
            current: work::LOOK as usize,
            open: Cost::default(),
            waiting_cycles: 0,
        })
    }

    /// A cycle of the NIC.
    pub fn look(&mut self, core: &NicOut) {
        if !core.core_asleep {
            self.cycle(core.core_retired.then_some(core.core_pc));
        }
    }

    /// What was counted by kind of work, by the numbers of `baton_abi::work`.
    pub fn kinds(&self) -> &[Kind; work::NAMES.len()] {
        &self.kinds
    }

    /// What was counted by function, the dearest first.
    pub fn functions(&self) -> Vec<(String, Cost)> {
        let mut functions: Vec<_> =
            self.program.functions.iter().cloned().zip(self.functions.iter().copied()).collect();
        functions.retain(|(_, cost)| cost.instructions > 0);
        functions.sort_by_key(|(_, cost)| std::cmp::Reverse(cost.instructions));
        functions
    }

    /// A cycle in which the core was awake; `retired`: the instruction that ended in it.
    fn cycle(&mut self, retired: Option<u32>) {
        self.waiting_cycles += 1;
        let Some(pc) = retired else { return };
        for &kind in self.program.marks(pc) {
            self.mark(kind);
        }
        self.loops.retired(pc);
        let cost = Cost { instructions: 1, cycles: std::mem::take(&mut self.waiting_cycles) };
        self.open += cost;
        self.functions[self.program.function(pc)] += cost;
        if let Some(word) = self.words.get_mut(Program::word(pc)) {
            *word += cost;
        }
    }

    fn mark(&mut self, kind: usize) {
        // A look belongs to what it found; a burst turns out to be a mere acknowledgement.
        let joins = self.current == work::LOOK as usize && kind != work::LOOK as usize
            || self.current == work::TRANSMIT as usize && kind == work::TRANSMIT_ACK as usize;
        if !joins {
            self.close();
        }
        self.current = kind;
    }

    fn close(&mut self) {
        let Kind { times, cost, most } = &mut self.kinds[self.current];
        *times += 1;
        *cost += self.open;
        if self.open.instructions > most.instructions {
            *most = self.open;
        }
        self.open = Cost::default();
    }
}

/// Cycles in which slow start begins to end, whatever the number of connections.
const START_CYCLES: u64 = 400_000;
/// Cycles in which a wire of 1 Gb/s carries one full segment of a connection, and a little more.
const TURN_CYCLES: u64 = 1600;
/// Cycles at the end of [`Workload::Turnover`], in which the connections go back.
const RECALL_CYCLES: u64 = 400_000;

/// Cycles in which every connection has its turn on the wire `times` times. The tables are warm after one; a measurement
/// covers two or more, because every second segment is acknowledged.
pub fn turns(connections: u32, times: u64) -> u64 {
    u64::from(connections) * TURN_CYCLES * times
}

/// Runs a load with `connections` active connections, and counts for `cycles` cycles, when every connection has had its turn.
///
/// # Errors
/// When the machine cannot be built, or a handoff fails.
pub fn measure<N: Nic>(
    workload: Workload,
    connections: u32,
    cycles: u64,
    nic: N,
    firmware: &[u8],
    program: &Program,
) -> Result<Profile> {
    let config = workload.config(connections);
    let mut machine = Machine::start(&config, nic, firmware)?;
    let mut counter = Counter::new(program)?;
    let early = workload == Workload::Turnover;
    let mut load = Load::start_watched(&config, &mut machine, |core| {
        if early {
            counter.look(core);
        }
    })?;
    counter.loops.missed();
    let warm = if early { 0 } else { START_CYCLES + turns(load.connections(), 1) };
    let (start, mut probes) = (machine.cycles() + warm, 0);
    let (mut heard, mut messages) = (load.segments_heard(), load.messages());
    let recall = if early { start + cycles } else { u64::MAX };
    let end = if early { recall + RECALL_CYCLES } else { start + cycles };
    while machine.cycles() < end {
        load.step(&mut machine)?;
        if workload == Workload::HostPackets && machine.wire_backlog < 2 {
            machine.send_probe(probes);
            probes += 1;
        }
        if machine.cycles() == recall {
            load.recall();
        }
        machine.step();
        if machine.cycles() <= start {
            (heard, messages) = (load.segments_heard(), load.messages());
        } else {
            counter.look(machine.outputs());
        }
    }
    machine.check_firmware()?;
    ensure!(counter.kinds.iter().any(|kind| kind.times > 0), "the firmware did nothing");
    let functions = counter.functions();
    let mut all = Cost::default();
    functions.iter().for_each(|(_, cost)| all += *cost);
    let addresses = (RAM_BASE..).step_by(4).zip(counter.words);
    let addresses = addresses.filter(|(_, cost)| cost.instructions > 0).collect();
    Ok(Profile {
        kinds: counter.kinds,
        functions,
        addresses,
        all,
        loops: counter.loops.into_turns(),
        segments_sent: load.segments_heard() - heard,
        messages: load.messages().since(&messages),
        cycles,
    })
}

//! What the firmware's work costs: instructions and cycles by kind of work and by function, counted on the RTL.
//!
//! The retired instructions of the softcore are watched on the NIC's pins. The firmware's executable says where
//! which work begins (`Hardware::mark`), at no cost to the firmware. Work counts from the look at the scheduler
//! that found it, so that the event loop around it is part of its price; only looks that found nothing, before
//! the core goes to sleep, stand alone.
//!
//! Three loads, each with all connections active: the NIC sends, the NIC receives, and host packets in
//! `host-first` mode.

mod program;

use crate::latency::{LatencyConfig, Load, Machine};
use anyhow::{ensure, Result};
use baton_abi::{mmio::RAM_BASE, regs::SchedMode, work};
use baton_cosim::nic::Nic;
pub use program::Program;

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
    /// Segments with payload that the peers have received.
    pub segments_sent: u64,
    /// Cycles measured, asleep or not.
    pub cycles: u64,
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
}

/// Counts what goes on in the core.
struct Counter<'a> {
    program: &'a Program,
    kinds: [Kind; work::NAMES.len()],
    functions: Vec<Cost>,
    /// By word of the image.
    words: Vec<Cost>,
    current: usize,
    /// What the current piece of work has cost so far.
    open: Cost,
    waiting_cycles: u64,
}

impl<'a> Counter<'a> {
    fn new(program: &'a Program) -> Self {
        Counter {
            program,
            kinds: Default::default(),
            functions: vec![Cost::default(); program.functions.len()],
            words: vec![Cost::default(); program.words()],
            current: work::LOOK as usize,
            open: Cost::default(),
            waiting_cycles: 0,
        }
    }

    /// A cycle in which the core was awake; `retired`: the instruction that ended in it.
    fn cycle(&mut self, retired: Option<u32>) {
        self.waiting_cycles += 1;
        let Some(pc) = retired else { return };
        for &kind in self.program.marks(pc) {
            self.mark(kind);
        }
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

/// Cycles before the measurement, in which slow start ends and the tables become warm.
const WARM_CYCLES: u64 = 400_000;

/// Runs a load with `connections` active connections, and counts for `cycles` cycles.
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
    let config = LatencyConfig {
        connections: if workload == Workload::HostPackets { 0 } else { connections },
        peers_send: workload == Workload::Receive,
        nic_sends: workload == Workload::Send,
        mode: if workload == Workload::HostPackets { SchedMode::HostFirst } else { SchedMode::Direct },
        ..LatencyConfig::default()
    };
    let mut machine = Machine::start(&config, nic, firmware)?;
    let mut load = Load::start(&config, &mut machine)?;
    let start = machine.cycles() + WARM_CYCLES;
    let mut counter = Counter::new(program);
    let (mut probes, mut before) = (0, 0);
    while machine.cycles() < start + cycles {
        load.step(&mut machine)?;
        if workload == Workload::HostPackets && machine.wire_backlog < 2 {
            machine.send_probe(probes);
            probes += 1;
        }
        machine.step();
        let core = machine.outputs();
        if machine.cycles() <= start {
            before = load.segments_heard();
        } else if !core.core_asleep {
            counter.cycle(core.core_retired.then_some(core.core_pc));
        }
    }
    machine.check_firmware()?;
    ensure!(counter.kinds.iter().any(|kind| kind.times > 0), "the firmware did nothing");
    let mut functions: Vec<_> = program.functions.iter().cloned().zip(counter.functions).collect();
    functions.retain(|(_, cost)| cost.instructions > 0);
    functions.sort_by_key(|(_, cost)| std::cmp::Reverse(cost.instructions));
    let addresses = (RAM_BASE..).step_by(4).zip(counter.words);
    let addresses = addresses.filter(|(_, cost)| cost.instructions > 0).collect();
    let segments_sent = load.segments_heard() - before;
    Ok(Profile { kinds: counter.kinds, functions, addresses, segments_sent, cycles })
}

//! How long a host packet takes through the NIC in `direct` mode, to the cycle: on an idle NIC, and beside connections
//! that the NIC is busy with.
//!
//! A *probe* is the smallest frame (64 bytes with its check sequence, 60 on the stream): a TCP segment of a connection
//! that the NIC does not own, so that it takes the longest way, through the lookup. Its latency is counted from the
//! cycle of its last word at the NIC's stream input to the cycle of the write response of its completion entry in
//! host memory, memory's own answer included. No firmware and no driver has a part in it.
//!
//! The load ([`load::Load`]) is real: connections handed to the firmware, each with an endless send buffer and a
//! peer (the TCP engine's other copy) that never stops sending either, so that the wire is full in both directions.
//! Probes come at random times between its frames.

mod load;
mod machine;

pub(crate) use load::Load;
pub use load::Messages;
pub(crate) use machine::Machine;

use crate::report::Delay;
use anyhow::{ensure, Result};
use baton_abi::regs::SchedMode;
use baton_cosim::nic::Nic;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyConfig {
    pub seed: u64,
    /// Core clock of the NIC, in hertz.
    pub clock_hz: u64,
    /// Wire, in bits a second.
    pub rate_bps: u64,
    /// From the last word written to memory's response, in core cycles.
    pub memory_cycles: u32,
    /// Host packets to time.
    pub probes: u32,
    /// Connections on the NIC; 0 leaves it idle. More than the firmware's table holds are refused.
    pub connections: u32,
    /// The peers have endlessly much to send.
    pub peers_send: bool,
    /// The NIC has endlessly much to send.
    pub nic_sends: bool,
    /// How the NIC orders its work.
    pub mode: SchedMode,
    /// Bytes that the host gives with each command: the applications write that much at a time, and buffers that were read come
    /// back in such pieces. 0: a handoff brings buffers for the whole run.
    pub command_bytes: u32,
    /// Frames lost, duplicated and reordered on the wire, each this many in a million and in each direction.
    pub faults_ppm: u32,
}

impl Default for LatencyConfig {
    fn default() -> Self {
        LatencyConfig {
            seed: 1,
            clock_hz: 125_000_000,
            rate_bps: 1_000_000_000,
            memory_cycles: 8,
            probes: 1000,
            connections: 0,
            peers_send: true,
            nic_sends: true,
            mode: SchedMode::Direct,
            command_bytes: 0,
            faults_ppm: 0,
        }
    }
}

/// Cycles between two probes: at least these, and on average twice as many.
const PROBE_GAP_CYCLES: u64 = 2000;
/// Cycles without a completion after which the NIC has lost a probe.
const PROBE_LOST_CYCLES: u64 = 2_000_000;

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    /// From a probe's last word to the response of its completion.
    pub from_last_word: Delay,
    /// From its first word.
    pub from_first_word: Delay,
    /// Mean cycles of each stage, in order; they add up to the mean of `from_last_word`.
    pub stages: [(&'static str, f64); 3],
    /// Connections that the NIC owned.
    pub connections: u32,
    /// Bits a second on the wire while probes were sent, to the NIC and from it.
    pub wire_bps: [u64; 2],
}

/// Measures. `nic` is a NIC in reset; `firmware` its image.
///
/// # Errors
/// When the machine cannot be built, a handoff fails for another reason than a full table, or a probe gets lost.
pub fn measure<N: Nic>(config: &LatencyConfig, nic: N, firmware: &[u8]) -> Result<Latency> {
    let mut machine = Machine::start(config, nic, firmware)?;
    let mut load = Load::start(config, &mut machine)?;
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    // Slow start is over when the load has run for a while.
    let warm = if config.connections > 0 { 400_000 } else { 1000 };
    let mut next = machine.cycles() + warm;
    let (mut sent, mut quiet_since, mut done) = (0, 0, 0);
    let (mut bytes, mut start) = ([0; 2], 0);
    while done < config.probes as usize {
        if sent < config.probes && machine.cycles() >= next {
            if sent == 0 {
                (bytes, start) = (machine.wire_bytes(), machine.cycles());
            }
            machine.send_probe(sent);
            sent += 1;
            next = machine.cycles() + PROBE_GAP_CYCLES + u64::from(rng.next_u32()) % (2 * PROBE_GAP_CYCLES);
            quiet_since = machine.cycles();
        }
        load.step(&mut machine)?;
        machine.step();
        if machine.timings().len() > done {
            (done, quiet_since) = (machine.timings().len(), machine.cycles());
        }
        ensure!(
            sent == 0 || machine.cycles() - quiet_since < PROBE_LOST_CYCLES,
            "no completion for {PROBE_LOST_CYCLES} cycles after {done} of {sent} probes (seed {})",
            config.seed
        );
    }
    let timings = machine.timings();
    let cycles = (machine.cycles() - start).max(1);
    let end = machine.wire_bytes();
    let bps = |i: usize| {
        ((end[i] - bytes[i]) as u128 * 8 * u128::from(config.clock_hz) / u128::from(cycles)) as u64
    };
    let delay = |from: fn(&machine::Timing) -> u64| {
        Delay::of(timings.iter().map(|t| t.answered - from(t)).collect(), 60)
    };
    let mean = |span: fn(&machine::Timing) -> u64| {
        timings.iter().map(span).sum::<u64>() as f64 / timings.len() as f64
    };
    Ok(Latency {
        from_last_word: delay(|t| t.last_word),
        from_first_word: delay(|t| t.first_word),
        stages: [
            ("classify, queue, decide", mean(|t| t.addressed - t.last_word)),
            ("move frame and completion", mean(|t| t.moved - t.addressed)),
            ("memory's answer", mean(|t| t.answered - t.moved)),
        ],
        connections: load.connections(),
        wire_bps: [bps(0), bps(1)],
    })
}

//! What a run of the demo measured: the JSON record, the printed summary and the HTML page.
//!
//! Everything in [`Report`] but [`Report::wall_clock`] is a function of the configuration and the seed, to the bit.

mod html;
mod plot;
mod summary;

pub use html::page;
pub use summary::summary;

use serde::{Deserialize, Serialize};

/// The record of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub configuration: Configuration,
    pub outcome: Outcome,
    pub throughput: Throughput,
    pub packets: Packets,
    /// What the NIC's P4 program was seen to do; `None` if nobody looked.
    #[serde(default)]
    pub program: Option<ProgramRecord>,
    pub host_packet_delay: Delay,
    pub softcore: Softcore,
    pub connections: Vec<Connection>,
    /// What happened to the handed-off connection, in order.
    pub handoffs: Vec<Milestone>,
    /// One sample every [`Configuration::sample_us`] of simulated time.
    pub series: Vec<Sample>,
    /// Figures of the machine that ran the simulation; they differ from run to run.
    pub wall_clock: WallClock,
}

/// What was simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    pub seed: u64,
    pub core_clock_hz: u64,
    pub wire_rate_bps: u64,
    pub scheduler_mode: String,
    pub response_bytes: u64,
    pub host_connections: u32,
    pub firmware_bytes: u64,
    /// Microseconds between two samples of the series.
    pub sample_us: u64,
    /// Frames in a million that the wire loses, in each direction.
    pub loss_ppm: u32,
    /// Frames in a million that the wire delivers late, in each direction.
    pub reorder_ppm: u32,
}

/// Whether every byte arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub ok: bool,
    /// Empty when `ok`.
    pub failures: Vec<String>,
    /// Bytes of response bodies that clients compared with what the server was to send.
    pub bytes_checked: u64,
    pub simulated_us: u64,
    pub core_cycles: u64,
}

/// Response bytes by simulated time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Of the handed-off connection, from its first response byte to its last.
    pub offloaded_bps: u64,
    /// Of all connections, over the run.
    pub total_bps: u64,
}

/// Frames by the path they took through the NIC, from its counters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packets {
    pub nic_received: u64,
    pub nic_sent: u64,
    pub host_received: u64,
    pub host_sent: u64,
    /// Frames that the NIC dropped, by reason.
    pub dropped: Vec<(String, u64)>,
    /// Segments that the firmware retransmitted.
    pub nic_retransmits: u64,
}

/// What a P4 program did, and that it was as the interpreter of the language says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProgramRecord {
    pub name: String,
    /// Frames that were sent for the program to tell apart.
    pub probes: u64,
    /// Frames whose queue and class were compared.
    pub checked: u64,
    /// Frames that the program dropped.
    pub dropped: u64,
    /// Frames that the host got, by queue and class.
    pub queues: Vec<QueueCount>,
}

/// Frames of one of the host's queues.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueCount {
    pub queue: u8,
    pub class: u8,
    pub frames: u64,
}

/// Cycles from the arrival of a host packet's last word to its completion in host memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delay {
    pub packets: u64,
    pub mean_cycles: f64,
    pub p50_cycles: u64,
    pub p99_cycles: u64,
    pub max_cycles: u64,
    /// Number of packets by delay, in bins of `bin_cycles`.
    pub histogram: Vec<u64>,
    pub bin_cycles: u64,
}

/// What the core did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Softcore {
    pub instructions: u64,
    pub busy_cycles: u64,
    pub idle_cycles: u64,
    /// Share of cycles asleep, 0 to 1.
    pub idle_share: f64,
    /// Instructions for each packet that the firmware received or sent.
    pub instructions_per_packet: f64,
    /// Busy cycles for each packet that the firmware received or sent.
    pub cycles_per_packet: f64,
}

/// One client connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub name: String,
    /// The NIC was seen to own it at one of the samples.
    pub handed_off: bool,
    pub responses: u64,
    pub bytes: u64,
    pub ok: bool,
}

/// A step in the life of the handed-off connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Milestone {
    pub at_us: u64,
    pub at_cycle: u64,
    pub what: String,
    /// Response bytes that its client had received and checked by then.
    pub bytes: u64,
}

/// The state of the run at one moment; counts are since its start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub at_us: u64,
    pub offloaded_bytes: u64,
    pub host_bytes: u64,
    pub nic_packets: u64,
    pub host_packets: u64,
    pub nic_rx_queue: u32,
    pub host_rx_queue: u32,
    pub idle_cycles: u64,
    pub core_cycles: u64,
    /// Whether the NIC owned the connection.
    pub on_nic: bool,
}

/// Real time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WallClock {
    pub seconds: f64,
    pub core_cycles_per_second: f64,
}

impl Delay {
    /// Summarises delays in cycles. The histogram has at most `bins` bins.
    pub fn of(mut delays: Vec<u64>, bins: u64) -> Delay {
        delays.sort_unstable();
        let packets = delays.len() as u64;
        let max = delays.last().copied().unwrap_or(0);
        let percentile = |p: u64| match packets {
            0 => 0,
            n => delays[((n * p).div_ceil(100).max(1) - 1) as usize],
        };
        let bin_cycles = (max / bins + 1).max(1);
        let mut histogram = vec![0; (max / bin_cycles + 1) as usize];
        for delay in &delays {
            histogram[(delay / bin_cycles) as usize] += 1;
        }
        Delay {
            packets,
            mean_cycles: if packets == 0 { 0.0 } else { delays.iter().sum::<u64>() as f64 / packets as f64 },
            p50_cycles: percentile(50),
            p99_cycles: percentile(99),
            max_cycles: max,
            histogram,
            bin_cycles,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Delay;

    #[test]
    fn delay_percentiles_are_order_statistics() {
        let delay = Delay::of((1..=200).rev().collect(), 50);
        assert_eq!((delay.p50_cycles, delay.p99_cycles, delay.max_cycles), (100, 198, 200));
        assert_eq!(delay.mean_cycles, 100.5);
        assert_eq!(delay.histogram.iter().sum::<u64>(), 200);
        assert!(delay.histogram.len() <= 50);
        let none = Delay::of(vec![], 50);
        assert_eq!((none.packets, none.p99_cycles), (0, 0));
    }
}

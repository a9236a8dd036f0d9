//! What a run found: a flat list of metrics, named as in the table of the paper's figures, and time series.

use super::{Config, Options};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state of the NIC at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub at_us: u64,
    /// Connections on the NIC, `Soft_Limit`, and the length of the NIC receive queue: now, and the most so far.
    pub connections: u32,
    pub soft_limit: u32,
    pub qlen: u32,
    pub qlen_most: u32,
    pub packets: u64,
    pub responses: u64,
}

/// One finished run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub config: Config,
    pub options: Options,
    pub workload: String,
    pub clients: u32,
    pub core_mhz: u32,
    /// Named as in `targets.csv`: rates a second, shares in percent, times in microseconds or milliseconds.
    pub metrics: BTreeMap<String, f64>,
    /// Shares of the host processor's cycles by function, in percent; empty without a model of its cost.
    pub profile: BTreeMap<String, f64>,
    pub series: Vec<Sample>,
    /// When the measurement began.
    pub measured_from_us: u64,
    pub simulated_us: u64,
    pub core_cycles: u64,
    /// What went wrong; empty for a good run.
    pub failures: Vec<String>,
    /// Of the machine that simulated; not part of the result.
    pub wall_clock_s: f64,
}

impl Record {
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied()
    }

    /// The metrics as text, a line each.
    pub fn summary(&self) -> String {
        let mut text = format!(
            "{}  ({}, {} clients, clock {} MHz, softcore in {} of 65536 cycles, seed {})\n  {}\n",
            self.config,
            self.options.setting(),
            self.clients,
            self.core_mhz,
            self.options.core_cycles(),
            self.options.seed,
            self.workload
        );
        for (name, value) in &self.metrics {
            text += &format!("  {name:<40}{value:>14.2}\n");
        }
        for (name, value) in &self.profile {
            text += &format!("  cycles in {name:<30}{value:>14.2} %\n");
        }
        for failure in &self.failures {
            text += &format!("  FAILED: {failure}\n");
        }
        text + &format!("  {:.3} s simulated in {:.1} s\n", self.simulated_us as f64 / 1e6, self.wall_clock_s)
    }
}

/// The figures of the paper that are sums over the host's profile. Adds nothing for an empty profile.
pub fn host_metrics(profile: &BTreeMap<String, f64>, metrics: &mut BTreeMap<String, f64>) {
    if profile.is_empty() {
        return;
    }
    let sum = |names: &[&str]| -> f64 { names.iter().filter_map(|name| profile.get(*name)).sum() };
    let idle = sum(&["idle"]);
    let above = sum(&["application", "system calls"]);
    metrics.insert("host_idle".into(), idle);
    metrics.insert("host_cycles_in_kernel".into(), 100.0 - idle - sum(&["application"]));
    metrics.insert("host_cycles_below_syscalls".into(), 100.0 - idle - above);
}

/// The middle of some values; 0 of none.
pub fn median(mut values: Vec<u64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let (_, &mut value, _) = values.select_nth_unstable(middle);
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!((median(vec![]), median(vec![3]), median(vec![9, 1, 5])), (0.0, 3.0, 5.0));
    }
}

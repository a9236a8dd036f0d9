//! `baton bench`: figures of speed, by name.

use anyhow::{ensure, Context, Result};
use baton::demo::{self, DemoConfig};
use baton_cosim::{nic::VerilatedNic, reference};
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Measure and write every figure to a flat JSON object from name to number
///
/// cosim_core_cycles_per_second is the speed of the co-simulation of the whole NIC in the demo, in core cycles
/// a second of one processor core, with server and clients; the median of the runs. reference_cycles_per_second is
/// the speed of a small design that never changes, measured between the runs: the ratio of the two compares machines.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Runs of the demo
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    runs: u32,
    /// Firmware image, as `cargo xtask firmware` makes it
    #[arg(long, env = "BATON_FIRMWARE")]
    firmware: PathBuf,
    /// Where to write the figures
    #[arg(long, default_value = "target/bench.json")]
    output: PathBuf,
}

/// Cycles of the reference design in each run; a quarter of a second or so.
const REFERENCE_CYCLES: u32 = 1_000_000;

/// Runs the benchmark.
pub fn run(args: Args) -> Result<()> {
    let firmware = demo::read_firmware(&args.firmware)?;
    let bar = ProgressBar::new(u64::from(args.runs)).with_message("co-simulation");
    bar.enable_steady_tick(Duration::from_millis(200));
    let (mut speeds, mut references) = (Vec::new(), Vec::new());
    let mut figures = BTreeMap::new();
    for _ in 0..args.runs {
        let report =
            demo::run(&DemoConfig::default(), VerilatedNic::new(), &firmware, |_| Ok(()), &mut |_, _| {})?;
        ensure!(report.outcome.ok, "the demo failed: {:?}", report.outcome.failures);
        references.push(reference::cycles_per_second(REFERENCE_CYCLES)?);
        speeds.push(report.wall_clock.core_cycles_per_second);
        figures.insert("softcore_instructions_per_packet", report.softcore.instructions_per_packet);
        figures.insert("softcore_cycles_per_packet", report.softcore.cycles_per_packet);
        figures.insert("softcore_idle_share", report.softcore.idle_share);
        figures.insert("offloaded_bits_per_second", report.throughput.offloaded_bps as f64);
        figures.insert("host_packet_delay_mean_cycles", report.host_packet_delay.mean_cycles);
        figures.insert("host_packet_delay_p99_cycles", report.host_packet_delay.p99_cycles as f64);
        bar.inc(1);
    }
    bar.finish_and_clear();
    figures.insert("cosim_core_cycles_per_second", median(speeds));
    figures.insert("reference_cycles_per_second", median(references));
    for (name, value) in &figures {
        println!("{name:<40}{value:>18.3}");
    }
    let json = serde_json::to_string_pretty(&figures)? + "\n";
    if let Some(folder) = args.output.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::write(&args.output, json).with_context(|| format!("cannot write {}", args.output.display()))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

//! `baton bench`: figures of speed, by name.

use anyhow::{ensure, Context, Result};
use baton::demo::{self, DemoConfig};
use baton::latency::{self, LatencyConfig};
use baton::profile::{self, figures::BUDGETS, worst::Worst, Program, Workload};
use baton::report::Delay;
use baton_cosim::{nic::VerilatedNic, receive, reference};
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Measure and write every figure to a flat JSON object from name to number
///
/// cosim_core_cycles_per_second is the speed of the co-simulation of the whole NIC in the demo, in core cycles
/// a second of one processor core, with server and clients; the median of the runs. reference_cycles_per_second is
/// the speed of a small design that never changes, measured between the runs: the ratio of the two compares machines.
///
/// min_frame_interval_cycles is the smallest interval at which frames of minimum size pass the receive path without loss,
/// whatever their mix; lookup_refused_percent_at_4096 the share of connections that the lookup table refuses while it is
/// filled to 4096, and lookup_refused_percent_changing that of new ones when others leave the full table.
///
/// host_latency_* are core cycles from a host packet's last word at the NIC to the response of its completion entry in
/// host memory, in direct mode, memory's own 8 cycles included: of 64-byte frames on an idle NIC, and beside connections
/// on the NIC that send and receive all the time.
///
/// rx_*, tx_* and host_packet_instructions are instructions of the firmware for a unit of work, the look at the
/// scheduler that found it included; *_all_instructions have everything in them that the core did, divided by the segments.
/// worst_event_instructions is the most that one event took while connections were handed off, suffered faults on the wire and
/// were recalled; event_bound_instructions is the longest path through the program for an event, and turn_bound_instructions
/// that from one look at the scheduler to the next. *_per_megabyte_* are messages between host and NIC for a million bytes,
/// with 16 connections in both directions and buffers given in pieces of 16 KiB. `baton profile` and docs/firmware.md say more.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Runs of the demo
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    runs: u32,
    /// Firmware image, as `cargo xtask firmware` makes it
    #[arg(long, env = "BATON_FIRMWARE")]
    firmware: PathBuf,
    /// Connections on the NIC while the latency of host packets is measured; the firmware's table may hold fewer
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: u32,
    /// Host packets to time, on the idle NIC and beside the connections
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    probes: u32,
    /// Measure only the latency of host packets
    #[arg(long, conflicts_with = "work_only")]
    latency_only: bool,
    /// Measure only the instructions of the firmware's work
    #[arg(long)]
    work_only: bool,
    /// Where to write the figures
    #[arg(long, default_value = "target/bench.json")]
    output: PathBuf,
}

/// Cycles of the reference design in each run; a quarter of a second or so.
const REFERENCE_CYCLES: u32 = 1_000_000;

/// Runs the benchmark.
pub fn run(args: Args) -> Result<()> {
    let firmware = demo::read_firmware(&args.firmware)?;
    let mut figures = BTreeMap::new();
    if !args.latency_only && !args.work_only {
        receive_path(&mut figures)?;
        speed(&args, &firmware, &mut figures)?;
    }
    if !args.work_only {
        latency(&args, &firmware, &mut figures)?;
    }
    if !args.latency_only {
        work(&args, &firmware, &mut figures)?;
    }
    for (name, value) in &figures {
        println!("{name:<40}{value:>18.3}");
    }
    let json = serde_json::to_string_pretty(&figures)? + "\n";
    if let Some(folder) = args.output.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::write(&args.output, json).with_context(|| format!("cannot write {}", args.output.display()))
}

/// Figures of the demo, and the speed at which it was simulated.
fn speed(args: &Args, firmware: &[u8], figures: &mut BTreeMap<&'static str, f64>) -> Result<()> {
    let bar = ProgressBar::new(u64::from(args.runs)).with_message("co-simulation");
    bar.enable_steady_tick(Duration::from_millis(200));
    let (mut speeds, mut references) = (Vec::new(), Vec::new());
    for _ in 0..args.runs {
        let report =
            demo::run(&DemoConfig::default(), VerilatedNic::new(), firmware, |_| Ok(()), &mut |_, _| {})?;
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
    Ok(())
}

/// Figures of the receive path, measured on its Verilog.
fn receive_path(figures: &mut BTreeMap<&'static str, f64>) -> Result<()> {
    figures.insert("min_frame_interval_cycles", receive::min_frame_interval_cycles(5000)?.into());
    let refused = receive::lookup_refused::<12>(1, 32, 4096)?;
    figures.insert("lookup_refused_percent_at_4096", refused.filling);
    figures.insert("lookup_refused_percent_changing", refused.changing);
    Ok(())
}

/// Latency of host packets, idle and loaded.
fn latency(args: &Args, firmware: &[u8], figures: &mut BTreeMap<&'static str, f64>) -> Result<()> {
    let bar = ProgressBar::new(2).with_message("latency of host packets");
    bar.enable_steady_tick(Duration::from_millis(200));
    let idle = LatencyConfig { probes: args.probes, ..LatencyConfig::default() };
    let loaded = LatencyConfig { connections: args.connections, ..idle.clone() };
    for (config, name) in [(&idle, "idle"), (&loaded, "loaded")] {
        let measured = latency::measure(config, VerilatedNic::new(), firmware)?;
        bar.inc(1);
        let delay = &measured.from_last_word;
        bar.suspend(|| {
            println!("host packets, {name}: {} connections on the NIC", measured.connections);
            let [to_nic, from_nic] = measured.wire_bps.map(|bps| bps as f64 / 1e6);
            println!("  wire: {to_nic:.0} Mb/s to the NIC, {from_nic:.0} Mb/s from it");
            println!("  from the last word: {}", of(delay));
            println!("  from the first word: {}", of(&measured.from_first_word));
            for (stage, cycles) in measured.stages {
                let share = 100.0 * cycles / delay.mean_cycles.max(1.0);
                println!("  {stage:<28}{cycles:8.1} cycles on average, {share:4.1} %");
            }
        });
        match name {
            "idle" => {
                // On an idle NIC one figure stands for all, so it is the worst.
                figures.insert("host_latency_idle_cycles", delay.max_cycles as f64);
                figures.insert(
                    "host_latency_idle_first_word_cycles",
                    measured.from_first_word.max_cycles as f64,
                );
            }
            _ => {
                figures.insert("host_latency_loaded_p99_cycles", delay.p99_cycles as f64);
                figures.insert("host_latency_loaded_max_cycles", delay.max_cycles as f64);
                figures.insert("host_latency_loaded_connections", f64::from(measured.connections));
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Functions that the table of each load lists.
const FUNCTIONS: usize = 6;

/// Instructions of the firmware by kind of work, with all connections active, and whether they are within their budgets.
fn work(args: &Args, firmware: &[u8], figures: &mut BTreeMap<&'static str, f64>) -> Result<()> {
    let program = Program::beside(&args.firmware)?;
    let bar = ProgressBar::new(Workload::ALL.len() as u64).with_message("instructions by kind of work");
    bar.enable_steady_tick(Duration::from_millis(200));
    for (workload, name) in Workload::ALL {
        let nic = VerilatedNic::new();
        let profile = profile::figures::run(workload, args.connections, nic, firmware, &program)?;
        bar.inc(1);
        bar.suspend(|| {
            println!("{name}");
            super::profile::print(&profile, FUNCTIONS);
        });
        figures.extend(profile::figures::of(workload, &profile));
    }
    bar.finish_and_clear();
    let worst = Worst::of(&program)?;
    println!("the longest paths through the program, in instructions");
    for (event, most) in &worst.events {
        println!("  {event:<20} {most:>8}");
    }
    println!("  {:<20} {:>8}", "a turn of the loop", worst.turn);
    figures.extend(profile::figures::bounds(&program)?);
    for (name, most) in BUDGETS {
        if let Some(value) = figures.get(name).filter(|value| **value > most) {
            println!("{name} is {value:.1}; its budget is {most}");
        }
    }
    Ok(())
}

fn of(delay: &Delay) -> String {
    format!(
        "mean {:.1}, median {}, 99th percentile {}, most {} cycles",
        delay.mean_cycles, delay.p50_cycles, delay.p99_cycles, delay.max_cycles
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

//! `baton profile`: what the firmware's work costs.

use anyhow::{Context, Result};
use baton::demo;
use baton::profile::{self, figures, Cost, Kind, Profile, Program, Workload};
use baton_abi::work;
use baton_cosim::nic::VerilatedNic;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Count the firmware's instructions and cycles on the simulated NIC, by kind of work and by function
///
/// A kind of work counts from the look at the scheduler that found it. Cycles in which the core slept do not
/// count. Host packets are moved by the core in mode host-first; the other loads run in mode direct.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Firmware image, as `cargo xtask firmware` makes it; its executable (.elf) must lie beside it
    #[arg(long, env = "BATON_FIRMWARE")]
    firmware: PathBuf,
    /// Active connections; the firmware's table may hold fewer
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: u32,
    /// Core cycles to measure, for each load; as many as the figures of `baton bench` need, if not given
    #[arg(long)]
    cycles: Option<u64>,
    /// Functions to list, for each load
    #[arg(long, default_value_t = 8)]
    functions: usize,
    /// Also write how often each instruction ran, and its cycles, to FILE.0, FILE.1 and so on, a line for each address, for use
    /// beside a disassembly
    #[arg(long, value_name = "FILE")]
    addresses: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let firmware = demo::read_firmware(&args.firmware)?;
    let program = Program::beside(&args.firmware)?;
    for (index, (workload, name)) in Workload::ALL.into_iter().enumerate() {
        let nic = VerilatedNic::new();
        let profile = match args.cycles {
            Some(cycles) => profile::measure(workload, args.connections, cycles, nic, &firmware, &program)?,
            None => figures::run(workload, args.connections, nic, &firmware, &program)?,
        };
        println!("{name}");
        print(&profile, args.functions);
        if let Some(path) = &args.addresses {
            let path = path.with_added_extension(index.to_string());
            write_addresses(&profile, &path).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

fn write_addresses(profile: &Profile, path: &Path) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for (address, cost) in &profile.addresses {
        writeln!(file, "{address:08x} {} {}", cost.instructions, cost.cycles)?;
    }
    file.flush()
}

/// Prints what a load cost, by kind of work and by function.
pub(super) fn print(profile: &Profile, functions: usize) {
    print_kinds(&profile.kinds);
    if profile.segments_sent > 0 {
        let cost = profile.kinds[work::TRANSMIT as usize].cost;
        let each = |total: u64| total as f64 / profile.segments_sent as f64;
        println!(
            "  {:<32}{:>9}{:>14.1}{:>10.1}",
            "transmit a segment",
            profile.segments_sent,
            each(cost.instructions),
            each(cost.cycles)
        );
    }
    print_functions(&profile.functions, functions);
}

/// Prints kinds of work, by their numbers.
pub(super) fn print_kinds(kinds: &[Kind]) {
    println!("  {:<32}{:>9}{:>14}{:>10}{:>8}", "kind of work", "times", "instructions", "cycles", "most");
    for (kind, name) in kinds.iter().zip(work::NAMES).filter(|(kind, _)| kind.times > 0) {
        let Kind { times, cost, most } = kind;
        let each = |total: u64| total as f64 / *times as f64;
        println!(
            "  {name:<32}{times:>9}{:>14.1}{:>10.1}{:>8}",
            each(cost.instructions),
            each(cost.cycles),
            most.instructions
        );
    }
}

/// Prints the first `most` of functions.
pub(super) fn print_functions(functions: &[(String, Cost)], most: usize) {
    let all: u64 = functions.iter().map(|(_, cost)| cost.instructions).sum();
    for (name, Cost { instructions, cycles }) in functions.iter().take(most) {
        let share = 100.0 * *instructions as f64 / all as f64;
        println!("  {share:5.1} % {instructions:>10} instructions {cycles:>10} cycles  {name}");
    }
}

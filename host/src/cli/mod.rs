//! The `baton` command line: one module a subcommand.

mod bench;
mod calibrate;
mod demo;
mod hostlink;
mod live;
mod load_control;
mod p4;
mod profile;
mod registers;
mod reproduce;
mod run;
mod softcore;
mod verilog;
mod wave;
mod workload;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A TCP-offload NIC built around connection handoff, and its co-simulation.
#[derive(Parser, Debug)]
#[command(name = "baton", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do. Each subcommand's arguments and code are in a module of its own.
#[derive(Subcommand, Debug)]
enum Command {
    Demo(demo::Args),
    Bench(bench::Args),
    Hostlink(hostlink::Args),
    Live(live::Args),
    Calibrate(calibrate::Args),
    P4(p4::Args),
    /// List the selection policies
    Policies,
    Profile(profile::Args),
    /// Print the registers that the host driver sees.
    Registers(registers::Args),
    Reproduce(reproduce::Args),
    Compare(reproduce::CompareArgs),
    Run(run::Args),
    /// Run programs on the bare softcore.
    Softcore(softcore::Args),
    Verilog(verilog::Args),
    Wave(wave::Args),
    Workload(workload::Args),
}

/// Parses the command line and runs it.
pub fn run() -> Result<ExitCode> {
    let cli = Cli::try_parse().unwrap_or_else(|error| {
        // The compiler's exit status is as rustc's, which has 1 for whatever is wrong.
        if error.use_stderr() && std::env::args_os().nth(1).is_some_and(|word| word == "p4") {
            let _ = error.print();
            std::process::exit(1);
        }
        error.exit()
    });
    match cli.command {
        Command::Demo(args) => demo::run(args)?,
        Command::Bench(args) => bench::run(args)?,
        Command::Hostlink(args) => hostlink::run(&args)?,
        Command::Live(args) => live::run(args)?,
        Command::Calibrate(args) => calibrate::run(&args)?,
        Command::Profile(args) => profile::run(args)?,
        Command::Policies => print!("{}", baton::policy::list()),
        Command::Reproduce(args) => reproduce::run(&args)?,
        Command::Compare(args) => reproduce::run_compare(&args)?,
        Command::Run(args) => run::run(args)?,
        Command::Wave(args) => wave::run(&args)?,
        Command::Workload(args) => workload::run(&args)?,
        Command::Registers(args) => registers::run(&args)?,
        Command::Verilog(args) => verilog::run(&args)?,
        Command::P4(args) => return p4::run(&args),
        Command::Softcore(args) => return Ok(softcore::run(&args)),
    }
    Ok(ExitCode::SUCCESS)
}

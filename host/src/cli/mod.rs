//! The `baton` command line: one module a subcommand.

mod bench;
mod demo;
mod hostlink;
mod live;
mod p4;
mod profile;
mod registers;
mod softcore;
mod verilog;

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
    P4(p4::Args),
    Profile(profile::Args),
    /// Print the registers that the host driver sees.
    Registers(registers::Args),
    /// Run programs on the bare softcore.
    Softcore(softcore::Args),
    Verilog(verilog::Args),
}

/// Parses the command line and runs it.
pub fn run() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Demo(args) => demo::run(args)?,
        Command::Bench(args) => bench::run(args)?,
        Command::Hostlink(args) => hostlink::run(&args)?,
        Command::Live(args) => live::run(args)?,
        Command::Profile(args) => profile::run(args)?,
        Command::Registers(args) => registers::run(&args)?,
        Command::Verilog(args) => verilog::run(&args)?,
        Command::P4(args) => return p4::run(&args),
        Command::Softcore(args) => return Ok(softcore::run(&args)),
    }
    Ok(ExitCode::SUCCESS)
}

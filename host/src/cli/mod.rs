//! The `baton` command line: one module a subcommand.

use anyhow::Result;
use clap::{Parser, Subcommand};

/// A TCP-offload NIC built around connection handoff, and its co-simulation.
#[derive(Parser, Debug)]
#[command(name = "baton", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do. Each subcommand's arguments and code are in a module of its own.
#[derive(Subcommand, Debug)]
pub enum Command {}

/// Parses the command line and runs it.
pub fn run() -> Result<()> {
    match Cli::parse().command {}
}

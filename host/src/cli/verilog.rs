//! `baton verilog`: the emitted hardware, for other tools.

use anyhow::{Context, Result};
use baton_hdl::nic::{self, NicConfig, ReceiveSize};
use std::path::PathBuf;

/// Emit the NIC as SystemVerilog
///
/// The top module is nic_top; hdl/src/nic.rs describes its pins. yosys reads it with `read_verilog -sv`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Core memory in KiB, for the firmware and its connections
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(32..=8192))]
    core_memory_kib: u32,
    /// Receive path for a board: 1024 connections and no jumbo frames, instead of 4096 and with them
    #[arg(long)]
    board: bool,
    /// File to write; without it the text goes to standard output
    #[arg(long, short)]
    output: Option<PathBuf>,
}

/// Emits the text.
pub fn run(args: &Args) -> Result<()> {
    let text = nic::verilog(&NicConfig {
        core_memory_bytes: args.core_memory_kib * 1024,
        receive: if args.board { ReceiveSize::Board } else { ReceiveSize::Full },
    });
    match &args.output {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display())),
        None => {
            use std::io::Write;
            match std::io::stdout().write_all(text.as_bytes()) {
                // A reader that has seen enough is no error.
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    Err(error).context("cannot write")
                }
                _ => Ok(()),
            }
        }
    }
}

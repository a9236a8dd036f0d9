//! `baton verilog`: the emitted hardware, for other tools.

use anyhow::{ensure, Context, Result};
use baton_hdl::mac::MacConfig;
use baton_hdl::nic::{self, NicConfig, ReceiveSize};
use baton_hdl::nic_mac;
use baton_hdl::softcore::{self, System};
use std::path::PathBuf;

/// Emit the hardware as SystemVerilog
///
/// One file, without includes and parameters: yosys reads it with `read_verilog -sv`, Verilator as it is. Clock and
/// reset of each top are `clock` and `reset` (synchronous, active high); the MAC's two line clocks have their own.
///
/// The whole NIC: `baton verilog -o nic_top.v`. The softcore for riscv-formal: `baton verilog --top softcore --rvfi
/// --no-devices --core-memory-kib 64 -o softcore.v`; docs/softcore.md has the wrapper and the configuration that go
/// with it.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to emit
    #[arg(long, value_enum, default_value_t = Top::Nic)]
    top: Top,
    /// Add the RISC-V Formal Interface (rvfi_valid and so on) to the softcore's ports
    #[arg(long)]
    rvfi: bool,
    /// Leave the softcore's device bus silent: device addresses fault, as all others outside memory
    #[arg(long)]
    no_devices: bool,
    /// Core memory in KiB, for the firmware and its connections
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(32..=8192))]
    core_memory_kib: u32,
    /// Receive path for a board: 1024 connections and no jumbo frames, instead of 4096 and with them
    #[arg(long)]
    board: bool,
    /// A NIC that takes no connections: every frame is the host's, and it cuts no frames into segments
    #[arg(long)]
    no_handoff: bool,
    /// File to write; without it the text goes to standard output
    #[arg(long, short)]
    output: Option<PathBuf>,
}

/// What can be a top module.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Top {
    /// The NIC, from stream to AXI: module nic_top, described in hdl/src/nic.rs
    Nic,
    /// The NIC with its MAC, at GMII pins: module nic_gmii, described in hdl/src/nic_mac.rs
    NicGmii,
    /// The RISC-V core with its memory: module softcore, described in docs/softcore.md
    Softcore,
}

/// Emits the text.
pub fn run(args: &Args) -> Result<()> {
    let bytes = args.core_memory_kib * 1024;
    let system = || System::with_devices(bytes as usize / 4, !args.no_devices);
    let text = match (args.top, args.rvfi) {
        (Top::Nic | Top::NicGmii, rvfi) => {
            ensure!(!rvfi, "--rvfi is of the softcore by itself: add --top softcore");
            ensure!(
                !args.no_devices,
                "the NIC has devices; --no-devices is of the softcore: add --top softcore"
            );
            let receive = if args.board { ReceiveSize::Board } else { ReceiveSize::Full };
            let config = NicConfig {
                core_memory_bytes: bytes,
                receive,
                boot_ticks_per_us: None,
                pace: !args.board,
                handoff: !args.no_handoff,
            };
            match args.top {
                Top::NicGmii => nic_mac::gmii_verilog(&config, &MacConfig::default()),
                _ => nic::verilog(&config),
            }
        }
        (Top::Softcore, false) => softcore::verilog(system()),
        (Top::Softcore, true) => softcore::verilog_rvfi(system()),
    };
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

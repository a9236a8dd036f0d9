//! The fast model of the NIC, in which what rests gets no clock edge, against the plain model of the same circuit: every
//! output in every cycle, while connections are handed off, restored and lose segments, in each scheduler mode.

use anyhow::{ensure, Result};
use baton::demo::{self, DemoConfig};
use baton_abi::regs::SchedMode;
use baton_cosim::nic::{TracedNic, VerilatedNic, VERILOG};
use baton_tests::Lockstep;

#[test]
fn the_fast_model_and_the_plain_one_agree_in_every_cycle() -> Result<()> {
    for (mode, loss_ppm) in [(SchedMode::Direct, 10_000), (SchedMode::HostFirst, 0), (SchedMode::Fcfs, 0)] {
        let nic = Lockstep { nic: VerilatedNic::new(), other: TracedNic::new(VERILOG, None)?, cycles: 0 };
        let config = DemoConfig {
            mode,
            loss_ppm,
            reorder_ppm: 2 * loss_ppm,
            response_bytes: 256 << 10,
            ..DemoConfig::default()
        };
        let report = demo::run(&config, nic, &baton_tests::firmware()?, |_| Ok(()), &mut |_, _| {})?;
        ensure!(report.outcome.ok, "{:?}", report.outcome.failures);
    }
    Ok(())
}

//! The fast model of the NIC, in which what rests gets no clock edge, against the plain model of the same circuit: every
//! output in every cycle, while connections are handed off, restored and lose segments, in each scheduler mode.

use anyhow::{ensure, Result};
use baton::demo::{self, DemoConfig};
use baton_abi::regs::SchedMode;
use baton_cosim::nic::{Nic, TracedNic, VerilatedNic, VERILOG};
use baton_cosim::pins::{NicIn, NicOut, Ports};

struct Both {
    fast: VerilatedNic,
    plain: TracedNic,
    cycles: u64,
}

impl Nic for Both {
    fn cycle(&mut self, pins: &NicIn, changed: Ports, out: &mut NicOut) -> Ports {
        let (before, mut plain) = (*out, *out);
        let moved = self.fast.cycle(pins, changed, out);
        self.plain.cycle(pins, changed, &mut plain);
        assert_eq!(*out, plain, "cycle {}", self.cycles);
        let told = moved.0 & out.changed(&before).0 == out.changed(&before).0;
        assert!(told, "cycle {}: {before:x?}, then {out:x?}, but {moved:?}", self.cycles);
        self.cycles += 1;
        moved
    }
}

#[test]
fn the_fast_model_and_the_plain_one_agree_in_every_cycle() -> Result<()> {
    for (mode, loss_ppm) in [(SchedMode::Direct, 10_000), (SchedMode::HostFirst, 0), (SchedMode::Fcfs, 0)] {
        let both = Both { fast: VerilatedNic::new(), plain: TracedNic::new(VERILOG, None)?, cycles: 0 };
        let config = DemoConfig {
            mode,
            loss_ppm,
            reorder_ppm: 2 * loss_ppm,
            response_bytes: 256 << 10,
            ..DemoConfig::default()
        };
        let report = demo::run(&config, both, &baton_tests::firmware()?, |_| Ok(()), &mut |_, _| {})?;
        ensure!(report.outcome.ok, "{:?}", report.outcome.failures);
    }
    Ok(())
}

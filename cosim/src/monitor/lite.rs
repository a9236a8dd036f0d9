//! AXI4-Lite, all five channels.

use super::{rule, Rule};
use crate::axil::{LiteManager, LiteRegisters};

/// Watches one AXI4-Lite port.
#[derive(Clone, Debug, Default)]
pub struct LiteMonitor {
    before: (LiteManager, LiteRegisters),
    /// Something was offered before and not taken, or reset was high: there is something to compare with.
    armed: bool,
    reset_before: bool,
    /// Write addresses and words taken and not answered; reads taken and not answered.
    addresses: u32,
    words: u32,
    reads: u32,
}

impl LiteMonitor {
    /// Checks a cycle.
    ///
    /// # Errors
    /// The rule that is broken.
    #[inline]
    pub fn check(&mut self, reset: bool, manager: &LiteManager, registers: &LiteRegisters) -> Rule {
        if self.armed && (self.reset_before || !reset) {
            self.compare(manager, registers)?;
        }
        if reset {
            *self = LiteMonitor { armed: true, reset_before: true, ..LiteMonitor::default() };
            return Ok(());
        }
        self.reset_before = false;
        self.armed = false;
        let asked = manager.awvalid | manager.wvalid | manager.arvalid;
        if asked | registers.bvalid | registers.rvalid {
            self.transfers(manager, registers)?;
        }
        Ok(())
    }

    /// What was offered and not taken stays as it is (A3.2.1); nothing is offered in the cycle after one of reset
    /// (A3.1.2).
    fn compare(&self, manager: &LiteManager, registers: &LiteRegisters) -> Rule {
        let (was, had) = &self.before;
        if self.reset_before {
            let manager_valid = manager.awvalid || manager.wvalid || manager.arvalid;
            rule(!manager_valid, "the manager offers something in the cycle after reset (A3.1.2)")?;
            return rule(
                !registers.bvalid && !registers.rvalid,
                "register B or R is valid in the cycle after reset (A3.1.2)",
            );
        }
        rule(
            !was.awvalid || had.awready || (manager.awvalid, manager.awaddr) == (true, was.awaddr),
            "register AW changed or fell before it was accepted (A3.2.1)",
        )?;
        let word = (manager.wvalid, manager.wdata, manager.wstrb) == (true, was.wdata, was.wstrb);
        rule(
            !was.wvalid || had.wready || word,
            "register W changed or fell before it was accepted (A3.2.1)",
        )?;
        rule(
            !was.arvalid || had.arready || (manager.arvalid, manager.araddr) == (true, was.araddr),
            "register AR changed or fell before it was accepted (A3.2.1)",
        )?;
        rule(
            !had.bvalid || was.bready || (registers.bvalid, registers.bresp) == (true, had.bresp),
            "register B changed or fell before it was accepted (A3.2.1)",
        )?;
        let data = (registers.rvalid, registers.rdata, registers.rresp) == (true, had.rdata, had.rresp);
        rule(!had.rvalid || was.rready || data, "register R changed or fell before it was accepted (A3.2.1)")
    }

    fn transfers(&mut self, manager: &LiteManager, registers: &LiteRegisters) -> Rule {
        self.before = (*manager, *registers);
        self.armed = (manager.awvalid && !registers.awready)
            || (manager.wvalid && !registers.wready)
            || (manager.arvalid && !registers.arready)
            || (registers.bvalid && !manager.bready)
            || (registers.rvalid && !manager.rready);
        if registers.bvalid {
            let asked = self.addresses.min(self.words);
            rule(asked > 0, "register B without a write, or before its address and word (A3.3.1)")?;
            rule(registers.bresp != 1, "register B is EXOKAY (B1.1.1)")?;
            self.addresses -= u32::from(manager.bready);
            self.words -= u32::from(manager.bready);
        }
        if registers.rvalid {
            rule(self.reads > 0, "register R without a read (A3.3.1)")?;
            rule(registers.rresp != 1, "register R is EXOKAY (B1.1.1)")?;
            self.reads -= u32::from(manager.rready);
        }
        self.addresses += u32::from(manager.awvalid && registers.awready);
        self.words += u32::from(manager.wvalid && registers.wready);
        self.reads += u32::from(manager.arvalid && registers.arready);
        Ok(())
    }
}

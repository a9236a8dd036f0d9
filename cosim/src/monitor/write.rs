//! The write channels of AXI4: AW, W and B.

use super::{burst, rule, Rule};
use crate::axi::{WriteMaster, WriteMemory};
use std::collections::VecDeque;

/// Watches the write channels of one port.
#[derive(Clone, Debug, Default)]
pub struct WriteMonitor {
    before: (WriteMaster, WriteMemory),
    /// Something was offered before and not taken, or reset was high: there is something to compare with.
    armed: bool,
    reset_before: bool,
    /// Bursts whose data is incomplete, as words still to come: data comes in address order (A5.3).
    data: VecDeque<u32>,
    /// Words that came before their address: whether each was marked as the last.
    early: VecDeque<bool>,
    /// Bursts of which everything has been taken and no response given.
    unanswered: u32,
}

impl WriteMonitor {
    /// Checks a cycle.
    ///
    /// # Errors
    /// The rule that is broken.
    #[inline]
    pub fn check(&mut self, reset: bool, master: &WriteMaster, memory: &WriteMemory) -> Rule {
        if self.armed && (self.reset_before || !reset) {
            self.compare(master, memory)?;
        }
        if reset {
            *self = WriteMonitor { armed: true, reset_before: true, ..WriteMonitor::default() };
            return Ok(());
        }
        self.reset_before = false;
        self.armed = false;
        if master.awvalid | master.wvalid | memory.bvalid {
            self.transfers(master, memory)?;
        }
        Ok(())
    }

    /// Nothing is outstanding.
    pub fn is_quiet(&self) -> bool {
        self.unanswered == 0 && self.data.is_empty() && self.early.is_empty()
    }

    /// What was offered and not taken stays as it is (A3.2.1); nothing is offered in the cycle after one of reset
    /// (A3.1.2).
    fn compare(&self, master: &WriteMaster, memory: &WriteMemory) -> Rule {
        let (was, had) = &self.before;
        if self.reset_before {
            rule(!master.awvalid && !master.wvalid, "AW or W is valid in the cycle after reset (A3.1.2)")?;
            return rule(!memory.bvalid, "B is valid in the cycle after reset (A3.1.2)");
        }
        let address = (master.awvalid, master.awaddr, master.awlen) == (true, was.awaddr, was.awlen);
        rule(!was.awvalid || had.awready || address, "AW changed or fell before it was accepted (A3.2.1)")?;
        let word = (master.wvalid, master.wdata, master.wstrb, master.wlast)
            == (true, was.wdata, was.wstrb, was.wlast);
        rule(!was.wvalid || had.wready || word, "W changed or fell before it was accepted (A3.2.1)")?;
        let response = (memory.bvalid, memory.bresp) == (true, had.bresp);
        rule(!had.bvalid || was.bready || response, "B changed or fell before it was accepted (A3.2.1)")
    }

    fn transfers(&mut self, master: &WriteMaster, memory: &WriteMemory) -> Rule {
        self.before = (*master, *memory);
        self.armed = (master.awvalid && !memory.awready)
            || (master.wvalid && !memory.wready)
            || (memory.bvalid && !master.bready);
        // A response follows what was taken in cycles before.
        if memory.bvalid {
            rule(self.unanswered > 0, "B without a request, or before its last word (A3.3.1)")?;
            rule(memory.bresp != 1, "B is EXOKAY without an exclusive access (A3.4.4)")?;
            self.unanswered -= u32::from(master.bready);
        }
        if master.awvalid {
            burst(master.awaddr, master.awlen)?;
            if memory.awready {
                self.data.push_back(u32::from(master.awlen) + 1);
                while let Some(last) = self.early.pop_front() {
                    self.word(last)?;
                }
            }
        }
        if master.wvalid && memory.wready {
            self.word(master.wlast)?;
        }
        Ok(())
    }

    fn word(&mut self, last: bool) -> Rule {
        let Some(words) = self.data.front_mut() else {
            self.early.push_back(last);
            return Ok(());
        };
        *words -= 1;
        let done = *words == 0;
        if done {
            self.data.pop_front();
            self.unanswered += 1;
        }
        rule(last == done, "wlast is not on the last word of a burst (A3.4.1)")
    }
}

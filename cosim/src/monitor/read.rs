//! The read channels of AXI4: AR and R.

use super::{burst, rule, Rule};
use crate::axi::{ReadMaster, ReadMemory};
use std::collections::VecDeque;

/// Watches the read channels of one port.
#[derive(Clone, Debug, Default)]
pub struct ReadMonitor {
    before: (ReadMaster, ReadMemory),
    /// Something was offered before and not taken, or reset was high: there is something to compare with.
    armed: bool,
    reset_before: bool,
    /// Bursts asked for, as words still to come. All have one id, so data comes in order (A5.3).
    due: VecDeque<u32>,
    /// Most bursts that were due at once.
    pub outstanding_max: usize,
}

impl ReadMonitor {
    /// Checks a cycle.
    ///
    /// # Errors
    /// The rule that is broken.
    #[inline]
    pub fn check(&mut self, reset: bool, master: &ReadMaster, memory: &ReadMemory) -> Rule {
        if self.armed && (self.reset_before || !reset) {
            self.compare(master, memory)?;
        }
        if reset {
            *self = ReadMonitor {
                armed: true,
                reset_before: true,
                outstanding_max: self.outstanding_max,
                ..ReadMonitor::default()
            };
            return Ok(());
        }
        self.reset_before = false;
        self.armed = false;
        if master.arvalid | memory.rvalid {
            self.transfers(master, memory)?;
        }
        Ok(())
    }

    /// Nothing is outstanding.
    pub fn is_quiet(&self) -> bool {
        self.due.is_empty()
    }

    /// What was offered and not taken stays as it is (A3.2.1); nothing is offered in the cycle after one of reset
    /// (A3.1.2).
    fn compare(&self, master: &ReadMaster, memory: &ReadMemory) -> Rule {
        let (was, had) = &self.before;
        if self.reset_before {
            rule(!master.arvalid, "AR is valid in the cycle after reset (A3.1.2)")?;
            return rule(!memory.rvalid, "R is valid in the cycle after reset (A3.1.2)");
        }
        let address = (master.arvalid, master.araddr, master.arlen) == (true, was.araddr, was.arlen);
        rule(!was.arvalid || had.arready || address, "AR changed or fell before it was accepted (A3.2.1)")?;
        let word = (memory.rvalid, memory.rdata, memory.rresp, memory.rlast)
            == (true, had.rdata, had.rresp, had.rlast);
        rule(!had.rvalid || was.rready || word, "R changed or fell before it was accepted (A3.2.1)")
    }

    fn transfers(&mut self, master: &ReadMaster, memory: &ReadMemory) -> Rule {
        self.before = (*master, *memory);
        self.armed = (master.arvalid && !memory.arready) || (memory.rvalid && !master.rready);
        // Data follows what was asked for in cycles before.
        if memory.rvalid {
            let words = self.due.front_mut();
            rule(words.is_some(), "R without a request, or more words than were asked for (A3.3.1)")?;
            rule(memory.rresp != 1, "R is EXOKAY without an exclusive access (A3.4.4)")?;
            if let Some(words) = words {
                rule(memory.rlast == (*words == 1), "rlast is not on the last word of a burst (A3.4.1)")?;
                if master.rready {
                    *words -= 1;
                    if *words == 0 {
                        self.due.pop_front();
                    }
                }
            }
        }
        if master.arvalid {
            burst(master.araddr, master.arlen)?;
            if memory.arready {
                self.due.push_back(u32::from(master.arlen) + 1);
                self.outstanding_max = self.outstanding_max.max(self.due.len());
            }
        }
        Ok(())
    }
}

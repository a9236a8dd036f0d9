//! The machine's port while its software runs: register writes wait until the software has come to them.
//!
//! The software of a piece of work runs at one instant of the co-simulation, the piece's start, and takes its time
//! afterwards. What it writes to memory may be there early, since the NIC looks only after a doorbell; a doorbell may
//! not. So writes are gathered here, each with the work that was done before it. A read of a register flushes them and waits.

use anyhow::Result;
use baton_cosim::port::{HostMemory, HostPort};

use super::charge::BusyClock;

/// See the module's header.
pub struct TimedPort<'a> {
    port: &'a mut dyn HostPort,
    busy: BusyClock,
    writes: Vec<RegisterWrite>,
    waited_ps: u64,
}

/// A write that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterWrite {
    pub address: u32,
    pub value: u32,
    /// Its time by the [`BusyClock`] that the port was given.
    pub busy_ps: u64,
}

impl<'a> TimedPort<'a> {
    pub fn new(port: &'a mut dyn HostPort, busy: BusyClock) -> Self {
        TimedPort { port, busy, writes: Vec::new(), waited_ps: 0 }
    }

    /// Register writes that wait, in order, and how long reads have taken.
    pub fn finish(self) -> (Vec<RegisterWrite>, u64) {
        (self.writes, self.waited_ps)
    }
}

impl HostPort for TimedPort<'_> {
    fn reg_write(&mut self, address: u32, value: u32) {
        self.writes.push(RegisterWrite { address, value, busy_ps: self.busy.get() });
    }

    fn reg_read(&mut self, address: u32) -> Result<u32> {
        for write in self.writes.drain(..) {
            self.port.reg_write(write.address, write.value);
        }
        let before_ps = self.port.now_ps();
        let answer = self.port.reg_read(address);
        self.waited_ps += self.port.now_ps() - before_ps;
        answer
    }

    fn memory(&self) -> &HostMemory {
        self.port.memory()
    }

    fn memory_mut(&mut self) -> &mut HostMemory {
        self.port.memory_mut()
    }

    fn irq(&self) -> bool {
        self.port.irq()
    }

    fn now_ps(&self) -> u64 {
        self.port.now_ps()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::plain_nic::PlainNic;
    use baton_abi::regs;

    #[test]
    fn writes_carry_the_time_of_the_work_before_them() {
        let (mut nic, busy) = (PlainNic::new(1 << 20), BusyClock::default());
        let mut port = TimedPort::new(&mut nic, BusyClock::clone(&busy));
        port.reg_write(regs::TICKS_PER_US, 1);
        // A read flushes what was written.
        assert_eq!(port.reg_read(regs::ID).unwrap(), regs::ID_VALUE);
        for (value, busy_ps) in [(2, 500), (3, 1700)] {
            busy.set(busy_ps);
            port.reg_write(regs::TICKS_PER_US, value);
        }
        let write = |value, busy_ps| RegisterWrite { address: regs::TICKS_PER_US, value, busy_ps };
        assert_eq!(port.finish().0, [write(2, 500), write(3, 1700)]);
    }
}

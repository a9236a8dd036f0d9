//! How much of its time the NIC's core sleeps, from its counters.

use baton_abi::regs;
use baton_cosim::port::HostPort;

/// Between two looks: some thousand packets, so that the part of an interval is near that of the next, and a hundredth of what a busy
/// NIC's counters take to come round.
const INTERVAL_US: u64 = 10_000;

/// Looks at the counters now and then.
#[derive(Debug, Default)]
pub(super) struct CoreGauge {
    last: Option<Look>,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    at_us: u64,
    cycles: u32,
    idle_cycles: u32,
}

impl CoreGauge {
    /// The percentage of its cycles that the core slept since the last look, if another is due. Registers that cannot be read tell nothing.
    pub fn look(&mut self, port: &mut dyn HostPort, now_us: u64) -> Option<u32> {
        if self.last.is_some_and(|last| now_us < last.at_us + INTERVAL_US) {
            return None;
        }
        let cycles = port.reg_read(regs::CYCLES).ok()?;
        let idle_cycles = port.reg_read(regs::STAT_CORE_IDLE_CYCLES).ok()?;
        let last = self.last.replace(Look { at_us: now_us, cycles, idle_cycles })?;
        let passed = u64::from(cycles.wrapping_sub(last.cycles)).max(1);
        let idle = u64::from(idle_cycles.wrapping_sub(last.idle_cycles));
        Some((idle * 100 / passed).min(100) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Result;
    use baton_cosim::port::HostMemory;

    /// A NIC that has nothing but the two counters.
    struct Counters {
        cycles: u32,
        idle_cycles: u32,
        memory: HostMemory,
    }

    impl HostPort for Counters {
        fn reg_write(&mut self, address: u32, value: u32) {
            panic!("{value:#x} was written to {address:#x}");
        }

        fn reg_read(&mut self, address: u32) -> Result<u32> {
            Ok(if address == regs::CYCLES { self.cycles } else { self.idle_cycles })
        }

        fn memory(&self) -> &HostMemory {
            &self.memory
        }

        fn memory_mut(&mut self) -> &mut HostMemory {
            &mut self.memory
        }

        fn irq(&self) -> bool {
            false
        }

        fn now_ps(&self) -> u64 {
            0
        }
    }

    #[test]
    fn the_share_is_that_since_the_last_look() {
        let mut gauge = CoreGauge::default();
        let mut nic =
            Counters { cycles: u32::MAX - 99, idle_cycles: u32::MAX, memory: HostMemory::new(0x1000, 4096) };
        assert_eq!(gauge.look(&mut nic, 5), None, "nothing to compare with");
        (nic.cycles, nic.idle_cycles) = (100, 49);
        assert_eq!(gauge.look(&mut nic, 5 + INTERVAL_US - 1), None, "too early");
        assert_eq!(gauge.look(&mut nic, 5 + INTERVAL_US), Some(25));
        (nic.cycles, nic.idle_cycles) = (1100, 1049);
        assert_eq!(gauge.look(&mut nic, 5 + 3 * INTERVAL_US), Some(100));
    }
}

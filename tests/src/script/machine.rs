//! The machine below the server's software, with the wire in the script's hands.

use baton_cosim::nic::Nic;
use baton_cosim::port::HostPort;
use baton_cosim::system::{System, SystemConfig};
use baton_cosim::wire::WireConfig;

/// A NIC, host memory and a clock.
pub trait Machine: HostPort {
    /// Lets time pass until `until_ps`, or until a frame leaves or an interrupt is raised.
    fn advance(&mut self, until_ps: u64);

    /// A frame arrives from the wire.
    fn wire_send(&mut self, frame: Vec<u8>);

    /// The next frame that has left.
    fn wire_recv(&mut self) -> Option<Vec<u8>>;
}

/// Cycles between two looks at the wire.
const CYCLES: u32 = 16;

impl<N: Nic> Machine for Simulated<N> {
    fn advance(&mut self, until_ps: u64) {
        let raised = self.system.irq();
        while self.system.now_ps() < until_ps && self.received.is_none() {
            for _ in 0..CYCLES {
                self.system.step();
            }
            self.received = self.system.wire_recv().map(|(frame, _)| frame);
            if self.system.irq() && !raised {
                return;
            }
        }
    }

    fn wire_send(&mut self, frame: Vec<u8>) {
        self.system.wire_send(frame);
    }

    fn wire_recv(&mut self) -> Option<Vec<u8>> {
        self.received.take().or_else(|| self.system.wire_recv().map(|(frame, _)| frame))
    }
}

/// The co-simulated NIC.
pub struct Simulated<N: Nic> {
    system: System<N>,
    received: Option<Vec<u8>>,
}

/// The co-simulated NIC at a clock of `megahertz`: slow, because TCP's times are long. A microsecond is `megahertz`
/// cycles for the softcore too, so all clocks agree and no time is scaled; the line is as much slower.
pub fn simulated<N: Nic>(nic: N, megahertz: u32) -> Simulated<N> {
    let clock_hz = u64::from(megahertz) * 1_000_000;
    let config = SystemConfig {
        clock_hz,
        memory_bytes: 4 << 20,
        // Half of what the NIC's 32-bit stream carries.
        wire: WireConfig { rate_bps: 16 * clock_hz, ..WireConfig::default() },
        ..SystemConfig::default()
    };
    Simulated { system: System::new(nic, config), received: None }
}

impl<N: Nic> HostPort for Simulated<N> {
    fn reg_write(&mut self, address: u32, value: u32) {
        self.system.reg_write(address, value);
    }

    fn reg_read(&mut self, address: u32) -> anyhow::Result<u32> {
        self.system.reg_read(address)
    }

    fn memory(&self) -> &baton_cosim::port::HostMemory {
        self.system.memory()
    }

    fn memory_mut(&mut self) -> &mut baton_cosim::port::HostMemory {
        self.system.memory_mut()
    }

    fn irq(&self) -> bool {
        self.system.irq()
    }

    fn now_ps(&self) -> u64 {
        self.system.now_ps()
    }
}

//! The functional NIC of the host's own tests, as a machine for packet scripts.

#[allow(dead_code)] // The host's own tests use more of it.
#[path = "../../../host/tests/common/device.rs"]
mod device;
#[allow(dead_code)]
#[path = "../../../host/tests/common/nic.rs"]
mod nic;

use baton_cosim::port::HostPort;
use baton_tests::script::Machine;
pub use nic::NicDouble;

/// Memory of a server on the double.
pub const MEMORY_BYTES: u32 = 4 << 20;
const PS_PER_US: u64 = 1_000_000;

impl Machine for NicDouble {
    fn advance(&mut self, until_ps: u64) {
        let raised = self.irq();
        while self.now_ps() < until_ps && self.sent.is_empty() {
            let next =
                if self.busy() { self.now_ps() + PS_PER_US } else { self.wake_ps().unwrap_or(until_ps) };
            self.set_time(next.min(until_ps));
            self.tick();
            if self.irq() && !raised {
                return;
            }
        }
    }

    fn wire_send(&mut self, frame: Vec<u8>) {
        self.receive(frame);
    }

    fn wire_recv(&mut self) -> Option<Vec<u8>> {
        self.sent.pop_front()
    }
}

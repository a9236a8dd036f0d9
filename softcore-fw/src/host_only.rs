//! The event loop of a NIC without handoff: it moves host packets on, where the scheduler's mode leaves that to the core, and
//! sleeps.

use baton_abi::{
    mmio::{work as item, HOST_RX_GO, HOST_TX_GO, SCHED_NEXT, TIME_US, WAKE_AT, WAKE_ON},
    regs::mailbox,
};

use crate::hardware::{Hardware, HardwareExt};

/// Sleep with nothing to do, in µs: half of what `WAKE_AT` can tell from the past.
const LONG_US: u32 = 1 << 30;

/// The firmware of an image for no connections.
#[derive(Debug)]
pub struct HostOnly<H: Hardware> {
    pub(crate) hw: H,
}

impl<H: Hardware> HostOnly<H> {
    /// Reports that the firmware runs, and that it has room for no connection.
    pub fn new(mut hw: H) -> Self {
        hw.publish(mailbox::STS_TABLE_SIZE, 0);
        hw.publish(mailbox::STS_KEY_LAYOUT, 0);
        hw.publish(mailbox::STS_FIRMWARE, 1);
        HostOnly { hw }
    }

    /// Runs for ever.
    pub fn run(&mut self) -> ! {
        loop {
            self.turn();
            self.rest();
        }
    }

    /// Moves what waits.
    pub fn turn(&mut self) {
        loop {
            let go = match self.hw.read(SCHED_NEXT) {
                item::HOST_RX => HOST_RX_GO,
                item::HOST_TX => HOST_TX_GO,
                _ => return,
            };
            self.hw.write(go, 1);
        }
    }

    /// Sleeps until a host packet waits.
    pub fn rest(&mut self) {
        let wake_at = self.hw.read(TIME_US).wrapping_add(LONG_US);
        self.hw.write(WAKE_ON, 0);
        self.hw.write(WAKE_AT, wake_at);
        self.hw.sleep();
    }
}

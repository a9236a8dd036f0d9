//! The firmware of a NIC without handoff.

use super::nic::MockNic;
use crate::hardware::Hardware;
use crate::HostOnly;
use baton_abi::{
    mmio::{work, TIME_US, WAKE_AT, WAKE_ON},
    regs::mailbox,
};

#[test]
fn it_moves_host_packets_and_sleeps() {
    let mut firmware = HostOnly::new(MockNic::<crate::Built>::new(1));
    assert_eq!(firmware.hw.status[mailbox::STS_FIRMWARE], 1);
    assert_eq!(
        [mailbox::STS_TABLE_SIZE, mailbox::STS_KEY_LAYOUT].map(|word| firmware.hw.status[word]),
        [0; 2]
    );
    firmware.hw.host_rx_waiting = 2;
    firmware.hw.host_tx_waiting = 3;
    firmware.turn();
    let moved = [work::HOST_RX, work::HOST_RX, work::HOST_TX, work::HOST_TX, work::HOST_TX];
    assert_eq!(firmware.hw.moved, moved);
    firmware.turn();
    assert_eq!(firmware.hw.moved, moved, "nothing waits");
    // It wakes for host packets alone, and for the time only when that has long passed.
    firmware.rest();
    assert_eq!(firmware.hw.read(WAKE_ON), 0);
    let sleep = firmware.hw.read(WAKE_AT).wrapping_sub(firmware.hw.read(TIME_US));
    assert!((1 << 29..1 << 31).contains(&sleep), "{sleep} us");
}

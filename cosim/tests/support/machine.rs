//! A machine around the whole NIC: where its rings and buffers lie, and the driver's first writes.

use baton_abi::regs;
use baton_cosim::{nic::Nic, port::HostPort, system::System};

pub const BASE: u32 = 0x1000_0000;
pub const MEMORY_BYTES: u32 = 1 << 20;
pub const RX_RING: u32 = BASE;
pub const TX_RING: u32 = BASE + 0x1000;
pub const EVT_RING: u32 = BASE + 0x2000;
pub const INDEX: u32 = BASE + 0x3000;
pub const BUFFERS: u32 = BASE + 0x10000;
pub const RING_LOG2: u32 = 5;
pub const RING: u32 = 1 << RING_LOG2;

/// Mode `direct`, rings and a receive buffer in every slot.
pub fn start<N: Nic>(system: &mut System<N>) {
    for (register, value) in [
        (regs::DMA0_BASE, BASE),
        (regs::DMA0_LIMIT, BASE + MEMORY_BYTES),
        (regs::INDEX_ADDR, INDEX),
        (regs::RX_BASE, RX_RING),
        (regs::RX_SIZE_LOG2, RING_LOG2),
        (regs::TX_BASE, TX_RING),
        (regs::TX_SIZE_LOG2, RING_LOG2),
        (regs::EVT_BASE, EVT_RING),
        (regs::EVT_SIZE_LOG2, RING_LOG2),
        (regs::CONTROL, (regs::SchedMode::Direct as u32) << regs::CONTROL_MODE_SHIFT),
        (regs::IRQ_ENABLE, regs::IRQ_RX | regs::IRQ_TX),
    ] {
        system.reg_write(register, value);
    }
    for slot in 0..RING {
        system.memory_mut().write_words(RX_RING + 16 * slot, &[BUFFERS + 2048 * slot, 2048, 0, 0]);
    }
    system.reg_write(regs::RX_PROD, RING);
    assert_eq!(system.reg_read(regs::ID).unwrap(), regs::ID_VALUE);
}

//! The adapter: a NIC behind a host link as a network interface of this machine.
//!
//! Frames that the NIC receives for the host go to a TAP interface, and frames that the kernel sends on it go out on the NIC's
//! wire. The kernel's own TCP runs over it; nothing is handed off to the NIC.

use super::port::{LinkPort, Wire};
use crate::live::tap::Tap;
use crate::server::arena::Arena;
use crate::server::driver::{Driver, DriverConfig, DriverStats};
use anyhow::{Context, Result};
use baton_abi::regs;
use baton_cosim::hostlink::LinkStats;
use baton_cosim::port::{HostMemory, HostPort};

/// Where the memory that the NIC reaches begins.
pub const MEMORY_BASE: u32 = 0x1000_0000;
/// Its size: rings and buffers of the driver.
pub const MEMORY_BYTES: u32 = 8 << 20;
/// Of it, for rings.
const CONTROL_BYTES: u32 = 64 << 10;

/// The memory that an adapter needs.
pub fn memory() -> HostMemory {
    HostMemory::new(MEMORY_BASE, MEMORY_BYTES)
}

/// Frames of the network interface.
pub trait Interface {
    /// The next frame that the kernel has sent.
    ///
    /// # Errors
    /// When the interface is gone.
    fn receive(&mut self) -> Result<Option<Vec<u8>>>;

    /// Passes a frame to the kernel; false if it did not take it.
    fn send(&mut self, frame: &[u8]) -> bool;

    /// Shows whether the NIC's line has a link.
    ///
    /// # Errors
    /// When the interface is gone, or cannot show it.
    fn set_carrier(&mut self, carrier: bool) -> Result<()>;
}

impl Interface for Tap {
    fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        Tap::receive(self)
    }

    fn send(&mut self, frame: &[u8]) -> bool {
        Tap::send(self, frame)
    }

    fn set_carrier(&mut self, carrier: bool) -> Result<()> {
        Tap::set_carrier(self, carrier)
    }
}

/// Counts of the adapter.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdapterStats {
    pub driver: DriverStats,
    pub link: LinkStats,
    /// Frames that the kernel did not take.
    pub untaken: u64,
    /// Frames of the kernel that the NIC cannot send: shorter than an Ethernet header, or longer than a buffer.
    pub unsendable: u64,
}

/// See the module's header.
pub struct Adapter<W: Wire, I: Interface> {
    port: LinkPort<W>,
    driver: Driver,
    interface: I,
    /// What the interface shows of the line, once it shows anything.
    carrier: Option<bool>,
    /// A frame of the kernel for which the ring had no room.
    held: Option<Vec<u8>>,
    untaken: u64,
    unsendable: u64,
}

impl<W: Wire, I: Interface> Adapter<W, I> {
    /// Brings the NIC up: rings and buffers, no firmware, all frames to the host.
    ///
    /// # Errors
    /// When the NIC does not answer as one, or the link is lost.
    pub fn start(mut port: LinkPort<W>, interface: I, config: &DriverConfig) -> Result<Self> {
        let memory = port.memory().base()..port.memory().limit();
        let mut control = Arena::new(memory.clone()).carve(CONTROL_BYTES).context("memory is too small")?;
        let mut packets = Arena::new(control.range().end..memory.end);
        let driver = Driver::bring_up(&mut port, config, &mut control, &mut packets, &[memory], None)
            .context("the NIC does not come up")?;
        Ok(Adapter { port, driver, interface, carrier: None, held: None, untaken: 0, unsendable: 0 })
    }

    /// Whether the NIC's own line has a link, as its MAC's PHY reports; `None` without such a report.
    ///
    /// # Errors
    /// When the link is lost.
    pub fn line_is_up(&mut self) -> Result<Option<bool>> {
        let Ok(status) = self.port.reg_read(regs::MAC_STATUS) else { return Ok(None) };
        Ok((status & 0x100 != 0).then_some(status & 1 != 0))
    }

    /// Has the interface show the line's link, as [`Adapter::line_is_up`] has it; a line of which nothing is known counts
    /// as up.
    ///
    /// # Errors
    /// When the link is lost, or the interface does not take it.
    pub fn follow_line(&mut self) -> Result<Option<bool>> {
        let line = self.line_is_up()?;
        let carrier = line.unwrap_or(true);
        if self.carrier != Some(carrier) {
            self.interface.set_carrier(carrier)?;
            self.carrier = Some(carrier);
        }
        Ok(line)
    }

    /// Does what is to be done now; true if anything was.
    ///
    /// # Errors
    /// When the board no longer answers, or an interface is gone.
    pub fn poll(&mut self) -> Result<bool> {
        let before = self.driver.stats();
        self.port.pump()?;
        self.driver.acknowledge(&mut self.port)?;
        self.driver.refresh(&mut self.port);
        while let Some(frame) = self.driver.next_frame(&mut self.port) {
            let bytes = self.port.memory().slice(frame.addr(), frame.len.into());
            self.untaken += u64::from(!self.interface.send(bytes));
            self.driver.release(frame);
        }
        self.driver.post_buffers(&mut self.port);
        self.transmit()?;
        self.driver.ring_doorbells(&mut self.port);
        self.port.pump()?;
        let now = self.driver.stats();
        Ok((now.rx_frames, now.tx_frames) != (before.rx_frames, before.tx_frames))
    }

    fn transmit(&mut self) -> Result<()> {
        loop {
            let next = match self.held.take() {
                Some(frame) => Some(frame),
                None => self.interface.receive()?,
            };
            let Some(frame) = next else { return Ok(()) };
            let Some(buffer) = self.driver.tx_buffer() else {
                self.held = Some(frame);
                return Ok(());
            };
            if !(14..=1518).contains(&frame.len()) {
                self.unsendable += 1;
                continue;
            }
            self.port.memory_mut().write(buffer, &frame);
            self.driver.transmit(&mut self.port, frame.len() as u16, None);
        }
    }

    pub fn port_mut(&mut self) -> &mut LinkPort<W> {
        &mut self.port
    }

    pub fn interface_mut(&mut self) -> &mut I {
        &mut self.interface
    }

    pub fn stats(&self) -> AdapterStats {
        AdapterStats {
            driver: self.driver.stats(),
            link: self.port.link_stats(),
            untaken: self.untaken,
            unsendable: self.unsendable,
        }
    }
}

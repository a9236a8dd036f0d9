//! The adapter: a NIC behind a host link as a network interface of this machine.
//!
//! Frames that the NIC receives for the host go to a TAP interface, and frames that the kernel sends on it go out on the NIC's
//! wire. The kernel's own TCP runs over it. With an [`Offload`] the adapter accepts connections to one port, takes them from the
//! kernel, hands them off to the NIC, and joins each to a server.

use super::offload::{Offload, OffloadStats};
use super::port::{LinkPort, Wire};
use super::relay::{self, Relay, RelayStats};
use crate::live::tap::Tap;
use crate::server::driver::{DriverConfig, DriverStats};
use crate::server::{Never, NicLoad, Server, ServerConfig, StackStats};
use anyhow::{ensure, Result};
use baton_abi::{regs, ring::RX_FLAG_CHECKSUM_OK};
use baton_cosim::hostlink::LinkStats;
use baton_cosim::port::{HostMemory, HostPort};
use std::time::Duration;

/// Where the memory that the NIC reaches begins.
pub const MEMORY_BASE: u32 = 0x1000_0000;
/// Its size: rings and buffers of the driver, and of the connections that are offloaded.
pub const MEMORY_BYTES: u32 = 32 << 20;
/// Most connections that are offloaded at once.
pub const CONNECTIONS_MAX: u32 = 128;
/// Their receive rings: as large as a window that the kernel announces with [`super::offload::KERNEL_BUFFER_BYTES`].
const RECEIVE_BYTES: u32 = 64 << 10;

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
    /// Of connections that were taken from the kernel.
    pub stack: StackStats,
    pub offload: OffloadStats,
    pub relay: RelayStats,
    /// Frames that the kernel did not take.
    pub untaken: u64,
    /// Frames of the kernel that the NIC cannot send: shorter than an Ethernet header, or longer than a buffer.
    pub unsendable: u64,
}

/// See the module's header.
pub struct Adapter<W: Wire, I: Interface> {
    port: LinkPort<W>,
    server: Server<Relay>,
    offload: Option<Offload>,
    /// Counts of the offload once it has ended.
    ended: OffloadStats,
    interface: I,
    /// What the interface shows of the line, once it shows anything.
    carrier: Option<bool>,
    /// A frame of the kernel for which the ring had no room.
    held: Option<Vec<u8>>,
    untaken: u64,
    unsendable: u64,
}

impl<W: Wire, I: Interface> Adapter<W, I> {
    /// Brings the NIC up: rings and buffers, all frames to the host, and firmware only for an offload.
    ///
    /// # Errors
    /// When the NIC does not answer as one, or the link is lost.
    pub fn start(
        mut port: LinkPort<W>,
        interface: I,
        driver: &DriverConfig,
        mut offload: Option<Offload>,
    ) -> Result<Self> {
        let connections = if offload.is_some() { CONNECTIONS_MAX } else { 1 };
        let mut config = ServerConfig {
            driver: driver.clone(),
            connections,
            receive_bytes: RECEIVE_BYTES,
            ..ServerConfig::default()
        };
        let mut selection: Box<dyn crate::server::Selection> = Box::new(Never);
        let (mut to, mut firmware) = (None, None);
        if let Some(offload) = &mut offload {
            config.address = offload.address();
            to = Some(offload.to());
            (selection, firmware) = (offload.selection(), Some(offload.firmware()));
        }
        let mut short = false;
        let mut server = Server::start_with(&config, selection, &mut port, firmware.as_deref(), |rest| {
            short = to.is_some() && rest.remaining() < relay::memory_bytes(connections);
            Relay::new(to.filter(|_| !short), connections, rest)
        })?;
        ensure!(!short, "the NIC's memory here is too small for {connections} connections");
        server.share();
        Ok(Adapter {
            port,
            server,
            offload,
            ended: OffloadStats::default(),
            interface,
            carrier: None,
            held: None,
            untaken: 0,
            unsendable: 0,
        })
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
        let before = self.moved();
        self.port.pump()?;
        self.server.poll(&mut self.port)?;
        while let Some(frame) = self.server.next_other() {
            let bytes = self.port.memory().slice(frame.addr(), frame.len.into());
            if let Some(offload) = &mut self.offload {
                let verified = frame.flags & RX_FLAG_CHECKSUM_OK != 0;
                offload.saw(bytes, verified, self.port.now_ps() / 1_000_000);
            }
            self.untaken += u64::from(!self.interface.send(bytes));
            self.server.release(frame);
        }
        if let Some(offload) = &mut self.offload {
            offload.accept(&mut self.server, &mut self.port)?;
            self.server.act(&mut self.port, |relay, sockets, memory| relay.pump(sockets, memory));
        }
        self.transmit()?;
        self.server.announce_shared(&mut self.port);
        self.port.pump()?;
        Ok(self.moved() != before)
    }

    /// Ends the offload: its connections are reset, since nobody would run them any more, and what is under way for it is waited for, at
    /// most so long.
    ///
    /// # Errors
    /// As [`Adapter::poll`].
    pub fn close(&mut self, most: Duration) -> Result<()> {
        let Some(offload) = self.offload.take() else { return Ok(()) };
        self.ended = offload.stats();
        self.server.act(&mut self.port, |_, sockets, _| {
            let ids: Vec<_> = sockets.sockets().collect();
            ids.into_iter().for_each(|id| sockets.abort(id));
        });
        let end_ps = self.port.now_ps() + most.as_nanos() as u64 * 1000;
        while self.server.stack().sockets().next().is_some() && self.port.now_ps() < end_ps {
            if !self.poll()? {
                self.port.wait(Duration::from_micros(200));
            }
        }
        Ok(())
    }

    /// What changes when anything is done.
    fn moved(&self) -> (u64, u64, u64, RelayStats) {
        let DriverStats { rx_frames, tx_frames, events, .. } = self.server.driver_stats();
        (rx_frames, tx_frames, events, self.server.application().stats())
    }

    fn transmit(&mut self) -> Result<()> {
        loop {
            let next = match self.held.take() {
                Some(frame) => Some(frame),
                None => self.interface.receive()?,
            };
            let Some(frame) = next else { return Ok(()) };
            if !(14..=1518).contains(&frame.len()) {
                self.unsendable += 1;
                continue;
            }
            if !self.server.forward(&mut self.port, &frame) {
                self.held = Some(frame);
                return Ok(());
            }
        }
    }

    pub fn port_mut(&mut self) -> &mut LinkPort<W> {
        &mut self.port
    }

    pub fn interface_mut(&mut self) -> &mut I {
        &mut self.interface
    }

    /// Why the last connection that was to be offloaded stayed with the kernel, since the last call.
    pub fn why_left(&mut self) -> Option<String> {
        self.offload.as_mut().and_then(Offload::why_left)
    }

    /// Connections that the NIC has, and how many it takes.
    pub fn load(&self) -> NicLoad {
        self.server.stack().load()
    }

    pub fn stats(&self) -> AdapterStats {
        AdapterStats {
            driver: self.server.driver_stats(),
            link: self.port.link_stats(),
            stack: self.server.stack().stats(),
            offload: self.offload.as_ref().map_or(self.ended, Offload::stats),
            relay: self.server.application().stats(),
            untaken: self.untaken,
            unsendable: self.unsendable,
        }
    }
}

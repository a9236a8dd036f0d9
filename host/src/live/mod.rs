//! The co-simulated NIC on a Linux TAP: the real kernel is the peer.
//!
//! Frames that the kernel sends on the interface go over the wire model to the NIC's receive path, and the frames that the NIC sends
//! come out of the interface. So `curl`, `wrk` or a browser talk to the modelled server through RTL and firmware, with the wire
//! model's faults between them if asked for. Time is the wall clock's: see [`pace`]. A run is therefore not
//! repeatable to the cycle; only the faults of the n-th frame in each direction follow from the seed.

pub mod iperf;
pub mod pace;
pub mod report;
pub mod services;
pub mod tap;

use crate::server::http::bodies::Bodies;
use crate::server::http::HttpServer;
use crate::server::{FirstCome, Never, Ownership, Selection, Server, ServerConfig, SocketId};
use anyhow::{Context, Result};
use baton_abi::regs::{self, mailbox, SchedMode};
use baton_cosim::nic::Nic;
use baton_cosim::port::HostPort;
use baton_cosim::system::{System, SystemConfig};
use baton_cosim::wire::{Faults, WireConfig};
use baton_tcp::CongestionAlgorithm;
use std::path::PathBuf;
use std::time::Duration;

use iperf::Iperf;
use pace::{Pace, SLICE_CYCLES};
use report::{FirmwareSummary, Rates, Summary};
use services::{ServicePorts, Services};
use tap::Tap;

/// Which connections the NIC gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handoff {
    /// None.
    Never,
    /// First come, first served, while the NIC has room.
    FirstCome,
    /// Every connection goes to the NIC and back, again and again, one change of one connection each such time.
    Roving { interval_us: u64 },
}

/// What to run.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    pub mode: SchedMode,
    pub handoff: Handoff,
    pub server: ServerConfig,
    pub services: ServicePorts,
    /// Folder whose files the web server has, beside `/bytes/<N>`.
    pub folder: Option<PathBuf>,
    /// Rate of each direction of the wire, in bits a second of the wall clock.
    pub rate_bps: u64,
    /// From one end of the wire to the other, in microseconds.
    pub latency_us: u64,
    pub faults: Faults,
    /// Of the faults and of initial sequence numbers.
    pub seed: u64,
    /// When to stop, if nobody asks before.
    pub duration: Option<Duration>,
}

impl Default for LiveConfig {
    fn default() -> Self {
        let mut server = ServerConfig { receive_bytes: 1 << 16, ..ServerConfig::default() };
        server.address.ip = [192, 0, 2, 1];
        // As Linux has them; the RFC's second is for paths that nobody knows.
        server.tcp.min_rto_us = 200_000;
        server.tcp.congestion = CongestionAlgorithm::Cubic;
        LiveConfig {
            mode: SchedMode::Direct,
            handoff: Handoff::FirstCome,
            server,
            services: ServicePorts { echo: 7, discard: 9, iperf: 5201 },
            folder: None,
            rate_bps: 20_000_000,
            latency_us: 0,
            faults: Faults::default(),
            seed: 1,
            duration: None,
        }
    }
}

/// Host memory: rings, buffers and files.
const MEMORY_BYTES: u32 = 256 << 20;
/// Frames that wait in the wire model for the NIC; the rest waits in the kernel's queue of the interface.
const BACKLOG_MAX: usize = 32;
/// Least time between two runs of the server's software for interrupts, in picoseconds: about a hundred cycles.
const INTERRUPT_INTERVAL_PS: u64 = 100_000_000;
/// Slices without a frame after which the simulation rests between slices.
const IDLE_SLICES: u32 = 50;
/// Such a rest, unless a frame comes. Timers of host and firmware are as much later.
const REST: Duration = Duration::from_micros(1000);
const PS_PER_US: u64 = 1_000_000;

/// A live run.
pub struct Live<N: Nic> {
    system: System<N>,
    server: Server<Services>,
    tap: Tap,
    config: LiveConfig,
    pace: Pace,
    server_due_ps: u64,
    interrupt_due_ps: u64,
    /// When a connection changes hands next, and the place of the last one that did.
    move_due_ps: u64,
    moved: usize,
    untaken: u64,
    /// Slices since a frame was seen.
    quiet_slices: u32,
}

impl<N: Nic> Live<N> {
    /// Starts the server on a NIC in reset, on its end of the wire.
    ///
    /// # Errors
    /// When the NIC does not start, or a file does not fit memory.
    pub fn start(config: LiveConfig, nic: N, firmware: &[u8], tap: Tap) -> Result<Self> {
        let wire = WireConfig {
            rate_bps: config.rate_bps,
            propagation_ps: config.latency_us * PS_PER_US,
            to_nic: config.faults,
            from_nic: config.faults,
            seed: config.seed,
            ..WireConfig::default()
        };
        let system =
            SystemConfig { clock_hz: 1_000_000, memory_bytes: MEMORY_BYTES, wire, ..SystemConfig::default() };
        let mut system = System::new(nic, system);
        let mut server = config.server.clone();
        server.driver.sched_mode = config.mode;
        server.driver.ticks_per_us = 1;
        server.seed = config.seed;
        let selection: Box<dyn Selection> = match config.handoff {
            Handoff::FirstCome => Box::<FirstCome>::default(),
            Handoff::Never | Handoff::Roving { .. } => Box::new(Never),
        };
        let (limit, ports) = (server.body_limit, config.services);
        let mut server = Server::start_with(&server, selection, &mut system, Some(firmware), |bodies| {
            Services::new(HttpServer::new(Bodies::new(bodies), limit), ports)
        })?;
        server.act(&mut system, |services, stack, memory| {
            ports.on().for_each(|port| stack.listen(port));
            if let Some(source) = services.http.body(memory, Iperf::SOURCE_BYTES) {
                services.iperf.set_source(source);
            }
            match &config.folder {
                Some(folder) => services.http.serve_folder(folder, memory),
                None => Ok(()),
            }
        })?;
        let pace = Pace::start(&mut system)?;
        Ok(Live {
            system,
            server,
            tap,
            config,
            pace,
            server_due_ps: 0,
            interrupt_due_ps: 0,
            move_due_ps: 0,
            moved: 0,
            untaken: 0,
            quiet_slices: 0,
        })
    }

    /// Runs until `stop` says so or the duration is over, and tells `status` about every second what was done in it.
    ///
    /// # Errors
    /// When the interface is gone, or the server's software fails.
    pub fn run(&mut self, stop: impl Fn() -> bool, mut status: impl FnMut(&Rates)) -> Result<Summary> {
        let mut last = self.summary();
        while !stop()
            && self.config.duration.is_none_or(|most| self.pace.wall_ps() / 1000 < most.as_nanos() as u64)
        {
            self.slice()?;
            if self.pace.wall_ps() >= last.wall_us * PS_PER_US + PS_PER_US * PS_PER_US {
                let now = self.summary();
                status(&Rates::between(&last, &now));
                last = now;
            }
        }
        self.full_summary()
    }

    /// Everything, what the NIC's registers tell too.
    fn full_summary(&mut self) -> Result<Summary> {
        let mut summary = self.summary();
        summary.load_transitions = self.server.stack().load_log().transitions().to_vec();
        let mut status = |word: usize| self.system.reg_read(regs::STS + 4 * word as u32);
        summary.firmware = FirmwareSummary {
            state: status(mailbox::STS_FIRMWARE)?,
            connections: status(mailbox::STS_CNUM)?,
            segments_received: status(mailbox::STS_RX_SEGMENTS)?,
            segments_sent: status(mailbox::STS_TX_SEGMENTS)?,
            retransmits: status(mailbox::STS_RETRANSMITS)?,
            stale_packets: status(mailbox::STS_STALE_PACKETS)?,
            bad_commands: status(mailbox::STS_BAD_COMMANDS)?,
            receive_queue_drops: self.system.reg_read(regs::STAT_NIC_RX_DROPS)?,
        };
        Ok(summary)
    }

    /// Some cycles, and what the kernel has sent before them.
    fn slice(&mut self) -> Result<()> {
        let frames = self.frames();
        while self.system.wire_to_nic().backlog() < BACKLOG_MAX {
            let Some(frame) = self.tap.receive()? else { break };
            if !frame.is_empty() {
                self.system.wire_send(frame);
            }
        }
        for _ in 0..SLICE_CYCLES {
            self.step()?;
        }
        self.move_connection();
        self.pace.correct(&mut self.system)?;
        let quiet = self.frames() == frames && self.system.is_idle();
        self.quiet_slices = if quiet { self.quiet_slices.saturating_add(1) } else { 0 };
        if self.quiet_slices > IDLE_SLICES {
            self.tap.wait(REST);
        }
        Ok(())
    }

    /// A cycle, and what follows from it.
    fn step(&mut self) -> Result<()> {
        self.system.step();
        while let Some((frame, _)) = self.system.wire_recv() {
            self.untaken += u64::from(!self.tap.send(&frame));
        }
        let now_ps = self.system.now_ps();
        if now_ps >= self.server_due_ps || (now_ps >= self.interrupt_due_ps && self.system.irq()) {
            self.server.poll(&mut self.system).context("the server's software failed")?;
            self.interrupt_due_ps = self.system.now_ps() + INTERRUPT_INTERVAL_PS;
            self.server_due_ps = self.server.next_deadline().unwrap_or(u64::MAX);
        }
        Ok(())
    }

    /// Moves the next connection, where connections rove and one is due.
    fn move_connection(&mut self) {
        let Handoff::Roving { interval_us } = self.config.handoff else { return };
        if self.system.now_ps() < self.move_due_ps {
            return;
        }
        self.move_due_ps = self.system.now_ps() + interval_us * PS_PER_US;
        let sockets: Vec<SocketId> = self.server.stack().sockets().collect();
        for offset in 0..sockets.len() {
            let place = (self.moved + 1 + offset) % sockets.len();
            let moved = match self.server.stack().ownership(sockets[place]) {
                Some(Ownership::Host) => self.server.handoff(&mut self.system, sockets[place]),
                Some(Ownership::Nic) => self.server.restore(&mut self.system, sockets[place]),
                _ => continue,
            };
            if moved.is_ok() {
                self.moved = place;
                break;
            }
        }
        self.server_due_ps = self.server.next_deadline().unwrap_or(u64::MAX);
    }

    /// Frames in both directions so far.
    fn frames(&self) -> u64 {
        self.system.wire_stats().iter().map(|stats| stats.frames).sum()
    }

    fn summary(&self) -> Summary {
        let stats = self.server.stats_with(self.server.application().http.stats());
        Summary {
            wall_us: self.pace.wall_ps() / PS_PER_US,
            cycles: self.system.cycles(),
            wire: self.system.wire_stats().map(Into::into),
            frames_not_taken_by_kernel: self.untaken,
            server: stats.into(),
            services: self.server.application().stats(),
            connections: self.server.stack().sockets().count() as u64,
            connections_on_nic: u64::from(self.server.stack().load().connections),
            firmware: FirmwareSummary::default(),
            load_transitions: Vec::new(),
            clock: self.pace.stats(),
        }
    }
}

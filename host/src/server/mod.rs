//! The server machine: driver, TCP/IP stack, bypass, sockets and a web server, on simulated memory.
//!
//! [`Server`] is what a co-simulation drives. It is event-driven: [`Server::poll`] runs to completion on
//! an interrupt or at [`Server::next_deadline`], and whoever calls decides what the time in between costs.
//!
//! Memory, from low addresses to high: rings and index block, packet buffers, receive rings and response heads
//! of sockets, bodies. Each is one DMA range of the NIC; it can touch nothing else.

pub mod arena;
mod bypass;
mod core_gauge;
pub mod driver;
pub mod frame;
pub mod http;
pub mod icmp;
mod ipv6;
pub mod load_log;
pub mod selection;
mod shared;
pub mod socket;
mod sockets;
pub mod stack;
pub mod table;

use anyhow::{ensure, Context, Result};
use baton_abi::regs::{self, mailbox};
use baton_cosim::port::{HostMemory, HostPort};

pub use bypass::BypassError;
pub use driver::DriverConfig;
pub use selection::{Change, Connection, Decision, FirstCome, Never, Selection, SelectionStats};
pub use shared::AdoptError;
pub use socket::{Ending, Ownership, SocketEvent, SocketId, Source};
pub use stack::{Address, NicLoad, Stack, StackStats};

use crate::machine::{MachineConfig, Meter, Profile};
use arena::{Arena, Pool};
use driver::{Driver, DriverStats};
use http::bodies::Bodies;
use http::{HttpServer, HttpStats, HEAD_BUFFER_BYTES, RESPONSES_MAX};
use selection::Ledger;

/// Knobs of the server machine.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub address: Address,
    /// Its address of the other family.
    pub ipv6: Option<[u8; 16]>,
    /// Port of the web server.
    pub http_port: u16,
    pub driver: DriverConfig,
    pub tcp: baton_tcp::Config,
    /// The processor, and whether its time counts.
    pub machine: MachineConfig,
    /// Most connections at once, 1 to 65535.
    pub connections: u32,
    /// Most connections that the peer has opened and the application has not accepted: the listen backlog. A
    /// SYN beyond is dropped.
    pub backlog: usize,
    /// Bytes of a connection's receive ring, a multiple of 64: the largest window.
    pub receive_bytes: u32,
    /// Largest body that is served.
    pub body_limit: u32,
    /// Most connections in TIME-WAIT; beyond, the oldest ends early.
    pub time_wait_connections: usize,
    /// Packets that one connection may have held while it changes hands.
    pub held_packets: usize,
    /// Of initial sequence numbers.
    pub seed: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            address: Address { mac: [0x02, 0, 0, 0, 0, 1], ip: [10, 0, 0, 1] },
            ipv6: None,
            http_port: 80,
            driver: DriverConfig::default(),
            // A client that never closes its side gets a minute, so that it holds no place for ever.
            tcp: baton_tcp::Config { fin_wait_2_us: 60_000_000, ..baton_tcp::Config::default() },
            machine: MachineConfig::default(),
            connections: 256,
            backlog: 65535,
            receive_bytes: 8192,
            body_limit: 16 << 20,
            time_wait_connections: 8192,
            held_packets: 64,
            seed: 1,
        }
    }
}

/// Counts of the whole server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerStats {
    pub driver: DriverStats,
    pub stack: StackStats,
    pub http: HttpStats,
    /// Times that [`Server::poll`] was called.
    pub polls: u64,
}

/// A program on the server's sockets.
pub trait Application {
    /// Handles an event of a socket.
    fn handle(&mut self, sockets: &mut Stack, memory: &mut HostMemory, id: SocketId, event: SocketEvent);
}

/// The server machine's software: the stack, and a program on its sockets.
pub struct Server<A = HttpServer> {
    stack: Stack,
    application: A,
    selection: Box<dyn Selection>,
    ledger: Ledger,
    polls: u64,
}

impl Server {
    /// A web server; see [`Server::start_with`].
    pub fn start(
        config: &ServerConfig,
        selection: Box<dyn Selection>,
        port: &mut dyn HostPort,
        firmware: Option<&[u8]>,
    ) -> Result<Server> {
        let limit = config.body_limit;
        Server::start_with(config, selection, port, firmware, |bodies| {
            HttpServer::new(Bodies::new(bodies), limit)
        })
    }

    pub fn stats(&self) -> ServerStats {
        self.stats_with(self.application.stats())
    }
}

impl<A: Application> Server<A> {
    /// Brings the NIC up and listens. With firmware, connections may be handed off; without, the NIC is a plain
    /// one. All memory of `port` becomes the server's; what is left is the application's to send from.
    pub fn start_with(
        config: &ServerConfig,
        selection: Box<dyn Selection>,
        port: &mut dyn HostPort,
        firmware: Option<&[u8]>,
        application: impl FnOnce(Arena) -> A,
    ) -> Result<Server<A>> {
        ensure!((1..=65535).contains(&config.connections), "connections is not 1 to 65535");
        ensure!(
            config.receive_bytes >= 1024 && config.receive_bytes.is_multiple_of(64),
            "receive_bytes is below 1024 or no multiple of 64"
        );
        let small = "host memory is too small for this configuration";
        let memory = port.memory();
        let mut all = Arena::new(memory.base()..memory.limit());
        // Address zero stays unused: it is what a forgotten register holds.
        if all.range().start == 0 {
            all.alloc(4096, 4096).context(small)?;
        }
        let driver = &config.driver;
        let rings = (16 << driver.tx_log2)
            + (16 << driver.rx_log2)
            + (32 << driver.cmd_log2)
            + (32 << driver.evt_log2)
            + 4096;
        let frames = (1 << driver.tx_log2) + (1 << driver.rx_log2) + driver.spare_rx_buffers;
        let mut control = all.carve(rings).context(small)?;
        let large = driver.tso_buffers * driver::LARGE_BUFFER_BYTES;
        let mut packets = all.carve(frames * 1536 + large + 4096).context(small)?;
        let heads = config.connections * RESPONSES_MAX;
        let buffers = config.connections as u64 * u64::from(config.receive_bytes)
            + u64::from(heads) * u64::from(HEAD_BUFFER_BYTES)
            + 4096;
        let mut sockets = all.carve(u32::try_from(buffers).ok().context(small)?).context(small)?;
        let bodies = all.carve(all.remaining() & !4095).context(small)?;
        let ranges = [control.range(), packets.range(), sockets.range(), bodies.range()];

        // Both owners of a TCB keep the same time, unless the mailbox says otherwise.
        let mut driver_config = config.driver.clone();
        for (word, own) in [
            (mailbox::CFG_MIN_RTO_US, config.tcp.min_rto_us),
            (mailbox::CFG_DELAYED_ACK_US, config.tcp.delayed_ack_us),
            (mailbox::CFG_MAX_RTO_US, config.tcp.max_rto_us),
            (mailbox::CFG_MAX_RETRANSMITS, u32::from(config.tcp.max_retransmits)),
            (mailbox::CFG_KEEPALIVE_US, config.tcp.keepalive_us),
            (mailbox::CFG_FIN_WAIT_2_US, config.tcp.fin_wait_2_us),
            (mailbox::CFG_CHALLENGE_US, config.tcp.challenge_us),
            (mailbox::CFG_TIME_WAIT_US, config.tcp.time_wait_us),
        ] {
            if driver_config.mailbox[word] == 0 {
                driver_config.mailbox[word] = own;
            }
        }

        let rings = Pool::new("receive rings", &mut sockets, config.receive_bytes, config.connections);
        let heads = Pool::new("response heads", &mut sockets, HEAD_BUFFER_BYTES, heads);
        let driver = Driver::bring_up(port, &driver_config, &mut control, &mut packets, &ranges, firmware)?;
        let mut stack = Stack::new(
            driver,
            config.address,
            config.tcp,
            rings.context(small)?,
            heads.context(small)?,
            config.seed,
        );
        stack.set_ipv6(config.ipv6);
        stack.meter = Meter::new(&config.machine);
        stack.held_limit = config.held_packets;
        stack.backlog_limit = config.backlog;
        stack.linger_limit = config.time_wait_connections;
        if firmware.is_some() {
            stack.load.soft_limit = port.reg_read(regs::STS + 4 * mailbox::STS_SOFT_LIMIT as u32)?;
        }
        stack.listen(config.http_port);
        Ok(Server { stack, application: application(bodies), selection, ledger: Ledger::default(), polls: 0 })
    }

    /// Handles everything that has happened: events of the NIC first, then frames, timers and the application.
    pub fn poll(&mut self, port: &mut dyn HostPort) -> Result<()> {
        self.polls += 1;
        self.stack.driver.acknowledge(port)?;
        self.stack.set_time(port.now_ps());
        self.stack.driver.refresh(port);
        while let Some(message) = self.stack.driver.next_event(port) {
            self.stack.nic_event(port, &message);
        }
        while let Some(frame) = self.stack.driver.next_frame(port) {
            self.stack.receive(port, frame);
        }
        self.stack.run_timers();
        self.settle(port);
        Ok(())
    }

    /// Does one piece of what has happened, in the order of an operating system: the interrupt if there is one, what
    /// the NIC announced, timers, and only then the application. What it costs is in the meter afterwards.
    /// Returns whether there is to be another piece at once: more is waiting, or the event ring has to be looked at once more
    /// before the processor waits.
    pub fn step(&mut self, port: &mut dyn HostPort, interrupt: bool) -> Result<bool> {
        self.polls += 1;
        self.stack.set_time(port.now_ps());
        if interrupt {
            self.stack.meter.interrupt();
            self.stack.driver.acknowledge(port)?;
        }
        self.refresh(port);
        let (event_addr, desc) = (self.stack.driver.event_addr(), self.stack.driver.rx_desc_addr());
        if let Some(message) = self.stack.driver.next_event(port) {
            self.stack.charge_event(&message, event_addr);
            self.stack.nic_event(port, &message);
        } else if let Some(frame) = self.stack.driver.next_frame(port) {
            self.stack.meter.frame_in(desc, frame.addr());
            self.stack.receive(port, frame);
        } else if self.stack.next_timer_ps().is_some_and(|at| at <= port.now_ps()) {
            self.stack.run_timers();
        } else {
            self.handle_event(port);
        }
        self.hear(port);
        self.stack.run_work(port);
        self.announce(port);
        let now_ps = port.now_ps();
        let more = !self.stack.events.is_empty()
            || self.stack.driver.pending(port)
            || self.stack.next_timer_ps().is_some_and(|at| at <= now_ps);
        let driver = &mut self.stack.driver;
        let written = if more { driver.disarm_events(port) } else { driver.arm_events(port) };
        self.stack.meter.doorbells(written);
        Ok(more || written > 0)
    }

    /// Takes back what the NIC has consumed.
    fn refresh(&mut self, port: &mut dyn HostPort) {
        let before = self.stack.driver.tx_pending();
        self.stack.driver.refresh(port);
        let taken_back = before - self.stack.driver.tx_pending();
        self.stack.meter.index_block(self.stack.driver.index_addr(), taken_back);
    }

    /// Runs the application on one thing that happened to a socket. Returns whether there was one.
    fn handle_event(&mut self, port: &mut dyn HostPort) -> bool {
        let Some((id, event)) = self.stack.next_event() else { return false };
        self.stack.charge_application(id, event);
        if event == SocketEvent::Established {
            self.stack.accept(id);
        }
        self.application.handle(&mut self.stack, port.memory_mut(), id, event);
        self.select_after(port, id, event);
        self.hear(port);
        true
    }

    /// Runs the application on what happened and sends what came of it.
    fn settle(&mut self, port: &mut dyn HostPort) {
        loop {
            while self.handle_event(port) {}
            self.hear(port);
            self.stack.run_work(port);
            if self.stack.events.is_empty() {
                break;
            }
        }
        self.announce(port);
    }

    /// Tells the NIC what is new for it.
    fn announce(&mut self, port: &mut dyn HostPort) {
        let blocked = self.stack.blocked();
        self.stack.driver.post_buffers(port);
        self.stack.driver.interrupt_on_room(port, blocked);
        let rung = self.stack.driver.ring_doorbells(port);
        self.stack.meter.doorbells(rung);
    }

    /// Asks the selection policy what an event of a connection makes it do.
    fn select_after(&mut self, port: &mut dyn HostPort, id: SocketId, event: SocketEvent) {
        let now_us = self.stack.now_us();
        match event {
            SocketEvent::Established => {
                let Some(endpoints) = self.stack.endpoints(id) else { return };
                let connection = self.ledger.established(id, endpoints, now_us);
                self.selection.changed(connection, Change::Established);
                self.select(port, id);
            }
            SocketEvent::Ended(_) => {
                if let Some(connection) = self.ledger.ended(id, now_us) {
                    self.selection.changed(&connection, Change::Ended);
                }
            }
            SocketEvent::Sent(_) | SocketEvent::Readable | SocketEvent::PeerClosed => {}
        }
    }

    /// Passes on to the selection policy what the stack has noted.
    fn hear(&mut self, port: &mut dyn HostPort) {
        while let Some((id, notice)) = self.stack.notices.pop_front() {
            let Some((connection, change)) = self.ledger.note(id, notice, self.stack.now_us()) else {
                continue;
            };
            self.selection.changed(connection, change);
            match change {
                Change::Enqueued => self.select(port, id),
                Change::Drained => self.reclaim(),
                _ => {}
            }
        }
    }

    /// Asks the selection policy about a connection, and does what it says.
    fn select(&mut self, port: &mut dyn HostPort, id: SocketId) {
        let Some(connection) = self.ledger.get_mut(id) else { return };
        if connection.on_nic || connection.failed {
            return;
        }
        if self.selection.watches_core() {
            self.stack.look_at_core(port);
        }
        let load = self.stack.load();
        match self.selection.offer(connection, load) {
            Decision::Wait => {}
            Decision::Attempt if load.connections >= load.soft_limit => {
                connection.failed = true;
                self.ledger.stats.failed += 1;
            }
            Decision::Attempt => {
                // What cannot be offered now, because it is closing, stays with the host.
                connection.on_nic = self.stack.offer(port, id).is_ok();
            }
        }
        self.reclaim();
    }

    /// Takes the connection back that the selection policy names, if it does.
    fn reclaim(&mut self) {
        let load = self.ledger.load_that_stays(self.stack.load());
        if let Some(victim) = self.selection.reclaim(load) {
            if self.stack.recall(victim).is_ok() {
                self.ledger.reclaimed(victim);
            }
        }
    }

    /// What the selection policy was told of each living connection.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.ledger.iter()
    }

    pub fn selection_stats(&self) -> SelectionStats {
        self.ledger.stats
    }

    /// When to poll next if no interrupt comes before, in picoseconds.
    pub fn next_deadline(&self) -> Option<u64> {
        self.stack.next_timer_ps()
    }

    /// Offers a connection to the NIC. The outcome shows in [`Stack::ownership`] later.
    pub fn handoff(&mut self, port: &mut dyn HostPort, id: SocketId) -> Result<(), BypassError> {
        self.stack.set_time(port.now_ps());
        let result = self.stack.offer(port, id);
        self.settle(port);
        result
    }

    /// Takes a connection back from the NIC.
    pub fn restore(&mut self, port: &mut dyn HostPort, id: SocketId) -> Result<(), BypassError> {
        self.stack.set_time(port.now_ps());
        let result = self.stack.recall(id);
        self.settle(port);
        result
    }

    /// Lets the application act of its own accord, and sends what comes of it.
    pub fn act<R>(
        &mut self,
        port: &mut dyn HostPort,
        act: impl FnOnce(&mut A, &mut Stack, &mut HostMemory) -> R,
    ) -> R {
        self.stack.set_time(port.now_ps());
        let result = act(&mut self.application, &mut self.stack, port.memory_mut());
        self.settle(port);
        result
    }

    /// Counts of the whole server, for an application that has a web server in it.
    pub fn stats_with(&self, http: HttpStats) -> ServerStats {
        ServerStats { driver: self.stack.driver.stats(), stack: self.stack.stats(), http, polls: self.polls }
    }

    /// What the processor has done until `now_ps`.
    pub fn profile(&self, now_ps: u64) -> Profile {
        self.stack.meter.profile(now_ps)
    }

    pub(crate) fn meter(&mut self) -> &mut Meter {
        &mut self.stack.meter
    }

    pub fn application(&self) -> &A {
        &self.application
    }

    /// Delays of the host packets received since the last call, in core cycles from arrival to completion.
    pub fn take_host_packet_delays(&mut self) -> Vec<u64> {
        self.stack.driver.take_delays()
    }

    /// Notes in `log` what the P4 program chose for each frame that it gave to the host.
    pub fn log_frames(&mut self, log: driver::FrameLog) {
        self.stack.driver.log_frames(log);
    }

    /// Notes in `log` each frame that is sent as it is.
    pub fn log_sends(&mut self, log: driver::SendLog) {
        self.stack.driver.log_sends(log);
    }

    pub fn stack(&self) -> &Stack {
        &self.stack
    }
}

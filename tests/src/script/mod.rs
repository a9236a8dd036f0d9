//! The host's stack, alone and with the NIC, as an endpoint of packet scripts (`docs/scripts.md`).
//!
//! The peer of a script takes the place of the clients at the wire: its segments become frames, and frames that the NIC
//! sends are checked, taken apart and given to the script. The user is an application on the server's sockets.

mod application;
mod machine;

use std::collections::VecDeque;

use anyhow::{bail, ensure, Context, Result};
use baton::server::driver::DriverStats;
use baton::server::http::HttpStats;
use baton::server::icmp;
use baton::server::{Address, Never, Ownership, Server, ServerConfig, StackStats};
use baton_abi::handoff::Endpoints;
use baton_script::{ast::Call, ast::ScriptConfig, Endpoint, Output, Segment, Setting};
use baton_tcp::{wire, Flags, SegmentOut, SeqNumber, State};

pub use application::ScriptedUser;
pub use machine::{simulated, Machine};

const PS_PER_US: u64 = 1_000_000;
const SERVER: Address = Address { mac: [2, 0, 0, 0, 0, 1], ip: [10, 0, 0, 1] };
const SERVER_PORT: u16 = 80;
/// Reports of narrower links come from there.
const ROUTER: Address = Address { mac: [2, 0, 0, 0, 1, 254], ip: [10, 0, 1, 254] };
/// Least time between two runs of the server's software for interrupts: longer than a register write takes, as in
/// `baton::world`.
const INTERRUPT_INTERVAL_PS: u64 = 20 * PS_PER_US;
/// In which a connection must have changed hands.
const HANDOFF_MAX_US: u64 = 500_000;

/// The peer's end of the connection.
fn peer() -> Endpoints {
    Endpoints {
        local_ip: [10, 0, 1, 1].into(),
        remote_ip: SERVER.ip.into(),
        local_port: 50_000,
        remote_port: SERVER_PORT,
        local_mac: [2, 0, 0, 0, 1, 1],
        remote_mac: SERVER.mac,
        vlan: 0,
    }
}

/// A server on a NIC.
pub struct HostEndpoint<M> {
    setting: Setting,
    machine: M,
    server: Server<ScriptedUser>,
    output: VecDeque<Output>,
    server_due_ps: u64,
    interrupt_due_ps: u64,
    packet_id: u16,
    /// The number of the server's SYN.
    iss: Option<SeqNumber>,
}

impl<M: Machine> HostEndpoint<M> {
    /// A server that runs as the script's configuration says. `ticks_per_us` is the NIC's clock in megahertz.
    ///
    /// # Errors
    /// When the server does not start.
    pub fn new(
        setting: Setting,
        script: &ScriptConfig,
        mut machine: M,
        ticks_per_us: u32,
        firmware: Option<&[u8]>,
    ) -> Result<Self> {
        let mut config = ServerConfig {
            address: SERVER,
            http_port: SERVER_PORT,
            tcp: script.tcp,
            connections: 4,
            receive_bytes: script.receive_bytes,
            ..ServerConfig::default()
        };
        config.driver.ticks_per_us = ticks_per_us;
        let server = Server::start_with(&config, Box::new(Never), &mut machine, firmware, ScriptedUser::new)?;
        let interrupt_due_ps = machine.now_ps();
        Ok(HostEndpoint {
            setting,
            machine,
            server,
            output: VecDeque::new(),
            server_due_ps: 0,
            interrupt_due_ps,
            packet_id: 0,
            iss: None,
        })
    }

    /// Counts of the server's driver and stack.
    pub fn stats(&self) -> (DriverStats, StackStats) {
        let stats = self.server.stats_with(HttpStats::default());
        (stats.driver, stats.stack)
    }

    fn socket(&self) -> Result<baton::server::SocketId> {
        self.server.application().socket.context("there is no connection")
    }

    /// What the server's software left behind: when it runs next, and what its user heard.
    fn ran(&mut self) {
        self.server_due_ps = self.server.next_deadline().unwrap_or(u64::MAX);
        let events = self.server.act(&mut self.machine, |user, _, _| std::mem::take(&mut user.events));
        self.output.extend(events.into_iter().map(Output::Event));
    }

    /// Lets time pass until there is output, at most until `until_ps`.
    fn advance(&mut self, until_ps: u64) -> Result<()> {
        loop {
            let now_ps = self.machine.now_ps();
            if now_ps >= self.server_due_ps || (self.machine.irq() && now_ps >= self.interrupt_due_ps) {
                self.server.poll(&mut self.machine).context("the server's software failed")?;
                self.interrupt_due_ps = now_ps + INTERRUPT_INTERVAL_PS;
                self.ran();
            }
            if !self.output.is_empty() || now_ps >= until_ps {
                return Ok(());
            }
            // The next thing to look at: a frame or an interrupt ends it early.
            let mut next = until_ps.min(self.server_due_ps);
            if self.machine.irq() {
                next = next.min(self.interrupt_due_ps);
            }
            self.machine.advance(next.max(now_ps + 1));
            while let Some(frame) = self.machine.wire_recv() {
                self.receive(&frame)?;
            }
        }
    }

    /// A frame of the server.
    fn receive(&mut self, frame: &[u8]) -> Result<()> {
        ensure!(wire::checksums_valid(frame), "a frame with wrong checksums: {frame:02x?}");
        let packet =
            wire::parse(frame).map_err(|error| anyhow::anyhow!("a frame that is no TCP: {error:?}"))?;
        ensure!(packet.endpoints == peer(), "a frame to somebody else: {:?}", packet.endpoints);
        let s = packet.segment;
        if s.flags.has(Flags::SYN) {
            self.iss.get_or_insert(s.seq);
        }
        self.output.push_back(Output::Segment(Segment {
            seq: s.seq,
            ack: s.ack,
            flags: s.flags,
            window: s.window,
            options: s.options,
            payload: frame[packet.payload].to_vec(),
        }));
        Ok(())
    }

    /// Lets time pass until the connection is with `owner`. Output meanwhile is kept.
    fn until_owner(&mut self, owner: Ownership) -> Result<()> {
        let limit_ps = self.machine.now_ps() + HANDOFF_MAX_US * PS_PER_US;
        let mut kept = VecDeque::new();
        while self.machine.now_ps() < limit_ps {
            let socket = self.socket()?;
            if self.server.stack().ownership(socket) == Some(owner) {
                kept.append(&mut self.output);
                self.output = kept;
                return Ok(());
            }
            // A change of owner shows no output: look again soon.
            self.advance(limit_ps.min(self.machine.now_ps() + 50 * PS_PER_US))?;
            kept.append(&mut self.output);
        }
        bail!("the connection did not reach {owner:?} in {HANDOFF_MAX_US} us")
    }
}

impl<M: Machine> Endpoint for HostEndpoint<M> {
    fn setting(&self) -> Setting {
        self.setting
    }

    fn now_us(&self) -> u64 {
        self.machine.now_ps() / PS_PER_US
    }

    fn inject(&mut self, segment: &Segment) -> Result<()> {
        let out = SegmentOut {
            seq: segment.seq,
            ack: segment.ack,
            flags: segment.flags,
            window: segment.window,
            options: segment.options,
            data_len: segment.payload.len() as u16,
            ..SegmentOut::default()
        };
        self.packet_id = self.packet_id.wrapping_add(1);
        let mut frame = vec![0; wire::HEADERS_MAX + segment.payload.len()];
        let header = wire::emit(&mut frame, &peer(), &out, self.packet_id).context("no room for a frame")?;
        frame.truncate(header + segment.payload.len());
        frame[header..].copy_from_slice(&segment.payload);
        wire::fill_checksums(&mut frame);
        self.machine.wire_send(frame);
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<()> {
        let call = *call;
        if let Call::LowerMss { mss, quoted } = call {
            let iss = self.iss.context("the endpoint has not sent a SYN")?;
            let peer = peer();
            let remote = (peer.local_ip.as_v4().unwrap_or(0).to_be_bytes(), peer.local_port);
            let frame = icmp::too_large(SERVER, ROUTER, remote, SERVER_PORT, iss + quoted as u32, mss);
            self.machine.wire_send(frame);
            return Ok(());
        }
        // During the handshake the stack has a socket of which no user has heard.
        let opening = self.server.stack().sockets().next();
        let result = self.server.act(&mut self.machine, |user, stack, memory| {
            user.socket = user.socket.or(opening);
            match call {
                // The server listens from the start.
                Call::Listen => Ok(()),
                Call::Connect => user.connect(stack, peer().reversed()),
                Call::Send(bytes) => user.send(stack, memory, bytes),
                Call::Recv(bytes) => user.recv(stack, memory, bytes),
                Call::Shutdown => user.socket().map(|id| stack.shutdown(id)),
                Call::Close => user.close(stack),
                Call::Abort => user.socket().map(|id| stack.abort(id)),
                Call::Nagle(_) => bail!("the host's sockets have no such option"),
                Call::LowerMss { .. } => Ok(()),
            }
        });
        self.ran();
        result
    }

    fn run(&mut self, until_us: u64) -> Result<Option<Output>> {
        if self.output.is_empty() {
            self.advance(until_us * PS_PER_US)?;
        }
        Ok(self.output.pop_front())
    }

    fn readable(&self) -> u32 {
        self.server.application().socket.map_or(0, |id| self.server.stack().unread(id))
    }

    fn state(&self) -> Option<State> {
        let user = self.server.application();
        match user.socket {
            _ if user.ended => Some(State::Closed),
            Some(id) => self.server.stack().state(id),
            // The handshake: the user has not heard of the socket yet.
            None => {
                let id = self.server.stack().sockets().next();
                Some(id.and_then(|id| self.server.stack().state(id)).unwrap_or(State::Closed))
            }
        }
    }

    fn handoff(&mut self) -> Result<()> {
        self.offer()?;
        // A NIC without firmware refuses.
        self.until_owner(if self.setting == Setting::Host { Ownership::Host } else { Ownership::Nic })
    }

    fn restore(&mut self) -> Result<()> {
        if self.setting == Setting::Host {
            return Ok(());
        }
        self.recall()?;
        self.until_owner(Ownership::Host)
    }

    fn offer(&mut self) -> Result<()> {
        let id = self.socket()?;
        let offered = self.server.handoff(&mut self.machine, id);
        self.ran();
        offered.context("the host cannot offer the connection")
    }

    fn recall(&mut self) -> Result<()> {
        if self.setting == Setting::Host {
            return Ok(());
        }
        let id = self.socket()?;
        let asked = self.server.restore(&mut self.machine, id);
        self.ran();
        asked.context("the host cannot take the connection back")
    }
}

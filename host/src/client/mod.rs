//! Client machines: smoltcp interfaces that fetch bodies over HTTP and check every byte.
//!
//! smoltcp is a TCP of its own, so the server's engine never talks to itself. A client is functional and
//! never the bottleneck: it costs no simulated time, and its time is what the co-simulation passes in.

pub mod device;
pub mod http;
pub mod player;

use std::collections::VecDeque;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr, Ipv4Address, Ipv6Address};

use device::FrameQueues;
use http::{Expect, Mismatch, Responses};
use player::{Player, Reading};

/// Picoseconds in a microsecond.
const PS_PER_US: u64 = 1_000_000;

/// Addresses of a client and of its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6Pair {
    pub own: [u8; 16],
    pub server: [u8; 16],
}

/// Knobs of a client host.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub mac: [u8; 6],
    pub ip: [u8; 4],
    pub server_ip: [u8; 4],
    /// Its address and the server's of IPv6: connections go over it, and none over IPv4.
    pub ipv6: Option<Ipv6Pair>,
    pub server_port: u16,
    /// Of initial sequence numbers.
    pub seed: u64,
    /// Bytes of a connection's receive buffer: the window that the server sees.
    pub receive_bytes: usize,
    /// Delayed acknowledgement in microseconds, or none.
    pub ack_delay_us: Option<u64>,
    /// First and last port to connect from, used in turn.
    pub ports: (u16, u16),
    /// Requests of a connection that may be outstanding at once, at least 1.
    pub pipeline: usize,
    /// VLAN id of the tag on all its frames; 0: no tag. It hears no other frames.
    pub vlan: u16,
    /// How many seconds a connection waits for the answer to its first SYN; each retransmission doubles them. 1 is RFC 6298's, 3 was RFC 2988's.
    pub first_timeout_s: u32,
}

impl Default for ClientConfig {
    fn default() -> Self {
        ClientConfig {
            mac: [0x02, 0, 0, 0, 1, 1],
            ip: [10, 0, 1, 1],
            server_ip: [10, 0, 0, 1],
            ipv6: None,
            server_port: 80,
            seed: 1,
            receive_bytes: 65535,
            ack_delay_us: Some(10_000),
            ports: (49152, 65535),
            pipeline: 1,
            vlan: 0,
            first_timeout_s: 1,
        }
    }
}

/// Names a connection of a client, in order of opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FetchId(pub usize);

/// Where a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchState {
    /// Connecting, or responses are outstanding, or the connection is being closed.
    Active,
    /// Every response was complete and right, and the connection has closed in order.
    Done,
    Failed(FetchError),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    Mismatch(Mismatch),
    /// The connection ended with responses outstanding: reset, refused or closed early.
    Ended {
        completed: usize,
    },
}

/// Totals of a client host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientStats {
    pub connections_done: u64,
    pub connections_failed: u64,
    pub responses: u64,
    /// Bytes of bodies so far, all checked.
    pub body_bytes: u64,
    /// Sum over responses of the time from its request to its last byte.
    pub response_time_ps: u64,
}

struct Fetch {
    /// `None` once the connection has ended.
    handle: Option<SocketHandle>,
    local_port: u16,
    /// Requests not sent yet.
    waiting: VecDeque<Expect>,
    /// Requests sent, with the time of sending.
    outstanding: VecDeque<(Expect, u64)>,
    /// Bytes of requests that did not fit the socket's buffer yet.
    unsent: Vec<u8>,
    keep_open: bool,
    /// This side closes once every response has arrived.
    closes: bool,
    /// Of a player: the requests say nothing of closing.
    played: bool,
    /// Of a player with a pace: the response under way, and when more of it is taken.
    reading: Option<Reading>,
    take_at_ps: Option<u64>,
    responses: Responses,
    /// What arrived, when it is collected and not checked.
    reply: Option<Vec<u8>>,
    completed: usize,
    body_bytes: u64,
    state: FetchState,
}

/// A client machine: one interface, any number of connections.
pub struct ClientHost {
    config: ClientConfig,
    interface: Interface,
    sockets: SocketSet<'static>,
    queues: FrameQueues,
    fetches: Vec<Fetch>,
    /// Those in [`FetchState::Active`], in order of opening.
    active: Vec<usize>,
    /// Sockets in TIME-WAIT.
    lingering: VecDeque<SocketHandle>,
    next_port: u16,
    player: Option<Player>,
    clock: Clock,
    stats: ClientStats,
}

/// The time of a client's TCP. smoltcp's first timeout is a second; where a longer one is wanted, the clock runs so much slower while
/// connections wait for the answer to their SYN and none is open.
#[derive(Clone, Copy, Debug)]
struct Clock {
    at_ps: u64,
    tcp_ps: u64,
    slowness: u64,
}

impl Clock {
    fn new() -> Self {
        Clock { at_ps: 0, tcp_ps: 0, slowness: 1 }
    }

    /// The time of TCP. Calls have no lesser times than the ones before.
    fn advance(&mut self, now_ps: u64) -> u64 {
        self.tcp_ps += (now_ps - self.at_ps) / self.slowness;
        self.at_ps = now_ps;
        self.tcp_ps
    }

    /// When TCP's time will be `tcp_ps`, if nothing happens until then.
    fn when(&self, tcp_ps: u64) -> u64 {
        self.at_ps + tcp_ps.saturating_sub(self.tcp_ps) * self.slowness
    }
}

fn instant(now_ps: u64) -> Instant {
    Instant::from_micros((now_ps / PS_PER_US) as i64)
}

impl ClientHost {
    pub fn new(config: ClientConfig) -> Self {
        assert!(config.pipeline >= 1);
        assert!(0 < config.ports.0 && config.ports.0 <= config.ports.1);
        let mut queues = FrameQueues::default();
        let mut interface_config = Config::new(HardwareAddress::Ethernet(EthernetAddress(config.mac)));
        interface_config.random_seed = config.seed;
        let mut interface = Interface::new(interface_config, &mut queues, Instant::ZERO);
        let [a, b, c, d] = config.ip;
        let ipv6 = config.ipv6;
        interface.update_ip_addrs(|addrs| {
            // One network for all machines of an experiment: everybody is a neighbour.
            addrs.push(IpCidr::new(Ipv4Address::new(a, b, c, d).into(), 8)).expect("room for one address");
            if let Some(Ipv6Pair { own, .. }) = ipv6 {
                addrs.push(IpCidr::new(Ipv6Address::from(own).into(), 64)).expect("room for two addresses");
            }
        });
        let next_port = config.ports.0;
        ClientHost {
            config,
            interface,
            sockets: SocketSet::new(Vec::new()),
            queues,
            fetches: Vec::new(),
            active: Vec::new(),
            lingering: VecDeque::new(),
            next_port,
            player: None,
            clock: Clock::new(),
            stats: ClientStats::default(),
        }
    }

    pub fn mac(&self) -> [u8; 6] {
        self.config.mac
    }

    /// Whether its connections are over IPv6.
    pub fn is_ipv6(&self) -> bool {
        self.config.ipv6.is_some()
    }

    /// Opens a connection that makes these requests in order and has the server close it after the last.
    pub fn fetch(&mut self, requests: impl IntoIterator<Item = Expect>) -> FetchId {
        self.open(requests.into_iter().collect(), false)
    }

    /// Opens a connection that stays open after these requests: [`ClientHost::request`] adds more,
    /// [`ClientHost::finish`] ends it.
    pub fn connect(&mut self, requests: impl IntoIterator<Item = Expect>) -> FetchId {
        self.open(requests.into_iter().collect(), true)
    }

    /// Opens a connection that sends `text` as it is and collects whatever comes back until the server
    /// closes.
    pub fn exchange(&mut self, text: &str) -> FetchId {
        let id = self.open(VecDeque::new(), false);
        let fetch = &mut self.fetches[id.0];
        fetch.unsent = text.as_bytes().to_vec();
        fetch.reply = Some(Vec::new());
        id
    }

    /// What came back in an [`ClientHost::exchange`].
    pub fn reply(&self, id: FetchId) -> &[u8] {
        self.fetches[id.0].reply.as_deref().unwrap_or(&[])
    }

    fn open(&mut self, waiting: VecDeque<Expect>, keep_open: bool) -> FetchId {
        let receive = tcp::SocketBuffer::new(vec![0; self.config.receive_bytes]);
        let mut socket = tcp::Socket::new(receive, tcp::SocketBuffer::new(vec![0; 2048]));
        socket.set_ack_delay(self.config.ack_delay_us.map(Duration::from_micros));
        socket.set_nagle_enabled(false);
        let local_port = self.next_port;
        let (first, last) = self.config.ports;
        self.next_port = if local_port == last { first } else { local_port + 1 };
        let [a, b, c, d] = self.config.server_ip;
        let server: IpAddress = match self.config.ipv6 {
            Some(Ipv6Pair { server, .. }) => Ipv6Address::from(server).into(),
            None => Ipv4Address::new(a, b, c, d).into(),
        };
        socket
            .connect(self.interface.context(), (server, self.config.server_port), local_port)
            .expect("a fresh socket connects from a port that is not zero");
        let handle = self.sockets.add(socket);
        let id = self.fetches.len();
        self.fetches.push(Fetch {
            handle: Some(handle),
            local_port,
            waiting,
            outstanding: VecDeque::new(),
            unsent: Vec::new(),
            keep_open,
            closes: false,
            played: false,
            reading: None,
            take_at_ps: None,
            responses: Responses::default(),
            reply: None,
            completed: 0,
            body_bytes: 0,
            state: FetchState::Active,
        });
        self.active.push(id);
        FetchId(id)
    }

    /// Adds the last request to an open connection: it asks the server to close.
    pub fn request_last(&mut self, id: FetchId, expect: Expect) {
        self.request(id, expect);
        self.fetches[id.0].keep_open = false;
        self.fetches[id.0].closes = true;
    }

    /// Adds a request to an open connection.
    pub fn request(&mut self, id: FetchId, expect: Expect) {
        let fetch = &mut self.fetches[id.0];
        assert!(fetch.keep_open, "the connection is being closed");
        fetch.waiting.push_back(expect);
    }

    /// Closes a connection from this side once its responses have arrived.
    pub fn finish(&mut self, id: FetchId) {
        self.fetches[id.0].keep_open = false;
        self.fetches[id.0].closes = true;
    }

    /// Resets a connection.
    pub fn abort(&mut self, id: FetchId) {
        if let Some(handle) = self.fetches[id.0].handle {
            self.sockets.get_mut::<tcp::Socket>(handle).abort();
        }
    }

    /// A frame arrives from the wire.
    pub fn receive(&mut self, frame: Vec<u8>) {
        if let Some(bare) = device::untag(frame, self.config.vlan) {
            self.queues.received.push_back(bare);
        }
    }

    /// Handles what arrived and whatever is due. Frames to send are then in [`ClientHost::take_frame`].
    pub fn poll(&mut self, now_ps: u64) {
        let now = instant(self.clock.advance(now_ps));
        self.interface.poll(now, &mut self.queues, &mut self.sockets);
        let mut progress = false;
        while let Some(&handle) = self.lingering.front() {
            if self.sockets.get::<tcp::Socket>(handle).is_open() {
                break;
            }
            self.sockets.remove(handle);
            self.lingering.pop_front();
        }
        // A response that completes lets the next request go, at once and not with the next frame or timer.
        while self.advance_all(now_ps) {
            progress = true;
        }
        if self.player.is_some() && self.play(now_ps) {
            progress = true;
        }
        if progress {
            self.interface.poll(now, &mut self.queues, &mut self.sockets);
        }
        self.clock.slowness = if self.only_connecting() { self.config.first_timeout_s.into() } else { 1 };
    }

    /// Whether there are connections, and all of them wait for the answer to their SYN.
    fn only_connecting(&self) -> bool {
        let mut handles = self.active.iter().filter_map(|&id| self.fetches[id].handle).peekable();
        handles.peek().is_some()
            && handles.all(|handle| self.sockets.get::<tcp::Socket>(handle).state() == tcp::State::SynSent)
    }

    fn advance_all(&mut self, now_ps: u64) -> bool {
        let mut progress = false;
        let active = std::mem::take(&mut self.active);
        for id in active {
            progress |= self.advance(id, now_ps);
            if self.fetches[id].state == FetchState::Active {
                self.active.push(id);
            }
        }
        progress
    }

    /// Makes the host play sessions from here on.
    pub fn set_player(&mut self, player: Player) {
        self.player = Some(player);
    }

    /// Opens the player's next session if it is due. Returns whether it did.
    fn play(&mut self, now_ps: u64) -> bool {
        let Some(player) = &mut self.player else { return false };
        if let Some(id) = player.current {
            let fetch = &self.fetches[id.0];
            if fetch.state == FetchState::Active {
                return false;
            }
            player.current = None;
        }
        if now_ps < player.next_ps {
            return false;
        }
        let requests = player.next(self.config.ip, self.next_port);
        // A socket in TIME-WAIT has nothing more to say here; a stray FIN is answered by the interface.
        while let Some(handle) = self.lingering.pop_front() {
            self.sockets.remove(handle);
        }
        let id = self.open(requests.into(), false);
        self.fetches[id.0].closes = true;
        self.fetches[id.0].played = true;
        if let Some(player) = &mut self.player {
            player.current = Some(id);
        }
        true
    }

    /// When the player has something to do that no frame brings about.
    fn player_deadline(&self, now_ps: u64) -> Option<u64> {
        let player = self.player.as_ref()?;
        match player.current.map(|id| &self.fetches[id.0]) {
            Some(fetch) if fetch.state == FetchState::Active => {
                let speaks_ps = (now_ps < player.quiet_ps).then_some(player.quiet_ps);
                fetch.take_at_ps.into_iter().chain(speaks_ps).min()
            }
            _ => Some(player.next_ps.max(now_ps)),
        }
    }

    /// The neighbour's address is known without asking.
    pub fn know_neighbour(&mut self, mac: [u8; 6], ip: [u8; 4]) {
        let reply = crate::server::frame::arp_reply(
            crate::server::Address { mac, ip },
            self.config.mac,
            self.config.ip,
        );
        self.receive(reply.to_vec());
    }

    /// The next frame for the wire.
    pub fn take_frame(&mut self) -> Option<Vec<u8>> {
        let frame = self.queues.sent.pop_front()?;
        Some(device::tag(frame, self.config.vlan))
    }

    /// When to poll next if nothing arrives before.
    pub fn next_deadline(&mut self, now_ps: u64) -> Option<u64> {
        let at = self.interface.poll_at(instant(self.clock.advance(now_ps)), &self.sockets);
        let at = at.map(|at| self.clock.when(at.total_micros() as u64 * PS_PER_US));
        at.into_iter().chain(self.player_deadline(now_ps)).min()
    }

    pub fn state(&self, id: FetchId) -> &FetchState {
        &self.fetches[id.0].state
    }

    /// Responses of a connection that are complete and right.
    pub fn completed(&self, id: FetchId) -> usize {
        self.fetches[id.0].completed
    }

    /// Bytes of bodies that a connection has received, all checked.
    pub fn body_bytes(&self, id: FetchId) -> u64 {
        let fetch = &self.fetches[id.0];
        fetch.body_bytes + fetch.responses.checked()
    }

    /// Requests of a connection that have not been answered completely.
    pub fn outstanding(&self, id: FetchId) -> usize {
        self.fetches[id.0].outstanding.len() + self.fetches[id.0].waiting.len()
    }

    /// The client's port of a connection.
    pub fn local_port(&self, id: FetchId) -> u16 {
        self.fetches[id.0].local_port
    }

    /// Whether no connection is active.
    pub fn idle(&self) -> bool {
        self.active.is_empty()
    }

    pub fn stats(&self) -> ClientStats {
        self.stats
    }

    /// Moves bytes between a connection's socket and its requests and responses. Returns whether smoltcp has
    /// something new to do.
    fn advance(&mut self, id: usize, now_ps: u64) -> bool {
        let pace = self.player.as_ref().and_then(|p| p.pace_bps);
        let quiet = self.player.as_ref().is_some_and(|p| now_ps < p.quiet_ps);
        let fetch = &mut self.fetches[id];
        let Some(handle) = fetch.handle else { return false };
        let socket = self.sockets.get_mut::<tcp::Socket>(handle);
        let mut progress = false;

        while socket.may_send() && !quiet {
            if fetch.unsent.is_empty() && fetch.outstanding.len() < self.config.pipeline {
                let Some(expect) = fetch.waiting.pop_front() else { break };
                let last = fetch.waiting.is_empty() && !fetch.keep_open && !fetch.played;
                fetch.unsent = expect.request(last).into_bytes();
                fetch.outstanding.push_back((expect, now_ps));
            }
            if fetch.unsent.is_empty() {
                break;
            }
            let sent = socket.send_slice(&fetch.unsent).unwrap_or(0);
            fetch.unsent.drain(..sent);
            progress |= sent > 0;
            if sent == 0 {
                break;
            }
        }

        let mut failure = None;
        if let Some(reply) = &mut fetch.reply {
            while socket.can_recv() {
                let taken = socket.recv(|bytes| {
                    reply.extend_from_slice(bytes);
                    (bytes.len(), ())
                });
                debug_assert!(taken.is_ok());
                progress = true;
            }
        }
        fetch.take_at_ps = None;
        while socket.can_recv() && failure.is_none() {
            let mut most = usize::MAX;
            if let (Some(bps), Some(&(_, since))) = (pace, fetch.outstanding.front()) {
                let reading = fetch.reading.get_or_insert_with(|| Reading::of(since));
                let due_ps = reading.due_ps(bps, socket.recv_queue());
                if now_ps < due_ps {
                    fetch.take_at_ps = Some(due_ps);
                    break;
                }
                most = reading.allowance(bps, now_ps);
            }
            let (responses, outstanding) = (&mut fetch.responses, &mut fetch.outstanding);
            let stats = &mut self.stats;
            let (completed, body_bytes) = (&mut fetch.completed, &mut fetch.body_bytes);
            let reading = &mut fetch.reading;
            let result = socket.recv(|bytes| {
                let Some(&(expect, since)) = outstanding.front() else {
                    return (0, Err(Mismatch::Unsolicited));
                };
                let before = responses.checked();
                match responses.take(expect, &bytes[..most.min(bytes.len())]) {
                    Ok((used, complete)) => {
                        let checked = if complete { expect.len.into() } else { responses.checked() };
                        stats.body_bytes += checked - before;
                        if let Some(reading) = reading {
                            reading.took(used);
                        }
                        if complete {
                            *reading = None;
                            outstanding.pop_front();
                            *completed += 1;
                            *body_bytes += u64::from(expect.len);
                            stats.responses += 1;
                            stats.response_time_ps += now_ps - since;
                        }
                        (used, Ok(()))
                    }
                    Err(mismatch) => (0, Err(mismatch)),
                }
            });
            progress = true;
            if let Ok(Err(mismatch)) = result {
                failure = Some(FetchError::Mismatch(mismatch));
            }
        }

        let finished = fetch.outstanding.is_empty() && fetch.waiting.is_empty() && fetch.unsent.is_empty();
        if failure.is_none() {
            if socket.is_active() && !socket.may_recv() && socket.may_send() && socket.recv_queue() == 0 {
                // The server has closed its side.
                socket.close();
                progress = true;
            } else if finished
                && !fetch.keep_open
                && fetch.completed == 0
                && fetch.reply.is_none()
                && socket.may_send()
            {
                // Nothing was ever asked: this side closes.
                socket.close();
                progress = true;
            }
            if finished && fetch.closes && socket.may_send() {
                socket.close();
                progress = true;
            }
            let ended = matches!(socket.state(), tcp::State::Closed | tcp::State::TimeWait);
            if ended && !socket.can_recv() {
                let in_order = finished && !fetch.keep_open && !fetch.responses.in_progress();
                if in_order {
                    fetch.state = FetchState::Done;
                    self.stats.connections_done += 1;
                    fetch.handle = None;
                    self.lingering.push_back(handle);
                    return progress;
                }
                failure = Some(FetchError::Ended { completed: fetch.completed });
            }
        }
        if let Some(error) = failure {
            socket.abort();
            fetch.handle = None;
            fetch.state = FetchState::Failed(error);
            self.lingering.push_back(handle);
            self.stats.connections_failed += 1;
            progress = true;
        }
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the SYN of a client that hears nothing goes out, in milliseconds, up to ten seconds.
    fn syn_times(first_timeout_s: u32) -> Vec<u64> {
        let mut client = ClientHost::new(ClientConfig { first_timeout_s, ..ClientConfig::default() });
        client.know_neighbour([2; 6], client.config.server_ip);
        client.fetch([]);
        let (mut now_ps, mut times) = (0, Vec::new());
        while now_ps < 10_000_000_000_000 {
            client.poll(now_ps);
            while client.take_frame().is_some() {
                times.push(now_ps / 1_000_000_000);
            }
            now_ps = client.next_deadline(now_ps).expect("a timer runs").max(now_ps + PS_PER_US);
        }
        times
    }

    #[test]
    fn a_first_timeout_is_as_long_as_it_is_told() {
        assert_eq!(syn_times(1), [0, 1000, 3000, 7000]);
        assert_eq!(syn_times(3), [0, 3000, 9000]);
    }
}

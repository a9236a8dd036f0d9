//! The host's network stack: frames to sockets and back, timers, listeners.
//!
//! ARP and neighbour solicitations are answered, IPv4 is the NIC's largest frame without fragments, IPv6 has no extension headers, TCP is the engine that the firmware
//! runs too. The stack copies a payload once in each direction, from a packet buffer to the receive
//! ring and from the application's span to a transmit frame (a transmit descriptor has one address). Connections
//! that the NIC owns cost neither copy: see [`super::bypass`].
//!
//! Work is queued, not recursive: whatever changes a socket puts it on the work list, and [`Stack::work`]
//! brings owners up to date and sends what may be sent, until everything is done or a ring is full.

use std::collections::{BTreeSet, HashMap, VecDeque};

use baton_abi::address::IpAddress;
use baton_abi::handoff::Endpoints;
use baton_abi::ring::{RX_FLAG_CHECKSUM_OK, TSO_FRAME_BYTES_MAX, TSO_HEADER_BYTES_MAX};
use baton_cosim::port::HostPort;
use baton_tcp::{
    reset_for, BurstOut, Config, Flags, Instant, ReceiveSpans, SegmentIn, SegmentOut, SendSpans, SeqNumber,
    State, Tcb,
};
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::arena::Pool;
use super::core_gauge::CoreGauge;
use super::driver::{Driver, Message, RxFrame, FRAME_BUFFER_BYTES, LARGE_BUFFER_BYTES};
use super::frame::{self, Parsed, ARP_REPLY_BYTES};
use super::ipv6;
use super::load_log::LoadLog;
use super::selection::Notice;
use super::socket::{Ending, Owner, Ownership, ReceiveRing, Shutdown, Socket, SocketEvent, SocketId};
use crate::machine::Meter;

/// Payload of the largest frame that the NIC cuts.
const LARGE_PAYLOAD_MAX: u32 = TSO_FRAME_BYTES_MAX - TSO_HEADER_BYTES_MAX;

/// Picoseconds in a microsecond.
pub(super) const PS_PER_US: u64 = 1_000_000;

/// Address of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    pub mac: [u8; 6],
    pub ip: [u8; 4],
}

/// What tells connections apart: VLAN, remote address, remote port, local port.
pub(super) type Tuple = (u16, IpAddress, u16, u16);

pub(super) fn tuple(ends: &Endpoints) -> Tuple {
    (ends.vlan, ends.remote_ip, ends.remote_port, ends.local_port)
}

/// Counts of the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StackStats {
    pub accepted: u64,
    /// SYNs dropped because every receive ring was in use, or the backlog of the listener was full.
    pub backlog_drops: u64,
    pub arp_replies: u64,
    pub echo_replies: u64,
    /// Reports that a segment was too large for a link.
    pub too_large: u64,
    /// Frames of no protocol that is spoken here, not for this address, or malformed.
    pub ignored: u64,
    pub resets_sent: u64,
    pub segments_in: u64,
    pub segments_out: u64,
    pub retransmits: u64,
    /// Segments that the send queue had no room for.
    pub queue_drops: u64,
    pub handoffs: u64,
    pub refused: u64,
    pub restores: u64,
    /// Connections that the overloaded NIC wished to be rid of.
    pub shed: u64,
    /// Packets held while their connection changed hands.
    pub held: u64,
    /// Packets dropped because too many were held.
    pub held_drops: u64,
    /// Errors that the NIC reported for commands of live connections.
    pub command_errors: u64,
    /// Bytes copied from packets to rings and from spans to frames.
    pub copied_bytes: u64,
}

/// The NIC's load, as far as events have told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NicLoad {
    /// Connections that the NIC accepts at present.
    pub soft_limit: u32,
    /// Connections that it owns, or that are on their way to it or back.
    pub connections: u32,
    /// Of the time between the last two looks at its counters, the part in which its core slept, in percent; 100 while nobody looks
    /// ([`Selection::watches_core`](super::Selection::watches_core)).
    pub idle_percent: u32,
}

impl NicLoad {
    /// `connections` of `soft_limit` on a NIC that nobody has looked at.
    pub const fn new(soft_limit: u32, connections: u32) -> Self {
        NicLoad { soft_limit, connections, idle_percent: 100 }
    }
}

/// The stack and its sockets.
pub struct Stack {
    pub(super) driver: Driver,
    address: Address,
    /// The address of the other family.
    ipv6: Option<[u8; 16]>,
    config: Config,
    listening: Vec<u16>,
    /// Sockets and the generation of each place.
    table: Vec<(u16, Option<Box<Socket>>)>,
    vacant: Vec<u16>,
    /// By remote address, remote port, local port.
    by_tuple: HashMap<Tuple, SocketId>,
    timers: BTreeSet<(u64, SocketId)>,
    /// Sockets that entered TIME-WAIT, in that order; some may be gone.
    lingering: VecDeque<SocketId>,
    pub(super) work: VecDeque<SocketId>,
    pub(super) events: VecDeque<(SocketId, SocketEvent)>,
    /// For the selection policy.
    pub(super) notices: VecDeque<(SocketId, Notice)>,
    /// Frames for the receive path of the NIC, waiting for room in the transmit ring.
    pub(super) injections: VecDeque<RxFrame>,
    /// Another stack has the frames that belong to no socket here.
    pub(super) shared: bool,
    /// Those frames, as they came.
    pub(super) others: VecDeque<RxFrame>,
    pub(super) rings: Pool,
    pub(super) buffers: Pool,
    rng: ChaCha8Rng,
    packet_id: u16,
    now_us: u64,
    blocked: bool,
    /// What operations cost.
    pub(super) meter: Meter,
    pub(super) load: NicLoad,
    pub(super) load_log: LoadLog,
    core_gauge: CoreGauge,
    pub(super) held_limit: usize,
    pub(super) linger_limit: usize,
    /// Most connections that the application has not accepted, and how many there are.
    pub(super) backlog_limit: usize,
    backlog: usize,
    pub(super) stats: StackStats,
}

impl Stack {
    /// `rings` are the receive rings of sockets, one each; `buffers` are small buffers for what
    /// applications say that lies nowhere else.
    pub fn new(
        driver: Driver,
        address: Address,
        config: Config,
        rings: Pool,
        buffers: Pool,
        seed: u64,
    ) -> Self {
        Stack {
            driver,
            address,
            ipv6: None,
            config,
            listening: Vec::new(),
            table: Vec::new(),
            vacant: Vec::new(),
            by_tuple: HashMap::new(),
            timers: BTreeSet::new(),
            lingering: VecDeque::new(),
            work: VecDeque::new(),
            events: VecDeque::new(),
            notices: VecDeque::new(),
            injections: VecDeque::new(),
            shared: false,
            others: VecDeque::new(),
            rings,
            buffers,
            rng: ChaCha8Rng::seed_from_u64(seed),
            packet_id: 0,
            now_us: 0,
            blocked: false,
            meter: Meter::default(),
            load: NicLoad::new(0, 0),
            load_log: LoadLog::default(),
            core_gauge: CoreGauge::default(),
            held_limit: 64,
            linger_limit: 8192,
            backlog_limit: usize::MAX,
            backlog: 0,
            stats: StackStats::default(),
        }
    }

    pub fn listen(&mut self, port: u16) {
        self.listening.push(port);
    }

    /// Gives the server an IPv6 address too.
    pub fn set_ipv6(&mut self, address: Option<[u8; 16]>) {
        self.ipv6 = address;
    }

    pub(super) fn own_ipv6(&self) -> Option<ipv6::Own> {
        self.ipv6.map(|ip| ipv6::Own { mac: self.address.mac, ip })
    }

    /// Whether a datagram to this address is for us.
    fn is_own(&self, address: IpAddress) -> bool {
        address == IpAddress::from(self.address.ip) || self.ipv6.is_some_and(|own| address == own.into())
    }

    /// How a connection of this family is opened: the headers of IPv6 leave less room.
    fn opening(&self, endpoints: &Endpoints) -> Config {
        let less = if endpoints.is_ipv6() { 20 } else { 0 };
        Config { mss: self.config.mss - less, ..self.config }
    }

    pub(super) fn set_time(&mut self, now_ps: u64) {
        let now_us = now_ps / PS_PER_US;
        assert!(now_us >= self.now_us, "time runs backwards");
        self.now_us = now_us;
    }

    pub(super) fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Brings [`NicLoad::idle_percent`] up to date, if it is time to.
    pub(super) fn look_at_core(&mut self, port: &mut dyn HostPort) {
        if let Some(percent) = self.core_gauge.look(port, self.now_us) {
            self.load.idle_percent = percent;
        }
    }

    pub(super) fn now(&self) -> Instant {
        Instant(self.now_us as u32)
    }

    /// Live sockets, in no order that means anything.
    pub fn sockets(&self) -> impl Iterator<Item = SocketId> + '_ {
        self.table.iter().filter_map(|(_, socket)| socket.as_ref().map(|s| s.id))
    }

    /// Whether someone waits for room in the transmit or command ring.
    pub(super) fn blocked(&self) -> bool {
        self.blocked
    }

    /// When the earliest timer fires.
    pub(super) fn next_timer_ps(&self) -> Option<u64> {
        self.timers.first().map(|&(us, _)| us * PS_PER_US)
    }

    /// Panics unless every buffer is where it belongs when no connection is left.
    pub fn assert_idle(&self) {
        assert_eq!(self.sockets().count(), 0, "sockets are left");
        assert_eq!(self.rings.lent(), 0, "receive rings are out");
        assert_eq!(self.buffers.lent(), 0, "small buffers are out");
        assert_eq!(self.driver.rx_buffers_out(), 0, "packet buffers are out");
        assert!(self.by_tuple.is_empty() && self.timers.is_empty() && self.injections.is_empty());
        assert_eq!(self.load.connections, 0, "connections are on the NIC");
        assert_eq!(self.backlog, 0, "connections are in the backlog");
    }

    // --- The table.

    pub(super) fn address(&self) -> Address {
        self.address
    }

    /// The socket with this VLAN, remote address, remote port and local port.
    pub(super) fn find(&self, tuple: Tuple) -> Option<SocketId> {
        self.by_tuple.get(&tuple).copied()
    }

    pub(super) fn socket(&self, id: SocketId) -> Option<&Socket> {
        let (generation, socket) = self.table.get(usize::from(id.index))?;
        socket.as_deref().filter(|_| *generation == id.generation)
    }

    pub(super) fn socket_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        let (generation, socket) = self.table.get_mut(usize::from(id.index))?;
        socket.as_deref_mut().filter(|_| *generation == id.generation)
    }

    /// A socket and the driver: different parts of the stack.
    pub(super) fn socket_and_driver(&mut self, id: SocketId) -> (Option<&mut Socket>, &mut Driver) {
        let socket = match self.table.get_mut(usize::from(id.index)) {
            Some((generation, socket)) if *generation == id.generation => socket.as_deref_mut(),
            _ => None,
        };
        (socket, &mut self.driver)
    }

    /// How the engine is configured.
    pub(super) fn config(&self) -> Config {
        self.config
    }

    /// Puts a socket on the work list.
    pub(super) fn touch(&mut self, id: SocketId) {
        let Some(socket) = self.socket_mut(id) else { return };
        if !std::mem::replace(&mut socket.in_work, true) {
            self.work.push_back(id);
        }
    }

    /// Whether there are as many sockets as can have names.
    pub(super) fn table_full(&self) -> bool {
        self.vacant.is_empty() && self.table.len() > usize::from(u16::MAX)
    }

    /// Removes a socket and returns everything that it holds.
    pub(super) fn remove(&mut self, id: SocketId, ending: Ending) {
        self.disarm(id);
        let (generation, place) = &mut self.table[usize::from(id.index)];
        assert_eq!(*generation, id.generation);
        let socket = place.take().expect("a live socket");
        *generation = generation.wrapping_add(1);
        self.vacant.push(id.index);
        self.meter.ended(id.index);
        self.backlog -= usize::from(socket.in_backlog);
        let key = tuple(&socket.endpoints);
        self.by_tuple.remove(&key);
        for (_, buffer) in socket.releases {
            self.buffers.give(buffer);
        }
        if let Some(ring) = socket.ring {
            self.rings.give(ring.base);
        }
        if socket.owner.ownership() != Ownership::Host {
            self.load.connections -= 1;
        }
        if let Owner::Offering { held, .. } | Owner::Restoring { held, .. } = socket.owner {
            for frame in held {
                self.driver.release(frame);
            }
        }
        self.events.push_back((id, SocketEvent::Ended(ending)));
    }

    pub(super) fn insert(&mut self, endpoints: Endpoints, tcb: Tcb, mut ring: ReceiveRing) -> SocketId {
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.table.push((0, None));
            (self.table.len() - 1) as u16
        });
        let (generation, place) = &mut self.table[usize::from(index)];
        let id = SocketId { index, generation: *generation };
        let mut receive = ReceiveSpans::default();
        if let Some(span) = ring.next_post() {
            receive.push(span.addr, span.len).expect("an empty list takes a span");
            ring.posted(span);
        }
        *place = Some(Box::new(Socket {
            id,
            endpoints,
            owner: Owner::Host(tcb),
            established: false,
            in_backlog: false,
            send: SendSpans::default(),
            receive,
            outbox: VecDeque::new(),
            queued: 0,
            acked: 0,
            releases: VecDeque::new(),
            ring: Some(ring),
            shutdown: Shutdown::Open,
            abort: false,
            abort_told: false,
            restore_wanted: false,
            peer_closed: false,
            closed_first: false,
            path: None,
            timer_us: None,
            in_work: false,
            handoffs: 0,
        }));
        self.by_tuple.insert(tuple(&endpoints), id);
        id
    }

    // --- Timers.

    pub(super) fn disarm(&mut self, id: SocketId) {
        if let Some(us) = self.socket_mut(id).and_then(|s| s.timer_us.take()) {
            self.timers.remove(&(us, id));
        }
    }

    /// Sets the timer of a socket to what its TCB wants.
    fn arm(&mut self, id: SocketId) {
        self.disarm(id);
        let (now, now_us) = (self.now(), self.now_us);
        let Some(socket) = self.socket_mut(id) else { return };
        let Owner::Host(tcb) = &socket.owner else { return };
        let Some(at) = tcb.poll_at() else { return };
        let us = now_us + u64::from(at.remaining(now));
        socket.timer_us = Some(us);
        self.timers.insert((us, id));
    }

    /// Runs the timers that are due.
    pub(super) fn run_timers(&mut self) {
        let now = self.now();
        while let Some(&(us, id)) = self.timers.first() {
            if us > self.now_us {
                return;
            }
            self.timers.pop_first();
            let Some(socket) = self.socket_mut(id) else { continue };
            socket.timer_us = None;
            if let Owner::Host(tcb) = &mut socket.owner {
                // What it did shows in the state, which the work on the socket looks at.
                let _outcome = tcb.on_timer(now);
                self.meter.timer(id.index);
                self.touch(id);
            }
        }
    }

    /// The application accepts a connection.
    pub(super) fn accept(&mut self, id: SocketId) {
        if self.socket_mut(id).is_some_and(|s| std::mem::take(&mut s.in_backlog)) {
            self.backlog -= 1;
        }
    }

    // --- What it costs, beside the charges of the operations.

    /// An event of the NIC.
    pub(super) fn charge_event(&mut self, message: &Message, addr: u32) {
        let id = SocketId::from_cookie(message.cookie);
        let conn = self.socket(id).map(|s| s.id.index);
        self.meter.event(conn, addr, 4 * message.payload().len() as u32 + 8);
    }

    /// The application hears of an event of a socket; room in the send buffer is no news to it.
    pub(super) fn charge_application(&mut self, id: SocketId, event: SocketEvent) {
        match event {
            SocketEvent::Established => self.meter.accepted(id.index),
            SocketEvent::Readable | SocketEvent::PeerClosed => self.meter.selected(id.index),
            SocketEvent::Sent(_) | SocketEvent::Ended(_) => {}
        }
    }

    // --- Frames in.

    /// Handles a received frame.
    pub(super) fn receive(&mut self, port: &mut dyn HostPort, rx: RxFrame) {
        let bytes = port.memory().slice(rx.addr(), usize::from(rx.len));
        let verified = rx.flags & RX_FLAG_CHECKSUM_OK != 0;
        let parsed =
            if frame::is_for(bytes, self.address.mac) { frame::parse(bytes, verified) } else { None };
        if self.shared && !self.claims(parsed.as_ref()) {
            return self.others.push_back(rx);
        }
        match parsed {
            Some(Parsed::ArpRequest { vlan, sender_mac, sender_ip, target_ip })
                if target_ip == self.address.ip =>
            {
                if let Some(buffer) = self.driver.tx_buffer() {
                    let reply = frame::arp_reply(self.address, sender_mac, sender_ip);
                    let mut bytes = [0; ARP_REPLY_BYTES + frame::TAG_BYTES];
                    bytes[..ARP_REPLY_BYTES].copy_from_slice(&reply);
                    let len = frame::tag(&mut bytes, ARP_REPLY_BYTES, vlan);
                    port.memory_mut().write(buffer, &bytes[..len]);
                    let desc = self.driver.tx_desc_addr();
                    self.driver.transmit(port, len as u16, None);
                    self.meter.reset_out(desc);
                    self.announce_frame(port);
                    self.stats.arp_replies += 1;
                }
            }
            Some(Parsed::Tcp { endpoints, segment, payload })
                if self.is_own(endpoints.local_ip) && endpoints.local_mac == self.address.mac =>
            {
                self.stats.segments_in += 1;
                let key = tuple(&endpoints);
                match self.by_tuple.get(&key).copied() {
                    Some(id) if self.reopens(id, &segment) => {
                        self.remove(id, Ending::InOrder);
                        self.unknown(port, endpoints, &segment);
                    }
                    Some(id) => return self.deliver(port, id, &segment, payload, rx),
                    None => self.unknown(port, endpoints, &segment),
                }
            }
            None if self.icmp_arrives(port, &rx) || self.icmpv6_arrives(port, &rx) => {}
            _ => self.stats.ignored += 1,
        }
        self.driver.release(rx);
    }

    /// Of a NIC that is shared: whether a frame is this stack's, which is so for segments of its sockets.
    fn claims(&mut self, parsed: Option<&Parsed>) -> bool {
        let Some(Parsed::Tcp { endpoints, segment, .. }) = parsed else { return false };
        let own = self.is_own(endpoints.local_ip) && endpoints.local_mac == self.address.mac;
        let Some(id) = self.find(tuple(endpoints)).filter(|_| own) else { return false };
        if self.reopens(id, segment) {
            // By whoever listens.
            self.remove(id, Ending::InOrder);
            return false;
        }
        true
    }

    /// Whether a segment opens a new incarnation of a connection in TIME-WAIT: a SYN beyond everything that was
    /// received (RFC 9293 Section 3.10.7.4, RFC 6191).
    fn reopens(&self, id: SocketId, segment: &SegmentIn) -> bool {
        let Some(Owner::Host(tcb)) = self.socket(id).map(|s| &s.owner) else { return false };
        tcb.state() == State::TimeWait
            && segment.flags.has(Flags::SYN)
            && !segment.flags.has(Flags::ACK)
            && segment.seq.gt(tcb.rcv_nxt())
    }

    /// A segment of a connection goes to the owner of its TCB.
    fn deliver(
        &mut self,
        port: &mut dyn HostPort,
        id: SocketId,
        segment: &SegmentIn,
        payload: usize,
        rx: RxFrame,
    ) {
        let limit = self.held_limit;
        let socket = self.socket_mut(id).expect("the table of tuples names live sockets");
        match &mut socket.owner {
            Owner::Host(_) => {
                self.segment_arrives(port, id, segment, rx.addr() + payload as u32);
                self.driver.release(rx);
            }
            Owner::Offering { held, .. } | Owner::Restoring { held, .. } => {
                if held.len() < limit {
                    held.push_back(rx);
                    self.stats.held += 1;
                } else {
                    // The peer's retransmission makes good for it, as for any loss.
                    self.stats.held_drops += 1;
                    self.driver.release(rx);
                }
            }
            // It was on its way here when the lookup entry was made, or the firmware passed it on for
            // an earlier stay of this connection on the NIC.
            Owner::Nic(_) => self.inject(rx),
        }
    }

    /// Processes a frame that was held.
    pub(super) fn receive_held(&mut self, port: &mut dyn HostPort, frame: RxFrame) {
        self.stats.segments_in = self.stats.segments_in.saturating_sub(1);
        self.receive(port, frame);
    }

    fn segment_arrives(&mut self, port: &mut dyn HostPort, id: SocketId, segment: &SegmentIn, payload: u32) {
        let now = self.now();
        self.meter.tcp_in(id.index, payload, segment.payload_len.into());
        let socket = self.socket_mut(id).expect("the caller has looked it up");
        let Owner::Host(tcb) = &mut socket.owner else { unreachable!("the host owns this TCB") };
        let arrival = tcb.segment_arrives(now, segment);
        let mut copied = 0;
        let mut filled = Vec::new();
        if let Some(deliver) = arrival.deliver {
            let mut done = 0;
            while done < u32::from(deliver.len) {
                let (to, room) = socket
                    .receive
                    .at(deliver.stream_offset + done)
                    .expect("the engine accepts only what fits the receive buffer");
                let take = room.min(u32::from(deliver.len) - done);
                let from = payload + u32::from(deliver.payload_offset) + done;
                port.memory_mut().copy(from, to, take as usize);
                filled.push((to, take));
                done += take;
            }
            copied = u64::from(deliver.len);
        }
        if arrival.advanced > 0 {
            socket.receive.consume(arrival.advanced);
            socket.ring.as_mut().expect("data only before TIME-WAIT").arrived(arrival.advanced);
        }
        let due = socket.acknowledged(arrival.acked);
        socket.established |= arrival.established;
        if arrival.peer_closed {
            socket.peer_closed = true;
            socket.closed_first = socket.shutdown == Shutdown::Told;
        }
        for buffer in due {
            self.buffers.give(buffer);
        }
        self.stats.copied_bytes += copied;
        filled.into_iter().for_each(|(addr, len)| self.meter.arrived(addr, len));
        self.meter.acknowledged(id.index, arrival.acked);
        if arrival.advanced > 0 || arrival.peer_closed {
            self.meter.wakeup(id.index);
        }
        if arrival.established {
            self.events.push_back((id, SocketEvent::Established));
        }
        if arrival.advanced > 0 {
            self.events.push_back((id, SocketEvent::Readable));
        }
        if arrival.acked > 0 {
            self.events.push_back((id, SocketEvent::Sent(arrival.acked)));
            self.notices.push_back((id, Notice::Acknowledged(arrival.acked)));
        }
        if arrival.peer_closed {
            self.events.push_back((id, SocketEvent::PeerClosed));
        }
        if arrival.reply_reset {
            let endpoints = self.socket(id).map(|s| s.endpoints);
            if let Some(endpoints) = endpoints {
                self.send_reset(port, endpoints, segment);
            }
        }
        self.touch(id);
    }

    /// A segment that belongs to no connection: opens one, or is refused.
    fn unknown(&mut self, port: &mut dyn HostPort, endpoints: Endpoints, segment: &SegmentIn) {
        let is_open = segment.flags.has(Flags::SYN)
            && !segment.flags.has(Flags::ACK)
            && !segment.flags.has(Flags::RST)
            && self.listening.contains(&endpoints.local_port);
        if !is_open {
            self.send_reset(port, endpoints, segment);
            return;
        }
        let refused = self.table_full() || self.backlog >= self.backlog_limit;
        let Some(ring) = (if refused { None } else { self.rings.take() }) else {
            self.stats.backlog_drops += 1;
            return;
        };
        let iss = SeqNumber(self.rng.next_u32());
        let tcb = Tcb::accept(self.opening(&endpoints), segment, iss, self.rings.stride(), self.now());
        let id = self.insert(endpoints, tcb, ReceiveRing::new(ring, self.rings.stride()));
        self.stats.accepted += 1;
        self.backlog += 1;
        if let Some(socket) = self.socket_mut(id) {
            socket.in_backlog = true;
        }
        self.meter.opened(id.index);
        self.touch(id);
    }

    /// An active open, whose SYN goes out with the next work.
    pub(super) fn open(&mut self, endpoints: Endpoints) -> Option<SocketId> {
        let key = tuple(&endpoints);
        if self.by_tuple.contains_key(&key) || self.table_full() {
            return None;
        }
        let ring = self.rings.take()?;
        let iss = SeqNumber(self.rng.next_u32());
        let tcb = Tcb::connect(self.opening(&endpoints), iss, self.rings.stride(), self.now());
        let id = self.insert(endpoints, tcb, ReceiveRing::new(ring, self.rings.stride()));
        self.touch(id);
        Some(id)
    }

    fn send_reset(&mut self, port: &mut dyn HostPort, endpoints: Endpoints, segment: &SegmentIn) {
        if let Some(reset) = reset_for(segment) {
            if self.driver.tx_buffer().is_some() {
                let desc = self.driver.tx_desc_addr();
                self.emit(port, &endpoints, &reset, &SendSpans::default());
                self.meter.reset_out(desc);
                self.announce_frame(port);
                self.stats.resets_sent += 1;
            }
        }
    }

    // --- Frames out.

    /// Brings owners up to date with what applications asked for, and sends what may be sent.
    pub(super) fn run_work(&mut self, port: &mut dyn HostPort) {
        self.blocked = false;
        while let Some(frame) = self.injections.pop_front() {
            if let Err(frame) = self.driver.inject(port, frame) {
                self.injections.push_front(frame);
                self.blocked = true;
                break;
            }
        }
        for _ in 0..self.work.len() {
            let Some(id) = self.work.pop_front() else { break };
            let Some(socket) = self.socket_mut(id) else { continue };
            socket.in_work = false;
            let done = match socket.owner {
                Owner::Host(_) => self.work_host(port, id),
                Owner::Nic(conn) => {
                    let (addr, commands) = (self.driver.command_addr(), self.driver.stats().commands);
                    let done = self.work_nic(port, id, conn);
                    self.charge_commands(id, addr, commands);
                    done
                }
                // Requests wait for the owner to come.
                Owner::Offering { .. } => self.work_offering(port, id),
                Owner::Restoring { .. } => true,
            };
            if !done {
                self.blocked = true;
                self.touch(id);
            }
        }
    }

    /// What the commands since `before` cost, of which the first was written at `addr`.
    fn charge_commands(&mut self, id: SocketId, addr: u32, before: u64) {
        for number in 0..self.driver.stats().commands - before {
            self.meter.command(id.index, addr + 32 * number as u32, 32);
        }
    }

    /// Gives a TCB of the host what waits for it, and sends. Returns whether all of it is done.
    fn work_host(&mut self, port: &mut dyn HostPort, id: SocketId) -> bool {
        let now = self.now();
        let socket = self.socket_mut(id).expect("the caller has looked it up");
        let Owner::Host(tcb) = &mut socket.owner else { unreachable!("the host owns this TCB") };
        if let Some((mss, seq)) = socket.path.take() {
            // A report that the TCB does not believe changes nothing.
            let _believed = tcb.lower_mss(mss, seq);
        }
        if tcb.state() != State::Closed {
            while let Some(&span) = socket.outbox.front() {
                if socket.send.push(span.addr, span.len).is_err() {
                    break;
                }
                tcb.send_enqueued(span.len);
                socket.outbox.pop_front();
            }
            if socket.shutdown == Shutdown::Wanted && socket.outbox.is_empty() {
                tcb.close();
                socket.shutdown = Shutdown::Told;
            }
            if let Some(ring) = &mut socket.ring {
                while let Some(span) = ring.next_post() {
                    if socket.receive.push(span.addr, span.len).is_err() {
                        break;
                    }
                    ring.posted(span);
                    tcb.receive_space_added(span.len);
                }
            }
            if socket.abort && !socket.abort_told {
                tcb.abort();
                socket.abort_told = true;
            }
        }
        loop {
            if self.driver.tx_buffer().is_none() {
                return false;
            }
            let (large, refused) = (self.driver.large_room(), self.driver.refuses());
            let socket = self.socket_mut(id).expect("the caller has looked it up");
            let Owner::Host(tcb) = &mut socket.owner else { unreachable!("the host owns this TCB") };
            // A transmit frame is built by copying, so a segment may span spans.
            let len = socket.send.len();
            // The NIC cuts bursts of untagged frames only, and those of IPv6 not everywhere.
            let most = if large && socket.endpoints.vlan == 0 && !socket.endpoints.is_ipv6() {
                LARGE_PAYLOAD_MAX / u32::from(tcb.mss())
            } else {
                1
            };
            let Some(burst) = tcb.poll_burst(now, most, |offset| len.saturating_sub(offset)) else { break };
            if refused {
                tcb.refused(now, &burst);
            }
            let (endpoints, send) = (socket.endpoints, socket.send);
            let (offset, len) = (
                burst.segment.data_offset,
                if burst.segments() > 1 { burst.len } else { burst.segment.data_len.into() },
            );
            self.meter.tcp_out(id.index, self.driver.tx_desc_addr(), offset, len);
            if refused {
                self.stats.queue_drops += 1;
                break;
            }
            if burst.segments() > 1 {
                self.emit_large(port, &endpoints, &burst, &send);
            } else {
                self.emit(port, &endpoints, &burst.segment, &send);
            }
            self.announce_frame(port);
        }
        self.arm(id);
        self.settle(id);
        true
    }

    /// Removes a socket that has ended, and takes the buffers of one that lingers.
    fn settle(&mut self, id: SocketId) {
        let socket = self.socket_mut(id).expect("the caller has looked it up");
        let Owner::Host(tcb) = &socket.owner else { return };
        match tcb.state() {
            State::Closed => {
                let ending = if socket.abort {
                    Ending::Aborted
                } else if socket.peer_closed && socket.shutdown == Shutdown::Told && socket.queued == 0 {
                    Ending::InOrder
                } else {
                    Ending::Reset
                };
                self.remove(id, ending);
            }
            State::TimeWait if socket.ring.as_ref().is_some_and(|r| r.unread() == 0) => {
                socket.receive = ReceiveSpans::default();
                if let Some(ring) = socket.ring.take() {
                    self.rings.give(ring.base);
                    self.linger(id);
                }
            }
            _ => {}
        }
    }

    /// A socket has nothing left but its TIME-WAIT. There are not any number of those: the oldest goes early.
    fn linger(&mut self, id: SocketId) {
        self.lingering.push_back(id);
        while self.lingering.len() > self.linger_limit {
            let Some(oldest) = self.lingering.pop_front() else { return };
            if self.state(oldest) == Some(State::TimeWait) {
                self.remove(oldest, Ending::InOrder);
            }
        }
    }

    /// A processor whose time counts rings for each frame when it has sent it, as the paper's driver does; one whose time does not
    /// has all of them done at once, so it rings once for all.
    fn announce_frame(&mut self, port: &mut dyn HostPort) {
        if self.meter.counts_time() {
            let rung = self.driver.ring_transmit(port);
            self.meter.doorbells(rung);
        }
    }

    /// Sends a segment from a transmit buffer, which the caller knows to be free.
    fn emit(
        &mut self,
        port: &mut dyn HostPort,
        endpoints: &Endpoints,
        segment: &SegmentOut,
        send: &SendSpans,
    ) {
        let buffer = self.driver.tx_buffer().expect("the caller has seen a free slot");
        self.packet_id = self.packet_id.wrapping_add(1);
        let bytes = port.memory_mut().slice_mut(buffer, FRAME_BUFFER_BYTES as usize);
        let bare = frame::emit_tcp(bytes, endpoints, segment, self.packet_id);
        let header_len = frame::tag(bytes, bare, endpoints.vlan);
        let shift = (header_len - bare) as u16;
        let (start, at) = frame::tcp_checksum(endpoints);
        let checksum = (start + shift, at + shift);
        let len = u32::from(segment.data_len);
        self.copy_out(port, send, segment.data_offset, len, buffer + header_len as u32);
        self.driver.transmit(port, header_len as u16 + segment.data_len, Some(checksum));
        self.stats.segments_out += 1;
        self.stats.retransmits += u64::from(segment.retransmit);
    }

    /// Sends a burst from a large buffer, which the caller knows to be free: the NIC cuts it.
    fn emit_large(
        &mut self,
        port: &mut dyn HostPort,
        endpoints: &Endpoints,
        burst: &BurstOut,
        send: &SendSpans,
    ) {
        let buffer = self.driver.large_buffer().expect("the caller has seen a free buffer");
        let segments = burst.segments();
        let first_id = self.packet_id.wrapping_add(1);
        self.packet_id = self.packet_id.wrapping_add(segments as u16);
        let bytes = port.memory_mut().slice_mut(buffer, LARGE_BUFFER_BYTES as usize);
        let header_len = frame::emit_burst(bytes, endpoints, burst, first_id) as u16;
        self.copy_out(port, send, burst.segment.data_offset, burst.len, buffer + u32::from(header_len));
        self.driver.transmit_large(port, buffer, header_len + burst.len as u16, burst.mss, header_len);
        self.stats.segments_out += u64::from(segments);
    }

    /// Copies `len` bytes of a send buffer, from `offset` on, to `to`.
    fn copy_out(&mut self, port: &mut dyn HostPort, send: &SendSpans, offset: u32, len: u32, to: u32) {
        let mut done = 0;
        while done < len {
            let (from, room) =
                send.at(offset + done).expect("the engine sends only what is in the send buffer");
            let take = room.min(len - done);
            port.memory_mut().copy(from, to + done, take as usize);
            done += take;
        }
        self.stats.copied_bytes += u64::from(len);
    }
}

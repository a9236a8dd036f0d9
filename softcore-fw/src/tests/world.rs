//! A peer, a wire with faults, and a host with one connection that it hands to the firmware and takes back.
//!
//! Both ends run `baton_tcp`; every byte of both streams is a function of a seed and its position, and is
//! checked where it arrives. The host keeps its own copy of the lists of buffers, as a driver does, and checks
//! that events account for every buffer exactly once.

use std::collections::VecDeque;

use baton_abi::{
    address::IpAddress,
    handoff::HandoffRecord,
    msg::{command, error, event, slots_for, ConnId, Header},
    regs::mailbox,
    ring::RX_FLAG_FROM_NIC,
};
use baton_tcp::{
    wire, Config, Endpoints, Instant, ReceiveSpans, SendSpans, SeqNumber, SharedConfig, Tcb, TimerOutcome,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

use super::nic::{HostFrame, MockNic};
use crate::{Built, Firmware, Program, Slot};

/// Byte `position` of the stream with this seed.
fn stream_byte(seed: u32, position: u32) -> u8 {
    (position.wrapping_mul(0x9E37_79B1) ^ seed.wrapping_mul(0x85EB_CA6B)).rotate_left(13).wrapping_mul(5)
        as u8
}

/// One end's two streams and their buffers in an area of memory.
struct Side {
    endpoints: Endpoints,
    tcb: Option<Tcb>,
    send: SendSpans,
    receive: ReceiveSpans,
    send_area: u32,
    receive_area: u32,
    send_cursor: u32,
    receive_cursor: u32,
    out_seed: u32,
    in_seed: u32,
    /// Bytes to write in all, and written so far.
    total: u32,
    written: u32,
    read: u32,
    shut: bool,
    peer_closed: bool,
    /// The connection has ended in order.
    ended: bool,
}

const AREA: u32 = 1 << 16;
const OUTSTANDING: u32 = 20_000;

impl Side {
    fn new(endpoints: Endpoints, base: u32, out_seed: u32, in_seed: u32, total: u32) -> Self {
        Side {
            endpoints,
            tcb: None,
            send: SendSpans::new(),
            receive: ReceiveSpans::new(),
            send_area: base,
            receive_area: base + AREA,
            send_cursor: 0,
            receive_cursor: 0,
            out_seed,
            in_seed,
            total,
            written: 0,
            read: 0,
            shut: false,
            peer_closed: false,
            ended: false,
        }
    }

    /// Places a chunk behind the last one in an area, sometimes with a gap.
    fn place(cursor: &mut u32, area: u32, len: u32, random: &mut ChaCha8Rng) -> u32 {
        if random.next_u32().is_multiple_of(2) {
            *cursor += random.next_u32() % 64;
        }
        if *cursor + len > AREA {
            *cursor = 0;
        }
        *cursor += len;
        area + *cursor - len
    }

    /// The next chunk that the application writes, already in memory and in the list.
    fn next_write(&mut self, memory: &mut [u8], random: &mut ChaCha8Rng) -> Option<(u32, u32)> {
        let len = (1 + random.next_u32() % 5000).min(self.total - self.written);
        if self.shut || len == 0 || self.send.len() + len > OUTSTANDING {
            return None;
        }
        let mut cursor = self.send_cursor;
        let addr = Self::place(&mut cursor, self.send_area, len, random);
        if !self.send.accepts(addr, len) {
            return None;
        }
        self.send_cursor = cursor;
        self.send.push(addr, len).unwrap();
        for i in 0..len {
            memory[(addr + i) as usize] = stream_byte(self.out_seed, self.written + i);
        }
        self.written += len;
        Some((addr, len))
    }

    /// The next buffer that the application posts.
    fn next_buffer(&mut self, random: &mut ChaCha8Rng) -> Option<(u32, u32)> {
        let len = 500 + random.next_u32() % 6000;
        let mut cursor = self.receive_cursor;
        if self.receive.len() + len > OUTSTANDING {
            return None;
        }
        let addr = Self::place(&mut cursor, self.receive_area, len, random);
        if !self.receive.accepts(addr, len) {
            return None;
        }
        self.receive_cursor = cursor;
        self.receive.push(addr, len).unwrap();
        Some((addr, len))
    }

    /// `bytes` at the start of the receive buffer have arrived: checks and removes them.
    fn arrived(&mut self, memory: &[u8], bytes: u32) {
        for offset in 0..bytes {
            let (addr, _) = self.receive.at(offset).expect("received more than there was room for");
            let want = stream_byte(self.in_seed, self.read + offset);
            assert_eq!(memory[addr as usize], want, "byte {} of the stream", self.read + offset);
        }
        self.read += bytes;
        self.receive.consume(bytes);
    }

    fn segment(&mut self, frame: &[u8], memory: &mut [u8], now: Instant) {
        let parsed = wire::parse(frame).expect("a TCP segment");
        let Some(tcb) = &mut self.tcb else { return };
        let arrival = tcb.segment_arrives(now, &parsed.segment);
        if let Some(deliver) = arrival.deliver {
            let payload = &frame[parsed.payload][usize::from(deliver.payload_offset)..];
            for (i, byte) in payload[..usize::from(deliver.len)].iter().enumerate() {
                let (addr, _) = self.receive.at(deliver.stream_offset + i as u32).unwrap();
                memory[addr as usize] = *byte;
            }
        }
        self.arrived(memory, arrival.advanced);
        self.send.consume(arrival.acked);
        self.peer_closed |= arrival.peer_closed;
        self.ended |= arrival.closed;
        assert!(!arrival.reset, "reset by the other end");
    }

    /// Runs timers and gives the frames to send.
    fn output(&mut self, memory: &[u8], now: Instant) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        let Some(tcb) = &mut self.tcb else { return frames };
        if tcb.poll_at().is_some_and(|at| now.reached(at)) {
            match tcb.on_timer(now) {
                TimerOutcome::TimedOut => panic!("the other end fell silent"),
                TimerOutcome::Closed => self.ended = true,
                TimerOutcome::None | TimerOutcome::Transmit => {}
            }
        }
        while let Some(segment) = tcb.poll_transmit(now, |offset| self.send.contiguous(offset)) {
            let payload = match segment.data_len {
                0 => &[][..],
                len => {
                    let (addr, _) = self.send.at(segment.data_offset).unwrap();
                    &memory[addr as usize..][..usize::from(len)]
                }
            };
            let mut frame = vec![0; wire::HEADERS_MAX + payload.len()];
            let header = wire::emit(&mut frame, &self.endpoints, &segment, 0).unwrap();
            frame.truncate(header + payload.len());
            frame[header..].copy_from_slice(payload);
            wire::fill_checksums(&mut frame);
            frames.push(frame);
        }
        frames
    }
}

/// Who has the connection, as the host sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Host,
    /// HANDOFF is under way.
    ToNic,
    Nic(ConnId),
    /// RESTORE is under way.
    ToHost(ConnId),
    /// CLOSED was reported.
    Gone,
}

/// Percentages of frames that the wire treats badly.
#[derive(Debug, Clone, Copy)]
pub struct Faults {
    pub loss: u32,
    pub duplicate: u32,
    pub reorder: u32,
}

impl Faults {
    pub const NONE: Faults = Faults { loss: 0, duplicate: 0, reorder: 0 };
}

/// What a run has to do.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    /// Bytes from host to peer and from peer to host.
    pub down: u32,
    pub up: u32,
    pub faults: Faults,
    /// Mean steps that the connection stays with one owner; 0: it is handed off once.
    pub stay: u32,
    pub stalls: bool,
}

/// Counts of a run, for tests to see that it did what it should.
#[derive(Debug, Default)]
pub struct Tally {
    pub handoffs: u32,
    pub restores: u32,
    pub held: u32,
    pub from_nic: u32,
    pub sent_events: u32,
    /// Steps after which a connection on the NIC had a gap.
    pub steps_with_gap: u32,
}

const STEP_US: u32 = 10;
const COOKIE: u32 = 0xC00C_1E00;

pub struct World<'a, P: Program = Built> {
    pub fw: Firmware<'a, MockNic<P>>,
    /// Of the connections on the NIC.
    pub shared: SharedConfig,
    rooms: usize,
    plan: Plan,
    host: Side,
    peer: Side,
    peer_memory: Vec<u8>,
    owner: Owner,
    /// Packets that arrived while the connection was between owners.
    held: Vec<Vec<u8>>,
    /// Frames on the wire: arrival time, towards the peer, bytes.
    wire: VecDeque<(u32, bool, Vec<u8>)>,
    random: ChaCha8Rng,
    pub tally: Tally,
}

fn config() -> Config {
    Config {
        min_rto_us: 5_000,
        max_rto_us: 200_000,
        delayed_ack_us: 1_000,
        time_wait_us: 20_000,
        max_retransmits: 50,
        ..Config::default()
    }
}

impl<'a, P: Program> World<'a, P> {
    /// Over IPv4, or over IPv6. The NIC has room for the gaps of `ROOMS` connections.
    pub fn new<const ROOMS: usize>(plan: Plan, ipv6: bool, slots: &'a mut [Slot<P>]) -> Self {
        let address = |host: u32| match ipv6 {
            true => IpAddress([0x2001_0DB8, 0xFFFF_FFFF, 0, host]),
            false => IpAddress::v4(0x0A00_0000 | host),
        };
        let endpoints = Endpoints {
            local_ip: address(1),
            remote_ip: address(2),
            local_port: 80,
            remote_port: 40_000,
            local_mac: [2, 0, 0, 0, 0, 1],
            remote_mac: [2, 0, 0, 0, 0, 2],
            vlan: 0,
        };
        let mut nic = MockNic::new(plan.seed ^ 0x5EED);
        nic.stalls = plan.stalls;
        let timing = config();
        nic.config[mailbox::CFG_MIN_RTO_US] = timing.min_rto_us;
        nic.config[mailbox::CFG_MAX_RTO_US] = timing.max_rto_us;
        nic.config[mailbox::CFG_DELAYED_ACK_US] = timing.delayed_ack_us;
        nic.config[mailbox::CFG_TIME_WAIT_US] = timing.time_wait_us;
        nic.config[mailbox::CFG_MAX_RETRANSMITS] = timing.max_retransmits.into();
        let (fw, shared) = super::firmware_in::<ROOMS, _>(nic, slots);
        World {
            fw,
            shared,
            rooms: ROOMS,
            plan,
            host: Side::new(endpoints, 0x1000, 1, 2, plan.down),
            peer: Side::new(endpoints.reversed(), 0, 2, 1, plan.up),
            peer_memory: vec![0; 2 * AREA as usize],
            owner: Owner::Host,
            held: Vec::new(),
            wire: VecDeque::new(),
            random: ChaCha8Rng::seed_from_u64(plan.seed),
            tally: Tally::default(),
        }
    }

    /// How both ends open the connection: a segment of IPv6 has less room.
    fn opening(&self) -> Config {
        let config = config();
        let less = if self.host.endpoints.is_ipv6() { 20 } else { 0 };
        Config { mss: config.mss - less, ..config }
    }

    fn now(&self) -> Instant {
        Instant(self.fw.hw.time_us)
    }

    fn percent(&mut self, percent: u32) -> bool {
        self.random.next_u32() % 100 < percent
    }

    fn launch(&mut self, to_peer: bool, frame: Vec<u8>) {
        let faults = self.plan.faults;
        if self.percent(faults.loss) {
            return;
        }
        let copies = 1 + u32::from(self.percent(faults.duplicate));
        for _ in 0..copies {
            let extra = if self.percent(faults.reorder) { self.random.next_u32() % 400 } else { 0 };
            let at = self.now().0.wrapping_add(50 + extra);
            let place = self.wire.iter().position(|(t, ..)| at.wrapping_sub(*t) as i32 <= -1);
            self.wire.insert(place.unwrap_or(self.wire.len()), (at, to_peer, frame.clone()));
        }
    }

    /// Runs until both ends have sent everything, closed and ended. Panics with the seed otherwise.
    pub fn run(&mut self) {
        let now = self.now();
        let initial: Vec<_> = (0..3).filter_map(|_| self.peer.next_buffer(&mut self.random)).collect();
        let space = initial.iter().map(|(_, len)| len).sum();
        self.peer.tcb = Some(Tcb::connect(self.opening(), SeqNumber(0xFFFF_F000), space, now));
        for _ in 0..2_000_000u32 {
            self.step();
            if self.finished() {
                assert_eq!((self.host.read, self.peer.read), (self.plan.up, self.plan.down));
                assert_eq!(self.fw.cnum, 0);
                assert!(self.fw.hw.lookup.is_empty());
                return;
            }
        }
        panic!(
            "{:?}: no end; owner {:?}, host wrote {} read {}, peer wrote {} read {}, {:?}",
            self.plan,
            self.owner,
            self.host.written,
            self.host.read,
            self.peer.written,
            self.peer.read,
            self.tally
        );
    }

    fn finished(&self) -> bool {
        (self.host.ended || self.owner == Owner::Gone) && self.peer.ended
    }

    fn step(&mut self) {
        self.fw.hw.step(STEP_US);
        let now = self.now();
        while self.wire.front().is_some_and(|(at, ..)| now.reached(Instant(*at))) {
            let (_, to_peer, frame) = self.wire.pop_front().unwrap();
            if to_peer {
                self.peer.segment(&frame, &mut self.peer_memory, now);
            } else {
                self.fw.hw.arrive(&frame);
            }
        }
        self.peer_turn(now);
        self.host_turn(now);
        let turns = if self.plan.stalls { self.random.next_u32() % 6 } else { 4 };
        for _ in 0..turns {
            self.fw.turn();
        }
        self.tally.steps_with_gap += u32::from(self.shared.rooms_left() < self.rooms);
        let frames: Vec<_> = self.fw.hw.wire.drain(..).collect();
        for frame in frames {
            self.launch(true, frame);
        }
    }

    fn peer_turn(&mut self, now: Instant) {
        let write = self.peer.next_write(&mut self.peer_memory, &mut self.random);
        let buffer = self.peer.next_buffer(&mut self.random);
        let tcb = self.peer.tcb.as_mut().unwrap();
        if let Some((_, len)) = write {
            assert_eq!(tcb.send_enqueued(len), len);
        }
        if let Some((_, len)) = buffer {
            tcb.receive_space_added(len);
        }
        // Closing during the handshake would give the connection up.
        if self.peer.written == self.peer.total && !self.peer.shut && tcb.exportable() {
            self.peer.shut = true;
            tcb.close();
        }
        for frame in self.peer.output(&self.peer_memory, now) {
            self.launch(false, frame);
        }
    }

    fn host_turn(&mut self, now: Instant) {
        while let Some(event) = self.fw.hw.events.pop_front() {
            self.host_event(&event, now);
        }
        // Injected frames may come back at once, when the connection has ended and its event is still under way:
        // they are looked at in the next step.
        let frames: Vec<_> = self.fw.hw.host_frames.drain(..).collect();
        for received in frames {
            self.host_frame(received, now);
        }
        self.host_application();
        self.host_policy(now);
        for frame in self.host.output(&self.fw.hw.memory, now) {
            self.launch(true, frame);
        }
    }

    fn host_frame(&mut self, received: HostFrame, now: Instant) {
        if received.flags & RX_FLAG_FROM_NIC != 0 {
            self.tally.from_nic += 1;
        }
        match self.owner {
            Owner::Host => self.host_segment(&received.frame, now),
            Owner::ToNic | Owner::ToHost(_) => {
                self.tally.held += 1;
                self.held.push(received.frame);
            }
            // It left the wire before the lookup entry stood: back into the receive path.
            Owner::Nic(_) => self.fw.hw.arrive(&received.frame),
            Owner::Gone => {}
        }
    }

    fn host_segment(&mut self, frame: &[u8], now: Instant) {
        if self.host.tcb.is_none() {
            let syn = wire::parse(frame).expect("a SYN").segment;
            let buffers: u32 =
                (0..3).filter_map(|_| self.host.next_buffer(&mut self.random)).map(|b| b.1).sum();
            self.host.tcb = Some(Tcb::accept(self.opening(), &syn, SeqNumber(0x7FFF_FF00), buffers, now));
            return;
        }
        self.host.segment(frame, &mut self.fw.hw.memory, now);
    }

    fn host_application(&mut self) {
        let conn = match self.owner {
            Owner::Host if self.host.tcb.is_some() => None,
            Owner::Nic(conn) => Some(conn),
            _ => return,
        };
        if let Some((addr, len)) = self.host.next_write(&mut self.fw.hw.memory, &mut self.random) {
            match conn {
                None => assert_eq!(self.host.tcb.as_mut().unwrap().send_enqueued(len), len),
                Some(conn) => self.post(command::SEND, conn, &[addr, len]),
            }
        }
        if let Some((addr, len)) = self.host.next_buffer(&mut self.random) {
            match conn {
                None => self.host.tcb.as_mut().unwrap().receive_space_added(len),
                Some(conn) => self.post(command::RECEIVE_BUFFER, conn, &[addr, len]),
            }
        }
        let done = self.host.written == self.host.total && self.host.read == self.plan.up;
        if done && !self.host.shut && self.host.peer_closed {
            self.host.shut = true;
            match conn {
                None => self.host.tcb.as_mut().unwrap().close(),
                Some(conn) => self.post(command::SHUTDOWN, conn, &[]),
            }
        }
    }

    fn post(&mut self, code: u8, conn: ConnId, body: &[u32]) {
        let words: Vec<u32> = [Header { code, slots: 1, conn }.to_word(), COOKIE]
            .into_iter()
            .chain(body.iter().copied())
            .collect();
        self.fw.hw.command(&words);
    }

    fn host_policy(&mut self, now: Instant) {
        let due = match self.plan.stay {
            0 => self.tally.handoffs == 0,
            stay => self.random.next_u32().is_multiple_of(stay),
        };
        if !due {
            return;
        }
        match self.owner {
            Owner::Host if self.host.tcb.as_ref().is_some_and(|tcb| tcb.exportable()) => {
                let tcb = self.host.tcb.take().unwrap();
                let record = HandoffRecord {
                    endpoints: self.host.endpoints,
                    tcb: tcb.export(now),
                    send: self.host.send.to_record(),
                    receive: self.host.receive.to_record(),
                };
                let words = record.to_words();
                let slots = slots_for(words.len()) as u8;
                let header = Header { code: command::HANDOFF, slots, conn: ConnId(0) };
                let message: Vec<u32> =
                    [header.to_word(), COOKIE].into_iter().chain(words.iter().copied()).collect();
                self.fw.hw.command(&message);
                self.owner = Owner::ToNic;
                self.tally.handoffs += 1;
            }
            Owner::Nic(conn) if self.plan.stay > 0 => {
                self.post(command::RESTORE, conn, &[]);
                self.owner = Owner::ToHost(conn);
            }
            _ => {}
        }
    }

    fn host_event(&mut self, event: &[u32], now: Instant) {
        let header = Header::from_word(event[0]);
        assert_eq!(event[1], COOKIE);
        let current = match self.owner {
            Owner::Nic(conn) | Owner::ToHost(conn) => Some(conn),
            _ => None,
        };
        // Commands may cross the connection's end.
        if header.code == event::ERROR {
            assert!(event[2] == error::NO_CONNECTION && self.host.shut, "{:?}", &event[..4]);
            return;
        }
        if header.code != event::ACCEPTED {
            assert_eq!(Some(header.conn), current, "{header:?}: {:?}", &event[..4]);
        }
        match header.code {
            event::ACCEPTED => {
                assert_eq!(self.owner, Owner::ToNic);
                self.owner = Owner::Nic(header.conn);
                for frame in std::mem::take(&mut self.held) {
                    self.fw.hw.arrive(&frame);
                }
            }
            event::PROGRESS => {
                let [sent, received, flags] = [event[2], event[3], event[4]];
                assert!(sent + received + flags > 0, "an event of nothing");
                self.tally.sent_events += u32::from(sent > 0);
                assert!(sent <= self.host.send.len());
                self.host.send.consume(sent);
                if received > 0 {
                    self.host.arrived(&self.fw.hw.memory, received);
                }
                self.host.peer_closed |= flags & event::PROGRESS_PEER_CLOSED != 0;
            }
            event::CLOSED => {
                assert!(self.host.shut && self.host.send.is_empty());
                self.owner = Owner::Gone;
            }
            event::RESTORED => {
                self.tally.restores += 1;
                let record = HandoffRecord::from_words(&event[2..]).unwrap();
                assert_eq!(record.endpoints, self.host.endpoints);
                assert_eq!(SendSpans::from_record(&record.send), Ok(self.host.send), "every buffer once");
                assert_eq!(
                    ReceiveSpans::from_record(&record.receive),
                    Ok(self.host.receive),
                    "every buffer once"
                );
                let (send_len, receive_len) = (self.host.send.len(), self.host.receive.len());
                self.host.tcb = Some(Tcb::import(&record.tcb, send_len, receive_len, config(), now).unwrap());
                self.owner = Owner::Host;
                for frame in std::mem::take(&mut self.held) {
                    self.host_segment(&frame, now);
                }
            }
            other => panic!("event {other}"),
        }
    }
}

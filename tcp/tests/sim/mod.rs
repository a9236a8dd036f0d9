//! Two engines over a bad wire: a deterministic simulator.
//!
//! Each [`Host`] has memory, buffers scattered over it, an application that writes and reads a known byte
//! stream in its own rhythm, and a clock that starts anywhere. Frames are real: headers are emitted, checksummed,
//! damaged and parsed. Every byte that the application reads is compared with what the other one wrote. Hosts can
//! be handed over, record and all, at any moment.
#![allow(dead_code)]

use baton_abi::handoff::{HandoffRecord, RECEIVE_SPANS};
use baton_tcp::{
    reset_for, wire, Config, Endpoints, Instant, ReceiveSpans, SegmentIn, SegmentOut, SendSpans, SeqNumber,
    State, Tcb, TimerOutcome,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

/// Random choices, all from one seed.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Dice(rng)
    }

    pub fn below(&mut self, n: u32) -> u32 {
        self.0.next_u32() % n.max(1)
    }

    pub fn per_mille(&mut self, p: u32) -> bool {
        self.below(1000) < p
    }
}

/// What the wire does to frames, each direction alike.
#[derive(Clone, Copy, Debug, Default)]
pub struct WireFaults {
    pub loss_per_mille: u32,
    pub duplicate_per_mille: u32,
    pub corrupt_per_mille: u32,
    /// Delay of every frame.
    pub delay_us: u32,
    /// Additional random delay, which reorders.
    pub jitter_us: u32,
}

/// How an application behaves.
#[derive(Clone, Copy, Debug)]
pub struct App {
    /// Bytes to write; then it closes.
    pub write: u32,
    /// Most bytes in its send buffer.
    pub send_buffer: u32,
    /// Bytes of receive buffer that it keeps posted, in pieces of up to `piece`.
    pub receive_buffer: u32,
    pub piece: u32,
    /// Largest pause before buffers that were read are posted again.
    pub read_pause_us: u32,
}

impl Default for App {
    fn default() -> Self {
        App { write: 0, send_buffer: 65536, receive_buffer: 65536, piece: 20000, read_pause_us: 0 }
    }
}

/// Everything about a run.
#[derive(Clone, Debug)]
pub struct Setup {
    pub seed: u64,
    pub config: [Config; 2],
    pub app: [App; 2],
    pub faults: WireFaults,
    /// First sequence numbers.
    pub iss: [u32; 2],
    /// Chance of a handoff of either host, at each step.
    pub handoff_per_mille: u32,
}

impl Setup {
    pub fn new(seed: u64) -> Self {
        let config = Config {
            max_retransmits: 100,
            max_rto_us: 2_000_000,
            time_wait_us: 240_000_000,
            ..Config::default()
        };
        Setup {
            seed,
            config: [config; 2],
            app: [App::default(); 2],
            faults: WireFaults { delay_us: 1000, ..WireFaults::default() },
            iss: [0xFFFF_F000, 0xFFFF_8000],
            handoff_per_mille: 0,
        }
    }
}

/// The byte at `index` of the stream of host `host`.
pub fn pattern(host: usize, index: u32) -> u8 {
    (index.wrapping_mul(0x9E37_79B1).wrapping_add(host as u32) >> 23) as u8
}

/// A line of the trace: when, who, and the segment as it left.
pub type Trace = Vec<(u64, usize, SegmentOut)>;

pub struct Host {
    pub index: usize,
    pub tcb: Option<Tcb>,
    pub config: Config,
    app: App,
    iss: u32,
    ends: Endpoints,
    clock_offset: u32,
    memory: Vec<u8>,
    pub send: SendSpans,
    pub receive: ReceiveSpans,
    pub written: u32,
    pub read: u32,
    /// Bytes read whose buffer has not been posted again, and when it will be.
    unposted: u32,
    post_at: Option<u64>,
    pub closed_write: bool,
    pub peer_closed: bool,
    pub finished: bool,
    pub retransmitted: u32,
    pub handoffs: u32,
    ip_id: u16,
}

impl Host {
    fn clock(&self, now_us: u64) -> Instant {
        Instant((now_us as u32).wrapping_add(self.clock_offset))
    }

    /// New memory for `len` bytes; most pieces do not touch the one before.
    fn allocate(&mut self, len: u32, dice: &mut Dice) -> u32 {
        let gap = if dice.per_mille(300) { 0 } else { 1 + dice.below(9) };
        let addr = self.memory.len() as u32 + gap;
        self.memory.resize((addr + len) as usize, 0xA5);
        addr
    }

    /// Posts receive buffers up to the application's size, as far as the list takes them.
    fn post(&mut self, mut bytes: u32, dice: &mut Dice) -> u32 {
        let mut posted = 0;
        // A list with all spans in use takes no more, unless by luck.
        while bytes > 0 && self.receive.spans().len() < RECEIVE_SPANS {
            let len = bytes.min(1 + dice.below(self.app.piece));
            let addr = self.allocate(len, dice);
            if self.receive.push(addr, len).is_err() {
                break;
            }
            posted += len;
            bytes -= len;
        }
        posted
    }

    /// Lets the application act; returns whether something changed.
    fn run_app(&mut self, now_us: u64, dice: &mut Dice) {
        if self.post_at.is_some_and(|at| at <= now_us) {
            self.post_at = None;
            let posted = self.post(self.unposted, dice);
            self.unposted -= posted;
            if let Some(tcb) = &mut self.tcb {
                tcb.receive_space_added(posted);
            }
        }
        while self.tcb.is_some() && self.written < self.app.write {
            let room = self.app.send_buffer.saturating_sub(self.send.len());
            let len = (1 + dice.below(self.app.piece)).min(room).min(self.app.write - self.written);
            // A push may fail for want of a span; one in use stays until it is acknowledged.
            if len == 0 || (self.send.spans().len() == 4 && !self.send.is_empty()) {
                break;
            }
            let addr = self.allocate(len, dice);
            for i in 0..len {
                self.memory[(addr + i) as usize] = pattern(self.index, self.written + i);
            }
            self.send.push(addr, len).expect("room was checked");
            self.written += len;
            let tcb = self.tcb.as_mut().expect("checked above");
            assert_eq!(tcb.send_enqueued(len), len);
        }
        if self.written == self.app.write && !self.closed_write {
            // A close before the peer has answered would end the connection there and then.
            if let Some(tcb) = self.tcb.as_mut().filter(|tcb| tcb.state() != State::SynSent) {
                tcb.close();
                self.closed_write = true;
            }
        }
    }

    /// Takes a segment: stores, reads and checks what it carried.
    fn receive_segment(
        &mut self,
        now_us: u64,
        segment: &SegmentIn,
        payload: &[u8],
        dice: &mut Dice,
    ) -> Option<SegmentOut> {
        let now = self.clock(now_us);
        if self.tcb.is_none() {
            let listening = !self.finished && segment.flags == baton_tcp::Flags::SYN;
            if !listening {
                return reset_for(segment);
            }
            self.tcb = Some(Tcb::accept(self.config, segment, SeqNumber(self.iss), self.receive.len(), now));
            return None;
        }
        let tcb = self.tcb.as_mut().expect("checked above");
        let arrival = tcb.segment_arrives(now, segment);
        assert!(!arrival.reset, "host {} was reset by {segment:?} in {tcb:?}", self.index);
        if let Some(deliver) = arrival.deliver {
            let from = usize::from(deliver.payload_offset);
            for (i, byte) in payload[from..from + usize::from(deliver.len)].iter().enumerate() {
                let (addr, _) = self.receive.at(deliver.stream_offset + i as u32).expect("inside the buffer");
                self.memory[addr as usize] = *byte;
            }
        }
        for i in 0..arrival.advanced {
            let (addr, _) = self.receive.at(i).expect("inside the buffer");
            let expected = pattern(1 - self.index, self.read + i);
            assert_eq!(self.memory[addr as usize], expected, "byte {} of host {}", self.read + i, self.index);
        }
        self.read += arrival.advanced;
        self.receive.consume(arrival.advanced);
        self.send.consume(arrival.acked);
        assert_eq!(tcb.send_len(), self.send.len());
        assert_eq!(tcb.receive_space(), self.receive.len());
        self.unposted += arrival.advanced;
        if self.unposted > 0 && self.post_at.is_none() {
            self.post_at = Some(now_us + u64::from(dice.below(self.app.read_pause_us + 1)));
        }
        assert!(!(arrival.peer_closed && self.peer_closed), "two FINs");
        self.peer_closed |= arrival.peer_closed;
        if arrival.closed {
            self.tcb = None;
            self.finished = true;
        }
        arrival.reply_reset.then(|| reset_for(segment)).flatten()
    }

    /// Hands the connection to another engine, with another clock, through the words of a record.
    fn hand_over(&mut self, now_us: u64, dice: &mut Dice) {
        let now = self.clock(now_us);
        let Some(tcb) = self.tcb.take_if(|tcb| tcb.exportable()) else { return };
        let record = HandoffRecord {
            endpoints: self.ends,
            tcb: tcb.export(now),
            send: self.send.to_record(),
            receive: self.receive.to_record(),
        };
        self.clock_offset = dice.below(u32::MAX);
        let now = self.clock(now_us);
        let copy = HandoffRecord::from_words(&record.to_words()).expect("a record");
        assert_eq!(copy, record);
        self.send = SendSpans::from_record(&copy.send).expect("spans");
        self.receive = ReceiveSpans::from_record(&copy.receive).expect("spans");
        let imported = Tcb::import(&copy.tcb, self.send.len(), self.receive.len(), self.config, now);
        let imported = imported.unwrap_or_else(|e| panic!("{e:?}: {tcb:?}"));
        assert_eq!(imported.export(now), record.tcb);
        self.tcb = Some(imported);
        self.handoffs += 1;
    }
}

struct Flying {
    at_us: u64,
    number: u64,
    to: usize,
    frame: Vec<u8>,
}

pub struct Sim {
    pub now_us: u64,
    steps: u32,
    pub hosts: [Host; 2],
    pub trace: Trace,
    faults: WireFaults,
    flying: Vec<Flying>,
    sent: u64,
    wire_dice: Dice,
    app_dice: [Dice; 2],
    handoff_dice: Dice,
    handoff_per_mille: u32,
    seed: u64,
}

impl Sim {
    /// Host 0 connects to host 1.
    pub fn new(setup: &Setup) -> Self {
        let ends = Endpoints {
            local_ip: 0x0A00_0001.into(),
            remote_ip: 0x0A00_0002.into(),
            local_port: 40000,
            remote_port: 80,
            local_mac: [2, 0, 0, 0, 0, 1],
            remote_mac: [2, 0, 0, 0, 0, 2],
            vlan: 0,
        };
        let mut app_dice = [Dice::new(setup.seed, 1), Dice::new(setup.seed, 2)];
        let mut host = |index: usize| {
            let mut host = Host {
                index,
                tcb: None,
                config: setup.config[index],
                app: setup.app[index],
                iss: setup.iss[index],
                ends: if index == 0 { ends } else { ends.reversed() },
                clock_offset: 0xFFFF_0000 + index as u32,
                memory: Vec::new(),
                send: SendSpans::new(),
                receive: ReceiveSpans::new(),
                written: 0,
                read: 0,
                unposted: 0,
                post_at: None,
                closed_write: false,
                peer_closed: false,
                finished: false,
                retransmitted: 0,
                handoffs: 0,
                ip_id: 0,
            };
            let posted = host.post(host.app.receive_buffer, &mut app_dice[index]);
            host.unposted = host.app.receive_buffer - posted;
            host.post_at = (host.unposted > 0).then_some(1000);
            host
        };
        let mut hosts = [host(0), host(1)];
        let client = &mut hosts[0];
        client.tcb =
            Some(Tcb::connect(client.config, SeqNumber(client.iss), client.receive.len(), client.clock(0)));
        Sim {
            now_us: 0,
            steps: 0,
            hosts,
            trace: Vec::new(),
            faults: setup.faults,
            flying: Vec::new(),
            sent: 0,
            wire_dice: Dice::new(setup.seed, 3),
            app_dice,
            handoff_dice: Dice::new(setup.seed, 4),
            handoff_per_mille: setup.handoff_per_mille,
            seed: setup.seed,
        }
    }

    /// Runs until both ends have closed. Panics when that takes more than `limit_us` of simulated time.
    pub fn run(&mut self, limit_us: u64) {
        for index in 0..2 {
            self.poll(index);
        }
        while !self.hosts.iter().all(|h| h.finished) {
            let Some(next) = self.next_event() else {
                panic!("seed {}: deadlock at {} us: {:?}", self.seed, self.now_us, self.states());
            };
            assert!(next >= self.now_us, "time runs backwards");
            self.now_us = next;
            self.steps += 1;
            assert!(self.steps < 1_000_000, "seed {}: livelock at {next} us: {:?}", self.seed, self.states());
            assert!(next < limit_us, "seed {}: not done after {} us: {:?}", self.seed, next, self.states());
            self.step();
        }
        for host in &self.hosts {
            let other = &self.hosts[1 - host.index];
            assert_eq!(host.read, other.app.write, "seed {}: bytes read by {}", self.seed, host.index);
            assert!(host.peer_closed, "seed {}: no FIN at {}", self.seed, host.index);
        }
    }

    fn states(&self) -> Vec<(Option<State>, u32, u32, Option<&Tcb>)> {
        self.hosts
            .iter()
            .map(|h| (h.tcb.as_ref().map(Tcb::state), h.written, h.read, h.tcb.as_ref()))
            .collect()
    }

    fn next_event(&self) -> Option<u64> {
        let frames = self.flying.iter().map(|f| f.at_us);
        let timers = self.hosts.iter().filter_map(|h| {
            let left = h.tcb.as_ref()?.poll_at()?.remaining(h.clock(self.now_us));
            Some(self.now_us + u64::from(left))
        });
        let apps = self.hosts.iter().filter(|h| h.tcb.is_some()).filter_map(|h| h.post_at);
        frames.chain(timers).chain(apps).min().map(|t| t.max(self.now_us))
    }

    fn step(&mut self) {
        if let Some(i) =
            (0..self.flying.len()).min_by_key(|i| (self.flying[*i].at_us, self.flying[*i].number))
        {
            if self.flying[i].at_us <= self.now_us {
                let flying = self.flying.swap_remove(i);
                self.arrive(flying.to, &flying.frame);
                self.maybe_hand_over();
                return;
            }
        }
        for index in 0..2 {
            let host = &mut self.hosts[index];
            let now = host.clock(self.now_us);
            if let Some(tcb) = &mut host.tcb {
                match tcb.on_timer(now) {
                    TimerOutcome::Closed => {
                        host.tcb = None;
                        host.finished = true;
                    }
                    TimerOutcome::TimedOut => panic!("seed {}: host {index} gave up", self.seed),
                    _ => {}
                }
            }
            self.poll(index);
        }
        self.maybe_hand_over();
    }

    fn maybe_hand_over(&mut self) {
        for index in 0..2 {
            if self.handoff_per_mille > 0 && self.handoff_dice.per_mille(self.handoff_per_mille) {
                self.hosts[index].hand_over(self.now_us, &mut self.handoff_dice);
            }
        }
    }

    fn arrive(&mut self, index: usize, frame: &[u8]) {
        if !wire::checksums_valid(frame) {
            return;
        }
        let packet = wire::parse(frame).expect("a whole frame");
        let host = &mut self.hosts[index];
        assert_eq!(packet.endpoints, host.ends);
        let payload = &frame[packet.payload];
        let reply = host.receive_segment(self.now_us, &packet.segment, payload, &mut self.app_dice[index]);
        if let Some(reply) = reply {
            self.transmit(index, reply);
        }
        self.poll(index);
    }

    /// Lets a host do all it can.
    fn poll(&mut self, index: usize) {
        // Received segments are acknowledged before the application acts.
        for round in 0..2 {
            if round > 0 {
                self.hosts[index].run_app(self.now_us, &mut self.app_dice[index]);
            }
            for _ in 0..100_000 {
                let host = &mut self.hosts[index];
                let now = host.clock(self.now_us);
                let send = host.send;
                let Some(tcb) = &mut host.tcb else { return };
                let Some(out) = tcb.poll_transmit(now, |offset| send.contiguous(offset)) else { break };
                self.transmit(index, out);
                // In the midst of a burst, too.
                if self.handoff_per_mille > 0 && self.handoff_dice.per_mille(self.handoff_per_mille / 4) {
                    self.hosts[index].hand_over(self.now_us, &mut self.handoff_dice);
                }
            }
        }
    }

    fn transmit(&mut self, index: usize, out: SegmentOut) {
        let host = &mut self.hosts[index];
        host.ip_id = host.ip_id.wrapping_add(1);
        host.retransmitted += u32::from(out.retransmit);
        let mut frame = vec![0; wire::HEADERS_MAX + usize::from(out.data_len)];
        let header = wire::emit(&mut frame, &host.ends, &out, host.ip_id).expect("room");
        frame.truncate(header + usize::from(out.data_len));
        for (i, byte) in frame[header..].iter_mut().enumerate() {
            let (addr, _) = host.send.at(out.data_offset + i as u32).expect("inside the buffer");
            *byte = host.memory[addr as usize];
        }
        wire::fill_checksums(&mut frame);
        self.trace.push((self.now_us, index, out));

        let dice = &mut self.wire_dice;
        let copies = 1 + u32::from(dice.per_mille(self.faults.duplicate_per_mille));
        for _ in 0..copies {
            let lost = dice.per_mille(self.faults.loss_per_mille);
            let corrupt = dice.per_mille(self.faults.corrupt_per_mille);
            let at = dice.below(8 * frame.len() as u32 - 8 * 14) as usize + 8 * 14;
            let delay = self.faults.delay_us + dice.below(self.faults.jitter_us + 1);
            if lost {
                continue;
            }
            let mut frame = frame.clone();
            if corrupt {
                frame[at / 8] ^= 1 << (at % 8);
            }
            self.sent += 1;
            let at_us = self.now_us + u64::from(delay);
            self.flying.push(Flying { at_us, number: self.sent, to: 1 - index, frame });
        }
    }
}

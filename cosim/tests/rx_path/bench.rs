//! The receive path with two frame sources, a host that reads its queue, and a firmware and mover that read
//! theirs. Every output is compared with a model of the queues in every cycle.

use crate::frames::{classify, Connections, Fate, Key, Rules, STATION};
use baton_abi::{
    mmio::{lookup, nic_rx},
    ring::RX_FLAG_CHECKSUM_OK,
};
use baton_cosim::block::{Model, Port};
use baton_cosim::receive::{entry_key, entry_key_of};
use baton_hdl::{emit, rx};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::collections::{HashMap, VecDeque};

/// Words and packets that the two queues hold.
pub const HOST_WORDS: usize = 1 << 13;
pub const NIC_WORDS: usize = 1 << 17;
const HOST_PACKETS: usize = 128;
/// Of both together, where they count as one.
const ONE_QUEUE_PACKETS: usize = 128;
const NIC_PACKETS: usize = 2048;
const GRANTED: usize = 4;

/// Habits of the sources and consumers.
#[derive(Clone, Copy)]
pub struct Pace {
    /// Most idle cycles between two frames.
    pub gap: u32,
    /// Chance in 256 that a source stalls for a cycle.
    pub stall: u32,
    /// Chance in 256 that a consumer does its next step in a cycle.
    pub consume: u32,
    /// Lookup operations run all the time: FIND of connections, INSERT and DELETE of others.
    pub operations: bool,
}

impl Pace {
    /// Sources and consumers that never wait.
    pub const FULL: Pace = Pace { gap: 0, stall: 0, consume: 256, operations: true };
}

/// What the pulses said of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    BadFcs,
    BadLength,
    BadChecksum,
    Filtered,
    Host,
    HostDrop,
    Nic,
    NicDrop,
}

/// Every verdict that is a pulse of its own, with the pulse's name.
const PULSES: [(&str, Verdict); 8] = [
    ("st_bad_fcs", Verdict::BadFcs),
    ("st_bad_length", Verdict::BadLength),
    ("st_bad_checksum", Verdict::BadChecksum),
    ("st_filtered", Verdict::Filtered),
    ("st_host", Verdict::Host),
    ("st_host_drop", Verdict::HostDrop),
    ("st_nic", Verdict::Nic),
    ("st_nic_drop", Verdict::NicDrop),
];

/// What has come of the frames so far.
#[derive(Default)]
pub struct Seen {
    pub frames: usize,
    pub overflow: usize,
    pub last: Option<Verdict>,
    /// Host frames that passed a NIC frame.
    pub passed: usize,
    counts: HashMap<Verdict, usize>,
    good: usize,
}

impl Seen {
    pub fn count(&self, verdict: Verdict) -> usize {
        self.counts.get(&verdict).copied().unwrap_or(0)
    }
}

struct Sent {
    bytes: Vec<u8>,
    from_wire: bool,
    fate: Fate,
    arrival: u32,
}

impl Sent {
    fn words(&self) -> usize {
        (self.bytes.len() + 2).div_ceil(4)
    }

    /// A word of the stored frame and a mask of its bytes that are defined.
    fn word(&self, index: usize) -> (u32, u32) {
        let (mut word, mut mask) = (0, 0);
        for lane in 0..4 {
            let at = 4 * index + lane;
            let byte = match at {
                0 | 1 => 0,
                _ => match self.bytes.get(at - 2) {
                    Some(byte) => *byte,
                    None => continue,
                },
            };
            word |= u32::from(byte) << (8 * lane);
            mask |= 0xff << (8 * lane);
        }
        (word, mask)
    }
}

/// A stream of frames into the device.
struct Source {
    frames: VecDeque<(Vec<u8>, bool, Option<u32>)>,
    at: usize,
    idle: u32,
    valid: bool,
    tdata: Port,
    tkeep: Port,
    tlast: Port,
    tuser: Port,
    tvalid: Port,
    tready: Port,
}

/// Where a reader is in a packet: the word that it asks for next, and the one that it asked for in the
/// cycle before.
#[derive(Default)]
struct Reader {
    next: usize,
    asked: Option<usize>,
}

impl Reader {
    /// Moves on in a packet of so many words: the word to ask for, or `None` when all have been read.
    fn step(&mut self, words: usize, go: bool) -> Option<usize> {
        self.asked = None;
        if self.next == words {
            return None;
        }
        if go {
            self.asked = Some(self.next);
            self.next += 1;
        }
        Some(self.asked.unwrap_or(0))
    }
}

struct Ports {
    now: Port,
    lk_start: Port,
    lk_busy: Port,
    st_frames: Port,
    st_overflow: Port,
    ct_conn: Port,
    ct_bytes: Port,
    pulses: [Port; 8],
    hq: HashMap<&'static str, Port>,
    nq: HashMap<&'static str, Port>,
}

pub struct Bench {
    pub dut: Model,
    pub pace: Pace,
    /// Cycles in which a frame that was sent at a set time had to wait.
    pub late_cycles: u32,
    ports: Ports,
    seed: u64,
    rng: ChaCha8Rng,
    now: u32,
    connections: Connections,
    /// Whether each of the keys that no frame has is in the table.
    others: [bool; 16],
    rules: Rules,
    sources: [Source; 2],
    /// Frames that staging refuses, and those that reach the steering, each in order of their last words.
    early: VecDeque<Sent>,
    staged: VecDeque<Sent>,
    host: VecDeque<Sent>,
    granted: usize,
    host_reader: Reader,
    /// Packets of the NIC queue; the first `nic_seen` of them have been read by the firmware.
    nic: VecDeque<Sent>,
    nic_seen: usize,
    nic_reader: Reader,
    desc_reader: Reader,
    operation: Option<Operation>,
    /// The queues before this cycle's `pop`, which is what the device decides by.
    host_level: Level,
    nic_level: Level,
    /// The queues count as one, and whether there is a place in it.
    one_queue: bool,
    has_place: bool,
    seen: Seen,
}

/// An operation of the random ones.
#[derive(Clone, Copy)]
enum Operation {
    /// FIND of a connection of the frames.
    Find(Key),
    /// INSERT, or DELETE, of one that no frame has.
    Turn(usize),
}

/// A key that no frame has.
fn other(index: usize) -> Key {
    [index as u32, 0xc0a8_0002, 1]
}

/// How full a queue is.
#[derive(Clone, Copy, Default)]
struct Level {
    words: usize,
    packets: usize,
}

impl Level {
    fn of(queue: &VecDeque<Sent>) -> Level {
        Level { words: queue.iter().map(Sent::words).sum(), packets: queue.len() }
    }

    fn fits(self, sent: &Sent, packets: usize, words: usize) -> bool {
        self.packets < packets && self.words + sent.words() <= words
    }
}

const HOST_PORTS: [&str; 11] = [
    "hq_pending",
    "hq_pending_stamp",
    "hq_go",
    "hq_valid",
    "hq_len",
    "hq_arrival",
    "hq_flags",
    "hq_addr",
    "hq_data",
    "hq_pop",
    "hq_qlen",
];
const NIC_PORTS: [&str; 12] = [
    "nq_valid",
    "nq_stamp",
    "nq_index",
    "nq_word",
    "nq_next",
    "nq_mem_valid",
    "nq_mem_len",
    "nq_mem_arrival",
    "nq_addr",
    "nq_data",
    "nq_pop",
    "nq_qlen",
];

impl Bench {
    /// The path after reset, its table cleared and filled with the connections.
    pub fn new(seed: u64, connections: Connections, pace: Pace) -> Bench {
        Bench::with(rx::DefaultRxPath::default(), seed, connections, pace)
    }

    /// The same for a path of other options.
    pub fn with(path: rx::DefaultRxPath, seed: u64, connections: Connections, pace: Pace) -> Bench {
        let text = emit::verilog("rx_path", path);
        let mut dut = Model::build("rx_path", &text).unwrap();
        dut.reset(2);
        dut.poke("hash_key0", 0x0102_0304);
        dut.poke("hash_key1", 0x7060_5040);
        let port = |name: &str| dut.port(name).unwrap_or_else(|error| panic!("{error}"));
        let source = |name: &str| Source {
            frames: VecDeque::new(),
            at: 0,
            idle: 0,
            valid: false,
            tdata: port(&format!("{name}$tdata")),
            tkeep: port(&format!("{name}$tkeep")),
            tlast: port(&format!("{name}$tlast")),
            tuser: port(&format!("{name}$tuser")),
            tvalid: port(&format!("{name}$tvalid")),
            tready: port(&format!("{name}$tready")),
        };
        let ports = Ports {
            now: port("now"),
            lk_start: port("lk_start"),
            lk_busy: port("lk_busy"),
            st_frames: port("st_frames"),
            st_overflow: port("st_overflow"),
            ct_conn: port("ct_conn"),
            ct_bytes: port("ct_bytes"),
            pulses: PULSES.map(|(name, _)| port(name)),
            hq: HOST_PORTS.into_iter().map(|name| (name, port(name))).collect(),
            nq: NIC_PORTS.into_iter().map(|name| (name, port(name))).collect(),
        };
        let sources = [source("wire_in"), source("loopback")];
        let mut bench = Bench {
            dut,
            pace: Pace { operations: false, ..pace },
            late_cycles: 0,
            ports,
            seed,
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x5eed),
            now: 0,
            connections: Connections::default(),
            others: [false; 16],
            rules: Rules::RESET,
            sources,
            early: VecDeque::new(),
            staged: VecDeque::new(),
            host: VecDeque::new(),
            granted: 0,
            host_reader: Reader::default(),
            nic: VecDeque::new(),
            nic_seen: 0,
            nic_reader: Reader::default(),
            desc_reader: Reader::default(),
            operation: None,
            host_level: Level::default(),
            nic_level: Level::default(),
            one_queue: false,
            has_place: true,
            seen: Seen::default(),
        };
        bench.set_rules(Rules::RESET);
        bench.insert_all(&connections);
        bench.pace = pace;
        bench
    }

    /// Settings for the frames that have not started yet; call it when none is under way.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
        for (name, on) in [
            ("jumbo", rules.jumbo),
            ("ipv6", rules.ipv6),
            ("promiscuous", rules.promiscuous),
            ("broadcast", rules.broadcast),
            ("multicast", rules.multicast),
        ] {
            self.dut.poke(name, on.into());
        }
        self.dut.poke("station_low", u32::from_le_bytes(STATION[..4].try_into().unwrap()).into());
        self.dut.poke("station_high", u16::from_le_bytes(STATION[4..].try_into().unwrap()).into());
    }

    /// Whether the scheduler serves both queues in the order of arrival, in a path whose queues count as one then.
    pub fn set_in_order(&mut self, in_order: bool) {
        self.dut.poke("in_order", in_order.into());
        self.one_queue = in_order;
    }

    /// Packets that no one has looked at.
    fn waiting(&self) -> usize {
        self.host.len() - self.granted + self.nic.len() - self.nic_seen
    }

    fn insert_all(&mut self, connections: &Connections) {
        for key in &connections.keys {
            self.operate(lookup::INSERT, *key, connections.values[key]);
            self.connections.keys.push(*key);
        }
    }

    /// Resets the device wherever it is. Frames that were under way are forgotten; those that wait are sent after.
    pub fn reset(&mut self) {
        let (pace, connections) = (self.pace, std::mem::take(&mut self.connections));
        let cycles = 1 + self.rng.next_u32() % 3;
        self.dut.reset(cycles);
        self.now += cycles;
        let mut waiting = Vec::new();
        for source in &mut self.sources {
            if source.at > 0 {
                source.frames.pop_front();
            }
            (source.at, source.idle, source.valid) = (0, 0, false);
            waiting.push(std::mem::take(&mut source.frames));
        }
        for queue in [&mut self.early, &mut self.staged, &mut self.host, &mut self.nic] {
            queue.clear();
        }
        (self.granted, self.nic_seen) = (0, 0);
        (self.host_reader, self.nic_reader, self.desc_reader) = Default::default();
        self.operation = None;
        self.others = [false; 16];
        self.seen = Seen::default();
        self.pace = Pace { operations: false, ..pace };
        self.insert_all(&connections);
        self.pace = pace;
        for (source, frames) in self.sources.iter_mut().zip(waiting) {
            source.frames = frames;
        }
    }

    fn chance(&mut self, of_256: u32) -> bool {
        self.rng.next_u32() >> 24 < of_256
    }

    pub fn send(&mut self, from_wire: bool, frame: Vec<u8>, bad_fcs: bool) {
        self.send_at(from_wire, frame, bad_fcs, None);
    }

    /// Sends a frame so many cycles from now, not before, if a time is given.
    pub fn send_at(&mut self, from_wire: bool, frame: Vec<u8>, bad_fcs: bool, at: Option<u32>) {
        let at = at.map(|cycles| self.now + cycles);
        self.sources[usize::from(!from_wire)].frames.push_back((frame, bad_fcs, at));
    }

    /// Carries out a lookup operation that succeeds or finds nothing, and keeps the model's table up to
    /// date.
    pub fn operate(&mut self, op: u32, key: Key, value: u16) {
        self.start(op, key, value);
        for _ in 0..6000 {
            self.step();
            if !self.dut.is_high(self.ports.lk_busy) {
                let outcome = self.dut.peek("lk_outcome") as u32;
                let expected = match op {
                    lookup::INSERT => self.connections.values.insert(key, value).is_none(),
                    lookup::DELETE => self.connections.values.remove(&key).is_some(),
                    _ => self.connections.values.contains_key(&key),
                };
                let expected = if expected { lookup::OK } else { lookup::ABSENT };
                assert_eq!(outcome, expected, "seed {}: operation {op} of {key:x?}", self.seed);
                return;
            }
        }
        panic!("seed {}: operation {op} does not end", self.seed);
    }

    /// The same for a connection over IPv6: the addresses and ports of its frames.
    pub fn operate_wide(&mut self, op: u32, ends: [u8; 36], value: u16) {
        let port = self.dut.port("lk_key").unwrap();
        let number = |at: usize| u128::from_be_bytes(ends[at..at + 16].try_into().unwrap());
        let ports = u32::from_be_bytes(ends[32..].try_into().unwrap());
        self.dut.set_wide(port, &entry_key_of(number(0), number(16), ports));
        self.begin(op, value);
        for _ in 0..6000 {
            self.step();
            if !self.dut.is_high(self.ports.lk_busy) {
                assert_eq!(self.dut.peek("lk_outcome") as u32, lookup::OK, "seed {}", self.seed);
                match op {
                    lookup::INSERT => drop(self.connections.wide.insert(ends, value)),
                    _ => drop(self.connections.wide.remove(&ends)),
                }
                return;
            }
        }
        panic!("seed {}: operation {op} does not end", self.seed);
    }

    fn start(&mut self, op: u32, key: Key, value: u16) {
        let port = self.dut.port("lk_key").unwrap();
        self.dut.set_wide(port, &entry_key(key));
        self.begin(op, value);
    }

    fn begin(&mut self, op: u32, value: u16) {
        self.dut.poke("lk_value", value.into());
        self.dut.poke("lk_op", op.into());
        self.dut.set(self.ports.lk_start, 1);
    }

    pub fn run_until_sent(&mut self, cycles_max: u32) {
        self.run(cycles_max, |bench| bench.sources.iter().all(|source| source.frames.is_empty()));
    }

    /// Until every frame was sent and is in its queue, or dropped.
    pub fn run_until_judged(&mut self, cycles_max: u32) {
        self.run(cycles_max, |bench| {
            bench.sources.iter().all(|source| source.frames.is_empty())
                && bench.early.is_empty()
                && bench.staged.is_empty()
        });
    }

    /// Until every frame was sent, judged, read and freed.
    pub fn run_until_idle(&mut self, cycles_max: u32) {
        self.run(cycles_max, |bench| {
            bench.sources.iter().all(|source| source.frames.is_empty())
                && [&bench.early, &bench.staged, &bench.host, &bench.nic].iter().all(|queue| queue.is_empty())
        });
    }

    fn run(&mut self, cycles_max: u32, done: impl Fn(&Bench) -> bool) {
        for _ in 0..cycles_max {
            if done(self) {
                return;
            }
            self.step();
        }
        panic!(
            "seed {}: not done after {cycles_max} cycles; {} and {} frames unsent, {} unjudged, {} and {} queued",
            self.seed,
            self.sources[0].frames.len(),
            self.sources[1].frames.len(),
            self.early.len() + self.staged.len(),
            self.host.len(),
            self.nic.len()
        );
    }

    /// Checks the sums and hands out what was seen.
    pub fn assert_seen(&self, check: impl FnOnce(&Seen)) {
        let total: usize = self.seen.counts.values().sum();
        assert_eq!(total, self.seen.frames, "seed {}", self.seed);
        let frames = self.seen.good;
        assert_eq!(frames, 0, "seed {}: st_frames is off by {frames}", self.seed);
        check(&self.seen);
    }

    /// One clock cycle.
    pub fn step(&mut self) {
        self.dut.set(self.ports.now, self.now.into());
        self.dut.eval();
        self.drive_sources();
        self.operate_at_random();
        (self.host_level, self.nic_level) = (Level::of(&self.host), Level::of(&self.nic));
        self.has_place = !self.one_queue || self.waiting() < ONE_QUEUE_PACKETS;
        self.read_host_queue();
        self.read_nic_queue();
        self.dut.eval();
        self.note_pulses();
        self.note_transfers();
        self.dut.cycle();
        self.dut.set(self.ports.lk_start, 0);
        self.dut.eval();
        self.now += 1;
    }

    fn drive_sources(&mut self) {
        for index in 0..2 {
            let (stall, gap) = (self.rng.next_u32() >> 24 < self.pace.stall, self.rng.next_u32());
            let source = &mut self.sources[index];
            let (mut tdata, mut tkeep, mut tlast, mut tuser) = (gap, 15, false, gap >> 20 & 1 == 1);
            if let Some((bytes, bad_fcs, at)) = source.frames.front() {
                let due = at.is_none_or(|at| source.at > 0 || at as i32 - self.now as i32 <= 0);
                if source.idle > 0 {
                    source.idle -= 1;
                } else if due && !stall {
                    source.valid = true;
                }
                if source.valid {
                    let rest = &bytes[4 * source.at..];
                    // Bytes that do not count are noise.
                    for (lane, byte) in rest.iter().take(4).enumerate() {
                        tdata = tdata & !(0xff << (8 * lane)) | u32::from(*byte) << (8 * lane);
                    }
                    tlast = rest.len() <= 4;
                    tkeep = if tlast { (1 << rest.len()) - 1 } else { 15 };
                    tuser = if tlast { *bad_fcs } else { tuser };
                }
            }
            self.dut.set(source.tdata, tdata.into());
            self.dut.set(source.tkeep, tkeep);
            self.dut.set(source.tlast, tlast.into());
            self.dut.set(source.tuser, tuser.into());
            self.dut.set(source.tvalid, source.valid.into());
        }
    }

    fn note_transfers(&mut self) {
        let mut passing = 0;
        for index in 0..2 {
            let gap = self.rng.next_u32() % (self.pace.gap + 1);
            let source = &mut self.sources[index];
            if !source.valid {
                continue;
            }
            if !self.dut.is_high(source.tready) {
                self.late_cycles += 1;
                continue;
            }
            passing += 1;
            source.valid = false;
            source.at += 1;
            if 4 * source.at < source.frames[0].0.len() {
                continue;
            }
            source.at = 0;
            source.idle = gap;
            let (bytes, bad_fcs, _) = source.frames.pop_front().unwrap();
            let fate = classify(&bytes, bad_fcs, index == 0, self.rules, &self.connections);
            // The last stored word follows the last stream word by one cycle, or by two when it is a word
            // of its own.
            let flush = u32::from((bytes.len() + 3) % 4 >= 2);
            let early = matches!(fate, Fate::BadFcs | Fate::BadLength | Fate::Filtered);
            let sent = Sent { bytes, from_wire: index == 0, fate, arrival: self.now + 1 + flush };
            if early { &mut self.early } else { &mut self.staged }.push_back(sent);
        }
        assert!(passing <= 1, "seed {}: both streams move at once", self.seed);
    }

    fn note_pulses(&mut self) {
        let seed = self.seed;
        if self.dut.is_high(self.ports.st_frames) {
            // Each good frame from the wire is counted once here, and once below, against it.
            self.seen.good = self.seen.good.wrapping_add(1);
        }
        if self.dut.is_high(self.ports.st_overflow) {
            self.seen.overflow += 1;
            panic!("seed {seed}: a frame overflowed");
        }
        let mut steered = 0;
        for (port, (_, verdict)) in self.ports.pulses.into_iter().zip(PULSES) {
            if !self.dut.is_high(port) {
                continue;
            }
            let early = matches!(verdict, Verdict::BadFcs | Verdict::BadLength | Verdict::Filtered);
            let frames = if early { &mut self.early } else { &mut self.staged };
            // A host frame may pass the NIC frame before it.
            let fate = |at: usize| frames.get(at).map(|sent| &sent.fate);
            let passes = verdict == Verdict::Host
                && matches!((fate(0), fate(1)), (Some(Fate::Nic(_)), Some(Fate::Host { .. })));
            self.seen.passed += usize::from(passes);
            let sent = frames
                .remove(usize::from(passes))
                .unwrap_or_else(|| panic!("seed {seed}: {verdict:?}, but of no frame"));
            let host_fits = self.has_place && self.host_level.fits(&sent, HOST_PACKETS, HOST_WORDS);
            let nic_fits = self.has_place && self.nic_level.fits(&sent, NIC_PACKETS, NIC_WORDS);
            let right = match (&sent.fate, verdict) {
                (Fate::BadFcs, Verdict::BadFcs)
                | (Fate::BadLength, Verdict::BadLength)
                | (Fate::Filtered, Verdict::Filtered)
                | (Fate::BadChecksum, Verdict::BadChecksum) => true,
                (Fate::Host { .. }, Verdict::Host) => host_fits,
                (Fate::Host { .. }, Verdict::HostDrop) => !host_fits,
                (Fate::Nic(_), Verdict::Nic) => nic_fits,
                (Fate::Nic(_), Verdict::NicDrop) => !nic_fits,
                _ => false,
            };
            assert!(
                right,
                "seed {seed}, cycle {}: {verdict:?}, but {:?}; room {host_fits} {nic_fits}; frame {:02x?}",
                self.now, sent.fate, sent.bytes
            );
            if let (Fate::Nic(words), Verdict::Nic) = (&sent.fate, verdict) {
                let counted = [self.ports.ct_conn, self.ports.ct_bytes].map(|port| self.dut.get(port) as u32);
                assert_eq!(
                    counted,
                    [words[0] & 0xffff, words[0] >> 16],
                    "seed {seed}: counted of {words:x?}"
                );
            }
            self.seen.frames += 1;
            self.seen.last = Some(verdict);
            *self.seen.counts.entry(verdict).or_default() += 1;
            if !early {
                steered += 1;
                if sent.from_wire && verdict != Verdict::BadChecksum {
                    self.seen.good = self.seen.good.wrapping_sub(1);
                }
            }
            match verdict {
                Verdict::Host => self.host.push_back(sent),
                Verdict::Nic => self.nic.push_back(sent),
                _ => {}
            }
        }
        assert!(steered <= 1, "seed {seed}: two verdicts in one cycle");
    }

    /// Keeps a FIND of a random connection under way.
    fn operate_at_random(&mut self) {
        if !self.pace.operations || self.dut.is_high(self.ports.lk_busy) {
            return;
        }
        if let Some(operation) = self.operation.take() {
            assert_eq!(self.dut.peek("lk_outcome") as u32, lookup::OK, "seed {}", self.seed);
            let value = self.dut.peek("lk_found") as u16;
            match operation {
                Operation::Find(key) => {
                    assert_eq!(value, self.connections.values[&key], "seed {}", self.seed)
                }
                Operation::Turn(index) if self.others[index] => {
                    assert_eq!(value, index as u16, "seed {}: DELETE", self.seed);
                    self.others[index] = false;
                }
                Operation::Turn(index) => self.others[index] = true,
            }
        }
        let random = self.rng.next_u32() as usize;
        if random >> 16 & 1 == 0 {
            let key = self.connections.keys[random % self.connections.keys.len()];
            self.start(lookup::FIND, key, 0);
            self.operation = Some(Operation::Find(key));
        } else {
            let index = random % self.others.len();
            let op = if self.others[index] { lookup::DELETE } else { lookup::INSERT };
            self.start(op, other(index), index as u16);
            self.operation = Some(Operation::Turn(index));
        }
    }

    fn assert_port(&self, ports: &HashMap<&'static str, Port>, name: &'static str, expected: u64) {
        let got = self.dut.get(ports[name]);
        assert_eq!(
            got, expected,
            "seed {}, cycle {}: {name} {got:#x}, not {expected:#x}",
            self.seed, self.now
        );
    }

    fn read_host_queue(&mut self) {
        let hq = &self.ports.hq;
        let waiting = self.host.len() - self.granted;
        let pending = waiting > 0 && self.granted < GRANTED;
        self.assert_port(hq, "hq_qlen", waiting as u64);
        self.assert_port(hq, "hq_pending", pending.into());
        self.assert_port(hq, "hq_valid", (self.granted > 0).into());
        if pending {
            self.assert_port(hq, "hq_pending_stamp", self.host[self.granted].arrival.into());
        }
        let (mut go, mut address, mut pop) = (false, 0, false);
        if self.granted > 0 {
            let head = &self.host[0];
            let verified = head.fate == Fate::Host { verified: true };
            let flags = if verified { RX_FLAG_CHECKSUM_OK } else { 0 };
            self.assert_port(hq, "hq_len", head.bytes.len() as u64 + 2);
            self.assert_port(hq, "hq_arrival", head.arrival.into());
            self.assert_port(hq, "hq_flags", flags.into());
            if let Some(index) = self.host_reader.asked {
                let (word, mask) = head.word(index);
                let got = self.dut.get(hq["hq_data"]) as u32;
                assert_eq!(got & mask, word, "seed {}: word {index} of a host packet", self.seed);
            }
            let words = head.words();
            let step = self.rng.next_u32() >> 24 < self.pace.consume;
            match self.host_reader.step(words, step) {
                Some(index) => address = index,
                None => pop = true,
            }
        }
        if pending {
            go = self.chance(self.pace.consume);
        }
        let hq = &self.ports.hq;
        self.dut.set(hq["hq_go"], go.into());
        self.dut.set(hq["hq_addr"], address as u64);
        self.dut.set(hq["hq_pop"], pop.into());
        self.granted += usize::from(go);
        if pop {
            self.host.pop_front();
            self.granted -= 1;
            self.host_reader = Reader::default();
        }
    }

    fn read_nic_queue(&mut self) {
        let nq = &self.ports.nq;
        let waiting = self.nic.len() - self.nic_seen;
        self.assert_port(nq, "nq_qlen", waiting as u64);
        self.assert_port(nq, "nq_valid", (waiting > 0).into());
        self.assert_port(nq, "nq_mem_valid", (!self.nic.is_empty()).into());
        let (mut index, mut next, mut address, mut pop) = (0, false, 0, false);
        if waiting > 0 {
            let packet = &self.nic[self.nic_seen];
            self.assert_port(nq, "nq_stamp", packet.arrival.into());
            let Fate::Nic(words) = &packet.fate else { unreachable!() };
            if let Some(asked) = self.desc_reader.asked {
                let expected = if asked == nic_rx::ARRIVAL { packet.arrival } else { words[asked] };
                self.assert_port(nq, "nq_word", expected.into());
            }
            let step = self.rng.next_u32() >> 24 < self.pace.consume;
            match self.desc_reader.step(words.len(), step) {
                Some(word) => index = word,
                None => next = true,
            }
        }
        if let Some(packet) = self.nic.front() {
            self.assert_port(nq, "nq_mem_len", packet.bytes.len() as u64 + 2);
            self.assert_port(nq, "nq_mem_arrival", packet.arrival.into());
            if let Some(asked) = self.nic_reader.asked {
                let (word, mask) = packet.word(asked);
                let got = self.dut.get(nq["nq_data"]) as u32;
                assert_eq!(got & mask, word, "seed {}: word {asked} of a NIC packet", self.seed);
            }
            let step = self.rng.next_u32() >> 24 < self.pace.consume;
            match self.nic_reader.step(packet.words(), step) {
                Some(word) => address = word,
                None => pop = self.nic_seen > 0,
            }
        }
        self.dut.set(nq["nq_index"], index as u64);
        self.dut.set(nq["nq_next"], next.into());
        self.dut.set(nq["nq_addr"], address as u64);
        self.dut.set(nq["nq_pop"], pop.into());
        if next {
            self.nic_seen += 1;
            self.desc_reader = Reader::default();
        }
        if pop {
            self.nic.pop_front();
            self.nic_seen -= 1;
            self.nic_reader = Reader::default();
        }
    }
}

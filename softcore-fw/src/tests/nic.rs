//! A model of the NIC behind the register map: decodes the same offsets as the hardware, moves real bytes, and
//! asserts what firmware must keep to (room before every push, access rights, whole events).

use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;

use baton_abi::{
    mmio::*,
    msg::Header,
    ring::{RX_FLAG_CHECKSUM_OK, RX_FLAG_FROM_NIC, SLOT_WORDS},
    Access, Register,
};
use baton_control_plane::{ConnectionTable, ControlPlane, Part};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

use crate::{
    hardware::Hardware,
    program::{Built, Program, DESCRIPTIONS},
};

pub const JOB_SLOTS: usize = 16;
pub const EVENT_WORDS: usize = 16 * SLOT_WORDS;
pub const TX_SLOTS: usize = 4;
/// Offset of the first frame byte in a stored frame.
const PAD: usize = 2;
const IP: usize = 14;
const TCP: usize = 34;
const TCP_IPV6: usize = 54;

struct Packet {
    stored: Vec<u8>,
    words: [u32; nic_rx::WORDS],
}

/// A frame that reached the host: its bytes, without padding, and the completion's flags.
#[derive(Debug, Clone)]
pub struct HostFrame {
    pub frame: Vec<u8>,
    pub flags: u16,
}

pub struct MockNic<P: Program = Built> {
    pub time_us: u32,
    pub memory: Vec<u8>,
    pub config: [u32; 16],
    pub status: [u32; 16],
    pub lookup: HashMap<Vec<u32>, u16>,
    /// The program's table, as its description has it, and the words of the next operation's key.
    table: Option<ConnectionTable>,
    key: Vec<u32>,
    program: PhantomData<P>,
    /// Refuse insertions as a full bucket would.
    pub bucket_full: bool,
    pub commands: VecDeque<[u32; SLOT_WORDS]>,
    /// Messages delivered to the event ring.
    pub events: VecDeque<Vec<u32>>,
    /// The event ring accepts no more slots.
    pub event_ring_full: bool,
    pub host_frames: VecDeque<HostFrame>,
    pub wire: VecDeque<Vec<u8>>,
    /// Host items that wait for the core, and how many it has moved.
    pub host_rx_waiting: u32,
    pub host_tx_waiting: u32,
    pub moved: Vec<u32>,
    /// No room is announced for bursts.
    pub tx_blocked: bool,
    /// Most bursts between two looks at the scheduler.
    pub burst_max: u32,
    packets: VecDeque<Packet>,
    /// Packets whose descriptor has been passed by NIC_RX_NEXT.
    passed: usize,
    /// Operation, source and length, address, and whether POP follows.
    jobs: VecDeque<[u32; 4]>,
    event_words: VecDeque<u32>,
    pending_tx: VecDeque<VecDeque<Vec<u8>>>,
    registers: HashMap<u32, u32>,
    header: [u32; 32],
    lookup_result: u32,
    burst: std::cell::Cell<u32>,
    /// Stall the movers at random.
    pub stalls: bool,
    /// Commands are older than segments.
    pub commands_first: bool,
    random: ChaCha8Rng,
}

impl<P: Program> MockNic<P> {
    pub fn new(seed: u64) -> Self {
        MockNic {
            time_us: 0xFFFF_0000,
            memory: vec![0; 1 << 19],
            config: [0; 16],
            status: [0; 16],
            lookup: HashMap::new(),
            table: described(P::KEY_LAYOUT),
            key: Vec::new(),
            program: PhantomData,
            bucket_full: false,
            commands: VecDeque::new(),
            events: VecDeque::new(),
            event_ring_full: false,
            host_frames: VecDeque::new(),
            wire: VecDeque::new(),
            host_rx_waiting: 0,
            host_tx_waiting: 0,
            moved: Vec::new(),
            tx_blocked: false,
            burst_max: 0,
            packets: VecDeque::new(),
            passed: 0,
            jobs: VecDeque::new(),
            event_words: VecDeque::new(),
            pending_tx: VecDeque::new(),
            registers: HashMap::new(),
            header: [0; 32],
            lookup_result: 0,
            burst: std::cell::Cell::new(0),
            stalls: false,
            commands_first: false,
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// A frame from the wire, or injected: to the NIC queue on a hit, else to the host.
    pub fn arrive(&mut self, frame: &[u8]) {
        let half = |at: usize| u32::from(frame[at]) << 8 | u32::from(frame[at + 1]);
        let word = |at: usize| half(at) << 16 | half(at + 2);
        let ipv6 = half(12) == 0x86DD;
        let (tcp_at, total, addresses) = if ipv6 {
            assert!(frame.len() >= TCP_IPV6 + 20 && frame[IP] >> 4 == 6 && frame[IP + 6] == 6);
            (TCP_IPV6, 40 + half(IP + 4) as usize, IP + 8..IP + 40)
        } else {
            assert!(frame.len() >= TCP + 20 && half(12) == 0x0800 && frame[IP] == 0x45 && frame[IP + 9] == 6);
            assert_eq!(sum(&frame[IP..TCP]), 0xFFFF, "IPv4 header checksum");
            (TCP, half(IP + 2) as usize, IP + 12..IP + 20)
        };
        let tcp = &frame[tcp_at..IP + total];
        let pseudo = sum(&frame[addresses.clone()]) + 6 + tcp.len() as u32;
        assert_eq!(fold(pseudo + sum(tcp)), 0xFFFF, "TCP checksum");
        let (remote, local) = frame[addresses.clone()].split_at(addresses.len() / 2);
        let address = |bytes: &[u8]| {
            let number = bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
            if ipv6 {
                number
            } else {
                0xFFFF << 32 | number
            }
        };
        let (remote, local) = (address(remote), address(local));
        let key = self.table.as_ref().map(|table| {
            table.key(|part| match part {
                Part::RemoteAddr => remote,
                Part::LocalAddr => local,
                Part::RemotePort => half(tcp_at).into(),
                Part::LocalPort => half(tcp_at + 2).into(),
                Part::Vlan => 0,
            })
        });
        let ecn = if ipv6 { frame[IP + 1] >> 4 & 3 } else { frame[IP + 1] & 3 };
        let Some(&value) = key.and_then(|key| self.lookup.get(&key)) else {
            self.host_frames.push_back(HostFrame { frame: frame.to_vec(), flags: RX_FLAG_CHECKSUM_OK });
            return;
        };
        let header_len = (frame[tcp_at + 12] >> 4) as usize * 4;
        let payload = IP + total - tcp_at - header_len;
        let mut words = [0; nic_rx::WORDS];
        words[nic_rx::CONN_LEN] = u32::from(value) | (payload as u32) << 16;
        words[nic_rx::OFFSET] =
            (PAD + tcp_at + header_len) as u32 | u32::from(ecn) << nic_rx::ECN_SHIFT | (payload as u32) << 16;
        words[nic_rx::SEQ] = word(tcp_at + 4);
        words[nic_rx::ACK] = word(tcp_at + 8);
        words[nic_rx::FLAGS_WINDOW] = word(tcp_at + 12);
        for index in 0..(header_len - 20) / 4 {
            words[nic_rx::OPTIONS + index] = word(tcp_at + 20 + 4 * index);
        }
        let stored = [&[0; PAD], frame].concat();
        self.packets.push_back(Packet { stored, words });
    }

    pub fn wake_at(&self) -> u32 {
        self.registers[&WAKE_AT]
    }

    pub fn queue_len(&self) -> usize {
        self.packets.len() - self.passed
    }

    /// Posts a command of whole slots.
    pub fn command(&mut self, words: &[u32]) {
        for slot in words.chunks(SLOT_WORDS) {
            let mut padded = [0; SLOT_WORDS];
            padded[..slot.len()].copy_from_slice(slot);
            self.commands.push_back(padded);
        }
    }

    /// Time passes and the movers work.
    pub fn step(&mut self, us: u32) {
        self.time_us = self.time_us.wrapping_add(us);
        self.commands_first = self.stalls && self.random.next_u32().is_multiple_of(2);
        while !self.jobs.is_empty() && !self.stalled() {
            if !self.run_job() {
                break;
            }
        }
        while !self.pending_tx.is_empty() && !self.stalled() {
            self.wire.extend(self.pending_tx.pop_front().into_iter().flatten());
        }
    }

    pub fn is_quiet(&self) -> bool {
        self.jobs.is_empty() && self.pending_tx.is_empty() && self.event_words.is_empty()
    }

    fn stalled(&mut self) -> bool {
        self.stalls && self.random.next_u32().is_multiple_of(4)
    }

    /// The window moves on.
    fn pass(&mut self) {
        assert!(self.queue_len() > 0);
        self.passed += 1;
    }

    fn push_job(&mut self, op: u32, src_len: u32, addr: u32) {
        assert!(self.jobs.len() < JOB_SLOTS, "job without room");
        self.jobs.push_back([op, src_len, addr, 0]);
    }

    /// Carries out the oldest job. False: it has to wait.
    fn run_job(&mut self) -> bool {
        let [op, src_len, addr, pop] = self.jobs[0];
        let (src, len) = ((src_len & 0xFFFF) as usize, (src_len >> 16) as usize);
        match op {
            job::COPY => {
                let packet = &self.packets.front().expect("a packet to copy from").stored;
                let bytes = packet[src..src + len].to_vec();
                self.memory[addr as usize..addr as usize + len].copy_from_slice(&bytes);
                if pop != 0 {
                    self.jobs[0] = [job::POP, 0, 0, 0];
                    return true;
                }
            }
            job::POP | job::TO_HOST => {
                let packet = self.packets.pop_front().expect("a packet to free");
                self.passed =
                    self.passed.checked_sub(1).expect("descriptor passed before the packet is freed");
                if op == job::TO_HOST {
                    let flags = RX_FLAG_CHECKSUM_OK | RX_FLAG_FROM_NIC;
                    self.host_frames.push_back(HostFrame { frame: packet.stored[PAD..].to_vec(), flags });
                }
            }
            job::EVENT => {
                if self.event_ring_full {
                    return false;
                }
                assert!(
                    len > 0 && self.event_words.len() >= len * SLOT_WORDS,
                    "events shorter than their job"
                );
                let mut words: VecDeque<u32> = self.event_words.drain(..len * SLOT_WORDS).collect();
                while let Some(&first) = words.front() {
                    let header = Header::from_word(first);
                    assert!(header.slots_valid() && usize::from(header.slots) * SLOT_WORDS <= words.len());
                    self.events.push_back(words.drain(..usize::from(header.slots) * SLOT_WORDS).collect());
                }
            }
            other => panic!("job {other}"),
        }
        self.jobs.pop_front();
        true
    }

    fn transmit(&mut self, go: u32) {
        assert!(self.pending_tx.len() < TX_SLOTS, "transmit without room");
        let header_len = (go & 0xFFFF) as usize;
        assert!((TX_HEADER_BYTES_MIN..=TX_HEADER_BYTES_MAX_IPV6).contains(&(header_len as u32)));
        let mut stored: Vec<u8> = self.header.iter().flat_map(|word| word.to_be_bytes()).collect();
        stored.truncate(header_len);
        let header = stored.split_off(PAD);
        let at = |register| self.registers.get(&register).copied().unwrap_or(0) as usize;
        let (addr, len, mss) = (at(TX_ADDR), at(TX_LEN), at(TX_MSS));
        let cut = match at(TX_CUT) {
            0 => len,
            cut => cut.min(len),
        };
        let rest = at(TX_REST);
        self.registers.insert(TX_CUT, 0);
        let payload = [&self.memory[addr..][..cut], &self.memory[rest..][..len - cut]].concat();
        assert!(len == 0 || mss > 0 && header.len() + mss <= 1514, "segments of {mss} bytes");
        let mut frames = VecDeque::new();
        let mut done = 0;
        loop {
            let take = (len - done).min(mss);
            let last = done + take == len;
            frames.push_back(segment(&header, done, frames.len(), last, &payload[done..][..take]));
            done += take;
            if last {
                break;
            }
        }
        self.pending_tx.push_back(frames);
        self.burst.set(self.burst.get() + 1);
        self.burst_max = self.burst_max.max(self.burst.get());
    }

    fn operate_lookup(&mut self, op: u32) {
        let key = std::mem::take(&mut self.key);
        assert_eq!(
            key.len() as u32,
            self.table.as_ref().map_or(1, |table| table.key_words),
            "words of a key"
        );
        let (outcome, value) = match op {
            lookup::INSERT if self.lookup.contains_key(&key) => (lookup::EXISTS, 0),
            lookup::INSERT if self.bucket_full => (lookup::FULL, 0),
            lookup::INSERT => {
                self.lookup.insert(key, self.registers[&LOOKUP_VALUE] as u16);
                (lookup::OK, 0)
            }
            lookup::DELETE => self.lookup.remove(&key).map_or((lookup::ABSENT, 0), |v| (lookup::OK, v)),
            _ => panic!("lookup operation {op}"),
        };
        self.lookup_result = outcome << lookup::OUTCOME_SHIFT | u32::from(value);
    }

    fn has_job_room(&self) -> bool {
        self.jobs.len() + JOB_ROOM as usize <= JOB_SLOTS
    }

    fn scheduled(&self) -> u32 {
        self.burst.set(0);
        if self.host_rx_waiting > 0 {
            work::HOST_RX
        } else if self.host_tx_waiting > 0 {
            work::HOST_TX
        } else if !self.has_job_room() {
            work::NONE
        } else if self.queue_len() > 0 && (self.commands.is_empty() || !self.commands_first) {
            work::NIC_RX
        } else if !self.commands.is_empty() {
            work::COMMAND
        } else {
            work::NONE
        }
    }
}

/// The register that an offset belongs to.
fn register(offset: u32) -> &'static Register {
    assert_eq!(offset % 4, 0);
    BLOCKS
        .iter()
        .chain(BOARD_BLOCKS)
        .flat_map(|block| block.registers)
        .find(|r| (r.address..r.address + 4 * r.count).contains(&offset))
        .unwrap_or_else(|| panic!("no register at {offset:#x}"))
}

impl<P: Program> Hardware for MockNic<P> {
    type Program = P;

    fn read(&self, offset: u32) -> u32 {
        let r = register(offset);
        assert_ne!(r.access, Access::WriteOnly, "read of {}", r.name);
        let index = ((offset - r.address) / 4) as usize;
        match r.address {
            SCHED_NEXT => self.scheduled(),
            STATUS => {
                let mut status = 0;
                if self.has_job_room() {
                    status |= STATUS_JOB_ROOM;
                }
                if self.event_words.len() + 9 * SLOT_WORDS <= EVENT_WORDS {
                    status |= STATUS_EVENT_ROOM;
                }
                if self.pending_tx.len() < TX_SLOTS && !self.tx_blocked {
                    status |= STATUS_TX_ROOM;
                }
                status
            }
            TIME_US => self.time_us,
            CORE_CYCLES => self.time_us.wrapping_mul(100),
            CMD_COUNT => self.commands.len().min(9) as u32,
            NIC_RX_QLEN => self.queue_len() as u32,
            LOOKUP_RESULT => self.lookup_result,
            MBOX_CFG => self.config[index],
            NIC_RX => self.packets[self.passed].words[index],
            WAKE_AT | WAKE_ON => self.registers[&r.address],
            // On no board.
            BOARD_KIND => board::NONE,
            CMD => self.commands.get(index / SLOT_WORDS).map_or(0xDEAD_BEEF, |slot| slot[index % SLOT_WORDS]),
            _ => panic!("unexpected read of {}", r.name),
        }
    }

    fn write(&mut self, offset: u32, value: u32) {
        let r = register(offset);
        assert_ne!(r.access, Access::ReadOnly, "write to {}", r.name);
        let index = ((offset - r.address) / 4) as usize;
        match r.address {
            HOST_RX_GO => {
                self.host_rx_waiting -= 1;
                self.moved.push(work::HOST_RX);
            }
            HOST_TX_GO => {
                self.host_tx_waiting -= 1;
                self.moved.push(work::HOST_TX);
            }
            NIC_RX_NEXT => self.pass(),
            NIC_RX_POP => {
                self.pass();
                self.push_job(job::POP, 0, 0);
            }
            NIC_RX_COPY => {
                self.pass();
                let source = self.registers[&JOB_SRC_LEN] & (nic_rx::OFFSET_MASK | 0xFFFF_0000);
                self.push_job(job::COPY, source, value);
                self.jobs.back_mut().unwrap()[3] = 1;
            }
            CMD_POP => {
                assert!(value as usize <= self.commands.len());
                self.commands.drain(..value as usize);
            }
            JOB_GO => {
                let at = |register| self.registers.get(&register).copied().unwrap_or(0);
                self.push_job(value, at(JOB_SRC_LEN), at(JOB_ADDR));
            }
            EVT_DATA => {
                assert!(self.event_words.len() < EVENT_WORDS, "event without room");
                self.event_words.push_back(value);
            }
            TX_GO => self.transmit(value),
            LOOKUP_KEY => self.key.push(value),
            LOOKUP_OP => self.operate_lookup(value),
            MBOX_STS => self.status[index] = value,
            TX_HEADER => self.header[index] = value,
            _ => {
                self.registers.insert(offset, value);
            }
        }
    }

    fn sleep(&mut self) {}
}

/// A segment of a burst: its header as it was written, with `done` bytes and `number` segments before it.
fn segment(header: &[u8], done: usize, number: usize, last: bool, payload: &[u8]) -> Vec<u8> {
    let half = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let mut frame = [header, payload].concat();
    let (tcp, addresses) = if half(12) == 0x86DD {
        let len = (frame.len() - TCP_IPV6) as u16;
        frame[IP + 4..IP + 6].copy_from_slice(&len.to_be_bytes());
        (TCP_IPV6, IP + 8..IP + 40)
    } else {
        let total = (frame.len() - IP) as u16;
        frame[IP + 2..IP + 4].copy_from_slice(&total.to_be_bytes());
        frame[IP + 4..IP + 6].copy_from_slice(&half(IP + 4).wrapping_add(number as u16).to_be_bytes());
        frame[IP + 10..IP + 12].fill(0);
        let ip_sum = !sum(&frame[IP..TCP]) as u16;
        frame[IP + 10..IP + 12].copy_from_slice(&ip_sum.to_be_bytes());
        (TCP, IP + 12..IP + 20)
    };
    let seq = u32::from(half(tcp + 4)) << 16 | u32::from(half(tcp + 6));
    frame[tcp + 4..tcp + 8].copy_from_slice(&seq.wrapping_add(done as u32).to_be_bytes());
    if !last {
        frame[tcp + 13] &= !0x09;
    }
    frame[tcp + 16..tcp + 18].fill(0);
    let pseudo = sum(&frame[addresses]) + 6 + (frame.len() - tcp) as u32;
    let tcp_sum = !fold(fold(pseudo) + sum(&frame[tcp..])) as u16;
    frame[tcp + 16..tcp + 18].copy_from_slice(&tcp_sum.to_be_bytes());
    frame
}

/// The table of the description with this digest.
fn described(layout: u32) -> Option<ConnectionTable> {
    let tables = DESCRIPTIONS.iter().map(|text| ControlPlane::parse(text).unwrap().connections().unwrap());
    tables.into_iter().flatten().find(|table| u32::from(table.digest()) == layout)
}

/// One's complement sum of big-endian halves, folded.
fn sum(bytes: &[u8]) -> u32 {
    fold(bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum())
}

fn fold(sum: u32) -> u32 {
    let once = (sum >> 16) + (sum & 0xFFFF);
    (once >> 16) + (once & 0xFFFF)
}

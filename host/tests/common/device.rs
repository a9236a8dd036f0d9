//! The softcore's devices as a functional model: the registers of `baton_abi::mmio` over plain queues.
//!
//! The firmware holds one end ([`CoreBus`]), the NIC double the other. A device does nothing by itself: jobs, events
//! and bursts wait until the double carries them out against host memory.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use baton_abi::mmio::{self, job, lookup, nic_rx, work};

/// Segments, packets and commands that a queue holds at most.
pub const QUEUE_MAX: usize = 64;
const JOBS_MAX: usize = 16;
const EVENT_WORDS_MAX: usize = 16 * 8;
const TX_MAX: usize = 4;

/// A job of the receive mover.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub op: u32,
    pub src: usize,
    pub len: usize,
    pub addr: u32,
}

/// A burst that the firmware sends; `spans` are addresses and lengths of its payload.
#[derive(Clone, Debug)]
pub struct Burst {
    pub header: Vec<u8>,
    pub spans: Vec<(u32, usize)>,
    pub mss: usize,
}

/// State behind the registers.
pub struct Device {
    /// Descriptors of the NIC receive queue that the firmware has not advanced over.
    pub descriptors: VecDeque<[u32; nic_rx::WORDS]>,
    /// Packets of the NIC receive queue that no job has freed, in stored form.
    pub packets: VecDeque<(Vec<u8>, u32)>,
    pub commands: VecDeque<[u32; 8]>,
    pub jobs: VecDeque<Job>,
    pub event_words: VecDeque<u32>,
    pub bursts: VecDeque<Burst>,
    pub table: HashMap<[u32; 3], u16>,
    pub config: [u32; 16],
    pub status: [u32; 16],
    pub now_us: u32,
    pub cycles: u32,
    pub wake_at: u32,
    /// Which of a segment and a command goes first when both wait.
    pub command_first: bool,
    job_src_len: u32,
    job_addr: u32,
    header: [u32; 32],
    tx_addr: u32,
    tx_len: u32,
    tx_cut: u32,
    tx_rest: u32,
    tx_mss: u32,
    lookup_key: [u32; 3],
    lookup_value: u32,
    lookup_result: u32,
    marks: u32,
}

impl Device {
    pub fn new() -> Self {
        Device {
            descriptors: VecDeque::new(),
            packets: VecDeque::new(),
            commands: VecDeque::new(),
            jobs: VecDeque::new(),
            event_words: VecDeque::new(),
            bursts: VecDeque::new(),
            table: HashMap::new(),
            config: [0; 16],
            status: [0; 16],
            now_us: 0,
            cycles: 0,
            wake_at: 0,
            command_first: false,
            job_src_len: 0,
            job_addr: 0,
            header: [0; 32],
            tx_addr: 0,
            tx_len: 0,
            tx_cut: 0,
            tx_rest: 0,
            tx_mss: 0,
            lookup_key: [0; 3],
            lookup_value: 0,
            lookup_result: 0,
            marks: 0,
        }
    }

    /// Whether the scheduler has an item for the core.
    pub fn has_work(&self) -> bool {
        !self.descriptors.is_empty() || !self.commands.is_empty()
    }

    /// Whether nothing of the firmware is unfinished.
    pub fn quiet(&self) -> bool {
        self.jobs.is_empty() && self.event_words.is_empty() && self.bursts.is_empty()
    }

    fn has_job_room(&self) -> bool {
        self.jobs.len() + mmio::JOB_ROOM as usize <= JOBS_MAX
    }

    fn pass(&mut self) {
        self.descriptors.pop_front().expect("a segment to advance over");
    }

    fn push_job(&mut self, op: u32, addr: u32) {
        assert!(self.jobs.len() < JOBS_MAX, "the firmware pushes a job without room");
        assert!((job::COPY..=job::EVENT).contains(&op), "job {op}");
        self.jobs.push_back(Job {
            op,
            src: (self.job_src_len & mmio::nic_rx::OFFSET_MASK) as usize,
            len: (self.job_src_len >> 16) as usize,
            addr,
        });
    }

    fn read(&self, register: u32) -> u32 {
        let indexed = |base: u32, count: u32| {
            (base..base + 4 * count).contains(&register).then(|| ((register - base) / 4) as usize)
        };
        if let Some(i) = indexed(mmio::NIC_RX, 16) {
            return self.descriptors.front().map_or(0, |d| d[i]);
        }
        if let Some(i) = indexed(mmio::CMD, 72) {
            return self.commands.get(i / 8).map_or(0, |slot| slot[i % 8]);
        }
        if let Some(i) = indexed(mmio::MBOX_CFG, 16) {
            return self.config[i];
        }
        match register {
            mmio::SCHED_NEXT if !self.has_job_room() => work::NONE,
            mmio::SCHED_NEXT => match (self.descriptors.is_empty(), self.commands.is_empty()) {
                (true, true) => work::NONE,
                (true, false) => work::COMMAND,
                (false, false) if self.command_first => work::COMMAND,
                (false, _) => work::NIC_RX,
            },
            mmio::STATUS => {
                let bit = |set: bool, mask: u32| if set { mask } else { 0 };
                bit(self.has_job_room(), mmio::STATUS_JOB_ROOM)
                    | bit(self.event_words.len() + 72 <= EVENT_WORDS_MAX, mmio::STATUS_EVENT_ROOM)
                    | bit(self.bursts.len() < TX_MAX, mmio::STATUS_TX_ROOM)
                    | bit(self.quiet(), mmio::STATUS_QUIET)
            }
            mmio::TIME_US => self.now_us,
            mmio::CORE_CYCLES => self.cycles,
            mmio::WAKE_AT => self.wake_at,
            mmio::CMD_COUNT => self.commands.len().min(9) as u32,
            mmio::NIC_RX_QLEN => {
                let qlen = self.descriptors.len() as u32;
                qlen | u32::from(qlen > self.marks & 0xFFFF) << 16 | u32::from(qlen < self.marks >> 16) << 17
            }
            mmio::NIC_RX_MARKS => self.marks,
            mmio::LOOKUP_RESULT => self.lookup_result,
            _ => panic!("the firmware reads {register:#x}"),
        }
    }

    fn write(&mut self, register: u32, value: u32) {
        let indexed = |base: u32, count: u32| {
            (base..base + 4 * count).contains(&register).then(|| ((register - base) / 4) as usize)
        };
        if let Some(i) = indexed(mmio::TX_HEADER, 32) {
            self.header[i] = value;
            return;
        }
        if let Some(i) = indexed(mmio::MBOX_STS, 16) {
            self.status[i] = value;
            return;
        }
        match register {
            mmio::WAKE_AT => self.wake_at = value,
            // Its core never sleeps.
            mmio::WAKE_ON => {}
            mmio::NIC_RX_NEXT => self.pass(),
            mmio::NIC_RX_POP => {
                self.pass();
                self.push_job(job::POP, 0);
            }
            mmio::NIC_RX_COPY => {
                self.pass();
                self.push_job(job::COPY, value);
                self.push_job(job::POP, 0);
            }
            mmio::CMD_POP => drop(self.commands.drain(..value as usize)),
            mmio::NIC_RX_MARKS => self.marks = value,
            mmio::JOB_SRC_LEN => self.job_src_len = value,
            mmio::JOB_ADDR => self.job_addr = value,
            mmio::JOB_GO => self.push_job(value, self.job_addr),
            mmio::EVT_DATA => {
                assert!(
                    self.event_words.len() < EVENT_WORDS_MAX,
                    "the firmware writes an event without room"
                );
                self.event_words.push_back(value);
            }
            mmio::TX_ADDR => self.tx_addr = value,
            mmio::TX_LEN => self.tx_len = value,
            mmio::TX_CUT => self.tx_cut = value,
            mmio::TX_REST => self.tx_rest = value,
            mmio::TX_MSS => self.tx_mss = value,
            mmio::TX_GO => {
                assert!(self.bursts.len() < TX_MAX, "the firmware sends without room");
                let len = (value & 0xFF) as usize;
                let bytes: Vec<u8> = self.header.iter().flat_map(|w| w.to_be_bytes()).collect();
                let first = match std::mem::take(&mut self.tx_cut) {
                    0 => self.tx_len,
                    cut => cut.min(self.tx_len),
                };
                let spans = [(self.tx_addr, first as usize), (self.tx_rest, (self.tx_len - first) as usize)];
                self.bursts.push_back(Burst {
                    header: bytes[2..len].to_vec(),
                    spans: spans.into_iter().filter(|(_, len)| *len > 0).collect(),
                    mss: self.tx_mss as usize,
                });
            }
            // The last three words are the key.
            mmio::LOOKUP_KEY => {
                self.lookup_key.rotate_left(1);
                self.lookup_key[2] = value;
            }
            mmio::LOOKUP_VALUE => self.lookup_value = value,
            mmio::LOOKUP_OP => {
                let found = self.table.get(&self.lookup_key).copied();
                let (outcome, value) = match (value, found) {
                    (lookup::INSERT, Some(_)) => (lookup::EXISTS, 0),
                    (lookup::INSERT, None) => {
                        self.table.insert(self.lookup_key, self.lookup_value as u16);
                        (lookup::OK, 0)
                    }
                    (lookup::DELETE, Some(v)) => {
                        self.table.remove(&self.lookup_key);
                        (lookup::OK, v)
                    }
                    (_, Some(v)) => (lookup::OK, v),
                    (_, None) => (lookup::ABSENT, 0),
                };
                self.lookup_result = outcome << lookup::OUTCOME_SHIFT | u32::from(value);
            }
            _ => panic!("the firmware writes {register:#x}"),
        }
    }
}

/// The firmware's end.
#[derive(Clone)]
pub struct CoreBus(pub Rc<RefCell<Device>>);

impl baton_fw::Hardware for CoreBus {
    type Program = baton_fw::Built;

    fn read(&self, register: u32) -> u32 {
        self.0.borrow().read(register)
    }

    fn write(&mut self, register: u32, value: u32) {
        self.0.borrow_mut().write(register, value);
    }

    fn sleep(&mut self) {}
}

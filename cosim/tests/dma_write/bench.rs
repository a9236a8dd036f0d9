//! The write side with everything around it: packet queues, job and event queues, receive descriptors, the
//! slave, and a host that believes what the index block says and checks it.

use super::axi::{below, chance, error_kind, AxiSlave, Memory, Pace};
use baton_abi::{mmio::job, regs, ring};
use baton_cosim::axi::WriteMaster;
use baton_cosim::block::{Model, Port};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::collections::{HashMap, VecDeque};

pub const INDEX: u32 = 0x4000_0100;
pub const RX_RING: u32 = 0x4000_1000;
pub const RX_LOG2: u32 = 4;
pub const EVT_RING: u32 = 0x4000_2000;
pub const EVT_LOG2: u32 = 4;
/// Registered, but the memory answers with an error.
pub const BROKEN: std::ops::Range<u32> = 0x4000_3000..0x4000_4000;
/// Everything below is for rings, from here on for buffers.
pub const POOL: u32 = 0x4000_8000;
pub const MEMORY: [(u32, usize); 2] = [(0x4000_0000, 0x10_0000), (0xFFFF_F000, 0x1000 - 4)];
/// Two adjoining ranges, one near the end of the address space, an empty one.
pub const RANGES: [(u32, u32); 4] = [
    (0x4000_0000, 0x4006_0000),
    (0x4006_0000, 0x400C_0000),
    (0xFFFF_F100, 0xFFFF_F700),
    (0x400E_0000, 0x400E_0000),
];

/// Whether the engine may write here.
pub fn allowed(addr: u32, len: usize) -> bool {
    let (start, end) = (u64::from(addr), u64::from(addr) + len as u64);
    RANGES.iter().any(|&(base, limit)| start >= u64::from(base) && end <= u64::from(limit))
}

/// A packet in a queue, as stored.
#[derive(Clone)]
pub struct Packet {
    pub bytes: Vec<u8>,
    pub arrival: u32,
    pub flags: u16,
}

impl Packet {
    pub fn random(len: usize, arrival: u32, rng: &mut ChaCha8Rng) -> Self {
        let mut bytes = vec![0; len];
        rng.fill_bytes(&mut bytes);
        Packet { bytes, arrival, flags: (rng.next_u32() & 0xFF01) as u16 }
    }

    /// A word of the queue memory; past the packet it holds whatever.
    fn word(&self, index: usize, junk: u32) -> u32 {
        let byte = |i: usize| self.bytes.get(4 * index + i).map_or(junk.to_le_bytes()[i], |b| *b);
        u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub op: u32,
    pub src: u16,
    pub len: u16,
    pub addr: u32,
}

/// What a job must leave in memory, in order.
enum Effect {
    Copy { addr: u32, bytes: Vec<u8> },
    Event { words: Vec<u32> },
}

/// The engine's ports that change every cycle.
struct Ports(HashMap<&'static str, Port>);

const NAMES: &[&str] = &[
    "now",
    "hq_valid",
    "hq_len",
    "hq_arrival",
    "hq_flags",
    "hq_addr",
    "hq_data",
    "hq_pop",
    "nq_mem_valid",
    "nq_mem_len",
    "nq_mem_arrival",
    "nq_addr",
    "nq_data",
    "nq_pop",
    "job_valid",
    "job_op",
    "job_src",
    "job_len",
    "job_addr",
    "job_pop",
    "evt_valid",
    "evt_word",
    "evt_pop",
    "rxd_valid",
    "rxd_addr",
    "rxd_len",
    "rxd_pop",
    "evt_cons",
    "tx_cons",
    "cmd_cons",
    "rx_cons",
    "evt_prod",
    "irq_event",
    "irq_rx",
    "irq_tx",
    "irq_cmd",
    "dma_error",
    "fault_addr",
    "fault_info",
    "delay_valid",
    "delay",
    "quiet",
    "awaddr",
    "awlen",
    "awvalid",
    "awready",
    "wdata",
    "wstrb",
    "wlast",
    "wvalid",
    "wready",
    "bresp",
    "bvalid",
    "bready",
];

pub struct Bench {
    dut: Model,
    ports: Ports,
    pub slave: AxiSlave,
    /// Memory as it ought to be.
    pub mirror: Memory,
    pub rng: ChaCha8Rng,
    pub cycle: u32,
    /// The queues. The host queue shows its head in this percentage of cycles after a pop.
    pub host: VecDeque<Packet>,
    pub nic: VecDeque<Packet>,
    host_shown: bool,
    nic_shown: bool,
    pub queue_pace: u32,
    hq_data: u32,
    nq_data: u32,
    pub jobs: VecDeque<Job>,
    pub events: VecDeque<u32>,
    pub descriptors: VecDeque<(u32, u32)>,
    pub tx_cons: u16,
    pub cmd_cons: u16,

    // What must come out.
    posted: Vec<(u32, u32)>,
    host_sent: VecDeque<Packet>,
    to_host: VecDeque<Packet>,
    effects: VecDeque<Effect>,
    nic_head: VecDeque<Packet>,
    /// Faults by address and kind: those that must be reported less those that have been.
    faults: HashMap<(u32, u32), i32>,
    slave_errors: usize,
    pub reports: usize,
    /// Reports by source (`dma::op::source`).
    pub sources: [usize; 8],
    delays: VecDeque<u32>,

    // What the host has seen.
    pub index: [u16; 4],
    interrupted: [u16; 4],
    pub events_seen: u16,
    pub completions: usize,
    pub index_writes: Vec<u32>,
    /// Compare nothing while running: for tests that break what the comparison relies on.
    pub blind: bool,
    acknowledge_events: bool,
    evt_cons: u16,
}

impl Bench {
    pub fn new(pace: Pace, seed: u64) -> Self {
        Bench::around(Bench::model(), pace, seed)
    }

    fn model() -> Model {
        let text = baton_hdl::emit::verilog("write_side", baton_hdl::dma::WriteSide::default());
        Model::build("write_side", &text).unwrap()
    }

    /// The same module, reset in the middle of whatever it did, with everything around it new.
    pub fn reset(self, pace: Pace, seed: u64) -> Self {
        Bench::around(self.dut, pace, seed)
    }

    fn around(mut dut: Model, pace: Pace, seed: u64) -> Self {
        let ports = Ports(NAMES.iter().map(|&name| (name, dut.port(name).unwrap())).collect());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut memory = Memory::new(&MEMORY, BROKEN, &mut rng);
        memory.write(INDEX, &[0; 16]);
        for (i, (base, limit)) in RANGES.iter().enumerate() {
            dut.poke(&format!("range_base{i}"), u64::from(*base));
            dut.poke(&format!("range_limit{i}"), u64::from(*limit));
        }
        dut.poke("rx_base", RX_RING.into());
        dut.poke("rx_size_log2", RX_LOG2.into());
        dut.poke("evt_base", EVT_RING.into());
        dut.poke("evt_size_log2", EVT_LOG2.into());
        dut.poke("index_addr", INDEX.into());
        for name in [
            "hq_valid",
            "nq_mem_valid",
            "job_valid",
            "evt_valid",
            "rxd_valid",
            "tx_cons",
            "cmd_cons",
            "bvalid",
        ] {
            dut.poke(name, 0);
        }
        dut.reset(3);
        dut.eval();
        assert_eq!((dut.peek("awvalid"), dut.peek("wvalid"), dut.peek("quiet")), (0, 0, 1), "after reset");
        Bench {
            dut,
            ports,
            mirror: memory.clone(),
            slave: AxiSlave::new(memory, pace, seed),
            rng,
            cycle: 0,
            host: VecDeque::new(),
            nic: VecDeque::new(),
            host_shown: false,
            nic_shown: false,
            queue_pace: 100,
            hq_data: 0,
            nq_data: 0,
            jobs: VecDeque::new(),
            events: VecDeque::new(),
            descriptors: VecDeque::new(),
            tx_cons: 0,
            cmd_cons: 0,
            posted: Vec::new(),
            host_sent: VecDeque::new(),
            to_host: VecDeque::new(),
            effects: VecDeque::new(),
            nic_head: VecDeque::new(),
            faults: HashMap::new(),
            slave_errors: 0,
            reports: 0,
            sources: [0; 8],
            delays: VecDeque::new(),
            index: [0; 4],
            interrupted: [0; 4],
            events_seen: 0,
            completions: 0,
            index_writes: Vec::new(),
            blind: false,
            acknowledge_events: true,
            evt_cons: 0,
        }
    }

    /// Sets an input that is not driven every cycle.
    pub fn poke(&mut self, name: &str, value: u64) {
        self.dut.poke(name, value);
    }

    /// Whether the host frees the event slots that it has seen.
    pub fn acknowledge_events(&mut self, yes: bool) {
        self.acknowledge_events = yes;
    }

    fn get(&self, name: &str) -> u32 {
        self.dut.get(self.ports.0[name]) as u32
    }

    fn set(&mut self, name: &str, value: u32) {
        let port = self.ports.0[name];
        self.dut.set(port, value.into());
    }

    pub fn post(&mut self, addr: u32, len: u32) {
        self.posted.push((addr, len));
        self.descriptors.push_back((addr, len));
    }

    /// Descriptors that may still be posted without overrunning the ring.
    pub fn ring_room(&self) -> usize {
        (1 << RX_LOG2) - (self.posted.len() - self.completions)
    }

    pub fn push_host(&mut self, packet: Packet) {
        self.host_sent.push_back(packet.clone());
        self.host.push_back(packet);
    }

    pub fn push_nic(&mut self, packet: Packet) {
        self.nic_head.push_back(packet.clone());
        self.nic.push_back(packet);
    }

    /// Appends a job on the oldest packet that earlier jobs have not freed.
    pub fn push_job(&mut self, job: Job) {
        match job.op {
            job::COPY if job.len > 0 => {
                let bytes: Vec<u8> = self.nic_head[0].bytes[job.src as usize..][..job.len as usize].to_vec();
                if allowed(job.addr, bytes.len()) {
                    self.effects.push_back(Effect::Copy { addr: job.addr, bytes });
                } else {
                    *self.faults.entry((job.addr, regs::DMA_FAULT_REFUSED)).or_default() += 1;
                }
            }
            job::POP => drop(self.nic_head.pop_front().unwrap()),
            job::TO_HOST => self.to_host.push_back(self.nic_head.pop_front().unwrap()),
            _ => {}
        }
        self.jobs.push_back(job);
    }

    /// Appends an event message and its job.
    pub fn push_event(&mut self, slots: u16) {
        let words: Vec<u32> = (0..8 * slots).map(|_| self.rng.next_u32()).collect();
        self.events.extend(&words);
        self.effects.push_back(Effect::Event { words });
        self.push_job(Job { op: job::EVENT, src: 0, len: slots, addr: 0 });
    }

    fn master(&self) -> WriteMaster {
        WriteMaster {
            awaddr: self.get("awaddr"),
            awlen: self.get("awlen") as u8,
            awvalid: self.get("awvalid") == 1,
            wdata: self.get("wdata"),
            wstrb: self.get("wstrb") as u8,
            wlast: self.get("wlast") == 1,
            wvalid: self.get("wvalid") == 1,
            bready: self.get("bready") == 1,
        }
    }

    /// One clock cycle.
    pub fn step(&mut self) {
        let junk = self.rng.next_u32();
        self.set("now", self.cycle);
        self.host_shown =
            !self.host.is_empty() && (self.host_shown || chance(&mut self.rng, self.queue_pace));
        self.nic_shown = !self.nic.is_empty() && (self.nic_shown || chance(&mut self.rng, self.queue_pace));
        let none = Packet { bytes: Vec::new(), arrival: junk, flags: junk as u16 };
        let head = self.host.front().filter(|_| self.host_shown).unwrap_or(&none).clone();
        self.set("hq_valid", self.host_shown.into());
        self.set("hq_len", head.bytes.len() as u32);
        self.set("hq_arrival", head.arrival);
        self.set("hq_flags", head.flags.into());
        self.set("hq_data", self.hq_data);
        let packet = self.nic.front().filter(|_| self.nic_shown).unwrap_or(&none).clone();
        self.set("nq_mem_valid", self.nic_shown.into());
        self.set("nq_mem_len", packet.bytes.len() as u32);
        self.set("nq_mem_arrival", packet.arrival);
        self.set("nq_data", self.nq_data);
        let job = self.jobs.front().copied();
        self.set("job_valid", job.is_some().into());
        if let Some(job) = job {
            self.set("job_op", job.op);
            self.set("job_src", job.src.into());
            self.set("job_len", job.len.into());
            self.set("job_addr", job.addr);
        }
        self.set("evt_valid", (self.events.len() >= 8).into());
        self.set("evt_word", self.events.front().copied().unwrap_or(junk));
        let descriptor = self.descriptors.front().copied();
        self.set("rxd_valid", descriptor.is_some().into());
        self.set("rxd_addr", descriptor.map_or(junk, |d| d.0));
        self.set("rxd_len", descriptor.map_or(junk, |d| d.1));
        self.set("tx_cons", self.tx_cons.into());
        self.set("cmd_cons", self.cmd_cons.into());
        self.set("evt_cons", self.evt_cons.into());
        let slave = self.slave.drive();
        self.set("awready", slave.awready.into());
        self.set("wready", slave.wready.into());
        self.set("bvalid", slave.bvalid.into());
        self.set("bresp", slave.bresp.into());
        self.dut.eval();

        let master = self.master();
        self.slave.take(master);
        self.hq_data = head.word(self.get("hq_addr") as usize, junk);
        self.nq_data = packet.word(self.get("nq_addr") as usize, junk);
        if self.get("hq_pop") == 1 {
            assert!(self.host_shown, "pop of an empty host queue");
            self.host.pop_front();
            self.host_shown = chance(&mut self.rng, self.queue_pace);
        }
        if self.get("nq_pop") == 1 {
            assert!(self.nic_shown, "pop of an empty NIC queue");
            self.nic.pop_front();
            self.nic_shown = chance(&mut self.rng, self.queue_pace);
        }
        if self.get("job_pop") == 1 {
            self.jobs.pop_front().expect("pop of an empty job queue");
        }
        if self.get("evt_pop") == 1 {
            self.events.pop_front().expect("pop of an empty event queue");
        }
        if self.get("rxd_pop") == 1 {
            self.descriptors.pop_front().expect("pop of an empty descriptor queue");
        }
        if self.get("delay_valid") == 1 {
            self.delays.push_back(self.get("delay"));
        }
        self.faults_reported();
        if !self.blind {
            self.host_looks();
        }
        self.dut.cycle();
        self.cycle += 1;
    }

    fn faults_reported(&mut self) {
        for addr in &self.slave.errors[self.slave_errors..] {
            *self.faults.entry((*addr, error_kind(*addr).into())).or_default() += 1;
        }
        self.slave_errors = self.slave.errors.len();
        if self.get("dma_error") == 1 {
            self.reports += 1;
            let (addr, info) = (self.get("fault_addr"), self.get("fault_info"));
            assert_eq!(info & regs::DMA_FAULT_WRITE, regs::DMA_FAULT_WRITE);
            self.sources[info as usize >> 4] += 1;
            *self.faults.entry((addr, info & 3)).or_default() -= 1;
        }
    }

    /// The host polls the index block in every cycle, and checks at once all that it announces.
    fn host_looks(&mut self) {
        let seen = [0, 1, 2, 3].map(|word| self.slave.memory.word(INDEX + 4 * word) as u16);
        if seen != self.index {
            self.index_writes.push(self.cycle);
            self.mirror.write(INDEX, &seen.map(|v| u32::from(v).to_le_bytes()).concat());
        }
        let ahead = |new: u16, old: u16| new.wrapping_sub(old) < 0x8000;
        assert!(
            (0..4).all(|i| ahead(seen[i], self.index[i])),
            "an index ran backwards: {seen:?} after {:?}",
            self.index
        );
        assert!(
            ahead(self.tx_cons, seen[ring::INDEX_TX_CONS])
                && ahead(self.cmd_cons, seen[ring::INDEX_CMD_CONS])
        );
        self.index = seen;
        let registers = (self.get("rx_cons") as u16, self.get("evt_prod") as u16);
        assert!(
            ahead(registers.0, seen[ring::INDEX_RX_CONS]) && ahead(registers.1, seen[ring::INDEX_EVT_PROD])
        );
        while self.completions as u16 != registers.0 {
            self.check_completion();
        }
        while self.events_seen != registers.1 {
            self.check_events(registers.1);
        }
        let interrupts = [("irq_tx", 0), ("irq_rx", 1), ("irq_cmd", 2), ("irq_event", 3)];
        for (name, which) in interrupts {
            if self.get(name) == 1 {
                assert_ne!(self.interrupted[which], self.index[which], "{name} announces nothing");
                self.interrupted[which] = self.index[which];
            }
        }
        if self.acknowledge_events && chance(&mut self.rng, 20) {
            self.evt_cons = self.index[ring::INDEX_EVT_PROD];
        }
    }

    fn check_completion(&mut self) {
        let slot = RX_RING + (self.completions as u32 % (1 << RX_LOG2)) * ring::RX_DESC_BYTES;
        let words = [0, 1, 2, 3].map(|word| self.slave.memory.word(slot + 4 * word));
        self.mirror.write(slot, &words.map(u32::to_le_bytes).concat());
        let completion = ring::RxCompletion::from_words(words);
        let from_nic = completion.flags & ring::RX_FLAG_FROM_NIC != 0;
        let queue = if from_nic { &mut self.to_host } else { &mut self.host_sent };
        let packet = queue.pop_front().expect("a completion without a packet");
        let (addr, size) = self.posted[self.completions];
        let fits = packet.bytes.len() as u32 <= size;
        if fits && allowed(addr, packet.bytes.len()) {
            assert_eq!(usize::from(completion.len), packet.bytes.len() - 2);
            self.mirror.write(addr, &packet.bytes);
            assert_eq!(completion.flags & ring::RX_FLAG_ERROR, 0);
        } else {
            assert_eq!((completion.len, completion.flags & ring::RX_FLAG_ERROR), (0, ring::RX_FLAG_ERROR));
            if fits {
                *self.faults.entry((addr, regs::DMA_FAULT_REFUSED)).or_default() += 1;
            }
        }
        let flags = if from_nic { ring::RX_FLAG_FROM_NIC | ring::RX_FLAG_CHECKSUM_OK } else { packet.flags };
        assert_eq!(completion.flags & !ring::RX_FLAG_ERROR, flags);
        assert_eq!(completion.arrival_cycle, packet.arrival);
        assert!(self.cycle.wrapping_sub(completion.completion_cycle) < 10_000);
        if !from_nic {
            let delay = self.delays.pop_front().expect("a delay for every host packet");
            assert_eq!(delay, completion.completion_cycle.wrapping_sub(packet.arrival));
        }
        let written = if fits && allowed(addr, packet.bytes.len()) { packet.bytes.len() } else { 0 };
        self.compare(addr, written, "packet");
        self.completions += 1;
    }

    fn check_events(&mut self, to: u16) {
        match self.effects.pop_front().expect("events without a message") {
            Effect::Copy { addr, bytes } => {
                self.mirror.write(addr, &bytes);
                self.compare(addr, bytes.len(), "copy");
            }
            Effect::Event { words } => {
                for (i, slot) in words.chunks(8).enumerate() {
                    let place = u32::from(self.events_seen.wrapping_add(i as u16)) % (1 << EVT_LOG2);
                    let bytes = slot.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>();
                    self.mirror.write(EVT_RING + 32 * place, &bytes);
                    self.compare(EVT_RING + 32 * place, 32, "event");
                }
                self.events_seen = self.events_seen.wrapping_add(words.len() as u16 / 8);
                assert!(to.wrapping_sub(self.events_seen) < 0x8000, "half a message was announced");
            }
        }
    }

    fn compare(&self, addr: u32, len: usize, what: &str) {
        if len > 0 && !(addr..addr + len as u32).any(|a| self.mirror.broken.contains(&a)) {
            let (is, ought) = (self.slave.memory.read(addr, len), self.mirror.read(addr, len));
            assert!(is == ought, "{what} of {len} bytes at {addr:#x} was announced and is not there");
        }
    }

    /// Runs until nothing is left to do, at most `limit` cycles.
    pub fn drain(&mut self, limit: u32) {
        let deadline = self.cycle + limit;
        let mut still = 0;
        while still < 60 {
            self.step();
            let busy =
                !self.host.is_empty() || !self.nic.is_empty() || !self.jobs.is_empty() || !self.slave.idle();
            still = if busy { 0 } else { still + 1 };
            if self.cycle >= deadline {
                let left = (self.host.len(), self.nic.len(), self.jobs.len(), self.slave.idle());
                panic!(
                    "not finished after {limit} cycles: host, nic, jobs, slave idle: {left:?}, {:?}",
                    self.jobs.front()
                );
            }
        }
        assert_eq!(self.get("quiet"), 1);
    }

    /// Runs until nothing is left to do, at most `limit` cycles, and checks all of memory.
    pub fn finish(&mut self, limit: u32) {
        self.drain(limit);
        while let Some(effect) = self.effects.pop_front() {
            match effect {
                Effect::Copy { addr, bytes } => self.mirror.write(addr, &bytes),
                Effect::Event { .. } => panic!("a message never arrived"),
            }
        }
        let indices = [self.tx_cons, self.posted_done(), self.cmd_cons, self.events_seen];
        assert_eq!(self.index, indices, "indices in memory");
        assert_eq!(self.interrupted, indices, "indices that interrupts announced");
        assert!(self.host_sent.is_empty() && self.to_host.is_empty() && self.delays.is_empty());
        assert!(
            self.faults.values().all(|n| *n == 0),
            "faults to report, less those reported: {:x?}",
            self.faults
        );
        if let Some(addr) = self.slave.memory.difference(&self.mirror) {
            panic!("memory is wrong at {addr:#x}");
        }
    }

    fn posted_done(&self) -> u16 {
        (self.posted.len() - self.descriptors.len()) as u16
    }

    /// A random number below `n`.
    pub fn below(&mut self, n: u32) -> u32 {
        below(&mut self.rng, n)
    }
}

//! The transmit side with host memory, a driver, a firmware and two sinks.

use crate::reference::{Burst, HostFrame};
use crate::support::{Chance, ReadPins};
use baton_cosim::{
    axi::AxiConfig,
    block::{Model, Port},
    port::HostMemory,
};
use baton_hdl::{emit, tx::TxSide};
use std::collections::VecDeque;

/// Host memory: the ring lies in its middle.
pub const MEMORY: u32 = 0x4000_0000;
pub const MEMORY_BYTES: u32 = 0x100_0000;
pub const RING: u32 = MEMORY + MEMORY_BYTES / 2;
pub const RING_LOG2: u32 = 4;
/// The registered range ends this much above the memory, so that there are accesses that memory refuses.
const RANGE_OVERHANG: u32 = 0x1_0000;

/// An outgoing stream: checks AXI4-Stream, and collects frames.
pub struct Sink {
    data: Port,
    keep: Port,
    last: Port,
    valid: Port,
    ready: Port,
    stall_permille: u32,
    chance: Chance,
    offered: Option<(u64, u64, u64)>,
    bytes: Vec<u8>,
    pub frames: VecDeque<Vec<u8>>,
    /// Cycles in which a frame had begun and brought no word.
    pub gaps: u64,
    /// Cycles without a word after the last frame, and the most there were between two.
    idle: u64,
    pub idle_max: u64,
}

impl Sink {
    fn new(dut: &Model, name: &str, stall_permille: u32, seed: u64) -> Self {
        let port = |signal: &str| dut.port(&format!("{name}${signal}")).unwrap();
        Sink {
            data: port("tdata"),
            keep: port("tkeep"),
            last: port("tlast"),
            valid: port("tvalid"),
            ready: port("tready"),
            stall_permille,
            chance: Chance::new(seed),
            offered: None,
            bytes: Vec::new(),
            frames: VecDeque::new(),
            gaps: 0,
            idle: 0,
            idle_max: 0,
        }
    }

    /// The module was reset: what it had begun is gone.
    fn reset(&mut self) {
        self.offered = None;
        self.bytes.clear();
        self.frames.clear();
    }

    fn drive(&mut self, dut: &mut Model) {
        let ready = !self.chance.permille(self.stall_permille);
        dut.set(self.ready, ready.into());
    }

    fn clock(&mut self, dut: &Model) {
        let word = (dut.get(self.data), dut.get(self.keep), dut.get(self.last));
        let valid = dut.is_high(self.valid);
        if let Some(offered) = self.offered {
            assert!(valid, "tvalid fell before tready");
            assert_eq!(word, offered, "a word changed before tready");
        }
        self.offered = (valid && !dut.is_high(self.ready)).then_some(word);
        if !valid {
            self.idle += 1;
            self.gaps += u64::from(!self.bytes.is_empty());
        } else if self.bytes.is_empty() {
            if !self.frames.is_empty() {
                self.idle_max = self.idle_max.max(self.idle);
            }
            self.idle = 0;
        }
        if valid && dut.is_high(self.ready) {
            let (data, keep, last) = word;
            let count = keep.count_ones() as usize;
            assert_eq!(keep, (1 << count) - 1, "tkeep has a hole");
            assert!(count == 4 || last == 1 && count > 0, "a short word before the end");
            self.bytes.extend(&(data as u32).to_le_bytes()[..count]);
            if last == 1 {
                self.frames.push_back(std::mem::take(&mut self.bytes));
            }
        }
    }
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulses {
    pub frames: u32,
    pub host: u32,
    pub nic: u32,
    pub bad: u32,
    pub abandoned: u32,
    pub errors: u32,
    /// Connection and payload of each segment of the firmware.
    pub sent: Vec<(u16, u16)>,
    /// Connections of the firmware's bursts that were lost.
    pub lost: Vec<u16>,
}

pub struct Bench {
    pub dut: Model,
    pub pins: ReadPins,
    config: AxiConfig,
    pub wire: Sink,
    pub loopback: Sink,
    pub host: VecDeque<HostFrame>,
    pub bursts: VecDeque<Burst>,
    /// Header words still to be written for the burst at the front.
    writes: Option<VecDeque<(u32, u32)>>,
    prod: u16,
    /// When the doorbells of the descriptors that have not been granted were rung, and when the last grant was.
    rung: VecDeque<u64>,
    granted: u64,
    pub chance: Chance,
    go_permille: u32,
    pub cycle: u64,
    pub pulses: Pulses,
    ports: Ports,
}

struct Ports {
    now: Port,
    tx_prod: Port,
    tx_cons: Port,
    pending: Port,
    stamp: Port,
    qlen: Port,
    go: Port,
    tp_ready: Port,
    tp_go: Port,
    th_write: Port,
    th_index: Port,
    th_data: Port,
    quiet: Port,
    sent: [Port; 4],
    st: [Port; 6],
}

impl Bench {
    pub fn new(config: AxiConfig, sink_stalls: u32, go_permille: u32, seed: u64) -> Self {
        Bench::of(TxSide::default(), config, sink_stalls, go_permille, seed)
    }

    /// The bench of a transmit side.
    pub fn of(block: TxSide, config: AxiConfig, sink_stalls: u32, go_permille: u32, seed: u64) -> Self {
        let mut dut = Model::build("tx_side", &emit::verilog("tx_side", block)).unwrap();
        let mut memory = HostMemory::new(MEMORY, MEMORY_BYTES);
        let mut chance = Chance::new(seed);
        chance.fill(memory.slice_mut(MEMORY, MEMORY_BYTES as usize));
        dut.reset(2);
        dut.poke("tx_base", RING.into());
        dut.poke("tx_size_log2", RING_LOG2.into());
        dut.poke("range_base1", MEMORY.into());
        dut.poke("range_limit1", (MEMORY + MEMORY_BYTES + RANGE_OVERHANG).into());
        let port = |name: &str| dut.port(name).unwrap();
        let ports = Ports {
            now: port("now"),
            tx_prod: port("tx_prod"),
            tx_cons: port("tx_cons"),
            pending: port("htx_pending"),
            stamp: port("htx_stamp"),
            qlen: port("htx_qlen"),
            go: port("htx_go"),
            tp_ready: port("tp_ready"),
            tp_go: port("tp_go"),
            th_write: port("th_write"),
            th_index: port("th_index"),
            th_data: port("th_data"),
            quiet: port("quiet_nic"),
            sent: ["sent_valid", "sent_conn", "sent_bytes", "lost"].map(port),
            st: ["st_frames", "st_host", "st_nic", "st_bad_desc", "st_abandoned", "dma_error"].map(port),
        };
        let pins = ReadPins::new(&dut, config, memory);
        let wire = Sink::new(&dut, "wire_out", sink_stalls, seed + 1);
        let loopback = Sink::new(&dut, "loopback", sink_stalls, seed + 2);
        Bench {
            dut,
            pins,
            config,
            wire,
            loopback,
            host: VecDeque::new(),
            bursts: VecDeque::new(),
            writes: None,
            prod: 0,
            rung: VecDeque::new(),
            granted: 0,
            chance,
            go_permille,
            cycle: 0,
            pulses: Pulses::default(),
            ports,
        }
    }

    /// Resets module, bus, driver and firmware, wherever they are. Memory stays.
    pub fn reset(&mut self) {
        let Bench { dut, pins, config, .. } = self;
        for port in [self.ports.th_write, self.ports.tp_go, self.ports.go, self.ports.tx_prod] {
            dut.set(port, 0);
        }
        dut.reset(1 + self.chance.below(3));
        let memory = std::mem::replace(&mut pins.memory, HostMemory::new(MEMORY, 4096));
        *pins = ReadPins::new(dut, *config, memory);
        self.wire.reset();
        self.loopback.reset();
        self.host.clear();
        self.bursts.clear();
        self.writes = None;
        self.prod = 0;
        self.rung.clear();
        self.pulses = Pulses::default();
    }

    pub fn cons(&self) -> u16 {
        self.dut.get(self.ports.tx_cons) as u16
    }

    pub fn step(&mut self) {
        let Bench { dut, ports, .. } = self;
        dut.set(ports.now, self.cycle & 0xFFFF_FFFF);
        // The driver: posts a descriptor when the ring has room.
        let used = self.prod.wrapping_sub(dut.get(ports.tx_cons) as u16);
        if used < 1 << RING_LOG2 {
            if let Some(frame) = self.host.pop_front() {
                let slot = u32::from(self.prod) % (1 << RING_LOG2);
                self.pins.memory.write_words(RING + slot * 16, &frame.desc.to_words());
                self.prod = self.prod.wrapping_add(1);
                dut.set(ports.tx_prod, self.prod.into());
                self.rung.push_back(self.cycle);
            }
        }
        // The firmware: writes a header in any order, then pushes the burst.
        dut.set(ports.th_write, 0);
        dut.set(ports.tp_go, 0);
        if dut.is_high(ports.tp_ready) {
            match self.writes.as_mut().map(VecDeque::pop_front) {
                None => {
                    self.writes = self.bursts.front().map(|burst| {
                        let words = burst.header.chunks(4).enumerate();
                        words.map(|(i, w)| (i as u32, u32::from_be_bytes(w.try_into().unwrap()))).collect()
                    });
                }
                Some(Some((index, word))) => {
                    dut.set(ports.th_write, 1);
                    dut.set(ports.th_index, index.into());
                    dut.set(ports.th_data, word.into());
                }
                Some(None) => {
                    let burst = self.bursts.pop_front().expect("its header was written");
                    dut.poke("tp_header_len", burst.header_len.into());
                    dut.poke("tp_conn", burst.conn.into());
                    dut.poke("tp_addr", burst.addr.into());
                    dut.poke("tp_len", burst.len.into());
                    dut.poke("tp_mss", burst.mss.into());
                    dut.poke("tp_cut", burst.cut.into());
                    dut.poke("tp_rest", burst.rest.into());
                    dut.set(ports.tp_go, 1);
                    self.writes = None;
                }
            }
        }
        let go = dut.is_high(ports.pending) && self.chance.permille(self.go_permille);
        dut.set(ports.go, go.into());
        self.pins.drive(dut);
        self.wire.drive(dut);
        self.loopback.drive(dut);
        dut.eval();

        if dut.is_high(ports.pending) && self.cycle > self.granted + 1 {
            assert_eq!(Some(&dut.get(ports.stamp)), self.rung.front(), "the doorbell of what is oldest");
        }
        if go {
            self.rung.pop_front();
            self.granted = self.cycle;
        }
        self.wire.clock(dut);
        self.loopback.clock(dut);
        self.pins.clock(dut);
        let counts = &mut self.pulses;
        let st = ports.st.map(|port| u32::from(dut.is_high(port)));
        for (count, pulse) in [
            &mut counts.frames,
            &mut counts.host,
            &mut counts.nic,
            &mut counts.bad,
            &mut counts.abandoned,
            &mut counts.errors,
        ]
        .into_iter()
        .zip(st)
        {
            *count += pulse;
        }
        let [valid, conn, bytes, lost] = ports.sent.map(|port| dut.get(port) as u16);
        if valid == 1 {
            counts.sent.push((conn, bytes));
        }
        if lost == 1 {
            counts.lost.push(conn);
        }
        dut.cycle();
        self.cycle += 1;
    }

    /// Runs until everything queued has been consumed, plus some cycles in which nothing may come.
    pub fn finish(&mut self, limit: u64) {
        let end = self.cycle + limit;
        while !self.host.is_empty()
            || !self.bursts.is_empty()
            || self.cons() != self.prod
            || !self.dut.is_high(self.ports.quiet)
        {
            assert!(self.cycle < end, "no progress: {} of {} descriptors", self.cons(), self.prod);
            self.step();
        }
        for _ in 0..12_000 {
            self.step();
        }
        assert!(self.dut.is_high(self.ports.quiet), "a burst is unfinished");
        assert_eq!(self.dut.get(self.ports.qlen), 0);
    }
}

//! The transmit side against a reference, byte for byte.
//!
//! Host frames and firmware segments of any length and alignment, good and hostile, with random stalls on
//! memory and on both outgoing streams.

mod support;

use baton_abi::ring::{TxDesc, TX_FLAG_CHECKSUM, TX_FLAG_INJECT};
use baton_cosim::{
    axi::AxiConfig,
    block::{Model, Port},
    port::HostMemory,
};
use baton_hdl::{emit, tx::TxSide};
use std::collections::VecDeque;
use support::{timing, Chance, ReadPins};

/// Host memory: frames from its start, the ring near its end.
const MEMORY: u32 = 0x4000_0000;
const MEMORY_BYTES: u32 = 0x10_0000;
const RING: u32 = MEMORY + MEMORY_BYTES - 0x1000;
const RING_LOG2: u32 = 4;
/// The registered range ends this much above the memory, so that there are accesses that memory refuses.
const RANGE_OVERHANG: u32 = 0x1_0000;

/// One's complement sum of big-endian half-words, an odd last byte padded with zero (RFC 1071).
fn sum(bytes: &[u8], start: u32) -> u16 {
    let mut total = u64::from(start);
    for pair in bytes.chunks(2) {
        total += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    }
    while total >> 16 != 0 {
        total = (total & 0xFFFF) + (total >> 16);
    }
    total as u16
}

/// A segment of the firmware.
#[derive(Clone, Debug)]
struct Segment {
    header: Vec<u8>,
    header_len: u32,
    addr: u32,
    len: u32,
    ip_checksum: bool,
    tcp_checksum: bool,
}

impl Segment {
    /// The frame that must come out, if any.
    fn frame(&self, memory: &HostMemory) -> Option<Vec<u8>> {
        let hlen = self.header_len as usize;
        let short = (self.ip_checksum && hlen < 36) || (self.tcp_checksum && hlen < 56);
        if !(16..=128).contains(&hlen) || hlen - 2 + self.len as usize > 1518 || short {
            return None;
        }
        let mut frame = self.header[..hlen].to_vec();
        if self.len > 0 {
            frame.extend(memory.try_slice(self.addr, self.len as usize).ok()?);
        }
        if self.ip_checksum {
            let value = !sum(&frame[16..36], 0);
            frame[26..28].copy_from_slice(&value.to_be_bytes());
        }
        if self.tcp_checksum {
            let value = !sum(&frame[36..], 0);
            frame[52..54].copy_from_slice(&value.to_be_bytes());
        }
        Some(frame.split_off(2))
    }
}

/// The frame that a descriptor must become, if any.
fn host_frame(desc: &TxDesc, memory: &HostMemory) -> Option<Vec<u8>> {
    let len = usize::from(desc.len);
    let (start, offset) = (usize::from(desc.csum_start), usize::from(desc.csum_offset));
    let checksum = desc.flags & TX_FLAG_CHECKSUM != 0;
    if !(14..=1518).contains(&len) || (checksum && (start >= len || offset + 2 > len)) {
        return None;
    }
    let mut frame = memory.try_slice(desc.addr, len).ok()?.to_vec();
    if checksum {
        let value = match !sum(&frame[start..], 0) {
            // RFC 768: zero would mean that there is no checksum.
            0 if offset == start + 6 => 0xFFFF,
            value => value,
        };
        frame[offset..offset + 2].copy_from_slice(&value.to_be_bytes());
    }
    Some(frame)
}

/// An outgoing stream: checks AXI4-Stream, and collects frames.
struct Sink {
    data: Port,
    keep: Port,
    last: Port,
    valid: Port,
    ready: Port,
    stall_permille: u32,
    chance: Chance,
    offered: Option<(u64, u64, u64)>,
    bytes: Vec<u8>,
    frames: VecDeque<Vec<u8>>,
    /// Cycles in which a frame had begun and brought no word.
    gaps: u64,
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
        }
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
        if !valid && !self.bytes.is_empty() {
            self.gaps += 1;
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

/// The transmit side with memory, a driver, a firmware and two sinks.
struct Bench {
    dut: Model,
    pins: ReadPins,
    wire: Sink,
    loopback: Sink,
    descs: VecDeque<TxDesc>,
    segments: VecDeque<Segment>,
    /// Header words still to be written for the segment at the front.
    writes: Option<VecDeque<(u32, u32)>>,
    prod: u16,
    chance: Chance,
    go_permille: u32,
    cycle: u64,
    pulses: Pulses,
    ports: Ports,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pulses {
    frames: u32,
    host: u32,
    nic: u32,
    bad: u32,
    errors: u32,
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
    st: [Port; 5],
}

impl Bench {
    fn new(config: AxiConfig, sink_stalls: u32, go_permille: u32, seed: u64) -> Self {
        let mut dut = Model::build("tx_side", &emit::verilog("tx_side", TxSide::default())).unwrap();
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
            st: ["st_frames", "st_host", "st_nic", "st_bad_desc", "dma_error"].map(port),
        };
        let pins = ReadPins::new(&dut, config, memory);
        let wire = Sink::new(&dut, "wire_out", sink_stalls, seed + 1);
        let loopback = Sink::new(&dut, "loopback", sink_stalls, seed + 2);
        Bench {
            dut,
            pins,
            wire,
            loopback,
            descs: VecDeque::new(),
            segments: VecDeque::new(),
            writes: None,
            prod: 0,
            chance,
            go_permille,
            cycle: 0,
            pulses: Pulses::default(),
            ports,
        }
    }

    fn cons(&self) -> u16 {
        self.dut.get(self.ports.tx_cons) as u16
    }

    fn step(&mut self) {
        let Bench { dut, ports, .. } = self;
        dut.set(ports.now, self.cycle & 0xFFFF_FFFF);
        // The driver: posts a descriptor when the ring has room.
        let used = self.prod.wrapping_sub(dut.get(ports.tx_cons) as u16);
        if used < 1 << RING_LOG2 {
            if let Some(desc) = self.descs.pop_front() {
                let slot = u32::from(self.prod) % (1 << RING_LOG2);
                self.pins.memory.write_words(RING + slot * 16, &desc.to_words());
                self.prod = self.prod.wrapping_add(1);
                dut.set(ports.tx_prod, self.prod.into());
            }
        }
        // The firmware: writes a header in any order, then pushes the segment.
        dut.set(ports.th_write, 0);
        dut.set(ports.tp_go, 0);
        if dut.is_high(ports.tp_ready) {
            match self.writes.as_mut().map(VecDeque::pop_front) {
                None => {
                    self.writes = self.segments.front().map(|segment| {
                        let words = segment.header.chunks(4).enumerate();
                        words.map(|(i, w)| (i as u32, u32::from_be_bytes(w.try_into().unwrap()))).collect()
                    });
                }
                Some(Some((index, word))) => {
                    dut.set(ports.th_write, 1);
                    dut.set(ports.th_index, index.into());
                    dut.set(ports.th_data, word.into());
                }
                Some(None) => {
                    let segment = self.segments.pop_front().expect("its header was written");
                    dut.poke("tp_header_len", segment.header_len.into());
                    dut.poke("tp_ip_csum", segment.ip_checksum.into());
                    dut.poke("tp_tcp_csum", segment.tcp_checksum.into());
                    dut.poke("tp_addr", segment.addr.into());
                    dut.poke("tp_len", segment.len.into());
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

        if dut.is_high(ports.pending) {
            let age = (self.cycle as u32).wrapping_sub(dut.get(ports.stamp) as u32);
            assert!(age < 1 << 20, "the stamp is {age} cycles old");
        }
        self.wire.clock(dut);
        self.loopback.clock(dut);
        self.pins.clock(dut);
        let [frames, host, nic, bad, errors] = ports.st.map(|port| u32::from(dut.is_high(port)));
        self.pulses.frames += frames;
        self.pulses.host += host;
        self.pulses.nic += nic;
        self.pulses.bad += bad;
        self.pulses.errors += errors;
        dut.cycle();
        self.cycle += 1;
    }

    /// Runs until everything queued has been consumed, plus some cycles in which nothing may come.
    fn finish(&mut self, limit: u64) {
        let end = self.cycle + limit;
        while !self.descs.is_empty() || !self.segments.is_empty() || self.cons() != self.prod {
            assert!(self.cycle < end, "no progress: {} of {} descriptors", self.cons(), self.prod);
            self.step();
        }
        for _ in 0..6000 {
            self.step();
        }
        assert!(self.dut.is_high(self.ports.quiet), "a segment is unfinished");
        assert_eq!(self.dut.get(self.ports.qlen), 0);
    }
}

/// A random address for `len` bytes; seldom one that is not registered, or not memory, or half memory.
fn address(chance: &mut Chance, len: u32, hostile: bool) -> u32 {
    let ring_page = MEMORY_BYTES - 0x1000 - len.min(0x8000) - 4;
    match chance.below(if hostile { 12 } else { 1 }) {
        1 => chance.below(0x1000_0000),
        2 => MEMORY + MEMORY_BYTES + chance.below(0x1000),
        3 => 0xFFFF_FFFFu32 - chance.below(64),
        4 => MEMORY + MEMORY_BYTES - 1 - chance.below(len.clamp(1, 2000)),
        _ => MEMORY + chance.below(ring_page),
    }
}

fn random_desc(chance: &mut Chance, hostile: bool) -> TxDesc {
    let len = match chance.below(if hostile { 12 } else { 6 }) {
        0 => 14 + chance.below(60),
        1 => 60,
        2 => 1514,
        3..=5 => 14 + chance.below(1505),
        6 => [0, 1, 13, 1519, 4096, 65535][chance.below(6) as usize],
        _ => 14 + chance.below(200),
    };
    let mut flags = 0;
    if chance.permille(600) {
        flags |= TX_FLAG_CHECKSUM;
    }
    if chance.permille(150) {
        flags |= TX_FLAG_INJECT;
    }
    let (csum_start, csum_offset) = if hostile && chance.permille(150) {
        (chance.below(65536), chance.below(65536))
    } else {
        let offset = chance.below(len.saturating_sub(1).max(1));
        (chance.below(len.max(1)), offset)
    };
    TxDesc {
        addr: address(chance, len, hostile),
        len: len as u16,
        flags,
        csum_start: csum_start as u16,
        csum_offset: csum_offset as u16,
    }
}

fn random_segment(chance: &mut Chance, hostile: bool) -> Segment {
    let header_len = match chance.below(if hostile { 10 } else { 8 }) {
        0 => 16 + chance.below(113),
        1 => 56 + chance.below(73),
        8 | 9 => chance.below(256),
        _ => 56 + 4 * chance.below(11),
    };
    let most = 1520u32.saturating_sub(header_len);
    let len = match chance.below(if hostile { 12 } else { 10 }) {
        0 => 0,
        1 => 1 + chance.below(8),
        2 => most,
        10 => most + 1 + chance.below(3),
        11 => chance.below(65536),
        _ => chance.below(most + 1),
    };
    let mut header = vec![0; 128];
    chance.fill(&mut header);
    Segment {
        header,
        header_len,
        addr: address(chance, len, hostile),
        len,
        ip_checksum: header_len >= 36 && chance.permille(700) || hostile && chance.permille(30),
        tcp_checksum: header_len >= 56 && chance.permille(800) || hostile && chance.permille(30),
    }
}

/// Sends a random mixture and compares every frame. The two sources keep their own order.
fn mixture(seed: u64, count: usize, hostile: bool, config: AxiConfig, sink_stalls: u32, go_permille: u32) {
    println!("seed {seed}");
    let mut bench = Bench::new(config, sink_stalls, go_permille, seed);
    let mut chance = Chance::new(seed + 100);
    let (mut host, mut nic) = (VecDeque::new(), VecDeque::new());
    let (mut bad, mut failed) = (0, 0);
    for _ in 0..count {
        if chance.permille(500) {
            let desc = random_desc(&mut chance, hostile);
            match host_frame(&desc, &bench.pins.memory) {
                Some(frame) => host.push_back((frame, desc.flags & TX_FLAG_INJECT != 0)),
                None if host_frame(&TxDesc { addr: MEMORY, ..desc }, &bench.pins.memory).is_some() => {
                    failed += 1
                }
                None => bad += 1,
            }
            bench.descs.push_back(desc);
        } else {
            let segment = random_segment(&mut chance, hostile);
            match segment.frame(&bench.pins.memory) {
                Some(frame) => nic.push_back(frame),
                None if Segment { addr: MEMORY, ..segment.clone() }.frame(&bench.pins.memory).is_some() => {
                    failed += 1
                }
                None => bad += 1,
            }
            bench.segments.push_back(segment);
        }
    }
    let expected = Pulses {
        frames: (nic.len() + host.iter().filter(|(_, inject)| !inject).count()) as u32,
        host: host.len() as u32,
        nic: nic.len() as u32,
        bad,
        errors: failed,
    };
    bench.finish(count as u64 * 20_000);

    for frame in std::mem::take(&mut bench.loopback.frames) {
        let at = host.iter().position(|(_, inject)| *inject).expect("a frame nobody injected");
        assert_eq!(Some((frame, true)), host.remove(at), "seed {seed}: an injected frame");
    }
    for (number, frame) in std::mem::take(&mut bench.wire.frames).into_iter().enumerate() {
        if host.front().is_some_and(|(first, inject)| !inject && *first == frame) {
            host.pop_front();
        } else {
            assert_eq!(Some(&frame), nic.front(), "seed {seed}: frame {number} on the wire");
            nic.pop_front();
        }
    }
    assert!(host.is_empty() && nic.is_empty(), "seed {seed}: {} and {} frames lost", host.len(), nic.len());
    assert_eq!(bench.pulses, expected, "seed {seed}");
}

#[test]
fn frames_of_all_lengths_and_alignments() {
    mixture(1, 500, false, timing(20, 0, 1), 0, 1000);
}

#[test]
fn random_stalls_everywhere() {
    mixture(2, 300, false, timing(7, 400, 2), 300, 1000);
    mixture(3, 300, false, timing(60, 100, 3), 700, 50);
}

#[test]
fn hostile_descriptors_and_failing_memory_are_survived_and_counted() {
    mixture(4, 800, true, timing(15, 100, 4), 100, 500);
    mixture(5, 800, true, timing(1, 0, 5), 0, 1000);
}

/// Cycles from frame to frame on the wire, when only the transmit side limits it.
fn pace(bench: &mut Bench, frames: usize) -> f64 {
    let mut ends = Vec::new();
    while ends.len() < frames {
        assert!(bench.cycle < 200_000, "no progress");
        bench.step();
        if bench.wire.frames.pop_front().is_some() {
            ends.push(bench.cycle);
        }
    }
    assert_eq!(bench.wire.gaps, 0, "a frame had a gap");
    let skip = frames / 4;
    (ends[frames - 1] - ends[skip]) as f64 / (frames - 1 - skip) as f64
}

#[test]
fn host_frames_leave_at_line_rate() {
    for (len, offset, limit) in
        [(60u16, 0, 21.0), (60, 3, 21.0), (64, 1, 21.0), (1514, 0, 384.5), (1514, 2, 384.5)]
    {
        let mut bench = Bench::new(timing(60, 0, 1), 0, 1000, 9);
        for i in 0..60 {
            bench.descs.push_back(TxDesc {
                addr: MEMORY + 2048 * i + offset,
                len,
                flags: TX_FLAG_CHECKSUM,
                csum_start: 34,
                csum_offset: 50,
            });
        }
        let cycles = pace(&mut bench, 60);
        println!("host frame of {len} bytes at offset {offset}: {cycles:.1} cycles");
        assert!(cycles <= limit, "{cycles} cycles a frame of {len} bytes");
    }
}

#[test]
fn segments_leave_at_line_rate() {
    for (header_len, len, limit) in
        [(56u32, 1460u32, 384.5), (68, 1448, 384.5), (57, 1459, 384.5), (56, 0, 60.0)]
    {
        let mut bench = Bench::new(timing(60, 0, 1), 0, 1000, 9);
        for i in 0..40 {
            let mut header = vec![0; header_len.next_multiple_of(4) as usize];
            bench.chance.fill(&mut header);
            let addr = MEMORY + 1461 * i;
            bench.segments.push_back(Segment {
                header,
                header_len,
                addr,
                len,
                ip_checksum: true,
                tcp_checksum: true,
            });
        }
        let cycles = pace(&mut bench, 40);
        println!("segment of {header_len} + {len} bytes: {cycles:.1} cycles, header writes included");
        assert!(cycles <= limit, "{cycles} cycles a segment of {len} bytes");
    }
}

#[test]
fn host_frames_go_first() {
    let mut bench = Bench::new(timing(30, 0, 1), 0, 1000, 11);
    for i in 0..12 {
        let mut header = vec![0; 128];
        bench.chance.fill(&mut header);
        bench.segments.push_back(Segment {
            header,
            header_len: 56,
            addr: MEMORY + 2000 * i,
            len: 1460,
            ip_checksum: true,
            tcp_checksum: true,
        });
    }
    for _ in 0..1500 {
        bench.step();
    }
    let before = bench.wire.frames.len();
    let desc = TxDesc { addr: MEMORY + 77, len: 60, flags: 0, csum_start: 0, csum_offset: 0 };
    bench.descs.push_back(desc);
    bench.finish(20_000);
    let expected = host_frame(&desc, &bench.pins.memory).unwrap();
    let place = bench.wire.frames.iter().position(|frame| *frame == expected).unwrap();
    // Those in the four header slots may go before it, and one that was pushed while it was fetched.
    assert!(place - before <= 5, "{} segments went first", place - before);
}

#[test]
fn a_checksum_of_zero_is_mangled_for_udp_alone() {
    let mut bench = Bench::new(timing(20, 0, 1), 0, 1000, 12);
    // The summed part is 0xFFFF and zeros, so that its checksum is zero; the field lies where UDP or TCP has it.
    let (start, len) = (34u16, 60u16);
    for (i, (field, expected)) in [(6u16, 0xFFFFu16), (16, 0)].into_iter().enumerate() {
        let addr = MEMORY + 4096 * i as u32;
        let mut frame = vec![0x11; len as usize];
        frame[start as usize..].fill(0);
        frame[58..60].fill(0xFF);
        bench.pins.memory.write(addr, &frame);
        let desc =
            TxDesc { addr, len, flags: TX_FLAG_CHECKSUM, csum_start: start, csum_offset: start + field };
        bench.descs.push_back(desc);
        let at = usize::from(start + field);
        frame[at..at + 2].copy_from_slice(&expected.to_be_bytes());
        assert_eq!(host_frame(&desc, &bench.pins.memory).unwrap(), frame, "the reference agrees");
        bench.finish(20_000);
        assert_eq!(bench.wire.frames.pop_back().unwrap(), frame, "field at {field}");
    }
}

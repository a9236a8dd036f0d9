//! The transmit side against a reference, byte for byte.
//!
//! Host frames whole and to be cut, bursts of the firmware, of any length and alignment, good and hostile, with
//! random stalls on memory and on both outgoing streams, and resets at any time. The reference builds every segment
//! from plain fields.

mod bench;
mod host_queue;
mod reference;
#[path = "../support/mod.rs"]
mod support;

use baton_abi::ring::{TxDesc, TX_FLAG_CHECKSUM, TX_FLAG_INJECT, TX_FLAG_TSO};
use baton_cosim::axi::AxiConfig;
use baton_hdl::tx::TxSide;
use bench::{Bench, MEMORY, MEMORY_BYTES, RING};
use reference::{Burst, Flow, HostFrame, Outcome, FIN, PSH};
use std::collections::VecDeque;
use support::{timing, Chance};

/// Where the frames to be cut are built; bursts and whole frames come from below.
const BUILT: u32 = RING + 0x1000;
const LIMIT: u32 = 1518;
const JUMBO_LIMIT: u32 = 9014;

/// A random address for `len` bytes; seldom one that is not registered, or not memory, or half memory.
fn address(chance: &mut Chance, len: u32, hostile: bool) -> u32 {
    let len = len.min(0x2_0000);
    match chance.below(if hostile { 12 } else { 1 }) {
        1 => chance.below(0x1000_0000),
        2 => MEMORY + MEMORY_BYTES + chance.below(0x1000),
        3 => 0xFFFF_FFFFu32 - chance.below(64),
        4 => MEMORY + MEMORY_BYTES - 1 - chance.below(len.clamp(1, 5000)),
        _ => MEMORY + chance.below(RING - MEMORY - len - 4),
    }
}

fn random_plain(chance: &mut Chance, hostile: bool, limit: u32) -> HostFrame {
    let len = match chance.below(if hostile { 12 } else { 6 }) {
        0 => 14 + chance.below(60),
        1 => 60,
        2 => limit - 4 * chance.below(2),
        3..=5 => 14 + chance.below(limit - 13),
        6 => [0, 1, 13, limit + 1, 9015, 65535][chance.below(6) as usize],
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
    let desc = TxDesc {
        addr: address(chance, len, hostile),
        len: len as u16,
        flags,
        csum_start: csum_start as u16,
        csum_offset: csum_offset as u16,
        mss: chance.below(65536) as u16,
        header_len: chance.below(65536) as u16,
    };
    HostFrame { desc, flow: None }
}

/// Bytes of payload and the size of segments: as connections have them, or small, or none.
fn random_span(chance: &mut Chance, header: u32, limit: u32) -> (u32, u32) {
    let most = limit - header;
    let mss = match chance.below(6) {
        0 => 1 + chance.below(40),
        1 => 1 + chance.below(most),
        _ => 1460.min(most),
    };
    let len = match chance.below(8) {
        0 => 0,
        1 => 1 + chance.below(mss),
        2 => mss * (1 + chance.below(4)),
        3 => (mss * 64).min(0x1_FFFF),
        _ => 1 + chance.below(6 * mss),
    };
    (len, mss)
}

/// Makes of a header something that is not Ethernet, IPv4 and TCP. `at` is where the frame starts in it.
fn spoil(header: &mut [u8], at: usize, chance: &mut Chance) {
    if header[at + 12] == 0x86 {
        match chance.below(5) {
            0 => header[at + 12] ^= 1 << chance.below(8),
            1 => header[at + 13] ^= 1 << chance.below(8),
            2 => header[at + 14] ^= 0x10 << chance.below(4),
            3 => header[at + 20] ^= 1 << chance.below(8),
            _ => header[at + 66] ^= 0x10 << chance.below(4),
        }
        return;
    }
    match chance.below(6) {
        0 => header[at + 12] ^= 1 << chance.below(8),
        1 => header[at + 13] ^= 1 << chance.below(8),
        2 => header[at + 14] ^= 1 << chance.below(8),
        3 => header[at + 20] |= 1 << chance.below(6),
        4 => header[at + 23] ^= 1 << chance.below(8),
        _ => header[at + 46] ^= 0x10 << chance.below(4),
    }
}

fn random_burst(chance: &mut Chance, hostile: bool, limit: u32, ipv6: bool) -> Burst {
    let flow = Flow::random(chance, ipv6);
    let (mut len, mut mss) = random_span(chance, flow.header_len() as u32, limit);
    if hostile && chance.permille(150) {
        len = chance.below(0x2_0000);
        mss = chance.below(0x4000);
        if mss < 200 {
            mss = 0;
        }
    }
    let addr = address(chance, len, hostile);
    let conn = chance.below(65536) as u16;
    let mut burst = Burst::new(flow, addr, len, mss, conn, chance);
    if chance.permille(500) {
        burst.rest = address(chance, len, hostile);
        burst.cut = match chance.below(4) {
            // As long as the head of a response; near the end of a segment; anywhere; where there is no more.
            0 => 200 + chance.below(200),
            1 => (mss + chance.below(8)).saturating_sub(4),
            2 => chance.below(len.max(1)),
            _ => len + chance.below(2),
        }
        .min(0x1_FFFF);
    }
    if chance.permille(300) {
        let tag = 1 + chance.below(0xFFFF) as u16;
        burst.header[..2].copy_from_slice(&tag.to_be_bytes());
    }
    if hostile && chance.permille(100) {
        spoil(&mut burst.header, 2, chance);
        burst.flow = None;
    }
    if hostile && chance.permille(100) {
        let announced = chance.below(256);
        if announced != burst.header_len {
            burst.header_len = announced;
            burst.flow = None;
        }
    }
    burst
}

/// Builds a frame to be cut at `place`, unless it lies where nothing can be written.
fn random_cut(
    chance: &mut Chance,
    hostile: bool,
    limit: u32,
    ipv6: bool,
    place: &mut u32,
    bench: &mut Bench,
) -> HostFrame {
    let mut flow = Some(Flow::random(chance, ipv6));
    let mut header = flow.as_ref().unwrap().template(chance);
    let mut header_len = header.len() as u32;
    let (payload, mut mss) = random_span(chance, header_len, limit);
    let mut len = header_len + payload.clamp(1, 0xFFFF - header_len);
    let mut flags = TX_FLAG_TSO;
    if chance.permille(300) {
        // Has no meaning here.
        flags |= TX_FLAG_CHECKSUM;
    }
    let lane = chance.below(4);
    let mut addr = ((*place + 3) & !3) + lane;
    *place = addr + len + chance.below(64);
    if hostile {
        match chance.below(12) {
            0 => flags |= TX_FLAG_INJECT,
            1 => mss = [0, limit, 65535][chance.below(3) as usize],
            2 => len = chance.below(header_len + 1),
            3 => {
                spoil(&mut header, 0, chance);
                bench.pins.memory.write(addr, &header);
                flow = None;
            }
            4 => {
                addr = address(chance, len, true);
                flow = None;
            }
            5 => {
                let announced = chance.below(128);
                if announced != header_len {
                    header_len = announced;
                    flow = None;
                }
            }
            _ => {}
        }
    }
    if flow.is_some() {
        bench.pins.memory.write(addr, &header);
    }
    let desc = TxDesc {
        addr,
        len: len as u16,
        flags,
        csum_start: chance.below(65536) as u16,
        csum_offset: chance.below(65536) as u16,
        mss: mss as u16,
        header_len: header_len as u16,
    };
    HostFrame { desc, flow }
}

/// A mixture of traffic.
struct Mixture {
    seed: u64,
    count: usize,
    hostile: bool,
    jumbo: bool,
    /// Half of the headers are those of IPv6.
    ipv6: bool,
    config: AxiConfig,
    sink_stalls: u32,
    go_permille: u32,
    /// Of a NIC that segments nothing: there are no bursts, and frames to be cut are refused.
    plain_only: bool,
}

impl Mixture {
    fn limit(&self) -> u32 {
        if self.jumbo {
            JUMBO_LIMIT
        } else {
            LIMIT
        }
    }

    fn bench(&self) -> Bench {
        let mut block = TxSide::default();
        if self.plain_only {
            block.set_board_sized();
            block.set_host_only();
        }
        let mut bench = Bench::of(block, self.config, self.sink_stalls, self.go_permille, self.seed);
        bench.dut.poke("jumbo", self.jumbo.into());
        bench.dut.poke("ipv6", self.ipv6.into());
        bench
    }

    /// Queues `count` frames and bursts. Memory is not written afterwards.
    fn fill(&self, bench: &mut Bench, chance: &mut Chance) {
        let mut place = BUILT;
        for _ in 0..self.count {
            if !self.plain_only && chance.permille(500) {
                let burst = random_burst(chance, self.hostile, self.limit(), self.ipv6);
                bench.bursts.push_back(burst);
            } else if chance.permille(400) && place + 0x2_0000 < MEMORY + MEMORY_BYTES {
                let frame = random_cut(chance, self.hostile, self.limit(), self.ipv6, &mut place, bench);
                bench.host.push_back(frame);
            } else {
                bench.host.push_back(random_plain(chance, self.hostile, self.limit()));
            }
        }
    }

    /// In each round, a reset at a random moment of the traffic, and the traffic whole.
    fn run_with_resets(&self, rounds: u32) {
        let (mut bench, mut chance) = (self.bench(), Chance::new(self.seed));
        for round in 0..rounds {
            println!("seed {}, round {round}", self.seed);
            self.fill(&mut bench, &mut chance);
            for _ in 0..chance.below(6000) {
                bench.step();
            }
            bench.reset();
            self.fill(&mut bench, &mut chance);
            self.check(&mut bench);
            bench.reset();
        }
    }

    /// Sends what is queued and compares every frame. The two sources keep their own order.
    fn check(&self, bench: &mut Bench) {
        let (seed, limit) = (self.seed, self.limit());
        let (mut host, mut nic) = (VecDeque::new(), VecDeque::new());
        let mut expected = bench::Pulses::default();
        let mut unread = 0;
        for frame in &bench.host {
            let outcome = match self.plain_only && frame.desc.flags & TX_FLAG_TSO != 0 {
                true => Outcome::Bad,
                false => frame.outcome(&bench.pins.memory, limit, self.ipv6),
            };
            let frames = match outcome {
                Outcome::Sent(frames) => frames,
                Outcome::Abandoned(frames) => {
                    expected.abandoned += 1;
                    frames
                }
                Outcome::Bad => {
                    expected.bad += 1;
                    Vec::new()
                }
                Outcome::Unread => {
                    unread += 1;
                    Vec::new()
                }
            };
            host.extend(frames.into_iter().map(|bytes| (bytes, frame.injected())));
        }
        for burst in &bench.bursts {
            let frames = match burst.outcome(&bench.pins.memory, limit, self.ipv6) {
                Outcome::Sent(frames) => frames,
                Outcome::Abandoned(frames) => {
                    expected.abandoned += 1;
                    expected.lost.push(burst.conn);
                    frames
                }
                Outcome::Bad => {
                    expected.bad += 1;
                    expected.lost.push(burst.conn);
                    Vec::new()
                }
                Outcome::Unread => unreachable!("a burst is no whole frame"),
            };
            let header = burst.header_bytes();
            expected.sent.extend(frames.iter().map(|frame| (burst.conn, (frame.len() - header) as u16)));
            nic.extend(frames);
        }
        expected.frames = (nic.len() + host.iter().filter(|(_, inject)| !inject).count()) as u32;
        expected.host = host.len() as u32;
        expected.nic = nic.len() as u32;
        bench.finish(self.count as u64 * 100_000);

        for frame in std::mem::take(&mut bench.loopback.frames) {
            let at = host.iter().position(|(_, inject)| *inject).expect("a frame nobody injected");
            assert_eq!(Some((frame, true)), host.remove(at), "seed {seed}: an injected frame");
        }
        for (number, frame) in std::mem::take(&mut bench.wire.frames).into_iter().enumerate() {
            if host.front().is_some_and(|(first, inject)| !inject && *first == frame) {
                host.pop_front();
            } else {
                let hint = nearest(&frame, [host.front().map(|(bytes, _)| bytes), nic.front()]);
                assert!(Some(&frame) == nic.front(), "seed {seed}: frame {number} on the wire{hint}");
                nic.pop_front();
            }
        }
        assert!(host.is_empty() && nic.is_empty(), "seed {seed}: {} and {} lost", host.len(), nic.len());
        // Segments may be on their way behind one that could not be read, and a header before it.
        let least = unread + expected.abandoned;
        let errors = bench.pulses.errors;
        assert!(
            (least..=least + 11 * expected.abandoned).contains(&errors),
            "seed {seed}: {errors} of {least}"
        );
        expected.errors = errors;
        assert_eq!(bench.pulses, expected, "seed {seed}");
    }

    fn run(&self) {
        println!("seed {}", self.seed);
        let mut bench = self.bench();
        self.fill(&mut bench, &mut Chance::new(self.seed + 100));
        self.check(&mut bench);
    }
}

/// How a frame that nobody expects differs from those that were due.
fn nearest(frame: &[u8], due: [Option<&Vec<u8>>; 2]) -> String {
    let mut text = format!(": {} bytes", frame.len());
    for (who, due) in ["host", "NIC"].iter().zip(due) {
        let Some(due) = due else { continue };
        let different: Vec<usize> = (0..frame.len().min(due.len())).filter(|&i| frame[i] != due[i]).collect();
        let first = &different[..different.len().min(8)];
        text += &format!("; {who}: {} bytes, {} differ, at {first:?}", due.len(), different.len());
    }
    text
}

/// Traffic without faults or stalls.
fn quiet(seed: u64) -> Mixture {
    Mixture {
        seed,
        count: 250,
        hostile: false,
        jumbo: false,
        ipv6: false,
        config: timing(20, 0, seed),
        sink_stalls: 0,
        go_permille: 1000,
        plain_only: false,
    }
}

#[test]
fn frames_and_bursts_of_all_lengths_and_alignments() {
    quiet(1).run();
}

#[test]
fn random_stalls_everywhere() {
    Mixture { count: 150, config: timing(7, 400, 2), sink_stalls: 300, ..quiet(2) }.run();
    Mixture { count: 150, config: timing(60, 100, 3), sink_stalls: 700, go_permille: 50, ..quiet(3) }.run();
}

#[test]
fn hostile_descriptors_and_failing_memory_are_survived_and_counted() {
    let config = timing(15, 100, 4);
    Mixture { hostile: true, count: 500, config, sink_stalls: 100, go_permille: 500, ..quiet(4) }.run();
    Mixture { hostile: true, count: 500, config: timing(1, 0, 5), ..quiet(5) }.run();
}

/// A NIC without handoff: what is to be cut is refused and counted, and every other frame goes out as ever.
#[test]
fn a_build_for_plain_frames_refuses_what_is_to_be_cut() {
    let plain = |seed: u64| Mixture { plain_only: true, ..quiet(seed) };
    plain(31).run();
    let config = timing(15, 100, 32);
    Mixture { hostile: true, count: 500, config, sink_stalls: 100, go_permille: 500, ..plain(32) }.run();
    let traffic = Mixture { count: 40, hostile: true, config, sink_stalls: 200, ..plain(33) };
    traffic.run_with_resets(6);
}

/// Bursts and frames to be cut over both families, good and hostile, with stalls, jumbo frames and resets.
#[test]
fn ipv6_goes_beside_ipv4() {
    let both = |seed: u64| Mixture { ipv6: true, ..quiet(seed) };
    both(21).run();
    let config = timing(7, 400, 22);
    Mixture { count: 150, config, sink_stalls: 300, go_permille: 300, ..both(22) }.run();
    Mixture { hostile: true, count: 600, config: timing(15, 100, 23), sink_stalls: 100, ..both(23) }.run();
    Mixture { hostile: true, jumbo: true, count: 100, config: timing(20, 100, 24), ..both(24) }.run();
    let traffic =
        Mixture { count: 40, hostile: true, config: timing(15, 100, 25), sink_stalls: 200, ..both(25) };
    traffic.run_with_resets(6);
}

/// Where the program has no IPv6, a header of it is refused as any other that is no header.
#[test]
fn ipv6_is_refused_without_it() {
    let mut bench = quiet(26).bench();
    let mut chance = Chance::new(26);
    while bench.bursts.len() < 20 {
        let mut burst = random_burst(&mut chance, false, LIMIT, true);
        if burst.flow.take().is_some_and(|flow| flow.ipv6.is_some()) {
            bench.bursts.push_back(burst);
        }
    }
    quiet(26).check(&mut bench);
    assert!(bench.wire.frames.is_empty());
}

#[test]
fn jumbo_frames_pass_when_they_are_enabled() {
    Mixture { jumbo: true, count: 100, ..quiet(6) }.run();
    let config = timing(20, 100, 7);
    Mixture { jumbo: true, hostile: true, count: 100, config, sink_stalls: 200, ..quiet(7) }.run();
}

#[test]
fn resets_at_any_time_leave_nothing_behind() {
    let traffic =
        Mixture { count: 40, hostile: true, config: timing(15, 100, 8), sink_stalls: 200, ..quiet(8) };
    traffic.run_with_resets(12);
}

/// A burst of ordinary headers, with PSH, ACK and FIN.
fn ordinary(chance: &mut Chance, options: usize, addr: u32, len: u32, mss: u32, conn: u16) -> Burst {
    let mut flow = Flow::random(chance, false);
    flow.options = vec![1; options];
    flow.flags = 16 | PSH | FIN;
    Burst::new(flow, addr, len, mss, conn, chance)
}

/// Runs a burst alone; the frames that came out, compared with the reference.
fn alone(bench: &mut Bench, burst: Burst) -> Vec<Vec<u8>> {
    let Outcome::Sent(expected) = burst.outcome(&bench.pins.memory, LIMIT, false) else {
        panic!("a good burst")
    };
    let what = format!("{} bytes of {} at {:#x}", burst.len, burst.mss, burst.addr);
    bench.bursts.push_back(burst);
    for _ in 0..400_000 {
        bench.step();
        if bench.wire.frames.len() == expected.len() {
            let frames: Vec<_> = std::mem::take(&mut bench.wire.frames).into();
            assert!(frames == expected, "{what}: a frame differs");
            return frames;
        }
    }
    panic!("{what}: {} of {} frames came", bench.wire.frames.len(), expected.len());
}

#[test]
fn every_mss_from_1_to_1460() {
    let mut bench = quiet(9).bench();
    let mut chance = Chance::new(9);
    for mss in 1..=1460 {
        let full = 1 + chance.below(3);
        let addr = MEMORY + chance.below(MEMORY_BYTES / 2);
        for len in [mss * full, mss * full + 1, mss * full + chance.below(mss), 1.max(mss - 1)] {
            let burst = ordinary(&mut chance, 0, addr, len, mss, 1);
            alone(&mut bench, burst);
        }
    }
}

/// Every cut of a short payload, at every pair of byte lanes, and cuts around the ends of segments of a long one.
#[test]
fn payload_of_two_places_cut_anywhere() {
    let mut bench = quiet(13).bench();
    let mut chance = Chance::new(13);
    let cuts = (0..=34).map(|cut| (33, 16, cut)).chain((1400..1500).map(|cut| (4000, 1448, cut)));
    for (len, mss, cut) in cuts {
        for lanes in 0..16 {
            let mut burst = ordinary(&mut chance, 0, MEMORY + 0x1000 + lanes % 4, len, mss, 1);
            (burst.cut, burst.rest) = (cut, MEMORY + 0x8000 + lanes / 4);
            alone(&mut bench, burst);
        }
    }
}

#[test]
fn sixty_four_segments_in_one_burst_and_the_longest_of_all() {
    let mut bench = quiet(10).bench();
    let mut chance = Chance::new(10);
    for (len, mss, count) in [(64 * 1448, 1448, 64), (0x1_FFFF, 1448, 91), (2000, 1, 2000)] {
        let burst = ordinary(&mut chance, 12, MEMORY + 3, len, mss, 1);
        assert_eq!(alone(&mut bench, burst).len(), count);
    }
}

#[test]
fn numbers_wrap_and_the_last_segment_alone_pushes_and_finishes() {
    let mut bench = quiet(11).bench();
    let mut chance = Chance::new(11);
    let mut burst = ordinary(&mut chance, 12, MEMORY, 5 * 1000 + 7, 1000, 1);
    let flow = burst.flow.as_mut().unwrap();
    (flow.seq, flow.id) = (0xFFFF_FFFF - 1500, 0xFFFD);
    let burst = Burst::new(flow.clone(), burst.addr, burst.len, burst.mss, 1, &mut chance);
    let frames = alone(&mut bench, burst);
    let field = |frame: &[u8], at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
    let seqs: Vec<u32> = frames.iter().map(|frame| field(frame, 38)).collect();
    assert_eq!(seqs, [0xFFFF_FA23, 0xFFFF_FE0B, 499, 1499, 2499, 3499]);
    let ids: Vec<u32> = frames.iter().map(|frame| field(frame, 18) >> 16).collect();
    assert_eq!(ids, [0xFFFD, 0xFFFE, 0xFFFF, 0, 1, 2]);
    let flags: Vec<u8> = frames.iter().map(|frame| frame[47]).collect();
    assert_eq!(flags, [16, 16, 16, 16, 16, 16 | PSH | FIN]);
    for frame in &frames {
        assert_eq!(frame[42..46], frames[0][42..46], "the acknowledgement");
        assert_eq!(frame[48..50], frames[0][48..50], "the window");
        assert_eq!(frame[54..66], frames[0][54..66], "the timestamps");
    }
}

#[test]
fn a_burst_whose_payload_cannot_be_read_is_abandoned_from_there_on() {
    let mut bench = quiet(12).bench();
    let mut chance = Chance::new(12);
    // Memory ends in the eighth segment; behind it is a range that answers with errors.
    let addr = MEMORY + MEMORY_BYTES - 7 * 1460 - 100;
    let broken = ordinary(&mut chance, 0, addr, 64 * 1460, 1460, 77);
    let Outcome::Abandoned(mut expected) = broken.outcome(&bench.pins.memory, LIMIT, false) else { panic!() };
    assert_eq!(expected.len(), 7);
    let whole = ordinary(&mut chance, 0, MEMORY, 3 * 1460, 1460, 78);
    let Outcome::Sent(frames) = whole.outcome(&bench.pins.memory, LIMIT, false) else { panic!() };
    expected.extend(frames);
    bench.bursts.extend([broken, whole]);
    bench.finish(100_000);
    assert!(bench.wire.frames == expected, "{} frames of {}", bench.wire.frames.len(), expected.len());
    let pulses = &bench.pulses;
    assert_eq!((pulses.abandoned, pulses.bad, &pulses.lost), (1, 0, &vec![77]));
    // It does not ask for the remaining fifty segments.
    assert!((1..=11).contains(&pulses.errors), "{} reads failed", pulses.errors);
    let counted: u32 = pulses.sent.iter().map(|(_, bytes)| u32::from(*bytes)).sum();
    assert_eq!((pulses.sent.len(), counted), (10, 10 * 1460));
}

#[test]
fn a_frame_whose_payload_cannot_be_read_is_cut_as_far_as_it_can() {
    let mut bench = quiet(17).bench();
    let mut chance = Chance::new(17);
    let mut expected = Vec::new();
    // In the third of five segments, in the first one, in the header.
    for (number, end) in [2 * 1000 + 54 + 500, 54 + 1, 30].into_iter().enumerate() {
        let mut flow = Flow::random(&mut chance, false);
        flow.options.clear();
        let header = flow.template(&mut chance);
        let addr = MEMORY + MEMORY_BYTES - end;
        bench.pins.memory.write(addr, &header[..header.len().min(end as usize)]);
        let desc =
            TxDesc { addr, len: 5054, flags: TX_FLAG_TSO, mss: 1000, header_len: 54, ..TxDesc::default() };
        let frame = HostFrame { desc, flow: Some(flow) };
        let Outcome::Abandoned(frames) = frame.outcome(&bench.pins.memory, LIMIT, false) else { panic!() };
        bench.host.push_back(frame);
        bench.finish(100_000);
        expected.extend(frames);
        assert!(bench.wire.frames == expected, "{} frames of {}", bench.wire.frames.len(), expected.len());
        assert_eq!((bench.pulses.abandoned, bench.pulses.bad), (number as u32 + 1, 0));
        assert_eq!(usize::from(bench.cons()), number + 1, "its descriptor is consumed");
    }
    assert_eq!(expected.len(), 2);
}

/// Cycles from frame to frame on the wire, when only the transmit side limits it, and the most between two.
fn pace(bench: &mut Bench, frames: usize) -> (f64, u64) {
    let mut ends = Vec::new();
    while ends.len() < frames {
        assert!(bench.cycle < 400_000, "no progress");
        bench.step();
        if bench.wire.frames.len() > 1 {
            // The last one stays: it opens the next gap.
            bench.wire.frames.pop_front();
            ends.push(bench.cycle);
        }
        if ends.len() == frames / 4 {
            bench.wire.idle_max = 0;
        }
    }
    assert_eq!(bench.wire.gaps, 0, "a frame had a gap");
    let skip = frames / 4;
    ((ends[frames - 1] - ends[skip]) as f64 / (frames - 1 - skip) as f64, bench.wire.idle_max)
}

#[test]
fn host_frames_leave_at_line_rate() {
    for (len, offset, limit) in
        [(60u16, 0, 21.0), (60, 3, 21.0), (64, 1, 21.0), (1514, 0, 384.5), (1514, 2, 384.5)]
    {
        let mut bench = Bench::new(timing(60, 0, 1), 0, 1000, 9);
        for i in 0..60 {
            let addr = MEMORY + 2048 * i + offset;
            let (flags, csum_start, csum_offset) = (TX_FLAG_CHECKSUM, 34, 50);
            let desc = TxDesc { addr, len, flags, csum_start, csum_offset, ..TxDesc::default() };
            bench.host.push_back(HostFrame { desc, flow: None });
        }
        let (cycles, _) = pace(&mut bench, 59);
        println!("host frame of {len} bytes at offset {offset}: {cycles:.1} cycles");
        assert!(cycles <= limit, "{cycles} cycles a frame of {len} bytes");
    }
}

#[test]
fn segments_of_a_burst_leave_back_to_back() {
    // Words of header and payload, and two cycles; at most four without a word on the stream.
    for (options, mss, limit) in [
        (0, 1460u32, 382.0),
        (12, 1448, 382.0),
        (0, 1459, 382.0),
        (0, 536, 151.0),
        (0, 6, 21.0),
        (0, 1, 21.0),
    ] {
        for tso in [false, true] {
            let mut bench = Bench::new(timing(60, 0, 1), 0, 1000, 9);
            let mut chance = Chance::new(13);
            let len = 60 * mss;
            if tso {
                let Burst { header, .. } = ordinary(&mut chance, options, MEMORY, len, mss, 1);
                let header = &header[2..];
                let mut place = MEMORY;
                while len > 60 * 40 && place < MEMORY + 4 * len || place < MEMORY + 3 * len {
                    let part = len.min(40 * mss);
                    bench.pins.memory.write(place, header);
                    let desc = TxDesc {
                        addr: place,
                        len: header.len() as u16 + part as u16,
                        flags: TX_FLAG_TSO,
                        mss: mss as u16,
                        header_len: header.len() as u16,
                        ..TxDesc::default()
                    };
                    bench.host.push_back(HostFrame { desc, flow: None });
                    place += part + 100;
                }
            } else {
                bench.bursts.push_back(ordinary(&mut chance, options, MEMORY + 1, len, mss, 1));
            }
            let (cycles, idle) = pace(&mut bench, 50);
            println!(
                "segment of {mss} bytes, TSO {tso}: {cycles:.2} cycles, at most {idle} idle between two"
            );
            assert!(cycles <= limit, "{cycles} cycles a segment of {mss} bytes");
            let most = if mss < 100 { 7 } else { 4 };
            assert!(idle <= most, "{idle} cycles between segments of {mss} bytes");
        }
    }
}

#[test]
fn bursts_of_one_segment_leave_at_line_rate() {
    for (len, limit) in [(1460u32, 384.5), (1448, 384.5), (0, 60.0)] {
        let mut bench = Bench::new(timing(60, 0, 1), 0, 1000, 9);
        let mut chance = Chance::new(14);
        for i in 0..41 {
            bench.bursts.push_back(ordinary(&mut chance, 0, MEMORY + 1461 * i, len, 1460, 1));
        }
        let (cycles, _) = pace(&mut bench, 40);
        println!("burst of one segment of {len} bytes: {cycles:.1} cycles, header writes included");
        assert!(cycles <= limit, "{cycles} cycles a segment of {len} bytes");
    }
}

#[test]
fn jumbo_segments_leave_at_four_fifths_of_line_rate() {
    let mut bench = Bench::new(timing(60, 0, 1), 0, 1000, 9);
    bench.dut.poke("jumbo", 1);
    let mut chance = Chance::new(15);
    for i in 0..5 {
        bench.bursts.push_back(ordinary(&mut chance, 0, MEMORY + 90_000 * i, 10 * 8960, 8960, 1));
    }
    let (cycles, _) = pace(&mut bench, 30);
    println!("jumbo segment of 8960 bytes: {cycles:.1} cycles");
    assert!(cycles <= 9014.0 / 4.0 / 0.8, "{cycles} cycles a jumbo segment");
}

#[test]
fn host_frames_go_between_the_segments_of_a_burst() {
    let mut bench = Bench::new(timing(30, 0, 1), 0, 1000, 11);
    let mut chance = Chance::new(16);
    bench.bursts.push_back(ordinary(&mut chance, 0, MEMORY, 64 * 1460, 1460, 1));
    for round in 0..10 {
        for _ in 0..500 + 100 * round {
            bench.step();
        }
        let before = bench.wire.frames.len();
        let desc = TxDesc { addr: MEMORY + 77 + round, len: 60, ..TxDesc::default() };
        let frame = HostFrame { desc, flow: None };
        let Outcome::Sent(expected) = frame.outcome(&bench.pins.memory, LIMIT, false) else { panic!() };
        bench.host.push_back(frame);
        let end = bench.cycle + 4000;
        while bench.wire.frames.back() != Some(&expected[0]) {
            assert!(bench.cycle < end, "the host frame waits");
            bench.step();
        }
        let first = bench.wire.frames.len() - 1 - before;
        println!("{first} segments went first");
        // The one on the wire, two that are stored, and one that was planned while the descriptor was read.
        assert!(first <= 4, "{first} segments went first");
    }
    assert!(!bench.dut.is_high(bench.dut.port("quiet_nic").unwrap()), "the burst was over");
}

#[test]
fn a_host_that_fills_the_wire_leaves_every_fifth_place() {
    let mut bench = Bench::new(timing(30, 0, 1), 0, 1000, 18);
    let mut chance = Chance::new(18);
    for i in 0..40 {
        let desc = TxDesc { addr: MEMORY + 2000 * i, len: 1514, ..TxDesc::default() };
        bench.host.push_back(HostFrame { desc, flow: None });
    }
    bench.bursts.push_back(ordinary(&mut chance, 0, BUILT, 64 * 100, 100, 1));
    while bench.cons() < 36 {
        assert!(bench.cycle < 100_000, "no progress");
        bench.step();
    }
    let mine: Vec<bool> = bench.wire.frames.iter().map(|frame| frame.len() == 154).collect();
    // Before the first descriptor has come, and from then on.
    let start = mine.iter().position(|&mine| !mine).expect("a host frame");
    let runs: Vec<_> = mine[start..].chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
    assert!(runs.len() > 10, "{runs:?}");
    for run in &runs[..runs.len() - 1] {
        assert!(matches!(run, (false, 1..=4) | (true, 1)), "{runs:?}");
    }
    assert!(runs.iter().filter(|&&run| run == (false, 4)).count() > 4, "{runs:?}");
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
        let (csum_start, csum_offset) = (start, start + field);
        let desc =
            TxDesc { addr, len, flags: TX_FLAG_CHECKSUM, csum_start, csum_offset, ..TxDesc::default() };
        let host = HostFrame { desc, flow: None };
        let at = usize::from(start + field);
        frame[at..at + 2].copy_from_slice(&expected.to_be_bytes());
        let outcome = host.outcome(&bench.pins.memory, LIMIT, false);
        assert_eq!(outcome, Outcome::Sent(vec![frame.clone()]), "the reference agrees");
        bench.host.push_back(host);
        bench.finish(20_000);
        assert_eq!(bench.wire.frames.pop_back().unwrap(), frame, "field at {field}");
    }
}

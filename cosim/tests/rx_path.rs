//! The receive path against a classifier in Rust: random frames of every kind, random stalls, random
//! consumption.

#[path = "rx_path/bench.rs"]
mod bench;
#[path = "rx_path/frames.rs"]
mod frames;

use baton_abi::mmio::lookup::{DELETE, FIND, INSERT};
use baton_hdl::rx::{DefaultRxPath, FRAMES_BEFORE_OPERATION, HAS_IPV6, KEY_BITS};
use bench::{Bench, Pace, Verdict};
use frames::{classify, Connections, Fate, FrameMaker, Kind, Rules, KINDS};

/// Frames of all kinds on both streams, with the given habits of sources and consumers.
fn random_frames(seed: u64, count: usize, pace: Pace) {
    let mut maker = FrameMaker::new(seed);
    let mut bench = Bench::new(seed, maker.connections.clone(), pace);
    for _ in 0..count {
        let (kind, from_wire) = (maker.kind(), maker.below(4) != 0);
        let frame = maker.frame(kind);
        let bad_fcs = from_wire && kind == Kind::BadFcs;
        bench.send(from_wire, frame, bad_fcs);
    }
    bench.run_until_idle(count as u32 * 2000);
    bench.assert_seen(|seen| {
        assert!(seen.frames == count, "seed {seed}: {} of {count} frames seen", seen.frames);
        assert!(seen.overflow == 0, "seed {seed}: {} frames overflowed", seen.overflow);
    });
}

#[test]
fn every_kind_of_frame_goes_where_it_belongs() {
    random_frames(1, 3000, Pace { gap: 6, stall: 0, consume: 255, operations: false });
}

#[test]
fn stalls_and_slow_consumers_change_nothing_but_drops() {
    random_frames(2, 1500, Pace { gap: 30, stall: 100, consume: 60, operations: true });
    random_frames(3, 1500, Pace { gap: 1, stall: 20, consume: 10, operations: true });
    random_frames(4, 1500, Pace { gap: 0, stall: 0, consume: 120, operations: true });
}

#[test]
fn every_kind_of_frame_follows_the_settings() {
    let mut maker = FrameMaker::new(10);
    let pace = Pace { gap: 14, stall: 10, consume: 255, operations: true };
    let mut bench = Bench::new(10, maker.connections.clone(), pace);
    for settings in 0..16 {
        bench.set_rules(Rules {
            jumbo: settings & 1 != 0,
            ipv6: false,
            promiscuous: settings & 2 != 0,
            broadcast: settings & 4 != 0,
            multicast: settings & 8 != 0,
        });
        for _ in 0..250 {
            let (kind, from_wire) = (maker.kind(), maker.below(4) != 0);
            let frame = maker.frame(kind);
            bench.send(from_wire, frame, from_wire && kind == Kind::BadFcs);
        }
        bench.run_until_idle(1_000_000);
    }
    bench.assert_seen(|seen| {
        assert_eq!(seen.frames, 16 * 250);
        assert!(seen.count(Verdict::Filtered) > 200, "{} frames filtered", seen.count(Verdict::Filtered));
    });
}

/// Where IPv6 is verified, its segments come to the host with the flag of that, and damaged ones not at all, among frames
/// of all kinds.
#[test]
fn ipv6_is_verified_beside_the_rest() {
    let mut maker = FrameMaker::new(16);
    let pace = Pace { gap: 14, stall: 10, consume: 255, operations: true };
    let mut bench = Bench::new(16, maker.connections.clone(), pace);
    bench.set_rules(Rules { ipv6: true, ..Rules::RESET });
    for _ in 0..1500 {
        if maker.below(2) == 0 {
            let frame = maker.ipv6_frame();
            bench.send(maker.below(4) != 0, frame, false);
        } else {
            let kind = maker.kind();
            let (frame, from_wire) = (maker.frame(kind), maker.below(4) != 0);
            bench.send(from_wire, frame, from_wire && kind == Kind::BadFcs);
        }
    }
    bench.run_until_idle(3_000_000);
}

/// Segments of connections over IPv6 go to the NIC, whole and not otherwise, from insertion to deletion; where the program
/// has such connections (`BATON_P4=$PWD/p4/programs/ipv6.p4`).
#[test]
fn connections_over_ipv6_are_on_the_nic() {
    if !HAS_IPV6 {
        println!("skipped: the NIC's program has no connections over IPv6");
        return;
    }
    let mut maker = FrameMaker::new(17);
    let pace = Pace { gap: 14, stall: 10, consume: 255, operations: false };
    let mut bench = Bench::new(17, maker.connections.clone(), pace);
    let rules = Rules { ipv6: true, ..Rules::RESET };
    bench.set_rules(rules);
    let mut segments = vec![];
    while segments.len() < 20 {
        let frame = maker.ipv6_frame();
        let good =
            classify(&frame, false, true, rules, &Connections::default()) == Fate::Host { verified: true };
        if good && frame[12..14] == [0x86, 0xdd] && frame.len() <= 1514 {
            segments.push(frame);
        }
    }
    let ends = |frame: &[u8]| -> [u8; 36] { *frame[22..].first_chunk().unwrap() };
    for (index, segment) in segments.iter().enumerate() {
        bench.operate_wide(INSERT, ends(segment), 0x100 + index as u16);
    }
    for round in 0..600 {
        let mut frame = segments[maker.below(20) as usize].clone();
        match round % 4 {
            0 => frame.truncate(14 + maker.below(frame.len() as u32 - 14) as usize),
            1 => {
                let at = 14 + maker.below(frame.len() as u32 - 14) as usize;
                frame[at] ^= 1 << maker.below(8);
            }
            _ => {}
        }
        bench.send(true, frame, false);
        if round % 8 == 0 {
            let segment = maker.segment(true, 100);
            bench.send(true, segment, false);
        }
    }
    bench.run_until_idle(3_000_000);
    bench.send(true, segments[0].clone(), false);
    bench.run_until_idle(10_000);
    bench.assert_seen(|seen| assert_eq!(seen.last, Some(Verdict::Nic)));
    bench.operate_wide(DELETE, ends(&segments[0]), 0);
    bench.send(true, segments[0].clone(), false);
    bench.run_until_idle(10_000);
    bench.assert_seen(|seen| assert_eq!(seen.last, Some(Verdict::Host)));
}

/// Each kind, cut off behind every one of its bytes up to the last that a header can have, and behind random ones.
#[test]
fn every_kind_of_frame_truncated_anywhere_has_a_path() {
    let mut maker = FrameMaker::new(11);
    let mut bench = Bench::new(11, maker.connections.clone(), Pace::FULL);
    let mut sent = 0;
    for (index, kind) in KINDS.into_iter().enumerate() {
        bench.set_rules(Rules { jumbo: index % 2 == 1, promiscuous: index % 3 > 0, ..Rules::RESET });
        let frame = maker.frame(kind);
        let header = 1..=frame.len().min(120);
        let random: Vec<usize> = (0..20).map(|_| 1 + maker.below(frame.len() as u32) as usize).collect();
        for len in header.chain(random) {
            bench.send(maker.below(4) != 0, frame[..len].to_vec(), false);
            sent += 1;
        }
        bench.run_until_idle(1_000_000);
    }
    bench.assert_seen(|seen| assert_eq!(seen.frames, sent));
}

#[test]
fn a_reset_at_any_time_leaves_nothing_behind() {
    for seed in 40..43 {
        let mut maker = FrameMaker::new(seed);
        let pace = Pace { gap: 4, stall: 30, consume: 100, operations: true };
        let mut bench = Bench::new(seed, maker.connections.clone(), pace);
        for _ in 0..8 {
            for _ in 0..60 {
                let (kind, from_wire) = (maker.kind(), maker.below(4) != 0);
                let frame = maker.frame(kind);
                bench.send(from_wire, frame, from_wire && kind == Kind::BadFcs);
            }
            for _ in 0..maker.below(4000) {
                bench.step();
            }
            bench.reset();
        }
        bench.run_until_idle(1_000_000);
        bench.assert_seen(|seen| assert!(seen.frames > 0, "seed {seed}"));
    }
}

#[test]
fn both_queues_fill_and_drop_whole_frames() {
    let mut maker = FrameMaker::new(5);
    // No faster than the longest key is looked up.
    let gap = if KEY_BITS > 7 * 32 { 16 } else { 6 };
    let pace = Pace { gap, stall: 0, consume: 0, operations: false };
    let mut bench = Bench::new(5, maker.connections.clone(), pace);
    bench.set_rules(Rules { jumbo: true, ..Rules::RESET });
    // Small frames meet the limit of packets, large ones that of the memory.
    for (payload_len, frames) in [(0, 4400), (1400, 800), (8960, 200)] {
        for count in 0..frames {
            let segment = maker.segment(count % 2 == 0, payload_len);
            bench.send(true, segment, false);
        }
        bench.pace.consume = 0;
        bench.run_until_judged(1_000_000);
        bench.pace.consume = 255;
        bench.run_until_idle(1_000_000);
    }
    bench.assert_seen(|seen| {
        // Of the large ones, 364 words each, 22 fit the 8192 words of the host's queue and 360 the 131,072 of the NIC's; of the
        // largest, 2254 words each, 3 and 58.
        assert_eq!(seen.count(Verdict::Host), 128 + 22 + 3);
        assert_eq!(seen.count(Verdict::HostDrop), 2200 + 400 + 100 - (128 + 22 + 3));
        assert_eq!(seen.count(Verdict::Nic), 2048 + 360 + 58);
        assert_eq!(seen.count(Verdict::NicDrop), 2200 + 400 + 100 - (2048 + 360 + 58));
    });
}

/// In the order of arrival the full NIC has one queue: whoever comes when 128 packets wait is dropped, of either kind.
#[test]
fn queues_that_count_as_one_are_full_together() {
    for nic_of_8 in [0, 1, 4, 8] {
        let mut maker = FrameMaker::new(6);
        let pace = Pace { gap: 16, stall: 0, consume: 0, operations: false };
        let mut bench = Bench::with(one_queue(), 6, maker.connections.clone(), pace);
        for in_order in [true, false] {
            bench.set_in_order(in_order);
            for count in 0..200 {
                bench.send(true, maker.segment(count % 8 < nic_of_8, 0), false);
            }
            bench.pace.consume = 0;
            bench.run_until_judged(100_000);
            bench.pace.consume = 255;
            bench.run_until_idle(100_000);
        }
        let (of_host, of_nic) = (200 * (8 - nic_of_8) / 8, 200 * nic_of_8 / 8);
        // The 128 that are first, and then 128 of the host's and all of the NIC's.
        let host = 128 * (8 - nic_of_8) / 8 + of_host.min(128);
        let nic = 128 * nic_of_8 / 8 + of_nic;
        bench.assert_seen(|seen| {
            assert_eq!(seen.count(Verdict::Host), host, "{nic_of_8} of 8 are the NIC's");
            assert_eq!(seen.count(Verdict::Nic), nic, "{nic_of_8} of 8 are the NIC's");
            assert_eq!(seen.count(Verdict::HostDrop), 2 * of_host - host);
            assert_eq!(seen.count(Verdict::NicDrop), 2 * of_nic - nic);
        });
    }
}

fn one_queue() -> DefaultRxPath {
    let mut path = DefaultRxPath::default();
    path.set_one_queue();
    path
}

/// Which side of the queues a frame goes to.
#[derive(Clone, Copy, Debug)]
enum Mix {
    Host,
    Nic,
    Alternating,
    Random,
}

/// Sends `count` frames of the wire, each when the wire has room for it at four bytes a cycle, or every `interval`
/// cycles; the frames lost, and the cycles in which the wire had to wait.
fn back_to_back(seed: u64, mix: Mix, lengths: &[usize], interval: Option<u32>, count: usize) -> (usize, u32) {
    let mut maker = FrameMaker::new(seed);
    let mut bench = Bench::new(seed, maker.connections.clone(), Pace::FULL);
    bench.set_rules(Rules { jumbo: true, ..Rules::RESET });
    let (mut quarters, mut cycles) = (0, 0);
    for at in 0..count {
        let to_nic = match mix {
            Mix::Host => false,
            Mix::Nic => true,
            Mix::Alternating => at % 2 == 0,
            Mix::Random => maker.below(2) == 0,
        };
        let len = lengths[maker.below(lengths.len() as u32) as usize];
        // A host packet has a lookup or, in a third of the cases, none.
        let mut frame = maker.segment(to_nic, len - 54);
        if !to_nic && maker.below(3) == 0 {
            frame[12..14].copy_from_slice(&[0x88, 0xb5]);
        }
        assert_eq!(frame.len(), len);
        bench.send_at(
            true,
            frame,
            false,
            Some(interval.map_or(quarters / 4, |interval| at as u32 * interval)),
        );
        // Preamble, check sequence and gap take 24 bytes.
        quarters += len as u32 + 24;
        cycles += len as u32 + 60;
    }
    bench.run_until_idle(cycles);
    let mut lost = 0;
    bench.assert_seen(|seen| {
        assert_eq!(seen.frames, count);
        lost = count - seen.count(Verdict::Host) - seen.count(Verdict::Nic);
    });
    (lost, bench.late_cycles)
}

const MIXES: [Mix; 4] = [Mix::Host, Mix::Nic, Mix::Alternating, Mix::Random];

#[test]
fn minimum_frames_every_21_cycles_pass_without_loss() {
    for (seed, mix) in (60..).zip(MIXES) {
        assert_eq!(back_to_back(seed, mix, &[60], None, 3000), (0, 0), "{mix:?}, seed {seed}");
    }
    // The margin: with three words of key, one frame every 18 cycles.
    let interval = measured_interval().max(18);
    for (seed, mix) in (64..).zip(MIXES) {
        assert_eq!(back_to_back(seed, mix, &[60], Some(interval), 3000), (0, 0), "{mix:?}, seed {seed}");
    }
}

/// Cycles between smallest frames that are all looked up, with operations on the table all the time: a lookup takes
/// 11 cycles and one for each word of the key, an operation goes after so many frames, and steering takes 18.
fn measured_interval() -> u32 {
    let (lookup, frames) = (11 + KEY_BITS as u32 / 32, FRAMES_BEFORE_OPERATION as u32);
    ((frames + 1) * lookup).div_ceil(frames).max(18)
}

#[test]
fn the_measured_interval_is_the_documented_one() {
    let interval = baton_cosim::receive::min_frame_interval_cycles(3000).unwrap();
    assert_eq!(interval, measured_interval());
    assert!(interval <= 21, "the wire brings one every 21 cycles");
}

#[test]
fn back_to_back_frames_of_every_length_pass_without_loss() {
    let every: Vec<usize> = (60..=1514).collect();
    // Frames that are a word's end away from the next length, where a word more is stored.
    let short: Vec<usize> = (60..=80).collect();
    let extremes = [60, 1514];
    let jumbo = [60, 61, 9013, 9014];
    for (seed, mix) in (70..).zip(MIXES) {
        for (lengths, count) in [(&every[..], 400), (&short, 1500), (&extremes, 400), (&jumbo, 60)] {
            assert_eq!(
                back_to_back(seed, mix, lengths, None, count),
                (0, 0),
                "{mix:?}, seed {seed}, lengths {lengths:?}"
            );
        }
    }
    let mut run = vec![60; 400];
    run[200] = 9014;
    assert_eq!(
        back_to_back(81, Mix::Random, &run, None, 1000),
        (0, 0),
        "runs of the shortest behind the longest"
    );
    assert_eq!(back_to_back(80, Mix::Alternating, &[9014], None, 30), (0, 0), "the longest alone");
}

#[test]
fn latencies_are_as_documented() {
    let looked_up = 36 + KEY_BITS as u32 / 32;
    for (nic, kind, expected) in
        [(false, Kind::Arp, 26), (false, Kind::TcpMiss, looked_up), (true, Kind::TcpHit, looked_up)]
    {
        let mut maker = FrameMaker::new(7);
        let pace = Pace { gap: 0, stall: 0, consume: 0, operations: false };
        let mut bench = Bench::new(7, maker.connections.clone(), pace);
        let frame = match kind {
            Kind::Arp => maker.frame(Kind::Arp),
            _ => maker.segment(nic, 6),
        };
        bench.send(true, frame, false);
        bench.run_until_sent(1000);
        let mut cycles = 0;
        while bench.dut.peek(if nic { "nq_valid" } else { "hq_pending" }) == 0 {
            bench.step();
            cycles += 1;
            assert!(cycles < 100);
        }
        // `run_until_sent` returns in the cycle after the last word.
        assert_eq!(cycles + 1, expected, "{kind:?}");
    }
}

/// A host frame behind the longest NIC frame takes as long as one by itself.
#[test]
fn host_frames_do_not_wait_behind_nic_frames() {
    let mut maker = FrameMaker::new(9);
    let pace = Pace { gap: 0, stall: 0, consume: 0, operations: false };
    let mut bench = Bench::new(9, maker.connections.clone(), pace);
    for (frame, at) in [(maker.segment(true, 1460), 0), (maker.segment(false, 6), 386)] {
        bench.send_at(true, frame, false, Some(at));
    }
    bench.run_until_sent(2000);
    let mut cycles = 0;
    while bench.dut.peek("hq_pending") == 0 {
        bench.step();
        cycles += 1;
        assert!(cycles < 100, "the host frame waits");
    }
    assert_eq!(cycles + 1, 36 + KEY_BITS / 32);
    for _ in 0..600 {
        bench.step();
    }
    bench.assert_seen(|seen| assert_eq!((seen.passed, seen.count(Verdict::Nic)), (1, 1)));
}

#[test]
fn a_connection_is_on_the_nic_from_insert_to_delete() {
    let mut maker = FrameMaker::new(8);
    let pace = Pace { gap: 6, stall: 0, consume: 255, operations: false };
    let mut bench = Bench::new(8, Connections::default(), pace);
    let key = maker.connections.keys[0];
    for (op, verdict) in [(FIND, Verdict::Host), (INSERT, Verdict::Nic), (DELETE, Verdict::Host)] {
        bench.operate(op, key, 0xBEEF);
        let segment = maker.segment_of(key, 100);
        bench.send(true, segment, false);
        bench.run_until_idle(10_000);
        bench.assert_seen(|seen| assert_eq!(seen.last, Some(verdict)));
    }
}

#[test]
fn all_kinds_are_made() {
    let mut maker = FrameMaker::new(9);
    let mut made: Vec<Kind> = (0..2000).map(|_| maker.kind()).collect();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), KINDS.len());
}

//! The receive path against a classifier in Rust: random frames of every kind, random stalls, random
//! consumption.

#[path = "rx_path/bench.rs"]
mod bench;
#[path = "rx_path/frames.rs"]
mod frames;

use baton_abi::mmio::lookup::{DELETE, FIND, INSERT};
use bench::{Bench, Pace, Verdict};
use frames::{Connections, FrameMaker, Kind, KINDS};

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
fn both_queues_fill_and_drop_whole_frames() {
    let mut maker = FrameMaker::new(5);
    let pace = Pace { gap: 6, stall: 0, consume: 0, operations: false };
    let mut bench = Bench::new(5, maker.connections.clone(), pace);
    // Small frames meet the limit of 64 packets, large ones that of the memory.
    for payload_len in [0, 1400] {
        for count in 0..200 {
            let segment = maker.segment(count % 2 == 0, payload_len);
            bench.send(true, segment, false);
        }
        bench.pace.consume = 0;
        bench.run_until_judged(100_000);
        bench.pace.consume = 255;
        bench.run_until_idle(100_000);
    }
    bench.assert_seen(|seen| {
        // Of the large ones, 364 words each, 5 fit the host's 2048 words and 11 the NIC's 4096.
        assert_eq!(seen.count(Verdict::Host), 64 + 5);
        assert_eq!(seen.count(Verdict::HostDrop), 36 + 95);
        assert_eq!(seen.count(Verdict::Nic), 64 + 11);
        assert_eq!(seen.count(Verdict::NicDrop), 36 + 89);
    });
}

/// Sends `count` frames of minimum size, one every `interval` cycles; the frames lost and refused cycles.
fn minimum_frames(interval: u32, count: usize) -> (usize, u32) {
    let mut maker = FrameMaker::new(6);
    let pace = Pace { gap: 0, stall: 0, consume: 256, operations: true };
    let mut bench = Bench::new(6, maker.connections.clone(), pace);
    for at in 0..count {
        // Two of three go to the NIC, some to the host after a lookup, some without one.
        let frame = match at % 6 {
            0 => maker.segment(false, 6),
            1 => maker.frame(Kind::Arp),
            _ => maker.segment(true, 6),
        };
        assert_eq!(frame.len(), 60);
        bench.send_at(true, frame, false, Some(at as u32 * interval));
    }
    bench.run_until_idle(count as u32 * 40);
    let mut lost = 0;
    bench.assert_seen(|seen| {
        assert_eq!(seen.frames, count);
        lost = count - seen.count(Verdict::Host) - seen.count(Verdict::Nic);
    });
    (lost, bench.late_cycles)
}

#[test]
fn minimum_frames_every_21_cycles_pass_without_loss() {
    assert_eq!(minimum_frames(21, 5000), (0, 0));
    // The margin: the path keeps up with one frame every 17 cycles, with operations on the table meanwhile.
    assert_eq!(minimum_frames(17, 3000), (0, 0));
}

#[test]
fn latencies_are_as_documented() {
    for (nic, kind, expected) in
        [(false, Kind::Arp, 25), (false, Kind::TcpMiss, 39), (true, Kind::TcpHit, 39)]
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

//! Pacing to the picosecond, order, faults and their repeatability.

use super::*;

const CLOCK_PS: u64 = 3200;

fn config(rate_bps: u64) -> WireConfig {
    WireConfig { rate_bps, propagation_ps: 0, ..WireConfig::default() }
}

/// Runs the direction to the NIC, and gives the frames with the cycle time at which their last word was offered.
fn receive(wire: &mut ToNic, cycles: u64, ready: impl Fn(u64) -> bool) -> Vec<(u64, Vec<u8>, bool)> {
    let (mut frames, mut frame) = (Vec::new(), Vec::new());
    let mut offered = 0;
    for cycle in 1..cycles {
        let (drive, tready) = (wire.drive, ready(cycle));
        if drive.tvalid && tready {
            let count = drive.tkeep.count_ones() as usize;
            frame.extend_from_slice(&drive.tdata.to_le_bytes()[..count]);
            if drive.tlast {
                frames.push((offered, std::mem::take(&mut frame), drive.tuser));
            }
        }
        let was = wire.drive.tvalid && !tready;
        wire.clock(cycle * CLOCK_PS, tready, &mut |_, _| {});
        if !was {
            offered = cycle * CLOCK_PS;
        }
    }
    frames
}

#[test]
fn minimum_frames_arrive_every_67_2_ns_at_10_gigabit() {
    let mut wire = ToNic::new(&config(10_000_000_000));
    for n in 0..50 {
        wire.send(0, vec![n; 14]);
    }
    let frames = receive(&mut wire, 2000, |_| true);
    assert_eq!(frames.len(), 50);
    for (n, (time, frame, bad)) in frames.iter().enumerate() {
        let padded: Vec<u8> = [vec![n as u8; 14], vec![0; 46]].concat();
        assert_eq!((frame, bad), (&padded, &false));
        // 84 byte times a frame; its last word is there after preamble, 60 bytes and check sequence.
        let due = n as u64 * 84 * 800 + (8 + 60 + 4) * 800;
        assert_eq!(*time, due.div_ceil(CLOCK_PS) * CLOCK_PS);
    }
    assert!(wire.is_idle());
    assert!(wire.late_max_ps() < CLOCK_PS);
}

#[test]
fn a_slow_reader_loses_nothing() {
    let mut wire = ToNic::new(&config(10_000_000_000));
    let sent: Vec<Vec<u8>> = (60..260).map(|len| (0..len).map(|at| (at * 7 + len) as u8).collect()).collect();
    for frame in &sent {
        wire.send(0, frame.clone());
    }
    let frames = receive(&mut wire, 60_000, |cycle| cycle % 3 != 0);
    assert_eq!(frames.into_iter().map(|f| f.1).collect::<Vec<_>>(), sent);
}

/// Offers frames back to back, and gives those that the clients receive with their times.
fn transmit(wire: &mut FromNic, frames: &[Vec<u8>], cycles: u64) -> Vec<(Vec<u8>, u64)> {
    let mut words = frames.iter().flat_map(|frame| {
        frame.chunks(4).enumerate().map(|(at, bytes)| {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            TxStream {
                tdata: u32::from_le_bytes(word),
                tkeep: (1 << bytes.len()) - 1,
                tlast: at * 4 + bytes.len() == frame.len(),
                tvalid: true,
            }
        })
    });
    let (mut drive, mut out) = (TxStream::default(), Vec::new());
    for cycle in 1..cycles {
        let now_ps = cycle * CLOCK_PS;
        let taken = drive.tvalid && wire.tready;
        let old = drive;
        if taken || !drive.tvalid {
            drive = words.next().unwrap_or_default();
        }
        wire.clock(now_ps, &old, &mut |_, _| {});
        while let Some(frame) = wire.receive(now_ps) {
            out.push(frame);
        }
    }
    out
}

#[test]
fn transmission_keeps_the_line_rate_exactly() {
    for rate in [10_000_000_000, 1_000_000_000] {
        let mut wire = FromNic::new(&config(rate));
        let frames: Vec<Vec<u8>> = [1518, 60, 14, 61, 1000, 1518].map(|len| vec![len as u8; len]).to_vec();
        let received = transmit(&mut wire, &frames, 60_000);
        let byte_ps = 8_000_000_000_000 / rate;
        assert_eq!(received.len(), frames.len());
        for (frame, (got, _)) in frames.iter().zip(&received) {
            assert_eq!(got.len(), frame.len().max(60));
            assert_eq!(&got[..frame.len()], &frame[..]);
        }
        for pair in received.windows(2) {
            assert_eq!(pair[1].1 - pair[0].1, (pair[1].0.len() as u64 + OVERHEAD) * byte_ps);
        }
        assert_eq!(wire.underruns(), 0);
        assert!(wire.is_idle());
    }
}

#[test]
fn the_mac_stops_the_nic_when_its_queue_is_full() {
    let mut wire = FromNic::new(&WireConfig { fifo_words: 64, ..config(100_000_000) });
    let word = TxStream { tdata: 0, tkeep: 15, tlast: false, tvalid: true };
    let mut taken = 0;
    for cycle in 1..1000u64 {
        taken += u32::from(wire.tready);
        wire.clock(cycle * CLOCK_PS, &word, &mut |_, _| {});
    }
    // 3.2 us at 100 Mb/s are 40 bytes, less the preamble.
    assert!((64..=64 + 10).contains(&taken), "{taken}");
}

fn faulty(seed: u64) -> WireConfig {
    let faults = Faults {
        loss_ppm: 100_000,
        corrupt_ppm: 100_000,
        duplicate_ppm: 100_000,
        reorder_ppm: 100_000,
        delay_ppm: 50_000,
        delay_ps: 2_000_000,
    };
    WireConfig { to_nic: faults, from_nic: faults, seed, ..config(10_000_000_000) }
}

#[test]
fn faults_happen_as_often_as_asked_and_repeat_with_the_seed() {
    let run = |seed| {
        let mut wire = ToNic::new(&faulty(seed));
        for n in 0..2000u16 {
            wire.send(0, [&n.to_le_bytes()[..], &[0; 62]].concat());
        }
        (receive(&mut wire, 100_000, |_| true), wire.stats())
    };
    let (frames, stats) = run(1);
    assert_eq!(run(1), (frames.clone(), stats));
    assert_ne!(run(2).0, frames);
    for count in [stats.lost, stats.corrupted, stats.duplicated, stats.reordered] {
        assert!((140..=260).contains(&count), "{stats:?}");
    }
    assert_eq!(frames.len() as u64, 2000 - stats.lost + stats.duplicated);
    let bad = frames.iter().filter(|frame| frame.2).count() as u64;
    assert!(bad >= stats.corrupted, "a duplicate of a corrupt frame is corrupt, too");
    let numbers: Vec<u16> =
        frames.iter().filter(|f| !f.2).map(|f| u16::from_le_bytes([f.1[0], f.1[1]])).collect();
    assert!(numbers.windows(2).any(|pair| pair[1] < pair[0]), "nothing was reordered");
}

#[test]
fn corrupt_frames_do_not_reach_the_clients() {
    let mut config = faulty(5);
    config.from_nic = Faults { corrupt_ppm: 300_000, ..Faults::default() };
    let mut wire = FromNic::new(&config);
    let frames: Vec<Vec<u8>> = (0..200u8).map(|n| vec![n; 80]).collect();
    let received = transmit(&mut wire, &frames, 20_000);
    let corrupted = wire.stats().corrupted;
    assert!(corrupted > 30);
    assert_eq!(received.len() as u64, 200 - corrupted);
    assert!(received.iter().all(|(frame, _)| frame.iter().all(|byte| *byte == frame[0])));
}

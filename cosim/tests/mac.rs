//! The MAC between GMII lines and the core's streams: frames of every length and shape, faults of the line,
//! speeds, clocks, stalls and resets. A failure prints the seed of its bench; run the test by its name to
//! replay it.

#[path = "mac/bench.rs"]
mod bench;
mod support;

use baton_abi::regs;
use baton_cosim::gmii::{fcs, Shape, Symbol};
use baton_hdl::mac::{Line, MacConfig};
use bench::{Bench, Options, Speed};

/// What the core gets of a frame whose only fault is its length.
fn expected(frame: &[u8], longest: usize) -> Option<(Vec<u8>, bool)> {
    let line = [frame, &fcs(frame)].concat();
    if line.len() <= 4 {
        return None;
    }
    if line.len() > longest {
        // Whole words up to the limit.
        return Some((line[..longest / 4 * 4].to_vec(), true));
    }
    Some((frame.to_vec(), line.len() < 64))
}

/// The queues of the boards' MACs.
const BOARD: MacConfig = MacConfig {
    tx_start_words: 16,
    rx_words_log2: 9,
    tx_words_log2: 5,
    inband_status: false,
    line: Line::Own,
    has_registers: true,
};

#[test]
fn every_length_is_received() {
    let mut bench = Bench::new(&Options { core_ps: 13_333, rx_ps: 8_001, seed: 10, ..Options::default() });
    let frames: Vec<Vec<u8>> = (0..=1600).map(|length| bench.random_frame(length)).collect();
    for frame in &frames {
        bench.sender.frame(frame, &Shape::default());
    }
    bench.run_until(20_000_000, |b| b.sender.pending() == 0);
    bench.run_ns(2_000);
    let want: Vec<_> = frames.iter().filter_map(|frame| expected(frame, 1522)).collect();
    assert_eq!(bench.received.len(), want.len());
    for (got, (bytes, bad)) in bench.received.iter().zip(&want) {
        assert!(got.bytes == *bytes && got.bad == *bad, "{} bytes, bad {}", bytes.len(), got.bad);
    }
    let good: usize = frames.iter().map(|f| f.len() + 4).filter(|l| (64..=1522).contains(l)).sum();
    assert_eq!(
        bench.counts(),
        [
            (regs::MAC_RX_FRAMES, 1518 - 60 + 1),
            (regs::MAC_RX_BYTES_LOW, good as u32),
            (regs::MAC_RX_RUNTS, 60),
            (regs::MAC_RX_OVERLONG, 1600 - 1518),
        ]
    );
}

#[test]
fn jumbo_frames_are_received_and_sent_when_enabled() {
    let mut bench = Bench::new(&Options { seed: 11, ..Options::default() });
    bench.write(regs::MAC_CONTROL, 0x167);
    let frames: Vec<Vec<u8>> =
        [9014, 9013, 9012, 9011, 9015, 9020, 64].map(|length| bench.random_frame(length)).to_vec();
    for frame in &frames {
        bench.sender.frame(frame, &Shape::default());
        bench.to_send.push_back(frame.clone());
    }
    bench.run_until(1_000_000, |b| b.sender.pending() == 0 && b.sent.len() == 7);
    bench.run_ns(1_000);
    for (frame, got) in frames.iter().zip(&bench.received) {
        let (bytes, bad) = expected(frame, 9018).unwrap();
        assert!(got.bytes == bytes && got.bad == bad, "{} bytes", frame.len());
    }
    assert_eq!((bench.received.len(), bench.read(regs::MAC_RX_OVERLONG)), (7, 2));
    for (frame, got) in frames.iter().zip(&bench.sent) {
        assert_eq!(got.payload(), Some(&frame[..]));
    }
}

#[test]
fn every_length_is_sent_padded_and_with_its_check_sequence() {
    // The core's stream stalls; a frame may start when it is whole in the queue.
    every_length_is_sent(MacConfig { tx_start_words: 420, ..MacConfig::default() }, 800, 13_333);
    // It does not, and little waits, at a board's slowest clock.
    every_length_is_sent(BOARD, 1_000, 20_000);
}

fn every_length_is_sent(config: MacConfig, offer: u32, core_ps: u64) {
    let mut bench = Bench::new(&Options { config, core_ps, seed: 12, ..Options::default() });
    bench.offer = offer;
    let frames: Vec<Vec<u8>> = (1..=1600).map(|length| bench.random_frame(length)).collect();
    bench.to_send.extend(frames.clone());
    bench.run_until(30_000_000, |b| b.sent.len() == 1600);
    bench.run_ns(1_000);
    let mut bytes = 0;
    for (frame, got) in frames.iter().zip(&bench.sent) {
        let mut want = frame.clone();
        want.resize(want.len().max(60), 0);
        assert_eq!(got.payload(), Some(&want[..]), "{} bytes", frame.len());
        assert_eq!(got.preamble, 7);
        assert!(got.gap >= 12);
        bytes += got.bytes.len();
    }
    assert_eq!(bench.counts(), [(regs::MAC_TX_FRAMES, 1600), (regs::MAC_TX_BYTES_LOW, bytes as u32)]);
}

/// Minimum frames, back to back, in both directions, at the slowest core clock that the header promises,
/// and with clocks that differ as far as two good oscillators do.
#[test]
fn minimum_frames_pass_at_line_rate_in_both_directions() {
    for config in [MacConfig::default(), BOARD] {
        minimum_frames_pass(config);
    }
}

fn minimum_frames_pass(config: MacConfig) {
    let options =
        Options { config, core_ps: 16_000, rx_ps: 7_999, tx_ps: 8_001, seed: 13, ..Options::default() };
    let mut bench = Bench::new(&options);
    let frames: Vec<Vec<u8>> = (0..2000).map(|i| bench.random_frame(60 + i % 4)).collect();
    for frame in &frames {
        bench.sender.frame(frame, &Shape::default());
        bench.to_send.push_back(frame.clone());
    }
    bench.run_until(3_000_000, |b| b.sender.pending() == 0 && b.sent.len() == 2000);
    bench.run_ns(1_000);
    assert_eq!(bench.received.len(), 2000);
    for ((frame, got), sent) in frames.iter().zip(&bench.received).zip(&bench.sent) {
        assert!(got.bytes == *frame && !got.bad);
        assert_eq!(sent.payload(), Some(&frame[..]));
    }
    // Not a byte more than the standard's gap, once the first frames have filled the pipeline.
    assert!(bench.sent[2..].iter().all(|frame| frame.gap == 12));
    assert_eq!(bench.read(regs::MAC_RX_OVERFLOWS), 0);
    assert_eq!(bench.read(regs::MAC_TX_UNDERFLOWS), 0);
}

#[test]
fn latencies_are_as_documented() {
    let mut bench = Bench::new(&Options { seed: 14, ..Options::default() });
    for length in [60, 61, 62, 63, 200, 1514] {
        let frame = bench.random_frame(length);
        let before = bench.received.len();
        bench.run_ns(1_000);
        let start = bench.now_ps();
        bench.sender.frame(&frame, &Shape::default());
        bench.run_until(40_000, |b| b.received.len() > before);
        let got = &bench.received[before];
        // In cycles of 8 ns, all clocks being of that period; the delimiter is the eighth symbol.
        let delimiter = start / 8_000 + 8;
        let first = got.first_ps / 8_000 - delimiter;
        let last = got.last_ps / 8_000 - delimiter - (length as u64 + 4);
        assert!((27..=28).contains(&first), "{length}: first word {first} cycles after the delimiter");
        assert!((11..=12).contains(&last), "{length}: last word {last} cycles after the last byte");

        let frame = bench.random_frame(length);
        let sent = bench.sent.len();
        bench.to_send.push_back(frame);
        bench.run_until(40_000, |b| b.sent.len() > sent);
        let cycles = (bench.carrier_ps - bench.first_word_ps) / 8_000;
        // `TxFrame`: what a frame takes, and when it has more than 16 words in the queue.
        let whole = match (length as u64, length as u64 % 4) {
            (..=60, _) => 16,
            (n, 0) => n / 4 + 1,
            (n, left) => n / 4 + 3 + left,
        };
        let released = if length > 68 { 17 } else { whole };
        assert!((released + 6..=released + 7).contains(&cycles), "{length}: preamble after {cycles} cycles");
    }
}

#[test]
fn damaged_frames_are_marked_and_counted_by_their_reason() {
    for speed in [Speed::Mb1000, Speed::Mb100] {
        let mut bench = Bench::new(&Options { speed, seed: 15, ..Options::default() });
        let mut want = Vec::new();
        let mut send = |bench: &mut Bench, length: usize, shape: Shape, good: bool| {
            let frame = bench.random_frame(length);
            bench.sender.frame(&frame, &shape);
            want.push((frame, good));
        };
        for length in [60, 61, 62, 63, 100, 1514] {
            send(&mut bench, length, Shape { bad_fcs: true, ..Shape::default() }, false);
            send(&mut bench, length, Shape::default(), true);
            // Errors in the preamble, at the delimiter, at the first, second and some middle byte, in the
            // last byte before the check sequence, at its first and at its last byte.
            for at in [2, 7, 8, 9, 8 + length / 2, 7 + length, 8 + length, 11 + length] {
                send(&mut bench, length, Shape { error_at: Some(at), ..Shape::default() }, false);
            }
            send(&mut bench, length, Shape::default(), true);
        }
        bench.run_until(40_000_000, |b| b.sender.pending() == 0);
        bench.run_ns(10_000);
        assert_eq!(bench.received.len(), want.len());
        for (got, (frame, good)) in bench.received.iter().zip(&want) {
            assert_eq!(got.bad, !good, "{} bytes", frame.len());
            assert!(!good || got.bytes == *frame);
        }
        assert_eq!(bench.read(regs::MAC_RX_FRAMES), 12);
        assert_eq!(bench.read(regs::MAC_RX_BAD_FCS), 6);
        assert_eq!(bench.read(regs::MAC_RX_SYMBOL_ERRORS), 48);
    }
}

#[test]
fn short_preambles_and_gaps_are_tolerated() {
    for speed in [Speed::Mb1000, Speed::Mb100] {
        let mut bench = Bench::new(&Options { speed, core_ps: 16_000, seed: 16, ..Options::default() });
        let mut want = Vec::new();
        for round in 0..120 {
            let frame = bench.random_frame(60 + round % 5);
            // At least a byte of preamble at 10 and 100 Mb/s, where nibbles need it.
            let least = usize::from(speed.nibbles());
            let shape = Shape { preamble: (round % 16).max(least), gap: 5 + round % 8, ..Shape::default() };
            bench.sender.frame(&frame, &shape);
            want.push(frame);
        }
        bench.run_until(10_000_000, |b| b.sender.pending() == 0);
        bench.run_ns(5_000);
        assert_eq!(bench.received.len(), want.len());
        assert!(bench.received.iter().zip(&want).all(|(got, frame)| got.bytes == *frame && !got.bad));
    }
}

#[test]
fn carriers_without_a_frame_are_counted_and_leave_no_trace() {
    let mut bench = Bench::new(&Options { seed: 17, ..Options::default() });
    let idle = Symbol::default();
    let mut want = Vec::new();
    for round in 0..30usize {
        match round % 6 {
            // Preamble only; preamble and delimiter only; noise; false carrier; extension; extension error.
            0 => (0..5).for_each(|_| bench.sender.byte(Symbol { valid: true, error: false, data: 0x55 })),
            1 => bench.sender.frame(&[], &Shape { cut_to: Some(0), ..Shape::default() }),
            2 => {
                (0..9).for_each(|i| bench.sender.byte(Symbol { valid: true, error: i == 3, data: 0x40 + i }))
            }
            3 => (0..7).for_each(|_| bench.sender.byte(Symbol { valid: false, error: true, data: 0x0E })),
            4 => (0..8).for_each(|_| bench.sender.byte(Symbol { valid: false, error: true, data: 0x0F })),
            _ => (0..8).for_each(|_| bench.sender.byte(Symbol { valid: false, error: true, data: 0x1F })),
        }
        (0..12).for_each(|_| bench.sender.byte(idle));
        let frame = bench.random_frame(64);
        bench.sender.frame(&frame, &Shape::default());
        want.push(frame);
    }
    bench.run_until(1_000_000, |b| b.sender.pending() == 0);
    bench.run_ns(1_000);
    assert!(bench.received.iter().zip(&want).all(|(got, frame)| got.bytes == *frame && !got.bad));
    assert_eq!(bench.received.len(), 30);
    assert_eq!(bench.read(regs::MAC_RX_FALSE_CARRIERS), 20);
    assert_eq!(bench.read(regs::MAC_RX_SYMBOL_ERRORS), 0);
}

#[test]
fn control_frames_stay_here_and_the_address_filter_filters() {
    let mut bench = Bench::new(&Options { seed: 18, ..Options::default() });
    let own = [0x02, 0xBA, 0x70, 0x4E, 0x01, 0x99];
    bench.write(regs::MAC_ADDR_LOW, u32::from_le_bytes([own[0], own[1], own[2], own[3]]));
    bench.write(regs::MAC_ADDR_HIGH, u32::from(own[4]) | u32::from(own[5]) << 8);
    let mut want = Vec::new();
    let (mut pauses, mut filtered) = (0, 0);
    for promiscuous in [true, false] {
        bench.write(regs::MAC_CONTROL, if promiscuous { 0x67 } else { 0x63 });
        let before = want.len();
        for round in 0..200 {
            let length = 60 + bench.chance.below(40) as usize;
            let mut frame = bench.random_frame(length);
            let destination = bench.chance.below(6);
            match destination {
                0 => frame[..6].copy_from_slice(&own),
                1 => frame[..6].fill(0xFF),
                2 => frame[..6].copy_from_slice(&[0x01, 0x80, 0xC2, 0, 0, 1]),
                3 => frame[0] |= 1,
                // Own address but for one bit.
                4 => {
                    frame[..6].copy_from_slice(&own);
                    frame[round % 6] ^= 2;
                }
                _ => {}
            }
            let control = bench.chance.permille(400);
            let opcode = bench.chance.below(3) as u8;
            if control {
                frame[12..16].copy_from_slice(&[0x88, 0x08, 0, opcode]);
            }
            bench.sender.frame(&frame, &Shape::default());
            let accepted = promiscuous || destination < 4;
            if control {
                pauses += u32::from(opcode == 1 && (destination == 0 || destination == 2));
            } else if accepted {
                want.push(frame);
            } else {
                filtered += 1;
            }
        }
        bench.run_until(1_000_000, |b| b.sender.pending() == 0);
        bench.run_ns(1_000);
        assert_eq!(bench.received.len(), want.len(), "from {before}");
    }
    assert!(bench.received.iter().zip(&want).all(|(got, frame)| got.bytes == *frame && !got.bad));
    assert!(pauses > 10 && filtered > 10);
    assert_eq!(bench.read(regs::MAC_RX_PAUSES), pauses);
    assert_eq!(bench.read(regs::MAC_RX_FILTERED), filtered);
    assert_eq!(bench.read(regs::MAC_RX_FRAMES), want.len() as u32);
}

/// On a line that it shares, a MAC leaves sound frames of the host link's EtherType alone, to whatever address they go; what is damaged is
/// counted as it is on every line. A MAC with a line of its own takes them.
#[test]
fn frames_of_the_host_link_are_not_the_guests() {
    for line in [Line::Guest, Line::Own] {
        let config = MacConfig { line, ..MacConfig::default() };
        let mut bench = Bench::new(&Options { config, seed: 25, ..Options::default() });
        let own = [0x02, 0xBA, 0x70, 0x4E, 0x01, 0x99];
        bench.write(regs::MAC_ADDR_LOW, u32::from_le_bytes([own[0], own[1], own[2], own[3]]));
        bench.write(regs::MAC_ADDR_HIGH, u32::from(own[4]) | u32::from(own[5]) << 8);
        let (mut want, mut left, mut damaged) = (Vec::new(), 0, 0);
        for promiscuous in [true, false] {
            bench.write(regs::MAC_CONTROL, if promiscuous { 0x67 } else { 0x63 });
            for _ in 0..300 {
                let length = 60 + bench.chance.below(300) as usize;
                let mut frame = bench.random_frame(length);
                match bench.chance.below(2) {
                    0 => frame[..6].copy_from_slice(&own),
                    _ => frame[..6].fill(0xFF),
                }
                // Its own, its neighbours, its own with a tag before it, and with what is a pause elsewhere.
                let kind = bench.chance.below(5);
                match kind {
                    0 => frame[12..16].copy_from_slice(&[0x88, 0xB5, 1, bench.chance.below(256) as u8]),
                    1 => frame[12..16].copy_from_slice(&[0x88, 0xB5, 0, 1]),
                    2 => frame[12..14].copy_from_slice(&[0x88, 0xB4]),
                    3 => frame[12..14].copy_from_slice(&[0xB5, 0x88]),
                    _ => frame[12..18].copy_from_slice(&[0x81, 0, 0, 1, 0x88, 0xB5]),
                }
                let bad = bench.chance.permille(200);
                bench.sender.frame(&frame, &Shape { bad_fcs: bad, ..Shape::default() });
                damaged += u32::from(bad);
                if kind < 2 && line == Line::Guest {
                    left += 1;
                } else {
                    want.push((frame, bad));
                }
            }
            bench.run_until(3_000_000, |b| b.sender.pending() == 0);
            bench.run_ns(1_000);
        }
        assert_eq!(bench.received.len(), want.len(), "{line:?}");
        assert!(bench
            .received
            .iter()
            .zip(&want)
            .all(|(got, (frame, bad))| got.bytes == *frame && got.bad == *bad));
        let sound = want.iter().filter(|(_, bad)| !bad).count() as u32;
        assert!(sound > 200 && damaged > 50 && (left > 100) == (line == Line::Guest));
        assert_eq!(bench.read(regs::MAC_RX_FRAMES), sound, "{line:?}");
        assert_eq!(bench.read(regs::MAC_RX_BAD_FCS), damaged, "{line:?}");
        assert_eq!(bench.read(regs::MAC_RX_PAUSES), 0);
        assert_eq!(bench.read(regs::MAC_RX_FILTERED), 0);
    }
}

#[test]
fn a_loop_at_the_pins_returns_every_frame_at_every_speed() {
    for (speed, frames) in [(Speed::Mb1000, 400), (Speed::Mb100, 60), (Speed::Mb10, 12)] {
        let mut bench = Bench::new(&Options { speed, core_ps: 13_333, seed: 19, ..Options::default() });
        bench.loopback = true;
        (bench.ready, bench.offer) = (900, 1000);
        let mut want = Vec::new();
        for _ in 0..frames {
            let length = 60 + bench.chance.below(if speed == Speed::Mb10 { 60 } else { 700 }) as usize;
            want.push(bench.random_frame(length));
        }
        bench.to_send.extend(want.clone());
        bench.run_until(30_000_000, |b| b.received.len() == want.len());
        assert!(bench.received.iter().zip(&want).all(|(got, frame)| got.bytes == *frame && !got.bad));
        assert!(bench.sent[2..].iter().all(|frame| frame.gap == 12), "{speed:?}");
        // A byte takes its time: the line is as fast as it should be, and no faster.
        let bytes: usize = want.iter().map(|frame| frame.len() + 24).sum();
        let byte_ps = [800_000, 80_000, 8_000][speed as usize];
        let least = bytes as u64 * byte_ps;
        let took = bench.now_ps();
        assert!(
            took > least - 100 * byte_ps && took < least + 200 * byte_ps,
            "{speed:?}: {took} for {least}"
        );
    }
}

/// A core that stalls within a frame for longer than the words in the queue last: the frame is broken off,
/// visibly to the receiver, and counted; the next one is whole.
#[test]
fn a_frame_whose_words_come_too_late_is_broken_off() {
    let mut bench = Bench::new(&Options { seed: 20, ..Options::default() });
    bench.offer = 150;
    let frames: Vec<Vec<u8>> = (0..60).map(|i| bench.random_frame(60 + 20 * i)).collect();
    bench.to_send.extend(frames.clone());
    bench.run_until(5_000_000, |b| b.to_send.is_empty());
    bench.run_ns(20_000);
    assert_eq!(bench.sent.len(), frames.len());
    let mut broken = 0;
    for (frame, got) in frames.iter().zip(&bench.sent) {
        assert!(got.gap >= 12);
        match got.error {
            true => {
                broken += 1;
                assert!(got.payload().is_none() && frame.starts_with(&got.bytes[..got.bytes.len() - 1]));
            }
            false => assert_eq!(got.payload(), Some(&frame[..])),
        }
    }
    assert!(broken > 20 && broken < 60, "{broken} broken");
    assert_eq!(bench.read(regs::MAC_TX_UNDERFLOWS), broken);
    assert_eq!(bench.read(regs::MAC_TX_FRAMES), 60 - broken);
}

/// A core that takes nothing for a while: frames are lost whole or arrive marked, each loss is counted, and
/// the others arrive as they were.
#[test]
fn an_overflow_drops_whole_frames_and_counts_them() {
    for (seed, longest) in [(21, 100), (22, 1500), (23, 400)] {
        let mut bench = Bench::new(&Options { seed, ..Options::default() });
        let mut want = Vec::new();
        for _ in 0..12 {
            for _ in 0..(10_000 / longest) {
                let length = 60 + bench.chance.below(longest - 60) as usize;
                want.push(bench.random_frame(length));
                bench.sender.frame(want.last().unwrap(), &Shape::default());
            }
            bench.ready = 0;
            bench.run_until(200_000, |b| b.sender.pending() < 1_000);
            bench.ready = 1000;
            bench.run_until(200_000, |b| b.sender.pending() == 0);
            bench.run_ns(5_000);
        }
        let good: Vec<Vec<u8>> = bench.received.iter().filter(|f| !f.bad).map(|f| f.bytes.clone()).collect();
        let mut left = want.iter();
        assert!(
            good.iter().all(|frame| left.any(|w| w == frame)),
            "seed {seed}: a frame changed or out of order"
        );
        let overflows = bench.read(regs::MAC_RX_OVERFLOWS) as usize;
        assert_eq!(good.len() + overflows, want.len(), "seed {seed}");
        assert!(overflows > 5 && bench.received.len() - good.len() <= overflows, "seed {seed}");
        assert_eq!(bench.read(regs::MAC_RX_BAD_FCS), 0);
    }
}

/// Random stalls and unrelated clocks in both directions, without loss: the receive stream's stalls stay
/// within what the queue absorbs.
#[test]
fn random_stalls_on_every_stream_lose_nothing() {
    for (seed, core_ps, rx_ps, tx_ps) in [
        (30, 8_000, 7_999, 8_001),
        (31, 13_333, 8_001, 7_999),
        (32, 6_250, 8_000, 8_000),
        (33, 16_000, 8_000, 8_000),
    ] {
        let config = MacConfig { tx_start_words: 420, ..MacConfig::default() };
        let mut bench = Bench::new(&Options { config, core_ps, rx_ps, tx_ps, seed, ..Options::default() });
        (bench.ready, bench.offer) = (850, 700);
        let mut want = Vec::new();
        for _ in 0..300 {
            let length = 60 + bench.chance.below(1455) as usize;
            let frame = bench.random_frame(length);
            let gap = 12 + bench.chance.below(20) as usize;
            bench.sender.frame(&frame, &Shape { gap, ..Shape::default() });
            bench.to_send.push_back(frame.clone());
            want.push(frame);
        }
        bench.run_until(20_000_000, |b| b.sender.pending() == 0 && b.sent.len() == 300);
        bench.run_ns(5_000);
        assert_eq!(bench.received.len(), 300, "seed {seed}");
        for ((frame, got), sent) in want.iter().zip(&bench.received).zip(&bench.sent) {
            assert!(got.bytes == *frame && !got.bad, "seed {seed}");
            assert_eq!(sent.payload(), Some(&frame[..]), "seed {seed}");
        }
    }
}

/// Resets of each domain at random moments, in both directions at once: whatever arrives unmarked is a
/// frame that was sent, in order, and afterwards frames pass again.
#[test]
fn resets_of_any_domain_never_make_a_frame() {
    for seed in 40..44 {
        let mut bench = Bench::new(&Options { core_ps: 13_333, seed, ..Options::default() });
        let (mut want, mut sent) = (Vec::new(), Vec::new());
        for _ in 0..60 {
            for _ in 0..4 {
                let length = 60 + bench.chance.below(300) as usize;
                let frame = bench.random_frame(length);
                bench.sender.frame(&frame, &Shape::default());
                want.push(frame);
            }
            // The core's stream starts a frame anew after its reset.
            if bench.to_send.len() < 4 {
                let frame = bench.random_frame(200);
                bench.to_send.push_back(frame.clone());
                sent.push(frame);
            }
            let moment = bench.chance.below(4_000).into();
            bench.run_ns(moment);
            let domain = ["cr$reset", "rx_cr$reset", "tx_cr$reset"][bench.chance.below(3) as usize];
            let length = 16 + bench.chance.below(60);
            bench.reset(domain, length.into());
            bench.run_ns(400);
        }
        bench.run_until(400_000, |b| b.sender.pending() == 0);
        bench.run_ns(20_000);
        let good: Vec<Vec<u8>> = bench.received.iter().filter(|f| !f.bad).map(|f| f.bytes.clone()).collect();
        let mut left = want.iter();
        assert!(
            good.iter().all(|frame| left.any(|w| w == frame)),
            "seed {seed}: an invented frame was received"
        );
        assert!(good.len() * 2 > want.len(), "seed {seed}: {} of {}", good.len(), want.len());
        let mut left = sent.iter();
        for frame in &bench.sent {
            if let Some(payload) = frame.payload() {
                assert!(left.any(|w| w == payload), "seed {seed}: an invented frame was sent");
            }
        }
        // The last frames are past every reset.
        let frames: Vec<Vec<u8>> = (0..5).map(|_| bench.random_frame(100)).collect();
        let (received, sent) = (bench.received.len(), bench.sent.len());
        for frame in &frames {
            bench.sender.frame(frame, &Shape::default());
            bench.to_send.push_back(frame.clone());
        }
        bench.run_until(50_000, |b| b.sender.pending() == 0 && b.to_send.is_empty());
        bench.run_ns(3_000);
        let last: Vec<_> = bench.received[received..].iter().map(|f| f.bytes.clone()).collect();
        assert!(last.ends_with(&frames), "seed {seed}: {} frames", last.len());
        let last: Vec<_> = bench.sent[sent..].iter().filter_map(|f| f.payload()).collect();
        assert!(last.iter().map(|f| f.to_vec()).collect::<Vec<_>>().ends_with(&frames), "seed {seed}");
    }
}

#[test]
fn disabled_directions_pass_nothing_and_lose_nothing_on_the_way_out() {
    let mut bench = Bench::new(&Options { seed: 50, ..Options::default() });
    bench.write(regs::MAC_CONTROL, 0x64);
    bench.run_ns(200);
    let frame = bench.random_frame(64);
    bench.sender.frame(&frame, &Shape::default());
    bench.to_send.push_back(frame.clone());
    bench.run_ns(5_000);
    assert!(bench.received.is_empty() && bench.sent.is_empty() && bench.to_send.len() == 1);
    bench.write(regs::MAC_CONTROL, 0x67);
    bench.sender.frame(&frame, &Shape::default());
    bench.run_until(5_000, |b| b.received.len() == 1 && b.sent.len() == 1);
}

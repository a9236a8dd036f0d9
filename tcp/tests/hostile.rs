//! Records and segments from an adversary: refused, or at worst a connection that misbehaves by itself.

use baton_abi::handoff::{RecordError, TcbRecord, TCB_WORDS};
use baton_tcp::{Config, Flags, Instant, Options, Range, SegmentIn, SeqNumber, State, Tcb, TimerOutcome};
use proptest::prelude::*;

/// An established connection with data in flight in both directions.
fn busy() -> (Tcb, u32, u32) {
    let config = Config::default();
    let options = Options {
        mss: Some(1000),
        window_scale: Some(3),
        sack_permitted: true,
        timestamps: Some((500, 0)),
        ..Options::NONE
    };
    let syn =
        SegmentIn { seq: SeqNumber(100), flags: Flags::SYN, window: 5000, options, ..SegmentIn::default() };
    let mut tcb = Tcb::accept(config, &syn, SeqNumber(0xFFFF_FF00), 20_000, Instant(0));
    while tcb.poll_transmit(Instant(0), |_| u32::MAX).is_some() {}
    let ack = SegmentIn {
        seq: SeqNumber(101),
        ack: SeqNumber(0xFFFF_FF01),
        flags: Flags::ACK,
        window: 5000,
        options: Options { timestamps: Some((501, 0)), ..Options::NONE },
        ..SegmentIn::default()
    };
    assert!(tcb.segment_arrives(Instant(1000), &ack).established);
    assert_eq!(tcb.send_enqueued(12_000), 12_000);
    while tcb.poll_transmit(Instant(1000), |_| u32::MAX).is_some() {}
    let gap = SegmentIn { seq: SeqNumber(1101), payload_len: 500, ..ack };
    let _ = tcb.segment_arrives(Instant(2000), &gap);
    (tcb, 12_000, 20_000)
}

fn any_segment() -> impl Strategy<Value = SegmentIn> {
    (
        (-70_000i32..70_000, -70_000i32..70_000, 0u8..64, any::<u16>(), 0u16..1500),
        any::<Option<(u32, u32)>>(),
        proptest::collection::vec((-70_000i32..70_000, -100i32..5000), 0..=4),
    )
        .prop_map(|((seq, ack, flags, window, payload_len), timestamps, blocks)| {
            let mut options = Options { timestamps, ..Options::NONE };
            for (slot, (start, len)) in options.sack.iter_mut().zip(blocks) {
                let start = SeqNumber(start as u32);
                *slot = Range { start, end: start + len as u32 };
                options.sack_count += 1;
            }
            let (seq, ack) = (SeqNumber(seq as u32), SeqNumber(ack as u32));
            SegmentIn { seq, ack, flags: Flags(flags), window, options, payload_len, ecn: 0 }
        })
}

/// Drives a connection with segments near its own numbers; anything may come out, in bounded time.
fn drive(tcb: &mut Tcb, segments: &[SegmentIn]) {
    let mut now = Instant(5000);
    for segment in segments {
        let space = tcb.receive_space();
        let mut segment = *segment;
        segment.seq = tcb.rcv_nxt() + segment.seq.0;
        segment.ack = tcb.snd_una() + segment.ack.0;
        for block in &mut segment.options.sack {
            block.start = tcb.snd_una() + block.start.0;
            block.end = tcb.snd_una() + block.end.0;
        }
        let arrival = tcb.segment_arrives(now, &segment);
        if let Some(deliver) = arrival.deliver {
            assert!(deliver.payload_offset + deliver.len <= segment.payload_len);
            assert!(deliver.stream_offset + u32::from(deliver.len) <= space, "outside the buffer");
        }
        assert!(arrival.advanced <= space);
        for _ in 0..100 {
            let queued = tcb.send_len();
            let Some(out) = tcb.poll_transmit(now, |offset| queued.saturating_sub(offset)) else { break };
            assert!(out.data_offset + u32::from(out.data_len) <= queued, "outside the send buffer");
        }
        now = now + 10_000;
        if matches!(tcb.on_timer(now), TimerOutcome::Closed | TimerOutcome::TimedOut) {
            assert_eq!(tcb.state(), State::Closed);
        }
    }
}

/// A SACK block that begins and ends half the sequence space apart from what is in flight, so that comparing numbers alone takes it
/// for one that lies between the acknowledgement and SND.NXT.
#[test]
fn a_sack_block_around_the_circle_is_ignored() {
    for (start, end) in
        [(0x2000_0000, 0x8000_0000), (0x7FFF_FFFF, 0xFFFF_FFFF), (1, 0x8000_2000), (4000, 1000)]
    {
        let (mut tcb, ..) = busy();
        let before = tcb.clone();
        let options = Options { timestamps: Some((502, 0)), sack_count: 1, ..Options::NONE };
        let mut segment = SegmentIn { flags: Flags::ACK, window: 5000, options, ..SegmentIn::default() };
        (segment.seq, segment.ack) = (tcb.rcv_nxt(), tcb.snd_una());
        segment.options.sack[0] = Range { start: tcb.snd_una() + start, end: tcb.snd_una() + end };
        let _ = tcb.segment_arrives(Instant(3000), &segment);
        let record = |tcb: &Tcb| tcb.export(Instant(3000)).sacked;
        assert_eq!(record(&tcb), record(&before), "{start:#x} to {end:#x}");
        drive(&mut tcb, &[segment]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_segments(segments in proptest::collection::vec(any_segment(), 1..30)) {
        let (mut tcb, ..) = busy();
        drive(&mut tcb, &segments);
        let mut opening = Tcb::connect(Config::default(), SeqNumber(0xFFFF_FFFF), 3000, Instant(0));
        drive(&mut opening, &segments);
    }

    #[test]
    fn hostile_records(
        changes in proptest::collection::vec((0..TCB_WORDS, any::<u32>(), 0u32..3), 1..6),
        segments in proptest::collection::vec(any_segment(), 1..10),
        lengths in any::<Option<(u32, u32)>>(),
    ) {
        let (tcb, send, receive) = busy();
        let mut words = tcb.export(Instant(2000)).to_words();
        for (word, value, how) in changes {
            words[word] = match how {
                0 => value,
                1 => words[word] ^ (1 << (value % 32)),
                _ => words[word].wrapping_add((value % 64).wrapping_sub(32)),
            };
        }
        let (send, receive) = lengths.unwrap_or((send, receive));
        let record = TcbRecord::from_words(&words);
        let imported = Tcb::import(&record, send, receive, Config::default(), Instant(5000));
        // Where another connection was before it is the same, and nothing is left of that one.
        let (mut place, ..) = busy();
        drive(&mut place, &segments);
        let taken = place.take_over(|index| words[index], send, receive, Instant(5000));
        prop_assert_eq!(taken.map(|()| &place), imported.as_ref().map_err(|error| *error));
        prop_assert!(taken.is_ok() || place.state() == State::Closed);
        if let Ok(mut tcb) = imported {
            prop_assert_eq!(tcb.export(Instant(5000)).to_words(), record.to_words());
            drive(&mut tcb, &segments);
        }
    }
}

/// One contradiction at a time, each named.
#[test]
fn contradictions_are_refused() {
    let (tcb, send, receive) = busy();
    let good = tcb.export(Instant(2000));
    let import = |r: &TcbRecord| Tcb::import(r, send, receive, Config::default(), Instant(0)).map(|_| ());
    assert_eq!(import(&good), Ok(()));
    type Change = fn(&mut TcbRecord);
    let cases: &[(RecordError, Change)] = &[
        (RecordError::State, |r| r.state = 2),
        (RecordError::State, |r| r.state = 15),
        (RecordError::State, |r| r.flags |= 1 << 11),
        (RecordError::State, |r| r.state = 4),
        (RecordError::Sequence, |r| r.snd_nxt = r.snd_una.wrapping_add(12_001)),
        (RecordError::Sequence, |r| r.snd_una = r.snd_nxt.wrapping_add(1)),
        (RecordError::Sequence, |r| r.rtx_nxt = r.snd_nxt.wrapping_add(1)),
        (RecordError::Sequence, |r| r.rcv_adv = r.rcv_nxt ^ 0x8000_0000),
        (RecordError::Ranges, |r| r.received[0].end = r.received[0].start.wrapping_sub(1)),
        (RecordError::Ranges, |r| r.received[0].start = r.rcv_nxt),
        (RecordError::Ranges, |r| r.received[0].end = r.rcv_nxt.wrapping_add(20_001)),
        (RecordError::Ranges, |r| r.received[2] = r.received[0]),
        (RecordError::Ranges, |r| r.sacked[0].end = r.snd_nxt.wrapping_add(1)),
        (RecordError::Ranges, |r| r.recent_range = 3),
        (RecordError::Parameter, |r| r.phase = 3),
        (RecordError::Parameter, |r| r.snd_mss = 0),
        (RecordError::Parameter, |r| r.snd_shift = 15),
        (RecordError::Parameter, |r| r.cwnd = 0),
        (RecordError::Parameter, |r| r.max_snd_wnd = 0),
        (RecordError::Parameter, |r| r.cubic_step = 40),
        (RecordError::Parameter, |r| r.cubic_w_est = 1),
        (RecordError::Parameter, |r| (r.algorithm, r.cubic_step) = (1, 31)),
        (RecordError::Parameter, |r| (r.algorithm, r.cubic_step) = (1, 32)),
        (RecordError::Parameter, |r| (r.algorithm, r.cubic_origin) = (1, 5)),
        (RecordError::Timer, |r| r.timer = 5),
        (RecordError::Timer, |r| r.timer = 0),
        (RecordError::Timer, |r| r.timer = 4),
        (RecordError::Timer, |r| r.timer_us = u32::MAX),
    ];
    for (i, (error, change)) in cases.iter().enumerate() {
        let mut record = good;
        change(&mut record);
        assert_eq!(import(&record), Err(*error), "case {i}");
    }
    assert_eq!(
        Tcb::import(&good, u32::MAX, receive, Config::default(), Instant(0)).map(|_| ()),
        Err(RecordError::Buffer)
    );
}

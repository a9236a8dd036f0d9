//! What the fuzzer runs: bytes become operations on a connection, and whatever they are, the engine's promises hold.
//!
//! `tcp/fuzz` gives these functions to `cargo fuzz`; `tests/fuzz.rs` gives them seeded bytes in every `cargo test`.
#![allow(dead_code)]

use baton_abi::handoff::{
    HandoffRecord, TcbRecord, MAGIC, RECORD_WORDS_IPV6, TCB_WORDS, VERSION, VERSION_IPV6,
};
use baton_tcp::wire::Template as _;
use baton_tcp::{
    wire, Config, CongestionAlgorithm, Flags, Instant, Options, Range, SegmentIn, SeqNumber, Spans, State,
    Tcb, TimerOutcome,
};

/// Most segments that a poll may give: more than any window here holds.
const BURST_MAX: u32 = 4096;

/// Bytes as a source of numbers; zeros behind the end.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn half(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn word(&mut self) -> u32 {
        u32::from(self.half()) | u32::from(self.half()) << 16
    }

    /// A distance that is small as often as not, and of either sign.
    fn near(&mut self) -> u32 {
        match self.byte() {
            0..=99 => u32::from(self.byte()),
            100..=179 => u32::from(self.byte()).wrapping_neg(),
            180..=239 => u32::from(self.half()).wrapping_sub(0x8000),
            _ => self.word(),
        }
    }

    fn done(&self) -> bool {
        self.0.is_empty()
    }
}

fn config(source: &mut Source) -> Config {
    let bits = source.byte();
    Config {
        nagle: bits & 1 != 0,
        sack: bits & 2 != 0,
        timestamps: bits & 4 != 0,
        congestion: if bits & 8 != 0 { CongestionAlgorithm::Cubic } else { CongestionAlgorithm::NewReno },
        keepalive_us: if bits & 16 != 0 { 1_000_000 } else { 0 },
        fin_wait_2_us: if bits & 32 != 0 { 1_000_000 } else { 0 },
        window_shift: bits >> 6,
        max_retransmits: 5,
        ..Config::default()
    }
}

fn segment(source: &mut Source, tcb: &Tcb) -> SegmentIn {
    let kind = source.byte();
    let mut options = Options::NONE;
    if kind & 1 != 0 {
        options.timestamps = Some((source.near(), source.near()));
    }
    if kind & 2 != 0 {
        for slot in &mut options.sack {
            let start = tcb.snd_una() + source.near();
            *slot = Range { start, end: start + source.near() };
        }
        options.sack_count = kind >> 5;
    }
    if kind & 4 != 0 {
        options.mss = Some(source.half());
        options.window_scale = Some(source.byte());
        options.sack_permitted = true;
    }
    SegmentIn {
        seq: tcb.rcv_nxt() + source.near(),
        ack: tcb.snd_una() + source.near(),
        flags: Flags(if kind & 8 != 0 { source.byte() } else { Flags::ACK.0 }),
        window: source.half(),
        options,
        payload_len: source.half() % 9000,
        ecn: 0,
    }
}

/// Runs a connection on whatever is left of `source`, and checks after each step what a caller relies on.
fn drive(source: &mut Source, mut tcb: Tcb, config: Config, mut now: Instant) {
    while !source.done() {
        let operation = source.byte();
        match operation % 8 {
            0..=3 => {
                let segment = segment(source, &tcb);
                let (space, queued) = (tcb.receive_space(), tcb.send_len());
                let arrival = tcb.segment_arrives(now, &segment);
                if let Some(deliver) = arrival.deliver {
                    assert!(deliver.payload_offset + deliver.len <= segment.payload_len);
                    assert!(deliver.stream_offset + u32::from(deliver.len) <= space, "beyond the buffer");
                }
                assert!(arrival.advanced <= space && arrival.acked <= queued);
            }
            4 => {
                now = now + (source.word() & 0x0FFF_FFFF);
                if matches!(tcb.on_timer(now), TimerOutcome::Closed | TimerOutcome::TimedOut) {
                    assert_eq!(tcb.state(), State::Closed);
                }
            }
            5 => {
                tcb.send_enqueued(u32::from(source.half()));
                tcb.receive_space_added(u32::from(source.half()));
            }
            6 => match source.byte() {
                0..=63 => tcb.close(),
                64..=71 => tcb.abort(),
                72..=127 => tcb.set_nagle(source.byte() & 1 != 0),
                _ => {
                    let quoted = tcb.snd_una() + source.near();
                    tcb.lower_mss(source.half(), quoted);
                }
            },
            // A handoff changes nothing that a record shows.
            _ if tcb.exportable() => {
                let record = tcb.export(now);
                let other = Instant(source.word());
                let copy = TcbRecord::from_words(&record.to_words());
                assert_eq!(copy, record);
                let (send, space) = (tcb.send_len(), tcb.receive_space());
                tcb = Tcb::import(&copy, send, space, config, other)
                    .unwrap_or_else(|error| panic!("what was exported is refused, {error:?}: {tcb:?}"));
                assert_eq!(tcb.export(other), record);
                now = other;
            }
            _ => {}
        }
        let queued = tcb.send_len();
        // Now and then the interface has room for up to three segments and no more.
        let room = u32::from(operation >> 3).checked_sub(28);
        let mut segments = 0;
        while let Some(burst) = tcb.poll_burst(now, 1, |offset| queued.saturating_sub(offset)) {
            let out = &burst.segment;
            assert!(out.data_offset + u32::from(out.data_len) <= queued, "beyond the send buffer");
            if room == Some(segments) {
                tcb.refused(now, &burst);
                break;
            }
            segments += 1;
            assert!(segments < BURST_MAX, "it never stops sending");
        }
    }
}

/// Any sequence of segments, calls, timers and handoffs, from a handshake on.
pub fn segments(data: &[u8]) {
    let source = &mut Source(data);
    let config = config(source);
    let (iss, now) = (SeqNumber(source.word()), Instant(source.word()));
    let mut tcb = Tcb::connect(config, iss, 1 + u32::from(source.half()), now);
    let _ = tcb.poll_transmit(now, |_| 0);
    if source.byte() & 1 == 0 {
        let options = Options {
            mss: Some(source.half()),
            window_scale: Some(source.byte() & 15),
            sack_permitted: true,
            timestamps: Some((source.word(), 0)),
            ..Options::NONE
        };
        let syn = SegmentIn {
            seq: SeqNumber(source.word()),
            ack: iss + 1,
            flags: Flags::SYN | Flags::ACK,
            window: source.half(),
            options,
            ..SegmentIn::default()
        };
        assert!(tcb.segment_arrives(now, &syn).established);
    }
    drive(source, tcb, config, now);
}

/// Any words as a record: refused, or a connection that is what the record says and keeps the promises above.
pub fn record(data: &[u8]) {
    let source = &mut Source(data);
    let config = config(source);
    let (send_len, space) = (source.word() & 0x3_FFFF, source.word() & 0x3_FFFF);
    let mut words = [0; TCB_WORDS];
    if source.byte() & 3 == 0 {
        words.fill_with(|| source.word());
    } else {
        // A possible one, changed here and there: most nonsense is found by the first check.
        let plain = Config { fin_wait_2_us: 0, keepalive_us: 0, ..config };
        let Some(good) = established(plain, send_len, space) else { return };
        words = good.export(Instant(0)).to_words();
        for _ in 0..source.byte() % 6 {
            let index = usize::from(source.byte()) % TCB_WORDS;
            words[index] = match source.byte() % 3 {
                0 => source.word(),
                1 => words[index] ^ 1 << (source.byte() % 32),
                _ => words[index].wrapping_add(source.near()),
            };
        }
    }
    let record = TcbRecord::from_words(&words);
    let now = Instant(source.word());
    if let Ok(tcb) = Tcb::import(&record, send_len, space, config, now) {
        if !(record.state == State::FinWait2 as u8 && record.timer == 0) {
            assert_eq!(tcb.export(now).to_words(), record.to_words(), "an import that is not the identity");
        }
        drive(source, tcb, config, now);
    }
    let mut whole: Vec<u32> = (0..RECORD_WORDS_IPV6).map(|_| source.word()).collect();
    // Mostly a record of one of the versions.
    whole[0] = match source.word() % 3 {
        0 => MAGIC << 16 | VERSION,
        1 => MAGIC << 16 | VERSION_IPV6,
        _ => whole[0],
    };
    if let Ok(whole) = HandoffRecord::from_words(&whole) {
        assert_eq!(whole.endpoints.local_ip.is_v4(), whole.endpoints.remote_ip.is_v4());
        assert_eq!(HandoffRecord::from_words(&whole.to_words()), Ok(whole));
        assert_eq!(wire::DualTemplate::new(&whole.endpoints).map(|t| t.endpoints()), Some(whole.endpoints));
        let _ = (Spans::from_record(&whole.send), Spans::from_record(&whole.receive));
    }
}

/// A connection with `send_len` bytes queued and as much of it in flight as goes.
fn established(config: Config, send_len: u32, space: u32) -> Option<Tcb> {
    let now = Instant(0);
    let mut tcb = Tcb::connect(config, SeqNumber(0xFFFF_FF00), space, now);
    let _ = tcb.poll_transmit(now, |_| 0)?;
    let options =
        Options { mss: Some(1000), sack_permitted: true, timestamps: Some((9, 0)), ..Options::NONE };
    let answer = SegmentIn {
        seq: SeqNumber(77),
        ack: SeqNumber(0xFFFF_FF01),
        flags: Flags::SYN | Flags::ACK,
        window: 60_000,
        options,
        ..SegmentIn::default()
    };
    let _ = tcb.segment_arrives(now, &answer);
    tcb.send_enqueued(send_len);
    while tcb.poll_transmit(now, |offset| send_len.saturating_sub(offset)).is_some() {}
    Some(tcb)
}

/// Any bytes as a frame: parsed within its bounds, or refused.
pub fn frame(data: &[u8]) {
    let _ = wire::checksums_valid(data);
    if let Ok(packet) = wire::parse(data) {
        assert!(packet.payload.end <= data.len() && packet.payload.start <= packet.payload.end);
        assert_eq!(packet.payload.len(), usize::from(packet.segment.payload_len));
    }
    let mut copy = data.to_vec();
    wire::fill_checksums(&mut copy);
    assert_eq!(copy.len(), data.len());
}

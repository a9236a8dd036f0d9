//! A burst is the very segments that would go one at a time, and leaves the same state behind.

use baton_tcp::{BurstOut, Config, Flags, Instant, Options, SegmentIn, SegmentOut, SeqNumber, State, Tcb};
use proptest::prelude::*;

const IRS: SeqNumber = SeqNumber(7000);

#[derive(Clone, Debug)]
enum Step {
    /// The application writes.
    Write(u32),
    Close,
    /// The peer acknowledges this share of what is in flight, in 1/256, and announces this window.
    Acknowledge(u8, u16),
    /// It says the same once more.
    Duplicate,
    /// It sends a segment, in order or beyond a hole, which is then reported in SACK blocks.
    Data {
        hole: bool,
    },
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u32..60_000).prop_map(Step::Write),
        1 => Just(Step::Close),
        6 => (any::<u8>(), 100u16..2000).prop_map(|(share, window)| Step::Acknowledge(share, window)),
        2 => Just(Step::Duplicate),
        1 => any::<bool>().prop_map(|hole| Step::Data { hole }),
        1 => (1u32..3_000_000).prop_map(Step::Wait),
    ]
}

/// A connection whose handshake is over, and what its peer has announced.
struct Peer {
    tcb: Tcb,
    now: Instant,
    acked: SeqNumber,
    window: u16,
    written: u32,
    sent: SeqNumber,
    sequence: SeqNumber,
    /// Last timestamp of the engine, to be echoed.
    echo: Option<u32>,
}

impl Peer {
    fn new(config: Config, mss: u16, iss: SeqNumber) -> Self {
        let now = Instant(0);
        let options = Options {
            mss: Some(mss),
            window_scale: Some(6),
            sack_permitted: config.sack,
            timestamps: config.timestamps.then_some((1, 0)),
            ..Options::NONE
        };
        let syn = SegmentIn { seq: IRS, flags: Flags::SYN, window: 60_000, options, ..SegmentIn::default() };
        let mut tcb = Tcb::accept(config, &syn, iss, 100_000, now);
        let reply = tcb.poll_transmit(now, |_| 0).expect("SYN, ACK");
        let echo = reply.options.timestamps.map(|(value, _)| value);
        let sequence = IRS + 1;
        let mut peer =
            Peer { tcb, now, acked: iss + 1, window: 1000, written: 0, sent: iss + 1, sequence, echo };
        peer.say(0, 0);
        assert_eq!(peer.tcb.state(), State::Established);
        peer
    }

    /// The peer sends an acknowledgement, with `len` bytes `ahead` of what is in order.
    fn say(&mut self, ahead: u32, len: u16) {
        let segment = SegmentIn {
            seq: self.sequence + ahead,
            ack: self.acked,
            flags: Flags::ACK,
            window: self.window,
            options: Options { timestamps: self.echo.map(|echo| (1, echo)), ..Options::NONE },
            payload_len: len,
            ..SegmentIn::default()
        };
        let arrival = self.tcb.segment_arrives(self.now, &segment);
        self.written -= arrival.acked;
        self.sequence += arrival.advanced;
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Write(bytes) => {
                if matches!(self.tcb.state(), State::Established | State::CloseWait) {
                    self.written += bytes;
                    self.tcb.send_enqueued(bytes);
                }
            }
            Step::Close => self.tcb.close(),
            Step::Acknowledge(share, window) => {
                let flight = self.sent.since(self.acked);
                self.acked += (u64::from(flight) * u64::from(share) / 255) as u32;
                self.window = window;
                self.say(0, 0);
            }
            Step::Duplicate => self.say(0, 0),
            Step::Data { hole } => self.say(if hole { 500 } else { 0 }, 300),
            Step::Wait(us) => {
                self.now = self.now + us;
                let _outcome = self.tcb.on_timer(self.now);
            }
        }
    }
}

/// Cuts a burst as hardware does.
fn cut(burst: &BurstOut) -> Vec<SegmentOut> {
    let first = burst.segment;
    let mut segments = Vec::new();
    let mut done = 0;
    loop {
        let len = (burst.len - done).min(u32::from(burst.mss));
        let last = done + len == burst.len;
        let flags = if last { first.flags } else { Flags(first.flags.0 & !(Flags::PSH.0 | Flags::FIN.0)) };
        let (seq, data_offset) = (first.seq + done, first.data_offset + done);
        segments.push(SegmentOut { seq, flags, data_offset, data_len: len as u16, ..first });
        done += len;
        if last {
            assert_eq!(segments.len() as u32, burst.segments());
            return segments;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn bursts_are_what_would_go_one_at_a_time(
        steps in proptest::collection::vec(step(), 1..40),
        mss in 536u16..1460, nagle: bool, sack: bool, timestamps: bool, most in 1u32..64, span in 1u32..40_000,
        iss: u32,
    ) {
        let config = Config { nagle, sack, timestamps, ..Config::default() };
        let mut peer = Peer::new(config, mss, SeqNumber(iss));
        for step in &steps {
            peer.step(step);
            // Memory is a row of spans of the same length, wherever the buffer starts.
            let written = peer.written;
            let contiguous = |offset: u32| (span - offset % span).min(written.saturating_sub(offset));
            let mut single = peer.tcb.clone();
            let mut one_by_one = Vec::new();
            while let Some(segment) = single.poll_transmit(peer.now, contiguous) {
                // Each carries a byte at least, but for one that closes.
                prop_assert!(one_by_one.len() <= written as usize + 1, "it never ends");
                one_by_one.push(segment);
            }
            let mut bursts = Vec::new();
            while let Some(burst) = peer.tcb.poll_burst(peer.now, most, contiguous) {
                prop_assert!(burst.segments() <= most);
                prop_assert!(!burst.segment.retransmit || burst.segments() == 1);
                bursts.extend(cut(&burst));
            }
            prop_assert_eq!(&bursts, &one_by_one);
            prop_assert_eq!(&peer.tcb, &single);
            for segment in &bursts {
                let end = segment.seq + u32::from(segment.data_len) + u32::from(segment.flags.has(Flags::FIN));
                if end.gt(peer.sent) {
                    peer.sent = end;
                }
                if let Some((value, _)) = segment.options.timestamps {
                    peer.echo = Some(value);
                }
            }
        }
    }
}

#[test]
fn a_window_goes_out_in_one_burst() {
    let mut peer = Peer::new(Config { nagle: false, ..Config::default() }, 1460, SeqNumber(0));
    peer.step(&Step::Write(100_000));
    let burst = peer.tcb.poll_burst(peer.now, 64, |_| u32::MAX).expect("the initial window");
    let mss = u32::from(peer.tcb.mss());
    assert_eq!((burst.len, u32::from(burst.mss), burst.segments()), (10 * mss, mss, 10));
    assert_eq!(burst.segment.flags, Flags::ACK);
    assert_eq!(peer.tcb.poll_burst(peer.now, 64, |_| u32::MAX), None);
}

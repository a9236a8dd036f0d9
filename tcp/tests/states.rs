//! Scripts: opening, closing, acknowledging, and what RFC 5961 and RFC 7323 say to strange segments.

mod script;

use baton_tcp::{reset_for, Config, Flags, Instant, Options, SegmentIn, SeqNumber, State, Tcb, TimerOutcome};
use script::{plain, Script, IRS, ISS};

const FIN_ACK: Flags = Flags(17);
const RST: Flags = Flags::RST;

#[test]
fn active_open_agrees_on_options() {
    let config = Config::default();
    let mut tcb = Tcb::connect(config, ISS, 100_000, Instant(0));
    let syn = tcb.poll_transmit(Instant(0), |_| 0).unwrap();
    assert_eq!(syn.flags, Flags::SYN);
    assert_eq!((syn.options.mss, syn.options.window_scale), (Some(1460), Some(7)));
    assert!(syn.options.sack_permitted && syn.options.timestamps.is_some());
    assert_eq!(syn.window, 0xFFFF);
    let answer = SegmentIn {
        seq: IRS,
        ack: ISS + 1,
        flags: Flags::SYN | Flags::ACK,
        window: 1000,
        options: Options {
            mss: Some(1200),
            window_scale: Some(2),
            timestamps: Some((77, 0)),
            ..Options::NONE
        },
        ..SegmentIn::default()
    };
    // An acknowledgement of something else is answered with a reset and changes nothing.
    let wrong = SegmentIn { ack: ISS + 2, ..answer };
    let arrival = tcb.segment_arrives(Instant(5), &wrong);
    assert!(arrival.reply_reset);
    assert_eq!(reset_for(&wrong).unwrap().seq, ISS + 2);
    assert!(tcb.segment_arrives(Instant(10), &answer).established);
    let ack = tcb.poll_transmit(Instant(10), |_| 0).unwrap();
    assert_eq!((ack.flags, ack.ack, ack.seq), (Flags::ACK, IRS + 1, ISS + 1));
    assert_eq!(ack.window, (100_000u32 >> 7) as u16);
    assert_eq!(ack.options.timestamps.map(|t| t.1), Some(77));
    assert_eq!((tcb.mss(), tcb.snd_wnd(), tcb.state()), (1188, 1000, State::Established));
}

#[test]
fn a_peer_without_options_gets_none() {
    let syn = SegmentIn { seq: IRS, flags: Flags::SYN, window: 500, ..SegmentIn::default() };
    let mut tcb = Tcb::accept(Config::default(), &syn, ISS, 10_000, Instant(0));
    let out = tcb.poll_transmit(Instant(0), |_| 0).unwrap();
    assert_eq!(out.options, Options { mss: Some(1460), ..Options::NONE });
    assert_eq!(tcb.mss(), 536);
    // The SYN again: so is the answer.
    assert!(tcb.segment_arrives(Instant(10), &syn).dropped);
    assert!(tcb.poll_transmit(Instant(10), |_| 0).unwrap().retransmit);
    // A close during the handshake waits for its end.
    tcb.close();
    let ack = SegmentIn { seq: IRS + 1, ack: ISS + 1, flags: Flags::ACK, ..syn };
    assert!(tcb.segment_arrives(Instant(20), &ack).established);
    assert_eq!(tcb.state(), State::FinWait1);
    assert_eq!(tcb.poll_transmit(Instant(20), |_| 0).unwrap().flags, FIN_ACK);
}

/// RFC 9293 Section 3.5, Figure 7.
#[test]
fn simultaneous_open() {
    let mut a = Tcb::connect(plain(), SeqNumber(100), 1000, Instant(0));
    let mut b = Tcb::connect(plain(), SeqNumber(300), 1000, Instant(0));
    let cross = |out: baton_tcp::SegmentOut| SegmentIn {
        seq: out.seq,
        ack: out.ack,
        flags: out.flags,
        window: out.window,
        options: out.options,
        ..SegmentIn::default()
    };
    for _ in 0..3 {
        let (x, y) = (a.poll_transmit(Instant(0), |_| 0), b.poll_transmit(Instant(0), |_| 0));
        for (to, from) in [(&mut a, y), (&mut b, x)] {
            if let Some(out) = from {
                let _ = to.segment_arrives(Instant(0), &cross(out));
            }
        }
    }
    assert_eq!((a.state(), b.state()), (State::Established, State::Established));
}

/// RFC 9293 Section 3.6, Figure 12, our side first; then 2 MSL.
#[test]
fn active_close() {
    let mut s = Script::established(plain(), 10_000);
    s.send(10);
    s.tcb.close();
    assert_eq!(s.tcb.send_enqueued(1), 0);
    let out = s.sent().unwrap();
    assert_eq!((out.data_len, out.flags), (10, FIN_ACK | Flags::PSH));
    assert_eq!(s.ack(0, 11).acked, 10);
    assert_eq!(s.tcb.state(), State::FinWait2);
    let a = s.recv(FIN_ACK, 0, 5, 11);
    assert_eq!((a.advanced, a.peer_closed), (5, true));
    assert_eq!(s.sent_ack().0, 6);
    assert_eq!(s.tcb.state(), State::TimeWait);
    // The FIN again restarts the wait.
    s.wait(30_000_000);
    let _ = s.recv(FIN_ACK, 0, 5, 11);
    assert_eq!(s.sent_ack().0, 6);
    assert_eq!(s.timer(), (60_000_000, TimerOutcome::Closed));
    assert_eq!(s.tcb.state(), State::Closed);
}

#[test]
fn passive_close() {
    let mut s = Script::established(plain(), 10_000);
    assert!(s.recv(FIN_ACK, 0, 0, 0).peer_closed);
    assert_eq!((s.tcb.state(), s.sent_ack().0), (State::CloseWait, 1));
    s.send(5);
    assert_eq!(s.sent_data(), [(0, 5)]);
    s.tcb.close();
    assert_eq!(s.sent().unwrap().flags, FIN_ACK);
    assert_eq!(s.tcb.state(), State::LastAck);
    // The FIN is lost with its data.
    assert_eq!(s.timer().1, TimerOutcome::Transmit);
    let out = s.sent().unwrap();
    assert!(out.retransmit && out.flags.has(Flags::FIN) && out.data_len == 5);
    let a = s.ack(1, 6);
    assert_eq!((a.acked, a.closed), (5, true));
    assert_eq!(s.tcb.poll_at(), None);
}

#[test]
fn simultaneous_close() {
    let mut s = Script::established(plain(), 10_000);
    s.tcb.close();
    assert_eq!(s.sent().unwrap().flags, FIN_ACK);
    assert!(s.recv(FIN_ACK, 0, 0, 0).peer_closed);
    assert_eq!((s.tcb.state(), s.sent_ack().0), (State::Closing, 1));
    let _ = s.ack(1, 1);
    assert_eq!(s.tcb.state(), State::TimeWait);
}

#[test]
fn a_fin_beyond_a_gap_is_remembered() {
    let mut s = Script::established(plain(), 10_000);
    let a = s.recv(FIN_ACK, 100, 50, 0);
    assert!(!a.peer_closed);
    let _ = s.sent_ack();
    // Data behind the FIN is not of this stream.
    assert_eq!(s.data(150, 10, 0).deliver, None);
    let _ = s.sent_ack();
    let a = s.data(0, 100, 0);
    assert_eq!((a.advanced, a.peer_closed), (150, true));
    assert_eq!(s.sent_ack().0, 151);
}

/// RFC 9293 Section 3.10.5.
#[test]
fn abort_sends_one_reset() {
    let mut s = Script::established(plain(), 10_000);
    s.send(10);
    assert_eq!(s.sent_data(), [(0, 10)]);
    s.tcb.abort();
    let rst = s.sent().unwrap();
    assert!(rst.flags.has(RST) && rst.seq == ISS + 11);
    s.quiet();
    assert!(s.ack(0, 0).reply_reset);
}

/// RFC 9293 Section 3.8.6.3 and RFC 5681 Section 4.2.
#[test]
fn acknowledgements_wait_for_a_second_segment() {
    let mut s = Script::established(plain(), 50_000);
    assert_eq!(s.data(0, 1000, 0).advanced, 1000);
    s.quiet();
    assert_eq!(s.timer(), (40_000, TimerOutcome::Transmit));
    assert_eq!(s.sent_ack().0, 1000);
    let _ = s.data(1000, 1000, 0);
    s.quiet();
    let _ = s.data(2000, 1000, 0);
    assert_eq!(s.sent_ack().0, 3000);
    assert_eq!(s.tcb.poll_at(), None);
    // What was received before is acknowledged at once.
    assert_eq!(s.data(1000, 1000, 0).deliver, None);
    assert_eq!(s.sent_ack().0, 3000);
    // Half old, half new.
    let a = s.data(2500, 1000, 0);
    assert_eq!(a.deliver.map(|d| (d.payload_offset, d.len, d.stream_offset)), Some((500, 500, 0)));
    // Data of our own carries the acknowledgement.
    s.send(1);
    assert_eq!(s.sent().unwrap().ack, IRS + 1 + 3500);
    assert_eq!(s.timer().0, 1_000_000);
}

/// RFC 9293 Section 3.8.6.2.2: the window opens in useful steps.
#[test]
fn the_window_opens_in_steps() {
    let mut s = Script::established(plain(), 2000);
    let _ = s.data(0, 1000, 0);
    let _ = s.data(1000, 1000, 0);
    assert_eq!(s.sent_ack().1.window, 0);
    s.tcb.receive_space_added(300);
    s.quiet();
    // A probe while there is some room: better little than nothing.
    s.window = 500;
    let _ = s.data(2000, 1, 0);
    let (ack, out) = s.sent_ack();
    assert_eq!((ack, out.window), (2001, 299));
    s.tcb.receive_space_added(900);
    s.quiet();
    s.tcb.receive_space_added(900);
    assert_eq!(s.sent_ack().1.window, 2099);
    // Beyond the buffer nothing is taken.
    let a = s.data(2001 + 2000, 1000, 0);
    assert_eq!(a.deliver.map(|d| (d.stream_offset, d.len)), Some((2000, 99)));
}

/// RFC 5961 Section 3.2.
#[test]
fn resets_must_be_exact() {
    let mut s = Script::established(plain(), 10_000);
    assert!(s.recv(RST, -1, 0, 0).dropped);
    s.quiet();
    assert!(s.recv(RST, 10_001, 0, 0).dropped);
    s.quiet();
    assert!(s.recv(RST, 1, 0, 0).dropped);
    assert_eq!(s.sent_ack().0, 0);
    // The rate of challenges is limited.
    assert!(s.recv(RST, 1, 0, 0).dropped);
    s.quiet();
    assert!(s.recv(RST, 0, 0, 0).reset);
    assert_eq!(s.tcb.state(), State::Closed);
}

/// RFC 5961 Sections 4.2 and 5.2.
#[test]
fn blind_segments_are_challenged() {
    let mut s = Script::established(Config { challenge_us: 0, ..plain() }, 10_000);
    assert!(s.recv(Flags::SYN, 5, 0, 0).dropped);
    assert_eq!(s.sent_ack().0, 0);
    // Acknowledges what was never sent, or long ago; its data does not count.
    for ack in [1, -60_001] {
        let a = s.data(0, 10, ack);
        assert!(a.dropped && a.deliver.is_none());
        assert_eq!(s.sent_ack().0, 0);
    }
    assert_eq!(s.data(0, 10, -100).advanced, 10);
}

/// RFC 7323 Section 5.
#[test]
fn old_timestamps_are_old_segments() {
    let mut s = Script::established(Config { timestamps: true, ..plain() }, 10_000);
    s.options.timestamps = Some((100, 0));
    assert_eq!(s.data(0, 10, 0).advanced, 10);
    s.options.timestamps = Some((99, 0));
    assert!(s.data(10, 10, 0).dropped);
    assert_eq!(s.sent_ack().1.options.timestamps.map(|t| t.1), Some(100));
    s.options.timestamps = None;
    assert!(s.data(10, 10, 0).dropped);
    s.quiet();
    s.options.timestamps = Some((100, 0));
    assert_eq!(s.data(10, 10, 0).advanced, 10);
}

/// RFC 9293 Section 3.8.4.
#[test]
fn an_idle_peer_is_probed() {
    let config = Config { keepalive_us: 10_000_000, max_retransmits: 2, ..plain() };
    let mut s = Script::established(config, 10_000);
    s.wait(5_000_000);
    let _ = s.ack(0, 0);
    assert_eq!(s.timer(), (10_000_000, TimerOutcome::Transmit));
    assert_eq!(s.sent().unwrap().seq, ISS);
    let _ = s.ack(0, 0);
    for _ in 0..2 {
        assert_eq!(s.timer(), (10_000_000, TimerOutcome::Transmit));
        assert_eq!(s.sent().unwrap().seq, ISS);
        s.quiet();
    }
    assert_eq!(s.timer().1, TimerOutcome::TimedOut);
}

/// A limit on FIN-WAIT-2, which anything from the peer starts anew.
#[test]
fn a_silent_peer_in_fin_wait_2_is_given_up() {
    for handed_over in [false, true] {
        let limited = Config { fin_wait_2_us: 5_000_000, ..plain() };
        let mut s = Script::established(if handed_over { plain() } else { limited }, 10_000);
        s.tcb.close();
        assert_eq!(s.sent().unwrap().flags, FIN_ACK);
        let _ = s.ack(0, 1);
        assert_eq!(s.tcb.state(), State::FinWait2);
        if handed_over {
            // The exporter would have waited for ever.
            assert_eq!(s.tcb.poll_at(), None);
            s.tcb = Tcb::import(&s.tcb.export(s.now), 0, s.tcb.receive_space(), limited, s.now).unwrap();
        }
        s.wait(4_000_000);
        assert_eq!(s.data(0, 2000, 1).advanced, 2000);
        assert_eq!(s.sent_ack().0, 2000);
        assert_eq!(s.timer(), (5_000_000, TimerOutcome::TimedOut));
        assert_eq!(s.tcb.state(), State::Closed);
        s.quiet();
    }
}

/// The deviations of `arrives.rs`: text on a SYN is not kept, so the peer sends it again.
#[test]
fn text_on_a_syn_comes_again() {
    let syn = SegmentIn { seq: IRS, flags: Flags::SYN, window: 500, payload_len: 10, ..SegmentIn::default() };
    let mut tcb = Tcb::accept(plain(), &syn, ISS, 10_000, Instant(0));
    assert_eq!(tcb.poll_transmit(Instant(0), |_| 0).unwrap().ack, IRS + 1);
    let ack = SegmentIn { seq: IRS + 1, ack: ISS + 1, flags: Flags::ACK, ..syn };
    let arrival = tcb.segment_arrives(Instant(20), &ack);
    assert_eq!((arrival.established, arrival.advanced), (true, 10));
}

/// The deviations of `arrives.rs`: TS.Recent does not expire, so a peer that was silent for half the circle of its
/// clock is taken for an old duplicate.
#[test]
fn an_old_ts_recent_still_counts() {
    let mut s = Script::established(Config { timestamps: true, ..plain() }, 10_000);
    s.options.timestamps = Some((100, 0));
    assert_eq!(s.data(0, 10, 0).advanced, 10);
    s.options.timestamps = Some((100 + (1 << 31), 0));
    assert!(s.data(10, 10, 0).dropped);
    s.options.timestamps = Some((99 + (1 << 31), 0));
    assert_eq!(s.data(10, 10, 0).advanced, 10);
}

//! Scripts: retransmission, congestion control, SACK.

mod script;

use baton_tcp::{Config, Flags, TimerOutcome};
use script::{plain, with_sack, Script};

/// RFC 6298 Section 5: the timeout doubles, and one segment is sent; the rest follows in slow start.
#[test]
fn timeout_backs_off_and_goes_back() {
    let mut s = Script::established(plain(), 10_000);
    s.send(4000);
    assert_eq!(s.sent_data(), [(0, 1000), (1000, 1000), (2000, 1000), (3000, 1000)]);
    for n in 0..3 {
        assert_eq!(s.timer(), (1_000_000 << n, TimerOutcome::Transmit));
        assert_eq!(s.sent_data(), [(0, 1000)]);
        assert_eq!(s.tcb.cwnd(), 1000);
    }
    assert_eq!(s.tcb.ssthresh(), 2000);
    // Karn: no sample from what was sent twice, the backoff stays.
    assert_eq!(s.ack(0, 1000).acked, 1000);
    assert_eq!(s.sent_data(), [(1000, 1000), (2000, 1000)]);
    assert_eq!(s.timer().0, 8_000_000);
    assert_eq!(s.sent_data(), [(1000, 1000)]);
    assert_eq!(s.ack(0, 4000).acked, 3000);
    s.quiet();
    // New data gives a sample, which ends the backoff.
    s.send(100);
    assert_eq!(s.sent_data(), [(4000, 100)]);
    s.wait(10_000);
    assert_eq!(s.ack(0, 4100).acked, 100);
    s.send(100);
    assert_eq!(s.sent_data(), [(4100, 100)]);
    assert_eq!(s.timer().0, 1_000_000);
}

#[test]
fn too_many_timeouts_end_the_connection() {
    let mut s = Script::established(Config { max_retransmits: 3, ..plain() }, 10_000);
    s.send(1);
    for _ in 0..3 {
        assert_eq!(s.sent_data().len(), 1);
        assert_eq!(s.timer().1, TimerOutcome::Transmit);
    }
    assert_eq!(s.sent_data().len(), 1);
    assert_eq!(s.timer().1, TimerOutcome::TimedOut);
    s.quiet();
    assert_eq!(s.tcb.poll_at(), None);
}

/// RFC 5681 Section 3.2 with RFC 3042, then RFC 6582 Section 3.2: partial and full acknowledgement.
#[test]
fn newreno_sends_one_hole_per_round_trip() {
    let mut s = Script::established(plain(), 10_000);
    s.send(20_000);
    assert_eq!(s.sent_data().len(), 10);
    // Segments 0 and 4 are lost. Limited transmit lets two new ones go.
    let _ = s.ack(0, 0);
    assert_eq!(s.sent_data(), [(10_000, 1000)]);
    let _ = s.ack(0, 0);
    assert_eq!(s.sent_data(), [(11_000, 1000)]);
    let _ = s.ack(0, 0);
    assert_eq!(s.sent_data(), [(0, 1000)]);
    assert_eq!(s.tcb.ssthresh(), 6000);
    assert_eq!(s.tcb.cwnd(), 9000);
    // Each further duplicate inflates; from the fourth on the window lets new data go.
    for _ in 0..3 {
        let _ = s.ack(0, 0);
        s.quiet();
    }
    let _ = s.ack(0, 0);
    assert_eq!(s.sent_data(), [(12_000, 1000)]);
    // Partial: the next hole at once.
    assert_eq!(s.ack(0, 4000).acked, 4000);
    assert_eq!(s.sent_data()[0], (4000, 1000));
    // Full.
    let _ = s.ack(0, 12_000);
    assert!(s.tcb.cwnd() <= 6000);
    // Duplicates for the same window do not start another recovery.
    let _ = s.sent_data();
    let before = s.tcb.ssthresh();
    for _ in 0..5 {
        let _ = s.ack(0, 12_000);
        assert!(s.sent_data().iter().all(|(seq, _)| *seq > 12_000));
    }
    assert_eq!(s.tcb.ssthresh(), before);
}

/// RFC 6675: only what is missing is sent again, paced by the pipe.
#[test]
fn sack_sends_the_holes_only() {
    let mut s = Script::established(with_sack(), 10_000);
    s.send(10_000);
    assert_eq!(s.sent_data().len(), 10);
    // 1000..2000 and 3000..4000 are lost.
    assert_eq!(s.ack(0, 1000).acked, 1000);
    let _ = s.sack(1000, &[(2000, 3000)]);
    let _ = s.sack(1000, &[(4000, 5000), (2000, 3000)]);
    s.quiet();
    let _ = s.sack(1000, &[(4000, 6000), (2000, 3000)]);
    assert_eq!(s.sent_data(), [(1000, 1000)]);
    let _ = s.sack(1000, &[(4000, 7000), (2000, 3000)]);
    let _ = s.sack(1000, &[(4000, 8000), (2000, 3000)]);
    let _ = s.sack(1000, &[(4000, 10_000), (2000, 3000)]);
    assert_eq!(s.sent_data(), [(3000, 1000)]);
    assert_eq!(s.ack(0, 3000).acked, 2000);
    s.quiet();
    assert_eq!(s.ack(0, 10_000).acked, 7000);
    s.quiet();
    assert_eq!(s.tcb.in_flight(), 0);
}

/// RFC 2018 Section 4: the most recent block first; RFC 5681 Section 4.2: at once.
#[test]
fn gaps_are_reported() {
    let mut s = Script::established(with_sack(), 20_000);
    let block = |out: &baton_tcp::SegmentOut, i: usize| {
        let b = out.options.sack_blocks()[i];
        (b.start.since(script::IRS + 1), b.end.since(script::IRS + 1))
    };
    let a = s.data(2000, 1000, 0);
    assert_eq!(a.deliver.map(|d| (d.stream_offset, d.len)), Some((2000, 1000)));
    assert_eq!(a.advanced, 0);
    let (ack, out) = s.sent_ack();
    assert_eq!((ack, block(&out, 0)), (0, (2000, 3000)));
    let _ = s.data(6000, 1000, 0);
    let (_, out) = s.sent_ack();
    assert_eq!((block(&out, 0), block(&out, 1)), ((6000, 7000), (2000, 3000)));
    let _ = s.data(3000, 500, 0);
    let (_, out) = s.sent_ack();
    assert_eq!((block(&out, 0), block(&out, 1)), ((2000, 3500), (6000, 7000)));
    // Two more gaps fill the list; a fifth range is not taken.
    let _ = s.data(8000, 100, 0);
    let _ = s.data(9000, 100, 0);
    let fifth = s.data(10_000, 100, 0);
    assert_eq!(fifth.deliver, None);
    let _ = s.sent_ack();
    // The hole is filled, over two ranges.
    let a = s.data(0, 6000, 0);
    assert_eq!(a.advanced, 7000);
    assert_eq!(s.sent_ack().0, 7000);
}

/// RFC 9293 Section 3.8.6.1: a closed window is probed with backoff, for ever if the peer answers.
#[test]
fn closed_windows_are_probed() {
    let mut s = Script::established(Config { max_retransmits: 4, ..plain() }, 10_000);
    s.send(3000);
    assert_eq!(s.sent_data().len(), 3);
    s.window = 0;
    let _ = s.ack(0, 3000);
    s.send(500);
    s.quiet();
    for n in 0..10 {
        let (us, outcome) = s.timer();
        assert_eq!((us, outcome), ((1_000_000u32 << n).min(60_000_000), TimerOutcome::Transmit));
        let probe = s.sent().unwrap();
        assert_eq!((probe.seq.since(script::ISS + 1), probe.data_len), (2999, 0));
        s.quiet();
        let _ = s.ack(0, 3000);
        s.quiet();
    }
    // Too small for a segment, but all that there is.
    s.window = 600;
    let _ = s.ack(0, 3000);
    assert_eq!(s.sent_data(), [(3000, 500)]);
}

/// RFC 9293 Section 3.8.6.2.1: a sliver of window is left alone until the override timeout.
#[test]
fn slivers_of_window_wait() {
    let mut s = Script::established(plain(), 10_000);
    s.window = 100;
    let _ = s.ack(0, 0);
    s.send(5000);
    s.quiet();
    assert_eq!(s.timer(), (1_000_000, TimerOutcome::Transmit));
    assert_eq!(s.sent_data(), [(0, 100)]);
}

/// RFC 9293 Section 3.7.4.
#[test]
fn nagle_gathers_small_writes() {
    let mut s = Script::established(Config { nagle: true, ..plain() }, 10_000);
    s.send(10);
    assert_eq!(s.sent_data(), [(0, 10)]);
    s.send(10);
    s.send(10);
    s.quiet();
    s.send(1000);
    assert_eq!(s.sent_data(), [(10, 1000)]);
    let _ = s.ack(0, 10);
    s.quiet();
    let _ = s.ack(0, 1010);
    assert_eq!(s.sent_data(), [(1010, 20)]);
}

/// Where memory ends, a segment ends.
#[test]
fn segments_end_with_their_span() {
    let mut s = Script::established(plain(), 10_000);
    s.send(3000);
    let mut list = Vec::new();
    while let Some(out) =
        s.tcb.poll_transmit(s.now, |offset| if offset < 1500 { 1500 - offset } else { 9999 })
    {
        list.push((out.data_offset, out.data_len));
    }
    assert_eq!(list, [(0, 1000), (1000, 500), (1500, 1000), (2500, 500)]);
}

/// What an interface refuses was not sent: it goes with the next acknowledgement, in slow start.
#[test]
fn refused_text_goes_with_the_next_acknowledgement() {
    let mut s = Script::established(plain(), 10_000);
    s.send(5000);
    assert_eq!(s.send_upto(2), [(0, 1000), (1000, 1000)]);
    s.refuse();
    assert_eq!((s.tcb.cwnd(), s.tcb.unsent()), (1000, 3000));
    let _ = s.ack(0, 2000);
    assert_eq!(s.sent_data(), [(2000, 1000), (3000, 1000)]);
    let _ = s.ack(0, 4000);
    assert_eq!(s.sent_data(), [(4000, 1000)]);
}

/// With nothing in flight, refused text waits for a timeout, which doubles.
#[test]
fn refused_text_alone_waits_for_the_timer() {
    let mut s = Script::established(plain(), 10_000);
    s.send(1000);
    s.tcb.close();
    for n in 0..3 {
        s.refuse();
        assert_eq!((s.tcb.unsent(), s.tcb.snd_nxt()), (1000, script::ISS + 1));
        assert_eq!(s.timer(), (1_000_000 << n, TimerOutcome::Transmit));
    }
    let out = s.sent().expect("text and FIN");
    assert!(out.flags.has(Flags::FIN) && out.data_len == 1000 && !out.retransmit, "{out:?}");
    assert_eq!(s.ack(0, 1001).acked, 1000);
    s.quiet();
}

/// The round trip is that of the segment which went out, without its wait.
#[test]
fn refused_text_is_not_measured() {
    let mut s = Script::established(Config { min_rto_us: 1000, ..plain() }, 10_000);
    s.send(1000);
    s.refuse();
    // The handshake took 10 ms: RFC 6298 Section 2.2.
    assert_eq!(s.timer().0, 30_000);
    assert_eq!(s.sent_data(), [(0, 1000)]);
    s.wait(10_000);
    assert_eq!(s.ack(0, 1000).acked, 1000);
    s.send(1000);
    assert_eq!(s.sent_data(), [(1000, 1000)]);
    // Section 2.3: the variation has a quarter less.
    assert_eq!(s.timer().0, 25_000);
}

/// A retransmission and an acknowledgement that are refused: the timer and the next segment bring them.
#[test]
fn what_else_is_refused_comes_again() {
    let mut s = Script::established(plain(), 10_000);
    s.send(1000);
    assert_eq!(s.sent_data(), [(0, 1000)]);
    let first = s.timer();
    assert_eq!(first, (1_000_000, TimerOutcome::Transmit));
    s.refuse();
    assert_eq!(s.tcb.unsent(), 0);
    assert_eq!(s.timer(), (2_000_000, TimerOutcome::Transmit));
    assert_eq!(s.sent_data(), [(0, 1000)]);
    let _ = s.ack(0, 1000);
    // Two full segments are acknowledged at once.
    let _ = s.data(0, 1000, 1000);
    let _ = s.data(1000, 1000, 1000);
    s.refuse();
    assert_eq!(s.sent().expect("the acknowledgement").ack, script::IRS + 2001);
}

/// RFC 1191 Section 6.4: a narrower path costs no window, and what was outstanding goes again in smaller segments.
#[test]
fn a_narrower_path_is_not_congestion() {
    let mut s = Script::established(with_sack(), 10_000);
    s.send(6000);
    assert_eq!(s.sent_data().len(), 6);
    let before = s.tcb.cwnd();
    // RFC 5927 Section 4.1: about something that is not outstanding; and nothing new.
    assert!(!s.tcb.lower_mss(500, script::ISS + 6001));
    assert!(!s.tcb.lower_mss(1000, script::ISS + 1));
    s.quiet();
    assert!(s.tcb.lower_mss(500, script::ISS + 1001));
    assert_eq!(s.sent_data(), [(0, 500)]);
    assert_eq!((s.tcb.cwnd(), s.tcb.ssthresh(), s.tcb.mss()), (500, before, 500));
    let _ = s.ack(0, 500);
    assert_eq!(s.sent_data(), [(500, 500), (1000, 500)]);
    let _ = s.ack(0, 6000);
    s.send(700);
    assert_eq!(s.sent_data(), [(6000, 500), (6500, 200)]);
}

/// RFC 9438 Section 4.6: 0.7 of what was outstanding, and three duplicates as for NewReno.
#[test]
fn cubic_keeps_more_at_a_loss() {
    let config = Config { congestion: baton_tcp::CongestionAlgorithm::Cubic, ..with_sack() };
    let mut s = Script::established(config, 10_000);
    s.send(20_000);
    assert_eq!(s.sent_data().len(), 10);
    for end in [2000, 3000, 4000] {
        let _ = s.sack(0, &[(1000, end)]);
        let _ = s.sent_data();
    }
    assert_eq!((s.tcb.ssthresh(), s.tcb.cwnd()), (8400, 8400));
    assert_eq!(s.tcb.congestion(), baton_tcp::CongestionAlgorithm::Cubic);
}

/// RFC 7661 Section 4.3: a window that is not used does not grow.
#[test]
fn an_unused_window_does_not_grow() {
    let mut s = Script::established(plain(), 10_000);
    for n in 0..50 {
        s.send(1000);
        assert_eq!(s.sent_data(), [(n * 1000, 1000)]);
        let _ = s.ack(0, n as i32 * 1000 + 1000);
    }
    assert_eq!(s.tcb.cwnd(), 10_000);
}

//! The arithmetic against floating point, and windows over time against RFC 9438's own formulas.

use super::*;
use proptest::prelude::*;

const TICK: f64 = 1.024e-3;

/// RFC 9438 in floating point: C (t - K)^3 + W_max in segments.
fn w_cubic(t: f64, k: f64, w_max: f64) -> f64 {
    0.4 * (t - k).powi(3) + w_max
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_curve_is_the_rfcs(ticks in 0..=TICKS_MAX, smss in 52u32..=9000) {
        let exact = 0.4 * (f64::from(ticks) * TICK).powi(3) * f64::from(smss);
        let error = (f64::from(cubic_bytes(ticks, smss)) - exact).abs();
        prop_assert!(error <= 2.0 + exact * 5e-6, "{ticks} ticks of {smss}: off by {error} of {exact}");
    }

    #[test]
    fn k_is_the_cube_root(deficit in 1u32..1 << 30, smss in 52u32..=9000) {
        let exact = (f64::from(deficit) / f64::from(smss) / 0.4).cbrt() / TICK;
        let k = f64::from(ticks_to_gain(deficit, smss));
        prop_assert!(k <= exact * 1.00001 && k >= exact * 0.998 - 2.0, "{deficit} bytes of {smss}: {k}, not {exact}");
    }

    #[test]
    fn roots_are_roots(x in any::<u64>(), shift in 0u32..64) {
        let x = x >> shift;
        let (exact, root) = ((x as f64).cbrt(), f64::from(cube_root(x)));
        prop_assert!(root <= exact * 1.000001 && root >= exact * (1.0 - 1.0 / 800.0) - 1.0, "{x}: {root}, not {exact}");
    }

    #[test]
    fn shares_are_shares(what in 1u32..1 << 30, part in 1u32..=ACKED_MAX, whole in 64u32..=1 << 30) {
        let exact = f64::from(what) * f64::from(part) / f64::from(whole) / 65536.0;
        prop_assume!(exact < 4e9);
        let got = f64::from(share(what, part, whole));
        let least = exact * (1.0 - f64::from(whole) / 2f64.powi(31)) - 1.0;
        prop_assert!(got <= exact && got >= least, "{got}, not {exact}");
    }
}

/// A flow that always fills its window, acknowledged segment by segment, `rtt_ticks` later. Gives the window in segments
/// after each round trip.
fn grow(
    cubic: &mut Congestion,
    cwnd: &mut u32,
    ssthresh: u32,
    tick: &mut u32,
    rtt_ticks: u32,
    rounds: u32,
) -> Vec<f64> {
    let smss = 1000;
    let mut windows = Vec::new();
    for _ in 0..rounds {
        let acks = *cwnd / smss;
        for ack in 0..acks {
            let now = tick.wrapping_add(rtt_ticks * ack / acks);
            let window = Window { cwnd: *cwnd, ssthresh, smss, srtt_us8: rtt_ticks << 13, tick: now };
            *cwnd = cubic.avoid(&window, smss);
        }
        *tick = tick.wrapping_add(rtt_ticks);
        windows.push(f64::from(*cwnd) / f64::from(smss));
    }
    windows
}

fn window(cwnd: u32) -> Window {
    Window { cwnd, ssthresh: 1 << 30, smss: 1000, srtt_us8: 0, tick: 0 }
}

/// Section 4.4 and 4.5: over a long path the window goes back to W_max along the concave part, rests there, and leaves
/// it along the convex one.
#[test]
fn long_paths_follow_the_curve() {
    for rtt_ticks in [100, 200] {
        let mut cubic = Congestion::new(CongestionAlgorithm::Cubic);
        let ssthresh = cubic.reduce(&window(1_000_000), 1_000_000);
        assert_eq!((ssthresh, cubic.w_max), (700_000, 1000));
        let (mut cwnd, mut tick) = (ssthresh, 0xFFFF_F000u32);
        let rtt = f64::from(rtt_ticks) * TICK;
        let k = (300.0f64 / 0.4).cbrt();
        let rounds = (2.0 * k / rtt) as u32;
        for (n, w) in
            grow(&mut cubic, &mut cwnd, ssthresh, &mut tick, rtt_ticks, rounds).into_iter().enumerate()
        {
            let t = (n as f64 + 1.0) * rtt;
            let exact = w_cubic(t, k, 1000.0);
            // A window lags its target by up to a round trip and an update.
            let lag = w_cubic(t - rtt - 0.07, k, 1000.0).min(exact);
            assert!(
                w <= exact * 1.02 && w >= lag * 0.98,
                "{t:.2} s: {w:.1} segments, between {lag:.1} and {exact:.1}"
            );
        }
    }
}

/// Section 4.3: over a short path the window grows as Reno's with alpha, and as Reno's beyond cwnd_prior.
#[test]
fn short_paths_are_fair_to_reno() {
    let mut cubic = Congestion::new(CongestionAlgorithm::Cubic);
    let ssthresh = cubic.reduce(&window(40_000), 40_000);
    let (mut cwnd, mut tick) = (ssthresh, 7);
    let windows = grow(&mut cubic, &mut cwnd, ssthresh, &mut tick, 2, 60);
    let per_round = (windows[19] - windows[4]) / 15.0;
    assert!(
        (0.40..0.60).contains(&per_round),
        "{per_round} segments a round trip below cwnd_prior: {windows:?}"
    );
    let per_round = (windows[59] - windows[44]) / 15.0;
    assert!(
        (0.80..1.1).contains(&per_round),
        "{per_round} segments a round trip above cwnd_prior: {windows:?}"
    );
}

/// Section 4.7.
#[test]
fn a_second_loss_below_w_max_leaves_room() {
    let mut cubic = Congestion::new(CongestionAlgorithm::Cubic);
    let _ = cubic.reduce(&window(100_000), 100_000);
    assert_eq!(cubic.w_max, 100);
    let _ = cubic.reduce(&window(80_000), 80_000);
    assert_eq!(cubic.w_max, 68);
    let _ = cubic.reduce(&window(90_000), 90_000);
    assert_eq!(cubic.w_max, 90);
}

/// Section 4.8: after a timeout the curve starts at the window where congestion avoidance begins.
#[test]
fn a_timeout_forgets_w_max() {
    let mut cubic = Congestion::new(CongestionAlgorithm::Cubic);
    let _ = cubic.reduce(&window(100_000), 100_000);
    cubic.timed_out();
    assert_eq!(cubic.avoid(&Window { tick: 500, ..window(30_000) }, 1000), 30_000);
    assert_eq!((cubic.w_max, cubic.origin, cubic.w_est), (30, 500, 30_000));
}

/// Section 5.8: an hour without use of the window adds nothing to it.
#[test]
fn unused_time_does_not_count() {
    let mut cubic = Congestion::new(CongestionAlgorithm::Cubic);
    let ssthresh = cubic.reduce(&window(100_000), 100_000);
    let (mut cwnd, mut tick) = (ssthresh, 0);
    let _ = grow(&mut cubic, &mut cwnd, ssthresh, &mut tick, 100, 3);
    cubic.unused();
    tick += 3_500_000;
    let before = cwnd;
    let windows = grow(&mut cubic, &mut cwnd, ssthresh, &mut tick, 100, 1);
    assert!(windows[0] * 1000.0 < f64::from(before) * 1.1, "{before} bytes became {windows:?} segments");
}

/// Section 4.2: at most half a window more in a round trip, whatever the curve says.
#[test]
fn growth_is_bounded() {
    let mut cubic = Congestion::new(CongestionAlgorithm::Cubic);
    let (mut cwnd, mut tick) = (10_000, 0);
    let _ = grow(&mut cubic, &mut cwnd, 10_000, &mut tick, 10, 1);
    tick += 2_000_000;
    let mut before = f64::from(cwnd) / 1000.0;
    for w in grow(&mut cubic, &mut cwnd, 10_000, &mut tick, 10, 12) {
        assert!(w <= before * 1.5 + 1.0, "{before} became {w}");
        before = w;
    }
}

/// The deviation in the module's header: a curve longer than 32 s aims lower, and takes no longer.
#[test]
fn the_longest_curve_aims_lower() {
    let mut cubic = Congestion::new(CongestionAlgorithm::Cubic);
    let _ = cubic.reduce(&window(60_000_000), 60_000_000);
    assert_eq!(cubic.w_max, 60_000);
    let _ = cubic.avoid(&Window { tick: 9, ..window(10_000_000) }, 1000);
    assert_eq!(u32::from(cubic.origin), 9 + TICKS_MAX);
    let exact = 10_000.0 + 0.4 * (f64::from(TICKS_MAX) * TICK).powi(3);
    assert!((f64::from(cubic.w_max) - exact).abs() <= 1.0, "{} segments, not {exact}", cubic.w_max);
    // The window starts where it is, not above.
    assert!(cubic.at(9, 1000).abs_diff(10_000_000) <= 2000);
}

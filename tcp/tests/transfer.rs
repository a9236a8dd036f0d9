//! Two engines over a bad wire deliver exactly what was written, handed over as often as it pleases.

mod sim;

use baton_tcp::{Config, CongestionAlgorithm};
use proptest::prelude::*;
use sim::{App, Setup, Sim, WireFaults};

/// Simulated time that no transfer needs.
const LIMIT_US: u64 = 100_000_000_000;

#[test]
fn a_clean_wire_needs_no_retransmission() {
    let mut setup = Setup::new(1);
    setup.app[0].write = 300_000;
    setup.app[1].write = 300_000;
    let mut sim = Sim::new(&setup);
    sim.run(LIMIT_US);
    assert_eq!(sim.hosts[0].retransmitted + sim.hosts[1].retransmitted, 0);
}

/// Goodput in kB/s of 2 MB over 20 ms of round trip, by loss and way of recovery: what a change costs shows here.
#[test]
fn goodput_survives_loss() {
    let mut table = Vec::new();
    let ways = [
        (false, CongestionAlgorithm::NewReno),
        (true, CongestionAlgorithm::NewReno),
        (true, CongestionAlgorithm::Cubic),
    ];
    for (sack, congestion) in ways {
        for loss_per_mille in [0, 2, 10, 50] {
            let mut setup = Setup::new(7);
            for config in &mut setup.config {
                config.sack = sack;
                config.congestion = congestion;
                config.min_rto_us = 200_000;
            }
            setup.faults = WireFaults { loss_per_mille, delay_us: 10_000, ..WireFaults::default() };
            let buffer =
                App { send_buffer: 200_000, receive_buffer: 200_000, piece: 100_000, ..App::default() };
            setup.app = [App { write: 2_000_000, ..buffer }, buffer];
            let mut sim = Sim::new(&setup);
            sim.run(LIMIT_US);
            // What follows the last text is waiting.
            let sent = sim.trace.iter().rev().find(|(.., out)| out.data_len > 0);
            table.push(2_000_000_000 / sent.expect("text was sent").0);
        }
    }
    eprintln!("goodput at 0, 0.2, 1 and 5 % loss, NewReno, SACK, CUBIC with SACK: {table:?}");
    let least = [2500, 1000, 500, 150].into_iter().cycle();
    for (goodput, least) in table.iter().zip(least) {
        assert!(*goodput > least, "{table:?}");
    }
}

fn any_config() -> impl Strategy<Value = Config> {
    let flags = any::<(bool, bool, bool, bool)>();
    (flags, 64u16..3000, 0u8..=14, 1u8..12, 1000u32..1_000_000, 0u32..200_000).prop_map(
        |(
            (nagle, sack, timestamps, cubic),
            mss,
            window_shift,
            initial_window,
            min_rto_us,
            delayed_ack_us,
        )| Config {
            nagle,
            congestion: if cubic { CongestionAlgorithm::Cubic } else { CongestionAlgorithm::NewReno },
            sack,
            timestamps,
            mss,
            window_shift,
            initial_window,
            min_rto_us,
            delayed_ack_us,
            max_retransmits: 100,
            max_rto_us: 3_000_000,
            // Long enough that the last acknowledgement gets through.
            time_wait_us: 240_000_000,
            // Not carried over by a handoff, so that traces could differ.
            challenge_us: 0,
            ..Config::default()
        },
    )
}

fn any_app() -> impl Strategy<Value = App> {
    (0u32..60_000, 1u32..40_000, 1u32..60_000, 1u32..8000, prop_oneof![Just(0u32), 0u32..300_000]).prop_map(
        |(write, send_buffer, receive_buffer, piece, read_pause_us)| App {
            write,
            send_buffer,
            receive_buffer,
            piece,
            read_pause_us,
        },
    )
}

fn any_faults() -> impl Strategy<Value = WireFaults> {
    (0u32..250, 0u32..200, 0u32..50, 0u32..50_000, prop_oneof![Just(0u32), 0u32..30_000]).prop_map(
        |(loss_per_mille, duplicate_per_mille, corrupt_per_mille, delay_us, jitter_us)| WireFaults {
            loss_per_mille,
            duplicate_per_mille,
            corrupt_per_mille,
            delay_us,
            jitter_us,
        },
    )
}

fn any_setup() -> impl Strategy<Value = Setup> {
    let before_wrap = (0u32..40_000).prop_map(|n| 0u32.wrapping_sub(n));
    let iss = prop_oneof![before_wrap, any::<u32>()];
    (any::<u64>(), (any_config(), any_config()), (any_app(), any_app()), any_faults(), (iss.clone(), iss))
        .prop_map(|(seed, (a, b), (mut x, mut y), faults, iss)| {
            let (mut a, mut b) = (a, b);
            for (own, app) in [(&mut a, &x), (&mut b, &y)] {
                // A scale that suits the buffer, which is in four spans at most.
                let buffer = app.receive_buffer.min(2 * app.piece);
                own.window_shift = own.window_shift.min(buffer.ilog2().saturating_sub(3) as u8);
            }
            // Little windows take a probe for each filling: keep the number of steps reasonable.
            let (at_x, at_y) = (x, y);
            for (from, to, mss) in [(&mut x, at_y, b.mss), (&mut y, at_x, a.mss)] {
                let window = to.receive_buffer.min(to.piece).min(from.send_buffer);
                from.write = from.write.min(u32::from(mss) * 300).min(window * 50);
            }
            let (config, app) = ((a, b), (x, y));
            Setup {
                seed,
                config: [config.0, config.1],
                app: [app.0, app.1],
                faults,
                iss: [iss.0, iss.1],
                handoff_per_mille: 0,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// The core property: the bytes arrive, whatever the wire does.
    #[test]
    fn every_byte_arrives(setup in any_setup()) {
        Sim::new(&setup).run(LIMIT_US);
    }

    /// Handoffs are invisible: the same run with and without them sends the same segments at the same times.
    #[test]
    fn handoff_is_the_identity(setup in any_setup(), often in prop_oneof![Just(1000u32), 1u32..300]) {
        let mut plain = Sim::new(&setup);
        plain.run(LIMIT_US);
        let mut moved = Sim::new(&Setup { handoff_per_mille: often, ..setup });
        moved.run(LIMIT_US);
        prop_assert!(moved.hosts[0].handoffs + moved.hosts[1].handoffs > 0 || often < 1000);
        for (a, b) in plain.trace.iter().zip(&moved.trace) {
            prop_assert_eq!(a, b);
        }
        prop_assert_eq!(plain.trace.len(), moved.trace.len());
    }
}

//! The hardware that the compiler makes of P4 programs, against the interpreter: same packets, same outcomes.
//!
//! The classifiers of all programs are one model and read the same frames, with random pauses between their words and
//! none between frames. The tables are a map in the test. `BATON_LONG_TESTS` sends a million packets.

#[path = "../support/chance.rs"]
#[allow(dead_code)]
mod chance;
mod packets;
mod rig;

use chance::Chance;
use rig::{Rig, Source};
use std::time::Instant;

const PROGRAMS: [&str; 5] = ["connection", "ipv6", "tenant", "priority", "firewall"];

fn is_long() -> bool {
    std::env::var_os("BATON_LONG_TESTS").is_some()
}

/// Directed packets, each cut at every length.
fn push_directed(rig: &mut Rig, chance: &mut Chance) {
    for packet in packets::directed() {
        for length in 1..=packet.len() {
            rig.push(packet[..length].to_vec(), chance.permille(100));
        }
    }
}

/// The five programs: packets that get far in them, each cut at every length, and random ones.
#[test]
fn the_five_programs_do_as_interpreted() {
    let started = Instant::now();
    let mut rig = Rig::new("p4_programs", PROGRAMS.map(Source::program).into());
    let mut chance = Chance::new(1);
    push_directed(&mut rig, &mut chance);
    for _ in 0..500 {
        rig.push(packets::random(&mut chance), false);
    }
    // Half of what was looked up is entered, and more of the same packets find it.
    let mut compared = rig.run(5, false);
    rig.fill(&mut chance);
    push_directed(&mut rig, &mut chance);
    // Of the long run a million are no runts.
    let count = if is_long() { 1_050_000 } else { 20_000 };
    for number in 0..count {
        rig.push(packets::random(&mut chance), chance.permille(50));
        if number % 10_000 == 0 {
            compared += rig.run(6 + number, false);
        }
    }
    compared += rig.run(7, false);
    // For the eye alone.
    let seconds = started.elapsed().as_secs_f64();
    println!("{compared} packets through five programs in {seconds:.1} s, building the model included");
    assert!(compared > u64::from(count) * 9 / 10);
    for (name, looked_up, hits) in rig.counts() {
        assert!(looked_up > 1000 && hits > 500, "{name}: {looked_up} lookups, {hits} hits");
    }
    let ipv6_hits = rig.ipv6_hits("ipv6");
    assert!(ipv6_hits > 100, "{ipv6_hits} segments over IPv6 were found");
}

/// What the NIC is built with: the same modules, by way of Rust-HDL and its emission.
#[test]
fn the_built_classifier_does_as_interpreted() {
    let mut rig = Rig::new("p4_built", vec![Source::built()]);
    let mut chance = Chance::new(3);
    for round in 0..2 {
        push_directed(&mut rig, &mut chance);
        for _ in 0..5000 {
            rig.push(packets::random(&mut chance), chance.permille(50));
        }
        rig.run(20 + round, false);
        rig.fill(&mut chance);
    }
}

/// A reset in any cycle leaves nothing behind: the next frame is classified as if it were the first.
#[test]
fn resets_at_any_time_leave_nothing_behind() {
    let ahead = Source::valid().0.into_iter().filter(|source| source.looks_ahead());
    let sources = PROGRAMS.map(Source::program).into_iter().chain(ahead).collect();
    let mut rig = Rig::new("p4_resets", sources);
    let mut built = Rig::new("p4_resets_built", vec![Source::built()]);
    let mut chance = Chance::new(4);
    for round in 0..2 {
        for rig in [&mut rig, &mut built] {
            for _ in 0..if is_long() { 50_000 } else { 4000 } {
                rig.push(packets::random(&mut chance), chance.permille(50));
            }
            let compared = rig.run(30 + round, true);
            assert!(compared > 2000, "{compared} frames were not cut off");
            rig.fill(&mut chance);
        }
    }
}

/// Every valid program of the compiler's tests but one, which has two tables that the control plane fills.
#[test]
fn each_construct_does_as_interpreted() {
    let (sources, refused) = Source::valid();
    assert!(sources.len() > 44 && refused.len() == 1, "{} programs, without {refused:?}", sources.len());
    let mut rig = Rig::new("p4_constructs", sources);
    let mut chance = Chance::new(2);
    for round in 0..2 {
        for _ in 0..if is_long() { 20_000 } else { 2000 } {
            rig.push(packets::any(&mut chance), chance.permille(100));
        }
        for _ in 0..40 {
            let frame = packets::any(&mut chance);
            for length in 1..=frame.len() {
                rig.push(frame[..length].to_vec(), chance.permille(100));
            }
        }
        rig.run(10 + round, false);
        rig.fill(&mut chance);
    }
}

//! The firmware against a model of the NIC: whole streams in `world`, single mechanisms in `protocol`, the one without handoff in `host_only`,
//! the image that the softcore runs in `image`.

mod host_only;
mod image;
mod load;
mod nic;
mod program;
mod protocol;
mod world;

use world::{Faults, Plan, World};

use crate::{program::BothFamilies, timing, Firmware, Hardware, Program, Slot};
use baton_tcp::{Config, SharedConfig, SharedMemory};

fn shared<const ROOMS: usize>(config: Config) -> SharedConfig {
    SharedConfig::new(config, Box::leak(Box::new(SharedMemory::<ROOMS>::new())))
}

/// Memory for connections. They have the timing that [`firmware`] finds configured.
fn slots<P: Program>(n: usize) -> Vec<Slot<P>> {
    let config = shared::<0>(Config::default());
    (0..n).map(|_| Slot::empty(config)).collect()
}

fn firmware<H: Hardware>(hw: H, slots: &mut [Slot<H::Program>]) -> Firmware<'_, H> {
    firmware_in::<8, _>(hw, slots).0
}

/// The same with room for the gaps of so many, and the parameters that its connections share.
fn firmware_in<const ROOMS: usize, H: Hardware>(
    hw: H,
    slots: &mut [Slot<H::Program>],
) -> (Firmware<'_, H>, SharedConfig) {
    let config = shared::<ROOMS>(timing(&hw));
    slots.fill_with(|| Slot::empty(config));
    (Firmware::new(hw, slots), config)
}

fn run(plan: Plan) -> world::Tally {
    let mut memory: Vec<Slot> = slots(2);
    let mut world = World::new::<1>(plan, false, &mut memory);
    world.run();
    world.tally
}

/// The same with a firmware that is built for both families.
fn run_family(plan: Plan, ipv6: bool) -> world::Tally {
    let mut memory = slots::<BothFamilies>(2);
    let mut world = World::new::<1>(plan, ipv6, &mut memory);
    world.run();
    world.tally
}

const QUIET: Plan =
    Plan { seed: 1, down: 300_000, up: 200_000, faults: Faults::NONE, stay: 0, stalls: false };

#[test]
fn streams_survive_one_handoff() {
    let tally = run(QUIET);
    assert_eq!((tally.handoffs, tally.restores), (1, 0));
    // Acknowledgements add up: far fewer events than segments.
    assert!(tally.sent_events < 300_000 / 1460, "{tally:?}");
}

#[test]
fn streams_survive_handoffs_and_restores() {
    for seed in 0..8 {
        let tally = run(Plan { seed, stay: 20, ..QUIET });
        assert!(tally.restores > 1, "{tally:?}");
    }
}

/// Loss, duplicates and reordering on the wire, stalls in the NIC, and an owner that changes all the time.
#[test]
fn streams_survive_everything_at_once() {
    let faults = Faults { loss: 2, duplicate: 1, reorder: 5 };
    let (mut held, mut from_nic) = (0, 0);
    // BATON_LONG_TESTS widens the search.
    let seeds = if std::env::var_os("BATON_LONG_TESTS").is_some() { 1000 } else { 24 };
    for seed in 0..seeds {
        let stay = [30, 100, 1000, 0][seed as usize % 4];
        let tally = run(Plan { seed, down: 150_000, up: 100_000, faults, stay, stalls: true });
        held += tally.held;
        from_nic += tally.from_nic;
    }
    assert!(held > 0 && from_nic > 0, "the races were not met");
}

/// Connections come and go in the middle of loss, a thousand times, over one room for gaps: it is free in the end, or it would have been
/// missing for the connections that followed.
#[test]
fn no_room_for_gaps_is_lost() {
    let faults = Faults { loss: 4, duplicate: 1, reorder: 8 };
    let (mut handoffs, mut with_gap) = (0, 0);
    for seed in 0..40 {
        let mut memory: Vec<Slot> = slots(2);
        let plan = Plan { seed, down: 150_000, up: 150_000, faults, stay: 10, stalls: true };
        let mut world = World::new::<1>(plan, false, &mut memory);
        world.run();
        assert_eq!(world.shared.rooms_left(), 1, "seed {seed}");
        (handoffs, with_gap) = (handoffs + world.tally.handoffs, with_gap + world.tally.steps_with_gap);
    }
    assert!(handoffs > 1000 && with_gap > 1000, "{handoffs} handoffs, {with_gap} steps with a gap");
}

/// Nothing that arrives beyond a gap can be kept, and no SACK block noted, on either side of a handoff: every byte arrives.
#[test]
fn streams_survive_without_room_for_gaps() {
    let faults = Faults { loss: 2, duplicate: 1, reorder: 5 };
    for seed in 0..12 {
        let mut memory: Vec<Slot> = slots(2);
        let stay = [30, 100, 1000, 0][seed as usize % 4];
        let plan = Plan { seed, down: 150_000, up: 100_000, faults, stay, stalls: true };
        let mut world = World::new::<0>(plan, false, &mut memory);
        world.run();
        assert_eq!(world.tally.steps_with_gap, 0);
    }
}

#[test]
fn one_way_streams_end() {
    for (down, up) in [(0, 0), (100_000, 0), (0, 100_000), (1, 1)] {
        run(Plan { down, up, stay: 50, ..QUIET });
        run(Plan { down, up, stalls: true, ..QUIET });
    }
}

#[test]
fn streams_of_both_families_survive_everything() {
    let faults = Faults { loss: 2, duplicate: 1, reorder: 5 };
    for seed in 0..6 {
        for ipv6 in [false, true] {
            let plan = Plan { seed, down: 150_000, up: 100_000, faults, stay: 30, stalls: true };
            let tally = run_family(plan, ipv6);
            assert!(tally.handoffs > 1 && tally.restores > 1, "seed {seed}, IPv6 {ipv6}: {tally:?}");
        }
    }
}

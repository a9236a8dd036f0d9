//! The firmware against a model of the NIC.

mod nic;
mod world;

use nic::MockNic;
use world::{Faults, Plan, World};

use crate::{Firmware, Slot};

fn slots(n: usize) -> Vec<Slot> {
    (0..n).map(|_| Slot::EMPTY).collect()
}

#[test]
fn streams_survive_one_handoff() {
    let mut memory = slots(2);
    let plan =
        Plan { seed: 1, down: 300_000, up: 200_000, faults: Faults::default(), stay: 0, stalls: false };
    let mut world = World::new(plan, &mut memory);
    world.run();
    assert_eq!(world.tally.handoffs, 1);
}

//! The order of arrival of host descriptors: the doorbell counts, whenever the descriptor is fetched.

use super::support::Chance;
use baton_cosim::block::Model;
use baton_hdl::tx::host_queue::HostQueue;
use std::collections::VecDeque;

#[test]
fn a_descriptor_arrives_with_its_doorbell() {
    arrives_with_its_doorbell("host_queue", 9);
    arrives_with_its_doorbell("host_queue_board", 6);
}

/// In a queue that notes the time of `2^noted_log2` descriptors that wait.
fn arrives_with_its_doorbell(name: &str, noted_log2: usize) {
    const SEED: u64 = 4;
    let notes = 1 << noted_log2;
    let mut chance = Chance::new(SEED);
    let mut queue = HostQueue::default();
    queue.set_noted_log2(noted_log2);
    let mut dut = Model::build(name, &baton_hdl::emit::verilog(name, queue)).unwrap();
    dut.reset(2);
    let port = |dut: &Model, name: &str| dut.port(name).unwrap();
    let [now, prod, arrived, go, word_valid, last, frame_take] =
        ["now", "prod", "arrived", "go", "valid", "last", "frame_take"].map(|name| port(&dut, name));
    let [pending, stamp, pop, frame_valid] =
        ["pending", "stamp", "pop", "frame_valid"].map(|name| port(&dut, name));

    // Posted and not granted, with the doorbell's cycle; what is beyond the notes gets the cycle in which it is noted.
    let mut waiting: VecDeque<Option<u64>> = VecDeque::new();
    let (mut posted, mut here, mut granted, mut settled) = (0u16, 0, 0, 0u64);
    let mut beyond = 0;
    for cycle in 0..60_000u64 {
        // Half of the time the driver is faster than the grants, half of it slower.
        let busy = cycle / 10_000 % 2 == 0;
        if chance.permille(if busy { 120 } else { 5 }) && waiting.len() < 1000 {
            for _ in 0..=chance.below(3) {
                waiting.push_back(None);
                posted = posted.wrapping_add(1);
            }
        }
        // One is noted in each cycle, while there is room.
        if let Some(unnoted) = waiting.iter().take(notes).position(Option::is_none) {
            waiting[unnoted] = Some(cycle);
        } else if waiting.len() > notes {
            beyond += 1;
        }
        dut.set(now, cycle);
        dut.set(prod, posted.into());
        // The fetcher: up to eight here, the granted ones among them.
        let fetched = waiting.get(here).copied().flatten().is_some_and(|noted| noted + 4 < cycle);
        let fetches = here < 8 - granted && fetched && chance.permille(500);
        dut.set(arrived, fetches.into());
        dut.set(word_valid, 1);
        dut.set(last, u64::from(cycle % 4 == 3));
        dut.set(frame_take, dut.get(frame_valid));
        let goes = chance.permille(60);
        dut.set(go, goes.into());
        dut.eval();
        let at = format!("seed {SEED}, cycle {cycle}");
        if dut.is_high(pending) {
            assert!(here > 0, "{at}: nothing has been fetched");
            if cycle > settled + 1 {
                assert_eq!(Some(dut.get(stamp)), waiting[0], "{at}");
            }
        }
        if dut.is_high(pending) && goes {
            waiting.pop_front();
            here -= 1;
            granted += 1;
            settled = cycle;
        }
        if dut.is_high(pop) && dut.get(last) == 1 {
            granted -= 1;
        }
        here += usize::from(fetches);
        dut.cycle();
    }
    assert!(
        posted > 2000 && beyond > 1000,
        "seed {SEED}: {posted} posted, {beyond} cycles with more than are noted"
    );
}

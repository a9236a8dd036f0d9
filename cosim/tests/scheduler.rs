//! The scheduler against its Rust reference, in every mode, with queues that fill and drain at random.

use baton_abi::mmio::work;
use baton_cosim::block::Model;
use baton_hdl::core::Scheduler;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Cycles from a queue's new head to the scheduler's answer.
const LATENCY: u64 = 2;
/// Cycles of silence after an item was consumed.
const HUSH: u64 = 6;

const NAMES: [&str; 4] = ["host_rx", "host_tx", "nic_rx", "command"];

/// What the core is to be given, by the definition of the mode. `heads`: arrival of each queue's head.
fn expected(mode: u64, heads: [Option<u32>; 4]) -> u32 {
    let oldest = |items: &[usize]| {
        items
            .iter()
            .filter_map(|i| heads[*i].map(|stamp| (stamp, *i)))
            .min_by(|a, b| (a.0.wrapping_sub(b.0) as i32, a.1).cmp(&(0, b.1)))
    };
    let chosen = match mode {
        0 => oldest(&[0, 1, 2, 3]).map(|(_, i)| i),
        1 => (0..2).find(|i| heads[*i].is_some()).or_else(|| oldest(&[2, 3]).map(|(_, i)| i)),
        _ => oldest(&[2, 3]).map(|(_, i)| i),
    };
    chosen.map_or(work::NONE, |i| i as u32 + 1)
}

fn run(mode: u64, seed: u64, first_stamp: u32) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut dut =
        Model::build("scheduler", &baton_hdl::emit::verilog("scheduler", Scheduler::default())).unwrap();
    let waits = NAMES.map(|n| dut.port(&format!("{n}_waits")).unwrap());
    let stamps = NAMES.map(|n| dut.port(&format!("{n}_stamp")).unwrap());
    let core_go = [dut.port("core_host_rx_go").unwrap(), dut.port("core_host_tx_go").unwrap()];
    let go = [dut.port("host_rx_go").unwrap(), dut.port("host_tx_go").unwrap()];
    let (consumed, item) = (dut.port("consumed").unwrap(), dut.port("item").unwrap());
    let mode_port = dut.port("mode").unwrap();
    dut.set(mode_port, mode);
    dut.reset(2);

    let mut queues: [VecDeque<u32>; 4] = Default::default();
    let mut served = [0u64; 4];
    let mut steady = 0;
    let mut hush = 0u64;
    for cycle in 0..20_000u32 {
        let now = first_stamp.wrapping_add(cycle);
        // At most one arrival a cycle, so that every two stamps differ and "oldest" has one answer.
        if rng.next_u32() % 24 == 0 {
            let queue = (rng.next_u32() % 4) as usize;
            if queues[queue].is_empty() {
                steady = 0;
            }
            queues[queue].push_back(now);
        }
        for i in 0..4 {
            dut.set(waits[i], u64::from(!queues[i].is_empty()));
            dut.set(stamps[i], u64::from(queues[i].front().copied().unwrap_or(0)));
        }
        for port in core_go.into_iter().chain([consumed]) {
            dut.set(port, 0);
        }
        dut.eval();
        let heads = std::array::from_fn(|i| queues[i].front().copied());
        let got = dut.get(item) as u32;
        let context = format!("mode {mode} seed {seed} cycle {cycle} heads {heads:?}");
        let mut take = None;
        if hush > 0 {
            assert_eq!(got, work::NONE, "silence after an item: {context}");
        } else if steady >= LATENCY {
            assert_eq!(got, expected(mode, heads), "{context}");
            if got != work::NONE && rng.next_u32() % 3 == 0 {
                take = Some(got as usize - 1);
            }
        }
        hush = hush.saturating_sub(1);
        if let Some(queue) = take {
            dut.set(consumed, 1);
            if queue < 2 {
                dut.set(core_go[queue], 1);
            }
            dut.eval();
            hush = HUSH;
        }
        for (i, port) in go.into_iter().enumerate() {
            let moved = dut.is_high(port);
            let expect = !queues[i].is_empty() && (mode == 2 || take == Some(i));
            assert_eq!(moved, expect, "host packets move: {context}");
            if moved {
                queues[i].pop_front();
                served[i] += 1;
                steady = 0;
            }
        }
        if let Some(queue @ 2..) = take {
            queues[queue].pop_front();
            served[queue] += 1;
            steady = 0;
        }
        dut.cycle();
        steady += 1;
    }
    assert!(served.iter().all(|n| *n > 20), "every queue was served: {served:?} mode {mode} seed {seed}");
}

#[test]
fn every_mode_chooses_as_defined() {
    for mode in 0..3 {
        for seed in 0..4 {
            run(mode, seed, 0);
        }
    }
}

#[test]
fn stamps_may_wrap() {
    for mode in 0..3 {
        run(mode, 99, u32::MAX - 10_000);
    }
}

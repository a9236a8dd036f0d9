//! Handoff and restore with the firmware's own code on functional devices: connections change hands all the
//! time while smoltcp clients check every byte.

mod common;

use baton::client::http::Expect;
use baton::client::FetchState;
use baton::server::{FirstCome, Never, Ownership};

use baton_abi::regs::mailbox;
use baton_tcp::State;
use common::{clients, server, Faults, World, SECOND};
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;

fn finish(world: &mut World, limit_ps: u64) {
    world.run_until(limit_ps, |w| w.clients.iter().all(|c| c.idle()));
    // Connections that the server closed first come back for their TIME-WAIT, which the firmware began.
    let limit = world.now_ps + 10 * SECOND;
    world.run_until(limit, |w| w.nic.entries() == 0);
    let limit = world.now_ps + 70 * SECOND;
    world.run_until(limit, |w| w.server.stack().sockets().next().is_none());
    let limit = world.now_ps + SECOND;
    world.run_until(limit, |w| w.nic.settled());
    world.poll_server();
    world.server.stack().assert_idle();
}

#[test]
fn first_come_first_served_offloads_every_connection() {
    let mut world = World::new(&server(), clients(2), Box::<FirstCome>::default(), true, Faults::NONE, 1);
    let mut ids = Vec::new();
    for client in &mut world.clients {
        for seed in 0..3 {
            ids.push(client.fetch([0, 1, 5000, 200_000].map(|len| Expect::file(seed, len))));
        }
    }
    finish(&mut world, 60 * SECOND);
    for (i, id) in ids.iter().enumerate() {
        assert_eq!(world.clients[i / 3].state(*id), &FetchState::Done);
    }
    let stats = world.server.stats();
    assert_eq!((stats.stack.handoffs, stats.stack.refused, stats.http.responses), (6, 0, 24));
    assert!(world.nic.stats.nic_packets > 100, "{:?}", world.nic.stats);
}

/// One connection goes back and forth two hundred times while data flows.
#[test]
fn two_hundred_handoffs_and_restores() {
    for seed in 0..8 {
        let faults = match seed {
            0 => Faults::NONE,
            _ => Faults { loss: 10, duplicate: 10, reorder: 30, latency_ps: 50_000_000 },
        };
        let mut world = World::new(&server(), clients(1), Box::new(Never), true, faults, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let fetch = world.clients[0].connect([]);
        let (mut next, mut cycles, mut requests) = (0, 0, 0u64);
        world.run_until(2000 * SECOND, |w| {
            if w.clients[0].outstanding(fetch) < 3 {
                let len = rng.next_u32() % 100_000;
                w.clients[0].request(fetch, Expect::file(u64::from(len % 8), len));
                requests += 1;
            }
            assert_eq!(w.clients[0].state(fetch), &FetchState::Active, "seed {seed} after {cycles} cycles");
            if w.now_ps < next {
                return false;
            }
            let Some(id) = w.server.stack().sockets().next() else { return false };
            let change = match w.server.stack().ownership(id) {
                Some(Ownership::Host) => w.server.handoff(&mut w.nic, id),
                Some(Ownership::Nic) => w.server.restore(&mut w.nic, id),
                _ => return false,
            };
            if change.is_ok() {
                cycles += 1;
                next = w.now_ps + u64::from(rng.next_u32() % 3000) * 1_000_000;
            }
            cycles == 400
        });
        world.clients[0].request_last(fetch, Expect::file(9, 9));
        finish(&mut world, 3000 * SECOND);
        assert_eq!(world.clients[0].state(fetch), &FetchState::Done, "seed {seed}");
        assert_eq!(world.clients[0].stats().responses, requests + 1, "seed {seed}");
        let stats = world.server.stats().stack;
        assert!(stats.handoffs >= 199 && stats.restores >= 199, "seed {seed}: {stats:?}");
    }
}

/// The host offers every connection, whatever the NIC has said that it takes: those beyond `Hard_Limit` are refused in
/// the middle of their requests, stay with the host, and lose nothing.
#[test]
fn refusal_at_the_limit_loses_nothing() {
    let mut held = 0;
    for seed in 40..46 {
        let mut config = server();
        config.driver.mailbox[mailbox::CFG_HARD_LIMIT] = 2;
        let faults = Faults { loss: 10, duplicate: 10, reorder: 30, latency_ps: 50_000_000 };
        let mut world = World::new(&config, clients(3), Box::new(Never), true, faults, seed);
        // Slow enough that packets come between an offer and its refusal.
        world.nic.laziness = 240;
        for client in &mut world.clients {
            for body in 0..4 {
                client.fetch([100, 20_000, 1, 30_000].map(|len| Expect::file(body, len)));
            }
        }
        // Every connection is offered once, whatever a policy would say of the room that is left.
        let mut offered = HashSet::new();
        world.run_until(200 * SECOND, |w| {
            let waiting: Vec<_> = w.server.stack().sockets().filter(|id| !offered.contains(id)).collect();
            for id in waiting {
                if w.server.handoff(&mut w.nic, id).is_ok() {
                    offered.insert(id);
                }
            }
            w.clients.iter().map(|c| c.stats().responses).sum::<u64>() == 48
        });
        finish(&mut world, 200 * SECOND);
        let responses: u64 = world.clients.iter().map(|c| c.stats().responses).sum();
        let failed: u64 = world.clients.iter().map(|c| c.stats().connections_failed).sum();
        assert_eq!((responses, failed), (48, 0), "seed {seed}");
        let stats = world.server.stats().stack;
        assert!(stats.refused >= 4 && stats.handoffs >= 2, "seed {seed}: {stats:?}");
        held += stats.held;
    }
    assert!(held > 0, "no packet came between an offer and its refusal");
}

/// Many connections, random changes of hands at random times, among them restores of connections that are
/// just being offered.
#[test]
fn a_crowd_changes_hands_at_random() {
    for seed in 10..30 {
        let faults = Faults { loss: 15, duplicate: 10, reorder: 40, latency_ps: 50_000_000 };
        let mut world = World::new(&server(), clients(4), Box::<FirstCome>::default(), true, faults, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut expected = 0;
        for client in &mut world.clients {
            for _ in 0..10 {
                let requests: Vec<Expect> = (0..1 + rng.next_u32() % 8)
                    .map(|_| Expect::file(u64::from(rng.next_u32() % 4), rng.next_u32() % 50_000))
                    .collect();
                expected += requests.len() as u64;
                client.fetch(requests);
            }
        }
        let mut next = 0;
        world.run_until(400 * SECOND, |w| {
            if w.now_ps >= next {
                next = w.now_ps + u64::from(rng.next_u32() % 50) * 1_000_000;
                let stack = w.server.stack();
                let lives = |id| stack.state(id) != Some(State::TimeWait);
                let ids: Vec<_> = stack.sockets().filter(|&id| lives(id)).collect();
                if let Some(&id) = ids.get(rng.next_u32() as usize % ids.len().max(1)) {
                    // Where the change is not possible the answer says so.
                    let _ = match rng.next_u32() % 2 {
                        0 => w.server.handoff(&mut w.nic, id),
                        _ => w.server.restore(&mut w.nic, id),
                    };
                }
            }
            w.clients.iter().all(|c| c.idle())
        });
        let responses: u64 = world.clients.iter().map(|c| c.stats().responses).sum();
        let failed: u64 = world.clients.iter().map(|c| c.stats().connections_failed).sum();
        assert_eq!((responses, failed), (expected, 0), "seed {seed}");
        finish(&mut world, 600 * SECOND);
        let stats = world.server.stats().stack;
        assert!(stats.handoffs > 100 && stats.restores > 100, "seed {seed}: {stats:?}");
    }
}

//! The host's driver, stack and web server against smoltcp, on a NIC without firmware: every handoff is
//! refused, so freezing and thawing a connection is part of the test.

mod common;

use baton::client::http::Expect;
use baton::client::{ClientConfig, FetchState};
use baton::server::{Never, ServerConfig};
use common::{Faults, World};
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

const MS: u64 = 1_000_000_000;
const SECOND: u64 = 1000 * MS;

fn server() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.tcp.time_wait_us = 500_000;
    config.tcp.min_rto_us = 200_000;
    config
}

fn clients(count: u8) -> Vec<ClientConfig> {
    (0..count)
        .map(|i| ClientConfig {
            mac: [2, 0, 0, 0, 1, i],
            ip: [10, 0, 1, i + 1],
            seed: u64::from(i),
            pipeline: 1 + usize::from(i % 3),
            ..ClientConfig::default()
        })
        .collect()
}

/// Runs until every client is idle and every connection of the server is gone, then looks for lost buffers.
fn finish(world: &mut World, limit_ps: u64) {
    world.run_until(limit_ps, |w| w.clients.iter().all(|c| c.idle()));
    let limit = world.now_ps + 5 * SECOND;
    world.run_until(limit, |w| w.server.stack().sockets().next().is_none());
    let limit = world.now_ps + SECOND;
    world.run_until(limit, |w| w.nic.settled());
    world.poll_server();
    world.server.stack().assert_idle();
}

#[test]
fn bodies_of_all_sizes_arrive() {
    let mut world = World::new(&server(), clients(1), Box::new(Never), false, Faults::NONE, 1);
    let sizes = [0, 1, 100, 1460, 1461, 65536, 1 << 20];
    let id = world.clients[0].fetch(sizes.map(|len| Expect { seed: u64::from(len), len }));
    finish(&mut world, 30 * SECOND);
    assert_eq!(world.clients[0].state(id), &FetchState::Done);
    assert_eq!(world.clients[0].body_bytes(id), sizes.iter().map(|&n| u64::from(n)).sum::<u64>());
    let stats = world.server.stats();
    assert_eq!((stats.http.responses, stats.http.errors), (sizes.len() as u64, 0));
    assert_eq!(stats.stack.retransmits, 0);
}

#[test]
fn streams_survive_loss_reordering_and_refused_handoffs() {
    for seed in 0..6 {
        let faults = Faults { loss: 20, duplicate: 10, reorder: 50, latency_ps: 50_000_000 };
        let mut world = World::new(&server(), clients(3), Box::new(Never), false, faults, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut expected = 0;
        for client in &mut world.clients {
            for _ in 0..4 {
                let requests: Vec<Expect> = (0..1 + rng.next_u32() % 8)
                    .map(|_| Expect { seed: u64::from(rng.next_u32() % 4), len: rng.next_u32() % 60_000 })
                    .collect();
                expected += requests.len() as u64;
                client.fetch(requests);
            }
        }
        let mut next = 0;
        world.run_until(200 * SECOND, |w| {
            if w.now_ps > next {
                next = w.now_ps + MS / 4;
                let ids: Vec<_> = w.server.stack().sockets().collect();
                if let Some(&id) = ids.get(rng.next_u32() as usize % ids.len().max(1)) {
                    let _ = w.server.handoff(&mut w.nic, id);
                }
            }
            w.clients.iter().all(|c| c.idle())
        });
        let responses: u64 = world.clients.iter().map(|c| c.stats().responses).sum();
        let failed: u64 = world.clients.iter().map(|c| c.stats().connections_failed).sum();
        assert_eq!((responses, failed), (expected, 0), "seed {seed}");
        finish(&mut world, 300 * SECOND);
        let stats = world.server.stats().stack;
        assert!(stats.refused > 10 && stats.retransmits > 0, "seed {seed}: {stats:?}");
    }
}

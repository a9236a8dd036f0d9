//! The host's driver, stack and web server against smoltcp, on a NIC without firmware: every handoff is
//! refused, so freezing and thawing a connection is part of the test.

mod common;

use baton::client::http::Expect;
use baton::client::{ClientConfig, FetchState, Ipv6Pair};
use baton::server::{Never, ServerConfig, StackStats};
use common::{clients, server, Faults, World, MS, SECOND};
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BAD_WIRE: Faults = Faults { loss: 20, duplicate: 10, reorder: 50, latency_ps: 50_000_000 };

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
    let id = world.clients[0].fetch(sizes.map(|len| Expect::file(u64::from(len), len)));
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
        let mut world = World::new(&server(), clients(3), Box::new(Never), false, BAD_WIRE, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut expected = 0;
        for client in &mut world.clients {
            for _ in 0..4 {
                let requests: Vec<Expect> = (0..1 + rng.next_u32() % 8)
                    .map(|_| Expect::file(u64::from(rng.next_u32() % 4), rng.next_u32() % 60_000))
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

/// Each client gets files of these sizes; what the stack counted.
fn serve(
    config: &ServerConfig,
    clients: Vec<ClientConfig>,
    sizes: [u32; 5],
    wire: (u64, Faults),
) -> StackStats {
    let (seed, faults) = wire;
    let mut world = World::new(config, clients, Box::new(Never), false, faults, seed);
    let ids: Vec<_> =
        world.clients.iter_mut().map(|c| c.fetch(sizes.map(|len| Expect::file(1, len)))).collect();
    finish(&mut world, 100 * SECOND);
    for (client, id) in world.clients.iter().zip(ids) {
        assert_eq!(client.state(id), &FetchState::Done, "seed {seed}");
    }
    world.server.stats().stack
}

/// What a short send queue refuses is late, and was never sent: on a good wire nothing goes twice.
#[test]
fn streams_survive_a_short_send_queue() {
    for (seed, faults) in [(1, Faults::NONE), (2, BAD_WIRE)] {
        let mut config = server();
        config.driver.tso_buffers = 0;
        config.driver.send_queue = 2;
        let stats = serve(&config, clients(3), [0, 1, 1460, 10_000, 200_000], (seed, faults));
        assert!(stats.queue_drops > 10, "seed {seed}: {stats:?}");
        assert_eq!(stats.retransmits > 0, faults.loss > 0, "seed {seed}: {stats:?}");
    }
}

/// Clients of either family, on a bad wire; neighbours are asked for as each family does.
#[test]
fn both_families_are_served() {
    const SERVER: [u8; 16] = [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56];
    for (seed, faults) in [(1, Faults::NONE), (2, BAD_WIRE)] {
        let mut config = server();
        config.ipv6 = Some(SERVER);
        let mut clients = clients(4);
        for (index, client) in clients.iter_mut().enumerate().filter(|(index, _)| index % 2 == 0) {
            let mut own = SERVER;
            own[15] = 0x80 + index as u8;
            client.ipv6 = Some(Ipv6Pair { own, server: SERVER });
        }
        let stats = serve(&config, clients, [0, 1, 1440, 1441, 200_000], (seed, faults));
        assert!(stats.arp_replies >= 4 && stats.accepted >= 4, "seed {seed}: {stats:?}");
    }
}

#[test]
fn wrong_requests_get_their_status() {
    let mut world = World::new(&server(), clients(1), Box::new(Never), false, Faults::NONE, 1);
    let cases = [
        ("GET /bytes/3 HTTP/1.1\r\n\r\n", "400 Bad Request"),
        ("GET /bytes/3 HTTP/2.0\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported"),
        ("GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "404 Not Found"),
        ("GET /bytes/999999999 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "404 Not Found"),
        ("POST /bytes/3 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", "413 Content Too Large"),
        (&"x".repeat(3000), "431 Request Header Fields Too Large"),
    ];
    for (request, status) in cases {
        let id = world.clients[0].exchange(request);
        finish(&mut world, 30 * SECOND);
        let reply = String::from_utf8_lossy(world.clients[0].reply(id)).into_owned();
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request:?}: {reply:?}");
        assert!(reply.contains("\r\nConnection: close\r\n"), "{request:?}: {reply:?}");
    }

    // A wrong method leaves the connection open for the requests behind it.
    let id = world.clients[0].exchange(
        "DELETE / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /bytes/9 HTTP/1.1\r\nHost: a\r\n\r\n\
         GET /bytes/0 HTTP/1.0\r\n\r\n",
    );
    finish(&mut world, 30 * SECOND);
    let reply = String::from_utf8_lossy(world.clients[0].reply(id)).into_owned();
    let heads: Vec<&str> = reply.split("HTTP/1.1 ").collect();
    assert!(heads[1].starts_with("405 ") && heads[1].contains("Allow: GET, HEAD\r\n"), "{reply:?}");
    assert!(heads[2].starts_with("200 ") && heads[2].contains("Content-Length: 9\r\n"), "{reply:?}");
    assert!(heads[2].ends_with("\r\n\r\n") && heads[3].ends_with("\r\n\r\n"), "{reply:?}");
}

#[test]
fn a_port_is_used_again_during_time_wait() {
    let mut config = server();
    config.tcp.time_wait_us = 60_000_000;
    let mut client = clients(1);
    client[0].ports = (50000, 50000);
    let mut world = World::new(&config, client, Box::new(Never), false, Faults::NONE, 1);
    for len in 0..6 {
        let id = world.clients[0].fetch([Expect::file(1, len)]);
        let limit = world.now_ps + 30 * SECOND;
        world.run_until(limit, |w| w.clients[0].idle());
        assert_eq!(world.clients[0].state(id), &FetchState::Done);
        assert_eq!(world.server.stack().sockets().count(), 1, "the last connection lingers");
    }
}

#[test]
fn time_wait_connections_are_bounded() {
    let mut config = server();
    config.tcp.time_wait_us = 60_000_000;
    config.time_wait_connections = 3;
    // As few rings as there may be: one that lingers holds none.
    config.connections = 1;
    let mut world = World::new(&config, clients(1), Box::new(Never), false, Faults::NONE, 1);
    for _ in 0..10 {
        let id = world.clients[0].fetch([Expect::file(1, 100)]);
        let limit = world.now_ps + 30 * SECOND;
        world.run_until(limit, |w| w.clients[0].idle());
        assert_eq!(world.clients[0].state(id), &FetchState::Done);
    }
    assert_eq!(world.server.stack().sockets().count(), 3, "{} {:?}", world.now_ps, world.server.stats());
}

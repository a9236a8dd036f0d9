//! As many connections as the firmware's table can name, open at once, with the firmware's library on functional devices: each
//! transfers and closes, twice, and nothing is left behind.

mod common;

use baton::client::http::Expect;
use baton::client::{FetchId, FetchState};
use baton::server::FirstCome;
use common::nic::NicDouble;
use common::{clients, server, Faults, World, SECOND};

const CONNECTIONS: usize = 4096;
const CLIENTS: usize = 32;
/// Connections that are being opened at the same time: what the NIC's queues and the host's hold without loss.
const OPENING: usize = 24;

#[test]
fn connections_4096_open_transfer_and_close() {
    let mut config = server();
    config.connections = CONNECTIONS as u32 + 64;
    config.receive_bytes = 1024;
    let mut nic = NicDouble::new(64 << 20, 1);
    nic.slots = CONNECTIONS;
    let faults = Faults { latency_ps: 20_000_000, ..Faults::NONE };
    let mut clients = clients(CLIENTS as u8);
    // Each has some hundred sockets, whose buffers need hold no more than one response.
    clients.iter_mut().for_each(|client| client.receive_bytes = 4096);
    let mut world = World::with_nic(nic, &config, clients, Box::<FirstCome>::default(), true, faults, 1);

    // The second round finds every slot, ring and buffer of the first one free again.
    for round in 0..2u64 {
        let mut fetches: Vec<(usize, FetchId)> = Vec::new();
        let limit = world.now_ps + 600 * SECOND;
        world.run_until(limit, |w| {
            while fetches.len() < CONNECTIONS && fetches.len() < w.nic.entries() + OPENING {
                let client = fetches.len() % CLIENTS;
                fetches.push((client, w.clients[client].connect([])));
            }
            w.server.stats().stack.handoffs == (round + 1) * CONNECTIONS as u64
        });
        assert_eq!(world.nic.entries(), CONNECTIONS);
        let stats = world.server.stats().stack;
        assert_eq!((stats.handoffs, stats.refused), ((round + 1) * CONNECTIONS as u64, 0), "{stats:?}");

        // All of them at once would only fill queues: a few more whenever some are done.
        let mut asked = 0;
        let limit = world.now_ps + 600 * SECOND;
        world.run_until(limit, |w| {
            let done = w.clients.iter().map(|c| c.stats().connections_done).sum::<u64>() as usize;
            while asked < CONNECTIONS && asked < done - round as usize * CONNECTIONS + OPENING {
                let (client, id) = fetches[asked];
                let len = (asked * 37 % 3000) as u32;
                w.clients[client].request_last(id, Expect::file(asked as u64 % 16, len));
                asked += 1;
                // The world may be at rest until then.
                if asked % OPENING == 0 || asked == CONNECTIONS {
                    w.poll_clients();
                }
            }
            w.clients.iter().all(|c| c.idle())
        });
        for &(client, id) in &fetches {
            assert_eq!(
                world.clients[client].state(id),
                &FetchState::Done,
                "round {round}, client {client}, {id:?}"
            );
        }
        let limit = world.now_ps + 100 * SECOND;
        world.run_until(limit, |w| w.nic.entries() == 0 && w.server.stack().sockets().next().is_none());
        let limit = world.now_ps + SECOND;
        world.run_until(limit, |w| w.nic.settled() && !w.nic.busy());
        world.poll_server();
        // Sockets, receive rings, response heads, packet buffers, and the count of connections on the NIC.
        world.server.stack().assert_idle();
        // With no timer the firmware sleeps for as long as its wheel goes: a quarter of an hour and more.
        let wakes_ps = world.nic.wake_ps().expect("the core runs") - world.now_ps;
        assert!(
            wakes_ps > 600 * SECOND,
            "a timer runs on: the core wakes in {} ms",
            wakes_ps / 1_000_000_000
        );
    }
}

//! Two hundred handoff/restore/handoff cycles at seeded moments, with loss and reordering on the wire: every stream
//! arrives intact.
//!
//! Four connections move independently in each world. A cycle counts when the NIC has accepted a connection,
//! the host has it back, and the NIC has accepted it again.

use anyhow::{ensure, Result};
use baton::client::http::Expect;
use baton::client::{FetchId, FetchState};
use baton::demo::{self, DemoConfig};
use baton::server::{Never, Ownership, SocketId};
use baton::world::World;
use baton_cosim::nic::VerilatedNic;
use baton_cosim::port::HostPort;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CYCLES: u32 = 200;
/// Least number of worlds, each with a seed of its own.
const WORLDS: u64 = 6;
const CONNECTIONS: usize = 4;
const RESPONSE_BYTES: u32 = 512 << 10;
/// Core cycles in which a world must finish.
const CYCLES_MAX: u64 = 60_000_000;

/// One connection that keeps moving.
struct Mover {
    fetch: FetchId,
    socket: Option<SocketId>,
    /// When it moves next, in picoseconds, if it is at rest.
    move_at_ps: u64,
    asked: bool,
    /// Turns on the NIC since the last complete cycle; the third change of owner completes one.
    turns: u32,
    cycles: u32,
}

impl Mover {
    fn step(
        &mut self,
        world: &mut World<VerilatedNic>,
        config: &DemoConfig,
        client: usize,
        rng: &mut ChaCha8Rng,
    ) {
        if self.socket.is_none() {
            self.socket = demo::socket_of(world, config, client, self.fetch);
        }
        let Some(socket) = self.socket else { return };
        let now_ps = world.system.now_ps();
        let owner = world.server.stack().ownership(socket);
        if self.asked {
            // A move is under way; it ends with one side or the other, or with the connection.
            if !matches!(owner, Some(Ownership::Host | Ownership::Nic)) {
                return;
            }
            self.asked = false;
            self.move_at_ps = now_ps + u64::from(rng.next_u32() % 400_000 + 20_000) * 1000;
            if owner == Some(Ownership::Nic) {
                self.turns += 1;
                if self.turns == 2 {
                    self.cycles += 1;
                    // The second handoff of a cycle is the first of the next.
                    self.turns = 1;
                }
            }
        } else if now_ps >= self.move_at_ps {
            let moved = world.ask_server(|server, port| match owner {
                Some(Ownership::Host) => server.handoff(port, socket),
                Some(Ownership::Nic) => server.restore(port, socket),
                _ => Ok(()),
            });
            // A connection that cannot move at this moment is tried again.
            match moved {
                Ok(()) => self.asked = matches!(owner, Some(Ownership::Host | Ownership::Nic)),
                Err(_) => self.move_at_ps = now_ps + 100_000_000,
            }
        }
    }
}

/// One world; how many cycles its connections completed.
fn world(seed: u64, firmware: &[u8]) -> Result<u32> {
    let config = DemoConfig {
        seed,
        host_connections: CONNECTIONS as u32 - 1,
        // From a wire that loses little to one that loses two frames in a hundred.
        loss_ppm: 20_000 >> (seed % 4),
        reorder_ppm: 10_000,
        ..DemoConfig::default()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut world = demo::build(&config, VerilatedNic::new(), firmware, Box::new(Never))?;
    let mut movers = Vec::new();
    for client in 0..CONNECTIONS {
        let body = Expect::file(seed * 100 + client as u64, RESPONSE_BYTES);
        let fetch = world.client_mut(client).fetch([body]);
        movers.push(Mover { fetch, socket: None, move_at_ps: 0, asked: false, turns: 0, cycles: 0 });
    }
    while !world.clients().iter().all(|client| client.idle()) {
        ensure!(world.system.cycles() < CYCLES_MAX, "not finished after {CYCLES_MAX} core cycles");
        for _ in 0..64 {
            world.step()?;
        }
        for (client, mover) in movers.iter_mut().enumerate() {
            mover.step(&mut world, &config, client, &mut rng);
        }
    }
    for (client, mover) in movers.iter().enumerate() {
        let state = world.client(client).state(mover.fetch);
        ensure!(*state == FetchState::Done, "client {client}: {state:?}");
    }
    Ok(movers.iter().map(|mover| mover.cycles).sum())
}

#[test]
fn every_stream_survives_two_hundred_cycles() -> Result<()> {
    let firmware = baton_tests::firmware()?;
    let mut cycles = 0;
    let mut seed = 0;
    while cycles < CYCLES || seed < WORLDS {
        seed += 1;
        assert!(seed <= 40, "only {cycles} cycles in {seed} worlds");
        cycles += world(seed, &firmware).unwrap_or_else(|error| {
            panic!("seed {seed}: {error:#}\nreplay: cargo xtask test -- --test handoff_cycles (worlds run in order of seed)")
        });
    }
    println!("{cycles} cycles in {seed} worlds");
    Ok(())
}

//! As many connections as the firmware holds on the co-simulated NIC, open at once: each transfers and closes, twice, and
//! no slot, buffer or timer is left behind.
//!
//! The image of the default sizes holds 128. The long form takes one of 4096, the most that a connection's name can tell
//! apart, in 2 MiB of core memory, from BATON_FIRMWARE_4096 (`cargo xtask firmware --connections 4096 --ram-kib 2048`).

use anyhow::{ensure, Context, Result};
use baton::client::http::Expect;
use baton::client::{ClientConfig, ClientHost, FetchId, FetchState};
use baton::server::{FirstCome, Server, ServerConfig};
use baton::world::{World, WorldConfig};
use baton_abi::regs::{self, mailbox};
use baton_cosim::nic::VerilatedNic;
use baton_cosim::port::HostPort;
use baton_cosim::system::{System, SystemConfig};
use baton_cosim::wire::WireConfig;

/// Connections that are being opened, or asked for a body, at the same time.
const AT_ONCE: usize = 32;
/// Connections of a client machine.
const OF_A_CLIENT: usize = 128;
/// Core cycles in which a connection of a round must be open, and in which it must be closed again.
const CYCLES_MAX: u64 = 60_000;
const TIME_WAIT_US: u32 = 2000;

fn status(world: &mut World<VerilatedNic>, word: usize) -> Result<u32> {
    world.system.reg_read(regs::STS + 4 * word as u32)
}

fn rounds(firmware: &[u8]) -> Result<()> {
    let wire = WireConfig { rate_bps: 1_000_000_000, ..WireConfig::default() };
    let config = SystemConfig { clock_hz: 125_000_000, wire, ..SystemConfig::default() };
    let mut system = System::new(VerilatedNic::new(), config);
    let mut server = ServerConfig { connections: 4096 + 64, receive_bytes: 1024, ..ServerConfig::default() };
    server.tcp.min_rto_us = 3000;
    server.tcp.time_wait_us = TIME_WAIT_US;
    let server = Server::start(&server, Box::<FirstCome>::default(), &mut system, Some(firmware))?;
    let connections = system.reg_read(regs::STS + 4 * mailbox::STS_TABLE_SIZE as u32)? as usize;
    let clients = (0..connections.div_ceil(OF_A_CLIENT) as u8).map(|i| {
        ClientHost::new(ClientConfig {
            mac: [2, 0, 0, 0, 1, i],
            ip: [10, 0, 1, i + 1],
            seed: i.into(),
            receive_bytes: 4096,
            ..ClientConfig::default()
        })
    });
    let world = WorldConfig { client_time_scale: 100, ..WorldConfig::default() };
    let mut world = World::new(system, server, clients.collect(), world);
    let limit = CYCLES_MAX * connections as u64;

    // The second round finds every slot of the first one free again.
    for round in 0..2 {
        let mut fetches: Vec<(usize, FetchId)> = Vec::new();
        let handoffs =
            |w: &World<VerilatedNic>| w.server.stats().stack.handoffs as usize - round * connections;
        let open = world.run_until(limit, |w| {
            while fetches.len() < connections.min(handoffs(w) + AT_ONCE) {
                let client = fetches.len() / OF_A_CLIENT;
                fetches.push((client, w.client_mut(client).connect([])));
            }
            handoffs(w) == connections
        })?;
        ensure!(open, "round {round}: {} of {connections} are on the NIC", handoffs(&world));
        ensure!(
            status(&mut world, mailbox::STS_CNUM)? as usize == connections,
            "round {round}: Cnum differs"
        );

        let (mut asked, mut done) = (0, 0);
        let over = world.run_until(limit, |w| {
            while done < asked && *w.client(fetches[done].0).state(fetches[done].1) != FetchState::Active {
                done += 1;
            }
            while asked < connections.min(done + AT_ONCE) {
                let (client, id) = fetches[asked];
                let expect = Expect::file(asked as u64 % 16, (asked * 37 % 3000) as u32);
                w.client_mut(client).request_last(id, expect);
                asked += 1;
            }
            done == connections
        })?;
        ensure!(over, "round {round}: {done} of {connections} are done");
        for &(client, id) in &fetches {
            let state = world.client(client).state(id);
            ensure!(*state == FetchState::Done, "round {round}, client {client}, {id:?}: {state:?}");
        }
        let over = world.run_until(limit, |w| w.server.stack().sockets().next().is_none())?;
        ensure!(over, "round {round}: the server's connections do not end");
        world.run_until(50_000, |_| false)?;
        // Sockets, receive rings, response heads and packet buffers; then the firmware's slots and timers.
        world.server.stack().assert_idle();
        ensure!(
            status(&mut world, mailbox::STS_CNUM)? == 0,
            "round {round}: connections are left on the NIC"
        );
        let before = world.system.reg_read(regs::STAT_CORE_INSTRUCTIONS)?;
        world.run_until(500_000, |_| false)?;
        let spent = world.system.reg_read(regs::STAT_CORE_INSTRUCTIONS)?.wrapping_sub(before);
        ensure!(spent == 0, "round {round}: the core spent {spent} instructions in 4 ms with nothing to do");
    }
    let stats = world.server.stats().stack;
    ensure!(stats.handoffs as usize == 2 * connections && stats.refused == 0, "{stats:?}");
    Ok(())
}

#[test]
fn every_connection_of_the_table_opens_transfers_and_closes() -> Result<()> {
    rounds(&baton_tests::firmware()?)
}

#[test]
fn connections_4096_open_transfer_and_close() -> Result<()> {
    if !baton_tests::long() {
        println!("skipped: `cargo xtask test --long` runs it");
        return Ok(());
    }
    let path = std::env::var_os("BATON_FIRMWARE_4096").context(
        "BATON_FIRMWARE_4096 names no image; `cargo xtask firmware --connections 4096 --ram-kib 2048` makes it",
    )?;
    rounds(&baton::demo::read_firmware(std::path::Path::new(&path))?)
}

//! Load control and active restoration on the co-simulated NIC: a flood of packets for few connections moves the state machine
//! of Kim & Rixner's Figure 3, the host's log has every transition, and the costliest connections go back to the host.
//!
//! The flood is made of copies of each client's last handshake segment, which mean nothing to TCP and cost the NIC as
//! much as any acknowledgement.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::{ensure, Result};
use baton::client::http::Expect;
use baton::client::{ClientConfig, ClientHost, FetchId, FetchState};
use baton::server::load_log::{LoadState, LoadTransition};
use baton::server::{FirstCome, Ownership, Server, ServerConfig, SocketId};
use baton::world::{World, WorldConfig};
use baton_abi::regs::{self, mailbox};
use baton_cosim::nic::VerilatedNic;
use baton_cosim::port::HostPort;
use baton_cosim::system::{Event, System, SystemConfig};
use baton_cosim::wire::WireConfig;

const CLIENTS: u8 = 8;
const HARD_LIMIT: u32 = 8;
const HIWAT: u32 = 12;
const LOWAT: u32 = 4;
const SHED_AFTER_US: u32 = 200;
const CLOCK_HZ: u64 = 125_000_000;
/// Cycles between two packets of the flood: the wire takes one in 90, the firmware needs some hundred for one.
const FLOOD_CYCLES: u64 = 100;
const IPV4_SOURCE: usize = 26;

type Frames = Rc<RefCell<BTreeMap<u8, Vec<u8>>>>;

/// A world whose clients have idle connections on the NIC, and the frame of each that a flood may repeat.
fn world(shed_after_us: u32) -> Result<(World<VerilatedNic>, Vec<FetchId>, Frames)> {
    let firmware = baton_tests::firmware()?;
    let wire = WireConfig { rate_bps: 1_000_000_000, ..WireConfig::default() };
    let config = SystemConfig { clock_hz: CLOCK_HZ, wire, ..SystemConfig::default() };
    let mut system = System::new(VerilatedNic::new(), config);
    let frames = Frames::default();
    let seen = Rc::clone(&frames);
    system.observe(Box::new(move |_, event| {
        let Event::FrameIn { frame, .. } = event else { return };
        // IPv4 with TCP: the shortest that a client sends and that is no SYN.
        if frame.len() > 54 && frame[12..14] == [8, 0] && frame[23] == 6 && frame[47] == 0x10 {
            seen.borrow_mut().entry(frame[IPV4_SOURCE + 3]).or_insert_with(|| frame.to_vec());
        }
    }));
    let mut server = ServerConfig::default();
    server.tcp.min_rto_us = 3000;
    server.driver.mailbox[mailbox::CFG_LOAD_CONTROL] = 1;
    server.driver.mailbox[mailbox::CFG_HARD_LIMIT] = HARD_LIMIT;
    server.driver.mailbox[mailbox::CFG_HIWAT] = HIWAT;
    server.driver.mailbox[mailbox::CFG_LOWAT] = LOWAT;
    server.driver.mailbox[mailbox::CFG_SHED_AFTER_US] = shed_after_us;
    let server = Server::start(&server, Box::<FirstCome>::default(), &mut system, Some(&firmware))?;
    let clients = (1..=CLIENTS).map(|i| {
        ClientHost::new(ClientConfig {
            mac: [2, 0, 0, 0, 1, i],
            ip: [10, 0, 1, i],
            seed: i.into(),
            ..ClientConfig::default()
        })
    });
    let config = WorldConfig { client_time_scale: 100, ..WorldConfig::default() };
    let mut world = World::new(system, server, clients.collect(), config);
    let mut fetches = Vec::new();
    for client in 0..usize::from(CLIENTS) {
        fetches.push(world.client_mut(client).connect([]));
        // One after the other, so that a lower number means an older connection.
        let ready = world.run_until(2_000_000, |w| owned(w, Ownership::Nic).len() > client)?;
        ensure!(ready, "client {client} is not on the NIC");
    }
    ensure!(frames.borrow().len() == usize::from(CLIENTS), "a client has sent no acknowledgement");
    Ok((world, fetches, frames))
}

/// The last byte of the client's address and the socket, of the connections that one side owns.
fn owned(world: &World<VerilatedNic>, by: Ownership) -> BTreeMap<u8, SocketId> {
    let stack = world.server.stack();
    let ids = stack.sockets().filter(|&id| stack.ownership(id) == Some(by));
    ids.filter_map(|id| Some((stack.endpoints(id)?.remote_ip.0[3] as u8, id))).collect()
}

/// Sends copies for some time: of sixteen packets, `shares` of each client.
fn flood(
    world: &mut World<VerilatedNic>,
    frames: &Frames,
    shares: &[(u8, usize)],
    packets: usize,
) -> Result<()> {
    let order: Vec<u8> =
        shares.iter().flat_map(|&(client, share)| std::iter::repeat_n(client, share)).collect();
    // A stride without a common factor spreads each client's packets.
    for packet in 0..packets {
        let frame = frames.borrow()[&order[packet * 7 % order.len()]].clone();
        world.system.wire_send(frame);
        for _ in 0..FLOOD_CYCLES {
            world.step()?;
        }
    }
    Ok(())
}

/// The log is one walk through Figure 3, and each step has its reason.
fn check(log: &[LoadTransition]) {
    let mut state = LoadState::Monitor;
    let (mut limit, mut cycle) = (HARD_LIMIT, 0);
    for step in log {
        assert_eq!(step.from, state, "{log:#?}");
        assert!(step.cycle > cycle, "{log:#?}");
        match (step.from, step.to) {
            (LoadState::Monitor | LoadState::Increase, LoadState::Decrease) => {
                assert!(step.qlen > HIWAT && step.soft_limit < limit, "{step:?}");
            }
            (LoadState::Monitor, LoadState::Increase) => {
                assert!(
                    step.qlen < LOWAT && step.soft_limit > limit && step.soft_limit <= HARD_LIMIT,
                    "{step:?}"
                );
            }
            (LoadState::Decrease, LoadState::Monitor) => {
                assert!(step.cnum < step.soft_limit && step.soft_limit == limit, "{step:?}");
            }
            (LoadState::Increase, LoadState::Monitor) => {
                assert!(step.cnum >= step.soft_limit && step.soft_limit == limit, "{step:?}");
            }
            _ => panic!("Figure 3 has no such arc: {step:?}"),
        }
        (state, limit, cycle) = (step.to, step.soft_limit, step.cycle);
    }
}

/// Every client gets a body over its connection, whoever owns it by now.
fn fetch_all(world: &mut World<VerilatedNic>, fetches: &[FetchId]) -> Result<()> {
    for (client, &fetch) in fetches.iter().enumerate() {
        world.client_mut(client).request_last(fetch, Expect::file(client as u64, 20_000));
    }
    let done = world.run_until(20_000_000, |w| w.clients().iter().all(ClientHost::idle))?;
    ensure!(done, "not every client is done");
    for (client, &fetch) in fetches.iter().enumerate() {
        ensure!(*world.client(client).state(fetch) == FetchState::Done, "client {client}");
    }
    Ok(())
}

#[test]
fn the_costliest_connections_go_back_when_overload_lasts() -> Result<()> {
    let (mut world, fetches, frames) = world(SHED_AFTER_US)?;
    for (word, value) in [
        (mailbox::STS_HARD_LIMIT, HARD_LIMIT),
        (mailbox::STS_HIWAT, HIWAT),
        (mailbox::STS_LOWAT, LOWAT),
        (mailbox::STS_CNUM, u32::from(CLIENTS)),
    ] {
        assert_eq!(world.system.reg_read(regs::STS + 4 * word as u32)?, value);
    }
    assert!(world.server.stack().load_log().transitions().is_empty(), "it was idle so far");
    // Client 6 costs most, then client 3.
    flood(&mut world, &frames, &[(6, 8), (3, 4), (1, 1), (2, 1), (5, 1), (8, 1)], 5000)?;
    // The queue that the flood has left stands before the commands and the packets that a restore waits for.
    world.run_until(1_000_000, |_| false)?;
    let stats = world.server.stats().stack;
    let host = owned(&world, Ownership::Host);
    assert!(stats.shed >= 2 && stats.restores >= 2, "{stats:?}");
    assert!(host.contains_key(&6) && host.contains_key(&3), "the host has {host:?}");
    assert!(owned(&world, Ownership::Nic).len() >= 4, "more went back than was asked for: {host:?}");

    // Relief: the limit rises again, and the NIC takes connections up to it.
    flood(&mut world, &frames, &[(7, 1)], 1)?;
    let id = *owned(&world, Ownership::Host).values().next().expect("the host has some");
    world.ask_server(|server, port| server.handoff(port, id))?;
    world.run_until(200_000, |_| false)?;
    fetch_all(&mut world, &fetches)?;
    let log = world.server.stack().load_log().transitions();
    check(log);
    for state in [LoadState::Decrease, LoadState::Monitor, LoadState::Increase] {
        assert!(log.iter().any(|step| step.to == state), "never in {state:?}: {log:#?}");
    }
    assert_eq!(log[0].to, LoadState::Decrease);
    assert_eq!(world.server.stack().load_log().dropped(), 0);
    Ok(())
}

#[test]
fn without_active_restoration_the_nic_waits() -> Result<()> {
    let (mut world, fetches, frames) = world(0)?;
    flood(&mut world, &frames, &[(6, 8), (3, 4), (1, 4)], 600)?;
    let stats = world.server.stats().stack;
    assert_eq!((stats.shed, stats.restores), (0, 0));
    assert_eq!(owned(&world, Ownership::Nic).len(), usize::from(CLIENTS));
    // The only way out of DECREASE is the end of connections.
    let log = world.server.stack().load_log().transitions().to_vec();
    assert_eq!(
        log.iter().map(|step| (step.from, step.to)).collect::<Vec<_>>(),
        [(LoadState::Monitor, LoadState::Decrease)]
    );
    fetch_all(&mut world, &fetches)?;
    check(world.server.stack().load_log().transitions());
    Ok(())
}

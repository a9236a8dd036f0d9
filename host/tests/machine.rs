//! The server as a machine with time: the anchors of its calibration hold in a short run, what an option costs shows,
//! and the same seed gives the same cycles. The functional NIC is used; docs/model.md has the figures.

use std::cell::RefCell;
use std::rc::Rc;

use baton::client::player::{Player, SharedWorkload};
use baton::client::{ClientConfig, ClientHost};
use baton::experiment::{Config, Options};
use baton::machine::calibrate::{self, Run};
use baton::machine::plain_nic::PlainNic;
use baton::machine::quick::QuickWorld;
use baton::machine::{costs, Function, MachineConfig};
use baton::policy::Future;
use baton::server::{Never, Server, ServerConfig};
use baton::workload::specweb::{CLIENT_BPS, CONFORMING_BPS};
use baton::workload::{Request, Session, Workload};

fn run(shorthand: &str, clients: Option<u32>, machine: MachineConfig, packets: u64) -> Run {
    let config: Config = shorthand.parse().unwrap();
    let options = Options { clients, ..Options::default() };
    calibrate::run(&config, &options, &machine, packets, packets).unwrap()
}

#[test]
fn the_world_cup_anchors_hold() {
    let run = run("W-0-N-N-FCFS-400", None, MachineConfig::paper(), 60_000);
    let rate = run.requests_per_second();
    assert!((rate / 23031.0 - 1.0).abs() < 0.08, "{rate} requests/s");
    let below = run.profile.below_system_calls();
    assert!((below - 0.57).abs() < 0.03, "{below} below the system calls");
    assert!(run.profile.idle() < 0.01 && run.failed == 0, "{:?}", run);
    // Most packets find their connection neither quite cached nor quite gone.
    let tcp = run.profile.tcp_cycles_per_packet();
    assert!((1312.0..5400.0).contains(&tcp), "{tcp} cycles a TCP packet");
}

#[test]
fn few_connections_stay_in_the_caches() {
    let few = run("W-0-N-N-FCFS-400", Some(64), MachineConfig::paper(), 20_000);
    let many = run("W-0-N-N-FCFS-400", Some(2048), MachineConfig::paper(), 40_000);
    let (few, many) = (few.profile.tcp_cycles_per_packet(), many.profile.tcp_cycles_per_packet());
    assert!(few < 1700.0 && many > 1.15 * few, "{few} and {many} cycles a TCP packet");
}

#[test]
fn copying_and_summing_cost_time_and_nothing_else() {
    let clients = Some(256);
    let paper = run("S-0-N-N-FCFS-400", clients, MachineConfig::paper(), 20_000);
    let copy = MachineConfig { zero_copy: false, ..MachineConfig::paper() };
    let copy = run("S-0-N-N-FCFS-400", clients, copy, 20_000);
    let sum = MachineConfig { checksum_offload: false, ..MachineConfig::paper() };
    let sum = run("S-0-N-N-FCFS-400", clients, sum, 20_000);
    let cost = |run: &Run, function| run.profile.of(function).cycles as f64 / run.responses as f64;
    assert!(cost(&copy, Function::Copy) > 20.0 * cost(&paper, Function::Copy));
    assert!(cost(&sum, Function::Tcp) > 1.3 * cost(&paper, Function::Tcp));
    assert_eq!((paper.failed, copy.failed, sum.failed), (0, 0, 0));
}

#[test]
fn dynamic_responses_cost_their_making_and_their_copying() {
    let [files, made] = ["S", "D"]
        .map(|letter| run(&format!("{letter}-0-N-N-FCFS-400"), Some(256), MachineConfig::paper(), 20_000));
    let cost = |run: &Run, function| run.profile.of(function).cycles as f64 / run.responses as f64;
    // Three of ten are made, of some kilobytes each.
    assert!(cost(&made, Function::Application) > cost(&files, Function::Application) + 4000.0);
    assert!(cost(&made, Function::Copy) > 3.0 * cost(&files, Function::Copy));
    assert_eq!((files.failed, made.failed), (0, 0));
}

/// Asks for one large file after another, at the rate of SPECweb99's clients.
struct LargeFiles;

const LARGE_BYTES: u32 = 921_600;

impl Workload for LargeFiles {
    fn describe(&self) -> String {
        "large files".into()
    }

    fn next_session(&mut self) -> Session {
        vec![Request { file: 1, bytes: LARGE_BYTES, dynamic: false }; 2]
    }

    fn pace_bps(&self) -> Option<u64> {
        Some(CLIENT_BPS)
    }
}

#[test]
fn a_paced_client_reads_at_its_rate_and_the_window_holds_the_server() {
    const CLIENTS: u64 = 4;
    let mut nic = PlainNic::new(1 << 28);
    let mut config = ServerConfig { machine: MachineConfig::paper(), ..ServerConfig::default() };
    config.driver.tso_buffers = 0;
    let server = Server::start(&config, Box::new(Never), &mut nic, None).unwrap();
    let workload: SharedWorkload = Rc::new(RefCell::new(Box::new(LargeFiles)));
    let hosts = (0..CLIENTS as u8).map(|index| {
        let client =
            ClientConfig { mac: [2, 0, 0, 1, 0, index], ip: [10, 1, 0, index], ..Default::default() };
        let mut host = ClientHost::new(client);
        host.know_neighbour(config.address.mac, config.address.ip);
        host.set_player(Player::new(Rc::clone(&workload), Future::default(), 1 << 30, 1));
        host
    });
    let mut world = QuickWorld::new(nic, server, hosts.collect(), 1).unwrap();
    while world.clients().iter().any(|client| client.stats().responses == 0) {
        assert!(world.packets < 20_000, "no response after {} s", world.now_ps() as f64 * 1e-12);
        world.run_until_packets(world.packets + 100).unwrap();
        // What has left the server is what was read and a window for each client.
        let read = CLIENTS * (CLIENT_BPS / 8 * (world.now_ps() / 1_000_000) / 1_000_000 + 65_535);
        let sent = world.server.stats().stack.copied_bytes;
        assert!(sent <= read + 2000, "{sent} bytes sent, {read} read or in windows");
    }
    for client in world.clients() {
        let stats = client.stats();
        let rate =
            stats.responses as f64 * f64::from(LARGE_BYTES) * 8.0 / (stats.response_time_ps as f64 * 1e-12);
        assert!((CONFORMING_BPS as f64..=CLIENT_BPS as f64).contains(&rate), "{rate} bit/s");
    }
}

#[test]
fn a_quiet_client_connects_and_asks_when_it_may() {
    const QUIET_PS: u64 = 20_000_000_000;
    let mut nic = PlainNic::new(1 << 28);
    let mut config = ServerConfig { machine: MachineConfig::paper(), ..ServerConfig::default() };
    config.driver.tso_buffers = 0;
    let server = Server::start(&config, Box::new(Never), &mut nic, None).unwrap();
    let workload: SharedWorkload = Rc::new(RefCell::new(Box::new(LargeFiles)));
    let mut host =
        ClientHost::new(ClientConfig { mac: [2, 0, 0, 1, 0, 0], ip: [10, 1, 0, 0], ..Default::default() });
    host.know_neighbour(config.address.mac, config.address.ip);
    let player = Player::new(workload, Future::default(), 1 << 30, 1);
    host.set_player(player.quiet_until(QUIET_PS));
    let mut world = QuickWorld::new(nic, server, vec![host], 1).unwrap();
    // The handshake, and no more before the time has come.
    world.run_until_packets(3).unwrap();
    assert!(world.now_ps() < QUIET_PS / 2, "connected after {} ps", world.now_ps());
    assert_eq!(world.server.stats().stack.accepted, 1);
    world.run_until_packets(4).unwrap();
    assert!(world.now_ps() >= QUIET_PS, "a request after {} ps", world.now_ps());
    while world.clients()[0].stats().responses == 0 {
        assert!(world.packets < 20_000, "no response after {} ps", world.now_ps());
        world.run_until_packets(world.packets + 100).unwrap();
    }
}

#[test]
fn the_same_seed_gives_the_same_cycles() {
    let once = run("W-0-N-N-FCFS-400", Some(200), MachineConfig::paper(), 10_000);
    let again = run("W-0-N-N-FCFS-400", Some(200), MachineConfig::paper(), 10_000);
    assert_eq!(once.profile, again.profile);
    assert_eq!((once.responses, once.seconds), (again.responses, again.seconds));
}

#[test]
fn a_free_server_has_an_empty_profile() {
    let mut nic = PlainNic::new(32 << 20);
    let mut config = ServerConfig::default();
    config.driver.tso_buffers = 0;
    let server = Server::start(&config, Box::new(Never), &mut nic, None).unwrap();
    assert_eq!(server.profile(1_000_000_000).total().cycles, 0);
}

#[test]
fn the_document_has_the_table_of_constants() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/model.md");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(
        text.contains(&costs::markdown()),
        "docs/model.md is stale: put the output of `baton calibrate --constants` there"
    );
}

//! The anchors that the cost model is calibrated on, and the model beside them. All are of the machine without offload.
//!
//! The runs use the functional NIC of [`super::plain_nic`]; `baton run W-0-N-N-FCFS-400` is the same on the RTL.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Result;

use super::plain_nic::PlainNic;
use super::quick::QuickWorld;
use super::{Function, MachineConfig, Meter, Profile};
use crate::client::player::{Player, SharedWorkload};
use crate::client::ClientHost;
use crate::experiment::run::{client_config, server_config, START_INTERVAL_PS};
use crate::experiment::{Config, Options};
use crate::policy::Future;
use crate::server::{Never, Server};

/// A figure of the paper and the model's.
#[derive(Clone, Debug)]
pub struct Anchor {
    pub name: &'static str,
    pub unit: &'static str,
    /// `None` for what the paper does not state.
    pub paper: Option<f64>,
    /// The paper states only that the figure is above this one.
    pub above: bool,
    pub model: f64,
}

/// A run without offload.
#[derive(Clone, Debug)]
pub struct Run {
    pub profile: Profile,
    pub responses: u64,
    pub packets: u64,
    pub seconds: f64,
    pub body_bytes: u64,
    pub response_time_ms: f64,
    pub failed: u64,
}

/// Runs a configuration without offload on the functional NIC: `warmup` packets, then `packets` that count.
///
/// # Errors
/// When the configuration or an option is out of range, or the machine fails.
pub fn run(
    config: &Config,
    options: &Options,
    machine: &MachineConfig,
    warmup: u64,
    packets: u64,
) -> Result<Run> {
    let mut nic = PlainNic::new(1 << 30);
    let mut server = server_config(config, options);
    server.machine = *machine;
    let address = server.address;
    let server = Server::start(&server, Box::new(Never), &mut nic, None)?;
    let clients = options.clients(config);
    let scale = options.client_time_scale;
    let workload: SharedWorkload =
        Rc::new(RefCell::new(config.workload.start(options.seed, clients, options.trace.as_deref())?));
    let hosts = (0..clients)
        .map(|index| {
            let mut host = ClientHost::new(client_config(index, options));
            host.know_neighbour(address.mac, address.ip);
            let start_ps = u64::from(index) * START_INTERVAL_PS;
            host.set_player(Player::new(Rc::clone(&workload), Future::default(), start_ps, scale));
            host
        })
        .collect();
    let mut world = QuickWorld::new(nic, server, hosts, scale)?;
    world.run_until_packets(warmup)?;
    let start = Totals::of(&world);
    world.run_until_packets(warmup + packets)?;
    let end = Totals::of(&world);
    let responses = end.responses - start.responses;
    Ok(Run {
        profile: end.profile.since(&start.profile),
        responses,
        packets: end.packets - start.packets,
        seconds: (end.now_ps - start.now_ps) as f64 / 1e12,
        body_bytes: end.body_bytes - start.body_bytes,
        response_time_ms: (end.response_time_ps - start.response_time_ps) as f64
            / responses.max(1) as f64
            / scale as f64
            / 1e9,
        failed: end.failed,
    })
}

struct Totals {
    now_ps: u64,
    packets: u64,
    responses: u64,
    body_bytes: u64,
    response_time_ps: u64,
    failed: u64,
    profile: Profile,
}

impl Totals {
    fn of(world: &QuickWorld) -> Totals {
        let mut totals = Totals {
            now_ps: world.now_ps(),
            packets: world.packets,
            responses: 0,
            body_bytes: 0,
            response_time_ps: 0,
            failed: 0,
            profile: world.profile(),
        };
        for client in world.clients() {
            let stats = client.stats();
            totals.responses += stats.responses;
            totals.body_bytes += stats.body_bytes;
            totals.response_time_ps += stats.response_time_ps;
            totals.failed += stats.connections_failed;
        }
        totals
    }
}

impl Run {
    pub fn requests_per_second(&self) -> f64 {
        self.responses as f64 / self.seconds
    }

    pub fn cycles_per_request(&self) -> f64 {
        self.profile.busy_cycles() as f64 / self.responses.max(1) as f64
    }

    pub fn packets_per_request(&self) -> f64 {
        self.packets as f64 / self.responses.max(1) as f64
    }
}

/// Cycles of the TCP layer for a packet when `connections` take turns: an acknowledgement for each arrives, then a
/// segment goes out on each.
pub fn tcp_cycles_per_packet(connections: u16) -> f64 {
    const FRAMES: u32 = 0x1000_0000;
    let mut meter = Meter::new(&MachineConfig::paper());
    for conn in 0..connections {
        meter.opened(conn);
        meter.sendfile(conn, 0x2000_0000 + u32::from(conn) * 4096, 1460);
    }
    // Each buffer and descriptor of rings of 512 comes round in turn.
    let frame = |number: u32| FRAMES + number % 512 * 1536;
    // In an order that is not that of the structures in memory.
    let scattered = |turn: u16| (u32::from(turn) * 1237 % u32::from(connections)) as u16;
    let mut round = |number: u32| {
        let profile = meter.profile(0);
        for turn in 0..connections {
            let conn = scattered(turn);
            let at = frame(number * u32::from(connections) + u32::from(turn));
            meter.dma_wrote(at, 66);
            meter.frame_in(at + 0x100_0000, at);
            meter.tcp_in(conn, at + 66, 0);
            meter.acknowledged(conn, 1460);
        }
        for turn in 0..connections {
            let conn = scattered(turn);
            meter.sendfile(conn, 0x2000_0000 + u32::from(conn) * 4096, 1460);
            meter.tcp_out(conn, frame(u32::from(turn)) + 0x200_0000, 0, 1460);
            meter.index_block(FRAMES - 64, 1);
        }
        meter.profile(0).since(&profile)
    };
    for number in 0..4 {
        round(number);
    }
    round(4).tcp_cycles_per_packet()
}

/// Connections with which no structure of one is left in the caches when its turn comes.
pub const UNCACHED_CONNECTIONS: u16 = 4096;

/// The anchors of the TCP layer, which need no run.
pub fn tcp_anchors() -> [Anchor; 2] {
    let anchor = |name, connections, paper| Anchor {
        name,
        unit: "cycles",
        paper: Some(paper),
        above: false,
        model: tcp_cycles_per_packet(connections),
    };
    [
        anchor("TCP layer, a packet, structures cached", 1, 1312.0),
        anchor("TCP layer, a packet, not cached", UNCACHED_CONNECTIONS, 5364.0),
    ]
}

/// The anchors of the World Cup run.
pub fn world_cup_anchors(run: &Run) -> Vec<Anchor> {
    let anchor = |name, unit, paper, model| Anchor { name, unit, paper, above: false, model };
    vec![
        anchor("World Cup, requests a second", "1/s", Some(23031.0), run.requests_per_second()),
        anchor("World Cup, cycles a request", "cycles", Some(86_800.0), run.cycles_per_request()),
        anchor(
            "World Cup, below the system calls",
            "%",
            Some(57.0),
            100.0 * run.profile.below_system_calls(),
        ),
        anchor("World Cup, idle", "%", Some(0.0), 100.0 * run.profile.idle()),
        anchor("World Cup, response time (not fitted)", "ms", Some(61.0), run.response_time_ms),
        anchor("World Cup, packets a request", "", None, run.packets_per_request()),
    ]
}

/// The anchors of the SPECweb99-static run.
pub fn specweb_static_anchors(run: &Run) -> Vec<Anchor> {
    let anchor = |name, unit, paper, above, model| Anchor { name, unit, paper, above, model };
    vec![
        anchor("SPECweb99-static, in the kernel", "%", Some(70.0), true, 100.0 * run.profile.kernel()),
        anchor("SPECweb99-static, idle", "%", Some(0.0), false, 100.0 * run.profile.idle()),
        anchor("SPECweb99-static, requests a second", "1/s", None, false, run.requests_per_second()),
        anchor("SPECweb99-static, packets a request", "", None, false, run.packets_per_request()),
    ]
}

/// The profile of a run as a table: function, share of cycles, cycles and misses a request.
pub fn profile_table(run: &Run) -> String {
    let requests = run.responses.max(1) as f64;
    let mut text = String::from("function        share  cycles/req  instr/req  L1 miss/req  L2 miss/req\n");
    for function in Function::ALL {
        let work = run.profile.of(function);
        text += &format!(
            "{:<14} {:>5.1} % {:>10.0} {:>10.0} {:>12.1} {:>12.1}\n",
            function.name(),
            100.0 * run.profile.share(&[function]),
            work.cycles as f64 / requests,
            work.instructions as f64 / requests,
            work.l1_misses as f64 / requests,
            work.l2_misses as f64 / requests,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tcp_packet_costs_what_the_paper_says_cached_and_not() {
        for anchor in tcp_anchors() {
            let paper = anchor.paper.unwrap();
            assert!((anchor.model / paper - 1.0).abs() < 0.03, "{anchor:?}");
        }
    }

    #[test]
    fn the_cost_of_a_tcp_packet_rises_with_the_connections() {
        let costs = [1, 64, 256, 512, 1024, 2048, 4096].map(tcp_cycles_per_packet);
        assert!(costs.windows(2).all(|pair| pair[0] <= pair[1] * 1.01), "{costs:?}");
        assert!(costs[6] > 3.5 * costs[0], "{costs:?}");
    }
}

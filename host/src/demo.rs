//! The demo: an HTTP response through a connection that is handed off, restored and handed off again.
//!
//! One client fetches a large body over the connection that moves; others keep connections to the host busy
//! all the while. [`run`] drives the world through the script, checks that every byte arrived, and
//! returns the [`Report`].

mod probes;
mod program;

use crate::client::http::Expect;
use crate::client::{ClientConfig, ClientHost, FetchId, FetchState, Ipv6Pair};
use crate::report::{
    self, Configuration, Delay, Milestone, Outcome, Packets, Report, Sample, Softcore, Throughput, WallClock,
};
use crate::server::driver::own_control_plane;
use crate::server::{NicLoad, Ownership, Selection, Server, ServerConfig, SocketId};
use crate::world::{World, WorldConfig};
use anyhow::{bail, Context, Result};
use baton_abi::address::IpAddress;
use baton_abi::handoff::Endpoints;
use baton_abi::regs::{self, mailbox, SchedMode};
use baton_control_plane::{ConnectionTable, ControlPlane};
use baton_cosim::nic::Nic;
use baton_cosim::port::HostPort;
use baton_cosim::system::{System, SystemConfig};
use baton_cosim::wire::{Faults, WireConfig};
use program::Watch;

/// What to simulate.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoConfig {
    pub seed: u64,
    /// Core clock of the NIC, in hertz.
    pub clock_hz: u64,
    /// Wire, in bits a second.
    pub rate_bps: u64,
    pub mode: SchedMode,
    /// Bytes of the large response.
    pub response_bytes: u32,
    /// Connections that stay on the host, one client machine each.
    pub host_connections: u32,
    /// Bytes of each of their responses.
    pub host_response_bytes: u32,
    /// Chances in a million, in each direction.
    pub loss_ppm: u32,
    pub reorder_ppm: u32,
    /// Core cycles after which an unfinished run has failed.
    pub cycles_max: u64,
    pub sample_us: u64,
    /// VLANs of two tenants: the first is that of the connection that moves. The first of the other clients is in the
    /// second, has the same address and connects from the same port, and the NIC owns its connection too.
    pub tenants: Option<[u16; 2]>,
    /// Frames are sent that the P4 program may tell apart, and what it does with every frame is compared with the
    /// interpreter of the language.
    pub probes: bool,
    /// Tables of the NIC's program: without one of connections, none can be handed off; with one for both families, the
    /// connection that moves is one over IPv6, the NIC owns one over IPv4 too, and of the others every second is over IPv6.
    pub control_plane: ControlPlane,
}

impl Default for DemoConfig {
    fn default() -> Self {
        DemoConfig {
            seed: 1,
            clock_hz: 125_000_000,
            rate_bps: 1_000_000_000,
            mode: SchedMode::Direct,
            response_bytes: 1 << 20,
            host_connections: 8,
            host_response_bytes: 16 << 10,
            loss_ppm: 0,
            reorder_ppm: 0,
            cycles_max: 400_000_000,
            sample_us: 200,
            tenants: None,
            probes: false,
            control_plane: own_control_plane(),
        }
    }
}

impl DemoConfig {
    /// The machine around the NIC.
    pub fn system(&self) -> SystemConfig {
        let faults = Faults {
            loss_ppm: self.loss_ppm,
            reorder_ppm: self.reorder_ppm,
            delay_ps: 200_000_000,
            ..Faults::default()
        };
        SystemConfig {
            clock_hz: self.clock_hz,
            wire: WireConfig {
                rate_bps: self.rate_bps,
                to_nic: faults,
                from_nic: faults,
                seed: self.seed,
                ..WireConfig::default()
            },
            ..SystemConfig::default()
        }
    }

    /// The server: a short retransmission timeout, because simulated time is dear and the wire is short.
    pub fn server(&self) -> ServerConfig {
        let mut config = ServerConfig { seed: self.seed, ..ServerConfig::default() };
        config.driver.sched_mode = self.mode;
        config.driver.by_class = true;
        config.driver.control_plane = self.control_plane.clone();
        config.ipv6 = self.has_ipv6().then_some(SERVER_IPV6);
        config.driver.ticks_per_us = (self.clock_hz / 1_000_000) as u32;
        config.tcp.min_rto_us = 3_000;
        config.tcp.delayed_ack_us = 500;
        config
    }

    /// Address from which a client connects.
    pub fn client_ip(&self, index: usize) -> IpAddress {
        let client = self.client(index as u32);
        client.ipv6.map_or(client.ip.into(), |pair| pair.own.into())
    }

    fn table(&self) -> Option<ConnectionTable> {
        // The driver says what is wrong with a description.
        self.control_plane.connections().ok().flatten()
    }

    /// The NIC's connections are of both families.
    fn has_ipv6(&self) -> bool {
        self.table().is_some_and(|table| table.has_ipv6())
    }

    /// Clients whose connections are handed off when they are established.
    fn on_nic(&self) -> usize {
        match self.table() {
            None => 0,
            Some(_) if self.tenants.is_some() || self.has_ipv6() => 2,
            Some(_) => 1,
        }
    }

    /// VLAN of a client; 0 for none.
    fn client_vlan(&self, index: usize) -> u16 {
        self.tenants.and_then(|vlans| vlans.get(index).copied()).unwrap_or(0)
    }

    fn client(&self, index: u32) -> ClientConfig {
        let vlan = self.client_vlan(index as usize);
        // Tenants have the same address.
        let host = if vlan == 0 { index } else { 0 };
        let over_ipv6 = self.has_ipv6() && (index as usize) % 2 == MOVING;
        let ipv6 = over_ipv6.then(|| {
            let mut own = SERVER_IPV6;
            (own[13], own[15]) = (1, host as u8 + 1);
            Ipv6Pair { own, server: SERVER_IPV6 }
        });
        ClientConfig {
            vlan,
            mac: [0x02, 0, 0, 1, 0, index as u8 + 1],
            ip: [10, 0, 1, host as u8 + 1],
            ipv6,
            seed: self.seed.wrapping_add(u64::from(index)),
            ack_delay_us: Some(500 * CLIENT_TIME_SCALE),
            ..ClientConfig::default()
        }
    }
}

/// The clients' least retransmission timeout of a second becomes 10 ms, beside the server's 3 ms.
const CLIENT_TIME_SCALE: u64 = 100;

/// 2001:db8::1, beside the server's address of IPv4.
const SERVER_IPV6: [u8; 16] = [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// The client whose connection moves.
const MOVING: usize = 0;

/// Where the script stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The connection is offered when it is established.
    FirstHandoff,
    /// The NIC sends until a third of the response has arrived.
    FirstTurn,
    Restore,
    /// The host sends until half of the response has arrived.
    HostTurn,
    SecondHandoff,
    /// The NIC sends the rest.
    SecondTurn,
}

/// Called now and then with the response bytes that have arrived, of those expected.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

struct Script<'p> {
    config: DemoConfig,
    stage: Stage,
    /// Each client's connection.
    fetches: Vec<FetchId>,
    requests: u64,
    socket: Option<SocketId>,
    milestones: Vec<Milestone>,
    series: Vec<Sample>,
    first_byte_ps: Option<u64>,
    last_byte_ps: u64,
    bytes: u64,
    /// Clients whose connection was seen on the NIC.
    seen_on_nic: Vec<bool>,
    watch: Option<Watch<'p>>,
}

/// The demo's world: a server that runs, and idle clients, one more than there are host connections.
pub fn build<N: Nic>(
    config: &DemoConfig,
    nic: N,
    firmware: &[u8],
    selection: Box<dyn Selection>,
) -> Result<World<N>> {
    let mut system = System::new(nic, config.system());
    let server = Server::start(&config.server(), selection, &mut system, Some(firmware))?;
    let clients = (0..=config.host_connections).map(|i| ClientHost::new(config.client(i))).collect();
    let world = WorldConfig { client_time_scale: CLIENT_TIME_SCALE, ..WorldConfig::default() };
    Ok(World::new(system, server, clients, world))
}

/// Builds the world and runs it to its end. `nic` is a NIC in reset; `firmware` its image.
///
/// # Errors
/// When the machine cannot be built or the server's software fails. A run that ends with bytes missing or
/// wrong is no error here: its report says so.
pub fn run<N: Nic>(
    config: &DemoConfig,
    nic: N,
    firmware: &[u8],
    prepare: impl FnOnce(&mut System<N>) -> Result<()>,
    progress: Progress,
) -> Result<Report> {
    let started = std::time::Instant::now();
    let offered: Vec<IpAddress> = (0..config.on_nic()).map(|client| config.client_ip(client)).collect();
    let selection = move |endpoints: &Endpoints, load: NicLoad| {
        offered.contains(&endpoints.remote_ip) && load.connections < load.soft_limit
    };
    let mut world = build(config, nic, firmware, Box::new(selection))?;
    prepare(&mut world.system)?;
    let program = if config.probes { Some(program::read()?) } else { None };
    let watch = match &program {
        Some(program) => {
            let address = config.server().address;
            Some(Watch::start(program, &mut world, address.mac, address.ip)?)
        }
        None => None,
    };
    let mut script = Script::start(config, &mut world, watch);
    let finished = script.play(&mut world, progress)?;
    world.system.capture_end()?;
    script.report(&mut world, finished, firmware.len(), started.elapsed().as_secs_f64())
}

impl<'p> Script<'p> {
    fn start<N: Nic>(config: &DemoConfig, world: &mut World<N>, watch: Option<Watch<'p>>) -> Script<'p> {
        let body = Expect::file(config.seed, config.response_bytes);
        let moving = world.client_mut(MOVING).fetch([body]);
        let mut script = Script {
            config: config.clone(),
            stage: Stage::FirstHandoff,
            fetches: vec![moving],
            requests: 0,
            socket: None,
            milestones: Vec::new(),
            series: Vec::new(),
            first_byte_ps: None,
            last_byte_ps: 0,
            bytes: 0,
            seen_on_nic: vec![false; world.clients().len()],
            watch,
        };
        for index in 1..world.clients().len() {
            let expect = script.next_request();
            script.fetches.push(world.client_mut(index).connect([expect]));
        }
        script
    }

    fn next_request(&mut self) -> Expect {
        self.requests += 1;
        // A few bodies only: the server keeps each in memory.
        Expect::file(self.config.seed + 1 + self.requests % 4, self.config.host_response_bytes)
    }

    /// Runs the script; whether everything finished in time.
    fn play<N: Nic>(&mut self, world: &mut World<N>, progress: Progress) -> Result<bool> {
        let sample_ps = self.config.sample_us * 1_000_000;
        let mut next_sample_ps = 0;
        while world.system.cycles() < self.config.cycles_max {
            for _ in 0..64 {
                world.step()?;
            }
            let now_ps = world.system.now_ps();
            self.advance(world);
            self.watch(world, now_ps);
            if now_ps >= next_sample_ps {
                next_sample_ps = now_ps - now_ps % sample_ps + sample_ps;
                self.sample(world)?;
                if let Some(watch) = &mut self.watch {
                    watch.look();
                    watch.probe(world);
                }
                progress(self.bytes, u64::from(self.config.response_bytes));
            }
            if self.failed(world) {
                return Ok(false);
            }
            if world.clients().iter().all(ClientHost::idle) {
                // Let acknowledgements, timers of closed connections and last events settle.
                world.run_until(self.config.clock_hz / 1000, |_| false)?;
                self.sample(world)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Every client with its connection.
    fn clients(&self) -> impl Iterator<Item = (usize, FetchId)> + '_ {
        self.fetches.iter().copied().enumerate()
    }

    fn failed<N: Nic>(&self, world: &World<N>) -> bool {
        self.clients().any(|(client, id)| matches!(world.client(client).state(id), FetchState::Failed(_)))
    }

    /// Takes the next step of the script when its condition holds.
    fn advance<N: Nic>(&mut self, world: &mut World<N>) {
        if self.socket.is_none() {
            self.socket = socket_of(world, &self.config, MOVING, self.fetches[MOVING]);
        }
        let Some(socket) = self.socket else { return };
        let Some(owner) = world.server.stack().ownership(socket) else { return };
        let total = u64::from(self.config.response_bytes);
        match (self.stage, owner) {
            (Stage::FirstHandoff, Ownership::Nic) => self.reach(world, Stage::FirstTurn, "handed off"),
            (Stage::FirstTurn, Ownership::Nic) if self.bytes >= total / 3 => {
                if world.ask_server(|server, port| server.restore(port, socket)).is_ok() {
                    self.reach(world, Stage::Restore, "restore asked for");
                }
            }
            (Stage::Restore, Ownership::Host) => self.reach(world, Stage::HostTurn, "restored"),
            (Stage::HostTurn, Ownership::Host) if self.bytes >= total / 2 => {
                if world.ask_server(|server, port| server.handoff(port, socket)).is_ok() {
                    self.reach(world, Stage::SecondHandoff, "second handoff asked for");
                }
            }
            (Stage::SecondHandoff, Ownership::Nic) => {
                self.reach(world, Stage::SecondTurn, "handed off again")
            }
            _ => {}
        }
    }

    fn reach<N: Nic>(&mut self, world: &World<N>, stage: Stage, what: &str) {
        self.stage = stage;
        self.milestones.push(Milestone {
            at_us: world.system.now_ps() / 1_000_000,
            at_cycle: world.system.cycles(),
            what: what.into(),
            bytes: self.bytes,
        });
    }

    /// Follows the clients, and keeps the host connections busy as long as the large response lasts.
    fn watch<N: Nic>(&mut self, world: &mut World<N>, now_ps: u64) {
        let bytes = world.client(MOVING).body_bytes(self.fetches[MOVING]);
        if bytes > self.bytes {
            self.first_byte_ps.get_or_insert(now_ps);
            self.last_byte_ps = now_ps;
            self.bytes = bytes;
        }
        let over = bytes >= u64::from(self.config.response_bytes);
        for client in (0..self.fetches.len()).filter(|client| *client != MOVING) {
            let id = self.fetches[client];
            if world.client(client).outstanding(id) == 0
                && *world.client(client).state(id) == FetchState::Active
            {
                if over {
                    world.client_mut(client).finish(id);
                } else {
                    let expect = self.next_request();
                    world.client_mut(client).request(id, expect);
                }
            }
        }
    }

    fn sample<N: Nic>(&mut self, world: &mut World<N>) -> Result<()> {
        let (mut host_bytes, mut on_nic) = (0, false);
        for client in 0..self.fetches.len() {
            let id = self.fetches[client];
            let socket = socket_of(world, &self.config, client, id);
            let owned = socket.and_then(|s| world.server.stack().ownership(s)) == Some(Ownership::Nic);
            self.seen_on_nic[client] |= owned;
            match client {
                MOVING => on_nic = owned,
                _ => host_bytes += world.client(client).body_bytes(id),
            }
        }
        let system = &mut world.system;
        let mut read = |register| system.reg_read(register);
        let nic_packets =
            u64::from(read(regs::STAT_NIC_RX_FRAMES)?) + u64::from(read(regs::STAT_NIC_TX_FRAMES)?);
        let host_packets =
            u64::from(read(regs::STAT_HOST_RX_FRAMES)?) + u64::from(read(regs::STAT_HOST_TX_FRAMES)?);
        let (nic_queue, host_queue) = (read(regs::STAT_NIC_RX_QLEN)?, read(regs::STAT_HOST_RX_QLEN)?);
        let idle_cycles = u64::from(read(regs::STAT_CORE_IDLE_CYCLES)?);
        self.series.push(Sample {
            at_us: system.now_ps() / 1_000_000,
            offloaded_bytes: self.bytes,
            host_bytes,
            nic_packets,
            host_packets,
            nic_rx_queue: nic_queue & 0xFFFF,
            host_rx_queue: host_queue & 0xFFFF,
            idle_cycles,
            core_cycles: system.cycles(),
            on_nic,
        });
        Ok(())
    }

    /// What went wrong, if anything.
    fn failures<N: Nic>(&self, world: &mut World<N>, finished: bool) -> Result<Vec<String>> {
        let mut failures = Vec::new();
        for (client, id) in self.clients() {
            match world.client(client).state(id) {
                FetchState::Done => {}
                state => failures.push(format!("client {client}: {state:?}")),
            }
        }
        if !finished && failures.is_empty() {
            failures.push("the run did not finish".into());
        }
        if self.stage != Stage::SecondTurn && self.config.on_nic() > 0 {
            failures.push(format!("the script stopped at {:?}", self.stage));
        }
        if self.bytes != u64::from(self.config.response_bytes) {
            failures.push(format!("{} of {} response bytes arrived", self.bytes, self.config.response_bytes));
        }
        for client in
            (0..self.config.on_nic()).filter(|client| !self.seen_on_nic.get(*client).unwrap_or(&false))
        {
            failures.push(format!("the connection of client {client} never was on the NIC"));
        }
        let errors = world.system.register_write_errors();
        if errors > 0 {
            failures.push(format!("{errors} register writes were refused"));
        }
        let firmware = world.system.reg_read(regs::STS + 4 * mailbox::STS_FIRMWARE as u32)?;
        if firmware != 1 {
            let pc = world.system.reg_read(regs::STS + 4 * mailbox::STS_FAULT_PC as u32)?;
            failures.push(format!("firmware state {firmware:#010x} at {pc:#010x}"));
        }
        Ok(failures)
    }

    fn report<N: Nic>(
        mut self,
        world: &mut World<N>,
        finished: bool,
        firmware_bytes: usize,
        seconds: f64,
    ) -> Result<Report> {
        let mut failures = self.failures(world, finished)?;
        let mut program = None;
        if let Some(watch) = self.watch.take() {
            let (record, mut faults) = watch.finish(world)?;
            program = Some(record);
            failures.append(&mut faults);
        }
        let simulated_ps = world.system.now_ps();
        let core_cycles = world.system.cycles();
        let connections = self.connections(world);
        let bytes_checked: u64 = connections.iter().map(|c| c.bytes).sum();
        let packets = packets(world)?;
        let moved_ps = self.last_byte_ps.saturating_sub(self.first_byte_ps.unwrap_or(self.last_byte_ps));
        let config = &self.config;
        Ok(Report {
            configuration: Configuration {
                seed: config.seed,
                core_clock_hz: config.clock_hz,
                wire_rate_bps: config.rate_bps,
                scheduler_mode: format!("{:?}", config.mode).to_lowercase(),
                response_bytes: u64::from(config.response_bytes),
                host_connections: config.host_connections,
                firmware_bytes: firmware_bytes as u64,
                sample_us: config.sample_us,
                loss_ppm: config.loss_ppm,
                reorder_ppm: config.reorder_ppm,
            },
            outcome: Outcome {
                ok: failures.is_empty(),
                failures,
                bytes_checked,
                simulated_us: simulated_ps / 1_000_000,
                core_cycles,
            },
            throughput: Throughput {
                offloaded_bps: bits_per_second(self.bytes, moved_ps),
                total_bps: bits_per_second(bytes_checked, simulated_ps),
            },
            softcore: softcore(world, core_cycles, packets.nic_received + packets.nic_sent)?,
            packets,
            program,
            host_packet_delay: Delay::of(world.server.take_host_packet_delays(), 60),
            connections,
            handoffs: self.milestones,
            series: self.series,
            wall_clock: WallClock { seconds, core_cycles_per_second: core_cycles as f64 / seconds.max(1e-9) },
        })
    }

    fn connections<N: Nic>(&self, world: &World<N>) -> Vec<report::Connection> {
        self.clients()
            .map(|(client, id)| {
                let host = world.client(client);
                let vlan = match self.config.client_vlan(client) {
                    0 => String::new(),
                    vlan => format!("VLAN {vlan}, "),
                };
                let family = match self.config.has_ipv6() {
                    false => String::new(),
                    true if host.is_ipv6() => "IPv6, ".into(),
                    true => "IPv4, ".into(),
                };
                report::Connection {
                    name: format!("client {client}, {vlan}{family}port {}", host.local_port(id)),
                    handed_off: self.seen_on_nic[client],
                    responses: host.completed(id) as u64,
                    bytes: host.body_bytes(id),
                    ok: *host.state(id) == FetchState::Done,
                }
            })
            .collect()
    }
}

fn packets<N: Nic>(world: &mut World<N>) -> Result<Packets> {
    let mut read = |register| world.system.reg_read(register).map(u64::from);
    let mut dropped = Vec::new();
    for (reason, register) in [
        ("bad frame check sequence", regs::STAT_RX_BAD_FCS),
        ("bad length", regs::STAT_RX_BAD_LENGTH),
        ("bad checksum", regs::STAT_RX_BAD_CHECKSUM),
        ("staging memory full", regs::STAT_RX_OVERFLOW),
        ("host receive queue full", regs::STAT_HOST_RX_DROPS),
        ("NIC receive queue full", regs::STAT_NIC_RX_DROPS),
        ("bad transmit descriptor", regs::STAT_TX_BAD_DESCRIPTORS),
        ("DMA read refused or failed", regs::STAT_DMA_READ_ERRORS),
        ("DMA write refused or failed", regs::STAT_DMA_WRITE_ERRORS),
    ] {
        dropped.push((reason.to_string(), read(register)?));
    }
    Ok(Packets {
        nic_received: read(regs::STAT_NIC_RX_FRAMES)?,
        nic_sent: read(regs::STAT_NIC_TX_FRAMES)?,
        host_received: read(regs::STAT_HOST_RX_FRAMES)?,
        host_sent: read(regs::STAT_HOST_TX_FRAMES)?,
        dropped,
        nic_retransmits: read(regs::STS + 4 * mailbox::STS_RETRANSMITS as u32)?,
    })
}

fn softcore<N: Nic>(world: &mut World<N>, core_cycles: u64, packets: u64) -> Result<Softcore> {
    let instructions = u64::from(world.system.reg_read(regs::STAT_CORE_INSTRUCTIONS)?);
    let idle_cycles = u64::from(world.system.reg_read(regs::STAT_CORE_IDLE_CYCLES)?);
    if idle_cycles > core_cycles {
        bail!("the softcore slept {idle_cycles} of {core_cycles} cycles");
    }
    let busy_cycles = core_cycles - idle_cycles;
    let each = |count: u64| if packets == 0 { 0.0 } else { count as f64 / packets as f64 };
    Ok(Softcore {
        instructions,
        busy_cycles,
        idle_cycles,
        idle_share: idle_cycles as f64 / core_cycles.max(1) as f64,
        instructions_per_packet: each(instructions),
        cycles_per_packet: each(busy_cycles),
    })
}

fn bits_per_second(bytes: u64, ps: u64) -> u64 {
    if ps == 0 {
        return 0;
    }
    (u128::from(bytes) * 8 * 1_000_000_000_000 / u128::from(ps)) as u64
}

/// The server's end of a client's connection, once it is there.
pub fn socket_of<N: Nic>(
    world: &World<N>,
    config: &DemoConfig,
    client: usize,
    id: FetchId,
) -> Option<SocketId> {
    let (ip, port) = (config.client_ip(client), world.client(client).local_port(id));
    let vlan = config.client_vlan(client);
    let stack = world.server.stack();
    stack.sockets().find(|id| {
        stack.endpoints(*id).is_some_and(|e| e.vlan == vlan && e.remote_ip == ip && e.remote_port == port)
    })
}

/// Reads a firmware image.
pub fn read_firmware(path: &std::path::Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| {
        format!("cannot read the firmware image {}; `cargo xtask firmware` makes it", path.display())
    })
}

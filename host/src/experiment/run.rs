//! One run: the world of a configuration, its warm-up, its measurement.

use super::config::PACE_CYCLES;
use super::record::{median, Sample};
use super::{Config, Options, Record};
use crate::client::player::{Player, SharedWorkload};
use crate::client::{ClientConfig, ClientHost};
use crate::machine::{Function, MachineConfig};
use crate::policy::{self, Future};
use crate::server::driver::{frame_key, SendLog};
use crate::server::{Server, ServerConfig};
use crate::world::{World, WorldConfig};
use anyhow::{ensure, Context, Result};
use baton_abi::regs::{self, mailbox, SchedMode};
use baton_cosim::nic::Nic;
use baton_cosim::port::HostPort;
use baton_cosim::system::{Event, System, SystemConfig};
use baton_cosim::wire::WireConfig;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Time between the first connections of two clients: 2048 are there after 102 ms. Faster, and the NIC drops some of their first
/// packets before its softcore has moved them, and these clients wait for a retransmission.
pub(crate) const START_INTERVAL_PS: u64 = 50_000_000;
/// Time between the first requests of two clients, which begin when all are connected: so the server is busy from the first moment on. With a
/// few clients it would answer those on the NIC so soon that they fill the NIC before the others have come, a state that lasts where
/// host packets do not go first.
const REQUEST_INTERVAL_PS: u64 = 20_000_000;
/// Time over which the first requests of paced clients are spread: about what one response takes at their pace.
const PACED_START_PS: u64 = 300_000_000_000;
/// Time between two samples of the NIC's state.
const SAMPLE_PS: u64 = 500_000_000;
/// Simulated time without a response after which a run has failed.
const STUCK_PS: u64 = 3_000_000_000_000;

/// Told of packets so far and packets in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

fn system_config(config: &Config, options: &Options) -> SystemConfig {
    SystemConfig {
        clock_hz: u64::from(options.core_mhz(config)) * 1_000_000,
        memory_bytes: 1 << 30,
        wire: WireConfig { seed: options.seed, ..WireConfig::default() },
        ..SystemConfig::default()
    }
}

/// The paper's server: no TSO, and from FreeBSD 4.7 the delayed ACK (100 ms) and the initial window to clients on its own network (four
/// segments, `ss_fltsz_local` in `tcp_output.c`).
pub(crate) fn server_config(config: &Config, options: &Options) -> ServerConfig {
    let mut server = ServerConfig { seed: options.seed, ..ServerConfig::default() };
    server.connections = (options.clients(config) * 2 + 64).min(65535);
    server.driver.sched_mode = match (options.direct, config.priority) {
        (true, _) => SchedMode::Direct,
        (false, true) => SchedMode::HostFirst,
        (false, false) => SchedMode::Fcfs,
    };
    server.driver.ticks_per_us = options.core_mhz(config);
    server.driver.tx_log2 = 12;
    server.driver.rx_log2 = 12;
    server.driver.cmd_log2 = 12;
    server.driver.evt_log2 = 12;
    server.driver.send_queue = options.send_queue;
    server.driver.spare_rx_buffers = 4096;
    server.driver.tso_buffers = 0;
    server.driver.mailbox[mailbox::CFG_HARD_LIMIT] = config.connections;
    server.driver.mailbox[mailbox::CFG_HIWAT] = options.hiwat;
    server.driver.mailbox[mailbox::CFG_LOWAT] = options.lowat;
    server.driver.mailbox[mailbox::CFG_LOAD_CONTROL] = u32::from(config.load_control);
    if !options.free_server {
        server.machine = MachineConfig::paper();
    }
    server.tcp.min_rto_us = options.min_rto_ms * 1000;
    server.tcp.initial_window = 4;
    server.tcp.delayed_ack_us = 100_000;
    // As web servers set it: the tail of a response does not wait for a delayed acknowledgement.
    server.tcp.nagle = false;
    server
}

pub(crate) fn client_config(index: u32, options: &Options) -> ClientConfig {
    let [_, _, high, low] = index.to_be_bytes();
    ClientConfig {
        mac: [0x02, 0, 0, 1, high, low],
        ip: [10, 1, high, low],
        seed: options.seed.wrapping_mul(0x9E37_79B9).wrapping_add(u64::from(index)),
        ack_delay_us: Some(100_000 * options.client_time_scale),
        first_timeout_s: options.client_first_timeout,
        ..ClientConfig::default()
    }
}

/// Counts at a moment; a measurement is the difference of two.
#[derive(Clone, Debug, Default)]
struct Counts {
    now_ps: u64,
    cycles: u64,
    packets: u64,
    responses: u64,
    /// Requests that the web server has answered; the responses may be on their way.
    answered: u64,
    body_bytes: u64,
    response_time_ps: u64,
    failed: u64,
    idle_cycles: u32,
    instructions: u32,
    nic_frames: u32,
    host_frames: u32,
    /// Frames of the wire that were dropped: for want of room in the host queue, and anywhere.
    host_drops: u32,
    drops: u32,
    retransmits: u32,
    /// Segments of the host that its send queue had no room for.
    queue_drops: u64,
    /// That the server's processor took.
    interrupts: u64,
    established: u64,
    ended: u64,
    ended_handed_off: u64,
    reclaimed: u64,
    handoffs: u64,
    restores: u64,
    refused: u64,
    profile: BTreeMap<String, f64>,
}

/// See the module's header.
pub struct Run<N: Nic> {
    config: Config,
    options: Options,
    world: World<N>,
    workload: String,
    send_delays: Rc<RefCell<Vec<u64>>>,
    series: Vec<Sample>,
    next_sample_ps: u64,
    limit_sum: f64,
    cnum_sum: f64,
    samples_measured: u64,
}

impl<N: Nic> Run<N> {
    /// The world of `config`, about to start.
    ///
    /// # Errors
    /// When an option is out of range, the firmware's table is too small, or the machine cannot be built.
    pub fn new(config: &Config, options: &Options, nic: N, firmware: &[u8]) -> Result<Self> {
        options.check(config)?;
        let clients = options.clients(config);
        let mut system = System::new(nic, system_config(config, options));
        let future = Future::default();
        let context = policy::Context { slots: config.connections, future: future.clone() };
        let word = if config.connections == 0 { "NONE" } else { &config.selection };
        let selection = policy::parse(word, &context)?;
        let server_config = server_config(config, options);
        let address = server_config.address;
        let mut server = Server::start(&server_config, selection, &mut system, Some(firmware))?;
        let table = system.reg_read(regs::STS + 4 * mailbox::STS_TABLE_SIZE as u32)?;
        ensure!(
            config.connections <= table,
            "this firmware image holds {table} connections, not {}; `cargo xtask firmware --connections 4096 --ram-kib 2048` \
             makes a larger one, and `cargo xtask run` does so by itself",
            config.connections
        );
        system.reg_write(regs::CORE_PACE, PACE_CYCLES - options.core_cycles());
        let send_delays = measure_sends(&mut system, &mut server);
        let workload: SharedWorkload =
            Rc::new(RefCell::new(config.workload.start(options.seed, clients, options.trace.as_deref())?));
        let description = workload.borrow().describe();
        let scale = options.client_time_scale;
        let paced = workload.borrow().pace_bps().is_some();
        let interval_ps = if paced { PACED_START_PS / u64::from(clients) } else { START_INTERVAL_PS };
        let hosts = (0..clients)
            .map(|index| {
                let mut host = ClientHost::new(client_config(index, options));
                host.know_neighbour(address.mac, address.ip);
                let start_ps = u64::from(index) * interval_ps;
                let mut player = Player::new(Rc::clone(&workload), future.clone(), start_ps, scale);
                if !paced {
                    let connected_ps = u64::from(clients) * interval_ps;
                    player = player.quiet_until(connected_ps + u64::from(index) * REQUEST_INTERVAL_PS);
                }
                host.set_player(player);
                host
            })
            .collect();
        let world_config = WorldConfig { client_time_scale: scale, ..WorldConfig::default() };
        let world = World::new(system, server, hosts, world_config);
        Ok(Run {
            config: config.clone(),
            options: options.clone(),
            world,
            workload: description,
            send_delays,
            series: Vec::new(),
            next_sample_ps: 0,
            limit_sum: 0.0,
            cnum_sum: 0.0,
            samples_measured: 0,
        })
    }

    pub fn system_mut(&mut self) -> &mut System<N> {
        &mut self.world.system
    }

    /// Runs to the end of the measurement.
    ///
    /// # Errors
    /// When the server's software fails or nothing moves any more.
    pub fn play(mut self, progress: Progress) -> Result<Record> {
        let started = std::time::Instant::now();
        let all = self.options.warmup_packets + self.options.packets;
        self.until(self.options.warmup_packets, all, progress)?;
        let before = self.counts()?;
        // What was measured before counts no more.
        self.world.server.take_host_packet_delays();
        self.send_delays.borrow_mut().clear();
        (self.limit_sum, self.cnum_sum, self.samples_measured) = (0.0, 0.0, 0);
        self.until(all, all, progress)?;
        let after = self.counts()?;
        self.record(&before, &after, started.elapsed().as_secs_f64())
    }

    /// Runs so many core cycles from reset, for a waveform of a window.
    pub fn play_cycles(mut self, cycles: u64) -> Result<()> {
        while self.world.system.cycles() < cycles {
            self.world.step()?;
        }
        Ok(())
    }

    fn packets(&self) -> u64 {
        self.world.system.wire_stats().iter().map(|direction| direction.frames).sum()
    }

    fn until(&mut self, packets: u64, all: u64, progress: Progress) -> Result<()> {
        let (mut last, mut moved_ps) = (self.packets(), self.world.system.now_ps());
        loop {
            for _ in 0..256 {
                self.world.step()?;
            }
            let (now, now_ps) = (self.packets(), self.world.system.now_ps());
            if now_ps >= self.next_sample_ps {
                self.next_sample_ps = now_ps - now_ps % SAMPLE_PS + SAMPLE_PS;
                self.sample()?;
                progress(now, all);
            }
            if now != last {
                (last, moved_ps) = (now, now_ps);
            }
            if now >= packets {
                return Ok(());
            }
            ensure!(
                now_ps - moved_ps < STUCK_PS,
                "no packet for {} s of simulated time, after {now} packets (seed {})",
                STUCK_PS / 1_000_000_000_000,
                self.options.seed
            );
        }
    }

    fn sample(&mut self) -> Result<()> {
        let packets = self.packets();
        let responses = self.world.clients().iter().map(|c| c.stats().responses).sum();
        let system = &mut self.world.system;
        let connections = system.reg_read(regs::STS + 4 * mailbox::STS_CNUM as u32)?;
        let soft_limit = system.reg_read(regs::STS + 4 * mailbox::STS_SOFT_LIMIT as u32)?;
        let qlen = system.reg_read(regs::STAT_NIC_RX_QLEN)?;
        self.limit_sum += f64::from(soft_limit);
        self.cnum_sum += f64::from(connections);
        self.samples_measured += 1;
        let at_us = self.world.system.now_ps() / 1_000_000;
        self.series.push(Sample {
            at_us,
            connections,
            soft_limit,
            qlen: qlen & 0xFFFF,
            qlen_most: qlen >> 16,
            packets,
            responses,
        });
        Ok(())
    }

    fn counts(&mut self) -> Result<Counts> {
        let packets = self.packets();
        let selection = self.world.server.selection_stats();
        let stats = self.world.server.stats();
        let stack = stats.stack;
        let mut counts = Counts {
            packets,
            answered: stats.http.responses,
            interrupts: stats.driver.interrupts,
            established: selection.established,
            ended: selection.ended,
            ended_handed_off: selection.ended_handed_off,
            reclaimed: selection.reclaimed,
            handoffs: stack.handoffs,
            restores: stack.restores,
            refused: stack.refused,
            queue_drops: stack.queue_drops,
            profile: self.profile(),
            ..Counts::default()
        };
        for client in self.world.clients() {
            let stats = client.stats();
            counts.responses += stats.responses;
            counts.body_bytes += stats.body_bytes;
            counts.response_time_ps += stats.response_time_ps;
            counts.failed += stats.connections_failed;
        }
        let system = &mut self.world.system;
        counts.idle_cycles = system.reg_read(regs::STAT_CORE_IDLE_CYCLES)?;
        counts.cycles = system.cycles();
        counts.now_ps = system.now_ps();
        counts.instructions = system.reg_read(regs::STAT_CORE_INSTRUCTIONS)?;
        for register in [regs::STAT_NIC_RX_FRAMES, regs::STAT_NIC_TX_FRAMES] {
            counts.nic_frames = counts.nic_frames.wrapping_add(system.reg_read(register)?);
        }
        for register in [regs::STAT_HOST_RX_FRAMES, regs::STAT_HOST_TX_FRAMES] {
            counts.host_frames = counts.host_frames.wrapping_add(system.reg_read(register)?);
        }
        counts.host_drops = system.reg_read(regs::STAT_HOST_RX_DROPS)?;
        counts.drops = counts.host_drops;
        for register in [regs::STAT_NIC_RX_DROPS, regs::STAT_RX_OVERFLOW] {
            counts.drops = counts.drops.wrapping_add(system.reg_read(register)?);
        }
        counts.retransmits = system.reg_read(regs::STS + 4 * mailbox::STS_RETRANSMITS as u32)?;
        Ok(counts)
    }

    /// Cycles of the host processor by function.
    fn profile(&self) -> BTreeMap<String, f64> {
        if self.options.free_server {
            return BTreeMap::new();
        }
        let profile = self.world.profile();
        Function::ALL.iter().map(|&f| (f.name().to_string(), profile.of(f).cycles as f64)).collect()
    }

    /// Of the connections that lived in the measurement, the share that the NIC owned at some time, in percent.
    fn handed_off(&self, before: &Counts, after: &Counts) -> f64 {
        let (mut all, mut on_nic) =
            (after.ended - before.ended, after.ended_handed_off - before.ended_handed_off);
        for connection in self.world.server.connections() {
            all += 1;
            on_nic += u64::from(connection.handoffs > 0);
        }
        share(on_nic as f64, all as f64)
    }

    fn record(mut self, before: &Counts, after: &Counts, seconds: f64) -> Result<Record> {
        let elapsed_s = (after.now_ps - before.now_ps) as f64 * 1e-12;
        let rate = |count: u64| count as f64 / elapsed_s;
        let cycles = (after.cycles - before.cycles) as f64;
        let responses = after.responses - before.responses;
        let nic = f64::from(after.nic_frames.wrapping_sub(before.nic_frames));
        let host = f64::from(after.host_frames.wrapping_sub(before.host_frames));
        let receive_delays = self.world.server.take_host_packet_delays();
        let core_mhz = self.options.core_mhz(&self.config);
        let mut metrics: BTreeMap<String, f64> = [
            ("request_rate", rate(responses)),
            ("answer_rate", rate(after.answered - before.answered)),
            ("packet_rate", rate(after.packets - before.packets)),
            ("content_rate", rate(after.body_bytes - before.body_bytes) * 8e-6),
            (
                "response_time_mean",
                (after.response_time_ps - before.response_time_ps) as f64
                    / responses.max(1) as f64
                    / self.options.client_time_scale as f64
                    * 1e-9,
            ),
            ("nic_idle", share(f64::from(after.idle_cycles.wrapping_sub(before.idle_cycles)), cycles)),
            ("nic_instructions_per_packet", {
                f64::from(after.instructions.wrapping_sub(before.instructions)) / (nic + host).max(1.0)
            }),
            ("packets_on_nic", share(nic, nic + host)),
            ("connections_handed_off", self.handed_off(before, after)),
            ("connection_rate", rate(after.established - before.established)),
            ("interrupt_rate", rate(after.interrupts - before.interrupts)),
            ("connections_on_nic_steady", self.cnum_sum / self.samples_measured.max(1) as f64),
            ("soft_limit_mean", self.limit_sum / self.samples_measured.max(1) as f64),
            ("host_packet_delay_receive_median", median(receive_delays) / f64::from(core_mhz)),
            ("host_packet_delay_send_median", median(self.send_delays.borrow().clone()) * 1e-6),
            ("frames_dropped", f64::from(after.drops.wrapping_sub(before.drops))),
            ("frames_dropped_host", f64::from(after.host_drops.wrapping_sub(before.host_drops))),
            ("host_queue_drops", (after.queue_drops - before.queue_drops) as f64),
            ("nic_retransmits", f64::from(after.retransmits.wrapping_sub(before.retransmits))),
            ("handoff_rate", rate(after.handoffs - before.handoffs)),
            ("restore_rate", rate(after.restores - before.restores)),
            ("handoffs_refused", (after.refused - before.refused) as f64),
            ("connections_reclaimed", (after.reclaimed - before.reclaimed) as f64),
            ("receive_queue_threshold", f64::from(self.options.hiwat)),
        ]
        .map(|(name, value)| (name.to_string(), value))
        .into();
        let profile = shares(&before.profile, &after.profile);
        super::record::host_metrics(&profile, &mut metrics);
        let failures = self.failures(after)?;
        Ok(Record {
            workload: self.workload,
            clients: self.options.clients(&self.config),
            core_mhz,
            metrics,
            profile,
            series: self.series,
            measured_from_us: before.now_ps / 1_000_000,
            simulated_us: after.now_ps / 1_000_000,
            core_cycles: after.cycles,
            failures,
            wall_clock_s: seconds,
            config: self.config,
            options: self.options,
        })
    }

    fn failures(&mut self, after: &Counts) -> Result<Vec<String>> {
        let mut failures = Vec::new();
        if after.failed > 0 {
            failures.push(format!("{} connections failed", after.failed));
        }
        let errors = self.world.system.register_write_errors();
        if errors > 0 {
            failures.push(format!("{errors} register writes were refused"));
        }
        let firmware = self.world.system.reg_read(regs::STS + 4 * mailbox::STS_FIRMWARE as u32)?;
        if firmware != 1 {
            let pc = self.world.system.reg_read(regs::STS + 4 * mailbox::STS_FAULT_PC as u32)?;
            failures.push(format!("firmware state {firmware:#010x} at {pc:#010x}"));
        }
        Ok(failures)
    }
}

/// `part` of `all`, in percent.
pub fn share(part: f64, all: f64) -> f64 {
    if all > 0.0 {
        100.0 * part / all
    } else {
        0.0
    }
}

/// Differences of two profiles as shares of their sum, in percent.
fn shares(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let differences: BTreeMap<String, f64> = after
        .iter()
        .map(|(name, cycles)| (name.clone(), cycles - before.get(name).copied().unwrap_or(0.0)))
        .collect();
    let all: f64 = differences.values().sum();
    differences.into_iter().map(|(name, cycles)| (name, share(cycles, all))).collect()
}

/// Measures the time from when a frame's doorbell is at the NIC until its last byte is on the wire.
fn measure_sends<N: Nic>(system: &mut System<N>, server: &mut Server) -> Rc<RefCell<Vec<u64>>> {
    let sends = SendLog::default();
    let delays = Rc::new(RefCell::new(Vec::new()));
    server.log_sends(Rc::clone(&sends));
    let noted = Rc::clone(&delays);
    let mut since_ps: HashMap<u64, u64> = HashMap::new();
    system.observe(Box::new(move |time_ps, event| match event {
        Event::Register(done) if done.write && u32::from(done.addr) == regs::TX_PROD => {
            let mut sends = sends.borrow_mut();
            while let Some(&(key, index)) = sends.front() {
                if (done.data as u16).wrapping_sub(index) as i16 >= 0 {
                    since_ps.insert(key, time_ps);
                    sends.pop_front();
                } else {
                    break;
                }
            }
        }
        Event::FrameOut { frame } => {
            if let Some(since_ps) = since_ps.remove(&frame_key(frame)) {
                noted.borrow_mut().push(time_ps - since_ps);
            }
        }
        _ => {}
    }));
    delays
}

/// Reads the firmware image, with what to do if it is not there.
pub fn firmware(path: &std::path::Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| {
        format!(
            "cannot read the firmware image {}; `cargo xtask firmware --connections 4096 --ram-kib 2048` makes it",
            path.display()
        )
    })
}

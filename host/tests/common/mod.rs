//! A world to test the host in: the server on a NIC double, smoltcp clients, a wire with faults.

pub mod device;
pub mod nic;

use std::collections::BTreeMap;

use baton::client::{ClientConfig, ClientHost};
use baton::server::{Ownership, Selection, Server, ServerConfig};
use baton_cosim::port::HostPort;
use baton_tcp::State;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use nic::NicDouble;

pub const MS: u64 = 1_000_000_000;
pub const SECOND: u64 = 1000 * MS;

/// A server whose timers are short.
pub fn server() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.tcp.time_wait_us = 500_000;
    config.tcp.min_rto_us = 200_000;
    config
}

/// Client hosts that differ in addresses, seed and pipelining.
pub fn clients(count: u8) -> Vec<ClientConfig> {
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

/// Time between two ticks of a busy NIC.
const TICK_PS: u64 = 1_000_000;

/// What the wire does to frames, both ways. Chances are in 1000.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    pub loss: u32,
    pub duplicate: u32,
    /// Frames that are delayed past others.
    pub reorder: u32,
    pub latency_ps: u64,
}

impl Faults {
    pub const NONE: Faults = Faults { loss: 0, duplicate: 0, reorder: 0, latency_ps: 50_000_000 };
}

enum Towards {
    Nic,
    Client(usize),
}

pub struct World {
    pub nic: NicDouble,
    pub server: Server,
    pub clients: Vec<ClientHost>,
    pub now_ps: u64,
    faults: Faults,
    wire: BTreeMap<(u64, u64), (Towards, Vec<u8>)>,
    sequence: u64,
    rng: ChaCha8Rng,
    /// When the server answers the raised interrupt.
    interrupt_at: Option<u64>,
    pub seed: u64,
}

impl World {
    #[allow(dead_code, reason = "the test of many connections starts a world otherwise")]
    pub fn new(
        config: &ServerConfig,
        clients: Vec<ClientConfig>,
        selection: Box<dyn Selection>,
        firmware: bool,
        faults: Faults,
        seed: u64,
    ) -> World {
        let nic = NicDouble::new(32 << 20, seed);
        World::with_nic(nic, config, clients, selection, firmware, faults, seed)
    }

    /// As [`World::new`], with a NIC of the caller's.
    #[allow(dead_code)] // Not every test has one.
    pub fn with_nic(
        mut nic: NicDouble,
        config: &ServerConfig,
        clients: Vec<ClientConfig>,
        selection: Box<dyn Selection>,
        firmware: bool,
        faults: Faults,
        seed: u64,
    ) -> World {
        nic.set_time(0);
        // The double runs the firmware's library; the image is only a sign that it should.
        let image = firmware.then_some(&[0x13, 0, 0, 0][..]);
        let server = Server::start(config, selection, &mut nic, image).expect("the server starts");
        World {
            nic,
            server,
            clients: clients.into_iter().map(ClientHost::new).collect(),
            now_ps: 0,
            faults,
            wire: BTreeMap::new(),
            sequence: 0,
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x5EED),
            interrupt_at: None,
            seed,
        }
    }

    fn chance(&mut self, of_1000: u32) -> bool {
        self.rng.next_u32() % 1000 < of_1000
    }

    fn send(&mut self, make: impl Fn() -> Towards, frame: &[u8]) {
        if self.chance(self.faults.loss) {
            return;
        }
        let copies = 1 + u32::from(self.chance(self.faults.duplicate));
        for _ in 0..copies {
            let mut at = self.now_ps + self.faults.latency_ps;
            if self.chance(self.faults.reorder) {
                at += u64::from(self.rng.next_u32() % 400) * 1_000_000;
            }
            self.sequence += 1;
            self.wire.insert((at, self.sequence), (make(), frame.to_vec()));
        }
    }

    /// When the next thing happens.
    fn next_ps(&mut self) -> u64 {
        let now = self.now_ps;
        let own = [
            self.wire.keys().next().map(|k| k.0),
            self.interrupt_at,
            // The driver may have enabled an interrupt that was pending.
            (self.nic.irq() && self.interrupt_at.is_none()).then_some(now + TICK_PS),
            self.server.next_deadline(),
            self.nic.busy().then_some(now + TICK_PS),
            self.nic.wake_ps(),
        ];
        let clients = self.clients.iter_mut().map(|c| c.next_deadline(now));
        let next = own.into_iter().chain(clients).flatten().min();
        next.unwrap_or(now + TICK_PS).max(now + TICK_PS / 4)
    }

    /// Moves the time to the next thing that happens, and does everything that is due then.
    pub fn step(&mut self) {
        self.now_ps = self.next_ps();
        self.nic.set_time(self.now_ps);
        while let Some(entry) = self.wire.first_entry().filter(|e| e.key().0 <= self.now_ps) {
            let (towards, frame) = entry.remove();
            match towards {
                Towards::Nic => self.nic.receive(frame),
                Towards::Client(i) => self.clients[i].receive(frame),
            }
        }
        self.nic.tick();
        while let Some(frame) = self.nic.sent.pop_front() {
            for i in 0..self.clients.len() {
                if frame[..6] == self.clients[i].mac() || frame[0] & 1 == 1 {
                    self.send(|| Towards::Client(i), &frame);
                }
            }
        }
        if self.nic.irq() && self.interrupt_at.is_none() {
            self.interrupt_at = Some(self.now_ps + u64::from(self.rng.next_u32() % 10) * 1_000_000);
        }
        let due = |at: Option<u64>| at.is_some_and(|at| at <= self.now_ps);
        if due(self.interrupt_at) || due(self.server.next_deadline()) {
            self.interrupt_at = None;
            self.server.poll(&mut self.nic).expect("the server polls");
        }
        self.poll_clients();
    }

    /// Lets the clients act on what a test has asked of them. Without, they hear of it when something else happens.
    pub fn poll_clients(&mut self) {
        for i in 0..self.clients.len() {
            self.clients[i].poll(self.now_ps);
            while let Some(frame) = self.clients[i].take_frame() {
                self.send(|| Towards::Nic, &frame);
            }
        }
    }

    /// The server's connections: who owns them, and the state of those of the host.
    fn connections(&self) -> Vec<(Option<Ownership>, Option<State>)> {
        let stack = self.server.stack();
        stack.sockets().map(|id| (stack.ownership(id), stack.state(id))).collect()
    }

    /// Runs the server once, whether there is a reason or not.
    pub fn poll_server(&mut self) {
        self.nic.set_time(self.now_ps);
        self.server.poll(&mut self.nic).expect("the server polls");
    }

    /// Steps until `done`, at most until `limit_ps`. Panics with the seed beyond that.
    pub fn run_until(&mut self, limit_ps: u64, mut done: impl FnMut(&mut World) -> bool) {
        while !done(self) {
            assert!(
                self.now_ps < limit_ps,
                "no end after {} ms with seed {}: {:?}, {:?}",
                limit_ps / 1_000_000_000,
                self.seed,
                self.server.stats(),
                self.connections(),
            );
            self.step();
        }
    }
}

//! One simulated world: the NIC in its system, the server's software, and the client machines.
//!
//! [`World::step`] is one core cycle. The server's software runs when the NIC interrupts or one of its timers is
//! due; a client runs when a frame reaches it or one of its timers is due. A client costs no simulated time, and neither
//! does the server unless its machine has a cost model: then it runs one piece of work at a time, the next no
//! earlier than the one before ends, and what a piece writes to registers leaves the processor at its end.

use crate::client::ClientHost;
use crate::machine::processor::Processor;
use crate::machine::Profile;
use crate::server::Server;
use anyhow::{Context, Result};
use baton_cosim::nic::Nic;
use baton_cosim::port::HostPort;
use baton_cosim::system::{Event, System};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// Knobs of the world that belong to none of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldConfig {
    /// Least time between two runs of the server's software for interrupts: interrupt moderation. Longer than a
    /// register write takes, so that an acknowledged interrupt is not served twice.
    pub interrupt_interval_ps: u64,
    /// How many times faster than the simulation the clients' clocks run, at least 1. The clients' TCP waits a
    /// second before it retransmits, and that cannot be set; a second of co-simulation is dear. All of a
    /// client's times shrink by this factor, so its protocol is unchanged.
    pub client_time_scale: u64,
}

impl Default for WorldConfig {
    fn default() -> Self {
        WorldConfig { interrupt_interval_ps: 2_000_000, client_time_scale: 1 }
    }
}

/// Ranges of host memory that the NIC has written since they were last looked at.
type DmaWrites = Rc<RefCell<Vec<(u32, u32)>>>;

/// See the module's header.
pub struct World<N: Nic> {
    pub system: System<N>,
    pub server: Server,
    clients: Vec<ClientHost>,
    by_mac: HashMap<[u8; 6], usize>,
    config: WorldConfig,
    server_due_ps: u64,
    interrupt_due_ps: u64,
    /// `None` when operations cost nothing.
    processor: Option<Processor>,
    dma_writes: DmaWrites,
    /// When the processor's next register write leaves it.
    writes_due_ps: u64,
    /// When each client wants to run; `u64::MAX` for never.
    client_due_ps: Vec<u64>,
    /// The same in order of time, without those that never want to.
    clients_due: BTreeSet<(u64, usize)>,
    /// The least time of them.
    clients_due_ps: u64,
}

impl<N: Nic> World<N> {
    pub fn new(
        mut system: System<N>,
        mut server: Server,
        clients: Vec<ClientHost>,
        config: WorldConfig,
    ) -> Self {
        let processor = Processor::of(&mut server);
        let dma_writes = DmaWrites::default();
        if processor.is_some() {
            let written = dma_writes.clone();
            system.observe(Box::new(move |_, event| {
                if let Event::MemoryWrite(burst) = event {
                    written.borrow_mut().push((burst.addr, 4 * burst.words.len() as u32));
                }
            }));
        }
        let by_mac = clients.iter().enumerate().map(|(i, client)| (client.mac(), i)).collect();
        let client_due_ps = vec![0; clients.len()];
        let clients_due = (0..clients.len()).map(|index| (0, index)).collect();
        World {
            system,
            server,
            clients,
            by_mac,
            config,
            server_due_ps: 0,
            interrupt_due_ps: 0,
            processor,
            dma_writes,
            writes_due_ps: u64::MAX,
            client_due_ps,
            clients_due,
            clients_due_ps: 0,
        }
    }

    pub fn client(&self, index: usize) -> &ClientHost {
        &self.clients[index]
    }

    pub fn clients(&self) -> &[ClientHost] {
        &self.clients
    }

    /// A client to be given work; it runs in the next cycle.
    pub fn client_mut(&mut self, index: usize) -> &mut ClientHost {
        self.set_client_due(index, 0);
        &mut self.clients[index]
    }

    /// One cycle of the core clock and everything that follows from it.
    pub fn step(&mut self) -> Result<()> {
        self.system.step();
        let now_ps = self.system.now_ps();
        while let Some((frame, _)) = self.system.wire_recv() {
            self.deliver(frame, now_ps);
        }
        while now_ps >= self.clients_due_ps {
            let Some(&(_, index)) = self.clients_due.first() else { break };
            self.run_client(index, now_ps);
        }
        if now_ps >= self.writes_due_ps {
            if let Some(processor) = &mut self.processor {
                processor.post_writes(&mut self.system, now_ps);
                self.writes_due_ps = processor.writes_ps();
            }
        }
        if now_ps >= self.server_due_ps || (now_ps >= self.interrupt_due_ps && self.system.irq()) {
            self.run_server()?;
        }
        Ok(())
    }

    /// Steps until `done` holds; whether it did within so many cycles. `done` is asked every 64 cycles.
    pub fn run_until(&mut self, cycles_max: u64, mut done: impl FnMut(&mut Self) -> bool) -> Result<bool> {
        for _ in 0..cycles_max.div_ceil(64) {
            if done(self) {
                return Ok(true);
            }
            for _ in 0..64 {
                self.step()?;
            }
        }
        Ok(done(self))
    }

    /// Calls into the server between two runs of its software, for instance to hand a connection off.
    pub fn ask_server<R>(&mut self, ask: impl FnOnce(&mut Server, &mut dyn HostPort) -> R) -> R {
        if let Some(processor) = &mut self.processor {
            let written = std::mem::take(&mut *self.dma_writes.borrow_mut());
            let answer = processor.work(&mut self.server, &mut self.system, written.into_iter(), ask);
            self.follow_processor();
            return answer;
        }
        let answer = ask(&mut self.server, &mut self.system);
        self.server_due_ps = self.server.next_deadline().unwrap_or(u64::MAX);
        answer
    }

    /// What the server's processor has done so far; all zeros when its time does not count.
    pub fn profile(&self) -> Profile {
        let now_ps = self.system.now_ps();
        self.processor.as_ref().map_or_else(Profile::default, |p| p.profile(&self.server, now_ps))
    }

    /// Takes over when the processor wants to run.
    fn follow_processor(&mut self) {
        if let Some(processor) = &self.processor {
            self.server_due_ps = processor.work_ps();
            self.interrupt_due_ps = processor.interrupt_ps();
            self.writes_due_ps = processor.writes_ps();
        }
    }

    fn run_server(&mut self) -> Result<()> {
        if let Some(processor) = &mut self.processor {
            // Registers that are read step the system, which writes down what the NIC writes meanwhile.
            let written = std::mem::take(&mut *self.dma_writes.borrow_mut());
            processor.run_piece(&mut self.server, &mut self.system, written.into_iter())?;
            self.follow_processor();
            return Ok(());
        }
        self.server.poll(&mut self.system).context("the server's software failed")?;
        self.interrupt_due_ps = self.system.now_ps() + self.config.interrupt_interval_ps;
        self.server_due_ps = self.server.next_deadline().unwrap_or(u64::MAX);
        Ok(())
    }

    fn deliver(&mut self, frame: Vec<u8>, now_ps: u64) {
        let Some(destination) = frame.first_chunk::<6>().copied() else { return };
        if destination[0] & 1 == 1 {
            for index in 0..self.clients.len() {
                self.clients[index].receive(frame.clone());
                self.run_client(index, now_ps);
            }
        } else if let Some(&index) = self.by_mac.get(&destination) {
            self.clients[index].receive(frame);
            self.run_client(index, now_ps);
        }
    }

    fn run_client(&mut self, index: usize, now_ps: u64) {
        let client = &mut self.clients[index];
        let scale = self.config.client_time_scale;
        client.poll(now_ps * scale);
        while let Some(frame) = client.take_frame() {
            self.system.wire_send(frame);
        }
        // A deadline that has come already is due in the next microsecond.
        let due =
            client.next_deadline(now_ps * scale).map_or(u64::MAX, |at| (at / scale).max(now_ps + 1_000_000));
        self.set_client_due(index, due);
    }

    fn set_client_due(&mut self, index: usize, due_ps: u64) {
        let before = std::mem::replace(&mut self.client_due_ps[index], due_ps);
        if before != due_ps {
            self.clients_due.remove(&(before, index));
            if due_ps != u64::MAX {
                self.clients_due.insert((due_ps, index));
            }
        }
        self.clients_due_ps = self.clients_due.first().map_or(u64::MAX, |&(due, _)| due);
    }
}

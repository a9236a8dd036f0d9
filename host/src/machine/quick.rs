//! A world on the functional NIC: server and clients by events, without the cycles in between.

use std::collections::{BTreeSet, HashMap, VecDeque};

use anyhow::{ensure, Context, Result};
use baton_cosim::port::HostPort;

use super::plain_nic::PlainNic;
use super::processor::Processor;
use super::Profile;
use crate::client::ClientHost;
use crate::server::Server;

/// One direction of the wire: a rate, and a latency behind it.
#[derive(Default)]
struct Line {
    frames: VecDeque<(u64, Vec<u8>)>,
    free_ps: u64,
}

/// The wire of Table 2 and the latency of a cable and two MACs.
const PS_PER_BYTE: u64 = 800;
const LATENCY_PS: u64 = 1_000_000;
/// Preamble, check sequence and gap of a frame.
const OVERHEAD_BYTES: u64 = 24;

impl Line {
    fn send(&mut self, now_ps: u64, frame: Vec<u8>) {
        let bytes = (frame.len() as u64).max(60) + OVERHEAD_BYTES;
        self.free_ps = self.free_ps.max(now_ps) + bytes * PS_PER_BYTE;
        self.frames.push_back((self.free_ps + LATENCY_PS, frame));
    }

    fn due_ps(&self) -> u64 {
        self.frames.front().map_or(u64::MAX, |f| f.0)
    }
}

/// See the module's header.
pub struct QuickWorld {
    nic: PlainNic,
    pub server: Server,
    processor: Processor,
    clients: Vec<ClientHost>,
    by_mac: HashMap<[u8; 6], usize>,
    due: BTreeSet<(u64, usize)>,
    client_due_ps: Vec<u64>,
    to_nic: Line,
    from_nic: Line,
    now_ps: u64,
    time_scale: u64,
    /// Frames that have crossed the wire, in both directions.
    pub packets: u64,
}

impl QuickWorld {
    /// # Errors
    /// When the server's operations cost nothing: then there is nothing to calibrate.
    pub fn new(nic: PlainNic, mut server: Server, clients: Vec<ClientHost>, time_scale: u64) -> Result<Self> {
        let processor = Processor::of(&mut server).context("the server has no cost model")?;
        let now_ps = nic.now_ps();
        Ok(QuickWorld {
            by_mac: clients.iter().enumerate().map(|(i, c)| (c.mac(), i)).collect(),
            due: (0..clients.len()).map(|i| (now_ps, i)).collect(),
            client_due_ps: vec![now_ps; clients.len()],
            nic,
            server,
            processor,
            clients,
            to_nic: Line::default(),
            from_nic: Line::default(),
            now_ps,
            time_scale: time_scale.max(1),
            packets: 0,
        })
    }

    pub fn now_ps(&self) -> u64 {
        self.now_ps
    }

    pub fn clients(&self) -> &[ClientHost] {
        &self.clients
    }

    pub fn drops(&self) -> u64 {
        self.nic.drops
    }

    pub fn profile(&self) -> Profile {
        self.processor.profile(&self.server, self.now_ps)
    }

    /// Runs until so many packets have crossed the wire since the start.
    ///
    /// # Errors
    /// When the server's software fails, or nothing happens any more.
    pub fn run_until_packets(&mut self, packets: u64) -> Result<()> {
        while self.packets < packets {
            self.step()?;
        }
        Ok(())
    }

    /// Moves the time to the next thing that happens, and does what is due then.
    fn step(&mut self) -> Result<()> {
        let interrupt_ps = if self.nic.irq() { self.processor.interrupt_ps() } else { u64::MAX };
        let client_ps = self.due.first().map_or(u64::MAX, |d| d.0);
        let next_ps = [
            interrupt_ps,
            client_ps,
            self.processor.work_ps(),
            self.processor.writes_ps(),
            self.to_nic.due_ps(),
            self.from_nic.due_ps(),
        ]
        .into_iter()
        .min()
        .unwrap_or(u64::MAX);
        ensure!(next_ps != u64::MAX, "nothing happens any more after {} packets", self.packets);
        self.now_ps = self.now_ps.max(next_ps);
        self.nic.set_time(self.now_ps);
        if self.processor.writes_ps() <= self.now_ps {
            self.processor.post_writes(&mut self.nic, self.now_ps);
        }
        while self.to_nic.due_ps() <= self.now_ps {
            let Some((_, frame)) = self.to_nic.frames.pop_front() else { break };
            self.packets += 1;
            self.nic.receive(frame);
        }
        while self.from_nic.due_ps() <= self.now_ps {
            let Some((_, frame)) = self.from_nic.frames.pop_front() else { break };
            self.packets += 1;
            let to = frame.first_chunk::<6>().and_then(|mac| self.by_mac.get(mac).copied());
            if let Some(index) = to {
                self.clients[index].receive(frame);
                self.run_client(index);
            }
        }
        while let Some(&(due_ps, index)) = self.due.first() {
            if due_ps > self.now_ps {
                break;
            }
            self.run_client(index);
        }
        let interrupted = self.nic.irq() && self.processor.interrupt_ps() <= self.now_ps;
        if interrupted || self.processor.work_ps() <= self.now_ps {
            let written = self.nic.take_written();
            self.processor.run_piece(&mut self.server, &mut self.nic, written.into_iter())?;
        }
        while let Some(frame) = self.nic.take_frame() {
            self.from_nic.send(self.now_ps, frame);
        }
        Ok(())
    }

    fn run_client(&mut self, index: usize) {
        let (client, scale) = (&mut self.clients[index], self.time_scale);
        client.poll(self.now_ps * scale);
        while let Some(frame) = client.take_frame() {
            self.to_nic.send(self.now_ps, frame);
        }
        // A deadline that has come already is due in the next microsecond.
        let due_ps = client
            .next_deadline(self.now_ps * scale)
            .map_or(u64::MAX, |at| (at / scale).max(self.now_ps + 1_000_000));
        let before_ps = std::mem::replace(&mut self.client_due_ps[index], due_ps);
        self.due.remove(&(before_ps, index));
        if due_ps != u64::MAX {
            self.due.insert((due_ps, index));
        }
    }
}

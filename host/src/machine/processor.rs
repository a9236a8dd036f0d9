//! When the server's software runs, if its time counts: one piece of work at a time, each after the one before.
//!
//! Whoever drives the machine asks [`Processor::due`], calls [`Processor::run_piece`] then, and posts
//! register writes with [`Processor::post_writes`] when their time has come.

use std::collections::VecDeque;

use anyhow::{Context, Result};
use baton_cosim::port::HostPort;

use super::charge::BusyClock;
use super::port::TimedPort;
use super::Profile;
use crate::server::Server;

/// See the module's header. Times are in picoseconds.
pub struct Processor {
    interrupt_interval_ps: u64,
    busy: BusyClock,
    /// When the work under way ends.
    free_ps: u64,
    /// When there is work again without an interrupt.
    work_ps: u64,
    /// When the next interrupt may be taken.
    interrupt_ps: u64,
    /// Register writes of the work under way, with their times, in order.
    writes: VecDeque<(u64, u32, u32)>,
}

impl Processor {
    /// The processor of `server`; `None` when its time does not count.
    pub fn of(server: &mut Server) -> Option<Self> {
        let interrupt_interval_ps = server.meter().interrupt_interval_ps()?;
        Some(Processor {
            interrupt_interval_ps,
            busy: server.meter().busy_clock(),
            free_ps: 0,
            work_ps: 0,
            interrupt_ps: 0,
            writes: VecDeque::new(),
        })
    }

    /// When the software has work that no interrupt announces.
    pub fn work_ps(&self) -> u64 {
        self.work_ps
    }

    /// From when on it takes an interrupt.
    pub fn interrupt_ps(&self) -> u64 {
        self.interrupt_ps
    }

    /// When the next register write leaves the processor; `u64::MAX` for never.
    pub fn writes_ps(&self) -> u64 {
        self.writes.front().map_or(u64::MAX, |w| w.0)
    }

    /// What it has done until `now_ps`, work under way included.
    pub fn profile(&self, server: &Server, now_ps: u64) -> Profile {
        server.profile(now_ps.max(self.free_ps))
    }

    /// Has the server do something that takes its time, after `written`, which the NIC has written to memory.
    pub fn work<R>(
        &mut self,
        server: &mut Server,
        port: &mut dyn HostPort,
        written: impl Iterator<Item = (u32, u32)>,
        job: impl FnOnce(&mut Server, &mut dyn HostPort) -> R,
    ) -> R {
        // What was written before is in the NIC before.
        self.post_writes(port, u64::MAX);
        let meter = server.meter();
        written.for_each(|(addr, len)| meter.dma_wrote(addr, len));
        let (start_ps, before_ps) = (port.now_ps().max(self.free_ps), self.busy.get());
        let mut timed = TimedPort::new(port, BusyClock::clone(&self.busy));
        let answer = job(server, &mut timed);
        let (writes, waited_ps) = timed.finish();
        // Reads come first in a piece: what is written after them has waited too.
        server.meter().register_wait(waited_ps);
        self.free_ps = start_ps + (self.busy.get() - before_ps);
        self.work_ps = self.free_ps;
        self.writes.extend(
            writes.into_iter().map(|write| {
                (start_ps + waited_ps + (write.busy_ps - before_ps), write.address, write.value)
            }),
        );
        answer
    }

    /// One piece of work, to be called when it is due.
    ///
    /// # Errors
    /// When the server's software fails.
    pub fn run_piece(
        &mut self,
        server: &mut Server,
        port: &mut dyn HostPort,
        written: impl Iterator<Item = (u32, u32)>,
    ) -> Result<()> {
        let now_ps = port.now_ps();
        let interrupt = now_ps >= self.interrupt_ps && port.irq();
        let more = self
            .work(server, port, written, |server, port| server.step(port, interrupt))
            .context("the server's software failed")?;
        if interrupt {
            self.interrupt_ps = now_ps + self.interrupt_interval_ps;
        }
        self.interrupt_ps = self.interrupt_ps.max(self.free_ps);
        if !more {
            self.work_ps = server.next_deadline().unwrap_or(u64::MAX).max(self.free_ps);
        }
        Ok(())
    }

    /// Posts the register writes that are due at `now_ps`.
    pub fn post_writes(&mut self, port: &mut dyn HostPort, now_ps: u64) {
        while let Some(&(due_ps, address, value)) = self.writes.front() {
            if due_ps > now_ps {
                break;
            }
            self.writes.pop_front();
            port.reg_write(address, value);
        }
    }
}

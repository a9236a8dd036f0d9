//! What load control tells the host: its transitions, and the connections that it wants to be rid of.
//!
//! Both wait in one short list until there is room for events. Load control makes no transition while the list could not
//! take it, so none is ever lost; it is made by one of the next packets.

use baton_abi::{
    at_most,
    mmio::CORE_CYCLES,
    msg::{event, ConnId, Header},
    regs::mailbox,
};
use baton_tcp::Instant;

use crate::{
    connection::{Connection, Fate},
    firmware::Firmware,
    hardware::{Hardware, HardwareExt},
    load::{Load, LoadState},
    shed::CANDIDATES,
    wheel::SlotIndex,
};

/// Events that may wait: the connections of one sample, and some transitions.
const CAPACITY: usize = CANDIDATES + 4;
/// Words of an event from its second on.
const WORDS: usize = 6;

#[derive(Clone, Copy, Debug)]
struct Waiting {
    code: u8,
    conn: ConnId,
    body: [u32; WORDS],
}

/// Events that wait, the oldest first.
#[derive(Debug)]
pub struct LoadEvents {
    waiting: [Waiting; CAPACITY],
    first: u8,
    count: u8,
}

impl Default for LoadEvents {
    fn default() -> Self {
        let none = Waiting { code: 0, conn: ConnId(0), body: [0; WORDS] };
        LoadEvents { waiting: [none; CAPACITY], first: 0, count: 0 }
    }
}

impl LoadEvents {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn has_room(&self, events: usize) -> bool {
        usize::from(self.count) + events <= CAPACITY
    }

    fn push(&mut self, code: u8, conn: ConnId, body: [u32; WORDS]) {
        debug_assert!(self.has_room(1));
        let at = (usize::from(self.first) + usize::from(self.count)) % CAPACITY;
        self.waiting[at] = Waiting { code, conn, body };
        self.count += 1;
    }

    fn pop(&mut self) -> Option<Waiting> {
        let oldest = (self.count > 0).then(|| self.waiting[usize::from(self.first)])?;
        self.first = ((usize::from(self.first) + 1) % CAPACITY) as u8;
        self.count -= 1;
        Some(oldest)
    }
}

impl<H: Hardware> Firmware<'_, H> {
    /// Runs load control: a packet has arrived for the connection in this slot, which is open.
    #[inline]
    pub(crate) fn packet_load(&mut self, slot: SlotIndex, now: Instant) {
        if self.load.is_enabled() {
            let load = self.step_load();
            if self.shed.is_on() {
                self.shed_packet(slot, now, load);
            }
        }
    }

    /// Runs load control: a connection has come or gone, or a packet has arrived for none.
    #[inline]
    pub(crate) fn run_load_control(&mut self) {
        if self.load.is_enabled() {
            self.step_load();
        }
    }

    fn step_load(&mut self) -> Load {
        let load = Load { qlen: self.hw.segments_waiting(), cnum: self.cnum };
        if self.load_events.has_room(1) {
            let before = self.load.state();
            self.load.run(load);
            if self.load.state() != before {
                self.transition(before, load);
            }
        }
        load
    }

    #[cold]
    fn transition(&mut self, before: LoadState, load: Load) {
        let states = self.load.state() as u32 | (before as u32) << event::LOAD_BEFORE_SHIFT;
        let cycle = self.hw.read(CORE_CYCLES);
        let body = [0, self.load.soft_limit(), states, cycle, load.qlen, load.cnum];
        self.load_events.push(event::LOAD, ConnId(0), body);
        self.publish_load();
    }

    #[inline(never)]
    fn shed_packet(&mut self, slot: SlotIndex, now: Instant, load: Load) {
        let name = self.table.name(slot);
        let Some(Connection { stage, .. }) = self.table.get(slot) else { return };
        let Fate::Open(mut mark) = stage.fate() else { return };
        let sampled = self.shed.packet(now, load.qlen, name, &mut mark);
        stage.set_fate(Fate::Open(mark));
        if !sampled || !self.load_events.has_room(CANDIDATES) {
            return;
        }
        // As many as bring `Cnum` below `Soft_Limit`, and at least one.
        let wanted = (load.cnum + 1).saturating_sub(self.load.soft_limit()).max(1);
        let cycle = self.hw.read(CORE_CYCLES);
        let turns = at_most!(CANDIDATES);
        for candidate in self.shed.costliest().into_iter().take(wanted as usize) {
            turns.take();
            let connection = self.table.find(candidate.conn).and_then(|slot| self.table.get(slot));
            let Some(Connection { stage, cookie, .. }) = connection else { continue };
            let Fate::Open(mut mark) = stage.fate() else { continue };
            if candidate.packets > 0 {
                mark.asked = true;
                stage.set_fate(Fate::Open(mark));
                let body = [*cookie, u32::from(candidate.packets), cycle, load.qlen, load.cnum, 0];
                self.load_events.push(event::SHED, candidate.conn, body);
            }
        }
    }

    /// Writes what waits, as far as there is room for events.
    pub(crate) fn write_load_events(&mut self) {
        let turns = at_most!(CAPACITY + 1);
        while self.mover.has_event_room(1) {
            turns.take();
            let Some(Waiting { code, conn, body }) = self.load_events.pop() else { return };
            self.mover.event(&mut self.hw, Header { code, slots: 1, conn }, &body);
        }
    }

    /// Shows the parameters of load control and its state to the host.
    pub(crate) fn publish_load(&mut self) {
        for (word, value) in [
            (mailbox::STS_CNUM, self.cnum),
            (mailbox::STS_SOFT_LIMIT, self.load.soft_limit()),
            (mailbox::STS_LOAD_STATE, self.load.state() as u32),
        ] {
            self.hw.publish(word, value);
        }
    }

    /// Shows the parameters that stay as they were set.
    pub(crate) fn publish_load_constants(&mut self) {
        for (word, value) in [
            (mailbox::STS_HARD_LIMIT, self.load.hard_limit()),
            (mailbox::STS_HIWAT, self.load.hiwat()),
            (mailbox::STS_LOWAT, self.load.lowat()),
        ] {
            self.hw.publish(word, value);
        }
    }
}

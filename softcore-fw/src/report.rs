//! Events to the host.
//!
//! What happens to a connection adds up in it ([`crate::connection::Unreported`]) until its turn in the
//! report queue comes, so ten acknowledgements become one event, and an event that finds no room is late, never
//! lost. While segments wait in the NIC receive queue, reports wait for company, but only for some turns.
//! A connection's last event is the very last: its slot is freed with it.

use baton_abi::{
    handoff::RECORD_WORDS,
    mmio::STATUS,
    msg::{event, slots_for, Header},
    work,
};
use baton_tcp::Instant;

use crate::{
    connection::{Connection, Fate},
    firmware::Firmware,
    hardware::{Hardware, HardwareExt},
    table::Queue,
    wheel::SlotIndex,
};

/// Turns for which reports wait while the receive queue is busy.
const REPORT_HOLD_TURNS: u8 = 8;
/// Slots of a RESTORED event.
const RESTORED_SLOTS: u8 = slots_for(RECORD_WORDS) as u8;

impl<H: Hardware> Firmware<'_, H> {
    /// Delivers a batch of events. False: none waits, or there is no room.
    #[inline(never)]
    pub(crate) fn report(&mut self, now: Instant) -> bool {
        self.hw.mark::<{ work::REPORT }>();
        let status = self.hw.read(STATUS);
        self.mover.begin(&mut self.hw, status);
        self.settle_restored();
        // What relieves an overloaded NIC does not wait for company.
        let urgent = !self.load_events.is_empty();
        let waiting = urgent || self.table.first(Queue::Report).is_some();
        if waiting && !urgent && self.report_age < REPORT_HOLD_TURNS && self.hw.segments_waiting() > 0 {
            self.report_age += 1;
        } else if waiting && self.mover.has_event_room(1) {
            self.report_age = 0;
            self.write_reports(now);
        }
        let written = self.mover.has_events();
        self.mover.deliver_events(&mut self.hw);
        written
    }

    /// Lets connections go for which every packet that was queued before their restore has been taken.
    fn settle_restored(&mut self) {
        let Some(slot) = self.table.first(Queue::Restore) else { return };
        if let Some(connection) = self.table.get(slot) {
            if let Fate::Restoring { after_segment } = connection.fate {
                if (self.totals.received.wrapping_sub(after_segment) as i32) < 0 {
                    return;
                }
            }
            connection.settled = true;
        }
        self.table.dequeue(Queue::Restore);
        self.table.enqueue(Queue::Report, slot);
    }

    fn write_reports(&mut self, now: Instant) {
        self.write_load_events();
        while let Some(slot) = self.table.first(Queue::Report) {
            let Some(connection) = self.table.get(slot) else {
                self.table.dequeue(Queue::Report);
                continue;
            };
            let progress = progress_slots(connection);
            if !self.mover.has_event_room(progress) {
                return;
            }
            if progress > 0 {
                self.write_progress(slot);
                continue;
            }
            let settled = connection.settled;
            if settled && !self.mover.has_event_room(last_slots(connection)) {
                return;
            }
            self.table.dequeue(Queue::Report);
            if settled {
                self.write_last(slot, now);
            }
        }
    }

    /// Reports progress and clears it.
    fn write_progress(&mut self, slot: SlotIndex) {
        let conn = self.table.name(slot);
        let Some(connection) = self.table.get(slot) else { return };
        let unreported = core::mem::take(&mut connection.unreported);
        let cookie = connection.cookie;
        let mut write = |code, body: &[u32]| {
            self.mover.event(&mut self.hw, Header { code, slots: 1, conn }, body);
        };
        if unreported.sent > 0 {
            write(event::SENT, &[cookie, unreported.sent]);
        }
        if unreported.received > 0 {
            write(event::RECEIVED, &[cookie, unreported.received]);
        }
        if unreported.peer_closed {
            write(event::PEER_CLOSED, &[cookie]);
        }
    }

    /// Reports that a connection has left, and frees its slot.
    fn write_last(&mut self, slot: SlotIndex, now: Instant) {
        let conn = self.table.name(slot);
        let Some(connection) = self.table.get(slot) else { return };
        let cookie = connection.cookie;
        match connection.fate {
            Fate::Open => return,
            Fate::Closed => {
                self.mover.event(&mut self.hw, Header { code: event::CLOSED, slots: 1, conn }, &[cookie]);
            }
            Fate::Reset(reason) => {
                let header = Header { code: event::RESET, slots: 1, conn };
                self.mover.event(&mut self.hw, header, &[cookie, reason]);
            }
            Fate::Restoring { .. } => {
                let mut body = [0; 1 + RECORD_WORDS];
                body[0] = cookie;
                body[1..].copy_from_slice(&connection.export(now).to_words());
                let header = Header { code: event::RESTORED, slots: RESTORED_SLOTS, conn };
                self.mover.event(&mut self.hw, header, &body);
            }
        }
        self.table.release(slot);
    }
}

/// Event slots that a connection's progress takes.
fn progress_slots(connection: &Connection) -> u8 {
    let u = &connection.unreported;
    u8::from(u.sent > 0) + u8::from(u.received > 0) + u8::from(u.peer_closed)
}

/// Event slots of a connection's last event.
fn last_slots(connection: &Connection) -> u8 {
    match connection.fate {
        Fate::Restoring { .. } => RESTORED_SLOTS,
        _ => 1,
    }
}

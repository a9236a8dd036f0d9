//! Events to the host.
//!
//! What happens to a connection adds up in it ([`crate::connection::Unreported`]) until its turn in the
//! report queue comes, so ten acknowledgements become one event, and an event that finds no room is late, never
//! lost. While segments wait in the NIC receive queue, reports wait for company, but only for some turns.
//! A connection's last event is the very last: its slot is freed with it.

use baton_abi::{
    at_most,
    handoff::{RECORD_WORDS, RECORD_WORDS_IPV6},
    mmio::TIME_US,
    msg::{event, slots_for, Header},
    work,
};
use baton_tcp::{wire::Template, Instant};

use crate::{
    connection::{Connection, Fate, Stage, Unreported},
    firmware::Firmware,
    hardware::{Hardware, HardwareExt},
    program::Program,
    table::Queue,
    wheel::SlotIndex,
};

/// Turns for which reports wait while the receive queue is busy.
const REPORT_HOLD_TURNS: u8 = 8;
/// Connections of a batch at most. Each has an event to write, or nothing any more.
const CONNECTIONS_PER_BATCH: u32 = 16;
/// Slots of a RESTORED event.
const RESTORED_SLOTS: u8 = slots_for(RECORD_WORDS) as u8;
/// The same of a connection over IPv6.
const RESTORED_SLOTS_IPV6: u8 = slots_for(RECORD_WORDS_IPV6) as u8;

impl<H: Hardware> Firmware<'_, H> {
    /// Delivers a batch of events. False: none waits, or there is no room.
    #[inline(never)]
    pub(crate) fn report(&mut self) -> bool {
        self.hw.mark::<{ work::REPORT }>();
        if !self.mover.begin(&self.hw) {
            return false;
        }
        if self.table.first(Queue::Restore).is_some() {
            self.settle_restored();
        }
        // What relieves an overloaded NIC does not wait for company.
        let urgent = !self.load_events.is_empty();
        let waiting = urgent || self.table.first(Queue::Report).is_some();
        if waiting && !urgent && self.report_age < REPORT_HOLD_TURNS && self.hw.segments_waiting() > 0 {
            self.report_age += 1;
        } else if waiting && self.mover.has_event_room(1) {
            self.report_age = 0;
            self.write_reports();
        }
        let written = self.mover.has_events();
        self.mover.deliver_events(&mut self.hw);
        written
    }

    /// Lets connections go for which every packet that was queued before their restore has been taken.
    #[inline(never)]
    fn settle_restored(&mut self) {
        let Some(slot) = self.table.first(Queue::Restore) else { return };
        if let Some(connection) = self.table.get(slot) {
            if let Fate::Restoring { after_segment } = connection.stage.fate() {
                if ((self.totals.received.wrapping_sub(after_segment) << (32 - Stage::BITS)) as i32) < 0 {
                    return;
                }
            }
            connection.stage.settle();
        }
        self.table.dequeue(Queue::Restore);
        self.table.enqueue(Queue::Report, slot);
    }

    /// Writes events as long as there is room: a connection's progress, and its last event after it.
    #[inline(always)]
    fn write_reports(&mut self) {
        if !self.load_events.is_empty() {
            self.write_load_events();
        }
        let turns = at_most!(CONNECTIONS_PER_BATCH);
        for _ in 0..CONNECTIONS_PER_BATCH {
            turns.take();
            let Some(slot) = self.table.first(Queue::Report) else { return };
            if let Some((conn, connection)) = self.table.entry(slot) {
                let Unreported { sent, received } = connection.unreported;
                let peer_closed = connection.stage.is_peer_closed();
                if sent | received != 0 || peer_closed {
                    if !self.mover.has_event_room(1) {
                        return;
                    }
                    connection.unreported = Unreported::default();
                    connection.stage.set_peer_closed(false);
                    let flags = if peer_closed { event::PROGRESS_PEER_CLOSED } else { 0 };
                    let body = [connection.cookie, sent, received, flags];
                    self.mover.event(&mut self.hw, Header { code: event::PROGRESS, slots: 1, conn }, &body);
                }
                if connection.stage.is_settled() {
                    match self.write_end(slot) {
                        End::Written => {}
                        End::NoRoom => return,
                        End::Record => {
                            self.table.dequeue(Queue::Report);
                            return self.write_record(slot);
                        }
                    }
                }
            }
            self.table.dequeue(Queue::Report);
        }
    }

    /// Reports that the connection has left, which frees its slot.
    #[inline(never)]
    fn write_end(&mut self, slot: SlotIndex) -> End {
        let Some((conn, connection)) = self.table.entry(slot) else { return End::Written };
        let cookie = connection.cookie;
        if !self.mover.has_event_room(last_slots(connection)) {
            return End::NoRoom;
        }
        match connection.stage.fate() {
            Fate::Absent | Fate::Open(_) => return End::Written,
            Fate::Closed => {
                self.mover.event(&mut self.hw, Header { code: event::CLOSED, slots: 1, conn }, &[cookie]);
            }
            Fate::Reset(reason) => {
                let header = Header { code: event::RESET, slots: 1, conn };
                self.mover.event(&mut self.hw, header, &[cookie, reason]);
            }
            Fate::Restoring { .. } => return End::Record,
        }
        self.table.release(slot);
        End::Written
    }

    /// Gives a connection back, for which there is room, and frees its slot.
    #[inline(never)]
    fn write_record(&mut self, slot: SlotIndex) {
        let Some((conn, connection)) = self.table.entry(slot) else { return };
        let now = Instant(self.hw.read(TIME_US));
        let header = Header { code: event::RESTORED, slots: last_slots(connection), conn };
        let mut written = 0;
        self.mover.long_event(&mut self.hw, header, connection.cookie, |hw| {
            connection.export(now, |index, word| {
                debug_assert_eq!(index, written, "words in their order");
                written = index + 1;
                hw.event_word(word);
            });
            written
        });
        self.table.release(slot);
    }
}

/// What became of the report that a connection has ended.
enum End {
    Written,
    /// There is no room, and the connection stays in the queue.
    NoRoom,
    /// Its record is to be written, after which a batch ends: making one takes long, and two never have room.
    Record,
}

/// Event slots of a connection's last event.
fn last_slots<P: Program>(connection: &Connection<P>) -> u8 {
    match connection.stage.fate() {
        Fate::Restoring { .. } if connection.header.endpoints().is_ipv6() => RESTORED_SLOTS_IPV6,
        Fate::Restoring { .. } => RESTORED_SLOTS,
        _ => 1,
    }
}

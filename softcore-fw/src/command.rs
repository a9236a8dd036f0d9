//! Commands of the host.
//!
//! Every command is checked before it acts: a malformed one, and one for a connection that is not here (any
//! more), is answered by `ERROR` and changes nothing. Commands that are answered at once need one event slot
//! and are taken only when there is room for it.

use baton_abi::{
    handoff::{RECORD_WORDS, RECORD_WORDS_IPV6},
    mmio::{CORE_CYCLES, TIME_US},
    msg::{command, error, event, refused, slots_for, ConnId, Header},
    regs::mailbox,
    work,
};
use baton_tcp::{wire::Template, Instant, SeqNumber};

use crate::{
    connection::Fate,
    firmware::Firmware,
    hardware::{Hardware, HardwareExt, LookupOutcome},
    program::Program,
    table::Queue,
    wheel::SlotIndex,
};

/// How long the firmware waits for the rest of a message. A driver announces whole messages, so the slots
/// follow each other within a few DMA accesses. In core cycles, because that is what DMA takes, whatever the time base says
/// of their length.
const INCOMPLETE_MAX_CYCLES: u32 = 100_000;

impl<H: Hardware> Firmware<'_, H> {
    /// Takes the command at the head of the queue. False: it is not complete, or there is no room to answer.
    #[inline(never)]
    pub(crate) fn command(&mut self) -> bool {
        self.hw.mark::<{ work::COMMAND }>();
        let now = Instant(self.hw.read(TIME_US));
        self.mover.begin(&self.hw);
        if !self.mover.has_event_room(1) {
            return false;
        }
        let held = self.hw.command_slots();
        if held == 0 {
            return false;
        }
        let first = self.hw.command_word(0);
        let header = Header::from_word(first);
        let cookie = self.hw.command_word(1);
        if !header.slots_valid() {
            self.fail(first, cookie, error::BAD_LENGTH);
            self.hw.pop_command(1);
            return true;
        }
        if u32::from(header.slots) > held {
            let cycles = self.hw.read(CORE_CYCLES);
            let since = *self.incomplete_since.get_or_insert(cycles);
            if cycles.wrapping_sub(since) < INCOMPLETE_MAX_CYCLES {
                return false;
            }
            self.incomplete_since = None;
            self.fail(first, cookie, error::BAD_LENGTH);
            self.hw.pop_command(held);
            return true;
        }
        self.incomplete_since = None;
        if let Err(code) = self.execute(header, cookie, now) {
            self.fail(first, cookie, code);
        }
        self.hw.pop_command(u32::from(header.slots));
        true
    }

    fn execute(&mut self, header: Header, cookie: u32, now: Instant) -> Result<(), u32> {
        let slots = match header.code {
            // Of either family; which one, and whether it fits, the record says.
            command::HANDOFF if usize::from(header.slots) == slots_for(RECORD_WORDS_IPV6) => {
                slots_for(RECORD_WORDS_IPV6)
            }
            command::HANDOFF => slots_for(RECORD_WORDS),
            command::SEND
            | command::RECEIVE_BUFFER
            | command::SHUTDOWN
            | command::ABORT
            | command::RESTORE
            | command::QUERY
            | command::LOWER_MSS => 1,
            _ => return Err(error::UNKNOWN_COMMAND),
        };
        if usize::from(header.slots) != slots {
            return Err(error::BAD_LENGTH);
        }
        if header.code == command::HANDOFF {
            match self.handoff(slots, cookie, now) {
                Ok(slot) => self.reply(event::ACCEPTED, self.table.name(slot), &[cookie, self.cnum]),
                Err(reason) => self.reply(event::REFUSED, header.conn, &[cookie, reason]),
            }
            return Ok(());
        }
        let slot = self.table.find(header.conn).ok_or(error::NO_CONNECTION)?;
        let connection = self.table.get(slot).filter(|c| c.is_open()).ok_or(error::NO_CONNECTION)?;
        match header.code {
            command::SEND => {
                let (addr, len) = (self.hw.command_word(2), self.hw.command_word(3));
                let (next, next_len) = (self.hw.command_word(4), self.hw.command_word(5));
                let mut send = connection.send;
                let fits = len > 0 && send.push(addr, len).is_ok() && send.push(next, next_len).is_ok();
                // The TCB takes none once the connection is closing.
                if !fits || connection.tcb.send_enqueued(len + next_len) != len + next_len {
                    return Err(error::BAD_BUFFER);
                }
                connection.send = send;
                self.wants_to_send(slot);
            }
            command::RECEIVE_BUFFER => {
                let (addr, len) = (self.hw.command_word(2), self.hw.command_word(3));
                if len == 0 || connection.receive.push(addr, len).is_err() {
                    return Err(error::BAD_BUFFER);
                }
                connection.tcb.receive_space_added(len);
                self.wants_to_send(slot);
            }
            command::LOWER_MSS => {
                let (mss, quoted) = (self.hw.command_word(2), SeqNumber(self.hw.command_word(3)));
                if connection.tcb.lower_mss(mss.min(u32::from(u16::MAX)) as u16, quoted) {
                    self.wants_to_send(slot);
                }
            }
            command::SHUTDOWN => {
                connection.tcb.close();
                self.wants_to_send(slot);
            }
            command::ABORT => {
                connection.tcb.abort();
                self.end(slot, Fate::Closed);
            }
            command::RESTORE => self.restore(slot),
            _ => {
                let body = [cookie, connection.retransmitted, connection.tcb.in_flight()];
                self.reply(event::QUERY_REPLY, header.conn, &body);
            }
        }
        Ok(())
    }

    /// Takes over the connection whose record is in the command window, or says why not.
    #[inline(never)]
    fn handoff(&mut self, slots: usize, cookie: u32, now: Instant) -> Result<SlotIndex, u32> {
        if !self.load.admits(self.cnum) {
            return Err(refused::LIMIT);
        }
        let (name, connection) = self.table.vacant().ok_or(refused::TABLE_FULL)?;
        let len = if slots == slots_for(RECORD_WORDS) {
            RECORD_WORDS
        } else if <H::Program as Program>::Header::HAS_IPV6 {
            RECORD_WORDS_IPV6
        } else {
            return Err(refused::BAD_RECORD);
        };
        let hw = &self.hw;
        let word = |index| hw.command_word(2 + index);
        connection.take_over(now, len, word, cookie).map_err(|_| refused::BAD_RECORD)?;
        let sends = connection.tcb.has_something_to_send();
        let entered = self.hw.lookup_insert(connection.lookup_key().as_ref(), name);
        if entered != LookupOutcome::Done {
            connection.tcb.vacate();
        }
        match entered {
            LookupOutcome::Done => {}
            LookupOutcome::Exists => return Err(refused::DUPLICATE),
            LookupOutcome::BucketFull | LookupOutcome::Absent => return Err(refused::BUCKET_FULL),
        }
        let slot = self.table.occupy().ok_or(refused::TABLE_FULL)?;
        self.cnum += 1;
        if sends {
            self.wants_to_send(slot);
        }
        self.arm(slot);
        self.run_load_control();
        self.publish_load();
        Ok(slot)
    }

    /// Freezes a connection and starts its way back. Packets that were queued for it by now are found to be
    /// stale and go to the host in their turn; when the last of them has, the record follows.
    fn restore(&mut self, slot: SlotIndex) {
        self.end(slot, Fate::Restoring { after_segment: 0 });
        let after_segment = self.totals.received.wrapping_add(self.hw.segments_waiting());
        if let Some(connection) = self.table.get(slot) {
            connection.stage.set_fate(Fate::Restoring { after_segment });
        }
        self.table.enqueue(Queue::Restore, slot);
    }

    fn reply(&mut self, code: u8, conn: ConnId, body: &[u32]) {
        self.mover.event(&mut self.hw, Header { code, slots: 1, conn }, body);
    }

    fn fail(&mut self, first: u32, cookie: u32, code: u32) {
        // A connection may leave while a command for it is under way; nothing is wrong with that.
        if code != error::NO_CONNECTION {
            self.totals.bad_commands = self.totals.bad_commands.wrapping_add(1);
            self.hw.publish(mailbox::STS_BAD_COMMANDS, self.totals.bad_commands);
        }
        self.reply(event::ERROR, Header::from_word(first).conn, &[cookie, code, first]);
    }
}

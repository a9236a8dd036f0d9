//! Segments that connections on the NIC send.
//!
//! Connections that may have something to send stand in a queue. A turn sends a few segments, then puts
//! the connection at the end of the queue again, so that a large window neither keeps the core from the
//! scheduler nor the other connections from the wire. The TCB cuts segments at the ends of memory spans;
//! each is a header and one span of host memory.

use baton_abi::{
    mmio::{STATUS, STATUS_TX_ROOM},
    regs::mailbox,
    work,
};
use baton_tcp::Instant;

use crate::{
    connection::Fate,
    firmware::Firmware,
    hardware::{Hardware, HardwareExt},
    table::Queue,
    wheel::SlotIndex,
};

/// Segments that a turn sends.
const SEGMENTS_PER_TURN: u32 = 2;
/// Connections that a turn asks for segments.
const CONNECTIONS_PER_TURN: u32 = 4;

impl<H: Hardware> Firmware<'_, H> {
    /// Sends segments of the connections at the head of the queue. False: nothing was sent or settled.
    #[inline(never)]
    pub(crate) fn transmit(&mut self, now: Instant) -> bool {
        self.hw.mark::<{ work::TRANSMIT }>();
        let mut segments = 0;
        for turn in 0..CONNECTIONS_PER_TURN {
            if self.table.first(Queue::Transmit).is_none() || !self.may_transmit() {
                return turn > 0;
            }
            let Some(slot) = self.table.dequeue(Queue::Transmit) else { return turn > 0 };
            loop {
                if !self.send_segment(slot, now) {
                    break;
                }
                segments += 1;
                if segments == SEGMENTS_PER_TURN || !self.may_transmit() {
                    self.table.enqueue(Queue::Transmit, slot);
                    return true;
                }
            }
        }
        true
    }

    fn may_transmit(&self) -> bool {
        self.hw.read(STATUS) & STATUS_TX_ROOM != 0
    }

    /// Sends one segment of a connection, for which there is room. False: it has none to send now.
    fn send_segment(&mut self, slot: SlotIndex, now: Instant) -> bool {
        let Some(connection) = self.table.get(slot) else { return false };
        if let Fate::Restoring { .. } = connection.fate {
            return false;
        }
        let send = &connection.send;
        let Some(segment) = connection.tcb.poll_transmit(now, |offset| send.contiguous(offset)) else {
            if connection.is_open() {
                self.arm(slot);
            } else {
                connection.settled = true;
                self.table.enqueue(Queue::Report, slot);
            }
            return false;
        };
        let addr = match segment.data_len {
            0 => 0,
            _ => send.at(segment.data_offset).map_or(0, |(addr, _)| addr),
        };
        self.identification = self.identification.wrapping_add(1);
        let hw = &mut self.hw;
        let header_len =
            connection.header.emit(&segment, self.identification, |index, word| hw.header_word(index, word));
        self.hw.transmit(header_len, addr, segment.data_len);
        connection.counters.sent = connection.counters.sent.wrapping_add(1);
        self.totals.sent = self.totals.sent.wrapping_add(1);
        self.hw.publish(mailbox::STS_TX_SEGMENTS, self.totals.sent);
        if segment.retransmit {
            connection.counters.retransmitted = connection.counters.retransmitted.wrapping_add(1);
            self.totals.retransmitted = self.totals.retransmitted.wrapping_add(1);
            self.hw.publish(mailbox::STS_RETRANSMITS, self.totals.retransmitted);
        }
        true
    }
}

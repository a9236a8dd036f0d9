//! Bursts that connections on the NIC send.
//!
//! Connections that may have something to send stand in a queue. A turn sends a burst or two, and puts each
//! connection at the end of the queue again, so that a large window neither keeps the core from the
//! scheduler nor the other connections from the wire. The TCB says how many segments may go; hardware cuts
//! them. A burst is a header and one span of host memory or two, so that the head of a response and the beginning of its body are one segment.

use core::cell::Cell;

use baton_abi::{
    at_most,
    handoff::Span,
    mmio::{STATUS, STATUS_TX_ROOM, TIME_US},
    regs::mailbox,
    work,
};
use baton_tcp::{wire::Template, BurstOut, Instant, BURST_SEGMENTS_MAX};

use crate::{
    connection::Fate,
    firmware::Firmware,
    hardware::{Hardware, HardwareExt},
    table::Queue,
    wheel::SlotIndex,
};

/// Bursts that a turn sends.
const BURSTS_PER_TURN: u32 = 2;
/// Most segments of a burst. Hardware takes more, but other connections would wait for the wire.
const SEGMENTS_PER_BURST: u32 = 8;
const _: () = assert!(SEGMENTS_PER_BURST <= BURST_SEGMENTS_MAX);
/// Connections that a turn asks for segments.
const CONNECTIONS_PER_TURN: u32 = 4;

const NO_SPANS: [Span; 2] = [Span { addr: 0, len: 0 }; 2];

/// Bytes that a burst of these can have.
#[inline(always)]
fn together([first, then]: &[Span; 2]) -> u32 {
    first.len + then.len
}

impl<H: Hardware> Firmware<'_, H> {
    /// Sends bursts of the connections at the head of the queue, for the first of which there is room. False: none
    /// was sent or settled.
    #[inline(never)]
    pub(crate) fn transmit(&mut self) -> bool {
        let mut bursts = 0;
        let turns = at_most!(CONNECTIONS_PER_TURN);
        for _ in 0..CONNECTIONS_PER_TURN {
            turns.take();
            self.hw.mark::<{ work::TRANSMIT }>();
            let Some(slot) = self.table.dequeue(Queue::Transmit) else { break };
            if self.send_burst(slot) {
                bursts += 1;
                if bursts == BURSTS_PER_TURN {
                    break;
                }
            }
            if self.table.first(Queue::Transmit).is_none() || self.hw.read(STATUS) & STATUS_TX_ROOM == 0 {
                break;
            }
        }
        true
    }

    /// Sends one burst of a connection, for which there is room, and sees that the next one gets its turn. False: it has
    /// none to send now. An acknowledgement alone is sent here, with no stack; the rest is for others.
    #[inline(never)]
    fn send_burst(&mut self, slot: SlotIndex) -> bool {
        let Some((name, connection)) = self.table.entry(slot) else { return false };
        if !connection.is_open() {
            return self.send_in_full(slot);
        }
        if connection.tcb.lean_idle() {
            self.arm(slot);
            return false;
        }
        let Some(burst) = connection.tcb.lean_ack(Instant(self.hw.read(TIME_US))) else {
            return self.send_text(slot);
        };
        self.hw.mark::<{ work::TRANSMIT_ACK }>();
        let hw = &mut self.hw;
        let put = |index, word| hw.header_word(index, word);
        let header_len = connection.header.emit_lean(&burst, self.identification, put);
        self.hw.transmit_header(header_len, name);
        self.identification = self.identification.wrapping_add(1);
        self.totals.sent = self.totals.sent.wrapping_add(1);
        true
    }

    /// Sends a burst of new text.
    #[inline(never)]
    fn send_text(&mut self, slot: SlotIndex) -> bool {
        let now = Instant(self.hw.read(TIME_US));
        let Some((name, connection)) = self.table.entry(slot) else { return false };
        let (send, spans) = (&connection.send, Cell::new(NO_SPANS));
        let contiguous = |offset| {
            spans.set(send.two_from(offset).unwrap_or(NO_SPANS));
            together(&spans.get())
        };
        let Some(burst) = connection.tcb.lean_text(now, SEGMENTS_PER_BURST, contiguous) else {
            return self.send_in_full(slot);
        };
        let hw = &mut self.hw;
        let put = |index, word| hw.header_word(index, word);
        let header_len = connection.header.emit_lean(&burst, self.identification, put);
        self.hw.transmit(header_len, spans.get(), burst.len, burst.mss, name);
        self.identification = self.identification.wrapping_add(burst.segments as u16);
        self.totals.sent = self.totals.sent.wrapping_add(burst.segments);
        if burst.more {
            self.table.enqueue(Queue::Transmit, slot);
        }
        if burst.arm {
            self.arm(slot);
        }
        true
    }

    /// Sends a burst of any kind, or settles a connection that has none to send.
    #[inline(never)]
    fn send_in_full(&mut self, slot: SlotIndex) -> bool {
        let now = Instant(self.hw.read(TIME_US));
        let Some((name, connection)) = self.table.entry(slot) else { return false };
        if let Fate::Restoring { .. } = connection.stage.fate() {
            return false;
        }
        let send = &connection.send;
        let mut burst = BurstOut::default();
        let contiguous = |offset| send.two_from(offset).as_ref().map_or(0, together);
        if !connection.tcb.poll_burst_into(&mut burst, now, SEGMENTS_PER_BURST, contiguous) {
            if connection.is_open() {
                self.arm(slot);
            } else {
                connection.stage.settle();
                self.table.enqueue(Queue::Report, slot);
            }
            return false;
        }
        let spans = match burst.len {
            0 => NO_SPANS,
            _ => send.two_from(burst.segment.data_offset).unwrap_or(NO_SPANS),
        };
        let segments = burst.segments();
        let hw = &mut self.hw;
        let header_len = connection
            .header
            .emit_burst(&burst.segment, self.identification, |index, word| hw.header_word(index, word));
        if burst.len == 0 {
            self.hw.mark::<{ work::TRANSMIT_ACK }>();
            self.hw.transmit_header(header_len, name);
        } else {
            self.hw.transmit(header_len, spans, burst.len, burst.mss, name);
        }
        self.identification = self.identification.wrapping_add(segments as u16);
        self.totals.sent = self.totals.sent.wrapping_add(segments);
        if burst.segment.retransmit {
            connection.retransmitted = connection.retransmitted.wrapping_add(1);
            self.totals.retransmitted = self.totals.retransmitted.wrapping_add(1);
            self.hw.publish(mailbox::STS_RETRANSMITS, self.totals.retransmitted);
        }
        if connection.is_open() && !connection.tcb.has_something_to_send() {
            self.arm(slot);
        } else {
            self.table.enqueue(Queue::Transmit, slot);
        }
        true
    }
}

//! Segments that arrive for connections on the NIC.
//!
//! The descriptor in the `NIC_RX` window has the parsed header. The TCB decides what it means and which
//! bytes go where; copy jobs move them from the packet into the spans of the receive buffer, out-of-order
//! bytes too, at their own place. Nearly every segment is one that header prediction takes; the path of those is
//! written for few instructions, and whatever is rare is out of its way. A packet whose connection has left since it was classified goes to the
//! host, in its turn.

use baton_abi::{
    at_most,
    handoff::RECEIVE_SPANS,
    mmio::{nic_rx, NIC_RX_NEXT, TIME_US},
    msg::{reset, ConnId},
    regs::mailbox,
    work,
};
use baton_tcp::{wire, Flags, Header, Instant, Predicted, SegmentIn, SeqNumber};

use crate::{
    connection::{Connection, Fate, SENT_REPORT_BYTES},
    firmware::Firmware,
    hardware::{Hardware, HardwareExt},
    mover::Mover,
    table::Queue,
    wheel::SlotIndex,
};

impl<H: Hardware> Firmware<'_, H> {
    /// Takes the segment at the head of the NIC receive queue.
    #[inline(always)]
    pub(crate) fn receive(&mut self) {
        match self.hw.segment_word(nic_rx::CONN_LEN) {
            conn @ ..0x1_0000 => self.receive_ack(conn),
            conn_len => self.receive_text(conn_len),
        }
    }

    #[inline(never)]
    fn receive_ack(&mut self, conn: u32) {
        self.receive_kind(conn, 0, true);
    }

    #[inline(never)]
    fn receive_text(&mut self, conn_len: u32) {
        self.receive_kind(conn_len, conn_len >> 16, true);
    }

    /// What the two leave: see [`baton_tcp::Tcb::is_common`].
    #[inline(never)]
    fn receive_uncommon(&mut self, conn_len: u32) {
        self.receive_kind(conn_len, conn_len >> 16, false);
    }

    /// The common path of `receive_ack` and `receive_text` calls nothing, and what it leaves to others it leaves for good, so
    /// that they need no stack and save no register.
    ///
    /// A segment is taken in one write, the last thing done with it. The window moves on in that write, before anything can
    /// free the packet: the descriptor that it shows next is then the packet's that the jobs find next.
    #[inline(always)]
    fn receive_kind(&mut self, conn_len: u32, len: u32, common: bool) {
        let hw = &self.hw;
        let Some((links, connection)) = self.table.open(conn_len) else {
            return self.receive_stale();
        };
        let header = Header {
            seq: SeqNumber(hw.segment_word(nic_rx::SEQ)),
            ack: SeqNumber(hw.segment_word(nic_rx::ACK)),
            control: hw.segment_word(nic_rx::FLAGS_WINDOW),
            payload_len: len as u16,
        };
        if common && !connection.tcb.is_common(&header) {
            return self.receive_uncommon(conn_len);
        }
        let timestamp = || {
            let alone = hw.segment_word(nic_rx::OPTIONS) == wire::TIMESTAMPS_ALIGNED;
            alone.then(|| hw.segment_word(nic_rx::OPTIONS + 1))
        };
        let clock = || Instant(hw.read(TIME_US));
        let Some(predicted) = connection.tcb.predict(clock, common, &header, timestamp) else {
            return self.receive_in_full(slot_of(conn_len));
        };
        let Predicted { acked, arm, sends } = predicted;
        self.totals.received = self.totals.received.wrapping_add(1);
        let mut report = false;
        if acked > 0 {
            connection.unreported.sent += acked;
            if connection.send.take_within_first(acked).is_none() {
                return self.follow_across_spans(len, acked, arm, sends);
            }
            report = connection.unreported.sent >= SENT_REPORT_BYTES;
        }
        let enters = sends && !links.is_queued(Queue::Transmit);
        if len == 0 {
            self.hw.mark::<{ work::RECEIVE_ACK }>();
            if report || enters {
                return self.take_and_queue(report, enters, arm);
            }
            Mover::take(&mut self.hw);
        } else {
            self.hw.mark::<{ work::RECEIVE_TEXT }>();
            connection.unreported.received += len;
            let Some(addr) = connection.receive.take_within_first(len) else {
                return self.follow_across_spans(len, 0, arm, sends);
            };
            let place = self.hw.segment_word(nic_rx::OFFSET);
            Mover::take_text(&mut self.hw, place, addr);
            if enters || !links.is_queued(Queue::Report) {
                return self.queue(slot_of(conn_len), enters, arm);
            }
        }
        if arm {
            return self.follow_seldom(slot_of(conn_len), true);
        }
        if self.load.is_enabled() {
            self.follow_seldom(slot_of(conn_len), false);
        }
    }

    /// An acknowledgement that has done more than to be counted.
    #[inline(never)]
    fn take_and_queue(&mut self, report: bool, sends: bool, arm: bool) {
        let slot = slot_of(self.hw.segment_word(nic_rx::CONN_LEN));
        self.enqueue_head(report, sends);
        Mover::take(&mut self.hw);
        if arm || self.load.is_enabled() {
            self.follow_seldom(slot, arm);
        }
    }

    /// Text that is to be reported, and may have to be acknowledged.
    #[inline(never)]
    fn queue(&mut self, slot: SlotIndex, sends: bool, arm: bool) {
        self.table.enqueue(Queue::Report, slot);
        if sends {
            self.table.enqueue(Queue::Transmit, slot);
        }
        if arm || self.load.is_enabled() {
            self.follow_seldom(slot, arm);
        }
    }

    /// Queues the connection of the segment in the window.
    #[inline(always)]
    fn enqueue_head(&mut self, report: bool, sends: bool) {
        let slot = slot_of(self.hw.segment_word(nic_rx::CONN_LEN));
        if report {
            self.table.enqueue(Queue::Report, slot);
        }
        if sends {
            self.table.enqueue(Queue::Transmit, slot);
        }
    }

    /// The rest of a predicted segment that finishes a span of one of the buffers: `len` bytes of text to copy, `acked` bytes that
    /// were acknowledged.
    #[inline(never)]
    fn follow_across_spans(&mut self, len: u32, acked: u32, arm: bool, sends: bool) {
        let slot = slot_of(self.hw.segment_word(nic_rx::CONN_LEN));
        let Some(connection) = self.table.get(slot) else { return };
        if len > 0 {
            self.hw.mark::<{ work::RECEIVE_TEXT }>();
            if acked > 0 {
                connection.unreported.received += len;
            }
            let place = self.hw.segment_word(nic_rx::OFFSET);
            copy_payload(&mut self.hw, connection, place_offset(place), len as u16, 0);
            connection.receive.consume(len);
        } else {
            self.hw.mark::<{ work::RECEIVE_ACK }>();
        }
        let freed = acked > 0 && connection.finished(acked);
        self.enqueue_head(len > 0 || freed, sends);
        Mover::take(&mut self.hw);
        self.follow_seldom(slot, arm);
    }

    #[inline(never)]
    fn follow_seldom(&mut self, slot: SlotIndex, arm: bool) {
        if self.load.is_enabled() {
            return self.follow_under_load_control(slot, arm);
        }
        if arm {
            self.arm(slot);
        }
    }

    #[inline(never)]
    fn follow_under_load_control(&mut self, slot: SlotIndex, arm: bool) {
        if arm {
            self.arm(slot);
        }
        let now = Instant(self.hw.read(TIME_US));
        self.packet_load(slot, now);
    }

    /// A packet of a connection that has left since it was classified is the host's.
    #[cold]
    #[inline(never)]
    fn receive_stale(&mut self) {
        self.totals.received = self.totals.received.wrapping_add(1);
        self.hw.write(NIC_RX_NEXT, 1);
        Mover::to_host(&mut self.hw);
        self.totals.stale = self.totals.stale.wrapping_add(1);
        self.hw.publish(mailbox::STS_STALE_PACKETS, self.totals.stale);
        self.run_load_control();
    }

    /// A segment that header prediction leaves to the full processing.
    #[inline(never)]
    fn receive_in_full(&mut self, slot: SlotIndex) {
        let now = Instant(self.hw.read(TIME_US));
        self.hw.mark::<{ work::RECEIVE_IN_FULL }>();
        self.totals.received = self.totals.received.wrapping_add(1);
        let (segment, payload_at) = read_segment(&self.hw);
        let Some(connection) = self.table.get(slot) else { return };
        let arrival = connection.tcb.segment_arrives(now, &segment);
        if let Some(deliver) = arrival.deliver {
            let src = payload_at + deliver.payload_offset;
            copy_payload(&mut self.hw, connection, src, deliver.len, deliver.stream_offset);
        }
        Mover::take(&mut self.hw);

        connection.receive.consume(arrival.advanced);
        connection.unreported.received += arrival.advanced;
        if arrival.peer_closed {
            connection.stage.set_peer_closed(true);
        }
        let freed = connection.acknowledged(arrival.acked);
        if freed || arrival.advanced > 0 || arrival.peer_closed {
            self.table.enqueue(Queue::Report, slot);
        }
        if arrival.reset {
            self.end(slot, Fate::Reset(reset::PEER));
        } else if arrival.closed {
            self.end(slot, Fate::Closed);
        } else {
            self.wants_to_send(slot);
            self.arm(slot);
            self.packet_load(slot, now);
        }
    }
}

/// The segment in the window, and where its payload starts in the stored frame.
fn read_segment<H: Hardware>(hw: &H) -> (SegmentIn, u16) {
    let length = hw.segment_word(nic_rx::CONN_LEN) >> 16;
    let offset = hw.segment_word(nic_rx::OFFSET);
    let flags_window = hw.segment_word(nic_rx::FLAGS_WINDOW);
    let option_words = ((flags_window >> 28) as usize).saturating_sub(5);
    let segment = SegmentIn {
        seq: SeqNumber(hw.segment_word(nic_rx::SEQ)),
        ack: SeqNumber(hw.segment_word(nic_rx::ACK)),
        flags: Flags((flags_window >> 16) as u8),
        window: flags_window as u16,
        options: wire::parse_options(option_words, |index| hw.segment_word(nic_rx::OPTIONS + index)),
        payload_len: length as u16,
        ecn: (offset >> nic_rx::ECN_SHIFT & 3) as u8,
    };
    (segment, place_offset(offset))
}

/// The slot of the connection that the descriptor's first word names.
#[inline(always)]
fn slot_of(conn_len: u32) -> SlotIndex {
    ConnId(conn_len as u16).slot() as SlotIndex
}

/// Where the payload starts in the stored frame, by the descriptor's word `OFFSET`.
fn place_offset(place: u32) -> u16 {
    (place & nic_rx::OFFSET_MASK) as u16
}

/// Copies `len` bytes of the oldest packet, from `src` on, to the receive buffer at `stream_offset`: a job for
/// each span that they touch.
#[inline(never)]
fn copy_payload<H: Hardware>(
    hw: &mut H,
    connection: &Connection<H::Program>,
    mut src: u16,
    mut len: u16,
    mut stream_offset: u32,
) {
    let turns = at_most!(RECEIVE_SPANS);
    while len > 0 {
        turns.take();
        let Some((addr, contiguous)) = connection.receive.at(stream_offset) else {
            debug_assert!(false, "the TCB accepted bytes beyond the receive buffer");
            return;
        };
        let part = contiguous.min(u32::from(len)) as u16;
        Mover::copy(hw, src, part, addr);
        src += part;
        len -= part;
        stream_offset += u32::from(part);
    }
}

//! Segments that arrive for connections on the NIC.
//!
//! The descriptor in the `NIC_RX` window has the parsed header. The TCB decides what it means and which
//! bytes go where; copy jobs move them from the packet into the spans of the receive buffer, out-of-order
//! bytes too, at their own place. Nearly every segment is one that header prediction takes; the path of those is
//! written for few instructions, and whatever is rare is out of its way. A packet whose connection has left since it was classified goes to the
//! host, in its turn.

use baton_abi::{
    mmio::{nic_rx, NIC_RX_NEXT, TIME_US},
    msg::{reset, ConnId},
    regs::mailbox,
    work,
};
use baton_tcp::{wire, Flags, Header, Instant, SegmentIn, SeqNumber};

use crate::{
    connection::{Connection, Fate},
    firmware::Firmware,
    hardware::{Hardware, HardwareExt},
    mover::Mover,
    table::Queue,
    wheel::SlotIndex,
};

impl<H: Hardware> Firmware<'_, H> {
    /// Takes the segment at the head of the NIC receive queue. False: there is no room for its jobs.
    #[inline]
    pub(crate) fn receive(&mut self) -> bool {
        if !self.mover.ready(&mut self.hw) {
            return false;
        }
        let now = Instant(self.hw.read(TIME_US));
        self.totals.received = self.totals.received.wrapping_add(1);
        let conn_len = self.hw.segment_word(nic_rx::CONN_LEN);
        let Some((slot, connection)) = self.table.open(ConnId(conn_len as u16)) else {
            self.receive_stale();
            return true;
        };
        connection.counters.received = connection.counters.received.wrapping_add(1);
        let len = conn_len >> 16;
        let header = read_header(&self.hw, len);
        let Some(acked) = header.and_then(|header| connection.tcb.predict(now, &header)) else {
            self.receive_in_full(slot, now);
            return true;
        };
        let mut report = len > 0;
        if len == 0 {
            self.hw.mark::<{ work::RECEIVE_ACK }>();
            self.mover.pop_at_once(&mut self.hw);
        } else {
            self.hw.mark::<{ work::RECEIVE_TEXT }>();
            connection.unreported.received += len;
            let src = (self.hw.segment_word(nic_rx::OFFSET) & 0xFFF) as u16;
            match connection.receive.take_within_first(len) {
                Some(addr) => self.mover.copy_and_pop(&mut self.hw, src, len as u16, addr),
                None => {
                    copy_payload(&mut self.mover, &mut self.hw, connection, src, len as u16, 0);
                    connection.receive.consume(len);
                    self.mover.pop(&mut self.hw);
                }
            }
        }
        self.hw.write(NIC_RX_NEXT, 1);
        if acked > 0 {
            report |= connection.acknowledged(acked);
        }
        let sends = connection.tcb.has_something_to_send();
        if let Some(deadline) = connection.tcb.poll_at() {
            self.arm_for(slot, deadline);
        }
        if report {
            self.table.enqueue(Queue::Report, slot);
        }
        if sends {
            self.table.enqueue(Queue::Transmit, slot);
        }
        self.packet_load(slot, now);
        true
    }

    /// A packet of a connection that has left since it was classified is the host's.
    #[cold]
    fn receive_stale(&mut self) {
        self.mover.to_host(&mut self.hw);
        self.hw.write(NIC_RX_NEXT, 1);
        self.totals.stale = self.totals.stale.wrapping_add(1);
        self.hw.publish(mailbox::STS_STALE_PACKETS, self.totals.stale);
        self.run_load_control();
    }

    /// A segment that header prediction leaves to the full processing.
    #[inline(never)]
    fn receive_in_full(&mut self, slot: SlotIndex, now: Instant) {
        self.hw.mark::<{ work::RECEIVE_IN_FULL }>();
        let (segment, payload_at) = read_segment(&self.hw);
        let Some(connection) = self.table.get(slot) else { return };
        let arrival = connection.tcb.segment_arrives(now, &segment);
        if let Some(deliver) = arrival.deliver {
            let src = payload_at + deliver.payload_offset;
            copy_payload(&mut self.mover, &mut self.hw, connection, src, deliver.len, deliver.stream_offset);
        }
        self.mover.pop(&mut self.hw);
        self.hw.write(NIC_RX_NEXT, 1);

        connection.receive.consume(arrival.advanced);
        let unreported = &mut connection.unreported;
        unreported.received += arrival.advanced;
        unreported.peer_closed |= arrival.peer_closed;
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

/// What header prediction looks at, of the segment in the window with `len` bytes of payload. `None`: it has
/// options besides timestamps in their usual place.
#[inline]
fn read_header<H: Hardware>(hw: &H, len: u32) -> Option<Header> {
    let flags_window = hw.segment_word(nic_rx::FLAGS_WINDOW);
    let timestamps = match flags_window >> 28 {
        5 => None,
        8 if hw.segment_word(nic_rx::OPTIONS) == wire::TIMESTAMPS_ALIGNED => {
            Some((hw.segment_word(nic_rx::OPTIONS + 1), hw.segment_word(nic_rx::OPTIONS + 2)))
        }
        _ => return None,
    };
    Some(Header {
        seq: SeqNumber(hw.segment_word(nic_rx::SEQ)),
        ack: SeqNumber(hw.segment_word(nic_rx::ACK)),
        flags: Flags((flags_window >> 16) as u8),
        window: flags_window as u16,
        timestamps,
        payload_len: len as u16,
    })
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
        ecn: (offset >> 12 & 3) as u8,
    };
    (segment, (offset & 0xFFF) as u16)
}

/// Copies `len` bytes of the oldest packet, from `src` on, to the receive buffer at `stream_offset`: a job for
/// each span that they touch.
#[inline(never)]
fn copy_payload<H: Hardware>(
    mover: &mut Mover,
    hw: &mut H,
    connection: &Connection,
    mut src: u16,
    mut len: u16,
    mut stream_offset: u32,
) {
    while len > 0 {
        let Some((addr, contiguous)) = connection.receive.at(stream_offset) else {
            debug_assert!(false, "the TCB accepted bytes beyond the receive buffer");
            return;
        };
        let part = contiguous.min(u32::from(len)) as u16;
        mover.copy(hw, src, part, addr);
        src += part;
        len -= part;
        stream_offset += u32::from(part);
    }
}

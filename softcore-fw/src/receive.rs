//! Segments that arrive for connections on the NIC.
//!
//! The descriptor in the `NIC_RX` window has the parsed header. The TCB decides what it means and which
//! bytes go where; copy jobs move them from the packet into the spans of the receive buffer, out-of-order
//! bytes too, at their own place. A packet whose connection has left since it was classified goes to the
//! host, in its turn.

use baton_abi::{
    mmio::{nic_rx, NIC_RX_NEXT},
    msg::{reset, ConnId},
    regs::mailbox,
};
use baton_tcp::{wire, Flags, Instant, SegmentIn, SeqNumber};

use crate::{
    connection::{Connection, Fate},
    firmware::Firmware,
    hardware::{Hardware, HardwareExt},
    mover::Mover,
    table::Queue,
};

/// Acknowledged bytes that are reported even though no span of the send buffer is finished.
const SENT_REPORT_BYTES: u32 = 32 * 1024;

impl<H: Hardware> Firmware<'_, H> {
    /// Takes the segment at the head of the NIC receive queue. False: there is no room for its jobs.
    pub(crate) fn receive(&mut self, now: Instant) -> bool {
        if !self.mover.has_room() {
            return false;
        }
        self.totals.received = self.totals.received.wrapping_add(1);
        self.hw.publish(mailbox::STS_RX_SEGMENTS, self.totals.received);
        let conn = ConnId(self.hw.segment_word(nic_rx::CONN_LEN) as u16);
        let open = self.table.find(conn).filter(|&slot| self.table.get(slot).is_some_and(|c| c.is_open()));
        let Some(slot) = open else {
            self.mover.to_host(&mut self.hw);
            self.hw.write(NIC_RX_NEXT, 1);
            self.totals.stale = self.totals.stale.wrapping_add(1);
            self.hw.publish(mailbox::STS_STALE_PACKETS, self.totals.stale);
            self.run_load_control();
            return true;
        };
        let (segment, payload_at) = read_segment(&self.hw);
        let Some(connection) = self.table.get(slot) else { return false };
        connection.counters.received = connection.counters.received.wrapping_add(1);
        let arrival = connection.tcb.segment_arrives(now, &segment);
        if let Some(deliver) = arrival.deliver {
            let src = payload_at + deliver.payload_offset;
            copy_payload(&mut self.mover, &mut self.hw, connection, src, deliver.len, deliver.stream_offset);
        }
        self.mover.pop(&mut self.hw);
        self.hw.write(NIC_RX_NEXT, 1);

        let spans = connection.send.spans().len();
        connection.receive.consume(arrival.advanced);
        connection.send.consume(arrival.acked);
        let unreported = &mut connection.unreported;
        unreported.received += arrival.advanced;
        unreported.sent += arrival.acked;
        unreported.peer_closed |= arrival.peer_closed;
        // Acknowledgements are worth an event when a buffer is free again; until then they add up.
        let report = arrival.advanced > 0
            || arrival.peer_closed
            || connection.send.spans().len() < spans
            || unreported.sent >= SENT_REPORT_BYTES;
        if report {
            self.table.enqueue(Queue::Report, slot);
        }
        if arrival.reset {
            self.end(slot, Fate::Reset(reset::PEER));
        } else if arrival.closed {
            self.end(slot, Fate::Closed);
        } else {
            self.wants_to_send(slot);
            self.arm(slot);
            self.run_load_control();
        }
        true
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
        ecn: (offset >> 12 & 3) as u8,
    };
    (segment, (offset & 0xFFF) as u16)
}

/// Copies `len` bytes of the oldest packet, from `src` on, to the receive buffer at `stream_offset`: a job for
/// each span that they touch.
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

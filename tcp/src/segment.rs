//! Segments as the engine sees them: headers and lengths, never payload.

use core::ops::BitOr;

use crate::SeqNumber;

/// Control bits of a TCP header (RFC 9293 Section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    pub const FIN: Flags = Flags(1);
    pub const SYN: Flags = Flags(2);
    pub const RST: Flags = Flags(4);
    pub const PSH: Flags = Flags(8);
    pub const ACK: Flags = Flags(16);
    pub const URG: Flags = Flags(32);

    /// Whether all bits of `other` are set.
    #[inline]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Flags;
    #[inline]
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// A range of sequence numbers, `end` not included: a SACK block (RFC 2018 Section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub start: SeqNumber,
    pub end: SeqNumber,
}

/// Most SACK blocks in a header.
pub const SACK_BLOCKS: usize = 4;

/// Options of a segment, received or to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub mss: Option<u16>,
    pub window_scale: Option<u8>,
    pub sack_permitted: bool,
    /// TSval and TSecr.
    pub timestamps: Option<(u32, u32)>,
    /// The first `sack_count` are valid.
    pub sack: [Range; SACK_BLOCKS],
    pub sack_count: u8,
}

impl Options {
    /// No options.
    pub const NONE: Options = Options {
        mss: None,
        window_scale: None,
        sack_permitted: false,
        timestamps: None,
        sack: [Range { start: SeqNumber(0), end: SeqNumber(0) }; SACK_BLOCKS],
        sack_count: 0,
    };

    /// The valid SACK blocks.
    #[inline]
    pub fn sack_blocks(&self) -> &[Range] {
        self.sack.get(..usize::from(self.sack_count)).unwrap_or(&self.sack)
    }
}

/// A received segment whose checksum was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentIn {
    pub seq: SeqNumber,
    /// Meaningful with [`Flags::ACK`].
    pub ack: SeqNumber,
    pub flags: Flags,
    /// As in the header, not scaled.
    pub window: u16,
    pub options: Options,
    /// Bytes of payload.
    pub payload_len: u16,
    /// ECN bits of the IP header. ECN is not negotiated and the bits have no effect.
    pub ecn: u8,
}

impl SegmentIn {
    /// SEG.LEN: payload, and one each for SYN and FIN.
    #[inline]
    pub fn sequence_len(&self) -> u32 {
        u32::from(self.payload_len)
            + u32::from(self.flags.has(Flags::SYN))
            + u32::from(self.flags.has(Flags::FIN))
    }
}

/// A segment to send. The caller adds addresses, checksums and the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentOut {
    pub seq: SeqNumber,
    pub ack: SeqNumber,
    pub flags: Flags,
    /// As in the header, already scaled.
    pub window: u16,
    pub options: Options,
    /// Where the payload starts: bytes after the first unacknowledged byte of the send buffer.
    pub data_offset: u32,
    /// Bytes of payload.
    pub data_len: u16,
    /// Some of this was sent before.
    pub retransmit: bool,
}

/// Segments to send that differ in nothing but their place: one header, and payload to be cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BurstOut {
    /// The first segment, except for its flags: PSH and FIN in them are the last one's.
    pub segment: SegmentOut,
    /// Bytes of payload of all segments together.
    pub len: u32,
    /// Bytes of payload of each but the last.
    pub mss: u16,
}

impl BurstOut {
    /// How many segments they are.
    pub fn segments(&self) -> u32 {
        if self.len <= u32::from(self.mss) {
            1
        } else {
            self.len.div_ceil(u32::from(self.mss))
        }
    }
}

/// Payload that has to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deliver {
    /// First byte to take, from the start of the segment's payload.
    pub payload_offset: u16,
    /// Bytes to take.
    pub len: u16,
    /// Where they go: bytes after the start of the receive buffer, as it was *before* this segment.
    pub stream_offset: u32,
}

/// What a received segment meant.
///
/// The caller stores [`Arrival::deliver`] first, then consumes `advanced` bytes of its receive buffer
/// and `acked` bytes of its send buffer, then polls for segments to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Arrival {
    pub deliver: Option<Deliver>,
    /// Bytes at the start of the send buffer that the peer acknowledged with this segment.
    pub acked: u32,
    /// Bytes at the start of the receive buffer that are now complete and in order.
    pub advanced: u32,
    /// The handshake is complete.
    pub established: bool,
    /// The peer's FIN was reached: nothing follows the bytes in `advanced`.
    pub peer_closed: bool,
    /// The connection has ended in order; the state is CLOSED.
    pub closed: bool,
    /// The connection was reset by the peer; the state is CLOSED.
    pub reset: bool,
    /// Send [`reset_for`] this segment (only during the handshake).
    pub reply_reset: bool,
    /// The segment was dropped: unacceptable, forged or of no use.
    pub dropped: bool,
}

/// The RST that answers a segment for which there is no connection; none answers a RST.
///
/// RFC 9293 Section 3.10.7.1, CLOSED state.
pub fn reset_for(segment: &SegmentIn) -> Option<SegmentOut> {
    if segment.flags.has(Flags::RST) {
        return None;
    }
    Some(if segment.flags.has(Flags::ACK) {
        SegmentOut { seq: segment.ack, flags: Flags::RST, ..SegmentOut::default() }
    } else {
        SegmentOut {
            ack: segment.seq + segment.sequence_len(),
            flags: Flags::RST | Flags::ACK,
            ..SegmentOut::default()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reset_for_answers_as_a_closed_socket() {
        let syn = SegmentIn { seq: SeqNumber(9), flags: Flags::SYN, payload_len: 3, ..SegmentIn::default() };
        let rst = reset_for(&syn).unwrap();
        assert_eq!((rst.seq.0, rst.ack.0, rst.flags), (0, 13, Flags::RST | Flags::ACK));
        let ack = SegmentIn { ack: SeqNumber(77), flags: Flags::ACK, ..SegmentIn::default() };
        assert_eq!(reset_for(&ack).map(|r| (r.seq.0, r.flags)), Some((77, Flags::RST)));
        assert_eq!(reset_for(&SegmentIn { flags: Flags::RST, ..ack }), None);
    }
}

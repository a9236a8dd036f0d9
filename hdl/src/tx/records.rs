//! What the transmit stages hand to one another. Each record fits 64 bits where it can, one machine word of a
//! simulator.

use rust_hdl::prelude::*;

/// A burst that the firmware pushed; its header lies in a staging slot.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Burst {
    /// Host address of the payload.
    pub addr: Bits<32>,
    /// Bytes of the payload, of all segments together.
    pub length: Bits<17>,
    /// Bytes of it that lie at `addr`, and where the others are; 0 is all.
    pub cut: Bits<17>,
    pub rest: Bits<32>,
    /// Bytes of payload of each segment but the last.
    pub mss: Bits<14>,
    /// Bytes of the header, with its two bytes of padding.
    pub header: Bits<8>,
}

/// A frame on its way, in the order of the wire: a *plain* one, which the host has built whole, or one segment
/// of a burst, of the firmware or of the host.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Job {
    pub host: Bit,
    /// Not a segment: there is no header in a slot.
    pub plain: Bit,
    /// Its lengths are impossible: it is dropped, and has no words.
    pub bad: Bit,
    pub inject: Bit,
    /// Header slot of a segment.
    pub slot: Bits<2>,
    /// The first segment of its burst, and the last.
    pub first: Bit,
    pub last: Bit,
    /// Words of the header, with its padding.
    pub header: Bits<5>,
    /// Words of memory that hold the payload.
    pub words: Bits<12>,
    /// Byte lane at which the payload starts in its first word.
    pub lane: Bits<2>,
    /// Bytes used of its last word; 0 is all four.
    pub end: Bits<2>,
    /// A segment of two places: words from the first of them, or 0; bytes used of the last of these words; byte lane at which the others start.
    pub cut: Bits<12>,
    pub cut_end: Bits<2>,
    pub cut_lane: Bits<2>,
    /// Segment: bytes of payload. Plain: where the checksum goes, in bytes from the first payload word.
    pub place: Bits<14>,
    /// Plain: a checksum is inserted, and it lies where UDP has its own.
    pub checksum: Bit,
    pub udp: Bit,
}

/// What the intake needs to know of bytes that were asked for.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct IntakeNote {
    /// They are the header of a burst of the host, and go to this slot.
    pub header: Bit,
    pub slot: Bit,
    /// First byte to be summed, from the start of the first word; of a header, its first byte.
    pub first: Bits<14>,
    /// Bytes used of the last word; 0 is all four.
    pub end: Bits<2>,
    /// More bytes of the same payload follow, from another place.
    pub more: Bit,
    /// Byte lanes of these words are odd where those of the payload's beginning are even.
    pub turned: Bit,
    /// The first byte of the payload, or of what is summed of it, lies in an odd lane.
    pub odd: Bit,
}

/// What the intake found out about a payload.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Payload {
    /// One's complement sum; the first byte summed counts as the low byte of a half-word.
    pub sum: Bits<16>,
    /// Part of it, or of the header before it, could not be read.
    pub failed: Bit,
}

/// A frame with all that its sender needs, besides the words of the patch memory.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Ready {
    pub host: Bit,
    pub plain: Bit,
    /// Skip the payload and forget the frame.
    pub drop: Bit,
    /// The firmware is to hear that its burst was lost.
    pub lost: Bit,
    pub inject: Bit,
    /// The header is one of IPv6.
    pub ipv6: Bit,
    pub slot: Bits<2>,
    pub last: Bit,
    pub header: Bits<5>,
    pub words: Bits<12>,
    pub lane: Bits<2>,
    pub end: Bits<2>,
    pub cut: Bits<12>,
    pub cut_end: Bits<2>,
    pub cut_lane: Bits<2>,
    pub place: Bits<14>,
    pub checksum: Bit,
    /// Control information of a VLAN tag that goes in behind the addresses, first byte low; 0 for no tag.
    pub vlan: Bits<16>,
}

/// A word of an outgoing frame.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct OutWord {
    pub data: Bits<32>,
    pub keep: Bits<4>,
    pub last: Bit,
    pub inject: Bit,
}

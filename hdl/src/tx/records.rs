//! What the transmit stages hand to one another.

use rust_hdl::prelude::*;

/// A segment that the firmware pushed; its header lies in a staging slot.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Segment {
    /// Host address of the payload.
    pub addr: Bits<32>,
    /// Bytes of the payload.
    pub length: Bits<16>,
    /// Bytes of the header, with its two bytes of padding.
    pub header: Bits<8>,
    pub ip_checksum: Bit,
    pub tcp_checksum: Bit,
}

/// A transmit descriptor of the host.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct HostFrame {
    pub addr: Bits<32>,
    pub length: Bits<16>,
    pub checksum: Bit,
    pub inject: Bit,
    pub csum_start: Bits<16>,
    pub csum_offset: Bits<16>,
}

/// A frame on its way, in the order of the wire.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Job {
    /// A host frame, without a staged header.
    pub host: Bit,
    /// Its lengths are impossible: it is dropped, and has no words.
    pub bad: Bit,
    pub inject: Bit,
    pub header: Bits<8>,
    /// Words of memory that hold the payload.
    pub words: Bits<9>,
    /// Byte lane at which the payload starts in its first word.
    pub lane: Bits<2>,
    /// Bytes used of its last word; 0 is all four.
    pub end: Bits<2>,
    pub ip_checksum: Bit,
    pub checksum: Bit,
    /// Host frames: where the checksum goes, in bytes from the start of the first payload word.
    pub patch: Bits<11>,
    /// Host frames: the checksum lies where UDP has its own.
    pub udp: Bit,
}

/// What the intake needs to know of a payload.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct IntakeNote {
    /// First byte to be summed, from the start of the first word.
    pub first: Bits<11>,
    /// Bytes used of its last word; 0 is all four.
    pub end: Bits<2>,
}

/// What the intake found out about a payload.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Payload {
    /// One's complement sum; the first byte summed counts as the low byte of a half-word.
    pub sum: Bits<16>,
    /// Part of it could not be read.
    pub failed: Bit,
}

/// One's complement sums of a staged header, low byte first as [`Payload::sum`].
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct HeaderSums {
    /// Stored bytes 16 to 35: the IPv4 header.
    pub ip: Bits<16>,
    /// From stored byte 36 to its end.
    pub tcp: Bits<16>,
}

/// A frame with all that its sender needs.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Ready {
    pub host: Bit,
    /// Skip the payload and forget the frame.
    pub drop: Bit,
    pub inject: Bit,
    pub header: Bits<8>,
    pub words: Bits<9>,
    pub lane: Bits<2>,
    pub end: Bits<2>,
    pub ip_checksum: Bit,
    pub checksum: Bit,
    pub patch: Bits<11>,
    /// Checksums to insert, the byte that goes first low.
    pub ip: Bits<16>,
    pub sum: Bits<16>,
}

/// What is done with the memory word that is being read.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Tag {
    pub valid: Bit,
    /// The word comes from the header memory.
    pub header: Bit,
    pub inject: Bit,
    /// The frame ends with it.
    pub last: Bit,
    /// First byte lane used.
    pub lane: Bits<2>,
    /// Bytes used, 1 to 4.
    pub count: Bits<3>,
    /// Byte lanes replaced by those of `patch`.
    pub patch_mask: Bits<4>,
    pub patch: Bits<32>,
}

/// A word of an outgoing frame.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct OutWord {
    pub data: Bits<32>,
    pub keep: Bits<4>,
    pub last: Bit,
    pub inject: Bit,
}

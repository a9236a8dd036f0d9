//! What travels beside a frame: the parser's findings, then the lookup's.

use rust_hdl::prelude::*;

/// The parser's findings on a staged frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, LogicStruct)]
pub struct FrameInfo {
    /// Source address of the IPv4 header.
    pub remote_ip: Bits<32>,
    /// Destination address of the IPv4 header.
    pub local_ip: Bits<32>,
    /// Source port in the upper half, destination port in the lower.
    pub ports: Bits<32>,
    /// A TCP segment that may belong to a connection on the NIC: no IP options, no fragment.
    pub candidate: Bit,
    pub facts: FrameFacts,
}

/// The part of a frame's information that outlives the lookup.
#[derive(Clone, Copy, Debug, Default, PartialEq, LogicStruct)]
pub struct FrameFacts {
    /// Cycle at which the frame's last word arrived.
    pub arrival: Bits<32>,
    /// Bytes with the padding before the frame.
    pub stored_len: Bits<11>,
    /// Bytes of TCP payload, without Ethernet padding.
    pub payload_len: Bits<11>,
    /// TCP data offset, words.
    pub data_offset: Bits<4>,
    /// ECN field of the IPv4 header.
    pub ecn: Bits<2>,
    /// A checksum or a length is wrong; the frame is to be dropped.
    pub bad: Bit,
    /// IPv4 and TCP checksums were verified.
    pub verified: Bit,
    pub from_wire: Bit,
}

/// What the steering needs of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, LogicStruct)]
pub struct RoutedFrame {
    pub facts: FrameFacts,
    /// The lookup found the connection.
    pub hit: Bit,
    /// Its value.
    pub value: Bits<16>,
}

/// A frame in a packet queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, LogicStruct)]
pub struct Packet {
    pub stored_len: Bits<11>,
    pub arrival: Bits<32>,
    pub verified: Bit,
}

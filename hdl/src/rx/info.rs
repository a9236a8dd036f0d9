//! What travels beside a frame: the parser's findings, then the lookup's.
//!
//! The arrival time and the connection's key travel in queues of their own, so that each of these fits 64 bits:
//! a simulator moves it as one machine word.

use rust_hdl::prelude::*;

/// The parser's findings on a staged frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, LogicStruct)]
pub struct FrameFacts {
    /// Bytes with the padding before the frame.
    pub stored_len: Bits<14>,
    /// Bytes of TCP payload, without Ethernet padding.
    pub payload_len: Bits<14>,
    /// TCP data offset, words.
    pub data_offset: Bits<4>,
    /// ECN field of the IPv4 header.
    pub ecn: Bits<2>,
    /// A checksum or a length is wrong; the frame is to be dropped.
    pub bad: Bit,
    /// IPv4 and TCP checksums were verified.
    pub verified: Bit,
    /// A TCP segment that may belong to a connection on the NIC: no IP options, no fragment.
    pub candidate: Bit,
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
    pub stored_len: Bits<14>,
    pub arrival: Bits<32>,
    pub verified: Bit,
}

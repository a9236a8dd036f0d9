//! What travels beside a frame: the findings of verifier and classifier, then the lookup's.
//!
//! The arrival time, the connection's key and the host's queue travel in queues of their own, so that each of these fits 64 bits:
//! a simulator moves it as one machine word.

use super::program::CARRY_BITS;
use rust_hdl::prelude::*;

/// The findings on a staged frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, LogicStruct)]
pub struct FrameFacts {
    /// Bytes with the padding before the frame.
    pub stored_len: Bits<14>,
    /// Bytes of TCP payload, without Ethernet padding.
    pub payload_len: Bits<14>,
    /// TCP data offset, words.
    pub data_offset: Bits<4>,
    /// ECN field of the IP header.
    pub ecn: Bits<2>,
    /// A checksum or a length is wrong; the frame is to be dropped.
    pub bad: Bit,
    /// The checksums of IP and TCP were verified.
    pub verified: Bit,
    /// The P4 program looks it up, and it is a verified TCP segment at the place that the program says.
    pub candidate: Bit,
    /// Number of the stored word with which the TCP header begins.
    pub segment_word: Bits<5>,
    /// What the P4 program needs once the table has answered.
    pub carry: Bits<CARRY_BITS>,
}

/// What the steering needs of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, LogicStruct)]
pub struct RoutedFrame {
    pub facts: FrameFacts,
    /// It belongs to a connection on the NIC.
    pub hit: Bit,
    /// That connection's value.
    pub value: Bits<16>,
    /// The program drops it.
    pub drop: Bit,
}

/// A frame in a packet queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, LogicStruct)]
pub struct Packet {
    pub stored_len: Bits<14>,
    pub arrival: Bits<32>,
    pub verified: Bit,
    /// The host's queue and the class that the program chose.
    pub sort: Bits<11>,
}

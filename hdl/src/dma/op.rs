//! The operation that the sequencer hands to the mover.

use rust_hdl::prelude::*;

/// Where the words of an operation come from.
pub mod source {
    /// The oldest frame of the host receive queue.
    pub const HOST: u64 = 0;
    /// The oldest packet of the NIC receive queue.
    pub const NIC: u64 = 1;
    /// The completion of a receive descriptor: `word0`, `word1`, the cycle, zero.
    pub const COMPLETION: u64 = 2;
    /// The event words.
    pub const EVENT: u64 = 3;
    /// The ring indices.
    pub const INDEX: u64 = 4;
}

/// The sequencer's end. The operation is taken in the cycle in which `valid` and `take` are both high; until
/// then it is held steady.
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "OpIn"]
pub struct OpOut {
    pub valid: Signal<Out, Bit>,
    pub take: Signal<In, Bit>,
    /// One of [`source`].
    pub source: Signal<Out, Bits<3>>,
    /// Read the source and write to memory.
    pub write: Signal<Out, Bit>,
    /// Read the source and write nothing: how refused event words are discarded. With neither `write` nor
    /// `drain`, the source is not read.
    pub drain: Signal<Out, Bit>,
    /// Destination in host memory; any alignment for queues, a multiple of 4 for the other sources.
    pub addr: Signal<Out, Bits<32>>,
    /// Bytes, at least one with `write` or `drain`.
    pub len: Signal<Out, Bits<16>>,
    /// Offset of the first byte in the source, in bytes; zero for sources that are not queues.
    pub offset: Signal<Out, Bits<16>>,
    /// Afterwards free the oldest frame of the host queue.
    pub pop_host: Signal<Out, Bit>,
    /// Afterwards free the oldest packet of the NIC queue.
    pub pop_nic: Signal<Out, Bit>,
    /// First and second word of a completion; the second is the cycle of arrival.
    pub word0: Signal<Out, Bits<32>>,
    pub word1: Signal<Out, Bits<32>>,
    /// The completion belongs to a host packet, whose delay is measured.
    pub timed: Signal<Out, Bit>,
}

/// The mover's end; see [`OpOut`].
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "OpOut"]
pub struct OpIn {
    pub valid: Signal<In, Bit>,
    pub take: Signal<Out, Bit>,
    pub source: Signal<In, Bits<3>>,
    pub write: Signal<In, Bit>,
    pub drain: Signal<In, Bit>,
    pub addr: Signal<In, Bits<32>>,
    pub len: Signal<In, Bits<16>>,
    pub offset: Signal<In, Bits<16>>,
    pub pop_host: Signal<In, Bit>,
    pub pop_nic: Signal<In, Bit>,
    pub word0: Signal<In, Bits<32>>,
    pub word1: Signal<In, Bits<32>>,
    pub timed: Signal<In, Bit>,
}

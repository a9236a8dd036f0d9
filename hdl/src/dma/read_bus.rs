//! How the readers of host memory talk to the AXI master.
//!
//! A client raises `valid` with an address and a length and holds them until `ready`, which is high for
//! one cycle. Later the words come, one at most a cycle and with no way to hold them up: a client asks only for
//! what it has room for. The words are those of memory, aligned; the first one holds the byte at the
//! address, whatever its lane, and `last` marks the one with the last byte. A word that could not be read is
//! zero and has `error` high. Requests of one client are answered in order, and so are those of all.

use rust_hdl::prelude::*;

/// The reader's end of a request for bytes of host memory.
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "ReadRequestSource"]
pub struct ReadRequest {
    /// First byte, at any alignment.
    pub addr: Signal<In, Bits<32>>,
    /// Bytes, 1 and up.
    pub length: Signal<In, Bits<16>>,
    pub valid: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
}

/// The client's end of a request; see [`ReadRequest`].
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "ReadRequest"]
pub struct ReadRequestSource {
    pub addr: Signal<Out, Bits<32>>,
    pub length: Signal<Out, Bits<16>>,
    pub valid: Signal<Out, Bit>,
    pub ready: Signal<In, Bit>,
}

/// The client's end of the words that answer its requests.
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "ReadDataSource"]
pub struct ReadData {
    pub data: Signal<In, Bits<32>>,
    /// This word could not be read.
    pub error: Signal<In, Bit>,
    /// The last word of a request.
    pub last: Signal<In, Bit>,
    pub valid: Signal<In, Bit>,
}

/// The reader's end of the words; see [`ReadData`].
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "ReadData"]
pub struct ReadDataSource {
    pub data: Signal<Out, Bits<32>>,
    pub error: Signal<Out, Bit>,
    pub last: Signal<Out, Bit>,
    pub valid: Signal<Out, Bit>,
}

/// The memory that may be read: four ranges, each from its base up to but without its limit.
#[derive(Clone, Debug, Default, LogicInterface)]
pub struct Ranges {
    pub base0: Signal<In, Bits<32>>,
    pub base1: Signal<In, Bits<32>>,
    pub base2: Signal<In, Bits<32>>,
    pub base3: Signal<In, Bits<32>>,
    pub limit0: Signal<In, Bits<32>>,
    pub limit1: Signal<In, Bits<32>>,
    pub limit2: Signal<In, Bits<32>>,
    pub limit3: Signal<In, Bits<32>>,
}

//! AXI4-Stream and plain handshakes as bundles of ports.
//!
//! A transfer happens at the clock edge when `tvalid` and `tready` are both high. A source holds everything
//! steady from the cycle in which it raises `tvalid` until the transfer; `tready` may depend on `tvalid`, never the other way.

use rust_hdl::prelude::*;

/// The sink's end of a 32-bit AXI4-Stream of frames. Byte 0 of a word is bits 7:0; `tkeep` is all ones
/// except in the last word, where the valid bytes are the low ones. `tuser` is read with `tlast`.
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "StreamOut"]
pub struct StreamIn {
    pub tdata: Signal<In, Bits<32>>,
    pub tkeep: Signal<In, Bits<4>>,
    pub tlast: Signal<In, Bit>,
    pub tuser: Signal<In, Bit>,
    pub tvalid: Signal<In, Bit>,
    pub tready: Signal<Out, Bit>,
}

/// The source's end of a 32-bit AXI4-Stream of frames; see [`StreamIn`].
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "StreamIn"]
pub struct StreamOut {
    pub tdata: Signal<Out, Bits<32>>,
    pub tkeep: Signal<Out, Bits<4>>,
    pub tlast: Signal<Out, Bit>,
    pub tuser: Signal<Out, Bit>,
    pub tvalid: Signal<Out, Bit>,
    pub tready: Signal<In, Bit>,
}

/// The sink's end of a valid/ready handshake that carries a `T`.
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "HandshakeSource"]
pub struct Handshake<T: Synth> {
    pub data: Signal<In, T>,
    pub valid: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
}

/// The source's end of a valid/ready handshake; see [`Handshake`].
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "Handshake"]
pub struct HandshakeSource<T: Synth> {
    pub data: Signal<Out, T>,
    pub valid: Signal<Out, Bit>,
    pub ready: Signal<In, Bit>,
}

//! The host's registers: an AXI4-Lite slave in front of one module for each block of `abi::regs`.
//!
//! The slave turns each access into one cycle on a [`RegBus`] that every block sees; a block answers for its
//! own addresses and keeps silent (zero, no hit) for others, so answers are ORed, each from a register ([`RegTap`]). A test writes and
//! reads every register of the table and compare with its declared access and reset value.

pub mod axil;
pub mod axil_split;
pub mod counters;
pub mod dma;
pub mod filter;
pub mod identity;
pub mod mailbox;
pub mod rings;
pub mod statistics;
pub mod tap;

pub use axil::AxilSlave;
pub use tap::RegTap;

use rust_hdl::prelude::*;

/// A block's end of the register bus. `write` is high for one cycle with `write_addr` and `write_data`;
/// `read_data` and `read_hit` follow `read_addr` in the same cycle. Addresses are multiples of 4.
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "RegUser"]
pub struct RegBus {
    pub write: Signal<In, Bit>,
    pub write_addr: Signal<In, Bits<16>>,
    pub write_data: Signal<In, Bits<32>>,
    pub write_hit: Signal<Out, Bit>,
    pub read_addr: Signal<In, Bits<16>>,
    pub read_data: Signal<Out, Bits<32>>,
    pub read_hit: Signal<Out, Bit>,
}

/// The other end of a [`RegBus`].
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "RegBus"]
pub struct RegUser {
    pub write: Signal<Out, Bit>,
    pub write_addr: Signal<Out, Bits<16>>,
    pub write_data: Signal<Out, Bits<32>>,
    pub write_hit: Signal<In, Bit>,
    pub read_addr: Signal<Out, Bits<16>>,
    pub read_data: Signal<In, Bits<32>>,
    pub read_hit: Signal<In, Bit>,
}

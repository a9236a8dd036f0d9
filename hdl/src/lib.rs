//! The NIC in Rust-HDL.
//!
//! `kit` has the leaf cells and the streams; every other module is built from it. The Verilog that
//! [`emit::verilog`] returns is the product: it is what Verilator runs and yosys synthesizes.

pub mod board;
pub mod core;
pub mod dma;
pub mod emit;
pub mod kit;
pub mod link;
pub mod mac;
pub mod nic;
pub mod nic_mac;
pub mod regs;
pub mod rx;
pub mod softcore;
pub mod tx;

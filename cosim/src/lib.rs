//! The co-simulation: the verilated NIC and models of everything that it is attached to.
//!
//! [`block`] runs any emitted module by itself.

pub mod block;
pub mod library;
pub mod port;
pub mod verilate;

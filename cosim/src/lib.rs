//! The co-simulation: the verilated NIC and models of everything that it is attached to.

pub mod port;

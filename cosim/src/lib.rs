//! The co-simulation: the verilated NIC and models of everything that it is attached to.
//!
//! [`system::System`] is the whole: a [`nic::Nic`], host memory behind AXI4 ([`axi`]), the register port
//! ([`axil`]), a paced wire ([`wire`]), one clock, and a [`monitor`] of the bus rules. The server's software sees
//! it through [`port::HostPort`]. [`block`] runs any emitted module by itself.

pub mod axi;
pub mod axil;
pub mod block;
pub mod clocks;
pub mod gmii;
pub mod hostlink;
pub mod library;
pub mod mdio;
pub mod monitor;
pub mod netlist;
pub mod nic;
pub mod pcap;
pub mod pins;
pub mod port;
pub mod ports;
pub mod receive;
pub mod reference;
pub mod softcore;
pub mod system;
pub mod verilate;
pub mod wire;

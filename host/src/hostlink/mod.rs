//! The PC's program of the host link: an Ethernet-attached offload adapter (`docs/hostlink.md`).
//!
//! The NIC on a board is reached by frames over an Ethernet port of this machine. [`port::LinkPort`] is the NIC as the driver sees it,
//! with the memory that it reaches by DMA here; [`socket::PacketSocket`] the wire to it; [`adapter::Adapter`] drives it and
//! presents what it receives for the host as a TAP interface.

pub mod adapter;
pub mod port;
pub mod socket;

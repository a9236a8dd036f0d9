//! The PC's program of the host link: an Ethernet-attached offload adapter (`docs/hostlink.md`).
//!
//! The NIC on a board is reached by frames over an Ethernet port of this machine. [`port::LinkPort`] is the NIC as the driver sees it,
//! with the memory that it reaches by DMA here; [`socket::PacketSocket`] the wire to it; [`adapter::Adapter`] drives it and
//! presents what it receives for the host as a TAP interface. [`offload::Offload`] takes connections from the kernel
//! ([`kernel`], [`flows`]) for the NIC, and [`relay::Relay`] joins them to a server.

pub mod adapter;
pub mod flows;
pub mod kernel;
pub mod offload;
pub mod port;
pub mod relay;
pub mod socket;

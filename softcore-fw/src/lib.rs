//! The firmware of the NIC's softcore: TCP for the connections that the host has handed off.
//!
//! [`Firmware`] is generic over [`Hardware`], the registers of `baton_abi::mmio`; the image in `main.rs`
//! gives it the real ones, native tests a model. It runs to completion in small turns, allocates nothing
//! and needs no time that grows with the number of connections.
//!
//! - [`firmware`]: the event loop; `receive`, `transmit`, `command` and `report` are its parts.
//! - [`host_only`]: the event loop of a NIC without handoff.
//! - [`board`]: PHYs and console of a board.
//! - [`connection`], [`table`]: a connection, and where it lies. [`program`]: how the NIC's table has it.
//! - [`load`]: the paper's load control; [`shed`]: active restoration; [`load_events`]: what the host hears of both. [`wheel`]: timers. [`mover`]: jobs and events within their room.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod board;
mod command;
pub mod connection;
pub mod firmware;
pub mod hardware;
pub mod host_only;
pub mod load;
pub mod load_events;
pub mod mover;
pub mod program;
mod receive;
mod report;
pub mod shed;
pub mod table;
mod transmit;
pub mod wheel;

pub use firmware::{timing, Firmware};
pub use hardware::Hardware;
pub use host_only::HostOnly;
pub use program::{Built, Program};
pub use table::{gap_rooms, Slot};

#[cfg(test)]
mod tests;

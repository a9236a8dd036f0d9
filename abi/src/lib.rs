//! The one contract between the host driver, the firmware and the hardware.
//!
//! Everything that crosses a boundary is defined here once: the registers of both buses ([`regs`],
//! [`mmio`]), descriptors in host memory ([`ring`]), commands and events ([`msg`]) and the handoff
//! record ([`handoff`]). Address decoders, the firmware, the driver and `docs/registers.md` are all
//! made from these definitions.
//!
//! Conventions: a *word* is 32 bits; structures in host memory are little-endian words; addresses in
//! host memory are 32-bit I/O virtual addresses; fields of network headers are plain numbers (the
//! hardware and the `wire` codecs swap bytes, nobody else does).
#![no_std]
#![deny(unsafe_code)]

pub mod address;
pub mod handoff;
pub mod link;
pub mod mmio;
pub mod msg;
mod register;
pub mod regs;
pub mod ring;
pub mod work;

pub use register::{Access, Block, Field, Register};

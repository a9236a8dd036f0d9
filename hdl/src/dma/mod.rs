//! The DMA engine: an AXI4 master that touches only the memory that the driver registered.
//!
//! The write side and the read side share nothing but the [`range`] check; AXI4 keeps their channels apart
//! as well.

pub mod range;

pub use range::RangeCheck;

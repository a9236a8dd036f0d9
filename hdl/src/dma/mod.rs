//! The DMA engine: an AXI4 master that touches only the memory that the driver registered.
//!
//! The write side and the read side share nothing but the [`range`] check; AXI4 keeps their channels apart
//! as well.

pub mod axi_reader;
pub mod axi_writer;
pub mod burst;
pub mod fault;
pub mod fetcher;
pub mod jobs;
pub mod ledger;
pub mod mover;
pub mod op;
pub mod publish;
pub mod range;
pub mod read_arbiter;
pub mod read_bus;
pub mod read_collect;
pub mod read_side;
pub mod rotator;
pub mod sequencer;
pub mod write_side;

pub use range::RangeCheck;
pub use read_side::ReadSide;
pub use write_side::WriteSide;

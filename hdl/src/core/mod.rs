//! The softcore's devices: everything behind its memory-mapped port (`abi::mmio`).

mod commands;
mod mmio;
mod scheduler;
mod time;

pub use commands::CommandQueue;
pub use mmio::Mmio;
pub use scheduler::{DefaultScheduler, Scheduler};

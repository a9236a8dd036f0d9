//! The softcore's devices: everything behind its memory-mapped port (`abi::mmio`).

mod commands;
mod key;
mod mmio;
mod scheduler;
mod time;

pub use commands::CommandQueue;
pub use key::KeyRegister;
pub use mmio::Mmio;
pub use scheduler::{DefaultScheduler, Scheduler};

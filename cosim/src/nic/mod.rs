//! The NIC as a black box with pins, one call a clock cycle.

mod line;
mod linked;
mod traced;
#[cfg(feature = "nic")]
mod verilated;

pub use line::{LineConfig, LineNic, PhyPins};
pub use linked::LinkedNic;
pub use traced::{TracedNic, Window};
#[cfg(feature = "nic")]
pub use verilated::{VerilatedNic, VERILOG};

use crate::pins::{NicIn, NicOut};

/// Whatever has the pins of `nic_top`.
pub trait Nic {
    /// One cycle: takes the inputs of this cycle, and returns the outputs as they are at its end, just before
    /// the clock edge. What was offered and accepted in both is transferred by that edge.
    fn cycle(&mut self, pins: &NicIn) -> NicOut;
}

impl<N: Nic + ?Sized> Nic for Box<N> {
    fn cycle(&mut self, pins: &NicIn) -> NicOut {
        (**self).cycle(pins)
    }
}

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

use crate::pins::{NicIn, NicOut, Ports};

/// Whatever has the pins of `nic_top`.
pub trait Nic {
    /// One cycle: takes the inputs of this cycle, and turns `out`, the outputs of the cycle before, into those at the end
    /// of this one, just before the clock edge. What was offered and accepted in both is transferred by that edge.
    ///
    /// `changed` has the ports with inputs that may differ from the cycle before; returned are the ports with outputs
    /// that may. Who does not know says [`Ports::ALL`].
    fn cycle(&mut self, pins: &NicIn, changed: Ports, out: &mut NicOut) -> Ports;
}

impl<N: Nic + ?Sized> Nic for Box<N> {
    #[inline]
    fn cycle(&mut self, pins: &NicIn, changed: Ports, out: &mut NicOut) -> Ports {
        (**self).cycle(pins, changed, out)
    }
}

//! Leaf cells and the idioms that every module uses.
//!
//! Flip-flops, memories and multipliers are leaves with their own Verilog text; nothing outside this folder
//! has any. Every leaf takes clock and reset as one bundle, [`Cr`], linked port to port, so that a clock
//! never passes through combinational code. Reset is synchronous and active high.

mod async_fifo;
mod cdc;
mod clocking;
mod crc;
mod ddr;
mod fact;
mod fifo;
mod mul;
mod ram;
mod reg;
mod regfile;
mod stream;

pub use async_fifo::AsyncFifo;
pub use cdc::{EventCounter, Synchronizer};
pub use clocking::{BidirPad, Pad, Pll, PllConfig, ResetSync};
pub use crc::{crc32_byte, Crc32};
pub use ddr::{DdrIn, DdrOut, PinDelay};
pub use fact::Fact;
pub use fifo::LutFifo;
pub use mul::Mul32;
pub use ram::{LutRam, RamDualByte, RamRw, BANK_WORDS, IMAGE_FILE, IMAGE_FILE_HIGH};
pub(crate) use reg::{is_ticker, reset_value_of_register};
pub use reg::{Reg, Ticker};
pub use regfile::RegFile;
pub use stream::{Handshake, HandshakeSource, StreamIn, StreamOut};

use rust_hdl::prelude::*;

/// Begins the line of a leaf cell's text that says when its registers and memories would change at a clock edge, which a
/// simulation that skips what rests needs to know (`crate::emit::Gated`).
pub(crate) const MOVES: &str = "// moves: ";

/// Clock and synchronous reset.
#[derive(Clone, Debug, Default, LogicInterface)]
pub struct Cr {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
}

/// Implements `Logic` for a module: links clock and reset to each register and child, gives each register
/// its old value as default, and then runs the body.
///
/// ```ignore
/// module! {
///     impl [const N: usize] Logic for Counter<N>;
///     regs: count;
///     children: fifo;
///     #[hdl_gen]
///     fn update(&mut self) {
///         if self.enable.val() {
///             self.count.d.next = self.count.q.val() + 1;
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! module {
    (
        impl [$($generics:tt)*] Logic for $module:ty;
        regs: $($reg:ident),* $(,)?;
        children: $($child:ident),* $(,)?;
        $hash:tt $hdl_gen:tt
        fn update(&mut $self:ident) { $($body:tt)* }
    ) => {
        // Verilog's `case` has no guards for clippy to put the conditions of its arms in.
        #[allow(clippy::collapsible_match)]
        impl<$($generics)*> Logic for $module {
            $hash $hdl_gen
            fn update(&mut $self) {
                $( $crate::kit::Cr::link(&mut $self.cr, &mut $self.$reg.cr); )*
                $( $crate::kit::Cr::link(&mut $self.cr, &mut $self.$child.cr); )*
                $( $self.$reg.d.next = $self.$reg.q.val(); )*
                $($body)*
            }
        }
    };
}

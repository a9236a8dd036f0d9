//! The verilated NIC, compiled into this crate by its build script.
//!
//! Verilator's class is driven by a few lines of C++ (`dut.h`) behind a `cxx` bridge: one call a cycle, which passes
//! two structures of pins by reference.

use super::Nic;
use crate::pins::{NicIn, NicOut, Ports};
use cxx::{kind::Trivial, type_id, ExternType, UniquePtr};

/// The Verilog that this build runs: what [`super::TracedNic`] takes, and what synthesis reads.
pub const VERILOG: &str = include_str!(concat!(env!("OUT_DIR"), "/nic_top.v"));

#[cxx::bridge(namespace = "baton")]
mod ffi {
    unsafe extern "C++" {
        include!("dut.h");

        type NicIn = crate::pins::NicIn;
        type NicOut = crate::pins::NicOut;
        type Dut;

        fn new_dut() -> UniquePtr<Dut>;
        fn cycle(self: Pin<&mut Dut>, pins: &NicIn, changed: u8, out: &mut NicOut) -> u8;
    }
}

// SAFETY: the build script writes the C++ structure from the same table of pins as the Rust structure, which is
// `repr(C)`, with the size of the Rust structure as a static assertion. Both hold booleans and unsigned integers only,
// so they are trivial to move and to destroy; Verilator keeps a one-bit signal as 0 or 1.
unsafe impl ExternType for NicIn {
    type Id = type_id!("baton::NicIn");
    type Kind = Trivial;
}

// SAFETY: as for `NicIn`.
unsafe impl ExternType for NicOut {
    type Id = type_id!("baton::NicOut");
    type Kind = Trivial;
}

/// The NIC, as fast as it gets.
pub struct VerilatedNic {
    dut: UniquePtr<ffi::Dut>,
}

impl VerilatedNic {
    /// A NIC with all state zero, before its reset.
    pub fn new() -> VerilatedNic {
        VerilatedNic { dut: ffi::new_dut() }
    }
}

impl Default for VerilatedNic {
    fn default() -> Self {
        VerilatedNic::new()
    }
}

impl Nic for VerilatedNic {
    #[inline]
    fn cycle(&mut self, pins: &NicIn, changed: Ports, out: &mut NicOut) -> Ports {
        Ports(self.dut.pin_mut().cycle(pins, changed.0, out))
    }
}

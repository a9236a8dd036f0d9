//! What the tests of the whole system share: the firmware image and a world to run it in.

pub mod script;

use anyhow::{Context, Result};
use baton_cosim::nic::{Nic, TracedNic};
use baton_cosim::pins::{NicIn, NicOut, Ports};
use std::path::PathBuf;

/// The firmware image that `cargo xtask test` has built.
///
/// # Errors
/// When there is none: the tests were started by other means and no image is named in the environment.
pub fn firmware() -> Result<Vec<u8>> {
    named("BATON_FIRMWARE")
}

/// The same for a NIC without handoff.
///
/// # Errors
/// As those of [`firmware`].
pub fn host_only_firmware() -> Result<Vec<u8>> {
    named("BATON_FIRMWARE_HOST_ONLY")
}

fn named(variable: &str) -> Result<Vec<u8>> {
    let path = std::env::var_os(variable).map(PathBuf::from).with_context(|| {
        format!("{variable} names no firmware image; run the tests with `cargo xtask test`")
    })?;
    baton::demo::read_firmware(&path)
}

/// Whether the tests that take longer were asked for (`cargo xtask test --long`).
pub fn long() -> bool {
    std::env::var_os("BATON_LONG_TESTS").is_some()
}

/// A NIC and another model of the same circuit, which have to agree in every output of every cycle.
pub struct Lockstep<N> {
    pub nic: N,
    pub other: TracedNic,
    pub cycles: u64,
}

impl<N: Nic> Nic for Lockstep<N> {
    fn cycle(&mut self, pins: &NicIn, changed: Ports, out: &mut NicOut) -> Ports {
        let (before, mut other) = (*out, *out);
        let moved = self.nic.cycle(pins, changed, out);
        self.other.cycle(pins, changed, &mut other);
        assert_eq!(*out, other, "cycle {}", self.cycles);
        let told = moved.0 & out.changed(&before).0 == out.changed(&before).0;
        assert!(told, "cycle {}: {before:x?}, then {out:x?}, but {moved:?}", self.cycles);
        self.cycles += 1;
        moved
    }
}

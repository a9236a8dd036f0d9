//! What the tests of the whole system share: the firmware image and a world to run it in.

pub mod script;

use anyhow::{Context, Result};
use std::path::PathBuf;

/// The firmware image that `cargo xtask test` has built.
///
/// # Errors
/// When there is none: the tests were started by other means and no image is named in the environment.
pub fn firmware() -> Result<Vec<u8>> {
    let path = std::env::var_os("BATON_FIRMWARE")
        .map(PathBuf::from)
        .context("BATON_FIRMWARE names no firmware image; run the tests with `cargo xtask test`")?;
    baton::demo::read_firmware(&path)
}

/// Whether the tests that take longer were asked for (`cargo xtask test --long`).
pub fn long() -> bool {
    std::env::var_os("BATON_LONG_TESTS").is_some()
}

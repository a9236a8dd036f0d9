//! The image: start code, traps, and the real bus. Everything else is in the library.
//!
//! On any target but the softcore this is an empty program, so that the workspace builds as a whole.
#![cfg_attr(target_arch = "riscv32", no_std, no_main)]

#[cfg(target_arch = "riscv32")]
mod image;

#[cfg(not(target_arch = "riscv32"))]
fn main() {
    eprintln!("This is the softcore's firmware; `cargo xtask firmware` builds its image.");
}

//! The yardstick of the benchmark: a design that never changes, simulated as fast as this machine can.

use crate::{block::Model, library::Flavour};
use anyhow::{ensure, Result};
use std::time::Instant;

const VERILOG: &str = include_str!("../bench/reference.v");

/// Cycles after which the output must be [`DIGEST`].
const CHECKED_CYCLES: u32 = 100_000;
/// What the design puts out then: it tells that the design, and not a stub of it, was simulated.
const DIGEST: u64 = 0x331a_a119;

/// Simulates the reference design for `cycles` cycles and returns cycles a second of one processor core.
///
/// # Errors
/// When Verilator is not installed, or the design does not compute what it should.
pub fn cycles_per_second(cycles: u32) -> Result<f64> {
    let mut model = Model::with_flavour("reference", VERILOG, Flavour { trace: false, fast: true }, 1)?;
    let (clock, reset, digest) = (model.port("clock")?, model.port("reset")?, model.port("digest")?);
    let run = |model: &mut Model, cycles: u32| {
        for edge in [1, 0].iter().cycle().take(2 * cycles as usize) {
            model.set(clock, *edge);
            model.eval();
        }
    };
    model.set(reset, 1);
    run(&mut model, 4);
    model.set(reset, 0);
    run(&mut model, CHECKED_CYCLES);
    ensure!(
        model.get(digest) == DIGEST,
        "the reference design gave {:#x}, not {DIGEST:#x}",
        model.get(digest)
    );
    let start = Instant::now();
    run(&mut model, cycles);
    Ok(f64::from(cycles) / start.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_design_computes_its_digest() {
        assert!(super::cycles_per_second(1).unwrap() > 0.0);
    }
}

//! Prints the Verilog of one small block, for the proofs of `cargo xtask formal`: `emit fifo` or `emit scheduler`.

use baton_hdl::{core::Scheduler, emit, kit::LutFifo};
use rust_hdl::prelude::*;

fn main() {
    let block = std::env::args().nth(1).unwrap_or_default();
    let text = match block.as_str() {
        // Four entries of eight bits.
        "fifo" => emit::verilog("fifo", LutFifo::<Bits<8>, 2, 3>::default()),
        // A command lets two host packets pass; its turn lasts for eight cycles.
        "scheduler" => emit::verilog("scheduler", Scheduler::<1, 3>::default()),
        _ => {
            eprintln!("usage: emit fifo | scheduler");
            std::process::exit(2);
        }
    };
    print!("{text}");
}

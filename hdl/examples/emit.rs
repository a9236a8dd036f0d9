//! Prints the Verilog of one small block, for the proofs of `cargo xtask formal`: `emit fifo`, for instance.

use baton_hdl::{
    core::Scheduler,
    dma::{axi_reader::AxiReader, axi_writer::AxiWriter, burst::BurstSplitter},
    emit,
    kit::LutFifo,
    regs::axil::AxilSlave,
};
use rust_hdl::prelude::*;

fn main() {
    let block = std::env::args().nth(1).unwrap_or_default();
    let text = match block.as_str() {
        // Four entries of eight bits.
        "fifo" => emit::verilog("fifo", LutFifo::<Bits<8>, 2, 3>::default()),
        // A command lets two host packets pass; its turn lasts for eight cycles.
        "scheduler" => emit::verilog("scheduler", Scheduler::<1, 3>::default()),
        "burst" => emit::verilog("burst", BurstSplitter::default()),
        "axil" => emit::verilog("axil", AxilSlave::default()),
        "axi_writer" => emit::verilog("axi_writer", AxiWriter::default()),
        "axi_reader" => emit::verilog("axi_reader", AxiReader::default()),
        _ => {
            eprintln!("usage: emit fifo | scheduler | burst | axil | axi_writer | axi_reader");
            std::process::exit(2);
        }
    };
    print!("{text}");
}

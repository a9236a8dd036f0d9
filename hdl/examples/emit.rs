//! Prints the Verilog of one block, for the proofs of `cargo xtask formal` and for FuseSoC (`hdl/fusesoc`): `emit fifo`, for
//! instance.

use baton_hdl::{
    core::Scheduler,
    dma::{axi_reader::AxiReader, axi_writer::AxiWriter, burst::BurstSplitter},
    emit,
    kit::LutFifo,
    link::BoardHostLink,
    nic::{self, NicConfig},
    regs::axil::AxilSlave,
    rx::Lookup,
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
        "host_link" => {
            let text = emit::verilog("host_link", BoardHostLink::default());
            let plain = [("cr$clock", "clock"), ("cr$reset", "reset"), ("rx$t", "rx_t"), ("tx$t", "tx_t")];
            plain.iter().fold(text, |text, (name, plain)| text.replace(name, plain))
        }
        "nic_top" => nic::verilog(&NicConfig::default()),
        "axil" => emit::verilog("axil", AxilSlave::default()),
        "axi_writer" => emit::verilog("axi_writer", AxiWriter::default()),
        "axi_reader" => emit::verilog("axi_reader", AxiReader::default()),
        "lookup" => lookup(),
        _ => {
            eprintln!(
                "usage: emit fifo | scheduler | lookup | burst | axil | axi_writer | axi_reader | host_link | nic_top"
            );
            std::process::exit(2);
        }
    };
    print!("{text}");
}

/// A lookup table of two halves of eight entries, of connection.p4. Its hash and its queues do anything, and the words of its keys, which it
/// only moves and compares, have two bits.
fn lookup() -> String {
    let text = emit::verilog("lookup", Lookup::<3, 2, 3>::default());
    let parts = ["frames", "frame_keys", "results", "sorts", "hash"];
    let text = parts.iter().fold(text, |text, part| free(&text, &format!("lookup${part}")));
    let cut = |line: &str| match line.contains("digest") {
        true => line.to_string(),
        false => {
            let line = line.replace("[31:0]", "[1:0]").replace("32'h0", "2'h0");
            let line = line.replace("[95:0]", "[5:0]").replace("96'h0", "6'h0").replace("+:(96)", "+:(6)");
            line.replace("[107:0]", "[17:0]").replace("108'(", "18'(")
        }
    };
    text.lines().map(|line| cut(line) + "\n").collect()
}

/// Replaces the inside of a module: every output has any value in any cycle.
fn free(text: &str, module: &str) -> String {
    let (start, end) = (format!("module {module}("), format!("endmodule // {module}\n"));
    let (before, rest) = text.split_once(&start).expect("the module is there");
    let (body, after) = rest.split_once(&end).expect("the module ends");
    let (ports, body) = body.split_once('\n').expect("the ports are a line");
    let mut inside = String::new();
    for line in body.lines().map(str::trim) {
        if line.starts_with("input ") {
            inside.push_str(&format!("{line}\n"));
        }
        if let Some(port) = line.strip_prefix("output reg ") {
            let name = port.trim_end_matches(';').split_whitespace().last().expect("a port has a name");
            let range = port.split_once(']').map_or(String::new(), |(range, _)| format!("{range}]"));
            inside.push_str(&format!(
                "output wire {port}\n(* anyseq *) wire {range} any_{name};\nassign {name} = any_{name};\n"
            ));
        }
    }
    format!("{before}{start}{ports}\n{inside}{end}{after}")
}

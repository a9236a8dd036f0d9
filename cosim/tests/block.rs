//! The block harness itself, on modules of the kit.

use baton_cosim::block::Model;
use baton_hdl::{
    emit,
    kit::{LutFifo, RamDualByte, BANK_WORDS},
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use rust_hdl::prelude::*;

#[test]
fn a_fifo_of_the_kit_keeps_order() {
    let text = emit::verilog("fifo", LutFifo::<Bits<8>, 3, 4>::default());
    let mut dut = Model::build("fifo", &text).unwrap();
    let [push, data, full, pop, head, valid, count] =
        ["push", "data", "full", "pop", "head", "valid", "count"].map(|name| dut.port(name).unwrap());
    dut.reset(2);
    for value in 0..8 {
        assert!(!dut.is_high(full));
        dut.set(push, 1);
        dut.set(data, value + 0x40);
        dut.cycle();
    }
    assert!(dut.is_high(full));
    assert_eq!(dut.get(count), 8);
    dut.cycle();
    dut.set(push, 0);
    dut.set(pop, 1);
    for value in 0..8 {
        dut.eval();
        assert!(dut.is_high(valid));
        assert_eq!(dut.get(head), value + 0x40);
        dut.cycle();
    }
    assert!(!dut.is_high(valid));
}

#[test]
fn two_models_of_one_module_are_independent() {
    let text = emit::verilog("ram", RamDualByte::<4>::new(16));
    let mut models = [Model::build("ram", &text).unwrap(), Model::build("ram", &text).unwrap()];
    for (value, dut) in models.iter_mut().enumerate() {
        dut.poke("b_enable", 1);
        dut.poke("b_write", 0b1111);
        dut.poke("b_addr", 3);
        dut.poke("b_write_data", 0xC0DE_0000 + value as u64);
        dut.cycle();
        dut.poke("b_write", 0);
        dut.cycle();
    }
    assert_eq!(models.map(|dut| dut.peek("b_data")), [0xC0DE_0000, 0xC0DE_0001]);
}

/// Both ports at random on memories of one bank and of up to six, in a few words on either side of where banks begin.
#[test]
fn a_memory_of_banks_is_one_memory() {
    const SEED: u64 = 1;
    let sizes: [(usize, &[usize]); 5] = [
        (2 * BANK_WORDS, &[BANK_WORDS]),
        (BANK_WORDS + 4096, &[BANK_WORDS]),
        (BANK_WORDS + 12288, &[BANK_WORDS, BANK_WORDS + 8192]),
        (BANK_WORDS + 8192 + 1000, &[BANK_WORDS, BANK_WORDS + 8192]),
        (4 * BANK_WORDS + 6144, &[BANK_WORDS, 3 * BANK_WORDS, 4 * BANK_WORDS, 4 * BANK_WORDS + 4096]),
    ];
    for (words, starts) in sizes {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let mut dut = Model::build("ram", &emit::verilog("ram", RamDualByte::<17>::new(words))).unwrap();
        let [a_addr, a_data, b_enable, b_addr, b_write, b_write_data, b_data] =
            ["a_addr", "a_data", "b_enable", "b_addr", "b_write", "b_write_data", "b_data"]
                .map(|name| dut.port(name).unwrap());
        let address = |at: usize| (starts[at % starts.len()] + at / starts.len() - 8 / starts.len()) as u64;
        let mut memory = [0u32; 16];
        // What port b answered last; nothing is promised of a cycle that writes.
        let mut held = None;
        for cycle in 0..4000 {
            let (a, b) = (rng.next_u32() as usize % 16, rng.next_u32() as usize % 16);
            // Every word is written first.
            let filling = cycle < 16;
            let (b, enable) = if filling { (cycle, true) } else { (b, rng.next_u32() % 4 > 0) };
            let lanes = if filling { 15 } else { (rng.next_u32() % 16) & rng.next_u32() };
            // Both ports at one word in a cycle that writes it is nothing that a reader may count on.
            let a = if a == b { (a + 1) % 16 } else { a };
            let word = rng.next_u32();
            dut.set(a_addr, address(a));
            dut.set(b_enable, enable.into());
            dut.set(b_addr, address(b));
            dut.set(b_write, lanes.into());
            dut.set(b_write_data, word.into());
            dut.cycle();
            if enable {
                held = (lanes == 0).then_some(memory[b]);
                let mask =
                    (0..4).filter(|lane| lanes >> lane & 1 == 1).map(|lane| 0xFF << (8 * lane)).sum::<u32>();
                memory[b] = memory[b] & !mask | word & mask;
            }
            dut.eval();
            let at = format!("seed {SEED}, {words} words, cycle {cycle}");
            if !filling {
                assert_eq!(dut.get(a_data), u64::from(memory[a]), "{at}");
            }
            if let Some(word) = held {
                assert_eq!(dut.get(b_data), u64::from(word), "{at}");
            }
        }
    }
}

const WIDE: &str =
    "module wide(cr$clock, a, b);\n input wire cr$clock; input wire [69:0] a; output reg [69:0] b;\n \
                    always @(posedge cr$clock) b <= ~a;\nendmodule\n";

#[test]
fn wide_ports_are_words() {
    let mut dut = Model::build("wide", WIDE).unwrap();
    let (a, b) = (dut.port("a").unwrap(), dut.port("b").unwrap());
    dut.set_wide(a, &[1, 2]);
    dut.cycle();
    assert_eq!(dut.get_wide(b), [!1, !2, 0x3F]);
}

#[test]
fn a_waveform_is_written() {
    use baton_cosim::library::Flavour;
    let flavour = Flavour { trace: true, fast: false };
    let mut dut = Model::with_flavour("wide", WIDE, flavour, 1).unwrap();
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("wide.fst");
    dut.trace_to(&file).unwrap();
    for _ in 0..100 {
        dut.cycle();
    }
    dut.trace_end();
    assert!(std::fs::metadata(file).unwrap().len() > 100);
}

#[test]
fn a_warning_of_the_gate_list_is_an_error_with_its_text() {
    let latch = "module latch(e, d, q);\n input wire e; input wire d; output reg q;\n \
                 always @(*) if (e) q = d;\nendmodule\n";
    let error = Model::build("latch", latch).err().expect("a latch passed");
    assert!(format!("{error:#}").contains("LATCH"), "{error:#}");
    let error = Model::build("broken", "module broken(; endmodule").err().expect("a syntax error passed");
    assert!(format!("{error:#}").contains("syntax error"), "{error:#}");
}

#[test]
fn an_unknown_port_is_named_with_those_there_are() {
    let dut = Model::build("wide", WIDE).unwrap();
    let error = dut.port("c").unwrap_err().to_string();
    assert!(error.contains("`c`") && error.contains("cr$clock"), "{error}");
}

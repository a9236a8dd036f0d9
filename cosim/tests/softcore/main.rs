//! The softcore in lockstep with an independent instruction set simulator, and its timing and controls.

mod bench;
mod encode;
mod reference;
mod stream;

use baton_abi::mmio::{MMIO_BASE, RAM_BASE};
use baton_hdl::{kit::BANK_WORDS, softcore::ADDRESS_BITS};
use bench::{Bench, Pause};
use encode::{csrs::*, *};
use rand_chacha::{rand_core::SeedableRng, ChaCha8Rng};
use stream::{Dice, CODE_WORDS};

/// Instructions in the ordinary run.
const INSTRUCTIONS: u64 = 1_200_000;

#[test]
fn random_programs_run_in_lockstep_with_the_reference() {
    let mut bench = Bench::new();
    let mut done = 0;
    let mut traps = 0;
    for seed in 0.. {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let program = stream::program(&mut dice);
        bench.start(&program);
        bench.wake_percent = if seed % 3 == 0 { 0 } else { 15 };
        bench.pause = [Pause::Never, Pause::Percent(50), Pause::Never, Pause::Percent(5)][seed as usize % 4];
        for _ in 0..3 * CODE_WORDS {
            match bench.lockstep(&mut dice) {
                Ok(Some(retired)) => traps += u64::from(retired.trap),
                Ok(None) => break,
                Err(difference) => panic!("seed {seed}, instruction {}: {difference}", bench.count),
            }
        }
        done += bench.count;
        if done >= INSTRUCTIONS {
            break;
        }
    }
    assert!(traps > done / 100, "{traps} traps in {done} instructions");
}

/// Words of a memory of three banks, as the Versa has it.
const BANKED_WORDS: usize = BANK_WORDS + 12 * 1024;

/// Writes a function of four instructions over the start of each bank but the first, and calls it; it adds 7 to what is stored at the end.
fn across_banks() -> Vec<u32> {
    let mut program = vec![addi(7, 0, 0)];
    for bank in [BANK_WORDS, BANK_WORDS + 8 * 1024] {
        program.extend(li(2, RAM_BASE + 4 * (bank as u32 - 2)));
        for (at, instruction) in
            [addi(7, 7, 1), addi(7, 7, 2), addi(7, 7, 4), jalr(0, 5, 0)].into_iter().enumerate()
        {
            program.extend(li(3, instruction));
            program.push(store(2, 3, 2, 4 * at as i32));
        }
        // Two instructions after a store may have been fetched without it.
        program.extend([addi(0, 0, 0), addi(0, 0, 0), jalr(5, 2, 0)]);
    }
    program.extend(li(1, MMIO_BASE));
    program.push(store(2, 7, 1, 0));
    program
}

#[test]
fn code_runs_from_bank_to_bank() {
    let (sum, _) = run_on(Bench::with_words(BANKED_WORDS), &across_banks());
    assert_eq!(sum, 14);
}

/// The core after synthesis, of LUTs, carry chains, block and distributed memories and multipliers.
#[test]
fn the_netlist_runs_in_lockstep_with_the_reference() {
    let mut bench = Bench::of_cells(BANKED_WORDS);
    let mut done = 0;
    for seed in 0..40 {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        bench.start(&stream::program(&mut dice));
        bench.wake_percent = if seed % 3 == 0 { 0 } else { 15 };
        for _ in 0..CODE_WORDS {
            match bench.lockstep(&mut dice) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(difference) => panic!("seed {seed}, instruction {}: {difference}", bench.count),
            }
        }
        done += bench.count;
    }
    assert!(done > 5_000, "{done} instructions");
    bench.wake_percent = 0;
    assert_eq!(run_on(bench, &across_banks()).0, 14);
}

/// Runs a program until it stores to the first device, and returns the word stored and the cycles since `run`.
fn run(program: &[u32]) -> (u32, u64) {
    run_on(Bench::new(), program)
}

fn run_on(mut bench: Bench, program: &[u32]) -> (u32, u64) {
    bench.start(program);
    let start = bench.cycles();
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(0));
    loop {
        let retired = bench.lockstep(&mut dice).unwrap().unwrap();
        if let Some((MMIO_BASE, data)) = retired.store() {
            return (data, bench.cycles() - start);
        }
        assert!(bench.cycles() - start < 100_000, "the program does not end");
    }
}

#[test]
fn the_core_starts_afresh_after_a_reset_at_any_time() {
    let mut bench = Bench::new();
    for seed in 0..40 {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let mut program = stream::program(&mut dice);
        for word in program.iter_mut().filter(|word| **word & 0x7F == 0x23) {
            *word = addi(0, 0, 0);
        }
        bench.start(&program);
        bench.wake_percent = if seed % 2 == 0 { 0 } else { 15 };
        for reset in 0..5 {
            let instructions = dice.below(300);
            for _ in 0..instructions {
                let same = bench.lockstep(&mut dice);
                assert!(
                    matches!(same, Ok(Some(_))),
                    "seed {seed}, reset {reset}, instruction {}: {same:?}",
                    bench.count
                );
            }
            // In the middle of a division, too.
            bench.run_cycles(dice.below(40), dice.percent(50));
            bench.reset(1 + dice.below(3));
        }
    }
}

/// Values at the corners of what any unit computes.
const CORNERS: [u32; 14] = [
    0,
    1,
    2,
    31,
    32,
    0x7FFF,
    0xFFFF,
    0x1_0000,
    0x1_FFFF,
    0x2_0000,
    0x7FFF_FFFF,
    0x8000_0000,
    0x8000_0001,
    0xFFFF_FFFF,
];

/// Stores to the first device, which ends a program.
fn finish(program: &mut Vec<u32>) {
    program.extend(li(1, MMIO_BASE));
    program.push(store(2, 0, 1, 0));
}

#[test]
fn every_operation_and_branch_at_the_corners() {
    let mut program = Vec::new();
    for a in CORNERS {
        for b in CORNERS {
            program.extend(li(1, a));
            program.extend(li(2, b));
            program.extend((0..8).flat_map(|f3| [op(f3, 0, 3 + f3, 1, 2), op(f3, 1, 12 + f3, 1, 2)]));
            program.extend([op(0, 0x20, 20, 1, 2), op(5, 0x20, 21, 1, 2)]);
            program
                .extend([0, 1, 4, 5, 6, 7].into_iter().flat_map(|f3| [branch(f3, 1, 2, 8), addi(22, 22, 1)]));
        }
    }
    finish(&mut program);
    run(&program);
}

#[test]
fn every_immediate_form_at_the_corners() {
    let immediates = [0, 1, -1, 31, 2047, -2048];
    let mut program = Vec::new();
    for a in CORNERS {
        program.extend(li(1, a));
        for imm in immediates {
            program.extend([0, 2, 3, 4, 6, 7].map(|f3| op_imm(f3, 3 + f3, 1, imm)));
        }
        for shift in [0, 1, 15, 16, 30, 31] {
            program.extend([
                op_imm(1, 12, 1, shift),
                op_imm(5, 13, 1, shift),
                op_imm(5, 14, 1, shift | 0x400),
            ]);
        }
        program.extend([lui(15, a), auipc(16, a)]);
    }
    // Jumps forward, back and forward again, over offsets that use every field of the immediate.
    for offset in [8, 0x7F8, 0x800, 0x1000] {
        program.extend([jal(5, offset), jal(6, offset)]);
        program.resize(program.len() + offset as usize / 4 - 2, EBREAK);
        program.push(jal(7, 4 - offset));
    }
    for (imm, extra) in [(0, 0), (2047, 1), (-2048, 0), (-1, 1)] {
        // The target is odd with `extra`; its least bit is cleared.
        let target = RAM_BASE + 4 * (program.len() as u32 + 4);
        program.extend(li(4, target.wrapping_sub(imm as u32).wrapping_add(extra)));
        program.extend([jalr(5, 4, imm), EBREAK]);
    }
    finish(&mut program);
    run(&program);
}

#[test]
fn every_load_and_store_at_every_alignment() {
    const HANDLER: u32 = 4;
    let data = RAM_BASE + 0x8000;
    let mut program = vec![jal(0, 4 * 9)];
    // Goes on behind what trapped.
    program.resize(HANDLER as usize, EBREAK);
    program.extend([csr(2, 30, MEPC, 0), addi(30, 30, 4), csr(1, 0, MEPC, 30), addi(29, 29, 1), MRET]);
    program.extend(li(31, RAM_BASE + 4 * HANDLER));
    program.extend([csr(1, 0, MTVEC, 31), addi(29, 0, 0)]);
    for (value, base) in CORNERS.into_iter().zip([0, 2044, -2048].into_iter().cycle()) {
        program.extend(li(8, data.wrapping_sub(base as u32)));
        program.extend(li(9, value));
        for offset in 0..4 {
            for f3 in 0..3 {
                program.extend([store(2, 9, 8, base), store(f3, 29, 8, base + offset), load(2, 3, 8, base)]);
            }
            program.extend([0, 1, 2, 4, 5].map(|f3| load(f3, 10 + f3, 8, base + offset)));
        }
    }
    program.extend(li(1, MMIO_BASE));
    program.push(store(2, 29, 1, 0));
    let (traps, _) = run(&program);
    // Of each value: two half words and three words stored, four half words and three words loaded.
    assert_eq!(traps, 12 * CORNERS.len() as u32);
}

/// Cycles that `body` takes more than nothing.
fn cost(body: &[u32], pause: Pause) -> u64 {
    let surround = |body: &[u32]| {
        let mut program = Vec::new();
        program.extend(li(1, MMIO_BASE));
        program.extend(li(2, RAM_BASE + 0x8000));
        program.extend(li(3, 12345));
        program.extend([addi(0, 0, 0); 3]);
        program.extend(body);
        program.extend([addi(0, 0, 0); 3]);
        program.push(store(2, 0, 1, 0));
        let mut bench = Bench::new();
        bench.pause = pause;
        run_on(bench, &program).1
    };
    surround(body) - surround(&[])
}

#[test]
fn instructions_take_the_documented_cycles() {
    let plain = addi(5, 3, 1);
    for (name, body, cycles) in [
        ("arithmetic", vec![plain, op(0, 0, 6, 5, 5), op(4, 0, 7, 6, 5)], 3),
        ("store", vec![store(2, 3, 2, 0)], 1),
        ("branch not taken", vec![branch(0, 3, 0, 8)], 1),
        ("branch taken", vec![branch(1, 3, 0, 4)], 2),
        ("jump", vec![jal(5, 4)], 2),
        ("load", vec![load(2, 5, 2, 0), plain], 2),
        ("load and use", vec![load(2, 5, 2, 0), addi(6, 5, 1)], 3),
        ("multiplication", vec![op(0, 1, 5, 3, 3), plain], 2),
        ("multiplication and use", vec![op(0, 1, 5, 3, 3), addi(6, 5, 1)], 3),
        ("division", vec![op(4, 1, 5, 3, 3)], 34),
        ("CSR", vec![csr(2, 5, MSCRATCH, 0)], 2),
        ("FENCE", vec![FENCE], 1),
        ("FENCE.I", vec![FENCE_I], 2),
    ] {
        assert_eq!(cost(&body, Pause::Never), cycles, "{name}");
        // As at a clock of a third.
        assert_eq!(cost(&body, Pause::AllBut(3)), 3 * cycles, "{name} with two pauses a cycle");
    }
}

#[test]
fn a_trap_and_the_return_from_it_take_five_cycles() {
    // Handler at word 1: skip the instruction.
    let mut program =
        vec![jal(0, 24), csr(2, 31, MEPC, 0), addi(31, 31, 4), csr(1, 0, MEPC, 31), MRET, EBREAK];
    program.extend(li(30, RAM_BASE + 4));
    program.extend([csr(1, 0, MTVEC, 30)]);
    program.extend(li(1, MMIO_BASE));
    let measure = |body: u32| {
        let mut program = program.clone();
        program.extend([addi(0, 0, 0), addi(0, 0, 0), body, addi(0, 0, 0), store(2, 0, 1, 0)]);
        run(&program).1
    };
    // The handler without its jump back: two CSR accesses and an addition.
    assert_eq!(measure(ECALL) - measure(addi(0, 0, 0)), 3 - 1 + 2 + 1 + 2 + 2);
}

#[test]
fn memory_ends_where_it_was_built_to_end() {
    const HANDLER: u32 = 20;
    // Of a size that is a power of two, of one that is not, the smallest of a NIC, and the largest of all.
    for words in [1 << 13, (1 << 14) - 3, (1 << 14) + 1, 1 << ADDRESS_BITS] {
        let end = RAM_BASE + 4 * words as u32;
        let mut program = Vec::from(li(31, RAM_BASE + 4 * HANDLER));
        program.extend([csr(1, 0, MTVEC, 31), addi(7, 0, 0)]);
        program.extend(li(2, end - 4));
        // The last word is there, the one behind it is not: not for a load, a store or a fetch.
        program.extend([store(2, 31, 2, 0), load(2, 3, 2, 0), load(4, 4, 2, 3), store(0, 31, 2, 3)]);
        program.extend([load(2, 5, 2, 4), store(2, 31, 2, 4), store(0, 31, 2, 5), load(0, 5, 2, 7)]);
        program.push(jalr(0, 2, 4));
        program.resize(HANDLER as usize, EBREAK);
        // Counts the traps, and goes on behind what trapped; ends after the fetch.
        program.extend([addi(7, 7, 1), csr(2, 30, MCAUSE, 0), addi(29, 0, 1), branch(0, 30, 29, 20)]);
        program.extend([csr(2, 30, MEPC, 0), addi(30, 30, 4), csr(1, 0, MEPC, 30), MRET]);
        program.extend(li(1, MMIO_BASE));
        program.push(store(2, 7, 1, 0));
        let (traps, _) = run_on(Bench::with_words(words), &program);
        assert_eq!(traps, 5, "{words} words");
    }
}

#[test]
fn a_waiting_core_sleeps_until_there_is_work() {
    let mut bench = Bench::new();
    let mut program = Vec::from(li(1, MMIO_BASE));
    program.extend([WFI, store(2, 1, 1, 0), jal(0, 0)]);
    bench.start(&program);
    bench.run_cycles(50, false);
    assert!(bench.asleep());
    assert_eq!(bench.count, 2);
    bench.run_cycles(5, true);
    assert!(!bench.asleep());
    assert!(bench.count >= 4);
}

#[test]
fn an_interrupt_is_taken_when_enabled_and_only_then() {
    for enabled in [false, true] {
        let mut program = vec![jal(0, 12), csr(2, 5, MCAUSE, 0), jal(0, 0)];
        program.extend(li(30, RAM_BASE + 4));
        program.push(csr(1, 0, MTVEC, 30));
        program.extend(li(6, 0x800));
        program.push(csr(1, 0, MIE, 6));
        if enabled {
            program.push(csr(6, 0, MSTATUS, 8));
        }
        program.extend([addi(7, 7, 1), jal(0, -4)]);
        let mut bench = Bench::new();
        bench.start(&program);
        bench.run_cycles(40, false);
        bench.run_cycles(20, true);
        assert_eq!(bench.reference.hart.registers[5] == 0x8000_000B, enabled);
    }
}

#[test]
fn holding_the_core_starts_it_afresh() {
    let mut bench = Bench::new();
    for offset in [1, 2] {
        let mut program = Vec::from(li(1, MMIO_BASE));
        program.extend([addi(2, 0, offset), op(4, 1, 3, 1, 2), store(2, 2, 1, 0), jal(0, 0)]);
        bench.start(&program);
        // Long enough to hold it again in the middle of the division.
        bench.run_cycles(20, false);
        assert!(bench.count >= 3);
    }
}

#[test]
fn the_start_of_the_riscv_tests_environment_passes_over_what_is_not_there() {
    const A0: u32 = 10;
    const T0: u32 = 5;
    let mut program = vec![csr(2, A0, MHARTID, 0), branch(1, A0, 0, 0)];
    // The environment sets mtvec to just behind each access that may trap: mnstatus, satp, pmpaddr0 and
    // pmpcfg0, medeleg and mideleg.
    for accesses in [vec![0x744], vec![0x180], vec![0x3B0, 0x3A0], vec![0x302, 0x303]] {
        let behind = program.len() + 3 + accesses.len();
        program.extend(li(T0, RAM_BASE + 4 * behind as u32));
        program.push(csr(1, 0, MTVEC, T0));
        program.extend(accesses.into_iter().map(|addr| csr(5, 0, addr, 0)));
    }
    program.push(csr(5, 0, MIE, 0));
    // The trap handler: an ECALL from machine mode ends the test.
    let handler = program.len() as u32 + 7;
    program.extend(li(T0, RAM_BASE + 4 * handler));
    program.extend([csr(1, 0, MTVEC, T0), csr(5, 0, MSTATUS, 0)]);
    program.extend(li(T0, RAM_BASE + 4 * (handler + 5)));
    program.push(jal(0, 4 * 8));
    program.extend([csr(2, 30, MCAUSE, 0), addi(31, 0, 11), branch(0, 30, 31, 8), EBREAK]);
    // Write to the device; then the entry to the test by MRET.
    program.extend([store(2, 30, 1, 0), addi(3, 0, 1), ECALL]);
    program.extend(li(1, MMIO_BASE));
    program.extend([csr(1, 0, MEPC, T0), MRET]);
    assert_eq!(run(&program).0, 11);
}

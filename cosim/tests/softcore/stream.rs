//! Random programs: every instruction, traps, devices, interrupts, and code that writes code.
//!
//! Flow is mostly forward, so that a program passes most of its instructions before it loops. x8 points
//! into data memory, x9 to the devices; a few instructions use any register as an address, and fault.

use crate::encode::{csrs::*, *};
use baton_abi::mmio::{MMIO_BASE, RAM_BASE};
use rand_chacha::rand_core::RngCore;
use rand_chacha::ChaCha8Rng;

/// Words of a program, and the word at which its trap handler starts.
pub const CODE_WORDS: usize = 1024;
const HANDLER: usize = CODE_WORDS - 24;
/// Data memory that programs aim at, as an offset from `RAM_BASE`.
const DATA: u32 = 0x8000;
const DATA_POINTER: u32 = 8;
const DEVICE_POINTER: u32 = 9;

pub struct Dice(pub ChaCha8Rng);

impl Dice {
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    pub fn percent(&mut self, p: u32) -> bool {
        self.below(100) < p
    }

    fn pick(&mut self, items: &[u32]) -> u32 {
        items[self.below(items.len() as u32) as usize]
    }
}

/// A program and the registers' initial values, which it loads itself.
pub fn program(dice: &mut Dice) -> Vec<u32> {
    let mut code = Vec::with_capacity(CODE_WORDS);
    code.extend(li(31, RAM_BASE + 4 * HANDLER as u32));
    code.push(csr(1, 0, MTVEC, 31));
    // CSRs that a hold of the core leaves as they were.
    for addr in [MSCRATCH, MEPC, MTVAL] {
        code.push(csr(1, 0, addr, 0));
    }
    for register in 1..32 {
        let value = match dice.below(4) {
            0 => dice.below(16),
            1 => dice.pick(&[0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFE]),
            _ => dice.0.next_u32(),
        };
        code.extend(li(register, value));
    }
    code.extend(li(DATA_POINTER, RAM_BASE + DATA));
    code.extend(li(DEVICE_POINTER, MMIO_BASE + 0x400));
    let mut last = 1;
    while code.len() < HANDLER - 8 {
        instruction(dice, &mut code, &mut last);
    }
    let back = -4 * (code.len() as i32 - 8);
    code.push(jal(0, back));
    code.resize(HANDLER, jal(0, -4));
    handler(&mut code);
    code.resize(CODE_WORDS, EBREAK);
    code
}

/// Looks at all trap CSRs, then returns to the next instruction, or to the start after a fetch fault.
fn handler(code: &mut Vec<u32>) {
    code.push(csr(1, 31, MSCRATCH, 31));
    for addr in [MTVAL, MSTATUS, MEPC, MCAUSE] {
        code.push(csr(2, 31, addr, 0));
    }
    code.push(addi(31, 31, -1));
    code.push(branch(1, 31, 0, 16));
    code.extend(li(31, RAM_BASE + 4 * 8));
    code.push(jal(0, 12));
    code.push(csr(2, 31, MEPC, 0));
    code.push(addi(31, 31, 4));
    code.push(csr(1, 0, MEPC, 31));
    code.push(csr(1, 31, MSCRATCH, 31));
    code.push(MRET);
}

fn register(dice: &mut Dice, last: u32) -> u32 {
    if dice.percent(40) {
        last
    } else {
        dice.below(32)
    }
}

/// Any register but those that hold addresses.
fn target(dice: &mut Dice) -> u32 {
    match dice.below(32) {
        DATA_POINTER | DEVICE_POINTER => 0,
        register => register,
    }
}

fn forward(dice: &mut Dice) -> i32 {
    let words = if dice.percent(96) { 1 + dice.below(6) as i32 } else { -1 - dice.below(8) as i32 };
    4 * words + if dice.percent(3) { 2 } else { 0 }
}

fn instruction(dice: &mut Dice, code: &mut Vec<u32>, last: &mut u32) {
    let (rd, rs1, rs2) = (target(dice), register(dice, *last), register(dice, *last));
    let imm = dice.0.next_u32() as i32 >> 20;
    let f3 = dice.below(8);
    match dice.below(100) {
        0..=17 => code.push(op_imm_any(dice, f3, rd, rs1, imm)),
        18..=33 => {
            let f7 = if f3 == 0 || f3 == 5 { dice.pick(&[0, 0x20]) } else { 0 };
            code.push(op(f3, f7, rd, rs1, rs2));
        }
        34..=41 => code.push(op(dice.below(4), 1, rd, rs1, rs2)),
        42..=43 => code.push(op(4 + dice.below(4), 1, rd, rs1, rs2)),
        44..=47 => code.push(if dice.percent(50) { lui(rd, imm as u32) } else { auipc(rd, imm as u32) }),
        48..=60 => code.push(access(dice, rd, rs2, DATA_POINTER, imm)),
        61..=63 => code.push(access(dice, rd, rs2, DEVICE_POINTER, imm & !3)),
        64..=65 => code.push(access(dice, rd, rs2, rs1, imm)),
        66..=77 => {
            let f3 = dice.pick(&[0, 1, 4, 5, 6, 7]);
            code.push(branch(f3, rs1, rs2, forward(dice)));
        }
        78..=80 => code.push(jal(rd, forward(dice))),
        81..=82 => {
            let base = dice.pick(&[5, 6, 30]);
            code.push(auipc(base, 0));
            if dice.percent(30) {
                code.push(addi(0, base, 0));
            }
            let at =
                4 + dice.below(5) as i32 * 4 + if dice.percent(10) { 1 + dice.below(3) as i32 } else { 0 };
            code.push(jalr(rd, base, 4 + at));
        }
        83 if dice.percent(20) => code.push(jalr(rd, rs1, imm)),
        84..=89 => {
            let addr = csr_address(dice);
            code.push(csr(dice.pick(&[1, 2, 3, 5, 6, 7]), rd, addr, rs1));
        }
        90 => code.push(csr(2, rd, dice.pick(&[MTVEC, MHARTID, MISA, MIP, MSTATUSH]), 0)),
        91 => code.push(dice.pick(&[ECALL, EBREAK, FENCE, FENCE_I, WFI])),
        92 => code.push(csr(dice.pick(&[1, 2, 5, 7]), rd, dice.below(4096), rs1)),
        93 => code.push(dice.0.next_u32()),
        94 => {
            // Replaces an instruction a little ahead by one that adds.
            let patch = addi(rd, rs1, imm);
            code.extend(li(5, patch));
            let ahead = 8 + 4 * dice.below(4) as i32;
            code.extend([auipc(6, 0), store(2, 5, 6, 4 + ahead), FENCE_I]);
        }
        95 => {
            // Loads and stores of the same word at once.
            let at = (imm & 0x3FC) - 0x100;
            code.extend([store(2, rs2, DATA_POINTER, at), load(2, rd, DATA_POINTER, at)]);
            code.push(op(0, 0, target(dice), rd, rd));
        }
        _ => code.push(addi(rd, rs1, imm)),
    }
    *last = rd;
}

fn op_imm_any(dice: &mut Dice, f3: u32, rd: u32, rs1: u32, imm: i32) -> u32 {
    match f3 {
        1 => op_imm(1, rd, rs1, imm & 31),
        5 => op_imm(5, rd, rs1, imm & 31 | dice.pick(&[0, 0x400]) as i32),
        _ => op_imm(f3, rd, rs1, imm),
    }
}

fn access(dice: &mut Dice, rd: u32, source: u32, base: u32, imm: i32) -> u32 {
    let aligned = if dice.percent(90) { imm & !3 } else { imm };
    match dice.below(8) {
        0 => load(0, rd, base, imm),
        1 => load(4, rd, base, imm),
        2 => load(dice.pick(&[1, 5]), rd, base, aligned | imm & 2),
        3 | 4 => load(2, rd, base, aligned),
        5 => store(0, source, base, imm),
        6 => store(1, source, base, aligned | imm & 2),
        _ => store(2, source, base, aligned),
    }
}

fn csr_address(dice: &mut Dice) -> u32 {
    dice.pick(&[
        MSTATUS, MSTATUS, MIE, MIE, MSCRATCH, MEPC, MCAUSE, MTVAL, MCYCLE, MINSTRET, MINSTRETH, MCYCLEH,
        CYCLE, INSTRET, INSTRETH, CYCLEH, MVENDORID, MISA,
    ])
}

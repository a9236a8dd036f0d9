//! The firmware's executable as graphs: for each function its instructions, where control goes from each of them, and which
//! functions they call.

use anyhow::{bail, ensure, Context, Result};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::collections::BTreeMap;

/// Where control goes after an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// To the next one.
    Next,
    /// There or to the next one.
    Branch(u32),
    Jump(u32),
    /// To a function and then to the next one.
    Call(u32),
    Return,
    /// Nowhere: an instruction that only a defect reaches.
    Stop,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// As a person writes it.
    pub name: String,
    pub address: u32,
    /// One for each instruction from `address` on; all have four bytes.
    pub flows: Vec<Flow>,
    words: Vec<u32>,
}

impl Function {
    /// Takes a function's instructions.
    ///
    /// # Errors
    /// When a jump goes to an address that the code itself does not say.
    pub fn of(name: String, address: u32, words: Vec<u32>) -> Result<Self> {
        let mut flows = Vec::with_capacity(words.len());
        for (index, &word) in words.iter().enumerate() {
            let pc = address + 4 * index as u32;
            let before = index.checked_sub(1).map(|before| words[before]);
            flows.push(flow(pc, word, before).with_context(|| format!("in {name}"))?);
        }
        Ok(Function { name, address, flows, words })
    }

    /// The index of the instruction at an address, if it is the function's.
    pub fn index(&self, address: u32) -> Option<usize> {
        let index = address.checked_sub(self.address)? as usize / 4;
        (index < self.flows.len()).then_some(index)
    }

    /// Whether an instruction stores a byte.
    pub fn stores_byte(&self, index: usize) -> bool {
        self.words[index] & 0x707F == 0x23
    }

    /// Whether an instruction stores a word.
    pub fn stores_word(&self, index: usize) -> bool {
        self.words[index] & 0x707F == 0x2023
    }

    /// Bytes by which the function moves the stack pointer down, together.
    ///
    /// # Errors
    /// When it moves it otherwise than by a number in the code.
    pub fn frame_bytes(&self) -> Result<u32> {
        const SP: u32 = 2;
        let mut bytes = 0;
        for (index, &word) in self.words.iter().enumerate() {
            // Branches and stores have other things where the destination stands.
            let writes = !matches!(word & 0x7F, 0x63 | 0x23) && word >> 7 & 0x1F == SP;
            if writes {
                // addi sp, sp, number
                ensure!(
                    word & 0xF_FFFF == SP << 15 | SP << 7 | 0x13,
                    "the stack moves in an unknown way at {:#x}",
                    self.address_of(index)
                );
                bytes += (word as i32 >> 20).min(0).unsigned_abs();
            }
        }
        Ok(bytes)
    }

    /// The number that the third argument has at a call, where the instructions in front of it say one.
    pub fn third_argument(&self, call: usize) -> Option<u32> {
        const A2: u32 = 12;
        for before in (0..call).rev() {
            // An upper half of the called address, and other arguments, may lie between.
            let word = self.words[before];
            if self.flows[before] != Flow::Next {
                return None;
            }
            let writes = !matches!(word & 0x7F, 0x23) && word >> 7 & 0x1F == A2;
            if writes {
                // addi a2, zero, number
                return (word & 0xF_F07F == 0x13).then_some(word >> 20).filter(|number| *number < 2048);
            }
        }
        None
    }

    /// The address of an instruction.
    pub fn address_of(&self, index: usize) -> u32 {
        self.address + 4 * index as u32
    }
}

/// All functions by address.
pub struct Code {
    pub functions: BTreeMap<u32, Function>,
}

impl Code {
    /// Takes the functions of a RISC-V executable without compressed instructions.
    ///
    /// # Errors
    /// When there is no code, or a jump goes to an address that the code itself does not say.
    pub fn of(file: &object::File) -> Result<Self> {
        let text = file.section_by_name(".text").context("there is no .text")?;
        let (start, bytes) = (text.address() as u32, text.data()?);
        let mut functions = BTreeMap::new();
        for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
            let address = symbol.address() as u32;
            let from = address.wrapping_sub(start) as usize;
            let name = format!("{:#}", rustc_demangle::demangle(symbol.name()?));
            let code = bytes.get(from..from + symbol.size() as usize);
            let code = code.with_context(|| format!("{name} lies outside .text"))?;
            let (words, rest) = code.as_chunks::<4>();
            ensure!(rest.is_empty(), "{name} has {} bytes", code.len());
            let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
            functions.insert(address, Function::of(name, address, words)?);
        }
        ensure!(!functions.is_empty(), "there are no functions");
        Ok(Code { functions })
    }
}

/// Where control goes after the instruction `word` at `pc`; `before` is the one in front of it, which may hold the upper
/// half of a far address.
fn flow(pc: u32, word: u32, before: Option<u32>) -> Result<Flow> {
    const AUIPC: u32 = 0x17;
    const RA: u32 = 1;
    let signed = |value: u32, bits: u32| ((value << (32 - bits)) as i32 >> (32 - bits)) as u32;
    let bits = |from: u32, count: u32| word >> from & ((1 << count) - 1);
    let (rd, rs1) = (bits(7, 5), bits(15, 5));
    Ok(match word & 0x7F {
        0x63 => {
            let offset = bits(31, 1) << 12 | bits(7, 1) << 11 | bits(25, 6) << 5 | bits(8, 4) << 1;
            Flow::Branch(pc.wrapping_add(signed(offset, 13)))
        }
        0x6F => {
            let offset = bits(31, 1) << 20 | bits(12, 8) << 12 | bits(20, 1) << 11 | bits(21, 10) << 1;
            let target = pc.wrapping_add(signed(offset, 21));
            if rd == 0 {
                Flow::Jump(target)
            } else {
                Flow::Call(target)
            }
        }
        0x67 => {
            let offset = signed(bits(20, 12), 12);
            let upper = before.filter(|before| before & 0x7F == AUIPC && before >> 7 & 0x1F == rs1);
            match upper.map(|before| (pc - 4).wrapping_add(before & 0xFFFF_F000).wrapping_add(offset)) {
                Some(target) if rd == 0 => Flow::Jump(target),
                Some(target) => Flow::Call(target),
                None if rd == 0 && rs1 == RA && offset == 0 => Flow::Return,
                None => bail!("the jump at {pc:#x} goes wherever a register says"),
            }
        }
        0x73 if bits(12, 3) == 0 && matches!(bits(20, 12), 0 | 1) => Flow::Stop,
        0x33 | 0x13 | 0x03 | 0x23 | 0x37 | 0x17 | 0x0F | 0x73 => Flow::Next,
        _ => bail!("{word:#010x} at {pc:#x} is no instruction that the core knows"),
    })
}

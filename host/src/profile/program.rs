//! What a profile needs of the firmware's executable: its functions, and where which work begins.

use super::{bound::TurnMark, code::Code};
use anyhow::{ensure, Context, Result};
use baton_abi::{
    mmio::RAM_BASE,
    work::{self, SECTION as MARKS, TURNS_SECTION as TURNS},
};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::collections::BTreeMap;
use std::path::Path;

/// Functions and marks, for each instruction of the image.
pub struct Program {
    /// Names of functions; the first stands for code of no function.
    pub functions: Vec<String>,
    /// Index into `functions` for each word of the image.
    owner: Vec<u16>,
    /// Kinds of work that begin at an instruction, in the order in which they were written.
    marks: BTreeMap<u32, Vec<usize>>,
    /// Whether an instruction has a mark, for each word of the image.
    marked: Vec<bool>,
    /// Bytes of core memory that the image leaves to the stack at least (`link.ld`).
    pub stack_reserved: u32,
    /// For the longest path.
    pub(super) code: Code,
    /// What the loops say of their turns, by address of a place that each turn passes.
    pub(super) turns: BTreeMap<u32, Vec<TurnMark>>,
}

impl Program {
    /// Reads the executable, with its symbols, that lies beside a firmware image (`.elf`).
    ///
    /// # Errors
    /// When the file cannot be read, is no ELF file, or has no marks.
    pub fn beside(image: &Path) -> Result<Self> {
        let path = image.with_extension("elf");
        let bytes = std::fs::read(&path)
            .with_context(|| format!("cannot read {}", path.display()))
            .context("a profile needs the executable beside the image; `cargo xtask firmware` makes both")?;
        Self::parse(&bytes, work::NAMES.len())
            .with_context(|| format!("{} cannot be profiled", path.display()))
    }

    fn parse(bytes: &[u8], kinds: usize) -> Result<Self> {
        let file = object::File::parse(bytes)?;
        let text = file.section_by_name(".text").context("there is no .text")?;
        ensure!(text.address() == u64::from(RAM_BASE), "code starts at {:#x}", text.address());
        let words = text.size() as usize / 4;
        let mut functions = vec!["(no function)".to_string()];
        let mut owner = vec![0; words];
        for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
            let start = (symbol.address().saturating_sub(text.address()) / 4) as usize;
            let end = start + symbol.size().div_ceil(4) as usize;
            let Some(own) = owner.get_mut(start..end).filter(|own| !own.is_empty()) else { continue };
            own.fill(functions.len() as u16);
            functions.push(readable(symbol.name()?));
        }
        let section = file.section_by_name(MARKS).with_context(|| format!("there is no {MARKS}"))?.data()?;
        let mut marks: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let mut marked = vec![false; words];
        let (pairs, rest) = section.as_chunks::<8>();
        ensure!(rest.is_empty() && !pairs.is_empty(), "{MARKS} has {} bytes", section.len());
        for pair in pairs {
            let word = |at: usize| u32::from_le_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
            let (address, kind) = (word(0), word(4) as usize);
            ensure!(kind < kinds, "a mark of kind {kind}; this program knows {kinds}");
            let place = marked.get_mut(Self::word(address)).context("a mark outside the code")?;
            *place = true;
            marks.entry(address).or_default().push(kind);
        }
        let reserved = file.symbols().find(|symbol| symbol.name() == Ok("_stack_size"));
        let stack_reserved = reserved.context("there is no _stack_size")?.address() as u32;
        let code = Code::of(&file)?;
        let mut turns: BTreeMap<u32, Vec<TurnMark>> = BTreeMap::new();
        let section = file.section_by_name(TURNS).with_context(|| format!("there is no {TURNS}"))?.data()?;
        let (notes, rest) = section.as_chunks::<12>();
        ensure!(rest.is_empty(), "{TURNS} has {} bytes", section.len());
        for note in notes {
            let word = |at: usize| u32::from_le_bytes([note[at], note[at + 1], note[at + 2], note[at + 3]]);
            turns.entry(word(0)).or_default().push(TurnMark { most: word(4), line: word(8) });
        }
        Ok(Program { functions, owner, marks, marked, stack_reserved, code, turns })
    }

    /// Words of code.
    pub fn words(&self) -> usize {
        self.owner.len()
    }

    /// Addresses at which work of a kind begins.
    pub fn places(&self, kind: u32) -> Vec<u32> {
        let begins = |(_, kinds): &(&u32, &Vec<usize>)| kinds.contains(&(kind as usize));
        self.marks.iter().filter(begins).map(|(address, _)| *address).collect()
    }

    /// The place of an instruction among them.
    pub fn word(pc: u32) -> usize {
        (pc.wrapping_sub(RAM_BASE) / 4) as usize
    }

    /// Index into `functions` of the instruction's function.
    pub fn function(&self, pc: u32) -> usize {
        self.owner.get(Self::word(pc)).copied().unwrap_or(0).into()
    }

    /// Kinds of work that begin with the instruction.
    pub fn marks(&self, pc: u32) -> &[usize] {
        match self.marked.get(Self::word(pc)) {
            Some(true) => &self.marks[&pc],
            _ => &[],
        }
    }
}

/// A name as a person writes it: without the hash, the crate's type parameters and the like.
fn readable(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_files_are_refused() {
        assert!(Program::parse(b"", 1).is_err());
        assert!(Program::parse(b"\x7fELF", 1).is_err());
        assert!(Program::parse(&std::fs::read(std::env::current_exe().unwrap()).unwrap(), 1).is_err());
    }
}

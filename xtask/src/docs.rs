//! Documents that are generated from the ABI. A test fails when a committed file is stale.

mod export;

use anyhow::{Context, Result};
use baton_abi::{mmio, regs, Access, Block, Register};
use std::fmt::Write;
use std::path::Path;

const REGISTERS: &str = "docs/registers.md";
const SVD: &str = "docs/baton.svd";
const C_HEADER: &str = "docs/baton_regs.h";

/// Writes every generated document.
pub fn write(root: &Path) -> Result<()> {
    std::fs::create_dir_all(root.join("docs")).context("cannot create docs")?;
    for (file, text) in files() {
        let path = root.join(file);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {file}");
    }
    Ok(())
}

/// Every generated file.
fn files() -> [(&'static str, String); 3] {
    [(REGISTERS, registers()), (SVD, export::svd()), (C_HEADER, export::c_header())]
}

/// The text of `docs/registers.md`.
fn registers() -> String {
    let mut out = String::from(
        "<!-- Generated from abi/ by `cargo xtask docs`; edit abi/src/regs.rs or abi/src/mmio.rs instead. -->\n\n\
         # Registers\n\n\
         All registers are 32 bits wide at addresses that are multiples of 4. RO is read-only, RW read and write, WO\n\
         write-only (reads give zero), W1C read and clear by writing ones.\n\n\
         ## On the host's bus (AXI4-Lite)\n\n\
         An access outside every block, misaligned or with less than four byte strobes answers SLVERR.\n",
    );
    blocks(&mut out, regs::BLOCKS, 0);
    blocks(&mut out, regs::MAC_BLOCKS, 0);
    out.push_str(
        "\n## On the softcore's bus\n\n\
         Word accesses only; others fault. Every read answers in the next cycle and has no side effect. Addresses\n\
         are given in full.\n",
    );
    blocks(&mut out, mmio::BLOCKS, mmio::MMIO_BASE);
    blocks(&mut out, mmio::BOARD_BLOCKS, mmio::MMIO_BASE);
    out
}

fn blocks(out: &mut String, blocks: &[Block], base: u32) {
    for block in blocks {
        let _ = write!(out, "\n### {}\n\n{}\n\n", title(block.name), block.doc.trim());
        out.push_str("| address | register | access | reset | meaning |\n| --- | --- | --- | --- | --- |\n");
        for register in block.registers {
            row(out, register, base);
        }
    }
}

fn row(out: &mut String, register: &Register, base: u32) {
    let (first, last) = (base + register.address, base + register.address + 4 * (register.count - 1));
    let (address, name) = match register.count {
        1 => (format!("0x{first:04X}"), register.name.to_string()),
        n => (format!("0x{first:04X}–0x{last:04X}"), format!("{}\\[{n}\\]", register.name)),
    };
    let access = match register.access {
        Access::ReadOnly => "RO",
        Access::ReadWrite => "RW",
        Access::WriteOnly => "WO",
        Access::WriteOneToClear => "W1C",
    };
    let mut meaning = register.doc.trim().to_string();
    for field in register.fields {
        let bits = match field.width {
            1 => format!("{}", field.lsb),
            width => format!("{}:{}", field.lsb + width - 1, field.lsb),
        };
        let _ = write!(meaning, "<br>\\[{bits}\\] {}: {}", field.name, field.doc);
    }
    let reset = if register.reset == 0 { "0".to_string() } else { format!("0x{:X}", register.reset) };
    let _ = writeln!(out, "| {address} | {name} | {access} | {reset} | {meaning} |");
}

fn title(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut chars = lower.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_files_are_current() {
        for (file, text) in files() {
            let committed = std::fs::read_to_string(crate::root().join(file)).unwrap_or_default();
            assert!(committed == text, "{file} is stale; run `cargo xtask docs`");
        }
    }

    #[test]
    fn blocks_do_not_overlap_and_stand_in_order() {
        for blocks in [regs::BLOCKS, regs::MAC_BLOCKS, mmio::BLOCKS, mmio::BOARD_BLOCKS] {
            let mut end = 0;
            for register in blocks.iter().flat_map(|block| block.registers) {
                assert!(register.address >= end && register.address % 4 == 0, "{} overlaps", register.name);
                end = register.address + 4 * register.count;
                let mut bits = 0u32;
                for field in register.fields {
                    let mask = ((1u64 << field.width) - 1) as u32;
                    assert_eq!(bits & mask << field.lsb, 0, "{}.{} overlaps", register.name, field.name);
                    bits |= mask << field.lsb;
                }
            }
        }
    }
}

//! The host's registers for other tools: CMSIS-SVD, and a C header.

use baton_abi::regs;
use baton_abi::{Access, Block, Register};
use std::fmt::Write;

/// Bytes of address space that the description covers: both halves behind the AXI4-Lite port.
const SPACE_BYTES: u32 = 0x2000;

fn blocks() -> impl Iterator<Item = &'static Block> {
    regs::BLOCKS.iter().chain(regs::MAC_BLOCKS)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `docs/baton.svd`: CMSIS-SVD 1.3, one peripheral for each block.
pub fn svd() -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <!-- Generated from abi/src/regs.rs by `cargo xtask docs`. -->\n\
         <device schemaVersion=\"1.3\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema-instance\">\n\
         <name>BATON</name>\n<version>0.1</version>\n\
         <description>Baton NIC, registers on the host's AXI4-Lite port</description>\n\
         <addressUnitBits>8</addressUnitBits>\n<width>32</width>\n<size>32</size>\n<peripherals>\n",
    );
    for block in blocks() {
        let first = block.registers.first().map_or(0, |register| register.address);
        let end = block.registers.last().map_or(first, |last| last.address + 4 * last.count);
        let _ = write!(
            out,
            "<peripheral>\n<name>{}</name>\n<description>{}</description>\n<baseAddress>0x{first:04X}</baseAddress>\n\
             <addressBlock><offset>0</offset><size>0x{:X}</size><usage>registers</usage></addressBlock>\n<registers>\n",
            block.name,
            escape(block.doc),
            end - first
        );
        block.registers.iter().for_each(|register| svd_register(&mut out, register, first));
        out.push_str("</registers>\n</peripheral>\n");
    }
    out.push_str("</peripherals>\n</device>\n");
    out
}

fn svd_register(out: &mut String, register: &Register, base: u32) {
    let (name, array) = match register.count {
        1 => (register.name.to_string(), String::new()),
        n => (format!("{}[%s]", register.name), format!("<dim>{n}</dim>\n<dimIncrement>4</dimIncrement>\n")),
    };
    let (access, modified) = match register.access {
        Access::ReadOnly => ("read-only", ""),
        Access::ReadWrite => ("read-write", ""),
        Access::WriteOnly => ("write-only", ""),
        Access::WriteOneToClear => ("read-write", "<modifiedWriteValues>oneToClear</modifiedWriteValues>\n"),
    };
    let _ = write!(
        out,
        "<register>\n{array}<name>{name}</name>\n<description>{}</description>\n\
         <addressOffset>0x{:X}</addressOffset>\n<access>{access}</access>\n<resetValue>0x{:08X}</resetValue>\n{modified}",
        escape(register.doc),
        register.address - base,
        register.reset
    );
    if !register.fields.is_empty() {
        out.push_str("<fields>\n");
        for field in register.fields {
            let _ = writeln!(
                out,
                "<field><name>{}</name><description>{}</description><bitOffset>{}</bitOffset><bitWidth>{}</bitWidth></field>",
                field.name,
                escape(field.doc),
                field.lsb,
                field.width
            );
        }
        out.push_str("</fields>\n");
    }
    out.push_str("</register>\n");
}

fn escape(text: &str) -> String {
    one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `docs/baton_regs.h`: an offset for each register, shift and mask for each field.
pub fn c_header() -> String {
    let mut out = String::from(
        "/* Generated from abi/src/regs.rs by `cargo xtask docs`.\n   \
         Registers on the host's AXI4-Lite port: byte offsets, and shift and mask of each field. */\n\
         #ifndef BATON_REGS_H\n#define BATON_REGS_H\n\n",
    );
    let _ = writeln!(out, "#define BATON_REGS_BYTES 0x{SPACE_BYTES:04X}u");
    for block in blocks() {
        let _ = write!(out, "\n/* {}: {} */\n", block.name, comment(block.doc));
        for register in block.registers {
            let name = register.name;
            let _ = writeln!(
                out,
                "#define BATON_{name} 0x{:04X}u /* {} */",
                register.address,
                comment(register.doc)
            );
            if register.count > 1 {
                let _ = writeln!(out, "#define BATON_{name}_COUNT {}u", register.count);
            }
            for field in register.fields {
                let mask = ((1u64 << field.width) - 1) << field.lsb;
                let _ = writeln!(out, "#define BATON_{name}_{}_SHIFT {}u", field.name, field.lsb);
                let _ = writeln!(out, "#define BATON_{name}_{}_MASK 0x{mask:08X}u", field.name);
            }
        }
    }
    out.push_str("\n#endif\n");
    out
}

fn comment(text: &str) -> String {
    one_line(text).replace("*/", "* /")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// A C compiler takes the header, and its values are those of the table.
    #[test]
    fn a_c_compiler_takes_the_header() {
        let folder = crate::root().join("target/regs-header");
        std::fs::create_dir_all(&folder).unwrap();
        let mut source = c_header();
        for register in blocks().flat_map(|block| block.registers) {
            let _ = writeln!(
                source,
                "_Static_assert(BATON_{} == {}, \"{}\");",
                register.name, register.address, register.name
            );
        }
        source.push_str("_Static_assert(BATON_MAC_CONTROL_SPEED_MASK == 0x30 && BATON_MAC_CONTROL_SPEED_SHIFT == 4, \"\");\n");
        let file = folder.join("header.c");
        std::fs::write(&file, source).unwrap();
        let out = Command::new("cc")
            .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"])
            .arg(&file)
            .output()
            .expect("a C compiler is on every machine that builds this workspace");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// svdtools reads the description and finds every register at its address.
    #[test]
    fn svdtools_reads_the_description() {
        crate::setup::ecosystem(&crate::root()).unwrap();
        let out = Command::new(crate::root().join(".tools/venv/bin/svd"))
            .arg("mmap")
            .arg(crate::root().join("docs/baton.svd"))
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let map = String::from_utf8_lossy(&out.stdout).to_uppercase();
        for register in blocks().flat_map(|block| block.registers).filter(|register| register.count == 1) {
            let address = format!("0X{:08X}", register.address);
            assert!(
                map.lines().any(|line| line.starts_with(&address) && line.contains(register.name)),
                "{} at {address} is not in the map of svdtools:\n{map}",
                register.name
            );
        }
    }
}

//! With feature `nic`: emits the NIC, verilates it, and compiles it with its bridge into the crate.

#[cfg(feature = "nic")]
#[allow(dead_code)]
#[path = "src/pins.rs"]
mod pins;
#[cfg(feature = "nic")]
#[allow(dead_code)]
#[path = "src/verilate.rs"]
mod verilate;

#[cfg(not(feature = "nic"))]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}

#[cfg(feature = "nic")]
fn main() -> anyhow::Result<()> {
    for file in ["build.rs", "src/pins.rs", "src/verilate.rs", "src/nic/verilated.rs", "src/nic/dut.h"] {
        println!("cargo:rerun-if-changed={file}");
    }
    nic::build()
}

#[cfg(feature = "nic")]
mod nic {
    use super::{
        pins::{NicIn, NicOut, Pin},
        verilate::{ports, Verilator},
    };
    use anyhow::{ensure, Context, Result};
    use std::{env, fmt::Write, fs, path::PathBuf};

    /// What makes the model fast. A model with waveforms is another build.
    const OPTIONS: &[&str] = &["-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert"];

    pub fn build() -> Result<()> {
        let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
        let text = baton_hdl::nic::verilog(&baton_hdl::nic::NicConfig::default());
        let source = out.join("nic_top.v");
        fs::write(&source, text)?;
        let folder = out.join("verilated");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let tool = Verilator::find()?;
        tool.translate(&source, "nic_top", &folder, OPTIONS)?;
        check_pins(&fs::read_to_string(folder.join("Vdut.h"))?)?;
        fs::write(folder.join("nic_pins.h"), pins_header()?)?;

        let mut compiler = cxx_build::bridge("src/nic/verilated.rs");
        compiler.std("c++20").opt_level(3).warnings(false).extra_warnings(false);
        compiler.flag_if_supported("-w");
        compiler
            .include(&folder)
            .include("src/nic")
            .include(tool.include())
            .include(tool.include().join("vltstd"));
        for name in ["COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF"] {
            compiler.define(&format!("VM_{name}"), "0");
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "cpp") {
                compiler.file(path);
            }
        }
        for file in ["verilated.cpp", "verilated_threads.cpp"] {
            compiler.file(tool.include().join(file));
        }
        compiler.try_compile("baton_nic").context("the verilated NIC does not compile")?;
        println!("cargo:rustc-link-lib=pthread");
        Ok(())
    }

    /// The ports of the emitted module are the pins of the table and the clock, neither more nor fewer.
    fn check_pins(header: &str) -> Result<()> {
        let mut expected: Vec<(String, usize, bool)> = vec![("clock".into(), 1, true)];
        let all = [(NicIn::PINS, true), (NicOut::PINS, false)];
        for (pins, input) in all {
            expected.extend(pins.iter().map(|&(name, width)| (name.to_string(), width, input)));
        }
        let mut found: Vec<_> = ports(header).into_iter().map(|p| (p.name, p.width, p.input)).collect();
        expected.sort();
        found.sort();
        let differ: Vec<_> = found.iter().filter(|port| !expected.contains(port)).collect();
        let missing: Vec<_> = expected.iter().filter(|port| !found.contains(port)).collect();
        ensure!(
            differ.is_empty() && missing.is_empty(),
            "the ports of nic_top are not the pins of pins.rs: unexpected {differ:?}, missing {missing:?}"
        );
        Ok(())
    }

    /// The C++ side of `pins.rs`.
    fn pins_header() -> Result<String> {
        let mut text = String::from(
            "// Written by the build script from pins.rs.\n#pragma once\n\n#include <cstdint>\n\nnamespace baton {\n",
        );
        for (name, pins, bytes) in [
            ("NicIn", NicIn::PINS, std::mem::size_of::<NicIn>()),
            ("NicOut", NicOut::PINS, std::mem::size_of::<NicOut>()),
        ] {
            write!(text, "\nstruct {name} {{\n")?;
            for (pin, width) in pins {
                writeln!(text, "    {} {pin};", c_type(*width))?;
            }
            write!(text, "}};\nstatic_assert(sizeof({name}) == {bytes}, \"pins.rs has another layout\");\n")?;
        }
        let copy = |pins: &[Pin], line: fn(&str) -> String| {
            pins.iter().map(|(pin, _)| line(pin)).collect::<String>()
        };
        let apply = copy(NicIn::PINS, |pin| format!("    top.{pin} = pins.{pin};\n"));
        let sample = copy(NicOut::PINS, |pin| format!("    out.{pin} = top.{pin};\n"));
        write!(
            text,
            "\ntemplate <class Top> inline void apply(const NicIn& pins, Top& top) {{\n{apply}}}\n\n\
             template <class Top> inline void sample(const Top& top, NicOut& out) {{\n{sample}}}\n\n\
             }}  // namespace baton\n"
        )?;
        Ok(text)
    }

    fn c_type(width: usize) -> &'static str {
        match width {
            1 => "bool",
            2..=8 => "uint8_t",
            9..=16 => "uint16_t",
            _ => "uint32_t",
        }
    }
}

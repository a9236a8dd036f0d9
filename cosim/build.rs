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
        verilate::{Verilator, FAST},
    };
    use anyhow::{Context, Result};
    use baton_hdl::nic::NicConfig;
    use std::{
        env,
        fmt::Write,
        fs,
        path::{Path, PathBuf},
    };

    /// The softcore has no devices but the NIC's own.
    const NO_DEVICES: &str = ", .device_addr(), .device_write(), .device_wdata(), .device_rdata(32'd0)";

    /// Core memory for the firmware with the most connections; an image for less uses a part of it.
    const CORE_MEMORY_BYTES: u32 = 2 << 20;

    pub fn build() -> Result<()> {
        let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
        let config = NicConfig { core_memory_bytes: CORE_MEMORY_BYTES, ..NicConfig::default() };
        let text = baton_hdl::nic::verilog(&config);
        fs::write(out.join("nic_top.v"), &text)?;
        let source = out.join("nic_sim.v");
        fs::write(&source, text + &without_reset())?;
        let folder = out.join("verilated");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let tool = Verilator::find()?;
        tool.translate(&source, "nic_sim", &folder, FAST)?;
        fs::write(folder.join("nic_pins.h"), pins_header()?)?;

        let sources = verilated_sources(&folder)?;
        // What runs only once, Verilator puts into files of its own.
        let is_slow = |path: &&PathBuf| path.to_string_lossy().ends_with("__Slow.cpp");
        let mut model = cxx_build::bridge("src/nic/verilated.rs");
        settings(&mut model, &tool, &folder).opt_level(2);
        model.define("BATON_PHASES", if has_two_phases(&sources)? { "1" } else { "0" });
        model.files(sources.iter().filter(|path| !is_slow(path)));
        model.try_compile("baton_nic").context("the verilated NIC does not compile")?;
        let mut start = cc::Build::new();
        settings(start.cpp(true), &tool, &folder).opt_level(0);
        start.files(sources.iter().filter(is_slow));
        start.try_compile("baton_nic_start").context("the start of the verilated NIC does not compile")?;
        let mut runtime = cc::Build::new();
        settings(runtime.cpp(true), &tool, &folder).opt_level(1);
        runtime.files(["verilated.cpp", "verilated_threads.cpp"].map(|file| tool.include().join(file)));
        runtime.try_compile("baton_nic_runtime").context("the Verilator runtime does not compile")?;
        println!("cargo:rustc-link-lib=pthread");
        Ok(())
    }

    fn settings<'a>(compiler: &'a mut cc::Build, tool: &Verilator, folder: &Path) -> &'a mut cc::Build {
        compiler.std("c++20").debug(false).warnings(false).extra_warnings(false).flag_if_supported("-w");
        compiler
            .include(folder)
            .include("src/nic")
            .include(tool.include())
            .include(tool.include().join("vltstd"));
        for name in ["COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF"] {
            compiler.define(&format!("VM_{name}"), "0");
        }
        compiler
    }

    fn verilated_sources(folder: &Path) -> Result<Vec<PathBuf>> {
        let mut sources = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "cpp") {
                sources.push(path);
            }
        }
        sources.sort();
        Ok(sources)
    }

    /// Whether the rising edge of the clock is the only trigger and nothing happens in the active region, so that
    /// `dut.h` may run the input and the clocked region by themselves.
    fn has_two_phases(sources: &[PathBuf]) -> Result<bool> {
        let mut text = String::new();
        for source in sources {
            text += &fs::read_to_string(source)?;
        }
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let trigger = "vlSelfRef.__VactTriggered[0U]=(QData)((IData)(((IData)(vlSelfRef.clock)\
                       &(~(IData)(vlSelfRef.__Vtrigprevexpr___TOP__clock__0)))));";
        let phases = plain.contains(trigger)
            && !plain.contains("Vdut___024root___eval_act(")
            && plain.contains("voidVdut___024root___eval_ico(Vdut___024root*vlSelf){")
            && plain.contains("voidVdut___024root___eval_nba(Vdut___024root*vlSelf){");
        if !phases {
            println!("cargo:warning=the NIC has more triggers than its clock and simulates slower for it");
        }
        Ok(phases)
    }

    /// A module around `nic_top` whose reset is never active. Registers start at their reset values, so the NIC is as
    /// after a reset; Verilator then leaves every reset multiplexer out, a fifth of the work of a cycle.
    ///
    /// Pins that `nic_top` does not have, has besides, or has in another width are errors of Verilator's here.
    fn without_reset() -> String {
        let port =
            |direction: &str, (name, width): &Pin| format!("{direction} wire [{}:0] {name}", width - 1);
        let inputs = NicIn::PINS.iter().map(|pin| port("input", pin));
        let outputs = NicOut::PINS.iter().map(|pin| port("output", pin));
        let ports: Vec<String> = inputs.chain(outputs).collect();
        let names = NicIn::PINS.iter().chain(NicOut::PINS).map(|(name, _)| *name);
        let wires: String =
            names.filter(|name| *name != "reset").map(|name| format!(", .{name}({name})")).collect();
        format!(
            "\nmodule nic_sim(input wire clock, {});\nnic_top nic_top(.clock(clock), .reset(1'b0){wires}{NO_DEVICES});\nendmodule\n",
            ports.join(", ")
        )
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

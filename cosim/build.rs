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
    use anyhow::{ensure, Context, Result};
    use baton_hdl::emit::{clock_name, Gated, TICKS};
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
        fs::write(out.join("nic_top.v"), baton_hdl::nic::verilog(&config))?;
        let gated = baton_hdl::nic::gated(&config, WRAPPER);
        let gates = Gates::new(&gated)?;
        let source = out.join("nic_sim.v");
        fs::write(&source, format!("{}{}", gated.text, gates.wrapper()))?;
        let folder = out.join("verilated");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let tool = Verilator::find()?;
        // Functions of their own cost less than the locals of all of them in one.
        let options = [FAST, &["--inline-cfuncs", "0"]].concat();
        tool.translate(&source, WRAPPER, &folder, &options)?;
        fs::write(folder.join("nic_pins.h"), pins_header(&gates)?)?;

        let sources = verilated_sources(&folder)?;
        // What runs only once, Verilator puts into files of its own.
        let is_slow = |path: &&PathBuf| path.to_string_lossy().ends_with("__Slow.cpp");
        let mut model = cxx_build::bridge("src/nic/verilated.rs");
        settings(&mut model, &tool, &folder).opt_level(2);
        expect_regions(&sources)?;
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

    /// `dut.h` runs one region of the model by itself, and takes the triggers from the gates. It may do so as long as
    /// nothing else happens in an evaluation: no logic that follows inputs at once, and none in the active region.
    fn expect_regions(sources: &[PathBuf]) -> Result<()> {
        let mut text = String::new();
        for source in sources {
            text += &fs::read_to_string(source)?;
        }
        for (part, wanted) in [("___eval_nba(", true), ("___ico_sequent__", false), ("___act_", false)] {
            let name = format!("Vdut___024root{part}");
            ensure!(text.contains(&name) == wanted, "dut.h does not know what `{name}` in the model means");
        }
        Ok(())
    }

    /// The module around the gated NIC.
    const WRAPPER: &str = "nic_sim";

    /// Pins whose changes come together, by the beginning of their names; the first that fits. Each group is taken at a
    /// gate of its own.
    const PIN_GROUPS: &[&str] = &["s_axil_", "m_axi_ar", "m_axi_r", "m_axi_", "rx_", "tx_"];

    /// Gates of the NIC, and behind them those of its pins.
    struct Gates<'a> {
        nic: &'a Gated,
    }

    impl<'a> Gates<'a> {
        /// Verilator's triggers of one model stand in a word of 64 bits.
        const COUNT_MAX: usize = 64;

        fn new(nic: &'a Gated) -> Result<Self> {
            let gates = Gates { nic };
            ensure!(gates.count() <= Self::COUNT_MAX, "{} gates, at most {}", gates.count(), Self::COUNT_MAX);
            Ok(gates)
        }

        fn count(&self) -> usize {
            self.nic.gates + PIN_GROUPS.len()
        }

        /// Places for what the parts say, in whole words of eight, so that a word at a time can be looked at.
        fn places(&self) -> usize {
            self.nic.parts.len().next_multiple_of(8)
        }

        fn of_pin(&self, pin: &str) -> usize {
            let group = PIN_GROUPS.iter().position(|prefix| pin.starts_with(prefix));
            self.nic.gates + group.expect("every input is in a group")
        }

        /// A module around `nic_top` whose clock is cut into gates and whose reset is never active. Registers start at
        /// their reset values, so the NIC is as after a reset; Verilator then leaves every reset multiplexer out. The
        /// inputs are taken at gates too, so that what follows a pin that did not change is not evaluated.
        ///
        /// Pins that `nic_top` does not have, has besides, or has in another width are errors of Verilator's here.
        fn wrapper(&self) -> String {
            let port =
                |direction: &str, (name, width): &Pin| format!("{direction} wire [{}:0] {name}", width - 1);
            let inputs: Vec<&Pin> = NicIn::PINS.iter().filter(|(name, _)| *name != "reset").collect();
            let clocks = (0..self.count()).map(|gate| format!("input wire {}", clock_name(gate)));
            let moves = format!("output wire moves [0:{}]", self.places() - 1);
            let ports: Vec<String> = clocks
                .chain([moves])
                .chain(inputs.iter().map(|pin| port("input", pin)))
                .chain(NicOut::PINS.iter().map(|pin| port("output", pin)))
                .collect();
            let registers: String = inputs
                .iter()
                .map(|(name, width)| {
                    let clock = clock_name(self.of_pin(name));
                    let register = format!("reg [{}:0] {name}$q = 0;", width - 1);
                    format!("{register} always_ff @(posedge {clock}) {name}$q <= {name};\n")
                })
                .collect();
            let parts = self.nic.parts.iter().map(|(path, _)| format!("{path}.moves$"));
            let moves: String = parts
                .chain(std::iter::repeat("1'b0".to_string()))
                .take(self.places())
                .enumerate()
                .map(|(at, moves)| format!("assign moves[{at}] = {moves};\n"))
                .collect();
            let taken = inputs.iter().map(|(name, _)| format!(", .{name}({name}$q)"));
            let given = NicOut::PINS.iter().map(|(name, _)| format!(", .{name}({name})"));
            let wires: String = taken.chain(given).collect();
            format!(
                "\nmodule {WRAPPER}({});\n{registers}nic_top nic_top(.clock(1'b0), .reset(1'b0){wires}{NO_DEVICES});\n{moves}endmodule\n",
                ports.join(", ")
            )
        }

        /// The gates for `dut.h`: how many, the gate of each moving part, how to raise one, and which of the pins' gates
        /// a change of the pins raises.
        fn header(&self) -> String {
            let of_parts: Vec<String> = self
                .nic
                .parts
                .iter()
                .map(|(_, gate)| gate.to_string())
                .chain(std::iter::repeat(TICKS.to_string()))
                .take(self.places())
                .collect();
            let clocks: String = (0..self.count())
                .map(|gate| format!("    case {gate}: top.{} = level; break;\n", clock_name(gate)))
                .collect();
            let changed: String = (self.nic.gates..self.count())
                .map(|gate| {
                    let differ: Vec<String> = NicIn::PINS
                        .iter()
                        .filter(|(pin, _)| *pin != "reset" && self.of_pin(pin) == gate)
                        .map(|(pin, _)| format!("(now.{pin} != before.{pin})"))
                        .collect();
                    let any = if differ.is_empty() { "false".to_string() } else { differ.join(" | ") };
                    format!("    if ({any}) fire |= triggers[{gate}];\n")
                })
                .collect();
            format!(
                "constexpr int GATES = {};\nconstexpr int TICKS = {TICKS};\nconstexpr int PARTS = {};\n\
                 constexpr uint8_t GATE_OF_PART[PARTS] = {{{}}};\n\n\
                 template <class Top> inline void set_gate(Top& top, int gate, bool level) {{\n    switch (gate) {{\n{clocks}    }}\n}}\n\n\
                 inline uint64_t changed(const NicIn& now, const NicIn& before, const uint64_t* triggers) {{\n    \
                 uint64_t fire = 0;\n{changed}    return fire;\n}}\n\n",
                self.count(),
                self.places(),
                of_parts.join(", ")
            )
        }
    }

    /// The C++ side of `pins.rs`.
    fn pins_header(gates: &Gates) -> Result<String> {
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
        let apply: String = NicIn::PINS
            .iter()
            .filter(|(pin, _)| *pin != "reset")
            .map(|(pin, _)| format!("    top.{pin} = pins.{pin};\n"))
            .collect();
        let sample = copy(NicOut::PINS, |pin| format!("    out.{pin} = top.{pin};\n"));
        write!(
            text,
            "\ntemplate <class Top> inline void apply(const NicIn& pins, Top& top) {{\n{apply}}}\n\n\
             template <class Top> inline void sample(const Top& top, NicOut& out) {{\n{sample}}}\n\n{}\
             }}  // namespace baton\n",
            gates.header()
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

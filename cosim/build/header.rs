//! What `dut.h` must know of the pins, the gates and the model: `nic_pins.h`.

use crate::{
    gates::Gates,
    pins::{NicIn, NicOut, Port, Ports},
    regions::Regions,
};
use anyhow::Result;
use std::{collections::BTreeMap, fmt::Write};

/// The C++ side of `pins.rs`.
///
/// # Errors
/// When the model gives an output in a way that is not known here.
pub fn pins_header(gates: &Gates, regions: &Regions) -> Result<String> {
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
    write!(
        text,
        "\nconstexpr unsigned ALL_PORTS = {};\n\n{}{}\
         }}  // namespace baton\n",
        Ports::ALL.0,
        samplers(regions)?,
        gates.header()
    )?;
    Ok(text)
}

/// How the outputs are taken: those that never change, and those that may when some gates were raised.
fn samplers(regions: &Regions) -> Result<String> {
    let mut groups: BTreeMap<(u64, u8), Vec<&str>> = BTreeMap::new();
    for (pin, _) in NicOut::PINS {
        let port = Port::of_pin(pin).map_or(0, |port| Ports::one(port).0);
        groups.entry((regions.triggers_of(pin)?, port)).or_default().push(pin);
    }
    let (mut constants, mut sample) = (String::new(), String::new());
    for ((triggers, port), pins) in groups {
        let copies: Vec<String> = pins.iter().map(|pin| format!("out.{pin} = top.{pin};")).collect();
        let copies = copies.join(" ");
        if triggers == 0 {
            writeln!(constants, "    {copies}")?;
            continue;
        }
        let differ: Vec<String> = pins.iter().map(|pin| format!("(out.{pin} != top.{pin})")).collect();
        let look = match port {
            0 => String::new(),
            _ => format!("if ({}) moved |= {port}; ", differ.join(" | ")),
        };
        writeln!(sample, "    if (fire & {triggers:#x}ULL) {{ {look}{copies} }}")?;
    }
    Ok(format!(
        "template <class Top> inline void take_constants(const Top& top, NicOut& out) {{\n{constants}}}\n\n\
         // The ports of which an output has changed.\n\
         template <class Top> inline unsigned sample(const Top& top, uint64_t fire, NicOut& out) {{\n    \
         unsigned moved = 0;\n{sample}    return moved;\n}}\n\n"
    ))
}

fn c_type(width: usize) -> &'static str {
    match width {
        1 => "bool",
        2..=8 => "uint8_t",
        9..=16 => "uint16_t",
        _ => "uint32_t",
    }
}

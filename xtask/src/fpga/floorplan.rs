//! Where the softcore lies on the device.
//!
//! An address of the core reaches every block of its memory within a cycle, and nextpnr's placer spreads those blocks over whole
//! rows of the device. So they are pinned to the middle of two neighbouring rows. The bits of an instruction that most is made of in the
//! cycle in which they are read lie nearest. The core's multipliers are pinned to the middle of the row of multipliers between the two: with
//! nothing but its memory to hold it, which reaches over most of the device, the core lies twenty columns to either side with one seed or another.

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::collections::HashMap;

/// Block RAM of the 45F: two neighbouring rows of the three, columns of the first of each group of four blocks, and the middle.
const ROWS: [u32; 2] = [34, 58];
const GROUPS: [u32; 9] = [4, 13, 22, 31, 42, 51, 60, 69, 78];
const MIDDLE: u32 = 44;

/// Multipliers of the 45F: those of the group in the middle of the row between.
const MULTIPLIERS: [&str; 4] =
    ["X42/Y46/MULT18_0", "X43/Y46/MULT18_1", "X46/Y46/MULT18_4", "X47/Y46/MULT18_5"];

/// What the path of every block of core memory has in it, and that of every multiplier.
const CORE_MEMORY: &str = ".system.ram.";
const CORE_MULTIPLIER: &str = ".system.core.mul.";

/// Names of nextpnr's places for block RAM, those nearest to the middle of the device first.
fn sites() -> Vec<String> {
    let mut places: Vec<(u32, u32, u32)> = GROUPS
        .iter()
        .flat_map(|group| (0..4).map(move |nth| (group + 2 * nth, nth)))
        .flat_map(|(column, nth)| ROWS.map(|row| (column, row, nth)))
        .collect();
    places.sort_by_key(|(column, ..)| column.abs_diff(MIDDLE));
    places.iter().map(|(column, row, nth)| format!("X{column}/Y{row}/EBR{nth}")).collect()
}

/// Pins core memory and multipliers of module `top` in a netlist of yosys, and says how many of both there are; on a device whose places are
/// not known here none, and the placer chooses.
pub fn pin_core(netlist: &mut Value, top: &str, device: &str) -> Result<usize> {
    if !device.ends_with("45k") {
        return Ok(0);
    }
    let cells = netlist["modules"][top]["cells"].as_object_mut().context("the netlist has no cells")?;
    let (mut blocks, mut multipliers) = (Vec::new(), Vec::new());
    for (name, cell) in cells.iter_mut() {
        if name.contains(CORE_MEMORY) && cell["type"] == "DP16KD" {
            blocks.push((bank_and_number(name), cell));
        } else if name.contains(CORE_MULTIPLIER) && cell["type"] == "MULT18X18D" {
            multipliers.push(cell);
        }
    }
    let mut banks: HashMap<&str, u32> = HashMap::new();
    blocks.iter().for_each(|((bank, _), _)| *banks.entry(bank).or_default() += 1);
    // Bits of a word that are neighbours are neighbours here, among those that are as urgent.
    blocks.sort_by_key(|((bank, number), _)| (urgency(number * 32 / banks[bank]), *bank, *number));
    let sites = sites();
    let (memory, count) = (blocks.len(), blocks.len() + multipliers.len());
    ensure!(memory <= sites.len(), "core memory has {memory} blocks, and there are {} places", sites.len());
    ensure!(multipliers.len() <= MULTIPLIERS.len(), "the core has {} multipliers", multipliers.len());
    for ((_, cell), site) in blocks.into_iter().zip(sites) {
        cell["attributes"]["BEL"] = site.into();
    }
    for (cell, site) in multipliers.into_iter().zip(MULTIPLIERS) {
        cell["attributes"]["BEL"] = site.into();
    }
    Ok(count)
}

/// The name of a block without its number, and the number. The blocks of a bank share the bits of a word in order.
fn bank_and_number(name: &str) -> (&str, u32) {
    let (bank, number) = name.rsplit_once('.').unwrap_or((name, ""));
    (bank, number.parse().unwrap_or(0))
}

/// How far from the core a bit of an instruction may lie. It names registers, which are compared with those that are still to be written, and
/// what comes of that holds the instruction and everything before it; or it says what instruction it is; or it is a number.
fn urgency(bit: u32) -> u32 {
    match bit {
        15..=24 => 0,
        2..=6 | 12..=14 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::HashSet;

    #[test]
    fn every_place_is_there_once() {
        let sites = sites();
        assert_eq!(sites.len(), 72);
        assert_eq!(sites.iter().collect::<HashSet<_>>().len(), 72);
        assert_eq!(sites[0], "X44/Y34/EBR1");
        assert!(sites.contains(&"X4/Y58/EBR0".to_string()) && sites.contains(&"X84/Y34/EBR3".to_string()));
    }

    #[test]
    fn core_memory_and_multipliers_are_pinned_and_nothing_else() {
        let cell = |kind: &str| json!({ "type": kind, "attributes": { "src": "x" } });
        let mut cells = serde_json::Map::new();
        for bit in 0..32 {
            cells.insert(format!("core.nic.system.ram.bank0.0.{bit}"), cell("DP16KD"));
        }
        for pair in 0..16 {
            cells.insert(format!("core.nic.system.ram.bank1.0.{pair}"), cell("DP16KD"));
        }
        for product in ["high", "low"] {
            cells.insert(format!("core.nic.system.core.mul.{product}_P33"), cell("MULT18X18D"));
        }
        cells.insert("core.nic.system.core.mul.sign".into(), cell("TRELLIS_FF"));
        cells.insert("core.nic.system.ram.low.mux".into(), cell("LUT4"));
        cells.insert("core.nic.rx.words.0.0".into(), cell("DP16KD"));
        let netlist = json!({ "modules": { "baton": { "cells": cells } } });
        let mut pinned = netlist.clone();
        assert_eq!(pin_core(&mut pinned, "baton", "um5g-45k").unwrap(), 50);
        let bel = |name: &str| pinned["modules"]["baton"]["cells"][name]["attributes"]["BEL"].clone();
        // The registers' names, the first of them in the middle, of both banks; then the rest.
        assert_eq!(bel("core.nic.system.ram.bank0.0.15"), "X44/Y34/EBR1");
        assert_eq!(bel("core.nic.system.ram.bank0.0.16"), "X44/Y58/EBR1");
        let place = |name: &str| sites().iter().position(|site| bel(name) == site.as_str()).unwrap();
        for (name, from, to) in
            [("bank0.0.24", 0, 15), ("bank1.0.8", 0, 15), ("bank1.0.12", 0, 15), ("bank0.0.4", 15, 27)]
        {
            assert!((from..to).contains(&place(&format!("core.nic.system.ram.{name}"))), "{name}");
        }
        assert_eq!(place("core.nic.system.ram.bank1.0.15"), 47);
        assert_eq!(bel("core.nic.system.core.mul.high_P33"), MULTIPLIERS[0]);
        assert_eq!(bel("core.nic.system.core.mul.low_P33"), MULTIPLIERS[1]);
        for name in ["system.ram.low.mux", "rx.words.0.0", "system.core.mul.sign"] {
            assert!(bel(&format!("core.nic.{name}")).is_null(), "{name}");
        }

        let mut elsewhere = netlist.clone();
        assert_eq!(pin_core(&mut elsewhere, "baton", "um5g-85k").unwrap(), 0);
        assert_eq!(elsewhere, netlist);
        assert!(pin_core(&mut elsewhere, "other", "25k").is_ok());
        assert!(pin_core(&mut elsewhere, "other", "45k").is_err());
    }
}

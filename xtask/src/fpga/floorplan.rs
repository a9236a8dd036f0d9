//! Where the softcore's memory lies on the device.
//!
//! An address of the core reaches every block of its memory within a cycle, and nextpnr's placer spreads those blocks over whole
//! rows of the device. So they are pinned to the middle of two neighbouring rows, and the core finds its place between them. The bits
//! of an instruction that most is made of in the cycle in which they are read lie nearest.

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::collections::HashMap;

/// Block RAM of the 45F: two neighbouring rows of the three, columns of the first of each group of four blocks, and the middle.
const ROWS: [u32; 2] = [34, 58];
const GROUPS: [u32; 9] = [4, 13, 22, 31, 42, 51, 60, 69, 78];
const MIDDLE: u32 = 44;

/// What the path of every block of core memory has in it.
const CORE_MEMORY: &str = ".system.ram.";

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

/// Pins the core memory of module `top` in a netlist of yosys, and says how many blocks it has; on a device whose places are not
/// known here none, and the placer chooses.
pub fn pin_core_memory(netlist: &mut Value, top: &str, device: &str) -> Result<usize> {
    if !device.ends_with("45k") {
        return Ok(0);
    }
    let cells = netlist["modules"][top]["cells"].as_object_mut().context("the netlist has no cells")?;
    let mut blocks: Vec<_> = cells
        .iter_mut()
        .filter(|(name, cell)| name.contains(CORE_MEMORY) && cell["type"] == "DP16KD")
        .map(|(name, cell)| (bank_and_number(name), cell))
        .collect();
    let mut banks: HashMap<&str, u32> = HashMap::new();
    blocks.iter().for_each(|((bank, _), _)| *banks.entry(bank).or_default() += 1);
    // Bits of a word that are neighbours are neighbours here, among those that are as urgent.
    blocks.sort_by_key(|((bank, number), _)| (urgency(number * 32 / banks[bank]), *bank, *number));
    let sites = sites();
    let count = blocks.len();
    ensure!(count <= sites.len(), "core memory has {count} blocks, and there are {} places", sites.len());
    for ((_, cell), site) in blocks.into_iter().zip(sites) {
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
    fn core_memory_is_pinned_and_nothing_else() {
        let cell = |kind: &str| json!({ "type": kind, "attributes": { "src": "x" } });
        let mut cells = serde_json::Map::new();
        for bit in 0..32 {
            cells.insert(format!("core.nic.system.ram.bank0.0.{bit}"), cell("DP16KD"));
        }
        for pair in 0..16 {
            cells.insert(format!("core.nic.system.ram.bank1.0.{pair}"), cell("DP16KD"));
        }
        cells.insert("core.nic.system.ram.low.mux".into(), cell("LUT4"));
        cells.insert("core.nic.rx.words.0.0".into(), cell("DP16KD"));
        let netlist = json!({ "modules": { "baton": { "cells": cells } } });
        let mut pinned = netlist.clone();
        assert_eq!(pin_core_memory(&mut pinned, "baton", "um5g-45k").unwrap(), 48);
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
        assert!(bel("core.nic.system.ram.low.mux").is_null() && bel("core.nic.rx.words.0.0").is_null());

        let mut elsewhere = netlist.clone();
        assert_eq!(pin_core_memory(&mut elsewhere, "baton", "um5g-85k").unwrap(), 0);
        assert_eq!(elsewhere, netlist);
        assert!(pin_core_memory(&mut elsewhere, "other", "25k").is_ok());
        assert!(pin_core_memory(&mut elsewhere, "other", "45k").is_err());
    }
}

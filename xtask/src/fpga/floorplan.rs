//! Where the softcore's memory lies on the device.
//!
//! An address of the core reaches every block of its memory within a cycle, and nextpnr's placer spreads those blocks over whole
//! rows of the device. So they are pinned to the middle of two neighbouring rows, and the core finds its place between them.

use anyhow::{ensure, Context, Result};
use serde_json::Value;

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
        .map(|(name, cell)| (bank_and_bit(name), cell))
        .collect();
    // Bits of a word that are neighbours are neighbours here.
    blocks.sort_by_key(|(place, _)| *place);
    let sites = sites();
    let count = blocks.len();
    ensure!(count <= sites.len(), "core memory has {count} blocks, and there are {} places", sites.len());
    for ((_, cell), site) in blocks.into_iter().zip(sites) {
        cell["attributes"]["BEL"] = site.into();
    }
    Ok(count)
}

/// The name of a block without its number, and the number: which bits of a word it holds.
fn bank_and_bit(name: &str) -> (&str, u32) {
    let (bank, bit) = name.rsplit_once('.').unwrap_or((name, ""));
    (bank, bit.parse().unwrap_or(0))
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
        let netlist = json!({ "modules": { "baton": { "cells": {
            "core.nic.system.ram.low.0.0": cell("DP16KD"),
            "core.nic.system.ram.low.0.10": cell("DP16KD"),
            "core.nic.system.ram.low.0.2": cell("DP16KD"),
            "core.nic.system.ram.low.mux": cell("LUT4"),
            "core.nic.rx.words.0.0": cell("DP16KD"),
        } } } });
        let mut pinned = netlist.clone();
        assert_eq!(pin_core_memory(&mut pinned, "baton", "um5g-45k").unwrap(), 3);
        let bel = |name: &str| pinned["modules"]["baton"]["cells"][name]["attributes"]["BEL"].clone();
        assert_eq!(bel("core.nic.system.ram.low.0.0"), "X44/Y34/EBR1");
        assert_eq!(bel("core.nic.system.ram.low.0.2"), "X44/Y58/EBR1");
        assert_eq!(bel("core.nic.system.ram.low.0.10"), "X42/Y34/EBR0");
        assert!(bel("core.nic.system.ram.low.mux").is_null() && bel("core.nic.rx.words.0.0").is_null());

        let mut elsewhere = netlist.clone();
        assert_eq!(pin_core_memory(&mut elsewhere, "baton", "um5g-85k").unwrap(), 0);
        assert_eq!(elsewhere, netlist);
        assert!(pin_core_memory(&mut elsewhere, "other", "25k").is_ok());
        assert!(pin_core_memory(&mut elsewhere, "other", "45k").is_err());
    }
}

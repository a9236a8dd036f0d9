//! Resets on the device's global network.
//!
//! nextpnr gives clocks a global net and nothing else. A reset with thousands of flip-flops then takes wires all over the device, and is
//! late where it is logic too. Here a buffer of the global network, `DCCA`, takes the flip-flops' part of it; logic stays on the net itself, for
//! no global net reaches it.

use anyhow::{Context, Result};
use serde_json::{json, Value};
use std::collections::BTreeMap;

/// A net that resets so many flip-flops is worth one of the device's 16 global nets; clocks have up to five.
const LEAST_LOADS: usize = 1000;

/// Gives the resets of module `top` in a netlist of yosys that are worth it a global net, and says how many there are.
pub fn make_global(netlist: &mut Value, top: &str) -> Result<usize> {
    let module = &mut netlist["modules"][top];
    let cells = module["cells"].as_object_mut().context("the netlist has no cells")?;
    let mut names = serde_json::Map::new();
    // A constant is a string, and no net.
    let bits = |cell: &Value| -> Vec<u64> {
        let connections = cell["connections"].as_object().into_iter().flatten();
        connections
            .flat_map(|(_, bits)| bits.as_array().into_iter().flatten().filter_map(Value::as_u64))
            .collect()
    };
    let mut unused = cells.values().flat_map(bits).max().context("the netlist has no nets")? + 1;
    let resets = |cell: &Value| match cell["type"] == "TRELLIS_FF" {
        true => cell["connections"]["LSR"][0].as_u64(),
        false => None,
    };
    let mut loads: BTreeMap<u64, usize> = BTreeMap::new();
    for reset in cells.values().filter_map(resets) {
        *loads.entry(reset).or_default() += 1;
    }
    loads.retain(|_, count| *count >= LEAST_LOADS);
    for (nth, reset) in loads.keys().enumerate() {
        for cell in cells.values_mut().filter(|cell| resets(cell) == Some(*reset)) {
            cell["connections"]["LSR"] = json!([unused]);
        }
        let buffer = json!({
            "hide_name": 0,
            "type": "DCCA",
            "parameters": {},
            "attributes": {},
            "port_directions": { "CLKI": "input", "CE": "input", "CLKO": "output" },
            "connections": { "CLKI": [reset], "CE": ["1"], "CLKO": [unused] },
        });
        let name = format!("global_reset_{nth}");
        cells.insert(name.clone(), buffer);
        names.insert(name, json!({ "hide_name": 0, "bits": [unused], "attributes": {} }));
        unused += 1;
    }
    module["netnames"].as_object_mut().context("the netlist has no names")?.extend(names);
    Ok(loads.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flip_flops_of_a_large_reset_go_by_a_buffer_and_nothing_else_does() {
        let flip_flop =
            |reset: Value| json!({ "type": "TRELLIS_FF", "connections": { "CLK": [2], "LSR": [reset] } });
        let mut cells = serde_json::Map::new();
        for nth in 0..LEAST_LOADS {
            cells.insert(format!("large{nth}"), flip_flop(json!(7)));
            cells.insert(format!("none{nth}"), flip_flop(json!("0")));
        }
        for nth in 1..LEAST_LOADS {
            cells.insert(format!("small{nth}"), flip_flop(json!(8)));
        }
        cells.insert("logic".into(), json!({ "type": "LUT4", "connections": { "A": [7], "Z": [41] } }));
        let mut netlist = json!({ "modules": { "baton": { "cells": cells, "netnames": {} } } });
        let before = netlist.clone();
        assert_eq!(make_global(&mut netlist, "baton").unwrap(), 1);

        let module = &mut netlist["modules"]["baton"];
        assert_eq!(module["netnames"]["global_reset_0"]["bits"], json!([42]));
        let cells = module["cells"].as_object_mut().unwrap();
        let buffer = cells.remove("global_reset_0").unwrap();
        assert_eq!(buffer["connections"], json!({ "CLKI": [7], "CE": ["1"], "CLKO": [42] }));
        for (name, cell) in cells {
            let mut expected = before["modules"]["baton"]["cells"][name].clone();
            if name.starts_with("large") {
                expected["connections"]["LSR"] = json!([42]);
            }
            assert_eq!(*cell, expected, "{name}");
        }
        assert!(make_global(&mut netlist, "other").is_err());
    }
}

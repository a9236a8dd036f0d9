//! The key of an entry, made of what the firmware knows of a connection.
//!
//! The firmware writes a connection's addresses, ports and VLAN, whatever the program; these cells put them where the
//! program's table has them, by the names of its keys.

use super::control::Lookup;
use super::netlist::{Net, Netlist};
use super::Module;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Key, Program};

/// Names of keys that the firmware can give, as diagnostics list them.
const NAMES: &str = "`remote_addr`, `local_addr`, `remote_port`, `local_port` and `vlan`";

pub fn module(program: &Program, lookup: &Option<Lookup>, key_words: u32) -> Result<Module, Box<Diagnostic>> {
    let mut list = Netlist::default();
    let inputs = vec![("remote_ip", 32), ("local_ip", 32), ("ports", 32), ("vlan", 16)];
    let nets: Vec<Net> = inputs.iter().map(|(name, width)| list.input(name, *width)).collect();
    let mut whole = None;
    if let Some(lookup) = lookup {
        let table = &program.control.tables[lookup.table.index()];
        for key in &table.keys {
            let part = part(&mut list, key, &nets).ok_or_else(|| {
                let bits = key.expr.ty.width();
                Diagnostic::error(
                    Code::HardwareTables,
                    format!("the firmware does not know `{}` of {bits} bits of a connection", key.name),
                )
                .at(key.expr.span, "a key that nothing can enter")
                .note(format!(
                    "it knows {NAMES}: addresses of 32 or 128 bits, ports of 16, a VLAN of 12 or 16"
                ))
            })?;
            whole = Some(whole.map_or(part, |left| list.concat(left, part)));
        }
        let first = table.actions.first().map(|action| &program.control.actions[action.index()]);
        let widths = first.map(|action| {
            action.params.iter().map(|param| program.vars[param.index()].ty.width()).collect::<Vec<_>>()
        });
        if widths.as_deref() != Some(&[16]) {
            return Err(Box::new(
                Diagnostic::error(Code::HardwareTables, "the first action does not take a connection")
                    .at(table.span, "the firmware enters connections with the first action of the list")
                    .help("give it one parameter, of type `ConnectionId_t`"),
            ));
        }
    }
    let key = whole.unwrap_or_else(|| list.constant(0u8, 1));
    let key = list.resize(key, 32 * key_words);
    let outputs = vec![("key".into(), key)];
    Ok(Module { name: "entryKey", inputs, outputs, list, steps: vec![], clocked: false })
}

fn part(list: &mut Netlist, key: &Key, nets: &[Net]) -> Option<Net> {
    let [remote_ip, local_ip, ports, vlan] = nets else { return None };
    let width = key.expr.ty.width();
    let address = |list: &mut Netlist, address: Net| match width {
        32 => Some(address),
        128 => {
            // IPv4-mapped (RFC 4291, section 2.5.5.2).
            let mapped = list.constant(0xFFFFu32, 96);
            Some(list.concat(mapped, address))
        }
        _ => None,
    };
    match (key.name.as_str(), width) {
        ("remote_addr", _) => address(list, *remote_ip),
        ("local_addr", _) => address(list, *local_ip),
        ("remote_port", 16) => Some(list.slice(*ports, 16, 16)),
        ("local_port", 16) => Some(list.slice(*ports, 0, 16)),
        ("vlan", 12 | 16) => Some(list.slice(*vlan, 0, width)),
        _ => None,
    }
}

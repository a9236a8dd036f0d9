//! Whether firmware can fill the table that a program leaves to the control plane.
//!
//! The firmware makes the key of an entry from the description of the control plane, of what it knows of a connection.

use super::control::Lookup;
use crate::diag::{Code, Diagnostic};
use crate::ir::Program;
use baton_control_plane::{ConnectionTable, ControlPlane, Part};

/// Names of keys that the firmware can give, as diagnostics list them.
const NAMES: &str = "`remote_addr`, `local_addr`, `remote_port`, `local_port` and `vlan`";

/// The table of connections, if the program has one, or why it cannot be filled.
pub fn connections(
    program: &Program,
    lookup: &Option<Lookup>,
    description: &ControlPlane,
) -> Result<Option<ConnectionTable>, Box<Diagnostic>> {
    let Some(lookup) = lookup else { return Ok(None) };
    let table = &program.control.tables[lookup.table.index()];
    for key in &table.keys {
        let bits = key.expr.ty.width();
        if Part::of(&key.name, bits).is_none() {
            return Err(Box::new(
                Diagnostic::error(
                    Code::HardwareTables,
                    format!("the firmware does not know `{}` of {bits} bits of a connection", key.name),
                )
                .at(key.expr.span, "a key that nothing can enter")
                .note(format!(
                    "it knows {NAMES}: addresses of 32 or 128 bits, ports of 16, a VLAN of 12 or 16"
                )),
            ));
        }
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
    description.connections().map_err(|error| {
        Box::new(Diagnostic::error(Code::HardwareTables, error.to_string()).at(table.span, "this table"))
    })
}

//! What the control plane must know to fill the tables: names, key layout, actions, parameters, sizes.

use super::control::Lookup;
use crate::ir::{ActionCall, ActionId, Program, Table};
use baton_control_plane::{
    ActionDescription, CallDescription, ControlPlane, KeyDescription, Kind, ParamDescription,
    TableDescription, FORMAT,
};

/// Describes the tables that a program applies; `lookup` is the one that the control plane fills, `key_words` the words of its key.
pub(super) fn control_plane(program: &Program, lookup: &Option<Lookup>, key_words: u32) -> ControlPlane {
    let tables = program.control.tables.iter().enumerate().filter(|(_, table)| table.applied);
    let tables = tables.map(|(index, table)| {
        let is_hash = lookup.as_ref().is_some_and(|lookup| lookup.table.index() == index);
        describe(program, table, is_hash.then_some(key_words))
    });
    ControlPlane { format: FORMAT.into(), tables: tables.collect(), parser_errors: program.errors.clone() }
}

fn describe(program: &Program, table: &Table, key_words: Option<u32>) -> TableDescription {
    let key_bits: u32 = table.keys.iter().map(|key| key.expr.ty.width()).sum();
    let mut low_bit = key_bits;
    let keys = table.keys.iter().map(|key| {
        let bits = key.expr.ty.width();
        low_bit -= bits;
        KeyDescription { name: key.name.clone(), bits, low_bit }
    });
    let kind = match (&table.entries, key_words) {
        (Some(_), _) => Kind::Logic,
        (None, Some(_)) => Kind::Hash,
        (None, None) => Kind::Default,
    };
    TableDescription {
        name: table.name.clone(),
        kind,
        size: table.entries.as_ref().map_or(table.size, |entries| entries.len() as u32),
        key_bits,
        key_words,
        keys: keys.collect(),
        actions: table
            .actions
            .iter()
            .enumerate()
            .map(|(id, action)| action_of(program, id, *action))
            .collect(),
        default_action: call(program, &table.default),
    }
}

fn action_of(program: &Program, id: usize, action: ActionId) -> ActionDescription {
    let action = &program.control.actions[action.index()];
    let mut low_bit = 0;
    let mut params: Vec<ParamDescription> = vec![];
    for param in action.params.iter().rev() {
        let var = &program.vars[param.index()];
        let bits = var.ty.width();
        params.push(ParamDescription { name: var.name.clone(), bits, low_bit });
        low_bit += bits;
    }
    params.reverse();
    ActionDescription { id: id as u32, name: action.name.clone(), params }
}

fn call(program: &Program, call: &ActionCall) -> CallDescription {
    let action = &program.control.actions[call.action.index()];
    let names = action.params.iter().map(|param| program.vars[param.index()].name.clone());
    CallDescription {
        action: action.name.clone(),
        args: names.zip(call.args.iter().map(|value| value.to_string())).collect(),
    }
}

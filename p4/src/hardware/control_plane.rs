//! What the control plane must know to fill the tables: names, key layout, actions, parameters, sizes.

use super::control::Lookup;
use crate::ir::{ActionCall, ActionId, Program, Table};
use serde::Serialize;
use std::collections::BTreeMap;

/// The description that `baton p4 compile` writes.
#[derive(Clone, Debug, Serialize)]
pub struct ControlPlane {
    pub format: &'static str,
    pub tables: Vec<TableDescription>,
    /// By their codes.
    pub parser_errors: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct TableDescription {
    pub name: String,
    /// `hash`: filled by the control plane while packets flow. `logic`: entries of the program. `default`: without a
    /// key, every packet misses.
    pub kind: &'static str,
    /// Entries that it can take, or those that it has.
    pub size: u32,
    pub key_bits: u32,
    /// Of a `hash` table: words of 32 bits, the first the most significant; the unused bits of the first are zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_words: Option<u32>,
    pub keys: Vec<KeyDescription>,
    pub actions: Vec<ActionDescription>,
    pub default_action: CallDescription,
}

#[derive(Clone, Debug, Serialize)]
pub struct KeyDescription {
    pub name: String,
    pub bits: u32,
    /// Of its least significant bit, counted from the key's least significant one.
    pub low_bit: u32,
}

#[derive(Clone, Debug, Serialize)]
pub struct ActionDescription {
    /// In an entry.
    pub id: u32,
    pub name: String,
    pub params: Vec<ParamDescription>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ParamDescription {
    pub name: String,
    pub bits: u32,
    /// Of its least significant bit in the entry's value.
    pub low_bit: u32,
}

#[derive(Clone, Debug, Serialize)]
pub struct CallDescription {
    pub action: String,
    /// Decimal.
    pub args: BTreeMap<String, String>,
}

impl ControlPlane {
    pub(super) fn new(program: &Program, lookup: &Option<Lookup>, key_words: u32) -> ControlPlane {
        let tables = program.control.tables.iter().enumerate().filter(|(_, table)| table.applied);
        let tables = tables.map(|(index, table)| {
            let is_hash = lookup.as_ref().is_some_and(|lookup| lookup.table.index() == index);
            describe(program, table, is_hash.then_some(key_words))
        });
        ControlPlane {
            format: "baton-control-plane-1",
            tables: tables.collect(),
            parser_errors: program.errors.clone(),
        }
    }

    /// As JSON text.
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists: nothing of it can fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
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
        (Some(_), _) => "logic",
        (None, Some(_)) => "hash",
        (None, None) => "default",
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

//! Tables: what they are before any packet comes, and their application.

use super::keyset::{all_hold, Match};
use super::machine::{Machine, Run, Stop};
use super::names::{Entity, Scope};
use super::value::{Type, Value};
use super::Lookup;
use crate::ast;
use crate::source::{SourceMap, Span};
use num_bigint::BigUint;
use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Table<'a> {
    pub decl: &'a ast::TableDecl,
    /// In the control plane: that of `@name`, or the one that is declared.
    pub name: String,
    pub keys: Vec<Key>,
    pub actions: Vec<Action<'a>>,
    pub default: Call<'a>,
    /// The control plane may change the default action.
    pub default_is_open: bool,
    /// `const entries` fill it, and not the control plane.
    pub is_const: bool,
    pub size: Option<u32>,
    pub contents: Contents<'a>,
}

#[derive(Debug)]
pub(super) struct Key {
    /// In the control plane: that of `@name`, or the expression as it is written.
    pub name: String,
    pub ty: Type,
    pub is_ternary: bool,
}

/// An action of a table's list.
#[derive(Debug)]
pub(super) struct Action<'a> {
    pub path: &'a ast::Path,
    /// Its declared name, which is that of a `switch` label.
    pub declared: String,
    /// In the control plane.
    pub name: String,
    pub params: Vec<(String, Type)>,
}

/// An action with its arguments.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    /// `None` is `NoAction` of `core.p4`, the default of a table that states none.
    pub path: Option<&'a ast::Path>,
    /// In the control plane.
    pub name: String,
    /// Place in the table's list.
    pub listed: Option<usize>,
    pub args: Vec<Value>,
}

#[derive(Debug, Default)]
pub(super) struct Contents<'a> {
    /// The first that matches counts.
    pub entries: Vec<(Vec<Match>, Call<'a>)>,
    /// Where an entry is, when all of them are of values only.
    pub by_value: HashMap<Vec<BigUint>, usize>,
}

impl<'a> Contents<'a> {
    /// Of entries in the order in which they are tried; `is_exact` if no two have the same key and every key
    /// is one value.
    pub fn new(entries: Vec<(Vec<Match>, Call<'a>)>, is_exact: bool) -> Self {
        let mut by_value = HashMap::new();
        for (index, (matches, _)) in entries.iter().enumerate().filter(|_| is_exact) {
            let values = matches.iter().filter_map(|one| match one {
                Match::Value(value) => Some(value.clone()),
                _ => None,
            });
            by_value.insert(values.collect(), index);
        }
        Contents { entries, by_value }
    }

    fn find(&self, keys: &[BigUint]) -> Option<&Call<'a>> {
        let index = match self.by_value.is_empty() {
            true => self.entries.iter().position(|(matches, _)| all_hold(matches, keys))?,
            false => *self.by_value.get(keys)?,
        };
        Some(&self.entries[index].1)
    }
}

pub(super) fn control_name(declared: &str, annotations: &[ast::Annotation]) -> String {
    let given = annotations.iter().find_map(|annotation| match &annotation.body {
        Some(ast::AnnotationBody::Text(text)) if annotation.name.name == "name" => Some(text.as_str()),
        _ => None,
    });
    given.unwrap_or(declared).to_string()
}

/// The default action of a table that states none.
fn no_action(span: Span) -> ast::Path {
    ast::Path { absolute: true, name: "NoAction".into(), span }
}

impl<'a> Machine<'a, '_> {
    /// Reads a table's declaration, in the scope that it stands in.
    pub(super) fn table(&mut self, decl: &'a ast::TableDecl, sources: &SourceMap) -> Run<Table<'a>> {
        let mut keys = vec![];
        for key in &decl.keys {
            // The type is the same whatever the packet.
            let value = self.eval(&key.expr)?;
            keys.push(Key {
                name: control_name(sources.text(key.expr.span), &key.annotations),
                ty: value.type_of().ok_or(Stop::unexpected(key.expr.span, "a key without a type"))?,
                is_ternary: key.match_kind.name == "ternary",
            });
        }
        let mut actions = vec![];
        for listed in &decl.actions {
            actions.push(self.listed_action(&listed.name)?);
        }
        let default = match &decl.default_action {
            Some(default) => self.constant_call(&default.action, &actions)?,
            None => self.implicit_default(decl),
        };
        let mut entries = vec![];
        for entry in decl.entries.iter().flatten() {
            let call = self.constant_call(&entry.action, &actions)?;
            entries.push((self.keyset(&entry.keyset, keys.len())?, call));
        }
        let size = decl.size.as_ref().map(|size| self.small_number(size)).transpose()?;
        Ok(Table {
            decl,
            name: control_name(&decl.name.name, &decl.annotations),
            keys,
            actions,
            default,
            default_is_open: decl.default_action.as_ref().is_some_and(|default| !default.is_const),
            is_const: decl.entries.is_some(),
            size,
            contents: Contents::new(entries, false),
        })
    }

    fn action_decl(&self, scope: Scope, path: &ast::Path) -> Run<(&'a ast::ActionDecl, Scope)> {
        match self.names.lookup_in(scope, path) {
            Some(Entity::Action(decl, scope)) => Ok((decl, *scope)),
            _ => Err(Stop::unexpected(path.span, "an action that is not declared")),
        }
    }

    fn listed_action(&mut self, path: &'a ast::Path) -> Run<Action<'a>> {
        let (decl, scope) = self.action_decl(self.names.scope, path)?;
        let params = self.within(scope, |this| {
            let param = |param: &ast::Param| {
                Ok((control_name(&param.name.name, &param.annotations), this.resolve(&param.ty)?))
            };
            decl.params.iter().map(param).collect()
        })?;
        Ok(Action {
            path,
            declared: decl.name.name.clone(),
            name: control_name(&decl.name.name, &decl.annotations),
            params,
        })
    }

    /// A listed action with constants for its parameters.
    fn constant_call(&mut self, call: &'a ast::ActionRef, actions: &[Action<'a>]) -> Run<Call<'a>> {
        let (decl, _) = self.action_decl(self.names.scope, &call.name)?;
        let mut listed = None;
        for (index, action) in actions.iter().enumerate() {
            if std::ptr::eq(self.action_decl(self.names.scope, action.path)?.0, decl) {
                listed = Some(index);
            }
        }
        let index = listed.ok_or(Stop::unexpected(call.span, "an action that is not listed"))?;
        let mut args = vec![];
        for (position, ((_, ty), param)) in actions[index].params.iter().zip(&decl.params).enumerate() {
            let is_named = |arg: &&ast::Arg| arg.name.as_ref().is_some_and(|n| n.name == param.name.name);
            let named = call.args.iter().find(is_named);
            let given = named.or(call.args.get(position)).and_then(|arg| arg.value.as_ref());
            let value = self.eval(given.ok_or(Stop::unexpected(call.span, "a missing argument"))?)?;
            args.push(value.implicit(ty));
        }
        Ok(Call { path: Some(&call.name), name: actions[index].name.clone(), listed, args })
    }

    /// `NoAction`, which the table may list as well.
    fn implicit_default(&self, decl: &'a ast::TableDecl) -> Call<'a> {
        let scope = self.names.scope;
        let nothing = self.action_decl(scope, &no_action(decl.span)).ok();
        let listed = decl.actions.iter().position(|listed| {
            let action = self.action_decl(scope, &listed.name).ok();
            matches!((action, nothing), (Some((action, _)), Some((no, _))) if std::ptr::eq(action, no))
        });
        Call { path: None, name: "NoAction".into(), listed, args: vec![] }
    }

    /// `t.apply()`: looks the keys up as they are now, and runs the action that is found.
    pub(super) fn apply(&mut self, index: usize, scope: Scope, span: Span) -> Run<Value> {
        let tables = self.tables;
        let table = tables.get(index).ok_or(Stop::unexpected(span, "a table that is not there"))?;
        let keys: Vec<BigUint> = self
            .within(scope, |this| table.decl.keys.iter().map(|key| this.key_number(&key.expr)).collect())?;
        // Without a key there is nothing to find.
        let found = if keys.is_empty() { None } else { table.contents.find(&keys) };
        let call = found.unwrap_or(&table.default);
        let (action, action_scope) = match call.path {
            Some(path) => self.action_decl(scope, path)?,
            None => self.action_decl(scope, &no_action(span))?,
        };
        self.lookups.push(Lookup {
            table: table.name.clone(),
            hit: found.is_some(),
            action: call.name.clone(),
        });
        self.run_action(action, action_scope, call.args.iter().cloned().map(Some).collect())?;
        Ok(Value::Applied { table: index, hit: found.is_some(), action: call.listed })
    }
}

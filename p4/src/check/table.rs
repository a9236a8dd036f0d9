//! Tables.

use super::keyset::covers;
use super::scope::Entity;
use super::types::Ty;
use super::{Checker, Site};
use crate::ast;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, MatchKind};
use crate::source::Span;

/// Entries that a table of the control plane may have.
const MAX_SIZE: u32 = 1 << 16;
/// Entries of a table that the program fills: each is a comparator.
const MAX_CONST_ENTRIES: usize = 256;

impl<'a> Checker<'a> {
    pub(super) fn table(&mut self, decl: &'a ast::TableDecl) {
        self.annotations(&decl.annotations, &["name", "noWarn"]);
        let site = std::mem::replace(&mut self.site, Site::Table);
        let mut types = vec![];
        let keys: Vec<ir::Key> = decl.keys.iter().filter_map(|key| self.table_key(key, &mut types)).collect();
        for (index, key) in keys.iter().enumerate() {
            let former = keys[..index].iter().find(|former| former.name == key.name);
            self.one_of_its_name(
                "keys of a table",
                &key.name,
                key.expr.span,
                former.map(|former| former.expr.span),
            );
        }
        let listed = self.table_actions(decl);
        let default = self.default_action(decl, &listed);
        let kinds: Vec<MatchKind> = keys.iter().map(|key| key.kind).collect();
        let entries = match &decl.entries {
            Some(entries) if keys.len() == decl.keys.len() => {
                Some(self.entries(entries, &types, &kinds, &listed))
            }
            Some(_) => Some(vec![]),
            None => {
                self.needs_exact(decl, &kinds);
                None
            }
        };
        let size = self.table_size(decl);
        self.site = site;
        let id = ir::TableId(self.tables.len() as u32);
        let name = self.control_name(&decl.name, &decl.annotations);
        let former = self.tables.iter().find(|known| known.name == name).map(|known| known.span);
        self.one_of_its_name("tables", &name, decl.name.span, former);
        self.tables.push(ir::Table {
            name,
            keys,
            actions: listed.iter().map(|(id, _)| *id).collect(),
            default,
            default_is_const: decl.default_action.as_ref().is_some_and(|default| default.is_const),
            entries,
            size,
            applied: false,
            span: decl.name.span,
        });
        self.applied.push((decl.name.span, None));
        self.declare(&decl.name, Entity::Table(id));
    }

    fn table_key(&mut self, key: &'a ast::TableKey, types: &mut Vec<Ty>) -> Option<ir::Key> {
        self.annotations(&key.annotations, &["name"]);
        let value = self.expr(&key.expr);
        let found = self.key(value);
        types.push(found.as_ref().map_or(Ty::Unknown, |(_, ty)| ty.clone()));
        let kind = match &*key.match_kind.name {
            "exact" => Some(MatchKind::Exact),
            "ternary" => Some(MatchKind::Ternary),
            "lpm" => {
                let reason = "write the prefixes as `ternary` keys in `const entries`, the longest first";
                self.refuse(Code::RefusedTable, key.match_kind.span, "`lpm` keys", reason);
                None
            }
            other => {
                let names = ["exact", "ternary"];
                let mut diagnostic =
                    Diagnostic::error(Code::UnknownName, format!("there is no match kind `{other}`"))
                        .at(key.match_kind.span, "not found");
                if let Some(close) = super::scope::closest(other, names.into_iter()) {
                    diagnostic = diagnostic.help(format!("there is a similar one: `{close}`"));
                } else {
                    diagnostic = diagnostic.note("there are `exact` and `ternary`");
                }
                self.diags.push(diagnostic);
                None
            }
        }?;
        let text = ast::Ident { name: self.sources.text(key.expr.span).to_string(), span: key.expr.span };
        let name = self.control_name(&text, &key.annotations);
        Some(ir::Key { name, expr: found?.0, kind })
    }

    /// The actions that a table lists.
    fn table_actions(&mut self, decl: &'a ast::TableDecl) -> Vec<(ir::ActionId, &'a ast::ActionDecl)> {
        if decl.actions.is_empty() {
            let message = format!("table `{}` has no actions", decl.name.name);
            self.error(
                Code::PropertyMissing,
                decl.name.span,
                message,
                "`actions = { ... }` is missing or empty",
            );
        }
        let mut listed: Vec<(ir::ActionId, &'a ast::ActionDecl)> = vec![];
        for action in &decl.actions {
            self.annotations(&action.annotations, &[]);
            let Some(found) = self.lookup(&action.name) else {
                self.unknown_name(&action.name.name, action.name.span);
                continue;
            };
            let Entity::Action(action_decl) = found.entity else {
                let message = format!("`{}` is {}, not an action", action.name.name, found.entity.describe());
                self.error(Code::WrongKind, action.name.span, message, "a table lists actions");
                continue;
            };
            if let Some(param) = action_decl.params.iter().find(|param| param.direction.is_some()) {
                self.diags.push(
                    Diagnostic::error(
                        Code::RefusedTable,
                        "actions with arguments from the program are not supported in tables",
                    )
                    .at(action.span, "outside of the subset")
                    .also(param.span, "this parameter has a direction")
                    .note("let the action read the variable itself"),
                );
                continue;
            }
            if !action.args.is_empty() {
                self.error(
                    Code::BadCall,
                    action.span,
                    "the arguments of a listed action come from the control plane",
                    "none are given here",
                );
            }
            let id = self.action_id(action_decl, found.order);
            if listed.iter().any(|(known, _)| *known == id) {
                let message = format!("action `{}` is listed twice", action.name.name);
                self.error(Code::Redeclared, action.span, message, "second time");
                continue;
            }
            listed.push((id, action_decl));
        }
        listed
    }

    /// The action of a miss; `NoAction` if the table does not say.
    fn default_action(
        &mut self,
        decl: &'a ast::TableDecl,
        listed: &[(ir::ActionId, &'a ast::ActionDecl)],
    ) -> ir::ActionCall {
        let nothing = ir::ActionCall { action: ir::ActionId(0), args: vec![] };
        if let Some(default) = &decl.default_action {
            return self.action_call(&default.action, listed).unwrap_or(nothing);
        }
        let path = ast::Path { absolute: true, name: "NoAction".into(), span: decl.name.span };
        match self.lookup(&path) {
            Some(found) => match found.entity {
                Entity::Action(action) => {
                    ir::ActionCall { action: self.action_id(action, found.order), args: vec![] }
                }
                _ => nothing,
            },
            None => {
                let message = format!("table `{}` has no default action", decl.name.name);
                let label = "`NoAction` is declared in <core.p4>, which is not included";
                self.error(Code::PropertyMissing, decl.name.span, message, label);
                nothing
            }
        }
    }

    /// A listed action with its arguments, which are constants.
    fn action_call(
        &mut self,
        call: &'a ast::ActionRef,
        listed: &[(ir::ActionId, &'a ast::ActionDecl)],
    ) -> Option<ir::ActionCall> {
        self.annotations(&call.annotations, &[]);
        let Some(found) = self.lookup(&call.name) else {
            self.unknown_name(&call.name.name, call.name.span);
            return None;
        };
        let action = match found.entity {
            Entity::Action(action) => listed.iter().find(|(_, known)| std::ptr::eq(*known, action)),
            _ => None,
        };
        let Some((id, action)) = action else {
            let message = format!("`{}` is not an action of this table", call.name.name);
            self.error(Code::ActionNotListed, call.name.span, message, "add it to `actions`");
            return None;
        };
        let values = self.bind_args(&action.params, &call.args, call.span, action.name.span)?;
        let mut args = vec![];
        for (param, value) in action.params.iter().zip(values) {
            let Some(value) = value else {
                self.error(Code::BadCall, call.span, "`_` stands for an `out` only", "this action reads it");
                return None;
            };
            let ty = self.resolve(&param.ty);
            let value = self.expr(value);
            let span = value.span;
            let expr = self.convert(value, &ty)?;
            match expr.as_const() {
                Some(number) => args.push(number.clone()),
                None => {
                    self.not_constant(span, "the argument of an action in a table");
                    return None;
                }
            }
        }
        Some(ir::ActionCall { action: *id, args })
    }

    fn entries(
        &mut self,
        entries: &'a [ast::Entry],
        types: &[Ty],
        kinds: &[MatchKind],
        listed: &[(ir::ActionId, &'a ast::ActionDecl)],
    ) -> Vec<ir::Entry> {
        let mut result: Vec<ir::Entry> = vec![];
        for (count, entry) in entries.iter().enumerate() {
            if count == MAX_CONST_ENTRIES {
                let message = format!("more than {MAX_CONST_ENTRIES} const entries");
                self.error(Code::BadSize, entry.span, message, "each is a comparator in the hardware");
                break;
            }
            let call = self.action_call(&entry.action, listed);
            if types.is_empty() {
                self.error(
                    Code::KeysetShape,
                    entry.span,
                    "an entry of a table without a key",
                    "it matches nothing",
                );
                continue;
            }
            let Some(keysets) = self.keysets(&entry.keyset, types) else { continue };
            for (keyset, kind) in keysets.iter().zip(kinds) {
                let fits = match kind {
                    MatchKind::Exact => matches!(keyset, ir::Keyset::Value(_)),
                    MatchKind::Ternary => !matches!(keyset, ir::Keyset::Range { .. }),
                };
                if !fits {
                    let (message, label) = match kind {
                        MatchKind::Exact => ("an `exact` key is matched by values only", "not one value"),
                        MatchKind::Ternary => ("a `ternary` key is matched by values and masks", "a range"),
                    };
                    self.error(Code::KeysetShape, entry.keyset.span, message, label);
                }
            }
            if let Some(former) = result.iter().find(|former| covers(&former.keysets, &keysets)) {
                self.diags.push(
                    Diagnostic::warning(Code::Unreachable, "this entry can never match")
                        .at(entry.keyset.span, "nothing is left for it")
                        .also(former.span, "this takes it all"),
                );
            }
            if let Some(call) = call {
                result.push(ir::Entry { keysets, call, span: entry.span });
            }
        }
        result
    }

    /// A table that the control plane fills is a hash table.
    fn needs_exact(&mut self, decl: &'a ast::TableDecl, kinds: &[MatchKind]) {
        for (key, kind) in decl.keys.iter().zip(kinds) {
            if *kind == MatchKind::Ternary {
                let reason = "the control plane fills exact tables; a ternary one has `const entries`";
                let span: Span = key.match_kind.span;
                self.refuse(Code::RefusedTable, span, "ternary tables without `const entries`", reason);
                return;
            }
        }
        if decl.size.is_none() && !decl.keys.is_empty() {
            let message = format!("table `{}` has no size", decl.name.name);
            self.diags.push(
                Diagnostic::error(Code::PropertyMissing, message)
                    .at(decl.name.span, "`size = ...;` is missing")
                    .note("the hardware of a table that the control plane fills is made for a number of entries"),
            );
        }
    }

    fn table_size(&mut self, decl: &'a ast::TableDecl) -> u32 {
        let entries = decl.entries.as_ref().map(|entries| entries.len() as u32);
        let Some(expr) = &decl.size else { return entries.unwrap_or(0) };
        let Some(size) = self.const_integer(expr) else { return 1 };
        match u32::try_from(&size) {
            Ok(size @ 1..=MAX_SIZE) if entries.is_none_or(|entries| entries <= size) => size,
            _ => {
                let message = format!("a table of size {size}");
                let label = match entries {
                    Some(entries) if u32::try_from(&size).is_ok_and(|size| size < entries) => {
                        format!("it has {entries} entries")
                    }
                    _ => format!("a size is from 1 to {MAX_SIZE}"),
                };
                self.error(Code::BadSize, expr.span, message, label);
                1
            }
        }
    }
}

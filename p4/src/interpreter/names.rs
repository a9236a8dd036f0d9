//! Names, scopes and storage.
//!
//! A scope is a chain: each declaration points to the one before it that is visible to it. So a [`Scope`] is just
//! the last link, and what is declared in a scope sees what stands before it and nothing else; an action keeps
//! the scope that it was declared in, whatever its caller has declared since.

use super::value::{Type, Value};
use crate::ast;
use std::collections::HashMap;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Entity<'a> {
    Type(Type),
    Const(Value),
    /// Index in [`Names::storage`].
    Variable(usize),
    Action(&'a ast::ActionDecl, Scope),
    /// Index among the control's tables.
    Table(usize, Scope),
    /// An extern function, known by its name.
    Function,
}

/// The names that are visible somewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// The innermost declaration, in [`Names::links`]; `None` at top level.
    innermost: Option<usize>,
    /// How many declarations at top level are visible.
    globals: usize,
}

/// Declarations at top level. No two have the same name.
#[derive(Debug, Default)]
pub(super) struct Globals<'a> {
    by_name: HashMap<&'a str, (usize, Entity<'a>)>,
    count: usize,
}

impl<'a> Globals<'a> {
    /// The scope behind everything that is declared so far.
    pub fn scope(&self) -> Scope {
        Scope { innermost: None, globals: self.count }
    }

    pub fn declare(&mut self, name: &'a str, entity: Entity<'a>) {
        self.by_name.insert(name, (self.count, entity));
        self.count += 1;
    }

    /// Counts a declaration that no expression can name.
    pub fn pass(&mut self) {
        self.count += 1;
    }
}

#[derive(Debug)]
struct Link<'a> {
    name: &'a str,
    entity: Entity<'a>,
    before: Option<usize>,
}

/// The names below top level while a block runs, and the values of the variables among them.
#[derive(Debug)]
pub(super) struct Names<'a, 'r> {
    globals: &'r Globals<'a>,
    links: Vec<Link<'a>>,
    storage: Vec<Value>,
    pub scope: Scope,
}

/// Where a scope began; [`Names::leave`] returns there.
pub(super) struct Mark {
    scope: Scope,
    links: usize,
    storage: usize,
}

impl<'a, 'r> Names<'a, 'r> {
    pub fn new(globals: &'r Globals<'a>, scope: Scope) -> Self {
        Names { globals, links: vec![], storage: vec![], scope }
    }

    pub fn declare(&mut self, name: &'a str, entity: Entity<'a>) {
        self.links.push(Link { name, entity, before: self.scope.innermost });
        self.scope.innermost = Some(self.links.len() - 1);
    }

    /// Returns its index.
    pub fn declare_variable(&mut self, name: &'a str, value: Value) -> usize {
        self.storage.push(value);
        let index = self.storage.len() - 1;
        self.declare(name, Entity::Variable(index));
        index
    }

    /// Begins a scope inside `scope`.
    pub fn enter(&mut self, scope: Scope) -> Mark {
        let mark = Mark { scope: self.scope, links: self.links.len(), storage: self.storage.len() };
        self.scope = scope;
        mark
    }

    /// Ends the scope, and forgets all that was declared in it.
    pub fn leave(&mut self, mark: Mark) {
        self.scope = mark.scope;
        self.links.truncate(mark.links);
        self.storage.truncate(mark.storage);
    }

    pub fn lookup(&self, path: &ast::Path) -> Option<&Entity<'a>> {
        self.lookup_in(self.scope, path)
    }

    pub fn lookup_in(&self, scope: Scope, path: &ast::Path) -> Option<&Entity<'a>> {
        let mut at = if path.absolute { None } else { scope.innermost };
        while let Some(index) = at {
            let link = &self.links[index];
            if link.name == path.name {
                return Some(&link.entity);
            }
            at = link.before;
        }
        let (order, entity) = self.globals.by_name.get(path.name.as_str())?;
        (*order < scope.globals).then_some(entity)
    }

    pub fn value(&self, variable: usize) -> &Value {
        &self.storage[variable]
    }

    pub fn value_mut(&mut self, variable: usize) -> &mut Value {
        &mut self.storage[variable]
    }
}

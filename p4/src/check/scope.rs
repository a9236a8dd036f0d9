//! Names and what they stand for.

use super::types::Ty;
use super::value::{Place, Value};
use super::Checker;
use crate::ast;
use crate::diag::{Code, Diagnostic};
use crate::ir;
use crate::source::Span;
use std::collections::HashMap;

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Entity<'a> {
    /// Something whose declaration is wrong, and reported.
    Unknown,
    Type(Ty),
    Const(Value),
    /// A variable or parameter; with the reason when it cannot be written.
    Place(Place),
    Action(&'a ast::ActionDecl),
    Table(ir::TableId),
    Extern,
    ExternFunction,
    Parser(&'a ast::ParserDecl),
    Control(&'a ast::ControlDecl),
    /// A parser or control type of the architecture.
    BlockType(&'a ast::BlockType, BlockKind),
    Package(&'a ast::BlockType),
    Instance,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    Parser,
    Control,
}

impl Entity<'_> {
    pub fn describe(&self) -> &'static str {
        match self {
            Entity::Unknown => "unknown",
            Entity::Type(_) => "a type",
            Entity::Const(_) => "a constant",
            Entity::Place(_) => "a variable",
            Entity::Action(_) => "an action",
            Entity::Table(_) => "a table",
            Entity::Extern => "an extern",
            Entity::ExternFunction => "an extern function",
            Entity::Parser(_) => "a parser",
            Entity::Control(_) => "a control",
            Entity::BlockType(_, BlockKind::Parser) => "a type of parsers",
            Entity::BlockType(_, BlockKind::Control) => "a type of controls",
            Entity::Package(_) => "a package",
            Entity::Instance => "an instance",
        }
    }
}

/// A declared name.
#[derive(Clone, Debug)]
pub struct Declared<'a> {
    pub entity: Entity<'a>,
    /// Where its name is declared.
    pub span: Span,
    /// Declarations are counted; one is visible only to what comes after it.
    pub order: u32,
}

/// The names of one scope.
#[derive(Debug)]
pub struct Scope<'a> {
    pub names: HashMap<String, Declared<'a>>,
    /// Declarations behind this one are not visible: they come later in the program than what is checked.
    pub limit: u32,
}

impl Default for Scope<'_> {
    fn default() -> Self {
        Scope { names: HashMap::new(), limit: u32::MAX }
    }
}

impl<'a> Scope<'a> {
    fn get(&self, name: &str) -> Option<&Declared<'a>> {
        self.names.get(name).filter(|found| found.order <= self.limit)
    }
}

impl<'a> Checker<'a> {
    pub(super) fn declare(&mut self, name: &ast::Ident, entity: Entity<'a>) {
        self.order += 1;
        let declared = Declared { entity, span: name.span, order: self.order };
        let scope = self.scopes.last_mut().expect("there is always the global scope");
        if let Some(former) = scope.names.get(&name.name) {
            self.diags.push(
                Diagnostic::error(Code::Redeclared, format!("`{}` is declared twice", name.name))
                    .at(name.span, "second declaration")
                    .also(former.span, "first declaration"),
            );
            return;
        }
        scope.names.insert(name.name.clone(), declared);
    }

    /// The innermost declaration of a name that is visible.
    pub(super) fn lookup(&mut self, path: &ast::Path) -> Option<Declared<'a>> {
        let scopes = if path.absolute { &self.scopes[..1] } else { &self.scopes[..] };
        let found = scopes.iter().rev().find_map(|scope| scope.get(&path.name)).cloned()?;
        self.used.insert(found.span);
        Some(found)
    }

    pub(super) fn unknown_name(&mut self, name: &str, span: Span) {
        if self.lost.contains(name) {
            return;
        }
        let mut diagnostic =
            Diagnostic::error(Code::UnknownName, format!("`{name}` is not declared")).at(span, "not found");
        let later = self.scopes.iter().rev().find_map(|scope| scope.names.get(name));
        if let Some(later) = later {
            diagnostic = diagnostic
                .also(later.span, "declared only here")
                .note("a name is known after its declaration");
        } else if let Some(close) = self.similar(name) {
            diagnostic = diagnostic.help(format!("there is a similar name: `{close}`"));
        }
        self.diags.push(diagnostic);
    }

    /// A name in scope that differs in one or two characters.
    fn similar(&self, name: &str) -> Option<String> {
        let names =
            self.scopes.iter().flat_map(|scope| scope.names.keys().filter(|name| scope.get(name).is_some()));
        closest(name, names.map(String::as_str)).map(str::to_string)
    }

    /// Runs `check` in a scope of its own.
    pub(super) fn scoped<T>(&mut self, check: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(Scope::default());
        let result = check(self);
        self.scopes.pop();
        result
    }
}

/// The one of `names` nearest to `name`, if it is so near that it may be meant.
pub fn closest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = match name.chars().count() {
        0..=2 => return None,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    let near = names.filter(|other| other.len().abs_diff(name.len()) <= limit);
    near.map(|other| (distance(name, other), other))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, other)| other)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

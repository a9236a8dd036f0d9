//! The state of one run.

use super::names::{Globals, Names, Scope};
use super::packet::Reader;
use super::table::Table;
use super::Lookup;
use crate::source::Span;

/// What evaluation gives, unless it stops.
pub(super) type Run<T> = Result<T, Stop>;

/// Why evaluation stops.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The parser goes to `reject` with this error.
    Reject(usize),
    /// There is something here that the checker refuses.
    Unexpected(Span, &'static str),
}

impl Stop {
    pub fn unexpected(span: Span, what: &'static str) -> Stop {
        Stop::Unexpected(span, what)
    }
}

/// What every program knows.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub globals: Globals<'a>,
    /// Every error's name, in the order of declaration; the first is `NoError`.
    pub errors: Vec<&'a str>,
    pub tables: Vec<Table<'a>>,
    pub codes: Codes,
}

/// Errors that parsers raise by themselves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Codes {
    pub packet_too_short: usize,
    pub no_match: usize,
    pub parser_timeout: usize,
}

/// A block while it runs.
pub(super) struct Machine<'a, 'r> {
    pub names: Names<'a, 'r>,
    pub errors: &'r [&'a str],
    pub tables: &'r [Table<'a>],
    pub codes: Codes,
    pub packet: Reader<'r>,
    /// Only types matter: `lookahead` gives zeros.
    pub dry: bool,
    /// Tables that were applied.
    pub lookups: Vec<Lookup>,
}

impl<'a, 'r> Machine<'a, 'r> {
    pub fn new(context: &'r Context<'a>, scope: Scope, packet: &'r [u8]) -> Self {
        Machine {
            names: Names::new(&context.globals, scope),
            errors: &context.errors,
            tables: &context.tables,
            codes: context.codes,
            packet: Reader::new(packet),
            dry: false,
            lookups: vec![],
        }
    }

    /// Runs in a scope inside `scope`.
    pub fn within<T>(&mut self, scope: Scope, run: impl FnOnce(&mut Self) -> Run<T>) -> Run<T> {
        let mark = self.names.enter(scope);
        let result = run(self);
        self.names.leave(mark);
        result
    }

    /// Runs in a scope inside the present one.
    pub fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> Run<T>) -> Run<T> {
        self.within(self.names.scope, run)
    }
}

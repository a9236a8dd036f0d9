//! Diagnostics: what is wrong, where, and what to do about it.
//!
//! Every error and warning has a [`Code`]. Errors are counted and bounded: behind [`MAX_ERRORS`] nothing more is
//! kept, and the compilation says so.

mod codes;
mod render;

pub use codes::{Code, ALL_CODES};
pub use render::{render, write_colored};

use crate::source::Span;
use std::fmt;

/// More errors than this are not shown.
pub const MAX_ERRORS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// A place that a diagnostic points to.
#[derive(Clone, Debug)]
pub struct Label {
    pub span: Span,
    pub message: String,
    /// Where the fault is, rather than what it has to do with.
    pub primary: bool,
}

#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: Code,
    pub message: String,
    pub labels: Vec<Label>,
    pub notes: Vec<String>,
}

impl Diagnostic {
    pub fn error(code: Code, message: impl fmt::Display) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.to_string(),
            labels: vec![],
            notes: vec![],
        }
    }

    pub fn warning(code: Code, message: impl fmt::Display) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message) }
    }

    /// Points to the fault.
    pub fn at(mut self, span: Span, message: impl fmt::Display) -> Diagnostic {
        self.labels.push(Label { span, message: message.to_string(), primary: true });
        self
    }

    /// Points to something that the fault has to do with.
    pub fn also(mut self, span: Span, message: impl fmt::Display) -> Diagnostic {
        self.labels.push(Label { span, message: message.to_string(), primary: false });
        self
    }

    pub fn note(mut self, note: impl fmt::Display) -> Diagnostic {
        self.notes.push(format!("note: {note}"));
        self
    }

    pub fn help(mut self, help: impl fmt::Display) -> Diagnostic {
        self.notes.push(format!("help: {help}"));
        self
    }
}

/// What a compilation has to say so far.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
}

impl Diagnostics {
    /// Adds one, unless it says what another said at the same place, or there are too many.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let place = |d: &Diagnostic| d.labels.iter().find(|label| label.primary).map(|label| label.span);
        let known = |d: &Diagnostic| {
            d.code == diagnostic.code && place(d) == place(&diagnostic) && d.message == diagnostic.message
        };
        if self.list.iter().any(known) {
            return;
        }
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
            if self.errors > MAX_ERRORS {
                if self.errors == MAX_ERRORS + 1 {
                    self.list.push(Diagnostic::error(
                        Code::TooManyErrors,
                        format!("too many errors; no more than {MAX_ERRORS} are shown"),
                    ));
                }
                return;
            }
        } else if self.list.len() > 2 * MAX_ERRORS {
            return;
        }
        self.list.push(diagnostic);
    }

    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Nothing more is worth finding out.
    pub fn is_full(&self) -> bool {
        self.errors > MAX_ERRORS
    }

    pub fn error_count(&self) -> usize {
        self.errors
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// How many warnings there are.
    pub fn warning_count(&self) -> usize {
        self.list.iter().filter(|d| d.severity == Severity::Warning).count()
    }
}

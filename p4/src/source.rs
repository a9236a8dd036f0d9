//! Source text and positions in it.
//!
//! A [`Span`] says where the characters of a token or a node are written. A token that came out of a macro is
//! written in the macro's definition, so a span also names the expansion that it passed through, if any:
//! [`SourceMap::call_site`] leads from there to the place in the program where the macro was used.

use std::fmt;
use std::path::{Path, PathBuf};

/// Index of a file in a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// Index of a macro expansion in a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExpansionId(pub u32);

/// A range of bytes of one file, `start..end`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
    /// The macro expansion that put the text here; `None` for text that stands where it was written.
    pub expansion: Option<ExpansionId>,
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        Span { file, start: start as u32, end: end as u32, expansion: None }
    }

    /// The empty span behind this one: where something is missing.
    pub fn after(self) -> Span {
        Span { start: self.end, ..self }
    }

    /// Whether `next` starts where this one ends, with nothing between.
    pub fn touches(self, next: Span) -> bool {
        self.file == next.file && self.expansion == next.expansion && self.end == next.start
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}:{}..{}", self.file.0, self.start, self.end)
    }
}

/// One source file.
#[derive(Clone, Debug)]
pub struct File {
    /// As diagnostics print it.
    pub name: String,
    pub text: String,
    /// Directory in which `#include "..."` looks first; `None` for a file that the compiler brings.
    pub directory: Option<PathBuf>,
    /// One of the compiler's own files: what it declares the hardware knows.
    pub builtin: bool,
}

/// One use of a macro.
#[derive(Clone, Debug)]
pub struct Expansion {
    pub macro_name: String,
    /// Where the macro was used; it may itself lie in another expansion.
    pub call_site: Span,
}

/// Every file that a compilation read, and every macro expansion that it made.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<File>,
    expansions: Vec<Expansion>,
}

impl SourceMap {
    pub fn add(&mut self, file: File) -> FileId {
        self.files.push(file);
        FileId(self.files.len() as u32 - 1)
    }

    pub fn file(&self, id: FileId) -> &File {
        &self.files[id.0 as usize]
    }

    pub fn files(&self) -> impl Iterator<Item = (FileId, &File)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId(index as u32), file))
    }

    pub fn add_expansion(&mut self, expansion: Expansion) -> ExpansionId {
        self.expansions.push(expansion);
        ExpansionId(self.expansions.len() as u32 - 1)
    }

    pub fn expansion(&self, id: ExpansionId) -> &Expansion {
        &self.expansions[id.0 as usize]
    }

    /// The characters of a span.
    pub fn text(&self, span: Span) -> &str {
        &self.file(span.file).text[span.start as usize..span.end as usize]
    }

    /// Where the text stands in the program: the span itself, or the use of the outermost macro that it
    /// came from.
    pub fn call_site(&self, mut span: Span) -> Span {
        while let Some(id) = span.expansion {
            span = self.expansion(id).call_site;
        }
        span
    }

    /// The span from the start of `first` to the end of `last`. Where the two were written in different
    /// places, it is between their call sites; should even these be in different files, it is `first`'s.
    pub fn join(&self, first: Span, last: Span) -> Span {
        let union = |a: Span, b: Span| Span { start: a.start.min(b.start), end: a.end.max(b.end), ..a };
        if first.file == last.file && first.expansion == last.expansion {
            return union(first, last);
        }
        let (a, b) = (self.call_site(first), self.call_site(last));
        if a.file == b.file {
            union(a, b)
        } else {
            a
        }
    }

    /// `file:line:column` of the start of a span, both counted from 1, columns in characters.
    pub fn position(&self, span: Span) -> (usize, usize) {
        let before = &self.file(span.file).text[..span.start as usize];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// Whether a span lies in one of the compiler's own files.
    pub fn is_builtin(&self, span: Span) -> bool {
        self.file(span.file).builtin
    }
}

/// The directory that a path's includes are relative to.
pub fn directory_of(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

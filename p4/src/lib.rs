//! P4-16 programs that describe what the NIC recognises on receive, and their compiler.
//!
//! `pre` makes tokens of files, `parse` a syntax tree of tokens, `check` a typed IR of the tree. `docs/p4.md` tells which part of the language
//! is supported; everything else is refused with a diagnostic (`diag`), and no input makes the compiler panic.

pub mod ast;
pub mod check;
pub mod diag;
pub mod hardware;
pub mod interpreter;
pub mod ir;
pub mod lex;
pub mod parse;
pub mod pre;
pub mod print;
pub mod source;
pub mod token;

use diag::Diagnostics;
use pre::{Loader, Options};
use source::SourceMap;
use std::io;
use std::path::Path;

/// A program that was read. It is whole only if there are no errors among the diagnostics.
#[derive(Debug)]
pub struct Parsed {
    pub program: ast::Program,
    pub sources: SourceMap,
    pub diagnostics: Diagnostics,
}

/// Reads and parses the program at `path`. An error is one of reading that file; everything else is a
/// diagnostic.
pub fn parse(path: &Path, options: &Options, loader: &dyn Loader) -> io::Result<Parsed> {
    let (mut sources, mut diagnostics) = (SourceMap::default(), Diagnostics::default());
    let tokens = pre::preprocess(path, options, loader, &mut sources, &mut diagnostics)?;
    let program = parse::parse(&tokens, &sources, &mut diagnostics);
    Ok(Parsed { program, sources, diagnostics })
}

/// A program that was read and checked.
#[derive(Debug)]
pub struct Checked {
    pub parsed: Parsed,
    /// There exactly when there is no error among the diagnostics.
    pub ir: Option<ir::Program>,
}

/// Reads, parses and checks the program at `path`.
pub fn check(path: &Path, options: &Options, loader: &dyn Loader) -> io::Result<Checked> {
    let mut parsed = parse(path, options, loader)?;
    let ir = check::check(&parsed.program, &parsed.sources, &mut parsed.diagnostics);
    Ok(Checked { parsed, ir })
}

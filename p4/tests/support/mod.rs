//! What the tests share: programs from folders, and programs in memory.
#![allow(dead_code)] // each test uses its part

use baton_p4::ast::Program;
use baton_p4::pre::{Loader, Options};
use baton_p4::Checked;
use std::io;
use std::path::{Path, PathBuf};

/// The programs in a folder of the crate, by name, with their texts. Subfolders hold what they include. Paths
/// are relative to the crate, where tests run, so that diagnostics are the same everywhere.
pub fn programs(folder: &str) -> Vec<(PathBuf, String)> {
    let mut list: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "p4"))
        .map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    list.sort();
    list
}

/// One file in memory, called `main.p4`.
pub struct Memory<'a>(&'a [u8]);

pub fn memory(text: &[u8]) -> Memory<'_> {
    Memory(text)
}

impl Loader for Memory<'_> {
    fn load(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path == Path::new("main.p4") {
            true => Ok(self.0.to_vec()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// Checks a text that includes nothing but the compiler's own files.
pub fn check_text(text: &str) -> Checked {
    check_bytes(text.as_bytes())
}

pub fn check_bytes(bytes: &[u8]) -> Checked {
    baton_p4::check(Path::new("main.p4"), &Options::default(), &Memory(bytes)).unwrap()
}

/// A tree as text, without the positions in it.
pub fn without_positions(program: &Program) -> String {
    let text = format!("{program:?}");
    let mut result = String::with_capacity(text.len());
    let mut rest = text.as_str();
    // A position is printed as `@file:start..end`.
    while let Some(at) = rest.find('@') {
        result.push_str(&rest[..at]);
        let body = &rest[at + 1..];
        let end = body.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(body.len());
        rest = &body[end..];
    }
    result + rest
}

//! Programs that are wrong, each in its own way, with what the compiler says of it.
//!
//! A snapshot in `snapshots/` holds what it has to say of each. After a change on purpose, look at what
//! `INSTA_UPDATE=always cargo test -p baton-p4 --test invalid` makes of them.

mod support;

use baton_p4::diag::{render, Code, Severity, ALL_CODES};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Of every program in the folder: its name, what it gives, and whether that is a warning alone.
fn outcomes() -> Vec<(String, baton_p4::Checked)> {
    let entries = std::fs::read_dir("tests/invalid").unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "p4")).collect();
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let check = |path: &Path| baton_p4::check(path, &Default::default(), &baton_p4::pre::Disk).unwrap();
    paths.iter().map(|path| (name(path), check(path))).collect()
}

#[test]
fn each_says_what_its_snapshot_holds() {
    let outcomes = outcomes();
    assert!(outcomes.len() >= 60);
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for (name, checked) in &outcomes {
        insta::assert_snapshot!(name.as_str(), render(&checked.parsed.diagnostics, &checked.parsed.sources));
    }
    // Nor is there a snapshot of a program that is gone.
    let names: BTreeSet<&str> = outcomes.iter().map(|(name, _)| name.as_str()).collect();
    for entry in std::fs::read_dir("tests/snapshots").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "snap") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(names.contains(name.as_str()), "no program for {}", path.display());
        }
    }
}

#[test]
fn each_is_refused_for_a_reason_of_its_own() {
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    for (name, checked) in outcomes() {
        let diagnostics = &checked.parsed.diagnostics;
        let warns = name.starts_with("warn_");
        assert_eq!(diagnostics.has_errors(), !warns, "{name}");
        assert_eq!(checked.ir.is_some(), warns, "{name}");
        let reason: Vec<String> = diagnostics
            .iter()
            .map(|d| {
                format!("{} {}: {}", d.code, d.message, d.labels.first().map_or("", |label| &label.message))
            })
            .collect();
        assert!(!reason.is_empty(), "{name} says nothing");
        if let Some(other) = reasons.insert(reason.join("\n"), name.clone()) {
            panic!("{name} and {other} are alike: {reason:?}");
        }
        // Every one points somewhere.
        for diagnostic in diagnostics.iter().filter(|d| d.code != Code::TooManyErrors) {
            assert!(diagnostic.labels.iter().any(|label| label.primary), "{name}: {diagnostic:?}");
        }
    }
}

#[test]
fn every_code_is_given_by_some_program() {
    let mut given = BTreeSet::new();
    for (_, checked) in outcomes() {
        for diagnostic in checked.parsed.diagnostics.iter() {
            assert_eq!(diagnostic.code.text().starts_with('W'), diagnostic.severity == Severity::Warning);
            given.insert(diagnostic.code);
        }
    }
    // The back end's have a folder of their own.
    for (path, _) in support::programs("tests/hardware") {
        let checked = baton_p4::check(&path, &Default::default(), &baton_p4::pre::Disk).unwrap();
        let mut diagnostics = baton_p4::diag::Diagnostics::default();
        if let Some(ir) = &checked.ir {
            baton_p4::hardware::compile(ir, &mut diagnostics);
        }
        given.extend(diagnostics.iter().map(|diagnostic| diagnostic.code));
    }
    let missing: Vec<_> =
        ALL_CODES.iter().filter(|code| !given.contains(code)).map(|code| code.text()).collect();
    assert!(missing.is_empty(), "no program gives {missing:?}");
}

#[test]
fn codes_are_different_and_documented() {
    let texts: BTreeSet<_> = ALL_CODES.iter().map(|code| code.text()).collect();
    assert_eq!(texts.len(), ALL_CODES.len());
    let document = std::fs::read_to_string("../docs/p4.md").unwrap();
    for code in ALL_CODES {
        let row = format!("| {} | {} |", code.text(), code.title());
        assert!(document.contains(&row), "docs/p4.md lacks the row\n{row}");
    }
}

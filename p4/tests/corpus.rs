//! The corpus of valid programs, written from the language specification's own examples of each construct: each
//! checks, and printed it parses to the tree that it came from.

mod support;

use baton_p4::diag::render;
use baton_p4::print::print;
use support::{check_text, programs, without_positions};

#[test]
fn every_valid_program_checks() {
    let valid = programs("tests/valid");
    assert!(valid.len() >= 40, "{} programs", valid.len());
    let mut failed = vec![];
    for (path, text) in &valid {
        let checked = baton_p4::check(path, &Default::default(), &baton_p4::pre::Disk).unwrap();
        let said = render(&checked.parsed.diagnostics, &checked.parsed.sources);
        // A program that is meant to warn says so in its head.
        let expected: Vec<&str> = text
            .lines()
            .take(3)
            .filter_map(|line| line.strip_prefix("// warns: "))
            .flat_map(|codes| codes.split(' '))
            .collect();
        let codes: Vec<&str> = checked.parsed.diagnostics.iter().map(|d| d.code.text()).collect();
        if checked.ir.is_none() || codes != expected {
            failed.push(format!("{}: {codes:?}, expected {expected:?}\n{said}", path.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_printed_program_parses_to_the_same_tree() {
    let all = programs("tests/valid").into_iter().chain(programs("programs"));
    for (path, _) in all {
        let parsed = baton_p4::parse(&path, &Default::default(), &baton_p4::pre::Disk).unwrap();
        let text = print(&parsed.program);
        let again = check_text(&text);
        let said = render(&again.parsed.diagnostics, &again.parsed.sources);
        let (first, second) = (without_positions(&parsed.program), without_positions(&again.parsed.program));
        assert!(first == second, "{}:\n{text}\n{said}", path.display());
        assert_eq!(print(&again.parsed.program), text, "{}", path.display());
    }
}

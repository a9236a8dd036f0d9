//! Programs that are right, and that the hardware cannot have as they are, with what the compiler says of each; and
//! that nothing which comes through the front end makes the back end panic.
//!
//! After a change on purpose, look at what `INSTA_UPDATE=always cargo test -p baton-p4 --test hardware` makes of the
//! snapshots in `hardware/`.

mod support;

use baton_p4::diag::{render, Diagnostics};
use baton_p4::hardware::{self, Hardware};
use baton_p4::pre::Disk;
use std::path::Path;

/// The hardware of a program that is right, and what the back end says.
fn compile(path: &Path) -> (Option<Hardware>, String, Diagnostics) {
    let checked = baton_p4::check(path, &Default::default(), &Disk).unwrap();
    let ir = checked.ir.unwrap_or_else(|| panic!("{} is not right", path.display()));
    let mut diagnostics = Diagnostics::default();
    let hardware = hardware::compile(&ir, &mut diagnostics);
    let text = render(&diagnostics, &checked.parsed.sources);
    (hardware, text, diagnostics)
}

#[test]
fn each_refusal_says_what_its_snapshot_holds() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("hardware");
    let _bound = settings.bind_to_scope();
    let programs = support::programs("tests/hardware");
    assert!(programs.len() >= 10);
    for (path, _) in programs {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (hardware, text, diagnostics) = compile(&path);
        assert_eq!(hardware.is_some(), name.starts_with("warn_"), "{name}: {text}");
        assert_eq!(hardware.is_none(), diagnostics.has_errors(), "{name}");
        insta::assert_snapshot!(name.as_str(), text);
    }
}

#[test]
fn the_five_programs_are_taken_without_a_word() {
    for (path, _) in support::programs("programs") {
        let (hardware, text, _) = compile(&path);
        let hardware = hardware.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(text, "", "{}", path.display());
        hardware.rust_hdl().unwrap_or_else(|why| panic!("{}: {}", path.display(), why.message));
    }
}

/// Of the programs for each construct one is refused: it has two tables that the control plane fills.
#[test]
fn each_construct_can_be_hardware() {
    for (path, _) in support::programs("tests/valid") {
        let (hardware, text, diagnostics) = compile(&path);
        let two_tables = path.ends_with("table_hit.p4");
        assert_eq!(hardware.is_none(), two_tables, "{}: {text}", path.display());
        assert_eq!(diagnostics.has_errors(), two_tables);
    }
}

/// What the control plane is told of each of the five.
#[test]
fn the_control_planes_are_as_their_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("control_planes");
    let _bound = settings.bind_to_scope();
    for (path, _) in support::programs("programs") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (hardware, ..) = compile(&path);
        insta::assert_snapshot!(name.as_str(), hardware.unwrap().control_plane.to_json());
    }
}

/// The same program always gives the same text, and a fault in it another.
#[test]
fn the_text_is_the_same_every_time() {
    let (path, text) = support::programs("programs").remove(0);
    let again = |path: &Path| compile(path).0.unwrap().rust_hdl().unwrap();
    assert_eq!(again(&path), again(&path), "{}", text.len());
}

//! The programs in `p4/programs`.

use baton_p4::diag::render;
use baton_p4::pre::{Disk, Options};
use std::path::Path;

#[test]
fn every_program_checks_cleanly() {
    let mut count = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue; // what the programs include
        }
        let checked = baton_p4::check(&path, &Options::default(), &Disk).unwrap();
        let parsed = &checked.parsed;
        let said = render(&parsed.diagnostics, &parsed.sources);
        assert!(said.is_empty(), "{}:\n{said}", path.display());
        assert!(checked.ir.is_some());
        count += 1;
    }
    assert_eq!(count, 5);
}

/// What the five programs are lowered to.
#[test]
fn every_program_is_lowered_to_its_snapshot() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("lowered");
    let _bound = settings.bind_to_scope();
    for name in ["connection", "ipv6", "tenant", "priority", "firewall"] {
        let path = format!("programs/{name}.p4");
        let checked = baton_p4::check(Path::new(&path), &Options::default(), &Disk).unwrap();
        insta::assert_snapshot!(name, checked.ir.expect(name).to_string());
    }
}

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

/// A program in which what one field becomes takes so many operations one behind the other.
fn chain(operations: usize) -> String {
    let fields = ["a", "b", "c", "d"];
    let operation = |value: String, number: usize| {
        let other = fields[(number + 1) % fields.len()];
        let symbol = if number.is_multiple_of(3) { "+" } else { "^" };
        format!("({value} {symbol} hdr.h.{other})")
    };
    let value = (0..operations).fold("hdr.h.a".to_string(), operation);
    format!(
        "#include <core.p4>\n#include <baton.p4>\n\
         header h_t {{ bit<16> a; bit<16> b; bit<16> c; bit<16> d; }}\n\
         struct headers_t {{ h_t h; }}\nstruct metadata_t {{ }}\n\
         parser MainParser(packet_in pkt, out headers_t hdr, inout metadata_t meta, in \
         baton_main_parser_input_metadata_t istd) {{ state start {{ pkt.extract(hdr.h); transition accept; }} }}\n\
         control MainControl(in headers_t hdr, inout metadata_t meta, in baton_main_input_metadata_t istd, \
         inout baton_main_output_metadata_t ostd) {{ apply {{ ostd.network_offset = {value}; }} }}\n\
         BATON_NIC(MainParser(), MainControl()) main;\n"
    )
}

/// Each operation makes the path longer; the first program beyond the limit is refused, with both ends of the path.
#[test]
fn the_longest_path_is_taken_and_one_more_is_refused() {
    let mut before = 0;
    for operations in 1..40 {
        let checked = support::check_text(&chain(operations));
        let mut refused = Diagnostics::default();
        let made = hardware::compile(&checked.ir.expect("the program is right"), &mut refused);
        let Some(made) = made else {
            assert!(before + 1 >= hardware::MAX_LEVELS, "the last program that is taken has {before} levels");
            let said = render(&refused, &checked.parsed.sources);
            assert!(said.contains("error[E1004]: the path to `network_offset`"), "{said}");
            assert!(said.contains("the path ends here") && said.contains("begins here"), "{said}");
            return;
        };
        assert!(made.levels >= before, "{operations} operations");
        before = made.levels;
    }
    panic!("no path is too long");
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

/// The descriptions that firmware is built of where no other is named are those that the compiler writes.
#[test]
fn the_checked_in_descriptions_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/control-plane");
    for (path, _) in support::programs("programs") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.json"))) else { continue };
        let written = compile(&path).0.unwrap().control_plane.to_json();
        assert_eq!(text, written, "{name}.json: `baton p4 compile` writes another");
    }
    assert!(folder.join("connection.json").is_file() && folder.join("ipv6.json").is_file());
}

/// The same program always gives the same text, and a fault in it another.
#[test]
fn the_text_is_the_same_every_time() {
    let (path, text) = support::programs("programs").remove(0);
    let again = |path: &Path| compile(path).0.unwrap().rust_hdl().unwrap();
    assert_eq!(again(&path), again(&path), "{}", text.len());
}

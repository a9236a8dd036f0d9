//! The interpreter, on programs of the test's own and on those in `p4/programs`.

mod control_plane;
mod language;
mod packet;
mod parsers;
mod programs;
mod tables;

use baton_p4::diag::render;
use baton_p4::interpreter::{Entries, Interpreter, Outcome};
use baton_p4::pre::{Disk, Loader, Options};
use baton_p4::Parsed;
use std::path::Path;

/// A program from memory.
struct Memory<'t>(&'t str);

impl Loader for Memory<'_> {
    fn load(&self, _: &Path) -> std::io::Result<Vec<u8>> {
        Ok(self.0.as_bytes().to_vec())
    }
}

/// Checks a program, which must be right.
fn checked(text: &str) -> Parsed {
    let checked = baton_p4::check(Path::new("test.p4"), &Options::default(), &Memory(text)).unwrap();
    let said = render(&checked.parsed.diagnostics, &checked.parsed.sources);
    assert!(checked.ir.is_some(), "{said}\n{text}");
    checked.parsed
}

/// Parses a program that the checker need not accept: what it refuses, the interpreter handles all the same.
fn unchecked(text: &str) -> Parsed {
    let parsed = baton_p4::parse(Path::new("test.p4"), &Options::default(), &Memory(text)).unwrap();
    assert!(!parsed.diagnostics.has_errors(), "{}", render(&parsed.diagnostics, &parsed.sources));
    parsed
}

fn program(name: &str) -> Parsed {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs").join(name);
    let checked = baton_p4::check(&path, &Options::default(), &Disk).unwrap();
    assert!(checked.ir.is_some());
    checked.parsed
}

fn entries(json: &str) -> Entries {
    Entries::from_json(json).unwrap()
}

/// The parts of a small NIC that a test writes; each has a default.
#[derive(Clone, Copy, Default)]
struct Nic<'t> {
    /// Declarations at top level.
    top: &'t str,
    /// Declarations in the parser.
    parser: &'t str,
    /// Statements of `start` behind the extraction of `hdr.h`.
    start: &'t str,
    /// The transition of `start`, and more states.
    states: &'t str,
    /// Declarations in the control.
    control: &'t str,
    apply: &'t str,
}

impl Nic<'_> {
    fn text(&self) -> String {
        let Nic { top, parser, start, states, control, apply } = *self;
        let states = if states.is_empty() { "transition accept; }" } else { states };
        format!(
            "#include <core.p4>
#include <baton.p4>
enum bit<8> Kind {{ A = 1, B = 2, Z = 255 }}
enum Colour {{ Red, Green, Blue }}
error {{ First, Second }}
header h_t {{ bit<8> a; bit<16> b; Kind k; bit<32> w; }}
header g_t {{ bit<4> x; bit<12> y; }}
struct headers_t {{ h_t h; g_t g; g_t g2; }}
struct metadata_t {{ bit<16> m; bit<16> n; bool f; error e; Colour c; }}
{top}
parser P(packet_in pkt, out headers_t hdr, inout metadata_t meta,
         in baton_main_parser_input_metadata_t istd) {{
    {parser}
    state start {{
        pkt.extract(hdr.h);
        {start}
        {states}
}}
control C(in headers_t hdr, inout metadata_t meta, in baton_main_input_metadata_t istd,
          inout baton_main_output_metadata_t ostd) {{
    {control}
    apply {{ {apply} }}
}}
BATON_NIC(P(), C()) main;
"
        )
    }

    fn run(&self, packet: &[u8]) -> Outcome {
        self.run_filled(packet, &Entries::default())
    }

    fn run_filled(&self, packet: &[u8], entries: &Entries) -> Outcome {
        let text = self.text();
        let parsed = checked(&text);
        Interpreter::new(&parsed, entries).unwrap_or_else(|error| panic!("{error}\n{text}")).run(packet)
    }
}

/// `a`, `b`, `k`, `w` of `h_t`, then 4 more bytes.
const PACKET: [u8; 12] = [0x05, 0xBE, 0xEF, 0x02, 0x80, 0x00, 0x00, 0x01, 0x12, 0x34, 0x56, 0x78];

/// The value of a `bit<16>` expression in the control, for [`PACKET`].
fn value(expression: &str) -> u16 {
    let apply = format!("ostd.connection = {expression};");
    Nic { apply: &apply, ..Nic::default() }.run(&PACKET).connection
}

/// The value of a `bool` expression.
fn holds(expression: &str) -> bool {
    let apply = format!("ostd.hit = {expression};");
    Nic { apply: &apply, ..Nic::default() }.run(&PACKET).hit
}

//! Programs that are too much: each ends soon, with an error that says of what there is too much. These run with
//! a test thread's small stack, so that recursion without a bound would show.

mod support;

use baton_p4::diag::Code;
use support::check_text;

const BLOCKS: &str = "
    parser P(packet_in p, out h_t h, inout m_t m, in baton_main_parser_input_metadata_t s) {
        state start { transition accept; }
    }
    control K(in h_t h, inout m_t m, in baton_main_input_metadata_t s, inout baton_main_output_metadata_t o) {
        LOCALS
        apply { APPLY }
    }
    BATON_NIC(P(), K()) main;";

fn codes(before: &str, locals: &str, apply: &str) -> Vec<Code> {
    let blocks = BLOCKS.replace("LOCALS", locals).replace("APPLY", apply);
    let head = "#include <baton.p4>\nstruct h_t { } struct m_t { bit<8> b; }\n";
    let checked = check_text(&format!("{head}{before}{blocks}"));
    checked.parsed.diagnostics.iter().map(|d| d.code).collect()
}

#[test]
fn what_is_within_the_limits_passes() {
    assert_eq!(codes("", "", ""), []);
    let chain = vec!["m.b"; 100].join(" + ");
    assert_eq!(codes("", "", &format!("o.queue = {chain};")), []);
    let ladder: String = (0..100).map(|n| format!("if (m.b == {n}) o.queue = {n}; else ")).collect();
    assert_eq!(codes("", "", &(ladder + ";")), []);
}

#[test]
fn depth() {
    for text in [
        format!("o.queue = {}m.b{};", "(".repeat(500), ")".repeat(500)),
        format!("o.queue = {}m.b;", "~".repeat(5000)),
        format!("o.queue = {}m.b;", "(bit<8>)".repeat(5000)),
        format!("o.queue = {}m.b;", "m.b + (".repeat(5000)),
        format!("o.queue = {}1;", "m.flag ? 1 : ".repeat(5000)),
        format!("o.queue = {};", vec!["m.b"; 5000].join(" + ")),
        format!("o.queue = m{};", ".b".repeat(5000)),
        format!("o.queue = m.b{};", "[7:0]".repeat(5000)),
        format!("o.queue = m{};", "()".repeat(5000)),
        "{".repeat(5000),
        "if (true) ".repeat(5000) + ";",
        "if (true) ; else ".repeat(5000) + ";",
    ] {
        let found = codes("", "", &text);
        assert!(found.contains(&Code::TooDeep), "{found:?} for {}", &text[..60]);
    }
    let structs: String = (1..3000).map(|n| format!("struct s{n} {{ s{} x; }}\n", n - 1)).collect();
    assert!(codes(&("struct s0 { }".to_string() + &structs), "s2999 x;", "").contains(&Code::TooDeep));
    let distinct: String = (1..3000).map(|n| format!("type t{} t{n};\n", n - 1)).collect();
    assert!(codes(&("type bit<8> t0;".to_string() + &distinct), "t2999 x;", "").contains(&Code::TooDeep));
    let types = format!("const {}bit<8>{} X = 1;", "a<".repeat(5000), ">".repeat(5000));
    assert!(codes(&types, "", "").contains(&Code::TooDeep));
}

#[test]
fn size() {
    let doubling = |first: &str, next: &dyn Fn(usize) -> String| {
        first.to_string() + &(1..60).map(|n| next(n) + "\n").collect::<String>()
    };
    let actions =
        doubling("action a0() { }\n", &|n| format!("action a{n}() {{ a{}(); a{}(); }}", n - 1, n - 1));
    assert!(codes("", &actions, "a59();").contains(&Code::TooLarge));
    let structs =
        doubling("struct s0 { bit<8> x; }\n", &|n| format!("struct s{n} {{ s{} x; s{} y; }}", n - 1, n - 1));
    assert!(codes(&structs, "s59 x;", "").contains(&Code::TooLarge));
    let list = |count: usize| (0..count).map(|n| format!("x{n}")).collect::<Vec<_>>();
    assert!(codes(&format!("enum e {{ {} }}", list(20_000).join(", ")), "", "").contains(&Code::TooLarge));
    assert!(codes(&format!("error {{ {} }}", list(300).join(", ")), "", "").contains(&Code::TooLarge));
    let states: String =
        list(20_000).iter().map(|n| format!("state {n} {{ transition accept; }}\n")).collect();
    assert!(codes(&format!("parser Q() {{ {states} }}"), "", "").contains(&Code::TooLarge));
    let cases: String = (0..20_000).map(|n| format!("{n}: accept;")).collect();
    let parser = format!("parser Q(in bit<32> x) {{ state start {{ transition select(x) {{ {cases} }} }} }}");
    assert!(codes(&parser, "", "").contains(&Code::TooLarge));
    let locals: String = list(40_000).iter().map(|n| format!("bit<8> {n} = 0;")).collect();
    assert!(codes("", &locals, "").contains(&Code::TooLarge));
    assert!(codes(&"1 ".repeat(1 << 21), "", "").contains(&Code::TooLarge));
}

#[test]
fn concatenations_end_at_the_widest_integer() {
    let widen: String =
        (1..12).map(|n| format!("const bit<({})> c{n} = c{} ++ c{};\n", 8 << n, n - 1, n - 1)).collect();
    assert!(codes(&("const bit<8> c0 = 1;".to_string() + &widen), "", "").contains(&Code::BadWidth));
}

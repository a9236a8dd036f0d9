//! Expressions and statements, rule by rule; the numbers in comments are sections of the specification.

use super::{holds, value, Nic, PACKET};

#[track_caller]
fn values(cases: &[(&str, u16)]) {
    for (expression, expected) in cases {
        assert_eq!(value(expression), *expected, "{expression}");
    }
}

#[track_caller]
fn all_hold(cases: &[&str]) {
    for expression in cases {
        assert!(holds(expression), "{expression}");
        assert!(!holds(&format!("!({expression})")), "!({expression})");
    }
}

#[test]
fn arithmetic_is_modulo_the_width() {
    // 8.6
    values(&[
        ("hdr.h.b + 0x5000", 0x0EEF),
        ("16w3 - hdr.h.b", 0x4114),
        ("-hdr.h.b", 0x4111),
        ("~hdr.h.b", 0x4110),
        ("+hdr.h.b", 0xBEEF),
        ("(bit<16>)(hdr.h.a - 6)", 0xFF),
        ("(bit<16>)(-hdr.h.a)", 0xFB),
        ("hdr.h.b |+| 0x5000", 0xFFFF),
        ("hdr.h.b |+| 0x1000", 0xCEEF),
        ("16w3 |-| hdr.h.b", 0),
        ("hdr.h.b |-| 0xBE00", 0xEF),
        ("hdr.h.b & 0xF0F0 | 0x0F00 ^ 0x0001", 0xBFE1),
    ]);
    // A single bit, and the widest that there are.
    values(&[
        ("(bit<16>)((bit<1>)hdr.h.a[0:0] + 1w1)", 0),
        ("((bit<2048>)hdr.h.b << 2032)[2047:2032]", 0xBEEF),
        ("(~(bit<2048>)0)[2047:2032]", 0xFFFF),
        ("(bit<16>)((bit<2048>)hdr.h.b - 0xBEF0 >> 2047)", 1),
    ]);
}

#[test]
fn constants_have_any_size() {
    // 8.8: `int` does not wrap.
    values(&[
        ("(1 << 100 >> 90) + 1", 1025),
        ("(1 << 64) / 3 % 1000", 205),
        ("(3 - 5) * -7", 14),
        ("(bit<16>)(-1)", 0xFFFF),
        ("(-1 & 0xFF) + (-8 >> 1) + 4", 255),
        ("16w7 * 16w9363", 65541u32 as u16),
        ("16w7 / 16w2", 3),
        ("16w7 % 16w4", 3),
        ("(bit<16>)(int)8w255 + 1", 256),
        ("0x1F + 0b11 + 0o17 + 1_000", 0x1F + 3 + 15 + 1000),
    ]);
    all_hold(&["-1 < 0", "(1 << 100) > (1 << 99)", "3 == 3", "-(2 - 3) == 1"]);
}

#[test]
fn shifts() {
    // 8.6: any amount shifts; what is shifted in is zero.
    values(&[
        ("hdr.h.b << 4", 0xEEF0),
        ("hdr.h.b >> 4", 0x0BEE),
        ("hdr.h.b << 16", 0),
        ("hdr.h.b >> 16", 0),
        ("hdr.h.b >> (1 << 40)", 0),
        ("hdr.h.b << hdr.h.a", 0xDDE0),
        ("hdr.h.b << hdr.h.w", 0),
        ("hdr.h.b >> (bit<1>)1", 0x5F77),
        ("(bit<16>)(hdr.h.a << 7)", 0x80),
        ("hdr.h.b << hdr.h.k", 0xFBBC),
    ]);
}

#[test]
fn slices_and_concatenation() {
    // 8.6
    values(&[
        ("(bit<16>)hdr.h.b[11:8]", 0xE),
        ("(bit<16>)hdr.h.b[15:15]", 1),
        ("hdr.h.b[7:0] ++ hdr.h.b[15:8]", 0xEFBE),
        ("hdr.h.b[15:4][7:0] ++ 8w1", 0xEE01),
        ("8w1 ++ 8w2", 0x0102),
        ("hdr.h.a ++ hdr.h.k", 0x0502),
        ("1w0 ++ 3w5 ++ 12w1", 0x5001),
        ("hdr.h.w[31:16]", 0x8000),
    ]);
}

#[test]
fn precedence() {
    values(&[
        ("16w1 + 2 << 3", 24),
        ("16w1 | 6 & 2", 3),
        ("16w12 & 10 ^ 1", 9),
        ("16w10 - 3 - 2", 5),
        ("(bit<16>)hdr.h.a + 1 << 1", 12),
    ]);
    all_hold(&["true || false && false", "1 + 1 == 2 && 8w3 > 2", "8w6 & 3 == 8w2 || true"]);
}

#[test]
fn comparisons_are_unsigned() {
    all_hold(&[
        "hdr.h.w > 1",
        "hdr.h.w >= 0x80000001",
        "hdr.h.w <= 0x80000001",
        "hdr.h.a < 6",
        "hdr.h.a != 6",
        "hdr.h.b == 0xBEEF",
        "0xBEEF == hdr.h.b",
        "1w1 > 1w0",
    ]);
}

#[test]
fn logic_does_not_evaluate_what_does_not_matter() {
    // 8.5: the packet ends before what `lookahead` wants.
    for (condition, error) in [
        ("false && pkt.lookahead<bit<64>>() == 0", "NoError"),
        ("true || pkt.lookahead<bit<64>>() == 0", "NoError"),
        ("true && pkt.lookahead<bit<64>>() == 0", "PacketTooShort"),
        ("hdr.h.a == 5 ? true : pkt.lookahead<bit<64>>() == 0", "NoError"),
        ("hdr.h.a != 5 ? true : pkt.lookahead<bit<64>>() == 0", "PacketTooShort"),
    ] {
        let start = format!("meta.f = {condition};");
        let outcome = Nic { start: &start, ..Nic::default() }.run(&PACKET);
        assert_eq!(outcome.parser_error, error, "{condition}");
    }
}

#[test]
fn conditional_expressions() {
    values(&[
        ("hdr.h.a == 5 ? 16w1 : 2", 1),
        ("hdr.h.a == 6 ? 16w1 : 2", 2),
        ("true ? 1 : 2", 1),
        // Both branches have the type of the sized one, whichever is taken.
        ("8w9 ++ (hdr.h.a == 6 ? 8w1 : 2)", 0x0902),
        ("8w9 ++ (hdr.h.a == 5 ? 3 : hdr.h.a)", 0x0903),
        ("8w9 ++ (hdr.h.a == 5 ? hdr.h.k : hdr.h.a)", 0x0902),
        ("hdr.h.a == 1 ? 16w1 : hdr.h.a == 5 ? 16w5 : 16w0", 5),
    ]);
}

#[test]
fn casts() {
    // 8.11
    values(&[
        ("(bit<16>)hdr.h.w", 1),
        ("(bit<16>)hdr.h.a", 5),
        ("(bit<16>)(bit<1>)true", 1),
        ("(bit<16>)(bit<1>)istd.recirculated", 0),
        ("(bit<16>)(bit<8>)hdr.h.k", 2),
        ("(bit<16>)(Kind)hdr.h.a", 5),
        ("(bit<16>)(bit<8>)(Kind)255", 255),
        ("(bit<16>)0x12345", 0x2345),
    ]);
    all_hold(&["(bool)1w1", "!(bool)0", "(bool)hdr.h.a[0:0]", "(Kind)hdr.h.a != Kind.A"]);
}

#[test]
fn enums_errors_and_bools_compare() {
    all_hold(&[
        "hdr.h.k == Kind.B",
        "hdr.h.k != Kind.A",
        "hdr.h.k == hdr.h.a - 3",
        "hdr.h.k < hdr.h.a",
        "meta.c == Colour.Red",
        "meta.c != Colour.Blue",
        "istd.parser_error == error.NoError",
        "error.First != error.Second",
        "true == !false",
        "meta.e == error.NoError && !meta.f",
    ]);
    // 8.3: a serializable enum holds any value of its type; only a plain one is confined to its members.
    let apply =
        "ostd.hit = hdr.h.k == Kind.A || hdr.h.k == Kind.B || hdr.h.k == Kind.Z; ostd.queue = hdr.h.k;";
    let mut packet = PACKET;
    packet[3] = 77;
    let outcome = Nic { apply, ..Nic::default() }.run(&packet);
    assert_eq!((outcome.hit, outcome.queue), (false, 77));
}

#[test]
fn distinct_types_and_typedefs_are_what_they_are_made_of() {
    let nic = Nic {
        top: "typedef bit<16> port_t; type port_t service_t; const service_t S = (service_t)7;
              const bit<(4 + 4)> EIGHT = 8; typedef bit<(EIGHT)> byte_t;",
        apply: "service_t s = (service_t)hdr.h.b; ostd.hit = s != S;
                byte_t x = EIGHT; ostd.connection = (port_t)s + (port_t)S + (bit<16>)x;",
        ..Nic::default()
    };
    let outcome = nic.run(&PACKET);
    assert_eq!((outcome.hit, outcome.connection), (true, 0xBEEF + 15));
}

#[test]
fn assignments_to_slices_leave_the_other_bits() {
    let apply = "ostd.connection = 0xFFFF; ostd.connection[11:4] = hdr.h.a; ostd.connection[0:0] = 0;";
    assert_eq!(Nic { apply, ..Nic::default() }.run(&PACKET).connection, 0xF05E);
    let apply = "ostd.connection = 0xFFFF; ostd.connection[15:0] = 1; ostd.connection[15:15] = 1;";
    assert_eq!(Nic { apply, ..Nic::default() }.run(&PACKET).connection, 0x8001);
}

#[test]
fn variables_are_new_and_zero_where_they_are_declared() {
    let nic = Nic {
        control: "bit<16> total = 100;",
        apply: "{ bit<16> x; total = total + x; x = 50; }
                { bit<16> x; total = total + x; x = 1; total = total + x; }
                ostd.connection = total;",
        ..Nic::default()
    };
    assert_eq!(nic.run(&PACKET).connection, 101);
    // Nor does anything stay from one packet to the next.
    let text = nic.text();
    let parsed = super::checked(&text);
    let interpreter = baton_p4::interpreter::Interpreter::new(&parsed, &Default::default()).unwrap();
    assert_eq!(interpreter.run(&PACKET), interpreter.run(&PACKET));
}

#[test]
fn a_name_is_the_innermost_that_is_declared_before() {
    // 6.9
    let nic = Nic {
        top: "const bit<16> X = 1; action outside(inout bit<16> r) { r = r + X; }",
        control: "action before(inout bit<16> r) { r = r + X; }
                  const bit<16> X = 10;
                  action behind(inout bit<16> r) { r = r + X; }",
        apply: "bit<16> r = 0; outside(r); before(r); behind(r); r = r + .X;
                { const bit<16> X = 100; r = r + X; behind(r); }
                bit<16> X = 1000; r = r + X; before(r);
                ostd.connection = r;",
        ..Nic::default()
    };
    assert_eq!(nic.run(&PACKET).connection, 1 + 1 + 10 + 1 + 100 + 10 + 1000 + 1);
}

#[test]
fn arguments_are_copied_in_and_out() {
    // 6.8: the action sees a copy, which goes back when it ends, the first argument first.
    let nic = Nic {
        control: "bit<16> shared = 1;
                  action twice(inout bit<16> x) { x = x + x; shared = shared + 100; }
                  action both(out bit<16> x, out bit<16> y, in bit<16> z) { y = z + 1; x = z; }
                  action fresh(out bit<16> x) { x = x + 3; }",
        apply: "twice(shared); bit<16> a = shared;
                bit<16> b; both(b, b, 6); bit<16> c; both(y = c, z = 40, x = _);
                bit<16> d = 500; fresh(d);
                ostd.connection = a + b + c + d;",
        ..Nic::default()
    };
    assert_eq!(nic.run(&PACKET).connection, 2 + 7 + 41 + 3);
}

#[test]
fn control_flow() {
    let nic = |apply: &str| Nic { apply, ..Nic::default() }.run(&PACKET).connection;
    assert_eq!(nic("if (hdr.h.a == 5) ostd.connection = 1; else ostd.connection = 2;"), 1);
    assert_eq!(nic("if (hdr.h.a == 6) ostd.connection = 1; else ostd.connection = 2;"), 2);
    assert_eq!(nic("if (hdr.h.a == 6) ostd.connection = 1;"), 0);
    assert_eq!(nic("if (hdr.h.a == 5) if (hdr.h.b == 0) ostd.connection = 1; else ostd.connection = 2;"), 2);
    assert_eq!(nic("; { } ostd.connection = 3; { ostd.connection = 4; }"), 4);
}

#[test]
fn structs_are_copied_whole() {
    let nic = Nic {
        top: "struct pair_t { bit<8> l; bit<8> r; }",
        apply: "pair_t p; p.l = 1; p.r = 2; pair_t q = p; p.l = 9; pair_t s; s = q; q.r = 7;
                ostd.connection = s.l ++ s.r;",
        ..Nic::default()
    };
    assert_eq!(nic.run(&PACKET).connection, 0x0102);
}

#[test]
fn sizes_and_static_assertions() {
    values(&[
        ("hdr.h.minSizeInBits()", 64),
        ("hdr.h.maxSizeInBytes()", 8),
        ("static_assert(1 + 1 == 2, \"sums\") ? 16w4 : 5", 4),
    ]);
}

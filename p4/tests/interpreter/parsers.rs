//! Parser states.

use super::{unchecked, Nic, PACKET};
use baton_p4::interpreter::{Input, Interpreter, Outcome};

fn error(outcome: &Outcome) -> &str {
    &outcome.parser_error
}

#[test]
fn extract_sets_fields_validity_and_offset() {
    let nic = Nic {
        start: "pkt.extract(hdr.g);",
        apply: "ostd.connection = hdr.g.x ++ hdr.g.y; ostd.hit = hdr.g.isValid() && !hdr.g2.isValid();
                ostd.network_offset = header_offset(hdr.h); ostd.transport_offset = header_offset(hdr.g);
                ostd.payload_offset = header_offset(hdr.g2); ostd.queue = hdr.h.a;",
        ..Nic::default()
    };
    let outcome = nic.run(&PACKET);
    assert_eq!((outcome.connection, outcome.hit, outcome.queue), (0x1234, true, 5));
    assert_eq!((outcome.network_offset, outcome.transport_offset, outcome.payload_offset), (0, 8, 0));
    let names: Vec<(&str, usize)> = outcome.headers.iter().map(|h| (h.name.as_str(), h.offset)).collect();
    assert_eq!(names, [("h", 0), ("g", 8)]);
}

#[test]
fn extract_beyond_the_end_reads_nothing() {
    let nic = Nic {
        start: "pkt.extract(hdr.g); meta.m = 1; pkt.extract(hdr.g2); meta.m = 2;",
        apply: "ostd.connection = meta.m; ostd.hit = hdr.g2.isValid(); ostd.queue = (bit<8>)hdr.g2.y;
                ostd.drop = istd.parser_error == error.PacketTooShort;",
        ..Nic::default()
    };
    for length in 0..=PACKET.len() {
        let outcome = nic.run(&PACKET[..length]);
        let expected = match length {
            0..8 => (0, false, true, 0, 0),
            8..10 => (0, false, true, 0, 1),
            10..12 => (1, false, true, 0, 2),
            _ => (2, true, false, 0x78, 3),
        };
        let headers = outcome.headers.len();
        assert_eq!(
            (outcome.connection, outcome.hit, outcome.drop, outcome.queue, headers),
            expected,
            "{length}"
        );
        assert_eq!(error(&outcome) == "NoError", length == 12);
    }
}

#[test]
fn a_header_that_is_extracted_twice_is_where_it_was_last() {
    let nic = Nic {
        start: "pkt.extract(hdr.g); pkt.extract(hdr.g);",
        apply: "ostd.connection = hdr.g.x ++ hdr.g.y; ostd.network_offset = header_offset(hdr.g);",
        ..Nic::default()
    };
    let outcome = nic.run(&PACKET);
    assert_eq!((outcome.connection, outcome.network_offset), (0x5678, 10));
    // The second time fails: what the first read stays.
    let outcome = nic.run(&PACKET[..11]);
    assert_eq!((outcome.connection, outcome.network_offset, error(&outcome)), (0x1234, 8, "PacketTooShort"));
}

#[test]
fn lookahead_does_not_move() {
    let nic = Nic {
        start: "meta.m = pkt.lookahead<bit<16>>(); meta.n = (bit<16>)pkt.lookahead<g_t>().y;
                meta.f = pkt.lookahead<bit<3>>() == 0 && pkt.lookahead<bool>() == false
                         && pkt.lookahead<Kind>() == (Kind)0x12; pkt.extract(hdr.g);",
        apply: "ostd.connection = meta.m; ostd.network_offset = meta.n; ostd.hit = meta.f;
                ostd.transport_offset = header_offset(hdr.g);",
        ..Nic::default()
    };
    let outcome = nic.run(&PACKET);
    assert_eq!((outcome.connection, outcome.network_offset), (0x1234, 0x234));
    assert_eq!((outcome.hit, outcome.transport_offset), (true, 8));
    // All of the header must be there, though only a part of it is looked at.
    let nic = Nic { start: "meta.m = (bit<16>)pkt.lookahead<g_t>().x;", ..nic };
    assert_eq!(error(&nic.run(&PACKET[..10])), "NoError");
    assert_eq!(error(&nic.run(&PACKET[..9])), "PacketTooShort");
    let nic = Nic { start: "meta.m = (bit<16>)pkt.lookahead<bit<1>>();", ..nic };
    assert_eq!(error(&nic.run(&PACKET[..9])), "NoError");
    assert_eq!(error(&nic.run(&PACKET[..8])), "PacketTooShort");
}

#[test]
fn advance_skips() {
    let nic = Nic {
        start: "pkt.advance(((bit<32>)hdr.h.a - 3) << 3); pkt.extract(hdr.g);",
        apply: "ostd.connection = hdr.g.x ++ hdr.g.y; ostd.network_offset = header_offset(hdr.g);",
        ..Nic::default()
    };
    let outcome = nic.run(&PACKET);
    assert_eq!((outcome.connection, outcome.network_offset), (0x5678, 10));
    // To the very end is no error, beyond it is one, and so is the farthest that a program can ask for.
    for (bits, expected) in
        [("0", "NoError"), ("32", "NoError"), ("40", "PacketTooShort"), ("0xFFFFFFF8", "PacketTooShort")]
    {
        let start = format!("pkt.advance({bits});");
        let outcome = Nic { start: &start, ..Nic::default() }.run(&PACKET);
        assert_eq!(error(&outcome), expected, "{bits}");
    }
}

#[test]
fn verify_rejects_with_its_error() {
    let nic = Nic {
        start: "meta.m = 1; verify(hdr.h.a == 5, error.First); meta.m = 2; verify(hdr.h.b == 0, error.Second); meta.m = 3;",
        apply: "ostd.connection = meta.m; ostd.hit = istd.parser_error == error.Second;",
        ..Nic::default()
    };
    let outcome = nic.run(&PACKET);
    assert_eq!((outcome.connection, outcome.hit, error(&outcome)), (2, true, "Second"));
    let mut packet = PACKET;
    packet[0] = 6;
    let outcome = nic.run(&packet);
    assert_eq!((outcome.connection, outcome.hit, error(&outcome)), (1, false, "First"));
    // Seven errors of core.p4 come first.
    assert_eq!(outcome.parser_error_code, 7);
}

/// The state that a `select` goes to, by its name.
fn chosen(select: &str, packet: &[u8]) -> (u16, String) {
    let states = format!(
        "transition select{select} }}
         state one {{ meta.m = 1; transition accept; }}
         state two {{ meta.m = 2; transition accept; }}
         state three {{ meta.m = 3; transition accept; }}"
    );
    let nic = Nic { states: &states, apply: "ostd.connection = meta.m;", ..Nic::default() };
    let outcome = nic.run(packet);
    (outcome.connection, outcome.parser_error)
}

#[test]
fn select_takes_the_first_case_that_matches() {
    for (select, expected) in [
        ("(hdr.h.a) { 4: one; 5: two; 6: three; default: accept; }", 2),
        ("(hdr.h.a) { 5 &&& 0x0F: one; 5: two; _: three; }", 1),
        ("(hdr.h.a) { 0x15 &&& 0x0F: one; default: three; }", 1),
        ("(hdr.h.a) { 0 &&& 0: one; 1: two; 2: three; }", 1),
        ("(hdr.h.a) { 6 .. 9: one; 5 .. 5: two; default: three; }", 2),
        ("(hdr.h.a) { 0 .. 4: one; 6 .. 255: two; default: three; }", 3),
        ("(hdr.h.a, hdr.h.b) { (5, 0): one; (_, 0xBEEF): two; default: three; }", 2),
        ("(hdr.h.a, hdr.h.b) { (5, 0xB000 .. 0xBFFF): one; (5, default): two; _: three; }", 1),
        ("(hdr.h.a, hdr.h.b, hdr.h.k) { (5, 0xEF &&& 0xFF, Kind.B): one; default: two; }", 1),
        ("(hdr.h.k) { Kind.A: one; Kind.B: two; default: three; }", 2),
        ("(hdr.h.k) { 2: one; default: three; }", 1),
        ("(hdr.h.a) { Kind.B: one; default: three; }", 3),
        ("(hdr.h.w) { 0x80000000 .. 0xFFFFFFFF: one; default: two; }", 1),
        ("(hdr.h.a > 4, hdr.h.b[3:0]) { (false, _): one; (true, 0xF): two; default: three; }", 2),
        ("(hdr.h.a + 250) { 255: one; default: two; }", 1),
        ("(pkt.lookahead<bit<8>>()) { 0x12: one; default: two; }", 1),
        ("(meta.e) { error.First: one; error.NoError: two; default: three; }", 2),
    ] {
        assert_eq!(chosen(select, &PACKET), (expected, "NoError".into()), "{select}");
    }
}

#[test]
fn a_select_without_a_match_is_an_error() {
    assert_eq!(chosen("(hdr.h.a) { 4: one; 6: two; 7: three; }", &PACKET), (0, "NoMatch".into()));
    assert_eq!(chosen("(hdr.h.a) { 4: one; 5: two; 6: three; }", &PACKET), (2, "NoError".into()));
}

#[test]
fn reject_by_the_program_is_no_error() {
    let apply = "ostd.hit = istd.parser_error == error.NoError; ostd.connection = hdr.h.b;";
    for states in
        ["transition reject; }", "}", "transition select(hdr.h.a) { 5: reject; default: accept; } }"]
    {
        let outcome = Nic { states, apply, ..Nic::default() }.run(&PACKET);
        assert_eq!((outcome.hit, outcome.connection, error(&outcome)), (true, 0xBEEF, "NoError"), "{states}");
    }
}

#[test]
fn a_loop_ends_with_the_packet_or_before() {
    let nic = Nic {
        parser: "bit<16> count = 10;",
        states: "transition more; }
                 state more { pkt.extract(hdr.g); count = count + 1; meta.m = count;
                              transition select(hdr.g.x) { 0xF: accept; default: more; } }",
        apply: "ostd.connection = meta.m; ostd.network_offset = header_offset(hdr.g);",
        ..Nic::default()
    };
    let mut packet = PACKET.to_vec();
    packet.extend([0u8; 100]);
    let outcome = nic.run(&packet);
    assert_eq!((outcome.connection, outcome.network_offset, error(&outcome)), (62, 110, "PacketTooShort"));
    packet[30] = 0xF0;
    let outcome = nic.run(&packet);
    assert_eq!((outcome.connection, outcome.network_offset, error(&outcome)), (22, 30, "NoError"));
}

#[test]
fn a_loop_that_reads_nothing_times_out() {
    // The checker refuses it; the interpreter ends all the same.
    let nic = Nic { states: "transition again; } state again { transition again; }", ..Nic::default() };
    let text = nic.text();
    let parsed = unchecked(&text);
    let interpreter = Interpreter::new(&parsed, &Default::default()).unwrap();
    assert_eq!(error(&interpreter.run(&PACKET)), "ParserTimeout");
}

#[test]
fn variables_of_a_state_are_its_own_and_those_of_the_parser_are_not() {
    let nic = Nic {
        parser: "const bit<16> STEP = 3; bit<16> sum = 7;",
        states: "bit<16> mine = 5; sum = sum + mine + STEP; mine = 9; transition more; }
                 state more { bit<16> mine; sum = sum + mine; meta.m = sum;
                              transition select(sum + mine) { 15: accept; default: reject; } }",
        apply: "ostd.connection = meta.m;",
        ..Nic::default()
    };
    let outcome = nic.run(&PACKET);
    assert_eq!((outcome.connection, error(&outcome)), (15, "NoError"));
}

#[test]
fn headers_that_are_not_valid_read_as_zero() {
    let apply =
        "ostd.hit = hdr.h.a == 0 && hdr.h.b == 0 && hdr.h.k == (Kind)0 && hdr.h.w == 0 && !hdr.h.isValid();
                 ostd.drop = istd.packet_length == 7;";
    let outcome = Nic { apply, ..Nic::default() }.run(&PACKET[..7]);
    assert!(outcome.hit && outcome.drop);
    assert!(outcome.headers.is_empty());
}

#[test]
fn both_blocks_are_told_of_packets_that_come_again() {
    let nic = Nic {
        start: "meta.f = istd.recirculated;",
        apply: "ostd.hit = meta.f; ostd.drop = istd.recirculated;",
        ..Nic::default()
    };
    let text = nic.text();
    let parsed = super::checked(&text);
    let interpreter = Interpreter::new(&parsed, &Default::default()).unwrap();
    for recirculated in [false, true] {
        let outcome = interpreter.run_with(&PACKET, Input { recirculated });
        assert_eq!((outcome.hit, outcome.drop), (recirculated, recirculated));
    }
}

//! Tables, their actions, and `switch`.

use super::{checked, entries, unchecked, Nic, PACKET};
use baton_p4::interpreter::{Entries, Interpreter};

const ACTIONS: &str = "
    action set(bit<16> value) { ostd.connection = value; ostd.hit = true; }
    action more(bit<16> value, Kind kind, bool flag, error why) {
        ostd.connection = value; ostd.queue = kind; ostd.hit = flag; ostd.drop = why == error.Second;
    }";

fn with(control: &str) -> String {
    format!("{ACTIONS}{control}")
}

#[test]
fn an_exact_table_finds_its_entry_or_misses() {
    let control = with(
        "table t { key = { hdr.h.a: exact; hdr.h.b + 1: exact @name(\"next\"); }
                                  actions = { set; more; NoAction; } default_action = set(9); size = 4; }",
    );
    let nic = Nic { control: &control, apply: "t.apply();", ..Nic::default() };
    let json = r#"{ "entries": [
        { "table": "t", "key": { "hdr.h.a": 5, "next": "0xBEF0" }, "action": "more",
          "params": { "kind": "Z", "value": 4, "flag": true, "why": "Second" } },
        { "table": "t", "key": { "next": 0, "hdr.h.a": 5 }, "action": "NoAction" } ] }"#;
    let outcome = nic.run_filled(&PACKET, &entries(json));
    assert_eq!((outcome.connection, outcome.queue, outcome.hit, outcome.drop), (4, 255, true, true));
    assert_eq!(outcome.lookups.len(), 1);
    assert_eq!(
        (&*outcome.lookups[0].table, outcome.lookups[0].hit, &*outcome.lookups[0].action),
        ("t", true, "more")
    );
    // The key is computed modulo its width.
    let mut packet = PACKET;
    packet[1..3].fill(0xFF);
    let outcome = nic.run_filled(&packet, &entries(json));
    assert_eq!(
        (outcome.connection, outcome.lookups[0].hit, &*outcome.lookups[0].action),
        (0, true, "NoAction")
    );
    packet[0] = 4;
    let outcome = nic.run_filled(&packet, &entries(json));
    assert_eq!((outcome.connection, outcome.lookups[0].hit, &*outcome.lookups[0].action), (9, false, "set"));
    // Nobody has filled it.
    assert_eq!(nic.run(&PACKET).connection, 9);
}

#[test]
fn keys_are_read_when_the_table_is_applied() {
    let control =
        with("bit<16> x = 1; table t { key = { x: exact; } actions = { set; NoAction; } size = 4; }");
    let nic = Nic { control: &control, apply: "x = x + 1; t.apply(); x = 3;", ..Nic::default() };
    let json = r#"{ "entries": [
        { "table": "t", "key": { "x": 1 }, "action": "set", "params": { "value": 10 } },
        { "table": "t", "key": { "x": 2 }, "action": "set", "params": { "value": 20 } },
        { "table": "t", "key": { "x": 3 }, "action": "set", "params": { "value": 30 } } ] }"#;
    assert_eq!(nic.run_filled(&PACKET, &entries(json)).connection, 20);
}

#[test]
fn const_entries_match_in_their_order() {
    let control = with("table t { key = { hdr.h.a: ternary; hdr.h.b: ternary; hdr.h.k: exact; }
        actions = { set; } default_action = set(0);
        const entries = { (0x01 &&& 0x03, _, Kind.A): set(1); (5, 0x00EF &&& 0x00FF, 2): set(2);
                          (_, 0xBEEF, Kind.B): set(3); (_, _, Kind.Z): set(4); (default, 7, Kind.B): set(5); } }");
    let nic = Nic { control: &control, apply: "t.apply();", ..Nic::default() };
    for (a, b, k, expected) in [
        (5, 0xBEEF, 2, 2),
        (5, 0xBEEF, 1, 1),
        (4, 0xBEEF, 2, 3),
        (4, 0xBEEF, 255, 4),
        (4, 7, 2, 5),
        (4, 8, 2, 0),
        (5, 0x01EF, 2, 2),
    ] {
        let packet = [a, (b >> 8) as u8, b as u8, k, 0, 0, 0, 0];
        let outcome = nic.run(&packet);
        assert_eq!(outcome.connection, expected, "{a} {b:#x} {k}");
        assert_eq!(outcome.lookups[0].hit, expected != 0);
    }
}

#[test]
fn const_entries_of_one_key_and_of_exact_tables() {
    let control = with(
        "const bit<16> V = 40; table t { key = { hdr.h.a: exact; } actions = { set; NoAction; }
        const entries = { 4: set(V); 5: set(value = V + 2); } }",
    );
    assert_eq!(Nic { control: &control, apply: "t.apply();", ..Nic::default() }.run(&PACKET).connection, 42);
}

#[test]
fn hit_and_miss() {
    for (a, expected) in [(5, 1), (6, 2)] {
        for test in ["t.apply().hit", "!t.apply().miss"] {
            let control = with(
                "table t { key = { hdr.h.a: exact; } actions = { NoAction; }
                                          const entries = { 5: NoAction(); } }",
            );
            let apply = format!("if ({test}) ostd.connection = 1; else ostd.connection = 2;");
            let mut packet = PACKET;
            packet[0] = a;
            let outcome = Nic { control: &control, apply: &apply, ..Nic::default() }.run(&packet);
            assert_eq!(outcome.connection, expected);
        }
    }
}

#[test]
fn switch_runs_the_case_of_the_action() {
    let control = "action one() {} action two() {} action three() {} action four() {} action five() {}
        table t { key = { hdr.h.a: exact; } actions = { one; two; three; four; five; } default_action = five();
                  const entries = { 1: one(); 2: two(); 3: three(); 4: four(); } }";
    let apply = "switch (t.apply().action_run) {
                     one: { ostd.connection = 1; }
                     two: three: { ostd.connection = 23; }
                     default: { ostd.connection = 9; } }";
    let without_default = "switch (t.apply().action_run) { one: { ostd.connection = 1; } two: }";
    for (a, expected, other) in [(1, 1, 1), (2, 23, 0), (3, 23, 0), (4, 9, 0), (77, 9, 0)] {
        let mut packet = PACKET;
        packet[0] = a;
        assert_eq!(Nic { control, apply, ..Nic::default() }.run(&packet).connection, expected);
        let outcome = Nic { control, apply: without_default, ..Nic::default() }.run(&packet);
        assert_eq!(outcome.connection, other);
    }
}

#[test]
fn a_table_without_a_default_runs_no_action() {
    // 14.2.1.3
    for (actions, expected) in [("set; NoAction;", 1), ("set;", 2)] {
        let control =
            with(&format!("table t {{ key = {{ hdr.h.a: exact; }} actions = {{ {actions} }} size = 4; }}"));
        let label = if expected == 1 { "NoAction: { ostd.connection = 1; }" } else { "" };
        let apply =
            format!("switch (t.apply().action_run) {{ {label} default: {{ ostd.connection = 2; }} }}");
        let outcome = Nic { control: &control, apply: &apply, ..Nic::default() }.run(&PACKET);
        assert_eq!((outcome.connection, &*outcome.lookups[0].action), (expected, "NoAction"));
    }
}

#[test]
fn a_table_without_a_key_runs_its_default() {
    let control = with("table t { actions = { set; } default_action = set(6); }");
    let outcome = Nic { control: &control, apply: "t.apply();", ..Nic::default() }.run(&PACKET);
    assert_eq!((outcome.connection, outcome.lookups[0].hit), (6, false));
}

#[test]
fn actions_see_what_is_declared_before_them() {
    let control = "bit<16> x = 1;
        action inner(inout bit<16> r) { r = r + x; }
        action outer() { inner(ostd.connection); bit<16> x = 50; ostd.connection = ostd.connection + x; }
        table t { key = { hdr.h.a: exact; } actions = { outer; NoAction; } const entries = { 5: outer(); } }";
    let nic = Nic {
        control,
        apply: "bit<16> y = x; x = 7; t.apply(); { bit<16> x = 90; y = x; }",
        ..Nic::default()
    };
    assert_eq!(nic.run(&PACKET).connection, 57);
}

#[test]
fn the_default_action_can_be_changed_unless_it_is_const() {
    let json = r#"{ "entries": [
        { "table": "t", "default": true, "action": "set", "params": { "value": 77 } } ] }"#;
    let table = "table t { key = { hdr.h.a: exact; } actions = { set; } default_action = set(1); size = 4; }";
    let control = with(table);
    let nic = Nic { control: &control, apply: "t.apply();", ..Nic::default() };
    assert_eq!(nic.run_filled(&PACKET, &entries(json)).connection, 77);
    let control = with(&table.replace("default_action", "const default_action"));
    let text = Nic { control: &control, apply: "t.apply();", ..Nic::default() }.text();
    let error = Interpreter::new(&checked(&text), &entries(json)).unwrap_err();
    assert_eq!(error.0, "entry 1 (table `t`): the program fixes the default action of this table");
}

#[test]
fn ternary_entries_of_the_control_plane_have_priorities() {
    // The hardware has no such tables, and the checker refuses them; the language has.
    let control = with(
        "table t { key = { hdr.h.a: ternary; hdr.h.w: ternary @name(\"addr\"); } actions = { set; }
                                  default_action = set(0); size = 8; }",
    );
    let text = Nic { control: &control, apply: "t.apply();", ..Nic::default() }.text();
    let parsed = unchecked(&text);
    let run = |rows: &str, packet: &[u8]| {
        let json = format!("{{ \"entries\": [{rows}] }}");
        Interpreter::new(&parsed, &Entries::from_json(&json).unwrap()).unwrap().run(packet).connection
    };
    let row = |key: &str, priority: &str, value: u32| {
        format!(
            r#"{{ "table": "t", "key": {{ {key} }}, "action": "set", "params": {{ "value": {value} }} {priority} }}"#
        )
    };
    let any = row(r#""hdr.h.a": "_""#, r#", "priority": 1"#, 1);
    let net = row(r#""addr": "128.0.0.0 &&& 0xFF000000""#, r#", "priority": 5"#, 2);
    let host = row(r#""addr": "128.0.0.1", "hdr.h.a": 5"#, "", 3);
    assert_eq!(run("", &PACKET), 0);
    assert_eq!(run(&format!("{any},{net},{host}"), &PACKET), 2);
    assert_eq!(run(&format!("{any},{host}"), &PACKET), 1);
    assert_eq!(run(&host, &PACKET), 3);
    let mut packet = PACKET;
    packet[4] = 9;
    assert_eq!(run(&format!("{net},{host}"), &packet), 0);
    assert_eq!(run(&format!("{net},{any}"), &packet), 1);
}

#[test]
fn a_large_table_finds_each_of_its_entries() {
    let control = with("table t { key = { hdr.h.b: exact; } actions = { set; NoAction; } size = 4096; }");
    let text = Nic { control: &control, apply: "t.apply();", ..Nic::default() }.text();
    let parsed = checked(&text);
    let rows: Vec<String> = (0..4096)
        .map(|n| format!(r#"{{ "table": "t", "key": {{ "hdr.h.b": {} }}, "action": "set", "params": {{ "value": {n} }} }}"#, n * 3))
        .collect();
    let entries = entries(&format!(r#"{{ "entries": [{}] }}"#, rows.join(",")));
    let interpreter = Interpreter::new(&parsed, &entries).unwrap();
    for b in 0..12_300u16 {
        let [high, low] = b.to_be_bytes();
        let outcome = interpreter.run(&[0, high, low, 0, 0, 0, 0, 0]);
        let expected = if b % 3 == 0 && b < 3 * 4096 { (true, b / 3) } else { (false, 0) };
        assert_eq!((outcome.hit, outcome.connection), expected, "{b}");
    }
}

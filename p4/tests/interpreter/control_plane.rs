//! Entries files: what is refused, and what the message says.

use super::{checked, program, unchecked, Nic};
use baton_p4::interpreter::{Entries, Interpreter};
use rand_chacha::rand_core::{RngCore, SeedableRng};

const CONTROL: &str = "
    action set(bit<16> value, Kind kind) { ostd.connection = value; }
    action flags(bool on, error why, Colour colour) { ostd.hit = on; }
    table t { key = { hdr.h.a: exact @name(\"a\"); hdr.h.k: exact @name(\"kind\"); hdr.h.w: exact @name(\"addr\");
                      meta.f: exact @name(\"flag\"); meta.c: exact @name(\"colour\"); }
              actions = { set; flags; NoAction; } size = 2; }
    table constant { key = { hdr.h.a: exact; } actions = { NoAction; } const entries = { 1: NoAction(); } }
    table keyless { actions = { NoAction; } }";
const APPLY: &str = "t.apply(); constant.apply(); keyless.apply();";

/// A key that fits `t`.
const KEY: &str = r#""a": 1, "kind": "B", "addr": "10.0.0.1", "flag": false, "colour": "Red""#;

fn load(json: &str) -> Result<(), String> {
    let text = Nic { control: CONTROL, apply: APPLY, ..Nic::default() }.text();
    let parsed = checked(&text);
    let entries = Entries::from_json(json).map_err(|error| error.0)?;
    Interpreter::new(&parsed, &entries).map(|_| ()).map_err(|error| error.0)
}

#[track_caller]
fn refused(json: &str, why: &str) {
    let said = load(json).expect_err("it is refused");
    assert!(said.contains(why), "{said:?} does not say {why:?}");
}

fn row(key: &str, rest: &str) -> String {
    format!(r#"{{ "entries": [ {{ "table": "t", "key": {{ {key} }}, {rest} }} ] }}"#)
}

const SET: &str = r#""action": "set", "params": { "value": 1, "kind": 2 }"#;

#[test]
fn what_fits_is_taken() {
    for key in [
        KEY,
        r#""a": "0xFF", "kind": 255, "addr": 4294967295, "flag": true, "colour": "Blue""#,
        r#""a": "0b1", "kind": "0x10", "addr": "0", "flag": false, "colour": "Green""#,
    ] {
        assert_eq!(load(&row(key, SET)), Ok(()));
    }
    assert_eq!(
        load(&row(KEY, r#""action": "flags", "params": { "on": true, "why": "NoMatch", "colour": "Blue" }"#)),
        Ok(())
    );
    assert_eq!(load(r#"{ "entries": [] }"#), Ok(()));
}

#[test]
fn json_that_is_not_an_entries_file() {
    refused("", "EOF while parsing");
    refused("{ \"entries\": [", "line 1 column 14");
    refused("[]", "");
    refused("{}", "missing field `entries`");
    refused(r#"{ "entries": [], "more": 1 }"#, "unknown field `more`");
    refused(r#"{ "entries": [ { "action": "set" } ] }"#, "missing field `table`");
    refused(&row(KEY, r#""action": "set", "priorty": 1"#), "unknown field `priorty`");
    refused(&row(KEY, r#""action": "set", "action": "set""#), "duplicate field `action`");
    refused(&row(r#""a": 1, "a": 2"#, SET), "`a` is given twice");
    refused(&row(r#""a": -1"#, SET), "invalid type: integer `-1`, expected a whole number");
    refused(&row(r#""a": 1.5"#, SET), "1.5 is not a whole number");
    refused(&row(r#""a": 1e30"#, SET), "write larger ones as text");
    refused(&row(r#""a": null"#, SET), "expected a whole number");
    refused(&row(r#""a": [1]"#, SET), "expected a whole number");
    refused(&row(KEY, r#""action": "set", "priority": -1"#), "expected u32");
    refused(&format!("{}[", "[".repeat(100_000)), "");
}

#[test]
fn entries_that_do_not_fit_the_program() {
    let prefix = "entry 1 (table `t`): ";
    let says = |json: String, why: &str| refused(&json, &format!("{prefix}{why}"));
    refused(
        r#"{ "entries": [ { "table": "u", "action": "set" } ] }"#,
        "entry 1 (table `u`): there is no table `u`; there are `t`, `constant`, `keyless`",
    );
    refused(
        r#"{ "entries": [ { "table": "constant", "key": { "hdr.h.a": 2 }, "action": "NoAction" } ] }"#,
        "it has const entries, and the control plane cannot add any",
    );
    refused(r#"{ "entries": [ { "table": "keyless", "action": "NoAction" } ] }"#, "it has no key");
    says(row(KEY, r#""action": "sett""#), "there is no action `sett`; there are `set`, `flags`, `NoAction`");
    says(row(KEY, r#""action": "set""#), "parameter `value` of the action is missing");
    says(
        row(KEY, r#""action": "set", "params": { "value": 1, "kind": 2, "x": 3 }"#),
        "there is no parameter `x`; there are `value`, `kind`",
    );
    says(
        row(KEY, r#""action": "set", "params": { "value": 65536, "kind": 2 }"#),
        "parameter `value`: 65536 does not fit `bit<16>` of 16 bits",
    );
    says(
        row(KEY, r#""action": "set", "params": { "value": 1, "kind": "C" }"#),
        "parameter `kind`: \"C\" is not a member of `Kind`",
    );
    says(
        row(KEY, r#""action": "flags", "params": { "on": 1, "why": "NoMatch", "colour": "Red" }"#),
        "parameter `on`: 1 is not true or false",
    );
    says(
        row(KEY, r#""action": "flags", "params": { "on": true, "why": "Nothing", "colour": "Red" }"#),
        "parameter `why`: \"Nothing\" is not a declared error",
    );
    says(
        row(KEY, r#""action": "flags", "params": { "on": true, "why": "NoMatch", "colour": 1 }"#),
        "parameter `colour`: a value of `Colour` is the name of a member",
    );
    says(row(&KEY.replace(r#""a": 1, "#, ""), SET), "key `a` is missing");
    says(
        row(&format!(r#"{KEY}, "b": 1"#), SET),
        "there is no key `b`; there are `a`, `kind`, `addr`, `flag`, `colour`",
    );
    says(row(&KEY.replace(r#""a": 1"#, r#""a": 256"#), SET), "key `a`: 256 does not fit `bit<8>` of 8 bits");
    says(row(&KEY.replace(r#""a": 1"#, r#""a": true"#), SET), "key `a`: true is not a number");
    says(
        row(&KEY.replace(r#""a": 1"#, r#""a": "10.0.0.1""#), SET),
        "key `a`: an IPv4 address has 32 bits, and this is `bit<8>` of 8 bits",
    );
    says(
        row(&KEY.replace("10.0.0.1", "02:00:00:00:00:01"), SET),
        "key `addr`: a MAC address has 48 bits, and this is `bit<32>` of 32 bits",
    );
    says(
        row(&KEY.replace("10.0.0.1", "10.0.0.256"), SET),
        "key `addr`: \"10.0.0.256\" is not a number or an address",
    );
    says(
        row(&KEY.replace("10.0.0.1", "10.0.0.0 &&& 0xFF000000"), SET),
        "key `addr`: \"10.0.0.0 &&& 0xFF000000\" is not one value, and the key is exact",
    );
    says(row(&KEY.replace("10.0.0.1", "_"), SET), "key `addr`: \"_\" is not one value");
    says(row(&KEY.replace("10.0.0.1", "0x100000000"), SET), "key `addr`: 4294967296 does not fit");
    says(
        row(KEY, &format!(r#"{SET}, "priority": 3"#)),
        "entries of an exact table have no priority: only one can match",
    );
    says(
        row(KEY, &format!(r#"{SET}, "default": true"#)),
        "a default action has neither a key nor a priority",
    );
    says(
        r#"{ "entries": [ { "table": "t", "default": true, "action": "NoAction" } ] }"#.into(),
        "the program fixes the default action of this table",
    );
}

#[test]
fn a_key_is_there_once_and_the_table_no_fuller_than_it_can_be() {
    let entry = |a: &str| {
        format!(
            r#"{{ "table": "t", "key": {{ {} }}, {SET} }}"#,
            KEY.replace(r#""a": 1"#, &format!(r#""a": {a}"#))
        )
    };
    let file = |entries: &[String]| format!(r#"{{ "entries": [ {} ] }}"#, entries.join(","));
    // The same key in another notation.
    refused(
        &file(&[entry("1"), entry("2"), entry("\"0x01\"")]),
        "entry 3 (table `t`): entry 1 has the same key",
    );
    assert_eq!(load(&file(&[entry("1"), entry("2")])), Ok(()));
    refused(&file(&[entry("1"), entry("2"), entry("3")]), "entry 3 (table `t`): it has room for 2 entries");
}

#[test]
fn names_that_stand_for_several_things() {
    // The checker refuses such programs.
    let control = "
        table twins { key = { hdr.h.a: exact @name(\"x\"); hdr.h.b: exact @name(\"x\"); }
                      actions = { NoAction; } size = 1; }
        @name(\"same\") table one { key = { hdr.h.a: exact; } actions = { NoAction; } size = 1; }
        @name(\"same\") table two { key = { hdr.h.a: exact; } actions = { NoAction; } size = 1; }";
    let text = Nic { control, apply: "twins.apply(); one.apply(); two.apply();", ..Nic::default() }.text();
    let parsed = unchecked(&text);
    let same = r#"{ "entries": [ { "table": "same", "action": "NoAction" } ] }"#;
    let twins = r#"{ "entries": [ { "table": "twins", "key": { "x": 2 }, "action": "NoAction" } ] }"#;
    for (json, why) in [(same, "there are several tables `same`"), (twins, "there are several keys `x`")] {
        let error = Interpreter::new(&parsed, &Entries::from_json(json).unwrap()).unwrap_err();
        assert!(error.0.contains(why), "{error}");
    }
}

#[test]
fn a_program_with_errors_is_not_run() {
    let parsed = baton_p4::check(
        std::path::Path::new("test.p4"),
        &Default::default(),
        &super::Memory("#include <baton.p4>\nconst bit<8> X = 256;"),
    );
    let error = Interpreter::new(&parsed.unwrap().parsed, &Entries::default()).unwrap_err();
    assert_eq!(error.0, "the program has errors");
}

#[test]
fn damaged_files_do_not_panic() {
    let parsed = program("connection.p4");
    let good = r#"{ "entries": [ { "table": "connections", "key": { "remote_addr": "192.0.2.1",
        "local_addr": "0x0A000001 &&& 0xFF", "remote_port": 49152, "local_port": "0b101" },
        "action": "to_connection", "params": { "connection": 5 }, "priority": 1, "default": false } ] }"#;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let words =
        ["\"", "{", "}", "[", "]", ":", ",", "0x", "&&&", "_", "1e9", "-", "\\u0000", "true", "::", "."];
    for _ in 0..3000 {
        let mut text = good.to_string();
        for _ in 0..1 + rng.next_u32() % 3 {
            let at = rng.next_u32() as usize % text.len();
            let end = (at + rng.next_u32() as usize % 4).min(text.len());
            text.replace_range(at..end, words[rng.next_u32() as usize % words.len()]);
        }
        if let Ok(entries) = Entries::from_json(&text) {
            let _ = Interpreter::new(&parsed, &entries);
        }
    }
}

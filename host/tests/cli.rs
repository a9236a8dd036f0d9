//! The `baton` command line: what is wrong gets a message that says so, and an exit status that is not zero.

use std::process::{Command, Output};

fn baton(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_baton"))
        .args(arguments)
        .env_remove("BATON_FIRMWARE")
        .output()
        .expect("the command starts")
}

fn fails_with(arguments: &[&str], words: &[&str]) {
    let output = baton(arguments);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    for word in words {
        assert!(text.contains(word), "{arguments:?} does not mention {word:?}: {text}");
    }
}

#[test]
fn unknown_options_and_commands_are_named() {
    fails_with(&["demo", "--sed", "1"], &["--sed"]);
    fails_with(&["deom"], &["deom"]);
    fails_with(&["demo", "--firmware", "x", "--mode", "fast"], &["fast", "host-first"]);
    fails_with(&["demo", "--firmware", "x", "--bytes", "0"], &["--bytes"]);
    fails_with(&["demo", "--firmware", "x", "--trace", "9..3"], &["--trace", "empty"]);
}

#[test]
fn the_softcore_is_emitted_with_and_without_rvfi() {
    let emit = |arguments: &[&str]| {
        let output =
            baton(&[&["verilog", "--top", "softcore", "--core-memory-kib", "32"], arguments].concat());
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let (plain, rvfi) = (emit(&[]), emit(&["--rvfi"]));
    for text in [&plain, &rvfi] {
        assert!(text.contains("module softcore(clock,reset,") && text.contains("mem [0:8191]"));
    }
    assert!(rvfi.contains("[63:0] rvfi_order;") && !plain.contains("rvfi"));
    fails_with(&["verilog", "--rvfi"], &["--top softcore"]);
    fails_with(&["verilog", "--core-memory-kib", "16"], &["32..=8192"]);
    fails_with(&["verilog", "--top", "cpu"], &["nic", "softcore"]);
}

#[test]
fn missing_files_are_named() {
    fails_with(&["demo"], &["--firmware"]);
    fails_with(&["demo", "--firmware", "/nowhere/fw.bin"], &["/nowhere/fw.bin", "cargo xtask firmware"]);
    fails_with(&["bench", "--firmware", "/nowhere/fw.bin"], &["/nowhere/fw.bin"]);
}

#[test]
fn help_teaches() {
    for (arguments, words) in [
        (&["--help"][..], &["demo", "bench", "registers"][..]),
        (&["demo", "--help"], &["report.html", "wire.pcap", "handoff.fst", "--seed", "--trace"]),
    ] {
        let output = baton(arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success());
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
}

//! The command line of experiments: what it refuses, and with what words.

use std::process::{Command, Output};

fn baton(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_baton"))
        .args(arguments)
        .env_remove("BATON_FIRMWARE")
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

fn refuses(arguments: &[&str], words: &[&str]) {
    let output = baton(arguments);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{arguments:?} was taken");
    for word in words {
        assert!(text.contains(word), "{arguments:?}: {word:?} is not in {text}");
    }
    assert!(!text.contains("panicked"), "{arguments:?}: {text}");
}

#[test]
fn wrong_input_is_refused_by_name() {
    let image = ["--firmware", "/nowhere.bin"];
    refuses(&["run", "W-1-P-L-FCFS", "--firmware", "x"], &["5 parts", "W-1024-P-L-FCFS-400"]);
    refuses(&["run", "Q-1-P-L-FCFS-400", "--firmware", "x"], &["workload", "W, I, D or S"]);
    refuses(&["run", "W-1-P-L-BEST-400", "--firmware", "x"], &["BEST", "FCFS"]);
    refuses(&["run", "W-1-P-L-FCFS-400", image[0], image[1]], &["/nowhere.bin", "cargo xtask firmware"]);
    refuses(&["run", "W-1-P-L-FCFS-400", "--fst", "a.fst", "--firmware", "x"], &["--window"]);
    refuses(&["reproduce", "table9", image[0], image[1]], &["table1"]);
    refuses(&["reproduce", "table1", "--seeds", "0", image[0], image[1]], &["--seeds"]);
    refuses(&["compare", "/nowhere.json", "/nowhere.json"], &["/nowhere.json"]);
    refuses(&["wave", "/nowhere.fst"], &["/nowhere.fst"]);
    refuses(&["workload", "X"], &["W, I, D or S"]);
    refuses(&["workload", "W", "--trace", "/nowhere"], &["/nowhere"]);
}

#[test]
fn policies_and_facts_are_listed() {
    let output = baton(&["policies"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && ["FCFS", "Tn", "SWAP", "ORACLE"].iter().all(|name| text.contains(name))
    );
    let output = baton(&["workload", "W", "--connections", "20000"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.matches("holds").count() == 3, "{text}");
}

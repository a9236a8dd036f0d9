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

#[test]
fn each_seed_has_every_run() {
    let folder = std::env::temp_dir().join(format!("baton-seeds-{}", std::process::id()));
    let (cache, output) = (folder.join("cache"), folder.join("output"));
    let [cache, output] = [&cache, &output].map(|path| path.to_str().unwrap());
    // Nothing has been run, and nothing is: any file will do for an image.
    let words =
        ["reproduce", "table1", "--offline", "--firmware", env!("CARGO_BIN_EXE_baton"), "--cache", cache];
    let told = |seeds: &[&str]| {
        let output = baton(&[&words[..], &["--output", output], seeds].concat());
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = text.lines().filter(|line| line.ends_with(" has not been run"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = told(&["--seed", "7", "--seeds", "3"]);
    assert_eq!(lines.len(), 12, "{lines:?}");
    for seed in 7..10 {
        let line = format!("W-1024-N-N-FCFS-400, seed {seed} has not been run");
        assert!(lines.contains(&line), "{lines:?}");
    }
    assert_eq!(told(&[]).len(), 4);
    std::fs::remove_dir_all(folder).unwrap();
}

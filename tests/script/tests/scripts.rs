//! All scripts against the engine, and against an engine that is handed over after every step.

use anyhow::Result;
use baton_script::{engine::Engine, folder, load, run, Setting};

/// Runs every script of a setting and reports all failures at once.
fn all(setting: Setting) -> Result<()> {
    if std::env::var("BATON_SETTING").is_ok_and(|only| only != setting.name()) {
        return Ok(());
    }
    let scripts = load(&folder())?;
    let mut failures = Vec::new();
    let mut count = 0;
    for script in scripts.iter().filter(|script| script.runs_in(setting)) {
        count += 1;
        if let Err(error) = run(script, &mut Engine::new(setting, &script.config)) {
            failures.push(error.to_string());
        }
    }
    println!("{count} of {} scripts run in setting {}", scripts.len(), setting.name());
    assert!(failures.is_empty(), "{} of {count} scripts fail:\n\n{}", failures.len(), failures.join("\n\n"));
    Ok(())
}

#[test]
fn engine() -> Result<()> {
    all(Setting::Engine)
}

#[test]
fn moving() -> Result<()> {
    all(Setting::Moving)
}

/// Runs a script that is not in a file.
fn outcome(text: &str) -> Result<(), String> {
    let script = baton_script::parse("inline.script", text).expect("it parses");
    run(&script, &mut Engine::new(Setting::Engine, &script.config)).map_err(|error| error.to_string())
}

/// Every kind of expectation fails when it should, and the report has what one needs to see why.
#[test]
fn wrong_expectations_fail() {
    let start = "+0 open passive\n+0 send 1500\n";
    let good =
        "+0 > . 1:1001 ack 1 win 16384 []\n+0 > P. 1001:1501 ack 1\n+10ms < . 1 ack 1501\n+0 quiet 1s\n";
    assert_eq!(outcome(&format!("{start}{good}")), Ok(()));
    let cases = [
        ("> . 1:1001 ack 1", "> . 1:901 ack 1", "it has 1000 bytes"),
        ("> . 1:1001 ack 1", "> . 2:1002 ack 1", "the sequence number differs"),
        ("> . 1:1001 ack 1", "> . 1:1001 ack 2", "the acknowledgement differs"),
        ("> . 1:1001", "> F. 1:1001", "the flags differ"),
        ("> . 1:1001", "> P. 1:1001", "the flags differ"),
        ("win 16384", "win 16383", "the window differs"),
        ("[]", "[sack 1:2]", "option sack differs"),
        ("[]", "[ts * *]", "option ts differs"),
        ("+0 > . 1", "+1ms > . 1", "it is 1000 us early"),
        ("+0 > P. 1001:1501 ack 1\n", "", "nothing was expected"),
        ("+0 quiet 1s", "+0 event reset", "the user did not hear of it"),
        ("+0 quiet 1s", "+0 state CLOSED", "the state is Established"),
        ("+0 quiet 1s", "+0 recv 1", "only 0 bytes are there"),
        ("+0 quiet 1s", "+0 > . 1501 ack 1", "the endpoint sent nothing"),
        ("+10ms < . 1 ack 1501\n", "", "nothing was expected"),
    ];
    for (was, is, message) in cases {
        assert!(good.contains(was), "{was}");
        let error = outcome(&format!("{start}{}", good.replacen(was, is, 1))).expect_err(is);
        assert!(error.contains(message), "{is}: {error}");
        assert!(error.contains("replay: BATON_SCRIPT=inline.script BATON_SETTING=engine"), "{error}");
    }
}

/// A failure names the line, and shows it, both segments and what happened before.
#[test]
fn a_failure_shows_where_and_what() {
    let error = outcome("# nothing\n+0 open passive\n+0 send 10\n+0 > . 1:12 ack 1\n").expect_err("11 bytes");
    for part in [
        "inline.script:4: it has 10 bytes",
        "expected: > . 1:12 ack 1",
        "actual:   > P. 1:11 ack 1 win 16384",
        "4 | +0 > . 1:12 ack 1",
        "10.000 ms  Send(10)",
    ] {
        assert!(error.contains(part), "no {part:?} in\n{error}");
    }
}

/// Each script says what it is about, with the section of an RFC or the invariant that it checks, and no two are the same.
#[test]
fn scripts_name_their_rule() -> Result<()> {
    let scripts = load(&folder())?;
    let whole = std::env::var("BATON_SCRIPT").is_err();
    assert!(!whole || scripts.len() >= 120, "{} scripts", scripts.len());
    let mut seen = std::collections::HashMap::new();
    for script in &scripts {
        let comment = script.text.lines().next().unwrap_or("");
        let named = comment.starts_with("# ")
            && script.text.lines().take_while(|line| line.starts_with('#')).any(|line| {
                line.contains("RFC") || line.contains("invariant") || line.contains("FIN-WAIT-2")
            });
        assert!(named, "{}: its first comment names no rule", script.name);
        let steps: String = script.text.lines().filter(|line| !line.starts_with('#')).collect();
        if let Some(other) = seen.insert(steps, &script.name) {
            panic!("{} and {other} are the same", script.name);
        }
    }
    Ok(())
}

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

//! The C library, from C: built as a `cdylib`, linked by the machine's C compiler, run over a bad wire.
//!
//! The library is built in a folder of its own, so that this test needs no feature and finds what is in the sources now.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{text}");
    text
}

/// Builds the library; the folder that holds it.
fn library(folder: &Path) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["rustc", "--quiet", "--offline", "--package", "baton-tcp", "--features", "capi", "--lib"])
        .args(["--crate-type", "cdylib", "--target-dir"])
        .arg(folder)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("CARGO_TARGET_DIR");
    run(&mut cargo);
    folder.join("debug")
}

#[test]
fn a_c_program_transfers_over_a_bad_wire() {
    let Ok(version) = Command::new("cc").arg("--version").output() else {
        println!("skipped: there is no C compiler called cc");
        return;
    };
    assert!(version.status.success());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("capi");
    let library = library(&folder);
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = folder.join("transfer");
    run(Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-I"])
        .arg(source.join("include"))
        .arg(source.join("tests/c/transfer.c"))
        .arg("-o")
        .arg(&program)
        .arg(format!("-L{}", library.display()))
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .arg("-lbaton_tcp"));
    for seed in 0..5 {
        let text = run(Command::new(&program).arg(seed.to_string()));
        assert!(text.starts_with("300000 bytes"), "seed {seed}: {text}");
    }
}

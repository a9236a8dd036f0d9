//! `baton hostlink` against a co-simulated board, between two network namespaces of the real kernel (`hostlink_kernel.sh`), without and
//! with handoff.
//!
//! Time is the wall clock's, as the kernel's is. Every wait is bounded. Skipped, with the reason, where namespaces or TAPs are
//! forbidden.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why this machine cannot run the test, if it cannot.
fn obstacle() -> Option<String> {
    if !Path::new("/dev/net/tun").exists() {
        return Some("this machine has no /dev/net/tun".into());
    }
    for tool in ["unshare", "nsenter", "ip", "sysctl", "curl", "python3", "cmp", "timeout"] {
        if Command::new(tool).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            return Some(format!("`{tool}` is not installed"));
        }
    }
    let script = "ip tuntap add dev probe mode tap && ip link set probe up && unshare --net true";
    let probe = Command::new("unshare")
        .args(["--net", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script])
        .output();
    match probe {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!(
            "this machine forbids namespaces or TAPs: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Some(format!("unshare does not start: {error}")),
    }
}

#[test]
fn curl_fetches_a_file_through_the_board() {
    if let Some(why) = obstacle() {
        // Past the harness's capture.
        let _ = writeln!(std::io::stderr(), "curl_fetches_a_file_through_the_board was skipped: {why}");
        return;
    }
    let baton = PathBuf::from(env!("CARGO_BIN_EXE_baton"));
    let board = baton.with_file_name("examples").join("board_on_taps");
    assert!(board.exists(), "{} is missing: `cargo build -p baton --example board_on_taps`", board.display());
    let firmware = std::env::var_os("BATON_FIRMWARE").map(PathBuf::from);
    let firmware =
        firmware.expect("BATON_FIRMWARE names no firmware image; run the tests with `cargo xtask test`");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostlink_kernel");
    fs::create_dir_all(&folder).expect("a folder");
    let file: Vec<u8> = (0..20_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(folder.join("file.bin"), file).expect("a file");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostlink_kernel.sh");
    let output = Command::new("timeout")
        .args(["900", "unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "sh"])
        .args([&script, &board, &baton, &firmware, &folder])
        .stdin(Stdio::null())
        .output()
        .expect("timeout starts");
    let text = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    println!("{text}");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("line up") && text.contains("failed 0"), "{text}");
    assert!(text.contains("'handed_off': 4, 'left_to_the_kernel': 1, 'refused': 0,"), "{text}");
    assert!(text.contains("\nreset\n"), "{text}");
    assert!(text.contains("taken 3, left to the kernel 1, handed off 3, refused 0"), "{text}");
}

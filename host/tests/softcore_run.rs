//! `baton softcore run` as a user meets it: exit status and message of every way in which a run ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const RAM_BASE: u32 = 0x8000_0000;
const TOHOST: &str = "0x80000100";

/// An RV32 executable of these instructions at `addr`.
fn executable(name: &str, addr: u32, code: &[u32]) -> PathBuf {
    let mut words = vec![0u32; 21];
    words[0] = 0x464C_457F;
    words[1] = 0x0001_0101;
    words[4] = 243 << 16 | 2;
    words[5] = 1;
    words[6] = addr;
    words[7] = 52;
    words[10] = 32 << 16 | 52;
    words[11] = 1;
    let bytes = 4 * code.len() as u32;
    words[13..21].copy_from_slice(&[1, 84, addr, addr, bytes, bytes, 7, 4]);
    words.extend(code);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    path
}

fn run(file: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
    command.args(["softcore", "run"]).arg(file).args(["--tohost", TOHOST]).args(more);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

/// LUI x5, the base; ADDI x6, `value`; SW to `tohost`; and a loop.
fn store(value: u32) -> Vec<u32> {
    vec![0x8000_02B7, value << 20 | 0x313, 0x1062_A023, 0x0000_006F]
}

#[test]
fn the_exit_status_says_how_the_program_ended() {
    let (status, text) = run(&executable("good.elf", RAM_BASE, &store(1)), &[]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("3 instructions"), "{text}");

    let (status, text) = run(&executable("bad.elf", RAM_BASE, &store(0x539)), &[]);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("1337"), "{text}");

    let (status, text) = run(&executable("long.elf", RAM_BASE, &[0x0000_006F]), &["--max-cycles", "1000"]);
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("1000 cycles") && text.contains("0x80000000"), "{text}");
}

#[test]
fn what_cannot_run_is_refused_with_the_reason() {
    for (file, reason) in [
        (executable("low.elf", 0x1000, &store(1)), "outside memory"),
        (PathBuf::from(env!("CARGO_BIN_EXE_baton")), "not for RISC-V"),
        (PathBuf::from("no/such/file.elf"), "cannot read"),
    ] {
        let (status, text) = run(&file, &[]);
        assert_eq!(status, Some(2), "{text}");
        assert!(text.contains(reason), "{text}");
    }
}

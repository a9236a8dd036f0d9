//! `baton p4 run`: what it prints, and what it refuses.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder with the files that the tests give to the command.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        // What a run before this one has left.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().into()
    }
}

fn program(name: &str) -> String {
    format!("{}/../p4/programs/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_baton")).args(["p4", "run"]).args(arguments).output().unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str], words: &[&str]) {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty());
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
}

/// Little-endian, microseconds.
fn pcap(frames: &[&[u8]]) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        [0xA1B2_C3D4u32, 2 | 4 << 16, 0, 0, 65_535, 1].iter().flat_map(|word| word.to_le_bytes()).collect();
    for frame in frames {
        let length = frame.len() as u32;
        bytes.extend([0, 0, length, length].iter().flat_map(|word: &u32| word.to_le_bytes()));
        bytes.extend_from_slice(frame);
    }
    bytes
}

/// A TCP segment from 192.0.2.1:49152 to 198.51.100.7:80, over a header of `ihl` words without options.
fn segment(ihl: u8) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[12..15].copy_from_slice(&[0x08, 0x00, 0x40 | ihl]);
    frame[23] = 6;
    frame[26..30].copy_from_slice(&[192, 0, 2, 1]);
    frame[30..38].copy_from_slice(&[198, 51, 100, 7, 0xC0, 0x00, 0, 80]);
    frame[46] = 0x50;
    frame
}

const ENTRIES: &str = r#"{ "entries": [ { "table": "connections",
    "key": { "remote_addr": "192.0.2.1", "local_addr": "198.51.100.7", "remote_port": 49152, "local_port": "0x50" },
    "action": "to_connection", "params": { "connection": 5 } } ] }"#;

#[test]
fn outcomes_as_a_table_and_as_json() {
    let folder = Folder::new("p4_run");
    let packets = folder.write("in.pcap", &pcap(&[&segment(5), &segment(4), &segment(5)[..40], &[0; 60]]));
    let entries = folder.write("in.json", ENTRIES.as_bytes());
    let program = program("connection.p4");
    let arguments = [&*program, "--packets", &packets, "--entries", &entries];
    let text = stdout(&arguments);
    let lines: Vec<String> =
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "packet bytes goes to queue class parser error network transport payload headers",
            "1 60 connection 5 - 0 - 14 34 54 ethernet@0 ipv4@14 tcp@34",
            "2 60 host 0 0 IPv4BadHeaderLength 14 - - ethernet@0 ipv4@14",
            "3 40 host 0 0 PacketTooShort 14 - - ethernet@0 ipv4@14",
            "4 60 host 0 0 - - - - ethernet@0",
            "4 packets: 1 to connections, 3 to the host, 0 dropped",
        ]
    );
    let json = stdout(&[&arguments[..], &["--format", "json"]].concat());
    let lines: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[0],
        serde_json::json!({
            "packet": 1, "length": 60, "hit": true, "connection": 5, "drop": false, "queue": 0,
            "class_of_service": 0, "parser_error": "NoError",
            "network_offset": 14, "transport_offset": 34, "payload_offset": 54,
            "headers": [{ "name": "ethernet", "offset": 0 }, { "name": "ipv4", "offset": 14 },
                        { "name": "tcp", "offset": 34 }],
            "lookups": [{ "table": "connections", "hit": true, "action": "to_connection" }],
        })
    );
    assert_eq!(lines[2]["parser_error"], "PacketTooShort");
    // Without entries nothing hits, and the firewall drops a segment without flags.
    assert!(stdout(&arguments[..3]).contains("0 to connections, 4 to the host"));
    let firewall = self::program("firewall.p4");
    assert!(stdout(&[&firewall, "--packets", &packets]).contains("nowhere (dropped)"));
}

#[test]
fn what_is_wrong_is_said() {
    let folder = Folder::new("p4_run_wrong");
    let good = pcap(&[&segment(5)]);
    let packets = folder.write("in.pcap", &good);
    let program = program("connection.p4");
    refused(&[&program, "--packets", "/nowhere.pcap"], &["couldn't read `/nowhere.pcap`"]);
    refused(&["/nowhere.p4", "--packets", &packets], &["couldn't read `/nowhere.p4`"]);
    let cut = folder.write("cut.pcap", &good[..good.len() - 1]);
    refused(&[&program, "--packets", &cut], &["cut.pcap", "truncated", "packet 1"]);
    let other = folder.write("other.pcap", b"no capture at all");
    refused(&[&program, "--packets", &other], &["not a pcap file"]);
    let with = |json: &str, words: &[&str]| {
        let entries = folder.write("wrong.json", json.as_bytes());
        refused(
            &[&program, "--packets", &packets, "--entries", &entries],
            &[words, &["wrong.json"]].concat(),
        );
    };
    with("{", &["EOF", "line 1"]);
    with(
        &ENTRIES.replace("49152", "65536"),
        &["entry 1 (table `connections`)", "`remote_port`", "does not fit"],
    );
    with(&ENTRIES.replace("\"connections\"", "\"flows\""), &["no table `flows`", "`connections`"]);
    let broken = folder.write("broken.p4", b"#include <baton.p4>\nconst bit<4> X = 16;\n");
    refused(&[&broken, "--packets", &packets], &["broken.p4:2:", "aborting due to"]);
    refused(&[&program], &["--packets", "Usage"]);
}

/// The exit status of `check` and `compile` is as rustc's: 0 for a program that is right, 1 for everything else.
#[test]
fn the_exit_status_is_as_rustcs() {
    let folder = Folder::new("p4_status");
    let broken = folder.write("broken.p4", b"#include <baton.p4>\nconst bit<4> X = 16;\n");
    let out = folder.write("out", b"");
    std::fs::remove_file(&out).unwrap();
    let good = program("tenant.p4");
    let warns = program("../tests/valid/table_exact.p4");
    for (arguments, status) in [
        (vec!["check", &good], 0),
        (vec!["check", &warns], 0),
        (vec!["check", "--deny-warnings", &warns], 1),
        (vec!["check", &broken], 1),
        (vec!["check", "/nowhere.p4"], 1),
        (vec!["check"], 1),
        (vec!["check", "--nonsense", &good], 1),
        (vec!["compile", &good, "-o", &out], 0),
        (vec!["compile", &broken, "-o", &out], 1),
        (vec!["compile", &good], 1),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_baton")).arg("p4").args(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert_eq!(said.contains("error"), status != 0, "{arguments:?}: {said}");
    }
    for file in ["classifier.v", "classifier.rs", "control-plane.json"] {
        assert!(std::path::Path::new(&out).join(file).is_file(), "{file}");
    }
}

#[test]
fn help_teaches() {
    let output = run(&["--help"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    for word in ["--packets", "--entries", "--format", "Examples:", "to_connection"] {
        assert!(text.contains(word), "{text}");
    }
}

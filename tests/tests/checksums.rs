//! Every checksum of IP and TCP on the wire, as tshark sees them: a judge that knows nothing of this repository.
//!
//! The capture is that of a demo run, with connections on the NIC and on the host, bursts and TSO in both. Where the NIC is
//! built of a program for both families (`BATON_P4=$PWD/p4/programs/ipv6.p4`, and the firmware of it), it has both.

use anyhow::{ensure, Context, Result};
use baton::demo::{self, DemoConfig};
use baton_abi::address::IpAddress;
use baton_cosim::{nic::VerilatedNic, pcap::Pcap};
use std::path::{Path, PathBuf};
use std::process::Command;

const TSHARK: &str = "/usr/bin/tshark";
/// What tshark says of a checksum that it has verified.
const GOOD: &str = "1";
const BAD: &str = "0";

/// A TCP segment as tshark decodes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    source: String,
    payload: u32,
    ip_checksum: String,
    tcp_checksum: String,
}

fn verdicts(capture: &Path) -> Result<Vec<Verdict>> {
    let fields = ["ip.src", "ipv6.src", "tcp.len", "ip.checksum.status", "tcp.checksum.status"];
    let out = Command::new(TSHARK)
        .arg("-r")
        .arg(capture)
        .args(["-n", "-Y", "tcp", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"])
        .args(["-o", "tcp.relative_sequence_numbers:FALSE", "-T", "fields"])
        .args(fields.iter().flat_map(|field| ["-e", field]))
        .output()
        .context("cannot start tshark")?;
    ensure!(out.status.success(), "tshark failed: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout)?
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            ensure!(fields.len() == 5, "tshark says {line:?}");
            // IPv6 has no checksum of its own.
            let is_ipv6 = fields[0].is_empty();
            Ok(Verdict {
                source: fields[usize::from(is_ipv6)].into(),
                payload: fields[2].parse()?,
                ip_checksum: if is_ipv6 { GOOD } else { fields[3] }.into(),
                tcp_checksum: fields[4].into(),
            })
        })
        .collect()
}

fn capture_path(name: &str) -> Result<PathBuf> {
    let folder = baton_cosim::verilate::workspace().join("target/checksums");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join(name))
}

/// tshark notices a wrong checksum of either kind, or its silence would mean nothing.
#[test]
fn tshark_tells_a_wrong_checksum() -> Result<()> {
    if skipped() {
        return Ok(());
    }
    let segment = baton_tcp::SegmentOut { data_len: 4, flags: baton_tcp::Flags::ACK, ..Default::default() };
    let ends = baton_tcp::Endpoints {
        local_ip: 0x0A00_0001.into(),
        remote_ip: 0x0A00_0101.into(),
        local_port: 80,
        remote_port: 50_000,
        local_mac: [2; 6],
        remote_mac: [4; 6],
        vlan: 0,
    };
    let address = |host: u32| IpAddress([0x2001_0DB8, 1, 2, host]);
    let ends6 = baton_tcp::Endpoints { local_ip: address(1), remote_ip: address(2), ..ends };
    let path = capture_path("wrong.pcap")?;
    let mut pcap = Pcap::create(&path)?;
    for (ends, len, damaged) in [(ends, 58, vec![22, 57]), (ends6, 78, vec![77])] {
        let mut frame = vec![7; len];
        baton_tcp::wire::emit(&mut frame, &ends, &segment, 1).context("there is room")?;
        baton_tcp::wire::fill_checksums(&mut frame);
        pcap.frame(0, &frame)?;
        for damaged in damaged {
            let mut frame = frame.clone();
            frame[damaged] ^= 1;
            pcap.frame(0, &frame)?;
        }
    }
    pcap.flush()?;
    let seen: Vec<_> = verdicts(&path)?.into_iter().map(|v| (v.ip_checksum, v.tcp_checksum)).collect();
    let expected = [(GOOD, GOOD), (BAD, GOOD), (GOOD, BAD), (GOOD, GOOD), (GOOD, BAD)];
    assert_eq!(seen, expected.map(|(ip, tcp)| (ip.to_string(), tcp.to_string())));
    Ok(())
}

#[test]
fn tshark_finds_every_checksum_right() -> Result<()> {
    if skipped() {
        return Ok(());
    }
    let config = DemoConfig { response_bytes: 256 << 10, ..DemoConfig::default() };
    let path = capture_path("demo.pcap")?;
    let pcap = Pcap::create(&path)?;
    let report = demo::run(
        &config,
        VerilatedNic::new(),
        &baton_tests::firmware()?,
        |system| {
            system.capture(pcap);
            Ok(())
        },
        &mut |_, _| {},
    )?;
    assert!(report.outcome.ok, "{:?}", report.outcome.failures);

    let verdicts = verdicts(&path)?;
    let wrong: Vec<_> = verdicts.iter().filter(|v| v.ip_checksum != GOOD || v.tcp_checksum != GOOD).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} segments: {:?}",
        wrong.len(),
        verdicts.len(),
        &wrong[..wrong.len().min(5)]
    );
    // Both owners sent full segments, one after the other.
    let servers = ["10.0.0.1", "2001:db8::1"];
    let is_server = |verdict: &&Verdict| servers.contains(&&*verdict.source);
    let sent: u32 = verdicts.iter().filter(is_server).map(|v| v.payload).sum();
    assert!(sent >= config.response_bytes, "{sent} bytes of the server in the capture");
    let full = verdicts.iter().filter(is_server).filter(|v| v.payload >= 1428).count();
    assert!(full >= 150, "{full} full segments");
    if baton_hdl::rx::HAS_IPV6 {
        assert!(
            servers.iter().all(|server| verdicts.iter().any(|v| v.source == *server)),
            "of both families"
        );
    }
    assert!(report.packets.nic_sent > 100 && report.packets.host_sent > 100, "{:?}", report.packets);
    Ok(())
}

/// Says so when there is no tshark here.
fn skipped() -> bool {
    let missing = !Path::new(TSHARK).exists();
    if missing {
        eprintln!("skipped: {TSHARK} is missing; `cargo xtask setup` installs it where it has root and apt");
    }
    missing
}

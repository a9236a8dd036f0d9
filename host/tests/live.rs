//! The Linux kernel as the peer: `baton live` on a TAP in a network namespace of its own, and curl, wrk, a browser and sockets
//! that talk to the modelled server through RTL and firmware.
//!
//! Time is the wall clock's here, of necessity: it is the kernel's. Every wait is bounded, and the bounds are for a
//! machine that is busy with other things. Nothing outlives a test: the namespace and its interface go with the server's
//! process, which is killed with the test's handle on it.

#[path = "live/browser.rs"]
mod browser;
#[path = "live/server.rs"]
mod server;

use anyhow::Result;
use server::{bounded, check, count, obstacle, skipped, Server, FAULTS, START};
use std::path::Path;
use std::process::Command;

#[test]
fn curl_and_sockets_over_handed_off_connections() -> Result<()> {
    if let Some(why) = obstacle(&["curl", "python3", "iperf3"]) {
        skipped("curl_and_sockets_over_handed_off_connections", &why);
        return Ok(());
    }
    let server = Server::start("quiet", &["--handoff", "first-come"])?;
    server.fetch(&[(1, 4 << 20)])?;
    let sixteen: Vec<(u64, usize)> = (10..26).map(|seed| (seed, 20_000 + 1000 * seed as usize)).collect();
    server.fetch(&sixteen)?;
    server.half_close(300_000)?;
    server.iperf3()?;
    let summary = server.stop()?;
    check(&summary);
    assert!(count(&summary, "/server/handoffs") >= 18, "{summary:#}");
    assert_eq!(count(&summary, "/services/echoed_bytes"), 300_000);
    assert!(count(&summary, "/services/iperf_bytes") > 0, "{summary:#}");
    // Nearly all segments are the NIC's: the host sees handshakes.
    let (host, all) = (count(&summary, "/server/host_segments_out"), count(&summary, "/wire/1/frames"));
    assert!(host * 10 < all, "{host} of {all} segments were the host's");
    Ok(())
}

/// Loss, reordering, duplicates and corruption, while every connection goes to the NIC and back all the time.
#[test]
fn curl_and_wrk_on_a_bad_wire() -> Result<()> {
    if let Some(why) = obstacle(&["curl", "wrk", "python3"]) {
        skipped("curl_and_wrk_on_a_bad_wire", &why);
        return Ok(());
    }
    let long = std::env::var_os("BATON_LONG_TESTS").is_some();
    let policies: &[&str] = if long { &["roving", "first-come", "never"] } else { &["roving"] };
    for policy in policies {
        let server = Server::start("bad", &[FAULTS, &["--handoff", policy]].concat())?;
        server.fetch(&[(1, if long { 4 << 20 } else { 400_000 })])?;
        server.half_close(100_000)?;
        let report = server.wrk(16, if long { 60 } else { 6 }, "/bytes/3000?seed=5")?;
        let summary = server.stop()?;
        check(&summary);
        for fault in ["lost", "reordered", "duplicated", "corrupted"] {
            let happened = [0, 1].map(|way| count(&summary, &format!("/wire/{way}/{fault}")));
            assert!(happened.iter().sum::<u64>() > 0, "no frame was {fault}: {summary:#}");
        }
        let (handoffs, restores) = (count(&summary, "/server/handoffs"), count(&summary, "/server/restores"));
        match *policy {
            "roving" => assert!(handoffs > 50 && restores > 50, "{summary:#}"),
            "first-come" => assert!(handoffs >= 18, "{summary:#}"),
            _ => assert_eq!(handoffs, 0),
        }
        println!("{policy}: {handoffs} handoffs, {restores} restores\n{report}");
    }
    Ok(())
}

#[test]
fn a_name_that_cannot_be_is_refused() -> Result<()> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let image = folder.join("live-image");
    std::fs::write(&image, [0x13, 0, 0, 0])?;
    let mut live = Command::new(env!("CARGO_BIN_EXE_baton"));
    let output = bounded(live.args(["live", "--tap", "no such name"]).arg("--firmware").arg(image), START)?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("no name of an interface"), "{text}");
    let output = bounded(Command::new(env!("CARGO_BIN_EXE_baton")).args(["live", "--help"]), START)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for option in ["--tap", "--handoff", "--loss-ppm", "curl -o"] {
        assert!(text.contains(option), "no {option} in {text}");
    }
    Ok(())
}

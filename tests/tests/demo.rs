//! The demo as a test: every byte arrives in every scheduler mode, and the same seed gives the same record.

use anyhow::Result;
use baton::demo::{self, DemoConfig};
use baton::report::{Report, WallClock};
use baton_abi::regs::SchedMode;
use baton_cosim::nic::VerilatedNic;

fn run(config: &DemoConfig) -> Result<Report> {
    demo::run(config, VerilatedNic::new(), &baton_tests::firmware()?, |_| Ok(()), &mut |_, _| {})
}

/// Every byte, every step of the script, no drop, and host connections that kept going.
fn check(report: &Report, least_responses: u64) {
    assert!(report.outcome.ok, "{:?}", report.outcome.failures);
    assert_eq!(report.connections.len(), 9);
    let handed_off: Vec<bool> = report.connections.iter().map(|c| c.handed_off).collect();
    assert_eq!(handed_off, [true, false, false, false, false, false, false, false, false]);
    assert!(report.packets.nic_received > 0 && report.packets.nic_sent > 0, "{:?}", report.packets);
    let milestones: Vec<&str> = report.handoffs.iter().map(|m| m.what.as_str()).collect();
    assert_eq!(
        milestones,
        ["handed off", "restore asked for", "restored", "second handoff asked for", "handed off again"]
    );
    let dropped: u64 = report.packets.dropped.iter().map(|(_, count)| count).sum();
    assert_eq!(dropped, 0, "{:?}", report.packets.dropped);
    for host in report.connections.iter().filter(|c| !c.handed_off) {
        assert!(host.responses >= least_responses, "{} went on: {} responses", host.name, host.responses);
    }
}

/// A record without what differs from run to run.
fn timeless(mut report: Report) -> String {
    report.wall_clock = WallClock { seconds: 0.0, core_cycles_per_second: 0.0 };
    serde_json::to_string(&report).expect("a report is JSON")
}

#[test]
fn the_same_seed_gives_the_same_record() -> Result<()> {
    let config = DemoConfig { response_bytes: 256 << 10, ..DemoConfig::default() };
    let (first, second) = (run(&config)?, run(&config)?);
    check(&first, 1);
    assert_eq!(timeless(first), timeless(second));
    Ok(())
}

#[test]
fn every_byte_arrives_in_direct_mode() -> Result<()> {
    check(&run(&DemoConfig::default())?, 3);
    Ok(())
}

#[test]
fn every_byte_arrives_in_host_first_mode() -> Result<()> {
    check(
        &run(&DemoConfig { mode: SchedMode::HostFirst, response_bytes: 256 << 10, ..DemoConfig::default() })?,
        1,
    );
    Ok(())
}

#[test]
fn every_byte_arrives_in_fcfs_mode() -> Result<()> {
    check(
        &run(&DemoConfig { mode: SchedMode::Fcfs, response_bytes: 256 << 10, ..DemoConfig::default() })?,
        1,
    );
    Ok(())
}

/// Frames of a stranger between the connections': what the P4 program does with each is as the interpreter says.
#[test]
fn the_program_does_as_interpreted() -> Result<()> {
    let report = run(&DemoConfig { probes: true, response_bytes: 128 << 10, ..DemoConfig::default() })?;
    check(&report, 1);
    let program = report.program.expect("the program was watched");
    assert!(program.probes > 100 && program.checked > program.probes, "{program:?}");
    assert_eq!(program.dropped, 0, "connection.p4 drops nothing");
    Ok(())
}

#[test]
fn every_byte_arrives_over_a_bad_wire() -> Result<()> {
    for seed in 1..=3 {
        let report = run(&DemoConfig {
            seed,
            loss_ppm: 10_000,
            reorder_ppm: 20_000,
            response_bytes: 256 << 10,
            ..DemoConfig::default()
        })?;
        assert!(report.outcome.ok, "seed {seed}: {:?}", report.outcome.failures);
    }
    Ok(())
}

//! The firmware's instruction budgets, counted on the RTL with 1024 active connections and warm tables.
//!
//! The counts are deterministic: the same on every machine. A load that the budgets do not speak of is measured too, for the
//! longest event, which must be within the longest path through the program. `baton bench` prints the same figures.

use anyhow::{ensure, Context, Result};
use baton::profile::figures::{self, BUDGETS};
use baton::profile::{Program, Workload};
use baton_cosim::nic::VerilatedNic;
use std::collections::BTreeMap;
use std::path::PathBuf;

const CONNECTIONS: u32 = 1024;

#[test]
fn every_event_is_within_its_budget() -> Result<()> {
    let path = std::env::var_os("BATON_FIRMWARE_1024")
        .map(PathBuf::from)
        .context("BATON_FIRMWARE_1024 names no firmware image; run the tests with `cargo xtask test`")?;
    let firmware = baton::demo::read_firmware(&path)?;
    let program = Program::beside(&path)?;
    let loads = [Workload::Send, Workload::Receive, Workload::HostPackets, Workload::Turnover];
    let measured = std::thread::scope(|scope| {
        let threads = loads.map(|load| {
            let (program, firmware) = (&program, &firmware);
            scope.spawn(move || {
                let profile = figures::run(load, CONNECTIONS, VerilatedNic::new(), firmware, program)?;
                let wrong: Vec<_> = profile.loops.iter().filter(|turns| turns.most > turns.allowed).collect();
                ensure!(wrong.is_empty(), "loops turned more often than they say: {wrong:?}");
                Ok(figures::of(load, &profile))
            })
        });
        let figures = threads.map(|thread| thread.join().expect("a measurement does not panic"));
        figures.into_iter().collect::<Result<Vec<_>>>()
    })?;
    let bounds = figures::bounds(&program)?;
    let figures: BTreeMap<_, _> = measured.into_iter().flatten().chain(bounds).collect();
    println!("{figures:#?}");
    let over: Vec<_> = BUDGETS.into_iter().filter(|(name, most)| figures[name] > *most).collect();
    assert!(over.is_empty(), "over their budgets: {over:?}, as measured: {figures:?}");
    let (worst, bound) = (figures["worst_event_instructions"], figures["event_bound_instructions"]);
    assert!(worst <= bound, "an event took {worst} instructions; the longest path has {bound}");
    let (deepest, reserved) = (figures["stack_bound_bytes"], program.stack_reserved);
    assert!(deepest <= f64::from(reserved), "the stack takes {deepest} bytes of {reserved}");
    assert!(figures.values().all(|value| *value > 0.0), "something was not measured: {figures:?}");
    Ok(())
}

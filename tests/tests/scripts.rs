//! Packet scripts against the host's stack and against the NIC: the firmware's library on functional devices, and the
//! verilated hardware. `docs/scripts.md` says how to choose scripts and settings.

mod double;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use anyhow::Result;
use baton_cosim::nic::VerilatedNic;
use baton_script::{folder, load, run, Endpoint, Script, Setting};
use baton_tests::script::{simulated, HostEndpoint};
use double::{NicDouble, MEMORY_BYTES};

/// Core clock of the co-simulated NIC. The softcore takes a thousand cycles or two for a segment, and a second of TCP's
/// time should not be more cycles than it must.
const MEGAHERTZ: u32 = 1;
/// Of the scripts outside `handoff/`, one in so many runs on the co-simulated NIC unless all are asked for.
const SAMPLE: usize = 5;
/// Worlds that run side by side.
const WORKERS: usize = 2;

/// Runs every script of a setting, some side by side, and reports all failures at once.
fn all(setting: Setting, endpoint: impl Fn(&Script) -> Result<Box<dyn Endpoint>> + Sync) -> Result<()> {
    if std::env::var("BATON_SETTING").is_ok_and(|only| only != setting.name()) {
        return Ok(());
    }
    let scripts = load(&folder())?;
    let mut scripts: Vec<&Script> = scripts.iter().filter(|script| script.runs_in(setting)).collect();
    let chosen = ["BATON_SCRIPT", "BATON_SETTING"].iter().any(|name| std::env::var_os(name).is_some());
    if setting == Setting::Nic && !chosen && !baton_tests::long() {
        // A second of TCP is a second or so of a processor here.
        let all = scripts.len();
        let mut number = 0;
        scripts.retain(|script| {
            number += 1;
            script.name.starts_with("handoff/") || number % SAMPLE == 0
        });
        println!("{} of {all} scripts run in setting nic; `cargo xtask test --long` runs all", scripts.len());
    }
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(script) = scripts.get(index) else { return };
                let outcome = endpoint(script).and_then(|mut endpoint| run(script, endpoint.as_mut()));
                if let Err(error) = outcome {
                    failures.lock().expect("no worker panics with it").push((index, format!("{error:#}")));
                }
            });
        }
    });
    let mut failures = failures.into_inner()?;
    failures.sort();
    println!(
        "{} of {} scripts pass in setting {}",
        scripts.len() - failures.len(),
        scripts.len(),
        setting.name()
    );
    let texts: Vec<String> = failures.into_iter().map(|(_, text)| text).collect();
    assert!(texts.is_empty(), "{} of {} scripts fail:\n\n{}", texts.len(), scripts.len(), texts.join("\n\n"));
    Ok(())
}

/// A server on the double, which does everything at once; with an image it runs the firmware's library.
fn double(setting: Setting, script: &Script, image: Option<&[u8]>) -> Result<Box<dyn Endpoint>> {
    let mut nic = NicDouble::new(MEMORY_BYTES, 1);
    nic.laziness = 0;
    Ok(Box::new(HostEndpoint::new(setting, &script.config, nic, 1, image)?))
}

#[test]
fn host() -> Result<()> {
    all(Setting::Host, |script| double(Setting::Host, script, None))
}

#[test]
fn firmware() -> Result<()> {
    // Any image starts the library.
    all(Setting::Firmware, |script| double(Setting::Firmware, script, Some(&[0x13, 0, 0, 0])))
}

#[test]
fn nic() -> Result<()> {
    let image = baton_tests::firmware()?;
    all(Setting::Nic, |script| {
        let machine = simulated(VerilatedNic::new(), MEGAHERTZ);
        Ok(Box::new(HostEndpoint::new(Setting::Nic, &script.config, machine, MEGAHERTZ, Some(&image))?))
    })
}

//! `baton demo`: the whole system on one page of output.

use anyhow::{bail, ensure, Context, Result};
use baton::demo::{self, DemoConfig};
use baton::report::{self, Report};
use baton::server::driver::own_control_plane;
use baton_abi::regs::SchedMode;
use baton_control_plane::ControlPlane;
use baton_cosim::nic::{Nic, TracedNic, VerilatedNic, Window, VERILOG};
use baton_cosim::pcap::Pcap;
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Co-simulate an HTTP response through a connection that is handed off, restored, and handed off again
///
/// Writes report.json, report.html, wire.pcap and handoff.fst to the output folder and prints a summary. The
/// exit status is 0 only if every byte of every response arrived intact and every connection ended in order.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Seed of everything that is random: the same seed gives the same report
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Core clock of the NIC, in MHz
    #[arg(long, default_value_t = 125, value_parser = clap::value_parser!(u64).range(1..=2000))]
    clock_mhz: u64,
    /// Rate of the wire, in Mb/s
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=10000))]
    rate_mbps: u64,
    /// How the NIC orders its work
    #[arg(long, value_enum, default_value_t = Mode::Direct)]
    mode: Mode,
    /// Bytes of the response over the connection that moves
    #[arg(long, default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(4096..=16777216))]
    bytes: u32,
    /// Connections that stay on the host
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=200))]
    host_connections: u32,
    /// Frames in a million that the wire loses, in each direction
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=200000))]
    loss_ppm: u32,
    /// Frames in a million that the wire delivers late, in each direction
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=200000))]
    reorder_ppm: u32,
    /// Core cycles after which an unfinished run has failed
    #[arg(long, default_value_t = 400_000_000, value_parser = clap::value_parser!(u64).range(100_000..))]
    max_cycles: u64,
    /// Core cycles to record in handoff.fst, as FROM..TO; default: a window around the first handoff
    #[arg(long, value_parser = parse_window)]
    trace: Option<Range<u64>>,
    /// Do not record a waveform
    #[arg(long, conflicts_with = "trace")]
    no_trace: bool,
    /// Firmware image, as `cargo xtask firmware` makes it
    #[arg(long, env = "BATON_FIRMWARE")]
    firmware: PathBuf,
    /// Description of the tables of the NIC's P4 program, as `baton p4 compile` writes it; default: that of the
    /// program that the NIC was built of
    #[arg(long, env = "BATON_CONTROL_PLANE")]
    control_plane: Option<PathBuf>,
    /// Folder for the report
    #[arg(long, default_value = "target/demo")]
    output: PathBuf,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Mode {
    /// The core moves every packet, in order of arrival
    Fcfs,
    /// The core moves every packet, those of the host first
    HostFirst,
    /// Hardware moves host packets
    Direct,
}

/// The program that the NIC has unless another one is asked for.
const DEFAULT_PROGRAM: &str = "connection";
/// Core cycles recorded before and after the connection has been handed off.
const WINDOW_BEFORE: u64 = 6_000;
const WINDOW_AFTER: u64 = 6_000;

/// Runs the demo.
pub fn run(args: Args) -> Result<()> {
    let config = config(&args)?;
    let firmware = demo::read_firmware(&args.firmware)?;
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot create {}", args.output.display()))?;
    let report = simulate(&config, VerilatedNic::new(), &firmware, &args.output.join("wire.pcap"))?;
    let json = serde_json::to_string_pretty(&report)? + "\n";
    write(&args.output.join("report.json"), json.as_bytes())?;
    write(&args.output.join("report.html"), report::page(&report)?.as_bytes())?;
    if !args.no_trace {
        trace(&config, &firmware, args.trace.clone().or_else(|| window(&report)), &args.output)?;
    }
    print!("{}", report::summary(&report));
    println!("  {:<34}{}", "report", args.output.join("report.html").display());
    ensure!(
        report.outcome.ok,
        "not every byte arrived intact, or a connection failed; replay with --seed {}",
        args.seed
    );
    Ok(())
}

/// The description of the NIC's control plane: that of its own program, or the one that was named.
fn control_plane(path: Option<&Path>) -> Result<ControlPlane> {
    let Some(path) = path else { return Ok(own_control_plane()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    ControlPlane::parse(&text).with_context(|| path.display().to_string())
}

fn config(args: &Args) -> Result<DemoConfig> {
    let control_plane = control_plane(args.control_plane.as_deref())?;
    let table = control_plane.connections()?;
    Ok(DemoConfig {
        control_plane,
        seed: args.seed,
        clock_hz: args.clock_mhz * 1_000_000,
        rate_bps: args.rate_mbps * 1_000_000,
        mode: match args.mode {
            Mode::Fcfs => SchedMode::Fcfs,
            Mode::HostFirst => SchedMode::HostFirst,
            Mode::Direct => SchedMode::Direct,
        },
        response_bytes: args.bytes,
        host_connections: args.host_connections,
        loss_ppm: args.loss_ppm,
        reorder_ppm: args.reorder_ppm,
        cycles_max: args.max_cycles,
        // A program with the VLAN in its key keeps tenants apart, which is worth seeing.
        tenants: table.is_some_and(|table| table.has_vlan()).then_some([5, 9]),
        // What the default program does with frames, every test of the NIC checks.
        probes: baton_hdl::rx::PROGRAM != DEFAULT_PROGRAM,
        ..DemoConfig::default()
    })
}

fn simulate<N: Nic>(config: &DemoConfig, nic: N, firmware: &[u8], capture: &Path) -> Result<Report> {
    let bar = ProgressBar::new(u64::from(config.response_bytes));
    bar.set_style(ProgressStyle::with_template(
        "{spinner} {bar:40} {bytes}/{total_bytes} checked, {elapsed} ({eta} left)",
    )?);
    let capture = Pcap::create(capture).with_context(|| format!("cannot create {}", capture.display()))?;
    let report = demo::run(
        config,
        nic,
        firmware,
        |system| {
            system.capture(capture);
            Ok(())
        },
        &mut |bytes, _| bar.set_position(bytes),
    );
    bar.finish_and_clear();
    report
}

/// Runs the same simulation in the traced model, as far as the window goes.
fn trace(config: &DemoConfig, firmware: &[u8], window: Option<Range<u64>>, output: &Path) -> Result<()> {
    let Some(cycles) = window else {
        eprintln!("no waveform: the connection was never handed off");
        return Ok(());
    };
    let bar = ProgressBar::new_spinner().with_message("recording handoff.fst");
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let file = output.join("handoff.fst");
    let window = Window { cycles: cycles.clone(), file, period_ps: 1_000_000_000_000 / config.clock_hz };
    let nic = TracedNic::new(VERILOG, Some(window))?;
    let config = DemoConfig { cycles_max: cycles.end + 1, ..config.clone() };
    // The run ends with the window, in mid-stream; what it would report is of no interest.
    demo::run(&config, nic, firmware, |_| Ok(()), &mut |_, _| {})?;
    bar.finish_and_clear();
    Ok(())
}

/// A window around the first handoff.
fn window(report: &Report) -> Option<Range<u64>> {
    let handoff = report.handoffs.first()?.at_cycle;
    Some(handoff.saturating_sub(WINDOW_BEFORE)..handoff + WINDOW_AFTER)
}

pub(super) fn parse_window(text: &str) -> Result<Range<u64>> {
    let (from, to) = text.split_once("..").context("expected FROM..TO, in core cycles")?;
    let window =
        from.trim().parse().context("FROM is no number")?..to.trim().parse().context("TO is no number")?;
    if window.is_empty() {
        bail!("the window is empty");
    }
    Ok(window)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

//! `baton live`: the co-simulated NIC on a Linux TAP.

use super::load_control::LoadControl;
use anyhow::{ensure, Context, Result};
use baton::demo;
use baton::live::{services::ServicePorts, tap::Tap, Handoff, Live, LiveConfig};
use baton_abi::regs::SchedMode;
use baton_cosim::nic::VerilatedNic;
use baton_cosim::wire::Faults;
use baton_tcp::CongestionAlgorithm;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// Put the co-simulated NIC on a Linux TAP, so that curl, wrk or a browser talk to the modelled server
///
/// Makes the TAP interface, gives it --peer-address, and answers on --address: HTTP on --port, echo on port 7, discard
/// on port 9, iperf3 on port 5201. Runs until Ctrl-C or --seconds; a line a second on standard error, a summary as JSON on standard output.
/// Needs root, or a TAP that root has made. In another terminal:
///
///   sudo target/release/baton live --tap baton0 --firmware target/firmware/baton-fw-128-128k.bin
///   curl -o /dev/null http://192.0.2.1/bytes/4194304
///   wrk -c 16 -d 10 http://192.0.2.1/bytes/1000
///
/// docs/live.md says more: what works, how time runs, and how fast it is.
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Name of the TAP interface
    #[arg(long, value_name = "NAME")]
    tap: String,
    /// IPv4 address of the modelled server
    #[arg(long, default_value = "192.0.2.1")]
    address: Ipv4Addr,
    /// Address and prefix length that the kernel's end of the TAP gets
    #[arg(long, default_value = "192.0.2.254/24", conflicts_with = "as_is")]
    peer_address: String,
    /// Leave the interface as it is: someone else gives it an address and turns it on
    #[arg(long)]
    as_is: bool,
    /// Port of the web server
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Port that sends back what it receives; 0 turns it off
    #[arg(long, default_value_t = 7)]
    echo_port: u16,
    /// Port that takes everything and says nothing; 0 turns it off
    #[arg(long, default_value_t = 9)]
    discard_port: u16,
    /// Port for iperf3; 0 turns it off
    #[arg(long, default_value_t = 5201)]
    iperf_port: u16,
    /// Folder whose files the web server has too, read into host memory at the start; without it only /bytes/<N>?seed=<S>
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Largest body of /bytes/<N>, in bytes
    #[arg(long, default_value_t = 16 << 20, value_parser = clap::value_parser!(u32).range(1..=67108864))]
    body_limit: u32,
    /// Which connections the NIC gets
    #[arg(long, value_enum, default_value_t = Policy::FirstCome)]
    handoff: Policy,
    /// With --handoff roving: time between two moves, of one connection each, in milliseconds
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60000))]
    move_ms: u64,
    #[command(flatten)]
    load_control: LoadControl,
    /// How the NIC orders its work
    #[arg(long, value_enum, default_value_t = Mode::Direct)]
    mode: Mode,
    /// Most connections at once
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=2048))]
    connections: u32,
    /// Congestion control of the server
    #[arg(long, value_enum, default_value_t = Congestion::Cubic)]
    congestion: Congestion,
    /// Least retransmission timeout of the server, in milliseconds
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=60000))]
    min_rto_ms: u32,
    /// Rate of the wire in each direction, in Mb/s of the wall clock. What the NIC takes is about a word a microsecond, so
    /// beyond about 30 its memories overflow instead of the kernel's queue
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rate_mbps: u64,
    /// Time that a frame takes from one end of the wire to the other, in microseconds
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=10000000))]
    latency_us: u64,
    /// Frames in a million that the wire loses, in each direction
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=500000))]
    loss_ppm: u32,
    /// Frames in a million that arrive twice
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=500000))]
    duplicate_ppm: u32,
    /// Frames in a million that are held back by up to --delay-us while later ones pass them
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=500000))]
    reorder_ppm: u32,
    /// Frames in a million that arrive with a flipped bit
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=500000))]
    corrupt_ppm: u32,
    /// Frames in a million that are held back by up to --delay-us together with all that follow
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=500000))]
    delay_ppm: u32,
    /// Longest that a frame is held back by --reorder-ppm or --delay-ppm, in microseconds
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1000000))]
    delay_us: u64,
    /// Seed of the faults and of initial sequence numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after so many seconds
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=86400))]
    seconds: Option<u64>,
    /// No line every second
    #[arg(long)]
    quiet: bool,
    /// Firmware image, as `cargo xtask firmware` makes it
    #[arg(long, env = "BATON_FIRMWARE")]
    firmware: PathBuf,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Policy {
    /// None: the host runs all of them
    Never,
    /// First come, first served, while the NIC has room
    FirstCome,
    /// Every connection goes to the NIC and back, again and again
    Roving,
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

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Congestion {
    Newreno,
    Cubic,
}

/// Runs the server until someone stops it.
pub fn run(args: Args) -> Result<()> {
    let config = config(&args)?;
    let firmware = demo::read_firmware(&args.firmware)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot wait for signals")?;
    }
    let tap = Tap::open(&args.tap)?;
    if !args.as_is {
        tap.configure(&args.peer_address)?;
    }
    let mut live = Live::start(config, VerilatedNic::new(), &firmware, tap)?;
    eprintln!("http://{}:{}/ on {}; Ctrl-C stops", args.address, args.port, args.tap);
    let summary = live.run(
        || stop.load(Ordering::Relaxed),
        |rates| {
            if !args.quiet {
                eprintln!("{rates}");
            }
        },
    )?;
    println!("{}", serde_json::to_string_pretty(&summary)?);
    Ok(())
}

fn config(args: &Args) -> Result<LiveConfig> {
    let mut config = LiveConfig::default();
    let ports = [args.port, args.echo_port, args.discard_port, args.iperf_port];
    for (i, port) in ports.iter().enumerate() {
        ensure!(*port == 0 || !ports[..i].contains(port), "port {port} is asked for by two services");
    }
    config.mode = match args.mode {
        Mode::Fcfs => SchedMode::Fcfs,
        Mode::HostFirst => SchedMode::HostFirst,
        Mode::Direct => SchedMode::Direct,
    };
    config.handoff = match args.handoff {
        Policy::Never => Handoff::Never,
        Policy::FirstCome => Handoff::FirstCome,
        Policy::Roving => Handoff::Roving { interval_us: args.move_ms * 1000 },
    };
    config.server.address.ip = args.address.octets();
    config.server.http_port = args.port;
    config.server.body_limit = args.body_limit;
    config.server.connections = args.connections;
    config.server.tcp.min_rto_us = args.min_rto_ms * 1000;
    config.server.tcp.congestion = match args.congestion {
        Congestion::Newreno => CongestionAlgorithm::NewReno,
        Congestion::Cubic => CongestionAlgorithm::Cubic,
    };
    args.load_control.apply(&mut config.server.driver.mailbox)?;
    config.services =
        ServicePorts { echo: args.echo_port, discard: args.discard_port, iperf: args.iperf_port };
    config.folder.clone_from(&args.dir);
    config.rate_bps = args.rate_mbps * 1_000_000;
    config.latency_us = args.latency_us;
    config.faults = Faults {
        loss_ppm: args.loss_ppm,
        corrupt_ppm: args.corrupt_ppm,
        duplicate_ppm: args.duplicate_ppm,
        reorder_ppm: args.reorder_ppm,
        delay_ppm: args.delay_ppm,
        delay_ps: args.delay_us * 1_000_000,
    };
    config.seed = args.seed;
    config.duration = args.seconds.map(Duration::from_secs);
    Ok(config)
}

//! `baton hostlink`: a NIC on a board as a network interface of this machine.

use super::load_control::LoadControl;
use anyhow::{bail, Context, Result};
use baton::hostlink::{
    adapter::{self, Adapter, AdapterStats},
    offload::Offload,
    port::LinkPort,
    socket::{parse_mac, PacketSocket},
};
use baton::live::tap::Tap;
use baton::policy;
use baton::server::DriverConfig;
use baton_cosim::hostlink::LinkConfig;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Use a NIC on a board, at the other end of an Ethernet cable, as a network interface of this machine
///
/// The board's second port is connected to --interface of this machine. The NIC's driver runs in this process, which
/// also is the memory that the NIC reaches by DMA. Frames that the NIC receives appear on the TAP interface, and what
/// the kernel sends there leaves the NIC's first port; its link state is that of the NIC's line. Needs root, or the capabilities
/// cap_net_raw and cap_net_admin. docs/hostlink.md has the protocol.
///
/// The kernel's TCP runs over the interface, and no connection is handed off, but with --offload: connections to its port
/// are opened by the kernel, handed off to the NIC as --policy says, and joined to a server, which may be any:
///
///   python3 -m http.server --bind 127.0.0.1 8080
///   sudo target/release/baton hostlink --interface enp3s0 --address 192.0.2.1/24 --offload 80=127.0.0.1:8080 \
///       --firmware target/firmware/baton-fw-176-96k.bin
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Interface that the board is connected to
    #[arg(long, value_name = "IF")]
    interface: String,
    /// Name of the TAP interface to make
    #[arg(long, value_name = "NAME", default_value = "baton0")]
    tap: String,
    /// Address and prefix length that the TAP gets, such as 192.0.2.1/24; without it the interface is left as it is
    #[arg(long)]
    address: Option<String>,
    /// With --address: link address of the TAP; without, one made from that of the board's host link
    #[arg(long, requires = "address", value_parser = board_address)]
    mac: Option<[u8; 6]>,
    /// Port of the address whose connections the NIC gets, and the server that answers them
    #[arg(long, value_name = "PORT=SERVER:PORT", requires = "address", requires = "firmware", value_parser = offloaded)]
    offload: Option<(u16, SocketAddr)>,
    /// With --offload: which connections are handed off, by the name of a selection policy; NONE leaves all to the host
    #[arg(long, default_value = "FCFS")]
    policy: String,
    /// With --offload: firmware image for the board's core memory, as `cargo xtask firmware` makes it
    #[arg(long, env = "BATON_FIRMWARE")]
    firmware: Option<PathBuf>,
    #[command(flatten)]
    load_control: LoadControl,
    /// Ethernet address of the board's host link; without it any board on the wire is taken
    #[arg(long, value_parser = board_address)]
    board: Option<[u8; 6]>,
    /// Core clock of the board, in MHz
    #[arg(long, default_value_t = 75, value_parser = clap::value_parser!(u32).range(1..=1000))]
    core_mhz: u32,
    /// Seconds to wait for the board
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait: u64,
    /// From a frame to its repetition, in microseconds; a board that is simulated needs more
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(100..=10000000))]
    retry_us: u64,
    /// Stop after so many seconds
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=86400))]
    seconds: Option<u64>,
    /// No line every second; the summary, JSON on standard output, comes at the end in any case
    #[arg(long)]
    quiet: bool,
}

/// How long the end of what is offloaded may take.
const CLOSE: Duration = Duration::from_secs(5);

fn board_address(text: &str) -> Result<[u8; 6], String> {
    parse_mac(text).ok_or_else(|| format!("{text:?} is no Ethernet address, such as 02:ba:00:00:00:02"))
}

/// The NIC's own address: the same whenever the program starts, so that no neighbour has an old one.
fn nic_address(board: [u8; 6]) -> [u8; 6] {
    // Another of the addresses that are given locally (IEEE 802: bit 1 of the first byte).
    let [first, rest @ ..] = board;
    let mut address = [first ^ 4 | 2, 0, 0, 0, 0, 0];
    address[1..].copy_from_slice(&rest);
    address
}

fn offloaded(text: &str) -> Result<(u16, SocketAddr), String> {
    let bad = || format!("{text:?} is no port and server, such as 80=127.0.0.1:8080");
    let (port, server) = text.split_once('=').ok_or_else(bad)?;
    match (port.parse(), server.parse()) {
        (Ok(port), Ok(server)) if port != 0 => Ok((port, server)),
        _ => Err(bad()),
    }
}

/// Listens at the interface's address for the connections that the NIC gets.
fn offload(args: &Args, tap: &Tap) -> Result<Option<Offload>> {
    let Some((port, to)) = args.offload else { return Ok(None) };
    let (Some(address), Some(firmware)) = (&args.address, &args.firmware) else {
        bail!("--offload needs --address and --firmware");
    };
    let ip = address.split('/').next().unwrap_or(address);
    let ip: Ipv4Addr = ip.parse().with_context(|| format!("--offload: {ip:?} is no IPv4 address"))?;
    let image = std::fs::read(firmware)
        .with_context(|| format!("cannot read {}; `cargo xtask firmware` makes it", firmware.display()))?;
    let context = policy::Context { slots: adapter::CONNECTIONS_MAX, ..policy::Context::default() };
    let selection = policy::parse(&args.policy, &context)?;
    Offload::new(tap.address()?, SocketAddrV4::new(ip, port), to, selection, image).map(Some)
}

/// Runs the adapter until someone stops it or the board is gone.
pub fn run(args: &Args) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot wait for signals")?;
    }
    let wire = PacketSocket::open(&args.interface)?;
    let own = wire.address();
    // Random, so that no session is taken for one before it.
    let session = (RandomState::new().hash_one(args.wait) as u32).max(1);
    let config = LinkConfig {
        own,
        board: args.board.unwrap_or([0xFF; 6]),
        session,
        retry_us: args.retry_us,
        ..LinkConfig::default()
    };
    let port = LinkPort::connect(config, wire, adapter::memory(), args.wait * 1_000_000)
        .with_context(|| format!("no host link on {}", args.interface))?;
    let board = port.board();
    let tap = Tap::open(&args.tap)?;
    if let Some(address) = &args.address {
        tap.set_address(args.mac.unwrap_or(nic_address(board)))?;
        tap.configure(address)?;
    }
    let mut driver = DriverConfig { ticks_per_us: args.core_mhz, tso_buffers: 0, ..DriverConfig::default() };
    args.load_control.apply(&mut driver.mailbox)?;
    let offload = offload(args, &tap)?;
    let mut adapter = Adapter::start(port, tap, &driver, offload)?;
    adapter.follow_line()?;
    let board = board.map(|byte| format!("{byte:02x}")).join(":");
    eprintln!("board {board} on {}, interface {}; Ctrl-C stops", args.interface, args.tap);
    serve(args, &mut adapter, || stop.load(Ordering::Relaxed))?;
    adapter.close(CLOSE)?;
    let unsent = adapter.port_mut().wire_mut().unsent;
    println!("{}", serde_json::to_string_pretty(&summary(&adapter.stats(), unsent))?);
    Ok(())
}

/// What was done, for programs.
fn summary(stats: &AdapterStats, unsent: u64) -> serde_json::Value {
    let AdapterStats { driver, link, stack, offload, relay, untaken, unsendable } = stats;
    serde_json::json!({
        "frames": {
            "in": driver.rx_frames,
            "out": driver.tx_frames,
            "not_taken_by_the_kernel": untaken,
            "not_sendable": unsendable,
            "receive_errors": driver.rx_errors,
        },
        "link": {
            "frames_in": link.frames_in,
            "frames_out": link.frames_out,
            "not_sent": unsent,
            "reads": link.reads,
            "writes": link.writes,
            "failed_bursts": link.failed_bursts,
            "write_errors": link.write_errors,
            "dropped": link.dropped,
            "violations": link.violations,
            "duplicates": link.duplicates,
            "gaps": link.gaps,
            "gap_repeats": link.gap_repeats,
            "timeouts": link.timeouts,
            "board_dropped": link.board_dropped,
            "board_repeats": link.board_repeats,
        },
        "offload": {
            "taken": offload.taken,
            "left_to_the_kernel": offload.left,
            "handed_off": stack.handoffs,
            "refused": stack.refused,
            "restored": stack.restores,
            "shed": stack.shed,
            "bytes_in": relay.bytes_in,
            "bytes_out": relay.bytes_out,
            "server_not_reached": relay.unreached,
        },
        "driver": {
            "commands": driver.commands,
            "events": driver.events,
            "doorbells": driver.doorbells,
            "interrupts": driver.interrupts,
            "dma_errors": driver.dma_errors,
        },
    })
}

fn serve(args: &Args, adapter: &mut Adapter<PacketSocket, Tap>, stop: impl Fn() -> bool) -> Result<()> {
    let start = Instant::now();
    let mut told = start;
    let mut last = adapter.stats();
    while !stop() && args.seconds.is_none_or(|most| start.elapsed() < Duration::from_secs(most)) {
        if !adapter.poll()? {
            adapter.port_mut().wait(Duration::from_micros(200));
        }
        if told.elapsed() >= Duration::from_secs(1) {
            told = Instant::now();
            let line = match adapter.follow_line()? {
                Some(true) => "up",
                Some(false) => "down",
                None => "unknown",
            };
            if args.quiet {
                continue;
            }
            let now = adapter.stats();
            eprintln!("{}", status(line, &last, &now, adapter.port_mut().wire_mut().unsent));
            if args.offload.is_some() {
                eprintln!("  {}", offload_status(&now, adapter.load().connections));
            }
            if let Some(why) = adapter.why_left() {
                eprintln!("  a connection stayed with the kernel: {why}");
            }
            last = now;
        }
    }
    Ok(())
}

fn status(line: &str, last: &AdapterStats, now: &AdapterStats, unsent: u64) -> String {
    format!(
        "line {line}; frames in {}, out {}; bursts read {}, written {}, failed {}; link repeats {}, of the board {}, dropped {}, of the board {}, unsent {unsent}",
        now.driver.rx_frames - last.driver.rx_frames,
        now.driver.tx_frames - last.driver.tx_frames,
        now.link.reads - last.link.reads,
        now.link.writes - last.link.writes,
        now.link.failed_bursts,
        now.link.gap_repeats + now.link.timeouts,
        now.link.board_repeats,
        now.link.dropped + now.link.violations,
        now.link.board_dropped,
    )
}

/// Counts since the start, and what the NIC has now.
fn offload_status(now: &AdapterStats, on_nic: u32) -> String {
    format!(
        "connections taken {}, left to the kernel {}, handed off {}, refused {}, back {}, on the NIC {on_nic}; bytes in {}, out {}; server not reached {}",
        now.offload.taken,
        now.offload.left,
        now.stack.handoffs,
        now.stack.refused,
        now.stack.restores,
        now.relay.bytes_in,
        now.relay.bytes_out,
        now.relay.unreached,
    )
}

//! `baton run`: one experiment by the paper's shorthand.

use anyhow::{ensure, Context, Result};
use baton::experiment::{page, run, Capacity, Config, Options, Record};
use baton::profile::counted::{CountedNic, SharedCounter};
use baton::profile::{Counter, Program};
use baton_cosim::nic::{TracedNic, VerilatedNic, Window, VERILOG};
use baton_cosim::pcap::Pcap;
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Run one experiment, named by the paper's shorthand, such as W-1024-P-L-FCFS-400
///
/// The parts are: workload (W World Cup, I IBM-like, D SPECweb99, S SPECweb99-static), most connections on the NIC (0: no
/// handoff), host packets first (P or N), load control (L or N), selection policy (`baton policies` lists them), and MIPS
/// of the NIC. Options override each part. Writes NAME.json and NAME.html to the output folder and prints the metrics.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The configuration
    config: Config,
    #[command(flatten)]
    parts: Parts,
    #[command(flatten)]
    options: OptionArgs,
    /// Firmware image, as `cargo xtask firmware` makes it
    #[arg(long, env = "BATON_FIRMWARE")]
    firmware: PathBuf,
    /// Folder for the record and the page
    #[arg(long, default_value = "target/run")]
    output: PathBuf,
    /// Also write the frames on the wire to this file
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Also record a waveform of --window to this file
    #[arg(long, value_name = "FILE", requires = "window")]
    fst: Option<PathBuf>,
    /// Core cycles of the waveform, as FROM..TO
    #[arg(long, value_name = "FROM..TO", value_parser = super::demo::parse_window, requires = "fst")]
    window: Option<Range<u64>>,
    /// Also write the state of the NIC over time to this file, a JSON object a line
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Also print what the firmware did in the measurement, by kind of work and function; the image's executable (.elf) must lie
    /// beside it
    #[arg(long)]
    profile: bool,
    /// Print nothing but the record's path, and write the record alone to this file: what `reproduce` starts
    #[arg(long, value_name = "FILE", hide = true)]
    record: Option<PathBuf>,
}

/// Replacements for parts of the shorthand.
#[derive(clap::Args, Debug)]
struct Parts {
    /// Workload instead of the shorthand's: W, I, D or S
    #[arg(long, value_parser = |text: &str| text.chars().next().filter(|_| text.len() == 1).and_then(baton::workload::Kind::from_letter).ok_or("W, I, D or S"))]
    workload: Option<baton::workload::Kind>,
    /// Most connections on the NIC
    #[arg(long)]
    connections: Option<u32>,
    /// Whether host packets go first
    #[arg(long)]
    priority: Option<bool>,
    /// Whether the NIC controls its load
    #[arg(long)]
    load_control: Option<bool>,
    /// Selection policy
    #[arg(long)]
    selection: Option<String>,
    /// MIPS of the NIC
    #[arg(long)]
    mips: Option<u32>,
}

impl Parts {
    fn apply(&self, config: &Config) -> Config {
        Config {
            workload: self.workload.unwrap_or(config.workload),
            connections: self.connections.unwrap_or(config.connections),
            priority: self.priority.unwrap_or(config.priority),
            load_control: self.load_control.unwrap_or(config.load_control),
            selection: self.selection.clone().unwrap_or_else(|| config.selection.clone()),
            mips: self.mips.unwrap_or(config.mips),
        }
    }
}

/// What determines a run beside its configuration.
#[derive(clap::Args, Debug, Clone)]
pub struct OptionArgs {
    /// Seed of everything that is random
    #[arg(long, default_value_t = Options::default().seed)]
    seed: u64,
    /// Packets to measure, both directions together (the paper: 600000)
    #[arg(long, default_value_t = Options::default().packets)]
    packets: u64,
    /// Packets before the measurement begins (the paper: 400000); default: two thirds of --packets
    #[arg(long)]
    warmup: Option<u64>,
    /// How much the softcore does at its MIPS
    #[arg(long, value_enum, default_value_t = Options::default().capacity)]
    capacity: Capacity,
    /// Clock of the NIC in MHz, instead of the MIPS
    #[arg(long)]
    core_mhz: Option<u32>,
    /// Cycles of 65536 in which the softcore runs, instead of what --capacity says
    #[arg(long)]
    core_cycles: Option<u32>,
    /// Simultaneous clients, instead of the paper's 2048 (S: 4096)
    #[arg(long)]
    clients: Option<u32>,
    /// Replay this trace, of the World Cup 98 logs' binary or the Common Log Format
    #[arg(long)]
    trace: Option<PathBuf>,
    /// High watermark of the NIC receive queue, in packets
    #[arg(long, default_value_t = Options::default().hiwat)]
    hiwat: u32,
    /// Low watermark
    #[arg(long, default_value_t = Options::default().lowat)]
    lowat: u32,
    /// Hardware moves host packets, whatever the priority says
    #[arg(long)]
    direct: bool,
    /// The server's software costs no time
    #[arg(long)]
    free_server: bool,
    /// How many times faster than the simulation the clients' clocks run; smoltcp waits a second before it retransmits
    #[arg(long, default_value_t = Options::default().client_time_scale)]
    client_time_scale: u64,
    /// Seconds that a client waits for the answer to its first SYN: 3 in the paper's year (RFC 2988), 1 since 2011 (RFC 6298)
    #[arg(long, value_name = "SECONDS", default_value_t = Options::default().client_first_timeout)]
    client_first_timeout: u32,
    /// Least retransmission timeout of server and NIC, in milliseconds: FreeBSD 4.7 had a second, later versions 230
    #[arg(long, value_name = "MILLISECONDS", default_value_t = Options::default().min_rto_ms)]
    min_rto: u32,
    /// Frames of the host that wait for the NIC at most: what is more is lost, as with a BSD's interface queue; 0: TCP waits for room
    #[arg(long, value_name = "FRAMES", default_value_t = Options::default().send_queue)]
    send_queue: u32,
}

impl OptionArgs {
    pub fn options(&self) -> Options {
        Options {
            seed: self.seed,
            warmup_packets: self.warmup.unwrap_or(self.packets * 2 / 3),
            packets: self.packets,
            capacity: self.capacity,
            core_mhz: self.core_mhz,
            core_cycles: self.core_cycles,
            clients: self.clients,
            trace: self.trace.clone(),
            hiwat: self.hiwat,
            lowat: self.lowat,
            direct: self.direct,
            free_server: self.free_server,
            client_time_scale: self.client_time_scale,
            client_first_timeout: self.client_first_timeout,
            min_rto_ms: self.min_rto,
            send_queue: self.send_queue,
        }
    }
}

/// Runs the experiment.
pub fn run(args: Args) -> Result<()> {
    let config = args.parts.apply(&args.config);
    let options = args.options.options();
    let firmware = run::firmware(&args.firmware)?;
    if let Some(path) = &args.record {
        return record_only(&config, &options, &firmware, path);
    }
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot create {}", args.output.display()))?;
    let program = args.profile.then(|| Program::beside(&args.firmware)).transpose()?;
    let counter = SharedCounter::default();
    let record = with_bar(&config, &options, &firmware, args.pcap.as_deref(), program.as_ref(), &counter)?;
    let path = args.output.join(config.to_string());
    write(&path.with_extension("json"), &(serde_json::to_string_pretty(&record)? + "\n"))?;
    write(&path.with_extension("html"), &page::run(&record)?)?;
    if let Some(log) = &args.log {
        let lines: Result<Vec<String>, _> = record.series.iter().map(serde_json::to_string).collect();
        write(log, &(lines?.join("\n") + "\n"))?;
    }
    if let (Some(file), Some(window)) = (args.fst, args.window) {
        trace(&config, &options, &firmware, file, window)?;
    }
    print!("{}", record.summary());
    if let Some(counter) = &*counter.borrow() {
        super::profile::print_kinds(counter.kinds());
        super::profile::print_functions(&counter.functions(), 20);
    }
    println!("  page: {}", path.with_extension("html").display());
    ensure!(record.failures.is_empty(), "the run failed; replay with --seed {}", options.seed);
    Ok(())
}

fn with_bar<'p>(
    config: &Config,
    options: &Options,
    firmware: &[u8],
    pcap: Option<&Path>,
    program: Option<&'p Program>,
    counter: &SharedCounter<'p>,
) -> Result<Record> {
    let bar = ProgressBar::new(options.packets + options.warmup_packets);
    bar.set_style(ProgressStyle::with_template(
        "{msg} {bar:40} {pos}/{len} packets, {elapsed} ({eta} left)",
    )?);
    bar.set_message(config.to_string());
    let nic = CountedNic::new(VerilatedNic::new(), Rc::clone(counter));
    let mut world = run::Run::new(config, options, nic, firmware)?;
    if let Some(path) = pcap {
        world
            .system_mut()
            .capture(Pcap::create(path).with_context(|| format!("cannot create {}", path.display()))?);
    }
    let mut next = program.map(Counter::new).transpose()?;
    let record = world.play(&mut |packets, _| {
        bar.set_position(packets);
        if packets >= options.warmup_packets && next.is_some() {
            *counter.borrow_mut() = next.take();
        }
    });
    bar.finish_and_clear();
    record
}

/// A process of `reproduce`: progress as numbers a line, the record to a file that appears at once and whole.
fn record_only(config: &Config, options: &Options, firmware: &[u8], path: &Path) -> Result<()> {
    let mut told = 0;
    let record =
        run::Run::new(config, options, VerilatedNic::new(), firmware)?.play(&mut |packets, all| {
            if packets >= told {
                println!("{packets} {all}");
                told = packets + all / 200;
            }
        })?;
    let partial = path.with_extension("partial");
    write(&partial, &(serde_json::to_string_pretty(&record)? + "\n"))?;
    std::fs::rename(&partial, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Runs the same simulation in the traced model, as far as the window goes.
fn trace(
    config: &Config,
    options: &Options,
    firmware: &[u8],
    file: PathBuf,
    cycles: Range<u64>,
) -> Result<()> {
    let period_ps = 1_000_000 / u64::from(options.core_mhz(config));
    let end = cycles.end + 1;
    let nic = TracedNic::new(VERILOG, Some(Window { cycles, file, period_ps }))?;
    run::Run::new(config, options, nic, firmware)?.play_cycles(end)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton::experiment::jobs::{Cache, Job};
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn the_process_of_a_job_gets_every_option() {
        let folder = std::env::temp_dir().join(format!("baton-job-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("file");
        std::fs::write(&file, "executable, image and trace").unwrap();
        // Each differs from its default.
        let options = Options {
            seed: 2,
            warmup_packets: 300,
            packets: 400,
            capacity: Capacity::AsIs,
            core_mhz: Some(99),
            core_cycles: Some(98),
            clients: Some(97),
            trace: Some(file.clone()),
            hiwat: 96,
            lowat: 95,
            direct: true,
            free_server: true,
            client_time_scale: 94,
            client_first_timeout: 10,
            min_rto_ms: 93,
            send_queue: 92,
        };
        let job = Job { config: "W-1-P-L-FCFS-400".parse().unwrap(), options };
        let words = Cache::open(&folder, &file, &file).unwrap().command(&job).unwrap();
        let Command { args } = Command::try_parse_from(&words[1..]).unwrap();
        assert_eq!((args.parts.apply(&args.config), args.options.options()), (job.config, job.options));
        std::fs::remove_dir_all(folder).unwrap();
    }
}

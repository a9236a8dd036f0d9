//! `baton p4 run`: packets from a capture file through the interpreter.

use super::{color, verdict, SourceArgs};
use anyhow::{Context, Result};
use baton_p4::diag::write_colored;
use baton_p4::interpreter::{pcap, Entries, Interpreter, Outcome};
use baton_p4::pre::Disk;
use serde::Serialize;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The hardware counts a packet's bytes in 16 bits.
const MAX_PACKET_BYTES: usize = 65_535;

#[derive(clap::Args, Debug)]
pub struct RunArgs {
    /// The P4 program.
    program: PathBuf,
    /// The packets: a pcap file of Ethernet frames, of either byte order, with stamps in micro- or nanoseconds.
    #[arg(long, value_name = "FILE.pcap")]
    packets: PathBuf,
    /// What the control plane has put into the tables. Without it they are empty.
    #[arg(long, value_name = "FILE.json")]
    entries: Option<PathBuf>,
    /// A table to read, or a JSON object on a line for each packet.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// A line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    /// Counted from 1, as Wireshark does.
    packet: usize,
    length: usize,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let checked = match baton_p4::check(&args.program, &args.source.options(), &Disk) {
        Ok(checked) => checked,
        Err(error) => {
            eprintln!("error: couldn't read `{}`: {error}", args.program.display());
            return Ok(ExitCode::FAILURE);
        }
    };
    let parsed = &checked.parsed;
    write_colored(&parsed.diagnostics, &parsed.sources, color())?;
    if checked.ir.is_none() {
        eprintln!("{}", verdict(&parsed.diagnostics, false));
        return Ok(ExitCode::FAILURE);
    }
    let result = read(&args.packets).and_then(|capture| {
        let frames = frames(&capture).with_context(|| format!("`{}`", args.packets.display()))?;
        let interpreter = match &args.entries {
            None => Interpreter::new(parsed, &Entries::default())?,
            Some(path) => {
                let json = String::from_utf8(read(path)?).map_err(|_| anyhow::anyhow!("not UTF-8"));
                json.and_then(|json| Ok(Interpreter::new(parsed, &Entries::from_json(&json)?)?))
                    .with_context(|| format!("`{}`", path.display()))?
            }
        };
        print(&interpreter, &frames, args.format)
    });
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("error: {error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("couldn't read `{}`", path.display()))
}

fn frames(capture: &[u8]) -> Result<Vec<&[u8]>> {
    let frames = pcap::frames(capture)?;
    if let Some(index) = frames.iter().position(|frame| frame.len() > MAX_PACKET_BYTES) {
        anyhow::bail!(
            "packet {} has {} bytes; a NIC takes {MAX_PACKET_BYTES} at most",
            index + 1,
            frames[index].len()
        );
    }
    Ok(frames)
}

fn print(interpreter: &Interpreter, frames: &[&[u8]], format: Format) -> Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let printed = match format {
        Format::Json => json(interpreter, frames, &mut out),
        Format::Text => text(interpreter, frames, &mut out),
    };
    match printed.and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

fn json(interpreter: &Interpreter, frames: &[&[u8]], out: &mut impl Write) -> std::io::Result<()> {
    for (index, frame) in frames.iter().enumerate() {
        let outcome = interpreter.run(frame);
        serde_json::to_writer(
            &mut *out,
            &Line { packet: index + 1, length: frame.len(), outcome: &outcome },
        )?;
        writeln!(out)?;
    }
    Ok(())
}

fn text(interpreter: &Interpreter, frames: &[&[u8]], out: &mut impl Write) -> std::io::Result<()> {
    let (mut connections, mut host, mut dropped) = (0, 0, 0);
    writeln!(
        out,
        "{:>6} {:>6}  {:<17} {:>5} {:>5}  {:<19} {:>7} {:>9} {:>7}  headers",
        "packet", "bytes", "goes to", "queue", "class", "parser error", "network", "transport", "payload"
    )?;
    for (index, frame) in frames.iter().enumerate() {
        let outcome = interpreter.run(frame);
        // Priority as the architecture has it: `drop` wins over `hit`.
        let (goes_to, queue) = match (outcome.drop, outcome.hit) {
            (true, _) => ("nowhere (dropped)".into(), "-".into()),
            (_, true) => (format!("connection {}", outcome.connection), "-".into()),
            _ => ("host".into(), outcome.queue.to_string()),
        };
        *match (outcome.drop, outcome.hit) {
            (true, _) => &mut dropped,
            (_, true) => &mut connections,
            _ => &mut host,
        } += 1;
        let offset = |offset: u16| if offset == 0 { "-".into() } else { offset.to_string() };
        let headers: Vec<String> =
            outcome.headers.iter().map(|header| format!("{}@{}", header.name, header.offset)).collect();
        let error = if outcome.parser_error_code == 0 { "-" } else { &outcome.parser_error };
        writeln!(
            out,
            "{:>6} {:>6}  {goes_to:<17} {queue:>5} {:>5}  {error:<19} {:>7} {:>9} {:>7}  {}",
            index + 1,
            frame.len(),
            outcome.class_of_service,
            offset(outcome.network_offset),
            offset(outcome.transport_offset),
            offset(outcome.payload_offset),
            headers.join(" ")
        )?;
    }
    let packets = if frames.len() == 1 { "packet" } else { "packets" };
    writeln!(
        out,
        "{} {packets}: {connections} to connections, {host} to the host, {dropped} dropped",
        frames.len()
    )
}

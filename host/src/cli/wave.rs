//! `baton wave`: a picture of a waveform.

use anyhow::{Context, Result};
use baton::experiment::wave;
use std::path::PathBuf;

/// Draw signals of an FST waveform as SVG
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The waveform, such as target/demo/handoff.fst
    file: PathBuf,
    /// Parts of the signals' full names, with commas between; default: the outermost scope
    #[arg(long, value_delimiter = ',')]
    signals: Vec<String>,
    /// Start of the window, in the file's units of time
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// End of the window; default: the end of the file
    #[arg(long)]
    to: Option<u64>,
    /// Where the picture goes; default: beside the waveform
    #[arg(long)]
    output: Option<PathBuf>,
}

/// Draws it.
pub fn run(args: &Args) -> Result<()> {
    let (traces, from, to) = wave::read(&args.file, &args.signals, args.from, args.to)?;
    let output = args.output.clone().unwrap_or_else(|| args.file.with_extension("svg"));
    std::fs::write(&output, wave::svg(&traces, from, to))
        .with_context(|| format!("cannot write {}", output.display()))?;
    println!("{} signals from {from} to {to}: {}", traces.len(), output.display());
    Ok(())
}

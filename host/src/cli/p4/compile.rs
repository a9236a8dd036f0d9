//! `baton p4 compile`: hardware and control-plane description of a program.

use super::{color, verdict, SourceArgs};
use anyhow::{Context, Result};
use baton_p4::{diag::write_colored, hardware, pre::Disk};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(clap::Args, Debug)]
pub struct CompileArgs {
    /// The P4 program.
    program: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    /// Write the files into this folder, which is made if it is not there.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Treat warnings as errors.
    #[arg(long)]
    deny_warnings: bool,
}

pub fn run(args: &CompileArgs) -> Result<ExitCode> {
    let mut checked = match baton_p4::check(&args.program, &args.source.options(), &Disk) {
        Ok(checked) => checked,
        Err(error) => {
            eprintln!("error: couldn't read `{}`: {error}", args.program.display());
            return Ok(ExitCode::FAILURE);
        }
    };
    let diagnostics = &mut checked.parsed.diagnostics;
    let hardware = checked.ir.as_ref().and_then(|ir| hardware::compile(ir, diagnostics));
    let rust_hdl = match hardware.as_ref().map(|hardware| hardware.rust_hdl()) {
        Some(Err(diagnostic)) => {
            diagnostics.push(*diagnostic);
            None
        }
        Some(Ok(text)) => Some(text),
        None => None,
    };
    write_colored(diagnostics, &checked.parsed.sources, color())?;
    let denied = args.deny_warnings && diagnostics.warning_count() > 0;
    let (Some(hardware), Some(rust_hdl), false) = (hardware, rust_hdl, denied) else {
        eprintln!("{}", verdict(diagnostics, denied));
        return Ok(ExitCode::FAILURE);
    };
    fs::create_dir_all(&args.output).with_context(|| format!("cannot make {}", args.output.display()))?;
    let notice = format!("// Written by `baton p4 compile` from {}.\n\n", args.program.display());
    write(&args.output, "classifier.v", &(notice.clone() + &hardware.verilog("")))?;
    write(&args.output, "classifier.rs", &(notice + &rust_hdl))?;
    write(&args.output, "control-plane.json", &hardware.control_plane.to_json())?;
    println!(
        "{}: a parser of {} nodes, {} key words, {} bits carried over the lookup; written to {}",
        args.program.display(),
        hardware.parser_nodes,
        hardware.key_words,
        hardware.carry_bits,
        args.output.display()
    );
    Ok(ExitCode::SUCCESS)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

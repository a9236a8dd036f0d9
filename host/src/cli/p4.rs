//! `baton p4`: the compiler of P4 programs.

mod compile;
mod run;

use anyhow::Result;
use baton_p4::diag::{write_colored, Diagnostics};
use baton_p4::ir;
use baton_p4::pre::{Disk, Options};
use codespan_reporting::term::termcolor::ColorChoice;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Work with the P4 programs that say what the NIC recognises on receive.
///
/// A program is one parser and one control with match-action tables, written in a subset of P4-16 (version
/// 1.2.5) against the architecture in <baton.p4>. docs/p4.md describes the subset and how to write a program; the
/// programs in p4/programs are examples, connection.p4 being the default NIC.
#[derive(clap::Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Check a program, and say what is wrong with it and where.
    ///
    /// Prints a line of what the program has if it is right, and exits with 0. Else prints every error with the
    /// source line and a caret under the fault, and exits with 1. A construct outside of the subset is an
    /// error too: nothing is ignored.
    #[command(after_help = "Examples:\n  \
        baton p4 check p4/programs/connection.p4\n  \
        baton p4 check -D CONNECTIONS=1024 -I ../headers my_nic.p4\n\n\
        Files that every program can include: <core.p4> (the P4-16 core library) and <baton.p4> (the architecture).")]
    Check(CheckArgs),
    /// Run packets through a program, and print what becomes of each.
    ///
    /// The program is interpreted, as the language specification says, with no hardware: this shows what a NIC that
    /// is made of it does with the packets of a capture. For each packet: the connection that it belongs to, or
    /// the host's queue and the class; the parser error; where the headers are, in bytes from the start of the
    /// frame. Exits with 1, and the reason, if the program, the capture or an entry is not right.
    #[command(after_help = "Examples:\n  \
        baton p4 run p4/programs/priority.p4 --packets wire.pcap\n  \
        baton p4 run p4/programs/connection.p4 --packets wire.pcap --entries entries.json --format json\n\n\
        An entries file (docs/p4.md has the whole format):\n  \
        { \"entries\": [\n    \
        { \"table\": \"connections\",\n      \
        \"key\": { \"remote_addr\": \"192.0.2.1\", \"local_addr\": \"198.51.100.7\",\n               \
        \"remote_port\": 49152, \"local_port\": \"0x50\" },\n      \
        \"action\": \"to_connection\", \"params\": { \"connection\": 5 } } ] }")]
    Run(run::RunArgs),
    /// Make the hardware of a program.
    ///
    /// Writes three files: classifier.v, the classifier and the resolver as Verilog; classifier.rs, the same as
    /// Rust-HDL, which is what the NIC is built with; control-plane.json, which describes the tables: keys and where
    /// they lie, actions and their parameters, sizes. Exits with 1, and the reason, for a program that is not right, or
    /// that the hardware cannot have. `cargo xtask demo --p4 PROGRAM` builds a whole NIC of it.
    #[command(after_help = "Example:\n  baton p4 compile p4/programs/tenant.p4 -o target/tenant")]
    Compile(compile::CompileArgs),
}

#[derive(clap::Args, Debug)]
struct CheckArgs {
    /// The P4 program.
    program: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    /// Treat warnings as errors.
    #[arg(long)]
    deny_warnings: bool,
}

/// How a program's text is found, as C compilers have it.
#[derive(clap::Args, Debug)]
struct SourceArgs {
    /// Look here for included files, after the directory of the file that includes.
    #[arg(short = 'I', value_name = "DIR")]
    include: Vec<PathBuf>,
    /// Define a macro; without a value it is 1.
    #[arg(short = 'D', value_name = "NAME[=VALUE]", value_parser = parse_define)]
    define: Vec<(String, String)>,
}

impl SourceArgs {
    fn options(&self) -> Options {
        Options { include_paths: self.include.clone(), defines: self.define.clone() }
    }
}

fn parse_define(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, "1"));
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match is_name && !value.contains('\n') {
        true => Ok((name.into(), value.into())),
        false => Err("expected NAME or NAME=VALUE on one line".into()),
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        Command::Check(args) => check(args),
        Command::Run(args) => run::run(args),
        Command::Compile(args) => compile::run(args),
    }
}

fn check(args: &CheckArgs) -> Result<ExitCode> {
    let checked = match baton_p4::check(&args.program, &args.source.options(), &Disk) {
        Ok(checked) => checked,
        Err(error) => {
            eprintln!("error: couldn't read `{}`: {error}", args.program.display());
            return Ok(ExitCode::FAILURE);
        }
    };
    let diagnostics = &checked.parsed.diagnostics;
    write_colored(diagnostics, &checked.parsed.sources, color())?;
    let denied = args.deny_warnings && diagnostics.warning_count() > 0;
    match &checked.ir {
        Some(ir) if !denied => {
            println!("{}", summary(&args.program, ir));
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{}", verdict(diagnostics, denied));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn color() -> ColorChoice {
    match std::io::stderr().is_terminal() {
        true => ColorChoice::Auto,
        false => ColorChoice::Never,
    }
}

/// The last line after errors, as rustc's.
fn verdict(diagnostics: &Diagnostics, denied: bool) -> String {
    let count = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    let warnings = diagnostics.warning_count();
    match (diagnostics.error_count(), warnings) {
        (0, warnings) if denied => {
            format!("error: aborting due to {}, which --deny-warnings denies", count(warnings, "warning"))
        }
        (errors, 0) => format!("error: aborting due to {}", count(errors, "previous error")),
        (errors, warnings) => {
            format!(
                "error: aborting due to {}; {} emitted",
                count(errors, "previous error"),
                count(warnings, "warning")
            )
        }
    }
}

fn summary(program: &Path, ir: &ir::Program) -> String {
    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let keys: u32 = ir.control.tables.iter().flat_map(|t| &t.keys).map(|key| key.expr.ty.width()).sum();
    format!(
        "{}: {}, {}, {} with {keys} key bits, {}",
        program.display(),
        count(ir.headers.len(), "header", "headers"),
        count(ir.parser.states.len(), "parser state", "parser states"),
        count(ir.control.tables.len(), "table", "tables"),
        count(ir.control.actions.len(), "table action", "table actions"),
    )
}

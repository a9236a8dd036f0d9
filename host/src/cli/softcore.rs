//! `baton softcore`: programs on the bare softcore.

use anyhow::{anyhow, Context, Result};
use baton_cosim::softcore::{Image, Outcome, Softcore};
use std::{fs, path::PathBuf, process::ExitCode};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Run an ELF executable until it stores to a given address.
    ///
    /// The exit status is 0 if the word stored is 1; 1 if it is another, which is printed; and 2 if the program did
    /// not end in time or could not be run. docs/softcore.md has the memory map.
    Run(RunArgs),
}

#[derive(clap::Args, Debug)]
struct RunArgs {
    /// A 32-bit RISC-V executable (rv32im, ilp32).
    file: PathBuf,
    /// Address of the word whose store ends the program, hexadecimal after 0x.
    #[arg(long, value_parser = address)]
    tohost: u32,
    /// Give up after so many clock cycles.
    #[arg(long, default_value_t = 100_000_000)]
    max_cycles: u64,
}

fn address(text: &str) -> Result<u32, String> {
    let digits = text.replace('_', "");
    let parsed = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    parsed.map_err(|error| format!("{error}; an address is a number such as 0x80001000"))
}

pub fn run(args: &Args) -> ExitCode {
    let Command::Run(args) = &args.command;
    match execute(args) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn execute(args: &RunArgs) -> Result<u8> {
    let name = args.file.display();
    let file = fs::read(&args.file).with_context(|| format!("cannot read {name}"))?;
    let image = Image::parse(&file).with_context(|| format!("cannot load {name}"))?;
    let mut core = Softcore::new(&image).with_context(|| format!("cannot run {name}"))?;
    let run = core.run(args.tohost, args.max_cycles)?;
    let took = format!("{} instructions in {} cycles", run.instructions, run.cycles);
    match run.outcome {
        Outcome::Stored(1) => {
            println!("passed: {took}");
            Ok(0)
        }
        Outcome::Stored(word) => {
            println!("failed: tohost is {word} ({word:#x}) after {took}");
            Ok(1)
        }
        Outcome::OutOfCycles { pc } => Err(anyhow!(
            "{name} stored nothing to {:#010x} within the {} cycles allowed (--max-cycles); it last was at {pc:#010x}, after \
             {} instructions",
            args.tohost,
            args.max_cycles,
            run.instructions
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_are_hexadecimal_or_decimal() {
        assert_eq!(address("0x8000_1000"), Ok(0x8000_1000));
        assert_eq!(address("64"), Ok(64));
        assert!(address("tohost").unwrap_err().contains("0x80001000"));
        assert!(address("0x1_0000_0000").is_err());
    }
}

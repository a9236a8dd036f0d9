//! `baton registers`: the register map of either bus, from the same table as decoders and documents.

use std::io::{self, Write};

use anyhow::Result;
use baton_abi::{mmio, regs, Access};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print the softcore's device registers instead.
    #[arg(long)]
    core: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let mut out = io::stdout().lock();
    for block in if args.core { mmio::BLOCKS } else { regs::BLOCKS } {
        writeln!(out, "{}:{}", block.name, block.doc)?;
        for register in block.registers {
            let access = match register.access {
                Access::ReadOnly => "r-",
                Access::ReadWrite => "rw",
                Access::WriteOnly => "-w",
                Access::WriteOneToClear => "rc",
            };
            let name = match register.count {
                1 => register.name.to_string(),
                count => format!("{}[{count}]", register.name),
            };
            writeln!(out, "  {:#06x}  {access}  {name:<24}{}", register.address, register.doc)?;
        }
    }
    Ok(())
}

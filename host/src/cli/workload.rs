//! `baton workload`: what a workload asks for, and the facts of the paper's Figure 4. `baton policies`: their names.

use anyhow::Result;
use baton::workload::facts::Facts;
use baton::workload::Kind;
use std::path::PathBuf;

/// Describe workloads and check the facts about connection lifetimes that the paper's Figure 4 states
#[derive(clap::Args, Debug)]
pub struct Args {
    /// W, I, D or S; all if none is named
    #[arg(value_parser = parse_kind)]
    workload: Option<Kind>,
    /// Seed of the generator
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Replay this trace instead of generating requests
    #[arg(long, requires = "workload")]
    trace: Option<PathBuf>,
    /// Connections to look at; default: 20000, or those of the trace
    #[arg(long)]
    connections: Option<usize>,
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    let mut letters = text.chars();
    match (letters.next().and_then(Kind::from_letter), letters.next()) {
        (Some(kind), None) => Ok(kind),
        _ => Err("expected W, I, D or S".into()),
    }
}

/// Prints the facts.
pub fn run(args: &Args) -> Result<()> {
    let kinds = args.workload.map_or(Kind::ALL.to_vec(), |kind| vec![kind]);
    for kind in kinds {
        let facts = match &args.trace {
            Some(path) => {
                let replay = baton::workload::trace::Replay::open(path)?;
                let sessions = replay.sessions();
                Facts::of_sessions(
                    &sessions[..args.connections.unwrap_or(sessions.len()).clamp(1, sessions.len())],
                )
            }
            None => {
                let mut workload = kind.start(args.seed, kind.clients(), None)?;
                println!("{}: {}", kind.letter(), workload.describe());
                Facts::of(&mut *workload, args.connections.unwrap_or(20_000))
            }
        };
        println!(
            "  {} connections: {:.2} requests and {:.2} packets each, {:.0} bytes a response",
            facts.connections, facts.requests_mean, facts.packets_mean, facts.bytes_mean
        );
        for (statement, value, holds) in facts.statements(kind == Kind::WorldCup) {
            println!("  {statement:<60}{value:>7.1} %  {}", if holds { "holds" } else { "does not hold" });
        }
    }
    Ok(())
}

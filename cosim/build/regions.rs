//! The verilated model as a list of *regions*: functions of which each runs when one of its clocks has risen.
//!
//! Verilator writes one function that tests the triggers of each region in order. `dut.h` calls that function by itself
//! and takes the triggers from the gates. It may do so as long as nothing else happens in an evaluation: no logic that
//! follows inputs at once, and none in the active region. [`Regions::of`] refuses a model of another shape.
//!
//! Few gates are raised in a cycle, so most tests fail. [`Regions::evaluation`] is the same function with neighbours behind a
//! common test.

use anyhow::{ensure, Context, Result};
use std::fmt::Write;

const EVALUATE: &str = "Vdut___024root___eval_nba";
const TEST: &str = "    if ((";
const TRIGGERS: &str = "ULL & vlSelfRef.__VnbaTriggered[0U])) {";

/// A function and the triggers that call it, as bits.
struct Region<'a> {
    triggers: u64,
    name: &'a str,
    body: &'a str,
}

/// The regions of a model in the order in which they run.
pub struct Regions<'a> {
    text: &'a str,
    regions: Vec<Region<'a>>,
}

impl<'a> Regions<'a> {
    /// Reads the C++ text of a model, but for what runs only once.
    ///
    /// # Errors
    /// When the model is not a list of regions and nothing else.
    pub fn of(text: &'a str) -> Result<Self> {
        for part in ["___ico_sequent__", "___act_"] {
            ensure!(
                !text.contains(&format!("Vdut___024root{part}")),
                "dut.h has no call for `{part}` of the model"
            );
        }
        let list = body(text, EVALUATE)?;
        let mut regions = Vec::new();
        let mut lines = list.lines().skip_while(|line| !line.contains("// Body")).skip(1);
        while let Some(line) = lines.next() {
            let triggers = line.strip_prefix(TEST).and_then(|rest| rest.strip_suffix(TRIGGERS));
            let triggers =
                triggers.with_context(|| format!("`{line}` in {EVALUATE} is no test of a trigger"))?;
            let triggers = number(triggers).with_context(|| format!("`{triggers}` is no set of triggers"))?;
            for line in lines.by_ref().take_while(|line| *line != "    }") {
                let name = line.trim().strip_suffix("(vlSelf);");
                let name = name.with_context(|| format!("`{line}` in {EVALUATE} calls no region"))?;
                regions.push(Region { triggers, name, body: body(text, name)? });
            }
        }
        ensure!(!regions.is_empty(), "{EVALUATE} has no regions");
        Ok(Regions { text, regions })
    }

    /// The triggers whose regions assign to an output of the model.
    ///
    /// # Errors
    /// When anything else assigns to it.
    pub fn triggers_of(&self, output: &str) -> Result<u64> {
        let assigns = format!(" vlSelfRef.{output} = ");
        let count = |text: &str| text.matches(&assigns).count();
        let writers = self.regions.iter().filter(|region| count(region.body) > 0);
        let (triggers, inside) =
            writers.fold((0, 0), |(bits, sum), region| (bits | region.triggers, sum + count(region.body)));
        ensure!(inside == count(self.text), "output {output} changes outside the regions");
        Ok(triggers)
    }
}

/// The chance that a gate is raised in a cycle, about as the NIC's are under load.
const RAISED: f64 = 0.1;

impl Regions<'_> {
    /// A source text of the model with the function that evaluates it written anew, if it has that function.
    pub fn rewrite(&self, source: &str) -> Option<String> {
        let old = body(source, EVALUATE).ok()?;
        Some(source.replacen(old, &self.evaluation(), 1))
    }

    /// The regions in their order, each behind its test and runs of them behind one more where that takes the fewest tests.
    fn evaluation(&self) -> String {
        let mut text = String::from("    const uint64_t fire = vlSelf->__VnbaTriggered[0U];\n");
        for run in self.runs() {
            let common = run.iter().fold(0, |all, region| all | region.triggers);
            let _ = writeln!(text, "    if (fire & {common:#x}ULL) {{");
            for Region { triggers, name, .. } in run {
                let test = if *triggers == common {
                    String::new()
                } else {
                    format!("if (fire & {triggers:#x}ULL) ")
                };
                let _ = writeln!(text, "        {test}{name}(vlSelf);");
            }
            text.push_str("    }\n");
        }
        text
    }

    /// Cuts the list into runs with the least sum of expected tests.
    fn runs(&self) -> Vec<&[Region<'_>]> {
        let count = self.regions.len();
        // The cost of the first regions, and where the last of their runs begins.
        let mut best = vec![(0.0, 0)];
        for end in 1..=count {
            let mut triggers = 0u64;
            let costs = (0..end).rev().map(|start| {
                triggers |= self.regions[start].triggers;
                let enters = 1.0 - (1.0 - RAISED).powi(triggers.count_ones() as i32);
                let inside = if end - start == 1 { 0.0 } else { enters * (end - start) as f64 };
                (best[start].0 + 1.0 + inside, start)
            });
            let least = costs.min_by(|(one, _), (other, _)| one.total_cmp(other));
            best.push(least.expect("a run has a beginning"));
        }
        let mut runs = Vec::new();
        let mut end = count;
        while end > 0 {
            let start = best[end].1;
            runs.push(&self.regions[start..end]);
            end = start;
        }
        runs.reverse();
        runs
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The lines of function `name`.
fn body<'a>(text: &'a str, name: &str) -> Result<&'a str> {
    let start = format!("void {name}(Vdut___024root* vlSelf) {{\n");
    let (_, rest) = text.split_once(&start).with_context(|| format!("the model has no function {name}"))?;
    let (body, _) = rest.split_once("\n}\n").with_context(|| format!("function {name} does not end"))?;
    Ok(body)
}

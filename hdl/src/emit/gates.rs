//! A second text of a circuit, for simulation: parts of it whose registers would all keep their values get no clock
//! edge.
//!
//! In most cycles most of a circuit rests. Each module therefore says, in a wire `moves$`, whether any of its registers
//! would change at the next edge, and its clock is one of several inputs of a wrapper, the *gates*. Whoever simulates
//! raises the gates of the modules that move, and no others; a simulator that schedules by clocks then evaluates only
//! what can have changed. Leaving out an edge at which nothing would change is no change of behaviour, whatever else
//! happens in that cycle, so the condition may be too weak (an edge too many) but never too strong.
//!
//! The text has no reset: it begins as after one. A register that changes in nearly every cycle ([`crate::kit::Ticker`])
//! has the gate [`TICKS`], so that it does not keep its module awake. A leaf cell says in a comment when it moves
//! ([`MOVES`]).

use super::statement::{self, Block};
use crate::kit::MOVES;
use std::{collections::HashSet, fmt::Write};

/// The gate of registers that change in nearly every cycle: it is raised in every cycle.
pub const TICKS: usize = 0;

/// The name of a gate's clock in the wrapper.
pub fn clock_name(gate: usize) -> String {
    format!("gate_{gate}")
}

/// The text of a circuit behind gates, and what its wrapper must know.
#[derive(Clone, Debug)]
pub struct Gated {
    pub text: String,
    /// Gates, [`TICKS`] included; their clocks are inputs of the wrapper, see [`clock_name`].
    pub gates: usize,
    /// The modules that say whether they move, each with its gate: `path.moves$` within the wrapper.
    pub parts: Vec<(String, usize)>,
}

/// Collects the gates of a circuit while its modules are written.
pub(super) struct Gates<'a> {
    wrapper: &'a str,
    gate_of: &'a dyn Fn(&str) -> String,
    names: Vec<String>,
    pub(super) parts: Vec<(String, usize)>,
}

impl<'a> Gates<'a> {
    /// Gates whose clocks are inputs of module `wrapper`. `gate_of` names the gate of the module at a path below the
    /// top, such as `rx.verifier`; the top's own path is empty.
    pub(super) fn new(wrapper: &'a str, gate_of: &'a dyn Fn(&str) -> String) -> Self {
        Gates { wrapper, gate_of, names: vec!["ticks".to_string()], parts: Vec::new() }
    }

    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// Enters a module, called as Rust-HDL names it (`top$rx$verifier`), as a part. A leaf has its parent's gate. The
    /// number of its gate.
    pub(super) fn enter(&mut self, module: &str, is_leaf: bool) -> usize {
        let path = module.replace('$', ".");
        let below = path.split_once('.').map_or("", |(_, below)| below);
        let home = if is_leaf { below.rsplit_once('.').map_or("", |(parent, _)| parent) } else { below };
        let name = (self.gate_of)(home);
        let gate = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        self.parts.push((path, gate));
        gate
    }

    /// The clock of a gate, as a module below the wrapper may name it.
    pub(super) fn clock(&self, gate: usize) -> String {
        format!("{}.{}", self.wrapper, clock_name(gate))
    }

    /// The text of a leaf cell behind its gate.
    ///
    /// # Panics
    /// When the cell has a clock and does not say when it moves.
    pub(super) fn leaf(&mut self, module: &str, name: &str) -> String {
        const CLOCK: &str = "posedge cr$clock";
        if !module.contains(CLOCK) {
            return module.to_string();
        }
        let (_, rest) = module.split_once(MOVES).unwrap_or_else(|| panic!("leaf {name} has no `{MOVES}`"));
        let moves = rest.lines().next().unwrap_or_default();
        let gate = self.enter(name, true);
        let text = module.replace(CLOCK, &format!("posedge {}", self.clock(gate)));
        text.replacen("\nendmodule", &format!("\n{}endmodule", wire(moves)), 1)
    }
}

/// The wire that says that a leaf cell moves.
fn wire(moves: &str) -> String {
    format!(
        "    /* verilator lint_off WIDTH */\n    wire moves$ = {moves};\n    /* verilator lint_on WIDTH */\n"
    )
}

/// Writes combinational blocks, and looks at inputs of registers (`name$d`) where they are assigned: a block that assigns
/// one with another value than the register has raises a flag of its own.
pub(super) struct Watch<'a> {
    /// Whether the input of a register is to be looked at.
    is_watched: &'a dyn Fn(&str) -> bool,
    flags: Vec<String>,
    seen: HashSet<String>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(is_watched: &'a dyn Fn(&str) -> bool) -> Self {
        Watch { is_watched, flags: Vec::new(), seen: HashSet::new() }
    }

    /// Writes an `always_comb` of its own for `block`.
    pub(super) fn write(&mut self, text: &mut String, block: &Block) {
        let flag = format!("moves${}", self.flags.len());
        let mut body = String::new();
        let mut raised = false;
        statement::write(&mut body, block, 8, &mut |lines, target, part, value| {
            lines.line(format_args!("{target}{part} = {value};"));
            let register = target.strip_suffix("$d").filter(|register| (self.is_watched)(register));
            let Some(register) = register else { return };
            self.seen.insert(register.to_string());
            if value.strip_suffix("$q") != Some(register) {
                raised = true;
                lines.line(format_args!("{flag} = {flag} | ({register}{part} != {target}{part});"));
            }
        });
        if raised {
            let _ = writeln!(text, "    reg {flag};");
            body.insert_str(0, &format!("        {flag} = 1'b0;\n"));
            self.flags.push(flag);
        }
        let _ = write!(text, "    always_comb begin\n{body}    end\n");
    }
}

/// The wire that says that a module moves: whether `block`, assignments to registers (`name$d`), changes one of them, or
/// a register in `apart` has another input than its value; those that `watch` has seen are in its flags. `ticks` says of
/// a name whether it changes in nearly every cycle: what takes such a value under a condition is taken to change
/// whenever the condition holds.
///
/// It is written as the block is, so that a simulator looks at what lies under a condition only where that holds.
/// A comparison has the width that the assignment would have, so it holds whenever the assignment changes a bit.
pub(super) fn moves<'a>(
    block: &Block,
    apart: impl Iterator<Item = &'a str>,
    watch: &Watch,
    ticks: &dyn Fn(&str) -> bool,
) -> String {
    const INDENT: usize = 8;
    let apart = apart.filter(|name| !watch.seen.contains(*name)).map(|name| format!("({name} != {name}$d)"));
    let start: Vec<String> = watch.flags.iter().cloned().chain(apart).collect();
    let start = if start.is_empty() { "1'b0".to_string() } else { start.join(" | ") };
    let mut body = String::new();
    statement::write(&mut body, block, INDENT, &mut |lines, target, part, value| {
        if lines.indent > INDENT && statement::names(value).any(ticks) {
            return lines.line(format_args!("moves$ = 1'b1;"));
        }
        let register = target.strip_suffix("$d").unwrap_or(target);
        lines.line(format_args!("moves$ = moves$ | ({register}{part} != ({value}));"));
    });
    format!(
        "    /* verilator lint_off WIDTH */\n    reg moves$;\n    always_comb begin\n        moves$ = {start};\n{body}    \
         end\n    /* verilator lint_on WIDTH */\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::statement;

    /// The statements that say when `text` changes a register.
    fn of(text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        let watch = Watch::new(&|_| false);
        let block = statement::parse(&lines);
        let text =
            moves(&block, ["apart"].into_iter().filter(|_| text.contains("apart")), &watch, &|n| n == "now");
        let (_, body) = text.split_once("always_comb begin\n").unwrap();
        let (body, _) = body.rsplit_once("    end\n").unwrap();
        body.lines().map(|line| format!("{}\n", line.trim_start())).collect()
    }

    #[test]
    fn a_register_moves_when_its_value_differs() {
        assert_eq!(of(""), "moves$ = 1'b0;\n");
        assert_eq!(of("a$d = b;"), "moves$ = 1'b0;\nmoves$ = moves$ | (a != (b));\n");
        assert_eq!(
            of("a$d[(0)+:(2)] = apart$d;"),
            "moves$ = (apart != apart$d);\nmoves$ = moves$ | (a[(0)+:(2)] != (apart$d));\n"
        );
    }

    #[test]
    fn a_name_that_begins_with_else_is_no_branch() {
        assert_eq!(
            of("if (go) begin\na$d = b;\nend\nelsewhere$d = c;"),
            "moves$ = 1'b0;\nif (go) begin\nmoves$ = moves$ | (a != (b));\nend\n\
             moves$ = moves$ | (elsewhere != (c));\n"
        );
    }

    #[test]
    fn what_lies_under_a_condition_stays_there() {
        assert_eq!(
            of("if (go) begin\na$d = b;\nend\nelse begin\nc$d = 'h0;\nend"),
            "moves$ = 1'b0;\nif (go) begin\nmoves$ = moves$ | (a != (b));\nend\nelse begin\n\
             moves$ = moves$ | (c != ('h0));\nend\n"
        );
        assert_eq!(
            of("case (s)\n0:\nbegin\na$d = b;\nend\nendcase"),
            "moves$ = 1'b0;\ncase (s)\n0: begin\nmoves$ = moves$ | (a != (b));\nend\nendcase\n"
        );
    }

    #[test]
    fn what_ticks_is_not_compared() {
        assert_eq!(
            of("if (take) begin\nstamp$d = now - a;\nother$d = b;\nend"),
            "moves$ = 1'b0;\nif (take) begin\nmoves$ = 1'b1;\nmoves$ = moves$ | (other != (b));\nend\n"
        );
    }

    #[test]
    fn an_input_that_stays_a_signal_is_looked_at_where_it_is_assigned() {
        let is_watched = |name: &str| name == "a";
        let mut watch = Watch::new(&is_watched);
        let mut text = String::new();
        let lines = ["b = c;"];
        watch.write(&mut text, &statement::parse(&lines));
        assert_eq!(text, "    always_comb begin\n        b = c;\n    end\n");
        text.clear();
        let lines = ["a$d = a$q;", "if (go) begin", "a$d = b;", "end"];
        watch.write(&mut text, &statement::parse(&lines));
        assert_eq!(
            text,
            "    reg moves$0;\n    always_comb begin\n        moves$0 = 1'b0;\n        a$d = a$q;\n        \
             if (go) begin\n            a$d = b;\n            moves$0 = moves$0 | (a != a$d);\n        end\n    end\n"
        );
        let apart = moves(&Vec::new(), ["a", "other"].into_iter(), &watch, &|_| false);
        assert!(apart.contains("moves$ = moves$0 | (other != other$d);"), "{apart}");
    }

    #[test]
    fn a_leaf_gets_its_clock_and_its_condition() {
        let gate_of = |path: &str| path.to_string();
        let mut gates = Gates::new("sim", &gate_of);
        let leaf =
            "module top$rx$ram(cr$clock);\n// moves: write\nalways @(posedge cr$clock) m <= d;\nendmodule\n";
        let text = gates.leaf(leaf, "top$rx$ram");
        assert!(
            text.contains("always @(posedge sim.gate_1)") && text.contains("wire moves$ = write;"),
            "{text}"
        );
        assert_eq!(gates.parts, [("top.rx.ram".to_string(), 1)]);
        assert_eq!(gates.enter("top$rx", false), 1);
        assert_eq!((gates.enter("top$tx", false), gates.count()), (2, 3));
    }

    #[test]
    #[should_panic(expected = "leaf top$x has no")]
    fn a_leaf_that_does_not_say_when_it_moves_is_refused() {
        let gate_of = |_: &str| String::new();
        Gates::new("sim", &gate_of)
            .leaf("module top$x(cr$clock);\nalways @(posedge cr$clock) q <= d;\nendmodule", "top$x");
    }
}

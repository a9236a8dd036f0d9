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

use super::statement::{Block, Statement};
use crate::kit::MOVES;

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

/// The wire that says that a module moves. Widths in it are those of the assignments that it asks about.
pub(super) fn wire(moves: &str) -> String {
    format!(
        "    /* verilator lint_off WIDTH */\n    wire moves$ = {moves};\n    /* verilator lint_on WIDTH */\n"
    )
}

/// When something changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Never,
    Always,
    When(String),
}

impl Change {
    pub(super) fn expression(&self) -> &str {
        match self {
            Change::Never => "1'b0",
            Change::Always => "1'b1",
            Change::When(condition) => condition,
        }
    }

    fn only_if(self, condition: &str) -> Change {
        match self {
            Change::Never => Change::Never,
            Change::Always => Change::When(condition.to_string()),
            Change::When(change) => Change::When(format!("({condition} & {change})")),
        }
    }
}

/// Any of `changes`.
pub(super) fn any(changes: impl IntoIterator<Item = Change>) -> Change {
    let mut terms = Vec::new();
    for change in changes {
        match change {
            Change::Never => {}
            Change::Always => return Change::Always,
            Change::When(condition) => terms.push(condition),
        }
    }
    match terms.len() {
        0 => Change::Never,
        _ => Change::When(format!("({})", terms.join(" | "))),
    }
}

/// A register that differs from `value`. The comparison has the width that the assignment would have, so it holds
/// whenever the assignment changes a bit.
pub(super) fn differs(register: &str, value: &str) -> Change {
    Change::When(format!("({register} != ({value}))"))
}

/// When a block of assignments to registers (`name$d`) changes one of them. `ticks` says of a name whether it changes in
/// nearly every cycle: what takes such a value under a condition is taken to change whenever the condition holds.
pub(super) fn changes(block: &Block, ticks: &dyn Fn(&str) -> bool) -> Change {
    any(block.iter().map(|statement| change(statement, ticks)))
}

fn change(statement: &Statement, ticks: &dyn Fn(&str) -> bool) -> Change {
    match statement {
        Statement::Assign { target, part, value } => {
            let register = target.strip_suffix("$d").unwrap_or(target);
            differs(&format!("{register}{part}"), value)
        }
        Statement::If { condition, then, otherwise } => any([
            branch(then, ticks).only_if(&format!("(|{condition})")),
            branch(otherwise, ticks).only_if(&format!("(~|{condition})")),
        ]),
        Statement::Case { subject, arms } => {
            let mut labels = Vec::new();
            any(arms.iter().map(|(label, body)| {
                let condition = if *label == "default" {
                    format!("(~({}))", if labels.is_empty() { "1'b0".into() } else { labels.join(" | ") })
                } else {
                    labels.push(format!("({subject} == ({label}))"));
                    labels[labels.len() - 1].clone()
                };
                branch(body, ticks).only_if(&condition)
            }))
        }
    }
}

fn branch(block: &Block, ticks: &dyn Fn(&str) -> bool) -> Change {
    let takes_ticks = block.iter().any(|statement| match statement {
        Statement::Assign { value, .. } => super::statement::names(value).any(ticks),
        _ => false,
    });
    match takes_ticks {
        true => Change::Always,
        false => changes(block, ticks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::statement;

    fn of(text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        changes(&statement::parse(&lines), &|name| name == "now").expression().to_string()
    }

    #[test]
    fn a_register_moves_when_its_value_differs() {
        assert_eq!(of("a$d = b;"), "((a != (b)))");
        assert_eq!(of("a$d[(0)+:(2)] = b;"), "((a[(0)+:(2)] != (b)))");
        assert_eq!(of(""), "1'b0");
    }

    #[test]
    fn conditions_lead_to_assignments() {
        assert_eq!(
            of("if (go) begin\na$d = b;\nend\nelse begin\nc$d = 'h0;\nend"),
            "((((|(go)) & ((a != (b)))) | ((~|(go)) & ((c != ('h0))))))"
        );
        assert_eq!(
            of("case (s)\n0:\nbegin\na$d = b;\nend\ndefault:\nbegin\na$d = c;\nend\nendcase"),
            "(((((s) == (0)) & ((a != (b)))) | ((~(((s) == (0)))) & ((a != (c))))))"
        );
    }

    #[test]
    fn what_ticks_is_not_compared() {
        assert_eq!(of("if (take) begin\nstamp$d = now;\nother$d = b;\nend"), "(((|(take))))");
        assert_eq!(
            of("if (take) begin\nif (x) begin\nstamp$d = now - b;\nend\nend"),
            "((((|(take)) & (((|(x)))))))"
        );
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

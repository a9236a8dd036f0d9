//! The modules of Rust-HDL's text, rewritten one by one: registers move into the module that uses them, and the
//! combinational block is cut into independent ones.
//!
//! Rust-HDL knows no clocked block, so each register is a module instance with an input `d` and an output `q`,
//! and what a clock edge does stands in combinational code. What is written here is what an engineer would
//! write: the register is a variable of the module, and its assignments stand in an `always_ff`. Simulation
//! gains most, because what no condition touches costs nothing, where each `d` was computed in each cycle.

use super::gates::{self, Gates, TICKS};
use super::statement::{self, Block, Statement};
use crate::kit::{is_ticker, reset_value_of_register};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

/// The line before the block of a module that has one.
const UPDATE: &str = "// Update code";
/// The line before the text of a leaf cell.
const CUSTOM: &str = "// Update code (custom)";
const BLOCK_OPEN: &str = "always @(*) begin";

/// Rewrites every module of `text`.
pub fn rewrite(text: &str) -> String {
    rewrite_with(text, None)
}

/// Rewrites every module of `text`, behind gates if there are any.
pub(super) fn rewrite_with(text: &str, mut gates: Option<&mut Gates>) -> String {
    let modules: Vec<&str> = split(text);
    let leaves: HashMap<&str, Leaf> =
        modules.iter().filter_map(|m| Some((name(m)?, Leaf::read(m)?))).collect();
    let mut out = String::with_capacity(text.len());
    for module in modules {
        match (name(module), &mut gates) {
            (Some(name), _) if leaves.contains_key(name) => {}
            (Some(name), Some(gates)) if module.contains(CUSTOM) => {
                out.push_str(&gates.leaf(module, name));
            }
            (_, gates) => Module::read(module, &leaves).write(&mut out, gates.as_deref_mut()),
        }
    }
    out
}

/// A register's module.
#[derive(Clone, Copy, Debug)]
struct Leaf<'a> {
    reset_value: &'a str,
    ticks: bool,
}

impl<'a> Leaf<'a> {
    fn read(module: &'a str) -> Option<Leaf<'a>> {
        Some(Leaf { reset_value: reset_value_of_register(module)?, ticks: is_ticker(module) })
    }
}

/// The text before the first module, then each module with the empty lines behind it.
fn split(text: &str) -> Vec<&str> {
    let heads = text.match_indices("\nmodule ").map(|(at, _)| at + 1);
    let starts: Vec<usize> = [0].into_iter().chain(heads).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect()
}

fn name(module: &str) -> Option<&str> {
    module.strip_prefix("module ")?.split('(').next()
}

/// A register of a module.
#[derive(Clone, Copy, Debug)]
struct Register<'a> {
    reset_value: &'a str,
    /// It changes in nearly every cycle.
    ticks: bool,
    clock: &'a str,
    reset: &'a str,
}

struct Module<'a> {
    /// Empty for the text before the first module.
    name: &'a str,
    /// Lines before the block, without the instances of registers.
    before: Vec<&'a str>,
    block: Block<'a>,
    after: Vec<&'a str>,
    registers: BTreeMap<&'a str, Register<'a>>,
    /// Names of registers in the order of their declaration.
    order: Vec<&'a str>,
}

impl<'a> Module<'a> {
    fn read(text: &'a str, leaves: &HashMap<&str, Leaf<'a>>) -> Module<'a> {
        let lines: Vec<&str> = text.lines().collect();
        let start =
            lines.windows(2).position(|pair| pair[0].trim() == UPDATE && pair[1].trim() == BLOCK_OPEN);
        let (head, block, after) = match start {
            None => (&lines[..], Vec::new(), Vec::new()),
            Some(at) => {
                let body = &lines[at + 2..];
                let indent = lines[at + 1].len() - lines[at + 1].trim_start().len();
                let close = format!("{:indent$}end", "");
                let end = body.iter().position(|line| *line == close).expect("a block ends");
                (&lines[..=at], statement::parse(&body[..end]), body[end + 1..].to_vec())
            }
        };
        let mut module = Module {
            name: name(text).unwrap_or_default(),
            before: Vec::new(),
            block,
            after,
            registers: BTreeMap::new(),
            order: Vec::new(),
        };
        let mut at = 0;
        while at < head.len() {
            match instance(&head[at..], leaves) {
                Some((name, register, lines)) => {
                    module.registers.insert(name, register);
                    module.order.push(name);
                    at += lines;
                }
                None => {
                    module.before.push(head[at]);
                    at += 1;
                }
            }
        }
        module
    }

    /// Registers whose input is read somewhere, or of which an assignment depends on a signal that may change after it: in
    /// a clocked block it would see the last value. Their inputs stay combinational signals.
    fn kept_apart(&self) -> HashSet<&'a str> {
        let mut apart = HashSet::new();
        let mut last_assigned: HashMap<&str, usize> = HashMap::new();
        for (at, statement) in self.block.iter().enumerate() {
            statement.assignments(&mut |target| {
                last_assigned.insert(target, at);
            });
        }
        for (at, statement) in self.block.iter().enumerate() {
            statement.dependencies(&mut |target, names| {
                apart.extend(names.iter().filter_map(|name| self.register_of(name, "$d")));
                let changes = |name: &&str| last_assigned.get(*name).is_some_and(|last| *last >= at);
                if names.iter().any(changes) {
                    apart.extend(self.register_of(target, "$d"));
                }
            });
        }
        let outside = self.before.iter().chain(&self.after).filter(|line| !is_declaration(line));
        apart.extend(
            outside.flat_map(|line| statement::names(line)).filter_map(|n| self.register_of(n, "$d")),
        );
        apart
    }

    /// The register whose input (`$d`) or output (`$q`) a signal is.
    fn register_of(&self, signal: &str, suffix: &str) -> Option<&'a str> {
        let name = signal.strip_suffix(suffix)?;
        self.registers.get_key_value(name).map(|(name, _)| *name)
    }

    fn write(&self, out: &mut String, gates: Option<&mut Gates>) {
        let apart = self.kept_apart();
        let is_clocked = |target: &str| {
            target.strip_suffix("$d").is_some_and(|r| self.registers.contains_key(r) && !apart.contains(r))
        };
        let mut text = String::new();
        for line in &self.before {
            self.write_head(&mut text, line, &apart);
        }
        let combinational = statement::project(&self.block, &|target| !is_clocked(target));
        let is_gated = gates.is_some();
        let is_watched =
            |name: &str| is_gated && self.registers.get(name).is_some_and(|register| !register.ticks);
        let mut watch = gates::Watch::new(&is_watched);
        for group in group(&combinational) {
            watch.write(&mut text, &group);
        }
        let clocked: Block =
            statement::project(&self.block, &is_clocked).into_iter().filter(|s| !self.holds(s)).collect();
        match gates {
            Some(gates) if !self.registers.is_empty() => {
                self.write_gated(&mut text, &clocked, &apart, &watch, gates)
            }
            _ => self.write_clocked(&mut text, &clocked, &apart),
        }
        for line in &self.after {
            text.push_str(line);
            text.push('\n');
        }
        out.push_str(&self.without_outputs(&text));
    }

    /// Whether a statement only says that a register keeps its value.
    fn holds(&self, statement: &Statement) -> bool {
        matches!(statement, Statement::Assign { target, part: "", value }
            if target.strip_suffix("$d").is_some_and(|name| value.strip_suffix("$q") == Some(name)))
    }

    /// A line before the block; the declarations of a register become one.
    fn write_head(&self, text: &mut String, line: &'a str, apart: &HashSet<&str>) {
        let declared =
            if is_declaration(line) { line.trim_end_matches(';').rsplit(' ').next() } else { None };
        let input = declared.and_then(|name| self.register_of(name, "$d"));
        let output = declared.and_then(|name| self.register_of(name, "$q"));
        if input.is_some_and(|name| !apart.contains(name)) {
            return;
        }
        match output {
            Some(name) => {
                let line = line.replacen("wire", "reg", 1);
                let value = self.registers[name].reset_value;
                let _ = writeln!(text, "{} = {value};", line.trim_end_matches(';'));
            }
            None => {
                let _ = writeln!(text, "{line}");
            }
        }
    }

    /// One clocked block for each pair of clock and reset.
    fn write_clocked(&self, text: &mut String, clocked: &[Statement], apart: &HashSet<&str>) {
        let mut domains: Vec<(&str, &str)> = Vec::new();
        for name in &self.order {
            let register = self.registers[name];
            if !domains.contains(&(register.clock, register.reset)) {
                domains.push((register.clock, register.reset));
            }
        }
        for (clock, reset) in domains {
            let members: Vec<&str> = self
                .order
                .iter()
                .copied()
                .filter(|name| (self.registers[name].clock, self.registers[name].reset) == (clock, reset))
                .collect();
            let _ = writeln!(text, "    always_ff @(posedge {clock}) begin\n        if ({reset}) begin");
            for name in &members {
                let _ = writeln!(text, "            {name} <= {};", self.registers[name].reset_value);
            }
            text.push_str("        end\n        else begin\n");
            let own = |target: &str| target.strip_suffix("$d").is_some_and(|name| members.contains(&name));
            let body = statement::project(clocked, &own);
            statement::write(text, &body, 12, &mut take);
            for name in members.iter().filter(|name| apart.contains(*name)) {
                let _ = writeln!(text, "            {name} <= {name}$d;");
            }
            text.push_str("        end\n    end\n");
        }
    }

    /// The clocked blocks behind gates, and when the module moves; see [`gates`].
    fn write_gated(
        &self,
        text: &mut String,
        clocked: &[Statement],
        apart: &HashSet<&str>,
        watch: &gates::Watch,
        gates: &mut Gates,
    ) {
        let gate = gates.enter(self.name, false);
        let ticks = |name: &str| {
            let register = self.register_of(name, "$q").or_else(|| self.register_of(name, "$d"));
            name == "now" || register.is_some_and(|register| self.registers[register].ticks)
        };
        for (ticking, gate) in [(false, gate), (true, TICKS)] {
            let own = |name: &str| self.registers[name].ticks == ticking;
            let body = statement::project(clocked, &|target| own(target.trim_end_matches("$d")));
            let apart = self.order.iter().filter(|name| apart.contains(*name) && own(name));
            let _ = writeln!(text, "    always_ff @(posedge {}) begin", gates.clock(gate));
            statement::write(text, &body, 8, &mut take);
            for name in apart.clone() {
                let _ = writeln!(text, "        {name} <= {name}$d;");
            }
            text.push_str("    end\n");
            if !ticking {
                text.push_str(&gates::moves(&body, apart.copied(), watch, &ticks));
            }
        }
    }

    /// The output of a register is the register.
    fn without_outputs(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(statement::is_name) {
            let (before, word) = rest.split_at(at);
            let end = word.find(|c| !statement::is_name(c)).unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            out.push_str(before);
            let register = word.strip_suffix("$q").filter(|name| self.registers.contains_key(name));
            out.push_str(register.unwrap_or(word));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// A register (`name$d`) takes a value at the edge.
fn take(lines: &mut statement::Lines, target: &str, part: &str, value: &str) {
    lines.line(format_args!("{}{part} <= {value};", target.trim_end_matches("$d")));
}

fn is_declaration(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("reg ") || line.starts_with("wire ")
}

/// The instance of a register at the start of `lines`: its name, what it is, and its lines.
fn instance<'a>(
    lines: &[&'a str],
    leaves: &HashMap<&str, Leaf<'a>>,
) -> Option<(&'a str, Register<'a>, usize)> {
    let (module, name) = lines[0].trim().strip_suffix('(')?.split_once(' ')?;
    let Leaf { reset_value, ticks } = *leaves.get(module)?;
    let end = lines.iter().position(|line| line.trim() == ");")?;
    let pin = |pin: &str| {
        lines[1..end].iter().find_map(|line| {
            line.trim().trim_end_matches(',').strip_prefix(pin)?.strip_prefix('(')?.strip_suffix(')')
        })
    };
    let register = Register { reset_value, ticks, clock: pin(".cr$clock")?, reset: pin(".cr$reset")? };
    Some((name, register, end + 1))
}

/// Cuts a block into one for each set of signals that are assigned together, in order.
///
/// A module that drives a child's input and reads the same child's output in one block looks like a loop to
/// a simulator that schedules whole blocks. Statements that assign different signals are independent
/// processes in hardware, whatever their order in the text, so each may have a block of its own;
/// statements that assign the same signal stay together, in order.
fn group<'a>(block: &[Statement<'a>]) -> Vec<Block<'a>> {
    let targets: Vec<Vec<&str>> = block.iter().map(Statement::targets).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut owner: HashMap<&str, usize> = HashMap::new();
    for (index, own) in targets.iter().enumerate() {
        let mut members = vec![index];
        for target in own {
            if let Some(other) = owner.get(target) {
                members.append(&mut groups[*other]);
            }
        }
        members.sort_unstable();
        for target in members.iter().flat_map(|member| &targets[*member]) {
            owner.insert(target, groups.len());
        }
        groups.push(members);
    }
    groups.retain(|members| !members.is_empty());
    groups.sort_unstable();
    groups.iter().map(|members| members.iter().map(|index| block[*index].clone()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    const LEAF: &str = "
module top$count(cr$clock,cr$reset,d,q);
    
    // Module arguments
    input wire  cr$clock;
    input wire  cr$reset;
    input wire  [1:0] d;
    output reg  [1:0] q;
    
    // Update code (custom)
    initial q = 2'h1;
    always @(posedge cr$clock) begin
      if (cr$reset) q <= 2'h1; else q <= d;
    end
endmodule // top$count
";

    fn top(body: &str) -> String {
        format!(
            "module top(cr$clock,cr$reset,go,out);
    // Stub signals
    reg  [1:0] count$d;
    wire  [1:0] count$q;
    
    // Local signals
    reg  next_one;
    
    // Sub module instances
    top$count count(
        .cr$clock(cr$clock),
        .cr$reset(cr$reset),
        .d(count$d),
        .q(count$q)
    );
    
    // Update code
    always @(*) begin
{body}
    end
endmodule // top
{LEAF}"
        )
    }

    #[test]
    fn a_register_becomes_a_variable() {
        let text = top("        count$d = count$q;
        out = 1'h0;
        if (go) begin
            count$d = count$q + 'h1;
            out = 1'h1;
        end");
        let expected = "module top(cr$clock,cr$reset,go,out);
    // Stub signals
    reg  [1:0] count = 2'h1;
    
    // Local signals
    reg  next_one;
    
    // Sub module instances
    
    // Update code
    always_comb begin
        out = 1'h0;
        if (go) begin
            out = 1'h1;
        end
    end
    always_ff @(posedge cr$clock) begin
        if (cr$reset) begin
            count <= 2'h1;
        end
        else begin
            if (go) begin
                count <= count + 'h1;
            end
        end
    end
endmodule // top
";
        assert_eq!(rewrite(&text).trim_end(), expected.trim_end());
    }

    #[test]
    fn an_input_that_is_read_stays_a_signal() {
        let text = rewrite(&top("        count$d = count$q;
        if (go) begin
            count$d = 'h2;
        end
        out = count$d == 'h2;"));
        for part in ["reg  [1:0] count$d;", "count$d = 'h2;", "count <= count$d;", "count$d = count;"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn a_signal_that_changes_after_it_was_read_keeps_the_register_apart() {
        let text = rewrite(&top("        count$d = count$q;
        next_one = 1'h0;
        if (next_one) begin
            count$d = 'h2;
        end
        if (go) begin
            next_one = 1'h1;
        end"));
        assert!(text.contains("count <= count$d;"), "{text}");
    }

    #[test]
    fn a_register_beside_one_that_is_kept_apart_is_clocked() {
        let text = rewrite(&top("        count$d = count$q;
        next_one = 1'h0;
        case (go)
            0:
            begin
                next_one = 1'h1;
                other = next_one;
                count$d = 'h2;
            end
        endcase"));
        assert!(text.contains("count <= 'h2;") && !text.contains("count$d"), "{text}");
    }

    #[test]
    fn a_block_splits_by_what_it_assigns() {
        let text = rewrite(&top("        a = x;
        b = y;
        if (c == d) begin
            a = z;
        end
        else begin
            e = z;
        end
        f[(0)+:(2)] = w;"));
        let expected = "    always_comb begin
        a = x;
        if (c == d) begin
            a = z;
        end
        else begin
            e = z;
        end
    end
    always_comb begin
        b = y;
    end
    always_comb begin
        f[(0)+:(2)] = w;
    end
";
        assert!(text.contains(expected), "{text}");
    }
}

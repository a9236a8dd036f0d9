//! A module as Rust-HDL source: a struct with its ports, registers and one local signal a cell, and the `module!` of it.
//!
//! One operation for each sized signal, no function calls, decimal patterns: what Rust-HDL's emitter makes Verilog of
//! without changing a width.

use super::netlist::{Cell, Net, Op, RegId, Step};
use super::{prune, Module};
use num_bigint::BigUint;
use std::collections::BTreeSet;
use std::fmt::Write;

pub fn module(module: &Module) -> String {
    let mut text = String::new();
    let title = format!("{}{}", module.name[..1].to_uppercase(), &module.name[1..]);
    let mut registers = BTreeSet::new();
    prune::assigned(&module.steps, &mut registers);
    let used = prune::used(module);
    let cells: Vec<(usize, &Cell)> = module
        .list
        .cells
        .iter()
        .enumerate()
        .filter(|(index, cell)| {
            used[*index] && !matches!(cell.op, Op::Input(_)) && !is_register(cell, &registers)
        })
        .collect();

    let _ = writeln!(text, "#[derive(Clone, Debug, Default, LogicBlock)]\npub struct {title} {{");
    let clocked = module.clocked;
    if clocked {
        text.push_str("    pub cr: Cr,\n");
    }
    for (name, width) in &module.inputs {
        let _ = writeln!(text, "    pub {name}: Signal<In, {}>,", ty(*width));
    }
    for (name, net) in &module.outputs {
        let _ = writeln!(text, "    pub {name}: Signal<Out, {}>,", ty(module.list.width(*net)));
    }
    for register in &registers {
        let declared = &module.list.registers[register.0];
        let _ =
            writeln!(text, "    /// {}\n    r{}: Reg<{}>,", declared.name, register.0, ty(declared.width));
    }
    for (index, cell) in &cells {
        let _ = writeln!(text, "    n{index}: Signal<Local, {}>,", ty(cell.width));
        if let Op::Const(value) = &cell.op {
            for part in 1..parts(value, cell.width).len() {
                let _ = writeln!(text, "    n{index}p{part}: Signal<Local, Bits<{}>>,", cell.width);
            }
        }
    }
    text.push_str("}\n\n");

    let mut body = String::new();
    for (index, cell) in &cells {
        assign(module, *index, cell, &mut body);
    }
    for (name, net) in &module.outputs {
        let _ = writeln!(body, "        self.{name}.next = {};", value(module, *net));
    }
    steps(module, &module.steps, 2, &mut body);
    if clocked {
        let names: Vec<String> = registers.iter().map(|register| format!("r{}", register.0)).collect();
        let _ = writeln!(
            text,
            "module! {{\n    impl [] Logic for {title};\n    regs: {};\n    children: ;\n    #[hdl_gen]\n    \
             fn update(&mut self) {{\n{body}    }}\n}}",
            names.join(", ")
        );
    } else {
        let _ = writeln!(
            text,
            "impl Logic for {title} {{\n    #[hdl_gen]\n    fn update(&mut self) {{\n{body}    }}\n}}"
        );
    }
    text
}

fn is_register(cell: &Cell, assigned: &BTreeSet<RegId>) -> bool {
    matches!(&cell.op, Op::Register(register) if assigned.contains(register))
}

fn ty(width: u32) -> String {
    match width {
        1 => "Bit".into(),
        _ => format!("Bits<{width}>"),
    }
}

fn value(module: &Module, net: Net) -> String {
    match &module.list.cell(net).op {
        Op::Input(name) => format!("self.{name}.val()"),
        Op::Register(register) => format!("self.r{}.q.val()", register.0),
        _ => format!("self.n{}.val()", net.index()),
    }
}

/// A value in a wider type, as an operand.
fn cast(module: &Module, net: Net, to: u32) -> String {
    let width = module.list.width(net);
    match width {
        1 => format!("bit_cast::<{to}, 1>({}.into())", value(module, net)),
        _ => format!("bit_cast::<{to}, {width}>({})", value(module, net)),
    }
}

/// The words of 32 bits of a constant with the places of their least bits, those that are not zero.
fn parts(value: &BigUint, width: u32) -> Vec<(u32, u32)> {
    let words = value.to_u32_digits();
    let parts: Vec<(u32, u32)> = words
        .iter()
        .enumerate()
        .filter(|(_, word)| **word != 0)
        .map(|(index, word)| (32 * index as u32, *word))
        .collect();
    match parts.is_empty() || width <= 32 {
        true => vec![(0, words.first().copied().unwrap_or(0))],
        false => parts,
    }
}

fn assign(module: &Module, index: usize, cell: &Cell, text: &mut String) {
    let width = cell.width;
    let target = format!("        self.n{index}.next");
    let both = |a: Net, op: &str, b: Net| format!("{} {op} {}", value(module, a), value(module, b));
    let logic = |single: &'static str, many: &'static str| if width == 1 { single } else { many };
    let right = match &cell.op {
        Op::Input(_) => return,
        // A register that nothing assigns.
        Op::Register(_) if width == 1 => "false".into(),
        Op::Register(_) => "0.into()".into(),
        Op::Const(value) if width == 1 => format!("{}", value.bit(0)),
        Op::Const(value) => {
            let parts = parts(value, width);
            constant(index, &parts, text);
            return;
        }
        Op::Slice(of, low) if width == 1 => format!("{}.get_bit({low})", value(module, *of)),
        Op::Slice(of, low) => format!("{}.get_bits::<{width}>({low})", value(module, *of)),
        Op::Concat(a, b) => {
            let low = module.list.width(*b);
            match module.list.value(*a).is_some_and(|value| value.count_ones() == 0) {
                true => cast(module, *b, width),
                false => format!("({} << {low}) | {}", cast(module, *a, width), cast(module, *b, width)),
            }
        }
        Op::Not(a) => format!("!{}", value(module, *a)),
        Op::And(a, b) => both(*a, logic("&&", "&"), *b),
        Op::Or(a, b) => both(*a, logic("||", "|"), *b),
        Op::Xor(a, b) => both(*a, logic("!=", "^"), *b),
        Op::Add(a, b) => both(*a, "+", *b),
        Op::Sub(a, b) => both(*a, "-", *b),
        Op::Eq(a, b) => both(*a, "==", *b),
        Op::Lt(a, b) => both(*a, "<", *b),
        Op::Mux(c, a, b) => {
            let _ = writeln!(text, "{target} = {};", value(module, *b));
            let _ = writeln!(text, "        if {} {{", value(module, *c));
            let _ = writeln!(text, "    {target} = {};\n        }}", value(module, *a));
            return;
        }
    };
    let _ = writeln!(text, "{target} = {right};");
}

/// A constant of any width: each word by itself, joined to those before.
fn constant(index: usize, parts: &[(u32, u32)], text: &mut String) {
    let last = parts.len() - 1;
    for (part, (low, word)) in parts.iter().enumerate() {
        // The highest part is the signal itself.
        let name = if part == last { format!("n{index}") } else { format!("n{index}p{}", part + 1) };
        let before = match part {
            0 => String::new(),
            _ => format!(" | self.n{index}p{part}.val()"),
        };
        let _ = match low {
            0 => writeln!(text, "        self.{name}.next = {word}u64.into();"),
            _ => writeln!(text, "        self.{name}.next = (bits({word}) << {low}){before};"),
        };
    }
}

fn steps(module: &Module, list: &[Step], depth: usize, text: &mut String) {
    let pad = "    ".repeat(depth);
    for step in list {
        match step {
            Step::Set(register, net) => {
                let _ = writeln!(text, "{pad}self.r{}.d.next = {};", register.0, value(module, *net));
            }
            Step::If(condition, then, otherwise) => {
                let condition = value(module, *condition);
                if then.is_empty() {
                    let _ = writeln!(text, "{pad}if !{condition} {{");
                    steps(module, otherwise, depth + 1, text);
                } else {
                    let _ = writeln!(text, "{pad}if {condition} {{");
                    steps(module, then, depth + 1, text);
                    if !otherwise.is_empty() {
                        let _ = writeln!(text, "{pad}}} else {{");
                        steps(module, otherwise, depth + 1, text);
                    }
                }
                let _ = writeln!(text, "{pad}}}");
            }
            Step::Case(register, branches) => {
                let width = module.list.registers[register.0].width;
                for (number, (value, branch)) in branches.iter().enumerate() {
                    let (is, not) = (format!("self.r{}.q.val()", register.0), number > 0);
                    let condition = match (width, value) {
                        (1, 0) => format!("!{is}"),
                        (1, _) => is,
                        _ => format!("{is} == {value}"),
                    };
                    let _ = match not {
                        true => writeln!(text, "{pad}}} else if {condition} {{"),
                        false => writeln!(text, "{pad}if {condition} {{"),
                    };
                    steps(module, branch, depth + 1, text);
                }
                let _ = writeln!(text, "{pad}}}");
            }
        }
    }
}

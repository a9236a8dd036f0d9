//! A module as Verilog text. Clock and reset are named as those of Rust-HDL's modules, `cr$clock` and `cr$reset`.

use super::netlist::{Net, Op, RegId, Step};
use super::{prune, Module};
use std::collections::BTreeSet;
use std::fmt::Write;

pub fn module(module: &Module, prefix: &str) -> String {
    let mut text = String::new();
    let range = |width: u32| match width {
        1 => String::new(),
        _ => format!("[{}:0] ", width - 1),
    };
    let mut ports = vec![];
    if module.clocked {
        ports.extend(["input wire cr$clock".to_string(), "input wire cr$reset".into()]);
    }
    ports.extend(module.inputs.iter().map(|(name, width)| format!("input wire {}{name}", range(*width))));
    let width = |net: Net| module.list.width(net);
    ports
        .extend(module.outputs.iter().map(|(name, net)| format!("output wire {}{name}", range(width(*net)))));
    let _ = writeln!(text, "module {prefix}{}(\n  {}\n);", module.name, ports.join(",\n  "));

    let mut registers = BTreeSet::new();
    prune::assigned(&module.steps, &mut registers);
    let used = prune::used(module);
    for (index, cell) in module.list.cells.iter().enumerate() {
        if let Op::Register(register) = cell.op {
            if used[index] {
                registers.insert(register); // one that nothing assigns stays zero
            }
        }
    }
    for register in &registers {
        let declared = &module.list.registers[register.0];
        let _ = writeln!(text, "reg {}{} = 0;  // {}", range(declared.width), name(*register), declared.name);
    }
    for (index, cell) in module.list.cells.iter().enumerate().filter(|(index, _)| used[*index]) {
        let value = match &cell.op {
            Op::Input(_) | Op::Register(_) | Op::Const(_) => continue,
            Op::Slice(of, low) if cell.width == 1 => format!("{}[{low}]", net(module, *of)),
            Op::Slice(of, low) => format!("{}[{}:{low}]", net(module, *of), low + cell.width - 1),
            Op::Concat(a, b) => format!("{{{}, {}}}", net(module, *a), net(module, *b)),
            Op::Not(a) => format!("~{}", net(module, *a)),
            Op::And(a, b) => infix(module, *a, "&", *b),
            Op::Or(a, b) => infix(module, *a, "|", *b),
            Op::Xor(a, b) => infix(module, *a, "^", *b),
            Op::Add(a, b) => infix(module, *a, "+", *b),
            Op::Sub(a, b) => infix(module, *a, "-", *b),
            Op::Eq(a, b) => infix(module, *a, "==", *b),
            Op::Lt(a, b) => infix(module, *a, "<", *b),
            Op::Mux(c, a, b) => {
                format!("{} ? {} : {}", net(module, *c), net(module, *a), net(module, *b))
            }
        };
        let _ = writeln!(text, "wire {}n{index} = {value};", range(cell.width));
    }
    for (name, output) in &module.outputs {
        let _ = writeln!(text, "assign {name} = {};", net(module, *output));
    }
    if !module.steps.is_empty() {
        text.push_str("always @(posedge cr$clock) begin\n");
        steps(module, &module.steps, 1, &mut text);
        text.push_str("  if (cr$reset) begin\n");
        for register in &registers {
            let _ = writeln!(text, "    {} <= 0;", name(*register));
        }
        text.push_str("  end\nend\n");
    }
    text.push_str("endmodule\n");
    text
}

fn name(register: RegId) -> String {
    format!("r{}", register.0)
}

fn infix(module: &Module, a: Net, op: &str, b: Net) -> String {
    format!("{} {op} {}", net(module, a), net(module, b))
}

fn net(module: &Module, net: Net) -> String {
    let cell = module.list.cell(net);
    match &cell.op {
        Op::Input(name) => name.to_string(),
        Op::Register(register) => name(*register),
        Op::Const(value) => format!("{}'h{value:x}", cell.width),
        _ => format!("n{}", net.index()),
    }
}

fn steps(module: &Module, steps_: &[Step], depth: usize, text: &mut String) {
    let pad = "  ".repeat(depth);
    for step in steps_ {
        match step {
            Step::Set(register, value) => {
                let _ = writeln!(text, "{pad}{} <= {};", name(*register), net(module, *value));
            }
            Step::If(condition, then, otherwise) => {
                let condition = net(module, *condition);
                if then.is_empty() {
                    let _ = writeln!(text, "{pad}if (!{condition}) begin");
                    steps(module, otherwise, depth + 1, text);
                } else {
                    let _ = writeln!(text, "{pad}if ({condition}) begin");
                    steps(module, then, depth + 1, text);
                    if !otherwise.is_empty() {
                        let _ = writeln!(text, "{pad}end else begin");
                        steps(module, otherwise, depth + 1, text);
                    }
                }
                let _ = writeln!(text, "{pad}end");
            }
            Step::Case(register, branches) => {
                let width = module.list.registers[register.0].width;
                let _ = writeln!(text, "{pad}case ({})", name(*register));
                for (value, branch) in branches {
                    let _ = writeln!(text, "{pad}  {width}'d{value}: begin");
                    steps(module, branch, depth + 2, text);
                    let _ = writeln!(text, "{pad}  end");
                }
                let _ = writeln!(text, "{pad}  default: begin end\n{pad}endcase");
            }
        }
    }
}

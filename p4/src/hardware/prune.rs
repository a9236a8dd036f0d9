//! Leaves out registers that nothing depends on, and what only they need.

use super::netlist::{Net, RegId, Step};
use super::Module;
use std::collections::HashSet;

/// Removes assignments to registers that no output depends on, and conditions around nothing.
pub fn prune(module: &mut Module) {
    let mut live: HashSet<RegId> = HashSet::new();
    loop {
        let before = live.len();
        let mut open: Vec<Net> = module.outputs.iter().map(|(_, net)| *net).collect();
        let mut registers = live.clone();
        needs(&module.steps, &live, &mut registers, &mut open);
        let mut seen = HashSet::new();
        while let Some(net) = open.pop() {
            if seen.insert(net) {
                if let super::netlist::Op::Register(register) = module.list.cell(net).op {
                    registers.insert(register);
                }
                open.extend(module.list.cell(net).op.operands());
            }
        }
        live = registers;
        if live.len() == before {
            break;
        }
    }
    module.steps = kept(std::mem::take(&mut module.steps), &live);
}

/// Adds what assignments to live registers need; whether there are any.
fn needs(steps: &[Step], live: &HashSet<RegId>, registers: &mut HashSet<RegId>, open: &mut Vec<Net>) -> bool {
    let mut any = false;
    for step in steps {
        match step {
            Step::Set(register, net) => {
                if live.contains(register) {
                    open.push(*net);
                    any = true;
                }
            }
            Step::If(condition, then, otherwise) => {
                let (a, b) = (needs(then, live, registers, open), needs(otherwise, live, registers, open));
                if a || b {
                    open.push(*condition);
                    any = true;
                }
            }
            Step::Case(register, branches) => {
                for (_, steps) in branches {
                    if needs(steps, live, registers, open) {
                        registers.insert(*register);
                        any = true;
                    }
                }
            }
        }
    }
    any
}

fn kept(steps: Vec<Step>, live: &HashSet<RegId>) -> Vec<Step> {
    let steps = steps.into_iter().filter_map(|step| match step {
        Step::Set(register, _) => live.contains(&register).then_some(step),
        Step::If(condition, then, otherwise) => {
            let (then, otherwise) = (kept(then, live), kept(otherwise, live));
            let some = !then.is_empty() || !otherwise.is_empty();
            some.then_some(Step::If(condition, then, otherwise))
        }
        Step::Case(register, branches) => {
            let branches: Vec<_> = branches
                .into_iter()
                .map(|(value, steps)| (value, kept(steps, live)))
                .filter(|(_, steps)| !steps.is_empty())
                .collect();
            (!branches.is_empty()).then_some(Step::Case(register, branches))
        }
    });
    steps.collect()
}

/// The cells that outputs and steps need, by index.
pub fn used(module: &Module) -> Vec<bool> {
    let mut used = vec![false; module.list.cells.len()];
    let mut open: Vec<Net> = module.outputs.iter().map(|(_, net)| *net).collect();
    nets(&module.steps, &mut open);
    while let Some(net) = open.pop() {
        if !std::mem::replace(&mut used[net.index()], true) {
            open.extend(module.list.cell(net).op.operands());
        }
    }
    used
}

fn nets(steps: &[Step], found: &mut Vec<Net>) {
    for step in steps {
        match step {
            Step::Set(_, net) => found.push(*net),
            Step::If(condition, then, otherwise) => {
                found.push(*condition);
                nets(then, found);
                nets(otherwise, found);
            }
            Step::Case(_, branches) => branches.iter().for_each(|(_, steps)| nets(steps, found)),
        }
    }
}

/// The registers that steps assign.
pub fn assigned(steps: &[Step], found: &mut std::collections::BTreeSet<RegId>) {
    for step in steps {
        match step {
            Step::Set(register, _) => {
                found.insert(*register);
            }
            Step::If(_, then, otherwise) => {
                assigned(then, found);
                assigned(otherwise, found);
            }
            Step::Case(_, branches) => branches.iter().for_each(|(_, steps)| assigned(steps, found)),
        }
    }
}

//! Whether each path fits a cycle.
//!
//! Delays are counted in levels of four-input tables as an ECP5 has them, and the weights below are such that a level
//! takes at most 0.6 ns, clock to output and set-up included, in an ECP5 of grade 8 out of context: chains of additions, comparisons,
//! multiplexers, logic and decisions were placed and measured (`cargo xtask p4-table PROGRAM`, docs/p4.md). [`MAX_LEVELS`] of them
//! are 7.2 ns, a little more than half of a cycle at the 75 MHz of the fastest board; the rest is for the ways in a full
//! chip. It is an estimate, made before any tool has placed a cell; its use is to refuse a program whose paths are too
//! long, and to say which.

use super::netlist::{Net, Netlist, Op, Step};
use crate::diag::{Code, Diagnostic};
use std::cell::Cell;

/// Levels of logic between two registers.
pub const MAX_LEVELS: u32 = 12;
/// Delays are in quarters of a level.
const MAX_QUARTERS: u32 = 4 * MAX_LEVELS;

/// When each net is there, in quarters of a level behind the clock edge.
pub struct Paths<'a> {
    list: &'a Netlist,
    arrival: Vec<u32>,
    /// The longest path that was checked, in quarters of a level.
    longest: Cell<u32>,
}

impl<'a> Paths<'a> {
    pub fn new(list: &'a Netlist) -> Paths<'a> {
        let mut arrival: Vec<u32> = vec![];
        for cell in &list.cells {
            let operands = cell.op.operands();
            let before = operands.iter().map(|net| arrival[net.index()]).max().unwrap_or(0);
            let constant = operands.iter().any(|net| list.value(*net).is_some());
            arrival.push(before + delay(list, &cell.op, constant));
        }
        Paths { list, arrival, longest: Cell::new(0) }
    }

    /// Levels of the longest path that was checked.
    pub fn levels(&self) -> u32 {
        self.longest.get().div_ceil(4)
    }

    pub fn check(&self, what: &str, net: Net, refused: &mut Vec<Diagnostic>) {
        self.check_at(what, net, self.arrival[net.index()], refused);
    }

    fn check_at(&self, what: &str, net: Net, arrival: u32, refused: &mut Vec<Diagnostic>) {
        self.longest.set(self.longest.get().max(arrival));
        if arrival <= MAX_QUARTERS || refused.iter().any(|known| known.code == Code::HardwarePath) {
            return;
        }
        let levels = arrival.div_ceil(4);
        let mut error = Diagnostic::error(
            Code::HardwarePath,
            format!("the path to {what} is too long for a cycle: {levels} levels of logic, of at most {MAX_LEVELS}"),
        );
        let mut places: Vec<_> = vec![];
        let mut at = Some(net);
        while let Some(net) = at {
            if let Some(span) = self.list.span(net) {
                if !places.contains(&span) {
                    places.push(span);
                }
            }
            let operands = self.list.cell(net).op.operands();
            at = operands.into_iter().max_by_key(|operand| self.arrival[operand.index()]);
        }
        if let Some(first) = places.first() {
            error = error.at(*first, "the path ends here");
        }
        if let Some(last) = places.last().filter(|_| places.len() > 1) {
            error = error.also(*last, "and begins here");
        }
        refused.push(error);
    }

    pub fn check_steps(&self, steps: &[Step], refused: &mut Vec<Diagnostic>) {
        self.steps(steps, (0, None), refused);
    }

    /// `before` is when the conditions around are there, and the one that is last.
    fn steps(&self, steps: &[Step], before: (u32, Option<Net>), refused: &mut Vec<Diagnostic>) {
        let arrival = |net: Net| self.arrival[net.index()];
        let later = |net: Net| match before {
            (time, Some(last)) if time >= arrival(net) => (time, last),
            (time, _) => (time.max(arrival(net)), net),
        };
        for step in steps {
            match step {
                Step::Set(register, net) => {
                    let (time, last) = later(*net);
                    let name = &self.list.registers[register.0].name;
                    self.check_at(&format!("the register `{name}`"), last, time + 4, refused);
                }
                Step::If(condition, then, otherwise) => {
                    let (time, last) = later(*condition);
                    self.check_at("a decision of the parser", last, time + 2, refused);
                    self.steps(then, (time + 2, Some(last)), refused);
                    self.steps(otherwise, (time + 2, Some(last)), refused);
                }
                Step::Case(_, branches) => {
                    let (time, last) = before;
                    branches.iter().for_each(|(_, steps)| self.steps(steps, (time + 6, last), refused));
                }
            }
        }
    }

    /// Outputs of the resolver, which are registered in the cycle in which the table has answered.
    pub fn check_late(&self, outputs: &[(String, Net)], refused: &mut Vec<Diagnostic>) {
        for (name, net) in outputs {
            // The answer itself comes out of two comparisons.
            let arrival = self.arrival[net.index()] + 8;
            self.check_at(&format!("`{name}`"), *net, arrival, refused);
        }
    }
}

fn delay(list: &Netlist, op: &Op, constant: bool) -> u32 {
    // Levels of a tree of four-input tables over so many bits.
    let tree = |bits: u32| match bits {
        0..=4 => 4,
        5..=16 => 8,
        17..=64 => 12,
        _ => 16,
    };
    match op {
        Op::Input(_) | Op::Register(_) | Op::Const(_) | Op::Slice(..) | Op::Concat(..) | Op::Not(_) => 0,
        Op::And(..) | Op::Or(..) | Op::Xor(..) => 2,
        Op::Mux(..) => 3,
        Op::Eq(a, _) => tree(list.width(*a) * if constant { 1 } else { 2 }),
        // To enter a carry chain and to leave it takes two levels, and it passes eight bits in one, more of a long one.
        Op::Add(a, _) | Op::Sub(a, _) | Op::Lt(a, _) => match list.width(*a) {
            width @ 0..=16 => 8 + width / 2,
            width => 12 + width / 4,
        },
    }
}

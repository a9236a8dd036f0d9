//! The hardware of a program as cells and registers: what the parser and the control become before they are text.
//!
//! A [`Net`] is the output of one cell, of a fixed width, and has one operation, so that no reader of the text can
//! give an expression another width. Cells are shared where they are the same, and constants are folded. Registers
//! change by a tree of [`Step`]s, which says under which conditions each takes which net.

use crate::source::Span;
use num_bigint::BigUint;
use std::collections::HashMap;

/// Index of a cell in [`Netlist::cells`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Net(u32);

impl Net {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Index of a register in [`Netlist::registers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegId(pub usize);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A port of the module.
    Input(&'static str),
    Register(RegId),
    Const(BigUint),
    /// From this bit of the operand on.
    Slice(Net, u32),
    /// The first operand is the more significant.
    Concat(Net, Net),
    Not(Net),
    And(Net, Net),
    Or(Net, Net),
    Xor(Net, Net),
    Add(Net, Net),
    Sub(Net, Net),
    Eq(Net, Net),
    Lt(Net, Net),
    /// If the first, which has one bit, is 1 then the second, else the third.
    Mux(Net, Net, Net),
}

impl Op {
    pub fn operands(&self) -> Vec<Net> {
        match *self {
            Op::Input(_) | Op::Register(_) | Op::Const(_) => vec![],
            Op::Slice(a, _) | Op::Not(a) => vec![a],
            Op::Concat(a, b)
            | Op::And(a, b)
            | Op::Or(a, b)
            | Op::Xor(a, b)
            | Op::Add(a, b)
            | Op::Sub(a, b)
            | Op::Eq(a, b)
            | Op::Lt(a, b) => vec![a, b],
            Op::Mux(a, b, c) => vec![a, b, c],
        }
    }
}

#[derive(Clone, Debug)]
pub struct Cell {
    pub op: Op,
    pub width: u32,
}

/// A register that is zero after reset.
#[derive(Clone, Debug)]
pub struct Register {
    pub name: String,
    pub width: u32,
}

#[derive(Clone, Debug)]
pub enum Step {
    Set(RegId, Net),
    If(Net, Vec<Step>, Vec<Step>),
    /// The branch of the register's value; none if there is none.
    Case(RegId, Vec<(u64, Vec<Step>)>),
}

#[derive(Clone, Debug, Default)]
pub struct Netlist {
    /// Operands come before the cells that use them.
    pub cells: Vec<Cell>,
    pub registers: Vec<Register>,
    known: HashMap<(Op, u32), Net>,
    /// Expressions of the program, by the cells whose values they are.
    spans: HashMap<Net, Span>,
}

impl Netlist {
    pub fn cell(&self, net: Net) -> &Cell {
        &self.cells[net.index()]
    }

    pub fn width(&self, net: Net) -> u32 {
        self.cell(net).width
    }

    /// Remembers the first expression that has this value.
    pub fn mark(&mut self, net: Net, span: Span) {
        self.spans.entry(net).or_insert(span);
    }

    pub fn span(&self, net: Net) -> Option<Span> {
        self.spans.get(&net).copied()
    }

    pub fn value(&self, net: Net) -> Option<&BigUint> {
        match &self.cell(net).op {
            Op::Const(value) => Some(value),
            _ => None,
        }
    }

    fn is(&self, net: Net, value: u32) -> bool {
        self.value(net).is_some_and(|known| *known == BigUint::from(value))
    }

    fn is_ones(&self, net: Net) -> bool {
        self.value(net).is_some_and(|known| known.count_ones() == u64::from(self.width(net)))
    }

    fn add_cell(&mut self, op: Op, width: u32) -> Net {
        let next = Net(self.cells.len() as u32);
        *self.known.entry((op, width)).or_insert_with_key(|(op, width)| {
            self.cells.push(Cell { op: op.clone(), width: *width });
            next
        })
    }

    pub fn register(&mut self, name: impl Into<String>, width: u32) -> RegId {
        self.registers.push(Register { name: name.into(), width });
        RegId(self.registers.len() - 1)
    }

    /// The output of a register.
    pub fn read(&mut self, register: RegId) -> Net {
        let width = self.registers[register.0].width;
        self.add_cell(Op::Register(register), width)
    }

    pub fn input(&mut self, name: &'static str, width: u32) -> Net {
        self.add_cell(Op::Input(name), width)
    }

    /// A constant, cut to its width.
    pub fn constant(&mut self, value: impl Into<BigUint>, width: u32) -> Net {
        let value = value.into() & ((BigUint::from(1u8) << width) - 1u8);
        self.add_cell(Op::Const(value), width)
    }

    pub fn bit(&mut self, value: bool) -> Net {
        self.constant(u8::from(value), 1)
    }

    pub fn slice(&mut self, of: Net, low: u32, width: u32) -> Net {
        if width == self.width(of) {
            return of;
        }
        match self.cell(of).op.clone() {
            Op::Const(value) => self.constant(value >> low, width),
            Op::Slice(inner, from) => self.slice(inner, from + low, width),
            Op::Concat(_, right) if low + width <= self.width(right) => self.slice(right, low, width),
            Op::Concat(left, right) if low >= self.width(right) => {
                let low = low - self.width(right);
                self.slice(left, low, width)
            }
            Op::Concat(left, right) => {
                let below = self.width(right) - low;
                let (lower, upper) = (self.slice(right, low, below), self.slice(left, 0, width - below));
                self.concat(upper, lower)
            }
            _ => self.add_cell(Op::Slice(of, low), width),
        }
    }

    pub fn concat(&mut self, left: Net, right: Net) -> Net {
        let width = self.width(left) + self.width(right);
        if let (Some(l), Some(r)) = (self.value(left), self.value(right)) {
            let value = (l << self.width(right)) | r;
            return self.constant(value, width);
        }
        // Neighbours in one value are that value.
        if let (Op::Slice(a, from), Op::Slice(b, low)) = (&self.cell(left).op, &self.cell(right).op) {
            if a == b && *from == low + self.width(right) {
                let (of, low) = (*a, *low);
                return self.slice(of, low, width);
            }
        }
        self.add_cell(Op::Concat(left, right), width)
    }

    /// To a width: extended with zeros, or cut at the top.
    pub fn resize(&mut self, net: Net, width: u32) -> Net {
        let now = self.width(net);
        if width <= now {
            return self.slice(net, 0, width);
        }
        let zeros = self.constant(0u8, width - now);
        self.concat(zeros, net)
    }

    /// A value without zeros in front that are known, at least one bit.
    pub fn without_leading_zeros(&mut self, net: Net) -> Net {
        let width = self.significant(net, 8).max(1);
        self.slice(net, 0, width)
    }

    /// Bits up to the highest that may be 1, as far as so many cells tell.
    fn significant(&self, net: Net, depth: u32) -> u32 {
        let Cell { op, width } = self.cell(net);
        let Some(depth) = depth.checked_sub(1) else { return *width };
        let of = |net: Net| self.significant(net, depth);
        match *op {
            Op::Const(ref value) => value.bits() as u32,
            Op::Concat(left, right) => match of(left) {
                0 => of(right),
                bits => bits + self.width(right),
            },
            Op::Slice(inner, low) => of(inner).saturating_sub(low).min(*width),
            Op::And(a, b) => of(a).min(of(b)),
            Op::Or(a, b) | Op::Xor(a, b) | Op::Mux(_, a, b) => of(a).max(of(b)),
            _ => *width,
        }
    }

    pub fn not(&mut self, net: Net) -> Net {
        let width = self.width(net);
        match self.cell(net).op.clone() {
            Op::Const(value) => self.constant(value ^ ((BigUint::from(1u8) << width) - 1u8), width),
            Op::Not(inner) => inner,
            _ => self.add_cell(Op::Not(net), width),
        }
    }

    pub fn and(&mut self, a: Net, b: Net) -> Net {
        let (a, b) = (a.min(b), a.max(b));
        if a == b || self.is_ones(b) || self.is(a, 0) {
            return a;
        }
        if self.is_ones(a) || self.is(b, 0) {
            return b;
        }
        self.add_cell(Op::And(a, b), self.width(a))
    }

    pub fn or(&mut self, a: Net, b: Net) -> Net {
        let (a, b) = (a.min(b), a.max(b));
        if a == b || self.is_ones(a) || self.is(b, 0) {
            return a;
        }
        if self.is_ones(b) || self.is(a, 0) {
            return b;
        }
        self.add_cell(Op::Or(a, b), self.width(a))
    }

    pub fn xor(&mut self, a: Net, b: Net) -> Net {
        if self.is(a, 0) {
            return b;
        }
        if self.is(b, 0) {
            return a;
        }
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.constant(x ^ y, self.width(a));
        }
        self.add_cell(Op::Xor(a, b), self.width(a))
    }

    pub fn add(&mut self, a: Net, b: Net) -> Net {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.constant(x + y, self.width(a));
        }
        if self.is(b, 0) {
            return a;
        }
        if self.is(a, 0) {
            return b;
        }
        match self.width(a) {
            1 => self.xor(a, b),
            width => self.add_cell(Op::Add(a, b), width),
        }
    }

    pub fn sub(&mut self, a: Net, b: Net) -> Net {
        let width = self.width(a);
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.constant(x + (BigUint::from(1u8) << width) - y, width);
        }
        if self.is(b, 0) {
            return a;
        }
        match width {
            1 => self.xor(a, b),
            _ => self.add_cell(Op::Sub(a, b), width),
        }
    }

    pub fn eq(&mut self, a: Net, b: Net) -> Net {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            let equal = x == y;
            return self.bit(equal);
        }
        if a == b {
            return self.bit(true);
        }
        if self.width(a) == 1 {
            let differ = self.xor(a, b);
            if self.is(b, 1) {
                return a;
            }
            if self.is(a, 1) {
                return b;
            }
            return self.not(differ);
        }
        self.add_cell(Op::Eq(a, b), 1)
    }

    pub fn lt(&mut self, a: Net, b: Net) -> Net {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            let less = x < y;
            return self.bit(less);
        }
        if a == b || self.is(b, 0) {
            return self.bit(false);
        }
        if self.width(a) == 1 {
            let not = self.not(a);
            return self.and(not, b);
        }
        self.add_cell(Op::Lt(a, b), 1)
    }

    pub fn mux(&mut self, condition: Net, then: Net, otherwise: Net) -> Net {
        if then == otherwise || self.is(condition, 1) {
            return then;
        }
        if self.is(condition, 0) {
            return otherwise;
        }
        if let Op::Not(inner) = self.cell(condition).op {
            return self.mux(inner, otherwise, then);
        }
        if self.width(then) == 1 {
            if self.is(then, 1) {
                return self.or(condition, otherwise);
            }
            if self.is(otherwise, 0) {
                return self.and(condition, then);
            }
            let not = self.not(condition);
            if self.is(then, 0) {
                return self.and(not, otherwise);
            }
            if self.is(otherwise, 1) {
                return self.or(not, then);
            }
        }
        self.add_cell(Op::Mux(condition, then, otherwise), self.width(then))
    }

    /// Whether any bit is 1.
    pub fn any(&mut self, net: Net) -> Net {
        if self.width(net) == 1 {
            return net;
        }
        let zero = self.constant(0u8, self.width(net));
        let none = self.eq(net, zero);
        self.not(none)
    }

    /// A value if a bit is 1, else zero.
    pub fn when(&mut self, condition: Net, value: Net) -> Net {
        let zero = self.constant(0u8, self.width(value));
        self.mux(condition, value, zero)
    }
}

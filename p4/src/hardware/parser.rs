//! The parser as a machine that takes a word of the frame a cycle.
//!
//! Its nodes are the places in the program at which a word can begin: so many bytes into a header that is being
//! extracted, or so many words before the end of what is skipped. Where a header begins within a word is part of its
//! node, so that every field is taken from fixed bits of the word, and cycles of states need no unrolling. What a
//! state does behind the last byte of a header happens in the cycle of that byte.
//!
//! Frames have two bytes of padding in front. Fields lie in registers piece by piece, as the words cut them, and count
//! only while their header is valid; a header that can be extracted more than once is collected in registers
//! beside its fields. With a frame's first word everything else is zero again.

mod branch;
mod skip;
mod words;

use super::expr::{self, Values};
use super::netlist::{Net, Netlist, RegId, Step};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, HeaderId, Next, ParserOp, Program, Role, StateId, TableId, Target, VarId};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Bits of the counter of words, which is enough for the longest frame.
const INDEX_BITS: u32 = 12;
/// Bits of the counter of words to skip. All ones is more than any frame has.
const SKIP_BITS: u32 = 13;
/// Steps of all nodes together, beyond which a program is refused.
const MAX_STEPS: usize = 20_000;

const START: u64 = 0;
const DONE: u64 = 1;

/// Something that the parser remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Slot {
    Var(VarId),
    Offset(HeaderId),
    Error,
    Skip,
}

/// Where the program goes on: before an operation of a state, which may be behind the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Point {
    state: StateId,
    op: usize,
}

/// What the machine does with the next word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    /// Goes on with the extraction at this point, of which so many bytes are there.
    Read(Point, u32),
    /// Goes on at this point once the last of the words to skip has come, behind so many of its bytes.
    Skip(Point, u32),
}

/// Values that differ from those in the registers.
type Env = BTreeMap<Slot, Net>;

/// A part of a field that one word brings, in bits from the header's first.
#[derive(Clone, Copy, Debug)]
struct Piece {
    field: VarId,
    from: u32,
    width: u32,
    register: RegId,
}

#[derive(Default)]
struct HeaderState {
    pieces: Vec<Piece>,
    /// Lanes at which it begins.
    lanes: BTreeSet<u32>,
    /// It may be extracted again, or its fields assigned.
    again: bool,
}

/// The machine, and its values between frames.
pub struct Machine {
    /// What happens in each cycle with a word.
    pub steps: Vec<Step>,
    pub nodes: usize,
    /// Words behind the present one at which the program looks.
    pub ahead: u32,
    known: Known,
}

/// The registers of slots and headers.
struct Known {
    slots: BTreeMap<Slot, RegId>,
    headers: Vec<HeaderState>,
}

impl Known {
    fn slot(&mut self, list: &mut Netlist, program: &Program, slot: Slot) -> RegId {
        *self.slots.entry(slot).or_insert_with(|| match slot {
            Slot::Var(var) => {
                let var = &program.vars[var.index()];
                list.register(format!("var {}", var.name), var.ty.width())
            }
            Slot::Offset(header) => {
                list.register(format!("offset {}", program.headers[header.index()].name), 16)
            }
            Slot::Error => list.register("error", ir::ERROR_BITS),
            Slot::Skip => list.register("skip", SKIP_BITS),
        })
    }

    /// The value of a variable between frames, or at the beginning of a word.
    fn read(&mut self, list: &mut Netlist, program: &Program, var: VarId) -> Net {
        match &program.vars[var.index()].role {
            Role::Field(header) if !self.headers[header.index()].again => {
                let whole = self.collected(list, *header, var);
                let valid = self.slot(list, program, Slot::Var(program.headers[header.index()].valid));
                let valid = list.read(valid);
                list.when(valid, whole)
            }
            _ => {
                let register = self.slot(list, program, Slot::Var(var));
                list.read(register)
            }
        }
    }

    /// A field as its registers have it.
    fn collected(&self, list: &mut Netlist, header: HeaderId, var: VarId) -> Net {
        let pieces = self.headers[header.index()].pieces.iter().filter(|piece| piece.field == var);
        let parts: Vec<RegId> = pieces.map(|piece| piece.register).collect();
        let mut whole = None;
        for part in parts {
            let part = list.read(part);
            whole = Some(whole.map_or(part, |left| list.concat(left, part)));
        }
        whole.unwrap_or_else(|| list.constant(0u8, 1))
    }
}

/// Makes the machine of a program's parser; what cannot be made is among the diagnostics.
pub fn machine(program: &Program, list: &mut Netlist, refused: &mut Vec<Diagnostic>) -> Option<Machine> {
    // The first run finds the lanes, with headers cut at every byte; nothing of it remains.
    let mut scratch = Netlist::default();
    let headers = program.headers.iter().map(|_| HeaderState::default()).collect();
    let mut first = Generator::new(program, &mut scratch, headers);
    first.cut(|_, bit| bit % 8 == 0);
    first.run();
    if !first.refused.is_empty() {
        refused.append(&mut first.refused);
        return None;
    }
    let ahead = first.ahead;
    let again = extracted_again(program);
    let headers = first.known.headers.into_iter().enumerate();
    let headers = headers
        .map(|(index, state)| HeaderState {
            lanes: state.lanes,
            again: again.contains(&index),
            pieces: vec![],
        })
        .collect();
    let mut second = Generator::new(program, list, headers);
    second.ahead = ahead;
    second.cut(|lanes, bit| lanes.iter().any(|lane| (bit + 8 * lane) % 32 == 0));
    let steps = second.run();
    refused.append(&mut second.refused);
    Some(Machine { steps, nodes: second.ids.len() + 2, ahead, known: second.known })
}

/// Headers whose registers must not be the fields themselves: those that more than one place or a cycle of states
/// extracts, and those that the program assigns to.
fn extracted_again(program: &Program) -> HashSet<usize> {
    let states = &program.parser.states;
    let next = |state: usize| -> Vec<usize> {
        let targets: Vec<Target> = match &states[state].next {
            Next::Goto(target) => vec![*target],
            Next::Select { cases, .. } => cases.iter().map(|case| case.target).collect(),
        };
        let states = targets.into_iter().filter_map(|target| match target {
            Target::State(id) => Some(id.index()),
            _ => None,
        });
        states.collect()
    };
    let in_cycle = |state: usize| {
        let (mut seen, mut open) = (HashSet::new(), next(state));
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                open.extend(next(at));
            }
        }
        seen.contains(&state)
    };
    fn assigned(ops: &[ParserOp], program: &Program, found: &mut HashSet<usize>) {
        for op in ops {
            match op {
                ParserOp::Assign { var, .. } => {
                    if let Role::Field(header) = program.vars[var.index()].role {
                        found.insert(header.index());
                    }
                }
                ParserOp::If { then, otherwise, .. } => {
                    assigned(then, program, found);
                    assigned(otherwise, program, found);
                }
                _ => {}
            }
        }
    }
    let (mut found, mut once) = (HashSet::new(), HashSet::new());
    assigned(&program.parser.init, program, &mut found);
    for (index, state) in states.iter().enumerate() {
        assigned(&state.ops, program, &mut found);
        for op in &state.ops {
            if let ParserOp::Extract(header, _) = op {
                if !once.insert(header.index()) || in_cycle(index) {
                    found.insert(header.index());
                }
            }
        }
    }
    found
}

struct Generator<'a> {
    program: &'a Program,
    list: &'a mut Netlist,
    known: Known,
    node: RegId,
    index: RegId,
    ids: HashMap<Node, u64>,
    open: Vec<Node>,
    /// The word is a frame's first: registers count for zero.
    starts: bool,
    /// States that were entered behind the same byte, on the way to here.
    entered: Vec<(StateId, u32)>,
    steps: usize,
    /// Bytes of this word that are behind the present position.
    behind: u32,
    /// Words behind this one at which the program looks.
    ahead: u32,
    refused: Vec<Diagnostic>,
    /// The code of `PacketTooShort` and of `NoMatch`.
    too_short: u32,
    no_match: u32,
}

/// Values at a place in the program.
struct Place<'g, 'a, 'e> {
    generator: &'g mut Generator<'a>,
    env: &'e Env,
}

impl Values for Place<'_, '_, '_> {
    fn netlist(&mut self) -> &mut Netlist {
        self.generator.list
    }

    fn var(&mut self, var: VarId) -> Net {
        self.generator.read(self.env, Slot::Var(var))
    }

    fn header_offset(&mut self, header: HeaderId) -> Net {
        self.generator.read(self.env, Slot::Offset(header))
    }

    fn table_hit(&mut self, _: TableId) -> Net {
        self.generator.list.bit(false) // the checker has it in controls only
    }

    fn ahead(&mut self, offset: u32, window: u32, width: u32, span: Span) -> Net {
        self.generator.bits_ahead(offset, window, width, span)
    }

    fn is_short(&mut self, window: u32) -> Net {
        let bytes = self.generator.behind + window.div_ceil(8);
        self.generator.ends_before(bytes)
    }
}

impl<'a> Generator<'a> {
    fn new(program: &'a Program, list: &'a mut Netlist, headers: Vec<HeaderState>) -> Self {
        let code = |name: &str| program.errors.iter().position(|error| error == name).unwrap_or(0) as u32;
        let (node, index) = (list.register("node", 0), list.register("index", INDEX_BITS));
        Generator {
            program,
            known: Known { slots: BTreeMap::new(), headers },
            node,
            index,
            list,
            ids: HashMap::new(),
            open: vec![],
            starts: false,
            entered: vec![],
            steps: 0,
            behind: 0,
            ahead: 0,
            refused: vec![],
            too_short: code("PacketTooShort"),
            no_match: code("NoMatch"),
        }
    }

    /// Divides the fields where `cut` says so for the lanes of the header and a bit of it.
    fn cut(&mut self, cut: impl Fn(&BTreeSet<u32>, u32) -> bool) {
        for (header, state) in self.program.headers.iter().zip(&mut self.known.headers) {
            for field in &header.fields {
                let width = self.program.vars[field.var.index()].ty.width();
                let (end, mut from) = (field.offset + width, field.offset);
                while from < end {
                    let to = (from + 1..end).find(|bit| cut(&state.lanes, *bit)).unwrap_or(end);
                    let name = format!("field {} {}", self.program.vars[field.var.index()].name, end - to);
                    let register = self.list.register(name, to - from);
                    state.pieces.push(Piece { field: field.var, from, width: to - from, register });
                    from = to;
                }
            }
        }
    }

    fn read(&mut self, env: &Env, slot: Slot) -> Net {
        if let Some(net) = env.get(&slot) {
            return *net;
        }
        if let Slot::Var(var) = slot {
            if let Role::ParserInput(_) = self.program.vars[var.index()].role {
                // `recirculated` is the only one.
                let from_wire = self.list.input("from_wire", 1);
                return self.list.not(from_wire);
            }
        }
        if self.starts {
            let width = match slot {
                Slot::Var(var) => self.program.vars[var.index()].ty.width(),
                Slot::Offset(_) => 16,
                Slot::Error => ir::ERROR_BITS,
                Slot::Skip => SKIP_BITS,
            };
            return self.list.constant(0u8, width);
        }
        match slot {
            Slot::Var(var) => self.known.read(self.list, self.program, var),
            _ => {
                let register = self.known.slot(self.list, self.program, slot);
                self.list.read(register)
            }
        }
    }

    fn eval(&mut self, env: &Env, expr: &ir::Expr) -> Net {
        expr::net(&mut Place { generator: self, env }, expr)
    }

    /// All nodes that are reached, as the steps of one cycle with a word.
    fn run(&mut self) -> Vec<Step> {
        self.starts = true;
        let mut env = Env::new();
        let program = self.program;
        self.behind = 2;
        let failed = self.branch(&program.parser.init, &mut env);
        let mut start = match failed {
            Some((condition, error)) => {
                let mut stopped = env.clone();
                stopped.insert(Slot::Error, error);
                let (stop, go) = (self.finish(&stopped), self.enter(StateId(0), 2, env));
                self.choose(condition, stop, go)
            }
            None => self.enter(StateId(0), 2, env),
        };
        self.starts = false;
        let mut branches = vec![];
        while let Some(node) = self.open.pop() {
            let id = self.ids[&node];
            let steps = match node {
                Node::Read(point, done) => self.read_on(point, done),
                Node::Skip(point, boundary) => self.skip_on(point, boundary),
            };
            branches.push((id, steps));
            if self.is_too_large() {
                break;
            }
        }
        // A frame's first word forgets what was before; what it sets itself comes behind.
        let mut cleared = vec![];
        for register in self.known.slots.values() {
            let zero = self.list.constant(0u8, self.list.registers[register.0].width);
            cleared.push(Step::Set(*register, zero));
        }
        cleared.append(&mut start);
        branches.push((START, cleared));
        branches.sort_by_key(|(id, _)| *id);

        let count = self.ids.len() as u64 + 2;
        let width = 64 - (count - 1).leading_zeros();
        self.list.registers[self.node.0].width = width;
        let mut steps = vec![Step::Case(self.node, branches)];
        fix_width(&mut steps, self.node, self.list);
        let index = self.list.read(self.index);
        let one = self.list.constant(1u8, INDEX_BITS);
        let next = self.list.add(index, one);
        steps.push(Step::Set(self.index, next));
        let last = self.list.input("last", 1);
        let (start, zero) = (self.list.constant(START, width), self.list.constant(0u8, INDEX_BITS));
        steps.push(Step::If(last, vec![Step::Set(self.node, start), Step::Set(self.index, zero)], vec![]));
        steps
    }

    fn is_too_large(&mut self) -> bool {
        if self.steps <= MAX_STEPS {
            return false;
        }
        if self.refused.is_empty() {
            let span = self.program.parser.states[0].span;
            self.refused.push(
                Diagnostic::error(Code::HardwareSize, "the parser takes too much hardware")
                    .at(span, format!("more than {MAX_STEPS} steps from here on"))
                    .help("headers that are multiples of four bytes take the fewest"),
            );
        }
        true
    }

    // ---- Nodes ----------------------------------------------------------------------------------------------

    fn header_at(&self, point: Point) -> Option<HeaderId> {
        match self.program.parser.states[point.state.index()].ops.get(point.op) {
            Some(ParserOp::Extract(header, _)) => Some(*header),
            _ => None,
        }
    }

    fn read_on(&mut self, point: Point, done: u32) -> Vec<Step> {
        let Some(header) = self.header_at(point) else { return vec![] };
        let left = self.program.headers[header.index()].width / 8 - done;
        self.entered.clear();
        if left > 4 {
            let mut steps = self.capture(header, done, 0, 4);
            steps.append(&mut self.wait(Node::Read(point, done + 4), &Env::new()));
            return steps;
        }
        let mut steps = self.capture(header, done, 0, left);
        steps.append(&mut self.complete(point, header, done, left, &Env::new()));
        steps
    }

    /// The header's last byte is the one before the boundary; its bytes from `done` on are in this word.
    fn complete(&mut self, point: Point, header: HeaderId, done: u32, boundary: u32, env: &Env) -> Vec<Step> {
        let mut behind = env.clone();
        let program = self.program;
        let declared = &program.headers[header.index()];
        let first = boundary - (declared.width / 8 - done).min(boundary);
        let one = self.list.bit(true);
        behind.insert(Slot::Var(declared.valid), one);
        let offset = self.offset(boundary, declared.width / 8);
        behind.insert(Slot::Offset(header), offset);
        for field in &declared.fields {
            let value = self.field(header, field.var, done, first);
            behind.insert(Slot::Var(field.var), value);
        }
        let there = self.there(boundary);
        let reads = declared.width > 0;
        let go = self.go_on_behind(Point { op: point.op + 1, ..point }, reads, boundary, behind);
        let stop = self.cut_off(env);
        self.choose(there, go, stop)
    }

    /// Bytes from the start of the frame to a header of so many bytes that ends in this word.
    fn offset(&mut self, boundary: u32, bytes: u32) -> Net {
        let index = match self.starts {
            true => self.list.constant(0u8, INDEX_BITS),
            false => self.list.read(self.index),
        };
        let zeros = self.list.constant(0u8, 2);
        let at = self.list.concat(index, zeros);
        let at = self.list.resize(at, 16);
        let add = (i64::from(boundary) - i64::from(bytes) - 2).rem_euclid(0x1_0000);
        let add = self.list.constant(add.unsigned_abs(), 16);
        self.list.add(at, add)
    }

    // ---- Operations -----------------------------------------------------------------------------------------

    /// Enters a state behind a byte of this word.
    fn enter(&mut self, state: StateId, boundary: u32, env: Env) -> Vec<Step> {
        // The checker refuses cycles that read nothing; whatever it may overlook ends here.
        if self.entered.contains(&(state, boundary)) {
            let state = &self.program.parser.states[state.index()];
            self.refused.push(
                Diagnostic::error(
                    Code::HardwareSize,
                    format!("state `{}` can be entered again before anything is read", state.name),
                )
                .at(state.span, "a cycle of states that may skip nothing")
                .note("the hardware takes all steps between two bytes of the packet in one cycle"),
            );
            return vec![];
        }
        self.entered.push((state, boundary));
        let steps = self.go_on(Point { state, op: 0 }, boundary, env);
        self.entered.pop();
        steps
    }

    fn go_on(&mut self, mut point: Point, boundary: u32, mut env: Env) -> Vec<Step> {
        self.steps += 1;
        if self.is_too_large() {
            return vec![];
        }
        let program = self.program;
        let state = &program.parser.states[point.state.index()];
        self.behind = boundary;
        while let Some(op) = state.ops.get(point.op) {
            let behind = Point { op: point.op + 1, ..point };
            match op {
                ParserOp::Extract(header, _) => return self.extract(point, *header, boundary, env),
                ParserOp::Advance(amount) => return self.advance(behind, amount, boundary, env),
                _ => {}
            }
            if let ParserOp::Assign { var, value } = op {
                let failed = self.cut_short(&env, value);
                let value = self.eval(&env, value);
                // An assignment that fails assigns nothing.
                let stopped = failed.map(|_| env.clone());
                env.insert(Slot::Var(*var), value);
                if let (Some((fails, _)), Some(stopped)) = (failed, stopped) {
                    let stop = self.cut_off(&stopped);
                    let go = self.go_on(behind, boundary, env);
                    return self.choose(fails, stop, go);
                }
                point = behind;
                continue;
            }
            if let Some((condition, error)) = self.branch(std::slice::from_ref(op), &mut env) {
                let mut stopped = env.clone();
                stopped.insert(Slot::Error, error);
                let stop = self.finish(&stopped);
                let go = match self.is_always(condition) {
                    true => vec![],
                    false => self.go_on(behind, boundary, env),
                };
                return self.choose(condition, stop, go);
            }
            point = behind;
        }
        match &state.next {
            Next::Goto(target) => self.go_to(*target, boundary, env),
            Next::Select { keys, cases } => {
                let mut failed = None;
                for key in keys {
                    let one = self.cut_short(&env, key);
                    failed = self.either(failed, one);
                }
                let keys: Vec<Net> = keys.iter().map(|key| self.eval(&env, key)).collect();
                match failed {
                    None => self.select(&keys, cases, boundary, env),
                    Some((fails, _)) => {
                        let stop = self.cut_off(&env);
                        let go = self.select(&keys, cases, boundary, env);
                        self.choose(fails, stop, go)
                    }
                }
            }
        }
    }

    fn is_always(&self, condition: Net) -> bool {
        self.list.value(condition).is_some_and(|value| value.bit(0))
    }

    fn is_never(&self, condition: Net) -> bool {
        self.list.value(condition).is_some_and(|value| !value.bit(0))
    }

    /// Steps of one of two cases, of which it may be known which it is.
    fn choose(&mut self, condition: Net, then: Vec<Step>, otherwise: Vec<Step>) -> Vec<Step> {
        if self.is_always(condition) {
            return then;
        }
        if self.is_never(condition) {
            return otherwise;
        }
        vec![Step::If(condition, then, otherwise)]
    }

    fn select(&mut self, keys: &[Net], cases: &[ir::Case], boundary: u32, env: Env) -> Vec<Step> {
        let Some(first) = cases.first() else {
            let error = self.list.constant(self.no_match, ir::ERROR_BITS);
            let mut env = env;
            env.insert(Slot::Error, error);
            return self.finish(&env);
        };
        // Neighbours that lead to the same state are one.
        let same = cases.iter().take_while(|case| case.target == first.target).count();
        let mut condition = self.list.bit(false);
        for case in &cases[..same] {
            let holds = expr::all_hold(self.list, &case.keysets, keys);
            condition = self.list.or(condition, holds);
        }
        let then = self.go_to(first.target, boundary, env.clone());
        let otherwise = match self.is_always(condition) {
            true => vec![],
            false => self.select(keys, &cases[same..], boundary, env),
        };
        self.choose(condition, then, otherwise)
    }

    fn go_to(&mut self, target: Target, boundary: u32, env: Env) -> Vec<Step> {
        match target {
            Target::State(state) => self.enter(state, boundary, env),
            Target::Accept | Target::Reject => self.finish(&env),
        }
    }

    fn extract(&mut self, point: Point, header: HeaderId, boundary: u32, env: Env) -> Vec<Step> {
        let bytes = self.program.headers[header.index()].width / 8;
        self.known.headers[header.index()].lanes.insert(boundary % 4);
        if bytes == 0 {
            return self.complete(point, header, 0, boundary, &env);
        }
        let room = 4 - boundary;
        let now = bytes.min(room);
        let mut steps = self.capture(header, 0, boundary, now);
        if bytes <= room {
            steps.append(&mut self.complete(point, header, 0, boundary + bytes, &env));
        } else {
            steps.append(&mut self.wait(Node::Read(point, now), &env));
        }
        steps
    }

    /// Goes on behind an operation that may have read something: then every state may be entered once more.
    fn go_on_behind(&mut self, behind: Point, reads: bool, boundary: u32, env: Env) -> Vec<Step> {
        if !reads {
            return self.go_on(behind, boundary, env);
        }
        let entered = std::mem::take(&mut self.entered);
        let steps = self.go_on(behind, boundary, env);
        self.entered = entered;
        steps
    }

    // ---- Ends of a word -------------------------------------------------------------------------------------

    /// Goes on with the next word, if there is one.
    fn wait(&mut self, node: Node, env: &Env) -> Vec<Step> {
        self.steps += 1;
        let next = self.ids.len() as u64 + 2;
        let id = *self.ids.entry(node).or_insert(next);
        if id == next {
            self.open.push(node);
        }
        let last = self.list.input("last", 1);
        let mut steps = self.commit(env);
        let id = self.list.constant(id, 64);
        let mut error = Env::new();
        let code = self.list.constant(self.too_short, ir::ERROR_BITS);
        error.insert(Slot::Error, code);
        let stop = self.commit(&error);
        steps.push(Step::If(last, stop, vec![Step::Set(self.node, id)]));
        steps
    }

    /// The frame ends before what is to be read does.
    fn cut_off(&mut self, env: &Env) -> Vec<Step> {
        let mut env = env.clone();
        let code = self.list.constant(self.too_short, ir::ERROR_BITS);
        env.insert(Slot::Error, code);
        self.finish(&env)
    }

    fn finish(&mut self, env: &Env) -> Vec<Step> {
        let mut steps = self.commit(env);
        let done = self.list.constant(DONE, 64);
        steps.push(Step::Set(self.node, done));
        steps
    }

    /// Puts values into their registers. Fields that were captured are there already.
    fn commit(&mut self, env: &Env) -> Vec<Step> {
        let mut steps = vec![];
        for (slot, value) in env {
            if let Slot::Var(var) = slot {
                if let Role::Field(header) = self.program.vars[var.index()].role {
                    if !self.known.headers[header.index()].again {
                        continue;
                    }
                }
            }
            let register = self.known.slot(self.list, self.program, *slot);
            steps.push(Step::Set(register, *value));
        }
        steps
    }

    // ---- Fields ---------------------------------------------------------------------------------------------
}

/// Values for a register whose width was not known yet take it on.
fn fix_width(steps: &mut [Step], register: RegId, list: &mut Netlist) {
    let width = list.registers[register.0].width;
    for step in steps {
        match step {
            Step::Set(of, net) if *of == register => *net = list.slice(*net, 0, width),
            Step::Set(..) => {}
            Step::If(_, then, otherwise) => {
                fix_width(then, register, list);
                fix_width(otherwise, register, list);
            }
            Step::Case(_, branches) => {
                branches.iter_mut().for_each(|(_, steps)| fix_width(steps, register, list));
            }
        }
    }
}

impl Machine {
    /// A variable of the parser as a frame leaves it.
    pub fn var(&mut self, list: &mut Netlist, program: &Program, var: VarId) -> Net {
        let declared = &program.vars[var.index()];
        let decides = match declared.role {
            Role::Field(header) if !self.known.headers[header.index()].again => {
                program.headers[header.index()].valid
            }
            _ => var,
        };
        match self.known.slots.contains_key(&Slot::Var(decides)) {
            true => self.known.read(list, program, var),
            false => list.constant(0u8, declared.ty.width()), // nothing ever sets it
        }
    }

    pub fn offset(&self, list: &mut Netlist, header: HeaderId) -> Net {
        self.slot(list, Slot::Offset(header), 16)
    }

    pub fn error(&self, list: &mut Netlist) -> Net {
        self.slot(list, Slot::Error, ir::ERROR_BITS)
    }

    fn slot(&self, list: &mut Netlist, slot: Slot, width: u32) -> Net {
        match self.known.slots.get(&slot) {
            Some(register) => list.read(*register),
            None => list.constant(0u8, width),
        }
    }
}

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

use super::expr::{self, Values};
use super::netlist::{Net, Netlist, RegId, Step};
use super::window::{port_bits, ENTRY_BITS, MAX_AHEAD};
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

    /// Whether the packet ends before what is looked at in the expression, with the error then; `None` if it cannot.
    fn cut_short(&mut self, env: &Env, expr: &ir::Expr) -> Option<(Net, Net)> {
        let fails = expr::cut_short(&mut Place { generator: self, env }, expr);
        (!self.is_never(fails)).then(|| (fails, self.list.constant(self.too_short, ir::ERROR_BITS)))
    }

    /// The first failure that there is, of two in order.
    fn either(&mut self, first: Option<(Net, Net)>, second: Option<(Net, Net)>) -> Option<(Net, Net)> {
        match (first, second) {
            (Some(first), Some(second)) => {
                Some((self.list.or(first.0, second.0), self.list.mux(first.0, first.1, second.1)))
            }
            (first, second) => first.or(second),
        }
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

    fn skip_on(&mut self, point: Point, boundary: u32) -> Vec<Step> {
        let env = Env::new();
        self.entered.clear();
        let left = self.read(&env, Slot::Skip);
        let one = self.list.constant(1u8, SKIP_BITS);
        let is_last = self.list.eq(left, one);
        let there = self.there(boundary);
        let go = self.go_on(point, boundary, env.clone());
        let stop = self.cut_off(&env);
        let end = self.choose(there, go, stop);
        let fewer = self.list.sub(left, one);
        let more = self.wait(Node::Skip(point, boundary), &Env::from([(Slot::Skip, fewer)]));
        self.choose(is_last, end, more)
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

    /// Operations that do not read the packet. Returns the condition under which one of them rejects, and the error.
    fn branch(&mut self, ops: &[ParserOp], env: &mut Env) -> Option<(Net, Net)> {
        let mut failed: Option<(Net, Net)> = None;
        for op in ops {
            let before = env.clone();
            let one = match op {
                ParserOp::Extract(..) | ParserOp::Advance(_) => None, // never here, as the IR says
                ParserOp::Assign { var, value } => {
                    let failed = self.cut_short(env, value);
                    let value = self.eval(env, value);
                    env.insert(Slot::Var(*var), value);
                    if let Some((fails, _)) = failed {
                        *env = self.merge(fails, &before, env);
                    }
                    failed
                }
                ParserOp::Verify { condition, error } => {
                    let short = self.cut_short(env, condition);
                    let holds = self.eval(env, condition);
                    let fails = self.list.not(holds);
                    let error = self.list.constant(*error, ir::ERROR_BITS);
                    let failed = (!self.is_never(fails)).then_some((fails, error));
                    self.either(short, failed)
                }
                ParserOp::If { condition, then, otherwise } => {
                    let short = self.cut_short(env, condition);
                    let condition = self.eval(env, condition);
                    let mut other = env.clone();
                    let then = self.branch(then, env);
                    let otherwise = self.branch(otherwise, &mut other);
                    *env = self.merge(condition, env, &other);
                    let no = (self.list.bit(false), self.list.constant(0u8, ir::ERROR_BITS));
                    if let Some((fails, _)) = short {
                        *env = self.merge(fails, &before, env);
                    }
                    let failed = match (then, otherwise) {
                        (None, None) => None,
                        (then, otherwise) => {
                            let (then, otherwise) = (then.unwrap_or(no), otherwise.unwrap_or(no));
                            let fails = self.list.mux(condition, then.0, otherwise.0);
                            Some((fails, self.list.mux(condition, then.1, otherwise.1)))
                        }
                    };
                    self.either(short, failed)
                }
            };
            // Behind a failure nothing more happens.
            if let Some((condition, error)) = failed {
                *env = self.merge(condition, &before, env);
                failed = Some(match one {
                    None => (condition, error),
                    Some((fails, later)) => {
                        (self.list.or(condition, fails), self.list.mux(condition, error, later))
                    }
                });
            } else {
                failed = one;
            }
        }
        failed
    }

    fn merge(&mut self, condition: Net, then: &Env, otherwise: &Env) -> Env {
        let slots: BTreeSet<Slot> = then.keys().chain(otherwise.keys()).copied().collect();
        let mut merged = Env::new();
        for slot in slots {
            let (a, b) = (self.read(then, slot), self.read(otherwise, slot));
            let value = self.list.mux(condition, a, b);
            merged.insert(slot, value);
        }
        merged
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

    fn advance(&mut self, behind: Point, amount: &ir::Expr, boundary: u32, env: Env) -> Vec<Step> {
        if let Some((fails, _)) = self.cut_short(&env, amount) {
            let stop = self.cut_off(&env);
            let go = self.advance_by(behind, amount, boundary, env);
            return self.choose(fails, stop, go);
        }
        self.advance_by(behind, amount, boundary, env)
    }

    fn advance_by(&mut self, behind: Point, amount: &ir::Expr, boundary: u32, env: Env) -> Vec<Step> {
        let bits = self.eval(&env, amount);
        let width = self.list.width(bits);
        let bytes = match width {
            0..=3 => self.list.constant(0u8, 1),
            _ => self.list.slice(bits, 3, width - 3),
        };
        // An amount has 32 bits, of which most are known to be zero.
        let bytes = self.list.without_leading_zeros(bytes);
        let width = self.list.width(bytes).max(3) + 1;
        let bytes = self.list.resize(bytes, width);
        // Where the skip ends, as bytes from the start of this word, less one.
        let low = self.list.slice(bytes, 0, 2);
        let end = match self.list.value(low).is_some_and(|low| low.count_ones() == 0) {
            true => {
                let high = self.list.slice(bytes, 2, width - 2);
                let low = self.list.constant(boundary - 1, 2);
                self.list.concat(high, low)
            }
            false => {
                let before = self.list.constant(boundary - 1, width);
                self.list.add(bytes, before)
            }
        };
        let words = self.list.slice(end, 2, width - 2);
        let none = {
            let some = self.list.any(words);
            self.list.not(some)
        };
        let lane = self.list.slice(end, 0, 2);
        let mut steps = vec![];
        for value in (0..4u32).rev() {
            let wanted = self.list.constant(value, 2);
            let here = self.list.eq(lane, wanted);
            if self.is_never(here) {
                continue;
            }
            let one = self.skip_to(behind, boundary, value + 1, words, none, &env);
            steps = match steps.is_empty() {
                true => one,
                false => self.choose(here, one, steps),
            };
        }
        steps
    }

    /// A skip that ends at a boundary in the word that comes `words` after this one.
    fn skip_to(&mut self, behind: Point, from: u32, to: u32, words: Net, none: Net, env: &Env) -> Vec<Step> {
        let later = match self.is_always(none) {
            true => vec![],
            false => {
                let width = self.list.width(words);
                let mut count = self.list.resize(words, SKIP_BITS);
                if width > SKIP_BITS {
                    let high = self.list.slice(words, SKIP_BITS, width - SKIP_BITS);
                    let over = self.list.any(high);
                    let zero = self.list.constant(0u8, SKIP_BITS);
                    let most = self.list.not(zero);
                    count = self.list.mux(over, most, count);
                }
                let mut waiting = env.clone();
                waiting.insert(Slot::Skip, count);
                self.wait(Node::Skip(behind, to), &waiting)
            }
        };
        // The skip may end in this word only if that is not before where it began.
        if to < from || self.is_never(none) {
            return later;
        }
        let there = self.there(to);
        let go = self.go_on_behind(behind, from != to, to, env.clone());
        let stop = self.cut_off(env);
        let here = self.choose(there, go, stop);
        self.choose(none, here, later)
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

    /// The word has so many bytes.
    fn there(&mut self, bytes: u32) -> Net {
        if bytes <= 1 || (self.starts && bytes <= 2) {
            return self.list.bit(true);
        }
        let last = self.list.input("last", 1);
        let len = self.list.input("len", 15);
        // The two least bits of the length say how many there are, 0 that there are four.
        let rest = self.list.slice(len, 0, 2);
        let mut short = self.list.bit(false);
        for less in 1..bytes {
            let less = self.list.constant(less, 2);
            let equal = self.list.eq(rest, less);
            short = self.list.or(short, equal);
        }
        let short = self.list.and(last, short);
        self.list.not(short)
    }

    /// The frame has fewer bytes than so many, counted from the first of this word on.
    fn ends_before(&mut self, bytes: u32) -> Net {
        let Some(word) = bytes.checked_sub(1).map(|last| last / 4) else { return self.list.bit(false) };
        if word == 0 {
            let there = self.there(bytes);
            return self.list.not(there);
        }
        // What is seen behind the frame's end may be anything: but then the end is before it.
        let mut short = self.list.input("last", 1);
        for before in 1..word {
            let (last, _) = self.seen(before);
            short = self.list.or(short, last);
        }
        let (last, rest) = self.seen(word);
        for less in 1..bytes - 4 * word {
            let less = self.list.constant(less, 2);
            let equal = self.list.eq(rest, less);
            let ends = self.list.and(last, equal);
            short = self.list.or(short, ends);
        }
        short
    }

    /// Of a word behind this one: whether it is the frame's last, and how many of its bytes count then.
    fn seen(&mut self, word: u32) -> (Net, Net) {
        let low = ENTRY_BITS * (word - 1);
        let seen = self.seen_port(word);
        (self.list.slice(seen, low + 32, 1), self.list.slice(seen, low + 33, 2))
    }

    /// The port of the words that are seen ahead, of which there are at least so many.
    fn seen_port(&mut self, words: u32) -> Net {
        self.ahead = self.ahead.max(words);
        // What the first run makes is forgotten, and only then is the number not known.
        self.list.input("ahead", port_bits(self.ahead))
    }

    /// Bits of the packet from so many behind the present position on.
    fn bits_ahead(&mut self, offset: u32, window: u32, width: u32, span: Span) -> Net {
        let from = 8 * self.behind + offset;
        let words = (from + width - 1) / 32;
        if (8 * self.behind + window).div_ceil(32) > MAX_AHEAD + 1 {
            if !self.refused.iter().any(|known| known.code == Code::HardwareLookahead) {
                self.refused.push(
                    Diagnostic::error(
                        Code::HardwareLookahead,
                        "the hardware cannot look so far ahead in the packet",
                    )
                    .at(span, format!("{window} bits ahead"))
                    .help(format!("it sees {} bits ahead of every place", 32 * MAX_AHEAD)),
                );
            }
            return self.list.constant(0u8, width);
        }
        let mut all = self.bits(0, 32);
        for word in 1..=words {
            let port = self.seen_port(word);
            let word = self.list.slice(port, ENTRY_BITS * (word - 1), 32);
            let word = self.in_order(word);
            all = self.list.concat(all, word);
        }
        let bits = 32 * (words + 1);
        self.list.slice(all, bits - from - width, width)
    }

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

    /// Bytes of a header from `done` on, which are in this word from a lane on, go to their registers.
    fn capture(&mut self, header: HeaderId, done: u32, lane: u32, bytes: u32) -> Vec<Step> {
        let pieces = self.known.headers[header.index()].pieces.clone();
        let mut steps = vec![];
        for piece in pieces {
            let (from, end) = (piece.from, piece.from + piece.width);
            if from >= 8 * done && end <= 8 * (done + bytes) {
                let value = self.bits(8 * lane + from - 8 * done, piece.width);
                steps.push(Step::Set(piece.register, value));
            }
        }
        steps
    }

    /// Bits of the word in the order of the wire.
    fn bits(&mut self, from: u32, width: u32) -> Net {
        let word = self.list.input("word", 32);
        let big = self.in_order(word);
        self.list.slice(big, 32 - from - width, width)
    }

    /// A word with the first byte on the wire as the most significant.
    fn in_order(&mut self, word: Net) -> Net {
        let mut big = self.list.slice(word, 0, 8);
        for byte in 1..4 {
            let byte = self.list.slice(word, 8 * byte, 8);
            big = self.list.concat(big, byte);
        }
        big
    }

    /// A field of a header that is whole with this word, which has its bytes from `done` on from a lane on.
    fn field(&mut self, header: HeaderId, var: VarId, done: u32, lane: u32) -> Net {
        let pieces = self.known.headers[header.index()].pieces.clone();
        let mut whole = None;
        for piece in pieces.iter().filter(|piece| piece.field == var) {
            let part = match piece.from >= 8 * done {
                true => self.bits(8 * lane + piece.from - 8 * done, piece.width),
                false => self.list.read(piece.register),
            };
            whole = Some(whole.map_or(part, |left| self.list.concat(left, part)));
        }
        whole.unwrap_or_else(|| self.list.constant(0u8, 1))
    }
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

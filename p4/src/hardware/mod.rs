//! The back end: hardware of a checked program.
//!
//! A program becomes three modules. The *window* holds words back for the parser to look ahead. The *classifier* takes a frame's words as they are stored and gives, once the frame
//! has ended, the key to look up, the header offsets and the parser error; a frame below 14 bytes leaves these as they
//! were. The *resolver* is combinational, and makes
//! the outputs of what the table gave and of what the classifier carries over for it.
//!
//! | module | |
//! | --- | --- |
//! | `window` | the words that come next |
//! | `entry` | whether the firmware can enter connections |
//! | `netlist`, `expr` | cells and registers, expressions as cells |
//! | `parser`, `control` | the two blocks of a program |
//! | `timing` | whether each path fits a cycle |
//! | `prune` | what nothing depends on is left out |
//! | `rust_hdl`, `verilog`, `control_plane` | the modules as Rust-HDL and as Verilog, the tables as JSON |
//!
//! What the language allows and this hardware does not have is refused with the position (E10xx).

mod control;
mod control_plane;
mod entry;
mod expr;
mod netlist;
mod parser;
mod prune;
mod rust_hdl;
mod timing;
mod verilog;
mod window;

pub use baton_control_plane::{ConnectionTable, ControlPlane, KeyDescription, Kind, TableDescription};
pub use timing::MAX_LEVELS;

use crate::diag::{Code, Diagnostic, Diagnostics, Severity};
use crate::ir::Program;
use netlist::{Net, Netlist, Op, RegId, Step};
use std::collections::HashMap;

/// A module as cells, registers and ports.
struct Module {
    name: &'static str,
    inputs: Vec<(&'static str, u32)>,
    outputs: Vec<(String, Net)>,
    list: Netlist,
    steps: Vec<Step>,
    /// It has a clock and a reset.
    clocked: bool,
}

/// The hardware of a program.
pub struct Hardware {
    window: Module,
    classifier: Module,
    resolver: Module,
    /// Or why the firmware cannot fill the table.
    connections: Result<Option<ConnectionTable>, Box<Diagnostic>>,
    /// Words of 32 bits of the lookup's key, at least one.
    pub key_words: usize,
    /// Bits from the classifier to the resolver.
    pub carry_bits: u32,
    /// Nodes of the parser's machine.
    pub parser_nodes: usize,
    /// Words that the parser looks ahead: so many cycles and one a frame's last word is held back, if there are any.
    pub words_ahead: usize,
    /// Bits of the port `ahead` between window and classifier.
    pub window_bits: u32,
    /// Levels of logic of the longest path, as they are counted before synthesis.
    pub levels: u32,
    pub control_plane: ControlPlane,
}

/// Makes the hardware of a checked program, or says what of it cannot be made.
pub fn compile(program: &Program, diagnostics: &mut Diagnostics) -> Option<Hardware> {
    let mut refused = vec![];
    let hardware = build(program, &mut refused);
    let fails = has_errors(&refused);
    refused.into_iter().for_each(|diagnostic| diagnostics.push(diagnostic));
    hardware.filter(|_| !fails)
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

fn build(program: &Program, refused: &mut Vec<Diagnostic>) -> Option<Hardware> {
    let mut list = Netlist::default();
    let mut machine = parser::machine(program, &mut list, refused)?;
    let [ended, length, looped] =
        [("ended", 1), ("length", 16), ("looped", 1)].map(|(name, width)| list.register(name, width));
    let frame = [list.read(length), list.read(looped)];
    let control = control::outputs(program, &mut list, &mut machine, frame, refused);
    if has_errors(refused) {
        return None;
    }

    // The outputs that the lookup does not decide, and what is carried over for those that it does.
    let late = control::late(&list);
    let is_late = |net: Net| late.get(net.index()).copied().unwrap_or(false);
    let output = |name: &str| control.outputs.get(name).copied();
    let mut results: Vec<(String, Net)> = vec![];
    let zero = list.bit(false);
    let mut key = list.constant(0u8, 32);
    if let Some(lookup) = &control.lookup {
        key = lookup.keys.iter().copied().reduce(|left, right| list.concat(left, right)).unwrap_or(key);
    }
    let key_words = list.width(key).div_ceil(32);
    key = list.resize(key, 32 * key_words);
    results.push(("key".into(), key));
    results.push(("lookup".into(), control.lookup.as_ref().map_or(zero, |lookup| lookup.applied)));
    results.push(("parser_error".into(), machine.error(&mut list)));
    for name in ["network_offset", "transport_offset", "payload_offset"] {
        let net = output(name)?;
        if is_late(net) {
            let table = control.lookup.as_ref().map(|lookup| &program.control.tables[lookup.table.index()]);
            refused.push(
                Diagnostic::error(Code::HardwareTables, format!("`{name}` depends on what a table gives"))
                    .at(table?.span, "this table")
                    .note("the offsets are needed before the lookup"),
            );
            return None;
        }
        results.push((name.into(), net));
    }
    let late_names = ["hit", "connection", "drop", "queue", "class_of_service"];
    let wanted: Option<Vec<(&str, Net)>> =
        late_names.iter().map(|name| output(name).map(|net| (*name, net))).collect();
    let (resolver, carried) = resolver(&list, &wanted?, &is_late);
    let mut carry = None;
    for net in carried {
        carry = Some(carry.map_or(net, |low| list.concat(net, low)));
    }
    let carry = carry.unwrap_or(zero);
    let carry = list.resize(carry, list.width(carry).max(2));
    let carry_bits = list.width(carry);
    results.push(("carry".into(), carry));

    let paths = timing::Paths::new(&list);
    paths.check_steps(&machine.steps, refused);
    for (name, net) in &results {
        let what = match name.as_str() {
            "carry" => "the outputs".to_string(),
            "key" => "the key".into(),
            name => format!("`{name}`"),
        };
        paths.check(&what, *net, refused);
    }
    let late_paths = timing::Paths::new(&resolver.list);
    late_paths.check_late(&resolver.outputs, refused);
    let levels = paths.levels().max(late_paths.levels());
    if has_errors(refused) {
        return None;
    }

    let classifier = classifier(list, &machine, results, [ended, length, looped]);
    let control_plane = control_plane::control_plane(program, &control.lookup, key_words);
    Some(Hardware {
        window: window::module(machine.ahead),
        words_ahead: machine.ahead as usize,
        window_bits: window::port_bits(machine.ahead),
        levels,
        connections: entry::connections(program, &control.lookup, &control_plane),
        classifier,
        resolver,
        key_words: key_words as usize,
        carry_bits,
        parser_nodes: machine.nodes,
        control_plane,
    })
}

/// The machine, and registers that take the results in the cycle after a frame's last word.
fn classifier(
    mut list: Netlist,
    machine: &parser::Machine,
    results: Vec<(String, Net)>,
    [ended, length, looped]: [RegId; 3],
) -> Module {
    let (valid, last) = (list.input("valid", 1), list.input("last", 1));
    let len = list.input("len", 15);
    let from_wire = list.input("from_wire", 1);
    let padding = list.constant(2u8, 15);
    let bytes = list.sub(len, padding);
    let bytes = list.resize(bytes, 16);
    let is_looped = list.not(from_wire);
    let ends = list.and(valid, last);
    // Runts may follow each other faster than the results are used; nobody asks for theirs.
    let high = list.slice(len, 4, 11);
    let is_whole = list.any(high);
    let counts = list.and(ends, is_whole);
    let mut steps = vec![
        Step::Set(ended, counts),
        Step::If(ends, vec![Step::Set(length, bytes), Step::Set(looped, is_looped)], vec![]),
        Step::If(valid, machine.steps.clone(), vec![]),
    ];
    let mut outputs = vec![];
    let mut taken = vec![];
    for (name, net) in results {
        if list.value(net).is_some() {
            outputs.push((name, net));
            continue;
        }
        let register = list.register(format!("result {name}"), list.width(net));
        taken.push(Step::Set(register, net));
        outputs.push((name, list.read(register)));
    }
    let now = list.read(ended);
    steps.push(Step::If(now, taken, vec![]));
    let ahead = window::port_bits(machine.ahead);
    let inputs =
        vec![("word", 32), ("valid", 1), ("last", 1), ("len", 15), ("from_wire", 1), ("ahead", ahead)];
    let mut module = Module { name: "classifier", inputs, outputs, list, steps, clocked: true };
    prune::prune(&mut module);
    module
}

/// The late outputs with cells of their own, and the cells of the classifier whose values they need, the first in the
/// least significant bits.
fn resolver(list: &Netlist, wanted: &[(&str, Net)], is_late: &dyn Fn(Net) -> bool) -> (Module, Vec<Net>) {
    let mut carried: Vec<Net> = vec![];
    let mut open: Vec<Net> = wanted.iter().map(|(_, net)| *net).collect();
    let mut seen = std::collections::HashSet::new();
    while let Some(net) = open.pop() {
        if !seen.insert(net) || list.value(net).is_some() {
            continue;
        }
        match is_late(net) {
            true => open.extend(list.cell(net).op.operands()),
            false => carried.push(net),
        }
    }
    carried.sort();
    let width: u32 = carried.iter().map(|net| list.width(*net)).sum::<u32>().max(2);
    let mut new = Netlist::default();
    let carry = new.input("carry", width);
    let mut moved: HashMap<Net, Net> = HashMap::new();
    let mut low = 0;
    for net in &carried {
        let part = new.slice(carry, low, list.width(*net));
        low += list.width(*net);
        moved.insert(*net, part);
    }
    // Operands come before the cells that use them.
    let mut needed: Vec<Net> = seen.into_iter().filter(|net| !moved.contains_key(net)).collect();
    needed.sort();
    for net in needed {
        let cell = list.cell(net);
        let at = |operand: &Net| moved[operand];
        let copy = match &cell.op {
            Op::Const(value) => new.constant(value.clone(), cell.width),
            Op::Input(name) => new.input(name, cell.width),
            Op::Register(_) => continue, // never late
            Op::Slice(a, low) => new.slice(at(a), *low, cell.width),
            Op::Concat(a, b) => new.concat(at(a), at(b)),
            Op::Not(a) => new.not(at(a)),
            Op::And(a, b) => new.and(at(a), at(b)),
            Op::Or(a, b) => new.or(at(a), at(b)),
            Op::Xor(a, b) => new.xor(at(a), at(b)),
            Op::Add(a, b) => new.add(at(a), at(b)),
            Op::Sub(a, b) => new.sub(at(a), at(b)),
            Op::Eq(a, b) => new.eq(at(a), at(b)),
            Op::Lt(a, b) => new.lt(at(a), at(b)),
            Op::Mux(a, b, c) => new.mux(at(a), at(b), at(c)),
        };
        moved.insert(net, copy);
    }
    let outputs = wanted.iter().map(|(name, net)| (name.to_string(), moved[net])).collect();
    let inputs = vec![
        ("carry", width),
        ("found", 1),
        ("action", control::ACTION_BITS),
        ("value", control::PARAM_BITS),
    ];
    (Module { name: "resolver", inputs, outputs, list: new, steps: vec![], clocked: false }, carried)
}

impl Hardware {
    /// The modules as Verilog, named `window`, `classifier` and `resolver` behind a prefix.
    pub fn verilog(&self, prefix: &str) -> String {
        let module = |module| verilog::module(module, prefix);
        format!("{}\n{}\n{}", module(&self.window), module(&self.classifier), module(&self.resolver))
    }

    /// The table of connections, if there is one, or why the firmware cannot fill it.
    pub fn connections(&self) -> Result<Option<&ConnectionTable>, Box<Diagnostic>> {
        self.connections.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// The modules `Window`, `Classifier` and `Resolver` as Rust-HDL, with the constants that the NIC is made by; for
    /// a module of `baton-hdl` to include. Fails if the firmware cannot fill the table.
    pub fn rust_hdl(&self) -> Result<String, Box<Diagnostic>> {
        let table = self.connections()?;
        let mut text = format!(
            "/// The description of its tables, as JSON.\npub const CONTROL_PLANE: &str = {:?};\n\
             /// The control plane fills a table of connections.\npub const HAS_TABLE: bool = {};\n\
             /// What tells the layout of the table's keys from another; 0 without a table.\npub const KEY_LAYOUT: u16 = {};\n\
             /// Connections of both families have entries.\npub const HAS_IPV6: bool = {};\n\
             /// Bits of the lookup's key, in whole words.\npub const KEY_BITS: usize = {};\n\
             /// Bits that the classifier hands to the resolver.\npub const CARRY_BITS: usize = {};\n\n",
            self.control_plane.to_json(),
            table.is_some(),
            table.map_or(0, ConnectionTable::digest),
            table.is_some_and(ConnectionTable::has_ipv6),
            32 * self.key_words,
            self.carry_bits
        );
        let modules = [
            (&self.window, "The words of a frame, with those behind each that the program looks at."),
            (&self.classifier, "What the program says of each frame, before the lookup."),
            (&self.resolver, "What the program says of a frame once the table has answered."),
        ];
        for (module, title) in modules {
            text += &format!("/// {title}\n{}\n", rust_hdl::module(module));
        }
        Ok(text)
    }
}

//! The control as cells: outputs and the table's key from what the parser left, and outputs from what the table gave.
//!
//! Both branches of every condition are made, and multiplexers choose. A table with entries of its own is comparators.
//! The one table that the control plane fills is looked up between two halves: cells that need its outcome are
//! *late*, and make the second one.

use super::expr::{self, Values};
use super::netlist::{Net, Netlist, Op};
use super::parser::Machine;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, ActionId, HeaderId, MatchKind, Program, Role, Stmt, Table, TableId, VarId};
use crate::source::Span;
use num_bigint::BigUint;
use std::collections::BTreeMap;

/// Bits that an entry of the table that the control plane fills has for the parameters of its action.
pub const PARAM_BITS: u32 = 16;
/// Key bits of that table, at most: a lookup then takes 20 cycles, and 31 of them with an operation of the firmware as
/// long as 31 of the smallest frames.
pub const MAX_KEY_BITS: u32 = 288;
/// Bits of an entry that tell its action; so many actions can a table have.
pub const ACTION_BITS: u32 = 4;
const MAX_ACTIONS: usize = 1 << ACTION_BITS;

/// The table that the control plane fills, as the hardware looks it up.
pub struct Lookup {
    pub table: TableId,
    /// Whether the packet is looked up.
    pub applied: Net,
    /// The first key is the most significant.
    pub keys: Vec<Net>,
}

/// What the control gives.
pub struct Outputs {
    /// By the names of `baton_main_output_metadata_t`.
    pub outputs: BTreeMap<String, Net>,
    pub lookup: Option<Lookup>,
}

type Env = BTreeMap<VarId, Net>;

pub struct Control<'a> {
    program: &'a Program,
    list: &'a mut Netlist,
    machine: &'a mut Machine,
    /// What the frame itself says.
    packet_length: Net,
    recirculated: Net,
    hits: BTreeMap<usize, Net>,
    ran: BTreeMap<usize, Vec<(ActionId, Net)>>,
    lookup: Option<Lookup>,
    refused: &'a mut Vec<Diagnostic>,
}

struct Place<'c, 'a, 'e> {
    control: &'c mut Control<'a>,
    env: &'e Env,
}

impl Values for Place<'_, '_, '_> {
    fn netlist(&mut self) -> &mut Netlist {
        self.control.list
    }

    fn var(&mut self, var: VarId) -> Net {
        self.control.read(self.env, var)
    }

    fn header_offset(&mut self, header: HeaderId) -> Net {
        self.control.machine.offset(self.control.list, header)
    }

    fn table_hit(&mut self, table: TableId) -> Net {
        match self.control.hits.get(&table.index()) {
            Some(hit) => *hit,
            None => self.control.list.bit(false),
        }
    }

    fn ahead(&mut self, _: u32, _: u32, width: u32, _: Span) -> Net {
        self.control.list.constant(0u8, width) // the checker has it in parsers only
    }

    fn is_short(&mut self, _: u32) -> Net {
        self.control.list.bit(false)
    }
}

/// Makes the cells of a program's control.
pub fn outputs(
    program: &Program,
    list: &mut Netlist,
    machine: &mut Machine,
    [packet_length, recirculated]: [Net; 2],
    refused: &mut Vec<Diagnostic>,
) -> Outputs {
    let mut control = Control {
        program,
        list,
        machine,
        packet_length,
        recirculated,
        hits: BTreeMap::new(),
        ran: BTreeMap::new(),
        lookup: None,
        refused,
    };
    let (mut env, always) = (Env::new(), control.list.bit(true));
    control.stmts(&program.control.body, &mut env, always);
    let mut outputs = BTreeMap::new();
    for (index, var) in program.vars.iter().enumerate() {
        if let Role::Output(name) = &var.role {
            let value = control.read(&env, VarId(index as u32));
            outputs.insert(name.clone(), value);
        }
    }
    Outputs { outputs, lookup: control.lookup }
}

impl Control<'_> {
    fn read(&mut self, env: &Env, var: VarId) -> Net {
        if let Some(net) = env.get(&var) {
            return *net;
        }
        let declared = &self.program.vars[var.index()];
        match &declared.role {
            Role::Output(_) | Role::Local | Role::Param(..) => self.list.constant(0u8, declared.ty.width()),
            Role::Input(name) => match name.as_str() {
                "parser_error" => self.machine.error(self.list),
                "packet_length" => self.packet_length,
                _ => self.recirculated,
            },
            _ => self.machine.var(self.list, self.program, var),
        }
    }

    fn eval(&mut self, env: &Env, expr: &ir::Expr) -> Net {
        expr::net(&mut Place { control: self, env }, expr)
    }

    /// `path` is the condition under which the statements are reached.
    fn stmts(&mut self, stmts: &[Stmt], env: &mut Env, path: Net) {
        for stmt in stmts {
            match stmt {
                Stmt::Assign { var, value } => {
                    let value = self.eval(env, value);
                    env.insert(*var, value);
                }
                Stmt::If { condition, then, otherwise } => {
                    let condition = self.eval(env, condition);
                    let mut other = env.clone();
                    let inner = self.list.and(path, condition);
                    self.stmts(then, env, inner);
                    let not = self.list.not(condition);
                    let inner = self.list.and(path, not);
                    self.stmts(otherwise, &mut other, inner);
                    *env = self.merge(condition, env, &other);
                }
                Stmt::Apply(table) => self.apply(*table, env, path),
                Stmt::Switch { table, cases, default } => {
                    self.switch(*table, cases, default, env, path);
                }
            }
        }
    }

    fn merge(&mut self, condition: Net, then: &Env, otherwise: &Env) -> Env {
        let mut merged = Env::new();
        let vars: Vec<VarId> = then.keys().chain(otherwise.keys()).copied().collect();
        for var in vars {
            if merged.contains_key(&var) {
                continue;
            }
            let (a, b) = (self.read(then, var), self.read(otherwise, var));
            let value = self.list.mux(condition, a, b);
            merged.insert(var, value);
        }
        merged
    }

    fn switch(
        &mut self,
        table: TableId,
        cases: &[(Vec<ActionId>, Vec<Stmt>)],
        default: &[Stmt],
        env: &mut Env,
        path: Net,
    ) {
        let ran = self.ran.get(&table.index()).cloned().unwrap_or_default();
        let mut none = self.list.bit(true);
        let mut taken = vec![];
        for (labels, body) in cases {
            let mut here = self.list.bit(false);
            for (_, runs) in ran.iter().filter(|(action, _)| labels.contains(action)) {
                here = self.list.or(here, *runs);
            }
            let not = self.list.not(here);
            none = self.list.and(none, not);
            let (mut inner, path) = (env.clone(), self.list.and(path, here));
            self.stmts(body, &mut inner, path);
            taken.push((here, inner));
        }
        let mut result = env.clone();
        let path = self.list.and(path, none);
        self.stmts(default, &mut result, path);
        for (here, inner) in taken.iter().rev() {
            result = self.merge(*here, inner, &result);
        }
        *env = result;
    }

    fn apply(&mut self, id: TableId, env: &mut Env, path: Net) {
        let program = self.program;
        let table = &program.control.tables[id.index()];
        let keys: Vec<Net> = table.keys.iter().map(|key| self.eval(env, &key.expr)).collect();
        // For each action: whether an entry runs it, and its arguments.
        let (hit, runs) = match &table.entries {
            Some(entries) => self.compare(table, entries, &keys),
            None if keys.is_empty() => (self.list.bit(false), vec![]),
            None => self.look_up(id, table, keys, path),
        };
        self.hits.insert(id.index(), hit);
        let miss = self.list.not(hit);
        let default = &table.default;
        let widths = &program.control.actions[default.action.index()].params;
        let args: Vec<Net> = default
            .args
            .iter()
            .zip(widths)
            .map(|(value, param)| {
                let width = program.vars[param.index()].ty.width();
                self.list.constant(value.clone(), width)
            })
            .collect();
        let mut result = env.clone();
        self.run(default.action, &args, &mut result, path);
        let mut ran = vec![(default.action, miss)];
        for (action, runs, args) in runs {
            let mut inner = env.clone();
            self.run(action, &args, &mut inner, path);
            result = self.merge(runs, &inner, &result);
            match ran.iter_mut().find(|(known, _)| *known == action) {
                Some((_, known)) => *known = self.list.or(*known, runs),
                None => ran.push((action, runs)),
            }
        }
        self.ran.insert(id.index(), ran);
        *env = result;
    }

    fn run(&mut self, action: ActionId, args: &[Net], env: &mut Env, path: Net) {
        let program = self.program;
        let action = &program.control.actions[action.index()];
        for (param, value) in action.params.iter().zip(args) {
            env.insert(*param, *value);
        }
        self.stmts(&action.body, env, path);
        for param in &action.params {
            env.remove(param);
        }
    }

    /// The first entry that matches counts.
    fn compare(
        &mut self,
        table: &Table,
        entries: &[ir::Entry],
        keys: &[Net],
    ) -> (Net, Vec<(ActionId, Net, Vec<Net>)>) {
        let mut hit = self.list.bit(false);
        if keys.is_empty() {
            return (hit, vec![]);
        }
        let mut matches = vec![];
        for entry in entries {
            let holds = expr::all_hold(self.list, &entry.keysets, keys);
            let not = self.list.not(hit);
            let first = self.list.and(holds, not);
            hit = self.list.or(hit, holds);
            matches.push((first, &entry.call));
        }
        let mut runs = vec![];
        for action in &table.actions {
            let calls: Vec<_> = matches.iter().filter(|(_, call)| call.action == *action).collect();
            if calls.is_empty() {
                continue;
            }
            let mut any = self.list.bit(false);
            for (first, _) in &calls {
                any = self.list.or(any, *first);
            }
            let params = &self.program.control.actions[action.index()].params;
            let mut args = vec![];
            for (place, param) in params.iter().enumerate() {
                let width = self.program.vars[param.index()].ty.width();
                let mut value = self.list.constant(0u8, width);
                for (first, call) in &calls {
                    let arg =
                        self.list.constant(call.args.get(place).cloned().unwrap_or(BigUint::ZERO), width);
                    value = self.list.mux(*first, arg, value);
                }
                args.push(value);
            }
            runs.push((*action, any, args));
        }
        (hit, runs)
    }

    fn look_up(
        &mut self,
        id: TableId,
        table: &Table,
        keys: Vec<Net>,
        path: Net,
    ) -> (Net, Vec<(ActionId, Net, Vec<Net>)>) {
        let none = (self.list.bit(false), vec![]);
        if let Some(error) = self.unfit(table) {
            self.refused.push(error);
            return none;
        }
        if let Some(other) = &self.lookup {
            let first = &self.program.control.tables[other.table.index()];
            self.refused.push(
                Diagnostic::error(Code::HardwareTables, "two lookups for one packet")
                    .at(table.span, "a second table that the control plane fills")
                    .also(first.span, "the first one")
                    .note(
                        "the hardware looks one key up for each packet; two would not keep up with the line",
                    ),
            );
            return none;
        }
        if !table.default_is_const {
            self.refused.push(
                Diagnostic::warning(
                    Code::DefaultIsWired,
                    "a default action that cannot be changed at run time",
                )
                .at(table.span, "the hardware of this table has it wired in")
                .help("say so: `const default_action`"),
            );
        }
        self.lookup = Some(Lookup { table: id, applied: path, keys });
        let found = self.list.input("found", 1);
        let chosen = self.list.input("action", ACTION_BITS);
        let value = self.list.input("value", PARAM_BITS);
        let mut runs = vec![];
        for (number, action) in table.actions.iter().enumerate() {
            let number = self.list.constant(number as u32, ACTION_BITS);
            let equal = self.list.eq(chosen, number);
            let is_chosen = self.list.and(found, equal);
            let mut low = 0;
            let mut args = vec![];
            // The last parameter is in the least significant bits.
            for param in self.program.control.actions[action.index()].params.iter().rev() {
                let width = self.program.vars[param.index()].ty.width();
                args.push(self.list.slice(value, low, width));
                low += width;
            }
            args.reverse();
            runs.push((*action, is_chosen, args));
        }
        (found, runs)
    }

    /// Why the hardware cannot have this table for the control plane to fill.
    fn unfit(&self, table: &Table) -> Option<Diagnostic> {
        let key_bits: u32 = table.keys.iter().map(|key| key.expr.ty.width()).sum();
        let error = |message: String| Diagnostic::error(Code::HardwareTables, message);
        if let Some(key) = table.keys.iter().find(|key| key.kind != MatchKind::Exact) {
            return Some(
                error("a ternary table that is filled at run time".into()).at(key.expr.span, "ternary"),
            );
        }
        if key_bits > MAX_KEY_BITS {
            return Some(
                error(format!("a key of {key_bits} bits takes the lookup too long"))
                    .at(table.span, format!("at most {MAX_KEY_BITS} bits"))
                    .note("a word of 32 bits more takes the hash a cycle more; a smallest frame comes every 21 cycles, and the firmware changes the table meanwhile"),
            );
        }
        if table.actions.len() > MAX_ACTIONS {
            return Some(
                error(format!("a table of {} actions", table.actions.len()))
                    .at(table.span, format!("entries tell at most {MAX_ACTIONS} actions apart")),
            );
        }
        for action in &table.actions {
            let action = &self.program.control.actions[action.index()];
            let bits: u32 =
                action.params.iter().map(|param| self.program.vars[param.index()].ty.width()).sum();
            if bits > PARAM_BITS {
                return Some(
                    error(format!("an action with {bits} bits of parameters"))
                        .at(action.span, format!("an entry holds {PARAM_BITS} bits"))
                        .also(table.span, "of this table"),
                );
            }
        }
        if !(8..=1 << 16).contains(&table.size) {
            return Some(
                error(format!("a table of {} entries", table.size))
                    .at(table.span, "the hardware has tables of 8 to 65536 entries"),
            );
        }
        None
    }
}

/// Whether cells depend on the outcome of the lookup, by index.
pub fn late(list: &Netlist) -> Vec<bool> {
    let mut late = vec![];
    for cell in &list.cells {
        let this = match &cell.op {
            Op::Input(name) => ["found", "action", "value"].contains(name),
            op => op.operands().iter().any(|operand| late[operand.index()]),
        };
        late.push(this);
    }
    late
}

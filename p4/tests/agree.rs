//! Two readings of a program agree: the interpreter's of the syntax tree, and the typed IR's that the checker makes,
//! which is evaluated here by the letter of `ir.rs`. Random packets through every valid program.

use baton_p4::interpreter::{Entries, Interpreter};
use baton_p4::ir::{Expr, ExprKind, Keyset, Next, Op, ParserOp, Program, Role, Stmt, Target, VarId};
use baton_p4::pre::Disk;
use num_bigint::BigUint;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::path::PathBuf;

const PACKET_TOO_SHORT: u32 = 1;
const NO_MATCH: u32 = 2;

/// An entry of a table that the control plane fills: the table's name, its key, action and arguments.
type Entry = (&'static str, Vec<BigUint>, &'static str, Vec<BigUint>);

struct Machine<'p> {
    program: &'p Program,
    filled: &'p [Entry],
    packet: &'p [u8],
    position: usize,
    vars: Vec<BigUint>,
    offsets: Vec<usize>,
    hits: Vec<bool>,
    ran: Vec<usize>,
}

fn low(value: BigUint, width: u32) -> BigUint {
    value & ((BigUint::from(1u8) << width) - 1u8)
}

impl Machine<'_> {
    fn bits(&self, offset: usize, width: usize) -> BigUint {
        let bit = |at: usize| self.packet[at / 8] >> (7 - at % 8) & 1;
        let from = self.position + offset;
        (from..from + width).fold(BigUint::ZERO, |number, at| (number << 1) | BigUint::from(bit(at)))
    }

    fn need(&self, width: usize) -> Result<(), u32> {
        match self.position + width <= self.packet.len() * 8 {
            true => Ok(()),
            false => Err(PACKET_TOO_SHORT),
        }
    }

    fn truth(&self, expr: &Expr) -> Result<bool, u32> {
        Ok(self.eval(expr)? != BigUint::ZERO)
    }

    fn eval(&self, expr: &Expr) -> Result<BigUint, u32> {
        let width = expr.ty.width();
        Ok(match &expr.kind {
            ExprKind::Const(value) => value.clone(),
            ExprKind::Var(var) => self.vars[var.index()].clone(),
            ExprKind::Lookahead { offset, window } => {
                self.need(*window as usize)?;
                self.bits(*offset as usize, width as usize)
            }
            ExprKind::HeaderOffset(id) => self.offsets[id.index()].into(),
            ExprKind::TableHit(id) => u8::from(self.hits[id.index()]).into(),
            ExprKind::Not(value) => u8::from(!self.truth(value)?).into(),
            ExprKind::Complement(value) => ((BigUint::from(1u8) << width) - 1u8) ^ self.eval(value)?,
            ExprKind::Negate(value) => low((BigUint::from(1u8) << width) - self.eval(value)?, width),
            ExprKind::Binary { op, left, right } => return self.binary(*op, left, right, width),
            ExprKind::Slice { base, low: from } => low(self.eval(base)? >> *from, width),
            ExprKind::Concat(left, right) => (self.eval(left)? << right.ty.width()) | self.eval(right)?,
            ExprKind::Resize(value) => low(self.eval(value)?, width),
            ExprKind::Mux { condition, then, otherwise } => {
                return self.eval(if self.truth(condition)? { then } else { otherwise });
            }
        })
    }

    fn binary(&self, op: Op, left: &Expr, right: &Expr, width: u32) -> Result<BigUint, u32> {
        let l = self.eval(left)?;
        match (op, l != BigUint::ZERO) {
            (Op::And, false) | (Op::Or, true) => return Ok(l),
            _ => {}
        }
        let r = self.eval(right)?;
        let modulus = BigUint::from(1u8) << width;
        let amount = u32::try_from(&r).unwrap_or(u32::MAX).min(width);
        let flag = |value: bool| BigUint::from(u8::from(value));
        Ok(match op {
            Op::Add => low(l + r, width),
            Op::Sub => low(l + modulus - r, width),
            Op::AddSat => (l + r).min(modulus - 1u8),
            Op::SubSat => {
                if l > r {
                    l - r
                } else {
                    BigUint::ZERO
                }
            }
            Op::Shl => low(l << amount, width),
            Op::Shr => l >> amount,
            Op::BitAnd | Op::And => l & r,
            Op::BitOr | Op::Or => l | r,
            Op::BitXor => l ^ r,
            Op::Eq => flag(l == r),
            Op::Ne => flag(l != r),
            Op::Lt => flag(l < r),
            Op::Le => flag(l <= r),
            Op::Gt => flag(l > r),
            Op::Ge => flag(l >= r),
        })
    }

    fn ops(&mut self, ops: &[ParserOp]) -> Result<(), u32> {
        for op in ops {
            match op {
                ParserOp::Extract(id, _) => {
                    let header = &self.program.headers[id.index()];
                    self.need(header.width as usize)?;
                    self.offsets[id.index()] = self.position / 8;
                    self.vars[header.valid.index()] = 1u8.into();
                    for field in &header.fields {
                        let width = self.program.vars[field.var.index()].ty.width();
                        self.vars[field.var.index()] = self.bits(field.offset as usize, width as usize);
                    }
                    self.position += header.width as usize;
                }
                ParserOp::Advance(bits) => {
                    let bits = usize::try_from(self.eval(bits)?).unwrap();
                    self.need(bits)?;
                    self.position += bits;
                }
                ParserOp::Verify { condition, error } => {
                    if !self.truth(condition)? {
                        return Err(*error);
                    }
                }
                ParserOp::Assign { var, value } => self.vars[var.index()] = self.eval(value)?,
                ParserOp::If { condition, then, otherwise } => {
                    let branch = if self.truth(condition)? { then } else { otherwise };
                    self.ops(branch)?;
                }
            }
        }
        Ok(())
    }

    fn parse(&mut self) -> Result<(), u32> {
        let parser = &self.program.parser;
        self.ops(&parser.init)?;
        let mut at = 0;
        loop {
            self.ops(&parser.states[at].ops)?;
            let target = match &parser.states[at].next {
                Next::Goto(target) => *target,
                Next::Select { keys, cases } => {
                    let keys: Vec<BigUint> =
                        keys.iter().map(|key| self.eval(key)).collect::<Result<_, _>>()?;
                    cases.iter().find(|case| holds(&case.keysets, &keys)).ok_or(NO_MATCH)?.target
                }
            };
            match target {
                Target::State(id) => at = id.index(),
                Target::Accept | Target::Reject => return Ok(()),
            }
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Assign { var, value } => self.vars[var.index()] = self.eval(value).unwrap(),
                Stmt::If { condition, then, otherwise } => {
                    self.stmts(if self.truth(condition).unwrap() { then } else { otherwise });
                }
                Stmt::Apply(id) => self.apply(id.index()),
                Stmt::Switch { table, cases, default } => {
                    let ran = self.ran[table.index()];
                    let case =
                        cases.iter().find(|(labels, _)| labels.iter().any(|label| label.index() == ran));
                    self.stmts(case.map_or(default, |(_, body)| body));
                }
            }
        }
    }

    fn apply(&mut self, index: usize) {
        let table = &self.program.control.tables[index];
        let keys: Vec<BigUint> = table.keys.iter().map(|key| self.eval(&key.expr).unwrap()).collect();
        let actions = &self.program.control.actions;
        let found = match &table.entries {
            Some(entries) => entries
                .iter()
                .find(|entry| !keys.is_empty() && holds(&entry.keysets, &keys))
                .map(|entry| (entry.call.action.index(), entry.call.args.clone())),
            None => self.filled.iter().find(|(name, key, ..)| *name == table.name && *key == keys).map(
                |(_, _, name, args)| (actions.iter().position(|a| a.name == *name).unwrap(), args.clone()),
            ),
        };
        self.hits[index] = found.is_some();
        let default = || (table.default.action.index(), table.default.args.clone());
        let (action, args) = found.unwrap_or_else(default);
        self.ran[index] = action;
        for (param, value) in actions[action].params.iter().zip(args) {
            self.vars[param.index()] = value;
        }
        self.stmts(&actions[action].body);
    }
}

fn holds(keysets: &[Keyset], keys: &[BigUint]) -> bool {
    keysets.iter().zip(keys).all(|(keyset, key)| match keyset {
        Keyset::Any => true,
        Keyset::Value(value) => key == value,
        Keyset::Mask { value, mask } => &(key & mask) == value,
        Keyset::Range { low, high } => low <= key && key <= high,
    })
}

/// The outputs by name, the parser error, and the offsets of the valid headers.
type Seen = (Vec<(String, BigUint)>, u32, Vec<usize>);

fn by_ir(program: &Program, filled: &[Entry], packet: &[u8]) -> Seen {
    let mut machine = Machine {
        program,
        filled,
        packet,
        position: 0,
        vars: vec![BigUint::ZERO; program.vars.len()],
        offsets: vec![0; program.headers.len()],
        hits: vec![false; program.control.tables.len()],
        ran: vec![0; program.control.tables.len()],
    };
    let error = machine.parse().err().unwrap_or(0);
    for (index, var) in program.vars.iter().enumerate() {
        if let Role::Input(name) = &var.role {
            machine.vars[index] = match name.as_str() {
                "parser_error" => error.into(),
                "packet_length" => packet.len().into(),
                _ => BigUint::ZERO,
            };
        }
    }
    machine.stmts(&program.control.body);
    let value = |var: VarId| machine.vars[var.index()].clone();
    let outputs = program.vars.iter().enumerate().filter_map(|(index, var)| match &var.role {
        Role::Output(name) => Some((name.clone(), value(VarId(index as u32)))),
        _ => None,
    });
    let valid = program.headers.iter().zip(&machine.offsets);
    let valid = valid.filter(|(header, _)| value(header.valid) != BigUint::ZERO).map(|(_, offset)| *offset);
    (outputs.collect(), error, valid.collect())
}

fn by_interpreter(interpreter: &Interpreter, packet: &[u8]) -> Seen {
    let outcome = interpreter.run(packet);
    let outputs: [(&str, u32); 8] = [
        ("hit", outcome.hit.into()),
        ("connection", outcome.connection.into()),
        ("drop", outcome.drop.into()),
        ("queue", outcome.queue.into()),
        ("class_of_service", outcome.class_of_service.into()),
        ("network_offset", outcome.network_offset.into()),
        ("transport_offset", outcome.transport_offset.into()),
        ("payload_offset", outcome.payload_offset.into()),
    ];
    let outputs = outputs.map(|(name, value)| (name.to_string(), value.into()));
    let offsets = outcome.headers.iter().map(|header| header.offset).collect();
    (outputs.into(), outcome.parser_error_code as u32, offsets)
}

/// The connection that [`segment`] belongs to, in the key of a program.
fn filled(program: &str) -> Vec<Entry> {
    let (remote, local): (BigUint, BigUint) = (0xC000_0201u32.into(), 0xC633_6407u32.into());
    let mapped = |address: &BigUint| address | BigUint::from(0xFFFFu32) << 32;
    let ports = [BigUint::from(49152u32), BigUint::from(80u32)];
    let addresses = match program {
        "connection.p4" | "firewall.p4" => vec![remote, local],
        "tenant.p4" => vec![BigUint::ZERO, remote, local],
        "ipv6.p4" => vec![mapped(&remote), mapped(&local)],
        _ => return vec![],
    };
    vec![("connections", [addresses, ports.into()].concat(), "to_connection", vec![0x1005u32.into()])]
}

fn segment() -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[12..15].copy_from_slice(&[0x08, 0x00, 0x45]);
    frame[23] = 6;
    frame[26..38].copy_from_slice(&[192, 0, 2, 1, 198, 51, 100, 7, 0xC0, 0x00, 0, 80]);
    frame[46..48].copy_from_slice(&[0x50, 0x10]);
    frame
}

/// A frame that gets far in the five programs, one of random bytes, or one of small numbers, and a few bytes changed.
fn packet(rng: &mut impl RngCore) -> Vec<u8> {
    let mut packet = match rng.next_u32() % 3 {
        0 => segment(),
        kind => {
            let mut packet = vec![0; rng.next_u32() as usize % 100];
            rng.fill_bytes(&mut packet);
            if kind == 2 {
                packet.iter_mut().for_each(|byte| *byte &= 7);
            }
            packet
        }
    };
    if packet.len() > 14 && rng.next_u32().is_multiple_of(2) {
        let types = [0x0800u16, 0x8100, 0x86DD];
        packet[12..14].copy_from_slice(&types[rng.next_u32() as usize % 3].to_be_bytes());
    }
    for _ in 0..rng.next_u32() % 3 {
        if !packet.is_empty() {
            let at = rng.next_u32() as usize % packet.len();
            packet[at] = rng.next_u32() as u8;
        }
    }
    if rng.next_u32().is_multiple_of(4) {
        packet.truncate(rng.next_u32() as usize % (packet.len() + 1));
    }
    packet
}

#[test]
fn the_interpreter_and_the_lowered_program_agree() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (mut programs, mut hits) = (0, 0);
    for folder in ["programs", "tests/valid"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue; // what the programs include
            }
            let name = path.file_name().unwrap().to_str().unwrap().to_string();
            let checked = baton_p4::check(&path, &Default::default(), &Disk).unwrap();
            let ir = checked.ir.expect("the program is right");
            let filled = filled(&name);
            let entries = Interpreter::new(&checked.parsed, &to_entries(&ir, &filled));
            let interpreter = entries.unwrap_or_else(|error| panic!("{name}: {error}"));
            let seed = 16;
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            for round in 0..1000 {
                let packet = packet(&mut rng);
                let (mut lowered, read) =
                    (by_ir(&ir, &filled, &packet), by_interpreter(&interpreter, &packet));
                lowered.0.retain(|(name, _)| read.0.iter().any(|(known, _)| known == name));
                assert_eq!(lowered, read, "{name}, seed {seed}, round {round}: {packet:02x?}");
                hits += u32::from(lowered.0[0].1 != BigUint::ZERO);
            }
            programs += 1;
        }
    }
    assert!(programs > 45 && hits > 1000, "{programs} programs, {hits} hits");
}

/// The same entries, as the interpreter takes them.
fn to_entries(program: &Program, filled: &[Entry]) -> Entries {
    use baton_p4::interpreter::{Entry, Field};
    let entries = filled.iter().map(|(name, key, action, args)| {
        let table = program.control.tables.iter().find(|table| table.name == *name).unwrap();
        let called = program.control.actions.iter().find(|known| known.name == *action).unwrap();
        let text = |value: &BigUint| Field::Text(format!("{value:#x}"));
        Entry {
            table: name.to_string(),
            default: false,
            key: table.keys.iter().zip(key).map(|(key, value)| (key.name.clone(), text(value))).collect(),
            action: action.to_string(),
            params: called
                .params
                .iter()
                .zip(args)
                .map(|(var, value)| (program.vars[var.index()].name.clone(), text(value)))
                .collect(),
            priority: None,
        }
    });
    Entries { entries: entries.collect() }
}

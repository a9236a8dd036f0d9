//! The IR as text, for people and for snapshots.

use super::*;
use std::fmt::{Display, Formatter, Result};

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (code, error) in self.errors.iter().enumerate() {
            writeln!(f, "error {code}: {error}")?;
        }
        for header in &self.headers {
            writeln!(f, "header {}: {} bits", header.name, header.width)?;
        }
        for var in self.vars.iter().filter(|var| !matches!(var.role, Role::Valid(_))) {
            writeln!(f, "{}: {} {:?}", var.name, var.ty, var.role)?;
        }
        let dump = Dump { program: self };
        writeln!(f, "parser {}", self.parser.name)?;
        dump.ops(f, &self.parser.init, 1)?;
        for state in &self.parser.states {
            writeln!(f, "  state {}", state.name)?;
            dump.ops(f, &state.ops, 2)?;
            match &state.next {
                Next::Goto(target) => writeln!(f, "    goto {}", dump.target(*target))?,
                Next::Select { keys, cases } => {
                    writeln!(f, "    select {}", list(keys, |key| dump.expr(key)))?;
                    for case in cases {
                        writeln!(
                            f,
                            "      {}: {}",
                            list(&case.keysets, Keyset::to_string),
                            dump.target(case.target)
                        )?;
                    }
                }
            }
        }
        writeln!(f, "control {}", self.control.name)?;
        for action in &self.control.actions {
            writeln!(f, "  action {}({})", action.name, list(&action.params, |var| dump.var(*var)))?;
            dump.stmts(f, &action.body, 2)?;
        }
        for table in &self.control.tables {
            let unused = if table.applied { "" } else { ", never applied" };
            writeln!(f, "  table {}, size {}{unused}", table.name, table.size)?;
            for key in &table.keys {
                writeln!(f, "    {:?} {}: {} = {}", key.kind, key.name, key.expr.ty, dump.expr(&key.expr))?;
            }
            writeln!(f, "    actions {}", list(&table.actions, |id| dump.action(*id).to_string()))?;
            let word = if table.default_is_const { "const default" } else { "default" };
            writeln!(f, "    {word} {}", dump.call(&table.default))?;
            for entry in table.entries.iter().flatten() {
                writeln!(f, "    {}: {}", list(&entry.keysets, Keyset::to_string), dump.call(&entry.call))?;
            }
        }
        writeln!(f, "  apply")?;
        dump.stmts(f, &self.control.body, 2)
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Bits(width) => write!(f, "bit<{width}>"),
        }
    }
}

impl Display for Keyset {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Keyset::Any => f.write_str("_"),
            Keyset::Value(value) => write!(f, "{value:#x}"),
            Keyset::Mask { value, mask } => write!(f, "{value:#x} &&& {mask:#x}"),
            Keyset::Range { low, high } => write!(f, "{low:#x} .. {high:#x}"),
        }
    }
}

fn list<T>(items: &[T], each: impl Fn(&T) -> String) -> String {
    items.iter().map(each).collect::<Vec<_>>().join(", ")
}

struct Dump<'a> {
    program: &'a Program,
}

impl Dump<'_> {
    fn var(&self, var: VarId) -> String {
        self.program.vars[var.index()].name.clone()
    }

    fn action(&self, id: ActionId) -> &str {
        &self.program.control.actions[id.index()].name
    }

    fn table(&self, id: TableId) -> &str {
        &self.program.control.tables[id.index()].name
    }

    fn call(&self, call: &ActionCall) -> String {
        format!("{}({})", self.action(call.action), list(&call.args, |arg| format!("{arg:#x}")))
    }

    fn target(&self, target: Target) -> &str {
        match target {
            Target::State(id) => &self.program.parser.states[id.index()].name,
            Target::Accept => "accept",
            Target::Reject => "reject",
        }
    }

    fn line(&self, f: &mut Formatter<'_>, indent: usize, text: impl Display) -> Result {
        writeln!(f, "{:width$}{text}", "", width = 2 * indent)
    }

    fn ops(&self, f: &mut Formatter<'_>, ops: &[ParserOp], indent: usize) -> Result {
        for op in ops {
            match op {
                ParserOp::Extract(id, _) => {
                    self.line(f, indent, format_args!("extract {}", self.program.headers[id.index()].name))?;
                }
                ParserOp::Advance(bits) => {
                    self.line(f, indent, format_args!("advance {}", self.expr(bits)))?
                }
                ParserOp::Verify { condition, error } => {
                    let error = &self.program.errors[*error as usize];
                    self.line(f, indent, format_args!("verify {} else {error}", self.expr(condition)))?;
                }
                ParserOp::Assign { var, value } => {
                    self.line(f, indent, format_args!("{} = {}", self.var(*var), self.expr(value)))?;
                }
                ParserOp::If { condition, then, otherwise } => {
                    self.line(f, indent, format_args!("if {}", self.expr(condition)))?;
                    self.ops(f, then, indent + 1)?;
                    if !otherwise.is_empty() {
                        self.line(f, indent, "else")?;
                        self.ops(f, otherwise, indent + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn stmts(&self, f: &mut Formatter<'_>, stmts: &[Stmt], indent: usize) -> Result {
        for stmt in stmts {
            match stmt {
                Stmt::Assign { var, value } => {
                    self.line(f, indent, format_args!("{} = {}", self.var(*var), self.expr(value)))?;
                }
                Stmt::If { condition, then, otherwise } => {
                    self.line(f, indent, format_args!("if {}", self.expr(condition)))?;
                    self.stmts(f, then, indent + 1)?;
                    if !otherwise.is_empty() {
                        self.line(f, indent, "else")?;
                        self.stmts(f, otherwise, indent + 1)?;
                    }
                }
                Stmt::Apply(table) => self.line(f, indent, format_args!("apply {}", self.table(*table)))?,
                Stmt::Switch { table, cases, default } => {
                    self.line(f, indent, format_args!("switch {}", self.table(*table)))?;
                    for (labels, body) in cases {
                        let labels = list(labels, |id| self.action(*id).to_string());
                        self.line(f, indent + 1, format_args!("{labels}:"))?;
                        self.stmts(f, body, indent + 2)?;
                    }
                    self.line(f, indent + 1, "default:")?;
                    self.stmts(f, default, indent + 2)?;
                }
            }
        }
        Ok(())
    }

    fn expr(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Const(value) if expr.ty == Type::Bool => (value.bits() == 1).to_string(),
            ExprKind::Const(value) => format!("{}w{value:#x}", expr.ty.width()),
            ExprKind::Var(var) => self.var(*var),
            ExprKind::Lookahead { offset, window } => {
                format!("lookahead[{offset} +: {} of {window}]", expr.ty.width())
            }
            ExprKind::HeaderOffset(id) => format!("offset({})", self.program.headers[id.index()].name),
            ExprKind::TableHit(id) => format!("hit({})", self.table(*id)),
            ExprKind::Not(inner) => format!("!{}", self.expr(inner)),
            ExprKind::Complement(inner) => format!("~{}", self.expr(inner)),
            ExprKind::Negate(inner) => format!("-{}", self.expr(inner)),
            ExprKind::Binary { op, left, right } => {
                format!("({} {} {})", self.expr(left), op.symbol(), self.expr(right))
            }
            ExprKind::Slice { base, low } => {
                format!("{}[{}:{low}]", self.expr(base), low + expr.ty.width() - 1)
            }
            ExprKind::Concat(left, right) => format!("({} ++ {})", self.expr(left), self.expr(right)),
            ExprKind::Resize(inner) => format!("({}) {}", expr.ty, self.expr(inner)),
            ExprKind::Mux { condition, then, otherwise } => {
                format!("({} ? {} : {})", self.expr(condition), self.expr(then), self.expr(otherwise))
            }
        }
    }
}

impl Op {
    fn symbol(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Sub => "-",
            Op::AddSat => "|+|",
            Op::SubSat => "|-|",
            Op::Shl => "<<",
            Op::Shr => ">>",
            Op::BitAnd => "&",
            Op::BitOr => "|",
            Op::BitXor => "^",
            Op::Eq => "==",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::And => "&&",
            Op::Or => "||",
        }
    }
}

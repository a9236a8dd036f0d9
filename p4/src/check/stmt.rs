//! Statements, in parsers and in controls.

use super::fold::fold;
use super::scope::Entity;
use super::types::Ty;
use super::value::{Place, PlaceKind, Value, ValueKind};
use super::{zero, Checker, Site};
use crate::ast;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, ExprKind};
use crate::source::Span;

/// Statements that a program may come to once its actions are expanded.
const MAX_STATEMENTS: usize = 1 << 14;

/// Something that is assigned to.
pub enum Target {
    Scalar {
        var: ir::VarId,
        ty: Ty,
    },
    /// `var[high:low]`
    Slice {
        var: ir::VarId,
        high: u32,
        low: u32,
    },
    Struct(Place),
}

impl<'a> Checker<'a> {
    /// The statements of a block, in a scope of their own.
    pub(super) fn block(&mut self, block: &'a ast::Block) {
        self.scoped(|this| {
            for statement in &block.statements {
                this.statement(statement);
            }
        });
    }

    pub(super) fn statement(&mut self, statement: &'a ast::Stmt) {
        match &statement.kind {
            ast::StmtKind::Empty => {}
            ast::StmtKind::Const(decl) => self.const_decl(decl),
            ast::StmtKind::Var(decl) => self.var_decl(decl),
            ast::StmtKind::Assign { target, value } => {
                let target = self.target(target);
                let value = self.expr(value);
                if let Some(target) = target {
                    self.store(target, value);
                }
            }
            ast::StmtKind::Call(call) => {
                let value = self.expr(call);
                if matches!(
                    value.kind,
                    ValueKind::Scalar(_) | ValueKind::Integer(_) | ValueKind::Ahead { .. }
                ) {
                    self.error(
                        Code::BadCall,
                        call.span,
                        "the result of this call is not used",
                        "it has no effect",
                    );
                }
            }
            ast::StmtKind::Block(block) => self.block(block),
            ast::StmtKind::If { condition, then, otherwise } => {
                self.if_statement(condition, then, otherwise.as_deref());
            }
            ast::StmtKind::Switch { subject, cases } => self.switch(subject, cases, statement.span),
        }
    }

    pub(super) fn const_decl(&mut self, decl: &'a ast::ConstDecl) {
        self.annotations(&decl.annotations, &[]);
        let ty = self.resolve(&decl.ty);
        let value = self.expr(&decl.value);
        let entity = match self.constant(value, &ty) {
            Some(value) => Entity::Const(Value { span: decl.name.span, ..value }),
            None => Entity::Unknown,
        };
        self.declare(&decl.name, entity);
    }

    /// A constant of a type.
    fn constant(&mut self, value: Value, ty: &Ty) -> Option<Value> {
        if value.is_unknown() || ty.is_unknown() {
            return None;
        }
        let span = value.span;
        match (&value.kind, ty) {
            (ValueKind::Integer(_), Ty::Integer) | (ValueKind::String(_), Ty::String) => return Some(value),
            (ValueKind::Scalar(expr), Ty::Integer)
                if matches!(value.ty, Ty::Bits(_)) && expr.as_const().is_some() =>
            {
                return self.mismatch(&value.ty, ty, span);
            }
            (_, ty) if ty.scalar().is_none() => {
                return match ty {
                    Ty::Integer | Ty::String => self.mismatch(&value.ty, ty, span),
                    _ => {
                        let plural = format!("constants of type `{ty}`");
                        self.refuse(Code::RefusedType, span, &plural, "declare one for each field");
                        None
                    }
                };
            }
            _ => {}
        }
        let expr = self.convert(value, ty)?;
        if expr.as_const().is_none() {
            self.not_constant(span, "the value of a constant");
            return None;
        }
        Some(Value { ty: ty.clone(), kind: ValueKind::Scalar(expr), span })
    }

    pub(super) fn var_decl(&mut self, decl: &'a ast::VarDecl) {
        self.annotations(&decl.annotations, &["noWarn"]);
        let ty = self.resolve(&decl.ty);
        let value = decl.init.as_ref().map(|init| self.expr(init));
        let name = &decl.name;
        let place = match &ty {
            Ty::Integer | Ty::String | Ty::Void | Ty::PacketIn => {
                let message = format!("a variable cannot have type `{ty}`");
                self.error(
                    Code::BadNesting,
                    decl.ty.span,
                    message,
                    "use `bit<N>`, `bool`, an enum, an error or a struct",
                );
                Place { ty: Ty::Unknown, kind: PlaceKind::Unknown, read_only: None }
            }
            ty if contains_header(ty) => {
                let reason = "a header is where the packet is: extract into the parser's `out` parameter";
                self.refuse(Code::RefusedType, decl.ty.span, "variables that are headers", reason);
                Place { ty: Ty::Unknown, kind: PlaceKind::Unknown, read_only: None }
            }
            _ => self.allocate(&name.name, &ty, &|_| ir::Role::Local, None, name.span),
        };
        match (&place.kind, value) {
            (PlaceKind::Scalar(var), Some(value)) => {
                self.store(Target::Scalar { var: *var, ty }, value);
            }
            (PlaceKind::Struct(_), Some(value)) => self.store(Target::Struct(place.clone()), value),
            (_, Some(_)) => {}
            // Each time that it comes into being, a variable is zero.
            (_, None) => self.clear(&place, name.span),
        }
        if !decl.annotations.iter().any(|a| a.name.name == "noWarn") {
            self.locals.push(name.clone());
        }
        self.declare(name, Entity::Place(place));
    }

    fn clear(&mut self, place: &Place, span: Span) {
        match &place.kind {
            PlaceKind::Scalar(var) => {
                let value = zero(self.vars[var.index()].ty, span);
                self.emit_assign(*var, value);
            }
            PlaceKind::Struct(fields) => {
                for (_, field) in fields.iter() {
                    self.clear(field, span);
                }
            }
            _ => {}
        }
    }

    /// What an expression on the left of an assignment stands for.
    pub(super) fn target(&mut self, expr: &ast::Expr) -> Option<Target> {
        if let ast::ExprKind::Slice { base, high, low } = &expr.kind {
            let Target::Scalar { var, ty } = self.target(base)? else {
                self.error(Code::BadOperand, base.span, "a struct has no slices", "only `bit<N>` has");
                return None;
            };
            // The same checks as for reading.
            let value = self.expr(expr);
            if value.is_unknown() || !matches!(ty, Ty::Bits(_)) {
                return None;
            }
            let high = u32::try_from(self.const_integer(high)?).ok()?;
            let low = u32::try_from(self.const_integer(low)?).ok()?;
            return Some(Target::Slice { var, high, low });
        }
        let place = self.place(expr)?;
        if let Some(reason) = place.read_only {
            self.error(Code::NotAssignable, expr.span, "this cannot be written", reason);
            return None;
        }
        match &place.kind {
            PlaceKind::Scalar(var) => Some(Target::Scalar { var: *var, ty: place.ty }),
            PlaceKind::Struct(_) if !contains_header(&place.ty) => Some(Target::Struct(place)),
            PlaceKind::Struct(_) | PlaceKind::Header(..) => {
                let reason = "a header comes from the packet alone, through `extract`";
                self.refuse(Code::RefusedStatement, expr.span, "assignments of headers", reason);
                None
            }
            PlaceKind::PacketIn => {
                self.error(Code::NotAssignable, expr.span, "the packet cannot be written", "not assignable");
                None
            }
            PlaceKind::Unknown => None,
        }
    }

    /// The place that an expression names.
    fn place(&mut self, expr: &ast::Expr) -> Option<Place> {
        match &expr.kind {
            ast::ExprKind::Name(path) => {
                let Some(found) = self.lookup(path) else {
                    self.unknown_name(&path.name, path.span);
                    return None;
                };
                match found.entity {
                    Entity::Place(place) => Some(place),
                    Entity::Unknown => None,
                    other => {
                        let message =
                            format!("`{}` is {}, and cannot be written", path.name, other.describe());
                        self.diags.push(
                            Diagnostic::error(Code::NotAssignable, message)
                                .at(expr.span, "not a variable")
                                .also(found.span, "declared here"),
                        );
                        None
                    }
                }
            }
            ast::ExprKind::Member { base, member } => {
                let place = self.place(base)?;
                match &place.kind {
                    PlaceKind::Struct(fields) | PlaceKind::Header(_, fields) => {
                        if let Some((_, field)) = fields.iter().find(|(name, _)| *name == member.name) {
                            return Some(field.clone());
                        }
                        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                        self.no_member(&place.ty.to_string(), member, &names);
                        None
                    }
                    PlaceKind::Unknown => None,
                    _ => {
                        let message = format!("`{}` has no members", place.ty);
                        self.error(Code::NoSuchMember, expr.span, message, "not a struct");
                        None
                    }
                }
            }
            _ => {
                if !self.expr(expr).is_unknown() {
                    let label = "neither a variable, a field, nor a slice of one";
                    self.error(Code::NotAssignable, expr.span, "this cannot be written", label);
                }
                None
            }
        }
    }

    pub(super) fn store(&mut self, target: Target, value: Value) {
        let span = value.span;
        match target {
            Target::Scalar { var, ty } => {
                if let Some(value) = self.convert(value, &ty) {
                    self.emit_assign(var, value);
                }
            }
            Target::Slice { var, high, low } => {
                let Some(part) = self.convert(value, &Ty::Bits(high - low + 1)) else { return };
                let width = self.vars[var.index()].ty.width();
                let whole = ir::Expr { kind: ExprKind::Var(var), ty: ir::Type::Bits(width), span };
                let slice = |low: u32, width: u32| {
                    let kind = ExprKind::Slice { base: Box::new(whole.clone()), low };
                    ir::Expr { kind, ty: ir::Type::Bits(width), span }
                };
                let concat = |left: ir::Expr, right: ir::Expr| {
                    let width = left.ty.width() + right.ty.width();
                    fold(ExprKind::Concat(Box::new(left), Box::new(right)), ir::Type::Bits(width), span)
                };
                let mut value = part;
                if high + 1 < width {
                    value = concat(slice(high + 1, width - high - 1), value);
                }
                if low > 0 {
                    value = concat(value, slice(0, low));
                }
                self.emit_assign(var, value);
            }
            Target::Struct(place) => {
                if value.is_unknown() {
                    return;
                }
                if !value.ty.same(&place.ty) {
                    self.mismatch::<()>(&value.ty, &place.ty, span);
                    return;
                }
                if let ValueKind::Place(from) = value.kind {
                    self.copy(&place, &from, span);
                }
            }
        }
    }

    fn copy(&mut self, to: &Place, from: &Place, span: Span) {
        match (&to.kind, &from.kind) {
            (PlaceKind::Scalar(to_var), PlaceKind::Scalar(from_var)) => {
                let ty = self.vars[from_var.index()].ty;
                self.emit_assign(*to_var, ir::Expr { kind: ExprKind::Var(*from_var), ty, span });
            }
            (PlaceKind::Struct(to), PlaceKind::Struct(from)) => {
                for ((_, to), (_, from)) in to.iter().zip(from.iter()) {
                    self.copy(to, from, span);
                }
            }
            _ => {}
        }
    }

    fn if_statement(&mut self, condition: &ast::Expr, then: &'a ast::Stmt, otherwise: Option<&'a ast::Stmt>) {
        let condition = self.condition(condition);
        self.branches += 1;
        let then = self.branch(then);
        let otherwise = otherwise.map(|otherwise| self.branch(otherwise)).unwrap_or_default();
        self.branches -= 1;
        let Some(condition) = condition else { return };
        match (then, otherwise) {
            (Branch::Ops(then), Branch::Ops(otherwise)) => {
                self.emit_op(ir::ParserOp::If { condition, then, otherwise });
            }
            (then, otherwise) => {
                self.emit(ir::Stmt::If { condition, then: then.stmts(), otherwise: otherwise.stmts() });
            }
        }
    }

    fn branch(&mut self, statement: &'a ast::Stmt) -> Branch {
        let check = |this: &mut Self| this.scoped(|this| this.statement(statement));
        match self.site {
            Site::Parser => Branch::Ops(self.collect_ops(check)),
            _ => Branch::Stmts(self.collect(check)),
        }
    }

    fn switch(&mut self, subject: &ast::Expr, cases: &'a [ast::SwitchCase], span: Span) {
        let value = self.expr(subject);
        let table = match value.kind {
            ValueKind::ActionRun(table) => Some(table),
            ValueKind::Unknown => None,
            _ => {
                let reason =
                    "`switch` chooses by the action that a table ran, as in `switch (t.apply().action_run)`";
                self.refuse(Code::RefusedStatement, subject.span, "`switch` statements over values", reason);
                None
            }
        };
        let listed = table.map(|table| self.tables[table.index()].actions.clone()).unwrap_or_default();
        let mut result: Vec<(Vec<ir::ActionId>, Vec<ir::Stmt>)> = vec![];
        let mut default: Vec<ir::Stmt> = vec![];
        let (mut seen, mut default_seen): (Vec<(ir::ActionId, Span)>, Option<Span>) = (vec![], None);
        // Labels whose body is that of a later case.
        let mut waiting = vec![];
        self.branches += 1;
        for case in cases {
            if let Some(default) = default_seen {
                self.diags.push(
                    Diagnostic::error(Code::BadLabel, "`default` is the last case of a `switch`")
                        .at(case.span, "a case behind it")
                        .also(default, "the default case"),
                );
            }
            match &case.label {
                ast::SwitchLabel::Default(label) => default_seen = Some(*label),
                ast::SwitchLabel::Action(label) => {
                    let known = listed
                        .iter()
                        .find(|id| self.action_decls[id.index()].name.name == label.name)
                        .copied();
                    match (known, table) {
                        (Some(id), _) => {
                            if let Some((_, first)) = seen.iter().find(|(former, _)| *former == id) {
                                self.diags.push(
                                    Diagnostic::error(Code::BadLabel, "two cases have the same label")
                                        .at(label.span, "second")
                                        .also(*first, "first"),
                                );
                            }
                            seen.push((id, label.span));
                            waiting.push(id);
                        }
                        (None, Some(table)) => {
                            let name = self.tables[table.index()].name.clone();
                            let message = format!("`{}` is not an action of table `{name}`", label.name);
                            self.error(Code::BadLabel, label.span, message, "it can never have run");
                        }
                        (None, None) => {}
                    }
                }
            }
            if let Some(body) = &case.body {
                let body = self.collect(|this| this.block(body));
                match default_seen {
                    Some(_) => default = body,
                    None => result.push((std::mem::take(&mut waiting), body)),
                }
            }
        }
        self.branches -= 1;
        if default_seen.is_none() {
            result.push((waiting, vec![]));
        }
        result.retain(|(labels, _)| !labels.is_empty());
        if let Some(table) = table {
            if !matches!(self.site, Site::Apply | Site::Action) {
                self.error(Code::BadCall, span, "`switch` stands in controls only", "not possible here");
            }
            self.emit(ir::Stmt::Switch { table, cases: result, default });
        }
    }
}

enum Branch {
    Stmts(Vec<ir::Stmt>),
    Ops(Vec<ir::ParserOp>),
}

impl Default for Branch {
    fn default() -> Self {
        Branch::Ops(vec![])
    }
}

impl Branch {
    fn stmts(self) -> Vec<ir::Stmt> {
        match self {
            Branch::Stmts(stmts) => stmts,
            Branch::Ops(_) => vec![],
        }
    }
}

/// Whether a value of the type has a header in it.
pub fn contains_header(ty: &Ty) -> bool {
    match ty {
        Ty::Header(_) => true,
        Ty::Struct(def) => def.fields.iter().any(|(_, ty)| contains_header(ty)),
        _ => false,
    }
}

// ---- Where statements go ------------------------------------------------------------------------------------

impl<'a> Checker<'a> {
    pub(super) fn emit(&mut self, statement: ir::Stmt) {
        self.statements += 1;
        if let Some(sink) = self.stmts.last_mut() {
            sink.push(statement);
        }
    }

    pub(super) fn emit_op(&mut self, op: ir::ParserOp) {
        self.statements += 1;
        if let Some(sink) = self.ops.last_mut() {
            sink.push(op);
        }
    }

    pub(super) fn emit_assign(&mut self, var: ir::VarId, value: ir::Expr) {
        match self.site {
            Site::Parser => self.emit_op(ir::ParserOp::Assign { var, value }),
            _ => self.emit(ir::Stmt::Assign { var, value }),
        }
    }

    /// The statements that `check` emits.
    pub(super) fn collect(&mut self, check: impl FnOnce(&mut Self)) -> Vec<ir::Stmt> {
        self.stmts.push(vec![]);
        check(self);
        self.stmts.pop().unwrap_or_default()
    }

    pub(super) fn collect_ops(&mut self, check: impl FnOnce(&mut Self)) -> Vec<ir::ParserOp> {
        self.ops.push(vec![]);
        check(self);
        self.ops.pop().unwrap_or_default()
    }

    pub(super) fn too_many_statements(&mut self, span: Span) -> bool {
        let many = self.statements > MAX_STATEMENTS;
        if many {
            let message = format!("actions expand to more than {MAX_STATEMENTS} statements");
            self.error(Code::TooLarge, span, message, "when this call is expanded");
        }
        many
    }
}

//! Calls: of actions, of tables' `apply`, and of what the architecture declares.

use super::scope::Entity;
use super::types::Ty;
use super::value::{PlaceKind, Value, ValueKind};
use super::{Checker, Site};
use crate::ast;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, ExprKind};
use crate::source::Span;

fn wrong_count(expected: usize, given: usize) -> String {
    let arguments = if expected == 1 { "argument" } else { "arguments" };
    format!("expected {expected} {arguments}, found {given}")
}

impl<'a> Checker<'a> {
    pub(super) fn call(
        &mut self,
        callee: &ast::Expr,
        type_args: &[ast::TypeRef],
        args: &[ast::Arg],
        span: Span,
    ) -> Value {
        match &callee.kind {
            ast::ExprKind::Member { base, member } => self.method(base, member, type_args, args, span),
            ast::ExprKind::Name(path) => {
                let Some(found) = self.lookup(path) else {
                    self.unknown_name(&path.name, path.span);
                    return Value::unknown(span);
                };
                match found.entity {
                    Entity::Unknown => Value::unknown(span),
                    Entity::ExternFunction => self.extern_function(&path.name, args, span),
                    Entity::Action(action) => {
                        self.call_action(action, found.order, args, span);
                        Value { ty: Ty::Void, kind: ValueKind::Nothing, span }
                    }
                    Entity::Table(_) => {
                        self.diags.push(
                            Diagnostic::error(Code::WrongKind, "a table is not called")
                                .at(span, "not a function")
                                .help(format!("write `{}.apply()`", path.name)),
                        );
                        Value::unknown(span)
                    }
                    other => {
                        let message = format!("`{}` is {}, not a function", path.name, other.describe());
                        self.error(Code::WrongKind, path.span, message, "it cannot be called");
                        Value::unknown(span)
                    }
                }
            }
            _ => {
                let value = self.expr(callee);
                if !value.is_unknown() {
                    self.error(Code::WrongKind, callee.span, "this is not a function", "it cannot be called");
                }
                Value::unknown(span)
            }
        }
    }

    /// The positional arguments, of which there must be so many.
    fn positional<'b>(
        &mut self,
        args: &'b [ast::Arg],
        count: usize,
        span: Span,
    ) -> Option<Vec<&'b ast::Expr>> {
        if args.len() != count {
            let message = wrong_count(count, args.len());
            self.error(Code::BadCall, span, message, "wrong number of arguments");
            return None;
        }
        let mut values = vec![];
        for arg in args {
            match (&arg.name, &arg.value) {
                (None, Some(value)) => values.push(value),
                _ => {
                    self.error(Code::BadCall, arg.span, "arguments are values by position here", "not one");
                    return None;
                }
            }
        }
        Some(values)
    }

    fn method(
        &mut self,
        base: &ast::Expr,
        member: &ast::Ident,
        type_args: &[ast::TypeRef],
        args: &[ast::Arg],
        span: Span,
    ) -> Value {
        if let ast::ExprKind::Name(path) = &base.kind {
            if let Some(found) = self.lookup(path) {
                match found.entity {
                    Entity::Table(table) => return self.apply(table, member, args, span),
                    Entity::Parser(_) | Entity::Control(_) | Entity::Instance => {
                        self.refuse(
                            Code::RefusedCall,
                            span,
                            "applications of other blocks",
                            "a program is one parser and one control; write the other in place",
                        );
                        return Value::unknown(span);
                    }
                    _ => {}
                }
            }
        }
        let object = self.expr(base);
        let ValueKind::Place(place) = &object.kind else {
            if !object.is_unknown() {
                let message = format!("`{}` has no methods", object.ty);
                self.error(Code::NoSuchMember, member.span, message, "no such method");
            }
            return Value::unknown(span);
        };
        match &place.kind {
            PlaceKind::PacketIn => self.packet_method(member, type_args, args, span),
            PlaceKind::Header(id, _) => match &*member.name {
                "isValid" => {
                    self.positional(args, 0, span);
                    Value::scalar(Ty::Bool, ExprKind::Var(self.headers[id.index()].valid), span)
                }
                "setValid" | "setInvalid" => {
                    let plural = format!("calls of `{}`", member.name);
                    let reason = "packets are not rewritten: a header is valid if the parser extracted it";
                    self.refuse(Code::RefusedCall, span, &plural, reason);
                    Value::unknown(span)
                }
                "minSizeInBits" | "minSizeInBytes" | "maxSizeInBits" | "maxSizeInBytes" => {
                    self.positional(args, 0, span);
                    let width = self.headers[id.index()].width;
                    let size = if member.name.ends_with("Bytes") { width / 8 } else { width };
                    Value::integer(size.into(), span)
                }
                _ => {
                    let what = object.ty.to_string();
                    self.no_member(&what, member, &["isValid"]);
                    Value::unknown(span)
                }
            },
            _ => {
                let what = object.ty.to_string();
                self.no_member(&what, member, &[]);
                Value::unknown(span)
            }
        }
    }

    /// `t.apply()`
    fn apply(&mut self, table: ir::TableId, member: &ast::Ident, args: &[ast::Arg], span: Span) -> Value {
        if member.name != "apply" {
            self.no_member("table", member, &["apply"]);
            return Value::unknown(span);
        }
        self.positional(args, 0, span);
        if self.site != Site::Apply {
            self.error(
                Code::BadCall,
                span,
                "a table is applied in the `apply` block of its control only",
                "not possible here",
            );
            return Value::unknown(span);
        }
        if self.conditional > 0 {
            self.diags.push(
                Diagnostic::error(
                    Code::RefusedExpression,
                    "a table cannot be applied in a part of an expression that may not be evaluated",
                )
                .at(span, "this depends on what stands before it")
                .help("apply it in an `if` of its own"),
            );
            return Value::unknown(span);
        }
        let (_, first) = &mut self.applied[table.index()];
        match *first {
            Some(first) => {
                self.diags.push(
                    Diagnostic::error(Code::AppliedTwice, "a table is applied in two places")
                        .at(span, "second")
                        .also(first, "first")
                        .note("a table is one lookup in the hardware; compute its key first, then apply it once"),
                );
            }
            None => *first = Some(span),
        }
        self.applies += 1;
        self.emit(ir::Stmt::Apply(table));
        Value { ty: Ty::Void, kind: ValueKind::Applied(table), span }
    }

    fn packet_method(
        &mut self,
        member: &ast::Ident,
        type_args: &[ast::TypeRef],
        args: &[ast::Arg],
        span: Span,
    ) -> Value {
        let nothing = Value { ty: Ty::Void, kind: ValueKind::Nothing, span };
        if self.site != Site::Parser {
            self.error(Code::BadCall, span, "the packet is read in parsers only", "not possible here");
            return Value::unknown(span);
        }
        let moves = matches!(&*member.name, "extract" | "advance");
        if moves && self.branches > 0 {
            let plural = format!("calls of `{}` within `if`", member.name);
            self.refuse(
                Code::RefusedCall,
                span,
                &plural,
                "give it a state of its own, and choose by `select`",
            );
            return nothing;
        }
        match &*member.name {
            "extract" => self.extract(type_args, args, span),
            "advance" => {
                let Some(values) = self.positional(args, 1, span) else { return nothing };
                let value = self.expr(values[0]);
                let Some(bits) = self.convert(value, &Ty::Bits(32)) else { return nothing };
                if bits.trailing_zeros() < 3 {
                    self.diags.push(
                        Diagnostic::error(Code::NotBytes, "`advance` moves by whole bytes")
                            .at(values[0].span, "this may not be a multiple of 8")
                            .help("end it with a shift to the left by 3 or more, as in `(bit<32>)n << 5`"),
                    );
                }
                self.emit_op(ir::ParserOp::Advance(bits));
            }
            "lookahead" => return self.lookahead(type_args, args, span),
            "length" => {
                let reason = "a packet is parsed while it arrives; the control has `istd.packet_length`";
                self.refuse(Code::RefusedCall, span, "calls of `length`", reason);
                return Value::unknown(span);
            }
            _ => {
                self.no_member("packet_in", member, &["extract", "advance", "lookahead"]);
                return Value::unknown(span);
            }
        }
        nothing
    }

    fn extract(&mut self, type_args: &[ast::TypeRef], args: &[ast::Arg], span: Span) {
        if args.len() == 2 {
            let reason = "a header has one size; skip what is optional with `advance`";
            self.refuse(Code::RefusedCall, span, "headers of variable size", reason);
            return;
        }
        let Some(values) = self.positional(args, 1, span) else { return };
        let value = self.expr(values[0]);
        if value.is_unknown() {
            return;
        }
        let ValueKind::Place(place) = &value.kind else {
            self.mismatch_text("a header", &value.ty, value.span);
            return;
        };
        let PlaceKind::Header(id, _) = place.kind else {
            self.mismatch_text("a header", &value.ty, value.span);
            return;
        };
        if let Some(reason) = place.read_only {
            self.error(Code::NotAssignable, value.span, "this header cannot be written", reason);
            return;
        }
        if let [ty] = type_args {
            let asked = self.resolve(ty);
            if !asked.same(&value.ty) {
                self.mismatch::<()>(&value.ty, &asked, value.span);
            }
        } else if type_args.len() > 1 {
            self.error(Code::BadCall, span, "`extract` takes one type argument", "too many");
        }
        let width = self.headers[id.index()].width;
        if width == 0 || !width.is_multiple_of(8) {
            let message = format!("`{}` has {width} bits", value.ty);
            self.error(
                Code::NotBytes,
                value.span,
                message,
                "a header that is extracted is whole bytes, one at least",
            );
        }
        self.emit_op(ir::ParserOp::Extract(id, span));
    }

    fn lookahead(&mut self, type_args: &[ast::TypeRef], args: &[ast::Arg], span: Span) -> Value {
        self.positional(args, 0, span);
        let [ty] = type_args else {
            self.error(
                Code::BadCall,
                span,
                "`lookahead` needs the type to read",
                "as in `lookahead<bit<8>>()`",
            );
            return Value::unknown(span);
        };
        let (ty, ty_span) = (self.resolve(ty), ty.span);
        match &ty {
            Ty::Unknown => Value::unknown(span),
            Ty::Header(fields) => {
                let window = fields.fields.iter().filter_map(|(_, ty)| ty.wire_width()).sum();
                let fields = fields.clone();
                Value { ty, kind: ValueKind::Ahead { fields, offset: 0, window }, span }
            }
            _ => match ty.wire_width() {
                Some(window) => Value::scalar(ty, ExprKind::Lookahead { offset: 0, window }, span),
                None => {
                    self.mismatch_text("a header or a scalar that can be in one", &ty, ty_span);
                    Value::unknown(span)
                }
            },
        }
    }

    fn mismatch_text(&mut self, expected: &str, found: &Ty, span: Span) {
        let message = format!("expected {expected}, found `{found}`");
        self.error(Code::Mismatch, span, message, format!("this is `{found}`"));
    }

    fn extern_function(&mut self, name: &str, args: &[ast::Arg], span: Span) -> Value {
        let nothing = Value { ty: Ty::Void, kind: ValueKind::Nothing, span };
        match (name, self.site) {
            ("static_assert", _) => self.static_assert(args, span),
            ("verify", Site::Parser) => {
                let Some(values) = self.positional(args, 2, span) else { return nothing };
                let condition = self.condition(values[0]);
                let signal = self.expr(values[1]);
                let signal_span = signal.span;
                let (Some(condition), Some(signal)) = (condition, self.convert(signal, &Ty::Error)) else {
                    return nothing;
                };
                let Some(error) = signal.as_const().and_then(|code| u32::try_from(code).ok()) else {
                    self.not_constant(signal_span, "the error of `verify`");
                    return nothing;
                };
                self.emit_op(ir::ParserOp::Verify { condition, error });
                nothing
            }
            ("header_offset", Site::Apply | Site::Action) => {
                let Some(values) = self.positional(args, 1, span) else { return Value::unknown(span) };
                let value = self.expr(values[0]);
                match &value.kind {
                    ValueKind::Place(place) => {
                        if let PlaceKind::Header(id, _) = place.kind {
                            return Value::scalar(Ty::Bits(16), ExprKind::HeaderOffset(id), span);
                        }
                        self.mismatch_text("a header", &value.ty, value.span);
                    }
                    ValueKind::Unknown => {}
                    _ => self.mismatch_text("a header", &value.ty, value.span),
                }
                Value::unknown(span)
            }
            ("verify" | "header_offset", _) => {
                let place = if name == "verify" { "parsers" } else { "controls" };
                let message = format!("`{name}` is called in {place} only");
                self.error(Code::BadCall, span, message, "not possible here");
                Value::unknown(span)
            }
            _ => {
                let plural = format!("calls of `{name}`");
                self.refuse(Code::RefusedCall, span, &plural, "the hardware has no such function");
                Value::unknown(span)
            }
        }
    }

    fn static_assert(&mut self, args: &[ast::Arg], span: Span) -> Value {
        let count = args.len().clamp(1, 2);
        let Some(values) = self.positional(args, count, span) else { return Value::unknown(span) };
        let mut text = None;
        if let Some(message) = values.get(1) {
            let value = self.expr(message);
            match value.kind {
                ValueKind::String(said) => text = Some(said),
                ValueKind::Unknown => {}
                _ => self.mismatch_text("a string", &value.ty, value.span),
            }
        }
        let Some(condition) = self.condition(values[0]) else { return Value::unknown(span) };
        match condition.as_const().map(|value| value.bits() == 1) {
            None => self.not_constant(values[0].span, "a static assertion"),
            Some(true) => return Value::boolean(true, span),
            Some(false) => {
                let message = match text {
                    Some(text) => format!("static assertion failed: {text}"),
                    None => "static assertion failed".into(),
                };
                self.error(Code::AssertionFailed, values[0].span, message, "this does not hold");
            }
        }
        Value::unknown(span)
    }

    /// A direct call: the action's body in place of it, on variables of its own.
    fn call_action(&mut self, action: &'a ast::ActionDecl, order: u32, args: &[ast::Arg], span: Span) {
        if !matches!(self.site, Site::Apply | Site::Action) {
            self.error(Code::BadCall, span, "actions are called in controls only", "not possible here");
            return;
        }
        self.statements += 1;
        if self.too_many_statements(span) {
            return;
        }
        let Some(values) = self.bind_args(&action.params, args, span, action.name.span) else { return };
        // The arguments are evaluated where the call stands, before anything is copied.
        let mut bound = vec![];
        let applies = self.applies;
        for (index, (param, value)) in action.params.iter().zip(values).enumerate() {
            if index > 0 {
                self.applied_late(applies, span);
            }
            let writes = matches!(param.direction, Some(ast::Direction::Out | ast::Direction::InOut));
            let target = match (writes, value) {
                (true, Some(expr)) => self.target(expr),
                _ => None,
            };
            let reads = param.direction != Some(ast::Direction::Out);
            let value = match (reads, value) {
                (true, Some(expr)) => Some(self.expr(expr)),
                (true, None) => {
                    self.error(Code::BadCall, span, "`_` stands for an `out` only", "this action reads it");
                    None
                }
                _ => None,
            };
            bound.push((target, value));
        }
        self.in_scope_of(order, |this| {
            let mut copies = vec![];
            for (param, (target, value)) in action.params.iter().zip(bound) {
                let ty = this.resolve(&param.ty);
                let read_only = match param.direction {
                    Some(ast::Direction::In) | None => Some("a parameter without `out` cannot be written"),
                    _ => None,
                };
                let place =
                    this.allocate(&param.name.name, &ty, &|_| ir::Role::Local, read_only, param.name.span);
                if let PlaceKind::Scalar(var) = place.kind {
                    let value = match value {
                        Some(value) => this.convert(value, &ty),
                        None => Some(super::zero(this.vars[var.index()].ty, span)),
                    };
                    if let Some(value) = value {
                        this.emit(ir::Stmt::Assign { var, value });
                    }
                    copies.push((target, Value::scalar(ty, ExprKind::Var(var), param.name.span)));
                }
                this.declare(&param.name, Entity::Place(place));
            }
            let site = std::mem::replace(&mut this.site, Site::Action);
            this.block(&action.body);
            this.site = site;
            for (target, value) in copies {
                if let Some(target) = target {
                    this.store(target, value);
                }
            }
        });
    }

    /// Pairs arguments with parameters, by position or by name. `None` in the list is a `_`.
    pub(super) fn bind_args<'b>(
        &mut self,
        params: &[ast::Param],
        args: &'b [ast::Arg],
        span: Span,
        declared: Span,
    ) -> Option<Vec<Option<&'b ast::Expr>>> {
        let wrong = |this: &mut Self, span: Span, message: String| {
            this.diags.push(
                Diagnostic::error(Code::BadCall, message)
                    .at(span, "in this call")
                    .also(declared, "declared here"),
            );
            None
        };
        let named = args.iter().filter(|arg| arg.name.is_some()).count();
        if args.len() != params.len() {
            let message = wrong_count(params.len(), args.len());
            return wrong(self, span, message);
        }
        if named != 0 && named != args.len() {
            return wrong(self, span, "either all arguments are named, or none".into());
        }
        let mut values = vec![];
        for (index, param) in params.iter().enumerate() {
            let mut matching = args.iter().enumerate().filter(|(position, arg)| match &arg.name {
                Some(name) => name.name == param.name.name,
                None => *position == index,
            });
            match (matching.next(), matching.next()) {
                (Some((_, arg)), None) => values.push(arg.value.as_ref()),
                (Some(_), Some((_, twice))) => {
                    return wrong(self, twice.span, format!("argument `{}` is given twice", param.name.name))
                }
                (None, _) => {
                    return wrong(self, span, format!("argument `{}` is not given", param.name.name))
                }
            }
        }
        Some(values)
    }
}

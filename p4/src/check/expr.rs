//! Expressions: names, members, slices, operators.

use super::fold::fold;
use super::scope::{closest, Entity};
use super::types::Ty;
use super::value::{Place, PlaceKind, Value, ValueKind};
use super::Checker;
use crate::ast::{self, BinaryOp, UnaryOp};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, ExprKind, Op};
use crate::source::Span;
use num_bigint::{BigInt, Sign};

impl Checker<'_> {
    /// The value of an expression. An error gives an unknown one, which goes with everything.
    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Value {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Int(literal) => self.literal(literal, span),
            ast::ExprKind::Bool(value) => Value::boolean(*value, span),
            ast::ExprKind::String(text) => {
                Value { ty: Ty::String, kind: ValueKind::String(text.clone()), span }
            }
            ast::ExprKind::Name(path) => self.name(path, span),
            ast::ExprKind::Error(member) => self.error_value(member, span),
            ast::ExprKind::TypeMember { ty, member } => self.type_member(ty, member, span),
            ast::ExprKind::Member { base, member } => {
                let base = self.expr(base);
                self.member(base, member, span)
            }
            ast::ExprKind::Slice { base, high, low } => {
                let base = self.expr(base);
                self.slice(base, high, low, span)
            }
            ast::ExprKind::Unary { op, operand } => {
                let operand = self.expr(operand);
                self.unary(*op, operand, span)
            }
            ast::ExprKind::Binary { op, left, right } => {
                let left = self.expr(left);
                let applies = self.applies;
                let right = match op {
                    BinaryOp::And | BinaryOp::Or => self.conditionally(|this| this.expr(right)),
                    _ => self.expr(right),
                };
                if left.as_const().is_none() {
                    self.applied_late(applies, right.span);
                }
                self.binary(*op, left, right, span)
            }
            ast::ExprKind::Conditional { condition, then, otherwise } => {
                let condition = self.condition(condition);
                let then = self.conditionally(|this| this.expr(then));
                let otherwise = self.conditionally(|this| this.expr(otherwise));
                self.mux(condition, then, otherwise, span)
            }
            ast::ExprKind::Cast { ty, operand } => {
                let ty = self.resolve(ty);
                let value = self.expr(operand);
                self.cast(&ty, value, span)
            }
            ast::ExprKind::Call { callee, type_args, args } => self.call(callee, type_args, args, span),
            ast::ExprKind::Construct { .. } => {
                self.error(
                    Code::RefusedExpression,
                    span,
                    "nameless instances are not supported here",
                    "they are arguments of `main` only",
                );
                Value::unknown(span)
            }
        }
    }

    /// Checks what may not be evaluated at run time, so nothing in it may have an effect.
    fn conditionally<T>(&mut self, check: impl FnOnce(&mut Self) -> T) -> T {
        self.conditional += 1;
        let result = check(self);
        self.conditional -= 1;
        result
    }

    /// Refuses a table that was applied since the count was `before`: what the expression has read already, the
    /// table's action may have changed.
    pub(super) fn applied_late(&mut self, before: u32, span: Span) {
        if self.applies != before {
            self.diags.push(
                Diagnostic::error(Code::RefusedExpression, "a table cannot be applied behind other operands")
                    .at(span, "it is applied here, after the others are read")
                    .help("apply it first, as in `bool hit = t.apply().hit;`"),
            );
        }
    }

    fn literal(&mut self, literal: &ast::IntLiteral, span: Span) -> Value {
        match literal.width {
            None => Value::integer(literal.value.clone(), span),
            Some(0) => {
                self.error(Code::BadWidth, span, "`bit<0>` does not exist", "a width is at least 1");
                Value::unknown(span)
            }
            Some(width) => {
                let number = Value::integer(literal.value.clone(), span);
                match self.convert(number, &Ty::Bits(width)) {
                    Some(expr) => Value { ty: Ty::Bits(width), kind: ValueKind::Scalar(expr), span },
                    None => Value::unknown(span),
                }
            }
        }
    }

    fn name(&mut self, path: &ast::Path, span: Span) -> Value {
        let Some(found) = self.lookup(path) else {
            self.unknown_name(&path.name, span);
            return Value::unknown(span);
        };
        match found.entity {
            Entity::Unknown => Value::unknown(span),
            Entity::Const(value) => Value { span, ..value },
            Entity::Place(place) => self.read(&place, span),
            other => {
                let message = format!("`{}` is {}, not a value", path.name, other.describe());
                self.diags.push(
                    Diagnostic::error(Code::WrongKind, message)
                        .at(span, "expected a value")
                        .also(found.span, "declared here"),
                );
                Value::unknown(span)
            }
        }
    }

    pub(super) fn error_value(&mut self, member: &ast::Ident, span: Span) -> Value {
        match self.errors.iter().position(|(name, _)| *name == member.name) {
            Some(code) => Value::scalar(Ty::Error, ExprKind::Const((code as u32).into()), span),
            None => {
                let errors = self.errors.clone();
                let names: Vec<&str> = errors.iter().map(|(name, _)| name.as_str()).collect();
                self.no_member("error", member, &names);
                Value::unknown(span)
            }
        }
    }

    fn type_member(&mut self, path: &ast::Path, member: &ast::Ident, span: Span) -> Value {
        let Some(found) = self.lookup(path) else {
            self.unknown_name(&path.name, path.span);
            return Value::unknown(span);
        };
        let def = match &found.entity {
            Entity::Type(Ty::Enum(def)) => def.clone(),
            Entity::Unknown | Entity::Type(Ty::Unknown) => return Value::unknown(span),
            Entity::Parser(_) | Entity::Control(_) if member.name == "apply" => {
                self.refuse(
                    Code::RefusedCall,
                    span,
                    "direct applications",
                    "a program is one parser and one control; write sub-parsers and sub-controls in place",
                );
                return Value::unknown(span);
            }
            other => {
                let message = format!("`{}` is {} without members", path.name, other.describe());
                self.diags.push(
                    Diagnostic::error(Code::NoSuchMember, message)
                        .at(span, "only an enum has members")
                        .also(found.span, "declared here"),
                );
                return Value::unknown(span);
            }
        };
        match def.members.iter().find(|(name, _)| *name == member.name) {
            Some((_, value)) => Value::scalar(Ty::Enum(def.clone()), ExprKind::Const(value.clone()), span),
            None => {
                let names: Vec<&str> = def.members.iter().map(|(name, _)| name.as_str()).collect();
                self.no_member(&format!("enum {}", def.name), member, &names);
                Value::unknown(span)
            }
        }
    }

    pub(super) fn no_member(&mut self, what: &str, member: &ast::Ident, names: &[&str]) {
        let what = if what.starts_with("the ") { what.to_string() } else { format!("`{what}`") };
        let mut diagnostic =
            Diagnostic::error(Code::NoSuchMember, format!("{what} has no member `{}`", member.name))
                .at(member.span, "no such member");
        if let Some(close) = closest(&member.name, names.iter().copied()) {
            diagnostic = diagnostic.help(format!("there is a similar one: `{close}`"));
        } else if !names.is_empty() && names.len() <= 12 {
            diagnostic = diagnostic.note(format!("it has {}", names.join(", ")));
        }
        self.diags.push(diagnostic);
    }

    fn member(&mut self, base: Value, member: &ast::Ident, span: Span) -> Value {
        let name = &*member.name;
        match &base.kind {
            ValueKind::Unknown => Value::unknown(span),
            ValueKind::Place(Place {
                kind: PlaceKind::Struct(fields) | PlaceKind::Header(_, fields),
                ty,
                ..
            }) => match fields.iter().find(|(field, _)| field == name) {
                Some((_, place)) => self.read(place, span),
                None => {
                    let names: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
                    let what = ty.to_string();
                    self.no_member(&what, member, &names);
                    Value::unknown(span)
                }
            },
            ValueKind::Ahead { fields, offset, window } => {
                let mut at = *offset;
                for (field, ty) in &fields.fields {
                    if field.name == name {
                        return Value::scalar(
                            ty.clone(),
                            ExprKind::Lookahead { offset: at, window: *window },
                            span,
                        );
                    }
                    at += ty.wire_width().unwrap_or(0);
                }
                let names: Vec<&str> = fields.fields.iter().map(|(field, _)| field.name.as_str()).collect();
                self.no_member(&base.ty.to_string(), member, &names);
                Value::unknown(span)
            }
            ValueKind::Applied(table) => match name {
                "hit" => Value::scalar(Ty::Bool, ExprKind::TableHit(*table), span),
                "miss" => {
                    let hit = ir::Expr { kind: ExprKind::TableHit(*table), ty: ir::Type::Bool, span };
                    Value::scalar(Ty::Bool, ExprKind::Not(Box::new(hit)), span)
                }
                "action_run" => Value { ty: base.ty, kind: ValueKind::ActionRun(*table), span },
                _ => {
                    self.no_member("the result of `apply`", member, &["hit", "miss", "action_run"]);
                    Value::unknown(span)
                }
            },
            _ => {
                let message = format!("`{}` has no members", base.ty);
                self.error(Code::NoSuchMember, span, message, format!("`.{name}` of what?"));
                Value::unknown(span)
            }
        }
    }

    fn slice(&mut self, base: Value, high: &ast::Expr, low: &ast::Expr, span: Span) -> Value {
        let (high_value, low_value) = (self.const_integer(high), self.const_integer(low));
        if base.is_unknown() {
            return Value::unknown(span);
        }
        let (ValueKind::Scalar(expr), Ty::Bits(width)) = (&base.kind, &base.ty) else {
            let message = format!("`{}` has no slices", base.ty);
            self.error(Code::BadOperand, base.span, message, "only `bit<N>` has");
            return Value::unknown(span);
        };
        let (Some(high_value), Some(low_value)) = (high_value, low_value) else {
            return Value::unknown(span);
        };
        let bounds = match (u32::try_from(&high_value), u32::try_from(&low_value)) {
            (Ok(high), Ok(low)) if low <= high && high < *width => Some((high, low)),
            _ => None,
        };
        let Some((high, low)) = bounds else {
            let where_to = if high_value < low_value {
                "the first bound is the higher bit".to_string()
            } else {
                format!("the bits of `bit<{width}>` are {} to 0", width - 1)
            };
            let message = format!("slice [{high_value}:{low_value}] is outside of its value");
            let bounds = self.sources.join(high.span, low.span);
            self.error(Code::SliceBounds, bounds, message, where_to);
            return Value::unknown(span);
        };
        let ty = Ty::Bits(high - low + 1);
        let expr =
            fold(ExprKind::Slice { base: Box::new(expr.clone()), low }, ir::Type::Bits(high - low + 1), span);
        Value { ty, kind: ValueKind::Scalar(expr), span }
    }

    fn bad_operand(&mut self, op: &str, value: &Value, takes: &str) -> Value {
        let message = format!("`{op}` does not take `{}`", value.ty);
        self.error(Code::BadOperand, value.span, message, format!("it takes {takes}"));
        Value::unknown(value.span)
    }

    fn unary(&mut self, op: UnaryOp, operand: Value, span: Span) -> Value {
        if operand.is_unknown() {
            return Value::unknown(span);
        }
        let make = |kind: ExprKind, ty: Ty, scalar| Value {
            ty,
            kind: ValueKind::Scalar(fold(kind, scalar, span)),
            span,
        };
        match (op, &operand.kind, &operand.ty) {
            (UnaryOp::Not, ValueKind::Scalar(expr), Ty::Bool) => {
                make(ExprKind::Not(Box::new(expr.clone())), Ty::Bool, ir::Type::Bool)
            }
            (UnaryOp::Not, ..) => self.bad_operand("!", &operand, "`bool`"),
            (UnaryOp::Complement, ValueKind::Scalar(expr), Ty::Bits(_)) => {
                make(ExprKind::Complement(Box::new(expr.clone())), operand.ty.clone(), expr.ty)
            }
            (UnaryOp::Complement, ..) => self.bad_operand("~", &operand, "`bit<N>`"),
            (UnaryOp::Negate, ValueKind::Integer(number), _) => Value::integer(-number.clone(), span),
            (UnaryOp::Negate, ValueKind::Scalar(expr), Ty::Bits(_)) => {
                make(ExprKind::Negate(Box::new(expr.clone())), operand.ty.clone(), expr.ty)
            }
            (UnaryOp::Negate, ..) => self.bad_operand("-", &operand, "`bit<N>` and `int`"),
            (UnaryOp::Plus, _, Ty::Bits(_) | Ty::Integer) => Value { span, ..operand },
            (UnaryOp::Plus, ..) => self.bad_operand("+", &operand, "`bit<N>` and `int`"),
        }
    }

    /// `condition ? then : otherwise`
    fn mux(&mut self, condition: Option<ir::Expr>, then: Value, otherwise: Value, span: Span) -> Value {
        let Some(condition) = condition else { return Value::unknown(span) };
        if then.is_unknown() || otherwise.is_unknown() {
            return Value::unknown(span);
        }
        if let (ValueKind::Integer(_), ValueKind::Integer(_)) = (&then.kind, &otherwise.kind) {
            return match condition.as_const() {
                Some(value) => Value { span, ..if value.bits() == 1 { then } else { otherwise } },
                None => {
                    let help = "give one of them a width, as in `8w1`";
                    let message = "both branches are `int`, and the condition is not a constant";
                    self.diags.push(
                        Diagnostic::error(Code::NotConstant, message)
                            .at(span, "this has no width")
                            .help(help),
                    );
                    Value::unknown(span)
                }
            };
        }
        let Some((then, otherwise, ty)) = self.balance(then, otherwise) else { return Value::unknown(span) };
        let scalar = then.ty;
        let kind = ExprKind::Mux {
            condition: Box::new(condition),
            then: Box::new(then),
            otherwise: Box::new(otherwise),
        };
        Value { ty, kind: ValueKind::Scalar(fold(kind, scalar, span)), span }
    }

    /// Two operands as scalars of one type: an `int` takes the other's type, and a serializable enum becomes a
    /// number beside one.
    pub(super) fn balance(&mut self, left: Value, right: Value) -> Option<(ir::Expr, ir::Expr, Ty)> {
        if left.is_unknown() || right.is_unknown() {
            return None;
        }
        let ty = match (&left.ty, &right.ty) {
            (Ty::Integer, other) | (other, Ty::Integer) => other.clone(),
            (Ty::Enum(_), Ty::Bits(_)) => right.ty.clone(),
            _ => left.ty.clone(),
        };
        if ty.scalar().is_none() {
            let message = format!("`{ty}` cannot be an operand");
            self.error(Code::BadOperand, left.span, message, "use its fields");
            return None;
        }
        let left = self.convert(left, &ty);
        let right = self.convert(right, &ty);
        Some((left?, right?, ty))
    }

    fn binary(&mut self, op: BinaryOp, left: Value, right: Value, span: Span) -> Value {
        if left.is_unknown() || right.is_unknown() {
            return Value::unknown(span);
        }
        if let (ValueKind::Integer(l), ValueKind::Integer(r)) = (&left.kind, &right.kind) {
            let (l, r, right_span) = (l.clone(), r.clone(), right.span);
            return self.integer_binary(op, l, r, right_span, span);
        }
        let result = match op {
            BinaryOp::And | BinaryOp::Or => {
                for operand in [&left, &right] {
                    if !matches!(operand.ty, Ty::Bool) {
                        return self.bad_operand(op.symbol(), operand, "`bool`");
                    }
                }
                self.balance(left, right)
            }
            BinaryOp::Eq | BinaryOp::Ne => {
                for operand in [&left, &right] {
                    if operand.ty.scalar().is_none() && !matches!(operand.ty, Ty::Integer) {
                        let takes = "numbers, `bool`, enums and errors; compare field by field";
                        return self.bad_operand(op.symbol(), operand, takes);
                    }
                }
                self.balance(left, right)
            }
            BinaryOp::Shl | BinaryOp::Shr => return self.shift(op, left, right, span),
            BinaryOp::Concat => return self.concat(left, right, span),
            _ => {
                for operand in [&left, &right] {
                    let number = match &operand.ty {
                        Ty::Bits(_) | Ty::Integer => true,
                        Ty::Enum(def) => def.underlying.is_some(),
                        _ => false,
                    };
                    if !number {
                        return self.bad_operand(op.symbol(), operand, "`bit<N>` and `int`");
                    }
                }
                let (left, right) = (self.as_number(left), self.as_number(right));
                self.balance(left, right)
            }
        };
        let Some((left, right, ty)) = result else { return Value::unknown(span) };
        let comparison = matches!(
            op,
            BinaryOp::Eq
                | BinaryOp::Ne
                | BinaryOp::Lt
                | BinaryOp::Le
                | BinaryOp::Gt
                | BinaryOp::Ge
                | BinaryOp::And
                | BinaryOp::Or
        );
        let ir_op = match op {
            BinaryOp::Add => Op::Add,
            BinaryOp::Sub => Op::Sub,
            BinaryOp::AddSat => Op::AddSat,
            BinaryOp::SubSat => Op::SubSat,
            BinaryOp::BitAnd => Op::BitAnd,
            BinaryOp::BitOr => Op::BitOr,
            BinaryOp::BitXor => Op::BitXor,
            BinaryOp::Eq => Op::Eq,
            BinaryOp::Ne => Op::Ne,
            BinaryOp::Lt => Op::Lt,
            BinaryOp::Le => Op::Le,
            BinaryOp::Gt => Op::Gt,
            BinaryOp::Ge => Op::Ge,
            BinaryOp::And => Op::And,
            BinaryOp::Or => Op::Or,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => {
                return self.run_time_product(op, left, right, span)
            }
            BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Concat => unreachable!("handled above"),
        };
        if comparison {
            self.warn_if_constant(ir_op, &left, &right, span);
        }
        let (ty, scalar) = if comparison { (Ty::Bool, ir::Type::Bool) } else { (ty, left.ty) };
        let kind = ExprKind::Binary { op: ir_op, left: Box::new(left), right: Box::new(right) };
        Value { ty, kind: ValueKind::Scalar(fold(kind, scalar, span)), span }
    }

    /// A serializable enum as the number that it is.
    fn as_number(&self, value: Value) -> Value {
        match &value.ty {
            Ty::Enum(def) => match def.underlying {
                Some(width) => Value { ty: Ty::Bits(width), ..value },
                None => value,
            },
            _ => value,
        }
    }

    /// Comparisons of an unsigned number with the end of its range.
    fn warn_if_constant(&mut self, op: Op, left: &ir::Expr, right: &ir::Expr, span: Span) {
        if left.as_const().is_some() {
            return;
        }
        let Some(bound) = right.as_const() else { return };
        let is_max = bound.bits() == u64::from(right.ty.width()) && bound.count_ones() == bound.bits();
        let outcome = match op {
            Op::Lt if bound.bits() == 0 => "never",
            Op::Ge if bound.bits() == 0 => "always",
            Op::Gt if is_max => "never",
            Op::Le if is_max => "always",
            _ => return,
        };
        self.diags.push(
            Diagnostic::warning(Code::ConstantCondition, format!("this comparison {outcome} holds"))
                .at(span, "of an unsigned number with the end of its range"),
        );
    }

    fn shift(&mut self, op: BinaryOp, left: Value, right: Value, span: Span) -> Value {
        let (left, right) = (self.as_number(left), self.as_number(right));
        let amount = match (&right.kind, &right.ty) {
            (ValueKind::Integer(amount), _) => {
                if amount.sign() == Sign::Minus {
                    self.error(Code::OutOfRange, right.span, "a shift by a negative amount", "negative");
                    return Value::unknown(span);
                }
                // More than any width shifts everything out.
                let amount = u32::try_from(amount).unwrap_or(u32::MAX);
                ir::Expr { kind: ExprKind::Const(amount.into()), ty: ir::Type::Bits(32), span: right.span }
            }
            (ValueKind::Scalar(expr), Ty::Bits(_)) => expr.clone(),
            _ => return self.bad_operand(op.symbol(), &right, "an amount of type `bit<N>` or `int`"),
        };
        match (&left.kind, &left.ty) {
            (ValueKind::Integer(_), _) => {
                self.not_constant(right.span, "the amount by which an `int` is shifted");
                Value::unknown(span)
            }
            (ValueKind::Scalar(expr), Ty::Bits(_)) => {
                let scalar = expr.ty;
                let op = if op == BinaryOp::Shl { Op::Shl } else { Op::Shr };
                let kind = ExprKind::Binary { op, left: Box::new(expr.clone()), right: Box::new(amount) };
                Value { ty: left.ty.clone(), kind: ValueKind::Scalar(fold(kind, scalar, span)), span }
            }
            _ => self.bad_operand(op.symbol(), &left, "`bit<N>` and `int`"),
        }
    }

    fn concat(&mut self, left: Value, right: Value, span: Span) -> Value {
        let (left, right) = (self.as_number(left), self.as_number(right));
        for operand in [&left, &right] {
            if matches!(operand.ty, Ty::Integer) {
                self.diags.push(
                    Diagnostic::error(Code::BadOperand, "`++` does not take `int`")
                        .at(operand.span, "this has no width")
                        .help("give it one, as in `8w1`"),
                );
                return Value::unknown(span);
            }
        }
        let width = match (&left.ty, &right.ty) {
            (Ty::Bits(l), Ty::Bits(r)) => l + r,
            (Ty::Bits(_), _) => return self.bad_operand("++", &right, "`bit<N>`"),
            _ => return self.bad_operand("++", &left, "`bit<N>`"),
        };
        if width > crate::lex::MAX_WIDTH {
            let label = format!("a width is at most {}", crate::lex::MAX_WIDTH);
            self.error(Code::BadWidth, span, format!("`bit<{width}>` does not exist"), label);
            return Value::unknown(span);
        }
        let (ValueKind::Scalar(left), ValueKind::Scalar(right)) = (left.kind, right.kind) else {
            return Value::unknown(span);
        };
        let kind = ExprKind::Concat(Box::new(left), Box::new(right));
        Value { ty: Ty::Bits(width), kind: ValueKind::Scalar(fold(kind, ir::Type::Bits(width), span)), span }
    }

    /// `*`, `/` and `%` of sized operands: constants only.
    fn run_time_product(&mut self, op: BinaryOp, left: ir::Expr, right: ir::Expr, span: Span) -> Value {
        let width = left.ty.width();
        let (Some(l), Some(r)) = (left.as_const(), right.as_const()) else {
            let reason = "the hardware has no multiplier here; shift and add, or use constants";
            let plural =
                format!("products and quotients (`{}`) of values that are not constants", op.symbol());
            self.refuse(Code::RefusedExpression, span, &plural, reason);
            return Value::unknown(span);
        };
        let value = self.integer_binary(op, l.clone().into(), r.clone().into(), right.span, span);
        match value.kind {
            ValueKind::Integer(number) => {
                let kind = ExprKind::Const(super::value::wrap(&number, width));
                Value::scalar(Ty::Bits(width), kind, span)
            }
            _ => value,
        }
    }

    /// Operations on constants of type `int`.
    fn integer_binary(&mut self, op: BinaryOp, l: BigInt, r: BigInt, right: Span, span: Span) -> Value {
        let value = match op {
            BinaryOp::Add => l + r,
            BinaryOp::Sub => l - r,
            BinaryOp::Mul => l * r,
            BinaryOp::Div | BinaryOp::Mod => {
                if r.sign() != Sign::Plus || l.sign() == Sign::Minus {
                    let message = "division is of numbers that are not negative, by positive ones";
                    self.error(Code::DivisionByZero, right, message, format!("this divides {l} by {r}"));
                    return Value::unknown(span);
                }
                if op == BinaryOp::Div {
                    l / r
                } else {
                    l % r
                }
            }
            BinaryOp::Shl | BinaryOp::Shr => {
                let amount = match u32::try_from(&r) {
                    Ok(amount) if amount <= crate::lex::MAX_WIDTH => amount,
                    _ => {
                        let label = format!("an amount is from 0 to {}", crate::lex::MAX_WIDTH);
                        self.error(Code::OutOfRange, right, format!("a shift by {r}"), label);
                        return Value::unknown(span);
                    }
                };
                if op == BinaryOp::Shl {
                    l << amount
                } else {
                    l >> amount
                }
            }
            BinaryOp::BitAnd => l & r,
            BinaryOp::BitOr => l | r,
            BinaryOp::BitXor => l ^ r,
            BinaryOp::Eq => return Value::boolean(l == r, span),
            BinaryOp::Ne => return Value::boolean(l != r, span),
            BinaryOp::Lt => return Value::boolean(l < r, span),
            BinaryOp::Le => return Value::boolean(l <= r, span),
            BinaryOp::Gt => return Value::boolean(l > r, span),
            BinaryOp::Ge => return Value::boolean(l >= r, span),
            BinaryOp::AddSat | BinaryOp::SubSat | BinaryOp::Concat | BinaryOp::And | BinaryOp::Or => {
                let takes = match op {
                    BinaryOp::And | BinaryOp::Or => "`bool`",
                    _ => "operands with a width, as in `8w1`",
                };
                return self.bad_operand(op.symbol(), &Value::integer(l, span), takes);
            }
        };
        self.bounded(value, span)
    }
}

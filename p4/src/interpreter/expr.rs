//! Expressions.

use super::machine::{Machine, Run, Stop};
use super::names::Entity;
use super::operators;
use super::value::{Type, Value};
use crate::ast::{self, BinaryOp, ExprKind, TypeKind};

impl<'a> Machine<'a, '_> {
    pub(super) fn eval(&mut self, expr: &ast::Expr) -> Run<Value> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Int(literal) => Ok(match literal.width {
                None => Value::Integer(literal.value.clone()),
                Some(width) => Value::bits(width, literal.value.clone()),
            }),
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::String(_) => Ok(Value::Text),
            ExprKind::Error(member) => self.error_code(&member.name, span).map(Value::Error),
            ExprKind::TypeMember { ty, member } => self.enum_member(ty, member),
            ExprKind::Name(_) => match self.stored(expr) {
                Some(value) => Ok(value.clone()),
                None => Err(Stop::unexpected(span, "a name without a value")),
            },
            ExprKind::Member { base, member } => self.member(expr, base, member),
            ExprKind::Slice { base, high, low } => {
                let (high, low) = self.bounds(high, low)?;
                let base = self.eval(base)?;
                operators::slice(&base, high, low).ok_or(Stop::unexpected(span, "a slice"))
            }
            ExprKind::Unary { op, operand } => {
                let operand = self.eval(operand)?;
                operators::unary(*op, operand).ok_or(Stop::unexpected(span, "an operand"))
            }
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                Ok(Value::Bool(self.condition(left)? && self.condition(right)?))
            }
            ExprKind::Binary { op: BinaryOp::Or, left, right } => {
                Ok(Value::Bool(self.condition(left)? || self.condition(right)?))
            }
            ExprKind::Binary { op, left, right } => {
                let left = self.eval(left)?;
                let right = self.eval(right)?;
                operators::binary(*op, left, right).ok_or(Stop::unexpected(span, "operands"))
            }
            ExprKind::Conditional { condition, then, otherwise } => {
                let (chosen, other) =
                    if self.condition(condition)? { (then, otherwise) } else { (otherwise, then) };
                let value = self.eval(chosen)?;
                match value {
                    // It takes the type of the branch that was not chosen.
                    Value::Integer(_) | Value::Enum { .. } => {
                        let ty = self.type_of(other)?;
                        Ok(value.implicit(&ty))
                    }
                    value => Ok(value),
                }
            }
            ExprKind::Cast { ty, operand } => {
                let ty = self.resolve(ty)?;
                let value = self.eval(operand)?;
                value.cast(&ty).ok_or(Stop::unexpected(span, "a cast"))
            }
            ExprKind::Call { callee, type_args, args } => self.call(callee, type_args, args, span),
            ExprKind::Construct { .. } => Err(Stop::unexpected(span, "an instance")),
        }
    }

    pub(super) fn condition(&mut self, expr: &ast::Expr) -> Run<bool> {
        match self.eval(expr)? {
            Value::Bool(value) => Ok(value),
            _ => Err(Stop::unexpected(expr.span, "a condition")),
        }
    }

    /// The type of an expression that is not to be evaluated now: nothing in it has an effect, and no
    /// `lookahead` in it fails.
    fn type_of(&mut self, expr: &ast::Expr) -> Run<Type> {
        let former = std::mem::replace(&mut self.dry, true);
        let value = self.eval(expr);
        self.dry = former;
        value?.type_of().ok_or(Stop::unexpected(expr.span, "an operand without a type"))
    }

    pub(super) fn error_code(&self, name: &str, span: crate::source::Span) -> Run<usize> {
        let found = self.errors.iter().position(|error| *error == name);
        found.ok_or(Stop::unexpected(span, "an error that is not declared"))
    }

    fn enum_member(&self, ty: &ast::Path, member: &ast::Ident) -> Run<Value> {
        if let Some(Entity::Type(Type::Enum(def))) = self.names.lookup(ty) {
            if let Some((_, number)) = def.members.iter().find(|(name, _)| *name == member.name) {
                return Ok(Value::Enum { ty: def.clone(), number: number.clone() });
            }
        }
        Err(Stop::unexpected(member.span, "a member that is not declared"))
    }

    fn member(&mut self, expr: &ast::Expr, base: &ast::Expr, member: &ast::Ident) -> Run<Value> {
        // Without copying the whole struct.
        if let Some(value) = self.stored(expr) {
            return Ok(value.clone());
        }
        let base = self.eval(base)?;
        match (&base, member.name.as_str()) {
            (Value::Applied { hit, .. }, "hit") => Ok(Value::Bool(*hit)),
            (Value::Applied { hit, .. }, "miss") => Ok(Value::Bool(!hit)),
            (Value::Applied { .. }, "action_run") => Ok(base),
            (base, name) => {
                base.field(name).cloned().ok_or(Stop::unexpected(expr.span, "a member that is not there"))
            }
        }
    }

    /// The variable, constant, or field of one that an expression names.
    pub(super) fn stored(&self, expr: &ast::Expr) -> Option<&Value> {
        match &expr.kind {
            ExprKind::Name(path) => match self.names.lookup(path)? {
                Entity::Variable(index) => Some(self.names.value(*index)),
                Entity::Const(value) => Some(value),
                _ => None,
            },
            ExprKind::Member { base, member } => self.stored(base)?.field(&member.name),
            _ => None,
        }
    }

    pub(super) fn stored_mut(&mut self, expr: &ast::Expr) -> Option<&mut Value> {
        match &expr.kind {
            ExprKind::Name(path) => match self.names.lookup(path)? {
                Entity::Variable(index) => {
                    let index = *index;
                    Some(self.names.value_mut(index))
                }
                _ => None,
            },
            ExprKind::Member { base, member } => self.stored_mut(base)?.field_mut(&member.name),
            _ => None,
        }
    }

    /// `target = value;`
    pub(super) fn assign(&mut self, target: &ast::Expr, value: Value) -> Run<()> {
        if let ExprKind::Slice { base, high, low } = &target.kind {
            let (high, low) = self.bounds(high, low)?;
            let part = value.number().ok_or(Stop::unexpected(target.span, "a value for a slice"))?;
            let whole = self.eval(base)?;
            let whole = operators::with_slice(&whole, high, low, &part);
            return self.assign(base, whole.ok_or(Stop::unexpected(target.span, "a slice"))?);
        }
        let place = self.stored_mut(target).ok_or(Stop::unexpected(target.span, "nothing to assign to"))?;
        let value = match place.type_of() {
            Some(ty) => value.implicit(&ty),
            None => value,
        };
        *place = value;
        Ok(())
    }

    /// The bounds of a slice: constants.
    fn bounds(&mut self, high: &ast::Expr, low: &ast::Expr) -> Run<(u32, u32)> {
        Ok((self.small_number(high)?, self.small_number(low)?))
    }

    /// A constant such as a width.
    pub(super) fn small_number(&mut self, expr: &ast::Expr) -> Run<u32> {
        let value = self.eval(expr)?;
        let number = value.number().and_then(|number| u32::try_from(number).ok());
        number.ok_or(Stop::unexpected(expr.span, "a number that is too large"))
    }

    /// The type that a type expression means.
    pub(super) fn resolve(&mut self, ty: &ast::TypeRef) -> Run<Type> {
        Ok(match &ty.kind {
            TypeKind::Bool => Type::Bool,
            TypeKind::Bit(None) => Type::Bits(1),
            TypeKind::Bit(Some(width)) => Type::Bits(self.small_number(width)?),
            TypeKind::Integer => Type::Integer,
            TypeKind::Error => Type::Error,
            TypeKind::String => Type::Text,
            TypeKind::Named(path) => match self.names.lookup(path) {
                Some(Entity::Type(ty)) => ty.clone(),
                _ => return Err(Stop::unexpected(path.span, "a type that is not declared")),
            },
            TypeKind::Void | TypeKind::Specialized { .. } | TypeKind::DontCare => {
                return Err(Stop::unexpected(ty.span, "no type of a value"))
            }
        })
    }
}

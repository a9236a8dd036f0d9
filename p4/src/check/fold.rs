//! Operations on scalars: the expression, or its value if the operands are constants.

use super::types::Ty;
use super::value::{wrap, Value, ValueKind};
use crate::ir::{Expr, ExprKind, Op, Type};
use crate::source::Span;
use num_bigint::{BigInt, BigUint};

fn ones(width: u32) -> BigUint {
    (BigUint::from(1u8) << width) - 1u8
}

/// An expression with its constant operands computed.
pub fn fold(kind: ExprKind, ty: Type, span: Span) -> Expr {
    let width = ty.width();
    let value = match &kind {
        ExprKind::Not(inner) => inner.as_const().map(|v| BigUint::from(u8::from(*v == BigUint::ZERO))),
        ExprKind::Complement(inner) => inner.as_const().map(|v| v ^ ones(width)),
        ExprKind::Negate(inner) => inner.as_const().map(|v| wrap(&-BigInt::from(v.clone()), width)),
        ExprKind::Slice { base, low } => base.as_const().map(|v| (v >> *low) & ones(width)),
        ExprKind::Resize(inner) => inner.as_const().map(|v| v & ones(width)),
        ExprKind::Concat(left, right) => match (left.as_const(), right.as_const()) {
            (Some(l), Some(r)) => Some((l << right.ty.width()) | r),
            _ => None,
        },
        ExprKind::Mux { condition, then, otherwise } => match condition.as_const() {
            Some(c) if *c == BigUint::ZERO => return Expr { span, ..(**otherwise).clone() },
            Some(_) => return Expr { span, ..(**then).clone() },
            None => None,
        },
        ExprKind::Binary { op, left, right } => match (left.as_const(), right.as_const()) {
            (Some(l), Some(r)) => Some(binary(*op, l, r, width)),
            _ => None,
        },
        _ => None,
    };
    match value {
        Some(value) => Expr { kind: ExprKind::Const(value), ty, span },
        None => Expr { kind, ty, span },
    }
}

/// `width` is that of the result.
fn binary(op: Op, l: &BigUint, r: &BigUint, width: u32) -> BigUint {
    let truth = |yes: bool| BigUint::from(u8::from(yes));
    let zero = BigUint::ZERO;
    match op {
        Op::Add => (l + r) & ones(width),
        Op::Sub => wrap(&(BigInt::from(l.clone()) - BigInt::from(r.clone())), width),
        Op::AddSat => (l + r).min(ones(width)),
        Op::SubSat => {
            if l > r {
                l - r
            } else {
                zero
            }
        }
        Op::Shl => match u32::try_from(r) {
            Ok(amount) if amount < width => (l << amount) & ones(width),
            _ => zero,
        },
        Op::Shr => match u32::try_from(r) {
            Ok(amount) if amount < width => l >> amount,
            _ => zero,
        },
        Op::BitAnd => l & r,
        Op::BitOr => l | r,
        Op::BitXor => l ^ r,
        Op::Eq => truth(l == r),
        Op::Ne => truth(l != r),
        Op::Lt => truth(l < r),
        Op::Le => truth(l <= r),
        Op::Gt => truth(l > r),
        Op::Ge => truth(l >= r),
        Op::And => truth(*l != zero && *r != zero),
        Op::Or => truth(*l != zero || *r != zero),
    }
}

/// A scalar as one of another width or type.
pub fn resize(expr: Expr, ty: &Ty, span: Span) -> Value {
    let Some(scalar) = ty.scalar() else { return Value::unknown(span) };
    let expr = if expr.ty == scalar {
        Expr { span, ..expr }
    } else {
        fold(ExprKind::Resize(Box::new(expr)), scalar, span)
    };
    Value { ty: ty.clone(), kind: ValueKind::Scalar(expr), span }
}

//! Operators (specification, sections 8.5 to 8.9). `None` stands for operands that the checker refuses.

use super::value::{low_bits, Value};
use crate::ast::{BinaryOp, UnaryOp};
use num_bigint::{BigInt, BigUint};

pub(super) fn unary(op: UnaryOp, operand: Value) -> Option<Value> {
    Some(match (op, operand) {
        (UnaryOp::Not, Value::Bool(value)) => Value::Bool(!value),
        (UnaryOp::Complement, Value::Bits { width, number }) => {
            let all = (BigUint::from(1u8) << width) - 1u8;
            Value::Bits { width, number: all ^ number }
        }
        (UnaryOp::Negate, Value::Bits { width, number }) => Value::bits(width, -BigInt::from(number)),
        (UnaryOp::Negate, Value::Integer(value)) => Value::Integer(-value),
        (UnaryOp::Plus, operand @ (Value::Bits { .. } | Value::Integer(_))) => operand,
        _ => return None,
    })
}

/// Both operands are evaluated; `&&` and `||` are not among these.
pub(super) fn binary(op: BinaryOp, left: Value, right: Value) -> Option<Value> {
    match op {
        BinaryOp::Eq => return Some(Value::Bool(equal(left, right)?)),
        BinaryOp::Ne => return Some(Value::Bool(!equal(left, right)?)),
        _ => {}
    }
    let (left, right) = (plain(left), plain(right));
    match op {
        BinaryOp::Shl | BinaryOp::Shr => shift(op, left, right),
        BinaryOp::Concat => concat(left, right),
        _ => match (left, right) {
            (Value::Integer(left), Value::Integer(right)) => integers(op, left, right),
            (Value::Bits { width, number }, Value::Integer(right)) => {
                sized(op, width, number, low_bits(&right, width))
            }
            (Value::Integer(left), Value::Bits { width, number }) => {
                sized(op, width, low_bits(&left, width), number)
            }
            (Value::Bits { width, number }, Value::Bits { width: other, number: right })
                if width == other =>
            {
                sized(op, width, number, right)
            }
            _ => None,
        },
    }
}

/// A serializable enum as the number that it is.
fn plain(value: Value) -> Value {
    match value {
        Value::Enum { ty, number } => match ty.width {
            Some(width) => Value::Bits { width, number },
            None => Value::Enum { ty, number },
        },
        other => other,
    }
}

/// Of numbers, `bool`, enums and errors.
fn equal(left: Value, right: Value) -> Option<bool> {
    if let (Value::Integer(left), Value::Integer(right)) = (&left, &right) {
        return Some(left == right);
    }
    let (left_ty, right_ty) = (left.type_of()?, right.type_of()?);
    Some(left.implicit(&right_ty).number()? == right.implicit(&left_ty).number()?)
}

/// An amount of the width or more shifts everything out.
fn shift(op: BinaryOp, left: Value, amount: Value) -> Option<Value> {
    let amount = u64::try_from(amount.number()?).unwrap_or(u64::MAX);
    let left_shift = op == BinaryOp::Shl;
    Some(match left {
        Value::Bits { width, .. } if amount >= u64::from(width) => Value::bits(width, 0),
        Value::Bits { width, number } if left_shift => Value::bits(width, number << amount),
        Value::Bits { width, number } => Value::Bits { width, number: number >> amount },
        // The checker has bounded the amount.
        Value::Integer(value) if left_shift => Value::Integer(value << amount),
        Value::Integer(value) => Value::Integer(value >> amount),
        _ => return None,
    })
}

fn concat(left: Value, right: Value) -> Option<Value> {
    match (left, right) {
        (Value::Bits { width: high, number: left }, Value::Bits { width: low, number: right }) => {
            Some(Value::Bits { width: high + low, number: (left << low) | right })
        }
        _ => None,
    }
}

/// Modulo 2^width.
fn sized(op: BinaryOp, width: u32, left: BigUint, right: BigUint) -> Option<Value> {
    let max = (BigUint::from(1u8) << width) - 1u8;
    let bits = |number: BigUint| Value::bits(width, number);
    Some(match op {
        BinaryOp::Add => bits(left + right),
        BinaryOp::Sub => Value::bits(width, BigInt::from(left) - BigInt::from(right)),
        BinaryOp::AddSat => bits((left + right).min(max)),
        BinaryOp::SubSat => bits(if left > right { left - right } else { BigUint::ZERO }),
        BinaryOp::Mul => bits(left * right),
        BinaryOp::Div if right != BigUint::ZERO => bits(left / right),
        BinaryOp::Mod if right != BigUint::ZERO => bits(left % right),
        BinaryOp::BitAnd => bits(left & right),
        BinaryOp::BitOr => bits(left | right),
        BinaryOp::BitXor => bits(left ^ right),
        BinaryOp::Lt => Value::Bool(left < right),
        BinaryOp::Le => Value::Bool(left <= right),
        BinaryOp::Gt => Value::Bool(left > right),
        BinaryOp::Ge => Value::Bool(left >= right),
        _ => return None,
    })
}

/// Constants of any size; division is of numbers that are not negative.
fn integers(op: BinaryOp, left: BigInt, right: BigInt) -> Option<Value> {
    Some(Value::Integer(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div if right != BigInt::ZERO => left / right,
        BinaryOp::Mod if right != BigInt::ZERO => left % right,
        BinaryOp::BitAnd => left & right,
        BinaryOp::BitOr => left | right,
        BinaryOp::BitXor => left ^ right,
        BinaryOp::Lt => return Some(Value::Bool(left < right)),
        BinaryOp::Le => return Some(Value::Bool(left <= right)),
        BinaryOp::Gt => return Some(Value::Bool(left > right)),
        BinaryOp::Ge => return Some(Value::Bool(left >= right)),
        _ => return None,
    }))
}

/// `value[high:low]`
pub(super) fn slice(value: &Value, high: u32, low: u32) -> Option<Value> {
    match value {
        Value::Bits { width, number } if low <= high && high < *width => {
            Some(Value::bits(high - low + 1, number >> low))
        }
        _ => None,
    }
}

/// The value with its bits `high` to `low` replaced.
pub(super) fn with_slice(value: &Value, high: u32, low: u32, part: &BigUint) -> Option<Value> {
    match value {
        Value::Bits { width, number } if low <= high && high < *width => {
            let mask = ((BigUint::from(1u8) << (high - low + 1)) - 1u8) << low;
            let kept = number - (number & &mask);
            Some(Value::Bits { width: *width, number: kept | (part << low) })
        }
        _ => None,
    }
}

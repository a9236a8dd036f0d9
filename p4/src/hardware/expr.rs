//! Expressions of the IR as cells.

use super::netlist::{Net, Netlist};
use crate::ir::{Expr, ExprKind, HeaderId, Keyset, Op, TableId, VarId};
use crate::source::Span;

/// What the variables of an expression are at the place where it is evaluated.
pub trait Values {
    fn netlist(&mut self) -> &mut Netlist;
    fn var(&mut self, var: VarId) -> Net;
    fn header_offset(&mut self, header: HeaderId) -> Net;
    fn table_hit(&mut self, table: TableId) -> Net;
    /// Bits of the packet from `offset` bits behind the present position on.
    /// It is part of a look at `window` bits, and has `width` of them.
    fn ahead(&mut self, offset: u32, window: u32, width: u32, span: Span) -> Net;
    /// Whether the packet has not got so many bits behind the present position.
    fn is_short(&mut self, window: u32) -> Net;
}

/// The cells of an expression.
pub fn net<V: Values>(values: &mut V, expr: &Expr) -> Net {
    let result = cells(values, expr);
    values.netlist().mark(result, expr.span);
    result
}

fn cells<V: Values>(values: &mut V, expr: &Expr) -> Net {
    let width = expr.ty.width();
    match &expr.kind {
        ExprKind::Const(value) => values.netlist().constant(value.clone(), width),
        ExprKind::Var(var) => values.var(*var),
        ExprKind::Lookahead { offset, window } => values.ahead(*offset, *window, width, expr.span),
        ExprKind::HeaderOffset(header) => values.header_offset(*header),
        ExprKind::TableHit(table) => values.table_hit(*table),
        ExprKind::Not(inner) | ExprKind::Complement(inner) => {
            let inner = net(values, inner);
            values.netlist().not(inner)
        }
        ExprKind::Negate(inner) => {
            let inner = net(values, inner);
            let zero = values.netlist().constant(0u8, width);
            values.netlist().sub(zero, inner)
        }
        ExprKind::Binary { op: op @ (Op::Shl | Op::Shr), left, right } => {
            let value = net(values, left);
            let amount = net(values, right);
            shift(values.netlist(), *op == Op::Shl, value, amount)
        }
        ExprKind::Binary { op, left, right } => {
            let (left, right) = (net(values, left), net(values, right));
            binary(values.netlist(), *op, left, right)
        }
        ExprKind::Slice { base, low } => {
            let base = net(values, base);
            values.netlist().slice(base, *low, width)
        }
        ExprKind::Concat(left, right) => {
            let (left, right) = (net(values, left), net(values, right));
            values.netlist().concat(left, right)
        }
        ExprKind::Resize(inner) => {
            let inner = net(values, inner);
            values.netlist().resize(inner, width)
        }
        ExprKind::Mux { condition, then, otherwise } => {
            let condition = net(values, condition);
            let (then, otherwise) = (net(values, then), net(values, otherwise));
            values.netlist().mux(condition, then, otherwise)
        }
    }
}

/// Whether a look ahead in the expression finds the packet too short: one that is evaluated, as `&&`, `||` and `?:` say.
pub fn cut_short<V: Values>(values: &mut V, expr: &Expr) -> Net {
    match &expr.kind {
        ExprKind::Const(_) | ExprKind::Var(_) | ExprKind::HeaderOffset(_) | ExprKind::TableHit(_) => {
            values.netlist().bit(false)
        }
        ExprKind::Lookahead { window, .. } => values.is_short(*window),
        ExprKind::Not(inner)
        | ExprKind::Complement(inner)
        | ExprKind::Negate(inner)
        | ExprKind::Slice { base: inner, .. }
        | ExprKind::Resize(inner) => cut_short(values, inner),
        ExprKind::Concat(left, right) => {
            let (left, right) = (cut_short(values, left), cut_short(values, right));
            values.netlist().or(left, right)
        }
        ExprKind::Binary { op, left, right } => {
            let first = cut_short(values, left);
            let mut second = cut_short(values, right);
            if matches!(op, Op::And | Op::Or) && !is_never(values.netlist(), second) {
                let mut goes_on = net(values, left);
                if *op == Op::Or {
                    goes_on = values.netlist().not(goes_on);
                }
                second = values.netlist().and(goes_on, second);
            }
            values.netlist().or(first, second)
        }
        ExprKind::Mux { condition, then, otherwise } => {
            let first = cut_short(values, condition);
            let (then, otherwise) = (cut_short(values, then), cut_short(values, otherwise));
            if is_never(values.netlist(), then) && is_never(values.netlist(), otherwise) {
                return first;
            }
            let condition = net(values, condition);
            let second = values.netlist().mux(condition, then, otherwise);
            values.netlist().or(first, second)
        }
    }
}

fn is_never(list: &Netlist, condition: Net) -> bool {
    list.value(condition).is_some_and(|value| !value.bit(0))
}

fn binary(list: &mut Netlist, op: Op, left: Net, right: Net) -> Net {
    let width = list.width(left);
    match op {
        Op::Add => list.add(left, right),
        Op::Sub => list.sub(left, right),
        Op::AddSat => {
            let (l, r) = (list.resize(left, width + 1), list.resize(right, width + 1));
            let sum = list.add(l, r);
            let over = list.slice(sum, width, 1);
            let (zero, low) = (list.constant(0u8, width), list.slice(sum, 0, width));
            let most = list.not(zero);
            list.mux(over, most, low)
        }
        Op::SubSat => {
            let below = list.lt(left, right);
            let (zero, rest) = (list.constant(0u8, width), list.sub(left, right));
            list.mux(below, zero, rest)
        }
        Op::BitAnd | Op::And => list.and(left, right),
        Op::BitOr | Op::Or => list.or(left, right),
        Op::BitXor => list.xor(left, right),
        Op::Eq => list.eq(left, right),
        Op::Ne => {
            let equal = list.eq(left, right);
            list.not(equal)
        }
        Op::Lt => list.lt(left, right),
        Op::Gt => list.lt(right, left),
        Op::Le => {
            let more = list.lt(right, left);
            list.not(more)
        }
        Op::Ge => {
            let less = list.lt(left, right);
            list.not(less)
        }
        Op::Shl | Op::Shr => left,
    }
}

/// By a constant it is wires; else one multiplexer for each bit of the amount.
fn shift(list: &mut Netlist, left: bool, value: Net, amount: Net) -> Net {
    let width = list.width(value);
    let by = |list: &mut Netlist, value: Net, places: u32| {
        if places == 0 {
            return value;
        }
        if places >= width {
            return list.constant(0u8, width);
        }
        let zeros = list.constant(0u8, places);
        if left {
            let kept = list.slice(value, 0, width - places);
            list.concat(kept, zeros)
        } else {
            let kept = list.slice(value, places, width - places);
            list.concat(zeros, kept)
        }
    };
    if let Some(known) = list.value(amount) {
        let places = u32::try_from(known).unwrap_or(u32::MAX);
        return by(list, value, places);
    }
    let mut result = value;
    for place in 0..list.width(amount) {
        let bit = list.slice(amount, place, 1);
        let moved = by(list, result, 1u32.checked_shl(place).unwrap_or(u32::MAX));
        result = list.mux(bit, moved, result);
    }
    result
}

/// Whether a key is in a keyset.
pub fn holds(list: &mut Netlist, keyset: &Keyset, key: Net) -> Net {
    let width = list.width(key);
    match keyset {
        Keyset::Any => list.bit(true),
        Keyset::Value(value) => {
            let value = list.constant(value.clone(), width);
            list.eq(key, value)
        }
        Keyset::Mask { value, mask } => masked(list, key, value, mask),
        Keyset::Range { low, high } => {
            let (low, high) = (list.constant(low.clone(), width), list.constant(high.clone(), width));
            let (below, above) = (list.lt(key, low), list.lt(high, key));
            let outside = list.or(below, above);
            list.not(outside)
        }
    }
}

/// Compares the bits of `mask`, run by run, so that the others cost nothing.
fn masked(list: &mut Netlist, key: Net, value: &num_bigint::BigUint, mask: &num_bigint::BigUint) -> Net {
    let width = list.width(key);
    let mut result = list.bit(true);
    let mut low = 0;
    while low < width {
        let set = mask.bit(u64::from(low));
        let run = (low..width).take_while(|&bit| mask.bit(u64::from(bit)) == set).count() as u32;
        if set {
            let part = list.slice(key, low, run);
            let wanted = list.constant(value >> low, run);
            let equal = list.eq(part, wanted);
            result = list.and(result, equal);
        }
        low += run;
    }
    result
}

/// Whether every key is in its keyset.
pub fn all_hold(list: &mut Netlist, keysets: &[Keyset], keys: &[Net]) -> Net {
    let mut result = list.bit(true);
    for (keyset, key) in keysets.iter().zip(keys) {
        let one = holds(list, keyset, *key);
        result = list.and(result, one);
    }
    result
}

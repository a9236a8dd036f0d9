//! Keysets, of `select` cases and of const entries.

use super::types::Ty;
use super::value::Value;
use super::Checker;
use crate::ast::{self, KeysetKind};
use crate::diag::{Code, Diagnostic};
use crate::ir::Keyset;
use crate::source::Span;
use num_bigint::BigUint;

impl Checker<'_> {
    /// One keyset for each key. `None` after an error.
    pub(super) fn keysets(&mut self, keyset: &ast::Keyset, keys: &[Ty]) -> Option<Vec<Keyset>> {
        match &keyset.kind {
            // One that holds everything fits any number of keys.
            KeysetKind::Default | KeysetKind::DontCare => Some(vec![Keyset::Any; keys.len()]),
            KeysetKind::Tuple(elements) => {
                if elements.len() != keys.len() {
                    return self.wrong_shape(keyset.span, elements.len(), keys.len());
                }
                let sets: Vec<_> =
                    elements.iter().zip(keys).map(|(element, ty)| self.keyset(element, ty)).collect();
                sets.into_iter().collect()
            }
            _ => match keys {
                [ty] => Some(vec![self.keyset(keyset, ty)?]),
                _ => self.wrong_shape(keyset.span, 1, keys.len()),
            },
        }
    }

    fn wrong_shape<T>(&mut self, span: Span, found: usize, expected: usize) -> Option<T> {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let message = format!("{} for {}", count(found, "value"), count(expected, "key"));
        self.error(Code::KeysetShape, span, message, format!("expected {}", count(expected, "value")));
        None
    }

    fn keyset(&mut self, keyset: &ast::Keyset, ty: &Ty) -> Option<Keyset> {
        Some(match &keyset.kind {
            KeysetKind::Default | KeysetKind::DontCare => Keyset::Any,
            KeysetKind::Value(value) => Keyset::Value(self.key_constant(value, ty)?),
            KeysetKind::Mask(value, mask) => {
                self.needs_number(ty, keyset.span, "&&&")?;
                let (value_span, mask_number) = (value.span, self.key_constant(mask, ty));
                let (value, mask) = (self.key_constant(value, ty)?, mask_number?);
                if &value & &mask != value {
                    self.diags.push(
                        Diagnostic::warning(
                            Code::MaskedBits,
                            "the mask ignores bits that are set in the value",
                        )
                        .at(value_span, format!("only {:#x} of {value:#x} is compared", &value & &mask)),
                    );
                }
                Keyset::Mask { value: value & &mask, mask }
            }
            KeysetKind::Range(low, high) => {
                self.needs_number(ty, keyset.span, "..")?;
                let (low_value, high_value) = (self.key_constant(low, ty), self.key_constant(high, ty));
                let (low, high) = (low_value?, high_value?);
                if low > high {
                    let message = format!("the range {low} .. {high} is empty");
                    self.error(Code::OutOfRange, keyset.span, message, "the lower end comes first");
                    return None;
                }
                Keyset::Range { low, high }
            }
            KeysetKind::Tuple(elements) => return self.wrong_shape(keyset.span, elements.len(), 1),
        })
    }

    fn needs_number(&mut self, ty: &Ty, span: Span, op: &str) -> Option<()> {
        if matches!(ty, Ty::Bits(_) | Ty::Unknown) || matches!(ty, Ty::Enum(def) if def.underlying.is_some())
        {
            return Some(());
        }
        self.error(Code::BadOperand, span, format!("`{op}` does not take `{ty}`"), "the key is not a number");
        None
    }

    /// A constant that a key of this type is compared with.
    fn key_constant(&mut self, expr: &ast::Expr, ty: &Ty) -> Option<BigUint> {
        let value = self.expr(expr);
        let span = value.span;
        // A serializable enum is compared with numbers of its underlying type, too.
        let as_number = match (ty, &value.ty) {
            (Ty::Enum(def), Ty::Bits(_) | Ty::Integer) => def.underlying.map(Ty::Bits),
            _ => None,
        };
        let expr = self.convert(value, as_number.as_ref().unwrap_or(ty))?;
        let number = expr.as_const().cloned();
        if number.is_none() {
            self.not_constant(span, "what a key is compared with");
        }
        number
    }

    /// The type of a key, if values can be compared with it.
    pub(super) fn key(&mut self, value: Value) -> Option<(crate::ir::Expr, Ty)> {
        if value.is_unknown() {
            return None;
        }
        if matches!(value.ty, Ty::Integer) || value.ty.scalar().is_none() {
            let message = format!("`{}` cannot be a key", value.ty);
            self.error(
                Code::BadOperand,
                value.span,
                message,
                "a key is `bit<N>`, `bool`, an enum or an error",
            );
            return None;
        }
        // What it is made of is what it is compared with.
        let ty = match &value.ty {
            Ty::Distinct(def) => def.inner.clone(),
            ty => ty.clone(),
        };
        let own = value.ty.clone();
        Some((self.convert(value, &own)?, ty))
    }
}

/// Whether the first list of keysets leaves nothing for the second.
pub fn covers(first: &[Keyset], second: &[Keyset]) -> bool {
    first.iter().zip(second).all(|(a, b)| match (a, b) {
        (Keyset::Any, _) => true,
        (a, Keyset::Value(value)) => match a {
            Keyset::Any => true,
            Keyset::Value(other) => other == value,
            Keyset::Mask { value: other, mask } => &(value & mask) == other,
            Keyset::Range { low, high } => low <= value && value <= high,
        },
        (a, b) => a == b,
    })
}

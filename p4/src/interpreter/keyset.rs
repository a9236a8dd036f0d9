//! Keysets (specification, section 8.15): what a key is compared with, as numbers.

use super::machine::{Machine, Run, Stop};
use crate::ast::{self, KeysetKind};
use num_bigint::BigUint;

/// Values of one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Match {
    Any,
    Value(BigUint),
    Mask {
        value: BigUint,
        mask: BigUint,
    },
    /// Both ends included.
    Range {
        low: BigUint,
        high: BigUint,
    },
}

impl Match {
    pub fn holds(&self, key: &BigUint) -> bool {
        match self {
            Match::Any => true,
            Match::Value(value) => key == value,
            Match::Mask { value, mask } => key & mask == value & mask,
            Match::Range { low, high } => low <= key && key <= high,
        }
    }
}

pub(super) fn all_hold(matches: &[Match], keys: &[BigUint]) -> bool {
    matches.iter().zip(keys).all(|(one, key)| one.holds(key))
}

impl Machine<'_, '_> {
    /// One for each of `count` keys.
    pub(super) fn keyset(&mut self, keyset: &ast::Keyset, count: usize) -> Run<Vec<Match>> {
        match &keyset.kind {
            KeysetKind::Default | KeysetKind::DontCare => Ok(vec![Match::Any; count]),
            KeysetKind::Tuple(elements) if elements.len() == count => {
                elements.iter().map(|element| self.single(element)).collect()
            }
            _ if count == 1 => Ok(vec![self.single(keyset)?]),
            _ => Err(Stop::unexpected(keyset.span, "not one value for each key")),
        }
    }

    fn single(&mut self, keyset: &ast::Keyset) -> Run<Match> {
        Ok(match &keyset.kind {
            KeysetKind::Default | KeysetKind::DontCare => Match::Any,
            KeysetKind::Value(value) => Match::Value(self.key_number(value)?),
            KeysetKind::Mask(value, mask) => {
                Match::Mask { value: self.key_number(value)?, mask: self.key_number(mask)? }
            }
            KeysetKind::Range(low, high) => {
                Match::Range { low: self.key_number(low)?, high: self.key_number(high)? }
            }
            KeysetKind::Tuple(_) => return Err(Stop::unexpected(keyset.span, "a tuple in a tuple")),
        })
    }

    /// A key, or what one is compared with, as a number: they have one type.
    pub(super) fn key_number(&mut self, expr: &ast::Expr) -> Run<BigUint> {
        self.eval(expr)?.number().ok_or(Stop::unexpected(expr.span, "no number for a key"))
    }
}

//! The conditions of `#if` and `#elif`: C's integer expressions, in 64 bits.

use super::expand::Expander;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceMap, Span};
use crate::token::{Tok, Token};

const MAX_DEPTH: usize = 64;

/// Whether a condition holds. One that cannot be evaluated is reported, and does not hold.
pub fn evaluate(
    tokens: &[Token],
    directive: Span,
    expander: &mut Expander,
    sources: &mut SourceMap,
    diags: &mut Diagnostics,
) -> bool {
    // `defined` looks at names before they are expanded.
    let one_or_zero = |yes: bool| Tok::Int { value: i64::from(yes).into(), width: None, signed: false };
    let mut resolved = vec![];
    let mut at = 0;
    while at < tokens.len() {
        let is_name = |n: usize| tokens.get(n).and_then(|t| t.tok.word());
        let is_punct = |n: usize, punct| tokens.get(n).is_some_and(|t: &Token| t.tok.is(punct));
        let taken = match tokens[at].tok.word() {
            Some("defined") => match (is_name(at + 1), is_punct(at + 1, "(")) {
                (Some(name), _) => Some((name, 2)),
                (None, true) if is_punct(at + 3, ")") => is_name(at + 2).map(|name| (name, 4)),
                _ => None,
            },
            _ => None,
        };
        match taken {
            Some((name, length)) => {
                resolved.push(Token { tok: one_or_zero(expander.is_defined(name)), span: tokens[at].span });
                at += length;
            }
            None => {
                resolved.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    let mut expanded = vec![];
    expander.expand(resolved, &mut expanded, sources, diags);
    let mut evaluator = Evaluator { tokens: &expanded, at: 0, end: directive, depth: 0 };
    let value = evaluator.ternary(true).and_then(|value| match evaluator.peek() {
        None => Ok(value),
        Some(token) => Err((token.span, "expected an operator".into())),
    });
    match value {
        Ok(value) => value != 0,
        Err((span, reason)) => {
            diags.push(
                Diagnostic::error(Code::BadCondition, "the condition cannot be evaluated")
                    .at(span, reason)
                    .note("a condition is made of integers, `defined(NAME)`, macros and C's operators"),
            );
            false
        }
    }
}

type Value = Result<i64, (Span, String)>;

struct Evaluator<'a> {
    tokens: &'a [Token],
    at: usize,
    end: Span,
    depth: usize,
}

/// Loosest first.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<", ">", "<=", ">="],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Evaluator<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn eat(&mut self, punct: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.tok.is(punct));
        self.at += usize::from(found);
        found
    }

    fn ternary(&mut self, live: bool) -> Value {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let span = self.peek().map_or(self.end, |token| token.span);
            return Err((span, "nested too deeply".into()));
        }
        let condition = self.binary(0, live)?;
        let value = if self.eat("?") {
            let then = self.ternary(live && condition != 0)?;
            if !self.eat(":") {
                return Err((self.peek().map_or(self.end, |token| token.span), "expected `:`".into()));
            }
            let otherwise = self.ternary(live && condition == 0)?;
            if condition != 0 {
                then
            } else {
                otherwise
            }
        } else {
            condition
        };
        self.depth -= 1;
        Ok(value)
    }

    /// `live` is false where the value does not matter, so that `defined(N) && 1 / N` is no division by zero.
    fn binary(&mut self, level: usize, live: bool) -> Value {
        let Some(operators) = LEVELS.get(level) else { return self.unary(live) };
        let mut left = self.binary(level + 1, live)?;
        while let Some(operator) = operators.iter().find(|operator| self.at_operator(operator)) {
            let span = self.tokens[self.at].span;
            self.at += if *operator == ">>" { 2 } else { 1 };
            let matters = match *operator {
                "||" => left == 0,
                "&&" => left != 0,
                _ => true,
            };
            let right = self.binary(level + 1, live && matters)?;
            let overflow = || (span, "the result does not fit 64 bits".to_string());
            left = match *operator {
                "||" => i64::from(left != 0 || right != 0),
                "&&" => i64::from(left != 0 && right != 0),
                "|" => left | right,
                "^" => left ^ right,
                "&" => left & right,
                "==" => i64::from(left == right),
                "!=" => i64::from(left != right),
                "<" => i64::from(left < right),
                ">" => i64::from(left > right),
                "<=" => i64::from(left <= right),
                ">=" => i64::from(left >= right),
                _ if !(live && matters) => 0,
                "/" | "%" if right == 0 => return Err((span, "division by zero".into())),
                "/" => left.checked_div(right).ok_or_else(overflow)?,
                "%" => left.checked_rem(right).ok_or_else(overflow)?,
                "*" => left.checked_mul(right).ok_or_else(overflow)?,
                "+" => left.checked_add(right).ok_or_else(overflow)?,
                "-" => left.checked_sub(right).ok_or_else(overflow)?,
                "<<" | ">>" => {
                    let amount =
                        u32::try_from(right).ok().filter(|amount| *amount < 63).ok_or_else(overflow)?;
                    if *operator == "<<" {
                        left.checked_mul(1 << amount).ok_or_else(overflow)?
                    } else {
                        left >> amount
                    }
                }
                _ => unreachable!("every operator of LEVELS is above"),
            };
        }
        Ok(left)
    }

    fn at_operator(&self, operator: &str) -> bool {
        let Some(token) = self.peek() else { return false };
        let doubled = token.tok.is(">")
            && self
                .tokens
                .get(self.at + 1)
                .is_some_and(|next| next.tok.is(">") && token.span.touches(next.span));
        match operator {
            ">>" => doubled,
            ">" => token.tok.is(">") && !doubled,
            _ => token.tok.is(operator),
        }
    }

    fn unary(&mut self, live: bool) -> Value {
        let mut operators = vec![];
        while let Some(token) = self.peek() {
            match token.tok {
                Tok::Punct(operator @ ("!" | "-" | "+" | "~")) => operators.push(operator),
                _ => break,
            }
            self.at += 1;
        }
        let mut value = self.primary(live)?;
        for operator in operators.iter().rev() {
            value = match *operator {
                "!" => i64::from(value == 0),
                "-" => value.wrapping_neg(),
                "~" => !value,
                _ => value,
            };
        }
        Ok(value)
    }

    fn primary(&mut self, live: bool) -> Value {
        let Some(token) = self.peek().cloned() else {
            return Err((self.end.after(), "expected a value".into()));
        };
        self.at += 1;
        match &token.tok {
            Tok::Int { value, .. } => {
                i64::try_from(value).map_err(|_| (token.span, "the value does not fit 64 bits".into()))
            }
            // As in C, a name that is no macro is 0.
            Tok::Word(_) => Ok(0),
            Tok::Punct("(") => {
                let value = self.ternary(live)?;
                if self.eat(")") {
                    Ok(value)
                } else {
                    Err((token.span, "this parenthesis does not close".into()))
                }
            }
            _ => Err((token.span, "expected a value".into())),
        }
    }
}

//! Operations that do not read on: assignments, conditions, and the ways in which they fail.

use super::{Env, Generator, Place, Slot};
use crate::hardware::expr;
use crate::hardware::netlist::Net;
use crate::ir::{self, ParserOp};
use std::collections::BTreeSet;

impl Generator<'_> {
    /// Operations that do not read the packet. Returns the condition under which one of them rejects, and the error.
    pub(super) fn branch(&mut self, ops: &[ParserOp], env: &mut Env) -> Option<(Net, Net)> {
        let mut failed: Option<(Net, Net)> = None;
        for op in ops {
            let before = env.clone();
            let one = match op {
                ParserOp::Extract(..) | ParserOp::Advance(_) => None, // never here, as the IR says
                ParserOp::Assign { var, value } => {
                    let failed = self.cut_short(env, value);
                    let value = self.eval(env, value);
                    env.insert(Slot::Var(*var), value);
                    if let Some((fails, _)) = failed {
                        *env = self.merge(fails, &before, env);
                    }
                    failed
                }
                ParserOp::Verify { condition, error } => {
                    let short = self.cut_short(env, condition);
                    let holds = self.eval(env, condition);
                    let fails = self.list.not(holds);
                    let error = self.list.constant(*error, ir::ERROR_BITS);
                    let failed = (!self.is_never(fails)).then_some((fails, error));
                    self.either(short, failed)
                }
                ParserOp::If { condition, then, otherwise } => {
                    let short = self.cut_short(env, condition);
                    let condition = self.eval(env, condition);
                    let mut other = env.clone();
                    let then = self.branch(then, env);
                    let otherwise = self.branch(otherwise, &mut other);
                    *env = self.merge(condition, env, &other);
                    let no = (self.list.bit(false), self.list.constant(0u8, ir::ERROR_BITS));
                    if let Some((fails, _)) = short {
                        *env = self.merge(fails, &before, env);
                    }
                    let failed = match (then, otherwise) {
                        (None, None) => None,
                        (then, otherwise) => {
                            let (then, otherwise) = (then.unwrap_or(no), otherwise.unwrap_or(no));
                            let fails = self.list.mux(condition, then.0, otherwise.0);
                            Some((fails, self.list.mux(condition, then.1, otherwise.1)))
                        }
                    };
                    self.either(short, failed)
                }
            };
            // Behind a failure nothing more happens.
            if let Some((condition, error)) = failed {
                *env = self.merge(condition, &before, env);
                failed = Some(match one {
                    None => (condition, error),
                    Some((fails, later)) => {
                        (self.list.or(condition, fails), self.list.mux(condition, error, later))
                    }
                });
            } else {
                failed = one;
            }
        }
        failed
    }

    pub(super) fn merge(&mut self, condition: Net, then: &Env, otherwise: &Env) -> Env {
        let slots: BTreeSet<Slot> = then.keys().chain(otherwise.keys()).copied().collect();
        let mut merged = Env::new();
        for slot in slots {
            let (a, b) = (self.read(then, slot), self.read(otherwise, slot));
            let value = self.list.mux(condition, a, b);
            merged.insert(slot, value);
        }
        merged
    }

    /// Whether the packet ends before what is looked at in the expression, with the error then; `None` if it cannot.
    pub(super) fn cut_short(&mut self, env: &Env, expr: &ir::Expr) -> Option<(Net, Net)> {
        let fails = expr::cut_short(&mut Place { generator: self, env }, expr);
        (!self.is_never(fails)).then(|| (fails, self.list.constant(self.too_short, ir::ERROR_BITS)))
    }

    /// The first failure that there is, of two in order.
    pub(super) fn either(
        &mut self,
        first: Option<(Net, Net)>,
        second: Option<(Net, Net)>,
    ) -> Option<(Net, Net)> {
        match (first, second) {
            (Some(first), Some(second)) => {
                Some((self.list.or(first.0, second.0), self.list.mux(first.0, first.1, second.1)))
            }
            (first, second) => first.or(second),
        }
    }
}

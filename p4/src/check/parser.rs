//! Parsers: their states and the graph that these make.

use super::keyset::covers;
use super::value::Place;
use super::{Checker, Site, MAX_LIST};
use crate::ast;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, Next, ParserOp, StateId, Target};
use std::collections::HashMap;

impl<'a> Checker<'a> {
    /// Checks a parser. Returns it, if there is a start state, with the places of its parameters.
    pub(super) fn parser(
        &mut self,
        decl: &'a ast::ParserDecl,
        order: u32,
    ) -> (Option<ir::Parser>, Vec<Place>) {
        self.annotations(&decl.head.annotations, &[]);
        self.generic(&decl.head);
        self.site = Site::Parser;
        let former = std::mem::replace(&mut self.scopes[0].limit, order);
        let result = self.scoped(|this| {
            let places = this.params(&decl.head.params, &[]);
            let init = this.collect_ops(|this| {
                for local in &decl.locals {
                    match local {
                        ast::ParserLocal::Const(decl) => this.const_decl(decl),
                        ast::ParserLocal::Var(decl) => this.var_decl(decl),
                    }
                }
            });
            (this.states(decl, init), places)
        });
        self.scopes[0].limit = former;
        result
    }

    fn states(&mut self, decl: &'a ast::ParserDecl, init: Vec<ParserOp>) -> Option<ir::Parser> {
        if self.too_many(decl.states.len(), MAX_LIST, "states", decl.head.name.span) {
            return None;
        }
        let mut ids: HashMap<&str, StateId> = HashMap::new();
        for (index, state) in decl.states.iter().enumerate() {
            self.annotations(&state.annotations, &[]);
            let name = &state.name;
            if matches!(&*name.name, "accept" | "reject") {
                let message = format!("`{}` is a final state, and cannot be declared", name.name);
                self.error(Code::ReservedState, name.span, message, "choose another name");
            }
            if let Some(former) = ids.get(&*name.name) {
                let former = decl.states[former.index()].name.span;
                self.diags.push(
                    Diagnostic::error(Code::Redeclared, format!("state `{}` is declared twice", name.name))
                        .at(name.span, "second declaration")
                        .also(former, "first declaration"),
                );
                continue;
            }
            ids.insert(&name.name, StateId(index as u32));
        }
        let mut states: Vec<ir::State> = vec![];
        for state in &decl.states {
            let mut next = Next::Goto(Target::Reject);
            let ops = self.collect_ops(|this| {
                this.scoped(|this| {
                    for statement in &state.body {
                        this.statement(statement);
                    }
                    if let Some(transition) = &state.transition {
                        next = this.transition(transition, &ids);
                    }
                });
            });
            states.push(ir::State { name: state.name.name.clone(), ops, next, span: state.name.span });
        }
        let Some(start) = ids.get("start").copied() else {
            let message = format!("parser `{}` has no state `start`", decl.head.name.name);
            self.error(Code::NoStart, decl.head.name.span, message, "it begins there");
            return None;
        };
        let states = self.reachable(states, start);
        self.endless(&states);
        Some(ir::Parser { name: decl.head.name.name.clone(), init, states })
    }

    fn state_target(&mut self, name: &ast::Ident, ids: &HashMap<&str, StateId>) -> Target {
        match &*name.name {
            "accept" => Target::Accept,
            "reject" => Target::Reject,
            other => match ids.get(other) {
                Some(id) => Target::State(*id),
                None => {
                    let mut diagnostic =
                        Diagnostic::error(Code::UnknownName, format!("there is no state `{other}`"))
                            .at(name.span, "not found");
                    let names = ids.keys().copied().chain(["accept", "reject"]);
                    if let Some(close) = super::scope::closest(other, names) {
                        diagnostic = diagnostic.help(format!("there is a similar name: `{close}`"));
                    }
                    self.diags.push(diagnostic);
                    Target::Reject
                }
            },
        }
    }

    fn transition(&mut self, transition: &ast::Transition, ids: &HashMap<&str, StateId>) -> Next {
        let (keys, cases) = match &transition.kind {
            ast::TransitionKind::Direct(target) => return Next::Goto(self.state_target(target, ids)),
            ast::TransitionKind::Select { keys, cases } => (keys, cases),
        };
        if keys.is_empty() {
            self.error(
                Code::KeysetShape,
                transition.span,
                "`select` without a key",
                "there is nothing to choose by",
            );
        }
        if self.too_many(cases.len(), MAX_LIST, "cases", transition.span) {
            return Next::Goto(Target::Reject);
        }
        let mut exprs = vec![];
        let mut types = vec![];
        for key in keys {
            let value = self.expr(key);
            match self.key(value) {
                Some((expr, ty)) => {
                    exprs.push(expr);
                    types.push(ty);
                }
                None => types.push(super::types::Ty::Unknown),
            }
        }
        let mut result: Vec<ir::Case> = vec![];
        for case in cases {
            let target = self.state_target(&case.target, ids);
            let Some(keysets) = self.keysets(&case.keyset, &types) else { continue };
            if let Some(former) = result.iter().find(|former| covers(&former.keysets, &keysets)) {
                self.diags.push(
                    Diagnostic::warning(Code::Unreachable, "this case can never be chosen")
                        .at(case.keyset.span, "nothing is left for it")
                        .also(former.span, "this takes it all"),
                );
            }
            result.push(ir::Case { keysets, target, span: case.keyset.span });
        }
        if exprs.len() != types.len() {
            return Next::Goto(Target::Reject);
        }
        Next::Select { keys: exprs, cases: result }
    }

    /// The states that can be reached, `start` first; warns of the others.
    fn reachable(&mut self, states: Vec<ir::State>, start: StateId) -> Vec<ir::State> {
        let mut order = vec![start];
        let mut at = 0;
        while at < order.len() {
            for next in successors(&states[order[at].index()]) {
                if !order.contains(&next) {
                    order.push(next);
                }
            }
            at += 1;
        }
        for (index, state) in states.iter().enumerate() {
            if !order.contains(&StateId(index as u32)) && !self.diags.has_errors() {
                self.diags.push(
                    Diagnostic::warning(
                        Code::Unreachable,
                        format!("state `{}` can never be reached", state.name),
                    )
                    .at(state.span, "no path from `start` leads here"),
                );
            }
        }
        let renumber = |target: &mut Target| {
            if let Target::State(id) = target {
                let place = order.iter().position(|old| old == id).unwrap_or(0);
                *id = StateId(place as u32);
            }
        };
        let mut result: Vec<ir::State> = order.iter().map(|id| states[id.index()].clone()).collect();
        for state in &mut result {
            match &mut state.next {
                Next::Goto(target) => renumber(target),
                Next::Select { cases, .. } => cases.iter_mut().for_each(|case| renumber(&mut case.target)),
            }
        }
        result
    }

    /// Reports a cycle in which no state is sure to read anything: it need not end with the packet.
    fn endless(&mut self, states: &[ir::State]) {
        let reads = |state: &ir::State| {
            state.ops.iter().any(|op| match op {
                ParserOp::Extract(..) => true,
                ParserOp::Advance(bits) => bits.as_const().is_some_and(|bits| bits.bits() > 0),
                _ => false,
            })
        };
        // Take away, again and again, states that read or that lead only to what was taken away.
        let mut left: Vec<bool> = states.iter().map(|state| !reads(state)).collect();
        loop {
            let before = left.iter().filter(|left| **left).count();
            for index in 0..states.len() {
                left[index] &= successors(&states[index]).iter().any(|next| left[next.index()]);
            }
            if left.iter().filter(|left| **left).count() == before {
                break;
            }
        }
        // What is left reaches a cycle; follow it until a state comes again.
        let Some(mut at) = left.iter().position(|left| *left) else { return };
        let mut path = vec![];
        while !path.contains(&at) {
            path.push(at);
            match successors(&states[at]).iter().find(|next| left[next.index()]) {
                Some(next) => at = next.index(),
                None => return,
            }
        }
        let cycle = &path[path.iter().position(|index| *index == at).unwrap_or(0)..];
        let names: Vec<&str> = cycle.iter().chain([&at]).map(|index| states[*index].name.as_str()).collect();
        self.diags.push(
            Diagnostic::error(
                Code::EndlessLoop,
                format!("states follow one another for ever: {}", names.join(", ")),
            )
            .at(states[at].span, "nothing is read between here and here")
            .note("a cycle of states ends with the packet if it extracts, or advances by a constant"),
        );
    }
}

fn successors(state: &ir::State) -> Vec<StateId> {
    let target = |target: &Target| match target {
        Target::State(id) => Some(*id),
        _ => None,
    };
    match &state.next {
        Next::Goto(next) => target(next).into_iter().collect(),
        Next::Select { cases, .. } => cases.iter().filter_map(|case| target(&case.target)).collect(),
    }
}

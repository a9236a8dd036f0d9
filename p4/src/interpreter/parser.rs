//! The parser: its states (specification, chapter 13).

use super::keyset::all_hold;
use super::machine::{Machine, Run, Stop};
use super::names::Scope;
use crate::ast::{self, ParserLocal, TransitionKind};
use num_bigint::BigUint;

/// Where a transition leads.
enum Next<'a> {
    Accept,
    Reject,
    State(&'a ast::State),
}

impl<'a> Machine<'a, '_> {
    /// Runs the parser, whose parameters are declared in `scope`. Returns the parser error; 0 is `NoError`,
    /// also of a program that goes to `reject` by itself.
    pub(super) fn parse(&mut self, parser: &'a ast::ParserDecl) -> Run<usize> {
        match self.states(parser) {
            Ok(()) => Ok(0),
            Err(Stop::Reject(error)) => Ok(error),
            Err(stop) => Err(stop),
        }
    }

    fn states(&mut self, parser: &'a ast::ParserDecl) -> Run<()> {
        for local in &parser.locals {
            match local {
                ParserLocal::Const(decl) => self.const_decl(decl)?,
                ParserLocal::Var(decl) => self.var_decl(decl)?,
            }
        }
        let scope = self.names.scope;
        // A program in which every cycle of states reads something does not get near this: that is at least
        // one bit in as many steps as there are states.
        let mut steps_left = (self.packet.left_bits() + 1) * parser.states.len();
        let mut next = state(parser, "start");
        loop {
            let current = match next {
                Some(Next::State(current)) => current,
                Some(Next::Accept | Next::Reject) => return Ok(()),
                None => return Err(Stop::unexpected(parser.span, "a state that is not there")),
            };
            if steps_left == 0 {
                return Err(Stop::Reject(self.codes.parser_timeout));
            }
            steps_left -= 1;
            let target = self.state(current, scope)?;
            next = target.map_or(Some(Next::Reject), |target| state(parser, &target.name));
        }
    }

    /// Runs one state. Returns where it goes; a state without a transition goes to `reject`.
    fn state(&mut self, state: &'a ast::State, scope: Scope) -> Run<Option<&'a ast::Ident>> {
        self.within(scope, |this| {
            for statement in &state.body {
                this.statement(statement)?;
            }
            match &state.transition {
                None => Ok(None),
                Some(transition) => this.transition(&transition.kind).map(Some),
            }
        })
    }

    fn transition(&mut self, kind: &'a TransitionKind) -> Run<&'a ast::Ident> {
        let (keys, cases) = match kind {
            TransitionKind::Direct(target) => return Ok(target),
            TransitionKind::Select { keys, cases } => (keys, cases),
        };
        let keys: Vec<BigUint> = keys.iter().map(|key| self.key_number(key)).collect::<Run<_>>()?;
        for case in cases {
            let matches = self.keyset(&case.keyset, keys.len())?;
            if all_hold(&matches, &keys) {
                return Ok(&case.target);
            }
        }
        Err(Stop::Reject(self.codes.no_match))
    }
}

fn state<'a>(parser: &'a ast::ParserDecl, name: &str) -> Option<Next<'a>> {
    match name {
        "accept" => Some(Next::Accept),
        "reject" => Some(Next::Reject),
        _ => parser.states.iter().find(|state| state.name.name == name).map(Next::State),
    }
}

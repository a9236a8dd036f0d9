//! Macro expansion.
//!
//! Dave Prosser's algorithm, as in C: every token carries the macros that it came out of and that it does not
//! invoke again, so expansion ends; how much it may produce is bounded.

use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::source::{Expansion, SourceMap, Span};
use crate::token::{Tok, Token};
use std::collections::HashMap;
use std::rc::Rc;

/// Tokens that all expansions of a compilation may produce.
const MAX_EXPANDED: usize = 1 << 18;
/// Tokens of a whole program.
const MAX_TOKENS: usize = 1 << 20;
/// Invocations in arguments of invocations.
const MAX_ARGUMENT_DEPTH: usize = 64;

#[derive(Clone, Debug)]
pub struct Macro {
    /// `None` for a macro without a parameter list.
    pub params: Option<Vec<Rc<str>>>,
    pub body: Vec<Token>,
    /// The name in its definition.
    pub span: Span,
}

/// The macros that a token came out of: a list that shares its tails.
#[derive(Clone, Default)]
struct Hidden(Option<Rc<(Rc<str>, Hidden)>>);

impl Hidden {
    fn contains(&self, name: &str) -> bool {
        let mut at = self;
        while let Some(node) = &at.0 {
            if &*node.0 == name {
                return true;
            }
            at = &node.1;
        }
        false
    }

    fn with(&self, name: &Rc<str>) -> Hidden {
        Hidden(Some(Rc::new((name.clone(), self.clone()))))
    }

    /// Adds to this set what the other one has.
    fn union(&self, other: &Hidden) -> Hidden {
        let mut all = self.clone();
        let mut at = other;
        while let Some(node) = &at.0 {
            if !all.contains(&node.0) {
                all = all.with(&node.0);
            }
            at = &node.1;
        }
        all
    }
}

impl Drop for Hidden {
    /// Unlinks a long list step by step instead of recursively.
    fn drop(&mut self) {
        let mut at = self.0.take();
        while let Some(node) = at {
            match Rc::try_unwrap(node) {
                Ok((_, mut rest)) => at = rest.0.take(),
                Err(_) => break,
            }
        }
    }
}

type Work = (Token, Hidden);

#[derive(Default)]
pub struct Expander {
    macros: HashMap<Rc<str>, Macro>,
    produced: usize,
    exhausted: bool,
}

impl Expander {
    /// Defines a macro. If it is defined as something else already, returns where.
    pub fn define(&mut self, name: Rc<str>, definition: Macro) -> Option<Span> {
        let toks = |m: &Macro| m.body.iter().map(|t| t.tok.clone()).collect::<Vec<_>>();
        match self.macros.get(&name) {
            Some(old) if old.params != definition.params || toks(old) != toks(&definition) => Some(old.span),
            Some(_) => None,
            None => {
                self.macros.insert(name, definition);
                None
            }
        }
    }

    pub fn undefine(&mut self, name: &str) {
        self.macros.remove(name);
    }

    pub fn is_defined(&self, name: &str) -> bool {
        self.macros.contains_key(name)
    }

    /// Appends `tokens` with every macro expanded.
    pub fn expand(
        &mut self,
        tokens: Vec<Token>,
        output: &mut Vec<Token>,
        sources: &mut SourceMap,
        diags: &mut Diagnostics,
    ) {
        let work = tokens.into_iter().map(|token| (token, Hidden::default())).collect();
        let mut expanded = vec![];
        self.run(work, &mut expanded, sources, diags, 0);
        if output.len() + expanded.len() > MAX_TOKENS {
            if let (false, Some((token, _))) = (self.exhausted, expanded.first()) {
                diags.push(
                    Diagnostic::error(
                        Code::TooLarge,
                        format!("the program has more than {MAX_TOKENS} tokens"),
                    )
                    .at(token.span, "in what begins here"),
                );
            }
            self.exhausted = true;
            return;
        }
        output.extend(expanded.into_iter().map(|(token, _)| token));
    }

    fn run(
        &mut self,
        mut work: Vec<Work>,
        output: &mut Vec<Work>,
        sources: &mut SourceMap,
        diags: &mut Diagnostics,
        depth: usize,
    ) {
        work.reverse();
        while let Some((token, hidden)) = work.pop() {
            let found = match &token.tok {
                Tok::Word(name) if !hidden.contains(name) => {
                    self.macros.get(name).cloned().map(|m| (name.clone(), m))
                }
                _ => None,
            };
            let Some((name, definition)) = found else {
                output.push((token, hidden));
                continue;
            };
            let mut args = vec![];
            if let Some(params) = &definition.params {
                if !work.last().is_some_and(|(next, _)| next.tok.is("(")) {
                    output.push((token, hidden)); // A name without arguments is not an invocation.
                    continue;
                }
                if depth >= MAX_ARGUMENT_DEPTH {
                    diags.push(
                        Diagnostic::error(Code::TooDeep, "macro arguments are nested too deeply")
                            .at(token.span, "invoked here"),
                    );
                    return;
                }
                let Some(found) = arguments(&mut work) else {
                    diags.push(
                        Diagnostic::error(
                            Code::MacroMisuse,
                            format!("the arguments of macro `{name}` do not end"),
                        )
                        .at(token.span, "invoked here"),
                    );
                    return;
                };
                args = found;
                // `M()` gives no argument, or one that is empty.
                if params.is_empty() && args.len() == 1 && args[0].is_empty() {
                    args.clear();
                }
                if args.len() != params.len() {
                    diags.push(
                        Diagnostic::error(
                            Code::MacroMisuse,
                            format!("macro `{name}` takes {} arguments, not {}", params.len(), args.len()),
                        )
                        .at(token.span, "invoked here")
                        .also(definition.span, "defined here"),
                    );
                    continue;
                }
                for arg in &mut args {
                    let mut expanded = vec![];
                    self.run(std::mem::take(arg), &mut expanded, sources, diags, depth + 1);
                    *arg = expanded;
                }
            }
            let expansion = Expansion { macro_name: name.to_string(), call_site: token.span };
            let expansion = sources.add_expansion(expansion);
            let inner = hidden.with(&name);
            let mut body: Vec<Work> = vec![];
            for piece in &definition.body {
                let param = match (&piece.tok, &definition.params) {
                    (Tok::Word(word), Some(params)) => params.iter().position(|param| param == word),
                    _ => None,
                };
                match param {
                    Some(index) => {
                        body.extend(
                            args[index].iter().map(|(token, own)| (token.clone(), own.union(&inner))),
                        );
                    }
                    None => {
                        let span = Span { expansion: Some(expansion), ..piece.span };
                        body.push((Token { tok: piece.tok.clone(), span }, inner.clone()));
                    }
                }
                self.produced += 1;
                if self.produced + body.len() > MAX_EXPANDED {
                    if !self.exhausted {
                        diags.push(
                            Diagnostic::error(
                                Code::TooLarge,
                                format!("macros expand to more than {MAX_EXPANDED} tokens"),
                            )
                            .at(sources.call_site(token.span), "when this is expanded"),
                        );
                    }
                    self.exhausted = true;
                    return;
                }
            }
            self.produced += body.len() + 1;
            work.extend(body.into_iter().rev());
        }
    }
}

/// Takes `( ... )` off the work, and splits it at its commas. `None` if it never closes.
fn arguments(work: &mut Vec<Work>) -> Option<Vec<Vec<Work>>> {
    work.pop();
    let mut args = vec![vec![]];
    let mut open = 0usize;
    loop {
        let (token, hidden) = work.pop()?;
        match &token.tok {
            Tok::Punct(")") if open == 0 => return Some(args),
            Tok::Punct(",") if open == 0 => {
                args.push(vec![]);
                continue;
            }
            Tok::Punct("(") => open += 1,
            Tok::Punct(")") => open -= 1,
            _ => {}
        }
        args.last_mut()?.push((token, hidden));
    }
}

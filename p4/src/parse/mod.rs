//! From tokens to the syntax tree: recursive descent, with an expression parser by precedence.
//!
//! P4's grammar needs to know which names are types: `a < b > (c)` is a call with a type argument if `b` is a
//! type, and two comparisons if it isn't; `(a) - b` is a cast or a difference. So the parser keeps the names in
//! scope, no more of them than whether they are types.
//!
//! Constructs outside of the subset are refused here, with the reason, and skipped. After an error the
//! parser goes on at the next statement, member or declaration, so that one run reports several.

mod blocks;
mod decl;
mod expr;
mod stmt;
mod types;

use crate::ast::{Annotation, AnnotationBody, Ident, Program};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceMap, Span};
use crate::token::{is_keyword, is_name, Tok, Token};
use std::collections::HashMap;

/// How deep statements, types and expressions may be nested, each within each other.
const MAX_NESTING: u32 = 128;

/// Why parsing of something stopped: an error that has been reported.
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// Parses a program's tokens, of which the last is [`Tok::End`]. What could not be parsed is missing in the
/// tree, and has left an error.
pub fn parse(tokens: &[Token], sources: &SourceMap, diags: &mut Diagnostics) -> Program {
    let mut parser = Parser {
        tokens,
        at: 0,
        sources,
        diags,
        scopes: vec![HashMap::new()],
        nesting: 0,
        declared: vec![],
        lost: vec![],
    };
    parser.program()
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    sources: &'a SourceMap,
    diags: &'a mut Diagnostics,
    /// Names in scope, the innermost scope last, and whether each is a type.
    scopes: Vec<HashMap<String, bool>>,
    nesting: u32,
    /// Every name declared so far, and those whose declaration the tree lacks.
    declared: Vec<String>,
    lost: Vec<String>,
}

// ---- Tokens -------------------------------------------------------------------------------------------------

impl Parser<'_> {
    fn tok(&self) -> &Tok {
        &self.tokens[self.at].tok
    }

    /// The token `n` places ahead, or the last one.
    fn ahead(&self, n: usize) -> &Tok {
        &self.tokens[(self.at + n).min(self.tokens.len() - 1)].tok
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span
    }

    /// The span of the token before this one.
    fn last_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn since(&self, start: Span) -> Span {
        self.sources.join(start, self.last_span())
    }

    fn is(&self, punct: &str) -> bool {
        self.tok().is(punct)
    }

    fn is_word(&self, word: &str) -> bool {
        self.tok().word() == Some(word)
    }

    fn at_end(&self) -> bool {
        *self.tok() == Tok::End
    }

    fn advance(&mut self) {
        if !self.at_end() {
            self.at += 1;
        }
    }

    fn eat(&mut self, punct: &str) -> bool {
        let found = self.is(punct);
        if found {
            self.advance();
        }
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, punct: &'static str) -> Parsed<Span> {
        if self.is(punct) {
            let span = self.span();
            self.advance();
            return Ok(span);
        }
        // What is missing at the end of a line is missed there, not at the start of the next.
        if punct == ";" && self.at > 0 {
            let found = self.tok().to_string();
            let place = self.last_span();
            self.diags.push(
                Diagnostic::error(Code::Syntax, format!("expected `;`, found {found}"))
                    .at(place.after(), "`;` is missing here"),
            );
            return Err(Reported);
        }
        Err(self.expected(&format!("`{punct}`")))
    }

    fn expect_word(&mut self, word: &'static str) -> Parsed<Span> {
        if !self.is_word(word) {
            return Err(self.expected(&format!("`{word}`")));
        }
        let span = self.span();
        self.advance();
        Ok(span)
    }

    /// The bracket that closes the one at `open`.
    fn expect_close(&mut self, punct: &'static str, open: Span) -> Parsed<Span> {
        if self.at_end() {
            let end = self.span();
            self.diags.push(
                Diagnostic::error(
                    Code::Unclosed,
                    format!("expected `{punct}`, found the end of the program"),
                )
                .at(open, "this is never closed")
                .also(end, "the program ends here"),
            );
            return Err(Reported);
        }
        self.expect(punct)
    }

    fn expected(&mut self, what: &str) -> Reported {
        let (found, span) = (self.tok().to_string(), self.span());
        self.diags.push(
            Diagnostic::error(Code::Syntax, format!("expected {what}, found {found}"))
                .at(span, format!("expected {what}")),
        );
        Reported
    }

    /// Reports a construct outside of the subset. `plural` is the construct, as in "`for` loops".
    fn refuse(&mut self, code: Code, span: Span, plural: &str, reason: &str) {
        self.diags.push(
            Diagnostic::error(code, format!("{plural} are not supported"))
                .at(span, "outside of the subset")
                .note(reason),
        );
    }

    fn ident(&mut self) -> Parsed<Ident> {
        let span = self.span();
        match self.tok() {
            Tok::Word(word) if is_name(word) => {
                let name = word.to_string();
                self.advance();
                Ok(Ident { name, span })
            }
            Tok::Word(word) if is_keyword(word) => {
                let message = format!("`{word}` is a reserved word");
                self.diags.push(Diagnostic::error(Code::Reserved, message).at(span, "it cannot be a name"));
                Err(Reported)
            }
            _ => Err(self.expected("a name")),
        }
    }

    /// Runs `parse` one level deeper, and refuses to if that is too deep.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MAX_NESTING {
            return Err(self.too_deep(self.span()));
        }
        self.nesting += 1;
        let result = parse(self);
        self.nesting -= 1;
        result
    }

    fn too_deep(&mut self, span: Span) -> Reported {
        self.diags.push(
            Diagnostic::error(Code::TooDeep, "this is nested too deeply")
                .at(span, format!("more than {MAX_NESTING} levels")),
        );
        Reported
    }

    /// Elements between commas up to `close`, which is consumed; a comma may follow the last.
    fn comma_list<T>(
        &mut self,
        open: Span,
        close: &'static str,
        mut element: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut list = vec![];
        while !self.is(close) {
            list.push(element(self)?);
            if !self.eat(",") {
                break;
            }
        }
        self.expect_close(close, open)?;
        Ok(list)
    }
}

// ---- Names in scope -----------------------------------------------------------------------------------------

impl Parser<'_> {
    fn declare(&mut self, name: &Ident, is_type: bool) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.name.clone(), is_type);
        }
        self.declared.push(name.name.clone());
    }

    /// What was declared since `mark` is not in the tree, because of an error.
    fn lose(&mut self, mark: usize) {
        self.lost.extend(self.declared.drain(mark..));
    }

    fn is_type_name(&self, name: &str) -> bool {
        self.scopes.iter().rev().find_map(|scope| scope.get(name)).copied().unwrap_or(false)
    }

    fn scoped<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.scopes.push(HashMap::new());
        let result = parse(self);
        self.scopes.pop();
        result
    }
}

// ---- Recovery -----------------------------------------------------------------------------------------------

impl Parser<'_> {
    /// Skips the bracketed group that begins here, if one does.
    fn skip_group(&mut self) {
        let mut open = 0usize;
        loop {
            match self.tok() {
                Tok::Punct("(" | "[" | "{") => open += 1,
                Tok::Punct(")" | "]" | "}") => open = open.saturating_sub(1),
                Tok::End => return,
                _ => {}
            }
            if open == 0 && !matches!(self.tok(), Tok::Punct(")" | "]" | "}")) {
                return;
            }
            self.advance();
            if open == 0 {
                return;
            }
        }
    }

    /// Skips what is left of a broken or refused construct: to behind its `;` or its `{ ... }`, or up to a
    /// `}` that closes what the construct stands in.
    fn skip_construct(&mut self) {
        loop {
            match self.tok() {
                Tok::End | Tok::Punct("}") => return,
                Tok::Punct(";") => {
                    self.advance();
                    return;
                }
                Tok::Punct("{") => {
                    self.skip_group();
                    self.eat(";");
                    return;
                }
                Tok::Punct("(" | "[") => self.skip_group(),
                _ => self.advance(),
            }
        }
    }
}

// ---- Annotations and the whole program ----------------------------------------------------------------------

impl Parser<'_> {
    fn annotations(&mut self) -> Parsed<Vec<Annotation>> {
        let mut annotations = vec![];
        while self.is("@") {
            let start = self.span();
            self.advance();
            // Any word may name an annotation, keywords included.
            let name = match self.tok() {
                Tok::Word(word) => Ident { name: word.to_string(), span: self.span() },
                _ => return Err(self.expected("the name of an annotation")),
            };
            self.advance();
            let body = match self.tok() {
                Tok::Punct("(" | "[") => {
                    let first = self.at;
                    self.skip_group();
                    let (open, inner) = (self.tokens[first].span, &self.tokens[first + 1..self.at]);
                    match inner {
                        _ if self.at_end() => return self.expect_close(")", open).map(|_| vec![]),
                        [Token { tok: Tok::Str(text), .. }, close] if close.tok.is(")") => {
                            Some(AnnotationBody::Text(text.to_string()))
                        }
                        _ => Some(AnnotationBody::Other(self.sources.text(self.since(open)).to_string())),
                    }
                }
                _ => None,
            };
            annotations.push(Annotation { name, body, span: self.since(start) });
        }
        Ok(annotations)
    }

    fn program(&mut self) -> Program {
        let mut program = Program::default();
        while !self.at_end() && !self.diags.is_full() {
            if self.eat(";") {
                continue;
            }
            let (before, mark) = (self.at, self.declared.len());
            match self.declaration() {
                Ok(declaration) => program.declarations.extend(declaration),
                Err(Reported) => {
                    self.lose(mark);
                    self.skip_construct();
                    self.nesting = 0;
                    self.scopes.truncate(1);
                    // A `}` that nothing opened.
                    if self.at == before || self.is("}") {
                        self.advance();
                    }
                }
            }
        }
        program.lost = std::mem::take(&mut self.lost);
        program
    }
}

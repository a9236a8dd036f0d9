//! Parsers with their states, controls with their tables.

use super::{Parsed, Parser, Reported};
use crate::ast::*;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::token::Tok;

impl Parser<'_> {
    /// A parser, or a parser type.
    pub(super) fn parser_decl(&mut self, annotations: Vec<Annotation>) -> Parsed<Declaration> {
        let start = self.expect_word("parser")?;
        let head = self.block_type(annotations, start)?;
        if self.eat(";") {
            return Ok(Declaration::ParserType(head));
        }
        self.constructor_params()?;
        self.in_block(&head, |this, head| {
            let open = this.expect("{")?;
            let (mut locals, mut states) = (vec![], vec![]);
            while !this.is("}") && !this.at_end() && !this.diags.is_full() {
                let mark = this.declared.len();
                if let Err(Reported) = this.parser_member(&mut locals, &mut states) {
                    this.lose(mark);
                    this.skip_construct();
                }
            }
            this.expect_close("}", open)?;
            let span = this.since(start);
            Ok(Declaration::Parser(ParserDecl { head: head.clone(), locals, states, span }))
        })
    }

    /// A control, or a control type.
    pub(super) fn control_decl(&mut self, annotations: Vec<Annotation>) -> Parsed<Declaration> {
        let start = self.expect_word("control")?;
        let head = self.block_type(annotations, start)?;
        if self.eat(";") {
            return Ok(Declaration::ControlType(head));
        }
        self.constructor_params()?;
        self.in_block(&head, |this, head| {
            let open = this.expect("{")?;
            let mut locals = vec![];
            while !this.is_word("apply") && !this.is("}") && !this.at_end() && !this.diags.is_full() {
                let mark = this.declared.len();
                match this.control_local() {
                    Ok(local) => locals.extend(local),
                    Err(Reported) => {
                        this.lose(mark);
                        this.skip_construct();
                    }
                }
            }
            this.expect_word("apply")?;
            let apply = this.block()?;
            this.expect_close("}", open)?;
            let span = this.since(start);
            Ok(Declaration::Control(ControlDecl { head: head.clone(), locals, apply, span }))
        })
    }

    /// Runs `parse` with a block's parameters in scope.
    fn in_block<T>(
        &mut self,
        head: &BlockType,
        parse: impl FnOnce(&mut Self, &BlockType) -> Parsed<T>,
    ) -> Parsed<T> {
        self.scoped(|this| {
            for param in &head.type_params {
                this.declare(param, true);
            }
            for param in &head.params {
                this.declare(&param.name, false);
            }
            parse(this, head)
        })
    }

    fn constructor_params(&mut self) -> Parsed<()> {
        if !self.is("(") {
            return Ok(());
        }
        let open = self.span();
        if self.ahead(1).is(")") {
            self.advance();
            self.advance();
            return Ok(());
        }
        self.skip_group();
        let span = self.since(open);
        let reason = "a block is instantiated once; use a `const` in its place";
        self.refuse(Code::RefusedDeclaration, span, "constructor parameters", reason);
        Ok(())
    }

    fn parser_member(&mut self, locals: &mut Vec<ParserLocal>, states: &mut Vec<State>) -> Parsed<()> {
        let annotations = self.annotations()?;
        if self.is_word("state") && matches!(self.ahead(1), Tok::Word(_)) {
            states.push(self.state(annotations)?);
            return Ok(());
        }
        if let Some(first) = states.first() {
            let (span, state) = (self.span(), first.name.span);
            self.diags.push(
                Diagnostic::error(Code::Syntax, "declarations stand before the states of a parser")
                    .at(span, "expected a state or `}`")
                    .also(state, "the first state"),
            );
            return Err(Reported);
        }
        if self.is_word("const") {
            locals.push(ParserLocal::Const(self.const_decl(annotations)?));
        } else if self.is_word("value_set") {
            let span = self.span();
            // `value_set<T>(size) name;`
            while !matches!(self.tok(), Tok::Punct(";" | "{" | "}") | Tok::End) {
                self.advance();
            }
            if let Tok::Word(name) = &self.tokens[self.at - 1].tok {
                self.lost.push(name.to_string());
            }
            self.skip_construct();
            let reason =
                "the parser is wired by the program alone; look the value up in a table of the control";
            self.refuse(Code::RefusedDeclaration, span, "value sets", reason);
        } else if self.at_declaration() {
            locals.extend(self.variable(annotations)?.map(ParserLocal::Var));
        } else {
            return Err(self.expected("a state, a variable or a constant"));
        }
        Ok(())
    }

    fn state(&mut self, annotations: Vec<Annotation>) -> Parsed<State> {
        let start = self.expect_word("state")?;
        let name = self.ident()?;
        let open = self.expect("{")?;
        let (body, transition) = self.scoped(|this| {
            let mut body = vec![];
            while !matches!(this.tok(), Tok::Punct("}") | Tok::End)
                && !this.is_word("transition")
                && !this.diags.is_full()
            {
                this.statement_or_skip(&mut body);
            }
            let transition = if this.is_word("transition") { Some(this.transition()?) } else { None };
            if !matches!(this.tok(), Tok::Punct("}") | Tok::End) {
                let span = this.span();
                this.diags.push(
                    Diagnostic::error(Code::Syntax, "nothing stands behind the transition of a state")
                        .at(span, "expected `}`"),
                );
                while !matches!(this.tok(), Tok::Punct("}") | Tok::End) {
                    this.skip_construct();
                }
            }
            Ok((body, transition))
        })?;
        self.expect_close("}", open)?;
        Ok(State { annotations, name, body, transition, span: self.since(start) })
    }

    fn transition(&mut self) -> Parsed<Transition> {
        let start = self.expect_word("transition")?;
        if !self.is_word("select") {
            let target = self.ident()?;
            self.expect(";")?;
            return Ok(Transition { kind: TransitionKind::Direct(target), span: self.since(start) });
        }
        self.advance();
        let open = self.expect("(")?;
        let keys = self.comma_list(open, ")", Parser::expr)?;
        let open = self.expect("{")?;
        let mut cases = vec![];
        while !self.is("}") && !self.at_end() && !self.diags.is_full() {
            match self.select_case() {
                Ok(case) => cases.push(case),
                Err(Reported) => self.skip_construct(),
            }
        }
        self.expect_close("}", open)?;
        Ok(Transition { kind: TransitionKind::Select { keys, cases }, span: self.since(start) })
    }

    fn select_case(&mut self) -> Parsed<SelectCase> {
        let start = self.span();
        let keyset = self.keyset()?;
        self.expect(":")?;
        let target = self.ident()?;
        self.expect(";")?;
        Ok(SelectCase { keyset, target, span: self.since(start) })
    }

    fn keyset(&mut self) -> Parsed<Keyset> {
        if !self.at_tuple() {
            return self.simple_keyset();
        }
        let open = self.expect("(")?;
        let mut elements = self.comma_list(open, ")", Parser::simple_keyset)?;
        let span = self.since(open);
        Ok(match elements.len() {
            1 => Keyset { span, ..elements.remove(0) },
            _ => Keyset { kind: KeysetKind::Tuple(elements), span },
        })
    }

    fn simple_keyset(&mut self) -> Parsed<Keyset> {
        let start = self.span();
        let kind = if self.eat_word("default") {
            KeysetKind::Default
        } else if self.eat_word("_") {
            KeysetKind::DontCare
        } else {
            let value = self.expr()?;
            if self.eat("&&&") {
                KeysetKind::Mask(value, self.expr()?)
            } else if self.eat("..") {
                KeysetKind::Range(value, self.expr()?)
            } else {
                KeysetKind::Value(value)
            }
        };
        Ok(Keyset { kind, span: self.since(start) })
    }

    /// Whether the parenthesis here encloses keysets, and not an expression.
    fn at_tuple(&self) -> bool {
        if !self.is("(") {
            return false;
        }
        let mut open = 0usize;
        for token in &self.tokens[self.at..] {
            match &token.tok {
                Tok::Punct("(" | "[" | "{") => open += 1,
                Tok::Punct(")" | "]" | "}") => {
                    open -= 1;
                    if open == 0 {
                        return false;
                    }
                }
                Tok::Punct("," | "&&&" | "..") if open == 1 => return true,
                Tok::Word(word) if open == 1 && matches!(&**word, "default" | "_") => return true,
                Tok::Punct(";") | Tok::End => return false,
                _ => {}
            }
        }
        false
    }

    fn control_local(&mut self) -> Parsed<Option<ControlLocal>> {
        let annotations = self.annotations()?;
        match self.tok().word() {
            Some("const") => Ok(Some(ControlLocal::Const(self.const_decl(annotations)?))),
            Some("action") => Ok(Some(ControlLocal::Action(self.action(annotations)?))),
            Some("table") => Ok(Some(ControlLocal::Table(self.table(annotations)?))),
            _ if self.at_declaration() => Ok(self.variable(annotations)?.map(ControlLocal::Var)),
            _ => Err(self.expected("a variable, constant, action, table or `apply`")),
        }
    }

    fn table(&mut self, annotations: Vec<Annotation>) -> Parsed<TableDecl> {
        let start = self.expect_word("table")?;
        let name = self.ident()?;
        self.declare(&name, false);
        let open = self.expect("{")?;
        let mut table = TableDecl {
            annotations,
            name,
            keys: vec![],
            actions: vec![],
            default_action: None,
            entries: None,
            size: None,
            span: start,
        };
        let mut seen = vec![];
        while !self.is("}") && !self.at_end() && !self.diags.is_full() {
            if let Err(Reported) = self.property(&mut table, &mut seen) {
                self.skip_construct();
            }
        }
        self.expect_close("}", open)?;
        table.span = self.since(start);
        Ok(table)
    }

    fn property(&mut self, table: &mut TableDecl, seen: &mut Vec<(String, Span)>) -> Parsed<()> {
        for annotation in self.annotations()? {
            self.diags.push(
                Diagnostic::warning(
                    Code::AnnotationIgnored,
                    "annotations of table properties have no effect",
                )
                .at(annotation.span, "ignored"),
            );
        }
        let start = self.span();
        let is_const = self.eat_word("const");
        let name = self.ident()?;
        if let Some((_, first)) = seen.iter().find(|(former, _)| *former == name.name) {
            let message = format!("table property `{}` is given twice", name.name);
            let diagnostic =
                Diagnostic::error(Code::PropertyTwice, message).at(name.span, "second").also(*first, "first");
            self.diags.push(diagnostic);
            self.skip_construct();
            return Ok(());
        }
        seen.push((name.name.clone(), name.span));
        self.expect("=")?;
        match (&*name.name, is_const) {
            ("key", false) => table.keys = self.braced(Parser::table_key)?,
            ("actions", false) => {
                table.actions = self.braced(|this| {
                    let action = this.action_ref()?;
                    this.expect(";")?;
                    Ok(action)
                })?;
            }
            ("default_action", is_const) => {
                let action = self.action_ref()?;
                self.expect(";")?;
                table.default_action = Some(DefaultAction { is_const, action, span: self.since(start) });
            }
            ("entries", true) => table.entries = Some(self.braced(Parser::entry)?),
            ("entries", false) => {
                self.skip_construct();
                let reason =
                    "a table is filled either by the program (`const entries`) or by the control plane";
                self.refuse(
                    Code::RefusedTable,
                    name.span,
                    "entries that the control plane can change",
                    reason,
                );
            }
            ("size", false) => {
                table.size = Some(self.expr()?);
                self.expect(";")?;
            }
            _ => {
                self.skip_construct();
                let plural = format!("`{}{}` properties", if is_const { "const " } else { "" }, name.name);
                let reason = "a table has key, actions, default_action, const entries and size";
                self.refuse(Code::RefusedTable, name.span, &plural, reason);
            }
        }
        Ok(())
    }

    /// `{ element element ... }`, whatever ends each element; broken ones are left out.
    fn braced<T>(&mut self, mut element: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let open = self.expect("{")?;
        let mut list = vec![];
        while !self.is("}") && !self.at_end() && !self.diags.is_full() {
            match element(self) {
                Ok(item) => list.push(item),
                Err(Reported) => self.skip_construct(),
            }
        }
        self.expect_close("}", open)?;
        self.eat(";");
        Ok(list)
    }

    /// `expr : match_kind @annotations;`
    fn table_key(&mut self) -> Parsed<TableKey> {
        let start = self.span();
        let expr = self.expr()?;
        self.expect(":")?;
        let match_kind = self.ident()?;
        let annotations = self.annotations()?;
        self.expect(";")?;
        Ok(TableKey { annotations, expr, match_kind, span: self.since(start) })
    }

    fn action_ref(&mut self) -> Parsed<ActionRef> {
        let annotations = self.annotations()?;
        let start = self.span();
        let name = self.path()?;
        let args = if self.is("(") { self.args()?.0 } else { vec![] };
        Ok(ActionRef { annotations, name, args, span: self.since(start) })
    }

    /// `keyset : action(args);`
    fn entry(&mut self) -> Parsed<Entry> {
        let start = self.span();
        if self.is_word("const") || (self.is_word("priority") && self.ahead(1).is("=")) {
            let reason = "entries of `const entries` match in the order in which they are written";
            self.refuse(Code::RefusedTable, start, "`const` and `priority` of entries", reason);
            return Err(Reported);
        }
        let keyset = self.keyset()?;
        self.expect(":")?;
        let action = self.action_ref()?;
        // As an annotation would stand behind the action.
        if self.is("@") {
            for annotation in self.annotations()? {
                self.diags.push(
                    Diagnostic::warning(Code::AnnotationIgnored, "annotations of entries have no effect")
                        .at(annotation.span, "ignored"),
                );
            }
        }
        self.expect(";")?;
        Ok(Entry { keyset, action, span: self.since(start) })
    }
}

//! Statements.

use super::{Parsed, Parser, Reported};
use crate::ast::*;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::token::{is_name, Tok};

impl Parser<'_> {
    /// `{ ... }`, a scope of its own.
    pub(super) fn block(&mut self) -> Parsed<Block> {
        let open = self.expect("{")?;
        let statements = self.scoped(|this| this.statements())?;
        self.expect_close("}", open)?;
        Ok(Block { statements, span: self.since(open) })
    }

    /// Statements up to a `}`, in the present scope. Broken ones are left out.
    fn statements(&mut self) -> Parsed<Vec<Stmt>> {
        let mut statements = vec![];
        while !self.is("}") && !self.at_end() && !self.diags.is_full() {
            self.statement_or_skip(&mut statements);
        }
        Ok(statements)
    }

    /// Parses a statement; one that is broken or refused is skipped.
    pub(super) fn statement_or_skip(&mut self, statements: &mut Vec<Stmt>) {
        let (before, nesting, scopes, mark) = (self.at, self.nesting, self.scopes.len(), self.declared.len());
        match self.statement() {
            Ok(statement) => statements.extend(statement),
            Err(Reported) => {
                self.nesting = nesting;
                self.scopes.truncate(scopes);
                self.lose(mark);
                self.skip_construct();
                if self.at == before && !self.is("}") {
                    self.advance();
                }
            }
        }
    }

    /// One statement; `None` for one that was refused.
    fn statement(&mut self) -> Parsed<Option<Stmt>> {
        self.nested(|this| {
            let start = this.span();
            let annotations = this.annotations()?;
            let kind = this.statement_kind(annotations)?;
            Ok(kind.map(|kind| Stmt { kind, span: this.since(start) }))
        })
    }

    fn statement_kind(&mut self, annotations: Vec<Annotation>) -> Parsed<Option<StmtKind>> {
        let start = self.span();
        let declares = self.at_declaration();
        if !declares && !self.is_word("const") {
            for annotation in &annotations {
                self.diags.push(
                    Diagnostic::warning(Code::AnnotationIgnored, "annotations of statements have no effect")
                        .at(annotation.span, "ignored"),
                );
            }
        }
        let keyword = self.tok().word().unwrap_or("").to_string();
        match &*keyword {
            "const" => return Ok(Some(StmtKind::Const(self.const_decl(annotations)?))),
            "if" => return self.if_statement().map(Some),
            "switch" => return self.switch().map(Some),
            "for" => {
                return self.refuse_statement("`for` loops", "hardware has no loops; write the steps out")
            }
            "break" | "continue" => {
                return self.refuse_statement("`break` and `continue`", "there are no loops")
            }
            "return" | "exit" => {
                let reason = "every path goes to the end of its block; put what follows into the other branch of an `if`";
                return self.refuse_statement("`return` and `exit`", reason);
            }
            "transition" => {
                self.diags.push(
                    Diagnostic::error(Code::Syntax, "`transition` stands at the end of a parser state only")
                        .at(start, "not possible here"),
                );
                return Err(Reported);
            }
            _ => {}
        }
        if self.eat(";") {
            return Ok(Some(StmtKind::Empty));
        }
        if self.is("{") {
            return Ok(Some(StmtKind::Block(self.block()?)));
        }
        if declares {
            return Ok(self.variable(annotations)?.map(StmtKind::Var));
        }
        let target = self.expr()?;
        if let Tok::Punct(
            punct @ ("+=" | "-=" | "*=" | "/=" | "%=" | "<<=" | "&=" | "|=" | "^=" | "|+|=" | "|-|="),
        ) = self.tok()
        {
            let (punct, span) = (*punct, self.span());
            let reason = format!("write `x = x {} ...`", punct.trim_end_matches('='));
            self.refuse(Code::RefusedStatement, span, "assignments with an operator", &reason);
            self.skip_construct();
            return Ok(None);
        }
        if self.eat("=") {
            let value = self.expr()?;
            self.expect(";")?;
            return Ok(Some(StmtKind::Assign { target, value }));
        }
        if !matches!(target.kind, ExprKind::Call { .. }) {
            if self.is(";") {
                self.diags.push(
                    Diagnostic::error(Code::Syntax, "an expression is not a statement")
                        .at(target.span, "neither a call nor an assignment"),
                );
                return Err(Reported);
            }
            return Err(self.expected("`=` or `(`"));
        }
        self.expect(";")?;
        Ok(Some(StmtKind::Call(target)))
    }

    fn refuse_statement(&mut self, plural: &str, reason: &str) -> Parsed<Option<StmtKind>> {
        let span = self.span();
        self.refuse(Code::RefusedStatement, span, plural, reason);
        self.skip_construct();
        Ok(None)
    }

    /// Whether a declaration of a variable begins here: a type, or two names in a row.
    pub(super) fn at_declaration(&self) -> bool {
        let offset = usize::from(self.is("."));
        match self.ahead(offset) {
            Tok::Word(word) if is_name(word) => match self.ahead(offset + 1) {
                Tok::Word(next) => is_name(next) && !matches!(&**word, "transition"),
                Tok::Punct("<" | "[" | "(") => self.at_type(0),
                _ => false,
            },
            _ => self.at_type(0),
        }
    }

    /// `T name;` or `T name = value;`. An instantiation is refused, and gives `None`.
    pub(super) fn variable(&mut self, annotations: Vec<Annotation>) -> Parsed<Option<VarDecl>> {
        let start = self.span();
        let ty = self.type_ref()?;
        if self.is("(") {
            self.skip_group();
            if let Ok(name) = self.ident() {
                self.declare(&name, false);
                self.lost.push(name.name);
            }
            let span = self.since(start);
            self.skip_construct();
            let reason =
                "a program is one parser and one control; write sub-parsers and sub-controls in place";
            self.refuse(Code::RefusedDeclaration, span, "instances within parsers and controls", reason);
            return Ok(None);
        }
        let name = self.ident()?;
        let mark = self.lost.len();
        self.lost.push(name.name.clone());
        let init = if self.eat("=") { Some(self.expr()?) } else { None };
        self.expect(";")?;
        self.lost.truncate(mark);
        self.declare(&name, false);
        Ok(Some(VarDecl { annotations, ty, name, init, span: self.since(start) }))
    }

    /// `const T name = value;`
    pub(super) fn const_decl(&mut self, annotations: Vec<Annotation>) -> Parsed<ConstDecl> {
        let start = self.expect_word("const")?;
        let ty = self.type_ref()?;
        let name = self.ident()?;
        let mark = self.lost.len();
        self.lost.push(name.name.clone());
        self.expect("=")?;
        let value = self.expr()?;
        self.expect(";")?;
        self.lost.truncate(mark);
        self.declare(&name, false);
        Ok(ConstDecl { annotations, ty, name, value, span: self.since(start) })
    }

    fn if_statement(&mut self) -> Parsed<StmtKind> {
        self.expect_word("if")?;
        let open = self.expect("(")?;
        let condition = self.expr()?;
        self.expect_close(")", open)?;
        let then = self.branch()?;
        let otherwise = if self.eat_word("else") { Some(self.branch()?) } else { None };
        Ok(StmtKind::If { condition, then, otherwise })
    }

    /// A branch of an `if`. One that was refused is as good as empty: its error ends the compilation anyway.
    fn branch(&mut self) -> Parsed<Box<Stmt>> {
        let start = self.span();
        let statement = self.scoped(|this| this.statement())?;
        Ok(Box::new(statement.unwrap_or(Stmt { kind: StmtKind::Empty, span: start })))
    }

    fn switch(&mut self) -> Parsed<StmtKind> {
        self.expect_word("switch")?;
        let open = self.expect("(")?;
        let subject = self.expr()?;
        self.expect_close(")", open)?;
        let open = self.expect("{")?;
        let mut cases = vec![];
        while !self.is("}") && !self.at_end() {
            cases.push(self.switch_case()?);
        }
        self.expect_close("}", open)?;
        Ok(StmtKind::Switch { subject, cases })
    }

    fn switch_case(&mut self) -> Parsed<SwitchCase> {
        let start: Span = self.span();
        let label = if self.eat_word("default") {
            SwitchLabel::Default(start)
        } else {
            match (self.tok(), self.ahead(1)) {
                (Tok::Word(word), Tok::Punct(":")) if is_name(word) => SwitchLabel::Action(self.ident()?),
                _ => {
                    let expr = self.expr()?;
                    let reason = "`switch` chooses by the action that a table ran; use `if` for values";
                    self.refuse(Code::RefusedStatement, expr.span, "`switch` labels that are values", reason);
                    SwitchLabel::Default(expr.span)
                }
            }
        };
        self.expect(":")?;
        let body = if self.is("{") { Some(self.block()?) } else { None };
        Ok(SwitchCase { label, body, span: self.since(start) })
    }
}

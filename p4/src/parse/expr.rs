//! Expressions.
//!
//! Precedence climbing over [`BinaryOp::precedence`]. Chains such as `a + b + c` make deep trees without deep
//! recursion here, so the depth of each subtree is counted, and bounded for whoever walks the tree.

use super::{Parsed, Parser, Reported, MAX_NESTING};
use crate::ast::*;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::token::{is_name, Tok};

/// An expression and the depth of its tree.
struct Tree {
    expr: Expr,
    depth: u32,
}

const BINARY: &[BinaryOp] = &[
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::Mod,
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::AddSat,
    BinaryOp::SubSat,
    BinaryOp::Shl,
    BinaryOp::Concat,
    BinaryOp::Lt,
    BinaryOp::Le,
    BinaryOp::Gt,
    BinaryOp::Ge,
    BinaryOp::Eq,
    BinaryOp::Ne,
    BinaryOp::BitAnd,
    BinaryOp::BitXor,
    BinaryOp::BitOr,
    BinaryOp::And,
    BinaryOp::Or,
];

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        Ok(self.conditional()?.expr)
    }

    /// An integer or a parenthesized expression, as in widths.
    pub(super) fn primary_only(&mut self) -> Parsed<Expr> {
        Ok(self.primary()?.expr)
    }

    fn tree(&mut self, start: Span, kind: ExprKind, depth: u32) -> Parsed<Tree> {
        let span = self.since(start);
        if depth >= MAX_NESTING {
            return Err(self.too_deep(span));
        }
        Ok(Tree { expr: Expr { kind, span }, depth: depth + 1 })
    }

    fn conditional(&mut self) -> Parsed<Tree> {
        self.nested(|this| {
            let start = this.span();
            let condition = this.binary(1)?;
            if !this.eat("?") {
                return Ok(condition);
            }
            let then = this.conditional()?;
            this.expect(":")?;
            let otherwise = this.conditional()?;
            let depth = condition.depth.max(then.depth).max(otherwise.depth);
            let kind = ExprKind::Conditional {
                condition: Box::new(condition.expr),
                then: Box::new(then.expr),
                otherwise: Box::new(otherwise.expr),
            };
            this.tree(start, kind, depth)
        })
    }

    fn binary(&mut self, least: u8) -> Parsed<Tree> {
        let start = self.span();
        let mut left = self.unary()?;
        while let Some((op, length)) = self.binary_operator() {
            if op.precedence() < least {
                break;
            }
            for _ in 0..length {
                self.advance();
            }
            let right = self.nested(|this| this.binary(op.precedence() + 1))?;
            let depth = left.depth.max(right.depth);
            let kind = ExprKind::Binary { op, left: Box::new(left.expr), right: Box::new(right.expr) };
            left = self.tree(start, kind, depth)?;
        }
        Ok(left)
    }

    /// The binary operator that stands here, and of how many tokens it is made.
    fn binary_operator(&self) -> Option<(BinaryOp, usize)> {
        let Tok::Punct(punct) = self.tok() else { return None };
        if *punct == ">" && self.ahead(1).is(">") && self.span().touches(self.tokens[self.at + 1].span) {
            return Some((BinaryOp::Shr, 2));
        }
        BINARY.iter().find(|op| op.symbol() == *punct).map(|op| (*op, 1))
    }

    fn unary(&mut self) -> Parsed<Tree> {
        let start = self.span();
        let op = match self.tok() {
            Tok::Punct("!") => UnaryOp::Not,
            Tok::Punct("~") => UnaryOp::Complement,
            Tok::Punct("-") => UnaryOp::Negate,
            Tok::Punct("+") => UnaryOp::Plus,
            Tok::Punct("(") if self.at_cast() => {
                self.advance();
                let ty = self.type_ref()?;
                self.expect(")")?;
                let operand = self.nested(Parser::unary)?;
                let kind = ExprKind::Cast { ty, operand: Box::new(operand.expr) };
                return self.tree(start, kind, operand.depth);
            }
            _ => return self.postfix(),
        };
        self.advance();
        let operand = self.nested(Parser::unary)?;
        self.tree(start, ExprKind::Unary { op, operand: Box::new(operand.expr) }, operand.depth)
    }

    /// Whether the parenthesis here opens a cast: behind it stands a type that is not asked for a member or
    /// constructed.
    fn at_cast(&self) -> bool {
        let behind = if self.ahead(1).is(".") { 3 } else { 2 };
        self.at_type(1) && !matches!(self.ahead(behind), Tok::Punct("." | "("))
    }

    fn postfix(&mut self) -> Parsed<Tree> {
        let start = self.span();
        let mut base = self.primary()?;
        loop {
            let depth = base.depth;
            let expr = base.expr;
            base = match self.tok() {
                Tok::Punct(".") => {
                    self.advance();
                    let member = self.ident()?;
                    self.tree(start, ExprKind::Member { base: Box::new(expr), member }, depth)?
                }
                Tok::Punct("[") => self.slice(start, expr, depth)?,
                Tok::Punct("(") => {
                    let (args, inner) = self.args()?;
                    let kind = ExprKind::Call { callee: Box::new(expr), type_args: vec![], args };
                    self.tree(start, kind, depth.max(inner))?
                }
                // `f<T>(x)`, where `T` is a type; else this is a comparison.
                Tok::Punct("<") if self.at_type(1) && !self.ahead(2).is(".") => {
                    let type_args = self.type_args()?;
                    let (args, inner) = self.args()?;
                    let kind = ExprKind::Call { callee: Box::new(expr), type_args, args };
                    self.tree(start, kind, depth.max(inner))?
                }
                _ => return Ok(Tree { expr, depth }),
            };
        }
    }

    fn slice(&mut self, start: Span, base: Expr, depth: u32) -> Parsed<Tree> {
        let open = self.expect("[")?;
        let high = self.conditional()?;
        if self.is("]") {
            self.advance();
            let span = self.since(start);
            self.refuse(
                Code::RefusedExpression,
                span,
                "indexed expressions",
                "there are no header stacks and no tuples; a single bit `n` is the slice `[n:n]`",
            );
            return Err(Reported);
        }
        self.expect(":")?;
        let low = self.conditional()?;
        self.expect_close("]", open)?;
        let depth = depth.max(high.depth).max(low.depth);
        let kind =
            ExprKind::Slice { base: Box::new(base), high: Box::new(high.expr), low: Box::new(low.expr) };
        self.tree(start, kind, depth)
    }

    /// `( ... )`, and the depth of the deepest argument.
    pub(super) fn args(&mut self) -> Parsed<(Vec<Arg>, u32)> {
        let open = self.expect("(")?;
        let mut depth = 0;
        let args = self.comma_list(open, ")", |this| {
            let start = this.span();
            let named = matches!(this.tok(), Tok::Word(word) if is_name(word)) && this.ahead(1).is("=");
            let name = if named { Some(this.ident()?) } else { None };
            if named {
                this.advance();
            }
            let value = if this.eat_word("_") {
                None
            } else {
                let tree = this.conditional()?;
                depth = depth.max(tree.depth);
                Some(tree.expr)
            };
            Ok(Arg { name, value, span: this.since(start) })
        })?;
        Ok((args, depth))
    }

    fn primary(&mut self) -> Parsed<Tree> {
        let start = self.span();
        match self.tok().clone() {
            Tok::Int { value, width, signed } => {
                self.advance();
                let width = if signed { None } else { width };
                if signed {
                    let reason = "classification compares unsigned fields; use `w` in place of `s`";
                    self.refuse(Code::RefusedType, start, "signed literals", reason);
                }
                self.tree(start, ExprKind::Int(IntLiteral { value, width }), 0)
            }
            Tok::Str(text) => {
                self.advance();
                self.tree(start, ExprKind::String(text.to_string()), 0)
            }
            Tok::Punct("(") => {
                self.advance();
                let inner = self.conditional()?;
                self.expect_close(")", start)?;
                // The span is that of the parentheses; the tree is not deeper for them.
                Ok(Tree { expr: Expr { span: self.since(start), ..inner.expr }, depth: inner.depth })
            }
            Tok::Punct("{") => {
                self.skip_group();
                let span = self.since(start);
                self.refuse(
                    Code::RefusedExpression,
                    span,
                    "list and struct expressions",
                    "assign the fields one by one",
                );
                Err(Reported)
            }
            Tok::Punct("...") => {
                self.advance();
                self.refuse(Code::RefusedExpression, start, "default initializers", "give the value itself");
                Err(Reported)
            }
            Tok::Punct(".") => {
                let path = self.path()?;
                self.named(start, path)
            }
            Tok::Word(word) => match &*word {
                "true" | "false" => {
                    self.advance();
                    self.tree(start, ExprKind::Bool(&*word == "true"), 0)
                }
                "error" if self.ahead(1).is(".") => {
                    self.advance();
                    self.advance();
                    let member = self.ident()?;
                    self.tree(start, ExprKind::Error(member), 0)
                }
                "this" => {
                    self.advance();
                    self.refuse(
                        Code::RefusedExpression,
                        start,
                        "`this` expressions",
                        "there are no abstract methods",
                    );
                    Err(Reported)
                }
                word if is_name(word) => {
                    let path = self.path()?;
                    self.named(start, path)
                }
                _ => Err(self.expected("an expression")),
            },
            _ => Err(self.expected("an expression")),
        }
    }

    /// A name, an enum's member, or a nameless instance.
    fn named(&mut self, start: Span, path: Path) -> Parsed<Tree> {
        let is_type = match path.absolute {
            true => self.scopes[0].get(&path.name) == Some(&true),
            false => self.is_type_name(&path.name),
        };
        if !is_type {
            return self.tree(start, ExprKind::Name(path), 0);
        }
        if self.eat(".") {
            let member = self.ident()?;
            return self.tree(start, ExprKind::TypeMember { ty: path, member }, 0);
        }
        let base_span = path.span;
        let kind = if self.is("<") {
            TypeKind::Specialized { base: path, args: self.type_args()? }
        } else {
            TypeKind::Named(path)
        };
        let ty = TypeRef { kind, span: self.since(start) };
        if !self.is("(") {
            self.diags.push(
                Diagnostic::error(Code::WrongKind, "a type is not a value")
                    .at(base_span, "this names a type")
                    .help("a cast is written `(type) value`, an enum's member `Type.member`"),
            );
            return Err(Reported);
        }
        let (args, depth) = self.args()?;
        self.tree(start, ExprKind::Construct { ty, args }, depth)
    }
}

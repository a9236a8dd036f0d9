//! Types as written.

use super::{Parsed, Parser};
use crate::ast::{Path, TypeKind, TypeRef};
use crate::diag::Code;
use crate::token::{is_name, Tok};

impl Parser<'_> {
    /// Whether a type begins `n` tokens ahead, and no expression does.
    pub(super) fn at_type(&self, n: usize) -> bool {
        let word = match self.ahead(n) {
            Tok::Word(word) => word,
            Tok::Punct(".") => match self.ahead(n + 1) {
                Tok::Word(word) => return self.scopes[0].get(&**word) == Some(&true),
                _ => return false,
            },
            _ => return false,
        };
        match &**word {
            "bool" | "bit" | "int" | "varbit" | "string" | "void" | "tuple" | "match_kind" | "_" => true,
            "list" => self.ahead(n + 1).is("<"),
            "error" => !self.ahead(n + 1).is("."),
            word => self.is_type_name(word),
        }
    }

    /// `name` or `.name`.
    pub(super) fn path(&mut self) -> Parsed<Path> {
        let start = self.span();
        let absolute = self.eat(".");
        let ident = self.ident()?;
        Ok(Path { absolute, name: ident.name, span: self.since(start) })
    }

    pub(super) fn type_ref(&mut self) -> Parsed<TypeRef> {
        self.nested(|this| {
            let start = this.span();
            let kind = this.type_kind()?;
            if this.is("[") {
                this.skip_group();
                let span = this.since(start);
                this.refuse(
                    Code::RefusedType,
                    span,
                    "header stacks",
                    "every header of a packet is a field of its own, so that the hardware has a register for it",
                );
            }
            Ok(TypeRef { kind, span: this.since(start) })
        })
    }

    fn type_kind(&mut self) -> Parsed<TypeKind> {
        let start = self.span();
        let word = match self.tok() {
            Tok::Word(word) => word.to_string(),
            Tok::Punct(".") => String::new(),
            _ => return Err(self.expected("a type")),
        };
        let refuse = |this: &mut Self, plural: &str, reason: &str| {
            let span = this.since(start);
            this.refuse(Code::RefusedType, span, plural, reason);
        };
        match &*word {
            "bool" => self.simple(TypeKind::Bool),
            "error" => self.simple(TypeKind::Error),
            "string" => self.simple(TypeKind::String),
            "void" => self.simple(TypeKind::Void),
            "_" => self.simple(TypeKind::DontCare),
            "bit" => {
                self.advance();
                Ok(TypeKind::Bit(self.width()?.map(Box::new)))
            }
            "int" => {
                self.advance();
                if self.width()?.is_some() {
                    refuse(self, "signed integers", "classification compares unsigned fields; use `bit<N>`");
                }
                Ok(TypeKind::Integer)
            }
            "varbit" => {
                self.advance();
                self.width()?;
                let reason = "what is optional in a header is skipped with `advance`, not kept";
                refuse(self, "fields of variable size", reason);
                Ok(TypeKind::Bit(None))
            }
            "tuple" | "list" => {
                self.advance();
                if self.is("<") {
                    self.type_args()?;
                }
                refuse(self, "tuples and lists", "give a struct with named fields instead");
                Ok(TypeKind::Bool)
            }
            "match_kind" => {
                self.advance();
                refuse(self, "values of type `match_kind`", "match kinds appear in table keys only");
                Ok(TypeKind::Bool)
            }
            word if word.is_empty() || is_name(word) => {
                let base = self.path()?;
                if self.is("<") {
                    return Ok(TypeKind::Specialized { base, args: self.type_args()? });
                }
                Ok(TypeKind::Named(base))
            }
            _ => Err(self.expected("a type")),
        }
    }

    fn simple(&mut self, kind: TypeKind) -> Parsed<TypeKind> {
        self.advance();
        Ok(kind)
    }

    /// `<N>` or `<(expression)>`, if it is there.
    fn width(&mut self) -> Parsed<Option<crate::ast::Expr>> {
        if !self.eat("<") {
            return Ok(None);
        }
        let width = match self.tok() {
            Tok::Int { .. } | Tok::Punct("(") => self.primary_only()?,
            Tok::Word(word) if is_name(word) => {
                let help = format!("write `({word})`");
                let span = self.span();
                self.diags.push(
                    crate::diag::Diagnostic::error(
                        Code::Syntax,
                        "a width is a number, or an expression in parentheses",
                    )
                    .at(span, "expected a number or `(`")
                    .help(help),
                );
                self.primary_only()?
            }
            _ => return Err(self.expected("a width")),
        };
        self.expect(">")?;
        Ok(Some(width))
    }

    /// `<T, U>`
    pub(super) fn type_args(&mut self) -> Parsed<Vec<TypeRef>> {
        let open = self.expect("<")?;
        self.comma_list(open, ">", Parser::type_ref)
    }
}

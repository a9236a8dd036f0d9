//! Declarations at top level.

use super::{Parsed, Parser, Reported};
use crate::ast::*;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::token::Tok;

impl Parser<'_> {
    /// One declaration; `None` for one that was refused.
    pub(super) fn declaration(&mut self) -> Parsed<Option<Declaration>> {
        let annotations = self.annotations()?;
        let start = self.span();
        let keyword = self.tok().word().unwrap_or("").to_string();
        let declaration = match &*keyword {
            "const" => Declaration::Const(self.const_decl(annotations)?),
            "typedef" => Declaration::Typedef(self.typedef(annotations, false)?),
            "type" => Declaration::Typedef(self.typedef(annotations, true)?),
            "header" => Declaration::Header(self.fields_decl(annotations)?),
            "struct" => Declaration::Struct(self.fields_decl(annotations)?),
            "header_union" => {
                self.advance();
                if let Ok(name) = self.ident() {
                    self.declare(&name, true);
                    self.lost.push(name.name);
                }
                let span = self.since(start);
                self.skip_construct();
                let reason = "declare each header as a field of the struct of headers; one that was not extracted is not valid";
                self.refuse(Code::RefusedDeclaration, span, "header unions", reason);
                return Ok(None);
            }
            "enum" => Declaration::Enum(self.enum_decl(annotations)?),
            "error" if !self.at_function() => Declaration::Error(self.members(annotations)?),
            "match_kind" => Declaration::MatchKind(self.members(annotations)?),
            "extern" => self.extern_decl(annotations)?,
            "action" => Declaration::Action(self.action(annotations)?),
            "parser" => self.parser_decl(annotations)?,
            "control" => self.control_decl(annotations)?,
            "package" => {
                self.advance();
                let head = self.block_type(annotations, start)?;
                self.expect(";")?;
                Declaration::PackageType(head)
            }
            _ if self.at_type(0) || self.at_declaration() => return self.instantiation(annotations),
            _ => {
                // `Unknown(...) main;` is an instantiation of something that is not declared.
                if matches!((self.tok(), self.ahead(1)), (Tok::Word(_), Tok::Punct("(" | "<"))) {
                    return self.instantiation(annotations);
                }
                return Err(self.expected("a declaration"));
            }
        };
        Ok(Some(declaration))
    }

    fn at_function(&self) -> bool {
        matches!((self.ahead(1), self.ahead(2)), (Tok::Word(_), Tok::Punct("(" | "<")))
    }

    fn typedef(&mut self, annotations: Vec<Annotation>, distinct: bool) -> Parsed<TypedefDecl> {
        let start = self.span();
        self.advance();
        let ty = self.type_ref()?;
        let name = self.ident()?;
        self.expect(";")?;
        self.declare(&name, true);
        Ok(TypedefDecl { annotations, distinct, ty, name, span: self.since(start) })
    }

    fn fields_decl(&mut self, annotations: Vec<Annotation>) -> Parsed<FieldsDecl> {
        let start = self.span();
        self.advance();
        let name = self.ident()?;
        // Known from here on, so that one broken field does not make a type of no name.
        self.declare(&name, true);
        if self.is("<") {
            let span = self.span();
            self.refuse(
                Code::RefusedDeclaration,
                span,
                "generic headers and structs",
                "declare one for each type",
            );
            return Err(Reported);
        }
        let open = self.expect("{")?;
        let mut fields = vec![];
        while !self.is("}") && !self.at_end() {
            match self.field() {
                Ok(field) => fields.push(field),
                Err(Reported) => self.skip_construct(),
            }
        }
        self.expect_close("}", open)?;
        Ok(FieldsDecl { annotations, name, fields, span: self.since(start) })
    }

    fn field(&mut self) -> Parsed<Field> {
        let annotations = self.annotations()?;
        let start = self.span();
        let ty = self.type_ref()?;
        let name = self.ident()?;
        self.expect(";")?;
        Ok(Field { annotations, ty, name, span: self.since(start) })
    }

    fn enum_decl(&mut self, annotations: Vec<Annotation>) -> Parsed<EnumDecl> {
        let start = self.expect_word("enum")?;
        let underlying = if self.ahead(1).is("{") { None } else { Some(self.type_ref()?) };
        let name = self.ident()?;
        self.declare(&name, true);
        let open = self.expect("{")?;
        let members = self.comma_list(open, "}", |this| {
            let name = this.ident()?;
            let value = if this.eat("=") { Some(this.expr()?) } else { None };
            if value.is_some() != underlying.is_some() {
                let (message, label) = match underlying {
                    Some(_) => {
                        ("an enum with an underlying type has a value for every member", "it has none")
                    }
                    None => ("an enum with values has an underlying type", "it has a value"),
                };
                this.diags.push(Diagnostic::error(Code::Syntax, message).at(name.span, label));
                return Err(Reported);
            }
            Ok(EnumMember { name, value })
        })?;
        Ok(EnumDecl { annotations, underlying, name, members, span: self.since(start) })
    }

    /// `error { A, B }` or `match_kind { a, b }`
    fn members(&mut self, annotations: Vec<Annotation>) -> Parsed<MembersDecl> {
        let start = self.span();
        self.advance();
        let open = self.expect("{")?;
        let members = self.comma_list(open, "}", Parser::ident)?;
        Ok(MembersDecl { annotations, members, span: self.since(start) })
    }

    fn extern_decl(&mut self, annotations: Vec<Annotation>) -> Parsed<Declaration> {
        let start = self.expect_word("extern")?;
        let is_object = matches!(self.tok(), Tok::Word(_))
            && (self.ahead(1).is("{") || (self.ahead(1).is("<") && !self.at_type(0) && !self.at_function()));
        if !is_object {
            return self.prototype(annotations, start, None).map(Declaration::ExternFunction);
        }
        let name = self.ident()?;
        self.declare(&name, true);
        self.scoped(|this| {
            let type_params = this.type_params()?;
            let open = this.expect("{")?;
            let mut methods = vec![];
            while !this.is("}") && !this.at_end() {
                let annotations = this.annotations()?;
                let start = this.span();
                methods.push(this.prototype(annotations, start, Some(&name.name))?);
            }
            this.expect_close("}", open)?;
            let span = this.since(start);
            Ok(Declaration::Extern(ExternDecl { annotations, name, type_params, methods, span }))
        })
    }

    /// `T name<...>(...);`, or a constructor `Name(...);`.
    fn prototype(
        &mut self,
        annotations: Vec<Annotation>,
        start: Span,
        object: Option<&str>,
    ) -> Parsed<Prototype> {
        if let Some(kind @ ("abstract" | "static")) = self.tok().word() {
            let plural = format!("`{kind}` methods");
            let span = self.span();
            self.refuse(Code::RefusedDeclaration, span, &plural, "no program can define methods");
            self.advance();
        }
        let is_constructor = object.is_some() && self.tok().word() == object && self.ahead(1).is("(");
        // A result type may be one of the type parameters, which are declared only behind the name.
        let result = if is_constructor { None } else { Some(self.type_ref()?) };
        let name = self.ident()?;
        let prototype = self.scoped(|this| {
            let type_params = this.type_params()?;
            let params = this.params()?;
            this.expect(";")?;
            let span = this.since(start);
            Ok(Prototype { annotations, result, name: name.clone(), type_params, params, span })
        })?;
        if object.is_none() {
            self.declare(&name, false);
        }
        Ok(prototype)
    }

    /// `<T, U>`, if it is there; declares the names as types.
    pub(super) fn type_params(&mut self) -> Parsed<Vec<Ident>> {
        if !self.is("<") {
            return Ok(vec![]);
        }
        let open = self.expect("<")?;
        let params = self.comma_list(open, ">", Parser::ident)?;
        for param in &params {
            self.declare(param, true);
        }
        Ok(params)
    }

    fn skip_type_params(&mut self) {
        while !self.at_end() && !matches!(self.tok(), Tok::Punct("{" | "(" | ";" | "}")) {
            self.advance();
        }
    }

    /// `( ... )`; declares the parameters.
    pub(super) fn params(&mut self) -> Parsed<Vec<Param>> {
        let open = self.expect("(")?;
        self.comma_list(open, ")", |this| {
            let annotations = this.annotations()?;
            let start = this.span();
            let direction = match this.tok().word() {
                Some("in") => Some(Direction::In),
                Some("out") => Some(Direction::Out),
                Some("inout") => Some(Direction::InOut),
                _ => None,
            };
            if direction.is_some() {
                this.advance();
            }
            let ty = this.type_ref()?;
            let name = this.ident()?;
            if this.eat("=") {
                let value = this.expr()?;
                let reason = "give every argument where the block or action is used";
                this.refuse(Code::RefusedDeclaration, value.span, "default values of parameters", reason);
            }
            this.declare(&name, false);
            Ok(Param { annotations, direction, ty, name, span: this.since(start) })
        })
    }

    pub(super) fn block_type(&mut self, annotations: Vec<Annotation>, start: Span) -> Parsed<BlockType> {
        let name = self.ident()?;
        self.declare(&name, true);
        self.scoped(|this| {
            let type_params = this.type_params()?;
            let params = this.params()?;
            let span = this.since(start);
            Ok(BlockType { annotations, name, type_params, params, span })
        })
    }

    /// `P(...) name;`. Functions begin alike, and are refused, as are variables at top level.
    fn instantiation(&mut self, annotations: Vec<Annotation>) -> Parsed<Option<Declaration>> {
        let start = self.span();
        let ty = self.type_ref()?;
        if !self.is("(") {
            let name = self.ident()?;
            self.declare(&name, false);
            self.lost.push(name.name);
            let span = self.since(start);
            let (plural, reason) = if self.is("(") || self.is("<") {
                ("functions", "write an action, or a macro for an expression")
            } else {
                ("variables at top level", "declare it in the parser or control that uses it, or as `const`")
            };
            if self.is("<") {
                self.skip_type_params();
            }
            if self.is("(") {
                self.skip_group();
            }
            self.skip_construct();
            self.refuse(Code::RefusedDeclaration, span, plural, reason);
            return Ok(None);
        }
        let (args, _) = self.args()?;
        let name = self.ident()?;
        self.declare(&name, false);
        if self.is("=") {
            let span = self.span();
            self.skip_construct();
            let reason = "there are no externs with abstract methods";
            self.refuse(Code::RefusedDeclaration, span, "object initializers", reason);
            return Ok(None);
        }
        self.expect(";")?;
        Ok(Some(Declaration::Instantiation(Instantiation {
            annotations,
            ty,
            args,
            name,
            span: self.since(start),
        })))
    }

    pub(super) fn action(&mut self, annotations: Vec<Annotation>) -> Parsed<ActionDecl> {
        let start = self.expect_word("action")?;
        let name = self.ident()?;
        self.declare(&name, false);
        self.scoped(|this| {
            let params = this.params()?;
            let body = this.block()?;
            Ok(ActionDecl { annotations, name, params, body, span: this.since(start) })
        })
    }
}

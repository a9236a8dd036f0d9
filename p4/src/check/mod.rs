//! The checker: from the syntax tree to the typed IR.
//!
//! Names are resolved, types checked and expressions lowered in one walk. It goes on after an error, with
//! values of unknown type that go with everything, so that one fault is reported once and the next ones too.
//!
//! First all declarations at top level are read in order; then `main` tells which parser and which control are
//! the NIC's; then the blocks are checked, those two and all others, each with just the names visible that
//! are declared before it.

mod call;
mod control;
mod expr;
mod fold;
mod keyset;
mod package;
mod parser;
mod scope;
mod stmt;
mod table;
mod types;
mod value;

use crate::ast::{self, Declaration};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::ir;
use crate::source::{SourceMap, Span};
use num_bigint::BigUint;
use scope::{BlockKind, Entity, Scope};
use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;
use types::{DistinctType, EnumType, Fields, Ty};
use value::wrap;

/// Scalars that one block may have.
const MAX_VARS: usize = 1 << 13;
/// Types within types.
const MAX_TYPE_DEPTH: usize = 64;
/// Fields of a struct, members of an enum, states of a parser, cases of a `select`.
const MAX_LIST: usize = 1 << 10;

/// Checks a program. It is lowered if there is no error, from the parser's either.
pub fn check(program: &ast::Program, sources: &SourceMap, diags: &mut Diagnostics) -> Option<ir::Program> {
    let mut checker = Checker {
        sources,
        diags,
        scopes: vec![Scope::default()],
        lost: program.lost.iter().map(String::as_str).collect(),
        order: 0,
        used: HashSet::new(),
        locals: vec![],
        errors: vec![],
        vars: vec![],
        headers: vec![],
        actions: vec![],
        action_decls: vec![],
        tables: vec![],
        applied: vec![],
        site: Site::Top,
        conditional: 0,
        branches: 0,
        applies: 0,
        stmts: vec![],
        ops: vec![],
        statements: 0,
    };
    let lowered = checker.program(program);
    if diags.has_errors() {
        None
    } else {
        lowered
    }
}

/// What is being checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Site {
    Top,
    Parser,
    /// The `apply` block of a control, and the initial values of its variables.
    Apply,
    Action,
    Table,
}

struct Checker<'a> {
    sources: &'a SourceMap,
    diags: &'a mut Diagnostics,
    /// The global scope first.
    scopes: Vec<Scope<'a>>,
    /// Names whose declarations the tree lacks.
    lost: HashSet<&'a str>,
    /// Declarations so far.
    order: u32,
    /// Declared names that something refers to.
    used: HashSet<Span>,
    /// Variables of the program, to warn of unused ones.
    locals: Vec<ast::Ident>,
    /// Every error, and where it is declared.
    errors: Vec<(String, Span)>,
    // What the block under check has so far.
    vars: Vec<ir::Var>,
    headers: Vec<ir::Header>,
    actions: Vec<ir::Action>,
    /// Beside `actions`.
    action_decls: Vec<&'a ast::ActionDecl>,
    tables: Vec<ir::Table>,
    /// Beside `tables`: where each is declared and where it is applied.
    applied: Vec<(Span, Option<Span>)>,
    site: Site,
    /// How deep the expression is in parts that may not be evaluated.
    conditional: u32,
    /// How deep the statement is in branches.
    branches: u32,
    /// Applications of tables so far.
    applies: u32,
    /// Where statements and parser operations go, the innermost last.
    stmts: Vec<Vec<ir::Stmt>>,
    ops: Vec<Vec<ir::ParserOp>>,
    statements: usize,
}

/// The constant zero of a type.
fn zero(ty: ir::Type, span: Span) -> ir::Expr {
    ir::Expr { kind: ir::ExprKind::Const(BigUint::ZERO), ty, span }
}

impl<'a> Checker<'a> {
    fn error(&mut self, code: Code, span: Span, message: impl fmt::Display, label: impl fmt::Display) {
        self.diags.push(Diagnostic::error(code, message).at(span, label));
    }

    /// Reports something outside of the subset.
    fn refuse(&mut self, code: Code, span: Span, plural: &str, reason: &str) {
        self.diags.push(
            Diagnostic::error(code, format!("{plural} are not supported"))
                .at(span, "outside of the subset")
                .note(reason),
        );
    }

    /// Warns of annotations other than the ones that have an effect here, or that only document.
    fn annotations(&mut self, annotations: &[ast::Annotation], known: &[&str]) {
        for annotation in annotations {
            let name = &*annotation.name.name;
            if known.contains(&name) {
                if name == "name" && !matches!(annotation.body, Some(ast::AnnotationBody::Text(_))) {
                    self.error(Code::BadCall, annotation.span, "`@name` takes one string", "not a string");
                }
            } else if !matches!(name, "brief" | "description" | "pkginfo" | "noWarn") {
                self.diags.push(
                    Diagnostic::warning(
                        Code::AnnotationIgnored,
                        format!("annotation `@{name}` has no effect here"),
                    )
                    .at(annotation.span, "ignored"),
                );
            }
        }
    }

    /// Refuses a parser or control with type parameters.
    fn generic(&mut self, head: &ast::BlockType) {
        if let Some(param) = head.type_params.first() {
            let reason = "name the types; there is one instance of each block";
            self.refuse(Code::RefusedDeclaration, param.span, "generic parsers and controls", reason);
        }
    }

    fn program(&mut self, program: &'a ast::Program) -> Option<ir::Program> {
        let mut blocks = vec![];
        let mut instances = vec![];
        for declaration in &program.declarations {
            self.declaration(declaration, &mut blocks, &mut instances);
        }
        let main = self.main(&instances);
        let mut lowered = None;
        let mut unchecked = blocks;
        if let Some((parser, control)) = main {
            unchecked.retain(|(entity, _)| match entity {
                Entity::Parser(decl) => !std::ptr::eq(*decl, parser.0),
                Entity::Control(decl) => !std::ptr::eq(*decl, control.0),
                _ => true,
            });
            self.reset();
            let (parser, places) = self.parser(parser.0, parser.1);
            // The struct of headers and the metadata are the control's first two parameters.
            let shared = places.get(1..3).unwrap_or_default().to_vec();
            let control = self.control(control.0, control.1, &shared);
            lowered = parser.map(|parser| ir::Program {
                errors: self.errors.iter().map(|(name, _)| name.clone()).collect(),
                vars: std::mem::take(&mut self.vars),
                headers: std::mem::take(&mut self.headers),
                parser,
                control,
            });
        }
        for (block, order) in unchecked {
            self.reset();
            match block {
                Entity::Parser(decl) => {
                    self.parser(decl, order);
                    self.warn_apart(&decl.head, "parser");
                }
                Entity::Control(decl) => {
                    self.control(decl, order, &[]);
                    self.warn_apart(&decl.head, "control");
                }
                Entity::Action(decl) => self.check_action(decl, order),
                _ => {}
            }
        }
        for local in std::mem::take(&mut self.locals) {
            if !self.used.contains(&local.span) && !self.diags.has_errors() {
                self.diags.push(
                    Diagnostic::warning(Code::Unused, format!("variable `{}` is never used", local.name))
                        .at(local.span, "it has no effect"),
                );
            }
        }
        lowered
    }

    fn warn_apart(&mut self, head: &ast::BlockType, what: &str) {
        if !self.diags.has_errors() && !head.annotations.iter().any(|a| a.name.name == "noWarn") {
            self.diags.push(
                Diagnostic::warning(
                    Code::Unused,
                    format!("{what} `{}` is not a part of `main`", head.name.name),
                )
                .at(head.name.span, "it has no effect"),
            );
        }
    }

    /// Begins a block of its own.
    fn reset(&mut self) {
        self.vars.clear();
        self.headers.clear();
        self.actions.clear();
        self.action_decls.clear();
        self.tables.clear();
        self.applied.clear();
        self.statements = 0;
    }

    fn declaration(
        &mut self,
        declaration: &'a Declaration,
        blocks: &mut Vec<(Entity<'a>, u32)>,
        instances: &mut Vec<&'a ast::Instantiation>,
    ) {
        match declaration {
            Declaration::Const(decl) => self.const_decl(decl),
            Declaration::Typedef(decl) => self.typedef(decl),
            Declaration::Header(decl) => self.fields(decl, true),
            Declaration::Struct(decl) => self.fields(decl, false),
            Declaration::Enum(decl) => self.enum_decl(decl),
            Declaration::Error(decl) => self.error_members(decl),
            Declaration::MatchKind(decl) => {
                self.only_builtin(decl.span, "match kinds", "the hardware matches `exact` and `ternary`");
            }
            Declaration::Extern(decl) => {
                self.only_builtin(decl.name.span, "externs", "no hardware stands behind one");
                let entity = match &*decl.name.name {
                    "packet_in" => Entity::Type(Ty::PacketIn),
                    _ => Entity::Extern,
                };
                self.declare(&decl.name, entity);
            }
            Declaration::ExternFunction(decl) => {
                self.only_builtin(decl.name.span, "extern functions", "no hardware stands behind one");
                let known = self.scopes[0].names.get(&decl.name.name);
                // Overloads of one function.
                if !known.is_some_and(|known| matches!(known.entity, Entity::ExternFunction)) {
                    self.declare(&decl.name, Entity::ExternFunction);
                }
            }
            Declaration::Action(decl) => {
                self.declare(&decl.name, Entity::Action(decl));
                if !self.sources.is_builtin(decl.span) {
                    blocks.push((Entity::Action(decl), self.order));
                }
            }
            Declaration::ParserType(decl) => self.block_type(decl, BlockKind::Parser),
            Declaration::ControlType(decl) => self.block_type(decl, BlockKind::Control),
            Declaration::PackageType(decl) => {
                self.only_builtin(decl.name.span, "packages", "<baton.p4> declares the one that there is");
                self.declare(&decl.name, Entity::Package(decl));
            }
            Declaration::Parser(decl) => {
                self.declare(&decl.head.name, Entity::Parser(decl));
                blocks.push((Entity::Parser(decl), self.order));
            }
            Declaration::Control(decl) => {
                self.declare(&decl.head.name, Entity::Control(decl));
                blocks.push((Entity::Control(decl), self.order));
            }
            Declaration::Instantiation(decl) => {
                self.annotations(&decl.annotations, &[]);
                self.declare(&decl.name, Entity::Instance);
                instances.push(decl);
            }
        }
    }

    /// Refuses what only the architecture may declare.
    fn only_builtin(&mut self, span: Span, plural: &str, reason: &str) {
        if !self.sources.is_builtin(span) {
            self.refuse(Code::RefusedDeclaration, span, &format!("{plural} of a program's own"), reason);
        }
    }

    fn block_type(&mut self, decl: &'a ast::BlockType, kind: BlockKind) {
        self.only_builtin(decl.name.span, "types of blocks", "<baton.p4> declares those that there are");
        self.declare(&decl.name, Entity::BlockType(decl, kind));
    }

    fn typedef(&mut self, decl: &'a ast::TypedefDecl) {
        self.annotations(&decl.annotations, &[]);
        let inner = self.resolve(&decl.ty);
        let ty = match (&inner, decl.distinct) {
            (Ty::Unknown, _) | (_, false) => inner,
            (Ty::Bits(_) | Ty::Bool | Ty::Enum(_) | Ty::Distinct(_), true) => {
                let depth = inner.depth() + 1;
                let def = DistinctType { name: decl.name.name.clone(), inner, depth };
                self.not_too_deep(Ty::Distinct(Rc::new(def)), decl.name.span)
            }
            (_, true) => {
                let message = format!("`type` cannot be made of `{inner}`");
                self.error(
                    Code::BadNesting,
                    decl.ty.span,
                    message,
                    "it is made of `bit<N>`, `bool` or an enum",
                );
                Ty::Unknown
            }
        };
        self.declare(&decl.name, Entity::Type(ty));
    }

    /// The type, or an unknown one if it is made of types too deep.
    fn not_too_deep(&mut self, ty: Ty, span: Span) -> Ty {
        if ty.depth() <= MAX_TYPE_DEPTH {
            return ty;
        }
        let label = format!("more than {MAX_TYPE_DEPTH} types, one within the other");
        self.error(Code::TooDeep, span, "this type is nested too deeply", label);
        Ty::Unknown
    }

    /// Whether a list is longer than the compiler takes; then it is reported.
    fn too_many(&mut self, count: usize, most: usize, what: &str, span: Span) -> bool {
        if count > most {
            self.error(
                Code::TooLarge,
                span,
                format!("more than {most} {what}"),
                format!("there are {count}"),
            );
        }
        count > most
    }

    fn fields(&mut self, decl: &'a ast::FieldsDecl, is_header: bool) {
        self.annotations(&decl.annotations, &[]);
        if self.too_many(decl.fields.len(), MAX_LIST, "fields", decl.name.span) {
            return self.declare(&decl.name, Entity::Unknown);
        }
        let mut fields: Vec<(ast::Ident, Ty)> = vec![];
        for field in &decl.fields {
            self.annotations(&field.annotations, &[]);
            let ty = self.resolve(&field.ty);
            if let Some((former, _)) = fields.iter().find(|(former, _)| former.name == field.name.name) {
                self.diags.push(
                    Diagnostic::error(
                        Code::Redeclared,
                        format!("field `{}` is declared twice", field.name.name),
                    )
                    .at(field.name.span, "second declaration")
                    .also(former.span, "first declaration"),
                );
                continue;
            }
            let fits = if is_header {
                ty.wire_width().is_some()
            } else {
                ty.scalar().is_some() || matches!(ty, Ty::Header(_) | Ty::Struct(_))
            };
            if !fits {
                let (place, may) = if is_header {
                    ("header", "it has fields of type `bit<N>`, `bool` and serializable enums")
                } else {
                    ("struct", "it has fields that are scalars, headers and structs")
                };
                self.error(Code::BadNesting, field.ty.span, format!("a {place} cannot hold `{ty}`"), may);
                continue;
            }
            fields.push((field.name.clone(), ty));
        }
        let depth = 1 + fields.iter().map(|(_, ty)| ty.depth()).max().unwrap_or(0);
        let def = Rc::new(Fields { name: decl.name.name.clone(), fields, depth });
        let ty = if is_header { Ty::Header(def) } else { Ty::Struct(def) };
        let ty = self.not_too_deep(ty, decl.name.span);
        let entity = if scalars(&ty) > MAX_VARS {
            let message = format!("`{ty}` holds more than {MAX_VARS} fields");
            self.error(Code::TooLarge, decl.name.span, message, "with all that it is made of");
            Entity::Unknown
        } else {
            Entity::Type(ty)
        };
        self.declare(&decl.name, entity);
    }

    fn enum_decl(&mut self, decl: &'a ast::EnumDecl) {
        self.annotations(&decl.annotations, &[]);
        let underlying = match &decl.underlying {
            None => None,
            Some(ty) => match self.resolve(ty) {
                Ty::Bits(width) => Some(width),
                Ty::Unknown => return self.declare(&decl.name, Entity::Unknown),
                other => {
                    let message = format!("an enum cannot be made of `{other}`");
                    self.error(Code::BadNesting, ty.span, message, "it is made of `bit<N>`");
                    return self.declare(&decl.name, Entity::Unknown);
                }
            },
        };
        if self.too_many(decl.members.len(), MAX_LIST, "members", decl.name.span) {
            return self.declare(&decl.name, Entity::Unknown);
        }
        if decl.members.is_empty() {
            self.error(Code::Syntax, decl.name.span, "an enum without members", "it has no values");
        }
        let mut members: Vec<(String, BigUint)> = vec![];
        for (index, member) in decl.members.iter().enumerate() {
            if members.iter().any(|(former, _)| *former == member.name.name) {
                let message = format!("member `{}` is declared twice", member.name.name);
                self.error(Code::Redeclared, member.name.span, message, "second declaration");
                continue;
            }
            let value = match (&member.value, underlying) {
                (Some(value), Some(width)) => {
                    let value = self.expr(value);
                    let span = value.span;
                    let Some(expr) = self.convert(value, &Ty::Bits(width)) else { continue };
                    match expr.as_const() {
                        Some(number) => number.clone(),
                        None => {
                            self.not_constant(span, "the value of an enum's member");
                            continue;
                        }
                    }
                }
                _ => wrap(&index.into(), 32),
            };
            members.push((member.name.name.clone(), value));
        }
        let def = EnumType { name: decl.name.name.clone(), underlying, members };
        self.declare(&decl.name, Entity::Type(Ty::Enum(Rc::new(def))));
    }

    fn error_members(&mut self, decl: &'a ast::MembersDecl) {
        self.annotations(&decl.annotations, &[]);
        for member in &decl.members {
            if let Some((_, former)) = self.errors.iter().find(|(name, _)| *name == member.name) {
                self.diags.push(
                    Diagnostic::error(Code::Redeclared, format!("error `{}` is declared twice", member.name))
                        .at(member.span, "second declaration")
                        .also(*former, "first declaration"),
                );
                continue;
            }
            if self.errors.len() == 1 << ir::ERROR_BITS {
                let label = format!("an error is reported in {} bits", ir::ERROR_BITS);
                self.error(Code::TooLarge, member.span, "too many errors", label);
                return;
            }
            self.errors.push((member.name.clone(), member.span));
        }
    }
}

/// How many scalars a value of the type is made of.
fn scalars(ty: &Ty) -> usize {
    match ty {
        Ty::Struct(def) | Ty::Header(def) => {
            def.fields.iter().fold(1usize, |sum, (_, ty)| sum.saturating_add(scalars(ty)).min(MAX_VARS + 1))
        }
        _ => 1,
    }
}

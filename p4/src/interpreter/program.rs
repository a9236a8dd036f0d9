//! Reading a program before any packet comes: its declarations at top level, and which blocks `main` names.

use super::machine::{Codes, Context, Machine, Run, Stop};
use super::names::{Entity, Scope};
use super::value::{EnumType, Fields, Type};
use crate::ast::{self, Declaration, ExprKind, TypeKind};
use num_bigint::BigUint;
use std::rc::Rc;

/// The main parser and control, each with the scope that it is declared in.
#[derive(Debug)]
pub(super) struct Blocks<'a> {
    pub parser: (&'a ast::ParserDecl, Scope),
    pub control: (&'a ast::ControlDecl, Scope),
}

pub(super) fn read(program: &ast::Program) -> Run<(Context<'_>, Blocks<'_>)> {
    let mut errors: Vec<&str> = vec![];
    for declaration in &program.declarations {
        if let Declaration::Error(decl) = declaration {
            errors.extend(decl.members.iter().map(|member| member.name.as_str()));
        }
    }
    let code = |name: &str| errors.iter().position(|error| *error == name).unwrap_or(0);
    let codes = Codes {
        packet_too_short: code("PacketTooShort"),
        no_match: code("NoMatch"),
        parser_timeout: code("ParserTimeout"),
    };
    let mut context = Context { globals: Default::default(), errors, tables: vec![], codes };
    let (mut parsers, mut controls, mut package, mut main) = (vec![], vec![], None, None);
    for declaration in &program.declarations {
        let scope = context.globals.scope();
        match declaration {
            Declaration::Parser(decl) => parsers.push((decl, scope)),
            Declaration::Control(decl) => controls.push((decl, scope)),
            Declaration::PackageType(decl) => package = Some(decl),
            Declaration::Instantiation(decl) if decl.name.name == "main" => main = Some(decl),
            _ => {}
        }
        match Machine::new(&context, scope, &[]).global(declaration)? {
            Some((name, entity)) => context.globals.declare(name, entity),
            None => context.globals.pass(),
        }
    }
    let nowhere = || {
        let anywhere = crate::source::Span::new(crate::source::FileId(0), 0, 0);
        Stop::unexpected(anywhere, "a program without `main`")
    };
    let (main, package) = (main.ok_or_else(nowhere)?, package.ok_or_else(nowhere)?);
    let block = |param: &str| block_of(main, package, param);
    let parser =
        block("main_parser").and_then(|name| parsers.into_iter().find(|(d, _)| d.head.name.name == name));
    let control =
        block("main_control").and_then(|name| controls.into_iter().find(|(d, _)| d.head.name.name == name));
    match (parser, control) {
        (Some(parser), Some(control)) => Ok((context, Blocks { parser, control })),
        _ => Err(Stop::unexpected(main.span, "`main` without its parser and control")),
    }
}

/// The name of the block that `main` gives for a parameter of the package.
fn block_of<'a>(main: &'a ast::Instantiation, package: &ast::BlockType, param: &str) -> Option<&'a str> {
    let position = package.params.iter().position(|known| known.name.name == param)?;
    let named = main.args.iter().find(|arg| arg.name.as_ref().is_some_and(|name| name.name == param));
    match &named.or(main.args.get(position))?.value.as_ref()?.kind {
        ExprKind::Construct { ty, .. } => match &ty.kind {
            TypeKind::Named(path) => Some(&path.name),
            _ => None,
        },
        ExprKind::Call { callee, .. } => match &callee.kind {
            ExprKind::Name(path) => Some(&path.name),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Machine<'a, '_> {
    /// What a declaration at top level declares, if an expression can name it.
    fn global(&mut self, declaration: &'a Declaration) -> Run<Option<(&'a str, Entity<'a>)>> {
        Ok(Some(match declaration {
            Declaration::Const(decl) => (&decl.name.name, Entity::Const(self.constant(decl)?)),
            Declaration::Typedef(decl) => (&decl.name.name, Entity::Type(self.resolve(&decl.ty)?)),
            Declaration::Header(decl) => (&decl.name.name, Entity::Type(Type::Header(self.fields(decl)?))),
            Declaration::Struct(decl) => (&decl.name.name, Entity::Type(Type::Struct(self.fields(decl)?))),
            Declaration::Enum(decl) => (&decl.name.name, Entity::Type(Type::Enum(self.enum_type(decl)?))),
            Declaration::Extern(decl) if decl.name.name == "packet_in" => {
                (&decl.name.name, Entity::Type(Type::Packet))
            }
            Declaration::ExternFunction(decl) => (&decl.name.name, Entity::Function),
            Declaration::Action(decl) => (&decl.name.name, Entity::Action(decl, self.names.scope)),
            _ => return Ok(None),
        }))
    }

    fn fields(&mut self, decl: &'a ast::FieldsDecl) -> Run<Rc<Fields>> {
        let field = |field: &ast::Field| Ok((field.name.name.clone(), self.resolve(&field.ty)?));
        let fields = decl.fields.iter().map(field).collect::<Run<_>>()?;
        Ok(Rc::new(Fields { name: decl.name.name.clone(), fields }))
    }

    fn enum_type(&mut self, decl: &'a ast::EnumDecl) -> Run<Rc<EnumType>> {
        let width = match &decl.underlying {
            None => None,
            Some(ty) => match self.resolve(ty)? {
                Type::Bits(width) => Some(width),
                _ => return Err(Stop::unexpected(ty.span, "an enum of something else than bits")),
            },
        };
        let mut members = vec![];
        for (index, member) in decl.members.iter().enumerate() {
            let number = match &member.value {
                None => BigUint::from(index),
                Some(value) => self.key_number(value)?,
            };
            members.push((member.name.name.clone(), number));
        }
        Ok(Rc::new(EnumType { name: decl.name.name.clone(), width, members }))
    }
}

//! `main`: which parser and which control make the NIC, and whether they are what the architecture asks for.

use super::scope::Entity;
use super::types::Ty;
use super::Checker;
use crate::ast::{self, ExprKind, TypeKind};
use crate::diag::{Code, Diagnostic};
use std::collections::HashMap;

/// The main parser and the main control, each with its place among the declarations.
type Main<'a> = ((&'a ast::ParserDecl, u32), (&'a ast::ControlDecl, u32));

/// What the type parameters of the package stand for.
type Bindings = HashMap<String, Ty>;

impl<'a> Checker<'a> {
    pub(super) fn main(&mut self, instances: &[&'a ast::Instantiation]) -> Option<Main<'a>> {
        for instance in instances.iter().filter(|instance| instance.name.name != "main") {
            let reason = "the one instance at top level is `main`";
            self.refuse(Code::RefusedDeclaration, instance.span, "other instances at top level", reason);
        }
        let Some(main) = instances.iter().find(|instance| instance.name.name == "main") else {
            // It may have been lost to an error before.
            if self.diags.has_errors() {
                return None;
            }
            let diagnostic = Diagnostic::error(Code::NoMain, "the program has no `main`")
                .help("end it with `BATON_NIC(MainParser(), MainControl()) main;`");
            let main_file = self.sources.files().find(|(_, file)| file.directory.is_some());
            let diagnostic = match main_file {
                Some((id, file)) => {
                    let end = file.text.len();
                    diagnostic.at(crate::source::Span::new(id, end, end), "it ends here")
                }
                None => diagnostic,
            };
            self.diags.push(diagnostic);
            return None;
        };
        let package = self.package_of(main)?;
        let values = self.bind_args(&package.params, &main.args, main.span, package.name.span)?;
        let mut bindings = Bindings::new();
        let (mut parser, mut control) = (None, None);
        for (param, value) in package.params.iter().zip(values) {
            match self.argument(param, value, package, &mut bindings)? {
                (Entity::Parser(decl), order) => parser = Some((decl, order)),
                (Entity::Control(decl), order) => control = Some((decl, order)),
                _ => return None,
            }
        }
        Some((parser?, control?))
    }

    fn package_of(&mut self, main: &'a ast::Instantiation) -> Option<&'a ast::BlockType> {
        let (TypeKind::Named(path) | TypeKind::Specialized { base: path, .. }) = &main.ty.kind else {
            self.error(
                Code::Architecture,
                main.ty.span,
                "`main` is an instance of a package",
                "not a package",
            );
            return None;
        };
        if let TypeKind::Specialized { .. } = main.ty.kind {
            let reason = "they follow from the parser and the control";
            self.refuse(Code::RefusedDeclaration, main.ty.span, "type arguments of `main`", reason);
        }
        let Some(found) = self.lookup(path) else {
            self.diags.push(
                Diagnostic::error(Code::UnknownType, format!("package `{}` is not declared", path.name))
                    .at(path.span, "not found")
                    .help("`#include <baton.p4>` declares `BATON_NIC`"),
            );
            return None;
        };
        match found.entity {
            Entity::Package(package) if self.sources.is_builtin(package.span) => Some(package),
            Entity::Package(_) | Entity::Unknown => None,
            other => {
                let message = format!("`{}` is {}, not a package", path.name, other.describe());
                self.error(Code::Architecture, path.span, message, "`main` is an instance of `BATON_NIC`");
                None
            }
        }
    }

    /// The block that is given for a parameter of the package: `Name()`.
    fn argument(
        &mut self,
        param: &'a ast::Param,
        value: Option<&'a ast::Expr>,
        package: &'a ast::BlockType,
        bindings: &mut Bindings,
    ) -> Option<(Entity<'a>, u32)> {
        let what = format!("`{}` of `{}`", param.name.name, package.name.name);
        let span = value.map_or(param.span, |value| value.span);
        let wrong = |this: &mut Self, label: &str| {
            this.error(Code::Architecture, span, format!("this cannot be the {what}"), label);
            None
        };
        let path = match value.map(|value| &value.kind) {
            Some(ExprKind::Construct { ty: ast::TypeRef { kind: TypeKind::Named(path), .. }, args }) => {
                if !args.is_empty() {
                    return wrong(self, "blocks have no constructor parameters");
                }
                path
            }
            // A name that is not declared as a type is parsed as the call of a function.
            Some(ExprKind::Call { callee, .. }) => match &callee.kind {
                ExprKind::Name(path) => path,
                _ => return wrong(self, "expected an instance, as in `MainParser()`"),
            },
            _ => return wrong(self, "expected an instance, as in `MainParser()`"),
        };
        let Some(found) = self.lookup(path) else {
            self.unknown_name(&path.name, path.span);
            return None;
        };
        let TypeKind::Specialized { base, args } = &param.ty.kind else { return None };
        let asked = self.lookup(base)?;
        let Entity::BlockType(asked, _) = asked.entity else { return None };
        let head = match (&found.entity, &*base.name) {
            (Entity::Parser(decl), "MainParserT") => &decl.head,
            (Entity::Control(decl), "MainControlT") => &decl.head,
            (Entity::Unknown, _) => return None,
            (other, _) => {
                let label = format!("it is {}", other.describe());
                return wrong(self, &label);
            }
        };
        // The block type's own parameters are named by the package's.
        let outer: Vec<&str> = args
            .iter()
            .map(|arg| match &arg.kind {
                TypeKind::Named(path) => path.name.as_str(),
                _ => "_",
            })
            .collect();
        self.same_shape(asked, head, &outer, bindings).then_some((found.entity, found.order))
    }

    /// Whether a block has the parameters that its type asks for.
    fn same_shape(
        &mut self,
        asked: &'a ast::BlockType,
        head: &'a ast::BlockType,
        outer: &[&str],
        bindings: &mut Bindings,
    ) -> bool {
        let name = &head.name;
        if asked.params.len() != head.params.len() {
            let message =
                format!("`{}` has {} parameters, not {}", name.name, head.params.len(), asked.params.len());
            self.diags.push(
                Diagnostic::error(Code::Architecture, message)
                    .at(name.span, "it does not fit the architecture")
                    .also(asked.name.span, "this is what it has to be like"),
            );
            return false;
        }
        let mut fits = true;
        for (want, have) in asked.params.iter().zip(&head.params) {
            let direction = |direction: Option<ast::Direction>| match direction {
                None => "no direction",
                Some(ast::Direction::In) => "`in`",
                Some(ast::Direction::Out) => "`out`",
                Some(ast::Direction::InOut) => "`inout`",
            };
            if want.direction != have.direction {
                let message = format!(
                    "parameter `{}` has {}, not {}",
                    have.name.name,
                    direction(have.direction),
                    direction(want.direction)
                );
                let mut diagnostic = Diagnostic::error(Code::Architecture, message)
                    .at(have.span, "it does not fit the architecture")
                    .also(want.span, "this is what it has to be like");
                if asked.name.name == "MainControlT" && want.name.name == "main_hdr" {
                    diagnostic = diagnostic.note("packets are not rewritten on receive");
                }
                self.diags.push(diagnostic);
                fits = false;
            }
            let have_ty = self.resolve(&have.ty);
            let type_param = match &want.ty.kind {
                TypeKind::Named(path) => asked.type_params.iter().position(|param| param.name == path.name),
                _ => None,
            };
            let want_ty = match type_param {
                None => self.resolve(&want.ty),
                Some(index) => {
                    if !matches!(have_ty, Ty::Struct(_) | Ty::Unknown) {
                        let message = format!("parameter `{}` is `{have_ty}`", have.name.name);
                        self.error(
                            Code::Architecture,
                            have.ty.span,
                            message,
                            "headers and metadata are structs",
                        );
                        fits = false;
                    }
                    bindings
                        .entry(outer.get(index).unwrap_or(&"_").to_string())
                        .or_insert(have_ty.clone())
                        .clone()
                }
            };
            if !have_ty.same(&want_ty) {
                let message = format!("parameter `{}` is `{have_ty}`, not `{want_ty}`", have.name.name);
                self.diags.push(
                    Diagnostic::error(Code::Architecture, message)
                        .at(have.ty.span, "it does not fit the architecture")
                        .also(want.span, "this is what it has to be like"),
                );
                fits = false;
            }
        }
        fits
    }
}

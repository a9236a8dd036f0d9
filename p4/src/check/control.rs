//! Controls: their actions, tables and `apply` block.

use super::scope::Entity;
use super::types::Ty;
use super::value::{Place, PlaceKind};
use super::{Checker, Site};
use crate::ast;
use crate::diag::{Code, Diagnostic};
use crate::ir;
use crate::source::Span;

impl<'a> Checker<'a> {
    /// Checks a control. `shared` are the places of its first parameters, if they are another block's.
    pub(super) fn control(
        &mut self,
        decl: &'a ast::ControlDecl,
        order: u32,
        shared: &[Place],
    ) -> ir::Control {
        self.annotations(&decl.head.annotations, &[]);
        self.generic(&decl.head);
        self.site = Site::Apply;
        let former = std::mem::replace(&mut self.scopes[0].limit, order);
        let body = self.scoped(|this| {
            this.params(&decl.head.params, shared);
            this.collect(|this| {
                for local in &decl.locals {
                    match local {
                        ast::ControlLocal::Const(decl) => this.const_decl(decl),
                        ast::ControlLocal::Var(decl) => this.var_decl(decl),
                        ast::ControlLocal::Action(action) => {
                            this.declare(&action.name, Entity::Action(action));
                            let order = this.order;
                            this.check_action(action, order);
                        }
                        ast::ControlLocal::Table(table) => this.table(table),
                    }
                }
                this.block(&decl.apply);
            })
        });
        self.scopes[0].limit = former;
        self.warn_unused(decl);
        ir::Control {
            name: decl.head.name.name.clone(),
            actions: std::mem::take(&mut self.actions),
            tables: std::mem::take(&mut self.tables),
            body,
        }
    }

    fn warn_unused(&mut self, decl: &'a ast::ControlDecl) {
        let applied = std::mem::take(&mut self.applied);
        for (table, (_, applied)) in self.tables.iter_mut().zip(applied) {
            table.applied = applied.is_some();
        }
        // What seems unused may be used in what an error hides.
        if self.diags.has_errors() {
            return;
        }
        let quiet = |annotations: &[ast::Annotation]| annotations.iter().any(|a| a.name.name == "noWarn");
        for local in &decl.locals {
            let (name, what, annotations) = match local {
                ast::ControlLocal::Action(action) => (&action.name, "action", &action.annotations),
                ast::ControlLocal::Table(table) => (&table.name, "table", &table.annotations),
                _ => continue,
            };
            if !self.used.contains(&name.span) && !quiet(annotations) {
                let way = if what == "table" { "applied" } else { "used" };
                self.diags.push(
                    Diagnostic::warning(Code::Unused, format!("{what} `{}` is never {way}", name.name))
                        .at(name.span, "it has no effect")
                        .help("`@noWarn(\"unused\")` before it keeps this quiet"),
                );
            }
        }
    }

    /// Checks an action where it stands, whoever uses it.
    pub(super) fn check_action(&mut self, action: &'a ast::ActionDecl, order: u32) {
        self.annotations(&action.annotations, &["name", "noWarn"]);
        let (vars, headers) = (self.vars.len(), self.headers.len());
        let mut directionless: Option<Span> = None;
        for param in &action.params {
            self.annotations(&param.annotations, &["name"]);
            match (param.direction, directionless) {
                (None, _) => directionless = Some(param.span),
                (Some(_), Some(first)) => {
                    self.diags.push(
                        Diagnostic::error(Code::Syntax, "parameters with a direction come first")
                            .at(param.span, "this has a direction")
                            .also(first, "this has none"),
                    );
                }
                _ => {}
            }
        }
        self.action_body(action, order, None);
        self.vars.truncate(vars);
        self.headers.truncate(headers);
    }

    /// The variables of an action's parameters, and its body. `id` is that of an action in a table.
    fn action_body(
        &mut self,
        action: &'a ast::ActionDecl,
        order: u32,
        id: Option<ir::ActionId>,
    ) -> (Vec<ir::VarId>, Vec<ir::Stmt>) {
        let mut vars = vec![];
        let mut body = vec![];
        self.in_scope_of(order, |this| {
            for (index, param) in action.params.iter().enumerate() {
                let ty = this.resolve(&param.ty);
                if ty.scalar().is_none() {
                    let plural = format!("action parameters of type `{ty}`");
                    this.refuse(Code::RefusedType, param.ty.span, &plural, "give the fields one by one");
                    this.declare(&param.name, Entity::Unknown);
                    continue;
                }
                let read_only = match param.direction {
                    Some(ast::Direction::Out | ast::Direction::InOut) => None,
                    _ => Some("a parameter without `out` cannot be written"),
                };
                let role = |_: &str| id.map_or(ir::Role::Local, |id| ir::Role::Param(id, index));
                let name = this.control_name(&param.name, &param.annotations);
                let place = this.allocate(&name, &ty, &role, read_only, param.name.span);
                if let PlaceKind::Scalar(var) = place.kind {
                    vars.push(var);
                }
                this.declare(&param.name, Entity::Place(place));
            }
            let site = std::mem::replace(&mut this.site, Site::Action);
            body = this.collect(|this| this.block(&action.body));
            this.site = site;
        });
        (vars, body)
    }

    /// The action of a table's list, made when it is first listed.
    pub(super) fn action_id(&mut self, action: &'a ast::ActionDecl, order: u32) -> ir::ActionId {
        if let Some(index) = self.action_decls.iter().position(|known| std::ptr::eq(*known, action)) {
            return ir::ActionId(index as u32);
        }
        let id = ir::ActionId(self.actions.len() as u32);
        self.action_decls.push(action);
        let name = self.control_name(&action.name, &action.annotations);
        let former = self.actions.iter().find(|known| known.name == name).map(|known| known.span);
        self.one_of_its_name("actions", &name, action.name.span, former);
        self.actions.push(ir::Action { name, params: vec![], body: vec![], span: action.name.span });
        let (params, body) = self.action_body(action, order, Some(id));
        self.actions[id.index()].params = params;
        self.actions[id.index()].body = body;
        id
    }

    /// Runs `check` in the scope in which a declaration stands, with what comes before it visible.
    pub(super) fn in_scope_of(&mut self, order: u32, check: impl FnOnce(&mut Self)) {
        let holds =
            |scope: &super::scope::Scope| scope.names.values().any(|declared| declared.order == order);
        let level = self.scopes.iter().position(holds).unwrap_or(0);
        let above = self.scopes.split_off(level + 1);
        let former = std::mem::replace(&mut self.scopes[level].limit, order.saturating_sub(1));
        self.scoped(check);
        self.scopes[level].limit = former;
        self.scopes.extend(above);
    }

    /// Reports a second thing of one name in the control plane.
    pub(super) fn one_of_its_name(&mut self, what: &str, name: &str, span: Span, former: Option<Span>) {
        if let Some(former) = former {
            self.diags.push(
                Diagnostic::error(
                    Code::Redeclared,
                    format!("two {what} are called `{name}` in the control plane"),
                )
                .at(span, "second")
                .also(former, "first")
                .help("give one of them another name with `@name`"),
            );
        }
    }

    /// The name in the control plane: that of `@name`, or the one in the program.
    pub(super) fn control_name(&self, name: &ast::Ident, annotations: &[ast::Annotation]) -> String {
        let given = annotations.iter().find_map(|annotation| match &annotation.body {
            Some(ast::AnnotationBody::Text(text)) if annotation.name.name == "name" => Some(text.clone()),
            _ => None,
        });
        given.unwrap_or_else(|| name.name.clone())
    }

    /// Declares a block's parameters and makes places for them. The first of `shared` that are structs stand
    /// for those of the control, which sees them as its own parameters say.
    pub(super) fn params(&mut self, params: &'a [ast::Param], shared: &[Place]) -> Vec<Place> {
        let mut places = vec![];
        for (index, param) in params.iter().enumerate() {
            self.annotations(&param.annotations, &[]);
            let ty = self.resolve(&param.ty);
            let writes = matches!(param.direction, Some(ast::Direction::Out | ast::Direction::InOut));
            let read_only = if writes || matches!(ty, Ty::PacketIn) {
                None
            } else {
                Some("it belongs to an `in` parameter")
            };
            let place = match shared.get(index) {
                Some(place) if place.ty.same(&ty) => with_access(place, read_only),
                _ => {
                    let role = self.role_of(&ty);
                    self.allocate(&param.name.name, &ty, &role, read_only, param.name.span)
                }
            };
            places.push(place.clone());
            self.declare(&param.name, Entity::Place(place));
        }
        places
    }

    /// What the scalars in a parameter of this type are.
    fn role_of(&self, ty: &Ty) -> impl Fn(&str) -> ir::Role {
        let name = match ty {
            Ty::Struct(def) => def.name.clone(),
            _ => String::new(),
        };
        move |field| match &*name {
            "baton_main_parser_input_metadata_t" => ir::Role::ParserInput(field.into()),
            "baton_main_input_metadata_t" => ir::Role::Input(field.into()),
            "baton_main_output_metadata_t" => ir::Role::Output(field.into()),
            _ => ir::Role::Metadata,
        }
    }
}

fn with_access(place: &Place, read_only: Option<&'static str>) -> Place {
    let each = |fields: &[(String, Place)]| {
        fields
            .iter()
            .map(|(name, field)| (name.clone(), with_access(field, read_only)))
            .collect::<Vec<_>>()
            .into()
    };
    let kind = match &place.kind {
        PlaceKind::Struct(fields) => PlaceKind::Struct(each(fields)),
        PlaceKind::Header(id, fields) => PlaceKind::Header(*id, each(fields)),
        other => other.clone(),
    };
    Place { ty: place.ty.clone(), kind, read_only }
}

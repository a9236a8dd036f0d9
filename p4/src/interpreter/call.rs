//! Calls: of actions, of tables' `apply`, and of what `core.p4` and the architecture declare.

use super::machine::{Machine, Run, Stop};
use super::names::{Entity, Scope};
use super::value::{Header, Type, Value};
use crate::ast::{self, Direction, ExprKind};
use crate::source::Span;

impl<'a> Machine<'a, '_> {
    pub(super) fn call(
        &mut self,
        callee: &ast::Expr,
        type_args: &[ast::TypeRef],
        args: &[ast::Arg],
        span: Span,
    ) -> Run<Value> {
        match &callee.kind {
            ExprKind::Name(path) => match self.names.lookup(path) {
                Some(Entity::Function) => self.function(&path.name, args, span),
                Some(Entity::Action(action, scope)) => {
                    let (action, scope) = (*action, *scope);
                    self.call_action(action, scope, args, span)
                }
                _ => Err(Stop::unexpected(span, "a call of this")),
            },
            ExprKind::Member { base, member } => self.method(base, &member.name, type_args, args, span),
            _ => Err(Stop::unexpected(span, "a call of this")),
        }
    }

    fn method(
        &mut self,
        base: &ast::Expr,
        name: &str,
        type_args: &[ast::TypeRef],
        args: &[ast::Arg],
        span: Span,
    ) -> Run<Value> {
        if let ExprKind::Name(path) = &base.kind {
            if let Some(Entity::Table(index, scope)) = self.names.lookup(path) {
                let (index, scope) = (*index, *scope);
                return self.apply(index, scope, span);
            }
        }
        match (self.stored(base), name) {
            (Some(Value::Header(header)), "isValid") => Ok(Value::Bool(header.offset_bytes.is_some())),
            (Some(Value::Header(header)), "minSizeInBits" | "maxSizeInBits") => {
                Ok(Value::Integer(width_of(header).into()))
            }
            (Some(Value::Header(header)), "minSizeInBytes" | "maxSizeInBytes") => {
                Ok(Value::Integer(width_of(header).div_ceil(8).into()))
            }
            (Some(Value::Packet), "extract") => self.extract(argument(args, 0, span)?),
            (Some(Value::Packet), "advance") => {
                let value = self.eval(argument(args, 0, span)?)?.implicit(&Type::Bits(32));
                let width = value.number().and_then(|number| usize::try_from(number).ok());
                let width = width.ok_or(Stop::unexpected(span, "a distance"))?;
                self.packet.advance(width).ok_or(Stop::Reject(self.codes.packet_too_short))?;
                Ok(Value::Nothing)
            }
            (Some(Value::Packet), "lookahead") => match type_args {
                [ty] => {
                    let ty = self.resolve(ty)?;
                    self.lookahead(&ty, span)
                }
                _ => Err(Stop::unexpected(span, "`lookahead` of nothing")),
            },
            _ => Err(Stop::unexpected(span, "a method that is not there")),
        }
    }

    /// Sets all fields and the validity, or nothing if the packet is too short.
    fn extract(&mut self, target: &ast::Expr) -> Run<Value> {
        let too_short = Stop::Reject(self.codes.packet_too_short);
        let mut packet = self.packet;
        let not_header = Stop::unexpected(target.span, "`extract` of something that is not a header");
        let Some(Value::Header(header)) = self.stored_mut(target) else { return Err(not_header) };
        let Some(width) = Type::Header(header.ty.clone()).packet_width() else { return Err(not_header) };
        if width > packet.left_bits() {
            return Err(too_short);
        }
        header.offset_bytes = Some(packet.position_bytes());
        for (field, (_, ty)) in header.fields.iter_mut().zip(&header.ty.fields) {
            let read = ty.packet_width().and_then(|width| packet.read(width));
            *field = read.and_then(|number| ty.value_of_bits(number)).ok_or(not_header.clone())?;
        }
        self.packet = packet;
        Ok(Value::Nothing)
    }

    fn lookahead(&mut self, ty: &Type, span: Span) -> Run<Value> {
        if self.dry {
            return Ok(ty.zero());
        }
        let unexpected = Stop::unexpected(span, "`lookahead` of this type");
        let Some(width) = ty.packet_width() else { return Err(unexpected) };
        let mut packet = self.packet;
        if width > packet.left_bits() {
            return Err(Stop::Reject(self.codes.packet_too_short));
        }
        let mut read = |ty: &Type| {
            let number = ty.packet_width().and_then(|width| packet.read(width));
            number.and_then(|number| ty.value_of_bits(number)).ok_or(unexpected.clone())
        };
        match ty {
            Type::Header(def) => {
                let fields = def.fields.iter().map(|(_, ty)| read(ty)).collect::<Run<_>>()?;
                Ok(Value::Header(Header { ty: def.clone(), fields, offset_bytes: None }))
            }
            ty => read(ty),
        }
    }

    fn function(&mut self, name: &str, args: &[ast::Arg], span: Span) -> Run<Value> {
        let first = argument(args, 0, span)?;
        match name {
            "verify" => {
                let holds = self.condition(first)?;
                match self.eval(argument(args, 1, span)?)? {
                    Value::Error(code) if !holds => Err(Stop::Reject(code)),
                    Value::Error(_) => Ok(Value::Nothing),
                    _ => Err(Stop::unexpected(span, "`verify` with something that is not an error")),
                }
            }
            "static_assert" => match self.condition(first)? {
                true => Ok(Value::Bool(true)),
                false => Err(Stop::unexpected(span, "a static assertion that does not hold")),
            },
            "header_offset" => match self.stored(first) {
                Some(Value::Header(header)) => Ok(Value::bits(16, header.offset_bytes.unwrap_or(0))),
                _ => Err(Stop::unexpected(span, "`header_offset` of something that is not a header")),
            },
            _ => Err(Stop::unexpected(span, "a function that is not there")),
        }
    }

    /// A direct call: arguments are copied in, and those of `out` and `inout` parameters out again
    /// (specification, section 6.8).
    fn call_action(
        &mut self,
        action: &'a ast::ActionDecl,
        scope: Scope,
        args: &[ast::Arg],
        span: Span,
    ) -> Run<Value> {
        let mut targets = vec![];
        let mut values = vec![];
        for (index, param) in action.params.iter().enumerate() {
            let named = args.iter().find(|arg| arg.name.as_ref().is_some_and(|n| n.name == param.name.name));
            let given = named.or(args.get(index)).ok_or(Stop::unexpected(span, "a missing argument"))?;
            values.push(match (param.direction, &given.value) {
                (Some(Direction::Out), _) => None,
                (_, Some(value)) => Some(self.eval(value)?),
                (_, None) => return Err(Stop::unexpected(span, "an argument without a value")),
            });
            targets.push(match param.direction {
                Some(Direction::Out | Direction::InOut) => given.value.as_ref(),
                _ => None,
            });
        }
        let results = self.run_action(action, scope, values)?;
        for (target, value) in targets.into_iter().zip(results) {
            if let Some(target) = target {
                self.assign(target, value)?;
            }
        }
        Ok(Value::Nothing)
    }

    /// Runs an action in the scope in which it is declared. Parameters without a value begin as zero. Returns
    /// what the parameters are in the end.
    pub(super) fn run_action(
        &mut self,
        action: &'a ast::ActionDecl,
        scope: Scope,
        values: Vec<Option<Value>>,
    ) -> Run<Vec<Value>> {
        self.within(scope, |this| {
            let mut variables = vec![];
            for (param, value) in action.params.iter().zip(values) {
                let ty = this.resolve(&param.ty)?;
                let value = value.map_or_else(|| ty.zero(), |value| value.implicit(&ty));
                variables.push(this.names.declare_variable(&param.name.name, value));
            }
            this.block(&action.body)?;
            Ok(variables.into_iter().map(|index| this.names.value(index).clone()).collect())
        })
    }
}

fn width_of(header: &Header) -> usize {
    Type::Header(header.ty.clone()).packet_width().unwrap_or(0)
}

fn argument(args: &[ast::Arg], index: usize, span: Span) -> Run<&ast::Expr> {
    let value = args.get(index).and_then(|arg| arg.value.as_ref());
    value.ok_or(Stop::unexpected(span, "a missing argument"))
}

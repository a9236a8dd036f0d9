//! One packet through the architecture of `baton.p4`: parser, then control.

use super::machine::{Context, Machine, Run, Stop};
use super::names::Entity;
use super::program::Blocks;
use super::table::Table;
use super::value::Value;
use super::{HeaderAt, Input, Outcome};
use crate::ast::{self, ControlLocal};
use crate::source::{SourceMap, Span};

/// What the parser leaves behind.
struct Parsed {
    headers: Value,
    metadata: Value,
    error: usize,
}

/// The tables of a control, as they are before the control plane fills them. The control's variables are all
/// zero meanwhile, which does not matter: entries and types are constants.
pub(super) fn tables<'a>(
    context: &Context<'a>,
    blocks: &Blocks<'a>,
    sources: &SourceMap,
) -> Run<Vec<Table<'a>>> {
    let (decl, scope) = blocks.control;
    let mut tables: Vec<Table<'a>> = vec![];
    let mut machine = Machine::new(context, scope, &[]);
    for param in &decl.head.params {
        let zero = machine.resolve(&param.ty)?.zero();
        machine.names.declare_variable(&param.name.name, zero);
    }
    for local in &decl.locals {
        match local {
            // A local variable may be initialized by what a table gives: its type is all that is wanted here.
            ControlLocal::Var(decl) => {
                let zero = machine.resolve(&decl.ty)?.zero();
                machine.names.declare_variable(&decl.name.name, zero);
            }
            ControlLocal::Const(decl) => machine.const_decl(decl)?,
            ControlLocal::Action(decl) => machine.action(decl),
            ControlLocal::Table(decl) => {
                let table = machine.table(decl, sources)?;
                machine.declare_table(decl, tables.len());
                tables.push(table);
            }
        }
    }
    Ok(tables)
}

/// Classifies a packet.
pub(super) fn run(context: &Context<'_>, blocks: &Blocks<'_>, packet: &[u8], input: Input) -> Run<Outcome> {
    let parsed = parse(context, blocks, packet, input)?;
    let headers = valid_headers(&parsed.headers);
    let (decl, scope) = blocks.control;
    let mut machine = Machine::new(context, scope, &[]);
    let mut istd = parameter_zero(&mut machine, &decl.head, 2)?;
    set(&mut istd, "recirculated", Value::Bool(input.recirculated), decl.span)?;
    set(&mut istd, "parser_error", Value::Error(parsed.error), decl.span)?;
    set(&mut istd, "packet_length", Value::bits(16, packet.len()), decl.span)?;
    let ostd = parameter_zero(&mut machine, &decl.head, 3)?;
    let values = [parsed.headers, parsed.metadata, istd, ostd];
    let mut variables = vec![];
    for (param, value) in decl.head.params.iter().zip(values) {
        variables.push(machine.names.declare_variable(&param.name.name, value));
    }
    machine.control(decl)?;
    let ostd = machine.names.value(variables[3]);
    let flag = |name: &str| match ostd.field(name) {
        Some(Value::Bool(value)) => Ok(*value),
        _ => Err(Stop::unexpected(decl.span, "an output that the architecture does not have")),
    };
    Ok(Outcome {
        hit: flag("hit")?,
        connection: output(ostd, "connection", decl.span)?,
        drop: flag("drop")?,
        queue: output(ostd, "queue", decl.span)?,
        class_of_service: output(ostd, "class_of_service", decl.span)?,
        parser_error: context.errors.get(parsed.error).copied().unwrap_or("NoError").into(),
        parser_error_code: parsed.error,
        network_offset: output(ostd, "network_offset", decl.span)?,
        transport_offset: output(ostd, "transport_offset", decl.span)?,
        payload_offset: output(ostd, "payload_offset", decl.span)?,
        headers,
        lookups: machine.lookups,
    })
}

fn parse(context: &Context<'_>, blocks: &Blocks<'_>, packet: &[u8], input: Input) -> Run<Parsed> {
    let (decl, scope) = blocks.parser;
    let mut machine = Machine::new(context, scope, packet);
    let mut variables = vec![];
    for (index, param) in decl.head.params.iter().enumerate() {
        let mut value = machine.resolve(&param.ty)?.zero();
        if index == 3 {
            set(&mut value, "recirculated", Value::Bool(input.recirculated), decl.span)?;
        }
        variables.push(machine.names.declare_variable(&param.name.name, value));
    }
    let [_, headers, metadata, _] = variables[..] else {
        return Err(Stop::unexpected(decl.span, "a parser of other parameters"));
    };
    let error = machine.parse(decl)?;
    let take = |variable| machine.names.value(variable).clone();
    Ok(Parsed { headers: take(headers), metadata: take(metadata), error })
}

fn parameter_zero(machine: &mut Machine<'_, '_>, head: &ast::BlockType, index: usize) -> Run<Value> {
    let param = head.params.get(index).ok_or(Stop::unexpected(head.span, "a control of other parameters"))?;
    Ok(machine.resolve(&param.ty)?.zero())
}

/// Sets a field of a struct of the architecture.
fn set(value: &mut Value, name: &str, to: Value, span: Span) -> Run<()> {
    match value.field_mut(name) {
        Some(field) if field.type_of() == to.type_of() => {
            *field = to;
            Ok(())
        }
        _ => Err(Stop::unexpected(span, "an input that the architecture does not have")),
    }
}

fn output<T: TryFrom<num_bigint::BigUint>>(ostd: &Value, name: &str, span: Span) -> Run<T> {
    let number = ostd.field(name).and_then(Value::number).and_then(|number| T::try_from(number).ok());
    number.ok_or(Stop::unexpected(span, "an output that the architecture does not have"))
}

/// The headers that were extracted, in the order of their declaration.
fn valid_headers(headers: &Value) -> Vec<HeaderAt> {
    fn walk(value: &Value, name: &str, found: &mut Vec<HeaderAt>) {
        match value {
            Value::Struct { ty, fields } => {
                for ((field, _), value) in ty.fields.iter().zip(fields) {
                    let dot = if name.is_empty() { "" } else { "." };
                    walk(value, &format!("{name}{dot}{field}"), found);
                }
            }
            Value::Header(header) => {
                let at = header.offset_bytes.map(|offset| HeaderAt { name: name.into(), offset });
                found.extend(at);
            }
            _ => {}
        }
    }
    let mut found = vec![];
    walk(headers, "", &mut found);
    found
}

impl<'a> Machine<'a, '_> {
    fn action(&mut self, decl: &'a ast::ActionDecl) {
        let scope = self.names.scope;
        self.names.declare(&decl.name.name, Entity::Action(decl, scope));
    }

    fn declare_table(&mut self, decl: &'a ast::TableDecl, index: usize) {
        let scope = self.names.scope;
        self.names.declare(&decl.name.name, Entity::Table(index, scope));
    }

    /// Runs a control, whose parameters are declared.
    fn control(&mut self, control: &'a ast::ControlDecl) -> Run<()> {
        let mut tables = 0;
        for local in &control.locals {
            match local {
                ControlLocal::Const(decl) => self.const_decl(decl)?,
                ControlLocal::Var(decl) => self.var_decl(decl)?,
                ControlLocal::Action(decl) => self.action(decl),
                ControlLocal::Table(decl) => {
                    self.declare_table(decl, tables);
                    tables += 1;
                }
            }
        }
        self.block(&control.apply)
    }
}

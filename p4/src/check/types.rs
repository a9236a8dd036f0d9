//! Types, and what type expressions mean.

use super::scope::Entity;
use super::Checker;
use crate::ast;
use crate::diag::{Code, Diagnostic};
use crate::ir;
use crate::lex::MAX_WIDTH;
use num_bigint::BigUint;
use std::rc::Rc;

/// The type of a value.
#[derive(Clone, Debug)]
pub enum Ty {
    /// Of something that has been reported; it goes with everything.
    Unknown,
    Bool,
    Bits(u32),
    /// `int`: constants of any size.
    Integer,
    Error,
    String,
    Enum(Rc<EnumType>),
    /// `type T name`: its values are those of the type inside.
    Distinct(Rc<DistinctType>),
    Header(Rc<Fields>),
    Struct(Rc<Fields>),
    PacketIn,
    /// The result of a call without one.
    Void,
}

#[derive(Debug)]
pub struct EnumType {
    pub name: String,
    /// For a serializable one, the width of its values.
    pub underlying: Option<u32>,
    pub members: Vec<(String, BigUint)>,
}

impl EnumType {
    /// The width of the numbers that stand for the members.
    pub fn width(&self) -> u32 {
        self.underlying.unwrap_or_else(|| {
            let last = self.members.len().saturating_sub(1) as u32;
            (u32::BITS - last.leading_zeros()).max(1)
        })
    }
}

#[derive(Debug)]
pub struct DistinctType {
    pub name: String,
    pub inner: Ty,
    /// How many types this one is made of, one within the other.
    pub depth: usize,
}

/// A header or a struct.
#[derive(Debug)]
pub struct Fields {
    pub name: String,
    pub fields: Vec<(ast::Ident, Ty)>,
    /// How many structs there are one within the other, this one included.
    pub depth: usize,
}

impl Ty {
    /// Whether the two are one type. An unknown type is every type.
    pub fn same(&self, other: &Ty) -> bool {
        match (self, other) {
            (Ty::Unknown, _) | (_, Ty::Unknown) => true,
            (Ty::Bits(a), Ty::Bits(b)) => a == b,
            (Ty::Enum(a), Ty::Enum(b)) => Rc::ptr_eq(a, b),
            (Ty::Distinct(a), Ty::Distinct(b)) => Rc::ptr_eq(a, b),
            (Ty::Header(a), Ty::Header(b)) | (Ty::Struct(a), Ty::Struct(b)) => Rc::ptr_eq(a, b),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// How many declared types the type goes through to scalars.
    pub fn depth(&self) -> usize {
        match self {
            Ty::Header(def) | Ty::Struct(def) => def.depth,
            Ty::Distinct(def) => def.depth,
            _ => 0,
        }
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Ty::Unknown)
    }

    /// What stands for a value of this type, if it is a scalar that can be stored.
    pub fn scalar(&self) -> Option<ir::Type> {
        match self {
            Ty::Bool => Some(ir::Type::Bool),
            Ty::Bits(width) => Some(ir::Type::Bits(*width)),
            Ty::Error => Some(ir::Type::Bits(ir::ERROR_BITS)),
            Ty::Enum(def) => Some(ir::Type::Bits(def.width())),
            Ty::Distinct(def) => def.inner.scalar(),
            Ty::Unknown => Some(ir::Type::Bits(1)),
            _ => None,
        }
    }

    /// The width of a field of this type in a header, if it can be one.
    pub fn wire_width(&self) -> Option<u32> {
        match self {
            Ty::Bool => Some(1),
            Ty::Bits(width) => Some(*width),
            Ty::Enum(def) => def.underlying,
            Ty::Distinct(def) => def.inner.wire_width(),
            Ty::Unknown => Some(8),
            _ => None,
        }
    }
}

impl std::fmt::Display for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ty::Unknown => f.write_str("unknown"),
            Ty::Bool => f.write_str("bool"),
            Ty::Bits(width) => write!(f, "bit<{width}>"),
            Ty::Integer => f.write_str("int"),
            Ty::Error => f.write_str("error"),
            Ty::String => f.write_str("string"),
            Ty::Enum(def) => write!(f, "enum {}", def.name),
            Ty::Distinct(def) => write!(f, "type {}", def.name),
            Ty::Header(def) => write!(f, "header {}", def.name),
            Ty::Struct(def) => write!(f, "struct {}", def.name),
            Ty::PacketIn => f.write_str("packet_in"),
            Ty::Void => f.write_str("void"),
        }
    }
}

impl Checker<'_> {
    /// What a type expression means; an error gives [`Ty::Unknown`].
    pub(super) fn resolve(&mut self, ty: &ast::TypeRef) -> Ty {
        match &ty.kind {
            ast::TypeKind::Bool => Ty::Bool,
            ast::TypeKind::Bit(None) => Ty::Bits(1),
            ast::TypeKind::Bit(Some(width)) => self.bits(width),
            ast::TypeKind::Integer => Ty::Integer,
            ast::TypeKind::Error => Ty::Error,
            ast::TypeKind::String => Ty::String,
            ast::TypeKind::Void => Ty::Void,
            ast::TypeKind::Named(path) => self.named_type(path),
            ast::TypeKind::Specialized { base, .. } => {
                if !self.named_type(base).is_unknown() {
                    self.error(
                        Code::Mismatch,
                        ty.span,
                        format!("`{}` has no type parameters", base.name),
                        "it takes no arguments",
                    );
                }
                Ty::Unknown
            }
            ast::TypeKind::DontCare => {
                self.error(Code::WrongKind, ty.span, "`_` is not a type here", "name the type");
                Ty::Unknown
            }
        }
    }

    fn named_type(&mut self, path: &ast::Path) -> Ty {
        let Some(found) = self.lookup(path) else {
            if self.lost.contains(&*path.name) {
                return Ty::Unknown;
            }
            let message = format!("type `{}` is not declared", path.name);
            let mut diagnostic = Diagnostic::error(Code::UnknownType, message).at(path.span, "not found");
            if path.name == "packet_in" {
                diagnostic = diagnostic.help("`#include <baton.p4>` declares it");
            }
            self.diags.push(diagnostic);
            return Ty::Unknown;
        };
        match found.entity {
            Entity::Type(ty) => ty,
            Entity::Unknown => Ty::Unknown,
            other => {
                let message = format!("`{}` is {}, not a type of values", path.name, other.describe());
                self.diags.push(
                    Diagnostic::error(Code::WrongKind, message)
                        .at(path.span, "expected a type")
                        .also(found.span, "declared here"),
                );
                Ty::Unknown
            }
        }
    }

    /// `bit<N>`.
    fn bits(&mut self, width: &ast::Expr) -> Ty {
        let Some(value) = self.const_integer(width) else { return Ty::Unknown };
        match u32::try_from(&value) {
            Ok(width @ 1..=MAX_WIDTH) => Ty::Bits(width),
            _ => {
                let label = format!("a width is from 1 to {MAX_WIDTH}");
                self.error(Code::BadWidth, width.span, format!("`bit<{value}>` does not exist"), label);
                Ty::Unknown
            }
        }
    }
}

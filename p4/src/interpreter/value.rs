//! Types and values, and how one becomes another.

use num_bigint::{BigInt, BigUint, Sign};
use std::rc::Rc;

/// A type. One made by `type` is here what it is made of: its values are the same, and the checker saw to it
/// that they are not mixed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Bool,
    Bits(u32),
    Integer,
    Error,
    Text,
    Enum(Rc<EnumType>),
    Header(Rc<Fields>),
    Struct(Rc<Fields>),
    Packet,
}

#[derive(Debug, PartialEq)]
pub(super) struct EnumType {
    pub name: String,
    /// `None` if it is not serializable.
    pub width: Option<u32>,
    pub members: Vec<(String, BigUint)>,
}

/// What a header or struct holds, in order.
#[derive(Debug, PartialEq)]
pub(super) struct Fields {
    pub name: String,
    pub fields: Vec<(String, Type)>,
}

impl Fields {
    pub fn index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|(field, _)| field == name)
    }
}

impl Type {
    /// Bits in a packet.
    pub fn packet_width(&self) -> Option<usize> {
        match self {
            Type::Bool => Some(1),
            Type::Bits(width) => Some(*width as usize),
            Type::Enum(def) => def.width.map(|width| width as usize),
            Type::Header(def) => def.fields.iter().map(|(_, ty)| ty.packet_width()).sum(),
            _ => None,
        }
    }

    /// What a variable holds that nothing was assigned to: zero, `false`, `NoError`, an invalid header. The
    /// specification leaves it open.
    pub fn zero(&self) -> Value {
        let zeros = |def: &Fields| def.fields.iter().map(|(_, ty)| ty.zero()).collect();
        match self {
            Type::Bool => Value::Bool(false),
            Type::Bits(width) => Value::Bits { width: *width, number: BigUint::ZERO },
            Type::Integer => Value::Integer(BigInt::ZERO),
            Type::Error => Value::Error(0),
            Type::Text => Value::Text,
            Type::Enum(def) => Value::Enum { ty: def.clone(), number: BigUint::ZERO },
            Type::Header(def) => {
                Value::Header(Header { ty: def.clone(), fields: zeros(def), offset_bytes: None })
            }
            Type::Struct(def) => Value::Struct { ty: def.clone(), fields: zeros(def) },
            Type::Packet => Value::Packet,
        }
    }

    /// A value made of bits from a packet, as many as the type has there.
    pub fn value_of_bits(&self, number: BigUint) -> Option<Value> {
        Some(match self {
            Type::Bool => Value::Bool(number.bit(0)),
            Type::Bits(width) => Value::Bits { width: *width, number },
            Type::Enum(def) => Value::Enum { ty: def.clone(), number },
            _ => return None,
        })
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Bits(width) => write!(f, "bit<{width}>"),
            Type::Integer => f.write_str("int"),
            Type::Error => f.write_str("error"),
            Type::Text => f.write_str("string"),
            Type::Enum(def) => f.write_str(&def.name),
            Type::Header(def) | Type::Struct(def) => f.write_str(&def.name),
            Type::Packet => f.write_str("packet_in"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Bits {
        width: u32,
        /// Less than 2^width.
        number: BigUint,
    },
    Integer(BigInt),
    /// The member's place in the order of declaration.
    Error(usize),
    Enum {
        ty: Rc<EnumType>,
        /// The member's value, or its place if the enum has no underlying type. A packet may bring values
        /// that no member has.
        number: BigUint,
    },
    /// A string. There is nothing to do with one but assert.
    Text,
    Struct {
        ty: Rc<Fields>,
        fields: Vec<Value>,
    },
    Header(Header),
    Packet,
    /// The result of a table's `apply`: `action` is its place in the table's list; none for a default action
    /// that is not listed.
    Applied {
        table: usize,
        hit: bool,
        action: Option<usize>,
    },
    /// The result of a call that has none.
    Nothing,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    pub ty: Rc<Fields>,
    /// All zero until the header is extracted.
    pub fields: Vec<Value>,
    /// Where the header was extracted last. It is valid if it was: nothing else makes a header valid or
    /// invalid.
    pub offset_bytes: Option<usize>,
}

impl Value {
    /// A value of some width, cut to it.
    pub fn bits(width: u32, number: impl Into<BigInt>) -> Value {
        Value::Bits { width, number: low_bits(&number.into(), width) }
    }

    pub fn type_of(&self) -> Option<Type> {
        Some(match self {
            Value::Bool(_) => Type::Bool,
            Value::Bits { width, .. } => Type::Bits(*width),
            Value::Integer(_) => Type::Integer,
            Value::Error(_) => Type::Error,
            Value::Enum { ty, .. } => Type::Enum(ty.clone()),
            Value::Text => Type::Text,
            Value::Struct { ty, .. } => Type::Struct(ty.clone()),
            Value::Header(header) => Type::Header(header.ty.clone()),
            Value::Packet => Type::Packet,
            Value::Applied { .. } | Value::Nothing => return None,
        })
    }

    /// The number that a scalar is, as keys are compared.
    pub fn number(&self) -> Option<BigUint> {
        match self {
            Value::Bool(value) => Some(BigUint::from(u8::from(*value))),
            Value::Bits { number, .. } | Value::Enum { number, .. } => Some(number.clone()),
            Value::Integer(value) => value.to_biguint(),
            Value::Error(code) => Some(BigUint::from(*code)),
            _ => None,
        }
    }

    /// The value where one of another type is expected: `int` becomes `bit<N>`, and a serializable enum what
    /// it is made of (specification, section 8.11.2). Anything else stays what it is.
    pub fn implicit(self, ty: &Type) -> Value {
        match (self, ty) {
            (Value::Integer(value), Type::Bits(width)) => Value::bits(*width, value),
            (Value::Enum { number, .. }, Type::Bits(width)) => Value::Bits { width: *width, number },
            (value, _) => value,
        }
    }

    /// `(ty) value` (section 8.11.1).
    pub fn cast(self, ty: &Type) -> Option<Value> {
        if self.type_of().as_ref() == Some(ty) {
            return Some(self);
        }
        Some(match (self, ty) {
            (Value::Integer(value), Type::Bits(width)) => Value::bits(*width, value),
            (value, Type::Integer) => Value::Integer(value.number()?.into()),
            (value, Type::Bool) => Value::Bool(value.number()?.bit(0)),
            (value, Type::Bits(width)) => Value::bits(*width, value.number()?),
            (value, Type::Enum(def)) => {
                Value::Enum { ty: def.clone(), number: low_bits(&value.number()?.into(), def.width?) }
            }
            _ => return None,
        })
    }

    pub fn field(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Struct { ty, fields } | Value::Header(Header { ty, fields, .. }) => {
                fields.get(ty.index(name)?)
            }
            _ => None,
        }
    }

    pub fn field_mut(&mut self, name: &str) -> Option<&mut Value> {
        match self {
            Value::Struct { ty, fields } | Value::Header(Header { ty, fields, .. }) => {
                fields.get_mut(ty.index(name)?)
            }
            _ => None,
        }
    }
}

/// A number modulo 2^width.
pub(super) fn low_bits(value: &BigInt, width: u32) -> BigUint {
    if value.sign() != Sign::Minus && value.bits() <= u64::from(width) {
        return value.magnitude().clone();
    }
    let all: BigInt = (BigInt::from(1) << width) - 1;
    let low: BigInt = value & all;
    low.magnitude().clone()
}

//! Values and places, and the conversions between types.

use super::types::{Fields, Ty};
use super::Checker;
use crate::ast;
use crate::diag::{Code, Diagnostic};
use crate::ir;
use crate::lex::MAX_WIDTH;
use crate::source::Span;
use num_bigint::{BigInt, BigUint, Sign};
use std::rc::Rc;

/// Scalars of a block, with those of the actions that are expanded in it.
const MAX_ALL_VARS: usize = 1 << 15;

/// What an expression gives.
#[derive(Clone, Debug)]
pub struct Value {
    pub ty: Ty,
    pub kind: ValueKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ValueKind {
    /// Nothing that could be used; it has been reported.
    Unknown,
    /// A constant of type `int`.
    Integer(BigInt),
    String(String),
    /// A scalar.
    Scalar(ir::Expr),
    /// A struct or header, or the packet.
    Place(Place),
    /// What `lookahead` of a header or struct sees, `offset` bits ahead, of `window` bits.
    Ahead {
        fields: Rc<Fields>,
        offset: u32,
        window: u32,
    },
    /// The result of `t.apply()`, or its `action_run`.
    Applied(ir::TableId),
    ActionRun(ir::TableId),
    /// A call without a result.
    Nothing,
}

/// Something that can be read, and perhaps written.
#[derive(Clone, Debug)]
pub struct Place {
    pub ty: Ty,
    pub kind: PlaceKind,
    /// Why it cannot be written.
    pub read_only: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub enum PlaceKind {
    Scalar(ir::VarId),
    Struct(Rc<Vec<(String, Place)>>),
    Header(ir::HeaderId, Rc<Vec<(String, Place)>>),
    PacketIn,
    Unknown,
}

impl Value {
    pub fn unknown(span: Span) -> Value {
        Value { ty: Ty::Unknown, kind: ValueKind::Unknown, span }
    }

    pub fn integer(value: BigInt, span: Span) -> Value {
        Value { ty: Ty::Integer, kind: ValueKind::Integer(value), span }
    }

    pub fn scalar(ty: Ty, kind: ir::ExprKind, span: Span) -> Value {
        let Some(scalar) = ty.scalar() else { return Value::unknown(span) };
        Value { ty, kind: ValueKind::Scalar(ir::Expr { kind, ty: scalar, span }), span }
    }

    pub fn boolean(value: bool, span: Span) -> Value {
        Value::scalar(Ty::Bool, ir::ExprKind::Const(BigUint::from(u8::from(value))), span)
    }

    pub fn is_unknown(&self) -> bool {
        self.ty.is_unknown() || matches!(self.kind, ValueKind::Unknown)
    }

    /// The number that it is, if it is known: that of an `int` or of a constant scalar.
    pub fn as_const(&self) -> Option<BigInt> {
        match &self.kind {
            ValueKind::Integer(value) => Some(value.clone()),
            ValueKind::Scalar(expr) => expr.as_const().map(|value| value.clone().into()),
            _ => None,
        }
    }
}

/// The low `width` bits of a number, in two's complement.
pub fn wrap(value: &BigInt, width: u32) -> BigUint {
    let modulus = BigInt::from(1) << width;
    let rest = value % &modulus;
    let rest = if rest.sign() == Sign::Minus { rest + modulus } else { rest };
    rest.magnitude().clone()
}

impl Checker<'_> {
    /// A scalar expression of exactly this type, with the implicit casts of the language: from `int`, and from
    /// a serializable enum to its underlying type. Reports, and gives `None`, if there is none.
    pub(super) fn convert(&mut self, value: Value, ty: &Ty) -> Option<ir::Expr> {
        if value.is_unknown() || ty.is_unknown() {
            return None;
        }
        let span = value.span;
        match (value.kind, ty) {
            (ValueKind::Integer(number), Ty::Bits(width)) => {
                if number.sign() == Sign::Minus || number.bits() > u64::from(*width) {
                    self.diags.push(
                        Diagnostic::error(Code::OutOfRange, format!("{number} does not fit `bit<{width}>`"))
                            .at(span, format!("the values of `bit<{width}>` are 0 to 2^{width} - 1"))
                            .help(format!(
                                "`(bit<{width}>)` before it takes its low {width} bits, if that is meant"
                            )),
                    );
                    return None;
                }
                Some(ir::Expr {
                    kind: ir::ExprKind::Const(number.magnitude().clone()),
                    ty: ir::Type::Bits(*width),
                    span,
                })
            }
            (ValueKind::Scalar(expr), _) if value.ty.same(ty) => Some(expr),
            (ValueKind::Scalar(expr), Ty::Bits(width)) => match &value.ty {
                Ty::Enum(def) if def.underlying == Some(*width) => Some(expr),
                found => self.mismatch(found, ty, span),
            },
            _ => self.mismatch(&value.ty, ty, span),
        }
    }

    pub(super) fn mismatch<T>(&mut self, found: &Ty, expected: &Ty, span: Span) -> Option<T> {
        let mut diagnostic =
            Diagnostic::error(Code::Mismatch, format!("expected `{expected}`, found `{found}`"))
                .at(span, format!("this is `{found}`"));
        match (found, expected) {
            (Ty::Bits(_), Ty::Bits(width)) => {
                diagnostic = diagnostic.help(format!("`(bit<{width}>)` before it extends or cuts it"));
            }
            (Ty::Bits(1), Ty::Bool) => diagnostic = diagnostic.help("compare it, as in `x == 1`"),
            (Ty::Bits(_) | Ty::Integer, Ty::Bool) => {
                diagnostic = diagnostic.help("compare it, as in `x != 0`")
            }
            (Ty::Bool, Ty::Bits(1)) => diagnostic = diagnostic.help("`(bit<1>)` before it casts it"),
            (Ty::Distinct(_), _) | (_, Ty::Distinct(_)) => {
                diagnostic = diagnostic
                    .note("a `type` is different from the type that it is made of; cast explicitly");
            }
            _ => {}
        }
        self.diags.push(diagnostic);
        None
    }

    /// A condition.
    pub(super) fn condition(&mut self, expr: &ast::Expr) -> Option<ir::Expr> {
        let value = self.expr(expr);
        self.convert(value, &Ty::Bool)
    }

    /// An explicit cast.
    pub(super) fn cast(&mut self, ty: &Ty, value: Value, span: Span) -> Value {
        if value.is_unknown() || ty.is_unknown() {
            return Value::unknown(span);
        }
        match (&value.kind, ty) {
            (ValueKind::Integer(number), Ty::Bits(width)) => {
                return Value::scalar(ty.clone(), ir::ExprKind::Const(wrap(number, *width)), span);
            }
            (ValueKind::Integer(_), Ty::Integer) => return Value { span, ..value },
            (ValueKind::Integer(number), Ty::Bool) if number.bits() <= 1 && number.sign() != Sign::Minus => {
                return Value::boolean(number.bits() == 1, span);
            }
            (ValueKind::Integer(_), Ty::Enum(def)) => {
                if let Some(width) = def.underlying {
                    let Some(expr) = self.convert(value.clone(), &Ty::Bits(width)) else {
                        return Value::unknown(span);
                    };
                    return Value::scalar(ty.clone(), expr.kind, span);
                }
            }
            (ValueKind::Integer(_), Ty::Distinct(def)) => {
                let inner = self.cast(&def.inner, value.clone(), span);
                return Value { ty: ty.clone(), ..inner };
            }
            (ValueKind::Scalar(expr), Ty::Integer) => {
                if let (Ty::Bits(_), Some(number)) = (&value.ty, expr.as_const()) {
                    return Value::integer(number.clone().into(), span);
                }
            }
            (ValueKind::Scalar(expr), _) => {
                if value.ty.same(ty) {
                    return Value { span, ..value };
                }
                let bits = |ty: &Ty| match ty {
                    Ty::Bits(width) => Some(*width),
                    Ty::Enum(def) => def.underlying,
                    _ => None,
                };
                let allowed = match (&value.ty, ty) {
                    (Ty::Bool, Ty::Bits(1)) | (Ty::Bits(1), Ty::Bool) => true,
                    // The type inside, or what casts to it.
                    (_, Ty::Distinct(def)) if !matches!(value.ty, Ty::Distinct(_)) => {
                        let inner = def.inner.clone();
                        let inner = self.cast(&inner, value.clone(), span);
                        return if inner.is_unknown() { inner } else { Value { ty: ty.clone(), ..inner } };
                    }
                    (Ty::Distinct(def), _) => {
                        let inner = Value { ty: def.inner.clone(), ..value.clone() };
                        return self.cast(ty, inner, span);
                    }
                    (Ty::Bits(from), Ty::Enum(def)) => def.underlying == Some(*from),
                    (from, to) => bits(from).is_some() && bits(to).is_some(),
                };
                if allowed {
                    return super::fold::resize(expr.clone(), ty, span);
                }
            }
            _ => {}
        }
        let label = match (&value.ty, ty) {
            (Ty::Bits(_), Ty::Integer) => "only a constant can become `int`".to_string(),
            (Ty::Bits(_), Ty::Bool) => "only `bit<1>` can become `bool`; compare with `!= 0`".to_string(),
            _ => "no such cast".to_string(),
        };
        self.error(Code::BadCast, span, format!("`{}` cannot be cast to `{ty}`", value.ty), label);
        Value::unknown(span)
    }

    /// The value of an expression that must be a constant integer, as in widths and sizes.
    pub(super) fn const_integer(&mut self, expr: &ast::Expr) -> Option<BigInt> {
        let value = self.expr(expr);
        self.integer_of(value)
    }

    pub(super) fn integer_of(&mut self, value: Value) -> Option<BigInt> {
        if value.is_unknown() {
            return None;
        }
        if !matches!(value.ty, Ty::Integer | Ty::Bits(_)) {
            return self.mismatch(&value.ty, &Ty::Integer, value.span);
        }
        let number = value.as_const();
        if number.is_none() {
            self.not_constant(value.span, "a width, size or bound");
        }
        number
    }

    pub(super) fn not_constant(&mut self, span: Span, what: &str) {
        let message = format!("{what} must be known when compiling");
        self.error(Code::NotConstant, span, message, "this is not");
    }

    /// A number that is not larger than any integer may be.
    pub(super) fn bounded(&mut self, value: BigInt, span: Span) -> Value {
        if value.bits() > u64::from(MAX_WIDTH) {
            let label = format!("no integer has more than {MAX_WIDTH} bits");
            self.error(Code::TooLarge, span, "the value of this constant is too large", label);
            return Value::unknown(span);
        }
        Value::integer(value, span)
    }

    /// What a place holds.
    pub(super) fn read(&self, place: &Place, span: Span) -> Value {
        match &place.kind {
            PlaceKind::Unknown => Value::unknown(span),
            PlaceKind::Scalar(var) => Value::scalar(place.ty.clone(), ir::ExprKind::Var(*var), span),
            _ => Value { ty: place.ty.clone(), kind: ValueKind::Place(place.clone()), span },
        }
    }

    /// Makes variables for a value of a type. `header` is set for the fields of one.
    pub(super) fn allocate(
        &mut self,
        name: &str,
        ty: &Ty,
        role: &dyn Fn(&str) -> ir::Role,
        read_only: Option<&'static str>,
        span: Span,
    ) -> Place {
        let kind = match ty {
            _ if self.vars.len() >= MAX_ALL_VARS => {
                let message = format!("more than {MAX_ALL_VARS} scalars, once actions are expanded");
                self.error(Code::TooLarge, span, message, "with this one");
                PlaceKind::Unknown
            }
            Ty::Struct(def) => {
                let fields = def.fields.clone();
                let place = |this: &mut Self, (field, ty): &(ast::Ident, Ty)| {
                    let path = format!("{name}.{}", field.name);
                    (field.name.clone(), this.allocate(&path, ty, role, read_only, field.span))
                };
                PlaceKind::Struct(Rc::new(fields.iter().map(|field| place(self, field)).collect()))
            }
            Ty::Header(def) => self.allocate_header(name, &def.clone(), read_only, span),
            Ty::PacketIn => PlaceKind::PacketIn,
            Ty::Unknown => PlaceKind::Unknown,
            _ => match ty.scalar() {
                Some(scalar) => {
                    let field = name.rsplit('.').next().unwrap_or(name);
                    PlaceKind::Scalar(self.new_var(name, scalar, role(field), span))
                }
                None => PlaceKind::Unknown,
            },
        };
        Place { ty: ty.clone(), kind, read_only }
    }

    fn allocate_header(
        &mut self,
        name: &str,
        def: &Fields,
        read_only: Option<&'static str>,
        span: Span,
    ) -> PlaceKind {
        let id = ir::HeaderId(self.headers.len() as u32);
        let valid = self.new_var(&format!("{name}.isValid()"), ir::Type::Bool, ir::Role::Valid(id), span);
        self.headers.push(ir::Header { name: name.into(), valid, fields: vec![], width: 0, span });
        let (mut places, mut fields, mut offset) = (vec![], vec![], 0);
        for (field, ty) in &def.fields {
            let Some(scalar) = ty.scalar() else { continue };
            let var =
                self.new_var(&format!("{name}.{}", field.name), scalar, ir::Role::Field(id), field.span);
            fields.push(ir::HeaderField { var, offset });
            offset += scalar.width();
            places.push((
                field.name.clone(),
                Place { ty: ty.clone(), kind: PlaceKind::Scalar(var), read_only },
            ));
        }
        let header = &mut self.headers[id.index()];
        header.fields = fields;
        header.width = offset;
        PlaceKind::Header(id, Rc::new(places))
    }

    pub(super) fn new_var(&mut self, name: &str, ty: ir::Type, role: ir::Role, span: Span) -> ir::VarId {
        self.vars.push(ir::Var { name: name.into(), ty, role, span });
        ir::VarId(self.vars.len() as u32 - 1)
    }
}

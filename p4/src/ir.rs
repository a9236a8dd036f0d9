//! The typed intermediate representation of a checked program: what the hardware back end reads.
//!
//! Everything that a program can say is down to scalars here. Structs and headers are taken apart into
//! [`Var`]s, one a field, and one `bool` a header for its validity; enums and errors are numbers; names are resolved,
//! constants folded, implicit casts explicit, direct calls of actions expanded in place. What the checker
//! guarantees, and a reader may rely on:
//!
//! - both operands of a binary operation have the same type, but for shifts (any two) and concatenation;
//! - a slice lies within its operand; a shift amount that is a constant is less than 2^32;
//! - `Lookahead` appears in the parser only, `TableHit` behind the `Apply` of its table, each table is
//!   applied in one place, and a parameter of an action is read in that action only;
//! - what `Advance` skips is a whole number of bytes;
//! - a cycle of parser states reads at least one bit.
//!
//! Values of variables, where the language leaves them open: every variable is zero (`false`, error
//! `NoError`) when a packet begins, and a local one again where it is declared. `Extract` sets all fields of
//! its header and its validity together; when the packet is too short it sets none of them.

mod dump;

use crate::source::Span;
use num_bigint::BigUint;

macro_rules! ids {
    ($($name:ident $doc:literal)*) => { $(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            pub fn index(self) -> usize { self.0 as usize }
        }
    )* };
}

ids! {
    VarId "Index in [`Program::vars`]."
    HeaderId "Index in [`Program::headers`]."
    StateId "Index in [`Parser::states`]."
    ActionId "Index in [`Control::actions`]."
    TableId "Index in [`Control::tables`]."
}

/// Width of an error's code, which is its place in [`Program::errors`].
pub const ERROR_BITS: u32 = 8;

#[derive(Clone, Debug)]
pub struct Program {
    /// Every error's name, in the order of their declaration; the first is `NoError`.
    pub errors: Vec<String>,
    pub vars: Vec<Var>,
    pub headers: Vec<Header>,
    pub parser: Parser,
    pub control: Control,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    Bool,
    /// An unsigned number of so many bits, at least one.
    Bits(u32),
}

impl Type {
    pub fn width(self) -> u32 {
        match self {
            Type::Bool => 1,
            Type::Bits(width) => width,
        }
    }
}

/// A scalar variable.
#[derive(Clone, Debug)]
pub struct Var {
    /// `hdr.ipv4.ttl`, with the names that the program gave its parameters; unique only together with `role`.
    pub name: String,
    pub ty: Type,
    pub role: Role,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A field of a header.
    Field(HeaderId),
    /// The validity of a header.
    Valid(HeaderId),
    /// User metadata: from the parser to the control.
    Metadata,
    /// A field of the architecture's struct that the parser reads.
    ParserInput(String),
    /// A field of the architecture's struct that the control reads.
    Input(String),
    /// A field of `baton_main_output_metadata_t`.
    Output(String),
    /// A variable of the program.
    Local,
    /// The parameter of an action, counted from 0, that the control plane gives.
    Param(ActionId, usize),
}

/// One header of a packet.
#[derive(Clone, Debug)]
pub struct Header {
    pub name: String,
    pub valid: VarId,
    /// In the order of the wire; the first begins at bit 0, the most significant of byte 0.
    pub fields: Vec<HeaderField>,
    /// A multiple of 8.
    pub width: u32,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct HeaderField {
    pub var: VarId,
    /// Bits from the header's first bit to the field's most significant one.
    pub offset: u32,
}

// ---- Parser -------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
pub struct Parser {
    pub name: String,
    /// Run when a packet begins.
    pub init: Vec<ParserOp>,
    /// The first is `start`. States that cannot be reached are left out.
    pub states: Vec<State>,
}

#[derive(Clone, Debug)]
pub struct State {
    pub name: String,
    /// One after the other.
    pub ops: Vec<ParserOp>,
    pub next: Next,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ParserOp {
    /// Reads a header and moves past it; error `PacketTooShort` if it is not all there.
    Extract(HeaderId, Span),
    /// Moves by so many bits; error `PacketTooShort` beyond the end of the packet.
    Advance(Expr),
    /// Rejects with an error unless the condition holds.
    Verify {
        condition: Expr,
        error: u32,
    },
    Assign {
        var: VarId,
        value: Expr,
    },
    /// Holds no `Extract` and no `Advance`.
    If {
        condition: Expr,
        then: Vec<ParserOp>,
        otherwise: Vec<ParserOp>,
    },
}

#[derive(Clone, Debug)]
pub enum Next {
    Goto(Target),
    /// The first case of which every keyset holds its key; without one, error `NoMatch`.
    Select {
        keys: Vec<Expr>,
        cases: Vec<Case>,
    },
}

#[derive(Clone, Debug)]
pub struct Case {
    /// As many as there are keys.
    pub keysets: Vec<Keyset>,
    pub target: Target,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    State(StateId),
    Accept,
    /// The parser error stays what it is: `NoError` if the program comes here by itself.
    Reject,
}

/// Values of one key, as numbers of the key's width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyset {
    Any,
    Value(BigUint),
    /// `key & mask == value`; `value` has no bit that `mask` lacks.
    Mask {
        value: BigUint,
        mask: BigUint,
    },
    /// Both ends included.
    Range {
        low: BigUint,
        high: BigUint,
    },
}

// ---- Control ------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
pub struct Control {
    pub name: String,
    /// Those that tables list, and no others.
    pub actions: Vec<Action>,
    /// Those that are declared.
    pub tables: Vec<Table>,
    /// Initial values of variables, then the `apply` block.
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug)]
pub struct Action {
    /// In the control plane.
    pub name: String,
    /// What the control plane gives, in order.
    pub params: Vec<VarId>,
    pub body: Vec<Stmt>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Table {
    /// In the control plane.
    pub name: String,
    pub keys: Vec<Key>,
    pub actions: Vec<ActionId>,
    /// What a miss runs.
    pub default: ActionCall,
    /// The control plane cannot change `default`.
    pub default_is_const: bool,
    /// The table's contents, the first match wins; `None` if the control plane fills it: then all keys are
    /// exact.
    pub entries: Option<Vec<Entry>>,
    /// Entries that the control plane may add, or those that there are.
    pub size: u32,
    /// A table that is not has no effect, and no hardware.
    pub applied: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Key {
    pub name: String,
    pub expr: Expr,
    pub kind: MatchKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchKind {
    Exact,
    Ternary,
}

#[derive(Clone, Debug)]
pub struct ActionCall {
    pub action: ActionId,
    /// As many as the action has parameters, each fitting its parameter.
    pub args: Vec<BigUint>,
}

#[derive(Clone, Debug)]
pub struct Entry {
    /// As many as there are keys; never a range.
    pub keysets: Vec<Keyset>,
    pub call: ActionCall,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Stmt {
    Assign {
        var: VarId,
        value: Expr,
    },
    If {
        condition: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    /// Looks the keys up as they are now, and runs the action that is found.
    Apply(TableId),
    /// By the action that the last `Apply` of the table ran. Each action is in one case at most.
    Switch {
        table: TableId,
        cases: Vec<(Vec<ActionId>, Vec<Stmt>)>,
        default: Vec<Stmt>,
    },
}

// ---- Expressions --------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Type,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    /// Fits the type; a `bool` is 0 or 1.
    Const(BigUint),
    Var(VarId),
    /// Bits of the packet from so many bits behind the present position on, as many as the type has, out of
    /// `window` bits that must all be there (else error `PacketTooShort`).
    Lookahead {
        offset: u32,
        window: u32,
    },
    /// The byte offset at which a header was extracted, 0 if it is not valid.
    HeaderOffset(HeaderId),
    /// Whether the last `Apply` of the table found an entry.
    TableHit(TableId),
    /// Of a `bool`.
    Not(Box<Expr>),
    /// Every bit.
    Complement(Box<Expr>),
    Negate(Box<Expr>),
    Binary {
        op: Op,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// As many bits as the type has, from bit `low` on.
    Slice {
        base: Box<Expr>,
        low: u32,
    },
    /// The left one is the more significant.
    Concat(Box<Expr>, Box<Expr>),
    /// To the type's width: extended with zeros, or cut at the top. Also between `bool` and one bit.
    Resize(Box<Expr>),
    Mux {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Add,
    Sub,
    AddSat,
    SubSat,
    Shl,
    Shr,
    BitAnd,
    BitOr,
    BitXor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// Of `bool`. No operand has an effect, so it does not matter whether both are evaluated, but for a
    /// `Lookahead` beyond the packet's end on the right.
    And,
    Or,
}

impl Expr {
    /// The value, if it is known.
    pub fn as_const(&self) -> Option<&BigUint> {
        match &self.kind {
            ExprKind::Const(value) => Some(value),
            _ => None,
        }
    }

    /// How many of the least significant bits are zero whatever the variables are.
    pub fn trailing_zeros(&self) -> u32 {
        let width = self.ty.width();
        let zeros = match &self.kind {
            ExprKind::Const(value) => {
                value.trailing_zeros().map_or(width, |n| n.min(u64::from(width)) as u32)
            }
            ExprKind::Binary { op, left, right } => {
                let (l, r) = (left.trailing_zeros(), right.trailing_zeros());
                match op {
                    Op::Add | Op::Sub | Op::BitOr | Op::BitXor => l.min(r),
                    Op::BitAnd => l.max(r),
                    Op::Shl => {
                        let amount =
                            right.as_const().and_then(|amount| u32::try_from(amount).ok()).unwrap_or(0);
                        l.saturating_add(amount)
                    }
                    _ => 0,
                }
            }
            ExprKind::Negate(inner) => inner.trailing_zeros(),
            ExprKind::Resize(inner) => match inner.trailing_zeros() {
                all if all == inner.ty.width() => width,
                some => some,
            },
            ExprKind::Concat(left, right) => match right.trailing_zeros() {
                all if all == right.ty.width() => all + left.trailing_zeros(),
                some => some,
            },
            ExprKind::Slice { base, low } => base.trailing_zeros().saturating_sub(*low),
            ExprKind::Mux { then, otherwise, .. } => then.trailing_zeros().min(otherwise.trailing_zeros()),
            _ => 0,
        };
        zeros.min(width)
    }
}

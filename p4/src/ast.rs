//! The syntax tree: what the parser read, with a position on every node.
//!
//! The tree holds the subset of P4-16 (version 1.2.5) that `docs/p4.md` lists as supported, and nothing
//! else: the parser refuses every other construct with its position and the reason, so that whoever reads
//! a tree need not expect it. Names and types are as written; nothing is resolved, folded or desugared,
//! with these exceptions:
//!
//! - parentheses around an expression are not kept (the shape of the tree says what they said);
//! - macros are expanded and includes are in place;
//! - empty declarations (a lone `;` at top level) are dropped.
//!
//! A tree that the checker accepted (`check`) has every name declared, every type right and every width
//! known, as the language specification asks. Two readers rely on that: the lowering to [`crate::ir`], and
//! the interpreter, which shares nothing with it but this module.
//!
//! Order is that of the source text everywhere; it matters for the parser's `select` cases, for const
//! entries, for errors and enum members (their encodings), and for declarations (a name is known only after
//! its declaration, except for states and the names of a parser's states).

use crate::source::Span;
use num_bigint::BigInt;

/// A whole program: the main file with its includes.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub declarations: Vec<Declaration>,
    /// Names whose declarations were refused or broken, so that no one complains of their absence. Empty in a
    /// program without errors.
    pub lost: Vec<String>,
}

/// A name at a place where it is declared, or after a dot.
#[derive(Clone, Debug)]
pub struct Ident {
    pub name: String,
    pub span: Span,
}

/// A name in use. `.name` with a leading dot is looked up in the outermost scope only.
#[derive(Clone, Debug)]
pub struct Path {
    pub absolute: bool,
    pub name: String,
    /// With the dot.
    pub span: Span,
}

/// `@name`, `@name(...)` or `@name[...]` before a declaration.
#[derive(Clone, Debug)]
pub struct Annotation {
    pub name: Ident,
    /// What stands between the parentheses or brackets.
    pub body: Option<AnnotationBody>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum AnnotationBody {
    /// `("text")`: one string, its escapes resolved.
    Text(String),
    /// Anything else, as it is written, brackets included.
    Other(String),
}

// ---- Declarations -------------------------------------------------------------------------------------------

/// A declaration at top level.
#[derive(Clone, Debug)]
pub enum Declaration {
    Const(ConstDecl),
    Typedef(TypedefDecl),
    Header(FieldsDecl),
    Struct(FieldsDecl),
    Enum(EnumDecl),
    /// `error { ... }`: adds members to the one error type.
    Error(MembersDecl),
    /// `match_kind { ... }`: adds match kinds.
    MatchKind(MembersDecl),
    Extern(ExternDecl),
    /// `extern T name(...);`
    ExternFunction(Prototype),
    Action(ActionDecl),
    /// `parser P<...>(...);`: a type of parsers, as architectures declare.
    ParserType(BlockType),
    /// `control C<...>(...);`
    ControlType(BlockType),
    /// `package P<...>(...);`
    PackageType(BlockType),
    Parser(ParserDecl),
    Control(ControlDecl),
    /// `P(...) name;`
    Instantiation(Instantiation),
}

/// `const T name = value;`, at top level, in a parser, in a control or in a block.
#[derive(Clone, Debug)]
pub struct ConstDecl {
    pub annotations: Vec<Annotation>,
    pub ty: TypeRef,
    pub name: Ident,
    pub value: Expr,
    pub span: Span,
}

/// `T name;` or `T name = value;`, in a parser, in a control or in a block.
#[derive(Clone, Debug)]
pub struct VarDecl {
    pub annotations: Vec<Annotation>,
    pub ty: TypeRef,
    pub name: Ident,
    pub init: Option<Expr>,
    pub span: Span,
}

/// `typedef T name;`, or `type T name;` when `distinct`: then values of the two types do not mix without a
/// cast.
#[derive(Clone, Debug)]
pub struct TypedefDecl {
    pub annotations: Vec<Annotation>,
    pub distinct: bool,
    pub ty: TypeRef,
    pub name: Ident,
    pub span: Span,
}

/// A header or a struct.
#[derive(Clone, Debug)]
pub struct FieldsDecl {
    pub annotations: Vec<Annotation>,
    pub name: Ident,
    /// The first field of a header is the first on the wire, each with its most significant bit first.
    pub fields: Vec<Field>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub annotations: Vec<Annotation>,
    pub ty: TypeRef,
    pub name: Ident,
    pub span: Span,
}

/// `enum name { A, B }`, or `enum bit<N> name { A = 1, B = 2 }` when there is an underlying type: then every
/// member has a value, and the enum is serializable.
#[derive(Clone, Debug)]
pub struct EnumDecl {
    pub annotations: Vec<Annotation>,
    pub underlying: Option<TypeRef>,
    pub name: Ident,
    pub members: Vec<EnumMember>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct EnumMember {
    pub name: Ident,
    /// There exactly when the enum has an underlying type.
    pub value: Option<Expr>,
}

/// The members of an `error` or `match_kind` declaration.
#[derive(Clone, Debug)]
pub struct MembersDecl {
    pub annotations: Vec<Annotation>,
    pub members: Vec<Ident>,
    pub span: Span,
}

/// An extern object type. Only the compiler's own files may declare one.
#[derive(Clone, Debug)]
pub struct ExternDecl {
    pub annotations: Vec<Annotation>,
    pub name: Ident,
    pub type_params: Vec<Ident>,
    pub methods: Vec<Prototype>,
    pub span: Span,
}

/// The head of an extern function or method. A constructor has its extern's name and no return type.
#[derive(Clone, Debug)]
pub struct Prototype {
    pub annotations: Vec<Annotation>,
    pub result: Option<TypeRef>,
    pub name: Ident,
    pub type_params: Vec<Ident>,
    pub params: Vec<Param>,
    pub span: Span,
}

/// A parser, control or package type: its name and its (type) parameters.
#[derive(Clone, Debug)]
pub struct BlockType {
    pub annotations: Vec<Annotation>,
    pub name: Ident,
    pub type_params: Vec<Ident>,
    pub params: Vec<Param>,
    pub span: Span,
}

/// A parameter of an action, a block or an extern function.
#[derive(Clone, Debug)]
pub struct Param {
    pub annotations: Vec<Annotation>,
    pub direction: Option<Direction>,
    pub ty: TypeRef,
    pub name: Ident,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
    InOut,
}

/// An action. Its parameters with a direction come first and are given where the action is named; those
/// without one follow and are given by the control plane (in a table) or by the caller (in a direct call).
#[derive(Clone, Debug)]
pub struct ActionDecl {
    pub annotations: Vec<Annotation>,
    pub name: Ident,
    pub params: Vec<Param>,
    pub body: Block,
    pub span: Span,
}

// ---- Parsers ------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
pub struct ParserDecl {
    pub head: BlockType,
    pub locals: Vec<ParserLocal>,
    /// At least one, called `start`.
    pub states: Vec<State>,
    pub span: Span,
}

/// A declaration before the states. Variables are initialized when the parser starts.
#[derive(Clone, Debug)]
pub enum ParserLocal {
    Const(ConstDecl),
    Var(VarDecl),
}

#[derive(Clone, Debug)]
pub struct State {
    pub annotations: Vec<Annotation>,
    pub name: Ident,
    pub body: Vec<Stmt>,
    /// A state without one goes to `reject`.
    pub transition: Option<Transition>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Transition {
    pub kind: TransitionKind,
    /// From `transition` on.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TransitionKind {
    /// `transition name;`: a state, `accept` or `reject`.
    Direct(Ident),
    /// `transition select (keys) { cases }`: the first case that matches; none is `error.NoMatch`.
    Select { keys: Vec<Expr>, cases: Vec<SelectCase> },
}

#[derive(Clone, Debug)]
pub struct SelectCase {
    pub keyset: Keyset,
    pub target: Ident,
    pub span: Span,
}

/// What a key is compared with, in `select` cases and const entries.
#[derive(Clone, Debug)]
pub struct Keyset {
    pub kind: KeysetKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum KeysetKind {
    /// `default`: everything.
    Default,
    /// `_`: everything.
    DontCare,
    /// One value.
    Value(Expr),
    /// `value &&& mask`: every `k` with `k & mask == value & mask`.
    Mask(Expr, Expr),
    /// `low .. high`, both included.
    Range(Expr, Expr),
    /// `(a, b)`: one element a key, two or more, never nested.
    Tuple(Vec<Keyset>),
}

// ---- Controls -----------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
pub struct ControlDecl {
    pub head: BlockType,
    pub locals: Vec<ControlLocal>,
    pub apply: Block,
    pub span: Span,
}

/// A declaration before `apply`. Variables are initialized when the control starts.
#[derive(Clone, Debug)]
pub enum ControlLocal {
    Const(ConstDecl),
    Var(VarDecl),
    Action(ActionDecl),
    Table(TableDecl),
}

/// A table. Each property is there at most once.
#[derive(Clone, Debug)]
pub struct TableDecl {
    pub annotations: Vec<Annotation>,
    pub name: Ident,
    /// Empty when there is no `key`: then only the default action ever runs.
    pub keys: Vec<TableKey>,
    pub actions: Vec<ActionRef>,
    pub default_action: Option<DefaultAction>,
    /// `const entries = { ... }`: the first that matches. `None` for a table that the control plane fills.
    pub entries: Option<Vec<Entry>>,
    pub size: Option<Expr>,
    pub span: Span,
}

/// `expr : match_kind;`
#[derive(Clone, Debug)]
pub struct TableKey {
    pub annotations: Vec<Annotation>,
    pub expr: Expr,
    pub match_kind: Ident,
    pub span: Span,
}

/// An action in a table's list, as default action or in an entry. In the list, `args` are those of the
/// parameters that have a direction.
#[derive(Clone, Debug)]
pub struct ActionRef {
    pub annotations: Vec<Annotation>,
    pub name: Path,
    pub args: Vec<Arg>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct DefaultAction {
    /// `const default_action`: the control plane cannot change it.
    pub is_const: bool,
    pub action: ActionRef,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub keyset: Keyset,
    pub action: ActionRef,
    pub span: Span,
}

/// `P(...) name;`
#[derive(Clone, Debug)]
pub struct Instantiation {
    pub annotations: Vec<Annotation>,
    pub ty: TypeRef,
    pub args: Vec<Arg>,
    pub name: Ident,
    pub span: Span,
}

// ---- Statements ---------------------------------------------------------------------------------------------

/// `{ ... }`: a scope of its own.
#[derive(Clone, Debug)]
pub struct Block {
    pub statements: Vec<Stmt>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum StmtKind {
    /// `;`
    Empty,
    Var(VarDecl),
    Const(ConstDecl),
    /// `target = value;`; the target is a name, a member, or a slice of one.
    Assign {
        target: Expr,
        value: Expr,
    },
    /// A call for its effect; always [`ExprKind::Call`].
    Call(Expr),
    Block(Block),
    If {
        condition: Expr,
        then: Box<Stmt>,
        otherwise: Option<Box<Stmt>>,
    },
    /// `switch (t.apply().action_run) { ... }`. `subject` is that whole expression.
    Switch {
        subject: Expr,
        cases: Vec<SwitchCase>,
    },
}

#[derive(Clone, Debug)]
pub struct SwitchCase {
    pub label: SwitchLabel,
    /// `None` falls through to the next case that has a body.
    pub body: Option<Block>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum SwitchLabel {
    Default(Span),
    Action(Ident),
}

// ---- Types --------------------------------------------------------------------------------------------------

/// A type as written.
#[derive(Clone, Debug)]
pub struct TypeRef {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TypeKind {
    Bool,
    /// `bit<N>`, `bit<(expression)>`; `bit` alone is `bit<1>` and has `None`.
    Bit(Option<Box<Expr>>),
    /// `int`: an integer of any size, for constants only.
    Integer,
    Error,
    /// Only in the compiler's own files and in `static_assert` messages.
    String,
    /// Only as the result of an extern function.
    Void,
    Named(Path),
    /// `Name<T, U>`
    Specialized {
        base: Path,
        args: Vec<TypeRef>,
    },
    /// `_` as a type argument.
    DontCare,
}

// ---- Expressions --------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    Int(IntLiteral),
    Bool(bool),
    String(String),
    /// A variable, constant, parameter, table, action, instance or function.
    Name(Path),
    /// `error.Name`
    Error(Ident),
    /// `E.Name`, where `E` is a type name: a member of an enum.
    TypeMember {
        ty: Path,
        member: Ident,
    },
    /// `base.name`: a field; `hit`, `miss` or `action_run` of an apply; a method, when it is called.
    Member {
        base: Box<Expr>,
        member: Ident,
    },
    /// `base[high:low]`
    Slice {
        base: Box<Expr>,
        high: Box<Expr>,
        low: Box<Expr>,
    },
    Unary {
        op: UnaryOp,
        operand: Box<Expr>,
    },
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `condition ? then : otherwise`
    Conditional {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// `(type) operand`
    Cast {
        ty: TypeRef,
        operand: Box<Expr>,
    },
    /// `callee<types>(args)`
    Call {
        callee: Box<Expr>,
        type_args: Vec<TypeRef>,
        args: Vec<Arg>,
    },
    /// `Type(args)`: a nameless instance, as an argument of an instantiation.
    Construct {
        ty: TypeRef,
        args: Vec<Arg>,
    },
}

/// `[width]base digits`; never negative.
#[derive(Clone, Debug)]
pub struct IntLiteral {
    pub value: BigInt,
    /// `8w15` has `Some(8)`; without a width the type is `int`.
    pub width: Option<u32>,
}

/// An argument: `value`, `name = value`, or `_` for an `out` that is not wanted.
#[derive(Clone, Debug)]
pub struct Arg {
    pub name: Option<Ident>,
    /// `None` is `_`.
    pub value: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`, of `bool`.
    Not,
    /// `~`
    Complement,
    /// `-`: two's complement.
    Negate,
    /// `+`
    Plus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `*`, `/`, `%`: of constants only.
    Mul,
    Div,
    Mod,
    /// Modulo 2^N.
    Add,
    Sub,
    /// `|+|`, `|-|`: clipped to 0 and 2^N - 1.
    AddSat,
    SubSat,
    Shl,
    Shr,
    /// `++`; the left operand becomes the more significant part.
    Concat,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    BitAnd,
    BitXor,
    BitOr,
    /// `&&`, `||`: the right operand is evaluated only if it matters.
    And,
    Or,
}

impl UnaryOp {
    pub fn symbol(self) -> &'static str {
        match self {
            UnaryOp::Not => "!",
            UnaryOp::Complement => "~",
            UnaryOp::Negate => "-",
            UnaryOp::Plus => "+",
        }
    }
}

impl BinaryOp {
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Mod => "%",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::AddSat => "|+|",
            BinaryOp::SubSat => "|-|",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Concat => "++",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::BitAnd => "&",
            BinaryOp::BitXor => "^",
            BinaryOp::BitOr => "|",
            BinaryOp::And => "&&",
            BinaryOp::Or => "||",
        }
    }

    /// How tightly it binds, a higher number tighter. All are left associative.
    pub fn precedence(self) -> u8 {
        match self {
            BinaryOp::Or => 1,
            BinaryOp::And => 2,
            BinaryOp::Eq | BinaryOp::Ne => 3,
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => 4,
            BinaryOp::BitOr => 5,
            BinaryOp::BitXor => 6,
            BinaryOp::BitAnd => 7,
            BinaryOp::Shl | BinaryOp::Shr => 8,
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::AddSat | BinaryOp::SubSat | BinaryOp::Concat => 9,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => 10,
        }
    }
}

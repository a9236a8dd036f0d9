//! Tokens.

use crate::source::Span;
use num_bigint::BigInt;
use std::fmt;
use std::rc::Rc;

#[derive(Clone, Debug, PartialEq)]
pub enum Tok {
    /// An identifier or a keyword; the parser tells them apart, since several keywords are names elsewhere.
    Word(Rc<str>),
    Int {
        value: BigInt,
        width: Option<u32>,
        signed: bool,
    },
    /// A string literal, escapes resolved.
    Str(Rc<str>),
    Punct(&'static str),
    /// Characters that are no token. An error only if they survive the preprocessor.
    Bad(BadToken),
    /// The end of the program, after its last token.
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub enum BadToken {
    Character(char),
    Comment,
    /// A string that ends with its line or its file.
    String,
    Escape(String),
    /// An integer, and what is wrong with it.
    Integer(&'static str),
    /// An integer that is too large.
    Large,
}

#[derive(Clone, Debug)]
pub struct Token {
    pub tok: Tok,
    pub span: Span,
}

impl Tok {
    pub fn is(&self, punct: &str) -> bool {
        matches!(self, Tok::Punct(p) if *p == punct)
    }

    pub fn word(&self) -> Option<&str> {
        match self {
            Tok::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// As in "expected `;`, found ...".
impl fmt::Display for Tok {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tok::Word(word) if is_keyword(word) => write!(f, "keyword `{word}`"),
            Tok::Word(word) => write!(f, "`{word}`"),
            Tok::Int { .. } => f.write_str("an integer"),
            Tok::Str(_) => f.write_str("a string"),
            Tok::Punct(punct) => write!(f, "`{punct}`"),
            Tok::Bad(_) => f.write_str("an unknown token"),
            Tok::End => f.write_str("the end of the program"),
        }
    }
}

/// Punctuation, longer before shorter. `>>` is missing: it is two `>` that touch, since type arguments end so.
pub const PUNCTUATION: &[&str] = &[
    "|+|=", "|-|=", "|+|", "|-|", "&&&", "...", "<<=", "==", "!=", "<=", ">=", "<<", "&&", "||", "++", "..",
    "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "(", ")", "{", "}", "[", "]", "<", ">", ";", ":", ",",
    ".", "=", "?", "!", "~", "+", "-", "*", "/", "%", "&", "|", "^", "@", "#",
];

const KEYWORDS: &[&str] = &[
    "_",
    "abstract",
    "action",
    "actions",
    "apply",
    "bit",
    "bool",
    "break",
    "const",
    "continue",
    "control",
    "default",
    "else",
    "entries",
    "enum",
    "error",
    "exit",
    "extern",
    "false",
    "for",
    "header",
    "header_union",
    "if",
    "in",
    "inout",
    "int",
    "key",
    "list",
    "match_kind",
    "out",
    "package",
    "parser",
    "pragma",
    "priority",
    "return",
    "select",
    "state",
    "string",
    "struct",
    "switch",
    "table",
    "this",
    "transition",
    "true",
    "tuple",
    "type",
    "typedef",
    "value_set",
    "varbit",
    "void",
];

/// Keywords that are also names, as the grammar's `nonTypeName` has it.
const SOFT: &[&str] = &["apply", "key", "actions", "state", "entries", "type", "priority", "list", "pragma"];

pub fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

/// Whether a word may name something.
pub fn is_name(word: &str) -> bool {
    !is_keyword(word) || SOFT.contains(&word)
}

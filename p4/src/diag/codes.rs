//! The code of every error and warning.

use std::fmt;

macro_rules! codes {
    ($($name:ident = $text:literal, $title:literal;)*) => {
        /// What kind of fault a diagnostic reports. Codes keep their meaning; new ones are appended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $name,)* }

        /// Every code.
        pub const ALL_CODES: &[Code] = &[$(Code::$name,)*];

        impl Code {
            /// `E0101` and so on; warnings begin with W.
            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// The fault in a few words, as the documentation lists it.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    // Characters and the preprocessor.
    UnknownCharacter = "E0101", "a character that P4 does not use";
    UnterminatedComment = "E0102", "a comment without its end";
    BadString = "E0103", "a string without its end, or with an unknown escape";
    BadInteger = "E0104", "an integer literal that is not well formed";
    NotUtf8 = "E0105", "a file that is not UTF-8 text";
    UnknownDirective = "E0110", "a preprocessor directive that is not supported";
    BadDirective = "E0111", "a preprocessor directive that is not well formed";
    UnbalancedConditional = "E0112", "`#if`, `#elif`, `#else` and `#endif` that do not pair";
    IncludeFailed = "E0113", "an included file that cannot be read";
    BadCondition = "E0114", "a preprocessor condition that cannot be evaluated";
    ErrorDirective = "E0115", "`#error`";
    MacroMisuse = "E0116", "a macro that is redefined, or used with the wrong arguments";

    // Syntax.
    Syntax = "E0201", "something else is expected here";
    Unclosed = "E0202", "a bracket without its partner";
    Reserved = "E0203", "a reserved word used as a name";

    // Outside of the subset.
    RefusedType = "E0301", "a type outside of the subset";
    RefusedStatement = "E0302", "a statement outside of the subset";
    RefusedExpression = "E0303", "an expression outside of the subset";
    RefusedDeclaration = "E0304", "a declaration outside of the subset";
    RefusedTable = "E0305", "a table feature outside of the subset";
    RefusedCall = "E0306", "a function or method that the hardware does not have";

    // Names.
    UnknownName = "E0401", "a name that is not declared";
    UnknownType = "E0402", "a type that is not declared";
    Redeclared = "E0403", "a name that is declared twice";
    NoSuchMember = "E0404", "a member that does not exist";
    WrongKind = "E0405", "a name that means something of another kind";

    // Types and values.
    Mismatch = "E0501", "two types that do not agree";
    BadOperand = "E0502", "an operand of a type that the operator does not take";
    BadCast = "E0503", "a cast that does not exist";
    SliceBounds = "E0504", "a slice outside of its value";
    NotConstant = "E0505", "a value that must be known when compiling";
    OutOfRange = "E0506", "a constant that does not fit its type";
    DivisionByZero = "E0507", "a division by zero or by a negative number";
    NotAssignable = "E0508", "an expression that cannot be written";
    BadWidth = "E0509", "a width that does not exist";
    BadCall = "E0510", "a call with the wrong arguments";
    AssertionFailed = "E0512", "a static assertion that does not hold";
    BadNesting = "E0513", "a type that may not stand here";

    // Parsers.
    NoStart = "E0601", "a parser without a start state";
    EndlessLoop = "E0602", "a cycle of states that reads nothing";
    KeysetShape = "E0603", "a keyset that does not fit its keys";
    NotBytes = "E0604", "a part of the packet that is not whole bytes";
    ReservedState = "E0605", "a state named as one of the final ones";

    // Tables and actions.
    PropertyMissing = "E0701", "a table without a property that it needs";
    PropertyTwice = "E0702", "a table property that is given twice";
    ActionNotListed = "E0703", "an action that the table does not list";
    AppliedTwice = "E0704", "a table that is applied in two places";
    BadLabel = "E0705", "a switch label that cannot be";
    BadSize = "E0706", "a table size that cannot be built";

    // Architecture.
    NoMain = "E0801", "no `main`, or more than one";
    Architecture = "E0802", "blocks that do not fit the architecture";

    // Limits.
    TooManyErrors = "E0901", "too many errors";
    TooDeep = "E0902", "a construct that is nested too deeply";
    TooLarge = "E0903", "a program, literal or expansion that is too large";

    // What the hardware does not have.
    HardwareLookahead = "E1001", "a look ahead that the hardware cannot take";
    HardwareTables = "E1002", "a table that the hardware cannot have";
    HardwareSize = "E1003", "a parser that takes too much hardware";
    HardwarePath = "E1004", "a path that is too long for a cycle";

    // Warnings.
    Unused = "W0001", "a declaration that is never used";
    Unreachable = "W0002", "a state, case or entry that can never be reached";
    AnnotationIgnored = "W0003", "an annotation that has no effect here";
    ConstantCondition = "W0004", "a comparison that always has the same outcome";
    DefaultIsWired = "W0006", "a default action that the hardware has wired in";
    MaskedBits = "W0005", "bits of a value that its mask ignores";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

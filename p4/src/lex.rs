//! From characters to tokens, one file at a time.
//!
//! Nothing is reported here: what is no token becomes [`Tok::Bad`], since it may stand in a part of the file
//! that a preprocessor condition leaves out.

use crate::source::{FileId, Span};
use crate::token::{BadToken, Tok, Token, PUNCTUATION};
use num_bigint::BigInt;

/// No integer is wider than this, literal or not.
pub const MAX_WIDTH: u32 = 2048;

/// A token with what the preprocessor wants to know of it.
#[derive(Clone, Debug)]
pub struct RawToken {
    pub token: Token,
    /// The first one on its (logical) line.
    pub first_on_line: bool,
    /// Follows the token before it with nothing between.
    pub glued: bool,
}

/// The tokens of a file.
pub fn lex(file: FileId, text: &str) -> Vec<RawToken> {
    let mut lexer = Lexer { text, at: 0, file };
    let mut tokens = vec![];
    let mut first_on_line = true;
    loop {
        let before = lexer.at;
        let unterminated = lexer.skip_blanks(&mut first_on_line);
        let start = lexer.at;
        let tok = match unterminated {
            Some(begin) => {
                let span = Span::new(file, begin, begin + 2);
                tokens.push(RawToken {
                    token: Token { tok: Tok::Bad(BadToken::Comment), span },
                    first_on_line,
                    glued: false,
                });
                return tokens;
            }
            None if start == text.len() => return tokens,
            None => lexer.token(),
        };
        let span = Span::new(file, start, lexer.at);
        tokens.push(RawToken { token: Token { tok, span }, first_on_line, glued: start == before });
        first_on_line = false;
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    file: FileId,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Skips blanks, comments and continued lines. `new_line` becomes true when a line ends. Returns where a
    /// comment began that never ends.
    fn skip_blanks(&mut self, new_line: &mut bool) -> Option<usize> {
        loop {
            let rest = self.rest();
            if rest.starts_with("\\\n") {
                self.at += 2;
            } else if rest.starts_with("\\\r\n") {
                self.at += 3;
            } else if rest.starts_with('\n') {
                *new_line = true;
                self.at += 1;
            } else if rest.starts_with([' ', '\t', '\r', '\u{c}'])
                || (self.at == 0 && rest.starts_with('\u{feff}'))
            {
                self.at += rest.chars().next().map_or(0, char::len_utf8);
            } else if rest.starts_with("//") {
                // A continued line continues its comment too.
                let mut end = 0;
                while let Some(found) = rest[end..].find('\n') {
                    end += found;
                    if !rest[..end].trim_end_matches('\r').ends_with('\\') {
                        break;
                    }
                    end += 1;
                }
                let ended = rest[end..].starts_with('\n');
                self.at += if ended { end } else { rest.len() };
            } else if let Some(body) = rest.strip_prefix("/*") {
                match body.find("*/") {
                    // As in C, a comment counts as a blank: it does not end a directive.
                    Some(end) => self.at += end + 4,
                    None => return Some(self.at),
                }
            } else {
                return None;
            }
        }
    }

    fn token(&mut self) -> Tok {
        let first = self.rest().chars().next().expect("not at the end");
        match first {
            'a'..='z' | 'A'..='Z' | '_' => Tok::Word(self.run().into()),
            '0'..='9' => integer(self.run()),
            '"' => self.string(),
            _ => match PUNCTUATION.iter().find(|punct| self.rest().starts_with(**punct)) {
                Some(punct) => {
                    self.at += punct.len();
                    Tok::Punct(punct)
                }
                None => {
                    self.at += first.len_utf8();
                    Tok::Bad(BadToken::Character(first))
                }
            },
        }
    }

    /// Letters, digits and underscores.
    fn run(&mut self) -> &str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn string(&mut self) -> Tok {
        let mut value = String::new();
        let mut bad_escape = None;
        let text = self.text;
        let mut chars = text[self.at + 1..].char_indices();
        let mut length = text.len() - self.at;
        let mut closed = false;
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    closed = true;
                    length = offset + 2;
                    break;
                }
                '\n' => {
                    length = offset + 1;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, '"')) => value.push('"'),
                    Some((_, '\\')) => value.push('\\'),
                    Some((_, 'n')) => value.push('\n'),
                    Some((offset, '\n')) => {
                        length = offset + 1;
                        break;
                    }
                    Some((_, other)) => bad_escape = Some(format!("\\{other}")),
                    None => {}
                },
                c => value.push(c),
            }
        }
        self.at += length;
        debug_assert!(self.file.0 < u32::MAX && self.at <= text.len());
        match (closed, bad_escape) {
            (false, _) => Tok::Bad(BadToken::String),
            (true, Some(escape)) => Tok::Bad(BadToken::Escape(escape)),
            (true, None) => Tok::Str(value.into()),
        }
    }
}

/// `[width(w|s)][0x|0o|0d|0b]digits`, digits and width with underscores in between.
fn integer(text: &str) -> Tok {
    let bad = |reason| Tok::Bad(BadToken::Integer(reason));
    // `0b1` begins with a digit and a letter too, but only `w` and `s` end a width.
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (width, signed, rest) = match text.as_bytes().get(digits) {
        Some(b'w' | b's') => {
            let width = match text[..digits].parse::<u32>() {
                Ok(width) if width <= MAX_WIDTH => width,
                _ => return Tok::Bad(BadToken::Large),
            };
            (Some(width), text.as_bytes()[digits] == b's', &text[digits + 1..])
        }
        _ => (None, false, text),
    };
    let (radix, body) = match rest.get(..2) {
        Some("0x" | "0X") => (16, &rest[2..]),
        Some("0o" | "0O") => (8, &rest[2..]),
        Some("0d" | "0D") => (10, &rest[2..]),
        Some("0b" | "0B") => (2, &rest[2..]),
        _ => (10, rest),
    };
    let digits: String = body.chars().filter(|c| *c != '_').collect();
    if digits.is_empty() {
        return bad("it has no digits");
    }
    if body.starts_with('_') && radix == 10 && rest.len() == body.len() {
        return bad("it begins with an underscore");
    }
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return bad(match radix {
            2 => "a binary literal has the digits 0 and 1",
            8 => "an octal literal has the digits 0 to 7",
            16 => "a hexadecimal literal has the digits 0 to 9 and a to f",
            _ => "a decimal literal has the digits 0 to 9",
        });
    }
    // Every digit is at least one bit; so the conversion stays small too.
    if digits.len() > MAX_WIDTH as usize {
        return Tok::Bad(BadToken::Large);
    }
    match BigInt::parse_bytes(digits.as_bytes(), radix) {
        Some(value) if value.bits() <= u64::from(MAX_WIDTH) => Tok::Int { value, width, signed },
        _ => Tok::Bad(BadToken::Large),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toks(text: &str) -> Vec<Tok> {
        lex(FileId(0), text).into_iter().map(|raw| raw.token.tok).collect()
    }

    fn int(value: i64, width: Option<u32>, signed: bool) -> Tok {
        Tok::Int { value: value.into(), width, signed }
    }

    /// The examples of section 6.4.3.3 of the specification, and their neighbours.
    #[test]
    fn integers_of_every_form() {
        for (text, expected) in [
            ("10", int(10, None, false)),
            ("0xFF", int(255, None, false)),
            ("8w10", int(10, Some(8), false)),
            ("8s10", int(10, Some(8), true)),
            ("2s3", int(3, Some(2), true)),
            ("1w1", int(1, Some(1), false)),
            ("32w255", int(255, Some(32), false)),
            ("32w0d255", int(255, Some(32), false)),
            ("32w0xFF", int(255, Some(32), false)),
            ("32s0xFF", int(255, Some(32), true)),
            ("8w0b10101010", int(0xAA, Some(8), false)),
            ("8w0b_1010_1010", int(0xAA, Some(8), false)),
            ("8w170", int(170, Some(8), false)),
            ("8s0b1010_1010", int(170, Some(8), true)),
            ("16w0377", int(377, Some(16), false)),
            ("16w0o377", int(255, Some(16), false)),
            ("0b1", int(1, None, false)),
            ("1_000", int(1000, None, false)),
            ("0", int(0, None, false)),
        ] {
            assert_eq!(toks(text), [expected], "{text}");
        }
        for text in ["0b2", "0o8", "12ab", "0xg", "8w", "0x", "8w_1", "0d"] {
            assert!(matches!(toks(text)[..], [Tok::Bad(BadToken::Integer(_))]), "{text}: {:?}", toks(text));
        }
        let long = "9".repeat(5000);
        assert_eq!(toks(&long), [Tok::Bad(BadToken::Large)]);
        assert_eq!(toks("99999999999w1"), [Tok::Bad(BadToken::Large)]);
    }

    #[test]
    fn a_range_is_not_a_number_with_a_point() {
        assert_eq!(toks("1..5"), [int(1, None, false), Tok::Punct(".."), int(5, None, false)]);
    }

    #[test]
    fn lines_comments_and_strings() {
        let raw = lex(FileId(0), "a /* x\n y */ b // c \\\n d\n\\\ne \"q\\\"\\\\\\n\" \"\\q\" \"open");
        let found: Vec<_> = raw.iter().map(|raw| (raw.token.tok.clone(), raw.first_on_line)).collect();
        assert_eq!(
            found,
            [
                (Tok::Word("a".into()), true),
                (Tok::Word("b".into()), false),
                (Tok::Word("e".into()), true),
                (Tok::Str("q\"\\\n".into()), false),
                (Tok::Bad(BadToken::Escape("\\q".into())), false),
                (Tok::Bad(BadToken::String), false),
            ]
        );
        assert_eq!(toks("a /* b"), [Tok::Word("a".into()), Tok::Bad(BadToken::Comment)]);
        assert_eq!(toks("é$"), [Tok::Bad(BadToken::Character('é')), Tok::Bad(BadToken::Character('$'))]);
    }
}

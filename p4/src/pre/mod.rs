//! The preprocessor: from files to the program's tokens.
//!
//! Supported are the directives that the specification asks for (section 6.2: `#include`, `#define` without
//! parameters, `#undef`, the conditionals), and also `#define` with parameters, `#error`, and the
//! include guards that come of it all. `#line`, `#pragma` and the operators `#` and `##` are refused.
//!
//! It works on tokens, never on text, so every token keeps the position at which it was written.

mod condition;
mod expand;

use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::lex::{lex, RawToken};
use crate::source::{directory_of, File, FileId, SourceMap, Span};
use crate::token::{BadToken, Tok, Token};
use expand::{Expander, Macro};
use std::io;
use std::path::{Path, PathBuf};

/// Files deeper than this include one another.
const MAX_INCLUDE_DEPTH: usize = 32;
/// Files that one compilation reads.
const MAX_FILES: usize = 256;
const MAX_FILE_BYTES: usize = 4 << 20;
/// Conditionals within conditionals.
const MAX_CONDITIONALS: usize = 256;

/// Where sources come from.
pub trait Loader {
    fn load(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// The file system.
pub struct Disk;

impl Loader for Disk {
    fn load(&self, path: &Path) -> io::Result<Vec<u8>> {
        let size = std::fs::metadata(path)?.len();
        if size > MAX_FILE_BYTES as u64 {
            return Err(io::Error::other(format!("larger than {MAX_FILE_BYTES} bytes")));
        }
        std::fs::read(path)
    }
}

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Directories in which includes are looked for, in order.
    pub include_paths: Vec<PathBuf>,
    /// Macros, and what they stand for.
    pub defines: Vec<(String, String)>,
}

/// Files that the compiler brings along.
pub const BUILTIN: &[(&str, &str)] = &[
    ("core.p4", include_str!("../../include/core.p4")),
    ("baton.p4", include_str!("../../include/baton.p4")),
];

/// Reads the program at `path` and everything that it includes. The last token is [`Tok::End`].
pub fn preprocess(
    path: &Path,
    options: &Options,
    loader: &dyn Loader,
    sources: &mut SourceMap,
    diags: &mut Diagnostics,
) -> io::Result<Vec<Token>> {
    let bytes = loader.load(path)?;
    let mut pre = Preprocessor {
        options,
        loader,
        sources,
        diags,
        expander: Expander::default(),
        output: vec![],
        exhausted: false,
    };
    let mut depth = 0;
    if !options.defines.is_empty() {
        let text: String =
            options.defines.iter().map(|(name, value)| format!("#define {name} {value}\n")).collect();
        let name = "<command line>".to_string();
        let file = pre.sources.add(File { name, text, directory: None, builtin: false });
        pre.file(file, &mut depth);
    }
    let name = path.display().to_string();
    let file = pre.add_file(name, bytes, Some(directory_of(path)));
    pre.file(file, &mut depth);
    let length = pre.sources.file(file).text.len();
    let mut output = pre.output;
    output.push(Token { tok: Tok::End, span: Span::new(file, length, length) });
    // Without all of its text, what else is wrong with a program cannot be known.
    let is_cut =
        |code| matches!(code, Code::IncludeFailed | Code::TooDeep | Code::TooLarge | Code::ErrorDirective);
    if diags.iter().any(|diagnostic| is_cut(diagnostic.code)) {
        output.drain(..output.len() - 1);
    }
    report_bad_tokens(&mut output, diags);
    Ok(output)
}

struct Preprocessor<'a> {
    options: &'a Options,
    loader: &'a dyn Loader,
    sources: &'a mut SourceMap,
    diags: &'a mut Diagnostics,
    expander: Expander,
    output: Vec<Token>,
    /// Too much was included: nothing more is.
    exhausted: bool,
}

/// One `#if` that is open.
struct Conditional {
    /// The directive, for the message when `#endif` is missing.
    span: Span,
    /// The text of the present branch counts.
    active: bool,
    /// A branch before counted, or the whole stands in text that doesn't: no further branch counts.
    done: bool,
    seen_else: bool,
}

impl Preprocessor<'_> {
    fn add_file(&mut self, name: String, bytes: Vec<u8>, directory: Option<PathBuf>) -> FileId {
        let (text, bad_at) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(at))
            }
        };
        let file = self.sources.add(File { name, text, directory, builtin: false });
        if let Some(at) = bad_at {
            self.diags.push(
                Diagnostic::error(Code::NotUtf8, "the file is not UTF-8 text")
                    .at(Span::new(file, at, at), "the first byte that is not"),
            );
        }
        file
    }

    /// Preprocesses one file, and those that it includes.
    fn file(&mut self, file: FileId, depth: &mut usize) {
        let text = self.sources.file(file).text.clone();
        let tokens = lex(file, &text);
        let mut conditionals: Vec<Conditional> = vec![];
        // Ordinary tokens up to the next directive; a macro's arguments may span lines.
        let mut pending: Vec<Token> = vec![];
        let mut at = 0;
        while at < tokens.len() && !self.diags.is_full() {
            let raw = &tokens[at];
            let active = conditionals.last().is_none_or(|c| c.active);
            if raw.first_on_line && raw.token.tok.is("#") {
                let end = tokens[at + 1..]
                    .iter()
                    .position(|t| t.first_on_line)
                    .map_or(tokens.len(), |n| at + 1 + n);
                self.flush(&mut pending);
                self.directive(&tokens[at..end], active, &mut conditionals, depth);
                at = end;
            } else {
                if active {
                    pending.push(raw.token.clone());
                }
                at += 1;
            }
        }
        self.flush(&mut pending);
        for conditional in conditionals {
            self.diags.push(
                Diagnostic::error(Code::UnbalancedConditional, "a conditional is not closed")
                    .at(conditional.span, "this has no `#endif` in its file"),
            );
        }
    }

    fn flush(&mut self, pending: &mut Vec<Token>) {
        let tokens = std::mem::take(pending);
        self.expander.expand(tokens, &mut self.output, self.sources, self.diags);
    }

    fn directive(
        &mut self,
        tokens: &[RawToken],
        active: bool,
        conditionals: &mut Vec<Conditional>,
        depth: &mut usize,
    ) {
        let Some(name) = tokens.get(1) else {
            return; // `#` alone does nothing, as in C.
        };
        let span = self.sources.join(tokens[0].token.span, name.token.span);
        let rest = &tokens[2..];
        let word = name.token.tok.word().unwrap_or("");
        match word {
            "if" | "ifdef" | "ifndef" => {
                if conditionals.len() >= MAX_CONDITIONALS {
                    self.diags.push(
                        Diagnostic::error(Code::TooDeep, "conditionals are nested too deeply")
                            .at(span, format!("more than {MAX_CONDITIONALS} are open here")),
                    );
                }
                let holds = active && self.condition(word, span, rest);
                conditionals.push(Conditional {
                    span,
                    active: holds,
                    done: holds || !active,
                    seen_else: false,
                });
            }
            "elif" | "else" => {
                let Some(last) = conditionals.last_mut() else {
                    return self.unbalanced(span, format!("`#{word}` without `#if`"));
                };
                if last.seen_else {
                    return self.unbalanced(span, format!("`#{word}` after `#else`"));
                }
                last.seen_else = word == "else";
                let done = last.done;
                let holds = !done && (word == "else" || self.condition("if", span, rest));
                if word == "else" {
                    self.nothing_more(rest, "else");
                }
                if let Some(last) = conditionals.last_mut() {
                    last.active = holds;
                    last.done |= holds;
                }
            }
            "endif" => {
                if conditionals.pop().is_none() {
                    return self.unbalanced(span, "`#endif` without `#if`".into());
                }
                self.nothing_more(rest, "endif");
            }
            _ if !active => {}
            "define" => self.define(span, rest),
            "undef" => match rest {
                [RawToken { token: Token { tok: Tok::Word(name), .. }, .. }] => self.expander.undefine(name),
                _ => self.malformed(span, "`#undef` is followed by one name"),
            },
            "include" => self.include(span, rest, depth),
            "error" => {
                let message = rest_of_line(self.sources, rest);
                self.diags.push(Diagnostic::error(Code::ErrorDirective, message).at(span, "demanded here"));
            }
            _ => {
                let what = match word {
                    "" => "this directive".into(),
                    word => format!("`#{word}`"),
                };
                self.diags.push(
                    Diagnostic::error(Code::UnknownDirective, format!("{what} is not supported"))
                        .at(span, "no directive of the subset")
                        .note("there are #include, #define, #undef, #if, #ifdef, #ifndef, #elif, #else, #endif and #error"),
                );
            }
        }
    }

    fn unbalanced(&mut self, span: Span, message: String) {
        self.diags
            .push(Diagnostic::error(Code::UnbalancedConditional, message).at(span, "nothing to continue"));
    }

    fn malformed(&mut self, span: Span, message: &str) {
        self.diags.push(Diagnostic::error(Code::BadDirective, message).at(span, "in this directive"));
    }

    fn nothing_more(&mut self, rest: &[RawToken], directive: &str) {
        if let Some(extra) = rest.first() {
            self.diags.push(
                Diagnostic::error(Code::BadDirective, format!("`#{directive}` takes nothing"))
                    .at(extra.token.span, "what is this for?"),
            );
        }
    }

    fn condition(&mut self, word: &str, span: Span, rest: &[RawToken]) -> bool {
        let tokens: Vec<Token> = rest.iter().map(|raw| raw.token.clone()).collect();
        if word == "if" {
            return condition::evaluate(&tokens, span, &mut self.expander, self.sources, self.diags);
        }
        match &tokens[..] {
            [Token { tok: Tok::Word(name), .. }] => self.expander.is_defined(name) == (word == "ifdef"),
            _ => {
                self.malformed(span, &format!("`#{word}` is followed by one name"));
                false
            }
        }
    }

    /// `#define name body` or `#define name(a, b) body`; with parameters the parenthesis follows at once.
    fn define(&mut self, span: Span, rest: &[RawToken]) {
        let Some((RawToken { token: Token { tok: Tok::Word(name), span: name_span }, .. }, after)) =
            rest.split_first()
        else {
            return self.malformed(span, "`#define` is followed by a name");
        };
        if &**name == "defined" {
            return self.malformed(span, "`defined` cannot be a macro");
        }
        let with_params = after.first().is_some_and(|t| t.glued && t.token.tok.is("("));
        let (params, body) = if with_params {
            let mut params = vec![];
            let mut at = 1;
            loop {
                match after.get(at).map(|t| &t.token.tok) {
                    Some(Tok::Punct(")")) if params.is_empty() => break,
                    Some(Tok::Word(param)) if !params.contains(param) => params.push(param.clone()),
                    _ => return self.malformed(span, "macro parameters are different names between commas"),
                }
                at += 1;
                match after.get(at).map(|t| &t.token.tok) {
                    Some(Tok::Punct(")")) => break,
                    Some(Tok::Punct(",")) => at += 1,
                    _ => return self.malformed(span, "macro parameters are different names between commas"),
                }
            }
            (Some(params), &after[at + 1..])
        } else {
            (None, after)
        };
        if let Some(hash) = body.iter().find(|t| t.token.tok.is("#")) {
            self.diags.push(
                Diagnostic::error(Code::UnknownDirective, "`#` and `##` in macros are not supported")
                    .at(hash.token.span, "tokens can be neither quoted nor glued"),
            );
            return;
        }
        let body = body.iter().map(|raw| raw.token.clone()).collect();
        let definition = Macro { params, body, span: *name_span };
        if let Some(former) = self.expander.define(name.clone(), definition) {
            self.diags.push(
                Diagnostic::error(
                    Code::MacroMisuse,
                    format!("macro `{name}` is defined as something else already"),
                )
                .at(*name_span, "second definition")
                .also(former, "first definition")
                .help("`#undef` it first, if that is meant"),
            );
        }
    }

    fn include(&mut self, span: Span, rest: &[RawToken], depth: &mut usize) {
        let fail = |this: &mut Self, message: String, label: &str, code| {
            this.diags.push(Diagnostic::error(code, message).at(span, label));
        };
        let (name, quoted) = match rest {
            [RawToken { token: Token { tok: Tok::Str(name), .. }, .. }] => (name.to_string(), true),
            [first, .., last] if first.token.tok.is("<") && last.token.tok.is(">") => {
                let from = first.token.span.after();
                let between = Span { end: last.token.span.start, ..from };
                (self.sources.text(between).to_string(), false)
            }
            _ => return self.malformed(span, "`#include` is followed by \"file\" or <file>"),
        };
        if self.exhausted {
            return;
        }
        if *depth >= MAX_INCLUDE_DEPTH || self.sources.files().count() >= MAX_FILES {
            self.exhausted = true;
            let message = if *depth >= MAX_INCLUDE_DEPTH {
                format!("files include one another {MAX_INCLUDE_DEPTH} deep")
            } else {
                format!("more than {MAX_FILES} files")
            };
            fail(self, message, "this is one too many", Code::TooDeep);
            return;
        }
        let builtin = BUILTIN.iter().find(|(builtin, _)| *builtin == name);
        if let (Some((name, text)), false) = (builtin, quoted) {
            return self.include_builtin(name, text, depth);
        }
        let mut places: Vec<PathBuf> = vec![];
        if quoted {
            places.extend(self.sources.file(span.file).directory.clone());
        }
        places.extend(self.options.include_paths.iter().cloned());
        let mut failure = None;
        for place in &places {
            let path = place.join(&name);
            match self.loader.load(&path) {
                Ok(bytes) if bytes.len() > MAX_FILE_BYTES => {
                    let message = format!("{} is larger than {MAX_FILE_BYTES} bytes", path.display());
                    return fail(self, message, "too large", Code::TooLarge);
                }
                Ok(bytes) => {
                    let file = self.add_file(path.display().to_string(), bytes, Some(directory_of(&path)));
                    *depth += 1;
                    self.file(file, depth);
                    *depth -= 1;
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => failure = failure.or(Some(format!("{}: {error}", path.display()))),
            }
        }
        if let Some((name, text)) = builtin {
            return self.include_builtin(name, text, depth);
        }
        let looked: Vec<String> =
            places.iter().map(|place| format!("`{}`", place.join(&name).display())).collect();
        let mut diagnostic =
            Diagnostic::error(Code::IncludeFailed, format!("cannot read `{name}`")).at(span, "included here");
        diagnostic = match (failure, looked.is_empty()) {
            (Some(failure), _) => diagnostic.note(failure),
            (None, false) => diagnostic.note(format!("looked for {}", looked.join(", "))),
            (None, true) => diagnostic.help("give the directory with -I"),
        };
        self.diags.push(diagnostic);
    }

    fn include_builtin(&mut self, name: &str, text: &str, depth: &mut usize) {
        let file = File { name: format!("<{name}>"), text: text.into(), directory: None, builtin: true };
        let file = self.sources.add(file);
        *depth += 1;
        self.file(file, depth);
        *depth -= 1;
    }
}

/// The text of a directive behind its name.
fn rest_of_line(sources: &SourceMap, rest: &[RawToken]) -> String {
    match (rest.first(), rest.last()) {
        (Some(first), Some(last)) => {
            sources.text(sources.join(first.token.span, last.token.span)).trim_matches('"').into()
        }
        _ => "#error".into(),
    }
}

/// Reports and removes the tokens that are none.
fn report_bad_tokens(tokens: &mut Vec<Token>, diags: &mut Diagnostics) {
    tokens.retain_mut(|token| {
        let Tok::Bad(bad) = &token.tok else { return true };
        let (code, message, label) = match bad {
            BadToken::Character(c) => (
                Code::UnknownCharacter,
                format!("unknown character `{}`", c.escape_debug()),
                "P4 does not use it".into(),
            ),
            BadToken::Comment => {
                (Code::UnterminatedComment, "unterminated comment".to_string(), "it begins here".to_string())
            }
            BadToken::String => {
                (Code::BadString, "unterminated string".into(), "it ends with its line".into())
            }
            BadToken::Escape(escape) => (
                Code::BadString,
                format!("unknown escape `\\{}` in a string", escape[1..].escape_debug()),
                "there are \\\", \\\\ and \\n".into(),
            ),
            BadToken::Integer(reason) => {
                (Code::BadInteger, "malformed integer literal".into(), (*reason).into())
            }
            BadToken::Large => (
                Code::TooLarge,
                "integer literal too large".into(),
                format!("no integer has more than {} bits", crate::lex::MAX_WIDTH),
            ),
        };
        diags.push(Diagnostic::error(code, message).at(token.span, label));
        // A number in its place keeps the parser from complaining too.
        if matches!(bad, BadToken::Integer(_) | BadToken::Large) {
            token.tok = Tok::Int { value: 0.into(), width: None, signed: false };
            return true;
        }
        if matches!(bad, BadToken::String | BadToken::Escape(_)) {
            token.tok = Tok::Str("".into());
            return true;
        }
        false
    });
}

#[cfg(test)]
mod tests;

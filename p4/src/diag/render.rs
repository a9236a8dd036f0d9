//! Diagnostics as text: the source line with a caret under the fault.

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::{SourceMap, Span};
use codespan_reporting::diagnostic::{Diagnostic as Report, Label as Mark, Severity as Level};
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term::termcolor::{ColorChoice, StandardStream};
use codespan_reporting::term::{self, Config, Styles, StylesWriter};
use std::io;

/// Every diagnostic as plain text, in the order in which they were found.
pub fn render(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let files = files_of(sources);
    let config = config();
    let mut text = String::new();
    for diagnostic in diagnostics.iter() {
        // Emission fails only on positions outside of a file; then the message still has to come out.
        if term::emit_to_string(&mut text, &config, &files, &report(diagnostic, sources)).is_err() {
            text += &format!("{}: {}\n", diagnostic.code, diagnostic.message);
        }
    }
    text
}

/// Every diagnostic to standard error, coloured if that is a terminal.
pub fn write_colored(diagnostics: &Diagnostics, sources: &SourceMap, color: ColorChoice) -> io::Result<()> {
    let files = files_of(sources);
    let config = config();
    let styles = Styles::default();
    let mut stream = StylesWriter::new(StandardStream::stderr(color), &styles);
    for diagnostic in diagnostics.iter() {
        term::emit_to_write_style(&mut stream, &config, &files, &report(diagnostic, sources))
            .map_err(io::Error::other)?;
    }
    Ok(())
}

fn config() -> Config {
    Config { tab_width: 4, ..Config::default() }
}

fn files_of(sources: &SourceMap) -> SimpleFiles<&str, &str> {
    let mut files = SimpleFiles::new();
    for (_, file) in sources.files() {
        files.add(file.name.as_str(), file.text.as_str());
    }
    files
}

fn report(diagnostic: &Diagnostic, sources: &SourceMap) -> Report<usize> {
    let mut report = Report::new(match diagnostic.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
    })
    .with_code(diagnostic.code)
    .with_message(&diagnostic.message);
    for label in &diagnostic.labels {
        // Text from a macro is shown where the macro is used, with its origin beside it.
        let (place, origins) = unfold(label.span, sources);
        let mark = if label.primary {
            Mark::primary as fn(usize, std::ops::Range<usize>) -> _
        } else {
            Mark::secondary
        };
        report = report.with_label(mark(place.file.0 as usize, range(place)).with_message(&label.message));
        for (name, origin) in origins {
            let origin_mark = Mark::secondary(origin.file.0 as usize, range(origin))
                .with_message(format!("from the definition of macro `{name}`"));
            if !report.labels.contains(&origin_mark) {
                report = report.with_label(origin_mark);
            }
        }
    }
    report.with_notes(diagnostic.notes.clone())
}

/// The call site of a span, and the places in macro definitions that it went through, innermost first. Of a
/// long chain the first few are enough.
fn unfold(mut span: Span, sources: &SourceMap) -> (Span, Vec<(&str, Span)>) {
    let mut origins = vec![];
    while let Some(id) = span.expansion {
        let expansion = sources.expansion(id);
        if origins.len() < 4 {
            origins.push((expansion.macro_name.as_str(), span));
        }
        span = expansion.call_site;
    }
    (span, origins)
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

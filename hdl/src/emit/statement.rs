//! The statements of a combinational block, read from Rust-HDL's text.

use std::fmt::Write;

/// Statements in order.
pub type Block<'a> = Vec<Statement<'a>>;

/// One statement; text that this module need not understand is kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement<'a> {
    /// `target` and `part` (`""` or `[...]`) take `value`.
    Assign { target: &'a str, part: &'a str, value: &'a str },
    /// `if (condition) then else otherwise`; the condition has its parentheses.
    If { condition: &'a str, then: Block<'a>, otherwise: Block<'a> },
    /// `case (subject)`; each arm has its label without the colon.
    Case { subject: &'a str, arms: Vec<(&'a str, Block<'a>)> },
}

/// What to write, in lines with an indent, where an assignment stands: given target, part and value.
pub type Spelling<'s> = &'s mut dyn FnMut(&mut Lines, &str, &str, &str);

/// Text that grows by lines of one indent.
pub struct Lines<'t> {
    text: &'t mut String,
    pub indent: usize,
}

impl Lines<'_> {
    pub fn line(&mut self, line: std::fmt::Arguments) {
        let indent = self.indent;
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }
}

/// Reads the lines between `always @(*) begin` and its `end`.
///
/// # Panics
/// On a line that Rust-HDL does not write; it would otherwise be lost.
pub fn parse<'a>(lines: &[&'a str]) -> Block<'a> {
    let mut lines = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).peekable();
    let block = statements(&mut lines);
    assert!(lines.peek().is_none(), "a block ends before `{}`", lines.peek().unwrap_or(&""));
    block
}

/// Statements up to the `end` or `endcase` of what is around them, which stays.
fn statements<'a>(lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Block<'a> {
    let mut block = Vec::new();
    while let Some(line) = lines.next_if(|line| *line != "end" && *line != "endcase") {
        if line.starts_with("//") {
            continue;
        }
        block.push(if let Some(condition) = head(line, "if ") {
            conditional(condition, lines)
        } else if let Some(subject) = line.strip_prefix("case ") {
            Statement::Case { subject, arms: arms(lines) }
        } else {
            assignment(line)
        });
    }
    block
}

fn head<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.strip_prefix(word)?.strip_suffix("begin").map(str::trim)
}

fn conditional<'a>(
    condition: &'a str,
    lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
) -> Statement<'a> {
    let then = body(lines);
    let otherwise = match lines.next_if(|line| line.split(' ').next() == Some("else")) {
        None => Vec::new(),
        Some(line) => match head(line, "else if ") {
            Some(condition) => vec![conditional(condition, lines)],
            None => body(lines),
        },
    };
    Statement::If { condition, then, otherwise }
}

/// Statements and the `end` behind them.
fn body<'a>(lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Block<'a> {
    let block = statements(lines);
    assert_eq!(lines.next(), Some("end"));
    block
}

fn arms<'a>(lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Vec<(&'a str, Block<'a>)> {
    let mut arms = Vec::new();
    loop {
        match lines.next() {
            Some("endcase") => return arms,
            Some(label) => {
                let label =
                    label.strip_suffix(':').unwrap_or_else(|| panic!("no label of a case: `{label}`"));
                assert_eq!(lines.next(), Some("begin"));
                arms.push((label, body(lines)));
            }
            None => panic!("a case without its end"),
        }
    }
}

fn assignment(line: &str) -> Statement<'_> {
    let parts = line.strip_suffix(';').and_then(|line| line.split_once(" = "));
    let (left, value) = parts.unwrap_or_else(|| panic!("no statement: `{line}`"));
    let (target, part) = left.split_at(left.find('[').unwrap_or(left.len()));
    Statement::Assign { target, part, value }
}

impl<'a> Statement<'a> {
    /// Calls `visit` for each assignment, in order.
    pub fn assignments(&self, visit: &mut dyn FnMut(&'a str)) {
        match self {
            Statement::Assign { target, .. } => visit(target),
            Statement::If { then, otherwise, .. } => {
                then.iter().chain(otherwise).for_each(|statement| statement.assignments(visit));
            }
            Statement::Case { arms, .. } => {
                arms.iter().flat_map(|(_, body)| body).for_each(|statement| statement.assignments(visit));
            }
        }
    }

    /// The signals that it assigns.
    pub fn targets(&self) -> Vec<&'a str> {
        let mut targets = Vec::new();
        self.assignments(&mut |target| targets.push(target));
        targets
    }

    /// Calls `visit` for each assignment, with its target and the names that it depends on: those of its value and of the
    /// conditions around it.
    pub fn dependencies(&self, visit: &mut dyn FnMut(&'a str, &[&'a str])) {
        self.dependencies_within(&mut Vec::new(), visit);
    }

    fn dependencies_within(&self, around: &mut Vec<&'a str>, visit: &mut dyn FnMut(&'a str, &[&'a str])) {
        let outside = around.len();
        match self {
            Statement::Assign { target, part, value } => {
                around.extend([part, value].into_iter().flat_map(|text| names(text)));
                visit(target, around);
            }
            Statement::If { condition, then, otherwise } => {
                around.extend(names(condition));
                then.iter()
                    .chain(otherwise)
                    .for_each(|statement| statement.dependencies_within(around, visit));
            }
            Statement::Case { subject, arms } => {
                around.extend(names(subject));
                around.extend(arms.iter().flat_map(|(label, _)| names(label)));
                let bodies = arms.iter().flat_map(|(_, body)| body);
                bodies.for_each(|statement| statement.dependencies_within(around, visit));
            }
        }
        around.truncate(outside);
    }
}

/// The identifiers of an expression, and its numbers, which match no name.
pub fn names(expression: &str) -> impl Iterator<Item = &str> {
    expression.split(|c: char| !is_name(c)).filter(|name| !name.is_empty())
}

/// Whether a character may be part of a name.
pub fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

/// What is left of a block when only the assignments to some signals stay.
pub fn project<'a>(block: &[Statement<'a>], keep: &dyn Fn(&str) -> bool) -> Block<'a> {
    block.iter().filter_map(|statement| project_one(statement, keep)).collect()
}

fn project_one<'a>(statement: &Statement<'a>, keep: &dyn Fn(&str) -> bool) -> Option<Statement<'a>> {
    match statement {
        Statement::Assign { target, .. } => keep(target).then(|| statement.clone()),
        Statement::If { condition, then, otherwise } => {
            let (then, otherwise) = (project(then, keep), project(otherwise, keep));
            let some = !then.is_empty() || !otherwise.is_empty();
            some.then_some(Statement::If { condition, then, otherwise })
        }
        Statement::Case { subject, arms } => {
            let arms: Vec<_> = arms.iter().map(|(label, body)| (*label, project(body, keep))).collect();
            let some = arms.iter().any(|(_, body)| !body.is_empty());
            some.then_some(Statement::Case { subject, arms })
        }
    }
}

/// Writes a block, each statement on its own lines.
pub fn write(out: &mut String, block: &[Statement], indent: usize, spelling: Spelling) {
    for statement in block {
        match statement {
            Statement::Assign { target, part, value } => {
                spelling(&mut Lines { text: out, indent }, target, part, value);
            }
            _ => {
                let _ = write!(out, "{:indent$}", "");
                write_one(out, statement, indent, spelling);
            }
        }
    }
}

/// Writes a statement with others in it, whose first line is indented already.
fn write_one(out: &mut String, statement: &Statement, indent: usize, spelling: Spelling) {
    match statement {
        Statement::Assign { .. } => unreachable!("it has lines of its own"),
        Statement::If { condition, then, otherwise } => {
            // What has nothing to do when it holds is asked the other way round.
            let (condition, then, otherwise) = match then.is_empty() {
                true => (format!("(!{condition})"), otherwise, then),
                false => (condition.to_string(), then, otherwise),
            };
            let _ = writeln!(out, "if {condition} begin");
            write(out, then, indent + 4, spelling);
            let _ = writeln!(out, "{:indent$}end", "");
            match &otherwise[..] {
                [] => {}
                [chained @ Statement::If { .. }] => {
                    let _ = write!(out, "{:indent$}else ", "");
                    write_one(out, chained, indent, spelling);
                }
                otherwise => {
                    let _ = writeln!(out, "{:indent$}else begin", "");
                    write(out, otherwise, indent + 4, spelling);
                    let _ = writeln!(out, "{:indent$}end", "");
                }
            }
        }
        Statement::Case { subject, arms } => {
            let _ = writeln!(out, "case {subject}");
            for (label, body) in arms {
                let _ = writeln!(out, "{:indent$}    {label}: begin", "");
                write(out, body, indent + 8, spelling);
                let _ = writeln!(out, "{:indent$}    end", "");
            }
            let _ = writeln!(out, "{:indent$}endcase", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        a = x;
        if (c == d) begin
            a = z;
            b[(0)+:(2)] = w;
        end
        else if (e) begin
            b = y;
        end
        else begin
            a = q$q;
        end
        case (s)
            0:
                begin
                    b = 'h2;
                end
            default:
                begin
                end
        endcase";

    fn lines(text: &str) -> Vec<&str> {
        text.lines().collect()
    }

    fn written(block: &[Statement]) -> String {
        let mut out = String::new();
        write(&mut out, block, 0, &mut |lines, target, part, value| {
            lines.line(format_args!("{target}{part} = {value};"));
        });
        out
    }

    #[test]
    fn what_is_written_reads_back() {
        let block = parse(&lines(TEXT));
        let again = written(&block).replace(": begin", ":\nbegin");
        assert_eq!(parse(&lines(&again)), block);
        assert_eq!(block[1].targets(), ["a", "b", "b", "a"]);
        let mut dependencies = Vec::new();
        block[1].dependencies(&mut |target, names| dependencies.push((target, names.join(" "))));
        let expected = [("a", "c d z"), ("b", "c d 0 2 w"), ("b", "c d e y"), ("a", "c d e q$q")];
        assert_eq!(dependencies, expected.map(|(target, names)| (target, names.to_string())));
    }

    #[test]
    fn a_projection_keeps_the_paths_to_what_it_keeps() {
        let block = project(&parse(&lines(TEXT)), &|name| name == "b");
        let expected = "\
if (c == d) begin
    b[(0)+:(2)] = w;
end
else if (e) begin
    b = y;
end
case (s)
    0: begin
        b = 'h2;
    end
    default: begin
    end
endcase
";
        assert_eq!(written(&block), expected);
    }

    #[test]
    #[should_panic(expected = "no statement: `wait(x);`")]
    fn an_unknown_line_is_not_lost() {
        parse(&["wait(x);"]);
    }
}

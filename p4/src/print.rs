//! The syntax tree as text again.
//!
//! What is printed parses to the same tree. Macros and includes are expanded, so it shows what the compiler
//! saw; tests use it to try the parser against itself.

use crate::ast::*;
use std::fmt::Write;

/// A program's text.
pub fn print(program: &Program) -> String {
    let mut printer = Printer { text: String::new(), indent: 0 };
    for declaration in &program.declarations {
        printer.declaration(declaration);
    }
    printer.text
}

struct Printer {
    text: String,
    indent: usize,
}

/// Above every binary operator: an operand that needs no parentheses anywhere.
const PRIMARY: u8 = 12;
const UNARY: u8 = 11;

fn comma<T>(list: &[T], each: impl Fn(&T) -> String) -> String {
    list.iter().map(each).collect::<Vec<_>>().join(", ")
}

impl Printer {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{:width$}{text}", "", width = 4 * self.indent);
    }

    fn braces(&mut self, head: &str, tail: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("{head} {{"));
        self.indent += 1;
        body(self);
        self.indent -= 1;
        self.line(&format!("}}{tail}"));
    }

    fn declaration(&mut self, declaration: &Declaration) {
        match declaration {
            Declaration::Const(decl) => self.line(&constant(decl)),
            Declaration::Typedef(decl) => {
                let word = if decl.distinct { "type" } else { "typedef" };
                let notes = annotations(&decl.annotations);
                self.line(&format!("{notes}{word} {} {};", ty(&decl.ty), decl.name.name));
            }
            Declaration::Header(decl) => self.fields("header", decl),
            Declaration::Struct(decl) => self.fields("struct", decl),
            Declaration::Enum(decl) => {
                let under = decl.underlying.as_ref().map(|t| ty(t) + " ").unwrap_or_default();
                let member = |member: &EnumMember| match &member.value {
                    Some(value) => format!("{} = {}", member.name.name, expr(value)),
                    None => member.name.name.clone(),
                };
                let members = comma(&decl.members, member);
                self.line(&format!(
                    "{}enum {under}{} {{ {members} }}",
                    annotations(&decl.annotations),
                    decl.name.name
                ));
            }
            Declaration::Error(decl) => self.members("error", decl),
            Declaration::MatchKind(decl) => self.members("match_kind", decl),
            Declaration::Extern(decl) => {
                let notes = annotations(&decl.annotations);
                let head = format!("{notes}extern {}{}", decl.name.name, type_params(&decl.type_params));
                self.braces(&head, "", |this| {
                    for method in &decl.methods {
                        this.line(&format!("{}{}", annotations(&method.annotations), prototype(method)));
                    }
                });
            }
            Declaration::ExternFunction(decl) => {
                self.line(&format!("{}extern {}", annotations(&decl.annotations), prototype(decl)));
            }
            Declaration::Action(decl) => self.action(decl),
            Declaration::ParserType(decl) => self.line(&(block_type("parser", decl) + ";")),
            Declaration::ControlType(decl) => self.line(&(block_type("control", decl) + ";")),
            Declaration::PackageType(decl) => self.line(&(block_type("package", decl) + ";")),
            Declaration::Parser(decl) => self.parser(decl),
            Declaration::Control(decl) => self.control(decl),
            Declaration::Instantiation(decl) => {
                let notes = annotations(&decl.annotations);
                self.line(&format!(
                    "{notes}{}({}) {};",
                    ty(&decl.ty),
                    comma(&decl.args, arg),
                    decl.name.name
                ));
            }
        }
    }

    fn fields(&mut self, word: &str, decl: &FieldsDecl) {
        self.braces(&format!("{}{word} {}", annotations(&decl.annotations), decl.name.name), "", |this| {
            for field in &decl.fields {
                let notes = annotations(&field.annotations);
                this.line(&format!("{notes}{} {};", ty(&field.ty), field.name.name));
            }
        });
    }

    fn members(&mut self, word: &str, decl: &MembersDecl) {
        let members = comma(&decl.members, |member| member.name.clone());
        self.line(&format!("{}{word} {{ {members} }}", annotations(&decl.annotations)));
    }

    fn action(&mut self, decl: &ActionDecl) {
        let notes = annotations(&decl.annotations);
        let head = format!("{notes}action {}({})", decl.name.name, comma(&decl.params, param));
        self.block(&head, &decl.body);
    }

    fn block(&mut self, head: &str, block: &Block) {
        self.braces(head, "", |this| {
            for statement in &block.statements {
                this.statement("", statement);
            }
        });
    }

    fn parser(&mut self, decl: &ParserDecl) {
        self.braces(&block_type("parser", &decl.head), "", |this| {
            for local in &decl.locals {
                this.line(&match local {
                    ParserLocal::Const(decl) => constant(decl),
                    ParserLocal::Var(decl) => variable(decl),
                });
            }
            for state in &decl.states {
                let head = format!("{}state {}", annotations(&state.annotations), state.name.name);
                this.braces(&head, "", |this| {
                    for statement in &state.body {
                        this.statement("", statement);
                    }
                    match state.transition.as_ref().map(|transition| &transition.kind) {
                        None => {}
                        Some(TransitionKind::Direct(target)) => {
                            this.line(&format!("transition {};", target.name))
                        }
                        Some(TransitionKind::Select { keys, cases }) => {
                            this.braces(&format!("transition select({})", comma(keys, expr)), "", |this| {
                                for case in cases {
                                    this.line(&format!("{}: {};", keyset(&case.keyset), case.target.name));
                                }
                            });
                        }
                    }
                });
            }
        });
    }

    fn control(&mut self, decl: &ControlDecl) {
        self.braces(&block_type("control", &decl.head), "", |this| {
            for local in &decl.locals {
                match local {
                    ControlLocal::Const(decl) => this.line(&constant(decl)),
                    ControlLocal::Var(decl) => this.line(&variable(decl)),
                    ControlLocal::Action(decl) => this.action(decl),
                    ControlLocal::Table(decl) => this.table(decl),
                }
            }
            this.block("apply", &decl.apply);
        });
    }

    fn table(&mut self, decl: &TableDecl) {
        self.braces(&format!("{}table {}", annotations(&decl.annotations), decl.name.name), "", |this| {
            this.braces("key =", "", |this| {
                for key in &decl.keys {
                    let notes = annotations(&key.annotations);
                    this.line(&format!("{}: {} {notes};", expr(&key.expr), key.match_kind.name));
                }
            });
            this.braces("actions =", "", |this| {
                for action in &decl.actions {
                    this.line(&(action_ref(action) + ";"));
                }
            });
            if let Some(default) = &decl.default_action {
                let word = if default.is_const { "const " } else { "" };
                this.line(&format!("{word}default_action = {};", action_ref(&default.action)));
            }
            if let Some(entries) = &decl.entries {
                this.braces("const entries =", "", |this| {
                    for entry in entries {
                        this.line(&format!("{}: {};", keyset(&entry.keyset), action_ref(&entry.action)));
                    }
                });
            }
            if let Some(size) = &decl.size {
                this.line(&format!("size = {};", expr(size)));
            }
        });
    }

    /// `before` is what stands before it on its line, as `else`.
    fn statement(&mut self, before: &str, statement: &Stmt) {
        match &statement.kind {
            StmtKind::Empty => self.line(&format!("{before};")),
            StmtKind::Var(decl) => self.line(&format!("{before}{}", variable(decl))),
            StmtKind::Const(decl) => self.line(&format!("{before}{}", constant(decl))),
            StmtKind::Assign { target, value } => {
                self.line(&format!("{before}{} = {};", expr(target), expr(value)))
            }
            StmtKind::Call(call) => self.line(&format!("{before}{};", expr(call))),
            StmtKind::Block(block) => self.block(before.trim_end(), block),
            StmtKind::If { condition, then, otherwise } => {
                self.line(&format!("{before}if ({})", expr(condition)));
                self.indent += 1;
                self.statement("", then);
                self.indent -= 1;
                if let Some(otherwise) = otherwise {
                    self.statement("else ", otherwise);
                }
            }
            StmtKind::Switch { subject, cases } => {
                self.braces(&format!("{before}switch ({})", expr(subject)), "", |this| {
                    for case in cases {
                        let label = match &case.label {
                            SwitchLabel::Default(_) => "default",
                            SwitchLabel::Action(name) => &name.name,
                        };
                        match &case.body {
                            Some(body) => this.block(&format!("{label}:"), body),
                            None => this.line(&format!("{label}:")),
                        }
                    }
                });
            }
        }
    }
}

fn annotations(list: &[Annotation]) -> String {
    let one = |annotation: &Annotation| {
        let body = match &annotation.body {
            None => String::new(),
            Some(AnnotationBody::Text(text)) => format!("({})", string(text)),
            Some(AnnotationBody::Other(text)) => text.clone(),
        };
        format!("@{}{body} ", annotation.name.name)
    };
    list.iter().map(one).collect()
}

fn string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn constant(decl: &ConstDecl) -> String {
    let notes = annotations(&decl.annotations);
    format!("{notes}const {} {} = {};", ty(&decl.ty), decl.name.name, expr(&decl.value))
}

fn variable(decl: &VarDecl) -> String {
    let notes = annotations(&decl.annotations);
    let init = decl.init.as_ref().map(|init| format!(" = {}", expr(init))).unwrap_or_default();
    format!("{notes}{} {}{init};", ty(&decl.ty), decl.name.name)
}

fn type_params(params: &[Ident]) -> String {
    match params {
        [] => String::new(),
        params => format!("<{}>", comma(params, |param| param.name.clone())),
    }
}

fn prototype(decl: &Prototype) -> String {
    let result = decl.result.as_ref().map(|t| ty(t) + " ").unwrap_or_default();
    format!("{result}{}{}({});", decl.name.name, type_params(&decl.type_params), comma(&decl.params, param))
}

fn block_type(word: &str, decl: &BlockType) -> String {
    let notes = annotations(&decl.annotations);
    format!(
        "{notes}{word} {}{}({})",
        decl.name.name,
        type_params(&decl.type_params),
        comma(&decl.params, param)
    )
}

fn param(param: &Param) -> String {
    let direction = match param.direction {
        None => "",
        Some(Direction::In) => "in ",
        Some(Direction::Out) => "out ",
        Some(Direction::InOut) => "inout ",
    };
    format!("{}{direction}{} {}", annotations(&param.annotations), ty(&param.ty), param.name.name)
}

fn action_ref(action: &ActionRef) -> String {
    let notes = annotations(&action.annotations);
    format!("{notes}{}({})", path(&action.name), comma(&action.args, arg))
}

fn arg(arg: &Arg) -> String {
    let name = arg.name.as_ref().map(|name| format!("{} = ", name.name)).unwrap_or_default();
    format!("{name}{}", arg.value.as_ref().map_or("_".into(), expr))
}

fn path(path: &Path) -> String {
    format!("{}{}", if path.absolute { "." } else { "" }, path.name)
}

fn ty(of: &TypeRef) -> String {
    match &of.kind {
        TypeKind::Bool => "bool".into(),
        TypeKind::Bit(None) => "bit".into(),
        TypeKind::Bit(Some(width)) => match &width.kind {
            ExprKind::Int(_) => format!("bit<{}>", expr(width)),
            _ => format!("bit<({})>", expr(width)),
        },
        TypeKind::Integer => "int".into(),
        TypeKind::Error => "error".into(),
        TypeKind::String => "string".into(),
        TypeKind::Void => "void".into(),
        TypeKind::DontCare => "_".into(),
        TypeKind::Named(name) => path(name),
        TypeKind::Specialized { base, args } => format!("{}<{}>", path(base), comma(args, ty)),
    }
}

fn keyset(of: &Keyset) -> String {
    match &of.kind {
        KeysetKind::Default => "default".into(),
        KeysetKind::DontCare => "_".into(),
        KeysetKind::Value(value) => expr(value),
        KeysetKind::Mask(value, mask) => format!("{} &&& {}", expr(value), expr(mask)),
        KeysetKind::Range(low, high) => format!("{} .. {}", expr(low), expr(high)),
        KeysetKind::Tuple(elements) => format!("({})", comma(elements, keyset)),
    }
}

fn level(of: &Expr) -> u8 {
    match &of.kind {
        ExprKind::Conditional { .. } => 0,
        ExprKind::Binary { op, .. } => op.precedence(),
        ExprKind::Unary { .. } | ExprKind::Cast { .. } => UNARY,
        _ => PRIMARY,
    }
}

/// In parentheses if it binds less tightly than `least`.
fn at_least(least: u8, of: &Expr) -> String {
    if level(of) < least {
        format!("({})", expr(of))
    } else {
        expr(of)
    }
}

fn expr(of: &Expr) -> String {
    match &of.kind {
        ExprKind::Int(literal) => match literal.width {
            Some(width) => format!("{width}w{}", literal.value),
            None => literal.value.to_string(),
        },
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::String(text) => string(text),
        ExprKind::Name(name) => path(name),
        ExprKind::Error(member) => format!("error.{}", member.name),
        ExprKind::TypeMember { ty, member } => format!("{}.{}", path(ty), member.name),
        ExprKind::Member { base, member } => format!("{}.{}", at_least(PRIMARY, base), member.name),
        ExprKind::Slice { base, high, low } => {
            format!("{}[{}:{}]", at_least(PRIMARY, base), expr(high), expr(low))
        }
        // A second plus would make another operator of the first.
        ExprKind::Unary { op: UnaryOp::Plus, operand } => format!("+ {}", at_least(UNARY, operand)),
        ExprKind::Unary { op, operand } => format!("{}{}", op.symbol(), at_least(UNARY, operand)),
        ExprKind::Binary { op, left, right } => {
            let own = op.precedence();
            format!("{} {} {}", at_least(own, left), op.symbol(), at_least(own + 1, right))
        }
        ExprKind::Conditional { condition, then, otherwise } => {
            format!("{} ? {} : {}", at_least(1, condition), expr(then), expr(otherwise))
        }
        ExprKind::Cast { ty: to, operand } => format!("({}){}", ty(to), at_least(UNARY, operand)),
        ExprKind::Call { callee, type_args, args } => {
            let types = match &type_args[..] {
                [] => String::new(),
                types => format!("<{}>", comma(types, ty)),
            };
            format!("{}{types}({})", at_least(PRIMARY, callee), comma(args, arg))
        }
        ExprKind::Construct { ty: of, args } => format!("{}({})", ty(of), comma(args, arg)),
    }
}

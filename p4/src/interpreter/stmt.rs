//! Statements, of parser states, actions and controls.

use super::machine::{Machine, Run, Stop};
use super::names::Entity;
use super::value::Value;
use crate::ast::{self, StmtKind, SwitchLabel};

impl<'a> Machine<'a, '_> {
    pub(super) fn block(&mut self, block: &'a ast::Block) -> Run<()> {
        self.scoped(|this| block.statements.iter().try_for_each(|statement| this.statement(statement)))
    }

    pub(super) fn statement(&mut self, statement: &'a ast::Stmt) -> Run<()> {
        match &statement.kind {
            StmtKind::Empty => Ok(()),
            StmtKind::Var(decl) => self.var_decl(decl),
            StmtKind::Const(decl) => self.const_decl(decl),
            StmtKind::Assign { target, value } => {
                let value = self.eval(value)?;
                self.assign(target, value)
            }
            StmtKind::Call(call) => self.eval(call).map(|_| ()),
            StmtKind::Block(block) => self.block(block),
            StmtKind::If { condition, then, otherwise } => match (self.condition(condition)?, otherwise) {
                (true, _) => self.scoped(|this| this.statement(then)),
                (false, Some(otherwise)) => self.scoped(|this| this.statement(otherwise)),
                (false, None) => Ok(()),
            },
            StmtKind::Switch { subject, cases } => self.switch(subject, cases),
        }
    }

    pub(super) fn var_decl(&mut self, decl: &'a ast::VarDecl) -> Run<()> {
        let ty = self.resolve(&decl.ty)?;
        let value = match &decl.init {
            Some(init) => self.eval(init)?.implicit(&ty),
            None => ty.zero(),
        };
        self.names.declare_variable(&decl.name.name, value);
        Ok(())
    }

    pub(super) fn const_decl(&mut self, decl: &'a ast::ConstDecl) -> Run<()> {
        let value = self.constant(decl)?;
        self.names.declare(&decl.name.name, Entity::Const(value));
        Ok(())
    }

    pub(super) fn constant(&mut self, decl: &ast::ConstDecl) -> Run<Value> {
        let ty = self.resolve(&decl.ty)?;
        Ok(self.eval(&decl.value)?.implicit(&ty))
    }

    /// By the action that a table ran. A label without a body has that of the next case which has one.
    fn switch(&mut self, subject: &ast::Expr, cases: &'a [ast::SwitchCase]) -> Run<()> {
        let Value::Applied { table, action, .. } = self.eval(subject)? else {
            return Err(Stop::unexpected(subject.span, "`switch` over a value"));
        };
        let run = action.map(|index| self.tables[table].actions[index].declared.as_str());
        let labelled = cases.iter().position(|case| match &case.label {
            SwitchLabel::Action(label) => Some(label.name.as_str()) == run,
            SwitchLabel::Default(_) => false,
        });
        let default = || cases.iter().position(|case| matches!(case.label, SwitchLabel::Default(_)));
        let body =
            labelled.or_else(default).and_then(|at| cases[at..].iter().find_map(|case| case.body.as_ref()));
        body.map_or(Ok(()), |body| self.block(body))
    }
}

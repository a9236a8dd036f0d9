//! A fact of the build, as a constant that logic asks.

use rust_hdl::prelude::*;

/// `holds` is low for ever, unless [`Fact::new`] said otherwise. Logic that such a constant decides is not there after synthesis.
///
/// Combinational: it has neither clock nor state.
#[derive(Clone, Debug, LogicBlock)]
pub struct Fact {
    pub holds: Signal<Out, Bit>,
    value: Constant<Bit>,
}

impl Fact {
    pub fn new(value: bool) -> Self {
        Fact { holds: Default::default(), value: Constant::new(value) }
    }
}

impl Default for Fact {
    fn default() -> Self {
        Fact::new(false)
    }
}

impl Logic for Fact {
    #[hdl_gen]
    fn update(&mut self) {
        self.holds.next = self.value.val();
    }
}

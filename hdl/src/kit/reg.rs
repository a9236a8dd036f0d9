//! A register: D flip-flops with synchronous reset to a constant.

use super::Cr;
use rust_hdl::prelude::*;

/// `q` follows `d` at the rising clock edge, and takes the initial value while reset is high.
///
/// Latency one cycle, throughput one value a cycle, no backpressure.
#[derive(Clone, Debug, LogicBlock)]
pub struct Reg<T: Synth> {
    pub cr: Cr,
    pub d: Signal<In, T>,
    pub q: Signal<Out, T>,
    _init: T,
}

impl<T: Synth> Reg<T> {
    /// A register that resets to `init`.
    pub fn new(init: T) -> Self {
        Reg { cr: Cr::default(), d: Signal::default(), q: Signal::default(), _init: init }
    }
}

impl<T: Synth> Default for Reg<T> {
    fn default() -> Self {
        Reg::new(T::default())
    }
}

impl<T: Synth> Logic for Reg<T> {
    fn update(&mut self) {
        if self.cr.clock.pos_edge() {
            self.q.next = if self.cr.reset.val() { self._init } else { self.d.val() };
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        let init = self._init.verilog();
        Verilog::Custom(format!(
            "initial q = {init:x};\n\
             always @(posedge cr$clock) begin\n  if (cr$reset) q <= {init:x}; else q <= d;\nend\n"
        ))
    }
}

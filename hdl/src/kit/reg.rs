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
            "{INITIAL}{init:x};\n\
             always @(posedge cr$clock) begin\n  if (cr$reset) q <= {init:x}; else q <= d;\nend\n"
        ))
    }
}

const INITIAL: &str = "initial q = ";

/// The reset value of the register that a module's text is, if it is one.
pub(crate) fn reset_value_of_register(module: &str) -> Option<&str> {
    let (_, body) = module.split_once(INITIAL)?;
    let (value, body) = body.split_once(';')?;
    let clocked =
        format!("always @(posedge cr$clock) begin if (cr$reset) q <= {value}; else q <= d; end endmodule");
    let words: Vec<&str> = body.split_whitespace().collect();
    words.join(" ").starts_with(&clocked).then_some(value)
}

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
        Verilog::Custom(text(self._init))
    }
}

/// A register that is expected to change in nearly every cycle, as a counter of cycles does. The circuit is that of
/// [`Reg`], reset to the default; a simulation that skips what rests keeps it apart (`crate::emit::Gated`).
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Ticker<T: Synth> {
    pub cr: Cr,
    pub d: Signal<In, T>,
    pub q: Signal<Out, T>,
}

impl<T: Synth> Logic for Ticker<T> {
    fn update(&mut self) {
        if self.cr.clock.pos_edge() {
            self.q.next = if self.cr.reset.val() { T::default() } else { self.d.val() };
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!("{TICKS}{}", text(T::default())))
    }
}

fn text<T: Synth>(init: T) -> String {
    let init = init.verilog();
    format!(
        "{INITIAL}{init:x};\n\
         always @(posedge cr$clock) begin\n  if (cr$reset) q <= {init:x}; else q <= d;\nend\n"
    )
}

const TICKS: &str = "// It ticks.\n";

/// Whether the register that a module's text is belongs to a [`Ticker`].
pub(crate) fn is_ticker(module: &str) -> bool {
    module.contains(TICKS.trim_end())
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

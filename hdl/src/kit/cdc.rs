//! Clock-domain crossings: synchronisers, and a count of another domain's events.
//!
//! Together with [`AsyncFifo`](super::AsyncFifo) these are the only cells in which a flip-flop of one clock
//! is read by one of another. Their first flops carry `async_reg` and `keep`, so that no tool merges,
//! retimes or duplicates them.

use super::Cr;
use rust_hdl::prelude::*;

/// `N` independent bits from another clock domain, through two flops of this one.
///
/// `q` follows `d` by two to three cycles. The bits have no common moment: a value of several bits may show
/// mixtures of old and new for a cycle while it changes, so it must be one that stands still, or a Gray
/// code. Reset does nothing; both flops start at zero. Verified in `cosim/tests/async_fifo.rs`.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Synchronizer<const N: usize> {
    pub cr: Cr,
    pub d: Signal<In, Bits<N>>,
    pub q: Signal<Out, Bits<N>>,
}

impl<const N: usize> Logic for Synchronizer<N> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        let msb = N - 1;
        Verilog::Custom(format!(
            "(* keep, async_reg = \"true\" *) reg [{msb}:0] meta = 0;\n\
             (* keep, async_reg = \"true\" *) reg [{msb}:0] stable = 0;\n\
             always @(posedge cr$clock) begin\n  meta <= d;\n  stable <= meta;\nend\n\
             always @(*) q = stable;\n"
        ))
    }
}

/// Counts the pulses of another clock domain, however close they come.
///
/// An event is a cycle of the source's clock in which `pulse` is high; `total` counts it at least three of
/// this domain's cycles later, and no event is lost or counted twice: an 8-bit Gray counter crosses, and
/// its steps are added up here. It fails only if 256 events come within four cycles of this domain's clock.
/// Reset of this domain clears `total`, which wraps at 2^32; the source has no reset, so a reset there
/// neither adds nor removes events. Verified in `cosim/tests/async_fifo.rs`.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct EventCounter {
    pub source_cr: Cr,
    pub pulse: Signal<In, Bit>,
    pub cr: Cr,
    pub total: Signal<Out, Bits<32>>,
}

impl Logic for EventCounter {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.total.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(
            "reg [7:0] index = 0;\n\
             (* keep *) reg [7:0] gray = 0;\n\
             wire [7:0] index_1 = index + 8'd1;\n\
             always @(posedge source_cr$clock) if (pulse) begin\n  \
             index <= index_1;\n  gray <= index_1 ^ (index_1 >> 1);\nend\n\
             (* keep, async_reg = \"true\" *) reg [7:0] meta = 0;\n\
             (* keep, async_reg = \"true\" *) reg [7:0] seen = 0;\n\
             reg [7:0] binary = 0;\n\
             reg [7:0] counted = 0;\n\
             wire [7:0] step1 = seen ^ (seen >> 1);\n\
             wire [7:0] step2 = step1 ^ (step1 >> 2);\n\
             wire [7:0] step3 = step2 ^ (step2 >> 4);\n\
             wire [7:0] fresh = binary - counted;\n\
             initial total = 0;\n\
             always @(posedge cr$clock) begin\n  \
             meta <= gray;\n  seen <= meta;\n  binary <= step3;\n  counted <= binary;\n  \
             if (cr$reset) total <= 0; else total <= total + {24'd0, fresh};\nend\n"
                .into(),
        )
    }
}

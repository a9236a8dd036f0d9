//! A 32-bit multiplier on the 18-bit DSP blocks of the FPGA.

use super::{Cr, MOVES};
use rust_hdl::prelude::*;

/// `product` is the 64-bit product of the `a` and `b` of the last cycle in which `enable` was high, each read as
/// signed when its `_signed` flag was high. Latency one cycle, throughput one product a cycle.
///
/// The register sits between the four partial products and their sum, so that neither half is long.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Mul32 {
    pub cr: Cr,
    pub enable: Signal<In, Bit>,
    pub a: Signal<In, Bits<32>>,
    pub b: Signal<In, Bits<32>>,
    pub a_signed: Signal<In, Bit>,
    pub b_signed: Signal<In, Bit>,
    pub product: Signal<Out, Bits<64>>,
}

impl Logic for Mul32 {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.product.connect();
    }

    fn hdl(&self) -> Verilog {
        // A 33-bit signed factor is a 17-bit unsigned low part and a signed high part of 16 bits.
        Verilog::Custom(
            MOVES.to_string()
                + "enable\n\
             wire signed [17:0] a_low = {1'b0, a[16:0]};\n\
             wire signed [17:0] b_low = {1'b0, b[16:0]};\n\
             wire signed [17:0] a_high = {{3{a[31] & a_signed}}, a[31:17]};\n\
             wire signed [17:0] b_high = {{3{b[31] & b_signed}}, b[31:17]};\n\
             reg signed [35:0] low;\nreg signed [35:0] cross_a;\nreg signed [35:0] cross_b;\nreg signed [35:0] high;\n\
             always @(posedge cr$clock) if (enable) begin\n  \
             low <= a_low * b_low;\n  cross_a <= a_high * b_low;\n  \
             cross_b <= a_low * b_high;\n  high <= a_high * b_high;\nend\n\
             // The low product has 34 bits and the high one starts there, so that the two are one number.\n\
             wire [46:0] middle = {{11{cross_a[35]}}, cross_a} + {{11{cross_b[35]}}, cross_b};\n\
             always @(*) product = {high[29:0], low[33:0]} + {middle, 17'd0};\n",
        )
    }
}

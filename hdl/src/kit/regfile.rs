//! A processor's register file in distributed memory.

use super::{Cr, MOVES};
use rust_hdl::prelude::*;

/// 32 words of 32 bits, two asynchronous read ports and one write port.
///
/// A word written at a clock edge is read from the next cycle on. Register 0 reads zero because it starts
/// as zero and a write to it is ignored. Inferred as TRELLIS_DPR16X4 on ECP5.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct RegFile {
    pub cr: Cr,
    pub addr1: Signal<In, Bits<5>>,
    pub addr2: Signal<In, Bits<5>>,
    pub data1: Signal<Out, Bits<32>>,
    pub data2: Signal<Out, Bits<32>>,
    pub write_enable: Signal<In, Bit>,
    pub write_addr: Signal<In, Bits<5>>,
    pub write_data: Signal<In, Bits<32>>,
}

impl Logic for RegFile {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.data1.connect();
        self.data2.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(
            MOVES.to_string()
                + "write_enable\n\
             reg [31:0] mem [0:31];\ninteger i;\n\
             initial for (i = 0; i < 32; i = i + 1) mem[i] = 32'h0;\n\
             always @(posedge cr$clock) if (write_enable && write_addr != 5'd0) mem[write_addr] <= write_data;\n\
             always @(*) begin\n  data1 = mem[addr1];\n  data2 = mem[addr2];\nend\n",
        )
    }
}

//! A small first-in first-out queue in distributed memory.
//!
//! Verified by `cosim/tests/block.rs`; four entries of eight bits are proven in `hdl/formal/fifo.sv`
//! (`cargo xtask formal`).

use super::{Cr, MOVES};
use rust_hdl::prelude::*;

/// `2^A` entries of `T`, first word falls through: while `valid` is high, `head` is the oldest entry.
///
/// A push is taken at the clock edge when `push` is high and the queue is not full, a pop when `pop` is high
/// and it is not empty; a push to a full queue and a pop of an empty one are ignored, so nothing is ever
/// overwritten or repeated. Latency from push to `head` is one cycle; push and pop in one cycle are
/// allowed at any level but full (a full queue takes no push even while it is popped, which keeps the
/// path from consumer to producer free of logic). `count` is the number of entries. A build may choose fewer entries
/// ([`LutFifo::set_depth_log2`]).
#[derive(Clone, Debug, LogicBlock)]
pub struct LutFifo<T: Synth, const A: usize, const A1: usize> {
    pub cr: Cr,
    pub push: Signal<In, Bit>,
    pub data: Signal<In, T>,
    pub full: Signal<Out, Bit>,
    pub pop: Signal<In, Bit>,
    pub head: Signal<Out, T>,
    pub valid: Signal<Out, Bit>,
    pub count: Signal<Out, Bits<A1>>,
    _depth_log2: usize,
}

impl<T: Synth, const A: usize, const A1: usize> LutFifo<T, A, A1> {
    /// `2^depth_log2` entries.
    ///
    /// # Panics
    /// When they are fewer than two, or more than `2^A`.
    pub fn set_depth_log2(&mut self, depth_log2: usize) {
        assert!((1..=A).contains(&depth_log2), "2^{depth_log2} entries, counted by {A1} bits");
        self._depth_log2 = depth_log2;
    }
}

impl<T: Synth, const A: usize, const A1: usize> Default for LutFifo<T, A, A1> {
    fn default() -> Self {
        assert_eq!(A1, A + 1, "the count of 2^A entries takes A + 1 bits");
        LutFifo {
            cr: Default::default(),
            push: Default::default(),
            data: Default::default(),
            full: Default::default(),
            pop: Default::default(),
            head: Default::default(),
            valid: Default::default(),
            count: Default::default(),
            _depth_log2: A,
        }
    }
}

impl<T: Synth, const A: usize, const A1: usize> Logic for LutFifo<T, A, A1> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.full.connect();
        self.head.connect();
        self.valid.connect();
        self.count.connect();
    }

    fn hdl(&self) -> Verilog {
        let (width, last, a) = (T::BITS - 1, (1usize << self._depth_log2) - 1, self._depth_log2 - 1);
        // Level, `valid` and `full` are flip-flops, so that what they drive starts at a clock edge. The outer condition
        // spares a simulation the inner ones in most cycles. Reset, which comes from afar, is kept out of the memory's write enable.
        Verilog::Custom(format!(
            "{MOVES}do_push | do_pop\n\
             reg [{width}:0] mem [0:{last}];\n\
             reg [{a}:0] head_index;\nreg [{a}:0] tail_index;\n\
             wire do_push = push & ~full;\nwire do_pop = pop & valid;\n\
             initial begin head_index = 0; tail_index = 0; count = 0; valid = 0; full = 0; end\n\
             always @(*) head = mem[head_index];\n\
             always @(posedge cr$clock) if (do_push) mem[tail_index] <= data;\n\
             always @(posedge cr$clock) begin\n  \
             if (cr$reset) begin\n    head_index <= 0; tail_index <= 0; count <= 0; valid <= 0; full <= 0;\n  \
             end else if (push | pop) begin\n    \
             if (do_push) tail_index <= tail_index + 1;\n    \
             if (do_pop) head_index <= head_index + 1;\n    \
             if (do_push & ~do_pop) begin\n      \
             count <= count + 1; valid <= 1; full <= count == {last};\n    end\n    \
             if (do_pop & ~do_push) begin\n      \
             count <= count - 1; valid <= count != 1; full <= 0;\n    end\n  end\nend\n"
        ))
    }
}

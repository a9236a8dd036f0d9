//! A queue between two clock domains.

use super::{ram::ram_style, Cr};
use rust_hdl::prelude::*;

/// `2^A` entries of `T` in block memory, distributed where they are few, or as many fewer as [`AsyncFifo::set_words_log2`] says, written in one clock domain and read in another; the two clocks need not be
/// related in any way. First word falls through: while `valid` is high, `head` is the oldest entry.
///
/// **Write side** (`write_cr`). A push is taken at the clock edge when `push` is high and `full` is not; a push to a full
/// queue is ignored. Entries stay hidden from the reader until a cycle in which `commit` is high: it shows those pushed
/// until then, the one pushed in the same cycle included. Tied high, each entry shows as it comes. `level` counts the
/// entries, hidden ones included; it falls late, so it is never too low.
///
/// **Read side** (`read_cr`). A pop is taken when `pop` and `valid` are high, and ignored otherwise.
///
/// **Cycles.** Committed entries become visible one after the other, one a write cycle. From a push with `commit` into an
/// empty queue, `valid` rises after one more write edge and then the third read edge. A pop shows in `level` at the fifth
/// write edge after it. One entry a cycle in each domain, sustained by a queue of 16 or more entries; the slower clock sets
/// the rate. All outputs are registers but `full`, which is one gate behind registers, and `head` of distributed memory, which is
/// what a register's address reads.
///
/// **Crossing.** The Gray-coded indices change one bit at a time, and each passes two flops; no data is read before its
/// index arrived.
///
/// **Reset** of either side, however short, empties the queue: the other side is asked to stop, answers, and then
/// both start at zero. From the cycle after the reset's first, and at most nine periods of both clocks together after its
/// last, `write_stop` and `read_stop` are high on their sides, pushes are ignored (`full`) and `valid` is low. No index moves but by steps of one
/// while the other side looks at it. While the other side's clock stands still, the queue stays stopped.
///
/// Verified by `cosim/tests/async_fifo.rs` at several clock ratios, with stalls and resets of either side.
#[derive(Clone, Debug, LogicBlock)]
pub struct AsyncFifo<T: Synth, const A: usize, const A1: usize> {
    pub write_cr: Cr,
    pub push: Signal<In, Bit>,
    pub data: Signal<In, T>,
    pub commit: Signal<In, Bit>,
    pub full: Signal<Out, Bit>,
    pub level: Signal<Out, Bits<A1>>,
    pub write_stop: Signal<Out, Bit>,
    pub read_cr: Cr,
    pub pop: Signal<In, Bit>,
    pub head: Signal<Out, T>,
    pub valid: Signal<Out, Bit>,
    pub read_stop: Signal<Out, Bit>,
    _words_log2: usize,
}

impl<T: Synth, const A: usize, const A1: usize> AsyncFifo<T, A, A1> {
    /// Makes a queue of `2^words_log2` entries, at most `2^A`.
    pub fn set_words_log2(&mut self, words_log2: usize) {
        assert!((2..=A).contains(&words_log2), "2^{words_log2} entries, counted by {A1} bits");
        self._words_log2 = words_log2;
    }
}

impl<T: Synth, const A: usize, const A1: usize> Default for AsyncFifo<T, A, A1> {
    fn default() -> Self {
        assert!(A1 == A + 1 && A >= 2 && A <= 15, "2^{A} entries, counted by {A1} bits");
        AsyncFifo {
            write_cr: Default::default(),
            push: Default::default(),
            data: Default::default(),
            commit: Default::default(),
            full: Default::default(),
            level: Default::default(),
            write_stop: Default::default(),
            read_cr: Default::default(),
            pop: Default::default(),
            head: Default::default(),
            valid: Default::default(),
            read_stop: Default::default(),
            _words_log2: A,
        }
    }
}

impl<T: Synth, const A: usize, const A1: usize> Logic for AsyncFifo<T, A, A1> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.full.connect();
        self.level.connect();
        self.write_stop.connect();
        self.head.connect();
        self.valid.connect();
        self.read_stop.connect();
    }

    fn hdl(&self) -> Verilog {
        let n = self._words_log2;
        let (width, last, low) = (T::BITS - 1, (1usize << n) - 1, n - 1);
        let style = ram_style(T::BITS, n);
        // A block answers a cycle later, so it is asked for what comes next; distributed memory answers at once, and what decides about
        // a pop need not reach it.
        let (block_head, lut_head) = match style {
            "" => (format!("head <= mem[read_next[{low}:0]];\n  "), String::new()),
            _ => (String::new(), format!("always @(*) head = mem[read_index[{low}:0]];\n")),
        };
        let sync = "(* keep, async_reg = \"true\" *) reg";
        Verilog::Custom(format!(
            "{style}(* no_rw_check *) reg [{width}:0] mem [0:{last}];\n\
             reg [{A}:0] write_index = 0;\nreg [{A}:0] committed = 0;\nreg [{A}:0] shown = 0;\n\
             (* keep *) reg [{A}:0] shown_gray = 0;\n\
             reg [{A}:0] read_index = 0;\n(* keep *) reg [{A}:0] read_gray = 0;\n\
             // The indices after one more entry are registers too, so that no sum stands between `push` or `pop` and what\n\
             // depends on it; so are `level`, `valid` and the stops, on which the logic of a line's clock depends.\n\
             initial level = 0;\ninitial write_stop = 0;\ninitial read_stop = 0;\ninitial valid = 0;\n\
             reg [{A}:0] write_plus = 1;\nreg [{A}:0] read_plus = 1;\nreg [{A}:0] plus_gray = 1;\n\
             reg [{A}:0] shown_plus = 1;\nreg [{A}:0] shown_plus_gray = 1;\n\
             {sync} [{A}:0] shown_meta = 0;\n{sync} [{A}:0] shown_seen = 0;\n\
             {sync} [{A}:0] read_meta = 0;\n{sync} [{A}:0] read_seen = 0;\n\
             reg [{A}:0] read_half = 0;\nreg [{A}:0] read_known = 0;\n\
             // A reset makes its side ask the other to stop, once the answer to its last question is gone. A side's\n\
             // synchronised view of the other's question is its answer.\n\
             // The two `due` follow reset by a cycle: reset reaches all of a domain, and is no part of a queue's paths.\n\
             reg write_due = 0;\nreg read_due = 0;\n\
             (* keep *) reg write_asks = 0;\n(* keep *) reg read_asks = 0;\n\
             {sync} w_asked_meta = 0;\n{sync} w_asked = 0;\n{sync} w_answer_meta = 0;\n{sync} w_answer = 0;\n\
             {sync} r_asked_meta = 0;\n{sync} r_asked = 0;\n{sync} r_answer_meta = 0;\n{sync} r_answer = 0;\n\
             reg w_cleared = 0;\nreg r_cleared = 0;\n\
             wire w_clear = w_asked | w_answer;\nwire r_clear = r_asked | r_answer;\n\
             wire w_stopping = write_cr$reset | write_due | write_asks | w_clear | w_cleared;\n\
             wire r_stopping = read_cr$reset | read_due | read_asks | r_clear | r_cleared;\n\
             always @(*) full = |level[{A}:{n}] | write_stop;\n{lut_head}\
             wire do_push = push & ~full;\nwire do_pop = pop & valid;\n\
             wire [{A}:0] write_next = do_push ? write_plus : write_index;\n\
             wire show = shown != committed & ~write_stop;\n\
             wire [{A}:0] shown_plus2 = shown_plus + {A1}'d1;\n\
             wire [{A}:0] read_next = do_pop ? read_plus : read_index;\n\
             wire [{A}:0] read_plus2 = read_plus + {A1}'d1;\n\
             wire more = do_pop ? shown_seen != plus_gray : shown_seen != read_gray;\n\
             // From Gray code to a number in two cycles.\n\
             wire [{A}:0] seen1 = read_seen ^ (read_seen >> 1);\n\
             wire [{A}:0] seen2 = seen1 ^ (seen1 >> 2);\n\
             wire [{A}:0] seen3 = read_half ^ (read_half >> 4);\n\
             wire [{A}:0] seen4 = seen3 ^ (seen3 >> 8);\n\
             always @(posedge write_cr$clock) begin\n  \
             if (do_push) mem[write_index[{low}:0]] <= data;\n  \
             read_meta <= read_gray;\n  read_seen <= read_meta;\n  \
             w_asked_meta <= read_asks;\n  w_asked <= w_asked_meta;\n  \
             w_answer_meta <= r_asked;\n  w_answer <= w_answer_meta;\n  w_cleared <= w_clear;\n  \
             write_stop <= w_stopping;\n  \
             write_due <= write_cr$reset | (write_due & ~write_asks);\n  \
             if (write_asks) write_asks <= ~(w_answer & w_cleared) | write_due | write_cr$reset;\n  \
             else write_asks <= write_due & ~w_answer;\n  \
             if (w_clear) begin\n    write_index <= 0;\n    write_plus <= 1;\n    committed <= 0;\n    shown <= 0;\n    shown_gray <= 0;\n    \
             shown_plus <= 1;\n    shown_plus_gray <= 1;\n    \
             read_half <= 0;\n    read_known <= 0;\n    level <= 0;\n  end else begin\n    \
             read_half <= seen2;\n    read_known <= seen4;\n    level <= write_next - read_known;\n    write_index <= write_next;\n    if (do_push) write_plus <= write_plus + {A1}'d1;\n    if (commit) committed <= write_next;\n    \
             if (show) begin\n      shown <= shown_plus;\n      shown_gray <= shown_plus_gray;\n      shown_plus <= shown_plus2;\n      \
             shown_plus_gray <= shown_plus2 ^ (shown_plus2 >> 1);\n    \
             end\n  end\nend\n\
             always @(posedge read_cr$clock) begin\n  \
             {block_head}\
             shown_meta <= shown_gray;\n  shown_seen <= shown_meta;\n  \
             r_asked_meta <= write_asks;\n  r_asked <= r_asked_meta;\n  \
             r_answer_meta <= w_asked;\n  r_answer <= r_answer_meta;\n  r_cleared <= r_clear;\n  \
             read_due <= read_cr$reset | (read_due & ~read_asks);\n  \
             if (read_asks) read_asks <= ~(r_answer & r_cleared) | read_due | read_cr$reset;\n  \
             else read_asks <= read_due & ~r_answer;\n  \
             read_stop <= r_stopping;\n  valid <= ~r_stopping & more;\n  \
             if (r_clear) begin\n    read_index <= 0;\n    read_gray <= 0;\n    read_plus <= 1;\n    plus_gray <= 1;\n  \
             end else if (do_pop) begin\n    \
             read_index <= read_plus;\n    read_gray <= plus_gray;\n    read_plus <= read_plus2;\n    \
             plus_gray <= read_plus2 ^ (read_plus2 >> 1);\n  end\nend\n"
        ))
    }
}

//! The transmit domain: from words to GMII symbols.
//!
//! Sends preamble, delimiter, the bytes of the queue's words (check sequence included) and a gap of at
//! least twelve bytes, exactly twelve while frames wait. At 10 and 100 Mb/s a byte is two nibbles on
//! `txd[3:0]` (and again on `txd[7:4]`), low one first, each held for 50 or 5 cycles: the clock is always
//! the 125 MHz one, and `line_clock` shows what the line's clock does in the two halves of each cycle. A
//! symbol starts with the rising edge of the line's clock.
//!
//! A word is taken from the queue as soon as the one before it has begun, and waits in a register (`next`): the queue's
//! memory is slow to answer, and what decides the next symbol is long enough without it.
//!
//! Clock: 125 MHz, synchronous reset. One symbol follows the other without a gap; `mac` states the latency
//! of the whole. Backpressure: none; when the queue runs dry in a frame, the frame is broken off with one
//! byte of `tx_er`, its other words are dropped, one in two cycles, and `underflow` counts it. So is a frame
//! whose rest was lost to a reset of the core. `speed` (0: 10, 1: 100, 2 and 3: 1000 Mb/s) may change at
//! any time; a frame on the line then is damaged. Verified in `cosim/tests/mac.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Words in, GMII out.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct TxGear {
    pub cr: Cr,
    pub word: Signal<In, Bits<36>>,
    pub valid: Signal<In, Bit>,
    pub pop: Signal<Out, Bit>,
    /// The queue is being emptied.
    pub stop: Signal<In, Bit>,
    pub speed: Signal<In, Bits<2>>,
    pub tx_en: Signal<Out, Bit>,
    pub tx_er: Signal<Out, Bit>,
    pub txd: Signal<Out, Bits<8>>,
    /// Level of the line's clock in the first (bit 0) and second half of the cycle.
    pub line_clock: Signal<Out, Bits<2>>,
    /// Pulse: the last byte of a frame is on its way.
    pub sent: Signal<Out, Bit>,
    /// Pulse: a frame was broken off.
    pub underflow: Signal<Out, Bit>,
    /// No frame is on the line, and none has begun.
    pub between: Signal<Out, Bit>,

    /// Cycle of a nibble.
    divider: Reg<Bits<6>>,
    /// It is a nibble's last cycle; known a cycle ahead, because what follows from it is long.
    nibble_end: Reg<Bit>,
    /// It is a byte's last cycle; known a cycle ahead likewise.
    step: Reg<Bit>,
    /// The nibble on its way is a byte's high one.
    high: Reg<Bit>,
    /// 0 idle, 1 preamble, 2 frame, 3 gap, 4 drops the words of a frame that was broken off.
    state: Reg<Bits<3>>,
    /// Bytes of the preamble or the gap so far.
    count: Reg<Bits<4>>,
    /// The word that comes next, and whether there is one.
    next: Reg<Bits<36>>,
    next_full: Reg<Bit>,
    /// The other bytes of the word on the line, their number, and whether the frame ends with them.
    rest: Reg<Bits<24>>,
    rest_count: Reg<Bits<2>>,
    rest_last: Reg<Bit>,
    /// What the bytes say, known a cycle ahead: there are others, the frame ends with the first of them; it ends with the first of the word
    /// that comes next.
    rest_any: Reg<Bit>,
    rest_ends: Reg<Bit>,
    next_ends: Reg<Bit>,
    /// The frame's rest was lost to a reset.
    lost: Reg<Bit>,
    /// The byte that was chosen, and the symbol that is made of it in the cycle after.
    shown: Reg<Bits<8>>,
    shown_en: Reg<Bit>,
    shown_er: Reg<Bit>,
    shown_clock: Reg<Bits<2>>,
    out_en: Reg<Bit>,
    out_er: Reg<Bit>,
    out_data: Reg<Bits<8>>,
    out_clock: Reg<Bits<2>>,
    sent_pulse: Reg<Bit>,
    underflow_pulse: Reg<Bit>,

    gigabit: Signal<Local, Bit>,
    high_next: Signal<Local, Bit>,
    nibble_ends: Signal<Local, Bit>,
    octet: Signal<Local, Bits<8>>,
    fresh_word: Signal<Local, Bit>,
    last_of_next: Signal<Local, Bits<2>>,
    frame_end: Signal<Local, Bit>,
    dry: Signal<Local, Bit>,
    fresh_en: Signal<Local, Bit>,
    fresh_er: Signal<Local, Bit>,
    fresh_data: Signal<Local, Bits<8>>,
    take: Signal<Local, Bit>,
    low_nibble: Signal<Local, Bits<8>>,
    high_nibble: Signal<Local, Bits<8>>,
}

module! {
    impl [] Logic for TxGear;
    regs: divider, nibble_end, step, high, state, count, next, next_full, rest, rest_count, rest_last, rest_any, rest_ends, next_ends, lost, shown,
        shown_en, shown_er, shown_clock, out_en, out_er, out_data, out_clock, sent_pulse, underflow_pulse;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        // Time: `step` is high in the cycle that chooses the next byte. What the next cycle shows is told from the count of this one, a
        // nibble's last cycle before its first: the sum would be on the way.
        self.gigabit.next = self.speed.val().get_bit(1);
        self.divider.d.next = self.divider.q.val() + 1;
        if self.nibble_end.q.val() {
            self.divider.d.next = 0.into();
        }
        self.nibble_ends.next = true;
        self.shown_clock.d.next = 1.into();
        if !self.gigabit.val() {
            self.nibble_ends.next = !self.nibble_end.q.val() && (self.divider.q.val() >= 48);
            self.shown_clock.d.next = 0.into();
            if self.nibble_end.q.val() || (self.divider.q.val() < 24) {
                self.shown_clock.d.next = 3.into();
            }
            if self.speed.val().get_bit(0) {
                self.nibble_ends.next = !self.nibble_end.q.val() && (self.divider.q.val() >= 3);
                self.shown_clock.d.next = 0.into();
                if self.nibble_end.q.val() || (self.divider.q.val() == 0) {
                    self.shown_clock.d.next = 3.into();
                } else if self.divider.q.val() == 1 {
                    self.shown_clock.d.next = 1.into();
                }
            }
        }
        self.nibble_end.d.next = self.nibble_ends.val();
        self.high_next.next = (self.high.q.val() || self.nibble_end.q.val()) && !self.step.q.val();
        self.high.d.next = self.high_next.val();
        self.step.d.next = self.nibble_ends.val() && (self.gigabit.val() || self.high_next.val());

        // The next byte of the frame: the first of a fresh word, or of what is left of the last one.
        self.fresh_word.next = !self.rest_any.q.val();
        self.last_of_next.next = self.next.q.val().get_bits::<2>(32);
        self.octet.next = self.rest.q.val().get_bits::<8>(0);
        self.frame_end.next = self.rest_ends.q.val();
        if self.fresh_word.val() {
            self.octet.next = self.next.q.val().get_bits::<8>(0);
            self.frame_end.next = self.next_ends.q.val();
        }
        self.dry.next = self.stop.val() || self.lost.q.val() || (self.fresh_word.val() && !self.next_full.q.val());

        self.fresh_en.next = false;
        self.fresh_er.next = false;
        self.fresh_data.next = 0.into();
        self.take.next = false;
        self.sent_pulse.d.next = false;
        self.underflow_pulse.d.next = false;
        if self.stop.val() && ((self.state.q.val() == 2) || (self.state.q.val() == 1)) {
            self.lost.d.next = true;
        }
        if self.step.q.val() {
            if (self.state.q.val() == 0) && (self.valid.val() || (self.next_full.q.val() && !self.stop.val())) {
                self.fresh_en.next = true;
                self.fresh_data.next = 85.into();
                self.state.d.next = 1.into();
                self.count.d.next = 1.into();
            }
            if self.state.q.val() == 1 {
                self.fresh_en.next = true;
                self.fresh_data.next = 85.into();
                self.count.d.next = self.count.q.val() + 1;
                if self.count.q.val() == 7 {
                    self.fresh_data.next = 213.into();
                    self.state.d.next = 2.into();
                    self.rest_count.d.next = 0.into();
                    self.rest_any.d.next = false;
                }
            }
            if self.state.q.val() == 2 {
                self.fresh_en.next = true;
                self.fresh_data.next = self.octet.val();
                self.take.next = self.fresh_word.val();
                self.rest.d.next = self.rest.q.val() >> 8;
                self.rest_count.d.next = self.rest_count.q.val() - 1;
                self.rest_any.d.next = self.rest_count.q.val() != 1;
                self.rest_ends.d.next = self.rest_last.q.val() && (self.rest_count.q.val() == 2);
                if self.fresh_word.val() {
                    self.rest_any.d.next = !self.next_ends.q.val();
                    self.rest_ends.d.next = self.next.q.val().get_bit(35) && (self.last_of_next.val() == 1);
                    self.rest.d.next = self.next.q.val().get_bits::<24>(8);
                    self.rest_last.d.next = self.next.q.val().get_bit(35);
                    self.rest_count.d.next = 3.into();
                    if self.next.q.val().get_bit(35) {
                        self.rest_count.d.next = self.last_of_next.val();
                    }
                }
                self.count.d.next = 0.into();
                if self.frame_end.val() {
                    self.state.d.next = 3.into();
                    self.sent_pulse.d.next = true;
                    self.lost.d.next = false;
                }
                if self.dry.val() {
                    self.fresh_er.next = true;
                    self.fresh_data.next = 0.into();
                    self.take.next = false;
                    self.sent_pulse.d.next = false;
                    self.underflow_pulse.d.next = true;
                    self.state.d.next = 4.into();
                    if self.lost.q.val() {
                        self.state.d.next = 3.into();
                    }
                    self.lost.d.next = false;
                }
            }
            if self.state.q.val() == 3 {
                self.count.d.next = self.count.q.val() + 1;
                if self.count.q.val() == 11 {
                    self.state.d.next = 0.into();
                }
            }
        }
        if self.state.q.val() == 4 {
            self.take.next = true;
            self.count.d.next = 0.into();
            if self.stop.val() || (self.next_full.q.val() && self.next.q.val().get_bit(35)) {
                self.state.d.next = 3.into();
            }
        }
        // The word that comes next. `pop` is a register's inverse, for a queue's memory has its next address from it in the same cycle.
        if self.take.val() || self.stop.val() {
            self.next_full.d.next = false;
        }
        self.pop.next = !self.next_full.q.val();
        if !self.next_full.q.val() {
            self.next.d.next = self.word.val();
            self.next_ends.d.next = self.word.val().get_bit(35) && !self.word.val().get_bits::<2>(32).any();
            self.next_full.d.next = self.valid.val();
        }

        // Symbols, a cycle after their byte was chosen.
        self.low_nibble.next = bit_cast::<8, 4>(self.shown.q.val().get_bits::<4>(0))
            | (bit_cast::<8, 4>(self.shown.q.val().get_bits::<4>(0)) << 4);
        self.high_nibble.next = bit_cast::<8, 4>(self.shown.q.val().get_bits::<4>(4))
            | (bit_cast::<8, 4>(self.shown.q.val().get_bits::<4>(4)) << 4);
        if self.step.q.val() {
            self.shown_en.d.next = self.fresh_en.val();
            self.shown_er.d.next = self.fresh_er.val();
            self.shown.d.next = self.fresh_data.val();
        }
        self.out_en.d.next = self.shown_en.q.val();
        self.out_er.d.next = self.shown_er.q.val();
        self.out_data.d.next = self.shown.q.val();
        self.out_clock.d.next = self.shown_clock.q.val();
        if !self.gigabit.val() {
            self.out_data.d.next = self.low_nibble.val();
            if self.high.q.val() {
                self.out_data.d.next = self.high_nibble.val();
            }
        }
        self.tx_en.next = self.out_en.q.val();
        self.tx_er.next = self.out_er.q.val();
        self.txd.next = self.out_data.q.val();
        self.line_clock.next = self.out_clock.q.val();
        self.sent.next = self.sent_pulse.q.val();
        self.underflow.next = self.underflow_pulse.q.val();
        self.between.next = (self.state.q.val() == 0) || (self.state.q.val() == 3);
    }
}

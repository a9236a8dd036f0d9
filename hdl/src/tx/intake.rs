//! The intake: stores payload words as they come and sums them on the way.
//!
//! Words are stored as memory holds them; the sender aligns them. The sum starts at a byte of the note
//! and ends with the payload. Bytes are paired as memory addresses pair them, and the folded sum is turned
//! when the first byte was at an odd address (RFC 1071, section 2 (B)), so no byte moves.
//!
//! Core clock, synchronous reset. One word a cycle, back to back; the result comes five cycles after the last
//! word. Nothing holds a word up: the planner has seen to it that there is room. Verified in `cosim/tests/tx.rs`.

use super::records::{IntakeNote, Payload};
use crate::dma::read_bus::ReadData;
use crate::kit::{Cr, LutFifo, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Writer of the payload memory and summing unit.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Intake {
    pub cr: Cr,
    pub data: ReadData,
    pub note: Signal<In, IntakeNote>,
    pub note_take: Signal<Out, Bit>,
    pub write_enable: Signal<Out, Bit>,
    pub write_addr: Signal<Out, Bits<10>>,
    pub write_data: Signal<Out, Bits<32>>,
    pub payload: Signal<Out, Payload>,
    pub payload_valid: Signal<Out, Bit>,
    pub payload_take: Signal<In, Bit>,

    results: LutFifo<Payload, 3, 4>,
    write_index: Reg<Bits<10>>,
    index: Reg<Bits<9>>,
    tainted: Reg<Bit>,
    /// Stage 1: the word and the lanes that count.
    word: Reg<Bits<32>>,
    mask: Reg<Bits<4>>,
    last1: Reg<Bit>,
    odd1: Reg<Bit>,
    failed1: Reg<Bit>,
    /// Stage 2: its two half-words added.
    pair: Reg<Bits<27>>,
    last2: Reg<Bit>,
    odd2: Reg<Bit>,
    failed2: Reg<Bit>,
    /// Stage 3: the sum so far.
    total: Reg<Bits<27>>,
    last3: Reg<Bit>,
    odd3: Reg<Bit>,
    failed3: Reg<Bit>,
    /// Stage 4: folded once.
    folded: Reg<Bits<17>>,
    last4: Reg<Bit>,
    odd4: Reg<Bit>,
    failed4: Reg<Bit>,

    first: Signal<Local, Bits<11>>,
    first_word: Signal<Local, Bits<9>>,
    from: Signal<Local, Bits<4>>,
    to: Signal<Local, Bits<4>>,
    low: Signal<Local, Bits<27>>,
    high: Signal<Local, Bits<27>>,
    byte0: Signal<Local, Bits<27>>,
    byte1: Signal<Local, Bits<27>>,
    byte2: Signal<Local, Bits<27>>,
    byte3: Signal<Local, Bits<27>>,
    so_far: Signal<Local, Bits<27>>,
    sum: Signal<Local, Bits<16>>,
}

module! {
    impl [] Logic for Intake;
    regs: write_index, index, tainted, word, mask, last1, odd1, failed1, pair, last2, odd2, failed2, total, last3,
        odd3, failed3, folded, last4, odd4, failed4;
    children: results;
    #[hdl_gen]
    fn update(&mut self) {
        self.write_enable.next = self.data.valid.val();
        self.write_addr.next = self.write_index.q.val();
        self.write_data.next = self.data.data.val();
        self.note_take.next = self.data.valid.val() && self.data.last.val();
        if self.data.valid.val() {
            self.write_index.d.next = self.write_index.q.val() + 1;
            self.index.d.next = self.index.q.val() + 1;
            self.tainted.d.next = self.tainted.q.val() || self.data.error.val();
            if self.data.last.val() {
                self.index.d.next = 0.into();
                self.tainted.d.next = false;
            }
        }

        self.first.next = self.note.val().first;
        self.first_word.next = self.first.val().get_bits::<9>(2);
        self.from.next = 0.into();
        if self.index.q.val() == self.first_word.val() {
            match self.first.val().get_bits::<2>(0).index() {
                0 => {
                    self.from.next = 15.into();
                }
                1 => {
                    self.from.next = 14.into();
                }
                2 => {
                    self.from.next = 12.into();
                }
                _ => {
                    self.from.next = 8.into();
                }
            }
        }
        if self.index.q.val() > self.first_word.val() {
            self.from.next = 15.into();
        }
        self.to.next = 15.into();
        if self.data.last.val() {
            match self.note.val().end.index() {
                0 => {}
                1 => {
                    self.to.next = 1.into();
                }
                2 => {
                    self.to.next = 3.into();
                }
                _ => {
                    self.to.next = 7.into();
                }
            }
        }
        self.word.d.next = self.data.data.val();
        self.mask.d.next = 0.into();
        if self.data.valid.val() {
            self.mask.d.next = self.from.val() & self.to.val();
        }
        self.last1.d.next = self.data.valid.val() && self.data.last.val();
        self.odd1.d.next = self.first.val().get_bit(0);
        self.failed1.d.next = self.tainted.q.val() || self.data.error.val();

        self.byte0.next = 0.into();
        self.byte1.next = 0.into();
        self.byte2.next = 0.into();
        self.byte3.next = 0.into();
        if self.mask.q.val().get_bit(0) {
            self.byte0.next = bit_cast::<27, 8>(self.word.q.val().get_bits::<8>(0));
        }
        if self.mask.q.val().get_bit(1) {
            self.byte1.next = bit_cast::<27, 8>(self.word.q.val().get_bits::<8>(8)) << 8;
        }
        if self.mask.q.val().get_bit(2) {
            self.byte2.next = bit_cast::<27, 8>(self.word.q.val().get_bits::<8>(16));
        }
        if self.mask.q.val().get_bit(3) {
            self.byte3.next = bit_cast::<27, 8>(self.word.q.val().get_bits::<8>(24)) << 8;
        }
        self.low.next = self.byte0.val() | self.byte1.val();
        self.high.next = self.byte2.val() | self.byte3.val();
        self.pair.d.next = self.low.val() + self.high.val();
        self.last2.d.next = self.last1.q.val();
        self.odd2.d.next = self.odd1.q.val();
        self.failed2.d.next = self.failed1.q.val();

        self.so_far.next = self.total.q.val();
        if self.last3.q.val() {
            self.so_far.next = 0.into();
        }
        self.total.d.next = self.so_far.val() + self.pair.q.val();
        self.last3.d.next = self.last2.q.val();
        self.odd3.d.next = self.odd2.q.val();
        self.failed3.d.next = self.failed2.q.val();

        self.folded.d.next = bit_cast::<17, 16>(self.total.q.val().get_bits::<16>(0))
            + bit_cast::<17, 11>(self.total.q.val().get_bits::<11>(16));
        self.last4.d.next = self.last3.q.val();
        self.odd4.d.next = self.odd3.q.val();
        self.failed4.d.next = self.failed3.q.val();

        self.sum.next = self.folded.q.val().get_bits::<16>(0)
            + bit_cast::<16, 1>(self.folded.q.val().get_bits::<1>(16));
        self.results.data.next.sum = self.sum.val();
        if self.odd4.q.val() {
            self.results.data.next.sum = (bit_cast::<16, 8>(self.sum.val().get_bits::<8>(0)) << 8)
                | bit_cast::<16, 8>(self.sum.val().get_bits::<8>(8));
        }
        self.results.data.next.failed = self.failed4.q.val();
        self.results.push.next = self.last4.q.val();
        self.results.pop.next = self.payload_take.val();
        self.payload.next = self.results.head.val();
        self.payload_valid.next = self.results.valid.val();
    }
}

//! The intake: stores payload words as they come and sums them on the way.
//!
//! Words are stored as memory holds them; the sender aligns them. The sum starts at a byte of the note
//! and ends with the payload. Words are added whole and folded at the end, bytes paired as memory addresses
//! pair them, and the folded sum is turned when the first byte was at an odd address (RFC 1071, section 2 (B)), so
//! no byte moves. A payload from two places is summed as one; where its second part would be paired otherwise than the first, its words
//! are turned by a byte. The words of a header of the host are passed on to the loader.
//!
//! Core clock, synchronous reset. One word a cycle, back to back; the result comes five cycles after the last
//! word. Nothing holds a word up: the planner has seen to it that there is room. Verified in `cosim/tests/tx`.

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
    pub write_addr: Signal<Out, Bits<12>>,
    pub write_data: Signal<Out, Bits<32>>,
    /// A word of a header, and the last one of it.
    pub header_valid: Signal<Out, Bit>,
    pub header_last: Signal<Out, Bit>,
    /// Lane of its first byte, and its slot.
    pub header_lane: Signal<Out, Bits<2>>,
    pub header_slot: Signal<Out, Bit>,
    pub payload: Signal<Out, Payload>,
    pub payload_valid: Signal<Out, Bit>,
    pub payload_take: Signal<In, Bit>,

    results: LutFifo<Payload, 3, 4>,
    write_index: Reg<Bits<12>>,
    index: Reg<Bits<12>>,
    /// A word of this frame, or of its header, could not be read.
    tainted: Reg<Bit>,
    /// Stage 1: the bytes of the word that count.
    word: Reg<Bits<32>>,
    word_valid: Reg<Bit>,
    last1: Reg<Bit>,
    odd1: Reg<Bit>,
    failed1: Reg<Bit>,
    /// Stage 2: the sum so far.
    total: Reg<Bits<44>>,
    fresh: Reg<Bit>,
    last2: Reg<Bit>,
    odd2: Reg<Bit>,
    failed2: Reg<Bit>,
    /// Stages 3 to 5: folded.
    folded3: Reg<Bits<18>>,
    last3: Reg<Bit>,
    odd3: Reg<Bit>,
    failed3: Reg<Bit>,
    folded4: Reg<Bits<17>>,
    last4: Reg<Bit>,
    odd4: Reg<Bit>,
    failed4: Reg<Bit>,

    payload_word: Signal<Local, Bit>,
    first: Signal<Local, Bits<14>>,
    first_word: Signal<Local, Bits<12>>,
    counted: Signal<Local, Bits<32>>,
    from: Signal<Local, Bits<32>>,
    to: Signal<Local, Bits<32>>,
    so_far: Signal<Local, Bits<44>>,
    low: Signal<Local, Bits<18>>,
    high: Signal<Local, Bits<18>>,
    top: Signal<Local, Bits<18>>,
    sum: Signal<Local, Bits<16>>,
}

module! {
    impl [] Logic for Intake;
    regs: write_index, index, tainted, word, word_valid, last1, odd1, failed1, total, fresh, last2, odd2, failed2,
        folded3, last3, odd3, failed3, folded4, last4, odd4, failed4;
    children: results;
    #[hdl_gen]
    fn update(&mut self) {
        self.first.next = self.note.val().first;
        self.payload_word.next = self.data.valid.val() && !self.note.val().header;
        self.header_valid.next = self.data.valid.val() && self.note.val().header;
        self.header_last.next = self.data.last.val();
        self.header_lane.next = self.first.val().get_bits::<2>(0);
        self.header_slot.next = self.note.val().slot;
        self.note_take.next = self.data.valid.val() && self.data.last.val();
        self.write_enable.next = self.payload_word.val();
        self.write_addr.next = self.write_index.q.val();
        self.write_data.next = self.data.data.val();
        if self.data.valid.val() {
            self.tainted.d.next = self.tainted.q.val() || self.data.error.val();
        }

        // Stage 1.
        self.word_valid.d.next = self.payload_word.val();
        self.last1.d.next = self.payload_word.val() && self.data.last.val() && !self.note.val().more;
        self.first_word.next = self.first.val().get_bits::<12>(2);
        self.from.next = 0xFFFFFFFFu64.into();
        self.to.next = 0xFFFFFFFFu64.into();
        self.counted.next = 0.into();
        if self.payload_word.val() {
            self.write_index.d.next = self.write_index.q.val() + 1;
            self.index.d.next = self.index.q.val() + 1;
            if self.index.q.val() < self.first_word.val() {
                self.from.next = 0.into();
            } else if self.index.q.val() == self.first_word.val() {
                match self.first.val().get_bits::<2>(0).index() {
                    0 => {}
                    1 => {
                        self.from.next = 0xFFFFFF00u64.into();
                    }
                    2 => {
                        self.from.next = 0xFFFF0000u64.into();
                    }
                    _ => {
                        self.from.next = 0xFF000000u64.into();
                    }
                }
            }
            if self.data.last.val() {
                self.index.d.next = 0.into();
                self.tainted.d.next = self.note.val().more && (self.tainted.q.val() || self.data.error.val());
                self.odd1.d.next = self.note.val().odd;
                self.failed1.d.next = self.tainted.q.val() || self.data.error.val();
                match self.note.val().end.index() {
                    0 => {}
                    1 => {
                        self.to.next = 0xFF.into();
                    }
                    2 => {
                        self.to.next = 0xFFFF.into();
                    }
                    _ => {
                        self.to.next = 0xFFFFFF.into();
                    }
                }
            }
            self.counted.next = self.data.data.val() & self.from.val() & self.to.val();
            self.word.d.next = self.counted.val();
            if self.note.val().turned {
                self.word.d.next = (self.counted.val() << 8) | (self.counted.val() >> 24);
            }
        }

        // Stage 2. The sum starts anew with the word after a last one.
        self.last2.d.next = self.last1.q.val();
        self.so_far.next = self.total.q.val();
        if self.fresh.q.val() {
            self.so_far.next = 0.into();
        }
        if self.word_valid.q.val() {
            self.total.d.next = self.so_far.val() + bit_cast::<44, 32>(self.word.q.val());
            self.fresh.d.next = self.last1.q.val();
            self.odd2.d.next = self.odd1.q.val();
            self.failed2.d.next = self.failed1.q.val();
        }

        // Stages 3 to 5.
        self.last3.d.next = self.last2.q.val();
        self.low.next = bit_cast::<18, 16>(self.total.q.val().get_bits::<16>(0));
        self.high.next = bit_cast::<18, 16>(self.total.q.val().get_bits::<16>(16));
        self.top.next = bit_cast::<18, 12>(self.total.q.val().get_bits::<12>(32));
        if self.last2.q.val() {
            self.folded3.d.next = self.low.val() + self.high.val() + self.top.val();
            self.odd3.d.next = self.odd2.q.val();
            self.failed3.d.next = self.failed2.q.val();
        }
        self.last4.d.next = self.last3.q.val();
        if self.last3.q.val() {
            self.folded4.d.next = bit_cast::<17, 16>(self.folded3.q.val().get_bits::<16>(0))
                + bit_cast::<17, 2>(self.folded3.q.val().get_bits::<2>(16));
            self.odd4.d.next = self.odd3.q.val();
            self.failed4.d.next = self.failed3.q.val();
        }
        self.sum.next = self.folded4.q.val().get_bits::<16>(0)
            + bit_cast::<16, 1>(self.folded4.q.val().get_bits::<1>(16));
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

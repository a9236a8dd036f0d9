//! The output: a short queue in front of the wire and of the loopback.
//!
//! A frame starts when four words of it wait here (every frame has as many), and from then on has a word in every
//! cycle: the bubbles that joining a header and a payload leaves are behind it. `room` is high while the
//! sender may go on; what it has on its way then still fits.
//!
//! Core clock, synchronous reset. One word a cycle, one idle cycle between frames. Verified in
//! `cosim/tests/tx`.

use super::records::OutWord;
use crate::kit::{Cr, LutFifo, Reg, StreamOut};
use crate::module;
use rust_hdl::prelude::*;

/// Queue and switch.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Output {
    pub cr: Cr,
    pub word: Signal<In, OutWord>,
    pub valid: Signal<In, Bit>,
    pub room: Signal<Out, Bit>,
    pub wire_out: StreamOut,
    pub loopback: StreamOut,
    /// Pulse: the last word of a frame went to the wire.
    pub sent: Signal<Out, Bit>,

    words: LutFifo<OutWord, 4, 5>,
    open: Reg<Bit>,
    space: Reg<Bit>,
    pulse: Reg<Bit>,
    offer: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Output;
    regs: open, space, pulse;
    children: words;
    #[hdl_gen]
    fn update(&mut self) {
        self.words.data.next = self.word.val();
        self.words.push.next = self.valid.val();
        self.space.d.next = self.words.count.val() <= 8;
        self.room.next = self.space.q.val();

        self.offer.next = self.open.q.val() && self.words.valid.val();
        self.wire_out.tvalid.next = self.offer.val() && !self.words.head.val().inject;
        self.wire_out.tdata.next = self.words.head.val().data;
        self.wire_out.tkeep.next = self.words.head.val().keep;
        self.wire_out.tlast.next = self.words.head.val().last;
        self.wire_out.tuser.next = false;
        self.loopback.tvalid.next = self.offer.val() && self.words.head.val().inject;
        self.loopback.tdata.next = self.words.head.val().data;
        self.loopback.tkeep.next = self.words.head.val().keep;
        self.loopback.tlast.next = self.words.head.val().last;
        self.loopback.tuser.next = false;

        self.taken.next = self.offer.val() && self.wire_out.tready.val();
        if self.words.head.val().inject {
            self.taken.next = self.offer.val() && self.loopback.tready.val();
        }
        self.words.pop.next = self.taken.val();
        self.pulse.d.next = self.taken.val() && self.words.head.val().last && !self.words.head.val().inject;
        self.sent.next = self.pulse.q.val();
        if self.taken.val() && self.words.head.val().last {
            self.open.d.next = false;
        } else if self.words.count.val() >= 4 {
            self.open.d.next = true;
        }
    }
}

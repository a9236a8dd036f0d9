//! Arbitration between the wire and the loopback stream, and the shift to the stored form of frames.
//!
//! A stored frame has two bytes of padding before its first byte, so that the IP header is aligned; every
//! word of it is half of one stream word and half of the next. The streams share the path by frames: one
//! that has started is finished, and between frames the wire goes first.
//!
//! Core clock, synchronous reset. Latency one cycle; a frame of `n` stream words takes `n + 1` cycles, so a
//! minimum-size frame of 60 bytes takes 16. Backpressure: `tready` of the wire is low for one
//! cycle after each frame and while a loopback frame passes, never otherwise; the output has none. Frames of
//! any length pass; `len` stops counting above 16384. Verified in `cosim/tests/rx_path.rs` and `cosim/tests/rx_blocks.rs`.

use crate::kit::{Cr, Reg, StreamIn};
use crate::module;
use rust_hdl::prelude::*;

/// Two frame streams in, one stream of stored words out.
#[derive(Clone, Debug, LogicBlock)]
pub struct Align {
    pub cr: Cr,
    pub wire_in: StreamIn,
    pub loopback: StreamIn,
    /// A word of a stored frame, with `valid`. The padding is zero; bytes past the end are undefined.
    pub word: Signal<Out, Bits<32>>,
    pub valid: Signal<Out, Bit>,
    pub last: Signal<Out, Bit>,
    /// Stored bytes up to this word; exact with `last`, never more than 16389.
    pub len: Signal<Out, Bits<15>>,
    /// With `last`: the stream said that the frame is damaged.
    pub bad_fcs: Signal<Out, Bit>,
    /// The frame came from the wire.
    pub from_wire: Signal<Out, Bit>,

    /// 0 between frames, 1 in a wire frame, 2 in a loopback frame, 3 in the cycle after a frame.
    state: Reg<Bits<2>>,
    /// The upper half of the word before, which becomes the lower half of the next stored word.
    carry: Reg<Bits<16>>,
    /// Stored bytes so far.
    count: Reg<Bits<15>>,
    /// The last word's upper half is still to be sent.
    flush: Reg<Bit>,
    out_word: Reg<Bits<32>>,
    out_valid: Reg<Bit>,
    out_last: Reg<Bit>,
    out_len: Reg<Bits<15>>,
    out_bad: Reg<Bit>,
    out_wire: Reg<Bit>,

    take_wire: Signal<Local, Bit>,
    take_loopback: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    tdata: Signal<Local, Bits<32>>,
    tkeep: Signal<Local, Bits<4>>,
    tlast: Signal<Local, Bit>,
    tuser: Signal<Local, Bit>,
    low: Signal<Local, Bits<32>>,
    high: Signal<Local, Bits<32>>,
    bytes: Signal<Local, Bits<15>>,
    counted: Signal<Local, Bits<15>>,
}

impl Default for Align {
    fn default() -> Self {
        Align {
            cr: Default::default(),
            wire_in: Default::default(),
            loopback: Default::default(),
            word: Default::default(),
            valid: Default::default(),
            last: Default::default(),
            len: Default::default(),
            bad_fcs: Default::default(),
            from_wire: Default::default(),
            state: Default::default(),
            carry: Default::default(),
            count: Reg::new(bits(2)),
            flush: Default::default(),
            out_word: Default::default(),
            out_valid: Default::default(),
            out_last: Default::default(),
            out_len: Default::default(),
            out_bad: Default::default(),
            out_wire: Default::default(),
            take_wire: Default::default(),
            take_loopback: Default::default(),
            take: Default::default(),
            tdata: Default::default(),
            tkeep: Default::default(),
            tlast: Default::default(),
            tuser: Default::default(),
            low: Default::default(),
            high: Default::default(),
            bytes: Default::default(),
            counted: Default::default(),
        }
    }
}

module! {
    impl [] Logic for Align;
    regs: state, carry, count, flush, out_word, out_valid, out_last, out_len, out_bad, out_wire;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.wire_in.tready.next = (self.state.q.val() == 0) || (self.state.q.val() == 1);
        self.loopback.tready.next = self.state.q.val() == 2;
        self.take_wire.next =
            ((self.state.q.val() == 0) || (self.state.q.val() == 1)) && self.wire_in.tvalid.val();
        self.take_loopback.next = (self.state.q.val() == 2) && self.loopback.tvalid.val();
        self.take.next = self.take_wire.val() || self.take_loopback.val();
        if self.state.q.val() == 2 {
            self.tdata.next = self.loopback.tdata.val();
            self.tkeep.next = self.loopback.tkeep.val();
            self.tlast.next = self.loopback.tlast.val();
            self.tuser.next = self.loopback.tuser.val();
        } else {
            self.tdata.next = self.wire_in.tdata.val();
            self.tkeep.next = self.wire_in.tkeep.val();
            self.tlast.next = self.wire_in.tlast.val();
            self.tuser.next = self.wire_in.tuser.val();
        }

        if self.tlast.val() && !self.tkeep.val().get_bit(1) {
            self.bytes.next = 1.into();
        } else if self.tlast.val() && !self.tkeep.val().get_bit(2) {
            self.bytes.next = 2.into();
        } else if self.tlast.val() && !self.tkeep.val().get_bit(3) {
            self.bytes.next = 3.into();
        } else {
            self.bytes.next = 4.into();
        }
        self.counted.next = self.count.q.val();
        if !self.count.q.val().get_bit(14) {
            self.counted.next = self.count.q.val() + self.bytes.val();
        }

        self.low.next = bit_cast::<32, 16>(self.carry.q.val());
        self.high.next = self.tdata.val() << 16;
        self.out_word.d.next = self.high.val() | self.low.val();
        self.out_len.d.next = self.counted.val();
        self.out_bad.d.next = self.tuser.val();
        self.out_valid.d.next = self.take.val();
        self.out_last.d.next = self.take.val() && self.tlast.val() && !self.tkeep.val().get_bit(2);
        if self.take.val() {
            self.carry.d.next = self.tdata.val().get_bits::<16>(16);
            self.count.d.next = self.counted.val();
            self.out_wire.d.next = self.take_wire.val();
            self.flush.d.next = self.tlast.val() && self.tkeep.val().get_bit(2);
        }
        if self.state.q.val() == 3 {
            self.out_word.d.next = self.low.val();
            self.out_len.d.next = self.count.q.val();
            self.out_bad.d.next = self.out_bad.q.val();
            self.out_valid.d.next = self.flush.q.val();
            self.out_last.d.next = self.flush.q.val();
            self.carry.d.next = 0.into();
            self.count.d.next = 2.into();
        }

        if (self.state.q.val() == 0) && self.take.val() {
            self.state.d.next = 1.into();
        }
        if (self.state.q.val() == 0) && !self.take.val() && self.loopback.tvalid.val() {
            self.state.d.next = 2.into();
        }
        if self.take.val() && self.tlast.val() {
            self.state.d.next = 3.into();
        }
        if self.state.q.val() == 3 {
            self.state.d.next = 0.into();
        }

        self.word.next = self.out_word.q.val();
        self.valid.next = self.out_valid.q.val();
        self.last.next = self.out_last.q.val();
        self.len.next = self.out_len.q.val();
        self.bad_fcs.next = self.out_bad.q.val();
        self.from_wire.next = self.out_wire.q.val();
    }
}

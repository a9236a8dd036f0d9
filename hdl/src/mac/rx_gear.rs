//! The receive domain: from GMII symbols to words.
//!
//! Finds the start delimiter, gathers bytes (at 10 and 100 Mb/s from nibbles, the low one first) and packs
//! them into words of the frame queue (`mac`). All that takes arithmetic, the check sequence above
//! all, is done behind the queue, in the core's domain, so that this domain keeps to a few gates between
//! flops.
//!
//! Clock: the PHY's receive clock, 125, 25 or 2.5 MHz; synchronous reset. A symbol a cycle. A word is
//! pushed when the byte after it has come, which tells whether it is the frame's last one; `mac` states the
//! latency of the whole.
//!
//! What the line may do, and what comes of it:
//!
//! | line | here |
//! | --- | --- |
//! | short or long preamble, or none before the delimiter | accepted |
//! | carrier that ends before a delimiter or a first byte, false carrier (`rx_er` with 0x0E in the gap) | nothing pushed; counted |
//! | carrier extension and other `rx_er` in the gap | ignored |
//! | `rx_er` in preamble or frame | the frame's last word says so |
//! | a nibble too many at the end | ignored, as the standard asks |
//! | `room` low at a frame's first word | the frame is dropped whole; counted |
//! | `room` low later | the frame ends with a *cut* in the queue; the rest is dropped; counted |
//! | reset, or `stop` of the queue, in a frame | the rest of the frame is dropped |
//! | `enable` low when a carrier starts | the frame is ignored |
//!
//! Backpressure: none, as there is none on a line. While a frame is open in the queue there is room for its
//! cut, because `room` means four free words, of which it has yet to count at most two, and comes a cycle late. Verified in
//! `cosim/tests/mac.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// GMII in, words out.
#[derive(Clone, Debug, LogicBlock)]
pub struct RxGear {
    pub cr: Cr,
    pub rx_dv: Signal<In, Bit>,
    pub rx_er: Signal<In, Bit>,
    pub rxd: Signal<In, Bits<8>>,
    /// 1000 Mb/s: a byte a cycle. Otherwise a nibble, in `rxd[3:0]`.
    pub gigabit: Signal<In, Bit>,
    pub enable: Signal<In, Bit>,
    /// A word and its tag (`mac`), for one cycle.
    pub word: Signal<Out, Bits<36>>,
    pub push: Signal<Out, Bit>,
    /// The queue takes four more words.
    pub room: Signal<In, Bit>,
    /// The queue is being emptied.
    pub stop: Signal<In, Bit>,
    /// Pulse: a frame was dropped, or cut, for want of room.
    pub overflow: Signal<Out, Bit>,
    /// Pulse: a carrier without a frame.
    pub false_carrier: Signal<Out, Bit>,

    dv: Reg<Bit>,
    er: Reg<Bit>,
    data: Reg<Bits<8>>,
    /// 0 waits for a delimiter, 1 in a frame, 2 waits for the end of a carrier.
    state: Reg<Bits<2>>,
    /// The carrier that `state` 0 or 2 sees is to be counted if no frame comes of it.
    carrier: Reg<Bit>,
    /// The low nibble of a byte, and whether it is there.
    nibble: Reg<Bits<4>>,
    half: Reg<Bit>,
    error: Reg<Bit>,
    /// Bytes in `gathered`, 0 to 4; the others are zero.
    count: Reg<Bits<3>>,
    gathered: Reg<Bits<32>>,
    /// The queue has a word of this frame.
    open: Reg<Bit>,
    /// The rest of this frame is dropped.
    lost: Reg<Bit>,
    /// `room`, a cycle late: it is a comparison, and much depends on it.
    has_room: Reg<Bit>,
    false_code: Reg<Bit>,
    /// The symbol in `data` ends a preamble, if there was one; is a false carrier.
    delimiter: Reg<Bit>,
    false_symbol: Reg<Bit>,
    out_word: Reg<Bits<36>>,
    out_push: Reg<Bit>,
    out_overflow: Reg<Bit>,
    out_false: Reg<Bit>,

    octet_valid: Signal<Local, Bit>,
    octet: Signal<Local, Bits<8>>,
    octet_wide: Signal<Local, Bits<32>>,
    finish: Signal<Local, Bit>,
    full_word: Signal<Local, Bit>,
    emit: Signal<Local, Bit>,
    last_count: Signal<Local, Bits<3>>,
    tag: Signal<Local, Bits<4>>,
    tag_wide: Signal<Local, Bits<36>>,
}

impl Default for RxGear {
    fn default() -> Self {
        RxGear {
            cr: Default::default(),
            rx_dv: Default::default(),
            rx_er: Default::default(),
            rxd: Default::default(),
            gigabit: Default::default(),
            enable: Default::default(),
            word: Default::default(),
            push: Default::default(),
            room: Default::default(),
            stop: Default::default(),
            overflow: Default::default(),
            false_carrier: Default::default(),
            dv: Default::default(),
            er: Default::default(),
            data: Default::default(),
            // After a reset in a frame, its rest is no frame.
            state: Reg::new(bits(2)),
            carrier: Default::default(),
            nibble: Default::default(),
            half: Default::default(),
            error: Default::default(),
            count: Default::default(),
            gathered: Default::default(),
            open: Default::default(),
            lost: Default::default(),
            has_room: Default::default(),
            false_code: Default::default(),
            out_word: Default::default(),
            out_push: Default::default(),
            out_overflow: Default::default(),
            out_false: Default::default(),
            delimiter: Default::default(),
            octet_valid: Default::default(),
            octet: Default::default(),
            octet_wide: Default::default(),
            finish: Default::default(),
            full_word: Default::default(),
            emit: Default::default(),
            last_count: Default::default(),
            tag: Default::default(),
            tag_wide: Default::default(),
            false_symbol: Default::default(),
        }
    }
}

module! {
    impl [] Logic for RxGear;
    regs: dv, er, data, state, carrier, nibble, half, error, count, gathered, open, lost, has_room, false_code, delimiter, false_symbol,
        out_word, out_push, out_overflow, out_false;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.dv.d.next = self.rx_dv.val();
        self.er.d.next = self.rx_er.val();
        self.data.d.next = self.rxd.val();
        self.has_room.d.next = self.room.val();
        self.out_push.d.next = false;
        self.out_overflow.d.next = false;
        self.out_false.d.next = false;

        // Bytes: at 1000 Mb/s one a cycle, else two nibbles from the delimiter on.
        self.nibble.d.next = self.data.q.val().get_bits::<4>(0);
        if self.gigabit.val() {
            self.delimiter.d.next = self.rxd.val() == 213;
            self.octet.next = self.data.q.val();
            self.octet_valid.next = (self.state.q.val() == 1) && self.dv.q.val();
        } else {
            self.delimiter.d.next =
                (self.rxd.val().get_bits::<4>(0) == 13) && (self.data.q.val().get_bits::<4>(0) == 5);
            self.octet.next = (bit_cast::<8, 4>(self.data.q.val().get_bits::<4>(0)) << 4)
                | bit_cast::<8, 4>(self.nibble.q.val());
            self.octet_valid.next = (self.state.q.val() == 1) && self.dv.q.val() && self.half.q.val();
        }
        self.octet_wide.next = bit_cast::<32, 8>(self.octet.val());

        self.finish.next = (self.state.q.val() == 1) && !self.dv.q.val();
        if self.state.q.val() == 0 {
            self.half.d.next = false;
            if self.dv.q.val() {
                self.carrier.d.next = true;
                if self.er.q.val() {
                    self.error.d.next = true;
                }
                if self.delimiter.q.val() && (self.gigabit.val() || self.carrier.q.val()) {
                    self.state.d.next = 1.into();
                }
                if !self.carrier.q.val() && !self.enable.val() {
                    self.state.d.next = 2.into();
                }
            } else {
                self.out_false.d.next = self.carrier.q.val();
                self.carrier.d.next = false;
                self.error.d.next = false;
            }
        }
        if (self.state.q.val() == 1) && self.dv.q.val() {
            self.half.d.next = !self.half.q.val();
            if self.er.q.val() {
                self.error.d.next = true;
            }
        }
        if self.state.q.val() == 2 {
            self.carrier.d.next = false;
            self.error.d.next = false;
            if !self.dv.q.val() {
                self.state.d.next = 0.into();
            }
        }
        self.false_symbol.d.next =
            !self.rx_dv.val() && self.rx_er.val() && (self.rxd.val().get_bits::<4>(0) == 14);
        self.false_code.d.next = self.false_symbol.q.val();
        if self.false_symbol.q.val() && !self.false_code.q.val() {
            self.out_false.d.next = true;
        }

        // Words.
        if self.octet_valid.val() {
            self.count.d.next = self.count.q.val() + 1;
            // The low two bits of the count tell which byte of a word comes.
            if self.count.q.val().get_bits::<2>(0) == 0 {
                self.gathered.d.next = self.octet_wide.val();
                self.count.d.next = 1.into();
            } else if self.count.q.val().get_bits::<2>(0) == 1 {
                self.gathered.d.next = self.gathered.q.val() | (self.octet_wide.val() << 8);
            } else if self.count.q.val().get_bits::<2>(0) == 2 {
                self.gathered.d.next = self.gathered.q.val() | (self.octet_wide.val() << 16);
            } else {
                self.gathered.d.next = self.gathered.q.val() | (self.octet_wide.val() << 24);
            }
        }
        self.full_word.next = self.octet_valid.val() && self.count.q.val().get_bit(2);
        self.emit.next = self.full_word.val() || (self.finish.val() && (self.count.q.val() != 0));
        self.last_count.next = self.count.q.val() - 1;
        self.tag.next = 0.into();
        if self.finish.val() {
            self.tag.next = bit_cast::<4, 2>(self.last_count.val().get_bits::<2>(0)) | 8;
            if self.error.q.val() {
                self.tag.next = bit_cast::<4, 2>(self.last_count.val().get_bits::<2>(0)) | 12;
            }
        }
        if !self.has_room.q.val() {
            self.tag.next = 4.into();
        }
        self.tag_wide.next = bit_cast::<36, 4>(self.tag.val()) << 32;
        self.out_word.d.next = self.tag_wide.val() | bit_cast::<36, 32>(self.gathered.q.val());
        if self.emit.val() && !self.lost.q.val() {
            self.out_push.d.next = true;
            self.open.d.next = true;
            if !self.has_room.q.val() {
                self.out_push.d.next = self.open.q.val();
                self.out_overflow.d.next = true;
                self.lost.d.next = true;
            }
        }
        if self.stop.val() {
            self.out_push.d.next = false;
            self.open.d.next = false;
            self.lost.d.next = self.state.q.val() == 1;
        }
        if self.finish.val() {
            self.state.d.next = 0.into();
            self.carrier.d.next = false;
            self.error.d.next = false;
            self.count.d.next = 0.into();
            self.gathered.d.next = 0.into();
            self.open.d.next = false;
            self.lost.d.next = false;
            if self.count.q.val() == 0 {
                self.out_false.d.next = true;
            }
        }

        self.word.next = self.out_word.q.val();
        self.push.next = self.out_push.q.val();
        self.overflow.next = self.out_overflow.q.val();
        self.false_carrier.next = self.out_false.q.val();
    }
}

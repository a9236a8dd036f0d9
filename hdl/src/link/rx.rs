//! The host link's receiver: checks frames, keeps the messages that come in order, and tells of acknowledgements.
//!
//! A frame is acted on after its end, when the MAC has said that it is sound (`tuser` low). It is *dropped* and
//! counted if it has the link's EtherType and another version, a length that is not its message's, a destination that is not this
//! station (`HELLO` may be broadcast), another session than the one that stands, or an unknown kind. Frames of other
//! EtherTypes are not counted. Of numbered frames only the next one is kept, if there is room; one that came before is
//! acknowledged again, one after a gap asks once for the missing (`missed`).
//!
//! Messages wait in 16 slots, found by the low bits of their numbers: headers in distributed memory, 64 words of data
//! each in one block memory. Data words are written as they come, into the slot of the next message, which is free, and only
//! for a frame that may be kept; a frame that turns out damaged leaves nothing behind.
//!
//! Core clock, synchronous reset; `restart` empties the slots. A word a cycle, never a stall: a link partner that sends
//! more than its credit loses frames. From the last word to the head of the empty queue three cycles. `read_data` is the
//! word of the head's data at the `read_index` of the cycle before. Verified in `cosim/tests/host_link`.

use crate::kit::{Cr, LutRam, RamRw, Reg, StreamIn};
use crate::module;
use baton_abi::link::{self, kind};
use rust_hdl::prelude::*;

// Told by number below: byte 0 of word 3 is the lowest.
const _: () = assert!(link::ETHERTYPE == 0x88B5 && link::VERSION == 1 && link::SLOTS == 16);
const _: () = assert!(kind::HELLO == 1 && kind::ACK == 3 && kind::REG_WRITE == 0x10 && kind::WRITE == 0x20);

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct LinkRx {
    pub cr: Cr,
    pub stream: StreamIn,
    /// This station's address, byte 0 lowest.
    pub station: Signal<In, Bits<48>>,
    pub session: Signal<In, Bits<32>>,
    pub linked: Signal<In, Bit>,
    pub restart: Signal<In, Bit>,
    /// A `HELLO` came; with it its session, whether that is the one that stands, and its source (which stay until the
    /// next frame).
    pub hello: Signal<Out, Bit>,
    pub hello_session: Signal<Out, Bits<32>>,
    pub hello_same: Signal<Out, Bit>,
    pub source: Signal<Out, Bits<48>>,
    /// A frame of the session came, with these.
    pub acked: Signal<Out, Bit>,
    pub ack: Signal<Out, Bits<16>>,
    pub credit: Signal<Out, Bits<8>>,
    /// It says that the partner missed a frame.
    pub again: Signal<Out, Bit>,
    /// It must be answered by an acknowledgement.
    pub answer: Signal<Out, Bit>,
    /// The partner is to be told of a gap.
    pub missed: Signal<Out, Bit>,
    /// Number of the next message, and how many more have room.
    pub expected: Signal<Out, Bits<16>>,
    pub free: Signal<Out, Bits<5>>,
    /// Frames dropped since reset; wraps.
    pub dropped: Signal<Out, Bits<16>>,
    /// The oldest message: address 31:0, info 47:32, words 55:48, kind 63:56.
    pub head_valid: Signal<Out, Bit>,
    pub head: Signal<Out, Bits<64>>,
    pub read_index: Signal<In, Bits<6>>,
    pub read_data: Signal<Out, Bits<32>>,
    pub pop: Signal<In, Bit>,

    headers: LutRam<64, 4>,
    data: RamRw<32, 10>,
    at: Reg<Bits<8>>,
    to_own: Reg<Bit>,
    to_all: Reg<Bit>,
    from_low: Reg<Bits<16>>,
    from_high: Reg<Bits<32>>,
    ours: Reg<Bit>,
    version_ok: Reg<Bit>,
    kind: Reg<Bits<8>>,
    session_in: Reg<Bits<32>>,
    same: Reg<Bit>,
    seq: Reg<Bits<16>>,
    ack_in: Reg<Bits<16>>,
    credit_in: Reg<Bits<8>>,
    words: Reg<Bits<8>>,
    info: Reg<Bits<16>>,
    address: Reg<Bits<32>>,
    behind: Reg<Bits<16>>,
    storing: Reg<Bit>,
    ended: Reg<Bit>,
    sound: Reg<Bit>,
    next: Reg<Bits<16>>,
    oldest: Reg<Bits<16>>,
    gap_told: Reg<Bit>,
    drops: Reg<Bits<16>>,
    word: Signal<Local, Bits<32>>,
    last_index: Signal<Local, Bits<8>>,
    data_index: Signal<Local, Bits<8>>,
    slot_base: Signal<Local, Bits<10>>,
    head_base: Signal<Local, Bits<10>>,
    used: Signal<Local, Bits<16>>,
    room: Signal<Local, Bit>,
    numbered: Signal<Local, Bit>,
    is_hello: Signal<Local, Bit>,
    is_ack: Signal<Local, Bit>,
    of_session: Signal<Local, Bit>,
    keep: Signal<Local, Bit>,
    header: Signal<Local, Bits<64>>,
}

module! {
    impl [] Logic for LinkRx;
    regs: at, to_own, to_all, from_low, from_high, ours, version_ok, kind, session_in, same, seq, ack_in, credit_in,
        words, info, address, behind, storing, ended, sound, next, oldest, gap_told, drops;
    children: headers, data;
    #[hdl_gen]
    fn update(&mut self) {
        self.stream.tready.next = true;
        self.word.next = self.stream.tdata.val();

        // The header, word by word.
        if self.stream.tvalid.val() {
            if !self.at.q.val().all() {
                self.at.d.next = self.at.q.val() + 1;
            }
            if self.stream.tlast.val() {
                self.at.d.next = 0.into();
            }
            match self.at.q.val().index() {
                0 => {
                    self.to_own.d.next = self.word.val() == self.station.val().get_bits::<32>(0);
                    self.to_all.d.next = self.word.val().all();
                }
                1 => {
                    self.to_own.d.next = self.to_own.q.val()
                        && (self.word.val().get_bits::<16>(0) == self.station.val().get_bits::<16>(32));
                    self.to_all.d.next = self.to_all.q.val() && self.word.val().get_bits::<16>(0).all();
                    self.from_low.d.next = self.word.val().get_bits::<16>(16);
                }
                2 => {
                    self.from_high.d.next = self.word.val();
                }
                3 => {
                    self.ours.d.next = self.word.val().get_bits::<16>(0) == 0xB588;
                    self.version_ok.d.next = self.word.val().get_bits::<8>(16) == 1;
                    self.kind.d.next = self.word.val().get_bits::<8>(24);
                }
                4 => {
                    self.session_in.d.next = self.word.val();
                    self.same.d.next = self.word.val() == self.session.val();
                }
                5 => {
                    self.seq.d.next = self.word.val().get_bits::<16>(0);
                    self.ack_in.d.next = self.word.val().get_bits::<16>(16);
                }
                6 => {
                    self.credit_in.d.next = self.word.val().get_bits::<8>(0);
                    self.words.d.next = self.word.val().get_bits::<8>(8);
                    self.info.d.next = self.word.val().get_bits::<16>(16);
                }
                7 => {
                    self.address.d.next = self.word.val();
                }
                _ => {}
            }
        }

        // Its end. A frame has at least 15 words.
        self.last_index.next = self.words.q.val() + 7;
        if self.words.q.val() < 8 {
            self.last_index.next = 14.into();
        }
        self.ended.d.next = self.stream.tvalid.val() && self.stream.tlast.val();
        self.sound.d.next = self.version_ok.q.val()
            && !self.stream.tuser.val()
            && self.stream.tkeep.val().all()
            && (self.words.q.val() <= 64)
            && (self.at.q.val() == self.last_index.val());

        // Numbers and slots.
        self.behind.d.next = self.next.q.val() - self.seq.q.val();
        self.used.next = self.next.q.val() - self.oldest.q.val();
        self.free.next = bits::<5>(16) - self.used.val().get_bits::<5>(0);
        self.room.next = !self.used.val().get_bit(4);
        self.numbered.next = self.kind.q.val().get_bits::<4>(4) == 1;
        self.is_hello.next = self.kind.q.val() == 1;
        self.is_ack.next = self.kind.q.val() == 3;
        self.of_session.next = self.to_own.q.val() && self.same.q.val() && self.linked.val()
            && (self.numbered.val() || self.is_ack.val());
        self.slot_base.next = bit_cast::<10, 4>(self.next.q.val().get_bits::<4>(0)) << 6;
        self.data_index.next = self.at.q.val() - 8;
        self.storing.d.next = self.ours.q.val() && self.of_session.val() && self.numbered.val()
            && (self.behind.q.val() == 0) && self.room.val();
        self.data.write_enable.next = self.storing.q.val() && self.stream.tvalid.val()
            && self.at.q.val().get_bits::<5>(3).any();
        self.data.write_addr.next =
            self.slot_base.val() | bit_cast::<10, 6>(self.data_index.val().get_bits::<6>(0));
        self.data.write_data.next = self.word.val();
        self.header.next = bit_cast::<64, 32>(self.address.q.val())
            | (bit_cast::<64, 16>(self.info.q.val()) << 32)
            | (bit_cast::<64, 8>(self.words.q.val()) << 48)
            | (bit_cast::<64, 8>(self.kind.q.val()) << 56);
        self.headers.write_addr.next = self.next.q.val().get_bits::<4>(0);
        self.headers.write_data.next = self.header.val();

        // What a frame leads to, the cycle after its end.
        self.hello.next = false;
        self.acked.next = false;
        self.again.next = false;
        self.answer.next = false;
        self.missed.next = false;
        self.keep.next = false;
        if self.ended.q.val() && self.ours.q.val() {
            if self.sound.q.val() && self.is_hello.val() && (self.to_own.q.val() || self.to_all.q.val()) {
                self.hello.next = true;
            } else if self.sound.q.val() && self.of_session.val() {
                self.acked.next = true;
                self.again.next = self.is_ack.val() && self.info.q.val().get_bit(1);
                self.answer.next = self.is_ack.val() && self.info.q.val().get_bit(0);
                if self.numbered.val() {
                    if (self.behind.q.val() == 0) && self.room.val() {
                        self.keep.next = true;
                        self.answer.next = true;
                    } else if (self.behind.q.val() != 0) && !self.behind.q.val().get_bit(15) {
                        self.answer.next = true;
                    } else {
                        self.missed.next = !self.gap_told.q.val();
                    }
                }
            } else {
                self.drops.d.next = self.drops.q.val() + 1;
            }
        }
        self.headers.write_enable.next = self.keep.val();
        if self.missed.val() {
            self.gap_told.d.next = true;
        }
        if self.keep.val() {
            self.next.d.next = self.next.q.val() + 1;
            self.gap_told.d.next = false;
        }

        // The oldest message.
        if self.pop.val() && self.head_valid.val() {
            self.oldest.d.next = self.oldest.q.val() + 1;
        }
        self.head_valid.next = self.used.val().any();
        self.headers.read_addr.next = self.oldest.q.val().get_bits::<4>(0);
        self.head.next = self.headers.read_data.val();
        self.head_base.next = bit_cast::<10, 4>(self.oldest.q.val().get_bits::<4>(0)) << 6;
        self.data.read_addr.next = self.head_base.val() | bit_cast::<10, 6>(self.read_index.val());
        self.read_data.next = self.data.read_data.val();

        self.hello_session.next = self.session_in.q.val();
        self.hello_same.next = self.same.q.val();
        self.source.next = bit_cast::<48, 16>(self.from_low.q.val())
            | (bit_cast::<48, 32>(self.from_high.q.val()) << 16);
        self.ack.next = self.ack_in.q.val();
        self.credit.next = self.credit_in.q.val();
        self.expected.next = self.next.q.val();
        self.dropped.next = self.drops.q.val();
        if self.restart.val() {
            self.next.d.next = 0.into();
            self.oldest.d.next = 0.into();
            self.gap_told.d.next = false;
            self.storing.d.next = false;
        }
    }
}

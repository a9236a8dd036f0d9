//! The host link's transmitter: messages in 16 slots until they are acknowledged, and the frames that carry them.
//!
//! A message enters the slot of its number: its data words by `write`, then its header by `commit`, which may come
//! while `room` is high. Messages are sent in order while the partner has given credit, and stay until it acknowledges
//! them. Going back: when it reports a gap, or when nothing was acknowledged for `2^RETRY_LOG2` cycles, sending
//! starts again with the oldest; then an acknowledgement with a request for an answer follows as well, so that lost credit cannot stop the
//! link. After 1024 of these without progress `give_up` is raised for a cycle.
//!
//! Frames without a number (`WELCOME`, `ACK`) are sent when no message may be, and an acknowledgement only if no frame has
//! carried it since. An acknowledgement of what was never sent changes nothing.
//!
//! Core clock, synchronous reset; `restart` empties the slots. A word a cycle; `tready` may pause it anywhere, and it pauses
//! by itself only between frames. The shortest frames are 32 bytes: the MAC fills them up. Verified in `cosim/tests/host_link`.

use crate::kit::{Cr, LutRam, RamRw, Reg, StreamOut};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header. `TIMER` bits count the cycles to a repetition.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct LinkTx<const TIMER: usize> {
    pub cr: Cr,
    pub stream: StreamOut,
    pub station: Signal<In, Bits<48>>,
    pub peer: Signal<In, Bits<48>>,
    pub session: Signal<In, Bits<32>>,
    pub linked: Signal<In, Bit>,
    pub restart: Signal<In, Bit>,
    /// Send a `WELCOME`; an acknowledgement; an acknowledgement that reports a gap.
    pub welcome: Signal<In, Bit>,
    pub answer: Signal<In, Bit>,
    pub missed: Signal<In, Bit>,
    /// From the receiver.
    pub acked: Signal<In, Bit>,
    pub ack: Signal<In, Bits<16>>,
    pub credit: Signal<In, Bits<8>>,
    pub again: Signal<In, Bit>,
    pub expected: Signal<In, Bits<16>>,
    pub free: Signal<In, Bits<5>>,
    pub dropped: Signal<In, Bits<16>>,
    /// Messages in.
    pub room: Signal<Out, Bit>,
    pub write: Signal<In, Bit>,
    pub write_index: Signal<In, Bits<6>>,
    pub write_data: Signal<In, Bits<32>>,
    pub commit: Signal<In, Bit>,
    /// As the receiver's `head`.
    pub header: Signal<In, Bits<64>>,
    pub give_up: Signal<Out, Bit>,

    headers: LutRam<64, 4>,
    data: RamRw<32, 10>,
    /// Oldest message not acknowledged, next to send, next to be committed.
    base: Reg<Bits<16>>,
    next: Reg<Bits<16>>,
    tail: Reg<Bits<16>>,
    allowed: Reg<Bits<8>>,
    timer: Reg<Bits<TIMER>>,
    tries: Reg<Bits<10>>,
    went_back: Reg<Bits<16>>,
    welcome_due: Reg<Bit>,
    ack_due: Reg<Bit>,
    gap_due: Reg<Bit>,
    probe_due: Reg<Bit>,
    /// The frame that is sent: whether there is one, index of its next word and of its last, header, number.
    busy: Reg<Bit>,
    at: Reg<Bits<7>>,
    last: Reg<Bits<7>>,
    frame: Reg<Bits<64>>,
    seq: Reg<Bits<16>>,
    out_word: Reg<Bits<32>>,
    out_last: Reg<Bit>,
    out_valid: Reg<Bit>,
    used: Signal<Local, Bits<16>>,
    distance: Signal<Local, Bits<16>>,
    ahead: Signal<Local, Bits<16>>,
    valid_ack: Signal<Local, Bit>,
    progress: Signal<Local, Bit>,
    waiting: Signal<Local, Bit>,
    expired: Signal<Local, Bit>,
    back: Signal<Local, Bit>,
    may_send: Signal<Local, Bit>,
    control_due: Signal<Local, Bit>,
    start: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    at_next: Signal<Local, Bits<7>>,
    data_index: Signal<Local, Bits<7>>,
    word: Signal<Local, Bits<32>>,
    tail_base: Signal<Local, Bits<10>>,
    send_base: Signal<Local, Bits<10>>,
    control: Signal<Local, Bits<64>>,
    message_last: Signal<Local, Bits<8>>,
}

module! {
    impl [const TIMER: usize] Logic for LinkTx<TIMER>;
    regs: base, next, tail, allowed, timer, tries, went_back, welcome_due, ack_due, gap_due, probe_due, busy, at, last,
        frame, seq, out_word, out_last, out_valid;
    children: headers, data;
    #[hdl_gen]
    fn update(&mut self) {
        // Slots.
        self.used.next = self.tail.q.val() - self.base.q.val();
        self.room.next = self.linked.val() && !self.used.val().get_bit(4);
        self.tail_base.next = bit_cast::<10, 4>(self.tail.q.val().get_bits::<4>(0)) << 6;
        self.data.write_enable.next = self.write.val();
        self.data.write_addr.next = self.tail_base.val() | bit_cast::<10, 6>(self.write_index.val());
        self.data.write_data.next = self.write_data.val();
        self.headers.write_enable.next = self.commit.val();
        self.headers.write_addr.next = self.tail.q.val().get_bits::<4>(0);
        self.headers.write_data.next = self.header.val();
        if self.commit.val() {
            self.tail.d.next = self.tail.q.val() + 1;
        }

        // Acknowledgements, and what is sent again.
        self.distance.next = self.ack.val() - self.base.q.val();
        self.ahead.next = self.next.q.val() - self.base.q.val();
        self.valid_ack.next = self.acked.val() && (self.distance.val() <= self.used.val());
        self.progress.next = self.valid_ack.val() && self.distance.val().any();
        self.waiting.next = self.linked.val() && self.used.val().any();
        self.expired.next = self.timer.q.val().all();
        self.timer.d.next = 0.into();
        if self.waiting.val() && !self.progress.val() {
            self.timer.d.next = self.timer.q.val() + 1;
        }
        self.back.next = self.expired.val() || (self.valid_ack.val() && self.again.val());
        self.give_up.next = self.expired.val() && self.tries.q.val().all();
        if self.expired.val() {
            self.tries.d.next = self.tries.q.val() + 1;
            self.probe_due.d.next = true;
        }
        if self.valid_ack.val() {
            self.base.d.next = self.ack.val();
            self.allowed.d.next = self.credit.val();
        }
        if self.progress.val() {
            self.tries.d.next = 0.into();
        }

        // The next frame.
        self.may_send.next = (self.next.q.val() != self.tail.q.val())
            && (self.ahead.val() < bit_cast::<16, 8>(self.allowed.q.val()));
        self.control_due.next = self.welcome_due.q.val() || self.ack_due.q.val() || self.gap_due.q.val()
            || self.probe_due.q.val();
        // Going back for an acknowledgement's sake falls into a cycle with `acked` anyway.
        self.start.next = self.linked.val() && !self.busy.q.val() && !self.acked.val() && !self.expired.val()
            && (self.may_send.val() || self.control_due.val());
        self.headers.read_addr.next = self.next.q.val().get_bits::<4>(0);
        self.control.next = (bit_cast::<64, 16>(self.dropped.val()))
            | (bit_cast::<64, 16>(self.went_back.q.val()) << 16)
            | (bit_cast::<64, 1>(self.probe_due.q.val().into()) << 32)
            | (bit_cast::<64, 1>(self.gap_due.q.val().into()) << 33)
            | (bits::<64>(3) << 56);
        if self.welcome_due.q.val() {
            self.control.next = (bit_cast::<64, 16>(self.dropped.val()))
                | (bit_cast::<64, 16>(self.went_back.q.val()) << 16)
                | (bits::<64>(2) << 56);
        }
        self.message_last.next = self.headers.read_data.val().get_bits::<8>(48) + 7;
        if self.start.val() {
            self.busy.d.next = true;
            self.at.d.next = 0.into();
            self.seq.d.next = self.next.q.val();
            self.ack_due.d.next = false;
            // A welcome, and what reports or asks for something, goes before messages.
            if self.may_send.val() && !self.welcome_due.q.val() && !self.gap_due.q.val() && !self.probe_due.q.val() {
                self.frame.d.next = self.headers.read_data.val();
                self.last.d.next = self.message_last.val().get_bits::<7>(0);
                self.next.d.next = self.next.q.val() + 1;
            } else {
                self.frame.d.next = self.control.val();
                self.last.d.next = 7.into();
                self.welcome_due.d.next = false;
                if !self.welcome_due.q.val() {
                    self.gap_due.d.next = false;
                    self.probe_due.d.next = false;
                }
            }
        }
        if self.answer.val() {
            self.ack_due.d.next = true;
        }
        if self.missed.val() {
            self.gap_due.d.next = true;
        }
        if self.expired.val() {
            self.probe_due.d.next = true;
        }
        if self.welcome.val() {
            self.welcome_due.d.next = true;
        }
        if self.valid_ack.val() && (self.ahead.val() < self.distance.val()) {
            self.next.d.next = self.ack.val();
        }
        if self.back.val() {
            self.went_back.d.next = self.went_back.q.val() + 1;
            self.next.d.next = self.base.q.val();
            if self.valid_ack.val() {
                self.next.d.next = self.ack.val();
            }
        }

        // Its words.
        self.load.next = self.busy.q.val() && (!self.out_valid.q.val() || self.stream.tready.val());
        self.at_next.next = self.at.q.val();
        if self.load.val() {
            self.at_next.next = self.at.q.val() + 1;
            self.at.d.next = self.at_next.val();
            self.busy.d.next = self.at.q.val() != self.last.q.val();
        }
        self.data_index.next = self.at_next.val() - 8;
        self.send_base.next = bit_cast::<10, 4>(self.seq.q.val().get_bits::<4>(0)) << 6;
        self.data.read_addr.next = self.send_base.val() | bit_cast::<10, 6>(self.data_index.val().get_bits::<6>(0));
        self.word.next = self.data.read_data.val();
        match self.at.q.val().index() {
            0 => {
                self.word.next = self.peer.val().get_bits::<32>(0);
            }
            1 => {
                self.word.next = bit_cast::<32, 16>(self.peer.val().get_bits::<16>(32))
                    | (bit_cast::<32, 16>(self.station.val().get_bits::<16>(0)) << 16);
            }
            2 => {
                self.word.next = self.station.val().get_bits::<32>(16);
            }
            3 => {
                self.word.next = (bit_cast::<32, 8>(self.frame.q.val().get_bits::<8>(56)) << 24) | 0x01B588;
            }
            4 => {
                self.word.next = self.session.val();
            }
            5 => {
                self.word.next = bit_cast::<32, 16>(self.seq.q.val())
                    | (bit_cast::<32, 16>(self.expected.val()) << 16);
            }
            6 => {
                self.word.next = bit_cast::<32, 5>(self.free.val())
                    | (bit_cast::<32, 8>(self.frame.q.val().get_bits::<8>(48)) << 8)
                    | (bit_cast::<32, 16>(self.frame.q.val().get_bits::<16>(32)) << 16);
            }
            7 => {
                self.word.next = self.frame.q.val().get_bits::<32>(0);
            }
            _ => {}
        }
        if self.stream.tready.val() {
            self.out_valid.d.next = false;
        }
        if self.load.val() {
            self.out_valid.d.next = true;
            self.out_word.d.next = self.word.val();
            self.out_last.d.next = self.at.q.val() == self.last.q.val();
        }
        self.stream.tdata.next = self.out_word.q.val();
        self.stream.tkeep.next = 15.into();
        self.stream.tlast.next = self.out_last.q.val();
        self.stream.tuser.next = false;
        self.stream.tvalid.next = self.out_valid.q.val();

        // A frame that is being sent goes to its end: the MAC's side of it knows nothing of sessions.
        if self.restart.val() {
            self.base.d.next = 0.into();
            self.next.d.next = 0.into();
            self.tail.d.next = 0.into();
            self.allowed.d.next = 0.into();
            self.timer.d.next = 0.into();
            self.tries.d.next = 0.into();
            self.welcome_due.d.next = false;
            self.ack_due.d.next = false;
            self.gap_due.d.next = false;
            self.probe_due.d.next = false;
        }
    }
}

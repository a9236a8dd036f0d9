//! The transmitter's core side: pads frames, adds their check sequence, and decides when they may start.
//!
//! Takes frames without check sequence as AXI4-Stream (`tkeep` all ones but in the last word), fills them
//! with zeros to 60 bytes, appends the check sequence, and pushes words into the frame queue (`mac`).
//! A frame becomes visible to the line's side when more than `start` words of it are in the queue, or all
//! of it, so that a stream which stalls no longer than those words last on the line cannot break it; with
//! `start` at 400 words every frame of up to 1518 bytes is whole before it starts. Frames longer than the
//! line allows are sent as they are: their length is the core's business.
//!
//! Core clock, synchronous reset. One word a cycle. A frame of `n` bytes takes `n / 4 + 1` cycles, and with
//! `r = n mod 4` bytes left over `r + 2` more; frames below 61 bytes take 16. So minimum frames fit their
//! 21 cycles at 31.25 MHz. Backpressure: `tready` is low while the queue is nearly full, after each frame
//! while its end is made, and while `enable` is low between frames; nothing is lost by it. If the other
//! domain is reset in a frame (`stop`), its rest is taken and dropped, and counted with `dropped`. Verified
//! in `cosim/tests/mac.rs`.

use crate::kit::{Cr, Crc32, Reg, StreamIn};
use crate::module;
use rust_hdl::prelude::*;

/// Frames in, words out.
#[derive(Clone, Debug, LogicBlock)]
pub struct TxFrame {
    pub cr: Cr,
    pub stream: StreamIn,
    pub enable: Signal<In, Bit>,
    pub word: Signal<Out, Bits<36>>,
    pub push: Signal<Out, Bit>,
    pub commit: Signal<Out, Bit>,
    /// The queue takes two more words.
    pub room: Signal<In, Bit>,
    /// The queue is being emptied.
    pub stop: Signal<In, Bit>,
    /// With `st_frame`, for one cycle: bytes of a frame that went into the queue, padding and check
    /// sequence included.
    pub st_bytes: Signal<Out, Bits<14>>,
    pub st_frame: Signal<Out, Bit>,
    /// Pulse: a frame was lost to a reset of the line's side.
    pub st_dropped: Signal<Out, Bit>,

    /// 0 takes words, 1 pads, 2 sums the bytes left over, 3 sends them with the first bytes of the check
    /// sequence, 4 sends the rest of the check sequence, or all of it, 5 drops the rest of a frame.
    state: Reg<Bits<3>>,
    crc4: Crc32<32>,
    crc1: Crc32<8>,
    sum: Reg<Bits<32>>,
    /// Words of the frame so far, no further than 15.
    index: Reg<Bits<4>>,
    /// The bytes left over, their number, and those that are not yet summed.
    left: Reg<Bits<32>>,
    left_count: Reg<Bits<2>>,
    to_sum: Reg<Bits<32>>,
    to_sum_count: Reg<Bits<2>>,
    /// A frame was begun.
    begun: Reg<Bit>,
    /// Words of the frame in the queue.
    pushed: Reg<Bits<12>>,
    out_word: Reg<Bits<36>>,
    out_push: Reg<Bit>,
    out_commit: Reg<Bit>,
    frame_pulse: Reg<Bit>,
    bytes_pulse: Reg<Bits<14>>,
    dropped_pulse: Reg<Bit>,

    ready: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    masked: Signal<Local, Bits<32>>,
    whole: Signal<Local, Bit>,
    fcs: Signal<Local, Bits<32>>,
    fcs_up: Signal<Local, Bits<32>>,
    fcs_down: Signal<Local, Bits<32>>,
    data: Signal<Local, Bits<32>>,
    tag: Signal<Local, Bits<4>>,
    tag_wide: Signal<Local, Bits<36>>,
    emit: Signal<Local, Bit>,
    ends: Signal<Local, Bit>,
    pushed_bytes: Signal<Local, Bits<14>>,
    start: Constant<Bits<12>>,
}

impl TxFrame {
    /// A frame may start when `start` of its words are in the queue.
    pub fn new(start: u32) -> Self {
        assert!((2..4096).contains(&start), "a start at {start} words");
        TxFrame {
            cr: Default::default(),
            stream: Default::default(),
            enable: Default::default(),
            word: Default::default(),
            push: Default::default(),
            commit: Default::default(),
            room: Default::default(),
            stop: Default::default(),
            st_bytes: Default::default(),
            st_frame: Default::default(),
            st_dropped: Default::default(),
            state: Default::default(),
            crc4: Default::default(),
            crc1: Default::default(),
            sum: Reg::new(0xFFFFFFFFu64.into()),
            index: Default::default(),
            left: Default::default(),
            left_count: Default::default(),
            to_sum: Default::default(),
            to_sum_count: Default::default(),
            begun: Default::default(),
            pushed: Default::default(),
            out_word: Default::default(),
            out_push: Default::default(),
            out_commit: Default::default(),
            frame_pulse: Default::default(),
            bytes_pulse: Default::default(),
            dropped_pulse: Default::default(),
            ready: Default::default(),
            take: Default::default(),
            masked: Default::default(),
            whole: Default::default(),
            fcs: Default::default(),
            fcs_up: Default::default(),
            fcs_down: Default::default(),
            data: Default::default(),
            tag: Default::default(),
            tag_wide: Default::default(),
            emit: Default::default(),
            ends: Default::default(),
            pushed_bytes: Default::default(),
            start: Constant::new(u64::from(start).into()),
        }
    }
}

module! {
    impl [] Logic for TxFrame;
    regs: state, sum, index, left, left_count, to_sum, to_sum_count, begun, pushed, out_word, out_push, out_commit,
        frame_pulse, bytes_pulse, dropped_pulse;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        // The stream. Bytes that `tkeep` leaves out count as zeros.
        self.ready.next = ((self.state.q.val() == 0) && self.room.val() && !self.stop.val()
            && (self.enable.val() || self.begun.q.val())) || (self.state.q.val() == 5);
        self.stream.tready.next = self.ready.val();
        self.take.next = self.ready.val() && self.stream.tvalid.val();
        self.masked.next = self.stream.tdata.val();
        self.whole.next = true;
        if self.stream.tlast.val() {
            self.whole.next = self.stream.tkeep.val().get_bit(3);
            if !self.stream.tkeep.val().get_bit(1) {
                self.masked.next = self.stream.tdata.val() & 0xFF;
            } else if !self.stream.tkeep.val().get_bit(2) {
                self.masked.next = self.stream.tdata.val() & 0xFFFF;
            } else if !self.stream.tkeep.val().get_bit(3) {
                self.masked.next = self.stream.tdata.val() & 0xFFFFFF;
            }
        }

        // The check sequence.
        self.crc4.state.next = self.sum.q.val();
        self.crc4.data.next = 0.into();
        if self.state.q.val() == 0 {
            self.crc4.data.next = self.masked.val();
        }
        self.crc1.state.next = self.sum.q.val();
        self.crc1.data.next = self.to_sum.q.val().get_bits::<8>(0);
        self.fcs.next = !self.sum.q.val();
        self.fcs_up.next = self.fcs.val() << 8;
        self.fcs_down.next = self.fcs.val() >> 24;
        if self.left_count.q.val() == 2 {
            self.fcs_up.next = self.fcs.val() << 16;
            self.fcs_down.next = self.fcs.val() >> 16;
        } else if self.left_count.q.val() == 3 {
            self.fcs_up.next = self.fcs.val() << 24;
            self.fcs_down.next = self.fcs.val() >> 8;
        }

        self.emit.next = false;
        self.ends.next = false;
        self.data.next = self.masked.val();
        self.tag.next = 0.into();
        if (self.state.q.val() == 0) && self.take.val() {
            self.begun.d.next = true;
            if self.index.q.val() != 15 {
                self.index.d.next = self.index.q.val() + 1;
            }
            if self.stream.tlast.val() && (self.index.q.val() == 15) && !self.whole.val() {
                // Bytes left over; they are sent with the check sequence behind them.
                self.left.d.next = self.masked.val();
                self.to_sum.d.next = self.masked.val();
                self.left_count.d.next = 3.into();
                self.to_sum_count.d.next = 3.into();
                if !self.stream.tkeep.val().get_bit(1) {
                    self.left_count.d.next = 1.into();
                    self.to_sum_count.d.next = 1.into();
                } else if !self.stream.tkeep.val().get_bit(2) {
                    self.left_count.d.next = 2.into();
                    self.to_sum_count.d.next = 2.into();
                }
                self.state.d.next = 2.into();
            } else {
                self.emit.next = true;
                self.sum.d.next = self.crc4.after.val();
                if self.stream.tlast.val() {
                    self.left_count.d.next = 0.into();
                    self.state.d.next = 4.into();
                    if self.index.q.val() < 14 {
                        self.state.d.next = 1.into();
                    }
                }
            }
        }
        if (self.state.q.val() == 1) && self.room.val() {
            self.data.next = 0.into();
            self.emit.next = true;
            self.sum.d.next = self.crc4.after.val();
            self.index.d.next = self.index.q.val() + 1;
            if self.index.q.val() == 14 {
                self.state.d.next = 4.into();
            }
        }
        if self.state.q.val() == 2 {
            self.sum.d.next = self.crc1.after.val();
            self.to_sum.d.next = self.to_sum.q.val() >> 8;
            self.to_sum_count.d.next = self.to_sum_count.q.val() - 1;
            if self.to_sum_count.q.val() == 1 {
                self.state.d.next = 3.into();
            }
        }
        if (self.state.q.val() == 3) && self.room.val() {
            self.data.next = self.left.q.val() | self.fcs_up.val();
            self.emit.next = true;
            self.state.d.next = 4.into();
        }
        if (self.state.q.val() == 4) && self.room.val() {
            self.data.next = self.fcs_down.val();
            self.tag.next = bit_cast::<4, 2>(self.left_count.q.val()) + 7;
            if self.left_count.q.val() == 0 {
                self.data.next = self.fcs.val();
                self.tag.next = 11.into();
            }
            self.emit.next = true;
            self.ends.next = true;
        }
        if (self.state.q.val() == 5) && self.take.val() && self.stream.tlast.val() {
            self.ends.next = true;
        }

        // Into the queue, which does not take it all before `start` words or the end of the frame.
        self.tag_wide.next = bit_cast::<36, 4>(self.tag.val()) << 32;
        self.out_word.d.next = self.tag_wide.val() | bit_cast::<36, 32>(self.data.val());
        self.out_push.d.next = self.emit.val();
        self.out_commit.d.next = self.ends.val() || (self.emit.val() && (self.pushed.q.val() >= self.start.val()));
        if self.emit.val() && (self.pushed.q.val() != 4095) {
            self.pushed.d.next = self.pushed.q.val() + 1;
        }
        self.pushed_bytes.next = bit_cast::<14, 12>(self.pushed.q.val()) << 2;
        self.bytes_pulse.d.next = self.pushed_bytes.val() + 4;
        if self.left_count.q.val() != 0 {
            self.bytes_pulse.d.next = self.pushed_bytes.val() + bit_cast::<14, 2>(self.left_count.q.val());
        }
        self.frame_pulse.d.next = self.ends.val() && (self.state.q.val() == 4);
        self.dropped_pulse.d.next = false;
        if self.ends.val() {
            self.state.d.next = 0.into();
            self.sum.d.next = 0xFFFFFFFFu64.into();
            self.index.d.next = 0.into();
            self.pushed.d.next = 0.into();
            self.begun.d.next = false;
        }
        if self.stop.val() && self.begun.q.val() && (self.state.q.val() != 5) {
            // What was pushed is gone. If the stream has given the frame's last word, nothing is left to
            // drop.
            self.out_push.d.next = false;
            self.frame_pulse.d.next = false;
            self.dropped_pulse.d.next = true;
            self.state.d.next = 5.into();
            if self.state.q.val() != 0 {
                self.state.d.next = 0.into();
                self.sum.d.next = 0xFFFFFFFFu64.into();
                self.index.d.next = 0.into();
                self.pushed.d.next = 0.into();
                self.begun.d.next = false;
            }
        }

        self.word.next = self.out_word.q.val();
        self.push.next = self.out_push.q.val();
        self.commit.next = self.out_commit.q.val();
        self.st_frame.next = self.frame_pulse.q.val();
        self.st_bytes.next = self.bytes_pulse.q.val();
        self.st_dropped.next = self.dropped_pulse.q.val();
    }
}

//! The merger: makes one byte stream of words of which any part may count.
//!
//! Each input word brings the bytes that its tag names; they are appended to what is left of the words
//! before, and go out four at a time. A frame's last word may leave bytes for one more word, which goes
//! out in the next cycle: the sender brings no word then. Any header length and any payload address thus come
//! out aligned.
//!
//! Core clock, synchronous reset. One word a cycle, latency three cycles, no backpressure. Verified in
//! `cosim/tests/tx`.

use super::records::OutWord;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Byte rotator and joiner. The inputs named `tag_` are those of [`super::sender::Sender`].
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Merger {
    pub cr: Cr,
    pub tag_valid: Signal<In, Bit>,
    pub tag_header: Signal<In, Bit>,
    pub tag_inject: Signal<In, Bit>,
    pub tag_last: Signal<In, Bit>,
    pub tag_lane: Signal<In, Bits<2>>,
    pub tag_count: Signal<In, Bits<3>>,
    pub tag_mask: Signal<In, Bits<4>>,
    pub tag_patch: Signal<In, Bits<32>>,
    pub header: Signal<In, Bits<32>>,
    pub payload: Signal<In, Bits<32>>,
    pub word: Signal<Out, OutWord>,
    pub valid: Signal<Out, Bit>,

    /// Stage 1: the word as it came from its memory, which takes its time, with the patch in place.
    patched: Reg<Bits<32>>,
    patched_valid: Reg<Bit>,
    patched_last: Reg<Bit>,
    patched_inject: Reg<Bit>,
    patched_lane: Reg<Bits<2>>,
    patched_count: Reg<Bits<3>>,
    /// Stage 2: the word's bytes that count, low, and nothing above them.
    bytes: Reg<Bits<32>>,
    count: Reg<Bits<3>>,
    bytes_valid: Reg<Bit>,
    bytes_last: Reg<Bit>,
    bytes_inject: Reg<Bit>,
    /// Bytes that wait for a full word.
    left: Reg<Bits<24>>,
    left_count: Reg<Bits<2>>,
    /// They are the end of their frame.
    flush: Reg<Bit>,
    out_data: Reg<Bits<32>>,
    out_keep: Reg<Bits<4>>,
    out_last: Reg<Bit>,
    out_inject: Reg<Bit>,
    out_valid: Reg<Bit>,

    raw: Signal<Local, Bits<32>>,
    lanes: Signal<Local, Bits<32>>,
    picked: Signal<Local, Bits<32>>,
    shifted: Signal<Local, Bits<32>>,
    joined: Signal<Local, Bits<56>>,
    total: Signal<Local, Bits<3>>,
    keep_count: Signal<Local, Bits<3>>,
}

module! {
    impl [] Logic for Merger;
    regs: patched, patched_valid, patched_last, patched_inject, patched_lane, patched_count, bytes, count, bytes_valid,
        bytes_last, bytes_inject, left, left_count, flush, out_data, out_keep, out_last,
        out_inject, out_valid;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.patched_valid.d.next = self.tag_valid.val();
        self.raw.next = self.payload.val();
        self.lanes.next = 0.into();
        self.picked.next = 0.into();
        self.shifted.next = 0.into();
        if self.tag_valid.val() {
            if self.tag_header.val() {
                self.raw.next = self.header.val();
            }
            self.picked.next = self.raw.val();
            if self.tag_mask.val().any() {
                if self.tag_mask.val().get_bit(0) {
                    self.lanes.next = 0xFF.into();
                }
                if self.tag_mask.val().get_bit(1) {
                    self.lanes.next = self.lanes.val() | 0xFF00;
                }
                if self.tag_mask.val().get_bit(2) {
                    self.lanes.next = self.lanes.val() | 0xFF0000;
                }
                if self.tag_mask.val().get_bit(3) {
                    self.lanes.next = self.lanes.val() | 0xFF000000u64;
                }
                self.picked.next =
                    (self.raw.val() & (!self.lanes.val())) | (self.tag_patch.val() & self.lanes.val());
            }
            self.patched.d.next = self.picked.val();
            self.patched_lane.d.next = self.tag_lane.val();
            self.patched_count.d.next = self.tag_count.val();
            self.patched_last.d.next = self.tag_last.val();
            self.patched_inject.d.next = self.tag_inject.val();
        }
        self.bytes_valid.d.next = self.patched_valid.q.val();
        if self.patched_valid.q.val() {
            self.shifted.next = self.patched.q.val() >> (bit_cast::<5, 2>(self.patched_lane.q.val()) << 3);
            self.bytes.d.next = self.shifted.val();
            match self.patched_count.q.val().index() {
                1 => {
                    self.bytes.d.next = bit_cast::<32, 8>(self.shifted.val().get_bits::<8>(0));
                }
                2 => {
                    self.bytes.d.next = bit_cast::<32, 16>(self.shifted.val().get_bits::<16>(0));
                }
                3 => {
                    self.bytes.d.next = bit_cast::<32, 24>(self.shifted.val().get_bits::<24>(0));
                }
                _ => {}
            }
            self.count.d.next = self.patched_count.q.val();
            self.bytes_last.d.next = self.patched_last.q.val();
            self.bytes_inject.d.next = self.patched_inject.q.val();
        }

        self.joined.next = bit_cast::<56, 24>(self.left.q.val())
            | (bit_cast::<56, 32>(self.bytes.q.val()) << (bit_cast::<5, 2>(self.left_count.q.val()) << 3));
        self.total.next = self.count.q.val() + bit_cast::<3, 2>(self.left_count.q.val());
        self.keep_count.next = self.total.val();
        self.out_valid.d.next = false;
        self.flush.d.next = false;
        self.out_last.d.next = false;
        if self.flush.q.val() {
            self.keep_count.next = bit_cast::<3, 2>(self.left_count.q.val());
            self.out_valid.d.next = true;
            self.out_last.d.next = true;
            self.left.d.next = 0.into();
            self.left_count.d.next = 0.into();
        } else if self.bytes_valid.q.val() {
            if self.total.val() >= 4 {
                self.out_valid.d.next = true;
                self.left.d.next = self.joined.val().get_bits::<24>(32);
                self.left_count.d.next = self.total.val().get_bits::<2>(0);
                self.flush.d.next = self.bytes_last.q.val() && (self.total.val() != 4);
                self.out_last.d.next = self.bytes_last.q.val() && (self.total.val() == 4);
            } else {
                self.left.d.next = self.joined.val().get_bits::<24>(0);
                self.left_count.d.next = self.total.val().get_bits::<2>(0);
                if self.bytes_last.q.val() {
                    self.out_valid.d.next = true;
                    self.out_last.d.next = true;
                    self.left.d.next = 0.into();
                    self.left_count.d.next = 0.into();
                }
            }
        }
        self.out_data.d.next = self.joined.val().get_bits::<32>(0);
        self.out_inject.d.next = self.bytes_inject.q.val();
        match self.keep_count.val().index() {
            1 => {
                self.out_keep.d.next = 1.into();
            }
            2 => {
                self.out_keep.d.next = 3.into();
            }
            3 => {
                self.out_keep.d.next = 7.into();
            }
            _ => {
                self.out_keep.d.next = 15.into();
            }
        }
        self.word.next.data = self.out_data.q.val();
        self.word.next.keep = self.out_keep.q.val();
        self.word.next.last = self.out_last.q.val();
        self.word.next.inject = self.out_inject.q.val();
        self.valid.next = self.out_valid.q.val();
    }
}

//! The sender: reads a frame's header and payload, a word a cycle, and says what to do with each word.
//!
//! For each word that it has read it gives a [`Tag`] in the next cycle, together with the word itself: which
//! bytes of it belong to the frame, and which are replaced by a checksum. One cycle after a frame's last word is
//! free of words, for the last bytes that the merger may hold. It reads while `room` says that the output
//! takes what is on its way, and frees payload memory as it reads.
//!
//! Core clock, synchronous reset. Two cycles a frame more than it has words. A dropped frame takes one.
//! Verified in `cosim/tests/tx.rs`.

use super::records::{Ready, Tag};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Reader of the header and payload memories.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Sender {
    pub cr: Cr,
    pub ready: Signal<In, Ready>,
    pub ready_valid: Signal<In, Bit>,
    pub ready_take: Signal<Out, Bit>,
    pub room: Signal<In, Bit>,
    pub header_addr: Signal<Out, Bits<7>>,
    pub payload_addr: Signal<Out, Bits<10>>,
    /// Where it reads next in the payload memory.
    pub read_index: Signal<Out, Bits<11>>,
    pub tag: Signal<Out, Tag>,
    /// Pulse: a header slot is free again.
    pub freed: Signal<Out, Bit>,
    /// Pulse: a host frame, or a segment, went to the output.
    pub sent_host: Signal<Out, Bit>,
    pub sent_segment: Signal<Out, Bit>,

    /// 0 waits, 1 reads the header, 2 the payload, 3 ends the frame.
    state: Reg<Bits<2>>,
    slot: Reg<Bits<2>>,
    position: Reg<Bits<11>>,
    index: Reg<Bits<9>>,
    /// The checksum's second byte opens the next word.
    straddle: Reg<Bit>,
    out: Reg<Tag>,
    host_pulse: Reg<Bit>,
    segment_pulse: Reg<Bit>,

    header: Signal<Local, Bits<8>>,
    header_bytes: Signal<Local, Bits<8>>,
    header_last: Signal<Local, Bits<9>>,
    header_end: Signal<Local, Bits<2>>,
    header_is_last: Signal<Local, Bit>,
    patch: Signal<Local, Bits<11>>,
    patch_here: Signal<Local, Bit>,
    payload_last: Signal<Local, Bits<9>>,
    payload_is_last: Signal<Local, Bit>,
    stop: Signal<Local, Bits<3>>,
    lane: Signal<Local, Bits<2>>,
    sum: Signal<Local, Bits<16>>,
    wide_sum: Signal<Local, Bits<32>>,
}

module! {
    impl [] Logic for Sender;
    regs: state, slot, position, index, straddle, out, host_pulse, segment_pulse;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.header.next = self.ready.val().header;
        self.header_bytes.next = self.header.val() - 1;
        self.header_last.next = bit_cast::<9, 6>(self.header_bytes.val().get_bits::<6>(2));
        self.header_is_last.next = self.index.q.val() == self.header_last.val();
        self.header_end.next = self.header.val().get_bits::<2>(0);
        self.payload_last.next = self.ready.val().words - 1;
        self.payload_is_last.next = self.index.q.val() == self.payload_last.val();
        self.patch.next = self.ready.val().patch;
        self.patch_here.next = (self.index.q.val() == self.patch.val().get_bits::<9>(2))
            && self.ready.val().host
            && self.ready.val().checksum;
        self.sum.next = self.ready.val().sum;
        self.wide_sum.next = bit_cast::<32, 16>(self.sum.val());

        self.header_addr.next =
            (bit_cast::<7, 2>(self.slot.q.val()) << 5) | bit_cast::<7, 5>(self.index.q.val().get_bits::<5>(0));
        self.payload_addr.next = self.position.q.val().get_bits::<10>(0);
        self.read_index.next = self.position.q.val();

        self.lane.next = 0.into();
        self.stop.next = 4.into();
        self.ready_take.next = false;
        self.freed.next = false;
        self.host_pulse.d.next = false;
        self.segment_pulse.d.next = false;
        self.out.d.next.valid = false;
        self.out.d.next.header = self.state.q.val() == 1;
        self.out.d.next.inject = self.ready.val().inject;
        self.out.d.next.last = false;
        self.out.d.next.patch_mask = 0.into();
        self.out.d.next.patch = self.wide_sum.val();
        match self.state.q.val().index() {
            0 => {
                self.index.d.next = 0.into();
                self.straddle.d.next = false;
                if self.ready_valid.val() {
                    if self.ready.val().drop {
                        self.ready_take.next = true;
                        self.freed.next = !self.ready.val().host;
                        self.position.d.next =
                            self.position.q.val() + bit_cast::<11, 9>(self.ready.val().words);
                        if !self.ready.val().host {
                            self.slot.d.next = self.slot.q.val() + 1;
                        }
                    } else if self.ready.val().host {
                        self.state.d.next = 2.into();
                    } else {
                        self.state.d.next = 1.into();
                    }
                }
            }
            1 => {
                if self.index.q.val() == 0 {
                    // The padding.
                    self.lane.next = 2.into();
                }
                if (self.index.q.val() == 6) && self.ready.val().ip_checksum {
                    self.out.d.next.patch_mask = 12.into();
                    self.out.d.next.patch = bit_cast::<32, 16>(self.ready.val().ip) << 16;
                }
                if (self.index.q.val() == 13) && self.ready.val().checksum {
                    self.out.d.next.patch_mask = 3.into();
                }
                if self.header_is_last.val() && (self.header_end.val() != 0) {
                    self.stop.next = bit_cast::<3, 2>(self.header_end.val());
                }
                if self.room.val() {
                    self.out.d.next.valid = true;
                    self.index.d.next = self.index.q.val() + 1;
                    if self.header_is_last.val() {
                        self.index.d.next = 0.into();
                        self.state.d.next = 2.into();
                        if self.ready.val().words == 0 {
                            self.out.d.next.last = true;
                            self.state.d.next = 3.into();
                        }
                    }
                }
            }
            2 => {
                if self.index.q.val() == 0 {
                    self.lane.next = self.ready.val().lane;
                }
                if self.payload_is_last.val() && (self.ready.val().end != 0) {
                    self.stop.next = bit_cast::<3, 2>(self.ready.val().end);
                }
                if self.straddle.q.val() {
                    self.out.d.next.patch_mask = 1.into();
                    self.out.d.next.patch = self.wide_sum.val() >> 8;
                }
                if self.patch_here.val() {
                    match self.patch.val().get_bits::<2>(0).index() {
                        0 => {
                            self.out.d.next.patch_mask = 3.into();
                        }
                        1 => {
                            self.out.d.next.patch_mask = 6.into();
                            self.out.d.next.patch = self.wide_sum.val() << 8;
                        }
                        2 => {
                            self.out.d.next.patch_mask = 12.into();
                            self.out.d.next.patch = self.wide_sum.val() << 16;
                        }
                        _ => {
                            self.out.d.next.patch_mask = 8.into();
                            self.out.d.next.patch = self.wide_sum.val() << 24;
                        }
                    }
                }
                if self.room.val() {
                    self.out.d.next.valid = true;
                    self.index.d.next = self.index.q.val() + 1;
                    self.position.d.next = self.position.q.val() + 1;
                    self.straddle.d.next = self.patch_here.val()
                        && self.patch.val().get_bit(0)
                        && self.patch.val().get_bit(1);
                    if self.payload_is_last.val() {
                        self.out.d.next.last = true;
                        self.state.d.next = 3.into();
                    }
                }
            }
            _ => {
                self.ready_take.next = true;
                self.host_pulse.d.next = self.ready.val().host;
                self.segment_pulse.d.next = !self.ready.val().host;
                self.freed.next = !self.ready.val().host;
                if !self.ready.val().host {
                    self.slot.d.next = self.slot.q.val() + 1;
                }
                self.state.d.next = 0.into();
            }
        }
        self.out.d.next.lane = self.lane.val();
        self.out.d.next.count = self.stop.val() - bit_cast::<3, 2>(self.lane.val());
        self.tag.next = self.out.q.val();
        self.sent_host.next = self.host_pulse.q.val();
        self.sent_segment.next = self.segment_pulse.q.val();
    }
}

//! The sender: reads a frame's header and payload, a word a cycle, and says what to do with each word.
//!
//! For each word that it has read it says in the next cycle, when the word itself is there, which bytes of it
//! belong to the frame, and which are replaced by those of the patch memory. One cycle after a frame's last word
//! is free of words, for the last bytes that the merger may hold. It reads while `room` says that the output
//! takes what is on its way, and frees payload memory as it reads. The slot of a burst is free when its last
//! segment has gone, or was dropped.
//!
//! A VLAN tag goes in behind the addresses: their last word is read three times.
//!
//! Core clock, synchronous reset. Two cycles a frame more than it has words, and two more with a tag. A dropped frame takes one.
//! Verified in `cosim/tests/tx`.

use super::records::Ready;
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
    /// Host [7], slot [6:5], word [4:0].
    pub header_addr: Signal<Out, Bits<8>>,
    pub payload_addr: Signal<Out, Bits<12>>,
    /// Frame and word of the patch memory, which answers at once.
    pub patch_addr: Signal<Out, Bits<3>>,
    pub patch: Signal<In, Bits<32>>,
    /// Connection of the slot in `header_addr`, at once.
    pub conn: Signal<In, Bits<16>>,
    /// Where it reads next in the payload memory.
    pub read_index: Signal<Out, Bits<13>>,

    /// What is done with the word that is being read.
    pub word_valid: Signal<Out, Bit>,
    /// It comes from a header slot.
    pub word_header: Signal<Out, Bit>,
    pub word_inject: Signal<Out, Bit>,
    /// The frame ends with it.
    pub word_last: Signal<Out, Bit>,
    /// First byte lane used, and bytes used, 1 to 4.
    pub word_lane: Signal<Out, Bits<2>>,
    pub word_count: Signal<Out, Bits<3>>,
    /// Byte lanes replaced by those of `word_patch`.
    pub word_mask: Signal<Out, Bits<4>>,
    pub word_patch: Signal<Out, Bits<32>>,

    /// Pulses: a slot of the firmware, or of the host, is free again.
    pub freed: Signal<Out, Bit>,
    pub host_freed: Signal<Out, Bit>,
    /// Pulse: a frame of the host went to the output.
    pub sent_host: Signal<Out, Bit>,
    /// Pulse: a segment of the firmware did, for this connection, with so many bytes of payload.
    pub sent_valid: Signal<Out, Bit>,
    pub sent_conn: Signal<Out, Bits<16>>,
    pub sent_bytes: Signal<Out, Bits<16>>,
    /// Pulse: a burst of the firmware, for the connection `sent_conn`, ends here: refused or abandoned.
    pub lost: Signal<Out, Bit>,

    /// 0 waits, 1 reads the header, 2 the payload, 3 ends the frame.
    state: Reg<Bits<2>>,
    turn: Reg<Bit>,
    /// Word 3 of a header goes in two halves with the VLAN tag between them: which of the three is next.
    part: Reg<Bits<2>>,
    position: Reg<Bits<13>>,
    index: Reg<Bits<12>>,
    /// The checksum's second byte opens the next word.
    straddle: Reg<Bit>,
    valid: Reg<Bit>,
    header: Reg<Bit>,
    inject: Reg<Bit>,
    last: Reg<Bit>,
    lane: Reg<Bits<2>>,
    count: Reg<Bits<3>>,
    mask: Reg<Bits<4>>,
    replacement: Reg<Bits<32>>,
    host_pulse: Reg<Bit>,
    sent_pulse: Reg<Bit>,
    lost_pulse: Reg<Bit>,
    owner: Reg<Bits<16>>,
    bytes: Reg<Bits<16>>,

    header_last: Signal<Local, Bits<5>>,
    header_is_last: Signal<Local, Bit>,
    place: Signal<Local, Bits<14>>,
    patch_here: Signal<Local, Bit>,
    payload_last: Signal<Local, Bits<12>>,
    payload_is_last: Signal<Local, Bit>,
    /// Of a payload from two places: the last word from the first of them.
    cut_last: Signal<Local, Bits<12>>,
    stop: Signal<Local, Bits<3>>,
    start: Signal<Local, Bits<2>>,
    sum: Signal<Local, Bits<32>>,
    tag: Signal<Local, Bits<32>>,
    patch_word: Signal<Local, Bits<2>>,
    slot_done: Signal<Local, Bit>,
    /// Which word of a header of IPv4 the one in hand is like; 1 for one that is sent as it is.
    kind: Signal<Local, Bits<5>>,
}

module! {
    impl [] Logic for Sender;
    regs: state, turn, part, position, index, straddle, valid, header, inject, last, lane, count, mask, replacement,
        host_pulse, sent_pulse, lost_pulse, owner, bytes;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.header_last.next = self.ready.val().header - 1;
        self.header_is_last.next = self.index.q.val().get_bits::<5>(0) == self.header_last.val();
        self.payload_last.next = self.ready.val().words - 1;
        self.payload_is_last.next = self.index.q.val() == self.payload_last.val();
        self.cut_last.next = self.ready.val().cut - 1;
        self.place.next = self.ready.val().place;
        self.patch_here.next = (self.index.q.val() == self.place.val().get_bits::<12>(2))
            && self.ready.val().plain
            && self.ready.val().checksum;
        self.sum.next = bit_cast::<32, 16>(self.patch.val().get_bits::<16>(0));
        // EtherType 0x8100 and the control information.
        self.tag.next = (bit_cast::<32, 16>(self.ready.val().vlan) << 16) | 0x81;

        self.header_addr.next = (bit_cast::<8, 1>(self.ready.val().host.into()) << 7)
            | (bit_cast::<8, 2>(self.ready.val().slot) << 5)
            | bit_cast::<8, 5>(self.index.q.val().get_bits::<5>(0));
        self.payload_addr.next = self.position.q.val().get_bits::<12>(0);
        self.read_index.next = self.position.q.val();
        // Which patch word holds the bytes of this word; the checksum of a plain frame is in word 1.
        self.patch_word.next = 1.into();
        self.kind.next = self.index.q.val().get_bits::<5>(0);
        if self.ready.val().ipv6 {
            // The length lies where IPv4 has its identification.
            if self.index.q.val() >= 14 {
                self.kind.next = self.index.q.val().get_bits::<5>(0) - 5;
            } else if (self.index.q.val() != 0) && (self.index.q.val() != 5) {
                self.kind.next = 1.into();
            }
        }
        if self.state.q.val() == 1 {
            match self.kind.val().index() {
                4 => {
                    self.patch_word.next = 0.into();
                }
                5 => {
                    self.patch_word.next = 0.into();
                }
                10 => {
                    self.patch_word.next = 2.into();
                }
                12 => {
                    self.patch_word.next = 3.into();
                }
                _ => {}
            }
        }
        self.patch_addr.next =
            (bit_cast::<3, 1>(self.turn.q.val().into()) << 2) | bit_cast::<3, 2>(self.patch_word.val());

        self.start.next = 0.into();
        self.stop.next = 4.into();
        self.ready_take.next = false;
        self.slot_done.next = false;
        self.host_pulse.d.next = false;
        self.sent_pulse.d.next = false;
        self.lost_pulse.d.next = false;
        self.valid.d.next = false;
        match self.state.q.val().index() {
            0 => {
                self.index.d.next = 0.into();
                self.straddle.d.next = false;
                if self.ready_valid.val() {
                    self.owner.d.next = self.conn.val();
                    if self.ready.val().drop {
                        self.ready_take.next = true;
                        self.slot_done.next = self.ready.val().last;
                        self.lost_pulse.d.next = self.ready.val().lost;
                        self.position.d.next =
                            self.position.q.val() + bit_cast::<13, 12>(self.ready.val().words);
                    } else if self.ready.val().plain {
                        self.state.d.next = 2.into();
                    } else {
                        self.state.d.next = 1.into();
                    }
                }
            }
            1 => {
                if self.room.val() {
                    self.valid.d.next = true;
                    self.header.d.next = true;
                    self.last.d.next = false;
                    self.inject.d.next = false;
                    self.mask.d.next = 0.into();
                    self.replacement.d.next = self.patch.val();
                    match self.kind.val().index() {
                        0 => {
                            // The padding.
                            self.start.next = 2.into();
                        }
                        4 => {
                            self.mask.d.next = 12.into();
                        }
                        5 => {
                            self.mask.d.next = 3.into();
                        }
                        6 => {
                            self.mask.d.next = 12.into();
                        }
                        10 => {
                            self.mask.d.next = 15.into();
                        }
                        12 => {
                            self.mask.d.next = 2.into();
                        }
                        13 => {
                            self.mask.d.next = 3.into();
                        }
                        _ => {}
                    }
                    self.index.d.next = self.index.q.val() + 1;
                    if (self.index.q.val() == 3) && self.ready.val().vlan.any() {
                        self.part.d.next = self.part.q.val() + 1;
                        self.index.d.next = self.index.q.val();
                        match self.part.q.val().index() {
                            0 => {
                                self.stop.next = 2.into();
                            }
                            1 => {
                                self.mask.d.next = 15.into();
                                self.replacement.d.next = self.tag.val();
                            }
                            _ => {
                                self.start.next = 2.into();
                                self.part.d.next = 0.into();
                                self.index.d.next = self.index.q.val() + 1;
                            }
                        }
                    }
                    if self.header_is_last.val() {
                        self.index.d.next = 0.into();
                        self.state.d.next = 2.into();
                        if self.ready.val().words == 0 {
                            self.last.d.next = true;
                            self.state.d.next = 3.into();
                        }
                    }
                    self.lane.d.next = self.start.val();
                    self.count.d.next = self.stop.val() - bit_cast::<3, 2>(self.start.val());
                }
            }
            2 => {
                if self.room.val() {
                    self.valid.d.next = true;
                    self.header.d.next = false;
                    self.last.d.next = self.payload_is_last.val();
                    self.inject.d.next = self.ready.val().inject;
                    self.mask.d.next = 0.into();
                    if self.index.q.val() == 0 {
                        self.start.next = self.ready.val().lane;
                    } else if self.index.q.val() == self.ready.val().cut {
                        self.start.next = self.ready.val().cut_lane;
                    }
                    // No payload has so many words that the place before none were one of theirs.
                    if (self.index.q.val() == self.cut_last.val()) && (self.ready.val().cut_end != 0) {
                        self.stop.next = bit_cast::<3, 2>(self.ready.val().cut_end);
                    }
                    if self.payload_is_last.val() {
                        self.state.d.next = 3.into();
                        if self.ready.val().end != 0 {
                            self.stop.next = bit_cast::<3, 2>(self.ready.val().end);
                        }
                    }
                    if self.straddle.q.val() {
                        self.mask.d.next = 1.into();
                        self.replacement.d.next = self.sum.val() >> 8;
                    }
                    self.straddle.d.next = false;
                    if self.patch_here.val() {
                        match self.place.val().get_bits::<2>(0).index() {
                            0 => {
                                self.mask.d.next = 3.into();
                                self.replacement.d.next = self.sum.val();
                            }
                            1 => {
                                self.mask.d.next = 6.into();
                                self.replacement.d.next = self.sum.val() << 8;
                            }
                            2 => {
                                self.mask.d.next = 12.into();
                                self.replacement.d.next = self.sum.val() << 16;
                            }
                            _ => {
                                self.mask.d.next = 8.into();
                                self.replacement.d.next = self.sum.val() << 24;
                                self.straddle.d.next = true;
                            }
                        }
                    }
                    self.index.d.next = self.index.q.val() + 1;
                    self.position.d.next = self.position.q.val() + 1;
                    self.lane.d.next = self.start.val();
                    self.count.d.next = self.stop.val() - bit_cast::<3, 2>(self.start.val());
                }
            }
            _ => {
                self.ready_take.next = true;
                self.slot_done.next = self.ready.val().last;
                self.host_pulse.d.next = self.ready.val().host;
                self.sent_pulse.d.next = !self.ready.val().host;
                self.bytes.d.next = bit_cast::<16, 14>(self.place.val());
                self.state.d.next = 0.into();
            }
        }
        if self.ready_take.val() {
            self.turn.d.next = !self.turn.q.val();
        }
        self.freed.next = self.slot_done.val() && !self.ready.val().host;
        self.host_freed.next = self.slot_done.val() && self.ready.val().host && !self.ready.val().plain;

        self.word_valid.next = self.valid.q.val();
        self.word_header.next = self.header.q.val();
        self.word_inject.next = self.inject.q.val();
        self.word_last.next = self.last.q.val();
        self.word_lane.next = self.lane.q.val();
        self.word_count.next = self.count.q.val();
        self.word_mask.next = self.mask.q.val();
        self.word_patch.next = self.replacement.q.val();
        self.sent_host.next = self.host_pulse.q.val();
        self.sent_valid.next = self.sent_pulse.q.val();
        self.sent_conn.next = self.owner.q.val();
        self.sent_bytes.next = self.bytes.q.val();
        self.lost.next = self.lost_pulse.q.val();
    }
}

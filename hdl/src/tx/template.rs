//! The reader of templates: what all segments of a burst have in common, found in one pass over its header.
//!
//! It sums what stays the same in the IPv4 header, and in the TCP segment with its pseudo-header, and notes where
//! counting starts: sequence number, identification and flags. Lengths, checksums and those three
//! are left out of the sums, so it does not matter what lengths and checksums the template holds. A header that is
//! not Ethernet, IPv4 without options and unfragmented, and TCP of the length that was announced, is `bad`; with `ipv6`
//! it may be IPv6 without extension headers instead, which has neither identification nor a checksum of its own.
//!
//! Core clock, synchronous reset. A header of `n` words is done `n` + 3 cycles after `start`. Results
//! stand until the next start. Verified in `cosim/tests/tx`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Reads a header's padding, and the header from word 3 on, and sums it.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct TemplateReader {
    pub cr: Cr,
    pub start: Signal<In, Bit>,
    /// IPv6 is taken; steady.
    pub ipv6: Signal<In, Bit>,
    /// Words of the header with its padding; steady until `done`.
    pub words: Signal<In, Bits<5>>,
    /// The word at `index` is on `data` in the next cycle, first byte low.
    pub index: Signal<Out, Bits<5>>,
    pub data: Signal<In, Bits<32>>,
    pub done: Signal<Out, Bit>,
    pub bad: Signal<Out, Bit>,
    /// The header is one of IPv6.
    pub wide: Signal<Out, Bit>,
    /// Sums of half-words, first byte low, not folded.
    pub ip: Signal<Out, Bits<20>>,
    pub tcp: Signal<Out, Bits<22>>,
    pub seq: Signal<Out, Bits<32>>,
    pub identification: Signal<Out, Bits<16>>,
    pub flags: Signal<Out, Bits<8>>,
    /// What is in the padding: a VLAN tag's control information.
    pub vlan: Signal<Out, Bits<16>>,

    running: Reg<Bit>,
    position: Reg<Bits<5>>,
    complete: Reg<Bit>,
    /// Stage 1: the word is on `data`.
    came: Reg<Bit>,
    came_position: Reg<Bits<5>>,
    came_last: Reg<Bit>,
    /// Stage 2: it is in `word`.
    held: Reg<Bit>,
    held_position: Reg<Bits<5>>,
    held_last: Reg<Bit>,
    word: Reg<Bits<32>>,
    /// Stage 3: what counts of it.
    added: Reg<Bit>,
    added_last: Reg<Bit>,
    pair: Reg<Bits<17>>,
    to_ip: Reg<Bit>,
    to_tcp: Reg<Bit>,
    ip_sum: Reg<Bits<20>>,
    tcp_sum: Reg<Bits<22>>,
    seq_number: Reg<Bits<32>>,
    packet_id: Reg<Bits<16>>,
    control: Reg<Bits<8>>,
    tag: Reg<Bits<16>>,
    wrong: Reg<Bit>,
    is_wide: Reg<Bit>,

    closing: Signal<Local, Bits<5>>,
    low: Signal<Local, Bits<16>>,
    high: Signal<Local, Bits<16>>,
    expected: Signal<Local, Bits<5>>,
    /// Which word of a header of IPv4 it is like: addresses like address 7, and all that is behind as there.
    kind: Signal<Local, Bits<5>>,
}

module! {
    impl [] Logic for TemplateReader;
    regs: is_wide, running, position, complete, came, came_position, came_last, held, held_position, held_last, word, added,
        added_last, pair, to_ip, to_tcp, ip_sum, tcp_sum, seq_number, packet_id, control, tag, wrong;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.index.next = self.position.q.val();
        self.closing.next = self.words.val() - 1;
        self.came.d.next = self.running.q.val();
        self.held.d.next = self.came.q.val();
        self.added.d.next = self.held.q.val();
        if self.running.q.val() {
            self.came_position.d.next = self.position.q.val();
            self.came_last.d.next = false;
            self.position.d.next = self.position.q.val() + 1;
            if self.position.q.val() == 0 {
                self.position.d.next = 3.into();
            }
            if self.position.q.val() == self.closing.val() {
                self.came_last.d.next = true;
                self.running.d.next = false;
            }
        }
        if self.came.q.val() {
            self.word.d.next = self.data.val();
            self.held_position.d.next = self.came_position.q.val();
            self.held_last.d.next = self.came_last.q.val();
        }

        self.low.next = self.word.q.val().get_bits::<16>(0);
        self.high.next = self.word.q.val().get_bits::<16>(16);
        // The data offset counts the words of the TCP header, which starts at word 9.
        self.expected.next = bit_cast::<5, 4>(self.word.q.val().get_bits::<4>(4)) + 9;
        self.kind.next = self.held_position.q.val();
        if self.is_wide.q.val() {
            self.expected.next = bit_cast::<5, 4>(self.word.q.val().get_bits::<4>(4)) + 14;
            self.kind.next = 7.into();
            if self.held_position.q.val() >= 14 {
                self.kind.next = self.held_position.q.val() - 5;
            } else if self.held_position.q.val() < 6 {
                self.kind.next = self.held_position.q.val();
            }
        }
        if self.held.q.val() {
            self.added_last.d.next = self.held_last.q.val();
            self.to_ip.d.next = false;
            self.to_tcp.d.next = true;
            match self.kind.val().index() {
                0 => {
                    self.low.next = 0.into();
                    self.high.next = 0.into();
                    self.tag.d.next = self.word.q.val().get_bits::<16>(0);
                }
                3 => {
                    self.low.next = 0.into();
                    self.high.next = 0.into();
                    self.is_wide.d.next =
                        self.ipv6.val() && (self.word.q.val().get_bits::<16>(16) == 0xDD86);
                    if (self.word.q.val().get_bits::<16>(16) != 8)
                        && !(self.ipv6.val() && (self.word.q.val().get_bits::<16>(16) == 0xDD86))
                    {
                        self.wrong.d.next = true;
                    }
                }
                4 => {
                    self.to_ip.d.next = true;
                    self.to_tcp.d.next = false;
                    self.high.next = 0.into();
                    if self.is_wide.q.val() {
                        self.low.next = 0.into();
                        if self.word.q.val().get_bits::<4>(4) != 6 {
                            self.wrong.d.next = true;
                        }
                    } else if self.word.q.val().get_bits::<8>(0) != 0x45 {
                        self.wrong.d.next = true;
                    }
                }
                5 => {
                    self.to_ip.d.next = true;
                    self.to_tcp.d.next = false;
                    self.low.next = 0.into();
                    self.packet_id.d.next = (bit_cast::<16, 8>(self.word.q.val().get_bits::<8>(0)) << 8)
                        | bit_cast::<16, 8>(self.word.q.val().get_bits::<8>(8));
                    if self.is_wide.q.val() {
                        // Length and next header; the hop limit is in no sum.
                        self.high.next = 0.into();
                        if self.word.q.val().get_bits::<8>(16) != 6 {
                            self.wrong.d.next = true;
                        }
                    } else if self.word.q.val().get_bits::<6>(16).any()
                        || self.word.q.val().get_bits::<8>(24).any()
                    {
                        self.wrong.d.next = true;
                    }
                }
                6 => {
                    self.to_ip.d.next = true;
                    self.to_tcp.d.next = false;
                    self.high.next = 0.into();
                    if self.word.q.val().get_bits::<8>(8) != 6 {
                        self.wrong.d.next = true;
                    }
                }
                7 => {
                    self.to_ip.d.next = true;
                }
                8 => {
                    self.to_ip.d.next = true;
                }
                10 => {
                    self.low.next = 0.into();
                    self.high.next = 0.into();
                    self.seq_number.d.next = (bit_cast::<32, 8>(self.word.q.val().get_bits::<8>(0)) << 24)
                        | (bit_cast::<32, 8>(self.word.q.val().get_bits::<8>(8)) << 16)
                        | (bit_cast::<32, 8>(self.word.q.val().get_bits::<8>(16)) << 8)
                        | bit_cast::<32, 8>(self.word.q.val().get_bits::<8>(24));
                }
                12 => {
                    self.low.next = bit_cast::<16, 8>(self.word.q.val().get_bits::<8>(0));
                    self.control.d.next = self.word.q.val().get_bits::<8>(8);
                    if self.expected.val() != self.words.val() {
                        self.wrong.d.next = true;
                    }
                }
                13 => {
                    self.low.next = 0.into();
                }
                _ => {}
            }
            // Shorter than any header of TCP.
            if self.held_last.q.val() && (self.kind.val() < 13) {
                self.wrong.d.next = true;
            }
            self.pair.d.next = bit_cast::<17, 16>(self.low.val()) + bit_cast::<17, 16>(self.high.val());
        }

        if self.added.q.val() {
            if self.to_ip.q.val() {
                self.ip_sum.d.next = self.ip_sum.q.val() + bit_cast::<20, 17>(self.pair.q.val());
            }
            if self.to_tcp.q.val() {
                self.tcp_sum.d.next = self.tcp_sum.q.val() + bit_cast::<22, 17>(self.pair.q.val());
            }
            if self.added_last.q.val() {
                self.complete.d.next = true;
            }
        }

        if self.start.val() {
            self.running.d.next = true;
            self.complete.d.next = false;
            self.wrong.d.next = false;
            self.is_wide.d.next = false;
            self.position.d.next = 0.into();
            self.ip_sum.d.next = 0.into();
            // The pseudo-header's protocol number, TCP's.
            self.tcp_sum.d.next = 0x600.into();
        }
        self.done.next = self.complete.q.val();
        self.bad.next = self.wrong.q.val();
        self.wide.next = self.is_wide.q.val();
        self.ip.next = self.ip_sum.q.val();
        self.tcp.next = self.tcp_sum.q.val();
        self.seq.next = self.seq_number.q.val();
        self.identification.next = self.packet_id.q.val();
        self.flags.next = self.control.q.val();
        self.vlan.next = self.tag.q.val();
    }
}

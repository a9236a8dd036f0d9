//! The parser: reads the headers of Ethernet, IPv4 and TCP as the words of a stored frame pass by, and
//! judges.
//!
//! | frame | `bad` | `verified` | `candidate` |
//! | --- | --- | --- | --- |
//! | not IPv4 (VLAN tags included), IPv4 of another version | no | no | no |
//! | IPv4 with a bad header checksum, or with lengths that contradict each other or the frame's | yes | | |
//! | IPv4 fragment, IPv4 other than TCP | no | no | no |
//! | TCP with a bad checksum, or a data offset below 5 or past the end | yes | | |
//! | TCP with IP options | no | yes | no |
//! | other TCP | no | yes | yes |
//!
//! What follows the datagram in the frame (Ethernet padding) counts for nothing. Behind IP options the data
//! offset is not looked at; the host's stack does that.
//!
//! Core clock, synchronous reset. One word a cycle, no backpressure. `push` comes three cycles after the
//! `commit` of the staging memory, four after the frame's last word; a frame that is not committed is
//! forgotten. It relies on two facts: frames are at least four words (else they are not committed), and the
//! words of the next frame do not start before the cycle after the last word. Verified in
//! `cosim/tests/rx_path.rs`.

use super::checksum::Checksum;
use super::info::FrameFacts;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Header fields and verdict of each committed frame.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Parser {
    pub cr: Cr,
    pub word: Signal<In, Bits<32>>,
    pub valid: Signal<In, Bit>,
    pub last: Signal<In, Bit>,
    /// From the staging memory, one cycle after the last word.
    pub commit: Signal<In, Bit>,
    pub commit_len: Signal<In, Bits<14>>,
    /// The outputs are those of the next frame, for one cycle.
    pub push: Signal<Out, Bit>,
    pub facts: Signal<Out, FrameFacts>,
    /// Source and destination address of the IPv4 header.
    pub remote_ip: Signal<Out, Bits<32>>,
    pub local_ip: Signal<Out, Bits<32>>,
    /// Source port in the upper half, destination port in the lower.
    pub ports: Signal<Out, Bits<32>>,

    checksum: Checksum,
    /// Number of the next word, no further than 31.
    index: Reg<Bits<5>>,
    is_ip: Reg<Bit>,
    ihl: Reg<Bits<4>>,
    total_len: Reg<Bits<16>>,
    fragment: Reg<Bit>,
    is_tcp: Reg<Bit>,
    ecn: Reg<Bits<2>>,
    source_ip: Reg<Bits<32>>,
    dest_ip: Reg<Bits<32>>,
    port_pair: Reg<Bits<32>>,
    data_offset: Reg<Bits<4>>,
    /// Words of the IPv4 header that are still to come.
    header_left: Reg<Bits<4>>,
    /// Bytes of the datagram that are still to come.
    left: Reg<Bits<16>>,
    /// Bytes after the IPv4 header and after the TCP header, each with a borrow above it.
    segment_len: Reg<Bits<17>>,
    payload_len: Reg<Bits<17>>,
    /// The datagram is longer than the frame.
    cut: Reg<Bit>,
    commit1: Reg<Bit>,
    commit2: Reg<Bit>,
    commit3: Reg<Bit>,

    big: Signal<Local, Bits<32>>,
    kept: Signal<Local, Bits<32>>,
    in_datagram: Signal<Local, Bit>,
    pseudo: Signal<Local, Bits<32>>,
    header_bytes: Signal<Local, Bits<17>>,
    offset_bytes: Signal<Local, Bits<17>>,
    datagram_end: Signal<Local, Bits<17>>,
    unfragmented_tcp: Signal<Local, Bit>,
    plain_header: Signal<Local, Bit>,
    bad_ip: Signal<Local, Bit>,
    bad_tcp: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Parser;
    regs: index, is_ip, ihl, total_len, fragment, is_tcp, ecn, source_ip, dest_ip, port_pair, data_offset,
        header_left, left, segment_len, payload_len, cut, commit1, commit2, commit3;
    children: checksum;
    #[hdl_gen]
    fn update(&mut self) {
        // The word as a number, the first byte on the wire most significant.
        self.big.next = bit_cast::<32, 8>(self.word.val().get_bits::<8>(0)) << 24
            | bit_cast::<32, 8>(self.word.val().get_bits::<8>(8)) << 16
            | bit_cast::<32, 8>(self.word.val().get_bits::<8>(16)) << 8
            | bit_cast::<32, 8>(self.word.val().get_bits::<8>(24));

        if self.valid.val() {
            if self.last.val() {
                self.index.d.next = 0.into();
            } else if self.index.q.val() != 31 {
                self.index.d.next = self.index.q.val() + 1;
            }
        }

        // The fields. Word 3 forgets those of the frame before, which are in use until then.
        if self.valid.val() && (self.index.q.val() == 3) {
            self.is_ip.d.next = self.big.val().get_bits::<16>(0) == 0x0800;
            self.ihl.d.next = 0.into();
            self.total_len.d.next = 0.into();
            self.fragment.d.next = false;
            self.is_tcp.d.next = false;
            self.data_offset.d.next = 0.into();
        }
        if self.valid.val() && (self.index.q.val() == 4) {
            if self.big.val().get_bits::<4>(28) != 4 {
                self.is_ip.d.next = false;
            }
            self.ihl.d.next = self.big.val().get_bits::<4>(24);
            self.ecn.d.next = self.big.val().get_bits::<2>(16);
            self.total_len.d.next = self.big.val().get_bits::<16>(0);
        }
        if self.valid.val() && (self.index.q.val() == 5) {
            // More fragments, or a fragment offset.
            self.fragment.d.next = self.big.val().get_bits::<14>(0) != 0;
        }
        if self.valid.val() && (self.index.q.val() == 6) {
            self.is_tcp.d.next = self.big.val().get_bits::<8>(16) == 6;
        }
        if self.valid.val() && (self.index.q.val() == 7) {
            self.source_ip.d.next = self.big.val();
        }
        if self.valid.val() && (self.index.q.val() == 8) {
            self.dest_ip.d.next = self.big.val();
        }
        if self.valid.val() && (self.index.q.val() == 9) {
            self.port_pair.d.next = self.big.val();
        }
        if self.valid.val() && (self.index.q.val() == 12) {
            self.data_offset.d.next = self.big.val().get_bits::<4>(28);
        }

        // Which bytes belong to the datagram, and which words to its header.
        self.in_datagram.next = self.valid.val() && (self.index.q.val() > 4);
        if self.valid.val() && (self.index.q.val() == 4) {
            self.left.d.next = self.big.val().get_bits::<16>(0) - 4;
            self.header_left.d.next = self.big.val().get_bits::<4>(24) - 1;
        }
        if self.in_datagram.val() {
            self.left.d.next = self.left.q.val() - 4;
            if self.left.q.val() < 4 {
                self.left.d.next = 0.into();
            }
            if self.header_left.q.val() != 0 {
                self.header_left.d.next = self.header_left.q.val() - 1;
            }
        }
        self.kept.next = self.big.val();
        if self.left.q.val() == 0 {
            self.kept.next = 0.into();
        }
        if self.left.q.val() == 1 {
            self.kept.next = self.big.val() & 0xFF000000u64;
        }
        if self.left.q.val() == 2 {
            self.kept.next = self.big.val() & 0xFFFF0000u64;
        }
        if self.left.q.val() == 3 {
            self.kept.next = self.big.val() & 0xFFFFFF00u64;
        }

        // Sums. The pseudo-header's protocol and length enter in place of word 6, its addresses with words
        // 7 and 8.
        self.pseudo.next = bit_cast::<32, 16>(self.segment_len.q.val().get_bits::<16>(0)) | 0x60000;
        self.checksum.restart.next = self.valid.val() && (self.index.q.val() == 4);
        self.checksum.header.next = 0.into();
        if (self.valid.val() && (self.index.q.val() == 4))
            || (self.in_datagram.val() && (self.header_left.q.val() != 0))
        {
            self.checksum.header.next = self.big.val();
        }
        self.checksum.body.next = 0.into();
        if self.in_datagram.val() && (self.header_left.q.val() == 0) {
            self.checksum.body.next = self.kept.val();
        }
        if self.in_datagram.val() && (self.index.q.val() == 6) {
            self.checksum.body.next = self.pseudo.val();
        }
        if self.in_datagram.val() && ((self.index.q.val() == 7) || (self.index.q.val() == 8)) {
            self.checksum.body.next = self.big.val();
        }

        // Lengths follow their fields by one and two cycles, in time for the verdict.
        self.header_bytes.next = bit_cast::<17, 4>(self.ihl.q.val()) << 2;
        self.segment_len.d.next = bit_cast::<17, 16>(self.total_len.q.val()) - self.header_bytes.val();
        self.offset_bytes.next = bit_cast::<17, 4>(self.data_offset.q.val()) << 2;
        self.payload_len.d.next = self.segment_len.q.val() - self.offset_bytes.val();
        self.datagram_end.next = bit_cast::<17, 16>(self.total_len.q.val()) + 16;
        self.cut.d.next = self.datagram_end.val() > bit_cast::<17, 14>(self.commit_len.val());

        // The verdict, four cycles after the last word.
        self.commit1.d.next = self.commit.val();
        self.commit2.d.next = self.commit1.q.val();
        self.commit3.d.next = self.commit2.q.val();
        self.plain_header.next = self.ihl.q.val() == 5;
        self.unfragmented_tcp.next = self.is_ip.q.val() && self.is_tcp.q.val() && !self.fragment.q.val();
        self.bad_ip.next = self.is_ip.q.val()
            && ((self.ihl.q.val() < 5)
                || self.cut.q.val()
                || self.segment_len.q.val().get_bit(16)
                || !self.checksum.header_ok.val());
        self.bad_tcp.next = self.unfragmented_tcp.val()
            && (!self.checksum.body_ok.val()
                || (self.plain_header.val()
                    && ((self.data_offset.q.val() < 5) || self.payload_len.q.val().get_bit(16))));
        self.bad.next = self.bad_ip.val() || self.bad_tcp.val();

        self.facts.next.stored_len = self.commit_len.val();
        self.facts.next.payload_len = self.payload_len.q.val().get_bits::<14>(0);
        self.facts.next.data_offset = self.data_offset.q.val();
        self.facts.next.ecn = self.ecn.q.val();
        self.facts.next.bad = self.bad.val();
        self.facts.next.verified = self.unfragmented_tcp.val() && !self.bad.val();
        self.remote_ip.next = self.source_ip.q.val();
        self.local_ip.next = self.dest_ip.q.val();
        self.ports.next = self.port_pair.q.val();
        self.facts.next.candidate = self.unfragmented_tcp.val() && self.plain_header.val() && !self.bad.val();
        self.push.next = self.commit3.q.val();
    }
}

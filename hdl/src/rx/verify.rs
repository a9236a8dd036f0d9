//! The verifier: lengths and checksums of IP and TCP, whatever the P4 program says of a frame.
//!
//! | frame | `bad` | `verified` |
//! | --- | --- | --- |
//! | not IP, IP of another version | no | no |
//! | IPv4 with a bad header checksum, or with lengths that contradict each other or the frame's | yes | |
//! | IPv6 that is longer than the frame | yes | |
//! | IPv4 fragment, IPv4 other than TCP, IPv6 with extension headers or other than TCP | no | no |
//! | TCP with a bad checksum, or a data offset below 5 or past the end | yes | |
//! | other TCP | no | yes |
//!
//! Without `ipv6`, which is a constant of the P4 program, IPv6 is something else, and its logic is nothing.
//! One VLAN tag (EtherType 0x8100) is passed over, and so are IP options. What follows the datagram in the frame
//! (Ethernet padding) counts for nothing.
//!
//! Core clock, synchronous reset. One word a cycle, no backpressure. `push` comes three cycles after the
//! `commit` of the staging memory, four after the frame's last word; a frame that is not committed is
//! forgotten. It relies on two facts: frames are at least four words (else they are not committed), and the
//! words of the next frame do not start before the cycle after the last word. Verified in
//! `cosim/tests/rx_verify.rs`, and with the whole receive path in `cosim/tests/rx_path.rs`.

use super::checksum::Checksum;
use super::info::FrameFacts;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Verdict on each committed frame.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Verifier {
    pub cr: Cr,
    pub word: Signal<In, Bits<32>>,
    pub valid: Signal<In, Bit>,
    pub last: Signal<In, Bit>,
    /// IPv6 is verified too; steady.
    pub ipv6: Signal<In, Bit>,
    /// From the staging memory, one cycle after the last word.
    pub commit: Signal<In, Bit>,
    pub commit_len: Signal<In, Bits<14>>,
    /// The outputs are those of the next frame, for one cycle.
    pub push: Signal<Out, Bit>,
    pub facts: Signal<Out, FrameFacts>,

    checksum: Checksum,
    /// Number of the next word, a VLAN tag not counted, no further than 31.
    index: Reg<Bits<5>>,
    /// It is IP, and of which version.
    is_ip: Reg<Bit>,
    is_ipv6: Reg<Bit>,
    ihl: Reg<Bits<4>>,
    total_len: Reg<Bits<17>>,
    fragment: Reg<Bit>,
    is_tcp: Reg<Bit>,
    ecn: Reg<Bits<2>>,
    /// The word before had a tag's EtherType, and the frame has a tag.
    in_tag: Reg<Bit>,
    has_tag: Reg<Bit>,
    /// Number of the next word behind the IP header, no further than 7.
    segment_word: Reg<Bits<3>>,
    data_offset: Reg<Bits<4>>,
    /// Words of the IP header that are still to come.
    header_left: Reg<Bits<4>>,
    /// Bytes of the datagram that are still to come.
    left: Reg<Bits<16>>,
    /// Bytes after the IP header and after the TCP header, each with a borrow above it.
    segment_len: Reg<Bits<17>>,
    payload_len: Reg<Bits<17>>,
    /// The datagram is longer than the frame.
    cut: Reg<Bit>,
    commit1: Reg<Bit>,
    commit2: Reg<Bit>,
    commit3: Reg<Bit>,

    big: Signal<Local, Bits<32>>,
    version: Signal<Local, Bits<4>>,
    /// Length of an IPv6 datagram, when word 5 is there.
    length6: Signal<Local, Bits<17>>,
    /// What of it is behind word 5; wrong if there is more than any frame holds.
    behind6: Signal<Local, Bits<17>>,
    kept: Signal<Local, Bits<32>>,
    in_datagram: Signal<Local, Bit>,
    pseudo: Signal<Local, Bits<32>>,
    header_bytes: Signal<Local, Bits<17>>,
    offset_bytes: Signal<Local, Bits<17>>,
    datagram_end: Signal<Local, Bits<17>>,
    unfragmented_tcp: Signal<Local, Bit>,
    tag_follows: Signal<Local, Bit>,
    tag_bytes: Signal<Local, Bits<17>>,
    in_segment: Signal<Local, Bit>,
    first_word: Signal<Local, Bits<5>>,
    bad_ip: Signal<Local, Bit>,
    bad_tcp: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Verifier;
    regs: index, is_ip, is_ipv6, ihl, total_len, fragment, is_tcp, ecn, in_tag, has_tag, segment_word, data_offset,
        header_left, left, segment_len, payload_len, cut, commit1, commit2, commit3;
    children: checksum;
    #[hdl_gen]
    fn update(&mut self) {
        // The word as a number, the first byte on the wire most significant.
        self.big.next = bit_cast::<32, 8>(self.word.val().get_bits::<8>(0)) << 24
            | bit_cast::<32, 8>(self.word.val().get_bits::<8>(8)) << 16
            | bit_cast::<32, 8>(self.word.val().get_bits::<8>(16)) << 8
            | bit_cast::<32, 8>(self.word.val().get_bits::<8>(24));

        // A tag is another word 3.
        self.tag_follows.next = self.valid.val()
            && (self.index.q.val() == 3)
            && !self.in_tag.q.val()
            && (self.big.val().get_bits::<16>(0) == 0x8100);
        if self.valid.val() {
            self.in_tag.d.next = self.tag_follows.val() && !self.last.val();
            if self.index.q.val() == 3 {
                self.has_tag.d.next = self.in_tag.q.val();
            }
            if self.last.val() {
                self.index.d.next = 0.into();
            } else if (self.index.q.val() != 31) && !self.tag_follows.val() {
                self.index.d.next = self.index.q.val() + 1;
            }
        }

        self.version.next = 4.into();
        if self.is_ipv6.q.val() {
            self.version.next = 6.into();
        }
        self.length6.next = bit_cast::<17, 16>(self.big.val().get_bits::<16>(16)) + 40;
        self.behind6.next = bit_cast::<17, 16>(self.big.val().get_bits::<16>(16)) + 32;

        // The fields. Word 3 forgets those of the frame before, which are in use until then.
        if self.valid.val() && (self.index.q.val() == 3) {
            self.is_ipv6.d.next = self.ipv6.val() && (self.big.val().get_bits::<16>(0) == 0x86DD);
            self.is_ip.d.next = (self.big.val().get_bits::<16>(0) == 0x0800)
                || (self.ipv6.val() && (self.big.val().get_bits::<16>(0) == 0x86DD));
            self.ihl.d.next = 0.into();
            self.total_len.d.next = 0.into();
            self.fragment.d.next = false;
            self.is_tcp.d.next = false;
            self.data_offset.d.next = 0.into();
        }
        if self.valid.val() && (self.index.q.val() == 4) {
            if self.big.val().get_bits::<4>(28) != self.version.val() {
                self.is_ip.d.next = false;
            }
            self.ihl.d.next = self.big.val().get_bits::<4>(24);
            self.ecn.d.next = self.big.val().get_bits::<2>(16);
            self.total_len.d.next = bit_cast::<17, 16>(self.big.val().get_bits::<16>(0));
            if self.is_ipv6.q.val() {
                // A header of ten words. Of no length until word 5 tells it.
                self.ihl.d.next = 10.into();
                self.ecn.d.next = self.big.val().get_bits::<2>(20);
                self.total_len.d.next = 40.into();
            }
        }
        if self.valid.val() && (self.index.q.val() == 5) {
            // More fragments, or a fragment offset.
            self.fragment.d.next = self.big.val().get_bits::<14>(0) != 0;
            if self.is_ipv6.q.val() {
                self.fragment.d.next = false;
                self.total_len.d.next = self.length6.val();
                self.is_tcp.d.next = self.big.val().get_bits::<8>(8) == 6;
            }
        }
        if self.valid.val() && (self.index.q.val() == 6) && !self.is_ipv6.q.val() {
            self.is_tcp.d.next = self.big.val().get_bits::<8>(16) == 6;
        }
        if self.in_segment.val() && (self.segment_word.q.val() == 3) {
            self.data_offset.d.next = self.big.val().get_bits::<4>(28);
        }

        // Which bytes belong to the datagram, and which words to its header.
        self.in_datagram.next = self.valid.val() && (self.index.q.val() > 4);
        self.in_segment.next = self.in_datagram.val() && (self.header_left.q.val() == 0);
        if self.in_segment.val() && !self.segment_word.q.val().all() {
            self.segment_word.d.next = self.segment_word.q.val() + 1;
        }
        if self.valid.val() && (self.index.q.val() == 4) {
            self.segment_word.d.next = 0.into();
            self.left.d.next = self.big.val().get_bits::<16>(0) - 4;
            self.header_left.d.next = self.big.val().get_bits::<4>(24) - 1;
            if self.is_ipv6.q.val() {
                self.header_left.d.next = 9.into();
            }
        }
        if self.in_datagram.val() {
            self.left.d.next = self.left.q.val() - 4;
            if self.left.q.val() < 4 {
                self.left.d.next = 0.into();
            }
            if self.is_ipv6.q.val() && (self.index.q.val() == 5) {
                self.left.d.next = self.behind6.val().get_bits::<16>(0);
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
        // 7 and 8; with IPv6 they are word 5 and words 6 to 13. IPv6 has no sum of its own.
        self.pseudo.next = bit_cast::<32, 16>(self.segment_len.q.val().get_bits::<16>(0)) | 0x60000;
        self.checksum.restart.next = self.valid.val() && (self.index.q.val() == 4);
        self.checksum.header.next = 0.into();
        if (self.valid.val() && (self.index.q.val() == 4))
            || (self.in_datagram.val() && (self.header_left.q.val() != 0))
        {
            self.checksum.header.next = self.big.val();
        }
        self.checksum.body.next = 0.into();
        if self.in_segment.val() {
            self.checksum.body.next = self.kept.val();
        }
        if self.is_ipv6.q.val() {
            if self.in_datagram.val() && (self.index.q.val() == 5) {
                self.checksum.body.next = bit_cast::<32, 16>(self.big.val().get_bits::<16>(16)) | 0x60000;
            } else if self.in_datagram.val() && (self.header_left.q.val() != 0) {
                self.checksum.body.next = self.big.val();
            }
        } else if self.in_datagram.val() && (self.index.q.val() == 6) {
            self.checksum.body.next = self.pseudo.val();
        } else if self.in_datagram.val() && ((self.index.q.val() == 7) || (self.index.q.val() == 8)) {
            self.checksum.body.next = self.big.val();
        }

        // Lengths follow their fields by one and two cycles, in time for the verdict.
        self.header_bytes.next = bit_cast::<17, 4>(self.ihl.q.val()) << 2;
        self.segment_len.d.next = self.total_len.q.val() - self.header_bytes.val();
        self.offset_bytes.next = bit_cast::<17, 4>(self.data_offset.q.val()) << 2;
        self.payload_len.d.next = self.segment_len.q.val() - self.offset_bytes.val();
        self.tag_bytes.next = bit_cast::<17, 1>(self.has_tag.q.val().into()) << 2;
        self.datagram_end.next = self.total_len.q.val() + 16 + self.tag_bytes.val();
        self.cut.d.next = self.datagram_end.val() > bit_cast::<17, 14>(self.commit_len.val());

        // The verdict, four cycles after the last word.
        self.commit1.d.next = self.commit.val();
        self.commit2.d.next = self.commit1.q.val();
        self.commit3.d.next = self.commit2.q.val();
        self.unfragmented_tcp.next = self.is_ip.q.val() && self.is_tcp.q.val() && !self.fragment.q.val();
        self.bad_ip.next = self.is_ip.q.val()
            && ((self.ihl.q.val() < 5)
                || self.cut.q.val()
                || self.segment_len.q.val().get_bit(16)
                || (!self.checksum.header_ok.val() && !self.is_ipv6.q.val()));
        self.bad_tcp.next = self.unfragmented_tcp.val()
            && (!self.checksum.body_ok.val()
                || (self.data_offset.q.val() < 5)
                || self.payload_len.q.val().get_bit(16));
        self.bad.next = self.bad_ip.val() || self.bad_tcp.val();

        self.facts.next.stored_len = self.commit_len.val();
        self.facts.next.payload_len = self.payload_len.q.val().get_bits::<14>(0);
        self.facts.next.data_offset = self.data_offset.q.val();
        self.facts.next.ecn = self.ecn.q.val();
        self.facts.next.bad = self.bad.val();
        self.facts.next.verified = self.unfragmented_tcp.val() && !self.bad.val();
        self.first_word.next = bit_cast::<5, 4>(self.ihl.q.val()) + 4;
        self.facts.next.segment_word = self.first_word.val() + bit_cast::<5, 1>(self.has_tag.q.val().into());
        // The classifier's to say.
        self.facts.next.candidate = false;
        self.facts.next.carry = 0.into();
        self.push.next = self.commit3.q.val();
    }
}

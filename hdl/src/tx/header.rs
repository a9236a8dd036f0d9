//! Header staging: four headers of up to 128 bytes, written by the firmware, and their sums.
//!
//! The firmware writes the words of the current slot, most significant byte first, and pushes the segment
//! with `go`; the slot returns when `freed` says that the sender is through with it. Writes and pushes while
//! `ready` is low are ignored. Slots are used and released in order. The header is kept as it goes out, two bytes of
//! padding first, in two copies: one for the sender, one for the unit that sums it.
//!
//! Core clock, synchronous reset. Sums of a header take one cycle a word and six more, while the payload is
//! on its way. Verified in `cosim/tests/tx.rs`.

use super::records::{HeaderSums, Segment};
use crate::kit::{Cr, LutFifo, RamRw, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The four slots and the segments that wait for the planner.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct HeaderStage {
    pub cr: Cr,
    pub write: Signal<In, Bit>,
    pub index: Signal<In, Bits<5>>,
    pub data: Signal<In, Bits<32>>,
    pub go: Signal<In, Bit>,
    pub pushed: Signal<In, Segment>,
    pub ready: Signal<Out, Bit>,
    /// Every slot is free.
    pub idle: Signal<Out, Bit>,
    pub segment: Signal<Out, Segment>,
    pub segment_valid: Signal<Out, Bit>,
    pub segment_take: Signal<In, Bit>,
    pub sums: Signal<Out, HeaderSums>,
    pub sums_valid: Signal<Out, Bit>,
    pub sums_take: Signal<In, Bit>,
    /// Slot and word that the sender reads; the word follows in the next cycle, first byte low.
    pub read_addr: Signal<In, Bits<7>>,
    pub read_data: Signal<Out, Bits<32>>,
    pub freed: Signal<In, Bit>,

    out_copy: RamRw<32, 7>,
    sum_copy: RamRw<32, 7>,
    segments: LutFifo<Segment, 2, 3>,
    lengths: LutFifo<Bits<8>, 2, 3>,
    adder: HeaderSum,
    write_slot: Reg<Bits<2>>,
    used: Reg<Bits<3>>,
    free: Signal<Local, Bit>,
    push: Signal<Local, Bit>,
    addr: Signal<Local, Bits<7>>,
    swapped: Signal<Local, Bits<32>>,
}

module! {
    impl [] Logic for HeaderStage;
    regs: write_slot, used;
    children: out_copy, sum_copy, segments, lengths, adder;
    #[hdl_gen]
    fn update(&mut self) {
        self.free.next = !self.used.q.val().get_bit(2);
        self.ready.next = self.free.val();
        self.idle.next = self.used.q.val() == 0;
        self.push.next = self.free.val() && self.go.val();
        if self.push.val() {
            self.write_slot.d.next = self.write_slot.q.val() + 1;
        }
        if self.push.val() && !self.freed.val() {
            self.used.d.next = self.used.q.val() + 1;
        }
        if self.freed.val() && !self.push.val() {
            self.used.d.next = self.used.q.val() - 1;
        }

        self.addr.next = (bit_cast::<7, 2>(self.write_slot.q.val()) << 5) | bit_cast::<7, 5>(self.index.val());
        self.swapped.next = (bit_cast::<32, 8>(self.data.val().get_bits::<8>(0)) << 24)
            | (bit_cast::<32, 8>(self.data.val().get_bits::<8>(8)) << 16)
            | (bit_cast::<32, 8>(self.data.val().get_bits::<8>(16)) << 8)
            | bit_cast::<32, 8>(self.data.val().get_bits::<8>(24));
        self.out_copy.write_enable.next = self.write.val() && self.free.val();
        self.out_copy.write_addr.next = self.addr.val();
        self.out_copy.write_data.next = self.swapped.val();
        self.out_copy.read_addr.next = self.read_addr.val();
        self.read_data.next = self.out_copy.read_data.val();
        self.sum_copy.write_enable.next = self.write.val() && self.free.val();
        self.sum_copy.write_addr.next = self.addr.val();
        self.sum_copy.write_data.next = self.swapped.val();
        self.sum_copy.read_addr.next = self.adder.read_addr.val();
        self.adder.read_data.next = self.sum_copy.read_data.val();

        self.segments.push.next = self.push.val();
        self.segments.data.next = self.pushed.val();
        self.segments.pop.next = self.segment_take.val();
        self.segment.next = self.segments.head.val();
        self.segment_valid.next = self.segments.valid.val();

        self.lengths.push.next = self.push.val();
        self.lengths.data.next = self.pushed.val().header;
        self.lengths.pop.next = self.adder.take.val();
        self.adder.length.next = self.lengths.head.val();
        self.adder.valid.next = self.lengths.valid.val();
        self.sums.next = self.adder.sums.val();
        self.sums_valid.next = self.adder.sums_valid.val();
        self.adder.sums_take.next = self.sums_take.val();
    }
}

/// Sums the IPv4 header and what follows it, header after header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct HeaderSum {
    pub cr: Cr,
    /// Bytes of the next header, with the padding.
    pub length: Signal<In, Bits<8>>,
    pub valid: Signal<In, Bit>,
    pub take: Signal<Out, Bit>,
    pub read_addr: Signal<Out, Bits<7>>,
    pub read_data: Signal<In, Bits<32>>,
    pub sums: Signal<Out, HeaderSums>,
    pub sums_valid: Signal<Out, Bit>,
    pub sums_take: Signal<In, Bit>,

    results: LutFifo<HeaderSums, 2, 3>,
    /// 0 waits, 1 reads, 2 and 3 let the pipeline run out, 4 and 5 fold, 6 delivers.
    state: Reg<Bits<3>>,
    slot: Reg<Bits<2>>,
    index: Reg<Bits<7>>,
    /// The word on `read_data` is to be added; to which sum, and whether it is the last.
    reading: Reg<Bit>,
    reading_tcp: Reg<Bit>,
    reading_last: Reg<Bit>,
    pair: Reg<Bits<22>>,
    pair_tcp: Reg<Bit>,
    ip: Reg<Bits<22>>,
    tcp: Reg<Bits<22>>,
    bytes: Signal<Local, Bits<9>>,
    words: Signal<Local, Bits<7>>,
    following: Signal<Local, Bits<7>>,
    cut: Signal<Local, Bits<32>>,
    tail: Signal<Local, Bits<2>>,
}

module! {
    impl [] Logic for HeaderSum;
    regs: state, slot, index, reading, reading_tcp, reading_last, pair, pair_tcp, ip, tcp;
    children: results;
    #[hdl_gen]
    fn update(&mut self) {
        self.bytes.next = bit_cast::<9, 8>(self.length.val()) + 3;
        self.words.next = self.bytes.val().get_bits::<7>(2);
        self.tail.next = self.length.val().get_bits::<2>(0);
        self.read_addr.next =
            (bit_cast::<7, 2>(self.slot.q.val()) << 5) | bit_cast::<7, 5>(self.index.q.val().get_bits::<5>(0));

        // What a slot holds past the header's end is left from another one.
        self.cut.next = self.read_data.val();
        if self.reading_last.q.val() {
            match self.tail.val().index() {
                0 => {}
                1 => {
                    self.cut.next = bit_cast::<32, 8>(self.read_data.val().get_bits::<8>(0));
                }
                2 => {
                    self.cut.next = bit_cast::<32, 16>(self.read_data.val().get_bits::<16>(0));
                }
                _ => {
                    self.cut.next = bit_cast::<32, 24>(self.read_data.val().get_bits::<24>(0));
                }
            }
        }
        self.pair.d.next = 0.into();
        if self.reading.q.val() {
            self.pair.d.next = bit_cast::<22, 16>(self.cut.val().get_bits::<16>(0))
                + bit_cast::<22, 16>(self.cut.val().get_bits::<16>(16));
        }
        self.pair_tcp.d.next = self.reading_tcp.q.val();
        self.reading_tcp.d.next = self.index.q.val() >= 9;
        self.following.next = self.index.q.val() + 1;
        self.reading_last.d.next = self.following.val() == self.words.val();
        self.reading.d.next = (self.state.q.val() == 1) && (self.index.q.val() < self.words.val());

        if self.pair_tcp.q.val() {
            self.tcp.d.next = self.tcp.q.val() + self.pair.q.val();
        } else {
            self.ip.d.next = self.ip.q.val() + self.pair.q.val();
        }

        self.results.push.next = false;
        self.take.next = false;
        match self.state.q.val().index() {
            0 => {
                self.index.d.next = 4.into();
                self.ip.d.next = 0.into();
                self.tcp.d.next = 0.into();
                if self.valid.val() {
                    self.state.d.next = 1.into();
                }
            }
            1 => {
                self.index.d.next = self.index.q.val() + 1;
                if self.index.q.val() >= self.words.val() {
                    self.state.d.next = 2.into();
                }
            }
            2 => {
                self.state.d.next = 3.into();
            }
            3 => {
                self.state.d.next = 4.into();
            }
            6 => {
                if !self.results.full.val() {
                    self.results.push.next = true;
                    self.take.next = true;
                    self.slot.d.next = self.slot.q.val() + 1;
                    self.state.d.next = 0.into();
                }
            }
            _ => {
                self.ip.d.next = bit_cast::<22, 16>(self.ip.q.val().get_bits::<16>(0))
                    + bit_cast::<22, 6>(self.ip.q.val().get_bits::<6>(16));
                self.tcp.d.next = bit_cast::<22, 16>(self.tcp.q.val().get_bits::<16>(0))
                    + bit_cast::<22, 6>(self.tcp.q.val().get_bits::<6>(16));
                self.state.d.next = self.state.q.val() + 1;
            }
        }
        self.results.data.next.ip = self.ip.q.val().get_bits::<16>(0);
        self.results.data.next.tcp = self.tcp.q.val().get_bits::<16>(0);
        self.results.pop.next = self.sums_take.val();
        self.sums.next = self.results.head.val();
        self.sums_valid.next = self.results.valid.val();
    }
}

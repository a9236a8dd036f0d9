//! The AXI4 read master: four clients, bursts, several outstanding, in order.
//!
//! Clients speak the protocol of [`super::read_bus`]. Client 0 (transmit payload) goes first, but not twice in a row
//! while another waits, so that none starves; then client 2 (receive descriptors), 3 (commands) and 1 (transmit
//! descriptors). A request outside the registered ranges makes no access: its words are zero with `error`.
//!
//! Bursts end at multiples of 256 bytes, so they have at most 64 beats and never cross a 4 KiB boundary. Up to
//! 16 are outstanding. `rready` is high whenever a word is due, whatever the clients do.
//!
//! Core clock, synchronous reset. A request takes five cycles to its first `arvalid`, further bursts one cycle
//! each; from `rvalid` to the client one cycle. SLVERR and DECERR zero the beat and the stream goes on. One `dma_error`
//! pulse ends each request that was refused or failed, and `fault_addr` keeps the address of the first
//! burst that did. Verified in `cosim/tests/dma_read.rs`.

use super::{
    range::RangeCheck,
    read_bus::{Ranges, ReadDataSource, ReadRequest},
};
use crate::kit::{Cr, LutFifo, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// What is remembered of a burst until its words have come.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct BurstNote {
    /// Address of its first word, in words.
    pub addr: Bits<30>,
    /// Beats less one.
    pub beats: Bits<6>,
    pub client: Bits<2>,
    /// No access was made: the words are made up.
    pub refused: Bit,
    /// The last burst of its request.
    pub last: Bit,
}

/// The four clients' master.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct AxiReader {
    pub cr: Cr,
    pub ranges: Ranges,
    pub request0: ReadRequest,
    pub request1: ReadRequest,
    pub request2: ReadRequest,
    pub request3: ReadRequest,
    pub data0: ReadDataSource,
    pub data1: ReadDataSource,
    pub data2: ReadDataSource,
    pub data3: ReadDataSource,
    pub araddr: Signal<Out, Bits<32>>,
    pub arlen: Signal<Out, Bits<8>>,
    pub arvalid: Signal<Out, Bit>,
    pub arready: Signal<In, Bit>,
    pub rdata: Signal<In, Bits<32>>,
    pub rresp: Signal<In, Bits<2>>,
    pub rvalid: Signal<In, Bit>,
    pub rready: Signal<Out, Bit>,
    pub dma_error: Signal<Out, Bit>,
    pub fault_addr: Signal<Out, Bits<32>>,

    arbiter: ReadArbiter,
    issue: BurstIssue,
    collect: BurstCollect,
}

module! {
    impl [] Logic for AxiReader;
    regs: ;
    children: arbiter, issue, collect;
    #[hdl_gen]
    fn update(&mut self) {
        Ranges::link(&mut self.ranges, &mut self.issue.ranges);
        ReadRequest::link(&mut self.request0, &mut self.arbiter.request0);
        ReadRequest::link(&mut self.request1, &mut self.arbiter.request1);
        ReadRequest::link(&mut self.request2, &mut self.arbiter.request2);
        ReadRequest::link(&mut self.request3, &mut self.arbiter.request3);
        ReadDataSource::link(&mut self.data0, &mut self.collect.data0);
        ReadDataSource::link(&mut self.data1, &mut self.collect.data1);
        ReadDataSource::link(&mut self.data2, &mut self.collect.data2);
        ReadDataSource::link(&mut self.data3, &mut self.collect.data3);

        self.issue.addr.next = self.arbiter.addr.val();
        self.issue.length.next = self.arbiter.length.val();
        self.issue.client.next = self.arbiter.client.val();
        self.issue.valid.next = self.arbiter.valid.val();
        self.arbiter.ready.next = self.issue.ready.val();

        self.collect.note.next = self.issue.note.val();
        self.collect.note_push.next = self.issue.note_push.val();
        self.issue.note_full.next = self.collect.note_full.val();

        self.araddr.next = self.issue.araddr.val();
        self.arlen.next = self.issue.arlen.val();
        self.arvalid.next = self.issue.arvalid.val();
        self.issue.arready.next = self.arready.val();
        self.collect.rdata.next = self.rdata.val();
        self.collect.rresp.next = self.rresp.val();
        self.collect.rvalid.next = self.rvalid.val();
        self.rready.next = self.collect.rready.val();
        self.dma_error.next = self.collect.dma_error.val();
        self.fault_addr.next = self.collect.fault_addr.val();
    }
}

/// Takes one request at a time and holds it until `ready`. Every output comes from a register.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct ReadArbiter {
    pub cr: Cr,
    pub request0: ReadRequest,
    pub request1: ReadRequest,
    pub request2: ReadRequest,
    pub request3: ReadRequest,
    pub addr: Signal<Out, Bits<32>>,
    pub length: Signal<Out, Bits<16>>,
    pub client: Signal<Out, Bits<2>>,
    pub valid: Signal<Out, Bit>,
    pub ready: Signal<In, Bit>,

    held_addr: Reg<Bits<32>>,
    held_length: Reg<Bits<16>>,
    held_client: Reg<Bits<2>>,
    busy: Reg<Bit>,
    grant: Reg<Bits<4>>,
    payload_last: Reg<Bit>,
    rings: Signal<Local, Bit>,
    payload: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    pick: Signal<Local, Bits<2>>,
}

module! {
    impl [] Logic for ReadArbiter;
    regs: held_addr, held_length, held_client, busy, grant, payload_last;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.rings.next = self.request1.valid.val() || self.request2.valid.val() || self.request3.valid.val();
        self.payload.next = self.request0.valid.val() && (!self.payload_last.q.val() || !self.rings.val());
        self.pick.next = 1.into();
        if self.payload.val() {
            self.pick.next = 0.into();
        } else if self.request2.valid.val() {
            self.pick.next = 2.into();
        } else if self.request3.valid.val() {
            self.pick.next = 3.into();
        }
        self.take.next = !self.busy.q.val() && (self.payload.val() || self.rings.val());

        // The client sees its grant one cycle later, while the arbiter is busy with the request.
        self.grant.d.next = 0.into();
        if self.take.val() {
            self.busy.d.next = true;
            self.held_client.d.next = self.pick.val();
            self.payload_last.d.next = self.payload.val();
            match self.pick.val().index() {
                0 => {
                    self.held_addr.d.next = self.request0.addr.val();
                    self.held_length.d.next = self.request0.length.val();
                    self.grant.d.next = 1.into();
                }
                1 => {
                    self.held_addr.d.next = self.request1.addr.val();
                    self.held_length.d.next = self.request1.length.val();
                    self.grant.d.next = 2.into();
                }
                2 => {
                    self.held_addr.d.next = self.request2.addr.val();
                    self.held_length.d.next = self.request2.length.val();
                    self.grant.d.next = 4.into();
                }
                _ => {
                    self.held_addr.d.next = self.request3.addr.val();
                    self.held_length.d.next = self.request3.length.val();
                    self.grant.d.next = 8.into();
                }
            }
        } else if self.ready.val() {
            self.busy.d.next = false;
        }
        self.request0.ready.next = self.grant.q.val().get_bit(0);
        self.request1.ready.next = self.grant.q.val().get_bit(1);
        self.request2.ready.next = self.grant.q.val().get_bit(2);
        self.request3.ready.next = self.grant.q.val().get_bit(3);
        self.addr.next = self.held_addr.q.val();
        self.length.next = self.held_length.q.val();
        self.client.next = self.held_client.q.val();
        self.valid.next = self.busy.q.val();
    }
}

/// Checks a request and cuts it into bursts.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct BurstIssue {
    pub cr: Cr,
    pub ranges: Ranges,
    pub addr: Signal<In, Bits<32>>,
    pub length: Signal<In, Bits<16>>,
    pub client: Signal<In, Bits<2>>,
    pub valid: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
    pub note: Signal<Out, BurstNote>,
    pub note_push: Signal<Out, Bit>,
    pub note_full: Signal<In, Bit>,
    pub araddr: Signal<Out, Bits<32>>,
    pub arlen: Signal<Out, Bits<8>>,
    pub arvalid: Signal<Out, Bit>,
    pub arready: Signal<In, Bit>,

    range: RangeCheck,
    /// 0 waits, 1 and 2 while the ranges are compared, 3 issues bursts.
    state: Reg<Bits<2>>,
    word_addr: Reg<Bits<30>>,
    words: Reg<Bits<15>>,
    owner: Reg<Bits<2>>,
    refused: Reg<Bit>,
    ar_valid: Reg<Bit>,
    ar_addr: Reg<Bits<30>>,
    ar_beats: Reg<Bits<6>>,
    bytes: Signal<Local, Bits<17>>,
    room: Signal<Local, Bits<7>>,
    count: Signal<Local, Bits<7>>,
    beats: Signal<Local, Bits<7>>,
    final_burst: Signal<Local, Bit>,
    go: Signal<Local, Bit>,
}

module! {
    impl [] Logic for BurstIssue;
    regs: state, word_addr, words, owner, refused, ar_valid, ar_addr, ar_beats;
    children: range;
    #[hdl_gen]
    fn update(&mut self) {
        self.range.start.next = self.addr.val();
        self.range.length.next = self.length.val();
        self.range.base0.next = self.ranges.base0.val();
        self.range.base1.next = self.ranges.base1.val();
        self.range.base2.next = self.ranges.base2.val();
        self.range.base3.next = self.ranges.base3.val();
        self.range.limit0.next = self.ranges.limit0.val();
        self.range.limit1.next = self.ranges.limit1.val();
        self.range.limit2.next = self.ranges.limit2.val();
        self.range.limit3.next = self.ranges.limit3.val();

        // Bytes from the start of the first word to the end of the last, rounded up to words.
        self.bytes.next = bit_cast::<17, 16>(self.length.val())
            + bit_cast::<17, 2>(self.addr.val().get_bits::<2>(0)) + 3;

        self.room.next = bits::<7>(64) - bit_cast::<7, 6>(self.word_addr.q.val().get_bits::<6>(0));
        self.final_burst.next = self.words.q.val() <= bit_cast::<15, 7>(self.room.val());
        self.count.next = self.room.val();
        if self.final_burst.val() {
            self.count.next = self.words.q.val().get_bits::<7>(0);
        }
        self.beats.next = self.count.val() - 1;
        self.go.next = (self.state.q.val() == 3)
            && !self.note_full.val()
            && (self.refused.q.val() || !self.ar_valid.q.val() || self.arready.val());

        if self.arready.val() {
            self.ar_valid.d.next = false;
        }
        match self.state.q.val().index() {
            0 => {
                self.word_addr.d.next = self.addr.val().get_bits::<30>(2);
                self.words.d.next = self.bytes.val().get_bits::<15>(2);
                self.owner.d.next = self.client.val();
                if self.valid.val() {
                    self.state.d.next = 1.into();
                }
            }
            1 => {
                self.state.d.next = 2.into();
            }
            2 => {
                self.refused.d.next = !self.range.allowed.val();
                self.state.d.next = 3.into();
            }
            _ => {
                if self.go.val() {
                    self.word_addr.d.next = self.word_addr.q.val() + bit_cast::<30, 7>(self.count.val());
                    self.words.d.next = self.words.q.val() - bit_cast::<15, 7>(self.count.val());
                    self.ar_addr.d.next = self.word_addr.q.val();
                    self.ar_beats.d.next = self.beats.val().get_bits::<6>(0);
                    if !self.refused.q.val() {
                        self.ar_valid.d.next = true;
                    }
                    if self.final_burst.val() {
                        self.state.d.next = 0.into();
                    }
                }
            }
        }
        self.ready.next = self.state.q.val() == 2;
        self.note_push.next = self.go.val();
        self.note.next.addr = self.word_addr.q.val();
        self.note.next.beats = self.beats.val().get_bits::<6>(0);
        self.note.next.client = self.owner.q.val();
        self.note.next.refused = self.refused.q.val();
        self.note.next.last = self.final_burst.val();
        self.araddr.next = bit_cast::<32, 30>(self.ar_addr.q.val()) << 2;
        self.arlen.next = bit_cast::<8, 6>(self.ar_beats.q.val());
        self.arvalid.next = self.ar_valid.q.val();
    }
}

/// Gives each word to the client whose burst is due, and makes up the words of refused bursts.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct BurstCollect {
    pub cr: Cr,
    pub note: Signal<In, BurstNote>,
    pub note_push: Signal<In, Bit>,
    pub note_full: Signal<Out, Bit>,
    pub rdata: Signal<In, Bits<32>>,
    pub rresp: Signal<In, Bits<2>>,
    pub rvalid: Signal<In, Bit>,
    pub rready: Signal<Out, Bit>,
    pub data0: ReadDataSource,
    pub data1: ReadDataSource,
    pub data2: ReadDataSource,
    pub data3: ReadDataSource,
    pub dma_error: Signal<Out, Bit>,
    pub fault_addr: Signal<Out, Bits<32>>,

    notes: LutFifo<BurstNote, 4, 5>,
    beat: Reg<Bits<6>>,
    /// An earlier word of this request failed.
    failed: Reg<Bit>,
    fault: Reg<Bits<30>>,
    report: Reg<Bit>,
    data: Reg<Bits<32>>,
    error: Reg<Bit>,
    last: Reg<Bit>,
    valid: Reg<Bits<4>>,
    take: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    burst_end: Signal<Local, Bit>,
    request_end: Signal<Local, Bit>,
    lane: Signal<Local, Bits<4>>,
}

module! {
    impl [] Logic for BurstCollect;
    regs: beat, failed, fault, report, data, error, last, valid;
    children: notes;
    #[hdl_gen]
    fn update(&mut self) {
        self.notes.data.next = self.note.val();
        self.notes.push.next = self.note_push.val();
        self.note_full.next = self.notes.full.val();

        self.rready.next = self.notes.valid.val() && !self.notes.head.val().refused;
        self.take.next = self.notes.valid.val() && (self.notes.head.val().refused || self.rvalid.val());
        self.bad.next = self.notes.head.val().refused || self.rresp.val().get_bit(1);
        self.burst_end.next = self.beat.q.val() == self.notes.head.val().beats;
        self.request_end.next = self.burst_end.val() && self.notes.head.val().last;
        self.lane.next = bits::<4>(1) << self.notes.head.val().client;

        self.notes.pop.next = self.take.val() && self.burst_end.val();
        self.valid.d.next = 0.into();
        self.report.d.next = false;
        self.error.d.next = self.bad.val();
        self.last.d.next = self.request_end.val();
        self.data.d.next = self.rdata.val();
        if self.bad.val() {
            self.data.d.next = 0.into();
        }
        if self.take.val() {
            self.valid.d.next = self.lane.val();
            self.beat.d.next = self.beat.q.val() + 1;
            if self.burst_end.val() {
                self.beat.d.next = 0.into();
            }
            if self.bad.val() && !self.failed.q.val() {
                self.fault.d.next = self.notes.head.val().addr;
            }
            self.failed.d.next = self.failed.q.val() || self.bad.val();
            if self.request_end.val() {
                self.report.d.next = self.failed.q.val() || self.bad.val();
                self.failed.d.next = false;
            }
        }
        self.data0.valid.next = self.valid.q.val().get_bit(0);
        self.data1.valid.next = self.valid.q.val().get_bit(1);
        self.data2.valid.next = self.valid.q.val().get_bit(2);
        self.data3.valid.next = self.valid.q.val().get_bit(3);
        self.data0.data.next = self.data.q.val();
        self.data1.data.next = self.data.q.val();
        self.data2.data.next = self.data.q.val();
        self.data3.data.next = self.data.q.val();
        self.data0.error.next = self.error.q.val();
        self.data1.error.next = self.error.q.val();
        self.data2.error.next = self.error.q.val();
        self.data3.error.next = self.error.q.val();
        self.data0.last.next = self.last.q.val();
        self.data1.last.next = self.last.q.val();
        self.data2.last.next = self.last.q.val();
        self.data3.last.next = self.last.q.val();
        self.dma_error.next = self.report.q.val();
        self.fault_addr.next = bit_cast::<32, 30>(self.fault.q.val()) << 2;
    }
}

//! The AXI4 read master: four clients, bursts, several outstanding, in order.
//!
//! Clients speak the protocol of [`super::read_bus`]; [`ReadArbiter`] says who goes first. A request outside the
//! registered ranges makes no access: its words are zero with `error`. [`BurstSplitter`] cuts requests into bursts of
//! at most 256 bytes within a 4 KiB page, and [`BurstCollect`] hands out their words. Addresses run ahead of data: up to
//! 16 bursts are outstanding, of one request or several, and the next request is checked while one is cut.
//!
//! Core clock, synchronous reset. A request takes five cycles to its first `arvalid`, further bursts one cycle
//! each; requests that follow each other keep the data channel full if memory answers within 16 bursts. From `rvalid`
//! to the client one cycle. Verified in `cosim/tests/dma_read.rs`; proven in `hdl/formal/axi_reader.sv`.

use super::{
    burst::BurstSplitter,
    range::RangeCheck,
    read_arbiter::ReadArbiter,
    read_bus::{Ranges, ReadDataSource, ReadRequest},
    read_collect::{BurstCollect, BurstNote},
};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

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
    /// Kind and client of the fault; see [`BurstCollect`].
    pub fault_info: Signal<Out, Bits<7>>,

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
        self.fault_info.next = self.collect.fault_info.val();
    }
}

/// Checks a request and has it cut into bursts.
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
    splitter: BurstSplitter,
    /// 0 waits, 1 while the ranges are compared, 2 hands over to the splitter.
    state: Reg<Bits<2>>,
    owner: Reg<Bits<2>>,
    refused: Reg<Bit>,
    bytes: Signal<Local, Bits<17>>,
    go: Signal<Local, Bit>,
}

module! {
    impl [] Logic for BurstIssue;
    regs: state, owner, refused;
    children: range, splitter;
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

        // The request is steady until `ready`, and so is the verdict on it from state 2 on.
        match self.state.q.val().index() {
            0 => {
                if self.valid.val() {
                    self.state.d.next = 1.into();
                }
            }
            1 => {
                self.state.d.next = 2.into();
            }
            _ => {
                if self.splitter.ready.val() {
                    self.state.d.next = 0.into();
                    self.owner.d.next = self.client.val();
                    self.refused.d.next = !self.range.allowed.val();
                }
            }
        }
        self.go.next = (self.state.q.val() == 2) && self.splitter.ready.val();
        self.ready.next = self.go.val();

        // Bytes from the start of the first word to the end of the last, rounded up to words.
        self.bytes.next = bit_cast::<17, 16>(self.length.val())
            + bit_cast::<17, 2>(self.addr.val().get_bits::<2>(0)) + 3;
        self.splitter.go.next = self.go.val();
        self.splitter.word_addr.next = self.addr.val().get_bits::<30>(2);
        self.splitter.words.next = self.bytes.val().get_bits::<15>(2);
        self.splitter.mute.next = !self.range.allowed.val();
        self.splitter.hold.next = self.note_full.val();
        self.splitter.axready.next = self.arready.val();

        self.note_push.next = self.splitter.issue.val();
        self.note.next.addr = self.splitter.issue_addr.val();
        self.note.next.beats = self.splitter.issue_beats.val();
        self.note.next.client = self.owner.q.val();
        self.note.next.refused = self.refused.q.val();
        self.note.next.last = self.splitter.issue_final.val();
        self.araddr.next = self.splitter.axaddr.val();
        self.arlen.next = self.splitter.axlen.val();
        self.arvalid.next = self.splitter.axvalid.val();
    }
}

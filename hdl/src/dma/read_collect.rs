//! Gives each word read to the client whose burst is due, and makes up the words of refused bursts.
//!
//! Bursts are noted when they are issued, up to 16, and answered in that order. `rready` is high whenever a word is
//! due, whatever the clients do: they asked only for what they have room for.
//!
//! Core clock, synchronous reset. One word a cycle; from `rvalid` to the client one cycle. SLVERR and DECERR zero the
//! beat and the stream goes on. One `dma_error` pulse ends each request that was refused or failed, with address, kind
//! and client of the first burst that did. Beats are counted, `rlast` is not looked at. Verified in
//! `cosim/tests/dma_read.rs`; proven in `hdl/formal/axi_reader.sv`.

use super::read_bus::ReadDataSource;
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

/// See the module's header.
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
    /// Kind [1:0] and client [5:4] of the fault, as in `DMA_FAULT`.
    pub fault_info: Signal<Out, Bits<7>>,

    notes: LutFifo<BurstNote, 4, 5>,
    beat: Reg<Bits<6>>,
    /// An earlier word of this request failed.
    failed: Reg<Bit>,
    fault: Reg<Bits<30>>,
    kind: Reg<Bits<2>>,
    client: Reg<Bits<2>>,
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
    regs: beat, failed, fault, kind, client, report, data, error, last, valid;
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
                self.client.d.next = self.notes.head.val().client;
                self.kind.d.next = self.rresp.val();
                if self.notes.head.val().refused {
                    self.kind.d.next = 1.into();
                }
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
        self.fault_info.next = bit_cast::<7, 2>(self.kind.q.val()) | (bit_cast::<7, 2>(self.client.q.val()) << 4);
        self.fault_addr.next = bit_cast::<32, 30>(self.fault.q.val()) << 2;
    }
}

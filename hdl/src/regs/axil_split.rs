//! One AXI4-Lite port in front of two slaves of the kind of `AxilSlave`: address bit 12 chooses, 0 `a` and
//! 1 `b`.
//!
//! Core clock, synchronous reset. Requests and answers pass combinationally; a write is offered when its
//! address and data are both there, as those slaves want it. One write and one read at a time: the next is
//! offered when the answer to the last was taken, so that answers cannot change places. Verified in
//! `cosim/tests/mac_regs.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct AxilSplit {
    pub cr: Cr,
    pub awaddr: Signal<In, Bits<16>>,
    pub awvalid: Signal<In, Bit>,
    pub awready: Signal<Out, Bit>,
    pub wdata: Signal<In, Bits<32>>,
    pub wstrb: Signal<In, Bits<4>>,
    pub wvalid: Signal<In, Bit>,
    pub wready: Signal<Out, Bit>,
    pub bresp: Signal<Out, Bits<2>>,
    pub bvalid: Signal<Out, Bit>,
    pub bready: Signal<In, Bit>,
    pub araddr: Signal<In, Bits<16>>,
    pub arvalid: Signal<In, Bit>,
    pub arready: Signal<Out, Bit>,
    pub rdata: Signal<Out, Bits<32>>,
    pub rresp: Signal<Out, Bits<2>>,
    pub rvalid: Signal<Out, Bit>,
    pub rready: Signal<In, Bit>,
    pub a_awaddr: Signal<Out, Bits<16>>,
    pub a_awvalid: Signal<Out, Bit>,
    pub a_awready: Signal<In, Bit>,
    pub a_wdata: Signal<Out, Bits<32>>,
    pub a_wstrb: Signal<Out, Bits<4>>,
    pub a_wvalid: Signal<Out, Bit>,
    pub a_wready: Signal<In, Bit>,
    pub a_bresp: Signal<In, Bits<2>>,
    pub a_bvalid: Signal<In, Bit>,
    pub a_bready: Signal<Out, Bit>,
    pub a_araddr: Signal<Out, Bits<16>>,
    pub a_arvalid: Signal<Out, Bit>,
    pub a_arready: Signal<In, Bit>,
    pub a_rdata: Signal<In, Bits<32>>,
    pub a_rresp: Signal<In, Bits<2>>,
    pub a_rvalid: Signal<In, Bit>,
    pub a_rready: Signal<Out, Bit>,
    pub b_awaddr: Signal<Out, Bits<16>>,
    pub b_awvalid: Signal<Out, Bit>,
    pub b_awready: Signal<In, Bit>,
    pub b_wdata: Signal<Out, Bits<32>>,
    pub b_wstrb: Signal<Out, Bits<4>>,
    pub b_wvalid: Signal<Out, Bit>,
    pub b_wready: Signal<In, Bit>,
    pub b_bresp: Signal<In, Bits<2>>,
    pub b_bvalid: Signal<In, Bit>,
    pub b_bready: Signal<Out, Bit>,
    pub b_araddr: Signal<Out, Bits<16>>,
    pub b_arvalid: Signal<Out, Bit>,
    pub b_arready: Signal<In, Bit>,
    pub b_rdata: Signal<In, Bits<32>>,
    pub b_rresp: Signal<In, Bits<2>>,
    pub b_rvalid: Signal<In, Bit>,
    pub b_rready: Signal<Out, Bit>,

    /// An answer is awaited, from `b` if the second says so.
    writing: Reg<Bit>,
    write_to_b: Reg<Bit>,
    reading: Reg<Bit>,
    read_from_b: Reg<Bit>,
    write_offer: Signal<Local, Bit>,
    write_taken: Signal<Local, Bit>,
    read_offer: Signal<Local, Bit>,
    read_taken: Signal<Local, Bit>,
}

module! {
    impl [] Logic for AxilSplit;
    regs: writing, write_to_b, reading, read_from_b;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        // Writes.
        self.write_offer.next = self.awvalid.val() && self.wvalid.val() && !self.writing.q.val();
        self.a_awvalid.next = self.write_offer.val() && !self.awaddr.val().get_bit(12);
        self.a_wvalid.next = self.write_offer.val() && !self.awaddr.val().get_bit(12);
        self.b_awvalid.next = self.write_offer.val() && self.awaddr.val().get_bit(12);
        self.b_wvalid.next = self.write_offer.val() && self.awaddr.val().get_bit(12);
        self.a_awaddr.next = self.awaddr.val();
        self.b_awaddr.next = self.awaddr.val();
        self.a_wdata.next = self.wdata.val();
        self.b_wdata.next = self.wdata.val();
        self.a_wstrb.next = self.wstrb.val();
        self.b_wstrb.next = self.wstrb.val();
        self.write_taken.next = self.write_offer.val() && self.a_awready.val();
        if self.awaddr.val().get_bit(12) {
            self.write_taken.next = self.write_offer.val() && self.b_awready.val();
        }
        self.awready.next = self.write_taken.val();
        self.wready.next = self.write_taken.val();
        self.bvalid.next = self.a_bvalid.val();
        self.bresp.next = self.a_bresp.val();
        if self.write_to_b.q.val() {
            self.bvalid.next = self.b_bvalid.val();
            self.bresp.next = self.b_bresp.val();
        }
        self.a_bready.next = self.bready.val() && !self.write_to_b.q.val();
        self.b_bready.next = self.bready.val() && self.write_to_b.q.val();
        if self.write_taken.val() {
            self.writing.d.next = true;
            self.write_to_b.d.next = self.awaddr.val().get_bit(12);
        }
        if self.writing.q.val() && self.bready.val()
            && ((self.a_bvalid.val() && !self.write_to_b.q.val()) || (self.b_bvalid.val() && self.write_to_b.q.val()))
        {
            self.writing.d.next = false;
        }

        // Reads.
        self.read_offer.next = self.arvalid.val() && !self.reading.q.val();
        self.a_arvalid.next = self.read_offer.val() && !self.araddr.val().get_bit(12);
        self.b_arvalid.next = self.read_offer.val() && self.araddr.val().get_bit(12);
        self.a_araddr.next = self.araddr.val();
        self.b_araddr.next = self.araddr.val();
        self.read_taken.next = self.read_offer.val() && self.a_arready.val();
        if self.araddr.val().get_bit(12) {
            self.read_taken.next = self.read_offer.val() && self.b_arready.val();
        }
        self.arready.next = self.read_taken.val();
        self.rvalid.next = self.a_rvalid.val();
        self.rresp.next = self.a_rresp.val();
        self.rdata.next = self.a_rdata.val();
        if self.read_from_b.q.val() {
            self.rvalid.next = self.b_rvalid.val();
            self.rresp.next = self.b_rresp.val();
            self.rdata.next = self.b_rdata.val();
        }
        self.a_rready.next = self.rready.val() && !self.read_from_b.q.val();
        self.b_rready.next = self.rready.val() && self.read_from_b.q.val();
        if self.read_taken.val() {
            self.reading.d.next = true;
            self.read_from_b.d.next = self.araddr.val().get_bit(12);
        }
        if self.reading.q.val() && self.rready.val()
            && ((self.a_rvalid.val() && !self.read_from_b.q.val()) || (self.b_rvalid.val() && self.read_from_b.q.val()))
        {
            self.reading.d.next = false;
        }
    }
}

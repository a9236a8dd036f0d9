//! Stands where the host link belongs, with its ports, so that a board's top can be placed and timed before it is there.
//!
//! It is no link: what comes from the line drives the NIC's buses without any meaning, and what the NIC does goes to the
//! line. Nothing of the NIC is optimised away that the link will use. A bitstream with it serves to measure, for nothing else.

use crate::kit::{Cr, Reg, StreamIn, StreamOut};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Placeholder {
    pub cr: Cr,
    pub rx: StreamIn,
    pub tx: StreamOut,
    pub irq: Signal<In, Bit>,
    pub s_axi_awaddr: Signal<In, Bits<32>>,
    pub s_axi_awlen: Signal<In, Bits<8>>,
    pub s_axi_awvalid: Signal<In, Bit>,
    pub s_axi_awready: Signal<Out, Bit>,
    pub s_axi_wdata: Signal<In, Bits<32>>,
    pub s_axi_wstrb: Signal<In, Bits<4>>,
    pub s_axi_wvalid: Signal<In, Bit>,
    pub s_axi_wready: Signal<Out, Bit>,
    pub s_axi_bresp: Signal<Out, Bits<2>>,
    pub s_axi_bvalid: Signal<Out, Bit>,
    pub s_axi_bready: Signal<In, Bit>,
    pub s_axi_araddr: Signal<In, Bits<32>>,
    pub s_axi_arlen: Signal<In, Bits<8>>,
    pub s_axi_arvalid: Signal<In, Bit>,
    pub s_axi_arready: Signal<Out, Bit>,
    pub s_axi_rdata: Signal<Out, Bits<32>>,
    pub s_axi_rresp: Signal<Out, Bits<2>>,
    pub s_axi_rlast: Signal<Out, Bit>,
    pub s_axi_rvalid: Signal<Out, Bit>,
    pub s_axi_rready: Signal<In, Bit>,
    pub m_axil_awaddr: Signal<Out, Bits<16>>,
    pub m_axil_awvalid: Signal<Out, Bit>,
    pub m_axil_awready: Signal<In, Bit>,
    pub m_axil_wdata: Signal<Out, Bits<32>>,
    pub m_axil_wstrb: Signal<Out, Bits<4>>,
    pub m_axil_wvalid: Signal<Out, Bit>,
    pub m_axil_wready: Signal<In, Bit>,
    pub m_axil_bresp: Signal<In, Bits<2>>,
    pub m_axil_bvalid: Signal<In, Bit>,
    pub m_axil_bready: Signal<Out, Bit>,
    pub m_axil_araddr: Signal<Out, Bits<16>>,
    pub m_axil_arvalid: Signal<Out, Bit>,
    pub m_axil_arready: Signal<In, Bit>,
    pub m_axil_rdata: Signal<In, Bits<32>>,
    pub m_axil_rresp: Signal<In, Bits<2>>,
    pub m_axil_rvalid: Signal<In, Bit>,
    pub m_axil_rready: Signal<Out, Bit>,

    seen: Reg<Bits<128>>,
    fold: Reg<Bits<32>>,
}

module! {
    impl [] Logic for Placeholder;
    regs: seen, fold;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.rx.tready.next = true;
        if self.rx.tvalid.val() {
            self.seen.d.next = (self.seen.q.val() << 32) | bit_cast::<128, 32>(self.rx.tdata.val());
        }
        self.s_axi_awready.next = self.seen.q.val().get_bit(0);
        self.s_axi_wready.next = self.seen.q.val().get_bit(1);
        self.s_axi_bresp.next = self.seen.q.val().get_bits::<2>(2);
        self.s_axi_bvalid.next = self.seen.q.val().get_bit(4);
        self.s_axi_arready.next = self.seen.q.val().get_bit(5);
        self.s_axi_rdata.next = self.seen.q.val().get_bits::<32>(6);
        self.s_axi_rresp.next = self.seen.q.val().get_bits::<2>(38);
        self.s_axi_rlast.next = self.seen.q.val().get_bit(40);
        self.s_axi_rvalid.next = self.seen.q.val().get_bit(41);
        self.m_axil_awaddr.next = self.seen.q.val().get_bits::<16>(42);
        self.m_axil_awvalid.next = self.seen.q.val().get_bit(58);
        self.m_axil_wdata.next = self.seen.q.val().get_bits::<32>(59);
        self.m_axil_wstrb.next = self.seen.q.val().get_bits::<4>(91);
        self.m_axil_wvalid.next = self.seen.q.val().get_bit(95);
        self.m_axil_bready.next = self.seen.q.val().get_bit(96);
        self.m_axil_araddr.next = self.seen.q.val().get_bits::<16>(97);
        self.m_axil_arvalid.next = self.seen.q.val().get_bit(113);
        self.m_axil_rready.next = self.seen.q.val().get_bit(114);
        self.fold.d.next = bit_cast::<32, 1>(self.irq.val().into())
            ^ self.s_axi_awaddr.val()
            ^ bit_cast::<32, 8>(self.s_axi_awlen.val())
            ^ bit_cast::<32, 1>(self.s_axi_awvalid.val().into())
            ^ self.s_axi_wdata.val()
            ^ bit_cast::<32, 4>(self.s_axi_wstrb.val())
            ^ bit_cast::<32, 1>(self.s_axi_wvalid.val().into())
            ^ bit_cast::<32, 1>(self.s_axi_bready.val().into())
            ^ self.s_axi_araddr.val()
            ^ bit_cast::<32, 8>(self.s_axi_arlen.val())
            ^ bit_cast::<32, 1>(self.s_axi_arvalid.val().into())
            ^ bit_cast::<32, 1>(self.s_axi_rready.val().into())
            ^ bit_cast::<32, 1>(self.m_axil_awready.val().into())
            ^ bit_cast::<32, 1>(self.m_axil_wready.val().into())
            ^ bit_cast::<32, 2>(self.m_axil_bresp.val())
            ^ bit_cast::<32, 1>(self.m_axil_bvalid.val().into())
            ^ bit_cast::<32, 1>(self.m_axil_arready.val().into())
            ^ self.m_axil_rdata.val()
            ^ bit_cast::<32, 2>(self.m_axil_rresp.val())
            ^ bit_cast::<32, 1>(self.m_axil_rvalid.val().into());
        self.tx.tdata.next = self.fold.q.val();
        self.tx.tkeep.next = 15.into();
        self.tx.tlast.next = self.fold.q.val().get_bit(31);
        self.tx.tuser.next = false;
        self.tx.tvalid.next = self.fold.q.val().any();
    }
}

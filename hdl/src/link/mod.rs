//! The host link: the NIC's AXI boundary in Ethernet frames, for a second port to any PC (`docs/hostlink.md`).
//!
//! ```text
//!  NIC m_axi, irq ─► LinkIntake ──► LinkTx ─► tx stream ─► MAC
//!                        ▲ │ outstanding  ▲ acknowledgements
//!                answers │ ▼              │
//!  NIC s_axil ◄─── LinkDeliver ◄── LinkRx ◄── rx stream ◄─ MAC
//!                                   │ HELLO
//!                              LinkSession ─► nic_reset, linked
//! ```
//!
//! Between AXI4 (slave), AXI4-Lite (master) and an interrupt on one side and the frames of `abi::link` on the other. It stands where a
//! PCIe endpoint would. `nic_reset` is high for 16 cycles at the start of each session: it must reset whatever is behind the
//! AXI ports, together with the core's reset, because what was under way there is forgotten. Without a session nothing is
//! taken from the NIC, which waits.
//!
//! The stream sides are those of `mac::Mac`: frames without check sequence, damaged ones marked by `tuser`. The receive side
//! never stalls; the transmit side has no pause within a frame.
//!
//! One clock, synchronous reset. Block memory: 4 KiB in each direction. This module only connects; what each block does on
//! bad input and under pressure stands in its header. Verified in `cosim/tests/host_link`: against a PC with loss,
//! duplication, reordering, damage and stalls, restarts of either end, and frames that no PC would send.

pub mod deliver;
pub mod intake;
pub mod rx;
pub mod session;
pub mod tx;

use crate::kit::{Cr, StreamIn, StreamOut};
use crate::module;
use deliver::LinkDeliver;
use intake::LinkIntake;
use rust_hdl::prelude::*;
use rx::LinkRx;
use session::LinkSession;
use tx::LinkTx;

/// Host link whose repetitions are `2^TIMER` core clock cycles apart.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct HostLink<const TIMER: usize> {
    pub cr: Cr,
    /// Own address, byte 0 of it lowest; constant.
    pub station: Signal<In, Bits<48>>,
    pub rx: StreamIn,
    pub tx: StreamOut,
    pub linked: Signal<Out, Bit>,
    pub nic_reset: Signal<Out, Bit>,
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

    session: LinkSession,
    receive: LinkRx,
    transmit: LinkTx<TIMER>,
    intake: LinkIntake,
    deliver: LinkDeliver,
    drops: Signal<Local, Bits<16>>,
}

/// The host link of a board: repetitions 2^17 cycles apart, 1.3 ms at 100 MHz.
pub type BoardHostLink = HostLink<17>;

module! {
    impl [const TIMER: usize] Logic for HostLink<TIMER>;
    regs: ;
    children: session, receive, transmit, intake, deliver;
    #[hdl_gen]
    fn update(&mut self) {
        StreamIn::link(&mut self.rx, &mut self.receive.stream);
        StreamOut::link(&mut self.tx, &mut self.transmit.stream);

        // Session.
        self.session.hello.next = self.receive.hello.val();
        self.session.hello_session.next = self.receive.hello_session.val();
        self.session.hello_same.next = self.receive.hello_same.val();
        self.session.source.next = self.receive.source.val();
        self.session.give_up.next = self.transmit.give_up.val();
        self.linked.next = self.session.linked.val();
        self.nic_reset.next = self.session.restart.val();
        self.receive.station.next = self.station.val();
        self.receive.session.next = self.session.session.val();
        self.receive.linked.next = self.session.linked.val();
        self.receive.restart.next = self.session.restart.val();
        self.transmit.station.next = self.station.val();
        self.transmit.peer.next = self.session.peer.val();
        self.transmit.session.next = self.session.session.val();
        self.transmit.linked.next = self.session.linked.val();
        self.transmit.restart.next = self.session.restart.val();
        self.transmit.welcome.next = self.session.welcome.val();
        self.intake.restart.next = self.session.restart.val();
        self.deliver.restart.next = self.session.restart.val();

        // Numbers.
        self.transmit.answer.next = self.receive.answer.val()
            || (self.deliver.pop.val() && (self.receive.free.val() < 8));
        self.transmit.missed.next = self.receive.missed.val();
        self.transmit.acked.next = self.receive.acked.val();
        self.transmit.ack.next = self.receive.ack.val();
        self.transmit.credit.next = self.receive.credit.val();
        self.transmit.again.next = self.receive.again.val();
        self.transmit.expected.next = self.receive.expected.val();
        self.transmit.free.next = self.receive.free.val();
        self.drops.next = self.receive.dropped.val() + self.deliver.refused.val();
        self.transmit.dropped.next = self.drops.val();

        // Messages to the PC.
        self.intake.room.next = self.transmit.room.val();
        self.transmit.write.next = self.intake.write.val();
        self.transmit.write_index.next = self.intake.write_index.val();
        self.transmit.write_data.next = self.intake.write_data.val();
        self.transmit.commit.next = self.intake.commit.val();
        self.transmit.header.next = self.intake.header.val();
        self.intake.irq.next = self.irq.val();
        self.intake.answer.next = self.deliver.answer.val();
        self.intake.answer_valid.next = self.deliver.answer_valid.val();
        self.deliver.answer_taken.next = self.intake.answer_taken.val();
        self.intake.awaddr.next = self.s_axi_awaddr.val();
        self.intake.awlen.next = self.s_axi_awlen.val();
        self.intake.awvalid.next = self.s_axi_awvalid.val();
        self.s_axi_awready.next = self.intake.awready.val();
        self.intake.wdata.next = self.s_axi_wdata.val();
        self.intake.wstrb.next = self.s_axi_wstrb.val();
        self.intake.wvalid.next = self.s_axi_wvalid.val();
        self.s_axi_wready.next = self.intake.wready.val();
        self.intake.araddr.next = self.s_axi_araddr.val();
        self.intake.arlen.next = self.s_axi_arlen.val();
        self.intake.arvalid.next = self.s_axi_arvalid.val();
        self.s_axi_arready.next = self.intake.arready.val();

        // Messages from the PC.
        self.deliver.head_valid.next = self.receive.head_valid.val();
        self.deliver.head.next = self.receive.head.val();
        self.receive.read_index.next = self.deliver.read_index.val();
        self.deliver.read_data.next = self.receive.read_data.val();
        self.receive.pop.next = self.deliver.pop.val();
        self.deliver.read_valid.next = self.intake.read_valid.val();
        self.deliver.read_len.next = self.intake.read_len.val();
        self.intake.read_pop.next = self.deliver.read_pop.val();
        self.deliver.writes.next = self.intake.writes.val();
        self.intake.write_pop.next = self.deliver.write_pop.val();
        self.s_axi_bresp.next = self.deliver.bresp.val();
        self.s_axi_bvalid.next = self.deliver.bvalid.val();
        self.deliver.bready.next = self.s_axi_bready.val();
        self.s_axi_rdata.next = self.deliver.rdata.val();
        self.s_axi_rresp.next = self.deliver.rresp.val();
        self.s_axi_rlast.next = self.deliver.rlast.val();
        self.s_axi_rvalid.next = self.deliver.rvalid.val();
        self.deliver.rready.next = self.s_axi_rready.val();
        self.m_axil_awaddr.next = self.deliver.m_axil_awaddr.val();
        self.m_axil_awvalid.next = self.deliver.m_axil_awvalid.val();
        self.deliver.m_axil_awready.next = self.m_axil_awready.val();
        self.m_axil_wdata.next = self.deliver.m_axil_wdata.val();
        self.m_axil_wstrb.next = 15.into();
        self.m_axil_wvalid.next = self.deliver.m_axil_wvalid.val();
        self.deliver.m_axil_wready.next = self.m_axil_wready.val();
        self.deliver.m_axil_bresp.next = self.m_axil_bresp.val();
        self.deliver.m_axil_bvalid.next = self.m_axil_bvalid.val();
        self.m_axil_bready.next = self.deliver.m_axil_bready.val();
        self.m_axil_araddr.next = self.deliver.m_axil_araddr.val();
        self.m_axil_arvalid.next = self.deliver.m_axil_arvalid.val();
        self.deliver.m_axil_arready.next = self.m_axil_arready.val();
        self.deliver.m_axil_rdata.next = self.m_axil_rdata.val();
        self.deliver.m_axil_rresp.next = self.m_axil_rresp.val();
        self.deliver.m_axil_rvalid.next = self.m_axil_rvalid.val();
        self.m_axil_rready.next = self.deliver.m_axil_rready.val();
    }
}

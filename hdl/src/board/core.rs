//! A board without its clocks and pads: the NIC on the first Ethernet port, the host link on the second.
//!
//! ```text
//!  eth0, mdio0 ◄─► NicRgmii ◄─ AXI4, AXI4-Lite, irq ─► link ◄─ streams ─► Mac ◄─► Rgmii ◄─► eth1
//! ```
//!
//! Clocks: `cr` (core), `tx_cr` (125 MHz, both transmit sides), `rx0_cr` and `rx1_cr` (the PHYs' receive clocks), each with its
//! synchronous reset. This module only connects.

use super::placeholder::Placeholder;
use super::Board;
use crate::kit::Cr;
use crate::mac::rgmii::RgmiiPins;
use crate::mac::{Mac, MacConfig, MdioPins, Rgmii};
use crate::module;
use crate::nic::NicConfig;
use crate::nic_mac::NicRgmii;
use rust_hdl::prelude::*;

/// See the module's header; sizes as in `crate::nic::Nic`.
#[derive(Clone, Debug, LogicBlock)]
pub struct BoardCore<
    const L: usize,
    const L1: usize,
    const F: usize,
    const F1: usize,
    const S: usize,
    const S1: usize,
    const H: usize,
    const H1: usize,
    const N: usize,
    const N1: usize,
> {
    pub cr: Cr,
    pub tx_cr: Cr,
    pub rx0_cr: Cr,
    pub rx1_cr: Cr,
    pub eth0: RgmiiPins,
    pub eth1: RgmiiPins,
    pub mdio0: MdioPins,
    nic: NicRgmii<L, L1, F, F1, S, S1, H, H1, N, N1>,
    link: Placeholder,
    link_mac: Mac,
    link_pins: Rgmii,
}

impl<
        const L: usize,
        const L1: usize,
        const F: usize,
        const F1: usize,
        const S: usize,
        const S1: usize,
        const H: usize,
        const H1: usize,
        const N: usize,
        const N1: usize,
    > BoardCore<L, L1, F, F1, S, S1, H, H1, N, N1>
{
    /// The core of `board`.
    pub fn new(board: &Board) -> Self {
        let config = NicConfig {
            core_memory_bytes: board.core_memory_kib * 1024,
            receive: board.receive,
            boot_ticks_per_us: Some((board.pll.core_khz() / 1000) as u16),
        };
        let mac = MacConfig { inband_status: true, ..MacConfig::default() };
        let mut nic = NicRgmii::new(&config, &mac, &board.rgmii);
        nic.set_image();
        BoardCore {
            cr: Default::default(),
            tx_cr: Default::default(),
            rx0_cr: Default::default(),
            rx1_cr: Default::default(),
            eth0: Default::default(),
            eth1: Default::default(),
            mdio0: Default::default(),
            nic,
            link: Default::default(),
            link_mac: Mac::new(&mac),
            link_pins: Rgmii::new(&board.rgmii),
        }
    }
}

module! {
    impl [const L: usize, const L1: usize, const F: usize, const F1: usize, const S: usize, const S1: usize, const H: usize, const H1: usize, const N: usize, const N1: usize] Logic for BoardCore<L, L1, F, F1, S, S1, H, H1, N, N1>;
    regs: ;
    children: nic, link, link_mac;
    #[hdl_gen]
    fn update(&mut self) {
        Cr::link(&mut self.rx0_cr, &mut self.nic.rx_cr);
        Cr::link(&mut self.tx_cr, &mut self.nic.tx_cr);
        Cr::link(&mut self.rx1_cr, &mut self.link_mac.rx_cr);
        Cr::link(&mut self.tx_cr, &mut self.link_mac.tx_cr);
        Cr::link(&mut self.rx1_cr, &mut self.link_pins.rx_cr);
        Cr::link(&mut self.tx_cr, &mut self.link_pins.tx_cr);
        RgmiiPins::link(&mut self.eth0, &mut self.nic.rgmii);
        RgmiiPins::link(&mut self.eth1, &mut self.link_pins.pins);
        MdioPins::link(&mut self.mdio0, &mut self.nic.mdio);

        // No devices besides the NIC's own yet.
        self.nic.device.rdata.next = 0.into();
        self.nic.manage.start.next = false;
        self.nic.manage.command.next = 0.into();
        self.nic.phy_report.next = 0.into();
        self.nic.hold_phy.next = false;

        // The host.
        self.link.irq.next = self.nic.host.irq.val();
        self.link.s_axi_awaddr.next = self.nic.host.m_axi_awaddr.val();
        self.link.s_axi_awlen.next = self.nic.host.m_axi_awlen.val();
        self.link.s_axi_awvalid.next = self.nic.host.m_axi_awvalid.val();
        self.nic.host.m_axi_awready.next = self.link.s_axi_awready.val();
        self.link.s_axi_wdata.next = self.nic.host.m_axi_wdata.val();
        self.link.s_axi_wstrb.next = self.nic.host.m_axi_wstrb.val();
        self.link.s_axi_wvalid.next = self.nic.host.m_axi_wvalid.val();
        self.nic.host.m_axi_wready.next = self.link.s_axi_wready.val();
        self.nic.host.m_axi_bresp.next = self.link.s_axi_bresp.val();
        self.nic.host.m_axi_bvalid.next = self.link.s_axi_bvalid.val();
        self.link.s_axi_bready.next = self.nic.host.m_axi_bready.val();
        self.link.s_axi_araddr.next = self.nic.host.m_axi_araddr.val();
        self.link.s_axi_arlen.next = self.nic.host.m_axi_arlen.val();
        self.link.s_axi_arvalid.next = self.nic.host.m_axi_arvalid.val();
        self.nic.host.m_axi_arready.next = self.link.s_axi_arready.val();
        self.nic.host.m_axi_rdata.next = self.link.s_axi_rdata.val();
        self.nic.host.m_axi_rresp.next = self.link.s_axi_rresp.val();
        self.nic.host.m_axi_rlast.next = self.link.s_axi_rlast.val();
        self.nic.host.m_axi_rvalid.next = self.link.s_axi_rvalid.val();
        self.link.s_axi_rready.next = self.nic.host.m_axi_rready.val();
        self.nic.host.s_axil_awaddr.next = self.link.m_axil_awaddr.val();
        self.nic.host.s_axil_awvalid.next = self.link.m_axil_awvalid.val();
        self.link.m_axil_awready.next = self.nic.host.s_axil_awready.val();
        self.nic.host.s_axil_wdata.next = self.link.m_axil_wdata.val();
        self.nic.host.s_axil_wstrb.next = self.link.m_axil_wstrb.val();
        self.nic.host.s_axil_wvalid.next = self.link.m_axil_wvalid.val();
        self.link.m_axil_wready.next = self.nic.host.s_axil_wready.val();
        self.link.m_axil_bresp.next = self.nic.host.s_axil_bresp.val();
        self.link.m_axil_bvalid.next = self.nic.host.s_axil_bvalid.val();
        self.nic.host.s_axil_bready.next = self.link.m_axil_bready.val();
        self.nic.host.s_axil_araddr.next = self.link.m_axil_araddr.val();
        self.nic.host.s_axil_arvalid.next = self.link.m_axil_arvalid.val();
        self.link.m_axil_arready.next = self.nic.host.s_axil_arready.val();
        self.link.m_axil_rdata.next = self.nic.host.s_axil_rdata.val();
        self.link.m_axil_rresp.next = self.nic.host.s_axil_rresp.val();
        self.link.m_axil_rvalid.next = self.nic.host.s_axil_rvalid.val();
        self.nic.host.s_axil_rready.next = self.link.m_axil_rready.val();

        // The second port.
        self.link.rx.tdata.next = self.link_mac.rx.tdata.val();
        self.link.rx.tkeep.next = self.link_mac.rx.tkeep.val();
        self.link.rx.tlast.next = self.link_mac.rx.tlast.val();
        self.link.rx.tuser.next = self.link_mac.rx.tuser.val();
        self.link.rx.tvalid.next = self.link_mac.rx.tvalid.val();
        self.link_mac.rx.tready.next = self.link.rx.tready.val();
        self.link_mac.tx.tdata.next = self.link.tx.tdata.val();
        self.link_mac.tx.tkeep.next = self.link.tx.tkeep.val();
        self.link_mac.tx.tlast.next = self.link.tx.tlast.val();
        self.link_mac.tx.tuser.next = self.link.tx.tuser.val();
        self.link_mac.tx.tvalid.next = self.link.tx.tvalid.val();
        self.link.tx.tready.next = self.link_mac.tx.tready.val();
        self.link_mac.bus.write.next = false;
        self.link_mac.bus.write_addr.next = 0.into();
        self.link_mac.bus.write_data.next = 0.into();
        self.link_mac.bus.read_addr.next = 0.into();
        self.link_mac.report.next = 0.into();
        self.link_mac.hold_phy.next = false;
        self.link_mac.manage.start.next = false;
        self.link_mac.manage.command.next = 0.into();
        self.link_mac.mdio.mdio_i.next = true;
        self.link_mac.gmii_rx_dv.next = self.link_pins.rx_dv.val();
        self.link_mac.gmii_rx_er.next = self.link_pins.rx_er.val();
        self.link_mac.gmii_rxd.next = self.link_pins.rxd.val();
        self.link_mac.inband.next = self.link_pins.inband.val();
        self.link_pins.tx_en.next = self.link_mac.gmii_tx_en.val();
        self.link_pins.tx_er.next = self.link_mac.gmii_tx_er.val();
        self.link_pins.txd.next = self.link_mac.gmii_txd.val();
        self.link_pins.line_clock.next = self.link_mac.gmii_line_clock.val();
    }
}

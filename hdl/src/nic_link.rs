//! The NIC with its MAC on one RGMII port and the host link on another: `nic_link`, a board without clocks and pads.
//!
//! ```text
//!  eth0 ◄─► NicRgmii ◄─ AXI4, AXI4-Lite, irq ─► HostLink ◄─ streams ─► Mac ◄─► Rgmii ◄─► eth1
//! ```
//!
//! Clocks, each with its synchronous reset: `clock` (host link) and `nic_clock` (NIC), which are the same clock with two
//! resets: `nic_reset` must be high when `reset` or `link_resets_nic` is; `rx0_clock`, `rx1_clock` (the PHYs') and `tx_clock` (125 MHz).
//! The second MAC keeps its reset settings: promiscuous, the speed that the PHY reports. This module only connects. Verified by
//! `host/tests/hostlink.rs`.

use crate::kit::Cr;
use crate::link::HostLink;
use crate::mac::rgmii::{RgmiiConfig, RgmiiPins};
use crate::mac::{Mac, MacConfig, MdioPins, Rgmii};
use crate::nic::NicConfig;
use crate::nic_mac::FullNicRgmii;
use rust_hdl::prelude::*;

/// Verilog of [`NicLink`]; the top module is `nic_link`.
pub fn verilog(nic: &NicConfig, rgmii: &RgmiiConfig) -> String {
    let text = crate::emit::verilog("nic_link", NicLink::new(nic, rgmii));
    let text = ["cr$clock", "cr$reset"].iter().fold(text, |text, name| text.replace(name, &name[3..]));
    ["eth0", "eth1", "mdio"]
        .iter()
        .fold(text, |text, bundle| text.replace(&format!("{bundle}$"), &format!("{bundle}_")))
}

/// See the module's header.
#[derive(Clone, Debug, LogicBlock)]
pub struct NicLink {
    pub cr: Cr,
    pub nic_cr: Cr,
    pub rx0_cr: Cr,
    pub rx1_cr: Cr,
    pub tx_cr: Cr,
    pub eth0: RgmiiPins,
    pub eth1: RgmiiPins,
    pub mdio: MdioPins,
    /// Own address of the host link, byte 0 lowest.
    pub station: Signal<In, Bits<48>>,
    pub linked: Signal<Out, Bit>,
    pub link_resets_nic: Signal<Out, Bit>,
    nic: FullNicRgmii,
    link: HostLink<17>,
    mac: Mac,
    pins: Rgmii,
}

impl NicLink {
    /// # Panics
    /// When a configuration is out of its range.
    pub fn new(nic: &NicConfig, rgmii: &RgmiiConfig) -> Self {
        let mac = MacConfig { inband_status: true, ..MacConfig::default() };
        NicLink {
            cr: Default::default(),
            nic_cr: Default::default(),
            rx0_cr: Default::default(),
            rx1_cr: Default::default(),
            tx_cr: Default::default(),
            eth0: Default::default(),
            eth1: Default::default(),
            mdio: Default::default(),
            station: Default::default(),
            linked: Default::default(),
            link_resets_nic: Default::default(),
            nic: FullNicRgmii::new(nic, &mac, rgmii),
            link: Default::default(),
            mac: Mac::new(&mac),
            pins: Rgmii::new(rgmii),
        }
    }
}

impl Logic for NicLink {
    #[hdl_gen]
    fn update(&mut self) {
        Cr::link(&mut self.cr, &mut self.link.cr);
        Cr::link(&mut self.cr, &mut self.mac.cr);
        Cr::link(&mut self.nic_cr, &mut self.nic.cr);
        Cr::link(&mut self.rx0_cr, &mut self.nic.rx_cr);
        Cr::link(&mut self.rx1_cr, &mut self.mac.rx_cr);
        Cr::link(&mut self.rx1_cr, &mut self.pins.rx_cr);
        Cr::link(&mut self.tx_cr, &mut self.nic.tx_cr);
        Cr::link(&mut self.tx_cr, &mut self.mac.tx_cr);
        Cr::link(&mut self.tx_cr, &mut self.pins.tx_cr);
        RgmiiPins::link(&mut self.eth0, &mut self.nic.rgmii);
        RgmiiPins::link(&mut self.eth1, &mut self.pins.pins);
        MdioPins::link(&mut self.mdio, &mut self.nic.mdio);
        self.link.station.next = self.station.val();
        self.linked.next = self.link.linked.val();
        self.link_resets_nic.next = self.link.nic_reset.val();

        // The softcore has no devices but the NIC's own, and leaves the PHYs to the driver.
        self.nic.device.rdata.next = 0.into();
        self.nic.manage.start.next = false;
        self.nic.manage.command.next = 0.into();
        self.nic.phy_report.next = 0.into();
        self.nic.hold_phy.next = false;
        self.mac.report.next = 0.into();
        self.mac.hold_phy.next = false;
        self.mac.manage.start.next = false;
        self.mac.manage.command.next = 0.into();

        // The host.
        self.link.s_axi_awaddr.next = self.nic.host.m_axi_awaddr.val();
        self.link.s_axi_awlen.next = self.nic.host.m_axi_awlen.val();
        self.link.s_axi_awvalid.next = self.nic.host.m_axi_awvalid.val();
        self.link.s_axi_wdata.next = self.nic.host.m_axi_wdata.val();
        self.link.s_axi_wstrb.next = self.nic.host.m_axi_wstrb.val();
        self.link.s_axi_wvalid.next = self.nic.host.m_axi_wvalid.val();
        self.link.s_axi_bready.next = self.nic.host.m_axi_bready.val();
        self.link.s_axi_araddr.next = self.nic.host.m_axi_araddr.val();
        self.link.s_axi_arlen.next = self.nic.host.m_axi_arlen.val();
        self.link.s_axi_arvalid.next = self.nic.host.m_axi_arvalid.val();
        self.link.s_axi_rready.next = self.nic.host.m_axi_rready.val();
        self.nic.host.m_axi_awready.next = self.link.s_axi_awready.val();
        self.nic.host.m_axi_wready.next = self.link.s_axi_wready.val();
        self.nic.host.m_axi_bresp.next = self.link.s_axi_bresp.val();
        self.nic.host.m_axi_bvalid.next = self.link.s_axi_bvalid.val();
        self.nic.host.m_axi_arready.next = self.link.s_axi_arready.val();
        self.nic.host.m_axi_rdata.next = self.link.s_axi_rdata.val();
        self.nic.host.m_axi_rresp.next = self.link.s_axi_rresp.val();
        self.nic.host.m_axi_rlast.next = self.link.s_axi_rlast.val();
        self.nic.host.m_axi_rvalid.next = self.link.s_axi_rvalid.val();
        self.link.irq.next = self.nic.host.irq.val();
        self.nic.host.s_axil_awaddr.next = self.link.m_axil_awaddr.val();
        self.nic.host.s_axil_awvalid.next = self.link.m_axil_awvalid.val();
        self.nic.host.s_axil_wdata.next = self.link.m_axil_wdata.val();
        self.nic.host.s_axil_wstrb.next = self.link.m_axil_wstrb.val();
        self.nic.host.s_axil_wvalid.next = self.link.m_axil_wvalid.val();
        self.nic.host.s_axil_bready.next = self.link.m_axil_bready.val();
        self.nic.host.s_axil_araddr.next = self.link.m_axil_araddr.val();
        self.nic.host.s_axil_arvalid.next = self.link.m_axil_arvalid.val();
        self.nic.host.s_axil_rready.next = self.link.m_axil_rready.val();
        self.link.m_axil_awready.next = self.nic.host.s_axil_awready.val();
        self.link.m_axil_wready.next = self.nic.host.s_axil_wready.val();
        self.link.m_axil_bresp.next = self.nic.host.s_axil_bresp.val();
        self.link.m_axil_bvalid.next = self.nic.host.s_axil_bvalid.val();
        self.link.m_axil_arready.next = self.nic.host.s_axil_arready.val();
        self.link.m_axil_rdata.next = self.nic.host.s_axil_rdata.val();
        self.link.m_axil_rresp.next = self.nic.host.s_axil_rresp.val();
        self.link.m_axil_rvalid.next = self.nic.host.s_axil_rvalid.val();

        // The link's port.
        self.link.rx.tdata.next = self.mac.rx.tdata.val();
        self.link.rx.tkeep.next = self.mac.rx.tkeep.val();
        self.link.rx.tlast.next = self.mac.rx.tlast.val();
        self.link.rx.tuser.next = self.mac.rx.tuser.val();
        self.link.rx.tvalid.next = self.mac.rx.tvalid.val();
        self.mac.rx.tready.next = self.link.rx.tready.val();
        self.mac.tx.tdata.next = self.link.tx.tdata.val();
        self.mac.tx.tkeep.next = self.link.tx.tkeep.val();
        self.mac.tx.tlast.next = self.link.tx.tlast.val();
        self.mac.tx.tuser.next = self.link.tx.tuser.val();
        self.mac.tx.tvalid.next = self.link.tx.tvalid.val();
        self.link.tx.tready.next = self.mac.tx.tready.val();
        self.mac.bus.write.next = false;
        self.mac.bus.write_addr.next = 0.into();
        self.mac.bus.write_data.next = 0.into();
        self.mac.bus.read_addr.next = 0.into();
        self.mac.mdio.mdio_i.next = true;
        self.mac.gmii_rx_dv.next = self.pins.rx_dv.val();
        self.mac.gmii_rx_er.next = self.pins.rx_er.val();
        self.mac.gmii_rxd.next = self.pins.rxd.val();
        self.mac.inband.next = self.pins.inband.val();
        self.pins.tx_en.next = self.mac.gmii_tx_en.val();
        self.pins.tx_er.next = self.mac.gmii_tx_er.val();
        self.pins.txd.next = self.mac.gmii_txd.val();
        self.pins.line_clock.next = self.mac.gmii_line_clock.val();
    }
}

//! The NIC with its MAC: `nic_gmii` and `nic_rgmii`, the NIC from the host's buses to the PHY's pins.
//!
//! ```text
//!  s_axil ─► AxilSplit ─┬─ 0x0000 ─► Nic ◄──► m_axi, irq
//!                       └─ 0x1000 ─► Mac registers        ┌─ nic_rgmii only ─┐
//!                                    Mac ◄─ streams ─► Nic │                  │
//!                                     └─ gmii_* ──────────►│ Rgmii ─► rgmii_* │
//! ```
//!
//! Three clocks, each with its synchronous reset, active high: `clock` (the NIC's core, AXI4 and
//! AXI4-Lite), `rx_clock` (the PHY's receive clock) and `tx_clock` (125 MHz); they need no relation to one
//! another. The board makes each reset synchronous to its clock; they may come and go in any order. The
//! pins `mdio_o`, `mdio_oe` and `mdio_i` are for a pad with a pull-up. Behind the AXI4-Lite port, address
//! bit 12 leads to the MAC's registers (`abi::regs::MAC_BLOCKS`), whose answers are as those of the NIC's.
//!
//! `nic_gmii` is for a GMII PHY at 1000 Mb/s, and for any use of its own of `gmii_line_clock` at lower
//! speeds, whose nibbles are those of `mac::tx_gear`. These modules only connect. Verified by
//! `cosim/tests/nic_line.rs`.

use crate::kit::Cr;
use crate::mac::line::QueueOut;
use crate::mac::rgmii::{RgmiiConfig, RgmiiPins};
use crate::mac::{Mac, MacConfig, MdioPins, MdioUser, Rgmii};
use crate::module;
use crate::nic::{by_size, DeviceBus, Nic, NicConfig};
use crate::regs::axil::AxilSlave;
use crate::regs::axil_split::AxilSplit;
use crate::regs::{RegTap, RegUser};
use rust_hdl::prelude::*;

/// Verilog of the NIC with GMII pins; the top module is `nic_gmii`.
pub fn gmii_verilog(nic: &NicConfig, mac: &MacConfig) -> String {
    pin_names(by_size!(
        nic.receive,
        NicGmii as Chosen,
        crate::emit::verilog("nic_gmii", Chosen::new(nic, mac))
    ))
}

/// Verilog of the NIC with RGMII pins; the top module is `nic_rgmii`.
pub fn rgmii_verilog(nic: &NicConfig, mac: &MacConfig, rgmii: &RgmiiConfig) -> String {
    pin_names(by_size!(
        nic.receive,
        NicRgmii as Chosen,
        crate::emit::verilog("nic_rgmii", Chosen::new(nic, mac, rgmii))
    ))
}

/// The names of bundles are no part of the names of pins.
fn pin_names(text: String) -> String {
    let text = ["cr$clock", "cr$reset"].iter().fold(text, |text, name| text.replace(name, &name[3..]));
    let text = text.replace("device$", "device_").replace("manage$", "manage_").replace("queue$", "queue_");
    let text = ["host$", "mdio$"].iter().fold(text, |text, bundle| text.replace(bundle, ""));
    text.replace("rgmii$", "rgmii_")
}

/// The host's side of `Nic`, as a bundle.
#[derive(Clone, Debug, Default, LogicInterface)]
pub struct HostPins {
    pub s_axil_awaddr: Signal<In, Bits<16>>,
    pub s_axil_awvalid: Signal<In, Bit>,
    pub s_axil_awready: Signal<Out, Bit>,
    pub s_axil_wdata: Signal<In, Bits<32>>,
    pub s_axil_wstrb: Signal<In, Bits<4>>,
    pub s_axil_wvalid: Signal<In, Bit>,
    pub s_axil_wready: Signal<Out, Bit>,
    pub s_axil_bresp: Signal<Out, Bits<2>>,
    pub s_axil_bvalid: Signal<Out, Bit>,
    pub s_axil_bready: Signal<In, Bit>,
    pub s_axil_araddr: Signal<In, Bits<16>>,
    pub s_axil_arvalid: Signal<In, Bit>,
    pub s_axil_arready: Signal<Out, Bit>,
    pub s_axil_rdata: Signal<Out, Bits<32>>,
    pub s_axil_rresp: Signal<Out, Bits<2>>,
    pub s_axil_rvalid: Signal<Out, Bit>,
    pub s_axil_rready: Signal<In, Bit>,
    pub m_axi_awaddr: Signal<Out, Bits<32>>,
    pub m_axi_awlen: Signal<Out, Bits<8>>,
    pub m_axi_awsize: Signal<Out, Bits<3>>,
    pub m_axi_awburst: Signal<Out, Bits<2>>,
    pub m_axi_awvalid: Signal<Out, Bit>,
    pub m_axi_awready: Signal<In, Bit>,
    pub m_axi_wdata: Signal<Out, Bits<32>>,
    pub m_axi_wstrb: Signal<Out, Bits<4>>,
    pub m_axi_wlast: Signal<Out, Bit>,
    pub m_axi_wvalid: Signal<Out, Bit>,
    pub m_axi_wready: Signal<In, Bit>,
    pub m_axi_bresp: Signal<In, Bits<2>>,
    pub m_axi_bvalid: Signal<In, Bit>,
    pub m_axi_bready: Signal<Out, Bit>,
    pub m_axi_araddr: Signal<Out, Bits<32>>,
    pub m_axi_arlen: Signal<Out, Bits<8>>,
    pub m_axi_arsize: Signal<Out, Bits<3>>,
    pub m_axi_arburst: Signal<Out, Bits<2>>,
    pub m_axi_arvalid: Signal<Out, Bit>,
    pub m_axi_arready: Signal<In, Bit>,
    pub m_axi_rdata: Signal<In, Bits<32>>,
    pub m_axi_rresp: Signal<In, Bits<2>>,
    pub m_axi_rlast: Signal<In, Bit>,
    pub m_axi_rvalid: Signal<In, Bit>,
    pub m_axi_rready: Signal<Out, Bit>,
    pub irq: Signal<Out, Bit>,
}

/// See the module's header; sizes as in [`Nic`].
#[derive(Clone, Debug, LogicBlock)]
pub struct NicGmii<
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
    const P: usize,
    const P1: usize,
    const W: usize,
> {
    pub cr: Cr,
    pub rx_cr: Cr,
    pub tx_cr: Cr,
    pub host: HostPins,
    pub mdio: MdioPins,
    /// The softcore's bus to devices of the board, the firmware's end of the MDIO master, and what the firmware knows of the
    /// PHY (`Mac::report`, `Mac::hold_phy`).
    pub device: DeviceBus,
    pub manage: MdioUser,
    pub phy_report: Signal<In, Bits<5>>,
    pub hold_phy: Signal<In, Bit>,
    /// `Mac::line_state`.
    pub line_state: Signal<Out, Bits<4>>,
    pub gmii_rx_dv: Signal<In, Bit>,
    pub gmii_rx_er: Signal<In, Bit>,
    pub gmii_rxd: Signal<In, Bits<8>>,
    /// The PHY's report between frames, in the receive domain; unused unless the MAC is configured for it.
    pub phy_status: Signal<In, Bits<4>>,
    pub gmii_tx_en: Signal<Out, Bit>,
    pub gmii_tx_er: Signal<Out, Bit>,
    pub gmii_txd: Signal<Out, Bits<8>>,
    pub gmii_line_clock: Signal<Out, Bits<2>>,
    /// `Mac::queue`.
    pub queue: QueueOut,
    nic: Nic<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>,
    mac: Mac,
    split: AxilSplit,
    axil: AxilSlave,
    tap: RegTap,
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
        const P: usize,
        const P1: usize,
        const W: usize,
    > NicGmii<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>
{
    /// # Panics
    /// When a configuration is out of its range.
    pub fn new(nic: &NicConfig, mac: &MacConfig) -> Self {
        NicGmii {
            cr: Default::default(),
            rx_cr: Default::default(),
            tx_cr: Default::default(),
            host: Default::default(),
            mdio: Default::default(),
            device: Default::default(),
            manage: Default::default(),
            phy_report: Default::default(),
            hold_phy: Default::default(),
            line_state: Default::default(),
            gmii_rx_dv: Default::default(),
            gmii_rx_er: Default::default(),
            gmii_rxd: Default::default(),
            phy_status: Default::default(),
            gmii_tx_en: Default::default(),
            gmii_tx_er: Default::default(),
            gmii_txd: Default::default(),
            gmii_line_clock: Default::default(),
            queue: Default::default(),
            nic: Nic::new(nic),
            mac: Mac::new(mac),
            split: Default::default(),
            axil: Default::default(),
            tap: Default::default(),
        }
    }

    /// Core memory holds the words of `kit::IMAGE_FILE` when the FPGA is configured.
    pub fn set_image(&mut self) {
        self.nic.set_image();
    }
}

module! {
    impl [const L: usize, const L1: usize, const F: usize, const F1: usize, const S: usize, const S1: usize, const H: usize, const H1: usize, const N: usize, const N1: usize, const P: usize, const P1: usize, const W: usize] Logic for NicGmii<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>;
    regs: ;
    children: nic, mac, split, axil, tap;
    #[hdl_gen]
    fn update(&mut self) {
        Cr::link(&mut self.rx_cr, &mut self.mac.rx_cr);
        Cr::link(&mut self.tx_cr, &mut self.mac.tx_cr);
        MdioPins::link(&mut self.mdio, &mut self.mac.mdio);
        MdioUser::link(&mut self.manage, &mut self.mac.manage);
        DeviceBus::link(&mut self.device, &mut self.nic.device);
        QueueOut::link(&mut self.queue, &mut self.mac.queue);
        self.mac.guest.word.next = 0.into();
        self.mac.guest.valid.next = false;
        self.mac.guest.stop.next = false;
        self.mac.report.next = self.phy_report.val();
        self.mac.hold_phy.next = self.hold_phy.val();
        self.line_state.next = self.mac.line_state.val();

        // The host.
        self.host.m_axi_awaddr.next = self.nic.m_axi_awaddr.val();
        self.host.m_axi_awlen.next = self.nic.m_axi_awlen.val();
        self.host.m_axi_awsize.next = self.nic.m_axi_awsize.val();
        self.host.m_axi_awburst.next = self.nic.m_axi_awburst.val();
        self.host.m_axi_awvalid.next = self.nic.m_axi_awvalid.val();
        self.nic.m_axi_awready.next = self.host.m_axi_awready.val();
        self.host.m_axi_wdata.next = self.nic.m_axi_wdata.val();
        self.host.m_axi_wstrb.next = self.nic.m_axi_wstrb.val();
        self.host.m_axi_wlast.next = self.nic.m_axi_wlast.val();
        self.host.m_axi_wvalid.next = self.nic.m_axi_wvalid.val();
        self.nic.m_axi_wready.next = self.host.m_axi_wready.val();
        self.nic.m_axi_bresp.next = self.host.m_axi_bresp.val();
        self.nic.m_axi_bvalid.next = self.host.m_axi_bvalid.val();
        self.host.m_axi_bready.next = self.nic.m_axi_bready.val();
        self.host.m_axi_araddr.next = self.nic.m_axi_araddr.val();
        self.host.m_axi_arlen.next = self.nic.m_axi_arlen.val();
        self.host.m_axi_arsize.next = self.nic.m_axi_arsize.val();
        self.host.m_axi_arburst.next = self.nic.m_axi_arburst.val();
        self.host.m_axi_arvalid.next = self.nic.m_axi_arvalid.val();
        self.nic.m_axi_arready.next = self.host.m_axi_arready.val();
        self.nic.m_axi_rdata.next = self.host.m_axi_rdata.val();
        self.nic.m_axi_rresp.next = self.host.m_axi_rresp.val();
        self.nic.m_axi_rlast.next = self.host.m_axi_rlast.val();
        self.nic.m_axi_rvalid.next = self.host.m_axi_rvalid.val();
        self.host.m_axi_rready.next = self.nic.m_axi_rready.val();
        self.host.irq.next = self.nic.irq.val();
        self.split.awaddr.next = self.host.s_axil_awaddr.val();
        self.split.awvalid.next = self.host.s_axil_awvalid.val();
        self.host.s_axil_awready.next = self.split.awready.val();
        self.split.wdata.next = self.host.s_axil_wdata.val();
        self.split.wstrb.next = self.host.s_axil_wstrb.val();
        self.split.wvalid.next = self.host.s_axil_wvalid.val();
        self.host.s_axil_wready.next = self.split.wready.val();
        self.host.s_axil_bresp.next = self.split.bresp.val();
        self.host.s_axil_bvalid.next = self.split.bvalid.val();
        self.split.bready.next = self.host.s_axil_bready.val();
        self.split.araddr.next = self.host.s_axil_araddr.val();
        self.split.arvalid.next = self.host.s_axil_arvalid.val();
        self.host.s_axil_arready.next = self.split.arready.val();
        self.host.s_axil_rdata.next = self.split.rdata.val();
        self.host.s_axil_rresp.next = self.split.rresp.val();
        self.host.s_axil_rvalid.next = self.split.rvalid.val();
        self.split.rready.next = self.host.s_axil_rready.val();
        self.nic.s_axil_awaddr.next = self.split.a_awaddr.val();
        self.nic.s_axil_awvalid.next = self.split.a_awvalid.val();
        self.split.a_awready.next = self.nic.s_axil_awready.val();
        self.nic.s_axil_wdata.next = self.split.a_wdata.val();
        self.nic.s_axil_wstrb.next = self.split.a_wstrb.val();
        self.nic.s_axil_wvalid.next = self.split.a_wvalid.val();
        self.split.a_wready.next = self.nic.s_axil_wready.val();
        self.split.a_bresp.next = self.nic.s_axil_bresp.val();
        self.split.a_bvalid.next = self.nic.s_axil_bvalid.val();
        self.nic.s_axil_bready.next = self.split.a_bready.val();
        self.nic.s_axil_araddr.next = self.split.a_araddr.val();
        self.nic.s_axil_arvalid.next = self.split.a_arvalid.val();
        self.split.a_arready.next = self.nic.s_axil_arready.val();
        self.split.a_rdata.next = self.nic.s_axil_rdata.val();
        self.split.a_rresp.next = self.nic.s_axil_rresp.val();
        self.split.a_rvalid.next = self.nic.s_axil_rvalid.val();
        self.nic.s_axil_rready.next = self.split.a_rready.val();
        self.axil.port.awaddr.next = self.split.b_awaddr.val();
        self.axil.port.awvalid.next = self.split.b_awvalid.val();
        self.split.b_awready.next = self.axil.port.awready.val();
        self.axil.port.wdata.next = self.split.b_wdata.val();
        self.axil.port.wstrb.next = self.split.b_wstrb.val();
        self.axil.port.wvalid.next = self.split.b_wvalid.val();
        self.split.b_wready.next = self.axil.port.wready.val();
        self.split.b_bresp.next = self.axil.port.bresp.val();
        self.split.b_bvalid.next = self.axil.port.bvalid.val();
        self.axil.port.bready.next = self.split.b_bready.val();
        self.axil.port.araddr.next = self.split.b_araddr.val();
        self.axil.port.arvalid.next = self.split.b_arvalid.val();
        self.split.b_arready.next = self.axil.port.arready.val();
        self.split.b_rdata.next = self.axil.port.rdata.val();
        self.split.b_rresp.next = self.axil.port.rresp.val();
        self.split.b_rvalid.next = self.axil.port.rvalid.val();
        self.axil.port.rready.next = self.split.b_rready.val();

        // The MAC's registers.
        RegUser::join(&mut self.tap.block, &mut self.mac.bus);
        self.tap.up.write.next = self.axil.write.val();
        self.tap.up.write_addr.next = self.axil.write_addr.val();
        self.tap.up.write_data.next = self.axil.write_data.val();
        self.tap.up.read_addr.next = self.axil.read_addr.val();
        self.axil.write_hit.next = self.tap.up.write_hit.val();
        self.axil.read_hit.next = self.tap.up.read_hit.val();
        self.axil.read_data.next = self.tap.up.read_data.val();
        self.tap.down.write_hit.next = false;
        self.tap.down.read_hit.next = false;
        self.tap.down.read_data.next = 0.into();

        // Frames.
        self.nic.rx_tdata.next = self.mac.rx.tdata.val();
        self.nic.rx_tkeep.next = self.mac.rx.tkeep.val();
        self.nic.rx_tlast.next = self.mac.rx.tlast.val();
        self.nic.rx_tuser.next = self.mac.rx.tuser.val();
        self.nic.rx_tvalid.next = self.mac.rx.tvalid.val();
        self.mac.rx.tready.next = self.nic.rx_tready.val();
        self.mac.tx.tdata.next = self.nic.tx_tdata.val();
        self.mac.tx.tkeep.next = self.nic.tx_tkeep.val();
        self.mac.tx.tlast.next = self.nic.tx_tlast.val();
        self.mac.tx.tuser.next = false;
        self.mac.tx.tvalid.next = self.nic.tx_tvalid.val();
        self.nic.tx_tready.next = self.mac.tx.tready.val();

        // The line.
        self.mac.gmii_rx_dv.next = self.gmii_rx_dv.val();
        self.mac.gmii_rx_er.next = self.gmii_rx_er.val();
        self.mac.gmii_rxd.next = self.gmii_rxd.val();
        self.mac.inband.next = self.phy_status.val();
        self.gmii_tx_en.next = self.mac.gmii_tx_en.val();
        self.gmii_tx_er.next = self.mac.gmii_tx_er.val();
        self.gmii_txd.next = self.mac.gmii_txd.val();
        self.gmii_line_clock.next = self.mac.gmii_line_clock.val();
    }
}

/// See the module's header; sizes as in [`Nic`].
#[derive(Clone, Debug, LogicBlock)]
pub struct NicRgmii<
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
    const P: usize,
    const P1: usize,
    const W: usize,
> {
    pub cr: Cr,
    pub rx_cr: Cr,
    pub tx_cr: Cr,
    pub host: HostPins,
    pub mdio: MdioPins,
    /// The softcore's bus to devices of the board, the firmware's end of the MDIO master, and what the firmware knows of the
    /// PHY (`Mac::report`, `Mac::hold_phy`).
    pub device: DeviceBus,
    pub manage: MdioUser,
    pub phy_report: Signal<In, Bits<5>>,
    pub hold_phy: Signal<In, Bit>,
    /// `Mac::line_state`.
    pub line_state: Signal<Out, Bits<4>>,
    pub rgmii: RgmiiPins,
    inner: NicGmii<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>,
    pins: Rgmii,
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
        const P: usize,
        const P1: usize,
        const W: usize,
    > NicRgmii<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>
{
    /// # Panics
    /// When a configuration is out of its range.
    pub fn new(nic: &NicConfig, mac: &MacConfig, rgmii: &RgmiiConfig) -> Self {
        NicRgmii {
            cr: Default::default(),
            rx_cr: Default::default(),
            tx_cr: Default::default(),
            host: Default::default(),
            mdio: Default::default(),
            device: Default::default(),
            manage: Default::default(),
            phy_report: Default::default(),
            hold_phy: Default::default(),
            line_state: Default::default(),
            rgmii: Default::default(),
            inner: NicGmii::new(nic, mac),
            pins: Rgmii::new(rgmii),
        }
    }

    /// Core memory holds the words of `kit::IMAGE_FILE` when the FPGA is configured.
    pub fn set_image(&mut self) {
        self.inner.set_image();
    }
}

module! {
    impl [const L: usize, const L1: usize, const F: usize, const F1: usize, const S: usize, const S1: usize, const H: usize, const H1: usize, const N: usize, const N1: usize, const P: usize, const P1: usize, const W: usize] Logic for NicRgmii<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>;
    regs: ;
    children: inner;
    #[hdl_gen]
    fn update(&mut self) {
        Cr::link(&mut self.rx_cr, &mut self.inner.rx_cr);
        Cr::link(&mut self.tx_cr, &mut self.inner.tx_cr);
        Cr::link(&mut self.rx_cr, &mut self.pins.rx_cr);
        Cr::link(&mut self.tx_cr, &mut self.pins.tx_cr);
        HostPins::link(&mut self.host, &mut self.inner.host);
        MdioPins::link(&mut self.mdio, &mut self.inner.mdio);
        MdioUser::link(&mut self.manage, &mut self.inner.manage);
        DeviceBus::link(&mut self.device, &mut self.inner.device);
        self.inner.queue.pop.next = false;
        self.inner.queue.sent.next = false;
        self.inner.queue.underflow.next = false;
        self.inner.phy_report.next = self.phy_report.val();
        self.inner.hold_phy.next = self.hold_phy.val();
        self.line_state.next = self.inner.line_state.val();
        RgmiiPins::link(&mut self.rgmii, &mut self.pins.pins);
        self.inner.gmii_rx_dv.next = self.pins.rx_dv.val();
        self.inner.gmii_rx_er.next = self.pins.rx_er.val();
        self.inner.gmii_rxd.next = self.pins.rxd.val();
        self.inner.phy_status.next = self.pins.inband.val();
        self.pins.tx_en.next = self.inner.gmii_tx_en.val();
        self.pins.tx_er.next = self.inner.gmii_tx_er.val();
        self.pins.txd.next = self.inner.gmii_txd.val();
        self.pins.line_clock.next = self.inner.gmii_line_clock.val();
    }
}

//! A board without its clocks and pads: the NIC on the first Ethernet port, the host link on the second, or both on the only one. It
//! is what every board's top instantiates, and what co-simulation runs as a board that is reached by frames alone (`nic_link`).
//!
//! ```text
//!  eth0 ◄─► Rgmii ◄─► NicGmii ◄─ AXI4, AXI4-Lite, irq ─► HostLink ◄─ streams ─► Mac ◄─► Rgmii ◄─► eth1
//! ```
//!
//! With [`Ports::Shared`] the host link's MAC owns the line of `eth0`, the NIC's MAC is its guest (`mac`), and `eth1` is not there. So
//! neither the reset of a new session nor what a driver writes to the MAC's registers reaches the link that carries it.
//!
//! Clocks, each with its synchronous reset: `cr` (host link) and `nic_cr` (NIC), which are the same clock with two resets:
//! whoever instantiates this drives the second high while `link_resets_nic` is, which is high while the first is and for 16
//! cycles at the start of each session; `tx0_cr` and `tx1_cr` (125 MHz, the transmit sides: one clock, but each port at its edge of the
//! device has a reset of its own); `rx0_cr` and `rx1_cr` (the PHYs' receive clocks, the same one when the port is shared). The second MAC keeps its reset settings: promiscuous, the speed that its PHY reports. The board's devices keep what
//! they hold while the NIC is reset. This module only connects.
//! Verified by `tests/tests/hostlink.rs`.

use super::devices::BoardDevices;
use super::Board;
use crate::kit::{Cr, Reg};
use crate::link::BoardHostLink;
use crate::mac::line::QueueOut;
use crate::mac::rgmii::{RgmiiConfig, RgmiiPins};
use crate::mac::{Line, Mac, MacConfig, MdioPins, Rgmii};
use crate::module;
use crate::nic::{by_size, NicConfig};
use crate::nic_mac::NicGmii;
use baton_abi::mmio::board;
use rust_hdl::prelude::*;

/// Which Ethernet ports a board has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// One for the network, one for the host link.
    Two,
    /// One for both.
    Shared,
}

/// Of the co-simulated core clock.
const SIMULATED_KHZ: u32 = 100_000;

/// Verilog of [`BoardCore`] for co-simulation; the top module is `nic_link`.
pub fn verilog(nic: &NicConfig, rgmii: &RgmiiConfig) -> String {
    // PHYs that need no time.
    let devices = BoardDevices::new(board::MODEL, SIMULATED_KHZ);
    sized(nic, rgmii, Ports::Two, devices)
}

/// As [`verilog`], with ports, sizes and delays of `board`, and PHYs that its firmware sets up and that need no time. The host loads the
/// firmware.
pub fn verilog_of(board: &Board) -> String {
    let nic = NicConfig { boot_ticks_per_us: None, ..board.nic() };
    let kind = board.kind_word() & !(0xFF << baton_abi::mmio::BOARD_RESET_MS_SHIFT);
    sized(&nic, &board.rgmii, board.ports, BoardDevices::new(kind, SIMULATED_KHZ))
}

fn sized(nic: &NicConfig, rgmii: &RgmiiConfig, ports: Ports, devices: BoardDevices) -> String {
    named(by_size!(
        nic.receive,
        BoardCore as Chosen,
        crate::emit::verilog("nic_link", Chosen::new(nic, rgmii, ports, devices))
    ))
}

/// The names of bundles are no part of the names of pins.
fn named(text: String) -> String {
    let text = ["cr$clock", "cr$reset"].iter().fold(text, |text, name| text.replace(name, &name[3..]));
    ["eth0", "eth1", "mdio1", "mdio"]
        .iter()
        .fold(text, |text, bundle| text.replace(&format!("{bundle}$"), &format!("{bundle}_")))
}

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
    const P: usize,
    const P1: usize,
    const W: usize,
> {
    pub cr: Cr,
    pub nic_cr: Cr,
    pub tx0_cr: Cr,
    pub tx1_cr: Cr,
    pub rx0_cr: Cr,
    pub rx1_cr: Cr,
    pub eth0: RgmiiPins,
    /// Where there is a second port.
    pub eth1: RgmiiPins,
    pub mdio: MdioPins,
    /// Of the second port, where it has a bus of its own.
    pub mdio1: MdioPins,
    pub uart_tx: Signal<Out, Bit>,
    /// Own address of the host link, byte 0 lowest; constant.
    pub station: Signal<In, Bits<48>>,
    /// A session stands.
    pub linked: Signal<Out, Bit>,
    pub link_resets_nic: Signal<Out, Bit>,
    /// Link, 1000 Mb/s and full duplex of port 0, and in bits 5:3 of port 1; none without a link.
    pub lines: Signal<Out, Bits<6>>,
    nic: NicGmii<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>,
    nic_pins: Rgmii,
    link: BoardHostLink,
    link_mac: Mac,
    link_pins: Rgmii,
    hold_nic: Reg<Bit>,
    devices: BoardDevices,
    status0: Signal<Local, Bits<18>>,
    status1: Signal<Local, Bits<18>>,
    /// Bits 0, 2 and 3 of a MAC's `line_state`.
    lines0: Signal<Local, Bits<6>>,
    lines1: Signal<Local, Bits<6>>,
    lamps: Reg<Bits<6>>,
    shared: Constant<Bit>,
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
    > BoardCore<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>
{
    /// # Panics
    /// When a configuration is out of its range.
    pub fn new(nic: &NicConfig, rgmii: &RgmiiConfig, ports: Ports, devices: BoardDevices) -> Self {
        // The core takes what comes but for the time of a loopback frame, in which the line brings 240 words at most: a block of
        // memory is enough where there are no jumbo frames. It gives a frame's words faster than the line sends them, and without a pause:
        // a few words are enough, in distributed memory, which answers sooner than a block.
        let mac = |line, has_registers| MacConfig {
            inband_status: true,
            rx_words_log2: 9,
            tx_words_log2: 5,
            line,
            has_registers,
            ..MacConfig::default()
        };
        let [nic_line, link_line] = match ports {
            Ports::Two => [Line::Own; 2],
            Ports::Shared => [Line::Guest, Line::Shared],
        };
        BoardCore {
            cr: Default::default(),
            nic_cr: Default::default(),
            tx0_cr: Default::default(),
            tx1_cr: Default::default(),
            rx0_cr: Default::default(),
            rx1_cr: Default::default(),
            eth0: Default::default(),
            eth1: Default::default(),
            mdio: Default::default(),
            mdio1: Default::default(),
            uart_tx: Default::default(),
            station: Default::default(),
            linked: Default::default(),
            link_resets_nic: Default::default(),
            lines: Default::default(),
            nic: NicGmii::new(nic, &mac(nic_line, true)),
            nic_pins: Rgmii::new(rgmii),
            link: Default::default(),
            link_mac: Mac::new(&mac(link_line, false)),
            link_pins: Rgmii::new(rgmii),
            hold_nic: Reg::new(true),
            devices,
            status0: Default::default(),
            status1: Default::default(),
            lines0: Default::default(),
            lines1: Default::default(),
            lamps: Default::default(),
            shared: Constant::new(ports == Ports::Shared),
        }
    }

    /// Core memory holds the words of `kit::IMAGE_FILE` when the FPGA is configured.
    pub fn set_image(&mut self) {
        self.nic.set_image();
    }
}

module! {
    impl [const L: usize, const L1: usize, const F: usize, const F1: usize, const S: usize, const S1: usize, const H: usize, const H1: usize, const N: usize, const N1: usize, const P: usize, const P1: usize, const W: usize] Logic for BoardCore<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>;
    regs: hold_nic, lamps;
    children: link, link_mac, devices;
    #[hdl_gen]
    fn update(&mut self) {
        Cr::link(&mut self.nic_cr, &mut self.nic.cr);
        Cr::link(&mut self.rx0_cr, &mut self.nic.rx_cr);
        Cr::link(&mut self.tx0_cr, &mut self.nic.tx_cr);
        Cr::link(&mut self.rx0_cr, &mut self.nic_pins.rx_cr);
        Cr::link(&mut self.tx0_cr, &mut self.nic_pins.tx_cr);
        Cr::link(&mut self.rx1_cr, &mut self.link_mac.rx_cr);
        Cr::link(&mut self.tx1_cr, &mut self.link_mac.tx_cr);
        Cr::link(&mut self.rx1_cr, &mut self.link_pins.rx_cr);
        Cr::link(&mut self.tx1_cr, &mut self.link_pins.tx_cr);
        RgmiiPins::link(&mut self.eth0, &mut self.nic_pins.pins);
        RgmiiPins::link(&mut self.eth1, &mut self.link_pins.pins);
        MdioPins::link(&mut self.mdio, &mut self.nic.mdio);
        MdioPins::link(&mut self.mdio1, &mut self.link_mac.mdio);
        QueueOut::join(&mut self.nic.queue, &mut self.link_mac.guest);
        self.link_mac.queue.pop.next = false;
        self.link_mac.queue.sent.next = false;
        self.link_mac.queue.underflow.next = false;

        self.link.station.next = self.station.val();
        self.linked.next = self.link.linked.val();
        // A register, so that no logic stands before a net that reaches all of the NIC.
        self.hold_nic.d.next = self.link.nic_reset.val();
        self.link_resets_nic.next = self.hold_nic.q.val();

        // Devices. Both PHYs report their lines in-band.
        self.devices.addr.next = self.nic.device.addr.val();
        self.devices.write.next = self.nic.device.write.val();
        self.devices.wdata.next = self.nic.device.wdata.val();
        self.nic.device.rdata.next = self.devices.rdata.val();
        self.nic.manage.start.next = self.devices.start0.val();
        self.nic.manage.command.next = self.devices.command.val();
        self.link_mac.manage.start.next = self.devices.start1.val();
        self.link_mac.manage.command.next = self.devices.command.val();
        self.status0.next = bit_cast::<18, 16>(self.nic.manage.data.val())
            | (bit_cast::<18, 1>(self.nic.manage.busy.val().into()) << 16)
            | (bit_cast::<18, 1>(self.nic.manage.no_answer.val().into()) << 17);
        self.status1.next = bit_cast::<18, 16>(self.link_mac.manage.data.val())
            | (bit_cast::<18, 1>(self.link_mac.manage.busy.val().into()) << 16)
            | (bit_cast::<18, 1>(self.link_mac.manage.no_answer.val().into()) << 17);
        self.devices.status0.next = self.status0.val();
        self.devices.status1.next = self.status1.val();
        self.lines0.next = 0.into();
        if self.nic.line_state.val().get_bit(0) {
            self.lines0.next = (bit_cast::<6, 2>(self.nic.line_state.val().get_bits::<2>(2)) << 1) | 1;
        }
        self.lines1.next = 0.into();
        if self.link_mac.line_state.val().get_bit(0) {
            self.lines1.next = (bit_cast::<6, 2>(self.link_mac.line_state.val().get_bits::<2>(2)) << 1) | 1;
        }
        self.lamps.d.next = self.lines0.val() | (self.lines1.val() << 3);
        self.lines.next = self.lamps.q.val();
        self.nic.hold_phy.next = self.devices.hold_phy.val();
        self.link_mac.hold_phy.next = self.devices.hold_phy.val();
        self.nic.phy_report.next = 0.into();
        self.uart_tx.next = self.devices.uart_tx.val();

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

        // The host link's frames.
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

        // The lines.
        self.nic.gmii_rx_dv.next = self.nic_pins.rx_dv.val();
        self.nic.gmii_rx_er.next = self.nic_pins.rx_er.val();
        self.nic.gmii_rxd.next = self.nic_pins.rxd.val();
        self.nic.phy_status.next = self.nic_pins.inband.val();
        self.nic_pins.tx_en.next = self.nic.gmii_tx_en.val();
        self.nic_pins.tx_er.next = self.nic.gmii_tx_er.val();
        self.nic_pins.txd.next = self.nic.gmii_txd.val();
        self.nic_pins.line_clock.next = self.nic.gmii_line_clock.val();
        self.link_mac.gmii_rx_dv.next = self.link_pins.rx_dv.val();
        self.link_mac.gmii_rx_er.next = self.link_pins.rx_er.val();
        self.link_mac.gmii_rxd.next = self.link_pins.rxd.val();
        self.link_mac.inband.next = self.link_pins.inband.val();
        self.link_pins.tx_en.next = self.link_mac.gmii_tx_en.val();
        self.link_pins.tx_er.next = self.link_mac.gmii_tx_er.val();
        self.link_pins.txd.next = self.link_mac.gmii_txd.val();
        self.link_pins.line_clock.next = self.link_mac.gmii_line_clock.val();
        if self.shared.val() {
            self.nic_pins.tx_en.next = self.link_mac.gmii_tx_en.val();
            self.nic_pins.tx_er.next = self.link_mac.gmii_tx_er.val();
            self.nic_pins.txd.next = self.link_mac.gmii_txd.val();
            self.nic_pins.line_clock.next = self.link_mac.gmii_line_clock.val();
            self.link_mac.gmii_rx_dv.next = self.nic_pins.rx_dv.val();
            self.link_mac.gmii_rx_er.next = self.nic_pins.rx_er.val();
            self.link_mac.gmii_rxd.next = self.nic_pins.rxd.val();
            self.link_mac.inband.next = self.nic_pins.inband.val();
        }
    }
}

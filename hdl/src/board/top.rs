//! The top of a board: PLL, resets, pads, and what is between them (`BoardCore`).
//!
//! Ports: `oscillator`; of each Ethernet port `eth0_…`, `eth1_…` with its receive clock `eth0_rx_clk`; the management bus
//! `mdio`, `mdc`, `phy_reset_n`, and the second port's where it has one; the console `uart_tx`; the lamps `linked_n` and
//! `lines_n`. A board's [`Board::absent`] pins are no ports. All resets end after the PLL has locked; the receive domains' need the PHY's clock for it.

use super::core::{BoardCore, Ports};
use super::devices::BoardDevices;
use super::Board;
use crate::kit::{BidirPad, Pad, Pll, ResetSync};
use crate::mac::rgmii::RgmiiPins;
use rust_hdl::prelude::*;

/// Address of the host link on every board, locally administered: the PC finds it by broadcast, over a cable of its own or, where
/// the port is shared, on a network with one such board.
pub const STATION: [u8; 6] = [0x02, 0xBA, 0x70, 0x0E, 0, 1];

/// See the module's header; sizes as in `crate::nic::Nic`.
#[derive(Clone, Debug, LogicBlock)]
pub struct Top<
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
    pub oscillator: Signal<In, Clock>,
    pub eth0_rx_clk: Signal<In, Clock>,
    pub eth1_rx_clk: Signal<In, Clock>,
    pub eth0: RgmiiPins,
    pub eth1: RgmiiPins,
    pub mdio: Pad,
    pub mdc: Signal<Out, Bit>,
    pub phy_reset_n: Signal<Out, Bit>,
    /// The second port's, where they are its own.
    pub mdio1: Pad,
    pub mdc1: Signal<Out, Bit>,
    pub phy1_reset_n: Signal<Out, Bit>,
    pub uart_tx: Signal<Out, Bit>,
    /// Low while a PC's session stands.
    pub linked_n: Signal<Out, Bit>,
    /// Low for link, 1000 Mb/s and full duplex of port 0, and in bits 5:3 of port 1.
    pub lines_n: Signal<Out, Bits<6>>,
    pll: Pll,
    core_reset: ResetSync,
    tx0_reset: ResetSync,
    tx1_reset: ResetSync,
    rx0_reset: ResetSync,
    rx1_reset: ResetSync,
    mdio_pad: BidirPad,
    mdio1_pad: BidirPad,
    core: BoardCore<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>,
    station: Constant<Bits<48>>,
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
    > Top<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>
{
    /// The top of `board`.
    pub fn new(board: &Board) -> Self {
        let devices = BoardDevices::new(board.kind_word(), board.pll.core_khz());
        let mut core = BoardCore::new(&board.nic(), &board.rgmii, board.ports, devices);
        core.set_image();
        let second_bus = board.ports == Ports::Two && !board.shared_bus;
        let station = STATION.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        Top {
            oscillator: Default::default(),
            eth0_rx_clk: Default::default(),
            eth1_rx_clk: Default::default(),
            eth0: Default::default(),
            eth1: Default::default(),
            mdio: Default::default(),
            mdc: Default::default(),
            phy_reset_n: Default::default(),
            mdio1: Default::default(),
            mdc1: Default::default(),
            phy1_reset_n: Default::default(),
            uart_tx: Default::default(),
            linked_n: Default::default(),
            lines_n: Default::default(),
            pll: Pll::new(&board.pll),
            core_reset: Default::default(),
            tx0_reset: Default::default(),
            tx1_reset: Default::default(),
            rx0_reset: Default::default(),
            rx1_reset: Default::default(),
            mdio_pad: Default::default(),
            mdio1_pad: if second_bus { BidirPad::default() } else { BidirPad::absent() },
            core,
            station: Constant::new(station.into()),
            shared: Constant::new(board.ports == Ports::Shared),
        }
    }
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
    > Logic for Top<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>
{
    #[hdl_gen]
    fn update(&mut self) {
        self.pll.oscillator.next = self.oscillator.val();
        self.core_reset.clock.next = self.pll.core.val();
        self.tx0_reset.clock.next = self.pll.line.val();
        self.tx1_reset.clock.next = self.pll.line.val();
        self.rx0_reset.clock.next = self.eth0_rx_clk.val();
        self.rx1_reset.clock.next = self.eth1_rx_clk.val();
        self.core_reset.ready.next = self.pll.locked.val();
        self.tx0_reset.ready.next = self.pll.locked.val();
        self.tx1_reset.ready.next = self.pll.locked.val();
        self.rx0_reset.ready.next = self.pll.locked.val();
        self.rx1_reset.ready.next = self.pll.locked.val();
        self.core.cr.clock.next = self.pll.core.val();
        self.core.cr.reset.next = self.core_reset.reset.val();
        self.core.nic_cr.clock.next = self.pll.core.val();
        self.core.nic_cr.reset.next = self.core.link_resets_nic.val();
        self.core.station.next = self.station.val();
        self.linked_n.next = !self.core.linked.val();
        self.lines_n.next = !self.core.lines.val();
        self.core.tx0_cr.clock.next = self.pll.line.val();
        self.core.tx0_cr.reset.next = self.tx0_reset.reset.val();
        self.core.tx1_cr.clock.next = self.pll.line.val();
        self.core.tx1_cr.reset.next = self.tx1_reset.reset.val();
        self.core.rx0_cr.clock.next = self.eth0_rx_clk.val();
        self.core.rx0_cr.reset.next = self.rx0_reset.reset.val();
        self.core.rx1_cr.clock.next = self.eth1_rx_clk.val();
        self.core.rx1_cr.reset.next = self.rx1_reset.reset.val();
        RgmiiPins::link(&mut self.eth0, &mut self.core.eth0);
        RgmiiPins::link(&mut self.eth1, &mut self.core.eth1);
        Pad::link(&mut self.mdio, &mut self.mdio_pad.pad);
        self.mdio_pad.o.next = self.core.mdio.mdio_o.val();
        self.mdio_pad.oe.next = self.core.mdio.mdio_oe.val();
        self.core.mdio.mdio_i.next = self.mdio_pad.i.val();
        self.mdc.next = self.core.mdio.mdc.val();
        self.phy_reset_n.next = self.core.mdio.phy_reset_n.val();
        if self.shared.val() {
            // Not from the register with which a driver would cut off its own link.
            self.phy_reset_n.next = self.core.mdio1.phy_reset_n.val();
        }
        Pad::link(&mut self.mdio1, &mut self.mdio1_pad.pad);
        self.mdio1_pad.o.next = self.core.mdio1.mdio_o.val();
        self.mdio1_pad.oe.next = self.core.mdio1.mdio_oe.val();
        self.core.mdio1.mdio_i.next = self.mdio1_pad.i.val();
        self.mdc1.next = self.core.mdio1.mdc.val();
        self.phy1_reset_n.next = self.core.mdio1.phy_reset_n.val();
        self.uart_tx.next = self.core.uart_tx.val();
    }
}

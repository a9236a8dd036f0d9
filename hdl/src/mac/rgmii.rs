//! RGMII v2: GMII on half the pins, both clock edges, and the PHY's status between frames.
//!
//! Receive: `rx_ctl` is `rx_dv` at the rising edge and `rx_dv` xor `rx_er` at the falling one; data 3:0
//! come with the rising, 7:4 with the falling edge. Transmit the same way round; the line's clock comes
//! from a DDR cell as well, so that at 25 and 2.5 MHz it has its exact half periods (`TxGear`). Between
//! frames the PHY shows link, speed and duplex on `rd`; `inband` holds the last of it.
//!
//! Clocks: `rx_cr` is the PHY's receive clock as it comes from its pin, `tx_cr` 125 MHz. DDR cells add a
//! cycle in transmit and two in receive. The delay of 2 ns that RGMII asks for between data and clock is
//! made by the PHY, or here: `tx_delay_ps` delays the transmit clock, `rx_delay_ps` the receive data and
//! control, each by a pin cell (`kit::PinDelay`). Verified in `cosim/tests/mac_rgmii.rs`, with models of
//! the cells.

use crate::kit::{Cr, DdrIn, DdrOut, PinDelay, Reg};
use rust_hdl::prelude::*;

/// The pins towards the PHY.
#[derive(Clone, Debug, Default, LogicInterface)]
pub struct RgmiiPins {
    pub rx_ctl: Signal<In, Bit>,
    pub rd: Signal<In, Bits<4>>,
    pub tx_clk: Signal<Out, Bit>,
    pub tx_ctl: Signal<Out, Bit>,
    pub td: Signal<Out, Bits<4>>,
}

/// Delays that a board needs here, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RgmiiConfig {
    /// Of the transmit clock; at most 3175.
    pub tx_delay_ps: u32,
    /// Of receive data and control; at most 3175.
    pub rx_delay_ps: u32,
}

/// See the module's header.
#[derive(Clone, Debug, LogicBlock)]
pub struct Rgmii {
    pub rx_cr: Cr,
    pub tx_cr: Cr,
    pub pins: RgmiiPins,
    pub rx_dv: Signal<Out, Bit>,
    pub rx_er: Signal<Out, Bit>,
    pub rxd: Signal<Out, Bits<8>>,
    pub inband: Signal<Out, Bits<4>>,
    pub tx_en: Signal<In, Bit>,
    pub tx_er: Signal<In, Bit>,
    pub txd: Signal<In, Bits<8>>,
    pub line_clock: Signal<In, Bits<2>>,

    rx_delay: PinDelay<5>,
    rx_cells: DdrIn<5>,
    tx_cells: DdrOut<5>,
    clock_cell: DdrOut<1>,
    clock_delay: PinDelay<1>,
    status: Reg<Bits<4>>,
    dv: Signal<Local, Bit>,
    er: Signal<Local, Bit>,
    tx_rise: Signal<Local, Bits<5>>,
    tx_fall: Signal<Local, Bits<5>>,
}

impl Rgmii {
    /// # Panics
    /// When a delay is longer than its cell can make.
    pub fn new(config: &RgmiiConfig) -> Self {
        Rgmii {
            rx_cr: Default::default(),
            tx_cr: Default::default(),
            pins: Default::default(),
            rx_dv: Default::default(),
            rx_er: Default::default(),
            rxd: Default::default(),
            inband: Default::default(),
            tx_en: Default::default(),
            tx_er: Default::default(),
            txd: Default::default(),
            line_clock: Default::default(),
            rx_delay: PinDelay::new(config.rx_delay_ps),
            rx_cells: Default::default(),
            tx_cells: Default::default(),
            clock_cell: Default::default(),
            clock_delay: PinDelay::new(config.tx_delay_ps),
            status: Default::default(),
            dv: Default::default(),
            er: Default::default(),
            tx_rise: Default::default(),
            tx_fall: Default::default(),
        }
    }
}

impl Logic for Rgmii {
    #[hdl_gen]
    fn update(&mut self) {
        Cr::link(&mut self.rx_cr, &mut self.rx_cells.cr);
        Cr::link(&mut self.rx_cr, &mut self.status.cr);
        Cr::link(&mut self.tx_cr, &mut self.tx_cells.cr);
        Cr::link(&mut self.tx_cr, &mut self.clock_cell.cr);

        // Bit 4 is control, the others are data.
        self.rx_delay.d.next =
            bit_cast::<5, 4>(self.pins.rd.val()) | (bit_cast::<5, 1>(self.pins.rx_ctl.val().into()) << 4);
        self.rx_cells.pins.next = self.rx_delay.q.val();
        self.dv.next = self.rx_cells.rise.val().get_bit(4);
        self.er.next = self.rx_cells.rise.val().get_bit(4) ^ self.rx_cells.fall.val().get_bit(4);
        self.rx_dv.next = self.dv.val();
        self.rx_er.next = self.er.val();
        self.rxd.next = bit_cast::<8, 4>(self.rx_cells.rise.val().get_bits::<4>(0))
            | (bit_cast::<8, 4>(self.rx_cells.fall.val().get_bits::<4>(0)) << 4);
        self.status.d.next = self.status.q.val();
        if !self.dv.val() && !self.er.val() {
            self.status.d.next = self.rx_cells.rise.val().get_bits::<4>(0);
        }
        self.inband.next = self.status.q.val();

        self.tx_rise.next = bit_cast::<5, 4>(self.txd.val().get_bits::<4>(0))
            | (bit_cast::<5, 1>(self.tx_en.val().into()) << 4);
        self.tx_fall.next = bit_cast::<5, 4>(self.txd.val().get_bits::<4>(4))
            | (bit_cast::<5, 1>((self.tx_en.val() ^ self.tx_er.val()).into()) << 4);
        self.tx_cells.rise.next = self.tx_rise.val();
        self.tx_cells.fall.next = self.tx_fall.val();
        self.pins.td.next = self.tx_cells.pins.val().get_bits::<4>(0);
        self.pins.tx_ctl.next = self.tx_cells.pins.val().get_bit(4);
        self.clock_cell.rise.next = self.line_clock.val().get_bits::<1>(0);
        self.clock_cell.fall.next = self.line_clock.val().get_bits::<1>(1);
        self.clock_delay.d.next = self.clock_cell.pins.val();
        self.pins.tx_clk.next = self.clock_delay.q.val().any();
    }
}

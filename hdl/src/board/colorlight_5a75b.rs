//! Colorlight 5A-75B v8.2: LFE5U-25F of speed grade 6, two RTL8211FD on one management bus; the receive delay is made here.
//! Its one LED is on the console's pin.

use super::core::Ports;
use super::Board;
use crate::kit::PllConfig;
use crate::mac::rgmii::RgmiiConfig;
use crate::nic::ReceiveSize;
use baton_abi::mmio::board;

pub const BOARD: Board = Board {
    name: "colorlight-5a75b",
    device: "25k",
    package: "CABGA256",
    speed: 6,
    pll: PllConfig { input_mhz: 25, input_div: 1, feedback: 5, line_div: 6, core_div: 15 },
    ports: Ports::Two,
    rgmii: RgmiiConfig { tx_delay_ps: 0, rx_delay_ps: 2_000 },
    kind: board::COLORLIGHT_5A75B,
    reset_ms: 80,
    shared_bus: true,
    absent: &["mdio1", "mdc1", "phy1_reset_n", "linked_n", "lines_n"],
    receive: ReceiveSize::Small,
    connections: 0,
    core_memory_kib: 32,
};

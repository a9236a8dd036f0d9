//! Colorlight i9 v7.2: LFE5U-45F of speed grade 6, two B50612D on one management bus; the receive delay is made here.

use super::core::Ports;
use super::Board;
use crate::kit::PllConfig;
use crate::mac::rgmii::RgmiiConfig;
use crate::nic::ReceiveSize;
use baton_abi::mmio::board;

pub const BOARD: Board = Board {
    name: "colorlight-i9",
    device: "45k",
    package: "CABGA381",
    speed: 6,
    pll: PllConfig { input_mhz: 25, input_div: 1, feedback: 5, line_div: 6, core_div: 15 },
    ports: Ports::Two,
    rgmii: RgmiiConfig { tx_delay_ps: 0, rx_delay_ps: 2_000 },
    kind: board::COLORLIGHT_I9,
    reset_ms: 20,
    shared_bus: true,
    absent: &["mdio1", "mdc1", "phy1_reset_n", "lines_n"],
    receive: ReceiveSize::Small,
    connections: 64,
    core_memory_kib: 64,
};

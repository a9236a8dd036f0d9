//! Colorlight 5A-75B v8.2: LFE5U-25F of speed grade 6, two RTL8211FD on one management bus; the receive delay is made here.

use super::Board;
use crate::kit::PllConfig;
use crate::mac::rgmii::RgmiiConfig;
use crate::nic::ReceiveSize;

pub const BOARD: Board = Board {
    name: "colorlight-5a75b",
    device: "25k",
    package: "CABGA256",
    speed: 6,
    pll: PllConfig { input_mhz: 25, input_div: 1, feedback: 5, line_div: 6, core_div: 15 },
    rgmii: RgmiiConfig { tx_delay_ps: 0, rx_delay_ps: 2_000 },
    receive: ReceiveSize::Small,
    connections: 1,
    core_memory_kib: 32,
};

//! Colorlight i9 v7.2: LFE5U-45F of speed grade 6, two B50612D on one management bus; the receive delay is made here.

use super::Board;
use crate::kit::PllConfig;
use crate::mac::rgmii::RgmiiConfig;
use crate::nic::ReceiveSize;

pub const BOARD: Board = Board {
    name: "colorlight-i9",
    device: "45k",
    package: "CABGA381",
    speed: 6,
    pll: PllConfig { input_mhz: 25, input_div: 1, feedback: 5, line_div: 6, core_div: 15 },
    rgmii: RgmiiConfig { tx_delay_ps: 0, rx_delay_ps: 2_000 },
    receive: ReceiveSize::Small,
    connections: 48,
    core_memory_kib: 80,
};

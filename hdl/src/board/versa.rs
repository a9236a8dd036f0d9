//! Lattice ECP5-5G Versa (LFE5UM5G-45F-VERSA-EVN): PHY1 is the network, PHY2 the host link, both 88E1512 that make the delays.

use super::core::Ports;
use super::Board;
use crate::kit::PllConfig;
use crate::mac::rgmii::RgmiiConfig;
use crate::nic::ReceiveSize;
use baton_abi::mmio::board;

pub const BOARD: Board = Board {
    name: "versa",
    device: "um5g-45k",
    package: "CABGA381",
    speed: 8,
    pll: PllConfig { input_mhz: 100, input_div: 4, feedback: 5, line_div: 6, core_div: 10 },
    ports: Ports::Two,
    rgmii: RgmiiConfig { tx_delay_ps: 0, rx_delay_ps: 0 },
    kind: board::VERSA,
    reset_ms: 20,
    shared_bus: false,
    absent: &[],
    receive: ReceiveSize::Small,
    connections: 256,
    core_memory_kib: 112,
};

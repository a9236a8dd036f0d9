//! LambdaConcept ECPIX-5 (LFE5UM5G-85F-8BG554C): one KSZ9031RNX, whose line the network and the host link share.
//!
//! Pins and delays are those of litex-boards: that PHY makes a receive delay of 1.2 ns by itself and none in transmit, so the
//! transmit clock's 2 ns are made here. Its pins for data and mode are the same, so that the constraints pull up what it reads from them.

use super::core::Ports;
use super::Board;
use crate::kit::PllConfig;
use crate::mac::rgmii::RgmiiConfig;
use crate::nic::ReceiveSize;
use baton_abi::mmio::board;

pub const BOARD: Board = Board {
    name: "ecpix5",
    device: "um5g-85k",
    package: "CABGA554",
    speed: 8,
    pll: PllConfig { input_mhz: 100, input_div: 4, feedback: 5, line_div: 6, core_div: 15 },
    ports: Ports::Shared,
    rgmii: RgmiiConfig { tx_delay_ps: 2_000, rx_delay_ps: 0 },
    kind: board::ECPIX5,
    reset_ms: 20,
    shared_bus: false,
    absent: &[
        "eth1_rx_clk",
        "eth1_rx_ctl",
        "eth1_rd",
        "eth1_tx_clk",
        "eth1_tx_ctl",
        "eth1_td",
        "mdio1",
        "mdc1",
        "phy1_reset_n",
    ],
    receive: ReceiveSize::Board,
    connections: 1024,
    core_memory_kib: 320,
};

//! Boards: what each of them is made of, and the top that is built for it.
//!
//! A board is a [`Board`], one file each; pins and clock constraints are in `constraints/`. `cargo xtask fpga BOARD` builds
//! the bitstream. [`Board::verilog`] is the top: [`top`] has the clocks and pads, [`core`] everything else.

pub mod colorlight_5a75b;
pub mod colorlight_i9;
pub mod core;
pub mod top;
pub mod versa;

use crate::kit::PllConfig;
use crate::mac::rgmii::RgmiiConfig;
use crate::nic::ReceiveSize;
use top::Top;

/// What a board is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Name on the command line and of the top module.
    pub name: &'static str,
    /// Options of nextpnr-ecp5 for the part.
    pub device: &'static str,
    pub package: &'static str,
    pub speed: u32,
    pub pll: PllConfig,
    /// Delays of both RGMII ports.
    pub rgmii: RgmiiConfig,
    pub receive: ReceiveSize,
    /// Connections that the firmware is built for.
    pub connections: u32,
    /// Core memory for firmware and connections.
    pub core_memory_kib: u32,
}

/// All boards.
pub const BOARDS: &[Board] = &[versa::BOARD, colorlight_i9::BOARD, colorlight_5a75b::BOARD];

impl Board {
    /// The board of this name.
    pub fn named(name: &str) -> Option<&'static Board> {
        BOARDS.iter().find(|board| board.name == name)
    }

    /// Verilog of the whole board; the top module is `baton`. Core memory holds what `kit::IMAGE_FILE` does.
    pub fn verilog(&self) -> String {
        let text = match self.receive {
            ReceiveSize::Full => {
                crate::emit::verilog("baton", Top::<12, 13, 7, 8, 12, 13, 13, 14, 13, 14>::new(self))
            }
            ReceiveSize::Board => {
                crate::emit::verilog("baton", Top::<10, 11, 5, 6, 10, 11, 11, 12, 12, 13>::new(self))
            }
            ReceiveSize::Small => {
                crate::emit::verilog("baton", Top::<9, 10, 5, 6, 10, 11, 11, 12, 11, 12>::new(self))
            }
        };
        // The names of bundles are no part of the names of pins.
        text.replace("eth0$", "eth0_").replace("eth1$", "eth1_").replace("mdio$pin", "mdio")
    }
}

#[cfg(test)]
mod tests {
    use super::BOARDS;

    #[test]
    fn lines_run_at_125_mhz_and_the_core_in_whole_megahertz() {
        for board in BOARDS {
            assert_eq!(board.pll.line_khz(), 125_000, "{}", board.name);
            assert_eq!(board.pll.core_khz() % 1000, 0, "{}", board.name);
        }
    }
}

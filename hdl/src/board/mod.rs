//! Boards: what each of them is made of, and the top that is built for it.
//!
//! A board is a [`Board`], one file each; pins and clock constraints are in `constraints/`. `cargo xtask fpga BOARD` builds
//! the bitstream. [`Board::verilog`] is the top: [`top`] has the clocks and pads, [`core`] everything else.

pub mod colorlight_5a75b;
pub mod colorlight_i9;
pub mod core;
pub mod devices;
pub mod top;
pub mod versa;

use crate::kit::PllConfig;
use crate::mac::rgmii::RgmiiConfig;
use crate::nic::ReceiveSize;
use baton_abi::mmio;
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
    /// Number of the board (`abi::mmio::board`), by which the firmware knows its PHYs.
    pub kind: u32,
    /// Milliseconds that its PHYs are held in reset, and then need before they answer; at most 255.
    pub reset_ms: u32,
    /// Both PHYs are on the management bus and the reset of port 0.
    pub shared_bus: bool,
    /// Pins of the top that the board does not have.
    pub absent: &'static [&'static str],
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
                crate::emit::verilog("baton", Top::<8, 9, 5, 6, 10, 11, 11, 12, 11, 12>::new(self))
            }
        };
        // The names of bundles are no part of the names of pins.
        let text = text.replace("eth0$", "eth0_").replace("eth1$", "eth1_");
        let text = text.replace("mdio$pin", "mdio").replace("mdio1$pin", "mdio1");
        self.absent.iter().fold(text, |text, pin| without_pin(&text, pin))
    }

    /// Contents of BOARD_KIND.
    pub fn kind_word(&self) -> u32 {
        let shared = if self.shared_bus { mmio::BOARD_SHARED_BUS } else { 0 };
        self.kind | self.reset_ms << mmio::BOARD_RESET_MS_SHIFT | shared
    }
}

/// The text with an output or bidirectional pin of the top as a signal inside it, which goes nowhere.
fn without_pin(text: &str, pin: &str) -> String {
    let (start, rest) = text.split_once("module baton(").expect("the top is there");
    let (body, rest) = rest.split_once("endmodule").expect("the top ends");
    let (ports, body) = body.split_once(");").expect("the top has ports");
    let ports: Vec<&str> = ports.split(',').filter(|port| *port != pin).collect();
    let mut lines = Vec::new();
    for line in body.split('\n') {
        let declares =
            line.trim_end().strip_suffix(';').is_some_and(|line| line.ends_with(&format!(" {pin}")));
        lines.push(match declares {
            true => line.replace("inout ", "").replace("output ", ""),
            false => line.to_string(),
        });
    }
    format!("{start}module baton({});{}endmodule{rest}", ports.join(","), lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{without_pin, BOARDS};

    #[test]
    fn a_pin_that_a_board_lacks_is_no_port() {
        let text = "module baton(a,led,b);\n  output reg  led;\n  output reg  b;\nendmodule\nmodule c(led);\n  output reg  led;\nendmodule";
        let expected = "module baton(a,b);\n  reg  led;\n  output reg  b;\nendmodule\nmodule c(led);\n  output reg  led;\nendmodule";
        assert_eq!(without_pin(text, "led"), expected);
    }

    #[test]
    fn lines_run_at_125_mhz_and_the_core_in_whole_megahertz() {
        for board in BOARDS {
            assert_eq!(board.pll.line_khz(), 125_000, "{}", board.name);
            assert_eq!(board.pll.core_khz() % 1000, 0, "{}", board.name);
        }
    }
}

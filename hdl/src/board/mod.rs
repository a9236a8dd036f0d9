//! Boards: what each of them is made of, and the top that is built for it.
//!
//! A board is a [`Board`], one file each; pins and clock constraints are in `constraints/`. `cargo xtask fpga BOARD` builds
//! the bitstream. [`Board::verilog`] is the top: [`top`] has the clocks and pads, [`core`] everything else.

pub mod colorlight_5a75b;
pub mod colorlight_i9;
pub mod core;
pub mod devices;
pub mod ecpix5;
pub mod top;
pub mod versa;

use self::core::Ports;
use crate::kit::PllConfig;
use crate::mac::rgmii::RgmiiConfig;
use crate::nic::{by_size, NicConfig, ReceiveSize};
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
    pub ports: Ports,
    /// Delays of both RGMII ports.
    pub rgmii: RgmiiConfig,
    /// Number of the board (`abi::mmio::board`), by which the firmware knows its PHYs.
    pub kind: u32,
    /// Milliseconds that its PHYs are held in reset, and then need before they answer; at most 255.
    pub reset_ms: u32,
    /// Both PHYs are on the management bus and the reset of port 0.
    pub shared_bus: bool,
    /// Pins of the top that the board does not have. An input among them is one of port 1, and reads what port 0's does.
    pub absent: &'static [&'static str],
    pub receive: ReceiveSize,
    /// Connections that the firmware is built for. With none there is no handoff, in hardware either.
    pub connections: u32,
    /// Core memory for firmware and connections.
    pub core_memory_kib: u32,
}

/// All boards.
pub const BOARDS: &[Board] = &[versa::BOARD, ecpix5::BOARD, colorlight_i9::BOARD, colorlight_5a75b::BOARD];

impl Board {
    /// The board of this name.
    pub fn named(name: &str) -> Option<&'static Board> {
        BOARDS.iter().find(|board| board.name == name)
    }

    /// Verilog of the whole board; the top module is `baton`. Core memory holds what `kit::IMAGE_FILE` does.
    pub fn verilog(&self) -> String {
        let text = by_size!(self.receive, Top as Chosen, crate::emit::verilog("baton", Chosen::new(self)));
        // The names of bundles are no part of the names of pins.
        let text = text.replace("eth0$", "eth0_").replace("eth1$", "eth1_");
        let text = text.replace("mdio$pin", "mdio").replace("mdio1$pin", "mdio1");
        self.absent.iter().fold(text, |text, pin| without_pin(&text, pin))
    }

    /// What its NIC is made of.
    pub fn nic(&self) -> NicConfig {
        NicConfig {
            core_memory_bytes: self.core_memory_kib * 1024,
            receive: self.receive,
            boot_ticks_per_us: Some((self.pll.core_khz() / 1000) as u16),
            pace: false,
            handoff: self.connections != 0,
        }
    }

    /// Contents of BOARD_KIND.
    pub fn kind_word(&self) -> u32 {
        let shared = if self.shared_bus { mmio::BOARD_SHARED_BUS } else { 0 };
        self.kind | self.reset_ms << mmio::BOARD_RESET_MS_SHIFT | shared
    }
}

/// The text with a pin of the top as a signal inside it: an output goes nowhere, an input of port 1 is that of port 0.
fn without_pin(text: &str, pin: &str) -> String {
    let (start, rest) = text.split_once("module baton(").expect("the top is there");
    let (body, rest) = rest.split_once("endmodule").expect("the top ends");
    let (ports, body) = body.split_once(");").expect("the top has ports");
    let ports: Vec<&str> = ports.split(',').filter(|port| *port != pin).collect();
    let mut lines = Vec::new();
    for line in body.split('\n') {
        let declares =
            line.trim_end().strip_suffix(';').is_some_and(|line| line.ends_with(&format!(" {pin}")));
        lines.push(match (declares, line.split_once("input ")) {
            (true, Some((indent, wire))) => {
                format!("{indent}{} = {};", wire.trim_end_matches(';'), pin.replace("eth1", "eth0"))
            }
            (true, None) => line.replace("inout ", "").replace("output ", ""),
            (false, _) => line.to_string(),
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
        let text = "module baton(eth0_rd,eth1_rd);\n  input wire [3:0] eth0_rd;\n  input wire [3:0] eth1_rd;\nendmodule\n";
        let expected = "module baton(eth0_rd);\n  input wire [3:0] eth0_rd;\n  wire [3:0] eth1_rd = eth0_rd;\nendmodule\n";
        assert_eq!(without_pin(text, "eth1_rd"), expected);
    }

    /// The constraints of a board place the pins of its top, each once, and nothing else.
    #[test]
    fn every_pin_has_its_place() {
        for board in BOARDS {
            // The circuit's structures are large, so that the thread that makes them needs a large stack.
            let maker = std::thread::Builder::new().stack_size(64 << 20).spawn(|| board.verilog()).unwrap();
            let text = maker.join().unwrap();
            let (ports, body) = text.split_once("module baton(").unwrap().1.split_once(");").unwrap();
            let mut pins: Vec<String> = Vec::new();
            for port in ports.split(',') {
                let declares = |line: &&str| line.trim_end().ends_with(&format!(" {port};"));
                let line = body.lines().find(declares).unwrap();
                match line.split_once('[').and_then(|(_, rest)| rest.split_once(':')) {
                    Some((msb, _)) => {
                        pins.extend((0..=msb.parse::<u32>().unwrap()).map(|bit| format!("{port}[{bit}]")))
                    }
                    None => pins.push(port.into()),
                }
            }
            let file = board.name.replace('-', "_");
            let path = format!("{}/../constraints/{file}/{file}.lpf", env!("CARGO_MANIFEST_DIR"));
            let constraints = std::fs::read_to_string(path).unwrap();
            let located =
                |line: &str| Some(line.strip_prefix("LOCATE COMP \"")?.split_once('"')?.0.to_string());
            let mut located: Vec<String> = constraints.lines().filter_map(located).collect();
            let mut sites: Vec<&str> = constraints
                .lines()
                .filter_map(|line| line.split_once(" SITE "))
                .map(|(_, site)| site)
                .collect();
            pins.sort();
            located.sort();
            sites.sort();
            assert_eq!(located, pins, "{}", board.name);
            assert!(sites.windows(2).all(|pair| pair[0] != pair[1]), "{}: a site twice", board.name);
        }
    }

    #[test]
    fn lines_run_at_125_mhz_and_the_core_in_whole_megahertz() {
        for board in BOARDS {
            assert_eq!(board.pll.line_khz(), 125_000, "{}", board.name);
            assert_eq!(board.pll.core_khz() % 1000, 0, "{}", board.name);
        }
    }
}

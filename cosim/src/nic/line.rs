//! The NIC with its MAC, behind a PHY: [`LineNic`] has the pins of `nic_top`, and its frames pass GMII or
//! RGMII.
//!
//! A frame that comes on the `rx_*` pins goes to the MAC as a PHY would give it, with preamble and check
//! sequence (a wrong one if `rx_tuser` said so); what the MAC sends comes out on `tx_*` if its check
//! sequence is right. So everything that runs on `nic_top` runs here, with a line of the given speed, three
//! unrelated clocks and the whole MAC in between.

use super::Nic;
use crate::{
    block::{Model, Port},
    clocks::{ClockId, Clocks, Rising},
    gmii::{Receiver, Sender, Shape, Symbol},
    library::Flavour,
    pins::{NicIn, NicOut, Pin, Ports},
};
use anyhow::Result;
use std::collections::VecDeque;

/// Which pins the PHY has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhyPins {
    /// Of `nic_gmii`.
    Gmii,
    /// Of `nic_rgmii`, whose text needs the models of `hdl/models/ecp5_ddr.v`.
    Rgmii,
}

/// What the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineConfig {
    pub pins: PhyPins,
    /// Period of the core clock; one call of `cycle` is one of these.
    pub core_ps: u64,
    /// Period of the PHY's receive clock: 8000, 40000 or 400000 ps, give or take what oscillators do.
    pub rx_ps: u64,
    /// Period of the transmit clock, near 8000 ps.
    pub tx_ps: u64,
    /// The line runs at 10 or 100 Mb/s.
    pub nibbles: bool,
    /// What an RGMII PHY reports between frames: link, speed (2:1), duplex.
    pub status: u8,
}

struct PhyPorts {
    /// `rx_dv`, `rx_er`, `rxd`; or `rx_ctl`, nothing, `rd`.
    rx: [Port; 3],
    tx: [Port; 3],
    line_clock: Port,
}

/// See the module's header.
pub struct LineNic {
    model: Model,
    clocks: Clocks,
    config: LineConfig,
    core: ClockId,
    rx_clock: ClockId,
    tx_clock: ClockId,
    inputs: Vec<Option<Port>>,
    outputs: Vec<Option<Port>>,
    phy: PhyPorts,
    sender: Sender,
    receiver: Receiver,
    incoming: Vec<u8>,
    /// Of the symbol on RGMII's pins: the half that the falling edge takes.
    second_half: (bool, u8),
    line_before: u64,
    first_half: (bool, u8),
    /// Words of whole frames for the `tx_*` pins.
    words: VecDeque<(u32, u8, bool)>,
    /// Frames from the MAC whose check sequence was wrong or that were broken off.
    pub broken: u64,
    /// Frames from the MAC.
    pub frames: u64,
}

/// Pins of `nic_top` that the NIC with a MAC has not.
fn is_stream(pin: &str) -> bool {
    pin.starts_with("rx_") || pin.starts_with("tx_") || pin.starts_with("core_")
}

impl LineNic {
    /// Verilates module `top` of `verilog`, or takes it from the cache, and resets it.
    pub fn new(top: &str, verilog: &str, config: LineConfig) -> Result<LineNic> {
        let model = Model::with_flavour(top, verilog, Flavour { fast: true, trace: false }, 1)?;
        let mut clocks = Clocks::default();
        let core = clocks.add(&model, "clock", config.core_ps, 0)?;
        let rx_clock = clocks.add(&model, "rx_clock", config.rx_ps, 1_111)?;
        let tx_clock = clocks.add(&model, "tx_clock", config.tx_ps, 2_222)?;
        let find = |pins: &[Pin]| -> Result<Vec<Option<Port>>> {
            pins.iter().map(|(name, _)| (!is_stream(name)).then(|| model.port(name)).transpose()).collect()
        };
        let (inputs, outputs) = (find(NicIn::PINS)?, find(NicOut::PINS)?);
        let ports = |names: [&str; 3]| -> Result<[Port; 3]> {
            let [a, b, c] = names.map(|name| model.port(name));
            Ok([a?, b?, c?])
        };
        let phy = match config.pins {
            PhyPins::Gmii => PhyPorts {
                rx: ports(["gmii_rx_dv", "gmii_rx_er", "gmii_rxd"])?,
                tx: ports(["gmii_tx_en", "gmii_tx_er", "gmii_txd"])?,
                line_clock: model.port("gmii_line_clock")?,
            },
            PhyPins::Rgmii => PhyPorts {
                rx: ports(["rgmii_rx_ctl", "rgmii_rx_ctl", "rgmii_rd"])?,
                tx: ports(["rgmii_tx_ctl", "rgmii_tx_ctl", "rgmii_td"])?,
                line_clock: model.port("rgmii_tx_clk")?,
            },
        };
        let mut sender = Sender::new(config.nibbles);
        sender.idle = config.status;
        let mut nic = LineNic {
            model,
            clocks,
            config,
            core,
            rx_clock,
            tx_clock,
            inputs,
            outputs,
            phy,
            sender,
            receiver: Receiver::new(config.nibbles),
            incoming: Vec::new(),
            second_half: (false, 0),
            line_before: 0,
            first_half: (false, 0),
            words: VecDeque::new(),
            broken: 0,
            frames: 0,
        };
        nic.reset(true);
        for _ in 0..4 + 4 * config.rx_ps.max(config.tx_ps) / config.core_ps {
            nic.cycle(&NicIn { reset: true, ..NicIn::default() }, Ports::ALL, &mut NicOut::default());
        }
        nic.reset(false);
        Ok(nic)
    }

    fn reset(&mut self, level: bool) {
        for port in ["reset", "rx_reset", "tx_reset"] {
            self.model.poke(port, level.into());
        }
    }

    /// A word of the stream towards the MAC.
    fn word_in(&mut self, pins: &NicIn) {
        if !pins.rx_tvalid {
            return;
        }
        let bytes = if pins.rx_tlast { pins.rx_tkeep.count_ones() as usize } else { 4 };
        self.incoming.extend(&pins.rx_tdata.to_le_bytes()[..bytes]);
        if pins.rx_tlast {
            let frame = std::mem::take(&mut self.incoming);
            self.sender.frame(&frame, &Shape { bad_fcs: pins.rx_tuser, ..Shape::default() });
        }
    }

    fn symbol_out(&mut self, symbol: Symbol) {
        let Some(frame) = self.receiver.cycle(symbol) else { return };
        self.frames += 1;
        let Some(bytes) = frame.payload() else {
            self.broken += 1;
            return;
        };
        let count = bytes.len().div_ceil(4);
        for (index, chunk) in bytes.chunks(4).enumerate() {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            self.words.push_back((u32::from_le_bytes(word), (1 << chunk.len()) - 1, index + 1 == count));
        }
    }

    /// The PHY's pins, after an edge.
    fn line(&mut self, rising: Rising, rx_high: bool, tx_high: bool) {
        let rx_edge = rx_high != self.clocks.is_high(self.rx_clock);
        let [dv, er, rxd] = self.phy.rx;
        match self.config.pins {
            PhyPins::Gmii if rising.has(self.rx_clock) => {
                let symbol = self.sender.cycle();
                self.model.set(dv, symbol.valid.into());
                self.model.set(er, symbol.error.into());
                self.model.set(rxd, symbol.data.into());
            }
            // Pins change between the edges, as behind RGMII's delay: after one edge for the next.
            PhyPins::Rgmii if rx_edge => {
                let (ctl, data) = if rising.has(self.rx_clock) {
                    self.second_half
                } else {
                    let symbol = self.sender.cycle();
                    self.second_half = (symbol.valid ^ symbol.error, symbol.data >> 4);
                    (symbol.valid, symbol.data & 15)
                };
                self.model.set(dv, ctl.into());
                self.model.set(rxd, data.into());
            }
            _ => {}
        }
        if tx_high == self.clocks.is_high(self.tx_clock) {
            return;
        }
        let line = self.model.get(self.phy.line_clock);
        let [en, er, txd] = self.phy.tx.map(|port| self.model.get(port));
        match self.config.pins {
            PhyPins::Gmii if rising.has(self.tx_clock) => {
                if line & 1 == 1 && self.line_before & 2 == 0 {
                    self.symbol_out(Symbol { valid: en == 1, error: er == 1, data: txd as u8 });
                }
            }
            PhyPins::Rgmii if line == 1 && self.line_before == 0 => self.first_half = (en == 1, txd as u8),
            PhyPins::Rgmii if line == 0 && self.line_before == 1 => {
                let (valid, low) = self.first_half;
                let data = low | (txd as u8) << 4;
                self.symbol_out(Symbol { valid, error: valid != (en == 1), data });
            }
            _ => {}
        }
        if self.config.pins == PhyPins::Rgmii || rising.has(self.tx_clock) {
            self.line_before = line;
        }
    }
}

impl Nic for LineNic {
    fn cycle(&mut self, pins: &NicIn, _: Ports, out: &mut NicOut) -> Ports {
        let (model, inputs) = (&mut self.model, &self.inputs);
        pins.each(|at, value| {
            if let Some(port) = inputs[at] {
                model.set(port, value);
            }
        });
        self.word_in(pins);
        loop {
            let rising = self.clocks.before_edge(&mut self.model);
            let is_core = rising.has(self.core);
            let (model, outputs) = (&self.model, &self.outputs);
            if is_core {
                *out = NicOut::from_each(|at| outputs[at].map_or(0, |port| model.get(port)));
            }
            let high = [self.rx_clock, self.tx_clock].map(|clock| self.clocks.is_high(clock));
            self.clocks.edge(&mut self.model);
            let word = self.words.front().copied();
            self.line(rising, high[0], high[1]);
            if is_core {
                out.rx_tready = true;
                if let Some((data, keep, last)) = word {
                    (out.tx_tvalid, out.tx_tdata, out.tx_tkeep, out.tx_tlast) = (true, data, keep, last);
                    if pins.tx_tready {
                        self.words.pop_front();
                    }
                }
                return Ports::ALL;
            }
        }
    }
}

//! The NIC with its host link at the pins of two PHYs: [`LinkedNic`] is a board that is reached by frames alone.
//!
//! Nothing of AXI is visible from outside: what the host does comes as frames on the second port, or on the first of a board that has but
//! one. Each port is a full-duplex line at
//! 1 Gb/s with a receive clock of its own. A frame that the board sends is given out if its check sequence is right.

use crate::{
    block::{Model, Port},
    clocks::{ClockId, Clocks},
    gmii::{Receiver, Sender, Shape, Symbol},
    library::Flavour,
    mdio,
};
use anyhow::Result;
use std::collections::VecDeque;

/// Link up, 1000 Mb/s, full duplex, as an RGMII PHY reports it between frames.
const STATUS: u8 = 0b1101;

struct Phy {
    rx_clock: ClockId,
    rx_ctl: Port,
    rd: Port,
    tx_clk: Port,
    tx_ctl: Port,
    td: Port,
    sender: Sender,
    receiver: Receiver,
    second_half: (bool, u8),
    first_half: (bool, u8),
    line_before: bool,
    frames: VecDeque<Vec<u8>>,
    broken: u64,
    /// MDC, data and its driver, and what the master sees.
    management: [Port; 4],
    /// Behind the port's management bus.
    registers: mdio::Phy,
}

/// See the module's header.
pub struct LinkedNic {
    model: Model,
    clocks: Clocks,
    core: ClockId,
    tx_clock: ClockId,
    phys: [Phy; 2],
    nic_reset: Port,
    console: Port,
    console_text: Console,
    link_resets_nic: Port,
    lines: Port,
    cycles: u64,
}

impl LinkedNic {
    /// Verilates `nic_link` of `verilog` (with the models of `hdl/models/ecp5_ddr.v`), or takes it from the cache, and resets
    /// it. `core_ps` is the period of the core clock; `station` the link's address.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn new(verilog: &str, core_ps: u64, station: [u8; 6]) -> Result<Self> {
        LinkedNic::with(verilog, core_ps, station, [(8_001, 1_111), (7_999, 3_333)])
    }

    /// The same for a board whose port 0 is the host link's as well: both receive sides run on its clock, and port 1 leads nowhere.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn shared(verilog: &str, core_ps: u64, station: [u8; 6]) -> Result<Self> {
        LinkedNic::with(verilog, core_ps, station, [(8_001, 1_111); 2])
    }

    /// With period and phase of both receive clocks.
    fn with(verilog: &str, core_ps: u64, station: [u8; 6], rx: [(u64, u64); 2]) -> Result<Self> {
        let model = Model::with_flavour("nic_link", verilog, Flavour { fast: true, trace: false }, 1)?;
        let mut clocks = Clocks::default();
        let core = clocks.add(&model, "clock", core_ps, 0)?;
        clocks.add(&model, "nic_clock", core_ps, 0)?;
        let rx = [
            clocks.add(&model, "rx0_clock", rx[0].0, rx[0].1)?,
            clocks.add(&model, "rx1_clock", rx[1].0, rx[1].1)?,
        ];
        let tx_clock = clocks.add(&model, "tx0_clock", 8_000, 2_222)?;
        clocks.add(&model, "tx1_clock", 8_000, 2_222)?;
        let phy = |index: usize| -> Result<Phy> {
            let port = |pin: &str| model.port(&format!("eth{index}_{pin}"));
            let bus = if index == 0 { "mdio" } else { "mdio1" };
            let managed = |pin: &str| model.port(&format!("{bus}_{pin}"));
            let mut sender = Sender::new(false);
            sender.idle = STATUS;
            Ok(Phy {
                rx_clock: rx[index],
                rx_ctl: port("rx_ctl")?,
                rd: port("rd")?,
                tx_clk: port("tx_clk")?,
                tx_ctl: port("tx_ctl")?,
                td: port("td")?,
                sender,
                receiver: Receiver::new(false),
                second_half: (false, 0),
                first_half: (false, 0),
                line_before: false,
                frames: VecDeque::new(),
                broken: 0,
                management: [managed("mdc")?, managed("mdio_o")?, managed("mdio_oe")?, managed("mdio_i")?],
                registers: mdio::Phy::new(index as u16, 100_000),
            })
        };
        let phys = [phy(0)?, phy(1)?];
        let console = model.port("uart_tx")?;
        let (nic_reset, link_resets_nic) = (model.port("nic_reset")?, model.port("link_resets_nic")?);
        let lines = model.port("lines")?;
        let mut nic = LinkedNic {
            model,
            clocks,
            core,
            tx_clock,
            phys,
            nic_reset,
            console,
            console_text: Console::default(),
            link_resets_nic,
            lines,
            cycles: 0,
        };
        nic.model.poke("station", station.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte)));
        nic.reset();
        Ok(nic)
    }

    /// Resets everything, for as long as each clock needs.
    pub fn reset(&mut self) {
        let resets = ["reset", "nic_reset", "rx0_reset", "rx1_reset", "tx0_reset", "tx1_reset"];
        resets.iter().for_each(|port| self.model.poke(port, 1));
        for _ in 0..16 {
            self.cycle_with(true);
        }
        resets.iter().for_each(|port| self.model.poke(port, 0));
    }

    /// Puts a frame without check sequence on the line towards port 0 (network) or 1 (host link).
    pub fn send(&mut self, port: usize, frame: &[u8]) {
        let mut frame = frame.to_vec();
        frame.resize(frame.len().max(60), 0);
        self.phys[port].sender.frame(&frame, &Shape::default());
    }

    /// Bytes that wait for the line towards a port.
    pub fn backlog(&self, port: usize) -> usize {
        self.phys[port].sender.pending()
    }

    /// The next frame that came out of a port.
    pub fn receive(&mut self, port: usize) -> Option<Vec<u8>> {
        self.phys[port].frames.pop_front()
    }

    /// Frames that came out of either port damaged.
    pub fn broken(&self) -> u64 {
        self.phys.iter().map(|phy| phy.broken).sum()
    }

    /// The registers of a port's PHY, behind its management bus: address 0 on that of port 0, 1 on that of port 1.
    pub fn phy_mut(&mut self, port: usize) -> &mut mdio::Phy {
        &mut self.phys[port].registers
    }

    /// What came out of the console.
    pub fn console(&self) -> &str {
        &self.console_text.text
    }

    /// A port's PHY reports this between frames from now on: link, speed (2:1) and duplex.
    pub fn report(&mut self, port: usize, status: u8) {
        self.phys[port].sender.idle = status;
    }

    /// The lamps of both ports: link, 1000 Mb/s and full duplex of port 0, and in bits 5:3 of port 1.
    pub fn lines(&self) -> u64 {
        self.model.get(self.lines)
    }

    /// Core clock cycles so far.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Simulated time, in picoseconds.
    pub fn now_ps(&self) -> u64 {
        self.clocks.now_ps()
    }

    /// One core clock cycle.
    pub fn cycle(&mut self) {
        self.cycle_with(false);
    }

    fn cycle_with(&mut self, reset: bool) {
        loop {
            let rising = self.clocks.before_edge(&mut self.model);
            let is_core = rising.has(self.core);
            let high = self.phys.each_ref().map(|phy| self.clocks.is_high(phy.rx_clock));
            let tx_high = self.clocks.is_high(self.tx_clock);
            self.clocks.edge(&mut self.model);
            let tx_edge = tx_high != self.clocks.is_high(self.tx_clock);
            for (phy, was_high) in self.phys.iter_mut().zip(high) {
                let now_high = self.clocks.is_high(phy.rx_clock);
                if now_high != was_high {
                    phy.drive(&mut self.model, now_high);
                }
                if tx_edge {
                    phy.sample(&self.model);
                }
            }
            if is_core {
                if !reset {
                    let resets = self.model.is_high(self.link_resets_nic);
                    self.model.set(self.nic_reset, resets.into());
                }
                let now_ps = self.clocks.now_ps();
                for phy in &mut self.phys {
                    let [mdc, data, drives] = [0, 1, 2].map(|pin| self.model.is_high(phy.management[pin]));
                    let level = phy.registers.clock(mdc, drives.then_some(data), now_ps);
                    self.model.set(phy.management[3], level.into());
                }
                self.console_text.cycle(self.model.is_high(self.console));
                self.cycles += 1;
                return;
            }
        }
    }
}

/// Reads the console's line, at 115,200 bits a second of a 100 MHz clock.
#[derive(Default)]
struct Console {
    text: String,
    /// Cycles since the start bit began, while a byte is under way.
    since: Option<u32>,
    byte: u8,
}

impl Console {
    const CYCLES_A_BIT: u32 = 868;

    fn cycle(&mut self, level: bool) {
        let Some(since) = &mut self.since else {
            self.since = (!level).then_some(0);
            return;
        };
        *since += 1;
        if *since % Self::CYCLES_A_BIT != Self::CYCLES_A_BIT / 2 {
            return;
        }
        match *since / Self::CYCLES_A_BIT {
            0 => {}
            9 => {
                self.text.push(if level { char::from(self.byte) } else { char::REPLACEMENT_CHARACTER });
                self.since = None;
            }
            _ => self.byte = self.byte >> 1 | u8::from(level) << 7,
        }
    }
}

impl Phy {
    /// Pins change between the edges, as behind RGMII's delay: after one edge for the next.
    fn drive(&mut self, model: &mut Model, high: bool) {
        let (ctl, data) = match high {
            true => self.second_half,
            false => {
                let symbol = self.sender.cycle();
                self.second_half = (symbol.valid ^ symbol.error, symbol.data >> 4);
                (symbol.valid, symbol.data & 15)
            }
        };
        model.set(self.rx_ctl, ctl.into());
        model.set(self.rd, data.into());
    }

    fn sample(&mut self, model: &Model) {
        let line = model.is_high(self.tx_clk);
        let (ctl, data) = (model.is_high(self.tx_ctl), model.get(self.td) as u8);
        match (self.line_before, line) {
            (false, true) => self.first_half = (ctl, data),
            (true, false) => {
                let (valid, low) = self.first_half;
                let symbol = Symbol { valid, error: valid != ctl, data: low | data << 4 };
                if let Some(frame) = self.receiver.cycle(symbol) {
                    match frame.payload() {
                        Some(bytes) => self.frames.push_back(bytes.to_vec()),
                        None => self.broken += 1,
                    }
                }
            }
            _ => {}
        }
        self.line_before = line;
    }
}

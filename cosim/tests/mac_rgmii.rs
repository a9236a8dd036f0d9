//! RGMII: the adaptation of `mac::rgmii` with models of its DDR cells, against GMII symbol by symbol.

mod support;

use baton_cosim::{block::Model, clocks::Clocks, gmii::Symbol};
use baton_hdl::{
    emit,
    mac::rgmii::{Rgmii, RgmiiConfig},
};
use std::collections::VecDeque;
use support::Chance;

fn model() -> Model {
    let config = RgmiiConfig { tx_delay_ps: 2_000, rx_delay_ps: 2_000 };
    let text = emit::verilog("rgmii", Rgmii::new(&config));
    // 2 ns are 80 steps, on the clock and on five inputs.
    assert_eq!(text.matches("DELAYG #(.DEL_MODE(\"SCLK_ALIGNED\"), .DEL_VALUE(80))").count(), 6);
    assert_eq!(text.matches("ODDRX1F").count(), 6);
    assert_eq!(text.matches("IDDRX1F").count(), 5);
    Model::build("rgmii", &(text + include_str!("../../hdl/models/ecp5_ddr.v"))).unwrap()
}

#[test]
fn without_a_delay_there_is_no_delay_cell() {
    let text = emit::verilog("rgmii", Rgmii::new(&RgmiiConfig::default()));
    assert!(!text.contains("DELAYG"));
}

/// What the PHY puts on the pins in the two halves of a cycle is one GMII symbol, two edges later; between
/// frames the status is held.
#[test]
fn received_symbols_are_those_of_gmii() {
    let mut dut = model();
    let mut clocks = Clocks::default();
    let clock = clocks.add(&dut, "rx_cr$clock", 8_000, 0).unwrap();
    let [ctl, rd] = ["pins$rx_ctl", "pins$rd"].map(|name| dut.port(name).unwrap());
    let [dv, er, rxd, inband] = ["rx_dv", "rx_er", "rxd", "inband"].map(|name| dut.port(name).unwrap());
    let mut chance = Chance::new(70);
    let mut sent: VecDeque<Symbol> = VecDeque::new();
    let (mut checked, mut status, mut statuses) = (0, 0u64, 0);
    // The second half of the symbol on the pins.
    let mut second: Option<(bool, u8)> = None;
    for _ in 0..20_000 {
        let rising = clocks.before_edge(&mut dut);
        // The symbol that the rising edge before the last one sampled.
        if rising.has(clock) && sent.len() == 3 {
            let want = sent.pop_front().unwrap();
            let got = Symbol { valid: dut.is_high(dv), error: dut.is_high(er), data: dut.get(rxd) as u8 };
            assert_eq!(got, want);
            checked += 1;
            assert_eq!(dut.get(inband), status);
            if !want.valid && !want.error {
                status = u64::from(want.data & 15);
                statuses += 1;
            }
        }
        clocks.edge(&mut dut);
        // Pins change between the edges, as behind a delay of a quarter of a period: what is set here is
        // sampled by the next edge.
        if rising.has(clock) {
            if let Some((level, data)) = second.take() {
                dut.set(ctl, level.into());
                dut.set(rd, data.into());
            }
        } else {
            let symbol = Symbol {
                valid: chance.permille(500),
                error: chance.permille(200),
                data: chance.below(256) as u8,
            };
            sent.push_back(symbol);
            dut.set(ctl, symbol.valid.into());
            dut.set(rd, (symbol.data & 15).into());
            second = Some((symbol.valid ^ symbol.error, symbol.data >> 4));
        }
    }
    assert!(checked > 9_000 && statuses > 1_000);
}

/// The pins show data 3:0 and enable while the transmit clock is high, data 7:4 and enable xor error while
/// it is low; the line's clock does in each half what it was told.
#[test]
fn sent_symbols_use_both_halves_of_the_clock() {
    let mut dut = model();
    let mut clocks = Clocks::default();
    let clock = clocks.add(&dut, "tx_cr$clock", 8_000, 0).unwrap();
    let [en, er, txd, line] = ["tx_en", "tx_er", "txd", "line_clock"].map(|name| dut.port(name).unwrap());
    let [clk, ctl, td] = ["pins$tx_clk", "pins$tx_ctl", "pins$td"].map(|name| dut.port(name).unwrap());
    let mut chance = Chance::new(71);
    let mut shown = (Symbol::default(), 0u64);
    let mut taken = (Symbol::default(), 0u64);
    for step in 0..20_000 {
        let rising = clocks.before_edge(&mut dut);
        clocks.edge(&mut dut);
        let half = if rising.has(clock) {
            taken = shown;
            false
        } else {
            true
        };
        if step > 4 {
            let (symbol, line) = taken;
            let nibble = if half { symbol.data >> 4 } else { symbol.data & 15 };
            assert_eq!(dut.get(td), u64::from(nibble));
            assert_eq!(dut.is_high(ctl), if half { symbol.valid ^ symbol.error } else { symbol.valid });
            assert_eq!(dut.get(clk), line >> u64::from(half) & 1);
        }
        if rising.has(clock) {
            shown.0 = Symbol {
                valid: chance.permille(500),
                error: chance.permille(200),
                data: chance.below(256) as u8,
            };
            shown.1 = chance.below(4).into();
            dut.set(en, shown.0.valid.into());
            dut.set(er, shown.0.error.into());
            dut.set(txd, shown.0.data.into());
            dut.set(line, shown.1);
        }
    }
}

//! Double-data-rate pins of the Lattice ECP5, behind three cells; nothing else names a vendor's primitive.
//!
//! The cells only instantiate ODDRX1F, IDDRX1F and DELAYG, one for each of `N` pins.
//! `hdl/models/ecp5_ddr.v` has models of those for simulation. Verified, with their neighbours, in
//! `cosim/tests/mac_rgmii.rs`.

use super::Cr;
use rust_hdl::prelude::*;

/// `N` pins that show `rise` while the clock is high and `fall` while it is low, both as they were at the
/// rising edge before. Low after reset.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct DdrOut<const N: usize> {
    pub cr: Cr,
    pub rise: Signal<In, Bits<N>>,
    pub fall: Signal<In, Bits<N>>,
    pub pins: Signal<Out, Bits<N>>,
}

impl<const N: usize> Logic for DdrOut<N> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.pins.connect();
    }

    fn hdl(&self) -> Verilog {
        let cells = each(N, |n, i| {
            format!(
                "ODDRX1F oddr_{n} (.SCLK(cr$clock), .RST(cr$reset), .D0(rise{i}), .D1(fall{i}), .Q(q{i}));\n"
            )
        });
        Verilog::Custom(format!("wire [{}:0] q;\n{cells}always @(*) pins = q;\n", N - 1))
    }
}

/// What `N` pins showed at the last rising edge but one (`rise`), and at the falling edge after it (`fall`).
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct DdrIn<const N: usize> {
    pub cr: Cr,
    pub pins: Signal<In, Bits<N>>,
    pub rise: Signal<Out, Bits<N>>,
    pub fall: Signal<Out, Bits<N>>,
}

impl<const N: usize> Logic for DdrIn<N> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.rise.connect();
        self.fall.connect();
    }

    fn hdl(&self) -> Verilog {
        let cells = each(N, |n, i| {
            format!(
                "IDDRX1F iddr_{n} (.SCLK(cr$clock), .RST(cr$reset), .D(pins{i}), .Q0(q0{i}), .Q1(q1{i}));\n"
            )
        });
        let msb = N - 1;
        Verilog::Custom(format!(
            "wire [{msb}:0] q0;\nwire [{msb}:0] q1;\n{cells}always @(*) rise = q0;\nalways @(*) fall = q1;\n"
        ))
    }
}

/// A fixed delay between `N` pins and their DDR cells, in steps of 25 ps; at most 127 of them. With none it
/// is a wire.
#[derive(Clone, Debug, LogicBlock)]
pub struct PinDelay<const N: usize> {
    pub d: Signal<In, Bits<N>>,
    pub q: Signal<Out, Bits<N>>,
    _steps: u32,
}

impl<const N: usize> PinDelay<N> {
    /// A delay of `ps` picoseconds, rounded to a step.
    ///
    /// # Panics
    /// When the cell cannot delay that long.
    pub fn new(ps: u32) -> Self {
        let steps = (ps + 12) / 25;
        assert!(steps <= 127, "a pin delay of {ps} ps is more than 127 steps of 25 ps");
        PinDelay { d: Default::default(), q: Default::default(), _steps: steps }
    }
}

impl<const N: usize> Logic for PinDelay<N> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        let steps = self._steps;
        if steps == 0 {
            return Verilog::Custom("always @(*) q = d;\n".into());
        }
        let cells = each(N, |n, i| {
            format!(
                "DELAYG #(.DEL_MODE(\"SCLK_ALIGNED\"), .DEL_VALUE({steps})) delay_{n} (.A(d{i}), .Z(z{i}));\n"
            )
        });
        Verilog::Custom(format!("wire [{}:0] z;\n{cells}always @(*) q = z;\n", N - 1))
    }
}

/// `text` for each of `count` pins: its number, and the index that selects it in a port. A port of one bit
/// has no index.
fn each(count: usize, text: impl Fn(usize, &str) -> String) -> String {
    match count {
        1 => text(0, ""),
        _ => (0..count).map(|n| text(n, &format!("[{n}]"))).collect(),
    }
}

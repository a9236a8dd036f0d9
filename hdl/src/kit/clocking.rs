//! Clocks, resets and the pad of the ECP5 that a board's top needs: PLL, reset synchroniser, bidirectional pin.

use rust_hdl::prelude::*;

/// Divisions of an EHXPLLL whose feedback is its first output: `line = input * feedback / input_div`, and both outputs
/// come from the oscillator at `line * line_div`, which must lie between 400 and 800 MHz (Lattice FPGA-DS-02012).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PllConfig {
    pub input_mhz: u32,
    pub input_div: u32,
    pub feedback: u32,
    pub line_div: u32,
    pub core_div: u32,
}

impl PllConfig {
    /// Frequency of the first output, in kHz.
    pub const fn line_khz(&self) -> u32 {
        self.input_mhz * 1000 * self.feedback / self.input_div
    }

    /// Frequency of the second output, in kHz.
    pub const fn core_khz(&self) -> u32 {
        self.line_khz() * self.line_div / self.core_div
    }
}

/// A PLL: from the board's oscillator to the line's clock and the core's. Verified by the tests of `crate::board` as to its
/// frequencies; it has no model for simulation, in which its outputs are the test's.
#[derive(Clone, Debug, LogicBlock)]
pub struct Pll {
    pub oscillator: Signal<In, Clock>,
    pub line: Signal<Out, Clock>,
    pub core: Signal<Out, Clock>,
    pub locked: Signal<Out, Bit>,
    _config: PllConfig,
}

impl Pll {
    /// # Panics
    /// When the oscillator is out of its range.
    pub fn new(config: &PllConfig) -> Self {
        let oscillator = config.line_khz() * config.line_div;
        assert!((400_000..=800_000).contains(&oscillator), "a PLL's oscillator at {oscillator} kHz");
        Pll {
            oscillator: Default::default(),
            line: Default::default(),
            core: Default::default(),
            locked: Default::default(),
            _config: *config,
        }
    }
}

impl Logic for Pll {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.line.connect();
        self.core.connect();
        self.locked.connect();
    }

    fn hdl(&self) -> Verilog {
        let PllConfig { input_mhz, input_div, feedback, line_div, core_div } = self._config;
        let (line_phase, core_phase) = (line_div - 1, core_div - 1);
        let mhz = |khz: u32| format!("{}.{:03}", khz / 1000, khz % 1000);
        let (line_mhz, core_mhz) = (mhz(self._config.line_khz()), mhz(self._config.core_khz()));
        Verilog::Custom(format!(
            "wire line_out;\nwire core_out;\nwire lock_out;\n\
             (* FREQUENCY_PIN_CLKI=\"{input_mhz}\", FREQUENCY_PIN_CLKOP=\"{line_mhz}\", FREQUENCY_PIN_CLKOS=\"{core_mhz}\", \
             ICP_CURRENT=\"12\", LPF_RESISTOR=\"8\", MFG_ENABLE_FILTEROPAMP=\"1\", MFG_GMCREF_SEL=\"2\" *)\n\
             EHXPLLL #(.CLKI_DIV({input_div}), .CLKFB_DIV({feedback}), .FEEDBK_PATH(\"CLKOP\"), \
             .CLKOP_ENABLE(\"ENABLED\"), .CLKOP_DIV({line_div}), .CLKOP_CPHASE({line_phase}), .CLKOP_FPHASE(0), \
             .CLKOS_ENABLE(\"ENABLED\"), .CLKOS_DIV({core_div}), .CLKOS_CPHASE({core_phase}), .CLKOS_FPHASE(0)) \
             pll (.CLKI(input_clock), .CLKFB(line_out), .CLKOP(line_out), .CLKOS(core_out), .LOCK(lock_out), \
             .RST(1'b0), .STDBY(1'b0), .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b0), .PHASESTEP(1'b0), \
             .PHASELOADREG(1'b0), .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0), .ENCLKOS(1'b0));\n\
             always @(*) line = line_out;\nalways @(*) core = core_out;\nalways @(*) locked = lock_out;\n"
        ).replace("input_clock", "oscillator"))
    }
}

/// A reset that begins at once while `ready` is low, whatever the clock does, and ends with the clock, 16 cycles after
/// `ready` rose.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct ResetSync {
    pub clock: Signal<In, Clock>,
    pub ready: Signal<In, Bit>,
    pub reset: Signal<Out, Bit>,
}

impl Logic for ResetSync {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.reset.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(
            "(* keep, async_reg = \"true\" *) reg [15:0] chain = 16'hffff;\n\
             always @(posedge clock or negedge ready)\n  \
             if (!ready) chain <= 16'hffff; else chain <= {chain[14:0], 1'b0};\n\
             always @(*) reset = chain[15];\n"
                .into(),
        )
    }
}

/// A pin that is driven with `o` while `oe` is high, and read always. One that is absent reads high.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct BidirPad {
    pub o: Signal<In, Bit>,
    pub oe: Signal<In, Bit>,
    pub i: Signal<Out, Bit>,
    pub pad: Pad,
    _absent: bool,
}

impl BidirPad {
    /// A pin that is not there.
    pub fn absent() -> Self {
        BidirPad { _absent: true, ..BidirPad::default() }
    }
}

/// The pin.
#[derive(Clone, Debug, Default, LogicInterface)]
pub struct Pad {
    pub pin: Signal<InOut, Bit>,
}

impl Logic for BidirPad {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.i.connect();
        self.pad.pin.connect();
    }

    fn hdl(&self) -> Verilog {
        if self._absent {
            return Verilog::Custom("always @(*) i = 1'b1;\n".into());
        }
        Verilog::Custom(
            "wire seen;\nBB pad (.I(o), .T(!oe), .O(seen), .B(pad$pin));\nalways @(*) i = seen;\n".into(),
        )
    }
}

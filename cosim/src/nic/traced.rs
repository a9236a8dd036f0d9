//! The NIC with waveforms: for a run that asks for a window of cycles.
//!
//! It is the same Verilog, verilated once more with tracing when it is first wanted, so that other runs do not
//! pay for it. It behaves as the untraced model does, cycle for cycle, and is several times slower within the window.

use super::Nic;
use crate::{
    block::{Model, Port},
    library::Flavour,
    pins::{NicIn, NicOut, Pin, Ports},
};
use anyhow::{ensure, Context, Result};
use std::{
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
};

/// The cycles to record, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Core cycles, counted as by `System::cycles`.
    pub cycles: Range<u64>,
    /// An FST file, which GTKWave and Surfer open.
    pub file: PathBuf,
    /// Of a cycle, so that the time in the waveform is the time of the simulation.
    pub period_ps: u64,
}

/// A NIC, or any module with its pins, that records a window of its life.
pub struct TracedNic {
    model: Model,
    clock: Port,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    cycles: u64,
    window: Option<Window>,
}

impl TracedNic {
    /// Verilates module `nic_top` of `verilog`, or takes it from the cache. Without a window nothing is recorded.
    pub fn new(verilog: &str, window: Option<Window>) -> Result<TracedNic> {
        if let Some(window) = &window {
            ensure!(!window.cycles.is_empty(), "the window of cycles {:?} is empty", window.cycles);
            ensure!(window.period_ps >= 2, "a cycle takes time");
            File::create(&window.file)
                .with_context(|| format!("cannot write a waveform to {}", window.file.display()))?;
        }
        let flavour = Flavour { trace: window.is_some(), fast: true };
        let model = Model::with_flavour("nic_top", verilog, flavour, 1)?;
        let find = |pins: &[Pin]| pins.iter().map(|(name, _)| model.port(name)).collect::<Result<Vec<_>>>();
        let (clock, inputs, outputs) = (model.port("clock")?, find(NicIn::PINS)?, find(NicOut::PINS)?);
        Ok(TracedNic { model, clock, inputs, outputs, cycles: 0, window })
    }

    /// The file of the window, if one was asked for.
    pub fn file(&self) -> Option<&Path> {
        self.window.as_ref().map(|window| window.file.as_path())
    }

    fn record(&mut self) -> Option<u64> {
        let Window { cycles, file, period_ps } = self.window.as_ref()?;
        if self.cycles == cycles.start {
            self.model.trace_to(file).expect("the file could be written when the model was made");
        }
        if self.cycles == cycles.end {
            self.model.trace_end();
        }
        cycles.contains(&self.cycles).then_some(*period_ps)
    }
}

impl Nic for TracedNic {
    fn cycle(&mut self, pins: &NicIn, _: Ports, out: &mut NicOut) -> Ports {
        let period_ps = self.record();
        let (model, inputs) = (&mut self.model, &self.inputs);
        pins.each(|at, value| model.set(inputs[at], value));
        model.set(self.clock, 0);
        model.eval();
        *out = NicOut::from_each(|at| model.get(self.outputs[at]));
        if let Some(period_ps) = period_ps {
            model.dump(self.cycles * period_ps + period_ps / 2);
        }
        model.set(self.clock, 1);
        model.eval();
        if let Some(period_ps) = period_ps {
            model.dump((self.cycles + 1) * period_ps);
        }
        self.cycles += 1;
        Ports::ALL
    }
}

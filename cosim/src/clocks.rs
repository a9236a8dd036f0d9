//! Several clocks of one [`Model`], each with a period of its own.
//!
//! A bench works in three beats, which keep it free of races whatever the clocks do:
//!
//! ```no_run
//! # use baton_cosim::{block::Model, clocks::Clocks};
//! # fn bench(dut: &mut Model) -> anyhow::Result<()> {
//! let mut clocks = Clocks::default();
//! let core = clocks.add(dut, "cr$clock", 8_000, 0)?;
//! loop {
//!     let rising = clocks.before_edge(dut); // inputs have settled; some clocks are about to change
//!     if rising.has(core) { /* read the outputs of this domain: what the edge transfers */ }
//!     clocks.edge(dut);
//!     if rising.has(core) { /* drive this domain's inputs for its next cycle */ }
//! }
//! # }
//! ```

use crate::block::{Model, Port};
use anyhow::Result;

/// One of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockId(usize);

/// Which clocks rise at an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rising(u32);

impl Rising {
    pub fn has(self, clock: ClockId) -> bool {
        self.0 >> clock.0 & 1 == 1
    }
}

struct Clock {
    port: Port,
    period_ps: u64,
    next_ps: u64,
    high: bool,
    running: bool,
}

/// The clocks of a model, and the time.
#[derive(Default)]
pub struct Clocks {
    clocks: Vec<Clock>,
    now_ps: u64,
}

impl Clocks {
    /// Adds the clock input `port`, which first rises after `phase_ps` and half a period.
    pub fn add(&mut self, dut: &Model, port: &str, period_ps: u64, phase_ps: u64) -> Result<ClockId> {
        let port = dut.port(port)?;
        let next_ps = self.now_ps + phase_ps + period_ps / 2;
        self.clocks.push(Clock { port, period_ps, next_ps, high: false, running: true });
        Ok(ClockId(self.clocks.len() - 1))
    }

    /// Gives a clock another period from its next edge on.
    pub fn set_period(&mut self, clock: ClockId, period_ps: u64) {
        self.clocks[clock.0].period_ps = period_ps;
    }

    /// Stops a clock at its level, or lets it go on.
    pub fn run(&mut self, clock: ClockId, running: bool) {
        let clock = &mut self.clocks[clock.0];
        if running && !clock.running {
            clock.next_ps = self.now_ps + clock.period_ps / 2;
        }
        clock.running = running;
    }

    /// The level of a clock.
    pub fn is_high(&self, clock: ClockId) -> bool {
        self.clocks[clock.0].high
    }

    /// Time since the start, of the last edge or of the one that [`Clocks::before_edge`] announced.
    pub fn now_ps(&self) -> u64 {
        self.now_ps
    }

    /// Settles the inputs and goes to the next edge, which has not happened yet.
    ///
    /// # Panics
    /// When no clock runs.
    pub fn before_edge(&mut self, dut: &mut Model) -> Rising {
        dut.eval();
        dut.dump(self.now_ps + 1);
        self.now_ps = self.next_ps();
        self.rising()
    }

    /// Which clocks rise at the next edge; nothing changes.
    ///
    /// # Panics
    /// When no clock runs.
    pub fn rising(&self) -> Rising {
        let now = self.next_ps();
        let rises = |clock: &Clock| clock.running && clock.next_ps == now && !clock.high;
        Rising(self.clocks.iter().enumerate().fold(0, |set, (i, clock)| set | u32::from(rises(clock)) << i))
    }

    fn next_ps(&self) -> u64 {
        let running = self.clocks.iter().filter(|clock| clock.running);
        running.map(|clock| clock.next_ps).min().expect("a clock runs")
    }

    /// The edge that [`Clocks::before_edge`] announced; every clock that has one at this time takes part.
    pub fn edge(&mut self, dut: &mut Model) {
        for clock in self.clocks.iter_mut().filter(|c| c.running && c.next_ps == self.now_ps) {
            clock.high = !clock.high;
            clock.next_ps += if clock.high { clock.period_ps / 2 } else { clock.period_ps.div_ceil(2) };
            dut.set(clock.port, clock.high.into());
        }
        dut.eval();
        dut.dump(self.now_ps);
    }
}

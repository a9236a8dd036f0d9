//! Options of the NIC's load control, for every subcommand that runs connections on a NIC.

use anyhow::{ensure, Result};
use baton_abi::regs::mailbox;

/// Off, unless both marks are given.
#[derive(clap::Args, Debug)]
pub struct LoadControl {
    /// Turns load control on: length of the NIC receive queue above which the NIC takes fewer connections
    #[arg(long, value_name = "PACKETS", requires = "lowat", value_parser = clap::value_parser!(u32).range(1..=1000))]
    hiwat: Option<u32>,
    /// Length of the NIC receive queue below which it takes more
    #[arg(long, value_name = "PACKETS", requires = "hiwat", value_parser = clap::value_parser!(u32).range(0..=1000))]
    lowat: Option<u32>,
    /// With load control: how long the NIC must be overloaded before it gives the costliest connections back, in
    /// milliseconds; 0 never does
    #[arg(long, default_value_t = 0, requires = "hiwat", value_parser = clap::value_parser!(u32).range(0..=60000))]
    shed_ms: u32,
}

impl LoadControl {
    /// Puts what was asked for into the configuration words of a mailbox.
    ///
    /// # Errors
    /// When the marks are the wrong way round.
    pub fn apply(&self, words: &mut [u32; mailbox::CFG_WORDS]) -> Result<()> {
        let (Some(hiwat), Some(lowat)) = (self.hiwat, self.lowat) else { return Ok(()) };
        ensure!(lowat <= hiwat, "--lowat {lowat} is above --hiwat {hiwat}");
        words[mailbox::CFG_LOAD_CONTROL] = 1;
        words[mailbox::CFG_HIWAT] = hiwat;
        words[mailbox::CFG_LOWAT] = lowat;
        words[mailbox::CFG_SHED_AFTER_US] = self.shed_ms * 1000;
        Ok(())
    }
}

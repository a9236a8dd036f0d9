//! AXI4-Stream, from the NIC to the MAC.

use super::{rule, Rule};
use crate::wire::TxStream;

/// Words of the longest frame without its check sequence, and of an Ethernet header.
const FRAME_WORDS_MAX: u32 = 380;
const FRAME_WORDS_MIN: u32 = 4;

/// Watches one stream of frames.
#[derive(Clone, Debug, Default)]
pub struct StreamMonitor {
    before: TxStream,
    waiting: bool,
    reset_before: bool,
    /// Words of the frame under way.
    words: u32,
}

impl StreamMonitor {
    /// Checks a cycle.
    ///
    /// # Errors
    /// The rule that is broken.
    #[inline]
    pub fn check(&mut self, reset: bool, source: &TxStream, tready: bool) -> Rule {
        if self.reset_before {
            rule(!source.tvalid, "tx stream is valid in the cycle after reset (2.7.2)")?;
        }
        self.reset_before = reset;
        if reset {
            (self.waiting, self.words) = (false, 0);
            return Ok(());
        }
        if self.waiting {
            rule(*source == self.before, "tx stream changed or fell before it was accepted (2.2.1)")?;
        }
        self.waiting = source.tvalid && !tready;
        if source.tvalid {
            self.before = *source;
            self.word(source, tready)?;
        }
        Ok(())
    }

    fn word(&mut self, source: &TxStream, tready: bool) -> Rule {
        let whole = source.tkeep == 0xF;
        rule(whole || (source.tlast && matches!(source.tkeep, 1 | 3 | 7)), "tkeep has holes")?;
        if !tready {
            return Ok(());
        }
        self.words += 1;
        rule(self.words <= FRAME_WORDS_MAX, "a transmitted frame is longer than 1518 bytes")?;
        if source.tlast {
            let words = std::mem::take(&mut self.words);
            rule(words >= FRAME_WORDS_MIN, "a transmitted frame is shorter than an Ethernet header")?;
        }
        Ok(())
    }
}

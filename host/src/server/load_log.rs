//! The log of the NIC's load control: every transition of the paper's Figure 3, as the NIC's events tell it.

use baton_abi::msg::event;
use serde::Serialize;

/// States of load control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LoadState {
    Monitor,
    Decrease,
    Increase,
}

impl LoadState {
    /// The state of this number in the mailbox.
    fn from_number(number: u32) -> LoadState {
        match number {
            0 => LoadState::Monitor,
            1 => LoadState::Decrease,
            2 => LoadState::Increase,
            _ => panic!("the NIC's load control is in state {number}, which there is none of"),
        }
    }
}

/// A transition, and what it came of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LoadTransition {
    /// Core cycle. The NIC's counter has 32 bits; it is extended here, right as long as there are less than 2^32 cycles
    /// between two transitions.
    pub cycle: u64,
    pub from: LoadState,
    pub to: LoadState,
    /// From now on.
    pub soft_limit: u32,
    pub qlen: u32,
    pub cnum: u32,
}

/// The latest transitions.
#[derive(Clone, Debug, Default)]
pub struct LoadLog {
    transitions: Vec<LoadTransition>,
    /// Transitions that found the log full.
    dropped: u64,
}

/// Transitions that are kept: the first ones.
const CAPACITY: usize = 1 << 16;

impl LoadLog {
    pub fn transitions(&self) -> &[LoadTransition] {
        &self.transitions
    }

    /// Transitions that the log had no room for.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Notes a `LOAD` event, given its words from the third on.
    pub(super) fn note(&mut self, words: &[u32]) {
        if self.transitions.len() == CAPACITY {
            self.dropped += 1;
            return;
        }
        let last = self.transitions.last().map_or(0, |transition| transition.cycle);
        let since = words[2].wrapping_sub(last as u32);
        self.transitions.push(LoadTransition {
            cycle: last + u64::from(since),
            from: LoadState::from_number(words[1] >> event::LOAD_BEFORE_SHIFT & 0xFF),
            to: LoadState::from_number(words[1] & 0xFF),
            soft_limit: words[0],
            qlen: words[3],
            cnum: words[4],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_go_on_beyond_their_32_bits() {
        let mut log = LoadLog::default();
        log.note(&[60, 1, 0xFFFF_FF00, 11, 64]);
        log.note(&[60, 1 << 8, 0x100, 3, 59]);
        let cycles: Vec<u64> = log.transitions().iter().map(|t| t.cycle).collect();
        assert_eq!(cycles, [0xFFFF_FF00, 0x1_0000_0100]);
        let last = log.transitions()[1];
        assert_eq!(
            (last.from, last.to, last.soft_limit, last.qlen, last.cnum),
            (LoadState::Decrease, LoadState::Monitor, 60, 3, 59)
        );
    }
}

//! The wire: two paced directions between the NIC's MAC streams and the clients, with seeded faults.
//!
//! The model stands where the MAC would. A frame takes the time that it takes on a real line of
//! [`WireConfig::rate_bps`]: preamble, at least 60 bytes, check sequence, gap. Towards the NIC a word appears
//! once its bytes have arrived, the last one once the check sequence has (`tuser` tells that it was
//! wrong); towards the clients words wait in the MAC's queue until the line takes them.
//!
//! Beyond the line lies the network: propagation, and the [`Faults`] that are asked for.

mod from_nic;
mod network;
mod to_nic;

pub use from_nic::{FromNic, TxStream};
pub use network::{Faults, FrameStats};
pub use to_nic::{RxStream, ToNic};

/// Preamble and start delimiter, in bytes.
const PREAMBLE: u64 = 8;
/// Check sequence, in bytes.
const FCS: u64 = 4;
/// Gap between frames, in bytes.
const GAP: u64 = 12;
/// Least length of a frame without its check sequence.
pub const FRAME_MIN: usize = 60;
/// Bytes of line time that a frame takes beyond its own, padded length.
pub const OVERHEAD: u64 = PREAMBLE + FCS + GAP;

/// Line and network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireConfig {
    /// Line rate of each direction, in bits a second.
    pub rate_bps: u64,
    /// From one end to the other, in picoseconds.
    pub propagation_ps: u64,
    /// Words that the MAC holds for transmission; `tx_tready` is low while it is full.
    pub fifo_words: usize,
    pub to_nic: Faults,
    pub from_nic: Faults,
    /// Of the faults.
    pub seed: u64,
}

impl Default for WireConfig {
    /// 10 Gb/s, a short cable, no faults.
    fn default() -> Self {
        WireConfig {
            rate_bps: 10_000_000_000,
            propagation_ps: 1_000_000,
            fifo_words: 512,
            to_nic: Faults::default(),
            from_nic: Faults::default(),
            seed: 1,
        }
    }
}

/// Times on a line of one rate.
#[derive(Clone, Copy, Debug)]
struct Line {
    rate_bps: u64,
}

impl Line {
    fn new(rate_bps: u64) -> Self {
        assert!((1_000_000..=1_000_000_000_000).contains(&rate_bps), "{rate_bps} b/s is no line rate");
        Line { rate_bps }
    }

    /// Time of so many bytes, rounded up to a picosecond. Exact at every rate that divides 8 Tb/s.
    fn bytes_ps(self, bytes: u64) -> u64 {
        (bytes * 8_000_000_000_000).div_ceil(self.rate_bps)
    }
}

#[cfg(test)]
mod tests;

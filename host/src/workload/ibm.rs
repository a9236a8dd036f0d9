//! A likeness of the IBM web site's trace. The trace itself was never public: the numbers below are chosen, not measured, so
//! that the site has shorter connections and larger responses than the World Cup's and keeps the paper's Figure 4.
//!
//! Sizes: log-normal body, median 1500, sigma 1.2, and a 20 % Pareto tail from 9000, alpha 1.3. Popularity: Zipf's law over 15,000
//! files, exponent 0.9, shift 10. Requests of a connection: log-normal, median 3, sigma 1.3. 10 % not modified.

use super::random::{Draw, Sizes, Weighted};
use super::{worldcup, Request, Session, Workload};

const FILES: usize = 15_000;
const NOT_MODIFIED: f64 = 0.10;
const SIZES: Sizes =
    Sizes { median: 1500.0, sigma: 1.2, tail: 0.20, tail_from: 9000.0, alpha: 1.3, most: 2_000_000 };

pub struct IbmLike {
    draw: Draw,
    popularity: Weighted,
    sizes: Vec<u32>,
}

impl IbmLike {
    pub fn new(seed: u64) -> Self {
        IbmLike {
            draw: Draw::new(seed),
            popularity: Weighted::zipf(FILES, 0.9, 10.0),
            sizes: SIZES.spread(FILES, 13),
        }
    }
}

impl Workload for IbmLike {
    fn describe(&self) -> String {
        format!("IBM-like (a likeness: the trace is not public): {FILES} files, 3 requests a connection in the median")
    }

    fn next_session(&mut self) -> Session {
        let n = worldcup::requests(&mut self.draw, 3.0, 1.3);
        (0..n)
            .map(|_| {
                let rank = self.popularity.draw(&mut self.draw);
                let bytes = if self.draw.chance(NOT_MODIFIED) { 0 } else { self.sizes[rank] };
                Request { file: 100_001 + rank as u64, bytes, dynamic: false }
            })
            .collect()
    }
}

//! A generator in the likeness of the 1998 World Cup site's logs, for when no trace is at hand.
//!
//! | what | value | source |
//! | --- | --- | --- |
//! | requests answered 304, without a body | 18.75 % | Arlitt and Jin, HPL-1999-35 |
//! | mean bytes of a response | about 4000 | the logs' totals: 4,991 GB in 1.35 thousand million requests |
//! | sizes | log-normal body, median 766, sigma 1.22; 12 % Pareto tail from 8000, alpha 1.2 | shape: published for web sites; numbers: fitted to 10,000 records of the logs |
//! | popularity | Zipf and Mandelbrot over 5000 files, exponent 2.8, shift 165 | fitted to the same records |
//! | requests of a connection | log-normal, median 3.2, sigma 1.6 | fitted to the same records, connections by the 15-second rule |
//!
//! `host/tests/worldcup_sample.rs` compares it with a sample of the logs where there is one.

use super::random::{Draw, Sizes, Weighted};
use super::{Request, Session, Workload};

const FILES: usize = 5000;
const NOT_MODIFIED: f64 = 0.1875;
const SIZES: Sizes =
    Sizes { median: 766.0, sigma: 1.22, tail: 0.12, tail_from: 8000.0, alpha: 1.2, most: 1_600_000 };
const REQUESTS_MEDIAN: f64 = 3.2;
const REQUESTS_SIGMA: f64 = 1.6;
/// Longest connection: the longest that a browser of 1998 kept up.
const REQUESTS_MAX: usize = 400;

pub struct WorldCup {
    draw: Draw,
    popularity: Weighted,
    /// By rank of popularity: the site is the same one whatever the seed of the requests.
    sizes: Vec<u32>,
}

impl WorldCup {
    pub fn new(seed: u64) -> Self {
        WorldCup {
            draw: Draw::new(seed),
            popularity: Weighted::zipf(FILES, 2.8, 165.0),
            sizes: SIZES.spread(FILES, 98),
        }
    }
}

/// A number of requests drawn from a log-normal, at least 1.
pub(super) fn requests(draw: &mut Draw, median: f64, sigma: f64) -> usize {
    (draw.lognormal(median, sigma).round() as usize).clamp(1, REQUESTS_MAX)
}

impl Workload for WorldCup {
    fn describe(&self) -> String {
        format!(
            "generator in the likeness of the World Cup 98 logs: {FILES} files, {:.1} % not modified, \
             {REQUESTS_MEDIAN} requests a connection in the median",
            100.0 * NOT_MODIFIED
        )
    }

    fn next_session(&mut self) -> Session {
        let n = requests(&mut self.draw, REQUESTS_MEDIAN, REQUESTS_SIGMA);
        (0..n)
            .map(|_| {
                let rank = self.popularity.draw(&mut self.draw);
                let bytes = if self.draw.chance(NOT_MODIFIED) { 0 } else { self.sizes[rank] };
                Request { file: 1 + rank as u64, bytes, dynamic: false }
            })
            .collect()
    }
}

//! Random draws that workloads are made of, from a seeded generator.

use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded source of numbers.
#[derive(Clone, Debug)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Draw(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in 0..n.
    pub fn below(&mut self, n: u64) -> u64 {
        (self.unit() * n as f64) as u64
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Log-normal with this median and standard deviation of the logarithm.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        let (a, b) = (self.unit(), self.unit());
        // Box and Muller; 1 - a is never zero.
        let normal = (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        median * (sigma * normal).exp()
    }
}

/// Uniform in [0, 1) from a number: what belongs to a file without being stored.
pub fn unit_of(n: u64, salt: u64) -> f64 {
    let mut z = n.wrapping_add(salt.wrapping_mul(0xD1B5_4A32_D192_ED03)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Items 0.. with given weights, drawn by binary search.
#[derive(Clone, Debug)]
pub struct Weighted(Vec<f64>);

impl Weighted {
    pub fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let sums: Vec<f64> = weights
            .into_iter()
            .map(|w| {
                sum += w;
                sum
            })
            .collect();
        assert!(sum > 0.0, "some item has weight");
        Weighted(sums)
    }

    /// Zipf's law with exponent `alpha` over `n` items, its head flattened by `shift` ranks (Mandelbrot).
    pub fn zipf(n: usize, alpha: f64, shift: f64) -> Self {
        Weighted::new((0..n).map(|rank| (rank as f64 + 1.0 + shift).powf(-alpha)))
    }

    pub fn draw(&self, draw: &mut Draw) -> usize {
        let all = self.0[self.0.len() - 1];
        let at = draw.unit() * all;
        self.0.partition_point(|&sum| sum <= at).min(self.0.len() - 1)
    }
}

/// Bytes of a file of a web site: a log-normal body and a Pareto tail, as measured for many sites (Arlitt and
/// Williamson; Crovella and others), cut off at `most`.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub median: f64,
    pub sigma: f64,
    /// Share of files in the tail, and where it begins.
    pub tail: f64,
    pub tail_from: f64,
    pub alpha: f64,
    pub most: u32,
}

impl Sizes {
    /// The size of a file: always the same for the same file and seed.
    pub fn of(&self, file: u64, seed: u64) -> u32 {
        let u = unit_of(file, seed ^ 0x51);
        let bytes = if u < self.tail {
            self.tail_from * (self.tail / u.max(1e-12)).powf(1.0 / self.alpha)
        } else {
            let mut draw = Draw::new(file ^ seed.rotate_left(17));
            // The body ends where the tail begins.
            (0..64)
                .map(|_| draw.lognormal(self.median, self.sigma))
                .find(|&b| b < self.tail_from)
                .unwrap_or(self.median)
        };
        (bytes as u32).clamp(1, self.most)
    }
}

impl Sizes {
    /// Sizes of files by rank of popularity, spread evenly over the distribution's quantiles, so that a few popular
    /// files do not decide what the requests see.
    pub fn spread(&self, files: usize, seed: u64) -> Vec<u32> {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let mut sorted: Vec<u32> = (0..files as u64).map(|file| self.of(file, seed)).collect();
        sorted.sort_unstable();
        let place = |rank: usize| ((rank as f64 + 0.5) * GOLDEN).fract();
        (0..files).map(|rank| sorted[(place(rank) * files as f64) as usize]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_their_means() {
        let mut draw = Draw::new(1);
        let n = 100_000;
        let mean = (0..n).map(|_| draw.unit()).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let mut values: Vec<f64> = (0..n).map(|_| draw.lognormal(10.0, 1.0)).collect();
        values.sort_by(f64::total_cmp);
        let median = values[values.len() / 2];
        assert!((9.8..10.2).contains(&median), "{median}");
        let weighted = Weighted::new([1.0, 0.0, 3.0]);
        let twos = (0..n).filter(|_| weighted.draw(&mut draw) == 2).count();
        assert!((74_000..76_000).contains(&twos), "{twos}");
        assert!((0..1000).all(|_| weighted.draw(&mut draw) != 1));
    }

    #[test]
    fn a_tail_has_its_share() {
        let sizes =
            Sizes { median: 766.0, sigma: 1.2, tail: 0.12, tail_from: 8000.0, alpha: 1.2, most: 1 << 21 };
        let above = (0..20_000).filter(|&file| sizes.of(file, 3) >= 8000).count();
        assert!((2200..2600).contains(&above), "{above}");
        assert_eq!(sizes.of(7, 3), sizes.of(7, 3));
    }
}

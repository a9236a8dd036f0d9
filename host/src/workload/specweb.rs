//! SPECweb99 and its static half: the file set and the mix of requests of the benchmark's description.
//!
//! Files lie in directories of four classes of nine files: 0.1 to 0.9 KB, 1 to 9 KB, 10 to 90 KB, 100 to 900 KB, asked for in 35, 50, 14
//! and 1 % of the requests. Within a class files are ranked 4, 3, 5, 2, 6, 1, 7, 8, 0 and drawn by Zipf's law, directories
//! too. There are 25 + 0.66 directories for each simultaneous connection. 70 % of the requests are static and 30 % dynamic (all are static in
//! the static variant); 70 % of the requests go over persistent connections of 5 to 15 requests. Each client holds itself to
//! 400 Kb/s, and counts as conforming from 320 Kb/s on.
//!
//! DEVIATION: directories a multiple of 16 apart hold the same bytes, so that host memory holds the set. Static responses are never touched
//! by the processor, so its caches see no difference.

use super::random::{Draw, Weighted};
use super::{Request, Session, Workload};

const CLASS_SHARE: [f64; 4] = [0.35, 0.50, 0.14, 0.01];
const CLASS_STEP: [u32; 4] = [102, 1024, 10_240, 102_400];
/// Files of a class from the most to the least popular.
const ORDER: [u32; 9] = [4, 3, 5, 2, 6, 1, 7, 8, 0];
const DYNAMIC: f64 = 0.30;
/// Share of the requests on persistent connections, whose mean length is 10.
const PERSISTENT_REQUESTS: f64 = 0.70;
const PERSISTENT: (u64, u64) = (5, 15);
/// What a client holds itself to, and from where on it conforms.
pub const CLIENT_BPS: u64 = 400_000;
pub const CONFORMING_BPS: u64 = 320_000;
/// Directories of different content.
const CONTENTS: usize = 16;

pub struct Specweb {
    draw: Draw,
    dynamic: bool,
    classes: Weighted,
    in_class: Weighted,
    directories: Weighted,
    directory_count: usize,
}

impl Specweb {
    pub fn new(seed: u64, connections: u32, dynamic: bool) -> Self {
        let directory_count = 25 + (0.66 * f64::from(connections)) as usize;
        Specweb {
            draw: Draw::new(seed),
            dynamic,
            classes: Weighted::new(CLASS_SHARE),
            in_class: Weighted::zipf(ORDER.len(), 1.0, 0.0),
            directories: Weighted::zipf(directory_count, 1.0, 0.0),
            directory_count,
        }
    }

    fn request(&mut self) -> Request {
        let class = self.classes.draw(&mut self.draw);
        let file = ORDER[self.in_class.draw(&mut self.draw)];
        let directory = self.directories.draw(&mut self.draw);
        Request {
            file: 200_001 + (directory % CONTENTS * 36 + class * 9) as u64 + u64::from(file),
            bytes: CLASS_STEP[class] * (file + 1),
            dynamic: self.dynamic && self.draw.chance(DYNAMIC),
        }
    }
}

impl Workload for Specweb {
    fn describe(&self) -> String {
        format!(
            "SPECweb99{}: {} directories, clients held to {} Kb/s",
            if self.dynamic { "" } else { "-static" },
            self.directory_count,
            CLIENT_BPS / 1000
        )
    }

    fn next_session(&mut self) -> Session {
        // Of connections, so that of requests PERSISTENT_REQUESTS are on persistent ones.
        let (least, most) = PERSISTENT;
        let mean = (least + most) as f64 / 2.0;
        let persistent = PERSISTENT_REQUESTS / (PERSISTENT_REQUESTS + mean * (1.0 - PERSISTENT_REQUESTS));
        let n = if self.draw.chance(persistent) { least + self.draw.below(most - least + 1) } else { 1 };
        (0..n).map(|_| self.request()).collect()
    }

    fn pace_bps(&self) -> Option<u64> {
        Some(CLIENT_BPS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_the_benchmarks() {
        let mut workload = Specweb::new(1, 2048, true);
        assert_eq!(workload.directory_count, 1376);
        let (mut requests, mut persistent, mut dynamic, mut classes) = (0, 0, 0, [0; 4]);
        let mut in_class = [0; 9];
        for _ in 0..20_000 {
            let session = workload.next_session();
            assert!(session.len() == 1 || (5..=15).contains(&session.len()));
            requests += session.len();
            persistent += if session.len() > 1 { session.len() } else { 0 };
            for r in session {
                dynamic += usize::from(r.dynamic);
                let class = CLASS_STEP.iter().rposition(|&step| r.bytes >= step).unwrap();
                classes[class] += 1;
                in_class[(r.bytes / CLASS_STEP[class]) as usize - 1] += 1;
            }
        }
        let share = |n: usize| n as f64 / requests as f64;
        assert!((share(persistent) - 0.70).abs() < 0.02, "{}", share(persistent));
        assert!((share(dynamic) - 0.30).abs() < 0.01);
        for (class, expected) in CLASS_SHARE.into_iter().enumerate() {
            assert!((share(classes[class]) - expected).abs() < 0.01, "class {class}");
        }
        let mut ranks: Vec<u32> = (0..9).collect();
        ranks.sort_by_key(|&file| std::cmp::Reverse(in_class[file as usize]));
        assert_eq!(ranks, ORDER);
        assert!(Specweb::new(1, 2048, false).next_session().iter().all(|r| !r.dynamic));
    }
}

//! The fuzzer's harness on seeded bytes: a bounded run of what `cargo fuzz` runs for as long as one lets it.
//!
//! `BATON_FUZZ_SEED=<n> cargo test -p baton-tcp --test fuzz` runs one seed again.

mod harness;

use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

const SEEDS: u64 = 4000;
const BYTES_MAX: u32 = 1500;

fn all(target: fn(&[u8])) {
    let only: Option<u64> = std::env::var("BATON_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..SEEDS, |seed| seed..seed + 1);
    for seed in seeds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut data = vec![0; (rng.next_u32() % BYTES_MAX) as usize];
        rng.fill_bytes(&mut data);
        let outcome = std::panic::catch_unwind(|| target(&data));
        assert!(
            outcome.is_ok(),
            "seed {seed}; replay: BATON_FUZZ_SEED={seed} cargo test -p baton-tcp --test fuzz"
        );
    }
}

#[test]
fn segments() {
    all(harness::segments);
}

#[test]
fn records() {
    all(harness::record);
}

#[test]
fn frames() {
    all(harness::frame);
}

//! The World Cup generator against a sample of the real logs, where there is one: `BATON_TRACES` names a folder, or
//! `../shared/traces` beside the repository.

use baton::workload::facts::Facts;
use baton::workload::trace::{read_binary, sessions};
use baton::workload::{Kind, Session};
use std::path::PathBuf;

fn sample() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/traces");
    let folder = std::env::var_os("BATON_TRACES").map_or_else(beside, PathBuf::from);
    Some(folder.join("wc_day50_4.head")).filter(|path| path.exists())
}

/// Value at this part of the sorted list.
fn quantile(sorted: &[u32], part: f64) -> f64 {
    f64::from(sorted[((sorted.len() - 1) as f64 * part) as usize])
}

fn sizes(sessions: &[Session]) -> Vec<u32> {
    let mut sizes: Vec<u32> = sessions.iter().flatten().map(|r| r.bytes).filter(|&bytes| bytes > 0).collect();
    sizes.sort_unstable();
    sizes
}

/// Share of the requests that the most popular `count` files get, among the first `of` requests.
fn popular(sessions: &[Session], of: usize, count: usize) -> f64 {
    let mut counts = std::collections::HashMap::new();
    for request in sessions.iter().flatten().take(of) {
        *counts.entry(request.file).or_insert(0usize) += 1;
    }
    let mut counts: Vec<usize> = counts.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts.iter().take(count).sum::<usize>() as f64 / of as f64
}

fn assert_near(what: &str, generated: f64, real: f64, factor: f64) {
    println!("{what}: generator {generated:.3}, sample {real:.3}");
    assert!(generated < real * factor && real < generated * factor, "{what}: {generated} and {real}");
}

#[test]
fn the_generator_is_like_the_sample() {
    let Some(path) = sample() else {
        println!("skipped: no sample of the logs in BATON_TRACES or ../shared/traces");
        return;
    };
    let real = sessions(&read_binary(&std::fs::read(path).unwrap()).unwrap());
    let mut workload = Kind::WorldCup.start(1, 2048, None).unwrap();
    let generated: Vec<Session> = (0..4000).map(|_| workload.next_session()).collect();

    let (a, b) = (sizes(&generated), sizes(&real));
    for part in [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99] {
        assert_near(&format!("bytes at {part}"), quantile(&a, part), quantile(&b, part), 1.5);
    }
    let mean = |sizes: &[u32]| sizes.iter().map(|&b| f64::from(b)).sum::<f64>() / sizes.len() as f64;
    assert_near("mean bytes", mean(&a), mean(&b), 1.25);
    for count in [10, 100, 500] {
        let share = |sessions: &[Session]| popular(sessions, 10_000, count);
        assert_near(&format!("share of {count} files"), share(&generated), share(&real), 1.25);
    }
    // The sample is 42 seconds long and cuts long connections: its short half is comparable, its mean is not.
    let lens = |sessions: &[Session]| {
        let mut lens: Vec<u32> = sessions.iter().map(|s| s.len() as u32).collect();
        lens.sort_unstable();
        lens
    };
    let (a, b) = (lens(&generated), lens(&real));
    for part in [0.25, 0.5, 0.75] {
        assert_near(&format!("requests at {part}"), quantile(&a, part), quantile(&b, part), 1.5);
    }
    let facts = Facts::of_sessions(&real);
    println!("sample: half {:.1} %, tenth {:.1} %", facts.short_half_packets, facts.long_tenth_packets);
    assert!(facts.short_half_packets < 11.0 && facts.long_tenth_packets > 45.0);
}

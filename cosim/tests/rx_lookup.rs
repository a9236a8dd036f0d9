//! The keyed hash and the lookup table against models in Rust.

use baton_abi::mmio::lookup::{ABSENT, DELETE, EXISTS, FIND, FULL, INSERT, OK};
use baton_cosim::block::{Model, Port};
use baton_cosim::receive::{connections, lookup_refused, Table as Operations};
use baton_hdl::{emit, rx};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::collections::{HashMap, VecDeque};

type Key = [u32; 3];

fn round(v: &mut [u32; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(5) ^ v[0];
    v[0] = v[0].rotate_left(16);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(8) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(7) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[2];
    v[2] = v[2].rotate_left(16);
}

/// HalfSipHash-1-3 with a 32-bit digest, of any message (as the reference implementation in C).
fn half_siphash(key: [u32; 2], message: &[u8]) -> u32 {
    let mut v = [key[0], key[1], 0x6c79_6765 ^ key[0], 0x7465_6462 ^ key[1]];
    let mut words: Vec<u32> =
        message.chunks_exact(4).map(|c| u32::from_le_bytes(c.try_into().unwrap())).collect();
    let mut last = (message.len() as u32) << 24;
    for (i, &byte) in message.chunks_exact(4).remainder().iter().enumerate() {
        last |= u32::from(byte) << (8 * i);
    }
    words.push(last);
    for word in words {
        v[3] ^= word;
        round(&mut v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    (0..3).for_each(|_| round(&mut v));
    v[1] ^ v[3]
}

fn hash_of(hash_key: [u32; 2], key: Key) -> u32 {
    // The table's hash begins with the least significant word.
    let bytes: Vec<u8> = key.iter().rev().flat_map(|word| word.to_le_bytes()).collect();
    half_siphash(hash_key, &bytes)
}

#[test]
fn the_reference_hash_gives_the_published_vectors() {
    // Key 00 01 .. 07, message 00 01 .. (n - 1): the vectors of Linux, lib/tests/siphash_kunit.c.
    const VECTORS: [u32; 13] = [
        0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6,
        0x577999b1, 0xc839caed, 0xe4fa32cf, 0x959246ee, 0x6b28096c,
    ];
    for (n, expected) in VECTORS.into_iter().enumerate() {
        let message: Vec<u8> = (0..n as u8).collect();
        assert_eq!(half_siphash([0x0302_0100, 0x0706_0504], &message), expected, "{n} bytes");
    }
}

#[test]
fn the_hash_is_halfsiphash_and_takes_eight_cycles() {
    const SEED: u64 = 11;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut dut = Model::build("rx_hash", &emit::verilog("rx_hash", rx::Hash::<96>::default())).unwrap();
    dut.reset(2);
    for case in 0..2000 {
        let (hash_key, key): ([u32; 2], Key) = match case {
            0 => ([0x0302_0100, 0x0706_0504], [0x0302_0100, 0x0706_0504, 0x0b0a_0908]),
            _ => ([rng.next_u32(), rng.next_u32()], [rng.next_u32(), rng.next_u32(), rng.next_u32()]),
        };
        dut.poke("key0", hash_key[0].into());
        dut.poke("key1", hash_key[1].into());
        let message = dut.port("message").unwrap();
        dut.set_wide(message, &[key[2], key[1], key[0]]);
        dut.poke("start", 1);
        dut.cycle();
        dut.poke("start", 0);
        for _ in 0..7 {
            assert_eq!(dut.peek("busy"), 1, "seed {SEED} case {case}");
            dut.cycle();
        }
        assert_eq!(dut.peek("busy"), 0, "seed {SEED} case {case}");
        assert_eq!(dut.peek("digest"), u64::from(hash_of(hash_key, key)), "seed {SEED} case {case}");
    }
}

/// A table for 2^6 connections: two halves of 16 buckets, small enough to fill them.
const LOG2: usize = 6;
const BUCKETS: u32 = 1 << (LOG2 - 2);
const HASH_KEY: [u32; 2] = [0x1357_9bdf, 0x0246_8ace];
/// Cycles that a frame or an operation needs at most, with one other before it in the engine.
const CYCLES_MAX: u32 = 40;

struct Table {
    dut: Model,
    lk_start: Port,
    lk_busy: Port,
    lk_key: Port,
    push: Port,
    facts: Port,
    frame_key: Port,
    room: Port,
    routed_valid: Port,
    routed: Port,
    take: Port,
    /// Keys and marks of the frames pushed and not yet seen again.
    frames: VecDeque<(Option<Key>, u32)>,
    entries: HashMap<Key, u16>,
    /// Entries of each bucket of each half, and the half where each key is.
    load: [[u32; BUCKETS as usize]; 2],
    half: HashMap<Key, usize>,
    /// The key that an operation under way may change, and its value before and after.
    in_doubt: Option<(Key, Option<u16>, Option<u16>)>,
    pushed: u32,
    answered: u32,
}

impl Table {
    fn new() -> Table {
        let text = emit::verilog("rx_lookup", rx::Lookup::<LOG2, 4, 5>::default());
        let mut dut = Model::build("rx_lookup", &text).unwrap();
        let port = |name: &str| dut.port(name).unwrap();
        let (lk_start, lk_busy) = (port("lk_start"), port("lk_busy"));
        let lk_key = port("lk_key");
        let (push, facts, room) = (port("push"), port("facts"), port("room"));
        let frame_key = port("key");
        let (routed_valid, routed, take) = (port("routed_valid"), port("routed"), port("take"));
        dut.poke("hash_key0", HASH_KEY[0].into());
        dut.poke("hash_key1", HASH_KEY[1].into());
        dut.reset(2);
        Table {
            dut,
            lk_start,
            lk_busy,
            lk_key,
            push,
            facts,
            frame_key,
            room,
            routed_valid,
            routed,
            take,
            frames: VecDeque::new(),
            entries: HashMap::new(),
            load: [[0; BUCKETS as usize]; 2],
            half: HashMap::new(),
            in_doubt: None,
            pushed: 0,
            answered: 0,
        }
    }

    /// One cycle: perhaps pushes a frame (without a key: one that needs no lookup), perhaps takes one and
    /// checks it.
    fn step(&mut self, frame: Option<Option<Key>>, take: bool) {
        let dut = &mut self.dut;
        dut.eval();
        let frame = frame.filter(|_| dut.is_high(self.room));
        dut.set(self.push, frame.is_some().into());
        if let Some(key) = frame {
            // Fields of `FrameFacts`: 28 bits of lengths, which carry the mark; `candidate`, bit 36; `carry`, from bit 42
            // on, of which connection.p4 uses one that says the same.
            let mark = self.pushed;
            self.pushed += 1;
            dut.set(self.facts, u64::from(mark) | (u64::from(key.is_some()) * (1 << 36 | 1 << 42)));
            let [remote_ip, local_ip, ports] = key.unwrap_or([7; 3]);
            dut.set_wide(self.frame_key, &[ports, local_ip, remote_ip]);
            self.frames.push_back((key, mark));
        }
        let take = take && dut.is_high(self.routed_valid);
        dut.set(self.take, take.into());
        if take {
            // Fields of `RoutedFrame`: 44 bits of facts, `hit`, the value.
            let word = dut.get(self.routed);
            let (key, mark) = self.frames.pop_front().expect("a frame comes out that never went in");
            assert_eq!(word as u32 & 0xfff_ffff, mark, "frames come out in order");
            let found = (word >> 44 & 1 == 1).then_some((word >> 45) as u16);
            let expected = key.and_then(|key| self.entries.get(&key).copied());
            match self.in_doubt {
                Some((doubtful, before, after)) if key == Some(doubtful) => {
                    assert!(
                        found == before || found == after,
                        "{found:?} is neither {before:?} nor {after:?}"
                    );
                }
                _ => assert_eq!(found, expected, "frame {mark} with key {key:x?}"),
            }
            self.answered += 1;
        }
        dut.cycle();
    }

    /// Starts an operation; then [`Table::finish`] after `lk_busy` fell.
    fn start(&mut self, op: u32, key: Key, value: u16) {
        let [remote_ip, local_ip, ports] = key;
        self.dut.set_wide(self.lk_key, &[ports, local_ip, remote_ip]);
        self.dut.poke("lk_value", value.into());
        self.dut.poke("lk_op", op.into());
        self.dut.set(self.lk_start, 1);
    }

    /// Carries out an operation while no frame passes, and checks it against the model.
    fn run(&mut self, op: u32, key: Key, value: u16) -> (u32, Option<u16>) {
        let expected = self.expect(op, key, value);
        self.start(op, key, value);
        for _ in 0..(1 << LOG2) + 40 {
            self.step(None, true);
            self.dut.set(self.lk_start, 0);
            if !self.dut.is_high(self.lk_busy) {
                assert_eq!(self.dut.peek("lk_outcome") as u32, expected.0, "{op} of {key:x?}");
                return expected;
            }
        }
        panic!("operation {op} of {key:x?} does not end");
    }

    /// The outcome and the value found that the model gives, and the table after it.
    fn expect(&mut self, op: u32, key: Key, value: u16) -> (u32, Option<u16>) {
        let hash = hash_of(HASH_KEY, key);
        let bucket = [hash % BUCKETS, (hash >> 16) % BUCKETS].map(|bucket| bucket as usize);
        let standing = self.entries.get(&key).copied();
        match (op, standing) {
            (INSERT, Some(_)) => (EXISTS, None),
            (INSERT, None) => {
                let load = [self.load[0][bucket[0]], self.load[1][bucket[1]]];
                if load == [4, 4] {
                    return (FULL, None);
                }
                let half = usize::from(load[1] < load[0]);
                self.load[half][bucket[half]] += 1;
                self.half.insert(key, half);
                self.entries.insert(key, value);
                (OK, None)
            }
            (DELETE, Some(found)) => {
                let half = self.half.remove(&key).unwrap();
                self.load[half][bucket[half]] -= 1;
                self.entries.remove(&key);
                (OK, Some(found))
            }
            (FIND, Some(found)) => (OK, Some(found)),
            _ => (ABSENT, None),
        }
    }
}

/// Random operations on few keys, so that buckets fill, while frames with the same keys pass at the given
/// chance in 256 a cycle.
fn operations_and_frames(seed: u64, frame_chance: u32, operations: u32) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |n: u32| ((u64::from(rng.next_u32()) * u64::from(n)) >> 32) as u32;
    let keys: Vec<Key> = (0..240).map(|_| [0x0a00_0000 + below(3), 0x0a00_0100, below(1 << 12)]).collect();
    let mut table = Table::new();
    let mut outcomes = [0; 4];
    let mut longest = 0;
    for count in 0..operations {
        // Mostly insertions at first, then a balance.
        let op = if below(3) == 0 {
            FIND
        } else if below(operations) > count {
            INSERT
        } else {
            1 + below(2)
        };
        let (key, value) = (keys[below(240) as usize], below(1 << 16) as u16);
        // Frames that were answered before the operation, but not taken, show the table before it.
        let before = table.entries.get(&key).copied();
        table.start(op, key, value);
        let (outcome, found) = table.expect(op, key, value);
        table.in_doubt = Some((key, before, table.entries.get(&key).copied()));
        let mut waited = 0;
        loop {
            let frame =
                (below(256) < frame_chance).then(|| (below(4) != 0).then(|| keys[below(240) as usize]));
            table.step(frame, below(2) == 0);
            table.dut.set(table.lk_start, 0);
            if !table.dut.is_high(table.lk_busy) {
                break;
            }
            waited += 1;
            assert!(count == 0 || waited <= 130, "seed {seed}: operation {count} does not end");
        }
        if count > 0 {
            longest = longest.max(waited);
        }
        let got = (table.dut.peek("lk_outcome") as u32, table.dut.peek("lk_found") as u16);
        assert_eq!(got.0, outcome, "seed {seed}: operation {count}, {op} of {key:x?}");
        if let Some(found) = found {
            assert_eq!(got.1, found, "seed {seed}: operation {count}, {op} of {key:x?}");
        }
        outcomes[outcome as usize] += 1;
        // Drain what was looked up under the old table before the next operation.
        for _ in 0..20 * CYCLES_MAX {
            if table.frames.is_empty() {
                break;
            }
            table.step(None, true);
        }
        assert!(table.frames.is_empty(), "seed {seed}: frames are stuck");
        table.in_doubt = None;
    }
    assert!(outcomes.iter().all(|n| *n > 20), "seed {seed}: outcomes {outcomes:?}, some hardly tried");
    assert_eq!(table.pushed, table.answered);
    if frame_chance == 0 {
        assert!(longest <= 16, "an operation alone took {longest} cycles");
    }
}

#[test]
fn operations_follow_the_model() {
    operations_and_frames(21, 0, 1500);
}

#[test]
fn operations_and_frames_share_the_table() {
    operations_and_frames(22, 3, 800);
    operations_and_frames(23, 12, 800);
    operations_and_frames(24, 60, 800);
}

#[test]
fn frames_of_minimum_interval_leave_time_for_operations() {
    let mut table = Table::new();
    for _ in 0..1 << LOG2 {
        table.step(None, false);
    }
    let key = [1, 2, 3];
    table.start(INSERT, key, 77);
    table.entries.insert(key, 77);
    table.in_doubt = Some((key, None, Some(77)));
    let mut operations = 0;
    for cycle in 0..21 * 1000 {
        table.step((cycle % 21 == 0).then_some(Some(key)), true);
        table.dut.set(table.lk_start, 0);
        if !table.dut.is_high(table.lk_busy) {
            operations += 1;
            table.start(FIND, key, 0);
        }
        assert!(table.frames.len() <= 3, "cycle {cycle}: frames pile up");
    }
    assert!(operations >= 300, "only {operations} operations between 1000 frames");
}

#[test]
fn frames_miss_while_the_table_is_cleared() {
    let mut table = Table::new();
    table.start(FIND, [1, 1, 1], 0);
    for cycle in 0..(1 << LOG2) - 8 {
        table.step((cycle < 8).then_some(Some([cycle, 0, 0])), true);
        table.dut.set(table.lk_start, 0);
    }
    assert_eq!(table.answered, 8, "a frame does not wait for the clearing");
    assert!(table.dut.is_high(table.lk_busy), "an operation does");
    for _ in 0..CYCLES_MAX {
        table.step(None, true);
    }
    assert!(!table.dut.is_high(table.lk_busy));
    assert_eq!(table.dut.peek("lk_outcome") as u32, ABSENT);
}

#[test]
fn a_reset_at_any_time_empties_the_table() {
    const SEED: u64 = 25;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut below = |n: u32| ((u64::from(rng.next_u32()) * u64::from(n)) >> 32) as u32;
    let keys: Vec<Key> = (0..40).map(|_| [below(1 << 20), 5, 6]).collect();
    let mut table = Table::new();
    for round in 0..60 {
        for _ in 0..below(200) {
            if !table.dut.is_high(table.lk_busy) {
                // Operations that change the table leave doubt about the frames on their way: here only FIND of what
                // may or may not be there, until the reset, and the insertions below.
                table.start(FIND, keys[below(40) as usize], 0);
            }
            let frame = (below(4) == 0).then(|| Some(keys[below(40) as usize]));
            table.step(frame, below(2) == 0);
            table.dut.set(table.lk_start, 0);
        }
        // In the middle of whatever it does, an insertion perhaps among it.
        table.start(INSERT, keys[0], 1);
        for _ in 0..below(40) {
            table.in_doubt = Some((keys[0], table.entries.get(&keys[0]).copied(), Some(1)));
            table.step(None, true);
            table.dut.set(table.lk_start, 0);
        }
        table.dut.set(table.lk_start, 0);
        table.dut.reset(1);
        table.frames.clear();
        table.entries.clear();
        table.load = [[0; BUCKETS as usize]; 2];
        table.half.clear();
        table.in_doubt = None;
        for key in &keys {
            assert_eq!(table.run(FIND, *key, 0), (ABSENT, None), "seed {SEED}, round {round}: {key:x?}");
        }
        for (value, key) in keys.iter().enumerate().take(20) {
            assert_eq!(table.run(INSERT, *key, value as u16).0, OK, "seed {SEED}, round {round}: {key:x?}");
        }
    }
}

/// A statistic that says how evenly buckets are used: about normal with mean 0 and deviation 1 for a fair choice.
fn unevenness(buckets: impl Iterator<Item = u32>, count: usize) -> f64 {
    let mut load = vec![0u32; count];
    let mut total = 0.0;
    for bucket in buckets {
        load[bucket as usize] += 1;
        total += 1.0;
    }
    let (expected, freedom) = (total / count as f64, count as f64 - 1.0);
    let chi2: f64 = load.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
    (chi2 - freedom) / (2.0 * freedom).sqrt()
}

#[test]
fn every_bit_of_key_and_tuple_changes_every_bit_of_the_hash() {
    const SEED: u64 = 26;
    const SAMPLES: u32 = 3000;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut changed = vec![[0u32; 32]; 160];
    for _ in 0..SAMPLES {
        let mut words: [u32; 5] = std::array::from_fn(|_| rng.next_u32());
        let before = hash_of([words[0], words[1]], [words[2], words[3], words[4]]);
        for (bit, counts) in changed.iter_mut().enumerate() {
            words[bit / 32] ^= 1 << (bit % 32);
            let difference = before ^ hash_of([words[0], words[1]], [words[2], words[3], words[4]]);
            words[bit / 32] ^= 1 << (bit % 32);
            for (place, count) in counts.iter_mut().enumerate() {
                *count += difference >> place & 1;
            }
        }
    }
    // 5120 counts of a fair coin stay within 4.5 deviations of a half, but for one chance in thirty.
    let deviation = f64::from(SAMPLES).sqrt() / 2.0;
    for (bit, counts) in changed.iter().enumerate() {
        for (place, count) in counts.iter().enumerate() {
            let off = (f64::from(*count) - f64::from(SAMPLES) / 2.0) / deviation;
            assert!(
                off.abs() < 5.0,
                "seed {SEED}: input bit {bit} changes bit {place} {count} times of {SAMPLES}"
            );
        }
    }
}

#[test]
fn tuples_that_collide_under_one_key_spread_under_another() {
    const SEED: u64 = 27;
    const BUCKETS: u32 = 1024;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let known = [rng.next_u32(), rng.next_u32()];
    // What an adversary who knew the key would send: tuples that share a bucket, in the left or in the right half.
    let tuples = connections(&mut rng, 400_000);
    for (half, shift) in [("left", 0), ("right", 16)] {
        let aimed: Vec<Key> =
            tuples.iter().copied().filter(|key| hash_of(known, *key) >> shift & (BUCKETS - 1) == 7).collect();
        assert!(aimed.len() > 300, "{} tuples", aimed.len());
        // Keys that have nothing to do with the known one, and keys that differ from it in one bit.
        let others = (0..16).map(|_| [rng.next_u32(), rng.next_u32()]).collect::<Vec<_>>();
        let near =
            (0..64).map(|bit| [known[0] ^ (1u64 << bit) as u32, known[1] ^ (1u64 << bit >> 32) as u32]);
        for key in others.into_iter().chain(near) {
            for at in [0, 16] {
                let off = unevenness(aimed.iter().map(|t| hash_of(key, *t) >> at & 63), 64);
                assert!(off < 6.0, "seed {SEED}: {half}, key {key:x?}: {off} deviations from a fair choice");
            }
        }
        let same = unevenness(aimed.iter().map(|t| hash_of(known, *t) >> shift & 63), 64);
        assert!(same > 100.0, "the statistic does not see a collision: {same}");
    }
}

#[test]
fn an_adversary_without_the_key_fills_no_bucket() {
    let known = [0x1357_9bdf, 0x0246_8ace];
    let mut rng = ChaCha8Rng::seed_from_u64(28);
    let mask = BUCKETS - 1;
    // Tuples that share both buckets, of which eight fit.
    let aimed: Vec<Key> = connections(&mut rng, 60_000)
        .into_iter()
        .filter(|key| hash_of(known, *key) & (mask << 16 | mask) == 0)
        .take(1 << LOG2)
        .collect();
    assert_eq!(aimed.len(), 1 << LOG2);
    let mut table = Operations::new::<LOG2>().unwrap();
    for (hash_key, fit) in
        [(known, 8), ([rng.next_u32(), rng.next_u32()], 64), ([known[0] ^ 1, known[1]], 64)]
    {
        table.reset(hash_key);
        let accepted = aimed.iter().filter(|key| table.operate(INSERT, **key, 0).unwrap().0 == OK).count();
        assert!(accepted == fit || fit == 64 && accepted >= 62, "key {hash_key:x?}: {accepted} of 64 fit");
    }
}

#[test]
fn fewer_than_one_in_a_hundred_is_refused_at_4096() {
    let refused = lookup_refused::<12>(29, 6, 2000).unwrap();
    println!("{refused:?}");
    assert!(refused.filling_worst < 0.01 && refused.changing < 1.0, "seed 29: {refused:?}");
}

#[test]
fn a_table_for_65536_connections_holds_them() {
    let refused = lookup_refused::<16>(30, 1, 1000).unwrap();
    println!("{refused:?}");
    assert!(refused.filling < 1.0 && refused.changing < 1.0, "seed 30: {refused:?}");
    let mut rng = ChaCha8Rng::seed_from_u64(31);
    let mut table = Operations::new::<16>().unwrap();
    table.reset([rng.next_u32(), rng.next_u32()]);
    let keys = connections(&mut rng, 3000);
    for (value, key) in (1000u16..).zip(&keys) {
        assert_eq!(table.operate(INSERT, *key, value).unwrap().0, OK);
    }
    for (value, key) in (1000u16..).zip(&keys).step_by(3) {
        assert_eq!(table.operate(DELETE, *key, 0).unwrap(), (OK, value));
    }
    for (index, (value, key)) in (1000u16..).zip(&keys).enumerate() {
        let (outcome, found) = table.operate(FIND, *key, 0).unwrap();
        let expected = if index % 3 == 0 { ABSENT } else { OK };
        assert!(outcome == expected && (outcome == ABSENT || found == value), "{index}: {outcome}, {found}");
    }
}

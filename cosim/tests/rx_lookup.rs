//! The keyed hash and the lookup table against models in Rust.

use baton_abi::mmio::lookup::{ABSENT, DELETE, EXISTS, FIND, FULL, INSERT, OK};
use baton_cosim::block::{Model, Port};
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
    let bytes: Vec<u8> = key.iter().flat_map(|word| word.to_le_bytes()).collect();
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
    let mut dut = Model::build("rx_hash", &emit::verilog("rx_hash", rx::Hash::default())).unwrap();
    dut.reset(2);
    for case in 0..2000 {
        let (hash_key, key): ([u32; 2], Key) = match case {
            0 => ([0x0302_0100, 0x0706_0504], [0x0302_0100, 0x0706_0504, 0x0b0a_0908]),
            _ => ([rng.next_u32(), rng.next_u32()], [rng.next_u32(), rng.next_u32(), rng.next_u32()]),
        };
        dut.poke("key0", hash_key[0].into());
        dut.poke("key1", hash_key[1].into());
        dut.poke("message0", key[0].into());
        dut.poke("message1", key[1].into());
        dut.poke("message2", key[2].into());
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

/// A table of 2^7 entries: 32 buckets, small enough to fill them.
const LOG2_ENTRIES: usize = 7;
const BUCKETS: u32 = 1 << (LOG2_ENTRIES - 2);
const HASH_KEY: [u32; 2] = [0x1357_9bdf, 0x0246_8ace];
/// Cycles that a frame or an operation needs at most, with one other before it in the engine.
const CYCLES_MAX: u32 = 40;

struct Table {
    dut: Model,
    lk_start: Port,
    lk_busy: Port,
    lk_key: [Port; 3],
    push: Port,
    info: Port,
    room: Port,
    routed_valid: Port,
    routed: Port,
    take: Port,
    /// Keys and marks of the frames pushed and not yet seen again.
    frames: VecDeque<(Option<Key>, u32)>,
    entries: HashMap<Key, u16>,
    /// The key that an operation under way may change, and its value before and after.
    in_doubt: Option<(Key, Option<u16>, Option<u16>)>,
    pushed: u32,
    answered: u32,
}

impl Table {
    fn new() -> Table {
        let text = emit::verilog("rx_lookup", rx::Lookup::<LOG2_ENTRIES>::default());
        let mut dut = Model::build("rx_lookup", &text).unwrap();
        let port = |name: &str| dut.port(name).unwrap();
        let (lk_start, lk_busy) = (port("lk_start"), port("lk_busy"));
        let lk_key = [port("lk_key0"), port("lk_key1"), port("lk_key2")];
        let (push, info, room) = (port("push"), port("info"), port("room"));
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
            info,
            room,
            routed_valid,
            routed,
            take,
            frames: VecDeque::new(),
            entries: HashMap::new(),
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
            // Fields of `FrameInfo`: the key, then `candidate`, then the facts, of which `arrival` is the
            // mark.
            let [a, b, c] = key.unwrap_or([7; 3]);
            let mark = self.pushed;
            self.pushed += 1;
            dut.set_wide(self.info, &[a, b, c, u32::from(key.is_some()) | mark << 1, mark >> 31]);
            self.frames.push_back((key, mark));
        }
        let take = take && dut.is_high(self.routed_valid);
        dut.set(self.take, take.into());
        if take {
            // Fields of `RoutedFrame`: 63 bits of facts, `hit`, the value.
            let words = dut.get_wide(self.routed);
            let (key, mark) = self.frames.pop_front().expect("a frame comes out that never went in");
            assert_eq!(words[0], mark, "frames come out in order");
            let found = (words[1] >> 31 == 1).then_some(words[2] as u16);
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
        for (port, word) in self.lk_key.into_iter().zip(key) {
            self.dut.set(port, word.into());
        }
        self.dut.poke("lk_value", value.into());
        self.dut.poke("lk_op", op.into());
        self.dut.set(self.lk_start, 1);
    }

    /// The outcome and the value found that the model gives, and the table after it.
    fn expect(&mut self, op: u32, key: Key, value: u16) -> (u32, Option<u16>) {
        let bucket = |key: &Key| hash_of(HASH_KEY, *key) % BUCKETS;
        let standing = self.entries.get(&key).copied();
        match (op, standing) {
            (INSERT, Some(_)) => (EXISTS, None),
            (INSERT, None) => {
                if self.entries.keys().filter(|other| bucket(other) == bucket(&key)).count() == 4 {
                    return (FULL, None);
                }
                self.entries.insert(key, value);
                (OK, None)
            }
            (DELETE, Some(found)) => {
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
    for _ in 0..1 << LOG2_ENTRIES {
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
    for cycle in 0..(1 << LOG2_ENTRIES) - 8 {
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

//! The staging memory by itself: what it takes back when it has no room, which the whole path never lets
//! happen.

mod support;

use baton_cosim::block::Model;
use baton_hdl::{emit, rx};
use std::collections::VecDeque;
use support::Chance;

/// A staging memory of 512 words.
struct Staging {
    dut: Model,
}

impl Staging {
    fn new() -> Staging {
        let text = emit::verilog("rx_staging", rx::Staging::<9, 10>::default());
        let mut dut = Model::build("rx_staging", &text).unwrap();
        dut.reset(2);
        dut.poke("room", 1);
        Staging { dut }
    }

    /// Writes a frame of so many words, each `first` and its place; the pulses commit, check sequence,
    /// length, filter, overflow.
    fn frame(&mut self, words: u64, first: u64, bad_fcs: bool) -> [u64; 5] {
        for place in 0..words {
            self.dut.poke("valid", 1);
            self.dut.poke("word", first + place);
            self.dut.poke("len", (4 * (place + 1)).min(16388));
            self.dut.poke("last", u64::from(place + 1 == words));
            self.dut.poke("bad_fcs", bad_fcs.into());
            self.dut.cycle();
        }
        self.dut.poke("valid", 0);
        self.dut.eval();
        ["commit", "drop_fcs", "drop_length", "drop_filter", "drop_overflow"].map(|name| self.dut.peek(name))
    }

    fn read(&mut self, address: u64) -> u64 {
        self.dut.poke("read_addr", address);
        self.dut.cycle();
        self.dut.peek("read_data")
    }

    fn free(&mut self, words: u64) {
        self.dut.poke("free", 1);
        self.dut.poke("free_words", words);
        self.dut.cycle();
        self.dut.poke("free", 0);
    }
}

const COMMIT: [u64; 5] = [1, 0, 0, 0, 0];
const FCS: [u64; 5] = [0, 1, 0, 0, 0];
const LENGTH: [u64; 5] = [0, 0, 1, 0, 0];
const FILTER: [u64; 5] = [0, 0, 0, 1, 0];
const OVERFLOW: [u64; 5] = [0, 0, 0, 0, 1];

#[test]
fn a_frame_without_room_leaves_no_trace() {
    let mut staging = Staging::new();
    assert_eq!(staging.frame(300, 1000, false), COMMIT);
    assert_eq!(staging.frame(213, 2000, false), OVERFLOW);
    assert_eq!(staging.frame(212, 3000, false), COMMIT, "exactly full");
    assert_eq!(staging.frame(16, 4000, false), OVERFLOW);
    assert_eq!(staging.read(299), 1299);
    assert_eq!(staging.read(300), 3000);
    staging.free(300);
    assert_eq!(staging.read(211), 3211);
    assert_eq!(staging.frame(300, 5000, false), COMMIT);
    assert_eq!(staging.read(212), 5000);
}

#[test]
fn the_first_reason_counts() {
    let mut staging = Staging::new();
    for (vlan, jumbo, most) in [(0, 0, 379), (1, 0, 380), (0, 1, 2254), (1, 1, 2254)] {
        staging.dut.poke("vlan", vlan);
        staging.dut.poke("jumbo", jumbo);
        let fits = if most <= 512 { COMMIT } else { OVERFLOW };
        assert_eq!(staging.frame(most, 0, false), fits, "{} stored bytes are the most", 4 * most);
        if most <= 512 {
            staging.free(most);
        }
        for _ in 0..3 {
            assert_eq!(staging.frame(most + 1, 0, false), LENGTH);
            assert_eq!(staging.frame(3, 0, false), LENGTH);
            assert_eq!(staging.frame(6000, 0, false), LENGTH, "an endless frame");
            assert_eq!(staging.frame(most + 1, 0, true), FCS);
            assert_eq!(staging.frame(20, 0, true), FCS);
        }
    }
    for refuse in [1, 0] {
        staging.dut.poke("refuse", refuse);
        let sound = if refuse == 1 { FILTER } else { COMMIT };
        assert_eq!(staging.frame(20, 0, false), sound);
        assert_eq!(staging.frame(3, 0, false), LENGTH);
        assert_eq!(staging.frame(20, 0, true), FCS);
        staging.dut.poke("room", 0);
        let no_room = if refuse == 1 { FILTER } else { OVERFLOW };
        assert_eq!(staging.frame(20, 0, false), no_room);
        staging.dut.poke("room", 1);
    }
    staging.free(20);
    staging.dut.poke("jumbo", 0);
    staging.dut.poke("room", 0);
    assert_eq!(staging.frame(4, 0, false), OVERFLOW, "no room for what is known of the frame");
    assert_eq!(staging.frame(3, 0, false), LENGTH);
    staging.dut.poke("room", 1);
    assert_eq!(staging.frame(4, 77, false), COMMIT);
    assert_eq!(staging.read(3), 80);
}

/// What the reference holds: words of committed frames, and those of the frame that comes in.
#[derive(Default)]
struct Reference {
    committed: VecDeque<u32>,
    pending: Vec<u32>,
    spilled: bool,
}

impl Reference {
    /// A word of a frame, and with the last one what comes of it.
    fn word(&mut self, word: u32, len: u64, last: Option<bool>, rules: &Rules) -> [u64; 5] {
        let full = self.committed.len() + self.pending.len() == 512;
        let limit = if rules.jumbo { 9016 } else { 1516 + 4 * u64::from(rules.vlan) };
        self.spilled |= full;
        if !self.spilled && len <= limit && !rules.refuse {
            self.pending.push(word);
        }
        let Some(bad_fcs) = last else { return [0; 5] };
        let spilled = std::mem::take(&mut self.spilled);
        let fate = match (bad_fcs, (16..=limit).contains(&len), rules.refuse, spilled || !rules.room) {
            (true, ..) => FCS,
            (_, false, ..) => LENGTH,
            (.., true, _) => FILTER,
            (.., true) => OVERFLOW,
            _ => COMMIT,
        };
        if fate == COMMIT {
            self.committed.extend(&self.pending);
        }
        self.pending.clear();
        fate
    }
}

/// What holds for a frame.
struct Rules {
    vlan: bool,
    jumbo: bool,
    refuse: bool,
    room: bool,
}

#[test]
fn frames_are_kept_or_taken_back_with_stalls_and_resets_at_any_time() {
    const SEED: u64 = 8;
    let mut chance = Chance::new(SEED);
    let mut staging = Staging::new();
    let mut reference = Reference::default();
    let mut counts = [0; 5];
    let (mut expected, mut asked, mut resets) = ([0; 5], None, 0);
    for frame in 0..6_000 {
        let bytes = match chance.below(8) {
            0 => 1 + chance.below(20),
            1 => 1510 + chance.below(12),
            2 => chance.below(3000) + 1,
            _ => 16 + chance.below(200),
        };
        let words = bytes.div_ceil(4);
        let bad_fcs = chance.permille(100);
        let rules = Rules {
            vlan: chance.permille(300),
            jumbo: chance.permille(200),
            refuse: chance.permille(100),
            room: chance.permille(950),
        };
        for (name, on) in
            [("vlan", rules.vlan), ("jumbo", rules.jumbo), ("refuse", rules.refuse), ("room", rules.room)]
        {
            staging.dut.poke(name, on.into());
        }
        let stop = if chance.permille(20) { chance.below(words) } else { words };
        let mut place = 0;
        // One cycle more, so that the fate of the last word shows before the next frame's settings.
        while place <= stop {
            let offered = place < words && chance.permille(800);
            let (data, last) = (chance.below(u32::MAX), place + 1 == words);
            let len = u64::from(if last { bytes } else { 4 * (place + 1) });
            staging.dut.poke("valid", offered.into());
            staging.dut.poke("word", data.into());
            staging.dut.poke("len", len);
            staging.dut.poke("last", last.into());
            staging.dut.poke("bad_fcs", bad_fcs.into());
            let most = reference.committed.len().min(60) as u32;
            let frees = if most > 0 && chance.permille(60) { 1 + chance.below(most) } else { 0 };
            staging.dut.poke("free", (frees > 0).into());
            staging.dut.poke("free_words", frees.into());
            staging.dut.eval();
            let fates = ["commit", "drop_fcs", "drop_length", "drop_filter", "drop_overflow"]
                .map(|n| staging.dut.peek(n));
            assert_eq!(fates, expected, "seed {SEED}, frame {frame}, word {place}");
            if let Some(word) = asked.take() {
                assert_eq!(staging.dut.peek("read_data") as u32, word, "seed {SEED}, frame {frame}");
            }
            if !reference.committed.is_empty() {
                let place = chance.below(reference.committed.len() as u32);
                staging.dut.poke("read_addr", place.into());
                asked = Some(reference.committed[place as usize]);
            }
            staging.dut.cycle();
            expected = [0; 5];
            if offered {
                expected = reference.word(data, len, last.then_some(bad_fcs), &rules);
            }
            counts.iter_mut().zip(expected).for_each(|(count, pulse)| *count += pulse);
            reference.committed.drain(..frees as usize);
            place += u32::from(offered || place == words);
        }
        if stop < words || chance.permille(5) {
            for name in ["valid", "free"] {
                staging.dut.poke(name, 0);
            }
            staging.dut.reset(1 + chance.below(2));
            (reference, expected, asked) = (Reference::default(), [0; 5], None);
            resets += 1;
        }
    }
    assert!(counts.iter().all(|count| *count > 100), "seed {SEED}: fates {counts:?}");
    assert!(resets > 100, "seed {SEED}: {resets} resets");
}

//! The verifier by itself: frames of every kind against the reference, with stalls and resets at random.

// Other tests use the rest.
#[allow(dead_code)]
#[path = "rx_path/frames.rs"]
mod frames;
mod support;

use baton_cosim::block::{Model, Port};
use baton_hdl::{emit, rx};
use frames::{classify, Fate, FrameMaker, Kind, Rules, KINDS};
use std::collections::BTreeMap;
use support::Chance;

const SEED: u64 = 7;

const RULES: Rules = Rules { jumbo: true, ipv6: false, promiscuous: true, broadcast: true, multicast: true };

/// Cycles from the commit of a frame to the verdict.
const DELAY: u64 = 3;

/// A frame that was sent whole.
struct Whole {
    kind: Kind,
    fate: Fate,
    /// Bytes as stored.
    len: u64,
}

struct Bench {
    dut: Model,
    word: Port,
    valid: Port,
    last: Port,
    commit: Port,
    commit_len: Port,
    push: Port,
    facts: Port,
    cycle: u64,
    /// The frame to be committed in the next cycle.
    committing: Option<Whole>,
    /// The frame that waits for its verdict, and when that is due.
    waiting: Option<(u64, Whole)>,
    judged: BTreeMap<Kind, u32>,
}

impl Bench {
    fn new(ipv6: bool) -> Self {
        let text = emit::verilog("rx_verifier", rx::Verifier::default());
        let mut dut = Model::build("rx_verifier", &text).unwrap();
        dut.reset(1);
        dut.poke("ipv6", ipv6.into());
        let [word, valid, last, commit, commit_len, push, facts] =
            ["word", "valid", "last", "commit", "commit_len", "push", "facts"]
                .map(|name| dut.port(name).unwrap());
        Bench {
            dut,
            word,
            valid,
            last,
            commit,
            commit_len,
            push,
            facts,
            cycle: 0,
            committing: None,
            waiting: None,
            judged: BTreeMap::new(),
        }
    }

    /// A cycle with a word of a frame and whether it is the last, or with neither.
    fn cycle(&mut self, offered: Option<(u32, bool)>, idle: u32) {
        let (word, last) = offered.unwrap_or((idle, idle & 1 == 1));
        self.dut.set(self.word, word.into());
        self.dut.set(self.last, last.into());
        self.dut.set(self.valid, offered.is_some().into());
        self.dut.set(self.commit, self.committing.is_some().into());
        if let Some(whole) = self.committing.take() {
            self.dut.set(self.commit_len, whole.len);
            self.waiting = Some((self.cycle + DELAY, whole));
        }
        self.dut.eval();
        let due = self.waiting.take_if(|(due, _)| *due == self.cycle);
        assert_eq!(self.dut.is_high(self.push), due.is_some(), "seed {SEED}, cycle {}", self.cycle);
        if let Some((_, whole)) = due {
            self.judge(&whole);
            *self.judged.entry(whole.kind).or_default() += 1;
        }
        self.dut.cycle();
        self.cycle += 1;
    }

    fn judge(&self, whole: &Whole) {
        let facts = self.dut.get(self.facts);
        let field = |at: u32, width: u32| facts >> at & ((1 << width) - 1);
        let at = format!("seed {SEED}, cycle {}: {:?}, {:?}", self.cycle, whole.kind, whole.fate);
        let (bad, verified, descriptor) = match &whole.fate {
            Fate::BadChecksum => (1, 0, None),
            Fate::Host { verified } => (0, (*verified).into(), None),
            Fate::Nic(descriptor) => (0, 1, Some(descriptor)),
            Fate::BadFcs | Fate::BadLength | Fate::Filtered => unreachable!("it is not committed"),
        };
        assert_eq!(field(0, 14), whole.len, "{at}");
        assert_eq!((field(34, 1), field(35, 1)), (bad, verified), "{at}");
        if let Some(descriptor) = descriptor {
            let payload = 4 * (field(37, 5) + field(28, 4));
            let second = payload | field(32, 2) << 14 | field(14, 14) << 16;
            assert_eq!(second, u64::from(descriptor[1]), "{at}");
        }
    }

    fn reset(&mut self, cycles: u32) {
        for port in [self.valid, self.commit] {
            self.dut.set(port, 0);
        }
        self.dut.reset(cycles);
        (self.committing, self.waiting) = (None, None);
    }
}

#[test]
fn frames_of_every_kind_are_judged_whatever_came_before() {
    let mut chance = Chance::new(SEED);
    let mut maker = FrameMaker::new(SEED);
    let mut bench = Bench::new(false);
    let (mut resets, mut back_to_back) = (0, 0);
    for _ in 0..6_000 {
        let kind = maker.kind();
        let frame = maker.frame(kind);
        let fate = classify(&frame, kind == Kind::BadFcs, true, RULES, &maker.connections);
        let mut stored: Vec<u8> = [0, 0].iter().chain(&frame).copied().collect();
        let len = stored.len() as u64;
        // What follows the frame in its last word is undefined.
        stored.resize(stored.len().next_multiple_of(4), 0);
        chance.fill(&mut stored[len as usize..]);
        let count = stored.len() / 4;
        let stop = if chance.permille(30) { chance.below(count as u32) as usize } else { count };
        for (index, bytes) in stored.chunks_exact(4).take(stop).enumerate() {
            while chance.permille(150) {
                bench.cycle(None, chance.below(u32::MAX));
            }
            let word = u32::from_le_bytes(bytes.try_into().unwrap());
            bench.cycle(Some((word, index + 1 == count)), 0);
        }
        if stop < count || chance.permille(10) {
            bench.reset(1 + chance.below(2));
            resets += 1;
            continue;
        }
        if !matches!(fate, Fate::BadFcs | Fate::BadLength) {
            bench.committing = Some(Whole { kind, fate, len });
        }
        // The next frame is there after some cycles, or at once.
        let gap = if chance.permille(600) { 0 } else { chance.below(6) };
        back_to_back += u32::from(gap == 0);
        for _ in 0..gap {
            bench.cycle(None, chance.below(u32::MAX));
        }
    }
    let missing: Vec<&Kind> = KINDS.iter().filter(|kind| !bench.judged.contains_key(kind)).collect();
    assert_eq!(missing, [&Kind::BadFcs, &Kind::Runt], "seed {SEED}: kinds that were never judged");
    assert!(resets > 100 && back_to_back > 1000, "seed {SEED}: {resets} resets, {back_to_back} back to back");
}

/// Sends a frame without a pause, and has it judged.
fn judge(bench: &mut Bench, chance: &mut Chance, kind: Kind, frame: &[u8], rules: Rules) -> Fate {
    let fate = classify(frame, false, true, rules, &Default::default());
    let mut stored: Vec<u8> = [0, 0].iter().chain(frame).copied().collect();
    let len = stored.len() as u64;
    stored.resize(stored.len().next_multiple_of(4), 0);
    chance.fill(&mut stored[len as usize..]);
    let count = stored.len() / 4;
    for (index, bytes) in stored.chunks_exact(4).enumerate() {
        while chance.permille(100) {
            bench.cycle(None, chance.below(u32::MAX));
        }
        let word = u32::from_le_bytes(bytes.try_into().unwrap());
        bench.cycle(Some((word, index + 1 == count)), 0);
    }
    if fate != Fate::BadLength {
        bench.committing = Some(Whole { kind, fate: fate.clone(), len });
    }
    fate
}

/// Frames over IPv6 of every kind among those of IPv4, and a segment of each cut at every length; with `ipv6` and
/// without it.
#[test]
fn ipv6_is_judged_as_ipv4_is() {
    for ipv6 in [true, false] {
        let rules = Rules { ipv6, ..RULES };
        let (mut chance, mut maker) = (Chance::new(SEED), FrameMaker::new(SEED));
        let mut bench = Bench::new(ipv6);
        let mut fates = [0; 3];
        for _ in 0..5_000 {
            let (kind, frame) = match chance.permille(700) {
                true => (Kind::Ipv6, maker.ipv6_frame()),
                false => (Kind::TcpMiss, maker.frame(Kind::TcpMiss)),
            };
            let fate = judge(&mut bench, &mut chance, kind, &frame, rules);
            if kind == Kind::Ipv6 {
                match fate {
                    Fate::Host { verified } => fates[usize::from(verified)] += 1,
                    Fate::BadChecksum => fates[2] += 1,
                    _ => {}
                }
            }
        }
        match ipv6 {
            true => assert!(fates.iter().all(|count| *count > 300), "seed {SEED}: {fates:?}"),
            false => assert!(fates[0] > 3000 && fates[1..] == [0, 0], "seed {SEED}: {fates:?}"),
        }
        for _ in 0..6 {
            let frame = maker.ipv6_frame();
            for len in 14..=frame.len().min(300) {
                judge(&mut bench, &mut chance, Kind::Truncated, &frame[..len], rules);
            }
        }
        for _ in 0..4 {
            bench.cycle(None, 0);
        }
    }
}

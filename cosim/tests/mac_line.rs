//! A line that two transmit queues share: `mac::line` before the gear that makes symbols of its words, against models of both queues.
//!
//! Each side has frames that come at random, resets that empty its queue anywhere in a frame, and pauses within a frame that are longer
//! than the line waits. What a side's queue gave whole stands whole on the line, whatever the other side suffered.

mod support;

use baton_cosim::{
    block::{Model, Port},
    gmii::{self, LineFrame, Receiver, Symbol},
};
use baton_hdl::{
    emit,
    kit::Cr,
    mac::{
        line::{LineShare, QueueIn},
        tx_gear::TxGear,
    },
    module,
};
use rust_hdl::prelude::*;
use std::collections::VecDeque;
use support::Chance;

#[derive(Clone, Debug, LogicBlock)]
struct SharedLine {
    cr: Cr,
    own: QueueIn,
    guest: QueueIn,
    speed: Signal<In, Bits<2>>,
    tx_en: Signal<Out, Bit>,
    tx_er: Signal<Out, Bit>,
    txd: Signal<Out, Bits<8>>,
    line_clock: Signal<Out, Bits<2>>,
    share: LineShare,
    gear: TxGear,
}

impl SharedLine {
    fn new(shared: bool) -> Self {
        SharedLine {
            cr: Default::default(),
            own: Default::default(),
            guest: Default::default(),
            speed: Default::default(),
            tx_en: Default::default(),
            tx_er: Default::default(),
            txd: Default::default(),
            line_clock: Default::default(),
            share: LineShare::new(shared),
            gear: Default::default(),
        }
    }
}

module! {
    impl [] Logic for SharedLine;
    regs: ;
    children: share, gear;
    #[hdl_gen]
    fn update(&mut self) {
        QueueIn::link(&mut self.own, &mut self.share.own);
        QueueIn::link(&mut self.guest, &mut self.share.guest);
        self.gear.word.next = self.share.gear.word.val();
        self.gear.valid.next = self.share.gear.valid.val();
        self.gear.stop.next = self.share.gear.stop.val();
        self.share.gear.pop.next = self.gear.pop.val();
        self.share.gear.sent.next = self.gear.sent.val();
        self.share.gear.underflow.next = self.gear.underflow.val();
        self.share.between.next = self.gear.between.val();
        self.gear.speed.next = self.speed.val();
        self.tx_en.next = self.gear.tx_en.val();
        self.tx_er.next = self.gear.tx_er.val();
        self.txd.next = self.gear.txd.val();
        self.line_clock.next = self.gear.line_clock.val();
    }
}

/// A frame of a side: which one, its number, and chance.
fn frame(side: usize, number: u32, chance: &mut Chance) -> Vec<u8> {
    let mut frame =
        vec![0; 60 + if chance.permille(900) { chance.below(80) } else { chance.below(1455) } as usize];
    chance.fill(&mut frame);
    frame[0] = side as u8;
    frame[1..5].copy_from_slice(&number.to_le_bytes());
    frame
}

/// The words of the queue, the check sequence included.
fn words(frame: &[u8]) -> VecDeque<u64> {
    let whole = [frame, &gmii::fcs(frame)].concat();
    let count = whole.len().div_ceil(4);
    let word = |(at, bytes): (usize, &[u8])| {
        let data = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        data | if at + 1 == count { (7 + bytes.len() as u64) << 32 } else { 0 }
    };
    whole.chunks(4).enumerate().map(word).collect()
}

/// A transmit queue, and what became of its frames.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<VecDeque<u64>>,
    frames: VecDeque<Vec<u8>>,
    made: u32,
    begun: bool,
    stop: u32,
    /// Cycles for which the next word is not there.
    pause: u32,
    /// Frames of which every word was taken, and those of which a part was.
    whole: Vec<Vec<u8>>,
    parts: u64,
    sent: u64,
    underflows: u64,
    ports: Option<[Port; 6]>,
    /// Frames of the other side that have begun since one waits here.
    passed: u32,
}

impl Queue {
    fn valid(&self) -> bool {
        self.stop == 0 && self.pause == 0 && !self.waiting.is_empty()
    }
}

struct Traffic {
    seed: u64,
    /// In a thousand cycles: a frame comes, the queue is emptied, a word of a frame is late. By side.
    frames: [u32; 2],
    resets: [u32; 2],
    pauses: [u32; 2],
    gigabit: bool,
    cycles: u32,
}

struct Outcome {
    queues: [Queue; 2],
    line: Vec<LineFrame>,
}

fn run(traffic: &Traffic) -> Outcome {
    let mut dut = Model::build("line", &emit::verilog("line", SharedLine::new(true))).unwrap();
    let mut queues: [Queue; 2] = Default::default();
    for (queue, name) in queues.iter_mut().zip(["own", "guest"]) {
        queue.ports = Some(
            ["word", "valid", "stop", "pop", "sent", "underflow"]
                .map(|pin| dut.port(&format!("{name}${pin}")).unwrap()),
        );
    }
    let pins = ["tx_en", "tx_er", "txd", "line_clock"].map(|name| dut.port(name).unwrap());
    let mut receiver = Receiver::new(!traffic.gigabit);
    let mut chance = Chance::new(traffic.seed);
    let (mut line, mut line_before) = (Vec::new(), 0);
    dut.poke("speed", 1 + u64::from(traffic.gigabit));
    dut.reset(2);
    for cycle in 0..traffic.cycles {
        // At the end no more come, and all must leave.
        let ends = cycle > traffic.cycles * 3 / 4;
        for (side, queue) in queues.iter_mut().enumerate() {
            if !ends && queue.waiting.len() < 6 && chance.permille(traffic.frames[side]) {
                let frame = frame(side, queue.made, &mut chance);
                queue.waiting.push_back(words(&frame));
                queue.frames.push_back(frame);
                queue.made += 1;
            }
            queue.stop = queue.stop.saturating_sub(1);
            queue.pause = queue.pause.saturating_sub(1);
            if !ends && queue.stop == 0 && chance.permille(traffic.resets[side]) {
                queue.stop = 1 + chance.below(20);
                queue.parts += u64::from(queue.begun);
                (queue.begun, queue.passed) = (false, 0);
                queue.waiting.clear();
                queue.frames.clear();
            }
            let [word, valid, stop, ..] = queue.ports.unwrap();
            dut.set(
                word,
                queue.waiting.front().and_then(|frame| frame.front()).copied().unwrap_or(0x5_5AA5_A55A),
            );
            dut.set(valid, queue.valid().into());
            dut.set(stop, (queue.stop > 0).into());
        }
        dut.eval();
        let pops = queues.each_ref().map(|queue| dut.is_high(queue.ports.unwrap()[3]) && queue.valid());
        let at = format!("seed {}, cycle {cycle}", traffic.seed);
        assert!(!(pops[0] && pops[1]), "{at}: both sides in a cycle");
        for side in 0..2 {
            if !pops[side] {
                continue;
            }
            let other_waits = queues[1 - side].valid();
            assert!(!queues[1 - side].begun, "{at}: a frame of side {} was cut", 1 - side);
            if !queues[side].begun {
                if other_waits {
                    queues[1 - side].passed += 1;
                }
                assert!(queues[1 - side].passed <= 1, "{at}: side {} waits for a second frame", 1 - side);
            }
            let queue = &mut queues[side];
            (queue.begun, queue.passed) = (true, 0);
            let frame = queue.waiting.front_mut().unwrap();
            frame.pop_front();
            if frame.is_empty() {
                queue.waiting.pop_front();
                queue.whole.extend(queue.frames.pop_front());
                queue.begun = false;
            } else if chance.permille(traffic.pauses[side]) {
                queue.pause = 1 + chance.below(30);
            }
        }
        let [en, er, data, clock] = pins;
        let clock = dut.get(clock);
        if clock & 1 == 1 && line_before & 2 == 0 {
            let symbol = Symbol { valid: dut.is_high(en), error: dut.is_high(er), data: dut.get(data) as u8 };
            line.extend(receiver.cycle(symbol));
        }
        line_before = clock;
        for queue in &mut queues {
            let [.., sent, underflow] = queue.ports.unwrap();
            queue.sent += u64::from(dut.is_high(sent));
            queue.underflows += u64::from(dut.is_high(underflow));
        }
        dut.cycle();
    }
    for queue in &queues {
        assert!(queue.waiting.is_empty() && !queue.begun, "seed {}: frames are left", traffic.seed);
    }
    Outcome { queues, line }
}

/// Frames of a side that stand whole on the line.
fn sound(outcome: &Outcome, side: usize) -> Vec<&[u8]> {
    let sound = outcome.line.iter().filter_map(LineFrame::payload);
    sound.filter(|frame| usize::from(frame[0]) == side).collect()
}

#[test]
fn frames_of_both_sides_pass_whole_and_take_turns() {
    for (seed, gigabit, frames) in [
        (1, true, [1000, 1000]),
        (2, true, [3, 1000]),
        (3, true, [1000, 3]),
        (4, true, [6, 6]),
        (5, false, [1000, 1000]),
    ] {
        let cycles = if gigabit { 300_000 } else { 1_500_000 };
        let traffic = Traffic { seed, frames, resets: [0; 2], pauses: [0; 2], gigabit, cycles };
        let outcome = run(&traffic);
        for (side, queue) in outcome.queues.iter().enumerate() {
            assert!(sound(&outcome, side) == queue.whole, "seed {seed}, side {side}");
            assert_eq!(queue.sent, queue.whole.len() as u64, "seed {seed}, side {side}");
            assert_eq!((queue.underflows, queue.made), (0, queue.whole.len() as u32));
        }
        let [own, guest] = outcome.queues.each_ref().map(|queue| queue.whole.len());
        assert_eq!(outcome.line.len(), own + guest, "seed {seed}");
        assert!(own.min(guest) > 200, "seed {seed}: {own} and {guest} frames");
        if frames == [1000, 1000] {
            // The line never waits, and the sides take turns.
            let early = &outcome.line[1..outcome.line.len() / 2];
            assert!(early.iter().all(|frame| frame.gap == 12 && frame.preamble == 7), "seed {seed}");
            assert!(early.windows(2).all(|pair| pair[0].bytes[0] != pair[1].bytes[0]), "seed {seed}");
        }
    }
}

#[test]
fn what_a_side_suffers_is_not_the_other_sides() {
    // Resets and late words of one side, then of both.
    for (seed, gigabit, resets, pauses) in [
        (11, true, [0, 2], [0, 10]),
        (12, true, [2, 0], [10, 0]),
        (13, true, [3, 3], [10, 10]),
        (14, true, [0, 30], [0, 0]),
        (15, false, [0, 1], [0, 0]),
    ] {
        let cycles = if gigabit { 300_000 } else { 1_500_000 };
        let traffic = Traffic { seed, frames: [300, 300], resets, pauses, gigabit, cycles };
        let outcome = run(&traffic);
        for (side, queue) in outcome.queues.iter().enumerate() {
            let sound = sound(&outcome, side);
            assert_eq!(queue.sent, sound.len() as u64, "seed {seed}, side {side}");
            if resets[side] + pauses[side] == 0 {
                assert!(sound == queue.whole, "seed {seed}: side {side} lost frames");
                assert_eq!(queue.underflows, 0, "seed {seed}, side {side}");
            } else {
                // What was broken off for a late word is taken to its end all the same.
                let mut whole = queue.whole.iter();
                assert!(
                    sound.iter().all(|frame| whole.any(|other| other == frame)),
                    "seed {seed}, side {side}"
                );
                let late = (queue.whole.len() - sound.len()) as u64;
                assert!((late..=late + queue.parts).contains(&queue.underflows), "seed {seed}, side {side}");
                assert!(queue.underflows > 20, "seed {seed}, side {side}: {}", queue.underflows);
            }
        }
        let broken = outcome.line.iter().filter(|frame| frame.payload().is_none()).count() as u64;
        let underflows: u64 = outcome.queues.iter().map(|queue| queue.underflows).sum();
        assert_eq!(broken, underflows, "seed {seed}");
    }
}

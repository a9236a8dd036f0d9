//! The most that an event can cost by the firmware's executable, and whether its loops turn as often as they say.

use super::bound::{Bounds, Loop};
use super::Program;
use anyhow::Result;
use baton_abi::work;
use std::collections::BTreeMap;

/// What handles each kind of event, by the ends of the functions' names.
const EVENTS: [(&str, &[&str]); 5] = [
    ("a received segment", &["::receive_ack", "::receive_text"]),
    ("a command", &["::command"]),
    ("timers", &["::run_timers"]),
    ("bursts", &["::transmit"]),
    ("a batch of events", &["::report"]),
];

/// Longest paths, in instructions.
#[derive(Clone, Debug)]
pub struct Worst {
    /// By kind of event, with the event loop around it.
    pub events: Vec<(&'static str, u64)>,
    /// From one look at the scheduler to the next, whatever lies between: an item or none, then timers, bursts and events, each of
    /// them at its worst.
    pub turn: u64,
    /// The loops on those paths.
    pub loops: Vec<Loop>,
}

impl Worst {
    /// The longest paths through a program.
    ///
    /// # Errors
    /// When the executable has a loop that does not say how often it turns, calls in a circle, or has not the functions that
    /// handle events.
    pub fn of(program: &Program) -> Result<Self> {
        let mut bounds = Bounds::new(&program.code, &program.turns);
        let looks = program.places(work::LOOK);
        let run = bounds.find("Firmware<H>::run")?;
        let around = bounds.between(run, &looks, false)?;
        let mut events = Vec::new();
        for (event, names) in EVENTS {
            let mut most = 0;
            for name in names {
                let address = bounds.find(name)?.address;
                most = most.max(bounds.of(address)?.unwrap_or(0));
            }
            events.push((event, around + most));
        }
        let turn = bounds.between(run, &looks, true)?;
        Ok(Worst { events, turn, loops: bounds.loops })
    }

    /// The most of all kinds of event.
    pub fn event(&self) -> u64 {
        self.events.iter().map(|(_, most)| *most).max().unwrap_or(0)
    }
}

/// How often a loop turned in a run.
#[derive(Clone, Debug)]
pub struct LoopTurns {
    pub function: String,
    /// Address of the instruction by which it is entered.
    pub header: u32,
    /// How often that runs at most each time that the loop is entered, by what the source says.
    pub allowed: u64,
    /// How often it ran at most.
    pub most: u64,
}

/// Counts the turns of loops.
pub(super) struct LoopCounter {
    loops: Vec<(Loop, LoopTurns, u64)>,
    /// Index into `loops`, by address of the header.
    headers: BTreeMap<u32, usize>,
    is_header: Vec<bool>,
    before: u32,
}

impl LoopCounter {
    pub fn new(program: &Program) -> Result<Self> {
        let mut counter = LoopCounter {
            loops: Vec::new(),
            headers: BTreeMap::new(),
            is_header: vec![false; program.words()],
            before: 0,
        };
        for found in Worst::of(program)?.loops {
            let turns = LoopTurns {
                function: program.functions[program.function(found.header)].clone(),
                header: found.header,
                allowed: found.most,
                most: 0,
            };
            // Copies of other lengths have other bounds; the widest counts.
            match counter.headers.get(&found.header) {
                Some(&known) => {
                    let known = &mut counter.loops[known].1;
                    known.allowed = known.allowed.max(found.most);
                }
                None => {
                    counter.is_header[Program::word(found.header)] = true;
                    counter.headers.insert(found.header, counter.loops.len());
                    counter.loops.push((found, turns, 0));
                }
            }
        }
        Ok(counter)
    }

    /// An instruction has retired. A loop is entered when its header follows an instruction that is not the loop's.
    pub fn retired(&mut self, pc: u32) {
        if self.is_header.get(Program::word(pc)).is_some_and(|is_header| *is_header) {
            let (found, turns, count) = &mut self.loops[self.headers[&pc]];
            *count = if found.members.contains(&self.before) { *count + 1 } else { 1 };
            turns.most = turns.most.max(*count);
        }
        self.before = pc;
    }

    /// Instructions have retired that were not counted: what loop the next one is in the middle of is not known, nor its turns so far.
    pub fn missed(&mut self) {
        self.loops.iter_mut().for_each(|(_, _, count)| *count = 0);
    }

    pub fn into_turns(self) -> Vec<LoopTurns> {
        self.loops.into_iter().map(|(_, turns, _)| turns).collect()
    }
}

//! What the P4 program of this NIC does to the demo's packets, beside the interpreter of the language.
//!
//! Every frame that reaches the NIC is interpreted, and so is every one that the host gets: the program has to have
//! dropped as many as the NIC has counted, and what the host gets has to be in the queue and class that the program gives it.

use super::probes;
use crate::report::{ProgramRecord, QueueCount};
use crate::server::driver::FrameLog;
use crate::world::World;
use anyhow::{anyhow, Context, Result};
use baton_abi::regs;
use baton_cosim::nic::Nic;
use baton_cosim::port::HostPort;
use baton_cosim::system::Event;
use baton_hdl::rx::{PROGRAM, PROGRAM_PATH};
use baton_p4::diag::render;
use baton_p4::interpreter::{Entries, Input, Interpreter, Outcome};
use baton_p4::pre::Disk;
use baton_p4::Parsed;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// Faults that a report lists.
const FAULTS_MAX: usize = 5;

/// Reads the program that this NIC was built from.
///
/// # Errors
/// When its file has gone, or is no longer a program.
pub fn read() -> Result<Parsed> {
    let checked = baton_p4::check(Path::new(PROGRAM_PATH), &Default::default(), &Disk)
        .with_context(|| format!("cannot read {PROGRAM_PATH}, which this NIC was built from"))?;
    let parsed = checked.parsed;
    match checked.ir {
        Some(_) => Ok(parsed),
        None => Err(anyhow!("{PROGRAM_PATH} has changed: {}", render(&parsed.diagnostics, &parsed.sources))),
    }
}

/// The program's packets, as they are seen at the wire and by the host's driver.
pub struct Watch<'p> {
    interpreter: Interpreter<'p>,
    on_wire: Rc<RefCell<Vec<Vec<u8>>>>,
    at_host: FrameLog,
    probes: Vec<Vec<u8>>,
    probed: u64,
    /// Frames that the program drops, of those that reached the NIC.
    drops: u64,
    checked: u64,
    queues: BTreeMap<(u8, u8), u64>,
    /// Frames of the host that are not as the program says.
    wrong: u64,
    faults: Vec<String>,
}

impl<'p> Watch<'p> {
    /// Watches the packets of a world whose server has these addresses.
    ///
    /// # Errors
    /// When the program cannot be interpreted.
    pub fn start<N: Nic>(
        parsed: &'p Parsed,
        world: &mut World<N>,
        mac: [u8; 6],
        ip: [u8; 4],
    ) -> Result<Self> {
        let watch = Watch::new(parsed, mac, ip)?;
        let arrived = Rc::clone(&watch.on_wire);
        world.system.observe(Box::new(move |_, event| {
            if let Event::FrameIn { frame, good_fcs: true } = event {
                arrived.borrow_mut().push(frame.to_vec());
            }
        }));
        world.server.log_frames(Rc::clone(&watch.at_host));
        Ok(watch)
    }

    fn new(parsed: &'p Parsed, mac: [u8; 6], ip: [u8; 4]) -> Result<Self> {
        let interpreter =
            Interpreter::new(parsed, &Entries::default()).map_err(|error| anyhow!("{error}"))?;
        Ok(Watch {
            interpreter,
            on_wire: Rc::default(),
            at_host: FrameLog::default(),
            probes: probes::all(mac, ip),
            probed: 0,
            drops: 0,
            checked: 0,
            queues: BTreeMap::new(),
            wrong: 0,
            faults: vec![],
        })
    }

    /// Sends one of each probe.
    pub fn probe<N: Nic>(&mut self, world: &mut World<N>) {
        for probe in &self.probes {
            world.system.wire_send(probe.clone());
        }
        self.probed += self.probes.len() as u64;
    }

    /// Interprets what has come since the last time.
    pub fn look(&mut self) {
        for frame in self.on_wire.take() {
            self.drops += u64::from(self.interpreter.run(&frame).drop);
        }
        for frame in self.at_host.take() {
            self.checked += 1;
            *self.queues.entry((frame.queue, frame.class)).or_default() += 1;
            let got = (false, frame.queue, frame.class);
            let says = |outcome: &Outcome| (outcome.drop, outcome.queue, outcome.class_of_service);
            let want = self.interpreter.run(&frame.bytes);
            // The host cannot tell a frame that it sent back itself.
            let back = || self.interpreter.run_with(&frame.bytes, Input { recirculated: true });
            if got != says(&want) && got != says(&back()) {
                self.wrong += 1;
                if self.faults.len() < FAULTS_MAX {
                    self.faults.push(format!(
                        "the host got a frame in queue {} and class {}, where {PROGRAM} says {want:?}: {:02x?}",
                        frame.queue, frame.class, frame.bytes
                    ));
                }
            }
        }
    }

    /// The record, and what is not as the program says.
    ///
    /// # Errors
    /// When the NIC's counter cannot be read.
    pub fn finish<N: Nic>(mut self, world: &mut World<N>) -> Result<(ProgramRecord, Vec<String>)> {
        self.look();
        let dropped = u64::from(world.system.reg_read(regs::STAT_RX_PROGRAM_DROPS)?);
        let mut faults = self.faults;
        if self.wrong > faults.len() as u64 {
            faults.push(format!("so were {} frames in all", self.wrong));
        }
        if dropped != self.drops {
            faults.push(format!("the NIC dropped {dropped} frames where {PROGRAM} drops {}", self.drops));
        }
        if self.probed == 0 || self.checked == 0 {
            faults.push(format!("nothing that {PROGRAM} says was checked"));
        }
        let queues = self.queues.into_iter();
        let record = ProgramRecord {
            name: PROGRAM.into(),
            probes: self.probed,
            checked: self.checked,
            dropped,
            queues: queues.map(|((queue, class), frames)| QueueCount { queue, class, frames }).collect(),
        };
        Ok((record, faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::driver::LoggedFrame;

    fn parsed(program: &str) -> Parsed {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../p4/programs").join(program);
        baton_p4::check(&path, &Default::default(), &Disk).unwrap().parsed
    }

    /// The outcomes that the probes have in a program: frames dropped, and queues with their classes.
    fn outcomes(program: &str) -> (usize, std::collections::BTreeSet<(u8, u8)>) {
        let parsed = parsed(program);
        let interpreter = Interpreter::new(&parsed, &Entries::default()).unwrap();
        let outcomes =
            probes::all([2, 0, 0, 0, 0, 1], [10, 0, 0, 1]).into_iter().map(|probe| interpreter.run(&probe));
        let (dropped, passed): (Vec<Outcome>, Vec<Outcome>) = outcomes.partition(|outcome| outcome.drop);
        assert!(passed.iter().all(|outcome| outcome.parser_error == "NoError"), "{passed:?}");
        (dropped.len(), passed.iter().map(|outcome| (outcome.queue, outcome.class_of_service)).collect())
    }

    #[test]
    fn probes_meet_each_rule() {
        assert_eq!(outcomes("connection.p4"), (0, [(0, 0)].into()));
        assert_eq!(outcomes("priority.p4"), (0, [(0, 0), (1, 1), (2, 2), (3, 3)].into()));
        assert_eq!(outcomes("firewall.p4"), (4, [(0, 0)].into()));
    }

    #[test]
    fn a_frame_in_another_queue_is_a_fault() {
        let parsed = parsed("priority.p4");
        let mut watch = Watch::new(&parsed, [2, 0, 0, 0, 0, 1], [10, 0, 0, 1]).unwrap();
        let bytes = watch.probes[0].clone();
        for (queue, class, wrong) in [(3, 3, 0), (3, 2, 1), (2, 3, 2)] {
            watch.at_host.borrow_mut().push(LoggedFrame { bytes: bytes.clone(), queue, class });
            watch.look();
            assert_eq!((watch.wrong, watch.faults.len()), (wrong, wrong as usize), "{queue} {class}");
        }
        assert_eq!(watch.checked, 3);
        watch.on_wire.borrow_mut().push(bytes);
        watch.look();
        assert_eq!(watch.drops, 0);
    }
}

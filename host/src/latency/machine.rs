//! The NIC in a machine without a server: rings, buffers, and a stopwatch on the NIC's pins.

use super::LatencyConfig;
use anyhow::{ensure, Context, Result};
use baton_abi::regs::{self, mailbox};
use baton_abi::{msg, ring};
use baton_cosim::axi::AxiConfig;
use baton_cosim::nic::Nic;
use baton_cosim::pins::{NicIn, NicOut, Ports};
use baton_cosim::port::{load_firmware, HostPort};
use baton_cosim::system::{Event, System, SystemConfig};
use baton_cosim::wire::{Faults, WireConfig};
use baton_tcp::{wire, Endpoints, Flags, SegmentOut};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

const BASE: u32 = 0x1000_0000;
const MEMORY_BYTES: u32 = 64 << 20;
const RX_RING: u32 = BASE;
const RX_LOG2: u32 = 6;
const EVT_RING: u32 = BASE + 0x1_0000;
const EVT_LOG2: u32 = 10;
const CMD_RING: u32 = BASE + 0x2_0000;
const CMD_LOG2: u32 = 10;
const INDEX: u32 = BASE + 0x3_0000;
/// Reads of the firmware's state, some ten cycles each, until it must have started: it clears its table first.
const START_READS: u32 = 500_000;
const BUFFERS: u32 = BASE + 0x10_0000;
const BUFFER_BYTES: u32 = 2048;
/// Memory that connections send from and receive into.
pub const SEND_BUFFER: u32 = BASE + (16 << 20);
pub const RECEIVE_BUFFER: u32 = BASE + (32 << 20);
pub const STREAM_BYTES: u32 = 16 << 20;

pub const SERVER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub const SERVER_IP: u32 = 0x0A00_0001;
const PROBER_IP: u32 = 0x0A09_0001;
/// Words of a probe on the stream.
const PROBE_WORDS: u64 = 15;

/// When a probe passed what, in cycles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    pub first_word: u64,
    pub last_word: u64,
    /// The frame's address was offered to memory.
    pub addressed: u64,
    /// The last word of the completion was taken.
    pub moved: u64,
    /// The response to the completion was given.
    pub answered: u64,
}

/// What crossed the NIC's boundary in a cycle, as the observer noted it.
#[derive(Default)]
struct Notes {
    probe_in: bool,
    completion: bool,
    frames_in: u64,
    bytes_in: u64,
    bytes_out: u64,
}

/// A NIC whose pins can be looked at after each cycle.
struct Watched<N> {
    nic: N,
    pins: NicIn,
    out: NicOut,
}

impl<N: Nic> Nic for Watched<N> {
    fn cycle(&mut self, pins: &NicIn, changed: Ports, out: &mut NicOut) -> Ports {
        let moved = self.nic.cycle(pins, changed, out);
        (self.pins, self.out) = (*pins, *out);
        moved
    }
}

/// See the module's header.
pub struct Machine<N: Nic> {
    system: System<Watched<N>>,
    notes: Rc<RefCell<Notes>>,
    started: VecDeque<Timing>,
    timings: Vec<Timing>,
    /// Write bursts by address, until their last word.
    bursts: VecDeque<u32>,
    /// Words of the frame on the stream so far, and the cycle of its first.
    stream_words: u64,
    stream_start: u64,
    rx_posted: u32,
    evt_seen: u16,
    cmd_prod: u16,
    /// Frames on their way to the NIC.
    pub wire_backlog: u64,
    frames_sent: u64,
}

impl<N: Nic> Machine<N> {
    /// A NIC with its rings, running `firmware` in direct mode.
    ///
    /// # Errors
    /// When the firmware cannot be loaded or does not start.
    pub fn start(config: &LatencyConfig, nic: N, firmware: &[u8]) -> Result<Self> {
        let cycle_ps = 1_000_000_000_000 / config.clock_hz;
        let mut system = System::new(
            Watched { nic, pins: NicIn::default(), out: NicOut::default() },
            SystemConfig {
                clock_hz: config.clock_hz,
                memory_base: BASE,
                memory_bytes: MEMORY_BYTES,
                axi: AxiConfig {
                    write_latency_ps: u64::from(config.memory_cycles) * cycle_ps,
                    ..AxiConfig::default()
                },
                wire: WireConfig {
                    rate_bps: config.rate_bps,
                    seed: config.seed,
                    to_nic: faults(config.faults_ppm),
                    from_nic: faults(config.faults_ppm),
                    ..WireConfig::default()
                },
                ..SystemConfig::default()
            },
        );
        load_firmware(&mut system, firmware)?;
        for (register, value) in [
            (regs::TICKS_PER_US, (config.clock_hz / 1_000_000) as u32),
            (regs::DMA0_BASE, BASE),
            (regs::DMA0_LIMIT, BASE + MEMORY_BYTES),
            (regs::INDEX_ADDR, INDEX),
            (regs::RX_BASE, RX_RING),
            (regs::RX_SIZE_LOG2, RX_LOG2),
            (regs::EVT_BASE, EVT_RING),
            (regs::EVT_SIZE_LOG2, EVT_LOG2),
            (regs::CMD_BASE, CMD_RING),
            (regs::CMD_SIZE_LOG2, CMD_LOG2),
            (regs::HASH_KEY, config.seed as u32),
            (regs::CONTROL, regs::CONTROL_CORE_RUN | (config.mode as u32) << regs::CONTROL_MODE_SHIFT),
        ] {
            system.reg_write(register, value);
        }
        let status = regs::STS + 4 * mailbox::STS_FIRMWARE as u32;
        let mut tries = 0;
        while system.reg_read(status)? != 1 {
            tries += 1;
            ensure!(
                tries < START_READS,
                "the firmware does not start: state {:#x}",
                system.reg_read(status)?
            );
        }
        let notes = Rc::new(RefCell::new(Notes::default()));
        let noted = Rc::clone(&notes);
        system.observe(Box::new(move |_, event| {
            let mut notes = noted.borrow_mut();
            match event {
                Event::FrameIn { frame, .. } => {
                    notes.frames_in += 1;
                    notes.bytes_in += wire_bytes(frame.len());
                    notes.probe_in = frame[26..30] == PROBER_IP.to_be_bytes();
                }
                Event::FrameOut { frame } => notes.bytes_out += wire_bytes(frame.len()),
                Event::MemoryWrite(burst) => notes.completion |= is_completion(burst.addr),
                _ => {}
            }
        }));
        let mut machine = Machine {
            system,
            notes,
            started: VecDeque::new(),
            timings: Vec::new(),
            bursts: VecDeque::new(),
            stream_words: 0,
            stream_start: 0,
            rx_posted: 0,
            evt_seen: 0,
            cmd_prod: 0,
            wire_backlog: 0,
            frames_sent: 0,
        };
        machine.post_buffers();
        machine.system.run(5000);
        Ok(machine)
    }

    pub fn cycles(&self) -> u64 {
        self.system.cycles()
    }

    pub fn now_us(&self) -> u32 {
        (self.system.now_ps() / 1_000_000) as u32
    }

    /// Every probe that has been answered.
    pub fn timings(&self) -> &[Timing] {
        &self.timings
    }

    /// Bytes that the wire has carried to the NIC and from it, preamble and gap included.
    pub fn wire_bytes(&self) -> [u64; 2] {
        let notes = self.notes.borrow();
        [notes.bytes_in, notes.bytes_out]
    }

    /// Outputs of the NIC in the last cycle.
    pub fn outputs(&self) -> &NicOut {
        &self.system.nic().out
    }

    /// Connections that the firmware can hold.
    pub fn table_size(&mut self) -> Result<u32> {
        self.system.reg_read(regs::STS + 4 * mailbox::STS_TABLE_SIZE as u32)
    }

    /// One cycle, and what it says about the probes.
    pub fn step(&mut self) {
        let cycle = self.system.cycles();
        self.system.step();
        let &Watched { pins, out, .. } = self.system.nic();
        if pins.rx_tvalid && out.rx_tready {
            if self.stream_words == 0 {
                self.stream_start = cycle;
            }
            self.stream_words = if pins.rx_tlast { 0 } else { self.stream_words + 1 };
        }
        if out.m_axi_awvalid {
            // Probes are written in the order in which they came, and nothing else goes to the host's buffers.
            if (BUFFERS..SEND_BUFFER).contains(&out.m_axi_awaddr) {
                if let Some(probe) = self.started.iter_mut().find(|probe| probe.addressed == 0) {
                    if !self.bursts.contains(&out.m_axi_awaddr) {
                        probe.addressed = cycle;
                    }
                }
            }
            if pins.m_axi_awready {
                self.bursts.push_back(out.m_axi_awaddr);
            }
        }
        if out.m_axi_wvalid && pins.m_axi_wready && out.m_axi_wlast {
            let address = self.bursts.pop_front().expect("addresses are not later than their data");
            if is_completion(address) {
                if let Some(probe) = self.started.iter_mut().find(|probe| probe.moved == 0) {
                    probe.moved = cycle;
                }
            }
        }
        let (probe_in, completion, frames_in) = {
            let mut notes = self.notes.borrow_mut();
            (std::mem::take(&mut notes.probe_in), std::mem::take(&mut notes.completion), notes.frames_in)
        };
        self.wire_backlog = self.frames_sent - frames_in;
        if probe_in {
            let first_word = self.stream_start;
            self.started.push_back(Timing { first_word, last_word: cycle, ..Timing::default() });
        }
        if completion {
            let probe = self.started.pop_front().expect("a completion belongs to a probe");
            // The response is on the channel in the cycle after the model decided on it.
            self.timings.push(Timing { answered: cycle + 1, ..probe });
        }
        if cycle.is_multiple_of(64) {
            self.post_buffers();
        }
    }

    /// A client sends a frame.
    pub fn send(&mut self, frame: Vec<u8>) {
        self.frames_sent += 1;
        self.system.wire_send(frame);
    }

    /// The next frame that the NIC has sent.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        self.system.wire_recv().map(|(frame, _)| frame)
    }

    /// Sends the smallest frame of a connection that the NIC does not have.
    pub fn send_probe(&mut self, number: u32) {
        let ends = Endpoints {
            local_ip: PROBER_IP.into(),
            remote_ip: SERVER_IP.into(),
            local_port: 1024 + (number % 60_000) as u16,
            remote_port: 80,
            local_mac: [2, 0, 0, 9, 0, 1],
            remote_mac: SERVER_MAC,
            vlan: 0,
        };
        let mut frame = vec![0; 4 * PROBE_WORDS as usize];
        let segment = SegmentOut { flags: Flags::ACK, ..SegmentOut::default() };
        wire::emit(&mut frame, &ends, &segment, number as u16).expect("it fits");
        wire::fill_checksums(&mut frame);
        self.send(frame);
    }

    /// Posts a command to the NIC. The caller sees to room: see [`Machine::command_room`].
    pub fn command(&mut self, words: &[u32]) {
        for slot in words.chunks(ring::SLOT_WORDS) {
            let mut full = [0; ring::SLOT_WORDS];
            full[..slot.len()].copy_from_slice(slot);
            let place = u32::from(self.cmd_prod) % (1 << CMD_LOG2);
            self.system.memory_mut().write_words(CMD_RING + place * ring::SLOT_BYTES, &full);
            self.cmd_prod = self.cmd_prod.wrapping_add(1);
        }
        self.system.reg_write(regs::CMD_PROD, self.cmd_prod.into());
    }

    /// Free slots of the command ring.
    pub fn command_room(&self) -> usize {
        (1 << CMD_LOG2) - usize::from(self.cmd_prod.wrapping_sub(self.index(ring::INDEX_CMD_CONS)))
    }

    /// The next event: its slot of words; further slots of one message are skipped.
    pub fn event(&mut self) -> Option<[u32; ring::SLOT_WORDS]> {
        if self.evt_seen == self.index(ring::INDEX_EVT_PROD) {
            return None;
        }
        let place = u32::from(self.evt_seen) % (1 << EVT_LOG2);
        let mut words = [0; ring::SLOT_WORDS];
        self.system.memory().read_words(EVT_RING + place * ring::SLOT_BYTES, &mut words);
        self.evt_seen = self.evt_seen.wrapping_add(msg::Header::from_word(words[0]).slots.into());
        self.system.reg_write(regs::EVT_CONS, self.evt_seen.into());
        Some(words)
    }

    fn index(&self, which: usize) -> u16 {
        self.system.memory().read_word(INDEX + 4 * which as u32) as u16
    }

    /// Gives every buffer back that the NIC has completed.
    fn post_buffers(&mut self) {
        let cons = u32::from(self.index(ring::INDEX_RX_CONS));
        let target = cons + (1 << RX_LOG2);
        if self.rx_posted & 0xFFFF == target & 0xFFFF {
            return;
        }
        while self.rx_posted & 0xFFFF != target & 0xFFFF {
            let place = self.rx_posted % (1 << RX_LOG2);
            let descriptor = [BUFFERS + place * BUFFER_BYTES, BUFFER_BYTES, 0, 0];
            self.system.memory_mut().write_words(RX_RING + place * ring::RX_DESC_BYTES, &descriptor);
            self.rx_posted = self.rx_posted.wrapping_add(1);
        }
        self.system.reg_write(regs::RX_PROD, self.rx_posted & 0xFFFF);
    }

    /// What the firmware says of itself, for an error.
    pub fn check_firmware(&mut self) -> Result<()> {
        let state = self.system.reg_read(regs::STS + 4 * mailbox::STS_FIRMWARE as u32)?;
        ensure!(state == 1, "the firmware has stopped: state {state:#x}");
        let errors = self.system.reg_read(regs::DMA_FAULT).context("the fault register")? >> 16;
        ensure!(errors == 0, "{errors} DMA accesses were refused or failed");
        Ok(())
    }
}

/// Bytes of wire time of a frame, given without its check sequence.
/// Faults of the wire: each kind of a frame's misfortune with the same chance.
fn faults(ppm: u32) -> Faults {
    Faults { loss_ppm: ppm, duplicate_ppm: ppm, reorder_ppm: ppm, delay_ps: 100_000_000, ..Faults::default() }
}

fn wire_bytes(frame: usize) -> u64 {
    frame.max(60) as u64 + 4 + 8 + 12
}

fn is_completion(address: u32) -> bool {
    (RX_RING..EVT_RING).contains(&address)
}

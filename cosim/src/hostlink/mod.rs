//! The PC's end of the host link, without any I/O: frames in, frames out, time passed in (`docs/hostlink.md`).
//!
//! [`PcLink`] serves the NIC's DMA from [`HostMemory`] and carries register accesses; [`queue::SendQueue`] keeps what the board has not
//! acknowledged. Whoever has a wire for the frames, a socket or a co-simulated board, calls [`PcLink::frame_in`] with each
//! that came and sends what [`PcLink::frame_out`] gives. The board is not trusted: a frame that is malformed or that breaks the
//! protocol is counted and dropped, and no frame makes memory outside [`HostMemory`] reachable.

pub mod queue;

use crate::port::HostMemory;
use baton_abi::link::{self, ack, kind, read_data, Header, SLOTS};
use queue::{Message, SendQueue};
use std::collections::VecDeque;

/// Knobs of the link.
#[derive(Clone, Copy, Debug)]
pub struct LinkConfig {
    /// Address of this end.
    pub own: [u8; 6],
    /// Address of the board; all ones finds any board.
    pub board: [u8; 6],
    /// Names the session; anything but zero, and other than that of any session before it. A program draws it at random.
    pub session: u32,
    /// From a frame to its repetition, in microseconds.
    pub retry_us: u64,
    /// Repetitions without an answer after which the link is lost.
    pub tries: u32,
    /// After so long without a frame from the board it is asked for one, in microseconds.
    pub idle_us: u64,
}

impl Default for LinkConfig {
    fn default() -> Self {
        LinkConfig {
            own: [0x02, 0xBA, 0, 0, 0, 1],
            board: [0xFF; 6],
            session: 1,
            retry_us: 2_000,
            tries: 500,
            idle_us: 250_000,
        }
    }
}

/// Where the link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Says hello and waits for a welcome.
    Greeting,
    /// The session stands.
    Up,
    /// The board has not answered for as long as the configuration allows. Only a new [`PcLink`] goes on.
    Lost,
}

/// Counts of the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkStats {
    pub frames_in: u64,
    pub frames_out: u64,
    /// Frames that are none of the protocol, or of another session or station.
    pub dropped: u64,
    /// Of messages in order, those that break the protocol.
    pub violations: u64,
    /// Numbered frames that came twice, and those that came after a gap.
    pub duplicates: u64,
    pub gaps: u64,
    /// Times that sending went back to the oldest message, for a report of a gap and for want of an answer.
    pub gap_repeats: u64,
    pub timeouts: u64,
    /// Bursts, and those outside memory or with strobes that cannot be carried.
    pub reads: u64,
    pub writes: u64,
    pub failed_bursts: u64,
    /// Register writes that the NIC refused.
    pub write_errors: u64,
    /// As the board counts: frames dropped, times that it went back; modulo 65536.
    pub board_dropped: u16,
    pub board_repeats: u16,
}

/// The PC's end. See the module's header.
pub struct PcLink {
    config: LinkConfig,
    state: LinkState,
    board: [u8; 6],
    queue: SendQueue,
    expected: u16,
    gap_told: bool,
    ack_due: bool,
    gap_due: bool,
    probe_due: bool,
    /// When something is repeated; when the board was last heard; repetitions since.
    retry_at_us: u64,
    heard_us: u64,
    tries: u32,
    /// Register reads that wait, as a count, and answers that nobody has taken.
    reading: usize,
    answers: VecDeque<Result<u32, u8>>,
    irq: bool,
    stats: LinkStats,
}

impl PcLink {
    /// # Panics
    /// When the session is zero.
    pub fn new(config: LinkConfig, now_us: u64) -> Self {
        assert!(config.session != 0, "session 0 is none");
        PcLink {
            board: config.board,
            config,
            state: LinkState::Greeting,
            queue: SendQueue::default(),
            expected: 0,
            gap_told: false,
            ack_due: false,
            gap_due: false,
            probe_due: true,
            retry_at_us: now_us + config.retry_us,
            heard_us: now_us,
            tries: 0,
            reading: 0,
            answers: VecDeque::new(),
            irq: false,
            stats: LinkStats::default(),
        }
    }

    pub fn state(&self) -> LinkState {
        self.state
    }

    /// Level of the NIC's interrupt, as last reported.
    pub fn irq(&self) -> bool {
        self.irq
    }

    pub fn stats(&self) -> LinkStats {
        self.stats
    }

    /// The board's address; the one to look for until it has answered.
    pub fn board(&self) -> [u8; 6] {
        self.board
    }

    /// Everything sent has been acknowledged.
    pub fn is_quiet(&self) -> bool {
        self.queue.is_empty() && !self.ack_due
    }

    /// Posts a register write. Consecutive ones to the same address, or to rising ones, share a frame.
    pub fn reg_write(&mut self, address: u16, value: u32) {
        self.queue.reg_write(address.into(), value);
    }

    /// Asks for a register, behind all that was posted; the answer comes by [`PcLink::reg_answer`].
    pub fn reg_read(&mut self, address: u16) {
        self.reading += 1;
        self.queue.push(Message { kind: kind::REG_READ, address: address.into(), ..Message::default() });
    }

    /// The answer to the oldest read, once it is there: the value, or the AXI response if it is not OKAY.
    pub fn reg_answer(&mut self) -> Option<Result<u32, u8>> {
        self.answers.pop_front()
    }

    /// Takes a frame, without check sequence, from the wire.
    pub fn frame_in(&mut self, now_us: u64, frame: &[u8], memory: &mut HostMemory) {
        let Ok((header, data)) = Header::parse(frame) else {
            self.stats.dropped += 1;
            return;
        };
        let from_board = self.state == LinkState::Greeting || header.source == self.board;
        if header.destination != self.config.own || header.session != self.config.session || !from_board {
            self.stats.dropped += 1;
            return;
        }
        match (self.state, header.kind) {
            (LinkState::Greeting, kind::WELCOME) => {
                let wanted = self.config.board == [0xFF; 6] || header.source == self.config.board;
                if !wanted || header.ack != 0 {
                    self.stats.dropped += 1;
                    return;
                }
                self.state = LinkState::Up;
                self.board = header.source;
            }
            (LinkState::Up, kind::WELCOME | kind::ACK) => {}
            (LinkState::Up, kind) if (0x20..0x30).contains(&kind) => {}
            _ => {
                self.stats.dropped += 1;
                return;
            }
        }
        self.stats.frames_in += 1;
        self.heard_us = now_us;
        if self.queue.acknowledge(header.ack, header.credit) {
            self.tries = 0;
            self.retry_at_us = now_us + self.config.retry_us;
        }
        if header.is_numbered() {
            self.numbered(&header, data, memory);
            return;
        }
        self.stats.board_dropped = header.address as u16;
        self.stats.board_repeats = (header.address >> 16) as u16;
        if header.kind == kind::ACK {
            self.ack_due |= header.info & ack::ANSWER != 0;
            if header.info & ack::GAP != 0 {
                self.stats.gap_repeats += 1;
                self.queue.go_back();
            }
        }
        // An answer to a probe without progress is an answer all the same.
        if self.queue.is_empty() {
            self.tries = 0;
        }
    }

    fn numbered(&mut self, header: &Header, data: &[u8], memory: &mut HostMemory) {
        match self.expected.wrapping_sub(header.seq) {
            0 => {
                self.expected = self.expected.wrapping_add(1);
                self.gap_told = false;
                self.ack_due = true;
                if self.message(header, data, memory).is_none() {
                    self.stats.violations += 1;
                }
            }
            behind if behind < 0x8000 => {
                self.stats.duplicates += 1;
                self.ack_due = true;
            }
            _ => {
                self.stats.gaps += 1;
                self.gap_due |= !self.gap_told;
                self.gap_told = true;
            }
        }
    }

    /// Carries out a message; `None` if it breaks the protocol.
    fn message(&mut self, header: &Header, data: &[u8], memory: &mut HostMemory) -> Option<()> {
        let address = header.address;
        match header.kind {
            kind::WRITE => {
                if self.queue.writes_done() >= usize::from(SLOTS) - 1 || !address.is_multiple_of(4) {
                    return None;
                }
                self.stats.writes += 1;
                let done = !data.is_empty() && store(memory, address, header.info, data);
                self.stats.failed_bursts += u64::from(!done);
                self.queue.write_done(done);
            }
            kind::READ => {
                let words = usize::from(header.info);
                let legal = (1..=link::DATA_WORDS_MAX).contains(&words) && address.is_multiple_of(4);
                if !legal || self.queue.count(kind::READ_DATA) >= usize::from(SLOTS) {
                    return None;
                }
                self.stats.reads += 1;
                let answer = memory.try_slice(address, 4 * words);
                self.stats.failed_bursts += u64::from(answer.is_err());
                self.queue.push(Message {
                    kind: kind::READ_DATA,
                    info: if answer.is_err() { read_data::FAILED } else { 0 },
                    data: answer.map(<[u8]>::to_vec).unwrap_or_default(),
                    ..Message::default()
                });
            }
            kind::REG_DATA => {
                self.reading = self.reading.checked_sub(1)?;
                let response = (header.info & 3) as u8;
                self.answers.push_back(if response == 0 { Ok(address) } else { Err(response) });
            }
            kind::REG_FAILED => self.stats.write_errors += 1,
            kind::IRQ => self.irq = header.info & 1 != 0,
            _ => return None,
        }
        Some(())
    }

    /// The next frame to send, if there is one now.
    pub fn frame_out(&mut self, now_us: u64) -> Option<Vec<u8>> {
        if self.state == LinkState::Lost {
            return None;
        }
        self.timers(now_us);
        let message = match self.state {
            LinkState::Greeting if !self.probe_due => return None,
            LinkState::Greeting => {
                self.probe_due = false;
                (0, Message { kind: kind::HELLO, ..Message::default() })
            }
            _ if self.gap_due || self.probe_due => {
                let info = u16::from(self.probe_due) * ack::ANSWER + u16::from(self.gap_due) * ack::GAP;
                (self.gap_due, self.probe_due) = (false, false);
                (self.queue.next_seq(), Message { kind: kind::ACK, info, ..Message::default() })
            }
            _ => match self.queue.next() {
                Some(next) => next,
                None if self.ack_due => {
                    (self.queue.next_seq(), Message { kind: kind::ACK, ..Message::default() })
                }
                None => return None,
            },
        };
        self.ack_due = false;
        self.stats.frames_out += 1;
        Some(self.frame(message.0, &message.1))
    }

    fn timers(&mut self, now_us: u64) {
        let waits = self.state == LinkState::Greeting || !self.queue.is_empty();
        if !waits {
            self.retry_at_us = now_us + self.config.retry_us;
            if now_us >= self.heard_us + self.config.idle_us * u64::from(self.tries + 1) {
                self.repeat();
            }
        } else if now_us >= self.retry_at_us {
            self.retry_at_us = now_us + self.config.retry_us;
            self.stats.timeouts += u64::from(self.state == LinkState::Up);
            self.queue.go_back();
            self.repeat();
        }
    }

    fn repeat(&mut self) {
        self.probe_due = true;
        self.tries += 1;
        if self.tries > self.config.tries {
            self.state = LinkState::Lost;
        }
    }

    fn frame(&self, seq: u16, message: &Message) -> Vec<u8> {
        let header = Header {
            destination: self.board,
            source: self.config.own,
            kind: message.kind,
            session: self.config.session,
            seq,
            ack: self.expected,
            credit: SLOTS as u8,
            words: (message.data.len() / 4) as u8,
            info: message.info,
            address: message.address,
        };
        let mut frame = header.to_bytes().to_vec();
        frame.extend(&message.data);
        frame.resize(frame.len().max(link::FRAME_BYTES_MIN), 0);
        frame
    }
}

/// Writes what a burst carries; false if it lies outside memory.
fn store(memory: &mut HostMemory, address: u32, strobes: u16, data: &[u8]) -> bool {
    let Ok(target) = memory.try_slice_mut(address, data.len()) else { return false };
    let last = data.len() / 4 - 1;
    for (index, (to, from)) in target.chunks_exact_mut(4).zip(data.chunks_exact(4)).enumerate() {
        let strobe = match index {
            0 => strobes & 0xF,
            _ if index == last => strobes >> 4 & 0xF,
            _ => 0xF,
        };
        for lane in (0..4).filter(|lane| strobe >> lane & 1 == 1) {
            to[lane] = from[lane];
        }
    }
    true
}

//! From the NIC to the clients.

use super::{
    network::{FrameStats, Network},
    Faults, Line, WireConfig, FCS, FRAME_MIN, GAP, PREAMBLE,
};
use std::collections::VecDeque;

/// What the NIC drives towards the MAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TxStream {
    pub tdata: u32,
    pub tkeep: u8,
    pub tlast: bool,
    pub tvalid: bool,
}

/// Words of an unfinished frame that the MAC waits for before it starts to send: enough that it does not run dry
/// while the clock is fast enough for the line.
const START_WORDS: usize = 16;

#[derive(Debug, Default)]
struct Leaving {
    frame: Vec<u8>,
    complete: bool,
    /// When the MAC could first have started it.
    eligible_ps: Option<u64>,
    /// Words that the line has taken.
    taken: usize,
}

impl Leaving {
    fn words(&self) -> usize {
        self.frame.len().div_ceil(4)
    }
}

/// The direction from the NIC.
#[derive(Debug)]
pub struct FromNic {
    /// `tx_tready` in the present cycle.
    pub tready: bool,
    line: Line,
    network: Network,
    fifo_words: usize,
    held_words: usize,
    queue: VecDeque<Leaving>,
    /// The front frame is on the line; it started then.
    start_ps: Option<u64>,
    /// When the line takes the next word, or is done with the front frame.
    next_ps: u64,
    line_free_ps: u64,
    underruns: u64,
}

impl FromNic {
    /// # Panics
    /// When the MAC's queue cannot hold a start of a frame.
    pub fn new(config: &WireConfig) -> Self {
        assert!(config.fifo_words >= 2 * START_WORDS, "the MAC's queue is too small to start a frame");
        FromNic {
            tready: false,
            line: Line::new(config.rate_bps),
            network: Network::new(config.from_nic, config.propagation_ps, config.seed, 2),
            fifo_words: config.fifo_words,
            held_words: 0,
            queue: VecDeque::new(),
            start_ps: None,
            next_ps: u64::MAX,
            line_free_ps: 0,
            underruns: 0,
        }
    }

    pub fn set_faults(&mut self, faults: Faults) {
        self.network.set_faults(faults);
    }

    pub fn stats(&self) -> FrameStats {
        self.network.stats
    }

    /// Frames during which the NIC did not deliver the next word in time. A real MAC would have had to spoil
    /// the frame; this one waits, and counts.
    pub fn underruns(&self) -> u64 {
        self.underruns
    }

    /// No frame is on the line, in the MAC or in the network.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.network.next_ps() == u64::MAX
    }

    /// When the next frame reaches the clients, as far as it is known; the end of time if there is none.
    pub fn next_arrival_ps(&self) -> u64 {
        self.network.next_ps()
    }

    /// The next frame that has reached the clients, with the time at which it did. Frames with a wrong check
    /// sequence are dropped here, as the client's own MAC does.
    pub fn receive(&mut self, now_ps: u64) -> Option<(Vec<u8>, u64)> {
        loop {
            let next = self.network.receive(now_ps)?;
            if !next.bad_fcs {
                return Some((next.frame, next.ready_ps));
            }
        }
    }

    /// Until when [`FromNic::clock`] will change nothing as long as the NIC drives `tx`.
    pub fn rest_until_ps(&self, tx: &TxStream) -> u64 {
        match tx.tvalid && self.tready {
            true => 0,
            false => self.next_ps,
        }
    }

    /// The clock edge that ends a cycle in which the NIC drove `tx`; `now_ps` is the time of the next cycle.
    /// `observe` is called with each frame and the time when its last bit left, before any fault.
    #[inline]
    pub fn clock(&mut self, now_ps: u64, tx: &TxStream, observe: &mut dyn FnMut(u64, &[u8])) {
        if tx.tvalid && self.tready {
            self.take_word(now_ps, tx);
        }
        while self.next_ps <= now_ps {
            self.advance(now_ps, observe);
        }
        self.tready = self.held_words < self.fifo_words;
    }

    fn take_word(&mut self, now_ps: u64, tx: &TxStream) {
        if self.queue.back().is_none_or(|frame| frame.complete) {
            self.queue.push_back(Leaving::default());
        }
        let frame = self.queue.back_mut().expect("it was just pushed");
        let bytes = tx.tdata.to_le_bytes();
        frame.frame.extend_from_slice(&bytes[..tx.tkeep.trailing_ones().min(4) as usize]);
        frame.complete = tx.tlast;
        if frame.eligible_ps.is_none() && (tx.tlast || frame.words() >= START_WORDS) {
            frame.eligible_ps = Some(now_ps);
        }
        self.held_words += 1;
        if self.start_ps.is_none() {
            self.start();
        }
    }

    /// Puts the front frame on the line, if it may start.
    fn start(&mut self) {
        self.start_ps = self.queue.front().and_then(|frame| frame.eligible_ps);
        self.next_ps = match &mut self.start_ps {
            Some(start_ps) => {
                *start_ps = (*start_ps).max(self.line_free_ps);
                *start_ps + self.line.bytes_ps(PREAMBLE)
            }
            None => u64::MAX,
        };
    }

    fn advance(&mut self, now_ps: u64, observe: &mut dyn FnMut(u64, &[u8])) {
        let start_ps = self.start_ps.as_mut().expect("the line is busy");
        let front = self.queue.front_mut().expect("the line is busy with a frame");
        if front.taken < front.words() {
            front.taken += 1;
            self.held_words -= 1;
            let last = front.complete && front.taken == front.words();
            let bytes = match last {
                true => front.frame.len().max(FRAME_MIN) as u64 + FCS,
                false => 4 * front.taken as u64,
            };
            self.next_ps = *start_ps + self.line.bytes_ps(PREAMBLE + bytes);
        } else if front.complete {
            let (frame, end_ps) = (self.queue.pop_front().expect("it is there").frame, self.next_ps);
            self.finish(frame, end_ps, observe);
        } else {
            self.underruns += 1;
            let late_ps = now_ps + 1 - self.next_ps;
            *start_ps += late_ps;
            self.next_ps += late_ps;
        }
    }

    fn finish(&mut self, mut frame: Vec<u8>, end_ps: u64, observe: &mut dyn FnMut(u64, &[u8])) {
        self.line_free_ps = end_ps + self.line.bytes_ps(GAP);
        frame.resize(frame.len().max(FRAME_MIN), 0);
        observe(end_ps, &frame);
        self.network.send(end_ps, frame);
        self.start();
    }
}

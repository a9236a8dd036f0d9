//! The bare engine as an [`Endpoint`]: no frames, no buffers in memory, exact time.

use std::collections::VecDeque;

use anyhow::{bail, ensure, Context, Result};
use baton_abi::handoff::{TcbRecord, TCB_WORDS};
use baton_tcp::{reset_for, Arrival, Instant, SegmentOut, SeqNumber, State, Tcb, TimerOutcome};

use crate::{
    ast::{Call, ScriptConfig},
    pattern, Endpoint, Event, Output, Segment, Setting, Stream,
};

/// The endpoint's first number: its stream wraps soon.
const ISS: SeqNumber = SeqNumber(0xFFFF_F448);
/// The engine's clock when the script's is zero; it wraps during a script.
const CLOCK: u32 = 0xFFFF_8000;
/// How far the clock of the next owner differs.
const CLOCK_STEP: u32 = 0x3456_789B;

pub struct Engine {
    setting: Setting,
    config: ScriptConfig,
    tcb: Option<Tcb>,
    listening: bool,
    ended: bool,
    now_us: u64,
    clock: u32,
    /// Bytes that the peer has acknowledged.
    acked: u32,
    /// The peer's stream from its first byte on; what was not received yet is `None`.
    received: Vec<Option<u8>>,
    /// Bytes received in order, and read by the user.
    in_order: u32,
    read: u32,
    /// Whatever comes is read at once.
    discard: bool,
    output: VecDeque<Output>,
}

impl Engine {
    pub fn new(setting: Setting, config: &ScriptConfig) -> Self {
        Engine {
            setting,
            config: config.clone(),
            tcb: None,
            listening: false,
            ended: false,
            now_us: 0,
            clock: CLOCK,
            acked: 0,
            received: Vec::new(),
            in_order: 0,
            read: 0,
            discard: false,
            output: VecDeque::new(),
        }
    }

    fn now(&self) -> Instant {
        Instant(self.clock.wrapping_add(self.now_us as u32))
    }

    fn emit(&mut self, out: &SegmentOut) {
        let first = self.acked.wrapping_add(out.data_offset);
        let payload =
            (0..u32::from(out.data_len)).map(|i| pattern(Stream::Endpoint, first.wrapping_add(i))).collect();
        self.output.push_back(Output::Segment(Segment::from_out(out, payload)));
    }

    fn end(&mut self, event: Event) {
        self.ended = true;
        self.output.push_back(Output::Event(event));
    }

    /// Everything that the engine has to send now.
    fn poll(&mut self) {
        let now = self.now();
        // A segment is emitted with the offsets of its moment, so nothing else happens in between.
        while let Some(out) = self.tcb.as_mut().and_then(|tcb| tcb.poll_transmit(now, |_| u32::MAX)) {
            self.emit(&out);
        }
    }

    fn store(&mut self, segment: &Segment, arrival: &Arrival) {
        if let Some(deliver) = arrival.deliver {
            let from = usize::from(deliver.payload_offset);
            let at = (self.in_order + deliver.stream_offset) as usize;
            let bytes = &segment.payload[from..from + usize::from(deliver.len)];
            self.received.resize(self.received.len().max(at + bytes.len()), None);
            for (slot, byte) in self.received[at..].iter_mut().zip(bytes) {
                *slot = Some(*byte);
            }
        }
        self.in_order += arrival.advanced;
        self.acked = self.acked.wrapping_add(arrival.acked);
    }

    fn read(&mut self, bytes: u32) -> Result<()> {
        for index in self.read..self.read + bytes {
            let byte = self.received.get(index as usize).copied().flatten();
            ensure!(byte == Some(pattern(Stream::Peer, index)), "byte {index} that was read is {byte:?}");
        }
        self.read += bytes;
        if let Some(tcb) = &mut self.tcb {
            tcb.receive_space_added(bytes);
        }
        Ok(())
    }

    fn tcb(&mut self) -> Result<&mut Tcb> {
        self.tcb.as_mut().context("there is no connection")
    }
}

impl Endpoint for Engine {
    fn setting(&self) -> Setting {
        self.setting
    }

    fn now_us(&self) -> u64 {
        self.now_us
    }

    fn inject(&mut self, segment: &Segment) -> Result<()> {
        let (now, header) = (self.now(), segment.header());
        let Some(tcb) = self.tcb.as_mut().filter(|_| !self.ended) else {
            let opens = self.listening && !self.ended && header.flags == baton_tcp::Flags::SYN;
            if opens {
                let space = self.config.receive_bytes;
                self.tcb = Some(Tcb::accept(self.config.tcp, &header, ISS, space, now));
                self.poll();
            } else if let Some(reset) = reset_for(&header) {
                self.emit(&reset);
            }
            return Ok(());
        };
        let arrival = tcb.segment_arrives(now, &header);
        self.store(segment, &arrival);
        if arrival.reply_reset {
            if let Some(reset) = reset_for(&header) {
                self.emit(&reset);
            }
        }
        for (happened, event) in [
            (arrival.established, Event::Established),
            (arrival.peer_closed, Event::PeerClosed),
            (arrival.closed, Event::Closed),
            (arrival.reset, Event::Reset),
        ] {
            if happened {
                self.output.push_back(Output::Event(event));
            }
        }
        self.ended |= arrival.closed || arrival.reset;
        if self.discard {
            self.read(self.in_order - self.read)?;
        }
        self.poll();
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<()> {
        let now = self.now();
        match *call {
            Call::Listen => self.listening = true,
            Call::Connect => {
                let space = self.config.receive_bytes;
                self.tcb = Some(Tcb::connect(self.config.tcp, ISS, space, now));
            }
            Call::Send(bytes) => {
                let taken = self.tcb()?.send_enqueued(bytes);
                ensure!(taken == bytes, "the engine took {taken} of {bytes} bytes");
            }
            Call::Recv(bytes) => self.read(bytes)?,
            Call::Shutdown => self.tcb()?.close(),
            Call::Close => {
                self.tcb()?.close();
                self.discard = true;
                self.read(self.in_order - self.read)?;
            }
            Call::Abort => {
                self.tcb()?.abort();
                self.poll();
                self.end(Event::Aborted);
            }
            Call::Nagle(on) => self.tcb()?.set_nagle(on),
            Call::LowerMss { mss, quoted } => {
                let quoted = ISS + quoted as u32;
                ensure!(self.tcb()?.lower_mss(mss, quoted), "the engine does not believe it");
            }
        }
        self.poll();
        Ok(())
    }

    fn run(&mut self, until_us: u64) -> Result<Option<Output>> {
        loop {
            if let Some(output) = self.output.pop_front() {
                return Ok(Some(output));
            }
            let now = self.now();
            let deadline = self.tcb.as_ref().and_then(Tcb::poll_at).map(|at| u64::from(at.remaining(now)));
            match deadline {
                Some(left) if self.now_us + left <= until_us => {
                    self.now_us += left;
                    let now = self.now();
                    let outcome = self.tcb()?.on_timer(now);
                    match outcome {
                        TimerOutcome::Closed => self.end(Event::Closed),
                        TimerOutcome::TimedOut => self.end(Event::Reset),
                        TimerOutcome::None if left == 0 => bail!("a timer that is due does nothing"),
                        TimerOutcome::None | TimerOutcome::Transmit => {}
                    }
                    self.poll();
                }
                _ => {
                    self.now_us = self.now_us.max(until_us);
                    return Ok(None);
                }
            }
        }
    }

    fn readable(&self) -> u32 {
        self.in_order - self.read
    }

    fn state(&self) -> Option<State> {
        Some(self.tcb.as_ref().map_or(State::Closed, Tcb::state))
    }

    /// To another engine with another clock, through the words of a record. Only where that is possible.
    fn handoff(&mut self) -> Result<()> {
        let Some(tcb) = self.tcb.take_if(|tcb| tcb.exportable()) else { return Ok(()) };
        let record = tcb.export(self.now());
        self.clock = self.clock.wrapping_add(CLOCK_STEP);
        let words: [u32; TCB_WORDS] = record.to_words();
        let copy = TcbRecord::from_words(&words);
        ensure!(copy == record, "the record's words do not give the record back");
        let now = self.now();
        let imported = Tcb::import(&copy, tcb.send_len(), tcb.receive_space(), self.config.tcp, now);
        let imported = imported.map_err(|error| anyhow::anyhow!("the record is refused: {error:?}"))?;
        ensure!(imported.export(now) == record, "export after import is not the identity");
        self.tcb = Some(imported);
        Ok(())
    }

    fn restore(&mut self) -> Result<()> {
        self.handoff()
    }
}

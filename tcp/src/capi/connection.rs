//! A connection with buffers and frames of its own: the safe half of the C library.

use std::collections::VecDeque;

use baton_abi::handoff::{Endpoints, HandoffRecord, Span, RECORD_WORDS};

use crate::{
    reset_for, wire, Config, Flags, Instant, SegmentIn, SegmentOut, SeqNumber, State, Tcb, TimerOutcome,
};

/// What happened, as bits; the header has the same.
pub mod event {
    pub const ESTABLISHED: u32 = 1;
    pub const READABLE: u32 = 2;
    pub const WRITABLE: u32 = 4;
    pub const PEER_CLOSED: u32 = 8;
    pub const CLOSED: u32 = 16;
    pub const RESET: u32 = 32;
    pub const TIMED_OUT: u32 = 64;
}

/// Why a call was refused; the header has the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Error {
    /// An argument that no valid call has.
    Invalid = -1,
    /// Not a whole frame of this connection with right checksums.
    Packet = -2,
    /// The caller's buffer is too small.
    Space = -3,
    /// The connection's state does not allow it.
    State = -4,
    /// A record that no exporter could have written.
    Record = -5,
    /// The clock would run backwards.
    Clock = -6,
}

/// Bytes in front of the payload of an exported record: its length, the bytes of each buffer, and the record.
const HEAD_BYTES: usize = 4 * (4 + RECORD_WORDS);
/// Longest time that the engine is not told of.
const STEP_US: u64 = 1 << 30;
/// Longest frame that is taken: an Ethernet frame with the largest segment.
const FRAME_MAX: usize = 65_535 + wire::ETHERNET;

pub struct Connection {
    /// `None`: listening.
    tcb: Option<Tcb>,
    config: Config,
    ends: Endpoints,
    iss: u32,
    now_us: u64,
    send_limit: u32,
    /// What the peer has not acknowledged, from SND.UNA on.
    send: VecDeque<u8>,
    /// Received in order and not read.
    unread: VecDeque<u8>,
    /// The receive buffer from RCV.NXT on, with what has arrived beyond gaps in its place.
    window: VecDeque<u8>,
    reset: Option<SegmentOut>,
    events: u32,
    packet_id: u16,
}

impl Connection {
    /// Both buffers are limited to what the engine can hold.
    pub fn listen(config: Config, ends: Endpoints, iss: u32, buffers: (u32, u32), now_us: u64) -> Self {
        let limit = |bytes: u32| bytes.min(Tcb::BUFFER_MAX);
        Connection {
            tcb: None,
            config,
            ends,
            iss,
            now_us,
            send_limit: limit(buffers.0),
            send: VecDeque::new(),
            unread: VecDeque::new(),
            window: std::iter::repeat_n(0, limit(buffers.1) as usize).collect(),
            reset: None,
            events: 0,
            packet_id: 0,
        }
    }

    pub fn connect(config: Config, ends: Endpoints, iss: u32, buffers: (u32, u32), now_us: u64) -> Self {
        let mut connection = Self::listen(config, ends, iss, buffers, now_us);
        let space = connection.window.len() as u32;
        connection.tcb = Some(Tcb::connect(config, SeqNumber(iss), space, connection.now()));
        connection
    }

    fn now(&self) -> Instant {
        Instant(self.now_us as u32)
    }

    pub fn state(&self) -> Option<State> {
        self.tcb.as_ref().map(Tcb::state)
    }

    pub fn take_events(&mut self) -> u32 {
        std::mem::take(&mut self.events)
    }

    /// A frame arrives.
    pub fn feed(&mut self, frame: &[u8]) -> Result<(), Error> {
        if frame.len() > FRAME_MAX {
            return Err(Error::Packet);
        }
        let packet = wire::parse(frame).map_err(|_| Error::Packet)?;
        if !wire::checksums_valid(frame) || packet.endpoints != self.ends {
            return Err(Error::Packet);
        }
        let payload = frame.get(packet.payload).ok_or(Error::Packet)?;
        self.segment(&packet.segment, payload);
        Ok(())
    }

    fn segment(&mut self, segment: &SegmentIn, payload: &[u8]) {
        let now = self.now();
        let Some(tcb) = &mut self.tcb else {
            if segment.flags == Flags::SYN {
                let (iss, space) = (SeqNumber(self.iss), self.window.len() as u32);
                self.tcb = Some(Tcb::accept(self.config, segment, iss, space, now));
            } else {
                self.reset = reset_for(segment);
            }
            return;
        };
        let arrival = tcb.segment_arrives(now, segment);
        if let Some(deliver) = arrival.deliver {
            let from = usize::from(deliver.payload_offset);
            let bytes = payload.iter().skip(from).take(usize::from(deliver.len));
            for (slot, byte) in self.window.iter_mut().skip(deliver.stream_offset as usize).zip(bytes) {
                *slot = *byte;
            }
        }
        self.unread.extend(self.window.drain(..arrival.advanced as usize));
        self.send.drain(..arrival.acked as usize);
        if arrival.reply_reset {
            self.reset = reset_for(segment);
        }
        for (happened, bit) in [
            (arrival.established, event::ESTABLISHED),
            (arrival.advanced > 0, event::READABLE),
            (arrival.acked > 0, event::WRITABLE),
            (arrival.peer_closed, event::PEER_CLOSED),
            (arrival.closed, event::CLOSED),
            (arrival.reset, event::RESET),
        ] {
            if happened {
                self.events |= bit;
            }
        }
        if arrival.closed || arrival.reset {
            self.send.clear();
        }
    }

    /// Writes the next frame to send; its length, or none.
    pub fn take(&mut self, frame: &mut [u8]) -> Result<usize, Error> {
        // Both ends are of IPv4.
        if frame.len() < wire::HEADERS + 40 + usize::from(Config::MSS_MAX) {
            return Err(Error::Space);
        }
        let (now, queued) = (self.now(), self.send.len() as u32);
        let next = self
            .reset
            .take()
            .or_else(|| self.tcb.as_mut()?.poll_transmit(now, |offset| queued.saturating_sub(offset)));
        let Some(out) = next else { return Ok(0) };
        self.packet_id = self.packet_id.wrapping_add(1);
        let header = wire::emit(frame, &self.ends, &out, self.packet_id).ok_or(Error::Space)?;
        let bytes = self.send.iter().skip(out.data_offset as usize).take(usize::from(out.data_len));
        let mut len = header;
        for (slot, byte) in frame.iter_mut().skip(header).zip(bytes) {
            *slot = *byte;
            len += 1;
        }
        if let Some(frame) = frame.get_mut(..len) {
            wire::fill_checksums(frame);
        }
        Ok(len)
    }

    /// Moves the clock, and acts on the timers that are due.
    pub fn advance(&mut self, now_us: u64) -> Result<(), Error> {
        if now_us < self.now_us {
            return Err(Error::Clock);
        }
        loop {
            // The engine's clock is a circle, which it must not run around unseen.
            self.now_us = now_us.min(self.now_us.saturating_add(STEP_US));
            let now = self.now();
            match self.tcb.as_mut().map(|tcb| tcb.on_timer(now)) {
                Some(TimerOutcome::Closed) => self.events |= event::CLOSED,
                Some(TimerOutcome::TimedOut) => {
                    self.events |= event::TIMED_OUT;
                    self.send.clear();
                }
                _ => {}
            }
            if self.now_us == now_us {
                return Ok(());
            }
        }
    }

    /// When a timer is due.
    pub fn deadline(&self) -> Option<u64> {
        let at = self.tcb.as_ref()?.poll_at()?;
        Some(self.now_us + u64::from(at.remaining(self.now())))
    }

    /// Takes as much of `data` as there is room for; how much.
    pub fn send(&mut self, data: &[u8]) -> Result<usize, Error> {
        let tcb = self.tcb.as_mut().ok_or(Error::State)?;
        let room = (self.send_limit as usize).saturating_sub(self.send.len());
        let wanted = data.len().min(room) as u32;
        let taken = tcb.send_enqueued(wanted);
        if taken == 0 && wanted > 0 {
            return Err(Error::State);
        }
        self.send.extend(data.iter().take(taken as usize));
        Ok(taken as usize)
    }

    /// Reads what has arrived; how much.
    pub fn recv(&mut self, data: &mut [u8]) -> usize {
        let count = data.len().min(self.unread.len());
        for (slot, byte) in data.iter_mut().zip(self.unread.drain(..count)) {
            *slot = byte;
        }
        if let Some(tcb) = &mut self.tcb {
            if tcb.state() != State::Closed {
                tcb.receive_space_added(count as u32);
                self.window.resize(tcb.receive_space() as usize, 0);
            }
        }
        count
    }

    pub fn shutdown(&mut self) -> Result<(), Error> {
        self.tcb.as_mut().ok_or(Error::State)?.close();
        Ok(())
    }

    pub fn abort(&mut self) {
        if let Some(tcb) = &mut self.tcb {
            tcb.abort();
            self.send.clear();
        }
    }

    pub fn set_nagle(&mut self, on: bool) -> Result<(), Error> {
        self.tcb.as_mut().ok_or(Error::State)?.set_nagle(on);
        Ok(())
    }

    pub fn lower_mss(&mut self, mss: u16, quoted: u32) -> Result<(), Error> {
        let tcb = self.tcb.as_mut().ok_or(Error::State)?;
        tcb.lower_mss(mss, SeqNumber(quoted)).then_some(()).ok_or(Error::Invalid)
    }

    /// The connection as bytes: lengths, the handoff record, the send buffer, what is unread, the receive buffer. The spans of the
    /// record are offsets into what follows it.
    pub fn export(&self) -> Result<Vec<u8>, Error> {
        let tcb = self.tcb.as_ref().filter(|tcb| tcb.exportable()).ok_or(Error::State)?;
        let (send, unread, window) =
            (self.send.len() as u32, self.unread.len() as u32, self.window.len() as u32);
        let span = |addr: u32, len: u32| if len == 0 { Span::default() } else { Span { addr, len } };
        let none = Span::default();
        let record = HandoffRecord {
            endpoints: self.ends,
            tcb: tcb.export(self.now()),
            send: [span(0, send), none, none, none],
            receive: [span(send + unread, window), none],
        };
        let total = HEAD_BYTES as u32 + send + unread + window;
        let words = [total, send, unread, self.send_limit]
            .into_iter()
            .chain(record.to_words().iter().copied().take(RECORD_WORDS).collect::<Vec<_>>());
        let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        bytes.extend(self.send.iter().chain(&self.unread).chain(&self.window));
        Ok(bytes)
    }

    /// Continues a connection. Nothing in `bytes` is trusted.
    pub fn import(bytes: &[u8], config: Config, now_us: u64) -> Result<Self, Error> {
        let (head, body) = bytes.split_at_checked(HEAD_BYTES).ok_or(Error::Record)?;
        let words: Vec<u32> =
            head.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let [total, send, unread, send_limit, ref record @ ..] = words[..] else { return Err(Error::Record) };
        let record = HandoffRecord::from_words(record).map_err(|_| Error::Record)?;
        let window = record.receive[0].len;
        let sum = u64::from(send) + u64::from(unread) + u64::from(window);
        let expected =
            [(&record.send[..], 0, send), (&record.receive[..], u64::from(send) + u64::from(unread), window)];
        let spans_fit = expected.iter().all(|(spans, addr, len)| {
            let addr = if *len == 0 { 0 } else { *addr };
            u64::from(spans[0].addr) == addr
                && spans[0].len == *len
                && spans[1..].iter().all(|span| *span == Span::default())
        });
        if total as usize != bytes.len()
            || sum != body.len() as u64
            || !spans_fit
            || send_limit > Tcb::BUFFER_MAX
        {
            return Err(Error::Record);
        }
        let tcb = Tcb::import(&record.tcb, send, window, config, Instant(now_us as u32));
        let tcb = tcb.map_err(|_| Error::Record)?;
        let (sent, rest) = body.split_at(send as usize);
        let (read, free) = rest.split_at(unread as usize);
        Ok(Connection {
            tcb: Some(tcb),
            config,
            ends: record.endpoints,
            iss: 0,
            now_us,
            send_limit,
            send: sent.iter().copied().collect(),
            unread: read.iter().copied().collect(),
            window: free.iter().copied().collect(),
            reset: None,
            events: 0,
            packet_id: 0,
        })
    }
}

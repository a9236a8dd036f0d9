//! A connection that the NIC owns: its TCB, its buffers in host memory and what the host has not been told.

use baton_abi::{
    at_most,
    handoff::{at, RecordError, HEAD_WORDS, RECORD_WORDS_IPV6, SPANS, UPPER_WORDS},
};
use baton_tcp::{wire::Template, Endpoints, Instant, SharedConfig, Span, Spans, Tcb};

use crate::{
    program::{Built, Program},
    shed::ShedMark,
};

/// Where a connection is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// There is none.
    Absent,
    /// It stays; active restoration counts its packets.
    Open(ShedMark),
    /// It goes back to the host, once the firmware has taken this many segments since its start.
    Restoring { after_segment: u32 },
    /// It has ended in order, or by the host's ABORT.
    Closed,
    /// It was reset, for this `abi::msg::reset` reason.
    Reset(u32),
}

/// Segments of a connection: what QUERY reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    pub received: u32,
    pub sent: u32,
    pub retransmitted: u32,
}

/// What the host has not been told yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unreported {
    /// Bytes acknowledged.
    pub sent: u32,
    /// Bytes received in order.
    pub received: u32,
}

#[derive(Clone, Debug)]
pub struct Connection<P: Program = Built> {
    pub tcb: Tcb<SharedConfig>,
    /// From the first unacknowledged byte on.
    pub send: Spans,
    /// From the next byte expected on.
    pub receive: Spans,
    /// How its segments begin; it knows both ends.
    pub header: P::Header,
    /// The host's own name for the connection, in word 1 of its events.
    pub cookie: u32,
    pub fate: Fate,
    /// On its way out, and ready for its last event.
    pub settled: bool,
    /// The peer sent FIN, and the host is to be told.
    pub peer_closed: bool,
    pub unreported: Unreported,
    pub counters: Counters,
}

/// Acknowledged bytes that are reported even though no span of the send buffer is finished.
pub const SENT_REPORT_BYTES: u32 = 32 * 1024;

impl<P: Program> Connection<P> {
    /// The peer has acknowledged the first `acked` bytes of the send buffer. True: it is worth an event, because a
    /// span of memory is free again, or much was acknowledged; until then acknowledgements add up.
    #[inline]
    pub fn acknowledged(&mut self, acked: u32) -> bool {
        self.unreported.sent += acked;
        if acked > 0 && self.send.take_within_first(acked).is_none() {
            let spans = self.send.spans().len();
            self.send.consume(acked);
            if self.send.spans().len() < spans {
                return true;
            }
        }
        self.unreported.sent >= SENT_REPORT_BYTES
    }

    /// A place for a connection, without one.
    pub const fn vacant(config: SharedConfig) -> Self {
        Connection {
            tcb: Tcb::vacant(config),
            send: Spans::EMPTY,
            receive: Spans::EMPTY,
            header: P::Header::EMPTY,
            cookie: 0,
            fate: Fate::Absent,
            settled: false,
            peer_closed: false,
            unreported: Unreported { sent: 0, received: 0 },
            counters: Counters { received: 0, sent: 0, retransmitted: 0 },
        }
    }

    /// Takes over what a handoff record of `len` words describes, in a place that is vacant, and stays so: the table makes a
    /// connection of it. What a record that is refused leaves here means nothing.
    #[inline(always)]
    pub fn take_over(
        &mut self,
        now: Instant,
        len: usize,
        word: impl Fn(usize) -> u32,
        cookie: u32,
    ) -> Result<(), RecordError> {
        let ends = Endpoints::read(len, &word)?;
        if ends.is_ipv6() != (len == RECORD_WORDS_IPV6) {
            return Err(RecordError::Length);
        }
        self.header = P::Header::new(&ends).ok_or(RecordError::Address)?;
        let span = |at: usize| Span { addr: word(at), len: word(at + 1) };
        self.send.refill(|index| span(at::SEND + 2 * index))?;
        self.receive.refill(|index| span(at::RECEIVE + 2 * index))?;
        let tcb = |index| word(at::TCB + index);
        self.tcb.take_over(tcb, self.send.len(), self.receive.len(), now)?;
        self.cookie = cookie;
        (self.settled, self.peer_closed) = (false, false);
        self.unreported = Unreported::default();
        self.counters = Counters::default();
        Ok(())
    }

    /// Gives the words of the record that gives the connection back, one after the other.
    #[inline(always)]
    pub fn export(&self, now: Instant, mut put: impl FnMut(usize, u32)) {
        let ends = self.header.endpoints();
        let turns = at_most!(HEAD_WORDS);
        for (index, word) in ends.to_head().into_iter().enumerate() {
            turns.take();
            put(index, word);
        }
        self.tcb.export_words(now, |index, word| put(at::TCB + index, word));
        let turns = at_most!(2 * SPANS);
        for (index, span) in self.send.to_record().iter().chain(&self.receive.to_record()).enumerate() {
            turns.take();
            put(at::SEND + 2 * index, span.addr);
            put(at::SEND + 2 * index + 1, span.len);
        }
        if ends.is_ipv6() {
            let turns = at_most!(UPPER_WORDS);
            for (index, word) in ends.to_upper().into_iter().enumerate() {
                turns.take();
                put(at::UPPER + index, word);
            }
        }
    }

    /// The connection's key in the lookup table.
    pub fn lookup_key(&self) -> P::Key {
        P::key(&self.header.endpoints())
    }

    /// Whether there is none.
    pub fn is_absent(&self) -> bool {
        matches!(self.fate, Fate::Absent)
    }

    /// Whether packets and commands reach it.
    pub fn is_open(&self) -> bool {
        matches!(self.fate, Fate::Open(_))
    }
}

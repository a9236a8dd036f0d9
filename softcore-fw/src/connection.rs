//! A connection that the NIC owns: its TCB, its buffers in host memory and what the host has not been told.

use baton_abi::{
    at_most,
    handoff::{at, RecordError, HEAD_WORDS, RECEIVE_SPANS, RECORD_WORDS_IPV6, SEND_SPANS, UPPER_WORDS},
};
use baton_tcp::{wire::Template, Endpoints, Instant, ReceiveSpans, SendSpans, SharedConfig, Span, Tcb};

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
    /// It goes back to the host, once the firmware has taken this many segments since its start, of which the last [`Stage::BITS`] bits
    /// count.
    Restoring { after_segment: u32 },
    /// It has ended in order, or by the host's ABORT.
    Closed,
    /// It was reset, for this `abi::msg::reset` reason.
    Reset(u32),
}

/// A [`Fate`], and what is to be said of it, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage(u32);

impl Stage {
    /// Bits of the number that some fates have.
    pub const BITS: u32 = 32 - Self::SHIFT;
    const SHIFT: u32 = 5;
    /// The peer sent FIN, and the host is to be told.
    const PEER_CLOSED: u32 = 1 << 4;
    /// On its way out, and ready for its last event.
    const SETTLED: u32 = 1 << 3;
    const KIND: u32 = 7;
    const ABSENT: u32 = 0;
    const OPEN: u32 = 1;
    const RESTORING: u32 = 2;
    const CLOSED: u32 = 3;
    const RESET: u32 = 4;

    const VACANT: Self = Stage(Self::ABSENT);

    #[inline]
    pub fn fate(self) -> Fate {
        let number = self.0 >> Self::SHIFT;
        match self.0 & Self::KIND {
            Self::ABSENT => Fate::Absent,
            Self::OPEN => Fate::Open(ShedMark::from_bits(number)),
            Self::RESTORING => Fate::Restoring { after_segment: number },
            Self::CLOSED => Fate::Closed,
            _ => Fate::Reset(number),
        }
    }

    /// What is to be said stays so.
    pub fn set_fate(&mut self, fate: Fate) {
        let (kind, number) = match fate {
            Fate::Absent => (Self::ABSENT, 0),
            Fate::Open(mark) => (Self::OPEN, mark.to_bits()),
            Fate::Restoring { after_segment } => (Self::RESTORING, after_segment),
            Fate::Closed => (Self::CLOSED, 0),
            Fate::Reset(reason) => (Self::RESET, reason),
        };
        self.0 = number << Self::SHIFT | self.0 & (Self::PEER_CLOSED | Self::SETTLED) | kind;
    }

    /// On its way out, and ready for its last event.
    pub fn is_settled(self) -> bool {
        self.0 & Self::SETTLED != 0
    }

    pub fn settle(&mut self) {
        self.0 |= Self::SETTLED;
    }

    /// The peer sent FIN, and the host is to be told.
    pub fn is_peer_closed(self) -> bool {
        self.0 & Self::PEER_CLOSED != 0
    }

    pub fn set_peer_closed(&mut self, closed: bool) {
        self.0 = self.0 & !Self::PEER_CLOSED | if closed { Self::PEER_CLOSED } else { 0 };
    }
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
    pub send: SendSpans,
    /// From the next byte expected on.
    pub receive: ReceiveSpans,
    /// How its segments begin; it knows both ends.
    pub header: P::Header,
    /// The host's own name for the connection, in word 1 of its events.
    pub cookie: u32,
    pub stage: Stage,
    pub unreported: Unreported,
    /// Segments that were sent again. Those sent and received are counted by the hardware.
    pub retransmitted: u32,
}

/// Acknowledged bytes that are reported whatever is left of the send buffer.
pub const SENT_REPORT_BYTES: u32 = 32 * 1024;

impl<P: Program> Connection<P> {
    /// The peer has acknowledged the first `acked` bytes of the send buffer. True: it is worth an event; until then acknowledgements
    /// add up.
    #[inline]
    pub fn acknowledged(&mut self, acked: u32) -> bool {
        self.unreported.sent += acked;
        acked > 0 && self.finished(acked)
    }

    /// [`Connection::acknowledged`] of bytes that count as unreported. At the end of a span the host can use memory again, but
    /// the head of a response is no news while its body is on the way: it is when the host can give as much as is left.
    #[inline(never)]
    pub fn finished(&mut self, acked: u32) -> bool {
        let within = self.send.take_within_first(acked).is_some();
        if !within {
            self.send.consume(acked);
        }
        let sent = self.unreported.sent;
        sent >= SENT_REPORT_BYTES || !within && sent >= self.send.len()
    }

    /// A place for a connection, without one.
    pub const fn vacant(config: SharedConfig) -> Self {
        Connection {
            tcb: Tcb::vacant(config),
            send: SendSpans::EMPTY,
            receive: ReceiveSpans::EMPTY,
            header: P::Header::EMPTY,
            cookie: 0,
            stage: Stage::VACANT,
            unreported: Unreported { sent: 0, received: 0 },
            retransmitted: 0,
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
        self.stage = Stage::VACANT;
        self.unreported = Unreported::default();
        self.retransmitted = 0;
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
        let turns = at_most!(SEND_SPANS + RECEIVE_SPANS);
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
        self.stage.0 & Stage::KIND == Stage::ABSENT
    }

    /// Whether packets and commands reach it.
    pub fn is_open(&self) -> bool {
        self.stage.0 & Stage::KIND == Stage::OPEN
    }
}

//! A connection that the NIC owns: its TCB, its buffers in host memory and what the host has not been told.

use baton_abi::handoff::{HandoffRecord, RecordError};
use baton_tcp::{wire::Template, Config, Instant, Spans, Tcb};

use crate::{
    program::{Built, Program},
    shed::ShedMark,
};

/// Where a connection is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Open,
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
    /// The peer sent FIN.
    pub peer_closed: bool,
}

#[derive(Clone, Debug)]
pub struct Connection<P: Program = Built> {
    pub tcb: Tcb,
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
    pub unreported: Unreported,
    pub counters: Counters,
    pub shed: ShedMark,
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

    /// Takes over what a handoff record describes.
    #[inline(always)]
    pub fn import(
        config: Config,
        now: Instant,
        record: &HandoffRecord,
        cookie: u32,
    ) -> Result<Self, RecordError> {
        // What may fail comes before the TCB, which is then made in its place.
        let header = P::Header::new(&record.endpoints).ok_or(RecordError::Address)?;
        let send = Spans::from_record(&record.send)?;
        let receive = Spans::from_record(&record.receive)?;
        Ok(Connection {
            tcb: Tcb::import(&record.tcb, send.len(), receive.len(), config, now)?,
            send,
            receive,
            header,
            cookie,
            fate: Fate::Open,
            settled: false,
            unreported: Unreported::default(),
            counters: Counters::default(),
            shed: ShedMark::default(),
        })
    }

    /// The record that gives the connection back.
    pub fn export(&self, now: Instant) -> HandoffRecord {
        HandoffRecord {
            endpoints: self.header.endpoints(),
            tcb: self.tcb.export(now),
            send: self.send.to_record(),
            receive: self.receive.to_record(),
        }
    }

    /// The connection's key in the lookup table.
    pub fn lookup_key(&self) -> P::Key {
        P::key(&self.header.endpoints())
    }

    /// Whether packets and commands reach it.
    pub fn is_open(&self) -> bool {
        self.fate == Fate::Open
    }
}

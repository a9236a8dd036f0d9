//! A connection as the server's sockets see it, whoever owns its TCB.
//!
//! A socket has three layers of buffered state. What the application has asked for and nobody has been told
//! yet: the outbox, receive space to post, a shutdown. What the owner of the TCB has been given: the spans
//! of the send and the receive buffer. What has arrived and the application has not read: the unread
//! bytes of the receive ring. The first layer is where requests wait while the TCB changes hands; the second is
//! kept equal on both sides of the bus, so a handoff copies it and a restore compares it.

use std::collections::VecDeque;

use baton_abi::handoff::{Endpoints, Span};
use baton_abi::msg::ConnId;
use baton_tcp::{ReceiveSpans, SendSpans, SeqNumber, Tcb};

use super::driver::RxFrame;

/// Names a socket: its place in the table and a generation, so that a name outlives its socket harmlessly. As a
/// word it is the cookie that commands and events carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId {
    pub(super) index: u16,
    pub(super) generation: u16,
}

impl SocketId {
    pub fn cookie(self) -> u32 {
        u32::from(self.generation) << 16 | u32::from(self.index)
    }

    pub fn from_cookie(cookie: u32) -> Self {
        SocketId { index: cookie as u16, generation: (cookie >> 16) as u16 }
    }
}

/// Where bytes that are sent come from, which decides what sending them costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A small buffer, copied; it is returned when they are acknowledged, or when the socket ends.
    Buffer(u32),
    /// The application's own memory, copied.
    User,
    /// A file, sent where it lies.
    File,
}

/// Why a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Both sides have closed.
    InOrder,
    /// The peer reset the connection, or it timed out.
    Reset,
    /// This side gave it up.
    Aborted,
}

/// What happened to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketEvent {
    Established,
    /// There are unread bytes.
    Readable,
    /// The peer acknowledged this many bytes.
    Sent(u32),
    /// The peer sends no more.
    PeerClosed,
    /// The socket is gone; its name is not valid any more.
    Ended(Ending),
}

/// Who owns a connection's TCB, as an observer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    Host,
    /// A handoff is under way.
    Offering,
    Nic,
    /// A restore is under way.
    Restoring,
}

/// Who owns a connection's TCB.
pub(super) enum Owner {
    Host(Tcb),
    /// The record is on its way to the NIC. The frozen TCB is used again only if the handoff is refused.
    Offering {
        frozen: Tcb,
        /// Transmit descriptors that the NIC must have consumed before the record goes out, as a producer
        /// index; `None` once it has gone. What the NIC sends must not overtake what the host has queued.
        waits_for: Option<u16>,
        /// Packets that arrived meanwhile, in order.
        held: VecDeque<RxFrame>,
    },
    Nic(ConnId),
    /// The record is on its way back.
    Restoring {
        conn: ConnId,
        held: VecDeque<RxFrame>,
    },
}

impl Owner {
    pub fn ownership(&self) -> Ownership {
        match self {
            Owner::Host(_) => Ownership::Host,
            Owner::Offering { .. } => Ownership::Offering,
            Owner::Nic(_) => Ownership::Nic,
            Owner::Restoring { .. } => Ownership::Restoring,
        }
    }
}

/// What the application wants of the connection's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    Open,
    /// FIN after everything in the outbox; the owner has not been told.
    Wanted,
    Told,
}

/// A receive buffer: a ring of host memory. Going round it: unread bytes, space that the owner of the TCB has,
/// space that nobody has yet.
#[derive(Debug)]
pub(super) struct ReceiveRing {
    pub base: u32,
    size: u32,
    read: u32,
    unread: u32,
    post: u32,
    to_post: u32,
}

impl ReceiveRing {
    pub fn new(base: u32, size: u32) -> Self {
        ReceiveRing::holding(base, size, 0)
    }

    /// A ring that has `unread` bytes at its start.
    pub fn holding(base: u32, size: u32, unread: u32) -> Self {
        assert!(unread <= size, "more unread bytes than the ring has");
        ReceiveRing { base, size, read: 0, unread, post: unread % size, to_post: size - unread }
    }

    pub fn unread(&self) -> u32 {
        self.unread
    }

    /// The unread bytes: up to two spans.
    pub fn unread_spans(&self) -> [Span; 2] {
        let first = self.unread.min(self.size - self.read);
        [Span { addr: self.base + self.read, len: first }, Span { addr: self.base, len: self.unread - first }]
    }

    /// `n` bytes that were posted have arrived.
    pub fn arrived(&mut self, n: u32) {
        self.unread += n;
        assert!(self.unread + self.to_post <= self.size, "more bytes arrived than were posted");
    }

    /// The application is done with `n` unread bytes.
    pub fn consume(&mut self, n: u32) {
        assert!(n <= self.unread, "more bytes were consumed than are unread");
        self.unread -= n;
        self.read = (self.read + n) % self.size;
        self.to_post += n;
    }

    /// Space to give to the owner of the TCB: at most up to the ring's end.
    pub fn next_post(&self) -> Option<Span> {
        let len = self.to_post.min(self.size - self.post);
        (len > 0).then_some(Span { addr: self.base + self.post, len })
    }

    /// That space has been given.
    pub fn posted(&mut self, span: Span) {
        assert_eq!(Some(span), self.next_post());
        self.post = (self.post + span.len) % self.size;
        self.to_post -= span.len;
    }

    /// Space that waits to be given.
    pub fn to_post(&self) -> u32 {
        self.to_post
    }

    pub fn size(&self) -> u32 {
        self.size
    }
}

/// A socket.
pub(super) struct Socket {
    pub id: SocketId,
    pub endpoints: Endpoints,
    pub owner: Owner,
    pub established: bool,
    /// Opened by the peer, and the application has not accepted it yet.
    pub in_backlog: bool,
    /// Given to the owner of the TCB and not acknowledged yet.
    pub send: SendSpans,
    /// Given to the owner of the TCB and not filled yet.
    pub receive: ReceiveSpans,
    /// To be sent, not given yet.
    pub outbox: VecDeque<Span>,
    /// Bytes in the outbox and in `send`.
    pub queued: u64,
    /// Bytes acknowledged since the start.
    pub acked: u64,
    /// Buffers to return once the peer has acknowledged the stream up to that byte.
    pub releases: VecDeque<(u64, u32)>,
    /// `None` once it has been returned, in TIME-WAIT.
    pub ring: Option<ReceiveRing>,
    pub shutdown: Shutdown,
    pub abort: bool,
    /// The owner was told to abort.
    pub abort_told: bool,
    /// Restore as soon as the running handoff has succeeded.
    pub restore_wanted: bool,
    pub peer_closed: bool,
    /// This side sent its FIN first, so TIME-WAIT is its own.
    pub closed_first: bool,
    /// A report that the path is narrower, which the owner has not heard: payload of a segment that fits, and the number of
    /// the one that did not.
    pub path: Option<(u16, SeqNumber)>,
    /// When the TCB's timer fires, in microseconds.
    pub timer_us: Option<u64>,
    /// Whether the socket is in the list of those with something to do.
    pub in_work: bool,
    /// Handoffs of this connection that the NIC accepted.
    pub handoffs: u32,
}

impl Socket {
    /// Buffers that are due to return after the peer acknowledged `n` bytes more.
    pub fn acknowledged(&mut self, n: u32) -> Vec<u32> {
        assert!(n <= self.send.len(), "more bytes were acknowledged than were sent");
        self.send.consume(n);
        self.queued -= u64::from(n);
        self.acked += u64::from(n);
        let mut due = Vec::new();
        while self.releases.front().is_some_and(|&(end, _)| end <= self.acked) {
            due.extend(self.releases.pop_front().map(|(_, buffer)| buffer));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_posts_each_byte_once_a_lap() {
        let mut ring = ReceiveRing::new(1000, 100);
        let mut posted = ReceiveSpans::new();
        let mut next = 1000;
        for step in 0..500u32 {
            while let Some(span) = ring.next_post() {
                assert_eq!(span.addr, next);
                ring.posted(span);
                posted.push(span.addr, span.len).unwrap();
                next = if span.addr + span.len == 1100 { 1000 } else { span.addr + span.len };
            }
            assert_eq!(posted.len() + ring.unread(), 100);
            let n = (step * 7 % 31).min(posted.len());
            let first = posted.at(0).map(|(addr, _)| addr);
            posted.consume(n);
            let unread = ring.unread();
            ring.arrived(n);
            if unread == 0 && n > 0 {
                assert_eq!(Some(ring.unread_spans()[0].addr), first);
            }
            ring.consume((step * 5 % 37).min(ring.unread()));
        }
    }

    #[test]
    fn a_cookie_names_its_socket() {
        let id = SocketId { index: 0xABCD, generation: 0x1234 };
        assert_eq!(SocketId::from_cookie(id.cookie()), id);
    }
}

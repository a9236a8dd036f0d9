//! The sockets as an application uses them: read in place, send by address, close.
//!
//! Nothing here touches the bus. What an application asks for is queued at the socket and goes to whoever owns the
//! TCB when the stack works through its list.

use baton_abi::handoff::{Endpoints, Span};
use baton_cosim::port::HostMemory;
use baton_tcp::State;

use super::load_log::LoadLog;
use super::selection::Notice;
use super::socket::{Owner, Ownership, ReceiveRing, Shutdown, SocketEvent, SocketId, Source};
use super::stack::{NicLoad, Stack, StackStats};

impl Stack {
    /// Opens a connection (RFC 9293 Section 3.10.1). There is no resolver: `endpoints` has the peer's link address.
    /// `None`: no receive ring is free, or there is such a connection.
    pub fn connect(&mut self, endpoints: Endpoints) -> Option<SocketId> {
        self.open(endpoints)
    }

    pub fn endpoints(&self, id: SocketId) -> Option<Endpoints> {
        self.socket(id).map(|s| s.endpoints)
    }

    pub fn ownership(&self, id: SocketId) -> Option<Ownership> {
        self.socket(id).map(|s| s.owner.ownership())
    }

    /// How often the NIC has accepted this connection.
    pub fn handoffs(&self, id: SocketId) -> Option<u32> {
        self.socket(id).map(|s| s.handoffs)
    }

    /// State of the TCB, while the host owns it.
    pub fn state(&self, id: SocketId) -> Option<State> {
        match &self.socket(id)?.owner {
            Owner::Host(tcb) => Some(tcb.state()),
            _ => None,
        }
    }

    /// Appends the unread bytes of a socket to `out`, at most `limit` of them.
    pub fn peek(&self, memory: &HostMemory, id: SocketId, limit: usize, out: &mut Vec<u8>) {
        let Some(ring) = self.socket(id).and_then(|s| s.ring.as_ref()) else { return };
        let mut left = limit;
        for span in ring.unread_spans() {
            let take = left.min(span.len as usize);
            out.extend_from_slice(memory.slice(span.addr, take));
            left -= take;
        }
    }

    /// Where the unread bytes of a socket lie, but for the first `skip` of them. They stay there until they are consumed,
    /// so they may be sent from there.
    pub fn unread_spans_after(&self, id: SocketId, skip: u32) -> impl Iterator<Item = Span> {
        let spans = self.socket(id).and_then(|s| s.ring.as_ref()).map(ReceiveRing::unread_spans);
        let mut skip = skip;
        spans.into_iter().flatten().filter_map(move |span| {
            let skipped = skip.min(span.len);
            skip -= skipped;
            (span.len > skipped).then(|| Span { addr: span.addr + skipped, len: span.len - skipped })
        })
    }

    pub fn unread(&self, id: SocketId) -> u32 {
        self.socket(id).and_then(|s| s.ring.as_ref()).map_or(0, ReceiveRing::unread)
    }

    /// The application is done with the first `n` unread bytes.
    pub fn consume(&mut self, id: SocketId, n: u32) {
        if let Some(ring) = self.socket_mut(id).and_then(|s| s.ring.as_mut()) {
            let [first, second] = ring.unread_spans();
            ring.consume(n);
            if n > 0 {
                self.meter.read(id.index, [first, second], n);
            }
            self.touch(id);
        }
    }

    /// A small buffer to say something from. It is given back by [`Stack::send`]'s `release` or
    /// [`Stack::release_buffer`].
    pub fn take_buffer(&mut self) -> Option<u32> {
        self.buffers.take()
    }

    pub fn release_buffer(&mut self, buffer: u32) {
        self.buffers.give(buffer);
    }

    /// Sends `len` bytes at `addr`, which stay as they are until acknowledged.
    pub fn send(&mut self, id: SocketId, addr: u32, len: u32, source: Source) {
        let Some(socket) = self.socket_mut(id).filter(|s| s.shutdown == Shutdown::Open) else {
            if let Source::Buffer(buffer) = source {
                self.buffers.give(buffer);
            }
            return;
        };
        if len > 0 {
            socket.outbox.push_back(Span { addr, len });
        }
        socket.queued += u64::from(len);
        match source {
            Source::Buffer(buffer) => {
                socket.releases.push_back((socket.acked + socket.queued, buffer));
                self.meter.write(id.index, None, len);
            }
            Source::User => self.meter.write(id.index, Some(addr), len),
            Source::File => self.meter.sendfile(id.index, addr, len),
        }
        self.notices.push_back((id, Notice::Sent(len)));
        self.touch(id);
    }

    /// Bytes sent and not acknowledged.
    pub fn queued(&self, id: SocketId) -> u64 {
        self.socket(id).map_or(0, |s| s.queued)
    }

    /// The application handled a request for the file at an address; it is what its own code costs.
    pub fn requested(&mut self, id: SocketId, file: Option<u32>) {
        self.meter.request(id.index, file);
    }

    /// The application has made `len` bytes at `addr` for an answer.
    pub fn made(&mut self, id: SocketId, addr: u32, len: u32) {
        self.meter.made(id.index, addr, len);
    }

    /// Sends no more after what was sent so far.
    pub fn shutdown(&mut self, id: SocketId) {
        if let Some(socket) = self.socket_mut(id).filter(|s| s.shutdown == Shutdown::Open) {
            socket.shutdown = Shutdown::Wanted;
            self.meter.closed(id.index);
            self.touch(id);
        }
    }

    /// Resets the connection.
    pub fn abort(&mut self, id: SocketId) {
        if let Some(socket) = self.socket_mut(id) {
            socket.abort = true;
            self.touch(id);
        }
    }

    pub(super) fn next_event(&mut self) -> Option<(SocketId, SocketEvent)> {
        self.events.pop_front()
    }

    pub fn load(&self) -> NicLoad {
        self.load
    }

    /// The transitions of the NIC's load control so far.
    pub fn load_log(&self) -> &LoadLog {
        &self.load_log
    }

    pub fn stats(&self) -> StackStats {
        self.stats
    }
}

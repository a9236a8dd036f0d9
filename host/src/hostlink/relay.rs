//! What runs on connections that the NIC may own: each is joined to a socket of the kernel, to a server that knows nothing of the NIC.
//!
//! Bytes from the network go from the receive ring into the server's socket as it takes them; the window closes on a peer whose
//! bytes it does not take. Bytes of the server lie in chunks of memory that the NIC reads, until the peer has acknowledged
//! them. Each side's end of its stream passes to the other behind its bytes.

use crate::server::arena::{Arena, Pool};
use crate::server::{Application, SocketEvent, SocketId, Source, Stack};
use baton_cosim::port::HostMemory;
use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Bytes of a chunk.
const CHUNK_BYTES: u32 = 16 << 10;
/// Chunks of a connection at most: what is on its way to the peer and not acknowledged.
const CHUNKS_MAX: usize = 4;
/// How long the server may take to answer a SYN. It is on this machine or near it, and everything else waits.
const CONNECT: Duration = Duration::from_millis(500);

/// Counts of a relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayStats {
    pub connections: u64,
    /// Connections that were reset because the server could not be reached.
    pub unreached: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

/// The memory that a relay of so many connections needs.
pub const fn memory_bytes(connections: u32) -> u32 {
    connections * CHUNKS_MAX as u32 * CHUNK_BYTES + 4096
}

/// A connection's socket to the server, and what came from it.
struct Joint {
    server: TcpStream,
    /// Chunks that the peer has not acknowledged, and how many bytes of each are left.
    chunks: VecDeque<(u32, u32)>,
    /// The server's stream has ended.
    server_closed: bool,
    /// The peer's stream has ended, and the server was told.
    peer_closed: Option<bool>,
}

/// See the module's header.
pub struct Relay {
    /// `None`: nothing is relayed.
    to: Option<SocketAddr>,
    chunks: Pool,
    joints: HashMap<SocketId, Joint>,
    stats: RelayStats,
}

impl Relay {
    /// To the server at this address, if any. Chunks for so many connections come from `memory`, which has
    /// [`memory_bytes`] at least.
    pub fn new(to: Option<SocketAddr>, connections: u32, mut memory: Arena) -> Self {
        let count = if to.is_some() { connections * CHUNKS_MAX as u32 } else { 0 };
        let chunks =
            Pool::new("chunks", &mut memory, CHUNK_BYTES, count).expect("memory as it was asked for");
        Relay { to, chunks, joints: HashMap::new(), stats: RelayStats::default() }
    }

    pub fn stats(&self) -> RelayStats {
        self.stats
    }

    /// Passes on what the servers have sent, and what they take again.
    pub fn pump(&mut self, sockets: &mut Stack, memory: &mut HostMemory) {
        let Relay { chunks: pool, joints, stats, .. } = self;
        for (&id, joint) in joints {
            joint.feed_server(sockets, memory, id, stats);
            joint.hear_server(sockets, memory, id, pool, stats);
        }
    }

    fn join(&mut self, sockets: &mut Stack, id: SocketId) {
        match self.to.map_or(Err(ErrorKind::NotConnected.into()), connect) {
            Ok(server) => {
                let joint =
                    Joint { server, chunks: VecDeque::new(), server_closed: false, peer_closed: None };
                self.joints.insert(id, joint);
                self.stats.connections += 1;
            }
            Err(_) => {
                self.stats.unreached += 1;
                sockets.abort(id);
            }
        }
    }
}

fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let server = TcpStream::connect_timeout(&to, CONNECT)?;
    server.set_nodelay(true)?;
    server.set_nonblocking(true)?;
    Ok(server)
}

impl Joint {
    /// Gives the server what it takes of the unread bytes, and the end of the stream behind them.
    fn feed_server(
        &mut self,
        sockets: &mut Stack,
        memory: &mut HostMemory,
        id: SocketId,
        stats: &mut RelayStats,
    ) {
        while sockets.unread(id) > 0 {
            let Some(span) = sockets.unread_spans_after(id, 0).next() else { break };
            match self.server.write(memory.slice(span.addr, span.len as usize)) {
                Ok(taken) => {
                    stats.bytes_in += taken as u64;
                    sockets.consume(id, taken as u32);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // The server is gone: so is the connection.
                Err(_) => return sockets.abort(id),
            }
        }
        if self.peer_closed == Some(false) {
            self.peer_closed = Some(true);
            // A server that has gone meanwhile shows when it is read.
            let _ = self.server.shutdown(Shutdown::Write);
        }
    }

    /// Sends what the server has to say, as far as there are chunks for it.
    fn hear_server(
        &mut self,
        sockets: &mut Stack,
        memory: &mut HostMemory,
        id: SocketId,
        pool: &mut Pool,
        stats: &mut RelayStats,
    ) {
        while !self.server_closed && self.chunks.len() < CHUNKS_MAX {
            let Some(chunk) = pool.take() else { return };
            let len = match self.server.read(memory.slice_mut(chunk, CHUNK_BYTES as usize)) {
                Ok(len) => len as u32,
                Err(error) => {
                    pool.give(chunk);
                    match error.kind() {
                        ErrorKind::Interrupted => continue,
                        ErrorKind::WouldBlock => return,
                        _ => {
                            self.server_closed = true;
                            return sockets.abort(id);
                        }
                    }
                }
            };
            if len == 0 {
                pool.give(chunk);
                self.server_closed = true;
                return sockets.shutdown(id);
            }
            stats.bytes_out += u64::from(len);
            self.chunks.push_back((chunk, len));
            sockets.send(id, chunk, len, Source::User);
        }
    }

    /// The peer has acknowledged `n` bytes.
    fn acknowledged(&mut self, mut n: u32, pool: &mut Pool) {
        while let Some((chunk, left)) = self.chunks.front_mut() {
            if *left > n {
                *left -= n;
                return;
            }
            n -= *left;
            pool.give(*chunk);
            self.chunks.pop_front();
        }
        assert_eq!(n, 0, "more was acknowledged than was sent");
    }
}

impl Application for Relay {
    fn handle(&mut self, sockets: &mut Stack, memory: &mut HostMemory, id: SocketId, event: SocketEvent) {
        if event == SocketEvent::Established {
            return self.join(sockets, id);
        }
        let Relay { chunks: pool, joints, stats, .. } = self;
        let Some(joint) = joints.get_mut(&id) else { return };
        match event {
            SocketEvent::Established => {}
            SocketEvent::Readable => joint.feed_server(sockets, memory, id, stats),
            SocketEvent::PeerClosed => {
                joint.peer_closed = Some(false);
                joint.feed_server(sockets, memory, id, stats);
            }
            SocketEvent::Sent(n) => joint.acknowledged(n, pool),
            SocketEvent::Ended(_) => {
                // The TCB's last owner reads nothing any more.
                joint.chunks.drain(..).for_each(|(chunk, _)| pool.give(chunk));
                joints.remove(&id);
            }
        }
    }
}

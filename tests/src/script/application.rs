//! The user of a scripted connection: an application that does what it is told.

use anyhow::{ensure, Context, Result};
use baton::server::arena::Arena;
use baton::server::{Application, Ending, SocketEvent, SocketId, Source, Stack};
use baton_abi::handoff::Endpoints;
use baton_cosim::port::HostMemory;
use baton_script::{pattern, Event, Stream};

/// See the module's header. It follows one connection, the first.
pub struct ScriptedUser {
    /// Memory to send from: byte `n` of the stream lies `n` bytes behind its start.
    memory: Arena,
    sent: u32,
    read: u32,
    discard: bool,
    pub socket: Option<SocketId>,
    pub ended: bool,
    pub events: Vec<Event>,
}

impl ScriptedUser {
    pub fn new(memory: Arena) -> Self {
        ScriptedUser {
            memory,
            sent: 0,
            read: 0,
            discard: false,
            socket: None,
            ended: false,
            events: Vec::new(),
        }
    }

    pub fn socket(&self) -> Result<SocketId> {
        self.socket.context("there is no connection")
    }

    pub fn connect(&mut self, stack: &mut Stack, endpoints: Endpoints) -> Result<()> {
        self.socket = Some(stack.connect(endpoints).context("the stack opens no connection")?);
        Ok(())
    }

    /// Writes the next bytes of the stream.
    pub fn send(&mut self, stack: &mut Stack, memory: &mut HostMemory, bytes: u32) -> Result<()> {
        let addr = self.memory.range().start + self.sent;
        ensure!(addr + bytes <= self.memory.range().end, "the script sends more than there is memory for");
        let data: Vec<u8> = (self.sent..self.sent + bytes).map(|i| pattern(Stream::Endpoint, i)).collect();
        memory.write(addr, &data);
        stack.send(self.socket()?, addr, bytes, Source::User);
        self.sent += bytes;
        Ok(())
    }

    /// Reads the next bytes, which must be there and right.
    pub fn recv(&mut self, stack: &mut Stack, memory: &HostMemory, bytes: u32) -> Result<()> {
        let id = self.socket()?;
        let mut data = Vec::new();
        stack.peek(memory, id, bytes as usize, &mut data);
        ensure!(data.len() == bytes as usize, "only {} bytes are there to be read", data.len());
        for (index, byte) in (self.read..).zip(&data) {
            ensure!(*byte == pattern(Stream::Peer, index), "byte {index} that was read is wrong");
        }
        stack.consume(id, bytes);
        self.read += bytes;
        Ok(())
    }

    /// Sends no more, and throws away whatever comes.
    pub fn close(&mut self, stack: &mut Stack) -> Result<()> {
        let id = self.socket()?;
        stack.shutdown(id);
        self.discard = true;
        stack.consume(id, stack.unread(id));
        Ok(())
    }
}

impl Application for ScriptedUser {
    fn handle(&mut self, sockets: &mut Stack, _: &mut HostMemory, id: SocketId, event: SocketEvent) {
        if event == SocketEvent::Established && self.socket.is_none() {
            self.socket = Some(id);
        }
        // A connection that ended in its handshake has no user yet.
        let ended = matches!(event, SocketEvent::Ended(_));
        if self.socket.is_some_and(|own| own != id) || (self.socket.is_none() && !ended) {
            return;
        }
        match event {
            SocketEvent::Established => self.events.push(Event::Established),
            SocketEvent::PeerClosed => self.events.push(Event::PeerClosed),
            SocketEvent::Ended(ending) => {
                self.ended = true;
                self.events.push(match ending {
                    Ending::InOrder => Event::Closed,
                    Ending::Reset => Event::Reset,
                    Ending::Aborted => Event::Aborted,
                });
            }
            SocketEvent::Readable if self.discard => sockets.consume(id, sockets.unread(id)),
            SocketEvent::Readable | SocketEvent::Sent(_) => {}
        }
    }
}

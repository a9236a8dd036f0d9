//! A NIC that this stack shares with another, such as the kernel's: the other one opens connections, this one goes on with those that it
//! gets, and hands them off.
//!
//! Frames that belong to no socket here are the other stack's, and what that one sends goes out between the frames of this one.

use super::driver::{DriverStats, RxFrame};
use super::socket::{ReceiveRing, SocketEvent, SocketId};
use super::stack::{tuple, Stack};
use super::{Application, Server};
use baton_abi::handoff::{Endpoints, RecordError, TcbRecord};
use baton_cosim::port::{HostMemory, HostPort};
use baton_tcp::{State, Tcb};
use std::fmt;

/// Why a connection cannot be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdoptError {
    /// There is such a connection.
    Exists,
    /// Every receive ring, or every place for a socket, is in use.
    Full,
    /// What the other stack has announced to the peer, and what it has not read, does not fit a receive ring.
    Window,
    /// The engine does not take the record.
    Record(RecordError),
}

impl fmt::Display for AdoptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdoptError::Exists => f.write_str("there is such a connection"),
            AdoptError::Full => f.write_str("there is no room for another connection"),
            AdoptError::Window => {
                f.write_str("the window that was announced is larger than the receive ring")
            }
            AdoptError::Record(error) => {
                write!(f, "the connection's state is not one to go on with: {error:?}")
            }
        }
    }
}

impl std::error::Error for AdoptError {}

impl Stack {
    /// Goes on with a connection of another stack, of which nothing is left there: `record` is its TCB, with an empty send
    /// buffer, and `unread` what has arrived and was not read.
    fn adopt(
        &mut self,
        memory: &mut HostMemory,
        endpoints: Endpoints,
        record: &TcbRecord,
        unread: &[u8],
    ) -> Result<SocketId, AdoptError> {
        if self.find(tuple(&endpoints)).is_some() {
            return Err(AdoptError::Exists);
        }
        let size = self.rings.stride();
        let announced = record.rcv_adv.wrapping_sub(record.rcv_nxt);
        let announced = if announced as i32 > 0 { announced } else { 0 };
        let space = u32::try_from(unread.len()).ok().and_then(|unread| size.checked_sub(unread));
        let space = space.filter(|&space| announced <= space).ok_or(AdoptError::Window)?;
        let tcb = Tcb::import(record, 0, space, self.config(), self.now()).map_err(AdoptError::Record)?;
        let ring = if self.table_full() { None } else { self.rings.take() }.ok_or(AdoptError::Full)?;
        memory.write(ring, unread);
        let peer_closed = tcb.state() == State::CloseWait;
        let id = self.insert(endpoints, tcb, ReceiveRing::holding(ring, size, unread.len() as u32));
        if let Some(socket) = self.socket_mut(id) {
            socket.established = true;
            socket.peer_closed = peer_closed;
        }
        self.meter.opened(id.index);
        self.stats.accepted += 1;
        let happened = [
            (true, SocketEvent::Established),
            (!unread.is_empty(), SocketEvent::Readable),
            (peer_closed, SocketEvent::PeerClosed),
        ];
        self.events.extend(happened.into_iter().filter(|(is_so, _)| *is_so).map(|(_, event)| (id, event)));
        self.touch(id);
        Ok(id)
    }
}

impl<A: Application> Server<A> {
    /// Leaves frames that belong to no socket to another stack ([`Server::next_other`]) from here on.
    pub fn share(&mut self) {
        self.stack.shared = true;
    }

    /// The next frame for the other stack, as it came; [`Server::release`] gives it back.
    pub fn next_other(&mut self) -> Option<RxFrame> {
        self.stack.others.pop_front()
    }

    pub fn release(&mut self, frame: RxFrame) {
        self.stack.driver.release(frame);
    }

    pub fn driver_stats(&self) -> DriverStats {
        self.stack.driver.stats()
    }

    /// Sends a frame of the other stack, which is complete and at most as long as the NIC's largest. False: there is no room.
    pub fn forward(&mut self, port: &mut dyn HostPort, frame: &[u8]) -> bool {
        let Some(buffer) = self.stack.driver.tx_buffer() else { return false };
        port.memory_mut().write(buffer, frame);
        self.stack.driver.transmit(port, frame.len() as u16, None);
        true
    }

    /// Tells the NIC of what was forwarded and released.
    pub fn announce_shared(&mut self, port: &mut dyn HostPort) {
        self.announce(port);
    }

    /// Goes on with a connection of the other stack: see [`AdoptError`] for when not. To the application it is as one that a
    /// peer has just opened.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn adopt(
        &mut self,
        port: &mut dyn HostPort,
        endpoints: Endpoints,
        record: &TcbRecord,
        unread: &[u8],
    ) -> Result<SocketId, AdoptError> {
        self.stack.set_time(port.now_ps());
        let id = self.stack.adopt(port.memory_mut(), endpoints, record, unread)?;
        self.settle(port);
        Ok(id)
    }
}

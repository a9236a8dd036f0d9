//! Handoff and the bypass protocol: how the socket operations of a connection that the NIC owns reach it, and
//! how a connection gets there and back.
//!
//! ```text
//!          HANDOFF            ACCEPTED
//!   Host ──────────► Offering ─────────► Nic ──────────► Restoring ──────────► Host
//!    ▲                  │                 │    RESTORE        │     RESTORED
//!    └──────────────────┘                 └───────────────────┴──► gone: CLOSED, RESET
//!          REFUSED
//! ```
//!
//! An offer first waits until the NIC has consumed every frame that the host had queued, so that segments of
//! the NIC do not overtake them. In *Offering* and *Restoring* the TCB is on the bus. Nobody uses it: packets are held in their buffers, socket
//! operations stay in the outbox, timers stand still. Held packets go back into the NIC when it has
//! accepted, and to the host's own TCB otherwise, in their order.
//!
//! Commands and events are ordered rings, which settles most races: a `SEND` queued before a `RESTORE` takes part
//! in it; an event for a connection that has ended finds no socket under its cookie and is dropped. A
//! `RESTORE` that crosses a `CLOSED` is answered by `ERROR`, which concerns no one: a connection that leaves the NIC is always
//! announced by its last event, be it before that answer or after it.
//!
//! A connection that this side closed first is taken back when both sides have closed, so that TIME-WAIT does
//! not hold a place on the NIC.

use std::collections::VecDeque;
use std::fmt;

use baton_abi::handoff::{HandoffRecord, Span};
use baton_abi::msg::{command, error, event, ConnId, Header};
use baton_cosim::port::HostPort;
use baton_tcp::{ReceiveSpans, SendSpans, State, Tcb};

use super::driver::{Message, RxFrame};
use super::selection::Notice;
use super::socket::{Ending, Owner, Shutdown, Socket, SocketEvent, SocketId};
use super::stack::Stack;

/// Why a connection cannot change hands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BypassError {
    /// No such connection.
    NoSocket,
    /// It is not where it would be taken from.
    NotOwner,
    /// Its state does not allow it: not established, or in TIME-WAIT.
    State,
    /// The NIC's table of connections cannot hold it, or there is none.
    NoTable,
}

impl fmt::Display for BypassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BypassError::NoSocket => "no such connection",
            BypassError::NotOwner => "the connection is not here",
            BypassError::NoTable => "the NIC's P4 program has no table for such a connection",
            BypassError::State => "the connection's state does not allow it",
        })
    }
}

impl std::error::Error for BypassError {}

impl Stack {
    /// Offers a connection to the NIC. `Ok` means that the offer is made; its outcome comes as an event.
    pub(super) fn offer(&mut self, port: &mut dyn HostPort, id: SocketId) -> Result<(), BypassError> {
        let socket = self.socket(id).ok_or(BypassError::NoSocket)?;
        let Owner::Host(tcb) = &socket.owner else { return Err(BypassError::NotOwner) };
        let lingers = socket.ring.is_none() || tcb.state() == State::TimeWait;
        if !socket.established || socket.abort || lingers || !tcb.exportable() {
            return Err(BypassError::State);
        }
        if !self.driver.takes(&socket.endpoints) {
            return Err(BypassError::NoTable);
        }
        let frozen = tcb.clone();
        self.meter.record(id.index);
        let waits_for = Some(self.driver.tx_produced());
        self.disarm(id);
        self.load.connections += 1;
        let socket = self.socket_mut(id).expect("looked up above");
        socket.owner = Owner::Offering { frozen, waits_for, held: VecDeque::new() };
        if !self.work_offering(port, id) {
            self.touch(id);
        }
        Ok(())
    }

    /// Sends the record of a frozen TCB once the NIC has consumed every frame that was queued before. Returns
    /// whether it has gone.
    pub(super) fn work_offering(&mut self, port: &mut dyn HostPort, id: SocketId) -> bool {
        let now = self.now();
        let (socket, driver) = self.socket_and_driver(id);
        let Some(socket) = socket else { return true };
        let Owner::Offering { frozen, waits_for, .. } = &mut socket.owner else { return true };
        let Some(index) = *waits_for else { return true };
        if !driver.tx_consumed(index) {
            return false;
        }
        let record = HandoffRecord {
            endpoints: socket.endpoints,
            tcb: frozen.export(now),
            send: socket.send.to_record(),
            receive: socket.receive.to_record(),
        };
        let none = ConnId(0);
        let (addr, words) = (driver.command_addr(), record.to_words());
        if driver.command(port, command::HANDOFF, none, id.cookie(), &words).is_err() {
            return false;
        }
        *waits_for = None;
        self.meter.command(id.index, addr, 4 * words.len() as u32);
        true
    }

    /// Asks for a connection back. `Ok` means that it will be asked for as soon as the command ring has room and,
    /// if it is still being offered, the NIC has taken it.
    pub(super) fn recall(&mut self, id: SocketId) -> Result<(), BypassError> {
        let socket = self.socket_mut(id).ok_or(BypassError::NoSocket)?;
        match socket.owner {
            Owner::Nic(_) | Owner::Offering { .. } if socket.abort => return Err(BypassError::State),
            Owner::Nic(_) | Owner::Offering { .. } => socket.restore_wanted = true,
            Owner::Host(_) | Owner::Restoring { .. } => return Err(BypassError::NotOwner),
        }
        self.touch(id);
        Ok(())
    }

    /// Sends what waits for the owner as commands. Returns whether all of it went; what the span lists have no
    /// room for waits for `PROGRESS` instead.
    pub(super) fn work_nic(&mut self, port: &mut dyn HostPort, id: SocketId, conn: ConnId) -> bool {
        let (table_socket, driver) = self.socket_and_driver(id);
        let Some(socket) = table_socket else { return true };
        let cookie = id.cookie();
        if let Some((mss, seq)) = socket.path {
            if driver.command(port, command::LOWER_MSS, conn, cookie, &[u32::from(mss), seq.0]).is_err() {
                return false;
            }
            socket.path = None;
        }
        while let Some(&first) = socket.outbox.front() {
            // Head and body of a response go together.
            let mut send = socket.send;
            if send.push(first.addr, first.len).is_err() {
                break;
            }
            let second = socket.outbox.get(1).copied().filter(|span| send.push(span.addr, span.len).is_ok());
            let Span { addr, len } = second.unwrap_or_default();
            if driver.command(port, command::SEND, conn, cookie, &[first.addr, first.len, addr, len]).is_err()
            {
                return false;
            }
            socket.send = send;
            socket.outbox.drain(..1 + usize::from(second.is_some()));
        }
        if socket.shutdown == Shutdown::Wanted && socket.outbox.is_empty() {
            if driver.command(port, command::SHUTDOWN, conn, cookie, &[]).is_err() {
                return false;
            }
            socket.shutdown = Shutdown::Told;
        }
        if let Some(ring) = &mut socket.ring {
            // A command for every few bytes would cost more than the window is worth.
            if ring.to_post() >= ring.size() / 4 {
                while let Some(span) = ring.next_post() {
                    if !socket.receive.accepts(span.addr, span.len) {
                        break;
                    }
                    let words = [span.addr, span.len];
                    if driver.command(port, command::RECEIVE_BUFFER, conn, cookie, &words).is_err() {
                        return false;
                    }
                    socket.receive.push(span.addr, span.len).expect("the list accepts it");
                    ring.posted(span);
                }
            }
        }
        if socket.abort && !socket.abort_told {
            if driver.command(port, command::ABORT, conn, cookie, &[]).is_err() {
                return false;
            }
            socket.abort_told = true;
        }
        // With nothing left to do but wait, a connection is better here: the NIC's table is for those that have,
        // and TIME-WAIT costs the host next to nothing. One whose peer closed first ends by itself.
        socket.restore_wanted |= socket.closed_first && socket.queued == 0;
        // What the application asked for before takes part in the restore; what the span lists had no room for
        // waits for the host's own TCB.
        if socket.restore_wanted && !socket.abort {
            if driver.command(port, command::RESTORE, conn, cookie, &[]).is_err() {
                return false;
            }
            socket.restore_wanted = false;
            socket.owner = Owner::Restoring { conn, held: VecDeque::new() };
        }
        true
    }

    /// Puts a packet of a connection that the NIC owns back into its receive path.
    pub(super) fn inject(&mut self, frame: RxFrame) {
        self.injections.push_back(frame);
    }

    /// Handles an event of the NIC.
    pub(super) fn nic_event(&mut self, port: &mut dyn HostPort, message: &Message) {
        let id = SocketId::from_cookie(message.cookie);
        let conn = message.header.conn;
        let words = message.payload();
        match message.header.code {
            event::ACCEPTED => self.accepted(id, conn),
            event::REFUSED => self.refused(port, id),
            event::LOAD => {
                self.load.soft_limit = words[0];
                self.load_log.note(words);
            }
            event::SHED => {
                // One that is on its way back, or ending, is relief enough.
                if let Some(socket) = self.on_nic(id, conn).filter(|socket| !socket.abort) {
                    socket.restore_wanted |= matches!(socket.owner, Owner::Nic(_));
                    self.stats.shed += 1;
                    self.touch(id);
                }
            }
            event::PROGRESS => self.progress(id, conn, words[0], words[1], words[2]),
            event::CLOSED => {
                if let Some(socket) = self.on_nic(id, conn) {
                    let ending = if socket.abort { Ending::Aborted } else { Ending::InOrder };
                    self.end(port, id, ending);
                }
            }
            event::RESET => {
                if self.on_nic(id, conn).is_some() {
                    self.end(port, id, Ending::Reset);
                }
            }
            event::RESTORED => self.restored(port, id, conn, words),
            event::QUERY_REPLY => {}
            event::ERROR if Header::from_word(words[1]).code == command::HANDOFF => {
                // The NIC could make nothing of the offer: as good as a refusal.
                self.stats.command_errors += 1;
                self.refused(port, id);
            }
            event::ERROR => self.command_failed(id, conn, words[0]),
            code => panic!("the NIC sent an event of unknown code {code}"),
        }
    }

    /// The socket, if it is the one that the NIC means: it is on the NIC, under this name.
    fn on_nic(&mut self, id: SocketId, conn: ConnId) -> Option<&mut Socket> {
        self.socket_mut(id).filter(|socket| match socket.owner {
            Owner::Nic(at) | Owner::Restoring { conn: at, .. } => at == conn,
            Owner::Host(_) | Owner::Offering { .. } => false,
        })
    }

    /// The peer acknowledged `sent` bytes, `arrived` came, and with a flag its FIN after them.
    fn progress(&mut self, id: SocketId, conn: ConnId, sent: u32, arrived: u32, flags: u32) {
        let Some(socket) = self.on_nic(id, conn) else { return };
        let closes = flags & event::PROGRESS_PEER_CLOSED != 0;
        if closes {
            socket.peer_closed = true;
            socket.closed_first = socket.shutdown == Shutdown::Told;
        }
        if arrived > 0 {
            received(socket, arrived);
        }
        if sent > 0 {
            let due = socket.acknowledged(sent);
            self.announce_sent(id, sent, due);
        }
        if arrived > 0 || closes {
            self.meter.wakeup(id.index);
        }
        if arrived > 0 {
            self.events.push_back((id, SocketEvent::Readable));
        }
        if closes {
            self.events.push_back((id, SocketEvent::PeerClosed));
        }
        if sent > 0 || closes {
            self.touch(id);
        }
    }

    /// Gives back the buffers that are free now that the peer has acknowledged `sent` more bytes, and tells whom it concerns.
    fn announce_sent(&mut self, id: SocketId, sent: u32, due: Vec<u32>) {
        due.into_iter().for_each(|buffer| self.buffers.give(buffer));
        self.meter.acknowledged(id.index, sent);
        if sent > 0 {
            self.events.push_back((id, SocketEvent::Sent(sent)));
            self.notices.push_back((id, Notice::Acknowledged(sent)));
        }
    }

    fn accepted(&mut self, id: SocketId, conn: ConnId) {
        let socket = self.socket_mut(id).expect("a socket that is being offered does not end");
        let owner = std::mem::replace(&mut socket.owner, Owner::Nic(conn));
        let Owner::Offering { held, waits_for: None, .. } = owner else {
            panic!("ACCEPTED for a connection that was not offered")
        };
        socket.handoffs += 1;
        self.stats.handoffs += 1;
        self.notices.push_back((id, Notice::Accepted));
        self.injections.extend(held);
        self.touch(id);
    }

    fn refused(&mut self, port: &mut dyn HostPort, id: SocketId) {
        let Some(socket) = self.socket_mut(id) else { panic!("a socket that is being offered does not end") };
        let Owner::Offering { frozen, held, waits_for: None } = &mut socket.owner else {
            panic!("REFUSED for a connection that was not offered")
        };
        let (tcb, held) = (frozen.clone(), std::mem::take(held));
        socket.owner = Owner::Host(tcb);
        socket.restore_wanted = false;
        self.load.connections -= 1;
        self.stats.refused += 1;
        self.notices.push_back((id, Notice::Refused));
        self.touch(id);
        held.into_iter().for_each(|frame| self.receive_held(port, frame));
    }

    fn restored(&mut self, port: &mut dyn HostPort, id: SocketId, conn: ConnId, words: &[u32]) {
        let (now, config) = (self.now(), self.config());
        let record = HandoffRecord::from_words(words).expect("the NIC returns a record");
        let Some(socket) = self.on_nic(id, conn) else {
            panic!("RESTORED a connection that is not on the NIC")
        };
        assert_eq!(record.endpoints, socket.endpoints, "the NIC returned another connection");

        // Both sides kept the buffers: after what the NIC has not reported yet they are the same.
        let send = SendSpans::from_record(&record.send).expect("the NIC returns what it was given");
        let receive = ReceiveSpans::from_record(&record.receive).expect("the NIC returns what it was given");
        let tcb = Tcb::import(&record.tcb, send.len(), receive.len(), config, now)
            .expect("the NIC returns a possible TCB");
        let sent = socket.send.len().checked_sub(send.len()).expect("the NIC never lengthens a buffer");
        let arrived =
            socket.receive.len().checked_sub(receive.len()).expect("the NIC never lengthens a buffer");
        let due = socket.acknowledged(sent);
        received(socket, arrived);
        assert_eq!(socket.send.spans(), send.spans(), "send buffers differ after a restore");
        assert_eq!(socket.receive.spans(), receive.spans(), "receive buffers differ after a restore");

        let held = match std::mem::replace(&mut socket.owner, Owner::Host(tcb)) {
            Owner::Restoring { held, .. } => held,
            _ => VecDeque::new(),
        };
        self.announce_sent(id, sent, due);
        if arrived > 0 {
            self.events.push_back((id, SocketEvent::Readable));
        }
        self.load.connections -= 1;
        self.stats.restores += 1;
        self.notices.push_back((id, Notice::Restored));
        self.meter.record(id.index);
        self.touch(id);
        held.into_iter().for_each(|frame| self.receive_held(port, frame));
    }

    fn command_failed(&mut self, id: SocketId, conn: ConnId, reason: u32) {
        // The connection is leaving, or has left, while the command was on its way: its last event says how.
        if reason != error::NO_CONNECTION && self.on_nic(id, conn).is_some() {
            self.stats.command_errors += 1;
        }
    }

    /// A connection has ended on the NIC. Packets that were held for it meet a host without that connection.
    fn end(&mut self, port: &mut dyn HostPort, id: SocketId, ending: Ending) {
        let held = match self.socket_mut(id).map(|s| &mut s.owner) {
            Some(Owner::Restoring { held, .. }) => std::mem::take(held),
            _ => VecDeque::new(),
        };
        self.remove(id, ending);
        held.into_iter().for_each(|frame| self.receive_held(port, frame));
    }
}

/// `n` bytes arrived in order in the receive buffer.
fn received(socket: &mut Socket, n: u32) {
    assert!(n <= socket.receive.len(), "more bytes arrived than were posted");
    socket.receive.consume(n);
    if let Some(ring) = &mut socket.ring {
        ring.arrived(n);
    }
}

//! Which connections are offered to the NIC, and when: the interface of selection policies, and what they are told.
//!
//! The server asks a policy whenever a connection is established or an application sends, for every connection that
//! the host owns and that has not been tried yet, and tells it of every change. The policies are in
//! [`crate::policy`], one file each.

use std::collections::HashMap;

use baton_abi::handoff::Endpoints;

use super::socket::SocketId;
use super::stack::NicLoad;

/// Bytes that `sendfile` appends to a send buffer in one enqueue operation: a page.
pub const ENQUEUE_BYTES: u32 = 4096;
/// Payload of a full segment with timestamps, by which enqueued bytes are counted in packets.
pub const SEGMENT_BYTES: u32 = 1448;

/// What the operating system knows of a connection, whoever owns its TCB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: SocketId,
    pub endpoints: Endpoints,
    pub established_us: u64,
    /// The time of this call.
    pub now_us: u64,
    /// Appends to the send buffer so far: one for a copied head, one for each page of a file.
    pub enqueues: u32,
    /// Bytes appended so far.
    pub bytes: u64,
    /// Full or partial segments that those bytes fill, response by response.
    pub packets: u64,
    /// Of these, the ones of the append that this call is about.
    pub appended_packets: u64,
    /// Bytes appended and not acknowledged yet.
    pub queued: u64,
    /// When the application last appended.
    pub last_send_us: u64,
    /// A handoff was attempted and failed: the paper's framework considers such a connection no more, and this
    /// one neither.
    pub failed: bool,
    /// The NIC owns it, or it is on its way there.
    pub on_nic: bool,
    /// The policy has asked for it back, and it is still on the NIC.
    pub returning: bool,
    /// Handoffs that the NIC accepted.
    pub handoffs: u32,
    /// Packets' worth of bytes that were appended while the NIC owned the connection.
    pub packets_on_nic: u64,
}

/// A policy's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Not now; ask again when the application sends.
    Wait,
    /// Attempt the handoff. Without room on the NIC the attempt fails, and the connection stays with the host.
    Attempt,
}

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Established,
    /// The application appended to the send buffer.
    Enqueued,
    /// Everything appended has been acknowledged.
    Drained,
    /// The NIC took it.
    Accepted,
    /// The NIC did not, or had no room.
    Refused,
    /// It is the host's again.
    Restored,
    Ended,
}

/// Chooses the connections to hand off.
pub trait Selection {
    /// Whether to offer this connection, which the host owns, to the NIC now.
    fn offer(&mut self, connection: &Connection, load: NicLoad) -> Decision;

    /// Something happened to a connection. Called before [`Selection::offer`] for the same moment.
    fn changed(&mut self, connection: &Connection, change: Change) {
        let _ = (connection, change);
    }

    /// Whether it goes by [`NicLoad::idle_percent`], which takes two reads of registers every hundredth of a second.
    fn watches_core(&self) -> bool {
        false
    }

    /// A connection to take back from the NIC now, if any: active restoration. Asked after each answer of
    /// [`Selection::offer`], and when a connection has drained. `load` does not count those that are on their way back.
    fn reclaim(&mut self, load: NicLoad) -> Option<SocketId> {
        let _ = load;
        None
    }
}

/// Offers nothing; connections change hands only when a caller asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Never;

impl Selection for Never {
    fn offer(&mut self, _: &Connection, _: NicLoad) -> Decision {
        Decision::Wait
    }
}

/// First come, first served: while the NIC owns fewer connections than it accepts.
#[derive(Clone, Debug, Default)]
pub struct FirstCome {
    /// Local ports whose connections are offered; empty means all.
    pub ports: Vec<u16>,
}

impl Selection for FirstCome {
    fn offer(&mut self, connection: &Connection, _: NicLoad) -> Decision {
        if self.ports.is_empty() || self.ports.contains(&connection.endpoints.local_port) {
            Decision::Attempt
        } else {
            Decision::Wait
        }
    }
}

/// Any function of endpoints and load, asked once, when a connection is established.
impl<F: FnMut(&Endpoints, NicLoad) -> bool> Selection for F {
    fn offer(&mut self, connection: &Connection, load: NicLoad) -> Decision {
        if connection.enqueues == 0 && self(&connection.endpoints, load) {
            Decision::Attempt
        } else {
            Decision::Wait
        }
    }
}

/// What the stack tells of a socket, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Sent(u32),
    /// Told when it happens: the application learns of it later, when it gets to the connection.
    Acknowledged(u32),
    Accepted,
    Refused,
    Restored,
}

/// Totals over the connections that have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectionStats {
    /// Connections established.
    pub established: u64,
    /// Connections that ended.
    pub ended: u64,
    /// Of these, the ones that the NIC owned at some time.
    pub ended_handed_off: u64,
    /// Attempts that failed for want of room or were refused.
    pub failed: u64,
    /// Connections taken back at the policy's wish.
    pub reclaimed: u64,
}

/// The connections that a policy is asked about.
#[derive(Default)]
pub(super) struct Ledger {
    connections: HashMap<SocketId, Connection>,
    /// Of these, the ones on their way back at the policy's wish.
    returning: u32,
    pub stats: SelectionStats,
}

/// Enqueue operations of an append of so many bytes.
fn enqueues(len: u32) -> u32 {
    len.div_ceil(ENQUEUE_BYTES).max(1)
}

impl Ledger {
    #[cfg(test)]
    pub fn get(&self, id: SocketId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    pub fn get_mut(&mut self, id: SocketId) -> Option<&mut Connection> {
        self.connections.get_mut(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values()
    }

    pub fn established(&mut self, id: SocketId, endpoints: Endpoints, now_us: u64) -> &Connection {
        self.stats.established += 1;
        self.connections.entry(id).or_insert(Connection {
            id,
            endpoints,
            established_us: now_us,
            now_us,
            enqueues: 0,
            bytes: 0,
            packets: 0,
            appended_packets: 0,
            queued: 0,
            last_send_us: now_us,
            failed: false,
            on_nic: false,
            returning: false,
            handoffs: 0,
            packets_on_nic: 0,
        })
    }

    /// Takes note of what the stack told. Returns what that means to a policy.
    pub fn note(&mut self, id: SocketId, notice: Notice, now_us: u64) -> Option<(&Connection, Change)> {
        let connection = self.connections.get_mut(&id)?;
        connection.now_us = now_us;
        let change = match notice {
            Notice::Sent(len) => {
                connection.enqueues += enqueues(len);
                connection.bytes += u64::from(len);
                connection.appended_packets = u64::from(len.div_ceil(SEGMENT_BYTES));
                connection.packets += connection.appended_packets;
                connection.queued += u64::from(len);
                connection.last_send_us = now_us;
                if connection.on_nic {
                    connection.packets_on_nic += connection.appended_packets;
                }
                Change::Enqueued
            }
            Notice::Acknowledged(len) => {
                connection.queued = connection.queued.saturating_sub(u64::from(len));
                if connection.queued > 0 {
                    return None;
                }
                Change::Drained
            }
            Notice::Accepted => {
                connection.handoffs += 1;
                Change::Accepted
            }
            Notice::Refused => {
                connection.on_nic = false;
                connection.failed = true;
                self.stats.failed += 1;
                Change::Refused
            }
            Notice::Restored => {
                connection.on_nic = false;
                self.returning -= u32::from(std::mem::take(&mut connection.returning));
                Change::Restored
            }
        };
        Some((connection, change))
    }

    /// The policy's wish to have a connection back is on its way.
    pub fn reclaimed(&mut self, id: SocketId) {
        self.stats.reclaimed += 1;
        if let Some(connection) = self.connections.get_mut(&id) {
            self.returning += u32::from(!std::mem::replace(&mut connection.returning, true));
        }
    }

    /// The NIC's load without the connections that are on their way back.
    pub fn load_that_stays(&self, load: NicLoad) -> NicLoad {
        NicLoad { connections: load.connections.saturating_sub(self.returning), ..load }
    }

    pub fn ended(&mut self, id: SocketId, now_us: u64) -> Option<Connection> {
        let mut connection = self.connections.remove(&id)?;
        connection.now_us = now_us;
        self.returning -= u32::from(connection.returning);
        self.stats.ended += 1;
        self.stats.ended_handed_off += u64::from(connection.handoffs > 0);
        Some(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> (Ledger, SocketId) {
        let (mut ledger, id) = (Ledger::default(), SocketId::from_cookie(5));
        ledger.established(id, Endpoints { local_port: 80, ..Endpoints::default() }, 100);
        (ledger, id)
    }

    #[test]
    fn first_come_minds_ports() {
        let (ledger, id) = ledger();
        let load = NicLoad::new(2, 1);
        let connection = ledger.get(id).unwrap();
        assert_eq!(FirstCome { ports: vec![80] }.offer(connection, load), Decision::Attempt);
        assert_eq!(FirstCome { ports: vec![81] }.offer(connection, load), Decision::Wait);
        assert_eq!(FirstCome::default().offer(connection, load), Decision::Attempt);
    }

    #[test]
    fn appends_are_counted_in_pages_and_segments() {
        let (mut ledger, id) = ledger();
        ledger.note(id, Notice::Sent(160), 200);
        let (connection, change) = ledger.note(id, Notice::Sent(10_000), 300).unwrap();
        assert_eq!((connection.enqueues, connection.packets, connection.appended_packets), (4, 8, 7));
        assert_eq!((change, connection.last_send_us, connection.queued), (Change::Enqueued, 300, 10_160));
        assert!(ledger.note(id, Notice::Acknowledged(10_159), 400).is_none());
        assert_eq!(ledger.note(id, Notice::Acknowledged(1), 400).unwrap().1, Change::Drained);
        ledger.get_mut(id).unwrap().on_nic = true;
        ledger.note(id, Notice::Accepted, 500);
        ledger.note(id, Notice::Sent(1), 500);
        let ended = ledger.ended(id, 600).unwrap();
        assert_eq!((ended.handoffs, ended.packets_on_nic, ended.packets), (1, 1, 9));
        assert_eq!((ledger.stats.ended, ledger.stats.ended_handed_off), (1, 1));
        assert!(ledger.note(id, Notice::Restored, 700).is_none());
    }

    #[test]
    fn what_is_on_its_way_back_does_not_count() {
        let (mut ledger, id) = ledger();
        let load = NicLoad::new(4, 2);
        ledger.reclaimed(id);
        ledger.reclaimed(id);
        assert_eq!(ledger.load_that_stays(load).connections, 1);
        ledger.note(id, Notice::Restored, 200);
        assert_eq!(ledger.load_that_stays(load).connections, 2);
        ledger.reclaimed(id);
        ledger.ended(id, 300);
        assert_eq!(ledger.load_that_stays(load).connections, 2);
    }

    #[test]
    fn a_function_is_asked_at_establishment_only() {
        let (mut ledger, id) = ledger();
        let mut policy = |_: &Endpoints, load: NicLoad| load.connections < load.soft_limit;
        let load = NicLoad::new(2, 1);
        assert_eq!(policy.offer(ledger.get(id).unwrap(), load), Decision::Attempt);
        let full = NicLoad::new(2, 2);
        assert_eq!(policy.offer(ledger.get(id).unwrap(), full), Decision::Wait);
        ledger.note(id, Notice::Sent(1), 200);
        assert_eq!(policy.offer(ledger.get(id).unwrap(), load), Decision::Wait);
    }
}

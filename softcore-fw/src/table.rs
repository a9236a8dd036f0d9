//! The connection table: slots with generations, and the queues that run through them.
//!
//! A connection's name ([`ConnId`]) is its slot and the slot's generation, which changes when the slot is
//! freed, so that packets and commands for a connection that has left are told from those of its successor.
//! Free slots are reused in the order in which they were freed, which keeps a name out of use for as long
//! as possible.
//!
//! Queues are linked through the slots: a slot is in each queue at most once, and entering and leaving take a
//! few instructions whatever the number of connections. A slot may be freed while it is still queued; whoever
//! takes it out finds no connection, or a new one with nothing to do.

use baton_abi::msg::ConnId;
use baton_tcp::SharedConfig;

use crate::{
    connection::{Connection, Fate},
    program::{Built, Program},
    shed::ShedMark,
    wheel::{SlotIndex, TimerLink, TimerLinks},
};

/// The queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Free slots.
    Free = 0,
    /// Connections that may have a segment to send.
    Transmit = 1,
    /// Connections with something to tell the host.
    Report = 2,
    /// Connections on their way back to the host that wait for older packets.
    Restore = 3,
}

const QUEUES: usize = 4;
/// Links of a slot: a free one is not on its way back to the host, so that those two queues can use the same.
const LINKS: usize = 3;

impl Queue {
    const fn link(self) -> usize {
        self as usize % LINKS
    }
}

/// A link: the next slot and [`LINKED`], or one of the two below. Zero says what is asked most.
type Link = u16;
/// Link of a slot that is not in the queue; a queue's end that has none.
const ABSENT: Link = 0;
/// Link of the last slot in the queue.
const LAST: Link = 1;
const LINKED: Link = 2;
/// Most slots of a table: a name has 12 bits for the slot.
pub const SLOTS_MAX: usize = 1 << ConnId::SLOT_BITS;

/// How many of so many connections may have a gap at a time, in what they receive or in what they send. A loss leaves one for a
/// round-trip time or two, in which a connection moves a window or two: with windows of 10 segments, an eighth of the connections has
/// one when 1 frame in 100 is lost. A connection that finds no room recovers as if there were no SACK.
pub const fn gap_rooms(connections: usize) -> usize {
    const LEAST: usize = 8;
    let rooms = connections / 8;
    if rooms > LEAST {
        rooms
    } else {
        LEAST
    }
}

/// A slot's links in the queues.
#[derive(Debug)]
pub struct Links([Link; LINKS]);

impl Links {
    /// Whether the slot is in the queue.
    #[inline]
    pub fn is_queued(&self, queue: Queue) -> bool {
        self.0[queue.link()] != ABSENT
    }
}

/// One place for a connection.
#[derive(Debug)]
pub struct Slot<P: Program = Built> {
    connection: Connection<P>,
    pub timer: TimerLink,
    links: Links,
    /// The name by which packets reach the connection, if they do; otherwise another slot's. The generation in it is this
    /// slot's in any case.
    reached_as: ConnId,
}

impl<P: Program> Slot<P> {
    /// A slot that no connection has used yet; all that do share these parameters.
    pub const fn empty(config: SharedConfig) -> Self {
        Slot {
            connection: Connection::vacant(config),
            timer: TimerLink::IDLE,
            links: Links([ABSENT; LINKS]),
            reached_as: ConnId(0),
        }
    }

    fn generation(&self) -> u16 {
        self.reached_as.generation()
    }

    fn connection(&mut self) -> Option<&mut Connection<P>> {
        (!self.connection.is_absent()).then_some(&mut self.connection)
    }
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    head: Link,
    tail: Link,
}

/// All connections of the NIC, over memory that the caller provides.
#[derive(Debug)]
pub struct Table<'a, P: Program = Built> {
    slots: &'a mut [Slot<P>],
    queues: [Ends; QUEUES],
}

impl<'a, P: Program> Table<'a, P> {
    /// Takes empty slots; those beyond [`SLOTS_MAX`] cannot be named and stay unused.
    pub fn new(slots: &'a mut [Slot<P>]) -> Self {
        let usable = slots.len().min(SLOTS_MAX);
        let mut table =
            Table { slots: &mut slots[..usable], queues: [Ends { head: ABSENT, tail: ABSENT }; QUEUES] };
        for slot in 0..table.slots.len() {
            table.close(slot as SlotIndex);
            table.enqueue(Queue::Free, slot as SlotIndex);
        }
        table
    }

    /// Connections that the table can hold.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The place for the next connection and the name that it will have, or `None` when the table is full.
    #[inline]
    pub fn vacant(&mut self) -> Option<(ConnId, &mut Connection<P>)> {
        let head = self.first(Queue::Free)?;
        let slot = self.slots.get_mut(usize::from(head))?;
        Some((ConnId::new(usize::from(head), slot.generation()), &mut slot.connection))
    }

    /// There is a connection now in the place of [`Table::vacant`].
    #[inline]
    pub fn occupy(&mut self) -> Option<SlotIndex> {
        let slot = self.dequeue(Queue::Free)?;
        let entry = &mut self.slots[usize::from(slot)];
        entry.connection.stage.set_fate(Fate::Open(ShedMark::default()));
        entry.reached_as = ConnId::new(usize::from(slot), entry.generation());
        Some(slot)
    }

    /// Frees a slot; its name is no longer valid. The timer must be stopped.
    pub fn release(&mut self, slot: SlotIndex) {
        let entry = &mut self.slots[usize::from(slot)];
        debug_assert!(!entry.timer.is_running() && !entry.links.is_queued(Queue::Free));
        entry.connection.stage.set_fate(Fate::Absent);
        entry.connection.tcb.vacate();
        entry.reached_as = ConnId::new(!usize::from(slot), entry.generation().wrapping_add(1));
        self.enqueue(Queue::Free, slot);
    }

    /// The slot of a connection that has this name now.
    pub fn find(&self, conn: ConnId) -> Option<SlotIndex> {
        let slot = self.slots.get(conn.slot())?;
        (slot.generation() == conn.generation() && !slot.connection.is_absent())
            .then_some(conn.slot() as SlotIndex)
    }

    /// The connection that has the name in the low half of `conn` now, if packets still reach it, and its slot's links.
    #[inline(always)]
    pub fn open(&mut self, conn: u32) -> Option<(&Links, &mut Connection<P>)> {
        let slot = self.slots.get_mut(ConnId(conn as u16).slot())?;
        if u32::from(slot.reached_as.0) != conn & 0xFFFF {
            return None;
        }
        Some((&slot.links, &mut slot.connection))
    }

    /// Packets do not reach the slot's connection any more.
    pub fn close(&mut self, slot: SlotIndex) {
        let entry = &mut self.slots[usize::from(slot)];
        entry.reached_as = ConnId::new(!usize::from(slot), entry.generation());
    }

    /// The name of a slot's connection.
    pub fn name(&self, slot: SlotIndex) -> ConnId {
        ConnId::new(usize::from(slot), self.slots[usize::from(slot)].generation())
    }

    /// The connection in a slot.
    #[inline]
    pub fn get(&mut self, slot: SlotIndex) -> Option<&mut Connection<P>> {
        self.slots.get_mut(usize::from(slot))?.connection()
    }

    /// The connection in a slot and its name.
    #[inline]
    pub fn entry(&mut self, slot: SlotIndex) -> Option<(ConnId, &mut Connection<P>)> {
        let entry = self.slots.get_mut(usize::from(slot))?;
        let name = ConnId::new(usize::from(slot), entry.generation());
        Some((name, entry.connection()?))
    }

    /// The timer of a slot, for reading.
    #[inline]
    pub fn timer_link(&self, slot: SlotIndex) -> &TimerLink {
        match self.slots.get(usize::from(slot)) {
            Some(entry) => &entry.timer,
            None => &TimerLink::IDLE,
        }
    }

    /// Appends a slot to a queue, unless it is in it.
    #[inline]
    pub fn enqueue(&mut self, queue: Queue, slot: SlotIndex) {
        let Some(entry) = self.slots.get_mut(usize::from(slot)) else { return };
        let link = &mut entry.links.0[queue.link()];
        if *link != ABSENT {
            return;
        }
        *link = LAST;
        let ends = &mut self.queues[queue as usize];
        let own = slot + LINKED;
        match core::mem::replace(&mut ends.tail, own) {
            ABSENT => ends.head = own,
            tail => {
                if let Some(last) = self.slots.get_mut(usize::from(tail - LINKED)) {
                    last.links.0[queue.link()] = own;
                }
            }
        }
    }

    /// Takes the oldest slot out of a queue.
    #[inline]
    pub fn dequeue(&mut self, queue: Queue) -> Option<SlotIndex> {
        let head = self.first(queue)?;
        let link = &mut self.slots.get_mut(usize::from(head))?.links.0[queue.link()];
        let ends = &mut self.queues[queue as usize];
        match core::mem::replace(link, ABSENT) {
            LAST => *ends = Ends { head: ABSENT, tail: ABSENT },
            next => ends.head = next,
        }
        Some(head)
    }

    /// The oldest slot in a queue.
    #[inline]
    pub fn first(&self, queue: Queue) -> Option<SlotIndex> {
        self.queues[queue as usize].head.checked_sub(LINKED)
    }
}

impl<P: Program> TimerLinks for Table<'_, P> {
    #[inline]
    fn timer(&mut self, slot: SlotIndex) -> &mut TimerLink {
        &mut self.slots[usize::from(slot)].timer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_tcp::{Config, SharedMemory};

    fn slots(n: usize) -> Vec<Slot> {
        let memory = Box::leak(Box::new(SharedMemory::<1>::new()));
        let config = SharedConfig::new(Config::default(), memory);
        (0..n).map(|_| Slot::empty(config)).collect()
    }

    #[test]
    fn queues_are_first_in_first_out_without_duplicates() {
        let mut memory = slots(4);
        let mut table = Table::new(&mut memory);
        for slot in [2, 0, 2, 3, 0] {
            table.enqueue(Queue::Transmit, slot);
        }
        table.enqueue(Queue::Report, 3);
        let order: Vec<_> = std::iter::from_fn(|| table.dequeue(Queue::Transmit)).collect();
        assert_eq!(order, [2, 0, 3]);
        assert_eq!(table.first(Queue::Report), Some(3));
        table.enqueue(Queue::Transmit, 2);
        assert_eq!(table.dequeue(Queue::Transmit), Some(2));
        assert_eq!(table.dequeue(Queue::Transmit), None);
    }

    #[test]
    fn freed_names_are_not_reused() {
        let mut memory = slots(2);
        let mut table = Table::new(&mut memory);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..2 << (16 - ConnId::SLOT_BITS) {
            let (conn, _) = table.vacant().unwrap();
            assert!(seen.insert(conn), "{conn:?} was used before");
            let slot = table.dequeue(Queue::Free).unwrap();
            assert_eq!(table.find(conn), None, "an empty slot has no connection");
            table.release(slot);
        }
    }
}

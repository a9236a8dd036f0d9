//! `PRICE` and `SWAP`: known length and residual life together, with a price for a slot on the NIC.
//!
//! A connection is worth the packets that wait on it and those that are expected beyond. A slot has a price: it rises
//! while more connections are worth it than there are slots, and falls while slots are free. A connection
//! that is worth the price is handed off when there is room.
//!
//! `SWAP` also takes connections back from the NIC. One on which nothing is on its way occupies a slot and saves
//! nothing, so when slots run out, the idle connection with the least to come makes room. Without that, a slot is bound for as long as its
//! connection lives.

use super::known::queued_packets;
use super::residual::ResidualLife;
use super::{Context, Policy};
use crate::server::{Change, Connection, Decision, NicLoad, Selection, SocketId};
use anyhow::Result;
use std::collections::{BTreeSet, HashMap};

pub const POLICY: Policy = Policy {
    name: "PRICE, SWAP",
    summary: "queued and expected packets against the price of a slot; SWAP takes idle ones back",
    parse,
};

/// Steps of the price: up when a worthy connection finds no room, down when an unworthy one would have.
const UP: f64 = 1.02;
const DOWN: f64 = 0.98;
/// Packets below which a handoff does not pay: its messages cost about as much as they save.
const LEAST: f64 = 4.0;
/// The same where a connection is to come back: the NIC's core spends about as much on a handoff and a restoration as on so many packets
/// (`baton run --profile`).
const LEAST_AND_BACK: f64 = 16.0;

pub struct Price {
    life: ResidualLife,
    price: f64,
    least: f64,
    /// With active restoration: the NIC's connections on which nothing is on its way, least worth first.
    idle: Option<BTreeSet<(u64, SocketId)>>,
    keys: HashMap<SocketId, u64>,
    /// Slots to keep free.
    reserve: u32,
}

impl Price {
    pub fn new(restores: bool, slots: u32) -> Self {
        let least = if restores { LEAST_AND_BACK } else { LEAST };
        Price {
            life: ResidualLife::default(),
            price: least,
            least,
            idle: restores.then(BTreeSet::new),
            keys: HashMap::new(),
            // Most connections on the NIC wait for a request: what is long shall find room without waiting for their return.
            reserve: (slots / 4).max(1),
        }
    }

    fn worth(&self, connection: &Connection) -> f64 {
        let expected = self.life.expect(connection.endpoints.local_port, connection.packets).unwrap_or(LEAST);
        let queued = queued_packets(connection) as f64;
        // With restoration a slot is taken for what is queued; what comes later can be handed off later.
        if self.idle.is_some() {
            queued
        } else {
            queued + expected
        }
    }

    fn forget(&mut self, id: SocketId) {
        if let (Some(idle), Some(key)) = (&mut self.idle, self.keys.remove(&id)) {
            idle.remove(&(key, id));
        }
    }
}

impl Selection for Price {
    fn offer(&mut self, connection: &Connection, load: NicLoad) -> Decision {
        let worthy = self.worth(connection) >= self.price;
        let room = load.connections < load.soft_limit;
        match (worthy, room) {
            (true, true) => return Decision::Attempt,
            (true, false) => self.price *= UP,
            (false, true) => self.price = (self.price * DOWN).max(self.least),
            (false, false) => {}
        }
        Decision::Wait
    }

    fn changed(&mut self, connection: &Connection, change: Change) {
        match change {
            Change::Ended => {
                self.life.learn(connection.endpoints.local_port, connection.packets);
                self.forget(connection.id);
            }
            Change::Drained if connection.on_nic && self.idle.is_some() => {
                self.forget(connection.id);
                let expected = self.life.expect(connection.endpoints.local_port, connection.packets);
                let key = expected.unwrap_or(0.0) as u64;
                self.keys.insert(connection.id, key);
                if let Some(idle) = &mut self.idle {
                    idle.insert((key, connection.id));
                }
            }
            Change::Enqueued | Change::Restored => self.forget(connection.id),
            _ => {}
        }
    }

    fn reclaim(&mut self, load: NicLoad) -> Option<SocketId> {
        if load.connections + self.reserve < load.soft_limit {
            return None;
        }
        let &(_, id) = self.idle.as_ref()?.first()?;
        self.forget(id);
        Some(id)
    }
}

fn parse(word: &str, context: &Context) -> Result<Option<Box<dyn Selection>>> {
    Ok(match word {
        "PRICE" => Some(Box::new(Price::new(false, context.slots))),
        "SWAP" => Some(Box::new(Price::new(true, context.slots))),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn the_price_follows_demand() {
        let mut policy = Price::new(false, 256);
        assert_eq!(policy.offer(&connection(1, 20, 20), FREE), Decision::Attempt);
        for _ in 0..200 {
            assert_eq!(policy.offer(&connection(1, 100, 100), FULL), Decision::Wait);
        }
        assert!(policy.price > 60.0, "{}", policy.price);
        assert_eq!(policy.offer(&connection(1, 20, 20), FREE), Decision::Wait);
        for _ in 0..200 {
            policy.offer(&connection(1, 1, 0), FREE);
        }
        assert_eq!(policy.offer(&connection(1, 20, 20), FREE), Decision::Attempt);
    }

    #[test]
    fn only_idle_connections_are_taken_back_and_only_when_slots_run_out() {
        let mut policy = Price::new(true, 256);
        for total in [5, 500] {
            for i in 0..100 {
                policy.changed(&connection(i, total, 0), Change::Ended);
            }
        }
        let mut short = connection(1, 3, 0);
        let mut long = connection(2, 300, 0);
        (short.on_nic, long.on_nic) = (true, true);
        for c in [&short, &long] {
            policy.changed(c, Change::Drained);
        }
        assert_eq!(policy.reclaim(FREE), None);
        assert_eq!(policy.reclaim(FULL), Some(long.id), "200 packets are left of 500, 250 of 3 on average");
        policy.changed(&short, Change::Enqueued);
        assert_eq!(policy.reclaim(FULL), None);
        assert_eq!(Price::new(false, 256).reclaim(FULL), None);
    }
}

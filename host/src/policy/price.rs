//! `PRICE` and `SWAP`: known length and residual life together, with a price for a slot on the NIC.
//!
//! A connection is worth the packets that wait on it and those that are expected beyond. A slot has a price: it rises
//! while more connections are worth it than there are slots, or the NIC is overloaded, and falls while slots are free, but
//! not below what changing hands costs ([`MOVES`]): the host always, the NIC as far as its core has no time to spare. A connection that is
//! worth the price is handed off when there is room.
//!
//! `SWAP` also takes connections back from the NIC. One on which nothing is on its way occupies a slot and saves
//! nothing, so when slots run out, the idle connection with the least to come makes room. Without that, a slot is bound for as long as its
//! connection lives.

use super::known::queued_packets;
use super::residual::ResidualLife;
use super::{Context, Policy};
use crate::machine::moves::MOVES;
use crate::server::{Change, Connection, Decision, NicLoad, Selection, SocketId};
use anyhow::Result;
use std::collections::{BTreeSet, HashMap};

pub const POLICY: Policy = Policy {
    name: "PRICE, SWAP",
    summary: "queued and expected packets against the price of a slot; SWAP takes idle ones back",
    parse,
};

/// Steps of the price: up when a worthy connection finds no room, down when an unworthy one would have, of which there are many more.
const UP: f64 = 1.02;
const DOWN: f64 = 0.999;
/// Where the price begins if connections come back: at the least one, as many as there are slots would be handed off at once.
const FIRST_AND_BACK: f64 = 64.0;
/// Of the NIC's time, what idles when it has none to spare for moves, and when it has all that they take, in percent: bursts need some of it.
const IDLE_BUSY: u32 = 10;
const IDLE_FREE: u32 = 25;
/// One slot in so many is kept free while the NIC admits as many connections as it has slots.
const RESERVE: u32 = 32;

pub struct Price {
    life: ResidualLife,
    price: f64,
    /// Packets below which a handoff, and a return where there is one, costs more than it is for, as busy as the NIC is.
    least: f64,
    /// With active restoration: the NIC's connections on which nothing is on its way, least worth first.
    idle: Option<BTreeSet<(u64, SocketId)>>,
    keys: HashMap<SocketId, u64>,
    slots: u32,
}

impl Price {
    fn new(restores: bool, slots: u32) -> Self {
        let least = MOVES.least(restores, 1.0);
        Price {
            life: ResidualLife::default(),
            price: if restores { FIRST_AND_BACK } else { least },
            least,
            idle: restores.then(BTreeSet::new),
            keys: HashMap::new(),
            slots,
        }
    }

    /// Packets that are to come beyond what was appended; `None` while nothing is known.
    fn expect(&self, connection: &Connection) -> Option<f64> {
        self.life.expect(connection.endpoints.local_port, connection.packets)
    }

    fn worth(&self, connection: &Connection) -> f64 {
        let expected = self.expect(connection).unwrap_or(self.least);
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
        // What moves cost the NIC counts as far as it has no time for them.
        let spare = load.idle_percent.clamp(IDLE_BUSY, IDLE_FREE) - IDLE_BUSY;
        let scarcity = 1.0 - f64::from(spare) / f64::from(IDLE_FREE - IDLE_BUSY);
        self.least = MOVES.least(self.idle.is_some(), scarcity);
        let worthy = self.worth(connection) >= self.price.max(self.least);
        let room = load.connections < load.soft_limit;
        let overloaded = load.soft_limit < self.slots;
        match worthy {
            true if overloaded || !room => self.price *= UP,
            false if room => self.price = (self.price * DOWN).max(self.least),
            _ => {}
        }
        if worthy && room {
            Decision::Attempt
        } else {
            Decision::Wait
        }
    }

    fn changed(&mut self, connection: &Connection, change: Change) {
        match change {
            Change::Ended => {
                self.life.learn(connection.endpoints.local_port, connection.packets);
                self.forget(connection.id);
            }
            Change::Drained if connection.on_nic && !connection.returning && self.idle.is_some() => {
                self.forget(connection.id);
                let key = self.expect(connection).unwrap_or(0.0) as u64;
                self.keys.insert(connection.id, key);
                if let Some(idle) = &mut self.idle {
                    idle.insert((key, connection.id));
                }
            }
            Change::Enqueued | Change::Restored => self.forget(connection.id),
            _ => {}
        }
    }

    fn watches_core(&self) -> bool {
        true
    }

    fn reclaim(&mut self, load: NicLoad) -> Option<SocketId> {
        // Most connections on the NIC wait for a request: what is long shall find room without waiting for their return.
        // Under load control `Soft_Limit` has to be reached before it can rise, so then nothing is kept free.
        let reserve = if load.soft_limit >= self.slots { self.slots / RESERVE } else { 0 };
        if load.connections + reserve < load.soft_limit {
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

    fn learned(restores: bool) -> Price {
        Price::new(restores, 256)
    }

    #[test]
    fn the_price_follows_demand() {
        let mut policy = learned(false);
        assert_eq!(policy.offer(&connection(1, 20, 20), FREE), Decision::Attempt);
        for _ in 0..200 {
            assert_eq!(policy.offer(&connection(1, 100, 100), FULL), Decision::Wait);
        }
        assert!(policy.price > 60.0, "{}", policy.price);
        assert_eq!(policy.offer(&connection(1, 20, 20), FREE), Decision::Wait);
        for _ in 0..3000 {
            policy.offer(&connection(1, 1, 0), FREE);
        }
        assert_eq!(policy.offer(&connection(1, 20, 20), FREE), Decision::Attempt);
    }

    #[test]
    fn only_idle_connections_are_taken_back_and_only_when_slots_run_out() {
        let mut policy = learned(true);
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
        assert_eq!(learned(false).reclaim(FULL), None);
    }

    #[test]
    fn a_limit_that_load_control_has_set_can_be_reached() {
        let mut policy = learned(true);
        let mut idle = connection(1, 3, 0);
        idle.on_nic = true;
        policy.changed(&idle, Change::Drained);
        assert_eq!(policy.reclaim(NicLoad::new(255, 254)), None);
        assert_eq!(policy.reclaim(NicLoad::new(255, 255)), Some(idle.id));
        policy.changed(&idle, Change::Drained);
        assert_eq!(policy.reclaim(NicLoad::new(256, 247)), None);
        assert_eq!(policy.reclaim(NicLoad::new(256, 248)), Some(idle.id));
    }

    #[test]
    fn moves_cost_a_nic_nothing_that_has_time_for_them() {
        let mut policy = learned(true);
        let mut least = |idle_percent| {
            let load = NicLoad { idle_percent, ..FREE };
            for _ in 0..3000 {
                policy.offer(&connection(1, 1, 0), load);
            }
            (1..20).find(|&n| policy.offer(&connection(1, n, n), load) == Decision::Attempt)
        };
        assert_eq!([0, 10, 15, 20, 25, 100].map(&mut least), [13, 13, 9, 5, 4, 4].map(Some));
    }

    #[test]
    fn overload_raises_the_price_though_there_is_room() {
        let mut policy = learned(true);
        let price = policy.price;
        let overloaded = NicLoad::new(200, 100);
        assert_eq!(policy.offer(&connection(1, 100, 100), FREE), Decision::Attempt);
        assert_eq!(policy.price, price);
        assert_eq!(policy.offer(&connection(1, 100, 100), overloaded), Decision::Attempt);
        assert!(policy.price > price);
    }
}

//! `ORACLE`: knows how many packets each connection will send in all. It is the bound for policies that keep a connection on
//! the NIC until it ends or is taken back, not one that a system can have.
//!
//! A connection is worth the packets that it has left; the price of a slot is found as in [`super::price`], and
//! connections that have become worth less than half the price are taken back when slots run out.

use super::{Context, Future, Policy};
use crate::server::{Change, Connection, Decision, NicLoad, Selection, SocketId};
use anyhow::Result;
use std::collections::{BTreeSet, HashMap};

pub const POLICY: Policy =
    Policy { name: "ORACLE", summary: "knows each connection's packets to come: a bound", parse };

const UP: f64 = 1.02;
const DOWN: f64 = 0.98;

struct Oracle {
    future: Future,
    price: f64,
    /// The NIC's connections by packets left.
    on_nic: BTreeSet<(u64, SocketId)>,
    left: HashMap<SocketId, u64>,
}

impl Oracle {
    fn left(&self, connection: &Connection) -> u64 {
        // What is queued has been counted as sent and is still to go.
        (self.future.packets(&connection.endpoints) + super::known::queued_packets(connection))
            .saturating_sub(connection.packets)
    }

    fn forget(&mut self, id: SocketId) {
        if let Some(left) = self.left.remove(&id) {
            self.on_nic.remove(&(left, id));
        }
    }
}

impl Selection for Oracle {
    fn offer(&mut self, connection: &Connection, load: NicLoad) -> Decision {
        let worthy = self.left(connection) as f64 >= self.price;
        let room = load.connections < load.soft_limit;
        match (worthy, room) {
            (true, true) => return Decision::Attempt,
            (true, false) => self.price *= UP,
            (false, true) => self.price = (self.price * DOWN).max(1.0),
            (false, false) => {}
        }
        Decision::Wait
    }

    fn changed(&mut self, connection: &Connection, change: Change) {
        let id = connection.id;
        self.forget(id);
        let stays = !matches!(change, Change::Ended | Change::Restored | Change::Refused);
        if connection.on_nic && stays {
            let left = self.left(connection);
            self.left.insert(id, left);
            self.on_nic.insert((left, id));
        }
    }

    fn reclaim(&mut self, load: NicLoad) -> Option<SocketId> {
        if load.connections + 1 < load.soft_limit {
            return None;
        }
        let &(left, id) = self.on_nic.first()?;
        if left as f64 >= self.price / 2.0 {
            return None;
        }
        self.forget(id);
        Some(id)
    }
}

fn parse(word: &str, context: &Context) -> Result<Option<Box<dyn Selection>>> {
    Ok((word == "ORACLE").then(|| {
        Box::new(Oracle {
            future: context.future.clone(),
            price: 1.0,
            on_nic: BTreeSet::new(),
            left: HashMap::new(),
        }) as Box<dyn Selection>
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn it_prefers_what_has_more_to_come_and_drops_what_is_done() {
        let context = Context::default();
        context.future.set(1, 1, 10);
        context.future.set(2, 1, 1000);
        let mut policy = parse("ORACLE", &context).unwrap().unwrap();
        for _ in 0..200 {
            policy.offer(&connection(2, 0, 0), FULL);
        }
        assert_eq!(policy.offer(&connection(1, 0, 0), FREE), Decision::Wait);
        assert_eq!(policy.offer(&connection(2, 0, 0), FREE), Decision::Attempt);
        let mut nearly = connection(2, 990, 0);
        nearly.on_nic = true;
        policy.changed(&nearly, Change::Drained);
        assert_eq!(policy.reclaim(FREE), None);
        assert_eq!(policy.reclaim(FULL), Some(nearly.id));
    }
}

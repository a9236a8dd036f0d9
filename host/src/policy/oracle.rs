//! `ORACLE`: told every response that a connection will have, it moves connections as the bound of the workload does
//! ([`crate::workload::bound`]): at a rent for a slot, the best choice for one connection does not depend on the others.
//!
//! The rent rises while connections that are worth it find no room or have to make it, and falls while there is room to spare. The cost of moving rises while the NIC is
//! overloaded, for what overloads it with few slots is handoffs. When slots run out, the idle connection that gains least by staying
//! makes room.
//!
//! What it cannot know is when a response will be asked for, and what its own choices do to the rest of the system.

use super::{Context, Future, Policy};
use crate::machine::moves::MOVES;
use crate::server::{Change, Connection, Decision, NicLoad, Selection, SocketId};
use crate::workload::bound::{ahead, frames, Prices};
use anyhow::Result;
use std::collections::{BTreeSet, HashMap};

pub const POLICY: Policy = Policy {
    name: "ORACLE",
    summary: "told the future: the best moves for the rent of a slot and the cost of moving",
    parse,
};

/// Steps of rent and toll: up when a connection is turned away or has to leave, down with an offer while there is room to spare, of which there
/// are many more.
const UP: f64 = 1.02;
const DOWN: f64 = 0.999;
/// Least rent, in frames a turn, from which it can rise again.
const LEAST_RENT: f64 = 0.1;
/// One slot in so many is kept free while the NIC admits as many connections as it has slots.
const RESERVE: u32 = 32;

struct Oracle {
    future: Future,
    slots: u32,
    rent: f64,
    /// Multiplies the cost of moving.
    toll: f64,
    /// The NIC's connections on which nothing is on its way, in the order of what they gain by staying.
    idle: BTreeSet<(i64, SocketId)>,
    keys: HashMap<SocketId, i64>,
}

impl Oracle {
    fn new(future: Future, slots: u32) -> Self {
        Oracle { future, slots, rent: 1.0, toll: 1.0, idle: BTreeSet::new(), keys: HashMap::new() }
    }

    fn prices(&self) -> Prices {
        let [handoff, restore] = MOVES.in_segments().map(|segments| self.toll * 1.5 * segments);
        // A response is on its way for far less than the time that the client has waited for it.
        Prices { handoff, restore, rent: self.rent, sending: 0.0 }
    }

    /// Frames gained by being on the NIC rather than on the host from here on: with the response that is being sent, if one is, and with
    /// those after it.
    fn gain(&self, connection: &Connection, sending: bool) -> f64 {
        let responses = self.future.responses(&connection.endpoints);
        if responses.is_empty() {
            return 0.0;
        }
        let mut sent = 0;
        let begun = responses.iter().take_while(|&&segments| {
            let before = sent;
            sent += segments;
            before < connection.packets
        });
        let (done, now) = match begun.count() {
            0 => (0, 0),
            n => (n, if sending { responses[n - 1] } else { 0 }),
        };
        let [nic, host] = ahead(&responses[done..], true, &self.prices());
        frames(now) + nic.gain - host.gain
    }

    /// Whether there are slots beyond those that are kept free. Under load control `Soft_Limit` has to be reached before it can rise, so
    /// then none is kept free.
    fn spare(&self, load: NicLoad) -> bool {
        let reserve = if load.soft_limit >= self.slots { self.slots / RESERVE } else { 0 };
        load.connections + reserve < load.soft_limit
    }

    fn forget(&mut self, id: SocketId) {
        if let Some(key) = self.keys.remove(&id) {
            self.idle.remove(&(key, id));
        }
    }
}

impl Selection for Oracle {
    fn offer(&mut self, connection: &Connection, load: NicLoad) -> Decision {
        let worthy = self.gain(connection, true) > self.prices().handoff;
        let room = load.connections < load.soft_limit;
        self.toll = if load.soft_limit < self.slots { self.toll * UP } else { (self.toll * DOWN).max(1.0) };
        if worthy && room {
            return Decision::Attempt;
        }
        if worthy {
            self.rent *= UP;
        } else if self.spare(load) {
            self.rent = (self.rent * DOWN).max(LEAST_RENT);
        }
        Decision::Wait
    }

    fn changed(&mut self, connection: &Connection, change: Change) {
        self.forget(connection.id);
        if change == Change::Drained && connection.on_nic && !connection.returning {
            // In hundredths of a frame.
            let key = (100.0 * (self.gain(connection, false) + self.prices().restore)) as i64;
            self.keys.insert(connection.id, key);
            self.idle.insert((key, connection.id));
        }
    }

    fn reclaim(&mut self, load: NicLoad) -> Option<SocketId> {
        if self.spare(load) {
            return None;
        }
        let &(gain, id) = self.idle.first()?;
        if gain > 0 {
            // It would have been worth staying for: the rent is too low.
            self.rent *= UP;
        }
        self.forget(id);
        Some(id)
    }
}

fn parse(word: &str, context: &Context) -> Result<Option<Box<dyn Selection>>> {
    Ok((word == "ORACLE").then(|| Box::new(Oracle::new(context.future.clone(), context.slots)) as Box<dyn Selection>))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn oracle(lives: &[&[u64]]) -> Oracle {
        let future = Future::default();
        for (ip, life) in lives.iter().enumerate() {
            future.set(ip as u32, 1, life.iter().copied());
        }
        Oracle::new(future, 256)
    }

    #[test]
    fn it_waits_for_the_response_that_is_worth_it() {
        let mut policy = oracle(&[&[1, 2, 60, 2]]);
        policy.rent = 12.0;
        for (packets, decision) in
            [(0, Decision::Wait), (1, Decision::Wait), (3, Decision::Wait), (4, Decision::Attempt)]
        {
            assert_eq!(policy.offer(&connection(0, packets, 0), FREE), decision, "after {packets}");
        }
        // The head of the response is appended before its body: either will do. Without room it has to wait.
        assert_eq!(policy.offer(&connection(0, 63, 0), FREE), Decision::Attempt);
        assert_eq!(policy.offer(&connection(0, 63, 0), FULL), Decision::Wait);
        assert_eq!(policy.offer(&connection(7, 65, 0), FREE), Decision::Wait, "nothing is known of it");
    }

    #[test]
    fn what_gains_least_by_staying_makes_room() {
        // With slots at five frames a turn, eight turns with a segment each are not worth staying for. A long response is: to come back for it
        // costs more than the turn before it, whose request the NIC has too.
        let mut policy = oracle(&[&[9, 40], &[9, 1, 1, 1, 1, 1, 1, 1, 1]]);
        policy.rent = 5.0;
        let mut idle = [connection(0, 9, 0), connection(1, 9, 0)];
        for c in &mut idle {
            c.on_nic = true;
            policy.changed(c, Change::Drained);
        }
        assert_eq!(policy.reclaim(FREE), None);
        assert_eq!((policy.reclaim(FULL), policy.rent), (Some(idle[1].id), 5.0));
        // What has something to send is no longer idle.
        policy.changed(&idle[0], Change::Enqueued);
        assert_eq!(policy.reclaim(FULL), None);
        policy.changed(&idle[0], Change::Drained);
        assert_eq!(policy.reclaim(FULL), Some(idle[0].id));
        assert!(policy.rent > 5.0, "it was worth staying for");
    }

    #[test]
    fn rent_follows_demand_and_the_toll_overload() {
        let mut policy = oracle(&[&[50]]);
        let overloaded = NicLoad::new(200, 200);
        policy.offer(&connection(0, 50, 0), overloaded);
        assert!(policy.rent > 1.0 && policy.toll > 1.0);
        for _ in 0..3000 {
            policy.offer(&connection(9, 1, 0), FREE);
        }
        assert_eq!((policy.rent, policy.toll), (LEAST_RENT, 1.0));
    }
}

//! `RESIDn`: a connection is handed off when connections of its port that had sent as many packets as it has went on to send
//! at least `n` more, on average (32 if no number is given), and the NIC has room.
//!
//! The mean residual life is learned online from the connections that have ended. Web connections have decreasing
//! hazard: the more one has sent, the more is still to come (the paper's Figure 4), so the estimate grows with what
//! has been sent.

use super::{number, Context, Policy};
use crate::server::{Change, Connection, Decision, NicLoad, Selection};
use anyhow::Result;
use std::collections::HashMap;

pub const POLICY: Policy = Policy {
    name: "RESIDn",
    summary: "when n packets or more are expected, learned by port (RESID: 32)",
    parse,
};

/// Classes of packets sent: 0, then four to each doubling.
const CLASSES: usize = 64;
/// Connections after which a class is believed.
const BELIEVED: u64 = 8;

/// The class of a number of packets, and the least number of a class.
fn class(packets: u64) -> usize {
    if packets < 4 {
        return packets as usize;
    }
    let log2 = packets.ilog2();
    (4 * (log2 - 1) as usize + (packets >> (log2 - 2) & 3) as usize).min(CLASSES - 1)
}

fn floor(class: usize) -> u64 {
    if class < 4 {
        return class as u64;
    }
    (4 + class as u64 % 4) << (class / 4 - 1)
}

/// Residual life by packets sent, of one port.
#[derive(Clone, Debug)]
struct Lives {
    /// For each class, connections that reached its floor, and packets that they sent beyond it.
    reached: [(u64, u64); CLASSES],
}

impl Default for Lives {
    fn default() -> Self {
        Lives { reached: [(0, 0); CLASSES] }
    }
}

/// Residual life by port and packets sent.
#[derive(Clone, Debug, Default)]
pub struct ResidualLife(HashMap<u16, Lives>);

impl ResidualLife {
    /// A connection has ended after so many packets.
    pub fn learn(&mut self, port: u16, packets: u64) {
        let lives = self.0.entry(port).or_default();
        for (class, (count, beyond)) in lives.reached.iter_mut().enumerate() {
            let from = floor(class);
            if from > packets {
                break;
            }
            *count += 1;
            *beyond += packets - from;
        }
    }

    /// Packets still to come on a connection that has sent so many; `None` while too few have been seen.
    pub fn expect(&self, port: u16, packets: u64) -> Option<f64> {
        let lives = self.0.get(&port)?;
        // Few reach the last classes: what the class before says holds for them.
        (0..=class(packets))
            .rev()
            .map(|c| lives.reached[c])
            .find(|&(count, _)| count >= BELIEVED)
            .map(|(count, beyond)| beyond as f64 / count as f64)
    }
}

struct Residual {
    least: f64,
    life: ResidualLife,
}

impl Selection for Residual {
    fn offer(&mut self, connection: &Connection, load: NicLoad) -> Decision {
        let expected = self.life.expect(connection.endpoints.local_port, connection.packets);
        // Nothing is known at first: then every connection is as good as another.
        if load.connections < load.soft_limit && expected.is_none_or(|packets| packets >= self.least) {
            Decision::Attempt
        } else {
            Decision::Wait
        }
    }

    fn changed(&mut self, connection: &Connection, change: Change) {
        if change == Change::Ended {
            self.life.learn(connection.endpoints.local_port, connection.packets);
        }
    }
}

fn parse(word: &str, _: &Context) -> Result<Option<Box<dyn Selection>>> {
    Ok(number(word, "RESID", Some(32))?
        .map(|n| Box::new(Residual { least: n as f64, life: ResidualLife::default() }) as Box<dyn Selection>))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn classes_cover_all_numbers_in_order() {
        for packets in 0..100_000 {
            let c = class(packets);
            assert!(floor(c) <= packets && (c == CLASSES - 1 || packets < floor(c + 1)), "{packets}");
        }
        assert_eq!(class(u64::MAX), CLASSES - 1);
    }

    #[test]
    fn it_learns_that_long_ones_last_and_minds_ports() {
        let mut policy = Residual { least: 50.0, life: ResidualLife::default() };
        assert_eq!(policy.offer(&connection(1, 0, 0), FREE), Decision::Attempt, "nothing is known yet");
        for i in 0..1000 {
            let total = if i % 10 == 0 { 200 } else { 4 };
            policy.changed(&connection(i, total, 0), Change::Ended);
        }
        assert!((policy.life.expect(80, 0).unwrap() - 23.6).abs() < 0.1);
        assert_eq!(policy.life.expect(80, 8), Some(192.0));
        assert_eq!(policy.life.expect(81, 8), None);
        assert_eq!(policy.offer(&connection(1, 1, 0), FREE), Decision::Wait);
        assert_eq!(policy.offer(&connection(1, 8, 0), FREE), Decision::Attempt);
        assert_eq!(policy.offer(&connection(1, 8, 0), FULL), Decision::Wait);
    }
}

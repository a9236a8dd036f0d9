//! Active restoration: which connections to give back when the NIC stays overloaded.
//!
//! The paper's NIC waits in DECREASE until connections end (Kim & Rixner, Section 3.2). With long-lived connections that may
//! take for ever. Here, when `Qlen` was above `Hiwat` and has not come down to `Lowat` or fallen at all for a set time, the packets of a
//! *sample* are counted for each connection, and the connections that had most are offered to the host, which asks for them
//! with `RESTORE` when it wants them: so a restore that the NIC wishes for has no races that others have not.
//!
//! A packet costs a few instructions whatever the number of connections: counters are cleared by being of an older sample, and
//! the costliest few are kept in order while their counters rise. A counter rises by one at a time, so a connection
//! that belongs among them enters at its own packet at the latest: the list is exact.

use baton_abi::{at_most, msg::ConnId};
use baton_tcp::Instant;

use crate::connection::Stage;

/// Connections that are offered after a sample, at most.
pub const CANDIDATES: usize = 4;
/// Packets of a sample: enough to tell a connection that has a tenth of them from one that has a hundredth.
pub const SAMPLE_PACKETS: u16 = 256;

/// What a connection keeps for this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShedMark {
    /// The sample that `packets` belongs to.
    sample: u16,
    packets: u16,
    /// The host was offered the connection.
    pub asked: bool,
}

impl ShedMark {
    /// The least bits of a mark: whether the host was asked, and the packets, which are no more than a sample has.
    const PACKETS_SHIFT: u32 = 1;
    const SAMPLE_SHIFT: u32 = Self::PACKETS_SHIFT + u16::BITS - SAMPLE_PACKETS.leading_zeros();

    pub fn to_bits(self) -> u32 {
        let (sample, packets) = (u32::from(self.sample), u32::from(self.packets));
        sample << Self::SAMPLE_SHIFT | packets << Self::PACKETS_SHIFT | u32::from(self.asked)
    }

    pub fn from_bits(bits: u32) -> Self {
        let packets = bits & ((1 << Self::SAMPLE_SHIFT) - 1);
        ShedMark {
            sample: (bits >> Self::SAMPLE_SHIFT) as u16,
            packets: (packets >> Self::PACKETS_SHIFT) as u16,
            asked: bits & 1 != 0,
        }
    }
}

/// It fits into what a connection has for it.
const _: () = assert!(ShedMark::SAMPLE_SHIFT + u16::BITS <= Stage::BITS);

/// A connection and its packets in the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub conn: ConnId,
    pub packets: u16,
}

const NOBODY: Candidate = Candidate { conn: ConnId(0), packets: 0 };

#[derive(Debug)]
pub struct Shed {
    hiwat: u32,
    lowat: u32,
    after_us: u32,
    /// Since when the NIC has been overloaded.
    since: Option<Instant>,
    /// `Qlen` then. While it falls, what has been done is enough: a deep queue takes long to drain.
    qlen_then: u32,
    sample: u16,
    /// Packets that the running sample lacks; 0: none runs.
    left: u16,
    /// The costliest first.
    costliest: [Candidate; CANDIDATES],
}

impl Shed {
    /// `after_us`: how long the NIC must have been overloaded before a sample; 0 never takes one.
    pub fn new(hiwat: u32, lowat: u32, after_us: u32) -> Self {
        Shed {
            hiwat,
            lowat,
            after_us,
            since: None,
            qlen_then: 0,
            sample: 0,
            left: 0,
            costliest: [NOBODY; CANDIDATES],
        }
    }

    #[inline]
    pub fn is_on(&self) -> bool {
        self.after_us > 0
    }

    /// The connections with most packets in the last sample, the costliest first; places without one have no packets.
    pub fn costliest(&self) -> [Candidate; CANDIDATES] {
        self.costliest
    }

    /// A packet has arrived for a connection, with so many in the queue. True: it completed a sample.
    pub fn packet(&mut self, now: Instant, qlen: u32, conn: ConnId, mark: &mut ShedMark) -> bool {
        match self.since {
            Some(_) if qlen <= self.lowat => {
                (self.since, self.left) = (None, 0);
                return false;
            }
            None if qlen <= self.hiwat => return false,
            None => self.overloaded_from(now, qlen),
            Some(_) => {}
        }
        if self.since.is_none_or(|since| now.since(since) < self.after_us) {
            return false;
        }
        if self.left == 0 && qlen < self.qlen_then {
            self.overloaded_from(now, qlen);
            return false;
        }
        if self.left == 0 {
            self.sample = self.sample.wrapping_add(1);
            self.left = SAMPLE_PACKETS;
            self.costliest = [NOBODY; CANDIDATES];
        }
        if mark.sample != self.sample {
            (mark.sample, mark.packets) = (self.sample, 0);
        }
        mark.packets += 1;
        if !mark.asked {
            self.rank(Candidate { conn, packets: mark.packets });
        }
        self.left -= 1;
        if self.left == 0 {
            // What the host takes back needs as long to show.
            self.overloaded_from(now, qlen);
        }
        self.left == 0
    }

    fn overloaded_from(&mut self, now: Instant, qlen: u32) {
        (self.since, self.qlen_then) = (Some(now), qlen);
    }

    /// Puts a connection where its packets place it.
    fn rank(&mut self, new: Candidate) {
        let mut moving = new;
        let turns = at_most!(CANDIDATES);
        for place in &mut self.costliest {
            turns.take();
            if place.conn == new.conn && place.packets > 0 {
                // Its place of before, into which the one that it passed moves.
                *place = moving;
                return;
            }
            if place.packets < moving.packets {
                core::mem::swap(place, &mut moving);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// A sample of a seeded crowd finds exactly those with most packets, in their order.
    #[test]
    fn the_costliest_are_found_exactly() {
        for seed in 1..200u32 {
            let mut random = seed;
            let mut shed = Shed::new(4, 2, 10);
            let mut marks = HashMap::new();
            let mut packets: HashMap<u16, u16> = HashMap::new();
            let mut done = shed.packet(Instant(0), 5, ConnId(0), marks.entry(0).or_default());
            assert!(!done, "the time is not over");
            while !done {
                random = random.wrapping_mul(1664525).wrapping_add(1013904223);
                // Low numbers are likelier.
                let conn = ((random >> 16) % 40 * ((random >> 8) % 16) / 16) as u16;
                *packets.entry(conn).or_default() += 1;
                done = shed.packet(Instant(10), 5, ConnId(conn), marks.entry(conn).or_default());
            }
            let mut counts: Vec<u16> = packets.values().copied().collect();
            counts.sort_by(|a, b| b.cmp(a));
            assert_eq!(counts.iter().sum::<u16>(), SAMPLE_PACKETS);
            let found = shed.costliest();
            assert_eq!(found.map(|c| c.packets), counts[..CANDIDATES], "seed {seed}");
            for (i, candidate) in found.iter().enumerate() {
                assert_eq!(packets[&candidate.conn.0], candidate.packets, "seed {seed}");
                assert!(found[..i].iter().all(|other| other.conn != candidate.conn), "seed {seed}: twice");
            }
        }
    }

    #[test]
    fn only_a_long_overload_takes_a_sample() {
        let mut shed = Shed::new(4, 2, 100);
        let mut mark = ShedMark::default();
        let packets = |shed: &mut Shed, mark: &mut ShedMark, now: u32, qlen| {
            (0..SAMPLE_PACKETS).filter(|_| shed.packet(Instant(now), qlen, ConnId(1), mark)).count()
        };
        assert_eq!(packets(&mut shed, &mut mark, 0, 4), 0, "not above Hiwat");
        assert_eq!(packets(&mut shed, &mut mark, 0, 5), 0, "not for long");
        assert_eq!(packets(&mut shed, &mut mark, 99, 3), 0, "between the marks it stays overloaded");
        assert_eq!(packets(&mut shed, &mut mark, 100, 3), 0, "it falls");
        assert_eq!(packets(&mut shed, &mut mark, 200, 3), 1, "and falls no more");
        assert_eq!(packets(&mut shed, &mut mark, 250, 9), 0, "the next sample waits as long again");
        assert_eq!(packets(&mut shed, &mut mark, 260, 2), 0, "relieved");
        assert_eq!(packets(&mut shed, &mut mark, 500, 3), 0, "still below Hiwat");
        assert_eq!(packets(&mut shed, &mut mark, 501, 5), 0, "from here on");
        assert_eq!(packets(&mut shed, &mut mark, 601, 5), 1);
        // One that the host was offered is not offered again.
        mark.asked = true;
        assert_eq!(packets(&mut shed, &mut mark, 701, 5), 1);
        assert_eq!(shed.costliest(), [NOBODY; CANDIDATES]);
        assert!(!Shed::new(4, 2, 0).is_on());
    }
}

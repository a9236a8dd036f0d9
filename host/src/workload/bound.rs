//! The most of its traffic that a workload can have on a NIC with few slots, whoever chooses and whatever they know.
//!
//! Time is counted in turns: in a server whose processor is never idle each client waits as long for its response as the others, so a
//! connection lives for a turn to be opened and one for each of its requests, and of any stretch of time as many turns can be on the NIC as it
//! has slots for its clients. Frames count in both directions, as in `packets_on_nic`.
//!
//! Whoever knows a connection's requests chooses for each turn whether the NIC has it. With a rent for a slot's turn the best choice
//! for one connection does not depend on the others and is found from its end backwards ([`ahead`]). For any rent, what all connections
//! gain at their best and the rent of all slots together are no less than what any choice that fits the slots can gain
//! (Lagrangian duality); [`bound`] takes the rent for which that is least.

use super::{packets, Workload};

/// Frames of a handshake, which are the host's; of a request; of the end of a connection.
const OPENING: f64 = 3.0;
const REQUEST: f64 = 1.0;
const CLOSING: f64 = 4.0;

/// Frames of a response: every second segment is acknowledged alone.
pub fn frames(segments: u64) -> f64 {
    (segments + segments / 2) as f64
}

/// What a choice costs, in frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    pub handoff: f64,
    /// Infinite: nothing is taken back.
    pub restore: f64,
    /// Of a slot for a turn.
    pub rent: f64,
    /// Share of a turn for which a response takes a slot; the rest is spent waiting for it.
    pub sending: f64,
}

/// What comes of the best choices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Frames on the NIC, less prices.
    pub gain: f64,
    /// Frames on the NIC.
    pub frames: f64,
    /// Turns of slots.
    pub turns: f64,
    pub handoffs: f64,
}

impl Outcome {
    fn less(self, price: f64) -> Outcome {
        Outcome { gain: self.gain - price, ..self }
    }

    fn handed(self, prices: &Prices) -> Outcome {
        Outcome { handoffs: self.handoffs + 1.0, ..self.less(prices.handoff) }
    }

    fn holding(self, turns: f64, prices: &Prices) -> Outcome {
        Outcome { turns: self.turns + turns, ..self.less(turns * prices.rent) }
    }

    fn moving(self, frames: f64) -> Outcome {
        Outcome { gain: self.gain + frames, frames: self.frames + frames, ..self }
    }

    fn or(self, other: Outcome) -> Outcome {
        if other.gain > self.gain {
            other
        } else {
            self
        }
    }

    fn add(&mut self, other: Outcome) {
        self.gain += other.gain;
        self.frames += other.frames;
        self.turns += other.turns;
        self.handoffs += other.handoffs;
    }
}

/// The best for a connection that is about to wait for responses of so many segments each, and ends after them or is not looked at any
/// longer: on the NIC, and on the host.
pub fn ahead(responses: &[u64], ends: bool, prices: &Prices) -> [Outcome; 2] {
    let mut nic = Outcome::default().moving(if ends { CLOSING } else { 0.0 });
    let mut host = Outcome::default();
    for &segments in responses.iter().rev() {
        let sent = nic.moving(frames(segments)).holding(prices.sending, prices);
        let handed = sent.handed(prices);
        let waited = sent.moving(REQUEST).holding(1.0 - prices.sending, prices);
        nic = waited.or(host.or(handed).less(prices.restore));
        host = host.or(handed);
    }
    [nic, host]
}

/// When a connection may be handed off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When it is established, and for life.
    Established,
    /// With any response, and for life.
    Later,
    /// With any response, and it may be taken back after any.
    AndBack,
}

/// What one connection does in the time that is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    /// It opens in that time; otherwise it may be on the NIC already.
    pub opens: bool,
    pub ends: bool,
    /// Segments of each response.
    pub responses: Vec<u64>,
}

impl Life {
    fn frames(&self) -> f64 {
        let turns: f64 = self.responses.iter().map(|&segments| REQUEST + frames(segments)).sum();
        turns + if self.opens { OPENING } else { 0.0 } + if self.ends { CLOSING } else { 0.0 }
    }

    fn turns(&self) -> usize {
        self.responses.len() + usize::from(self.opens)
    }

    fn best(&self, when: When, prices: &Prices) -> Outcome {
        let for_life = Prices { restore: f64::INFINITY, ..*prices };
        let prices = if when == When::AndBack { prices } else { &for_life };
        let [nic, host] = ahead(&self.responses, self.ends, prices);
        let here = if self.opens { nic.handed(prices) } else { nic };
        here.or(if when == When::Established { Outcome::default() } else { host })
    }
}

/// What the connections of so many clients do in turns, from `warmup` frames on, for so many frames.
pub fn lives(workload: &mut dyn Workload, clients: u32, warmup: u64, frames_wanted: u64) -> Vec<Life> {
    let (from, to) = (warmup as f64, (warmup + frames_wanted) as f64);
    let mut current: Vec<Option<(Life, std::vec::IntoIter<u64>)>> = (0..clients).map(|_| None).collect();
    let mut lives = Vec::new();
    let mut moved = 0.0;
    while moved < to {
        for place in &mut current {
            let counts = moved >= from;
            let Some((life, next)) = place else {
                let responses: Vec<u64> = workload.next_session().iter().map(packets).collect();
                moved += OPENING;
                *place =
                    Some((Life { opens: counts, ends: false, responses: Vec::new() }, responses.into_iter()));
                continue;
            };
            if let Some(segments) = next.next() {
                moved += REQUEST + frames(segments);
                if counts {
                    life.responses.push(segments);
                }
            }
            if next.len() == 0 {
                moved += CLOSING;
                life.ends = counts;
                lives.extend(place.take().map(|(life, _)| life).filter(|life| life.turns() > 0));
            }
        }
    }
    lives.extend(current.into_iter().flatten().map(|(life, _)| life));
    lives
}

/// A bound, in percent of all frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Frames on the NIC less what moving connections costs: no choice has more.
    pub net: f64,
    /// Frames on the NIC with the choice that comes nearest.
    pub frames: f64,
    /// Its handoffs for each thousand frames.
    pub handoffs: f64,
    /// Frames a slot's turn is worth.
    pub rent: f64,
}

/// The bound for connections of so many clients, with so many slots. The rent in `prices` is not looked at.
pub fn bound(lives: &[Life], clients: u32, slots: u32, when: When, prices: Prices) -> Bound {
    let all: f64 = lives.iter().map(Life::frames).sum::<f64>().max(1.0);
    let turns: usize = lives.iter().map(Life::turns).sum();
    let room = turns as f64 * f64::from(slots) / f64::from(clients);
    let outcome = |rent| {
        let mut sum = Outcome::default();
        lives.iter().for_each(|life| sum.add(life.best(when, &Prices { rent, ..prices })));
        sum
    };
    // The lowest rent at which the slots are enough; beyond the dearest turn nobody takes one.
    let segments = lives.iter().flat_map(|life| &life.responses).max().copied().unwrap_or(0);
    let dearest = frames(segments) + CLOSING + REQUEST;
    let (mut low, mut high) = (0.0, dearest);
    if outcome(0.0).turns <= room {
        high = 0.0;
    }
    while high - low > 1e-3 {
        let middle = (low + high) / 2.0;
        if outcome(middle).turns > room {
            low = middle;
        } else {
            high = middle;
        }
    }
    let outcome = outcome(high);
    Bound {
        net: 100.0 * (outcome.gain + high * room) / all,
        frames: 100.0 * outcome.frames / all,
        handoffs: 1000.0 * outcome.handoffs / all,
        rent: high,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Request, Session};
    use super::*;

    const FREE: Prices = Prices { handoff: 0.0, restore: 0.0, rent: 0.0, sending: 1.0 };

    fn whole(responses: &[u64]) -> Life {
        Life { opens: true, ends: true, responses: responses.to_vec() }
    }

    #[test]
    fn with_a_slot_for_each_client_only_the_handshake_is_left() {
        let lives = vec![whole(&[4, 2]); 10];
        // 3 of the handshake, 1 + 6 and 1 + 3 of the requests, 4 of the end.
        for when in [When::Established, When::Later, When::AndBack] {
            let bound = bound(&lives, 8, 8, when, FREE);
            assert!(
                (bound.net - 100.0 * 15.0 / 18.0).abs() < 1e-6 && bound.rent == 0.0,
                "{when:?} {bound:?}"
            );
        }
    }

    /// A connection sends all that is worth having in one turn of eleven.
    #[test]
    fn freedom_to_move_raises_the_bound() {
        let lives = vec![whole(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 101]); 100];
        let of = |when| bound(&lives, 16, 1, when, FREE).net;
        let (life, later, back) = (of(When::Established), of(When::Later), of(When::AndBack));
        assert!(life < 8.0, "{life}: ten turns have to be paid for");
        assert!(later > 55.0 && back >= later, "{later} {back}");
        let dear = Prices { handoff: 1000.0, ..FREE };
        assert_eq!(bound(&lives, 16, 1, When::AndBack, dear).frames, 0.0);
    }

    /// Weak duality, held against every choice of a small case.
    #[test]
    fn no_choice_is_better_than_the_bound() {
        let responses: [[u64; 2]; 4] = [[9, 1], [2, 6], [3, 3], [1, 20]];
        let lives: Vec<Life> = responses.iter().map(|r| whole(r)).collect();
        let prices = Prices { handoff: 1.5, restore: 1.0, ..FREE };
        // Twelve turns in all and one slot for four clients: three turns.
        let bound = bound(&lives, 4, 1, When::AndBack, prices);
        let mut most = 0.0_f64;
        for choice in 0..256u32 {
            let (mut turns, mut gain) = (0, 0.0);
            for (i, r) in responses.iter().enumerate() {
                let on = [choice >> (2 * i) & 1 == 1, choice >> (2 * i + 1) & 1 == 1];
                turns += on.iter().filter(|&&nic| nic).count();
                gain += match on {
                    [false, false] => 0.0,
                    // It came when it was established, so it has the first request too.
                    [true, false] => REQUEST + frames(r[0]) - prices.handoff - prices.restore,
                    // It came with its second response.
                    [false, true] => frames(r[1]) + CLOSING - prices.handoff,
                    [true, true] => 2.0 * REQUEST + frames(r[0]) + frames(r[1]) + CLOSING - prices.handoff,
                };
            }
            if turns <= 3 {
                most = most.max(gain);
            }
        }
        let best = 100.0 * most / lives.iter().map(Life::frames).sum::<f64>();
        assert!(bound.net >= best - 1e-9 && bound.net < best + 5.0, "{bound:?}, the best choice has {best}");
    }

    struct Same(Session);

    impl Workload for Same {
        fn describe(&self) -> String {
            String::new()
        }

        fn next_session(&mut self) -> Session {
            self.0.clone()
        }
    }

    #[test]
    fn a_window_begins_and_ends_in_the_middle_of_connections() {
        // A turn to open with 3 frames, one with 1 + 1, one with 1 + 1 and the 4 of the end: 11 frames in three turns.
        let mut same = Same(vec![Request { file: 1, bytes: 0, dynamic: false }; 2]);
        let lives = lives(&mut same, 1, 4, 8);
        let life = |opens, ends, n| Life { opens, ends, responses: vec![1; n] };
        assert_eq!(lives, [life(false, true, 1), life(true, false, 0)]);
        let lives = super::lives(&mut same, 3, 0, 33);
        assert_eq!(lives, vec![life(true, true, 2); 3]);
        // What was there before may have been handed off before.
        let there = [life(false, false, 4)];
        assert_eq!(bound(&there, 1, 1, When::Established, Prices { handoff: 9.0, ..FREE }).net, 100.0);
    }

    #[test]
    fn the_longest_tenth_does_not_fit_an_eighth_of_the_slots() {
        let mut workload = Kind::WorldCup.start(1, 2048, None).unwrap();
        let lives = lives(&mut *workload, 2048, 0, 200_000);
        let of = |when| bound(&lives, 2048, 256, when, FREE).net;
        let (life, later, back) = (of(When::Established), of(When::Later), of(When::AndBack));
        assert!(12.5 < life && life < 45.0, "{life}");
        assert!(life < later && later < back && back < 80.0, "{life} {later} {back}");
    }
}

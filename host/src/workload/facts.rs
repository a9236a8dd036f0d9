//! The three facts about connection lifetimes that the paper's Figure 4 states, for any workload.

use super::{packets, Session, Workload};

/// Shares of the traffic by rank of connections, which are ordered by packets sent.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Facts {
    pub connections: usize,
    pub requests_mean: f64,
    pub packets_mean: f64,
    /// Mean bytes of a body.
    pub bytes_mean: f64,
    /// Share of the packets sent by the shorter half of the connections, in percent.
    pub short_half_packets: f64,
    /// Shares of packets and bytes sent by the longest tenth, in percent.
    pub long_tenth_packets: f64,
    pub long_tenth_bytes: f64,
    /// Share of the requests that the longest tenth makes: of the time, in a saturated server, for which it holds a slot.
    pub long_tenth_turns: f64,
    /// Cumulative shares of packets and bytes at each hundredth of the connections, from the shortest.
    pub curve: Vec<(f64, f64)>,
}

impl Facts {
    pub fn of(workload: &mut dyn Workload, connections: usize) -> Facts {
        let sessions: Vec<Session> = (0..connections.max(1)).map(|_| workload.next_session()).collect();
        Facts::of_sessions(&sessions)
    }

    pub fn of_sessions(sessions: &[Session]) -> Facts {
        let mut lives: Vec<(u64, u64, usize)> = sessions
            .iter()
            .map(|s| (s.iter().map(packets).sum(), s.iter().map(|r| u64::from(r.bytes)).sum(), s.len()))
            .collect();
        lives.sort_unstable();
        let n = lives.len();
        let all = lives.iter().fold((0, 0), |sum, life| (sum.0 + life.0, sum.1 + life.1));
        let up_to = |count: usize| {
            let part = lives[..count].iter().fold((0, 0), |sum, life| (sum.0 + life.0, sum.1 + life.1));
            (100.0 * part.0 as f64 / all.0.max(1) as f64, 100.0 * part.1 as f64 / all.1.max(1) as f64)
        };
        let (half, most) = (up_to(n / 2), up_to(n - n / 10));
        let requests: usize = sessions.iter().map(Vec::len).sum();
        let long: usize = lives[n - n / 10..].iter().map(|life| life.2).sum();
        Facts {
            connections: n,
            requests_mean: requests as f64 / n as f64,
            packets_mean: all.0 as f64 / n as f64,
            bytes_mean: all.1 as f64 / requests.max(1) as f64,
            short_half_packets: half.0,
            long_tenth_packets: 100.0 - most.0,
            long_tenth_bytes: 100.0 - most.1,
            long_tenth_turns: 100.0 * long as f64 / requests.max(1) as f64,
            curve: (0..=100).map(|percent| up_to(n * percent / 100)).collect(),
        }
    }

    /// The statements of the paper, and whether they hold here.
    pub fn statements(&self, world_cup: bool) -> Vec<(String, f64, bool)> {
        let mut statements = vec![
            (
                "shorter half of connections sends less than 10 % of packets".to_string(),
                self.short_half_packets,
                self.short_half_packets < 10.0,
            ),
            (
                "longest tenth carries more than 45 % of traffic".to_string(),
                self.long_tenth_packets.min(self.long_tenth_bytes),
                self.long_tenth_packets.min(self.long_tenth_bytes) > 45.0,
            ),
        ];
        if world_cup {
            statements.push((
                "longest tenth sends more than 60 % of packets".to_string(),
                self.long_tenth_packets,
                self.long_tenth_packets > 60.0,
            ));
        }
        statements
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Request};
    use super::*;

    #[test]
    fn shares_are_by_rank() {
        let session = |packets: usize| vec![Request { file: 1, bytes: 0, dynamic: false }; packets];
        let sessions: Vec<Session> = (0..10).map(|i| session(if i == 0 { 91 } else { 1 })).collect();
        let facts = Facts::of_sessions(&sessions);
        assert_eq!((facts.short_half_packets, facts.long_tenth_packets), (5.0, 91.0));
        assert_eq!(facts.long_tenth_turns, 91.0);
        assert_eq!(facts.curve[100].0, 100.0);
    }

    #[test]
    fn every_workload_has_the_shape_of_figure_4() {
        for kind in Kind::ALL {
            let facts = Facts::of(&mut *kind.start(1, kind.clients(), None).unwrap(), 20_000);
            for (statement, value, holds) in facts.statements(kind == Kind::WorldCup) {
                assert!(holds, "{kind:?}: {statement}: {value:.1} %");
            }
        }
    }
}

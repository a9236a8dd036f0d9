//! Workloads: what the clients of an experiment ask for, session by session.
//!
//! A [`Session`] is one persistent connection: requests that follow one another, each sent when the response before
//! it is complete. A [`Workload`] hands out sessions without end, the same ones for the same seed.

pub mod bound;
pub mod facts;
pub mod ibm;
pub mod random;
pub mod specweb;
pub mod trace;
pub mod worldcup;

use anyhow::{bail, Result};
use std::path::Path;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Names the file; the seed of its bytes.
    pub file: u64,
    /// Bytes of the response's body.
    pub bytes: u32,
    /// The response is made by a program and copied, not sent from a file.
    pub dynamic: bool,
}

/// The requests of one connection, in order; at least one.
pub type Session = Vec<Request>;

/// An endless source of sessions.
pub trait Workload {
    /// What it is, in a line, with its parameters.
    fn describe(&self) -> String;

    fn next_session(&mut self) -> Session;

    /// Bits a second to which each client holds itself; `None`: as fast as the server answers.
    fn pace_bps(&self) -> Option<u64> {
        None
    }
}

/// The letters of the paper's shorthand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    WorldCup,
    Ibm,
    Specweb,
    SpecwebStatic,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::WorldCup, Kind::Ibm, Kind::Specweb, Kind::SpecwebStatic];

    pub fn letter(self) -> char {
        match self {
            Kind::WorldCup => 'W',
            Kind::Ibm => 'I',
            Kind::Specweb => 'D',
            Kind::SpecwebStatic => 'S',
        }
    }

    pub fn from_letter(letter: char) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// Simultaneous clients (the paper, Table 3).
    pub fn clients(self) -> u32 {
        match self {
            Kind::SpecwebStatic => 4096,
            _ => 2048,
        }
    }

    /// The workload, made from `seed` for so many clients; the requests of `trace` instead, if there is one.
    ///
    /// # Errors
    /// When the trace cannot be read, or SPECweb99, which is no trace, is to be read from one.
    pub fn start(self, seed: u64, clients: u32, trace: Option<&Path>) -> Result<Box<dyn Workload>> {
        Ok(match (self, trace) {
            (Kind::WorldCup | Kind::Ibm, Some(path)) => Box::new(trace::Replay::open(path)?),
            (Kind::Specweb | Kind::SpecwebStatic, Some(_)) => {
                bail!("SPECweb99 generates its requests: it has no trace to replay")
            }
            (Kind::WorldCup, None) => Box::new(worldcup::WorldCup::new(seed)),
            (Kind::Ibm, None) => Box::new(ibm::IbmLike::new(seed)),
            (Kind::Specweb, None) => Box::new(specweb::Specweb::new(seed, clients, true)),
            (Kind::SpecwebStatic, None) => Box::new(specweb::Specweb::new(seed, clients, false)),
        })
    }
}

/// Bytes of a response's head, about: what the server writes before a body.
pub const HEAD_BYTES: u64 = 130;

/// Packets that the server sends for a request: full segments of head and body, as it appends them.
pub fn packets(request: &Request) -> u64 {
    HEAD_BYTES.div_ceil(1448) + u64::from(request.bytes).div_ceil(1448)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_sessions_and_another_gives_others() {
        for kind in Kind::ALL {
            let sessions = |seed| {
                let mut workload = kind.start(seed, 64, None).unwrap();
                (0..50).map(|_| workload.next_session()).collect::<Vec<_>>()
            };
            assert_eq!(sessions(1), sessions(1), "{kind:?}");
            assert_ne!(sessions(1), sessions(2), "{kind:?}");
            assert!(sessions(3).iter().all(|s| !s.is_empty()));
            assert_eq!(Kind::from_letter(kind.letter()), Some(kind));
        }
    }
}

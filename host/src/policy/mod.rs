//! Selection policies, one file each, found by name.
//!
//! A file of this folder that defines `pub const POLICY: Policy` is a policy; nothing else has to name it
//! (`host/build.rs` collects them). docs/policies.md shows how to write one. The interface that the server calls is
//! [`Selection`](crate::server::Selection).

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use anyhow::{bail, Result};
use baton_abi::handoff::Endpoints;

use crate::server::Selection;

include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// A client's address and port.
type Client = (u32, u16);

/// What the connections of a run will do: segments that the server will send for each request, by the client's address and
/// port. Filled by the load generator; only an oracle may look into it.
#[derive(Clone, Debug, Default)]
pub struct Future(Rc<RefCell<HashMap<Client, Rc<[u64]>>>>);

impl Future {
    pub fn set(&self, ip: u32, port: u16, responses: impl Iterator<Item = u64>) {
        self.0.borrow_mut().insert((ip, port), responses.collect());
    }

    /// Segments of each response of a connection; none if nothing is known.
    pub fn responses(&self, endpoints: &Endpoints) -> Rc<[u64]> {
        // Experiments have clients over IPv4.
        let client = endpoints.remote_ip.as_v4().map(|ip| (ip, endpoints.remote_port));
        client.and_then(|client| self.0.borrow().get(&client).cloned()).unwrap_or_default()
    }
}

/// What a policy may be made from.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Connections that the NIC can hold.
    pub slots: u32,
    pub future: Future,
}

/// Makes a policy from the word that names it. `None`: the word names another.
pub type Parse = fn(&str, &Context) -> Result<Option<Box<dyn Selection>>>;

/// A kind of policy.
pub struct Policy {
    /// How it is written, such as `Tn`.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    pub parse: Parse,
}

/// The policy that `word` names.
///
/// # Errors
/// When no policy has that name, or its number is out of range.
pub fn parse(word: &str, context: &Context) -> Result<Box<dyn Selection>> {
    for policy in POLICIES {
        if let Some(selection) = (policy.parse)(word, context)? {
            return Ok(selection);
        }
    }
    bail!("no selection policy is called {word:?}; there are:\n{}", list())
}

/// The names and what they do, a line each.
pub fn list() -> String {
    POLICIES.iter().map(|p| format!("  {:<12} {}\n", p.name, p.summary)).collect()
}

/// The number after `prefix`, if `word` is made of both; no number means `default`, if there is one.
pub fn number(word: &str, prefix: &str, default: Option<u64>) -> Result<Option<u64>> {
    let Some(digits) = word.strip_prefix(prefix) else { return Ok(None) };
    if digits.is_empty() {
        return Ok(default);
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    match digits.parse::<u64>() {
        Ok(n) if n > 0 && n <= 1_000_000 => Ok(Some(n)),
        _ => bail!("the number in {word:?} is not 1 to 1000000"),
    }
}

/// Connections for the tests of policies.
#[cfg(test)]
pub(crate) mod testing {
    use crate::server::{Connection, NicLoad, SocketId};
    use baton_abi::handoff::Endpoints;

    pub fn connection(id: u32, packets: u64, queued_packets: u64) -> Connection {
        Connection {
            id: SocketId::from_cookie(id),
            endpoints: Endpoints {
                local_port: 80,
                remote_ip: id.into(),
                remote_port: 1,
                ..Endpoints::default()
            },
            established_us: 0,
            now_us: 1000,
            enqueues: packets as u32,
            bytes: packets * 1448,
            packets,
            appended_packets: queued_packets,
            queued: queued_packets * 1448,
            last_send_us: 0,
            failed: false,
            on_nic: false,
            returning: false,
            handoffs: 0,
            packets_on_nic: 0,
        }
    }

    pub const FREE: NicLoad = NicLoad::new(256, 10);
    pub const FULL: NicLoad = NicLoad::new(256, 256);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_a_policy() {
        let document = include_str!("../../../docs/policies.md");
        assert!(document.contains(include_str!("age.rs")), "docs/policies.md shows another text than age.rs");
        let mut age = parse("AGE1", &Context::default()).unwrap();
        assert_eq!(age.offer(&testing::connection(1, 0, 0), testing::FREE), crate::server::Decision::Attempt);
        let mut older = parse("AGE2", &Context::default()).unwrap();
        assert_eq!(older.offer(&testing::connection(1, 0, 0), testing::FREE), crate::server::Decision::Wait);
    }

    #[test]
    fn every_policy_is_found_by_a_name_of_its_own() {
        for word in [
            "FCFS",
            "NONE",
            "T4",
            "T20",
            "KNOWN",
            "KNOWN16",
            "RESID",
            "RESID40",
            "PRICE",
            "SWAP",
            "ORACLE",
            "80=T4+81=FCFS",
        ] {
            let takers: Vec<&str> = POLICIES
                .iter()
                .filter(|p| (p.parse)(word, &Context::default()).unwrap().is_some())
                .map(|p| p.name)
                .collect();
            assert_eq!(takers.len(), 1, "{word}: {takers:?}");
        }
        for word in ["", "T", "fcfs", "Tx", "KNOWNx", "SWAP1x", "80=", "80=NOPE", "x=FCFS"] {
            assert!(parse(word, &Context::default()).is_err(), "{word}");
        }
        assert!(parse("T0", &Context::default()).err().unwrap().to_string().contains("1 to 1000000"));
    }
}

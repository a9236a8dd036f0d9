//! `PORT=POLICY+PORT=POLICY`: a policy for each of the server's ports; connections to other ports stay with the host.

use super::{Context, Policy};
use crate::server::{Change, Connection, Decision, NicLoad, Selection, SocketId};
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;

pub const POLICY: Policy =
    Policy { name: "80=A+81=B", summary: "a policy for each port of the server", parse };

struct Ports(BTreeMap<u16, Box<dyn Selection>>);

impl Selection for Ports {
    fn offer(&mut self, connection: &Connection, load: NicLoad) -> Decision {
        match self.0.get_mut(&connection.endpoints.local_port) {
            Some(policy) => policy.offer(connection, load),
            None => Decision::Wait,
        }
    }

    fn changed(&mut self, connection: &Connection, change: Change) {
        if let Some(policy) = self.0.get_mut(&connection.endpoints.local_port) {
            policy.changed(connection, change);
        }
    }

    fn watches_core(&self) -> bool {
        self.0.values().any(|policy| policy.watches_core())
    }

    fn reclaim(&mut self, load: NicLoad) -> Option<SocketId> {
        self.0.values_mut().find_map(|policy| policy.reclaim(load))
    }
}

fn parse(word: &str, context: &Context) -> Result<Option<Box<dyn Selection>>> {
    if !word.contains('=') {
        return Ok(None);
    }
    let mut ports = BTreeMap::new();
    for part in word.split('+') {
        let (port, name) =
            part.split_once('=').with_context(|| format!("expected PORT=POLICY, not {part:?}"))?;
        let port = port.parse().with_context(|| format!("{port:?} is no port"))?;
        ports.insert(port, super::parse(name, context)?);
    }
    Ok(Some(Box::new(Ports(ports))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn each_port_has_its_own() {
        let mut policy = parse("80=T4+81=FCFS", &Context::default()).unwrap().unwrap();
        let mut c = connection(1, 1, 0);
        assert_eq!(policy.offer(&c, FREE), Decision::Wait);
        c.endpoints.local_port = 81;
        assert_eq!(policy.offer(&c, FREE), Decision::Attempt);
        c.endpoints.local_port = 82;
        assert_eq!(policy.offer(&c, FREE), Decision::Wait);
    }
}

//! Which connections are offered to the NIC, and when.
//!
//! A policy is asked once for each connection, when it is established. The first-come, first-served policy of
//! the paper offers every one as long as the NIC has room; the rest stay with the host for their lives.

use baton_abi::handoff::Endpoints;

use super::stack::NicLoad;

/// Chooses the connections to hand off.
pub trait Selection {
    /// Whether to offer this connection to the NIC now.
    fn offer(&mut self, endpoints: &Endpoints, load: NicLoad) -> bool;
}

/// Offers nothing; connections change hands only when a caller asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Never;

impl Selection for Never {
    fn offer(&mut self, _: &Endpoints, _: NicLoad) -> bool {
        false
    }
}

/// First come, first served: while the NIC owns fewer connections than it accepts.
#[derive(Clone, Debug, Default)]
pub struct FirstCome {
    /// Local ports whose connections are offered; empty means all.
    pub ports: Vec<u16>,
}

impl Selection for FirstCome {
    fn offer(&mut self, endpoints: &Endpoints, load: NicLoad) -> bool {
        (self.ports.is_empty() || self.ports.contains(&endpoints.local_port))
            && load.connections < load.soft_limit
    }
}

/// Any function of endpoints and load.
impl<F: FnMut(&Endpoints, NicLoad) -> bool> Selection for F {
    fn offer(&mut self, endpoints: &Endpoints, load: NicLoad) -> bool {
        self(endpoints, load)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_come_stops_at_the_limit_and_minds_ports() {
        let mut policy = FirstCome { ports: vec![80] };
        let web = Endpoints { local_port: 80, ..Endpoints::default() };
        let other = Endpoints { local_port: 81, ..Endpoints::default() };
        assert!(policy.offer(&web, NicLoad { soft_limit: 2, connections: 1 }));
        assert!(!policy.offer(&web, NicLoad { soft_limit: 2, connections: 2 }));
        assert!(!policy.offer(&other, NicLoad { soft_limit: 2, connections: 0 }));
        assert!(FirstCome::default().offer(&other, NicLoad { soft_limit: 2, connections: 0 }));
    }
}

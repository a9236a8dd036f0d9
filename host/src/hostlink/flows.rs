//! What the wire shows of connections to certain ports, and the kernel does not tell of them.

use baton_abi::handoff::Endpoints;
use baton_tcp::{Flags, SegmentIn};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Most connections that are watched.
const FLOWS_MAX: usize = 4096;
/// A connection of which nothing was seen for so long makes room for others.
const SILENT_US: u64 = 30_000_000;

/// What was seen of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    pub endpoints: Endpoints,
    /// The peer's last timestamp, if it sends any.
    pub ts_recent: Option<u32>,
    seen_us: u64,
}

/// See the module's header.
#[derive(Debug, Default)]
pub struct Flows(HashMap<SocketAddrV4, Flow>);

impl Flows {
    /// A segment has come from the network for the kernel.
    pub fn saw(&mut self, endpoints: Endpoints, segment: &SegmentIn, now_us: u64) {
        let Some(remote) = remote(&endpoints) else { return };
        if self.0.len() >= FLOWS_MAX && !self.0.contains_key(&remote) {
            self.0.retain(|_, flow| now_us - flow.seen_us < SILENT_US);
            if self.0.len() >= FLOWS_MAX {
                return;
            }
        }
        let value = segment.options.timestamps.map(|(value, _)| value);
        let ts_recent = match self.0.get(&remote).and_then(|flow| flow.ts_recent) {
            // Of two segments that changed places the kernel refuses the older (RFC 7323 Section 5.3); a SYN opens another
            // connection.
            Some(before) if !segment.flags.has(Flags::SYN) => {
                Some(value.filter(|value| value.wrapping_sub(before) as i32 >= 0).unwrap_or(before))
            }
            _ => value,
        };
        self.0.insert(remote, Flow { endpoints, ts_recent, seen_us: now_us });
    }

    /// What was seen of the connection from this address, which is watched no longer.
    pub fn take(&mut self, remote: SocketAddrV4) -> Option<Flow> {
        self.0.remove(&remote)
    }
}

fn remote(endpoints: &Endpoints) -> Option<SocketAddrV4> {
    let ip = endpoints.remote_ip;
    ip.is_v4().then(|| SocketAddrV4::new(Ipv4Addr::from_bits(ip.0[3]), endpoints.remote_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(host: u32, port: u16) -> Endpoints {
        Endpoints {
            remote_ip: baton_abi::address::IpAddress::v4(host),
            remote_port: port,
            ..Endpoints::default()
        }
    }

    fn segment(flags: Flags, value: u32) -> SegmentIn {
        let options = baton_tcp::Options { timestamps: Some((value, 0)), ..baton_tcp::Options::NONE };
        SegmentIn { flags, options, ..SegmentIn::default() }
    }

    #[test]
    fn the_newest_timestamp_counts() {
        let mut flows = Flows::default();
        let address = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 9);
        for value in [0xFFFF_FFF0, 3, 0xFFFF_FFFF] {
            flows.saw(ends(0x0A00_0001, 9), &segment(Flags::ACK, value), 0);
        }
        assert_eq!(flows.take(address).and_then(|flow| flow.ts_recent), Some(3));
        assert_eq!(flows.take(address), None);
        flows.saw(ends(0x0A00_0001, 9), &segment(Flags::ACK, 100), 0);
        flows.saw(ends(0x0A00_0001, 9), &segment(Flags::SYN, 50), 0);
        assert_eq!(flows.take(address).and_then(|flow| flow.ts_recent), Some(50), "another connection");
    }

    #[test]
    fn a_flood_does_not_push_out_who_speaks() {
        let mut flows = Flows::default();
        for host in 0..2 * FLOWS_MAX as u32 {
            flows.saw(ends(host, 1), &segment(Flags::SYN, 0), u64::from(host));
        }
        assert_eq!(flows.0.len(), FLOWS_MAX);
        flows.saw(ends(0xFFFF_0000, 1), &segment(Flags::SYN, 0), SILENT_US + 10);
        assert!(flows.take(SocketAddrV4::new(Ipv4Addr::from_bits(0xFFFF_0000), 1)).is_some());
    }
}

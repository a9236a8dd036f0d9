//! What is the same in all headers of a connection: of one over IPv4, or of one over either family.

use baton_abi::address::IpAddress;

use super::{
    emit_options, fold, option_words, Endpoints, DONT_FRAGMENT, ETHERTYPE_IPV4, ETHERTYPE_IPV6, HEADERS,
    HEADERS_IPV6, PAD, PROTOCOL_TCP, TIMESTAMPS_ALIGNED, TTL,
};
use crate::{lean::LeanBurst, segment::SegmentOut};

/// Words of a header, from word 0 with its two bytes of padding on, each through `put(index, word)`; each method returns
/// the header's length in bytes with the padding.
pub trait Template: Sized {
    /// It has room for the addresses of IPv6.
    const HAS_IPV6: bool;
    /// Of no connection.
    const EMPTY: Self;

    /// `None`: it has no room for such addresses.
    fn new(ends: &Endpoints) -> Option<Self>;

    /// The ends that it was made of.
    fn endpoints(&self) -> Endpoints;

    /// Writes the header of a burst, for hardware that fills in the length and the checksums, and that makes a tag of the
    /// VLAN id in the padding.
    fn emit_burst(&self, segment: &SegmentOut, ip_id: u16, put: impl FnMut(usize, u32)) -> u32;

    /// Writes the header of a lean burst likewise.
    fn emit_lean(&self, burst: &LeanBurst, ip_id: u16, put: impl FnMut(usize, u32)) -> u32;
}

/// The Ethernet header with its padding, its EtherType zero.
fn ethernet(ends: &Endpoints) -> [u32; 4] {
    let (l, r) = (ends.local_mac, ends.remote_mac);
    [
        u32::from(ends.vlan) << 16 | u32::from_be_bytes([0, 0, r[0], r[1]]),
        u32::from_be_bytes([r[2], r[3], r[4], r[5]]),
        u32::from_be_bytes([l[0], l[1], l[2], l[3]]),
        u32::from_be_bytes([l[4], l[5], 0, 0]),
    ]
}

fn ports(ends: &Endpoints) -> u32 {
    u32::from(ends.local_port) << 16 | u32::from(ends.remote_port)
}

fn ends(ethernet: &[u32; 4], addresses: [IpAddress; 2], ports: u32) -> Endpoints {
    let [a, b, c, d] = ethernet.map(u32::to_be_bytes);
    let [local_ip, remote_ip] = addresses;
    Endpoints {
        local_ip,
        remote_ip,
        local_port: (ports >> 16) as u16,
        remote_port: ports as u16,
        local_mac: [c[0], c[1], c[2], c[3], d[0], d[1]],
        remote_mac: [a[2], a[3], b[0], b[1], b[2], b[3]],
        vlan: (ethernet[0] >> 16) as u16,
    }
}

/// Of a connection over IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderTemplate {
    ethernet: [u32; 4],
    local_ip: u32,
    remote_ip: u32,
    ports: u32,
}

impl HeaderTemplate {
    /// Writes a header. The IPv4 checksum is zero and the TCP checksum holds the folded sum of the pseudo-header: hardware, or
    /// [`super::fill_checksums`], completes both.
    pub fn emit(&self, segment: &SegmentOut, ip_id: u16, put: impl FnMut(usize, u32)) -> u32 {
        let tcp_len = 20 + 4 * option_words(&segment.options) as u32 + u32::from(segment.data_len);
        let pseudo = halves(self.local_ip) + halves(self.remote_ip) + u32::from(PROTOCOL_TCP) + tcp_len;
        self.put(segment, ip_id, tcp_len + 20, fold(pseudo), put)
    }

    fn put(
        &self,
        segment: &SegmentOut,
        ip_id: u16,
        total_len: u32,
        checksum: u32,
        mut put: impl FnMut(usize, u32),
    ) -> u32 {
        let options = option_words(&segment.options) as u32;
        for (i, value) in self.ethernet.iter().enumerate() {
            put(i, *value);
        }
        put(4, 0x4500_0000 | total_len);
        put(5, u32::from(ip_id) << 16 | DONT_FRAGMENT);
        put(6, TTL << 24 | u32::from(PROTOCOL_TCP) << 16);
        put(7, self.local_ip);
        put(8, self.remote_ip);
        put(9, self.ports);
        put(10, segment.seq.0);
        put(11, segment.ack.0);
        put(12, (5 + options) << 28 | u32::from(segment.flags.0) << 16 | u32::from(segment.window));
        put(13, checksum << 16);
        emit_options(&segment.options, |i, value| put(14 + i, value));
        (HEADERS + PAD) as u32 + 4 * options
    }
}

impl Template for HeaderTemplate {
    const HAS_IPV6: bool = false;
    const EMPTY: Self = HeaderTemplate { ethernet: [0; 4], local_ip: 0, remote_ip: 0, ports: 0 };

    #[inline(always)]
    fn new(ends: &Endpoints) -> Option<Self> {
        let mut ethernet = ethernet(ends);
        ethernet[3] |= ETHERTYPE_IPV4;
        Some(HeaderTemplate {
            ethernet,
            local_ip: ends.local_ip.as_v4()?,
            remote_ip: ends.remote_ip.as_v4()?,
            ports: ports(ends),
        })
    }

    fn endpoints(&self) -> Endpoints {
        ends(&self.ethernet, [self.local_ip, self.remote_ip].map(IpAddress::v4), self.ports)
    }

    fn emit_burst(&self, segment: &SegmentOut, ip_id: u16, put: impl FnMut(usize, u32)) -> u32 {
        self.put(segment, ip_id, 0, 0, put)
    }

    #[inline]
    fn emit_lean(&self, burst: &LeanBurst, ip_id: u16, mut put: impl FnMut(usize, u32)) -> u32 {
        for (i, value) in self.ethernet.iter().enumerate() {
            put(i, *value);
        }
        put(4, 0x4500_0000);
        put(5, u32::from(ip_id) << 16 | DONT_FRAGMENT);
        put(6, TTL << 24 | u32::from(PROTOCOL_TCP) << 16);
        put(7, self.local_ip);
        put(8, self.remote_ip);
        put(9, self.ports);
        put(10, burst.seq.0);
        put(11, burst.ack.0);
        put(12, burst.control);
        put(13, 0);
        let Some((value, echo)) = burst.timestamps else { return (HEADERS + PAD) as u32 };
        put(14, TIMESTAMPS_ALIGNED);
        put(15, value);
        put(16, echo);
        (HEADERS + PAD) as u32 + 12
    }
}

/// Of a connection over IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DualTemplate {
    ethernet: [u32; 4],
    local_ip: IpAddress,
    remote_ip: IpAddress,
    ports: u32,
}

/// Number of the first word behind an IPv6 header.
const BEHIND_IPV6: usize = 14;

impl DualTemplate {
    #[inline]
    fn as_v4(&self) -> Option<HeaderTemplate> {
        let DualTemplate { ethernet, local_ip, remote_ip, ports } = *self;
        Some(HeaderTemplate { ethernet, local_ip: local_ip.as_v4()?, remote_ip: remote_ip.as_v4()?, ports })
    }

    /// Writes a header likewise; one of IPv6 has no checksum of its own.
    pub fn emit(&self, segment: &SegmentOut, ip_id: u16, put: impl FnMut(usize, u32)) -> u32 {
        if let Some(template) = self.as_v4() {
            return template.emit(segment, ip_id, put);
        }
        let tcp_len = 20 + 4 * option_words(&segment.options) as u32 + u32::from(segment.data_len);
        let addresses = self.local_ip.0.iter().chain(&self.remote_ip.0);
        let pseudo = addresses.fold(u32::from(PROTOCOL_TCP) + tcp_len, |sum, word| sum + halves(*word));
        self.put(segment, tcp_len, fold(pseudo), put)
    }

    /// Everything before TCP's sequence number.
    #[inline]
    fn put_network(&self, payload_len: u32, put: &mut impl FnMut(usize, u32)) {
        for (i, value) in self.ethernet.iter().enumerate() {
            put(i, *value);
        }
        put(4, 0x6000_0000);
        put(5, payload_len << 16 | u32::from(PROTOCOL_TCP) << 8 | TTL);
        for (i, value) in self.local_ip.0.iter().chain(&self.remote_ip.0).enumerate() {
            put(6 + i, *value);
        }
        put(BEHIND_IPV6, self.ports);
    }

    fn put(
        &self,
        segment: &SegmentOut,
        payload_len: u32,
        checksum: u32,
        mut put: impl FnMut(usize, u32),
    ) -> u32 {
        let options = option_words(&segment.options) as u32;
        self.put_network(payload_len, &mut put);
        put(BEHIND_IPV6 + 1, segment.seq.0);
        put(BEHIND_IPV6 + 2, segment.ack.0);
        let flags = u32::from(segment.flags.0);
        put(BEHIND_IPV6 + 3, (5 + options) << 28 | flags << 16 | u32::from(segment.window));
        put(BEHIND_IPV6 + 4, checksum << 16);
        emit_options(&segment.options, |i, value| put(BEHIND_IPV6 + 5 + i, value));
        (HEADERS_IPV6 + PAD) as u32 + 4 * options
    }
}

impl Template for DualTemplate {
    const HAS_IPV6: bool = true;
    const EMPTY: Self = DualTemplate {
        ethernet: [0; 4],
        local_ip: IpAddress([0; 4]),
        remote_ip: IpAddress([0; 4]),
        ports: 0,
    };

    #[inline(always)]
    fn new(ends: &Endpoints) -> Option<Self> {
        let mut ethernet = ethernet(ends);
        ethernet[3] |= if ends.is_ipv6() { ETHERTYPE_IPV6 } else { ETHERTYPE_IPV4 };
        let same_family = ends.local_ip.is_v4() == ends.remote_ip.is_v4();
        same_family.then_some(DualTemplate {
            ethernet,
            local_ip: ends.local_ip,
            remote_ip: ends.remote_ip,
            ports: ports(ends),
        })
    }

    fn endpoints(&self) -> Endpoints {
        ends(&self.ethernet, [self.local_ip, self.remote_ip], self.ports)
    }

    fn emit_burst(&self, segment: &SegmentOut, ip_id: u16, put: impl FnMut(usize, u32)) -> u32 {
        match self.as_v4() {
            Some(template) => template.emit_burst(segment, ip_id, put),
            None => self.put(segment, 0, 0, put),
        }
    }

    #[inline]
    fn emit_lean(&self, burst: &LeanBurst, ip_id: u16, mut put: impl FnMut(usize, u32)) -> u32 {
        if let Some(template) = self.as_v4() {
            return template.emit_lean(burst, ip_id, put);
        }
        self.put_network(0, &mut put);
        put(BEHIND_IPV6 + 1, burst.seq.0);
        put(BEHIND_IPV6 + 2, burst.ack.0);
        put(BEHIND_IPV6 + 3, burst.control);
        put(BEHIND_IPV6 + 4, 0);
        let Some((value, echo)) = burst.timestamps else { return (HEADERS_IPV6 + PAD) as u32 };
        put(BEHIND_IPV6 + 5, TIMESTAMPS_ALIGNED);
        put(BEHIND_IPV6 + 6, value);
        put(BEHIND_IPV6 + 7, echo);
        (HEADERS_IPV6 + PAD) as u32 + 12
    }
}

/// Sum of a word's halves.
fn halves(word: u32) -> u32 {
    (word >> 16) + (word & 0xFFFF)
}

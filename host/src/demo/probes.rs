//! Frames of a stranger, for programs to tell apart: differentiated services, ports, families, and what a firewall drops.
//!
//! They come from a machine that has no connection to the server, so that whatever the server answers is lost. All
//! checksums are right.

/// The stranger's addresses.
const MAC: [u8; 6] = [2, 0, 0, 1, 1, 1];
const IP: [u8; 4] = [10, 0, 1, 200];
const IPV6: [u8; 16] = [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200];
const SERVER_IPV6: [u8; 16] = [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// The management network of firewall.p4.
const MANAGEMENT_IP: [u8; 4] = [10, 0, 0, 9];
const LOOPBACK_IP: [u8; 4] = [127, 0, 0, 1];

const TCP: u8 = 6;
const UDP: u8 = 17;
const SYN: u8 = 2;
const FIN: u8 = 1;
const ACK: u8 = 16;

/// Differentiated services (RFC 2474, 3246, 8622).
const DEFAULT: u8 = 0;
const LE: u8 = 1;
const EF: u8 = 46;
const CS6: u8 = 48;

/// One of each kind, to the server at these addresses.
pub fn all(server_mac: [u8; 6], server_ip: [u8; 4]) -> Vec<Vec<u8>> {
    let v4 = |from: [u8; 4], dscp: u8, protocol: u8, l4: &[u8]| {
        ethernet(server_mac, &[0x08, 0x00], &ipv4(from, server_ip, dscp, protocol, l4))
    };
    let tagged_v6 = |dscp: u8, l4: &[u8]| {
        let packet = ipv6(dscp, TCP, l4);
        ethernet(server_mac, &[0x81, 0x00, 0x00, 0x07, 0x86, 0xDD], &packet)
    };
    let v6 =
        |dscp: u8, protocol: u8, l4: &[u8]| ethernet(server_mac, &[0x86, 0xDD], &ipv6(dscp, protocol, l4));
    vec![
        v4(IP, EF, UDP, &udp(5004)),
        v4(IP, CS6, TCP, &tcp(8080, SYN)),
        v4(IP, DEFAULT, TCP, &tcp(179, SYN)),
        v4(IP, LE, TCP, &tcp(8080, SYN)),
        v4(IP, LE, UDP, &udp(443)),
        v4(IP, DEFAULT, TCP, &tcp(443, SYN)),
        v4(IP, DEFAULT, UDP, &udp(53)),
        v4(IP, DEFAULT, TCP, &tcp(23, SYN)),
        v4(IP, DEFAULT, TCP, &tcp(6007, SYN)),
        v4(IP, DEFAULT, TCP, &tcp(8080, SYN | FIN)),
        v4(IP, DEFAULT, TCP, &tcp(8080, 0)),
        v4(LOOPBACK_IP, DEFAULT, UDP, &udp(53)),
        v4(MANAGEMENT_IP, DEFAULT, TCP, &tcp(23, SYN)),
        v6(DEFAULT, TCP, &tcp(80, ACK)),
        v6(EF, UDP, &udp(5004)),
        tagged_v6(LE, &tcp(80, ACK)),
    ]
}

fn ethernet(to: [u8; 6], types: &[u8], packet: &[u8]) -> Vec<u8> {
    let mut frame = [&to[..], &MAC, types, packet].concat();
    frame.resize(frame.len().max(60), 0);
    frame
}

fn ipv4(from: [u8; 4], to: [u8; 4], dscp: u8, protocol: u8, l4: &[u8]) -> Vec<u8> {
    let total = 20 + l4.len() as u16;
    let [high, low] = total.to_be_bytes();
    let mut packet = vec![0x45, dscp << 2, high, low, 0, 1, 0x40, 0, 64, protocol, 0, 0];
    packet.extend(from.iter().chain(&to));
    let checksum = !sum(&packet, 0);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet.extend(summed(l4, protocol, &[from, to].concat()));
    packet
}

fn ipv6(dscp: u8, protocol: u8, l4: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60 | dscp >> 2, dscp << 6, 0, 0];
    packet.extend((l4.len() as u16).to_be_bytes());
    packet.extend([protocol, 64]);
    packet.extend(IPV6.iter().chain(&SERVER_IPV6));
    packet.extend(summed(l4, protocol, &[IPV6, SERVER_IPV6].concat()));
    packet
}

/// The segment or datagram with its checksum, over the pseudo-header of its addresses (RFC 768, 9293, 8200).
fn summed(l4: &[u8], protocol: u8, addresses: &[u8]) -> Vec<u8> {
    let start = u32::from(sum(addresses, u32::from(protocol) + l4.len() as u32));
    let checksum = match !sum(l4, start) {
        0 if protocol == UDP => 0xFFFF,
        checksum => checksum,
    };
    let mut l4 = l4.to_vec();
    let at = if protocol == UDP { 6 } else { 16 };
    l4[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
    l4
}

fn udp(port: u16) -> Vec<u8> {
    let mut datagram = 40_000u16.to_be_bytes().to_vec();
    datagram.extend(port.to_be_bytes());
    datagram.extend([0, 12, 0, 0, 1, 2, 3, 4]);
    datagram
}

fn tcp(port: u16, flags: u8) -> Vec<u8> {
    let mut segment = 40_000u16.to_be_bytes().to_vec();
    segment.extend(port.to_be_bytes());
    segment.extend([0, 0, 0x10, 0, 0, 0, 0, 0, 5 << 4, flags, 0x20, 0, 0, 0, 0, 0]);
    segment
}

/// One's complement sum of big-endian half-words (RFC 1071).
fn sum(bytes: &[u8], start: u32) -> u16 {
    let pairs = bytes.chunks(2);
    let mut total = pairs.fold(start, |total, pair| {
        total + (u32::from(pair[0]) << 8) + u32::from(pair.get(1).copied().unwrap_or(0))
    });
    while total >> 16 != 0 {
        total = (total & 0xFFFF) + (total >> 16);
    }
    total as u16
}

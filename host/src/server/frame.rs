//! Frames as the host's stack reads and writes them: ARP, and TCP through the engine's own codecs. [`super::ipv6`] has the
//! neighbours of IPv6.

use std::borrow::Cow;

use baton_tcp::wire::{self, ETHERNET};
use baton_tcp::{BurstOut, Endpoints, SegmentIn, SegmentOut};

use super::stack::Address;

const ETHERTYPE_ARP: [u8; 2] = [0x08, 0x06];
const ETHERTYPE_VLAN: [u8; 2] = [0x81, 0x00];
/// Bytes of a VLAN tag (IEEE 802.1Q).
pub const TAG_BYTES: usize = 4;
const BROADCAST: [u8; 6] = [0xFF; 6];
/// Bytes of an ARP message for IPv4 over Ethernet (RFC 826).
const ARP_BYTES: usize = 28;
/// Hardware and protocol types and lengths of such a message.
const ARP_ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
/// Bytes of an ARP reply. Whoever transmits pads it.
pub const ARP_REPLY_BYTES: usize = ETHERNET + ARP_BYTES;

/// Where hardware sums an untagged TCP segment from, and where it puts the result: see [`emit_tcp`].
pub fn tcp_checksum(endpoints: &Endpoints) -> (u16, u16) {
    let start = wire::headers(endpoints) as u16 - 20;
    (start, start + 16)
}

/// A frame that the stack knows what to do with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    ArpRequest {
        vlan: u16,
        sender_mac: [u8; 6],
        sender_ip: [u8; 4],
        target_ip: [u8; 4],
    },
    Tcp {
        endpoints: Endpoints,
        segment: SegmentIn,
        /// Offset of the payload in the frame.
        payload: usize,
    },
}

/// Takes a frame apart. `verified` says that hardware has seen right checksums; without, they are verified here.
/// `None`: not a frame for this stack, or malformed.
///
/// One VLAN tag is taken off: its id is the VLAN of the request, or of the endpoints.
pub fn parse(frame: &[u8], verified: bool) -> Option<Parsed> {
    if frame.get(12..14)? == ETHERTYPE_VLAN {
        let id = u16::from_be_bytes([*frame.get(14)?, *frame.get(15)?]) & 0xFFF;
        let (_, bare) = untag(frame);
        return Some(match parse_untagged(&bare, verified)? {
            Parsed::ArpRequest { sender_mac, sender_ip, target_ip, .. } => {
                Parsed::ArpRequest { vlan: id, sender_mac, sender_ip, target_ip }
            }
            Parsed::Tcp { endpoints, segment, payload } => Parsed::Tcp {
                endpoints: Endpoints { vlan: id, ..endpoints },
                segment,
                payload: payload + TAG_BYTES,
            },
        });
    }
    parse_untagged(frame, verified)
}

/// A frame without its tag, and the VLAN of that; 0 for none.
pub fn untag(frame: &[u8]) -> (u16, Cow<'_, [u8]>) {
    match frame.get(12..12 + TAG_BYTES) {
        Some([0x81, 0x00, high, low]) => {
            let bare = [&frame[..12], &frame[12 + TAG_BYTES..]].concat();
            (u16::from_be_bytes([*high, *low]) & 0xFFF, bare.into())
        }
        _ => (0, frame.into()),
    }
}

/// Puts a tag of a VLAN into the front of a frame of `len` bytes, which has room for it. Returns the new length; without a
/// VLAN nothing changes.
pub fn tag(frame: &mut [u8], len: usize, vlan: u16) -> usize {
    if vlan == 0 {
        return len;
    }
    frame.copy_within(12..len, 12 + TAG_BYTES);
    frame[12..14].copy_from_slice(&ETHERTYPE_VLAN);
    frame[14..16].copy_from_slice(&vlan.to_be_bytes());
    len + TAG_BYTES
}

fn parse_untagged(frame: &[u8], verified: bool) -> Option<Parsed> {
    if frame.get(12..14)? == ETHERTYPE_ARP {
        return parse_arp(frame.get(ETHERNET..)?);
    }
    let packet = wire::parse(frame).ok()?;
    if !verified && !wire::checksums_valid(frame) {
        return None;
    }
    Some(Parsed::Tcp { endpoints: packet.endpoints, segment: packet.segment, payload: packet.payload.start })
}

fn parse_arp(arp: &[u8]) -> Option<Parsed> {
    let arp: &[u8; ARP_BYTES] = arp.first_chunk()?;
    let request = arp[..6] == ARP_ETHERNET_IPV4 && arp[6..8] == [0, 1];
    request.then(|| Parsed::ArpRequest {
        vlan: 0,
        sender_mac: [arp[8], arp[9], arp[10], arp[11], arp[12], arp[13]],
        sender_ip: [arp[14], arp[15], arp[16], arp[17]],
        target_ip: [arp[24], arp[25], arp[26], arp[27]],
    })
}

/// The answer to an ARP request for `own.ip`.
pub fn arp_reply(own: Address, asker_mac: [u8; 6], asker_ip: [u8; 4]) -> [u8; ARP_REPLY_BYTES] {
    let mut frame = [0; ARP_REPLY_BYTES];
    let parts: [&[u8]; 9] = [
        &asker_mac,
        &own.mac,
        &ETHERTYPE_ARP,
        &ARP_ETHERNET_IPV4,
        &[0, 2],
        &own.mac,
        &own.ip,
        &asker_mac,
        &asker_ip,
    ];
    let bytes = parts.into_iter().flatten();
    for (slot, byte) in frame.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    frame
}

/// Whether a frame is addressed to `mac`, or to all.
pub fn is_for(frame: &[u8], mac: [u8; 6]) -> bool {
    frame.get(..6).is_some_and(|to| to == mac || to == BROADCAST)
}

/// Writes the headers of a segment to the front of `frame`, which has room for its payload too, and returns their
/// length. The IPv4 checksum is complete; the TCP checksum is the pseudo-header's sum, for hardware to complete.
pub fn emit_tcp(frame: &mut [u8], endpoints: &Endpoints, segment: &SegmentOut, packet_id: u16) -> usize {
    let len = wire::emit(frame, endpoints, segment, packet_id).expect("a transmit buffer holds any segment");
    if !endpoints.is_ipv6() {
        wire::fill_ipv4_checksum(frame);
    }
    len
}

/// Writes the header of a burst to the front of `frame`, which has room for all its payload too, and returns its length.
/// Hardware fills in lengths and checksums.
pub fn emit_burst(frame: &mut [u8], endpoints: &Endpoints, burst: &BurstOut, packet_id: u16) -> usize {
    wire::emit_burst(frame, endpoints, burst, packet_id).expect("a large buffer holds any burst")
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_tcp::Flags;

    #[test]
    fn an_arp_reply_answers_its_request() {
        let own = Address { mac: [2, 0, 0, 0, 0, 1], ip: [10, 0, 0, 1] };
        let mut request = arp_reply(Address { mac: [2, 0, 0, 0, 0, 9], ip: [10, 0, 0, 9] }, [0; 6], own.ip);
        request[..6].copy_from_slice(&BROADCAST);
        request[21] = 1;
        let parsed = parse(&request, false);
        let (mac, ip) = ([2, 0, 0, 0, 0, 9], [10, 0, 0, 9]);
        assert_eq!(
            parsed,
            Some(Parsed::ArpRequest { vlan: 0, sender_mac: mac, sender_ip: ip, target_ip: own.ip })
        );
        let reply = arp_reply(own, mac, ip);
        assert!(is_for(&reply, mac) && is_for(&request, own.mac) && !is_for(&reply, own.mac));
        assert_eq!(reply[..14], [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 8, 6]);
        assert_eq!(reply[20..42], [0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9]);
        assert_eq!(parse(&reply, false), None, "a reply is not a request");
        for cut in 0..ARP_REPLY_BYTES {
            assert_eq!(parse(&request[..cut], false), None);
        }
    }

    #[test]
    fn a_segment_with_completed_checksum_is_taken_back() {
        let endpoints = Endpoints {
            local_ip: 0x0A00_0001.into(),
            remote_ip: 0x0A00_0101.into(),
            local_port: 80,
            remote_port: 50000,
            local_mac: [2; 6],
            remote_mac: [4; 6],
            vlan: 0,
        };
        let segment = SegmentOut { flags: Flags::ACK, data_len: 3, ..SegmentOut::default() };
        let mut frame = [0; 100];
        let header = emit_tcp(&mut frame, &endpoints, &segment, 7);
        frame[header..header + 3].copy_from_slice(b"abc");
        let frame = &mut frame[..header + 3];
        let (start, at) = tcp_checksum(&endpoints);
        let (start, at) = (usize::from(start), usize::from(at));
        let sum = !wire::sum(&frame[start..], 0) as u16;
        assert_eq!(parse(frame, false), None, "the checksum is not complete");
        frame[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        let Some(Parsed::Tcp { endpoints: parsed, segment, payload }) = parse(frame, false) else {
            panic!("a TCP segment")
        };
        assert_eq!((parsed, segment.payload_len, payload), (endpoints.reversed(), 3, header));
    }
}

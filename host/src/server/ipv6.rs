//! ICMPv6 (RFC 4443) as far as a server needs it: neighbour discovery (RFC 4861), echo, and the report that a segment was
//! too large for a link on its way (RFC 8201).

use baton_abi::address::IpAddress;
use baton_cosim::port::HostPort;
use baton_tcp::wire::{self, ETHERNET};
use baton_tcp::SeqNumber;

use super::driver::RxFrame;
use super::frame;
use super::stack::Stack;

const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xDD];
const IP_HEADER: usize = 40;
const NEXT_ICMP: u8 = 58;
const NEXT_TCP: u8 = 6;
const TOO_BIG: u8 = 2;
const ECHO: u8 = 128;
const ECHO_REPLY: u8 = 129;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// Of neighbour discovery: no router has passed it on.
const HOPS: u8 = 255;
/// Bytes of a solicitation without options, and of an advertisement with our link address.
const SOLICITATION_BYTES: usize = 24;
const ADVERTISEMENT_BYTES: usize = 32;
/// Bytes of IPv6 and TCP headers without options, by which a segment's payload is less than an MTU; and the least MTU
/// of a link (RFC 8200 Section 5).
const HEADERS: u32 = 60;
const MTU_MIN: u32 = 1280;

/// Who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    pub mac: [u8; 6],
    pub ip: [u8; 16],
}

impl Own {
    /// The multicast address on the link by which neighbours ask for us (RFC 4291 Section 2.7.1, RFC 2464 Section 7).
    pub fn solicited_mac(&self) -> [u8; 6] {
        [0x33, 0x33, 0xFF, self.ip[13], self.ip[14], self.ip[15]]
    }
}

/// A message that the stack acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Someone asks for our link address.
    Solicitation,
    /// Someone asks whether we are there.
    Echo,
    /// A segment of ours does not fit a link.
    TooLarge {
        remote_ip: IpAddress,
        remote_port: u16,
        local_port: u16,
        /// Of its first byte.
        seq: SeqNumber,
        /// Payload, without options, of a segment that would fit.
        mss: u16,
    },
}

/// Takes an untagged frame apart. `None`: no message for us, or malformed.
pub fn parse(frame: &[u8], own: Own) -> Option<Message> {
    let ip = frame.get(ETHERNET..).filter(|ip| ip.len() >= IP_HEADER)?;
    let len = usize::from(u16::from_be_bytes([ip[4], ip[5]]));
    let is_icmp = frame[12..14] == ETHERTYPE_IPV6 && ip[0] >> 4 == 6 && ip[6] == NEXT_ICMP;
    let icmp = ip.get(IP_HEADER..IP_HEADER + len).filter(|icmp| is_icmp && icmp.len() >= 8)?;
    if sum(ip, icmp) != 0xFFFF {
        return None;
    }
    let is_own = ip[24..40] == own.ip && frame[..6] == own.mac;
    match (icmp[0], icmp[1]) {
        (SOLICITATION, 0) => {
            let target = icmp.get(8..SOLICITATION_BYTES)?;
            let heard = frame[..6] == own.mac || frame[..6] == own.solicited_mac();
            (heard && ip[7] == HOPS && target == own.ip).then_some(Message::Solicitation)
        }
        (ECHO, 0) if is_own => Some(Message::Echo),
        (TOO_BIG, 0) if is_own => {
            let quoted = icmp.get(8..).filter(|quoted| quoted.len() >= IP_HEADER + 8)?;
            if quoted[0] >> 4 != 6 || quoted[6] != NEXT_TCP || quoted[8..24] != own.ip {
                return None;
            }
            let mtu = u32::from_be_bytes([icmp[4], icmp[5], icmp[6], icmp[7]]).max(MTU_MIN);
            let tcp = &quoted[IP_HEADER..];
            Some(Message::TooLarge {
                remote_ip: IpAddress::v6(*quoted[24..40].first_chunk()?),
                local_port: u16::from_be_bytes([tcp[0], tcp[1]]),
                remote_port: u16::from_be_bytes([tcp[2], tcp[3]]),
                seq: SeqNumber(u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]])),
                mss: (mtu - HEADERS).min(u32::from(u16::MAX)) as u16,
            })
        }
        _ => None,
    }
}

/// Sum of a message with its pseudo-header.
fn sum(ip: &[u8], icmp: &[u8]) -> u32 {
    wire::sum(icmp, wire::sum(&ip[8..IP_HEADER], u32::from(NEXT_ICMP) + icmp.len() as u32))
}

/// Fills in the checksum of a frame's message.
fn seal(frame: &mut [u8]) {
    let (ip, icmp) = frame[ETHERNET..].split_at_mut(IP_HEADER);
    icmp[2..4].fill(0);
    let checksum = !sum(ip, icmp) as u16;
    icmp[2..4].copy_from_slice(&checksum.to_be_bytes());
}

/// An IPv6 frame with a message, sealed.
fn message(macs: [[u8; 6]; 2], from: [u8; 16], to: [u8; 16], icmp: &[u8]) -> Vec<u8> {
    let mut frame = [&macs[1][..], &macs[0], &ETHERTYPE_IPV6, &[0x60, 0, 0, 0]].concat();
    frame.extend((icmp.len() as u16).to_be_bytes());
    frame.extend([NEXT_ICMP, HOPS]);
    frame.extend(from);
    frame.extend(to);
    frame.extend(icmp);
    seal(&mut frame);
    frame
}

/// The answer to a solicitation, which [`parse`] has found to be one.
pub fn advertisement(frame: &[u8], own: Own) -> Vec<u8> {
    let mut asker = [0; 16];
    asker.copy_from_slice(&frame[ETHERNET + 8..ETHERNET + 24]);
    let mut asker_mac = [0; 6];
    asker_mac.copy_from_slice(&frame[6..12]);
    // Who has no address yet hears it with all others, unsolicited (RFC 4861 Section 7.2.4).
    let (to, to_mac, flags) = match asker {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => {
            let mut all = [0; 16];
            (all[0], all[1], all[15]) = (0xFF, 2, 1);
            (all, [0x33, 0x33, 0, 0, 0, 1], 0x20)
        }
        _ => (asker, asker_mac, 0x60),
    };
    let mut icmp = vec![ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0];
    icmp.extend(own.ip);
    icmp.extend([2, 1]);
    icmp.extend(own.mac);
    debug_assert_eq!(icmp.len(), ADVERTISEMENT_BYTES);
    message([own.mac, to_mac], own.ip, to, &icmp)
}

/// The answer to an echo request, which [`parse`] has found to be one.
pub fn echo_reply(frame: &[u8], own: Own) -> Vec<u8> {
    let len = usize::from(u16::from_be_bytes([frame[ETHERNET + 4], frame[ETHERNET + 5]]));
    let mut reply = frame[..ETHERNET + IP_HEADER + len].to_vec();
    reply.copy_within(6..12, 0);
    reply[6..12].copy_from_slice(&own.mac);
    reply.copy_within(ETHERNET + 8..ETHERNET + 24, ETHERNET + 24);
    reply[ETHERNET + 8..ETHERNET + 24].copy_from_slice(&own.ip);
    reply[ETHERNET + IP_HEADER] = ECHO_REPLY;
    seal(&mut reply);
    reply
}

impl Stack {
    /// Acts on an ICMPv6 message, in a VLAN or not. False: it is none that means anything here.
    pub(super) fn icmpv6_arrives(&mut self, port: &mut dyn HostPort, rx: &RxFrame) -> bool {
        let Some(own) = self.own_ipv6() else { return false };
        let bytes = port.memory().slice(rx.addr(), usize::from(rx.len));
        let (vlan, bare) = frame::untag(bytes);
        let reply = match parse(&bare, own) {
            None => return false,
            Some(Message::Solicitation) => {
                self.stats.arp_replies += 1;
                advertisement(&bare, own)
            }
            Some(Message::Echo) => {
                self.stats.echo_replies += 1;
                echo_reply(&bare, own)
            }
            Some(Message::TooLarge { remote_ip, remote_port, local_port, seq, mss }) => {
                self.stats.too_large += 1;
                if let Some(id) = self.find((vlan, remote_ip, remote_port, local_port)) {
                    if let Some(socket) = self.socket_mut(id) {
                        socket.path = Some((mss, seq));
                        self.touch(id);
                    }
                }
                return true;
            }
        };
        if let Some(buffer) = self.driver.tx_buffer() {
            let mut bytes = reply.clone();
            bytes.resize(reply.len() + frame::TAG_BYTES, 0);
            let len = frame::tag(&mut bytes, reply.len(), vlan);
            port.memory_mut().write(buffer, &bytes[..len]);
            self.driver.transmit(port, len as u16, None);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Own =
        Own { mac: [2, 0, 0, 0, 0, 1], ip: [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3] };
    const PEER: Own =
        Own { mac: [2, 0, 0, 0, 0, 9], ip: [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 8, 7] };

    fn solicitation(from: [u8; 16]) -> Vec<u8> {
        let mut icmp = vec![SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
        icmp.extend(OWN.ip);
        let group = [0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 1, 2, 3];
        message([PEER.mac, OWN.solicited_mac()], from, group, &icmp)
    }

    fn too_big(mtu: u32) -> Vec<u8> {
        let mut quoted = vec![0x60, 0, 0, 0, 5, 0xA0, NEXT_TCP, 64];
        quoted.extend(OWN.ip.iter().chain(&PEER.ip));
        quoted.extend([0, 80, 0xC3, 0x51, 0, 0, 0, 7]);
        let mut icmp = vec![TOO_BIG, 0, 0, 0];
        icmp.extend(mtu.to_be_bytes());
        icmp.extend(quoted);
        message([PEER.mac, OWN.mac], PEER.ip, OWN.ip, &icmp)
    }

    fn echo() -> Vec<u8> {
        message([PEER.mac, OWN.mac], PEER.ip, OWN.ip, &[ECHO, 0, 0, 0, 1, 2, 3, 4, b'p', b'!'])
    }

    #[test]
    fn a_solicitation_is_answered() {
        let asked = solicitation(PEER.ip);
        assert_eq!(parse(&asked, OWN), Some(Message::Solicitation));
        let answer = advertisement(&asked, OWN);
        assert_eq!(answer[..12], [PEER.mac, OWN.mac].concat());
        let (ip, icmp) = answer[ETHERNET..].split_at(IP_HEADER);
        assert_eq!((sum(ip, icmp), icmp[0], icmp[4], ip[7]), (0xFFFF, ADVERTISEMENT, 0x60, HOPS));
        assert_eq!((&icmp[8..24], &icmp[26..]), (&OWN.ip[..], &OWN.mac[..]));
        assert_eq!(ip[24..40], PEER.ip);
        let unsolicited = advertisement(&solicitation([0; 16]), OWN);
        assert_eq!(
            (&unsolicited[..6], unsolicited[ETHERNET + IP_HEADER + 4]),
            (&[0x33, 0x33, 0, 0, 0, 1][..], 0x20)
        );
    }

    #[test]
    fn an_echo_comes_back() {
        assert_eq!(parse(&echo(), OWN), Some(Message::Echo));
        let reply = echo_reply(&echo(), OWN);
        let (ip, icmp) = reply[ETHERNET..].split_at(IP_HEADER);
        assert_eq!((sum(ip, icmp), icmp[0], &icmp[4..]), (0xFFFF, ECHO_REPLY, &[1, 2, 3, 4, b'p', b'!'][..]));
        assert_eq!((&ip[8..24], &ip[24..40]), (&OWN.ip[..], &PEER.ip[..]));
    }

    #[test]
    fn a_report_names_its_segment() {
        let report = |mtu: u32| match parse(&too_big(mtu), OWN) {
            Some(Message::TooLarge { remote_ip, remote_port, local_port, seq, mss }) => {
                assert_eq!((remote_ip, remote_port), (IpAddress::v6(PEER.ip), 50_001));
                assert_eq!((local_port, seq), (80, SeqNumber(7)));
                mss
            }
            other => panic!("{other:?}"),
        };
        assert_eq!([1400, 1280, 0, u32::MAX].map(report), [1340, 1220, 1220, 65535]);
    }

    #[test]
    fn damaged_and_foreign_messages_are_ignored() {
        for good in [solicitation(PEER.ip), echo(), too_big(1400)] {
            let total = good.len();
            for at in ETHERNET + 8..total {
                let mut bad = good.clone();
                bad[at] ^= 0x10;
                assert_eq!(parse(&bad, OWN), None, "byte {at}");
            }
            for len in 0..total {
                assert_eq!(parse(&good[..len], OWN), None, "{len} bytes");
            }
            assert_eq!(parse(&good, PEER), None);
        }
        let mut routed = solicitation(PEER.ip);
        routed[ETHERNET + 7] = 64;
        assert_eq!(parse(&routed, OWN), None, "a router has passed it on");
    }
}

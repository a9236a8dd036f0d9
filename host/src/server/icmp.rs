//! ICMP (RFC 792) as far as a server needs it: the report that a segment was too large for a link on its way, and echo.
//!
//! A report names the segment by the first bytes of it that it quotes. Whether it is believed is up to the owner of the TCB, who
//! knows what is outstanding (RFC 5927 Section 4.1).

use baton_abi::address::IpAddress;
use baton_cosim::port::HostPort;
use baton_tcp::wire::{self, ETHERNET};
use baton_tcp::SeqNumber;

use super::driver::RxFrame;
use super::stack::{Address, Stack};

const ETHERTYPE_IPV4: [u8; 2] = [0x08, 0x00];
const IP_HEADER: usize = 20;
const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_TCP: u8 = 6;
const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const FRAGMENTATION_NEEDED: u8 = 4;
const ECHO: u8 = 8;
/// Bytes of an ICMP header, and of what is quoted of a segment at least: ports and sequence number.
const HEADER: usize = 8;
const QUOTED: usize = 8;
/// Bytes of IPv4 and TCP headers without options, by which a segment's payload is less than an MTU.
const HEADERS: u16 = 40;
/// MTU for a router that does not tell it (RFC 1191 Section 5): what every path carries.
const MTU_UNTOLD: u16 = 576;

/// A message that the stack acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
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
    /// Someone asks whether we are there; the answer is of the same length.
    Echo,
}

/// Takes a frame apart that is addressed to `own`. `None`: not such a message, or malformed.
pub fn parse(frame: &[u8], own: Address) -> Option<Message> {
    let icmp = payload(frame, own)?;
    match (icmp[0], icmp[1]) {
        (UNREACHABLE, FRAGMENTATION_NEEDED) => {
            let quoted = &icmp[HEADER..];
            let header = usize::from(*quoted.first()? & 15) * 4;
            let segment = quoted.get(header..)?.first_chunk::<QUOTED>()?;
            let ours = quoted[0] >> 4 == 4 && header >= IP_HEADER && quoted[9] == PROTOCOL_TCP;
            if !ours || quoted[12..16] != own.ip {
                return None;
            }
            let mtu = match u16::from_be_bytes([icmp[6], icmp[7]]) {
                0 => MTU_UNTOLD,
                mtu => mtu,
            };
            Some(Message::TooLarge {
                remote_ip: [quoted[16], quoted[17], quoted[18], quoted[19]].into(),
                local_port: u16::from_be_bytes([segment[0], segment[1]]),
                remote_port: u16::from_be_bytes([segment[2], segment[3]]),
                seq: SeqNumber(u32::from_be_bytes([segment[4], segment[5], segment[6], segment[7]])),
                mss: mtu.saturating_sub(HEADERS),
            })
        }
        (ECHO, 0) => Some(Message::Echo),
        _ => None,
    }
}

/// The ICMP message of a frame for `own`, with right checksums.
fn payload(frame: &[u8], own: Address) -> Option<&[u8]> {
    let ip = frame.get(ETHERNET..).filter(|ip| ip.len() >= IP_HEADER)?;
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    // Options and fragments are nothing that such a message comes with.
    let plain = frame[..6] == own.mac
        && frame[12..14] == ETHERTYPE_IPV4
        && ip[0] == 0x45
        && u16::from_be_bytes([ip[6], ip[7]]) & 0x3FFF == 0;
    if !plain || ip[9] != PROTOCOL_ICMP || ip[16..20] != own.ip || wire::sum(&ip[..IP_HEADER], 0) != 0xFFFF {
        return None;
    }
    let icmp = ip.get(IP_HEADER..total).filter(|icmp| icmp.len() >= HEADER)?;
    (wire::sum(icmp, 0) == 0xFFFF).then_some(icmp)
}

/// Turns an echo request, which [`parse`] has found to be one, into its reply. Returns its length without padding.
pub fn echo_reply(frame: &mut [u8], own: Address) -> usize {
    let total = usize::from(u16::from_be_bytes([frame[ETHERNET + 2], frame[ETHERNET + 3]]));
    frame.copy_within(6..12, 0);
    frame[6..12].copy_from_slice(&own.mac);
    let ip = &mut frame[ETHERNET..ETHERNET + total];
    // The sum of the header does not change with the order of its addresses.
    ip.copy_within(12..16, 16);
    ip[12..16].copy_from_slice(&own.ip);
    let icmp = &mut ip[IP_HEADER..];
    icmp[0] = ECHO_REPLY;
    icmp[2..4].fill(0);
    let checksum = !wire::sum(icmp, 0) as u16;
    icmp[2..4].copy_from_slice(&checksum.to_be_bytes());
    ETHERNET + total
}

/// A router's report on the segment that begins with `seq` from `own` to the other end: the frame as `own` gets it.
pub fn too_large(
    own: Address,
    router: Address,
    remote: ([u8; 4], u16),
    local_port: u16,
    seq: SeqNumber,
    mss: u16,
) -> Vec<u8> {
    let mut quoted = ip_header(PROTOCOL_TCP, own.ip, remote.0, 1500);
    quoted.extend(local_port.to_be_bytes());
    quoted.extend(remote.1.to_be_bytes());
    quoted.extend(seq.0.to_be_bytes());
    let mut icmp = vec![UNREACHABLE, FRAGMENTATION_NEEDED, 0, 0, 0, 0];
    icmp.extend((mss + HEADERS).to_be_bytes());
    icmp.extend(quoted);
    let checksum = !wire::sum(&icmp, 0) as u16;
    icmp[2..4].copy_from_slice(&checksum.to_be_bytes());
    let mut frame = [&own.mac[..], &router.mac, &ETHERTYPE_IPV4].concat();
    frame.extend(ip_header(PROTOCOL_ICMP, router.ip, own.ip, (IP_HEADER + icmp.len()) as u16));
    frame.extend(icmp);
    frame
}

fn ip_header(protocol: u8, from: [u8; 4], to: [u8; 4], total: u16) -> Vec<u8> {
    let [high, low] = total.to_be_bytes();
    let mut header = vec![0x45, 0, high, low, 0, 1, 0x40, 0, 64, protocol, 0, 0];
    header.extend(from);
    header.extend(to);
    let checksum = !wire::sum(&header, 0) as u16;
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    header
}

impl Stack {
    /// Acts on an ICMP message. False: it is none that means anything here.
    pub(super) fn icmp_arrives(&mut self, port: &mut dyn HostPort, rx: &RxFrame) -> bool {
        let own = self.address();
        let frame = port.memory().slice(rx.addr(), usize::from(rx.len));
        match parse(frame, own) {
            None => return false,
            Some(Message::Echo) => {
                if let Some(buffer) = self.driver.tx_buffer() {
                    let mut reply = frame.to_vec();
                    let len = echo_reply(&mut reply, own);
                    port.memory_mut().write(buffer, &reply[..len]);
                    self.driver.transmit(port, len as u16, None);
                    self.stats.echo_replies += 1;
                }
            }
            Some(Message::TooLarge { remote_ip, remote_port, local_port, seq, mss }) => {
                self.stats.too_large += 1;
                // The owner of the TCB hears of it when it is clear who that is.
                if let Some(id) = self.find((0, remote_ip, remote_port, local_port)) {
                    if let Some(socket) = self.socket_mut(id) {
                        socket.path = Some((mss, seq));
                        self.touch(id);
                    }
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Address = Address { mac: [2, 0, 0, 0, 0, 1], ip: [10, 0, 0, 1] };
    const ROUTER: Address = Address { mac: [2, 0, 0, 0, 0, 9], ip: [10, 0, 0, 9] };

    fn report() -> Vec<u8> {
        too_large(OWN, ROUTER, ([10, 0, 1, 1], 5000), 80, SeqNumber(77), 1200)
    }

    #[test]
    fn a_report_names_the_segment() {
        let expected = Message::TooLarge {
            remote_ip: 0x0A00_0101.into(),
            remote_port: 5000,
            local_port: 80,
            seq: SeqNumber(77),
            mss: 1200,
        };
        assert_eq!(parse(&report(), OWN), Some(expected));
        // An old router does not tell the MTU.
        let mut old = report();
        let icmp = ETHERNET + IP_HEADER;
        old[icmp + 6..icmp + 8].fill(0);
        old[icmp + 2..icmp + 4].fill(0);
        let checksum = !wire::sum(&old[icmp..], 0) as u16;
        old[icmp + 2..icmp + 4].copy_from_slice(&checksum.to_be_bytes());
        assert!(matches!(parse(&old, OWN), Some(Message::TooLarge { mss: 536, .. })));
    }

    #[test]
    fn damaged_and_foreign_messages_are_ignored() {
        let good = report();
        for at in ETHERNET..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert_eq!(parse(&bad, OWN), None, "byte {at}");
        }
        for len in 0..good.len() {
            assert_eq!(parse(&good[..len], OWN), None, "{len} bytes");
        }
        assert_eq!(parse(&good, ROUTER), None);
        assert_eq!(parse(&too_large(ROUTER, OWN, ([10, 0, 1, 1], 1), 2, SeqNumber(3), 4), OWN), None);
    }

    #[test]
    fn an_echo_comes_back() {
        let mut icmp = vec![ECHO, 0, 0, 0, 1, 2, 3, 4, b'p', b'i', b'n', b'g', b'!'];
        let checksum = !wire::sum(&icmp, 0) as u16;
        icmp[2..4].copy_from_slice(&checksum.to_be_bytes());
        let mut frame = [&OWN.mac[..], &ROUTER.mac, &ETHERTYPE_IPV4].concat();
        frame.extend(ip_header(PROTOCOL_ICMP, ROUTER.ip, OWN.ip, (IP_HEADER + icmp.len()) as u16));
        frame.extend(&icmp);
        frame.resize(60, 0);
        assert_eq!(parse(&frame, OWN), Some(Message::Echo));
        let len = echo_reply(&mut frame, OWN);
        assert_eq!(len, ETHERNET + IP_HEADER + icmp.len());
        assert_eq!(frame[..12], [ROUTER.mac, OWN.mac].concat());
        let reply = payload(&frame[..len], ROUTER).expect("right checksums and addresses");
        assert_eq!((reply[0], &reply[4..]), (ECHO_REPLY, &icmp[4..]));
    }
}

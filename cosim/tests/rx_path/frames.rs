//! Frames for the receive path, and the classifier that says what should become of them.

use baton_abi::mmio::nic_rx;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::collections::HashMap;

/// Remote address, local address, remote port in the upper and local port in the lower half.
pub type Key = [u32; 3];

/// The connections on the NIC.
#[derive(Clone, Default)]
pub struct Connections {
    pub keys: Vec<Key>,
    pub values: HashMap<Key, u16>,
    /// Those over IPv6, by both addresses and both ports as frames of the peer have them.
    pub wide: HashMap<[u8; 36], u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    TcpHit,
    TcpMiss,
    TcpOptions,
    TcpPadded,
    BadIpChecksum,
    BadTcpChecksum,
    BadFcs,
    Runt,
    Oversize,
    Vlan,
    Fragment,
    IpOptions,
    Udp,
    Arp,
    Ipv6,
    TotalLenPastFrame,
    TotalLenTooSmall,
    DataOffsetWrong,
    Truncated,
    Noise,
    Jumbo,
    LongVlan,
}

/// What the host has set.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub jumbo: bool,
    /// IPv6 is verified.
    pub ipv6: bool,
    pub promiscuous: bool,
    pub broadcast: bool,
    pub multicast: bool,
}

impl Rules {
    /// As after reset.
    pub const RESET: Rules =
        Rules { jumbo: false, ipv6: false, promiscuous: true, broadcast: true, multicast: true };
}

/// Address of the station.
pub const STATION: [u8; 6] = [0x02, 0xba, 0x70, 0x91, 0x1c, 0xe5];

pub const KINDS: [Kind; 22] = [
    Kind::TcpHit,
    Kind::TcpMiss,
    Kind::TcpOptions,
    Kind::TcpPadded,
    Kind::BadIpChecksum,
    Kind::BadTcpChecksum,
    Kind::BadFcs,
    Kind::Runt,
    Kind::Oversize,
    Kind::Vlan,
    Kind::Fragment,
    Kind::IpOptions,
    Kind::Udp,
    Kind::Arp,
    Kind::Ipv6,
    Kind::TotalLenPastFrame,
    Kind::TotalLenTooSmall,
    Kind::DataOffsetWrong,
    Kind::Truncated,
    Kind::Noise,
    Kind::Jumbo,
    Kind::LongVlan,
];

pub struct FrameMaker {
    rng: ChaCha8Rng,
    pub connections: Connections,
}

/// One's complement sum of big-endian half-words, folded.
pub fn sum(bytes: &[u8], start: u32) -> u16 {
    let mut total = u64::from(start);
    for pair in bytes.chunks(2) {
        total += u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0));
    }
    while total > 0xffff {
        total = (total >> 16) + (total & 0xffff);
    }
    total as u16
}

fn half(frame: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([frame[at], frame[at + 1]])
}

fn word(frame: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(frame[at..at + 4].try_into().unwrap())
}

impl FrameMaker {
    pub fn new(seed: u64) -> FrameMaker {
        let mut maker =
            FrameMaker { rng: ChaCha8Rng::seed_from_u64(seed), connections: Connections::default() };
        for value in 0..50 {
            let key = maker.any_key();
            maker.connections.keys.push(key);
            maker.connections.values.insert(key, value * 1311);
        }
        maker
    }

    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.rng.next_u32()) * u64::from(n)) >> 32) as u32
    }

    fn any_key(&mut self) -> Key {
        [self.rng.next_u32(), 0xc0a8_0001, self.rng.next_u32() << 16 | 80]
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut out = vec![0; count];
        self.rng.fill_bytes(&mut out);
        out
    }

    /// Mostly the station's own address; else one of each kind, or one that is not quite the station's.
    fn destination(&mut self) -> [u8; 6] {
        let mut address = STATION;
        match self.below(10) {
            0 => address = [0xff; 6],
            1 => {
                self.rng.fill_bytes(&mut address);
                address[0] |= 1;
            }
            2 => {
                self.rng.fill_bytes(&mut address);
                address[0] &= !1;
            }
            3 => address[self.below(6) as usize] ^= 1 << self.below(8),
            4 => {
                address = [0xff; 6];
                address[self.below(6) as usize] ^= 1 << self.below(8);
            }
            _ => {}
        }
        address
    }

    /// Good segments more often than the rest.
    pub fn kind(&mut self) -> Kind {
        match self.below(3) {
            0 => KINDS[self.below(4) as usize],
            _ => KINDS[self.below(KINDS.len() as u32) as usize],
        }
    }

    fn payload_len(&mut self) -> usize {
        (match self.below(4) {
            0 => self.below(1401),
            1 => self.below(12),
            _ => self.below(200),
        }) as usize
    }

    /// A plain TCP segment of a connection on the NIC, or of another.
    pub fn segment(&mut self, hit: bool, payload_len: usize) -> Vec<u8> {
        let key = if hit {
            let index = self.below(self.connections.keys.len() as u32) as usize;
            self.connections.keys[index]
        } else {
            self.any_key()
        };
        self.segment_of(key, payload_len)
    }

    pub fn segment_of(&mut self, key: Key, payload_len: usize) -> Vec<u8> {
        self.datagram(key, 6, &[], &[], payload_len)
    }

    /// An Ethernet frame with an IPv4 datagram: TCP with a right checksum, or another protocol.
    fn datagram(
        &mut self,
        key: Key,
        protocol: u8,
        ip_options: &[u8],
        tcp_options: &[u8],
        payload_len: usize,
    ) -> Vec<u8> {
        let ihl = 5 + ip_options.len() / 4;
        let mut frame = self.destination().to_vec();
        frame.extend(self.bytes(6));
        frame.extend([0x08, 0x00]);
        frame.extend([0x40 | ihl as u8, self.below(256) as u8]);
        let tcp_len = 20 + tcp_options.len() + payload_len;
        frame.extend(((4 * ihl + tcp_len) as u16).to_be_bytes());
        frame.extend(self.bytes(2));
        frame.extend([if self.below(2) == 0 { 0x40 } else { 0 }, 0, 64, protocol, 0, 0]);
        frame.extend(key[0].to_be_bytes());
        frame.extend(key[1].to_be_bytes());
        frame.extend(ip_options);
        let tcp = frame.len();
        frame.extend(key[2].to_be_bytes());
        frame.extend(self.bytes(8));
        frame.extend([((5 + tcp_options.len() / 4) << 4) as u8 | self.below(2) as u8, self.below(256) as u8]);
        frame.extend(self.bytes(2));
        frame.extend([0, 0, 0, 0]);
        frame.extend(tcp_options);
        frame.extend(self.bytes(payload_len));
        debug_assert_eq!(frame.len(), tcp + tcp_len);
        seal(&mut frame);
        frame
    }

    pub fn frame(&mut self, kind: Kind) -> Vec<u8> {
        let payload_len = self.payload_len();
        let hit = self.below(4) != 0;
        let mut frame = self.segment(hit, payload_len);
        match kind {
            Kind::TcpHit | Kind::BadFcs => frame = self.segment(true, payload_len),
            Kind::TcpMiss => frame = self.segment(false, payload_len),
            Kind::TcpOptions => {
                let count = 4 * (1 + self.below(10)) as usize;
                let (key, options) = (self.connections.keys[7], self.bytes(count));
                frame = self.datagram(key, 6, &[], &options, payload_len);
            }
            Kind::TcpPadded => {
                let (short, padding) = (self.below(6) as usize, self.below(40) as usize);
                frame = self.segment(hit, short);
                frame.extend(self.bytes(6 + padding));
            }
            Kind::BadIpChecksum => {
                let (at, bit) = (14 + self.below(20) as usize, self.below(8));
                // Not the version and header length, which would make another kind of it.
                frame[at.max(15)] ^= 1 << bit;
            }
            Kind::BadTcpChecksum => {
                let (at, bit) = (34 + self.below(frame.len() as u32 - 34) as usize, self.below(8));
                frame[at] ^= 1 << bit;
            }
            Kind::Runt => frame.truncate(1 + self.below(13) as usize),
            Kind::Oversize => {
                let (least, most) =
                    [(1515, 20), (1515, 3000), (9000, 30), (9000, 9000)][self.below(4) as usize];
                let more = least + self.below(most) as usize;
                let noise = self.bytes(more - 12);
                frame.truncate(12);
                frame.extend(noise);
            }
            Kind::Vlan => {
                let tag = self.bytes(2);
                frame.splice(12..12, [0x81, 0x00, tag[0], tag[1]]);
            }
            Kind::Jumbo => {
                let payload_len = match self.below(3) {
                    0 => 9014 - 54 - self.below(4) as usize,
                    _ => 1461 + self.below(9014 - 54 - 1461) as usize,
                };
                frame = self.segment(hit, payload_len);
            }
            Kind::LongVlan => {
                let payload_len = 1454 + self.below(12) as usize;
                frame = self.segment(hit, payload_len);
                let (tag, kind) = (self.bytes(2), [[0x81, 0x00], [0x88, 0xa8]][self.below(2) as usize]);
                frame.splice(12..12, [kind[0], kind[1], tag[0], tag[1]]);
            }
            Kind::Fragment => {
                if self.below(2) == 0 {
                    frame[20] |= 0x20;
                } else {
                    frame[20 + self.below(2) as usize] |= 1 << self.below(5);
                }
                seal_ip(&mut frame);
            }
            Kind::IpOptions => {
                let count = 4 * (1 + self.below(10)) as usize;
                let (key, options) = (self.connections.keys[3], self.bytes(count));
                frame = self.datagram(key, 6, &options, &[], payload_len);
            }
            Kind::Udp => {
                let key = self.connections.keys[5];
                frame = self.datagram(key, 17, &[], &[], payload_len);
            }
            Kind::Arp => {
                frame[12..14].copy_from_slice(&[0x08, 0x06]);
                frame.resize(60, 0);
            }
            Kind::Ipv6 => {
                frame[14] = 0x60;
                if self.below(2) == 0 {
                    frame[12..14].copy_from_slice(&[0x86, 0xdd]);
                }
            }
            Kind::TotalLenPastFrame => {
                let more = 1 + self.below(if hit { 4 } else { 60000 }) as u16;
                let total = half(&frame, 16) + more;
                frame[16..18].copy_from_slice(&total.to_be_bytes());
                seal(&mut frame);
            }
            Kind::TotalLenTooSmall => {
                let total = self.below(45) as u16;
                frame[16..18].copy_from_slice(&total.to_be_bytes());
                if self.below(3) == 0 {
                    frame[14] = 0x40 | self.below(16) as u8;
                }
                seal(&mut frame);
            }
            Kind::DataOffsetWrong => {
                frame[46] = (self.below(16) << 4) as u8;
                seal(&mut frame);
            }
            Kind::Truncated => frame.truncate(14 + self.below(frame.len() as u32 - 14) as usize),
            Kind::Noise => {
                let count = 14 + self.below(300) as usize;
                let noise = self.bytes(count);
                let kept = if hit { 14 } else { 15 };
                frame.truncate(kept);
                frame.extend(&noise[..count - 14]);
            }
        }
        frame
    }
}

/// Makes the IPv4 header checksum right, as far as the header is there.
fn seal_ip(frame: &mut [u8]) {
    let end = 14 + 4 * usize::from(frame[14] & 15);
    frame[24..26].fill(0);
    if end <= frame.len() && end > 26 {
        let check = !sum(&frame[14..end], 0);
        frame[24..26].copy_from_slice(&check.to_be_bytes());
    }
}

/// Makes both checksums right, as far as the lengths make sense.
fn seal(frame: &mut [u8]) {
    seal_ip(frame);
    let (start, end) = (14 + 4 * usize::from(frame[14] & 15), 14 + usize::from(half(frame, 16)));
    if frame[23] == 6 && end <= frame.len() && start + 18 <= end {
        frame[start + 16..start + 18].fill(0);
        let check = !tcp_sum(frame, start, end);
        frame[start + 16..start + 18].copy_from_slice(&check.to_be_bytes());
    }
}

fn tcp_sum(frame: &[u8], start: usize, end: usize) -> u16 {
    let pseudo = sum(&frame[26..34], 6 + (end - start) as u32);
    sum(&frame[start..end], pseudo.into())
}

/// What should become of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    BadFcs,
    BadLength,
    BadChecksum,
    Filtered,
    Host {
        verified: bool,
    },
    /// To the NIC, with these words of the descriptor; the arrival is left at zero.
    Nic(Vec<u32>),
}

/// Whether the destination filter takes a frame of the wire.
fn wanted(destination: &[u8], rules: Rules) -> bool {
    rules.promiscuous
        || if destination == [0xff; 6] {
            rules.broadcast
        } else {
            destination == STATION || destination[0] & 1 == 1 && rules.multicast
        }
}

/// The reference, written from the headers' definitions.
pub fn classify(
    frame: &[u8],
    bad_fcs: bool,
    from_wire: bool,
    rules: Rules,
    connections: &Connections,
) -> Fate {
    if bad_fcs {
        return Fate::BadFcs;
    }
    let tagged = frame.len() >= 14 && [0x8100, 0x88a8].contains(&half(frame, 12));
    let longest = if rules.jumbo {
        9014
    } else if tagged {
        1518
    } else {
        1514
    };
    if !(14..=longest).contains(&frame.len()) {
        return Fate::BadLength;
    }
    if from_wire && !wanted(&frame[..6], rules) {
        return Fate::Filtered;
    }
    // One tag is passed over.
    let ip = if half(frame, 12) == 0x8100 { 18 } else { 14 };
    if rules.ipv6 && frame.len() >= ip && half(frame, ip - 2) == 0x86dd {
        return ipv6(frame, ip, connections);
    }
    if frame.len() < ip || half(frame, ip - 2) != 0x0800 || frame.get(ip).is_some_and(|byte| byte >> 4 != 4) {
        return Fate::Host { verified: false };
    }
    if frame.len() < ip + 20 || frame[ip] & 15 < 5 {
        return Fate::BadChecksum;
    }
    let start = ip + 4 * usize::from(frame[ip] & 15);
    let end = ip + usize::from(half(frame, ip + 2));
    if end > frame.len() || start > end || sum(&frame[ip..start], 0) != 0xffff {
        return Fate::BadChecksum;
    }
    let fragment = half(frame, ip + 6) & 0x3fff != 0;
    if fragment || frame[ip + 9] != 6 {
        return Fate::Host { verified: false };
    }
    if sum(&frame[start..end], sum(&frame[ip + 12..ip + 20], 6 + (end - start) as u32).into()) != 0xffff {
        return Fate::BadChecksum;
    }
    let offset = if end > start + 12 { usize::from(frame[start + 12] >> 4) } else { 0 };
    let payload = start + 4 * offset;
    if offset < 5 || payload > end {
        return Fate::BadChecksum;
    }
    match connections.values.get(&[word(frame, ip + 12), word(frame, ip + 16), word(frame, start)]) {
        None => Fate::Host { verified: true },
        Some(&value) => Fate::Nic(descriptor(frame, start, end, value, frame[ip + 1] & 3)),
    }
}

/// The descriptor of a segment from `start` to `end`.
fn descriptor(frame: &[u8], start: usize, end: usize, value: u16, ecn: u8) -> Vec<u32> {
    let offset = usize::from(frame[start + 12] >> 4);
    let payload = start + 4 * offset;
    let mut words = vec![0; nic_rx::OPTIONS + offset - 5];
    words[nic_rx::CONN_LEN] = u32::from(value) | ((end - payload) as u32) << 16;
    words[nic_rx::OFFSET] =
        (payload + 2) as u32 | u32::from(ecn) << nic_rx::ECN_SHIFT | ((end - payload) as u32) << 16;
    words[nic_rx::SEQ] = word(frame, start + 4);
    words[nic_rx::ACK] = word(frame, start + 8);
    words[nic_rx::FLAGS_WINDOW] = word(frame, start + 12);
    for option in 0..offset - 5 {
        words[nic_rx::OPTIONS + option] = word(frame, start + 20 + 4 * option);
    }
    words
}

/// The same of a frame with an IPv6 header at `ip`.
fn ipv6(frame: &[u8], ip: usize, connections: &Connections) -> Fate {
    if frame.get(ip).is_some_and(|byte| byte >> 4 != 6) {
        return Fate::Host { verified: false };
    }
    if frame.len() < ip + 40 {
        return Fate::BadChecksum;
    }
    let (start, end) = (ip + 40, ip + 40 + usize::from(half(frame, ip + 4)));
    if end > frame.len() {
        return Fate::BadChecksum;
    }
    if frame[ip + 6] != 6 {
        return Fate::Host { verified: false };
    }
    let tcp = &frame[start..end];
    let offset = tcp.get(12).map_or(0, |byte| usize::from(byte >> 4));
    let good = sum(tcp, sum(&frame[ip + 8..start], 6 + tcp.len() as u32).into()) == 0xffff;
    if !good || offset < 5 || 4 * offset > tcp.len() {
        return Fate::BadChecksum;
    }
    let key: &[u8; 36] = frame[ip + 8..].first_chunk().unwrap();
    match connections.wide.get(key) {
        None => Fate::Host { verified: true },
        Some(&value) => Fate::Nic(descriptor(frame, start, end, value, frame[ip + 1] >> 4 & 3)),
    }
}

impl FrameMaker {
    /// A TCP segment over IPv6, right or damaged in one of many ways; another protocol, extension headers, padding.
    pub fn ipv6_frame(&mut self) -> Vec<u8> {
        let payload = self.payload_len();
        let options = 4 * self.below(11) as usize;
        let mut frame = self.destination().to_vec();
        frame.extend(self.bytes(6));
        frame.extend([0x86, 0xdd]);
        let start = self.bytes(4);
        frame.extend([0x60 | start[0] & 15, start[1], start[2], start[3]]);
        frame.extend(((20 + options + payload) as u16).to_be_bytes());
        frame.extend([6, 64]);
        frame.extend(self.bytes(32));
        frame.extend(self.bytes(12));
        frame.extend([((5 + options / 4) << 4) as u8, self.below(256) as u8]);
        frame.extend(self.bytes(2));
        frame.extend([0, 0, 0, 0]);
        frame.extend(self.bytes(options + payload));
        let way = self.below(12);
        match way {
            0 => frame[20] = self.below(256) as u8,
            1 => {
                // Longer than the frame, or shorter: by little, or by anything.
                let by = if self.below(2) == 0 { self.below(6) } else { self.below(65536) };
                let length = half(&frame, 18);
                let length = if self.below(2) == 0 {
                    length.wrapping_add(by as u16)
                } else {
                    length.saturating_sub(by as u16)
                };
                frame[18..20].copy_from_slice(&length.to_be_bytes());
            }
            2 => frame[66] = (self.below(16) << 4) as u8,
            3 => frame[14] = self.below(256) as u8,
            4 => frame.extend([0; 17]),
            _ => {}
        }
        let end = 54 + usize::from(half(&frame, 18));
        if end <= frame.len() && end >= 72 {
            let check = !sum(&frame[54..end], sum(&frame[22..54], 6 + (end - 54) as u32).into());
            frame[70..72].copy_from_slice(&check.to_be_bytes());
        }
        match way {
            5 => {
                let (at, bit) = (22 + self.below(frame.len() as u32 - 22) as usize, self.below(8));
                frame[at] ^= 1 << bit;
            }
            6 => frame.truncate(14 + self.below(frame.len() as u32 - 14) as usize),
            _ => {}
        }
        if self.below(3) == 0 {
            let tag = self.bytes(2);
            frame.splice(12..12, [0x81, 0x00, tag[0], tag[1]]);
        }
        frame
    }
}

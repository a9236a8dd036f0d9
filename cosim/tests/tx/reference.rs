//! What must come out: frames built from plain fields, one header at a time, with no template and no sums carried
//! from one to the next.

use crate::support::Chance;
use baton_abi::{
    mmio, ring,
    ring::{TxDesc, TX_FLAG_CHECKSUM, TX_FLAG_INJECT, TX_FLAG_TSO},
};
use baton_cosim::port::HostMemory;

pub const PSH: u8 = 8;
pub const FIN: u8 = 1;

/// One's complement sum of big-endian half-words, an odd last byte padded with zero (RFC 1071).
pub fn sum(bytes: &[u8], start: u32) -> u16 {
    let mut total = u64::from(start);
    for pair in bytes.chunks(2) {
        total += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    }
    while total >> 16 != 0 {
        total = (total & 0xFFFF) + (total >> 16);
    }
    total as u16
}

/// The fields of a connection's headers.
#[derive(Clone, Debug)]
pub struct Flow {
    pub macs: [u8; 12],
    pub tos: u8,
    pub ttl: u8,
    pub id: u16,
    pub source: [u8; 4],
    pub target: [u8; 4],
    /// Source and target of IPv6, instead of IPv4.
    pub ipv6: Option<[[u8; 16]; 2]>,
    pub ports: [u8; 4],
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub window: u16,
    pub urgent: u16,
    /// A multiple of four bytes.
    pub options: Vec<u8>,
}

impl Flow {
    /// Over IPv4, or `ipv6` in half of the cases.
    pub fn random(chance: &mut Chance, ipv6: bool) -> Flow {
        let mut options = vec![0; 4 * chance.below(11) as usize];
        chance.fill(&mut options);
        if options.len() == 12 {
            // Timestamps, as nearly every segment has them.
            options[..4].copy_from_slice(&[1, 1, 8, 10]);
        }
        let mut bytes = [0; 40];
        chance.fill(&mut bytes);
        let near_wrap = chance.permille(300);
        let ipv6 = (ipv6 && chance.permille(500)).then(|| {
            let mut addresses = [[0; 16]; 2];
            addresses.iter_mut().for_each(|address| chance.fill(address));
            addresses
        });
        Flow {
            macs: bytes[..12].try_into().unwrap(),
            tos: bytes[12],
            ttl: bytes[13],
            id: if near_wrap { 0xFFFF - chance.below(4) as u16 } else { chance.below(65536) as u16 },
            source: bytes[14..18].try_into().unwrap(),
            target: bytes[18..22].try_into().unwrap(),
            ipv6,
            ports: bytes[22..26].try_into().unwrap(),
            seq: if near_wrap { 0u32.wrapping_sub(chance.below(5000)) } else { chance.below(u32::MAX) },
            ack: chance.below(u32::MAX),
            flags: bytes[26],
            window: chance.below(65536) as u16,
            urgent: chance.below(65536) as u16,
            options,
        }
    }

    pub fn header_len(&self) -> usize {
        self.network_len() + 34 + self.options.len()
    }

    /// Bytes of the IP header.
    fn network_len(&self) -> usize {
        if self.ipv6.is_some() {
            40
        } else {
            20
        }
    }

    /// A whole segment, checksums and all.
    fn segment(&self, seq: u32, id: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
        let tcp_len = 20 + self.options.len() + payload.len();
        let mut ip;
        let mut pseudo;
        if let Some(addresses) = self.ipv6 {
            // Traffic class and flow label are anything.
            ip = vec![0x60 | self.tos >> 4, self.tos << 4 | self.urgent as u8 & 15, self.ttl, self.tos];
            ip.extend((tcp_len as u16).to_be_bytes());
            ip.extend([6, self.ttl]);
            ip.extend(addresses.concat());
            pseudo = addresses.concat();
        } else {
            ip = vec![0x45, self.tos];
            ip.extend((20 + tcp_len as u16).to_be_bytes());
            ip.extend(id.to_be_bytes());
            ip.extend([0x40, 0, self.ttl, 6, 0, 0]);
            ip.extend(self.source);
            ip.extend(self.target);
            let checksum = !sum(&ip, 0);
            ip[10..12].copy_from_slice(&checksum.to_be_bytes());
            pseudo = [self.source, self.target].concat();
        }

        let mut tcp = self.ports.to_vec();
        tcp.extend(seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.extend([(5 + self.options.len() as u8 / 4) << 4, flags]);
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0, 0]);
        tcp.extend(self.urgent.to_be_bytes());
        tcp.extend(&self.options);
        tcp.extend(payload);
        pseudo.extend([0, 6]);
        pseudo.extend((tcp_len as u16).to_be_bytes());
        let checksum = !sum(&tcp, u32::from(sum(&pseudo, 0)));
        tcp[16..18].copy_from_slice(&checksum.to_be_bytes());

        let mut frame = self.macs.to_vec();
        frame.extend(if self.ipv6.is_some() { [0x86, 0xDD] } else { [8, 0] });
        frame.extend(ip);
        frame.extend(tcp);
        frame
    }

    /// A template: the header of the first segment, with anything where hardware fills in.
    pub fn template(&self, chance: &mut Chance) -> Vec<u8> {
        let mut header = self.segment(self.seq, self.id, self.flags, &[]);
        let filled = if self.ipv6.is_some() { vec![18..20, 70..72] } else { vec![16..18, 24..26, 50..52] };
        for field in filled {
            chance.fill(&mut header[field]);
        }
        header
    }

    /// The segments of a burst, as far as their payload can be read.
    fn burst(&self, memory: &HostMemory, places: Places, len: usize, mss: usize) -> (Vec<Vec<u8>>, bool) {
        let mut frames = Vec::new();
        let mut done = 0;
        loop {
            let take = (len - done).min(mss);
            let Some(payload) = places.read(memory, done, take) else { return (frames, false) };
            let last = done + take == len;
            let flags = if last { self.flags } else { self.flags & !(PSH | FIN) };
            let id = self.id.wrapping_add(frames.len() as u16);
            frames.push(self.segment(self.seq.wrapping_add(done as u32), id, flags, &payload));
            done += take;
            if last {
                return (frames, true);
            }
        }
    }
}

/// What must become of a descriptor or burst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Sent(Vec<Vec<u8>>),
    /// Refused, with nothing sent.
    Bad,
    /// Bytes of a whole frame could not be read.
    Unread,
    /// These were sent of a burst before bytes could not be read.
    Abandoned(Vec<Vec<u8>>),
}

/// A burst of the firmware.
#[derive(Clone, Debug)]
pub struct Burst {
    /// With its padding, whole words.
    pub header: Vec<u8>,
    pub header_len: u32,
    pub addr: u32,
    pub len: u32,
    /// Bytes that lie at `addr`, where the others lie at `rest`; 0: all.
    pub cut: u32,
    pub rest: u32,
    pub mss: u32,
    pub conn: u16,
    /// What the header says; `None`: it is no template.
    pub flow: Option<Flow>,
}

impl Burst {
    pub fn new(flow: Flow, addr: u32, len: u32, mss: u32, conn: u16, chance: &mut Chance) -> Burst {
        let mut header = vec![0; 2];
        header.extend(flow.template(chance));
        let header_len = header.len() as u32;
        Burst { header, header_len, addr, len, cut: 0, rest: 0, mss, conn, flow: Some(flow) }
    }

    /// Bytes of header in each frame of a good burst.
    pub fn header_bytes(&self) -> usize {
        let tag = if self.header[..2] == [0, 0] { 0 } else { 4 };
        (self.header_len as usize + tag).saturating_sub(2)
    }

    pub fn outcome(&self, memory: &HostMemory, limit: u32, ipv6: bool) -> Outcome {
        let most = if ipv6 { mmio::TX_HEADER_BYTES_MAX_IPV6 } else { mmio::TX_HEADER_BYTES_MAX };
        let range = mmio::TX_HEADER_BYTES_MIN..=most;
        let fits = self.len == 0 || self.mss > 0 && self.header_len + self.mss <= limit + 2;
        if !range.contains(&self.header_len) || !self.header_len.is_multiple_of(4) || !fits {
            return Outcome::Bad;
        }
        let (len, mss) = (self.len as usize, self.mss as usize);
        // What is in the padding goes in behind the addresses, as a VLAN tag.
        let tagged = |frames: Vec<Vec<u8>>| match self.header[..2] {
            [0, 0] => frames,
            [high, low] => {
                let tag = |mut frame: Vec<u8>| {
                    frame.splice(12..12, [0x81, 0x00, high, low]);
                    frame
                };
                frames.into_iter().map(tag).collect()
            }
            _ => frames,
        };
        let places = Places { addr: self.addr, cut: self.cut as usize, rest: self.rest };
        match burst(memory, &self.flow, places, len, mss) {
            Outcome::Sent(frames) => Outcome::Sent(tagged(frames)),
            Outcome::Abandoned(frames) => Outcome::Abandoned(tagged(frames)),
            other => other,
        }
    }
}

/// Where payload lies: at `addr`, but from byte `cut` on, unless it is 0, at `rest`.
#[derive(Clone, Copy)]
struct Places {
    addr: u32,
    cut: usize,
    rest: u32,
}

impl Places {
    /// The bytes from this one on; `None` if any cannot be read.
    fn read(self, memory: &HostMemory, from: usize, len: usize) -> Option<Vec<u8>> {
        let at_addr = if self.cut == 0 { len } else { self.cut.saturating_sub(from).min(len) };
        let mut bytes = Vec::new();
        if at_addr > 0 {
            bytes.extend(memory.try_slice(self.addr.wrapping_add(from as u32), at_addr).ok()?);
        }
        if at_addr < len {
            let start = (from + at_addr - self.cut) as u32;
            bytes.extend(memory.try_slice(self.rest.wrapping_add(start), len - at_addr).ok()?);
        }
        Some(bytes)
    }
}

fn burst(memory: &HostMemory, flow: &Option<Flow>, places: Places, len: usize, mss: usize) -> Outcome {
    let Some(flow) = flow else {
        let readable = places.read(memory, 0, len.min(mss)).is_some();
        return if readable { Outcome::Bad } else { Outcome::Abandoned(Vec::new()) };
    };
    match flow.burst(memory, places, len, mss) {
        (frames, true) => Outcome::Sent(frames),
        (frames, false) => Outcome::Abandoned(frames),
    }
}

/// A frame of the host; `flow` as in [`Burst`], for those that are to be cut.
#[derive(Clone, Debug)]
pub struct HostFrame {
    pub desc: TxDesc,
    pub flow: Option<Flow>,
}

impl HostFrame {
    pub fn injected(&self) -> bool {
        self.desc.flags & TX_FLAG_INJECT != 0
    }

    pub fn outcome(&self, memory: &HostMemory, limit: u32, ipv6: bool) -> Outcome {
        if self.desc.flags & TX_FLAG_TSO != 0 {
            self.cut(memory, limit, ipv6)
        } else {
            plain(&self.desc, memory, limit)
        }
    }

    fn cut(&self, memory: &HostMemory, limit: u32, ipv6: bool) -> Outcome {
        let TxDesc { addr, len, mss, header_len, .. } = self.desc;
        let header = u32::from(header_len);
        let most = if ipv6 { ring::TSO_HEADER_BYTES_MAX_IPV6 } else { ring::TSO_HEADER_BYTES_MAX };
        let range = ring::TSO_HEADER_BYTES_MIN..=most;
        let bad = self.injected()
            || !range.contains(&header)
            || (header + 2) % 4 != 0
            || len <= header_len
            || mss == 0
            || header + u32::from(mss) > limit;
        if bad {
            return Outcome::Bad;
        }
        if memory.try_slice(addr, usize::from(header_len)).is_err() {
            return Outcome::Abandoned(Vec::new());
        }
        let payload = usize::from(len - header_len);
        let places = Places { addr: addr.wrapping_add(header), cut: 0, rest: 0 };
        burst(memory, &self.flow, places, payload, usize::from(mss))
    }
}

/// A frame that is sent as it is, perhaps with a checksum.
fn plain(desc: &TxDesc, memory: &HostMemory, limit: u32) -> Outcome {
    let len = usize::from(desc.len);
    let (start, offset) = (usize::from(desc.csum_start), usize::from(desc.csum_offset));
    let checksum = desc.flags & TX_FLAG_CHECKSUM != 0;
    if !(14..=limit as usize).contains(&len) || (checksum && (start >= len || offset + 2 > len)) {
        return Outcome::Bad;
    }
    let Ok(bytes) = memory.try_slice(desc.addr, len) else { return Outcome::Unread };
    let mut frame = bytes.to_vec();
    if checksum {
        let value = match !sum(&frame[start..], 0) {
            // RFC 768: zero would mean that there is no checksum.
            0 if offset == start + 6 => 0xFFFF,
            value => value,
        };
        frame[offset..offset + 2].copy_from_slice(&value.to_be_bytes());
    }
    Outcome::Sent(vec![frame])
}

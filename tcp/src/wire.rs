//! Segments on the wire: Ethernet, IPv4 and TCP headers, options and checksums.
//!
//! Two forms of the same header: bytes of a frame, for the host, and words with the first byte in bits 31:24,
//! two bytes of padding first, for the firmware and its hardware windows ([`HeaderTemplate`]).

use core::ops::Range as Bytes;

use baton_abi::{at_most, handoff::Endpoints};

use crate::{
    lean::LeanBurst,
    segment::{BurstOut, Flags, Options, Range, SegmentIn, SegmentOut, SACK_BLOCKS},
    SeqNumber,
};

/// Bytes of padding before a header in words.
pub const PAD: usize = 2;
/// Bytes of an Ethernet header.
pub const ETHERNET: usize = 14;
/// Bytes of Ethernet, IPv4 and TCP headers without options.
pub const HEADERS: usize = ETHERNET + 20 + 20;
/// Most bytes of the three headers that this engine emits.
pub const HEADERS_MAX: usize = HEADERS + 40;
/// Words of the longest header with its padding.
pub const HEADER_WORDS: usize = (HEADERS_MAX + PAD).div_ceil(4);
/// Words of options at most.
pub const OPTION_WORDS: usize = 10;

const ETHERTYPE_IPV4: u32 = 0x0800;
const PROTOCOL_TCP: u8 = 6;
const TTL: u32 = 64;
const DONT_FRAGMENT: u32 = 0x4000;

/// Why a frame is not a TCP segment that this engine can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Lengths contradict each other or the frame.
    Length,
    /// Not IPv4.
    NotIpv4,
    /// A fragment.
    Fragment,
    /// Not TCP.
    NotTcp,
}

/// A frame's headers, and where its payload lies in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The receiver is the local end.
    pub endpoints: Endpoints,
    pub segment: SegmentIn,
    pub payload: Bytes<usize>,
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn mac(bytes: &[u8], at: usize) -> Option<[u8; 6]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Takes a frame apart. Checksums are not looked at: see [`checksums_valid`].
pub fn parse(frame: &[u8]) -> Result<Packet, ParseError> {
    let (ip, end) = ipv4(frame)?;
    parse_tcp(frame, ip, end).ok_or(ParseError::Length)
}

/// Offsets of the IPv4 payload and of its end, when it is a whole TCP datagram.
fn ipv4(frame: &[u8]) -> Result<(usize, usize), ParseError> {
    if half(frame, 12).ok_or(ParseError::Length)? != ETHERTYPE_IPV4 as u16 {
        return Err(ParseError::NotIpv4);
    }
    let ip = frame.get(ETHERNET..).filter(|ip| ip.len() >= 20).ok_or(ParseError::Length)?;
    if ip[0] >> 4 != 4 {
        return Err(ParseError::NotIpv4);
    }
    let header = usize::from(ip[0] & 15) * 4;
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    if header < 20 || total < header || total > ip.len() {
        return Err(ParseError::Length);
    }
    if u16::from_be_bytes([ip[6], ip[7]]) & 0x3FFF != 0 {
        return Err(ParseError::Fragment);
    }
    if ip[9] != PROTOCOL_TCP {
        return Err(ParseError::NotTcp);
    }
    Ok((ETHERNET + header, ETHERNET + total))
}

fn parse_tcp(frame: &[u8], start: usize, end: usize) -> Option<Packet> {
    let tcp = frame.get(start..end)?;
    let offset_flags = half(tcp, 12)?;
    let header = usize::from(offset_flags >> 12) * 4;
    let options = tcp.get(20..header)?;
    let segment = SegmentIn {
        seq: SeqNumber(word(tcp, 4)?),
        ack: SeqNumber(word(tcp, 8)?),
        flags: Flags(offset_flags as u8),
        window: half(tcp, 14)?,
        options: parse_options(options.len() / 4, |i| word(options, 4 * i).unwrap_or(0)),
        payload_len: u16::try_from(tcp.len() - header).ok()?,
        ecn: frame[ETHERNET + 1] & 3,
    };
    let endpoints = Endpoints {
        local_ip: word(frame, ETHERNET + 16)?,
        remote_ip: word(frame, ETHERNET + 12)?,
        local_port: half(tcp, 2)?,
        remote_port: half(tcp, 0)?,
        local_mac: mac(frame, 0)?,
        remote_mac: mac(frame, 6)?,
        vlan: 0,
    };
    Some(Packet { endpoints, segment, payload: start + header..end })
}

/// NOP, NOP, timestamps, length 10: how nearly every segment begins (RFC 7323 Appendix A).
pub const TIMESTAMPS_ALIGNED: u32 = 0x0101_080A;

/// Reads `count` words of options, most significant byte first (RFC 9293 Section 3.2). What is malformed ends
/// the list; what is unknown is skipped.
pub fn parse_options(count: usize, word: impl Fn(usize) -> u32) -> Options {
    let mut options = Options::NONE;
    let count = count.min(OPTION_WORDS);
    let mut at = 0;
    if count >= 3 && word(0) == TIMESTAMPS_ALIGNED {
        options.timestamps = Some((word(1), word(2)));
        at = 12;
    }
    if count * 4 > at {
        parse_option_list(&mut options, at, count * 4, &word);
    }
    options
}

fn parse_option_list(options: &mut Options, mut at: usize, end: usize, word: &dyn Fn(usize) -> u32) {
    let byte = |at: usize| (word(at / 4) >> (24 - 8 * (at % 4))) as u8;
    let long = |at: usize| u32::from_be_bytes([byte(at), byte(at + 1), byte(at + 2), byte(at + 3)]);
    // The blocks are read at the end: only one such option can count, whatever the list says.
    let mut sack_at = 0;
    let turns = at_most!(4 * OPTION_WORDS);
    while at < end {
        turns.take();
        let kind = byte(at);
        match kind {
            0 => break,
            1 => {
                at += 1;
                continue;
            }
            _ if at + 1 >= end => break,
            _ => {}
        }
        let len = usize::from(byte(at + 1));
        if len < 2 || at + len > end {
            break;
        }
        match (kind, len) {
            (2, 4) => options.mss = Some(u16::from_be_bytes([byte(at + 2), byte(at + 3)])),
            (3, 3) => options.window_scale = Some(byte(at + 2)),
            (4, 2) => options.sack_permitted = true,
            (5, 10 | 18 | 26 | 34) => {
                options.sack_count = ((len - 2) / 8) as u8;
                sack_at = at + 2;
            }
            (8, 10) => options.timestamps = Some((long(at + 2), long(at + 6))),
            _ => {}
        }
        at += len;
    }
    let turns = at_most!(SACK_BLOCKS);
    for (i, block) in options.sack.iter_mut().take(usize::from(options.sack_count)).enumerate() {
        turns.take();
        let at = sack_at + 8 * i;
        *block = Range { start: SeqNumber(long(at)), end: SeqNumber(long(at + 4)) };
    }
}

/// Writes options as words; returns how many.
pub fn emit_options(options: &Options, mut put: impl FnMut(usize, u32)) -> usize {
    let mut n = 0;
    let mut add = |value| {
        if n < OPTION_WORDS {
            put(n, value);
            n += 1;
        }
    };
    if let Some(mss) = options.mss {
        add(0x0204_0000 | u32::from(mss));
    }
    if let Some(shift) = options.window_scale {
        add(0x0103_0300 | u32::from(shift));
    }
    if options.sack_permitted {
        add(0x0101_0402);
    }
    if let Some((value, echo)) = options.timestamps {
        add(TIMESTAMPS_ALIGNED);
        add(value);
        add(echo);
    }
    let blocks = options.sack_blocks();
    if !blocks.is_empty() {
        add(0x0101_0502 + 8 * blocks.len() as u32);
        let turns = at_most!(SACK_BLOCKS);
        for block in blocks {
            turns.take();
            add(block.start.0);
            add(block.end.0);
        }
    }
    n
}

/// Words that [`emit_options`] would write.
pub fn option_words(options: &Options) -> usize {
    let blocks = usize::from(options.sack_count);
    let words = usize::from(options.mss.is_some())
        + usize::from(options.window_scale.is_some())
        + usize::from(options.sack_permitted)
        + if options.timestamps.is_some() { 3 } else { 0 }
        + if blocks > 0 { 1 + 2 * blocks } else { 0 };
    words.min(OPTION_WORDS)
}

/// What is the same in all headers of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderTemplate {
    ethernet: [u32; 4],
    local_ip: u32,
    remote_ip: u32,
    ports: u32,
}

impl HeaderTemplate {
    pub fn new(ends: &Endpoints) -> Self {
        let (l, r) = (ends.local_mac, ends.remote_mac);
        HeaderTemplate {
            ethernet: [
                u32::from(ends.vlan) << 16 | u32::from_be_bytes([0, 0, r[0], r[1]]),
                u32::from_be_bytes([r[2], r[3], r[4], r[5]]),
                u32::from_be_bytes([l[0], l[1], l[2], l[3]]),
                u32::from_be_bytes([l[4], l[5], 0, 0]) | ETHERTYPE_IPV4,
            ],
            local_ip: ends.local_ip,
            remote_ip: ends.remote_ip,
            ports: u32::from(ends.local_port) << 16 | u32::from(ends.remote_port),
        }
    }

    /// Writes the header's words, from word 0 with its two bytes of padding on, each through
    /// `put(index, word)`. Returns the header's length in bytes with the padding.
    ///
    /// The IPv4 checksum is zero and the TCP checksum holds the folded sum of the pseudo-header: hardware, or
    /// [`fill_checksums`], completes both.
    pub fn emit(&self, segment: &SegmentOut, ip_id: u16, put: impl FnMut(usize, u32)) -> u32 {
        let tcp_len = 20 + 4 * option_words(&segment.options) as u32 + u32::from(segment.data_len);
        let halves = |ip: u32| (ip >> 16) + (ip & 0xFFFF);
        let pseudo = halves(self.local_ip) + halves(self.remote_ip) + u32::from(PROTOCOL_TCP) + tcp_len;
        self.put(segment, ip_id, tcp_len + 20, fold(pseudo), put)
    }

    /// Writes the header of a burst likewise, for hardware that fills in the total length and both checksums, and that
    /// makes a tag of the VLAN id in the padding.
    pub fn emit_burst(&self, segment: &SegmentOut, ip_id: u16, put: impl FnMut(usize, u32)) -> u32 {
        self.put(segment, ip_id, 0, 0, put)
    }

    /// Writes the header of a lean burst likewise, word by word.
    #[inline]
    pub fn emit_lean(&self, burst: &LeanBurst, ip_id: u16, mut put: impl FnMut(usize, u32)) -> u32 {
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

/// Writes the headers of a frame and returns their length; the payload follows there. `None`: `frame` is too
/// short for headers and payload. Checksums as in [`HeaderTemplate::emit`].
pub fn emit(frame: &mut [u8], ends: &Endpoints, segment: &SegmentOut, ip_id: u16) -> Option<usize> {
    let len = HEADERS + 4 * option_words(&segment.options);
    if frame.len() < len + usize::from(segment.data_len) {
        return None;
    }
    HeaderTemplate::new(ends).emit(segment, ip_id, |i, word| put_bytes(frame, i, word));
    Some(len)
}

/// Writes the header of a burst likewise; see [`HeaderTemplate::emit_burst`]. `None`: `frame` is too short for it
/// and the payload.
pub fn emit_burst(frame: &mut [u8], ends: &Endpoints, burst: &BurstOut, ip_id: u16) -> Option<usize> {
    let len = HEADERS + 4 * option_words(&burst.segment.options);
    if frame.len() < len + burst.len as usize {
        return None;
    }
    HeaderTemplate::new(ends).emit_burst(&burst.segment, ip_id, |i, word| put_bytes(frame, i, word));
    Some(len)
}

/// Writes word `index` of a header to a frame, where the first word starts in the padding.
fn put_bytes(frame: &mut [u8], index: usize, word: u32) {
    for (k, byte) in word.to_be_bytes().into_iter().enumerate() {
        if let Some(slot) = (4 * index + k).checked_sub(PAD).and_then(|at| frame.get_mut(at)) {
            *slot = byte;
        }
    }
}

/// Folds a sum of half-words to 16 bits.
pub const fn fold(sum: u32) -> u32 {
    let once = (sum >> 16) + (sum & 0xFFFF);
    (once >> 16) + (once & 0xFFFF)
}

/// Sum of big-endian half-words of at most 64 KiB of bytes, on top of a folded `sum` (RFC 1071).
pub fn sum(bytes: &[u8], sum: u32) -> u32 {
    let mut total = sum;
    let mut pairs = bytes.chunks_exact(2);
    for pair in &mut pairs {
        total += u32::from(pair[0]) << 8 | u32::from(pair[1]);
    }
    if let [last] = pairs.remainder() {
        total += u32::from(*last) << 8;
    }
    fold(total)
}

/// Sum of the TCP pseudo-header (RFC 9293 Section 3.1), folded.
fn pseudo_sum(frame: &[u8], tcp_len: usize) -> u32 {
    sum(frame.get(ETHERNET + 12..ETHERNET + 20).unwrap_or(&[]), u32::from(PROTOCOL_TCP) + tcp_len as u32)
}

/// Whether the IPv4 and TCP checksums of a frame that [`parse`] takes are right.
pub fn checksums_valid(frame: &[u8]) -> bool {
    let Ok((start, end)) = ipv4(frame) else { return false };
    let (Some(ip), Some(tcp)) = (frame.get(ETHERNET..start), frame.get(start..end)) else { return false };
    sum(ip, 0) == 0xFFFF && sum(tcp, pseudo_sum(frame, tcp.len())) == 0xFFFF
}

/// Completes both checksums of a frame from [`emit`], payload in place. Other frames are left alone.
pub fn fill_checksums(frame: &mut [u8]) {
    let Ok((start, end)) = ipv4(frame) else { return };
    if end < start + 20 {
        return;
    }
    frame[ETHERNET + 10..ETHERNET + 12].fill(0);
    let ip = !sum(&frame[ETHERNET..start], 0) as u16;
    frame[ETHERNET + 10..ETHERNET + 12].copy_from_slice(&ip.to_be_bytes());
    frame[start + 16..start + 18].fill(0);
    let tcp = !sum(&frame[start..end], pseudo_sum(frame, end - start)) as u16;
    frame[start + 16..start + 18].copy_from_slice(&tcp.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_options() -> impl Strategy<Value = Options> {
        (
            any::<Option<u16>>(),
            any::<Option<u8>>(),
            any::<bool>(),
            any::<Option<(u32, u32)>>(),
            proptest::collection::vec(any::<(u32, u32)>(), 0..=4),
        )
            .prop_map(|(mss, window_scale, sack_permitted, timestamps, blocks)| {
                let mut options = Options { mss, window_scale, sack_permitted, timestamps, ..Options::NONE };
                // As many as fit with the others.
                let room = (OPTION_WORDS - option_words(&options)).saturating_sub(1) / 2;
                for (slot, (start, end)) in options.sack.iter_mut().zip(blocks).take(room) {
                    *slot = Range { start: SeqNumber(start), end: SeqNumber(end) };
                    options.sack_count += 1;
                }
                options
            })
    }

    proptest! {
        #[test]
        fn emitted_frames_parse(
            seq: u32, ack: u32, flags in 0u8..64, window: u16, options in any_options(),
            payload in proptest::collection::vec(any::<u8>(), 0..64), ip_id: u16, ips: (u32, u32), ports: (u16, u16),
        ) {
            let ends = Endpoints {
                local_ip: ips.0, remote_ip: ips.1, local_port: ports.0, remote_port: ports.1,
                local_mac: [2, 0, 0, 0, 0, 1], remote_mac: [2, 0, 0, 0, 0, 2], vlan: 0,
            };
            let out = SegmentOut {
                seq: SeqNumber(seq), ack: SeqNumber(ack), flags: Flags(flags), window, options,
                data_len: payload.len() as u16, ..SegmentOut::default()
            };
            let mut frame = vec![0xEE; 200];
            let header = emit(&mut frame, &ends, &out, ip_id).unwrap();
            frame.truncate(header + payload.len());
            frame[header..].copy_from_slice(&payload);
            fill_checksums(&mut frame);
            prop_assert!(checksums_valid(&frame));
            // Ethernet pads short frames.
            frame.resize(frame.len().max(60), 0);
            let packet = parse(&frame).unwrap();
            prop_assert_eq!(packet.endpoints, ends.reversed());
            prop_assert_eq!(&frame[packet.payload.clone()], &payload[..]);
            let SegmentIn { seq: s, ack: a, flags: f, window: w, options: o, payload_len, ecn } = packet.segment;
            prop_assert_eq!((s, a, f, w, o), (out.seq, out.ack, out.flags, out.window, out.options));
            prop_assert_eq!((usize::from(payload_len), ecn), (payload.len(), 0));
            frame[header - 1] ^= 0x10;
            prop_assert!(!checksums_valid(&frame));
        }

        /// Anything may arrive.
        #[test]
        fn hostile_bytes_do_not_panic(mut frame in proptest::collection::vec(any::<u8>(), 0..120), guide: bool) {
            if guide && frame.len() > 40 {
                frame[12..15].copy_from_slice(&[8, 0, 0x45]);
                frame[16] = 0;
                frame[20..22].fill(0);
                frame[23] = 6;
            }
            let _ = parse(&frame);
            let _ = checksums_valid(&frame);
            fill_checksums(&mut frame);
        }

        #[test]
        fn hostile_options_do_not_panic(words in proptest::collection::vec(any::<u32>(), 0..12)) {
            let options = parse_options(words.len(), |i| words[i]);
            prop_assert!(usize::from(options.sack_count) <= options.sack.len());
        }
    }
}

//! Segments on the wire: Ethernet, IPv4 or IPv6, and TCP headers, options and checksums.
//!
//! Two forms of the same header: bytes of a frame, for the host, and words with the first byte in bits 31:24,
//! two bytes of padding first, for the firmware and its hardware windows ([`Template`]).

use core::ops::Range as Bytes;

mod template;

pub use template::{DualTemplate, HeaderTemplate, Template};

use baton_abi::{address::IpAddress, at_most, handoff::Endpoints};

use crate::{
    segment::{BurstOut, Flags, Options, Range, SegmentIn, SegmentOut, SACK_BLOCKS},
    SeqNumber,
};

/// Bytes of padding before a header in words.
pub const PAD: usize = 2;
/// Bytes of an Ethernet header.
pub const ETHERNET: usize = 14;
/// Bytes of Ethernet, IPv4 and TCP headers without options.
pub const HEADERS: usize = ETHERNET + 20 + 20;
/// The same with IPv6.
pub const HEADERS_IPV6: usize = ETHERNET + 40 + 20;
/// Most bytes of the three headers that this engine emits.
pub const HEADERS_MAX: usize = HEADERS_IPV6 + 40;
/// Words of the longest header with its padding.
pub const HEADER_WORDS: usize = (HEADERS_MAX + PAD).div_ceil(4);
/// Words of options at most.
pub const OPTION_WORDS: usize = 10;

const ETHERTYPE_IPV4: u32 = 0x0800;
const ETHERTYPE_IPV6: u32 = 0x86DD;
/// Bytes of an IPv6 header.
const IPV6: usize = 40;
const PROTOCOL_TCP: u8 = 6;
const TTL: u32 = 64;
const DONT_FRAGMENT: u32 = 0x4000;

/// Why a frame is not a TCP segment that this engine can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Lengths contradict each other or the frame.
    Length,
    /// Not IP.
    NotIp,
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
    let (start, end) = network(frame)?;
    parse_tcp(frame, start, end).ok_or(ParseError::Length)
}

fn is_ipv6(frame: &[u8]) -> bool {
    half(frame, 12) == Some(ETHERTYPE_IPV6 as u16)
}

/// Offsets of the TCP segment and of its end, when it is a whole datagram of either family.
fn network(frame: &[u8]) -> Result<(usize, usize), ParseError> {
    if is_ipv6(frame) {
        ipv6(frame)
    } else {
        ipv4(frame)
    }
}

/// The same for IPv6 (RFC 8200). What has extension headers is not for this engine.
fn ipv6(frame: &[u8]) -> Result<(usize, usize), ParseError> {
    let ip = frame.get(ETHERNET..).filter(|ip| ip.len() >= IPV6).ok_or(ParseError::Length)?;
    if ip[0] >> 4 != 6 {
        return Err(ParseError::NotIp);
    }
    let payload = usize::from(u16::from_be_bytes([ip[4], ip[5]]));
    if IPV6 + payload > ip.len() {
        return Err(ParseError::Length);
    }
    if ip[6] != PROTOCOL_TCP {
        return Err(ParseError::NotTcp);
    }
    Ok((ETHERNET + IPV6, ETHERNET + IPV6 + payload))
}

/// Destination and source address of a frame with a whole IP header.
fn addresses(frame: &[u8]) -> Option<[IpAddress; 2]> {
    if !is_ipv6(frame) {
        return Some(
            [16, 12].map(|at| word(frame, ETHERNET + at)).map(|word| IpAddress::v4(word.unwrap_or(0))),
        );
    }
    let address = |at: usize| Some(IpAddress::v6(*frame.get(ETHERNET + at..)?.first_chunk()?));
    Some([address(24)?, address(8)?])
}

/// Offsets of the IPv4 payload and of its end, when it is a whole TCP datagram.
fn ipv4(frame: &[u8]) -> Result<(usize, usize), ParseError> {
    if half(frame, 12).ok_or(ParseError::Length)? != ETHERTYPE_IPV4 as u16 {
        return Err(ParseError::NotIp);
    }
    let ip = frame.get(ETHERNET..).filter(|ip| ip.len() >= 20).ok_or(ParseError::Length)?;
    if ip[0] >> 4 != 4 {
        return Err(ParseError::NotIp);
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
        // The traffic class of IPv6 lies across two bytes.
        ecn: if is_ipv6(frame) { frame[ETHERNET + 1] >> 4 & 3 } else { frame[ETHERNET + 1] & 3 },
    };
    let [local_ip, remote_ip] = addresses(frame)?;
    let endpoints = Endpoints {
        local_ip,
        remote_ip,
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

/// Writes the headers of a frame and returns their length; the payload follows there. `None`: `frame` is too
/// short for headers and payload, or the addresses are of two families. Checksums as in [`DualTemplate::emit`].
pub fn emit(frame: &mut [u8], ends: &Endpoints, segment: &SegmentOut, ip_id: u16) -> Option<usize> {
    let len = headers(ends) + 4 * option_words(&segment.options);
    if frame.len() < len + usize::from(segment.data_len) {
        return None;
    }
    DualTemplate::new(ends)?.emit(segment, ip_id, |i, word| put_bytes(frame, i, word));
    Some(len)
}

/// Writes the header of a burst likewise; see [`Template::emit_burst`]. `None`: `frame` is too short for it
/// and the payload.
pub fn emit_burst(frame: &mut [u8], ends: &Endpoints, burst: &BurstOut, ip_id: u16) -> Option<usize> {
    let len = headers(ends) + 4 * option_words(&burst.segment.options);
    if frame.len() < len + burst.len as usize {
        return None;
    }
    DualTemplate::new(ends)?.emit_burst(&burst.segment, ip_id, |i, word| put_bytes(frame, i, word));
    Some(len)
}

/// Bytes of the three headers without options.
pub fn headers(ends: &Endpoints) -> usize {
    if ends.is_ipv6() {
        HEADERS_IPV6
    } else {
        HEADERS
    }
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

/// Sum of the TCP pseudo-header (RFC 9293 Section 3.1, RFC 8200 Section 8.1), folded.
fn pseudo_sum(frame: &[u8], tcp_len: usize) -> u32 {
    let addresses = if is_ipv6(frame) { 8..IPV6 } else { 12..20 };
    let addresses = frame.get(ETHERNET + addresses.start..ETHERNET + addresses.end);
    sum(addresses.unwrap_or(&[]), u32::from(PROTOCOL_TCP) + tcp_len as u32)
}

/// Whether the checksums of a frame that [`parse`] takes are right: that of TCP, and IPv4's.
pub fn checksums_valid(frame: &[u8]) -> bool {
    let Ok((start, end)) = network(frame) else { return false };
    let (Some(ip), Some(tcp)) = (frame.get(ETHERNET..start), frame.get(start..end)) else { return false };
    (is_ipv6(frame) || sum(ip, 0) == 0xFFFF) && sum(tcp, pseudo_sum(frame, tcp.len())) == 0xFFFF
}

/// Completes the checksums of a frame from [`emit`], payload in place. Other frames are left alone.
pub fn fill_checksums(frame: &mut [u8]) {
    let Ok((start, end)) = network(frame) else { return };
    if end < start + 20 {
        return;
    }
    if !is_ipv6(frame) {
        fill_ipv4_checksum(frame);
    }
    frame[start + 16..start + 18].fill(0);
    let tcp = !sum(&frame[start..end], pseudo_sum(frame, end - start)) as u16;
    frame[start + 16..start + 18].copy_from_slice(&tcp.to_be_bytes());
}

/// Completes the checksum of an IPv4 header, if it is whole.
pub fn fill_ipv4_checksum(frame: &mut [u8]) {
    let header = frame.get(ETHERNET).map_or(0, |byte| usize::from(byte & 15) * 4);
    let Some(ip) = frame.get_mut(ETHERNET..ETHERNET + header).filter(|ip| ip.len() >= 20) else { return };
    ip[10..12].fill(0);
    let checksum = !sum(ip, 0) as u16;
    ip[10..12].copy_from_slice(&checksum.to_be_bytes());
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

    fn address(low: u32, ipv6: bool) -> IpAddress {
        if ipv6 {
            IpAddress([0x2001_0DB8, !low, low.rotate_left(7), low])
        } else {
            IpAddress::v4(low)
        }
    }

    /// A frame of `emit` and the words of a template are the same header, but for what hardware fills in; and a template
    /// knows the ends that it was made of.
    #[test]
    fn templates_are_the_headers_of_their_family() {
        for ipv6 in [false, true] {
            let ends = Endpoints {
                local_ip: address(0x0A00_0001, ipv6),
                remote_ip: address(0x0A00_0102, ipv6),
                local_port: 80,
                remote_port: 50_000,
                local_mac: [2, 0, 0, 0, 0, 1],
                remote_mac: [4, 5, 6, 7, 8, 9],
                vlan: 0,
            };
            let segment =
                SegmentOut { seq: SeqNumber(7), flags: Flags::ACK, window: 9, ..SegmentOut::default() };
            let mut frame = [0; 200];
            let len = emit(&mut frame, &ends, &segment, 0x1234).unwrap();
            assert_eq!(len, headers(&ends));
            let dual = DualTemplate::new(&ends).unwrap();
            let mut burst = [0; 200];
            let with_padding = dual.emit_burst(&segment, 0x1234, |i, word| put_bytes(&mut burst, i, word));
            assert_eq!(with_padding as usize, len + PAD);
            fill_checksums(&mut frame[..len]);
            // The length and the checksums are the hardware's.
            let filled = if ipv6 { vec![18, 19, 70, 71] } else { vec![16, 17, 24, 25, 50, 51] };
            filled.into_iter().for_each(|at| burst[at] = frame[at]);
            assert_eq!(burst[..len], frame[..len]);
            let tagged = Endpoints { vlan: 5, ..ends };
            assert_eq!(DualTemplate::new(&tagged).unwrap().endpoints(), tagged);
            match HeaderTemplate::new(&tagged) {
                Some(narrow) => assert!(!ipv6 && narrow.endpoints() == tagged),
                None => assert!(ipv6),
            }
            let mixed = Endpoints { remote_ip: address(1, !ipv6), ..ends };
            assert!(DualTemplate::new(&mixed).is_none() && emit(&mut frame, &mixed, &segment, 0).is_none());
        }
    }

    proptest! {
        #[test]
        fn emitted_frames_parse(
            seq: u32, ack: u32, flags in 0u8..64, window: u16, options in any_options(),
            payload in proptest::collection::vec(any::<u8>(), 0..64), ip_id: u16, ips: (u32, u32), ports: (u16, u16),
            ipv6: bool,
        ) {
            let ends = Endpoints {
                local_ip: address(ips.0, ipv6), remote_ip: address(ips.1, ipv6), local_port: ports.0, remote_port: ports.1,
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
        fn hostile_bytes_do_not_panic(
            mut frame in proptest::collection::vec(any::<u8>(), 0..120), guide: bool, ipv6: bool,
        ) {
            if guide && ipv6 && frame.len() > 40 {
                frame[12..15].copy_from_slice(&[0x86, 0xDD, 0x60]);
                frame[18] = 0;
                frame[20] = 6;
            } else if guide && frame.len() > 40 {
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

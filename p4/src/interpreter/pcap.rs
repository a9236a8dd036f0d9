//! Packets from capture files: pcap with stamps in microseconds or nanoseconds, of either byte order, of
//! Ethernet frames. Anything else is refused, and so is a file that does not end where a packet does.

use super::Error;
use nom::bytes::complete::take;
use nom::combinator::map;
use nom::number::complete::{u16, u32};
use nom::number::Endianness;
use nom::sequence::tuple;
use nom::IResult;

/// A captured packet is no longer than this: Linux's own limit for captures.
const MAX_PACKET_BYTES: u32 = 262_144;
const LINKTYPE_ETHERNET: u32 = 1;
const PCAPNG_MAGIC: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];

/// The frames of a capture file, in order, without check sequences.
pub fn frames(file: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let (mut rest, (endianness, link_type)) = file_header(file)?;
    // The upper bits tell about check sequences.
    if link_type & 0xFFFF != LINKTYPE_ETHERNET {
        return Err(Error(format!("the packets are of link type {link_type}; Ethernet is 1")));
    }
    if link_type & 0x0400_0000 != 0 && link_type >> 28 != 0 {
        return Err(Error(
            "the frames come with their check sequences, which a NIC's program never sees".into(),
        ));
    }
    let mut frames = vec![];
    while !rest.is_empty() {
        let number = frames.len() + 1;
        let at = file.len() - rest.len();
        let truncated = |what: &str| {
            Error(format!(
                "the file is truncated: it ends within {what} of packet {number}, which begins at byte {at}"
            ))
        };
        let (after, (captured, original)) =
            record_header(rest, endianness).map_err(|_| truncated("the header"))?;
        if captured > MAX_PACKET_BYTES {
            return Err(Error(format!(
                "packet {number} at byte {at} claims {captured} bytes: the file is damaged"
            )));
        }
        if captured != original {
            return Err(Error(format!(
                "packet {number} was cut to {captured} of its {original} bytes when captured; capture whole packets"
            )));
        }
        let body: IResult<&[u8], &[u8]> = take(captured)(after);
        let (after, frame) = body.map_err(|_| truncated("the bytes"))?;
        frames.push(frame);
        rest = after;
    }
    Ok(frames)
}

/// Byte order and link type.
fn file_header(file: &[u8]) -> Result<(&[u8], (Endianness, u32)), Error> {
    let not_pcap = |why: &str| Error(format!("this is not a pcap file: {why}"));
    let magic = file.first_chunk::<4>().ok_or(not_pcap("it has less than 4 bytes"))?;
    let endianness = match u32::from_le_bytes(*magic) {
        0xA1B2_C3D4 | 0xA1B2_3C4D => Endianness::Little,
        0xD4C3_B2A1 | 0x4D3C_B2A1 => Endianness::Big,
        _ if *magic == PCAPNG_MAGIC => {
            return Err(not_pcap("it is pcapng; `tcpdump -r IN -w OUT` converts it"));
        }
        _ => return Err(not_pcap("it does not begin with a magic number of one")),
    };
    let word = |input| u32::<&[u8], nom::error::Error<&[u8]>>(endianness)(input);
    let half = |input| u16::<&[u8], nom::error::Error<&[u8]>>(endianness)(input);
    // Magic, version, time zone, accuracy, longest packet, link type.
    let header = tuple((word, half, half, word, word, word, word))(file);
    let (rest, (_, major, minor, _, _, _, link_type)) =
        header.map_err(|_| Error("the file is truncated: it ends within its header".into()))?;
    if major != 2 {
        return Err(not_pcap(&format!("version {major}.{minor} is not known")));
    }
    Ok((rest, (endianness, link_type)))
}

/// How many bytes were captured, and how many the packet had.
fn record_header(input: &[u8], endianness: Endianness) -> IResult<&[u8], (u32, u32)> {
    let word = |input| u32(endianness)(input);
    map(tuple((word, word, word, word)), |(_, _, captured, original)| (captured, original))(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(magic: u32, big: bool, link_type: u32, frames: &[&[u8]]) -> Vec<u8> {
        let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let half = |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut bytes =
            [&word(magic)[..], &half(2), &half(4), &word(0), &word(0), &word(65_535), &word(link_type)]
                .concat();
        for frame in frames {
            let length = word(frame.len() as u32);
            bytes.extend([&word(7)[..], &word(8), &length, &length, frame].concat());
        }
        bytes
    }

    fn refused(bytes: &[u8]) -> String {
        frames(bytes).unwrap_err().0
    }

    #[test]
    fn both_byte_orders_and_both_resolutions() {
        for magic in [0xA1B2_C3D4, 0xA1B2_3C4D] {
            for big in [false, true] {
                let bytes = file(magic, big, 1, &[&[1; 60], &[], &[2; 1514]]);
                assert_eq!(frames(&bytes).unwrap(), [&[1; 60][..], &[], &[2; 1514]]);
            }
        }
    }

    #[test]
    fn a_file_that_ends_anywhere_but_behind_a_packet_is_refused() {
        let bytes = file(0xA1B2_C3D4, false, 1, &[&[1; 20], &[2; 9]]);
        let whole = [24, 24 + 36, 24 + 36 + 25];
        for length in 0..=bytes.len() {
            let result = frames(&bytes[..length]);
            assert_eq!(result.is_ok(), whole.contains(&length), "{length}: {result:?}");
        }
        assert!(refused(&bytes[..30]).contains("within the header of packet 1, which begins at byte 24"));
        assert!(refused(&bytes[..80]).contains("within the bytes of packet 2, which begins at byte 60"));
    }

    #[test]
    fn what_is_no_capture_of_whole_frames_is_refused_with_the_reason() {
        let good = file(0xA1B2_C3D4, false, 1, &[&[1; 20]]);
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            refused(&bytes)
        };
        assert!(refused(&[PCAPNG_MAGIC, [0; 4]].concat()).contains("pcapng"));
        assert!(with(0, 0).contains("magic"));
        assert!(with(4, 3).contains("version 3.4"));
        assert!(with(20, 113).contains("link type 113"));
        assert!(with(23, 0x24).contains("check sequences"));
        assert!(with(36, 60).contains("cut to 20 of its 60 bytes"));
        assert!(with(35, 1).contains("claims 16777236 bytes"));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic() {
        use rand_chacha::rand_core::{RngCore, SeedableRng};
        let good = file(0xA1B2_3C4D, true, 1, &[&[1; 20], &[3; 40]]);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..rng.next_u32() % 4 {
                let at = rng.next_u32() as usize % bytes.len();
                bytes[at] = rng.next_u32() as u8;
            }
            bytes.truncate(rng.next_u32() as usize % (bytes.len() + 1));
            if let Ok(frames) = frames(&bytes) {
                assert!(frames.iter().map(|frame| frame.len() + 16).sum::<usize>() + 24 == bytes.len());
            }
        }
    }
}

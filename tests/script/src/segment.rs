//! Segments with their payload, and the bytes that both streams are made of.

use baton_tcp::{Flags, Options, SegmentIn, SegmentOut, SeqNumber};

/// Which of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What the endpoint under test sends.
    Endpoint,
    /// What the script sends.
    Peer,
}

/// The byte at `index` of a stream, so that one in a wrong place is seen.
pub fn pattern(stream: Stream, index: u32) -> u8 {
    let salt = match stream {
        Stream::Endpoint => 0x5A,
        Stream::Peer => 0xC3,
    };
    (index.wrapping_mul(0x9E37_79B1) >> 23) as u8 ^ salt
}

/// A segment in absolute numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub seq: SeqNumber,
    pub ack: SeqNumber,
    pub flags: Flags,
    pub window: u16,
    pub options: Options,
    pub payload: Vec<u8>,
}

impl Segment {
    /// Its header, as an engine takes it.
    pub fn header(&self) -> SegmentIn {
        SegmentIn {
            seq: self.seq,
            ack: self.ack,
            flags: self.flags,
            window: self.window,
            options: self.options,
            payload_len: self.payload.len() as u16,
            ecn: 0,
        }
    }

    /// What an engine sends, with its payload.
    pub fn from_out(out: &SegmentOut, payload: Vec<u8>) -> Self {
        let SegmentOut { seq, ack, flags, window, options, .. } = *out;
        Segment { seq, ack, flags, window, options, payload }
    }
}

//! The host link: frames between the NIC's AXI boundary and a program on a PC (`docs/hostlink.md`).
//!
//! One frame carries one message. Fields are little-endian words behind the Ethernet header, which two bytes of ours
//! fill up to sixteen bytes, so that all words are aligned for 32-bit hardware:
//!
//! ```text
//! word 0  destination, bytes 0-3
//! word 1  destination, bytes 4-5; source, bytes 0-1
//! word 2  source, bytes 2-5
//! word 3  EtherType 0x88B5 (big-endian, as on every wire); version; kind
//! word 4  session
//! word 5  sequence number 15:0; acknowledgement 31:16: the number expected next
//! word 6  credit 7:0; data words 15:8; info 31:16
//! word 7  address, or a word of data
//! word 8… data words
//! ```
//!
//! *Board* is the end with the NIC, *PC* the one with the memory.

/// EtherType: the first of those that IEEE 802 sets aside for local experiments.
pub const ETHERTYPE: u16 = 0x88B5;
/// Version of this protocol. Frames of another are dropped.
pub const VERSION: u8 = 1;
/// Words of the header.
pub const HEADER_WORDS: usize = 8;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 4 * HEADER_WORDS;
/// Most data words of a frame: the longest burst.
pub const DATA_WORDS_MAX: usize = 64;
/// Least bytes of a frame without its check sequence; a shorter message is filled up with zeros.
pub const FRAME_BYTES_MIN: usize = 60;
/// Most bytes of a frame without its check sequence.
pub const FRAME_BYTES_MAX: usize = HEADER_BYTES + 4 * DATA_WORDS_MAX;
/// Messages that the board keeps in each direction: its greatest credit, and the most that it sends ahead.
pub const SLOTS: u16 = 16;

/// Kinds of frames. Those from 0x10 on are numbered; 0x10 to 0x1F go to the board, 0x20 to 0x2F to the PC.
pub mod kind {
    /// PC: start the session named in the header, or answer if it stands. May go to the broadcast address.
    pub const HELLO: u8 = 1;
    /// Board: the session stands; numbers start at zero, the NIC was reset. Word 7: as in `ACK`.
    pub const WELCOME: u8 = 2;
    /// Acknowledgement alone. Info: `ack::*`. Word 7 from the board: frames dropped 15:0, times that it went back 31:16.
    pub const ACK: u8 = 3;
    /// Write registers: data words to the address, or to it and those that follow (`reg::RISING`).
    pub const REG_WRITE: u8 = 0x10;
    /// Read the register at the address.
    pub const REG_READ: u8 = 0x11;
    /// Info: how many of the oldest writes to memory are done, 7:0, and `write_done::FAILED` if the last of them failed.
    pub const WRITE_DONE: u8 = 0x12;
    /// The words of the oldest read of memory, as many as asked for; or info `read_data::FAILED` and no words.
    pub const READ_DATA: u8 = 0x13;
    /// Write memory from the address on. Info: strobes of the first word 3:0, and of the last 7:4 (those of the first if
    /// it is the only one); words between are whole. No words: a burst with other strobes, which must fail.
    pub const WRITE: u8 = 0x20;
    /// Read memory. Info: words, 1 to 64.
    pub const READ: u8 = 0x21;
    /// Answer to `REG_READ`. Word 7: the data. Info: AXI response.
    pub const REG_DATA: u8 = 0x22;
    /// A register write failed. Word 7: its address. Info: AXI response.
    pub const REG_FAILED: u8 = 0x23;
    /// The interrupt line changed. Info: its level.
    pub const IRQ: u8 = 0x24;
}

/// Info of `kind::ACK`.
pub mod ack {
    /// Answer by a frame.
    pub const ANSWER: u16 = 1;
    /// A frame was missed: send again from the acknowledged number on.
    pub const GAP: u16 = 2;
}

/// Info of `kind::REG_WRITE`.
pub mod reg {
    /// Each word goes to the address after that of the one before.
    pub const RISING: u16 = 1;
}

/// Info of `kind::WRITE_DONE`.
pub mod write_done {
    pub const FAILED: u16 = 0x100;
}

/// Info of `kind::READ_DATA`.
pub mod read_data {
    pub const FAILED: u16 = 1;
}

/// Everything of a frame but its data words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub destination: [u8; 6],
    pub source: [u8; 6],
    pub kind: u8,
    pub session: u32,
    pub seq: u16,
    pub ack: u16,
    /// Messages from `ack` on that the sender of this frame has room for.
    pub credit: u8,
    pub words: u8,
    pub info: u16,
    pub address: u32,
}

/// Why a frame is not one of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Shorter or longer than its message, or with more than 64 data words.
    Length,
    /// Another EtherType.
    EtherType,
    /// Another version of this protocol.
    Version(u8),
}

impl Header {
    /// Whether the frame has a sequence number.
    pub const fn is_numbered(&self) -> bool {
        self.kind >= 0x10
    }

    /// The header's bytes.
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..6].copy_from_slice(&self.destination);
        bytes[6..12].copy_from_slice(&self.source);
        bytes[12..14].copy_from_slice(&ETHERTYPE.to_be_bytes());
        bytes[14] = VERSION;
        bytes[15] = self.kind;
        bytes[16..20].copy_from_slice(&self.session.to_le_bytes());
        bytes[20..22].copy_from_slice(&self.seq.to_le_bytes());
        bytes[22..24].copy_from_slice(&self.ack.to_le_bytes());
        bytes[24] = self.credit;
        bytes[25] = self.words;
        bytes[26..28].copy_from_slice(&self.info.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.address.to_le_bytes());
        bytes
    }

    /// Header and data bytes of a frame without check sequence. The data is that of `words` words; what fills the frame up
    /// is left out.
    ///
    /// # Errors
    /// When it is no frame of this protocol and version, or its length is not that of its message.
    pub fn parse(frame: &[u8]) -> Result<(Header, &[u8]), Malformed> {
        let (bytes, rest) = frame.split_first_chunk::<HEADER_BYTES>().ok_or(Malformed::Length)?;
        let array = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let mac = |at: usize| core::array::from_fn(|i| bytes[at + i]);
        if [bytes[12], bytes[13]] != ETHERTYPE.to_be_bytes() {
            return Err(Malformed::EtherType);
        }
        if bytes[14] != VERSION {
            return Err(Malformed::Version(bytes[14]));
        }
        let header = Header {
            destination: mac(0),
            source: mac(6),
            kind: bytes[15],
            session: u32::from_le_bytes(array(16)),
            seq: half(20),
            ack: half(22),
            credit: bytes[24],
            words: bytes[25],
            info: half(26),
            address: u32::from_le_bytes(array(28)),
        };
        let data = 4 * usize::from(header.words);
        let whole = (HEADER_BYTES + data).max(FRAME_BYTES_MIN);
        if usize::from(header.words) > DATA_WORDS_MAX || frame.len() != whole {
            return Err(Malformed::Length);
        }
        Ok((header, &rest[..data]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header = Header {
            destination: [1, 2, 3, 4, 5, 6],
            source: [7, 8, 9, 10, 11, 12],
            kind: kind::WRITE,
            session: 0x1234_5678,
            seq: 0x9ABC,
            ack: 0xDEF0,
            credit: 16,
            words: 1,
            info: 0x4321,
            address: 0x8765_4321,
        };
        let mut frame = [0; FRAME_BYTES_MIN];
        frame[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
        frame[32..36].copy_from_slice(&[9, 8, 7, 6]);
        assert_eq!(Header::parse(&frame), Ok((header, &[9, 8, 7, 6][..])));
        assert_eq!(Header::parse(&frame[..59]), Err(Malformed::Length));
        frame[14] = 2;
        assert_eq!(Header::parse(&frame), Err(Malformed::Version(2)));
        frame[12] = 8;
        assert_eq!(Header::parse(&frame), Err(Malformed::EtherType));
        let mut long = [0; FRAME_BYTES_MAX + 4];
        long[..HEADER_BYTES].copy_from_slice(&Header { words: 65, ..header }.to_bytes());
        assert_eq!(Header::parse(&long), Err(Malformed::Length));
    }
}

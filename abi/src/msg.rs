//! Commands (host to NIC) and events (NIC to host).
//!
//! A message is one or more 32-byte slots. Word 0 is `code | slots << 8 | connection << 16`, word 1 the
//! host's cookie for the connection; the rest depends on the code. A record fills words 2 onwards.

use crate::ring::{SLOTS_MAX, SLOT_WORDS};

/// Names a connection on the NIC: its slot in the firmware's table and a generation, so that packets
/// and commands for a connection that has left are told from those of its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u16);

impl ConnId {
    /// Bits of the slot; the generation has the rest.
    pub const SLOT_BITS: u32 = 12;

    pub const fn new(slot: usize, generation: u16) -> Self {
        ConnId((slot as u16 & ((1 << Self::SLOT_BITS) - 1)) | generation << Self::SLOT_BITS)
    }

    pub const fn slot(self) -> usize {
        (self.0 & ((1 << Self::SLOT_BITS) - 1)) as usize
    }

    pub const fn generation(self) -> u16 {
        self.0 >> Self::SLOT_BITS
    }
}

/// First word of every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub code: u8,
    /// Slots of the whole message, 1 to [`SLOTS_MAX`].
    pub slots: u8,
    pub conn: ConnId,
}

impl Header {
    pub const fn to_word(self) -> u32 {
        self.code as u32 | (self.slots as u32) << 8 | (self.conn.0 as u32) << 16
    }

    pub const fn from_word(word: u32) -> Self {
        Header { code: word as u8, slots: (word >> 8) as u8, conn: ConnId((word >> 16) as u16) }
    }

    /// Whether the number of slots is one that a message can have.
    pub const fn slots_valid(self) -> bool {
        self.slots >= 1 && self.slots as usize <= SLOTS_MAX
    }
}

/// Slots of a message that carries `words` words after its first two.
pub const fn slots_for(words: usize) -> usize {
    (words + 2).div_ceil(SLOT_WORDS)
}

/// Commands. The connection field is unused in `HANDOFF`, which is answered by the connection's name.
pub mod command {
    /// Take a connection: the record from word 2. Answered by `ACCEPTED` or `REFUSED`.
    pub const HANDOFF: u8 = 1;
    /// Append to the send buffer: word 2 host address, word 3 length in bytes; words 4 and 5 likewise for what follows it, such
    /// as the body behind a head, or zero. Both are taken, or neither.
    pub const SEND: u8 = 2;
    /// Append to the receive buffer: word 2 host address, word 3 length in bytes.
    pub const RECEIVE_BUFFER: u8 = 3;
    /// Send FIN after everything in the send buffer.
    pub const SHUTDOWN: u8 = 4;
    /// Send RST and forget the connection. Answered by `CLOSED`.
    pub const ABORT: u8 = 5;
    /// Give the connection back. Answered by `RESTORED`, or by `ERROR` when it is gone.
    pub const RESTORE: u8 = 6;
    /// Report what the NIC keeps of the connection. Answered by `QUERY_REPLY`.
    pub const QUERY: u8 = 8;
    /// A router has reported that a segment does not fit a link (RFC 1191). Word 2: payload, without options, of one that would;
    /// word 3: the sequence number of the one that did not. Without effect where the TCB does not believe it.
    pub const LOWER_MSS: u8 = 9;
}

/// Events.
pub mod event {
    /// The NIC owns the connection named in the header. Word 2: `Cnum`.
    pub const ACCEPTED: u8 = 1;
    /// The handoff failed; the host still owns the connection. Word 2: a `refused` reason.
    pub const REFUSED: u8 = 2;
    /// Load control made a transition. Word 2: `Soft_Limit` from now on; word 3: the state in bits 7:0 and the state before in
    /// bits 15:8, numbered as in the mailbox; word 4: the core cycle; words 5 and 6: `Qlen` and `Cnum` that it found.
    pub const LOAD: u8 = 3;
    /// Least bit of the state before, in word 3 of [`LOAD`].
    pub const LOAD_BEFORE_SHIFT: u32 = 8;
    /// Progress since the last such event. Word 2: bytes of the send buffer that the peer acknowledged; word 3: bytes that arrived
    /// in order in the receive buffer; word 4: [`PROGRESS_PEER_CLOSED`], or 0. What the peer acknowledged alone makes an event when it
    /// is as much as what is left of the send buffer, or 32 KiB.
    pub const PROGRESS: u8 = 4;
    /// The peer sent FIN after the bytes of this event.
    pub const PROGRESS_PEER_CLOSED: u32 = 1;
    /// The connection has ended in order and is forgotten.
    pub const CLOSED: u8 = 7;
    /// The connection was reset or timed out and is forgotten. Word 2: a `reset` reason.
    pub const RESET: u8 = 8;
    /// The host owns the connection again. The record from word 2.
    pub const RESTORED: u8 = 9;
    /// Word 2: segments retransmitted since the handoff; word 3: bytes in flight. Segments sent and received stand in
    /// [`crate::regs::CONNECTION`].
    pub const QUERY_REPLY: u8 = 10;
    /// A command was malformed or named no connection. Word 2: an `error` code; word 3: the command's word 0.
    pub const ERROR: u8 = 11;
    /// The NIC has been overloaded for long, and this connection is among those that cost it most: it wishes for `RESTORE`.
    /// Word 2: its packets in a sample; word 3: the core cycle; words 4 and 5: `Qlen` and `Cnum`.
    pub const SHED: u8 = 12;
}

/// Why a handoff was refused.
pub mod refused {
    /// `Cnum` has reached `Soft_Limit`.
    pub const LIMIT: u32 = 1;
    /// The connection table is full.
    pub const TABLE_FULL: u32 = 2;
    /// The lookup bucket is full.
    pub const BUCKET_FULL: u32 = 3;
    /// The lookup table has this 4-tuple already.
    pub const DUPLICATE: u32 = 4;
    /// The record's version, state or contents are invalid.
    pub const BAD_RECORD: u32 = 5;
}

/// Why a connection was reset.
pub mod reset {
    /// The peer sent RST.
    pub const PEER: u32 = 1;
    /// Too many retransmissions.
    pub const TIMEOUT: u32 = 2;
}

/// What was wrong with a command.
pub mod error {
    /// Unknown code.
    pub const UNKNOWN_COMMAND: u32 = 1;
    /// Number of slots out of range or wrong for the code.
    pub const BAD_LENGTH: u32 = 2;
    /// No such connection on the NIC.
    pub const NO_CONNECTION: u32 = 3;
    /// The connection's list of buffers is full, or a length is zero or too large.
    pub const BAD_BUFFER: u32 = 4;
}

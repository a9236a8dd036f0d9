//! Descriptor rings and the index block in host memory.
//!
//! Indices are free-running 16-bit counters; entry `i` lies at `base + (i mod size) * entry bytes`. A ring
//! of `size` entries holds at most `size` of them: it is empty when the indices are equal, full when they
//! differ by `size`. The NIC writes its four indices, one word each, to the index block, after
//! everything that they announce.

/// Bytes of a transmit descriptor: `addr`, `len | flags << 16`, `csum_start | csum_offset << 16`,
/// `mss | header_len << 16`.
pub const TX_DESC_BYTES: u32 = 16;
/// Bytes of a receive descriptor, before and after completion.
pub const RX_DESC_BYTES: u32 = 16;
/// Bytes of a command or event slot.
pub const SLOT_BYTES: u32 = 32;
/// Words of a command or event slot.
pub const SLOT_WORDS: usize = 8;
/// Most slots of one command or event.
pub const SLOTS_MAX: usize = 9;

/// Bytes of the index block.
pub const INDEX_BYTES: u32 = 32;
/// Index block: word of the transmit ring's consumer index.
pub const INDEX_TX_CONS: usize = 0;
/// Index block: word of the receive ring's consumer index.
pub const INDEX_RX_CONS: usize = 1;
/// Index block: word of the command ring's consumer index.
pub const INDEX_CMD_CONS: usize = 2;
/// Index block: word of the event ring's producer index.
pub const INDEX_EVT_PROD: usize = 3;

/// Largest frame without its check sequence: 14 + 4 (VLAN) + 1500.
pub const FRAME_BYTES_MAX: u32 = 1518;
/// The same with `CONTROL.JUMBO`: 9018 bytes with the check sequence.
pub const JUMBO_FRAME_BYTES_MAX: u32 = 9014;
/// Smallest frame that the NIC accepts from the host: an Ethernet header.
pub const FRAME_BYTES_MIN: u32 = 14;
/// Bytes that the NIC leaves before a received frame, so that the IP header is aligned.
pub const RX_PAD_BYTES: u32 = 2;
/// Least size of a receive buffer. Its address is a multiple of 4.
pub const RX_BUFFER_BYTES_MIN: u32 = 1536;

/// Transmit flag: insert the one's complement sum from `csum_start` to the end at `csum_offset`. Both count
/// from the frame's first byte, and the field holds the pseudo-header's sum beforehand.
pub const TX_FLAG_CHECKSUM: u16 = 1 << 0;
/// Transmit flag: the frame re-enters the receive path instead of the wire (the `INJECT` command).
pub const TX_FLAG_INJECT: u16 = 1 << 1;

/// Transmit flag: the frame is cut into segments of `mss` bytes of payload. Its first `header_len` bytes are the
/// header of the first one: Ethernet without a tag, IPv4 without options, TCP; or IPv6 without extension headers, where the
/// P4 program has it in its table. Hardware fills in the length and the checksums, whatever the header holds there, adds the bytes that went before to the sequence number, counts the
/// identification up, and leaves PSH and FIN to the last segment. `csum_start`, `csum_offset` and
/// [`TX_FLAG_CHECKSUM`] have no meaning then; [`TX_FLAG_INJECT`] is refused.
pub const TX_FLAG_TSO: u16 = 1 << 2;
/// Largest frame with [`TX_FLAG_TSO`].
pub const TSO_FRAME_BYTES_MAX: u32 = 0xFFFF;
/// Least and most bytes of its header; two bytes more, it is a multiple of 4.
pub const TSO_HEADER_BYTES_MIN: u32 = 14 + 20 + 20;
pub const TSO_HEADER_BYTES_MAX: u32 = TSO_HEADER_BYTES_MIN + 40;
/// The most where the P4 program has IPv6.
pub const TSO_HEADER_BYTES_MAX_IPV6: u32 = TSO_HEADER_BYTES_MAX + 20;

/// A transmit descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TxDesc {
    /// Host address of the frame, any alignment.
    pub addr: u32,
    /// Bytes, from [`FRAME_BYTES_MIN`] to [`FRAME_BYTES_MAX`], or to [`JUMBO_FRAME_BYTES_MAX`], or, with
    /// [`TX_FLAG_TSO`], more than the header and up to [`TSO_FRAME_BYTES_MAX`].
    pub len: u16,
    pub flags: u16,
    pub csum_start: u16,
    pub csum_offset: u16,
    /// [`TX_FLAG_TSO`]: bytes of payload in each segment but the last. Header and so many bytes must make a frame
    /// that is allowed.
    pub mss: u16,
    /// [`TX_FLAG_TSO`]: bytes of the header.
    pub header_len: u16,
}

impl TxDesc {
    pub fn to_words(self) -> [u32; 4] {
        [
            self.addr,
            u32::from(self.len) | u32::from(self.flags) << 16,
            u32::from(self.csum_start) | u32::from(self.csum_offset) << 16,
            u32::from(self.mss) | u32::from(self.header_len) << 16,
        ]
    }
}

/// Receive flag: the IPv4 and TCP checksums were verified.
pub const RX_FLAG_CHECKSUM_OK: u16 = 1 << 0;
/// Receive flag: the packet had entered the NIC receive queue and the firmware passed it on.
pub const RX_FLAG_FROM_NIC: u16 = 1 << 1;

/// Receive flag: the frame was lost, because its buffer was too small or not DMA memory; `len` is 0.
pub const RX_FLAG_ERROR: u16 = 1 << 2;
/// Receive flags: the class of service that the P4 program chose for the frame, three bits; a higher one goes first.
pub const RX_CLASS_SHIFT: u16 = 4;
pub const RX_CLASS_MASK: u16 = 7;
/// Receive flags: the host's queue that the P4 program chose, eight bits. There is one ring; the driver sorts by this.
pub const RX_QUEUE_SHIFT: u16 = 8;

/// A completed receive descriptor, written over the one that posted the buffer (`addr`, `buffer length`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RxCompletion {
    /// Bytes of the frame; it starts [`RX_PAD_BYTES`] into the buffer.
    pub len: u16,
    pub flags: u16,
    /// Cycle at which the frame's last word arrived from the wire.
    pub arrival_cycle: u32,
    /// Cycle at which the NIC queued this completion for DMA.
    pub completion_cycle: u32,
}

impl RxCompletion {
    pub fn from_words(words: [u32; 4]) -> Self {
        RxCompletion {
            len: words[0] as u16,
            flags: (words[0] >> 16) as u16,
            arrival_cycle: words[1],
            completion_cycle: words[2],
        }
    }
}

//! The softcore's memory map and its memory-mapped registers.
//!
//! Core memory holds code and data and starts at [`RAM_BASE`]; the image's first word is the first
//! instruction. Device registers start at [`MMIO_BASE`]. Every device read answers in the next cycle and
//! has no side effect: what a read would have consumed, a write consumes. Addresses below are offsets
//! from [`MMIO_BASE`].

use crate::{register::register_block, Block};

/// First address of core memory, and the reset vector.
pub const RAM_BASE: u32 = 0x8000_0000;
/// First address of the device registers.
pub const MMIO_BASE: u32 = 0xF000_0000;

/// Work items of [`SCHED_NEXT`].
pub mod work {
    pub const NONE: u32 = 0;
    /// A host packet waits in the host receive queue: write `HOST_RX_GO`.
    pub const HOST_RX: u32 = 1;
    /// A host transmit descriptor waits: write `HOST_TX_GO`.
    pub const HOST_TX: u32 = 2;
    /// A segment waits in the NIC receive queue: read the `NIC_RX` window, then write `NIC_RX_POP`, `NIC_RX_COPY` or
    /// `NIC_RX_NEXT`.
    pub const NIC_RX: u32 = 3;
    /// A command waits: read the `CMD` window, then `CMD_POP`.
    pub const COMMAND: u32 = 4;
}

/// [`STATUS`]: there is room for at least [`JOB_ROOM`] more jobs.
pub const STATUS_JOB_ROOM: u32 = 1 << 0;
/// [`STATUS`]: there is room for nine more event slots, those of the longest event.
pub const STATUS_EVENT_ROOM: u32 = 1 << 1;
/// [`STATUS`]: a transmit header slot is free and a burst may be pushed.
pub const STATUS_TX_ROOM: u32 = 1 << 2;
/// [`STATUS`]: no job, event or burst of the firmware is unfinished.
pub const STATUS_QUIET: u32 = 1 << 3;

/// Jobs that [`STATUS_JOB_ROOM`] promises room for, and a segment or a command of [`SCHED_NEXT`] too.
pub const JOB_ROOM: u32 = 8;

/// Operations of [`JOB_GO`], carried out in order.
pub mod job {
    /// DMA `JOB_LEN` bytes at offset `JOB_SRC` of the oldest packet of the NIC queue to `JOB_ADDR`.
    pub const COPY: u32 = 1;
    /// Free the oldest packet of the NIC queue.
    pub const POP: u32 = 2;
    /// Deliver the oldest packet of the NIC queue to the host receive ring, then free it.
    pub const TO_HOST: u32 = 3;
    /// Deliver the next event slots, as many as `JOB_LEN` says, from those written to `EVT_DATA`.
    pub const EVENT: u32 = 4;
}

/// [`TX_GO`]: least bit of the connection value.
pub const TX_GO_CONN_SHIFT: u32 = 16;
/// Least and most bytes of a header in the [`TX_HEADER`] window, a multiple of 4: two of padding, Ethernet, IPv4
/// without options, TCP.
pub const TX_HEADER_BYTES_MIN: u32 = 2 + 14 + 20 + 20;
pub const TX_HEADER_BYTES_MAX: u32 = TX_HEADER_BYTES_MIN + 40;
/// The most where the P4 program has IPv6.
pub const TX_HEADER_BYTES_MAX_IPV6: u32 = TX_HEADER_BYTES_MAX + 20;
/// Most bytes of payload in one burst: 64 segments of 1460 bytes, and more.
pub const TX_BURST_BYTES_MAX: u32 = (1 << 17) - 1;

/// [`COUNTER_OP`]: set the counters to zero in the step that reads them.
pub const COUNTER_OP_CLEAR: u32 = 1 << 31;

/// Operations of [`LOOKUP_OP`].
pub mod lookup {
    pub const INSERT: u32 = 1;
    pub const DELETE: u32 = 2;
    pub const FIND: u32 = 3;

    /// `LOOKUP_RESULT`: still at work.
    pub const BUSY: u32 = 1 << 31;
    /// `LOOKUP_RESULT`: least bit of the outcome.
    pub const OUTCOME_SHIFT: u32 = 16;
    /// Outcome: done; for FIND and DELETE the low half is the value of the entry.
    pub const OK: u32 = 0;
    /// Outcome of INSERT: the bucket is full.
    pub const FULL: u32 = 1;
    /// Outcome of DELETE and FIND: no such entry.
    pub const ABSENT: u32 = 2;
    /// Outcome of INSERT: the key is there already; nothing was changed.
    pub const EXISTS: u32 = 3;
}

/// The words of the NIC receive descriptor in the [`NIC_RX`] window.
pub mod nic_rx {
    /// Connection value [15:0], payload length in bytes [31:16].
    pub const CONN_LEN: usize = 0;
    /// As `JOB_SRC_LEN` takes it, to copy the whole payload: its offset in the stored frame [13:0] (the frame's first byte
    /// is at offset 2), and its length in bytes [31:16]; beside them the ECN bits [15:14].
    pub const OFFSET: usize = 1;
    /// Least bit of the ECN bits.
    pub const ECN_SHIFT: u32 = 14;
    /// The offset's bits.
    pub const OFFSET_MASK: u32 = (1 << ECN_SHIFT) - 1;
    /// Cycle at which the frame's last word arrived.
    pub const ARRIVAL: usize = 2;
    /// TCP sequence number.
    pub const SEQ: usize = 3;
    /// TCP acknowledgement number.
    pub const ACK: usize = 4;
    /// Data offset, reserved bits and flags [31:16] as in the header's own half-word, window [15:0].
    pub const FLAGS_WINDOW: usize = 5;
    /// TCP options, most significant byte first; as many words as the data offset says.
    pub const OPTIONS: usize = 6;
    /// Words in a descriptor.
    pub const WORDS: usize = 16;
}

register_block! {
    /// Scheduler, time and sleep.
    CORE {
        /// The next work item. For seven cycles after a write that consumes an item it reads 0. A segment or a command is
        /// shown when eight jobs have room.
        SCHED_NEXT = 0x0000, ReadOnly, { ITEM[2:0] "0 none, 1 host rx, 2 host tx, 3 NIC rx, 4 command" };
        /// Room in the job, event and transmit queues.
        STATUS = 0x0004, ReadOnly, {
            JOB_ROOM[0:0] "room for at least eight jobs", EVENT_ROOM[1:1] "room for nine event slots",
            TX_ROOM[2:2] "a burst may be pushed", QUIET[3:3] "nothing of the firmware is unfinished"
        };
        /// Microseconds since reset, wrapping.
        TIME_US = 0x0008, ReadOnly;
        /// Core clock cycles since reset, wrapping.
        CORE_CYCLES = 0x000C, ReadOnly;
        /// WFI ends when there is work, or when TIME_US has reached this value (signed difference).
        WAKE_AT = 0x0010, ReadWrite;
        /// Moves the waiting host packet on to the host receive ring.
        HOST_RX_GO = 0x0014, WriteOnly;
        /// Moves the waiting host transmit descriptor on to the transmit engine.
        HOST_TX_GO = 0x0018, WriteOnly;
        /// Advances the NIC_RX window to the next segment. The packet's bytes stay until job POP.
        NIC_RX_NEXT = 0x001C, WriteOnly;
        /// Drops as many command slots as the value says from the head of the CMD window.
        CMD_POP = 0x0020, WriteOnly, { SLOTS[6:0] "slots" };
        /// Command slots that the CMD window holds.
        CMD_COUNT = 0x0024, ReadOnly, { SLOTS[6:0] "slots" };
        /// Segments in the NIC receive queue (`Qlen`) and where it stands.
        NIC_RX_QLEN = 0x0028, ReadOnly, { QLEN[15:0] "segments", ABOVE_HIWAT[16:16] "Qlen > Hiwat", BELOW_LOWAT[17:17] "Qlen < Lowat" };
        /// `Hiwat` and `Lowat` of the hardware comparison, in segments.
        NIC_RX_MARKS = 0x002C, ReadWrite, { HIWAT[15:0] "segments", LOWAT[31:16] "segments" };
        /// Bits of STATUS that end WFI too. Write it before WAKE_AT.
        WAKE_ON = 0x0030, ReadWrite, { MASK[3:0] "as STATUS" };
    }
}

register_block! {
    /// Jobs of the receive mover, and events.
    JOBS {
        /// Source offset and length of the next job.
        JOB_SRC_LEN = 0x0040, WriteOnly, { SRC[13:0] "offset in the stored frame, bytes", LEN[31:16] "bytes, or event slots" };
        /// Host address of the next job.
        JOB_ADDR = 0x0044, WriteOnly;
        /// Pushes a job. Writes while there is no room are lost; read STATUS first.
        JOB_GO = 0x0048, WriteOnly, { OP[2:0] "1 copy, 2 pop, 3 to host, 4 event" };
        /// Appends a word to the event words. Eight words make a slot.
        EVT_DATA = 0x004C, WriteOnly;
        /// Advances the NIC_RX window and pushes the job POP, for a packet of which nothing is wanted.
        NIC_RX_POP = 0x0050, WriteOnly;
        /// Advances the NIC_RX window, and pushes a job that copies what JOB_SRC_LEN says of the packet in it to the host
        /// address that is written and then frees it.
        NIC_RX_COPY = 0x0054, WriteOnly, { ADDR[31:0] "host address" };
    }
}

register_block! {
    /// Transmission of bursts: a header, and payload that is cut into segments.
    TRANSMIT {
        /// Host address of the payload.
        TX_ADDR = 0x0060, WriteOnly;
        /// Payload length in bytes; 0 sends the header alone.
        TX_LEN = 0x0064, WriteOnly, { LEN[16:0] "bytes" };
        /// Sends the header in the TX_HEADER window once for each TX_MSS bytes of payload, and for what remains.
        /// The header starts with two bytes of padding, which are counted: if they are not zero, they are the control
        /// information of a VLAN tag (TPID 0x8100) that goes in behind the addresses. It is that of the first
        /// segment, over IPv4, or over IPv6 where the P4 program has it in its table; hardware fills in the length and the checksums, adds the bytes that went before to the
        /// sequence number, counts the identification up, and leaves PSH and FIN to the last segment.
        TX_GO = 0x0068, WriteOnly, {
            HEADER_LEN[7:0] "bytes, with the padding: 56 to 96, or to 116 for IPv6, a multiple of 4", CONN[31:16] "connection value, for the counters"
        };
        /// Bytes of payload in each segment but the last. It stays until written again.
        TX_MSS = 0x006C, WriteOnly, { MSS[13:0] "bytes, 1 and up; a frame must not be larger than allowed" };
        /// Bursts that were refused, or abandoned because their payload could not be read, and the connection of
        /// the last one. What was sent of such a burst is a number of its first segments.
        TX_LOST = 0x0070, ReadOnly, { COUNT[15:0] "bursts, wrapping", CONN[31:16] "connection value" };
        /// For payload from two places: bytes of it that lie at TX_ADDR; the others lie at TX_REST. 0: all lie at TX_ADDR. TX_GO sets it to 0.
        TX_CUT = 0x0074, WriteOnly, { CUT[16:0] "bytes" };
        /// Host address of the payload from byte TX_CUT on.
        TX_REST = 0x0078, WriteOnly;
    }
}

register_block! {
    /// The lookup table of connections on the NIC.
    LOOKUP {
        /// Appends a word to the key of the next operation, which is made of the last words written, the first of them the most
        /// significant. How many there are, and what they hold, the description of the P4 program's control plane says.
        LOOKUP_KEY = 0x0080, WriteOnly;
        /// Value of an entry to insert.
        LOOKUP_VALUE = 0x008C, ReadWrite, { VALUE[15:0] "connection value" };
        /// Starts an operation.
        LOOKUP_OP = 0x0090, WriteOnly, { OP[1:0] "1 insert, 2 delete, 3 find" };
        /// Its outcome.
        LOOKUP_RESULT = 0x0094, ReadOnly, { VALUE[15:0] "value found", OUTCOME[17:16] "0 ok, 1 full, 2 absent, 3 exists", BUSY[31:31] "at work" };
    }
}

register_block! {
    /// Counters of one connection, as the host sees them in `regs::CONNECTION`. Each wraps at 2^32.
    COUNTERS {
        /// Reads the counters of a connection into the registers below, all in one step.
        COUNTER_OP = 0x00A0, WriteOnly, {
            CONNECTION[15:0] "connection value; bits that the table has no slots for are ignored",
            CLEAR[31:31] "and sets them to zero, so that nothing is counted twice or lost"
        };
        /// Whether that is still to come.
        COUNTER_STATUS = 0x00A4, ReadOnly, { BUSY[0:0] "for at most 24 cycles after a write of COUNTER_OP" };
        /// Segments that entered the NIC receive queue.
        COUNTER_RX_PACKETS = 0x00A8, ReadOnly;
        /// Their TCP payload, in bytes.
        COUNTER_RX_BYTES = 0x00AC, ReadOnly;
        /// Segments that the segmenter sent.
        COUNTER_TX_PACKETS = 0x00B0, ReadOnly;
        /// Their TCP payload, in bytes.
        COUNTER_TX_BYTES = 0x00B4, ReadOnly;
    }
}

register_block! {
    /// Words shared with the host, as in `regs::mailbox`.
    SHARED {
        /// Configuration: the host writes, the firmware reads.
        MBOX_CFG[16] = 0x0100, ReadOnly;
        /// Status: the firmware writes, the host reads.
        MBOX_STS[16] = 0x0140, WriteOnly;
    }
}

register_block! {
    /// Windows on the heads of queues.
    WINDOWS {
        /// Descriptor of the segment at the head of the NIC receive queue.
        NIC_RX[16] = 0x0200, ReadOnly;
        /// Header of the burst to send, most significant byte first; written, then TX_GO.
        TX_HEADER[32] = 0x0280, WriteOnly;
        /// The command slots at the head of the command queue, eight words each.
        CMD[72] = 0x0300, ReadOnly;
    }
}

/// [`BOARD_KIND`]: what the firmware runs on.
pub mod board {
    /// No board: none of its devices is there.
    pub const NONE: u32 = 0;
    pub const VERSA: u32 = 1;
    pub const COLORLIGHT_I9: u32 = 2;
    pub const COLORLIGHT_5A75B: u32 = 3;
    pub const ECPIX5: u32 = 4;
    /// A board in co-simulation; PHYs on one management bus each.
    pub const MODEL: u32 = 255;
}
/// [`BOARD_KIND`]: least bit of how long a PHY is held in reset, and how long it then needs.
pub const BOARD_RESET_MS_SHIFT: u32 = 8;
/// [`BOARD_KIND`]: both ports' PHYs are on the bus of port 0.
pub const BOARD_SHARED_BUS: u32 = 1 << 16;
/// [`BOARD_MDIO`], written: least bits of register and PHY, and that it is a write.
pub const BOARD_MDIO_REGISTER_SHIFT: u32 = 16;
pub const BOARD_MDIO_PHY_SHIFT: u32 = 21;
pub const BOARD_MDIO_WRITE: u32 = 1 << 26;
/// [`BOARD_MDIO`], read.
pub const BOARD_MDIO_BUSY: u32 = 1 << 16;
pub const BOARD_MDIO_NO_ANSWER: u32 = 1 << 17;
/// [`BOARD_PHY`]: the PHYs of both ports are held in reset.
pub const BOARD_PHY_RESET: u32 = 1 << 0;
/// [`BOARD_PHY`]: the firmware has set the PHYs up.
pub const BOARD_PHY_DONE: u32 = 1 << 1;
/// [`BOARD_CONSOLE`], read: there is room for 32 bytes or more.
pub const BOARD_CONSOLE_ROOM: u32 = 1 << 0;

register_block! {
    /// Devices of a board: PHYs and console. All read zero where there is no board. They keep what they hold when the host
    /// link resets the NIC.
    BOARD {
        /// What the board is, and what its PHYs need.
        BOARD_KIND = 0x0180, ReadOnly, {
            KIND[7:0] "0 none, 1 versa, 2 colorlight-i9, 3 colorlight-5a75b, 4 ecpix5, 255 co-simulation",
            RESET_MS[15:8] "milliseconds that PHYs are held in reset, and need after it",
            SHARED_BUS[16:16] "both PHYs are on the management bus of port 0"
        };
        /// Management bus of each port. A write starts an access; until it is over a write is ignored.
        BOARD_MDIO[2] = 0x0184, ReadWrite, {
            DATA[15:0] "to write, or as read", REGISTER[20:16] "written: register; read: BUSY and, above it, NO_ANSWER",
            PHY[25:21] "written: address", WRITE[26:26] "written: 1 to write"
        };
        /// The PHYs' reset, and that the firmware has set them up.
        BOARD_PHY = 0x018C, ReadWrite, { RESET[0:0] "held in reset", DONE[1:1] "set up" };
        /// Console, 115,200 bits a second, 8 bits, no parity: a write appends a byte, which is lost when 64 wait.
        BOARD_CONSOLE = 0x0190, ReadWrite, { BYTE[7:0] "written; read: bit 0, room for 32 bytes" };
    }
}

/// The blocks of a board, beside [`BLOCKS`].
pub const BOARD_BLOCKS: &[Block] = &[BOARD];

/// Every block, in address order.
pub const BLOCKS: &[Block] = &[CORE, JOBS, TRANSMIT, LOOKUP, COUNTERS, SHARED, WINDOWS];

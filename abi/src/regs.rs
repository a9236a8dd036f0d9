//! Registers that the host driver sees, on the AXI4-Lite slave. Byte addresses, 32-bit words.
//!
//! An access outside every block answers SLVERR; a write to a read-only register is ignored.

use crate::{register::register_block, Block};

/// Contents of [`ID`]: "BATN" in ASCII.
pub const ID_VALUE: u32 = 0x4241_544E;
/// Contents of [`VERSION`]: major in the high half, minor in the low half.
pub const VERSION_VALUE: u32 = 0x0000_0001;

/// [`CONTROL`]: the softcore runs; while zero it is held in reset and firmware may be loaded.
pub const CONTROL_CORE_RUN: u32 = 1 << 0;
/// [`CONTROL`]: least bit of the scheduler mode.
pub const CONTROL_MODE_SHIFT: u32 = 4;
/// [`CONTROL`]: frames of up to 9018 bytes are taken, check sequence included; without it, 1518, with a VLAN tag 1522.
pub const CONTROL_JUMBO: u32 = 1 << 8;
/// [`TICKS_PER_US`]: least bit of STEP.
pub const TICKS_STEP_SHIFT: u32 = 16;
/// [`CAPABILITIES`]: this NIC has the memory for [`CONTROL_JUMBO`].
pub const CAPABILITIES_JUMBO: u32 = 1 << 0;
/// [`CAPABILITIES`]: this NIC cuts frames into segments; without it, a descriptor with `ring::TX_FLAG_TSO` is refused.
pub const CAPABILITIES_TSO: u32 = 1 << 1;
/// [`CAPABILITIES`]: least bit of log2 of the connections that lookup table and counters are made for.
pub const CAPABILITIES_CONNECTIONS_SHIFT: u32 = 8;
/// [`CAPABILITIES`]: least bit of the words of a key of the table of connections; none without a table.
pub const CAPABILITIES_KEY_WORDS_SHIFT: u32 = 4;
/// [`CAPABILITIES`]: least bit of what tells the key's layout from another, as the description of the control plane has it.
pub const CAPABILITIES_KEY_LAYOUT_SHIFT: u32 = 16;

/// [`RX_FILTER`]: every frame is taken, whatever its destination.
pub const RX_FILTER_PROMISCUOUS: u32 = 1 << 0;
/// [`RX_FILTER`]: broadcast frames are taken.
pub const RX_FILTER_BROADCAST: u32 = 1 << 1;
/// [`RX_FILTER`]: multicast frames are taken.
pub const RX_FILTER_MULTICAST: u32 = 1 << 2;

/// How the NIC orders its work; the value of `CONTROL.SCHED_MODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SchedMode {
    /// The core moves every packet, in order of arrival over all queues.
    Fcfs = 0,
    /// The core moves every packet, those of the host first (Kim & Rixner, Section 3.1).
    HostFirst = 1,
    /// Hardware moves host packets without the core.
    Direct = 2,
}

/// [`IRQ_CAUSE`]: the event ring has new entries.
pub const IRQ_EVENT: u32 = 1 << 0;
/// [`IRQ_CAUSE`]: host packets were received.
pub const IRQ_RX: u32 = 1 << 1;
/// [`IRQ_CAUSE`]: transmit descriptors were consumed.
pub const IRQ_TX: u32 = 1 << 2;
/// [`IRQ_CAUSE`]: commands were consumed.
pub const IRQ_CMD: u32 = 1 << 3;
/// [`IRQ_CAUSE`]: a DMA access was refused or failed.
pub const IRQ_DMA_ERROR: u32 = 1 << 4;

/// Rings in the order of their register groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    Tx = 0,
    Rx = 1,
    Cmd = 2,
    Event = 3,
}

/// Bytes between the register groups of two rings.
pub const RING_STRIDE: u32 = 0x10;
/// Largest value of `RING_SIZE_LOG2`.
pub const RING_SIZE_LOG2_MAX: u32 = 12;
/// [`DMA_FAULT`] kind: outside the registered ranges, no access was made.
pub const DMA_FAULT_REFUSED: u32 = 1;
/// [`DMA_FAULT`] kind: memory answered SLVERR.
pub const DMA_FAULT_SLVERR: u32 = 2;
/// [`DMA_FAULT`] kind: memory answered DECERR.
pub const DMA_FAULT_DECERR: u32 = 3;
/// [`DMA_FAULT`]: the access was a write.
pub const DMA_FAULT_WRITE: u32 = 1 << 2;
/// Number of DMA ranges.
pub const DMA_RANGES: usize = 4;

register_block! {
    /// Identity, control and interrupt.
    IDENTITY {
        /// Reads "BATN".
        ID = 0x0000, ReadOnly, reset 0x4241_544E;
        /// Version of this register map.
        VERSION = 0x0004, ReadOnly, reset 0x0000_0001, { MAJOR[31:16] "incompatible changes", MINOR[15:0] "additions" };
        /// Run control and scheduler mode.
        CONTROL = 0x0008, ReadWrite, {
            CORE_RUN[0:0] "1: the softcore runs; 0: it is held in reset and firmware may be loaded",
            SCHED_MODE[5:4] "0 fcfs, 1 host-first, 2 direct",
            JUMBO[8:8] "1: frames of up to 9018 bytes, 0: 1518, or 1522 with a VLAN tag; change it only while no frame is queued. Stays 0 where CAPABILITIES lacks JUMBO"
        };
        /// The time base of the firmware: TICKS core clock cycles are STEP microseconds. Set it before CORE_RUN; while the
        /// core runs it may be changed to follow another clock.
        TICKS_PER_US = 0x000C, ReadWrite, reset 125, {
            TICKS[15:0] "cycles; 0 counts as 1",
            STEP[31:16] "microseconds, for a clock that is no whole number of megahertz; 0 counts as 1"
        };
        /// Why the interrupt line is high.
        IRQ_CAUSE = 0x0010, WriteOneToClear, {
            EVENT[0:0] "event ring has new entries", RX[1:1] "host packets received",
            TX[2:2] "transmit descriptors consumed", CMD[3:3] "commands consumed",
            DMA_ERROR[4:4] "a DMA access was refused or failed"
        };
        /// Causes that raise the interrupt line.
        IRQ_ENABLE = 0x0014, ReadWrite, { MASK[4:0] "as IRQ_CAUSE" };
        /// Core clock cycles since reset, wrapping.
        CYCLES = 0x0018, ReadOnly;
        /// What this build of the NIC has.
        CAPABILITIES = 0x001C, ReadOnly, {
            JUMBO[0:0] "memory for jumbo frames", TSO[1:1] "transmit descriptors may have TSO", KEY_WORDS[7:4] "words of a key of the table of connections, 0 without a table",
            CONNECTIONS_LOG2[12:8] "log2 of the connections it is made for",
            KEY_LAYOUT[31:16] "digest of the key's layout, as the description of the P4 program's control plane has it"
        };
        /// Byte address in core memory of the next FW_DATA word.
        FW_ADDR = 0x0020, ReadWrite, { OFFSET[23:0] "bytes from the start of core memory, a multiple of 4" };
        /// Writes a word of core memory at FW_ADDR and advances it by 4. Ignored while CORE_RUN is 1.
        FW_DATA = 0x0024, WriteOnly;
        /// Bytes of core memory.
        FW_SIZE = 0x0028, ReadOnly;
        /// Microseconds since reset by the firmware's time base, wrapping.
        TIME_US = 0x002C, ReadOnly;
        /// Key of the lookup hash; set it before the first handoff.
        HASH_KEY[2] = 0x0030, ReadWrite;
        /// Host address, a multiple of 32, where the NIC writes its ring indices.
        INDEX_ADDR = 0x0038, ReadWrite;
        /// How much slower than its clock the softcore runs, beside a data path at full rate; for experiments. Stays 0 in an
        /// NIC for a board.
        CORE_PACE = 0x003C, ReadWrite, { SKIP[15:0] "cycles of 65536 in which the softcore stands still" };
    }
}

register_block! {
    /// Four descriptor rings: transmit, receive, command, event, 16 bytes of registers each.
    RINGS {
        /// Transmit ring: host address, a multiple of 64.
        TX_BASE = 0x0040, ReadWrite;
        /// Transmit ring: log2 of its number of descriptors, 0 to 12.
        TX_SIZE_LOG2 = 0x0044, ReadWrite, { LOG2[3:0] "log2 of the number of entries" };
        /// Transmit ring: producer index, written by the host (the doorbell). Free-running, 16 bits.
        TX_PROD = 0x0048, ReadWrite, { INDEX[15:0] "free-running" };
        /// Transmit ring: consumer index of the NIC.
        TX_CONS = 0x004C, ReadOnly, { INDEX[15:0] "free-running" };
        /// Receive ring: host address, a multiple of 64.
        RX_BASE = 0x0050, ReadWrite;
        /// Receive ring: log2 of its number of descriptors, 0 to 12.
        RX_SIZE_LOG2 = 0x0054, ReadWrite, { LOG2[3:0] "log2 of the number of entries" };
        /// Receive ring: producer index, written by the host when it posts buffers.
        RX_PROD = 0x0058, ReadWrite, { INDEX[15:0] "free-running" };
        /// Receive ring: index of the next buffer that the NIC completes.
        RX_CONS = 0x005C, ReadOnly, { INDEX[15:0] "free-running" };
        /// Command ring: host address, a multiple of 64.
        CMD_BASE = 0x0060, ReadWrite;
        /// Command ring: log2 of its number of slots, 0 to 12.
        CMD_SIZE_LOG2 = 0x0064, ReadWrite, { LOG2[3:0] "log2 of the number of entries" };
        /// Command ring: producer index, written by the host.
        CMD_PROD = 0x0068, ReadWrite, { INDEX[15:0] "free-running" };
        /// Command ring: consumer index of the NIC.
        CMD_CONS = 0x006C, ReadOnly, { INDEX[15:0] "free-running" };
        /// Event ring: host address, a multiple of 64.
        EVT_BASE = 0x0070, ReadWrite;
        /// Event ring: log2 of its number of slots, 0 to 12.
        EVT_SIZE_LOG2 = 0x0074, ReadWrite, { LOG2[3:0] "log2 of the number of entries" };
        /// Event ring: consumer index, written by the host.
        EVT_CONS = 0x0078, ReadWrite, { INDEX[15:0] "free-running" };
        /// Event ring: producer index of the NIC.
        EVT_PROD = 0x007C, ReadOnly, { INDEX[15:0] "free-running" };
    }
}

register_block! {
    /// Memory that DMA may touch: four ranges, each a first address and an end address.
    DMA {
        /// Range 0: first byte.
        DMA0_BASE = 0x0080, ReadWrite;
        /// Range 0: one past the last byte; equal to the base, the range is empty.
        DMA0_LIMIT = 0x0084, ReadWrite;
        /// Range 1: first byte.
        DMA1_BASE = 0x0088, ReadWrite;
        /// Range 1: one past the last byte.
        DMA1_LIMIT = 0x008C, ReadWrite;
        /// Range 2: first byte.
        DMA2_BASE = 0x0090, ReadWrite;
        /// Range 2: one past the last byte.
        DMA2_LIMIT = 0x0094, ReadWrite;
        /// Range 3: first byte.
        DMA3_BASE = 0x0098, ReadWrite;
        /// Range 3: one past the last byte.
        DMA3_LIMIT = 0x009C, ReadWrite;
        /// Address of the last access that was refused or failed: of a request that was refused, or of a burst that
        /// was answered with an error.
        DMA_FAULT_ADDR = 0x00A0, ReadOnly;
        /// Kind and origin of the last access that was refused or failed, and how many there were.
        DMA_FAULT = 0x00A4, ReadOnly, {
            KIND[1:0] "0 none yet, 1 refused: outside the registered ranges, 2 SLVERR, 3 DECERR",
            WRITE[2:2] "0 read, 1 write",
            SOURCE[6:4] "read: 0 transmit payload, 1 transmit ring, 2 receive ring, 3 command ring; write: 0 host packet, 1 NIC packet, 2 completion, 3 event, 4 index block",
            COUNT[31:16] "since reset, stops at 65535"
        };
    }
}

register_block! {
    /// Destination filter of frames from the wire.
    FILTER {
        /// Which frames are taken. A frame that is not is dropped and counted in STAT_RX_FILTERED.
        RX_FILTER = 0x00C0, ReadWrite, reset 7, {
            PROMISCUOUS[0:0] "1: all, and the other bits do not matter; 0: those for STATION_MAC, and as the other bits say",
            BROADCAST[1:1] "broadcast frames too", MULTICAST[2:2] "multicast frames too"
        };
        /// Address of this station, bytes 0 to 3, byte 0 (the first on the wire) in bits 7:0.
        STATION_MAC_LOW = 0x00C4, ReadWrite;
        /// Address of this station, bytes 4 and 5.
        STATION_MAC_HIGH = 0x00C8, ReadWrite, { BYTES[15:0] "byte 4 in bits 7:0" };
    }
}

register_block! {
    /// Counters of one connection, of all connections that the NIC ever held in its slot since firmware cleared them. Each wraps at 2^32.
    CONNECTION {
        /// A write reads the counters of the connection with this value into the registers below, all in one step.
        COUNTER_SELECT = 0x00D0, ReadWrite, { CONNECTION[15:0] "connection value; bits that the table has no slots for are ignored" };
        /// Whether they are still those of an earlier selection.
        COUNTER_STATUS = 0x00D4, ReadOnly, { BUSY[0:0] "for at most 24 cycles after a selection" };
        /// Segments that entered the NIC receive queue.
        COUNTER_RX_PACKETS = 0x00D8, ReadOnly;
        /// Their TCP payload, in bytes.
        COUNTER_RX_BYTES = 0x00DC, ReadOnly;
        /// Segments that the segmenter sent.
        COUNTER_TX_PACKETS = 0x00E0, ReadOnly;
        /// Their TCP payload, in bytes.
        COUNTER_TX_BYTES = 0x00E4, ReadOnly;
    }
}

register_block! {
    /// Words shared with the firmware; `mailbox` gives their meaning.
    MAILBOX {
        /// Configuration: the host writes, the firmware reads.
        CFG[16] = 0x0100, ReadWrite;
        /// Status: the firmware writes, the host reads.
        STS[16] = 0x0140, ReadOnly;
    }
}

register_block! {
    /// Counters since reset, wrapping at 2^32.
    STATISTICS {
        /// Frames received from the wire with no error.
        STAT_RX_FRAMES = 0x0200, ReadOnly;
        /// Frames put on the wire.
        STAT_TX_FRAMES = 0x0204, ReadOnly;
        /// Received frames dropped: bad frame check sequence.
        STAT_RX_BAD_FCS = 0x0208, ReadOnly;
        /// Received frames dropped: shorter than an Ethernet header, or longer than CONTROL.JUMBO allows.
        STAT_RX_BAD_LENGTH = 0x020C, ReadOnly;
        /// Received frames dropped: bad IPv4 or TCP checksum, or lengths that contradict each other.
        STAT_RX_BAD_CHECKSUM = 0x0210, ReadOnly;
        /// Received frames dropped: the staging memory or the queue behind the parser was full.
        STAT_RX_OVERFLOW = 0x0214, ReadOnly;
        /// Frames that entered the host receive queue.
        STAT_HOST_RX_FRAMES = 0x0218, ReadOnly;
        /// Frames dropped because the host receive queue was full.
        STAT_HOST_RX_DROPS = 0x021C, ReadOnly;
        /// Frames that entered the NIC receive queue.
        STAT_NIC_RX_FRAMES = 0x0220, ReadOnly;
        /// Frames dropped because the NIC receive queue was full.
        STAT_NIC_RX_DROPS = 0x0224, ReadOnly;
        /// Frames of the host sent, to the wire or injected; each segment of a TSO frame is one.
        STAT_HOST_TX_FRAMES = 0x0228, ReadOnly;
        /// Segments that the firmware sent.
        STAT_NIC_TX_FRAMES = 0x022C, ReadOnly;
        /// DMA reads refused or failed.
        STAT_DMA_READ_ERRORS = 0x0230, ReadOnly;
        /// DMA writes refused or failed.
        STAT_DMA_WRITE_ERRORS = 0x0234, ReadOnly;
        /// Transmit descriptors and firmware bursts refused: an impossible length, a checksum outside the frame, or a
        /// header to be segmented that is not Ethernet, IPv4 and TCP.
        STAT_TX_BAD_DESCRIPTORS = 0x0238, ReadOnly;
        /// Instructions that the softcore has retired.
        STAT_CORE_INSTRUCTIONS = 0x023C, ReadOnly;
        /// Cycles that the softcore has slept.
        STAT_CORE_IDLE_CYCLES = 0x0240, ReadOnly;
        /// Frames in the host receive queue now, and the most it has held.
        STAT_HOST_RX_QLEN = 0x0244, ReadOnly, { NOW[15:0] "frames", MOST[31:16] "frames" };
        /// Frames in the NIC receive queue now, and the most it has held.
        STAT_NIC_RX_QLEN = 0x0248, ReadOnly, { NOW[15:0] "frames", MOST[31:16] "frames" };
        /// Host transmit descriptors waiting now, and the most there were.
        STAT_HOST_TX_QLEN = 0x024C, ReadOnly, { NOW[15:0] "descriptors", MOST[31:16] "descriptors" };
        /// Command slots waiting now, and the most there were.
        STAT_CMD_QLEN = 0x0250, ReadOnly, { NOW[15:0] "slots", MOST[31:16] "slots" };
        /// Sum over host packets of the cycles from arrival to completion, low word.
        STAT_HOST_RX_DELAY_SUM = 0x0254, ReadOnly;
        /// Largest delay of a host packet, in cycles from arrival to completion.
        STAT_HOST_RX_DELAY_MAX = 0x0258, ReadOnly;
        /// Received frames dropped: their destination is not one that RX_FILTER lets in.
        STAT_RX_FILTERED = 0x025C, ReadOnly;
        /// TSO frames and firmware bursts abandoned, from the first segment on that could not be read.
        STAT_TX_ABANDONED = 0x0260, ReadOnly;
        /// Frames that the P4 program dropped.
        STAT_RX_PROGRAM_DROPS = 0x0264, ReadOnly;
    }
}

register_block! {
    /// The MAC and its PHY; only in builds with a MAC (`baton verilog --top nic-gmii`).
    MAC {
        /// What the MAC does.
        MAC_CONTROL = 0x1000, ReadWrite, reset 0x67, {
            TX_ENABLE[0:0] "1: frames are sent; 0: they wait", RX_ENABLE[1:1] "1: frames are received; 0: they are ignored",
            PROMISCUOUS[2:2] "1: frames for any address; 0: own address, multicast and broadcast",
            SPEED[5:4] "0 10, 1 100, 2 1000 Mb/s", SPEED_AUTO[6:6] "1: the speed that the PHY reports, where it does",
            JUMBO[8:8] "1: frames of up to 9018 bytes; 0: 1522"
        };
        /// What the line does.
        MAC_STATUS = 0x1004, ReadOnly, reset 0x20, {
            LINK[0:0] "the PHY reports a link", LINK_SPEED[2:1] "its speed, as SPEED", FULL_DUPLEX[3:3] "its duplex",
            SPEED[5:4] "the speed in use", INBAND[8:8] "this build has a PHY that reports; else bits 3:0 are 0"
        };
        /// Own address, first four bytes, the first one lowest.
        MAC_ADDR_LOW = 0x1008, ReadWrite;
        /// Own address, last two bytes.
        MAC_ADDR_HIGH = 0x100C, ReadWrite, { BYTES[15:0] "the fifth byte lowest" };
        /// Starts an access to a register of the PHY; ignored while MDIO_STATUS.BUSY.
        MDIO_COMMAND = 0x1010, WriteOnly, {
            DATA[15:0] "value to write", REGISTER[20:16] "register", PHY[25:21] "address of the PHY",
            WRITE[26:26] "1 writes, 0 reads"
        };
        /// The last access.
        MDIO_STATUS = 0x1014, ReadOnly, {
            DATA[15:0] "value read", BUSY[16:16] "the access is not over", NO_ANSWER[17:17] "no PHY answered the read"
        };
        /// Core clock cycles in half a period of MDC, less one; at least 3. 24 makes 2.5 MHz of 125 MHz.
        MDIO_DIVIDER = 0x1018, ReadWrite, reset 24, { CYCLES[7:0] "cycles, less one" };
        /// The PHY's reset pin.
        PHY_RESET = 0x101C, ReadWrite, { ACTIVE[0:0] "1: the PHY is held in reset" };
    }
}

register_block! {
    /// Counters of the MAC since reset, wrapping; only in builds with a MAC.
    MAC_STATISTICS {
        /// Good frames received and passed on.
        MAC_RX_FRAMES = 0x1040, ReadOnly;
        /// Their bytes, check sequences included, low word.
        MAC_RX_BYTES_LOW = 0x1044, ReadOnly;
        /// High word.
        MAC_RX_BYTES_HIGH = 0x1048, ReadOnly;
        /// Frames with a bad check sequence.
        MAC_RX_BAD_FCS = 0x104C, ReadOnly;
        /// Frames in which the PHY reported an error.
        MAC_RX_SYMBOL_ERRORS = 0x1050, ReadOnly;
        /// Frames shorter than 64 bytes.
        MAC_RX_RUNTS = 0x1054, ReadOnly;
        /// Frames longer than the limit.
        MAC_RX_OVERLONG = 0x1058, ReadOnly;
        /// Frames lost because the core did not take them.
        MAC_RX_OVERFLOWS = 0x105C, ReadOnly;
        /// Pause frames; they are not passed on.
        MAC_RX_PAUSES = 0x1060, ReadOnly;
        /// Good frames for another address, while not promiscuous.
        MAC_RX_FILTERED = 0x1064, ReadOnly;
        /// Carriers without a frame.
        MAC_RX_FALSE_CARRIERS = 0x1068, ReadOnly;
        /// Frames sent to their end.
        MAC_TX_FRAMES = 0x106C, ReadOnly;
        /// Bytes of the frames taken for sending, padding and check sequences included, low word.
        MAC_TX_BYTES_LOW = 0x1070, ReadOnly;
        /// High word.
        MAC_TX_BYTES_HIGH = 0x1074, ReadOnly;
        /// Frames broken off because their words came too late.
        MAC_TX_UNDERFLOWS = 0x1078, ReadOnly;
        /// Frames lost to a reset of the line's side.
        MAC_TX_DROPPED = 0x107C, ReadOnly;
    }
}

/// Every block of `nic_top`, in address order.
pub const BLOCKS: &[Block] = &[IDENTITY, RINGS, DMA, FILTER, CONNECTION, MAILBOX, STATISTICS];

/// The blocks that builds with a MAC have besides, behind the same port.
pub const MAC_BLOCKS: &[Block] = &[MAC, MAC_STATISTICS];

/// The meaning of the mailbox words: indices into [`CFG`] and [`STS`].
pub mod mailbox {
    /// Most connections that the NIC may hold (`Hard_Limit`); 0 takes the firmware's table size.
    pub const CFG_HARD_LIMIT: usize = 0;
    /// NIC receive queue length above which the limit falls (`Hiwat`), in packets.
    pub const CFG_HIWAT: usize = 1;
    /// NIC receive queue length below which the limit may rise (`Lowat`), in packets.
    pub const CFG_LOWAT: usize = 2;
    /// Load control: 0 off (only `Hard_Limit` holds), 1 on.
    pub const CFG_LOAD_CONTROL: usize = 3;
    /// Least retransmission timeout, in microseconds; 0 takes RFC 6298's second.
    pub const CFG_MIN_RTO_US: usize = 4;
    /// Delay of an acknowledgement, in microseconds; 0 takes 40 ms.
    pub const CFG_DELAYED_ACK_US: usize = 5;
    /// Largest retransmission timeout, in microseconds; 0 takes RFC 6298's minute.
    pub const CFG_MAX_RTO_US: usize = 6;
    /// Timeouts in a row after which a connection is given up; 0 takes 12.
    pub const CFG_MAX_RETRANSMITS: usize = 7;
    /// Idle time before a keep-alive probe, in microseconds; 0 sends none.
    pub const CFG_KEEPALIVE_US: usize = 8;
    /// How long a peer may be silent in FIN-WAIT-2, in microseconds; 0 waits for ever.
    pub const CFG_FIN_WAIT_2_US: usize = 9;
    /// Least time between two challenge acknowledgements, in microseconds; 0 takes half a second.
    pub const CFG_CHALLENGE_US: usize = 10;
    /// Stay in TIME-WAIT, in microseconds; 0 takes a minute.
    pub const CFG_TIME_WAIT_US: usize = 11;
    /// Active restoration: how long the NIC must have been overloaded before it offers connections to the host (`SHED`), in
    /// microseconds; 0 never does. It needs load control.
    pub const CFG_SHED_AFTER_US: usize = 12;
    /// Words that have a meaning; the others are free.
    pub const CFG_WORDS: usize = 13;

    /// Connections on the NIC (`Cnum`).
    pub const STS_CNUM: usize = 0;
    /// `Soft_Limit` now.
    pub const STS_SOFT_LIMIT: usize = 1;
    /// Load-control state: 0 MONITOR, 1 DECREASE, 2 INCREASE.
    pub const STS_LOAD_STATE: usize = 2;
    /// Segments received by the firmware.
    pub const STS_RX_SEGMENTS: usize = 3;
    /// Segments sent by the firmware.
    pub const STS_TX_SEGMENTS: usize = 4;
    /// Segments retransmitted by the firmware.
    pub const STS_RETRANSMITS: usize = 5;
    /// Commands refused as malformed.
    pub const STS_BAD_COMMANDS: usize = 6;
    /// Packets of connections that were no longer here, passed to the host.
    pub const STS_STALE_PACKETS: usize = 7;
    /// Firmware state: 0 not started, 1 running, 0xDEAD_0000 + cause after a trap or panic.
    pub const STS_FIRMWARE: usize = 8;
    /// Connections that the firmware's table can hold.
    pub const STS_TABLE_SIZE: usize = 9;
    /// `mepc` of the trap, or 0 after a panic.
    pub const STS_FAULT_PC: usize = 10;
    /// `Hard_Limit` as the firmware took it at its start; it stays.
    pub const STS_HARD_LIMIT: usize = 11;
    /// `Hiwat` as the firmware took it at its start. `Qlen`, the last of the six parameters, is in `STAT_NIC_RX_QLEN`.
    pub const STS_HIWAT: usize = 12;
    /// `Lowat` as the firmware took it at its start, at most `Hiwat`.
    pub const STS_LOWAT: usize = 13;
    /// Digest of the key layout that the firmware was built for, as `CAPABILITIES` has that of the hardware.
    pub const STS_KEY_LAYOUT: usize = 14;
}

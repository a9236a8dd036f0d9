/* Generated from abi/src/regs.rs by `cargo xtask docs`.
   Registers on the host's AXI4-Lite port: byte offsets, and shift and mask of each field. */
#ifndef BATON_REGS_H
#define BATON_REGS_H

#define BATON_REGS_BYTES 0x2000u

/* IDENTITY: Identity, control and interrupt. */
#define BATON_ID 0x0000u /* Reads "BATN". */
#define BATON_VERSION 0x0004u /* Version of this register map. */
#define BATON_VERSION_MAJOR_SHIFT 16u
#define BATON_VERSION_MAJOR_MASK 0xFFFF0000u
#define BATON_VERSION_MINOR_SHIFT 0u
#define BATON_VERSION_MINOR_MASK 0x0000FFFFu
#define BATON_CONTROL 0x0008u /* Run control and scheduler mode. */
#define BATON_CONTROL_CORE_RUN_SHIFT 0u
#define BATON_CONTROL_CORE_RUN_MASK 0x00000001u
#define BATON_CONTROL_SCHED_MODE_SHIFT 4u
#define BATON_CONTROL_SCHED_MODE_MASK 0x00000030u
#define BATON_CONTROL_JUMBO_SHIFT 8u
#define BATON_CONTROL_JUMBO_MASK 0x00000100u
#define BATON_TICKS_PER_US 0x000Cu /* The time base of the firmware: TICKS core clock cycles are STEP microseconds. Set it before CORE_RUN; while the core runs it may be changed to follow another clock. */
#define BATON_TICKS_PER_US_TICKS_SHIFT 0u
#define BATON_TICKS_PER_US_TICKS_MASK 0x0000FFFFu
#define BATON_TICKS_PER_US_STEP_SHIFT 16u
#define BATON_TICKS_PER_US_STEP_MASK 0xFFFF0000u
#define BATON_IRQ_CAUSE 0x0010u /* Why the interrupt line is high. */
#define BATON_IRQ_CAUSE_EVENT_SHIFT 0u
#define BATON_IRQ_CAUSE_EVENT_MASK 0x00000001u
#define BATON_IRQ_CAUSE_RX_SHIFT 1u
#define BATON_IRQ_CAUSE_RX_MASK 0x00000002u
#define BATON_IRQ_CAUSE_TX_SHIFT 2u
#define BATON_IRQ_CAUSE_TX_MASK 0x00000004u
#define BATON_IRQ_CAUSE_CMD_SHIFT 3u
#define BATON_IRQ_CAUSE_CMD_MASK 0x00000008u
#define BATON_IRQ_CAUSE_DMA_ERROR_SHIFT 4u
#define BATON_IRQ_CAUSE_DMA_ERROR_MASK 0x00000010u
#define BATON_IRQ_ENABLE 0x0014u /* Causes that raise the interrupt line. */
#define BATON_IRQ_ENABLE_MASK_SHIFT 0u
#define BATON_IRQ_ENABLE_MASK_MASK 0x0000001Fu
#define BATON_CYCLES 0x0018u /* Core clock cycles since reset, wrapping. */
#define BATON_CAPABILITIES 0x001Cu /* What this build of the NIC has. */
#define BATON_CAPABILITIES_JUMBO_SHIFT 0u
#define BATON_CAPABILITIES_JUMBO_MASK 0x00000001u
#define BATON_CAPABILITIES_TSO_SHIFT 1u
#define BATON_CAPABILITIES_TSO_MASK 0x00000002u
#define BATON_CAPABILITIES_KEY_WORDS_SHIFT 4u
#define BATON_CAPABILITIES_KEY_WORDS_MASK 0x000000F0u
#define BATON_CAPABILITIES_CONNECTIONS_LOG2_SHIFT 8u
#define BATON_CAPABILITIES_CONNECTIONS_LOG2_MASK 0x00001F00u
#define BATON_CAPABILITIES_KEY_LAYOUT_SHIFT 16u
#define BATON_CAPABILITIES_KEY_LAYOUT_MASK 0xFFFF0000u
#define BATON_FW_ADDR 0x0020u /* Byte address in core memory of the next FW_DATA word. */
#define BATON_FW_ADDR_OFFSET_SHIFT 0u
#define BATON_FW_ADDR_OFFSET_MASK 0x00FFFFFFu
#define BATON_FW_DATA 0x0024u /* Writes a word of core memory at FW_ADDR and advances it by 4. Ignored while CORE_RUN is 1. */
#define BATON_FW_SIZE 0x0028u /* Bytes of core memory. */
#define BATON_TIME_US 0x002Cu /* Microseconds since reset by the firmware's time base, wrapping. */
#define BATON_HASH_KEY 0x0030u /* Key of the lookup hash; set it before the first handoff. */
#define BATON_HASH_KEY_COUNT 2u
#define BATON_INDEX_ADDR 0x0038u /* Host address, a multiple of 32, where the NIC writes its ring indices. */
#define BATON_CORE_PACE 0x003Cu /* How much slower than its clock the softcore runs, beside a data path at full rate; for experiments. Stays 0 in an NIC for a board. */
#define BATON_CORE_PACE_SKIP_SHIFT 0u
#define BATON_CORE_PACE_SKIP_MASK 0x0000FFFFu

/* RINGS: Four descriptor rings: transmit, receive, command, event, 16 bytes of registers each. */
#define BATON_TX_BASE 0x0040u /* Transmit ring: host address, a multiple of 64. */
#define BATON_TX_SIZE_LOG2 0x0044u /* Transmit ring: log2 of its number of descriptors, 0 to 12. */
#define BATON_TX_SIZE_LOG2_LOG2_SHIFT 0u
#define BATON_TX_SIZE_LOG2_LOG2_MASK 0x0000000Fu
#define BATON_TX_PROD 0x0048u /* Transmit ring: producer index, written by the host (the doorbell). Free-running, 16 bits. */
#define BATON_TX_PROD_INDEX_SHIFT 0u
#define BATON_TX_PROD_INDEX_MASK 0x0000FFFFu
#define BATON_TX_CONS 0x004Cu /* Transmit ring: consumer index of the NIC. */
#define BATON_TX_CONS_INDEX_SHIFT 0u
#define BATON_TX_CONS_INDEX_MASK 0x0000FFFFu
#define BATON_RX_BASE 0x0050u /* Receive ring: host address, a multiple of 64. */
#define BATON_RX_SIZE_LOG2 0x0054u /* Receive ring: log2 of its number of descriptors, 0 to 12. */
#define BATON_RX_SIZE_LOG2_LOG2_SHIFT 0u
#define BATON_RX_SIZE_LOG2_LOG2_MASK 0x0000000Fu
#define BATON_RX_PROD 0x0058u /* Receive ring: producer index, written by the host when it posts buffers. */
#define BATON_RX_PROD_INDEX_SHIFT 0u
#define BATON_RX_PROD_INDEX_MASK 0x0000FFFFu
#define BATON_RX_CONS 0x005Cu /* Receive ring: index of the next buffer that the NIC completes. */
#define BATON_RX_CONS_INDEX_SHIFT 0u
#define BATON_RX_CONS_INDEX_MASK 0x0000FFFFu
#define BATON_CMD_BASE 0x0060u /* Command ring: host address, a multiple of 64. */
#define BATON_CMD_SIZE_LOG2 0x0064u /* Command ring: log2 of its number of slots, 0 to 12. */
#define BATON_CMD_SIZE_LOG2_LOG2_SHIFT 0u
#define BATON_CMD_SIZE_LOG2_LOG2_MASK 0x0000000Fu
#define BATON_CMD_PROD 0x0068u /* Command ring: producer index, written by the host. */
#define BATON_CMD_PROD_INDEX_SHIFT 0u
#define BATON_CMD_PROD_INDEX_MASK 0x0000FFFFu
#define BATON_CMD_CONS 0x006Cu /* Command ring: consumer index of the NIC. */
#define BATON_CMD_CONS_INDEX_SHIFT 0u
#define BATON_CMD_CONS_INDEX_MASK 0x0000FFFFu
#define BATON_EVT_BASE 0x0070u /* Event ring: host address, a multiple of 64. */
#define BATON_EVT_SIZE_LOG2 0x0074u /* Event ring: log2 of its number of slots, 0 to 12. */
#define BATON_EVT_SIZE_LOG2_LOG2_SHIFT 0u
#define BATON_EVT_SIZE_LOG2_LOG2_MASK 0x0000000Fu
#define BATON_EVT_CONS 0x0078u /* Event ring: consumer index, written by the host. */
#define BATON_EVT_CONS_INDEX_SHIFT 0u
#define BATON_EVT_CONS_INDEX_MASK 0x0000FFFFu
#define BATON_EVT_PROD 0x007Cu /* Event ring: producer index of the NIC. */
#define BATON_EVT_PROD_INDEX_SHIFT 0u
#define BATON_EVT_PROD_INDEX_MASK 0x0000FFFFu

/* DMA: Memory that DMA may touch: four ranges, each a first address and an end address. */
#define BATON_DMA0_BASE 0x0080u /* Range 0: first byte. */
#define BATON_DMA0_LIMIT 0x0084u /* Range 0: one past the last byte; equal to the base, the range is empty. */
#define BATON_DMA1_BASE 0x0088u /* Range 1: first byte. */
#define BATON_DMA1_LIMIT 0x008Cu /* Range 1: one past the last byte. */
#define BATON_DMA2_BASE 0x0090u /* Range 2: first byte. */
#define BATON_DMA2_LIMIT 0x0094u /* Range 2: one past the last byte. */
#define BATON_DMA3_BASE 0x0098u /* Range 3: first byte. */
#define BATON_DMA3_LIMIT 0x009Cu /* Range 3: one past the last byte. */
#define BATON_DMA_FAULT_ADDR 0x00A0u /* Address of the last access that was refused or failed: of a request that was refused, or of a burst that was answered with an error. */
#define BATON_DMA_FAULT 0x00A4u /* Kind and origin of the last access that was refused or failed, and how many there were. */
#define BATON_DMA_FAULT_KIND_SHIFT 0u
#define BATON_DMA_FAULT_KIND_MASK 0x00000003u
#define BATON_DMA_FAULT_WRITE_SHIFT 2u
#define BATON_DMA_FAULT_WRITE_MASK 0x00000004u
#define BATON_DMA_FAULT_SOURCE_SHIFT 4u
#define BATON_DMA_FAULT_SOURCE_MASK 0x00000070u
#define BATON_DMA_FAULT_COUNT_SHIFT 16u
#define BATON_DMA_FAULT_COUNT_MASK 0xFFFF0000u

/* FILTER: Destination filter of frames from the wire. */
#define BATON_RX_FILTER 0x00C0u /* Which frames are taken. A frame that is not is dropped and counted in STAT_RX_FILTERED. */
#define BATON_RX_FILTER_PROMISCUOUS_SHIFT 0u
#define BATON_RX_FILTER_PROMISCUOUS_MASK 0x00000001u
#define BATON_RX_FILTER_BROADCAST_SHIFT 1u
#define BATON_RX_FILTER_BROADCAST_MASK 0x00000002u
#define BATON_RX_FILTER_MULTICAST_SHIFT 2u
#define BATON_RX_FILTER_MULTICAST_MASK 0x00000004u
#define BATON_STATION_MAC_LOW 0x00C4u /* Address of this station, bytes 0 to 3, byte 0 (the first on the wire) in bits 7:0. */
#define BATON_STATION_MAC_HIGH 0x00C8u /* Address of this station, bytes 4 and 5. */
#define BATON_STATION_MAC_HIGH_BYTES_SHIFT 0u
#define BATON_STATION_MAC_HIGH_BYTES_MASK 0x0000FFFFu

/* CONNECTION: Counters of one connection, of all connections that the NIC ever held in its slot since firmware cleared them. Each wraps at 2^32. */
#define BATON_COUNTER_SELECT 0x00D0u /* A write reads the counters of the connection with this value into the registers below, all in one step. */
#define BATON_COUNTER_SELECT_CONNECTION_SHIFT 0u
#define BATON_COUNTER_SELECT_CONNECTION_MASK 0x0000FFFFu
#define BATON_COUNTER_STATUS 0x00D4u /* Whether they are still those of an earlier selection. */
#define BATON_COUNTER_STATUS_BUSY_SHIFT 0u
#define BATON_COUNTER_STATUS_BUSY_MASK 0x00000001u
#define BATON_COUNTER_RX_PACKETS 0x00D8u /* Segments that entered the NIC receive queue. */
#define BATON_COUNTER_RX_BYTES 0x00DCu /* Their TCP payload, in bytes. */
#define BATON_COUNTER_TX_PACKETS 0x00E0u /* Segments that the segmenter sent. */
#define BATON_COUNTER_TX_BYTES 0x00E4u /* Their TCP payload, in bytes. */

/* MAILBOX: Words shared with the firmware; `mailbox` gives their meaning. */
#define BATON_CFG 0x0100u /* Configuration: the host writes, the firmware reads. */
#define BATON_CFG_COUNT 16u
#define BATON_STS 0x0140u /* Status: the firmware writes, the host reads. */
#define BATON_STS_COUNT 16u

/* STATISTICS: Counters since reset, wrapping at 2^32. */
#define BATON_STAT_RX_FRAMES 0x0200u /* Frames received from the wire with no error. */
#define BATON_STAT_TX_FRAMES 0x0204u /* Frames put on the wire. */
#define BATON_STAT_RX_BAD_FCS 0x0208u /* Received frames dropped: bad frame check sequence. */
#define BATON_STAT_RX_BAD_LENGTH 0x020Cu /* Received frames dropped: shorter than an Ethernet header, or longer than CONTROL.JUMBO allows. */
#define BATON_STAT_RX_BAD_CHECKSUM 0x0210u /* Received frames dropped: bad IPv4 or TCP checksum, or lengths that contradict each other. */
#define BATON_STAT_RX_OVERFLOW 0x0214u /* Received frames dropped: the staging memory or the queue behind the parser was full. */
#define BATON_STAT_HOST_RX_FRAMES 0x0218u /* Frames that entered the host receive queue. */
#define BATON_STAT_HOST_RX_DROPS 0x021Cu /* Frames dropped because the host receive queue was full. */
#define BATON_STAT_NIC_RX_FRAMES 0x0220u /* Frames that entered the NIC receive queue. */
#define BATON_STAT_NIC_RX_DROPS 0x0224u /* Frames dropped because the NIC receive queue was full. */
#define BATON_STAT_HOST_TX_FRAMES 0x0228u /* Frames of the host sent, to the wire or injected; each segment of a TSO frame is one. */
#define BATON_STAT_NIC_TX_FRAMES 0x022Cu /* Segments that the firmware sent. */
#define BATON_STAT_DMA_READ_ERRORS 0x0230u /* DMA reads refused or failed. */
#define BATON_STAT_DMA_WRITE_ERRORS 0x0234u /* DMA writes refused or failed. */
#define BATON_STAT_TX_BAD_DESCRIPTORS 0x0238u /* Transmit descriptors and firmware bursts refused: an impossible length, a checksum outside the frame, or a header to be segmented that is not Ethernet, IPv4 and TCP. */
#define BATON_STAT_CORE_INSTRUCTIONS 0x023Cu /* Instructions that the softcore has retired. */
#define BATON_STAT_CORE_IDLE_CYCLES 0x0240u /* Cycles that the softcore has slept. */
#define BATON_STAT_HOST_RX_QLEN 0x0244u /* Frames in the host receive queue now, and the most it has held. */
#define BATON_STAT_HOST_RX_QLEN_NOW_SHIFT 0u
#define BATON_STAT_HOST_RX_QLEN_NOW_MASK 0x0000FFFFu
#define BATON_STAT_HOST_RX_QLEN_MOST_SHIFT 16u
#define BATON_STAT_HOST_RX_QLEN_MOST_MASK 0xFFFF0000u
#define BATON_STAT_NIC_RX_QLEN 0x0248u /* Frames in the NIC receive queue now, and the most it has held. */
#define BATON_STAT_NIC_RX_QLEN_NOW_SHIFT 0u
#define BATON_STAT_NIC_RX_QLEN_NOW_MASK 0x0000FFFFu
#define BATON_STAT_NIC_RX_QLEN_MOST_SHIFT 16u
#define BATON_STAT_NIC_RX_QLEN_MOST_MASK 0xFFFF0000u
#define BATON_STAT_HOST_TX_QLEN 0x024Cu /* Host transmit descriptors waiting now, and the most there were. */
#define BATON_STAT_HOST_TX_QLEN_NOW_SHIFT 0u
#define BATON_STAT_HOST_TX_QLEN_NOW_MASK 0x0000FFFFu
#define BATON_STAT_HOST_TX_QLEN_MOST_SHIFT 16u
#define BATON_STAT_HOST_TX_QLEN_MOST_MASK 0xFFFF0000u
#define BATON_STAT_CMD_QLEN 0x0250u /* Command slots waiting now, and the most there were. */
#define BATON_STAT_CMD_QLEN_NOW_SHIFT 0u
#define BATON_STAT_CMD_QLEN_NOW_MASK 0x0000FFFFu
#define BATON_STAT_CMD_QLEN_MOST_SHIFT 16u
#define BATON_STAT_CMD_QLEN_MOST_MASK 0xFFFF0000u
#define BATON_STAT_HOST_RX_DELAY_SUM 0x0254u /* Sum over host packets of the cycles from arrival to completion, low word. */
#define BATON_STAT_HOST_RX_DELAY_MAX 0x0258u /* Largest delay of a host packet, in cycles from arrival to completion. */
#define BATON_STAT_RX_FILTERED 0x025Cu /* Received frames dropped: their destination is not one that RX_FILTER lets in. */
#define BATON_STAT_TX_ABANDONED 0x0260u /* TSO frames and firmware bursts abandoned, from the first segment on that could not be read. */
#define BATON_STAT_RX_PROGRAM_DROPS 0x0264u /* Frames that the P4 program dropped. */

/* MAC: The MAC and its PHY; only in builds with a MAC (`baton verilog --top nic-gmii`). */
#define BATON_MAC_CONTROL 0x1000u /* What the MAC does. */
#define BATON_MAC_CONTROL_TX_ENABLE_SHIFT 0u
#define BATON_MAC_CONTROL_TX_ENABLE_MASK 0x00000001u
#define BATON_MAC_CONTROL_RX_ENABLE_SHIFT 1u
#define BATON_MAC_CONTROL_RX_ENABLE_MASK 0x00000002u
#define BATON_MAC_CONTROL_PROMISCUOUS_SHIFT 2u
#define BATON_MAC_CONTROL_PROMISCUOUS_MASK 0x00000004u
#define BATON_MAC_CONTROL_SPEED_SHIFT 4u
#define BATON_MAC_CONTROL_SPEED_MASK 0x00000030u
#define BATON_MAC_CONTROL_SPEED_AUTO_SHIFT 6u
#define BATON_MAC_CONTROL_SPEED_AUTO_MASK 0x00000040u
#define BATON_MAC_CONTROL_JUMBO_SHIFT 8u
#define BATON_MAC_CONTROL_JUMBO_MASK 0x00000100u
#define BATON_MAC_STATUS 0x1004u /* What the line does. */
#define BATON_MAC_STATUS_LINK_SHIFT 0u
#define BATON_MAC_STATUS_LINK_MASK 0x00000001u
#define BATON_MAC_STATUS_LINK_SPEED_SHIFT 1u
#define BATON_MAC_STATUS_LINK_SPEED_MASK 0x00000006u
#define BATON_MAC_STATUS_FULL_DUPLEX_SHIFT 3u
#define BATON_MAC_STATUS_FULL_DUPLEX_MASK 0x00000008u
#define BATON_MAC_STATUS_SPEED_SHIFT 4u
#define BATON_MAC_STATUS_SPEED_MASK 0x00000030u
#define BATON_MAC_STATUS_INBAND_SHIFT 8u
#define BATON_MAC_STATUS_INBAND_MASK 0x00000100u
#define BATON_MAC_ADDR_LOW 0x1008u /* Own address, first four bytes, the first one lowest. */
#define BATON_MAC_ADDR_HIGH 0x100Cu /* Own address, last two bytes. */
#define BATON_MAC_ADDR_HIGH_BYTES_SHIFT 0u
#define BATON_MAC_ADDR_HIGH_BYTES_MASK 0x0000FFFFu
#define BATON_MDIO_COMMAND 0x1010u /* Starts an access to a register of the PHY; ignored while MDIO_STATUS.BUSY. */
#define BATON_MDIO_COMMAND_DATA_SHIFT 0u
#define BATON_MDIO_COMMAND_DATA_MASK 0x0000FFFFu
#define BATON_MDIO_COMMAND_REGISTER_SHIFT 16u
#define BATON_MDIO_COMMAND_REGISTER_MASK 0x001F0000u
#define BATON_MDIO_COMMAND_PHY_SHIFT 21u
#define BATON_MDIO_COMMAND_PHY_MASK 0x03E00000u
#define BATON_MDIO_COMMAND_WRITE_SHIFT 26u
#define BATON_MDIO_COMMAND_WRITE_MASK 0x04000000u
#define BATON_MDIO_STATUS 0x1014u /* The last access. */
#define BATON_MDIO_STATUS_DATA_SHIFT 0u
#define BATON_MDIO_STATUS_DATA_MASK 0x0000FFFFu
#define BATON_MDIO_STATUS_BUSY_SHIFT 16u
#define BATON_MDIO_STATUS_BUSY_MASK 0x00010000u
#define BATON_MDIO_STATUS_NO_ANSWER_SHIFT 17u
#define BATON_MDIO_STATUS_NO_ANSWER_MASK 0x00020000u
#define BATON_MDIO_DIVIDER 0x1018u /* Core clock cycles in half a period of MDC, less one; at least 3. 24 makes 2.5 MHz of 125 MHz. */
#define BATON_MDIO_DIVIDER_CYCLES_SHIFT 0u
#define BATON_MDIO_DIVIDER_CYCLES_MASK 0x000000FFu
#define BATON_PHY_RESET 0x101Cu /* The PHY's reset pin. */
#define BATON_PHY_RESET_ACTIVE_SHIFT 0u
#define BATON_PHY_RESET_ACTIVE_MASK 0x00000001u

/* MAC_STATISTICS: Counters of the MAC since reset, wrapping; only in builds with a MAC. */
#define BATON_MAC_RX_FRAMES 0x1040u /* Good frames received and passed on. */
#define BATON_MAC_RX_BYTES_LOW 0x1044u /* Their bytes, check sequences included, low word. */
#define BATON_MAC_RX_BYTES_HIGH 0x1048u /* High word. */
#define BATON_MAC_RX_BAD_FCS 0x104Cu /* Frames with a bad check sequence. */
#define BATON_MAC_RX_SYMBOL_ERRORS 0x1050u /* Frames in which the PHY reported an error. */
#define BATON_MAC_RX_RUNTS 0x1054u /* Frames shorter than 64 bytes. */
#define BATON_MAC_RX_OVERLONG 0x1058u /* Frames longer than the limit. */
#define BATON_MAC_RX_OVERFLOWS 0x105Cu /* Frames lost because the core did not take them. */
#define BATON_MAC_RX_PAUSES 0x1060u /* Pause frames; they are not passed on. */
#define BATON_MAC_RX_FILTERED 0x1064u /* Good frames for another address, while not promiscuous. */
#define BATON_MAC_RX_FALSE_CARRIERS 0x1068u /* Carriers without a frame. */
#define BATON_MAC_TX_FRAMES 0x106Cu /* Frames sent to their end. */
#define BATON_MAC_TX_BYTES_LOW 0x1070u /* Bytes of the frames taken for sending, padding and check sequences included, low word. */
#define BATON_MAC_TX_BYTES_HIGH 0x1074u /* High word. */
#define BATON_MAC_TX_UNDERFLOWS 0x1078u /* Frames broken off because their words came too late. */
#define BATON_MAC_TX_DROPPED 0x107Cu /* Frames lost to a reset of the line's side. */

#endif

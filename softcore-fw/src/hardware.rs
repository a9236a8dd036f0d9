//! What the firmware asks of the NIC: the registers of [`baton_abi::mmio`] and nothing else.
//!
//! The firmware is generic over [`Hardware`]. On the softcore it is the real bus; in native tests it is a
//! model that decodes the same offsets, so that a test exercises the same register protocol. Device
//! reads have no side effect, so `read` takes a shared reference.

use baton_abi::at_most;
use baton_abi::mmio::{
    self, lookup, CMD, CMD_COUNT, CMD_POP, EVT_DATA, JOB_ADDR, JOB_GO, JOB_SRC_LEN, LOOKUP_KEY, LOOKUP_OP,
    LOOKUP_RESULT, LOOKUP_VALUE, MBOX_CFG, MBOX_STS, NIC_RX, NIC_RX_QLEN, TX_ADDR, TX_CUT, TX_GO, TX_HEADER,
    TX_LEN, TX_MSS, TX_REST,
};

use baton_abi::handoff::Span;
use baton_abi::msg::ConnId;

use crate::program::Program;

/// The device registers of the NIC and its sleep instruction.
pub trait Hardware {
    /// The P4 program that the NIC is made by, as far as the firmware has to do with it.
    type Program: Program;

    /// Reads the register at this offset from `MMIO_BASE`.
    fn read(&self, register: u32) -> u32;

    /// Writes the register at this offset from `MMIO_BASE`.
    fn write(&mut self, register: u32, value: u32);

    /// Sleeps until there is work, `STATUS` has a bit of `WAKE_ON`, or `TIME_US` has reached `WAKE_AT`.
    fn sleep(&mut self);

    /// Notes for a profile that work of this kind ([`baton_abi::work`]) begins here, or is recognised. It takes no
    /// instruction.
    #[inline(always)]
    fn mark<const WORK: u32>(&self) {}
}

/// Result of a lookup-table operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupOutcome {
    Done,
    BucketFull,
    Absent,
    Exists,
}

/// Most words of a key.
const KEY_WORDS_MAX: usize = 9;
/// Polls of `LOOKUP_RESULT`, each of four instructions, before an operation is taken for failed. The table answers within 130 cycles;
/// the bound only keeps a broken device from hanging the firmware.
const LOOKUP_POLLS: u32 = 128;

/// Register sequences that more than one part of the firmware uses.
pub trait HardwareExt: Hardware {
    /// Word `index` of the mailbox that the host writes.
    fn config(&self, index: usize) -> u32 {
        self.read(MBOX_CFG + 4 * index as u32)
    }

    /// Sets word `index` of the mailbox that the host reads.
    fn publish(&mut self, index: usize, value: u32) {
        self.write(MBOX_STS + 4 * index as u32, value);
    }

    /// Word `index` of the segment descriptor at the head of the NIC receive queue.
    fn segment_word(&self, index: usize) -> u32 {
        self.read(NIC_RX + 4 * index as u32)
    }

    /// Segments in the NIC receive queue, the one in the window among them.
    fn segments_waiting(&self) -> u32 {
        self.read(NIC_RX_QLEN) & 0xFFFF
    }

    /// Word `index` of the command slots.
    fn command_word(&self, index: usize) -> u32 {
        self.read(CMD + 4 * index as u32)
    }

    /// Command slots in the window.
    fn command_slots(&self) -> u32 {
        self.read(CMD_COUNT)
    }

    /// Drops `slots` command slots.
    fn pop_command(&mut self, slots: u32) {
        self.write(CMD_POP, slots);
    }

    /// Source and length of the next copy, as the descriptor's word `OFFSET` has them.
    fn source(&mut self, place: u32) {
        self.write(JOB_SRC_LEN, place);
    }

    /// Hands a job to the receive mover.
    fn job(&mut self, op: u32, src: u16, len: u16, addr: u32) {
        self.source(u32::from(src) | u32::from(len) << 16);
        self.write(JOB_ADDR, addr);
        self.write(JOB_GO, op);
    }

    /// Appends a word to the event words; eight make a slot.
    fn event_word(&mut self, word: u32) {
        self.write(EVT_DATA, word);
    }

    /// Writes word `index` of the next burst's header.
    fn header_word(&mut self, index: usize, word: u32) {
        self.write(TX_HEADER + 4 * index as u32, word);
    }

    /// Sends the header, `header_len` bytes with its padding, with `len` bytes from the two spans, cut into segments of
    /// `mss` bytes, for a connection.
    fn transmit(&mut self, header_len: u32, [first, then]: [Span; 2], len: u32, mss: u16, conn: ConnId) {
        self.write(TX_ADDR, first.addr);
        self.write(TX_LEN, len);
        if len > first.len {
            self.write(TX_CUT, first.len);
            self.write(TX_REST, then.addr);
        }
        self.write(TX_MSS, u32::from(mss));
        self.write(TX_GO, header_len | u32::from(conn.0) << mmio::TX_GO_CONN_SHIFT);
    }

    /// Sends the header alone.
    fn transmit_header(&mut self, header_len: u32, conn: ConnId) {
        self.write(TX_LEN, 0);
        self.write(TX_GO, header_len | u32::from(conn.0) << mmio::TX_GO_CONN_SHIFT);
    }

    /// Adds an entry to the lookup table.
    fn lookup_insert(&mut self, key: &[u32], conn: ConnId) -> LookupOutcome {
        self.write(LOOKUP_VALUE, u32::from(conn.0) << Self::Program::CONNECTION_SHIFT);
        self.lookup(key, lookup::INSERT)
    }

    /// Removes an entry from the lookup table.
    fn lookup_delete(&mut self, key: &[u32]) -> LookupOutcome {
        self.lookup(key, lookup::DELETE)
    }

    #[doc(hidden)]
    fn lookup(&mut self, key: &[u32], op: u32) -> LookupOutcome {
        let turns = at_most!(KEY_WORDS_MAX);
        for word in key {
            turns.take();
            self.write(LOOKUP_KEY, *word);
        }
        self.write(LOOKUP_OP, op);
        let turns = at_most!(LOOKUP_POLLS);
        for _ in 0..LOOKUP_POLLS {
            turns.take();
            let result = self.read(LOOKUP_RESULT);
            if result & lookup::BUSY == 0 {
                return match result >> lookup::OUTCOME_SHIFT & 3 {
                    lookup::OK => LookupOutcome::Done,
                    lookup::FULL => LookupOutcome::BucketFull,
                    lookup::EXISTS => LookupOutcome::Exists,
                    _ => LookupOutcome::Absent,
                };
            }
        }
        // A table that never answers takes no connection.
        if op == lookup::INSERT {
            LookupOutcome::BucketFull
        } else {
            LookupOutcome::Absent
        }
    }
}

impl<H: Hardware> HardwareExt for H {}

//! Prefetches the entries of one descriptor ring.
//!
//! Reads entries from its own index up to the producer's, and gives them out as a stream of words. It reads
//! an aligned block of 64 bytes (four descriptors, two slots) at once when the ring has all of it and there is
//! room, else a single entry, so that no read wraps. It holds 32 words, and asks only for what it has room for.
//!
//! Core clock, synchronous reset. Four cycles from a new producer index to the request; one word a cycle; an
//! entry shows when its last word has come. A word that could not be read is zero, and its whole entry
//! is marked `bad`. A producer index too far ahead makes it read the ring again, never anything else. Base and size
//! may change only while the ring is empty. Verified in `cosim/tests/dma_read.rs`.

use super::read_bus::{ReadData, ReadRequestSource};
use crate::kit::{Cr, Fact, LutFifo, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The reader of a ring of 16-byte or 32-byte entries.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Fetcher {
    pub cr: Cr,
    /// Entries have 8 words instead of 4. A constant.
    pub slots: Signal<In, Bit>,
    pub base: Signal<In, Bits<32>>,
    pub size_log2: Signal<In, Bits<4>>,
    pub prod: Signal<In, Bits<16>>,
    pub request: ReadRequestSource,
    pub data: ReadData,
    /// The next word of the oldest entry.
    pub word: Signal<Out, Bits<32>>,
    pub valid: Signal<Out, Bit>,
    /// Part of the entry could not be read.
    pub bad: Signal<Out, Bit>,
    /// `word` is the last of its entry.
    pub last: Signal<Out, Bit>,
    pub pop: Signal<In, Bit>,
    /// Pulse: an entry has come.
    pub arrived: Signal<Out, Bit>,
    /// Index of the next entry to come.
    pub cons: Signal<Out, Bits<16>>,

    words: LutFifo<Bits<32>, 5, 6>,
    marks: LutFifo<Bit, 3, 4>,
    /// 0 chooses, 1 adds up the address, 2 asks.
    state: Reg<Bits<2>>,
    mask: Reg<Bits<16>>,
    /// Index of the next entry to ask for.
    asked: Reg<Bits<16>>,
    slot: Reg<Bits<16>>,
    addr: Reg<Bits<32>>,
    length: Reg<Bits<7>>,
    /// Words in the FIFO and asked for.
    reserved: Reg<Bits<6>>,
    came: Reg<Bits<16>>,
    came_pulse: Reg<Bit>,
    beat: Reg<Bits<3>>,
    taint: Reg<Bit>,
    pos: Reg<Bits<3>>,

    /// It asks for nothing.
    absent: Fact,
    size: Signal<Local, Bits<16>>,
    avail: Signal<Local, Bits<16>>,
    entry_last: Signal<Local, Bits<3>>,
    block_fits: Signal<Local, Bit>,
    block: Signal<Local, Bit>,
    single: Signal<Local, Bit>,
    offset: Signal<Local, Bits<32>>,
    entry_end: Signal<Local, Bit>,
    added: Signal<Local, Bits<6>>,
    removed: Signal<Local, Bits<6>>,
}

impl Fetcher {
    /// For a build without this ring: it never asks, and shows no entry.
    pub fn set_absent(&mut self) {
        self.absent = Fact::new(true);
    }
}

module! {
    impl [] Logic for Fetcher;
    regs: state, mask, asked, slot, addr, length, reserved, came, came_pulse, beat, taint, pos;
    children: words, marks;
    #[hdl_gen]
    fn update(&mut self) {
        self.size.next = bits::<16>(1) << self.size_log2.val();
        self.mask.d.next = self.size.val() - 1;
        self.avail.next = self.prod.val() - self.asked.q.val();
        self.entry_last.next = 3.into();
        if self.slots.val() {
            self.entry_last.next = 7.into();
        }

        // A block starts at a multiple of its own size, in a ring at least as large.
        self.block_fits.next = (self.asked.q.val().get_bits::<2>(0) == 0)
            && self.mask.q.val().get_bit(1)
            && (self.avail.val() >= 4);
        self.single.next = (self.avail.val() != 0) && (self.reserved.q.val() <= 28);
        self.offset.next = bit_cast::<32, 16>(self.slot.q.val()) << 4;
        if self.slots.val() {
            self.block_fits.next = !self.asked.q.val().get_bit(0)
                && self.mask.q.val().get_bit(0)
                && (self.avail.val() >= 2);
            self.single.next = (self.avail.val() != 0) && (self.reserved.q.val() <= 24);
            self.offset.next = bit_cast::<32, 16>(self.slot.q.val()) << 5;
        }
        self.block.next = self.block_fits.val() && (self.reserved.q.val() <= 16);

        self.added.next = 0.into();
        match self.state.q.val().index() {
            0 => {
                self.slot.d.next = self.asked.q.val() & self.mask.q.val();
                if self.block.val() {
                    self.length.d.next = 64.into();
                    self.added.next = 16.into();
                    self.asked.d.next = self.asked.q.val() + 4;
                    if self.slots.val() {
                        self.asked.d.next = self.asked.q.val() + 2;
                    }
                    self.state.d.next = 1.into();
                } else if self.single.val() {
                    self.length.d.next = 16.into();
                    self.added.next = 4.into();
                    self.asked.d.next = self.asked.q.val() + 1;
                    if self.slots.val() {
                        self.length.d.next = 32.into();
                        self.added.next = 8.into();
                    }
                    self.state.d.next = 1.into();
                }
            }
            1 => {
                self.addr.d.next = self.base.val() + self.offset.val();
                self.state.d.next = 2.into();
            }
            _ => {
                if self.request.ready.val() {
                    self.state.d.next = 0.into();
                }
            }
        }
        self.request.valid.next = (self.state.q.val() == 2) && !self.absent.holds.val();
        self.request.addr.next = self.addr.q.val();
        self.request.length.next = bit_cast::<16, 7>(self.length.q.val());

        self.entry_end.next = self.data.valid.val() && (self.beat.q.val() == self.entry_last.val());
        self.words.push.next = self.data.valid.val();
        self.words.data.next = self.data.data.val();
        self.marks.push.next = self.entry_end.val();
        self.marks.data.next = self.taint.q.val() || self.data.error.val();
        self.came_pulse.d.next = self.entry_end.val();
        if self.data.valid.val() {
            self.beat.d.next = self.beat.q.val() + 1;
            self.taint.d.next = self.taint.q.val() || self.data.error.val();
        }
        if self.entry_end.val() {
            self.beat.d.next = 0.into();
            self.taint.d.next = false;
            self.came.d.next = self.came.q.val() + 1;
        }
        self.arrived.next = self.came_pulse.q.val();
        self.cons.next = self.came.q.val();

        self.word.next = self.words.head.val();
        self.valid.next = self.marks.valid.val() && !self.absent.holds.val();
        self.bad.next = self.marks.head.val();
        self.last.next = self.pos.q.val() == self.entry_last.val();
        self.words.pop.next = self.pop.val();
        self.marks.pop.next = self.pop.val() && (self.pos.q.val() == self.entry_last.val());
        self.removed.next = 0.into();
        if self.pop.val() {
            self.removed.next = 1.into();
            self.pos.d.next = self.pos.q.val() + 1;
            if self.pos.q.val() == self.entry_last.val() {
                self.pos.d.next = 0.into();
            }
        }
        self.reserved.d.next = self.reserved.q.val() + self.added.val() - self.removed.val();
    }
}

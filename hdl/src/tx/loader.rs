//! The loader: brings a header that the host has built in its memory into a staging slot.
//!
//! Words come as memory holds them; they are turned so that the header starts at the third byte of its slot, as
//! those of the firmware do. Ethernet, IPv4 and TCP headers end two bytes into a word of themselves, so that the
//! last word that comes completes the last one of the slot, whatever the lane.
//!
//! Core clock, synchronous reset. One word a cycle, written in the cycle after it came. No backpressure.
//! Verified in `cosim/tests/tx`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Byte rotator between the read bus and a slot of the host.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Loader {
    pub cr: Cr,
    pub data: Signal<In, Bits<32>>,
    pub valid: Signal<In, Bit>,
    pub last: Signal<In, Bit>,
    /// Byte lane at which the header starts in its first word, and the slot; with every word.
    pub lane: Signal<In, Bits<2>>,
    pub slot: Signal<In, Bit>,
    pub write: Signal<Out, Bit>,
    /// Slot and word.
    pub write_addr: Signal<Out, Bits<6>>,
    pub write_data: Signal<Out, Bits<32>>,

    older: Reg<Bits<32>>,
    newer: Reg<Bits<32>>,
    index: Reg<Bits<5>>,
    turn: Reg<Bits<2>>,
    bank: Reg<Bit>,
    pending: Reg<Bit>,
    ending: Reg<Bit>,
    target: Signal<Local, Bits<5>>,
}

module! {
    impl [] Logic for Loader;
    regs: older, newer, index, turn, bank, pending, ending;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.pending.d.next = self.valid.val();
        if self.valid.val() {
            self.older.d.next = self.newer.q.val();
            self.newer.d.next = self.data.val();
            self.turn.d.next = self.lane.val();
            self.bank.d.next = self.slot.val();
            self.ending.d.next = self.last.val();
        }

        self.target.next = self.index.q.val();
        self.write.next = self.pending.q.val();
        self.write_data.next = self.newer.q.val();
        if self.pending.q.val() {
            self.index.d.next = self.index.q.val() + 1;
            if self.ending.q.val() {
                self.index.d.next = 0.into();
            }
            match self.turn.q.val().index() {
                0 => {
                    self.write_data.next = (self.older.q.val() >> 16) | (self.newer.q.val() << 16);
                }
                1 => {
                    self.write_data.next = (self.older.q.val() >> 24) | (self.newer.q.val() << 8);
                }
                2 => {}
                _ => {
                    // Its first word has one byte of the header, for the word that the second one completes. It
                    // is written to the end of the slot meanwhile, where nothing counts.
                    self.target.next = self.index.q.val() - 1;
                    self.write_data.next = (self.older.q.val() >> 8) | (self.newer.q.val() << 24);
                }
            }
        }
        self.write_addr.next =
            (bit_cast::<6, 1>(self.bank.q.val().into()) << 5) | bit_cast::<6, 5>(self.target.val());
    }
}

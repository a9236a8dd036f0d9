//! The command queue: 64 slots of eight words, with the head visible to the core as a window.
//!
//! Words arrive in order, one a cycle, and are taken while a slot is free. A slot counts once its eighth word
//! is in. `window_word` answers one cycle after `window_index`. A pop drops slots from the head; a pop of
//! more than there are empties the queue.

use crate::kit::{Cr, LutRam, RamRw, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct CommandQueue {
    pub cr: Cr,
    pub now: Signal<In, Bits<32>>,
    pub word: Signal<In, Bits<32>>,
    pub valid: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
    /// Slots in the queue.
    pub count: Signal<Out, Bits<7>>,
    /// Cycle in which the head slot arrived.
    pub stamp: Signal<Out, Bits<32>>,
    pub window_index: Signal<In, Bits<7>>,
    pub window_word: Signal<Out, Bits<32>>,
    pub pop: Signal<In, Bit>,
    pub pop_slots: Signal<In, Bits<7>>,
    words: RamRw<32, 9>,
    stamps: LutRam<32, 6>,
    /// Words written, modulo twice the size.
    tail: Reg<Bits<10>>,
    /// Slots popped, modulo twice the size.
    head: Reg<Bits<7>>,
    tail_slot: Signal<Local, Bits<7>>,
    held: Signal<Local, Bits<7>>,
    take: Signal<Local, Bit>,
    head_word: Signal<Local, Bits<9>>,
}

module! {
    impl [] Logic for CommandQueue;
    regs: tail, head;
    children: words, stamps;
    #[hdl_gen]
    fn update(&mut self) {
        self.tail_slot.next = self.tail.q.val().get_bits::<7>(3);
        self.held.next = self.tail_slot.val() - self.head.q.val();
        self.count.next = self.held.val();
        self.ready.next = !self.held.val().get_bit(6);
        self.take.next = self.valid.val() && !self.held.val().get_bit(6);
        self.words.write_enable.next = self.take.val();
        self.words.write_addr.next = self.tail.q.val().get_bits::<9>(0);
        self.words.write_data.next = self.word.val();
        if self.take.val() {
            self.tail.d.next = self.tail.q.val() + 1;
        }
        self.stamps.write_enable.next = self.take.val() && self.tail.q.val().get_bits::<3>(0).all();
        self.stamps.write_addr.next = self.tail_slot.val().get_bits::<6>(0);
        self.stamps.write_data.next = self.now.val();
        self.stamps.read_addr.next = self.head.q.val().get_bits::<6>(0);
        self.stamp.next = self.stamps.read_data.val();
        if self.pop.val() {
            self.head.d.next = self.head.q.val() + self.pop_slots.val();
            if self.pop_slots.val() > self.held.val() {
                self.head.d.next = self.tail_slot.val();
            }
        }
        self.head_word.next = bit_cast::<9, 6>(self.head.q.val().get_bits::<6>(0)) << 3;
        self.words.read_addr.next = self.head_word.val() + bit_cast::<9, 7>(self.window_index.val());
        self.window_word.next = self.words.read_data.val();
    }
}

//! Packet memory: a ring of words with commit and rollback on the writing side.
//!
//! Words are appended at the tail; a frame stands once it is committed, and everything after the last
//! commit can be taken back. The reader addresses words relative to the oldest one and releases a number of
//! them at a time.
//!
//! Core clock, synchronous reset. A write is taken in its cycle, `read_data` answers the `read_addr` of the
//! cycle before, `used` follows a cycle after the write or release that changes it. A write when the ring
//! is full is ignored (the writer watches `full`); releasing more than was written is the reader's fault.
//! One block RAM for each 512 words of 32 bits. Verified in `cosim/tests/rx_path.rs` and
//! `cosim/tests/rx_blocks.rs`.

use crate::kit::{Cr, RamRw, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// `2^A` words of 32 bits; `A` from 9 to 13, and `A1 = A + 1`.
#[derive(Clone, Debug, LogicBlock)]
pub struct Ring<const A: usize, const A1: usize> {
    pub cr: Cr,
    pub write: Signal<In, Bit>,
    pub write_data: Signal<In, Bits<32>>,
    /// Everything written, this cycle's word included, stands.
    pub commit: Signal<In, Bit>,
    /// Everything written since the last commit, this cycle's word included, is taken back.
    pub rollback: Signal<In, Bit>,
    /// Words in the ring, committed or not.
    pub used: Signal<Out, Bits<A1>>,
    pub full: Signal<Out, Bit>,
    /// Place of a word after the oldest one.
    pub read_addr: Signal<In, Bits<12>>,
    pub read_data: Signal<Out, Bits<32>>,
    pub free: Signal<In, Bit>,
    pub free_words: Signal<In, Bits<12>>,

    memory: RamRw<32, A>,
    head: Reg<Bits<A1>>,
    tail: Reg<Bits<A1>>,
    /// The tail as of the last commit.
    committed: Reg<Bits<A1>>,

    capacity: Constant<Bits<A1>>,
    level: Signal<Local, Bits<A1>>,
    is_full: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    next_tail: Signal<Local, Bits<A1>>,
    offset: Signal<Local, Bits<A>>,
    address: Signal<Local, Bits<A>>,
}

impl<const A: usize, const A1: usize> Default for Ring<A, A1> {
    fn default() -> Self {
        assert!(A1 == A + 1 && (9..=17).contains(&A), "a ring of 2^{A} words, {A1} bits to count them");
        Ring {
            cr: Default::default(),
            write: Default::default(),
            write_data: Default::default(),
            commit: Default::default(),
            rollback: Default::default(),
            used: Default::default(),
            full: Default::default(),
            read_addr: Default::default(),
            read_data: Default::default(),
            free: Default::default(),
            free_words: Default::default(),
            memory: Default::default(),
            head: Default::default(),
            tail: Default::default(),
            committed: Default::default(),
            capacity: Constant::new(bits(1 << A)),
            level: Default::default(),
            is_full: Default::default(),
            accept: Default::default(),
            next_tail: Default::default(),
            offset: Default::default(),
            address: Default::default(),
        }
    }
}

module! {
    impl [const A: usize, const A1: usize] Logic for Ring<A, A1>;
    regs: head, tail, committed;
    children: memory;
    #[hdl_gen]
    fn update(&mut self) {
        self.level.next = self.tail.q.val() - self.head.q.val();
        self.is_full.next = self.level.val() == self.capacity.val();
        self.used.next = self.level.val();
        self.full.next = self.is_full.val();

        self.accept.next = self.write.val() && !self.is_full.val();
        self.memory.write_enable.next = self.accept.val();
        self.memory.write_addr.next = self.tail.q.val().get_bits::<A>(0);
        self.memory.write_data.next = self.write_data.val();
        self.next_tail.next = self.tail.q.val();
        if self.accept.val() {
            self.next_tail.next = self.tail.q.val() + 1;
        }
        self.tail.d.next = self.next_tail.val();
        if self.rollback.val() {
            self.tail.d.next = self.committed.q.val();
        }
        if self.commit.val() {
            self.committed.d.next = self.next_tail.val();
        }

        self.offset.next = bit_cast::<A, 12>(self.read_addr.val());
        self.address.next = self.head.q.val().get_bits::<A>(0) + self.offset.val();
        self.memory.read_addr.next = self.address.val();
        self.read_data.next = self.memory.read_data.val();
        if self.free.val() {
            self.head.d.next = self.head.q.val() + bit_cast::<A1, 12>(self.free_words.val());
        }
    }
}

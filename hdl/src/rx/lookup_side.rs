//! One of the two halves of the lookup table: buckets of four entries, and the comparison of one bucket with a key.
//!
//! Core clock, synchronous reset. `restart` forgets the scan before. In each cycle of `scan` the entry of `way`, whose
//! address was out in the cycle before, is compared; after four of them `found`, `value` and the free ways are those of
//! the bucket. `insert` writes the key with `new_value` to the first free way, `remove` clears the way that was found;
//! the one may be used only if `free` is not 0, the other only if `found`. A write of `clear` goes before both.
//! Verified in `cosim/tests/rx_lookup.rs`, and proven as part of the lookup (`hdl/formal/lookup.sv`).

use super::program::KEY_BITS;
use crate::kit::{Cr, RamRw, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Of an entry's first memory: its key and, below it, what fills up three of an ECP5's blocks of 36 bits where a key has three words.
const FIRST_BITS: usize = KEY_BITS + 12;

/// `2^A` entries in `2^(A-2)` buckets. Way `w` of bucket `b` is entry `4 b + w`.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct LookupSide<const A: usize> {
    pub cr: Cr,
    pub key: Signal<In, Bits<KEY_BITS>>,
    /// First entry of the bucket.
    pub bucket: Signal<In, Bits<A>>,
    /// The way whose address goes out.
    pub way: Signal<In, Bits<2>>,
    pub restart: Signal<In, Bit>,
    pub scan: Signal<In, Bit>,
    pub found: Signal<Out, Bit>,
    pub value: Signal<Out, Bits<16>>,
    /// Free ways of the bucket.
    pub free: Signal<Out, Bits<3>>,
    pub insert: Signal<In, Bit>,
    pub new_value: Signal<In, Bits<16>>,
    pub remove: Signal<In, Bit>,
    pub clear: Signal<In, Bit>,
    pub clear_addr: Signal<In, Bits<A>>,

    /// The key, and below it the value's twelve lower bits.
    firsts: RamRw<FIRST_BITS, A>,
    /// Its four upper ones, and above them whether the entry stands.
    rests: RamRw<5, A>,
    hit: Reg<Bit>,
    hit_value: Reg<Bits<16>>,
    hit_way: Reg<Bits<2>>,
    free_ways: Reg<Bits<3>>,
    free_way: Reg<Bits<2>>,

    entry: Signal<Local, Bits<FIRST_BITS>>,
    rest: Signal<Local, Bits<5>>,
    entry_key: Signal<Local, Bits<KEY_BITS>>,
    entry_value: Signal<Local, Bits<16>>,
    new_rest: Signal<Local, Bits<5>>,
    stands: Signal<Local, Bit>,
    same: Signal<Local, Bit>,
    way_before: Signal<Local, Bits<2>>,
    address: Signal<Local, Bits<A>>,
    target_way: Signal<Local, Bits<2>>,
    target: Signal<Local, Bits<A>>,
}

module! {
    impl [const A: usize] Logic for LookupSide<A>;
    regs: hit, hit_value, hit_way, free_ways, free_way;
    children: firsts, rests;
    #[hdl_gen]
    fn update(&mut self) {
        self.address.next = self.bucket.val() | bit_cast::<A, 2>(self.way.val());
        self.firsts.read_addr.next = self.address.val();
        self.rests.read_addr.next = self.address.val();

        self.entry.next = self.firsts.read_data.val();
        self.rest.next = self.rests.read_data.val();
        self.entry_key.next = self.entry.val().get_bits::<KEY_BITS>(12);
        self.entry_value.next = bit_cast::<16, 12>(self.entry.val().get_bits::<12>(0))
            | (bit_cast::<16, 4>(self.rest.val().get_bits::<4>(0)) << 12);
        self.stands.next = self.rest.val().get_bit(4);
        self.same.next = self.stands.val() && (self.entry_key.val() == self.key.val());
        self.way_before.next = self.way.val() - 1;
        if self.restart.val() {
            self.hit.d.next = false;
            self.free_ways.d.next = 0.into();
        }
        if self.scan.val() {
            if self.same.val() {
                self.hit.d.next = true;
                self.hit_value.d.next = self.entry_value.val();
                self.hit_way.d.next = self.way_before.val();
            }
            if !self.stands.val() {
                self.free_ways.d.next = self.free_ways.q.val() + 1;
                if self.free_ways.q.val() == 0 {
                    self.free_way.d.next = self.way_before.val();
                }
            }
        }
        self.found.next = self.hit.q.val();
        self.value.next = self.hit_value.q.val();
        self.free.next = self.free_ways.q.val();

        self.target_way.next = self.free_way.q.val();
        if self.remove.val() {
            self.target_way.next = self.hit_way.q.val();
        }
        self.target.next = self.bucket.val() | bit_cast::<A, 2>(self.target_way.val());
        if self.clear.val() {
            self.target.next = self.clear_addr.val();
        }
        self.rests.write_enable.next = self.insert.val() || self.remove.val() || self.clear.val();
        self.rests.write_addr.next = self.target.val();
        self.new_rest.next = bit_cast::<5, 4>(self.new_value.val().get_bits::<4>(12)) | 16;
        self.rests.write_data.next = 0.into();
        if self.insert.val() {
            self.rests.write_data.next = self.new_rest.val();
        }
        self.firsts.write_enable.next = self.insert.val();
        self.firsts.write_addr.next = self.target.val();
        self.firsts.write_data.next = (bit_cast::<FIRST_BITS, KEY_BITS>(self.key.val()) << 12)
            | bit_cast::<FIRST_BITS, 12>(self.new_value.val().get_bits::<12>(0));
    }
}

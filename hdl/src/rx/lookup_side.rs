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

    /// The value, and above it whether the entry stands.
    tags: RamRw<17, A>,
    keys: RamRw<KEY_BITS, A>,
    hit: Reg<Bit>,
    hit_value: Reg<Bits<16>>,
    hit_way: Reg<Bits<2>>,
    free_ways: Reg<Bits<3>>,
    free_way: Reg<Bits<2>>,

    tag: Signal<Local, Bits<17>>,
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
    children: tags, keys;
    #[hdl_gen]
    fn update(&mut self) {
        self.address.next = self.bucket.val() | bit_cast::<A, 2>(self.way.val());
        self.tags.read_addr.next = self.address.val();
        self.keys.read_addr.next = self.address.val();

        self.tag.next = self.tags.read_data.val();
        self.stands.next = self.tag.val().get_bit(16);
        self.same.next = self.stands.val() && (self.keys.read_data.val() == self.key.val());
        self.way_before.next = self.way.val() - 1;
        if self.restart.val() {
            self.hit.d.next = false;
            self.free_ways.d.next = 0.into();
        }
        if self.scan.val() {
            if self.same.val() {
                self.hit.d.next = true;
                self.hit_value.d.next = self.tag.val().get_bits::<16>(0);
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
        self.tags.write_enable.next = self.insert.val() || self.remove.val() || self.clear.val();
        self.tags.write_addr.next = self.target.val();
        self.tags.write_data.next = 0.into();
        if self.insert.val() {
            self.tags.write_data.next = bit_cast::<17, 16>(self.new_value.val()) | 0x10000;
        }
        self.keys.write_enable.next = self.insert.val();
        self.keys.write_addr.next = self.target.val();
        self.keys.write_data.next = self.key.val();
    }
}

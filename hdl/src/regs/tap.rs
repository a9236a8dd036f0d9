//! A block's place on the register bus.
//!
//! ```text
//!  AxilSlave ─► up RegTap down ─► up RegTap down ─► …
//!                block │           block │
//! ```
//!
//! The access passes to the block and to the next tap as it is. The block's answer waits in a register, because blocks lie all
//! over the device, and is joined to what comes from below; the last tap hears a hit from nobody. Core clock, synchronous reset;
//! so `read_data` and `read_hit` of `up` follow `read_addr` a cycle late, `write_hit` follows `write_addr` in the same one.
//! Verified with the registers in `tests/tests/registers.rs`.

use super::{RegBus, RegUser};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct RegTap {
    pub cr: Cr,
    pub up: RegBus,
    pub block: RegUser,
    pub down: RegUser,
    data: Reg<Bits<32>>,
    hit: Reg<Bit>,
}

module! {
    impl [] Logic for RegTap;
    regs: data, hit;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.block.write.next = self.up.write.val();
        self.block.write_addr.next = self.up.write_addr.val();
        self.block.write_data.next = self.up.write_data.val();
        self.block.read_addr.next = self.up.read_addr.val();
        self.down.write.next = self.up.write.val();
        self.down.write_addr.next = self.up.write_addr.val();
        self.down.write_data.next = self.up.write_data.val();
        self.down.read_addr.next = self.up.read_addr.val();
        self.up.write_hit.next = self.block.write_hit.val() || self.down.write_hit.val();
        self.data.d.next = self.block.read_data.val();
        self.hit.d.next = self.block.read_hit.val();
        self.up.read_data.next = self.data.q.val() | self.down.read_data.val();
        self.up.read_hit.next = self.hit.q.val() || self.down.read_hit.val();
    }
}

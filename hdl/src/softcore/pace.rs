//! When the softcore stands still, so that it runs as if at a slower clock than everything around it.
//!
//! Of 65,536 cycles, `pause` is high in `skip`, as evenly spread as they can be; never with zero. The core counts a
//! cycle with `pause` in none of its instructions' times; CSR `mcycle` counts it. Core clock, synchronous reset; `pause` follows
//! `skip` after two cycles. The core with any pauses is verified in lockstep, and its times, in
//! `cosim/tests/softcore`; all of it in `cosim/tests/nic.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Pace {
    pub cr: Cr,
    pub skip: Signal<In, Bits<16>>,
    pub pause: Signal<Out, Bit>,
    phase: Reg<Bits<16>>,
    over: Reg<Bit>,
    sum: Signal<Local, Bits<17>>,
}

module! {
    impl [] Logic for Pace;
    regs: phase, over;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.sum.next = bit_cast::<17, 16>(self.phase.q.val()) + bit_cast::<17, 16>(self.skip.val());
        self.phase.d.next = self.sum.val().get_bits::<16>(0);
        self.over.d.next = self.sum.val().get_bit(16);
        self.pause.next = self.over.q.val();
    }
}

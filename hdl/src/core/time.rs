//! Microseconds since reset, from the core clock.

use crate::kit::{Cr, Reg, Ticker};
use crate::module;
use rust_hdl::prelude::*;

/// `micros` advances by one every `ticks_per_us` cycles; a divider of zero counts as one.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Micros {
    pub cr: Cr,
    pub ticks_per_us: Signal<In, Bits<16>>,
    pub micros: Signal<Out, Bits<32>>,
    prescale: Ticker<Bits<16>>,
    count: Reg<Bits<32>>,
    following: Signal<Local, Bits<16>>,
}

module! {
    impl [] Logic for Micros;
    regs: prescale, count;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.following.next = self.prescale.q.val() + 1;
        self.prescale.d.next = self.following.val();
        if self.following.val() >= self.ticks_per_us.val() {
            self.prescale.d.next = 0.into();
            self.count.d.next = self.count.q.val() + 1;
        }
        self.micros.next = self.count.q.val();
    }
}

//! Microseconds since reset, from the core clock.

use crate::kit::{Cr, Reg, Ticker};
use crate::module;
use rust_hdl::prelude::*;

/// `micros` advances by a step every so many cycles, so that any clock has its microseconds: `ticks_per_us` has the cycles
/// in its low and the step in its high half. Either of them counts as one where it is zero.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Micros {
    pub cr: Cr,
    pub ticks_per_us: Signal<In, Bits<32>>,
    pub micros: Signal<Out, Bits<32>>,
    prescale: Ticker<Bits<16>>,
    count: Reg<Bits<32>>,
    following: Signal<Local, Bits<16>>,
    ticks: Signal<Local, Bits<16>>,
    step: Signal<Local, Bits<16>>,
    advance: Signal<Local, Bits<32>>,
}

module! {
    impl [] Logic for Micros;
    regs: prescale, count;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.following.next = self.prescale.q.val() + 1;
        self.prescale.d.next = self.following.val();
        self.ticks.next = self.ticks_per_us.val().get_bits::<16>(0);
        self.step.next = self.ticks_per_us.val().get_bits::<16>(16);
        self.advance.next = bit_cast::<32, 16>(self.step.val());
        if !self.step.val().any() {
            self.advance.next = 1.into();
        }
        if self.following.val() >= self.ticks.val() {
            self.prescale.d.next = 0.into();
            self.count.d.next = self.count.q.val() + self.advance.val();
        }
        self.micros.next = self.count.q.val();
    }
}

//! The check that keeps DMA inside the memory that the driver registered.
//!
//! A request of `length` bytes at `start` passes when all of it lies in one of four ranges, each from its
//! base up to but without its limit. A request that runs past the end of the address space never passes, an
//! empty range holds nothing, and two adjoining ranges are not one: a request across their seam is refused.
//!
//! Core clock, synchronous reset. Latency two cycles: `allowed` answers the `start` and `length` of two
//! cycles before; `allowed_next` is its next value, for a register of the reader's own. Throughput one request a cycle, no backpressure. The ranges may change only while
//! nothing is being checked. Verified in `cosim/tests/dma_write`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Whether a request lies inside one of four ranges.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct RangeCheck {
    pub cr: Cr,
    /// First byte of the request.
    pub start: Signal<In, Bits<32>>,
    /// Bytes of the request.
    pub length: Signal<In, Bits<16>>,
    pub base0: Signal<In, Bits<32>>,
    pub base1: Signal<In, Bits<32>>,
    pub base2: Signal<In, Bits<32>>,
    pub base3: Signal<In, Bits<32>>,
    /// One past the last byte of the range.
    pub limit0: Signal<In, Bits<32>>,
    pub limit1: Signal<In, Bits<32>>,
    pub limit2: Signal<In, Bits<32>>,
    pub limit3: Signal<In, Bits<32>>,
    /// The request of two cycles before may be carried out.
    pub allowed: Signal<Out, Bit>,
    pub allowed_next: Signal<Out, Bit>,

    /// One past the request's last byte, with the carry out of the address space.
    past: Reg<Bits<33>>,
    above0: Reg<Bit>,
    above1: Reg<Bit>,
    above2: Reg<Bit>,
    above3: Reg<Bit>,
    answer: Reg<Bit>,
    wide_start: Signal<Local, Bits<33>>,
    wide_length: Signal<Local, Bits<33>>,
    within0: Signal<Local, Bit>,
    within1: Signal<Local, Bit>,
    within2: Signal<Local, Bit>,
    within3: Signal<Local, Bit>,
    passes: Signal<Local, Bit>,
}

module! {
    impl [] Logic for RangeCheck;
    regs: past, above0, above1, above2, above3, answer;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.wide_start.next = bit_cast::<33, 32>(self.start.val());
        self.wide_length.next = bit_cast::<33, 16>(self.length.val());
        self.past.d.next = self.wide_start.val() + self.wide_length.val();
        self.above0.d.next = self.start.val() >= self.base0.val();
        self.above1.d.next = self.start.val() >= self.base1.val();
        self.above2.d.next = self.start.val() >= self.base2.val();
        self.above3.d.next = self.start.val() >= self.base3.val();

        // An empty range has its limit at or below its base, which a request at or above the base reaches
        // only with a length of zero.
        self.within0.next = self.above0.q.val() && (self.past.q.val() <= bit_cast::<33, 32>(self.limit0.val()));
        self.within1.next = self.above1.q.val() && (self.past.q.val() <= bit_cast::<33, 32>(self.limit1.val()));
        self.within2.next = self.above2.q.val() && (self.past.q.val() <= bit_cast::<33, 32>(self.limit2.val()));
        self.within3.next = self.above3.q.val() && (self.past.q.val() <= bit_cast::<33, 32>(self.limit3.val()));
        self.passes.next = self.within0.val() || self.within1.val() || self.within2.val() || self.within3.val();
        self.answer.d.next = self.passes.val();
        self.allowed_next.next = self.passes.val();
        self.allowed.next = self.answer.q.val();
    }
}

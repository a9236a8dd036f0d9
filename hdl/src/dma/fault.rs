//! Reports refused and failed accesses one at a time.
//!
//! Core clock, synchronous reset. A failed access (an error response) is reported in the next cycle. A
//! refused one waits for a cycle without a failure; until then `busy` is high and no other may be refused.
//! Verified in `cosim/tests/dma_write`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Merges the two sources of DMA errors into one pulse and one address.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct FaultReport {
    pub cr: Cr,
    pub refused: Signal<In, Bit>,
    pub refused_addr: Signal<In, Bits<32>>,
    pub refused_source: Signal<In, Bits<3>>,
    pub busy: Signal<Out, Bit>,
    pub failed: Signal<In, Bit>,
    pub failed_addr: Signal<In, Bits<32>>,
    pub failed_source: Signal<In, Bits<3>>,
    /// DECERR, not SLVERR.
    pub failed_decode: Signal<In, Bit>,
    /// An access was refused or failed.
    pub dma_error: Signal<Out, Bit>,
    /// Address of the last such access.
    pub fault_addr: Signal<Out, Bits<32>>,
    /// Its kind and source, as in `DMA_FAULT`: kind [1:0], write [2], source [6:4].
    pub fault_info: Signal<Out, Bits<7>>,

    waiting: Reg<Bit>,
    waiting_addr: Reg<Bits<32>>,
    waiting_source: Reg<Bits<3>>,
    pulse: Reg<Bit>,
    addr: Reg<Bits<32>>,
    kind: Reg<Bits<2>>,
    source: Reg<Bits<3>>,
}

module! {
    impl [] Logic for FaultReport;
    regs: waiting, waiting_addr, waiting_source, pulse, addr, kind, source;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.pulse.d.next = self.failed.val() || self.waiting.q.val();
        if self.failed.val() {
            self.addr.d.next = self.failed_addr.val();
            self.source.d.next = self.failed_source.val();
            self.kind.d.next = 2.into();
            if self.failed_decode.val() {
                self.kind.d.next = 3.into();
            }
        } else if self.waiting.q.val() {
            self.addr.d.next = self.waiting_addr.q.val();
            self.source.d.next = self.waiting_source.q.val();
            self.kind.d.next = 1.into();
        }
        if !self.failed.val() {
            self.waiting.d.next = false;
        }
        if self.refused.val() {
            self.waiting.d.next = true;
            self.waiting_addr.d.next = self.refused_addr.val();
            self.waiting_source.d.next = self.refused_source.val();
        }
        self.busy.next = self.waiting.q.val();
        self.dma_error.next = self.pulse.q.val();
        self.fault_addr.next = self.addr.q.val();
        self.fault_info.next = bit_cast::<7, 2>(self.kind.q.val())
            | bits::<7>(4)
            | (bit_cast::<7, 3>(self.source.q.val()) << 4);
    }
}

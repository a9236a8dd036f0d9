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
    pub busy: Signal<Out, Bit>,
    pub failed: Signal<In, Bit>,
    pub failed_addr: Signal<In, Bits<32>>,
    /// An access was refused or failed.
    pub dma_error: Signal<Out, Bit>,
    /// Address of the last such access.
    pub fault_addr: Signal<Out, Bits<32>>,

    waiting: Reg<Bit>,
    waiting_addr: Reg<Bits<32>>,
    pulse: Reg<Bit>,
    addr: Reg<Bits<32>>,
}

module! {
    impl [] Logic for FaultReport;
    regs: waiting, waiting_addr, pulse, addr;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.pulse.d.next = self.failed.val() || self.waiting.q.val();
        if self.failed.val() {
            self.addr.d.next = self.failed_addr.val();
        } else if self.waiting.q.val() {
            self.addr.d.next = self.waiting_addr.q.val();
        }
        if !self.failed.val() {
            self.waiting.d.next = false;
        }
        if self.refused.val() {
            self.waiting.d.next = true;
        }
        if self.refused.val() {
            self.waiting_addr.d.next = self.refused_addr.val();
        }
        self.busy.next = self.waiting.q.val();
        self.dma_error.next = self.pulse.q.val();
        self.fault_addr.next = self.addr.q.val();
    }
}

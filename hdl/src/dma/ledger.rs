//! Counts the writes that were issued and those that memory has acknowledged.
//!
//! Writes are acknowledged in the order in which they were issued, so a mark on the count says when one has been.
//! `open` is high from the issue of a write that belongs to a job until the last such write is acknowledged.
//!
//! Core clock, synchronous reset. Counts follow their pulses by one cycle, `open` falls one cycle after the count.
//! Both wrap at 256, many times what can be outstanding. Verified in `cosim/tests/dma_write`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The counts of writes.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Ledger {
    pub cr: Cr,
    pub issue: Signal<In, Bit>,
    /// The write issued belongs to a job.
    pub of_job: Signal<In, Bit>,
    pub ack: Signal<In, Bit>,
    /// Writes issued and acknowledged since reset, wrapping.
    pub issued: Signal<Out, Bits<8>>,
    pub acked: Signal<Out, Bits<8>>,
    /// A job's write has not been acknowledged.
    pub open: Signal<Out, Bit>,

    issue_count: Reg<Bits<8>>,
    ack_count: Reg<Bits<8>>,
    mark: Reg<Bits<8>>,
    waits: Reg<Bit>,
}

module! {
    impl [] Logic for Ledger;
    regs: issue_count, ack_count, mark, waits;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        if self.ack.val() {
            self.ack_count.d.next = self.ack_count.q.val() + 1;
        }
        if self.ack_count.q.val() == self.mark.q.val() {
            self.waits.d.next = false;
        }
        if self.issue.val() {
            self.issue_count.d.next = self.issue_count.q.val() + 1;
            if self.of_job.val() {
                self.waits.d.next = true;
                self.mark.d.next = self.issue_count.q.val() + 1;
            }
        }
        self.issued.next = self.issue_count.q.val();
        self.acked.next = self.ack_count.q.val();
        self.open.next = self.waits.q.val();
    }
}

//! The finisher: brings a job together with the sums of its header and payload.
//!
//! Jobs leave in order, each when its payload has come and its header is summed. A job that is bad, or whose
//! payload could not be read, goes on as one to be dropped, so that the sender frees its memory in
//! turn. The transmit ring's consumer index advances here: the frame's bytes have been read.
//!
//! A checksum of zero is sent as 0xFFFF where UDP has its checksum, six bytes from where the sum starts, because
//! UDP takes zero for "no checksum" (RFC 768). Everywhere else it stays.
//!
//! Core clock, synchronous reset. Three cycles a frame. Verified in `cosim/tests/tx.rs`.

use super::records::{HeaderSums, Job, Payload, Ready};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Completes jobs for the sender.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Finish {
    pub cr: Cr,
    pub job: Signal<In, Job>,
    pub job_valid: Signal<In, Bit>,
    pub job_take: Signal<Out, Bit>,
    pub payload: Signal<In, Payload>,
    pub payload_valid: Signal<In, Bit>,
    pub payload_take: Signal<Out, Bit>,
    pub sums: Signal<In, HeaderSums>,
    pub sums_valid: Signal<In, Bit>,
    pub sums_take: Signal<Out, Bit>,
    pub ready: Signal<Out, Ready>,
    pub ready_push: Signal<Out, Bit>,
    pub ready_full: Signal<In, Bit>,
    pub tx_cons: Signal<Out, Bits<16>>,
    /// Pulse: a job with impossible lengths.
    pub bad: Signal<Out, Bit>,

    /// 0 waits, 1 folds, 2 delivers.
    state: Reg<Bits<2>>,
    total: Reg<Bits<17>>,
    sum: Reg<Bits<16>>,
    failed: Reg<Bit>,
    cons: Reg<Bits<16>>,
    bad_pulse: Reg<Bit>,
    complete: Signal<Local, Bit>,
    header: Signal<Local, Bits<8>>,
    data_sum: Signal<Local, Bits<16>>,
    part: Signal<Local, Bits<16>>,
    header_part: Signal<Local, Bits<16>>,
    folded: Signal<Local, Bits<16>>,
    deliver: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Finish;
    regs: state, total, sum, failed, cons, bad_pulse;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.complete.next = self.job_valid.val()
            && ((self.job.val().words == 0) || self.payload_valid.val())
            && (self.job.val().host || self.sums_valid.val());

        // A payload that starts at an odd byte after its header turns its sum, as in the intake.
        self.header.next = self.job.val().header;
        self.data_sum.next = self.payload.val().sum;
        self.part.next = self.data_sum.val();
        if !self.job.val().host && self.header.val().get_bit(0) {
            self.part.next = (bit_cast::<16, 8>(self.data_sum.val().get_bits::<8>(0)) << 8)
                | bit_cast::<16, 8>(self.data_sum.val().get_bits::<8>(8));
        }
        if self.job.val().words == 0 {
            self.part.next = 0.into();
        }
        self.header_part.next = self.sums.val().tcp;
        if self.job.val().host {
            self.header_part.next = 0.into();
        }
        self.folded.next = self.total.q.val().get_bits::<16>(0)
            + bit_cast::<16, 1>(self.total.q.val().get_bits::<1>(16));

        self.deliver.next = (self.state.q.val() == 2) && !self.ready_full.val();
        self.bad_pulse.d.next = false;
        match self.state.q.val().index() {
            0 => {
                self.total.d.next =
                    bit_cast::<17, 16>(self.part.val()) + bit_cast::<17, 16>(self.header_part.val());
                self.failed.d.next = self.payload.val().failed && (self.job.val().words != 0);
                if self.complete.val() {
                    self.state.d.next = 1.into();
                }
            }
            1 => {
                self.sum.d.next = !self.folded.val();
                if self.job.val().host && self.job.val().udp && (self.folded.val() == 0xFFFF) {
                    self.sum.d.next = 0xFFFF.into();
                }
                self.state.d.next = 2.into();
            }
            _ => {
                if self.deliver.val() {
                    self.state.d.next = 0.into();
                    self.bad_pulse.d.next = self.job.val().bad;
                    if self.job.val().host {
                        self.cons.d.next = self.cons.q.val() + 1;
                    }
                }
            }
        }
        self.job_take.next = self.deliver.val();
        self.payload_take.next = self.deliver.val() && (self.job.val().words != 0);
        self.sums_take.next = self.deliver.val() && !self.job.val().host;
        self.ready_push.next = self.deliver.val();
        self.ready.next.host = self.job.val().host;
        self.ready.next.drop = self.job.val().bad || self.failed.q.val();
        self.ready.next.inject = self.job.val().inject;
        self.ready.next.header = self.job.val().header;
        self.ready.next.words = self.job.val().words;
        self.ready.next.lane = self.job.val().lane;
        self.ready.next.end = self.job.val().end;
        self.ready.next.ip_checksum = self.job.val().ip_checksum;
        self.ready.next.checksum = self.job.val().checksum;
        self.ready.next.patch = self.job.val().patch;
        self.ready.next.ip = !self.sums.val().ip;
        self.ready.next.sum = self.sum.q.val();
        self.tx_cons.next = self.cons.q.val();
        self.bad.next = self.bad_pulse.q.val();
    }
}

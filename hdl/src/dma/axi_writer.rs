//! The write channels of an AXI4 master.
//!
//! Takes runs of words: `go` with an address and a length, then the beats through `push`, each with its
//! strobes and the mark of a burst's end. Addresses come from [`BurstSplitter`]; a burst's data is offered
//! only after its address, so the two channels can never disagree for longer than a burst. Up to 16 bursts
//! are outstanding, all without an id, so they are answered in order.
//!
//! Core clock, synchronous reset. Throughput one beat a cycle. Latency of a beat from `push` to the channel:
//! two cycles. Backpressure: `room` is high while five entries or more of the data queue are free, so up to
//! four beats may be on their way when it falls. The producer marks a burst's last beat by the splitter's
//! rule. An error response is told by `failed` and changes nothing else. All AXI outputs are registers.
//! Verified in `cosim/tests/dma_write`.

use super::burst::BurstSplitter;
use crate::kit::{Cr, LutFifo, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// AXI4 write master for runs of words.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct AxiWriter {
    pub cr: Cr,
    /// Starts a run; taken when `ready` is high.
    pub go: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
    /// Address of the first word, in words.
    pub word_addr: Signal<In, Bits<30>>,
    /// Words, at least one.
    pub words: Signal<In, Bits<15>>,
    /// Comes back with the acknowledgement of the run, and with a failure.
    pub source: Signal<In, Bits<3>>,

    pub push: Signal<In, Bit>,
    pub data: Signal<In, Bits<32>>,
    pub strobe: Signal<In, Bits<4>>,
    pub last: Signal<In, Bit>,
    pub room: Signal<Out, Bit>,

    /// A whole run has been acknowledged.
    pub done: Signal<Out, Bit>,
    /// A burst was answered by SLVERR or DECERR; its address.
    pub failed: Signal<Out, Bit>,
    pub failed_addr: Signal<Out, Bits<32>>,
    /// The error was DECERR.
    pub failed_decode: Signal<Out, Bit>,
    /// Source of the run that `done` and `failed` speak of.
    pub answered_source: Signal<Out, Bits<3>>,

    pub awaddr: Signal<Out, Bits<32>>,
    pub awlen: Signal<Out, Bits<8>>,
    pub awvalid: Signal<Out, Bit>,
    pub awready: Signal<In, Bit>,
    pub wdata: Signal<Out, Bits<32>>,
    pub wstrb: Signal<Out, Bits<4>>,
    pub wlast: Signal<Out, Bit>,
    pub wvalid: Signal<Out, Bit>,
    pub wready: Signal<In, Bit>,
    pub bresp: Signal<In, Bits<2>>,
    pub bvalid: Signal<In, Bit>,
    pub bready: Signal<Out, Bit>,

    splitter: BurstSplitter,
    run_source: Reg<Bits<3>>,
    /// Beats: data, strobes in 35:32, last in 36.
    beats: LutFifo<Bits<37>, 4, 5>,
    /// Bursts that wait for their response: word address, end of run in 30, source in 33:31.
    outstanding: LutFifo<Bits<34>, 4, 5>,
    /// Bursts whose address was issued and whose last beat has not left the queue.
    announced: Reg<Bits<5>>,
    beat: Reg<Bits<37>>,
    beat_valid: Reg<Bit>,
    done_now: Reg<Bit>,
    failed_now: Reg<Bit>,
    failed_how: Reg<Bit>,
    answered: Reg<Bits<3>>,
    failed_at: Reg<Bits<30>>,
    load: Signal<Local, Bit>,
    load_last: Signal<Local, Bit>,
    beat_in: Signal<Local, Bits<37>>,
    burst_in: Signal<Local, Bits<34>>,
}

module! {
    impl [] Logic for AxiWriter;
    regs: run_source, announced, beat, beat_valid, done_now, failed_now, failed_how, failed_at, answered;
    children: splitter, beats, outstanding;
    #[hdl_gen]
    fn update(&mut self) {
        self.splitter.go.next = self.go.val();
        self.splitter.word_addr.next = self.word_addr.val();
        self.splitter.words.next = self.words.val();
        self.splitter.mute.next = false;
        self.splitter.hold.next = self.outstanding.full.val();
        self.splitter.axready.next = self.awready.val();
        self.ready.next = self.splitter.ready.val();
        self.awaddr.next = self.splitter.axaddr.val();
        self.awlen.next = self.splitter.axlen.val();
        self.awvalid.next = self.splitter.axvalid.val();
        if self.go.val() && self.splitter.ready.val() {
            self.run_source.d.next = self.source.val();
        }

        self.beat_in.next = bit_cast::<37, 32>(self.data.val())
            | (bit_cast::<37, 4>(self.strobe.val()) << 32)
            | (bit_cast::<37, 1>(self.last.val().into()) << 36);
        self.beats.push.next = self.push.val();
        self.beats.data.next = self.beat_in.val();
        self.room.next = self.beats.count.val() < 12;

        // The output register is refilled as it empties, but only with beats of an announced burst.
        self.load.next = self.beats.valid.val()
            && self.announced.q.val().any()
            && (!self.beat_valid.q.val() || self.wready.val());
        self.load_last.next = self.load.val() && self.beats.head.val().get_bit(36);
        self.beats.pop.next = self.load.val();
        if self.wready.val() {
            self.beat_valid.d.next = false;
        }
        if self.load.val() {
            self.beat_valid.d.next = true;
        }
        if self.load.val() {
            self.beat.d.next = self.beats.head.val();
        }
        if self.splitter.issue.val() && !self.load_last.val() {
            self.announced.d.next = self.announced.q.val() + 1;
        }
        if !self.splitter.issue.val() && self.load_last.val() {
            self.announced.d.next = self.announced.q.val() - 1;
        }
        self.wdata.next = self.beat.q.val().get_bits::<32>(0);
        self.wstrb.next = self.beat.q.val().get_bits::<4>(32);
        self.wlast.next = self.beat.q.val().get_bit(36);
        self.wvalid.next = self.beat_valid.q.val();

        self.burst_in.next = bit_cast::<34, 30>(self.splitter.issue_addr.val())
            | (bit_cast::<34, 1>(self.splitter.issue_final.val().into()) << 30)
            | (bit_cast::<34, 3>(self.run_source.q.val()) << 31);
        self.outstanding.push.next = self.splitter.issue.val();
        self.outstanding.data.next = self.burst_in.val();
        self.bready.next = true;
        self.outstanding.pop.next = self.bvalid.val();
        self.done_now.d.next =
            self.bvalid.val() && self.outstanding.valid.val() && self.outstanding.head.val().get_bit(30);
        self.failed_now.d.next =
            self.bvalid.val() && self.outstanding.valid.val() && self.bresp.val().get_bit(1);
        self.failed_how.d.next = self.bresp.val().get_bit(0);
        self.answered.d.next = self.outstanding.head.val().get_bits::<3>(31);
        self.failed_at.d.next = self.outstanding.head.val().get_bits::<30>(0);
        self.done.next = self.done_now.q.val();
        self.answered_source.next = self.answered.q.val();
        self.failed_decode.next = self.failed_how.q.val();
        self.failed.next = self.failed_now.q.val();
        self.failed_addr.next = bit_cast::<32, 30>(self.failed_at.q.val()) << 2;
    }
}

//! The planner: decides which frame is next, checks its lengths, and has its payload read.
//!
//! Granted host frames go first, then the firmware's segments. A frame is planned when the payload memory has
//! room for all of it, so several may be on their way, and reading goes on while earlier frames are sent.
//! A frame with an impossible length, or whose checksum would lie outside it, is passed on as `bad`: it keeps
//! its place in the order and is dropped at the end.
//!
//! Core clock, synchronous reset. Five cycles a frame. Verified in `cosim/tests/tx.rs`.

use super::records::{HostFrame, IntakeNote, Job, Segment};
use crate::dma::read_bus::ReadRequestSource;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Turns descriptors and segments into jobs and read requests.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Planner {
    pub cr: Cr,
    pub frame: Signal<In, HostFrame>,
    pub frame_valid: Signal<In, Bit>,
    pub frame_take: Signal<Out, Bit>,
    pub segment: Signal<In, Segment>,
    pub segment_valid: Signal<In, Bit>,
    pub segment_take: Signal<Out, Bit>,
    /// Where the sender reads next in the payload memory; everything before it is free.
    pub read_index: Signal<In, Bits<11>>,
    pub request: ReadRequestSource,
    pub job: Signal<Out, Job>,
    pub job_push: Signal<Out, Bit>,
    pub job_full: Signal<In, Bit>,
    pub note: Signal<Out, IntakeNote>,
    pub note_push: Signal<Out, Bit>,
    pub note_full: Signal<In, Bit>,

    /// 0 chooses, 1 measures, 2 waits for room, 3 asks.
    state: Reg<Bits<2>>,
    host: Reg<Bit>,
    reserved: Reg<Bits<11>>,
    words: Reg<Bits<9>>,
    tail: Reg<Bits<2>>,
    first: Reg<Bits<11>>,
    patch: Reg<Bits<11>>,
    udp: Reg<Bit>,
    bad_length: Reg<Bit>,
    bad_checksum: Reg<Bit>,
    request_addr: Reg<Bits<32>>,
    request_length: Reg<Bits<16>>,

    addr: Signal<Local, Bits<32>>,
    length: Signal<Local, Bits<16>>,
    lane: Signal<Local, Bits<2>>,
    span: Signal<Local, Bits<17>>,
    rounded: Signal<Local, Bits<17>>,
    total: Signal<Local, Bits<17>>,
    past_patch: Signal<Local, Bits<17>>,
    udp_offset: Signal<Local, Bits<16>>,
    bad: Signal<Local, Bit>,
    used: Signal<Local, Bits<11>>,
    need: Signal<Local, Bits<11>>,
    room: Signal<Local, Bit>,
    go: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Planner;
    regs: state, host, reserved, words, tail, first, patch, udp, bad_length, bad_checksum, request_addr, request_length;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.addr.next = self.segment.val().addr;
        self.length.next = self.segment.val().length;
        if self.host.q.val() {
            self.addr.next = self.frame.val().addr;
            self.length.next = self.frame.val().length;
        }
        self.lane.next = self.addr.val().get_bits::<2>(0);
        self.span.next = bit_cast::<17, 16>(self.length.val()) + bit_cast::<17, 2>(self.lane.val());
        self.rounded.next = self.span.val() + 3;
        self.total.next =
            bit_cast::<17, 16>(self.segment.val().length) + bit_cast::<17, 8>(self.segment.val().header);
        self.past_patch.next = bit_cast::<17, 16>(self.frame.val().csum_offset) + 2;
        // UDP's checksum is six bytes into its header, TCP's sixteen.
        self.udp_offset.next = self.frame.val().csum_start + 6;

        self.bad.next = self.bad_length.q.val() || self.bad_checksum.q.val();
        self.used.next = self.reserved.q.val() - self.read_index.val();
        self.need.next = self.used.val() + bit_cast::<11, 9>(self.words.q.val());
        self.room.next = (self.need.val() <= 1024) || self.bad.val();
        self.go.next = (self.state.q.val() == 2)
            && self.room.val()
            && !self.job_full.val()
            && !self.note_full.val();

        match self.state.q.val().index() {
            0 => {
                self.host.d.next = self.frame_valid.val();
                if self.frame_valid.val() || self.segment_valid.val() {
                    self.state.d.next = 1.into();
                }
            }
            1 => {
                self.words.d.next = self.rounded.val().get_bits::<9>(2);
                if self.length.val() == 0 {
                    self.words.d.next = 0.into();
                }
                self.tail.d.next = self.span.val().get_bits::<2>(0);
                self.request_addr.d.next = self.addr.val();
                self.request_length.d.next = self.length.val();
                self.first.d.next = bit_cast::<11, 2>(self.lane.val());
                self.udp.d.next = self.frame.val().csum_offset == self.udp_offset.val();
                self.patch.d.next =
                    bit_cast::<11, 16>(self.frame.val().csum_offset) + bit_cast::<11, 2>(self.lane.val());
                if self.host.q.val() {
                    self.first.d.next =
                        bit_cast::<11, 16>(self.frame.val().csum_start) + bit_cast::<11, 2>(self.lane.val());
                    self.bad_length.d.next = (self.length.val() < 14) || (self.length.val() > 1518);
                    self.bad_checksum.d.next = self.frame.val().checksum
                        && ((self.frame.val().csum_start >= self.length.val())
                            || (self.past_patch.val() > bit_cast::<17, 16>(self.length.val())));
                } else {
                    // Two bytes of padding are counted in the header and not sent.
                    self.bad_length.d.next = (self.segment.val().header < 16)
                        || (self.segment.val().header > 128)
                        || (self.total.val() > 1520);
                    self.bad_checksum.d.next = (self.segment.val().ip_checksum
                        && (self.segment.val().header < 36))
                        || (self.segment.val().tcp_checksum && (self.segment.val().header < 56));
                }
                self.state.d.next = 2.into();
            }
            2 => {
                if self.go.val() {
                    self.state.d.next = 0.into();
                    if !self.bad.val() && (self.words.q.val() != 0) {
                        self.reserved.d.next = self.reserved.q.val() + bit_cast::<11, 9>(self.words.q.val());
                        self.state.d.next = 3.into();
                    }
                }
            }
            _ => {
                if self.request.ready.val() {
                    self.state.d.next = 0.into();
                }
            }
        }
        self.frame_take.next = self.go.val() && self.host.q.val();
        self.segment_take.next = self.go.val() && !self.host.q.val();
        self.job_push.next = self.go.val();
        self.job.next.host = self.host.q.val();
        self.job.next.bad = self.bad.val();
        self.job.next.inject = self.host.q.val() && self.frame.val().inject;
        self.job.next.header = self.segment.val().header;
        self.job.next.words = self.words.q.val();
        self.job.next.lane = self.request_addr.q.val().get_bits::<2>(0);
        self.job.next.end = self.tail.q.val();
        self.job.next.ip_checksum = !self.host.q.val() && self.segment.val().ip_checksum;
        self.job.next.patch = self.patch.q.val();
        self.job.next.udp = self.udp.q.val();
        self.job.next.checksum = self.segment.val().tcp_checksum;
        if self.host.q.val() {
            self.job.next.checksum = self.frame.val().checksum;
        }
        if self.bad.val() {
            self.job.next.words = 0.into();
        }
        self.note_push.next = self.go.val() && !self.bad.val() && (self.words.q.val() != 0);
        self.note.next.first = self.first.q.val();
        self.note.next.end = self.tail.q.val();
        self.request.addr.next = self.request_addr.q.val();
        self.request.length.next = self.request_length.q.val();
        self.request.valid.next = self.state.q.val() == 3;
    }
}

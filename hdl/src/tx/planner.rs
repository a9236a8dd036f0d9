//! The planner: decides which frame is next, cuts bursts into segments, checks lengths, and has payload read.
//!
//! Granted host frames go first, then the firmware's bursts, and the choice is made anew for every segment, until the
//! moment in which there is room for it: a host frame goes between two segments of a burst. A host that fills the wire
//! does not stop the firmware's connections, though: after four frames of the host, or segments of its bursts, in a
//! row, one segment that has waited meanwhile goes. A burst of the host (a frame with `TX_FLAG_TSO`) has its
//! header read into a slot before its first segment. A frame is planned when the payload memory has room for all
//! of it, so several may be on their way, and reading goes on while earlier frames are sent: 1024 words, two of
//! the largest frames, or 4096 with `jumbo`. That is also all that can be ahead of a host frame.
//!
//! Payload of a burst may lie in two places. A segment that has bytes from both is read with two requests, and so stored as the words of the
//! one and then those of the other.
//!
//! A frame or burst with an impossible length, or whose checksum would lie outside it, is passed on as `bad`: it
//! keeps its place in the order and is dropped at the end. A burst whose slot is `failed` ends with one more
//! segment, without payload, that is dropped too.
//!
//! Core clock, synchronous reset. Eight cycles a frame, with its request; a burst of the host takes two more, and a segment from two places four.
//! Verified in `cosim/tests/tx`.

use super::records::{Burst, IntakeNote, Job};
use crate::dma::read_bus::ReadRequestSource;
use crate::kit::{Cr, Fact, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Turns descriptors and bursts into jobs and read requests.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Planner {
    pub cr: Cr,
    /// Frames of up to 9014 bytes, without the check sequence, instead of 1518.
    pub jumbo: Signal<In, Bit>,
    /// Headers may be those of IPv6; steady.
    pub ipv6: Signal<In, Bit>,
    pub frame_addr: Signal<In, Bits<32>>,
    pub frame_length: Signal<In, Bits<16>>,
    pub frame_checksum: Signal<In, Bit>,
    pub frame_inject: Signal<In, Bit>,
    pub frame_segment: Signal<In, Bit>,
    pub frame_csum: Signal<In, Bits<32>>,
    pub frame_cut: Signal<In, Bits<32>>,
    pub frame_valid: Signal<In, Bit>,
    pub frame_take: Signal<Out, Bit>,
    pub burst: Signal<In, Burst>,
    pub burst_valid: Signal<In, Bit>,
    pub burst_take: Signal<Out, Bit>,
    /// Bursts to be ended: a bit a slot, those of the host from 4 on.
    pub failed: Signal<In, Bits<6>>,
    /// Pulse: a slot of the host is free again.
    pub host_freed: Signal<In, Bit>,
    /// Where the sender reads next in the payload memory; everything before it is free.
    pub read_index: Signal<In, Bits<13>>,
    pub request: ReadRequestSource,
    pub job: Signal<Out, Job>,
    pub job_push: Signal<Out, Bit>,
    pub job_full: Signal<In, Bit>,
    pub note: Signal<Out, IntakeNote>,
    pub note_push: Signal<Out, Bit>,
    pub note_full: Signal<In, Bit>,

    /// 0 chooses, 1 locates, 2 measures, 3 sizes, 4 and 5 ask for a header, 6 waits for room, 7 asks; of a segment from two places,
    /// 8 and 9 size its parts, 10 and 11 ask for the second.
    state: Reg<Bits<4>>,
    host: Reg<Bit>,
    plain: Reg<Bit>,
    /// Host frames planned while a burst of the firmware waited, up to four.
    passed: Reg<Bits<3>>,
    /// A burst of the firmware, or of the host, is in progress: its next payload byte, and its slot.
    nic_open: Reg<Bit>,
    nic_offset: Reg<Bits<17>>,
    nic_slot: Reg<Bits<2>>,
    host_open: Reg<Bit>,
    host_offset: Reg<Bits<17>>,
    host_slot: Reg<Bit>,
    host_used: Reg<Bits<2>>,
    reserved: Reg<Bits<13>>,
    /// The frame in hand.
    addr: Reg<Bits<32>>,
    left: Reg<Bits<17>>,
    /// Payload of a full segment, and bytes of its frame.
    mss: Reg<Bits<17>>,
    segment_bytes: Reg<Bits<17>>,
    length: Reg<Bits<14>>,
    bad: Reg<Bit>,
    last: Reg<Bit>,
    words: Reg<Bits<12>>,
    tail: Reg<Bits<2>>,
    first: Reg<Bits<14>>,
    place: Reg<Bits<14>>,
    udp: Reg<Bit>,
    room: Reg<Bit>,
    /// Payload from here to the end of the first of its two places, or 0; of a segment from both, the bytes from the second, where they lie, the words
    /// of the first or 0, and what is used of the last of these.
    until_cut: Reg<Bits<17>>,
    rest_bytes: Reg<Bits<14>>,
    rest_addr: Reg<Bits<32>>,
    cut: Reg<Bits<12>>,
    cut_end: Reg<Bits<2>>,

    /// Frames are all plain ones of the host.
    plain_only: Fact,
    frame_mss: Signal<Local, Bits<16>>,
    frame_header: Signal<Local, Bits<16>>,
    burst_header: Signal<Local, Bits<8>>,
    csum_start: Signal<Local, Bits<16>>,
    csum_offset: Signal<Local, Bits<16>>,
    udp_offset: Signal<Local, Bits<16>>,
    past_patch: Signal<Local, Bits<17>>,
    base: Signal<Local, Bits<32>>,
    bytes: Signal<Local, Bits<17>>,
    offset: Signal<Local, Bits<17>>,
    /// Offset in the place where it lies.
    local_offset: Signal<Local, Bits<17>>,
    /// It lies in the first of two places.
    ahead: Signal<Local, Bit>,
    rest_lane: Signal<Local, Bits<2>>,
    begun: Signal<Local, Bit>,
    host_next: Signal<Local, Bit>,
    limit: Signal<Local, Bits<17>>,
    /// Bytes of the longest header, with its padding.
    longest: Signal<Local, Bits<8>>,
    longest_frame: Signal<Local, Bits<16>>,
    mine: Signal<Local, Bits<6>>,
    ended: Signal<Local, Bits<6>>,
    lane: Signal<Local, Bits<2>>,
    span: Signal<Local, Bits<14>>,
    rounded: Signal<Local, Bits<14>>,
    next_offset: Signal<Local, Bits<17>>,
    used: Signal<Local, Bits<13>>,
    need: Signal<Local, Bits<13>>,
    go: Signal<Local, Bit>,
    header_go: Signal<Local, Bit>,
}

impl Planner {
    /// For a build that segments nothing: `burst_valid` is never high, and a descriptor of a burst is refused. What a frame is is a
    /// constant then.
    pub fn set_plain_only(&mut self) {
        self.plain_only = Fact::new(true);
        self.host = Reg::new(true);
        self.plain = Reg::new(true);
    }
}

module! {
    impl [] Logic for Planner;
    regs: state, host, plain, passed, nic_open, nic_offset, nic_slot, host_open, host_offset, host_slot, host_used, reserved,
        addr, left, mss, segment_bytes, length, bad, last, words, tail, first, place, udp, room, until_cut, rest_bytes, rest_addr, cut, cut_end;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.frame_mss.next = self.frame_cut.val().get_bits::<16>(0);
        self.frame_header.next = self.frame_cut.val().get_bits::<16>(16);
        self.csum_start.next = self.frame_csum.val().get_bits::<16>(0);
        self.csum_offset.next = self.frame_csum.val().get_bits::<16>(16);
        self.burst_header.next = self.burst.val().header;
        self.limit.next = 1518.into();
        if self.jumbo.val() {
            self.limit.next = 9014.into();
        }
        self.longest.next = 96.into();
        if self.ipv6.val() {
            self.longest.next = 116.into();
        }
        self.longest_frame.next = bit_cast::<16, 8>(self.longest.val()) - 2;
        self.begun.next = self.nic_open.q.val();
        if self.host.q.val() {
            self.begun.next = self.host_open.q.val();
        }
        self.lane.next = self.addr.q.val().get_bits::<2>(0);
        self.rest_lane.next = self.rest_addr.q.val().get_bits::<2>(0);

        self.host_next.next = self.frame_valid.val() && !(self.burst_valid.val() && self.passed.q.val().get_bit(2));

        // Values of one state each, zero in the others.
        self.base.next = 0.into();
        self.bytes.next = 0.into();
        self.offset.next = 0.into();
        self.local_offset.next = 0.into();
        self.ahead.next = false;
        self.mine.next = 0.into();
        self.ended.next = 0.into();
        self.past_patch.next = 0.into();
        self.udp_offset.next = 0.into();
        self.span.next = 0.into();
        self.rounded.next = 0.into();
        self.next_offset.next = 0.into();
        self.used.next = 0.into();
        self.need.next = 0.into();
        self.room.d.next = false;
        self.go.next = false;
        self.header_go.next = false;
        match self.state.q.val().index() {
            0 => {
                self.host.d.next = self.host_next.val() || self.plain_only.holds.val();
                self.plain.d.next =
                    (self.host_next.val() && !self.frame_segment.val()) || self.plain_only.holds.val();
                if self.frame_valid.val() || self.burst_valid.val() {
                    self.state.d.next = 1.into();
                }
            }
            1 => {
                self.base.next = self.burst.val().addr;
                self.bytes.next = self.burst.val().length;
                if self.nic_open.q.val() {
                    self.offset.next = self.nic_offset.q.val();
                }
                if self.host.q.val() {
                    self.base.next = self.frame_addr.val();
                    self.bytes.next = bit_cast::<17, 16>(self.frame_length.val());
                    self.offset.next = 0.into();
                    if !self.plain.q.val() {
                        self.offset.next = bit_cast::<17, 16>(self.frame_header.val());
                        if self.host_open.q.val() {
                            self.offset.next = self.host_offset.q.val();
                        }
                    }
                }
                self.mss.d.next = bit_cast::<17, 14>(self.burst.val().mss);
                // The header counts its padding, of two bytes, and the frame does not.
                self.segment_bytes.d.next =
                    bit_cast::<17, 14>(self.burst.val().mss) + bit_cast::<17, 8>(self.burst_header.val()) - 2;
                if self.host.q.val() {
                    self.mss.d.next = bit_cast::<17, 16>(self.frame_mss.val());
                    self.segment_bytes.d.next =
                        bit_cast::<17, 16>(self.frame_mss.val()) + bit_cast::<17, 16>(self.frame_header.val());
                }
                self.local_offset.next = self.offset.val();
                self.until_cut.d.next = 0.into();
                self.ahead.next = self.offset.val() < self.burst.val().cut;
                if !self.host.q.val() && self.ahead.val() {
                    self.until_cut.d.next = self.burst.val().cut - self.offset.val();
                }
                if !self.host.q.val() && self.burst.val().cut.any() && !self.ahead.val() {
                    self.base.next = self.burst.val().rest;
                    self.local_offset.next = self.offset.val() - self.burst.val().cut;
                }
                self.rest_addr.d.next = self.burst.val().rest;
                self.cut.d.next = 0.into();
                self.addr.d.next = self.base.val() + bit_cast::<32, 17>(self.local_offset.val());
                self.left.d.next = self.bytes.val() - self.offset.val();
                self.state.d.next = 2.into();
            }
            2 => {
                self.mine.next = bits::<6>(1) << self.nic_slot.q.val();
                if self.host.q.val() {
                    self.mine.next = bits::<6>(16) << bit_cast::<1, 1>(self.host_slot.q.val().into());
                }
                self.ended.next = self.failed.val() & self.mine.val();
                self.past_patch.next = bit_cast::<17, 16>(self.csum_offset.val()) + 2;
                self.length.d.next = self.left.q.val().get_bits::<14>(0);
                self.last.d.next = true;
                self.bad.d.next = false;
                if self.plain.q.val() {
                    self.bad.d.next = self.frame_segment.val()
                        || (self.left.q.val() < 14)
                        || (self.left.q.val() > self.limit.val())
                        || (self.frame_checksum.val()
                            && ((self.csum_start.val() >= self.frame_length.val())
                                || (self.past_patch.val() > self.left.q.val())));
                } else {
                    if self.left.q.val() > self.mss.q.val() {
                        self.length.d.next = self.mss.q.val().get_bits::<14>(0);
                        self.last.d.next = false;
                    }
                    if self.begun.val() {
                        if self.ended.val().any() {
                            self.length.d.next = 0.into();
                            self.last.d.next = true;
                        }
                    } else if self.host.q.val() {
                        self.bad.d.next = self.frame_inject.val()
                            || (self.frame_mss.val() == 0)
                            || (self.frame_header.val() < 54)
                            || (self.frame_header.val() > self.longest_frame.val())
                            || (self.frame_header.val().get_bits::<2>(0) != 2)
                            || (self.frame_header.val() >= self.frame_length.val())
                            || (self.segment_bytes.q.val() > self.limit.val());
                    } else {
                        self.bad.d.next = (self.burst_header.val() < 56)
                            || (self.burst_header.val() > self.longest.val())
                            || (self.burst_header.val().get_bits::<2>(0) != 0)
                            || ((self.left.q.val() != 0)
                                && ((self.mss.q.val() == 0) || (self.segment_bytes.q.val() > self.limit.val())));
                    }
                }
                self.state.d.next = 3.into();
            }
            3 => {
                self.span.next = self.length.q.val() + bit_cast::<14, 2>(self.lane.val());
                self.rounded.next = self.span.val() + 3;
                self.words.d.next = self.rounded.val().get_bits::<12>(2);
                self.tail.d.next = self.span.val().get_bits::<2>(0);
                self.first.d.next = bit_cast::<14, 2>(self.lane.val());
                self.place.d.next = self.length.q.val();
                // UDP's checksum is six bytes into its header, TCP's sixteen.
                self.udp_offset.next = self.csum_start.val() + 6;
                self.udp.d.next = false;
                if self.plain.q.val() {
                    self.first.d.next =
                        bit_cast::<14, 16>(self.csum_start.val()) + bit_cast::<14, 2>(self.lane.val());
                    self.place.d.next =
                        bit_cast::<14, 16>(self.csum_offset.val()) + bit_cast::<14, 2>(self.lane.val());
                    self.udp.d.next =
                        self.frame_checksum.val() && (self.csum_offset.val() == self.udp_offset.val());
                }
                self.state.d.next = 6.into();
                if self.bad.q.val() {
                    self.words.d.next = 0.into();
                    self.last.d.next = true;
                    // A refused frame of the host has no slot.
                    self.plain.d.next = self.host.q.val();
                } else if self.length.q.val() == 0 {
                    self.words.d.next = 0.into();
                }
                if !self.bad.q.val() && self.host.q.val() && !self.plain.q.val() && !self.host_open.q.val() {
                    self.state.d.next = 4.into();
                }
                if !self.bad.q.val()
                    && self.until_cut.q.val().any()
                    && (self.until_cut.q.val() < bit_cast::<17, 14>(self.length.q.val()))
                {
                    self.state.d.next = 8.into();
                }
            }
            8 => {
                self.span.next = self.until_cut.q.val().get_bits::<14>(0) + bit_cast::<14, 2>(self.lane.val());
                self.rounded.next = self.span.val() + 3;
                self.cut.d.next = self.rounded.val().get_bits::<12>(2);
                self.cut_end.d.next = self.span.val().get_bits::<2>(0);
                self.rest_bytes.d.next = self.length.q.val() - self.until_cut.q.val().get_bits::<14>(0);
                self.state.d.next = 9.into();
            }
            9 => {
                self.span.next = self.rest_bytes.q.val() + bit_cast::<14, 2>(self.rest_lane.val());
                self.rounded.next = self.span.val() + 3;
                self.words.d.next = self.cut.q.val() + self.rounded.val().get_bits::<12>(2);
                self.tail.d.next = self.span.val().get_bits::<2>(0);
                self.state.d.next = 6.into();
            }
            4 => {
                self.header_go.next = !self.host_used.q.val().get_bit(1) && !self.note_full.val();
                if self.header_go.val() {
                    self.state.d.next = 5.into();
                }
            }
            5 => {
                if self.request.ready.val() {
                    self.state.d.next = 6.into();
                }
            }
            6 => {
                self.used.next = self.reserved.q.val() - self.read_index.val();
                self.need.next = self.used.val() + bit_cast::<13, 12>(self.words.q.val());
                // There is never less room than a cycle ago, until something is planned.
                self.room.d.next = (self.need.val() <= 1024) || (self.jumbo.val() && (self.need.val() <= 4096));
                self.go.next = self.room.q.val() && !self.job_full.val() && !self.note_full.val();
                if !self.go.val() && !self.host.q.val() && self.host_next.val() {
                    // Nothing was promised to the segment that waits.
                    self.state.d.next = 0.into();
                }
                if self.go.val() {
                    self.room.d.next = false;
                    if !self.host.q.val() || !self.burst_valid.val() {
                        self.passed.d.next = 0.into();
                    } else if !self.passed.q.val().get_bit(2) {
                        self.passed.d.next = self.passed.q.val() + 1;
                    }
                    self.reserved.d.next = self.reserved.q.val() + bit_cast::<13, 12>(self.words.q.val());
                    self.state.d.next = 7.into();
                    if self.words.q.val() == 0 {
                        self.state.d.next = 0.into();
                    }
                    if self.host.q.val() {
                        if !self.plain.q.val() {
                            self.next_offset.next = bit_cast::<17, 14>(self.length.q.val());
                            if self.host_open.q.val() {
                                self.host_offset.d.next = self.host_offset.q.val() + self.next_offset.val();
                            } else {
                                self.host_offset.d.next =
                                    bit_cast::<17, 16>(self.frame_header.val()) + self.next_offset.val();
                            }
                            self.host_open.d.next = !self.last.q.val();
                            if self.last.q.val() {
                                self.host_slot.d.next = !self.host_slot.q.val();
                            }
                        }
                    } else {
                        self.next_offset.next = bit_cast::<17, 14>(self.length.q.val());
                        if self.nic_open.q.val() {
                            self.nic_offset.d.next = self.nic_offset.q.val() + self.next_offset.val();
                        } else {
                            self.nic_offset.d.next = self.next_offset.val();
                        }
                        self.nic_open.d.next = !self.last.q.val();
                        if self.last.q.val() {
                            self.nic_slot.d.next = self.nic_slot.q.val() + 1;
                        }
                    }
                }
            }
            7 => {
                if self.request.ready.val() {
                    self.state.d.next = 0.into();
                    if self.cut.q.val().any() {
                        self.state.d.next = 10.into();
                    }
                }
            }
            10 => {
                if !self.note_full.val() {
                    self.state.d.next = 11.into();
                }
            }
            _ => {
                if self.request.ready.val() {
                    self.state.d.next = 0.into();
                }
            }
        }
        if self.header_go.val() && !self.host_freed.val() {
            self.host_used.d.next = self.host_used.q.val() + 1;
        }
        if self.host_freed.val() && !self.header_go.val() {
            self.host_used.d.next = self.host_used.q.val() - 1;
        }

        self.frame_take.next = self.go.val() && self.host.q.val() && self.last.q.val();
        self.burst_take.next = self.go.val() && !self.host.q.val() && self.last.q.val();
        self.job_push.next = self.go.val();
        self.job.next.host = self.host.q.val();
        self.job.next.plain = self.plain.q.val();
        self.job.next.bad = self.bad.q.val();
        self.job.next.inject = self.plain.q.val() && self.frame_inject.val();
        self.job.next.slot = self.nic_slot.q.val();
        self.job.next.header = self.burst_header.val().get_bits::<5>(2);
        if self.host.q.val() {
            self.job.next.slot = bit_cast::<2, 1>(self.host_slot.q.val().into());
            // Two bytes of padding make whole words of it.
            self.job.next.header = self.frame_header.val().get_bits::<5>(2) + 1;
        }
        self.job.next.first = !self.begun.val();
        self.job.next.last = self.last.q.val();
        self.job.next.words = self.words.q.val();
        self.job.next.lane = self.lane.val();
        self.job.next.end = self.tail.q.val();
        self.job.next.cut = self.cut.q.val();
        self.job.next.cut_end = self.cut_end.q.val();
        self.job.next.cut_lane = self.rest_lane.val();
        self.job.next.place = self.place.q.val();
        self.job.next.checksum = self.frame_checksum.val();
        self.job.next.udp = self.udp.q.val();

        self.note_push.next = self.header_go.val()
            || (self.go.val() && (self.words.q.val() != 0))
            || ((self.state.q.val() == 10) && !self.note_full.val());
        self.note.next.header = self.state.q.val() == 4;
        self.note.next.slot = self.host_slot.q.val();
        self.note.next.first = self.first.q.val();
        self.note.next.end = self.tail.q.val();
        self.note.next.more = false;
        self.note.next.turned = false;
        self.note.next.odd = self.first.q.val().get_bit(0);
        self.request.addr.next = self.addr.q.val();
        self.request.length.next = bit_cast::<16, 14>(self.length.q.val());
        if self.cut.q.val().any() {
            self.note.next.end = self.cut_end.q.val();
            self.note.next.more = true;
            self.request.length.next = self.until_cut.q.val().get_bits::<16>(0);
        }
        if self.state.q.val() == 4 {
            self.note.next.first = bit_cast::<14, 2>(self.frame_addr.val().get_bits::<2>(0));
        }
        if self.state.q.val() == 5 {
            self.request.addr.next = self.frame_addr.val();
            self.request.length.next = self.frame_header.val();
        }
        if self.state.q.val() == 10 {
            self.note.next.first = bit_cast::<14, 2>(self.rest_lane.val());
            self.note.next.end = self.tail.q.val();
            self.note.next.more = false;
            self.note.next.turned =
                self.rest_lane.val().get_bit(0) ^ self.lane.val().get_bit(0) ^ self.until_cut.q.val().get_bit(0);
            self.note.next.odd = self.lane.val().get_bit(0);
        }
        if self.state.q.val() == 11 {
            self.request.addr.next = self.rest_addr.q.val();
            self.request.length.next = bit_cast::<16, 14>(self.rest_bytes.q.val());
        }
        self.request.valid.next =
            (self.state.q.val() == 5) || (self.state.q.val() == 7) || (self.state.q.val() == 11);
    }
}

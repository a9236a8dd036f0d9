//! The finisher: computes what differs from segment to segment, and joins it with the sum of the payload.
//!
//! Jobs leave in order, each when its payload has come. With the first segment of a burst its template is read;
//! what the burst has in common is kept, once for the firmware and once for the host, because host frames
//! go between the segments of the firmware's bursts. A segment's total length, identification, sequence number,
//! flags and checksums become words of the patch memory, which the sender puts over those of the template:
//!
//! | word | low half | high half |
//! | --- | --- | --- |
//! | 0 | identification, or the length of IPv6 | total length |
//! | 1 | TCP checksum, or that of a plain frame | IPv4 checksum |
//! | 2 | sequence number | |
//! | 3 | flags in the second byte | |
//!
//! PSH and FIN stay on the last segment of a burst only. A segment without a readable payload, or of a bad
//! template, goes on as one to be dropped, so that the sender frees its memory in turn, and so does the rest
//! of its burst: `failed` tells the planner to end it. The transmit ring's consumer index advances here: the
//! frame's bytes have been read.
//!
//! A plain frame's checksum of zero is sent as 0xFFFF where UDP has its own, six bytes from where the sum starts,
//! because UDP takes zero for "no checksum" (RFC 768). Everywhere else it stays.
//!
//! Core clock, synchronous reset. Nine cycles a segment, four a plain frame; the template takes four cycles
//! more than it has words, while the payload is on its way. Verified in `cosim/tests/tx`.

use super::records::{Job, Payload, Ready};
use super::template::TemplateReader;
use crate::kit::{Cr, Fact, LutRam, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Completes jobs for the sender.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Finish {
    pub cr: Cr,
    /// Headers of IPv6 are taken; steady.
    pub ipv6: Signal<In, Bit>,
    pub job: Signal<In, Job>,
    pub job_valid: Signal<In, Bit>,
    pub job_take: Signal<Out, Bit>,
    pub payload: Signal<In, Payload>,
    pub payload_valid: Signal<In, Bit>,
    pub payload_take: Signal<Out, Bit>,
    /// Template to read: host [7], slot [6:5], word [4:0]; the word comes in the next cycle.
    pub scan_addr: Signal<Out, Bits<8>>,
    pub scan_data: Signal<In, Bits<32>>,
    pub ready: Signal<Out, Ready>,
    pub ready_push: Signal<Out, Bit>,
    pub ready_full: Signal<In, Bit>,
    /// Frame, and word of the table above.
    pub patch_write: Signal<Out, Bit>,
    pub patch_addr: Signal<Out, Bits<3>>,
    pub patch_data: Signal<Out, Bits<32>>,
    pub tx_cons: Signal<Out, Bits<16>>,
    /// Bursts whose remaining segments are dropped: a bit a slot, those of the host from 4 on.
    pub failed: Signal<Out, Bits<6>>,
    /// Pulse: a descriptor or burst was refused.
    pub bad: Signal<Out, Bit>,
    /// Pulse: a burst was abandoned, because bytes of it could not be read.
    pub abandoned: Signal<Out, Bit>,

    template: TemplateReader,
    /// What a burst has in common, of the firmware's and of the host's.
    ip_sums: LutRam<20, 1>,
    tcp_sums: LutRam<22, 1>,
    sequence_numbers: LutRam<32, 1>,
    /// Identification of the next segment [15:0], flags [23:16], VLAN tag [39:24], whether it is IPv6 [40].
    identities: LutRam<41, 1>,

    /// 0 waits, 1 has the template read, 2 to 8 compute, 9 delivers; 10 is the one step of a plain frame.
    state: Reg<Bits<4>>,
    turn: Reg<Bit>,
    /// Sum of the payload.
    data: Reg<Bits<16>>,
    ip_length: Reg<Bits<16>>,
    tcp_length: Reg<Bits<16>>,
    ip_total: Reg<Bits<20>>,
    tcp_total: Reg<Bits<22>>,
    failing: Reg<Bits<6>>,
    cons: Reg<Bits<16>>,
    bad_pulse: Reg<Bit>,
    abandoned_pulse: Reg<Bit>,

    /// Frames are all plain ones.
    plain_only: Fact,
    /// The state, of which synthesis then sees that it is 0, 9 or 10.
    step: Signal<Local, Bits<4>>,
    header_bytes: Signal<Local, Bits<16>>,
    length: Signal<Local, Bits<16>>,
    payload_here: Signal<Local, Bit>,
    open: Signal<Local, Bit>,
    data_sum: Signal<Local, Bits<16>>,
    seq: Signal<Local, Bits<32>>,
    seq_wire: Signal<Local, Bits<32>>,
    identification: Signal<Local, Bits<16>>,
    identification_wire: Signal<Local, Bits<16>>,
    ip_length_wire: Signal<Local, Bits<16>>,
    tcp_length_wire: Signal<Local, Bits<16>>,
    flags: Signal<Local, Bits<8>>,
    new_identity: Signal<Local, Bits<41>>,
    /// The header in hand is one of IPv6.
    wide: Signal<Local, Bit>,
    first_half: Signal<Local, Bits<16>>,
    ip_folded: Signal<Local, Bits<20>>,
    tcp_folded: Signal<Local, Bits<22>>,
    ip_checksum: Signal<Local, Bits<16>>,
    tcp_checksum: Signal<Local, Bits<16>>,
    next_seq: Signal<Local, Bits<32>>,
    next_identification: Signal<Local, Bits<16>>,
    scan_start: Signal<Local, Bit>,
    scan_bad: Signal<Local, Bit>,
    unread: Signal<Local, Bit>,
    refused: Signal<Local, Bit>,
    known: Signal<Local, Bit>,
    fails: Signal<Local, Bit>,
    mark: Signal<Local, Bits<6>>,
    marked: Signal<Local, Bits<6>>,
    deliver: Signal<Local, Bit>,
}

impl Finish {
    /// For a build that segments nothing: jobs are all plain.
    pub fn set_plain_only(&mut self) {
        self.plain_only = Fact::new(true);
    }
}

module! {
    impl [] Logic for Finish;
    regs: state, turn, data, ip_length, tcp_length, ip_total, tcp_total, failing, cons, bad_pulse, abandoned_pulse;
    children: template, ip_sums, tcp_sums, sequence_numbers, identities;
    #[hdl_gen]
    fn update(&mut self) {
        self.step.next = self.state.q.val();
        if self.plain_only.holds.val() && !self.state.q.val().get_bit(3) {
            self.step.next = 0.into();
        }
        self.payload_here.next = (self.job.val().words == 0) || self.payload_valid.val();
        self.open.next = self.payload_here.val() && !self.ready_full.val();
        self.deliver.next = self.step.val() == 9;

        self.scan_addr.next = (bit_cast::<8, 1>(self.job.val().host.into()) << 7)
            | (bit_cast::<8, 2>(self.job.val().slot) << 5)
            | bit_cast::<8, 5>(self.template.index.val());
        self.template.data.next = self.scan_data.val();
        self.template.words.next = self.job.val().header;
        self.template.ipv6.next = self.ipv6.val();

        // Both parties' sums lie in one memory, by the job's party.
        self.ip_sums.read_addr.next = bit_cast::<1, 1>(self.job.val().host.into());
        self.tcp_sums.read_addr.next = bit_cast::<1, 1>(self.job.val().host.into());
        self.sequence_numbers.read_addr.next = bit_cast::<1, 1>(self.job.val().host.into());
        self.identities.read_addr.next = bit_cast::<1, 1>(self.job.val().host.into());
        self.ip_sums.write_addr.next = bit_cast::<1, 1>(self.job.val().host.into());
        self.tcp_sums.write_addr.next = bit_cast::<1, 1>(self.job.val().host.into());
        self.sequence_numbers.write_addr.next = bit_cast::<1, 1>(self.job.val().host.into());
        self.identities.write_addr.next = bit_cast::<1, 1>(self.job.val().host.into());
        self.ip_sums.write_enable.next = false;
        self.tcp_sums.write_enable.next = false;
        self.sequence_numbers.write_enable.next = false;
        self.identities.write_enable.next = false;
        self.ip_sums.write_data.next = self.template.ip.val();
        self.tcp_sums.write_data.next = self.template.tcp.val();
        self.sequence_numbers.write_data.next = self.template.seq.val();
        self.new_identity.next = bit_cast::<41, 16>(self.template.identification.val())
            | (bit_cast::<41, 8>(self.template.flags.val()) << 16)
            | (bit_cast::<41, 16>(self.template.vlan.val()) << 24)
            | (bit_cast::<41, 1>(self.template.wide.val().into()) << 40);
        self.wide.next = self.ipv6.val() && self.identities.read_data.val().get_bit(40);

        self.seq.next = self.sequence_numbers.read_data.val();
        self.seq_wire.next = (bit_cast::<32, 8>(self.seq.val().get_bits::<8>(0)) << 24)
            | (bit_cast::<32, 8>(self.seq.val().get_bits::<8>(8)) << 16)
            | (bit_cast::<32, 8>(self.seq.val().get_bits::<8>(16)) << 8)
            | bit_cast::<32, 8>(self.seq.val().get_bits::<8>(24));
        self.identification.next = self.identities.read_data.val().get_bits::<16>(0);
        self.identification_wire.next = (bit_cast::<16, 8>(self.identification.val().get_bits::<8>(0)) << 8)
            | bit_cast::<16, 8>(self.identification.val().get_bits::<8>(8));
        self.ip_length_wire.next = (bit_cast::<16, 8>(self.ip_length.q.val().get_bits::<8>(0)) << 8)
            | bit_cast::<16, 8>(self.ip_length.q.val().get_bits::<8>(8));
        self.tcp_length_wire.next = (bit_cast::<16, 8>(self.tcp_length.q.val().get_bits::<8>(0)) << 8)
            | bit_cast::<16, 8>(self.tcp_length.q.val().get_bits::<8>(8));
        self.first_half.next = self.identification_wire.val();
        if self.wide.val() {
            self.first_half.next = self.ip_length_wire.val();
        }
        self.flags.next = self.identities.read_data.val().get_bits::<8>(16);
        if !self.job.val().last {
            self.flags.next = self.identities.read_data.val().get_bits::<8>(16) & 0xF6;
        }
        self.ip_folded.next = bit_cast::<20, 16>(self.ip_total.q.val().get_bits::<16>(0))
            + bit_cast::<20, 4>(self.ip_total.q.val().get_bits::<4>(16));
        self.tcp_folded.next = bit_cast::<22, 16>(self.tcp_total.q.val().get_bits::<16>(0))
            + bit_cast::<22, 6>(self.tcp_total.q.val().get_bits::<6>(16));
        self.ip_checksum.next = !self.ip_total.q.val().get_bits::<16>(0);
        self.tcp_checksum.next = !self.tcp_total.q.val().get_bits::<16>(0);
        self.next_seq.next = self.seq.val() + bit_cast::<32, 14>(self.job.val().place);
        self.next_identification.next = self.identification.val() + 1;
        self.header_bytes.next = bit_cast::<16, 5>(self.job.val().header) << 2;
        self.length.next = bit_cast::<16, 14>(self.job.val().place);
        self.data_sum.next = 0.into();
        if self.job.val().words != 0 {
            self.data_sum.next = self.payload.val().sum;
        }

        self.scan_start.next = false;
        self.patch_write.next = false;
        self.patch_addr.next = bit_cast::<3, 1>(self.turn.q.val().into()) << 2;
        self.patch_data.next = 0.into();
        match self.step.val().index() {
            0 => {
                if self.job_valid.val() {
                    self.data.d.next = self.data_sum.val();
                    if self.job.val().plain || self.job.val().bad {
                        if self.open.val() {
                            self.state.d.next = 10.into();
                        }
                    } else if self.job.val().first {
                        // The host's header comes before its payload.
                        if !self.job.val().host || self.payload_valid.val() {
                            self.scan_start.next = true;
                            self.state.d.next = 1.into();
                        }
                    } else if self.open.val() {
                        self.state.d.next = 2.into();
                    }
                }
            }
            1 => {
                self.data.d.next = self.data_sum.val();
                if self.template.done.val() && self.open.val() {
                    self.ip_sums.write_enable.next = true;
                    self.tcp_sums.write_enable.next = true;
                    self.sequence_numbers.write_enable.next = true;
                    self.identities.write_enable.next = true;
                    self.state.d.next = 2.into();
                }
            }
            2 => {
                // Two bytes of padding and Ethernet's fourteen; IPv4's twenty.
                self.ip_length.d.next = (self.length.val() + self.header_bytes.val()) - 16;
                self.tcp_length.d.next = (self.length.val() + self.header_bytes.val()) - 36;
                if self.wide.val() {
                    // IPv6's forty, and its length counts what is behind them.
                    self.ip_length.d.next = (self.length.val() + self.header_bytes.val()) - 56;
                    self.tcp_length.d.next = (self.length.val() + self.header_bytes.val()) - 56;
                }
                self.ip_total.d.next = self.ip_sums.read_data.val();
                self.tcp_total.d.next = self.tcp_sums.read_data.val() + bit_cast::<22, 16>(self.data.q.val());
                self.state.d.next = 3.into();
            }
            3 => {
                self.ip_total.d.next = self.ip_total.q.val() + bit_cast::<20, 16>(self.ip_length_wire.val());
                self.tcp_total.d.next = self.tcp_total.q.val() + bit_cast::<22, 16>(self.tcp_length_wire.val());
                self.patch_write.next = true;
                self.patch_data.next = bit_cast::<32, 16>(self.first_half.val())
                    | (bit_cast::<32, 16>(self.ip_length_wire.val()) << 16);
                self.state.d.next = 4.into();
            }
            4 => {
                self.ip_total.d.next =
                    self.ip_total.q.val() + bit_cast::<20, 16>(self.identification_wire.val());
                self.tcp_total.d.next =
                    self.tcp_total.q.val() + bit_cast::<22, 16>(self.seq_wire.val().get_bits::<16>(0));
                self.patch_write.next = true;
                self.patch_addr.next = (bit_cast::<3, 1>(self.turn.q.val().into()) << 2) | 2;
                self.patch_data.next = self.seq_wire.val();
                self.state.d.next = 5.into();
            }
            5 => {
                self.ip_total.d.next = self.ip_folded.val();
                self.tcp_total.d.next =
                    self.tcp_total.q.val() + bit_cast::<22, 16>(self.seq_wire.val().get_bits::<16>(16));
                self.patch_write.next = true;
                self.patch_addr.next = (bit_cast::<3, 1>(self.turn.q.val().into()) << 2) | 3;
                self.patch_data.next = bit_cast::<32, 8>(self.flags.val()) << 8;
                self.state.d.next = 6.into();
            }
            6 => {
                self.ip_total.d.next = self.ip_folded.val();
                self.tcp_total.d.next = self.tcp_total.q.val() + (bit_cast::<22, 8>(self.flags.val()) << 8);
                self.state.d.next = 7.into();
            }
            7 => {
                self.tcp_total.d.next = self.tcp_folded.val();
                self.state.d.next = 8.into();
            }
            8 => {
                self.tcp_total.d.next = self.tcp_folded.val();
                self.state.d.next = 9.into();
            }
            10 => {
                self.tcp_total.d.next = bit_cast::<22, 16>(self.data.q.val());
                if self.job.val().udp && (self.data.q.val() == 0xFFFF) {
                    self.tcp_total.d.next = 0.into();
                }
                self.state.d.next = 9.into();
            }
            _ => {
                self.patch_write.next = true;
                self.patch_addr.next = (bit_cast::<3, 1>(self.turn.q.val().into()) << 2) | 1;
                self.patch_data.next = bit_cast::<32, 16>(self.tcp_checksum.val())
                    | (bit_cast::<32, 16>(self.ip_checksum.val()) << 16);
                if !self.job.val().plain {
                    self.sequence_numbers.write_enable.next = true;
                    self.sequence_numbers.write_data.next = self.next_seq.val();
                    self.identities.write_enable.next = true;
                    self.new_identity.next = bit_cast::<41, 16>(self.next_identification.val())
                        | (bit_cast::<41, 25>(self.identities.read_data.val().get_bits::<25>(16)) << 16);
                }
                self.state.d.next = 0.into();
            }
        }
        self.template.start.next = self.scan_start.val();
        self.identities.write_data.next = self.new_identity.val();

        // What becomes of the frame.
        self.scan_bad.next =
            self.template.bad.val() && self.job.val().first && !self.job.val().plain && !self.job.val().bad;
        self.unread.next = self.payload.val().failed && (self.job.val().words != 0);
        // A header that could not be read is no bad template.
        self.refused.next = self.job.val().bad || (self.scan_bad.val() && !self.unread.val());
        self.mark.next = 0.into();
        if !self.job.val().plain {
            self.mark.next = bits::<6>(1) << self.job.val().slot;
            if self.job.val().host {
                self.mark.next = bits::<6>(16) << self.job.val().slot;
            }
        }
        self.marked.next = self.failing.q.val() & self.mark.val();
        self.known.next = self.marked.val().any();
        self.fails.next = (self.refused.val() || self.unread.val()) && !self.known.val();
        self.bad_pulse.d.next = self.deliver.val() && self.refused.val();
        self.abandoned_pulse.d.next = false;
        if self.deliver.val() {
            self.turn.d.next = !self.turn.q.val();
            self.abandoned_pulse.d.next = self.fails.val() && !self.refused.val() && !self.job.val().plain;
            if self.job.val().last {
                self.failing.d.next = self.failing.q.val() & !self.mark.val();
            } else if self.fails.val() {
                self.failing.d.next = self.failing.q.val() | self.mark.val();
            }
            if self.job.val().host && self.job.val().last {
                self.cons.d.next = self.cons.q.val() + 1;
            }
        }
        self.failed.next = self.failing.q.val();
        self.job_take.next = self.deliver.val();
        self.payload_take.next = self.deliver.val() && (self.job.val().words != 0);
        self.ready_push.next = self.deliver.val();
        self.ready.next.host = self.job.val().host;
        self.ready.next.plain = self.job.val().plain;
        self.ready.next.drop = self.fails.val() || self.known.val();
        self.ready.next.lost = self.fails.val() && !self.job.val().host;
        self.ready.next.inject = self.job.val().inject;
        self.ready.next.ipv6 = self.wide.val() && !self.job.val().plain;
        self.ready.next.slot = self.job.val().slot;
        self.ready.next.last = self.job.val().last;
        self.ready.next.header = self.job.val().header;
        self.ready.next.words = self.job.val().words;
        self.ready.next.lane = self.job.val().lane;
        self.ready.next.end = self.job.val().end;
        self.ready.next.cut = self.job.val().cut;
        self.ready.next.cut_end = self.job.val().cut_end;
        self.ready.next.cut_lane = self.job.val().cut_lane;
        self.ready.next.place = self.job.val().place;
        self.ready.next.checksum = self.job.val().checksum;
        // The padding of a host's header holds anything.
        self.ready.next.vlan = 0.into();
        if !self.job.val().host && !self.job.val().plain {
            self.ready.next.vlan = self.identities.read_data.val().get_bits::<16>(24);
        }
        self.tx_cons.next = self.cons.q.val();
        self.bad.next = self.bad_pulse.q.val();
        self.abandoned.next = self.abandoned_pulse.q.val();
    }
}

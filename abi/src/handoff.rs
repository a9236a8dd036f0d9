//! The handoff record: a complete TCB in words.
//!
//! A record is what `HANDOFF` carries to the NIC and `RESTORED` carries back: who talks to whom
//! ([`Endpoints`]), where the send and receive buffers lie ([`Span`]) and the state of the protocol
//! ([`TcbRecord`]). It fits in one message: of eight slots over IPv4, of nine over IPv6. Times are durations, counted
//! from the moment of the export, because the two sides' clocks differ.
//!
//! This module packs and unpacks; it checks only what the packing itself requires. Whether the numbers make a
//! possible TCB is decided by the engine that imports them.

use crate::address::IpAddress;
use crate::ring::{SLOTS_MAX, SLOT_WORDS};

/// Version of the layout below, 4 bits; in the first word of a record, under [`MAGIC`]. Between them is the VLAN.
pub const VERSION: u32 = 5;
/// Version of a record with IPv6 addresses: the same layout, with the low words of both addresses where those of IPv4
/// are; the upper 96 bits of the local and then of the remote one follow behind everything else.
pub const VERSION_IPV6: u32 = 6;
/// High half of a record's first word.
pub const MAGIC: u32 = 0xB470;
/// Spans of memory in the send buffer of a record: what is sent may lie scattered.
pub const SEND_SPANS: usize = 4;
/// Spans of memory in its receive buffer: a ring is one, or two where it goes round.
pub const RECEIVE_SPANS: usize = 2;
/// Out-of-order ranges of received data: as many as SACK reports beside timestamps (RFC 2018 Section 3).
pub const RECEIVED_RANGES: usize = 3;
/// Ranges of sent data that the peer has selectively acknowledged.
pub const SACKED_RANGES: usize = 3;
/// Words of [`TcbRecord`].
pub const TCB_WORDS: usize = 39;
/// Words of a [`HandoffRecord`] with IPv4 addresses.
pub const RECORD_WORDS: usize = at::UPPER;
/// Words of one with IPv6 addresses.
pub const RECORD_WORDS_IPV6: usize = RECORD_WORDS + UPPER_WORDS;

/// Words of the first part of a record, which names its version and the two ends.
pub const HEAD_WORDS: usize = 7;
/// Words of the upper parts of IPv6 addresses.
pub const UPPER_WORDS: usize = 6;
/// A record and the two words before it fill a message at most.
const _: () = assert!(RECORD_WORDS_IPV6 + 2 <= SLOTS_MAX * SLOT_WORDS);

/// Where the parts of a record begin, in words.
pub mod at {
    use super::{HEAD_WORDS, RECEIVE_SPANS, SEND_SPANS, TCB_WORDS};

    /// [`TcbRecord`](super::TcbRecord).
    pub const TCB: usize = HEAD_WORDS;
    /// The send buffer: address and length of each span.
    pub const SEND: usize = TCB + TCB_WORDS;
    /// The receive buffer likewise.
    pub const RECEIVE: usize = SEND + 2 * SEND_SPANS;
    /// What a record with IPv6 addresses has more.
    pub const UPPER: usize = RECEIVE + 2 * RECEIVE_SPANS;
}

/// Where the words of a [`TcbRecord`] stand, for whoever reads or writes them one by one. In the first [`tcb::NARROW_WORDS`] are the
/// fields that share words.
pub mod tcb {
    pub const NARROW_WORDS: usize = 5;
    pub const SND_UNA: usize = NARROW_WORDS;
    pub const SND_NXT: usize = 6;
    pub const RTX_NXT: usize = 7;
    pub const RECOVER: usize = 8;
    pub const SND_WL1: usize = 9;
    pub const SND_WND: usize = 10;
    pub const MAX_SND_WND: usize = 11;
    pub const RCV_NXT: usize = 12;
    pub const RCV_ADV: usize = 13;
    pub const LAST_ACK_SENT: usize = 14;
    pub const CWND: usize = 15;
    pub const SSTHRESH: usize = 16;
    pub const CWND_ACKED: usize = 17;
    /// `cubic_w_max` in the low half, `cubic_step` in the high half.
    pub const CUBIC_W_MAX_STEP: usize = 18;
    pub const CUBIC_W_EST: usize = 19;
    pub const SRTT_US8: usize = 20;
    pub const RTTVAR_US4: usize = 21;
    pub const RTT_SEQ: usize = 22;
    pub const RTT_AGE_US: usize = 23;
    pub const TIMER_US: usize = 24;
    pub const TS_RECENT: usize = 25;
    pub const TS_VAL: usize = 26;
    /// Start and end of each range.
    pub const RECEIVED: usize = 27;
    pub const SACKED: usize = RECEIVED + 2 * super::RECEIVED_RANGES;
}

/// Why a record was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Too few words.
    Length,
    /// Not a record, or one of another version.
    Version,
    /// A state in which a connection cannot be handed over.
    State,
    /// Send or receive sequence numbers contradict each other.
    Sequence,
    /// Ranges empty, overlapping, out of order, or outside their window.
    Ranges,
    /// A segment size, window scale or congestion variable out of range.
    Parameter,
    /// An unknown timer, or one that the state cannot have.
    Timer,
    /// A buffer that is longer than a window can be.
    Buffer,
    /// Addresses that no connection of this NIC can have.
    Address,
}

/// The two ends of a connection and their link addresses, as the owner of the record sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Endpoints {
    /// Both of one family.
    pub local_ip: IpAddress,
    pub remote_ip: IpAddress,
    pub local_port: u16,
    pub remote_port: u16,
    pub local_mac: [u8; 6],
    pub remote_mac: [u8; 6],
    /// VLAN id of the tag that its frames carry, 12 bits; 0: no tag.
    pub vlan: u16,
}

impl Endpoints {
    /// Whether its packets are those of IPv6.
    #[inline]
    pub const fn is_ipv6(&self) -> bool {
        !self.local_ip.is_v4()
    }

    /// The same connection seen from the other end.
    pub const fn reversed(&self) -> Self {
        Endpoints {
            local_ip: self.remote_ip,
            remote_ip: self.local_ip,
            local_port: self.remote_port,
            remote_port: self.local_port,
            local_mac: self.remote_mac,
            remote_mac: self.local_mac,
            vlan: self.vlan,
        }
    }

    /// The words of a record's first part.
    #[inline(always)]
    pub fn to_head(&self) -> [u32; HEAD_WORDS] {
        let (l, r) = (self.local_mac, self.remote_mac);
        let version = if self.is_ipv6() { VERSION_IPV6 } else { VERSION };
        [
            MAGIC << 16 | u32::from(self.vlan & 0xFFF) << 4 | version,
            self.local_ip.0[3],
            self.remote_ip.0[3],
            u32::from(self.remote_port) << 16 | u32::from(self.local_port),
            u32::from_be_bytes([l[0], l[1], l[2], l[3]]),
            u32::from_be_bytes([l[4], l[5], r[0], r[1]]),
            u32::from_be_bytes([r[2], r[3], r[4], r[5]]),
        ]
    }

    /// The words that a record with IPv6 addresses has behind everything else.
    pub fn to_upper(&self) -> [u32; UPPER_WORDS] {
        let ([a, b, c, _], [d, e, f, _]) = (self.local_ip.0, self.remote_ip.0);
        [a, b, c, d, e, f]
    }

    /// From a record of `len` words, wherever they lie.
    #[inline(always)]
    pub fn read(len: usize, word: impl Fn(usize) -> u32) -> Result<Self, RecordError> {
        const IPV4: u32 = MAGIC << 16 | VERSION;
        const IPV6: u32 = MAGIC << 16 | VERSION_IPV6;
        if len < RECORD_WORDS {
            return Err(RecordError::Length);
        }
        let first = word(0);
        let (local, remote) = match first & 0xFFFF_000F {
            IPV4 => (IpAddress::v4(word(1)), IpAddress::v4(word(2))),
            IPV6 if len < RECORD_WORDS_IPV6 => return Err(RecordError::Length),
            IPV6 => {
                let upper = |index| word(at::UPPER + index);
                let local = IpAddress([upper(0), upper(1), upper(2), word(1)]);
                let remote = IpAddress([upper(3), upper(4), upper(5), word(2)]);
                // An IPv4 address in disguise would have the key of another connection.
                let fits = |address: IpAddress| !address.is_v4() && address.is_unicast();
                if !fits(local) || !fits(remote) {
                    return Err(RecordError::Address);
                }
                (local, remote)
            }
            _ => return Err(RecordError::Version),
        };
        let ports = word(3);
        let (a, b, c) = (word(4).to_be_bytes(), word(5).to_be_bytes(), word(6).to_be_bytes());
        Ok(Endpoints {
            local_ip: local,
            remote_ip: remote,
            local_port: ports as u16,
            remote_port: (ports >> 16) as u16,
            local_mac: [a[0], a[1], a[2], a[3], b[0], b[1]],
            remote_mac: [b[2], b[3], c[0], c[1], c[2], c[3]],
            vlan: (first >> 4 & 0xFFF) as u16,
        })
    }
}

/// Bytes in host memory. A length of zero means that there is no span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub addr: u32,
    pub len: u32,
}

/// A range of sequence numbers, `end` not included. Both zero: no range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeqRange {
    pub start: u32,
    pub end: u32,
}

/// The protocol's state. Words in the order of the fields; the narrow ones share words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcbRecord {
    /// Number of the state, 4 bits.
    pub state: u8,
    /// Phase of loss recovery, 2 bits.
    pub phase: u8,
    /// What `timer_us` is for, 3 bits.
    pub timer: u8,
    /// Window scale of the peer (applies to windows received), 4 bits.
    pub snd_shift: u8,
    /// Window scale of this side (applies to windows sent), 4 bits.
    pub rcv_shift: u8,
    /// Flags of the engine, 15 bits.
    pub flags: u16,
    /// Largest payload to send, options already subtracted.
    pub snd_mss: u16,
    /// Largest segment that this side announced.
    pub rcv_mss: u16,
    /// Duplicate acknowledgements in a row, saturating, 2 bits.
    pub dup_acks: u8,
    /// Timeouts without progress, 7 bits.
    pub retransmits: u8,
    /// Exponent of the timeout's backoff, 4 bits.
    pub backoff: u8,
    /// Congestion control, 1 bit: 0 NewReno, 1 CUBIC.
    pub algorithm: u8,
    /// CUBIC: low bits of the clock at its last update, 2 bits. Zero otherwise, like all fields of its state.
    pub cubic_beat: u8,
    /// Least step of the receive window's right edge (silly window avoidance).
    pub rcv_step: u16,
    /// Time until the delayed acknowledgement is due, 20 bits.
    pub delayed_ack_us: u32,
    /// Age of the current timestamp tick, 10 bits.
    pub ts_age_us: u16,
    /// Which received range is the most recent, 2 bits.
    pub recent_range: u8,
    /// Ticks since data was last sent, saturating.
    pub idle_ticks: u16,
    /// CUBIC: ticks until the window reaches W_max on its curve; negative when that is past.
    pub cubic_origin: i16,
    pub snd_una: u32,
    pub snd_nxt: u32,
    /// Next sequence number to retransmit.
    pub rtx_nxt: u32,
    /// End of the data that was outstanding when loss recovery began.
    pub recover: u32,
    pub snd_wl1: u32,
    pub snd_wnd: u32,
    /// A whole number of units of the peer's scale.
    pub max_snd_wnd: u32,
    pub rcv_nxt: u32,
    /// Right edge of the window last announced.
    pub rcv_adv: u32,
    pub last_ack_sent: u32,
    pub cwnd: u32,
    pub ssthresh: u32,
    /// Bytes acknowledged since `cwnd` last grew in congestion avoidance.
    pub cwnd_acked: u32,
    /// CUBIC: W_max, in segments.
    pub cubic_w_max: u16,
    /// CUBIC: sixteenths of a segment to be acknowledged for each segment of growth; 0 before the curve starts.
    pub cubic_step: u16,
    /// CUBIC: W_est, in bytes.
    pub cubic_w_est: u32,
    /// Smoothed round-trip time, in eighths of a microsecond; zero before the first sample.
    pub srtt_us8: u32,
    /// Variation of the round-trip time, in quarters of a microsecond.
    pub rttvar_us4: u32,
    /// Sequence number whose acknowledgement ends the running measurement.
    pub rtt_seq: u32,
    /// How long that measurement has run.
    pub rtt_age_us: u32,
    /// Time until the timer fires.
    pub timer_us: u32,
    pub ts_recent: u32,
    /// The timestamp clock now.
    pub ts_val: u32,
    pub received: [SeqRange; RECEIVED_RANGES],
    pub sacked: [SeqRange; SACKED_RANGES],
}

impl TcbRecord {
    /// The words that narrow fields share.
    #[inline(always)]
    pub fn to_narrow(&self) -> [u32; tcb::NARROW_WORDS] {
        [
            u32::from(self.state & 15)
                | u32::from(self.phase & 3) << 4
                | u32::from(self.timer & 7) << 6
                | u32::from(self.snd_shift & 15) << 9
                | u32::from(self.rcv_shift & 15) << 13
                | u32::from(self.flags & 0x7FFF) << 17,
            u32::from(self.snd_mss) | u32::from(self.rcv_mss) << 16,
            u32::from(self.dup_acks & 3)
                | u32::from(self.backoff & 15) << 2
                | u32::from(self.retransmits & 127) << 6
                | u32::from(self.algorithm & 1) << 13
                | u32::from(self.cubic_beat & 3) << 14
                | u32::from(self.rcv_step) << 16,
            (self.delayed_ack_us & 0xF_FFFF)
                | u32::from(self.ts_age_us & 0x3FF) << 20
                | u32::from(self.recent_range & 3) << 30,
            u32::from(self.idle_ticks) | u32::from(self.cubic_origin as u16) << 16,
        ]
    }

    /// The fields that share words; the others are zero.
    #[inline(always)]
    pub fn from_narrow(w: [u32; tcb::NARROW_WORDS]) -> Self {
        TcbRecord {
            state: (w[0] & 15) as u8,
            phase: (w[0] >> 4 & 3) as u8,
            timer: (w[0] >> 6 & 7) as u8,
            snd_shift: (w[0] >> 9 & 15) as u8,
            rcv_shift: (w[0] >> 13 & 15) as u8,
            flags: (w[0] >> 17) as u16,
            snd_mss: w[1] as u16,
            rcv_mss: (w[1] >> 16) as u16,
            dup_acks: (w[2] & 3) as u8,
            backoff: (w[2] >> 2 & 15) as u8,
            retransmits: (w[2] >> 6 & 127) as u8,
            algorithm: (w[2] >> 13 & 1) as u8,
            cubic_beat: (w[2] >> 14 & 3) as u8,
            rcv_step: (w[2] >> 16) as u16,
            delayed_ack_us: w[3] & 0xF_FFFF,
            ts_age_us: (w[3] >> 20 & 0x3FF) as u16,
            recent_range: (w[3] >> 30) as u8,
            idle_ticks: w[4] as u16,
            cubic_origin: (w[4] >> 16) as i16,
            ..TcbRecord::default()
        }
    }

    pub fn to_words(&self) -> [u32; TCB_WORDS] {
        let mut w = [0; TCB_WORDS];
        w[..tcb::NARROW_WORDS].copy_from_slice(&self.to_narrow());
        w[tcb::SND_UNA] = self.snd_una;
        w[tcb::SND_NXT] = self.snd_nxt;
        w[tcb::RTX_NXT] = self.rtx_nxt;
        w[tcb::RECOVER] = self.recover;
        w[tcb::SND_WL1] = self.snd_wl1;
        w[tcb::SND_WND] = self.snd_wnd;
        w[tcb::MAX_SND_WND] = self.max_snd_wnd;
        w[tcb::RCV_NXT] = self.rcv_nxt;
        w[tcb::RCV_ADV] = self.rcv_adv;
        w[tcb::LAST_ACK_SENT] = self.last_ack_sent;
        w[tcb::CWND] = self.cwnd;
        w[tcb::SSTHRESH] = self.ssthresh;
        w[tcb::CWND_ACKED] = self.cwnd_acked;
        w[tcb::CUBIC_W_MAX_STEP] = u32::from(self.cubic_w_max) | u32::from(self.cubic_step) << 16;
        w[tcb::CUBIC_W_EST] = self.cubic_w_est;
        w[tcb::SRTT_US8] = self.srtt_us8;
        w[tcb::RTTVAR_US4] = self.rttvar_us4;
        w[tcb::RTT_SEQ] = self.rtt_seq;
        w[tcb::RTT_AGE_US] = self.rtt_age_us;
        w[tcb::TIMER_US] = self.timer_us;
        w[tcb::TS_RECENT] = self.ts_recent;
        w[tcb::TS_VAL] = self.ts_val;
        let ranges = self.received.iter().chain(&self.sacked);
        for (pair, range) in w[tcb::RECEIVED..].chunks_exact_mut(2).zip(ranges) {
            pair[0] = range.start;
            pair[1] = range.end;
        }
        w
    }

    pub fn from_words(w: &[u32; TCB_WORDS]) -> Self {
        let range = |i: usize| SeqRange { start: w[i], end: w[i + 1] };
        TcbRecord {
            snd_una: w[tcb::SND_UNA],
            snd_nxt: w[tcb::SND_NXT],
            rtx_nxt: w[tcb::RTX_NXT],
            recover: w[tcb::RECOVER],
            snd_wl1: w[tcb::SND_WL1],
            snd_wnd: w[tcb::SND_WND],
            max_snd_wnd: w[tcb::MAX_SND_WND],
            rcv_nxt: w[tcb::RCV_NXT],
            rcv_adv: w[tcb::RCV_ADV],
            last_ack_sent: w[tcb::LAST_ACK_SENT],
            cwnd: w[tcb::CWND],
            ssthresh: w[tcb::SSTHRESH],
            cwnd_acked: w[tcb::CWND_ACKED],
            cubic_w_max: w[tcb::CUBIC_W_MAX_STEP] as u16,
            cubic_step: (w[tcb::CUBIC_W_MAX_STEP] >> 16) as u16,
            cubic_w_est: w[tcb::CUBIC_W_EST],
            srtt_us8: w[tcb::SRTT_US8],
            rttvar_us4: w[tcb::RTTVAR_US4],
            rtt_seq: w[tcb::RTT_SEQ],
            rtt_age_us: w[tcb::RTT_AGE_US],
            timer_us: w[tcb::TIMER_US],
            ts_recent: w[tcb::TS_RECENT],
            ts_val: w[tcb::TS_VAL],
            received: core::array::from_fn(|i| range(tcb::RECEIVED + 2 * i)),
            sacked: core::array::from_fn(|i| range(tcb::SACKED + 2 * i)),
            ..TcbRecord::from_narrow([w[0], w[1], w[2], w[3], w[4]])
        }
    }
}

/// Everything that changes hands with a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandoffRecord {
    pub endpoints: Endpoints,
    pub tcb: TcbRecord,
    /// The send buffer, from the first unacknowledged byte on.
    pub send: [Span; SEND_SPANS],
    /// The receive buffer, from the next byte expected on.
    pub receive: [Span; RECEIVE_SPANS],
}

/// A record's words.
#[derive(Clone, Copy, Debug)]
pub struct RecordWords {
    words: [u32; RECORD_WORDS_IPV6],
    len: usize,
}

impl core::ops::Deref for RecordWords {
    type Target = [u32];

    #[inline]
    fn deref(&self) -> &[u32] {
        self.words.get(..self.len).unwrap_or(&[])
    }
}

impl core::ops::DerefMut for RecordWords {
    fn deref_mut(&mut self) -> &mut [u32] {
        self.words.get_mut(..self.len).unwrap_or(&mut [])
    }
}

impl HandoffRecord {
    /// Words that the record takes.
    pub fn len_words(&self) -> usize {
        if self.endpoints.is_ipv6() {
            RECORD_WORDS_IPV6
        } else {
            RECORD_WORDS
        }
    }

    pub fn to_words(&self) -> RecordWords {
        let mut w = [0; RECORD_WORDS_IPV6];
        w[..HEAD_WORDS].copy_from_slice(&self.endpoints.to_head());
        w[at::TCB..at::SEND].copy_from_slice(&self.tcb.to_words());
        let spans = self.send.iter().chain(&self.receive);
        for (pair, span) in w[at::SEND..at::UPPER].chunks_exact_mut(2).zip(spans) {
            pair[0] = span.addr;
            pair[1] = span.len;
        }
        w[at::UPPER..].copy_from_slice(&self.endpoints.to_upper());
        RecordWords { words: w, len: self.len_words() }
    }

    /// Takes a record from the words of a message. Words beyond the record are padding.
    pub fn from_words(words: &[u32]) -> Result<Self, RecordError> {
        let endpoints = Endpoints::read(words.len(), |index| words[index])?;
        let tcb = words.get(at::TCB..).and_then(|words| words.first_chunk()).ok_or(RecordError::Length)?;
        let span = |i: usize| Span { addr: words[i], len: words[i + 1] };
        Ok(HandoffRecord {
            endpoints,
            tcb: TcbRecord::from_words(tcb),
            send: core::array::from_fn(|i| span(at::SEND + 2 * i)),
            receive: core::array::from_fn(|i| span(at::RECEIVE + 2 * i)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every word of a record reaches a field and comes back, so no two fields overlap.
    #[test]
    fn words_round_trip() {
        for seed in 0..64u32 {
            let mut words = [0u32; RECORD_WORDS];
            for (i, word) in words.iter_mut().enumerate() {
                *word =
                    (seed + 1).wrapping_mul(0x9E37_79B9).wrapping_mul(2 * i as u32 + 3).rotate_left(i as u32);
            }
            words[0] = MAGIC << 16 | ((seed * 61) & 0xFFF) << 4 | VERSION;
            let record = HandoffRecord::from_words(&words).unwrap();
            assert_eq!(record.to_words()[..], words);
            let mut wide = [0; RECORD_WORDS_IPV6];
            wide[..RECORD_WORDS].copy_from_slice(&words);
            wide[0] += VERSION_IPV6 - VERSION;
            for (i, word) in wide[RECORD_WORDS..].iter_mut().enumerate() {
                *word = 0x2001_0DB8 ^ seed << (3 * i);
            }
            let record = HandoffRecord::from_words(&wide).unwrap();
            assert_eq!(record.to_words()[..], wide);
            let half = HandoffRecord::from_words(&wide[..RECORD_WORDS_IPV6 - 1]);
            assert_eq!(half, Err(RecordError::Length));
        }
    }

    #[test]
    fn ipv6_addresses_that_none_has_are_refused() {
        let ends = Endpoints {
            local_ip: IpAddress([0x2001_0DB8, 0, 0, 1]),
            remote_ip: IpAddress([0x2001_0DB8, 0, 0, 2]),
            ..Endpoints::default()
        };
        let good = HandoffRecord { endpoints: ends, ..HandoffRecord::default() }.to_words();
        assert!(HandoffRecord::from_words(&good).is_ok());
        for at in [RECORD_WORDS, RECORD_WORDS + 3] {
            for upper in [[0, 0, 0xFFFF], [0, 0, 0], [0xFF02_0000, 0, 0]] {
                let mut bad = good;
                bad[at..at + 3].copy_from_slice(&upper);
                assert_eq!(HandoffRecord::from_words(&bad), Err(RecordError::Address), "{at} {upper:x?}");
            }
        }
    }

    #[test]
    fn foreign_words_are_refused() {
        let mut words = HandoffRecord::default().to_words();
        assert_eq!(HandoffRecord::from_words(&words[..RECORD_WORDS - 1]), Err(RecordError::Length));
        words[0] += 2;
        assert_eq!(HandoffRecord::from_words(&words), Err(RecordError::Version));
    }
}

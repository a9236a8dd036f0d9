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
pub const VERSION: u32 = 3;
/// Version of a record with IPv6 addresses: the same layout, with the low words of both addresses where those of IPv4
/// are; the upper 96 bits of the local and then of the remote one follow behind everything else.
pub const VERSION_IPV6: u32 = 4;
/// High half of a record's first word.
pub const MAGIC: u32 = 0xB470;
/// Spans of memory in each of the two buffers of a record.
pub const SPANS: usize = 4;
/// Out-of-order ranges of received data: as many as SACK reports beside timestamps (RFC 2018 Section 3).
pub const RECEIVED_RANGES: usize = 3;
/// Ranges of sent data that the peer has selectively acknowledged.
pub const SACKED_RANGES: usize = 3;
/// Words of [`TcbRecord`].
pub const TCB_WORDS: usize = 39;
/// Words of a [`HandoffRecord`] with IPv4 addresses.
pub const RECORD_WORDS: usize = 1 + ENDPOINT_WORDS + TCB_WORDS + 2 * 2 * SPANS;
/// Words of one with IPv6 addresses.
pub const RECORD_WORDS_IPV6: usize = RECORD_WORDS + 6;

const ENDPOINT_WORDS: usize = 6;
/// A record and the two words before it fill a message at most.
const _: () = assert!(RECORD_WORDS_IPV6 + 2 <= SLOTS_MAX * SLOT_WORDS);

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

    fn to_words(self) -> [u32; ENDPOINT_WORDS] {
        let (l, r) = (self.local_mac, self.remote_mac);
        [
            self.local_ip.0[3],
            self.remote_ip.0[3],
            u32::from(self.remote_port) << 16 | u32::from(self.local_port),
            u32::from_be_bytes([l[0], l[1], l[2], l[3]]),
            u32::from_be_bytes([l[4], l[5], r[0], r[1]]),
            u32::from_be_bytes([r[2], r[3], r[4], r[5]]),
        ]
    }

    fn from_words(w: &[u32; ENDPOINT_WORDS]) -> Self {
        let (a, b, c) = (w[3].to_be_bytes(), w[4].to_be_bytes(), w[5].to_be_bytes());
        Endpoints {
            local_ip: IpAddress::v4(w[0]),
            remote_ip: IpAddress::v4(w[1]),
            local_port: w[2] as u16,
            remote_port: (w[2] >> 16) as u16,
            local_mac: [a[0], a[1], a[2], a[3], b[0], b[1]],
            remote_mac: [b[2], b[3], c[0], c[1], c[2], c[3]],
            vlan: 0,
        }
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
    pub fn to_words(&self) -> [u32; TCB_WORDS] {
        let mut w = [0; TCB_WORDS];
        w[0] = u32::from(self.state & 15)
            | u32::from(self.phase & 3) << 4
            | u32::from(self.timer & 7) << 6
            | u32::from(self.snd_shift & 15) << 9
            | u32::from(self.rcv_shift & 15) << 13
            | u32::from(self.flags & 0x7FFF) << 17;
        w[1] = u32::from(self.snd_mss) | u32::from(self.rcv_mss) << 16;
        w[2] = u32::from(self.dup_acks & 3)
            | u32::from(self.backoff & 15) << 2
            | u32::from(self.retransmits & 127) << 6
            | u32::from(self.algorithm & 1) << 13
            | u32::from(self.cubic_beat & 3) << 14
            | u32::from(self.rcv_step) << 16;
        w[3] = (self.delayed_ack_us & 0xF_FFFF)
            | u32::from(self.ts_age_us & 0x3FF) << 20
            | u32::from(self.recent_range & 3) << 30;
        w[4] = u32::from(self.idle_ticks) | u32::from(self.cubic_origin as u16) << 16;
        w[5..27].copy_from_slice(&[
            self.snd_una,
            self.snd_nxt,
            self.rtx_nxt,
            self.recover,
            self.snd_wl1,
            self.snd_wnd,
            self.max_snd_wnd,
            self.rcv_nxt,
            self.rcv_adv,
            self.last_ack_sent,
            self.cwnd,
            self.ssthresh,
            self.cwnd_acked,
            u32::from(self.cubic_w_max) | u32::from(self.cubic_step) << 16,
            self.cubic_w_est,
            self.srtt_us8,
            self.rttvar_us4,
            self.rtt_seq,
            self.rtt_age_us,
            self.timer_us,
            self.ts_recent,
            self.ts_val,
        ]);
        for (pair, range) in w[27..].chunks_exact_mut(2).zip(self.received.iter().chain(&self.sacked)) {
            pair[0] = range.start;
            pair[1] = range.end;
        }
        w
    }

    pub fn from_words(w: &[u32; TCB_WORDS]) -> Self {
        let range = |i: usize| SeqRange { start: w[27 + 2 * i], end: w[28 + 2 * i] };
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
            snd_una: w[5],
            snd_nxt: w[6],
            rtx_nxt: w[7],
            recover: w[8],
            snd_wl1: w[9],
            snd_wnd: w[10],
            max_snd_wnd: w[11],
            rcv_nxt: w[12],
            rcv_adv: w[13],
            last_ack_sent: w[14],
            cwnd: w[15],
            ssthresh: w[16],
            cwnd_acked: w[17],
            cubic_w_max: w[18] as u16,
            cubic_step: (w[18] >> 16) as u16,
            cubic_w_est: w[19],
            srtt_us8: w[20],
            rttvar_us4: w[21],
            rtt_seq: w[22],
            rtt_age_us: w[23],
            timer_us: w[24],
            ts_recent: w[25],
            ts_val: w[26],
            received: [range(0), range(1), range(2)],
            sacked: [range(3), range(4), range(5)],
        }
    }
}

/// Everything that changes hands with a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandoffRecord {
    pub endpoints: Endpoints,
    pub tcb: TcbRecord,
    /// The send buffer, from the first unacknowledged byte on.
    pub send: [Span; SPANS],
    /// The receive buffer, from the next byte expected on.
    pub receive: [Span; SPANS],
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
        let version = if self.endpoints.is_ipv6() { VERSION_IPV6 } else { VERSION };
        w[0] = MAGIC << 16 | u32::from(self.endpoints.vlan & 0xFFF) << 4 | version;
        w[1..7].copy_from_slice(&self.endpoints.to_words());
        w[7..46].copy_from_slice(&self.tcb.to_words());
        for (i, span) in self.send.iter().enumerate() {
            w[46 + 2 * i] = span.addr;
            w[47 + 2 * i] = span.len;
        }
        for (i, span) in self.receive.iter().enumerate() {
            w[54 + 2 * i] = span.addr;
            w[55 + 2 * i] = span.len;
        }
        if self.endpoints.is_ipv6() {
            w[62..65].copy_from_slice(&self.endpoints.local_ip.0[..3]);
            w[65..68].copy_from_slice(&self.endpoints.remote_ip.0[..3]);
        }
        RecordWords { words: w, len: self.len_words() }
    }

    /// Takes a record from the words of a message. Words beyond the record are padding.
    pub fn from_words(words: &[u32]) -> Result<Self, RecordError> {
        const IPV4: u32 = MAGIC << 16 | VERSION;
        const IPV6: u32 = MAGIC << 16 | VERSION_IPV6;
        let w: &[u32; RECORD_WORDS] = words.first_chunk().ok_or(RecordError::Length)?;
        let (Some(endpoints), Some(tcb)) = (w[1..].first_chunk(), w[7..].first_chunk()) else {
            return Err(RecordError::Length);
        };
        let mut endpoints =
            Endpoints { vlan: (w[0] >> 4 & 0xFFF) as u16, ..Endpoints::from_words(endpoints) };
        match w[0] & 0xFFFF_000F {
            IPV4 => {}
            IPV6 => {
                let upper: &[u32; 6] = words
                    .get(RECORD_WORDS..)
                    .and_then(|words| words.first_chunk())
                    .ok_or(RecordError::Length)?;
                let [a, b, c, d, e, f] = *upper;
                endpoints.local_ip = IpAddress([a, b, c, endpoints.local_ip.0[3]]);
                endpoints.remote_ip = IpAddress([d, e, f, endpoints.remote_ip.0[3]]);
                // An IPv4 address in disguise would have the key of another connection.
                let fits = |address: IpAddress| !address.is_v4() && address.is_unicast();
                if !fits(endpoints.local_ip) || !fits(endpoints.remote_ip) {
                    return Err(RecordError::Address);
                }
            }
            _ => return Err(RecordError::Version),
        }
        let span = |i: usize| Span { addr: w[i], len: w[i + 1] };
        Ok(HandoffRecord {
            endpoints,
            tcb: TcbRecord::from_words(tcb),
            send: [span(46), span(48), span(50), span(52)],
            receive: [span(54), span(56), span(58), span(60)],
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
            words[0] = MAGIC << 16 | (seed * 61 & 0xFFF) << 4 | VERSION;
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

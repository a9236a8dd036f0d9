//! What nearly every burst is, decided and committed in a few dozen instructions: full segments of new text,
//! or an acknowledgement alone.
//!
//! The counterpart of `predict.rs`: [`Tcb::lean_burst`] recognises such a burst by the same word, and does just what
//! [`Tcb::poll_burst`] would; it leaves every other one to that. Debug runs hold the two against each other at every poll.

#[cfg(debug_assertions)]
use crate::segment::{BurstOut, Options, SegmentOut};
use crate::{
    segment::Flags,
    tcb::{flag, Tcb, Timer},
    Instant, SeqNumber,
};

/// A burst of full segments of new text, or an acknowledgement alone. Its header is that of the first segment, but for
/// PSH, which is the last one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeanBurst {
    pub seq: SeqNumber,
    pub ack: SeqNumber,
    /// The header's own word of data offset, flags and window.
    pub control: u32,
    /// TSval and TSecr; there are no other options.
    pub timestamps: Option<(u32, u32)>,
    /// Where the payload starts: bytes after the first unacknowledged byte of the send buffer.
    pub offset: u32,
    /// Bytes of payload.
    pub len: u32,
    /// How many segments they are.
    pub segments: u32,
    /// Bytes of payload of each but the last.
    pub mss: u16,
    /// [`Tcb::poll_burst`] may have more at once. False is certain.
    pub more: bool,
    /// [`Tcb::poll_at`] may be earlier than before.
    pub arm: bool,
}

#[cfg(debug_assertions)]
impl LeanBurst {
    /// As [`Tcb::poll_burst`] has it.
    pub(crate) fn full(&self) -> BurstOut {
        let segment = SegmentOut {
            seq: self.seq,
            ack: self.ack,
            flags: Flags((self.control >> 16) as u8),
            window: self.control as u16,
            options: Options { timestamps: self.timestamps, ..Options::NONE },
            data_offset: if self.len > 0 { self.offset } else { 0 },
            data_len: self.len.min(u32::from(self.mss)) as u16,
            retransmit: false,
        };
        let burst = BurstOut { segment, len: self.len, mss: self.mss };
        assert_eq!(burst.segments(), self.segments);
        burst
    }
}

impl Tcb {
    /// The next burst, already accounted for as sent, as [`Tcb::poll_burst`] would give it, if it is of the common kind.
    /// `None`: it is of another, or there is none; nothing was changed but the clock of the timestamps, which has advanced.
    #[inline]
    pub fn lean_burst(
        &mut self,
        now: Instant,
        segments: u32,
        contiguous: impl Fn(u32) -> u32,
    ) -> Option<LeanBurst> {
        const OTHER: u16 = flag::RTX_NOW | flag::PROBE_NOW | flag::FIN_QUEUED | flag::RST_NOW | flag::PROBED;
        if self.expected == 0 || self.flags & OTHER != 0 {
            return None;
        }
        self.tick(now);
        let (seq, flight) = (self.snd_nxt, self.flight());
        let unsent = self.send_len - flight;
        let max = u32::from(self.snd_mss);
        let allowed = unsent.min(self.snd_wnd.saturating_sub(flight)).min(self.cwnd.saturating_sub(flight));
        let (mut len, mut count, mut more) = (0, 1, false);
        let mut flags = Flags::ACK;
        // RFC 5681 Section 4.1: what is sent after a long rest is another matter.
        let rested = flight == 0 && self.ts_val.wrapping_sub(self.last_send_tick) > self.rto >> 10;
        if allowed >= max && !rested {
            len = max;
            while count < segments && allowed - len >= max {
                len += max;
                count += 1;
            }
            if count < segments
                && allowed == unsent
                && allowed > max
                && !self.has(flag::NAGLE)
                && len < unsent
            {
                // All that there is, the last segment a short one.
                len = unsent;
                count += 1;
            }
            let together = contiguous(flight);
            if together < len {
                len = together;
                count = len.div_ceil(max);
            }
            if len == 0 {
                return None;
            }
            // What is left may go at once when it is a segment, or the last of the text, or half of the largest window.
            let rest = allowed - len;
            more = rest >= max || (rest > 0 && (rest == unsent - len || rest >= self.max_snd_wnd / 2));
            self.commit_lean(now, len, max);
            if len == unsent {
                flags = flags | Flags::PSH;
            }
        } else if unsent > 0 || !self.has(flag::ACK_NOW) {
            return None;
        }
        let window = u32::from(self.announce_window());
        self.acknowledged();
        let timestamps = self.has(flag::TIMESTAMPS).then_some((self.ts_val, self.ts_recent));
        let words = if timestamps.is_some() { 8 } else { 5 };
        Some(LeanBurst {
            seq,
            ack: self.rcv_nxt,
            control: words << 28 | u32::from(flags.0) << 16 | window,
            timestamps,
            offset: flight,
            len,
            segments: count,
            mss: max as u16,
            more,
            arm: len > 0 && flight == 0,
        })
    }

    /// `len` bytes of new text are on their way.
    #[inline]
    fn commit_lean(&mut self, now: Instant, len: u32, max: u32) {
        let (start, end) = (self.snd_nxt, self.snd_nxt + len);
        if self.rtx_nxt == start {
            self.rtx_nxt = end;
        }
        self.snd_nxt = end;
        self.rtt_begin(now, start + len.min(max));
        self.last_send_tick = self.ts_val;
        if start == self.snd_una {
            // RFC 6298 Section 5.1. Otherwise it runs for what is in flight.
            self.start_timer(now, Timer::Retransmit, self.rto);
        }
    }
}

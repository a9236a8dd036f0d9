//! What nearly every burst is, decided and committed in a few dozen instructions: full segments of new text, the rest of the text,
//! or an acknowledgement alone.
//!
//! The counterpart of `predict.rs`: [`Tcb::lean_text`] and [`Tcb::lean_ack`] recognise such a burst by the same word, and do just
//! what [`Tcb::poll_burst`] would; they leave every other one to that. Debug runs hold the two against each other at every poll.

#[cfg(debug_assertions)]
use crate::segment::{BurstOut, Options, SegmentOut};
use baton_abi::at_most;

use crate::{
    segment::Flags,
    tcb::{flag, Tcb, Timer},
    Instant, Parameters, SeqNumber,
};

/// Most segments of a lean burst.
pub const BURST_SEGMENTS_MAX: u32 = 8;

/// A burst of new text, or an acknowledgement alone. Its header is that of the first segment, but for
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

impl<C: Parameters> Tcb<C> {
    /// What makes a burst uncommon.
    const UNCOMMON: u16 = flag::RTX_NOW | flag::PROBE_NOW | flag::FIN_QUEUED | flag::RST_NOW | flag::PROBED;

    /// The next burst, already accounted for as sent, as [`Tcb::poll_burst`] would give it, if it is an acknowledgement alone
    /// and nothing else may follow. `None`: it is of another kind, or there is none; nothing was changed.
    #[inline]
    pub fn lean_ack(&mut self, now: Instant) -> Option<LeanBurst> {
        let due = self.flags & (Self::UNCOMMON | flag::ACK_NOW) == flag::ACK_NOW;
        if !due || self.expected == 0 || self.send_len != self.flight() {
            return None;
        }
        self.tick(now);
        Some(self.lean(self.snd_nxt, Flags::ACK))
    }

    /// Whether [`Tcb::poll_burst`] certainly gives nothing: all text is in flight, and nothing else is due.
    #[inline]
    pub fn lean_idle(&self) -> bool {
        self.expected != 0
            && self.flags & (Self::UNCOMMON | flag::ACK_NOW) == 0
            && self.send_len == self.flight()
    }

    /// The next burst likewise, if it is of new text. `None`: nothing was changed but the clock of the timestamps, which has
    /// advanced. `segments` is at most [`BURST_SEGMENTS_MAX`].
    #[inline]
    pub fn lean_text(
        &mut self,
        now: Instant,
        segments: u32,
        contiguous: impl Fn(u32) -> u32,
    ) -> Option<LeanBurst> {
        if self.expected == 0 || self.flags & Self::UNCOMMON != 0 {
            return None;
        }
        self.tick(now);
        let (seq, flight) = (self.snd_nxt, self.flight());
        let unsent = self.send_len - flight;
        let max = u32::from(self.snd_mss);
        let allowed = unsent.min(self.snd_wnd.saturating_sub(flight)).min(self.cwnd.saturating_sub(flight));
        // RFC 5681 Section 4.1: what is sent after a long rest is another matter.
        let rested = flight == 0 && self.ts_val.wrapping_sub(self.last_send_tick) > self.rto >> 10;
        // Less than a segment goes when it is all that there is, and Nagle's algorithm does not wait for what is in flight.
        let all = allowed == unsent && allowed > 0 && (flight == 0 || !self.has(flag::NAGLE));
        if rested || (allowed < max && !all) {
            return None;
        }
        let (mut len, mut count) = (allowed.min(max), 1);
        let turns = at_most!(BURST_SEGMENTS_MAX);
        while count < segments && allowed - len >= max {
            turns.take();
            len += max;
            count += 1;
        }
        if count < segments && allowed == unsent && allowed > max && !self.has(flag::NAGLE) && len < unsent {
            // All that there is, the last segment a short one.
            len = unsent;
            count += 1;
        }
        let together = contiguous(flight);
        if together < len {
            len = together;
            // A division takes as long as the rest of this function.
            count = if len <= max { 1 } else { len.div_ceil(max) };
        }
        if len == 0 {
            return None;
        }
        // What is left may go at once when it is a segment, or the last of the text, or half of the largest window.
        let rest = allowed - len;
        let more = rest >= max || (rest > 0 && (rest == unsent - len || rest >= self.max_snd_wnd() / 2));
        self.commit_lean(now, len, max);
        let flags = if len == unsent { Flags::ACK | Flags::PSH } else { Flags::ACK };
        let arm = flight == 0;
        Some(LeanBurst { offset: flight, len, segments: count, more, arm, ..self.lean(seq, flags) })
    }

    /// The header of a burst without text, and the state after it.
    #[inline(always)]
    fn lean(&mut self, seq: SeqNumber, flags: Flags) -> LeanBurst {
        let window = u32::from(self.announce_window());
        self.acknowledged();
        let timestamps = self.has(flag::TIMESTAMPS).then_some((self.ts_val, self.ts_recent));
        let words = if timestamps.is_some() { 8 } else { 5 };
        LeanBurst {
            seq,
            ack: self.rcv_nxt,
            control: words << 28 | u32::from(flags.0) << 16 | window,
            timestamps,
            offset: 0,
            len: 0,
            segments: 1,
            mss: self.snd_mss,
            more: false,
            arm: false,
        }
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

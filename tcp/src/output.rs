//! Output: which segment to send next, if any (RFC 9293 Sections 3.8 and 3.10.2).
//!
//! The decision is made first, then the caller says how much of the payload lies together in its memory, then
//! the state is committed. The generic part in the middle is one line, so each caller gets little code.
//!
//! New text goes out in bursts, for a caller whose hardware cuts them: as many segments as windows and buffer allow
//! are decided and committed at once, and are the very segments that would go one at a time.

use baton_abi::{at_most, handoff::RECEIVED_RANGES};

use crate::{
    segment::{BurstOut, Flags, Options, Range, SegmentOut, SACK_BLOCKS},
    tcb::{flag, Phase, State, Tcb, Timer},
    Instant, Parameters, SeqNumber,
};

/// What to send.
enum Plan {
    Nothing,
    Reset,
    Syn,
    /// An acknowledgement with no text, at this sequence number.
    Bare(SeqNumber),
    /// Text, FIN or both.
    Text(Text),
}

struct Text {
    start: SeqNumber,
    /// Bytes of text, before the limit of the caller's memory.
    len: u32,
    /// FIN may follow the last byte of the send buffer.
    fin: bool,
    retransmit: bool,
}

impl<C: Parameters> Tcb<C> {
    /// Whether [`Tcb::poll_transmit`] may have a segment. False is certain, true is not.
    #[inline]
    pub fn has_something_to_send(&self) -> bool {
        self.has_orders() || self.send_len > self.flight() || self.phase() != Phase::Open || self.dup_acks > 0
    }

    /// Whether something is to be sent whatever the windows say.
    #[inline]
    pub(crate) fn has_orders(&self) -> bool {
        const NOW: u16 = flag::ACK_NOW | flag::RTX_NOW | flag::PROBE_NOW | flag::FIN_QUEUED | flag::RST_NOW;
        self.flags & NOW != 0
    }

    /// The next segment to send, already accounted for as sent. Call until it returns `None`.
    ///
    /// `contiguous(offset)` says how many bytes of the send buffer can be sent together from `offset` on;
    /// [`crate::Spans::contiguous`] is such a function, for a device that sends of one span. No segment has more.
    pub fn poll_transmit(&mut self, now: Instant, contiguous: impl Fn(u32) -> u32) -> Option<SegmentOut> {
        self.poll_burst(now, 1, contiguous).map(|burst| burst.segment)
    }

    /// The next segments to send, at most `segments` of them, which is 1 and up: those that as many calls of
    /// [`Tcb::poll_transmit`] would give, as long as they are alike. Retransmissions and what is sent while a loss
    /// is repaired come one at a time.
    pub fn poll_burst(
        &mut self,
        now: Instant,
        segments: u32,
        contiguous: impl Fn(u32) -> u32,
    ) -> Option<BurstOut> {
        let mut burst = BurstOut::default();
        self.poll_burst_into(&mut burst, now, segments, contiguous).then_some(burst)
    }

    /// As [`Tcb::poll_burst`], but in the place of a burst, which is the default before. False: there is none, and what stands there
    /// means nothing.
    pub fn poll_burst_into(
        &mut self,
        out: &mut BurstOut,
        now: Instant,
        segments: u32,
        contiguous: impl Fn(u32) -> u32,
    ) -> bool {
        #[cfg(debug_assertions)]
        let (mut lean, deadline, idle) = (self.clone(), self.poll_at(), self.lean_idle());
        #[cfg(debug_assertions)]
        // The host's bursts are longer.
        let burst = (segments <= crate::BURST_SEGMENTS_MAX)
            .then(|| lean.lean_ack(now).or_else(|| lean.lean_text(now, segments, &contiguous)))
            .flatten();
        let plan = match self.plan(now, segments) {
            Plan::Text(mut text) if text.len > 0 => {
                text.len = text.len.min(contiguous(text.start.since(self.snd_una)));
                Plan::Text(text)
            }
            plan => plan,
        };
        let sent = self.commit(now, plan, out);
        #[cfg(debug_assertions)]
        assert!(!idle || !sent, "nothing was to be sent, at {now:?}");
        #[cfg(debug_assertions)]
        if let Some(burst) = burst {
            assert_eq!((true, burst.full(), &lean), (sent, *out, &*self), "a lean burst, at {now:?}");
            let later = |at: Instant| deadline.is_some_and(|before| at.reached(before));
            assert!(burst.arm || self.poll_at().is_none_or(later), "the deadline after a lean burst");
            // What is not said to follow does not follow.
            let next = lean.clone().plan(now, segments);
            assert!(burst.more || matches!(next, Plan::Nothing), "after {burst:?}");
        }
        sent
    }

    /// The interface had no room for the burst that the last poll gave, and it is gone; do not poll again before something else happens.
    ///
    /// As in 4.4BSD, new text counts as never sent, and slow start begins: the text goes with the next acknowledgement, or, with
    /// nothing in flight, after a retransmission timeout. What was sent before is lost as on the wire.
    pub fn refused(&mut self, now: Instant, burst: &BurstOut) {
        let segment = &burst.segment;
        if segment.flags.has(Flags::SYN) || self.state == State::Closed {
            return;
        }
        if !segment.retransmit && (segment.data_len > 0 || segment.flags.has(Flags::FIN)) {
            self.snd_nxt = segment.seq;
            self.rtx_nxt = self.rtx_nxt.min(self.snd_nxt);
            if self.has(flag::RTT_RUNNING) && self.rtt_seq.gt(self.snd_nxt) {
                self.flags &= !flag::RTT_RUNNING;
            }
            self.cc_quench();
            if self.flight() == 0 {
                self.start_persist(now);
            }
        }
        self.flags |= flag::ACK_NOW;
        self.settle();
        debug_assert!(self.consistent());
    }

    fn plan(&mut self, now: Instant, segments: u32) -> Plan {
        self.tick(now);
        match self.state {
            State::Closed => {
                if !self.has(flag::RST_NOW) {
                    return Plan::Nothing;
                }
                self.flags &= !flag::RST_NOW;
                return Plan::Reset;
            }
            State::SynSent | State::SynReceived if C::OPEN => {
                // RFC 9293 Section 3.10.1, and its repetition.
                if self.snd_nxt == self.snd_una || self.has(flag::RTX_NOW) {
                    return Plan::Syn;
                }
                return self.plan_bare();
            }
            _ => {}
        }
        // A duplicate acknowledgement must carry no text, or it does not count as one (RFC 5681 Section 2).
        if self.has(flag::ACK_NOW) && self.has_gap() {
            return self.plan_bare();
        }
        if self.flight() > 0 {
            if let Some((start, end)) = self.next_retransmit() {
                return self.plan_retransmit(start, end);
            }
        }
        if let Some(text) = self.plan_new(now, segments) {
            return Plan::Text(text);
        }
        self.plan_bare()
    }

    fn plan_bare(&mut self) -> Plan {
        if self.has(flag::PROBE_NOW) {
            // DEVIATION from RFC 9293 Section 3.8.6.1: a probe of a closed window carries no new octet; like
            // a keep-alive (Section 3.8.4) it takes the last acknowledged number, which every peer answers
            // with its window. So a probe never changes the sequence state.
            self.flags &= !flag::PROBE_NOW;
            return Plan::Bare(self.snd_nxt - 1);
        }
        if self.has(flag::ACK_NOW) {
            return Plan::Bare(self.snd_nxt);
        }
        Plan::Nothing
    }

    /// Payload that fits with the options that will be sent.
    fn payload_max(&self) -> u32 {
        let blocks = self.sack_count();
        let options = if blocks == 0 { 0 } else { 8 * u32::from(blocks) + 4 };
        u32::from(self.snd_mss) - options
    }

    fn plan_retransmit(&self, start: SeqNumber, end: SeqNumber) -> Plan {
        let data_end = self.data_end();
        let len = if start.lt(data_end) { end.min(data_end).since(start) } else { 0 };
        Plan::Text(Text { start, len: len.min(self.payload_max()), fin: end.gt(data_end), retransmit: true })
    }

    /// New text: the sender's silly window avoidance (RFC 9293 Section 3.8.6.2.1) and Nagle's algorithm
    /// (Section 3.7.4).
    fn plan_new(&mut self, now: Instant, segments: u32) -> Option<Text> {
        if self.fin_sent() {
            return None;
        }
        let unsent = self.data_end().since(self.snd_nxt);
        let fin = self.has(flag::FIN_QUEUED);
        if unsent == 0 && !fin {
            return None;
        }
        let flight = self.flight();
        if flight == 0 {
            self.cc_restart_after_idle();
        }
        // The window may have shrunk below what is in flight (Section 3.8.6).
        let window = self.snd_wnd.saturating_sub(flight);
        let max = self.payload_max();
        if unsent == 0 {
            if window > 0 {
                return Some(Text { start: self.snd_nxt, len: 0, fin, retransmit: false });
            }
            self.start_persist(now);
            return None;
        }
        let usable = unsent.min(window);
        let allowed = usable.min(self.cwnd_room());
        if allowed > max && segments > 1 && self.phase() == Phase::Open {
            return Some(self.plan_full(allowed, unsent, segments, fin && window > allowed));
        }
        let len = allowed.min(max);
        let send = if len >= max {
            // (1) A full segment.
            true
        } else if len == unsent {
            // (2) All that there is. Nagle: unless something is in flight and more may come.
            flight == 0 || fin || !self.has(flag::NAGLE)
        } else {
            // (3) Half of the largest window seen; (4) the override timeout, which is that of the probe.
            len > 0 && len == usable && (len >= self.max_snd_wnd() / 2 || self.has(flag::PROBE_NOW))
        };
        if send {
            self.flags &= !flag::PROBE_NOW;
            return Some(Text { start: self.snd_nxt, len, fin: fin && window > len, retransmit: false });
        }
        if usable < max {
            self.start_persist(now);
        }
        None
    }

    /// More than one segment of new text: full ones, and what remains only where it is all that there is and Nagle's
    /// algorithm, which sees the full ones in flight, lets it go.
    fn plan_full(&mut self, allowed: u32, unsent: u32, segments: u32, fin: bool) -> Text {
        let max = self.payload_max();
        let most = max * segments;
        let mut len = allowed.min(most);
        let ends = len == unsent && (self.has(flag::FIN_QUEUED) || !self.has(flag::NAGLE));
        if !ends {
            len -= len % max;
        }
        self.flags &= !flag::PROBE_NOW;
        Text { start: self.snd_nxt, len, fin, retransmit: false }
    }

    /// The window is closed, or too small to use, and nothing is in flight that would be answered
    /// (RFC 9293 Section 3.8.6.1: the first probe after a retransmission timeout, then with backoff).
    fn start_persist(&mut self, now: Instant) {
        if self.flight() == 0 && self.timer != Timer::Persist {
            self.start_timer(now, Timer::Persist, self.rto_us());
            self.expected = 0;
        }
    }

    /// False: there is none.
    fn commit(&mut self, now: Instant, plan: Plan, burst: &mut BurstOut) -> bool {
        // What the acknowledgement of this burst changes comes after what its size was decided by.
        let mss = self.payload_max();
        burst.mss = mss as u16;
        let BurstOut { segment: out, len, .. } = burst;
        out.seq = self.snd_nxt;
        match plan {
            Plan::Nothing => return false,
            Plan::Reset => {
                // RFC 9293 Section 3.10.5: <SEQ=SND.NXT><CTL=RST>.
                out.ack = self.rcv_nxt;
                out.flags = Flags::RST | Flags::ACK;
                return true;
            }
            Plan::Syn => {
                out.seq = self.snd_una;
                out.retransmit = self.snd_nxt != self.snd_una;
                if C::OPEN {
                    self.commit_syn(now, out);
                }
                return true;
            }
            Plan::Bare(seq) => out.seq = seq,
            Plan::Text(text) => {
                if text.len > 0 || text.start == self.data_end() {
                    self.commit_text(now, &text, text.len.min(mss), out);
                    *len = text.len;
                } else if self.has(flag::ACK_NOW) {
                    // The caller's memory does not reach as far as its calls said.
                } else {
                    return false;
                }
            }
        }
        out.flags = out.flags | Flags::ACK;
        out.ack = self.rcv_nxt;
        out.window = self.announce_window();
        self.put_options(&mut out.options);
        self.acknowledged();
        debug_assert!(self.consistent());
        true
    }

    /// `first`: bytes of the first segment.
    fn commit_text(&mut self, now: Instant, text: &Text, first: u32, out: &mut SegmentOut) {
        let end = text.start + text.len;
        let at_end = end == self.data_end();
        let fin = text.fin && at_end;
        out.seq = text.start;
        out.data_offset = text.start.since(self.snd_una);
        out.data_len = first as u16;
        out.retransmit = text.retransmit;
        if fin {
            out.flags = out.flags | Flags::FIN;
        }
        if at_end && text.len > 0 {
            // RFC 9293 Section 3.9.1.2: push when the buffer is empty.
            out.flags = out.flags | Flags::PSH;
        }
        let end = end + u32::from(fin);
        if text.retransmit {
            self.rtx_nxt = end;
            self.flags &= !flag::RTX_NOW;
        } else {
            // Between retransmissions there is nothing to retransmit; the pointer follows.
            if self.rtx_nxt == self.snd_nxt && self.phase() == Phase::Open {
                self.rtx_nxt = end;
            }
            self.snd_nxt = end;
            self.rtt_begin(now, if first == text.len { end } else { text.start + first });
        }
        self.last_send_tick = self.ts_val;
        // RFC 6298 Section 5.1: every segment with text starts the timer if it does not run.
        if self.timer != Timer::Retransmit {
            self.start_timer(now, Timer::Retransmit, self.rto_us());
            self.settle();
        }
    }

    fn commit_syn(&mut self, now: Instant, out: &mut SegmentOut) {
        let synchronized = self.state == State::SynReceived;
        self.snd_nxt = self.snd_una + 1;
        self.rtx_nxt = self.snd_nxt;
        self.flags &= !flag::RTX_NOW;
        out.flags = if synchronized { Flags::SYN | Flags::ACK } else { Flags::SYN };
        out.options = Options {
            mss: Some(self.rcv_mss),
            sack_permitted: self.has(flag::SACK),
            timestamps: self.has(flag::TIMESTAMPS).then_some((self.ts_val, self.ts_recent)),
            ..Options::NONE
        };
        // A reply offers what the peer offered; a zero scale of the peer still turns scaling on, and one
        // that was not offered has cleared both.
        if !synchronized || self.snd_shift() != 0 || self.rcv_shift() != 0 {
            out.options.window_scale = Some(self.rcv_shift());
        }
        // RFC 7323 Section 2.2: never scaled here.
        let window = self.rcv_space.min(0xFFFF);
        out.window = window as u16;
        if synchronized {
            out.ack = self.rcv_nxt;
            self.rcv_adv = self.rcv_nxt + window;
            self.acknowledged();
        }
        if !out.retransmit {
            self.rtt_begin(now, self.snd_nxt);
        }
        if self.timer != Timer::Retransmit {
            self.start_timer(now, Timer::Retransmit, self.rto_us());
        }
    }

    /// An acknowledgement is on its way.
    pub(crate) fn acknowledged(&mut self) {
        self.last_ack_sent = self.rcv_nxt;
        self.flags &= !(flag::ACK_NOW | flag::ACK_DELAYED);
    }

    /// Options of every segment after the handshake, where none are yet.
    fn put_options(&self, options: &mut Options) {
        if self.has(flag::TIMESTAMPS) {
            options.timestamps = Some((self.ts_val, self.ts_recent));
        }
        if self.has_gap() {
            self.report_ranges(options);
        }
    }

    /// RFC 2018 Section 4: the block with the most recent segment first.
    #[inline(never)]
    fn report_ranges(&self, options: &mut Options) {
        let (count, first) = (self.sack_count(), usize::from(self.gaps().recent.get()));
        let ranges = || self.gaps().received.iter();
        let mut places = options.sack.iter_mut();
        let mut put = |range: Range| {
            if let (true, Some(place)) = (options.sack_count < count, places.next()) {
                *place = range;
                options.sack_count += 1;
            }
        };
        let turns = at_most!(RECEIVED_RANGES);
        ranges().inspect(|_| turns.take()).nth(first).map(&mut put);
        let turns = at_most!(RECEIVED_RANGES);
        for (index, range) in ranges().enumerate() {
            turns.take();
            if index != first {
                put(range);
            }
        }
    }

    /// SACK blocks that will be sent: with timestamps, three fit into the 40 bytes of options.
    fn sack_count(&self) -> u8 {
        if !self.has(flag::SACK) {
            return 0;
        }
        let most = if self.has(flag::TIMESTAMPS) { 3 } else { SACK_BLOCKS };
        self.gaps().received.len().min(most) as u8
    }

    /// The window that could be announced, as whole units of its scale.
    fn window_units(&self) -> u32 {
        (self.rcv_space >> self.rcv_shift()).min(0xFFFF)
    }

    /// Bytes that are announced and not filled.
    pub(crate) fn announced(&self) -> u32 {
        // Data is accepted where there is buffer, so RCV.NXT may be ahead of the announcement.
        if self.rcv_adv.le(self.rcv_nxt) {
            0
        } else {
            self.rcv_adv.since(self.rcv_nxt)
        }
    }

    /// The window field of a segment to send. The right edge moves by `rcv_step` at least, or not at all
    /// (RFC 9293 Section 3.8.6.2.2), and moves back only by the rounding of the scale (RFC 7323 Section 2.4).
    #[inline]
    pub(crate) fn announce_window(&mut self) -> u16 {
        let announced = self.announced();
        let mut units = self.window_units();
        if self.has(flag::PROBED) {
            // Up to one unit more than there is, if it must be; what does not fit will be sent again.
            self.flags &= !flag::PROBED;
            units = units.max(u32::from(self.rcv_space > 0));
        } else if (units << self.rcv_shift()) < announced + u32::from(self.rcv_step) {
            units = units.min(announced >> self.rcv_shift());
        }
        self.rcv_adv = self.rcv_nxt + (units << self.rcv_shift());
        units as u16
    }

    /// Whether the peer should hear of a larger window without waiting for something else to be sent: it can
    /// grow by two steps, or by one when it is almost closed.
    pub(crate) fn window_update_due(&self) -> bool {
        let step = u32::from(self.rcv_step);
        let announced = self.announced();
        let growth = (self.window_units() << self.rcv_shift()).saturating_sub(announced);
        growth > 0 && (growth >= 2 * step || (growth >= step && announced < step))
    }
}

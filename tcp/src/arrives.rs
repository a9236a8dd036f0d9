//! SEGMENT ARRIVES (RFC 9293 Section 3.10.7), in the RFC's order, hardened as in RFC 5961.
//!
//! DEVIATION: urgent data (RFC 9293 Section 3.8.5; the fourth last step) is ordinary data, `acks/urgent.script`. The age of TS.Recent is not bounded (RFC 7323
//! Section 5.5): a peer idle for more than 24 days of its clock may have to reconnect. Payload and FIN on a
//! SYN are left for the peer to send again.

use crate::{
    gaps::Gaps,
    segment::{Arrival, Deliver, Flags, SegmentIn, SACK_BLOCKS},
    tcb::{flag, State, Tcb, Timer, BUFFER_MAX},
    Instant, Parameters, SeqNumber,
};
#[cfg(debug_assertions)]
use crate::{predict::Header, segment::Options};
use baton_abi::{at_most, handoff::RECEIVED_RANGES};

impl<C: Parameters> Tcb<C> {
    /// Takes a segment of this connection. See [`Arrival`] for what the caller does then; it polls for
    /// segments to send after each segment, so that acknowledgements are not merged.
    pub fn segment_arrives(&mut self, now: Instant, segment: &SegmentIn) -> Arrival {
        #[cfg(debug_assertions)]
        let predicted = self.predicted(now, segment);
        self.tick(now);
        let mut arrival = Arrival::default();
        match self.state {
            State::Closed => {
                arrival.dropped = true;
                arrival.reply_reset = !segment.flags.has(Flags::RST);
            }
            State::SynSent if C::OPEN => self.arrives_in_syn_sent(now, segment, &mut arrival),
            _ => self.arrives_otherwise(now, segment, &mut arrival),
        }
        self.settle();
        debug_assert!(self.consistent(), "{self:?} after {segment:?}");
        #[cfg(debug_assertions)]
        if let Some(predicted) = predicted {
            assert_eq!(predicted, (self.clone(), arrival), "header prediction of {segment:?}");
        }
        arrival
    }

    /// What header prediction makes of the segment, if it takes it.
    #[cfg(debug_assertions)]
    fn predicted(&self, now: Instant, segment: &SegmentIn) -> Option<(Self, Arrival)> {
        let options = segment.options;
        let timestamps = Options { timestamps: options.timestamps, ..Options::NONE };
        let header = Header::of(segment);
        let value = options.timestamps.map(|(value, _)| value).filter(|_| options == timestamps);
        let (mut tcb, len) = (self.clone(), segment.payload_len);
        let deadline = tcb.poll_at();
        let predicted = tcb.predict(|| now, tcb.is_common(&header), &header, || value)?;
        let other = self.clone().predict(|| now, false, &header, || value);
        assert_eq!(other, Some(predicted), "what is common is also what is not");
        // What the prediction spares: the clock of the timestamps, which is lazy, and a look at the timers.
        tcb.tick(now);
        let earlier = match (deadline, tcb.poll_at()) {
            (Some(before), Some(after)) => !after.reached(before),
            (before, after) => before.is_none() && after.is_some(),
        };
        assert!(predicted.arm || !earlier, "the deadline of {self:?} after {segment:?}");
        assert!(predicted.sends || !tcb.has_something_to_send());
        let deliver = (len > 0).then_some(Deliver { payload_offset: 0, len, stream_offset: 0 });
        let (acked, advanced) = (predicted.acked, u32::from(len));
        Some((tcb, Arrival { acked, advanced, deliver, ..Arrival::default() }))
    }

    /// RFC 9293 Section 3.10.7.3.
    fn arrives_in_syn_sent(&mut self, now: Instant, segment: &SegmentIn, arrival: &mut Arrival) {
        let ack = segment.flags.has(Flags::ACK);
        let rst = segment.flags.has(Flags::RST);
        // First: the acknowledgement must be for our SYN.
        if ack && (segment.ack.le(self.snd_una) || segment.ack.gt(self.snd_nxt)) {
            arrival.dropped = true;
            arrival.reply_reset = !rst;
            return;
        }
        // Second: a reset counts only with that acknowledgement.
        if rst {
            arrival.dropped = !ack;
            if ack {
                self.enter_closed();
                arrival.reset = true;
            }
            return;
        }
        // Fourth: SYN.
        if !segment.flags.has(Flags::SYN) {
            arrival.dropped = true;
            return;
        }
        self.take_syn(segment);
        if ack {
            self.complete_handshake(now, segment, arrival);
            self.flags |= flag::ACK_NOW;
        } else {
            // Simultaneous open: our SYN goes out again, now with an acknowledgement.
            self.state = State::SynReceived;
            self.rtx_nxt = self.snd_una;
            self.flags |= flag::RTX_NOW;
        }
    }

    /// Our SYN was acknowledged by `segment`.
    fn complete_handshake(&mut self, now: Instant, segment: &SegmentIn, arrival: &mut Arrival) {
        let repeated = self.retransmits > 0;
        self.snd_una = segment.ack;
        self.rtx_nxt = segment.ack;
        self.recover = segment.ack;
        self.flags &= !flag::RTX_NOW;
        self.rtt_acknowledged(now, self.echo(segment));
        if repeated {
            // RFC 5681 Section 3.1: a lost SYN means an initial window of one segment.
            self.cwnd = u32::from(self.snd_mss);
            // RFC 6298 Section 5.7: three seconds at least when nothing was measured.
            self.backoff = if self.srtt_us8 == 0 { 2 } else { 0 };
        }
        self.retransmits = 0;
        self.timer = Timer::Off;
        self.keep_alive(now);
        // A close that came before the handshake's end takes effect (Section 3.10.4, SYN-RECEIVED).
        self.state = if self.has(flag::FIN_QUEUED) { State::FinWait1 } else { State::Established };
        arrival.established = true;
    }

    /// TSecr of an acceptable acknowledgement, when timestamps are in use.
    fn echo(&self, segment: &SegmentIn) -> Option<u32> {
        segment.options.timestamps.filter(|_| self.has(flag::TIMESTAMPS)).map(|(_, echo)| echo)
    }

    /// RFC 9293 Section 3.10.7.4: all states but CLOSED, LISTEN and SYN-SENT.
    fn arrives_otherwise(&mut self, now: Instant, segment: &SegmentIn, arrival: &mut Arrival) {
        let flags = segment.flags;
        let rst = flags.has(Flags::RST);

        // The peer's SYN again. With an acknowledgement of ours, as in a simultaneous open (Section 3.5, Figure 7),
        // it completes the handshake. Otherwise ours was lost, and an acknowledgement alone would not help.
        if C::OPEN
            && self.state == State::SynReceived
            && flags.has(Flags::SYN)
            && !rst
            && segment.seq + 1 == self.rcv_nxt
        {
            if flags.has(Flags::ACK) && segment.ack == self.snd_una + 1 && self.flight() > 0 {
                self.complete_handshake(now, segment, arrival);
                self.flags |= flag::ACK_NOW;
                return;
            }
            self.rtx_nxt = self.snd_una;
            self.flags |= flag::RTX_NOW;
            arrival.dropped = true;
            return;
        }

        // RFC 7323 Section 5.3 R1, protection against wrapped sequence numbers, comes before the sequence check;
        // Section 3.2: a segment without timestamps is silently dropped. Neither holds for RST.
        let timestamp = segment.options.timestamps.map(|(value, _)| value);
        if self.has(flag::TIMESTAMPS) && !rst {
            match timestamp {
                None => {
                    arrival.dropped = true;
                    return;
                }
                Some(value) if (value.wrapping_sub(self.ts_recent) as i32) < 0 => {
                    self.answer_unacceptable(now, segment);
                    arrival.dropped = true;
                    return;
                }
                _ => {}
            }
        }

        // First: the sequence number.
        if !self.acceptable(segment) {
            if !rst {
                self.answer_unacceptable(now, segment);
                if self.state == State::TimeWait && flags.has(Flags::FIN) {
                    // Eighth step: a repeated FIN restarts the wait.
                    self.start_time_wait(now);
                }
            }
            arrival.dropped = true;
            return;
        }
        // RFC 7323 Section 4.3: TS.Recent follows the segment that spans the last acknowledgement sent.
        if let Some(value) = timestamp {
            if self.has(flag::TIMESTAMPS) && !rst && segment.seq.le(self.last_ack_sent) {
                self.ts_recent = value;
            }
        }

        // Second: RST. RFC 5961 Section 3.2: it must be exactly what is expected next.
        if rst {
            if segment.seq == self.rcv_nxt {
                let ended = match self.state {
                    State::TimeWait => true,
                    State::Closing | State::LastAck => self.send_len == 0,
                    _ => false,
                };
                self.enter_closed();
                arrival.closed = ended;
                arrival.reset = !ended;
            } else {
                self.challenge(now);
                arrival.dropped = true;
            }
            return;
        }
        // Fourth: SYN. RFC 5961 Section 4.2: a challenge, whatever its number.
        if flags.has(Flags::SYN) {
            self.challenge(now);
            arrival.dropped = true;
            return;
        }
        // Fifth: ACK.
        if !flags.has(Flags::ACK) || !self.take_ack(now, segment, arrival) {
            arrival.dropped = true;
            return;
        }
        if self.state == State::Closed {
            return;
        }
        // Seventh and eighth: text and FIN.
        if self.receives() && (segment.payload_len > 0 || flags.has(Flags::FIN)) {
            self.take_text(now, segment, arrival);
        }
        if matches!(self.timer, Timer::KeepAlive | Timer::FinWait2) {
            self.keep_alive(now);
        }
    }

    /// The largest window that the buffer allows, whatever was announced so far.
    pub(crate) fn rcv_window(&self) -> u32 {
        self.rcv_space.min(0xFFFF << self.rcv_shift())
    }

    /// The four tests of RFC 9293 Section 3.10.7.4 (Table 6), with two allowances. A segment without text at
    /// the very edge of the window is taken: a peer that has filled the window and lost a part of it
    /// acknowledges from there. And so is text at RCV.NXT with a closed window, whose acknowledgement counts
    /// while the text is trimmed off.
    fn acceptable(&self, segment: &SegmentIn) -> bool {
        let window = self.rcv_window();
        let len = segment.sequence_len();
        let start = segment.seq.since(self.rcv_nxt);
        if len == 0 || start == 0 {
            return start <= window;
        }
        let last = (segment.seq + (len - 1)).since(self.rcv_nxt);
        start < window || last < window
    }

    /// "If an incoming segment is not acceptable, an acknowledgment should be sent in reply." What carries no
    /// text may be another such reply, so those are answered at a limited rate, and so is SYN (RFC 5961 Section 7).
    fn answer_unacceptable(&mut self, now: Instant, segment: &SegmentIn) {
        self.note_probe();
        if segment.sequence_len() > 0 && !segment.flags.has(Flags::SYN) {
            self.flags |= flag::ACK_NOW;
        } else {
            self.challenge(now);
        }
    }

    /// A peer that sends while the window is closed is probing it. Should silly window avoidance, or the
    /// rounding of the scale, keep a small buffer from it, then it gets what there is now: the user may
    /// have no more to give.
    fn note_probe(&mut self) {
        if self.rcv_space > 0 && self.announced() == 0 && self.receives() {
            self.flags |= flag::PROBED | flag::ACK_NOW;
        }
    }

    /// A challenge acknowledgement, at the rate of RFC 5961 Section 7.
    fn challenge(&mut self, now: Instant) {
        if now.since(self.challenge_at) >= self.config().challenge_us {
            self.challenge_at = now;
            self.flags |= flag::ACK_NOW;
        }
    }

    /// Fifth step. `false`: the segment is to be dropped.
    fn take_ack(&mut self, now: Instant, segment: &SegmentIn, arrival: &mut Arrival) -> bool {
        let ack = segment.ack;
        if C::OPEN && self.state == State::SynReceived {
            // SND.UNA < SEG.ACK =< SND.NXT, or a reset is sent.
            if ack.le(self.snd_una) || ack.gt(self.snd_nxt) {
                arrival.reply_reset = true;
                return false;
            }
            self.snd_wnd = u32::from(segment.window) << self.snd_shift();
            self.max_snd_units = segment.window;
            self.snd_wl1 = segment.seq;
            self.complete_handshake(now, segment, arrival);
            return true;
        }
        // RFC 5961 Section 5.2: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT.
        if ack.gt(self.snd_nxt) || ack.lt(self.snd_una - self.max_snd_wnd().min(BUFFER_MAX)) {
            self.challenge(now);
            return false;
        }
        if ack.lt(self.snd_una) {
            return true;
        }

        let advanced = ack.since(self.snd_una);
        let flight = self.flight();
        let newly_sacked = self.take_sack(segment, ack);
        if advanced > 0 {
            let fin_acked = self.fin_sent() && ack == self.snd_nxt;
            arrival.acked = advanced - u32::from(fin_acked);
            self.send_len -= arrival.acked;
            let sacked = &self.gaps().sacked;
            sacked.remove_below(ack);
            if sacked.iter().next().is_some_and(|range| range.start == ack) {
                // The peer asks for what it had reported: it has reneged, and the rest is not to be relied on either
                // (RFC 2018 Section 8).
                sacked.clear();
            }
            self.advance(now, ack, flight, self.echo(segment));
            if fin_acked {
                self.flags &= !flag::FIN_QUEUED;
                self.fin_acknowledged(now, arrival);
            }
        }

        // The window: RFC 9293 Section 3.10.7.4. SND.WL2 is not kept: an acknowledgement that is not below
        // SND.UNA is never below it.
        let mut window_changed = false;
        if segment.seq.ge(self.snd_wl1) {
            let window = u32::from(segment.window) << self.snd_shift();
            window_changed = window != self.snd_wnd;
            self.snd_wl1 = segment.seq;
            self.snd_wnd = window;
            self.max_snd_units = self.max_snd_units.max(segment.window);
            if window == 0 {
                // Section 3.8.6.1: as long as the peer answers, the connection stays.
                self.retransmits = 0;
            } else if self.timer == Timer::Persist {
                self.timer = Timer::Off;
                self.backoff = 0;
                self.retransmits = 0;
            }
        }

        // RFC 5681 Section 2, the definition of a duplicate; RFC 6675 Section 2 counts new SACK information.
        let duplicate = segment.sequence_len() == 0 && !window_changed;
        if advanced == 0 && flight > 0 && (newly_sacked > 0 || duplicate) {
            self.cc_duplicate();
        }
        true
    }

    /// SND.UNA moves to `ack`, with `flight` numbers outstanding before; `echo` is the segment's TSecr.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant, ack: SeqNumber, flight: u32, echo: Option<u32>) {
        let advanced = ack.since(self.snd_una);
        self.snd_una = ack;
        self.rtx_nxt = self.rtx_nxt.max(ack);
        self.rtt_acknowledged(now, echo);
        self.cc_acknowledged(now, advanced, flight);
        self.retransmits = 0;
        if self.state != State::TimeWait {
            if self.flight() > 0 {
                // RFC 6298 Section 5.3: restart the timer; Section 5.2: turn it off.
                self.start_timer(now, Timer::Retransmit, self.rto_us());
            } else {
                self.timer = Timer::Off;
                self.flags &= !flag::RTX_NOW;
                self.keep_alive(now);
            }
        }
    }

    /// Enters the segment's SACK blocks into the scoreboard (RFC 6675 Section 4, Update). Returns the number of
    /// bytes that are new. Blocks below `ack` (RFC 2883) or beyond what was sent say nothing here.
    fn take_sack(&mut self, segment: &SegmentIn, ack: SeqNumber) -> u32 {
        let mut new = 0;
        if self.has(flag::SACK) {
            let turns = at_most!(SACK_BLOCKS);
            for block in segment.options.sack_blocks() {
                turns.take();
                // Counted from `ack`, so that no block is taken that lies half the circle away.
                let (start, end) = (block.start.since(ack), block.end.since(ack));
                if 0 < start && start < end && end <= self.snd_nxt.since(ack) && self.parameters.make_room() {
                    new += self.gaps().sacked.insert(block.start, block.end).unwrap_or(0);
                }
            }
        }
        new
    }

    /// The peer has acknowledged our FIN.
    fn fin_acknowledged(&mut self, now: Instant, arrival: &mut Arrival) {
        match self.state {
            State::FinWait1 => {
                self.state = State::FinWait2;
                self.keep_alive(now);
            }
            State::Closing => self.start_time_wait(now),
            State::LastAck => {
                self.enter_closed();
                arrival.closed = true;
            }
            _ => {}
        }
    }

    /// Seventh and eighth steps: trims the text to the window, places it, and follows the FIN.
    fn take_text(&mut self, now: Instant, segment: &SegmentIn, arrival: &mut Arrival) {
        self.note_probe();
        let (mut start, mut len) = (segment.seq, u32::from(segment.payload_len));
        let mut fin = segment.flags.has(Flags::FIN);
        // What was received before.
        let mut skipped = 0;
        if start.lt(self.rcv_nxt) {
            skipped = self.rcv_nxt.since(start);
            if skipped > len {
                // Even the FIN is old.
                self.flags |= flag::ACK_NOW;
                return;
            }
            len -= skipped;
            start = self.rcv_nxt;
        }
        // What does not fit, and what would follow a FIN that is known.
        let ahead = start.since(self.rcv_nxt);
        let mut limit = self.rcv_window();
        if let (true, Some(last)) = (self.has(flag::FIN_KNOWN), self.gaps().received.last()) {
            limit = limit.min((last.end - 1).since(self.rcv_nxt));
        }
        if ahead > limit {
            self.flags |= flag::ACK_NOW;
            return;
        }
        if len > limit - ahead {
            len = limit - ahead;
            fin = false;
        }
        if len == 0 && !fin {
            self.flags |= flag::ACK_NOW;
            return;
        }

        if ahead == 0 {
            self.take_in_order(now, start + len, fin, arrival);
        } else if !self.take_out_of_order(start, start + len, fin) {
            len = 0;
        }
        if len > 0 {
            arrival.deliver =
                Some(Deliver { payload_offset: skipped as u16, len: len as u16, stream_offset: ahead });
        }
    }

    /// Text up to `end`, from RCV.NXT on, and what lies behind it already.
    fn take_in_order(&mut self, now: Instant, mut end: SeqNumber, mut fin: bool, arrival: &mut Arrival) {
        let mut at_once = self.has_gap();
        if fin {
            // Nothing can follow: whatever lies there is not of this stream.
            self.gaps().clear_received();
        } else if at_once {
            let Gaps { received, recent, .. } = self.gaps();
            let fin_end = received.last().map(|last| last.end).filter(|_| self.has(flag::FIN_KNOWN));
            // In ascending order, so one pass joins all that the segment reaches.
            let turns = at_most!(RECEIVED_RANGES);
            for range in received.iter() {
                turns.take();
                if range.start.le(end) {
                    end = end.max(range.end);
                }
            }
            let removed = received.remove_below(end) as u8;
            recent.set(recent.get().saturating_sub(removed));
            if fin_end == Some(end) {
                end = end - 1;
                fin = true;
            }
        }
        arrival.advanced = end.since(self.rcv_nxt);
        self.rcv_space -= arrival.advanced.min(self.rcv_space);
        self.rcv_nxt = end;
        if fin {
            self.flags &= !flag::FIN_KNOWN;
            self.gaps().clear_received();
            self.take_fin(now, arrival);
            at_once = true;
        }
        self.owe_ack(&|| now, at_once);
    }

    /// Text has arrived in order: when it is acknowledged.
    #[inline(always)]
    pub(crate) fn owe_ack(&mut self, clock: &impl Fn() -> Instant, at_once: bool) {
        // RFC 5681 Section 4.2: at once when a gap is filled or remains, and for every second full segment.
        let pending = self.rcv_nxt.since(self.last_ack_sent);
        if at_once || pending > u32::from(self.rcv_mss) || self.config().delayed_ack_us == 0 {
            self.flags |= flag::ACK_NOW;
        } else if !self.has(flag::ACK_DELAYED) {
            self.flags |= flag::ACK_DELAYED;
            self.ack_at = clock() + self.config().delayed_ack_us;
        }
    }

    /// Text beyond a gap. `false`: there is no room to remember it, and it is dropped.
    fn take_out_of_order(&mut self, start: SeqNumber, end: SeqNumber, fin: bool) -> bool {
        // RFC 5681 Section 4.2: a duplicate acknowledgement, at once.
        self.flags |= flag::ACK_NOW;
        // FIN counts as one more number at the end of the last range. One that data contradicts is ignored.
        let fin = fin
            && !self.has(flag::FIN_KNOWN)
            && self.gaps().received.last().is_none_or(|last| last.end.le(end));
        let end = end + u32::from(fin);
        if start == end || !self.parameters.make_room() {
            return false;
        }
        let Gaps { received, recent, .. } = self.parameters.gaps();
        if received.insert(start, end).is_none() {
            return false;
        }
        recent.set(received.position(start) as u8);
        if fin {
            self.flags |= flag::FIN_KNOWN;
        }
        true
    }

    /// The peer's FIN is next in order.
    fn take_fin(&mut self, now: Instant, arrival: &mut Arrival) {
        self.rcv_nxt += 1;
        arrival.peer_closed = true;
        match self.state {
            State::Established => self.state = State::CloseWait,
            State::FinWait1 => self.state = State::Closing,
            State::FinWait2 => self.start_time_wait(now),
            _ => {}
        }
    }
}

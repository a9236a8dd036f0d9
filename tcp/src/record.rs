//! Handoff: a TCB as a record and back (`baton_abi::handoff`).
//!
//! Export and import continue the connection exactly where it was: what is in flight, a recovery under way, a
//! delayed acknowledgement, timers as the time that they have left. Not carried are the importer's own
//! [`Config`] times and the rate limit of challenge acknowledgements, which starts anew.
//!
//! On a NIC a handoff is work like any other, so both ways pass the record word by word, from where it lies to where it
//! belongs: [`Tcb::take_over`] fills a place that is there already, and [`Tcb::export_words`] writes in order.

use baton_abi::{
    at_most,
    handoff::{tcb, RecordError, TcbRecord, RECEIVED_RANGES, SACKED_RANGES, TCB_WORDS},
};

use crate::{
    control::Congestion,
    cubic,
    ranges::Ranges,
    tcb::{flag, Phase, State, Tcb, Timer, BUFFER_MAX, TIMESTAMP_BYTES},
    Config, CongestionAlgorithm, Instant, Own, Parameters, SeqNumber,
};

impl Tcb {
    /// Continues a connection from a record. `send_len` and `rcv_space` are the lengths of the two buffers that came
    /// with it. Anything that no exporter could have written is refused.
    pub fn import(
        record: &TcbRecord,
        send_len: u32,
        rcv_space: u32,
        config: Config,
        now: Instant,
    ) -> Result<Tcb, RecordError> {
        let words = record.to_words();
        if TcbRecord::from_words(&words) != *record {
            return Err(RecordError::Parameter);
        }
        let mut tcb = Tcb::blank(Own::new(config));
        tcb.take_over(|index| words[index], send_len, rcv_space, now)?;
        Ok(tcb)
    }
}

impl<C: Parameters> Tcb<C> {
    /// Whether the connection can be handed over now: not during the handshake, and not once it is over.
    pub fn exportable(&self) -> bool {
        !matches!(self.state, State::Closed | State::SynSent | State::SynReceived)
    }

    /// The state as a record, with times relative to `now`. Only for a TCB that is [`Tcb::exportable`].
    pub fn export(&self, now: Instant) -> TcbRecord {
        let mut words = [0; TCB_WORDS];
        self.export_words(now, |index, word| words[index] = word);
        TcbRecord::from_words(&words)
    }

    /// Gives the words of [`Tcb::export`], one after the other.
    #[inline(always)]
    pub fn export_words(&self, now: Instant, mut put: impl FnMut(usize, u32)) {
        debug_assert!(self.exportable() && self.consistent());
        let age = now.since(self.ts_time);
        let ts_val = self.ts_val.wrapping_add(age >> 10);
        let control = &self.control;
        let narrow = TcbRecord {
            state: self.state as u8,
            phase: self.phase() as u8,
            timer: self.timer as u8,
            snd_shift: self.snd_shift(),
            rcv_shift: self.rcv_shift(),
            flags: self.flags & flag::RECORD,
            snd_mss: self.snd_mss,
            rcv_mss: self.rcv_mss,
            dup_acks: self.dup_acks,
            retransmits: self.retransmits,
            backoff: self.backoff,
            algorithm: control.algorithm as u8,
            cubic_beat: control.beat,
            rcv_step: self.rcv_step,
            delayed_ack_us: if self.has(flag::ACK_DELAYED) { self.ack_at.remaining(now) } else { 0 },
            ts_age_us: (age & 0x3FF) as u16,
            recent_range: self.gaps().recent.get(),
            idle_ticks: ts_val.wrapping_sub(self.last_send_tick).min(0xFFFF) as u16,
            cubic_origin: control.origin_after(ts_val),
            ..TcbRecord::default()
        };
        let turns = at_most!(tcb::NARROW_WORDS);
        for (index, word) in narrow.to_narrow().into_iter().enumerate() {
            turns.take();
            put(index, word);
        }
        put(tcb::SND_UNA, self.snd_una.0);
        put(tcb::SND_NXT, self.snd_nxt.0);
        put(tcb::RTX_NXT, self.rtx_nxt.0);
        put(tcb::RECOVER, self.recover.0);
        put(tcb::SND_WL1, self.snd_wl1.0);
        put(tcb::SND_WND, self.snd_wnd);
        put(tcb::MAX_SND_WND, self.max_snd_wnd());
        put(tcb::RCV_NXT, self.rcv_nxt.0);
        put(tcb::RCV_ADV, self.rcv_adv.0);
        put(tcb::LAST_ACK_SENT, self.last_ack_sent.0);
        put(tcb::CWND, self.cwnd);
        put(tcb::SSTHRESH, self.ssthresh);
        put(tcb::CWND_ACKED, control.acked);
        put(tcb::CUBIC_W_MAX_STEP, u32::from(control.w_max) | u32::from(control.step) << 16);
        put(tcb::CUBIC_W_EST, control.w_est);
        put(tcb::SRTT_US8, self.srtt_us8);
        put(tcb::RTTVAR_US4, self.rttvar_us4);
        put(tcb::RTT_SEQ, self.rtt_seq.0);
        put(tcb::RTT_AGE_US, if self.has(flag::RTT_RUNNING) { now.since(self.rtt_start) } else { 0 });
        put(tcb::TIMER_US, if self.timer == Timer::Off { 0 } else { self.timer_at.remaining(now) });
        put(tcb::TS_RECENT, self.ts_recent);
        put(tcb::TS_VAL, ts_val);
        self.gaps().received.write(|index, word| put(tcb::RECEIVED + index, word));
        self.gaps().sacked.write(|index, word| put(tcb::SACKED + index, word));
    }

    /// Continues a connection here, as [`Tcb::import`] does, from the words of its record, wherever they lie. Nothing is left of
    /// what was here; it is closed when the record is refused.
    #[inline(always)]
    pub fn take_over(
        &mut self,
        word: impl Fn(usize) -> u32,
        send_len: u32,
        rcv_space: u32,
        now: Instant,
    ) -> Result<(), RecordError> {
        self.state = State::Closed;
        let taken = self.take_record(word, send_len, rcv_space, now);
        if taken.is_err() {
            self.forget_gaps();
        }
        taken
    }

    #[inline(always)]
    fn take_record(
        &mut self,
        word: impl Fn(usize) -> u32,
        send_len: u32,
        rcv_space: u32,
        now: Instant,
    ) -> Result<(), RecordError> {
        let narrow = TcbRecord::from_narrow([word(0), word(1), word(2), word(3), word(4)]);
        let state = self.take_parameters(&narrow)?;
        (self.send_len, self.rcv_space) = (send_len, rcv_space);
        self.take_sequences(&word, state)?;
        self.take_congestion(&word, &narrow)?;
        self.take_ranges(&word, &narrow, state)?;
        self.take_times(&word, &narrow, state, now)?;
        self.state = state;
        self.settle();
        debug_assert!(self.consistent());
        if state == State::FinWait2 && self.timer == Timer::Off {
            // The exporter would have waited for ever; this side may not want to.
            self.keep_alive(now);
        }
        Ok(())
    }

    #[inline(always)]
    fn take_parameters(&mut self, narrow: &TcbRecord) -> Result<State, RecordError> {
        let state = state_of(narrow.state)?;
        let fin_queued = narrow.flags & flag::FIN_QUEUED != 0;
        // FIN is queued and unacknowledged exactly in these states.
        let closing = matches!(state, State::FinWait1 | State::Closing | State::LastAck);
        if narrow.flags & !flag::RECORD != 0 || fin_queued != closing {
            return Err(RecordError::State);
        }
        let least = Config::MSS_MIN - TIMESTAMP_BYTES;
        let fits = narrow.snd_shift <= 14
            && narrow.rcv_shift <= 14
            && (least..=Config::MSS_MAX).contains(&narrow.snd_mss)
            && (Config::MSS_MIN..=Config::MSS_MAX).contains(&narrow.rcv_mss)
            && narrow.rcv_step <= narrow.rcv_mss
            && narrow.retransmits <= 100
            && narrow.delayed_ack_us <= Config::DELAYED_ACK_MAX_US;
        let phase = match narrow.phase {
            0 => Phase::Open,
            1 => Phase::Recovery,
            2 => Phase::Loss,
            _ => return Err(RecordError::Parameter),
        };
        if !fits {
            return Err(RecordError::Parameter);
        }
        self.set_shifts(narrow.snd_shift, narrow.rcv_shift);
        (self.dup_acks, self.retransmits, self.backoff) =
            (narrow.dup_acks, narrow.retransmits, narrow.backoff);
        self.flags = narrow.flags;
        self.set_phase(phase);
        (self.snd_mss, self.rcv_mss, self.rcv_step) = (narrow.snd_mss, narrow.rcv_mss, narrow.rcv_step);
        Ok(state)
    }

    /// Sequence numbers and windows, against the buffers.
    #[inline(always)]
    fn take_sequences(&mut self, word: &impl Fn(usize) -> u32, state: State) -> Result<(), RecordError> {
        if self.send_len > BUFFER_MAX || self.rcv_space > BUFFER_MAX {
            return Err(RecordError::Buffer);
        }
        // Once FIN is acknowledged, everything is.
        if matches!(state, State::FinWait2 | State::TimeWait) && self.send_len != 0 {
            return Err(RecordError::Buffer);
        }
        self.snd_una = SeqNumber(word(tcb::SND_UNA));
        self.snd_nxt = SeqNumber(word(tcb::SND_NXT));
        self.rtx_nxt = SeqNumber(word(tcb::RTX_NXT));
        self.recover = SeqNumber(word(tcb::RECOVER));
        self.snd_wl1 = SeqNumber(word(tcb::SND_WL1));
        self.snd_wnd = word(tcb::SND_WND);
        let max_snd_wnd = word(tcb::MAX_SND_WND);
        self.max_snd_units = (max_snd_wnd >> self.snd_shift()) as u16;
        self.rcv_nxt = SeqNumber(word(tcb::RCV_NXT));
        self.rcv_adv = SeqNumber(word(tcb::RCV_ADV));
        self.last_ack_sent = SeqNumber(word(tcb::LAST_ACK_SENT));
        let flight = self.flight();
        let near = |a: SeqNumber| (a.since(self.rcv_nxt) as i32).unsigned_abs() <= BUFFER_MAX;
        if flight > self.send_len + u32::from(self.has(flag::FIN_QUEUED))
            || self.rtx_nxt.since(self.snd_una) > flight
            // During recovery `recover` lies in what is in flight.
            || (self.phase() != Phase::Open && self.recover.since(self.snd_una) > flight)
            || !near(self.rcv_adv)
            || !near(self.snd_wl1)
            || self.rcv_nxt.since(self.last_ack_sent) > BUFFER_MAX
        {
            return Err(RecordError::Sequence);
        }
        if self.snd_wnd > max_snd_wnd || self.max_snd_wnd() != max_snd_wnd {
            return Err(RecordError::Parameter);
        }
        Ok(())
    }

    #[inline(always)]
    fn take_congestion(
        &mut self,
        word: &impl Fn(usize) -> u32,
        narrow: &TcbRecord,
    ) -> Result<(), RecordError> {
        self.cwnd = word(tcb::CWND);
        self.ssthresh = word(tcb::SSTHRESH);
        let w_max_step = word(tcb::CUBIC_W_MAX_STEP);
        self.control = Congestion {
            acked: word(tcb::CWND_ACKED),
            w_est: word(tcb::CUBIC_W_EST),
            w_max: w_max_step as u16,
            step: (w_max_step >> 16) as u16,
            origin: (word(tcb::TS_VAL) as u16).wrapping_add_signed(narrow.cubic_origin),
            beat: narrow.cubic_beat,
            algorithm: match narrow.algorithm {
                0 => CongestionAlgorithm::NewReno,
                _ => CongestionAlgorithm::Cubic,
            },
        };
        self.srtt_us8 = word(tcb::SRTT_US8);
        self.rttvar_us4 = word(tcb::RTTVAR_US4);
        let fits = self.control.is_possible(narrow.cubic_origin)
            && (u32::from(self.snd_mss)..=BUFFER_MAX).contains(&self.cwnd)
            && self.ssthresh <= BUFFER_MAX
            && self.srtt_us8 <= 1 << 29
            && self.rttvar_us4 <= 1 << 29;
        if fits {
            Ok(())
        } else {
            Err(RecordError::Parameter)
        }
    }

    #[inline(always)]
    fn take_ranges(
        &mut self,
        word: &impl Fn(usize) -> u32,
        narrow: &TcbRecord,
        state: State,
    ) -> Result<(), RecordError> {
        let (rcv_nxt, rcv_space) = (self.rcv_nxt, self.rcv_space);
        let sacked = |index| word(tcb::SACKED + index);
        let received = |index| word(tcb::RECEIVED + index);
        let (sacked_len, _) = Ranges::<SACKED_RANGES>::check(sacked, self.snd_una, self.snd_nxt)?;
        // The peer's FIN may be the one number behind the buffer.
        let (len, end) = Ranges::<RECEIVED_RANGES>::check(received, rcv_nxt, rcv_nxt + (rcv_space + 1))?;
        let recent = narrow.recent_range;
        let fin_known = self.has(flag::FIN_KNOWN);
        let right = match len {
            0 => !fin_known && recent == 0,
            _ => {
                matches!(state, State::Established | State::FinWait1 | State::FinWait2)
                    && usize::from(recent) < len
                    && (fin_known || end.since(rcv_nxt) <= rcv_space)
            }
        };
        if !right {
            return Err(RecordError::Ranges);
        }
        if sacked_len + len > 0 {
            self.keep_ranges(sacked, received, recent);
        }
        Ok(())
    }

    /// Keeps ranges that were checked, where there is room.
    #[inline(always)]
    fn keep_ranges(&mut self, sacked: impl Fn(usize) -> u32, received: impl Fn(usize) -> u32, recent: u8) {
        if !self.parameters.make_room() {
            self.flags &= !flag::FIN_KNOWN;
            return;
        }
        let gaps = self.gaps();
        gaps.sacked.read(sacked);
        gaps.received.read(received);
        gaps.recent.set(recent);
    }

    #[inline(always)]
    fn take_times(
        &mut self,
        word: &impl Fn(usize) -> u32,
        narrow: &TcbRecord,
        state: State,
        now: Instant,
    ) -> Result<(), RecordError> {
        self.timer = match narrow.timer {
            0 => Timer::Off,
            1 => Timer::Retransmit,
            2 => Timer::Persist,
            3 => Timer::KeepAlive,
            4 => Timer::TimeWait,
            5 if state == State::FinWait2 => Timer::FinWait2,
            _ => return Err(RecordError::Timer),
        };
        let timer_us = word(tcb::TIMER_US);
        self.timer_at = now + timer_us;
        self.ack_at = now + narrow.delayed_ack_us;
        self.rtt_seq = SeqNumber(word(tcb::RTT_SEQ));
        let rtt_age_us = word(tcb::RTT_AGE_US);
        self.rtt_start = Instant(now.0.wrapping_sub(rtt_age_us));
        self.challenge_at = Instant(now.0.wrapping_sub(self.config().challenge_us));
        self.ts_recent = word(tcb::TS_RECENT);
        self.ts_val = word(tcb::TS_VAL);
        self.ts_time = Instant(now.0.wrapping_sub(u32::from(narrow.ts_age_us)));
        self.last_send_tick = self.ts_val.wrapping_sub(u32::from(narrow.idle_ticks));
        // Data in flight is watched, nothing else is, and TIME-WAIT ends.
        let right = (self.snd_nxt != self.snd_una) == (self.timer == Timer::Retransmit)
            && (state == State::TimeWait) == (self.timer == Timer::TimeWait);
        // Times without a timer.
        let idle = |bit: u16, us: u32| us != 0 && !self.has(bit);
        if !right
            || timer_us > if self.timer == Timer::Off { 0 } else { Config::DURATION_MAX_US }
            || idle(flag::ACK_DELAYED, narrow.delayed_ack_us)
            || idle(flag::RTT_RUNNING, rtt_age_us)
        {
            return Err(RecordError::Timer);
        }
        Ok(())
    }
}

impl Congestion {
    /// CUBIC: how many ticks after this one the curve reaches W_max; more than a record holds is no further away on it. Before an epoch
    /// begins only W_max means something.
    fn origin_after(&self, tick: u32) -> i16 {
        match self.step {
            0 => 0,
            _ => (self.origin.wrapping_sub(tick as u16) as i16).max(-i16::MAX),
        }
    }

    /// Whether an exporter could have this state, with the curve's origin so many ticks away.
    fn is_possible(&self, origin: i16) -> bool {
        let Congestion { acked, w_est, w_max, step, beat, algorithm, .. } = *self;
        let nothing = (w_est, step, origin, beat) == (0, 0, 0, 0);
        match algorithm {
            CongestionAlgorithm::NewReno => nothing && w_max == 0 && acked <= BUFFER_MAX,
            CongestionAlgorithm::Cubic if step == 0 => nothing && acked == 0,
            CongestionAlgorithm::Cubic => {
                u32::from(step) >= cubic::STEP_MIN
                    && acked <= cubic::ACKED_MAX
                    && w_est <= BUFFER_MAX
                    && w_max > 0
                    && origin > i16::MIN
            }
        }
    }
}

fn state_of(number: u8) -> Result<State, RecordError> {
    Ok(match number {
        3 => State::Established,
        4 => State::FinWait1,
        5 => State::FinWait2,
        6 => State::CloseWait,
        7 => State::Closing,
        8 => State::LastAck,
        9 => State::TimeWait,
        _ => return Err(RecordError::State),
    })
}

//! Handoff: a TCB as a record and back (`baton_abi::handoff`).
//!
//! Export and import continue the connection exactly where it was: what is in flight, a recovery under way, a
//! delayed acknowledgement, timers as the time that they have left. Not carried are the importer's own
//! [`Config`] times and the rate limit of challenge acknowledgements, which starts anew.

use baton_abi::{
    at_most,
    handoff::{RecordError, TcbRecord, RECEIVED_RANGES},
};

use crate::{
    control::{Congestion, NewReno},
    cubic::{self, Cubic},
    ranges::Ranges,
    rtt::BACKOFF_MAX,
    segment::Range,
    tcb::{flag, Phase, State, Tcb, Timer},
    Config, CongestionAlgorithm, Instant, SeqNumber,
};

impl Tcb {
    /// Whether the connection can be handed over now: not during the handshake, and not once it is over.
    pub fn exportable(&self) -> bool {
        !matches!(self.state, State::Closed | State::SynSent | State::SynReceived)
    }

    /// The state as a record, with times relative to `now`. Only for a TCB that is [`Tcb::exportable`].
    pub fn export(&self, now: Instant) -> TcbRecord {
        debug_assert!(self.exportable() && self.consistent());
        let mut tcb = self.clone();
        tcb.tick(now);
        let control = ControlRecord::new(&tcb.control, tcb.ts_val);
        let turns = at_most!(RECEIVED_RANGES);
        let recent = tcb
            .received
            .as_slice()
            .iter()
            .position(|r: &Range| {
                turns.take();
                r.start.le(tcb.recent) && tcb.recent.lt(r.end)
            })
            .unwrap_or(0);
        TcbRecord {
            state: tcb.state as u8,
            phase: tcb.phase as u8,
            timer: tcb.timer as u8,
            snd_shift: tcb.snd_shift,
            rcv_shift: tcb.rcv_shift,
            flags: tcb.flags & flag::RECORD,
            snd_mss: tcb.snd_mss,
            rcv_mss: tcb.rcv_mss,
            dup_acks: tcb.dup_acks,
            retransmits: tcb.retransmits,
            backoff: tcb.backoff,
            rcv_step: tcb.rcv_step,
            delayed_ack_us: if tcb.has(flag::ACK_DELAYED) { tcb.ack_at.remaining(now) } else { 0 },
            ts_age_us: now.since(tcb.ts_time) as u16,
            recent_range: recent as u8,
            idle_ticks: tcb.ts_val.wrapping_sub(tcb.last_send_tick).min(0xFFFF) as u16,
            snd_una: tcb.snd_una.0,
            snd_nxt: tcb.snd_nxt.0,
            rtx_nxt: tcb.rtx_nxt.0,
            recover: tcb.recover.0,
            snd_wl1: tcb.snd_wl1.0,
            snd_wnd: tcb.snd_wnd,
            max_snd_wnd: tcb.max_snd_wnd,
            rcv_nxt: tcb.rcv_nxt.0,
            rcv_adv: tcb.rcv_adv.0,
            last_ack_sent: tcb.last_ack_sent.0,
            cwnd: tcb.cwnd,
            ssthresh: tcb.ssthresh,
            algorithm: control.algorithm,
            cwnd_acked: control.acked,
            cubic_beat: control.beat,
            cubic_origin: control.origin,
            cubic_w_max: control.w_max,
            cubic_step: control.step,
            cubic_w_est: control.w_est,
            srtt_us8: tcb.srtt_us8,
            rttvar_us4: tcb.rttvar_us4,
            rtt_seq: tcb.rtt_seq.0,
            rtt_age_us: if tcb.has(flag::RTT_RUNNING) { now.since(tcb.rtt_start) } else { 0 },
            timer_us: if tcb.timer == Timer::Off { 0 } else { tcb.timer_at.remaining(now) },
            ts_recent: tcb.ts_recent,
            ts_val: tcb.ts_val,
            received: tcb.received.to_record(),
            sacked: tcb.sacked.to_record(),
        }
    }

    /// Continues a connection from a record. `send_len` and `rcv_space` are the lengths of the two buffers that came
    /// with it. Anything that no exporter could have written is refused.
    pub fn import(
        record: &TcbRecord,
        send_len: u32,
        rcv_space: u32,
        config: Config,
        now: Instant,
    ) -> Result<Tcb, RecordError> {
        let config = config.clamped();
        let state = state_of(record.state)?;
        let flags = record.flags;
        let phase = match record.phase {
            0 => Phase::Open,
            1 => Phase::Recovery,
            2 => Phase::Loss,
            _ => return Err(RecordError::Parameter),
        };
        check_buffers(record, state, send_len, rcv_space)?;
        check_parameters(record)?;
        let snd_una = SeqNumber(record.snd_una);
        let rcv_nxt = SeqNumber(record.rcv_nxt);
        let sacked = Ranges::from_record(&record.sacked, snd_una, SeqNumber(record.snd_nxt))?;
        // The peer's FIN may be the one number behind the buffer.
        let received = Ranges::from_record(&record.received, rcv_nxt, rcv_nxt + (rcv_space + 1))?;
        let receiving = matches!(state, State::Established | State::FinWait1 | State::FinWait2);
        let fin_known = flags & flag::FIN_KNOWN != 0;
        let last_end = received.as_slice().last().map(|r| r.end.since(rcv_nxt));
        if (received.is_empty() && fin_known)
            || (!received.is_empty() && !receiving)
            || (!fin_known && last_end.is_some_and(|end| end > rcv_space))
        {
            return Err(RecordError::Ranges);
        }
        let recent = match received.as_slice().get(usize::from(record.recent_range)) {
            Some(range) => range.start,
            None if record.recent_range == 0 => rcv_nxt,
            None => return Err(RecordError::Ranges),
        };
        let timer = timer_of(record, state)?;
        let control = control_of(record)?;
        let ts_time = Instant(now.0.wrapping_sub(u32::from(record.ts_age_us)));
        let mut tcb = Tcb {
            config,
            expected: 0,
            rto: 0,
            state,
            phase,
            timer,
            snd_shift: record.snd_shift,
            rcv_shift: record.rcv_shift,
            dup_acks: record.dup_acks,
            retransmits: record.retransmits,
            backoff: record.backoff,
            flags,
            snd_mss: record.snd_mss,
            rcv_mss: record.rcv_mss,
            rcv_step: record.rcv_step,
            snd_una,
            snd_nxt: SeqNumber(record.snd_nxt),
            rtx_nxt: SeqNumber(record.rtx_nxt),
            recover: SeqNumber(record.recover),
            snd_wl1: SeqNumber(record.snd_wl1),
            snd_wnd: record.snd_wnd,
            max_snd_wnd: record.max_snd_wnd,
            send_len,
            rcv_nxt,
            rcv_adv: SeqNumber(record.rcv_adv),
            last_ack_sent: SeqNumber(record.last_ack_sent),
            rcv_space,
            recent,
            cwnd: record.cwnd,
            ssthresh: record.ssthresh,
            control,
            srtt_us8: record.srtt_us8,
            rttvar_us4: record.rttvar_us4,
            rtt_seq: SeqNumber(record.rtt_seq),
            rtt_start: Instant(now.0.wrapping_sub(record.rtt_age_us)),
            timer_at: now + record.timer_us,
            ack_at: now + record.delayed_ack_us,
            challenge_at: Instant(now.0.wrapping_sub(config.challenge_us)),
            ts_recent: record.ts_recent,
            ts_val: record.ts_val,
            ts_time,
            last_send_tick: record.ts_val.wrapping_sub(u32::from(record.idle_ticks)),
            received,
            sacked,
        };
        tcb.settle();
        if !tcb.consistent() {
            return Err(RecordError::Sequence);
        }
        if state == State::FinWait2 && timer == Timer::Off {
            // The exporter would have waited for ever; this side may not want to.
            tcb.keep_alive(now);
        }
        Ok(tcb)
    }
}

/// The state of congestion control in a record: the union of what the algorithms keep, zero where one keeps nothing.
#[derive(Default)]
struct ControlRecord {
    algorithm: u8,
    acked: u32,
    beat: u8,
    origin: i16,
    w_max: u16,
    step: u16,
    w_est: u32,
}

impl ControlRecord {
    fn new(control: &Congestion, tick: u32) -> Self {
        let algorithm = control.algorithm() as u8;
        match *control {
            Congestion::NewReno(NewReno { acked }) => ControlRecord { algorithm, acked, ..Self::default() },
            Congestion::Cubic(Cubic { acked, w_est, origin, w_max, step, beat }) => {
                // More than this is no further away on the curve.
                let ahead =
                    (origin.wrapping_sub(tick) as i32).clamp(-i32::from(i16::MAX), i32::from(i16::MAX));
                // Before an epoch begins only W_max means something.
                let (origin, w_est, beat) = if step == 0 { (0, 0, 0) } else { (ahead as i16, w_est, beat) };
                ControlRecord { algorithm, acked, beat, origin, w_max, step, w_est }
            }
        }
    }
}

fn control_of(record: &TcbRecord) -> Result<Congestion, RecordError> {
    let TcbRecord { cwnd_acked: acked, cubic_w_est: w_est, cubic_w_max: w_max, cubic_step: step, .. } =
        *record;
    let (origin, beat) = (record.cubic_origin, record.cubic_beat);
    const NEW_RENO: u8 = CongestionAlgorithm::NewReno as u8;
    match record.algorithm {
        NEW_RENO if (w_est, w_max, step, origin, beat) == (0, 0, 0, 0, 0) && acked <= Tcb::BUFFER_MAX => {
            Ok(Congestion::NewReno(NewReno { acked }))
        }
        NEW_RENO => Err(RecordError::Parameter),
        _ => {
            let idle = step == 0 && (acked, w_est, origin, beat) == (0, 0, 0, 0);
            let epoch = u32::from(step) >= cubic::STEP_MIN
                && acked <= cubic::ACKED_MAX
                && w_est <= Tcb::BUFFER_MAX
                && w_max > 0
                && origin > i16::MIN;
            if !idle && !epoch {
                return Err(RecordError::Parameter);
            }
            let origin = record.ts_val.wrapping_add_signed(i32::from(origin));
            Ok(Congestion::Cubic(Cubic { acked, w_est, origin, w_max, step, beat }))
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

/// Sequence numbers against the buffers.
fn check_buffers(record: &TcbRecord, state: State, send_len: u32, rcv_space: u32) -> Result<(), RecordError> {
    if send_len > Tcb::BUFFER_MAX || rcv_space > Tcb::BUFFER_MAX {
        return Err(RecordError::Buffer);
    }
    let fin_queued = record.flags & flag::FIN_QUEUED != 0;
    // FIN is queued and unacknowledged exactly in these states.
    let closing = matches!(state, State::FinWait1 | State::Closing | State::LastAck);
    if record.flags & !flag::RECORD != 0 || fin_queued != closing {
        return Err(RecordError::State);
    }
    // Once FIN is acknowledged, everything is.
    if matches!(state, State::FinWait2 | State::TimeWait) && send_len != 0 {
        return Err(RecordError::Buffer);
    }
    let flight = record.snd_nxt.wrapping_sub(record.snd_una);
    let retransmitted = record.rtx_nxt.wrapping_sub(record.snd_una);
    if flight > send_len + u32::from(fin_queued) || retransmitted > flight {
        return Err(RecordError::Sequence);
    }
    // During recovery `recover` lies in what is in flight.
    if record.phase != 0 && record.recover.wrapping_sub(record.snd_una) > flight {
        return Err(RecordError::Sequence);
    }
    let near = |a: u32, b: u32| (a.wrapping_sub(b) as i32).unsigned_abs() <= Tcb::BUFFER_MAX;
    if !near(record.rcv_adv, record.rcv_nxt)
        || (record.rcv_nxt.wrapping_sub(record.last_ack_sent)) > Tcb::BUFFER_MAX
        || !near(record.snd_wl1, record.rcv_nxt)
    {
        return Err(RecordError::Sequence);
    }
    Ok(())
}

fn check_parameters(record: &TcbRecord) -> Result<(), RecordError> {
    let least = Config::MSS_MIN - Tcb::TIMESTAMP_BYTES;
    let window_max = 0xFFFF << 14;
    let fits = record.snd_shift <= 14
        && record.rcv_shift <= 14
        && (least..=Config::MSS_MAX).contains(&record.snd_mss)
        && (Config::MSS_MIN..=Config::MSS_MAX).contains(&record.rcv_mss)
        && record.rcv_step <= record.rcv_mss
        && record.backoff <= BACKOFF_MAX
        && record.retransmits <= 100
        && record.snd_wnd <= record.max_snd_wnd
        && record.max_snd_wnd <= window_max
        && record.cwnd >= u32::from(record.snd_mss)
        && record.cwnd <= Tcb::BUFFER_MAX
        && record.ssthresh <= Tcb::BUFFER_MAX
        && record.srtt_us8 <= 1 << 29
        && record.rttvar_us4 <= 1 << 29
        && record.delayed_ack_us <= Config::DELAYED_ACK_MAX_US
        && record.ts_age_us < 1024;
    if fits {
        Ok(())
    } else {
        Err(RecordError::Parameter)
    }
}

fn timer_of(record: &TcbRecord, state: State) -> Result<Timer, RecordError> {
    let in_flight = record.snd_nxt != record.snd_una;
    let timer = match record.timer {
        0 => Timer::Off,
        1 => Timer::Retransmit,
        2 => Timer::Persist,
        3 => Timer::KeepAlive,
        4 => Timer::TimeWait,
        5 if state == State::FinWait2 => Timer::FinWait2,
        _ => return Err(RecordError::Timer),
    };
    // Data in flight is watched, nothing else is, and TIME-WAIT ends.
    let right =
        in_flight == (timer == Timer::Retransmit) && (state == State::TimeWait) == (timer == Timer::TimeWait);
    // Times without a timer.
    let idle = |bit: u16, us: u32| record.flags & bit == 0 && us != 0;
    if idle(flag::ACK_DELAYED, record.delayed_ack_us)
        || idle(flag::RTT_RUNNING, record.rtt_age_us)
        || (timer == Timer::Off && record.timer_us != 0)
    {
        return Err(RecordError::Timer);
    }
    if !right || record.timer_us > Config::DURATION_MAX_US {
        return Err(RecordError::Timer);
    }
    Ok(timer)
}

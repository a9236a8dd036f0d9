//! The transmission control block and the calls of its user (RFC 9293 Sections 3.3 and 3.10.1 to 3.10.6).

use crate::{
    control::Congestion,
    gaps::Gaps,
    segment::{Options, SegmentIn},
    Config, CongestionAlgorithm, Instant, Own, Parameters, SeqNumber, SharedConfig,
};

/// States of a connection (RFC 9293 Section 3.3.2). LISTEN has no TCB: see [`Tcb::accept`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    Closed = 0,
    SynSent = 1,
    SynReceived = 2,
    Established = 3,
    FinWait1 = 4,
    FinWait2 = 5,
    CloseWait = 6,
    Closing = 7,
    LastAck = 8,
    TimeWait = 9,
}

/// Phases of loss recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Nothing is known to be lost.
    Open = 0,
    /// Fast recovery (RFC 6582, RFC 6675).
    Recovery = 1,
    /// After a timeout: everything that was outstanding is sent again in slow start.
    Loss = 2,
}

/// What the one long timer of a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Timer {
    Off = 0,
    Retransmit = 1,
    Persist = 2,
    KeepAlive = 3,
    TimeWait = 4,
    /// The peer has our FIN and does not send its own.
    FinWait2 = 5,
}

/// Flags of a TCB, a word of bits that also travels in the record.
pub mod flag {
    /// An acknowledgement is to be sent at once.
    pub const ACK_NOW: u16 = 1 << 0;
    /// The delayed-acknowledgement timer runs.
    pub const ACK_DELAYED: u16 = 1 << 1;
    /// Both sides sent SACK-permitted.
    pub const SACK: u16 = 1 << 2;
    /// Both sides sent timestamps.
    pub const TIMESTAMPS: u16 = 1 << 3;
    pub const NAGLE: u16 = 1 << 4;
    /// The user has closed: FIN follows the last byte of the send buffer, and is not acknowledged yet.
    pub const FIN_QUEUED: u16 = 1 << 5;
    /// The last received range ends with the peer's FIN.
    pub const FIN_KNOWN: u16 = 1 << 6;
    /// One segment is to be retransmitted at `rtx_nxt` whatever the windows say.
    pub const RTX_NOW: u16 = 1 << 7;
    /// `recover` has not been passed (RFC 6582 Section 3.2).
    pub const RECOVER: u16 = 1 << 8;
    /// A round-trip measurement runs.
    pub const RTT_RUNNING: u16 = 1 << 9;
    /// A probe of a zero window or of an idle peer is to be sent.
    pub const PROBE_NOW: u16 = 1 << 10;
    /// RST is to be sent; only in CLOSED.
    pub const RST_NOW: u16 = 1 << 11;
    /// The connection was opened from LISTEN.
    pub const PASSIVE: u16 = 1 << 12;
    /// The peer probes a window that is closed although there is some buffer: it is to be opened.
    pub const PROBED: u16 = 1 << 13;
    /// The [`Phase`](super::Phase), which a record has apart.
    pub(crate) const PHASE_SHIFT: u32 = 14;
    pub(crate) const PHASE: u16 = 3 << PHASE_SHIFT;
    pub(crate) const RECOVERY: u16 = 1 << PHASE_SHIFT;
    /// All that a record may carry.
    pub const RECORD: u16 = 0x37FF;
}

/// A connection. Plain data: copy it, compare it, move it. It has its own parameters, unless it shares them with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcb<C = Own> {
    pub(crate) parameters: C,
    /// [`Tcb::prediction`] as of now.
    pub(crate) expected: u32,
    /// [`Tcb::rto_us`] as of now.
    pub(crate) rto: u32,
    pub(crate) state: State,
    pub(crate) timer: Timer,
    /// Shifts of the windows' scales, of what is received in the high four bits and of what is sent in the low ones.
    shifts: u8,
    pub(crate) dup_acks: u8,
    /// Timeouts without progress.
    pub(crate) retransmits: u8,
    /// Exponent of the timeout's backoff; Karn's algorithm keeps it until there is a new sample.
    pub(crate) backoff: u8,
    pub(crate) flags: u16,
    /// Largest payload to send, with the timestamps' 12 bytes subtracted.
    pub(crate) snd_mss: u16,
    pub(crate) rcv_mss: u16,
    /// Least step of `rcv_adv`: min(Fr * RCV.BUFF, MSS) of RFC 9293 Section 3.8.6.2.2.
    pub(crate) rcv_step: u16,

    // Send sequence variables, RFC 9293 Section 3.3.1.
    pub(crate) snd_una: SeqNumber,
    /// One past the highest number ever sent.
    pub(crate) snd_nxt: SeqNumber,
    /// Next number to retransmit, between `snd_una` and `snd_nxt`.
    pub(crate) rtx_nxt: SeqNumber,
    /// `snd_nxt` when recovery began.
    pub(crate) recover: SeqNumber,
    pub(crate) snd_wl1: SeqNumber,
    pub(crate) snd_wnd: u32,
    /// The largest window seen, in units of its scale, rounded up: that of a SYN is not scaled.
    pub(crate) max_snd_units: u16,
    /// Bytes in the send buffer, counted from `snd_una`.
    pub(crate) send_len: u32,

    // Receive sequence variables.
    pub(crate) rcv_nxt: SeqNumber,
    /// RCV.NXT + RCV.WND as last announced.
    pub(crate) rcv_adv: SeqNumber,
    pub(crate) last_ack_sent: SeqNumber,
    /// Bytes of buffer from `rcv_nxt` on.
    pub(crate) rcv_space: u32,

    pub(crate) cwnd: u32,
    pub(crate) ssthresh: u32,
    pub(crate) control: Congestion,

    pub(crate) srtt_us8: u32,
    pub(crate) rttvar_us4: u32,
    pub(crate) rtt_seq: SeqNumber,
    pub(crate) rtt_start: Instant,

    pub(crate) timer_at: Instant,
    pub(crate) ack_at: Instant,
    /// The time of the last challenge acknowledgement.
    pub(crate) challenge_at: Instant,

    pub(crate) ts_recent: u32,
    /// The timestamp clock, in ticks of 1024 us, as of `ts_time`.
    pub(crate) ts_val: u32,
    pub(crate) ts_time: Instant,
    /// `ts_val` when data was last sent.
    pub(crate) last_send_tick: u32,
}

impl Tcb {
    /// Most bytes that a send or receive buffer may hold.
    pub const BUFFER_MAX: u32 = BUFFER_MAX;

    fn new(config: Config, state: State, iss: SeqNumber, rcv_space: u32, now: Instant) -> Self {
        let config = config.clamped();
        let mut flags = 0;
        for (on, bit) in
            [(config.nagle, flag::NAGLE), (config.sack, flag::SACK), (config.timestamps, flag::TIMESTAMPS)]
        {
            if on {
                flags |= bit;
            }
        }
        // Not a secret, but different for each connection as RFC 7323 Section 5.4 asks: the peer knows ISS.
        let ts_val = iss.0.rotate_left(16) ^ 0x5EED_5EED;
        let mut tcb = Tcb {
            state,
            shifts: config.window_shift << 4,
            flags,
            snd_mss: Self::DEFAULT_MSS,
            rcv_mss: config.mss,
            snd_una: iss,
            snd_nxt: iss,
            rtx_nxt: iss,
            recover: iss,
            ssthresh: BUFFER_MAX,
            control: Congestion::new(config.congestion),
            rtt_seq: iss,
            rtt_start: now,
            timer_at: now,
            ack_at: now,
            challenge_at: Instant(now.0.wrapping_sub(config.challenge_us)),
            ts_val,
            ts_time: now,
            last_send_tick: ts_val,
            ..Tcb::blank(Own::new(config))
        };
        tcb.grow_receive_space(rcv_space);
        tcb.settle();
        tcb
    }

    /// Passive open: a SYN arrived in LISTEN (RFC 9293 Section 3.10.7.2, third step). `iss` comes from the
    /// caller's generator (Section 3.4.1). Payload of the SYN is left for the peer to send again.
    pub fn accept(config: Config, syn: &SegmentIn, iss: SeqNumber, rcv_space: u32, now: Instant) -> Self {
        let mut tcb = Tcb::new(config, State::SynReceived, iss, rcv_space, now);
        tcb.flags |= flag::PASSIVE;
        tcb.take_syn(syn);
        tcb.settle();
        tcb
    }

    /// Active open (RFC 9293 Section 3.10.1). `poll_transmit` gives the SYN.
    pub fn connect(config: Config, iss: SeqNumber, rcv_space: u32, now: Instant) -> Self {
        Tcb::new(config, State::SynSent, iss, rcv_space, now)
    }
}

impl Tcb<SharedConfig> {
    /// A place for connections that are handed over ([`Tcb::take_over`]). It is closed until one is.
    pub const fn vacant(config: SharedConfig) -> Self {
        Tcb::blank(config)
    }

    /// The place is to be for another connection.
    pub fn vacate(&mut self) {
        self.state = State::Closed;
        self.forget_gaps();
    }
}

/// [`Tcb::BUFFER_MAX`], which is the same whatever a TCB keeps of its parameters.
pub(crate) const BUFFER_MAX: u32 = 1 << 30;
/// Bytes of the timestamps option with its padding.
pub(crate) const TIMESTAMP_BYTES: u16 = 12;

impl<C: Parameters> Tcb<C> {
    /// A peer that announces no segment size takes this (RFC 9293 Section 3.7.1).
    const DEFAULT_MSS: u16 = 536;

    /// Closed, and never anything else.
    pub(crate) const fn blank(parameters: C) -> Self {
        const ZERO: SeqNumber = SeqNumber(0);
        Tcb {
            parameters,
            expected: 0,
            rto: 0,
            state: State::Closed,
            timer: Timer::Off,
            shifts: 0,
            dup_acks: 0,
            retransmits: 0,
            backoff: 0,
            flags: 0,
            snd_mss: 0,
            rcv_mss: 0,
            rcv_step: 0,
            snd_una: ZERO,
            snd_nxt: ZERO,
            rtx_nxt: ZERO,
            recover: ZERO,
            snd_wl1: ZERO,
            snd_wnd: 0,
            max_snd_units: 0,
            send_len: 0,
            rcv_nxt: ZERO,
            rcv_adv: ZERO,
            last_ack_sent: ZERO,
            rcv_space: 0,
            cwnd: 0,
            ssthresh: 0,
            control: Congestion::new(CongestionAlgorithm::NewReno),
            srtt_us8: 0,
            rttvar_us4: 0,
            rtt_seq: ZERO,
            rtt_start: Instant(0),
            timer_at: Instant(0),
            ack_at: Instant(0),
            challenge_at: Instant(0),
            ts_recent: 0,
            ts_val: 0,
            ts_time: Instant(0),
            last_send_tick: 0,
        }
    }

    /// What a SYN settles: the peer's first number, its window and the options of both sides.
    pub(crate) fn take_syn(&mut self, syn: &SegmentIn) {
        self.rcv_nxt = syn.seq + 1;
        self.rcv_adv = self.rcv_nxt;
        self.last_ack_sent = self.rcv_nxt;
        self.snd_wl1 = syn.seq;
        // RFC 7323 Section 2.2: the window of a SYN is never scaled.
        self.snd_wnd = u32::from(syn.window);
        let Options { mss, window_scale, sack_permitted, timestamps, .. } = syn.options;
        // RFC 7323 Section 2.2: scaling is on only when both sides offer it; Section 2.3: 14 at most.
        match window_scale {
            Some(shift) => self.set_shifts(shift.min(14), self.rcv_shift()),
            None => self.set_shifts(0, 0),
        }
        self.max_snd_units = 0;
        self.note_window();
        if !sack_permitted {
            self.flags &= !flag::SACK;
        }
        self.snd_mss = mss.unwrap_or(Self::DEFAULT_MSS).min(self.config().mss).max(Config::MSS_MIN);
        match timestamps {
            Some((value, _)) if self.has(flag::TIMESTAMPS) => {
                self.ts_recent = value;
                // RFC 9293 Section 3.7.1: the announced size does not count options.
                self.snd_mss -= TIMESTAMP_BYTES;
            }
            _ => self.flags &= !flag::TIMESTAMPS,
        }
        self.cwnd = self.initial_cwnd();
    }

    /// By how much a received window is shifted.
    #[inline(always)]
    pub(crate) fn snd_shift(&self) -> u8 {
        self.shifts & 0xF
    }

    /// By how much the window that is announced is.
    #[inline(always)]
    pub(crate) fn rcv_shift(&self) -> u8 {
        self.shifts >> 4
    }

    /// Both at most 14 (RFC 7323 Section 2.3).
    #[inline]
    pub(crate) fn set_shifts(&mut self, snd: u8, rcv: u8) {
        self.shifts = rcv << 4 | snd;
    }

    #[inline(always)]
    pub(crate) fn phase(&self) -> Phase {
        match self.flags & flag::PHASE {
            0 => Phase::Open,
            flag::RECOVERY => Phase::Recovery,
            _ => Phase::Loss,
        }
    }

    #[inline]
    pub(crate) fn set_phase(&mut self, phase: Phase) {
        self.flags = self.flags & !flag::PHASE | (phase as u16) << flag::PHASE_SHIFT;
    }

    /// The largest window seen.
    #[inline]
    pub(crate) fn max_snd_wnd(&self) -> u32 {
        u32::from(self.max_snd_units) << self.snd_shift()
    }

    /// The peer has announced a window, of what a header can say.
    pub(crate) fn note_window(&mut self) {
        let units = self.snd_wnd.div_ceil(1 << self.snd_shift()) as u16;
        self.max_snd_units = self.max_snd_units.max(units);
    }

    /// Nothing is kept beyond gaps.
    pub(crate) fn forget_gaps(&mut self) {
        let gaps = self.gaps();
        gaps.clear_received();
        gaps.sacked.clear();
        self.parameters.give_room_back();
    }

    #[inline]
    pub(crate) fn has(&self, bit: u16) -> bool {
        self.flags & bit != 0
    }

    /// The ranges beyond gaps, to be looked at and to be made less.
    #[inline]
    pub(crate) fn gaps(&self) -> &Gaps {
        self.parameters.gaps()
    }

    /// Advances the timestamp clock. Lazy, so that it stays continuous when `now` wraps; an interval of
    /// more than 71 minutes without a call counts less than it lasted.
    #[inline]
    pub(crate) fn tick(&mut self, now: Instant) {
        let ticks = now.since(self.ts_time) >> 10;
        self.ts_val = self.ts_val.wrapping_add(ticks);
        self.ts_time = self.ts_time + (ticks << 10);
    }

    /// `bytes` more are in the send buffer (RFC 9293 Section 3.10.2, SEND). Returns how many were taken:
    /// none once the connection is closing, and never more than [`Tcb::BUFFER_MAX`] in all.
    pub fn send_enqueued(&mut self, bytes: u32) -> u32 {
        let open =
            matches!(self.state, State::SynSent | State::SynReceived | State::Established | State::CloseWait);
        if !open || self.has(flag::FIN_QUEUED) {
            return 0;
        }
        let taken = bytes.min(BUFFER_MAX - self.send_len);
        self.send_len += taken;
        taken
    }

    /// `bytes` of buffer were added at the end of the receive buffer (RFC 9293 Section 3.10.3, RECEIVE).
    pub fn receive_space_added(&mut self, bytes: u32) {
        self.grow_receive_space(bytes);
        if self.receives() && self.window_update_due() {
            self.flags |= flag::ACK_NOW;
        }
    }

    fn grow_receive_space(&mut self, bytes: u32) {
        self.rcv_space += bytes.min(BUFFER_MAX - self.rcv_space);
        let half = (self.rcv_space / 2).min(u32::from(self.rcv_mss)) as u16;
        self.rcv_step = self.rcv_step.max(half);
    }

    /// No more data will be sent: FIN follows the send buffer (RFC 9293 Section 3.10.4, CLOSE).
    /// Receiving goes on.
    pub fn close(&mut self) {
        match self.state {
            State::SynSent => self.enter_closed(),
            // "Queued until the connection is ESTABLISHED": the state changes with the handshake's end.
            State::SynReceived => self.flags |= flag::FIN_QUEUED,
            State::Established => {
                self.flags |= flag::FIN_QUEUED;
                self.state = State::FinWait1;
            }
            State::CloseWait => {
                self.flags |= flag::FIN_QUEUED;
                self.state = State::LastAck;
            }
            _ => {}
        }
        self.settle();
    }

    /// Gives the connection up (RFC 9293 Section 3.10.5, ABORT). The state is CLOSED at once; the next
    /// `poll_transmit` gives the RST where one is due.
    pub fn abort(&mut self) {
        let reset = matches!(
            self.state,
            State::SynReceived | State::Established | State::FinWait1 | State::FinWait2 | State::CloseWait
        );
        self.enter_closed();
        if reset {
            self.flags |= flag::RST_NOW;
        }
    }

    pub(crate) fn enter_closed(&mut self) {
        self.state = State::Closed;
        self.timer = Timer::Off;
        self.flags &=
            !(flag::ACK_NOW | flag::ACK_DELAYED | flag::RTX_NOW | flag::PROBE_NOW | flag::FIN_QUEUED);
        self.send_len = 0;
        self.expected = 0;
    }

    /// Nagle's algorithm on or off (RFC 9293 Section 3.7.4).
    pub fn set_nagle(&mut self, on: bool) {
        self.flags = if on { self.flags | flag::NAGLE } else { self.flags & !flag::NAGLE };
    }

    /// The path has become narrower: a router returned a part of the segment at `quoted` and said that `mss` bytes without
    /// options, its MTU less 40, would pass (RFC 1191 Section 6.4, RFC 9293 Section 3.7.5). What is outstanding is sent again in smaller
    /// segments. False, and no change: `quoted` is not outstanding, so the message may be forged (RFC 5927 Section 4.1),
    /// or `mss` is not below what is sent already.
    pub fn lower_mss(&mut self, mss: u16, quoted: SeqNumber) -> bool {
        let options = if self.has(flag::TIMESTAMPS) { TIMESTAMP_BYTES } else { 0 };
        let mss = mss.max(Config::MSS_MIN) - options;
        if self.syn_unacked()
            || self.state == State::Closed
            || quoted.since(self.snd_una) >= self.flight()
            || mss >= self.snd_mss
        {
            return false;
        }
        self.snd_mss = mss;
        self.cc_path_mtu();
        self.settle();
        true
    }

    pub fn state(&self) -> State {
        self.state
    }

    #[inline]
    pub fn config(&self) -> &Config {
        self.parameters.config()
    }

    /// Bytes in the send buffer, sent or not.
    pub fn send_len(&self) -> u32 {
        self.send_len
    }

    /// Bytes in the send buffer that were never sent.
    pub fn unsent(&self) -> u32 {
        if self.syn_unacked() {
            return self.send_len;
        }
        // With FIN sent, snd_nxt is one past the data.
        self.send_len.saturating_sub(self.flight())
    }

    /// Sequence numbers sent and not acknowledged.
    pub fn in_flight(&self) -> u32 {
        self.flight()
    }

    /// Bytes of buffer from the next byte expected on.
    pub fn receive_space(&self) -> u32 {
        self.rcv_space
    }

    /// Whether data has arrived beyond a gap.
    pub fn has_gap(&self) -> bool {
        !self.gaps().received.is_empty()
    }

    pub fn snd_una(&self) -> SeqNumber {
        self.snd_una
    }

    pub fn snd_nxt(&self) -> SeqNumber {
        self.snd_nxt
    }

    pub fn rcv_nxt(&self) -> SeqNumber {
        self.rcv_nxt
    }

    /// The peer's window.
    pub fn snd_wnd(&self) -> u32 {
        self.snd_wnd
    }

    pub fn cwnd(&self) -> u32 {
        self.cwnd
    }

    pub fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    /// Largest payload of a segment to send.
    pub fn mss(&self) -> u16 {
        self.snd_mss
    }

    /// The algorithm of congestion control.
    pub fn congestion(&self) -> CongestionAlgorithm {
        self.control.algorithm
    }

    /// Smoothed round-trip time in microseconds, once there is one.
    pub fn srtt_us(&self) -> Option<u32> {
        (self.srtt_us8 != 0).then_some(self.srtt_us8 >> 3)
    }

    #[inline]
    pub(crate) fn flight(&self) -> u32 {
        self.snd_nxt.since(self.snd_una)
    }

    pub(crate) fn syn_unacked(&self) -> bool {
        C::OPEN && matches!(self.state, State::SynSent | State::SynReceived)
    }

    /// One past the last byte of the send buffer: the number of FIN when one is queued.
    #[inline]
    pub(crate) fn data_end(&self) -> SeqNumber {
        self.snd_una + self.send_len
    }

    #[inline]
    pub(crate) fn fin_sent(&self) -> bool {
        self.has(flag::FIN_QUEUED) && self.snd_nxt.gt(self.data_end())
    }

    /// Whether data from the peer is still taken.
    pub(crate) fn receives(&self) -> bool {
        matches!(self.state, State::Established | State::FinWait1 | State::FinWait2)
    }

    /// What must hold between any two calls; asserted in debug builds by both sides of a handoff.
    pub(crate) fn consistent(&self) -> bool {
        self.expected == self.prediction() && self.rto == self.rto_us() && self.numbers_consistent()
    }

    fn numbers_consistent(&self) -> bool {
        let sent_end = self.data_end() + u32::from(self.has(flag::FIN_QUEUED));
        self.state == State::Closed
            || self.syn_unacked()
            || (self.snd_una.le(self.rtx_nxt)
                && self.rtx_nxt.le(self.snd_nxt)
                && self.snd_nxt.le(sent_end)
                && self.gaps().received.all(|r| r.start.gt(self.rcv_nxt))
                && self.gaps().sacked.all(|r| r.start.gt(self.snd_una) && r.end.le(self.snd_nxt))
                && (!self.has(flag::FIN_KNOWN) || self.has_gap()))
    }
}

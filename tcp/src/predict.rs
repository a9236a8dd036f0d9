//! Header prediction: the segments that make up nearly all of a bulk transfer, in a few dozen instructions.
//!
//! In a transfer without loss, a segment is the next in order, or acknowledges what is outstanding, or both, and carries
//! no flag but ACK and PSH and no option but timestamps (Van Jacobson's observation; RFC 7323 Section 5.3 keeps the
//! order of its tests). [`Tcb::predict`] recognises such a segment and does with it just what the full processing
//! of `arrives.rs` would; every other one it leaves untouched. The two are held against each other at every segment of
//! every run that has debug assertions.

use core::hint::cold_path;

use crate::{
    segment::{Flags, SegmentIn},
    tcb::{flag, Phase, State, Tcb, Timer},
    wire, Instant, Parameters, SeqNumber,
};

/// What header prediction looks at, beside the timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub seq: SeqNumber,
    pub ack: SeqNumber,
    /// The header's own word of data offset, flags and window, not scaled.
    pub control: u32,
    /// Bytes of payload.
    pub payload_len: u16,
}

impl Header {
    /// The header of a segment.
    pub fn of(segment: &SegmentIn) -> Self {
        let words = 5 + wire::option_words(&segment.options) as u32;
        Header {
            seq: segment.seq,
            ack: segment.ack,
            control: words << 28 | u32::from(segment.flags.0) << 16 | u32::from(segment.window),
            payload_len: segment.payload_len,
        }
    }
}

/// What a segment meant that header prediction has taken. Its payload, all of it, was the next in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Predicted {
    /// Bytes at the start of the send buffer that it acknowledged.
    pub acked: u32,
    /// [`Tcb::poll_at`] may be earlier than before.
    pub arm: bool,
    /// [`Tcb::has_something_to_send`].
    pub sends: bool,
}

/// PSH in [`Header::control`]: it makes no difference.
const PSH: u32 = (Flags::PSH.0 as u32) << 16;

impl<C: Parameters> Tcb<C> {
    /// The control word of a segment that header prediction takes, with the window that the peer announced last; 0 while it
    /// takes none. Everything that is rare makes it 0 at once, so that one comparison finds nothing to be out of the
    /// ordinary: the state, recovery, timeouts, gaps on either side, a closed window.
    pub(crate) fn prediction(&self) -> u32 {
        let window = self.snd_wnd >> self.snd_shift();
        let ordinary = self.state == State::Established
            && self.phase() == Phase::Open
            && (self.flight() > 0) == (self.timer == Timer::Retransmit)
            && self.timer != Timer::Persist
            && self.gaps().is_empty()
            && self.dup_acks | self.retransmits | self.backoff == 0
            && !self.has(flag::RECOVER)
            && self.snd_wl1.le(self.rcv_nxt)
            && (1..=0xFFFF).contains(&window)
            && window << self.snd_shift() == self.snd_wnd;
        if !ordinary {
            return 0;
        }
        let words = if self.has(flag::TIMESTAMPS) { 8 } else { 5 };
        words << 28 | u32::from(Flags::ACK.0) << 16 | window
    }

    /// Brings what is kept for header prediction up to date. Every call that changes a TCB otherwise ends with it.
    pub(crate) fn settle(&mut self) {
        self.parameters.give_room_back();
        self.expected = self.prediction();
        self.rto = self.rto_us();
    }

    /// Whether a segment that is the next in order is as common as can be: it has text or an acknowledgement and not both, its
    /// window is that of the one before, PSH is not set, and congestion control does not look at the clock.
    #[inline(always)]
    pub fn is_common(&self, header: &Header) -> bool {
        header.control == self.expected
            && !self.grows_by_clock()
            && (header.payload_len == 0 || header.ack == self.snd_una)
    }

    /// Takes a segment of the predicted kind. `None`: it is of another kind, nothing was changed, and
    /// [`Tcb::segment_arrives`] takes it.
    ///
    /// `timestamp` gives TSval when the options are timestamps alone; it is asked when the connection has them and the
    /// header is as long as with them. `clock` is asked when the time is needed, which is cheaper than to keep it at hand.
    /// `common` may be true where [`Tcb::is_common`] is; as a constant it spares the code for the others.
    #[inline(always)]
    pub fn predict(
        &mut self,
        clock: impl Fn() -> Instant,
        common: bool,
        header: &Header,
        timestamp: impl FnOnce() -> Option<u32>,
    ) -> Option<Predicted> {
        if header.seq != self.rcv_nxt {
            return None;
        }
        let news = if common { 0 } else { (header.control ^ self.expected) & !PSH };
        if news != 0 && (news > 0xFFFF || header.control & 0xFFFF == 0) {
            return None;
        }
        let len = u32::from(header.payload_len);
        let acked = if common && len > 0 { 0 } else { header.ack.since(self.snd_una) };
        let flight = self.flight();
        // Neither news nor text: a duplicate, or a change of the window.
        if acked > flight || acked + len == 0 {
            return None;
        }
        // Text within the buffer and within what was announced, which is never more than a window can say.
        if len > 0 && (len > self.rcv_space || ((self.rcv_adv.since(self.rcv_nxt) as i32) < len as i32)) {
            return None;
        }
        if self.has(flag::TIMESTAMPS) {
            let value = timestamp()?;
            if (value.wrapping_sub(self.ts_recent) as i32) < 0 {
                return None;
            }
            if header.seq.le(self.last_ack_sent) {
                self.ts_recent = value;
            }
        }

        self.snd_wl1 = header.seq;
        let mut arm = false;
        if acked > 0 {
            arm = self.predict_ack(&clock, header.ack, acked, flight, common);
        }
        if news != 0 {
            // The peer announces another window, which is not closed. After the acknowledgement, for which the old one counts.
            self.expected ^= news;
            self.snd_wnd = (self.expected & 0xFFFF) << self.snd_shift();
            self.max_snd_units = self.max_snd_units.max(self.expected as u16);
        }
        if len > 0 {
            let delayed = self.has(flag::ACK_DELAYED);
            self.rcv_space -= len;
            self.rcv_nxt += len;
            self.owe_ack(&clock, false);
            arm |= !delayed && self.has(flag::ACK_DELAYED);
            if self.timer == Timer::KeepAlive {
                self.start_timer(clock(), Timer::KeepAlive, self.config().keepalive_us);
            }
        }
        // Of what could be ordered, a reset belongs to another state.
        const ORDERS: u16 = flag::ACK_NOW | flag::RTX_NOW | flag::PROBE_NOW | flag::FIN_QUEUED;
        Some(Predicted { acked, arm, sends: self.flags & ORDERS != 0 || self.send_len > flight - acked })
    }

    /// `acked` of `flight` numbers were acknowledged, the last before `ack`. True: the timer is earlier than before.
    #[inline(always)]
    fn predict_ack(
        &mut self,
        clock: &impl Fn() -> Instant,
        ack: SeqNumber,
        acked: u32,
        flight: u32,
        common: bool,
    ) -> bool {
        self.snd_una = ack;
        self.send_len -= acked;
        if self.rtx_nxt.lt(ack) {
            self.rtx_nxt = ack;
        }
        if self.has(flag::RTT_RUNNING) && self.rtt_seq.le(ack) {
            cold_path();
            self.flags &= !flag::RTT_RUNNING;
            self.rtt_sample(clock().since(self.rtt_start));
            self.rto = self.rto_us();
        }
        let unsent = self.send_len - (flight - acked);
        self.grow(clock, acked, flight, unsent, !common && self.grows_by_clock());
        if acked == flight {
            cold_path();
            // Nothing is in flight any more (RFC 6298 Section 5.2).
            self.timer = Timer::Off;
            self.flags &= !flag::RTX_NOW;
            let probes = self.config().keepalive_us > 0;
            if probes {
                self.start_timer(clock(), Timer::KeepAlive, self.config().keepalive_us);
            }
            return probes;
        }
        // RFC 6298 Section 5.3.
        let before = self.timer_at;
        self.timer_at = clock() + self.rto;
        !self.timer_at.reached(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Options, SegmentIn};

    /// ACK, timestamps, a window of 9000.
    const CONTROL: u32 = 8 << 28 | 16 << 16 | 9000;

    fn control(flags: Flags) -> u32 {
        8 << 28 | u32::from(flags.0) << 16 | 9000
    }

    /// An established connection with 3000 bytes in flight, and the peer's next header.
    fn established() -> (Tcb, Header) {
        let config = Config { timestamps: true, nagle: false, ..Config::default() };
        let options = Options { mss: Some(1000), timestamps: Some((7, 0)), ..Options::NONE };
        let syn = SegmentIn {
            seq: SeqNumber(99),
            flags: Flags::SYN,
            window: 9000,
            options,
            ..SegmentIn::default()
        };
        let mut tcb = Tcb::accept(config, &syn, SeqNumber(999), 50_000, Instant(0));
        tcb.poll_transmit(Instant(0), |_| 0).expect("a SYN-ACK");
        let ack = SegmentIn {
            seq: SeqNumber(100),
            ack: SeqNumber(1000),
            flags: Flags::ACK,
            window: 9000,
            options: Options { timestamps: Some((8, 0)), ..Options::NONE },
            ..SegmentIn::default()
        };
        assert!(tcb.segment_arrives(Instant(1000), &ack).established);
        tcb.send_enqueued(3000);
        while tcb.poll_transmit(Instant(2000), |_| u32::MAX).is_some() {}
        assert_eq!(tcb.in_flight(), 3000);
        (tcb, Header { seq: ack.seq, ack: ack.ack, control: CONTROL, payload_len: 0 })
    }

    #[test]
    fn acknowledgements_and_text_in_order_are_predicted() {
        let (mut tcb, header) = established();
        let now = Instant(3000);
        let mut predict = |header: &Header| {
            tcb.predict(|| now, tcb.is_common(header), header, || Some(9)).map(|p| (p.acked, p.sends))
        };
        assert_eq!(predict(&Header { ack: SeqNumber(1988), ..header }), Some((988, false)));
        let text = Header { ack: SeqNumber(1988), payload_len: 500, ..header };
        assert_eq!(predict(&text), Some((0, false)));
        let both = Header { seq: SeqNumber(600), ack: SeqNumber(4000), payload_len: 1, ..header };
        // The window changes with it.
        let control = control(Flags::ACK | Flags::PSH) - 1;
        assert_eq!(predict(&Header { control, ..both }), Some((2012, false)));
        assert_eq!((tcb.in_flight(), tcb.rcv_nxt().0, tcb.snd_wnd()), (0, 601, 8999));
        assert!(tcb.consistent());
    }

    #[test]
    fn anything_else_changes_nothing() {
        let (tcb, header) = established();
        let acks = Header { ack: SeqNumber(2000), ..header };
        let text = Header { payload_len: 500, ..header };
        let others = [
            // A duplicate acknowledgement, and one of what was never sent.
            header,
            Header { ack: SeqNumber(4001), ..header },
            Header { ack: SeqNumber(999), ..header },
            // Text that is old, or beyond a gap, or does not fit.
            Header { seq: SeqNumber(99), ..text },
            Header { seq: SeqNumber(101), ..text },
            Header { payload_len: 50_001, ..header },
            Header { control: control(Flags::ACK | Flags::FIN), ..acks },
            Header { control: control(Flags::ACK | Flags::RST), ..acks },
            Header { control: control(Flags::ACK | Flags::SYN), ..acks },
            Header { control: control(Flags::PSH), ..acks },
            // A closed window; no options, and others.
            Header { control: CONTROL - 9000, ..acks },
            Header { control: CONTROL - (3 << 28), ..acks },
            Header { control: CONTROL + (3 << 28), ..acks },
        ];
        let cases = others.map(|other| (other, Some(9))).into_iter();
        // Timestamps that are none, and one of the past.
        for (other, value) in cases.chain([(acks, None), (acks, Some(6))]) {
            let mut same = tcb.clone();
            assert_eq!(
                same.predict(|| Instant(3000), tcb.is_common(&other), &other, || value),
                None,
                "{other:?}"
            );
            assert_eq!(same, tcb, "{other:?}");
        }
    }
}

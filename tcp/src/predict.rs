//! Header prediction: the segments that make up nearly all of a bulk transfer, in a few dozen instructions.
//!
//! In a transfer without loss, a segment is the next in order, or acknowledges what is outstanding, or both, and carries
//! no flag but ACK and PSH and no option but timestamps (Van Jacobson's observation; RFC 7323 Section 5.3 keeps the
//! order of its tests). [`Tcb::predict`] recognises such a segment and does with it just what the full processing
//! of `arrives.rs` would; every other one it leaves untouched. The two are held against each other at every segment of
//! every run that has debug assertions.

use crate::{
    segment::Flags,
    tcb::{flag, Phase, State, Tcb, Timer},
    Instant, SeqNumber,
};

/// What header prediction looks at. All other fields of the segment must be absent, SACK blocks among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub seq: SeqNumber,
    pub ack: SeqNumber,
    pub flags: Flags,
    /// As in the header, not scaled.
    pub window: u16,
    /// TSval and TSecr.
    pub timestamps: Option<(u32, u32)>,
    /// Bytes of payload.
    pub payload_len: u16,
}

impl Tcb {
    /// Takes a segment of the common kind. Returns the bytes at the start of the send buffer that it acknowledged;
    /// its payload, all of it, is the next in order. `None`: it is of another kind, nothing was changed, and
    /// [`Tcb::segment_arrives`] takes it.
    #[inline]
    pub fn predict(&mut self, now: Instant, header: &Header) -> Option<u32> {
        let flags = Flags(header.flags.0 & !Flags::PSH.0);
        if flags != Flags::ACK
            || header.seq != self.rcv_nxt
            || self.state != State::Established
            || self.phase != Phase::Open
            || self.timer == Timer::Persist
            || header.window == 0
            || !self.received.is_empty()
            || !self.sacked.is_empty()
        {
            return None;
        }
        let (flight, acked) = (self.flight(), header.ack.since(self.snd_una));
        let len = u32::from(header.payload_len);
        // Neither news nor text: a duplicate, or a change of the window.
        if acked > flight || acked + len == 0 {
            return None;
        }
        if len > 0 && (len > self.rcv_window() || self.rcv_adv.le(self.rcv_nxt)) {
            return None;
        }
        let echo = match (header.timestamps, self.has(flag::TIMESTAMPS)) {
            (Some((value, echo)), true) => {
                if (value.wrapping_sub(self.ts_recent) as i32) < 0 {
                    return None;
                }
                if header.seq.le(self.last_ack_sent) {
                    self.ts_recent = value;
                }
                Some(echo)
            }
            (_, false) => None,
            (None, true) => return None,
        };

        self.tick(now);
        if acked > 0 {
            self.send_len -= acked;
            self.advance(now, header.ack, flight, echo);
        }
        if header.seq.ge(self.snd_wl1) {
            self.snd_wl1 = header.seq;
            self.snd_wnd = u32::from(header.window) << self.snd_shift;
            self.max_snd_wnd = self.max_snd_wnd.max(self.snd_wnd);
        }
        if len > 0 {
            self.rcv_space -= len;
            self.rcv_nxt += len;
            self.owe_ack(now, false);
        }
        if self.timer == Timer::KeepAlive {
            self.keep_alive(now);
        }
        Some(acked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Options, SegmentIn};

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
        let header = Header {
            seq: ack.seq,
            ack: ack.ack,
            flags: Flags::ACK,
            window: 9000,
            timestamps: Some((9, 0)),
            payload_len: 0,
        };
        (tcb, header)
    }

    #[test]
    fn acknowledgements_and_text_in_order_are_predicted() {
        let (mut tcb, header) = established();
        let now = Instant(3000);
        assert_eq!(tcb.predict(now, &Header { ack: SeqNumber(1988), ..header }), Some(988));
        let text = Header { ack: SeqNumber(1988), payload_len: 500, ..header };
        assert_eq!(tcb.predict(now, &text), Some(0));
        let both = Header { seq: SeqNumber(600), ack: SeqNumber(4000), payload_len: 1, ..header };
        assert_eq!(tcb.predict(now, &Header { flags: Flags::ACK | Flags::PSH, ..both }), Some(2012));
        assert_eq!((tcb.in_flight(), tcb.rcv_nxt().0), (0, 601));
    }

    #[test]
    fn anything_else_changes_nothing() {
        let (tcb, header) = established();
        let acks = Header { ack: SeqNumber(2000), ..header };
        let text = Header { payload_len: 500, ..header };
        for other in [
            // A duplicate acknowledgement, and one of what was never sent.
            header,
            Header { ack: SeqNumber(4001), ..header },
            Header { ack: SeqNumber(999), ..header },
            // Text that is old, or beyond a gap, or does not fit.
            Header { seq: SeqNumber(99), ..text },
            Header { seq: SeqNumber(101), ..text },
            Header { payload_len: 50_001, ..header },
            Header { flags: Flags::ACK | Flags::FIN, ..acks },
            Header { flags: Flags::ACK | Flags::RST, ..acks },
            Header { flags: Flags::ACK | Flags::SYN, ..acks },
            Header { flags: Flags::PSH, ..acks },
            Header { window: 0, ..acks },
            Header { timestamps: None, ..acks },
            Header { timestamps: Some((6, 0)), ..acks },
        ] {
            let mut same = tcb.clone();
            assert_eq!(same.predict(Instant(3000), &other), None, "{other:?}");
            assert_eq!(same, tcb, "{other:?}");
        }
    }
}

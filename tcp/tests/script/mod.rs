//! Packet scripts: one engine, and a peer that is the test itself.
//!
//! The engine's first number is 1000, the peer's 5000; segments are written relative to the first byte of data,
//! so that byte 0 of either stream is number 0.
#![allow(dead_code)]

use baton_tcp::{
    Arrival, Config, Flags, Instant, Options, Range, SegmentIn, SegmentOut, SeqNumber, Tcb, TimerOutcome,
};

pub const ISS: SeqNumber = SeqNumber(1000);
pub const IRS: SeqNumber = SeqNumber(5000);
pub const MSS: u16 = 1000;

/// Plain TCP: no options but the segment size.
pub fn plain() -> Config {
    Config {
        mss: MSS,
        window_shift: 0,
        sack: false,
        timestamps: false,
        nagle: false,
        initial_window: 10,
        ..Config::default()
    }
}

pub fn with_sack() -> Config {
    Config { sack: true, ..plain() }
}

pub struct Script {
    pub tcb: Tcb,
    pub now: Instant,
    pub window: u16,
    pub options: Options,
}

impl Script {
    /// An established connection that the peer opened, with `space` bytes of receive buffer.
    pub fn established(config: Config, space: u32) -> Self {
        let options = Options {
            mss: Some(MSS),
            sack_permitted: config.sack,
            timestamps: config.timestamps.then_some((1, 0)),
            ..Options::NONE
        };
        let syn = SegmentIn { seq: IRS, flags: Flags::SYN, window: 60000, options, ..SegmentIn::default() };
        let now = Instant(0xFFFF_F000);
        let tcb = Tcb::accept(config, &syn, ISS, space, now);
        let options = Options { timestamps: options.timestamps, ..Options::NONE };
        let mut script = Script { tcb, now, window: 60000, options };
        let syn_ack = script.sent().expect("a SYN-ACK");
        assert_eq!((syn_ack.flags, syn_ack.seq, syn_ack.ack), (Flags::SYN | Flags::ACK, ISS, IRS + 1));
        script.wait(10_000);
        assert!(script.ack(0, 0).established);
        script.quiet();
        script
    }

    /// A segment of the peer: `seq` in its stream, `ack` in ours.
    pub fn recv(&mut self, flags: Flags, seq: i32, len: u16, ack: i32) -> Arrival {
        let segment = SegmentIn {
            seq: IRS + 1 + seq as u32,
            ack: ISS + 1 + ack as u32,
            flags,
            window: self.window,
            options: self.options,
            payload_len: len,
            ecn: 0,
        };
        self.tcb.segment_arrives(self.now, &segment)
    }

    pub fn ack(&mut self, seq: i32, ack: i32) -> Arrival {
        self.recv(Flags::ACK, seq, 0, ack)
    }

    pub fn data(&mut self, seq: i32, len: u16, ack: i32) -> Arrival {
        self.recv(Flags::ACK, seq, len, ack)
    }

    /// An acknowledgement with SACK blocks.
    pub fn sack(&mut self, ack: i32, blocks: &[(u32, u32)]) -> Arrival {
        let saved = self.options;
        for (slot, (start, end)) in self.options.sack.iter_mut().zip(blocks) {
            *slot = Range { start: ISS + 1 + *start, end: ISS + 1 + *end };
        }
        self.options.sack_count = blocks.len() as u8;
        let arrival = self.ack(0, ack);
        self.options = saved;
        arrival
    }

    /// The next segment of the engine.
    pub fn sent(&mut self) -> Option<SegmentOut> {
        self.tcb.poll_transmit(self.now, |_| u32::MAX)
    }

    /// The next segments as (first byte, length), all of them with data.
    pub fn sent_data(&mut self) -> Vec<(u32, u16)> {
        let mut list = Vec::new();
        while let Some(out) = self.sent() {
            assert!(out.data_len > 0, "{out:?}");
            list.push((out.seq.since(ISS + 1), out.data_len));
        }
        list
    }

    /// The next segments, at most `most` of them, as [`Script::sent_data`].
    pub fn send_upto(&mut self, most: usize) -> Vec<(u32, u16)> {
        let sent = std::iter::from_fn(|| self.sent()).take(most);
        sent.map(|out| (out.seq.since(ISS + 1), out.data_len)).collect()
    }

    /// The engine sends a segment that its interface has no room for.
    #[track_caller]
    pub fn refuse(&mut self) {
        let burst = self.tcb.poll_burst(self.now, 1, |_| u32::MAX).expect("a segment");
        self.tcb.refused(self.now, &burst);
    }

    /// The one segment that is sent, an acknowledgement of the peer's stream up to a byte.
    #[track_caller]
    pub fn sent_ack(&mut self) -> (u32, SegmentOut) {
        let out = self.sent().expect("an acknowledgement");
        assert_eq!((out.flags, out.data_len), (Flags::ACK, 0));
        self.quiet();
        (out.ack.since(IRS + 1), out)
    }

    #[track_caller]
    pub fn quiet(&mut self) {
        assert_eq!(self.sent(), None);
    }

    pub fn send(&mut self, len: u32) {
        assert_eq!(self.tcb.send_enqueued(len), len);
    }

    pub fn wait(&mut self, us: u32) {
        self.now = self.now + us;
    }

    /// Waits for the next timer; how long, and what it meant.
    pub fn timer(&mut self) -> (u32, TimerOutcome) {
        let at = self.tcb.poll_at().expect("a timer");
        let us = at.remaining(self.now);
        self.wait(us);
        (us, self.tcb.on_timer(self.now))
    }
}

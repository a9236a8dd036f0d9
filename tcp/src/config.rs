//! What a user of the engine may choose.

/// How the congestion window falls and grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum CongestionAlgorithm {
    /// RFC 5681 and RFC 6582.
    #[default]
    NewReno = 0,
    /// RFC 9438.
    Cubic = 1,
}

/// Parameters of a connection. Each side of a handoff brings its own timing values; what the
/// handshake agreed on travels in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Largest segment to announce and to send, in bytes without options. 64 to 9000.
    pub mss: u16,
    /// Scale of the windows that this side announces, 0 to 14 (RFC 7323 Section 2.3).
    pub window_shift: u8,
    /// Initial congestion window in segments (RFC 6928: 10).
    pub initial_window: u8,
    /// Timeouts in a row after which the connection is given up (RFC 9293 Section 3.8.3, R2).
    pub max_retransmits: u8,
    /// Hold back small segments while data is in flight (RFC 9293 Section 3.7.4).
    pub nagle: bool,
    /// Congestion control of connections that this side opens; one that is handed over keeps its own.
    pub congestion: CongestionAlgorithm,
    /// Offer selective acknowledgement (RFC 2018).
    pub sack: bool,
    /// Offer timestamps (RFC 7323).
    pub timestamps: bool,
    /// Least retransmission timeout; RFC 6298 Section 2.4 says one second.
    pub min_rto_us: u32,
    /// Largest retransmission timeout, at least 60 seconds by RFC 6298 Section 2.5.
    pub max_rto_us: u32,
    /// How long an acknowledgement may wait for company, below 500 ms (RFC 9293 Section 3.8.6.3).
    pub delayed_ack_us: u32,
    /// Stay in TIME-WAIT: twice the maximum segment lifetime (RFC 9293 Section 3.4.2).
    pub time_wait_us: u32,
    /// Idle time before a keep-alive probe; 0 sends none, the default (RFC 9293 Section 3.8.4).
    pub keepalive_us: u32,
    /// How long a peer that has acknowledged our FIN may be silent before the connection is given up; 0 waits for ever,
    /// as RFC 9293 Section 3.6 has it. Whoever has few places for connections sets it.
    pub fin_wait_2_us: u32,
    /// Least time between two challenge acknowledgements (RFC 5961 Section 7).
    pub challenge_us: u32,
}

impl Default for Config {
    /// The values of the RFCs. DEVIATION: `time_wait_us` is one minute, as in common systems, and not four.
    fn default() -> Self {
        Config {
            mss: 1460,
            window_shift: 7,
            initial_window: 10,
            max_retransmits: 12,
            nagle: true,
            congestion: CongestionAlgorithm::NewReno,
            sack: true,
            timestamps: true,
            min_rto_us: 1_000_000,
            max_rto_us: 60_000_000,
            delayed_ack_us: 40_000,
            time_wait_us: 60_000_000,
            keepalive_us: 0,
            fin_wait_2_us: 0,
            challenge_us: 500_000,
        }
    }
}

impl Config {
    /// Largest delay of an acknowledgement; RFC 9293 Section 3.8.6.3 asks for less than half a second.
    pub const DELAYED_ACK_MAX_US: u32 = 499_999;
    /// Least segment size that the engine works with. A peer that announces less gets this.
    pub const MSS_MIN: u16 = 64;
    /// Largest segment size.
    pub const MSS_MAX: u16 = 9000;
    /// Longest of the configured durations: 30 minutes.
    pub const DURATION_MAX_US: u32 = 1_800_000_000;

    /// The nearest parameters within their ranges. Every constructor of a TCB applies this.
    #[must_use]
    pub fn clamped(mut self) -> Self {
        self.mss = self.mss.clamp(Self::MSS_MIN, Self::MSS_MAX);
        self.window_shift = self.window_shift.min(14);
        self.initial_window = self.initial_window.max(1);
        self.max_retransmits = self.max_retransmits.clamp(1, 100);
        self.max_rto_us = self.max_rto_us.clamp(1000, Self::DURATION_MAX_US);
        self.min_rto_us = self.min_rto_us.clamp(1000, self.max_rto_us);
        self.delayed_ack_us = self.delayed_ack_us.min(Self::DELAYED_ACK_MAX_US);
        self.time_wait_us = self.time_wait_us.min(Self::DURATION_MAX_US);
        self.keepalive_us = self.keepalive_us.min(Self::DURATION_MAX_US);
        self.fin_wait_2_us = self.fin_wait_2_us.min(Self::DURATION_MAX_US);
        self.challenge_us = self.challenge_us.min(Self::DURATION_MAX_US);
        self
    }
}

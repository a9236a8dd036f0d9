//! A script as data.

use baton_tcp::{Config, Flags, State};

/// What a script runs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    /// The TCP engine alone; time is exact.
    Engine,
    /// The engine, handed over to another one with another clock after every step.
    Moving,
    /// The host's driver and stack, on a NIC without firmware.
    Host,
    /// The host and the firmware's library, on devices without timing, with the connection handed off.
    Firmware,
    /// The whole co-simulated NIC, with the connection handed off.
    Nic,
}

impl Setting {
    pub const ALL: [Setting; 5] =
        [Setting::Engine, Setting::Moving, Setting::Host, Setting::Firmware, Setting::Nic];

    /// Whether connections are handed off to a NIC.
    pub fn hands_off(self) -> bool {
        matches!(self, Setting::Firmware | Setting::Nic)
    }

    pub fn name(self) -> &'static str {
        match self {
            Setting::Engine => "engine",
            Setting::Moving => "moving",
            Setting::Host => "host",
            Setting::Firmware => "firmware",
            Setting::Nic => "nic",
        }
    }

    /// How far from its stated time something may happen, either way, unless the script says otherwise.
    pub fn tolerance_us(self) -> u64 {
        match self {
            Setting::Engine | Setting::Moving => 0,
            // Rings and interrupts, over devices that rest.
            Setting::Host => 1_000,
            // 744 for those, and a tick of the firmware's timers.
            Setting::Firmware => 744 + 1_024,
            // A core of a few megahertz takes a millisecond or two for a segment.
            Setting::Nic => 20_000,
        }
    }
}

/// A parsed file.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Path below the folder of scripts.
    pub name: String,
    pub text: String,
    pub config: ScriptConfig,
    /// Where it runs, if not everywhere, and why.
    pub only: Option<(Vec<Setting>, String)>,
    /// Tolerances in microseconds that differ from a setting's own, and why.
    pub tolerances: Vec<(Setting, u64, String)>,
    pub steps: Vec<Step>,
}

impl Script {
    pub fn runs_in(&self, setting: Setting) -> bool {
        self.only.as_ref().is_none_or(|(settings, _)| settings.contains(&setting))
    }

    pub fn tolerance_us(&self, setting: Setting) -> u64 {
        let own = self.tolerances.iter().find(|(s, ..)| *s == setting);
        own.map_or(setting.tolerance_us(), |(_, us, _)| *us)
    }

    /// Whether it says itself when the connection changes hands.
    pub fn marks_handoff(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::Handoff | Action::Offer))
    }
}

/// How the endpoint is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptConfig {
    pub tcp: Config,
    /// Bytes of receive buffer, a multiple of 64 of at least 1024.
    pub receive_bytes: u32,
}

impl Default for ScriptConfig {
    /// Plain TCP: no option but the segment size, no Nagle.
    fn default() -> Self {
        let tcp = Config {
            mss: 1000,
            window_shift: 0,
            nagle: false,
            sack: false,
            timestamps: false,
            ..Config::default()
        };
        ScriptConfig { tcp, receive_bytes: 16_384 }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Counted from 1.
    pub line: usize,
    /// Time since the step before was done.
    pub after_us: u64,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The peer sends.
    Inject(SegmentSpec),
    /// The endpoint sends.
    Expect(SegmentSpec),
    Call(Call),
    /// The endpoint's user hears of this.
    Event(crate::Event),
    /// The connection is in this state, where that can be seen.
    State(State),
    /// The endpoint sends nothing for so long.
    Quiet {
        us: u64,
    },
    /// The three-way handshake, with the peer's options and window.
    Open(Open),
    /// The connection goes to the NIC, or to another engine.
    Handoff,
    /// The connection comes back.
    Restore,
    /// The handoff begins; the next step does not wait for its outcome.
    Offer,
    /// The connection is asked for; the next step does not wait for it.
    Recall,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Listen,
    Connect,
    /// The application writes so many bytes.
    Send(u32),
    /// The application reads so many bytes, which must be there.
    Recv(u32),
    /// No more will be sent.
    Shutdown,
    /// No more will be sent, and what comes is read and thrown away.
    Close,
    Abort,
    Nagle(bool),
    /// A router says that segments of `mss` bytes pass, about the one at this number of the endpoint's stream.
    LowerMss {
        mss: u16,
        quoted: i64,
    },
}

/// A handshake: who opens, and what the peer offers.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    pub passive: bool,
    pub window: u16,
    pub rtt_us: u64,
    pub options: OptionSpec,
}

/// A segment, or a train of them, in numbers relative to the streams: SYN is number 0, the first byte number 1.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentSpec {
    pub flags: Flags,
    pub start: i64,
    /// One past the last byte.
    pub end: i64,
    /// Bytes of each segment of a train.
    pub each: Option<u32>,
    pub ack: Option<i64>,
    /// As in the header.
    pub window: Option<u16>,
    /// `None`: what the connection agreed on (injected), anything (expected).
    pub options: Option<OptionSpec>,
}

/// A value that may be left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Is(u32),
    /// Anything; what is usual when injected.
    Any,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptionSpec {
    pub mss: Option<u16>,
    pub window_scale: Option<u8>,
    pub sack_permitted: bool,
    pub timestamps: Option<(Value, Value)>,
    pub no_timestamps: bool,
    /// Blocks of the stream that the segment acknowledges.
    pub sack: Vec<(i64, i64)>,
    /// Others may be there, too.
    pub more: bool,
}

//! Segments as a script writes them, and what a failed script says.

use std::fmt::Write;

use baton_tcp::{Flags, SeqNumber};

use crate::{Segment, Setting};

/// Numbers of both streams in front of which the script counts.
#[derive(Clone, Copy, Debug)]
pub struct Bases {
    /// The endpoint's first number, once it is known.
    pub endpoint: Option<SeqNumber>,
    pub peer: SeqNumber,
}

/// A number relative to a stream's first; small negative ones stay negative.
fn relative(number: SeqNumber, base: SeqNumber) -> i64 {
    i64::from(number.0.wrapping_sub(base.0) as i32)
}

/// Flags as a script writes them.
pub fn flag_letters(flags: Flags) -> String {
    let letters = [
        (Flags::SYN, 'S'),
        (Flags::FIN, 'F'),
        (Flags::RST, 'R'),
        (Flags::PSH, 'P'),
        (Flags::ACK, '.'),
        (Flags::URG, 'U'),
    ];
    letters.into_iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, letter)| letter).collect()
}

/// `segment` in the words of the language. `own` is the stream it belongs to.
pub fn describe(segment: &Segment, own: SeqNumber, other: SeqNumber) -> String {
    let mut out = flag_letters(segment.flags);
    let start = relative(segment.seq, own);
    let _ = write!(out, " {start}");
    if !segment.payload.is_empty() {
        let _ = write!(out, ":{}", start + segment.payload.len() as i64);
    }
    if segment.flags.has(Flags::ACK) {
        let _ = write!(out, " ack {}", relative(segment.ack, other));
    }
    let _ = write!(out, " win {}", segment.window);
    let options = &segment.options;
    let mut list = Vec::new();
    list.extend(options.mss.map(|mss| format!("mss {mss}")));
    list.extend(options.window_scale.map(|shift| format!("ws {shift}")));
    list.extend(options.sack_permitted.then(|| "sackok".to_string()));
    list.extend(options.timestamps.map(|(value, echo)| format!("ts {value} {echo}")));
    if options.sack_count > 0 {
        let blocks = options.sack_blocks().iter();
        let blocks: Vec<String> =
            blocks.map(|b| format!("{}:{}", relative(b.start, other), relative(b.end, other))).collect();
        list.push(format!("sack {}", blocks.join(" ")));
    }
    if !list.is_empty() {
        let _ = write!(out, " [{}]", list.join(", "));
    }
    out
}

/// The command that runs one script in one setting again.
pub fn replay(name: &str, setting: Setting) -> String {
    let package = match setting {
        Setting::Engine | Setting::Moving => "cargo test -p baton-script --test scripts",
        Setting::Host | Setting::Firmware => "cargo test -p baton-tests --test scripts",
        Setting::Nic => "cargo xtask test -- --test scripts",
    };
    format!("BATON_SCRIPT={name} BATON_SETTING={} {package}", setting.name())
}

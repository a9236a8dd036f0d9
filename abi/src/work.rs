//! Kinds of the firmware's work, for profiles.
//!
//! The firmware's executable holds a section [`SECTION`] of pairs of words: the address of an instruction, and the kind of
//! work that begins with it or is recognised there. What was done since [`LOOK`], and was not marked in between,
//! belongs to the next mark. The section is not loaded, and marks take no instructions.

/// Name of the section.
pub const SECTION: &str = ".baton.marks";

/// A look for work begins.
pub const LOOK: u32 = 0;
/// An acknowledgement that header prediction takes.
pub const RECEIVE_ACK: u32 = 1;
/// A segment with payload that header prediction takes.
pub const RECEIVE_TEXT: u32 = 2;
/// A segment that takes the full processing.
pub const RECEIVE_IN_FULL: u32 = 3;
/// A packet of the host.
pub const HOST_PACKET: u32 = 4;
/// A command.
pub const COMMAND: u32 = 5;
/// A burst of segments.
pub const TRANSMIT: u32 = 6;
/// A segment without payload.
pub const TRANSMIT_ACK: u32 = 7;
/// Events.
pub const REPORT: u32 = 8;
/// Timers.
pub const TIMER: u32 = 9;
/// Names, by number.
pub const NAMES: [&str; 10] = [
    "look for work",
    "receive an acknowledgement",
    "receive text",
    "receive in full",
    "move a host packet",
    "command",
    "transmit a burst",
    "transmit an acknowledgement",
    "report",
    "timers",
];

//! Kinds of the firmware's work, for profiles, and how often its loops turn, for the longest path through it.
//!
//! The firmware's executable holds a section [`SECTION`] of pairs of words: the address of an instruction, and the kind of
//! work that begins with it or is recognised there. What was done since [`LOOK`], and was not marked in between,
//! belongs to the next mark. The section is not loaded, and marks take no instructions.

/// Name of the section.
pub const SECTION: &str = ".baton.marks";
/// Name of the section with what [`Turns`] says: the address of an instruction that each turn of a loop passes, the most turns
/// each time that the loop is entered, and the line of the source, a word each.
pub const TURNS_SECTION: &str = ".baton.turns";

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

/// How often a loop turns at most; [`at_most!`](crate::at_most) makes one in front of it, and each turn calls [`Turns::take`].
///
/// With debug assertions the turns are counted. The softcore's executable notes the place, at no cost but that the loop keeps its
/// shape, and `baton bench` reads from there what the longest path through the code is.
#[derive(Debug)]
pub struct Turns<const MOST: u32, const LINE: u32> {
    #[cfg(debug_assertions)]
    left: core::cell::Cell<u32>,
}

impl<const MOST: u32, const LINE: u32> Turns<MOST, LINE> {
    #[inline(always)]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Turns {
            #[cfg(debug_assertions)]
            left: core::cell::Cell::new(MOST),
        }
    }

    /// A turn begins.
    ///
    /// # Panics
    /// With debug assertions, when it is one too many.
    #[inline(always)]
    pub fn take(&self) {
        #[cfg(debug_assertions)]
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => panic!("the loop at line {LINE} turns more than {MOST} times"),
        }
        #[cfg(target_arch = "riscv32")]
        note_turn::<MOST, LINE>();
    }
}

#[cfg(target_arch = "riscv32")]
#[inline(always)]
#[allow(unsafe_code)]
fn note_turn<const MOST: u32, const LINE: u32>() {
    // SAFETY: no instruction comes of it.
    unsafe {
        core::arch::asm!(
            "2:",
            ".pushsection .baton.turns, \"\", @progbits",
            ".word 2b",
            ".word {most}",
            ".word {line}",
            ".popsection",
            most = const MOST,
            line = const LINE,
            options(nomem, nostack, preserves_flags)
        )
    }
}

/// Says how often the loop that follows turns at most; see [`work::Turns`](crate::work::Turns).
#[macro_export]
macro_rules! at_most {
    ($most:expr) => {
        $crate::work::Turns::<{ $most as u32 }, { line!() }>::new()
    };
}

#[cfg(all(test, debug_assertions))]
mod tests {
    #[test]
    fn as_many_turns_as_there_may_be() {
        let turns = crate::at_most!(3);
        (0..3).for_each(|_| turns.take());
    }

    #[test]
    #[should_panic(expected = "turns more than 3 times")]
    fn a_turn_too_many_is_noticed() {
        let turns = crate::at_most!(3);
        (0..4).for_each(|_| turns.take());
    }
}

//! Where the ranges of a TCB lie: those that arrived beyond a gap, and those that the peer has beyond one.
//!
//! Nearly all connections have neither nearly all the time. A TCB of its own has room for them in itself ([`Own`]). Those that many
//! connections share lie in a few places ([`Room`]) that go round among them: a connection without a gap points to the one place that
//! is always empty, and takes another when it has something to keep. Where none is left, nothing is kept: text beyond the gap is
//! dropped, for the peer to send again (RFC 2018 Section 8 lets a receiver do so even with what it has reported), and its SACK blocks
//! are not noted, as if it gave none.

use baton_abi::handoff::{RECEIVED_RANGES, SACKED_RANGES};
use core::{cell::Cell, fmt, mem::MaybeUninit, ptr};

use crate::{config::Config, ranges::Ranges};

/// The ranges of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// Out-of-order data, which lies in the receive buffer already.
    pub(crate) received: Ranges<RECEIVED_RANGES>,
    /// What the peer selectively acknowledged.
    pub(crate) sacked: Ranges<SACKED_RANGES>,
    /// Which of the received ranges the last segment that came out of order went to; 0 without any.
    pub(crate) recent: Cell<u8>,
}

impl Gaps {
    const fn new() -> Self {
        Gaps { received: Ranges::new(), sacked: Ranges::new(), recent: Cell::new(0) }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.received.is_empty() && self.sacked.is_empty()
    }

    pub(crate) fn clear_received(&self) {
        self.received.clear();
        self.recent.set(0);
    }
}

/// What a [`crate::Tcb`] keeps of its parameters, and of its ranges: all of them, or where those are that it shares with others.
pub trait Parameters: Clone + fmt::Debug + PartialEq {
    /// Whether there are TCBs that open a connection. Without, there are those alone that continue one, and the handshake is not
    /// in their code.
    const OPEN: bool;

    fn config(&self) -> &Config;

    /// The ranges: empty ones where there are none.
    fn gaps(&self) -> &Gaps;

    /// Sees that there is room for ranges. False: none is left, and there are no ranges.
    fn make_room(&mut self) -> bool;

    /// Gives the room back where both lists are empty.
    fn give_room_back(&mut self);
}

/// Parameters and ranges of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    config: Config,
    gaps: Gaps,
}

impl Own {
    /// Brings the parameters into their ranges.
    pub(crate) fn new(config: Config) -> Self {
        Own { config: config.clamped(), gaps: Gaps::new() }
    }
}

impl Parameters for Own {
    const OPEN: bool = true;

    #[inline]
    fn config(&self) -> &Config {
        &self.config
    }

    #[inline]
    fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    #[inline]
    fn make_room(&mut self) -> bool {
        true
    }

    #[inline]
    fn give_room_back(&mut self) {}
}

/// What connections share.
struct Common {
    config: Config,
    /// The first of the rooms that no connection has.
    free: Cell<Option<&'static Room>>,
    /// The room that stays empty.
    none: Cell<Option<&'static Room>>,
}

/// Room for the ranges of one connection.
pub struct Room {
    common: &'static Common,
    /// The next one that no connection has.
    next: Cell<Option<&'static Room>>,
    gaps: Gaps,
}

/// Memory for what connections share, with room for the ranges of `N` of them.
pub struct SharedMemory<const N: usize> {
    common: MaybeUninit<Common>,
    none: MaybeUninit<Room>,
    rooms: [MaybeUninit<Room>; N],
}

impl<const N: usize> SharedMemory<N> {
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        let (common, none) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        SharedMemory { common, none, rooms: [const { MaybeUninit::uninit() }; N] }
    }
}

/// Parameters that many connections share, all of them handed over, and the ranges of one of these. A copy has the same
/// ranges, so it is for a connection that has none.
#[derive(Clone, Copy)]
pub struct SharedConfig(&'static Room);

impl SharedConfig {
    /// Brings the parameters into their ranges, where they stay.
    pub fn new<const N: usize>(config: Config, memory: &'static mut SharedMemory<N>) -> Self {
        let SharedMemory { common, none, rooms } = memory;
        let config = config.clamped();
        let common = &*common.write(Common { config, free: Cell::new(None), none: Cell::new(None) });
        let room = || Room { common, next: Cell::new(None), gaps: Gaps::new() };
        let none = &*none.write(room());
        common.none.set(Some(none));
        for place in rooms {
            SharedConfig(place.write(room())).leave();
        }
        SharedConfig(none)
    }

    /// How many more connections may have ranges.
    pub fn rooms_left(&self) -> usize {
        core::iter::successors(self.0.common.free.get(), |room| room.next.get()).count()
    }

    /// The room is no connection's any more.
    fn leave(self) {
        self.0.next.set(self.0.common.free.replace(Some(self.0)));
    }

    #[inline]
    fn is_none(&self) -> bool {
        self.0.common.none.get().is_none_or(|none| ptr::eq(self.0, none))
    }
}

impl Parameters for SharedConfig {
    const OPEN: bool = false;

    #[inline]
    fn config(&self) -> &Config {
        &self.0.common.config
    }

    #[inline]
    fn gaps(&self) -> &Gaps {
        &self.0.gaps
    }

    fn make_room(&mut self) -> bool {
        if !self.is_none() {
            return true;
        }
        let free = &self.0.common.free;
        let Some(room) = free.get() else { return false };
        free.set(room.next.get());
        self.0 = room;
        true
    }

    #[inline]
    fn give_room_back(&mut self) {
        if let Some(none) = self.0.common.none.get() {
            if !ptr::eq(self.0, none) && self.0.gaps.is_empty() {
                self.leave();
                self.0 = none;
            }
        }
    }
}

impl PartialEq for SharedConfig {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl fmt::Debug for SharedConfig {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("SharedConfig").field(self.config()).field(self.gaps()).finish()
    }
}

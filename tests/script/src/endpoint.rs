//! What a script can run against.

use anyhow::Result;
use baton_tcp::State;

use crate::{ast::Call, Segment, Setting};

/// What the user of a connection hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Established,
    /// The peer sends no more.
    PeerClosed,
    /// Ended in order.
    Closed,
    /// Ended by the peer's reset, or because it did not answer.
    Reset,
    /// Ended by our own abort.
    Aborted,
}

/// Something that came out of an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Segment(Segment),
    Event(Event),
}

/// A TCP endpoint with one connection, its user and a clock.
pub trait Endpoint {
    fn setting(&self) -> Setting;

    /// Its clock, in microseconds; it moves in [`Endpoint::run`] only.
    fn now_us(&self) -> u64;

    /// A segment arrives now.
    ///
    /// # Errors
    /// When the endpoint cannot go on.
    fn inject(&mut self, segment: &Segment) -> Result<()>;

    /// The user does something. `Recv` may be tried again until its bytes are there.
    ///
    /// # Errors
    /// When the call fails. `Recv` must give [`pattern`](crate::pattern)'s bytes.
    fn call(&mut self, call: &Call) -> Result<()>;

    /// Runs until something comes out or the clock reaches `until_us`.
    ///
    /// # Errors
    /// When the endpoint cannot go on.
    fn run(&mut self, until_us: u64) -> Result<Option<Output>>;

    /// Bytes that the user could read now.
    fn readable(&self) -> u32;

    /// State of the connection, where it can be seen.
    fn state(&self) -> Option<State>;

    /// Lets the connection change hands, and waits until it has.
    ///
    /// # Errors
    /// When it does not.
    fn handoff(&mut self) -> Result<()>;

    /// Takes the connection back.
    ///
    /// # Errors
    /// When it does not come.
    fn restore(&mut self) -> Result<()>;

    /// Begins a handoff and does not wait for its outcome.
    ///
    /// # Errors
    /// When it cannot begin.
    fn offer(&mut self) -> Result<()> {
        self.handoff()
    }

    /// Asks for the connection back and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be asked for.
    fn recall(&mut self) -> Result<()> {
        self.restore()
    }
}

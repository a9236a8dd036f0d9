//! What the firmware knows of the NIC's P4 program: how connections are entered into its table.
//!
//! The code is made by the build script, of the description of a program's control plane (`docs/p4.md`): [`Built`] of the one
//! that `BATON_CONTROL_PLANE` names, or of `p4/programs/control-plane/connection.json`.

use baton_tcp::{wire::Template, Endpoints};
use core::fmt::Debug;

/// How a program's table of connections is filled, and what its connections can be.
pub trait Program: Clone + Debug {
    /// How segments begin: with room for the addresses that a key has.
    type Header: Template + Clone + Debug;
    /// Words of a key, the first the most significant.
    type Key: AsRef<[u32]>;
    /// What tells the layout of keys from another; 0 without a table.
    const KEY_LAYOUT: u32;
    /// Least bit of a connection's name in the value of an entry.
    const CONNECTION_SHIFT: u32;

    /// The key of a connection between these ends.
    fn key(ends: &Endpoints) -> Self::Key;
}

include!(concat!(env!("OUT_DIR"), "/program.rs"));

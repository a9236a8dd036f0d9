//! P4-16 programs that describe what the NIC recognises on receive, and their compiler.

pub mod ast;
pub mod source;

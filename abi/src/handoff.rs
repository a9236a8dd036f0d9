//! The handoff record: a complete TCB in words.

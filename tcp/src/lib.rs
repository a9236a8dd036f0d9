//! A TCP engine without I/O, allocation or clock: RFC 9293 as data and functions.
//!
//! The host's stack and the firmware both run it, so that a handoff moves a [`Tcb`] between two copies of
//! the same engine. It sees headers and lengths ([`SegmentIn`], [`SegmentOut`]), never payload and never
//! addresses; the caller owns the buffers ([`Spans`] says where they lie) and the time.
//!
//! Read before editing: RFC 9293 (TCP), 7323 (window scale, timestamps, PAWS), 6298 (timeout), 5681, 6582 and
//! 6675 (congestion control and recovery), 9438 (CUBIC), 2018 (SACK), 5961 (robustness to blind attacks).
//!
//! # Use
//!
//! ```
//! use baton_tcp::{Config, Instant, ReceiveSpans, SegmentIn, SendSpans, SeqNumber, Tcb, TimerOutcome};
//! # fn demo(syn: &SegmentIn, segment: &SegmentIn, now: Instant) {
//! let (mut send, mut receive) = (SendSpans::new(), ReceiveSpans::new());
//! receive.push(0x1000, 65536).unwrap();
//! let mut tcb = Tcb::accept(Config::default(), syn, SeqNumber(1), receive.len(), now);
//!
//! // A segment came:
//! let arrival = tcb.segment_arrives(now, segment);
//! if let Some(deliver) = arrival.deliver {
//!     // Store payload[deliver.payload_offset..][..deliver.len] in the receive buffer, from
//!     // deliver.stream_offset bytes after its start on. receive.at(offset) says where; the data may
//!     // cross spans. Then:
//! }
//! receive.consume(arrival.advanced); // bytes that the application may read now
//! send.consume(arrival.acked);       // bytes that may be forgotten
//!
//! // The application wrote, or gave a buffer:
//! send.push(0x8000, 3000).unwrap();
//! tcb.send_enqueued(3000);
//! receive.push(0x2000_0000, 4096).unwrap();
//! tcb.receive_space_added(4096);
//!
//! // A timer is due (`tcb.poll_at()`):
//! if tcb.on_timer(now) == TimerOutcome::TimedOut { /* the connection is gone */ }
//!
//! // After every one of these, send what there is to send:
//! while let Some(segment) = tcb.poll_transmit(now, |offset| send.contiguous(offset)) {
//!     // payload: segment.data_len bytes at send.at(segment.data_offset)
//! }
//! # }
//! ```
//!
//! A connection that has ended (`Arrival::closed`, `Arrival::reset`, `TimerOutcome`) stays in CLOSED and says nothing more,
//! except the RST after [`Tcb::abort`].
//!
//! # Handoff
//!
//! [`Tcb::export`] gives the state as words for a record, [`Tcb::import`] continues it elsewhere, with
//! `send.len()` and `receive.len()` of the buffers that go with it. It is the identity at any moment, with data
//! in flight too. The exporter then drops its copy. Who has many connections, all of them handed over, keeps their parameters once
//! ([`SharedConfig`]), and their records need no copy: [`Tcb::take_over`], [`Tcb::export_words`].
//!
//! # From C
//!
//! With the feature `capi` the crate builds as a C library; `include/baton_tcp.h` is its reference. Only that part uses `std`,
//! and only it is unsafe.
#![cfg_attr(not(any(test, feature = "capi")), no_std)]
#![cfg_attr(not(feature = "capi"), forbid(unsafe_code))]
#![deny(unsafe_code)]

mod arrives;
#[cfg(feature = "capi")]
pub mod capi;
mod config;
mod congestion;
mod control;
mod cubic;
mod gaps;
mod lean;
mod output;
mod predict;
mod ranges;
mod record;
mod rtt;
mod segment;
mod seq;
mod spans;
mod tcb;
mod time;
mod timers;
pub mod wire;

pub use baton_abi::handoff::{Endpoints, RecordError, Span};
pub use config::{Config, CongestionAlgorithm};
pub use gaps::{Own, Parameters, SharedConfig, SharedMemory};
pub use lean::{LeanBurst, BURST_SEGMENTS_MAX};
pub use predict::{Header, Predicted};
pub use segment::{
    reset_for, Arrival, BurstOut, Deliver, Flags, Options, Range, SegmentIn, SegmentOut, SACK_BLOCKS,
};
pub use seq::SeqNumber;
pub use spans::{Full, ReceiveSpans, SendSpans, Spans};
pub use tcb::{flag, State, Tcb};
pub use time::Instant;
pub use timers::TimerOutcome;

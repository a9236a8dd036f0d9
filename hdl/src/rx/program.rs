//! What the P4 program of this NIC becomes: written by the build script (`hdl/build.rs`, `p4/src/hardware`).
//!
//! [`Window`] holds the words of frames back for a program that looks ahead; everything takes its words behind it. [`Classifier`] reads the words of stored frames as they pass, beside the checksum units. Its outputs are those of the
//! frame whose last word came two or more cycles ago, until two cycles after the next one's. [`Resolver`] is
//! combinational. [`CONTROL_PLANE`] tells firmware and driver how its table is filled.
//!
//! Core clock, synchronous reset. One word a cycle, no backpressure. Verified against the interpreter of the language in
//! `cosim/tests/p4`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

include!(concat!(env!("OUT_DIR"), "/classifier.rs"));

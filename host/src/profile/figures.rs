//! Figures of the firmware's work by name, what they may be at most, and what they are made of.

use super::{measure, stack, turns, worst::Worst, Profile, Program, Workload};
use anyhow::Result;
use baton_abi::work::{
    HOST_PACKET, LOOK, RECEIVE_ACK, RECEIVE_IN_FULL, RECEIVE_TEXT, REPORT, TIMER, TRANSMIT, TRANSMIT_ACK,
};
use baton_cosim::nic::Nic;

/// Most that a figure may be.
pub const BUDGETS: [(&str, f64); 6] = [
    ("rx_ack_instructions", 150.0),
    ("rx_data_instructions", 200.0),
    ("tx_segment_instructions", 120.0),
    ("host_packet_instructions", 60.0),
    ("event_bound_instructions", 12_000.0),
    ("turn_bound_instructions", 40_000.0),
];

/// The bounds that hold whatever arrives: the longest paths through the program.
///
/// # Errors
/// As [`Worst::of`], and when the executable does not say how much stack it takes.
pub fn bounds(program: &Program) -> Result<[(&'static str, f64); 3]> {
    let worst = Worst::of(program)?;
    Ok([
        ("event_bound_instructions", worst.event() as f64),
        ("turn_bound_instructions", worst.turn as f64),
        ("stack_bound_bytes", f64::from(stack::deepest(&program.code)?)),
    ])
}

/// Turns of each connection that receives. Every second segment asks for a delayed acknowledgement, whose entry in the timer wheel comes
/// up 40 ms later, and the next one is made by the segment after that: in 4 turns, which are 52 ms, each connection makes one entry
/// and has one come up.
const RECEIVE_TURNS: u64 = 4;
/// Cycles of the loads that do not depend on the number of connections.
const CYCLES: u64 = 500_000;
const LONG_CYCLES: u64 = 2_000_000;

/// Measures a load for as long as the figures need.
///
/// # Errors
/// As [`measure`].
pub fn run<N: Nic>(
    workload: Workload,
    connections: u32,
    nic: N,
    firmware: &[u8],
    program: &Program,
) -> Result<Profile> {
    let cycles = match workload {
        Workload::Send => turns(connections, 2),
        Workload::Receive => turns(connections, RECEIVE_TURNS),
        Workload::HostPackets => CYCLES,
        Workload::Messages | Workload::Turnover => LONG_CYCLES,
    };
    measure(workload, connections, cycles, nic, firmware, program)
}

/// The figures of a load.
pub fn of(workload: Workload, profile: &Profile) -> Vec<(&'static str, f64)> {
    let each = |kinds: &[u32], kind: u32| profile.instructions(kinds) / profile.times(kind).max(1.0);
    let all = profile.all.instructions as f64;
    match workload {
        Workload::Send => {
            let segments = profile.segments_sent.max(1) as f64;
            vec![
                // Events and timers are there for the acknowledgements only.
                ("rx_ack_instructions", each(&[RECEIVE_ACK, REPORT, TIMER], RECEIVE_ACK)),
                ("tx_segment_instructions", profile.instructions(&[TRANSMIT]) / segments),
                ("tx_segment_all_instructions", all / segments),
            ]
        }
        Workload::Receive => vec![
            ("rx_data_instructions", each(&[RECEIVE_TEXT, TIMER], RECEIVE_TEXT)),
            ("rx_data_all_instructions", all / profile.times(RECEIVE_TEXT).max(1.0)),
            ("tx_ack_instructions", each(&[TRANSMIT_ACK], TRANSMIT_ACK)),
            ("report_instructions", each(&[REPORT], REPORT)),
        ],
        Workload::HostPackets => vec![("host_packet_instructions", each(&[HOST_PACKET], HOST_PACKET))],
        Workload::Messages => {
            let each =
                |counts: [u64; 2], i: usize| counts[i] as f64 * 1e6 / profile.messages.bytes[i].max(1) as f64;
            let messages = &profile.messages;
            vec![
                ("events_per_megabyte_sent", each(messages.events, 0)),
                ("events_per_megabyte_received", each(messages.events, 1)),
                ("commands_per_megabyte_sent", each(messages.commands, 0)),
                ("commands_per_megabyte_received", each(messages.commands, 1)),
            ]
        }
        Workload::Turnover => {
            let events = profile.kinds.iter().enumerate().filter(|(kind, _)| *kind != LOOK as usize);
            let worst = events.map(|(_, kind)| kind.most.instructions).max().unwrap_or(0);
            vec![
                ("worst_event_instructions", worst as f64),
                ("rx_in_full_instructions", each(&[RECEIVE_IN_FULL], RECEIVE_IN_FULL)),
            ]
        }
    }
}

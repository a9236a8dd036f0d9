//! What a live run tells: a line every second, and a summary at its end.

use super::pace::PaceStats;
use super::services::ServiceStats;
use crate::server::load_log::LoadTransition;
use crate::server::ServerStats;
use baton_cosim::wire::FrameStats;
use serde::Serialize;
use std::fmt;

/// One direction of the wire. Frames are counted as one end sends them, before any fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Direction {
    pub frames: u64,
    pub bytes: u64,
    pub lost: u64,
    pub corrupted: u64,
    pub duplicated: u64,
    pub reordered: u64,
    pub delayed: u64,
}

impl From<FrameStats> for Direction {
    fn from(stats: FrameStats) -> Self {
        let FrameStats { frames, bytes, lost, corrupted, duplicated, reordered, delayed } = stats;
        Direction { frames, bytes, lost, corrupted, duplicated, reordered, delayed }
    }
}

/// The modelled server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServerSummary {
    pub accepted: u64,
    pub backlog_drops: u64,
    pub arp_replies: u64,
    pub handoffs: u64,
    pub refused: u64,
    pub restores: u64,
    /// Restores that the overloaded NIC wished for.
    pub shed: u64,
    pub host_segments_in: u64,
    pub host_segments_out: u64,
    pub host_retransmits: u64,
    pub resets_sent: u64,
    pub http_responses: u64,
    pub http_errors: u64,
    pub http_body_bytes: u64,
    pub nic_commands: u64,
    pub nic_events: u64,
    pub nic_command_errors: u64,
    pub dma_errors: u64,
}

impl From<ServerStats> for ServerSummary {
    fn from(stats: ServerStats) -> Self {
        ServerSummary {
            accepted: stats.stack.accepted,
            backlog_drops: stats.stack.backlog_drops,
            arp_replies: stats.stack.arp_replies,
            handoffs: stats.stack.handoffs,
            refused: stats.stack.refused,
            restores: stats.stack.restores,
            shed: stats.stack.shed,
            host_segments_in: stats.stack.segments_in,
            host_segments_out: stats.stack.segments_out,
            host_retransmits: stats.stack.retransmits,
            resets_sent: stats.stack.resets_sent,
            http_responses: stats.http.responses,
            http_errors: stats.http.errors,
            http_body_bytes: stats.http.body_bytes,
            nic_commands: stats.driver.commands,
            nic_events: stats.driver.events,
            nic_command_errors: stats.stack.command_errors,
            dma_errors: stats.driver.dma_errors,
        }
    }
}

/// What the firmware shows of itself; see `baton_abi::regs::mailbox`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FirmwareSummary {
    /// 1: it runs; 0xDEAD_0000 and a cause after a trap.
    pub state: u32,
    pub connections: u32,
    pub segments_received: u32,
    pub segments_sent: u32,
    pub retransmits: u32,
    pub stale_packets: u32,
    pub bad_commands: u32,
    pub receive_queue_drops: u32,
}

/// Everything since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub wall_us: u64,
    /// Cycles of the NIC's core clock.
    pub cycles: u64,
    /// To the NIC, and from it.
    pub wire: [Direction; 2],
    pub frames_not_taken_by_kernel: u64,
    pub server: ServerSummary,
    pub services: ServiceStats,
    /// Open now.
    pub connections: u64,
    pub connections_on_nic: u64,
    pub firmware: FirmwareSummary,
    /// Transitions of the NIC's load control.
    pub load_transitions: Vec<LoadTransition>,
    pub clock: PaceStats,
}

/// What happened between two summaries.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    at_s: f64,
    seconds: f64,
    cycles: u64,
    frames: [u64; 2],
    bytes: [u64; 2],
    responses: u64,
    connections: u64,
    on_nic: u64,
    handoffs: u64,
    restores: u64,
}

impl Rates {
    pub fn between(before: &Summary, after: &Summary) -> Rates {
        let difference = |f: fn(&Direction) -> u64| [0, 1].map(|i| f(&after.wire[i]) - f(&before.wire[i]));
        Rates {
            at_s: after.wall_us as f64 / 1e6,
            seconds: (after.wall_us - before.wall_us).max(1) as f64 / 1e6,
            cycles: after.cycles - before.cycles,
            frames: difference(|d| d.frames),
            bytes: difference(|d| d.bytes),
            responses: after.server.http_responses - before.server.http_responses,
            connections: after.connections,
            on_nic: after.connections_on_nic,
            handoffs: after.server.handoffs,
            restores: after.server.restores,
        }
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = |n: u64| n as f64 / self.seconds;
        write!(
            f,
            "{:7.1} s  {:5.2} Mcycle/s  in {:5.0} frame/s {:6.2} Mb/s  out {:5.0} frame/s {:6.2} Mb/s  {:5.0} response/s  \
             {} open, {} on the NIC  {} handoffs, {} restores",
            self.at_s,
            per(self.cycles) / 1e6,
            per(self.frames[0]),
            per(self.bytes[0]) * 8e-6,
            per(self.frames[1]),
            per(self.bytes[1]) * 8e-6,
            per(self.responses),
            self.connections,
            self.on_nic,
            self.handoffs,
            self.restores,
        )
    }
}

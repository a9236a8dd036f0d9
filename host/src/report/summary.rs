//! The report as lines of text for a terminal.

use super::Report;
use std::fmt::Write;

/// A table of the run's figures.
pub fn summary(report: &Report) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<34}{value}");
    };
    let (packets, core, delay) = (&report.packets, &report.softcore, &report.host_packet_delay);
    line("outcome", if report.outcome.ok { "every byte intact".into() } else { "FAILED".into() });
    line("response bytes checked", report.outcome.bytes_checked.to_string());
    line(
        "simulated",
        format!("{} us, {} core cycles", report.outcome.simulated_us, report.outcome.core_cycles),
    );
    line("throughput, handed-off connection", megabits(report.throughput.offloaded_bps));
    line("throughput, all connections", megabits(report.throughput.total_bps));
    line("connections", {
        let handed_off = report.connections.iter().filter(|c| c.handed_off).count();
        format!("{handed_off} handed off, {} on the host", report.connections.len() - handed_off)
    });
    line("packets on the NIC", format!("{} received, {} sent", packets.nic_received, packets.nic_sent));
    line("packets on the host", format!("{} received, {} sent", packets.host_received, packets.host_sent));
    if let Some(program) = &report.program {
        line(
            &format!("P4 program {}", program.name),
            format!(
                "{} probes sent, {} frames dropped, {} as interpreted",
                program.probes, program.dropped, program.checked
            ),
        );
        for queue in &program.queues {
            line(
                &format!("  host queue {}, class {}", queue.queue, queue.class),
                format!("{} frames", queue.frames),
            );
        }
    }
    line("segments retransmitted by the NIC", packets.nic_retransmits.to_string());
    line(
        "host packet delay through the NIC",
        format!(
            "mean {:.0}, median {}, 99th percentile {}, most {} cycles",
            delay.mean_cycles, delay.p50_cycles, delay.p99_cycles, delay.max_cycles
        ),
    );
    line(
        "softcore, each NIC packet",
        format!("{:.0} instructions, {:.0} cycles", core.instructions_per_packet, core.cycles_per_packet),
    );
    line("softcore idle", format!("{:.1} %", core.idle_share * 100.0));
    for (reason, count) in packets.dropped.iter().filter(|(_, count)| *count > 0) {
        line("dropped", format!("{count} ({reason})"));
    }
    line(
        "co-simulation",
        format!(
            "{:.2} M core cycles/s, {:.1} s",
            report.wall_clock.core_cycles_per_second / 1e6,
            report.wall_clock.seconds
        ),
    );
    for milestone in &report.handoffs {
        line(
            &format!("at {} us", milestone.at_us),
            format!("{} ({} bytes in)", milestone.what, milestone.bytes),
        );
    }
    for failure in &report.outcome.failures {
        line("failure", failure.clone());
    }
    out
}

fn megabits(bps: u64) -> String {
    format!("{:.1} Mb/s", bps as f64 / 1e6)
}

//! The report's plots, as SVG text.

use super::Report;
use anyhow::{anyhow, Result};
use plotters::prelude::*;

const SIZE: (u32, u32) = (760, 260);

/// One line of a plot.
struct Line<'a> {
    name: &'a str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

const BLUE_INK: RGBColor = RGBColor(31, 90, 160);
const ORANGE_INK: RGBColor = RGBColor(208, 102, 20);
const SHADE: RGBColor = RGBColor(228, 236, 246);

/// Bytes received by the clients over time.
pub fn bytes(report: &Report) -> Result<String> {
    lines(
        report,
        "response bytes checked (KiB)",
        vec![
            Line {
                name: "handed-off connection",
                color: BLUE_INK,
                points: series(report, |s| s.offloaded_bytes as f64 / 1024.0),
            },
            Line {
                name: "host connections",
                color: ORANGE_INK,
                points: series(report, |s| s.host_bytes as f64 / 1024.0),
            },
        ],
    )
}

/// Packets of each path in each sample interval.
pub fn packets(report: &Report) -> Result<String> {
    lines(
        report,
        "packets in a sample",
        vec![
            Line {
                name: "NIC packets",
                color: BLUE_INK,
                points: differences(report, |s| s.nic_packets as f64),
            },
            Line {
                name: "host packets",
                color: ORANGE_INK,
                points: differences(report, |s| s.host_packets as f64),
            },
        ],
    )
}

/// Length of the receive queues.
pub fn queues(report: &Report) -> Result<String> {
    lines(
        report,
        "packets in the receive queue",
        vec![
            Line { name: "NIC", color: BLUE_INK, points: series(report, |s| f64::from(s.nic_rx_queue)) },
            Line { name: "host", color: ORANGE_INK, points: series(report, |s| f64::from(s.host_rx_queue)) },
        ],
    )
}

/// Share of cycles in which the softcore slept.
pub fn idle(report: &Report) -> Result<String> {
    let idle = differences(report, |s| s.idle_cycles as f64);
    let cycles = differences(report, |s| s.core_cycles as f64);
    let points =
        idle.iter().zip(&cycles).map(|((at, idle), (_, all))| (*at, 100.0 * idle / all.max(1.0))).collect();
    lines(report, "softcore idle (%)", vec![Line { name: "idle", color: BLUE_INK, points }])
}

/// Histogram of the delay of host packets.
pub fn delay(report: &Report) -> Result<String> {
    let delay = &report.host_packet_delay;
    let most = delay.histogram.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = delay.bin_cycles as f64;
    let end = width * delay.histogram.len().max(1) as f64;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(drawing)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..end, 0.0..most * 1.05)
            .map_err(drawing)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("cycles from arrival to host memory")
            .y_desc("host packets")
            .draw()
            .map_err(drawing)?;
        chart
            .draw_series(delay.histogram.iter().enumerate().map(|(i, n)| {
                let left = i as f64 * width;
                Rectangle::new([(left, 0.0), (left + width, *n as f64)], BLUE_INK.filled())
            }))
            .map_err(drawing)?;
        area.present().map_err(drawing)?;
    }
    Ok(svg)
}

fn series(report: &Report, value: impl Fn(&super::Sample) -> f64) -> Vec<(f64, f64)> {
    report.series.iter().map(|s| (s.at_us as f64, value(s))).collect()
}

fn differences(report: &Report, value: impl Fn(&super::Sample) -> f64) -> Vec<(f64, f64)> {
    report.series.windows(2).map(|w| (w[1].at_us as f64, value(&w[1]) - value(&w[0]))).collect()
}

/// Draws lines over simulated time; the spans in which the NIC owned the connection are shaded.
fn lines(report: &Report, y_name: &str, lines: Vec<Line>) -> Result<String> {
    let end = report.outcome.simulated_us.max(1) as f64;
    let top = lines.iter().flat_map(|l| &l.points).map(|p| p.1).fold(1.0, f64::max) * 1.08;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(drawing)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..end, 0.0..top)
            .map_err(drawing)?;
        chart
            .draw_series(
                owned_spans(report)
                    .into_iter()
                    .map(|(from, to)| Rectangle::new([(from, 0.0), (to, top)], SHADE.filled())),
            )
            .map_err(drawing)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("simulated time (us)")
            .y_desc(y_name)
            .draw()
            .map_err(drawing)?;
        for line in lines {
            let color = line.color;
            chart
                .draw_series(LineSeries::new(line.points, color.stroke_width(2)))
                .map_err(drawing)?
                .label(line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperMiddle)
            .background_style(WHITE)
            .border_style(SHADE)
            .draw()
            .map_err(drawing)?;
        area.present().map_err(drawing)?;
    }
    Ok(svg)
}

/// Times, in microseconds, from and to which the NIC owned the connection.
fn owned_spans(report: &Report) -> Vec<(f64, f64)> {
    let mut spans = Vec::new();
    let mut since = None;
    for sample in &report.series {
        match (sample.on_nic, since) {
            (true, None) => since = Some(sample.at_us as f64),
            (false, Some(from)) => {
                spans.push((from, sample.at_us as f64));
                since = None;
            }
            _ => {}
        }
    }
    spans.extend(since.map(|from| (from, report.outcome.simulated_us as f64)));
    spans
}

fn drawing<E: std::fmt::Display>(error: E) -> anyhow::Error {
    anyhow!("cannot draw a plot: {error}")
}

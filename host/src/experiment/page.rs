//! Self-contained HTML pages: of one run, and the frame that others use.

use super::chart::{self, Bar, Line};
use super::record::Sample;
use super::Record;
use crate::machine::Function;
use anyhow::Result;
use std::fmt::Write;

const STYLE: &str =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#222}\
h1{font-size:1.5em}h2{font-size:1.1em;margin-top:2em}pre{background:#f5f5f2;padding:1em;overflow-x:auto}\
table{border-collapse:collapse;font-size:.92em}td,th{padding:.2em .7em;border-bottom:1px solid #ddd;text-align:left}\
td.n{text-align:right;font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}.bad{color:#a00}";

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A page with this title and body; `data` is embedded as JSON.
pub fn frame(title: &str, body: &str, data: &impl serde::Serialize) -> Result<String> {
    let json = serde_json::to_string(data)?.replace("</", "<\\/");
    Ok(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Baton: {0}</title><style>{STYLE}</style></head>\
         <body><h1>{0}</h1>{body}<script type=\"application/json\" id=\"data\">{json}</script></body></html>\n",
        escape(title)
    ))
}

/// A time series of a run, in milliseconds.
pub fn series(record: &Record, name: &str, value: impl Fn(&Sample) -> f64) -> Line {
    let points = record.series.iter().map(|s| (s.at_us as f64 / 1000.0, value(s))).collect();
    Line { name: name.into(), points }
}

/// Connections, `Soft_Limit` and `Qlen` over time, as the paper's Figure 6.
pub fn load_plots(record: &Record) -> Result<[String; 2]> {
    let limit = record.config.connections;
    Ok([
        chart::lines(
            "time (ms)",
            "connections",
            &[
                series(record, "on the NIC", |s| f64::from(s.connections)),
                series(record, "Soft_Limit", |s| f64::from(s.soft_limit.min(limit))),
            ],
        )?,
        chart::lines(
            "time (ms)",
            "packets",
            &[
                series(record, "Qlen", |s| f64::from(s.qlen)),
                Line {
                    name: "Hiwat".into(),
                    points: record
                        .series
                        .iter()
                        .map(|s| (s.at_us as f64 / 1000.0, f64::from(record.options.hiwat)))
                        .collect(),
                },
            ],
        )?,
    ])
}

/// Rates over time, from the differences of samples.
fn rate_plot(record: &Record) -> Result<String> {
    let rates = |value: &dyn Fn(&Sample) -> u64| {
        record
            .series
            .windows(9)
            .map(|w| {
                let us = (w[8].at_us - w[0].at_us).max(1) as f64;
                (w[8].at_us as f64 / 1000.0, (value(&w[8]) - value(&w[0])) as f64 / us * 1000.0)
            })
            .collect()
    };
    chart::lines(
        "time (ms)",
        "thousands a second",
        &[
            Line { name: "packets".into(), points: rates(&|s| s.packets) },
            Line { name: "responses".into(), points: rates(&|s| s.responses) },
        ],
    )
}

/// What the host processor's cycles are told apart by, from the application down to the driver.
pub fn profile_parts() -> Vec<String> {
    Function::ALL.iter().map(|f| f.name().to_string()).collect()
}

/// A record's shares of them.
pub fn profile_bar(record: &Record) -> Bar {
    let share = |f: &Function| record.profile.get(f.name()).copied().unwrap_or(0.0);
    Bar { name: record.config.to_string(), parts: Function::ALL.iter().map(share).collect(), mark: None }
}

/// The page of one run.
pub fn run(record: &Record) -> Result<String> {
    let mut body = String::new();
    let _ = write!(
        body,
        "<p>Measured from {:.1} ms on; before is warm-up.</p><pre{}>{}</pre>",
        record.measured_from_us as f64 / 1000.0,
        if record.failures.is_empty() { "" } else { " class=bad" },
        escape(&record.summary())
    );
    if record.config.connections > 0 {
        let [connections, queue] = load_plots(record)?;
        let _ = write!(body, "<h2>Connections on the NIC</h2>{connections}<h2>NIC receive queue</h2>{queue}");
    }
    let _ = write!(body, "<h2>Rates</h2>{}", rate_plot(record)?);
    if !record.profile.is_empty() {
        let (parts, bar) = (profile_parts(), profile_bar(record));
        let plot = chart::bars("cycles of the host processor (%)", &parts, &[bar], Some(100.0))?;
        let _ = write!(body, "<h2>Host processor</h2>{plot}");
    }
    frame(&record.config.to_string(), &body, record)
}

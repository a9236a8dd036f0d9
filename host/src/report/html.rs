//! The report as one self-contained page.

use super::{plot, summary, Report};
use anyhow::Result;
use std::fmt::Write;

const STYLE: &str =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:820px;margin:2em auto;padding:0 1em;color:#222}\
h1{font-size:1.5em}h2{font-size:1.1em;margin-top:2em}pre{background:#f5f5f2;padding:1em;overflow-x:auto}\
table{border-collapse:collapse}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:left}\
td.n{text-align:right;font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}.bad{color:#a00}";

/// The page's text.
pub fn page(report: &Report) -> Result<String> {
    let mut out = String::new();
    let configuration = &report.configuration;
    let _ = write!(
        out,
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Baton: a handed-off connection</title>\
         <style>{STYLE}</style></head><body><h1>An HTTP response through a handed-off connection</h1>\
         <p>Seed {}, core clock {} MHz, wire {} Mb/s, scheduler mode {}, loss {} ppm, reordering {} ppm. \
         Shaded: the NIC owns the connection.</p>",
        configuration.seed,
        configuration.core_clock_hz / 1_000_000,
        configuration.wire_rate_bps / 1_000_000,
        escape(&configuration.scheduler_mode),
        configuration.loss_ppm,
        configuration.reorder_ppm,
    );
    let _ = write!(out, "<pre>{}</pre>", escape(&summary(report)));
    for (title, svg) in [
        ("Bytes that clients received and checked", plot::bytes(report)?),
        ("Packets by path", plot::packets(report)?),
        ("Receive queues", plot::queues(report)?),
        ("Softcore", plot::idle(report)?),
        ("Delay of host packets through the NIC", plot::delay(report)?),
    ] {
        let _ = write!(out, "<h2>{title}</h2>{svg}");
    }
    out.push_str(
        "<h2>Connections</h2><table><tr><th>connection<th>path<th>responses<th>bytes<th>intact</tr>",
    );
    for c in &report.connections {
        let _ = write!(
            out,
            "<tr><td>{}<td>{}<td class=n>{}<td class=n>{}<td{}>{}</tr>",
            escape(&c.name),
            if c.handed_off { "NIC" } else { "host" },
            c.responses,
            c.bytes,
            if c.ok { "" } else { " class=bad" },
            if c.ok { "yes" } else { "no" },
        );
    }
    let json = serde_json::to_string(report)?.replace("</", "<\\/");
    let _ = writeln!(
        out,
        "</table><script type=\"application/json\" id=\"report\">{json}</script></body></html>"
    );
    Ok(out)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

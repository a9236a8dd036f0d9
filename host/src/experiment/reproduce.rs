//! The paper's table and figures: which runs each needs, and the page that compares.

use super::chart::{self, Bar, Line};
use super::jobs::Job;
use super::targets::{self, Records, Row};
use super::{page, Config, Options, Record};
use crate::workload::facts::Facts;
use crate::workload::Kind;
use anyhow::Result;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What can be reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum What {
    /// Table 1: no handoff, 256 and 1024 connections, host packets first
    Table1,
    /// Figure 4: connection lifetimes of the workloads (no runs)
    Fig4,
    /// Figure 5: priority and load control, all workloads
    Fig5,
    /// Figure 6: load control over time
    Fig6,
    /// Figure 7: selection policies with 256 connections, and ours beside
    Fig7,
    /// Figure 8: the NIC's speed
    Fig8,
    /// Section 5.3: response times
    Response,
    /// The softcore's share of cycles in the setting equal-work, measured again
    Capacity,
    /// All of them
    All,
}

const TABLE1: &[&str] =
    &["W-0-N-N-FCFS-400", "W-256-N-N-FCFS-400", "W-1024-N-N-FCFS-400", "W-1024-P-N-FCFS-400"];
const FIG5: &[&str] = &[
    "W-0-N-N-FCFS-400",
    "W-1024-N-N-FCFS-400",
    "W-1024-P-N-FCFS-400",
    "W-4096-P-N-FCFS-400",
    "W-4096-P-L-FCFS-400",
    "I-0-N-N-FCFS-400",
    "I-4096-P-L-FCFS-400",
    "S-0-N-N-FCFS-400",
    "S-2048-N-N-FCFS-400",
    "S-2048-P-N-FCFS-400",
    "S-4096-P-L-FCFS-400",
    "D-0-N-N-FCFS-400",
    "D-2048-P-L-FCFS-400",
];
const FIG6: &[&str] = &["W-4096-P-L-FCFS-400"];
const FIG7: &[&str] = &[
    "W-0-N-N-FCFS-400",
    "W-256-P-L-FCFS-400",
    "W-256-P-L-T4-400",
    "W-256-P-L-T20-400",
    "W-256-P-L-KNOWN16-400",
    "W-256-P-L-RESID32-400",
    "W-256-P-L-PRICE-400",
    "W-256-P-L-SWAP-400",
    "W-256-P-L-ORACLE-400",
];
const FIG8: &[&str] = &[
    "W-0-N-N-FCFS-400",
    "W-4096-P-L-FCFS-400",
    "W-4096-P-L-FCFS-600",
    "W-4096-P-L-FCFS-800",
    "I-0-N-N-FCFS-400",
    "I-4096-P-L-FCFS-400",
    "I-4096-P-L-FCFS-600",
    "I-4096-P-L-FCFS-800",
    "S-0-N-N-FCFS-400",
    "S-4096-P-L-FCFS-400",
    "S-4096-P-L-FCFS-600",
    "S-4096-P-L-FCFS-800",
    "D-0-N-N-FCFS-400",
    "D-2048-P-L-FCFS-400",
    "D-2048-P-L-FCFS-600",
];
const RESPONSE: &[&str] = &[
    "W-0-N-N-FCFS-400",
    "W-1024-N-N-FCFS-400",
    "W-1024-P-L-FCFS-400",
    "W-4096-P-L-FCFS-600",
    "W-4096-P-L-FCFS-800",
];

impl What {
    const PARTS: [What; 7] =
        [What::Table1, What::Fig4, What::Fig5, What::Fig6, What::Fig7, What::Fig8, What::Response];

    fn configs(self) -> Vec<&'static str> {
        match self {
            What::Table1 => TABLE1.to_vec(),
            What::Fig4 => Vec::new(),
            What::Fig5 => FIG5.to_vec(),
            What::Fig6 => FIG6.to_vec(),
            What::Fig7 => FIG7.to_vec(),
            What::Fig8 => FIG8.to_vec(),
            What::Response => RESPONSE.to_vec(),
            What::Capacity => vec!["W-0-N-N-FCFS-400"],
            What::All => What::PARTS.iter().flat_map(|part| part.configs()).collect(),
        }
    }

    /// Its name in the paper.
    fn title(self) -> &'static str {
        match self {
            What::Table1 => "Table 1",
            What::Fig4 => "Figure 4",
            What::Fig5 => "Figure 5",
            What::Fig6 => "Figure 6",
            What::Fig7 => "Figure 7",
            What::Fig8 => "Figure 8",
            What::Response => "response times",
            What::Capacity => "capacity of the NIC",
            What::All => "all of them",
        }
    }

    /// The runs of a seed that it needs, each once, in the order of the paper.
    ///
    /// # Errors
    /// When an option is out of range.
    pub fn jobs(self, options: &Options) -> Result<Vec<Job>> {
        let mut jobs: Vec<Job> = Vec::new();
        for text in self.configs() {
            let config: Config = text.parse()?;
            options.check(&config)?;
            // Only the World Cup and the IBM site have traces.
            let traced = matches!(config.workload, Kind::WorldCup);
            let trace = options.trace.clone().filter(|_| traced);
            let job = Job { config, options: Options { trace, ..options.clone() } };
            if !jobs.contains(&job) {
                jobs.push(job);
            }
        }
        Ok(jobs)
    }
}

/// Connection lifetimes of every workload.
///
/// # Errors
/// When a trace cannot be read.
pub fn facts(options: &Options) -> Result<BTreeMap<char, Facts>> {
    Kind::ALL
        .into_iter()
        .map(|kind| {
            let trace = options.trace.as_deref().filter(|_| kind == Kind::WorldCup);
            let mut workload = kind.start(options.seed, options.clients.unwrap_or(kind.clients()), trace)?;
            Ok((kind.letter(), Facts::of(&mut *workload, 20_000)))
        })
        .collect()
}

/// The statements of Figure 4 as text.
pub fn facts_text(facts: &BTreeMap<char, Facts>) -> String {
    let mut text = String::new();
    for (letter, facts) in facts {
        for (statement, value, holds) in facts.statements(*letter == 'W') {
            let verdict = if holds { "holds" } else { "does not hold" };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{letter}  {statement:<60}{value:>7.1} %  {verdict}");
        }
    }
    text
}

/// The cycles of [`PACE_CYCLES`](super::config::PACE_CYCLES) with which our NIC would be as idle as the paper's, from a run without
/// handoff at its clock: what one request costs the softcore, at the paper's request rate, shall keep it busy for the paper's share of the time.
pub fn equal_work_cycles(record: &Record) -> Option<f64> {
    const PAPER_REQUESTS: f64 = 23_031.0;
    const PAPER_BUSY: f64 = 0.38;
    let busy = f64::from(record.options.core_cycles()) * (1.0 - record.metric("nic_idle")? / 100.0);
    let rate = record.metric("request_rate").filter(|&rate| rate > 0.0)?;
    Some(busy / rate * PAPER_REQUESTS / PAPER_BUSY)
}

/// What is to be said of windows shorter than the paper's, if these are.
pub fn caution(options: &Options) -> Option<&'static str> {
    (!options.is_full_length()).then_some(
        "The paper warms up with 400,000 packets and measures 600,000 (--warmup 400000 --packets 600000). A shorter window shows more of \
         the start than of a state, and some of its comparisons have another sign: docs/experiments.md.",
    )
}

/// The page: comparison, plots like the paper's figures, of the means over seeds.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn html(what: What, seeds: &[Records], facts: &BTreeMap<char, Facts>, rows: &[Row]) -> Result<String> {
    let records = targets::means(seeds);
    let mut body = String::new();
    let mut ordered: Vec<&Record> = Vec::new();
    for record in what.configs().into_iter().filter_map(|config| records.get(config)) {
        if !ordered.iter().any(|seen| seen.config == record.config) {
            ordered.push(record);
        }
    }
    if let Some(options) = records.values().next().map(|r| &r.options) {
        let first = options.seed;
        let seed_of = |records: &Records| records.values().next().map(|r| r.options.seed.to_string());
        let seed = if seeds.len() > 1 {
            let all: Vec<String> = seeds.iter().filter_map(seed_of).collect();
            format!("means over the seeds {}; time series of seed {first}", all.join(", "))
        } else {
            format!("seed {first}")
        };
        let _ = write!(
            body,
            "<p>Capacity of the NIC: {}; {} packets measured after {} of warm-up; {seed}.</p>",
            options.setting(),
            options.packets,
            options.warmup_packets
        );
        if let Some(caution) = caution(options) {
            let _ = write!(body, "<p>{caution}</p>");
        }
    }
    let ranged = rows.iter().any(|row| row.range.is_some());
    let head = if ranged { "<th>range" } else { "" };
    let _ = write!(body, "<h2>Paper, ours, difference</h2><table><tr><th>configuration<th>figure<th>unit<th>paper<th>ours{head}<th>difference<th>where</tr>");
    for row in rows {
        let [ours, range, difference] = row.columns();
        let range = if ranged { format!("<td class=n>{range}") } else { String::new() };
        let t = &row.target;
        let _ = write!(
            body,
            "<tr><td>{}<td>{}<td>{}<td class=n>{}<td class=n>{ours}{range}<td class=n>{difference}<td>{}</tr>",
            t.config,
            t.metric,
            page::escape(&t.unit),
            t.value,
            t.place
        );
    }
    body.push_str("</table>");
    if !facts.is_empty() {
        let lines = |value: fn(&(f64, f64)) -> f64| -> Vec<Line> {
            let curve =
                |f: &Facts| f.curve.iter().enumerate().map(|(x, point)| (x as f64, value(point))).collect();
            facts
                .iter()
                .map(|(letter, f)| Line { name: workload(*letter).into(), points: curve(f) })
                .collect()
        };
        let packets = chart::lines("connections, shortest first (%)", "packets sent (%)", &lines(|p| p.0))?;
        let bytes = chart::lines("connections, shortest first (%)", "bytes sent (%)", &lines(|p| p.1))?;
        let _ = write!(
            body,
            "<h2>Connection lifetimes (Figure 4)</h2>{packets}{bytes}<pre>{}</pre>",
            page::escape(&facts_text(facts))
        );
    }
    if !records.is_empty() {
        body.push_str(&profiles(&ordered)?);
        for (rate, share, name, where_) in [
            ("connection_rate", "connections_handed_off", "connections a second", ["handed off", "host's"]),
            ("packet_rate", "packets_on_nic", "packets a second", ["NIC's", "host's"]),
        ] {
            let parts = |r: &Record| {
                let (rate, share) = (r.metric(rate).unwrap_or(0.0), r.metric(share).unwrap_or(0.0) / 100.0);
                vec![rate * share, rate * (1.0 - share)]
            };
            bars(&mut body, name, &where_, &ordered, |_| None, parts)?;
        }
        let targets = targets::all()?;
        for (metric, name) in [
            ("nic_idle", "idle time of the NIC (%)"),
            ("request_rate", "requests a second"),
            ("content_rate", "HTTP content (Mb/s)"),
            ("response_time_mean", "response time (ms)"),
        ] {
            let papers = |r: &Record| {
                let config = r.config.to_string();
                targets.iter().find(|t| t.config == config && t.metric == metric).map(|t| t.value)
            };
            bars(&mut body, name, &[name], &ordered, papers, |r| vec![r.metric(metric).unwrap_or(0.0)])?;
        }
    }
    for record in ordered.iter().filter(|r| r.config.load_control) {
        let [connections, queue] = page::load_plots(record)?;
        let _ = write!(body, "<h2>Load control over time: {}</h2>{connections}{queue}", record.config);
    }
    for record in records.values().filter(|r| !r.failures.is_empty()) {
        let _ =
            write!(body, "<p class=bad>{}: {}</p>", record.config, page::escape(&record.failures.join("; ")));
    }
    page::frame(&format!("the paper's experiments: {}", what.title()), &body, &rows)
}

/// A workload's name in the plots.
fn workload(letter: char) -> &'static str {
    match letter {
        'W' => "World Cup",
        'I' => "IBM-like",
        'D' => "SPECweb99",
        _ => "SPECweb99-static",
    }
}

/// Adds a plot with a bar for each record, and a mark at the paper's value where there is one.
fn bars(
    body: &mut String,
    name: &str,
    parts: &[&str],
    records: &[&Record],
    mark: impl Fn(&Record) -> Option<f64>,
    value: impl Fn(&Record) -> Vec<f64>,
) -> Result<()> {
    let parts: Vec<String> = parts.iter().map(|part| part.to_string()).collect();
    let bars: Vec<Bar> =
        records.iter().map(|r| Bar { name: r.config.to_string(), parts: value(r), mark: mark(r) }).collect();
    let marked = if bars.iter().any(|bar| bar.mark.is_some()) { "; line: the paper's value" } else { "" };
    let plot = chart::bars(&format!("{name}{marked}"), &parts, &bars, None)?;
    let _ = write!(body, "<h2>{name}</h2>{plot}");
    Ok(())
}

/// The host processor's cycles by function, if they are modelled.
fn profiles(records: &[&Record]) -> Result<String> {
    if records.iter().all(|r| r.profile.is_empty()) {
        return Ok("<p>The server's software cost no time in these runs.</p>".into());
    }
    let bars: Vec<Bar> = records.iter().map(|r| page::profile_bar(r)).collect();
    let plot = chart::bars("cycles of the host processor (%)", &page::profile_parts(), &bars, Some(100.0))?;
    Ok(format!("<h2>Host processor</h2>{plot}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::targets::tests::record;

    #[test]
    fn all_answers_every_line_of_the_table() {
        let jobs = What::All.jobs(&Options::default()).unwrap();
        let metrics = [
            "request_rate",
            "host_idle",
            "nic_idle",
            "host_packet_delay_send_median",
            "host_packet_delay_receive_median",
            "host_cycles_below_syscalls",
            "host_cycles_in_kernel",
            "response_time_mean",
            "connections_handed_off",
            "packets_on_nic",
            "packet_rate",
            "content_rate",
            "connections_on_nic_steady",
            "receive_queue_threshold",
        ]
        .map(|name| (name, 1.0));
        let records: Records = jobs
            .iter()
            .map(|job| (job.config.to_string(), record(&job.config.to_string(), &metrics)))
            .collect();
        let facts = facts(&Options { clients: Some(64), ..Options::default() }).unwrap();
        let seeds = [records];
        let rows = targets::rows(&seeds, &facts, true).unwrap();
        let unanswered: Vec<&Row> = rows.iter().filter(|row| row.ours.is_none()).collect();
        assert!(unanswered.is_empty(), "{unanswered:?}");
        let page = html(What::All, &seeds, &facts, &rows).unwrap();
        assert!(
            page.contains("W-4096-P-L-FCFS-800")
                && page.contains("Figure 4")
                && page.contains(caution(&Options::default()).unwrap())
                && page.matches("<svg").count() > 8
                && !page.contains("<th>range")
        );
        let [first] = seeds;
        let mut second = first.clone();
        second.values_mut().for_each(|record| record.options.seed = 2);
        let seeds = [first, second];
        let page = html(What::All, &seeds, &facts, &targets::rows(&seeds, &facts, true).unwrap()).unwrap();
        assert!(page.contains("means over the seeds 1, 2") && page.contains("<th>range"));
    }

    #[test]
    fn the_equal_work_pace_follows_from_the_idle_run() {
        let mut r = record("W-0-N-N-FCFS-400", &[("nic_idle", 62.0), ("request_rate", 23_031.0)]);
        r.options.core_cycles = Some(5000);
        assert!((equal_work_cycles(&r).unwrap() - 5000.0).abs() < 1e-9);
        r.metrics.insert("request_rate".into(), 46_062.0);
        assert!((equal_work_cycles(&r).unwrap() - 2500.0).abs() < 1e-9);
    }
}

//! The paper's figures as data, and what our records say to each.

use super::{Config, Record};
use crate::workload::facts::Facts;
use crate::workload::Kind;
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// A figure that the paper states.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Target {
    /// A configuration's shorthand, a workload's letter, or `all`.
    pub config: String,
    pub metric: String,
    pub unit: String,
    pub value: f64,
    /// Table, figure or section.
    pub place: String,
}

/// All of them.
///
/// # Errors
/// Names the line that is malformed.
pub fn all() -> Result<Vec<Target>> {
    parse(include_str!("targets.csv"))
}

fn parse(text: &str) -> Result<Vec<Target>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).skip(1);
    lines
        .map(|line| {
            let fields: Vec<&str> = line.splitn(5, ',').collect();
            let [config, metric, unit, value, place] = fields[..] else {
                anyhow::bail!("not five fields: {line:?}")
            };
            let value = value.parse().with_context(|| format!("no number in {line:?}"))?;
            Ok(Target {
                config: config.into(),
                metric: metric.into(),
                unit: unit.into(),
                value,
                place: place.into(),
            })
        })
        .collect()
}

/// Records of one seed by shorthand.
pub type Records = BTreeMap<String, Record>;

/// Records with the means over seeds of all metrics and of the profile; the rest is the first seed's that has the run.
pub fn means(seeds: &[Records]) -> Records {
    let mut means = Records::new();
    for (config, record) in seeds.iter().flatten() {
        means.entry(config.clone()).or_insert_with(|| record.clone());
    }
    for (config, record) in &mut means {
        let all = || seeds.iter().filter_map(|records| records.get(config));
        for (name, value) in &mut record.metrics {
            *value = mean(all().filter_map(|r| r.metric(name))).unwrap_or(*value);
        }
        for (name, share) in &mut record.profile {
            *share = mean(all().filter_map(|r| r.profile.get(name).copied())).unwrap_or(*share);
        }
        let failures = all().flat_map(|r| r.failures.iter().map(|failure| (r.options.seed, failure)));
        record.failures = failures.map(|(seed, failure)| format!("seed {seed}: {failure}")).collect();
    }
    means
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

/// The configuration that a gain is over.
fn base(config: &Config, over: &str) -> Option<Config> {
    Some(match over {
        "no_handoff" => Config {
            connections: 0,
            priority: false,
            load_control: false,
            selection: "FCFS".into(),
            mips: 400,
            ..config.clone()
        },
        "FCFS" => Config { selection: "FCFS".into(), ..config.clone() },
        mips => Config { mips: mips.parse().ok()?, ..config.clone() },
    })
}

/// How much a metric of one record is above another's, in percent.
pub fn gain(record: &Record, over: &Record, metric: &str) -> Option<f64> {
    let (value, base) = (record.metric(metric)?, over.metric(metric)?);
    (base > 0.0).then_some(100.0 * (value / base - 1.0))
}

/// What the records of a seed say to a figure; `None` if the runs that it needs are not there.
fn of_records(target: &Target, records: &Records) -> Option<f64> {
    if target.metric.starts_with("best_gain") {
        return best_gain(records, target.metric.ends_with("high"));
    }
    let config: Config = target.config.parse().ok()?;
    let record = records.get(&target.config)?;
    match target.metric.split_once("_gain_over_") {
        Some((metric, over)) => gain(record, records.get(&base(&config, over)?.to_string())?, metric),
        None => record.metric(&target.metric),
    }
}

fn of_facts(target: &Target, facts: &BTreeMap<char, Facts>) -> Option<f64> {
    let of = |facts: &Facts| match target.metric.as_str() {
        "shortest_half_of_connections_share_of_packets_below" => Some(facts.short_half_packets),
        "longest_tenth_of_connections_share_of_traffic_above" => {
            Some(facts.long_tenth_packets.min(facts.long_tenth_bytes))
        }
        "longest_tenth_of_connections_share_of_packets_above" => Some(facts.long_tenth_packets),
        _ => None,
    };
    if target.config != "all" {
        return of(facts.get(&target.config.chars().next().filter(|_| target.config.len() == 1)?)?);
    }
    // Of all workloads, the one that is nearest to the bound.
    let values: Option<Vec<f64>> = facts.values().map(of).collect();
    let values = values.filter(|v| !v.is_empty())?;
    let below = target.metric.ends_with("_below");
    values.into_iter().reduce(if below { f64::max } else { f64::min })
}

/// The least or the greatest of the workloads' best gains over no handoff with a NIC faster than 400 MIPS.
fn best_gain(records: &Records, high: bool) -> Option<f64> {
    let best = |kind: Kind| {
        let gains = records.values().filter(|r| r.config.workload == kind && r.config.mips > 400);
        gains
            .filter_map(|r| {
                gain(r, records.get(&base(&r.config, "no_handoff")?.to_string())?, "request_rate")
            })
            .reduce(f64::max)
    };
    let bests: Vec<f64> = Kind::ALL.into_iter().filter_map(best).collect();
    (bests.len() >= 2).then(|| bests.into_iter().reduce(if high { f64::max } else { f64::min }))?
}

/// A line of the comparison.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    #[serde(flatten)]
    pub target: Target,
    /// The mean over seeds.
    pub ours: Option<f64>,
    /// The least and the greatest of several seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
}

impl Row {
    /// The difference: in points for shares, in percent of the paper's value otherwise.
    pub fn difference(&self) -> Option<(f64, &'static str)> {
        let ours = self.ours?;
        match self.target.unit.as_str() {
            "%" => Some((ours - self.target.value, "points")),
            _ if self.target.value != 0.0 => Some((100.0 * (ours / self.target.value - 1.0), "%")),
            _ => None,
        }
    }

    /// The columns of ours, the range over seeds and the difference, as text.
    pub fn columns(&self) -> [String; 3] {
        let text = |text: Option<String>| text.unwrap_or("-".into());
        [
            text(self.ours.map(|value| format!("{value:.1}"))),
            text(self.range.map(|(low, high)| format!("{low:.1} to {high:.1}"))),
            text(self.difference().map(|(difference, unit)| format!("{difference:+.1} {unit}"))),
        ]
    }
}

/// Paper, ours and difference of every figure that `seeds` (the records of each) and `facts` say something to; with
/// `unanswered`, of the others too.
///
/// # Errors
/// When the table of figures is malformed.
pub fn rows(seeds: &[Records], facts: &BTreeMap<char, Facts>, unanswered: bool) -> Result<Vec<Row>> {
    let row = |target: Target| {
        let values: Vec<f64> = match of_facts(&target, facts) {
            Some(value) => vec![value],
            None => seeds.iter().filter_map(|records| of_records(&target, records)).collect(),
        };
        let each = || values.iter().copied();
        let range = each().reduce(f64::min).zip(each().reduce(f64::max));
        Row { ours: mean(each()), range: range.filter(|_| values.len() > 1), target }
    };
    Ok(all()?.into_iter().map(row).filter(|row| unanswered || row.ours.is_some()).collect())
}

/// The comparison as text; with a column for the range if there is one.
pub fn table(rows: &[Row]) -> String {
    let width = if rows.iter().any(|row| row.range.is_some()) { 22 } else { 0 };
    let column = |text: &str| if width > 0 { format!("{text:>width$}") } else { String::new() };
    let mut text = format!(
        "{:<24}{:<53}{:>12}{:>12}{}{:>18}  {}\n",
        "configuration",
        "figure",
        "paper",
        "ours",
        column("range"),
        "difference",
        "where"
    );
    for row in rows {
        let [ours, range, difference] = row.columns();
        let name = format!("{} ({})", row.target.metric, row.target.unit);
        text += &format!(
            "{:<24}{name:<53}{:>12}{ours:>12}{}{difference:>18}  {}\n",
            row.target.config,
            row.target.value,
            column(&range),
            row.target.place
        );
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::experiment::Options;

    pub fn record(config: &str, metrics: &[(&str, f64)]) -> Record {
        Record {
            config: config.parse().unwrap(),
            options: Options::default(),
            workload: "test".into(),
            clients: 1,
            core_mhz: 100,
            metrics: metrics.iter().map(|&(name, value)| (name.to_string(), value)).collect(),
            profile: BTreeMap::new(),
            series: Vec::new(),
            measured_from_us: 0,
            simulated_us: 1,
            core_cycles: 100,
            failures: Vec::new(),
            wall_clock_s: 0.0,
        }
    }

    fn records(list: &[(&str, f64)]) -> Records {
        list.iter().map(|&(name, rate)| (name.to_string(), record(name, &[("request_rate", rate)]))).collect()
    }

    #[test]
    fn every_line_of_the_table_can_be_answered() {
        let targets = all().unwrap();
        assert_eq!(targets.len(), 70);
        for target in &targets {
            let known =
                target.config == "all" || target.config == "W" || target.config.parse::<Config>().is_ok();
            assert!(known, "{target:?}");
        }
        assert!(parse("head\nW-0-N-N-FCFS-400,request_rate,req/s,many,Table 1").is_err());
        assert!(parse("head\nW-0-N-N-FCFS-400,request_rate").is_err());
    }

    #[test]
    fn gains_are_over_the_right_run() {
        let records = records(&[
            ("W-0-N-N-FCFS-400", 100.0),
            ("W-4096-P-L-FCFS-400", 112.0),
            ("W-256-P-L-FCFS-400", 104.0),
            ("W-256-P-L-T20-400", 130.0),
            ("I-0-N-N-FCFS-400", 100.0),
            ("I-4096-P-L-FCFS-400", 110.0),
            ("I-4096-P-L-FCFS-600", 121.0),
            ("W-4096-P-L-FCFS-800", 180.0),
        ]);
        let find = |config: &str, metric: &str| {
            let target =
                all().unwrap().into_iter().find(|t| t.config == config && t.metric == metric).unwrap();
            of_records(&target, &records).unwrap()
        };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(near(find("W-4096-P-L-FCFS-400", "request_rate_gain_over_no_handoff"), 12.0));
        assert!(near(find("W-256-P-L-T20-400", "request_rate_gain_over_FCFS"), 25.0));
        assert!(near(find("I-4096-P-L-FCFS-600", "request_rate_gain_over_400"), 10.0));
        assert!(near(find("all", "best_gain_with_faster_nic_low"), 21.0));
        assert!(near(find("all", "best_gain_with_faster_nic_high"), 80.0));
    }

    #[test]
    fn several_seeds_have_means_and_a_range() {
        let seeds: Vec<Records> = [(100.0, 90.0), (200.0, 240.0)]
            .map(|(without, with)| records(&[("W-0-N-N-FCFS-400", without), ("W-4096-P-L-FCFS-400", with)]))
            .into();
        assert_eq!(means(&seeds)["W-4096-P-L-FCFS-400"].metric("request_rate"), Some(165.0));
        let of = |seeds: &[Records], metric: &str| {
            let mut rows = rows(seeds, &BTreeMap::new(), false).unwrap();
            rows.retain(|row| row.target.config == "W-4096-P-L-FCFS-400" && row.target.metric == metric);
            rows.pop().unwrap()
        };
        let near = |ours: Option<f64>, value: f64| (ours.unwrap() - value).abs() < 1e-6;
        let row = of(&seeds, "request_rate");
        assert!(near(row.ours, 165.0) && row.range == Some((90.0, 240.0)));
        let text = table(&[row]);
        assert!(text.contains("range") && text.contains("90.0 to 240.0"), "{text}");
        // A gain is over the run of the same seed: -10 and +20 %, and not 165 over 150.
        let row = of(&seeds, "request_rate_gain_over_no_handoff");
        let (low, high) = row.range.unwrap();
        assert!(near(row.ours, 5.0) && near(Some(low), -10.0) && near(Some(high), 20.0), "{row:?}");
        let row = of(&seeds[..1], "request_rate");
        assert!(near(row.ours, 90.0) && row.range.is_none() && !table(&[row]).contains("range"));
    }

    #[test]
    fn differences_are_points_or_percent() {
        let row = |unit: &str, value, ours| Row {
            target: Target {
                config: "all".into(),
                metric: "m".into(),
                unit: unit.into(),
                value,
                place: "p".into(),
            },
            ours: Some(ours),
            range: None,
        };
        assert_eq!(row("%", 62.0, 60.0).difference(), Some((-2.0, "points")));
        let (percent, unit) = row("req/s", 200.0, 210.0).difference().unwrap();
        assert!((percent - 5.0).abs() < 1e-9 && unit == "%");
        assert!(table(&[row("%", 62.0, 60.0)]).contains("-2.0 points"));
    }
}

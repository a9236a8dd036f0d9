//! A waveform as a picture: signals of an FST file over a window of time, drawn as SVG.

use anyhow::{bail, ensure, Context, Result};
use fst_reader::{FstFilter, FstHierarchyEntry, FstReader, FstSignalHandle, FstSignalValue};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::BufReader;
use std::path::Path;

/// Most signals in a picture.
const SIGNALS_MAX: usize = 64;
const ROW: f64 = 26.0;
const NAMES: f64 = 260.0;
const WIDTH: f64 = 1000.0;

/// A signal and its changes within the window, the value before it first; times in units of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    pub name: String,
    pub bits: u32,
    pub changes: Vec<(u64, String)>,
}

/// Reads the signals whose full name contains one of `patterns` (as `nic_top.rx_tvalid`), from `from` to `to` in the file's units;
/// without `patterns` those of the outermost scope.
///
/// # Errors
/// When the file is no FST file, a pattern matches nothing, or too many signals match.
pub fn read(path: &Path, patterns: &[String], from: u64, to: Option<u64>) -> Result<(Vec<Trace>, u64, u64)> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = FstReader::open(BufReader::new(file))
        .map_err(|error| anyhow::anyhow!("{} is no FST waveform: {error}", path.display()))?;
    let header = reader.get_header();
    let from = from.max(header.start_time);
    let to = to.unwrap_or(header.end_time).min(header.end_time);
    ensure!(
        from < to,
        "the window is empty: the waveform runs from {} to {}",
        header.start_time,
        header.end_time
    );
    let mut scopes: Vec<String> = Vec::new();
    let mut all: Vec<(String, u32, FstSignalHandle)> = Vec::new();
    reader
        .read_hierarchy(|entry| match entry {
            FstHierarchyEntry::Scope { name, .. } => scopes.push(name),
            FstHierarchyEntry::UpScope => {
                scopes.pop();
            }
            FstHierarchyEntry::Var { name, length, handle, .. } => {
                let prefix: String = scopes.iter().map(|scope| format!("{scope}.")).collect();
                all.push((format!("{prefix}{name}"), length, handle));
            }
            _ => {}
        })
        .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    let chosen = choose(&all, patterns)?;
    let mut traces: BTreeMap<usize, Vec<Trace>> = BTreeMap::new();
    for (name, bits, handle) in chosen {
        let trace = Trace { name: name.clone(), bits: *bits, changes: Vec::new() };
        traces.entry(handle.get_index()).or_default().push(trace);
    }
    let handles = chosen_handles(&all, &traces);
    // From the start, so that the value at the window's edge is known.
    let filter = FstFilter::new(header.start_time, to, handles);
    reader
        .read_signals(&filter, |time, handle, value| {
            let value = match value {
                FstSignalValue::String(bits) => String::from_utf8_lossy(bits).into_owned(),
                FstSignalValue::Real(real) => real.to_string(),
            };
            for trace in traces.get_mut(&handle.get_index()).into_iter().flatten() {
                if time <= from {
                    trace.changes.clear();
                }
                trace.changes.push((time.max(from), value.clone()));
            }
        })
        .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    let mut traces: Vec<Trace> = traces.into_values().flatten().collect();
    traces.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((traces, from, to))
}

type Signal = (String, u32, FstSignalHandle);

fn choose<'a>(all: &'a [Signal], patterns: &[String]) -> Result<Vec<&'a Signal>> {
    let mut chosen: Vec<&Signal> = Vec::new();
    if patterns.is_empty() {
        let depth = |name: &str| name.matches('.').count();
        let least = all.iter().map(|(name, ..)| depth(name)).min().unwrap_or(0);
        chosen.extend(all.iter().filter(|(name, ..)| depth(name) == least).take(SIGNALS_MAX));
    }
    for pattern in patterns {
        let before = chosen.len();
        chosen.extend(all.iter().filter(|(name, ..)| name.contains(pattern.as_str())));
        if chosen.len() == before {
            let near: Vec<&str> = all.iter().map(|(name, ..)| name.as_str()).take(8).collect();
            bail!(
                "no signal's name contains {pattern:?}; there are {} signals, such as {}",
                all.len(),
                near.join(", ")
            );
        }
    }
    chosen.sort_by(|a, b| a.0.cmp(&b.0));
    chosen.dedup_by(|a, b| a.0 == b.0);
    ensure!(
        chosen.len() <= SIGNALS_MAX,
        "{} signals match, more than {SIGNALS_MAX}: name them more closely",
        chosen.len()
    );
    Ok(chosen)
}

fn chosen_handles(all: &[Signal], traces: &BTreeMap<usize, Vec<Trace>>) -> Vec<FstSignalHandle> {
    let mut handles: BTreeMap<usize, FstSignalHandle> = BTreeMap::new();
    for (_, _, handle) in all.iter().filter(|(_, _, handle)| traces.contains_key(&handle.get_index())) {
        handles.insert(handle.get_index(), FstSignalHandle::from_index(handle.get_index()));
    }
    handles.into_values().collect()
}

/// A value in hexadecimal, or as it is if some bit is unknown.
fn show(value: &str) -> String {
    if value.len() > 128 || !value.bytes().all(|b| b == b'0' || b == b'1') {
        return value.chars().take(34).collect();
    }
    u128::from_str_radix(value, 2).map_or_else(|_| value.into(), |number| format!("{number:x}"))
}

/// The picture.
pub fn svg(traces: &[Trace], from: u64, to: u64) -> String {
    let height = ROW * (traces.len() as f64 + 1.5);
    let x = |time: u64| NAMES + (time.clamp(from, to) - from) as f64 / (to - from) as f64 * (WIDTH - 10.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{height}\" viewBox=\"0 0 {0} {height}\" \
         font-family=\"monospace\" font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        NAMES + WIDTH
    );
    // Writing to a string does not fail.
    for step in 0..=10 {
        let time = from + (to - from) * step / 10;
        let at = x(time);
        let _ = writeln!(
            out,
            "<line x1=\"{at:.1}\" y1=\"18\" x2=\"{at:.1}\" y2=\"{height}\" stroke=\"#e4e4e0\"/>\
             <text x=\"{at:.1}\" y=\"14\" text-anchor=\"middle\" fill=\"#777\" font-size=\"10\">{time}</text>"
        );
    }
    for (row, trace) in traces.iter().enumerate() {
        let top = ROW * (row as f64 + 1.0);
        let name = super::page::escape(&trace.name);
        let _ = writeln!(out, "<text x=\"6\" y=\"{:.1}\" fill=\"#222\">{name}</text>", top + 17.0);
        let (high, low) = (top + 5.0, top + 21.0);
        let ends = trace.changes.iter().skip(1).map(|&(time, _)| time).chain([to]);
        let mut path = String::new();
        for ((time, value), end) in trace.changes.iter().zip(ends) {
            let (a, b) = (x(*time), x(end));
            if b - a < 0.05 {
                continue;
            }
            if trace.bits == 1 {
                let y = if value == "1" { high } else { low };
                let _ = write!(path, "{}{a:.1} {y} L{b:.1} {y} ", if path.is_empty() { "M" } else { "L" });
            } else {
                let _ = write!(
                    path,
                    "M{a:.1} {0} L{1:.1} {high} L{2:.1} {high} L{b:.1} {0} L{2:.1} {low} L{1:.1} {low} Z ",
                    (high + low) / 2.0,
                    a + (b - a).min(4.0) / 2.0,
                    b - (b - a).min(4.0) / 2.0
                );
                let text = show(value);
                if b - a > 7.5 * text.len() as f64 + 8.0 {
                    let _ = writeln!(
                        out,
                        "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#333\" font-size=\"11\">{text}</text>",
                        a + 6.0,
                        top + 17.0
                    );
                }
            }
        }
        let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"#1f5aa0\"/>");
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(name: &str, bits: u32, changes: &[(u64, &str)]) -> Trace {
        let changes = changes.iter().map(|&(time, value)| (time, value.to_string())).collect();
        Trace { name: name.into(), bits, changes }
    }

    #[test]
    fn values_are_drawn_where_they_change() {
        let traces = [
            trace("top.valid", 1, &[(0, "0"), (50, "1")]),
            trace("top.data", 8, &[(0, "00000000"), (50, "11111010")]),
        ];
        let svg = svg(&traces, 0, 100);
        assert!(svg.contains("top.valid") && svg.contains(">fa<"), "{svg}");
        // The edge is in the middle of the window.
        assert!(svg.contains(&format!("L{:.1} {}", NAMES + (WIDTH - 10.0) / 2.0, ROW + 5.0)), "{svg}");
    }

    #[test]
    fn unknown_bits_are_shown_as_they_are() {
        assert_eq!((show("1010").as_str(), show("1x10").as_str()), ("a", "1x10"));
    }

    #[test]
    fn files_that_are_no_waveforms_are_refused() {
        assert!(read(Path::new("/nowhere"), &[], 0, None).is_err());
        let path = std::env::temp_dir().join(format!("baton-wave-{}", std::process::id()));
        std::fs::write(&path, b"not a waveform").unwrap();
        let error = read(&path, &[], 0, None).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(error.contains("no FST waveform"), "{error}");
    }
}

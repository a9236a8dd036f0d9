//! Two records side by side.

use super::Record;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// Reads a record.
///
/// # Errors
/// When the file cannot be read or is no record.
pub fn load(path: &Path) -> Result<Record> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no record of `baton run` or `baton reproduce`", path.display()))
}

/// What differs in how two runs were made, and all that was measured.
pub fn text(a: &Record, b: &Record) -> Result<String> {
    let mut text = format!("A: {}  {} MHz\nB: {}  {} MHz\n", a.config, a.core_mhz, b.config, b.core_mhz);
    let (of_a, of_b) = (serde_json::to_value(&a.options)?, serde_json::to_value(&b.options)?);
    if let (Some(of_a), Some(of_b)) = (of_a.as_object(), of_b.as_object()) {
        for (name, value) in of_a.iter().filter(|(name, value)| of_b.get(*name) != Some(value)) {
            text += &format!(
                "option {name}: {value} and {}\n",
                of_b.get(name).unwrap_or(&serde_json::Value::Null)
            );
        }
    }
    text += &format!("{:<40}{:>16}{:>16}{:>16}\n", "", "A", "B", "B over A");
    let rows = |name: &str, a: Option<&f64>, b: Option<&f64>| {
        let show = |v: Option<&f64>| v.map_or("-".into(), |v| format!("{v:.2}"));
        let change = match (a, b) {
            (Some(&a), Some(&b)) if a != 0.0 => format!("{:+.1} %", 100.0 * (b / a - 1.0)),
            _ => "-".into(),
        };
        format!("{name:<40}{:>16}{:>16}{change:>16}\n", show(a), show(b))
    };
    let names: BTreeSet<&String> = a.metrics.keys().chain(b.metrics.keys()).collect();
    for name in names {
        text += &rows(name, a.metrics.get(name), b.metrics.get(name));
    }
    let names: BTreeSet<&String> = a.profile.keys().chain(b.profile.keys()).collect();
    for name in names {
        text += &rows(&format!("cycles in {name} (%)"), a.profile.get(name), b.profile.get(name));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::targets::tests::record;
    use super::*;

    #[test]
    fn it_shows_what_differs() {
        let a = record("W-0-N-N-FCFS-400", &[("request_rate", 100.0), ("only_a", 1.0)]);
        let mut b = record("W-256-N-N-FCFS-400", &[("request_rate", 104.0)]);
        b.options.seed = 7;
        let text = text(&a, &b).unwrap();
        assert!(
            text.contains("+4.0 %") && text.contains("option seed: 1 and 7") && text.contains("only_a"),
            "{text}"
        );
        assert!(!text.contains("option hiwat"));
        assert!(load(Path::new("/nowhere")).is_err());
    }
}

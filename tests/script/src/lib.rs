//! Packet scripts: a small language in which a test plays the peer of a TCP endpoint, and the runner of such tests.
//!
//! A script injects segments at stated times, expects segments within a tolerance and makes socket calls
//! (`docs/scripts.md` has the grammar and its meaning). It knows nothing of what it runs against: that is an
//! [`Endpoint`]. The bare engine is one ([`engine::Engine`]); the host's stack and the whole NIC are others, in the
//! crates that have them.

pub mod ast;
pub mod endpoint;
pub mod engine;
mod parse;
mod report;
mod run;
mod segment;

pub use ast::{Script, Setting};
pub use endpoint::{Endpoint, Event, Output};
pub use parse::{parse, ParseError};
pub use run::run;
pub use segment::{pattern, Segment, Stream};

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Ending of a script's file name.
pub const EXTENSION: &str = "script";

/// The folder of this project's scripts.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts")
}

/// All scripts below `folder`, in the order of their paths. `BATON_SCRIPT` in the environment keeps only those whose path
/// contains it.
///
/// # Errors
/// When a file cannot be read or does not parse.
pub fn load(folder: &Path) -> Result<Vec<Script>> {
    let only = std::env::var("BATON_SCRIPT").unwrap_or_default();
    let mut paths = Vec::new();
    find(folder, &mut paths)?;
    paths.sort();
    paths
        .into_iter()
        .filter(|path| path.to_string_lossy().contains(&only))
        .map(|path| {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
            Ok(parse(&name, &text)?)
        })
        .collect()
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == EXTENSION) {
            paths.push(path);
        }
    }
    Ok(())
}

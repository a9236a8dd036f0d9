//! The paper's experiments: a configuration by its shorthand, one run of it, records, pages, and their reproduction.

pub mod chart;
pub mod config;
pub mod page;
pub mod record;
pub mod run;

pub use config::{Capacity, Config, Options};
pub use record::Record;

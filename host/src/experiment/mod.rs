//! The paper's experiments: a configuration by its shorthand, one run of it, records, pages, and their reproduction.

pub mod chart;
pub mod compare;
pub mod config;
pub mod jobs;
pub mod page;
pub mod record;
pub mod reproduce;
pub mod run;
pub mod slurm;
pub mod targets;
pub mod wave;

pub use config::{Capacity, Config, Options};
pub use record::Record;

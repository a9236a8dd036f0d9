//! `FCFS`: a handoff is attempted when a connection is established, in order of arrival. The paper's simplest policy.
//! `NONE` never hands off.

use super::{Context, Policy};
use crate::server::{FirstCome, Never, Selection};
use anyhow::Result;

pub const POLICY: Policy =
    Policy { name: "FCFS", summary: "first come, first served; NONE hands nothing off", parse };

fn parse(word: &str, _: &Context) -> Result<Option<Box<dyn Selection>>> {
    Ok(match word {
        "FCFS" => Some(Box::<FirstCome>::default()),
        "NONE" => Some(Box::new(Never)),
        _ => None,
    })
}

//! `AGEn`: a connection is handed off once it is `n` milliseconds old.

use super::{number, Context, Policy};
use crate::server::{Connection, Decision, NicLoad, Selection};
use anyhow::Result;

pub const POLICY: Policy = Policy { name: "AGEn", summary: "once it is n milliseconds old", parse };

struct Age(u64);

impl Selection for Age {
    fn offer(&mut self, connection: &Connection, load: NicLoad) -> Decision {
        let age_us = connection.now_us - connection.established_us;
        if age_us >= 1000 * self.0 && load.connections < load.soft_limit {
            Decision::Attempt
        } else {
            Decision::Wait
        }
    }
}

fn parse(word: &str, _: &Context) -> Result<Option<Box<dyn Selection>>> {
    Ok(number(word, "AGE", None)?.map(|n| Box::new(Age(n)) as Box<dyn Selection>))
}

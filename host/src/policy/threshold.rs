//! `Tn`: a handoff is attempted at the `n`th enqueue operation to a connection's send buffer (the paper, Section 5.2).

use super::{number, Context, Policy};
use crate::server::{Connection, Decision, NicLoad, Selection};
use anyhow::Result;

pub const POLICY: Policy =
    Policy { name: "Tn", summary: "at the nth enqueue to the send buffer, as T4 or T20", parse };

struct Threshold(u64);

impl Selection for Threshold {
    fn offer(&mut self, connection: &Connection, _: NicLoad) -> Decision {
        if u64::from(connection.enqueues) >= self.0 {
            Decision::Attempt
        } else {
            Decision::Wait
        }
    }
}

fn parse(word: &str, _: &Context) -> Result<Option<Box<dyn Selection>>> {
    Ok(number(word, "T", None)?.map(|n| Box::new(Threshold(n)) as Box<dyn Selection>))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn it_attempts_from_the_nth_enqueue_on_and_not_before() {
        let mut policy = Threshold(4);
        assert_eq!(policy.offer(&connection(1, 3, 0), FREE), Decision::Wait);
        assert_eq!(policy.offer(&connection(1, 4, 0), FREE), Decision::Attempt);
        // The attempt is made without room too, and fails: as in the paper.
        assert_eq!(policy.offer(&connection(1, 5, 0), FULL), Decision::Attempt);
    }
}

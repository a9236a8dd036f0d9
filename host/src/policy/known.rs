//! `KNOWNn`: the operating system knows what `sendfile` has queued, so a connection is handed off when at least `n` packets wait
//! to be sent on it (16 if no number is given) and the NIC has room.

use super::{number, Context, Policy};
use crate::server::selection::SEGMENT_BYTES;
use crate::server::{Connection, Decision, NicLoad, Selection};
use anyhow::Result;

pub const POLICY: Policy =
    Policy { name: "KNOWNn", summary: "when n packets or more are queued (KNOWN: 16)", parse };

struct Known(u64);

/// Packets that the unacknowledged bytes of a connection fill.
pub fn queued_packets(connection: &Connection) -> u64 {
    connection.queued.div_ceil(u64::from(SEGMENT_BYTES))
}

impl Selection for Known {
    fn offer(&mut self, connection: &Connection, load: NicLoad) -> Decision {
        if queued_packets(connection) >= self.0 && load.connections < load.soft_limit {
            Decision::Attempt
        } else {
            Decision::Wait
        }
    }
}

fn parse(word: &str, _: &Context) -> Result<Option<Box<dyn Selection>>> {
    Ok(number(word, "KNOWN", Some(16))?.map(|n| Box::new(Known(n)) as Box<dyn Selection>))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn it_minds_what_is_queued_and_the_room() {
        let mut policy = Known(10);
        assert_eq!(policy.offer(&connection(1, 50, 9), FREE), Decision::Wait);
        assert_eq!(policy.offer(&connection(1, 10, 10), FREE), Decision::Attempt);
        assert_eq!(policy.offer(&connection(1, 10, 10), FULL), Decision::Wait);
    }
}

//! What a connection's change of hands costs the host's processor and the NIC's core, and what it is for: the price that selection policies
//! reckon with.
//!
//! The NIC's part is in instructions of the firmware, from docs/firmware.md. The host's cost and its saving are measured on the cost model, on operations in the order in which the server does them: connections take turns, so that their
//! structures are out of the caches as in an experiment, and each sends a response that is acknowledged. Interrupts are left out.

use baton_abi::handoff::RECORD_WORDS;

use super::{MachineConfig, Meter};

/// Connections that take turns: those of an experiment.
const CONNECTIONS: u16 = 2048;
/// Payload of a segment.
const SEGMENT: u32 = 1448;
/// Bytes of a command or event without a record.
const MESSAGE: u32 = 32;
const RECORD: u32 = 4 * RECORD_WORDS as u32 + 8;
/// Where frames, descriptors and messages lie; each ring comes round.
const FRAMES: u32 = 0x1000_0000;
const DESCRIPTORS: u32 = 0x1100_0000;
const COMMANDS: u32 = 0x1200_0000;
const EVENTS: u32 = 0x1300_0000;
const FILES: u32 = 0x2000_0000;
const RING: u32 = 4096;

/// Who has the connection while it sends a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Host,
    Nic,
    /// The NIC, to which it was handed for this response.
    Handed,
    /// The same, and it is taken back afterwards.
    HandedAndBack,
}

/// Host memory in use, as rings.
#[derive(Default)]
struct Turn(u32);

impl Turn {
    fn next(&mut self, base: u32, bytes: u32) -> u32 {
        self.0 = self.0.wrapping_add(1);
        base + self.0 % RING * bytes.next_power_of_two()
    }
}

/// Cycles of the host for one response of so many segments, from the append to the last acknowledgement.
fn cycles(owner: Owner, segments: u32) -> f64 {
    let mut meter = Meter::new(&MachineConfig::paper());
    let mut turn = Turn::default();
    for conn in 0..CONNECTIONS {
        meter.opened(conn);
    }
    let mut round = || {
        let before = meter.profile(0);
        for turn_of in 0..CONNECTIONS {
            // In an order that is not that of the structures in memory.
            let conn = (u32::from(turn_of) * 1237 % u32::from(CONNECTIONS)) as u16;
            respond(&mut meter, &mut turn, conn, owner, segments);
        }
        meter.profile(0).since(&before).busy_cycles() as f64 / f64::from(CONNECTIONS)
    };
    for _ in 0..2 {
        round();
    }
    round()
}

fn respond(meter: &mut Meter, turn: &mut Turn, conn: u16, owner: Owner, segments: u32) {
    let event = |meter: &mut Meter, turn: &mut Turn, bytes: u32| {
        let at = turn.next(EVENTS, bytes);
        meter.dma_wrote(at, bytes);
        meter.event(Some(conn), at, bytes);
    };
    let bytes = segments * SEGMENT;
    meter.sendfile(conn, FILES + u32::from(conn) * 65_536, bytes);
    if owner == Owner::Host {
        for segment in 0..segments {
            meter.tcp_out(conn, turn.next(DESCRIPTORS, 16), segment * SEGMENT, SEGMENT);
            // Every second segment is acknowledged, and the last.
            if segment % 2 == 1 || segment + 1 == segments {
                let frame = turn.next(FRAMES, 1536);
                meter.dma_wrote(frame, 66);
                meter.frame_in(turn.next(DESCRIPTORS, 16), frame);
                meter.tcp_in(conn, frame + 66, 0);
            }
        }
        meter.index_block(FRAMES - 64, segments);
        meter.acknowledged(conn, bytes);
        return;
    }
    if owner != Owner::Nic {
        meter.record(conn);
        meter.command(conn, turn.next(COMMANDS, RECORD), RECORD);
        event(meter, turn, MESSAGE);
    }
    meter.command(conn, turn.next(COMMANDS, MESSAGE), MESSAGE);
    event(meter, turn, MESSAGE);
    meter.acknowledged(conn, bytes);
    if owner == Owner::HandedAndBack {
        meter.command(conn, turn.next(COMMANDS, MESSAGE), MESSAGE);
        event(meter, turn, RECORD);
        meter.record(conn);
    }
}

/// What moving costs and saves, in cycles of the host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moves {
    pub handoff: f64,
    pub restore: f64,
    /// Saved by a segment that the NIC sends instead of the host, with its share of acknowledgements.
    pub segment: f64,
    /// What a response costs on the NIC, whose messages are two whatever its length, beyond what one without segments does on the host.
    pub response: f64,
}

/// Instructions of the NIC's core for a handoff, for a restore, and for a segment that it sends with everything around it.
pub const NIC_HANDOFF: f64 = 1076.0;
pub const NIC_RESTORE: f64 = 1091.0;
pub const NIC_SEGMENT: f64 = 172.1;

/// What [`Moves::measured`] finds, to the cycle; a test measures again.
pub const MOVES: Moves = Moves { handoff: 14687.0, restore: 10389.0, segment: 6866.0, response: -752.0 };

impl Moves {
    /// As measured on the cost model.
    pub fn measured() -> Moves {
        const SEGMENTS: u32 = 16;
        let [nic, handed, back] =
            [Owner::Nic, Owner::Handed, Owner::HandedAndBack].map(|owner| cycles(owner, SEGMENTS));
        // Buffers cost the same on either side: what two more segments add on the host beyond what they add on the NIC.
        let added = |owner| (cycles(owner, SEGMENTS + 16) - cycles(owner, SEGMENTS)) / 16.0;
        let segment = added(Owner::Host) - added(Owner::Nic);
        let response = nic - (cycles(Owner::Host, SEGMENTS) - segment * f64::from(SEGMENTS));
        Moves { handoff: handed - nic, restore: back - handed, segment, response }
    }

    /// A handoff and a restore in segments: as many as either machine could have dealt with in the meantime, of both the greater number.
    pub fn in_segments(&self) -> [f64; 2] {
        let dearer = |host: f64, nic: f64| (host / self.segment).max(nic / NIC_SEGMENT);
        [dearer(self.handoff, NIC_HANDOFF), dearer(self.restore, NIC_RESTORE)]
    }

    /// The fewest segments of a response for which it is worth being handed off, and taken back if `back`: the host saves more than it
    /// spends, and the NIC, of whose time this share counts, spends no more on moving the connection than on the response.
    pub fn least(&self, back: bool, scarcity: f64) -> f64 {
        let or_none = |restore| if back { restore } else { 0.0 };
        let host = (self.response + self.handoff + or_none(self.restore)) / self.segment;
        host.max(scarcity * (NIC_HANDOFF + or_none(NIC_RESTORE)) / NIC_SEGMENT).ceil()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_reckon_with_what_is_measured() {
        let Moves { handoff, restore, segment, response } = Moves::measured();
        let [handoff, restore, segment, response] = [handoff, restore, segment, response].map(f64::round);
        assert_eq!(Moves { handoff, restore, segment, response }, MOVES);
        let document = include_str!("../../../docs/firmware.md");
        assert!(document.contains(&format!("HANDOFF takes {NIC_HANDOFF} instructions")));
        assert!(document.contains(&format!("its record {NIC_RESTORE}, waking")));
        assert!(document.contains(&format!("| `tx_segment_all_instructions` | {NIC_SEGMENT} |")));
        let policies = include_str!("../../../docs/policies.md");
        assert!(
            policies.contains(&format!("{segment} saved | {NIC_SEGMENT} spent |")),
            "docs/policies.md: a segment's price"
        );
    }

    #[test]
    fn the_least_response_saves_the_host_more_than_it_costs() {
        let all = [false, true].map(|back| [0.0, 0.5, 1.0].map(|scarcity| (back, scarcity)));
        for (back, scarcity) in all.into_iter().flatten() {
            let owner = if back { Owner::HandedAndBack } else { Owner::Handed };
            let saves = |segments| cycles(Owner::Host, segments) - cycles(owner, segments);
            let nic = scarcity * (NIC_HANDOFF + if back { NIC_RESTORE } else { 0.0 });
            let least = MOVES.least(back, scarcity);
            assert!(saves(least as u32) > 0.0 && least * NIC_SEGMENT >= nic);
            assert!(saves(least as u32 - 1) < 0.0 || (least - 1.0) * NIC_SEGMENT < nic, "fewer would do");
        }
    }
}

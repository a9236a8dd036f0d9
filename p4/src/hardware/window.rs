//! The window: holds words of the frame back until those that the program looks ahead at have come.
//!
//! The receive path takes its words behind it, so that everything stays in step with the classifier. A word leaves once
//! it is followed by as many as the program may look at, or by the frame's last; so a frame's last word leaves at most
//! that many cycles and one after it came, and words leave as fast as they come. For a program that never looks ahead
//! it is wires.

use super::netlist::{Net, Netlist, RegId, Step};
use super::Module;

/// Words behind the present one at which a program may look.
pub const MAX_AHEAD: u32 = 10;
/// Of each word that is seen ahead: the word, whether it is the frame's last, and the two least bits of the length
/// then, which say how many of its bytes count, 0 for four.
pub const ENTRY_BITS: u32 = 35;

/// Bits of the port between window and classifier, which always has some.
pub fn port_bits(ahead: u32) -> u32 {
    ENTRY_BITS * ahead.max(1)
}

/// What goes along with a word.
const PORTS: [(&str, &str, u32); 5] = [
    ("word", "head_word", 32),
    ("last", "head_last", 1),
    ("len", "head_len", 15),
    ("from_wire", "head_from_wire", 1),
    ("bad_fcs", "head_bad_fcs", 1),
];

struct Place {
    valid: RegId,
    parts: Vec<RegId>,
}

/// The module, for programs that look at most so many words ahead.
pub fn module(ahead: u32) -> Module {
    let mut list = Netlist::default();
    let mut inputs = vec![("valid", 1)];
    inputs.extend(PORTS.map(|(name, _, width)| (name, width)));
    let valid = list.input("valid", 1);
    let arriving: Vec<Net> = PORTS.iter().map(|(name, _, width)| list.input(name, *width)).collect();
    let mut outputs = vec![];
    if ahead == 0 {
        outputs.push(("head_valid".to_string(), valid));
        outputs.extend(PORTS.iter().zip(arriving).map(|((_, name, _), net)| (name.to_string(), net)));
        outputs.push(("ahead".into(), list.constant(0u8, ENTRY_BITS)));
        return Module { name: "window", inputs, outputs, list, steps: vec![], clocked: true };
    }
    let places: Vec<Place> = (0..=ahead)
        .map(|at| Place {
            valid: list.register(format!("place {at} is taken"), 1),
            parts: PORTS
                .iter()
                .map(|(name, _, width)| list.register(format!("place {at} {name}"), *width))
                .collect(),
        })
        .collect();
    let taken: Vec<Net> = places.iter().map(|place| list.read(place.valid)).collect();
    let lasts: Vec<Net> = places.iter().map(|place| list.read(place.parts[1])).collect();

    // The first word leaves if all places are taken, or if the end of its frame is in one of them.
    let mut leaves = taken[ahead as usize];
    for (taken, last) in taken.iter().zip(&lasts) {
        let ends = list.and(*taken, *last);
        leaves = list.or(leaves, ends);
    }
    let mut steps = vec![];
    for (at, place) in places.iter().enumerate() {
        let no = list.bit(false);
        let before = if at == 0 { list.bit(true) } else { taken[at - 1] };
        let next = taken.get(at + 1).copied().unwrap_or(no);
        // The place behind the last one that is taken, now and after one has left.
        let not = list.not(taken[at]);
        let free_now = list.and(not, before);
        let not = list.not(next);
        let free_then = list.and(taken[at], not);
        let free = list.mux(leaves, free_then, free_now);
        let comes = list.and(valid, free);
        let stays = list.mux(leaves, next, taken[at]);
        let is_taken = list.or(comes, stays);
        steps.push(Step::Set(place.valid, is_taken));
        let moved = match places.get(at + 1) {
            None => vec![],
            Some(next) => {
                let parts = place.parts.iter().zip(&next.parts);
                parts.map(|(to, from)| Step::Set(*to, list.read(*from))).collect()
            }
        };
        let arrived = place.parts.iter().zip(&arriving).map(|(to, net)| Step::Set(*to, *net)).collect();
        let otherwise = match moved.is_empty() {
            true => vec![],
            false => vec![Step::If(leaves, moved, vec![])],
        };
        steps.push(Step::If(comes, arrived, otherwise));
    }
    outputs.push(("head_valid".to_string(), leaves));
    for ((_, name, _), part) in PORTS.iter().zip(&places[0].parts) {
        outputs.push((name.to_string(), list.read(*part)));
    }
    let mut seen = None;
    for place in &places[1..] {
        let [word, last, len] = [0, 1, 2].map(|part| list.read(place.parts[part]));
        let rest = list.slice(len, 0, 2);
        let entry = list.concat(last, word);
        let entry = list.concat(rest, entry);
        seen = Some(seen.map_or(entry, |low| list.concat(entry, low)));
    }
    outputs.extend(seen.map(|seen| ("ahead".into(), seen)));
    Module { name: "window", inputs, outputs, list, steps, clocked: true }
}

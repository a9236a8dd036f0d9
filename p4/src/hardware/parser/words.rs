//! What the machine sees of the frame: bytes of the present word, of those before in registers, and of those ahead.

use super::Generator;
use crate::diag::{Code, Diagnostic};
use crate::hardware::netlist::{Net, Step};
use crate::hardware::window::{port_bits, ENTRY_BITS, MAX_AHEAD};
use crate::ir::{HeaderId, VarId};
use crate::source::Span;

impl Generator<'_> {
    /// The word has so many bytes.
    pub(super) fn there(&mut self, bytes: u32) -> Net {
        if bytes <= 1 || (self.starts && bytes <= 2) {
            return self.list.bit(true);
        }
        let last = self.list.input("last", 1);
        let len = self.list.input("len", 15);
        // The two least bits of the length say how many there are, 0 that there are four.
        let rest = self.list.slice(len, 0, 2);
        let mut short = self.list.bit(false);
        for less in 1..bytes {
            let less = self.list.constant(less, 2);
            let equal = self.list.eq(rest, less);
            short = self.list.or(short, equal);
        }
        let short = self.list.and(last, short);
        self.list.not(short)
    }

    /// The frame has fewer bytes than so many, counted from the first of this word on.
    pub(super) fn ends_before(&mut self, bytes: u32) -> Net {
        let Some(word) = bytes.checked_sub(1).map(|last| last / 4) else { return self.list.bit(false) };
        if word == 0 {
            let there = self.there(bytes);
            return self.list.not(there);
        }
        // What is seen behind the frame's end may be anything: but then the end is before it.
        let mut short = self.list.input("last", 1);
        for before in 1..word {
            let (last, _) = self.seen(before);
            short = self.list.or(short, last);
        }
        let (last, rest) = self.seen(word);
        for less in 1..bytes - 4 * word {
            let less = self.list.constant(less, 2);
            let equal = self.list.eq(rest, less);
            let ends = self.list.and(last, equal);
            short = self.list.or(short, ends);
        }
        short
    }

    /// Of a word behind this one: whether it is the frame's last, and how many of its bytes count then.
    pub(super) fn seen(&mut self, word: u32) -> (Net, Net) {
        let low = ENTRY_BITS * (word - 1);
        let seen = self.seen_port(word);
        (self.list.slice(seen, low + 32, 1), self.list.slice(seen, low + 33, 2))
    }

    /// The port of the words that are seen ahead, of which there are at least so many.
    pub(super) fn seen_port(&mut self, words: u32) -> Net {
        self.ahead = self.ahead.max(words);
        // What the first run makes is forgotten, and only then is the number not known.
        self.list.input("ahead", port_bits(self.ahead))
    }

    /// Bits of the packet from so many behind the present position on.
    pub(super) fn bits_ahead(&mut self, offset: u32, window: u32, width: u32, span: Span) -> Net {
        let from = 8 * self.behind + offset;
        let words = (from + width - 1) / 32;
        if (8 * self.behind + window).div_ceil(32) > MAX_AHEAD + 1 {
            if !self.refused.iter().any(|known| known.code == Code::HardwareLookahead) {
                self.refused.push(
                    Diagnostic::error(
                        Code::HardwareLookahead,
                        "the hardware cannot look so far ahead in the packet",
                    )
                    .at(span, format!("{window} bits ahead"))
                    .help(format!("it sees {} bits ahead of every place", 32 * MAX_AHEAD)),
                );
            }
            return self.list.constant(0u8, width);
        }
        let mut all = self.bits(0, 32);
        for word in 1..=words {
            let port = self.seen_port(word);
            let word = self.list.slice(port, ENTRY_BITS * (word - 1), 32);
            let word = self.in_order(word);
            all = self.list.concat(all, word);
        }
        let bits = 32 * (words + 1);
        self.list.slice(all, bits - from - width, width)
    }

    /// Bytes of a header from `done` on, which are in this word from a lane on, go to their registers.
    pub(super) fn capture(&mut self, header: HeaderId, done: u32, lane: u32, bytes: u32) -> Vec<Step> {
        let pieces = self.known.headers[header.index()].pieces.clone();
        let mut steps = vec![];
        for piece in pieces {
            let (from, end) = (piece.from, piece.from + piece.width);
            if from >= 8 * done && end <= 8 * (done + bytes) {
                let value = self.bits(8 * lane + from - 8 * done, piece.width);
                steps.push(Step::Set(piece.register, value));
            }
        }
        steps
    }

    /// Bits of the word in the order of the wire.
    pub(super) fn bits(&mut self, from: u32, width: u32) -> Net {
        let word = self.list.input("word", 32);
        let big = self.in_order(word);
        self.list.slice(big, 32 - from - width, width)
    }

    /// A word with the first byte on the wire as the most significant.
    pub(super) fn in_order(&mut self, word: Net) -> Net {
        let mut big = self.list.slice(word, 0, 8);
        for byte in 1..4 {
            let byte = self.list.slice(word, 8 * byte, 8);
            big = self.list.concat(big, byte);
        }
        big
    }

    /// A field of a header that is whole with this word, which has its bytes from `done` on from a lane on.
    pub(super) fn field(&mut self, header: HeaderId, var: VarId, done: u32, lane: u32) -> Net {
        let pieces = self.known.headers[header.index()].pieces.clone();
        let mut whole = None;
        for piece in pieces.iter().filter(|piece| piece.field == var) {
            let part = match piece.from >= 8 * done {
                true => self.bits(8 * lane + piece.from - 8 * done, piece.width),
                false => self.list.read(piece.register),
            };
            whole = Some(whole.map_or(part, |left| self.list.concat(left, part)));
        }
        whole.unwrap_or_else(|| self.list.constant(0u8, 1))
    }
}

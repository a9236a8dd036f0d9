//! A PHY's side of GMII: frames as symbols, and symbols as frames.
//!
//! [`Sender`] gives one symbol for each cycle of the receive clock, [`Receiver`] takes one for each cycle
//! of the line's clock. At 10 and 100 Mb/s a symbol is a nibble, the low one of a byte first. Nothing here
//! is timed; the bench has the clocks.

use std::collections::VecDeque;

/// What the data pins show in a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Symbol {
    /// `rx_dv` or `tx_en`.
    pub valid: bool,
    /// `rx_er` or `tx_er`.
    pub error: bool,
    pub data: u8,
}

/// Least gap between frames, in bytes.
pub const GAP: usize = 12;

/// The check sequence of a frame, in the order of the wire.
pub fn fcs(frame: &[u8]) -> [u8; 4] {
    (!frame.iter().fold(u32::MAX, |state, byte| baton_hdl::kit::crc32_byte(state, *byte))).to_le_bytes()
}

/// How a frame is put on the line, faults included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of 0x55 before the delimiter; a PHY may eat some of the seven.
    pub preamble: usize,
    /// Bytes without carrier after the frame.
    pub gap: usize,
    /// A bit of the check sequence is wrong.
    pub bad_fcs: bool,
    /// `rx_er` with this byte, counted from the first of the preamble.
    pub error_at: Option<usize>,
    /// Only so many bytes follow the delimiter; the carrier then ends.
    pub cut_to: Option<usize>,
}

impl Default for Shape {
    fn default() -> Self {
        Shape { preamble: 7, gap: GAP, bad_fcs: false, error_at: None, cut_to: None }
    }
}

/// The PHY's transmitting side, which the MAC receives.
#[derive(Clone, Debug)]
pub struct Sender {
    symbols: VecDeque<Symbol>,
    nibbles: bool,
    /// What the data pins show between frames: RGMII's status.
    pub idle: u8,
}

impl Sender {
    /// `nibbles`: 10 or 100 Mb/s.
    pub fn new(nibbles: bool) -> Self {
        Sender { symbols: VecDeque::new(), nibbles, idle: 0 }
    }

    /// Queues a frame, given without its check sequence.
    pub fn frame(&mut self, frame: &[u8], shape: &Shape) {
        let mut bytes = vec![0x55; shape.preamble];
        bytes.push(0xD5);
        let mut body = [frame, &fcs(frame)].concat();
        if shape.bad_fcs {
            *body.last_mut().expect("a frame has a check sequence") ^= 0x40;
        }
        body.truncate(shape.cut_to.unwrap_or(body.len()));
        bytes.extend(body);
        for (at, byte) in bytes.into_iter().enumerate() {
            self.byte(Symbol { valid: true, error: shape.error_at == Some(at), data: byte });
        }
        for _ in 0..shape.gap {
            self.byte(Symbol { data: self.idle, ..Symbol::default() });
        }
    }

    /// Queues one byte of anything.
    pub fn byte(&mut self, symbol: Symbol) {
        if self.nibbles {
            let doubled = |nibble: u8| nibble | nibble << 4;
            for data in [symbol.data & 15, symbol.data >> 4] {
                self.symbols.push_back(Symbol { data: doubled(data), ..symbol });
            }
        } else {
            self.symbols.push_back(symbol);
        }
    }

    /// Queues a symbol as it is.
    pub fn symbol(&mut self, symbol: Symbol) {
        self.symbols.push_back(symbol);
    }

    /// Cycles until the line is idle.
    pub fn pending(&self) -> usize {
        self.symbols.len()
    }

    /// The symbol of the next cycle.
    pub fn cycle(&mut self) -> Symbol {
        self.symbols.pop_front().unwrap_or(Symbol { data: self.idle, ..Symbol::default() })
    }
}

/// A frame as it stood on the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineFrame {
    /// Everything after the delimiter, check sequence included.
    pub bytes: Vec<u8>,
    /// Bytes of 0x55 before the delimiter.
    pub preamble: usize,
    /// Bytes without carrier before the frame.
    pub gap: usize,
    /// A symbol had the error signal.
    pub error: bool,
}

impl LineFrame {
    /// The frame without its check sequence, if that is right and no symbol was in error.
    pub fn payload(&self) -> Option<&[u8]> {
        let (frame, sequence) = self.bytes.split_last_chunk::<4>().map(|(f, s)| (f, *s))?;
        (!self.error && fcs(frame) == sequence).then_some(frame)
    }
}

/// The PHY's receiving side, which the MAC sends to.
#[derive(Clone, Debug)]
pub struct Receiver {
    nibbles: bool,
    symbols: Vec<Symbol>,
    idle: usize,
    gap: usize,
}

impl Receiver {
    /// `nibbles`: 10 or 100 Mb/s.
    pub fn new(nibbles: bool) -> Self {
        Receiver { nibbles, symbols: Vec::new(), idle: 0, gap: 0 }
    }

    /// Takes a symbol, and gives the frame that ends with it. A carrier that is no frame, for want of a
    /// delimiter or with half a byte at its end, gives one with `error` and without bytes.
    pub fn cycle(&mut self, symbol: Symbol) -> Option<LineFrame> {
        if symbol.valid {
            if self.symbols.is_empty() {
                self.gap = std::mem::take(&mut self.idle);
            }
            self.symbols.push(symbol);
            return None;
        }
        self.idle += 1;
        (!self.symbols.is_empty()).then(|| self.end())
    }

    fn end(&mut self) -> LineFrame {
        let symbols = std::mem::take(&mut self.symbols);
        let per_byte = if self.nibbles { 2 } else { 1 };
        let bytes: Vec<u8> = match self.nibbles {
            true => symbols.chunks_exact(2).map(|pair| pair[0].data & 15 | pair[1].data << 4).collect(),
            false => symbols.iter().map(|symbol| symbol.data).collect(),
        };
        let preamble = bytes.iter().take_while(|byte| **byte == 0x55).count();
        let body = match bytes.get(preamble) {
            Some(0xD5) if symbols.len().is_multiple_of(per_byte) => Some(bytes[preamble + 1..].to_vec()),
            _ => None,
        };
        LineFrame {
            error: body.is_none() || symbols.iter().any(|symbol| symbol.error),
            bytes: body.unwrap_or_default(),
            preamble,
            gap: self.gap / per_byte,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_received_at_every_speed() {
        for nibbles in [false, true] {
            let (mut sender, mut receiver) = (Sender::new(nibbles), Receiver::new(nibbles));
            let frame: Vec<u8> = (0..61).collect();
            sender.frame(&frame, &Shape { gap: 15, ..Shape::default() });
            sender.frame(&frame, &Shape { bad_fcs: true, ..Shape::default() });
            let mut got = Vec::new();
            while sender.pending() > 0 {
                got.extend(receiver.cycle(sender.cycle()));
            }
            assert_eq!(got.len(), 2);
            assert_eq!((got[0].payload(), got[0].preamble), (Some(&frame[..]), 7));
            assert_eq!((got[1].payload(), got[1].gap), (None, 15));
        }
    }
}

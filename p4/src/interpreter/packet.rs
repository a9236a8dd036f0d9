//! The packet as a parser reads it.

use num_bigint::BigUint;

/// A packet and how far it has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'p> {
    bytes: &'p [u8],
    position_bits: usize,
}

impl<'p> Reader<'p> {
    pub fn new(bytes: &'p [u8]) -> Self {
        Reader { bytes, position_bits: 0 }
    }

    pub fn position_bytes(&self) -> usize {
        self.position_bits / 8
    }

    pub fn left_bits(&self) -> usize {
        self.bytes.len() * 8 - self.position_bits
    }

    /// Moves on. `None`, and no move, if that is beyond the end.
    pub fn advance(&mut self, width: usize) -> Option<()> {
        if width > self.left_bits() {
            return None;
        }
        self.position_bits += width;
        Some(())
    }

    /// The next bits as a number, the first the most significant. `None` if there are fewer.
    pub fn peek(&self, width: usize) -> Option<BigUint> {
        if width > self.left_bits() {
            return None;
        }
        let (start, end) = (self.position_bits, self.position_bits + width);
        let whole = BigUint::from_bytes_be(&self.bytes[start / 8..end.div_ceil(8)]);
        let behind = (8 - end % 8) % 8;
        let mask = (BigUint::from(1u8) << width) - 1u8;
        Some((whole >> behind) & mask)
    }

    pub fn read(&mut self, width: usize) -> Option<BigUint> {
        let number = self.peek(width)?;
        self.advance(width)?;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_most_significant() {
        let mut reader = Reader::new(&[0x45, 0xA7, 0x01]);
        let mut read = |width| reader.read(width).map(|number| u32::try_from(number).unwrap());
        assert_eq!(read(4), Some(4));
        assert_eq!(read(6), Some(0b01_0110));
        assert_eq!(read(0), Some(0));
        assert_eq!(read(15), None);
        assert_eq!(read(14), Some(0x2701));
        assert_eq!(read(1), None);
        assert_eq!((reader.left_bits(), reader.position_bytes()), (0, 3));
    }
}

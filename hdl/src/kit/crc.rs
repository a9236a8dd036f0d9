//! The Ethernet check sequence, as XOR equations.

use rust_hdl::prelude::*;

/// The polynomial of IEEE 802.3, clause 3.2.9, least significant bit first.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// The check sequence register after one more byte. It starts at all ones; the check sequence is its complement, sent
/// least significant byte first.
pub const fn crc32_byte(state: u32, byte: u8) -> u32 {
    let mut state = state ^ byte as u32;
    let mut bit = 0;
    while bit < 8 {
        state = if state & 1 == 1 { state >> 1 ^ POLYNOMIAL } else { state >> 1 };
        bit += 1;
    }
    state
}

/// `after` is the check sequence register `state` after `W / 8` bytes of `data`, the lowest byte first.
/// Combinational.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Crc32<const W: usize> {
    pub state: Signal<In, Bits<32>>,
    pub data: Signal<In, Bits<W>>,
    pub after: Signal<Out, Bits<32>>,
}

/// For each bit of the register after `bytes` bytes: which bits of the old one and of the data it is the XOR of.
fn equations(bytes: usize) -> Vec<(u32, u64)> {
    let ones = |probe: &dyn Fn(u32) -> u32, bit: u32, inputs: u32| -> u64 {
        (0..inputs).filter(|i| probe(*i) >> bit & 1 == 1).fold(0, |mask, i| mask | 1 << i)
    };
    // The function is linear: its value on each unit vector tells all.
    let of_state = |i: u32| (0..bytes).fold(1u32 << i, |state, _| crc32_byte(state, 0));
    let of_data =
        |i: u32| (0..bytes).fold(0, |state, n| crc32_byte(state, ((1u64 << i) >> (8 * n) & 0xFF) as u8));
    (0..32).map(|bit| (ones(&of_state, bit, 32) as u32, ones(&of_data, bit, 8 * bytes as u32))).collect()
}

impl<const W: usize> Logic for Crc32<W> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.after.connect();
    }

    fn hdl(&self) -> Verilog {
        assert!(W.is_multiple_of(8) && W > 0 && W <= 64, "{W} bits are no bytes");
        let lines: String = equations(W / 8)
            .into_iter()
            .enumerate()
            .map(|(bit, (state, data))| {
                format!("  after[{bit}] = ^(state & 32'h{state:x}) ^ ^(data & {W}'h{data:x});\n")
            })
            .collect();
        Verilog::Custom(format!("always @(*) begin\n{lines}end\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_is_that_of_the_catalogues() {
        assert_eq!(!b"123456789".iter().fold(!0, |state, byte| crc32_byte(state, *byte)), 0xCBF4_3926);
    }

    #[test]
    fn the_equations_are_the_function() {
        for bytes in [1, 4] {
            let equations = equations(bytes);
            for seed in 1u64..200 {
                let (state, data) =
                    ((seed * 0x9E37_79B9) as u32, seed.wrapping_mul(0xD134_2543_DE82_EF95) >> 13);
                let direct = (0..bytes).fold(state, |s, n| crc32_byte(s, (data >> (8 * n)) as u8));
                let data = data & ((1u64 << (8 * bytes)) - 1);
                let by_bits = equations.iter().enumerate().fold(0u32, |out, (bit, (s, d))| {
                    out | (((state & s).count_ones() + (data & d).count_ones()) & 1) << bit
                });
                assert_eq!(by_bits, direct);
            }
        }
    }
}

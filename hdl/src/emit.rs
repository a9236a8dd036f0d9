//! Emission of a circuit as Verilog text.

use rust_hdl::prelude::*;

/// Verilog of `circuit` and everything in it; the top module is called `top`.
///
/// # Panics
/// When Rust-HDL's checks fail: a signal that nothing drives, or a port with several drivers. Both are
/// defects of the circuit, found when it is built, never by a user's input.
pub fn verilog<B: Block>(top: &str, mut circuit: B) -> String {
    circuit.connect_all();
    if let Err(error) = check_all(&circuit) {
        panic!("circuit {top} is not well formed: {error:?}");
    }
    let mut defines = ModuleDefines::default();
    circuit.accept(top, &mut defines);
    unsize_literals(&defines.defines())
}

/// Rust-HDL writes every plain integer as a 32-bit literal, which makes `count + 1` a width mismatch. The
/// same value without a size has the same meaning and none of the warnings, so that a warning that is
/// left is a real one.
fn unsize_literals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("32'h") {
        let sized_more = rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        out.push_str(&rest[..at]);
        out.push_str(if sized_more { "32'h" } else { "'h" });
        rest = &rest[at + 4..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::unsize_literals;

    #[test]
    fn only_whole_32_bit_literals_lose_their_size() {
        assert_eq!(unsize_literals("a + 32'h1 == 132'h7 | 6'h2"), "a + 'h1 == 132'h7 | 6'h2");
    }
}

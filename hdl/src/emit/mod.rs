//! Emission of a circuit as Verilog text.
//!
//! Rust-HDL's text is blunt in four ways, which are mended here: a cast is a mask, every plain integer is
//! a 32-bit literal, every register is a module, and all combinational logic of a module is one block. The
//! result is SystemVerilog, for the sake of its casts.

mod gates;
mod module;
mod statement;

pub use gates::{clock_name, Gated, TICKS};

use rust_hdl::prelude::*;

/// Verilog of `circuit` and everything in it; the top module is called `top`.
///
/// # Panics
/// When Rust-HDL's checks fail: a signal that nothing drives, or a port with several drivers. Both are
/// defects of the circuit, found when it is built, never by a user's input.
pub fn verilog<B: Block>(top: &str, circuit: B) -> String {
    module::rewrite(&raw(top, circuit))
}

/// The text of `circuit` behind gates, for simulation; see [`Gated`]. The gates' clocks are inputs of a module `wrapper`,
/// which instantiates `top` under its own name; `gate_of` names the gate of the module at a path below the top.
///
/// # Panics
/// As [`verilog`].
pub fn gated<B: Block>(top: &str, circuit: B, wrapper: &str, gate_of: &dyn Fn(&str) -> String) -> Gated {
    let mut gates = gates::Gates::new(wrapper, gate_of);
    let text = module::rewrite_with(&raw(top, circuit), Some(&mut gates));
    Gated { text, gates: gates.count(), parts: gates.parts }
}

fn raw<B: Block>(top: &str, mut circuit: B) -> String {
    circuit.connect_all();
    if let Err(error) = check_all(&circuit) {
        panic!("circuit {top} is not well formed: {error:?}");
    }
    let mut defines = ModuleDefines::default();
    circuit.accept(top, &mut defines);
    unsize_literals(&name_casts(&defines.defines()))
}

/// Rust-HDL writes `bit_cast::<8, _>(x)` as `((x) & 8'hff)`, which has the width of the wider of the two and
/// so is a width mismatch wherever the widths differ, and which lets the widths around it reach into `x`.
/// `8'(x)` is what was meant. Behind a unary operator it stands in parentheses of its own: yosys 0.70 reads `~8'(x)` as
/// `(~8)'(x)`, which is zero.
fn name_casts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    const MASK: &str = ") & ";
    while let Some(at) = rest.find(MASK) {
        out.push_str(&rest[..at]);
        let after = &rest[at + MASK.len()..];
        let mask = after.split(')').next().unwrap_or("");
        match (cast_width(mask), opening(&out)) {
            (Some(width), Some(open))
                if after[mask.len()..].starts_with(')') && out[..open].ends_with('(') =>
            {
                let unary = out[..open - 1].ends_with(['~', '!', '-']);
                let (before, behind) = if unary { ("(", "))") } else { ("", ")") };
                out.replace_range(open - 1..=open, &format!("{before}{width}'("));
                out.push_str(behind);
                rest = &after[mask.len() + 1..];
            }
            _ => {
                out.push_str(MASK);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The width of a sized literal that is all ones.
fn cast_width(literal: &str) -> Option<usize> {
    let (width, digits) = literal.split_once("'h")?;
    let width: usize = width.parse().ok()?;
    let first = ["f", "1", "3", "7"][width % 4];
    let ones = digits.strip_prefix(first)?.chars().all(|c| c == 'f');
    (ones && digits.len() == width.div_ceil(4)).then_some(width)
}

/// Where the parenthesis opens that a closing one at the end of `text` would close.
fn opening(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices().rev() {
        match c {
            '(' if depth == 0 => return Some(at),
            '(' => depth -= 1,
            ')' => depth += 1,
            '\n' => return None,
            _ => {}
        }
    }
    None
}

/// Rust-HDL writes every plain integer as a 32-bit literal, and the offset of a field as a 64-bit one, which
/// makes `count + 1` a width mismatch. The same value without a size has the same meaning and none of the
/// warnings, so that a warning that is left is a real one. A value that needs more than 32 bits keeps its size.
fn unsize_literals(text: &str) -> String {
    const SIZES: [&str; 2] = ["32'h", "64'h"];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = SIZES.iter().filter_map(|size| rest.find(size)).min() {
        let (before, literal) = rest.split_at(at);
        let digits = literal[4..].chars().take_while(char::is_ascii_hexdigit).count();
        let size_goes_on = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        out.push_str(before);
        out.push_str(if size_goes_on || digits > 8 { &literal[..4] } else { "'h" });
        rest = &literal[4..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{name_casts, unsize_literals};

    #[test]
    fn a_mask_of_ones_around_parentheses_is_a_cast() {
        assert_eq!(name_casts("a = ((b) & 8'hff) + c;"), "a = 8'(b) + c;");
        assert_eq!(name_casts("a = ((((b) & 3'h7) + (c)) & 33'h1ffffffff);"), "a = 33'(3'(b) + (c));");
        for kept in ["a = (b) & 8'hff;", "a = ((b) & 8'h7f);", "a = (b | (c) & 8'hff);", "a = ((b) & c);"] {
            assert_eq!(name_casts(kept), kept);
        }
    }

    #[test]
    fn a_cast_behind_a_unary_operator_keeps_its_parentheses() {
        assert_eq!(name_casts("a = ~((b) & 8'hff);"), "a = ~(8'(b));");
        assert_eq!(name_casts("a = c | !((b) & 1'h1);"), "a = c | !(1'(b));");
        assert_eq!(name_casts("a = c - ((b) & 8'hff);"), "a = c - 8'(b);");
    }

    #[test]
    fn literals_of_the_default_sizes_lose_their_size() {
        assert_eq!(unsize_literals("a + 32'h1 == 132'h7 | 6'h2"), "a + 'h1 == 132'h7 | 6'h2");
        assert_eq!(unsize_literals("a[(64'h10)+:(2)] & 64'h123456789"), "a[('h10)+:(2)] & 64'h123456789");
    }
}

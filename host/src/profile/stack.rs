//! The most stack that the firmware takes, by its executable.
//!
//! A function takes its frame, by which it moves the stack pointer, and below it what the deepest of the functions takes that it calls; one
//! that it goes on with at its end has the stack to itself. All functions count, those on the way to a panic too; the start code has no
//! frame. Whatever moves the stack pointer otherwise than by a number in the code, and functions that call each other in a circle, are
//! errors.

use super::code::{Code, Flow};
use anyhow::{ensure, Context, Result};
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes that any function takes until it returns.
///
/// # Errors
/// As above.
pub fn deepest(code: &Code) -> Result<u32> {
    let mut search = Search { code, known: BTreeMap::new(), open: BTreeSet::new() };
    let mut most = 0;
    for &address in code.functions.keys() {
        most = most.max(search.of(address)?);
    }
    Ok(most)
}

struct Search<'a> {
    code: &'a Code,
    known: BTreeMap<u32, u32>,
    open: BTreeSet<u32>,
}

impl Search<'_> {
    fn of(&mut self, address: u32) -> Result<u32> {
        if let Some(known) = self.known.get(&address) {
            return Ok(*known);
        }
        let code = self.code;
        let function =
            code.functions.get(&address).with_context(|| format!("{address:#x} is no function"))?;
        ensure!(self.open.insert(address), "{} calls itself", function.name);
        let frame = function.frame_bytes().with_context(|| format!("in {}", function.name))?;
        let mut most = frame;
        for flow in &function.flows {
            match *flow {
                Flow::Call(target) => most = most.max(frame + self.of(target)?),
                Flow::Jump(target) | Flow::Branch(target) if function.index(target).is_none() => {
                    most = most.max(self.of(target)?);
                }
                _ => {}
            }
        }
        self.open.remove(&address);
        self.known.insert(address, most);
        Ok(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::code::Function;

    const RETURN: u32 = 0x0000_8067;

    /// addi sp, sp, `bytes`
    fn move_sp(bytes: i32) -> u32 {
        (bytes as u32) << 20 | 2 << 15 | 2 << 7 | 0x13
    }

    /// jal rd, `offset`, which is short and positive.
    fn jump(rd: u32, offset: u32) -> u32 {
        (offset >> 1 & 0x3FF) << 21 | rd << 7 | 0x6F
    }

    fn code(functions: Vec<(u32, Vec<u32>)>) -> Code {
        let function = |(address, words)| {
            (address, Function::of(format!("f{address:x}"), address, words).expect("instructions"))
        };
        Code { functions: functions.into_iter().map(function).collect() }
    }

    #[test]
    fn a_call_adds_and_a_tail_does_not() {
        let leaf = (0x200, vec![move_sp(-96), move_sp(96), RETURN]);
        let calls = vec![move_sp(-64), jump(1, 0x100 - 4), move_sp(64), RETURN];
        assert_eq!(deepest(&code(vec![(0x100, calls), leaf.clone()])).unwrap(), 160);
        let goes_on = vec![move_sp(-128), move_sp(128), jump(0, 0x100 - 8)];
        assert_eq!(deepest(&code(vec![(0x100, goes_on), leaf])).unwrap(), 128);
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        let circle = code(vec![(0x100, vec![jump(1, 0x100), RETURN]), (0x200, vec![jump(1, 0), RETURN])]);
        assert!(deepest(&circle).is_err());
        // sub sp, sp, a0
        let dynamic = code(vec![(0x100, vec![0x40A1_0133, RETURN])]);
        assert!(deepest(&dynamic).is_err());
    }
}

//! Longest paths of small programs, whose instructions are counted by hand.

use super::*;

const NOP: u32 = 0x13;
const RETURN: u32 = 0x8067;
/// `jal zero` to the instruction before.
const JUMP_BACK: u32 = 0xFFDF_F06F;
/// Bytes between two functions.
const APART: u32 = 0x100;

/// `beq zero, zero` by so many instructions.
fn branch(by: i32) -> u32 {
    let offset = (4 * by) as u32;
    let bits = |from: u32, count: u32| offset >> from & ((1 << count) - 1);
    0x63 | bits(12, 1) << 31 | bits(5, 6) << 25 | bits(1, 4) << 8 | bits(11, 1) << 7
}

/// `jal ra` to the function of this number, from instruction `at` of function `from`.
fn call(from: u32, at: u32, function: u32) -> u32 {
    let offset = (function * APART).wrapping_sub(from * APART + 4 * at);
    let bits = |from: u32, count: u32| offset >> from & ((1 << count) - 1);
    0xEF | bits(20, 1) << 31 | bits(1, 10) << 21 | bits(11, 1) << 20 | bits(12, 8) << 12
}

/// The bound of the first function; `turns`: instruction of the first function, most turns and line.
fn bound(functions: &[&[u32]], turns: &[(u32, u32, u32)]) -> Result<Option<u64>> {
    let mut code = Code { functions: BTreeMap::new() };
    for (number, words) in functions.iter().enumerate() {
        let address = number as u32 * APART;
        code.functions.insert(address, Function::of(format!("f{number}"), address, words.to_vec())?);
    }
    let mut marks: BTreeMap<u32, Vec<TurnMark>> = BTreeMap::new();
    for &(at, most, line) in turns {
        marks.entry(4 * at).or_default().push(TurnMark { line, most });
    }
    Bounds::new(&code, &marks).of(0)
}

#[test]
fn the_longer_way_counts() {
    let code = [NOP, branch(3), NOP, NOP, RETURN];
    assert_eq!(bound(&[&code], &[]).unwrap(), Some(5));
}

#[test]
fn a_call_costs_what_it_calls() {
    let first = [NOP, call(0, 1, 1), NOP, RETURN];
    assert_eq!(bound(&[&first, &[NOP, NOP, RETURN]], &[]).unwrap(), Some(7));
}

#[test]
fn what_never_returns_does_not_count() {
    // The branch avoids a call that does not come back, as one of a panic.
    let first = [NOP, branch(3), NOP, call(0, 3, 1), RETURN];
    assert_eq!(bound(&[&first, &[NOP, JUMP_BACK]], &[]).unwrap(), Some(3));
    assert_eq!(bound(&[&[NOP, JUMP_BACK]], &[]).unwrap(), None);
}

#[test]
fn a_loop_costs_its_turns() {
    // Three instructions a turn, the last of which goes round or on.
    let code = [NOP, NOP, NOP, branch(-2), NOP, RETURN];
    assert_eq!(bound(&[&code], &[(1, 10, 7)]).unwrap(), Some(1 + 10 * 3 + 2));
    // The test comes before the place: it runs once more than the loop turns.
    let code = [branch(4), NOP, NOP, branch(-3), RETURN];
    assert_eq!(bound(&[&code], &[(2, 10, 7)]).unwrap(), Some(10 * 4 + 1 + 1));
}

#[test]
fn a_loop_within_a_loop() {
    let code = [NOP, NOP, NOP, branch(-1), branch(-3), RETURN];
    let (inner, outer) = ((2, 5, 20), (1, 3, 10));
    assert_eq!(bound(&[&code], &[inner, outer]).unwrap(), Some(1 + 3 * (1 + 5 * 2 + 1) + 1));
}

#[test]
fn one_loop_of_the_source_that_has_become_two() {
    // The place is in the inner one and all turns of either pass it: there are six turns together, of at most four instructions.
    let code = [NOP, NOP, NOP, branch(-1), branch(-3), RETURN];
    assert_eq!(bound(&[&code], &[(2, 6, 10)]).unwrap(), Some(1 + (1 + 6 * 4) + 1));
}

#[test]
fn what_has_no_bound_is_refused() {
    let refused = |functions: &[&[u32]], turns: &[(u32, u32, u32)], text: &str| {
        let error = format!("{:#}", bound(functions, turns).unwrap_err());
        assert!(error.contains(text), "{error}");
    };
    refused(&[&[NOP, branch(-1), RETURN]], &[], "nothing bounds the loop at 0x0 in f0");
    // A way round that passes no place.
    refused(&[&[NOP, NOP, branch(2), NOP, branch(-3), RETURN]], &[(3, 4, 1)], "nothing bounds the loop");
    refused(&[&[call(0, 0, 1), RETURN], &[call(1, 0, 0), RETURN]], &[], "f0 calls itself");
    refused(&[&[NOP, 0, RETURN]], &[], "0x00000000 at 0x4 is no instruction");
    // jalr zero, 0(a5)
    refused(&[&[0x7_8067, RETURN]], &[], "goes wherever a register says");
}

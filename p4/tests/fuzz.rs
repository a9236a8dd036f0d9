//! Mutated programs: whatever comes in, the compiler ends, with diagnostics or with a program and hardware of it, and
//! never panics.
//!
//! The mutations are seeded. A failure prints the seed; `BATON_P4_FUZZ_SEED=<seed> cargo test -p baton-p4 --test
//! fuzz` replays it alone, and `BATON_P4_FUZZ_CASES=<n>` runs more of them.

mod support;

use baton_p4::diag::{render, Diagnostics};
use baton_p4::hardware;
use baton_p4::lex::lex;
use baton_p4::print::print;
use baton_p4::source::FileId;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::panic::{catch_unwind, AssertUnwindSafe};
use support::{check_bytes, without_positions};

const CASES: u64 = 3000;

/// The corpus, with local includes in place so that each program is one text.
fn corpus() -> Vec<String> {
    let folders = ["tests/valid", "programs", "tests/invalid"];
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    folders
        .iter()
        .flat_map(|folder| {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let mut paths: Vec<_> = entries.filter(|path| path.is_file()).collect();
            paths.sort();
            paths.into_iter().map(move |path| (folder, path))
        })
        .map(|(folder, path)| {
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
            let mut whole = String::new();
            for line in text.lines() {
                match line.strip_prefix("#include \"").and_then(|rest| rest.strip_suffix('"')) {
                    Some(name) => whole += &read(&format!("{folder}/{name}")),
                    None => whole += line,
                }
                whole.push('\n');
            }
            whole
        })
        .collect()
}

/// What may be written anywhere, for its own sake.
const PIECES: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ";",
    ":",
    ",",
    ".",
    "=",
    "==",
    "&&&",
    "..",
    "_",
    "default",
    "bit<",
    "bit<8>",
    "8w255",
    "0",
    "1",
    "4294967296",
    "2048w1",
    "-",
    "!",
    "~",
    "++",
    "|+|",
    "?",
    "@x(",
    "error",
    "error.NoMatch",
    "select",
    "state",
    "transition",
    "table",
    "key",
    "actions",
    "apply",
    "switch",
    "if",
    "else",
    "header",
    "struct",
    "enum",
    "typedef",
    "type",
    "const",
    "in",
    "out",
    "extern",
    "package",
    "parser",
    "control",
    "action",
    "#define A A(A)\n",
    "#if A\n",
    "#endif\n",
    "\n#include <core.p4>\n",
    "\n#include \"main.p4\"\n",
    "hdr",
    "hdr.ipv4",
    "meta",
    "ostd.hit",
    "start",
    "accept",
    "T",
    "int",
    "\"",
    "/*",
    "*/",
    "//",
    "\\\n",
    "\u{0}",
    "\u{20ac}",
    "static_assert",
    "verify(",
    "pkt.extract(",
    "pkt.lookahead<",
    "(bit<16>)",
    "[7:0]",
    "1 << 2000",
    "&& (",
    "{ { {",
    ".apply()",
    "NoAction",
    "main",
];

/// Bytes that mean something.
const BYTES: &[u8] = b" (){}<>;:.,\"'#@!0x_\n\\";

fn below(rng: &mut ChaCha8Rng, end: usize) -> usize {
    (rng.next_u64() % end.max(1) as u64) as usize
}

/// A program of the corpus with one to five changes of its tokens or of its bytes.
fn mutant(seed: u64, corpus: &[String]) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // The first ones are valid. Few changes leave more of a program to be checked.
    let among = if rng.next_u32() % 4 == 0 { corpus.len() } else { corpus.len().min(50) };
    let text = &corpus[below(&mut rng, among)];
    let most = 1 + below(&mut rng, 5);
    let changes = 1 + below(&mut rng, most);
    if rng.next_u32() % 3 == 0 {
        let mut bytes = text.clone().into_bytes();
        for _ in 0..changes {
            if bytes.is_empty() {
                break;
            }
            let at = below(&mut rng, bytes.len());
            match rng.next_u32() % 4 {
                0 => bytes[at] = rng.next_u32() as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, BYTES[below(&mut rng, BYTES.len())]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        return bytes;
    }
    // Tokens with what stands before them.
    let spans: Vec<_> = lex(FileId(0), text).iter().map(|raw| raw.token.span).collect();
    let mut start = 0;
    let mut tokens: Vec<String> = vec![];
    for span in &spans {
        tokens.push(text[start..span.end as usize].to_string());
        start = span.end as usize;
    }
    for _ in 0..changes {
        let (at, other) = (below(&mut rng, tokens.len()), below(&mut rng, tokens.len()));
        let piece = format!(" {} ", PIECES[below(&mut rng, PIECES.len())]);
        match rng.next_u32() % 6 {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[other].clone()),
            2 => tokens.swap(at, other),
            3 => tokens[at] = piece,
            4 => {
                // A piece many times over: deep nesting and long chains.
                let many = piece.repeat(below(&mut rng, 400));
                tokens.insert(at, many);
            }
            _ => {
                // A stretch from elsewhere.
                let stretch: Vec<String> = tokens.iter().skip(other).take(12).cloned().collect();
                tokens.splice(at..at, stretch);
            }
        }
        if tokens.is_empty() {
            break;
        }
    }
    tokens.concat().into_bytes()
}

/// Checks a text, and what has to hold of the outcome whatever the text is.
fn try_text(bytes: &[u8]) {
    let checked = check_bytes(bytes);
    let diagnostics = &checked.parsed.diagnostics;
    let said = render(diagnostics, &checked.parsed.sources);
    assert_eq!(checked.ir.is_some(), !diagnostics.has_errors(), "{said}");
    assert_eq!(said.is_empty(), diagnostics.iter().next().is_none());
    if checked.ir.is_some() {
        // What was accepted can be printed, and means the same.
        let text = print(&checked.parsed.program);
        let again = baton_p4::parse(
            std::path::Path::new("main.p4"),
            &Default::default(),
            &support::memory(text.as_bytes()),
        )
        .unwrap();
        assert_eq!(without_positions(&again.program), without_positions(&checked.parsed.program), "{text}");
    }
    if let Some(ir) = &checked.ir {
        // It becomes hardware, or is told why it cannot.
        let mut refused = Diagnostics::default();
        let made = hardware::compile(ir, &mut refused);
        assert_eq!(made.is_some(), !refused.has_errors());
        render(&refused, &checked.parsed.sources);
        if let Some(made) = made {
            assert!(made.verilog("").contains("module classifier"));
            let _ = made.rust_hdl().map_err(|why| assert!(!why.message.is_empty()));
        }
    }
}

#[test]
fn no_input_makes_the_compiler_panic() {
    let corpus = corpus();
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect(name));
    let seeds = match number("BATON_P4_FUZZ_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("BATON_P4_FUZZ_CASES").unwrap_or(CASES),
    };
    let mut accepted = 0;
    for seed in seeds.clone() {
        let bytes = mutant(seed, &corpus);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            try_text(&bytes);
            check_bytes(&bytes).ir.is_some()
        }));
        match outcome {
            Ok(ok) => accepted += u64::from(ok),
            Err(_) => panic!(
                "seed {seed}: BATON_P4_FUZZ_SEED={seed} cargo test -p baton-p4 --test fuzz\n{}",
                String::from_utf8_lossy(&bytes)
            ),
        }
    }
    // Mutations that leave every program broken would try the parser's errors alone.
    let count = seeds.end - seeds.start;
    assert!(
        count < 100 || (accepted > count / 50 && accepted < count),
        "{accepted} of {count} were accepted"
    );
}

/// Each prefix of a program, as a file that is still being written.
#[test]
fn every_prefix_ends_with_diagnostics() {
    let text = &corpus()[0..46].concat();
    let text = &text[..text.len().min(6000)];
    for end in (0..text.len()).step_by(7) {
        if text.is_char_boundary(end) {
            try_text(&text.as_bytes()[..end]);
        }
    }
}

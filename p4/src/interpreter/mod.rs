//! The interpreter: what a program does with a packet, read off the syntax tree.
//!
//! It is a second, independent reading of the language. It shares nothing with the checker's lowering to the IR
//! or with the hardware that is made of that: it resolves names, widths, types and constants by itself, one
//! packet at a time, as the language specification (P4-16, version 1.2.5) says. So hardware and interpreter can
//! be compared, and a mistake in either shows. All that it takes from the checker is the fact that a program
//! has passed it.
//!
//! What the specification leaves open is here as in `docs/p4.md`: variables, metadata and fields of invalid headers
//! are zero (`false`, `NoError`) until something is assigned to them; `extract` and `lookahead` of more than
//! is left reads nothing; a local variable is new each time that its declaration is reached.
//!
//! | module | |
//! | --- | --- |
//! | `value`, `operators` | types, values, conversions, operators |
//! | `names`, `machine` | scopes, storage, the state of a run |
//! | `expr`, `call`, `stmt`, `keyset` | expressions, calls, statements, keysets |
//! | `packet`, `parser` | the packet's bits, parser states |
//! | `table`, `entries`, `text` | tables, what the control plane puts in them, values in entries files |
//! | `program`, `nic` | the program as a whole, one packet through it |
//! | `pcap` | packets from capture files |

mod call;
mod entries;
mod expr;
mod keyset;
mod machine;
mod names;
mod nic;
mod operators;
mod packet;
mod parser;
pub mod pcap;
mod program;
mod stmt;
mod table;
mod text;
mod value;

pub use entries::{Entries, Entry, Field};

use crate::{source, Parsed};
use machine::{Context, Stop};
use program::Blocks;
use serde::Serialize;
use std::fmt;

/// Why a program cannot be run with these entries. A message for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// What the hardware knows about a packet besides its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The host sent the packet back into the receive path.
    pub recirculated: bool,
}

/// What a program says about a packet: the fields of `baton_main_output_metadata_t`, the parser error, and how
/// it came to that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub hit: bool,
    /// Without meaning unless `hit`.
    pub connection: u16,
    pub drop: bool,
    pub queue: u8,
    pub class_of_service: u8,
    /// `NoError` if the parser reached `accept`.
    pub parser_error: String,
    /// Its place among the declared errors.
    #[serde(skip)]
    pub parser_error_code: usize,
    /// In bytes from the start of the Ethernet header.
    pub network_offset: u16,
    pub transport_offset: u16,
    pub payload_offset: u16,
    /// The valid headers, in the order in which the struct of headers declares them.
    pub headers: Vec<HeaderAt>,
    /// The tables that were applied, in order.
    pub lookups: Vec<Lookup>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeaderAt {
    /// As in the struct of headers, with a dot where structs are nested.
    pub name: String,
    /// In bytes; that of the last time, if the header was extracted more than once.
    pub offset: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lookup {
    /// Its name in the control plane.
    pub table: String,
    pub hit: bool,
    /// The name in the control plane of the action that ran.
    pub action: String,
}

/// A program with its tables filled, ready for packets.
#[derive(Debug)]
pub struct Interpreter<'p> {
    context: Context<'p>,
    blocks: Blocks<'p>,
    sources: &'p source::SourceMap,
}

impl<'p> Interpreter<'p> {
    /// Prepares a program that the checker has accepted. Fails for one that has errors, and for entries that
    /// do not fit its tables.
    pub fn new(parsed: &'p Parsed, entries: &Entries) -> Result<Self, Error> {
        if parsed.diagnostics.has_errors() {
            return Err(Error("the program has errors".into()));
        }
        let sources = &parsed.sources;
        let prepare = || {
            let (mut context, blocks) = program::read(&parsed.program)?;
            context.tables = nic::tables(&context, &blocks, sources)?;
            Ok((context, blocks))
        };
        let (mut context, blocks) = prepare().map_err(|stop| Error(describe(&stop, sources)))?;
        entries.fill(&mut context)?;
        let interpreter = Interpreter { context, blocks, sources };
        // Whatever is wrong with a program's shape shows with the first packet.
        interpreter.try_run(&[], Input::default())?;
        Ok(interpreter)
    }

    /// Classifies a packet that came from the wire: a frame without its check sequence.
    ///
    /// # Panics
    /// If it comes to something in the program that the checker should have refused: a defect of the checker or
    /// of the interpreter, never of the packet.
    pub fn run(&self, packet: &[u8]) -> Outcome {
        self.run_with(packet, Input::default())
    }

    /// As [`Interpreter::run`], with what else the hardware knows.
    pub fn run_with(&self, packet: &[u8], input: Input) -> Outcome {
        match self.try_run(packet, input) {
            Ok(outcome) => outcome,
            Err(error) => panic!("{error}"),
        }
    }

    fn try_run(&self, packet: &[u8], input: Input) -> Result<Outcome, Error> {
        let outcome = nic::run(&self.context, &self.blocks, packet, input);
        outcome.map_err(|stop| Error(describe(&stop, self.sources)))
    }
}

fn describe(stop: &Stop, sources: &source::SourceMap) -> String {
    match stop {
        // A parser catches it.
        Stop::Reject(_) => "the interpreter came to a parser error outside of a parser".into(),
        Stop::Unexpected(span, what) => {
            let file = sources.file(span.file);
            let line = file.text[..span.start as usize].matches('\n').count() + 1;
            format!(
                "{}:{line}: the interpreter came to {what}, which the checker does not let pass",
                file.name
            )
        }
    }
}

//! The description of a program's tables that the P4 compiler writes (`control-plane.json`), and what is built of it.
//!
//! `baton p4 compile` writes it, and three parties read it. The firmware's build makes the code of its keys from it
//! ([`firmware::source`]), the driver its own tables; the hardware carries the digest of the layout
//! ([`ConnectionTable::digest`]) that it was made with, so that a description of another program is noticed.

mod connections;
pub mod firmware;

pub use connections::{ConnectionTable, KeyPart, Part};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The format that this library reads and writes.
pub const FORMAT: &str = "baton-control-plane-1";

/// What the control plane must know to fill the tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlPlane {
    pub format: String,
    pub tables: Vec<TableDescription>,
    /// By their codes.
    pub parser_errors: Vec<String>,
}

/// How a table is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// By the control plane, while packets flow.
    Hash,
    /// With entries of the program.
    Logic,
    /// Not at all: without a key, every packet misses.
    Default,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableDescription {
    pub name: String,
    pub kind: Kind,
    /// Entries that it can take, or those that it has.
    pub size: u32,
    pub key_bits: u32,
    /// Of a `hash` table: words of 32 bits, the first the most significant; the unused bits of the first are zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_words: Option<u32>,
    pub keys: Vec<KeyDescription>,
    pub actions: Vec<ActionDescription>,
    pub default_action: CallDescription,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyDescription {
    pub name: String,
    pub bits: u32,
    /// Of its least significant bit, counted from the key's least significant one.
    pub low_bit: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionDescription {
    /// In an entry.
    pub id: u32,
    pub name: String,
    pub params: Vec<ParamDescription>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParamDescription {
    pub name: String,
    pub bits: u32,
    /// Of its least significant bit in the entry's value.
    pub low_bit: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallDescription {
    pub action: String,
    /// Decimal.
    pub args: BTreeMap<String, String>,
}

/// Why a description is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub(crate) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl ControlPlane {
    /// Reads a description.
    ///
    /// # Errors
    /// When the text is no JSON, or not of this format.
    pub fn parse(text: &str) -> Result<ControlPlane, Error> {
        let description: ControlPlane = serde_json::from_str(text)
            .map_err(|error| Error(format!("this is no description of a control plane: {error}")))?;
        match description.format == FORMAT {
            true => Ok(description),
            false => Err(Error(format!("the format is `{}`; `{FORMAT}` is known", description.format))),
        }
    }

    /// As JSON text.
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists: nothing of it can fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

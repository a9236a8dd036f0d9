//! From Verilog text to compiled C++: the tool and the compiler, as plain commands.
//!
//! The build script of this crate includes this file too, so it uses nothing but `std` and `anyhow`.

use anyhow::{bail, Context, Result};
use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

/// Warnings that are defects of a circuit, not matters of taste. Each stops the build.
pub const GATES: &[&str] = &[
    "UNOPTFLAT",
    "WIDTHEXPAND",
    "WIDTHTRUNC",
    "WIDTHXZEXPAND",
    "LATCH",
    "CASEINCOMPLETE",
    "CASEOVERLAP",
    "MULTIDRIVEN",
    "BLKANDNBLK",
    "SELRANGE",
    "IMPLICIT",
    "PINMISSING",
    "UNDRIVEN",
];

/// What makes a model fast: no random values, no assertions, and clocked blocks that stay whole, as the circuit
/// description keeps them under conditions that rarely hold.
pub const FAST: &[&str] = &["-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "-fno-split"];

/// The workspace that this crate belongs to.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in a workspace").to_path_buf()
}

/// Verilator as `cargo xtask setup` installs it.
#[derive(Clone, Debug)]
pub struct Verilator {
    root: PathBuf,
}

impl Verilator {
    /// Finds the tool in the workspace's virtual environment.
    pub fn find() -> Result<Verilator> {
        let venv = workspace().join(".tools/venv");
        let lib = venv.join("lib");
        let mut roots: Vec<PathBuf> = fs::read_dir(&lib)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("site-packages/verilator"))
            .filter(|root| root.join("bin/verilator_bin").is_file())
            .collect();
        roots.sort();
        match roots.pop() {
            Some(root) => Ok(Verilator { root }),
            None => bail!("Verilator is not installed in {}: run `cargo xtask setup`", venv.display()),
        }
    }

    /// The folder of the C++ runtime.
    pub fn include(&self) -> PathBuf {
        self.root.join("include")
    }

    /// Something that changes when the tool does.
    pub fn identity(&self) -> Result<String> {
        let binary = self.root.join("bin/verilator_bin");
        let meta = fs::metadata(&binary).with_context(|| format!("cannot read {}", binary.display()))?;
        Ok(format!("{} {} {:?}", binary.display(), meta.len(), meta.modified().ok()))
    }

    /// Translates `verilog` with top module `top` to a C++ class `Vdut` in folder `out`.
    pub fn translate(&self, verilog: &Path, top: &str, out: &Path, options: &[&str]) -> Result<()> {
        let mut command = Command::new(self.root.join("bin/verilator_bin"));
        command.env("VERILATOR_ROOT", &self.root);
        command.args(["--cc", "--prefix", "Vdut", "--top-module", top, "--Mdir"]).arg(out);
        command.args(["--quiet", "-Wno-fatal", "--error-limit", "20"]);
        command.args(GATES.iter().map(|gate| format!("-Werror-{gate}")));
        command.args(options).arg(verilog);
        run(&mut command, &format!("Verilator does not accept module `{top}`"))
    }
}

/// Runs a command; when it fails, the error holds all that it printed.
pub fn run(command: &mut Command, what: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{what}: cannot run {program}"))?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        bail!("{what} ({program}, {}):\n{}", output.status, String::from_utf8_lossy(&text));
    }
    Ok(())
}

/// A name for the work that all of `parts` determine.
pub fn digest(parts: &[&str]) -> String {
    let mut hashes = [0u64; 2];
    for (salt, hash) in hashes.iter_mut().enumerate() {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        parts.hash(&mut hasher);
        *hash = hasher.finish();
    }
    format!("{:016x}{:016x}", hashes[0], hashes[1])
}

/// A port of a verilated class, as its header declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortDecl {
    /// Name in Verilog.
    pub name: String,
    /// Name of the member in C++.
    pub member: String,
    pub width: usize,
    pub input: bool,
}

/// The ports of a verilated class, read from the text of its header (`Vdut.h`), where each is a line such
/// as `VL_IN8(&cr__024clock,0,0);`.
pub fn ports(header: &str) -> Vec<PortDecl> {
    header.lines().filter_map(|line| port(line.trim())).collect()
}

fn port(line: &str) -> Option<PortDecl> {
    let (kind, rest) = line.split_once("(&")?;
    let input = match kind.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'W') {
        "VL_IN" => true,
        "VL_OUT" => false,
        _ => return None,
    };
    let mut fields = rest.split_once(')')?.0.split(',');
    let member = fields.next()?.to_string();
    let msb: usize = fields.next()?.parse().ok()?;
    let lsb: usize = fields.next()?.parse().ok()?;
    Some(PortDecl { name: verilog_name(&member), member, width: msb + 1 - lsb, input })
}

/// Undoes Verilator's spelling of characters that C++ does not allow: `__024` is `$`.
fn verilog_name(member: &str) -> String {
    let mut out = String::new();
    let mut rest = member;
    while let Some(at) = rest.find("__0") {
        out.push_str(&rest[..at]);
        match rest.get(at + 3..at + 5).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[at + 5..];
            }
            None => {
                out.push_str("__0");
                rest = &rest[at + 3..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_the_header() {
        let text = "class Vdut {\n    VL_IN8(&cr__024clock,0,0);\n    VL_OUT(&data,31,0);\n    \
                    VL_OUTW(&wide,95,0,3);\n    VL_UNCOPYABLE(Vdut);\n    VL_IN64(&half,63,0);\n";
        let read: Vec<_> = ports(text).into_iter().map(|p| (p.name, p.width, p.input)).collect();
        let want = [("cr$clock", 1, true), ("data", 32, false), ("wide", 96, false), ("half", 64, true)];
        assert_eq!(read, want.map(|(name, width, input)| (name.to_string(), width, input)));
    }

    #[test]
    fn the_digest_sees_where_a_part_ends() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
    }
}

//! Passes the sizes of the image on: how many connections (`BATON_FW_CONNECTIONS`, default 128; 0 for a NIC without handoff) in how much core
//! memory (`BATON_FW_RAM_KIB`, default 128). Makes the code that enters connections into the table of the NIC's P4 program,
//! of the description of its control plane that `BATON_CONTROL_PLANE` names (from the workspace's folder, unless it is
//! absolute; default: that of connection.p4).

use baton_control_plane::{firmware, ConnectionTable, ControlPlane};
use std::{env, fs, path::Path};

/// The description in `BATON_CONTROL_PLANE`'s absence.
const DEFAULT: &str = "p4/programs/control-plane/connection.json";
/// Another, for tests of code that the first one does not use.
const BOTH_FAMILIES: &str = "p4/programs/control-plane/ipv6.json";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=link.ld");
    let connections = number("BATON_FW_CONNECTIONS", 128, 0..=4096);
    let ram_kib = number("BATON_FW_RAM_KIB", 128, 32..=16384);
    println!("cargo:rustc-env=BATON_FW_CONNECTIONS={connections}");
    let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("riscv32") {
        println!("cargo:rustc-link-arg-bins=-T{folder}/link.ld");
        println!("cargo:rustc-link-arg-bins=--defsym=_ram_size={}", ram_kib * 1024);
    }

    println!("cargo:rerun-if-env-changed=BATON_CONTROL_PLANE");
    let workspace = Path::new(&folder).parent().expect("the crate lies in a workspace");
    let given = env::var("BATON_CONTROL_PLANE").ok().filter(|path| !path.is_empty());
    let paths = [given.as_deref().unwrap_or(DEFAULT), BOTH_FAMILIES].map(|path| workspace.join(path));
    let [built, wide] = [&paths[0], &paths[1]].map(|path| table(path));
    let text = format!(
        "{}\n#[cfg(test)]\npub use both::BothFamilies;\n#[cfg(test)]\nmod both {{\nuse super::*;\n{}}}\n\n\
         /// What they are made of.\n#[cfg(test)]\n\
         pub const DESCRIPTIONS: [&str; 2] = [include_str!({:?}), include_str!({:?})];\n",
        firmware::source(built.as_ref(), "Built"),
        firmware::source(wide.as_ref(), "BothFamilies"),
        paths[0],
        paths[1]
    );
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("program.rs"), text).expect("OUT_DIR can be written");
}

/// The table of connections in a description. A fault in it ends the build with the reason.
fn table(path: &Path) -> Option<ConnectionTable> {
    println!("cargo:rerun-if-changed={}", path.display());
    let fail = |why: String| -> ! { panic!("{}: {why}", path.display()) };
    let text = fs::read_to_string(path).unwrap_or_else(|error| fail(error.to_string()));
    let description = ControlPlane::parse(&text).unwrap_or_else(|error| fail(error.to_string()));
    description.connections().unwrap_or_else(|error| fail(error.to_string()))
}

fn number(name: &str, default: u32, range: std::ops::RangeInclusive<u32>) -> u32 {
    println!("cargo:rerun-if-env-changed={name}");
    let Ok(text) = env::var(name) else { return default };
    match text.parse() {
        Ok(number) if range.contains(&number) => number,
        _ => panic!("{name}={text}: must be a number from {} to {}", range.start(), range.end()),
    }
}

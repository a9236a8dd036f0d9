//! Collects the selection policies: every file of `src/policy` but `mod.rs` becomes a module, and its `POLICY` an entry of
//! the list that names are looked up in. So a new policy is a new file and nothing else.

use std::fmt::Write;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=src/policy");
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let folder = Path::new(&root).join("src/policy");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("src/policy can be read")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".rs").map(str::to_string))
        .filter(|name| name != "mod" && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        .collect();
    names.sort();
    let mut text = String::new();
    for name in &names {
        let path = folder.join(format!("{name}.rs"));
        // Writing to a string does not fail.
        let _ = writeln!(text, "#[path = {path:?}]\npub mod {name};");
    }
    let entries: Vec<String> = names.iter().map(|name| format!("&{name}::POLICY")).collect();
    let _ = writeln!(text, "/// Every policy.\npub static POLICIES: &[&Policy] = &[{}];", entries.join(", "));
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("policies.rs"), text).expect("OUT_DIR can be written");
}

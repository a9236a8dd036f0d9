//! Makes the receive path's classifier of a P4 program: `p4/programs/connection.p4`, or the file that `BATON_P4` names
//! (from the workspace's folder, unless it is absolute). A fault in the program ends the build with the compiler's words.

use baton_p4::{diag, hardware, pre::Disk};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::exit,
};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=BATON_P4");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in a workspace");
    let given = env::var_os("BATON_P4").filter(|path| !path.is_empty()).map(PathBuf::from);
    let program = workspace.join(given.unwrap_or_else(|| "p4/programs/connection.p4".into()));
    let checked = baton_p4::check(&program, &Default::default(), &Disk)
        .unwrap_or_else(|error| fail(&format!("cannot read {}: {error}", program.display())));
    for file in checked.parsed.sources.files().map(|(_, file)| file).filter(|file| !file.builtin) {
        println!("cargo:rerun-if-changed={}", file.name);
    }
    let mut diagnostics = checked.parsed.diagnostics;
    let made = checked.ir.as_ref().and_then(|ir| hardware::compile(ir, &mut diagnostics));
    let text = made.and_then(|made| match made.rust_hdl() {
        Ok(text) => Some(text),
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            None
        }
    });
    let Some(text) = text else { fail(&diag::render(&diagnostics, &checked.parsed.sources)) };
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let path = program.to_string_lossy();
    let text = format!(
        "/// The program that this NIC is made by.\npub const PROGRAM: &str = {name:?};\n\
         /// Its file, where this was built.\npub const PROGRAM_PATH: &str = {path:?};\n\n{text}"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("classifier.rs"), text).expect("OUT_DIR can be written");
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    exit(1)
}

//! The P4 program of the NIC that a job builds: named to the builds of hardware and firmware, and to the driver.

use anyhow::{bail, Context, Result};
use baton_p4::{
    diag::{render, Diagnostics},
    hardware::{self, Hardware},
    pre::Disk,
};
use std::{fs, path::Path};

/// Environment variable that names the program to the build script of `hdl`.
const PROGRAM: &str = "BATON_P4";
/// The one that names the description of its control plane to the build script of the firmware and to the driver.
const CONTROL_PLANE: &str = "BATON_CONTROL_PLANE";

/// Has everything that this process builds and runs be of the program. Its description goes to `target/p4`.
pub fn choose(root: &Path, program: &Path) -> Result<()> {
    let program = std::path::absolute(program)?;
    if !program.is_file() {
        bail!("there is no P4 program {}", program.display());
    }
    let hardware = compile(&program)?;
    let name = program.file_stem().unwrap_or_default();
    let folder = root.join("target/p4").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let description = folder.join("control-plane.json");
    // An unchanged file keeps its time, so that nothing is built again.
    let text = hardware.control_plane.to_json();
    if fs::read_to_string(&description).ok().as_deref() != Some(&text) {
        fs::write(&description, text).with_context(|| format!("cannot write {}", description.display()))?;
    }
    std::env::set_var(PROGRAM, program);
    std::env::set_var(CONTROL_PLANE, description);
    Ok(())
}

/// Does the same for the program that the caller's environment names, if it names one: hardware and firmware have to be
/// of the same.
pub fn from_environment(root: &Path) -> Result<()> {
    match std::env::var_os(PROGRAM).filter(|path| !path.is_empty()) {
        Some(program) => choose(root, &root.join(program)),
        None => Ok(()),
    }
}

/// Name of the program that was chosen, if one was.
pub fn chosen() -> Option<String> {
    let program = std::env::var_os(PROGRAM).filter(|path| !path.is_empty())?;
    Some(Path::new(&program).file_stem()?.to_string_lossy().into_owned())
}

/// The hardware of a program, or what is wrong with it.
pub fn compile(program: &Path) -> Result<Hardware> {
    let checked = baton_p4::check(program, &Default::default(), &Disk)
        .with_context(|| format!("cannot read {}", program.display()))?;
    let mut diagnostics: Diagnostics = checked.parsed.diagnostics;
    let made = checked.ir.as_ref().and_then(|ir| hardware::compile(ir, &mut diagnostics));
    match made {
        Some(hardware) => Ok(hardware),
        None => bail!("{}", render(&diagnostics, &checked.parsed.sources)),
    }
}

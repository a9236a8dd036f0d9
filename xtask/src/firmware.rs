//! The firmware image: built for the softcore, flattened, and checked against its memory.
//!
//! The compiler is rustup's where rustup has the target, and Debian's `rustc-web` with `core` built from its
//! source otherwise. Both leave the ELF file beside the flat image, for debuggers and disassemblers.

use crate::setup::{rustup_target_ready, RISCV_TARGET};
use anyhow::{bail, ensure, Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cargo profile of the image, in the workspace's Cargo.toml.
const PROFILE: &str = "firmware";

/// Connections and core memory that an image is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct Sizes {
    /// Connections that the firmware can hold, 1 to 4096, or 0 for a NIC without handoff
    #[arg(long, default_value_t = 128)]
    pub connections: u32,
    /// Core memory in KiB; the hardware must have as much
    #[arg(long, default_value_t = 128)]
    pub ram_kib: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes { connections: 128, ram_kib: 128 }
    }
}

/// Builds the image of the default sizes and returns the path of the flat binary.
pub fn build(root: &Path) -> Result<PathBuf> {
    build_sized(root, Sizes::default())
}

/// Builds an image and returns the path of the flat binary, to be loaded at the start of core memory.
pub fn build_sized(root: &Path, sizes: Sizes) -> Result<PathBuf> {
    let target_dir = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |dir| root.join(dir))
        .join("firmware");
    let mut command = if rustup_target_ready() {
        Command::new("cargo")
    } else {
        let mut command = Command::new("/usr/bin/cargo");
        command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1").env("RUSTDOC", "/usr/bin/rustdoc");
        // Debian's compiler comes without the linker that rustup's brings.
        command.env("CARGO_TARGET_RISCV32IM_UNKNOWN_NONE_ELF_LINKER", "/usr/bin/ld.lld");
        command.arg("-Zbuild-std=core");
        command
    };
    // Whatever the caller's own build was told is not meant for this one.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO"]
    {
        command.env_remove(name);
    }
    // Every jump says where it goes, so that the longest path can be read from the executable. What is worth inlining into the common
    // paths says so itself; the compiler's own measure, 225, makes the image 400 bytes larger.
    let flags = "-Cjump-tables=no -Cllvm-args=-inline-threshold=100";
    command.env("CARGO_TARGET_RISCV32IM_UNKNOWN_NONE_ELF_RUSTFLAGS", flags);
    command
        .current_dir(root)
        .args(["build", "--quiet", "--package", "baton-fw", "--bin", "baton-fw"])
        .args(["--target", RISCV_TARGET, "--profile", PROFILE, "--target-dir"])
        .arg(&target_dir)
        .env("BATON_FW_CONNECTIONS", sizes.connections.to_string())
        .env("BATON_FW_RAM_KIB", sizes.ram_kib.to_string());
    crate::run(&mut command)
        .context("the firmware did not build; `cargo xtask setup` installs what it needs")?;

    let elf = target_dir.join(RISCV_TARGET).join(PROFILE).join("baton-fw");
    let bytes = std::fs::read(&elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let image = flatten(&bytes).with_context(|| format!("cannot flatten {}", elf.display()))?;
    ensure!(image.len() <= sizes.ram_kib as usize * 1024, "the image is larger than core memory");
    let program = crate::p4_program::chosen().map_or(String::new(), |name| format!("{name}-"));
    let flat = target_dir.join(format!("baton-fw-{program}{}-{}k.bin", sizes.connections, sizes.ram_kib));
    std::fs::write(&flat, &image).with_context(|| format!("cannot write {}", flat.display()))?;
    // Symbols and marks, for a profile.
    let named = flat.with_extension("elf");
    std::fs::write(&named, &bytes).with_context(|| format!("cannot write {}", named.display()))?;
    Ok(flat)
}

/// The loaded bytes of a 32-bit RISC-V executable, from its entry point, which must come first, to the end
/// of the last segment that has any.
fn flatten(elf: &[u8]) -> Result<Vec<u8>> {
    const LOAD: u32 = 1;
    const RISCV: u32 = 243;
    let word = |at: usize| -> Result<u32> {
        let bytes = elf.get(at..at + 4).context("the file is cut short")?;
        Ok(u32::from_le_bytes(bytes.try_into()?))
    };
    ensure!(elf.starts_with(b"\x7fELF\x01\x01"), "not a little-endian 32-bit ELF file");
    ensure!(word(16)? == RISCV << 16 | 2, "not a RISC-V executable");
    let (entry, headers) = (word(24)?, word(28)? as usize);
    let (entry_size, count) = ((word(40)? >> 16) as usize, (word(44)? & 0xFFFF) as usize);
    let mut image = Vec::new();
    for index in 0..count {
        let header = headers + index * entry_size;
        let (offset, address, len) =
            (word(header + 4)? as usize, word(header + 12)?, word(header + 16)? as usize);
        if word(header)? != LOAD || len == 0 {
            continue;
        }
        let Some(at) = address.checked_sub(entry) else { bail!("a segment lies before the entry point") };
        let end = at as usize + len;
        if image.len() < end {
            image.resize(end.next_multiple_of(4), 0);
        }
        image[at as usize..end]
            .copy_from_slice(elf.get(offset..offset + len).context("a segment is cut short")?);
    }
    ensure!(!image.is_empty(), "nothing to load");
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An executable with one segment of four bytes at its entry point.
    fn small() -> Vec<u8> {
        let mut elf = vec![0; 84];
        elf[..6].copy_from_slice(b"\x7fELF\x01\x01");
        let mut put = |at: usize, word: u32| elf[at..at + 4].copy_from_slice(&word.to_le_bytes());
        put(16, 243 << 16 | 2);
        put(24, 0x8000_0000);
        put(28, 52);
        put(40, 32 << 16);
        put(44, 1);
        put(52, 1);
        put(56, 84);
        put(64, 0x8000_0000);
        put(68, 4);
        elf.extend([1, 2, 3, 4]);
        elf
    }

    #[test]
    fn flattens_what_is_loaded() {
        assert_eq!(flatten(&small()).unwrap(), [1, 2, 3, 4]);
    }

    #[test]
    fn foreign_files_are_refused() {
        let broken: [(&str, fn(&mut Vec<u8>)); 5] = [
            ("64 bit", |elf| elf[4] = 2),
            ("other machine", |elf| elf[18] = 62),
            ("cut short", |elf| elf.truncate(86)),
            ("before the entry", |elf| elf[24] = 0x20),
            ("no header", |elf| elf.truncate(20)),
        ];
        for (what, damage) in broken {
            let mut elf = small();
            damage(&mut elf);
            assert!(flatten(&elf).is_err(), "{what}");
        }
    }
}

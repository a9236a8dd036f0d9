//! Passes the sizes of the image on: how many connections (`BATON_FW_CONNECTIONS`, default 128) in how much core
//! memory (`BATON_FW_RAM_KIB`, default 128).

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=link.ld");
    let connections = number("BATON_FW_CONNECTIONS", 128, 1..=4096);
    let ram_kib = number("BATON_FW_RAM_KIB", 128, 64..=16384);
    println!("cargo:rustc-env=BATON_FW_CONNECTIONS={connections}");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("riscv32") {
        let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        println!("cargo:rustc-link-arg-bins=-T{folder}/link.ld");
        println!("cargo:rustc-link-arg-bins=--defsym=_ram_size={}", ram_kib * 1024);
    }
}

fn number(name: &str, default: u32, range: std::ops::RangeInclusive<u32>) -> u32 {
    println!("cargo:rerun-if-env-changed={name}");
    let Ok(text) = env::var(name) else { return default };
    match text.parse() {
        Ok(number) if range.contains(&number) => number,
        _ => panic!("{name}={text}: must be a number from {} to {}", range.start(), range.end()),
    }
}

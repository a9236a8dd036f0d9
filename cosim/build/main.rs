//! With feature `nic`: emits the NIC, verilates it, and compiles it with its bridge into the crate.

#[cfg(feature = "nic")]
mod gates;
#[cfg(feature = "nic")]
mod header;
#[cfg(feature = "nic")]
mod nic;
#[cfg(feature = "nic")]
#[allow(dead_code)]
#[path = "../src/pins.rs"]
mod pins;
#[cfg(feature = "nic")]
mod regions;
#[cfg(feature = "nic")]
#[allow(dead_code)]
#[path = "../src/verilate.rs"]
mod verilate;

#[cfg(not(feature = "nic"))]
fn main() {
    println!("cargo:rerun-if-changed=build");
}

#[cfg(feature = "nic")]
fn main() -> anyhow::Result<()> {
    for file in ["build", "src/pins.rs", "src/verilate.rs", "src/nic/verilated.rs", "src/nic/dut.h"] {
        println!("cargo:rerun-if-changed={file}");
    }
    nic::build()
}

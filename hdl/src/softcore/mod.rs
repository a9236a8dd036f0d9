//! The softcore: RV32IM with Zicsr and Zifencei, machine mode, four pipeline stages.
//!
//! What it does: runs the firmware from tightly coupled memory at one instruction a cycle. The stages are fetch, decode
//! (with operand forwarding), execute and commit.
//!
//! | instruction | cycles |
//! | --- | --- |
//! | arithmetic, logic, stores, branch not taken | 1 |
//! | load, multiplication | 1, and 1 more if the next instruction uses the result |
//! | branch taken, JAL, JALR, MRET, FENCE.I | 2 |
//! | CSR access | 2 |
//! | DIV, DIVU, REM, REMU | 34 |
//! | trap entry | 3 |
//!
//! Clock and reset: one clock, synchronous reset; `run` low also holds the core at the reset vector. A core that is made for it
//! stands still in cycles that [`Pace`] names. Backpressure: none, memory
//! and devices answer in one cycle. Traps are precise: illegal instructions, ECALL, EBREAK, misaligned and
//! impossible addresses of fetches, loads and stores, and the machine external interrupt. Verified in lockstep against an independent
//! instruction set simulator.

mod alu;
mod bundles;
mod commit;
mod core;
mod csr;
mod decode;
mod div;
mod execute;
mod fetch;
mod issue;
mod lsu;
mod observed;
mod pace;
mod rvfi;
mod system;

pub use self::core::Core;
pub use self::observed::Observed;
pub use self::pace::Pace;
pub use self::rvfi::{Rvfi, RvfiIn, RvfiOut};
pub use self::system::System;

/// Address bits of the largest memory, in words: 8 MiB. A smaller memory leaves the upper ones unused, and they
/// cost nothing, so that the size of the memory is a number and not a type.
pub const ADDRESS_BITS: usize = 21;

/// Bytes of the memory of [`bare`].
pub const BARE_BYTES: u32 = 1 << 20;

/// A [`System`] with 1 MiB of memory and no devices, to run programs on.
pub fn bare() -> System {
    System::with_devices(BARE_BYTES as usize / 4, false)
}

/// Verilog of the core with its memory. The top module is `softcore`, its clock and reset are `clock` and `reset`.
pub fn verilog(system: System) -> String {
    flat(&crate::emit::verilog("softcore", system))
}

/// As [`verilog`], with the RISC-V Formal Interface beside the core's own ports: `rvfi_valid` and so on.
pub fn verilog_rvfi(system: System) -> String {
    flat(&crate::emit::verilog("softcore", Observed::new(system)))
}

/// Plain names for the ports of the top.
fn flat(text: &str) -> String {
    text.replace("cr$clock", "clock")
        .replace("cr$reset", "reset")
        .replace("rvfi$", "rvfi_")
        .replace("probe$", "probe_")
}

//! Programs on the bare softcore: [`baton_hdl::softcore::bare`] in Verilator, loaded from an ELF file.
//!
//! The memory map is that of `docs/softcore.md`. A program ends by storing to an address that the caller
//! names, in the manner of the RISC-V tests' `tohost`: 1 says that all is well.

mod elf;

pub use elf::{Image, Segment};

use crate::{
    block::{Model, Port},
    library::Flavour,
};
use anyhow::{bail, ensure, Result};
use baton_abi::mmio::RAM_BASE;
use baton_hdl::softcore::{self, BARE_BYTES};

/// Bytes of the bare softcore's memory.
pub const MEMORY_BYTES: u32 = BARE_BYTES;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program stored this word to `tohost`.
    Stored(u32),
    /// It did not, in as many cycles as were allowed; the last instruction that completed was at `pc`.
    OutOfCycles { pc: u32 },
}

/// What a run took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub outcome: Outcome,
    pub cycles: u64,
    pub instructions: u64,
}

/// The bare softcore with a program in its memory.
pub struct Softcore {
    dut: Model,
    run: Port,
    wake: Port,
    asleep: Port,
    valid: Port,
    trap: Port,
    pc: Port,
    mem_addr: Port,
    mem_wmask: Port,
    mem_wdata: Port,
}

impl Softcore {
    /// A core held in reset with `image` in its memory, which is zero elsewhere.
    ///
    /// # Errors
    /// When a segment lies outside memory, the entry is not the reset vector, or Verilator is missing.
    pub fn new(image: &Image) -> Result<Self> {
        image.check(RAM_BASE, MEMORY_BYTES)?;
        let text = softcore::verilog_rvfi(softcore::bare());
        let flavour = Flavour { trace: false, fast: true };
        let mut dut = Model::with_flavour("softcore", &text, flavour, 1)?;
        let [run, wake, asleep] = ports(&dut, ["run", "wake", "asleep"])?;
        let [valid, trap, pc] = ports(&dut, ["rvfi_valid", "rvfi_trap", "rvfi_pc_rdata"])?;
        let [mem_addr, mem_wmask, mem_wdata] =
            ports(&dut, ["rvfi_mem_addr", "rvfi_mem_wmask", "rvfi_mem_wdata"])?;
        let [ld_write, ld_addr, ld_data] = ports(&dut, ["ld_write", "ld_addr", "ld_data"])?;
        dut.reset(2);
        dut.set(ld_write, 1);
        for (addr, word) in image.words() {
            dut.set(ld_addr, u64::from(addr - RAM_BASE));
            dut.set(ld_data, u64::from(word));
            dut.cycle();
        }
        dut.set(ld_write, 0);
        dut.cycle();
        Ok(Softcore { dut, run, wake, asleep, valid, trap, pc, mem_addr, mem_wmask, mem_wdata })
    }

    /// Runs from the reset vector until a store to the word `tohost`, for at most `max_cycles` cycles.
    ///
    /// No interrupt is ever pending for long: the `wake` pin is high only while the core waits in WFI, so that WFI ends.
    ///
    /// # Errors
    /// When `tohost` is not a word of memory.
    pub fn run(&mut self, tohost: u32, max_cycles: u64) -> Result<Run> {
        ensure!(tohost.is_multiple_of(4), "tohost {tohost:#010x} is not the address of a word");
        if tohost.wrapping_sub(RAM_BASE) >= MEMORY_BYTES {
            bail!("tohost {tohost:#010x} is outside memory, {}", elf::range(RAM_BASE, MEMORY_BYTES));
        }
        self.dut.set(self.run, 1);
        let (mut instructions, mut pc) = (0, RAM_BASE);
        for cycles in 1..=max_cycles {
            let asleep = self.dut.get(self.asleep);
            self.dut.set(self.wake, asleep);
            self.dut.cycle();
            if !self.dut.is_high(self.valid) {
                continue;
            }
            pc = self.dut.get(self.pc) as u32;
            instructions += u64::from(!self.dut.is_high(self.trap));
            let lanes = self.dut.get(self.mem_wmask);
            if lanes != 0 && self.dut.get(self.mem_addr) as u32 == tohost {
                let mask = (0..4)
                    .filter(|lane| lanes >> lane & 1 == 1)
                    .fold(0, |mask, lane| mask | 0xFF << (8 * lane));
                let word = self.dut.get(self.mem_wdata) as u32 & mask;
                return Ok(Run { outcome: Outcome::Stored(word), cycles, instructions });
            }
        }
        Ok(Run { outcome: Outcome::OutOfCycles { pc }, cycles: max_cycles, instructions })
    }
}

fn ports<const N: usize>(dut: &Model, names: [&str; N]) -> Result<[Port; N]> {
    let found = names.map(|name| dut.port(name));
    let mut out = Vec::with_capacity(N);
    for port in found {
        out.push(port?);
    }
    Ok(out.try_into().expect("as many ports as names"))
}

//! What the server's software sees of the machine: its memory, the NIC's registers, an interrupt and the
//! time.
//!
//! The host model is written against [`HostPort`] alone, so that the same driver and stack run on the
//! verilated NIC and on test doubles. [`HostMemory`] is the memory that both sides share: the software
//! reads and writes it directly, the NIC by DMA.

use anyhow::{ensure, Result};
use baton_abi::regs;
use std::fmt;

/// Memory of the server, addressed by I/O virtual address; words are little-endian.
#[derive(Clone)]
pub struct HostMemory {
    base: u32,
    bytes: Vec<u8>,
}

/// An access that lies not wholly inside the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    pub addr: u32,
    pub len: usize,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes at {:#010x} are outside host memory", self.len, self.addr)
    }
}

impl std::error::Error for OutOfRange {}

impl HostMemory {
    /// `bytes` of zeros from address `base` on. Base and size are multiples of 4096 so that a burst, which
    /// never crosses such a boundary, is either inside or outside.
    pub fn new(base: u32, bytes: u32) -> Self {
        assert!(
            base.is_multiple_of(4096) && bytes.is_multiple_of(4096),
            "host memory is made of whole pages"
        );
        assert!(base.checked_add(bytes).is_some(), "host memory ends above the 32-bit address space");
        HostMemory { base, bytes: vec![0; bytes as usize] }
    }

    /// First address.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// One past the last address.
    pub fn limit(&self) -> u32 {
        self.base + self.bytes.len() as u32
    }

    /// Whether `len` bytes at `addr` all exist.
    pub fn contains(&self, addr: u32, len: usize) -> bool {
        self.index(addr, len).is_ok()
    }

    fn index(&self, addr: u32, len: usize) -> Result<usize, OutOfRange> {
        let outside = OutOfRange { addr, len };
        let start = addr.checked_sub(self.base).ok_or(outside)? as usize;
        match start.checked_add(len) {
            Some(end) if end <= self.bytes.len() => Ok(start),
            _ => Err(outside),
        }
    }

    /// The `len` bytes at `addr`, where an access may fail.
    pub fn try_slice(&self, addr: u32, len: usize) -> Result<&[u8], OutOfRange> {
        let start = self.index(addr, len)?;
        Ok(&self.bytes[start..start + len])
    }

    /// The `len` bytes at `addr` for writing, where an access may fail.
    pub fn try_slice_mut(&mut self, addr: u32, len: usize) -> Result<&mut [u8], OutOfRange> {
        let start = self.index(addr, len)?;
        Ok(&mut self.bytes[start..start + len])
    }

    /// The `len` bytes at `addr`. Panics outside the memory: software does not err about its own buffers.
    #[track_caller]
    pub fn slice(&self, addr: u32, len: usize) -> &[u8] {
        self.try_slice(addr, len).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The `len` bytes at `addr` for writing. Panics outside the memory.
    #[track_caller]
    pub fn slice_mut(&mut self, addr: u32, len: usize) -> &mut [u8] {
        self.try_slice_mut(addr, len).unwrap_or_else(|e| panic!("{e}"))
    }

    /// Copies `data` to `addr`.
    #[track_caller]
    pub fn write(&mut self, addr: u32, data: &[u8]) {
        self.slice_mut(addr, data.len()).copy_from_slice(data);
    }

    /// Copies `len` bytes from one address to another. The ranges may overlap.
    #[track_caller]
    pub fn copy(&mut self, from: u32, to: u32, len: usize) {
        let check = |addr| self.index(addr, len).unwrap_or_else(|e| panic!("{e}"));
        let (from, to) = (check(from), check(to));
        self.bytes.copy_within(from..from + len, to);
    }

    /// The word at `addr`.
    #[track_caller]
    pub fn read_word(&self, addr: u32) -> u32 {
        let bytes = self.slice(addr, 4);
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// Writes the word at `addr`.
    #[track_caller]
    pub fn write_word(&mut self, addr: u32, value: u32) {
        self.write(addr, &value.to_le_bytes());
    }

    /// Fills `words` from `addr` on.
    #[track_caller]
    pub fn read_words(&self, addr: u32, words: &mut [u32]) {
        let bytes = self.slice(addr, words.len() * 4);
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }

    /// Writes `words` from `addr` on.
    #[track_caller]
    pub fn write_words(&mut self, addr: u32, words: &[u32]) {
        for (bytes, word) in self.slice_mut(addr, words.len() * 4).chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
    }
}

/// The server machine as its software sees it.
pub trait HostPort {
    /// Posts a register write. It takes effect in order with other register accesses, some time later.
    fn reg_write(&mut self, address: u32, value: u32);

    /// Reads a register, after every write posted before it. Fails on SLVERR or when no answer comes in
    /// bounded time.
    fn reg_read(&mut self, address: u32) -> Result<u32>;

    fn memory(&self) -> &HostMemory;

    fn memory_mut(&mut self) -> &mut HostMemory;

    /// Level of the interrupt line.
    fn irq(&self) -> bool;

    /// Time since the start of the simulation, in picoseconds.
    fn now_ps(&self) -> u64;
}

/// Writes a firmware image to core memory through the registers. The core must be stopped, and stays so.
///
/// # Errors
/// When the image is empty or larger than core memory, the core runs, or not every word was taken.
pub fn load_firmware(port: &mut dyn HostPort, image: &[u8]) -> Result<()> {
    ensure!(!image.is_empty(), "the firmware image is empty");
    let run = port.reg_read(regs::CONTROL)? & regs::CONTROL_CORE_RUN;
    ensure!(run == 0, "firmware can be loaded only while CONTROL.CORE_RUN is 0");
    let size = port.reg_read(regs::FW_SIZE)?;
    ensure!(image.len() <= size as usize, "the firmware image has {} bytes, core memory {size}", image.len());
    port.reg_write(regs::FW_ADDR, 0);
    for bytes in image.chunks(4) {
        let mut word = [0; 4];
        word[..bytes.len()].copy_from_slice(bytes);
        port.reg_write(regs::FW_DATA, u32::from_le_bytes(word));
    }
    let end = port.reg_read(regs::FW_ADDR)?;
    let written = image.len().div_ceil(4) * 4;
    ensure!(end as usize == written, "FW_ADDR is {end:#x} after {written:#x} bytes of firmware");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_little_endian_and_bounds_hold() {
        let mut memory = HostMemory::new(0x1000, 0x1000);
        memory.write_word(0x1004, 0x0403_0201);
        assert_eq!(memory.slice(0x1004, 4), [1, 2, 3, 4]);
        memory.write_words(0x1ff8, &[7, 8]);
        assert_eq!(memory.read_word(0x1ffc), 8);
        memory.copy(0x1004, 0x1006, 4);
        assert_eq!(memory.slice(0x1004, 6), [1, 2, 1, 2, 3, 4]);
        assert!(memory.contains(0x1fff, 1) && !memory.contains(0x1fff, 2));
        assert_eq!(memory.try_slice(0xfff, 1), Err(OutOfRange { addr: 0xfff, len: 1 }));
        assert!(memory.try_slice(u32::MAX, usize::MAX).is_err());
    }
}

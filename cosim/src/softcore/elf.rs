//! Executables in ELF, as far as a bare machine needs them: the loadable segments and the entry point.

use anyhow::{bail, ensure, Context, Result};
use std::collections::BTreeMap;

/// Bytes to put at an address; the memory after them, up to `size`, is zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub addr: u32,
    pub bytes: Vec<u8>,
    pub size: u32,
}

/// An executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub entry: u32,
    pub segments: Vec<Segment>,
}

const MAGIC: &[u8] = b"\x7FELF";
const CLASS_32: u8 = 1;
const LITTLE_ENDIAN: u8 = 1;
const EXECUTABLE: u16 = 2;
const MACHINE_RISCV: u16 = 243;
const SEGMENT_LOAD: u32 = 1;
/// `e_flags`: compressed instructions, and a floating-point ABI.
const FLAG_RVC: u32 = 1;
const FLAG_FLOAT_ABI: u32 = 6;
const PROGRAM_HEADER_BYTES: usize = 32;

/// The addresses of a memory, for messages.
pub(super) fn range(base: u32, bytes: u32) -> String {
    format!("{base:#010x} to {:#010x} ({} KiB)", base + (bytes - 1), bytes >> 10)
}

/// Names of machines that are likely to be given by mistake.
fn machine_name(machine: u16) -> String {
    match machine {
        3 => "x86".into(),
        8 => "MIPS".into(),
        20 => "PowerPC".into(),
        40 => "ARM".into(),
        62 => "x86-64".into(),
        183 => "AArch64".into(),
        other => format!("machine number {other}"),
    }
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&self, at: usize) -> Result<[u8; N]> {
        let bytes = at.checked_add(N).and_then(|end| self.0.get(at..end));
        let bytes =
            bytes.with_context(|| format!("the file ends at byte {}, within a header", self.0.len()))?;
        Ok(bytes.try_into().expect("a slice of that length"))
    }

    fn half(&self, at: usize) -> Result<u16> {
        Ok(u16::from_le_bytes(self.take(at)?))
    }

    fn word(&self, at: usize) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take(at)?))
    }
}

impl Image {
    /// Reads a 32-bit little-endian RISC-V executable.
    ///
    /// # Errors
    /// For anything else, with what it is instead; for code that the core cannot run (compressed
    /// instructions, a floating-point ABI); and for a file that is cut short.
    pub fn parse(file: &[u8]) -> Result<Image> {
        ensure!(file.starts_with(MAGIC), "this is not an ELF file");
        let bytes = Bytes(file);
        let [class, data] = bytes.take(4)?;
        // The machine is read in the file's own byte order, to name it even when that order is already wrong.
        let machine = bytes.take(18)?;
        let machine =
            if data == LITTLE_ENDIAN { u16::from_le_bytes(machine) } else { u16::from_be_bytes(machine) };
        if machine != MACHINE_RISCV {
            bail!("this is an ELF file for {}, not for RISC-V", machine_name(machine));
        }
        ensure!(data == LITTLE_ENDIAN, "this is a big-endian ELF file; the core is little-endian");
        ensure!(class == CLASS_32, "this is a 64-bit RISC-V ELF file; the core is RV32");
        ensure!(
            bytes.half(16)? == EXECUTABLE,
            "this ELF file is not an executable (an object file or a library): link it at a fixed address"
        );
        let flags = bytes.word(36)?;
        ensure!(flags & FLAG_RVC == 0, "this program has compressed instructions; compile it for rv32im");
        ensure!(flags & FLAG_FLOAT_ABI == 0, "this program uses a floating-point ABI; compile it for ilp32");

        let (table, entry_bytes, count) = (bytes.word(28)?, usize::from(bytes.half(42)?), bytes.half(44)?);
        ensure!(
            count == 0 || entry_bytes >= PROGRAM_HEADER_BYTES,
            "program headers of {entry_bytes} bytes are too short"
        );
        let mut segments = Vec::new();
        for index in 0..usize::from(count) {
            let at = (table as usize).saturating_add(index * entry_bytes);
            let header = Bytes(file);
            if header.word(at)? != SEGMENT_LOAD {
                continue;
            }
            let (offset, addr) = (header.word(at + 4)? as usize, header.word(at + 12)?);
            let (stored, size) = (header.word(at + 16)?, header.word(at + 20)?);
            ensure!(
                stored <= size,
                "segment {index} has {stored} bytes in the file and only {size} in memory"
            );
            let contents = offset.checked_add(stored as usize).and_then(|end| file.get(offset..end));
            let contents = contents.with_context(|| format!("the file ends within segment {index}"))?;
            if size > 0 {
                segments.push(Segment { addr, bytes: contents.to_vec(), size });
            }
        }
        ensure!(!segments.is_empty(), "the executable has nothing to load");
        Ok(Image { entry: bytes.word(24)?, segments })
    }

    /// Whether the image fits a memory of `bytes` bytes at `base`, and starts at its first word.
    ///
    /// # Errors
    /// When it does not, with where it should lie.
    pub fn check(&self, base: u32, bytes: u32) -> Result<()> {
        for segment in &self.segments {
            let end = u64::from(segment.addr) + u64::from(segment.size);
            if segment.addr < base || end > u64::from(base) + u64::from(bytes) {
                bail!(
                    "the segment at {:#010x} of {} bytes lies outside memory, {}",
                    segment.addr,
                    segment.size,
                    range(base, bytes)
                );
            }
        }
        ensure!(
            self.entry == base,
            "the entry point is {:#010x}; the core starts at {base:#010x}: link the start-up code there",
            self.entry
        );
        Ok(())
    }

    /// The words of memory that the image defines, with their addresses, in order. Where segments overlap, the
    /// later one stands.
    pub fn words(&self) -> impl Iterator<Item = (u32, u32)> {
        let mut words: BTreeMap<u32, u32> = BTreeMap::new();
        for segment in &self.segments {
            let zeros = std::iter::repeat_n(&0, segment.size as usize - segment.bytes.len());
            for (addr, byte) in (segment.addr..).zip(segment.bytes.iter().chain(zeros)) {
                let word = words.entry(addr & !3).or_default();
                let shift = 8 * (addr % 4);
                *word = *word & !(0xFF << shift) | u32::from(*byte) << shift;
            }
        }
        words.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minimal executable with one segment.
    fn executable(addr: u32, contents: &[u8], size: u32) -> Vec<u8> {
        let mut file = vec![0; 84];
        file[..7].copy_from_slice(&[0x7F, b'E', b'L', b'F', 1, 1, 1]);
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(16, &2u16.to_le_bytes());
        put(18, &243u16.to_le_bytes());
        put(24, &addr.to_le_bytes());
        put(28, &52u32.to_le_bytes());
        put(42, &32u16.to_le_bytes());
        put(44, &1u16.to_le_bytes());
        for (index, word) in [1, 84, addr, addr, contents.len() as u32, size, 7, 4].into_iter().enumerate() {
            put(52 + 4 * index, &word.to_le_bytes());
        }
        file.extend(contents);
        file
    }

    fn complaint(file: &[u8]) -> String {
        Image::parse(file).unwrap_err().to_string()
    }

    #[test]
    fn a_segment_is_loaded_and_its_rest_is_zero() {
        let image = Image::parse(&executable(0x8000_0000, &[1, 2, 3, 4, 5], 12)).unwrap();
        image.check(0x8000_0000, 64).unwrap();
        let words: Vec<_> = image.words().collect();
        assert_eq!(words, [(0x8000_0000, 0x0403_0201), (0x8000_0004, 5), (0x8000_0008, 0)]);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_place() {
        let image = Image::parse(&executable(0x8000_0000, &[0; 4], 65)).unwrap();
        assert!(image.check(0x8000_0000, 64).unwrap_err().to_string().contains("outside memory"));
        let image = Image::parse(&executable(0x0001_0000, &[0; 4], 4)).unwrap();
        assert!(image.check(0x8000_0000, 64).unwrap_err().to_string().contains("0x00010000"));
        let image = Image::parse(&executable(0xFFFF_FFFC, &[0; 4], 8)).unwrap();
        assert!(image.check(0xFFFF_FFC0, 64).is_err());
        let mut image = Image::parse(&executable(0x8000_0000, &[0; 4], 4)).unwrap();
        image.entry += 4;
        assert!(image.check(0x8000_0000, 64).unwrap_err().to_string().contains("entry point"));
    }

    #[test]
    fn files_for_others_are_named() {
        let good = executable(0x8000_0000, &[0; 4], 4);
        let with = |at: usize, byte: u8| {
            let mut file = good.clone();
            file[at] = byte;
            complaint(&file)
        };
        assert_eq!(with(18, 62), "this is an ELF file for x86-64, not for RISC-V");
        assert!(with(4, 2).contains("64-bit"));
        assert!(with(16, 1).contains("not an executable"));
        assert!(with(36, 1).contains("compressed"));
        assert!(with(36, 4).contains("floating-point"));
        assert_eq!(complaint(b"#!/bin/sh"), "this is not an ELF file");
    }

    #[test]
    fn a_file_cut_short_anywhere_is_an_error() {
        let good = executable(0x8000_0000, &[1, 2, 3, 4], 4);
        for length in 0..good.len() {
            assert!(Image::parse(&good[..length]).is_err(), "the first {length} bytes");
        }
    }
}

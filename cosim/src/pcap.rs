//! Captures of the wire as pcap files with nanosecond stamps, for Wireshark and tcpdump.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

/// Magic number of a file whose stamps are nanoseconds.
const MAGIC_NANOSECONDS: u32 = 0xA1B2_3C4D;
/// Link type Ethernet.
const LINKTYPE_ETHERNET: u32 = 1;
/// Longest frame that is kept whole.
const SNAP_BYTES: u32 = 65_535;

/// A capture file. Frames are without their check sequence.
pub struct Pcap<W: Write = BufWriter<File>> {
    out: W,
}

impl Pcap {
    /// Creates the file, over an old one if there is one.
    pub fn create(path: &Path) -> io::Result<Pcap> {
        Pcap::new(BufWriter::new(File::create(path)?))
    }
}

impl<W: Write> Pcap<W> {
    /// A capture into `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        let words = [MAGIC_NANOSECONDS, 2 | 4 << 16, 0, 0, SNAP_BYTES, LINKTYPE_ETHERNET];
        for word in words {
            out.write_all(&word.to_le_bytes())?;
        }
        Ok(Pcap { out })
    }

    /// Adds a frame that ended at this time.
    pub fn frame(&mut self, time_ps: u64, frame: &[u8]) -> io::Result<()> {
        let ns = time_ps / 1000;
        let len = frame.len() as u32;
        for word in [(ns / 1_000_000_000) as u32, (ns % 1_000_000_000) as u32, len.min(SNAP_BYTES), len] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(&frame[..frame.len().min(SNAP_BYTES as usize)])
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_has_its_header_and_records() {
        let mut bytes = Vec::new();
        let mut pcap = Pcap::new(&mut bytes).unwrap();
        pcap.frame(1_500_000_001_999, &[0xAB; 60]).unwrap();
        pcap.flush().unwrap();
        assert_eq!(bytes.len(), 24 + 16 + 60);
        assert_eq!(bytes[..8], [0x4D, 0x3C, 0xB2, 0xA1, 2, 0, 4, 0]);
        assert_eq!(bytes[24..32], [1, 0, 0, 0, 0x01, 0x65, 0xCD, 0x1D]);
        assert_eq!(bytes[32..40], [60, 0, 0, 0, 60, 0, 0, 0]);
    }
}

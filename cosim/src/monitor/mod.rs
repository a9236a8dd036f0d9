//! Rules of AXI4, AXI4-Lite and AXI4-Stream, checked in every cycle of every co-simulation.
//!
//! Each monitor watches both sides of one port: the NIC's, where a violation is a defect of the hardware, and that of
//! the model at the other end, so that the hardware is judged by a peer that keeps to the rules itself. [`Monitor`]
//! watches all ports of the NIC and panics with rule, cycle and pins; the block tests use the monitors of single ports.
//! Section numbers are those of ARM IHI 0022 (AXI, issue H; B is AXI4-Lite) and IHI 0051 (AXI-Stream).

mod lite;
mod read;
mod stream;
#[cfg(test)]
mod tests;
mod write;

pub use lite::LiteMonitor;
pub use read::ReadMonitor;
pub use stream::StreamMonitor;
pub use write::WriteMonitor;

use crate::pins::{NicIn, NicOut, Port, Ports};
use crate::ports::{
    lite_manager, lite_registers, read_master, read_memory, tx_stream, write_master, write_memory,
};

/// Words in the longest burst that the NIC may ask for.
pub const BURST_WORDS_MAX: u32 = 64;

/// The outcome of a check: the rule that was broken, in words.
pub type Rule = Result<(), &'static str>;

#[inline]
fn rule(holds: bool, rule: &'static str) -> Rule {
    match holds {
        true => Ok(()),
        false => Err(rule),
    }
}

/// What holds for the address of every burst.
fn burst(addr: u32, len: u8) -> Rule {
    let words = u32::from(len) + 1;
    rule(addr.is_multiple_of(4), "a burst does not start at a word")?;
    rule(words <= BURST_WORDS_MAX, "a burst is longer than 64 words")?;
    rule((addr & 0xFFF) + 4 * words <= 0x1000, "a burst crosses a 4 KiB boundary (A3.4.1)")
}

/// What holds for the kind of every burst that is offered.
fn words(offered: bool, size: u8, kind: u8) -> Rule {
    rule(!offered || (size, kind) == (2, 1), "a burst is not incrementing, or not of whole words")
}

/// Watches all ports of the NIC.
#[derive(Debug, Default)]
pub struct Monitor {
    write: WriteMonitor,
    read: ReadMonitor,
    lite: LiteMonitor,
    tx: StreamMonitor,
}

impl Monitor {
    /// Checks `ports` in cycle number `cycle`. A port may be left out of a cycle in which it is as in the one before,
    /// without a transfer in either.
    ///
    /// # Panics
    /// When a rule is broken.
    #[inline]
    pub fn check(&mut self, cycle: u64, ports: Ports, pins: &NicIn, out: &NicOut) {
        if let Err(rule) = self.rules(ports, pins, out) {
            panic!("cycle {cycle}: {rule}\n{pins:x?}\n{out:x?}");
        }
    }

    #[inline]
    fn rules(&mut self, ports: Ports, pins: &NicIn, out: &NicOut) -> Rule {
        let reset = pins.reset;
        if ports.has(Port::MemoryWrite) {
            self.write.check(reset, &write_master(out), &write_memory(pins))?;
            words(out.m_axi_awvalid & !reset, out.m_axi_awsize, out.m_axi_awburst)?;
        }
        if ports.has(Port::MemoryRead) {
            self.read.check(reset, &read_master(out), &read_memory(pins))?;
            words(out.m_axi_arvalid & !reset, out.m_axi_arsize, out.m_axi_arburst)?;
        }
        if ports.has(Port::Registers) {
            self.lite.check(reset, &lite_manager(pins), &lite_registers(out))?;
        }
        if ports.has(Port::Tx) {
            self.tx.check(reset, &tx_stream(out), pins.tx_tready)?;
        }
        Ok(())
    }

    /// The NIC has nothing outstanding on the memory port.
    pub fn is_quiet(&self) -> bool {
        self.write.is_quiet() && self.read.is_quiet()
    }
}

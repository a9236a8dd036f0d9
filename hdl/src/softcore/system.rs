//! The core with its memory: what the NIC instantiates, and a bare one to run programs on.

use super::bundles::ProbeOut;
use super::core::Core;
use super::ADDRESS_BITS;
use crate::kit::{Cr, RamDualByte};
use crate::module;
use rust_hdl::prelude::*;

/// The core with up to `2^ADDRESS_BITS` words of tightly coupled memory for code and data.
///
/// While `run` is low the core is held in reset and, from the second such cycle on, `ld_write` writes `ld_data` at byte
/// address `ld_addr` of the memory, one word a cycle. Raise `run` in a later cycle than the last write; the first
/// instruction is then fetched from `RAM_BASE`. Register and memory contents survive a hold, and an instruction that had
/// not completed leaves no trace.
///
/// Device bus: in a cycle with `mmio_read` or `mmio_write`, `mmio_addr` is the offset from `MMIO_BASE`, a multiple of four;
/// `mmio_rdata` is taken in the cycle after `mmio_read`. There are no wait states, and a read may happen
/// only for a load that completes.
#[derive(Clone, Debug, LogicBlock)]
pub struct System {
    pub cr: Cr,
    pub run: Signal<In, Bit>,
    /// See [`super::Pace`].
    pub pause: Signal<In, Bit>,
    pub ld_write: Signal<In, Bit>,
    pub ld_addr: Signal<In, Bits<24>>,
    pub ld_data: Signal<In, Bits<32>>,
    pub mmio_addr: Signal<Out, Bits<16>>,
    pub mmio_read: Signal<Out, Bit>,
    pub mmio_write: Signal<Out, Bit>,
    pub mmio_wdata: Signal<Out, Bits<32>>,
    pub mmio_rdata: Signal<In, Bits<32>>,
    /// There is work: ends WFI, and is the machine external interrupt.
    pub wake: Signal<In, Bit>,
    /// The core stands at a WFI.
    pub asleep: Signal<Out, Bit>,
    /// An instruction completed in this cycle.
    pub retired: Signal<Out, Bit>,
    /// For an observer; see [`super::Observed`].
    pub probe: ProbeOut,
    core: Core,
    ram: RamDualByte<ADDRESS_BITS>,
}

impl System {
    /// A system with `words` words of memory, at most `2^ADDRESS_BITS`.
    pub fn new(words: usize) -> Self {
        System::with_devices(words, true)
    }

    /// As [`System::new`]; without devices, `mmio_read` and `mmio_write` stay low and device addresses fault.
    pub fn with_devices(words: usize, devices: bool) -> Self {
        System {
            cr: Default::default(),
            run: Default::default(),
            pause: Default::default(),
            ld_write: Default::default(),
            ld_addr: Default::default(),
            ld_data: Default::default(),
            mmio_addr: Default::default(),
            mmio_read: Default::default(),
            mmio_write: Default::default(),
            mmio_wdata: Default::default(),
            mmio_rdata: Default::default(),
            wake: Default::default(),
            asleep: Default::default(),
            retired: Default::default(),
            probe: Default::default(),
            core: Core::new(words, devices),
            ram: RamDualByte::new(words),
        }
    }
}

impl System {
    /// Core memory holds the words of `kit::IMAGE_FILE` when the FPGA is configured.
    pub fn set_image(&mut self) {
        self.ram.set_image();
    }

    /// The core heeds `pause`.
    pub fn set_paced(&mut self) {
        self.core.set_paced();
    }
}

module! {
    impl [] Logic for System;
    regs: ;
    children: core, ram;
    #[hdl_gen]
    fn update(&mut self) {
        self.core.run.next = self.run.val();
        self.core.pause.next = self.pause.val();
        self.core.ld_write.next = self.ld_write.val();
        self.core.ld_addr.next = self.ld_addr.val();
        self.core.ld_data.next = self.ld_data.val();
        self.core.wake.next = self.wake.val();
        self.asleep.next = self.core.asleep.val();
        self.retired.next = self.core.retired.val();

        self.ram.a_addr.next = self.core.i_addr.val();
        self.core.i_data.next = self.ram.a_data.val();
        self.ram.b_enable.next = self.core.d_enable.val();
        self.ram.b_addr.next = self.core.d_addr.val();
        self.ram.b_write.next = self.core.d_write.val();
        self.ram.b_write_data.next = self.core.d_write_data.val();
        self.core.d_data.next = self.ram.b_data.val();

        self.mmio_addr.next = self.core.mmio_addr.val();
        self.mmio_read.next = self.core.mmio_read.val();
        self.mmio_write.next = self.core.mmio_write.val();
        self.mmio_wdata.next = self.core.mmio_wdata.val();
        self.core.mmio_rdata.next = self.mmio_rdata.val();
        ProbeOut::link(&mut self.probe, &mut self.core.probe);
    }
}

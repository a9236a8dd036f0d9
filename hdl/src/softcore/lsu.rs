//! The load/store unit: judges an access and drives data memory or the device bus in the same cycle.
//!
//! Memory and devices answer in the next cycle, in the commit stage. The target of a branch or jump is read here too, for the
//! fetch stage. While the core is held (`run` low), the port belongs to the
//! loader. A misaligned access, an address that is neither memory nor a device, and anything but a word to a device
//! is reported and has no effect.

use super::bundles::{AccessIn, CheckedOut};
use super::ADDRESS_BITS;
use baton_abi::mmio::{MMIO_BASE, RAM_BASE};
use rust_hdl::prelude::*;

#[derive(Clone, Debug, LogicBlock)]
pub struct Lsu {
    pub run: Signal<In, Bit>,
    pub ld_write: Signal<In, Bit>,
    pub ld_addr: Signal<In, Bits<24>>,
    pub ld_data: Signal<In, Bits<32>>,
    pub access: AccessIn,
    pub out: CheckedOut,
    /// The memory's port.
    pub enable: Signal<Out, Bit>,
    pub addr: Signal<Out, Bits<ADDRESS_BITS>>,
    pub write: Signal<Out, Bits<4>>,
    pub write_data: Signal<Out, Bits<32>>,
    /// The device bus.
    pub mmio_addr: Signal<Out, Bits<16>>,
    pub mmio_read: Signal<Out, Bit>,
    pub mmio_write: Signal<Out, Bit>,
    pub mmio_wdata: Signal<Out, Bits<32>>,
    in_ram: Signal<Local, Bit>,
    device: Signal<Local, Bit>,
    word: Signal<Local, Bit>,
    misaligned: Signal<Local, Bit>,
    fault: Signal<Local, Bit>,
    good: Signal<Local, Bit>,
    byte_wide: Signal<Local, Bits<32>>,
    half_wide: Signal<Local, Bits<32>>,
    strobe: Signal<Local, Bits<4>>,
    ram_region: Constant<Bits<4>>,
    ram_words: Constant<Bits<26>>,
    device_region: Constant<Bits<16>>,
    has_devices: Constant<Bits<1>>,
}

impl Lsu {
    /// For a memory of `words` words, and for devices or none.
    pub fn new(words: usize, devices: bool) -> Self {
        assert!(RAM_BASE & 0x0FFF_FFFF == 0 && MMIO_BASE & 0xFFFF == 0);
        Lsu {
            run: Default::default(),
            ld_write: Default::default(),
            ld_addr: Default::default(),
            ld_data: Default::default(),
            access: Default::default(),
            out: Default::default(),
            enable: Default::default(),
            addr: Default::default(),
            write: Default::default(),
            write_data: Default::default(),
            mmio_addr: Default::default(),
            mmio_read: Default::default(),
            mmio_write: Default::default(),
            mmio_wdata: Default::default(),
            in_ram: Default::default(),
            device: Default::default(),
            word: Default::default(),
            misaligned: Default::default(),
            fault: Default::default(),
            good: Default::default(),
            byte_wide: Default::default(),
            half_wide: Default::default(),
            strobe: Default::default(),
            ram_region: Constant::new(u64::from(RAM_BASE >> 28).into()),
            ram_words: Constant::new((words as u64).into()),
            device_region: Constant::new(u64::from(MMIO_BASE >> 16).into()),
            has_devices: Constant::new(u64::from(devices).into()),
        }
    }
}

impl Logic for Lsu {
    #[hdl_gen]
    fn update(&mut self) {
        self.word.next = self.access.size.val().get_bits::<2>(0) == 2;
        self.in_ram.next = (self.access.addr.val().get_bits::<4>(28) == self.ram_region.val())
            & (self.access.addr.val().get_bits::<26>(2) < self.ram_words.val());
        self.device.next = (self.access.addr.val().get_bits::<16>(16) == self.device_region.val())
            & self.word.val()
            & (self.has_devices.val() != 0);

        self.strobe.next = bits::<4>(15);
        self.misaligned.next = self.access.addr.val().get_bits::<2>(0) != 0;
        self.out.lanes.next = self.access.data.val();
        self.byte_wide.next = bit_cast::<32, 8>(self.access.data.val().get_bits::<8>(0));
        self.half_wide.next = bit_cast::<32, 16>(self.access.data.val().get_bits::<16>(0));
        if self.access.size.val().get_bits::<2>(0) == 0 {
            self.strobe.next = bits::<4>(1) << self.access.addr.val().get_bits::<2>(0);
            self.misaligned.next = false;
            self.out.lanes.next = (self.byte_wide.val() << 24)
                | (self.byte_wide.val() << 16)
                | (self.byte_wide.val() << 8)
                | self.byte_wide.val();
        }
        if self.access.size.val().get_bits::<2>(0) == 1 {
            self.strobe.next = bits::<4>(3) << self.access.addr.val().get_bits::<2>(0);
            self.misaligned.next = self.access.addr.val().get_bit(0);
            self.out.lanes.next = (self.half_wide.val() << 16) | self.half_wide.val();
        }
        self.fault.next = !self.in_ram.val() & !self.device.val();
        self.good.next = self.access.allow.val() & !self.misaligned.val();
        self.out.misaligned.next = self.misaligned.val();
        self.out.fault.next = self.fault.val();
        self.out.device.next = self.device.val();
        self.out.strobe.next = self.strobe.val();

        self.enable.next = self.access.target.val()
            | (self.good.val() & self.in_ram.val() & (self.access.load.val() | self.access.store.val()));
        self.addr.next = self.access.addr.val().get_bits::<ADDRESS_BITS>(2);
        self.write.next = bits::<4>(0);
        if self.access.store.val() {
            self.write.next = self.strobe.val();
        }
        self.write_data.next = self.out.lanes.val();
        if !self.run.val() {
            self.enable.next = self.ld_write.val();
            self.addr.next = self.ld_addr.val().get_bits::<ADDRESS_BITS>(2);
            self.write.next = bits::<4>(15);
            self.write_data.next = self.ld_data.val();
        }

        self.mmio_addr.next = self.access.addr.val().get_bits::<16>(0);
        self.mmio_wdata.next = self.access.data.val();
        self.mmio_read.next = self.good.val() & self.device.val() & self.access.load.val();
        self.mmio_write.next = self.good.val() & self.device.val() & self.access.store.val();
    }
}

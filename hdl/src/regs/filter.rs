//! Settings of the destination filter (`abi::regs::FILTER`).

use super::RegBus;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Answers at addresses 0xC0 to 0xC8. After reset every frame is taken.
#[derive(Clone, Debug, LogicBlock)]
pub struct Filter {
    pub cr: Cr,
    pub bus: RegBus,
    pub promiscuous: Signal<Out, Bit>,
    pub broadcast: Signal<Out, Bit>,
    pub multicast: Signal<Out, Bit>,
    /// Bytes 0 to 3 and 4 to 5 of the station's address, the first in the least significant bits.
    pub station_low: Signal<Out, Bits<32>>,
    pub station_high: Signal<Out, Bits<16>>,
    bits_reg: Reg<Bits<3>>,
    low_reg: Reg<Bits<32>>,
    high_reg: Reg<Bits<16>>,
}

impl Default for Filter {
    fn default() -> Self {
        Filter {
            cr: Default::default(),
            bus: Default::default(),
            promiscuous: Default::default(),
            broadcast: Default::default(),
            multicast: Default::default(),
            station_low: Default::default(),
            station_high: Default::default(),
            bits_reg: Reg::new(bits(7)),
            low_reg: Default::default(),
            high_reg: Default::default(),
        }
    }
}

module! {
    impl [] Logic for Filter;
    regs: bits_reg, low_reg, high_reg;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.bus.write_hit.next = true;
        match self.bus.write_addr.val().index() {
            192 => {
                if self.bus.write.val() {
                    self.bits_reg.d.next = self.bus.write_data.val().get_bits::<3>(0);
                }
            }
            196 => {
                if self.bus.write.val() {
                    self.low_reg.d.next = self.bus.write_data.val();
                }
            }
            200 => {
                if self.bus.write.val() {
                    self.high_reg.d.next = self.bus.write_data.val().get_bits::<16>(0);
                }
            }
            _ => {
                self.bus.write_hit.next = false;
            }
        }
        self.bus.read_hit.next = true;
        self.bus.read_data.next = 0.into();
        match self.bus.read_addr.val().index() {
            192 => {
                self.bus.read_data.next = bit_cast::<32, 3>(self.bits_reg.q.val());
            }
            196 => {
                self.bus.read_data.next = self.low_reg.q.val();
            }
            200 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.high_reg.q.val());
            }
            _ => {
                self.bus.read_hit.next = false;
            }
        }
        self.promiscuous.next = self.bits_reg.q.val().get_bit(0);
        self.broadcast.next = self.bits_reg.q.val().get_bit(1);
        self.multicast.next = self.bits_reg.q.val().get_bit(2);
        self.station_low.next = self.low_reg.q.val();
        self.station_high.next = self.high_reg.q.val();
    }
}

//! Memory that DMA may touch (`abi::regs::DMA`).

use super::RegBus;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Answers at addresses 0x80 to 0xA0. A range is `base <= address < limit`; after reset all are empty.
/// `fault` latches `fault_addr` for DMA_FAULT_ADDR.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct DmaRanges {
    pub cr: Cr,
    pub bus: RegBus,
    pub fault: Signal<In, Bit>,
    pub fault_addr: Signal<In, Bits<32>>,
    pub range_base0: Signal<Out, Bits<32>>,
    pub range_limit0: Signal<Out, Bits<32>>,
    pub range_base1: Signal<Out, Bits<32>>,
    pub range_limit1: Signal<Out, Bits<32>>,
    pub range_base2: Signal<Out, Bits<32>>,
    pub range_limit2: Signal<Out, Bits<32>>,
    pub range_base3: Signal<Out, Bits<32>>,
    pub range_limit3: Signal<Out, Bits<32>>,
    range_base0_reg: Reg<Bits<32>>,
    range_limit0_reg: Reg<Bits<32>>,
    range_base1_reg: Reg<Bits<32>>,
    range_limit1_reg: Reg<Bits<32>>,
    range_base2_reg: Reg<Bits<32>>,
    range_limit2_reg: Reg<Bits<32>>,
    range_base3_reg: Reg<Bits<32>>,
    range_limit3_reg: Reg<Bits<32>>,
    last_fault: Reg<Bits<32>>,
}

module! {
    impl [] Logic for DmaRanges;
    regs: last_fault, range_base0_reg, range_limit0_reg, range_base1_reg, range_limit1_reg, range_base2_reg, range_limit2_reg, range_base3_reg, range_limit3_reg;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.bus.write_hit.next = true;
        match self.bus.write_addr.val().index() {
            128 => {
                if self.bus.write.val() {
                    self.range_base0_reg.d.next = self.bus.write_data.val();
                }
            }
            132 => {
                if self.bus.write.val() {
                    self.range_limit0_reg.d.next = self.bus.write_data.val();
                }
            }
            136 => {
                if self.bus.write.val() {
                    self.range_base1_reg.d.next = self.bus.write_data.val();
                }
            }
            140 => {
                if self.bus.write.val() {
                    self.range_limit1_reg.d.next = self.bus.write_data.val();
                }
            }
            144 => {
                if self.bus.write.val() {
                    self.range_base2_reg.d.next = self.bus.write_data.val();
                }
            }
            148 => {
                if self.bus.write.val() {
                    self.range_limit2_reg.d.next = self.bus.write_data.val();
                }
            }
            152 => {
                if self.bus.write.val() {
                    self.range_base3_reg.d.next = self.bus.write_data.val();
                }
            }
            156 => {
                if self.bus.write.val() {
                    self.range_limit3_reg.d.next = self.bus.write_data.val();
                }
            }
            160 => {}
            _ => {
                self.bus.write_hit.next = false;
            }
        }
        if self.fault.val() {
            self.last_fault.d.next = self.fault_addr.val();
        }
        self.bus.read_hit.next = true;
        self.bus.read_data.next = 0.into();
        match self.bus.read_addr.val().index() {
            128 => {
                self.bus.read_data.next = self.range_base0_reg.q.val();
            }
            132 => {
                self.bus.read_data.next = self.range_limit0_reg.q.val();
            }
            136 => {
                self.bus.read_data.next = self.range_base1_reg.q.val();
            }
            140 => {
                self.bus.read_data.next = self.range_limit1_reg.q.val();
            }
            144 => {
                self.bus.read_data.next = self.range_base2_reg.q.val();
            }
            148 => {
                self.bus.read_data.next = self.range_limit2_reg.q.val();
            }
            152 => {
                self.bus.read_data.next = self.range_base3_reg.q.val();
            }
            156 => {
                self.bus.read_data.next = self.range_limit3_reg.q.val();
            }
            160 => {
                self.bus.read_data.next = self.last_fault.q.val();
            }
            _ => {
                self.bus.read_hit.next = false;
            }
        }
        self.range_base0.next = self.range_base0_reg.q.val();
        self.range_limit0.next = self.range_limit0_reg.q.val();
        self.range_base1.next = self.range_base1_reg.q.val();
        self.range_limit1.next = self.range_limit1_reg.q.val();
        self.range_base2.next = self.range_base2_reg.q.val();
        self.range_limit2.next = self.range_limit2_reg.q.val();
        self.range_base3.next = self.range_base3_reg.q.val();
        self.range_limit3.next = self.range_limit3_reg.q.val();
    }
}
